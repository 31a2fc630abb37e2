"""Gradients of parts of a batch, and three ways to train two devices wrongly."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn


def whole_gradient(gradients: Float[Tensor, "devices n"], counts: Float[Tensor, "devices"]) -> Float[Tensor, "n"]:
    """Return the gradient of the mean over everything, from the gradients of the devices' own means.

    counts: how many terms each device's mean is over: rows, or tokens that count. Equation (14b.1).
    """
    return (counts[:, None] * gradients).sum(0) / counts.sum()


def _small(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()


def _flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


Rows = Callable[[int], slice]
OWN: Rows = lambda device: slice(12 * device, 12 * device + 12)  # noqa: E731
FIRST: Rows = lambda device: slice(0, 12)  # noqa: E731


def run_of_two(rows: Rows, share: Callable[[Tensor], Tensor], steps: int = 30) -> tuple[float, float]:
    """Train two devices on 24 rows a step by SGD at the rate 0.1; return how far apart they end, and the first step.

    rows: which of the batch a device takes; share: makes what each applies of both gradients (2, n). The first step's
    length is relative to that of one device with all rows.
    """
    generator = torch.Generator().manual_seed(0)
    devices, first = [_small(0), _small(0)], 0.0
    for step in range(steps):
        x, y = (torch.randn(24, n, dtype=torch.float64, generator=generator) for n in (5, 2))
        gradients = torch.stack([_gradient(m, x[rows(n)], y[rows(n)]) for n, m in enumerate(devices)])
        if step == 0:
            first = (share(gradients)[0].norm() / _gradient(devices[0], x, y).norm()).item()
        for model, applied in zip(devices, share(gradients), strict=True):
            nn.utils.vector_to_parameters(_flat(model) - 0.1 * applied, model.parameters())
    return (_flat(devices[0]) - _flat(devices[1])).norm().item(), first


def _gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = (model(x) - y).square().mean()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def symptoms() -> dict[str, tuple[float, float]]:
    """Return run → what ``run_of_two`` finds, for three runs of which two have a fault and one has none."""
    averaged = lambda gradients: gradients.mean(0).expand_as(gradients)  # noqa: E731
    return {
        "A": run_of_two(FIRST, averaged),
        "B": run_of_two(OWN, lambda gradients: gradients),
        "C": run_of_two(OWN, averaged),
    }
