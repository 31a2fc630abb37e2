"""The decision of a Metropolis step, which chapter 08's exercise asks for."""

from jaxtyping import Float
from torch import Tensor


def log_acceptance(
    log_joint_new: Float[Tensor, "n"],
    log_q_new: Float[Tensor, "n"],
    log_joint: Float[Tensor, "n"],
    log_q: Float[Tensor, "n"],
) -> Float[Tensor, "n"]:
    """Return ln of the largest probability of going to the new z that keeps the balance with the way back.

    log_joint_new, log_joint: ln of the target, up to a constant, at the new z and at the present one; log_q_new, log_q:
    ln of the density with which each of the two is proposed where the other is present (Hastings 1970).
    """
    log_weight_new, log_weight = log_joint_new - log_q_new, log_joint - log_q
    return (log_weight_new - log_weight).clamp(max=0.0)
