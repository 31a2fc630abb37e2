"""The learner writes gradient_step: every parameter moves, in place, by −rate times its gradient."""

import numbers
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.chapters.ch00_start_here import descent
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _three_steps(step: Callable, loss_of: Callable[..., Tensor], start: tuple[Tensor, ...], rate: float) -> Any:
    """Take three steps; return the losses, the parameters after them, and whether the losses hold no graph."""
    parameters = [value.clone().requires_grad_() for value in start]
    losses, plain = [], True
    for _ in range(3):
        loss = step(loss_of, list(parameters), rate)  # who writes into the list moves no parameter
        if not isinstance(loss, Tensor | numbers.Real):
            return loss
        plain = plain and not getattr(loss, "requires_grad", False)
        losses.append(float(loss))
    return torch.tensor(losses, dtype=torch.float64), torch.cat([p.detach().flatten() for p in parameters]), plain


def _bowl(a: Tensor, b: Tensor) -> Tensor:
    return (a - 2).square().sum() + (b.square().sum() + 1) * a.square().mean()


def _three(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return _bowl(a, b) + (c * a.sum() - 1).square().sum()


def _step_probes() -> list[Probe]:
    says = "a loss of {} and rate = {}, three times in a row"
    return [
        Probe(
            (lambda w: (3 * w - 6).square().sum(), (random(1, seed=1)[0],), 0.02),
            says=says.format("one number", 0.02),
        ),
        Probe((_bowl, (random(3, seed=2), random(2, 2, seed=3)), 0.1), says=says.format("two tensors", 0.1)),
        Probe(
            (_three, (random(2, seed=4), random(5, seed=5), random(1, 3, seed=6)), 0.03),
            says=says.format("three tensors", 0.03),
        ),
    ]


ENTRY = Exercise(
    id="start.gradient_step",
    reference=descent.gradient_step,
    probes=_step_probes,
    checked="the losses and the parameters of three steps in a row, with one number, two and three tensors.",
    outputs=("the losses of the three steps", "the parameters after them", "that the loss is a plain number"),
    gradients=False,
    trial=_three_steps,
    mistakes=(
        Mistake(
            "ascent",
            {"parameter -= rate": "parameter += rate"},
            "the step goes along the gradient, uphill",
            "the gradient points to where the loss grows: with which sign do you follow it?",
        ),
        Mistake(
            "not_zeroed",
            {"            parameter.grad = None  # backward() adds to what it finds\n": ""},
            "the gradients of earlier steps are still there and are added to",
            "the first step is right, the second is not: what does backward() do with a .grad that it finds?",
        ),
        Mistake(
            "not_moved",
            {"parameter -= rate * parameter.grad": "moved = parameter - rate * parameter.grad"},
            "the parameters stay where they are",
            "p = p - … makes a new tensor and leaves the parameter alone; p -= … changes it. And a gradient that is "
            "set to zero before the update moves nothing.",
        ),
        Mistake(
            "rate_ignored",
            {"rate * parameter.grad": "parameter.grad"},
            "the rate is not used",
            "how far does one step go?",
        ),
        Mistake(
            "normalised",
            {"rate * parameter.grad": "rate * parameter.grad / parameter.grad.norm()"},
            "the gradient is divided by its length",
            "how long is the step near the minimum, where equation (0.3) makes it short?",
        ),
        Mistake(
            "first_only",
            {"for parameter in parameters:": "for parameter in parameters[:1]:"},
            "the first parameter alone is moved",
            "is the return inside the loop?",
        ),
        Mistake(
            "loss_after",
            {"loss.item()": "loss_of(*parameters).item()"},
            "the loss is computed again after the update",
            "the loss before is already there; a second evaluation doubles the work.",
        ),
        Mistake(
            "graph_kept",
            {"loss.item()": "loss"},
            "the loss comes back as a tensor that still holds its graph",
            "a list of a thousand such losses keeps a thousand graphs in memory: what does .item() return?",
        ),
    ),
    hints=(
        "Take the worked value: is w 2.4 after the call? And after a second call 1.92?",
        "backward() fills parameter.grad. The update happens under torch.no_grad(), since it is no part of the loss.",
        "loss = loss_of(*parameters); loss.backward(); with torch.no_grad(): for p in parameters: p -= rate * p.grad; "
        "p.grad = None; then return loss.item().",
    ),
    why="Four lines that every training in this course consists of: loss, backward, update, no gradients left. The "
    "update stands under no_grad because it is no part of the function that is differentiated, and the loss leaves "
    "as a plain number, because a tensor would hold the whole computation behind it in memory.",
)
