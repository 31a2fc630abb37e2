"""Controls of chapter 11: what a distance would be if only the classes' shares were off, and how a logit adds up."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.evaluation.frechet import frechet_distance


def distance_by_shares(
    real: Float[Tensor, "n d"], labels: Int[Tensor, "n"], shares: Float[Tensor, "classes"], generator: torch.Generator
) -> float:
    """Return how far real images are from all real ones if n are drawn with these shares of the classes."""
    labels = labels.cpu()
    weights = (shares / labels.bincount(minlength=len(shares)))[labels]
    chosen = torch.multinomial(weights, len(real), replacement=True, generator=generator)
    return frechet_distance(real[chosen.to(real.device)], real)


def beyond_sum(
    logit: Callable[[Tensor], Tensor],
    tops: Float[Tensor, "n 1 28 28"],
    bottoms: Float[Tensor, "n 1 28 28"],
    rows: int,
) -> Float[Tensor, "n"]:
    """Return what the logit of a top above a bottom has beyond the sum of both, less that of an empty image.

    Of the tops the first nine rows are kept, of the bottoms the last ones, as many as rows; the rest is black, −1.
    """
    top, bottom = torch.full_like(tops, -1), torch.full_like(bottoms, -1)
    top[:, :, :9], bottom[:, :, -rows:] = tops[:, :, :9], bottoms[:, :, -rows:]
    with torch.no_grad():
        empty = logit(torch.full_like(tops[:1], -1))
        return logit(torch.maximum(top, bottom)) - logit(top) - logit(bottom) + empty
