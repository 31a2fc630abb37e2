"""The exercises of chapter 06: the mathematics of the variational autoencoder."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import divergences, vae
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _logvar(*shape: int, seed: int) -> Tensor:
    """Positive ones: taken for a variance or a standard deviation they still give numbers, which can be named."""
    return _random(*shape, seed=seed).abs() + 0.2


def _bits(*shape: int, seed: int) -> Tensor:
    return (_random(*shape, seed=seed) > 0.2).double()


# --- KL of Gaussians ---------------------------------------------------------------------------------------------


def _kl(mu, variance, log_variance, factor=0.5):
    return factor * (mu**2 + variance - 1 - log_variance)


kl_to_standard_normal = Exercise(
    id="vae.kl_to_standard_normal",
    reference=divergences.kl_to_standard_normal,
    stub='''
def kl_to_standard_normal(mu, logvar):
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)), summed over the last axis, in nats.

    mu, logvar (..., latent), logvar = ln σ²; returns (...).
    Worked value: mu = [1., 0.], logvar = [0., 0.] give 0.5.
    """
    # 1. the variance from its logarithm
    # 2. ½ (μ² + σ² − 1 − ln σ²) of every latent
    # 3. their sum: independent coordinates add up
    ...
''',
    probes=lambda: [
        Probe((_random(3, 4, seed=1), _logvar(3, 4, seed=2))),
        Probe((_random(2, 3, 5, seed=3), _logvar(2, 3, 5, seed=4))),
        Probe((_random(1, 7, seed=5), _logvar(1, 7, seed=6))),
    ],
    checked="values and gradients for three shapes, a batch of one among them.",
    mistakes=(
        Mistake(
            "missing_half",
            lambda mu, logvar: _kl(mu, logvar.exp(), logvar, 1.0).sum(-1),
            "the ½ is missing",
            "where does the ½ of the Gaussian's exponent go?",
        ),
        Mistake(
            "variance",
            lambda mu, logvar: _kl(mu, logvar, logvar.log()).sum(-1),
            "logvar is taken for the variance itself",
            "the variance is exp(logvar), and ln σ² is logvar as it stands.",
        ),
        Mistake(
            "log_std",
            lambda mu, logvar: _kl(mu, (2 * logvar).exp(), 2 * logvar).sum(-1),
            "logvar is taken for the logarithm of σ",
            "it is ln σ², which is 2 ln σ already.",
        ),
        Mistake(
            "std",
            lambda mu, logvar: _kl(mu, (logvar / 2).exp(), logvar).sum(-1),
            "σ stands where σ² belongs",
            "E[z²] = μ² + σ²: the variance enters, not its root.",
        ),
        Mistake(
            "mean",
            lambda mu, logvar: _kl(mu, logvar.exp(), logvar).mean(-1),
            "the mean over the latents is taken",
            "the KL of independent coordinates is the sum of theirs; a mean changes what is optimised.",
        ),
        Mistake(
            "sign",
            lambda mu, logvar: -_kl(mu, logvar.exp(), logvar).sum(-1),
            "the sign is turned round",
            "can a KL be negative? Try mu = 1, logvar = 0.",
        ),
        Mistake(
            "reverse",
            lambda mu, logvar: 0.5 * ((1 + mu**2) * (-logvar).exp() - 1 + logvar).sum(-1),
            "the KL is taken the other way round, KL(prior ‖ q)",
            "the expectation runs over q: its draws are what the decoder sees.",
        ),
        Mistake(
            "not_summed",
            lambda mu, logvar: _kl(mu, logvar.exp(), logvar),
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
    "the prior. The library writes expm1(logvar) for σ² − 1, which keeps its digits where σ² is close to 1.",
)

# --- a draw that keeps its gradient ---------------------------------------------------------------------------------

reparameterize = Exercise(
    id="vae.reparameterize",
    reference=vae.reparameterize,
    stub='''
def reparameterize(mu, logvar, eps):
    """Return z, a draw from N(mu, exp(logvar)), made from eps, a draw from N(0, 1).

    mu, logvar (batch, latent), eps (..., batch, latent); returns (..., batch, latent).
    Worked value: mu = [[1.]], logvar = [[ln 4]], eps = [[3.]] give [[7.]].
    """
    # 1. σ from ln σ²
    # 2. stretch eps by it and move it to mu; use eps as it came
    ...
''',
    probes=lambda: [
        Probe((_random(3, 4, seed=1), _logvar(3, 4, seed=2), _random(3, 4, seed=3))),
        Probe((_random(2, 5, seed=4), _logvar(2, 5, seed=5), _random(6, 2, 5, seed=6))),
        Probe((_random(1, 3, seed=7), _logvar(1, 3, seed=8), _random(1, 3, seed=9))),
    ],
    checked="values, and gradients to mu, logvar and eps, for one and for several draws an example.",
    mistakes=(
        Mistake(
            "variance_for_std",
            lambda mu, logvar, eps: mu + logvar.exp() * eps,
            "eps is stretched by the variance",
            "σ · eps has variance σ²: stretch by σ.",
        ),
        Mistake(
            "logvar_is_variance",
            lambda mu, logvar, eps: mu + logvar.sqrt() * eps,
            "logvar is taken for the variance",
            "the encoder gives ln σ², so that any real number is allowed.",
        ),
        Mistake(
            "logvar_is_std",
            lambda mu, logvar, eps: mu + logvar * eps,
            "eps is multiplied by logvar itself",
            "σ = exp(½ ln σ²).",
        ),
        Mistake(
            "shared",
            lambda mu, logvar, eps: mu + (0.5 * logvar).exp() * eps[..., :1, :],
            "all examples share the first one's eps",
            "examples must be independent draws: each row has its own eps.",
        ),
        Mistake(
            "no_gradient",
            lambda mu, logvar, eps: (mu + (0.5 * logvar).exp() * eps).detach(),
            "the draw is cut off from mu and logvar (.detach(), .data or no_grad)",
            "then the encoder never hears of the reconstruction; eps is the only thing without a gradient.",
        ),
        Mistake(
            "mean_only",
            lambda mu, logvar, eps: mu.expand(eps.shape),
            "z is the mean, without chance",
            "the bound averages over draws from q; without eps the decoder never meets σ.",
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

# --- the Bernoulli likelihood --------------------------------------------------------------------------------------


def _nats(x, logits):
    return x * logits - F.softplus(logits)


bernoulli_log_likelihood = Exercise(
    id="vae.bernoulli_log_likelihood",
    reference=vae.bernoulli_log_likelihood,
    stub='''
def bernoulli_log_likelihood(x, logits):
    """Return ln p(x) of binary pixels, summed over the last axis, in nats.

    x (..., pixels) of zeros and ones; logits l (..., pixels): a pixel is 1 with probability σ(l).
    Finite for every finite logit, also ±800. Worked value: x = [1., 0.], logits = [0., 0.]
    give −2 ln 2.
    """
    # 1. ln σ(l) = l − ln(1 + eˡ) and ln(1 − σ(l)) = −ln(1 + eˡ)
    # 2. x times the one plus (1 − x) times the other: what is left?
    # 3. F.softplus(l) is ln(1 + eˡ) without overflow
    ...
''',
    probes=lambda: [
        Probe((_bits(3, 5, seed=1), 2 * _random(3, 5, seed=2))),
        Probe((_bits(2, 3, 7, seed=3), 2 * _random(2, 3, 7, seed=4))),
        Probe((_bits(1, 4, seed=5), 2 * _random(1, 4, seed=6))),
        Probe((torch.tensor([[1.0, 0.0, 1.0]]).double(), torch.tensor([[800.0, -800.0, -750.0]]).double())),
    ],
    checked="values and gradients for four shapes, logits of ±800 among them.",
    mistakes=(
        Mistake(
            "mean",
            lambda x, logits: _nats(x, logits).mean(-1),
            "the mean over the pixels is taken",
            "ln p(x) of independent pixels is a sum: probabilities multiply.",
        ),
        Mistake(
            "sign",
            lambda x, logits: -_nats(x, logits).sum(-1),
            "the sign is turned round: a cross-entropy comes back",
            "a log probability is never positive.",
        ),
        Mistake(
            "ones_only",
            lambda x, logits: (x * F.logsigmoid(logits)).sum(-1),
            "the pixels that are 0 are left out",
            "a black pixel that was expected white is a surprise too.",
        ),
        Mistake(
            "flipped",
            lambda x, logits: _nats(1 - x, logits).sum(-1),
            "zeros and ones are exchanged",
            "σ(l) is the probability of a one.",
        ),
        Mistake(
            "sigmoid_twice",
            lambda x, logits: _nats(x, logits.sigmoid()).sum(-1),
            "a sigmoid is applied twice",
            "F.softplus and the _with_logits functions take logits, not probabilities.",
        ),
        Mistake(
            "batch_too",
            lambda x, logits: _nats(x, logits).sum(),
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

# --- the ELBO --------------------------------------------------------------------------------------------------------


def _elbo(sign=-1.0, recon=1.0, kl=1.0, total=1.0):
    """A wrong ELBO: factors of its parts as functions of the sizes where they are callable."""

    def mistaken(x, logits, mu, logvar):
        r = _nats(x, logits).sum(-1) * (recon(x) if callable(recon) else recon)
        k = _kl(mu, logvar.exp(), logvar).sum(-1) * (kl(mu) if callable(kl) else kl)
        value = total * (r + sign * k)
        return value, r, k

    return mistaken


elbo = Exercise(
    id="vae.elbo",
    reference=vae.elbo,
    stub='''
def elbo(x, logits, mu, logvar):
    """Return (elbo, recon, kl), each (batch,), in nats; one draw of z was decoded to the logits.

    x, logits (batch, pixels); mu, logvar (batch, latent) of q(z|x). Nothing is averaged here.
    Worked value: x = [[1., 0.]], logits = [[0., 0.]], mu = [[1.]], logvar = [[0.]] give
    recon = −2 ln 2, kl = 0.5, elbo = −1.886.
    """
    # 1. recon: bernoulli_log_likelihood; 2. kl: kl_to_standard_normal (both exist by now)
    # 3. which sign has the kl in a lower bound?
    ...
''',
    probes=lambda: [
        Probe((_bits(3, 5, seed=1), _random(3, 5, seed=2), _random(3, 2, seed=3), _logvar(3, 2, seed=4))),
        Probe((_bits(2, 7, seed=5), _random(2, 7, seed=6), _random(2, 4, seed=7), _logvar(2, 4, seed=8))),
        Probe((_bits(1, 4, seed=9), _random(1, 4, seed=10), _random(1, 3, seed=11), _logvar(1, 3, seed=12))),
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
            lambda x, logits, mu, logvar: tuple(part.mean() for part in vae.elbo(x, logits, mu, logvar)),
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

# --- the importance-weighted bound ------------------------------------------------------------------------------------

importance_weighted_bound = Exercise(
    id="vae.importance_weighted_bound",
    reference=vae.importance_weighted_bound,
    stub='''
def importance_weighted_bound(log_w):
    """Return ln((w_1 + … + w_k)/k) of every example; log_w (k, batch) holds ln w, returns (batch,).

    Finite where ln w is −2,000. Worked value: log_w = [[0.], [ln 5]] gives [ln 3].
    """
    # 1. logsumexp over the draws: ln Σ exp without overflow
    # 2. what does dividing by k do to a logarithm?
    ...
''',
    probes=lambda: [
        Probe((_random(4, 3, seed=1),)),
        Probe((3 * _random(7, 2, seed=2) - 1000,)),
        Probe((_random(1, 5, seed=3),)),
        Probe((_random(5, 1, seed=4) - 2000,)),
    ],
    checked="values and gradients for 1, 4, 5 and 7 draws, weights near e^−2000 among them.",
    mistakes=(
        Mistake(
            "mean_of_logs",
            lambda log_w: log_w.mean(0),
            "the logarithms are averaged, not the weights",
            "that is the ELBO with k draws: averaging comes before the logarithm here.",
        ),
        Mistake(
            "no_k",
            lambda log_w: log_w.logsumexp(0),
            "the division by k is missing",
            "with k equal weights the bound must be ln w itself.",
        ),
        Mistake(
            "divided",
            lambda log_w: log_w.logsumexp(0) / len(log_w),
            "the logarithm is divided by k, not the sum",
            "ln(s/k) = ln s − ln k.",
        ),
        Mistake(
            "largest",
            lambda log_w: log_w.amax(0) - math.log(len(log_w)),
            "only the largest weight counts",
            "the others add to the sum, too.",
        ),
        Mistake(
            "batch_axis",
            lambda log_w: log_w.logsumexp(1) - math.log(log_w.shape[1]),
            "the sum runs over the batch",
            "the draws are on the first axis.",
        ),
        Mistake(
            "plus_k",
            lambda log_w: log_w.logsumexp(0) + math.log(len(log_w)),
            "ln k is added",
            "dividing by k lowers a logarithm.",
        ),
    ),
    hints=(
        "With all weights equal to w the result is ln w: try it.",
        "log_w.logsumexp(0) is ln Σ w.",
        "log_w.logsumexp(0) - math.log(len(log_w))",
    ),
    why="exp(−2000) is 0 in any precision, so the weights themselves cannot be averaged. logsumexp subtracts the "
    "largest logarithm first and adds it back at the end.",
)

# --- a question -------------------------------------------------------------------------------------------------------

beta_of_means = Answer(
    id="vae.beta_of_means",
    right=15.68,
    wrong={
        784.0: "that is the factor of recon alone; the kl was divided, too.",
        50.0: "that is the factor of the kl alone; recon was divided, too.",
        1 / 15.68: "the other way round: multiply the loss by 784 and see what stands before the kl.",
        1.0: "the two means divide by different numbers: 784 and 50.",
        39_200.0: "one factor divides, the other multiplies: 784 / 50.",
    },
    hints=(
        "Multiply the loss by 784: recon is whole again. What stands before the summed kl?",
        "mean kl = kl / 50; so 784 · kl / 50.",
    ),
    why="−recon/784 + kl/50 = (−recon + (784/50) kl)/784. The common factor changes only the rate, that before the "
    "kl changes what is learned: β = 784/50 = 15.68.",
    rtol=1e-2,
)

EXERCISES = (
    kl_to_standard_normal,
    reparameterize,
    bernoulli_log_likelihood,
    elbo,
    importance_weighted_bound,
    beta_of_means,
)
