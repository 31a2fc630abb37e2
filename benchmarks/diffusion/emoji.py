"""Record ``emoji.json``: drawings that nobody made for this course, drawn from their names, five seeds.

Chapter 16's symbols on Fluent Emoji: one autoencoder, of seed 0, and for each seed a Transformer that reads the words
of a name, trained on 2,871 drawings. Asked for are six pairs of a colour and a shape that training never shows
("pairs"), the fifteen that it does ("seen pairs"), the 297 drawings of names that are held out ("names"), and as many
of those trained on ("trained names"). Colour and shape of a drawing are measured: the nearest of seven mean colours,
and of three outlines, of the 21 real ones. "own": the share of drawings that lie nearer to what was asked for than to
another drawing of the same part, half by chance; "nearest": the share whose nearest training drawing is the one asked
for. Sizes, steps and weight were set beforehand and not tuned.
"""

import argparse
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.diffusion.digits import rounded
from benchmarks.diffusion.text import BFLOAT16, draw_told, rng, state_of, symbols_of, train
from benchmarks.kept import by_seed, kept
from course_lib.attention.captioned import CaptionedTransformer, draw_images
from course_lib.attention.step import next_token_step
from course_lib.classroom.records import write_record
from course_lib.datasets.emoji import COLOURS, HELD_OUT_PAIRS, SHAPES, Emoji, load_emoji
from course_lib.datasets.names import LENGTH, encode_names, vocabulary
from course_lib.diffusion.step import as_floats
from course_lib.training.muon import muon_for_filters
from course_lib.training.optimizers import muon_and_adamw
from course_lib.training.trained import Trained
from course_lib.vae.quantised import QuantisedAutoencoder, quantised_step

SEEDS, CODE_STEPS, STEPS, BATCH, K = range(5), 600, 300, 64, 512
WEIGHT, TEMPERATURE, EACH, FAR = 2.0, 0.7, 20, 245  # FAR: of 255, what is darker in a channel is ink on white


@cache
def data() -> tuple[Emoji, tuple[str, ...]]:
    """Return the training drawings, and the words of their names."""
    train_part = load_emoji("train")
    return train_part, vocabulary(train_part.names)


@cache
def squares() -> dict[str, Tensor]:
    """Return the 21 real drawings of a colour and a shape by name."""
    found: dict[str, Tensor] = {}
    for part in ("train", "pairs"):
        emoji = load_emoji(part)
        found |= dict(zip(emoji.names, emoji.images, strict=True))
    return {f"{colour} {shape}": found[f"{colour} {shape}"] for colour in COLOURS for shape in SHAPES}


def ink(images: Tensor) -> Tensor:
    """Return which pixels of drawings (n, 3, 32, 32), bytes, are not white."""
    return (images < FAR).any(1)


def colour_of(images: Tensor) -> Tensor:
    """Return the mean colour of the ink, (n, 3)."""
    where = ink(images)[:, None]
    return (images.float() * where).sum((2, 3)) / where.sum((2, 3)).clamp(min=1)


def named(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers of the nearest colour and of the shape whose outline overlaps most with the ink."""
    real = torch.stack(list(squares().values()))  # colour by colour, three shapes each
    hues = colour_of(real).view(len(COLOURS), len(SHAPES), 3).mean(1)
    outlines = ink(real).view(len(COLOURS), len(SHAPES), 32, 32).float().mean(0) > 0.5
    overlap = (ink(images)[:, None] & outlines).sum((2, 3)) / (ink(images)[:, None] | outlines).sum((2, 3)).clamp(min=1)
    return torch.cdist(colour_of(images), hues).argmin(1), overlap.argmax(1)


def codes(folder: Path) -> QuantisedAutoencoder:
    """Return the autoencoder of the drawings."""
    torch.manual_seed(0)
    model = QuantisedAutoencoder(3, 96, K)

    def learn() -> dict:
        optimizers = muon_for_filters(model, but=("codebook",))
        images = data()[0].images

        def draw(generator: torch.Generator) -> Tensor:
            return as_floats(images[torch.randint(len(images), (BATCH,), generator=generator)])

        step = quantised_step(model, optimizers.values())
        seconds = train(step, draw, CODE_STEPS, Trained({"codes": model}, optimizers, rng(0)), decay=0.4)
        model.eval()
        held = load_emoji("names").images
        made = model.images(symbols_of(model, held)).clamp(-1, 1)
        return {"train_seconds": seconds, "recon": (made - as_floats(held)).square().mean().item()}

    state_of(folder, "emoji codes", model, learn)
    return model


def drawer(folder: Path, seed: int) -> tuple[CaptionedTransformer, dict]:
    """Return a Transformer of names and symbols."""
    autoencoder, (drawings, words) = codes(folder), data()
    torch.manual_seed(seed)
    model = CaptionedTransformer(len(words), LENGTH, K, 64)

    def learn() -> dict:
        symbols = symbols_of(autoencoder, drawings.images).flatten(1)
        tokens = encode_names(drawings.names, words)
        optimizers = muon_and_adamw(model.blocks, model, 0.02, 6e-3)
        step = next_token_step(model, optimizers.values(), clip=None, bfloat16=BFLOAT16)

        draw = draw_told(model, tokens, symbols)
        trained = Trained({"drawer": model}, optimizers, rng(seed))
        seconds = train(step, draw, STEPS, trained)
        return {"train_seconds": seconds, "nats": [i.values["loss"] for i in trained.history.intervals]}

    return model, state_of(folder, f"emoji {seed}", model, learn)


def drawn(folder: Path, seed: int, names: tuple[str, ...] | list[str]) -> Tensor:
    """Return a drawing of each name, as bytes."""
    model, _ = drawer(folder, seed)
    symbols = draw_images(model, encode_names(names, data()[1]), rng(1_000 + seed), TEMPERATURE, WEIGHT)
    made = codes(folder).images(symbols.view(-1, 8, 8)).clamp(-1, 1)
    return ((made + 1) * 127.5).round().to(torch.uint8)


def pairs(folder: Path, seed: int, asked: list[str]) -> dict[str, float]:
    """Return how many drawings of a colour and a shape have the colour, the shape, and both."""
    names = [name for name in asked for _ in range(EACH)]
    colour, shape = named(drawn(folder, seed, names))
    wanted = [name.split() for name in names]
    right_colour = colour == torch.tensor([COLOURS.index(c) for c, _ in wanted])
    right_shape = shape == torch.tensor([SHAPES.index(s) for _, s in wanted])
    values = {"colour": right_colour, "shape": right_shape, "both": right_colour & right_shape}
    return {key: value.float().mean().item() for key, value in values.items()}


def own(folder: Path, seed: int, names: tuple[str, ...], real: Tensor) -> dict[str, float]:
    """Return how many drawings lie nearer to what was asked for than to another, and whose nearest training drawing."""
    made = drawn(folder, seed, names).float().flatten(1)
    far = torch.cdist(made, real.float().flatten(1))
    other = (torch.arange(len(names)) + 1 + torch.randint(len(names) - 1, (len(names),), generator=rng(seed))) % len(
        names
    )
    mine = far.diagonal()
    found = {"own": (mine < far[torch.arange(len(names)), other]).float().mean().item()}
    known = data()[0]
    nearest = torch.cdist(made, known.images.float().flatten(1)).argmin(1)
    same = [known.names[i] == name for i, name in zip(nearest.tolist(), names, strict=True)]
    return found | {"nearest": sum(same) / len(same)}


def measured(folder: Path, seed: int) -> dict[str, Any]:
    """Train one seed and return what is measured of it."""
    _, learned = drawer(folder, seed)
    known, held = data()[0], load_emoji("names")
    every = torch.linspace(0, len(known.names) - 1, len(held.names)).long()
    return {
        "pairs": pairs(folder, seed, list(HELD_OUT_PAIRS)),
        "seen pairs": pairs(folder, seed, [name for name in squares() if name not in HELD_OUT_PAIRS]),
        "names": own(folder, seed, held.names, held.images),
        "trained names": own(folder, seed, tuple(known.names[i] for i in every.tolist()), known.images[every]),
        "train_seconds": learned["train_seconds"],
        "nats": learned["nats"],
    }


def main() -> None:
    """Train, measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "text_to_image", help="where")
    folder = parser.parse_args().kept
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    started = time.process_time()
    real = named(torch.stack(list(squares().values())))
    wanted = [name.split() for name in squares()]
    agree = [
        COLOURS[c] == w[0] and SHAPES[s] == w[1]
        for c, s, w in zip(real[0].tolist(), real[1].tolist(), wanted, strict=True)
    ]
    runs = [kept(folder, f"emoji {seed} measured", partial(measured, folder, seed)) for seed in SEEDS]
    codes_found = kept(folder, "emoji codes", dict)
    values = {"steps": STEPS, "real_right": sum(agree), "codes": codes_found, **rounded(by_seed(runs))}
    print(
        write_record("emoji", "drawings of Fluent Emoji from their names", SEEDS, values), time.process_time() - started
    )


if __name__ == "__main__":
    main()
