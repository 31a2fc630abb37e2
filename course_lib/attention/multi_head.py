"""Multi-head attention (Vaswani et al. 2017, section 3.2.2)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import _has_any_global_hook

from course_lib.attention.dot_product import fast_attention, scaled_dot_product_attention


def split_heads(x: Float[Tensor, "batch time d_model"], n_heads: int) -> Float[Tensor, "batch heads time d_head"]:
    """Cut the last axis into n_heads pieces of equal length and move the heads in front of the time."""
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError(f"n_heads: expected a divisor of d_model = {x.shape[-1]}, got {n_heads}")
    B, T, C = x.shape
    return x.reshape(B, T, n_heads, C // n_heads).transpose(1, 2)  # (B, H, T, d)


def join_heads(x: Float[Tensor, "batch heads time d_head"]) -> Float[Tensor, "batch time d_model"]:
    """Undo ``split_heads``: the heads' outputs side by side, head 0 first."""
    B, H, T, d = x.shape
    return x.transpose(1, 2).reshape(B, T, H * d)


def _only_multiplies(layer: nn.Module) -> bool:
    """Return whether calling this layer is one product with its weight: nn.Linear itself, no bias, no hook."""
    hooks = (layer._forward_pre_hooks, layer._forward_hooks, layer._backward_pre_hooks, layer._backward_hooks)
    plain = type(layer) is nn.Linear and "forward" not in vars(layer)
    return plain and layer.bias is None and not any(hooks) and not _has_any_global_hook()


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2) with grouped queries (Ainslie et al. 2023).

    d_model: width C of what comes in and goes out; n_heads: heads, d_head = d_model / n_heads;
    n_kv_heads: heads of keys and values, each serving n_heads / n_kv_heads query heads in a row
    (n_heads of them when left out); bias: whether the four projections have one.
    ValueError where the heads do not divide.
    """

    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int | None = None, bias: bool = False) -> None:
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads: expected a divisor of d_model = {d_model}, got {n_heads}")
        if n_kv_heads < 1 or n_heads % n_kv_heads:
            raise ValueError(f"n_kv_heads: expected a divisor of n_heads = {n_heads}, got {n_kv_heads}")
        self.d_model, self.n_heads, self.n_kv_heads = d_model, n_heads, n_kv_heads
        d_kv = d_model // n_heads * n_kv_heads
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, d_kv, bias=bias)
        self.value = nn.Linear(d_model, d_kv, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def project(
        self, x: Float[Tensor, "batch query d_model"], context: Float[Tensor, "batch key d_model"] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return q, k, v of shape (batch, n_heads, positions, d_head); a shared key head is repeated.

        Three plain layers that read the same x are computed in one product, which makes a training step in bfloat16
        up to a fifth faster. Layers with hooks or biases, and others that were put in their places, are called.
        """
        context = x if context is None else context
        for name, given in (("x", x), ("context", context)):
            if given.ndim != 3 or given.shape[-1] != self.d_model:
                expected = f"(batch, positions, d_model = {self.d_model})"
                raise ValueError(f"{name}: expected {expected}, got {tuple(given.shape)}")
        layers = (self.query, self.key, self.value)
        if context is x and x.shape[1] > 1 and all(_only_multiplies(layer) for layer in layers):
            together = F.linear(x, torch.cat([layer.weight for layer in layers]))
            parts = together.split([layer.out_features for layer in layers], dim=-1)
        else:
            parts = self.query(x), self.key(context), self.value(context)
        q, k, v = (split_heads(p, h) for p, h in zip(parts, (self.n_heads, *[self.n_kv_heads] * 2), strict=True))
        shared = self.n_heads // self.n_kv_heads
        if shared > 1:
            k, v = (t.repeat_interleave(shared, dim=1) for t in (k, v))
        return q, k, v

    def forward(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "batch query d_model"]:
        """Attend from x to context (to x itself when left out); mask broadcasts to (batch, heads, query, key)."""
        return self.output(join_heads(fast_attention(*self.project(x, context), mask)))

    def attend(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> tuple[Float[Tensor, "batch query d_model"], Float[Tensor, "batch heads query key"]]:
        """Return what ``forward`` returns, and the weights of every head beside it."""
        output, weights = scaled_dot_product_attention(*self.project(x, context), mask)
        return self.output(join_heads(output)), weights
