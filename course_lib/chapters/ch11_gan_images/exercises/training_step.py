"""The exercise training_step."""

from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.classroom.exercises.probes import numbers, random
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


def _two_steps(
    step: Callable, g_weight: Tensor, d_weight: Tensor, g_rate: float, d_rate: float, real: Tensor, z: Tensor
) -> Any:
    """Take two steps on small networks, real (2, batch, ...) and z (2, batch, latent); return what they changed.

    The second step shows gradients that the first one left behind. The optimizer of the discriminator counts its
    moves. New tensors are float64 meanwhile: a target made by torch.ones(n) is as right here as in the notebook.
    """
    generator, discriminator = _Generator(g_weight, real.shape[2:]), _Discriminator(d_weight)
    g_optimizer = torch.optim.SGD(generator.parameters(), g_rate)
    d_optimizer = torch.optim.SGD(discriminator.parameters(), d_rate, momentum=0.6)
    moves = []
    d_optimizer.register_step_post_hook(lambda *_: moves.append(1))
    says, d_losses, g_losses, d_weights, g_weights, counts = PAIR, [], [], [], [], []
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for images, noise in zip(real.detach(), z.detach(), strict=True):
            moves.clear()
            result = step(generator, discriminator, g_optimizer, d_optimizer, images, noise)
            if result is None:
                return None
            said, d_loss, g_loss = _two_losses(result)
            says = said if says == PAIR else says
            d_losses.append(d_loss)
            g_losses.append(g_loss)
            d_weights.append(discriminator.weight.detach().clone())
            g_weights.append(generator.weight.detach().clone())
            counts.append(len(moves))
    finally:
        torch.set_default_dtype(usual)
    return says, numbers(*d_losses), numbers(*g_losses), *map(torch.stack, (d_weights, g_weights)), numbers(*counts)


def _step(
    d_loss_of: Callable = losses.discriminator_loss,
    g_loss_of: Callable = losses.nonsaturating_generator_loss,
    clear_d: str = "before",
    clear_g: str = "before",
    cut_off: str = "in D's turn",
    both_move: bool = False,
    gives: Callable = lambda d_loss, g_loss: (d_loss, g_loss),
) -> Callable:
    """Make a step with one thing wrong; a network is cleared before its turn, early, after D's turn or never."""

    def mistaken(generator, discriminator, g_optimizer, d_optimizer, real, z):
        def clear(now: str) -> None:
            for optimizer, when in ((d_optimizer, clear_d), (g_optimizer, clear_g)):
                if when == now:
                    optimizer.zero_grad()

        fake = generator(z)
        clear("early")
        if clear_d == "before":
            d_optimizer.zero_grad()
        d_loss = d_loss_of(discriminator(real), discriminator(fake if cut_off == "never" else fake.detach()))
        d_loss.backward(retain_graph=True)
        d_optimizer.step()
        clear("after D's turn")
        if clear_g == "before":
            g_optimizer.zero_grad()
        if both_move:
            d_optimizer.zero_grad()
        g_loss = g_loss_of(discriminator(fake.detach() if cut_off == "always" else fake))
        g_loss.backward()
        g_optimizer.step()
        if both_move:
            d_optimizer.step()
        return gives(d_loss, g_loss)

    return mistaken


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


def _with_sigmoid(loss: Callable) -> Callable:
    """Return the loss of probabilities in place of logits."""
    return lambda *logits: loss(*(each.sigmoid() for each in logits))


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
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (1, 3), z (1, 2), two steps in a row",
        ),
    ],
    checked="both losses and both networks after each of two steps in a row, on vectors, images and a batch of one.",
    outputs=(
        "what comes back",
        "d_loss of the two steps",
        "g_loss of the two steps",
        "the discriminator's weights after each step",
        "the generator's weights after each step",
        "how often the discriminator moved in each step",
    ),
    gradients=False,
    mistakes=(
        Mistake(
            "no_detach",
            _step(cut_off="never", clear_g="early"),
            "the generator moves by the gradients of both losses, D's among them",
            "D's loss ran through the fakes into the generator, whose gradients were not cleared after that: "
            "fake.detach() in D's turn, and clear G's gradients right before its own.",
        ),
        Mistake(
            "not_cleared",
            _step(clear_d="never", clear_g="never"),
            "no gradient is ever cleared: each step carries those of all before",
            "backward() adds to the .grad that it finds: zero_grad() before each turn.",
        ),
        Mistake(
            "d_never_cleared",
            _step(clear_d="never"),
            "the discriminator's gradients are never cleared",
            "the first step is right, the second is not: what is in the discriminator's .grad when its turn begins?",
        ),
        Mistake(
            "g_never_cleared",
            _step(clear_g="never"),
            "the generator's gradients are never cleared",
            "the first step is right, the second is not: what is in the generator's .grad when its turn begins?",
        ),
        Mistake(
            "d_not_cleared",
            _step(clear_d="after D's turn"),
            "what G's turn left in the discriminator is part of its next step",
            "G's backward went through the discriminator and left a gradient towards believing the fakes: clear it "
            "before D's next turn.",
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
            _step(both_move=True),
            "the discriminator moves in the generator's turn too, down the generator's loss",
            "one turn, one optimizer: d_optimizer.step() belongs to D's turn alone.",
        ),
        Mistake(
            "generator_stands_still",
            _step(cut_off="always"),
            "the generator does not move at all",
            "its gradient comes by way of the fakes: detach them in D's turn alone. Or is g_optimizer.step() missing?",
        ),
        Mistake(
            "saturating",
            _step(g_loss_of=losses.minimax_generator_loss),
            "the generator minimises −softplus(fake logits), the loss of the minimax game",
            "it saturates where the discriminator is sure: softplus(−fake logits) does not.",
        ),
        Mistake(
            "swapped",
            _step(d_loss_of=lambda real, fake: losses.discriminator_loss(fake, real)),
            "real and fake are exchanged in D's loss",
            "softplus(−logit) is small where the logit is high: for which of the two should it be?",
        ),
        Mistake(
            "sigmoid_twice",
            _step(_with_sigmoid(losses.discriminator_loss), _with_sigmoid(losses.nonsaturating_generator_loss)),
            "the losses are taken of σ(logit), and put a sigmoid on top of it",
            "softplus and binary_cross_entropy_with_logits hold the sigmoid: hand them the logits.",
        ),
        Mistake(
            "halved",
            _step(d_loss_of=lambda real, fake: losses.discriminator_loss(real, fake) / 2),
            "D's loss is one mean over real and fake together, half of what it should be",
            "it is a sum of two means, one over the real images and one over the fakes.",
        ),
        Mistake(
            "summed",
            _step(
                d_loss_of=lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(),
                g_loss_of=lambda fake: F.softplus(-fake).sum(),
            ),
            "the losses are sums over the batch",
            "take means: with sums the step would grow with the batch.",
        ),
        Mistake(
            "exchanged_losses",
            _step(gives=lambda d_loss, g_loss: (g_loss, d_loss)),
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
