"""DCGAN and its training step: shapes, whose parameters move in whose turn, checkpoints, moving average."""

import torch

from course_lib.gan.dcgan import Discriminator, Generator
from course_lib.gan.step import adversarial_step, draw_turns
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


def test_the_average_follows_by_its_formula_and_starts_at_the_first_weights():
    trained, step = parts()
    g, average = trained.modules["g"], trained.modules["average"]
    draw, expected = draw_turns(images()[0], None, 6, 5), None
    for _ in range(3):
        step(draw(trained.generator))
        now = g.first.weight.detach().clone()
        expected = now if expected is None else 0.9 * expected + 0.1 * now
    torch.testing.assert_close(average.module.first.weight, expected)
