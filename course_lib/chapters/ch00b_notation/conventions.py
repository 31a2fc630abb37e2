"""Translations between what sources write and what this course writes."""

import math

from jaxtyping import Bool, Float
from torch import Tensor


def logvar_from(value: Float[Tensor, "*shape"], meaning: str) -> Float[Tensor, "*shape"]:
    """Return log σ² of a spread that a source gives as its std, variance, log_std, logvar or precision (1/σ²).

    KeyError for any other meaning.
    """
    readings = {
        "logvar": value,
        "log_std": 2 * value,
        "std": 2 * value.log(),  # and not the logarithm of a square, which may be 0 in the computer
        "variance": value.log(),
        "precision": -value.log(),
    }
    return readings[meaning]


def bits_per_character(nats_per_token: Float[Tensor, "*models"], tokens: int, characters: int) -> Tensor:
    """Return the bits per character of models that need so many nats per token, on a text of both lengths."""
    return nats_per_token / math.log(2) * tokens / characters


def may_attend(mask: Bool[Tensor, "query key"] | Float[Tensor, "query key"], writes: str) -> Bool[Tensor, "query key"]:
    """Return the mask as this course writes it, True = may attend.

    writes: 'allowed', boolean, True may be attended to; 'masked', boolean, True may not; 'additive', added to the
    scores, 0 where allowed and −∞ where not. ValueError for any other word.
    """
    if writes == "allowed":
        return mask
    if writes == "masked":
        return ~mask
    if writes == "additive":
        return mask == 0
    raise ValueError(f"writes: expected 'allowed', 'masked' or 'additive', got {writes!r}")
