"""Record chapter 02b's trainings over five seeds, with the chapter's own code: bits, heads, and what breaks."""

import ast
import math
from functools import partial
from pathlib import Path

import jupytext
import torch

from course_lib.chapters.ch02b_attention_reads.faults import VARIANTS
from course_lib.chapters.ch02b_attention_reads.heads import weight_by_distance
from course_lib.chapters.ch02b_attention_reads.rivals import counting_bits
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.training.runtime import start

CHAPTER = Path(__file__).parents[2] / "notebooks" / "source" / "02b_attention_reads.py"
DEFINES = ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef
SEEDS = range(5)
STEPS = 1500
RIVALS = {"letters": (1, 1), "pairs": (2, 1), "triples": (3, 1), "four in a row": (4, 0.01), "five in a row": (5, 0.01)}


def definitions() -> dict:
    """Return what the chapter's cells import and define, on Shakespeare; its exercise is the library's function."""
    text = load_shakespeare()
    scope = {"text": text, "n_symbols": len(text.vocabulary), "torch": torch, "run": start(threads=1)}
    for cell in jupytext.read(CHAPTER).cells:
        if cell.cell_type == "code" and not cell.source.startswith("@exercise"):
            nodes = [node for node in ast.parse(cell.source).body if isinstance(node, DEFINES)]
            exec(compile(ast.Module(nodes, type_ignores=[]), CHAPTER.name, "exec"), scope)
    scope["weight_by_distance"] = weight_by_distance
    return scope


def rounded(numbers: torch.Tensor) -> list:
    """Return numbers with four digits behind the point."""
    return [[round(x, 4) for x in row] for row in numbers.tolist()]


def with_mean(chapter: dict, model: torch.nn.Module, layer: int, h: int) -> torch.nn.Module:
    """Return a copy in which head h's output is, at every position, its mean over held-out text."""
    mean = chapter["look_inside"](model, chapter["some_windows"]())[3][layer, :, h].mean((0, 1))
    changed, part = chapter["without_head"](model, layer, h), slice(h * len(mean), (h + 1) * len(mean))
    changed.layers[layer].output.bias = torch.nn.Parameter(model.layers[layer].output.weight[:, part].detach() @ mean)
    return changed


def trained(chapter: dict) -> list[float]:
    """Record the model of the chapter: bits, rivals, what each head looks at, what it costs to take out."""
    text, bits_of = chapter["text"], chapter["held_out_bits"]
    rivals = {name: round(counting_bits(text.train, text.validation, 65, *how), 4) for name, how in RIVALS.items()}
    values = {"text": text.summary(), "steps": STEPS, "rivals": {"uniform": round(math.log2(65), 4), **rivals}}
    values |= {name: [] for name in ("bits", "on_previous", "untrained_on_previous", "zero", "mean")}
    for seed in SEEDS:
        torch.manual_seed(seed)
        fresh = chapter["AttentionOnly"](65).to(chapter["run"].device)
        values["untrained_on_previous"].append(rounded(chapter["on_previous"](fresh)))
        model, _ = chapter["experiment"](STEPS, seed)
        bits = bits_of(model)
        values["bits"].append(round(bits, 4))
        values["on_previous"].append(rounded(chapter["on_previous"](model)))
        for how, without in (("zero", chapter["without_head"]), ("mean", partial(with_mean, chapter))):
            costs = [[bits_of(without(model, layer, h)) - bits for h in range(4)] for layer in range(2)]
            values[how].append(rounded(torch.tensor(costs)))
        print(seed, values["bits"], flush=True)
    what = f"attention-only model on Tiny Shakespeare after {STEPS:,} steps: held-out bits per character, each head"
    print(write_record("attention_only", what, SEEDS, values), values, flush=True)
    return values["bits"]


def broken(chapter: dict, honest: list[float]) -> None:
    """Record the variants: bits after 350 steps and the mean loss on the way; without a leak after 1,500 too."""
    bits, curves, longer = {}, {}, {"honest": honest}
    for name, (mix, heads) in VARIANTS.items():
        runs = [chapter["experiment"](350, seed, mix, heads) for seed in SEEDS]
        bits[name] = [round(chapter["held_out_bits"](model), 4) for model, _ in runs]
        loss = torch.stack([losses for _, losses in runs]).mean(0)
        curves[name] = [round(x, 3) for x in loss.view(-1, 10).mean(1).tolist()]
        print(name, bits[name], flush=True)
    for name in ("no scale", "one head", "one head, no scale"):
        mix, heads = VARIANTS[name]
        longer[name] = [round(chapter["held_out_bits"](chapter["experiment"](STEPS, seed, mix, heads)[0]), 4)
                        for seed in SEEDS]  # fmt: skip
        print(name, longer[name], flush=True)
    values = {"after 350": bits, "after 1500": longer, "loss, means of ten steps": curves}
    what = "held-out bits per character of variants with a fault, after 350 and after 1,500 steps"
    print(write_record("attention_breaks", what, SEEDS, values), values)


def slower(chapter: dict) -> None:
    """Record what the scale is worth at a lower rate: bits after 1,500 steps, with and without it."""
    values = {"rate": 3e-3}
    for name in ("one head", "one head, no scale", "honest", "no scale"):
        mix, heads = VARIANTS[name]
        models = (chapter["experiment"](STEPS, seed, mix, heads, values["rate"])[0] for seed in SEEDS)
        values[name] = [round(chapter["held_out_bits"](model), 4) for model in models]
        print(name, values[name], flush=True)
        what = "held-out bits per character after 1,500 steps at a lower rate, with and without the scale"
        write_record("attention_rate", what, SEEDS, values)


def main() -> None:
    """Train everything once on each seed and write the three records."""
    chapter = definitions()
    broken(chapter, trained(chapter))
    slower(chapter)


if __name__ == "__main__":
    main()
