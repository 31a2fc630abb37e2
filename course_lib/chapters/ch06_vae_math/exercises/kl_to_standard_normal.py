"""The learner writes KL(N(mu, exp(logvar)) ‖ N(0, 1)), summed over the latents."""

from course_lib.chapters.ch06_vae_math.exercises.common import logvars, wide_logvars
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences

ENTRY = Exercise(
    id="vae.kl_to_standard_normal",
    reference=divergences.kl_to_standard_normal,
    probes=lambda: [
        Probe((random(3, 4, seed=1), logvars(3, 4, seed=2))),
        Probe((random(2, 3, 5, seed=3), logvars(2, 3, 5, seed=4))),
        Probe((random(1, 7, seed=5), logvars(1, 7, seed=6))),
        Probe((random(2, 4, seed=7), wide_logvars(2, 4, seed=8))),
    ],
    checked="values and gradients for four shapes, a batch of one and variances from e⁻¹⁴ to e¹² among them.",
    mistakes=(
        Mistake(
            "missing_half",
            {"0.5 * ": ""},
            "the ½ is missing",
            "where does the ½ of the Gaussian's exponent go?",
        ),
        Mistake(
            "variance",
            {"torch.expm1(logvar) - logvar": "logvar - 1 - logvar.log()"},
            "logvar is taken for the variance itself",
            "the variance is exp(logvar), and ln σ² is logvar as it stands.",
        ),
        Mistake(
            "log_std",
            {"torch.expm1(logvar) - logvar": "torch.expm1(2 * logvar) - 2 * logvar"},
            "logvar is taken for the logarithm of σ",
            "it is ln σ², which is 2 ln σ already.",
        ),
        Mistake(
            "std",
            {"torch.expm1(logvar)": "torch.expm1(logvar / 2)"},
            "σ stands where σ² belongs",
            "E[z²] = μ² + σ²: the variance enters, not its root.",
        ),
        Mistake(
            "mean",
            {".sum(-1)": ".mean(-1)"},
            "the mean over the latents is taken",
            "the KL of independent coordinates is the sum of theirs; a mean changes what is optimised.",
        ),
        Mistake(
            "no_one",
            {"torch.expm1(logvar) - logvar": "logvar.exp() - logvar"},
            "the −1 is missing",
            "E[ε²] = 1: at the prior itself, mu = 0 and logvar = 0, the KL must be 0.",
        ),
        Mistake(
            "log_of_std",
            {"torch.expm1(logvar) - logvar": "torch.expm1(logvar) - logvar / 2"},
            "ln σ stands where ln σ² belongs",
            "with the ½ in front of everything, −ln σ becomes −ln σ² inside: logvar as it stands.",
        ),
        Mistake(
            "sign",
            {"0.5 * ": "-0.5 * "},
            "the sign is turned round",
            "can a KL be negative? Try mu = 1, logvar = 0.",
        ),
        Mistake(
            "reverse",
            {"mu**2 + torch.expm1(logvar) - logvar": "(1 + mu**2) * (-logvar).exp() - 1 + logvar"},
            "the KL is taken the other way round, KL(prior ‖ q)",
            "the expectation runs over q: its draws are what the decoder sees.",
        ),
        Mistake(
            "not_summed",
            {".sum(-1)": ""},
            "nothing is summed",
            "one number an example is asked for: .sum(-1).",
        ),
    ),
    hints=(
        "Try it at the prior itself, mu = 0 and logvar = 0: what must come out?",
        "ln σ² needs no logarithm here: it is logvar.",
        "0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)",
    ),
    why="Three terms, three jobs: μ² pulls the mean to 0, σ² − ln σ² is smallest at σ = 1, and −1 makes the whole 0 at "
    "the prior. The library writes expm1(logvar) for σ² − 1, which keeps more digits where σ² is close to 1.",
)
