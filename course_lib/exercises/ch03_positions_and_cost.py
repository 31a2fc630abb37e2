"""The exercises of chapter 03: positions and cost."""

import torch
from torch import Tensor

from course_lib import attention, positions
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, Property

# ruff: noqa: E741 (m, l, o are the papers' letters)


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


# --- a shift is a rotation -------------------------------------------------------------------------------------


def _blocks(angles: Tensor, block) -> Tensor:
    return torch.block_diag(*(torch.stack([torch.stack(row) for row in block(a.cos(), a.sin())]) for a in angles))


def _in_halves(angles: Tensor) -> Tensor:
    cos, sin = torch.diag(angles.cos()), torch.diag(angles.sin())
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


shift_matrix = Exercise(
    id="positions.shift_matrix",
    reference=positions.shift_matrix,
    stub='''
def shift_matrix(angles):
    """Return the (d, d) matrix M for which p(t + n) = M p(t) for every t.

    angles (d/2,): n ω_i of each pair; p(t) = (sin ω_0 t, cos ω_0 t, sin ω_1 t, cos ω_1 t, …).
    Worked value: angles = [π/2] gives [[0, 1], [-1, 0]], up to rounding.
    """
    # 1. write sin(a + b) and cos(a + b) with the sines and cosines of a = ω t and b = ω n
    # 2. read off the 2 × 2 block of one pair: its rows make the new sine and the new cosine
    # 3. put the blocks on the diagonal of a (d, d) matrix of zeros, in float64
    ...
''',
    probes=lambda: [
        Probe((_random(1, seed=1),)),
        Probe((_random(2, seed=2),)),
        Probe((_random(5, seed=3),)),
    ],
    checked="the matrices of one, two and five pairs.",
    gradients=False,
    mistakes=(
        Mistake(
            "backwards",
            lambda angles: _blocks(angles, lambda c, s: ((c, -s), (s, c))),
            "the shift goes backwards, from t to t − n",
            "sin(a + b) = sin a cos b + cos a sin b: which sign stands before the cosine of the old position?",
        ),
        Mistake(
            "mirrored",
            lambda angles: _blocks(angles, lambda c, s: ((c, s), (s, -c))),
            "each block is a mirror image instead of a rotation",
            "cos(a + b) = cos a cos b − sin a sin b: which of the two carries the minus?",
        ),
        Mistake(
            "cosine_first",
            lambda angles: _blocks(angles, lambda c, s: ((s, c), (c, -s))),
            "cosine and sine have changed places in every block",
            "no shift, n = 0, must give the identity: what stands on the diagonal then?",
        ),
        Mistake(
            "halves",
            lambda angles: _in_halves(angles) if len(angles) > 1 else positions.shift_matrix(angles),
            "all sines come first and then all cosines",
            "here the sine and the cosine of one pair are neighbours: features 2i and 2i + 1.",
        ),
    ),
    properties=(
        Property(
            "rotation",
            lambda output, angles: bool(torch.allclose(output @ output.T, torch.eye(len(output)).to(output))),
            "M Mᵀ is the identity, as for every rotation",
        ),
    ),
    hints=(
        "Try one pair. What is M for n = 0? What for a quarter turn, n ω = π/2?",
        "The row for the sine is (cos b, sin b), the row for the cosine (−sin b, cos b).",
        "M = torch.zeros(2 * len(angles), 2 * len(angles), dtype=angles.dtype), then fill M[2i : 2i + 2, 2i : 2i + 2].",
    ),
    why="The two addition theorems are the two rows of a block. Every block is a rotation by its own angle and t does "
    "not occur in it, so one matrix moves all positions by n.",
)

# --- rotary ----------------------------------------------------------------------------------------------------


def _rotate(x: Tensor, angles: Tensor, sign: float = 1.0) -> Tensor:
    cos, sin = angles.cos(), sign * angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def _rotate_halves(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _not_put_back(x: Tensor, angles: Tensor) -> Tensor:
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)


def _cosine_only(x: Tensor, angles: Tensor) -> Tensor:
    return x * angles.cos().repeat_interleave(2, dim=-1)


def _sign_of_both(x: Tensor, angles: Tensor) -> Tensor:
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos + odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


rotate = Exercise(
    id="positions.rotate",
    reference=positions.rotate,
    stub='''
def rotate(x, angles):
    """Turn the pair (x[..., t, 2i], x[..., t, 2i + 1]) by angles[t, i], counter-clockwise.

    x (..., time, d), angles (time, d/2), in radians; returns (..., time, d).
    Worked value: x = [[1., 0.]], angles = [[π/2]] give [[0., 1.]], up to rounding.
    """
    # 1. the first and the second feature of every pair: x[..., 0::2] and x[..., 1::2]
    # 2. turn (a, b) by φ: (a cos φ − b sin φ, a sin φ + b cos φ)
    # 3. put the two back beside each other: stack on a new last axis, flatten the last two
    ...
''',
    probes=lambda: [
        Probe((_random(3, 4, seed=1), _random(3, 2, seed=2))),
        Probe((_random(1, 5, 6, seed=3), _random(5, 3, seed=4))),
        Probe((_random(2, 3, 4, 10, seed=5), _random(4, 5, seed=6))),
    ],
    checked="three shapes with up to two leading axes, and the gradients for x and for the angles.",
    mistakes=(
        Mistake(
            "clockwise",
            lambda x, angles: _rotate(x, angles, sign=-1.0),
            "the pairs are turned clockwise",
            "turning (1, 0) by a quarter must give (0, 1), not (0, −1).",
        ),
        Mistake(
            "halves",
            _rotate_halves,
            "feature i is paired with feature i + d/2",
            "some libraries do this, and models trained one way fail the other; here the pairs are neighbours.",
        ),
        Mistake(
            "not_put_back",
            _not_put_back,
            "all first features of the pairs come first and then all second ones",
            "a pair came from features 2i and 2i + 1 and goes back there: stack, then flatten.",
        ),
        Mistake(
            "cosine_only",
            _cosine_only,
            "every feature is multiplied by its cosine and nothing else",
            "a turned vector keeps its length. What does yours have after a quarter turn?",
        ),
        Mistake(
            "no_minus",
            _sign_of_both,
            "the sine of the first row has no minus",
            "a turned vector keeps its length: which of the four terms must be negative?",
        ),
    ),
    properties=(
        Property(
            "length",
            lambda output, x, angles: bool(torch.allclose(output.norm(dim=-1), x.norm(dim=-1), rtol=1e-9)),
            "turning keeps every row's length",
        ),
    ),
    hints=(
        "Is the length of every row what it was? Does angle 0 change nothing?",
        "a, b = x[..., 0::2], x[..., 1::2] are (…, time, d/2), the shape of the angles behind the leading axes.",
        "torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)",
    ),
    why="A pair is a point in the plane, and the two lines are its rotation; as complex numbers, (a + ib)·e^{iφ}. No "
    "matrix is needed: six operations a pair. Queries and keys are turned, values are not.",
)

# --- the online softmax ----------------------------------------------------------------------------------------


def _update(m, l, o, scores, values, shrink_l=True, shrink_o=True, grow=False):
    new_m = torch.maximum(m, scores.amax(-1))
    shrink = (new_m - m if grow else m - new_m).exp()
    weights = (scores - new_m[..., None]).exp()
    l = (l * shrink if shrink_l else l) + weights.sum(-1)
    return new_m, l, (o * shrink[..., None] if shrink_o else o) + weights @ values


def _tile_maximum(m, l, o, scores, values):
    new_m = scores.amax(-1)
    shrink, weights = (m - new_m).exp(), (scores - new_m[..., None]).exp()
    return new_m, l * shrink + weights.sum(-1), o * shrink[..., None] + weights @ values


def _old_maximum(m, l, o, scores, values):
    weights = (scores - m[..., None]).exp()
    return torch.maximum(m, scores.amax(-1)), l + weights.sum(-1), o + weights @ values


def _normalised(m, l, o, scores, values):
    new_m, new_l, new_o = _update(m, l, o, scores, values)
    return new_m, new_l, new_o / new_l[..., None]


def _softmax_of_tile(m, l, o, scores, values):
    new_m = torch.maximum(m, scores.amax(-1))
    shrink = (m - new_m).exp()
    total = (scores - new_m[..., None]).exp().sum(-1)
    return new_m, l * shrink + total, o * shrink[..., None] + scores.softmax(-1) @ values


def _state_probe(*batch: int, tile: int, d: int, seed: int, lift: float = 0.0, forbid: bool = False) -> Probe:
    m, l = _random(*batch, seed=seed), _random(*batch, seed=seed + 1).abs() + 1
    o, scores = _random(*batch, d, seed=seed + 2), _random(*batch, tile, seed=seed + 3) + lift
    if forbid:
        scores[..., 0, 1:] = -torch.inf
        scores[..., -1, :] = -torch.inf
    return Probe((m, l, o, scores, _random(*batch[:-1], tile, d, seed=seed + 4)))


online_softmax_update = Exercise(
    id="positions.online_softmax_update",
    reference=attention.online_softmax_update,
    stub='''
def online_softmax_update(m, l, o, scores, values):
    """Return m, l, o after one more tile of keys; o / l is the attention over all keys seen.

    m (..., query): largest score so far; l (..., query): sum of exp(score − m);
    o (..., query, d_value): sum of exp(score − m) · value.
    scores (..., query, tile), −∞ where forbidden; values (..., tile, d_value).
    Worked value: m = [0.], l = [1.], o = [[1.]], a score ln 2 with value 4: ln 2, 1.5, 4.5.
    """
    # 1. the new maximum: of the old one and of this tile's scores, for every query
    # 2. what was summed against the old maximum shrinks by exp(old − new)
    # 3. this tile's exp(score − new) is added: to l itself, to o times the values
    ...
''',
    probes=lambda: [
        _state_probe(3, tile=4, d=2, seed=1),
        _state_probe(1, 5, tile=2, d=3, seed=11, lift=3.0),
        _state_probe(2, 3, 4, tile=7, d=5, seed=21, lift=-1.0),
        _state_probe(2, 3, tile=4, d=6, seed=31, forbid=True),
        _state_probe(3, tile=2, d=4, seed=41, lift=600.0),
    ],
    checked="tiles above, below and around the old maximum, scores near 600, forbidden keys, and the gradients.",
    outputs=("m", "l", "o"),
    mistakes=(
        Mistake(
            "l_not_rescaled",
            lambda m, l, o, scores, values: _update(m, l, o, scores, values, shrink_l=False),
            "l is not rescaled to the new maximum",
            "the old l is a sum of exp(score − old m); what turns it into a sum of exp(score − new m)?",
        ),
        Mistake(
            "o_not_rescaled",
            lambda m, l, o, scores, values: _update(m, l, o, scores, values, shrink_o=False),
            "o is not rescaled to the new maximum",
            "o holds the same exponentials as l; what happened to those of l?",
        ),
        Mistake(
            "not_rescaled",
            lambda m, l, o, scores, values: _update(m, l, o, scores, values, shrink_l=False, shrink_o=False),
            "neither l nor o is rescaled to the new maximum",
            "try two tiles, the second with far larger scores: how much should the first still count?",
        ),
        Mistake(
            "grows",
            lambda m, l, o, scores, values: _update(m, l, o, scores, values, grow=True),
            "the old sums are multiplied by exp(new − old), which is 1 or more",
            "a larger maximum makes old terms smaller: which sign in the exponent?",
        ),
        Mistake(
            "tile_maximum",
            _tile_maximum,
            "m is this tile's maximum instead of the largest so far",
            "then a tile of small scores could make exp(old − new) overflow: m must never fall.",
        ),
        Mistake(
            "old_maximum",
            _old_maximum,
            "this tile is added with the old maximum subtracted",
            "which maximum belongs to the m that you return?",
        ),
        Mistake(
            "normalised",
            _normalised,
            "o is divided by l inside the update",
            "divide once, after the last tile; else the next update rescales a mean as if it were a sum.",
        ),
        Mistake(
            "softmax_of_tile",
            _softmax_of_tile,
            "the tile's values are averaged with a softmax over the tile alone",
            "a softmax divides by the tile's own sum; o wants the exponentials themselves.",
        ),
    ),
    hints=(
        "Start with m = −∞, l = 0, o = 0 and give all keys in one tile: is o / l the softmax's result?",
        "torch.maximum(m, scores.amax(-1)) for the new m; scores − new_m[..., None] is never positive.",
        "shrink = exp(m − new_m); l · shrink + weights.sum(-1); o · shrink[..., None] + weights @ values.",
    ),
    why="A softmax does not change when the same number is subtracted from all scores, so the number may change on the "
    "way, if everything summed so far is multiplied by exp(old − new). The course's own also takes a tile in which a "
    "query may attend to nothing while m is still −∞.",
)

# --- bytes -----------------------------------------------------------------------------------------------------


def _bytes(weights: int, rows: int, outputs: int = 4, numbers: int = 1):
    return lambda n_heads, T, d_head, itemsize=4: (
        n_heads * (rows * T * d_head + weights * T * T) * itemsize,
        n_heads * (outputs * T * d_head + numbers * T) * itemsize,
    )


_sizes = [(1, 1000, 64, 4), (12, 4096, 128, 2), (3, 77, 10, 8)]

attention_bytes = Exercise(
    id="positions.attention_bytes",
    reference=attention.attention_bytes,
    stub='''
def attention_bytes(n_heads, T, d_head, itemsize=4):
    """Return (explicit, online): the bytes that attention keeps for its backward pass, no mask.

    itemsize: bytes of one number. Explicit keeps q, k, v and the weights, of every head;
    online keeps q, k, v, the output and one number a query.
    Worked value: one head, T = 2, d_head = 1, itemsize 1 give (10, 10).
    """
    # 1. how many numbers has q in one head? the weights?
    # 2. times heads, times bytes
    ...
''',
    probes=lambda: [Probe(s, says="n_heads = {}, T = {}, d_head = {}, itemsize = {}".format(*s)) for s in _sizes],
    checked="three combinations of heads, length, width and bytes a number.",
    outputs=("explicit", "online"),
    gradients=False,
    mistakes=(
        Mistake(
            "scores_too",
            _bytes(weights=2, rows=3),
            "the scores are kept as well as the weights",
            "the softmax's backward pass, p (u − Σ p u), needs p alone.",
        ),
        Mistake(
            "weights_only",
            _bytes(weights=1, rows=0),
            "explicit attention keeps the weights and forgets q, k and v",
            "∂L/∂Q needs K, ∂L/∂K needs Q, ∂L/∂p needs V.",
        ),
        Mistake(
            "no_output",
            _bytes(weights=1, rows=3, outputs=3),
            "online attention does not keep its output",
            "Σ_j p_j ∂L/∂p_j of a row is G·o: the output stands in for a whole row of weights.",
        ),
        Mistake(
            "no_statistic",
            _bytes(weights=1, rows=3, numbers=0),
            "online attention keeps no number for each query",
            "from scores to weights again: what must be subtracted before exp?",
        ),
        Mistake(
            "one_head",
            lambda n_heads, T, d_head, itemsize=4: attention.attention_bytes(1, T, d_head, itemsize),
            "there is one head",
            "each head has its own weights, q, k and v.",
        ),
        Mistake(
            "numbers",
            lambda n_heads, T, d_head, itemsize=4: attention.attention_bytes(n_heads, T, d_head, 1),
            "numbers are counted instead of bytes",
            "how many bytes has one number?",
        ),
    ),
    hints=(
        "q is (T, d_head) in each head; the weights are (T, T).",
        "Explicit: 3 T d_head + T² numbers a head. Online: 4 T d_head + T.",
    ),
    why="The T² of the weights is the only term that is not proportional to the length. Online attention gives it up "
    "and computes the weights a second time, from q, k and one number a query.",
)

# --- a long context ----------------------------------------------------------------------------------------------

long_context = Answer(
    id="positions.long_context",
    right=16.0,
    wrong={
        17.179869184: "that is in units of 10^9 bytes; a gibibyte is 2^30.",
        17179869184.0: "those are the bytes; divide by 2^30.",
        8.0: "keys and values are both kept: twice that.",
        64.0: "only 8 heads have keys and values; four query heads share each.",
        32.0: "a bfloat16 has two bytes.",
        0.5: "that is one layer; there are 32.",
        128.0: "that is the share of one position in KiB, not the whole in GiB.",
    },
    hints=(
        "Numbers for one position in one layer: keys and values, of 8 heads, 128 numbers each.",
        "2 · 8 · 128 numbers · 2 bytes · 32 layers = 131,072 bytes a position, and there are 131,072 positions.",
    ),
    why="2 (k and v) · 32 layers · 8 heads · 128 numbers · 2 bytes = 128 KiB a position; times 131,072 positions is "
    "2^34 bytes, 16 GiB.",
    unit="GiB",
)

EXERCISES = (shift_matrix, rotate, online_softmax_update, attention_bytes, long_context)
