"""The exercises of chapter 05: a language model."""

import torch
from torch import Tensor

from course_lib import attention, ngram, sampling, training
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, Property, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


# --- Kneser–Ney's discount -------------------------------------------------------------------------------------

_counts = [[1, 1, 1, 2, 5], [1, 2, 2, 2, 3, 3, 9, 1], [1, 0, 0, 1, 2, 4, 1, 1, 7, 2, 2]]


def _discount(twos: float = 2.0, numerator: int = 1):
    def absolute_discount(counts):
        ones, pairs = int((counts == 1).sum()), int((counts == 2).sum())
        return (ones if numerator == 1 else pairs) / (ones + twos * pairs)

    return absolute_discount


absolute_discount = Exercise(
    id="language.absolute_discount",
    reference=ngram.absolute_discount,
    stub='''
def absolute_discount(counts):
    """Return the discount D = n₁ / (n₁ + 2 n₂) as a number; n_r: how many of the counts are r.

    counts: a tensor of integers, one for each n-gram. Counts of 0 play no part.
    Worked value: counts = [1, 1, 1, 2, 5] give 3 / (3 + 2) = 0.6.
    """
    # 1. how many n-grams were seen once, and how many twice; .item() makes Python numbers of them
    # 2. the fraction
    ...
''',
    probes=lambda: [Probe((torch.tensor(c),), says=f"counts = {c}") for c in _counts],
    checked="three lists of counts, one with zeros.",
    gradients=False,
    mistakes=(
        Mistake(
            "twos_once",
            _discount(twos=1.0),
            "n₂ enters the denominator once",
            "it is n₁ + 2 n₂: each n-gram seen twice has two occurrences.",
        ),
        Mistake(
            "n2_above",
            _discount(numerator=2),
            "n₂ stands in the numerator",
            "the discount is the larger, the more n-grams were seen only once.",
        ),
        Mistake(
            "share_of_ones",
            lambda counts: (counts == 1).double().mean().item(),
            "the share of n-grams seen once is taken, among all of them",
            "only those seen once and twice enter.",
        ),
        Mistake(
            "share_of_occurrences",
            lambda counts: int((counts == 1).sum()) / int(counts.sum()),
            "n₁ is divided by all occurrences",
            "that is Good and Turing's share of the unseen, a neighbour of D. Only n₁ and n₂ enter here.",
        ),
    ),
    hints=(
        "n₁ is a count of counts: how many entries are equal to 1?",
        "(counts == 1).sum().item() counts them; a quotient of two integer tensors would be in float32.",
        "n1 / (n1 + 2 * n2)",
    ),
    why="Of n-grams seen once and twice one expects, in as much new text, about r − D occurrences each; leaving one "
    "occurrence out at a time gives this estimate of D from n₁ and n₂ alone.",
)

# --- the schedule ----------------------------------------------------------------------------------------------

_shares = [0.0, 0.01, 0.1, 0.3, 0.45, 0.7, 0.95, 1.0]


def _starts_at_once(share, warmup=0.02, decay=0.6):
    return min(1.0, (1 - share) / decay)


def _falls_from_warmup(share, warmup=0.02, decay=0.6):
    return share / warmup if share < warmup else (1 - share) / (1 - warmup)


def _ends_high(share, warmup=0.02, decay=0.6):
    return min(share / warmup, 1.0, (1 - share) / decay + 0.1)


def _decay_is_a_place(share, warmup=0.02, decay=0.6):
    return min(share / warmup, 1.0, (1 - share) / (1 - decay))


def _product(share, warmup=0.02, decay=0.6):
    return min(share / warmup, 1.0) * (1 - share)


_warmups = ((0.02, 0.6), (0.2, 0.5), (0.1, 0.3))

warmup_then_linear = Exercise(
    id="language.warmup_then_linear",
    reference=training.warmup_then_linear,
    stub='''
def warmup_then_linear(share, warmup=0.02, decay=0.6):
    """Return the factor on the learning rate when this share of the training, 0 to 1, is done.

    It rises in a straight line from 0 to 1 during the first `warmup` of the training, stays at 1,
    and falls in a straight line to 0 during the last `decay` of it.
    Worked values: warmup 0.2, decay 0.5: share 0.1 gives 0.5, 0.3 gives 1, 0.75 gives 0.5.
    """
    # 1. the rising line: 0 at share 0, 1 at share = warmup
    # 2. the falling line: 1 at share = 1 - decay, 0 at share 1
    # 3. the smallest of the two lines and 1
    ...
''',
    probes=lambda: [
        Probe((share, warmup, decay), says=f"share = {share}, warmup = {warmup}, decay = {decay}")
        for warmup, decay in _warmups
        for share in _shares
    ],
    checked="the start, the middle and the end of three schedules.",
    gradients=False,
    mistakes=(
        Mistake("no_warmup", _starts_at_once, "there is no rise at the start", "what is the factor at share 0?"),
        Mistake(
            "no_level",
            _falls_from_warmup,
            "the fall begins as soon as the rise ends",
            "between warmup and 1 − decay the factor stays at 1.",
        ),
        Mistake("ends_high", _ends_high, "it ends at 0.1", "at share 1 the factor is 0."),
        Mistake(
            "decay_is_a_place",
            _decay_is_a_place,
            "decay is taken for the place where the fall begins",
            "decay is how much of the training the fall takes: it begins at 1 − decay.",
        ),
        Mistake(
            "product",
            _product,
            "the rise is multiplied by a fall over the whole training",
            "between the two lines there is a level part at 1.",
        ),
    ),
    hints=(
        "Draw it: a ramp, a plateau, a longer ramp down.",
        "share / warmup rises; (1 − share) / decay falls and is above 1 until the fall begins.",
        "min(share / warmup, 1, (1 - share) / decay)",
    ),
    why="A minimum of two lines and 1 has no corner to get wrong. The rise keeps the first steps small, when the "
    "optimizer's averages know little; the fall to 0 averages out the noise of the batches.",
)

# --- top-p -----------------------------------------------------------------------------------------------------


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

top_p_filter = Exercise(
    id="language.top_p_filter",
    reference=sampling.top_p_filter,
    stub='''
def top_p_filter(logits, p):
    """Return logits (..., vocab), those outside the nucleus set to -inf; 0 < p <= 1.

    The nucleus: the fewest symbols whose probabilities reach p together, the most probable first.
    Worked value: probabilities 0.5, 0.3, 0.2 and p = 0.6 keep the first two.
    """
    # 1. sort the logits, largest first, and remember the order
    # 2. for each: the probability of all that are more probable, itself not included
    # 3. where that has already reached p, the symbol is outside
    # 4. put everything back where it was
    ...
''',
    probes=lambda: [
        Probe((_logits, 0.6)),
        Probe((_random(3, 9, seed=1), 0.75)),
        Probe((_random(1, 4, 6, seed=2), 0.3)),
        Probe((_random(2, 5, seed=3), 0.05)),
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

# --- one step with a cache -------------------------------------------------------------------------------------


def _step(
    new: tuple[Tensor, ...], order: int = 1, attend_first: bool = False, scale: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v, keys, values = new
    new_keys = torch.cat([keys, k][::order], dim=-2)
    new_values = torch.cat([values, v][::order], dim=-2)
    seen = (keys, values) if attend_first else (new_keys, new_values)
    scores = q @ seen[0].transpose(-2, -1) / (q.shape[-1] ** 0.5 if scale else 1.0)
    return scores.softmax(-1) @ seen[1], new_keys, new_values


def _first_row(q, k, v, keys, values):
    keys, values = torch.cat([keys, k], dim=-2), torch.cat([values, v], dim=-2)
    mask = torch.ones(1, keys.shape[-2], dtype=torch.bool).tril()
    return attention.scaled_dot_product_attention(q, keys, values, mask)[0], keys, values


def _unchanged(q, k, v, keys, values):
    return attention.cached_attention(q, k, v, keys, values)[0], keys, values


def _cache_probe(*batch: int, seen: int, d: int, d_value: int, seed: int) -> Probe:
    new = (_random(*batch, 1, size, seed=seed + i) for i, size in enumerate((d, d, d_value)))
    return Probe((*new, _random(*batch, seen, d, seed=seed + 3), _random(*batch, seen, d_value, seed=seed + 4)))


cached_attention = Exercise(
    id="language.cached_attention",
    reference=attention.cached_attention,
    stub='''
def cached_attention(q, k, v, keys, values):
    """Return (output, keys, values) after one new position.

    q, k (..., 1, d), v (..., 1, d_value): of the new position; keys (..., seen, d), values
    (..., seen, d_value): of all before it. output (..., 1, d_value): what causal attention over all
    positions has in its last row; keys and values come back with the new position at the end.
    Worked value: q = k = v = [[1.]] and empty keys, values (0, 1) give ([[1.]], [[1.]], [[1.]]).
    """
    # 1. the new position may attend to itself: put k and v behind what is kept
    # 2. one query, all keys: is a mask needed?
    ...
''',
    probes=lambda: [
        _cache_probe(seen=4, d=3, d_value=5, seed=1),
        _cache_probe(1, 2, seen=3, d=4, d_value=2, seed=11),
        _cache_probe(2, 3, seen=6, d=5, d_value=4, seed=21),
    ],
    outputs=("output", "keys", "values"),
    checked="three shapes, and the gradients for everything that went in.",
    mistakes=(
        Mistake(
            "itself_unseen",
            lambda *new: _step(new, attend_first=True),
            "the new position attends to the others only",
            "a position may attend to itself: first append, then attend.",
        ),
        Mistake(
            "in_front",
            lambda *new: _step(new, order=-1),
            "the new keys and values are put in front",
            "the next step, and every position's place, count on the order of time.",
        ),
        Mistake(
            "no_scale",
            lambda *new: _step(new, scale=False),
            "the scores are not divided by √d",
            "it is the attention of chapter 02, for one query.",
        ),
        Mistake(
            "first_row_mask",
            _first_row,
            "the query is masked as if it were the first position",
            "a causal mask made for one query allows key 0 alone; the new position is the last one.",
        ),
        Mistake(
            "not_kept",
            _unchanged,
            "the keys and values come back without the new position",
            "what is not kept now is missing in the next step.",
        ),
    ),
    hints=(
        "How many keys does the new query see? How many come back?",
        "torch.cat([keys, k], dim=-2), the same for the values, then attention without a mask.",
        "scaled_dot_product_attention(q, keys, values) of chapter 02 returns (output, weights).",
    ),
    why="Under a causal mask nothing that is known about the past depends on the future, so its keys and values "
    "never change; and the newest query may see all that is kept, so no mask is left to apply.",
)

# --- predictions and diagnoses ---------------------------------------------------------------------------------

ladder_prediction = Answer(
    id="language.ladder_prediction",
    right="rate",
    wrong={
        "muon": "the other optimizer is second; a simpler knob was further from its best.",
        "rotary": "over learned positions it gains a few hundredths here; how much it costs to do without comes later.",
        "batch": "more text per step helps in the middle of the ladder, by about half as much.",
        "activation": "a different activation gains nothing here.",
    },
    hints=("Which of them did nanoGPT set for a training several times as long?", "Chapter 02 trained with 1e-2."),
    why="the published rate was set for a larger model and 5,000 steps. With one minute, one four times as large gains "
    "most of all rungs: tune what you have before you change what you have.",
)

_curves = {
    "overfitting": "then validation falls, turns, and rises while training goes on falling.",
    "underfitting": "a sound run, stopped early, falls as the honest one does up to there, validation beside it.",
    "rate_too_high": "then training itself would jump or stay high.",
    "leak": "then both would fall far under every baseline, at once.",
}

EXERCISES = (
    absolute_discount,
    ladder_prediction,
    warmup_then_linear,
    top_p_filter,
    cached_attention,
    *(
        one_fault(
            "language.curve_a", "overfitting", _curves,
            "training goes on falling while validation turns upwards: the model learns its text by heart.",
            "Compare the two curves' directions at the end.", "Which curve knows only text that was seen?",
        ),
        one_fault(
            "language.curve_b", "rate_too_high", _curves,
            "training itself stays high, far above the honest run: the steps are too long to settle anywhere.",
            "Does the training loss fall?", "What would make even training fail?",
        ),
        one_fault(
            "language.curve_c", "leak", _curves,
            "a loss far under every baseline within a few hundred steps is no success but a view of the answer.",
            "Compare with the best baseline.", "What did chapter 02 say about losses that are too good?",
        ),
    ),
)  # fmt: skip
