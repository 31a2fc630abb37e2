# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07b · Inside the latents
#
# **What do the latents of a trained VAE hold, and which of them are used at all?**
#
# Chapter 07 trained two models: one with 2 latents, whose whole world fits on a page, and one with 50, which is many nats better. Below,
# the map of the first, and how the second shares its nats of KL among its latents.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch07b_inside_the_latents import figures as pictures
from course_lib.classroom.figures import show
from course_lib.datasets.images import binary_test_digits
from course_lib.information.divergences import kl_to_standard_normal
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
device = run.device
vae, flat = (load_digit_vae(latent_dim=n).to(device).requires_grad_(False) for n in (50, 2))
test = binary_test_digits().flatten(1).to(device)
quantiles = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(14) + 0.5) / 14)
places = torch.cartesian_prod(-quantiles, quantiles).flip(1).to(device)  # rows from the top
all_mu, all_logvar = vae.encode(test)
kl_each = 0.5 * (all_mu**2 + all_logvar.exp() - 1 - all_logvar).mean(0).cpu()
fig = pictures.map_and_work(flat.means(places), kl_each, all_mu.var(0).cpu() > 0.01)
show(fig, alt="Left, 14 by 14 decoded digits over two latents: neighbours look alike, classes form "
     "regions. Right, the KL of each of 50 latents, sorted: about 19 share all of it, the others "
     "hold none.")

# %% [markdown]
# Afterwards you can
#
# - draw the map of a model with two latents and read it with care;
# - go from one image to another where the prior's draws live;
# - split the KL into what $z$ tells and what does not fit the prior, and count the latents that work.
#
# **Needs** chapter 07. Optional: no later chapter needs it. **Time** 30 minutes to read, 25 for the exercises; the cells run in about 15 seconds.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $z$ | latent | (latent,) |
# | $q, p$ | the encoder's $q(z \mid x)$; the prior $p(z)$, the decoder $p(x \mid z)$ | |
# | $\mu, \sigma$ | mean and standard deviation of $q$ | (latent,) |
# | $q(z)$ | aggregate posterior, the mean of all $q(z \mid x_n)$ | |
# | $n, N$ | number of an image; how many | |
# | $\omega, t$ | angle between two latents; place on the way | |

# %% tags=["nbval-ignore-output"]
import math

from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.images import binarise, load_digits
from course_lib.vae.bounds import reparameterize
from course_lib.vae.latents import aggregate_log_density, elbo_surgery

digits = load_digits()

# %% [markdown]
# ## 1 · A map of digits
#
# The left picture above walks over the prior in steps of equal probability: its 14 × 14 places stand for equal shares of the draws. Now the other way round: where does the encoder put real digits, which
# it has never seen, and whose labels nobody gave it? The axes have the map's steps.

# %% tags=["hide-input"]
fig = pictures.places(flat.encode(test[:250])[0].cpu(), digits.test_labels[:250].tolist())
show(fig, alt="250 test digits written as labels at their latent means: ones, zeros and sixes have "
     "regions of their own, fours, sevens and nines overlap, so do threes, fives and eights.")

# %% [markdown]
# Some classes have regions of their own, others overlap. **Guess:** take a digit's nearest neighbour in the two latents, among 2,000
# other digits. How often is it of the same class? (By chance: one time in ten.)

# %% tags=["nbval-ignore-output"]
guess("same_class", ...)

# %%
def nearest_agrees(represent):
    """Share of 2,000 test digits whose nearest among 2,000 others has their label."""
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))
    asked, others = order[:2000], order[2000:4000]
    distances = torch.cdist(represent(test[asked.to(device)]), represent(test[others.to(device)]))
    found = digits.test_labels[others][distances.argmin(1).cpu()]
    return (found == digits.test_labels[asked]).double().mean().item()


agree = {"two latents": nearest_agrees(lambda x: flat.encode(x)[0]),
         "50 latents": nearest_agrees(lambda x: vae.encode(x)[0]),
         "pixels": nearest_agrees(lambda x: x)}
claim("the nearest in two latents has the same class for more than half of the digits, fewer than by "
      "pixels or by 50 latents",
      0.5 < agree["two latents"] < min(agree["pixels"], agree["50 latents"]) - 0.05,
      guessed="same_class", **agree)

# %% [markdown]
# So in these two models (one training of each) two latents do find classes, but throw away what pixels still tell; 50 tell more than pixels. The price in nats, from chapter 07's record, on the test digits with $k = 100$ (the
# model of two latents is narrower as well, 300 units a layer in place of 500):

# %%
record = recorded("vae_digits")
nats = {name: record.arm(name).each("test") for name in ("course", "2 latents")}
claim("every seed with two latents is more than 45 nats below every seed with 50",
      max(nats["2 latents"]) < min(nats["course"]) - 45, **nats)

# %% [markdown]
# ## 2 · Where draws live
#
# To go from one digit to another we mix their latents. The straight way has a weakness. Each $z_j^2$ has mean 1 and variance
# $\mathrm{E}[z_j^4] - 1 = 3 - 1 = 2$. So with 50 latents
#
# $$\mathrm{E}\,\|z\|^2 = 50, \qquad \operatorname{Var}\|z\|^2 = 2 \cdot 50, \tag{7b.1}$$
#
# 50 ± 10, and nearly all draws have a length near $\sqrt{50} = 7.07$: the **typical set**, a thin shell. Two draws $a, b$ are nearly
# perpendicular: $a \cdot b$ has mean 0 and standard deviation $\sqrt{50} \approx 7$, small beside $\|a\|\,\|b\| \approx 50$. **Guess:** how
# long is the middle between them, $\tfrac12 (a + b)$?

# %% tags=["nbval-ignore-output"]
guess("middle", ...)

# %%
from scipy.stats import chi2

ends = torch.randn(2, 20_000, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
middle = ends.mean(0).norm(dim=1)
claim("middles of 20,000 straight paths have a mean length of 4.97, ends 7.04",
      abs(middle.mean() - 4.97) < 0.02 and abs(ends[0].norm(dim=1).mean() - 7.04) < 0.02,
      guessed="middle", middle=middle.mean())
inside = chi2(50).cdf(5**2)
claim("fewer than 2 in 1,000 draws of the prior are as short as 5", inside < 0.002, probability=inside)
denser = (ends[0].square().sum(1) - middle**2).mean() / 2  # −½‖z‖² is all of ln p(z) that varies
claim("yet ln p(z) is 12 to 13 nats higher in the middle, on average", 12 < denser < 13, nats=denser)

# %% [markdown]
# The density is higher in the middle, but there is hardly any room: the volume of a shell grows like $\|z\|^{49}$.

# %% tags=["hide-input"]
fig = pictures.the_two_ways()
show(fig, alt="Diagram of two latents of length 7.07 at a right angle: the straight way between them "
     "passes a middle of length 5, the way along the shell keeps its length.")

# %% [markdown]
# So turn the direction instead, evenly from $a$ to $b$, both now of length 1 with angle $\omega$ between them:
#
# $$\frac{\sin((1 - t)\,\omega)\,a + \sin(t\,\omega)\,b}{\sin\omega}. \tag{7b.2}$$
#
# At $t = 0$ that is $a$, at $t = 1$ it is $b$, and its length is always 1. For perpendicular $a, b$ it is
# $\cos(t\,\omega)\,a + \sin(t\,\omega)\,b$: a quarter circle.
#
# ### Exercise: the way along the shell
# *difficulty 3/5 · importance 3/5 · 12 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.spherical_path")
def spherical_path(start, end, t):
    """Return points between two latents: direction and length both change evenly with t.

    start, end (latent,), neither of length 0 nor opposite; t (n,) from 0 to 1; returns (n, latent).
    Worked value: start = [1., 0.], end = [0., 1.], t = [0.5] give [[0.707, 0.707]].
    """
    # the ends may have any lengths: keep them, and change the length evenly in between
    ...

# %%
t = torch.linspace(0, 1, 9)
pairs = torch.randn(2, 200, 50, generator=torch.Generator().manual_seed(1))
straight = torch.stack([torch.lerp(a, b, t[:, None]) for a, b in pairs.unbind(1)])  # (200, 9, 50)
along = torch.stack([spherical_path(a, b, t) for a, b in pairs.unbind(1)])
grey = lambda p: ((p > 0.1) & (p < 0.9)).float().mean().item()  # share of undecided pixels
undecided = {name: grey(vae.means(path[:, 4].to(device))) for name, path in
             (("straight", straight), ("along the shell", along))}
undecided["ends"] = grey(vae.means(pairs.to(device)))
ratio = {name: share / undecided["ends"] for name, share in undecided.items()}
claim("in the middle of straight paths 5 to 20 % more pixels are grey than at the ends; along the shell "
      "the share is the same within 5 %",
      1.05 < ratio["straight"] < 1.2 and abs(ratio["along the shell"] - 1) < 0.05, **undecided)

# %% tags=["hide-input"]
seven, three = vae.encode(test[[0, 32]])[0]
on_device = t.to(device)
rows = {"straight": vae.means(torch.lerp(seven, three, on_device[:, None])),
        "along the shell": vae.means(spherical_path(seven, three, on_device))}
show(pictures.paths(rows), alt="Two rows of nine decoder means between test digits labelled seven and "
     "three, one by the straight path and one along the shell: both change shape gradually, with hardly "
     "a difference to the eye.")

# %% [markdown]
# Here the straight way costs about a tenth more grey pixels, and the eye hardly sees it. We have not tested why; section 4 suggests one reason:
# only 19 of the 50 latents reach the picture, so the shell that counts has 19 dimensions.

# %% [markdown]
# ## 3 · Prior against what the encoder fills
#
# Samples start from the prior; the decoder was trained on $z$ from the encoder. Do the two agree? (We ask on digits that stay in their place; training moved them.) The mixture of all posteriors,
# $q(z) = \frac1N\sum_n q(z\mid x_n)$, is the **aggregate posterior**. With it
# $\ln\frac{q(z\mid x_n)}{p(z)} = \ln\frac{q(z\mid x_n)}{q(z)} + \ln\frac{q(z)}{p(z)}$. Average over the images $n$, and over $z$ from $q(z\mid x_n)$:
#
# $$\underbrace{\frac1N\sum_n \mathrm{KL}\big(q(z\mid x_n)\,\|\,p(z)\big)}_{\text{the KL of the ELBO}} = \underbrace{\mathrm{E}\Big[\ln\frac{q(z\mid x_n)}{q(z)}\Big]}_{\text{information of } z \text{ about } n} + \underbrace{\mathrm{KL}\big(q(z)\,\|\,p(z)\big)}_{\text{mismatch}}. \tag{7b.3}$$
#
# The information says how well $z$ tells which image it came from: by Bayes' rule $q(z\mid x_n)/q(z) = p(n\mid z)/\tfrac1N$. Of the
# two parts only the mismatch makes the $z$ of samples differ from those that the decoder was trained on (Hoffman and Johnson 2016).
#
# ### Exercise: the limit
# *difficulty 3/5 · importance 4/5 · 5 minutes*
#
# With $N = 9{,}000$ images, how large can the information become, in nats?

# %% tags=["nbval-ignore-output"]
answer("vae.information_limit", ...)

# %%
x = binarise(digits.train, torch.Generator().manual_seed(0)).flatten(1).to(device)
parts = {}
for name, m in (("2 latents", flat), ("50 latents", vae)):
    mu, logvar = m.encode(x)
    eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(5)).to(device)
    parts[name] = [part.item() for part in elbo_surgery(mu, logvar, eps)]
kl, information, mismatch = parts["2 latents"]
ticks = torch.linspace(-5, 5, 100)
plane = torch.cartesian_prod(ticks, ticks)
log_q = aggregate_log_density(plane.to(device), *flat.encode(x)).cpu()  # ln q(z) on a grid
mass = log_q.exp() * (ticks[1] - ticks[0]) ** 2
on_grid = (mass * (log_q + plane.square().sum(1) / 2 + math.log(2 * math.pi))).sum()
claim("2 latents: on the grid q(z) has a mass of 1 within 1 %, and the integral of the mismatch is what "
      "draws gave, within 0.05 nats, above 0 and below 1",
      abs(mass.sum() - 1) < 0.01 and 0 < on_grid < 1 and abs(on_grid - mismatch) < 0.05,
      draws=mismatch, grid=on_grid)
claim("2 latents: the information is more than 80 % of the KL", 0.8 * kl < information < kl, kl=kl)

# %%
kl, information, mismatch = parts["50 latents"]
claim("50 latents: the information is at its limit, ln 9,000, within 0.1 nats, the mismatch 14 to 20 "
      "nats", abs(information - math.log(9000)) < 0.1 and 14 < mismatch < 20,
      kl=kl, information=information, mismatch=mismatch)

# %% tags=["hide-input"]
show(pictures.two_parts(ticks, log_q.exp(), parts, math.log(9000)),
     alt="Left, the aggregate posterior of two latents covers the prior's circles with ridges and gaps. "
     "Right, the KL in two parts: information 5.9 and mismatch 0.5 nats for 2 latents, 9.1 and about 17 "
     "for 50.")

# %% [markdown]
# With two latents most of the KL is information, and the mismatch is small. Fifty seem to fit badly: 17 nats. But look at the limit. The KL
# is 26 nats, the information at most $\ln 9{,}000 = 9.1$, so 17 *must* be left over, wherever the encoder puts these images: (7b.3) counts
# images, not what a better encoder could do. An information of $\ln N$ says only that hardly two images share a place. With more images the
# limit would be higher.

# %% [markdown]
# ## 4 · Who works in there?
#
# A latent whose $q$ is the same for every image says nothing about any. Burda et al. (2016) call a latent **active** if its $\mu$ moves: if
# the variance of $\mu$ over the images exceeds 0.01.
#
# ### Exercise: active units
# *difficulty 1/5 · importance 4/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.active_units")
def active_units(mu, threshold=0.01):
    """Return for each latent whether the variance of its mean over the examples exceeds threshold.

    mu (n, latent): the means of q(z|x) of n examples; returns (latent,) of bool.
    Worked value: mu = [[0., 5.], [1., 5.]] gives [True, False].
    """
    # .var() divides by n − 1, and so should you
    ...

# %%
active = active_units(all_mu)
draws = torch.Generator().manual_seed(4)
z = reparameterize(all_mu, all_logvar, torch.randn(all_mu.shape, generator=draws).to(device))
fresh = torch.randn(all_mu.shape, generator=draws).to(device)
recon = lambda logits: (test * logits - F.softplus(logits)).sum(1).mean().item()
dead_anew = recon(vae.decode(torch.where(active, z, fresh)))  # dead latents from the prior
one = kl_each.argmax()  # the latent with the most KL, as the contrast
one_anew = z.clone()
one_anew[:, one] = fresh[:, one]
as_it_is = recon(vae.decode(z))
cost = {"dead": as_it_is - dead_anew, "one": as_it_is - recon(vae.decode(one_anew))}
claim("15 to 25 of the 50 latents are active; the others hold less than 0.05 nats of KL together",
      15 <= int(active.sum()) <= 25 and kl_each[~active.cpu()].sum() < 0.05,
      active=int(active.sum()), dead=kl_each[~active.cpu()].sum())
claim("drawing all dead ones anew costs less than 0.1 nats of reconstruction, the one with most KL "
      "over 20",
      abs(cost["dead"]) < 0.1 and cost["one"] > 20, **cost)

# %%
over_seeds = record.arm("course").each("active")  # on the validation digits
claim("over the recipe's five seeds 15 to 30 of the 50 latents are active",
      len(over_seeds) == 5 and min(over_seeds) >= 15 and max(over_seeds) <= 30, active=over_seeds)

# %% [markdown]
# This too is collapse, latent by latent. In the linear VAE of 06b it is the *optimum*: a latent lives where it brings more likelihood
# than its KL costs. The recipe decides it only in part: one seed in five uses 27, the others 17 to 20.

# %% [markdown]
# ## What stays
#
# - A map finds classes without labels, at a price: [*the nearest in two latents has the same class for more than half of the digits, fewer than by pixels or by 50 latents*](#1-·-A-map-of-digits).
# - In 50 dimensions draws live near a shell: [*fewer than 2 in 1,000 draws of the prior are as short as 5*](#2-·-Where-draws-live), which matters
#   little for this decoder: [*5 to 20 % more pixels are grey*](#Exercise:-the-way-along-the-shell).
# - The KL is information and mismatch, and the information has a limit: [*the information is at its limit, ln 9,000*](#Exercise:-the-limit).
# - A VAE can leave latents unused: [*over the recipe's five seeds 15 to 30 of the 50 latents are active*](#Exercise:-active-units).

# %% tags=["nbval-ignore-output"]
progress("07b_inside_the_latents")

# %% [markdown]
# **Open questions.** What would a prior that fits $q(z)$ gain? Which of the 50 latents could a smaller model do without?
#
# **References.** Hoffman and Johnson 2016, *ELBO surgery*: the split of the KL. Burda, Grosse and Salakhutdinov 2016, *Importance weighted
# autoencoders*: section 5.2 for active units. White 2016, *Sampling generative networks*: paths. Shoemake 1985: the formula of (7b.2). Tomczak and Welling 2018, *VAE with a
# VampPrior*: a prior made of posteriors.
