"""Gradients from rewards against exact ones, over all answers and by Monte Carlo; GRPO's terms by hand and by a loop."""

import copy
import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.likelihood import token_log_probabilities
from course_lib.chat.rewards import (
    answer_means,
    clipped_loss,
    group_advantages,
    kl_estimate,
    leave_one_out_advantages,
    pass_at_k,
    policy_gradient_loss,
    reward_step,
)

f64 = torch.float64
REWARDS = torch.tensor([3.0, 4.0, 1.0, 3.5], dtype=f64)  # far from zero: without a baseline the noise is large
LOGITS = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=f64)


def exact_gradient():
    """Of −E r with respect to the logits of a softmax: −p (r − E r)."""
    p = LOGITS.softmax(0)
    return -p * (REWARDS - (p * REWARDS).sum())


def estimates(advantages, draws):
    """The gradient of each group's loss, (groups, 4): the mean over the group of −A (onehot − p)."""
    p = LOGITS.softmax(0)
    return -(advantages[..., None] * (F.one_hot(draws, 4) - p)).mean(1)


def test_leave_one_out_is_a_loop_over_the_others():
    rewards = torch.rand(3, 5, dtype=f64, generator=torch.Generator().manual_seed(0))
    found = leave_one_out_advantages(rewards)
    for i, row in enumerate(rewards.tolist()):
        for j, reward in enumerate(row):
            others = [r for k, r in enumerate(row) if k != j]
            assert found[i, j].item() == pytest.approx(reward - sum(others) / 4, rel=1e-12, abs=1e-14)


def test_group_advantages_by_hand():
    rewards = torch.tensor([[1.0, 0, 0, 1], [2, 2, 2, 2]], dtype=f64)
    std = math.sqrt(4 * 0.25 / 3)
    expected = torch.tensor([[0.5, -0.5, -0.5, 0.5], [0] * 4], dtype=f64) / torch.tensor([[std + 1e-4], [1e-4]])
    torch.testing.assert_close(group_advantages(rewards), expected, rtol=1e-7, atol=1e-12)
    unscaled = group_advantages(rewards, scaled=False)
    torch.testing.assert_close(unscaled, 0.75 * leave_one_out_advantages(rewards), rtol=1e-12, atol=1e-12)


def test_the_gradient_is_that_of_the_expected_reward_over_all_groups_exactly():
    """Enumerated: every group of three answers with its probability. A baseline of the others leaves no bias; the
    group's own mean takes (n − 1)/n of it, no more; a division by the standard deviation changes it otherwise."""
    draws = torch.tensor(list(itertools.product(range(4), repeat=3)))
    chances = LOGITS.softmax(0)[draws].prod(1)
    mean = lambda advantages: (chances[:, None] * estimates(advantages, draws)).sum(0)
    rewards = REWARDS[draws]
    torch.testing.assert_close(mean(rewards), exact_gradient(), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(mean(leave_one_out_advantages(rewards)), exact_gradient(), rtol=1e-10, atol=1e-12)
    own = mean(group_advantages(rewards, scaled=False))
    torch.testing.assert_close(own, 2 / 3 * exact_gradient(), rtol=1e-10, atol=1e-12)
    scaled = mean(group_advantages(rewards))
    assert (scaled / scaled.norm() - exact_gradient() / exact_gradient().norm()).norm() > 0.02


def test_monte_carlo_is_within_five_standard_errors_and_a_baseline_lowers_the_variance():
    generator = torch.Generator().manual_seed(0)
    draws = torch.multinomial(LOGITS.softmax(0), 40_000 * 4, replacement=True, generator=generator).view(-1, 4)
    variances = {}
    for name, advantages in (("none", REWARDS[draws]), ("others", leave_one_out_advantages(REWARDS[draws]))):
        each = estimates(advantages, draws)
        error = each.std(0) / math.sqrt(len(each))
        assert ((each.mean(0) - exact_gradient()).abs() < 5 * error).all()
        variances[name] = each.var(0).sum().item()
    assert variances["others"] < variances["none"] / 4


def test_the_loss_has_the_estimate_as_its_gradient():
    logits = LOGITS.clone().requires_grad_()
    draws = torch.tensor([[0, 2, 2, 3]])
    advantages = leave_one_out_advantages(REWARDS[draws]).requires_grad_()
    policy_gradient_loss(logits.log_softmax(0)[draws], advantages).backward()
    torch.testing.assert_close(logits.grad, estimates(advantages.detach(), draws)[0], rtol=1e-10, atol=1e-12)
    assert advantages.grad is None


def test_steps_on_the_loss_reach_the_best_answer():
    logits = LOGITS.clone().requires_grad_()
    optimizer, generator = torch.optim.SGD([logits], lr=1.0), torch.Generator().manual_seed(3)
    for _ in range(300):
        draws = torch.multinomial(logits.detach().softmax(0), 8, replacement=True, generator=generator)
        policy_gradient_loss(logits.log_softmax(0)[draws], leave_one_out_advantages(REWARDS[draws])).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert logits.softmax(0)[1] > 0.9


def test_k3_has_the_kl_as_its_mean_and_is_never_negative():
    reference = torch.tensor([0.1, 0.4, -0.6, 0.0], dtype=f64).log_softmax(0)
    new = LOGITS.log_softmax(0)
    exact = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=new), torch.distributions.Categorical(logits=reference)
    )
    k3 = kl_estimate(new, reference)
    assert (k3 >= 0).all()
    torch.testing.assert_close((new.exp() * k3).sum(), exact, rtol=1e-10, atol=1e-14)
    draws = torch.multinomial(new.exp(), 50_000, replacement=True, generator=torch.Generator().manual_seed(1))
    error = k3[draws].std() / math.sqrt(50_000)
    assert (k3[draws].mean() - exact).abs() < 5 * error
    k1 = (new - reference)[draws]  # the plain estimate has the same mean, and is noisier
    assert k3[draws].var() < k1.var() / 4
    assert kl_estimate(new, new).abs().max() == 0


def test_the_gradient_of_k3_at_fixed_draws_is_that_of_the_other_kl():
    reference = torch.tensor([0.1, 0.4, -0.6, 0.0], dtype=f64).log_softmax(0)
    logits = LOGITS.clone().requires_grad_()
    fixed = LOGITS.softmax(0)
    found = torch.autograd.grad((fixed * kl_estimate(logits.log_softmax(0), reference)).sum(), logits)[0]
    other = (reference.exp() * (reference - logits.log_softmax(0))).sum()
    this = (logits.softmax(0) * (logits.log_softmax(0) - reference)).sum()
    torch.testing.assert_close(found, torch.autograd.grad(other, logits)[0], rtol=1e-10, atol=1e-12)
    assert (found - torch.autograd.grad(this, logits)[0]).abs().max() > 0.01


def clipped_by_loop(new, old, advantages, learned, clip):
    rows, at_rest, count = [], 0, 0
    for i, gain in enumerate(advantages.tolist()):
        values = []
        for t in range(new.shape[1]):
            if not learned[i, t]:
                continue
            ratio = math.exp(new[i, t].item() - old[i, t].item())
            values.append(min(ratio * gain, max(1 - clip, min(1 + clip, ratio)) * gain))
            at_rest += (gain > 0 and ratio > 1 + clip) or (gain < 0 and ratio < 1 - clip)
            count += 1
        rows.append(sum(values) / len(values))
    return -sum(rows) / len(rows), at_rest / count


def test_the_clipped_loss_is_that_of_a_loop_and_clipped_tokens_have_no_gradient():
    generator = torch.Generator().manual_seed(2)
    new, old = (-torch.rand(3, 7, dtype=f64, generator=generator) for _ in range(2))
    learned = torch.arange(7) < torch.tensor([[7], [2], [4]])
    advantages = torch.tensor([1.3, -0.7, -2.0], dtype=f64)
    new.requires_grad_()
    terms = clipped_loss(new, old, advantages, learned, 0.2)
    loss, share = clipped_by_loop(new, old, advantages, learned, 0.2)
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-12)
    assert terms["clipped"].item() == pytest.approx(share, rel=1e-6)
    assert 0 < share < 1
    terms["loss"].backward()
    assert int((new.grad[learned] == 0).sum()) == round(share * 13)
    assert new.grad[~learned].abs().max() == 0


def test_at_the_policy_that_drew_the_gradient_is_the_policy_gradients():
    new = -torch.rand(2, 5, dtype=f64, generator=torch.Generator().manual_seed(4))
    new.requires_grad_()
    learned, advantages = torch.ones(2, 5, dtype=torch.bool), torch.tensor([1.0, -3.0], dtype=f64)
    found = torch.autograd.grad(clipped_loss(new, new.detach(), advantages, learned)["loss"], new)[0]
    expected = torch.autograd.grad(policy_gradient_loss(new.sum(1) / 5, advantages), new)[0]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_means_are_over_learned_places_and_what_is_not_learned_may_be_anything():
    values = torch.tensor([[1.0, 2.0, math.nan], [5.0, math.inf, 1.0], [1.0, 1.0, 1.0]])
    learned = torch.tensor([[True, True, False], [True, False, False], [False] * 3])
    assert answer_means(values, learned).tolist() == [1.5, 5.0, 0.0]


def test_pass_at_k_is_a_count_over_all_choices():
    for n, right, k in itertools.product(range(1, 6), range(6), range(1, 6)):
        if right > n or k > n:
            continue
        answers = [True] * right + [False] * (n - right)
        chosen = [any(some) for some in itertools.combinations(answers, k)]
        assert pass_at_k(torch.tensor(right), n, k).item() == pytest.approx(sum(chosen) / len(chosen), abs=1e-6)
    assert pass_at_k(torch.tensor([0, 100]), 200, 10).shape == (2,)


def test_a_step_makes_what_was_rewarded_likelier_and_pays_for_moving_away():
    torch.manual_seed(0)
    model = Transformer(modern(9, context_length=8, n_layers=1, n_heads=2, d_model=16, zero_init=False))
    reference, first = copy.deepcopy(model), copy.deepcopy(model)
    inputs = torch.randint(9, (4, 6), generator=torch.Generator().manual_seed(1))
    targets = F.pad((inputs[:, 3:] + 2) % 9, (3, 0), value=-100)
    advantages = group_advantages(torch.tensor([[1.0, 0.0], [0.0, 1.0]])).flatten()
    with torch.no_grad():
        old = token_log_probabilities(model, inputs, targets)
    step = reward_step(model, reference, [torch.optim.Adam(model.parameters(), lr=1e-3)], kl_weight=0.1)
    scalars = step((inputs, targets, old, advantages))
    assert scalars["kl"].item() == pytest.approx(0, abs=1e-6)
    assert scalars["clipped"].item() == 0
    later = step((inputs, targets, old, advantages))
    assert later["kl"] > 0
    with torch.no_grad():
        change = (token_log_probabilities(model, inputs, targets) - old).sum(1)
    assert (change * advantages > 0).all()
    assert all(torch.equal(a, b) for a, b in zip(reference.parameters(), first.parameters(), strict=True))


def test_without_advantages_a_step_leads_back_to_the_reference():
    sizes = {"context_length": 8, "n_layers": 1, "n_heads": 2, "d_model": 16, "zero_init": False}
    torch.manual_seed(0)
    model, reference = (Transformer(modern(9, **sizes)) for _ in range(2))
    inputs = torch.randint(9, (4, 6), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        old = token_log_probabilities(model, inputs, inputs)
    step = reward_step(model, reference, [torch.optim.SGD(model.parameters(), lr=0.3)], kl_weight=1.0, clip=None)
    scalars = [step((inputs, inputs, old, torch.zeros(4))) for _ in range(10)]
    assert scalars[-1]["kl"] < 0.8 * scalars[0]["kl"]
    assert scalars[0]["loss"].item() == pytest.approx(scalars[0]["kl"].item(), rel=1e-5)
    assert set(scalars[0]) == {"loss", "kl", "clipped"}


def test_mistakes_are_named(unchecked):
    for function in (leave_one_out_advantages, group_advantages):
        with pytest.raises(ValueError, match="rewards: expected groups of at least 2 answers, got 1"):
            function(torch.ones(3, 1))
    for clip in (0.0, 1.0, -0.2):
        with pytest.raises(ValueError, match=f"clip: expected a number between 0 and 1, got {clip}"):
            clipped_loss(*[torch.zeros(1, 2)] * 2, torch.zeros(1), torch.ones(1, 2, dtype=torch.bool), clip)
    with pytest.raises(ValueError, match="k: expected 1 to n = 3, got 4"):
        pass_at_k(torch.tensor([1]), 3, 4)
    with pytest.raises(ValueError, match="right: expected 0 to n = 3, got 1 to 4"):
        pass_at_k(torch.tensor([1, 4]), 3, 2)
