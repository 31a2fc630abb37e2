"""The mean length of a best prefix code."""

import heapq
from collections.abc import Iterable


def best_mean_length(probabilities: Iterable[float]) -> float:
    """Return the mean number of bits of a best prefix code (Huffman 1952).

    The two least likely are joined below a fork, again and again. A join adds a bit to all that stands below it, so
    the mean length is the sum of the joined probabilities. One symbol alone needs no bit.
    """
    heap, bits = [*probabilities], 0.0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        bits += joined
        heapq.heappush(heap, joined)
    return bits
