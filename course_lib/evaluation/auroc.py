"""The area under the ROC curve."""

import torch
from jaxtyping import Float
from torch import Tensor


def auroc(normal: Float[Tensor, "n"], anomalous: Float[Tensor, "m"]) -> float:
    """Return the probability that a random anomalous score is above a random normal one, ties counting half.

    That is the area under the ROC curve: 1 for a perfect detector, ½ for chance, below ½ where the scores point the
    wrong way. Computed from ranks, as the Mann–Whitney statistic, on the processor. ValueError for an empty side or
    scores that are nan.
    """
    if not len(normal) or not len(anomalous):
        raise ValueError(f"normal, anomalous: expected some scores each, got {len(normal)} and {len(anomalous)}")
    if normal.isnan().any() or anomalous.isnan().any():
        raise ValueError("normal, anomalous: expected numbers, got nan")
    ordered, asked = normal.cpu().sort().values, anomalous.cpu().contiguous()
    below, up_to = (torch.searchsorted(ordered, asked, right=right).sum() for right in (False, True))
    return int(below + up_to) / (2 * len(normal) * len(anomalous))
