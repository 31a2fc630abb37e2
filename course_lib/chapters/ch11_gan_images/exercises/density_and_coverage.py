"""The exercise density_and_coverage."""

from collections.abc import Callable

import torch

from course_lib.chapters.ch11_gan_images.exercises.common import plain
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import neighbours


def _balls(
    skip: int = 1,
    around: str = "real",
    inside: Callable = lambda distance, radius: distance <= radius,
    density: Callable = lambda inside, k: inside.sum() / (k * inside.shape[1]),
    coverage: Callable = lambda inside: inside.any(1),
) -> Callable:
    """Make density and coverage with one thing wrong; skip: how many nearest do not count, itself first."""

    def mistaken(real, fake, k=5):
        centres = real if around == "real" else fake
        radii = torch.cdist(centres, centres).sort(1).values[:, k - 1 + skip]
        radii = radii[:, None] if around == "real" else radii
        holds = inside(torch.cdist(real, fake), radii)
        return density(holds, k).item(), coverage(holds).double().mean().item()

    return mistaken


ENTRY = Exercise(
    id="gan.density_and_coverage",
    reference=neighbours.density_and_coverage,
    trial=plain,
    probes=lambda: [  # the last: sizes are powers of two, so that centring does not round: fakes lie on the rim
        Probe((random(9, 3, seed=1), 0.8 * random(7, 3, seed=2), 2)),
        Probe((1.5 * random(6, 2, seed=3), random(11, 2, seed=4), 3)),
        Probe((random(5, 4, seed=5), 0.4 * random(8, 4, seed=6), 1)),
        Probe(
            (
                numbers(1, 2, 4, 8, 3, 7, 10, 13).view(8, 1),
                numbers(5, 12, 20, 2, 9, 30, 6, 15, 16, 22, 4, 11, 40, 1, 18, 33).view(16, 1),
                2,
            ),
            says="whole numbers as rows: real (8, 1), fake (16, 1), k = 2",
        ),
    ],
    checked="both numbers for k = 1, 2 and 3, with other numbers of reals than of fakes, and fakes on the rim.",
    outputs=("density", "coverage"),
    gradients=False,
    rtol=1e-6,  # whole numbers over whole numbers, which PyTorch divides in float32
    mistakes=(
        Mistake(
            "itself_counted",
            _balls(skip=0),
            "a real row counts as its own nearest neighbour, at distance 0",
            "for k = 1 all radii are then 0: set the diagonal of the distances to infinity, or take one more.",
        ),
        Mistake(
            "one_further",
            _balls(skip=2),
            "the radius goes to the (k + 1)-th nearest other",
            "take the k-th with the row itself left out, or the (k + 1)-th with it, not both.",
        ),
        Mistake(
            "balls_around_fakes",
            _balls(around="fake"),
            "the radii are those of the fakes",
            "the balls are around the reals: a stray fake would have a ball that holds much.",
        ),
        Mistake(
            "exchanged",
            lambda real, fake, k=5: neighbours.density_and_coverage(fake, real, k),
            "real and fake are exchanged throughout",
            "around which of the two are the balls?",
        ),
        Mistake(
            "density_not_over_k",
            _balls(density=lambda inside, k: inside.sum() / inside.shape[1]),
            "the density is not divided by k",
            "fakes like the reals lie in k balls on average, and their density is to be 1.",
        ),
        Mistake(
            "density_over_reals",
            _balls(density=lambda inside, k: inside.sum() / (k * inside.shape[0])),
            "the sum over all pairs is divided by the number of reals",
            "density is a mean over the fakes: twice as many of them must not double it.",
        ),
        Mistake(
            "coverage_over_fakes",
            _balls(coverage=lambda inside: inside.any(0)),
            "coverage is the share of fakes that lie in a ball, which is precision",
            "one good image, repeated, would have 1: which axis of inside runs over the balls?",
        ),
        Mistake(
            "squared_against_plain",
            _balls(inside=lambda distance, radius: distance**2 <= radius),
            "squared distances are compared with plain radii",
            "square both or none.",
        ),
        Mistake(
            "rim_excluded",
            _balls(inside=lambda distance, radius: distance < radius),
            "fakes on the rim are left out",
            "distance <= radius: a fake that copies the k-th neighbour lies in the ball.",
        ),
    ),
    hints=(
        "Draw the worked value: three intervals around 0, 1 and 3.",
        "torch.cdist(real, real).kthvalue(k + 1, dim=1).values is the radius: the first is the row itself.",
        "inside = torch.cdist(real, fake) <= radius[:, None]\n"
        "density = inside.sum() / (k * len(fake)); coverage = the share of rows of inside with a True",
    ),
    why="Both count the same table of balls and fakes: density along the fakes, coverage along the balls. A generator "
    "that repeats one good image has a high density and next to no coverage. Balls around the reals alone, because an "
    "odd fake would otherwise have a ball that holds half of the reals.",
)
