"""The interval for a share of right answers."""

import math


def wilson_interval(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the shares p with |right/n − p| ≤ z √(p (1 − p)/n), from the lowest to the highest (Wilson 1927).

    The interval holds each share that the count does not speak against by more than z of *that* share's standard
    errors; it stays within 0 and 1 and has a width where right is 0 or n. z = 1.96 is for 95 %. It knows of chance
    among n independent questions alone, not of other seeds. ValueError for n below 1, right outside 0 … n, and z below
    0, infinite or nan.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    if not 0 <= right <= n:
        raise ValueError(f"right: expected 0 to n = {n}, got {right}")
    if not 0 <= z < math.inf:
        raise ValueError(f"z: expected a finite number of at least 0, got {z}")
    share, stretch = right / n, 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / stretch
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / stretch
    return (centre - half if right else 0.0), (centre + half if right < n else 1.0)  # these two without rounding
