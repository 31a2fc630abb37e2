"""The exercise online_softmax_update."""

# ruff: noqa: E741 (m, l, o are the papers' letters)

import torch

from course_lib.attention import online
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


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
    m, l = random(*batch, seed=seed), random(*batch, seed=seed + 1).abs() + 1
    o, scores = random(*batch, d, seed=seed + 2), random(*batch, tile, seed=seed + 3) + lift
    if forbid:
        scores[..., 0, 1:] = -torch.inf
        scores[..., -1, :] = -torch.inf
    return Probe((m, l, o, scores, random(*batch[:-1], tile, d, seed=seed + 4)))


ENTRY = Exercise(
    id="positions.online_softmax_update",
    reference=online.online_softmax_update,
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
