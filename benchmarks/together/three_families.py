"""Record ``three_families.json``: a Transformer over pixels, a VAE and a GAN of one data set, on one yardstick.

Small digits, 14 × 14 pixels of 8 grey levels. Each family trains for the same processor time on one thread: a step of
each is timed in turns, and the number of steps follows. Learning rate and whether the training images move by up to a
pixel of 28 are chosen by the same ten trials of one seed each on the validation images; five other seeds then train
with the best of them and are measured on the test images, which nothing was chosen by. Images are rounded to levels
before any measure. Each finished run is kept in a folder, so that an interrupted record goes on.
"""

import argparse
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gan.images import measure
from benchmarks.kept import kept
from course_lib.attention.pixels import PixelTransformer, complete_pixels, draw_pixels, pixel_log_likelihoods
from course_lib.chapters.ch12_three_families.families import FAMILIES, LATENT, LEVELS, Training
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.datasets.levels import from_levels, quantise, to_levels
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.evaluation.neighbours import memorisation, nearest
from course_lib.gan.dcgan import sample
from course_lib.gan.inpainting import search_noise
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.precision import bfloat16_pays
from course_lib.vae.annealed import annealed_weights, lower_bound, sigmoid_betas, tuned_sizes, upper_bound
from course_lib.vae.grey import GreyVAE, complete_annealed
from course_lib.vae.likelihoods import discretized_logistic_log_likelihood
from course_lib.vae.models import log_likelihood

SEEDS = range(5)
SECONDS = 40.0  # of one processor, for each training
FACTORS, SHIFTS = (0.25, 0.5, 1.0, 2.0, 4.0), (0, 1)
TRIAL_SEED = 100
LIVE_STEPS = {"ar": 200, "vae": 1000, "gan": 400}
PIXELS, UPPER = 196, 98
COMPLETED = 500  # test images
BITS = 1 / (PIXELS * math.log(2))  # nats an image to bits a pixel

digits = load_digits()
train_levels, validation, test = (to_levels(x, LEVELS, 2) for x in (digits.train, digits.validation, digits.test))
shuffled = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))  # test images for what asks for fewer
classifier = load_classifier("small_digits")


def look(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the classifier's features and logits of levels (n, 196)."""
    return features_and_logits(classifier, from_levels(x, LEVELS, 2))


def rng(seed: int) -> torch.Generator:
    """Return a generator of the processor."""
    return torch.Generator().manual_seed(seed)


def draws(family: str, model: Any, n: int, seed: int) -> Tensor:
    """Return n images of a model, rounded to levels."""
    if family == "ar":
        return draw_pixels(model, n, rng(seed))
    if family == "vae":
        return model.draw(n, rng(seed))
    return quantise(sample(model, torch.randn(n, LATENT, generator=rng(seed))), LEVELS)


def step_seconds(repeats: int = 12, steps: int = 10) -> dict[str, float]:
    """Return the processor seconds of a step of each family: the median of turns, one after the other."""
    trainings = {name: make(digits.train, 0) for name, make in FAMILIES.items()}
    found: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(repeats):
        for name, training in trainings.items():
            started = time.process_time()
            for _ in range(steps):
                training.step(training.draw(training.trained.generator))
            found[name].append((time.process_time() - started) / steps)
    return {name: statistics.median(times[2:]) for name, times in found.items()}


def step_flops(family: str) -> int:
    """Return the floating-point operations of the matrix products and convolutions of one step, there and back."""
    training = FAMILIES[family](digits.train, 0)
    batch = training.draw(training.trained.generator)
    with FlopCounterMode(display=False) as counter:
        training.step(batch)
    return counter.get_total_flops()


def train(family: str, seed: int, steps: int, factor: float, shift: int) -> tuple[Training, float]:
    """Train one model on one thread; return it in eval mode, and the processor seconds."""
    training = FAMILIES[family](digits.train, seed, factor, shift)
    started = time.process_time()
    fit(
        training.step, training.draw, steps, training.trained,
        schedule=training.schedule, every=max(1, steps // 10), progress=False,
    )  # fmt: skip
    seconds = time.process_time() - started
    for module in training.trained.modules.values():
        module.eval()
    return training, seconds


def figure_of_trial(family: str, model: Any, seed: int) -> float:
    """Return what a trial is judged by, on the validation images: bits a pixel, for a GAN the squared distance."""
    if family == "ar":
        return -pixel_log_likelihoods(model, validation).sum(1).mean().item() * BITS
    if family == "vae":
        return -log_likelihood(model, validation, 100, rng(seed)).mean().item() * BITS
    return frechet_distance(look(draws(family, model, 10_000, seed))[0], look(validation)[0])


def trial(family: str, steps: int, factor: float, shift: int) -> dict[str, float]:
    """Train and judge one choice."""
    training, seconds = train(family, TRIAL_SEED, steps, factor, shift)
    return {"figure": round(figure_of_trial(family, training.model, 1), 4), "seconds": round(seconds, 1)}


def live(family: str, steps: int, factor: float, shift: int, seed: int) -> dict[str, float]:
    """Return what the notebook's short run is compared with."""
    return {"figure": round(short_figure(family, train(family, seed, steps, factor, shift)[0].model, seed), 4)}


def short_figure(family: str, model: Any, seed: int) -> float:
    """Return the figure of a short run: bits a pixel of 500 test images, for a GAN the distance of 2,000 fakes."""
    some = test[shuffled[:500]]
    if family == "ar":
        return -pixel_log_likelihoods(model, some).sum(1).mean().item() * BITS
    if family == "vae":
        return -log_likelihood(model, some, 100, rng(seed)).mean().item() * BITS
    return frechet_distance(look(draws(family, model, 2_000, seed))[0], look(test)[0])


def measured(family: str, steps: int, factor: float, shift: int, seed: int) -> dict[str, Any]:
    """Train one of the five and measure everything on the test images."""
    training, seconds = train(family, seed, steps, factor, shift)
    model, found = training.model, {"train_seconds": seconds}
    started = time.process_time()
    made = draws(family, model, 10_000, 1_000 + seed)
    found["seconds_per_image"] = (time.process_time() - started) / 10_000
    found["seconds_one"] = min(_timed(lambda i=i: draws(family, model, 1, i)) for i in range(5))
    features, logits = look(made)
    found |= measure(features, look(test)[0])
    found["shares"] = [round(n / len(made), 4) for n in logits.argmax(1).bincount(minlength=10).tolist()]
    near = memorisation(made[:2_000].float(), train_levels.float(), test.float())
    found |= {"nearer": near.nearer, "copies": near.copies, "exact": found_among(made, train_levels) / len(made)}
    found |= likelihoods(family, model, seed) | unrounded(family, model, seed)
    found |= completions(family, model, seed)
    return {key: value if isinstance(value, list) else round(value, 6) for key, value in found.items()}


def _timed(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def found_among(x: Tensor, among: Tensor) -> int:
    """Return how many images of x are, pixel for pixel, images of among."""
    as_bytes = lambda images: [row.numpy().tobytes() for row in images.to(torch.uint8)]  # noqa: E731
    known = set(as_bytes(among))
    return sum(row in known for row in as_bytes(x))


def likelihoods(family: str, model: Any, seed: int) -> dict[str, float]:
    """Return bits a pixel of the test images: exact, or bounds; how many test images 10,000 draws hit for a GAN."""
    some_train = train_levels[:2_000]
    if family == "ar":
        exact, of_train = (-pixel_log_likelihoods(model, x).sum(1) * BITS for x in (test, some_train))
        error = exact.std().item() / math.sqrt(len(exact))
        return {"bits": exact.mean().item(), "bits_error": error, "bits_train": of_train.mean().item()}
    if family == "vae":
        k_1, k_100 = (-log_likelihood(model, test, k, rng(seed)).mean().item() * BITS for k in (1, 100))
        few = test[shuffled[:1_000]]
        gain = log_likelihood(model, few, 1_000, rng(seed)) - log_likelihood(model, few, 100, rng(seed + 1))
        of_train = -log_likelihood(model, some_train, 100, rng(seed)).mean().item() * BITS
        bits = {"bits_elbo": k_1, "bits_100": k_100, "bits_1000": k_100 - gain.mean().item() * BITS}
        return bits | {"bits_train_100": of_train} | enclosed(model, seed)
    return {"test_images_hit": float(found_among(test, draws(family, model, 10_000, seed)))}


def enclosed(model: GreyVAE, seed: int, n: int = 40, chains: int = 8, steps: int = 150) -> dict[str, float]:
    """Return, for images that the model drew itself, bits a pixel by bounds from both sides, and by 1,000 weights."""
    generator = rng(seed)
    z = torch.randn(n, model.latent_dim, generator=generator)
    x = model.draw_given(z, generator)
    mu, logvar = model.encode(x)
    betas, start = sigmoid_betas(steps), torch.randn(chains, n, model.latent_dim, generator=generator)

    def log_weight(eps: Tensor) -> Tensor:
        return model.log_weights(x, eps)

    sizes = tuned_sizes(log_weight, start[:2], betas, generator)
    forward = annealed_weights(log_weight, start, betas, sizes, generator)
    posterior = ((z - mu) / (0.5 * logvar).exp()).detach().expand(chains, -1, -1)
    backward = annealed_weights(log_weight, posterior, betas, sizes, generator, backward=True)
    low, high = lower_bound(forward.log_w), upper_bound(backward.log_w)
    weights = log_likelihood(model, x, 1_000, generator)
    return {
        "own_bits_at_most": -low.mean().item() * BITS,
        "own_bits_at_least": -high.mean().item() * BITS,
        "own_bits_1000": -weights.mean().item() * BITS,
    }


def unrounded(family: str, model: Any, seed: int) -> dict[str, float]:
    """Return the squared distance of what is no draw of 8 levels.

    A GAN's greys before they are rounded; of a VAE the locations of its logistics, as they are and rounded, and the
    true mean of each pixel.
    """
    z = torch.randn(10_000, model.latent_dim if family == "vae" else LATENT, generator=rng(1_000 + seed))
    if family == "gan":
        return {"frechet_distance_unrounded": distance_of_greys(sample(model, z))}
    if family != "vae":
        return {}
    with torch.no_grad():
        location = model.decode(z)[0].clamp(0, LEVELS - 1)
    images = {
        "frechet_distance_locations": location,
        "frechet_distance_rounded_locations": location.round(),
        "frechet_distance_means": true_means(model, z),
    }
    found = {name: distance_of_greys(2 * x.view(-1, 1, 14, 14) / (LEVELS - 1) - 1) for name, x in images.items()}
    rulers = measure(look(location.round().long())[0], look(test)[0])
    return found | {f"{name} of rounded_locations": value for name, value in rulers.items()}


@torch.no_grad()
def true_means(model: GreyVAE, z: Tensor) -> Tensor:
    """Return Σ k P(k | z) of each pixel, in levels."""
    parts = []
    for some in z.split(1_000):
        location, log_scale = (part[..., None] for part in model.decode(some))
        p = [
            discretized_logistic_log_likelihood(torch.full_like(location, k).long(), location, log_scale, LEVELS).exp()
            for k in range(LEVELS)
        ]
        parts.append(sum(k * of_k for k, of_k in enumerate(p)))
    return torch.cat(parts)


def distance_of_greys(images: Tensor) -> float:
    """Return the squared distance of images (n, 1, 14, 14) in [−1, 1] from the test images."""
    shown = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return frechet_distance(features_and_logits(classifier, shown)[0], look(test)[0])


def completions(family: str, model: Any, seed: int, n: int = COMPLETED) -> dict[str, float]:
    """Return how test images are completed from their upper half; given_wrong: levels by which that is missed."""
    chosen = shuffled[:n]
    x, labels = test[chosen], digits.test_labels[chosen]
    observed = torch.arange(PIXELS) < UPPER
    found: dict[str, float] = {}
    if family == "ar":
        assert isinstance(model, PixelTransformer)
        whole = complete_pixels(model, x[:, :UPPER], rng(seed))
    elif family == "vae":
        parts = [model.complete(part, observed, 500, rng(seed)) for part in x.split(50)]
        by_weights, found["ess"] = torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]).median().item()
        found["same_class_by_weights"] = accuracy(look(by_weights)[1], labels)
        whole = complete_annealed(model, x, observed, rng(seed))
    else:
        made, _ = search_noise(
            model, from_levels(x, LEVELS), observed.view(14, 14), LATENT, rng(seed), starts=3, steps=60
        )
        own = quantise(made, LEVELS)
        found["given_wrong"] = (own - x)[:, observed].abs().float().mean().item()
        whole = torch.where(observed, x, own)
    return found | {"same_class": accuracy(look(whole)[1], labels)} | seam(whole, x)


def seam(whole: Tensor, x: Tensor) -> dict[str, float]:
    """Return the mean difference, in levels, between the last given row and the first filled one; of x itself, too."""
    rows = (y.view(-1, 14, 14)[:, 6:8].float() for y in (whole, x))
    own, real = ((r[:, 0] - r[:, 1]).abs().mean().item() for r in rows)
    return {"seam": own, "seam_real": real}


def rivals() -> dict[str, Any]:
    """Return what no model reaches or needs: real images against real ones, independent pixels, a neighbour's half."""
    features, logits = look(test)
    order = torch.randperm(len(test), generator=rng(3))
    counts = torch.stack([(train_levels == level).sum(0) for level in range(LEVELS)], 1).double() + 0.5
    log_p = (counts / counts.sum(1, keepdim=True)).log2()
    chosen = shuffled[:COMPLETED]
    x, labels = test[chosen], digits.test_labels[chosen]
    _, which = nearest(x[:, :UPPER].float(), train_levels[:, :UPPER].float())
    by_neighbour = torch.cat([x[:, :UPPER], train_levels[which][:, UPPER:]], 1)
    by_any = torch.cat([x[:, :UPPER], train_levels[:COMPLETED, UPPER:]], 1)
    of_train = look(train_levels)[0]
    return {
        "real": measure(features[order[:5_000]], features[order[5_000:]])
        | {"accuracy": accuracy(logits, digits.test_labels)},
        "training images": measure(of_train, features),
        "independent pixels": {"bits": -log_p[torch.arange(PIXELS), test].mean().item()},
        "neighbour": {"same_class": accuracy(look(by_neighbour)[1], labels)} | seam(by_neighbour, x),
        "any half": {"same_class": accuracy(look(by_any)[1], labels)} | seam(by_any, x),
        "whole": {"same_class": accuracy(look(x)[1], labels)},
    }


def record_of(family: str, steps: int, folder: Path) -> dict[str, Any]:
    """Try, train and measure one family, as far as the folder does not hold it; return its part of the record."""
    trials = []
    for s, f in itertools.product(SHIFTS, FACTORS):
        found = kept(folder, f"{family} trial {f} {s}", partial(trial, family, steps, f, s))
        trials.append({"factor": f, "shift": s, **found})
    best = min(trials, key=lambda tried: tried["figure"])
    recipe = (best["factor"], best["shift"])
    lives = [
        kept(folder, f"{family} live {LIVE_STEPS[family]} {s}", partial(live, family, LIVE_STEPS[family], *recipe, s))
        for s in SEEDS
    ]
    runs = [kept(folder, f"{family} {s}", partial(measured, family, steps, *recipe, s)) for s in SEEDS]
    modules = FAMILIES[family](digits.train, 0).trained.modules
    return {
        "steps": steps,
        "step_flops": kept(folder, f"{family} flops", partial(step_flops, family)),
        "parameters": {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items()},
        "factor": best["factor"],
        "shift": best["shift"],
        "trials": trials,
        "live": [run["figure"] for run in lives],
        **{key: [run[key] for run in runs] for key in runs[0]},
    }


def main() -> None:
    """Time the steps, try, train, measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "three_families", help="finished runs"
    )
    parser.add_argument("--families", nargs="*", default=list(FAMILIES), help="only these, and no record")
    chosen = parser.parse_args()
    chosen.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    each = kept(chosen.kept, "step_seconds", step_seconds)
    found = {name: record_of(name, round(SECONDS / each[name]), chosen.kept) for name in chosen.families}
    if set(found) == set(FAMILIES):
        about = {"processor_seconds": SECONDS, "bfloat16": bfloat16_pays(), "live_steps": LIVE_STEPS}
        values = {**about, **found, **kept(chosen.kept, "rivals", rivals)}
        what = "a Transformer over pixels, a VAE and a GAN of 9,000 small digits, as much processor time for each"
        print(write_record("three_families", what, SEEDS, values))


if __name__ == "__main__":
    main()
