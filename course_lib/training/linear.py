"""A linear layer whose float32 products on a processor go to oneDNN, whoever made the processor."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

LARGE = 2**23  # multiplications of one product: less is over before its numbers are laid out anew


class Linear(nn.Linear):
    """``nn.Linear``, by oneDNN where it multiplies large float32 matrices on a processor.

    PyTorch's own float32 products come from MKL, which uses half of what an AMD processor can do; oneDNN, which it
    takes for bfloat16 and for convolutions, is nearly twice as fast there. The numbers differ in their last digits.
    """

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """Return x Wᵀ + b."""
        if x.numel() * self.out_features < LARGE or not _by_onednn(x):
            return super().forward(x)
        return F.linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


def _by_onednn(x: Tensor) -> bool:
    """Return whether x is a plain float32 tensor on a processor, no autocast is on, and PyTorch came with oneDNN."""
    plain = type(x) in (Tensor, nn.Parameter) and x.dtype == torch.float32 and x.device.type == "cpu"
    return plain and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu")
