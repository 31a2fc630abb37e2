"""Training steps to be timed: chapter 05's kind of model on one fixed batch, with one lever moved at a time."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Block, Transformer, TransformerConfig
from course_lib.gan.dcgan import Discriminator
from course_lib.training.optimizers import adamw

VOCABULARY = 65
Update = Literal["fused", "one by one"]


class ExplicitBlock(Block):
    """The library's block, whose attention makes the whole table of weights."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, memory=None) -> Tensor:
        """Return the heads' outputs, by way of all weights."""
        return scaled_dot_product_attention(q, k, v, causal_mask(q.shape[2], device=q.device))[0]


class CheckpointedBlock(Block):
    """The library's block, which keeps its input alone and runs again on the way back."""

    def forward(self, x: Tensor, phases=None, memory=None) -> Tensor:
        """Return the stream behind the block."""
        return checkpoint(super().forward, x, phases, memory, use_reentrant=False)


def model_of(width: int, blocks: int, time: int, kind: type[Block] = Block) -> Transformer:
    """Return a new model of 65 symbols with heads of 32, or of 64 from width 256 on; kind: the class of its blocks."""
    torch.manual_seed(0)
    heads = max(width // (32 if width < 256 else 64), 1)
    model = Transformer(TransformerConfig(VOCABULARY, time, blocks, heads, width))
    for block in model.blocks:
        block.__class__ = kind
    return model


def batch_of(batch: int, time: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Return tokens and targets (batch, time), the same ones each time."""
    drawn = torch.randint(VOCABULARY, (2, batch, time), generator=torch.Generator().manual_seed(0)).to(device)
    return drawn[0], drawn[1]


def language_step(
    width: int = 128,
    blocks: int = 4,
    batch: int = 16,
    time: int = 64,
    device: torch.device | str = "cpu",
    bfloat16: bool = False,
    update: Update = "fused",
    kind: type[Block] = Block,
    compiled: bool = False,
) -> Callable[[], Mapping[str, Tensor]]:
    """Return a call that takes one training step, always of the same batch."""
    model = model_of(width, blocks, time, kind).to(device)
    optimizer = adamw(model, 1e-3)
    if update == "one by one":
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, foreach=False, fused=False)
    if compiled:
        model.compile()
    step = next_token_step(model, [optimizer], bfloat16=bfloat16)
    drawn = batch_of(batch, time, device)
    return lambda: step(drawn)


def image_step(channels_last: bool, device: torch.device | str = "cpu", channels: int = 32) -> Callable[[], None]:
    """Return a call that trains chapter 11's discriminator on 64 images of 28 × 28, in either memory layout."""
    torch.manual_seed(0)
    model: nn.Module = Discriminator(channels).to(device)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    x = torch.randn(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)).to(device)

    def step() -> None:
        nn.functional.softplus(-model(x)).mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    return step
