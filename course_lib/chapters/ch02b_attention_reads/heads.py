"""What a head looks at: its weights by how far back they lie, and other weights that give the same output."""

import torch
from jaxtyping import Float
from torch import Tensor


def weight_by_distance(weights: Float[Tensor, "*batch time time"], n: int) -> Float[Tensor, "*batch n"]:
    """Return the mean weight on the key 0, 1, … n − 1 places before the query.

    Averaged over the queries n − 1, n, … alone: they have all n of these keys, so the n means are of the same queries.
    """
    means = [weights.diagonal(-back, -2, -1)[..., n - 1 - back :].mean(-1) for back in range(n)]
    return torch.stack(means, dim=-1)


def other_weights(weights: Float[Tensor, "key"], v: Float[Tensor, "key d_v"]) -> Float[Tensor, "key"]:
    """Return other positive weights of the same sum and the same output; needs at least d_v + 2 keys, all weights > 0.

    They lie along a direction r with Σ r_j = 0 and Σ r_j v_j = 0, nine tenths of the way to where a weight is 0;
    of the directions that the singular value decomposition offers, the one that moves a weight the most.
    """
    equations = torch.cat([v, torch.ones_like(v[:, :1])], dim=1).T  # (d_v + 1, key)
    directions = torch.linalg.svd(equations).Vh[len(equations) :]
    directions = torch.cat([directions, -directions])
    reach = torch.stack([(-weights / r)[r < 0].min() for r in directions])  # how far until a weight is 0
    moves = 0.9 * reach[:, None] * directions
    return weights + moves[moves.abs().amax(1).argmax()]
