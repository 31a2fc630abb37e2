"""Eval mode for a while, and every part back in its own mode."""

import pytest
import torch
from made import model_of, seeded
from torch import nn

from course_lib.attention.sampling import generate
from course_lib.evaluation.classifier import Classifier, features_and_logits
from course_lib.evaluation.language import cross_entropy
from course_lib.gan.dcgan import Generator, sample
from course_lib.training.eval_mode import evaluating


def modes(model):
    return {name: module.training for name, module in model.named_modules()}


def partly_frozen():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)), nn.Linear(3, 1))
    model[1][0].eval()
    return model


def test_all_parts_are_in_eval_mode_inside_and_in_their_own_afterwards():
    first, second = partly_frozen(), nn.Dropout(0.5).eval()
    before = modes(first)
    assert before["1"] != before["1.0"]
    with evaluating(first, second):
        assert not any(modes(first).values())
        assert not second.training
    assert modes(first) == before
    assert not second.training


def test_modes_come_back_after_an_error_and_from_nested_blocks():
    model = partly_frozen()
    before = modes(model)
    with evaluating(model):
        with evaluating(model):
            pass
        assert not any(modes(model).values())
    assert modes(model) == before
    with pytest.raises(RuntimeError, match="shapes"), evaluating(model):
        model(torch.zeros(1, 5))
    assert modes(model) == before


def whole(part):
    """A model in training mode with a part that stays in eval mode, and a use of it."""
    if part == "generate":
        model = model_of(dropout=0.5)
        return model, model.blocks[0], lambda: generate(model, torch.zeros(1, 1, dtype=torch.long), 3, seeded(0))
    if part == "cross_entropy":
        model = model_of(dropout=0.5)
        return model, model.blocks[0], lambda: cross_entropy(model, torch.arange(9))
    if part == "features_and_logits":
        model = Classifier(dropout=0.5)
        images = torch.rand(3, 1, 28, 28, generator=seeded(0)) * 2 - 1
        return model, model.body[2], lambda: features_and_logits(model, images)[1]
    model = Generator(4, 2)
    return model, model.body[0], lambda: sample(model, torch.randn(3, 4, generator=seeded(0)))


@pytest.mark.parametrize("part", ["generate", "cross_entropy", "features_and_logits", "sample"])
def test_who_evaluates_a_model_leaves_a_frozen_part_frozen(part):
    model, frozen, use = whole(part)
    model.train()
    frozen.eval()
    before, state = modes(model), {name: t.clone() for name, t in model.state_dict().items()}
    first, again = use(), use()
    assert modes(model) == before
    assert True in before.values()
    assert first == again if isinstance(first, float) else torch.equal(first, again)  # no dropout, no batch statistics
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())
