"""Samplers with a fault each, that the learner names from their samples."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.diffusion.guidance import guided_velocity
from course_lib.diffusion.paths import STRAIGHT, convert
from course_lib.diffusion.samplers import Velocity, euler_step, even_times
from course_lib.diffusion.unet import UNet

SHOWN, STEPS = 20, 20
FAULTS = (
    "times_not_stretched",
    "time_reversed",
    "noise_as_velocity",
    "one_step",
    "line_run_twice",
    "too_much_guidance",
)


class Patient(NamedTuple):
    """Name on the sheet, images (n, 1, 28, 28), and the standard deviation of all pixels at each time."""

    name: str
    images: Tensor
    times: Tensor
    spread: Tensor


def _noise_and_classes(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    noise = torch.randn(n, 1, 28, 28, generator=torch.Generator().manual_seed(4))
    return noise.to(device), torch.arange(n, device=device) % 10


def _velocity(unet: UNet, classes: Tensor, fault: str) -> Velocity:
    """Return the velocity that a sampler follows; all faults but those of the loop are here."""
    sound = guided_velocity(unet, classes, 6.0 if fault == "too_much_guidance" else 1.0)

    def told_reversed(x: Tensor, t: Tensor) -> Tensor:
        return sound(x, 1 - t)

    def of_noise(x: Tensor, t: Tensor) -> Tensor:
        return convert(sound(x, t), x, t, STRAIGHT, "velocity", "noise")

    def unstretched(x: Tensor, t: Tensor) -> Tensor:
        return sound(x, t / unet.time.scale)

    return {"time_reversed": told_reversed, "noise_as_velocity": of_noise, "times_not_stretched": unstretched}.get(
        fault, sound
    )


@torch.no_grad()
def sampled(unet: UNet, device: torch.device, fault: str, name: str = "", n: int = SHOWN) -> Patient:
    """Return samples by Euler's method with this fault, "" for none."""
    x, classes = _noise_and_classes(n, device)
    velocity = _velocity(unet, classes, fault)
    times = even_times(1 if fault == "one_step" else STEPS, device)
    spread = [x.std()]
    for now, then in itertools.pairwise(times):
        for _ in range(2 if fault == "line_run_twice" else 1):
            x = euler_step(velocity, x, now, then)
        spread.append(x.std())
    return Patient(name or fault, x, times.cpu(), torch.stack(spread).cpu())


def shown(unet: UNet, device: torch.device) -> list[Patient]:
    """Return a sound sampling and patients A and B."""
    faults = {"sound": "", "A": "times_not_stretched", "B": "noise_as_velocity"}
    return [sampled(unet, device, fault, name) for name, fault in faults.items()]


def measured(unet: UNet, device: torch.device, n: int = 100) -> dict[str, dict[str, float]]:
    """Return, for sound samples and each fault, the share of the noise left and the spread of all pixels.

    noise: the projection of an image on the noise that it began with, in the two outermost rows and columns, where no
    digit is.
    """
    noise, _ = _noise_and_classes(n, device)
    rim = torch.ones(28, 28, dtype=torch.bool, device=device)
    rim[2:-2, 2:-2] = False
    found: dict[str, dict[str, float]] = {}
    for fault in ("", *FAULTS):
        images = sampled(unet, device, fault, n=n).images
        left = ((images + 1) * noise)[..., rim].sum() / noise[..., rim].square().sum()
        found[fault or "sound"] = {"noise": left.item(), "spread": images.std().item()}
    return found
