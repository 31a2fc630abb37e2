"""An answer token by token, with what the model nearly said; with a calculator whose results the loop writes."""

from collections.abc import Generator, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.attention.sampling import next_distribution
from course_lib.attention.transformer import KVCache, Transformer
from course_lib.chat.template import ChatTemplate
from course_lib.chat.tools import find_call, result_of
from course_lib.training.eval_mode import evaluating

NEAR = 5  # alternatives that are kept of each token


class Candidate(NamedTuple):
    """A token that could come next: the model's probability of it, and its chance of being drawn under the knobs."""

    token: int
    probability: float
    chance: float


class Drawn(NamedTuple):
    """A drawn token, with the five that the model found most probable, the most probable first.

    probability: the model's own, temperature 1 and nothing cut; chance: with which it was drawn.
    """

    token: int
    probability: float
    chance: float
    alternatives: tuple[Candidate, ...]


class Written(NamedTuple):
    """What the loop wrote into an answer: the text ahead of it, which ends with a call, and the result's text.

    Both as the model reads them: the text of the answer's tokens, with the space before the first word.
    """

    before: str
    text: str


def stream_answer(
    model: Transformer,
    prompt: Int[Tensor, "time"],
    generator: torch.Generator,
    stop: int,
    most: int,
    temperature: float = 1.0,
    top_p: float | None = None,
) -> Generator[Drawn, None, None]:
    """Yield what is drawn behind a prompt, a token as soon as it is there: up to ``most``, the last stop if it ended.

    The tokens are those of ``draw_answers`` for this prompt alone and the same generator, which lives on the CPU. Who
    wants no more closes the iterator. Between two tokens the model is in its own mode, and gradients are on or off as
    they were. ValueError, at once, for an empty prompt, most below 1, knobs out of range, and, with learned positions,
    a prompt that leaves no room for most tokens.
    """
    if most < 1:
        raise ValueError(f"most: expected at least 1, got {most}")
    if len(prompt) == 0:
        raise ValueError("prompt: expected at least one token, got 0")
    limit = model.config.context_length
    if model.config.positions == "learned" and len(prompt) + most - 1 > limit:
        raise ValueError(f"prompt: expected at most {limit - most + 1} tokens before {most} others, got {len(prompt)}")
    next_distribution(torch.zeros(1, 2), temperature, None, top_p)
    return _stream(model, prompt, generator, stop, most, (temperature, None, top_p))


def _stream(
    model: Transformer, prompt: Tensor, generator: torch.Generator, stop: int, most: int, knobs: tuple
) -> Generator[Drawn, None, None]:
    device = model.embedding.weight.device
    cache = KVCache(model.config, 1, device, model.embedding.weight.dtype)
    unread = prompt[None].to(device)
    for _ in range(most):
        with torch.no_grad(), evaluating(model):
            logits = model(unread, cache)[:, -1].float()
            both = torch.cat([next_distribution(logits, *knobs), logits.softmax(-1)]).cpu()  # a device waits once
            token = torch.multinomial(both[:1], 1, generator=generator)
        (chances, probabilities), drawn = both, int(token)
        likely = probabilities.sort(descending=True, stable=True).indices[:NEAR].tolist()
        near = tuple(Candidate(i, probabilities[i].item(), chances[i].item()) for i in likely)
        yield Drawn(drawn, probabilities[drawn].item(), chances[drawn].item(), near)
        if drawn == stop:
            return
        unread = token.to(device)


def stream_with_calculator(
    model: Transformer,
    template: ChatTemplate,
    prompt: Int[Tensor, "time"],
    generator: torch.Generator,
    most: int,
    temperature: float = 1.0,
    top_p: float | None = None,
    most_calls: int = 4,
) -> Generator[Drawn | Written, None, None]:
    """Yield what is drawn behind a prompt up to ``<end>``, and behind each ``calc(…)`` what the loop writes there.

    ``write_with_calculator`` while it is written: the model draws until a call is closed, the loop writes the result,
    and the model reads both and draws on. most: tokens that are drawn and written, together. ValueError as for
    ``stream_answer``, and for most_calls below 0.
    """
    if most_calls < 0:
        raise ValueError(f"most_calls: expected at least 0, got {most_calls}")
    knobs = (temperature, top_p)
    first = stream_answer(model, prompt, generator, template.end, most, *knobs)
    return _with_calculator(first, model, template, prompt, generator, most, knobs, most_calls)


def _with_calculator(
    stream: Iterator[Drawn],
    model: Transformer,
    template: ChatTemplate,
    prompt: Tensor,
    generator: torch.Generator,
    most: int,
    knobs: tuple,
    most_calls: int,
) -> Generator[Drawn | Written, None, None]:
    text, left = "", most
    for calls in range(most_calls + 1):
        tokens: list[int] = []
        call = None
        for drawn in stream:
            yield drawn
            tokens.append(drawn.token)
            said = tokens[:-1] if drawn.token == template.end else tokens
            whole = text + template.tokenizer.decode(said)
            call = find_call(whole, len(text), answered=True) if calls < most_calls else None
            if call is not None:  # what the last token has behind the bracket is dropped
                break
        left -= len(tokens)
        if call is None:
            return
        result = Written(whole[: call.end], result_of(call))
        yield result
        text = "".join(result)
        left -= len(template.tokenizer.encode(result.text))
        if left < 1:
            return
        read = torch.cat([prompt, template.tokenizer.encode(text)])
        stream = stream_answer(model, read, generator, template.end, left, *knobs)
