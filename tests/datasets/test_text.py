"""The shipped text as tokens and back, and windows of it."""

import hashlib

import pytest
import torch

from course_lib import paths
from course_lib.datasets import shipped
from course_lib.datasets.text import SHAKESPEARE_SHA256, load_shakespeare, load_text, random_windows


def test_shakespeare_is_the_text_that_it_should_be():
    text = load_shakespeare()
    assert (len(text.train), len(text.validation), len(text.vocabulary)) == (1_003_854, 111_540, 65)
    tokens = torch.cat([text.train, text.validation])
    digest = hashlib.sha256(tokens.numpy().astype("<i8").tobytes()).hexdigest()
    readme = (paths.DATA / "README.md").read_text()
    assert digest in readme
    assert SHAKESPEARE_SHA256 in readme
    assert text.decode(text.train[:14]) == "First Citizen:"
    assert text.decode(text.encode("To be, or\n")) == "To be, or\n"


def test_a_character_that_is_not_in_the_vocabulary_is_named():
    with pytest.raises(ValueError, match=r"text: expected characters of the vocabulary .*, got '€'"):
        load_shakespeare().encode("To € or 5")  # the 5 is not in it either: the first one is named


@pytest.mark.parametrize("outside", [65, -1])
def test_a_token_that_stands_for_no_character_is_named(outside):
    with pytest.raises(ValueError, match=f"tokens: expected 0 to 64, got {outside}"):
        load_shakespeare().decode(torch.tensor([3, outside]))


def test_missing_and_changed_files_say_how_to_get_them_back(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    with pytest.raises(
        OSError, match=r"data/tinyshakespeare.txt is missing; `git checkout -- data/tinyshakespeare.txt`"
    ):
        load_shakespeare()
    (tmp_path / "tinyshakespeare.txt").write_text("First Citizen:\r\n")
    with pytest.raises(OSError, match="has been changed: expected sha256 86c4e6aa"):
        load_shakespeare()


def test_windows_are_pieces_of_the_text_and_their_targets_one_on():
    tokens = torch.arange(50)
    inputs, targets = random_windows(tokens, 200, 7, torch.Generator().manual_seed(0))
    assert inputs.shape == targets.shape == (200, 7)
    assert torch.equal(targets, inputs + 1)
    assert (inputs[:, 1:] - inputs[:, :-1] == 1).all()
    assert inputs.min() == 0  # the first and the last window can be drawn
    assert targets.max() == 49
    again, _ = random_windows(tokens, 200, 7, torch.Generator().manual_seed(0))
    assert torch.equal(inputs, again)
    with pytest.raises(ValueError, match="tokens: expected more than length = 50, got 50"):
        random_windows(tokens, 1, 50, torch.Generator())


def test_the_last_twentieth_can_be_kept_apart():
    text, apart = load_shakespeare(), load_shakespeare(test=True)
    assert len(text.test) == 0
    assert (len(apart.validation), len(apart.test)) == (55_770, 55_770)
    assert torch.equal(apart.train, text.train)
    assert torch.equal(torch.cat([apart.validation, apart.test]), text.validation)


CHINESE = "天地玄黃,宇宙洪荒。日月盈昃,辰宿列張。\n" * 200


@pytest.mark.parametrize(
    "content",
    [CHINESE.encode(), b"\xef\xbb\xbf" + CHINESE.encode(), CHINESE.replace("\n", "\r\n").encode()],
    ids=["plain", "byte order mark", "Windows"],
)
def test_a_file_of_ones_own_in_any_language(tmp_path, content):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    for given in (path, str(path)):
        text = load_text(given)
        assert text.vocabulary == "".join(sorted(set(CHINESE)))
        assert text.decode(torch.cat([text.train, text.validation, text.test])) == CHINESE
        assert (len(text.train), len(text.validation), len(text.test)) == (3780, 210, 210)
        assert torch.equal(text.encode("宇宙"), text.train[5:7])
    assert text.summary() == "4,200 characters, 19 different ones: 3,780 to train, 210 to validate, 210 to test"


def test_characters_beyond_the_first_plane_are_one_token_each(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("𝄞a😀" * 1000, encoding="utf-8")
    assert (load_text(path).vocabulary, len(load_text(path).train)) == ("a𝄞😀", 2700)


def test_a_file_that_cannot_serve_is_named_with_the_reason(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes(b"caf\xe9 " * 1000)
    with pytest.raises(ValueError, match=r"path: expected a file in UTF-8, got byte 0xe9 at offset 3 of mine.txt"):
        load_text(path)
    path.write_text("too short")
    with pytest.raises(ValueError, match=r"path: expected at least 2,000 characters, got 9 in mine.txt"):
        load_text(path)
    with pytest.raises(FileNotFoundError, match=r"absent\.txt"):
        load_text(tmp_path / "absent.txt")
