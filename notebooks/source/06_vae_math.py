# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · The mathematics of a VAE
#
# **How does one learn from a likelihood that cannot be computed?**
#
# A model with something unseen in it, a *latent* $z$, gives an example the probability $p(x) = \int p(x \mid z)\,p(z)\,dz$, and
# for a network that integral is out of reach. A bound on it is not. Below is one, for a model so small that the
# truth is known, and what it misses.

# %%
import math

import torch
from torch.distributions import Normal

from course_lib.classroom import figures
from course_lib.classroom.figures import show

f64 = torch.float64
weight = torch.tensor([3.0, -2.0, 1.5], dtype=f64)  # three pixels, one latent: logits z · weight + bias
bias = torch.tensor([-0.5, 0.5, 0.2], dtype=f64)
x = torch.tensor([1.0, 0.0, 1.0], dtype=f64)  # the example that we follow
grid = torch.linspace(-8, 8, 2001, dtype=f64)[:, None]  # (2001, 1) values of z
dz = (grid[1] - grid[0]).item()


def log_joint(x, z):
    """Return ln p(x | z) + ln p(z), the last axis of x the pixels, of z the one latent."""
    p = (z * weight + bias).sigmoid()  # of each pixel: the probability of a one
    log_p_x = (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
    return log_p_x + Normal(0.0, 1.0).log_prob(z)[..., 0]


# %% tags=["hide-input"]
def elbo_on_grid(mu, sigma):
    log_q = Normal(mu, sigma).log_prob(grid[:, 0])
    return (log_q.exp() * (log_joint(x, grid) - log_q)).sum() * dz


log_p = (log_joint(x, grid).exp().sum() * dz).log()
means = torch.linspace(-0.6, 2.8, 60, dtype=f64)
bound = torch.stack([elbo_on_grid(m, 0.65) for m in means])
posterior = (log_joint(x, grid) - log_p).exp()
fig, ((left, right),) = figures.new(1, 2, height=3.5)
figures.line(left, grid[:, 0], Normal(0.0, 1.0).log_prob(grid[:, 0]).exp(), figures.MUTE)
figures.line(left, grid[:, 0], posterior, figures.TEAL)
left.text(-2.9, 0.3, "prior p(z)", color=figures.MUTE)
left.text(1.75, 0.5, "posterior p(z|x)", color=figures.TEXT[figures.TEAL])
left.set(xlim=(-3, 3.6), ylim=(0, 0.75), xlabel="latent z", ylabel="density")
figures.title(left, "Seeing x = (1, 0, 1) moves belief about z")
figures.line(right, means, bound, figures.INK)
right.fill_between(figures.values(means), figures.values(bound), figures.values(log_p), color="#F3DCEE")
figures.level(right, log_p, "ln p(x)")
right.text(-0.55, -1.78, "the gap is\nKL(q ‖ posterior)", color=figures.BERRY, fontsize=9)
right.set(xlabel="mean of q (its σ is 0.65)", ylabel="lower bound (nats)", ylim=(-3.2, -1.2))
figures.title(right, f"The best of these q misses {log_p - bound.max():.3f} nats")
show(fig, alt="Left, a prior and the narrower posterior of one latent. Right, the lower bound against "
              f"the mean of q: it comes within {log_p - bound.max():.3f} nats of ln p(x) = {log_p:.2f}.")

# %% [markdown]
# Afterwards you can
#
# - derive the ELBO in two ways, and say what its gap is;
# - write its two terms, and spot a mean that silently changes what is learned;
# - carry a gradient through a random draw, and say what the alternative costs;
# - predict what a linear VAE learns, which latents collapse, and where a tighter bound leaves less signal.

# %% [markdown]
# **Needs** chapters 00 and 01. **Time** 60 minutes to read, 50 for the exercises; the cells run in about 20 s.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $z$ | latent: what is never seen | (latent,) |
# | $q$ | the encoder's $q(z\mid x) = \mathcal N(\mu, \sigma^2)$ | |
# | $\mu, \sigma$ | its mean and standard deviation | (latent,) |
# | $\epsilon$ | a draw from $\mathcal N(0, 1)$ | (latent,) |
# | $w$ | importance weight $p(x, z)/q(z\mid x)$ | (k, batch) |
# | $k$ | draws of $z$ for one example | |
# | $\beta$ | factor before the KL | |
# | $W, V$ | linear decoder, linear encoder | (d, latent), (latent, d) |
# | $\lambda_j$ | eigenvalue of the data's covariance | |

# %% tags=["nbval-ignore-output"]
from itertools import pairwise

from scipy.optimize import minimize
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.datasets.images import load_digits
from course_lib.information.divergences import monte_carlo
from course_lib.training.runtime import start

run = start(seed=0, threads=1)

# %% [markdown]
# ## 1 · A sum over everything unseen
#
# Our model first draws $z$ from $p(z) = \mathcal N(0, 1)$, the **prior**: what is believed of $z$ before an image is seen. Then it draws three pixels,
# each 1 with probability $1/(1 + e^{-(a_i z + b_i)})$ (`weight` and `bias` above). Given $z$ they are independent, without it they are not.
# The probability of an image adds up all ways to make it:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz .$$
#
# With one latent that is a sum on a grid. There are only eight images, so we can check that nothing was lost.

# %%
total = 0.0
for z in grid:  # the loop, for x = (1, 0, 1)
    total += log_joint(x, z).exp().item() * dz
images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=f64)] * 3)  # (8, 3)
joint = log_joint(images[:, None], grid)  # (8, 2001)
p_x = joint.exp().sum(1) * dz
claim("loop and matrix agree", abs(total - p_x[5]) < 1e-12)
claim("the eight images share a probability of 1", abs(p_x.sum() - 1) < 1e-10)
print("p(x):", [round(p, 3) for p in p_x.tolist()])

# %% [markdown]
# Real models have 50 latents; ten grid points for each make $10^{50}$ points. Chapter 01 has another way to an expectation:
# draw. $p(x) = \mathrm{E}_{p(z)}[p(x\mid z)]$, so average $p(x \mid z)$ over draws from the prior. A single one has the variance
# $\mathrm{E}[p(x\mid z)^2] - p(x)^2$. So the standard error after $n$ draws, divided by $p(x)$, is
# $\sqrt{(r - 1)/n}$ with $r = \mathrm{E}[p(x\mid z)^2]/p(x)^2$, here 2.53.
#
# With 50 such latents, each with three pixels of its own, everything multiplies: $r$ becomes $r^{50}$. **Predict:** how many draws for an
# error of 10 %, with one latent, and with 50?

# %%
prior = Normal(0.0, 1.0).log_prob(grid[:, 0]).exp()
likelihood = joint[5].exp() / prior  # p(x | z) on the grid
r = ((likelihood**2 * prior).sum() * dz / p_x[5] ** 2).item()
draws = {latents: (r**latents - 1) / 0.1**2 for latents in (1, 50)}
claim("r is 2.53", round(r, 2) == 2.53)
claim("one latent needs 153 draws for 10 %, fifty need more than 10²¹",
      round(draws[1]) == 153 and draws[50] > 1e21, fifty=draws[50])

z = torch.randn(2000, 153, 1, dtype=f64, generator=torch.Generator().manual_seed(1))
estimates = (log_joint(x, z) - Normal(0.0, 1.0).log_prob(z)[..., 0]).exp().mean(1)
claim("2,000 estimates of 153 draws each do scatter by 10 %, within a tenth of that",
      abs(estimates.std() / p_x[5] - 0.1) < 0.01, relative=estimates.std() / p_x[5])

# %% [markdown]
# <details><summary>Answer</summary>
#
# 153, and about $10^{22}$. Nearly every draw from the prior explains nothing of *this* image. Draws are needed where $x$ could
# have come from: in the posterior $p(z\mid x) = p(x, z)/p(x)$. But that needs $p(x)$, which we are looking for.
# </details>
#
# ## 2 · The bound, two ways
#
# So guess the posterior: draw $z$ from some $q$, and look at the weights $w = p(x, z)/q(z)$. This is importance weighting:
#
# $$\mathrm{E}_q[w] = \int q(z)\,\frac{p(x, z)}{q(z)}\,dz = \int p(x,z)\,dz = p(x).$$
#
# The mean weight is the likelihood, whatever $q$ is, if only $q > 0$ wherever $p(x, z) > 0$. **First way** to a bound, Jensen: $\ln u \le u - 1$, from chapter 01, with
# $u = w/\mathrm{E}[w]$ gives $\mathrm{E}[\ln w] - \ln \mathrm{E}[w] \le \mathrm{E}[u] - 1 = 0$. So
#
# $$\mathrm{ELBO} := \mathrm{E}_q[\ln w] \;\le\; \ln \mathrm{E}_q[w] = \ln p(x),$$
#
# the **evidence lower bound**: $p(x)$ is also called the evidence.

# %% [markdown]
# **Second way**: how much is missing? Split $p(x, z) = p(x)\,p(z\mid x)$ inside the logarithm:
#
# $$\mathrm{E}_q[\ln w] = \ln p(x) + \mathrm{E}_q\Big[\ln\frac{p(z\mid x)}{q(z)}\Big] = \ln p(x) - \mathrm{KL}\big(q\,\|\,p(z\mid x)\big).$$
#
# The gap is a KL. So whatever raises the ELBO raises $\ln p(x)$, or brings $q$ nearer to the posterior, or both. Split $p(x,z) = p(x\mid z)\,p(z)$ instead, and everything in it can be computed:
#
# $$\mathrm{ELBO} = \underbrace{\mathrm{E}_q[\ln p(x\mid z)]}_{\text{reconstruction}} - \underbrace{\mathrm{KL}\big(q\,\|\,p(z)\big)}_{\text{distance from the prior}} .$$
#
# Now on the grid:

# %%
q = Normal(torch.tensor(0.8, dtype=f64), torch.tensor(0.8, dtype=f64))
log_q = q.log_prob(grid[:, 0])
log_w = joint[5] - log_q
E = lambda values: (log_q.exp() * values).sum() * dz  # expectation under q
log_posterior = joint[5] - p_x[5].log()
value = E(log_w)
claim("the mean weight is p(x)", torch.allclose(E(log_w.exp()), p_x[5], rtol=1e-10))
claim("first way: the mean logarithm is less than its logarithm", value < p_x[5].log())
claim("second way: what is missing is KL(q ‖ posterior), here 0.26 nats",
      torch.allclose(p_x[5].log() - value, E(log_q - log_posterior), rtol=1e-10)
      and round((p_x[5].log() - value).item(), 2) == 0.26)
pixels = (grid * weight + bias).sigmoid()  # (2001, 3)
recon = E((x * pixels + (1 - x) * (1 - pixels)).prod(1).log())  # no prior in it: three factors
kl = torch.distributions.kl_divergence(q, Normal(0.0, 1.0))  # no grid in it
claim("reconstruction minus KL to the prior is the same number", abs(recon - kl - value) < 1e-9)

# %% [markdown]
# ## 3 · The KL, term by term
#
# A **variational autoencoder**, VAE, trains two networks together. The **decoder** turns $z$ into the parameters of $p(x\mid z)$. The **encoder** turns $x$ into
# $\mu$ and $\sigma$ of its guess $q(z\mid x) = \mathcal N(\mu, \sigma^2)$ (several latents: independent ones). Both climb the ELBO.
#
# Of its two terms, one has a closed form. Write $z = \mu + \sigma\epsilon$; then $\ln q(z) = -\ln\sigma - \tfrac12\epsilon^2 - \tfrac12\ln 2\pi$ and
# $\ln p(z) = -\tfrac12 z^2 - \tfrac12\ln 2\pi$. So
#
# $$\mathrm{KL} = \mathrm{E}\big[\ln q(z) - \ln p(z)\big] = -\ln\sigma - \tfrac12\mathrm{E}[\epsilon^2] + \tfrac12\mathrm{E}[z^2]
#   = \tfrac12\big(\mu^2 + \sigma^2 - 1 - \ln\sigma^2\big),$$
#
# since $\mathrm{E}[\epsilon^2] = 1$ and $\mathrm{E}[z^2] = \mu^2 + \sigma^2$. Independent latents add up. The encoder gives $\ln\sigma^2$, `logvar`: any real
# number is allowed, and the variance is positive by itself.
#
# ### Exercise: the KL to the prior
# *difficulty 1/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.kl_to_standard_normal")
def kl_to_standard_normal(mu, logvar):
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)), summed over the last axis, in nats.

    mu, logvar (..., latent), logvar = ln σ²; returns (...).
    Worked value: mu = [1., 0.], logvar = [0., 0.] give 0.5.
    """
    # 1. the variance from its logarithm
    # 2. ½ (μ² + σ² − 1 − ln σ²) of every latent
    # 3. their sum: independent coordinates add up
    ...

# %%
generator = torch.Generator().manual_seed(2)
mu, logvar = torch.randn(2, 4, 3, dtype=f64, generator=generator)  # four examples, three latents
theirs = torch.distributions.kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1)
claim("it is PyTorch's", torch.allclose(kl_to_standard_normal(mu, logvar), theirs, rtol=1e-10))
same = E(log_q - prior.log())
ours = kl_to_standard_normal(*torch.tensor([[[0.8]], [[2 * math.log(0.8)]]], dtype=f64))
claim("and the grid's, for the q of section 2", torch.allclose(ours, same, rtol=1e-10), nats=ours)

# %% [markdown]
# ## 4 · A gradient through a draw
#
# The other term, $\mathrm{E}_q[f(z)]$ with $f = \ln p(x\mid z)$, is estimated by drawing. But its gradient by $\mu$? The draws depend on $\mu$ themselves.
#
# **Score function.** Move the derivative under the integral, $\partial q = q\,\partial\ln q$:
#
# $$\partial_\mu \mathrm{E}_q[f] = \int f\,\partial_\mu q\,dz = \mathrm{E}_q\big[f(z)\,\partial_\mu\ln q(z)\big] = \mathrm{E}\Big[f(z)\,\frac{\epsilon}{\sigma}\Big].$$
#
# It needs no derivative of $f$, only its value; it works for discrete $z$ too.
#
# **Reparameterisation.** Let the chance come from outside: $z = \mu + \sigma\epsilon$ with $\epsilon\sim\mathcal N(0,1)$. Now $z$ is an ordinary function of $\mu$ and $\sigma$:
#
# $$\partial_\mu\,\mathrm{E}_\epsilon[f(\mu + \sigma\epsilon)] = \mathrm{E}_\epsilon[f'(z)], \qquad \partial_\sigma\,\mathrm{E}_\epsilon[f(\mu+\sigma\epsilon)] = \mathrm{E}_\epsilon[f'(z)\,\epsilon].$$

# %% [markdown]
# ### Exercise: the draw that keeps its gradient
# *difficulty 1/5 · importance 5/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.reparameterize")
def reparameterize(mu, logvar, eps):
    """Return z, a draw from N(mu, exp(logvar)), made from eps, a draw from N(0, 1).

    mu, logvar (batch, latent), eps (..., batch, latent); returns (..., batch, latent).
    Worked value: mu = [[1.]], logvar = [[ln 4]], eps = [[3.]] give [[7.]].
    """
    # 1. σ from ln σ²
    # 2. stretch eps by it and move it to mu; use eps as it came
    ...

# %% [markdown]
# Both are unbiased. **Predict:** which scatters more from draw to draw, and what happens to each when there are 100
# independent latents, and $f$ is the sum of 100 such terms?

# %%
def both_gradients(n, latents, generator):
    """Return n gradients by the first mu: score function, reparameterised, score of f − mean f."""
    mu = torch.full((n, latents), 0.8, dtype=f64, requires_grad=True)
    eps = torch.randn(n, latents, dtype=f64, generator=generator)
    z = reparameterize(mu, torch.full((n, latents), 2 * math.log(0.8), dtype=f64), eps)
    f = (log_joint(x, z[..., None]) - Normal(0.0, 1.0).log_prob(z)).sum(1)  # Σ ln p(x | z_j)
    (through,) = torch.autograd.grad(f.sum(), mu)
    f = f.detach()
    return f * eps[:, 0] / 0.8, through[:, 0], (f - f.mean()) * eps[:, 0] / 0.8


center = torch.tensor(0.8, dtype=f64, requires_grad=True)
log_p_x_z = joint[5] - prior.log()
(Normal(center, 0.8).log_prob(grid[:, 0]).exp() * log_p_x_z * dz).sum().backward()
truth = center.grad
score, path, _ = both_gradients(100_000, 1, generator)
(score_mean, score_error), (path_mean, path_error) = monte_carlo(score), monte_carlo(path)
claim("both estimates lie within 5 standard errors of the exact gradient",
      abs(score_mean - truth) < 5 * score_error and abs(path_mean - truth) < 5 * path_error,
      exact=truth, score=score_mean, path=path_mean)
claim("one latent: the score function's variance is more than 5 times as large",
      score.var() > 5 * path.var(), ratio=score.var() / path.var())

# %%
sizes = [1, 3, 10, 30, 100]
spread = torch.tensor([[g.var() for g in both_gradients(20_000, n, generator)] for n in sizes])
claim("100 latents: more than 100 times the variance for the score function, within 10 % the same "
      "for the other", spread[4, 0] > 100 * spread[0, 0] and abs(spread[4, 1] / spread[0, 1] - 1) < 0.1,
      score=spread[:, 0], path=spread[:, 1])
claim("from 10 to 100 latents the score function's variance grows more than 50-fold, with the mean of "
      "f subtracted 5- to 12-fold", spread[4, 0] > 50 * spread[2, 0]
      and 5 < spread[4, 2] / spread[2, 2] < 12, baseline=spread[:, 2])
noise = torch.randn(100_000, dtype=f64, generator=torch.Generator().manual_seed(3))
wave = 10 * (0.8 + 0.8 * noise)  # f = cos(10 z): f' = −10 sin(10 z)
claim("not for every f: of cos(10 z) the reparameterised gradient has over 50 times the variance",
      (10 * wave.sin()).var() > 50 * (wave.cos() * noise / 0.8).var())

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
bins = torch.linspace(-1, 30, 125).numpy()
left.hist(figures.values(score), bins, density=True, histtype="stepfilled", color="#F3DCEE")
left.hist(figures.values(path), bins, density=True, histtype="step", color=figures.TEAL, linewidth=1.8)
left.axvline(figures.values(truth), color=figures.INK, linewidth=0.8)
left.text(6.8, 0.2, "reparameterised", color=figures.TEXT[figures.TEAL])
left.text(15, 0.02, "score function", color=figures.BERRY)
left.set(xlabel="gradient by μ from one draw", ylabel="density", xlim=(-1, 30), yscale="log")
figures.title(left, "Same mean (the line), another width")
figures.line(right, sizes, spread[:, 0], figures.BERRY, "score\nfunction", marker="s")
figures.line(right, sizes, spread[:, 1], figures.TEAL, "reparam.", marker="o")
right.set(xscale="log", yscale="log", xlabel="latents", ylabel="variance of one draw", xlim=(0.8, 300))
figures.title(right, f"100 latents: {spread[4, 0] / spread[4, 1]:,.0f} times the variance")
show(fig, alt="Left, histograms of gradients: the reparameterised end below 7, the score "
              "function's tail beyond 30. Right, only its variance grows with the latents.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The score function multiplies the *whole* $f$ by noise, also the 99 terms that have nothing to do with this latent; their contribution has mean zero, and a
# variance. The derivative $f'$ knows which term moved. (A steep $f'$, as of $\cos 10z$, scatters more.) Since $\mathrm{E}[\epsilon] = 0$, a constant may be subtracted from $f$: with its mean gone the
# variance grows like the number of latents, without that in the end like its square.
# </details>
#
# ## 5 · What is a pixel?
#
# $\ln p(x\mid z)$ depends on what we think that a pixel is. **Bernoulli**: a bit. The decoder gives a logit $l$, the pixel is 1 with
# probability $\sigma(l) = 1/(1+e^{-l})$, and
#
# $$\ln p(x) = x\ln\sigma(l) + (1-x)\ln(1-\sigma(l)) = x\,l - \ln(1 + e^{l}),$$
#
# because $\ln\sigma(l) = l - \ln(1+e^l)$ and $\ln(1-\sigma(l)) = -\ln(1+e^l)$. For an image add up the pixels: probabilities multiply.
# ($\sigma(\cdot)$ with brackets is this function, a bare $\sigma$ a standard deviation.)

# %% [markdown]
# ### Exercise: binary pixels
# *difficulty 2/5 · importance 4/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.bernoulli_log_likelihood")
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

# %%
shown, logits = torch.broadcast_tensors(images[:, None], grid * weight + bias)  # (8, 2001, 3)
again = bernoulli_log_likelihood(shown, logits)  # (8, 2001)
claim("it is what the grid used, where 1 − σ(l) has not lost its digits", torch.allclose(
    again[:, 500:1501], (joint - prior.log())[:, 500:1501], rtol=1e-8))  # |z| up to 4
greys = torch.linspace(0, 1, 1001, dtype=f64)[:, None]
area = torch.trapezoid(bernoulli_log_likelihood(greys, torch.zeros_like(greys)).exp(), greys[:, 0])
claim("over grey values between 0 and 1 it does not integrate to 1 (0.5 for a logit of 0)",
      abs(area - 0.5) < 1e-12)
grey = torch.tensor([0.95, 0.1, 0.9], dtype=f64)  # rounded, or without the KL, this is red
chance = (images * grey + (1 - images) * (1 - grey)).prod(1)  # (8,): of each image, drawn from grey
of_grey = bernoulli_log_likelihood(grey.expand(2001, 3), grid * weight + bias)
claim("on greys it is the mean over bits drawn from them: its ELBO is below the mean ln p of these",
      torch.allclose(chance @ again, of_grey, rtol=1e-10) and E(of_grey) - kl < chance @ p_x.log())

# %% [markdown]
# So ‘binary cross-entropy’ on grey images is no likelihood of greys. Being linear in $x$, it is a mean over bits
# drawn with probability $x$, and its ELBO bounds the mean $\ln p$ of these. Draw them (chapter 07), or choose a likelihood for greys:
#
# - **Categorical**: 256 logits a pixel, one for each level. Knows nothing of *near*.
# - **Discretised logistic**: a bell with mean and width. A level gets the bell's mass from half a level below it to half a
#   level above; 0 and 255 get the tails, too.
# - **Gaussian**: a *density*. Its logarithm can be positive; narrower is higher without end. Counted in levels, a wide bell's
#   density is nearly the mass of a level.

# %%
from course_lib.vae.likelihoods import discretized_logistic_log_likelihood, gaussian_log_likelihood

levels = torch.arange(256)[:, None]  # 256 images of one pixel
one = torch.ones(1, dtype=f64)
logistic = discretized_logistic_log_likelihood(levels, 180 * one, math.log(6.0) * one)
edge = discretized_logistic_log_likelihood(levels, 250 * one, math.log(6.0) * one)
wide, narrow = (gaussian_log_likelihood(levels.double(), 180 * one, 2 * math.log(s) * one)
                for s in (10.0, 0.1))
claim("the discretised logistic's 256 levels sum to 1, also at the edge of the range",
      torch.allclose(torch.stack([logistic, edge]).exp().sum(1), one, rtol=1e-12))
claim("a narrow Gaussian gives a ‘probability’ above 1 to a level", narrow.max() > 0,
      largest=narrow.max().exp())
mass = Normal(180.0, 10.0).cdf(levels + 0.5) - Normal(180.0, 10.0).cdf(levels - 0.5)
claim("with σ of 10 levels the density is the mass of a level within 0.0001",
      (wide.exp() - mass[:, 0]).abs().max() < 1e-4)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.2)
ax.bar(*figures.values([levels[:, 0], edge.exp()]), width=1, color="#FAE6D6", edgecolor=figures.ORANGE,
       linewidth=0.6)
figures.line(ax, levels[:, 0], logistic.exp(), figures.BLUE, drawstyle="steps-mid")
ax.text(133, 0.038, "mean 180", color=figures.BLUE)
ax.text(196, 0.2, "mean 250:\nthe tail above 255\nbelongs to 255", color=figures.TEXT[figures.ORANGE])
ax.set(xlim=(120, 258), ylim=(0, 0.33), xlabel="level of the pixel", ylabel="probability")
figures.title(ax, "A bell on 256 levels still sums to 1")
show(fig, alt="Discretised logistic probabilities of the levels of a pixel for two means; at mean 250 "
              "the last level, 255, takes the whole tail.")

# %% [markdown]
# ### Exercise: the ELBO
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.elbo")
def elbo(x, logits, mu, logvar):
    """Return (elbo, recon, kl), each (batch,), in nats; one draw of z was decoded to the logits.

    x, logits (batch, pixels); mu, logvar (batch, latent) of q(z|x). Nothing is averaged here.
    Worked value: x = [[1., 0.]], logits = [[0., 0.]], mu = [[1.]], logvar = [[0.]] give
    recon = −2 ln 2, kl = 0.5, elbo = −1.886.
    """
    # 1. recon: bernoulli_log_likelihood; 2. kl: kl_to_standard_normal (both exist by now)
    # 3. which sign has the kl in a lower bound?
    ...

# %%
n = 100_000
mu, logvar = torch.full((n, 1), 0.8, dtype=f64), torch.full((n, 1), 2 * math.log(0.8), dtype=f64)
z = reparameterize(mu, logvar, torch.randn(n, 1, dtype=f64, generator=generator))
estimate, error = monte_carlo(elbo(x.expand(n, 3), z * weight + bias, mu, logvar)[0])
claim("its mean over draws is the bound of section 2, within 5 standard errors",
      abs(estimate - value) < 5 * error, estimate=estimate, exact=value)

# %% [markdown]
# **A mean for a sum.** Libraries offer `reduction="mean"`. Say somebody takes the mean over 784 pixels and the mean over 50 latents. Then the
# loss is
#
# $$-\frac{\text{recon}}{784} + \frac{\mathrm{kl}}{50} = \frac1{784}\Big(-\text{recon} + \beta\,\mathrm{kl}\Big)$$
#
# with a $\beta$ that nobody chose. The factor in front only scales the gradient, which Adam hardly notices. $\beta$ changes what is learned: for $\beta > 1$ a looser bound
# is raised (no KL is negative), for $\beta < 1$ something that need not be a bound. What is $\beta$ here? (A number; 1 % off is fine.)

# %% tags=["nbval-ignore-output"]
answer("vae.beta_of_means", ...)

# %% [markdown]
# The same happens with squares. Let the decoder give a Gaussian's mean $\hat x$; its $\sigma$ is the same for all pixels. Then
# $-\ln p(x\mid z) = \|x - \hat x\|^2/(2\sigma^2) + \dots$, and ‘sum of squared errors plus KL’ is the loss with $\sigma^2 = \tfrac12$. That says:
# each pixel is seen through noise of 0.71, when values between 0 and 1 have a standard deviation of at most 0.5. Multiply the loss
# by $2\sigma^2$: squares $+\ 2\sigma^2\,\mathrm{KL}$. Choosing $\sigma$ *is* choosing $\beta = 2\sigma^2$.

# %%
x_hat = torch.randn(5, 784, dtype=f64, generator=generator)
target = torch.rand(5, 784, dtype=f64, generator=generator)
squares = ((x_hat - target) ** 2).sum(-1)
gauss = -gaussian_log_likelihood(target, x_hat, torch.full((784,), math.log(0.5), dtype=f64))
constant = 784 / 2 * math.log(2 * math.pi * 0.5)
claim("a sum of squares is a Gaussian likelihood with σ² = ½, up to a constant",
      torch.allclose(squares + constant, gauss, rtol=1e-12))

# %% [markdown]
# ## 6 · The linear VAE is probabilistic PCA
#
# Where does training end? For one VAE we can say it exactly. Let the decoder be linear, $p(x\mid z) = \mathcal N(Wz + m, \sigma^2 I)$, and the encoder too,
# $q(z\mid x) = \mathcal N(V(x-m), \operatorname{diag} D)$; $m$ is the data's mean, $\sigma^2$ now the decoder's noise. Then $x$ is Gaussian with covariance
# $C = WW^\top + \sigma^2 I$.
#
# The ELBO needs no draws here. Write $z = V(x - m) + \eta$ with $\eta\sim\mathcal N(0, \operatorname{diag} D)$. With $R = I - WV$ then $x - m - Wz = R(x - m) - W\eta$, so
#
# $$\mathrm{E}\|x - m - Wz\|^2 = \operatorname{tr}(R S R^\top) + \operatorname{tr}(W \operatorname{diag}(D)\, W^\top)$$
#
# where $S$ is the data's covariance; and the KL has $\mathrm{E}[\mu_j^2] = (V S V^\top)_{jj}$.

# %% [markdown]
# **PCA**, principal component analysis, keeps those eigenvectors of $S$ that have the largest eigenvalues $\lambda_1 \ge \lambda_2 \ge \dots$: the
# **principal directions**. For our model, *probabilistic PCA*, Tipping and Bishop (1999) found the best likelihood. One best $W$ has these directions as columns, with squared
# lengths $\lambda_j - \sigma^2$; $\sigma^2$ is the mean of the remaining eigenvalues. For if $C$ has $S$'s eigenvectors (no others do better) and eigenvalues $c_j$,
# each costs $\tfrac12(\ln c_j + \lambda_j/c_j)$, least at $c_j = \lambda_j$; where $W$ has no column, $c_j = \sigma^2$. Reconstructions keep $1 - \sigma^2/\lambda_j$ of a direction, PCA's all.

# %%
digits = F.avg_pool2d(load_digits().train.double()[:, None] / 255, 7).flatten(1)  # (9000, 16)
d, latents = 16, 5
S = torch.cov(digits.T, correction=0)
eigenvalues, directions = (t.flip(-1) for t in torch.linalg.eigh(S))  # largest first


def linear_elbo(W, V, log_D, log_s2):
    """Return the mean ELBO of all examples, exactly: they enter through S alone."""
    D, s2, R = log_D.exp(), log_s2.exp(), torch.eye(d, dtype=f64) - W @ V
    square = torch.trace(R @ S @ R.T) + (W**2 @ D).sum()
    recon = -d / 2 * (math.log(2 * math.pi) + log_s2) - square / (2 * s2)  # (1,), as s2
    kl = 0.5 * ((V @ S * V).sum() + (D - 1 - log_D).sum())
    return (recon - kl).squeeze()


def best_log_likelihood(s2):
    """Return −½ (d ln 2π + ln det C + tr C⁻¹S) at the best W."""
    kept = eigenvalues[:latents].clamp(min=s2)  # an eigenvalue below s2 is not worth a column
    logdet = kept.log().sum() + (d - latents) * math.log(s2)
    trace = (eigenvalues[:latents] / kept).sum() + eigenvalues[latents:].sum() / s2
    return -0.5 * (d * math.log(2 * math.pi) + logdet + trace)

# %%
def maximise(objective, *start):
    """Return the tensors that maximise objective(*tensors), and the maximum: Newton steps, float64."""
    sizes = [t.numel() for t in start]
    parts = lambda v: [p.view_as(t) for p, t in zip(v.split(sizes), start, strict=True)]
    negative = lambda v: -objective(*parts(v))
    gradient = torch.func.grad(negative)
    numpy = lambda f: lambda v: f(torch.from_numpy(v)).numpy()
    found = minimize(numpy(negative), torch.cat([t.flatten() for t in start]).numpy(),
                     jac=numpy(gradient), hess=numpy(torch.func.jacrev(gradient)),
                     method="trust-exact", options={"gtol": 1e-8})
    return parts(torch.from_numpy(found.x)), -found.fun


def train_linear(s2, seed=0):
    """Train W, V and D from a random start, σ² too if s2 is None. Return W, V, ln D, σ² and the ELBO."""
    W, V = 0.1 * torch.randn(2, d * latents, dtype=f64, generator=torch.Generator().manual_seed(seed))
    start = [W.view(d, latents), V.view(latents, d), torch.zeros(latents, dtype=f64)]
    if s2 is None:
        (*found, log_s2), reached = maximise(linear_elbo, *start, torch.tensor([-2.0], dtype=f64))
        return *found, log_s2.exp(), reached
    fixed = torch.tensor([s2], dtype=f64)
    found, reached = maximise(lambda *weights: linear_elbo(*weights, fixed.log()), *start)
    return *found, fixed, reached

# %%
W, V, log_D, s2, reached = train_linear(None)
rest = eigenvalues[latents:].mean()
lengths = (W**2).sum(0)
cosines = (W / lengths.sqrt()).T @ (W / lengths.sqrt()) - torch.eye(latents, dtype=f64)
aligned = ((W / lengths.sqrt()).T @ directions[:, :latents]).abs().amax(1)
claim("the ELBO reaches the best likelihood within 1e-5 nats an example: no gap is left",
      abs(best_log_likelihood(rest.item()) - reached) < 1e-5)
claim("σ² is the mean of the eigenvalues that were left out", abs(s2 / rest - 1) < 1e-4)
claim("the decoder's columns are orthogonal to 1e-3", cosines.abs().max() < 1e-3)
claim("each of them is a principal direction, its squared length the eigenvalue minus σ²",
      aligned.min() > 0.999 and torch.allclose(lengths.sort(descending=True)[0],
                                               eigenvalues[:latents] - s2, rtol=1e-2))
kept = directions[:, :latents].T @ W @ V @ directions[:, :latents]  # PCA's would be the identity
claim("W V gives back 1 − σ²/λ of each direction, and D is σ²/λ, both to 1e-5",
      (kept - (1 - s2 / eigenvalues[:latents]).diag()).abs().max() < 1e-5
      and torch.allclose(log_D.exp().sort()[0], s2 / eigenvalues[:latents], rtol=1e-5))

# %% [markdown]
# The likelihood alone does not care about a rotation: $W$ and $WQ$ give the same $WW^\top$ for any rotation $Q$. Why did the VAE choose the
# principal directions? Because its $q$ is *diagonal*: independent latents. As a function of $z$, $\ln p(x, z)$ is $-\tfrac12 z^\top\Lambda z$ plus what is linear in $z$, with
# $\Lambda = I + W^\top W/\sigma^2$. So the posterior is a Gaussian of covariance $\Lambda^{-1}$, diagonal only for orthogonal columns. With its mean, a
# diagonal $q$ is off by the KL $\tfrac12\big(\sum_j(\Lambda_{jj} D_j - 1 - \ln D_j) - \ln\det\Lambda\big)$, least at $D_j = 1/\Lambda_{jj}$:
#
# $$\text{gap} = \tfrac12\Big(\sum_j \ln\Lambda_{jj} - \ln\det\Lambda\Big).$$
#
# Rotations that make columns overlap pay it. (Rolinek et al. 2019; Lucas et al. 2019.)

# %%
turn = torch.linalg.qr(torch.randn(latents, latents, dtype=f64, generator=generator))[0]


def best_for(W):
    """Return the best ELBO for a decoder that is kept as it is."""
    V, log_D = torch.zeros(latents, d, dtype=f64), torch.zeros(latents, dtype=f64)
    return maximise(lambda V, log_D: linear_elbo(W, V, log_D, s2.log()), V, log_D)[1]


lost = best_for(W) - best_for(W @ turn)
precision = torch.eye(latents, dtype=f64) + turn.T @ W.T @ W @ turn / s2
expected = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
claim("the same decoder, rotated, loses what a diagonal q cannot say: that gap, to 1e-4",
      lost > 0.1 and abs(lost - expected) < 1e-4, nats=lost)

# %% [markdown]
# **Collapse.** Now fix $\sigma^2$ by hand, as a squared-error loss does. A column is worth its KL only if its direction holds more variance than the noise:
# its squared length is $\lambda_j - \sigma^2$, or 0. **Predict:** with eigenvalues 0.057, 0.039, 0.029, 0.018, 0.015, how many of five latents are used at
# $\sigma^2 = 0.025$?

# %%
noise = [0.005, 0.01, 0.016, 0.025, 0.045, 0.06]
used = {s: train_linear(s)[0].square().sum(0).sort(descending=True)[0] for s in noise}
claim("the five largest eigenvalues are 0.057, 0.039, 0.029, 0.018 and 0.015",
      [round(v, 3) for v in eigenvalues[:5].tolist()] == [0.057, 0.039, 0.029, 0.018, 0.015])
exact = {s: (eigenvalues[:latents] - s).clamp(min=0) for s in noise}
claim("at every σ² the squared lengths are λ − σ² or zero, to 1e-6",
      all((used[s] - exact[s]).abs().max() < 1e-6 for s in noise))
active = [int((used[s] > 1e-4).sum()) for s in noise]
print("latents in use:", dict(zip(noise, active, strict=True)))
claim("a latent collapses exactly when σ² exceeds its eigenvalue",
      active == [int((eigenvalues[:latents] > s).sum()) for s in noise])

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.5)
s = torch.linspace(0, 0.065, 100)
for j in range(latents):
    figures.line(ax, s, (eigenvalues[j] - s).clamp(min=0), figures.MUTE)
    ax.plot(noise, figures.values([used[n][j] for n in noise]), "o", color=figures.ORANGE, markersize=5)
ax.axhline(0, color=figures.INK, linewidth=0.8)
ax.set(xlabel="noise of the decoder, σ²", ylabel="squared length of a column", ylim=(-0.002, 0.06))
ax.text(0.034, 0.042, "– – eigenvalue − σ², or 0\n● trained", color=figures.INK, fontsize=9.5)
figures.title(ax, "A latent dies where the noise exceeds its eigenvalue")
show(fig, alt="Squared lengths of the five trained columns against the noise variance lie on the lines "
              "eigenvalue minus noise, and are zero beyond.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Three: 0.057, 0.039 and 0.029. Collapse is not an accident of training here: it is the optimum. Latents that die may
# tell you that the decoder's noise, or $\beta$, is too large.
# </details>
#
# ## 7 · One encoder for all
#
# In the tiny model every image could have its own $\mu$ and $\sigma$, found by climbing. A VAE has *one* network that gives them for any $x$:
# **amortised**. So the gap has two parts (Cremer et al. 2018):
#
# $$\ln p(x) - \mathrm{ELBO} = \underbrace{\ln p(x) - \max_{\mu,\sigma}\mathrm{ELBO}}_{\text{the posterior is no Gaussian}} + \underbrace{\max_{\mu,\sigma}\mathrm{ELBO} - \mathrm{ELBO}}_{\text{the encoder is no optimiser}} .$$
#
# Take an encoder that is too small: $\mu$ and $\ln\sigma^2$ linear in the three pixels, eight numbers where the eight images would like sixteen.
# Both parts are averaged over the images, each with its $p(x)$.

# %%
def mean_elbo(mu, logvar):
    """Return Σ p(x) ELBO(x) over the eight images, on the grid; mu, logvar (8,)."""
    log_q = Normal(mu[:, None], (logvar / 2).exp()[:, None]).log_prob(grid[:, 0])
    return (p_x * ((log_q.exp() * (joint - log_q)).sum(1) * dz)).sum()


zeros = lambda *shape: torch.zeros(*shape, dtype=f64)
encode = lambda slope, offset: (images @ slope + offset).unbind(1)
small, amortised = maximise(lambda *weights: mean_elbo(*encode(*weights)), zeros(3, 2), zeros(2))
own = lambda numbers: mean_elbo(*numbers.unbind(1))
_, each = maximise(own, zeros(8, 2))
truth = (p_x * p_x.log()).sum().item()
claim("the small encoder loses 0.009 nats, a Gaussian in place of the posterior 0.011",
      (round(each - amortised, 3), round(truth - each, 3)) == (0.009, 0.011))

_, closed = maximise(own, torch.stack(encode(*small), 1))
claim("climbing on for each image, from where the encoder left it, closes the encoder's part",
      abs(closed - each) < 1e-8)

# %% [markdown]
# ## 8 · More draws: a tighter bound
#
# The weights still hold more. Average $k$ of them *before* the logarithm (Burda et al. 2016):
#
# $$\mathcal L_k = \mathrm{E}\Big[\ln\frac1k\sum_{i=1}^k w_i\Big], \qquad \mathcal L_1 = \mathrm{ELBO}, \qquad \mathcal L_k \le \ln p(x).$$
#
# The last is Jensen again: the mean inside is unbiased for $p(x)$. And $\mathcal L_k$ grows with $k$: the mean of $k$ weights is the mean of the $k$ means that leave out one of them,
# so by concavity its logarithm is at least the mean of theirs, whose expectation is $\mathcal L_{k-1}$. As $k\to\infty$
# the mean settles, and if the ELBO is finite, the bound is the truth, even for weights as unbounded as ours: the logarithm lies between the means of $\ln w$ and $w - 1$.

# %% [markdown]
# ### Exercise: the importance-weighted bound
# *difficulty 2/5 · importance 5/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.importance_weighted_bound")
def importance_weighted_bound(log_w):
    """Return ln((w_1 + … + w_k)/k) of every example; log_w (k, batch) holds ln w, returns (batch,).

    Finite where ln w is −2,000. Worked value: log_w = [[0.], [ln 5]] gives [ln 3].
    """
    # 1. logsumexp over the draws: ln Σ exp without overflow
    # 2. what does dividing by k do to a logarithm?
    ...

# %%
n, mu_q, std_q = 20_000, 0.8, 0.8  # the q of section 2
eps = torch.randn(256, n, dtype=f64, generator=generator)
log_w = log_joint(x, (mu_q + std_q * eps)[..., None]) - q.log_prob(mu_q + std_q * eps)  # (256, n)
ks = [1, 2, 4, 8, 16, 32, 64, 128, 256]
bounds = torch.stack([importance_weighted_bound(log_w.view(256 // k, k, n).transpose(0, 1).flatten(1))
                      .view(-1, n).mean(0) for k in ks])  # (9, n): each uses all 256 draws, k at a time
steps = [monte_carlo(more - fewer) for fewer, more in pairwise(bounds)]
claim("each doubling of k raises the bound, by more than 5 standard errors of the paired difference",
      all(gain > 5 * error for gain, error in steps), gains=[gain for gain, _ in steps])
end, error = monte_carlo(bounds[-1])
claim("k = 1 is the ELBO of section 2; k = 256 is below ln p(x) by less than 0.01 nats",
      abs(bounds[0].mean() - value) < 5 * bounds[0].std() / n**0.5
      and end - 5 * error < p_x[5].log() < end + 0.01, gap=p_x[5].log() - end)

# %% [markdown]
# A tighter bound must train better? Judge a gradient by its **signal-to-noise** ratio: its mean over many runs, divided by its standard deviation. For
# the decoder the ratio grows with $k$, as for any average. **Predict:** does it for the encoder's $\mu$? Think of $k\to\infty$, where the bound is $\ln p(x)$ whatever $q$ is.

# %%
def signal_to_noise(k, n, generator):
    """Return |mean| / std over n runs of the gradient by q's mean and by the decoder's first bias."""
    mu = torch.full((n,), mu_q, dtype=f64, requires_grad=True)
    first = torch.zeros(n, dtype=f64, requires_grad=True)  # added to the first pixel's bias
    z = mu + std_q * torch.randn(k, n, dtype=f64, generator=generator)
    logits = z[..., None] * weight + bias + first[:, None] * torch.tensor([1.0, 0.0, 0.0], dtype=f64)
    log_q = Normal(mu, std_q).log_prob(z)
    log_w = bernoulli_log_likelihood(x.expand_as(logits), logits) + Normal(0.0, 1.0).log_prob(z) - log_q
    gradients = torch.autograd.grad(importance_weighted_bound(log_w).sum(), (mu, first))
    return [(g.mean().abs() / g.std()).item() for g in gradients]


ks = [1, 4, 16, 64]
ratios = torch.tensor([signal_to_noise(k, 40_000, generator) for k in ks])
claim("from k = 1 to 64 the encoder's signal-to-noise falls to less than a fifth, the decoder's "
      "grows more than fivefold", ratios[-1, 0] < ratios[0, 0] / 5 and ratios[-1, 1] > 5 * ratios[0, 1],
      encoder=ratios[:, 0], decoder=ratios[:, 1])

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
figures.line(left, [2**i for i in range(9)], bounds.mean(1), figures.BERRY, marker="o")
figures.level(left, p_x[5].log(), "ln p(x)")
left.set(xscale="log", xlabel="draws k", ylabel="bound (nats)", ylim=(-1.75, -1.35))
figures.title(left, "More draws: a tighter bound")
figures.line(right, ks, ratios[:, 1], figures.ORANGE, "decoder", marker="^")
figures.line(right, ks, ratios[:, 0], figures.TEAL, "encoder", marker="o")
right.set(xscale="log", yscale="log", xlabel="draws k", xlim=(0.8, 900),
          ylabel="|mean| / standard deviation")
figures.title(right, "and less signal for the encoder")
show(fig, alt="Left, the importance-weighted bound rises with the number of draws towards ln p(x). "
              "Right, signal-to-noise of the gradient: rising for the decoder, falling for the encoder.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No: it falls. Where the bound hardly depends on $q$ any more, the mean of the gradient vanishes, and faster than its spread. Rainforth et al. (2018) derive
# for large $k$: like $\sqrt k$ for the decoder, like $1/\sqrt k$ for the encoder. For *measuring* a trained model there is no such trade: chapter 07 takes $k = 100$.
# </details>

# %% [markdown]
# ## What stays
#
# - What cannot be summed can be bounded, and the gap is a KL (*second way: what is missing is KL(q ‖ posterior)*).
# - Put the chance outside, and draws have gradients; in a sum, the other terms add no variance (*100 latents: more than 100 times the variance for the score function*).
# - Reductions are part of the model (*a sum of squares is a Gaussian likelihood with σ² = ½*).
# - A linear VAE is probabilistic PCA, and its dead latents are its optimum (*a latent collapses exactly when σ² exceeds its eigenvalue*).
# - A tighter bound can leave its encoder less signal (*the encoder's signal-to-noise falls to less than a fifth*).

# %% tags=["nbval-ignore-output"]
progress("06_vae_math")

# %% [markdown]
# **Open questions.** What would a $q$ look like that can be correlated? Is a collapsed latent ever bad?
#
# **References.** Kingma and Welling 2014, *Auto-encoding variational Bayes*: section 2 and appendix B. Rezende, Mohamed and Wierstra 2014. Burda, Grosse
# and Salakhutdinov 2016, *Importance weighted autoencoders*. Tipping and Bishop 1999, *Probabilistic principal component analysis*. Lucas et al. 2019, *Don’t blame the
# ELBO!* Rolinek et al. 2019, *Variational autoencoders pursue PCA directions (by accident)*. Cremer et al. 2018, *Inference suboptimality*. Rainforth et al. 2018,
# *Tighter variational bounds are not necessarily better*. Loaiza-Ganem and Cunningham 2019, *The continuous Bernoulli*.
