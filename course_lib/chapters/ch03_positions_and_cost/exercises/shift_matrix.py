"""The learner writes shift_matrix: the rotation that moves sinusoidal positions by n."""

import torch
from torch import Tensor

from course_lib.attention import positions
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _in_halves(angles: Tensor) -> Tensor:
    cos, sin = torch.diag(angles.cos()), torch.diag(angles.sin())
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


ENTRY = Exercise(
    id="positions.shift_matrix",
    reference=positions.shift_matrix,
    probes=lambda: [
        Probe((random(1, seed=1),)),
        Probe((random(2, seed=2),)),
        Probe((random(5, seed=3),)),
    ],
    checked="the matrices of one, two and five pairs.",
    gradients=False,
    mistakes=(
        Mistake(
            "backwards",
            {"[cos, sin], dim": "[cos, -sin], dim", "[-sin, cos], dim": "[sin, cos], dim"},
            "the shift goes backwards, from t to t − n",
            "sin(a + b) = sin a cos b + cos a sin b: which sign stands before the cosine of the old position?",
        ),
        Mistake(
            "mirrored",
            {"[-sin, cos], dim": "[sin, -cos], dim"},
            "each block is a mirror image instead of a rotation",
            "cos(a + b) = cos a cos b − sin a sin b: which of the two carries the minus?",
        ),
        Mistake(
            "cosine_first",
            {"[cos, sin], dim": "[sin, cos], dim", "[-sin, cos], dim": "[cos, -sin], dim"},
            "cosine and sine have changed places in every block",
            "no shift, n = 0, must give the identity: what stands on the diagonal then?",
        ),
        Mistake(
            "halves",
            lambda angles: _in_halves(angles) if len(angles) > 1 else positions.shift_matrix(angles),
            "all sines come first and then all cosines",
            "here the sine and the cosine of one pair are neighbours: features 2i and 2i + 1.",
        ),
        Mistake(
            "one_angle",
            {"*blocks": "*blocks[:1].expand_as(blocks)"},
            "every pair turns by the angle of the first",
            "each pair has a frequency of its own: which entry of angles belongs to block i?",
        ),
    ),
    properties=(
        Property(
            "rotation",
            lambda output, angles: bool(torch.allclose(output @ output.T, torch.eye(len(output)).to(output))),
            "M Mᵀ is the identity, as for every rotation",
        ),
    ),
    hints=(
        "Try one pair. What is M for n = 0? What for a quarter turn, n ω = π/2?",
        "The row for the sine is (cos b, sin b), the row for the cosine (−sin b, cos b).",
        "M = torch.zeros(2 * len(angles), 2 * len(angles), dtype=angles.dtype), then fill M[2i : 2i + 2, 2i : 2i + 2].",
    ),
    why="The two addition theorems are the two rows of a block. Every block is a rotation by its own angle and t does "
    "not occur in it, so one matrix moves all positions by n.",
)
