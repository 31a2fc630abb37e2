"""Captions that say a scene's words of the wrong things: 'a red seven and a blue two' of a blue seven and a red two.

Both sentences have the same words, synonyms apart, in another order: who reads words without it cannot tell.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from course_lib.datasets.captions import DICE, phrase
from course_lib.datasets.scenes import Scene, held_out

COLUMNS = {"colour": (1, 5), "size": (2, 6), "digit": (0, 4)}
WAYS = (*COLUMNS, "place")
TURNED = [4, 5, 6, 7, 0, 1, 2, 3, 8]


def exchange(numbers: Int[Tensor, "n 9"], what: str) -> tuple[Int[Tensor, "n 9"], Bool[Tensor, "n"]]:
    """Return scenes in which two things have exchanged colours, sizes, digits or places, and which of them changed.

    A scene changes where it has two things, where what is exchanged is said of both, and differs, and where neither it
    nor what it becomes is held out of training. ValueError for another word than "colour", "size", "digit", "place".
    """
    if what not in WAYS:
        raise ValueError(f"what: expected one of {', '.join(WAYS)}, got {what!r}")
    other = numbers.clone()
    if what == "place":
        other = numbers[:, TURNED]
        said = numbers[:, 8] >= 0
    else:
        first, second = COLUMNS[what]
        other[:, first], other[:, second] = numbers[:, second], numbers[:, first]
        said = (numbers[:, first] >= 0) & (numbers[:, second] >= 0)
    allowed = ~held_out(numbers).any(1) & ~held_out(other).any(1)
    changed = (numbers[:, 4] >= 0) & said & (other != numbers).any(1) & allowed
    return torch.where(changed[:, None], other, numbers), changed


def both_ways(
    numbers: Int[Tensor, "n 9"], what: str, generator: torch.Generator
) -> tuple[list[str], list[str], Bool[Tensor, "n"]]:
    """Return captions of the scenes that ``exchange`` changes, as they are and exchanged, and which scenes these are.

    Each pair of sentences is built the same way.
    """
    other, changed = exchange(numbers, what)
    rolls = torch.rand(len(numbers), DICE, generator=generator)[changed].tolist()
    said = [
        [phrase(Scene.of(scene), iter(dice)) for scene, dice in zip(scenes[changed].tolist(), rolls, strict=True)]
        for scenes in (numbers, other)
    ]
    return said[0], said[1], changed


def wrong_captions(numbers: Int[Tensor, "n 9"], generator: torch.Generator) -> list[str]:
    """Return for each scene a caption that is wrong of it: exchanged one way, drawn evenly; where nothing can be
    exchanged, that of the next such scene.

    For training with hard negatives (Yuksekgonul et al. 2023, section 4).
    """
    others = torch.stack([exchange(numbers, what)[0] for what in WAYS])  # (4, n, 9)
    changed = torch.stack([exchange(numbers, what)[1] for what in WAYS])
    drawn = (torch.rand(changed.shape, generator=generator) * changed).argmax(0)  # one of the ways that change it
    rows, same = others[drawn, torch.arange(len(numbers))], ~changed.any(0)
    rows[same] = numbers[same].roll(-1, 0)
    rolls = torch.rand(len(numbers), DICE, generator=generator).tolist()
    return [phrase(Scene.of(scene), iter(dice)) for scene, dice in zip(rows.tolist(), rolls, strict=True)]
