"""Products in full float32 for a while, and in the functions that need it."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.datasets.ring import centres, modes_and_quality
from course_lib.training.precision import exact_products
from course_lib.vae.latents import aggregate_log_density


@pytest.fixture(autouse=True)
def tf32():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision(before)


class Products(TorchDispatchMode):
    """Notes with which precision matrices are multiplied."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in ("mm", "bmm", "addmm", "baddbmm", "_cdist_forward"):
            by_differences = func.overloadpacket.__name__ == "_cdist_forward" and args[3] == 2
            self.seen.add("differences" if by_differences else torch.get_float32_matmul_precision())
        return func(*args, **(kwargs or {}))


def test_the_precision_before_is_back_afterwards_and_after_an_exception():
    with exact_products():
        assert torch.get_float32_matmul_precision() == "highest"
    with pytest.raises(KeyError), exact_products():
        raise KeyError
    assert torch.get_float32_matmul_precision() == "high"


def test_squared_distances_that_are_written_out_are_not_multiplied_in_tf32():
    with Products() as products:
        aggregate_log_density(torch.ones(3, 2), torch.zeros(4, 2), torch.zeros(4, 2))
    assert products.seen == {"highest"}


def test_distances_to_the_centres_of_the_ring_are_differences():
    with Products() as products:
        modes_and_quality(centres().repeat(10, 1))
    assert products.seen == {"differences"}
