"""The trainings of chapter 04: stacks of blocks on text, and what a stack keeps apart of its positions."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Block, Transformer, TransformerConfig
from course_lib.datasets.text import random_windows
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

Arrangement = Callable[[Tensor, Callable, Callable, Callable, Callable], Tensor]


class ArrangedBlock(Block):
    """The library's block, its four parts put together by another function than ``pre_norm_block``."""

    arrangement: Arrangement

    def forward(self, x: Float[Tensor, "batch time d_model"], phases=None, memory=None) -> Tensor:
        """Return arrangement(x, norm_1, attention, norm_2, feed_forward)."""

        def attention(x: Tensor) -> Tensor:
            q, k, v = self.project(x, phases)
            found = self.attend(q, k, v, None)  # (B, H, T, d)
            return self.attention.output(found.transpose(1, 2).flatten(2))

        return type(self).arrangement(x, self.norm_1, attention, self.norm_2, self.feed_forward)


def arranged(config: TransformerConfig, arrangement: Arrangement) -> Transformer:
    """Return the library's model with another arrangement in every block; the last norm stays."""
    kind = type("ArrangedBlock", (ArrangedBlock,), {"arrangement": staticmethod(arrangement)})
    model = Transformer(config)
    for block in model.blocks:
        block.__class__ = kind
    return model


@torch.no_grad()
def start_level(model: nn.Module, seed: int, outward: float = 1.0) -> None:
    """Set tables and matrices anew, the same on every device: a matrix keeps the variance of what it is applied to.

    The two tables, which come first, are normal with 0.1. outward: factor of the two matrices whose results leave a
    block's layers, attention's output and the feed-forward layer's down.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = [(name, parameter) for name, parameter in model.named_parameters() if parameter.ndim == 2]
    for i, (name, matrix) in enumerate(drawn):
        std = 0.1 if i < 2 else matrix.shape[1] ** -0.5
        std *= outward if name.endswith(("attention.output.weight", "feed_forward.down.weight")) else 1.0
        matrix.copy_(std * torch.randn(matrix.shape, generator=generator))


def train_on_text(
    model: nn.Module,
    tokens: Int[Tensor, "n"],
    seed: int,
    steps: int,
    rate: float,
    schedule: Callable[[float], float] = lambda share: warmup_then_linear(share, warmup=0.05),
    length: int = 32,
) -> list[float]:
    """Train by AdamW without decay, 16 windows a step, and return the loss in nats, means over ten steps each.

    schedule: by itself the rate rises for 5 % of the steps and then falls to zero.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    trained = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    history = fit(
        next_token_step(model, [optimizer]),
        lambda generator: random_windows(tokens, 16, length, generator),
        steps,
        trained,
        schedule=schedule,
        every=10,
        progress=False,
    )
    return history.curve("loss").values


def constant(share: float) -> float:
    """Leave the rate as it is."""
    return 1.0


def slow_start(share: float) -> float:
    """Let the rate rise for half of the steps and stay."""
    return min(1.0, 2 * share + 1 / 120)


@torch.no_grad()
def bits_on(model: nn.Module, tokens: Int[Tensor, "n"], length: int = 32) -> float:
    """Return −log₂ p a character over windows of length without overlap."""
    n = (len(tokens) - 1) // length
    inputs, targets = (tokens[i : i + n * length].view(n, length) for i in (0, 1))
    total = 0.0
    for x, y in zip(inputs.split(256), targets.split(256), strict=True):
        total += nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
    return total / (n * length) / math.log(2)


def cosine_between_positions(stream: Float[Tensor, "batch time d_model"]) -> float:
    """Return the mean cosine of two different positions of the same sequence."""
    unit = stream / stream.norm(dim=-1, keepdim=True)
    cosines = unit @ unit.transpose(1, 2)  # (B, T, T)
    T = cosines.shape[-1]
    return ((cosines.sum((1, 2)) - T) / (T * (T - 1))).mean().item()


@torch.no_grad()
def stream_of(model: Transformer, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time d_model"]:
    """Return the stream behind the last block of the library's model, before the last norm."""
    x, _ = model.embed(tokens)
    for block in model.blocks:
        x = block(x)
    return x
