"""The learner writes ln p(x) of binary pixels from logits, summed over the pixels and finite for any logit."""

import torch
from torch import Tensor

from course_lib.chapters.ch06_vae_math.exercises.common import bits
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property
from course_lib.vae import likelihoods


def _not_cut(output: Tensor, x: Tensor, logits: Tensor) -> bool:
    """Where logits are in the hundreds, a pixel that goes against them costs as many nats."""
    against = (logits * (1 - 2 * x)).relu().sum(-1)
    return bool((against < 100).all()) or torch.allclose(output, -against, atol=1.0)


ENTRY = Exercise(
    id="vae.bernoulli_log_likelihood",
    reference=likelihoods.bernoulli_log_likelihood,
    data=("x",),
    probes=lambda: [
        Probe((torch.tensor([[1.0, 0.0, 1.0]]).double(), torch.tensor([[800.0, -800.0, -750.0]]).double())),
        Probe((bits(3, 5, seed=1), 2 * random(3, 5, seed=2))),
        Probe((bits(2, 3, 7, seed=3), 2 * random(2, 3, 7, seed=4))),
        Probe((bits(1, 4, seed=5), 2 * random(1, 4, seed=6))),
    ],
    checked="values and gradients for four shapes, logits of ±800 among them.",
    mistakes=(
        Mistake(
            "formula",
            {"x * logits - F.softplus(logits)": "x * logits.sigmoid().log() + (1 - x) * (1 - logits.sigmoid()).log()"},
            "the formula is written down as it stands, with probabilities",
            "σ(800) is exactly 1, so 0 · ln 0 is computed, which is NaN. Which form needs no probability?",
        ),
        Mistake(
            "overflow",
            {"F.softplus(logits)": "(1 + logits.exp()).log()"},
            "ln(1 + eˡ) is computed by way of eˡ",
            "e⁸⁰⁰ is infinite in float64: ln(1 + eˡ) = max(l, 0) + ln(1 + e^−|l|), or F.softplus(l).",
        ),
        Mistake(
            "mean",
            {".sum(-1)": ".mean(-1)"},
            "the mean over the pixels is taken",
            "ln p(x) of independent pixels is a sum: probabilities multiply.",
        ),
        Mistake(
            "sign",
            {"x * logits - F.softplus(logits)": "F.softplus(logits) - x * logits"},
            "the sign is turned round: a cross-entropy comes back",
            "a log probability is never positive.",
        ),
        Mistake(
            "ones_only",
            {"x * logits - F.softplus(logits)": "x * F.logsigmoid(logits)"},
            "the pixels that are 0 are left out",
            "a black pixel that was expected white is a surprise too.",
        ),
        Mistake(
            "flipped",
            {"x * logits": "(1 - x) * logits"},
            "zeros and ones are exchanged",
            "σ(l) is the probability of a one.",
        ),
        Mistake(
            "sigmoid_twice",
            {"x * logits - F.softplus(logits)": "x * logits.sigmoid() - F.softplus(logits.sigmoid())"},
            "a sigmoid is applied twice",
            "F.softplus and the _with_logits functions take logits, not probabilities.",
        ),
        Mistake(
            "batch_too",
            {".sum(-1)": ".sum()"},
            "everything is summed, the examples too",
            "one number an example: the sum runs over the last axis alone.",
        ),
    ),
    properties=(
        Property(
            "cut",
            _not_cut,
            "a pixel that is 1 with a logit of −750 costs 750 nats. A clamp, or an ε inside the logarithm, hides that "
            "the probability has become 0: work with the logits and never form it",
        ),
    ),
    hints=(
        "What is it for one pixel with logit 0? And the sum over two?",
        "x·l − x·ln(1+eˡ) − (1−x)·ln(1+eˡ): two of the three can be put together.",
        "ln(1+eˡ) overflows for l = 800. Take the larger part out: max(l, 0) + ln(1 + e^−|l|), which is F.softplus(l).",
        "(x * logits - F.softplus(logits)).sum(-1)",
    ),
    why="With probabilities in place of logits one needs ln 0 for a pixel that is sure, and clamps that hide it. "
    "x·l − softplus(l) is the same number, finite for any logit and off by less than 3·10⁻⁹ a pixel in float64; its "
    "derivative is x − σ(l).",
)
