"""The faults that chapter 15 shows, with a network whose velocity is known: v = m − x, told to it at the time it hears."""

import pytest
import torch
from torch import nn

from course_lib.chapters.ch15_diffusion.patients import FAULTS, STEPS, measured, sampled, shown
from course_lib.chapters.exercises import REGISTRY

CPU = torch.device("cpu")


class Known(nn.Module):
    """Says m − x for its classes, where m is a picture of the class, and −x for any; notes the times that it is told."""

    unasked = 10

    def __init__(self):
        super().__init__()
        self.time = nn.Module()
        self.time.scale = 1000.0
        self.heard = []

    def forward(self, x, t, labels):
        self.heard.append(t[0].item())
        return torch.where(labels < 10, labels / 10, 0.0)[:, None, None, None] - x


def test_a_sound_sampling_is_eulers_with_even_times_and_some_faults_change_what_is_heard(unchecked):
    for fault, expected in (
        ("", [i / STEPS for i in range(STEPS)]),
        ("time_reversed", [1 - i / STEPS for i in range(STEPS)]),
        ("times_not_stretched", [i / STEPS / 1000 for i in range(STEPS)]),
        ("one_step", [0.0]),
        ("line_run_twice", [i / STEPS for i in range(STEPS) for _ in range(2)]),
        ("too_much_guidance", [i / STEPS for i in range(STEPS)]),
    ):
        net = Known()
        patient = sampled(net, CPU, fault, n=10)
        assert net.heard == pytest.approx(expected, abs=1e-6), fault
        assert len(patient.times) == len(patient.spread) == (2 if fault == "one_step" else STEPS + 1)


def test_what_is_left_of_the_noise_and_how_far_the_pixels_spread(unchecked):
    """Towards a fixed picture each step leaves 1 − h of the noise; along the noise x_t − t (m − x) it grows."""
    found = measured(Known(), CPU)
    assert found["times_not_stretched"]["noise"] == pytest.approx(found["sound"]["noise"])
    left = {fault: each["noise"] for fault, each in found.items()}
    assert left["one_step"] == pytest.approx(0, abs=0.02)  # all of the noise goes, a picture stays
    assert left["sound"] == pytest.approx((1 - 1 / STEPS) ** STEPS, abs=0.02)
    assert left["line_run_twice"] == pytest.approx((1 - 1 / STEPS) ** (2 * STEPS), abs=0.02)
    assert found["noise_as_velocity"]["spread"] > 2
    assert set(found) == {"sound", *FAULTS}
    assert set(FAULTS) == set(REGISTRY.find("diffusion.symptom_1").options)
    assert [patient.name for patient in shown(Known(), CPU)] == ["sound", "A", "B"]
