"""Record ``text_to_image.json``: two systems that draw what a caption says, five seeds each, on one yardstick.

Both read with an encoder that was trained on captions alone; "raw words" is the control, which reads the words' own
embeddings, looked at after ``EARLY`` steps of the same schedule as "early". One autoencoder, of seed 0, serves all
seeds of the symbols; each seed has a reader of its own. Scenes with digits of the test part, all told, 1,000 seen and
1,000 unseen; "best of 8" is of the first 100 of each. Rates, sizes, weights of the guidance and the temperature were
chosen by shorter runs of one seed on other captions of seen and of unseen combinations. What finished runs found, and
their weights, are kept in a folder, so that an interrupted record goes on. Weights of seed 0 are shipped.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.kept import by_seed, kept
from course_lib.attention.captioned import CaptionedTransformer, draw_images, inputs_and_targets
from course_lib.attention.step import next_token_step
from course_lib.attention.text_encoder import Reader, TextEncoder, draw_read, reading_step
from course_lib.classroom.records import write_record
from course_lib.datasets.captions import LENGTH, WORDS
from course_lib.datasets.scene_images import Scenes, load_scenes
from course_lib.datasets.scenes import COLOURS, PLACES, SIZES, STROKES
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.step import as_floats, draw_captioned, flow_step, logit_normal_times
from course_lib.diffusion.text_unet import ByPicture, TextUNet
from course_lib.evaluation.scenes import describe, exchanged, right
from course_lib.paths import DATA
from course_lib.pretrained.judges import load_judge
from course_lib.training.fit import Draw, fit
from course_lib.training.muon import muon_for_filters
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.vae.quantised import QuantisedAutoencoder, perplexity, quantised_step

SEEDS = range(5)
SCENES, BATCH, TESTED, FEW, OF = 40_000, 64, 1_000, 100, 8
K, WIDE = 512, 96
READER_STEPS, CODE_STEPS, SYMBOL_STEPS, FLOW_STEPS, EARLY, SHORT = 1_200, 1_500, 2_000, 1_400, 600, 300
ANSWERS = (10, len(COLOURS), len(SIZES), len(STROKES)) * 2 + (len(PLACES),)
SYMBOL_WEIGHT, TEMPERATURE, FLOW_WEIGHT, FLOW_SAMPLING, NOISY = 2.0, 0.7, 3.0, 10, -0.5
GUIDANCE = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
BFLOAT16 = bfloat16_pays()
all_seeds = partial(by_seed, digits=5)


def rng(seed: int) -> torch.Generator:
    """Return a generator of the processor."""
    return torch.Generator().manual_seed(seed)


@cache
def training() -> Scenes:
    """Return the scenes that training shows, with captions that leave some of it out."""
    return load_scenes(SCENES, rng(0))


@cache
def asked(combinations: str) -> Scenes:
    """Return the test scenes, with captions that tell all."""
    return load_scenes(TESTED, rng(100 + (combinations == "unseen")), "test", combinations, say=1.0)


@cache
def part(combinations: str, n: int) -> Scenes:
    """Return the first n test scenes."""
    s = asked(combinations)
    return Scenes(s.images[:n], s.captions[:n], s.tokens[:n], s.asked[:n], s.shown[:n], s.digits[:n])


def shares(images: Tensor, scenes: Scenes) -> dict[str, float]:
    """Return how many pictures show each of the things that were asked for."""
    described, counts = describe(images, load_judge())
    found = {key: value.float() for key, value in right(described, counts, scenes.asked).items()}
    two = scenes.asked[:, 4] >= 0
    values = {key: value.mean().item() for key, value in found.items()}
    values |= {"all_one": found["all"][~two].mean().item(), "all_two": found["all"][two].mean().item()}
    values |= {f"{key}_two": found[key][two].mean().item() for key in ("digit", "colour")}
    return values | {"exchanged": exchanged(described, scenes.asked)[two].float().mean().item()}


def train(
    step: Callable, draw: Callable, steps: int, trained: Trained, until: int | None = None, decay: float = 0.5
) -> float:
    """Train to the end, or until a step, with the schedule of all; return the processor seconds."""
    started = time.process_time()
    fit(step, draw, steps, trained, schedule=partial(warmup_then_linear, decay=decay), until=until, progress=False)
    return time.process_time() - started


def state_of(folder: Path, name: str, model: nn.Module, learn: Callable[[], dict]) -> dict:
    """Return what the training of a model found, and leave the model trained, from the folder where it ran before."""
    path = folder / f"{name}.safetensors"

    def call() -> dict:
        found = learn()
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
        return found

    found = kept(folder, name, call)
    model.load_state_dict(load_file(path))
    model.eval()
    return found


def reader(folder: Path, seed: int) -> tuple[Reader, dict]:
    """Return an encoder that has learned what captions say, and how much of it."""
    torch.manual_seed(seed)
    model = Reader(TextEncoder(len(WORDS), LENGTH), ANSWERS)

    def learn() -> dict:
        optimizers = muon_and_adamw(model.encoder.blocks, model, 0.02, 6e-3)
        trained = Trained({"reader": model}, optimizers, rng(seed))
        draw = draw_read(training().tokens, training().asked, 128)
        seconds = train(reading_step(model, optimizers.values()), draw, READER_STEPS, trained)
        model.eval()
        all_right = {
            name: (model.read(asked(name).tokens) == asked(name).asked).all(1).float().mean().item()
            for name in ("seen", "unseen")
        }
        return all_right | {"train_seconds": seconds}

    found = state_of(folder, f"reader {seed}", model, learn)
    return model.requires_grad_(False), found


def codes(folder: Path) -> tuple[QuantisedAutoencoder, dict]:
    """Return the autoencoder that all seeds of the symbols share, and what its reconstructions still show."""
    torch.manual_seed(0)
    model = QuantisedAutoencoder(3, WIDE, K)

    def learn() -> dict:
        seconds = coded(model, 0, CODE_STEPS)
        model.eval()
        made = {
            name: shares(
                torch.cat([model.images(s) for s in symbols_of(model, asked(name).images).split(250)]), asked(name)
            )
            for name in ("seen", "unseen")
        }
        return made | {"train_seconds": seconds, "real": {n: shares(asked(n).images, asked(n)) for n in made}}

    found = state_of(folder, "codes", model, learn)
    return model, found


def coded(model: QuantisedAutoencoder, seed: int, steps: int, patience: float | None = 10.0) -> float:
    """Train an autoencoder on the training scenes; return the processor seconds."""
    optimizers = muon_for_filters(model, but=("codebook",))
    trained = Trained({"codes": model}, optimizers, rng(seed))
    images = training().images

    def draw(generator: torch.Generator) -> Tensor:
        return as_floats(images[torch.randint(len(images), (BATCH,), generator=generator)])

    step = quantised_step(model, optimizers.values(), patience=patience)
    return train(step, draw, steps, trained, decay=0.4)


def again(model: QuantisedAutoencoder, images: Tensor) -> Tensor:
    """Return what comes back of pictures."""
    return torch.cat([model.images(some) for some in symbols_of(model, images).split(250)])


@torch.no_grad()
def symbols_of(model: QuantisedAutoencoder, images: Tensor) -> Tensor:
    """Return the symbols (n, 8, 8) of pictures that are bytes."""
    return torch.cat([model.symbols(as_floats(some)) for some in images.split(500)])


def codebook(seed: int, patience: float | None) -> dict:
    """Train an autoencoder for a short while, with its unused entries revived or left alone."""
    torch.manual_seed(seed)
    model = QuantisedAutoencoder(3, WIDE, K)
    coded(model, seed, SHORT, patience)
    model.eval()
    x = asked("seen").images
    symbols = symbols_of(model, x)
    uses = torch.bincount(symbols.flatten(), minlength=K) / symbols.numel()
    recon = (again(model, x) - as_floats(x)).square().mean().item()
    return {"perplexity": perplexity(uses), "used": (uses > 0).float().mean().item(), "recon": recon}


def draw_told(model: CaptionedTransformer, tokens: Tensor, symbols: Tensor) -> Draw[tuple[Tensor, Tensor]]:
    """Return the function that ``fit`` draws batches with; one in ten is told nothing."""

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(tokens), (BATCH,), generator=generator)
        silent = torch.rand(BATCH, generator=generator) < 0.1
        return inputs_and_targets(model, tokens[chosen].masked_fill(silent[:, None], 0), symbols[chosen])

    return draw


def symbol_drawer(folder: Path, seed: int, name: str) -> tuple[CaptionedTransformer, dict]:
    """Return a Transformer of captions and symbols, and how it stood early and at the end."""
    autoencoder, _ = codes(folder)
    text = reader(folder, seed)[0].encoder if name == "symbols" else None
    torch.manual_seed(seed)
    model = CaptionedTransformer(len(WORDS), LENGTH, K, 64, text=text)

    def learn() -> dict:
        symbols = symbols_of(autoencoder, training().images).flatten(1)
        tokens = training().tokens
        optimizers = muon_and_adamw(model.blocks, model, 0.02, 6e-3)
        trained = Trained({"drawer": model}, optimizers, rng(seed))
        step = next_token_step(model, optimizers.values(), clip=None, bfloat16=BFLOAT16)

        draw = draw_told(model, tokens, symbols)
        seconds = train(step, draw, SYMBOL_STEPS, trained, until=EARLY)
        early = {n: shares(drawn(autoencoder, model, part(n, 500), seed), part(n, 500)) for n in ("seen", "unseen")}
        if name == "symbols":
            seconds += train(step, draw, SYMBOL_STEPS, trained)
        nats = [interval.values["loss"] for interval in trained.history.intervals]
        return {"early": early, "train_seconds": seconds, "nats": nats}

    return model, state_of(folder, f"{name} {seed}", model, learn)


def drawn(
    autoencoder: QuantisedAutoencoder, model: CaptionedTransformer, scenes: Scenes, seed: int,
    weight: float = SYMBOL_WEIGHT, temperature: float = TEMPERATURE, times: int = 1,
) -> Tensor:  # fmt: skip
    """Return a picture for each caption, or several in a row."""
    tokens = scenes.tokens.repeat_interleave(times, 0)
    symbols = draw_images(model, tokens, rng(1_000 + seed), temperature, weight)
    return torch.cat([autoencoder.images(some.view(-1, 8, 8)) for some in symbols.split(250)]).clamp(-1, 1)


def flow_drawer(folder: Path, seed: int) -> tuple[ByPicture, dict]:
    """Return a flow with cross-attention, and how long it was trained."""
    text = reader(folder, seed)[0].encoder
    torch.manual_seed(seed)
    model = ByPicture(TextUNet(len(WORDS), LENGTH, text=text))

    def learn() -> dict:
        optimizers = muon_for_filters(model, 0.02, 4e-3, but=("network.place", "network.unet.leave"))
        trained = Trained({"flow": model}, optimizers, rng(seed))
        step = flow_step(model, optimizers.values(), bfloat16=BFLOAT16)
        times = partial(logit_normal_times, mean=NOISY)  # where things lie, and which is which, is settled early
        draw = draw_captioned(training().images, training().tokens, BATCH, times=times)
        seconds = train(step, draw, FLOW_STEPS, trained)
        return {"train_seconds": seconds, "loss": [i.values["loss"] for i in trained.history.intervals]}

    return model, state_of(folder, f"flow {seed}", model, learn)


def flowed(model: ByPicture, scenes: Scenes, seed: int, weight: float = FLOW_WEIGHT, times: int = 1) -> Tensor:
    """Return a picture for each caption, or several in a row."""
    tokens = scenes.tokens.repeat_interleave(times, 0)
    noise = torch.randn(len(tokens), 3, 32, 32, generator=rng(1_000 + seed))
    return sample(model, noise, tokens, weight, FLOW_SAMPLING, bfloat16=BFLOAT16).clamp(-1, 1)


Draws = Callable[..., Tensor]  # (scenes, weight=…, times=…) to pictures


def on_the_yardstick(draws: Draws, unguided: dict[str, Any], full: bool) -> dict:
    """Return what is right with guidance and, of seen and unseen captions, without; and how a picture was timed."""
    found: dict[str, Any] = {}
    for name in ("seen", "unseen"):
        started = time.process_time()
        pictures = draws(asked(name))
        found[name] = shares(pictures, asked(name))
        found["picture_seconds"] = (time.process_time() - started) / TESTED
        found[f"unguided {name}"] = shares(draws(part(name, 500), **unguided), part(name, 500))
    if full:
        curve = [shares(draws(part("seen", 500), weight=weight), part("seen", 500)) for weight in GUIDANCE]
        found["guidance"] = {key: [each[key] for each in curve] for key in ("all", "count")}
    return found


def chosen_by_clip(pictures: Tensor, scenes: Scenes) -> Tensor:
    """Return of every OF pictures in a row the one whose vector is nearest to that of its caption."""
    from course_lib.diffusion.contrastive import image_features, text_features
    from course_lib.pretrained.clip import load_clip

    clip = load_clip()
    texts = text_features(clip, scenes.tokens)
    likeness = (image_features(clip, pictures).view(len(scenes.tokens), OF, -1) * texts[:, None]).sum(-1)
    return pictures.view(len(scenes.tokens), OF, *pictures.shape[1:])[torch.arange(len(texts)), likeness.argmax(1)]


def best_of(draws: Draws) -> dict:
    """Return what is right in the picture that the contrastive model chooses, beside the first of the same drawings."""
    found = {}
    for name in ("seen", "unseen"):
        pictures = draws(part(name, FEW), times=OF)
        found[name] = shares(chosen_by_clip(pictures, part(name, FEW)), part(name, FEW))
        found[f"first {name}"] = shares(pictures[::OF], part(name, FEW))
    return found


def distance(draws: Draws) -> dict:
    """Return the Fréchet distance to other real pictures of seen captions, by the contrastive model's vectors."""
    from course_lib.diffusion.contrastive import image_features
    from course_lib.evaluation.frechet import frechet_distance
    from course_lib.pretrained.clip import load_clip

    clip = load_clip()
    real = [image_features(clip, load_scenes(1_000, rng(200 + i), "test", say=1.0).images).double() for i in (0, 1)]
    made = image_features(clip, draws(load_scenes(1_000, rng(202), "test", say=1.0))).double()
    return {"frechet": frechet_distance(made, real[0]), "frechet_real": frechet_distance(real[1], real[0])}


def look(folder: Path, system: str, seed: int, what: str) -> dict:
    """Return one part of what is measured of one seed of a system, from the folder where it ran before."""
    if system == "symbols":
        autoencoder = codes(folder)[0]
        model, _ = symbol_drawer(folder, seed, system)
        draws: Draws = partial(drawn, autoencoder, model, seed=seed)
        unguided: dict[str, Any] = {"weight": 1.0, "temperature": 1.0}
    else:
        flow, _ = flow_drawer(folder, seed)
        draws = partial(flowed, flow, seed=seed)
        unguided = {"weight": 1.0}
    parts = {
        "yardstick": lambda: on_the_yardstick(draws, unguided, seed == 0),
        "best": lambda: best_of(draws),
        "distance": lambda: distance(draws),
    }
    return kept(folder, f"{system} {seed} {what}", parts[what])


def both(runs: list[dict], before: str = "") -> dict:
    """Return what was right of seen and of unseen captions in all seeds."""
    return all_seeds([{name: run[f"{before}{name}"] for name in ("seen", "unseen")} for run in runs])


def record(folder: Path) -> dict[str, Any]:
    """Return all values of the record."""
    _, of_codes = codes(folder)
    values: dict[str, Any] = {
        "steps": {
            "reader": READER_STEPS,
            "codes": CODE_STEPS,
            "symbols": SYMBOL_STEPS,
            "flow": FLOW_STEPS,
            "early": EARLY,
        },
        "real": all_seeds([of_codes["real"]]),
        "codes": all_seeds([{key: of_codes[key] for key in ("seen", "unseen", "train_seconds")}]),
        "codebook": {
            name: all_seeds([kept(folder, f"codebook {name} {s}", partial(codebook, s, patience)) for s in SEEDS])
            for name, patience in (("revived", 10.0), ("left alone", None))
        },
        "reader": all_seeds([reader(folder, seed)[1] for seed in SEEDS]),
    }
    for system in ("symbols", "flow"):
        train_of = partial(symbol_drawer, name=system) if system == "symbols" else flow_drawer
        learned = [train_of(folder, seed)[1] for seed in SEEDS]
        runs, best, far = (
            [look(folder, system, seed, what) for seed in SEEDS] for what in ("yardstick", "best", "distance")
        )
        seconds = {
            "train_seconds": [round(each["train_seconds"], 1) for each in learned],
            "picture_seconds": [round(each["picture_seconds"], 4) for each in runs],
        }
        values[system] = both(runs) | seconds | all_seeds(far)
        values[f"{system} unguided"] = both(runs, "unguided ")
        values[f"{system} best of {OF}"] = both(best)
        values[f"{system} first of {OF}"] = both(best, "first ")
        values.setdefault("guidance", {"weights": list(GUIDANCE)})[system] = runs[0]["guidance"]
        if system == "symbols":
            raw = [symbol_drawer(folder, seed, "symbols raw words")[1] for seed in SEEDS]
            values["symbols early"] = all_seeds([each["early"] for each in learned])
            values["symbols raw words"] = all_seeds([each["early"] for each in raw])
            values["nats"] = {"every": 50, "symbols": [[round(n, 4) for n in each["nats"]] for each in learned]}
    return values


def ship(folder: Path) -> None:
    """Write the weights of seed 0, rounded to bfloat16, to data/ and print their hashes."""
    for name, kept_as in (("reader", "reader 0"), ("codes", "codes"), ("symbols", "symbols 0"), ("flow", "flow 0")):
        weights = load_file(folder / f"{kept_as}.safetensors")
        rounded = {key: value.bfloat16() if value.is_floating_point() else value for key, value in weights.items()}
        path = DATA / f"scenes_{name}.safetensors"
        save_file(rounded, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        print(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def run_part(folder: Path, name: str) -> None:
    """Run one part of the record, so that several processes can share them."""
    *words, last = name.split()
    if last in ("yardstick", "best", "distance"):
        look(folder, words[0], int(words[1]), last)
    elif words[0] == "flow":
        flow_drawer(folder, int(last))
    elif words[0] == "codebook":
        for arm, patience in (("revived", 10.0), ("left alone", None)):
            kept(folder, f"codebook {arm} {last}", partial(codebook, int(last), patience))
    else:
        symbol_drawer(folder, int(last), " ".join(words))


def main() -> None:
    """Run the parts that are asked for, or all of them and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "text_to_image", help="where")
    parser.add_argument("--part", nargs="*", default=[], help="as 'symbols 0', 'flow 0 best', 'symbols raw words 0'")
    parser.add_argument("--ship", action="store_true", help="write the weights of seed 0 to data/")
    chosen = parser.parse_args()
    chosen.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in chosen.part:
        run_part(chosen.kept, name)
    if chosen.ship:
        ship(chosen.kept)
    if not chosen.part and not chosen.ship:
        what = "two systems that draw what a caption says, from the same reader, on one yardstick"
        print(write_record("text_to_image", what, SEEDS, record(chosen.kept)))


if __name__ == "__main__":
    main()
