"""What ends a training step: gradients of a loss, their norm held down, one update of each optimizer."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.optim import Optimizer


def update(loss: Tensor, model: nn.Module, optimizers: Iterable[Optimizer], clip: float | None) -> dict[str, Tensor]:
    """Update a model down the gradient of a loss; return the norm before clipping as ``norm``, where it is clipped.

    clip: largest norm of all gradients together, None for no clipping. Gradients are cleared afterwards.
    """
    loss.backward()
    norm = {} if clip is None else {"norm": nn.utils.clip_grad_norm_(model.parameters(), clip)}
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return norm
