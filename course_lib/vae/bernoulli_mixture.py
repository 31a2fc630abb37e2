"""A mixture of independent Bernoulli pixels: the latent model whose likelihood is a sum that can be computed.

log p(x) = log Σ_k π_k Π_i θ_ki^{x_i} (1 − θ_ki)^{1 − x_i} (McLachlan and Peel 2000, section 5). One component is
independent pixels, the baseline under every curve.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def bernoulli_mixture_log_likelihood(
    x: Float[Tensor, "n pixels"], log_shares: Float[Tensor, "K"], means: Float[Tensor, "K pixels"]
) -> Float[Tensor, "n"]:
    """Return ln p(x) of each binary image, in nats; log_shares: ln π; means: θ, strictly between 0 and 1."""
    return _log_joint(x, log_shares, means).logsumexp(1)


def _log_joint(x: Tensor, log_shares: Tensor, means: Tensor) -> Tensor:
    """Return ln π_k + ln p(x|k), (n, K): one matrix product, since ln p(x|k) is linear in x."""
    ones, zeros = means.log(), (-means).log1p()
    return x @ (ones - zeros).T + zeros.sum(1) + log_shares


def fit_bernoulli_mixture(
    x: Float[Tensor, "n pixels"], components: int, rounds: int, generator: torch.Generator, pseudo: float = 0.1
) -> tuple[Float[Tensor, "K"], Float[Tensor, "K pixels"]]:
    """Return (log_shares, means) after rounds of expectation–maximisation (Dempster, Laird and Rubin 1977).

    x: zeros and ones. pseudo: ones and zeros added to each pixel's counts, in the pixel's overall proportion, so that
    no mean is 0 or 1. Each round raises Σ ln p(x) plus the logarithm of the prior that these counts stand for.
    ValueError for fewer than one component, and for more of them than images.
    """
    if not 1 <= components <= len(x):
        raise ValueError(f"components: expected 1 to {len(x)}, the number of images, got {components}")
    overall = (x.sum(0) + 0.5) / (len(x) + 1)
    chosen = torch.randperm(len(x), generator=generator)[:components].to(x.device)
    means = 0.25 * x[chosen] + 0.75 * overall  # different ones, none far from the data
    log_shares = torch.full((components,), -float(torch.tensor(components).log()), dtype=x.dtype, device=x.device)
    for _ in range(rounds):
        belief = _log_joint(x, log_shares, means).softmax(1)  # (n, K)
        counts = belief.sum(0)
        means = (belief.T @ x + pseudo * overall) / (counts[:, None] + pseudo)
        log_shares = (counts / len(x)).log()
    return log_shares, means
