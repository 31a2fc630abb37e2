"""Bradley–Terry and DPO against closed forms: a table of wins, autograd, and a toy whose optimum is known exactly."""

import copy
import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.likelihood import answer_log_probabilities
from course_lib.chat.preferences import (
    bradley_terry_rewards,
    constrained_reward,
    dpo_step,
    dpo_terms,
    implicit_reward,
    preference_log_likelihood,
    tilted,
)

f64 = torch.float64


def tensor(*numbers):
    return torch.tensor(numbers, dtype=f64)


def test_a_preference_is_a_logistic_of_the_difference():
    chosen, rejected = tensor(2.0, -1.0, 0.3), tensor(0.5, 3.0, 0.3)
    expected = (chosen.exp() / (chosen.exp() + rejected.exp())).log()
    torch.testing.assert_close(preference_log_likelihood(chosen, rejected), expected, rtol=1e-12, atol=1e-12)
    assert preference_log_likelihood(tensor(-800.0), tensor(800.0)).item() == -1600  # no overflow


def test_rewards_of_two_are_the_log_odds_and_of_more_the_maximum_of_the_likelihood():
    two = bradley_terry_rewards(torch.tensor([[0, 30.0], [10.0, 0]], dtype=f64))
    assert (two[0] - two[1]).item() == pytest.approx(math.log(3), rel=1e-10)
    wins = torch.tensor([[0, 7, 2, 9], [3, 0, 5, 1], [4, 6, 0, 8], [2, 3, 1, 0]], dtype=f64)
    rewards = bradley_terry_rewards(wins).requires_grad_()
    assert abs(rewards.sum().item()) < 1e-10
    likelihood = (wins * preference_log_likelihood(rewards[:, None].expand(4, 4), rewards.expand(4, 4))).sum()
    (gradient,) = torch.autograd.grad(likelihood, rewards)
    assert gradient.abs().max() < 1e-9  # concave: where the gradient is zero is the maximum


def test_rewards_come_back_from_the_wins_they_promise():
    true = tensor(0.7, -1.1, 0.4)
    wins = 50 * torch.sigmoid(true[:, None] - true) * (1 - torch.eye(3, dtype=f64))
    torch.testing.assert_close(bradley_terry_rewards(wins), true - true.mean(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("wins", "message"),
    [
        ([[0.0, 3.0], [0.0, 0.0]], "a chain of wins"),
        ([[0.0, 1.0, 0], [1.0, 0, 0], [0, 0, 0]], "a chain of wins"),
        ([[1.0, 1.0], [1.0, 0.0]], "0 on its diagonal"),
        ([[0.0, -1.0], [1.0, 0.0]], "of at least 0"),
    ],
)
def test_wins_without_a_maximum_are_refused(wins, message):
    with pytest.raises(ValueError, match=f"wins: expected .*{message}"):
        bradley_terry_rewards(torch.tensor(wins, dtype=f64))


REFERENCE, REWARDS, BETA = tensor(0.6, 0.3, 0.1), tensor(1.0, -0.5, 2.0), 0.7


def test_the_tilted_distribution_is_the_maximum_and_its_value_is_beta_log_z():
    best = tilted(REFERENCE, REWARDS, BETA)
    weights = [p * math.exp(r / BETA) for p, r in zip(REFERENCE.tolist(), REWARDS.tolist(), strict=True)]
    torch.testing.assert_close(best, tensor(*weights) / sum(weights), rtol=1e-12, atol=1e-12)
    value = constrained_reward(best, REFERENCE, REWARDS, BETA).item()
    assert value == pytest.approx(BETA * math.log(sum(weights)), rel=1e-12)
    grid = [(i / 60, j / 60, (60 - i - j) / 60) for i in range(61) for j in range(61 - i)]
    others = constrained_reward(torch.tensor(grid, dtype=f64), REFERENCE, REWARDS, BETA)
    assert others.max() <= value
    assert value - others.max() < 1e-3


def test_the_implicit_reward_of_the_optimum_is_the_reward_up_to_a_constant():
    found = implicit_reward(tilted(REFERENCE, REWARDS, BETA).log(), REFERENCE.log(), BETA)
    difference = found - REWARDS
    torch.testing.assert_close(difference, difference[:1].expand(3), rtol=1e-12, atol=1e-12)


def test_dpo_on_the_toys_preferences_ends_at_the_known_optimum():
    """All pairs of three answers, each weighed as often as Bradley and Terry say; the optimum needs no reward model."""
    logits = torch.zeros(3, dtype=f64, requires_grad=True)
    pairs = list(itertools.permutations(range(3), 2))
    good, bad = torch.tensor(pairs).T
    weights = torch.sigmoid(REWARDS[good] - REWARDS[bad])
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-16)
    log_reference = REFERENCE.log()

    def loss():
        optimizer.zero_grad()
        log_policy = logits.log_softmax(0)
        each = [
            dpo_terms(
                log_policy[g : g + 1], log_policy[b : b + 1], log_reference[g : g + 1], log_reference[b : b + 1], BETA
            )
            for g, b in pairs
        ]
        total = sum(w * terms["loss"] for w, terms in zip(weights, each, strict=True))
        total.backward()
        return total

    optimizer.step(loss)
    torch.testing.assert_close(logits.softmax(0).detach(), tilted(REFERENCE, REWARDS, BETA), rtol=1e-5, atol=1e-6)
    wrong = tilted(REFERENCE, REWARDS, 2 * BETA)
    assert (wrong - tilted(REFERENCE, REWARDS, BETA)).abs().max() > 0.05


def test_dpos_gradient_is_autograds_and_the_papers_closed_form():
    """∇ = −β σ(−margin) for the chosen, the opposite for the rejected, over the number of pairs (section 4)."""
    generator = torch.Generator().manual_seed(0)
    policy = [torch.randn(5, generator=generator, dtype=f64).requires_grad_() for _ in range(2)]
    reference = [torch.randn(5, generator=generator, dtype=f64).requires_grad_() for _ in range(2)]
    terms = dpo_terms(*policy, *reference, 0.3)
    terms["loss"].backward()
    margin = 0.3 * ((policy[0] - reference[0]) - (policy[1] - reference[1])).detach()
    expected = -0.3 * torch.sigmoid(-margin) / 5
    torch.testing.assert_close(policy[0].grad, expected, rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(policy[1].grad, -expected, rtol=1e-8, atol=1e-12)
    assert reference[0].grad is None
    assert torch.autograd.gradcheck(lambda a, b: dpo_terms(a, b, *reference, 0.3)["loss"], policy)


def test_what_is_watched_beside_the_loss():
    terms = dpo_terms(tensor(-1.0, -4.0), tensor(-3.0, -2.0), tensor(-2.0, -2.0), tensor(-2.0, -3.0), 0.5)
    assert terms["chosen_reward"].item() == pytest.approx((0.5 - 1.0) / 2)
    assert terms["rejected_reward"].item() == pytest.approx((-0.5 + 0.5) / 2)
    assert terms["margin"].item() == pytest.approx((1.0 - 1.5) / 2)
    assert terms["right"].item() == 0.5
    assert terms["loss"].item() == pytest.approx((math.log1p(math.exp(-1.0)) + math.log1p(math.exp(1.5))) / 2)


def test_a_pair_is_right_where_the_chosen_has_more_whatever_the_signs():
    chosen, rejected = tensor(-2.0, 3.0, 1.0, -1.0), tensor(-5.0, 4.0, 1.0, 2.0)
    assert dpo_terms(chosen, rejected, tensor(0, 0, 0, 0.0), tensor(0, 0, 0, 0.0), 1.0)["right"].item() == 0.25


def test_at_the_reference_every_margin_is_zero():
    same = tensor(-3.0, -8.0)
    terms = dpo_terms(same, same - 1, same, same - 1, 0.1)
    assert terms["margin"].item() == 0
    assert terms["loss"].item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_a_beta_that_is_not_above_zero_is_refused(beta):
    with pytest.raises(ValueError, match=f"beta: expected a number above 0, got {beta}"):
        dpo_terms(*[tensor(0.0)] * 4, beta)
    with pytest.raises(ValueError, match="beta: expected a number above 0"):
        tilted(REFERENCE, REWARDS, beta)


def test_steps_of_dpo_widen_the_margin_and_leave_the_reference():
    torch.manual_seed(0)
    model = Transformer(modern(9, context_length=8, n_layers=1, n_heads=2, d_model=16, zero_init=False))
    reference = copy.deepcopy(model)
    before = copy.deepcopy(reference.state_dict())
    inputs = torch.randint(9, (4, 6), generator=torch.Generator().manual_seed(1))
    good, bad = F.pad(inputs[:, 3:], (3, 0), value=-100), F.pad((inputs[:, 3:] + 1) % 9, (3, 0), value=-100)
    step = dpo_step(model, reference, [torch.optim.Adam(model.parameters(), lr=3e-3)])
    batch = (inputs, good, inputs, bad)
    first = step(batch)
    assert first["loss"].item() == pytest.approx(math.log(2), rel=1e-6)
    for _ in range(30):
        last = step(batch)
    assert last["margin"] > first["margin"] + 0.2
    assert last["right"] == 1
    assert all(torch.equal(value, before[name]) for name, value in reference.state_dict().items())
    with torch.no_grad():
        change = answer_log_probabilities(model, inputs, good) - answer_log_probabilities(reference, inputs, good)
    assert all(p.grad is None for p in reference.parameters())
    assert change.isfinite().all()
