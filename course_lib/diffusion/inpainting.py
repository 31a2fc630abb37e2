"""Filling in what is missing with a flow that was trained on whole examples.

At each time the known part is put back as it would look there, and the rest takes a step (Song et al. 2021, appendix
I.2). What is put back does not know the rest, which has not yet heard of it; going back one step and taking it again
lets the two agree (Lugmayr et al. 2022, *RePaint*, algorithm 1).
"""

import itertools

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.diffusion.paths import Path
from course_lib.diffusion.samplers import Velocity, ddim_step, even_times


def noise_again(
    x: Float[Tensor, "batch *shape"],
    eps: Float[Tensor, "batch *shape"],
    now: tuple[Tensor, Tensor],
    then: tuple[Tensor, Tensor],
) -> Float[Tensor, "batch *shape"]:
    """Return x, which is noisy as at ``then``, as noisy as at ``now``, further from the data: one step of the noising.

    now, then: (α, σ) there. (α/α') x has noise of variance (α/α')² σ'²; eps, standard normal, fills up to σ².
    """
    (alpha, sigma), (alpha_then, sigma_then) = now, then
    shrink = alpha / alpha_then
    return shrink * x + (sigma**2 - (shrink * sigma_then) ** 2).sqrt() * eps


@torch.no_grad()
def inpaint(
    velocity: Velocity,
    known: Float[Tensor, "batch *shape"],
    mask: Bool[Tensor, "*#shape"],
    steps: int,
    jumps: int,
    path: Path,
    generator: torch.Generator,
) -> Float[Tensor, "batch *shape"]:
    """Return samples that have the known values where mask is True.

    jumps: how often each step is taken, going back by ``noise_again`` in between; 1 is replacement alone. Each taking
    costs an evaluation and draws all of its noise anew. generator: of the CPU. ValueError for jumps or steps below 1.
    """
    if jumps < 1:
        raise ValueError(f"jumps: expected at least 1, got {jumps}")

    def draw() -> Tensor:
        return torch.randn(known.shape, dtype=known.dtype, generator=generator).to(known.device)

    x = draw()
    for now, then in itertools.pairwise(even_times(steps, known.device, known.dtype)):
        here, there = path.at(now)[:2], path.at(then)[:2]
        for again in range(jumps):
            if again:
                x = noise_again(x, draw(), here, there)
            x = torch.where(mask, here[0] * known + here[1] * draw(), x)
            x = ddim_step(velocity, x, now, then, path, 1.0, draw())
    return torch.where(mask, known, x)
