"""How probable a model finds answers: what preferences and rewards are computed from."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.chat.template import IGNORED


def token_log_probabilities(
    model: nn.Module, inputs: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """Return log p(target | what was read) at each position, in float32 or wider; 0 where the target is −100.

    inputs and targets are those of ``batch_of``; ValueError for inputs and targets of different shapes.
    """
    if inputs.shape != targets.shape:
        raise ValueError(f"targets: expected the shape of inputs, {tuple(inputs.shape)}, got {tuple(targets.shape)}")
    learned = targets != IGNORED
    logits = model(inputs)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    chosen = logits.gather(-1, targets.masked_fill(~learned, 0)[..., None])[..., 0]
    return (chosen - logits.logsumexp(-1)).masked_fill(~learned, 0.0)


def answer_log_probabilities(
    model: nn.Module, inputs: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch"]:
    """Return log p(answer | question) of each conversation: the sum over its learned tokens, its end among them."""
    return token_log_probabilities(model, inputs, targets).sum(-1)
