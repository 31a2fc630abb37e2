"""Dynamic evaluation: a language model that goes on learning from the text it is measured on (Krause et al. 2018)."""

import copy
import itertools
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.attention.transformer import Transformer
from course_lib.evaluation.language import window_ends


def dynamic_evaluation(
    model: Transformer,
    tokens: Int[Tensor, "n"],
    stride: int,
    optimizer: Callable[[Iterable[Tensor]], Optimizer],
    pull: float = 0.0,
) -> Float[Tensor, "n_minus_1"]:
    """Return −log p of every token after the first, in nats, on the CPU; the model learns from each afterwards.

    The window of context_length tokens moves on by stride. Its last stride tokens are measured with the weights as they
    are; then one update follows, by the gradient of the mean over the whole window, and every weight goes back by the
    share pull of its way from the start (Krause et al. 2018, section 4, with one rate for all weights). No token is
    measured by weights that have seen it. optimizer: makes one of the parameters. The caller's model is left as it is;
    a copy learns, in eval mode, without dropout. ValueError for a stride outside 1 … context_length, a pull outside
    0 … 1 or too few tokens.
    """
    context, n = model.config.context_length, len(tokens) - 1
    ends = window_ends(n, context, stride)
    if not 0 <= pull <= 1:
        raise ValueError(f"pull: expected a share, 0 … 1, got {pull}")
    model = copy.deepcopy(model).eval()
    weights: list[Tensor] = list(model.parameters())
    start = [weight.detach().clone() for weight in weights]
    updates = optimizer(weights)
    measured = []
    for before, end in itertools.pairwise([0, *ends]):
        window = tokens[end - context : end + 1]
        logits = model(window[None, :-1])[0].float()
        nats = F.cross_entropy(logits, window[1:], reduction="none")
        measured.append(nats.detach()[before - end :])
        nats.mean().backward()
        updates.step()
        updates.zero_grad()
        with torch.no_grad():
            torch._foreach_lerp_(weights, start, pull)
    return torch.cat(measured).cpu()
