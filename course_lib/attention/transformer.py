"""The decoder-only Transformer: feed-forward layer, block, model, key-value cache, and what it costs.

The defaults of ``TransformerConfig`` are GPT-2's architecture without biases (Radford et al. 2019): norms before the
layers, learned positions, GELU, one matrix for embedding and readout. The GELU is the exact x Φ(x); GPT-2's is its
approximation by tanh (Hendrycks and Gimpel 2016), which is up to 0.0005 off. ``modern`` has what later papers changed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention.dot_product import fast_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention, join_heads
from course_lib.attention.positions import LearnedPositions, on_circle, position_angles, turn

Positions = Literal["learned", "rotary"]
Activation = Literal["gelu", "relu2"]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and choices of a model.

    vocab_size: symbols; context_length: positions that a position can see, itself included; n_layers: blocks;
    n_heads: heads of each; d_model: width of the residual stream; dropout: of each layer's output, in training.

    positions: ``learned`` (a vector for each position; inputs longer than the context are refused) or ``rotary``
    (Su et al. 2021; any length: each position attends to the last context_length positions).
    activation: ``gelu``, x Φ(x) exactly, or ``relu2``, the square of the ReLU (So et al. 2021).
    qk_norm: layer norm of every query and key (Henry et al. 2020; Dehghani et al. 2023).
    zero_init: what a layer adds to the stream starts at zero (Zhang et al. 2019; Bachlechner et al. 2021).
    token_shift: each layer also reads the position before, by one trained number a feature (Peng et al. 2023).

    ValueError names the field that has no such value or does not go with another.
    """

    vocab_size: int
    context_length: int = 64
    n_layers: int = 4
    n_heads: int = 4
    d_model: int = 128
    dropout: float = 0.0
    positions: Positions = "learned"
    activation: Activation = "gelu"
    qk_norm: bool = False
    zero_init: bool = False
    token_shift: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "context_length", "n_layers", "n_heads", "d_model"):
            size = getattr(self, name)
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ValueError(f"{name}: expected a whole number of at least 1, got {size!r}")
        for name, allowed in (("positions", get_args(Positions)), ("activation", get_args(Activation))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: expected {' or '.join(allowed)}, got {getattr(self, name)!r}")
        for name in ("qk_norm", "zero_init", "token_shift"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected True or False, got {getattr(self, name)!r}")
        if self.d_model % self.n_heads:
            raise ValueError(f"n_heads: expected a divisor of d_model = {self.d_model}, got {self.n_heads}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a probability below 1, got {self.dropout}")
        if self.positions == "rotary" and self.d_head % 2:
            raise ValueError(f"n_heads: rotary positions need an even d_head, got {self.d_model} / {self.n_heads}")

    @property
    def d_head(self) -> int:
        """Numbers of one head's query, key and value."""
        return self.d_model // self.n_heads


def modern(vocab_size: int, **others: Any) -> TransformerConfig:
    """Return a configuration with what later papers changed: see the last five fields of ``TransformerConfig``.

    others: its other fields, and one of the five where that is to be undone.
    """
    changed: dict[str, Any] = {"positions": "rotary", "activation": "relu2"}
    changed |= {"qk_norm": True, "zero_init": True, "token_shift": True}
    return TransformerConfig(vocab_size, **(changed | others))


class KVCache:
    """What the past leaves for the next token: each layer's last context_length keys and values.

    layers: one ``LayerMemory`` for each.
    """

    def __init__(
        self, config: TransformerConfig, batch: int, device: torch.device | str | None = None, dtype=None
    ) -> None:
        shape = (batch, config.n_heads, config.context_length, config.d_head)
        empty = [[torch.zeros(shape, device=device, dtype=dtype) for _ in range(2)] for _ in range(config.n_layers)]
        self.layers = [LayerMemory(keys, values) for keys, values in empty]

    @property
    def length(self) -> int:
        """Positions seen: a layer's new ones count once the model has been through all layers and sets this."""
        return self.layers[0].seen

    @length.setter
    def length(self, positions: int) -> None:
        for memory in self.layers:
            memory.seen = positions


class LayerMemory:
    """One layer's view of a ``KVCache``: keys and values (batch, heads, context_length, d_head), and what was shifted.

    Slot p mod context_length holds position p, so that a full memory forgets its oldest position. Keys are stored
    normalised and rotated. before: what each token shift of the layer read last, (batch, 1, d_model). seen: positions
    that the whole model has been through.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values
        self.before: dict[nn.Module, Tensor] = {}
        self.seen = 0

    def store(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store k, v (batch, heads, time, d_head) behind the positions seen; return all that is held."""
        capacity, end = self.keys.shape[2], self.seen + k.shape[2]
        kept = min(k.shape[2], capacity)
        first = (end - kept) % capacity
        if first + kept <= capacity:
            self.keys.narrow(2, first, kept).copy_(k[:, :, -kept:])
            self.values.narrow(2, first, kept).copy_(v[:, :, -kept:])
        else:
            slots = torch.arange(first, first + kept, device=k.device) % capacity
            self.keys[:, :, slots], self.values[:, :, slots] = k[:, :, -kept:], v[:, :, -kept:]
        held = min(end, capacity)
        return self.keys.narrow(2, 0, held), self.values.narrow(2, 0, held)


class TokenShift(nn.Module):
    """x[t] + a · x[t − 1], with one trained number a for each feature, zero at the start (Peng et al. 2023, RWKV)."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.zeros(d_model))

    def forward(
        self, x: Float[Tensor, "batch time d_model"], memory: LayerMemory | None = None
    ) -> Float[Tensor, "batch time d_model"]:
        """Shift x; ahead of x[:, 0] stand zeros, or what memory has from the last call. It keeps x[:, −1]."""
        before = None if memory is None else memory.before.get(self)
        if before is None:
            past = F.pad(x, (0, 0, 1, -1))
        else:
            past = before if x.shape[1] == 1 else torch.cat([before, x[:, :-1]], dim=1)
        if memory is not None:
            memory.before[self] = x[:, -1:]
        return torch.addcmul(x, self.amount.to(x.dtype), past)


class Unshifted(nn.Module):
    """What stands in the place of ``TokenShift`` where there is none."""

    def forward(
        self, x: Float[Tensor, "batch time d_model"], memory: LayerMemory | None = None
    ) -> Float[Tensor, "batch time d_model"]:
        """Return x."""
        return x


class FeedForward(nn.Module):
    """Up to four times the width, an activation, and down again (Vaswani et al. 2017, equation 2)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.d_model, 4 * config.d_model, bias=False)
        self.down = nn.Linear(4 * config.d_model, config.d_model, bias=False)
        self.activation = config.activation

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        """Apply the layer to every position by itself."""
        hidden = self.up(x)  # (…, 4 C)
        return self.down(F.gelu(hidden) if self.activation == "gelu" else F.relu(hidden) ** 2)


def pre_norm_block(
    x: Float[Tensor, "*batch d_model"],
    norm_1: Callable[[Tensor], Tensor],
    attention: Callable[[Tensor], Tensor],
    norm_2: Callable[[Tensor], Tensor],
    feed_forward: Callable[[Tensor], Tensor],
) -> Float[Tensor, "*batch d_model"]:
    """Return the stream x with what attention and then feed_forward add, each reading a normalised copy of it.

    The arrangement of GPT-2; Xiong et al. (2020) compare it with the norm after each sum.
    """
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))


class Block(nn.Module):
    """Attention and a feed-forward layer on a residual stream, as ``pre_norm_block`` puts them together."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(config.d_model, bias=False)
        self.attention = MultiHeadAttention(config.d_model, config.n_heads)
        self.norm_2 = nn.LayerNorm(config.d_model, bias=False)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        shifts = (TokenShift(config.d_model) if config.token_shift else Unshifted() for _ in range(2))
        self.shifts = nn.ModuleList(shifts)  # of what attention reads, and of what feed_forward reads
        self.qk_norm, self.window = config.qk_norm, config.context_length

    def project(
        self, x: Tensor, phases: Tensor | None, memory: LayerMemory | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return q, k, v (batch, heads, time, d_head) of the normalised stream x, as attention compares them."""
        shift, _ = self.shifts
        q, k, v = self.attention.project(shift(x, memory))
        if self.qk_norm or phases is not None:  # both do the same to q and to k: once for both
            both = torch.cat([q, k], dim=1)  # (B, 2 H, T, d)
            if self.qk_norm:
                both = F.layer_norm(both, both.shape[-1:]).to(v.dtype)  # float32 under the autocast of a GPU
            q, k = (both if phases is None else turn(both, phases)).chunk(2, dim=1)
        return q, k, v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, memory: LayerMemory | None) -> Tensor:
        """Return the heads' outputs (batch, heads, time, d_head); a position sees the last context_length ones."""
        if memory is not None:
            keys, values = memory.store(k, v)
            if memory.seen:  # one new query, which may see whatever is held
                return F.scaled_dot_product_attention(q, keys, values)
        T = q.shape[2]
        if self.window >= T:
            return fast_attention(q, k, v, causal=True)
        near = causal_mask(T, device=q.device)
        return fast_attention(q, k, v, near & ~near.tril(-self.window))

    def forward(
        self,
        x: Float[Tensor, "batch time d_model"],
        phases: Complex[Tensor, "time pairs"] | None = None,
        memory: LayerMemory | None = None,
    ) -> Float[Tensor, "batch time d_model"]:
        """Add what the two layers found to the stream x; phases: e^{iφ} of the rotary positions.

        memory: what earlier calls left for this one; x is then one position, or the first ones.
        """
        _, shift = self.shifts

        def attention(x: Tensor) -> Tensor:
            q, k, v = self.project(x, phases, memory)
            return self.dropout(self.attention.output(join_heads(self.attend(q, k, v, memory))))

        def feed_forward(x: Tensor) -> Tensor:
            return self.dropout(self.feed_forward(shift(x, memory)))

        return pre_norm_block(x, self.norm_1, attention, self.norm_2, feed_forward)


class Transformer(nn.Module):
    """Tokens to logits of the next token: embedding, blocks, norm, and the embedding again as readout.

    One matrix serves as embedding and readout (Press and Wolf 2017). Weights start as in GPT-2: normal with
    standard deviation 0.02, divided by √(2 n_layers) where a layer adds to the stream; with zero_init zero there,
    and 1/√d_model elsewhere in the blocks.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.positions: LearnedPositions | None = None
        if config.positions == "learned":
            self.positions = LearnedPositions(config.context_length, config.d_model)
        self._phases = torch.empty(0, 0, dtype=torch.complex64)  # of rotary positions, computed when they are asked for
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.d_model, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        config = self.config
        inner = config.d_model**-0.5 if config.zero_init else 0.02
        outer = 0.0 if config.zero_init else 0.02 / math.sqrt(2 * config.n_layers)
        outward = (".attention.output.weight", ".feed_forward.down.weight")
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                std = inner if name.startswith("blocks.") else 0.02
                nn.init.normal_(parameter, std=outer if name.endswith(outward) else std)

    def _check(self, tokens: Tensor, cache: KVCache | None) -> None:
        T, limit = tokens.shape[1], self.config.context_length
        seen, device = 0 if cache is None else cache.length, self.embedding.weight.device
        if tokens.device != device:
            raise ValueError(f"tokens: expected the device of the model, {device}, got {tokens.device}")
        if T == 0:
            raise ValueError("tokens: expected at least one position, got 0")
        if seen and T > 1:
            raise ValueError(f"tokens: with a cache that holds {seen} positions expected one new token, got {T}")
        if self.positions is not None and seen + T > limit:
            raise ValueError(f"tokens: learned positions end at context_length = {limit}, got {seen + T}")

    def _look_up(self, tokens: Tensor) -> Tensor:
        try:  # costs nothing; to look at the numbers first would make a GPU wait
            return self.embedding(tokens)
        except IndexError:
            vocab_size = self.config.vocab_size
            outside = tokens[(tokens < 0) | (tokens >= vocab_size)][0].item()
            raise ValueError(f"tokens: expected symbols from 0 to {vocab_size - 1}, got {outside}") from None

    def embed(self, tokens: Tensor, seen: int = 0) -> tuple[Tensor, Tensor | None]:
        """Return the stream (batch, time, d_model) before the first block, and e^{iφ} of rotary positions or None."""
        x, end = self._look_up(tokens), seen + tokens.shape[1]
        if self.positions is not None:
            return self.dropout(self.positions(x, seen)), None
        wide = torch.promote_types(x.dtype, torch.float32)
        if end > len(self._phases) or self._phases.real.dtype != wide or self._phases.device != x.device:
            positions = torch.arange(max(2 * end, self.config.context_length), device=x.device)
            self._phases = on_circle(position_angles(positions.to(wide), self.config.d_head))
        return self.dropout(x), self._phases[seen:end]

    def forward(
        self, tokens: Int[Tensor, "batch time"], cache: KVCache | None = None
    ) -> Float[Tensor, "batch time vocab"]:
        """Return the logits of the token after each position.

        cache: filled with what is read; a cache that already holds positions takes one token at a time, and the
        logits are those of the whole sequence's last position. ValueError where tokens do not fit, are on another
        device, or (on the CPU; a GPU stops with an assertion of its own) no symbols of the vocabulary.
        """
        self._check(tokens, cache)
        x, phases = self.embed(tokens, 0 if cache is None else cache.length)
        memories = [None] * len(self.blocks) if cache is None else cache.layers
        for block, memory in zip(self.blocks, memories, strict=True):
            x = block(x, phases, memory)
        if cache is not None:
            cache.length += tokens.shape[1]
        return F.linear(self.norm(x), self.embedding.weight)  # (B, T, V)

    @torch.no_grad()
    def queries_and_keys(self, tokens: Int[Tensor, "batch time"]) -> tuple[Tensor, Tensor]:
        """Return q and k of every layer, (n_layers, batch, heads, time, d_head), as attention compares them."""
        self._check(tokens, None)
        x, phases = self.embed(tokens)
        queries, keys = [], []
        for block in self.blocks:
            assert isinstance(block, Block)  # what a ModuleList holds, the type checker cannot know
            q, k, _ = block.project(block.norm_1(x), phases)
            queries.append(q)
            keys.append(k)
            x = block(x, phases)
        return torch.stack(queries), torch.stack(keys)


def parameter_count(config: TransformerConfig) -> int:
    """Return the number of trained numbers, from the sizes alone; the readout shares the embedding's matrix."""
    C = config.d_model
    block = 4 * C * C + 8 * C * C + 2 * C  # q, k, v, o; up and down; two norms
    block += 2 * C * config.token_shift
    positions = config.context_length * C if config.positions == "learned" else 0
    return config.vocab_size * C + positions + config.n_layers * block + C


def forward_flops(config: TransformerConfig, time: int) -> int:
    """Return the floating-point operations of the matrix products of one sequence's forward pass.

    A product of (n, m) and (m, p) counts 2 n m p. Attention counts all time × time pairs, as an explicit
    implementation computes them. The backward pass takes twice as many.
    """
    C = config.d_model
    matrices = config.n_layers * 12 * C * C + config.vocab_size * C
    pairs = config.n_layers * 2 * time * C  # scores and weighted sum, for one query
    return 2 * time * (matrices + pairs)
