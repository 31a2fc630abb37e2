"""The linear layer by oneDNN is PyTorch's: values, gradients, and where it steps aside."""

import pytest
import torch
from torch import nn

from course_lib.training import linear
from course_lib.training.linear import Linear


def both(n, m):
    """Return the layer and PyTorch's with the same weights."""
    torch.manual_seed(0)
    ours, theirs = Linear(n, m), nn.Linear(n, m)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("shape", [(150, 300), (2, 75, 300), (1, 300)])
@pytest.mark.parametrize("large", [0, 2**23])
def test_values_and_gradients_are_pytorchs(shape, large, monkeypatch):
    monkeypatch.setattr(linear, "LARGE", large)
    ours, theirs = both(300, 200)
    x = torch.randn(shape)
    results = []
    for layer in (ours, theirs):
        given = x.clone().requires_grad_()
        y = layer(given)
        (y**2).sum().backward()
        results.append([y.detach(), given.grad, layer.weight.grad, layer.bias.grad])
    for mine, others in zip(*results, strict=True):
        assert mine.layout == others.layout == torch.strided
        assert mine.shape == others.shape
        torch.testing.assert_close(mine, others, rtol=1e-5, atol=1e-3)


def test_onednn_is_used_where_it_should_be_and_nowhere_else(monkeypatch):
    asked = []
    monkeypatch.setattr(linear, "_by_onednn", lambda x, real=linear._by_onednn: asked.append(real(x)) or asked[-1])
    ours, _ = both(784, 400)
    ours(torch.randn(10, 784))  # small: not even asked
    assert asked == []
    ours(torch.randn(128, 784))
    assert asked == [torch.backends.mkldnn.is_available()]
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(torch.randn(128, 784)).dtype == torch.bfloat16
    ours.double()(torch.randn(128, 784, dtype=torch.float64))
    assert asked[1:] == [False, False]
