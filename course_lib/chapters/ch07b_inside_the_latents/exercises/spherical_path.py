"""The learner writes the path between two latents along which direction and length change evenly."""

import math

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import latents


def _apart(angle: float, d: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return two vectors of different lengths with this angle between them."""
    a, b = torch.linalg.qr(random(d, 2, seed=seed)).Q.T
    return 1.7 * a, 0.6 * (math.cos(angle) * a + math.sin(angle) * b)


def _raw_angle(start, end, t):
    s, angle = t[:, None], torch.acos((start @ end).clamp(-1, 1))
    mixed = torch.sin((1 - s) * angle) * start / start.norm() + torch.sin(s * angle) * end / end.norm()
    return mixed / torch.sin(angle) * ((1 - s) * start.norm() + s * end.norm())


ENTRY = Exercise(
    id="vae.spherical_path",
    reference=latents.spherical_path,
    probes=lambda: [
        Probe((random(5, seed=1), 2 * random(5, seed=2), torch.tensor([0.1, 0.35, 0.8]).double())),
        Probe((random(3, seed=3), random(3, seed=4), torch.tensor([0.25]).double())),
        Probe((3 * random(7, seed=5), random(7, seed=6), torch.tensor([0.15, 0.4, 0.6, 0.9]).double())),
        Probe((*_apart(0.3, 4, seed=7), torch.tensor([0.2, 0.5, 0.7]).double())),
        Probe((*_apart(0.8, 6, seed=8), torch.tensor([0.0, 1.0]).double())),
        Probe((*_apart(0.8, 3, seed=9), torch.tensor([0.15, 0.9]).double())),
        Probe((*_apart(2.9, 5, seed=10), torch.tensor([0.3, 0.55, 0.85]).double())),
    ],
    checked="points and gradients for seven pairs of latents of different lengths, 0.3 to 2.9 radians apart.",
    rtol=1e-9,
    mistakes=(
        Mistake(
            "straight",
            {"t = t[:, None]": "return (1 - t[:, None]) * start + t[:, None] * end"},
            "the path is straight",
            "in many dimensions its middle is shorter than either end.",
        ),
        Mistake(
            "unit",
            {" * ((1 - t) * lengths[0] + t * lengths[1])": ""},
            "all points have length 1",
            "the lengths of the ends are to be kept, and changed evenly in between.",
        ),
        Mistake(
            "backwards",
            {"t = t[:, None]": "t = 1 - t[:, None]"},
            "it goes from end to start",
            "t = 0 is the start.",
        ),
        Mistake(
            "raw",
            {
                "* a + torch.sin(t * angle) * b": "* start + torch.sin(t * angle) * end",
                " * ((1 - t) * lengths[0] + t * lengths[1])": "",
            },
            "the vectors are mixed with their own lengths",
            "mix the directions of length 1, then multiply by the length between, or it does not change evenly.",
        ),
        Mistake(
            "raw_angle",
            _raw_angle,
            "the angle is taken from the vectors with their lengths, clamped to what acos can take",
            "a · b is the cosine only of vectors of length 1.",
        ),
        Mistake(
            "no_division",
            {" / torch.sin(angle)": ""},
            "the division by sin ω is missing",
            "at t = 0 the start must come out: sin((1 − 0)ω) is not 1.",
        ),
        Mistake(
            "projected",
            {
                "torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b": "(1 - t) * a + t * b",
                "return directions": "directions = directions / directions.norm(dim=1)[:, None]\n    return directions",
            },
            "the straight path between the directions is stretched to its length",
            "its direction turns fastest in the middle; the sines turn it evenly.",
        ),
    ),
    hints=(
        "What is the length of ½(start + end) for two perpendicular latents of length 7?",
        "With a and b the directions of length 1: omega = torch.acos(a @ b); t[:, None] makes t a column.",
        "(torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega) * length, t and length columns",
    ),
    why="In 50 dimensions nearly all draws of the prior lie near length 7, and the straight path's middle near 5, "
    "where hardly any are. The library takes the angle from ‖a − b‖ and ‖a + b‖, accurate where acos is not.",
)
