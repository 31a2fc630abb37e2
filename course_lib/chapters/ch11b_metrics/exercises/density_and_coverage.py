"""The learner writes density and coverage: where fakes lie among balls around real rows."""

from course_lib.chapters.ch11_gan_images.exercises.common import plain
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import neighbours

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
        Probe((random(12, 2, seed=7), 0.9 * random(10, 2, seed=8)), says="real (12, 2), fake (10, 2), k not given"),
    ],
    checked="both numbers for k = 1, 2, 3 and where it is not given, with other numbers of reals than of fakes, and "
    "fakes on the rim.",
    outputs=("density", "coverage"),
    gradients=False,
    rtol=1e-6,  # whole numbers over whole numbers, which PyTorch divides in float32
    mistakes=(
        Mistake(
            "itself_counted",
            {"squared <= radii[:, None]": "squared <= torch.cdist(real, real).kthvalue(k).values[:, None] ** 2"},
            "a real row counts as its own nearest neighbour, at distance 0",
            "for k = 1 all radii are then 0: set the diagonal of the distances to infinity, or take one more.",
        ),
        Mistake(
            "one_further",
            {"_squared_radii(real, k)": "_squared_radii(real, k + 1)"},
            "the radius goes to the (k + 1)-th nearest other",
            "take the k-th with the row itself left out, or the (k + 1)-th with it, not both.",
        ),
        Mistake(
            "balls_around_fakes",
            {"squared <= radii[:, None]": "squared <= _squared_radii(fake, k)"},
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
            {"(k * len(fake))": "len(fake)"},
            "the density is not divided by k",
            "fakes like the reals lie in k balls on average, and their density is to be 1.",
        ),
        Mistake(
            "density_over_reals",
            {"(k * len(fake))": "(k * len(real))"},
            "the sum over all pairs is divided by the number of reals",
            "density is a mean over the fakes: twice as many of them must not double it.",
        ),
        Mistake(
            "coverage_over_fakes",
            {".sum(1)": "", "inside > 0": "inside.any(0)"},
            "coverage is the share of fakes that lie in a ball, which is precision",
            "one good image, repeated, would have 1: which axis of inside runs over the balls?",
        ),
        Mistake(
            "squared_against_plain",
            {"squared <= radii[:, None]": "squared <= radii[:, None].sqrt()"},
            "squared distances are compared with plain radii",
            "square both or none.",
        ),
        Mistake(
            "rim_excluded",
            {"squared <= radii": "squared < radii"},
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
