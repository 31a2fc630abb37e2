"""Calibration: of all answers given with confidence c, is a share c right?"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Calibration:
    """What a reliability diagram shows, bin by bin, and its summary; all on the CPU, in float64.

    confidence, right: mean confidence and share of right answers of each bin, nan where it is empty. count: answers in
    each bin. error: the expected calibration error, the mean of |right − confidence| over the bins, weighted by count.
    """

    confidence: Float[Tensor, "bins"]
    right: Float[Tensor, "bins"]
    count: Int[Tensor, "bins"]
    error: float


def calibration(confidence: Float[Tensor, "n"], right: Bool[Tensor, "n"], bins: int = 10) -> Calibration:
    """Return how confidence and the share of right answers compare, in bins of equal width (Guo et al. 2017, eq. 3).

    Bin m of M holds the answers with (m − 1)/M < confidence ≤ m/M, the first those with 0, too. Chance alone leaves an
    error: of n calibrated answers whose confidences are spread evenly, it is about 0.31 √(bins / n).
    ValueError for no answers, bins below 1, and a confidence outside 0 … 1.
    """
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    if len(confidence) != len(right) or not len(right):
        raise ValueError(f"confidence, right: expected as many, at least one, got {len(confidence)} and {len(right)}")
    outside = confidence[~((confidence >= 0) & (confidence <= 1))]
    if len(outside):
        raise ValueError(f"confidence: expected numbers from 0 to 1, got {outside[0].item():g}")
    confidence = confidence.cpu()
    edges = (torch.arange(1, bins, dtype=torch.float64) / bins).to(confidence.dtype)  # 0.3 in float32 is 3/10's edge
    place = torch.bucketize(confidence.contiguous(), edges)
    count = torch.bincount(place, minlength=bins)
    sums = [torch.zeros(bins, dtype=torch.float64).index_add_(0, place, x.cpu().double()) for x in (confidence, right)]
    error = (sums[0] - sums[1]).abs().sum().item() / len(right)
    return Calibration(sums[0] / count, sums[1] / count, count, error)
