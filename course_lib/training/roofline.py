"""What a machine can do at best: its matrix rate and its bandwidth, measured, and the roof that they make.

Williams, Waterman and Patterson (2009), *Roofline*: an operation that does I operations for each byte that it moves
runs at no more than min(peak, I · bandwidth). Where the two meet lies the ridge.
"""

import time
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

BESIDE = ("cuda", "mps", "xpu")  # devices that work while the processor does something else
ENOUGH = 2e-3  # seconds: a timed stretch is at least so long, or a clock and a wait weigh too much


def wait(device: torch.device | str) -> None:
    """Wait until the device has done all that it was asked; a processor has, when a call comes back."""
    of_device = getattr(torch, torch.device(device).type, None)
    if of_device is not None and hasattr(of_device, "synchronize"):
        of_device.synchronize()


def clock(device: torch.device | str) -> Callable[[], float]:
    """Return what tells the seconds: the time that this process itself has worked, where one thread does all of it.

    Other programs do not lengthen that time. Several threads, or a device beside the processor, need a clock.
    """
    alone = torch.device(device).type not in BESIDE and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def fastest(call: Callable[[], object], device: torch.device | str, repeats: int = 5) -> float:
    """Return the seconds of one call by ``clock``: the smallest of several timings, behind one call to warm up.

    A short call is made several times in one timing, until it lasts 2 ms. The smallest, because whatever else the
    machine does only adds. ValueError for repeats below 1.
    """
    _whole("repeats", repeats)
    seconds = clock(device)
    call()
    times: list[float] = []
    calls = 1
    while len(times) < repeats:
        wait(device)
        started = seconds()
        for _ in range(calls):
            call()
        wait(device)
        taken = seconds() - started
        if taken < ENOUGH and calls < 10_000:
            calls *= 2
        else:
            times.append(taken / calls)
    return min(times)


def roofline(intensity: float, peak: float, bandwidth: float) -> float:
    """Return the most operations a second of what does intensity operations a byte: min(peak, intensity · bandwidth).

    peak: operations a second; bandwidth: bytes a second. ValueError where one of the three is not above 0.
    """
    for name, value in (("intensity", intensity), ("peak", peak), ("bandwidth", bandwidth)):
        _positive(name, value)
    return min(peak, intensity * bandwidth)


def ridge(peak: float, bandwidth: float) -> float:
    """Return the operations a byte from which on the peak can be reached; ValueError as ``roofline``."""
    for name, value in (("peak", peak), ("bandwidth", bandwidth)):
        _positive(name, value)
    return peak / bandwidth


def product_intensity(n: int, m: int, p: int, itemsize: int = 4) -> float:
    """Return the operations a byte of a product of (n, m) and (m, p), whose numbers have itemsize bytes each.

    2 n m p operations; both factors are read once and the result is written once, as if all of it fitted into the
    processor's own memory. ValueError for a size below 1.
    """
    for name, size in (("n", n), ("m", m), ("p", p), ("itemsize", itemsize)):
        _whole(name, size)
    return 2 * n * m * p / (itemsize * (n * m + m * p + n * p))


def step_seconds(
    operations: Iterable[tuple[float, float]], peak: float, bandwidth: float, launch: float = 0.0
) -> float:
    """Return the seconds of a list of operations, one after the other, each under the roof.

    operations: (operations, bytes) of each; launch: seconds that each costs whatever its size. ValueError for a peak
    or a bandwidth that is not above 0, or a launch below 0.
    """
    ridge(peak, bandwidth)
    if launch < 0:
        raise ValueError(f"launch: expected seconds of at least 0, got {launch}")
    return sum(launch + max(flops / peak, moved / bandwidth) for flops, moved in operations)


def matrix_rate(
    n: int, m: int, p: int, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu", repeats: int = 5
) -> float:
    """Return the measured operations a second of a product of (n, m) and (m, p)."""
    for name, size in (("n", n), ("m", m), ("p", p)):
        _whole(name, size)
    a, b = _drawn((n, m), dtype, device), _drawn((m, p), dtype, device)
    return 2 * n * m * p / fastest(lambda: a @ b, device, repeats)


def bandwidth_of_copies(
    size: int, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu", repeats: int = 5
) -> float:
    """Return the measured bytes a second, read and written, of copying size bytes to another place."""
    _whole("size", size)
    source = _drawn((max(size // dtype.itemsize, 1),), dtype, device)
    target = torch.empty_like(source)
    return 2 * source.numel() * dtype.itemsize / fastest(lambda: target.copy_(source), device, repeats)


def _drawn(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """Random numbers, the same in each run; a processor may be quicker with zeros than with any others."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device, dtype)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0, got {value}")


def _whole(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {value!r}")
