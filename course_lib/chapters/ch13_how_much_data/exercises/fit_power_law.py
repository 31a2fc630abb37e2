"""The learner writes fit_power_law: scale and exponent from a line through logarithms."""

import torch

from course_lib.classroom.exercises.probes import numbers
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import power_laws


def _varied(generator: torch.Generator) -> Probe:
    sizes = 2 + int(torch.randint(5, (), generator=generator))
    n = (1 + torch.rand(sizes, generator=generator, dtype=torch.float64).cumsum(0) * 5).exp()
    floor = float(torch.rand((), generator=generator, dtype=torch.float64))
    noise = 0.2 * torch.rand(sizes, generator=generator, dtype=torch.float64)
    return Probe((n, floor + (5 + noise) * n**-0.3, floor))


ENTRY = Exercise(
    id="together.fit_power_law",
    reference=power_laws.fit_power_law,
    probes=lambda: [
        Probe((numbers(3, 10, 40, 100, 900), numbers(5.1, 4.3, 3.2, 2.9, 1.8), 0.7), says="five sizes, floor 0.7"),
        Probe((numbers(200, 1500, 30), numbers(0.61, 0.34, 0.98), 0.2), says="three sizes in no order, floor 0.2"),
        Probe((numbers(7, 50), numbers(31.0, 12.0), 4.5), says="two sizes, floor 4.5"),
    ],
    checked="five, three and two sizes, in order and not.",
    outputs=("scale", "exponent"),
    gradients=False,
    variations=_varied,
    mistakes=(
        Mistake(
            "no_floor",
            {"loss.double().cpu() - floor": "loss.double().cpu()"},
            "the floor is not taken off",
            "the logarithm of which quantity is a straight line against ln n?",
        ),
        Mistake(
            "floor_added",
            {"loss.double().cpu() - floor": "loss.double().cpu() + floor"},
            "the floor is added to the losses",
            "loss = floor + scale · n^(−exponent): what is left of a loss without its floor?",
        ),
        Mistake(
            "slope_for_exponent",
            {"-slope\n": "slope\n"},
            "the slope itself comes back as the exponent",
            "the loss falls, so the line's slope is negative; which sign has the exponent in n^(−exponent)?",
        ),
        Mistake(
            "logarithm_of_scale",
            {"(y.mean() - slope * x.mean()).exp()": "(y.mean() - slope * x.mean())"},
            "the line's height at ln n = 0 comes back as the scale",
            "the line gives ln(scale). What undoes the logarithm?",
        ),
        Mistake(
            "bases_mixed",
            {"x, y = n.log(), excess.log()": "x, y = n.log10(), excess.log10()"},
            "logarithms to base 10 are undone by exp",
            "the slope does not care for the base; the scale does. Which power undoes log10?",
        ),
        Mistake(
            "axes_swapped",
            {
                "/ ((x - x.mean()) ** 2)": "/ ((y - y.mean()) ** 2)",
                "(y.mean() - slope * x.mean())": "(x.mean() - slope * y.mean())",
            },
            "ln n is fitted against ln(loss − floor)",
            "what is given, and what is predicted from it?",
        ),
        Mistake(
            "plain_n",
            {"x, y = n.log(), excess.log()": "x, y = n, excess.log()"},
            "ln(loss − floor) is fitted against n itself: an exponential, no power law",
            "take the logarithm of both sides of loss − floor = scale · n^(−exponent): what multiplies the exponent?",
        ),
        Mistake(
            "plain_loss",
            {"excess.log()": "excess"},
            "loss − floor itself is fitted against ln n",
            "both sides of the law are products: of which does a line come?",
        ),
        Mistake(
            "ends_alone",
            {
                "slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()": "i, j = x.argmin(), "
                "x.argmax()\n    slope = (y[j] - y[i]) / (x[j] - x[i])"
            },
            "the slope is that from the smallest size to the largest, and what lies between does not count",
            "the line of least squares takes all points: covariance over variance.",
        ),
        Mistake(
            "exchanged",
            {
                "return (y.mean() - slope * x.mean()).exp(), -slope": "return -slope, (y.mean() - slope * "
                "x.mean()).exp()"
            },
            "scale and exponent come back in each other's place",
            "(scale, exponent) is the order asked for.",
        ),
        Mistake(
            "height_at_the_middle",
            {"(y.mean() - slope * x.mean()).exp()": "y.mean().exp()"},
            "the scale is the height of the line at the mean of ln n",
            "n^(−exponent) is 1 at n = 1: where is ln n then?",
        ),
    ),
    hints=(
        "Take the logarithm of both sides of loss − floor = scale · n^(−exponent). What is a straight line in what?",
        "x = ln n, y = ln(loss − floor). Least squares: slope = covariance of x and y over the variance of x.",
        "slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum(); the line meets ln n = 0 at "
        "y.mean() - slope * x.mean(); scale = exp of that, exponent = −slope",
    ),
    why="A power law is a straight line between logarithms, and its exponent the line's fall. Everything hangs on the "
    "floor: with one that is too low the line bends, and the slope says less than the exponent.",
)  # fmt: skip
