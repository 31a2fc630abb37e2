"""The exercise narrow."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import coding


def _parts(low: int, high: int, frequencies: list[int], symbol: int, width: int | None = None) -> tuple[int, int, int]:
    """Return how far from low symbol's part begins and how far it ends, in integers, and the total."""
    width = high - low + 1 if width is None else width
    before, total = sum(frequencies[:symbol]), sum(frequencies)
    return width * before // total, width * (before + frequencies[symbol]) // total, total


def _short(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    begin, end, _ = _parts(low, high, frequencies, symbol, width=high - low)
    return low + begin, low + end - 1


def _overlap(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    begin, end, _ = _parts(low, high, frequencies, symbol)
    return low + begin, low + end


def _moved_low(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    begin, end, _ = _parts(low, high, frequencies, symbol)
    return low + begin, low + begin + end - 1


def _from_zero(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    begin, end, _ = _parts(low, high, frequencies, symbol)
    return begin, end - 1


def _at_the_bottom(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    return low, low + (high - low + 1) * frequencies[symbol] // sum(frequencies) - 1


def _divided_first(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    each, before = (high - low + 1) // sum(frequencies), sum(frequencies[:symbol])
    return low + each * before, low + each * (before + frequencies[symbol]) - 1


def _next_symbol(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    width, total = high - low + 1, sum(frequencies)
    begin, end = sum(frequencies[: symbol + 1]), sum(frequencies[: symbol + 2])
    return low + width * begin // total, low + width * end // total - 1


def _fractions(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[float, float]:
    width, total, before = high - low + 1, sum(frequencies), sum(frequencies[:symbol])
    return low + width * before / total, low + width * (before + frequencies[symbol]) / total - 1


def _through_floats(low: int, high: int, frequencies: list[int], symbol: int) -> tuple[int, int]:
    start, end = _fractions(low, high, frequencies, symbol)
    return int(start), int(end)


_steps = [
    (1000, 7777, [4, 1, 9, 2], 0),
    (0, 99, [5], 0),
    (10, 10_000, [3, 5, 7], 1),
    (2**30 - 1, 2**31, [1, 10, 3, 11, 6], 3),
    (17, 2**32 - 1, [2, 6, 3], 2),
    (0, 2**60 - 1, [3, 5, 7], 1),
]


ENTRY = Exercise(
    id="likelihood.narrow",
    reference=coding.narrow,
    probes=lambda: [Probe(s, says="low = {}, high = {}, frequencies = {}, symbol = {}".format(*s)) for s in _steps],
    checked="six steps, one on 60 bits: an alphabet of one symbol, the first, a middle and the last symbol.",
    outputs=("low", "high"),
    gradients=False,
    rtol=1e-12,
    mistakes=(
        Mistake(
            "width_short",
            _short,
            "the width is high − low",
            "from 0 to 99, both included, there are how many integers?",
        ),
        Mistake(
            "overlap",
            _overlap,
            "the upper end is the place where the next symbol's part begins",
            "an integer in two parts could not be decoded; both ends are included.",
        ),
        Mistake(
            "low_moved_first",
            _moved_low,
            "the new low is used to find the new high",
            "both ends are counted from the old low: keep it until both are found.",
        ),
        Mistake(
            "from_zero",
            _from_zero,
            "the old low is not added",
            "the parts cut up low … high, not 0 … width.",
        ),
        Mistake(
            "at_the_bottom",
            _at_the_bottom,
            "every symbol's part begins at low",
            "then all parts overlap: what lies below this symbol's?",
        ),
        Mistake(
            "divided_first",
            _divided_first,
            "the width is divided by the total before it is multiplied",
            "// throws a remainder away; multiply first, and less than one integer is lost.",
        ),
        Mistake(
            "next_symbol",
            _next_symbol,
            "the sums run one symbol too far",
            "frequencies[:symbol] ends before this symbol; that is where its part begins.",
        ),
        Mistake(
            "floats",
            _through_floats,
            "the division goes through floats",
            "a float has 53 bits, and an interval may need more: // divides integers exactly.",
        ),
        Mistake(
            "not_whole",
            _fractions,
            "the ends are not rounded down to integers",
            "// in place of /: a decoder has to find exactly the same ends.",
        ),
    ),
    hints=(
        "Cut 0 … 99 by [1, 2, 1] for symbols 0, 1 and 2: do the three parts touch, and cover everything?",
        "width = high - low + 1, before = sum(frequencies[:symbol]), after = before + frequencies[symbol].",
        "return low + width * before // total, low + width * after // total - 1",
    ),
    why="Both ends are rounded down by the same rule, so one part ends exactly where the next begins, whatever the "
    "rounding: that is all that decoding needs. Integers make it exact on every machine.",
)
