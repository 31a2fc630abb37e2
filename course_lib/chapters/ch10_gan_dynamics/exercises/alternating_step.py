"""The learner writes one step of the Dirac-GAN in turn: the discriminator, then the generator."""

import torch

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import dirac as games


def _unrolled(theta, psi, rate_g, rate_d, gamma):
    """The generator's gradient goes through the discriminator's step."""
    belief = (psi * theta).sigmoid()
    new_psi = psi - rate_d * (theta * belief + gamma * psi)
    moved = -rate_d * (belief + theta * psi * belief * (1 - belief))  # ∂ new_psi/∂ theta
    return theta + rate_g * torch.sigmoid(-new_psi * theta) * (new_psi + theta * moved), new_psi


def _linearised(theta, psi, rate_g, rate_d, gamma):
    """One step of the matrices: σ taken as ½, as it is at the end of the game."""
    psi = psi - rate_d * (theta / 2 + gamma * psi)
    return theta + rate_g * psi / 2, psi


def _generator_first(theta, psi, rate_g, rate_d, gamma):
    theta = theta + rate_g * psi * torch.sigmoid(-psi * theta)
    return theta, psi - rate_d * (theta * torch.sigmoid(psi * theta) + gamma * psi)


ENTRY = Exercise(
    id="gan.alternating_step",
    reference=games.alternating_step,
    probes=lambda: [
        Probe((numbers(3.1, -2.9, 1.7), numbers(2.2, 3.4, -4.2), 0.3, 0.7, 0.45)),
        Probe((random(2, 5, seed=3), random(2, 5, seed=4), 0.9, 0.2, 0.0)),
        Probe((random(1, seed=5), random(1, seed=6), 0.15, 0.5, 1.2)),
        Probe((random(seed=7), random(seed=8), 0.4, 0.6, 0.8)),
    ],
    checked="both players for four shapes, single numbers among them, rates that differ, with the penalty and without.",
    outputs=("theta", "psi"),
    mistakes=(
        Mistake(
            "simultaneous",
            {"psi = psi -": "new = psi -", "(-psi * theta), psi": "(-psi * theta), new"},
            "the generator answers the old ψ: a simultaneous step",
            "which ψ does the generator meet when its turn comes?",
        ),
        Mistake(
            "generator_first",
            _generator_first,
            "the generator moves first",
            "the discriminator's turn comes first, at the old θ.",
        ),
        Mistake(
            "linearised",
            _linearised,
            "σ is ½ everywhere: the step near the end of the game",
            "the losses are softplus(ψθ) and softplus(−ψθ), here at any θ and ψ.",
        ),
        Mistake(
            "rates_exchanged",
            {"psi - rate_d *": "psi - rate_g *", "theta + rate_g *": "theta + rate_d *"},
            "each player has the other's rate",
            "rate_d moves ψ, rate_g moves θ.",
        ),
        Mistake(
            "penalty_without_rate",
            {" + gamma * psi)": ") - gamma * psi"},
            "the penalty's derivative comes without the rate",
            "the whole gradient is multiplied by rate_d, γψ as well.",
        ),
        Mistake(
            "no_penalty",
            {" + gamma * psi": ""},
            "the penalty is left out",
            "½γψ² has a derivative too.",
        ),
        Mistake(
            "half_penalty",
            {"gamma * psi": "0.5 * gamma * psi"},
            "the penalty's derivative is taken as ½γψ",
            "the ½ cancels against the exponent.",
        ),
        Mistake(
            "penalty_feeds",
            {"+ gamma * psi": "- gamma * psi"},
            "the penalty drives ψ away from 0",
            "downhill on ½γψ² leads to ψ = 0.",
        ),
        Mistake(
            "ascends",
            {"(theta * torch": "(-theta * torch"},
            "the discriminator climbs its loss",
            "both losses are minimised, each by its own player.",
        ),
        Mistake(
            "saturating",
            {"sigmoid(-psi": "sigmoid(psi"},
            "the generator descends −softplus(ψθ), the saturating loss",
            "the derivative of softplus(−ψθ) by θ is −ψ σ(−ψθ).",
        ),
        Mistake(
            "unrolled",
            _unrolled,
            "the generator's gradient goes through the discriminator's step as well: the unrolled game",
            "for the generator the new ψ is a number that it cannot change: .detach() it.",
        ),
    ),
    gradients=False,
    hints=(
        "Two lines, and the second uses what the first has made.",
        "∂/∂ψ of the discriminator's loss: θ σ(ψθ) + γψ. ∂/∂θ of the generator's: −ψ σ(−ψθ).",
        "psi = psi - rate_d * (theta * torch.sigmoid(psi * theta) + gamma * psi)\n"
        "theta = theta + rate_g * psi * torch.sigmoid(-psi * theta)\nreturn theta, psi",
    ),
    why="Near 0 the two turns are two shears, [[1, 0], [−hs, 1]] and [[1, hs], [0, 1]]; each keeps areas, so their "
    "product has determinant 1. A simultaneous step has determinant 1 + h²s². Taking turns decides.",
)
