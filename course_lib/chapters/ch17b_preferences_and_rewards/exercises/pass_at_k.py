"""The learner estimates from n drawn answers how often one of k is right."""

import math

import torch

from course_lib.chat import rewards
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(right: int, n: int, k: int) -> Probe:
    return Probe((torch.tensor(right), n, k), says=f"{right} of {n} right, k = {k}")


def _variation(generator: torch.Generator) -> Probe:
    n = int(torch.randint(1, 13, (), generator=generator))
    right, k = (int(torch.randint(low, n + 1, (), generator=generator)) for low in (0, 1))
    return _probe(right, n, k)


def _choices(count):
    """Return a wrong answer that divides a number of choices of k, of right and wrong answers, by all choices."""
    return lambda right, n, k: torch.tensor(count(int(right), n - int(right), k) / math.comb(n, k))


ENTRY = Exercise(
    id="prefer.pass_at_k",
    reference=rewards.pass_at_k,
    probes=lambda: [_probe(3, 8, 4), _probe(1, 5, 2), _probe(7, 10, 3), _probe(6, 8, 3), _probe(0, 4, 2),
                    _probe(2, 6, 1), _probe(4, 4, 4)],
    checked="0 to all of 4 to 10 right, k from 1 to n, and k above the number of wrong ones.",
    gradients=False,
    rtol=1e-5,
    atol=1e-6,  # float32 comes back
    variations=_variation,
    mistakes=(
        Mistake(
            "plug_in",
            lambda right, n, k: 1 - (1 - right / n) ** k,
            "right/n is taken for the chance of a right answer",
            "with 1 of 2 right and k = 2 one of the two *is* right: your 3/4 draws the wrong one twice. Draw without "
            "putting back.",
        ),
        Mistake(
            "none_right",
            _choices(lambda c, w, k: math.comb(w, k)),
            "it is the chance that none is right",
            "what is its complement?",
        ),
        Mistake(
            "all_right",
            _choices(lambda c, w, k: math.comb(c, k)),
            "it is the chance that all k are right",
            "one right answer among the k is enough.",
        ),
        Mistake(
            "one_wrong",
            lambda right, n, k: torch.tensor(1 - math.comb(int(right), k) / math.comb(n, k)),
            "it is the chance that one of the k is *wrong*",
            "choose the k from the wrong ones: how many ways are there?",
        ),
        Mistake(
            "exactly_one",
            _choices(lambda c, w, k: c * math.comb(w, k - 1)),
            "it is the chance that exactly one of the k is right",
            "two right ones do no harm.",
        ),
        Mistake(
            "of_one",
            lambda right, n, k: right / n,
            "it is the share that is right, for k = 1",
            "with more draws there are more chances.",
        ),
        Mistake(
            "times_k",
            lambda right, n, k: torch.clamp(k * right / n, max=1),
            "k times the share is taken, cut at 1",
            "that counts a choice with two right answers twice.",
        ),
    ),
    hints=(
        "Any k of the n answers are as good as k new ones. How often is none of k chosen ones right?",
        "Of C(n, k) choices, C(n − right, k) hold wrong answers alone. math.comb gives 0 where there are too few.",
        "torch.tensor(1 - math.comb(n - int(right), k) / math.comb(n, k))",
    ),
    why="The mean over all choices of k out of n is unbiased, as each choice is one honest draw of k. The library "
    "multiplies (n − right − i)/(n − i) over i below k, which is the same and does not overflow for n = 1,000.",
)  # fmt: skip
