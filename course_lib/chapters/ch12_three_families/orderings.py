"""One probability out of many orderings of the pixels."""

import math

from jaxtyping import Float
from torch import Tensor


def mixture_of_orderings(log_conditionals: Float[Tensor, "orderings n pixels"]) -> Float[Tensor, "n"]:
    """Return ln p(x) of each image under the mixture of all orderings, in nats.

    log_conditionals: ln p(pixel | the pixels before it in that ordering), each pixel at its own place. By the chain
    rule their sum over the pixels is the logarithm of a probability, and a mean of probabilities is one (Uria, Murray
    and Larochelle 2014, *A deep and tractable density estimator*, who average over orderings in this way).
    """
    log_p = log_conditionals.sum(-1)  # (M, n): one probability an ordering
    return log_p.logsumexp(0) - math.log(len(log_p))
