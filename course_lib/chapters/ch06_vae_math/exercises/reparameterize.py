"""The learner writes a draw from N(mu, exp(logvar)) as a function of the noise, so that it has gradients."""

from course_lib.chapters.ch06_vae_math.exercises.common import logvars, wide_logvars
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property
from course_lib.vae import bounds

ENTRY = Exercise(
    id="vae.reparameterize",
    reference=bounds.reparameterize,
    probes=lambda: [
        Probe((random(3, 4, seed=1), logvars(3, 4, seed=2), random(3, 4, seed=3))),
        Probe((random(2, 5, seed=4), logvars(2, 5, seed=5), random(6, 2, 5, seed=6))),
        Probe((random(1, 3, seed=7), logvars(1, 3, seed=8), random(1, 3, seed=9))),
        Probe((random(3, 2, seed=10), wide_logvars(3, 2, seed=11), random(3, 2, seed=12))),
    ],
    checked="values, and gradients to mu, logvar and eps, for one and for several draws an example, and for variances "
    "from e⁻¹⁴ to e¹².",
    mistakes=(
        Mistake(
            "variance_for_std",
            {"(0.5 * logvar).exp()": "logvar.exp()"},
            "eps is stretched by the variance",
            "σ · eps has variance σ²: stretch by σ.",
        ),
        Mistake(
            "logvar_is_variance",
            {"(0.5 * logvar).exp()": "logvar.sqrt()"},
            "logvar is taken for the variance",
            "the encoder gives ln σ², so that any real number is allowed.",
        ),
        Mistake(
            "logvar_is_std",
            {"(0.5 * logvar).exp()": "logvar"},
            "eps is multiplied by logvar itself",
            "σ = exp(½ ln σ²).",
        ),
        Mistake(
            "shared",
            {".exp() * eps": ".exp() * eps[..., :1, :]"},
            "all examples share the first one's eps",
            "examples must be independent draws: each row has its own eps.",
        ),
        Mistake(
            "first_draw",
            {".exp() * eps": ".exp() * eps[:1]"},
            "all draws are made from the first along the first axis, eps[:1]",
            "eps has its own numbers for every draw and every example: use it as it came.",
        ),
        Mistake(
            "no_gradient",
            {"mu + (0.5 * logvar).exp() * eps": "(mu + (0.5 * logvar).exp() * eps).detach()"},
            "the draw is cut off from mu and logvar (.detach(), .data or no_grad)",
            "then the encoder never hears of the reconstruction; eps is the only thing without a gradient.",
        ),
        Mistake(
            "mean_only",
            {"mu + (0.5 * logvar).exp() * eps": "mu.expand(eps.shape)"},
            "z is the mean, without chance",
            "the bound averages over draws from q; without eps the decoder never meets σ.",
        ),
    ),
    properties=(
        Property(
            "eps_unused",
            lambda z, mu, logvar, eps: bool(((z - mu) * eps >= 0).all()),
            "z lies above mu where eps is positive and below where it is negative. Was eps used, and added to mu? A "
            "sampler such as randn_like or rsample draws noise of its own",
        ),
    ),
    hints=(
        "What are mean and variance of a + b · eps, if eps has 0 and 1?",
        "(0.5 * logvar).exp() is σ.",
        "mu + (0.5 * logvar).exp() * eps",
    ),
    why="The draw is a smooth function of mu and logvar for a fixed eps, so its derivative is an ordinary one: "
    "∂z/∂mu = 1, ∂z/∂logvar = ½ σ eps. Drawing with a sampler hides that function from autograd.",
)
