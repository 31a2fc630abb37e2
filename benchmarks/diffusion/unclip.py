"""Record ``unclip.json``: a picture from the vector of a sentence, by way of the vector of a picture, five seeds.

The vectors are those of the shipped judge (``clip.py``), for all seeds; prior, mean and decoder are trained anew for
each, on scenes of one digit of the training part; asked for are captions that tell all, the same 100 seen and 100
unseen for each seed, of such scenes with test digits. Prior and decoder are averages of their weights, the mean is not.
Rates and the weight of the guidance were not tuned; the steps were doubled after a look at one seed's test figures.
"own": the decoder is told the true picture's vector; "prior": one drawn for the sentence; "mean": what a regression
expects, made as long as a vector is, and "short mean": as it comes; "sentence": the sentence's own vector. The weights
of seed 0 are shipped. What finished runs found is kept in a folder, so that an interrupted record goes on.
"""

import argparse
import hashlib
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from benchmarks.diffusion.digits import rng, rounded
from benchmarks.kept import by_seed, kept
from course_lib.classroom.records import write_record
from course_lib.datasets.captions import DIGITS, encode
from course_lib.datasets.scene_images import Scenes, load_scenes
from course_lib.diffusion.contrastive import image_features, text_features
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.latent import Scale
from course_lib.diffusion.step import flow_step
from course_lib.diffusion.text_unet import ByPicture
from course_lib.diffusion.unclip import (
    Decoder,
    Prior,
    draw_told,
    drawn_vectors,
    mean_step,
    mean_vectors,
    spread_of,
)
from course_lib.evaluation.scenes import describe, right
from course_lib.paths import DATA
from course_lib.pretrained.clip import load_clip
from course_lib.pretrained.judges import load_judge
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.muon import muon_for_filters
from course_lib.training.optimizers import adamw, warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(5)
SCENES, DECODED, BATCH, CHANNELS = 10_000, 1_000, 64, 24
PRIOR_STEPS, PRIOR_BATCH, PRIOR_RATE = 2_000, 256, 2e-3
ASKED, SAMPLING, WEIGHT = 100, 8, 3.0


@cache
def seen(part: str, n: int, combinations: str, say: float) -> tuple[Scenes, Tensor, Tensor]:
    """Return n scenes of one digit with the judge's vectors of their pictures and of their captions."""
    found = load_scenes(
        8 * n if part == "test" else 3 * n, rng({"train": 0, "validation": 1, "test": 2}[part]), part, combinations, say
    )
    rows = (found.shown[:, 4] < 0).nonzero().flatten()[:n]
    kept_in = (found.images[rows], [found.captions[i] for i in rows], found.tokens[rows])
    scenes = Scenes(*kept_in, found.asked[rows], found.shown[rows], found.digits[rows])
    return scenes, image_features(load_clip(), scenes.images), text_features(load_clip(), scenes.tokens)


def train_decoder(seed: int, steps: int = DECODED) -> tuple[nn.Module, dict[str, Any]]:
    """Train one decoder on pictures and their own vectors; return its average and how it went."""
    scenes, vectors, _ = seen("train", SCENES, "seen", 0.75)
    torch.manual_seed(seed)
    net = ByPicture(Decoder(channels=CHANNELS))
    optimizers = muon_for_filters(net, 0.02, 4e-3, but=("network.unet.leave",))
    return _trained(net, draw_told(scenes.images, vectors, BATCH), steps, seed, optimizers)


def train_prior(seed: int, mean: bool = False, steps: int = PRIOR_STEPS) -> tuple[nn.Module, dict[str, Any]]:
    """Train one prior, or the same network as a regression on the vectors' mean; return its average."""
    _, vectors, texts = seen("train", SCENES, "seen", 0.75)
    units = spread_of(vectors).to_unit(vectors)
    torch.manual_seed(seed)
    net = Prior()
    optimizers = {"adamw": adamw(net, PRIOR_RATE, weight_decay=0.01)}
    return _trained(net, draw_told(units, texts, PRIOR_BATCH, 0.0 if mean else 0.1), steps, seed, optimizers, mean)


def _trained(
    net: nn.Module, draw: Any, steps: int, seed: int, optimizers: dict[str, Optimizer], mean: bool = False
) -> tuple[nn.Module, dict[str, Any]]:
    average = moving_average(net, 0.99)
    step = mean_step(net, optimizers["adamw"]) if mean else flow_step(net, optimizers.values(), average=average)
    trained = Trained({"net": net, "average": average}, optimizers, rng(seed))
    started, schedule = time.process_time(), partial(warmup_then_linear, warmup=0.03, decay=0.6)
    history = fit(step, draw, steps, trained, schedule=schedule, every=steps // 10, progress=False)
    found = {"seconds": time.process_time() - started, "loss": history.curve("loss").values}
    return (net if mean else average.module).eval().requires_grad_(False), found


def look(decoder: nn.Module, vectors: Tensor, asked: Tensor, seed: int, weight: float = WEIGHT) -> dict[str, float]:
    """Return how often pictures of vectors show what was asked for, each thing by itself and all."""
    noise = torch.randn(len(vectors), 3, 32, 32, generator=rng(100 + seed))
    made = sample(decoder, noise, vectors, weight, SAMPLING)
    return {name: each.double().mean().item() for name, each in right(*describe(made, load_judge()), asked).items()}


def vectors_for(prior: nn.Module, mean: nn.Module, spread: Scale, texts: Tensor, seed: int) -> dict[str, Tensor]:
    """Return what is told the decoder in each arm that knows the sentence alone."""
    expected = mean_vectors(mean, spread, texts)
    return {
        "prior": drawn_vectors(prior, spread, torch.randn(texts.shape, generator=rng(200 + seed)), texts),
        "mean": F.normalize(expected, dim=1),
        "short mean": expected,
        "sentence": texts,
    }


def run(seed: int, keep: Path) -> dict[str, Any]:
    """Train and measure one prior, one mean and one decoder on one thread."""
    spread = spread_of(seen("train", SCENES, "seen", 0.75)[1])
    (decoder, of_decoder), (prior, of_prior), (mean, of_mean) = (
        train_decoder(seed), train_prior(seed), train_prior(seed, mean=True)
    )  # fmt: skip
    found: dict[str, Any] = {"decoder": of_decoder, "prior network": of_prior, "mean network": of_mean}
    for name in ("seen", "unseen"):
        scenes, vectors, texts = seen("test", ASKED, name, 1.0)
        told = {"own": vectors} | vectors_for(prior, mean, spread, texts, seed)
        found[name] = {arm: look(decoder, each, scenes.asked, seed) for arm, each in told.items()}
    found |= partial_captions(prior, mean, spread, seed)
    found["open pictures"] = open_captions(decoder, prior, mean, spread, seed)
    if seed == 0:
        tensors = {f"decoder.{k}": v for k, v in decoder.network.state_dict().items()}
        tensors |= {f"prior.{k}": v for k, v in prior.state_dict().items()}
        tensors |= {"mean": spread.mean, "std": spread.std}
        save_file({k: v.to(torch.bfloat16).contiguous() for k, v in tensors.items()}, keep / "unclip 0.safetensors")
    return found


def partial_captions(prior: nn.Module, mean: nn.Module, spread: Scale, seed: int) -> dict[str, Any]:
    """Return how long the regression's vectors are, and how alike vectors are, where captions leave much open."""
    _, vectors, texts = seen("validation", 2_000, "seen", 0.4)
    expected = mean_vectors(mean, spread, texts)
    drawn = [drawn_vectors(prior, spread, torch.randn(texts.shape, generator=rng(300 + 2 * seed + i)), texts)
             for i in (0, 1)]  # fmt: skip
    return {
        "open": {
            "length of the mean": expected.norm(dim=1).mean().item(),
            "to the sentence, pictures": (vectors * texts).sum(1).mean().item(),
            "to the sentence, drawn": (drawn[0] * texts).sum(1).mean().item(),
            "to each other, drawn": (drawn[0] * drawn[1]).sum(1).mean().item(),
            "to each other, mean and picture": (F.normalize(expected, dim=1) * vectors).sum(1).mean().item(),
            "to each other, drawn and picture": (drawn[0] * vectors).sum(1).mean().item(),
        }
    }


def open_captions(decoder: nn.Module, prior: nn.Module, mean: nn.Module, spread: Scale, seed: int) -> dict[str, Any]:
    """Return what 100 pictures show whose caption says the digit alone, 'a seven', and how their colours vary."""
    digits = torch.arange(100) % 10
    texts = text_features(load_clip(), encode([f"a {DIGITS[d]}" for d in digits]))
    asked = F.pad(digits[:, None], (0, 8), value=-1)
    noise, found = torch.randn(100, 3, 32, 32, generator=rng(400 + seed)), {}
    told = vectors_for(prior, mean, spread, texts, seed)
    for arm, vectors in ((arm, told[arm]) for arm in ("prior", "mean")):
        described, counts = describe(sample(decoder, noise, vectors, WEIGHT, SAMPLING), load_judge())
        colours = described[:, 1][described[:, 1] >= 0].bincount(minlength=6).double()
        found[arm] = {"all": right(described, counts, asked)["all"].double().mean().item(),
                      "commonest colour": (colours.max() / colours.sum()).item()}  # fmt: skip
    return found


def ship(keep: Path) -> str:
    """Copy the weights of seed 0 to the shipped data; return their sha256."""
    content = (keep / "unclip 0.safetensors").read_bytes()
    (DATA / "scenes_unclip.safetensors").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Run everything, one at a time, and write the record and the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "unclip")
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    values: dict[str, Any] = {"steps": DECODED, "batch": BATCH, "prior steps": PRIOR_STEPS, "asked": ASKED}
    values |= {"weight": WEIGHT, "sampling": SAMPLING}
    values |= rounded(by_seed([kept(asked.keep, f"seed {seed}", partial(run, seed, asked.keep)) for seed in SEEDS]))
    values["sha256"] = ship(asked.keep)
    print(
        write_record(
            "unclip", "pictures of coloured digits from vectors of sentences, by prior and decoder", SEEDS, values
        )
    )


if __name__ == "__main__":
    main()
