"""Whether bfloat16 pays on this machine, and products in full float32 for a while."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# rows, columns in common, columns: what the chapters' layers have on a processor, what fills an accelerator
SIZES = {"cpu": (2048, 128, 512)}
LARGE = (4096, 4096, 4096)


def bfloat16_pays(device: torch.device | str = "cpu") -> bool:
    """Return whether bfloat16 makes matrix products at least 1.2 times as fast here; measured, in some milliseconds.

    True where the processor multiplies bfloat16 itself; without that it is emulated and slower than float32.
    """
    device = torch.device(device)
    n, d, m = SIZES.get(device.type, LARGE)

    def fastest(dtype: torch.dtype) -> float:
        a, b = torch.ones(n, d, dtype=dtype, device=device), torch.ones(d, m, dtype=dtype, device=device)
        times = []
        for _ in range(8):
            started = time.perf_counter()
            (a @ b).sum().item()  # .item() waits for the device
            times.append(time.perf_counter() - started)
        return min(times)

    return fastest(torch.float32) > 1.2 * fastest(torch.bfloat16)


@contextmanager
def exact_products() -> Iterator[None]:
    """Compute float32 matrix products in float32 for the ``with`` block, not as TF32 with 10 bits behind the point.

    For differences of large products, as in a squared distance written out. The setting before is back afterwards,
    after an exception, too. Only CUDA has TF32; elsewhere nothing changes.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
