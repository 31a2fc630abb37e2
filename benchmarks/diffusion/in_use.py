"""Record ``flows_in_use.json``: flows of chapter 12's small digits, for that chapter's 40 seconds of one core.

Arms "middle times" (logit-normal, as the course trains) and "even times" differ in how times are drawn, nothing else.
Bits a pixel are upper bounds: of images made continuous, by the flow's density and by the chain of 500 levels. "few"
has the recipe of "middle times", as long on the first 100 and 1,000 digits. "live" are the notebook's short runs.
Nothing was chosen on the test images. Each finished run is kept in a folder, so that an interrupted record goes on.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gan.images import measure
from benchmarks.kept import kept
from course_lib.chapters.ch12_three_families.families import LEVELS
from course_lib.chapters.ch15b_flows_in_use.small_flow import small_flow
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.diffusion.guidance import network_velocity
from course_lib.diffusion.inpainting import inpaint
from course_lib.diffusion.levels import bits_per_dimension, dequantise, level_curve, many_levels_bound, requantise
from course_lib.diffusion.likelihood import flow_log_likelihood
from course_lib.diffusion.paths import STRAIGHT
from course_lib.diffusion.samplers import even_times, heun
from course_lib.diffusion.step import logit_normal_times, uniform_times
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.neighbours import memorisation
from course_lib.pretrained.classifiers import load_classifier

SEEDS, SECONDS, PIXELS, UPPER = range(5), 40.0, 196, 98
LIVE_STEPS, LIVE_IMAGES, LIVE_FLOW_STEPS = 400, 100, 20
TIMES = {"middle times": logit_normal_times, "even times": uniform_times}
JUMPS, FLOW_STEPS = (1, 5, 10), (10, 20, 40)
LOG_SNR = (-8.0, 8.0)

digits = load_digits()
train_levels, test = (to_levels(x, LEVELS, 2) for x in (digits.train, digits.test))
shuffled = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))  # as in chapter 12
classifier = load_classifier("small_digits")


def rng(seed: int) -> torch.Generator:
    """Return a generator of the processor."""
    return torch.Generator().manual_seed(seed)


def look(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the classifier's features and logits of levels (n, 196)."""
    return features_and_logits(classifier, from_levels(x, LEVELS, 2))


def step_seconds(repeats: int = 15, steps: int = 5) -> float:
    """Return the processor seconds of a training step where the core was least disturbed."""
    flow, found = small_flow(train_levels, 0), []
    for _ in range(repeats):
        started = time.process_time()
        for _ in range(steps):
            flow.step(flow.draw(flow.trained.generator))
        found.append((time.process_time() - started) / steps)
    return sorted(found)[1]


def train(levels: Tensor, arm: str, seed: int, steps: int) -> tuple[nn.Module, float]:
    """Train one flow on one thread; return its average and the processor seconds."""
    started = time.process_time()
    net = small_flow(levels, seed, TIMES[arm]).train(steps)
    return net, time.process_time() - started


@torch.no_grad()
def samples(net: nn.Module, shape: tuple[int, ...], n: int, seed: int) -> Tensor:
    """Return n samples by ten of Heun's steps."""
    generator, velocity = rng(1_000 + seed), network_velocity(net)
    return torch.cat(
        [heun(velocity, torch.randn(500, *shape, generator=generator), even_times(10)) for _ in range(n // 500)]
    )


def draws(net: nn.Module, n: int, seed: int) -> Tensor:
    """Return n images as levels."""
    return requantise(samples(net, (1, 14, 14), n, seed), LEVELS)


def bits(net: nn.Module, images: Tensor, seed: int, steps: int) -> tuple[float, float]:
    """Return bits a pixel by the flow's density, with one probe an image, and the standard error over the images."""
    x = dequantise(images.float(), LEVELS, rng(seed))
    each = bits_per_dimension(flow_log_likelihood(net, x, steps, 1, rng(seed))[0], PIXELS, LEVELS)
    return each.mean().item(), each.std().item() / math.sqrt(len(each))


def chain_times(levels: int) -> Tensor:
    """Return t = 0 and then times evenly spaced in the logarithm of the signal-to-noise ratio."""
    return torch.cat([torch.zeros(1), (torch.linspace(*LOG_SNR, levels) / 2).sigmoid()])


def by_levels(net: nn.Module, n: int, seed: int) -> float:
    """Return the bits a pixel of the chain of 500 levels, of n test images."""
    x = dequantise(test[shuffled[:n]].float(), LEVELS, rng(seed))
    nats = many_levels_bound(network_velocity(net), x, chain_times(500), STRAIGHT, rng(seed))
    return bits_per_dimension(-nats, PIXELS, LEVELS).mean().item()


def curve(net: nn.Module, n: int, seed: int) -> list[float]:
    """Return nats a pixel and unit of the log signal-to-noise ratio at 33 places of it."""
    x = dequantise(test[shuffled[:n]].float(), LEVELS, rng(seed))
    t = (torch.linspace(*LOG_SNR, 33) / 2).sigmoid()
    found = level_curve(network_velocity(net), x, t, STRAIGHT, rng(seed))
    return [round(value, 5) for value in (found / PIXELS).tolist()]


def halves(net: nn.Module, seed: int) -> dict[str, float]:
    """Return how often chapter 12's 500 test images keep their class when the lower half is filled in."""
    chosen = shuffled[:500]
    x, labels = test[chosen], digits.test_labels[chosen]
    mask = (torch.arange(PIXELS) < UPPER).view(1, 14, 14)
    known, found = dequantise(x.float(), LEVELS, rng(seed)), {}
    for jumps in JUMPS:
        made = requantise(inpaint(network_velocity(net), known, mask, 25, jumps, STRAIGHT, rng(seed)), LEVELS)
        found[f"same_class {jumps}"] = accuracy(look(made)[1], labels)
        rows = made.view(-1, 14, 14)[:, 6:8].float()
        found[f"seam {jumps}"] = (rows[:, 0] - rows[:, 1]).abs().mean().item()
    return found


def measured(arm: str, seed: int, steps: int, n: int = 10_000) -> dict[str, Any]:
    """Train one of the five on all digits and measure it on the test images."""
    net, seconds = train(train_levels, arm, seed, steps)
    made = draws(net, n, seed)
    found: dict[str, Any] = {"train_seconds": seconds, **measure(look(made)[0], look(test)[0])}
    some = test[shuffled[: n // 20]]
    for count in FLOW_STEPS if arm == "middle times" else FLOW_STEPS[-1:]:
        found[f"bits {count}"], found[f"bits_error {count}"] = bits(net, some, seed, count)
    found |= {"bits_chain": by_levels(net, n // 50, seed), "curve": curve(net, n // 50, seed)}
    if arm == "middle times":
        found |= halves(net, seed) | copying(net, made, train_levels, seed)
    return found


def copying(net: nn.Module, made: Tensor, known: Tensor, seed: int) -> dict[str, float]:
    """Return how near draws are to the training images, and bits of 100 of these, beside those of 100 test images."""
    near = memorisation(made[:2_000].float(), known.float(), test.float())
    of_train, _ = bits(net, known[:100], seed, 20)
    of_test, _ = bits(net, test[shuffled[:100]], seed, 20)
    return {"nearer": near.nearer, "copies": near.copies, "bits_train": of_train, "bits_test": of_test}


def few(count: int, seed: int, steps: int, n: int = 2_000) -> dict[str, float]:
    """Train on the first count digits, as long as on all of them."""
    known = train_levels[:count]
    net, _ = train(known, "middle times", seed, steps)
    return copying(net, draws(net, n, seed), known, seed)


def live(seed: int, steps: int) -> dict[str, float]:
    """Return what the notebook's short run is compared with."""
    net, _ = train(train_levels, "middle times", seed, steps)
    return {"bits": bits(net, test[shuffled[:LIVE_IMAGES]], seed, LIVE_FLOW_STEPS)[0]}


def by_key(runs: list[dict]) -> dict[str, list]:
    """Return the runs of all seeds as lists by key."""
    short = lambda value: round(value, 6) if isinstance(value, float) else value  # noqa: E731
    return {key: [short(run[key]) for run in runs] for key in runs[0]}


def each_seed(folder: Path, name: str, call: Callable[[int], dict]) -> dict[str, list]:
    """Return what a call finds of each seed as lists by key."""
    return by_key([kept(folder, f"{name} {seed}", lambda seed=seed: call(seed)) for seed in SEEDS])


def main() -> None:
    """Time a step, train, measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "flows_in_use", help="finished runs")
    chosen = parser.parse_args()
    chosen.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    steps = round(SECONDS / kept(chosen.kept, "step_seconds", step_seconds))
    values: dict[str, Any] = {"processor_seconds": SECONDS, "steps": steps, "live_steps": LIVE_STEPS}
    values["live"] = each_seed(chosen.kept, "live", lambda seed: live(seed, LIVE_STEPS))
    for arm in TIMES:
        values[arm] = each_seed(chosen.kept, arm, lambda seed, arm=arm: measured(arm, seed, steps))
    values["few"] = {
        str(count): each_seed(chosen.kept, f"few {count}", lambda seed, count=count: few(count, seed, steps))
        for count in (100, 1000)
    }
    what = "flows of 9,000 small digits, as much processor time as chapter 12's three families"
    print(write_record("flows_in_use", what, SEEDS, values))


if __name__ == "__main__":
    main()
