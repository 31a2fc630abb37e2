"""The exercise is_causal."""

import math

import torch
from torch import Tensor

from course_lib.attention import dot_product, masks
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _attend_with(mask_of: Tensor):
    return lambda x: dot_product.scaled_dot_product_attention(x, x, x, mask_of)[0]


def _leaky_normaliser(x: Tensor) -> Tensor:
    weights = (x @ x.T / math.sqrt(x.shape[-1])).softmax(-1)
    return (weights * masks.causal_mask(len(x))) @ x


def _running_mean(x: Tensor) -> Tensor:
    return x.cumsum(0) / torch.arange(1, len(x) + 1)[:, None]


def _causal_probes() -> list[Probe]:
    T = 5
    one_ahead = torch.ones(T, T).tril(1) > 0
    pairs = masks.causal_mask(T) | (torch.arange(T)[:, None] // 2 == torch.arange(T) // 2)
    late = masks.causal_mask(T).clone()
    late[2, 3] = True
    layers = {
        "causal attention": _attend_with(masks.causal_mask(T)),
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
    probes = [Probe((layer, random(T, 3, seed=i)), says=says) for i, (says, layer) in enumerate(layers.items())]
    return [*probes, Probe((lambda x: x - x.mean(0), random(1, 3, seed=30)), says="a sequence of one position")]


def _compare(attend, x, changed, rows, atol=1e-9) -> bool:
    return torch.allclose(attend(changed)[rows], attend(x)[rows], rtol=0, atol=atol)


def _changed(x: Tensor, rows: slice) -> Tensor:
    changed = x.clone()
    changed[rows] = 3 - 2 * x[rows]
    return changed


ENTRY = Exercise(
    id="attention.is_causal",
    reference=masks.is_causal,
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
