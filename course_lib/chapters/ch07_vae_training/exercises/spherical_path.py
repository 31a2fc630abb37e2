"""The exercise spherical_path."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import latents


def _angle(start: Tensor, end: Tensor) -> Tensor:
    return torch.acos((start / start.norm()) @ (end / end.norm()))


def _great_circle(start: Tensor, end: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Mix a and b by the sines of the angle between start and end."""
    omega, t = _angle(start, end), t[:, None]
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)


def _projected(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Mix the directions on a straight line and stretch the result to the length between."""
    straight = (1 - t) * start / start.norm() + t * end / end.norm()
    return normalize(straight, dim=1) * ((1 - t) * start.norm() + t * end.norm())


ENTRY = Exercise(
    id="vae.spherical_path",
    reference=latents.spherical_path,
    probes=lambda: [
        Probe((random(5, seed=1), 2 * random(5, seed=2), torch.tensor([0.1, 0.35, 0.8]).double())),
        Probe((random(3, seed=3), random(3, seed=4), torch.tensor([0.25]).double())),
        Probe((3 * random(7, seed=5), random(7, seed=6), torch.tensor([0.15, 0.4, 0.6, 0.9]).double())),
    ],
    checked="points and gradients for three pairs of latents of different lengths.",
    rtol=1e-9,
    mistakes=(
        Mistake(
            "straight",
            lambda start, end, t: (1 - t)[:, None] * start + t[:, None] * end,
            "the path is straight",
            "in many dimensions its middle is shorter than either end.",
        ),
        Mistake(
            "unit",
            lambda start, end, t: latents.spherical_path(start / start.norm(), end / end.norm(), t),
            "all points have length 1",
            "the lengths of the ends are to be kept, and changed evenly in between.",
        ),
        Mistake(
            "backwards",
            lambda start, end, t: latents.spherical_path(end, start, t),
            "it goes from end to start",
            "t = 0 is the start.",
        ),
        Mistake(
            "raw",
            lambda start, end, t: _great_circle(start, end, t, start, end),
            "the vectors are mixed with their own lengths",
            "mix the directions of length 1, then multiply by the length between, or it does not change evenly.",
        ),
        Mistake(
            "no_division",
            lambda start, end, t: latents.spherical_path(start, end, t) * torch.sin(_angle(start, end)),
            "the division by sin ω is missing",
            "at t = 0 the start must come out: sin((1 − 0)ω) is not 1.",
        ),
        Mistake(
            "projected",
            lambda start, end, t: _projected(start, end, t[:, None]),
            "the straight path between the directions is stretched to its length",
            "its direction turns fastest in the middle; the sines turn it evenly.",
        ),
    ),
    hints=(
        "What is the length of ½(start + end) for two perpendicular latents of length 7?",
        "omega = torch.acos(a @ b); t[:, None] makes t a column.",
        "(torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega) * length, t and length columns",
    ),
    why="In 50 dimensions nearly all draws of the prior lie near length 7, and the straight path's middle near 5, "
    "where hardly any are. The library takes the angle from ‖a − b‖ and ‖a + b‖, accurate where acos is not.",
)
