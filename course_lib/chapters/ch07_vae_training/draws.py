"""How many draws of z an importance-weighted average really rests on."""

from jaxtyping import Float
from torch import Tensor


def effective_draws(log_w: Float[Tensor, "k batch"]) -> Float[Tensor, "batch"]:
    """Return the effective sample size (Σ w)² / Σ w² of each image over its k draws, from the logarithms of w.

    k for equal weights, 1 where one outweighs all (Kong 1992). A factor that all weights share does not matter, and
    weights far too small for a floating-point number do no harm.
    """
    shares = log_w.softmax(dim=0)
    return 1 / (shares**2).sum(dim=0)
