"""The learner writes a GAN's training step: two turns, each of which moves one player alone."""

from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.shown import describe
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property
from course_lib.gan import losses
from course_lib.gan import step as step_

PAIR = "a pair of numbers"


class _Generator(nn.Module):
    """G(z) = tanh(W z), in the shape of one image; a weight (features, latent)."""

    def __init__(self, weight: Tensor, shape: torch.Size) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.shape = shape

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(z @ self.weight.T).view(-1, *self.shape)


class _Discriminator(nn.Module):
    """The logit Σ tanh(W x), for a weight (hidden, features)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x.flatten(1) @ self.weight.T).sum(1)


def _two_losses(result: Any) -> tuple[str, float, float]:
    """Return what came back, in words, and the two losses; 0 where it is no pair of numbers."""
    parts = result if isinstance(result, tuple | list) else [result]
    single = [p.numel() == 1 if isinstance(p, Tensor) else isinstance(p, Real) for p in parts]
    if len(parts) != 2 or not all(single):
        return describe(result) if isinstance(result, tuple | list) else f"one thing, {describe(result)}", 0.0, 0.0
    return PAIR, float(parts[0]), float(parts[1])


def _play(
    step: Callable, g_weight: Tensor, d_weight: Tensor, g_rate: float, d_rate: float, real: Tensor, z: Tensor
) -> tuple | None:
    """Take two steps on small networks, real (2, batch, ...) and z (2, batch, latent); return what they changed.

    The second step shows gradients that the first one left behind; before a batch of one some lie there already. The
    optimizer of the discriminator counts its moves, and keeps the gradients that it moved by.
    """
    generator, discriminator = _Generator(g_weight, real.shape[2:]), _Discriminator(d_weight)
    g_optimizer = torch.optim.SGD(generator.parameters(), g_rate)
    d_optimizer = torch.optim.SGD(discriminator.parameters(), d_rate, momentum=0.6)
    if real.shape[1] == 1:
        for network in (generator, discriminator):
            network.weight.grad = torch.full_like(network.weight, 0.3)
    moved_by: list[Tensor] = []
    d_optimizer.register_step_pre_hook(lambda *_: moved_by.append(_gradient(discriminator)))
    says, rows = PAIR, []
    for images, noise in zip(real.detach(), z.detach(), strict=True):
        moved_by.clear()
        result = step(generator, discriminator, g_optimizer, d_optimizer, images, noise)
        if result is None:
            return None
        said, *both = _two_losses(result)
        says = said if says == PAIR else says
        own = [torch.zeros_like(d_weight), *moved_by]  # cleared, or as D's turn left it: either is in order
        left = min((_gradient(discriminator) - gradient).abs().max().item() for gradient in own)
        weights = [network.weight.detach().clone() for network in (discriminator, generator)]
        rows.append((*map(torch.tensor, both), *weights, torch.tensor(float(len(moved_by))), torch.tensor(left)))
    return says, *map(torch.stack, zip(*rows, strict=True))


def _gradient(network: nn.Module) -> Tensor:
    """Return the gradient that lies in the network's weight, 0 where there is none."""
    (weight,) = network.parameters()
    return torch.zeros_like(weight) if weight.grad is None else weight.grad.detach().clone()


def _two_steps(
    step: Callable, g_weight: Tensor, d_weight: Tensor, g_rate: float, d_rate: float, real: Tensor, z: Tensor
) -> tuple | None:
    """Play; what is left in the discriminator counts only where all else is as it should be, and seen to be so.

    In a batch of one a sum is a mean. New tensors are float64 meanwhile: a target made by torch.ones(n) is as right
    here as in the notebook.
    """
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        due = _play(step_.training_step, g_weight, d_weight, g_rate, d_rate, real, z)
        found = _play(step, g_weight, d_weight, g_rate, d_rate, real, z)
    finally:
        torch.set_default_dtype(usual)
    if found is None or due is None:
        return None
    as_due = real.shape[1] > 1 and all(
        torch.allclose(a, b, rtol=1e-9) for a, b in zip(found[1:6], due[1:6], strict=True)
    )
    return *found[:6], found[6] if as_due else torch.zeros_like(found[6])


def _simultaneous(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """Both losses first, then both updates."""
    fake = generator(z)
    d_loss = losses.discriminator_loss(discriminator(real), discriminator(fake.detach()))
    g_loss = losses.nonsaturating_generator_loss(discriminator(fake))
    for optimizer, loss in ((g_optimizer, g_loss), (d_optimizer, d_loss)):
        optimizer.zero_grad()
        d_optimizer.zero_grad()  # the generator's loss has left something there
        loss.backward()
    g_optimizer.step()
    d_optimizer.step()
    return d_loss, g_loss


def _generator_first(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """The generator's turn, then the discriminator's on the fakes of the new generator."""
    g_optimizer.zero_grad()
    g_loss = losses.nonsaturating_generator_loss(discriminator(generator(z)))
    g_loss.backward()
    g_optimizer.step()
    d_optimizer.zero_grad()
    d_loss = losses.discriminator_loss(discriminator(real), discriminator(generator(z).detach()))
    d_loss.backward()
    d_optimizer.step()
    return d_loss, g_loss


ENTRY = Exercise(
    id="gan.training_step",
    reference=step_.training_step,
    trial=_two_steps,
    probes=lambda: [
        Probe(
            (
                random(5, 3, seed=1),
                0.5 * random(2, 5, seed=2),
                0.7,
                0.4,
                random(2, 4, 5, seed=3),
                random(2, 4, 3, seed=4),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (4, 5), z (4, 3), two steps in a row",
        ),
        Probe(
            (
                random(6, 4, seed=5),
                0.4 * random(3, 6, seed=6),
                0.3,
                0.9,
                random(2, 5, 1, 2, 3, seed=7),
                random(2, 5, 4, seed=8),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (5, 1, 2, 3), z (5, 4), two steps in a row",
        ),
        Probe(
            (
                random(3, 2, seed=9),
                0.6 * random(4, 3, seed=10),
                1.1,
                0.5,
                random(2, 1, 3, seed=11),
                random(2, 1, 2, seed=12),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (1, 3), z (1, 2), two steps, gradients before",
        ),
    ],
    checked="both losses, both networks and what is left in the discriminator after each of two steps in a row, on "
    "vectors, images and a batch of one that finds gradients in both networks.",
    outputs=(
        "what comes back",
        "d_loss of the two steps",
        "g_loss of the two steps",
        "the discriminator's weights after each step",
        "the generator's weights after each step",
        "how often the discriminator moved in each step",
        "the gradient that the generator's turn left in the discriminator",
    ),
    gradients=False,
    mistakes=(
        Mistake(
            "no_detach",
            {
                "fake = generator(z)": "fake = generator(z)\n    g_optimizer.zero_grad()",
                "fake.detach()": "fake",
                "d_loss.backward()": "d_loss.backward(retain_graph=True)",
                "    g_optimizer.zero_grad()\n": "",
            },
            "the generator moves by the gradients of both losses, D's among them",
            "D's loss ran through the fakes into the generator, whose gradients were not cleared after that: "
            "fake.detach() in D's turn, and clear G's gradients right before its own.",
        ),
        Mistake(
            "not_cleared",
            {
                "    d_optimizer.zero_grad()\n    d_loss =": "    d_loss =",
                "    g_optimizer.zero_grad()\n": "",
                "    d_optimizer.zero_grad()  #": "    #",
            },
            "no gradient is ever cleared: each step carries those of all before",
            "backward() adds to the .grad that it finds: zero_grad() before each turn.",
        ),
        Mistake(
            "d_never_cleared",
            {"    d_optimizer.zero_grad()\n    d_loss =": "    d_loss =", "    d_optimizer.zero_grad()  #": "    #"},
            "the discriminator's gradients are never cleared",
            "the first step is right, the second is not: what is in the discriminator's .grad when its turn begins?",
        ),
        Mistake(
            "g_never_cleared",
            {"    g_optimizer.zero_grad()\n": ""},
            "the generator's gradients are never cleared",
            "the first step is right, the second is not: what is in the generator's .grad when its turn begins?",
        ),
        Mistake(
            "d_not_cleared",
            {
                "    d_optimizer.zero_grad()\n    d_loss =": "    d_loss =",
                "d_optimizer.step()": "d_optimizer.step()\n    d_optimizer.zero_grad()",
                "    d_optimizer.zero_grad()  #": "    #",
            },
            "what G's turn left in the discriminator is part of its next step",
            "G's backward went through the discriminator and left a gradient towards believing the fakes: clear it "
            "before D's next turn.",
        ),
        Mistake(
            "d_cleared_afterwards",
            {"    d_optimizer.zero_grad()\n    d_loss =": "    d_loss ="},
            "a gradient that lay in the discriminator before the step is part of its update",
            "clear it before D's backward(): at the end alone, the first step takes what others have left there.",
        ),
        Mistake(
            "both_cleared_afterwards",
            {
                "    d_optimizer.zero_grad()\n    d_loss =": "    d_loss =",
                "    g_optimizer.zero_grad()\n": "",
                "g_optimizer.step()": "g_optimizer.step()\n    g_optimizer.zero_grad()",
            },
            "gradients that lay in the networks before the step are part of both updates",
            "clear each player's before its own backward(), not only at the end.",
        ),
        Mistake(
            "d_steps_last",
            {
                "    d_optimizer.step()\n": "",
                "g_optimizer.step()": "g_optimizer.step()\n    d_optimizer.step()",
            },
            "the discriminator moves after G's turn, by the gradients of both losses",
            "g_loss.backward() has added its own to D's: d_optimizer.step() belongs right after d_loss.backward().",
        ),
        Mistake(
            "simultaneous",
            _simultaneous,
            "the generator answers the discriminator of before its update",
            "take the generator's logits, and its loss, after d_optimizer.step().",
        ),
        Mistake(
            "generator_first",
            _generator_first,
            "the generator moves first",
            "the discriminator's turn comes first, on the fakes of the generator as it came in.",
        ),
        Mistake(
            "both_move",
            {
                "g_optimizer.zero_grad()": "g_optimizer.zero_grad(), d_optimizer.zero_grad()",
                "g_optimizer.step()": "g_optimizer.step(), d_optimizer.step()",
            },
            "the discriminator moves in the generator's turn too, down the generator's loss",
            "one turn, one optimizer: d_optimizer.step() belongs to D's turn alone.",
        ),
        Mistake(
            "generator_stands_still",
            {"discriminator(fake))": "discriminator(fake.detach()))"},
            "the generator does not move at all",
            "its gradient comes by way of the fakes: detach them in D's turn alone. Or is g_optimizer.step() missing?",
        ),
        Mistake(
            "saturating",
            {"nonsaturating_generator_loss(": 'OBJECTIVES["minimax"].generator('},
            "the generator minimises −softplus(fake logits), the loss of the minimax game",
            "it saturates where the discriminator is sure: softplus(−fake logits) does not.",
        ),
        Mistake(
            "swapped",
            {"discriminator(real), discriminator(fake.detach())": "discriminator(fake.detach()), discriminator(real)"},
            "real and fake are exchanged in D's loss",
            "softplus(−logit) is small where the logit is high: for which of the two should it be?",
        ),
        Mistake(
            "sigmoid_twice",
            {
                "(real)": "(real).sigmoid()",
                "(fake.detach())": "(fake.detach()).sigmoid()",
                "(fake))": "(fake).sigmoid())",
            },
            "the losses are taken of σ(logit), and put a sigmoid on top of it",
            "softplus and binary_cross_entropy_with_logits hold the sigmoid: hand them the logits.",
        ),
        Mistake(
            "halved",
            {"(fake.detach()))": "(fake.detach())) / 2"},
            "D's loss is one mean over real and fake together, half of what it should be",
            "it is a sum of two means, one over the real images and one over the fakes.",
        ),
        Mistake(
            "summed",
            {"(fake.detach()))": "(fake.detach())) * len(real)", "(fake))": "(fake)) * len(fake)"},
            "the losses are sums over the batch",
            "take means: with sums the step would grow with the batch.",
        ),
        Mistake(
            "left_in_d",
            {"    d_optimizer.zero_grad()  #": "    #"},
            "the gradient that G's turn leaves in the discriminator is still there at the end",
            "both networks move as they should; but who clears what g_loss.backward() wrote into D?",
        ),
        Mistake(
            "exchanged_losses",
            {"d_loss.detach(), g_loss.detach()": "g_loss.detach(), d_loss.detach()"},
            "the losses come back in the other order",
            "return d_loss, g_loss.",
        ),
    ),
    properties=(
        Property(
            "discriminator_moves_once",
            lambda output, *_: bool((output[5] == 1).all()),
            "the discriminator moves once a step, and stands still in the generator's turn",
        ),
    ),
    hints=(
        "Which network's gradients does each backward() fill, and which of them does the next step() use?",
        "D's turn sees discriminator(real) and discriminator(fake.detach()); G's turn discriminator(fake), computed "
        "after d_optimizer.step().",
        "fake = generator(z)\nd_optimizer.zero_grad()\n"
        "d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()\n"
        "d_loss.backward()\nd_optimizer.step()\ng_optimizer.zero_grad()\n"
        "g_loss = F.softplus(-discriminator(fake)).mean()\n…",
    ),
    why="D's gradients end at the pixels: detach saves the way through the generator, and keeps from it what would "
    "lower D's loss. G's gradients must run through D, so they leave something in D as well: a push towards believing "
    "the fakes, which nobody may apply. Fakes made once serve both turns, as the generator moves only at the end.",
)
