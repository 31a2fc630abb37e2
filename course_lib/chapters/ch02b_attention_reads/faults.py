"""Attention with one fault each, for the diagnoses of chapter 02b; its curves stand there without this code."""

import math

import torch
from torch import Tensor

from course_lib.attention.dot_product import fast_attention


def no_mask(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Return attention that may look into the future."""
    return fast_attention(q, k, v)


def no_scale(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Return attention whose scores are not divided by √d."""
    return fast_attention(q * math.sqrt(q.shape[-1]), k, v, mask)


def wrong_axis(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Return attention under its mask, but with the softmax over the queries."""
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-2) @ v


# name in the record → how it attends, with how many heads
VARIANTS = {
    "honest": (fast_attention, 4),
    "no scale": (no_scale, 4),
    "one head": (fast_attention, 1),
    "one head, no scale": (no_scale, 1),
    "no mask": (no_mask, 4),
    "wrong axis": (wrong_axis, 4),
}
