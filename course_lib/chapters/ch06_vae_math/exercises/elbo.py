"""The learner writes the ELBO of each example and its two terms, from one decoded draw."""

from course_lib.chapters.ch06_vae_math.exercises.common import bits, logvars, wide_logvars
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import bounds

ENTRY = Exercise(
    id="vae.elbo",
    reference=bounds.elbo,
    data=("x",),
    probes=lambda: [
        Probe((bits(3, 5, seed=1), random(3, 5, seed=2), random(3, 2, seed=3), logvars(3, 2, seed=4))),
        Probe((bits(2, 7, seed=5), random(2, 7, seed=6), random(2, 4, seed=7), logvars(2, 4, seed=8))),
        Probe((bits(1, 4, seed=9), random(1, 4, seed=10), random(1, 3, seed=11), logvars(1, 3, seed=12))),
        Probe((bits(4, 3, seed=13), 20 * random(4, 3, seed=14), random(4, 2, seed=15), wide_logvars(4, 2, seed=16))),
    ],
    checked="the three numbers of every example and their gradients, for four shapes.",
    outputs=("elbo", "recon", "kl"),
    mistakes=(
        Mistake(
            "plus_kl",
            {"return recon - kl": "return recon + kl"},
            "the KL is added",
            "the KL is what the bound pays for using q: it makes it lower.",
        ),
        Mistake(
            "loss",
            {"return recon - kl": "return kl - recon"},
            "the negative ELBO comes back, the loss",
            "the bound itself is asked for; a training step may turn the sign.",
        ),
        Mistake(
            "order",
            {"return recon - kl, recon, kl": "return recon - kl, kl, recon"},
            "kl comes before recon",
            "the order asked for is (elbo, recon, kl).",
        ),
        Mistake(
            "recon_mean",
            {"bernoulli_log_likelihood(x, logits)": "bernoulli_log_likelihood(x, logits) / x.shape[-1]"},
            "recon is a mean over the pixels",
            "a mean for one term and a sum for the other is another objective, with a β that nobody chose.",
        ),
        Mistake(
            "kl_mean",
            {"kl_to_standard_normal(mu, logvar)": "kl_to_standard_normal(mu, logvar) / mu.shape[-1]"},
            "the kl is a mean over the latents",
            "sum over the latents, as the derivation has it.",
        ),
        Mistake(
            "both_means",
            {
                "bernoulli_log_likelihood(x, logits)": "bernoulli_log_likelihood(x, logits) / x.shape[-1]",
                "kl_to_standard_normal(mu, logvar)": "kl_to_standard_normal(mu, logvar) / mu.shape[-1]",
            },
            "both terms are means",
            "what does that do to their ratio, when there are more pixels than latents?",
        ),
        Mistake(
            "missing_half",
            {"kl_to_standard_normal(mu, logvar)": "2 * kl_to_standard_normal(mu, logvar)"},
            "the kl lacks its ½",
            "take it from kl_to_standard_normal.",
        ),
        Mistake(
            "batch_mean",
            {"recon - kl, recon, kl": "(recon - kl).mean(), recon.mean(), kl.mean()"},
            "the batch is averaged",
            "one number an example is asked for; the loss averages later.",
        ),
    ),
    hints=(
        "ELBO = how well z explains x, minus how far q is from the prior.",
        "Both parts have functions in this chapter; each gives (batch,).",
        "recon = bernoulli_log_likelihood(x, logits); kl = kl_to_standard_normal(mu, logvar); and their difference",
    ),
    why="Parts come back under their own names and unweighted, so that a curve called kl is a KL. The average over "
    "draws of z is the expectation in the bound; one draw an example is enough for training.",
)
