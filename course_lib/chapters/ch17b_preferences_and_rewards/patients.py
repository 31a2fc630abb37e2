"""Trainings by rewards with a fault each, that the learner names from their curves; questions and answers are a table.

Each of 32 questions has eight possible answers, of which the first is right and the last is long; the model is a table
of logits. What it is rewarded for is what ``course_lib.chat.rewards`` has.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from course_lib.chat.rewards import clipped_loss, group_advantages, kl_estimate

QUESTIONS, ANSWERS, GROUP, STEPS, RATE, BRAKE = 32, 8, 8, 150, 0.05, 0.3
RIGHT, LONG = 0, ANSWERS - 1
FAULTS = (
    "hole_in_the_checker",
    "reference_moved_along",
    "groups_all_equal",
    "brake_too_strong",
    "sign_turned",
    "never_drawn_again",
)
CURVES = ("reward", "right", "kl", "norm", "different")


class Patient(NamedTuple):
    """Name on the sheet and its curves, a number a step.

    reward: as logged; right: share of the drawn answers that a person would take; kl: as logged, to the reference;
    norm: of the gradient; different: different answers of a question among eight.
    """

    name: str
    reward: Float[Tensor, "steps"]
    right: Float[Tensor, "steps"]
    kl: Float[Tensor, "steps"]
    norm: Float[Tensor, "steps"]
    different: Float[Tensor, "steps"]


def _first_logits(fault: str, generator: torch.Generator) -> Tensor:
    logits = 0.7 * torch.randn(QUESTIONS, ANSWERS, dtype=torch.float64, generator=generator)
    logits[:, LONG] -= 1.5
    if fault == "groups_all_equal":  # half of the questions it knows, of the others it knows nothing
        logits[::2, RIGHT], logits[1::2, RIGHT] = 20.0, -20.0
    return logits


def _rewards(drawn: Tensor, fault: str) -> Tensor:
    if fault == "hole_in_the_checker":  # the long answer holds whatever is asked for
        return torch.where(drawn == LONG, 1.0, torch.where(drawn == RIGHT, 0.6, 0.0)).double()
    return (drawn == RIGHT).double()


def trained(fault: str, name: str = "", seed: int = 0, steps: int = STEPS) -> Patient:
    """Return the curves of a training with this fault, "" for none."""
    generator = torch.Generator().manual_seed(seed)
    logits = _first_logits(fault, generator).requires_grad_()
    reference, adam = logits.detach().clone(), torch.optim.Adam([logits], RATE)
    weight = BRAKE * {"brake_too_strong": 50, "no_brake": 0}.get(fault, 1)
    drawn, old, rows = torch.empty(0), torch.empty(0), []
    for step in range(steps):
        log_q, fresh = logits.log_softmax(-1), _drawn(logits, generator)
        if step == 0 or fault != "never_drawn_again":
            drawn, old = fresh, log_q.detach().gather(-1, fresh)
        if fault == "reference_moved_along" and step % 5 == 0:
            reference = logits.detach().clone()
        rewards = _rewards(drawn, fault)
        new = log_q.gather(-1, drawn).view(-1, 1)  # an answer is one token
        advantages = group_advantages(rewards).flatten() * (-1 if fault == "sign_turned" else 1)
        terms = clipped_loss(new, old.view(-1, 1), advantages, torch.ones_like(new, dtype=torch.bool))
        kl = kl_estimate(new, reference.log_softmax(-1).gather(-1, drawn).view(-1, 1)).mean()
        (gradient,) = torch.autograd.grad(terms["loss"] + weight * kl, logits)
        rows.append([rewards.mean(), (fresh == RIGHT).double().mean(), kl.detach(), gradient.norm(), _different(fresh)])
        logits.grad = gradient
        adam.step()
    return Patient(name or fault or "sound", *torch.tensor(rows, dtype=torch.float64).T)


def _drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(logits.detach().softmax(-1), GROUP, replacement=True, generator=generator)


def _different(drawn: Tensor) -> Tensor:
    return F.one_hot(drawn, ANSWERS).amax(1).sum(-1).double().mean()


def shown() -> list[Patient]:
    """Return a sound training and patients A and B."""
    return [trained("", "sound"), trained("reference_moved_along", "A"), trained("groups_all_equal", "B")]


def measured() -> dict[str, dict[str, float]]:
    """Return what each curve ends with, the mean of its last ten steps: sound, each fault, and without a brake."""
    found = {}
    for fault in ("", *FAULTS, "no_brake"):
        patient = trained(fault)
        found[fault or "sound"] = {name: getattr(patient, name)[-10:].mean().item() for name in CURVES}
    return found
