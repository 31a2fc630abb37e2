"""Filling in the missing pixels of an image with a GAN: by search for the noise whose image fits what was seen.

Yeh et al. 2017, *Semantic image inpainting with deep generative models*. A GAN has no p(missing | observed) to draw
from, and a generator's image need not agree with the observed pixels anywhere.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from course_lib.gan.dcgan import sample
from course_lib.training.eval_mode import evaluating
from course_lib.training.transfer import to_device


def search_noise(
    generator: nn.Module,
    images: Float[Tensor, "n 1 side side"],
    observed: Bool[Tensor, "side side"],
    latent_dim: int,
    rng: torch.Generator,
    starts: int = 4,
    steps: int = 100,
    rate: float = 0.1,
    prior_weight: float = 0.05,
) -> tuple[Float[Tensor, "n 1 side side"], Float[Tensor, "n"]]:
    """Return the images of the best noise found, and their mean squared error at the observed pixels.

    Adam lowers Σ over the observed pixels of the squared error plus prior_weight · ‖z‖² from starts random places for
    each image; the best by that sum is kept. In eval mode; the generator's weights stay. rng: lives on the CPU.
    ValueError for fewer than one start or step, and where nothing was observed.
    """
    for name, number in (("starts", starts), ("steps", steps), ("observed", int(observed.sum()))):
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    n = len(images)
    (z,) = to_device(images.device, torch.randn(starts * n, latent_dim, generator=rng))
    z.requires_grad_(True)
    wanted = images.repeat(starts, 1, 1, 1)
    optimizer = torch.optim.Adam([z], rate)
    with evaluating(generator):
        for _ in range(steps):
            error = ((generator(z) - wanted) ** 2 * observed).flatten(1).sum(1)
            objective = error + prior_weight * z.square().sum(1)
            (z.grad,) = torch.autograd.grad(objective.sum(), z)
            optimizer.step()
    z = z.detach()
    made = sample(generator, z)
    error = ((made - wanted) ** 2 * observed).flatten(1).sum(1)
    best = (error + prior_weight * z.square().sum(1)).view(starts, n).argmin(0)
    index = best * n + torch.arange(n, device=best.device)
    return made[index], error[index] / observed.sum()
