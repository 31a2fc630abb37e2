"""Numbers, bits and the closeness that the tests of the VAE share."""

import torch

f64 = torch.float64


def numbers(*shape, seed):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed)) + 0.3


def bits(*shape, seed):
    return (numbers(*shape, seed=seed) > 0.2).to(f64)


def agree(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
