"""Ways from noise to a sample: the probability flow by Euler and by Heun, and DDIM with as much new noise as wanted.

A sampler calls ``velocity(x_t, t)`` with x_t (batch, *shape) and times (batch,); ``times`` go up from 0 to 1, one more
than there are steps. What it costs is counted in evaluations of the velocity.
"""

import itertools
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.diffusion.paths import Path, data_and_noise

Velocity = Callable[[Tensor, Tensor], Tensor]


def even_times(steps: int, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """Return steps + 1 times from 0 to 1, evenly spaced. ValueError for less than one step."""
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    return torch.linspace(0, 1, steps + 1, device=device, dtype=dtype)


def euler_step(
    velocity: Velocity, x: Float[Tensor, "batch *shape"], now: Float[Tensor, ""], then: Float[Tensor, ""]
) -> Float[Tensor, "batch *shape"]:
    """Return where x at the time now is at then, straight on with the velocity it has: one evaluation."""
    return x + (then - now) * velocity(x, now.expand(len(x)))


def euler(velocity: Velocity, noise: Float[Tensor, "batch *shape"], times: Float[Tensor, "n"]) -> Tensor:
    """Follow dx/dt = v(x, t) along straight pieces: one evaluation a step, an error of the order of a step."""
    x = noise
    for now, then in _steps(times):
        x = euler_step(velocity, x, now, then)
    return x


def heun_step(
    velocity: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "batch *shape"],
    now: Float[Tensor, ""],
    then: Float[Tensor, ""],
) -> Float[Tensor, "batch *shape"]:
    """Return where x at the time now is at then, by the mean of the velocities at both ends: two evaluations.

    The far end is where Euler's step leads (Karras et al. 2022, algorithm 1). Its error over a way is of second order.
    """
    first = velocity(x, now.expand(len(x)))
    tried = x + (then - now) * first
    return x + (then - now) * (first + velocity(tried, then.expand(len(x)))) / 2


def heun(velocity: Velocity, noise: Float[Tensor, "batch *shape"], times: Float[Tensor, "n"]) -> Tensor:
    """Follow dx/dt = v(x, t) by ``heun_step``: two evaluations a step, second order."""
    x = noise
    for now, then in _steps(times):
        x = heun_step(velocity, x, now, then)
    return x


def heun_euler_last(velocity: Velocity, noise: Float[Tensor, "batch *shape"], times: Float[Tensor, "n"]) -> Tensor:
    """Take Heun's steps, and the last one by Euler: 2 · steps − 1 evaluations, none at t = 1.

    Karras et al. 2022, algorithm 1. A network has hardly been trained at t = 1, where an image has no noise left.
    """
    *steps, last = _steps(times)
    x = noise
    for now, then in steps:
        x = heun_step(velocity, x, now, then)
    return euler_step(velocity, x, *last)


def ddim_step(
    velocity: Velocity,
    x: Float[Tensor, "batch *shape"],
    now: Float[Tensor, ""],
    then: Float[Tensor, ""],
    path: Path,
    eta: float = 0.0,
    drawn: Float[Tensor, "batch *shape"] | None = None,
) -> Float[Tensor, "batch *shape"]:
    """Return where one step of ``ddim`` leads; drawn: the new noise, standard normal, wanted where eta is above 0."""
    at, to = now.expand(len(x)), path.at(then)
    data, noise = data_and_noise(velocity(x, at), x, at, path)
    fresh = eta * fresh_noise(now, then, path)
    x = to.alpha * data + (to.sigma**2 - fresh**2).clamp(min=0).sqrt() * noise
    return x if drawn is None else x + fresh * drawn


def ddim(
    velocity: Velocity,
    noise: Float[Tensor, "batch *shape"],
    times: Float[Tensor, "n"],
    path: Path,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Guess data and noise, and put them together again with the next time's shares (Song, Meng and Ermon 2021).

    eta: share of the noise that is drawn anew in each step; 0 none, 1 as much as the reverse of the noising has
    (Ho et al. 2020, equation 7). generator: of the CPU, wanted where eta is above 0, or ValueError. The last step
    draws none.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta: expected 0 to 1, got {eta}")
    if eta and generator is None:
        raise ValueError("generator: expected one for eta above 0, got None")
    x = noise
    for now, then in _steps(times):
        drawn = torch.randn(x.shape, dtype=x.dtype, generator=generator).to(x.device) if eta else None
        x = ddim_step(velocity, x, now, then, path, eta, drawn)
    return x


def fresh_noise(now: Tensor, then: Tensor, path: Path) -> Tensor:
    """Return the standard deviation of x_then given x_now and the data, then being nearer to the data.

    Noising is a chain, so x_now = (α/α') x_then + noise of variance σ² − (α/α')² σ'²; by Bayes' rule the variance is
    σ'² (1 − (α/α')² σ'²/σ²). Unprimed: now, primed: then.
    """
    a, s, _, _ = path.at(now)
    a_then, s_then, _, _ = path.at(then)
    kept = (a / a_then) ** 2 * s_then**2 / s**2
    return s_then * (1 - kept).clamp(min=0).sqrt()


def _steps(times: Tensor):
    """Yield (now, then) of each step; ValueError for times that do not go up from 0 to 1."""
    if times.dim() != 1 or len(times) < 2 or times[0] != 0 or times[-1] != 1 or not (times.diff() > 0).all():
        raise ValueError(f"times: expected numbers going up from 0 to 1, got {times.tolist()}")
    yield from itertools.pairwise(times)
