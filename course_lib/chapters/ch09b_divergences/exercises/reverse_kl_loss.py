"""The learner derives a conjugate and makes a discriminator's loss of it."""

import torch
from torch import Tensor

from course_lib.chapters.ch09b_divergences.reverse_kl import reverse_kl_loss
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _forward(real_outputs: Tensor, fake_outputs: Tensor) -> Tensor:
    return (fake_outputs - 1).exp().mean() - real_outputs.mean()


ENTRY = Exercise(
    id="gan.reverse_kl_loss",
    reference=reverse_kl_loss,
    probes=lambda: [
        Probe((2 * random(5, seed=1), 2 * random(3, seed=2))),
        Probe((random(1, seed=3), random(4, seed=4))),
        Probe((random(6, seed=5) - 1, random(2, seed=6) + 2)),
    ],
    checked="values and gradients for three pairs of batches.",
    mistakes=(
        Mistake(
            "swapped",
            lambda real_outputs, fake_outputs: torch.exp(-fake_outputs).mean() + real_outputs.mean() - 1,
            "real and fake are exchanged",
            "f(p/q) is averaged under q, so T stands under p and f* under q.",
        ),
        Mistake(
            "sign",
            {"return torch": "return -torch", "+ fake": "- fake", "- 1": "+ 1"},
            "the bound itself comes back, not its negative",
            "the bound is to rise, and a loss is to fall.",
        ),
        Mistake(
            "no_constant",
            {" - 1": ""},
            "the constant −1 of the conjugate is left out",
            "training would be the same; but the loss is to be read as −KL(q‖p).",
        ),
        Mistake(
            "plus_one",
            {" - 1": " + 1"},
            "the conjugate is 1 − ln(−t)",
            "put the best u back in: ut − f(u) at u = −1/t has the part ut = −1.",
        ),
        Mistake(
            "forward",
            _forward,
            "the loss belongs to KL(p‖q): f(u) = u ln u, f*(t) = exp(t − 1), T = v",
            "here f(u) = −ln u.",
        ),
        Mistake(
            "sum",
            lambda real_outputs, fake_outputs: torch.exp(-real_outputs).sum() + fake_outputs.sum() - 1,
            "sums are taken for the means",
            "an expectation over a batch is its mean.",
        ),
        Mistake(
            "raw",
            lambda real_outputs, fake_outputs: fake_outputs.mean() - 1 - real_outputs.mean(),
            "T = v is put in for the reals, T = −e⁻ᵛ for the fakes",
            "one and the same T stands in both expectations.",
        ),
        Mistake(
            "conjugate_sign",
            lambda real_outputs, fake_outputs: torch.exp(-real_outputs).mean() - fake_outputs.mean() + 1,
            "the conjugate has the other sign",
            "the bound is E_p[T] − E_q[f*(T)], and the loss its negative: E_q[f*(T)] − E_p[T].",
        ),
        Mistake(
            "bend_sign",
            {"exp(-real_outputs)": "exp(real_outputs)", "+ fake_outputs": "- fake_outputs"},
            "T = −e⁺ᵛ is put in",
            "T = −e⁻ᵛ: then f*(T) = −1 − ln(e⁻ᵛ), and the best v is ln p/q.",
        ),
    ),
    hints=(
        "The conjugate first: for t < 0 the best u in ut + ln u is where its derivative is 0.",
        "u = −1/t, so f*(t) = −1 − ln(−t). At t = −e⁻ᵛ that is v − 1.",
        "The loss is E_q[f*(T)] − E_p[T].",
    ),
    why="For t ≥ 0 the conjugate of −ln u is infinite, so the network's output must be bent below 0 first: −e⁻ᵛ does "
    "it, and the best v is then ln p/q, as for the logarithmic loss.",
)
