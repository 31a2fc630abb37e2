"""How long a training step of a Transformer takes, told from counts and from a few rates measured on the machine.

No step is measured for it. ``measure_machine`` times products, streams, attention, an activation and the cost of a
call by themselves, in a second or two; ``predict_step`` adds up what a step of given sizes has of each.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.training.roofline import fastest

WIDTHS = (96, 320, 896)  # of the linear layers that are timed
SIZES = (2**18, 2**21, 2**24, 3 * 2**24)  # bytes of the tensors that are added: in a cache, beside it, in fresh memory
ROWS = 512


@dataclass(frozen=True)
class Machine:
    """What was measured, everything in float32 or, where products are in bfloat16, under autocast.

    products: width → operations a second of a linear layer, forward and backward; streams: bytes of a tensor → bytes
    a second of adding two into a new one; in_place: bytes a second of adding into large memory; attention: operations
    a second of fused causal attention, forward and backward, all pairs counted; activation: numbers a second through
    the GELU, forward and backward; launch: seconds of an operation of a few numbers; overlaps: whether the device
    works while the next call is prepared, as a GPU does.
    """

    products: Mapping[int, float]
    streams: Mapping[int, float]
    in_place: float
    attention: float
    activation: float
    launch: float
    overlaps: bool = False

    def __post_init__(self) -> None:
        for name in ("products", "streams"):
            table = getattr(self, name)
            if not table or min(table.values()) <= 0:
                raise ValueError(f"{name}: expected at least one size with a rate above 0, got {dict(table)}")
        for name in ("in_place", "attention", "activation", "launch"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a number above 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class Sizes:
    """A model and its batch: d_model, n_layers (blocks), vocab_size; batch sequences of time positions."""

    d_model: int
    n_layers: int
    vocab_size: int
    batch: int
    time: int

    def __post_init__(self) -> None:
        for name, size in vars(self).items():
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name}: expected a whole number of at least 1, got {size!r}")

    @property
    def tokens(self) -> int:
        """Positions of the whole batch."""
        return self.batch * self.time

    @property
    def matrices(self) -> int:
        """Numbers in the matrices that a position is multiplied by: N of the rule 6 N."""
        return 12 * self.n_layers * self.d_model**2 + self.vocab_size * self.d_model

    @property
    def parameters(self) -> int:
        """Trained numbers: the matrices, a vector for each position, a gain for each norm and feature."""
        return self.matrices + (self.time + 2 * self.n_layers + 1) * self.d_model


def training_flops(sizes: Sizes) -> int:
    """Return the operations of all products of a step: three forward passes, all pairs of positions counted."""
    pairs = 2 * sizes.n_layers * sizes.time * sizes.d_model
    return 6 * sizes.tokens * (sizes.matrices + pairs)


def at(table: Mapping[int, float], size: float) -> float:
    """Return the rate at a size between those of the table, on a line over the size's logarithm; outside, the end's."""
    known = sorted(table)
    size = min(max(size, known[0]), known[-1])
    above = next(i for i, other in enumerate(known) if other >= size)
    if known[above] == size:
        return table[known[above]]
    low, high = known[above - 1], known[above]
    share = math.log(size / low) / math.log(high / low)
    return (1 - share) * table[low] + share * table[high]


def predict_step(sizes: Sizes, machine: Machine, operations: int) -> dict[str, float]:
    """Return the seconds of each kind of work of one step in float32, and their total.

    Linear layers: 6 operations for each number of a matrix and each position. Attention: 12 T C for each position and
    block. Numbers read and written one by one, a position and block: 4 C in the norms and 6 C in the sums forward; 6 C
    each backward, and 12 C to join the gradients of q, k and v and to part them; the GELU's 4 C by its own rate.
    AdamW: 7 numbers a parameter, clipping 3. operations: calls of a step (``counted``), each with its launch.
    """
    n, C = sizes.tokens, sizes.d_model
    products = 6 * n * sizes.matrices / at(machine.products, C)
    attention = 12 * n * sizes.n_layers * sizes.time * C / machine.attention
    wide = 4 * n * C  # bytes of a tensor of the stream
    elementwise = wide * 34 * sizes.n_layers / at(machine.streams, wide)
    elementwise += 4 * n * C * sizes.n_layers / machine.activation
    update = 10 * 4 * sizes.parameters / machine.in_place
    parts = {"products": products, "attention": attention, "one by one": elementwise, "update": update}
    launches, work = operations * machine.launch, sum(parts.values())
    total = max(launches, work) if machine.overlaps else launches + work
    return {**parts, "launches": launches, "total": total}


class _Counts(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def counted(call: Callable[[], object]) -> Counter[str]:
    """Return how often call() makes each of PyTorch's operations, views included: 'mm', '_local_scalar_dense', …"""
    with _Counts() as counts:
        call()
    return counts.calls


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def measure_machine(
    device: torch.device | str = "cpu", bfloat16: bool = False, time: int = 128, attend: Callable[..., Tensor] = _fused
) -> Machine:
    """Measure what ``predict_step`` needs, in a second or two.

    bfloat16: products under autocast, attention and activation in bfloat16; time: positions of the attention that is
    timed, with heads of 64; attend(q, k, v): the causal attention that the model has.
    """
    device = torch.device(device)
    linear = {width: _linear_rate(width, device, bfloat16) for width in WIDTHS}
    adding = {size: _adding_rate(size, device) for size in SIZES}
    a = torch.ones(SIZES[-1] // 4, device=device)
    in_place = 2 * SIZES[-1] / fastest(lambda: a.mul_(1.0), device, 3)  # read once, written once
    shape = (4, 4, time, 64)
    kind = torch.bfloat16 if bfloat16 else torch.float32
    q, k, v = (torch.randn(shape, device=device, dtype=kind).requires_grad_() for _ in range(3))
    attention = 12 * time * q.numel() / _both_ways(lambda: attend(q, k, v), (q, k, v), device)
    x = torch.randn(ROWS, 4 * 256, device=device, dtype=kind).requires_grad_()
    activation = x.numel() / _both_ways(lambda: F.gelu(x), (x,), device)
    return Machine(linear, adding, in_place, attention, activation, _launch(device), device.type == "cuda")


def _both_ways(forward: Callable[[], Tensor], leaves: tuple[Tensor, ...], device: torch.device) -> float:
    """Seconds of forward and backward."""
    output = forward()
    upstream = torch.randn_like(output)
    return fastest(lambda: torch.autograd.grad(forward(), leaves, upstream), device, 3)


def _linear_rate(width: int, device: torch.device, bfloat16: bool) -> float:
    x = torch.randn(ROWS, width, device=device).requires_grad_()
    weight = torch.randn(4 * width, width, device=device).requires_grad_()

    def forward() -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            return F.linear(x, weight)

    return 3 * 2 * ROWS * 4 * width**2 / _both_ways(forward, (x, weight), device)


def _adding_rate(size: int, device: torch.device) -> float:
    a, b = torch.ones(2, size // 4, device=device)
    return 3 * size / fastest(lambda: a + b, device, 3)


def _launch(device: torch.device) -> float:
    """Seconds of one operation in a chain of small ones, forward and backward."""
    x = torch.ones(8, device=device, requires_grad=True)

    def chain() -> None:
        y = x
        for _ in range(50):
            y = (y * 0.5)[None][0]
        y.sum().backward()

    return fastest(chain, device) / counted(chain).total()
