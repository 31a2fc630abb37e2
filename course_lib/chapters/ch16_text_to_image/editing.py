"""Captions in which one word is changed, and the half of a picture that the word does not speak of."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.datasets.captions import DICE, phrase
from course_lib.datasets.scene_images import Scenes
from course_lib.datasets.scenes import COLOURS, Scene, held_out

SECOND_COLOUR, PLACE = 5, 8


class Edit(NamedTuple):
    """Captions of two things before and after the second one's colour was changed, in otherwise the same words.

    rows: which scenes they are of; half: True for the pixels of the half in which the first thing lies.
    """

    rows: Int[Tensor, "n"]
    before: list[str]
    after: list[str]
    asked_before: Int[Tensor, "n 9"]
    asked: Int[Tensor, "n 9"]
    half: Bool[Tensor, "n 1 32 32"]


def recoloured(scenes: Scenes, n: int, generator: torch.Generator) -> Edit:
    """Return edits of the first n scenes that have two things and a place, none of them held out of training."""
    asked = scenes.asked.clone()
    shift = torch.randint(1, len(COLOURS), (len(asked),), generator=generator)
    asked[:, SECOND_COLOUR] = (asked[:, SECOND_COLOUR] + shift) % len(COLOURS)
    fit = (scenes.asked[:, 4] >= 0) & (scenes.asked[:, PLACE] >= 0) & ~held_out(asked).any(1)
    rows = fit.nonzero().flatten()[:n]
    rolls = torch.rand(len(rows), DICE, generator=generator).tolist()
    told = [[phrase(Scene.of(row), iter(dice)) for row, dice in zip(each[rows].tolist(), rolls, strict=True)]
            for each in (scenes.asked, asked)]  # fmt: skip
    return Edit(rows, told[0], told[1], scenes.asked[rows], asked[rows], first_half(asked[rows]))


def first_half(asked: Int[Tensor, "n 9"], side: int = 32) -> Bool[Tensor, "n 1 side side"]:
    """Return the half in which the first of two things lies: the left one, or the upper one."""
    low = torch.arange(side) < side // 2
    left = (asked[:, PLACE] == 0)[:, None, None]
    return torch.where(left, low.expand(side, side), low[:, None].expand(side, side))[:, None]


def moved(one: Float[Tensor, "n 3 side side"], other: Float[Tensor, "n 3 side side"], half: Tensor) -> Tensor:
    """Return for each pair of pictures the mean difference of their pixels in the half, as a share of their range."""
    apart = (one - other).abs().mean(1, keepdim=True) * half.to(one.device)
    return apart.sum((1, 2, 3)) / half.to(one.device).sum((1, 2, 3)) / 2
