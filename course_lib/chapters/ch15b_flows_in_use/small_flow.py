"""The flow of chapter 15b: chapter 12's small digits made continuous, a U-Net, one recipe, what it is put beside."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.diffusion.inpainting import noise_again
from course_lib.diffusion.levels import dequantise
from course_lib.diffusion.step import Pairs, Times, draw_pairs, flow_step, logit_normal_times
from course_lib.diffusion.unet import UNet
from course_lib.training.fit import Draw, fit
from course_lib.training.moving_average import MovingAverage, moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

LEVELS, RATE, BATCH = 8, 3e-3, 64


@dataclass(frozen=True)
class Flow:
    """What ``fit`` is called with, and the average of the network that is used afterwards."""

    average: MovingAverage
    trained: Trained
    step: Any
    draw: Draw[Pairs]

    def train(self, steps: int, progress: bool = False) -> torch.nn.Module:
        """Train, the rate falling to 0 over the second half; return the average, in eval mode, fixed."""
        schedule = partial(warmup_then_linear, warmup=0.03, decay=0.5)
        fit(self.step, self.draw, steps, self.trained, schedule=schedule, every=max(1, steps // 10), progress=progress)
        return self.average.module.eval().requires_grad_(False)


def draw_levels(levels: Int[Tensor, "n pixels"], batch: int, times: Times) -> Draw[Pairs]:
    """Return the function that draws pairs, each image made continuous by new numbers each time it is drawn."""
    side = round(levels.shape[1] ** 0.5)
    pairs = draw_pairs(levels.view(-1, 1, side, side).float(), batch, times=times)

    def draw(generator: torch.Generator) -> Pairs:
        drawn = pairs(generator)
        return drawn._replace(x=dequantise(drawn.x.flatten(1), LEVELS, generator))

    return draw


def small_flow(
    levels: Int[Tensor, "n pixels"], seed: int, times: Times = logit_normal_times, channels: int = 32, depth: int = 1
) -> Flow:
    """Return a flow to train on these images: Adam at 0.003, batches of 64, an average that keeps 0.99."""
    torch.manual_seed(seed)
    net = UNet(channels=channels, depth=depth).to(levels.device)
    optimizer = torch.optim.Adam(net.parameters(), RATE, (0.9, 0.99), fused=True)
    average = moving_average(net, 0.99)
    trained = Trained({"net": net, "average": average}, {"adam": optimizer}, torch.Generator().manual_seed(seed))
    return Flow(average, trained, flow_step(net, optimizer, average=average), draw_levels(levels, BATCH, times))


def cell_curve(log_snr: Tensor, levels: int = LEVELS) -> Tensor:
    """Return ½ SNR E(x − x̂)² of the best guess of a uniform number in a cell 2/levels wide, in nats, at each log SNR.

    By sums over the cell and over what is seen of it: with r = √SNR, x + n/r with standard normal n.
    """
    width, n = 2 / levels, torch.linspace(-6, 6, 121, dtype=log_snr.dtype)
    x = (torch.arange(400, dtype=log_snr.dtype) + 0.5) / 400 * width - width / 2
    density = (-(n**2) / 2).exp() / (-(n**2) / 2).exp().sum()
    found = []
    for r in (log_snr / 2).exp():
        seen = x[::16, None, None] + n[:, None] / r  # (25, 121, 1)
        shares = (-((seen - x) ** 2) * r**2 / 2).softmax(-1)
        errors = (shares @ x - x[::16, None]) ** 2  # (25, 121)
        found.append(r**2 / 2 * (errors @ density).mean())
    return torch.stack(found)


def independent_bits(train: Int[Tensor, "n pixels"], images: Int[Tensor, "m pixels"], levels: int = LEVELS) -> float:
    """Return bits a pixel of images if each pixel is drawn by itself, by its counts in train, each level's + ½."""
    train, images = train.cpu(), images.cpu().long()
    counts = torch.stack([(train == level).sum(0) for level in range(levels)]).double() + 0.5  # (levels, pixels)
    return -(counts / counts.sum(0)).log2().gather(0, images).mean().item()


def noises_of_a_level(
    now: tuple[Tensor, Tensor], then: tuple[Tensor, Tensor], n: int, generator: torch.Generator
) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
    """Return n times the noise in x_now = (α/α') x_then + new noise, and that in x_then; now, then: (α, σ) there."""
    eps, fresh = torch.randn(2, n, dtype=then[1].dtype, generator=generator)
    noise_then = then[1] * eps
    return noise_again(noise_then, fresh, now, then), noise_then
