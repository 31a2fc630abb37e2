"""The loss of a discriminator whose best value is −KL(q‖p): one member of the f-GAN family."""

import torch
from jaxtyping import Float
from torch import Tensor


def reverse_kl_loss(real_outputs: Float[Tensor, "n"], fake_outputs: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return −(E_p[T] − E_q[f*(T)]) for f(u) = −ln u and T = −e⁻ᵛ, v the outputs; at best −KL(q‖p), at v = ln p/q.

    f*(t) = −1 − ln(−t) for t < 0, so f*(T) = v − 1 (Nowozin et al. 2016, table 2, with another bend below 0).
    """
    return torch.exp(-real_outputs).mean() + fake_outputs.mean() - 1
