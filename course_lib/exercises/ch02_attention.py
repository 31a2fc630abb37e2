"""The exercises of chapter 02: attention."""

import math

import torch
from torch import Tensor

from course_lib import attention
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, Property, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _some(*shape: int, seed: int) -> Tensor:
    """A mask with both answers in every row and in every column, so that each way to misread it shows."""
    query, key = torch.arange(shape[-2])[:, None], torch.arange(shape[-1])
    return ((query * 2 + key * 3 + seed) % 5 < 3).expand(shape).clone()


# --- the softmax's Jacobian ------------------------------------------------------------------------------------

softmax_jvp = Exercise(
    id="attention.softmax_jvp",
    reference=attention.softmax_jvp,
    stub='''
def softmax_jvp(weights, direction):
    """Return (diag(p) - p pᵀ) u for p = weights, u = direction, both (..., key).

    Worked value: p = [0.5, 0.5], u = [1, 0] gives [0.25, -0.25].
    """
    # 1. multiply out (diag(p) - p pᵀ) u on paper: no matrix is needed
    # 2. the sum runs over the last axis alone; keep that axis
    ...
''',
    probes=lambda: [
        Probe((_random(5, seed=1).softmax(-1), _random(5, seed=2))),
        Probe((_random(1, 4, seed=3).softmax(-1), _random(1, 4, seed=4))),
        Probe((_random(2, 3, 7, seed=5).softmax(-1), _random(2, 3, 7, seed=6))),
    ],
    checked="the product for one vector, a batch of one and a batch of (2, 3) vectors, and its gradients.",
    mistakes=(
        Mistake(
            "no_outer_product",
            lambda weights, direction: weights * direction,
            "the term p pᵀ u is left out",
            "raise one score: what happens to the other weights?",
        ),
        Mistake(
            "diagonal_only",
            lambda weights, direction: weights * (1 - weights) * direction,
            "the Jacobian has only its diagonal p (1 − p), as a sigmoid's has",
            "p pᵀ u is p times the number p·u, in which every key appears.",
        ),
        Mistake(
            "sum_over_batch",
            lambda weights, direction: weights * (direction - (weights * direction).sum()),
            "the sum p·u runs over the whole batch",
            "every vector of the batch has its own p·u: which axis belongs to one vector?",
        ),
        Mistake(
            "mean_for_sum",
            lambda weights, direction: weights * (direction - (weights * direction).mean(-1, keepdim=True)),
            "the mean of p u is taken in place of its sum",
            "the weights already sum to 1: p·u is a mean as it stands.",
        ),
        Mistake(
            "sign",
            lambda weights, direction: weights * ((weights * direction).sum(-1, keepdim=True) - direction),
            "the sign is turned round",
            "raising a score raises its own weight: is your diagonal positive?",
        ),
    ),
    hints=(
        "Do the rows of what you return sum to zero? The weights sum to 1 before and after a small step.",
        "diag(p) u is p * u, entry by entry. p pᵀ u is the vector p times the number pᵀu.",
        "p * (u - sum(p * u)), with the sum over the last axis and keepdim=True.",
    ),
    why="diag(p) u is an entrywise product and p (pᵀu) a vector times a number, so the product costs as much as "
    "the softmax itself; the matrix would cost the square. Because it is symmetric, the same line is the "
    "backward pass.",
)

# --- the variance of a dot product -----------------------------------------------------------------------------

variance_prediction = Answer(
    id="attention.variance_prediction",
    right=64.0,
    wrong={
        8.0: "that is the standard deviation; the variance is its square.",
        1.0: "that is the variance of one product q_i k_i; how many of them are added?",
        0.0: "that is the mean of q·k; the question is how far it spreads.",
        4096.0: "d_k enters once: variances of independent terms add, standard deviations do not.",
    },
    hints=(
        "What is the variance of one product of two independent standard normals?",
        "Variances of independent terms add up.",
    ),
    why="each of the 64 products has mean 0 and variance E[q²]E[k²] = 1; they are independent, so these add to 64.",
)

_moments = [(64, 0.0, 1.0, 0.0, 1.0), (16, 0.5, 2.0, -1.0, 3.0), (7, 1.5, 0.25, 2.0, 0.5), (1, -2.0, 3.0, 0.5, 1.25)]

dot_product_variance = Exercise(
    id="attention.dot_product_variance",
    reference=attention.dot_product_variance,
    stub='''
def dot_product_variance(d, mean_q, var_q, mean_k, var_k):
    """Return Var(q·k) for d independent entries of q and of k with these means and variances.

    Worked value: d = 2, means 0, variances 1 and 3 give 6.
    """
    # 1. Var(ab) = E[a²b²] - (E[ab])² for one pair of entries a, b
    # 2. E[a²] = var + mean², and expectations of independent factors multiply
    # 3. d such pairs
    ...
''',
    probes=lambda: [
        Probe(m, says="d = {}, mean_q = {}, var_q = {}, mean_k = {}, var_k = {}".format(*m)) for m in _moments
    ],
    checked="four combinations of d, means and variances.",
    gradients=False,
    mistakes=(
        Mistake(
            "means_ignored",
            lambda d, mean_q, var_q, mean_k, var_k: d * var_q * var_k,
            "the means are taken to be 0",
            "with mean 2, q² is on average var + 4, not var.",
        ),
        Mistake(
            "square_of_mean",
            lambda d, mean_q, var_q, mean_k, var_k: d * (var_q + mean_q**2) * (var_k + mean_k**2),
            "(E[ab])² is not subtracted",
            "that is the mean of the square; a variance subtracts the square of the mean.",
        ),
        Mistake(
            "mean_unsquared",
            lambda d, mean_q, var_q, mean_k, var_k: d * (var_q * var_k + mean_q * var_k + mean_k * var_q),
            "the means are not squared",
            "a variance has the unit of a square; does every term?",
        ),
        Mistake(
            "d_squared",
            lambda d, mean_q, var_q, mean_k, var_k: d**2 * (var_q * var_k + mean_q**2 * var_k + mean_k**2 * var_q),
            "d enters squared, as if all d products were one and the same number",
            "the products are independent of each other: what adds up, variances or standard deviations?",
        ),
        Mistake(
            "standard_deviation",
            lambda d, mean_q, var_q, mean_k, var_k: math.sqrt(
                d * (var_q * var_k + mean_q**2 * var_k + mean_k**2 * var_q)
            ),
            "the square root is taken at the end",
            "the question is for the variance, not for the standard deviation.",
        ),
    ),
    hints=(
        "Try one entry, d = 1, first. What is E[a²b²] when a and b are independent?",
        "E[a²b²] = (var_a + mean_a²)(var_b + mean_b²), and (E[ab])² = mean_a² mean_b².",
        "Var(ab) = var_a var_b + mean_a² var_b + mean_b² var_a; multiply by d.",
    ),
    why="Expectations of independent factors multiply, so Var(ab) = (v_a + m_a²)(v_b + m_b²) − m_a² m_b². The 1/√d_k "
    "of attention assumes means of 0: with other means the spread is larger than √d_k.",
)

# --- scaled dot-product attention ------------------------------------------------------------------------------


def _explicit(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float, dim: int = -1
) -> tuple[Tensor, Tensor]:
    scores = (q @ k.transpose(-2, -1)) * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = scores.softmax(dim)
    return weights @ v, weights


def _masked_late(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    _, weights = _explicit(q, k, v, None, q.shape[-1] ** -0.5)
    weights = weights if mask is None else weights * mask
    return weights @ v, weights


def _masked_with_zero(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    weights = (scores if mask is None else scores.masked_fill(~mask, 0.0)).softmax(-1)
    return weights @ v, weights


def _scaled_late(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    _, weights = _explicit(q, k, v, mask, 1.0)
    weights = weights * q.shape[-1] ** -0.5
    return weights @ v, weights


def _attention_probes() -> list[Probe]:
    return [
        Probe((_random(3, 5, seed=1), _random(7, 5, seed=2), _random(7, 2, seed=3))),
        Probe((_random(2, 3, 5, seed=4), _random(2, 7, 5, seed=5), _random(2, 7, 11, seed=6), _some(3, 7, seed=0))),
        Probe((_random(1, 4, 6, seed=7), _random(1, 5, 6, seed=8), _random(1, 5, 3, seed=9), _some(1, 4, 5, seed=1))),
        Probe(
            (
                *(_random(2, 3, n, 8, seed=10 + n) for n in (4, 5)),
                _random(2, 3, 5, 6, seed=20),
                _some(2, 1, 4, 5, seed=2),
            )
        ),
    ]


scaled_dot_product = Exercise(
    id="attention.scaled_dot_product",
    reference=attention.scaled_dot_product_attention,
    stub='''
def scaled_dot_product_attention(q, k, v, mask=None):
    """Return (output, weights): output (..., query, d_value), weights (..., query, key).

    q (..., query, d_head), k (..., key, d_head), v (..., key, d_value);
    mask broadcasts to (..., query, key), boolean, True = may attend.
    Worked value: q = [[1.]], k = [[1.], [0.]] give weights [[e/(1+e), 1/(1+e)]].
    """
    # 1. scores: every query with every key, divided by the square root of d_head
    # 2. where the mask is False, a score that the softmax turns into 0
    # 3. softmax over the keys, then the weighted sum of the values
    ...
''',
    probes=_attention_probes,
    checked="output and weights for four shapes, with and without a mask, float64 to 1e-10, and the gradients.",
    outputs=("output", "weights"),
    mistakes=(
        Mistake(
            "unscaled",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, 1.0),
            "the scores are not divided by √d_head",
            "how far do the scores spread when d_head is 64?",
        ),
        Mistake(
            "scaled_by_d",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, 1 / q.shape[-1]),
            "the scores are divided by d_head, not by its square root",
            "d_head is the variance of a score; what brings the spread back to 1?",
        ),
        Mistake(
            "scaled_by_keys",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, k.shape[-2] ** -0.5),
            "the scores are divided by the square root of the number of keys",
            "which axis does the dot product sum over?",
        ),
        Mistake(
            "scaled_by_d_value",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, v.shape[-1] ** -0.5),
            "the scores are divided by √d_value",
            "a score is a sum over the numbers of a query and a key; the values come later.",
        ),
        Mistake(
            "swapped",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, q.shape[-1] ** -0.5)[::-1],
            "the weights come first and the output second",
            "return the output, then the weights.",
        ),
        Mistake(
            "scaled_late",
            _scaled_late,
            "the weights are divided by √d_head, after the softmax",
            "do your weights sum to 1? The scale belongs to the scores.",
        ),
        Mistake(
            "wrong_axis",
            lambda q, k, v, mask=None: _explicit(q, k, v, mask, q.shape[-1] ** -0.5, dim=-2),
            "the softmax runs over the queries",
            "each query shares out one unit of attention: along which axis must the weights sum to 1?",
        ),
        Mistake(
            "mask_ignored",
            lambda q, k, v, mask=None: _explicit(q, k, v, None, q.shape[-1] ** -0.5),
            "the mask is not used",
            "what should the weight of a forbidden key be?",
        ),
        Mistake(
            "mask_inverted",
            lambda q, k, v, mask=None: _explicit(q, k, v, None if mask is None else ~mask, q.shape[-1] ** -0.5),
            "True is read as 'forbidden'",
            "True = may attend: which scores are to be filled?",
        ),
        Mistake(
            "mask_after_softmax",
            _masked_late,
            "the mask is applied after the softmax",
            "the weights that are left no longer sum to 1, and their size still tells of the forbidden keys.",
        ),
        Mistake(
            "mask_with_zero",
            _masked_with_zero,
            "a forbidden score is set to 0",
            "exp(0) = 1 is not nothing. Which score does the softmax turn into 0?",
        ),
    ),
    properties=(
        Property(
            "rows_sum_to_one",
            lambda output, q, k, v, mask=None: bool(torch.allclose(output[1].sum(-1), output[1].new_ones(()))),
            "each query's weights sum to 1",
        ),
        Property(
            "forbidden_is_zero",
            lambda output, q, k, v, mask=None: mask is None or not output[1].masked_fill(mask, 0.0).any(),
            "a key where the mask is False has weight 0",
        ),
    ),
    hints=(
        "Look at the weights first: does every row sum to 1, and is a forbidden key's weight exactly 0?",
        "k.transpose(-2, -1) turns (…, key, d_head) into (…, d_head, key), whatever stands in front.",
        "scores.masked_fill(~mask, -torch.inf), then .softmax(dim=-1); return weights @ v, weights.",
    ),
    why="The course's own fills with the smallest finite number and clears the forbidden weights afterwards: a query "
    "that may attend to no key then gets 0 and passes no gradient, where −∞ would give NaN. Yours is tried only on "
    "masks that leave every query something.",
)

# --- is it causal? ---------------------------------------------------------------------------------------------


def _attend_with(mask_of: Tensor):
    return lambda x: attention.scaled_dot_product_attention(x, x, x, mask_of)[0]


def _leaky_normaliser(x: Tensor) -> Tensor:
    weights = (x @ x.T / math.sqrt(x.shape[-1])).softmax(-1)
    return (weights * attention.causal_mask(len(x))) @ x


def _running_mean(x: Tensor) -> Tensor:
    return x.cumsum(0) / torch.arange(1, len(x) + 1)[:, None]


def _causal_probes() -> list[Probe]:
    T = 5
    one_ahead = torch.ones(T, T).tril(1) > 0
    pairs = attention.causal_mask(T) | (torch.arange(T)[:, None] // 2 == torch.arange(T) // 2)
    late = attention.causal_mask(T).clone()
    late[2, 3] = True
    layers = {
        "causal attention": _attend_with(attention.causal_mask(T)),
        "a running mean": _running_mean,
        "a layer that changes nothing": lambda x: x.clone(),
        "a mask that is off by one": _attend_with(one_ahead),
        "a mask applied after the softmax": _leaky_normaliser,
        "a mask that lets positions 0-1 and 2-3 see each other": _attend_with(pairs),
        "one hole in the mask, from row 2 to row 3": _attend_with(late),
        "subtracting the mean over all positions": lambda x: x - x.mean(0),
        "a leak of a ten-thousandth": lambda x: _running_mean(x) + 1e-4 * x.roll(-1, 0),
        "a layer that ignores its input": lambda x: torch.ones_like(x),
    }
    probes = [Probe((layer, _random(T, 3, seed=i)), says=says) for i, (says, layer) in enumerate(layers.items())]
    return [*probes, Probe((lambda x: x - x.mean(0), _random(1, 3, seed=30)), says="a sequence of one position")]


def _compare(attend, x, changed, rows, atol=1e-9) -> bool:
    return torch.allclose(attend(changed)[rows], attend(x)[rows], rtol=0, atol=atol)


def _changed(x: Tensor, rows: slice) -> Tensor:
    changed = x.clone()
    changed[rows] = 3 - 2 * x[rows]
    return changed


is_causal = Exercise(
    id="attention.is_causal",
    reference=attention.is_causal,
    stub='''
def is_causal(attend, x):
    """Return True if row t of attend(x) depends on x[: t + 1] alone, for every t; else False.

    attend maps (time, d_in) to (time, d_out); x (time, d_in) is an input to try it on.
    Worked value: attend = lambda x: x.flip(0) gives False.
    """
    # 1. for every t but the last: a copy of x with all rows after t changed, by a lot
    #    (change rows, do not cut them off: a layer may need all positions)
    # 2. rows 0 … t of the output must be what they were, up to rounding
    ...
''',
    probes=_causal_probes,
    checked="four causal layers pass and six planted leaks are caught, one of them a ten-thousandth strong.",
    gradients=False,
    mistakes=(
        Mistake(
            "last_row_only",
            lambda attend, x: len(x) == 1 or _compare(attend, x, _changed(x, slice(-1, None)), slice(0, -1)),
            "only the last position is changed",
            "positions 0 and 1 might see each other and nothing later: change what comes after every t.",
        ),
        Mistake(
            "first_row_only",
            lambda attend, x: _compare(attend, x, _changed(x, slice(1, None)), slice(0, 1)),
            "only the first row of the output is compared",
            "row 0 may be clean while row 2 looks at position 3: every t needs its turn.",
        ),
        Mistake(
            "whole_output",
            lambda attend, x: all(
                _compare(attend, x, _changed(x, slice(t + 1, None)), slice(None)) for t in range(len(x) - 1)
            ),
            "the whole output is compared, the rows after t as well",
            "rows after t are allowed to change: which rows must stand still?",
        ),
        Mistake(
            "past_changed",
            lambda attend, x: all(
                _compare(attend, x, _changed(x, slice(0, t)), slice(t, None)) for t in range(1, len(x))
            ),
            "the past is changed and the future compared",
            "a causal layer may use the past; it is the future that must have no effect.",
        ),
        Mistake(
            "loose_tolerance",
            lambda attend, x: all(
                _compare(attend, x, _changed(x, slice(t + 1, None)), slice(0, t + 1), atol=1e-2)
                for t in range(len(x) - 1)
            ),
            "differences below a hundredth count as none",
            "a leak of a ten-thousandth is a leak; rounding in float64 is near 1e-15.",
        ),
    ),
    hints=(
        "Which rows of the output may change when you change x[3], and which must not?",
        "for t in range(len(x) - 1): changed = x.clone(); changed[t + 1:] = something else.",
        "Compare attend(changed)[: t + 1] with attend(x)[: t + 1] by torch.allclose, with a small atol.",
    ),
    why="Changing everything after t at once is enough: if row t depends on any later position, this moves it, "
    "unless the changes happen to cancel. Comparing values finds every kind of leak, in the mask or past it; "
    "looking at the weights would miss the mask applied after the softmax.",
)

# --- heads -----------------------------------------------------------------------------------------------------

split_heads = Exercise(
    id="attention.split_heads",
    reference=attention.split_heads,
    stub='''
def split_heads(x, n_heads):
    """Return (batch, heads, time, d_head) for x (batch, time, d_model = heads · d_head).

    Head h gets the features h · d_head … (h + 1) · d_head - 1 of every position.
    Worked value: x = [[[1, 2, 3, 4]]], 2 heads give [[[[1, 2]], [[3, 4]]]].
    """
    # 1. cut the last axis into (heads, d_head): reshape
    # 2. move the heads in front of the time: transpose
    ...
''',
    probes=lambda: [
        Probe((_random(2, 5, 12, seed=1), 3)),
        Probe((_random(1, 4, 6, seed=2), 2)),
        Probe((_random(3, 7, 8, seed=3), 4)),
    ],
    checked="three shapes with 2, 3 and 4 heads, a batch of one among them, and the gradients.",
    mistakes=(
        Mistake(
            "no_transpose",
            lambda x, n_heads: x.reshape(*x.shape[:2], n_heads, -1),
            "the heads stay behind the time",
            "attention works on the last two axes, which must be (time, d_head).",
        ),
        Mistake(
            "one_reshape",
            lambda x, n_heads: x.reshape(x.shape[0], n_heads, x.shape[1], -1),
            "one reshape goes straight to (batch, heads, time, d_head)",
            "the shape is right but the numbers are shuffled between positions: reshape keeps the order in memory.",
        ),
        Mistake(
            "interleaved",
            lambda x, n_heads: x.reshape(*x.shape[:2], -1, n_heads).permute(0, 3, 1, 2),
            "head h gets every n_heads-th feature",
            "in (heads, d_head) the features of one head lie side by side.",
        ),
    ),
    hints=(
        "Put 0, 1, 2, … into x with torch.arange and look at where the numbers go.",
        "The last axis is heads · d_head: which of the two must vary slowest?",
        "x.reshape(B, T, n_heads, C // n_heads).transpose(1, 2)",
    ),
    why="A reshape reads the numbers in memory order; only the axis that is cut may be reshaped, and the new axes "
    "move by a transpose. It copies nothing: a head is a view of the same memory.",
)

join_heads = Exercise(
    id="attention.join_heads",
    reference=attention.join_heads,
    stub='''
def join_heads(x):
    """Undo split_heads: (batch, heads, time, d_head) becomes (batch, time, heads · d_head)."""
    # the two steps of split_heads, backwards
    ...
''',
    probes=lambda: [
        Probe((_random(2, 3, 5, 4, seed=1),)),
        Probe((_random(1, 2, 4, 3, seed=2),)),
        Probe((_random(3, 4, 7, 2, seed=3),)),
    ],
    checked="three shapes, a batch of one among them, and the gradients.",
    mistakes=(
        Mistake(
            "no_transpose_back",
            lambda x: x.reshape(x.shape[0], x.shape[2], -1),
            "the heads are not moved back behind the time before the reshape",
            "which two axes must be neighbours before they can become one?",
        ),
        Mistake(
            "interleaved_back",
            lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], x.shape[2], -1),
            "the features of the heads are interleaved",
            "head 0 comes first, whole; then head 1.",
        ),
        Mistake(
            "heads_summed",
            lambda x: x.sum(1).repeat(1, 1, x.shape[1]),
            "the heads are added up",
            "the heads lie side by side; mixing them is left to the output projection.",
        ),
    ),
    hints=(
        "split_heads(join_heads(x), n_heads) must be x again.",
        "x.transpose(1, 2) has shape (batch, time, heads, d_head).",
    ),
    why="After the transpose the memory is no longer in order, so this reshape copies; .view would refuse.",
)

# --- name the fault --------------------------------------------------------------------------------------------

_faults = {
    "unscaled": "then nearly every row would be all or nothing: one weight near 1, the rest near 0.",
    "wrong_axis": "then the columns would sum to 1 and the rows would not.",
    "unmasked": "then the triangle above the diagonal would be filled.",
    "mask_inverted": "then weights would stand only above the diagonal, and the last query would find nothing.",
}


faults = (
    one_fault(
        "attention.fault_a", "wrong_axis", _faults,
        "the columns sum to 1, the rows do not: the softmax ran over the queries.",
        "Add up a row, then a column.", "Row sums are written at the right.",
    ),
    one_fault(
        "attention.fault_b", "unscaled", _faults,
        "every row is nearly all or nothing: the scores were not divided by √d_head.",
        "How many keys does a query listen to?", "What makes a softmax hard?",
    ),
    one_fault(
        "attention.fault_c", "unmasked", _faults,
        "there are weights above the diagonal: the future is seen.",
        "Which cells of a causal layer must be empty?", "Look above the diagonal.",
    ),
)  # fmt: skip

EXERCISES = (
    softmax_jvp,
    variance_prediction,
    dot_product_variance,
    scaled_dot_product,
    is_causal,
    split_heads,
    join_heads,
    *faults,
)
