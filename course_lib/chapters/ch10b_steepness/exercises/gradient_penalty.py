"""The learner writes the penalty on a critic's slope between real and fake points, so that it trains the critic."""

import torch
from torch import Tensor

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import penalties


def _between(n: int, seed: int) -> Tensor:
    """One number in (0, 1) an example, none of them ½."""
    return torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.05


def _critic(weight: Tensor):
    """Return D(x) = Σ tanh(W x) of flattened examples, for a weight (hidden, features): its gradient is in no way 1."""
    return lambda x: torch.tanh(x.flatten(1) @ weight.T).sum(1)


def _on_critic(function, weight, real, fake, t):
    """Call with a discriminator made from the weight, the only thing that a gradient is wanted for."""
    return function(_critic(weight), real.detach(), fake.detach(), t.detach())


def _unflattened(discriminator, real, fake, t):
    """The norm over dim=1 of the gradient as it comes: right for vectors, over the channels of images."""
    t = t.view(-1, *[1] * (real.ndim - 1))
    mixed = (t * real + (1 - t) * fake).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(mixed).sum(), mixed, create_graph=True)
    return ((gradient.norm(dim=1) - 1) ** 2).mean()


ENTRY = Exercise(
    id="gan.gradient_penalty",
    reference=penalties.gradient_penalty,
    trial=_on_critic,
    probes=lambda: [
        Probe(
            (0.6 * random(3, 5, seed=1), random(4, 5, seed=2), random(4, 5, seed=3), _between(4, 4)),
            says="D(x) = Σ tanh(W x), real and fake (4, 5), t (4)",
        ),
        Probe(
            (
                0.4 * random(2, 6, seed=5),
                random(5, 1, 2, 3, seed=6),
                random(5, 1, 2, 3, seed=7),
                _between(5, seed=8),
            ),
            says="D(x) = Σ tanh(W x), real and fake (5, 1, 2, 3), t (5)",
        ),
        Probe(
            (0.5 * random(4, 3, seed=9), random(1, 3, seed=10), random(1, 3, seed=11), _between(1, 12)),
            says="D(x) = Σ tanh(W x), real and fake (1, 3), t (1)",
        ),
    ],
    checked="the value, and its gradient by the discriminator's weights, for vectors, images and a batch of one.",
    mistakes=(
        Mistake(
            "no_graph",
            {"_input_gradient(discriminator, mixed)": "_input_gradient(discriminator, mixed).detach()"},
            "create_graph=True is missing: the value is right and trains nothing",
            "the penalty is a function of the weights through this gradient; torch.autograd.grad must keep the graph.",
        ),
        Mistake(
            "at_real",
            {"t * real + (1 - t) * fake.detach()": "real"},
            "the gradient is taken at the real points",
            "that is where R1 looks; here the points lie between real and fake.",
        ),
        Mistake(
            "at_fake",
            {"t * real + (1 - t) * fake.detach()": "fake"},
            "the gradient is taken at the fakes",
            "the points lie between real and fake, at t · real + (1 − t) · fake.",
        ),
        Mistake(
            "exchanged",
            {"t * real + (1 - t) * fake.detach()": "(1 - t) * real + t * fake"},
            "t weighs the fake and 1 − t the real",
            "as good for a uniform t; but the formula asked for has t · real.",
        ),
        Mistake(
            "whole_batch",
            {"norm(dim=1)": "norm()"},
            "one norm is taken over the whole batch",
            "every example has its own gradient and its own norm: .flatten(1).norm(dim=1).",
        ),
        Mistake(
            "axis",
            {"norm(dim=1)": "norm(dim=0)"},
            "the norm runs over the batch, one for each feature",
            "every example has its own gradient: the norm runs over its features, dim=1 of the flattened gradient.",
        ),
        Mistake(
            "not_flattened",
            _unflattened,
            "the norm runs over dim=1 of the images, their channels",
            "an example's gradient is one vector: .flatten(1) before .norm(dim=1).",
        ),
        Mistake(
            "squared_norm",
            {"norm(dim=1) - 1": "norm(dim=1) ** 2 - 1"},
            "‖∇D‖² − 1 is squared in place of ‖∇D‖ − 1",
            "try D(x) = 3x₁ + 4x₂: the norm is 5, and (5 − 1)² = 16.",
        ),
        Mistake(
            "mean_norm",
            {"((_input": "(_input", "norm(dim=1) - 1) ** 2).mean()": "norm(dim=1).mean() - 1) ** 2"},
            "the norms are averaged before 1 is taken off: (mean norm − 1)²",
            "slopes of 0 and 2 would then cost nothing: each example has its own (‖∇D‖ − 1)².",
        ),
        Mistake(
            "target_0",
            {" - 1) ** 2": ") ** 2"},
            "the norm is drawn to 0: the − 1 is missing",
            "the penalty asks for slope 1, not for slope 0.",
        ),
        Mistake(
            "not_squared",
            {" ** 2)": ")"},
            "the square is missing",
            "then a slope of 0 would be the best of all: the distance to 1 counts on both sides.",
        ),
        Mistake(
            "sum",
            {".mean()": ".sum()"},
            "the sum over the batch comes back",
            "with a sum the weight of the penalty would depend on the batch's size.",
        ),
        Mistake(
            "mean_logits",
            {"norm(dim=1)": "norm(dim=1) / len(real)"},
            "the logits are averaged before their gradient is taken, which divides it by the batch's size",
            "the gradient of Σ D(xᵢ) by xᵢ is ∇D(xᵢ); that of the mean is ∇D(xᵢ)/n.",
        ),
        Mistake(
            "one_t",
            {"t = t.view(-1, *[1] * (real.ndim - 1))": "t = t[0]"},
            "all examples share the first one's t",
            "t has one number an example: .view(-1, 1, …), not t[0].",
        ),
    ),
    hints=(
        "Try D(x) = 3x₁ + 4x₂: what is its gradient, and which number must come out?",
        "torch.autograd.grad(discriminator(x).sum(), x, create_graph=True) returns a tuple of one gradient like x.",
        "t = t.view(-1, *[1] * (real.ndim - 1))\nx = (t * real + (1 - t) * fake).detach().requires_grad_()\n"
        "(g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)\n"
        "return ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()",
    ),
    why="A gradient is minimised here, so it must stay a function of the weights: create_graph builds the graph of the "
    "backward pass itself. Forgotten, nothing fails: the loss shows the penalty's value, and training ignores it.",
)
