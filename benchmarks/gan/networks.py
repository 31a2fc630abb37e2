"""The networks of images and their optimizers as every benchmark of this wing builds them."""

import torch
from torch import nn
from torch.optim import Optimizer

from course_lib.gan.dcgan import Discriminator, Generator


def make_networks(
    seed: int, latent: int, channels: int, n_classes: int = 0, hidden: int = 0, depth: int = 2
) -> tuple[Generator, Discriminator]:
    """Return a generator and a discriminator in the layout that convolutions are fastest in, the same for each seed."""
    torch.manual_seed(seed)
    g, d = Generator(latent, channels, n_classes), Discriminator(channels, n_classes, hidden, depth)
    for network in (g, d):
        network.to(memory_format=torch.channels_last)
    return g, d


def make_adam(network: nn.Module, rate: float) -> Optimizer:
    """Return the Adam of either player."""
    return torch.optim.Adam(network.parameters(), rate, (0.5, 0.99), fused=True)
