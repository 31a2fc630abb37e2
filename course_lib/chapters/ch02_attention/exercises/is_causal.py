"""The learner writes is_causal: whether a layer's output depends on later positions, found by changing them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.attention import dot_product, masks
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _attend_with(mask: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: dot_product.scaled_dot_product_attention(x, x, x, mask)[0]


def _leaky_normaliser(x: Tensor) -> Tensor:
    weights = (x @ x.T / math.sqrt(x.shape[-1])).softmax(-1)
    return (weights * masks.causal_mask(len(x))) @ x


def _running_mean(x: Tensor) -> Tensor:
    return x.cumsum(0) / torch.arange(1, len(x) + 1)[:, None]


def _leak(of: Callable[[Tensor], Tensor], into: slice = slice(None), ahead: int = 1) -> Callable[[Tensor], Tensor]:
    """A running mean that sees, in the numbers `into` of each row, what `of` makes of the row so many places ahead."""

    def layer(x: Tensor) -> Tensor:
        y = _running_mean(x)
        y[:-ahead, into] += of(x[ahead:])
        return y

    return layer


def _layers(T: int) -> dict[str, Callable[[Tensor], Tensor]]:
    causal = masks.causal_mask(T)
    one_ahead = torch.ones(T, T).tril(1) > 0
    pairs = causal | (torch.arange(T)[:, None] // 2 == torch.arange(T) // 2)
    middle, end = causal.clone(), causal.clone()
    middle[2, 3] = end[-2, -1] = True
    return {
        "causal attention": _attend_with(causal),
        "a running mean": _running_mean,
        "a layer that changes nothing": lambda x: x.clone(),
        "a mask that is off by one": _attend_with(one_ahead),
        "a mask applied after the softmax": _leaky_normaliser,
        "a mask that lets positions 0-1 and 2-3 see each other": _attend_with(pairs),
        "one hole in the mask, from row 2 to row 3": _attend_with(middle),
        "one hole in the mask, from the last row but one to the last": _attend_with(end),
        "subtracting the mean over all positions": lambda x: x - x.mean(0),
        "a leak of a ten-thousandth": _leak(lambda later: 1e-4 * later),
        "a leak from two places ahead": _leak(lambda later: later, ahead=2),
        "a leak of the first number of a later row": _leak(lambda later: later[:, :1]),
        "a leak of the last number of a later row": _leak(lambda later: later[:, -1:]),
        "a leak into the first number of a row": _leak(lambda later: later.sum(-1, keepdim=True), into=slice(0, 1)),
        "a leak into the last number of a row": _leak(lambda later: later.sum(-1, keepdim=True), into=slice(-1, None)),
        "a leak that leaves each row's sum alone": _leak(lambda later: later[:, :1] * numbers(1, -2, 1)),
        "a layer that ignores its input": lambda x: torch.ones_like(x),
    }


def _causal_probes() -> list[Probe]:
    probes = [Probe((layer, random(5, 3, seed=i)), says=says) for i, (says, layer) in enumerate(_layers(5).items())]
    return [*probes, Probe((lambda x: x - x.mean(0), random(1, 3, seed=30)), says="a sequence of one position")]


def _any_mixture(generator: torch.Generator) -> Probe:
    """A mixture of past positions, in half of the cases with a leak from one place, a thousandth strong or more."""

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    T, d = (int(size) for size in torch.randint(2, 6, (2,), generator=generator))
    mix, out, leak = drawn(T, T).tril(), drawn(d, 3), torch.zeros(T, T, dtype=torch.float64)
    row, later = sorted(torch.randperm(T, generator=generator)[:2].tolist())
    leak[row, later] = 10 ** -float(3 * torch.rand(1, generator=generator)) * (drawn(1) > 0)
    return Probe((lambda x: torch.tanh(mix @ x @ out) + leak @ x @ out, drawn(T, d)))


ENTRY = Exercise(
    id="attention.is_causal",
    reference=masks.is_causal,
    probes=_causal_probes,
    checked="five causal layers pass and thirteen planted leaks are caught, one of them a ten-thousandth strong.",
    gradients=False,
    variations=_any_mixture,
    mistakes=(
        Mistake(
            "last_row_only",
            {"range(x.shape[0] - 1)": "range(x.shape[0] - 2, x.shape[0] - 1)"},
            "only the last position is changed",
            "positions 0 and 1 might see each other and nothing later: change what comes after every t.",
        ),
        Mistake(
            "first_row_only",
            {"range(x.shape[0] - 1)": "range(min(1, x.shape[0] - 1))"},
            "only the first row of the output is compared",
            "row 0 may be clean while row 2 looks at position 3: every t needs its turn.",
        ),
        Mistake(
            "whole_output",
            {"attend(changed)[: t + 1], before[: t + 1]": "attend(changed), before"},
            "rows are compared that may change: those after t, or row t after x[t] itself was changed",
            "which part of x do you change for a given t, and which rows of the output must then stand still?",
        ),
        Mistake(
            "past_changed",
            {
                "changed[t + 1 :] += change[t + 1 :]": "changed[: t + 1] += change[: t + 1]",
                "attend(changed)[: t + 1], before[: t + 1]": "attend(changed)[t + 1 :], before[t + 1 :]",
            },
            "the past is changed and the future compared",
            "a causal layer may use the past; it is the future that must have no effect.",
        ),
        Mistake(
            "loose_tolerance",
            {"rtol=1e-9, atol=1e-9": "rtol=0, atol=1e-2"},
            "a difference of a ten-thousandth counts as none",
            "a leak of a ten-thousandth is a leak; rounding in float64 is near 1e-15.",
        ),
        Mistake(
            "last_row_unseen",
            {"range(x.shape[0] - 1)": "range(x.shape[0] - 2)"},
            "the loop ends one t too early, and the last position is never changed alone",
            "which is the last t that has a position after it?",
        ),
        Mistake(
            "next_row_only",
            {
                "changed[t + 1 :] += change[t + 1 :]": "changed[t + 1] += change[t + 1]",
                "attend(changed)[: t + 1], before[: t + 1]": "attend(changed)[t], before[t]",
            },
            "for each t only the position right after it is changed",
            "row t might look two places ahead: change everything that comes after it.",
        ),
        Mistake(
            "one_feature_changed",
            {"changed[t + 1 :] += change[t + 1 :]": "changed[t + 1 :, 0] += change[t + 1 :, 0]"},
            "only the first number of each later position is changed",
            "a layer may leak another one: change all of them.",
        ),
        Mistake(
            "one_feature_compared",
            {"attend(changed)[: t + 1], before[: t + 1]": "attend(changed)[: t + 1, 0], before[: t + 1, 0]"},
            "only the first number of each row of the output is compared",
            "the leak may show in another one: compare whole rows.",
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
