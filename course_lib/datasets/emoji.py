"""Drawings with names that nobody made for this course: Microsoft's Fluent Emoji, flat, 32×32 pixels in three colours.

``data/build.py`` drew them once, on white; ``data/README.md`` has origin and licence (MIT, Microsoft Corporation).
"""

import hashlib
import re
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from course_lib.datasets.images import idx_array
from course_lib.datasets.shipped import shipped

EMOJI_SHA256 = {
    "fluent-emoji-images.idx.gz": "f2a8a09d54143f7bd061fc14c9ea3b582cbac20c42a0876e8f556d42b8f40020",
    "fluent-emoji-names.tsv": "71b36e3cacaac49c536d057b09d8fd174879c2f0e8bd54ee0b50fe354ee5865c",
}
SIDE, BACKGROUND = 32, 255
PARTS = ("train", "names", "pairs")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "brown")
SHAPES = ("heart", "circle", "square")
HELD_OUT_PAIRS = ("green heart", "yellow heart", "blue circle", "purple circle", "orange square", "brown square")
SKIN_TONE = r"(?<!traffic)(?<!police car)(([ -]medium)?[ -](light|dark)|[ -]medium)+$"  # of one person, or of two


@dataclass(frozen=True)
class Emoji:
    """Drawings as bytes, 0 black, on white; the name of each, in lower-case words, and its category, one of nine."""

    images: UInt8[Tensor, "n 3 32 32"]
    names: tuple[str, ...]
    categories: tuple[str, ...]


def load_emoji(part: str = "train") -> Emoji:
    """Return one part of the 3,174 drawings, in the order of their names.

    "train": what a model may see. "names": a tenth of all names, told by the hash of the name without its skin tone, so
    that 'waving hand dark' is in the same part as 'waving hand'. "pairs": six of the 21 colours with a shape, as
    'green heart'; green squares and blue hearts are in "train", and so are all the other drawings of a colour.

    ValueError for another part; OSError as for ``shipped``.
    """
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    images, lines = (shipped(name, sha256) for name, sha256 in EMOJI_SHA256.items())
    rows = [line.split("\t") for line in lines.decode().splitlines()]
    chosen = [i for i, (name, _) in enumerate(rows) if part_of(name) == part]
    names, categories = zip(*(rows[i] for i in chosen), strict=True)
    pixels = idx_array(images)[torch.tensor(chosen)]  # (n, 32, 32, 3): so the colours of a pixel are packed best
    return Emoji(pixels.permute(0, 3, 1, 2).contiguous(), names, categories)


def part_of(name: str) -> str:
    """Return the part that a name belongs to, also for a name that no drawing has."""
    words = name.split()
    if len(words) == 2 and words[0] in COLOURS and words[1] in SHAPES:
        return "pairs" if name in HELD_OUT_PAIRS else "train"
    second = hashlib.sha256(without_skin_tone(name).encode()).digest()[1]  # by the first, two were in two parts
    return "names" if second % 10 == 0 else "train"


def without_skin_tone(name: str) -> str:
    """Return what a name says apart from the skin tone: 'waving hand' of 'waving hand medium dark'."""
    return re.sub(SKIN_TONE, "", name)
