"""The learner writes look_up: recall by one attention whose keys come from the position before."""

import torch
from torch import Tensor

from course_lib.chapters.ch04b_long_range.lookup import look_up
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(length: int, n_symbols: int, score: float, seed: int) -> Probe:
    tokens = torch.randint(n_symbols, (length,), generator=torch.Generator().manual_seed(seed))
    return Probe((tokens, n_symbols, score), says=f"tokens ({length},), n_symbols {n_symbols}, score {score}")


def _in_double(function, *args):
    """Call and widen float32: what came back is then told apart by its digits; only integers went in."""
    found = function(*args)
    return found.double() if isinstance(found, Tensor) and found.dtype == torch.float32 else found


ENTRY = Exercise(
    id="long_range.look_up",
    reference=look_up,
    probes=lambda: [_probe(7, 3, 2.5, 1), _probe(1, 4, 3.0, 2), _probe(23, 5, 1.3, 3)],
    checked="three lengths, a single position among them.",
    gradients=False,
    trial=_in_double,
    mistakes=(
        Mistake(
            "no_shift",
            {"@ before.T": "@ symbols.T"},
            "each position compares its symbol with those of the others, not with the ones before them",
            "a key that is asked for was told together with its value. At which position does the value stand?",
        ),
        Mistake(
            "query_shifted",
            {"symbols @ before.T": "before @ symbols.T"},
            "it is the query that was shifted: each position asks for the symbol before its own",
            "what does the second ‘c’ ask for, and which position has to answer?",
        ),
        Mistake(
            "values_shifted",
            {"@ before.T": "@ symbols.T", ".softmax(-1) @ symbols": ".softmax(-1) @ F.pad(symbols[1:], (0, 0, 0, 1))"},
            "a position is compared by its own symbol and hands out the one after it",
            "each position matches itself. May it know the symbol after it?",
        ),
        Mistake(
            "not_causal",
            {".masked_fill(future, -torch.inf)": ""},
            "positions look at later ones too",
            "at the time of the question, is the answer behind it known?",
        ),
        Mistake(
            "no_self",
            {"triu(1)": "triu()"},
            "no position looks at itself, so that the first has nothing to look at",
            "which later position would a position learn of by looking at itself?",
        ),
        Mistake(
            "only_matches",
            {".masked_fill(future, -torch.inf)": ".masked_fill(future | (scores == 0), -torch.inf)"},
            "what does not match is hidden, and where nothing matches nothing is left",
            "a score of 0 is no −∞: which weight does it get beside a score of 2?",
        ),
        Mistake(
            "divided_by_root",
            {"score * symbols": "score / n_symbols**0.5 * symbols"},
            "the scores are divided by the root of the number of symbols",
            "the score of a match is given. Does anything remain to be scaled?",
        ),
        Mistake(
            "finds_the_key",
            {".softmax(-1) @ symbols": ".softmax(-1) @ before"},
            "what is found is the symbol before the position, the one that was compared",
            "keys are for comparing, values for carrying away. Which of the two is wanted?",
        ),
        Mistake(
            "other_way",
            {"F.pad(symbols[:-1], (0, 0, 1, 0))": "F.pad(symbols[1:], (0, 0, 0, 1))"},
            "each position is compared by the symbol after it",
            "the value stands behind its key: what does it have to look at?",
        ),
        Mistake(
            "no_softmax",
            {".masked_fill(future, -torch.inf).softmax(-1)": ".masked_fill(future, 0)"},
            "the scores themselves weigh the symbols",
            "weights are not negative and add to 1.",
        ),
        Mistake(
            "not_normalised",
            {".softmax(-1)": ".exp()"},
            "the weights are exponentials that nothing divides by their sum",
            "a mean is wanted: to what do its weights add?",
        ),
        Mistake(
            "round_the_corner",
            {"F.pad(symbols[:-1], (0, 0, 1, 0))": "symbols.roll(1, 0)"},
            "the last symbol stands before the first",
            "the first position has nothing before it: which scores does it give?",
        ),
    ),
    hints=(
        "Take key 3, value 20, …, key 3 again. Which position shall the last one find, and by what can it be known?",
        "Queries and values are the symbols; the key of a position is the symbol before it, and the first has none.",
        "scores = score * one_hot(tokens) @ shifted.T, later positions to −∞, softmax, times one_hot(tokens)",
    ),
    why="Two steps: each position learns what stood before it, by the token shift or by a head that looks one back; "
    "then one look-up by content. No distance occurs in it. In trained models such pairs of heads are known as "
    "induction heads (Olsson et al. 2022).",
)
