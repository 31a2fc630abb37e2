"""Scenes drawn with the course's digits: 32×32 pixels in three colours, each digit a real one with its real label.

A digit is made 12 or 18 pixels wide and high by the mean over areas, so that its ink spans about 9 or 13 pixels.
Training, validation and test scenes are drawn with the digits of these parts alone.
"""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from course_lib.datasets.captions import DICE, encode, phrase, told
from course_lib.datasets.images import load_digits
from course_lib.datasets.scenes import LIT, RELATIONS, Scene, random_scenes, scenes_of

SIDE = 32
FRAMES = (12, 18)  # what the 28 pixels of a digit become: small, large
CELL = 14  # the pixels in which a digit has its place; no ink is larger
GAP = 3  # pixels that stay black between two things
UNLIT = 48  # of 255, in the channels that a colour leaves out: pure blue would be too dark on black
FAINT = 16  # of 255: less ink is left out
THIN_BELOW, THICK_ABOVE = 0.6422, 0.7212  # three in ten of the 9,000 training digits have less ``boldness``, or more
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Scenes:
    """Pictures as bytes, 0 black, with their captions.

    captions and tokens: the same words; asked: the numbers of what they say; shown: of all that is drawn; digits: which
    images of the part they were drawn with, −1 for none. Columns as in ``course_lib.datasets.scenes.COLUMNS``.
    """

    images: UInt8[Tensor, "n 3 32 32"]
    captions: list[str]
    tokens: Int[Tensor, "n length"]
    asked: Int[Tensor, "n 9"]
    shown: Int[Tensor, "n 9"]
    digits: Int[Tensor, "n 2"]


@dataclass(frozen=True)
class Atlas:
    """The digits of one part, cut out at both sizes. crops: top left in a frame with a black edge; stroke: 0, 1, −1."""

    crops: UInt8[Tensor, "n 2 15 15"]
    extents: Int[Tensor, "n 2 2"]  # height and width
    labels: Int[Tensor, "n"]
    stroke: Int[Tensor, "n"]


def load_scenes(
    n: int, generator: torch.Generator, part: str = "train", combinations: str = "seen", say: float = 0.75
) -> Scenes:
    """Return n scenes with captions: two thirds are drawn with two digits, before what does not fit is passed over.

    part: whose digits they are drawn with. combinations: "seen" for those that training may show, "unseen" for scenes
    with at least one that is held out. say: the probability with which a caption tells each thing; 1 tells all.

    ValueError for another part or other combinations, and for n or say out of range.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1 scene, got {n}")
    if not 0 <= say <= 1:
        raise ValueError(f"say: expected a probability, got {say}")
    images, shown, digits = render(scenes_of(combinations, n, generator), generator, part)
    rolls = torch.rand(n, DICE, generator=generator).tolist()
    asked, captions = [], []
    for numbers, row in zip(shown.tolist(), rolls, strict=True):
        dice = iter(row)
        said = told(Scene.of(numbers), say, dice)
        asked.append(said.numbers)
        captions.append(phrase(said, dice))
    return Scenes(images, captions, encode(captions), torch.tensor(asked), shown, digits)


def draw(scene: Scene, generator: torch.Generator, part: str = "train") -> UInt8[Tensor, "3 32 32"]:
    """Return a picture of a scene; what the scene leaves open is drawn by chance. ValueError as for ``render``."""
    return render(torch.tensor([scene.numbers]), generator, part)[0][0]


def render(
    asked: Int[Tensor, "n 9"], generator: torch.Generator, part: str = "train", at_once: int = 2_000
) -> tuple[UInt8[Tensor, "n 3 32 32"], Int[Tensor, "n 9"], Int[Tensor, "n 2"]]:
    """Return pictures of scenes, the numbers of all that they show, and which digits of the part they show.

    What is open (−1) is drawn by chance. ValueError for a part other than "train", "validation", "test".
    """
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    atlas = cut_outs(part)
    shown = _completed(asked, generator)
    digits = torch.stack([_chosen(atlas, shown[:, i], shown[:, i + 3], generator) for i in (0, 4)], dim=1)
    shown[:, [3, 7]] = torch.where(digits >= 0, atlas.stroke[digits], -1)
    starts = _starts(atlas, shown, digits, generator)
    parts = zip(digits.split(at_once), shown.split(at_once), starts.split(at_once), strict=True)
    return torch.cat([_painted(atlas, *part) for part in parts]), shown, digits


def boldness(ink: Float[Tensor, "n height width"]) -> Float[Tensor, "n"]:
    """Return how much ink lies around ink: the mean over 3×3 pixels, averaged over the ink. Bold ones near 1."""
    around = F.avg_pool2d(ink[:, None], 3, stride=1, padding=1)[:, 0]
    return (ink * around).sum((1, 2)) / ink.sum((1, 2))


@functools.lru_cache(maxsize=3)
def cut_outs(part: str) -> Atlas:
    """Return the digits of one part, cut out at both sizes; kept for the next call."""
    images = getattr(load_digits(), part).double() / 255
    labels = getattr(load_digits(), f"{part}_labels")
    bold = boldness(images)
    stroke = torch.where(bold < THIN_BELOW, 0, torch.where(bold > THICK_ABOVE, 1, -1))
    cut = [_cut_out(images, frame) for frame in FRAMES]
    return Atlas(torch.stack([c for c, _ in cut], 1), torch.stack([e for _, e in cut], 1), labels, stroke)


def _cut_out(images: Float[Tensor, "n 28 28"], frame: int) -> tuple[UInt8[Tensor, "n 15 15"], Int[Tensor, "n 2"]]:
    """Return images at frame × frame pixels, their ink moved to the top left, and its height and width."""
    edges = torch.arange(frame + 1, dtype=images.dtype) * (28 / frame)
    pixels = torch.arange(28, dtype=images.dtype)
    shares = (torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)).clamp(min=0)
    area = shares * (frame / 28)  # (frame, 28): rows that add up to 1
    small = (255 * (area @ images @ area.T) + 1e-6).round()  # a tie is rounded up, on every processor
    small = torch.where(small < FAINT, 0, small).to(torch.uint8)
    rows, columns = (small > 0).any(2), (small > 0).any(1)
    first, extent = _span(rows, columns)
    moved = F.pad(small, (0, CELL + 1, 0, CELL + 1))
    at = (first[:, :, None] + torch.arange(CELL + 1)).clamp(max=frame)
    return moved[torch.arange(len(small))[:, None, None], at[:, 0, :, None], at[:, 1, None, :]], extent


def _span(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Return (n, 2) each: the first row and column with ink, and how many from there to the last one."""
    first = torch.stack([line.int().argmax(1) for line in (rows, columns)], 1)
    last = torch.stack([line.shape[1] - 1 - line.int().flip(1).argmax(1) for line in (rows, columns)], 1)
    return first, last - first + 1


def _completed(asked: Tensor, generator: torch.Generator) -> Tensor:
    """Return scenes in which all is said but the strokes: what was open is drawn evenly."""
    filled = asked.clone()
    for pair in (False, True):
        rows = (asked[:, 4] >= 0) == pair
        drawn = random_scenes(int(rows.sum()), generator, two=float(pair))
        filled[rows] = torch.where(asked[rows] < 0, drawn, asked[rows])
    return filled


def _chosen(atlas: Atlas, digits: Tensor, strokes: Tensor, generator: torch.Generator) -> Tensor:
    """Return for each an image of the digit with the stroke, evenly drawn; stroke −1: any; digit −1: no image, −1."""
    chosen = torch.full_like(digits, -1)
    for digit in range(10):
        for stroke in (-1, 0, 1):
            pool = ((atlas.labels == digit) & ((atlas.stroke == stroke) | (stroke < 0))).nonzero().flatten()
            rows = ((digits == digit) & (strokes == stroke)).nonzero().flatten()
            chosen[rows] = pool[torch.randint(len(pool), (len(rows),), generator=generator)]
    return chosen


def _starts(atlas: Atlas, shown: Tensor, digits: Tensor, generator: torch.Generator) -> Tensor:
    """Return (n, 2 things, row and column) of the first pixel: each thing about the middle of a cell."""
    n, place = len(shown), shown[:, 8]
    far = SIDE - CELL  # 18
    near = torch.randint(3, (n, 2), generator=generator)
    middle = far // 2 + torch.randint(-2, 3, (n, 2), generator=generator)
    spot = (place - len(RELATIONS) - 1).clamp(min=0)  # 0 … 3: top left, top right, bottom left, bottom right
    corner = torch.where(torch.stack([spot // 2, spot % 2], 1) == 1, far - near, near)
    alone = torch.where((place == len(RELATIONS))[:, None], middle, corner)
    along = torch.randint(SIDE - 2 * CELL - GAP + 1, (n, 1), generator=generator) + torch.tensor([0, CELL + GAP])
    across = far // 2 + torch.randint(-3, 4, (n, 2), generator=generator)
    left, above = torch.stack([across, along], 2), torch.stack([along, across], 2)
    pairs = torch.where((place == 0)[:, None, None], left, above)
    cells = torch.where((digits[:, 1:] >= 0)[:, :, None], pairs, alone[:, None])
    room = CELL - atlas.extents[digits, shown[:, [2, 6]]]
    jitter = torch.randint(-1, 2, room.shape, generator=generator)
    return cells + torch.minimum((room // 2 + jitter).clamp(min=0), room)


def _painted(atlas: Atlas, digits: Tensor, shown: Tensor, starts: Tensor) -> UInt8[Tensor, "n 3 32 32"]:
    """Return pictures: the ink of each thing at its place, in its colour."""
    colours = UNLIT + (255 - UNLIT) * torch.tensor(LIT)
    image = torch.zeros(len(digits), 3, SIDE, SIDE)
    for i, (size, colour) in enumerate(((2, 1), (6, 5))):
        at = torch.arange(SIDE) - starts[:, i, :, None]  # (n, 2, SIDE)
        at = torch.where((at < 0) | (at > CELL), CELL, at)  # the edge is black
        crops = atlas.crops[digits[:, i], shown[:, size]]
        ink = crops[torch.arange(len(digits))[:, None, None], at[:, 0, :, None], at[:, 1, None, :]].float()
        there = (digits[:, i] >= 0)[:, None, None, None]
        image += ink[:, None] * colours[shown[:, colour]][:, :, None, None] * there / 255
    return image.round().to(torch.uint8)
