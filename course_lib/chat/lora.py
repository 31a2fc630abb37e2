"""LoRA: a matrix stays as it was and a product of two thin ones is added to it and trained.

Hu et al. 2022, *LoRA: low-rank adaptation of large language models*, equation 3: h = W x + (α / r) B A x.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class LoRALinear(nn.Module):
    """A linear layer with what is added to it: ``down`` (rank, in), ``up`` (out, rank); up is zero at the start.

    The layer itself is frozen. down is drawn uniformly as ``nn.Linear`` draws its own weight. α / r stands before the
    product, so that a good learning rate depends less on the rank. ValueError for a rank below 1 or above both sizes'
    lesser, where it would hold more than the matrix needs.
    """

    def __init__(
        self, layer: nn.Linear, rank: int, alpha: float = 16.0, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        most = min(layer.in_features, layer.out_features)
        if not 1 <= rank <= most:
            raise ValueError(f"rank: expected 1 to {most} for a matrix {tuple(layer.weight.shape)}, got {rank}")
        self.layer, self.rank, self.alpha = layer.requires_grad_(False), rank, alpha
        weight = layer.weight
        bound = 1 / math.sqrt(layer.in_features)
        drawn = torch.rand(rank, layer.in_features, generator=generator) * 2 * bound - bound  # on the CPU
        self.down = nn.Parameter(drawn.to(weight))
        self.up = nn.Parameter(weight.new_zeros(layer.out_features, rank))

    def forward(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_out"]:
        """Return the layer's output and, added to it, (α / r) B A x."""
        return self.layer(x) + self.alpha / self.rank * F.linear(F.linear(x, self.down), self.up)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return a plain layer that computes the same: its weight is W + (α / r) B A. This one is left as it is."""
        layer = self.layer
        same = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, layer.weight.device)
        same = same.to(layer.weight.dtype)
        same.weight.copy_(layer.weight + self.alpha / self.rank * self.up @ self.down)
        if layer.bias is not None:
            same.bias.copy_(layer.bias)
        return same


def add_lora(
    model: nn.Module,
    rank: int,
    alpha: float = 16.0,
    names: Sequence[str] = ("query", "key", "value", "output", "up", "down"),
    seed: int = 0,
) -> list[nn.Parameter]:
    """Put a ``LoRALinear`` in the place of each linear layer with one of the names; freeze all else.

    Return the parameters that are trained. The model computes what it did before. seed: of the generator of the thin
    matrices. ValueError where no layer has such a name, or where the model has LoRA already.
    """
    if any(isinstance(module, LoRALinear) for module in model.modules()):
        raise ValueError("model: expected one without LoRA, got one that has it; merge it first")
    found = [(m, n, layer) for m, n, layer in _children(model) if n in names and isinstance(layer, nn.Linear)]
    if not found:
        raise ValueError(f"names: expected names of linear layers of the model, got {', '.join(names)}")
    for _, _, layer in found:  # a rank that does not fit is refused before anything is changed
        LoRALinear(nn.Linear(layer.in_features, layer.out_features, device="meta"), rank)
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    trained = []
    for parent, name, layer in found:
        lora = LoRALinear(layer, rank, alpha, generator)
        setattr(parent, name, lora)
        trained += [lora.down, lora.up]
    return trained


def merge_lora(model: nn.Module) -> nn.Module:
    """Put plain layers that compute the same in LoRA's place, let all be trained again, and return the model."""
    for parent, name, layer in _children(model):
        if isinstance(layer, LoRALinear):
            setattr(parent, name, layer.merged())
    return model.requires_grad_(True)


def lora_parameter_count(d_out: int, d_in: int, rank: int) -> int:
    """Return how many numbers are trained in the place of d_out · d_in: rank · (d_out + d_in)."""
    return rank * (d_out + d_in)


def _children(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Each module with its parent and its name there; a list, because the callers change what they walk over."""
    yield from [(parent, name, child) for parent in model.modules() for name, child in parent.named_children()]
