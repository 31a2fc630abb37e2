"""The learner writes online_softmax_update: the running maximum, sum and output after one more tile of keys."""

# ruff: noqa: E741 (m, l, o are the papers' letters)

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.attention import online
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_PLAIN = {"new_m.masked_fill(new_m == -torch.inf, 0.0)": "new_m"}  # −∞ − (−∞) where nothing was allowed so far


def _no_maximum(m, l, o, scores, values):
    new_m, old, weights = torch.maximum(m, scores.amax(-1)), m.exp(), scores.exp()
    o = o * old[..., None] + weights @ values
    return new_m, (l * old + weights.sum(-1)) / new_m.exp(), o / new_m.exp()[..., None]


def _own_maximum(m, l, o, scores, values):
    new_m = torch.maximum(m, scores.amax(-1))
    shrink, weights = (m - new_m).exp(), (scores - scores.amax(-1, keepdim=True)).exp()
    return new_m, l * shrink + weights.sum(-1), o * shrink[..., None] + weights @ values


def _old_maximum(m, l, o, scores, values):
    weights = (scores - m[..., None]).exp()
    return torch.maximum(m, scores.amax(-1)), l + weights.sum(-1), o + weights @ values


def _normalised(m, l, o, scores, values):
    new_m = torch.maximum(m, scores.amax(-1))
    shrink, weights = (m - new_m).exp(), (scores - new_m[..., None]).exp()
    l = l * shrink + weights.sum(-1)
    return new_m, l, (o * shrink[..., None] + weights @ values) / l[..., None]


def _first_tile(*batch: int, tile: int, d: int, seed: int, forbid: bool = False) -> Probe:
    """The state before any key: m = −∞, l = 0, o = 0; forbid: the first query may see none of these keys."""
    m, empty = torch.full(batch, -torch.inf, dtype=torch.float64), torch.zeros(*batch, d, dtype=torch.float64)
    scores, values = random(*batch, tile, seed=seed), random(*batch[:-1], tile, d, seed=seed + 1)
    if forbid:
        scores[..., 0, :] = -torch.inf
        return Probe((m, empty[..., 0], empty, scores, values), says="a first tile that forbids a query all its keys")
    return Probe((m, empty[..., 0], empty, scores, values))


def _state_probe(
    *batch: int, tile: int, d: int, seed: int, lift: float = 0.0, m_lift: float = 0.0, forbid: bool = False
) -> Probe:
    m, l = random(*batch, seed=seed) + m_lift, random(*batch, seed=seed + 1).abs() + 1
    o, scores = random(*batch, d, seed=seed + 2), random(*batch, tile, seed=seed + 3) + lift
    if forbid:
        scores[..., 0, 1:] = -torch.inf
        scores[..., -1, :] = -torch.inf
    return Probe((m, l, o, scores, random(*batch[:-1], tile, d, seed=seed + 4)))


def _trial(update: Callable, m: Tensor, l: Tensor, o: Tensor, scores: Tensor, values: Tensor) -> Any:
    """Call update; without gradients where all is −∞, since two equal maxima may share theirs in any way."""
    nothing = (m == -torch.inf) & (scores == -torch.inf).all(-1)
    with torch.set_grad_enabled(not bool(nothing.any())):
        return update(m, l, o, scores, values)


ENTRY = Exercise(
    id="positions.online_softmax_update",
    reference=online.online_softmax_update,
    trial=_trial,
    probes=lambda: [
        _state_probe(3, tile=4, d=2, seed=1),
        _state_probe(1, 5, tile=2, d=3, seed=11, lift=3.0),
        _state_probe(2, 3, 4, tile=7, d=5, seed=21, lift=-1.0),
        _state_probe(2, 3, tile=4, d=6, seed=31, forbid=True),
        _state_probe(3, tile=2, d=4, seed=41, lift=600.0),
        _first_tile(2, 4, tile=3, d=5, seed=51),
        _first_tile(3, tile=2, d=4, seed=61, forbid=True),
        _state_probe(2, 4, tile=3, d=2, seed=71, lift=800.0, m_lift=800.0),
    ],
    checked="a first tile, tiles above, below and around the old maximum, scores near 800, forbidden keys; gradients.",
    outputs=("m", "l", "o"),
    mistakes=(
        Mistake(
            "l_not_rescaled",
            _PLAIN | {"l * shrink": "l"},
            "l is not rescaled to the new maximum",
            "the old l is a sum of exp(score − old m); what turns it into a sum of exp(score − new m)?",
        ),
        Mistake(
            "o_not_rescaled",
            _PLAIN | {"o * shrink[..., None]": "o"},
            "o is not rescaled to the new maximum",
            "o holds the same exponentials as l; what happened to those of l?",
        ),
        Mistake(
            "not_rescaled",
            _PLAIN | {"l * shrink": "l", "o * shrink[..., None]": "o"},
            "neither l nor o is rescaled to the new maximum",
            "try two tiles, the second with far larger scores: how much should the first still count?",
        ),
        Mistake(
            "grows",
            _PLAIN | {"(m - origin).exp()": "(origin - m).exp()"},
            "the old sums are multiplied by exp(new − old), which is 1 or more",
            "a larger maximum makes old terms smaller: which sign in the exponent?",
        ),
        Mistake(
            "tile_maximum",
            _PLAIN | {"torch.maximum(m, scores.amax(dim=-1))": "scores.amax(dim=-1)"},
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
            _PLAIN | {"weights @ values": "scores.softmax(-1) @ values"},
            "the tile's values are averaged with a softmax over the tile alone",
            "a softmax divides by the tile's own sum; o wants the exponentials themselves.",
        ),
        Mistake(
            "two_exponents",
            _PLAIN | {"(scores - origin[..., None]).exp()": "(scores - m[..., None]).exp() * shrink[..., None]"},
            "this tile's terms are taken against the old maximum first and shrunk then",
            "before the first tile the old maximum is −∞: what is exp(score − (−∞))? Subtract the new one at once.",
        ),
        Mistake(
            "no_maximum",
            _no_maximum,
            "exponentials of whole scores are added up and divided by exp(m) at the end",
            "e^800 is too large for the computer: subtract the new maximum before you take an exponential.",
        ),
        Mistake(
            "m_not_returned",
            _PLAIN | {"return new_m, ": "return m, "},
            "the old m comes back",
            "l and o are now sums of exp(score − new m); which m will the next call need?",
        ),
        Mistake(
            "own_maximum",
            _own_maximum,
            "this tile's terms are taken against the tile's own maximum",
            "where the tile's maximum is below m, its terms are then too large: one maximum for old and new.",
        ),
        Mistake(
            "nothing_seen",
            _PLAIN,
            "a query whose keys so far are all forbidden computes −∞ − (−∞), which is not a number",
            "it has seen nothing: m stays −∞, and l and o stay 0. What can be subtracted in place of −∞?",
        ),
    ),
    hints=(
        "Start with m = −∞, l = 0, o = 0 and give all keys in one tile: is o / l the softmax's result?",
        "torch.maximum(m, scores.amax(-1)) for the new m; scores − new_m[..., None] is never positive.",
        "shrink = exp(m − new_m); l · shrink + weights.sum(-1); o · shrink[..., None] + weights @ values. Where new_m "
        "is −∞, subtract 0 in its place, new_m.masked_fill(new_m == -torch.inf, 0.0): exp(−∞ − 0) = 0.",
    ),
    why="A softmax does not change when the same number is subtracted from all scores, so the number may change on the "
    "way, if everything summed so far is multiplied by exp(old − new). While a query has been allowed nothing, m stays "
    "−∞ and both sums 0: any finite number may be subtracted then.",
)
