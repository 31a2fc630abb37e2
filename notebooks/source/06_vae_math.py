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
# A model with something unseen in it, a *latent* $z$, gives an example the probability
# $p(x) = \int p(x \mid z)\,p(z)\,dz$, and for a network that integral is out of reach. A bound on it is not. This chapter
# derives the bound and learns from it, in a model so small that the truth is known and what the bound costs can be
# seen. The picture shows what an image tells about its latent, and how near the bound comes.

# %% tags=["hide-input"]
from course_lib.chapters.ch06_vae_math import figures as pictures
from course_lib.classroom.figures import show

fig, alt = pictures.opening(weight=(3.0, -2.0, 1.5), bias=(-0.5, 0.5, 0.2), x=(1, 0, 1))
show(fig, alt=alt)

# %% [markdown]
# Afterwards you can
#
# - derive the ELBO in two ways, and say what its gap is;
# - carry a gradient through a random draw, and say when that pays;
# - write the loss, and spot a mean that silently changes what is learned.
#
# **Needs** chapters 00 and 01. **Time** 50 minutes to read and run, 30 for the exercises; the cells run in about 15 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $z$ | latent: what is never seen | (latent,) |
# | $q$ | the encoder's $q(z\mid x) = \mathcal N(\mu, \sigma^2)$ | |
# | $\mu, \sigma$ | its mean and standard deviation | (latent,) |
# | $\epsilon$ | a draw from $\mathcal N(0, 1)$ | (latent,) |
# | $w$ | importance weight $p(x, z)/q(z\mid x)$ | (k, batch) |
# | $k$ | draws of $z$ for one example | |
# | $\beta$ | factor before the KL | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from course_lib.chapters.ch06_vae_math.optimum import maximise_bound
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.information.divergences import monte_carlo
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · A sum over everything unseen
#
# Our model first draws one number $z$ from the **prior** $p(z) = \mathcal N(0, 1)$, which says what is believed of $z$
# before an image is seen. Then it draws three pixels, independent once $z$ is given: pixel $i$ is 1 with probability
# $1/(1 + e^{-(a_i z + b_i)})$, where the $a_i$ and $b_i$ are `weight` and `bias` below. The probability of an image adds
# up all the ways to make it:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz . \tag{6.1}$$
#
# With one latent this is a sum on a grid. A coarser grid tells whether ours is fine enough.

# %%
weight = torch.tensor([3.0, -2.0, 1.5], dtype=f64)  # three pixels, one latent: logits z · weight + bias
bias = torch.tensor([-0.5, 0.5, 0.2], dtype=f64)
grid = torch.linspace(-8, 8, 2001, dtype=f64)[:, None]  # (2001, 1) values of z
dz = 16 / 2000
log_prior = Normal(0.0, 1.0).log_prob(grid[:, 0])  # (2001,)


def log_likelihood(x, z, weight=weight, bias=bias):
    """Return ln p(x | z); the last axis of x has the pixels, that of z the one latent."""
    p = (z * weight + bias).sigmoid()  # of each pixel: the probability of a one
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)

# %%
images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=f64)] * 3)  # (8, 3): all there are
x = images[5]  # (1, 0, 1), the image that we follow
joint = log_likelihood(images[:, None], grid) + log_prior  # (8, 2001): ln p(x, z)
p_x = joint.exp().sum(1) * dz  # (8,): equation (6.1)
claim("the eight p(x) sum to 1: no prior is lost at the ends", abs(p_x.sum() - 1) < 1e-10)
claim("a fifth of the grid's points gives the same eight p(x), to ten digits",
      torch.allclose(joint[:, ::5].exp().sum(1) * 5 * dz, p_x, rtol=1e-10))
print("p(x):", [round(p, 3) for p in p_x.tolist()])

# %% [markdown]
# Models of real images have perhaps 50 latents, and ten grid points for each make $10^{50}$ points. Chapter 01 has another
# way to an expectation: $p(x) = \mathrm{E}_{p(z)}[p(x\mid z)]$, so average $p(x\mid z)$ over draws from the prior. A
# single draw has the variance $\mathrm{E}[p(x\mid z)^2] - p(x)^2$. The standard error of a mean over $n$ draws, as a
# share of $p(x)$, is therefore $\sqrt{(r - 1)/n}$ with
# $r = \mathrm{E}[p(x\mid z)^2]/p(x)^2$.

# %%
prior = log_prior.exp()
given = log_likelihood(x, grid).exp()  # (2001,): p(x | z)
r = (given**2 * prior).sum().item() * dz / p_x[5].item() ** 2
needed = (r - 1) / 0.1**2  # draws for a standard error of a tenth of p(x)
claim("for our image r is 2.53, so 153 draws give an error of 10 %",
      round(r, 2) == 2.53 and round(needed) == 153)
z = torch.randn(2000, 153, 1, dtype=f64, generator=torch.Generator().manual_seed(1))
estimates = log_likelihood(x, z).exp().mean(1)
claim("2,000 estimates of 153 draws each scatter by 10 %, within a tenth of that, about p(x)",
      abs(estimates.std() / p_x[5] - 0.1) < 0.01 and abs(estimates.mean() / p_x[5] - 1) < 0.012,
      relative=estimates.std() / p_x[5])

# %% [markdown]
# Now let the model have 50 such latents, each with three pixels of its own, and the image be $(1, 0, 1)$ fifty times. Both
# expectations in $r$ become products of 50 equal factors. **Guess:** how many draws does an error of 10 % take then?

# %% tags=["nbval-ignore-output"]
guess("draws_for_fifty", ...)

# %%
fifty = (r**50 - 1) / 0.1**2
claim("with fifty latents r is 2.53⁵⁰, and it takes more than 10²¹ draws",
      fifty > 1e21, guessed="draws_for_fifty", draws=fifty)

# %% [markdown]
# With fifty latents nearly every draw from the prior explains nothing of the image. Draws are needed where $x$ could have come from, that is,
# from the **posterior** $p(z\mid x) = p(x, z)/p(x)$. But its denominator is what we are looking for.
#
# ## 2 · The bound, two ways
#
# So guess the posterior. Take some distribution $q$ with $q(z) > 0$ wherever $p(x, z) > 0$, draw $z$ from it, and look at the
# **weight** $w = p(x, z)/q(z)$. Its mean is the likelihood, whatever $q$ is:
#
# $$\mathrm{E}_q[w] = \int q(z)\,\frac{p(x, z)}{q(z)}\,dz = \int p(x,z)\,dz = p(x).$$
#
# **First way**, by Jensen's inequality. From chapter 01, $\ln u \le u - 1$. Put $u = w/\mathrm{E}[w]$ and take the mean:
# $\mathrm{E}[\ln w] - \ln \mathrm{E}[w] \le \mathrm{E}[u] - 1 = 0$. So
#
# $$\mathrm{ELBO} := \mathrm{E}_q[\ln w] \;\le\; \ln \mathrm{E}_q[w] = \ln p(x). \tag{6.2}$$
#
# This is the **evidence lower bound**; evidence is another name for $p(x)$.

# %% [markdown]
# **Second way**, which also says how much is missing. Split $p(x, z) = p(x)\,p(z\mid x)$ inside the logarithm:
#
# $$\mathrm{E}_q[\ln w] = \ln p(x) + \mathrm{E}_q\Big[\ln\frac{p(z\mid x)}{q(z)}\Big]
#   = \ln p(x) - \mathrm{KL}\big(q\,\|\,p(z\mid x)\big). \tag{6.3}$$
#
# The gap is a KL. So whatever raises the ELBO raises $\ln p(x)$, or brings $q$ nearer to the posterior, or both. Split
# $p(x,z) = p(x\mid z)\,p(z)$ instead, and nothing unknown is left in it:
#
# $$\mathrm{ELBO} = \underbrace{\mathrm{E}_q[\ln p(x\mid z)]}_{\text{reconstruction}}
#   - \underbrace{\mathrm{KL}\big(q\,\|\,p(z)\big)}_{\text{departure from the prior}} . \tag{6.4}$$

# %%
q = Normal(torch.tensor(0.8, dtype=f64), torch.tensor(0.8, dtype=f64))  # a guess of the posterior
log_q = q.log_prob(grid[:, 0])
log_w = joint[5] - log_q
E = lambda values: (log_q.exp() * values).sum() * dz  # expectation under q
value, log_p = E(log_w), p_x[5].log()  # the ELBO; ln p(x)
generator = torch.Generator().manual_seed(2)
drawn = 0.8 + 0.8 * torch.randn(100_000, dtype=f64, generator=generator)  # from q
ln_w = log_likelihood(x, drawn[:, None]) + Normal(0.0, 1.0).log_prob(drawn) - q.log_prob(drawn)
(mean_w, error_w), (mean_ln, error_ln) = monte_carlo(ln_w.exp()), monte_carlo(ln_w)
claim("of 100,000 draws the mean weight is p(x), the mean logarithm the ELBO, within 5 standard errors",
      abs(mean_w - p_x[5]) < 5 * error_w and abs(mean_ln - value) < 5 * error_ln,
      mean_weight=mean_w, p=p_x[5], mean_log=mean_ln, elbo=value)

# %%
pixels = (grid * weight + bias).sigmoid()  # (2001, 3)
likely = (x * pixels + (1 - x) * (1 - pixels)).prod(1)  # p(x | z) once more, as three factors
posterior = likely * prior / (likely * prior).sum() / dz  # its own sum makes it a density
gap = log_p - value
claim("what is missing is KL(q ‖ posterior), here 0.26 nats",
      abs(gap - E(log_q - posterior.log())) < 1e-9 and round(gap.item(), 2) == 0.26)
recon, kl = E(likely.log()), kl_divergence(q, Normal(0.0, 1.0))
claim("reconstruction minus KL to the prior is the ELBO", abs(recon - kl - value) < 1e-9)

# %% [markdown]
# ### Look yourself
#
# The posterior of three pixels is no Gaussian, so no Gaussian $q$ closes the gap. Now let *one number* be seen, with a noise
# $s$: $p(x\mid z) = \mathcal N(z, s^2)$. Then $p(x) = \mathcal N(0, 1 + s^2)$, and $\ln p(x, z)$ is quadratic in $z$, with the second
# derivative $-(1 + 1/s^2)$ and its top at $z = x/(1 + s^2)$. So the posterior is a Gaussian, and $q$ can be it.
#
# Answer what the explorer asks, and then move $q$. Its third picture goes down from 0 by the two terms of equation (6.4), and up
# again by the KL of equation (6.3).

# %%
s, seen = torch.tensor(0.6, dtype=f64), torch.tensor(1.6, dtype=f64)  # the noise, and the x that is seen
exact = Normal(seen / (1 + s**2), (1 + s**-2).rsqrt())
every_log_w = Normal(grid[:, 0], s).log_prob(seen) + log_prior - exact.log_prob(grid[:, 0])
claim("where q is the posterior, the weight is p(x) at every z: nothing is missing",
      (every_log_w - Normal(0.0, (1 + s**2).sqrt()).log_prob(seen)).abs().max() < 1e-10)
pictures.bound_explorer(seen.item(), s.item())

# %% [markdown]
# ## 3 · The KL, term by term
#
# A **variational autoencoder**, VAE, trains two networks together. The **decoder** turns $z$ into the parameters of
# $p(x\mid z)$. The **encoder** turns $x$ into $\mu$ and $\sigma$ of its guess $q(z\mid x) = \mathcal N(\mu, \sigma^2)$; several
# latents are independent under it. Both climb the ELBO of equation (6.4).

# %% tags=["hide-input"]
fig = pictures.autoencoder()
show(fig, alt="A VAE as a diagram: the encoder makes μ and ln σ² of x, a draw z is made with noise ε, "
              "the decoder makes the parameters of p(x|z); the KL hangs on μ and ln σ², the "
              "reconstruction on x and the decoder.")

# %% [markdown]
# For these Gaussians the KL has a closed form. Write $z = \mu + \sigma\epsilon$ with $\epsilon\sim\mathcal N(0,1)$. Then
#
# $$\ln q(z) = -\ln\sigma - \tfrac12\epsilon^2 - \tfrac12\ln 2\pi, \qquad \ln p(z) = -\tfrac12 z^2 - \tfrac12\ln 2\pi,$$
#
# and the KL is the mean of the difference. What are $\mathrm{E}[\epsilon^2]$ and $\mathrm{E}[z^2]$? The rest is yours. The
# encoder puts out $\ln\sigma^2$, called `logvar`: any real number is allowed for it, and the variance is positive by itself.
#
# ### Exercise: the KL to the prior
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.kl_to_standard_normal")
def kl_to_standard_normal(mu, logvar):
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)) of each example, in nats.

    mu, logvar (..., latent), logvar = ln σ²; returns (...).
    Worked value: mu = [1., 0.], logvar = [0., 0.] give 0.5.
    """
    # one number for each example: the KL of all its latents together
    ...

# %%
mu, logvar = torch.randn(2, 4, 3, dtype=f64, generator=generator)  # four examples, three latents
theirs = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1)
claim("it is PyTorch's", torch.allclose(kl_to_standard_normal(mu, logvar), theirs, rtol=1e-10))
ours = kl_to_standard_normal(*torch.tensor([[[0.8]], [[2 * math.log(0.8)]]], dtype=f64))
claim("and the grid's, for the q of section 2",
      torch.allclose(ours, E(log_q - log_prior), rtol=1e-10), nats=ours)

# %% [markdown]
# Since $\mathrm{E}[\epsilon^2] = 1$ and $\mathrm{E}[z^2] = \mu^2 + \sigma^2$,
#
# $$\mathrm{KL} = \tfrac12\big(\mu^2 + \sigma^2 - 1 - \ln\sigma^2\big), \tag{6.5}$$
#
# and independent latents add up. The first term pulls means towards 0, the others widths towards 1.
#
# ## 4 · A gradient through a draw
#
# The other term of equation (6.4), $\mathrm{E}_q[f(z)]$ with $f(z) = \ln p(x\mid z)$, has no closed form and is estimated by
# drawing. But what is its gradient with respect to $\mu$? The draws themselves depend on $\mu$.
#
# **Score function.** Move the derivative under the integral and use $\partial q = q\,\partial\ln q$, where
# $\partial_\mu\ln q = (z - \mu)/\sigma^2 = \epsilon/\sigma$:
#
# $$\partial_\mu \mathrm{E}_q[f] = \int f\,\partial_\mu q\,dz = \mathrm{E}_q\big[f(z)\,\partial_\mu\ln q(z)\big]
#   = \mathrm{E}\Big[f(z)\,\frac{\epsilon}{\sigma}\Big].$$
#
# It needs values of $f$ and no derivative, and it works for discrete $z$ too.

# %% [markdown]
# **Reparameterisation.** Let the chance come from outside: draw $\epsilon$ from $\mathcal N(0,1)$, which knows nothing of $\mu$
# and $\sigma$, and *make* the draw $z$ from the three. For a fixed $\epsilon$ this $z$ is an ordinary function of $\mu$ and $\sigma$,
# and the chain rule applies:
#
# $$\partial_\mu\,\mathrm{E}_\epsilon[f(z)] = \mathrm{E}_\epsilon\big[f'(z)\,\partial_\mu z\big], \qquad
#   \partial_\sigma\,\mathrm{E}_\epsilon[f(z)] = \mathrm{E}_\epsilon\big[f'(z)\,\partial_\sigma z\big].$$
#
# ### Exercise: the draw that keeps its gradient
# *difficulty 1/5 · importance 5/5 · 3 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.reparameterize")
def reparameterize(mu, logvar, eps):
    """Return z, a draw from N(mu, exp(logvar)), made from eps, a draw from N(0, 1).

    mu, logvar (batch, latent), eps (..., batch, latent); returns (..., batch, latent).
    Worked value: mu = [[1.]], logvar = [[ln 4]], eps = [[3.]] give [[7.]].
    """
    # a gradient must reach mu and logvar
    ...

# %%
def both_gradients(n, latents, generator):
    """Return n gradients by the first mu: score function, reparameterised, score of f − mean f."""
    mu = torch.full((n, latents), 0.8, dtype=f64, requires_grad=True)
    eps = torch.randn(n, latents, dtype=f64, generator=generator)
    z = reparameterize(mu, torch.full((n, latents), 2 * math.log(0.8), dtype=f64), eps)
    f = log_likelihood(x, z[..., None]).sum(1)  # (n,): the sum of the latents' ln p(x | z)
    (through,) = torch.autograd.grad(f.sum(), mu)
    f = f.detach()
    return f * eps[:, 0] / 0.8, through[:, 0], (f - f.mean()) * eps[:, 0] / 0.8


center = torch.tensor(0.8, dtype=f64, requires_grad=True)
q_of_center = Normal(center, 0.8).log_prob(grid[:, 0]).exp()
(q_of_center * likely.log() * dz).sum().backward()  # E_q[f] on the grid
truth = center.grad
score, path, _ = both_gradients(100_000, 1, generator)
(score_mean, score_error), (path_mean, path_error) = monte_carlo(score), monte_carlo(path)  # ± s.e.
claim("both estimates lie within 5 standard errors of the exact gradient",
      abs(score_mean - truth) < 5 * score_error and abs(path_mean - truth) < 5 * path_error,
      exact=truth, score=score_mean, path=path_mean)

# %% [markdown]
# Both are unbiased. For one latent, the score function's variance is here about eight times the other's. Now take 100
# independent latents, with $f$ the sum of 100 such terms, and the gradient by the first $\mu$ alone.
#
# **Guess:** by what factor is the score function's variance larger than the reparameterised one's then?

# %% tags=["nbval-ignore-output"]
guess("score_against_path", ...)

# %%
sizes = [1, 3, 10, 30, 100]
spread = torch.tensor([[g.var() for g in both_gradients(20_000, n, generator)] for n in sizes])
times = spread[:, 0] / spread[:, 1]
claim("one latent: the score function has more than 5 times the variance", times[0] > 5, times=times[0])
claim("100 latents: more than 1,000 times",
      times[-1] > 1000, guessed="score_against_path", times=times[-1])
claim("from 1 to 100 latents the reparameterised variance stays the same within 10 %",
      abs(spread[-1, 1] / spread[0, 1] - 1) < 0.1, path=spread[:, 1])
claim("from 10 to 100 latents the score function's variance grows more than 50-fold, with the mean of "
      "f subtracted 5- to 12-fold", spread[4, 0] > 50 * spread[2, 0]
      and 5 < spread[4, 2] / spread[2, 2] < 12, baseline=spread[:, 2])

# %% tags=["hide-input"]
fig = pictures.two_gradients(score, path, truth.item(), sizes, spread)
show(fig, alt="Left, histograms of gradients: the reparameterised end below 7, the score function's go "
              "on to the picture's edge at 30. Right, variance against latents: the reparameterised "
              "stays, the score function's grows, more slowly with the mean of f subtracted.")

# %% [markdown]
# The score function multiplies the *whole* $f$ by noise, also the 99 terms that have nothing to do with this latent, and
# they bring variance. Because $\mathrm{E}[\epsilon] = 0$, a constant may be subtracted from $f$, and without
# its mean the variance grows like the number of latents, no longer like its square. The derivative $f'$ knows which term
# moved, so in a *sum of independent terms* the others add nothing.
#
# For an $f$ that oscillates fast it can be the other way round (Mohamed et al. 2020).

# %% [markdown]
# ## 5 · The loss as one writes it
#
# $\ln p(x\mid z)$ depends on what kind of number a pixel is taken to be. **Bernoulli**: a bit. The decoder gives a logit $l$, the pixel
# is 1 with probability $\sigma(l) = 1/(1+e^{-l})$, and
#
# $$\ln p(x \mid z) = \sum_{\text{pixels}} \big[x\ln\sigma(l) + (1-x)\ln(1-\sigma(l))\big].$$
#
# ($\sigma(\cdot)$ with brackets is this function, a bare $\sigma$ the encoder's.) Written down like that it fails: in float64
# $\sigma(40)$ is exactly 1, and the logarithm of the rest is $-\infty$. A form without that flaw is asked for; `F` has
# `softplus`, which is $\ln(1 + e^l)$, and `logsigmoid`.
#
# ### Exercise: binary pixels
# *difficulty 3/5 · importance 4/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.bernoulli_log_likelihood")
def bernoulli_log_likelihood(x, logits):
    """Return ln p(x | z) of binary pixels, summed over the last axis, in nats.

    x (..., pixels) of zeros and ones; logits l (..., pixels): a pixel is 1 with probability σ(l).
    Finite for every finite logit, also ±800. Worked value: x = [1., 0.], logits = [0., 0.]
    give −2 ln 2.
    """
    # values and gradients, finite for logits of any size
    ...

# %%
logits = grid * weight + bias  # (2001, 3)
again = bernoulli_log_likelihood(*torch.broadcast_tensors(images[:, None], logits))  # (8, 2001)
claim("for all images and z it is what the grid used, to six digits",
      torch.allclose(again, joint - log_prior, rtol=1e-6))

# %% [markdown]
# With $\ln\sigma(l) = l - \ln(1+e^l)$ and $\ln(1-\sigma(l)) = -\ln(1+e^l)$ the sum's terms become $x\,l - \ln(1 + e^{l})$.
#
# Libraries call its negative the *binary cross-entropy*, and many programs apply it to **grey** pixels. That is no density of
# greys: at $l = 0$ its exponential is ½ for every $x$, which integrates to ½ over $[0, 1]$. But $x\,l - \ln(1+e^l)$ is
# linear in $x$. So its value at a grey $x$ is the average of $\ln p(\text{bits}\mid z)$ over black-and-white images whose
# pixel $i$ is 1 with probability $x_i$. Maximising it trains a model of *those*; chapter 07 therefore draws them.

# %%
grey = torch.tensor([0.95, 0.1, 0.9], dtype=f64)
chance = (images * grey + (1 - images) * (1 - grey)).prod(1)  # (8,): drawn from grey
bce = F.binary_cross_entropy_with_logits(logits, grey.expand_as(logits), reduction="none").sum(-1)
claim("minus the cross-entropy is the mean of ln p(bits | z) over bits drawn with these greys",
      torch.allclose(chance @ again, -bce, rtol=1e-10))

# %% [markdown]
# ### Exercise: the ELBO
# *difficulty 2/5 · importance 5/5 · 4 minutes*
#
# One draw of $z$ was made for each example and decoded to logits. Equation (6.4), from what you have written.

# %% tags=["nbval-ignore-output"]
@exercise("vae.elbo")
def elbo(x, logits, mu, logvar):
    """Return (elbo, recon, kl), each (batch,), in nats; one draw of z was decoded to the logits.

    x, logits (batch, pixels); mu, logvar (batch, latent) of q(z|x).
    Worked value: x = [[1., 0.]], logits = [[0., 0.]], mu = [[1.]], logvar = [[0.]] give
    recon = −2 ln 2, kl = 0.5, elbo = −1.886.
    """
    # the bound, not the loss; each example by itself
    ...

# %%
n = 100_000
mu, logvar = torch.full((n, 1), 0.8, dtype=f64), torch.full((n, 1), 2 * math.log(0.8), dtype=f64)
z = reparameterize(mu, logvar, torch.randn(n, 1, dtype=f64, generator=generator))
estimate, error = monte_carlo(elbo(x.expand(n, 3), z * weight + bias, mu, logvar)[0])
claim("its mean over draws is the bound of section 2, within 5 standard errors",
      abs(estimate - value) < 5 * error, estimate=estimate, exact=value)

# %% [markdown]
# ### Question: a mean for a sum
# *difficulty 2/5 · importance 5/5 · 4 minutes*
#
# Libraries offer `reduction="mean"`. Say somebody takes the mean over 784 pixels and the mean over 50 latents, so that the loss is
# $-\text{recon}/784 + \mathrm{kl}/50$ with recon and kl the sums. Up to a factor in front of everything it is
# $-\text{recon} + \beta\,\mathrm{kl}$. What is $\beta$? (A number; 1 % off is fine.)

# %% tags=["nbval-ignore-output"]
answer("vae.beta_of_means", ...)

# %% [markdown]
# The factor in front is another rate; $\beta$ changes *what* is learned. A loss may hide one, too. For a Gaussian with fixed
# noise $s$ around the decoder's output $\hat x$ the loss is $\|x - \hat x\|^2/(2s^2) + \mathrm{KL}$, which times $2s^2$ is
# $\|x - \hat x\|^2 + 2s^2\,\mathrm{KL}$. Plain ‘squares plus KL’ means $s^2 = \tfrac12$, noise of 0.71 on pixels
# between 0 and 1.
#
# ### Learn from the bound
#
# Data come from the eight images with their $p(x)$. A new model has to find their distribution, with the integral forbidden.
# Its encoder is a table, $\mu$ and $\ln\sigma^2$ for each image. Each step takes 64 images, one draw of $z$ for each, and
# climbs your ELBO. Five more models train with $\beta = 2$. The grid only judges: how far is a model from the data?

# %%
device, every = run.float64_device, 25


def learn(seed, steps, beta=1):
    """Train weight, bias and a table of q; return weight and bias every 25 steps, (times, 2, 3)."""
    generator, shown = torch.Generator().manual_seed(seed), images.to(device)
    a = (0.1 * torch.randn(3, dtype=f64, generator=generator)).to(device).requires_grad_()
    b = torch.zeros(3, dtype=f64, device=device, requires_grad=True)
    table = torch.zeros(8, 2, dtype=f64, device=device, requires_grad=True)  # mu, logvar of each image
    optimizer, kept = torch.optim.Adam([a, b, table], lr=0.02), []
    for step in range(steps):
        which = torch.multinomial(p_x, 64, replacement=True, generator=generator).to(device)
        mu, logvar = table[which].chunk(2, dim=1)  # (64, 1) each
        eps = torch.randn(64, 1, dtype=f64, generator=generator).to(device)
        z = reparameterize(mu, logvar, eps)
        _, recon, kl = elbo(shown[which], z * a + b, mu, logvar)  # (64,) each
        optimizer.zero_grad()
        (beta * kl - recon).mean().backward()
        optimizer.step()
        if step % every == 0:
            kept.append(torch.stack([a, b]).detach().cpu())
    return torch.stack([*kept, torch.stack([a, b]).detach().cpu()])

# %% tags=["nbval-ignore-output"]
run.expect("ten models of three pixels", 1)
steps = run.pick(quick=500, full=2000)
found = [learn(seed, steps) for seed in range(5)]
doubled = [learn(seed, steps, beta=2) for seed in range(5)]

# %%
def kl_to_data(weight, bias):
    """Return KL(data ‖ model) over the eight images, by the grid."""
    log_joint = log_likelihood(images[:, None], grid, weight, bias) + log_prior  # (8, 2001)
    return (p_x * (p_x / (log_joint.exp().sum(1) * dz)).log()).sum()


curves, with_two = (torch.stack([torch.stack([kl_to_data(*each) for each in kept]) for kept in models])
                    for models in (found, doubled))  # (5, times) each
ones = p_x @ images  # how often each pixel is 1
apart = (images * ones + (1 - images) * (1 - ones)).prod(1)  # the best that independent pixels can do
independent = (p_x * (p_x / apart).log()).sum()
claim("five models that saw only the bound end within 0.007 nats of the data; independent pixels "
      "cannot come below 0.20", curves[:, -1].max() < 0.007 and round(independent.item(), 2) == 0.20,
      start=curves[:, 0], end=curves[:, -1], independent=independent)
claim("with β = 2 all five stay above 0.15 nats", with_two[:, -1].min() > 0.15, end=with_two[:, -1])

# %% [markdown]
# Did they find the data's weight, too, (3, −2, 1.5)? `maximise_bound` climbs the mean ELBO of all eight images without draws,
# its expectations by quadrature.

# %%
best_weight, best_bias, highest = maximise_bound(images, p_x, weight, bias)
*_, at_truth = maximise_bound(images, p_x, weight, bias, keep_model=True)  # only the table is fitted
reachable = p_x @ p_x.log()  # the data's own mean ln p(x)
floor = kl_to_data(best_weight, best_bias)
claim("the bound's own optimum has the weight (2.39, −1.94, 1.50), and lies 0.0013 nats from the data",
      [round(a, 2) for a in best_weight.tolist()] == [2.39, -1.94, 1.5] and abs(floor - 0.0013) < 5e-5)
claim("the best ELBO at the data's own weight is 0.0107 nats below the data's mean ln p(x), that at the "
      "optimum 0.0087", abs(reachable - at_truth - 0.0107) < 5e-5
      and abs(reachable - highest - 0.0087) < 5e-5)
ends = torch.stack([kept[-1][0] for kept in found])  # (5, 3)
claim("the five end with a first weight nearer to the bound's 2.39 than to 3, up to its sign",
      (ends[:, 0].abs() - 2.39).abs().max() < 0.3, weights=ends)

# %% tags=["hide-input"]
fig = pictures.learned(curves, with_two, every, independent.item(), floor.item())
fig.axes[0].set_title("Climbing a bound, five models learn how the pixels hang together", loc="left")
show(fig, alt="KL from the data to the model over the steps, five seeds each: with the ELBO from 0.22 "
              "nats to about a hundredth of that, near the optimum; with β = 2 they stay near the "
              "level of 0.20 that independent pixels cannot beat.")

# %% [markdown]
# This is what the bound cost: at the data's own weight the best Gaussian $q$ leave a gap of 0.0107 nats. The optimum gives up
# 0.0013 nats of likelihood and has a gap of only 0.0074, together 0.0087. The model bends itself until its posteriors are
# easier for $q$, and longer training would not undo it.
#
# A weight may also end mirrored, all signs turned: with $-z$ for $z$ it is the same model, since the prior is symmetric.

# %% [markdown]
# ## 6 · More draws, a tighter bound
#
# The weights hold more than their mean logarithm. Average $k$ of them *before* the logarithm (Burda et al. 2016):
#
# $$\mathcal L_k = \mathrm{E}\Big[\ln\frac1k\sum_{i=1}^k w_i\Big], \qquad
#   \mathcal L_1 = \mathrm{ELBO}, \qquad \mathcal L_k \le \ln p(x). \tag{6.6}$$
#
# The inequality is Jensen's again, since the mean inside is unbiased for $p(x)$. And $\mathcal L_k$ never falls with $k$. For
# $k = 2$, $\ln\frac{w_1 + w_2}2 \ge \frac{\ln w_1 + \ln w_2}2$, since the logarithm is concave, and the right side has the mean
# $\mathcal L_1$. For larger $k$ average over which weight is left out.
#
# ### Exercise: the importance-weighted bound
# *difficulty 2/5 · importance 5/5 · 5 minutes*
#
# Weights of an image of 784 pixels are like $e^{-100}$, and far smaller where $q$ is poor. In float32 $e^{-105}$ is 0, in
# float64 $e^{-750}$.

# %% tags=["nbval-ignore-output"]
@exercise("vae.importance_weighted_bound")
def importance_weighted_bound(log_w):
    """Return ln((w_1 + … + w_k)/k) of every example; log_w (k, batch) holds ln w, returns (batch,).

    Worked value: log_w = [[0.], [ln 5]] gives [ln 3].
    """
    # finite where every ln w is near −2,000
    ...

# %%
n, ks = 20_000, [4**i for i in range(5)]  # k = 1, 4, 16, 64, 256
drawn = 0.8 + 0.8 * torch.randn(256, n, dtype=f64, generator=generator)  # from the q of section 2
ln_w = log_likelihood(x, drawn[..., None]) + Normal(0.0, 1.0).log_prob(drawn) - q.log_prob(drawn)
tighter = []
for k in ks:  # always all 256 draws, k at a time
    groups = torch.stack([importance_weighted_bound(group) for group in ln_w.split(k)])  # (256 / k, n)
    tighter.append(monte_carlo(groups.mean(0)))
levels, errors = zip(*tighter, strict=True)
claim("k = 1 is the ELBO of section 2, within 5 standard errors", abs(levels[0] - value) < 5 * errors[0])
claim("k = 256 is within 0.002 nats of ln p(x)", abs(levels[-1] - log_p) < 0.002, gap=log_p - levels[-1])
claim("four draws close more than three quarters of the gap", log_p - levels[1] < (log_p - value) / 4,
      gaps=[log_p - each for each in levels])

# %% [markdown]
# ## What stays
#
# - A likelihood that cannot be summed can be bounded, and
#   [*what is missing is KL(q ‖ posterior)*](#2-·-The-bound,-two-ways).
# - With the chance outside, draws have gradients. In a sum of independent terms the others add no variance:
#   [*the reparameterised variance stays the same within 10 %*](#Exercise:-the-draw-that-keeps-its-gradient).
# - At greys the cross-entropy speaks of binary images: minus it is
#   [*the mean of ln p(bits | z) over bits drawn with these greys*](#Exercise:-binary-pixels).
# - In the model of three pixels one learns from the bound alone:
#   [*five models that saw only the bound end within 0.007 nats of the data*](#Learn-from-the-bound). The price:
#   [*the bound's own optimum has the weight (2.39, −1.94, 1.50)*](#Learn-from-the-bound), not (3, −2, 1.5). A factor of 2 before the KL costs far more: [*with β = 2 all five stay above 0.15 nats*](#Learn-from-the-bound).
# - More draws tighten it: here [*k = 256 is within 0.002 nats of ln p(x)*](#Exercise:-the-importance-weighted-bound).

# %% tags=["nbval-ignore-output"]
progress("06_vae_math")

# %% [markdown]
# **Deeper**, and optional, is chapter 06b: where a VAE ends whose optimum can be written down, when $\mathcal L_k$ reaches $\ln p(x)$, and
# what more draws do to the *encoder's* gradient.
#
# **Open questions.** What could a $q$ look like that follows a skewed posterior? The encoder of section 5 is a table. What can a network lose in its place (the *amortisation gap* of Cremer et al. 2018)?
#
# **References.** Kingma and Welling 2014, *Auto-encoding variational Bayes*: section 2, and appendix B for the KL. Rezende, Mohamed and
# Wierstra 2014, *Stochastic backpropagation*: the same idea, found independently. Burda, Grosse and Salakhutdinov 2016,
# *Importance weighted autoencoders*: section 3. Loaiza-Ganem and Cunningham 2019, *The continuous Bernoulli*: what goes wrong with
# greys. Mohamed et al. 2020, *Monte Carlo gradient estimation*: section 3, on which of the two varies less.
