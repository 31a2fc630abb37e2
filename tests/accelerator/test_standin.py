"""The stand-in device refuses what a real one refuses, counts what costs time there, and computes as the CPU does."""

import copy

import numpy as np
import pytest
import torch
from standin import DEVICE, accelerator
from torch import nn
from torch.nn import functional as F


@pytest.fixture
def ledger():
    with accelerator() as ledger:
        yield ledger


def on(*shape):
    return torch.ones(*shape, device=DEVICE)


REFUSED = {
    "a sum of two devices": lambda: on(3) + torch.ones(3),
    "a product": lambda: torch.ones(2, 3) @ on(3, 2),
    "joined": lambda: torch.cat([on(2), torch.ones(2)]),
    "stacked": lambda: torch.stack([on(2), torch.ones(2)]),
    "a mask left behind": lambda: on(3).masked_fill(torch.ones(3, dtype=torch.bool), 0.0),
    "chosen between": lambda: torch.where(torch.ones(3, dtype=torch.bool), on(3), on(3)),
    "looked up": lambda: F.embedding(torch.zeros(2, dtype=torch.long), on(4, 3)),
    "a CPU tensor indexed": lambda: torch.ones(5)[torch.zeros(2, dtype=torch.long, device=DEVICE)],
    "written into a CPU tensor": lambda: torch.zeros(3).add_(on(3)),
    "a loss": lambda: F.cross_entropy(on(2, 5), torch.zeros(2, dtype=torch.long)),
    "a module left behind": lambda: nn.Linear(3, 2)(on(2, 3)),
    "a generator of the CPU": lambda: torch.rand(3, device=DEVICE, generator=torch.Generator()),
    "drawn in place": lambda: on(3).normal_(generator=torch.Generator()),
    "NumPy": lambda: on(3).numpy(),
    "NumPy unasked": lambda: np.asarray(on(3)),
    "an out": lambda: torch.add(on(3), on(3), out=torch.empty(3)),
    "distances": lambda: torch.cdist(on(2, 3), torch.ones(2, 3)),
    "a planted torch.randn without a device": lambda: on(3) * torch.randn(3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_device_refuses_is_refused(ledger, name):
    with pytest.raises((RuntimeError, TypeError)):
        REFUSED[name]()


def test_numbers_without_axes_and_indices_of_the_cpu_are_welcome(ledger):
    assert (on(3) * torch.tensor(2.0)).cpu().tolist() == [2, 2, 2]
    assert on(3)[torch.tensor([0, 2])].shape == (2,)
    assert ledger.counts["to the device"] == 1  # the indices


def test_transfers_and_waits_are_counted(ledger):
    x = torch.ones(3).to(DEVICE)
    assert (ledger.counts["to the device"], ledger.counts["from the device"], ledger.counts["waits"]) == (1, 0, 0)
    x.cpu()
    assert ledger.counts["from the device"] == 1
    for waits in (lambda: x.sum().item(), lambda: bool((x > 0).all()), lambda: x.nonzero(), lambda: torch.equal(x, x)):
        before = ledger.counts["waits"]
        waits()
        assert ledger.counts["waits"] == before + 1
    y = x * 2 + 1
    y[0] = 5.0
    assert ledger.counts["to the device"] == 1


def test_views_share_their_numbers(ledger):
    x = torch.zeros(2, 3, device=DEVICE)
    x[0].add_(1)
    x.view(-1)[5] = 7.0
    assert x.cpu().tolist() == [[1, 1, 1], [0, 0, 7]]


def train(device):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)).to(device)
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2, fused=True)
    x = torch.randn(8, 1, 6, 6, generator=torch.Generator().manual_seed(1)).to(device)
    for _ in range(5):
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return [p.detach().cpu() for p in model.parameters()]


def test_a_copied_module_is_one_of_its_own(ledger):
    model = nn.Linear(3, 2).to(DEVICE)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.weight.zero_()
    assert isinstance(other.weight, nn.Parameter)
    assert other.weight.device.type == "sim"
    assert model.weight.abs().sum().item() > 0 == other.weight.abs().sum().item()


def test_complex_gradients_are_those_of_the_cpu():
    gradients = []
    for device in ("cpu", DEVICE):
        with accelerator():
            x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).to(device).requires_grad_()
            phases = torch.polar(torch.ones(3, 2), torch.arange(6.0).view(3, 2)).to(device)
            turned = torch.view_as_real(torch.view_as_complex(x.view(3, 2, 2)) * phases)
            (turned * torch.arange(12.0).view(3, 2, 2).to(device)).sum().backward()
            gradients.append(x.grad.cpu())
    assert torch.equal(*gradients)


def test_training_gives_the_bits_of_the_cpu():
    plain = train("cpu")
    with accelerator():
        ours = train(DEVICE)
    assert all(torch.equal(a, b) for a, b in zip(plain, ours, strict=True))


def test_float64_is_refused_where_the_device_lacks_it():
    with accelerator(float64=False), pytest.raises(TypeError, match="does not have it"):
        on(3).double()


def test_autocast_has_the_rules_of_cuda(ledger):
    x = on(2, 4)
    with torch.autocast("sim", torch.bfloat16):
        assert F.linear(x, on(3, 4)).dtype == torch.bfloat16
        assert (x @ x.mT).dtype == torch.bfloat16
        assert F.layer_norm((x @ x.mT), (2,)).dtype == torch.float32  # the CPU's autocast would leave bfloat16
        assert F.softplus(x @ x.mT).dtype == torch.float32
        assert F.relu(x @ x.mT).dtype == torch.bfloat16
    assert F.linear(x, on(3, 4)).dtype == torch.float32
