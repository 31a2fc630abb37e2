"""Muon on matrices as PyTorch's own, and on filters as on the matrix that they are."""

import pytest
import torch
from torch import nn

from course_lib.training.muon import Muon, muon_for_filters, orthogonalised


def follow(optimizer, parameter, gradients):
    for gradient in gradients:
        parameter.grad = gradient.clone().view_as(parameter)
        optimizer.step()
    return parameter.detach()


def gradients(*shape):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator) for _ in range(4)]


@pytest.mark.parametrize("shape", [(6, 10), (10, 6), (8, 8)])
def test_matrices_move_as_with_pytorchs_muon(shape):
    ours, theirs = (nn.Parameter(torch.zeros(shape)) for _ in range(2))
    found = follow(Muon([ours], rate=0.1), ours, gradients(*shape))
    expected = follow(torch.optim.Muon([theirs], lr=0.1, weight_decay=0.0), theirs, gradients(*shape))
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.015)


def test_filters_move_as_the_matrix_of_their_rows():
    filters, matrix = nn.Parameter(torch.zeros(6, 2, 3, 3)), nn.Parameter(torch.zeros(6, 18))
    found = follow(Muon([filters], rate=0.1), filters, gradients(6, 18))
    expected = follow(Muon([matrix], rate=0.1), matrix, gradients(6, 18))
    torch.testing.assert_close(found.flatten(1), expected)


def test_filters_in_the_order_of_channels_last_move_alike():
    plain = nn.Parameter(torch.zeros(6, 2, 3, 3))
    other = nn.Parameter(torch.zeros(6, 2, 3, 3).to(memory_format=torch.channels_last))
    found = [follow(Muon([p], rate=0.1), p, gradients(6, 2, 3, 3)) for p in (plain, other)]
    torch.testing.assert_close(found[0], found[1])


def test_singular_values_come_near_one():
    matrix = torch.randn(12, 20, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalised(matrix).float())
    assert ((values > 0.6) & (values < 1.3)).all()
    assert torch.linalg.svdvals(matrix).max() > 3 * torch.linalg.svdvals(matrix).min()


def test_what_it_does_not_take_and_what_has_no_gradient():
    with pytest.raises(ValueError, match=r"parameters: expected two or more dimensions, got \(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))])
    still = nn.Parameter(torch.ones(2, 2))
    Muon([still]).step()
    assert torch.equal(still, torch.ones(2, 2))


def test_each_trained_parameter_is_moved_by_one_of_the_two():
    model = nn.ModuleDict(
        {
            "enter": nn.Conv2d(3, 16, 3),
            "inner": nn.Conv2d(16, 8, 3),
            "leave": nn.Linear(8, 12),
            "fixed": nn.Linear(9, 9),
        }
    )
    model["fixed"].requires_grad_(False)
    optimizers = muon_for_filters(model, but=("leave",))
    names = {id(p): name for name, p in model.named_parameters()}
    taken = {key: sorted(names[id(p)] for g in o.param_groups for p in g["params"]) for key, o in optimizers.items()}
    assert taken["muon"] == ["inner.weight"]
    assert taken["adamw"] == ["enter.bias", "enter.weight", "inner.bias", "leave.bias", "leave.weight"]
