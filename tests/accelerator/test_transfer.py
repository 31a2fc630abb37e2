"""What is drawn on the CPU arrives as it was, all of it in one copy."""

import torch
from made import seeded
from standin import DEVICE, accelerator

from course_lib.training.transfer import to_device

DRAWN = (
    torch.randint(9, (3, 5), generator=seeded(1)),
    torch.rand(7, generator=seeded(2)) < 0.5,
    torch.randn(4, 3, generator=seeded(3)).T,
    torch.tensor(2.5, dtype=torch.float64),
    torch.empty(0, 3),
    torch.randint(256, (3,), dtype=torch.uint8, generator=seeded(4)),
    torch.randn(2, 2, generator=seeded(5)).bfloat16(),
)


def test_tensors_of_all_kinds_arrive_as_they_were_in_one_copy():
    with accelerator() as ledger:
        found = to_device(DEVICE, *DRAWN)
        assert ledger.counts["to the device"] == 1
        assert {t.device for t in found} == {torch.device(DEVICE)}
        for there, here in zip(found, DRAWN, strict=True):
            assert (there.shape, there.dtype) == (here.shape, here.dtype)
            assert torch.equal(there.cpu(), here)


def test_nothing_is_no_copy_and_on_the_cpu_nothing_moves():
    with accelerator() as ledger:
        assert to_device(DEVICE) == ()
        assert ledger.counts["to the device"] == 0
    assert all(a is b for a, b in zip(to_device("cpu", *DRAWN), DRAWN, strict=True))
