"""The learner writes one step of Heun's method."""

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import samplers


def _field(x: Tensor, t: Tensor) -> Tensor:
    """Return a velocity that turns with place and time, each row at its own time; t must be (batch,)."""
    t = t.view(len(x), *(1,) * (x.dim() - 1))
    return (2 * x).sin() + 3 * t**2 - x * t


def _probe(*shape: int, now: float, then: float, seed: int) -> Probe:
    says = f"a velocity, x {shape}, now {now}, then {then}"
    return Probe((_field, random(*shape, seed=seed), numbers(now)[0], numbers(then)[0]), says)


def _slopes(velocity, x, now, then):
    """Return the step and the slopes here and where Euler's step leads."""
    h = then - now
    first = velocity(x, now.expand(len(x)))
    return h, first, velocity(x + h * first, then.expand(len(x)))


def _of(combine):
    return lambda velocity, x, now, then: combine(x, *_slopes(velocity, x, now, then))


def _old_point(velocity, x, now, then):
    first, second = velocity(x, now.expand(len(x))), velocity(x, then.expand(len(x)))
    return x + (then - now) * (first + second) / 2


def _old_time(velocity, x, now, then):
    first = velocity(x, now.expand(len(x)))
    return x + (then - now) * (first + velocity(x + (then - now) * first, now.expand(len(x)))) / 2


def _midpoint(velocity, x, now, then):
    half = (then - now) / 2
    return x + 2 * half * velocity(x + half * velocity(x, now.expand(len(x))), (now + half).expand(len(x)))


def _time_for_step(velocity, x, now, then):
    first = velocity(x, now.expand(len(x)))
    return x + then * (first + velocity(x + then * first, then.expand(len(x)))) / 2


def _variation(generator: torch.Generator) -> Probe:
    x = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    now, then = torch.rand(2, generator=generator, dtype=torch.float64)
    return Probe((_field, x, now, then))


ENTRY = Exercise(
    id="diffusion.heun_step",
    reference=samplers.heun_step,
    probes=lambda: [
        _probe(3, 2, now=0.2, then=0.5, seed=1),
        _probe(4, 1, 3, 3, now=0.6, then=1.0, seed=3),
        _probe(1, 5, now=0.0, then=0.35, seed=5),
        _probe(2, 3, now=0.8, then=0.3, seed=7),
    ],
    checked="points, images and a batch of one, from early and late times, one of them backwards.",
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "euler",
            _of(lambda x, h, first, second: x + h * first),
            "Euler's step is taken: one velocity",
            "the velocity where that step leads is to be asked as well.",
        ),
        Mistake(
            "second_alone",
            _of(lambda x, h, first, second: x + h * second),
            "the velocity at the far end alone is followed",
            "the mean of both ends is wanted.",
        ),
        Mistake(
            "old_point",
            _old_point,
            "the second velocity is asked at the old place",
            "the particle will not be there then: ask where Euler's step leads.",
        ),
        Mistake(
            "old_time",
            _old_time,
            "the second velocity is asked at the old time",
            "at the far end it is `then`.",
        ),
        Mistake(
            "not_halved",
            _of(lambda x, h, first, second: x + h * (first + second)),
            "the two velocities are added and not averaged",
            "in a constant field the step would be twice too long.",
        ),
        Mistake(
            "updated_twice",
            _of(lambda x, h, first, second: x + h * first + h * (first + second) / 2),
            "the step starts where Euler's step has led: x is updated twice",
            "the trial step only asks; the real one starts from the old x. Was x overwritten?",
        ),
        Mistake(
            "midpoint",
            _midpoint,
            "the velocity in the middle of the step is followed",
            "the midpoint rule is of second order, too, but asked for is the mean of both ends.",
        ),
        Mistake(
            "time_for_step",
            _time_for_step,
            "the step's length is `then`, not then − now",
            "from 0.2 to 0.5 a velocity acts for 0.3.",
        ),
    ),
    hints=(
        "Take Euler's step on trial, look at the velocity there, and go back to the start.",
        "Times are (batch,): now.expand(len(x)). The mean of two velocities, times then − now, is added to the old x.",
        "first = velocity(x, now.expand(len(x)))\ntried = x + (then - now) * first\n"
        "return x + (then - now) * (first + velocity(tried, then.expand(len(x)))) / 2",
    ),
    why="Each evaluation is a pass of a network. Heun's step takes two, and halving their length divides the error by "
    "four and not by two: with smooth velocities fewer passes reach the same place.",
)
