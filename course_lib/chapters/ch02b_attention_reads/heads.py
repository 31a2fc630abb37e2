"""What a head looks at: its weights, averaged by how far back they lie."""

import torch
from jaxtyping import Float
from torch import Tensor


def weight_by_distance(weights: Float[Tensor, "*batch time time"], n: int) -> Float[Tensor, "*batch n"]:
    """Return the mean weight on the key 0, 1, … n − 1 places before the query.

    Averaged over the queries n − 1, n, … alone: they have all n of these keys, so the n means are of the same queries.
    """
    means = [weights.diagonal(-back, -2, -1)[..., n - 1 - back :].mean(-1) for back in range(n)]
    return torch.stack(means, dim=-1)
