"""Learning from rewards that a program gives: the policy gradient, baselines by groups, and how far a policy has moved.

Williams 1992, *REINFORCE*; Kool et al. 2019, *Buy 4 REINFORCE samples, get a baseline for free!*; Shao et al. 2024,
*DeepSeekMath*, whose GRPO compares the answers to one question with each other (section 4.1).
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from course_lib.chat.likelihood import token_log_probabilities
from course_lib.chat.template import IGNORED
from course_lib.training.fit import Step
from course_lib.training.update import update


def leave_one_out_advantages(rewards: Float[Tensor, "*batch group"]) -> Float[Tensor, "*batch group"]:
    """Return each reward less the mean of the others to the same question (Kool et al. 2019).

    The baseline does not depend on the answer it is taken from, so the gradient stays unbiased. A group in which all
    are equal teaches nothing. ValueError for groups of one.
    """
    n = _group_size(rewards)
    return (rewards - rewards.mean(-1, keepdim=True)) * n / (n - 1)


def group_advantages(
    rewards: Float[Tensor, "*batch group"], scaled: bool = True, eps: float = 1e-4
) -> Float[Tensor, "*batch group"]:
    """Return each reward less its group's mean, over the group's standard deviation and eps (Shao et al. 2024).

    The mean holds the answer itself, which makes it (n − 1)/n of the leave-one-out advantage; the division weighs
    questions by how evenly they are answered, and is left out where scaled is False (Liu et al. 2025, *Dr. GRPO*).
    The standard deviation has the divisor n − 1. ValueError for groups of one.
    """
    _group_size(rewards)
    centred = rewards - rewards.mean(-1, keepdim=True)
    return centred / (rewards.std(-1, keepdim=True) + eps) if scaled else centred


def policy_gradient_loss(
    log_probabilities: Float[Tensor, "*batch"], advantages: Float[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    """Return −mean(A log π(y|x)), whose gradient estimates that of −E r where y was drawn from π (Williams 1992).

    advantages owe no gradient. log_probabilities: of whole answers, so that a long one weighs as much as a short one.
    """
    return -(advantages.detach() * log_probabilities).mean()


def clipped_loss(
    new: Float[Tensor, "batch time"],
    old: Float[Tensor, "batch time"],
    advantages: Float[Tensor, "batch"],
    learned: Tensor,
    clip: float = 0.2,
) -> dict[str, Float[Tensor, ""]]:
    """Return GRPO's loss without its KL, −mean min(ρ A, clip(ρ, 1 − clip, 1 + clip) A), and the share that is clipped.

    new, old: log-probabilities of each token under the policy and under the one that drew it; ρ = exp(new − old).
    learned (batch, time): True at the answers' tokens. Each answer's mean over its tokens, then the mean over answers
    (Schulman et al. 2017, equation 7; Shao et al. 2024, equation 3). clipped: the share of learned tokens whose
    gradient is zero. ValueError for a clip outside (0, 1).
    """
    if not 0 < clip < 1:
        raise ValueError(f"clip: expected a number between 0 and 1, got {clip}")
    ratio, gain = (new - old.detach()).exp(), advantages.detach()[:, None]
    free, held = ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain
    loss = -answer_means(torch.minimum(free, held), learned).mean()
    return {"loss": loss, "clipped": ((held < free) & learned).sum() / learned.sum()}


def kl_estimate(new: Float[Tensor, "*batch"], reference: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Return k3 = u − log u − 1 with u = π_ref/π, for tokens drawn from π: never negative, its mean is KL(π ‖ π_ref).

    new, reference: log-probabilities of the same tokens (Schulman 2020, *Approximating KL divergence*; Shao et al.
    2024, equation 4). Its gradient at fixed draws has the mean ∇KL(π_ref ‖ π): that of the other direction.
    """
    difference = reference - new
    return difference.expm1() - difference


def answer_means(values: Float[Tensor, "batch time"], learned: Tensor) -> Float[Tensor, "batch"]:
    """Return each row's mean over its learned places; 0 for a row that has none."""
    return torch.where(learned, values, 0.0).sum(-1) / learned.sum(-1).clamp(min=1)


def reward_step(
    model: nn.Module,
    reference: nn.Module,
    optimizers: Iterable[Optimizer],
    kl_weight: float = 0.04,
    clip_ratio: float = 0.2,
    clip: float | None = 1.0,
) -> Step:
    """Return a step of GRPO on (inputs, targets, old, advantages).

    inputs, targets: of ``batch_of``, with the drawn answers; old (batch, time): ``token_log_probabilities`` of the
    model that drew them; advantages (batch,): of ``group_advantages`` or another. reference: not changed. Scalars:
    loss, kl, clipped and, with clip, norm.
    """
    optimizers = list(optimizers)

    def step(batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        inputs, targets, old, advantages = batch
        learned = targets != IGNORED
        new = token_log_probabilities(model, inputs, targets)
        with torch.no_grad():
            before = token_log_probabilities(reference, inputs, targets)
        scalars = clipped_loss(new, old, advantages, learned, clip_ratio)
        kl = answer_means(kl_estimate(new, before), learned).mean()
        scalars |= {"loss": scalars["loss"] + kl_weight * kl, "kl": kl.detach()}
        return scalars | update(scalars["loss"], model, optimizers, clip)

    return step


def pass_at_k(right: Int[Tensor, "*batch"], n: int, k: int) -> Float[Tensor, "*batch"]:
    """Return the chance that one of k of the n drawn answers is right, right of which are: 1 − C(n − right, k)/C(n, k).

    Chen et al. 2021, *Evaluating large language models trained on code*, equation 1: unbiased over draws of n.
    ValueError unless 1 ≤ k ≤ n and 0 ≤ right ≤ n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"k: expected 1 to n = {n}, got {k}")
    if ((right < 0) | (right > n)).any():
        raise ValueError(f"right: expected 0 to n = {n}, got {int(right.min())} to {int(right.max())}")
    places = torch.arange(k, device=right.device, dtype=torch.get_default_dtype())
    return 1 - ((n - right[..., None] - places).clamp(min=0) / (n - places)).prod(-1)


def _group_size(rewards: Tensor) -> int:
    if rewards.shape[-1] < 2:
        raise ValueError(f"rewards: expected groups of at least 2 answers, got {rewards.shape[-1]}")
    return rewards.shape[-1]
