"""Guidance, with a model whose answers are known."""

import torch
from torch import tensor

from course_lib.diffusion.guidance import guided

f64 = torch.float64
SAYS = tensor([2.0, 5.0, -1.0, 7.0], dtype=f64)  # of the classes 0, 1, 2, and of any


def model(x_t, t, labels):
    return SAYS[labels][:, None] * x_t + t[:, None]


def test_guidance_goes_from_any_class_towards_the_class_asked_for_and_beyond():
    x, t, labels = torch.randn(3, 2, dtype=f64), tensor([0.1, 0.5, 0.9], dtype=f64), tensor([1, 0, 2])
    for weight in (0.0, 1.0, 2.5):
        factor = 7 + weight * (tensor([5.0, 2.0, -1.0], dtype=f64) - 7)
        expected = factor[:, None] * x + t[:, None]
        torch.testing.assert_close(guided(model, x, t, labels, 3, weight), expected, rtol=1e-12, atol=1e-12)
