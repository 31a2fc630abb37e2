"""Measures of language models: cross-entropy in nats by position, and the share of known words."""

import itertools

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from course_lib.attention.attention_only import AttentionOnly
from course_lib.attention.transformer import Transformer
from course_lib.training.eval_mode import evaluating

Model = Transformer | AttentionOnly


@torch.no_grad()
def cross_entropy_by_position(
    model: Model, tokens: Int[Tensor, "n"], context: int | None = None, at_once: int = 16_384
) -> Float[Tensor, "context"]:
    """Return the mean of −log p of the next token, in nats, at each position of a window.

    tokens is cut into windows of context tokens (the model's context_length when left out) without overlap, and
    position t has t + 1 tokens to look at. at_once: positions computed together. ValueError for too few tokens, and as
    for ``Transformer.forward``. The model is in eval mode during the call and back in its own mode afterwards.
    """
    if context is None:
        context = model.context_length if isinstance(model, AttentionOnly) else model.config.context_length
    n = (len(tokens) - 1) // context
    if n < 1:
        raise ValueError(f"tokens: expected more than context = {context}, got {len(tokens)}")
    inputs, targets = (tokens[i : i + n * context].view(n, context) for i in (0, 1))
    total = torch.zeros(context, dtype=torch.float64)
    rows = max(1, at_once // context)
    with evaluating(model):
        for x, y in zip(inputs.split(rows), targets.split(rows), strict=True):
            nats = F.cross_entropy(model(x).flatten(0, 1).float(), y.flatten(), reduction="none")
            total += nats.view(-1, context).sum(0).cpu().double()  # in this order: not every device has float64
    return total / n


def cross_entropy(model: Model, tokens: Int[Tensor, "n"], context: int | None = None) -> float:
    """Return the mean of −log p of the next token, in nats, over windows of context tokens without overlap."""
    return cross_entropy_by_position(model, tokens, context).mean().item()


def window_ends(n: int, context: int, stride: int) -> list[int]:
    """Return where a window of context inputs ends that moves on by stride over n inputs; the last ends with them.

    Each input but those of the window before is new in its window. ValueError for a stride outside 1 … context or fewer
    inputs than one window has.
    """
    if not 1 <= stride <= context:
        raise ValueError(f"stride: expected 1 to context_length = {context}, got {stride}")
    if n < context:
        raise ValueError(f"tokens: expected more than context_length = {context}, got {n + 1}")
    return [*range(context, n, stride), n]


@torch.no_grad()
def sliding_cross_entropy(model: Transformer, tokens: Int[Tensor, "n"], stride: int, at_once: int = 16_384) -> float:
    """Return the mean of −log p of the next token, in nats; the window moves on by stride tokens.

    Every token but the first is measured once, with at least context_length − stride tokens before it where there are
    as many: what a model gives that may look back. stride = context_length is ``cross_entropy``, and the smaller the
    stride, the more is computed: context_length / stride times. at_once: positions computed together. ValueError for a
    stride outside 1 … context_length or too few tokens. The model is in eval mode during the call.
    """
    context, n = model.config.context_length, len(tokens) - 1
    ends = window_ends(n, context, stride)
    fresh = [later - earlier for earlier, later in itertools.pairwise([0, *ends])]  # of each window, not seen before
    windows = tokens.unfold(0, context + 1, 1)
    total, rows = 0.0, max(1, at_once // context)
    with evaluating(model):
        for i in range(0, len(ends), rows):
            window = windows[torch.tensor(ends[i : i + rows], device=tokens.device) - context]
            logits = model(window[:, :-1]).float()
            nats = F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten(), reduction="none").view(-1, context)
            new = torch.arange(context) >= context - torch.tensor(fresh[i : i + rows])[:, None]
            total += nats.cpu().double()[new].sum().item()
    return total / n


def known_words(text: str, known: set[str]) -> float:
    """Return the share of the words of text that are known; a word is a run of letters and apostrophes, lower case.

    The last word may be cut off and does not count. ValueError where there is no other.
    """
    found = words(text)[:-1]
    if not found:
        raise ValueError(f"text: expected at least two words, got {text[:20]!r}")
    return sum(word in known for word in found) / len(found)


def words(text: str) -> list[str]:
    """Return the runs of letters and apostrophes of text, in lower case."""
    return "".join(c.lower() if c.isalpha() or c == "'" else " " for c in text).split()
