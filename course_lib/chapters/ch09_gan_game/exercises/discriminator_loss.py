"""The learner writes the discriminator's loss from logits, finite for any of them."""

import torch
from torch.nn import functional as F

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import losses

ENTRY = Exercise(
    id="gan.discriminator_loss",
    reference=losses.discriminator_loss,
    probes=lambda: [
        Probe((2 * random(5, seed=1), 2 * random(3, seed=2))),
        Probe((random(1, seed=3), random(4, seed=4))),
        Probe((numbers(1e4, -1e4, 0.7), numbers(-300, 1e4, 0.4, -0.9, 1.6))),
    ],
    checked="values and gradients for three pairs of batches, logits of ±10,000 among them.",
    mistakes=(
        Mistake(
            "sigmoid_then_log",
            {
                "F.softplus(-real_logits)": "-real_logits.sigmoid().log()",
                "F.softplus(fake_logits)": "-(1 - fake_logits.sigmoid()).log()",
            },
            "the logarithm is taken of a finished sigmoid, or of 1 + eˡ as it stands",
            "σ(−800) is 0 in the computer and e⁸⁰⁰ infinite: F.softplus(l) is ln(1 + eˡ) without either.",
        ),
        Mistake(
            "capped",
            lambda real_logits, fake_logits: (
                F.binary_cross_entropy(real_logits.sigmoid(), torch.ones_like(real_logits))
                + F.binary_cross_entropy(fake_logits.sigmoid(), torch.zeros_like(fake_logits))
            ),
            "F.binary_cross_entropy gets a finished sigmoid",
            "it cuts the logarithm off at −100; F.binary_cross_entropy_with_logits takes the logit and cuts nothing.",
        ),
        Mistake(
            "epsilon",
            {
                "F.softplus(-real_logits)": "-(real_logits.sigmoid() + 1e-8).log()",
                "F.softplus(fake_logits)": "-(1 - fake_logits.sigmoid() + 1e-8).log()",
            },
            "1e-8 is added inside the logarithm of a finished sigmoid",
            "finite, but cut off at ln 1e-8 = −18, and without a gradient beyond: stay with the logits.",
        ),
        Mistake(
            "swapped",
            {"(-real_logits)": "(real_logits)", "(fake_logits)": "(-fake_logits)"},
            "the labels are exchanged: real is called fake",
            "which sign should the gradient have on a real logit? The loss must fall when it rises.",
        ),
        Mistake(
            "sign",
            {"return F": "return -F", "+ F": "- F"},
            "the sign is turned round: the game's value",
            "the discriminator *minimises* what comes back; a cross-entropy is positive.",
        ),
        Mistake(
            "both_real",
            {"softplus(fake_logits)": "softplus(-fake_logits)"},
            "the fakes too get the label 1",
            "that is what the generator would like; the discriminator's loss must fall when a fake's logit falls.",
        ),
        Mistake(
            "sum",
            {"(-real_logits).mean": "(-real_logits).sum", "(fake_logits).mean": "(fake_logits).sum"},
            "sums are taken for the means",
            "with sums the batch size becomes a factor of the learning rate.",
        ),
        Mistake(
            "half",
            {"return F": "return 0.5 * F", "+ F": "+ 0.5 * F"},
            "the two terms are averaged",
            "the game adds them: at D = ½ the loss is ln 4, not ln 2.",
        ),
        Mistake(
            "pooled",
            lambda real, fake: F.softplus(torch.cat([-real, fake])).mean(),
            "one mean is taken over real and fake together",
            "each expectation has its own batch, and batches may differ in size.",
        ),
        Mistake(
            "pooled_twice",
            lambda real, fake: 2 * F.softplus(torch.cat([-real, fake])).mean(),
            "one mean is taken over real and fake together, and doubled",
            "that is the same only for batches of one size: take two means.",
        ),
        Mistake(
            "real_only",
            {" + F.softplus(fake_logits).mean()": ""},
            "the fakes are left out",
            "then D = 1 everywhere is perfect.",
        ),
        Mistake(
            "sigmoid_twice",
            {"-real_logits": "-real_logits.sigmoid()", "(fake_logits)": "(fake_logits.sigmoid())"},
            "a sigmoid is applied twice",
            "softplus and the _with_logits functions take the logit itself.",
        ),
    ),
    hints=(
        "What must it be for logits of 0? And what happens to yours at 10,000?",
        "F.softplus(l) = ln(1 + eˡ), without overflow; −ln σ(l) = softplus(−l).",
        "F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()",
    ),
    why="It is a cross-entropy with label 1 for real and 0 for fake. From logits it is exact at any size, and its "
    "gradient is D − 1 on real and D on fake: never infinite.",
)
