"""Supervised tuning: exchanges to learn from, in batches, and tokens that a pretrained model has never read."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.chat.questions import Question
from course_lib.chat.sentences import as_sentence
from course_lib.chat.template import SPECIAL, ChatTemplate, batch_of, exchange
from course_lib.training.fit import Draw

Encoded = tuple[Int[Tensor, "_"], Bool[Tensor, "_"]]


@torch.no_grad()
def introduce(model: Transformer, template: ChatTemplate, seed: int = 0, noise: float = 0.5) -> None:
    """Give the template's special tokens vectors to begin with: the line break's, and noise that tells them apart.

    No text has these tokens, so pretraining has only made them improbable, all in the same direction (Land and Bartolo
    2024, *Fishing for Magikarp*). noise: its length, as a share of the line break's vector's.
    """
    vectors = model.embedding.weight
    near = vectors[int(template.tokenizer.encode("\n")[0])]
    drawn = torch.randn(len(SPECIAL), vectors.shape[1], generator=torch.Generator().manual_seed(seed)).to(vectors)
    drawn = drawn / drawn.norm(dim=1, keepdim=True) * near.norm() * noise
    for name, each in zip(SPECIAL, drawn, strict=True):
        vectors[template.tokenizer.token[name]] = near + each


def encoded_exchanges(
    template: ChatTemplate, questions: Sequence[Question], learn: Literal["answers", "all"] = "answers"
) -> list[Encoded]:
    """Return each question with its answer as a sentence, as tokens, and which of them are learned."""
    return [template.encode(exchange(each.text, as_sentence(each)), learn) for each in questions]


def draw_exchanges(
    encoded: Sequence[Encoded], size: int, filler: int, device: torch.device | str = "cpu"
) -> Draw[tuple[Tensor, Tensor]]:
    """Return the function that draws size exchanges, padded to the longest of them, for ``next_token_step``."""

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        some = [encoded[i] for i in torch.randint(len(encoded), (size,), generator=generator).tolist()]
        inputs, targets = batch_of(some, max(len(tokens) for tokens, _ in some) - 1, filler)
        return inputs.to(device), targets.to(device)

    return draw
