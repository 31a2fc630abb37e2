"""Two arms that were trained on the same seeds, compared seed by seed."""

import math

from jaxtyping import Float
from torch import Tensor


def paired_difference(
    first: Float[Tensor, "seeds"], second: Float[Tensor, "seeds"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean of first − second over the seeds, and the standard error of that mean.

    The standard error is the standard deviation of the differences (divisor n − 1) over √n.
    """
    differences = first - second
    return differences.mean(), differences.std() / math.sqrt(len(differences))
