"""All-reduce around a ring: every device ends with the sum, and none sends more than twice its own bytes."""

from jaxtyping import Float
from torch import Tensor


def ring_step(held: Float[Tensor, "devices devices size"], t: int) -> Float[Tensor, "devices devices size"]:
    """Return what the devices hold after step t of the first round, reduce-scatter (Patarasuk and Yuan 2009).

    held[n, c]: device n's chunk c. Device n sends chunk (n − t) mod N, which it has just added to, to device n + 1,
    which adds it to its own. All send at once. ValueError for a step that the round does not have.
    """
    N = len(held)
    if not 0 <= t <= N - 2:
        raise ValueError(f"t: expected 0 … N − 2 = {N - 2}, got {t}")
    after = held.clone()
    for n in range(N):
        chunk = (n - t) % N
        right = (n + 1) % N
        after[right, chunk] = held[right, chunk] + held[n, chunk]
    return after


def seconds_a_step(devices: int, compute: float, size: float, bandwidth: float, latency: float) -> float:
    """Return the seconds of a step whose work is shared and whose gradients then go round the ring, equation (14b.4).

    compute: seconds that one device alone takes; size: bytes of the gradients; bandwidth: bytes a second of a link;
    latency: seconds before a message's first byte.
    """
    exchange = 2 * (devices - 1) / devices * size / bandwidth + 2 * (devices - 1) * latency
    return compute / devices + exchange
