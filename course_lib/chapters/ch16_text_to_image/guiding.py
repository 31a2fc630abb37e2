"""Guidance for a model that draws symbols: more of what makes a picture one of this caption."""

from jaxtyping import Float
from torch import Tensor


def guided_distribution(
    asked: Float[Tensor, "*batch symbols"], anything: Float[Tensor, "*batch symbols"], weight: float
) -> Float[Tensor, "*batch symbols"]:
    """Return the distribution p(z) (p(z | caption) / p(z))^weight over the symbols, normalised.

    asked, anything: logits with the caption and without one. weight: 0 asks nothing, 1 for the caption, more goes
    beyond (Ho and Salimans 2022, equation 6, on log-probabilities).
    """
    return (anything + weight * (asked - anything)).softmax(dim=-1)
