"""Drawing answers until they end, and the cheap rivals of training: the best of several, and a vote."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.attention.sampling import next_distribution
from course_lib.attention.transformer import KVCache, Transformer
from course_lib.training.eval_mode import evaluating

Answer = TypeVar("Answer")
Key = TypeVar("Key", bound=Hashable)


@torch.no_grad()
def draw_answers(
    model: Transformer,
    prompts: Sequence[Int[Tensor, "_"]],
    generator: torch.Generator,
    stop: int,
    most: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    at_once: int = 256,
) -> list[Int[Tensor, "_"]]:
    """Return what is drawn behind each prompt, on the CPU: up to ``most`` tokens, the last of them stop where it ended.

    Prompts of one length are drawn together, at_once of them at most; a batch ends when all its rows have. generator:
    on the CPU, so that a seed means the same on every device. For several answers to a question, its prompt is given
    several times. ValueError for an empty prompt, most or at_once below 1, and, with learned positions, a prompt that
    leaves no room for most tokens.
    """
    if most < 1 or at_once < 1:
        raise ValueError(f"most, at_once: expected at least 1, got {most} and {at_once}")
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, prompt in enumerate(prompts):
        by_length[len(prompt)].append(i)
    longest, limit = max(by_length, default=1), model.config.context_length
    if 0 in by_length:
        raise ValueError("prompts: expected at least one token in each, got 0")
    if model.config.positions == "learned" and longest + most - 1 > limit:
        raise ValueError(f"prompts: expected at most {limit - most + 1} tokens before {most} others, got {longest}")
    drawn: dict[int, Tensor] = {}
    with evaluating(model):
        for places in by_length.values():
            for first in range(0, len(places), at_once):
                some = places[first : first + at_once]
                rows = torch.stack([prompts[i] for i in some])
                answers = _drawn(model, rows, generator, stop, most, (temperature, top_k, top_p))
                drawn |= dict(zip(some, answers, strict=True))
    return [drawn[i] for i in range(len(prompts))]


def _drawn(
    model: Transformer, rows: Tensor, generator: torch.Generator, stop: int, most: int, knobs: tuple
) -> list[Tensor]:
    """Return each row's answer, cut behind its first stop."""
    device = model.embedding.weight.device
    cache = KVCache(model.config, len(rows), device, model.embedding.weight.dtype)
    unread, answers = rows.to(device), rows.new_zeros(len(rows), 0, device="cpu")
    ended = torch.zeros(len(rows), dtype=torch.bool)
    while answers.shape[1] < most and not ended.all():
        probabilities = next_distribution(model(unread, cache)[:, -1].float(), *knobs).cpu()
        token = torch.multinomial(probabilities, 1, generator=generator)
        answers, ended = torch.cat([answers, token], dim=1), ended | (token[:, 0] == stop)
        unread = token.to(device)
    lengths = (answers == stop).int().cumsum(1).eq(0).sum(1) + 1  # up to the first stop, and it
    return [answer[: int(length)] for answer, length in zip(answers, lengths, strict=True)]


def best_of(answers: Sequence[Answer], score: Callable[[Answer], float]) -> Answer:
    """Return the answer with the highest score, of equal ones the first; ValueError for none."""
    if not answers:
        raise ValueError("answers: expected at least one, got none")
    return max(answers, key=score)


def vote(answers: Sequence[Answer], key: Callable[[Answer], Key | None]) -> Answer | None:
    """Return the first of the answers whose key most of them have; of equally frequent keys the one that came first.

    key: what has to be equal for two answers to agree, such as the number in them; None abstains (Wang et al. 2023,
    *Self-consistency improves chain of thought reasoning*). None where all abstain; ValueError for no answers.
    """
    if not answers:
        raise ValueError("answers: expected at least one, got none")
    keys = [key(answer) for answer in answers]
    counts = Counter(k for k in keys if k is not None)
    if not counts:
        return None
    return answers[keys.index(counts.most_common(1)[0][0])]
