"""The exercises of chapter 01: likelihood."""

import math

import torch
from torch import Tensor

from course_lib import coding, divergences
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe


def _rows(n: int, symbols: int, seed: int) -> Tensor:
    """One distribution a row, none of them flat."""
    logits = torch.randn(n, symbols, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return logits.softmax(-1)


# --- wasted bits -----------------------------------------------------------------------------------------------

wasted_bits = Answer(
    id="likelihood.wasted_bits",
    right=0.625,
    wrong={
        2.375: "that is what the wrong code takes, the cross-entropy; how much of it would the right code have needed?",
        1.75: "that is what the right code takes, the entropy; the question is what the wrong one takes beyond it.",
        0.5: "that is the waste of the first code on the second weather: KL is not symmetric.",
        0.0: "the code words are as long as before, but the long ones are now used more often.",
    },
    hints=(
        "Average the lengths of the four code words of q, each weighted by how often p has that weather.",
        "½·3 + ¼·1 + ⅛·2 + ⅛·3 bits, less the 1.75 bits that the code made for p takes.",
    ),
    why="the code for q takes 2.375 bits a day on p's weather, the code for p 1.75; the difference is KL(p‖q).",
    unit="bits",
)

# --- bits a symbol ---------------------------------------------------------------------------------------------


def _given(probabilities: Tensor, targets: Tensor) -> Tensor:
    return probabilities.gather(-1, targets[:, None])[:, 0]


cross_entropy_bits = Exercise(
    id="likelihood.cross_entropy_bits",
    reference=divergences.cross_entropy_bits,
    stub='''
def cross_entropy_bits(probabilities, targets):
    """Return the mean surprise in bits, a tensor without axes.

    probabilities (n, symbols): row i is what the model expects; targets (n,): what came.
    Worked value: probabilities = [[0.5, 0.5], [0.75, 0.25]], targets = [0, 1] give 1.5.
    """
    # 1. from row i the probability of targets[i]: two index tensors of length n
    # 2. the surprise of each, in bits
    # 3. their mean
    ...
''',
    probes=lambda: [
        Probe((_rows(6, 5, seed=1), torch.tensor([4, 0, 2, 2, 1, 3]))),
        Probe((_rows(1, 3, seed=2), torch.tensor([1]))),
        Probe((_rows(4, 9, seed=3), torch.tensor([8, 1, 5, 0]))),
    ],
    checked="three tables of probabilities, one of a single row.",
    gradients=False,  # PyTorch's cross_entropy normalises the rows: right values, another gradient off the simplex
    mistakes=(
        Mistake(
            "nats",
            lambda probabilities, targets: -_given(probabilities, targets).log().mean(),
            "the logarithm is the natural one",
            "a bit is one halving: which logarithm counts halvings?",
        ),
        Mistake(
            "wrong_way",
            lambda probabilities, targets: -_given(probabilities, targets).log().mean() * math.log(2),
            "nats are multiplied by ln 2",
            "a bit is smaller than a nat, so there must be more of them.",
        ),
        Mistake(
            "sum",
            lambda probabilities, targets: -_given(probabilities, targets).log2().sum(),
            "the surprises are added, not averaged",
            "that is the length of the whole code; the question is for bits a symbol.",
        ),
        Mistake(
            "sign",
            lambda probabilities, targets: _given(probabilities, targets).log2().mean(),
            "the minus sign is missing",
            "a logarithm of a probability is negative; a length is not.",
        ),
        Mistake(
            "log_of_mean",
            lambda probabilities, targets: -_given(probabilities, targets).mean().log2(),
            "the probabilities are averaged before the logarithm",
            "lengths of code words add up, probabilities do not: which comes first?",
        ),
        Mistake(
            "whole_table",
            lambda probabilities, targets: -probabilities.log2().mean(),
            "every number of the table is averaged, whatever came",
            "probabilities[:, targets] is not one number a row: you need a row index beside it.",
        ),
        Mistake(
            "own_entropy",
            lambda probabilities, targets: -(probabilities * probabilities.log2()).sum(-1).mean(),
            "the model's own probabilities are the weights, which gives its entropy",
            "what does the model pay for what really came? targets must matter.",
        ),
    ),
    hints=(
        "For probabilities of one half everywhere the answer is 1, whatever came. Is yours?",
        "probabilities[torch.arange(len(targets)), targets] picks one number a row.",
        "-(that).log2().mean()",
    ),
    why="Each symbol costs −log2 of the probability that was given to it, and only that one counts. PyTorch's "
    "cross_entropy is the same mean in nats, from logarithms of probabilities; divide it by ln 2.",
)

# --- one step of the arithmetic coder --------------------------------------------------------------------------


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

narrow = Exercise(
    id="likelihood.narrow",
    reference=coding.narrow,
    stub='''
def narrow(low, high, frequencies, symbol):
    """Return (low, high) of symbol's part of the integers low … high, both ends included.

    The parts lie in the order of the symbols, as wide as their frequencies (a list) are large.
    Worked value: low = 0, high = 99, frequencies = [1, 2, 1], symbol = 1 give (25, 74), integers.
    """
    # 1. how many integers are there from low to high, both included?
    # 2. the sum of the frequencies before this symbol, and the same with this symbol's own
    # 3. low + width * (each of them) // total; the upper end is one less
    ...
''',
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

# --- KL by Monte Carlo -----------------------------------------------------------------------------------------


def _log_density(x: Tensor, mu: Tensor, std: Tensor) -> Tensor:
    return -0.5 * ((x - mu) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)


def _log_ratio(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and log p(x) − log q(x)."""
    x = mu_p + std_p * eps
    return x, _log_density(x, mu_p, std_p) - _log_density(x, mu_q, std_q)


def _mean_and_error(values: Tensor) -> tuple[Tensor, Tensor]:
    return values.mean(), values.std() / math.sqrt(len(values))


def _from_q(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x = mu_q + std_q * eps
    return _mean_and_error(_log_density(x, mu_p, std_p) - _log_density(x, mu_q, std_q))


def _raw_draws(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    return _mean_and_error(_log_density(eps, mu_p, std_p) - _log_density(eps, mu_q, std_q))


def _no_normaliser(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x = mu_p + std_p * eps
    return _mean_and_error(0.5 * ((x - mu_q) / std_q) ** 2 - 0.5 * eps**2)


def _weighted(eps: Tensor, mu_p: Tensor, std_p: Tensor, mu_q: Tensor, std_q: Tensor) -> tuple[Tensor, Tensor]:
    x, ratio = _log_ratio(eps, mu_p, std_p, mu_q, std_q)
    return _mean_and_error(_log_density(x, mu_p, std_p).exp() * ratio)


def _with_error(error):
    """A right estimate with this error made of the single values."""

    def mistaken(eps, mu_p, std_p, mu_q, std_q):
        _, ratio = _log_ratio(eps, mu_p, std_p, mu_q, std_q)
        return ratio.mean(), error(ratio)

    return mistaken


def _kl_probe(n: int, seed: int, *parameters: float) -> Probe:
    eps = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Probe((eps, *(torch.tensor(v, dtype=torch.float64) for v in parameters)))


kl_monte_carlo = Exercise(
    id="likelihood.kl_monte_carlo",
    reference=divergences.kl_monte_carlo,
    stub='''
def kl_monte_carlo(eps, mu_p, std_p, mu_q, std_q):
    """Return (estimate, error): KL(p‖q) in nats by Monte Carlo, and its standard error.

    p = N(mu_p, std_p²), q = N(mu_q, std_q²), each number a tensor without axes; eps (n,): draws
    from N(0, 1), the only chance in here.
    Worked value: eps = [-1, 1], p = N(0, 1), q = N(1, 1) give (0.5, 1.0).
    """
    # 1. turn eps into draws x from p
    # 2. log p(x) - log q(x) for each; log N(x) = -½((x - mu)/std)² - log std - ½ log 2π
    # 3. mean, and standard deviation (torch's, with n - 1) over the root of n
    ...
''',
    probes=lambda: [
        _kl_probe(9, 1, 0.7, 0.5, -0.4, 1.5),
        _kl_probe(2, 2, -1.2, 2.0, 0.3, 0.8),
        _kl_probe(31, 3, 2.5, 1.3, 1.9, 3.1),
    ],
    checked="estimate and error for three pairs of Gaussians and 2, 9 and 31 draws.",
    outputs=("estimate", "error"),
    gradients=False,
    mistakes=(
        Mistake(
            "sign",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(-_log_ratio(eps, mu_p, std_p, mu_q, std_q)[1]),
            "log q − log p is averaged",
            "on draws from p, which of the two is the larger on average? KL is never negative.",
        ),
        Mistake(
            "from_q",
            _from_q,
            "the draws come from q, the logarithms as asked",
            "KL(p‖q) is an average under p: whose mean and spread make the draws?",
        ),
        Mistake(
            "other_direction",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(_log_ratio(eps, mu_q, std_q, mu_p, std_p)[1]),
            "p and q change places: KL(q‖p)",
            "the first name is the one that is averaged over.",
        ),
        Mistake(
            "variance_as_spread",
            lambda eps, mu_p, std_p, mu_q, std_q: _mean_and_error(
                _log_density(mu_p + std_p**2 * eps, mu_p, std_p) - _log_density(mu_p + std_p**2 * eps, mu_q, std_q)
            ),
            "the draws have the spread std_p²",
            "the second number of N(mu, std²) is squared already: what does eps have to be multiplied by?",
        ),
        Mistake(
            "raw_draws",
            _raw_draws,
            "eps itself is taken for draws from p",
            "eps has mean 0 and spread 1. How do you give it mean mu_p and spread std_p?",
        ),
        Mistake(
            "no_normaliser",
            _no_normaliser,
            "the terms −log std are left out",
            "a wide Gaussian is lower everywhere near its middle: where does your density say so?",
        ),
        Mistake(
            "weighted",
            _weighted,
            "each value is weighted by p(x) once more",
            "the draws already come more often where p is large.",
        ),
        Mistake(
            "spread",
            _with_error(lambda values: values.std()),
            "the error is the spread of single values",
            "is a mean of a million values as uncertain as one of them?",
        ),
        Mistake(
            "over_n",
            _with_error(lambda values: values.std() / len(values)),
            "the spread is divided by n",
            "variances shrink with n; what does a standard deviation shrink with?",
        ),
        Mistake(
            "variance",
            _with_error(lambda values: values.var() / len(values)),
            "the variance of the mean is returned in place of its root",
            "an error is in the same unit as the estimate.",
        ),
        Mistake(
            "biased",
            _with_error(lambda values: values.std(correction=0) / math.sqrt(len(values))),
            "the variance is divided by n, not by n − 1",
            "the mean was fitted to the same draws, which makes them look closer to it than they are.",
        ),
    ),
    hints=(
        "Try p = q first. Then p = N(0, 1), q = N(1, 1): the answer is ½, and the error must shrink with more draws.",
        "x = mu_p + std_p * eps has mean mu_p and spread std_p.",
        "values = log_p - log_q; return values.mean(), values.std() / math.sqrt(len(values)).",
    ),
    why="An expectation under p is a mean over draws from p. The ½ log 2π stands in both densities and cancels, so "
    "the course's own leaves it out. Noise that is handed in makes the same call give the same number.",
)

# --- cats and dogs ---------------------------------------------------------------------------------------------

cats_and_dogs = Answer(
    id="likelihood.cats_and_dogs",
    right="between",
    wrong={
        "cats_only": "that is what seeking does, KL(model‖data): every dog would cost this model dearly.",
        "both_apart": "a model with one hump has no way to leave a valley between two.",
        "copies": "that takes a model that can store each photo; this one has a mean and a spread.",
    },
    hints=(
        "Maximum likelihood minimises KL(data‖model). What does a dog cost a model that has cats alone?",
        "Look at the left panel: where is the orange curve highest?",
    ),
    why="every photo must get some density, cats and dogs alike, and one hump that covers both has its top between "
    "them. It is one reason why weak models trained by likelihood look blurred.",
)

EXERCISES = (wasted_bits, cross_entropy_bits, narrow, kl_monte_carlo, cats_and_dogs)
