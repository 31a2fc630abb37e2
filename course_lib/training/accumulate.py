"""The gradient of a large batch from those of its parts, which need not be equally large."""

import torch
from jaxtyping import Float
from torch import Tensor


def accumulated_gradient(
    gradients: Float[Tensor, "parts *shape"], sizes: Float[Tensor, "counts"]
) -> Float[Tensor, "*shape"]:
    """Return the gradient of the mean loss over all examples, from the gradients of the means over each part.

    sizes: examples of each part, in the gradients' dtype. A part of n examples holds n of the terms that the whole mean
    adds up, each divided by its own n and not by the number of all: its gradient counts with n / sum of sizes.
    ValueError where there is no part, their numbers differ, or one is empty.
    """
    if len(sizes) == 0 or len(sizes) != len(gradients):
        raise ValueError(f"sizes: expected one for each of {len(gradients)} gradients, at least one, got {len(sizes)}")
    if (sizes < 1).any():
        raise ValueError(f"sizes: expected at least one example a part, got {sizes.tolist()}")
    return torch.tensordot(sizes / sizes.sum(), gradients, dims=1)
