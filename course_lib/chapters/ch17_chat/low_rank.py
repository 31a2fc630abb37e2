"""LoRA's merge as a function of tensors, and what a rank costs."""

from jaxtyping import Float
from torch import Tensor


def merged_weight(
    weight: Float[Tensor, "out in"], down: Float[Tensor, "rank in"], up: Float[Tensor, "out rank"], alpha: float
) -> Float[Tensor, "out in"]:
    """Return W + (α / r) B A, one matrix that does what a matrix and its thin ones do (Hu et al. 2022, section 4.1)."""
    rank = down.shape[0]
    return weight + alpha / rank * up @ down
