"""The trainings from a shell are the chapters': the same cells, executed, give the same weights; a stopped run goes on."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jupytext
import numpy as np
import pytest
import torch
from PIL import Image
from runs import same, weights

from course_lib.classroom import claims
from course_lib.datasets.images import binarise, load_digits
from course_lib.datasets.text import load_shakespeare
from course_lib.gan.dcgan import to_images
from course_lib.train.__main__ import PLANS, main
from course_lib.training.fit import fit
from course_lib.training.runtime import Runtime

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"
CPU = torch.device("cpu")
STEPS = 3
RECORD = SimpleNamespace(values={"steps": 6000}, arm=lambda *names: None)


def cells(chapter, *beginnings):
    """The code of the cells of a chapter that hold one of these texts, in order."""
    found = [c.source for c in jupytext.read(SOURCES / f"{chapter}.py").cells if c.cell_type == "code"]
    chosen = [c for c in found if any(text in c for text in beginnings)]
    assert len(chosen) >= len(beginnings)
    return "\n".join(chosen)


class Budget(Runtime):
    """A budget of three steps, whatever a chapter asks for."""

    def pick(self, quick, full):
        return STEPS if isinstance(quick, int) else quick


def run_cells(code, **names):
    """Execute cells with what earlier ones would have made."""
    scope = {"torch": torch, "run": Budget(CPU, "quick"), "device": CPU, "partial": partial, **names}
    exec(code, scope)
    return scope


def chapter_02b():
    from course_lib.attention.dot_product import fast_attention
    from course_lib.attention.masks import causal_mask
    from course_lib.attention.multi_head import MultiHeadAttention, join_heads
    from course_lib.datasets.text import random_windows

    names = {"nn": torch.nn, "F": torch.nn.functional, "math": __import__("math"), "text": load_shakespeare(),
             "n_symbols": 65, "join_heads": join_heads, "MultiHeadAttention": MultiHeadAttention,
             "fast_attention": fast_attention, "causal_mask": causal_mask, "random_windows": random_windows}  # fmt: skip
    code = cells("02b_attention_reads", "class AttentionOnly", "def train(model, steps", "def experiment(").replace(
        "(1 - i / steps)", "(1 - i / 1500)"
    )
    model, _ = run_cells(code, **names)["experiment"](STEPS, 0)
    return {"model": model}


def chapter_05():
    from course_lib.datasets.text import random_windows
    from course_lib.training.optimizers import warmup_then_linear
    from course_lib.training.precision import bfloat16_pays

    names = {"nn": torch.nn, "F": torch.nn.functional, "math": __import__("math"), "f64": torch.float64,
             "shakespeare": load_shakespeare(test=True), "claim": claims.claim, "warmup_then_linear": warmup_then_linear,
             "record": SimpleNamespace(values={"steps": 1441}, each=lambda key: [[0.0]]), "KneserNey": lambda *_: None,
             "bits_of": lambda *_: 3.0, "random_windows": random_windows, "cross_entropy": lambda *_: 0.0,
             "bfloat16_pays": bfloat16_pays}  # fmt: skip
    code = cells("05_language_model", "muon_and_adamw(model.blocks", "def step(batch)", "history = fit(")
    return run_cells(code, **names)["trained"].modules


def chapter_07():
    from course_lib.training.optimizers import warmup_then_linear
    from course_lib.training.precision import bfloat16_pays
    from course_lib.training.trained import Trained
    from course_lib.vae.models import fully_connected_vae
    from course_lib.vae.step import draw_binary, vae_step

    digits = load_digits()
    names = {"greys": digits.train.flatten(1) / 255, "record": RECORD, "log_likelihood": lambda *_: torch.zeros(1),
             "validation": binarise(digits.validation[:2], torch.Generator()).flatten(1), "Trained": Trained, "fit": fit,
             "fully_connected_vae": fully_connected_vae, "draw_binary": draw_binary, "vae_step": vae_step,
             "warmup_then_linear": warmup_then_linear, "bfloat16_pays": bfloat16_pays}  # fmt: skip
    return run_cells(cells("07_vae_training", "live_steps = run.pick"), **names)["trained"].modules


def chapter_11():
    from course_lib.training.precision import bfloat16_pays
    from course_lib.training.trained import Trained

    digits = load_digits()
    torch.manual_seed(0)
    names = {"bfloat16_pays": bfloat16_pays, "Trained": Trained}
    code = cells("11_gan_images", "def new_game(decay")
    scope = run_cells(code, **names)
    draw = scope["draw_turns"](to_images(digits.train), digits.train_labels, 64, 64)
    fit(scope["step"], draw, 600, scope["trained"], until=STEPS, every=20, progress=False)
    return scope["trained"].modules


CHAPTERS = {"attention": chapter_02b, "lm": chapter_05, "vae": chapter_07, "gan": chapter_11}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_the_chapters_recipe(name, monkeypatch):
    """After three steps, bit for bit: networks, batches, rates, precision."""
    monkeypatch.setattr("course_lib.training.precision.bfloat16_pays", lambda device="cpu": False)
    monkeypatch.setattr("course_lib.train.images.bfloat16_pays", lambda device="cpu": False)
    monkeypatch.setattr("course_lib.train.language.bfloat16_pays", lambda device="cpu": False)
    plan = PLANS[name](CPU, {"vae": 5}.get(name, 0))  # a chapter may train with a seed that no record has
    settings = {"schedule": plan.schedule, "until": STEPS, "progress": False}
    fit(plan.step, plan.draw, plan.steps, plan.trained, **settings)
    theirs = SimpleNamespace(modules=CHAPTERS[name]())
    assert list(weights(plan.trained).values())
    assert all(torch.equal(a, b) for a, b in zip(weights(plan.trained).values(), weights(theirs).values(), strict=True))


def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_reports(tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for arguments in (
        ["--steps", "6", "--out", str(whole)],
        ["--steps", "4", "--out", str(parts)],
        ["--steps", "6", "--out", str(parts), "--resume"],
    ):
        assert main(["attention", *arguments]) == 0
    runs = []
    for out in (whole, parts):
        plan = PLANS["attention"](CPU)
        fit(plan.step, plan.draw, plan.steps, plan.trained, until=6, checkpoint=out / "checkpoint.safetensors")
        runs.append(weights(plan.trained))
    assert same(*runs)
    report = json.loads((parts / "report.json").read_text())
    assert report["step"] == 6
    assert 4 < report["figures"]["validation bits per character"] < 7
    assert "two layers of attention on Tiny Shakespeare: 6 of 1,500 steps" in capsys.readouterr().out


def test_what_cannot_be_done_is_said_in_one_line(tmp_path, capsys):
    assert main(["attention", "--steps", "1", "--out", str(tmp_path)]) == 0
    for arguments, says in (
        (["--resume"], "--resume: expected --out"),
        (["--resume", "--out", str(tmp_path / "none")], "--resume: expected a checkpoint in"),
        (["--out", str(tmp_path)], "holds a run already; --resume goes on with it"),
        (["--images", str(tmp_path)], "--images: expected with vae or gan, got it with attention"),
        (["--invert"], "--invert: expected with --images, got it alone"),
        (["--device", "gpu"], "COURSE_DEVICE: expected a device that torch can use here, got 'gpu'"),
    ):
        capsys.readouterr()
        assert main(["attention", "--steps", "2", *arguments]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("name", "says"), [("vae", "36 own images"), ("gan", "40 own images")])
def test_a_folder_of_pictures_is_trained_on(name, says, tmp_path, capsys):
    shade = np.linspace(0, 255, 50).astype(np.uint8)
    for i in range(40):
        Image.fromarray(np.roll(np.tile(shade, (40, 1)), i, axis=1)).save(tmp_path / f"{i}.png")
    assert main([name, "--images", str(tmp_path), "--invert", "--steps", "2"]) == 0
    assert says in capsys.readouterr().out


def test_it_runs_as_a_module():
    run = subprocess.run([sys.executable, "-m", "course_lib.train", "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    assert "python -m course_lib.train vae --budget full" in run.stdout
