"""The learner writes rotate: every pair of features turned by its own angle."""

import torch
from torch import Tensor

from course_lib.attention import positions
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _rotate_halves(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _sign_of_both(x: Tensor, angles: Tensor) -> Tensor:
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos + odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def _overwritten(x: Tensor, angles: Tensor) -> Tensor:
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    even = even * cos - odd * sin
    return torch.stack([even, even * sin + odd * cos], dim=-1).flatten(-2)


ENTRY = Exercise(
    id="positions.rotate",
    reference=positions.rotate,
    probes=lambda: [
        Probe((random(3, 4, seed=1), random(3, 2, seed=2))),
        Probe((random(1, 5, 6, seed=3), random(5, 3, seed=4))),
        Probe((random(2, 3, 4, 10, seed=5), random(4, 5, seed=6))),
    ],
    checked="three shapes with up to two leading axes, and the gradients for x and for the angles.",
    mistakes=(
        Mistake(
            "clockwise",
            {"on_circle(angles)": "on_circle(-angles)"},
            "the pairs are turned clockwise",
            "turning (1, 0) by a quarter must give (0, 1), not (0, −1).",
        ),
        Mistake(
            "halves",
            _rotate_halves,
            "feature i is paired with feature i + d/2",
            "some libraries do this, and models trained one way fail the other; here the pairs are neighbours.",
        ),
        Mistake(
            "not_put_back",
            {"on_circle(angles))": "on_circle(angles)).unflatten(-1, (-1, 2)).mT.flatten(-2)"},
            "all first features of the pairs come first and then all second ones",
            "a pair came from features 2i and 2i + 1 and goes back there: stack, then flatten.",
        ),
        Mistake(
            "cosine_only",
            {"turn(x, on_circle(angles))": "x * angles.cos().repeat_interleave(2, dim=-1)"},
            "every feature is multiplied by its cosine and nothing else",
            "a turned vector keeps its length. What does yours have after a quarter turn?",
        ),
        Mistake(
            "no_minus",
            _sign_of_both,
            "the sine of the first row has no minus",
            "a turned vector keeps its length: which of the four terms must be negative?",
        ),
        Mistake(
            "overwritten",
            _overwritten,
            "the second number of a pair is made of the first one after its turn",
            "both new numbers are made of the two old ones: are they still there?",
        ),
        Mistake(
            "one_angle",
            {"on_circle(angles)": "on_circle(angles[:, :1].expand_as(angles))"},
            "every pair turns by the angle of the first",
            "angles has a column for each pair: does each of them matter?",
        ),
    ),
    properties=(
        Property(
            "length",
            lambda output, x, angles: bool(torch.allclose(output.norm(dim=-1), x.norm(dim=-1), rtol=1e-9)),
            "turning keeps every row's length",
        ),
    ),
    hints=(
        "Is the length of every row what it was? Does angle 0 change nothing?",
        "a, b = x[..., 0::2], x[..., 1::2] are (…, time, d/2), the shape of the angles behind the leading axes.",
        "torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)",
    ),
    why="A pair is a point in the plane, and the two lines are its rotation; as complex numbers, (a + ib)·e^{iφ}. No "
    "matrix is needed: six operations a pair. Queries and keys are turned, values are not.",
)
