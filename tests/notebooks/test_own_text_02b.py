"""Chapter 02b runs to its end with a text of the reader's in place of Shakespeare: here a small Chinese one."""

import re
import runpy
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "02b_attention_reads.py"
LINES = (
    "道可道，非常道；名可名，非常名。", "天下皆知美之為美，斯惡已。", "上善若水。水善利萬物而不爭。", "五色令人目盲；五音令人耳聾。",
    "知人者智，自知者明。", "千里之行，始於足下。", "信言不美，美言不信。", "大道廢，有仁義；智慧出，有大偽。", "致虛極，守靜篤。",
)  # fmt: skip
STEPS = {"steps = 1500\n": "steps = 4\n", "experiment(350,": "experiment(3,"}


@pytest.fixture
def chinese(tmp_path):
    path = tmp_path / "道德經.txt"
    path.write_text("\n".join(LINES[i * i % 9] + LINES[(i * 5 + 2) % 9] for i in range(160)), encoding="utf-8")
    return path


def with_own_text(path):
    """The chapter's source as a reader changes it, with trainings of a few steps."""
    source = SOURCE.read_text(encoding="utf-8")
    own = re.sub(
        r'^text = load_shakespeare\(\)\n# (text = load_text\()"path/to/your\.txt"\)',
        rf'# text = load_shakespeare()\n\1r"{path}")',
        source,
        flags=re.M,
    )
    assert own != source
    for steps, fewer in STEPS.items():
        assert own.count(steps) == 1
        own = own.replace(steps, fewer)
    return own


def test_the_chapter_runs_with_a_chinese_text(chinese, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    changed = tmp_path / "own.py"
    changed.write_text(with_own_text(chinese), encoding="utf-8")
    scope = runpy.run_path(str(changed))
    said = capsys.readouterr().out
    text = scope["text"]
    assert "道" in text.vocabulary
    assert text.summary() in said
    assert "the records are of Shakespeare, not of your text" in said
    assert "no logit of the first half moves" in said  # claimed for every text
    assert "lies where they do" not in said  # claimed for Shakespeare alone
    assert 0 < scope["bits"] < 10
    assert set(scope["write"](scope["model"], length=20)) <= set(text.vocabulary)
