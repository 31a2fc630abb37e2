"""How well critics report W₁ where it is known: on fakes that stand still, and in a WGAN that trains on.

Stanczuk et al. 2021, *Wasserstein GANs work because they fail*. Several runs train side by side in one tensor
(``ring.SeedMLP``) and none sees another.
"""

import math
from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.gan.losses import wasserstein_critic_loss, wasserstein_generator_loss
from course_lib.gan.penalties import gradient_penalty
from course_lib.gan.ring import SeedMLP
from course_lib.gan.turns import Penalty, discriminator_turn, generator_turn
from course_lib.training.transfer import to_device

RUNS, BATCH, FRESH = 5, 64, 4000  # games, points of an update, points on which a critic is asked


BETAS = (0.5, 0.9)  # of Adam


N_CRITIC = 5  # turns of the critic for one of the generator


@torch.no_grad()
def _clip(weights: Iterable[Tensor], box: float) -> None:
    for weight in weights:
        weight.clamp_(-box, box)


def scaled_gaussians_distance(dim: int, scale: float) -> float:
    """Return W₁ of N(0, I) and N(0, scale² I) in dim dimensions: |scale − 1| E‖x‖, E‖x‖ = √2 Γ((d+1)/2) / Γ(d/2).

    Carrying x to scale · x costs that; the critic −‖x‖, of slope 1, earns it. The scale is positive.
    """
    return abs(scale - 1) * math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def share_of_distance(
    marks: Sequence[int],
    dim: int,
    scale: float,
    g_rate: float = 0.0,
    box: float = math.inf,
    gp_weight: float = 0.0,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "marks runs"]:
    """Return (E[f(real)] − E[f(fake)]) / W₁ of five critics, after each number of updates in marks.

    real from N(0, I) in dim dimensions, fake = scale · z with z from the same; critics with two layers of 64, 64 points
    of each an update; each mark takes 4,000 fresh ones. g_rate: of the generator, whose one number is the scale, one
    turn after five updates of the critic (Arjovsky et al. 2017, algorithm 1); 0 leaves the fakes where they are.
    Weights are clipped to ±box; gp_weight: of the gradient penalty. The shares are on the device.
    """
    rng = torch.Generator().manual_seed(seed)
    critics = SeedMLP([dim, 64, 64, 1], RUNS, rng).to(device)
    scales = torch.full((RUNS, 1, 1), scale, device=device, requires_grad=True)
    c_optimizer = torch.optim.Adam(critics.parameters(), 1e-3, betas=BETAS)
    g_optimizer = torch.optim.Adam([scales], g_rate, betas=BETAS)

    def logits(points: Tensor) -> Tensor:
        return critics(points.view(RUNS, -1, dim)).flatten()

    def fakes(z: Tensor) -> Tensor:
        return (scales * z.view(RUNS, -1, dim)).flatten(0, 1)

    def draw(n: int) -> Tensor:
        return torch.randn(2, RUNS * n, dim, generator=rng)

    found: list[Tensor] = []
    for update in range(1, max(marks) + 1):
        (real, z), t = to_device(device, draw(BATCH), torch.rand(RUNS * BATCH, generator=rng))
        penalties = {"gradient": Penalty(gp_weight, partial(gradient_penalty, logits, t=t))} if gp_weight else {}
        discriminator_turn(logits, wasserstein_critic_loss, real, fakes(z), c_optimizer, penalties, games=RUNS)
        _clip(critics.parameters(), box)
        if update in marks:
            ((real, z),) = to_device(device, draw(FRESH))
            with torch.no_grad():
                on_real, on_fake = (logits(points).view(RUNS, -1).mean(1) for points in (real, fakes(z)))
            distance = (scales.detach().view(RUNS) - 1).abs() * scaled_gaussians_distance(dim, 2.0)
            found.append((on_real - on_fake) / distance)
        if g_rate and update % N_CRITIC == 0:
            generator_turn(logits, wasserstein_generator_loss, fakes(z[: RUNS * BATCH]), g_optimizer, games=RUNS)
    return torch.stack(found)
