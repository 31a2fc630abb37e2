"""Muon for matrices and for filters: steps whose singular values are all alike.

Jordan et al. 2024, *Muon: an optimizer for hidden layers in neural networks*. ``torch.optim.Muon`` takes matrices
alone; here the filters of a convolution count as a matrix, a row for each output channel.
"""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the polynomial that brings singular values near 1
ROUNDS = 5


def orthogonalised(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """Return U Vᵀ of a matrix U S Vᵀ, roughly, in bfloat16: singular values of some 0.7 to 1.2 (Newton–Schulz)."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    wide = x.T if len(x) > x.shape[1] else x
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(ROUNDS):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide.T if len(x) > x.shape[1] else wide


class Muon(Optimizer):
    """Momentum, orthogonalised, times √max(1, rows / columns) and the rate; for parameters of two or more dimensions.

    ValueError for parameters of fewer.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float = 0.02, momentum: float = 0.95) -> None:
        parameters = list(parameters)
        for parameter in parameters:
            if parameter.ndim < 2:
                raise ValueError(f"parameters: expected two or more dimensions, got {tuple(parameter.shape)}")
        super().__init__(parameters, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move each parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"], group["momentum"])

    def _move(self, parameter: Tensor, gradient: Tensor, rate: float, momentum: float) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        matrix = gradient.lerp(buffer, momentum).flatten(1)  # Nesterov's: a look ahead
        scale = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
        parameter.add_(orthogonalised(matrix).view_as(parameter).to(parameter.dtype), alpha=-rate * scale)


def muon_for_filters(
    model: nn.Module, rate: float = 0.02, adamw_rate: float = 5e-3, but: Sequence[str] = (), least: int = 8
) -> dict[str, Optimizer]:
    """Return Muon for the matrices and filters of a model and AdamW, without decay, for what else is trained.

    but: names begin so of what AdamW takes, too: tables, and the last layer. So it does what has fewer than ``least``
    inputs or outputs.
    """
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    taken = {
        n for n, p in trained.items() if p.ndim >= 2 and min(p.shape[:2]) >= least and not n.startswith(tuple(but))
    }
    rest = [p for name, p in trained.items() if name not in taken]
    adamw = torch.optim.AdamW(rest, lr=adamw_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    return {"muon": Muon([p for name, p in trained.items() if name in taken], rate), "adamw": adamw}
