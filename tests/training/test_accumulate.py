"""The whole batch's gradient from its parts: against autograd, for unequal parts; what does not fit is named."""

import pytest
import torch

from course_lib.training.accumulate import accumulated_gradient

f64 = torch.float64


def test_unequal_parts_give_the_gradient_of_the_whole():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(10, 3, dtype=f64, generator=generator), torch.randn(10, dtype=f64, generator=generator)
    weight = torch.randn(3, dtype=f64, generator=generator).requires_grad_()
    gradient = lambda rows: torch.autograd.grad(((x[rows] @ weight - y[rows]) ** 2).mean(), weight)[0]
    parts = torch.arange(10).split([1, 2, 7])
    found = accumulated_gradient(torch.stack([gradient(rows) for rows in parts]), torch.tensor([1, 2, 7], dtype=f64))
    assert torch.allclose(found, gradient(torch.arange(10)), rtol=1e-12)
    equal = [gradient(rows) for rows in torch.arange(10).split(5)]
    assert torch.allclose(
        accumulated_gradient(torch.stack(equal), torch.tensor([5, 5], dtype=f64)), sum(equal) / 2, rtol=1e-12
    )


def test_by_hand_and_any_shape():
    gradients = torch.tensor([[[1.0, 2.0]], [[5.0, 6.0]]], dtype=f64)
    assert torch.allclose(
        accumulated_gradient(gradients, torch.tensor([1, 3], dtype=f64)), torch.tensor([[4.0, 5.0]], dtype=f64)
    )


@pytest.mark.parametrize(
    ("sizes", "message"),
    [([1], "one for each of 2 gradients"), ([1, 0], r"at least one example a part, got \[1.0, 0.0\]")],
)
def test_what_does_not_fit_is_named(sizes, message):
    with pytest.raises(ValueError, match=message):
        accumulated_gradient(torch.ones(2, 3), torch.tensor(sizes, dtype=torch.float32))
