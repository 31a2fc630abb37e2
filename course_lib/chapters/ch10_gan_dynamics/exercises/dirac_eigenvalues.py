"""The learner writes the eigenvalues of the Dirac-GAN with R1, real and imaginary parts."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import dirac as games

ENTRY = Exercise(
    id="gan.dirac_eigenvalues",
    reference=games.dirac_eigenvalues,
    probes=lambda: [
        Probe((torch.tensor([0.5, 0.5, 1.3]).double(), torch.tensor([0.3, 1.7, 0.9]).double())),
        Probe((random(2, 3, seed=1).abs() + 0.2, 3 * random(2, 3, seed=2).abs() + 0.1)),
        Probe((torch.tensor([0.7]).double(), torch.tensor([0.05]).double())),
        Probe((torch.tensor([0.6, 0.4]).double(), torch.tensor([0.0, 1.0]).double())),
    ],
    checked="both parts for turning, for overdamped, for hardly damped and for undamped pairs.",
    outputs=("real", "imaginary"),
    gradients=False,
    mistakes=(
        Mistake(
            "plus_gamma",
            {"root - gamma / 2, -root - gamma / 2": "root + gamma / 2, -root + gamma / 2"},
            "the real part is +γ/2",
            "the trace of the matrix is −γ, and the eigenvalues add up to the trace.",
        ),
        Mistake(
            "gamma_not_halved",
            {"root - gamma / 2, -root - gamma / 2": "root - gamma, -root - gamma", "gamma**2 / 4": "gamma**2"},
            "γ stands where γ/2 belongs",
            "the roots of λ² + pλ + q are −p/2 ± √(p²/4 − q).",
        ),
        Mistake(
            "missing_quarter",
            {"gamma**2 / 4": "gamma**2"},
            "under the root stands γ² in place of γ²/4",
            "square the whole of γ/2.",
        ),
        Mistake(
            "root_not_halved",
            {"gamma**2 / 4 - slope**2": "gamma**2 - 4 * slope**2"},
            "the root is not halved: −γ/2 ± √(γ² − 4s²)",
            "in (−γ ± √(γ² − 4s²)) / 2 the 2 divides both parts.",
        ),
        Mistake(
            "whole_gamma",
            {"root - gamma / 2, -root - gamma / 2": "root - gamma, -root - gamma"},
            "−γ stands before the root in place of −γ/2",
            "the two eigenvalues add up to the trace: what is the trace?",
        ),
        Mistake(
            "slope_not_squared",
            {"slope**2": "slope"},
            "the slope is not squared",
            "the determinant is 0·(−γ) − s·(−s).",
        ),
        Mistake(
            "plus_slope",
            {"- slope**2": "+ slope**2"},
            "the determinant has the wrong sign, as if both players wanted the same",
            "the off-diagonal entries are +s and −s: what one gains the other loses.",
        ),
        Mistake(
            "minus_first",
            {"root - gamma / 2, -root - gamma / 2": "-root - gamma / 2, root - gamma / 2"},
            "the root with − comes first",
            "stack the + first.",
        ),
        Mistake(
            "clamped",
            {"(gamma**2 / 4 - slope**2)": "(gamma**2 / 4 - slope**2).clamp(min=0)"},
            "a negative number under the root is replaced by 0",
            "that is where the game turns: √−4 is 2i.",
        ),
    ),
    hints=(
        "Sum of the eigenvalues: the trace. Their product: the determinant.",
        "λ = −γ/2 ± √(γ²/4 − s²); with γ = 0 it is ± i s.",
        "root = (gamma**2 / 4 - slope**2).to(torch.complex128).sqrt()\n"
        "values = torch.stack([root - gamma / 2, -root - gamma / 2], -1)\nreturn values.real, values.imag",
    ),
    why="R1 puts −γ on one place of the diagonal, and both eigenvalues get half of it: the generator is damped though "
    "no penalty touches it. Beyond γ = 2s the pair no longer turns, and the slower root comes back towards 0.",
)
