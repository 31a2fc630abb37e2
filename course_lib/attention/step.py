"""One training step of a language model."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.training.fit import Step


def next_token_step(
    model: nn.Module, optimizers: Iterable[Optimizer], clip: float | None = 1.0, bfloat16: bool = False
) -> Step:
    """Return the step of a language model: cross-entropy in nats, backward, clipped gradients, updates.

    clip: largest norm of all gradients together, None for no clipping; the norm before is returned as ``norm``.
    bfloat16: matrix products in bfloat16 under autocast; the weights stay in float32.
    """
    optimizers = list(optimizers)

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        tokens, targets = batch
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=bfloat16):
            logits = model(tokens)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
        loss.backward()
        scalars = {"loss": loss}
        if clip is not None:
            scalars["norm"] = nn.utils.clip_grad_norm_(model.parameters(), clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return scalars

    return step
