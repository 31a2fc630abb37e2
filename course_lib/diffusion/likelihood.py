"""The density of a flow: noise has a known one, and the divergence of the velocity says how it thins out on the way.

d ln p_t(x_t)/dt = −∇·v(x_t, t) along dx_t/dt = v (Chen et al. 2018; Song et al. 2021, equation 39). The divergence is
a trace of a Jacobian; ε·(Jε) with random signs ε is right on average (Hutchinson 1990; Grathwohl et al. 2019).
"""

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.diffusion.samplers import Velocity, even_times


def divergence(
    velocity: Velocity,
    x: Float[Tensor, "batch *shape"],
    t: Float[Tensor, "batch"],
    probe: Float[Tensor, "batch *shape"] | None = None,
) -> tuple[Float[Tensor, "batch *shape"], Float[Tensor, "batch"]]:
    """Return the velocity and its divergence; with a probe of ±1, ε·(Jε), else the sum of the exact derivatives.

    The exact one takes as many backward passes as x has numbers.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        v = velocity(x, t)
        if probe is not None:
            (turned,) = torch.autograd.grad(v, x, probe)
            return v.detach(), (turned * probe).flatten(1).sum(1)
        flat, total = v.flatten(1), torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for i in range(flat.shape[1]):
            (row,) = torch.autograd.grad(flat[:, i].sum(), x, retain_graph=True)
            total = total + row.flatten(1)[:, i]
    return v.detach(), total


def flow_log_likelihood(
    velocity: Velocity,
    x: Float[Tensor, "batch *shape"],
    steps: int = 20,
    probes: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "probes batch"]:
    """Return ln p(x) in nats of the flow that starts from N(0, I) at t = 0, once for each probe of random signs.

    x is followed back to t = 0 by Heun's steps, with the same signs all the way, so each row is an unbiased estimate
    for the steps taken; their spread gives its standard error. probes = 0: one row, by exact divergences. generator: of
    the CPU, wanted with probes, or ValueError.
    """
    if probes and generator is None:
        raise ValueError("generator: expected one for the probes' signs, got None")
    rows = []
    for _ in range(max(probes, 1)):
        probe = None
        if probes:
            bits = torch.randint(2, x.shape, generator=generator)
            probe = (2 * bits - 1).to(x.device, x.dtype)
        rows.append(_one(velocity, x, steps, probe))
    return torch.stack(rows)


def _one(velocity: Velocity, x: Tensor, steps: int, probe: Tensor | None) -> Tensor:
    """Return ln p(x) with one probe."""
    times = even_times(steps, x.device, x.dtype).flip(0)
    gained = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for now, then in itertools.pairwise(times):
        step = then - now  # below 0: backwards
        first, spread = divergence(velocity, x, now.expand(len(x)), probe)
        tried = x + step * first
        second, spread_then = divergence(velocity, tried, then.expand(len(x)), probe)
        x = x + step * (first + second) / 2
        gained = gained + step * (spread + spread_then) / 2
    d = x[0].numel()
    start = -x.flatten(1).square().sum(1) / 2 - d / 2 * math.log(2 * math.pi)
    return start + gained  # ln p_0(x_0) − ∫ divergence from 0 to 1, for the steps went backwards
