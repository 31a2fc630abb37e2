"""A Transformer that reads a whole sentence, every word seeing all others, and what it is trained to know of it.

Devlin et al. 2019 (BERT) for reading both ways. Systems that draw from text put such an encoder in front, trained
before: Imagen takes that of T5 (Saharia et al. 2022), Stable Diffusion that of CLIP (Rombach et al. 2022).
"""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.positions import LearnedPositions
from course_lib.attention.transformer import FeedForward, TransformerConfig, pre_norm_block
from course_lib.training.fit import Draw, Step


class _Reading(nn.Module):
    """A block of the Transformer in which each word sees all that are there."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(config.d_model), nn.LayerNorm(config.d_model)
        self.attention = MultiHeadAttention(config.d_model, config.n_heads)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the stream x with what both layers add."""
        attention = partial(self.attention, mask=mask)
        return pre_norm_block(x, self.norm_1, attention, self.norm_2, self.feed_forward)


class TextEncoder(nn.Module):
    """Tokens (batch, length), 0 for none, to a vector for the whole (first) and one for each word.

    Every word sees all others, before it and after it. Of the empty sentence the first vector is all there is.
    """

    def __init__(self, vocabulary: int, length: int, d_model: int = 64, n_layers: int = 2, n_heads: int = 4) -> None:
        super().__init__()
        config = TransformerConfig(vocabulary, length + 1, n_layers, n_heads, d_model)
        self.embedding = nn.Embedding(vocabulary, d_model)
        self.whole = nn.Parameter(torch.randn(d_model))
        self.positions = LearnedPositions(length + 1, d_model)
        self.blocks = nn.ModuleList(_Reading(config) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self, tokens: Int[Tensor, "batch length"]
    ) -> tuple[Float[Tensor, "batch words d_model"], Bool[Tensor, "batch words"]]:
        """Return the vectors, and which of them stand for something: the first one, and the words that are there."""
        whole = self.whole.expand(len(tokens), 1, -1)
        x = self.positions(torch.cat([whole, self.embedding(tokens)], dim=1))
        there = F.pad(tokens > 0, (1, 0), value=True)
        for block in self.blocks:
            x = block(x, there[:, None, None])
        return self.norm(x), there


class Reader(nn.Module):
    """A text encoder, and one matrix that answers questions about the sentence from the first vector.

    answers: how many each question has; −1, 'not said', is one more of each.
    """

    def __init__(self, encoder: TextEncoder, answers: Sequence[int]) -> None:
        super().__init__()
        self.encoder, self.answers = encoder, tuple(answers)
        self.last = nn.Linear(encoder.whole.numel(), sum(self.answers) + len(self.answers))

    def forward(self, tokens: Int[Tensor, "batch length"]) -> list[Float[Tensor, "batch answers"]]:
        """Return the logits of each question's answers, of 'not said' last."""
        vectors, _ = self.encoder(tokens)
        return list(self.last(vectors[:, 0]).split([k + 1 for k in self.answers], dim=1))

    @torch.no_grad()
    def read(self, tokens: Int[Tensor, "batch length"]) -> Int[Tensor, "batch questions"]:
        """Return the likeliest answer to each question, −1 for 'not said'."""
        found = [logits.argmax(1) for logits in self(tokens)]
        return torch.stack([torch.where(a == k, -1, a) for a, k in zip(found, self.answers, strict=True)], dim=1)


def draw_read(
    tokens: Int[Tensor, "n length"], meanings: Int[Tensor, "n questions"], batch: int
) -> Draw[tuple[Tensor, Tensor]]:
    """Return the function that ``fit`` draws sentences and their meanings with; ValueError where they do not pair."""
    if len(tokens) != len(meanings):
        raise ValueError(f"meanings: expected one for each of {len(tokens)} sentences, got {len(meanings)}")

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(tokens), (batch,), generator=generator).to(tokens.device)
        return tokens[chosen], meanings[chosen]

    return draw


def reading_step(model: Reader, optimizers: Iterable[Optimizer]) -> Step[tuple[Tensor, Tensor]]:
    """Return the step for ``fit``: the surprise, in nats, of all answers of a sentence together, and one update.

    Scalar: loss.
    """
    optimizers = list(optimizers)

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        tokens, meanings = batch
        loss = tokens.new_zeros((), dtype=torch.float32)
        for question, (logits, count) in enumerate(zip(model(tokens), model.answers, strict=True)):
            loss = loss + F.cross_entropy(logits, meanings[:, question] % (count + 1))  # −1 becomes the last one
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return {"loss": loss}

    return step
