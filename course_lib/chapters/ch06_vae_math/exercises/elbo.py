"""The exercise elbo."""

from course_lib.chapters.ch06_vae_math.exercises.common import bits, kl_terms, logvars, nats
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import bounds


def _elbo(sign=-1.0, recon=1.0, kl=1.0, total=1.0):
    """A wrong ELBO: factors of its parts as functions of the sizes where they are callable."""

    def mistaken(x, logits, mu, logvar):
        r = nats(x, logits).sum(-1) * (recon(x) if callable(recon) else recon)
        k = kl_terms(mu, logvar.exp(), logvar).sum(-1) * (kl(mu) if callable(kl) else kl)
        value = total * (r + sign * k)
        return value, r, k

    return mistaken


ENTRY = Exercise(
    id="vae.elbo",
    reference=bounds.elbo,
    probes=lambda: [
        Probe((bits(3, 5, seed=1), random(3, 5, seed=2), random(3, 2, seed=3), logvars(3, 2, seed=4))),
        Probe((bits(2, 7, seed=5), random(2, 7, seed=6), random(2, 4, seed=7), logvars(2, 4, seed=8))),
        Probe((bits(1, 4, seed=9), random(1, 4, seed=10), random(1, 3, seed=11), logvars(1, 3, seed=12))),
    ],
    checked="the three numbers of every example and their gradients, for three shapes.",
    outputs=("elbo", "recon", "kl"),
    mistakes=(
        Mistake(
            "plus_kl",
            _elbo(sign=1.0),
            "the KL is added",
            "the KL is what the bound pays for using q: it makes it lower.",
        ),
        Mistake(
            "loss",
            _elbo(total=-1.0),
            "the negative ELBO comes back, the loss",
            "the bound itself is asked for; a training step may turn the sign.",
        ),
        Mistake(
            "recon_mean",
            _elbo(recon=lambda x: 1 / x.shape[-1]),
            "recon is a mean over the pixels",
            "a mean for one term and a sum for the other is another objective, with a β that nobody chose.",
        ),
        Mistake(
            "kl_mean",
            _elbo(kl=lambda mu: 1 / mu.shape[-1]),
            "the kl is a mean over the latents",
            "sum over the latents, as the derivation has it.",
        ),
        Mistake(
            "both_means",
            _elbo(recon=lambda x: 1 / x.shape[-1], kl=lambda mu: 1 / mu.shape[-1]),
            "both terms are means",
            "what does that do to their ratio, when there are more pixels than latents?",
        ),
        Mistake(
            "missing_half",
            _elbo(kl=2.0),
            "the kl lacks its ½",
            "take it from kl_to_standard_normal.",
        ),
        Mistake(
            "batch_mean",
            lambda x, logits, mu, logvar: tuple(part.mean() for part in bounds.elbo(x, logits, mu, logvar)),
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
