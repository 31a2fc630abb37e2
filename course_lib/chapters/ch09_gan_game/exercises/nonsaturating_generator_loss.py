"""The learner writes the generator's non-saturating loss from logits, finite for any of them."""

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import losses

ENTRY = Exercise(
    id="gan.nonsaturating_generator_loss",
    reference=losses.nonsaturating_generator_loss,
    probes=lambda: [
        Probe((2 * random(5, seed=5),)),
        Probe((random(1, seed=6),)),
        Probe((numbers(1e4, -1e4, 0.7, -0.4),)),
    ],
    checked="values and gradients for three batches, logits of ±10,000 among them.",
    mistakes=(
        Mistake(
            "saturating",
            {"F.softplus(-fake_logits)": "-F.softplus(fake_logits)"},
            "ln(1 − D) is minimised, the saturating loss",
            "its pull is D: gone where the discriminator is sure. 1 − D is asked for.",
        ),
        Mistake(
            "sign",
            {"F.softplus": "-F.softplus"},
            "the sign is turned round",
            "the generator minimises: the loss must fall when a fake's logit rises.",
        ),
        Mistake(
            "label",
            {"-fake_logits": "fake_logits"},
            "the fakes get the label 0, as in the discriminator's loss",
            "the generator would like them to be called real: label 1.",
        ),
        Mistake(
            "sigmoid_then_log",
            {"F.softplus(-fake_logits)": "-fake_logits.sigmoid().log()"},
            "the logarithm is taken of a finished sigmoid, or of 1 + eˡ as it stands",
            "σ(−800) is 0 in the computer and e⁸⁰⁰ infinite, just where the generator is bad and needs a gradient: "
            "F.softplus(l) is ln(1 + eˡ) without either.",
        ),
        Mistake(
            "sum",
            {".mean()": ".sum()"},
            "the sum is taken for the mean",
            "with sums the batch size becomes a factor of the learning rate.",
        ),
        Mistake(
            "no_logarithm",
            {"F.softplus(-fake_logits)": "-fake_logits"},
            "the logits are averaged without a logarithm",
            "that is a critic's loss, with the pull 1 on every fake (section 4); here it is 1 − D.",
        ),
        Mistake(
            "probability",
            {"F.softplus(-fake_logits)": "-fake_logits.sigmoid()"},
            "D itself is averaged, without its logarithm",
            "its pull is D(1 − D), which vanishes at both ends; 1 − D is asked for.",
        ),
        Mistake(
            "pull",
            {"F.softplus(-fake_logits)": "(-fake_logits).sigmoid()"},
            "the pull 1 − D itself is averaged",
            "asked for is the loss whose *derivative* by a logit is −(1 − D): integrate.",
        ),
        Mistake(
            "sigmoid_twice",
            {"-fake_logits": "-fake_logits.sigmoid()"},
            "a sigmoid is applied twice",
            "softplus takes the logit itself.",
        ),
    ),
    hints=(
        "For a single fake with logit −5 the derivative should be close to −1, with +5 close to 0. Is it?",
        "What falls with slope 1 and then flattens? The derivative of −ln σ(l) is σ(l) − 1; −ln σ(l) = softplus(−l).",
        "F.softplus(-fake_logits).mean()",
    ),
    why="It is the cross-entropy of the fakes with the label ‘real’. Its gradient by a logit is D − 1: largest where "
    "the discriminator has caught the fake.",
)
