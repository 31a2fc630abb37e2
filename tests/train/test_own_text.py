"""A reader's own text, in any language, trains from a shell; what cannot serve is said in one line."""

import pytest

from course_lib.train.__main__ import main

POEM = "天地玄黃,宇宙洪荒。日月盈昃,辰宿列張。寒來暑往,秋收冬藏。\n"


@pytest.mark.parametrize("what", ["attention", "lm"])
def test_a_chinese_text_is_trained_on(what, tmp_path, capsys):
    path = tmp_path / "poem.txt"
    path.write_text(POEM * 120, encoding="utf-8")
    assert main([what, "--steps", "2", "--device", "cpu", "--text", str(path)]) == 0
    said = capsys.readouterr().out
    assert "on a text of your own, 3,720 characters, 27 different ones: 3,348 to train, 186 to validate" in said
    assert "validation bits per character: " in said


def test_a_text_that_cannot_serve_is_said_in_one_line(tmp_path, capsys):
    short, latin = tmp_path / "short.txt", tmp_path / "latin.txt"
    short.write_text(POEM, encoding="utf-8")
    latin.write_bytes(b"\xe9" * 3000)
    for what, path, says in (
        ("attention", short, "path: expected at least 2,000 characters, got 31 in short.txt"),
        ("lm", latin, "path: expected a file in UTF-8, got byte 0xe9 at offset 0 of latin.txt"),
        ("lm", tmp_path / "none.txt", "No such file"),
        ("vae", short, "--text: expected with attention or lm, got it with vae"),
    ):
        assert main([what, "--steps", "1", "--device", "cpu", "--text", str(path)]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert len(said.splitlines()) == 1
