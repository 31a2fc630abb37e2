"""Entropy, Kullback–Leibler, Jensen–Shannon and total variation, in closed form, on a grid and by Monte Carlo.

Everything is in nats, natural logarithms, unless the name ends in ``_bits``; a bit is ln 2 = 0.693 nats.
KL(p‖q) is what a model q costs, above the entropy, on data from p (Kullback and Leibler 1951, equation 2.4).
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check_device(**tensors: Tensor) -> None:
    """Raise a ValueError, with the argument's name, for tensors that are not all on the device of the first."""
    first, like = next(iter(tensors.items()))
    for name, x in tensors.items():
        if x.device != like.device:
            raise ValueError(f"{name}: expected the device of {first}, {like.device}, got {x.device}")


def check_distribution(name: str, p: Tensor) -> None:
    """Raise a ValueError for numbers over the last axis that are no distribution."""
    if p.min() < 0:
        raise ValueError(f"{name}: expected probabilities, none of them negative, got {p.min().item():.6g}")
    total = p.sum(dim=-1)
    rounding = p.shape[-1] * torch.finfo(p.dtype).eps * 10
    worst = (total - 1).abs().max().item() if total.numel() else 0.0
    if not worst <= max(rounding, 1e-6):
        raise ValueError(
            f"{name}: expected numbers that sum to 1 over the last axis, got a sum that is {worst:.3g} off"
        )


def entropy(p: Float[Tensor, "*batch symbols"]) -> Float[Tensor, "*batch"]:
    """Return −Σ p ln p in nats, with 0 ln 0 = 0 (Shannon 1948, section 6). Not a distribution: ValueError."""
    check_distribution("p", p)
    return torch.special.entr(p).sum(dim=-1)


def categorical_kl(p: Float[Tensor, "*#batch symbols"], q: Float[Tensor, "*#batch symbols"]) -> Float[Tensor, "*_"]:
    """Return KL(p‖q) = Σ p ln(p/q) in nats. A symbol that p never draws adds 0; one that q alone excludes, infinity.

    ValueError names the argument that is not a distribution over the last axis.
    """
    check_device(p=p, q=q)
    check_distribution("p", p)
    check_distribution("q", q)
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(dim=-1)


def jensen_shannon(p: Float[Tensor, "*#batch symbols"], q: Float[Tensor, "*#batch symbols"]) -> Float[Tensor, "*_"]:
    """Return ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, in nats: 0 where p = q, ln 2 where they share no symbol.

    Lin 1991, equation 4.1 with equal weights. For densities on a grid hand over p · dx. ValueError names the argument
    that is not a distribution over the last axis.
    """
    check_device(p=p, q=q)
    check_distribution("p", p)
    check_distribution("q", q)
    total = p + q
    drawn = torch.where(total > 0, total, torch.ones_like(total))
    # p ln(p/m) as p ln(2p/(p + q)): half of the smallest number there is would be 0
    return 0.5 * (torch.special.xlogy(p, 2 * p / drawn) + torch.special.xlogy(q, 2 * q / drawn)).sum(dim=-1)


def total_variation(p: Float[Tensor, "*#batch symbols"], q: Float[Tensor, "*#batch symbols"]) -> Float[Tensor, "*_"]:
    """Return ½ Σ |p − q| = max over sets A of p(A) − q(A): 0 where p = q, 1 where they share no symbol.

    ValueError names the argument that is not a distribution over the last axis.
    """
    check_device(p=p, q=q)
    check_distribution("p", p)
    check_distribution("q", q)
    return 0.5 * (p - q).abs().sum(dim=-1)


def optimal_discriminator(
    p: Float[Tensor, "*#batch n"], q: Float[Tensor, "*#batch n"], dx: float
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*_"]]:
    """Return (d, value): D*(x) = p/(p + q) on a grid of spacing dx, and E_p[ln D*] + E_q[ln(1 − D*)] in nats.

    p: density of the data, q: of the generator (Goodfellow et al. 2014, proposition 1). The value is 2 JSD − ln 4.
    ValueError where p + q is not positive: any D is best there.
    """
    total = p + q
    if not (total > 0).all():
        raise ValueError(f"p + q: expected positive everywhere, got {total.min().item():.6g}")
    d, not_d = p / total, q / total  # 1 − d would lose the digits of a small q
    return d, (torch.special.xlogy(p, d) + torch.special.xlogy(q, not_d)).sum(-1) * dx


def cross_entropy_bits(probabilities: Float[Tensor, "n symbols"], targets: Int[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return the mean of −log2 of the probability that row i gives to the symbol targets[i]: bits a symbol.

    probabilities: one distribution a row, not logits. targets may be on another device. ValueError for no row, for rows
    and targets that do not pair, and for a target that is no symbol.
    """
    if len(probabilities) != len(targets) or len(targets) == 0:
        raise ValueError(f"targets: expected one for each of {len(probabilities)} > 0 rows, got {len(targets)}")
    outside = targets[(targets < 0) | (targets >= probabilities.shape[1])]
    if len(outside):  # −1 would be the last symbol
        raise ValueError(f"targets: expected symbols from 0 to {probabilities.shape[1] - 1}, got {outside[0].item()}")
    targets = targets.to(probabilities.device)
    return -probabilities[torch.arange(len(targets), device=targets.device), targets].log2().mean()


def gaussian_kl(
    mu_p: Float[Tensor, "*#batch"],
    std_p: Float[Tensor, "*#batch"],
    mu_q: Float[Tensor, "*#batch"],
    std_q: Float[Tensor, "*#batch"],
) -> Float[Tensor, "*_"]:
    """Return KL(N(mu_p, std_p²) ‖ N(mu_q, std_q²)) in nats, entry by entry.

    ln(σ_q/σ_p) + (σ_p² + (μ_p − μ_q)²) / 2σ_q² − ½. ValueError for a standard deviation that is not positive.
    """
    for name, std in (("std_p", std_p), ("std_q", std_q)):
        if not (std > 0).all():
            raise ValueError(f"{name}: expected positive standard deviations, got {std.min().item():.6g}")
    return (std_q / std_p).log() + (std_p**2 + (mu_p - mu_q) ** 2) / (2 * std_q**2) - 0.5


def kl_to_standard_normal(
    mu: Float[Tensor, "*#batch latent"], logvar: Float[Tensor, "*#batch latent"]
) -> Float[Tensor, "*_"]:
    """Return KL(N(mu, diag(exp(logvar))) ‖ N(0, 1)) = ½ Σ (μ² + σ² − 1 − ln σ²) over the last axis, in nats.

    Kingma and Welling 2014, appendix B. expm1 keeps the digits where σ² is near 1.
    """
    return 0.5 * (mu**2 + torch.expm1(logvar) - logvar).sum(-1)


def monte_carlo(values: Float[Tensor, "n"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean of independent values and its standard error, √(variance / n), the variance with n − 1.

    ValueError for fewer than two values: one alone says nothing about its error.
    """
    if len(values) < 2:
        raise ValueError(f"values: expected at least two, got {len(values)}")
    return values.mean(), values.std() / math.sqrt(len(values))


def kl_monte_carlo(
    eps: Float[Tensor, "n"],
    mu_p: Float[Tensor, ""],
    std_p: Float[Tensor, ""],
    mu_q: Float[Tensor, ""],
    std_q: Float[Tensor, ""],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return (estimate, standard error) in nats of KL(p‖q) for p = N(mu_p, std_p²) and q = N(mu_q, std_q²).

    eps: n ≥ 2 draws from N(0, 1); x = mu_p + std_p · eps are draws from p.
    """
    x = mu_p + std_p * eps
    log_p = -0.5 * eps**2 - std_p.log()  # both without −½ ln 2π, which cancels
    log_q = -0.5 * ((x - mu_q) / std_q) ** 2 - std_q.log()
    return monte_carlo(log_p - log_q)
