"""Queries, keys, values and masks of all sizes, which the tests of attention share."""

import torch

CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def case(batch, T, S, d, dv, seed):
    """q, k, v with all sizes their own, and a mask that leaves every query something."""
    q, k, v = randn(*batch, T, d, seed=seed), randn(*batch, S, d, seed=seed + 1), randn(*batch, S, dv, seed=seed + 2)
    mask = torch.rand(T, S, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[:, 0] = True
    return q, k, v, mask
