"""Optimal transport: Wasserstein-1 on a line by quantiles, anywhere by linear programming, with its dual.

W₁(p, q) is the least mean distance over which mass of p has to be carried so that it lies as q does (Villani 2009,
definition 6.1); its unit is that of the distance. All in float64: the linear program is solved by SciPy.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import linear_sum_assignment, linprog
from torch import Tensor

from course_lib.information.divergences import check_device, check_distribution


def wasserstein_1d(x: Float[Tensor, "n"], y: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return W₁ of two samples on a line: the integral over u from 0 to 1 of |F⁻¹(u) − G⁻¹(u)|.

    F⁻¹(u) is x in order at the level u: the i-th smallest for (i − 1)/n < u ≤ i/n. n and m may differ. Differentiable
    by both (Peyré and Cuturi 2019, remark 2.30). ValueError for no point, and for points on two devices.
    """
    check_device(x=x, y=y)
    n, m = len(x), len(y)
    if not n or not m:
        raise ValueError(f"x, y: expected at least one point each, got {n} and {m}")
    steps = torch.cat([m * torch.arange(1, n + 1), n * torch.arange(1, m + 1)]).unique().to(x.device)  # in 1/(n m)
    widths = steps.diff(prepend=steps.new_zeros(1)).to(x.dtype) / (n * m)
    between = x.sort().values[(steps - 1) // m] - y.sort().values[(steps - 1) // n]
    return (widths * between.abs()).sum()


def wasserstein_on_grid(
    p: Float[Tensor, "*#batch n"], q: Float[Tensor, "*#batch n"], places: Float[Tensor, "n"]
) -> Float[Tensor, "*_"]:
    """Return W₁ of masses p and q at the same places, in ascending order: the area between distribution functions.

    The same integral as by quantiles, summed along the other axis. ValueError for masses that are no distribution, for
    places out of order, and for tensors on two devices.
    """
    check_device(p=p, q=q, places=places)
    check_distribution("p", p)
    check_distribution("q", q)
    if not (places.diff() > 0).all():
        raise ValueError("places: expected numbers in ascending order, each once")
    return ((p - q).cumsum(-1)[..., :-1].abs() * places.diff()).sum(-1)


@dataclass(frozen=True)
class Transport:
    """distance: Σ plan · cost; plan (n, m): mass carried from i to j; f (n,), g (m,): the dual's potentials.

    All float64, and on the processor, where SciPy is.
    """

    distance: float
    plan: Tensor
    f: Tensor
    g: Tensor


def optimal_transport(cost: Float[Tensor, "n m"], p: Float[Tensor, "n"], q: Float[Tensor, "m"]) -> Transport:
    """Return the cheapest plan from masses p to masses q and the dual's potentials, by linear programming.

    min Σ plan · cost with rows that sum to p and columns that sum to q = max Σ p f + Σ q g with f_i + g_j ≤ cost_ij
    (Kantorovich 1942; Peyré and Cuturi 2019, equations 2.11 and 2.20). For distances as cost the distance is W₁. Time
    grows like a cube: up to some hundred points. The arguments may be on any devices. ValueError names what is no
    distribution or does not pair.
    """
    n, m = cost.shape
    cost, p, q = (x.detach().cpu() for x in (cost, p, q))
    check_distribution("p", p)
    check_distribution("q", q)
    if (len(p), len(q)) != (n, m):
        raise ValueError(
            f"cost: expected one row for each of {len(p)} p and one column for each of {len(q)} q, got {n, m}"
        )
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    sides = torch.cat([p, q * (p.sum() / q.sum())]).double().numpy()  # the same total, to the last digit
    solved = linprog(cost.double().numpy().ravel(), A_eq=sparse.vstack([rows, columns]), b_eq=sides, method="highs")
    if not solved.success:
        raise RuntimeError(f"the linear program was not solved: {solved.message}")
    f, g = torch.from_numpy(solved.eqlin.marginals).split([n, m])
    return Transport(float(solved.fun), torch.from_numpy(solved.x).view(n, m), f, g)


def match(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"]) -> tuple[Float[Tensor, ""], Int[Tensor, "n"]]:
    """Return (W₁, order) of two equally large samples: x_i goes to y[order_i], the mean distance is the least.

    For equal sizes and equal masses one of the cheapest plans is a matching (Birkhoff's theorem); SciPy's
    ``linear_sum_assignment`` takes a thousand points in well under a second. Both results are on the processor, W₁ in
    float64 and differentiable. ValueError for other sizes.
    """
    if len(x) != len(y):
        raise ValueError(f"x, y: expected two samples of one size, got {len(x)} and {len(y)} points")
    cost = torch.cdist(x.cpu().double(), y.cpu().double())
    rows, order = linear_sum_assignment(cost.detach().numpy())
    return cost[rows, order].mean(), torch.from_numpy(order)
