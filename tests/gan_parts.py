"""Small networks of a GAN, all that trains with them, and images, which several tests look at."""

import torch

from course_lib.gan.dcgan import Discriminator, Generator
from course_lib.gan.step import adversarial_step
from course_lib.training.moving_average import moving_average
from course_lib.training.trained import Trained


def parts(seed=0, n_classes=0, **options):
    """Small networks with everything that changes in training, and their step."""
    torch.manual_seed(seed)
    g, d = Generator(5, 4, n_classes), Discriminator(3, n_classes)
    optimizers = {
        name: torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.999)) for name, m in (("g", g), ("d", d))
    }
    average = moving_average(g, 0.9)
    trained = Trained({"g": g, "d": d, "average": average}, optimizers, torch.Generator().manual_seed(seed))
    return trained, adversarial_step(g, d, optimizers["g"], optimizers["d"], average=average, **options)


def images(n=40):
    generator = torch.Generator().manual_seed(9)
    return torch.rand(n, 1, 28, 28, generator=generator) * 2 - 1, torch.randint(3, (n,), generator=generator)
