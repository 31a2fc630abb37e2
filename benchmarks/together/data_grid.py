"""Record ``data_grid.json``: what more data, more parameters and more steps buy, three families, five seeds each.

A character Transformer on 3,000 … all 1,003,854 characters of the training text, a VAE and a GAN with classes on
100 … 9,000 digits. Each run takes its fixed budget of steps and keeps the weights of the look at which the *validation*
part was best; what is reported of these was measured on the *test* part. Seed s trains on its own piece of the data:
one stretch of the text, from one of five places, or that many random digits, so that seeds differ in data and in
weights; at the largest amount, and in "last", in weights and order alone. "pieces" takes the text's characters from
all over it. The training text ends within The Taming of the Shrew, which the validation text and 38 % of the test text
go on with; no stretch reaches it, and "without the Shrew" leaves it out. Learning rates and sizes are those of chapters
05, 07 and 11 and were not chosen again for each amount.

``--kept FOLDER`` keeps each finished run there, so that an interrupted call goes on.
"""

import argparse
import copy
import json
import math
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.gan.networks import make_adam, make_networks
from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, modern
from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.datasets.text import load_shakespeare, random_windows
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.evaluation.neighbours import memorisation
from course_lib.gan.dcgan import sample, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.eval_mode import evaluating
from course_lib.training.fit import Draw, Step, fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.trained import Trained
from course_lib.vae.models import fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

SEEDS = range(5)
ALL = 1_003_854  # characters to train on
CHARACTERS = (3_000, 10_000, 30_000, 100_000, 300_000, ALL)
WIDTHS = (16, 32, 96, 128)  # and 64, which the data curve has
IMAGES = (100, 300, 1_000, 3_000, 9_000)
MOVED = (100, 9_000)
CONTEXT, WIDTH, BATCH, STEPS = 64, 64, 16, 1_000
TWICE = 92  # wide: 2.06 times the parameters of 64 in the blocks
VAE_STEPS, GAN_STEPS = 2_000, 500
SOON = 300  # steps after which runs of few characters, long past their best, are stopped in the comparison of doublings
BLOCK = 1_000  # characters of a piece, where the pieces come from all over the text
PLACES = (*torch.rand(5, generator=torch.Generator().manual_seed(13))[:3], 0.27, 0.65)  # of a seed's start in the text
SHREW = 37_721  # last characters of the training text: a play that goes on in the validation and the test part


def data_of(text: Tensor, n: int, seed: int, taken: str = "stretch") -> Tensor:
    """Return this seed's stretch of n characters, a longer one of the same seed holds it; pieces from all over; the
    last n; "without the Shrew" takes from the text without its last play.
    """
    if "without the Shrew" in taken:
        text = text[:-SHREW]
        n = min(n, len(text))
    if taken == "last":
        return text[-n:]
    if "pieces" in taken:
        chosen = torch.randperm(len(text) // BLOCK, generator=torch.Generator().manual_seed(100 + seed))
        return text[: len(chosen) * BLOCK].view(-1, BLOCK)[chosen[: n // BLOCK].sort().values].flatten()
    start = int(PLACES[seed] * (len(text) - n))
    return text[start : start + n]


@torch.no_grad()
def bits(model: Transformer, windows: Tensor) -> float:
    """Return the mean bits a character of windows (n, CONTEXT + 1)."""
    with evaluating(model):
        parts = [
            F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten(), reduction="none")
            for part in windows.split(256)
        ]
    return torch.cat(parts).double().mean().item() / math.log(2)


def windows_of(tokens: Tensor, every: int = 1) -> Tensor:
    """Return every so-manieth window of CONTEXT characters and their next ones, without overlap of the targets."""
    return tokens.unfold(0, CONTEXT + 1, CONTEXT)[::every]


def train_best(
    step: Step,
    draw: Draw,
    steps: int,
    trained: Trained,
    look: Callable[[], dict[str, float]],
    kept: torch.nn.Module,
    at: Callable[[int], bool],
    schedule: Callable[[float], float] | None,
    every: int = 25,
    until: int | None = None,
) -> dict:
    """Train by ``fit``, leave kept with the weights of the best look on validation, and return what the looks saw."""
    best: dict = {"validation": math.inf}

    def evaluate() -> dict[str, float]:
        done = trained.history.step
        if not (at(done) or done == (until or steps)):
            return {}
        found = look()
        if found["validation"] < best["validation"]:
            best.update(validation=found["validation"], step=done, weights=copy.deepcopy(kept.state_dict()))
        return found

    history = fit(step, draw, steps, trained, schedule=schedule, until=until, every=every, evaluate=evaluate,
                  evaluate_every=every, progress=False)  # fmt: skip
    curves = {name: history.evaluation(name).values for name in ("validation", "train")}
    last = copy.deepcopy(kept.state_dict())
    kept.load_state_dict(best.pop("weights"))
    return {**best, "seconds": history.seconds, "evaluated": history.evaluation("validation").steps, "curves": curves,
            "last": last}  # fmt: skip


def characters(
    seed: int, n: int, width: int = WIDTH, steps: int = STEPS, taken: str = "stretch", until: int | None = None
) -> dict:
    """Train a character Transformer; bits a character. until: stop there, with the schedule of the whole run."""
    text, generator = load_shakespeare(test=True), torch.Generator().manual_seed(seed)
    own = data_of(text.train, n, seed, taken)
    torch.manual_seed(seed)
    model = Transformer(modern(65, context_length=CONTEXT, n_layers=2, n_heads=2, d_model=width))
    optimizers = muon_and_adamw(model.blocks, model)
    validation, test = windows_of(text.validation, every=4), windows_of(text.test)
    seen = own.unfold(0, CONTEXT + 1, 1)
    seen = seen[torch.randperm(len(seen), generator=torch.Generator().manual_seed(1))[:128]]
    found = train_best(
        next_token_step(model, optimizers.values()),
        lambda generator: random_windows(own, BATCH, CONTEXT, generator),
        steps,
        Trained({"model": model}, optimizers, generator),
        lambda: {"validation": bits(model, validation), "train": bits(model, seen)},
        model,
        lambda done: done in (5, 10, 15, 20, 25, 30, 40, 50, 75, 125, 150) or done % 100 == 0,
        warmup_then_linear,
        every=5,
        until=until,
    )
    found |= {"train": bits(model, seen), "test": bits(model, test)}
    model.load_state_dict(found.pop("last"))
    blocks = sum(p.numel() for p in model.blocks.parameters())
    return found | {"test at the end": bits(model, test), "parameters": blocks}


def vae(seed: int, n: int, shift: int = 0, steps: int = VAE_STEPS) -> dict:
    """Train a VAE of binary digits; nats an image, the bound with k = 10, of 2,000 test digits."""
    digits, generator = load_digits(), torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(100 + seed))[:n]
    greys = digits.train[chosen].flatten(1) / 255
    torch.manual_seed(seed)
    model = fully_connected_vae(20, 200, mean=greys.mean(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.05, fused=True)
    validation = binarise(digits.validation, torch.Generator().manual_seed(1)).flatten(1)
    seen = draw_binary(greys, 1_000, 1)(torch.Generator().manual_seed(2)).x
    test = binary_test_digits().flatten(1)[:2_000]

    def nats(x: Tensor) -> float:
        return -log_likelihood(model, x, 10, torch.Generator().manual_seed(5)).mean().item()

    found = train_best(
        vae_step(model, optimizer, clip=50),
        draw_binary(greys, 100, 20, 1, shift),
        steps,
        Trained({"vae": model}, {"adamw": optimizer}, generator),
        lambda: {"validation": nats(validation), "train": nats(seen)},
        model,
        lambda done: done in (50, 150) or done % (100 if done < 500 else 250) == 0,
        partial(warmup_then_linear, warmup=0.05, decay=0.95),
    )
    found |= {"train": nats(seen), "test": nats(test)}
    model.load_state_dict(found.pop("last"))
    return found | {"test at the end": nats(test), "parameters": sum(p.numel() for p in model.parameters())}


def gan(seed: int, n: int, steps: int = GAN_STEPS) -> dict:
    """Train a GAN with classes; squared Fréchet distance of 5,000 images to 5,000 test digits, and copies."""
    digits, generator = load_digits(), torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(100 + seed))[:n]
    own, labels = to_images(digits.train[chosen]), digits.train_labels[chosen]
    classifier = load_classifier("digits")
    features = lambda x: features_and_logits(classifier, x)[0]  # noqa: E731
    g, d = make_networks(seed, 64, 32, 10)
    optimizers = {"g": make_adam(g, 2e-3), "d": make_adam(d, 2e-3)}
    average = moving_average(g, 0.98)
    z = torch.randn(5_000, 64, generator=torch.Generator().manual_seed(100 + seed))
    held, shown = features(to_images(digits.validation)), features(own[:1_000])

    def look() -> dict[str, float]:
        made = features(sample(average, z[:2_000], digits.validation_labels.repeat(2)))
        return {"validation": frechet_distance(made, held), "train": frechet_distance(made, shown)}

    found = train_best(
        adversarial_step(g, d, optimizers["g"], optimizers["d"], average=average),
        draw_turns(own, labels, 64, 64),
        steps,
        Trained({"g": g, "d": d, "average": average}, optimizers, generator),
        look,
        average,
        lambda done: done > 0 and done % 100 == 0,
        None,
    )
    real, asked = features(to_images(digits.test[:5_000])), digits.test_labels[:5_000]
    made = sample(average, z, asked)
    near = memorisation(made[:2_000].flatten(1), own.flatten(1), to_images(digits.test[:5_000]).flatten(1))
    found |= {"test": frechet_distance(features(made), real), "nearer": near.nearer, "copies": near.copies}
    found["train"] = found["curves"]["train"][found["evaluated"].index(found["step"])]
    average.load_state_dict(found.pop("last"))
    made = sample(average, z, asked)
    at_the_end = memorisation(made[:2_000].flatten(1), own.flatten(1), to_images(digits.test[:5_000]).flatten(1))
    found |= {"test at the end": frechet_distance(features(made), real), "copies at the end": at_the_end.copies}
    return found | {"parameters": sum(p.numel() for p in g.parameters()) + sum(p.numel() for p in d.parameters())}


def runs(seed: int) -> dict[str, Callable[[], dict]]:
    """Return all runs of one seed by the name of their arm."""
    made: dict[str, Callable[[], dict]] = {}
    for n in CHARACTERS:
        made[f"characters, {n}"] = partial(characters, seed, n)
    for n in IMAGES:
        made[f"vae, {n}"] = partial(vae, seed, n)
        made[f"gan, {n}"] = partial(gan, seed, n)
    for width in WIDTHS:
        made[f"width, {width}"] = partial(characters, seed, ALL, width)
    for n, until in ((10_000, SOON), (300_000, None)):
        made[f"from {n}, twice the data"] = partial(characters, seed, 2 * n, until=until)
        made[f"from {n}, twice the parameters"] = partial(characters, seed, n, TWICE, until=until)
        made[f"from {n}, twice the steps"] = partial(characters, seed, n, WIDTH, 2 * STEPS, until=until)
    made["pieces, 300000"] = partial(characters, seed, 300_000, taken="pieces")
    made["last, 300000"] = partial(characters, seed, 300_000, taken="last")
    made["pieces without the Shrew"] = partial(characters, seed, 300_000, taken="pieces without the Shrew")
    made["all without the Shrew"] = partial(characters, seed, ALL, taken="without the Shrew")
    for n, name in ((9_000, "twice the steps"), (3_000, "twice the steps on 3000")):
        made[f"vae, {name}"] = partial(vae, seed, n, steps=2 * VAE_STEPS)
        made[f"gan, {name}"] = partial(gan, seed, n, steps=2 * GAN_STEPS)
    for n in MOVED:
        made[f"vae moved, {n}"] = partial(vae, seed, n, 1)
    return made


def rounded(value: float | list, digits: int = 4) -> float | list:
    """Return a number, or all numbers of a list, with so many digits behind the point."""
    return [rounded(each, digits) for each in value] if isinstance(value, list) else round(value, digits)


def write(kept: Path, seeds: range = SEEDS) -> None:
    """Write the record of the finished runs: every figure seed by seed."""
    digits = load_digits()
    classifier = load_classifier("digits")
    features = lambda x: features_and_logits(classifier, to_images(x))[0]  # noqa: E731
    floor = frechet_distance(features(digits.train[:5_000]), features(digits.test[:5_000]))
    values: dict = {
        "steps": {"characters": STEPS, "vae": VAE_STEPS, "gan": GAN_STEPS},
        "batch": {"characters": [BATCH, CONTEXT], "vae": 100, "gan": 64},
        "sizes": {"characters": CHARACTERS, "vae": IMAGES, "gan": IMAGES, "widths": sorted((*WIDTHS, WIDTH))},
        "real digits at distance": round(floor, 4),
    }
    for arm in runs(0):
        each = [json.loads((kept / f"{arm}, {seed}.json").read_text()) for seed in seeds]
        whole = not arm.startswith("from 10000")  # those were stopped early
        drop = ("evaluated", "curves", "parameters", "all seconds", *(() if whole else ("test at the end",)))
        found = {key: [rounded(e[key]) for e in each] for key in each[0] if key not in drop}
        found["parameters"] = each[0]["parameters"]
        if whole:
            found["evaluated"] = each[0]["evaluated"]
            found["curves"] = {key: [rounded(e["curves"][key], 3) for e in each] for key in each[0]["curves"]}
        values[arm] = found
    what = "test figures of a character model, a VAE and a GAN by amounts of data, widths and steps"
    print(write_record("data_grid", what, seeds, values))


def main() -> None:
    """Train what is not there yet, the seeds one after the other, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, help="folder of the finished runs, else a new one")
    kept = parser.parse_args().kept or Path(tempfile.mkdtemp())
    kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    everything = [(seed, arm, run) for seed in SEEDS for arm, run in runs(seed).items()]
    later = ("Shrew", "last", "on 3000", "width, 128")  # in this order behind all others
    place = lambda arm: max((1 + i for i, name in enumerate(later) if name in arm), default=0)  # noqa: E731
    for seed, arm, run in sorted(everything, key=lambda each: place(each[1])):
        path = kept / f"{arm}, {seed}.json"
        if not path.exists():
            started = time.perf_counter()
            found = run()
            path.write_text(json.dumps(found))
            took = time.perf_counter() - started
            print(f"{arm}, seed {seed}: {found['test']:.4f} at step {found['step']}, {took:.1f} s", flush=True)
    write(kept)


if __name__ == "__main__":
    main()
