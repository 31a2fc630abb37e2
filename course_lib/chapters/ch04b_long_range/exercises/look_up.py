"""The learner writes look_up: recall by one attention whose keys come from the position before."""

import torch

from course_lib.chapters.ch04b_long_range.lookup import look_up
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(length: int, n_symbols: int, score: float, seed: int) -> Probe:
    tokens = torch.randint(n_symbols, (length,), generator=torch.Generator().manual_seed(seed))
    return Probe((tokens, n_symbols, score), says=f"tokens ({length},), n_symbols {n_symbols}, score {score}")


ENTRY = Exercise(
    id="long_range.look_up",
    reference=look_up,
    probes=lambda: [_probe(7, 3, 2.5, 1), _probe(1, 4, 3.0, 2), _probe(23, 5, 1.3, 3)],
    checked="three lengths, a single position among them.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_shift",
            {"@ before.T": "@ symbols.T"},
            "each position compares its symbol with those of the others, not with the ones before them",
            "a key that is asked for was told together with its value. At which position does the value stand?",
        ),
        Mistake(
            "not_causal",
            {".masked_fill(future, -torch.inf)": ""},
            "positions look at later ones too",
            "at the time of the question, is the answer behind it known?",
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
