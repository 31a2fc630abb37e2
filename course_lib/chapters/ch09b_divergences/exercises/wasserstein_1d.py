"""The learner writes the Wasserstein distance of two samples on a line, of any two sizes."""

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import transport

ENTRY = Exercise(
    id="gan.wasserstein_1d",
    reference=transport.wasserstein_1d,
    probes=lambda: [
        Probe((random(5, seed=1), 2 * random(3, seed=2))),
        Probe((random(4, seed=3), random(4, seed=4) + 1)),
        Probe((random(1, seed=5), random(6, seed=6))),
        Probe((3 * random(6, seed=7), random(4, seed=8))),
    ],
    checked="values and gradients for four pairs of sizes, equal and not.",
    mistakes=(
        Mistake(
            "unsorted",
            {"x.sort().values[": "x[", "y.sort().values[": "y["},
            "the points are paired as they came, not in order",
            "on a line nothing is gained by crossing: smallest to smallest.",
        ),
        Mistake(
            "tiled",
            lambda x, y: (x.sort().values.repeat(len(y)) - y.sort().values.repeat(len(x))).abs().mean(),
            "whole samples are repeated, one copy behind the other",
            "the m copies of one point stand side by side, in order: .repeat_interleave(m).",
        ),
        Mistake(
            "squared",
            {"between.abs()": "between**2"},
            "the distances are squared",
            "that is W₂²; W₁ adds distances as they are.",
        ),
        Mistake(
            "root",
            {"(widths * between.abs()).sum()": "(widths * between**2).sum().sqrt()"},
            "the root of the mean square is taken: W₂",
            "W₁ is the mean of |x − y|.",
        ),
        Mistake(
            "signed",
            {"between.abs()": "between"},
            "the sign is kept, so that ways to the left cancel ways to the right",
            "a distance is never negative: .abs() before the mean.",
        ),
        Mistake(
            "means",
            lambda x, y: (x.mean() - y.mean()).abs(),
            "only the means are compared",
            "[−1, 1] and [0, 0] have one mean, and are 1 apart.",
        ),
        Mistake(
            "pairs",
            lambda x, y: (x[:, None] - y).abs().mean(),
            "each point of x meets each point of y, and all these pairs are averaged",
            "a point goes to its own partner; the distance of a sample to itself is 0. If you repeat: `repeat` puts "
            "whole samples behind each other, `repeat_interleave` copies side by side. One of each makes all pairs.",
        ),
        Mistake(
            "cut",
            {
                "n, m = len(x), len(y)": "n = m = min(len(x), len(y))",
                "x.sort().values": "x.sort().values[:n]",
                "y.sort().values": "y.sort().values[:n]",
            },
            "the longer sample is cut off at the length of the shorter",
            "that leaves out its largest points: bring both to one length by repeating.",
        ),
        Mistake(
            "sum",
            {"return (widths": "return n * m * (widths"},
            "the sum over the repeated pairs is taken, not the mean",
            "each of the n · m pairs carries 1/(n m) of the mass.",
        ),
        Mistake(
            "nearest",
            lambda x, y: (x[:, None] - y).abs().amin(1).mean(),
            "each point of x goes to the nearest of y",
            "then a point of y may get more than its 1/m, and another nothing: y is to be filled exactly.",
        ),
    ),
    hints=(
        "Try x against itself in another order: 0 must come out.",
        "x.sort().values.repeat_interleave(len(y)) has n · m numbers, and so has the other one.",
        "(x.sort().values.repeat_interleave(len(y)) - y.sort().values.repeat_interleave(len(x))).abs().mean()",
    ),
    why="Repeating costs n · m numbers; the library cuts at the levels of both, n + m of them, and weighs each "
    "piece by its width: the same integral of |F⁻¹(u) − G⁻¹(u)| over u from 0 to 1.",
)
