"""Two layers of attention between two tables: the smallest language model of the course, chapter 02b's."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.attention.dot_product import fast_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention, join_heads


class AttentionOnly(nn.Module):
    """Tokens (batch, time) to logits (batch, time, vocab) by causal attention that adds what it finds; nothing else.

    No norm, no feed-forward layer. Inputs longer than context: an error of PyTorch's addition.
    """

    def __init__(
        self, vocab_size: int, context_length: int = 32, d_model: int = 64, n_heads: int = 4, n_layers: int = 2
    ) -> None:
        super().__init__()
        self.context_length = context_length
        self.token = nn.Embedding(vocab_size, d_model)
        self.position = nn.Parameter(torch.randn(context_length, d_model) / 2)
        self.layers = nn.ModuleList(MultiHeadAttention(d_model, n_heads) for _ in range(n_layers))
        self.readout = nn.Linear(d_model, vocab_size)
        nn.init.normal_(self.token.weight, std=0.5)

    def forward(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time vocab"]:
        """Return the logits of each next token."""
        x = self.token(tokens) + self.position[: tokens.shape[1]]  # (B, T, C)
        mask = causal_mask(tokens.shape[1], device=x.device)
        layers: Iterable[Any] = self.layers  # of MultiHeadAttention, which PyTorch's list does not say
        for layer in layers:
            q, k, v = layer.project(x)
            found = fast_attention(q, k, v, mask)  # (B, H, T, d)
            x = x + layer.output(join_heads(found))
        return self.readout(x)
