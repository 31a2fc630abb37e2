"""The exercise top_p_filter."""

import torch
from torch import Tensor

from course_lib.attention import sampling
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _nucleus(logits: Tensor, p: float, keep, back=None) -> Tensor:
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    cut = ordered.masked_fill(~keep(probabilities, probabilities.cumsum(-1)), -torch.inf)
    return torch.full_like(logits, -torch.inf).scatter(-1, order, cut) if back is None else back(cut, order)


def _one_more(probabilities, total, p):
    before = total - probabilities
    return torch.cat([torch.ones_like(before[..., :1], dtype=torch.bool), before[..., :-1] < p], dim=-1)


def _threshold(logits, p):
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < (1 - p) * probabilities.amax(-1, keepdim=True), -torch.inf)


_logits = torch.tensor([2.0, -1.0, 1.2, 0.3, 3.1, -0.4, 0.9], dtype=torch.float64)


ENTRY = Exercise(
    id="language.top_p_filter",
    reference=sampling.top_p_filter,
    probes=lambda: [
        Probe((_logits, 0.6)),
        Probe((random(3, 9, seed=1), 0.75)),
        Probe((random(1, 4, 6, seed=2), 0.3)),
        Probe((random(2, 5, seed=3), 0.05)),
    ],
    checked="four shapes and four p, one so small that a single symbol stays.",
    gradients=False,
    mistakes=(
        Mistake(
            "crossing_dropped",
            lambda logits, p: _nucleus(
                logits, p, lambda q, total: (total <= p) | (torch.arange(q.shape[-1]) == 0).expand(q.shape)
            ),
            "the symbol that crosses p is left out",
            "the nucleus has to reach p: the symbol that takes the sum over it belongs to it.",
        ),
        Mistake(
            "one_too_many",
            lambda logits, p: _nucleus(logits, p, lambda q, total: _one_more(q, total, p)),
            "one symbol too many is kept",
            "once p is reached nothing more is needed: compare the sum before each symbol with p.",
        ),
        Mistake(
            "not_put_back",
            lambda logits, p: _nucleus(logits, p, lambda q, total: total - q < p, back=lambda cut, order: cut),
            "the sorted logits come back",
            "position i of the output must belong to symbol i: undo the sorting.",
        ),
        Mistake(
            "gathered_back",
            lambda logits, p: _nucleus(
                logits, p, lambda q, total: total - q < p, back=lambda cut, order: cut.gather(-1, order)
            ),
            "gather is used to undo the sorting, which sorts a second time",
            "order says where each sorted one came from: scatter sends it there.",
        ),
        Mistake(
            "probabilities",
            lambda logits, p: sampling.top_p_filter(logits, p).softmax(-1),
            "probabilities come back in place of logits",
            "logits in, logits out: the softmax follows later.",
        ),
        Mistake(
            "zeros",
            lambda logits, p: sampling.top_p_filter(logits, p).nan_to_num(neginf=0.0),
            "the logits outside are set to 0",
            "a logit of 0 is e⁰ = 1 before normalising, not probability 0.",
        ),
        Mistake(
            "threshold",
            _threshold,
            "each symbol is compared with the most probable one",
            "that is another rule (min-p). Here the probabilities are added up until they reach p.",
        ),
    ),
    properties=(
        Property(
            "most_probable",
            lambda output, logits, p: (
                output.shape != logits.shape
                or bool(output.gather(-1, logits.argmax(-1, keepdim=True)).isfinite().all())
            ),
            "the most probable symbol is never cut",
        ),
    ),
    hints=(
        "How many symbols does a very small p leave? Not none: the one that reaches p is inside. How many p = 1?",
        "ordered.softmax(-1).cumsum(-1) includes each symbol itself; subtract its own probability.",
        "torch.full_like(logits, -torch.inf).scatter(-1, order, kept) puts the kept ones back.",
    ),
    why="‘The sum before me has reached p’ says outside, so the symbol that crosses p stays in and there is always at "
    "least one. Sorting costs V log V a token: nothing, beside the model.",
)
