"""The moving average of a model's weights."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class MovingAverage(AveragedModel):
    """A copy of a model whose weights and statistics follow it: decay · own + (1 − decay) · its.

    PyTorch's ``AveragedModel`` with such a rule, which would read its count of updates in each of them and so wait for
    a GPU: here the first update, which copies, is told from the others on the device. Counters are copied.
    """

    n_averaged: Tensor

    def __init__(self, model: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay: expected at least 0 and below 1, got {decay}")
        super().__init__(model, use_buffers=True)
        self.to(next(model.parameters()).device)
        self.decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move towards the model's weights and statistics as they are now; the first time, take them."""
        first = self.n_averaged == 0
        for own, its in zip(_tensors(self.module), _tensors(model), strict=True):
            if own.is_floating_point():
                share = torch.full((), 1 - self.decay, dtype=own.dtype, device=own.device)
                own.lerp_(its, share.masked_fill_(first, 1.0))
            else:
                own.copy_(its)
        self.n_averaged += 1


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    """Yield all parameters and buffers, of which both models have the same."""
    yield from model.parameters()
    yield from model.buffers()


def moving_average(generator: nn.Module, decay: float = 0.99) -> MovingAverage:
    """Return a copy of the generator that follows it (Yazıcı et al. 2019, *The unusual effectiveness of averaging*).

    ``update_parameters(generator)`` after each update of it. ValueError for a decay outside 0 ≤ decay < 1.
    """
    return MovingAverage(generator, decay)
