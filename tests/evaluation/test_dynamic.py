"""A model that learns from what it is measured on: measured first, then learnt, each token once."""

import copy
from functools import partial

import pytest
import torch
from made import model_of, seeded
from torch.nn import functional as F

from course_lib.evaluation.dynamic import dynamic_evaluation
from course_lib.evaluation.language import sliding_cross_entropy

SGD = partial(torch.optim.SGD, lr=0.5)


def tokens_of(n):
    return torch.randint(11, (n,), generator=seeded(4))


@pytest.mark.parametrize(("n", "stride"), [(7, 3), (20, 3), (24, 6), (25, 1)])
def test_without_a_rate_it_is_the_sliding_window(n, stride):
    model = model_of(positions="rotary")
    nats = dynamic_evaluation(model, tokens_of(n), stride, partial(torch.optim.SGD, lr=0.0))
    assert len(nats) == n - 1
    assert nats.double().mean().item() == pytest.approx(sliding_cross_entropy(model, tokens_of(n), stride), rel=1e-5)


def test_each_window_is_measured_with_the_weights_before_its_own_update():
    model, tokens, pull = model_of(positions="rotary"), tokens_of(13), 0.25
    before = copy.deepcopy(model.state_dict())
    nats = dynamic_evaluation(model, tokens, 6, SGD, pull)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))
    by_hand = copy.deepcopy(model)
    expected = []
    for start in (0, 6):
        loss = F.cross_entropy(
            by_hand(tokens[None, start : start + 6])[0], tokens[start + 1 : start + 7], reduction="none"
        )
        expected.append(loss.detach())
        gradients = torch.autograd.grad(loss.mean(), list(by_hand.parameters()))
        with torch.no_grad():
            for weight, gradient, first in zip(by_hand.parameters(), gradients, model.parameters(), strict=True):
                weight -= 0.5 * gradient
                weight += pull * (first - weight)
    torch.testing.assert_close(nats, torch.cat(expected).to(nats), rtol=1e-5, atol=1e-6)


def test_a_token_says_nothing_about_itself():
    """Another last token changes the last measure alone; with an update before measuring it would change more."""
    model, tokens = model_of(positions="rotary"), tokens_of(20)
    other = tokens.clone()
    other[-1] = (other[-1] + 1) % 11
    one, two = (dynamic_evaluation(model, each, 2, SGD) for each in (tokens, other))
    assert torch.equal(one[:-1], two[:-1])
    assert one[-1] != two[-1]


def test_text_that_repeats_is_learnt_and_a_pull_of_one_forgets_all():
    model, tokens = model_of(positions="rotary"), tokens_of(7).repeat(30)
    nats = dynamic_evaluation(model, tokens, 6, SGD)
    assert nats[-30:].mean() < 0.5 * nats[:30].mean()
    still = dynamic_evaluation(model, tokens, 6, SGD, pull=1.0)
    assert still.double().mean().item() == pytest.approx(sliding_cross_entropy(model, tokens, 6), rel=1e-5)


def test_what_cannot_be_is_named():
    model = model_of(positions="rotary")
    for stride in (0, 7):
        with pytest.raises(ValueError, match=f"stride: expected 1 to context_length = 6, got {stride}"):
            dynamic_evaluation(model, tokens_of(20), stride, SGD)
    with pytest.raises(ValueError, match=r"pull: expected a share, 0 … 1, got 1\.5"):
        dynamic_evaluation(model, tokens_of(20), 2, SGD, 1.5)
    with pytest.raises(ValueError, match="tokens: expected more than context_length = 6, got 6"):
        dynamic_evaluation(model, tokens_of(6), 2, SGD)
