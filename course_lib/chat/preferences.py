"""Learning from which of two answers somebody prefers: Bradley and Terry's model, and DPO, which needs no other.

Rafailov et al. 2023, *Direct preference optimization: your language model is secretly a reward model*.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.chat.likelihood import answer_log_probabilities
from course_lib.training.fit import Step
from course_lib.training.update import update


def preference_log_likelihood(
    chosen: Float[Tensor, "*batch"], rejected: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """Return log p(chosen is preferred) = log σ(r_chosen − r_rejected) of two rewards (Bradley and Terry 1952)."""
    return F.logsigmoid(chosen - rejected)


def bradley_terry_rewards(wins: Float[Tensor, "n n"], steps: int = 10_000) -> Float[Tensor, "n"]:
    """Return the most likely rewards, their mean 0, where wins[i, j] tells how often i was preferred to j.

    Hunter 2004's iteration: exp(r_i) = wins of i / Σ_j games(i, j) / (exp(r_i) + exp(r_j)), until nothing changes.
    ValueError for negative wins or a diagonal; and where some answers are never preferred to any of the others, whose
    likelihood has no maximum.
    """
    if (wins < 0).any() or wins.diagonal().any() or wins.shape[0] != wins.shape[1]:
        raise ValueError("wins: expected a square of numbers of at least 0, with 0 on its diagonal")
    reached = (wins > 0) | torch.eye(len(wins), dtype=torch.bool, device=wins.device)
    for _ in range(len(wins)):
        reached = reached | ((reached.float() @ reached.float()) > 0)
    if not reached.all():
        raise ValueError("wins: expected that a chain of wins leads from each answer to each other, got parts apart")
    games, strength = wins + wins.T, torch.ones(len(wins), dtype=wins.dtype, device=wins.device)
    for _ in range(steps):
        before = strength
        strength = wins.sum(1) / (games / (before[:, None] + before)).sum(1)
        strength = strength / strength.log().mean().exp()
        if torch.allclose(strength, before, rtol=50 * torch.finfo(wins.dtype).eps, atol=0):
            break
    return strength.log()


def implicit_reward(
    policy: Float[Tensor, "*batch"], reference: Float[Tensor, "*batch"], beta: float
) -> Float[Tensor, "*batch"]:
    """Return β (log π(y|x) − log π_ref(y|x)), the reward for which π is best, up to a term of x (equation 5)."""
    return beta * (policy - reference)


def tilted(
    reference: Float[Tensor, "*batch answers"], rewards: Float[Tensor, "*batch answers"], beta: float
) -> Float[Tensor, "*batch answers"]:
    """Return π*(y) ∝ π_ref(y) exp(r(y) / β), the maximum of E r − β KL(π ‖ π_ref) over all π (equation 4).

    reference: probabilities. ValueError for a β that is not above 0.
    """
    _check_beta(beta)
    return (reference.log() + rewards / beta).softmax(-1)


def constrained_reward(
    policy: Float[Tensor, "*#batch answers"],
    reference: Float[Tensor, "*#batch answers"],
    rewards: Float[Tensor, "*#batch answers"],
    beta: float,
) -> Float[Tensor, "*_"]:
    """Return E r − β KL(π ‖ π_ref) of probabilities π over all answers, what ``tilted`` maximises (equation 3)."""
    kl = (torch.special.xlogy(policy, policy) - torch.special.xlogy(policy, reference)).sum(-1)
    return (policy * rewards).sum(-1) - beta * kl


def dpo_terms(
    chosen: Float[Tensor, "batch"],
    rejected: Float[Tensor, "batch"],
    reference_chosen: Float[Tensor, "batch"],
    reference_rejected: Float[Tensor, "batch"],
    beta: float,
) -> dict[str, Float[Tensor, ""]]:
    """Return DPO's loss, −log σ(margin), and what is watched beside it, each a mean over the pairs (equation 7).

    chosen, rejected: log-probabilities of whole answers under the policy, and under the reference, which owes no
    gradient. margin: implicit reward of the chosen less that of the rejected; right: share of pairs whose margin is
    above 0; chosen_reward and rejected_reward: each alone. All but the loss are detached.
    ValueError for a β that is not above 0.
    """
    _check_beta(beta)
    good = implicit_reward(chosen, reference_chosen.detach(), beta)
    bad = implicit_reward(rejected, reference_rejected.detach(), beta)
    loss = -preference_log_likelihood(good, bad).mean()
    good, bad = good.detach(), bad.detach()
    watched = {
        "margin": good - bad,
        "right": (good > bad).to(good.dtype),
        "chosen_reward": good,
        "rejected_reward": bad,
    }
    return {"loss": loss, **{name: value.mean() for name, value in watched.items()}}


def dpo_step(
    model: nn.Module, reference: nn.Module, optimizers: Iterable[Optimizer], beta: float = 0.1, clip: float | None = 1.0
) -> Step:
    """Return a step of DPO on pairs (inputs, targets of the chosen; inputs, targets of the rejected), of ``batch_of``.

    reference: a copy of the model as it was before, which is not changed. The scalars are those of ``dpo_terms``.
    """
    optimizers = list(optimizers)

    def step(batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        good, bad = batch[:2], batch[2:]
        with torch.no_grad():
            references = answer_log_probabilities(reference, *good), answer_log_probabilities(reference, *bad)
        policies = answer_log_probabilities(model, *good), answer_log_probabilities(model, *bad)
        terms = dpo_terms(*policies, *references, beta)
        return terms | update(terms["loss"], model, optimizers, clip)

    return step


def _check_beta(beta: float) -> None:
    if not beta > 0:
        raise ValueError(f"beta: expected a number above 0, got {beta}")
