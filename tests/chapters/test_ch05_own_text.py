"""Chapter 05's training cells run on a reader's own text in place of Shakespeare: a small Chinese one."""

import copy
import math
from itertools import pairwise
from pathlib import Path

import jupytext
import pytest
import torch

from course_lib.classroom.claims import ClaimError, claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.text import load_shakespeare, load_text, random_windows
from course_lib.evaluation.language import cross_entropy
from course_lib.information.ngram import KneserNey
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.runtime import Runtime

SOURCE = Path(__file__).parents[2] / "notebooks" / "source" / "05_language_model.py"
CODE = [cell.source for cell in jupytext.read(SOURCE).cells if cell.cell_type == "code"]
LINES = (
    "道可道，非常道。名可名，非常名。", "無名天地之始；有名萬物之母。", "故常無欲以觀其妙，常有欲以觀其徼。",
    "此兩者同出而異名，同謂之玄。", "玄之又玄，眾妙之門。", "天下皆知美之為美，斯惡已。", "皆知善之為善，斯不善已。",
    "故有無相生，難易相成，長短相較。", "高下相傾，音聲相和，前後相隨。", "上善若水。水善利萬物而不爭。",
)  # fmt: skip


class Budget(Runtime):
    """Three steps, whatever the chapter asks for."""

    def pick(self, quick, full):
        return 3 if isinstance(quick, int) else quick


def cell(*parts):
    """The one code cell that holds all these texts."""
    (found,) = [source for source in CODE if all(part in source for part in parts)]
    return found


def train_on(path):
    """Run the cells from the choice of a text to the claims on the training; return all names."""
    chosen = 'text = shakespeare  # or your own: load_text("my_text.txt")'
    scope = {
        "torch": torch, "nn": torch.nn, "F": torch.nn.functional, "math": math, "copy": copy, "pairwise": pairwise,
        "f64": torch.float64, "run": Budget(torch.device("cpu"), "quick"), "claim": claim, "guess": guess,
        "bfloat16_pays": lambda device: False, "cross_entropy": cross_entropy, "random_windows": random_windows,
        "KneserNey": KneserNey, "load_text": load_text, "shakespeare": load_shakespeare(test=True),
        "record": recorded("language_model"), "warmup_then_linear": warmup_then_linear,
        "three": (7, 3), "on_held": {(3, 1): 2.8732, (7, 3): 2.0966},
    }  # fmt: skip
    counting, _ = cell("def bits_of(").split("\n\n\n")
    setting_up = cell("muon_and_adamw(model.blocks")
    assert chosen in setting_up
    for code in (
        counting,
        setting_up.replace(chosen, f"text = load_text({str(path)!r})"),
        cell("def step(batch)"),
        cell("history = fit("),
        cell("history.evaluation("),
        cell("pictures.over_levels("),
    ):
        exec(code, scope)
    return scope


@pytest.mark.parametrize("characters", [2_000, 20_000])
def test_the_training_runs_on_a_small_chinese_text(tmp_path, characters, capsys):
    """Its own characters, all of its parts, its own levels; claims on Shakespeare's runs rest."""
    order = torch.randint(len(LINES), (characters,), generator=torch.Generator().manual_seed(0)).tolist()
    path = tmp_path / "laozi.txt"
    path.write_text("\n".join(LINES[i] for i in order)[:characters], encoding="utf-8")
    scope = train_on(path)
    text, model = scope["text"], scope["model"]
    assert model.embedding.weight.shape[0] == len(text.vocabulary) != 65
    assert set(text.vocabulary) == set(path.read_text(encoding="utf-8"))
    assert set(scope["at"]) == {0, 3}
    assert abs(scope["at"][0] - math.log2(len(text.vocabulary))) < 0.5
    assert all(0 < bits < math.log2(len(text.vocabulary)) for bits in scope["levels"].values())
    said = capsys.readouterr().out
    assert f"{characters:,} characters, {len(text.vocabulary)} different ones" in said
    assert "✓ on Shakespeare" in said


def test_on_shakespeare_the_comparison_is_made(tmp_path, monkeypatch):
    """The same cells with three steps: a record of other numbers turns the claim red."""
    path = tmp_path / "shakespeare.txt"
    text = load_shakespeare()
    path.write_text(text.decode(torch.cat([text.train, text.validation])), encoding="utf-8")
    scope = train_on(path)
    scope["text"] = scope["shakespeare"]
    exec(cell("history.evaluation("), scope)  # at step 0 it is where they were
    scope["record"].values["nats"][:] = [[nats + 1 for nats in curve] for curve in scope["record"].values["nats"]]
    scope["whole"] = torch.tensor(scope["record"].values["nats"]) / math.log(2)
    with pytest.raises(ClaimError, match="on Shakespeare"):
        exec(cell("history.evaluation("), scope)
