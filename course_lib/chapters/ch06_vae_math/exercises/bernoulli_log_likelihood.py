"""The learner writes ln p(x) of binary pixels from logits, summed over the pixels and finite for any logit."""

import torch

from course_lib.chapters.ch06_vae_math.exercises.common import bits
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import likelihoods

ENTRY = Exercise(
    id="vae.bernoulli_log_likelihood",
    reference=likelihoods.bernoulli_log_likelihood,
    data=("x",),
    probes=lambda: [
        Probe((bits(3, 5, seed=1), 2 * random(3, 5, seed=2))),
        Probe((bits(2, 3, 7, seed=3), 2 * random(2, 3, 7, seed=4))),
        Probe((bits(1, 4, seed=5), 2 * random(1, 4, seed=6))),
        Probe((torch.tensor([[1.0, 0.0, 1.0]]).double(), torch.tensor([[800.0, -800.0, -750.0]]).double())),
    ],
    checked="values and gradients for four shapes, logits of ±800 among them.",
    mistakes=(
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
    hints=(
        "What is it for one pixel with logit 0? And the sum over two?",
        "x·l − x·ln(1+eˡ) − (1−x)·ln(1+eˡ): two of the three can be put together.",
        "(x * logits - F.softplus(logits)).sum(-1)",
    ),
    why="With probabilities in place of logits one needs ln 0 for a pixel that is sure, and clamps that hide it. "
    "x·l − softplus(l) is the same number, exact for any logit, and its derivative is simply x − σ(l).",
)
