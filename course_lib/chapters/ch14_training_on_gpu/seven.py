"""Seven operations for the roof: what each computes, what it moves at best, and a call that does it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SINGLE = 4  # bytes of a float32


@dataclass(frozen=True)
class Operation:
    """flops: additions and multiplications; moved: bytes read and written, nothing twice; call: does it once."""

    flops: int
    moved: int
    call: Callable[[], Tensor]


def seven(device: torch.device | str = "cpu", scale: int = 1) -> dict[str, Operation]:
    """Return the operations in float32; scale: of the widths, 1 for a processor and more for a GPU.

    A softmax counts 5 operations a number (largest, difference, exponential, sum, quotient), a layer norm 7. The first
    three write into memory that is there: fresh memory is set up page by page, which can take longer than the rest.
    """

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)

    x, y, out = (draw(4096, 1024 * scale) for _ in range(3))
    means, scales = draw(4096, 1), draw(4096, 1)
    norm = torch.ops.aten.native_layer_norm.out
    row, wide = draw(1, 3072 * scale), draw(3072 * scale, 3072 * scale)
    q, k = draw(64, 256, 32), draw(64, 32, 256)
    images, kernels = draw(64, 32, 14, 14), draw(64, 32, 4, 4)  # chapter 11: 32 to 64 channels, 14 × 14 to 7 × 7
    a, b = draw(2048 * scale, 512 * scale), draw(512 * scale, 2048 * scale)
    n = x.numel()
    places = 64 * 64 * 49  # numbers of the convolution's result
    return {
        "adding": Operation(n, 3 * SINGLE * n, lambda: torch.add(x, y, out=out)),
        "softmax": Operation(5 * n, 2 * SINGLE * n, lambda: torch.softmax(x, -1, out=out)),
        "layer norm": Operation(
            7 * n,
            2 * SINGLE * n,
            lambda: norm(x, x.shape[-1:], None, None, 1e-5, out0=out, out1=means, out2=scales),
        ),
        "decoding step": Operation(2 * wide.numel(), SINGLE * (wide.numel() + 2 * row.numel()), lambda: row @ wide),
        "scores": Operation(2 * 64 * 256 * 256 * 32, SINGLE * 64 * (2 * 256 * 32 + 256 * 256), lambda: q @ k),
        "convolution": Operation(
            2 * places * 32 * 16,
            SINGLE * (images.numel() + kernels.numel() + places),
            lambda: F.conv2d(images, kernels, stride=2, padding=1),
        ),
        "feed-forward": Operation(2 * a.numel() * b.shape[1], SINGLE * 6 * a.numel(), lambda: a @ b),
    }
