"""Where draws go, as far as a CPU can tell; ``tests/accelerator`` has the rest."""

import torch

from course_lib.training.transfer import to_device


def test_on_the_cpu_nothing_moves():
    drawn = torch.arange(3), torch.randn(2, 2)
    assert all(a is b for a, b in zip(to_device("cpu", *drawn), drawn, strict=True))
    assert to_device(torch.device("cpu")) == ()


def test_shapes_and_types_are_kept_elsewhere():
    drawn = torch.zeros(3, 2, dtype=torch.int64), torch.zeros(5, dtype=torch.bool), torch.tensor(1.0), torch.zeros(0, 4)
    found = to_device("meta", *drawn)
    assert [(t.device.type, t.shape, t.dtype) for t in found] == [("meta", t.shape, t.dtype) for t in drawn]
