"""From logits to text: temperature, top-k, top-p (Holtzman et al. 2020), and generation with a key-value cache."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.attention.transformer import KVCache, Transformer
from course_lib.training.eval_mode import evaluating


def top_k_filter(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    """Return the logits with all but the k largest set to −∞; of equal ones at the border, the first are kept.

    k of at least vocab changes nothing; k < 1: ValueError.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    kept = logits.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    return torch.full_like(logits, -torch.inf).scatter(-1, kept, logits.gather(-1, kept))


def top_p_filter(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    """Return the logits outside the nucleus set to −∞: the fewest symbols whose probabilities reach p together.

    The most probable symbol is always kept; p = 1 changes nothing (Holtzman et al. 2020, section 3.1).
    p outside (0, 1]: ValueError.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p: expected a probability above 0 and at most 1, got {p}")
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities  # of all more probable symbols
    outside = (before >= p) if p < 1 else torch.zeros_like(before, dtype=torch.bool)
    outside[..., 0] = False
    return torch.full_like(logits, -torch.inf).scatter(-1, order, ordered.masked_fill(outside, -torch.inf))


def next_distribution(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    """Return the probabilities that are drawn from: softmax(logits / temperature), cut by top-k, then by top-p.

    temperature 0 puts everything on the largest logit (the first of equal ones); a tiny one puts it on the largest
    ones, in equal parts. Below 0 or not finite: ValueError.
    """
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature: expected a finite number of at least 0, got {temperature}")
    if temperature == 0:
        logits, temperature = top_k_filter(logits, 1), 1.0
    limits = torch.finfo(logits.dtype)
    if temperature < 1e6 / limits.max:  # a logit of a million, divided, would be infinite
        logits = logits - logits.amax(dim=-1, keepdim=True)  # the softmax is the same, and nothing overflows upwards
    logits = logits / max(temperature, limits.tiny)
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    return logits.softmax(dim=-1)


def entropy(probabilities: Float[Tensor, "*batch vocab"]) -> Float[Tensor, "*batch"]:
    """Return −Σ p log p in nats, with 0 log 0 = 0."""
    return -torch.special.xlogy(probabilities, probabilities).sum(dim=-1)


@torch.no_grad()
def generate(
    model: Transformer,
    tokens: Int[Tensor, "batch time"],
    n: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    cached: bool = True,
) -> Int[Tensor, "batch longer"]:
    """Return tokens followed by n drawn ones.

    generator: lives on the CPU, where the drawing happens, so that a seed means the same on every device.
    cached: keep keys and values instead of reading everything again for each token; the tokens are the same.
    Past context_length a model with learned positions reads the last context_length tokens afresh for each token,
    as its positions count from the first; one with rotary positions goes on, each position seeing the last
    context_length ones.
    Raises ValueError for n < 0, tokens that are empty or on another device than the model, and knobs out of range. The
    model is in eval mode during the call and back in its own mode afterwards.
    """
    if n < 0:
        raise ValueError(f"n: expected at least 0, got {n}")
    if tokens.shape[1] == 0:
        raise ValueError("tokens: expected at least one position to continue, got 0")
    next_distribution(torch.zeros(1, 2), temperature, top_k, top_p)  # complains before any work is done
    config = model.config
    with evaluating(model):
        cache = KVCache(config, len(tokens), tokens.device, model.embedding.weight.dtype) if cached else None
        for _ in range(n):
            if config.positions == "learned" and tokens.shape[1] > config.context_length:
                logits = model(tokens[:, -config.context_length :])
            else:
                unseen = 0 if cache is None else cache.length
                logits = model(tokens[:, unseen:], cache)
            probabilities = next_distribution(logits[:, -1].float(), temperature, top_k, top_p).cpu()
            drawn = torch.multinomial(probabilities, 1, generator=generator)
            tokens = torch.cat([tokens, drawn.to(tokens.device)], dim=1)
    return tokens
