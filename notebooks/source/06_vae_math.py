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
# derives the bound and learns from it, in a model so small that the truth is known and every loss of the bound can be
# seen. It starts from the picture below: what an image tells about its latent, and how near the bound comes.

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
# **Needs** chapters 00 and 01. **Time** 45 minutes to read and run, 45 for the exercises; the cells run in about 10 s.
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
from itertools import pairwise

import torch
from torch.distributions import Normal
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.information.divergences import monte_carlo
from course_lib.training.runtime import start
from course_lib.vae import bounds, likelihoods

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · A sum over everything unseen
#
# Our model first draws one number $z$ from the **prior** $p(z) = \mathcal N(0, 1)$, which says what is believed of $z$
# before an image is seen. Then it draws three pixels. Pixel $i$ is 1 with probability $1/(1 + e^{-(a_i z + b_i)})$, where
# the $a_i$ and $b_i$ are `weight` and `bias` below. Given $z$, the pixels are independent. The probability of an image adds
# up all the ways to make it:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz . \tag{6.1}$$
#
# With one latent this is a sum on a grid. There are only eight images, so we can check that nothing was lost.

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
x = torch.tensor([1.0, 0.0, 1.0], dtype=f64)  # the image that we follow
total = 0.0
for z in grid:  # equation (6.1) as a loop, for this image
    total += (log_likelihood(x, z) + Normal(0.0, 1.0).log_prob(z)[0]).exp().item() * dz
images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=f64)] * 3)  # (8, 3); x is images[5]
joint = log_likelihood(images[:, None], grid) + log_prior  # (8, 2001): ln p(x, z)
p_x = joint.exp().sum(1) * dz  # (8,)
claim("loop and matrix agree", abs(total - p_x[5]) < 1e-12)
claim("the eight images share a probability of 1", abs(p_x.sum() - 1) < 1e-10)
print("p(x):", [round(p, 3) for p in p_x.tolist()])

# %% [markdown]
# Models of real images have perhaps 50 latents, and ten grid points for each make $10^{50}$ points. Chapter 01 has another
# way to an expectation, which is to draw. Equation (6.1) says $p(x) = \mathrm{E}_{p(z)}[p(x\mid z)]$, so we may average
# $p(x\mid z)$ over draws from the prior. A single draw has the variance $\mathrm{E}[p(x\mid z)^2] - p(x)^2$. The standard
# error of a mean over $n$ draws, as a share of $p(x)$, is therefore $\sqrt{(r - 1)/n}$ with
# $r = \mathrm{E}[p(x\mid z)^2]/p(x)^2$.

# %%
prior = log_prior.exp()
r = ((joint[5].exp() / prior) ** 2 * prior).sum().item() * dz / p_x[5].item() ** 2
needed = (r - 1) / 0.1**2  # draws for a standard error of a tenth of p(x)
claim("for our image r is 2.53, so 153 draws give an error of 10 %",
      round(r, 2) == 2.53 and round(needed) == 153)
z = torch.randn(2000, 153, 1, dtype=f64, generator=torch.Generator().manual_seed(1))
estimates = log_likelihood(x, z).exp().mean(1)
claim("2,000 estimates of 153 draws each do scatter by 10 %, within a tenth of that",
      abs(estimates.std() / p_x[5] - 0.1) < 0.01, relative=estimates.std() / p_x[5])

# %% [markdown]
# Now let the model have 50 such latents, each with three pixels of its own. Both expectations in $r$ become products of 50
# equal factors. **Guess:** how many draws does an error of 10 % take then?

# %% tags=["nbval-ignore-output"]
guess("draws_for_fifty", ...)

# %%
fifty = (r**50 - 1) / 0.1**2
claim("with fifty latents r is 2.53⁵⁰, and it takes more than 10²¹ draws",
      fifty > 1e21, guessed="draws_for_fifty", draws=fifty)

# %% [markdown]
# Nearly every draw from the prior explains nothing of *this* image. Draws are needed where $x$ could have come from, that is,
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
#   - \underbrace{\mathrm{KL}\big(q\,\|\,p(z)\big)}_{\text{distance from the prior}} . \tag{6.4}$$

# %%
q = Normal(torch.tensor(0.8, dtype=f64), torch.tensor(0.8, dtype=f64))  # a guess of the posterior
log_q = q.log_prob(grid[:, 0])
log_w = joint[5] - log_q
E = lambda values: (log_q.exp() * values).sum() * dz  # expectation under q
value, log_p = E(log_w), p_x[5].log()
claim("the mean weight is p(x)", torch.allclose(E(log_w.exp()), p_x[5], rtol=1e-10))
claim("first way: the mean logarithm is less than its logarithm", value < log_p)
claim("second way: what is missing is KL(q ‖ posterior), here 0.26 nats",
      torch.allclose(log_p - value, E(log_q - (joint[5] - log_p)), rtol=1e-10)
      and round((log_p - value).item(), 2) == 0.26)
pixels = (grid * weight + bias).sigmoid()  # (2001, 3)
recon = E((x * pixels + (1 - x) * (1 - pixels)).prod(1).log())  # no prior in it: three factors
kl = torch.distributions.kl_divergence(q, Normal(0.0, 1.0))  # no grid in it
claim("reconstruction minus KL to the prior is the same number", abs(recon - kl - value) < 1e-9)

# %% tags=["hide-input"]
fig = pictures.ladder(*(float(number) for number in (log_p, value, recon)))
finding = "The reconstruction, less one KL, is the ELBO; another KL is missing"
fig.axes[0].set_title(finding, loc="left", pad=34)
show(fig, alt="Three lengths on an axis of nats: from 0 down to the reconstruction, from there down by "
              f"the KL to the prior to the ELBO, from there up by {log_p - value:.2f} nats to ln p(x).")

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
# and the KL is the mean of their difference. What are $\mathrm{E}[\epsilon^2]$ and $\mathrm{E}[z^2]$? The rest is yours. The
# encoder puts out $\ln\sigma^2$, called `logvar`: any real number is allowed for it, and the variance is positive by itself.
#
# ### Exercise: the KL to the prior
# *difficulty 2/5 · importance 5/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.kl_to_standard_normal")
def kl_to_standard_normal(mu, logvar):
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)) of each example, in nats.

    mu, logvar (..., latent), logvar = ln σ²; returns (...).
    Worked value: mu = [1., 0.], logvar = [0., 0.] give 0.5.
    """
    # one number an example: independent latents, as one distribution
    ...

# %%
generator = torch.Generator().manual_seed(2)
mu, logvar = torch.randn(2, 4, 3, dtype=f64, generator=generator)  # four examples, three latents
theirs = torch.distributions.kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(-1)
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
# drawing. But what is its gradient by $\mu$? The draws themselves depend on $\mu$.
#
# **Score function.** Move the derivative under the integral and use $\partial q = q\,\partial\ln q$:
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
# *difficulty 1/5 · importance 5/5 · 5 minutes*

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
(Normal(center, 0.8).log_prob(grid[:, 0]).exp() * (joint[5] - log_prior) * dz).sum().backward()
truth = center.grad  # by the grid
score, path, _ = both_gradients(100_000, 1, generator)
(score_mean, score_error), (path_mean, path_error) = monte_carlo(score), monte_carlo(path)
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
show(fig, alt="Left, histograms of gradients: the reparameterised end below 7, the score "
              "function's tail beyond 30. Right, only its variance grows with the latents.")

# %% [markdown]
# The score function multiplies the *whole* $f$ by noise, also the 99 terms that have nothing to do with this latent. Their
# contribution has mean zero and a variance. Because $\mathrm{E}[\epsilon] = 0$, a constant may be subtracted from $f$, and without
# its mean the variance grows like the number of latents, no longer like its square. The derivative $f'$ knows which term
# moved, so in a *sum of independent terms* the others add nothing.
#
# Reparameterisation does not win for every $f$. Take $f(z) = \cos 10z$: it stays between −1 and 1, but its derivative
# $-10\sin 10z$ reaches ten. The two variances under our $q$ are $100\cdot\tfrac12 = 50$ and
# $\tfrac12/\sigma^2 = 0.78$, up to terms as small as $e^{-64}$.

# %%
wave, slope = (10 * grid[:, 0]).cos(), -10 * (10 * grid[:, 0]).sin()
by_score = wave * (grid[:, 0] - 0.8) / 0.8**2  # f(z) ε/σ
variance = lambda g: (E(g**2) - E(g) ** 2).item()
claim("for cos 10z the reparameterised gradient has the variance 50, the score function's 0.78125",
      abs(variance(slope) - 50) < 1e-8 and abs(variance(by_score) - 0.78125) < 1e-8)

# %% [markdown]
# ## 5 · The loss as one writes it
#
# $\ln p(x\mid z)$ depends on what we think that a pixel is. **Bernoulli**: it is a bit. The decoder gives a logit $l$, the pixel
# is 1 with probability $\sigma(l) = 1/(1+e^{-l})$, and
#
# $$\ln p(x \mid z) = \sum_{\text{pixels}} \big[x\ln\sigma(l) + (1-x)\ln(1-\sigma(l))\big].$$
#
# ($\sigma(\cdot)$ with brackets is this function, a bare $\sigma$ a standard deviation.) Written down like that it fails: in
# float64 $\sigma(40)$ is exactly 1, and the logarithm of the rest is $-\infty$. A form without that flaw is asked for.
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
near = slice(500, 1501)  # |z| up to 4
claim("for |z| up to 4 it is what the grid used, to 8 digits",
      torch.allclose(again[:, near], (joint - log_prior)[:, near], rtol=1e-8))

# %% [markdown]
# With $\ln\sigma(l) = l - \ln(1+e^l)$ and $\ln(1-\sigma(l)) = -\ln(1+e^l)$ the sum's terms become $x\,l - \ln(1 + e^{l})$.
#
# Libraries call its negative the *binary cross-entropy*, and many programs apply it to **grey** pixels, $x$ between 0 and 1.
# Is that a likelihood too? A density of greys would have to integrate to 1 over $[0, 1]$. **Guess** the integral of
# $e^{x\,l - \ln(1+e^l)}$ over $x$, for the logit $l = 0$.

# %% tags=["nbval-ignore-output"]
guess("area_of_greys", ...)

# %%
bce = lambda x, l: F.binary_cross_entropy_with_logits(l, x.expand_as(l), reduction="none").sum(-1)
greys = torch.linspace(0, 1, 1001, dtype=f64)[:, None]
area = torch.trapezoid((-bce(greys, torch.zeros_like(greys))).exp(), greys[:, 0])
claim("it integrates to a half: it is no density of greys",
      abs(area - 0.5) < 1e-12, guessed="area_of_greys", area=area)
grey = torch.tensor([0.95, 0.1, 0.9], dtype=f64)
chance = (images * grey + (1 - images) * (1 - grey)).prod(1)  # (8,): of each image, drawn from grey
of_grey = -bce(grey, logits)  # (2001,): for each z
claim("for |z| up to 4 it is the mean of ln p(bits | z) over bits drawn with these greys, to 1e-12",
      (chance @ again - of_grey)[near].abs().max() < 1e-12)
claim("so the ‘ELBO’ of the grey image is a lower bound on the mean ln p of such bits",
      E(of_grey) - kl < chance @ p_x.log(), bound=E(of_grey) - kl, mean_ln_p=chance @ p_x.log())

# %% [markdown]
# The cross-entropy is linear in $x$, so for greys it is a mean over binarised images, and its ELBO is a bound on *their* mean
# $\ln p$. Chapter 07 draws the bits. For grey values themselves one needs a density, for example a **Gaussian** around the
# decoder's output $\hat x$, with one $\sigma$ for all pixels:
# $-\ln p(x\mid z) = \|x - \hat x\|^2/(2\sigma^2) + {}$a constant. ‘Sum of squared errors plus KL’ is thus a choice too:
# $\sigma^2 = \tfrac12$, noise of 0.71 where values between 0 and 1 have a standard deviation of at most 0.5. Multiply the loss by
# $2\sigma^2$: squares $+\;2\sigma^2\,\mathrm{KL}$. Choosing $\sigma$ *is* choosing a factor before the KL.

# %%
x_hat = torch.randn(5, 784, dtype=f64, generator=generator)
target = torch.rand(5, 784, dtype=f64, generator=generator)
squares = ((x_hat - target) ** 2).sum(-1)
log_half = torch.full((784,), math.log(0.5), dtype=f64)
gauss = -likelihoods.gaussian_log_likelihood(target, x_hat, log_half)
claim("a sum of squares is a Gaussian likelihood with σ² = ½, up to a constant",
      torch.allclose(squares + 784 / 2 * math.log(math.pi), gauss, rtol=1e-12))

# %% [markdown]
# ### Exercise: the ELBO
# *difficulty 2/5 · importance 5/5 · 8 minutes*
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
# *difficulty 2/5 · importance 5/5 · 5 minutes*
#
# Libraries offer `reduction="mean"`. Say somebody takes the mean over 784 pixels and the mean over 50 latents, so that the loss is
# $-\text{recon}/784 + \mathrm{kl}/50$ with recon and kl the sums. Up to a factor in front of everything it is
# $-\text{recon} + \beta\,\mathrm{kl}$. What is $\beta$? (A number; 1 % off is fine.)

# %% tags=["nbval-ignore-output"]
answer("vae.beta_of_means", ...)

# %% [markdown]
# The factor in front multiplies the gradient. In plain gradient descent that is another rate; Adam divides by the gradient's size
# and hardly notices. But $\beta$ changes *what* is learned: with $\beta > 1$ a looser bound is raised, since no KL is negative, and
# with $\beta < 1$ something that need not be a bound.
#
# ### Learn from the bound
#
# Now the question of this chapter. Data come from the eight images with their $p(x)$. A new model has to find its weight
# and bias, with the integral forbidden. Its encoder is a table, $\mu$ and $\ln\sigma^2$ for each image. Each step takes 64
# images, one draw of $z$ for each, and climbs the ELBO. The grid only judges: how far is the model from the data?

# %%
device, every = run.float64_device, 25


def learn(seed, steps):
    """Train weight, bias and a table of q by the ELBO; return weight and bias every 25 steps."""
    generator, shown = torch.Generator().manual_seed(seed), images.to(device)
    a = (0.1 * torch.randn(3, dtype=f64, generator=generator)).to(device).requires_grad_()
    b = torch.zeros(3, dtype=f64, device=device, requires_grad=True)
    table = torch.zeros(8, 2, dtype=f64, device=device, requires_grad=True)  # mu, logvar of each image
    optimizer, kept = torch.optim.Adam([a, b, table], lr=0.02), []
    for step in range(steps):
        which = torch.multinomial(p_x, 64, replacement=True, generator=generator).to(device)
        mu, logvar = table[which].chunk(2, dim=1)  # (64, 1) each
        eps = torch.randn(64, 1, dtype=f64, generator=generator).to(device)
        z = bounds.reparameterize(mu, logvar, eps)  # the library's, whoever wrote yours
        value = bounds.elbo(shown[which], z * a + b, mu, logvar)[0]  # (64,)
        optimizer.zero_grad()
        (-value.mean()).backward()
        optimizer.step()
        if step % every == 0:
            kept.append(torch.stack([a, b]).detach().cpu())
    return torch.stack([*kept, torch.stack([a, b]).detach().cpu()])

# %% tags=["nbval-ignore-output"]
run.expect("five models of three pixels", 1)
found = [learn(seed, run.pick(quick=500, full=2000)) for seed in range(5)]

# %%
def kl_to_data(weight, bias):
    """Return KL(data ‖ model) over the eight images, by the grid."""
    log_joint = log_likelihood(images[:, None], grid, weight, bias) + log_prior  # (8, 2001)
    return (p_x * (p_x / (log_joint.exp().sum(1) * dz)).log()).sum()


curves = torch.stack([torch.stack([kl_to_data(*each) for each in kept]) for kept in found])
ones = p_x @ images  # how often each pixel is 1
apart = (images * ones + (1 - images) * (1 - ones)).prod(1)  # the best that independent pixels can do
independent = (p_x * (p_x / apart).log()).sum()
claim("five models that saw only the bound end within 0.02 nats of the data; independent pixels "
      "cannot come below 0.20", curves[:, -1].max() < 0.02 and round(independent.item(), 2) == 0.20,
      start=curves[:, 0], end=curves[:, -1], independent=independent)

# %% tags=["hide-input"]
fig = pictures.learned(curves, every, independent.item())
fig.axes[0].set_title("Climbing a bound, five models learn how the pixels hang together", loc="left")
show(fig, alt="KL from the data to the model over the steps, five seeds: from 0.22 nats to below 0.02, "
              "through the level of 0.20 that independent pixels cannot beat.")

# %% [markdown]
# ## 6 · More draws, a tighter bound
#
# The weights hold more than their mean logarithm. Average $k$ of them *before* the logarithm (Burda et al. 2016):
#
# $$\mathcal L_k = \mathrm{E}\Big[\ln\frac1k\sum_{i=1}^k w_i\Big], \qquad
#   \mathcal L_1 = \mathrm{ELBO}, \qquad \mathcal L_k \le \ln p(x). \tag{6.6}$$
#
# The inequality is Jensen's again, since the mean inside is unbiased for $p(x)$. And $\mathcal L_k$ never falls with $k$. The mean of
# $k$ weights is the mean of $k$ means, each of which leaves one weight out; so by concavity its logarithm is at least the mean of
# *their* logarithms, and each of those has the expectation $\mathcal L_{k-1}$.
#
# ### Exercise: the importance-weighted bound
# *difficulty 2/5 · importance 5/5 · 8 minutes*
#
# An image of 784 pixels has weights like $e^{-2000}$, which is 0 in float64.

# %% tags=["nbval-ignore-output"]
@exercise("vae.importance_weighted_bound")
def importance_weighted_bound(log_w):
    """Return ln((w_1 + … + w_k)/k) of every example; log_w (k, batch) holds ln w, returns (batch,).

    Worked value: log_w = [[0.], [ln 5]] gives [ln 3].
    """
    # finite where every ln w is near −2,000
    ...

# %%
n = 20_000
drawn = 0.8 + 0.8 * torch.randn(256, n, dtype=f64, generator=generator)  # from the q of section 2
ln_w = log_likelihood(x, drawn[..., None]) + Normal(0.0, 1.0).log_prob(drawn) - q.log_prob(drawn)
ks = [2**i for i in range(9)]
tighter = torch.stack([importance_weighted_bound(ln_w.view(256 // k, k, n).transpose(0, 1).flatten(1))
                       .view(-1, n).mean(0) for k in ks])  # (9, n): each uses all 256 draws, k at a time
gains = [monte_carlo(more - fewer) for fewer, more in pairwise(tighter)]
claim("each doubling of k raises the bound, by more than 5 standard errors of the paired difference",
      all(gain > 5 * error for gain, error in gains), gains=[gain for gain, _ in gains])
end, error = monte_carlo(tighter[-1])
claim("k = 1 is the ELBO of section 2; k = 256 is below ln p(x) by less than 0.002 nats",
      abs(tighter[0].mean() - value) < 5 * tighter[0].std() / n**0.5
      and end - 5 * error < log_p < end + 0.002, gap=log_p - end)

# %% [markdown]
# ## What stays
#
# - A likelihood that cannot be summed can be bounded, and
#   [*what is missing is KL(q ‖ posterior)*](#2-·-The-bound,-two-ways).
# - With the chance outside, draws have gradients. In a sum of independent terms the others add no variance
#   ([*stays the same within 10 %*](#Exercise:-the-draw-that-keeps-its-gradient)); for a steep $f$ the score function can be better
#   ([*the variance 50, the score function's 0.78125*](#Exercise:-the-draw-that-keeps-its-gradient)).
# - What one writes as a loss is a likelihood: [*a sum of squares is a Gaussian likelihood with σ² = ½*](#Exercise:-binary-pixels), and the
#   cross-entropy of greys is [*the mean of ln p(bits | z) over bits drawn with these greys*](#Exercise:-binary-pixels).
# - In the model of three pixels one learns from the bound alone:
#   [*five models that saw only the bound end within 0.02 nats of the data*](#Learn-from-the-bound).
# - More draws tighten it: here
#   [*each doubling of k raises the bound*](#Exercise:-the-importance-weighted-bound).

# %% tags=["nbval-ignore-output"]
progress("06_vae_math")

# %% [markdown]
# **Deeper**, and optional, is chapter 06b: where a VAE ends whose optimum can be written down, when $\mathcal L_k$ reaches $\ln p(x)$, and
# what more draws do to the *encoder's* gradient.
#
# **Open questions.** What could a $q$ look like whose latents are correlated, and would its KL still be a sum? The encoder
# of section 5 is a table. What can a network lose in its place (the *amortisation gap* of Cremer et al. 2018)?
#
# **References.** Kingma and Welling 2014, *Auto-encoding variational Bayes*: section 2, and appendix B for the KL. Rezende, Mohamed and
# Wierstra 2014, *Stochastic backpropagation*: the same idea, found independently. Burda, Grosse and Salakhutdinov 2016,
# *Importance weighted autoencoders*: section 3. Loaiza-Ganem and Cunningham 2019, *The continuous Bernoulli*: what goes wrong with
# greys. Mohamed et al. 2020, *Monte Carlo gradient estimation*: section 3, with the cosine.
