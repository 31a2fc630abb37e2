"""The learner writes a VAE's loss of one batch: what is summed, what is averaged, and where β stands."""

import torch
from torch import Tensor

from course_lib.chapters.ch07_vae_training import loss
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _bits(*shape: int, seed: int) -> Tensor:
    """Return zeros and ones with some of both."""
    bits = (random(*shape, seed=seed) > 0).double()
    bits.view(-1)[:2] = torch.tensor([1.0, 0.0]).double()
    return bits


def _probe(batch: int, pixels: int, latent: int, *beta: float, seed: int) -> Probe:
    logits, mu = 2 * random(batch, pixels, seed=seed), random(batch, latent, seed=seed + 1)
    logvar = 0.7 * random(batch, latent, seed=seed + 2) - 0.4
    return Probe((_bits(batch, pixels, seed=seed + 3), logits, mu, logvar, *beta))


ENTRY = Exercise(
    id="vae.batch_loss",
    reference=loss.batch_loss,
    data=("x",),
    probes=lambda: [
        _probe(3, 5, 2, seed=1),
        _probe(2, 7, 4, 0.3, seed=5),
        _probe(4, 3, 2, 2.5, seed=9),
        _probe(1, 6, 3, 1.7, seed=13),
        _probe(5, 4, 7, 1.0, seed=17),
    ],
    checked="three numbers and their gradients for five batches, with other β and a batch of one among them.",
    outputs=("loss", "recon", "kl"),
    mistakes=(
        Mistake(
            "article",
            {"elbo(x, logits, mu, logvar)\n": "elbo(x, logits, mu, logvar)\n"
             "    recon, kl = recon / x.shape[-1], kl / mu.shape[-1]\n"},
            "both terms are means over all that they have, as the article has them",
            "what does that do to their ratio, when there are more pixels than latents?",
        ),
        Mistake(
            "pixel_mean",
            {"elbo(x, logits, mu, logvar)\n": "elbo(x, logits, mu, logvar)\n    recon = recon / x.shape[-1]\n"},
            "recon is a mean over the pixels",
            "an image's probability is the product over its pixels: its logarithm is a sum.",
        ),
        Mistake(
            "latent_mean",
            {"elbo(x, logits, mu, logvar)\n": "elbo(x, logits, mu, logvar)\n    kl = kl / mu.shape[-1]\n"},
            "the kl is a mean over the latents",
            "the latents are independent under q and under p: their KLs add up.",
        ),
        Mistake(
            "batch_sum",
            {"(beta * kl - recon).mean(), recon.mean(), kl.mean()": "(beta * kl - recon).sum(), recon.sum(), kl.sum()"},
            "the images of the batch are summed",
            "with a sum the step would grow with the batch: nats an image are asked for.",
        ),
        Mistake(
            "sign",
            {"beta * kl - recon": "recon - beta * kl"},
            "the loss is the bound itself, which training would make as small as it can",
            "an optimizer goes down: which of the two terms should become small?",
        ),
        Mistake(
            "both_added",
            {"beta * kl - recon": "beta * kl + recon"},
            "recon is added to the loss",
            "recon is a log-likelihood, the higher the better.",
        ),
        Mistake(
            "beta_on_recon",
            {"beta * kl - recon": "kl - beta * recon"},
            "β weighs recon",
            "β is the price of a nat of KL.",
        ),
        Mistake(
            "no_beta",
            {"beta * kl - recon": "kl - recon"},
            "β is not used",
            "with β = 1 it is right: where does another β go?",
        ),
        Mistake(
            "weighted_kl",
            {"recon.mean(), kl.mean()": "recon.mean(), (beta * kl).mean()"},
            "the kl that is logged is weighted by β",
            "a curve called kl should be a KL: β belongs to the loss alone.",
        ),
        Mistake(
            "missing_half",
            {"elbo(x, logits, mu, logvar)\n": "elbo(x, logits, mu, logvar)\n    kl = 2 * kl\n"},
            "the kl lacks its ½",
            "chapter 06: KL = ½ Σ (μ² + σ² − 1 − ln σ²).",
        ),
        Mistake(
            "log_sigma",
            {"elbo(x, logits, mu, logvar)\n": "elbo(x, logits, mu, 2 * logvar)\n"},
            "logvar is taken for ln σ",
            "logvar is ln σ², so σ² = exp(logvar).",
        ),
        Mistake(
            "cross_entropy",
            {"recon.mean(), kl.mean()": "-recon.mean(), kl.mean()"},
            "the loss is right, but recon comes back as a cross-entropy, with its sign turned",
            "recon is ln p(x|z): a log-likelihood of binary pixels is below 0.",
        ),
        Mistake(
            "kl_subtracted",
            {"beta * kl - recon": "-beta * kl - recon"},
            "the kl is subtracted from the loss",
            "training would then make the kl as large as it can: which sign does a price have in a loss?",
        ),
    ),
    hints=(
        "Three kinds of axes: pixels, latents, images. Which of them belong to one image's probability?",
        "ln p(x|z) and the KL are sums of their own terms, one number an image; the batch comes last.",
        "recon = (x * logits - F.softplus(logits)).sum(1); kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1); "
        "loss = (beta * kl - recon).mean()",
    ),
    why="Only the mean over the batch is a choice: it makes the step independent of the batch's size. The sums are "
    "the model's: independent pixels and latents. Both terms come back unweighted, so that curves mean what they say.",
)  # fmt: skip
