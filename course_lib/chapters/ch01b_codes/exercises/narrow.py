"""The learner writes narrow: the part of an interval of integers that belongs to one symbol."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real

from torch import Tensor

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import coding

_steps = [
    (1000, 7777, [4, 1, 9, 2], 0),
    (0, 99, [5], 0),
    (10, 10_000, [3, 5, 7], 1),
    (2**30 - 1, 2**31, [1, 10, 3, 11, 6], 3),
    (17, 2**32 - 1, [2, 6, 3], 2),
    (0, 2**60 - 1, [3, 5, 7], 1),
]


class NotAnIntegerError(TypeError):
    """An end came back as a float."""


def _in_integers(function: Callable, low: int, high: int, frequencies: Sequence[int], symbol: int) -> object:
    """Call function; an end that is a number but no integer would lose its digits later, however right it looks."""
    ends = function(low, high, frequencies, symbol)
    for end in ends if isinstance(ends, tuple | list) else ():
        floating = end.is_floating_point() if isinstance(end, Tensor) else not isinstance(end, Integral)
        if isinstance(end, Real | Tensor) and floating:
            raise NotAnIntegerError(f"low and high should be integers, got {end!r}")
    return ends


ENTRY = Exercise(
    id="codes.narrow",
    reference=coding.narrow,
    probes=lambda: [Probe(s, says="low = {}, high = {}, frequencies = {}, symbol = {}".format(*s)) for s in _steps],
    checked="six steps, one on 60 bits: an alphabet of one symbol, the first, a middle and the last symbol.",
    outputs=("low", "high"),
    gradients=False,
    rtol=1e-12,
    trial=_in_integers,
    mistakes=(
        Mistake(
            "width_short",
            {"high - low + 1": "high - low"},
            "the width is high − low",
            "from 0 to 99, both included, there are how many integers?",
        ),
        Mistake(
            "overlap",
            {"// total - 1": "// total"},
            "the upper end is the place where the next symbol's part begins",
            "an integer in two parts could not be decoded; both ends are included.",
        ),
        Mistake(
            "low_moved_first",
            {"return low +": "low = low +", ", low + width * after": "\n    return low, low + width * after"},
            "the new low is used to find the new high",
            "both ends are counted from the old low: keep it until both are found.",
        ),
        Mistake(
            "from_zero",
            {"low + width * before": "width * before", "low + width * after": "width * after"},
            "the old low is not added",
            "the parts cut up low … high, not 0 … width.",
        ),
        Mistake(
            "at_the_bottom",
            {"low + width * before // total": "low", "low + width * after": "low + width * frequencies[symbol]"},
            "every symbol's part begins at low",
            "then all parts overlap: what lies below this symbol's?",
        ),
        Mistake(
            "divided_first",
            {"width * before // total": "width // total * before", "width * after // total": "width // total * after"},
            "the width is divided by the total before it is multiplied",
            "// throws a remainder away; multiply first, and less than one integer is lost.",
        ),
        Mistake(
            "next_symbol",
            {
                "frequencies[:symbol]": "frequencies[: symbol + 1]",
                "before + frequencies[symbol]": "sum(frequencies[: symbol + 2])",
            },
            "the sums run one symbol too far",
            "frequencies[:symbol] ends before this symbol; that is where its part begins.",
        ),
        Mistake(
            "floats",
            {
                "low + width * before // total": "int(low + width * before / total)",
                "low + width * after // total - 1": "int(low + width * after / total - 1)",
            },
            "the division goes through floats",
            "a float has 53 bits, and an interval may need more: // divides integers exactly.",
        ),
        Mistake(
            "not_whole",
            {"before // total": "before / total", "after // total": "after / total"},
            "the ends are floats, not integers",
            "// of integers in place of /: a decoder has to find exactly the same ends.",
        ),
        Mistake(
            "float_division",
            {
                "width * before // total": "int(width * before / total)",
                "width * after // total": "int(width * after / total)",
            },
            "/ makes a float before it is rounded down",
            "a float has 53 bits, and an interval may need more: // divides integers exactly.",
        ),
        Mistake(
            "rounded_up",
            {
                "width * before // total": "-(-width * before // total)",
                "width * after // total": "-(-width * after // total)",
            },
            "where a part would end between two integers it is rounded up",
            "the parts would touch as well, but the task, and so the other reader, rounds down.",
        ),
        Mistake(
            "nearest",
            {
                "width * before // total": "round(width * before / total)",
                "width * after // total": "round(width * after / total)",
            },
            "the ends are rounded to the nearest integer",
            "down, not to the nearest: and // needs no float.",
        ),
        Mistake(
            "rounded_width",
            {
                "low + width * after // total - 1": "low + width * before // total - 1"
                " + width * frequencies[symbol] // total"
            },
            "the width of the part is rounded, not its upper end",
            "then a gap may stay open between two parts: one's end and the next one's begin need the same rounding.",
        ),
    ),
    hints=(
        "Cut 0 … 99 by [1, 1, 1] for symbols 0, 1 and 2: do the three parts touch, and cover everything?",
        "width = high - low + 1, before = sum(frequencies[:symbol]), after = before + frequencies[symbol].",
        "return low + width * before // total, low + width * after // total - 1",
    ),
    why="Both ends are rounded down by the same rule, so one part ends exactly where the next begins, whatever the "
    "rounding: that is all that decoding needs. Integers make it exact on every machine.",
)
