"""The learner writes top_p_filter: all logits outside the nucleus become −∞."""

import math

from course_lib.attention import sampling
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _threshold(logits, p):
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < (1 - p) * probabilities.amax(-1, keepdim=True), -math.inf)


def _by_value(logits, p):
    ordered = logits.sort(dim=-1, descending=True).values
    probabilities = ordered.softmax(-1)
    kept = (probabilities.cumsum(-1) - probabilities < p).sum(-1, keepdim=True)
    return logits.masked_fill(logits < ordered.gather(-1, kept - 1), -math.inf)


def _last_of_equals(logits, p):
    order = logits.argsort(dim=-1, stable=True).flip(-1)
    probabilities = logits.gather(-1, order).softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities >= p
    return logits.masked_fill(outside.gather(-1, order.argsort(-1)), -math.inf)


def _argmax(logits, p):
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    place = (ordered.softmax(-1).cumsum(-1) >= p).int().argmax(-1, keepdim=True)
    return logits.masked_fill(order.argsort(-1) > place, -math.inf)


_ln2 = math.log(2)
_exact = numbers(_ln2, 2 * _ln2, _ln2)  # the softmax is ¼, ½, ¼ to the last bit
_rounded = numbers(_ln2, _ln2, 2 * _ln2, _ln2, _ln2)  # 1/3 and four times 1/6, which add up to 0.9999999999999999
_logits = numbers(2.0, -1.0, 1.2, 0.3, 3.1, -0.4, 0.9)


ENTRY = Exercise(
    id="language.top_p_filter",
    reference=sampling.top_p_filter,
    probes=lambda: [
        Probe((_logits, 0.6)),
        Probe((random(3, 9, seed=1), 0.75)),
        Probe((random(1, 4, 6, seed=2), 0.3)),
        Probe((random(2, 5, seed=3), 0.05)),
        Probe((_exact, 0.5), says="probabilities ¼, ½, ¼ and p = 0.5"),
        Probe((_exact, 0.6), says="probabilities ¼, ½, ¼ and p = 0.6"),
        Probe((_rounded, 1.0), says="probabilities 1/6, 1/6, 1/3, 1/6, 1/6 and p = 1"),
    ],
    checked="seven shapes and p: one so small that one symbol stays, one reached exactly, equals, and p = 1.",
    gradients=False,
    mistakes=(
        Mistake(
            "crossing_dropped",
            {"(before >= p)": "(before + probabilities > p)"},
            "the symbol that crosses p is left out",
            "the nucleus has to reach p: the symbol that takes the sum over it belongs to it.",
        ),
        Mistake(
            "nothing_left",
            {"(before >= p)": "(before + probabilities > p)", "outside[..., 0] = False": "pass"},
            "the symbol that crosses p is left out, and where the first one crosses it nothing is left",
            "the nucleus has to reach p: the symbol that takes the sum over it belongs to it.",
        ),
        Mistake(
            "equals_kept",
            _by_value,
            "all symbols as probable as the last one kept are kept too",
            "of ¼, ½, ¼ two reach 0.6: compare places in the order, not values.",
        ),
        Mistake(
            "last_of_equals",
            _last_of_equals,
            "of equally probable symbols the last ones are kept",
            "of equals the first stay: sort with descending=True, stable=True.",
        ),
        Mistake(
            "one_too_many",
            {"(before >= p)": "(before >= p).roll(1, -1)"},
            "one symbol too many is kept",
            "once p is reached nothing more is needed: compare the sum before each symbol with p.",
        ),
        Mistake(
            "not_put_back",
            {"torch.full_like(logits, -torch.inf).scatter(-1, order, ": "("},
            "the sorted logits come back",
            "position i of the output must belong to symbol i: undo the sorting.",
        ),
        Mistake(
            "gathered_back",
            {
                "torch.full_like(logits, -torch.inf).scatter(-1, order, ": "torch.gather(",
                "(outside, -torch.inf))": "(outside, -torch.inf), -1, order)",
            },
            "gather is used to undo the sorting, which sorts a second time",
            "order says where each sorted one came from: scatter sends it there.",
        ),
        Mistake(
            "probabilities",
            {"(outside, -torch.inf))": "(outside, -torch.inf)).softmax(-1)"},
            "probabilities come back in place of logits",
            "logits in, logits out: the softmax follows later.",
        ),
        Mistake(
            "zeros",
            {
                "full_like(logits, -torch.inf)": "zeros_like(logits)",
                "masked_fill(outside, -torch.inf)": "masked_fill(outside, 0.0)",
            },
            "the logits outside are set to 0",
            "a logit of 0 is e⁰ = 1 before normalising, not probability 0.",
        ),
        Mistake(
            "threshold",
            _threshold,
            "each symbol is compared with the most probable one",
            "that is another rule (min-p). Here the probabilities are added up until they reach p.",
        ),
        Mistake(
            "more_than_p",
            {"before >= p": "before > p"},
            "a nucleus whose probabilities reach p exactly gets one symbol more",
            "½ reaches p = ½: is ‘more probable ones have p already’ a matter of > or of ≥?",
        ),
        Mistake(
            "first_place",
            _argmax,
            "argmax looks for the first place where the sum reaches p, and rounding has left it below p everywhere",
            "the sum of all may be 0.9999999999999999: what does argmax say when nothing is True?",
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
        "Sort each row, largest first, and keep the order. What do all symbols before this one have together?",
        "ordered.softmax(-1).cumsum(-1) includes each symbol itself; subtract its own probability.",
        "torch.full_like(logits, -torch.inf).scatter(-1, order, kept) puts the kept ones back.",
    ),
    why="‘The sum before me has reached p’ says outside, so the symbol that crosses p stays in and there is always at "
    "least one. Sorting costs V log V a token: nothing, beside the model.",
)
