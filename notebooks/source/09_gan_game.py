# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · The game
#
# **Can a model learn from a critic alone, and what is it learning then?**
#
# No likelihood and no bound: one network makes points up, a second one says how real they look, and each trains against
# the other. Below is this game on a line, with a critic that is always perfect and a generator that can make the data.
# Fakes become data, and the critic is left with nothing to say. The chapter lets two networks play, asks what the first one is really descending, and then puts data
# and fakes where they never meet.

# %% tags=["hide-input"]
from course_lib.chapters.ch09_gan_game import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Data and fake density with the discriminator's curve, before and after 300 steps: the fake "
         "lies on the data, and the discriminator's curve is flat.")

# %% [markdown]
# Afterwards you can
#
# - write both players' losses and let two networks play;
# - derive the best discriminator, and read a divergence off its loss;
# - say what a generator descends, and why it can arrive where no divergence falls.
#
# **Needs** chapters 01 and 06. **Time** 50 minutes to read and run, 25 more for the exercises; the cells take about 25 s on
# two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | density of the data, of the fakes | |
# | $z$ | the noise of which a fake is made | |
# | $l$ | logit of the discriminator | (batch,) |
# | $D = \sigma(l)$ | its belief that $x$ is real | (batch,) |
# | $V$ | value of the game, in nats | |
# | $m$ | the middle, $(p+q)/2$ | |
# | $\mathrm{KL}, \mathrm{JSD}$ | divergences: Kullback–Leibler, Jensen–Shannon | |
# | $\theta$ | the generator's parameters | |
# | $W_1$ | Wasserstein distance, in units of $x$ | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.ch09_gan_game.bumps import bell, draw_bumps, two_bumps
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.gan.losses import OBJECTIVES
from course_lib.gan.ring import SeedMLP
from course_lib.information.divergences import jensen_shannon
from course_lib.training.runtime import start
from course_lib.training.transfer import to_device

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · Two players and one number
#
# The **generator** $G$ turns noise $z$ into points. Nobody can say how probable one of its points is; only draws come out.
# The **discriminator** takes a point and returns a logit $l$, and $D = \sigma(l)$ is its belief that the point is real. It
# is paid by the logarithm, as a model was in chapter 01 (Goodfellow et al. 2014):
#
# $$V = \mathrm{E}_{x\sim p}[\ln D(x)] + \mathrm{E}_{x\sim q}[\ln(1 - D(x))]. \tag{9.1}$$
#
# $D$ tries to raise $V$, and $G$ moves its fakes so as to lower it. Both expectations are means over draws; no density is
# asked of anybody.

# %% tags=["hide-input"]
show(pictures.two_players(),
     alt="The game as boxes: noise goes through the generator, fakes and data through the "
         "discriminator. Dashed arrows go back: both logits move the discriminator, the fakes' "
         "logits move the generator.")

# %% [markdown]
# Where we know both densities, on a grid, we can compute $V$. **Guess:** what is $V$ for a $D$ that says ½ to everything? And
# for one that is always right, where data and fakes lie apart? (Put both numbers down.)

# %% tags=["nbval-ignore-output"]
guess("value_of_half_and_of_right", ...)

# %%
x, dx = torch.linspace(-8, 8, 801, dtype=f64), 0.02
p, q = two_bumps(x), bell(x, 0.3, 1.0)  # the data, and a generator that we keep for a while


def value_of(d, p, q):
    return (p * d.log() + q * (1 - d).log()).sum() * dx


half, sure = torch.full_like(x, 0.5), (x < 0).double().clamp(1e-12, 1 - 1e-12)
of_half, of_right = value_of(half, p, q), value_of(sure, bell(x, -4.0, 0.4), bell(x, 4.0, 0.4))
claim("½ to everything is worth −ln 4, being right about everything 0",
      abs(of_half + math.log(4)) < 1e-9 and abs(of_right) < 1e-10,
      guessed="value_of_half_and_of_right", half=of_half, right=of_right)
d = torch.sigmoid(-2 * x)  # someone's idea of a discriminator: real is on the left
claim("a bad discriminator is worth less than saying ½", value_of(d, p, q) < -math.log(4),
      value=value_of(d, p, q))

# %% [markdown]
# ### Exercise: the discriminator's loss
# *difficulty 2/5 · importance 5/5 · 6 minutes*
#
# Draws of data and fakes have gone through $D$, and you hold their logits. Make a loss of equation (9.1) that $D$ can
# descend. Take care of large logits: $\ln(\sigma(l))$ in two steps is $\ln 0$ at −800, in float64 too.

# %% tags=["nbval-ignore-output"]
@exercise("gan.discriminator_loss")
def discriminator_loss(real_logits, fake_logits):
    """Return the loss whose descent raises V: a scalar tensor, finite for any finite logit (±10,000).

    real_logits (n,), fake_logits (m,); D = σ(logit); each expectation is a mean over its own batch.
    Worked value: real_logits = [0.], fake_logits = [0., 0.] give ln 4.
    """
    # F.softplus(l) is ln(1 + eˡ), without overflow
    ...

# %% [markdown]
# ### What does a fake feel?
#
# $G$ can only change $\mathrm{E}_q[\ln(1-D)]$, the **minimax** loss. Take one fake with logit $l$. The derivative of
# $\ln(1-\sigma(l))$ is $-D$, so a step downhill pulls the logit *up*, with strength $D$. A fake that passes for real is
# pulled hardest, and one that is caught, $D \approx 0$, hardly at all: the loss **saturates**. Goodfellow et al. already
# trained with another one, the **non-saturating** loss. It too pulls the logit up, but hardest where a fake is caught:
#
# $$\text{pull on the logit} = \begin{cases} D & \text{minimax}\\ 1 - D & \text{non-saturating.}\end{cases} \tag{9.2}$$
#
# ### Exercise: the loss that has this pull
# *difficulty 2/5 · importance 5/5 · 6 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.nonsaturating_generator_loss")
def nonsaturating_generator_loss(fake_logits):
    """Return the loss that pulls each fake's logit up with 1 − D, D = σ(logit): a mean over the batch.

    fake_logits (n,); returns a scalar tensor, finite for every finite logit, near 0 if all are large.
    Worked value: fake_logits = [0., 0.] gives ln 2.
    """
    # its derivative by one logit is −(1 − D)/n: which function of l has that?
    ...

# %%
logits = torch.linspace(-8, 8, 161, dtype=f64, requires_grad=True)
minimax_generator_loss = OBJECTIVES["minimax"].generator
push, pull = (-torch.autograd.grad(161 * loss(logits), logits)[0]
              for loss in (nonsaturating_generator_loss, minimax_generator_loss))
d = logits.detach().sigmoid()
claim("by autograd the pulls are 1 − D and D", torch.allclose(push, 1 - d) and torch.allclose(pull, d))
claim("yours is −E[ln D]: raise the chance to be called real",
      torch.allclose(nonsaturating_generator_loss(logits), -d.log().mean(), rtol=1e-10, atol=0))

# %% [markdown]
# ### The game
#
# Now two networks play. In $D$'s turn the fakes are cut off from $G$ by `detach`. In $G$'s turn only $G$ is updated, and its
# gradient runs through the $D$ of now. We play five games at once, along the first axis, and no game sees another. Both
# losses are yours. They are means over all five, so we take them five times: each game is trained as it would be alone.

# %%
def play(G, D, draw, d_loss, g_loss, d_rate, g_rate, steps, eps=1e-8, beta2=0.9):
    """Five games side by side; yields, between D's turn and G's, the fakes and logits of D's turn.

    draw: returns data and noise, (5, n, …) each; eps, beta2: of G's Adam (looked at in section 4).
    """
    d_optimizer = torch.optim.Adam(D.parameters(), d_rate, betas=(0.5, 0.9))
    g_optimizer = torch.optim.Adam(G.parameters(), g_rate, betas=(0.5, beta2), eps=eps)
    for _ in range(steps):
        real, z = to_device(run.device, *draw())
        fake = G(z)  # (5, n, features), with its graph
        real_logits, fake_logits = D(real).flatten(), D(fake.detach()).flatten()  # (5 · n,) each
        d_optimizer.zero_grad()
        (5 * d_loss(real_logits, fake_logits)).backward()
        d_optimizer.step()
        yield fake.detach(), real_logits.detach(), fake_logits.detach()
        g_optimizer.zero_grad()
        (5 * g_loss(D(fake).flatten())).backward()
        g_optimizer.step()

# %% [markdown]
# The data are two bumps on a line, the noise is four numbers, and each network has two hidden layers of 64. **Guess:**
# $D$ says about ½ at first, so its loss starts near $\ln 4 = 1.39$. Where does it go from there, and where does it end?

# %% tags=["nbval-ignore-output"]
guess("way_of_the_loss", ...)

# %%
rng = torch.Generator().manual_seed(1)  # of random numbers, on the CPU
G = SeedMLP([4, 64, 64, 1], 5, rng).to(run.device)  # five networks of one shape
D = SeedMLP([1, 64, 64, 1], 5, rng).to(run.device)


def draw():
    return draw_bumps(5, 256, rng)[..., None], torch.randn(5, 256, 4, generator=rng)


z_kept, = to_device(run.device, torch.randn(5, 20_000, 4, generator=rng))
steps = run.pick(quick=600, full=3000)
run.expect("five games on a line", minutes=0.5)
with torch.no_grad():
    before = G(z_kept)
d_losses = torch.stack([
    (F.softplus(-on_real) + F.softplus(on_fake)).view(5, -1).mean(1)  # for the picture
    for _, on_real, on_fake in play(G, D, draw, discriminator_loss, nonsaturating_generator_loss,
                                    d_rate=1e-3, g_rate=5e-4, steps=steps)])  # (steps, 5)

# %%
with torch.no_grad():
    after = G(z_kept)
data = draw_bumps(1, 100_000, rng)
shares = lambda points: torch.histc(points.cpu().clamp(-4, 4), 80, -4, 4).double() / points.numel()
off_before, off_after = (torch.stack([jensen_shannon(shares(data), shares(fakes)) for fakes in five])
                         for five in (before, after))
on_left = (after < 0.1).double().mean((1, 2))  # the data: 0.6
others = recorded("live_values").arm("09_gan_game")  # five other games
claim("all five games: the divergence of fakes and data falls to less than a third, to below 0.1 nats",
      (off_after < off_before / 3).all() and off_after.max() < 0.1, before=off_before,
      after=others.beside(off_after, "divergence") if steps == 600 else off_after)
claim("each has both bumps: between 50 and 70 of 100 fakes are on the left, as 60 of the data",
      on_left.min() > 0.5 and on_left.max() < 0.7, left=on_left)
ends, dips = d_losses[-100:].mean(0), d_losses.unfold(0, 20, 1).mean(-1).amin(0)  # of 20 steps each
claim("each D's loss dips more than 0.05 below ln 4 = 1.386, what saying ½ costs, and ends within 0.05",
      dips.max() < math.log(4) - 0.05 and (ends - math.log(4)).abs().max() < 0.05,
      guessed="way_of_the_loss", lowest=dips, ends=ends)

# %% tags=["hide-input"]
show(pictures.learned(data, before, after, d_losses),
     alt="Histograms of five games' fakes over the data: before, one narrow heap; after, both bumps in "
         "each. On the right the discriminators' losses, which dip and end near ln 4 in all five.")

# %% [markdown]
# Neither network has seen a density, and both bumps are there, in all five games. The loss of
# $D$ does not fall with success: it dips where $D$ is ahead and comes back to nearly $\ln 4$. To learn what is being minimised we need to know the best $D$.
#
# ## 2 · The best discriminator
#
# $V$ is an integral over $x$, and $D$ may choose its number at each $x$ by itself. So take one place with $a = p(x)$ and
# $b = q(x)$. Which $d$ makes $a\ln d + b\ln(1-d)$ largest?
#
# ### Exercise: the best D, and what it is worth
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.optimal_discriminator")
def optimal_discriminator(p, q, dx):
    """Return (d, value): the best D at every place, and V with it, in nats.

    p, q (..., n): positive densities of data and fakes at n places, dx apart;
    d (..., n); value (...), an integral over the last axis.
    Worked value: p = [1., 3.], q = [3., 1.], dx = 0.25 give d = [0.25, 0.75], value = −1.125.
    """
    # no search: set a derivative to zero
    ...

# %%
d_star, best = optimal_discriminator(p, q, dx)
ladder = torch.linspace(0, 1, 2001, dtype=f64)[1:-1, None]  # answers, 0.0005 apart
tried = ladder[(p * ladder.log() + q * (1 - ladder).log()).argmax(0), 0]
claim("trying 1,999 answers at each place finds the same, to 6e-4", (tried - d_star).abs().max() < 6e-4)
js = jensen_shannon(p * dx, q * dx)
claim("the best value is 2·JSD − ln 4, with JSD = 0.129 nats",
      abs(best - (2 * js - math.log(4))) < 1e-7 and round(js.item(), 3) == 0.129)

# %% [markdown]
# The derivative $a/d - b/(1-d)$ is 0 at $d = a/(a+b)$, and the second derivative is negative:
#
# $$D^*(x) = \frac{p(x)}{p(x)+q(x)}, \qquad l^*(x) = \ln\frac{p(x)}{q(x)} . \tag{9.3}$$
#
# A discriminator *is* an estimate of the density ratio. Put it into (9.1), with $m = (p+q)/2$ and so $D^* = p/2m$:
#
# $$V^* = \mathrm{E}_p\Big[\ln\frac{p}{2m}\Big] + \mathrm{E}_q\Big[\ln\frac{q}{2m}\Big] = 2\,\mathrm{JSD}(p, q) - \ln 4, \tag{9.4}$$
#
# where the **Jensen–Shannon divergence** is the mean of $\mathrm{KL}(p\,\|\,m)$ and $\mathrm{KL}(q\,\|\,m)$. Since
# $m \ge p/2$ and $m \ge q/2$, each is at most $\ln 2$, and so is JSD. Does a *network* with nothing but draws arrive at
# equation (9.3)? We train five against the $q$ that stands still.

# %%
rng = torch.Generator().manual_seed(1)
critics = SeedMLP([1, 64, 64, 1], 5, rng).to(run.device)
optimizer = torch.optim.Adam(critics.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=800)
for _ in range(800):
    points = torch.stack([draw_bumps(5, 256, rng), 0.3 + torch.randn(5, 256, generator=rng)])
    real, fake = to_device(run.device, points)[0][..., None]  # (5, 256, 1) each
    optimizer.zero_grad()
    discriminator_loss(critics(real).flatten(), critics(fake).flatten()).backward()
    optimizer.step()
    schedule.step()

# %%
with torch.no_grad():
    ticks = x.float()[None, :, None].expand(5, -1, -1).to(run.device)
    learned = critics(ticks)[..., 0].cpu().double()  # logits, (5, 801)
seen = (p + q) / 2 > 0.02  # where points are
gaps = (learned.sigmoid() - d_star)[:, seen].abs().amax(1)
reached = torch.stack([value_of(each.sigmoid().clamp(1e-9, 1 - 1e-9), p, q) for each in learned])
claim("five networks of five reach D* within 0.15 wherever the mean density is above 0.02",
      gaps.max() < 0.15, largest=gaps)
claim("their values reach 2·JSD − ln 4, the best there is, to 0.01 nats",
      (reached > best - 0.01).all(), lost=best - reached)
claim("at x = 4, where next to nothing is seen, their logits are off by more than 5 nats",
      (learned - (p.log() - q.log()))[:, 600].min() > 5, logits=learned[:, 600])

# %% tags=["hide-input"]
show(pictures.found(x, p, q, d_star, learned.sigmoid()),
     alt="Five trained discriminators lie on the dashed optimal one where data or fakes are, with a "
         "peak over each of the data's two bumps.")

# %% [markdown]
# ### Question: read the log
# *difficulty 1/5 · importance 4/5 · 3 minutes*
#
# Somebody's GAN shows a discriminator loss of 1.10, both terms added. If $D$ is as good as $D^*$: what
# is the Jensen–Shannon divergence, in nats? (A number; 1 % off is fine.)

# %% tags=["nbval-ignore-output"]
answer("gan.read_the_loss", ...)

# %%
by_log = (math.log(4) - ends.cpu()) / 2  # our own five games, read in the same way
claim("in all five of our games the log reads less than half of the divergence that the histograms show",
      (by_log < off_after / 2).all(), by_log=by_log, by_histogram=off_after)

# %% [markdown]
# So in our games a loss near $\ln 4$ says that $D$ was not as good as $D^*$, and not that the fakes are.
#
# ## 3 · What the generator descends
#
# The generator with parameters $\theta$ lowers $\mathrm{E}_q[\ln(1-D)]$ while $D$ stands still. Hold $D$ at $D^*$: then
# $\mathrm{E}_p[\ln D^*]$ has no $\theta$ in it, and this is the gradient of all of $V$. Had $D^*$ moved along with $q$, then
# $V$ would change no further to first order, for $D^*$ is its maximum (*envelope theorem*). So it is the gradient of
# $V^* = 2\,\mathrm{JSD} - \ln 4$:
#
# $$\nabla_\theta\, \mathrm{E}_{q_\theta}[\ln(1-D^*)]\big|_{D^*\text{ held}} = \nabla_\theta\, 2\,\mathrm{JSD}(p, q_\theta). \tag{9.5}$$
#
# Hence ‘a GAN minimises JS’. It holds *at* $D^*$, with the minimax loss. Let $q_\theta$ be a bell with mean and $\ln\sigma$ as
# parameters, and look.

# %%
theta = torch.tensor([0.3, 0.0], dtype=f64, requires_grad=True)  # mean and ln σ
model, middle = lambda: bell(x, theta[0], theta[1].exp()), lambda: (p + model()) / 2
kl = lambda a, b: (torch.xlogy(a, a) - torch.xlogy(a, b)).sum() * dx
two_js = lambda: kl(p, middle()) + kl(model(), middle())
slope = lambda value: torch.autograd.grad(value, theta)[0]
fixed = optimal_discriminator(p, model().detach(), dx)[0]  # D* for mean 0.3, a constant
claim("at D* the minimax gradient is that of 2·JSD, to 1e-10",
      torch.allclose(slope((model() * (1 - fixed).log()).sum() * dx), slope(two_js()),
                     rtol=1e-10, atol=0))

theta.data = torch.tensor([-0.12, 0.0], dtype=f64)  # now with the data's own mean
a_b = torch.zeros(2, dtype=f64, requires_grad=True)
straight = (a_b[0] * x + a_b[1]).sigmoid()  # V is concave in a and b: flat is the top
(uphill,) = torch.autograd.grad(value_of(straight, p, model().detach()), a_b)
claim("among all D = σ(ax + b), ½ everywhere is best here, and yet JSD is above 0.1 nats",
      uphill.abs().max() < 1e-9 and two_js() / 2 > 0.1, js=two_js() / 2)

# %% [markdown]
# A discriminator that can only draw a line compares means; where it says ½ everywhere, the generator gets no gradient. **What a generator minimises is decided by what its discriminator can see.** (Arora et al. 2017 call it a
# neural-net distance.)
#
# And the non-saturating loss, with which we played? At $D^*$ it has the gradient of another divergence (Arjovsky and Bottou 2017, Shannon et al. 2020):
#
# $$\nabla_\theta\,\mathrm{E}_{q_\theta}[-\ln D^*]\big|_{D^*\text{ held}} = \nabla_\theta\big(\mathrm{KL}(q_\theta\|\,p) - 2\,\mathrm{JSD}(p, q_\theta)\big) = \nabla_\theta\, 2\,\mathrm{KL}(m\,\|\,p). \tag{9.6}$$
#
# For $-\ln D = \ln\frac{1-D}{D} - \ln(1-D)$. At $D^*$ the first part is $\ln(q/p)$, with the gradient of
# $\mathrm{KL}(q\|p)$, since the $q$ inside the logarithm would add only $\int\nabla q = 0$; the second part is equation (9.5).
# The last step is an identity: $\mathrm{KL}(q\|p) - \mathrm{KL}(q\|m) = \mathrm{E}_q[\ln\frac mp]$ and
# $-\mathrm{KL}(p\|m) = \mathrm{E}_p[\ln\frac mp]$, together $2\,\mathrm{E}_m[\ln\frac mp]$.
#
# **Guess:** the best *single* bell for our two bumps: where is its
# mean, for 2 JSD and for 2 KL(m‖p)?

# %% tags=["nbval-ignore-output"]
guess("means_of_the_best_bells", ...)

# %%
theta.data = torch.tensor([0.3, 0.0], dtype=f64)  # back to where `fixed` is D*
taken = slope((model() * -fixed.log()).sum() * dx)
claim("at D* the non-saturating gradient is that of KL(q‖p) − 2·JSD and of 2·KL(m‖p)",
      torch.allclose(taken, slope(kl(model(), p) - two_js()), rtol=1e-10, atol=0)
      and torch.allclose(taken, slope(2 * kl(middle(), p)), rtol=1e-6, atol=0))

means, widths = torch.linspace(-2, 2, 41, dtype=f64), torch.linspace(0.2, 2, 37, dtype=f64)
bells = torch.stack([torch.stack([bell(x, a, s) for s in widths]) for a in means])  # (41, 37, 801)
m = (p + bells) / 2
to_p, to_q, back = (torch.xlogy(a, a / b).sum(-1) * dx for a, b in ((p, m), (bells, m), (m, p)))
i, j = divmod((to_p + to_q).argmin().item(), 37)  # least 2 JSD: row of the mean, column of the width
k, l = divmod(back.argmin().item(), 37)  # least KL(m‖p)
js_best, ns_best = bells[i, j], bells[k, l]  # below: x[350] = −1 and x[460] = 1.2, the data's bumps
claim("JS covers both bumps, the non-saturating divergence takes one",
      min(js_best[350], js_best[460]) > 0.15 and ns_best[350] > 0.9 and ns_best[460] < 1e-3,
      guessed="means_of_the_best_bells", js=means[i], nonsaturating=means[k])

# %% tags=["hide-input"]
ratio = torch.linspace(1e-6, 4, 200, dtype=f64)  # q/p: fakes for one data point
costs = {"2 JSD": torch.xlogy(ratio, 2 * ratio / (1 + ratio)) + (2 / (1 + ratio)).log(),
         "2 KL(m‖p)": (1 + ratio) * ((1 + ratio) / 2).log() - (ratio - 1)}
show(pictures.one_bell(x, p, js_best, ns_best, costs, ratio),
     alt="Left, the best single bell is broad over both bumps for JS and sits on the larger one for the "
         "other. Right, both costs touch zero at q/p = 1; at 0 one costs 0.69, the other 0.31.")

# %% [markdown]
# On the right both are integrals of $p$ times a cost of $q/p$; a multiple of $q/p - 1$, whose integral is 0, is added so that
# each cost touches zero at $q/p = 1$. Then data that are never drawn cost $\ln 2 = 0.69$ nats under JS, and only
# $1 - \ln 2 = 0.31$ under the other; too many fakes cost more. A candidate for a root of *mode collapse*, met here with a perfect
# $D$. What this does not say: that a network's training descends
# this divergence. Equation (9.6) is about one gradient, at an exact $D^*$. Our five games found both bumps.

# %% [markdown]
# ## 4 · Two lines that never meet
#
# Now the hard case (Arjovsky et al. 2017). In the plane, the data lie on the line $x_1 = 0$ and the fakes on $x_1 = \theta$; the
# heights on both are our two bumps. No point lies on both lines, so JSD is $\ln 2$ for every $\theta \neq 0$: flat. $D^*$ is 1
# on one line and 0 on the other. Beside them equation (9.3) reads 0/0: nothing determines $D^*$ there, nor a slope.
#
# So, the story goes, a GAN cannot learn here. A distance that still tells far from near is the **Wasserstein distance**
# $W_1$: how far must mass be carried, on average, to turn $q$ into $p$? Here it is $|\theta|$.

# %% [markdown]
# Let a function $f$, a **critic**, rise by at most 1 a unit of length. Carrying mass from $y$ to $x$ changes $f$ by at most the
# distance, so $\mathrm{E}_p[f] - \mathrm{E}_q[f] \le W_1$, and the best such $f$ reaches it (Kantorovich and Rubinstein; more in
# chapter 09b). A **WGAN** trains a network as $f$, with the loss $\mathrm{E}_q[f] - \mathrm{E}_p[f]$; the generator's is
# $-\mathrm{E}_q[f]$, whose pull is 1 on every fake. To hold the slope down, each weight is clipped to ±0.1 after $D$'s turn.
#
# ### Question: which losses arrive?
# *difficulty 3/5 · importance 5/5 · 4 minutes*
#
# We let all three losses try, in our own loop: $\theta = 2$ at the start, $D$ with two layers of 32 and four times the
# generator's rate, one turn each. **Predict:** which have brought their fakes home after 600 steps? (One of ‘none’,
# ‘wasserstein alone’, ‘nonsaturating and wasserstein’, ‘all three’.)

# %% tags=["nbval-ignore-output"]
answer("gan.parallel_lines", ...)

# %%
class Line(nn.Module):
    """Five generators with one number each: the fake of height y stands at (θ, y)."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.full((5, 1, 1), 2.0))

    def forward(self, y):  # (5, n, 1) to (5, n, 2)
        return torch.cat([self.theta.expand_as(y), y], dim=-1)


def play_lines(d_loss, g_loss, steps=600, d_rate=2e-2, box=math.inf, **options):
    """Return θ (steps, 5), the mean D(fake) (steps, 5), and the five D.

    Every arm starts from the same D and has the same draws.
    """
    rng, thetas, beliefs = torch.Generator().manual_seed(2), [], []
    G, D = Line().to(run.device), SeedMLP([2, 32, 32, 1], 5, rng).to(run.device)

    def draw():
        y, fake_y = draw_bumps(10, 64, rng)[..., None].split(5)  # (5, 64, 1) each
        return torch.cat([torch.zeros_like(y), y], dim=-1), fake_y

    for fake, _, logits in play(G, D, draw, d_loss, g_loss, d_rate, 5e-3, steps, **options):
        thetas.append(fake[:, 0, 0])
        beliefs.append(logits.view(5, -1).sigmoid().mean(1))
        with torch.no_grad():  # between D's turn and G's
            for weight in D.parameters():
                weight.clamp_(-box, box)
    return torch.stack(thetas).cpu(), torch.stack(beliefs).cpu(), D

# %%
run.expect("three times five games on two lines", minutes=0.5)
wasserstein = OBJECTIVES["wasserstein"]
nonsat, _, _ = play_lines(discriminator_loss, nonsaturating_generator_loss)
clipped, _, _ = play_lines(wasserstein.discriminator, wasserstein.generator, box=0.1)
minimax, belief, D = play_lines(discriminator_loss, minimax_generator_loss)
arrived = lambda thetas: thetas[-50:].abs().mean(0)  # (5,)
claim("non-saturating and Wasserstein: ten runs of ten end within 0.15 of the data",
      max(arrived(nonsat).max(), arrived(clipped).max()) < 0.15,
      nonsaturating=arrived(nonsat), wasserstein=arrived(clipped))
claim("minimax: five of five are still further than 1.4 away, with D(fake) below 1e-8",
      arrived(minimax).min() > 1.4 and belief[-1].max() < 1e-8, left=arrived(minimax), belief=belief[-1])

# %% [markdown]
# JSD did not fall on the way, and two losses of three arrived. What did they follow? Take the five $D$ of the minimax runs as
# they stand, and look at them between the lines.

# %%
at = minimax[-1].mean().item()
heights, = to_device(run.device, draw_bumps(5, 256, torch.Generator().manual_seed(3)))
fakes = torch.stack([torch.full_like(heights, at), heights], dim=-1).requires_grad_()  # (5, 256, 2)
on_fakes = D(fakes)
steep = -torch.autograd.grad(on_fakes.sum(), fakes)[0][..., 0]  # (5, 256): towards the data
on_fakes = on_fakes.detach()[..., 0].double().sigmoid()
rows = {name: (share * steep).mean(1).cpu() for name, share in
        (("minimax: D", on_fakes), ("non-saturating: 1 − D", 1 - on_fakes), ("critic: 1", 1.0))}
slopes = rows["critic: 1"]
claim("in all five the logit rises from the fakes towards the data, by more than 1 nat a unit",
      slopes.min() > 1, slopes=slopes, times_D=rows["minimax: D"])

# %% tags=["hide-input"]
places = torch.linspace(-0.6, 2.4, 121)
with torch.no_grad():
    across = places[None, :, None].to(run.device)
    grid = torch.stack(torch.broadcast_tensors(across, heights[:, None]), dim=-1)
    between = D(grid.flatten(1, 2)).view(5, 121, -1).mean(-1).cpu()
spread = {name: tuple(each.sort().values[[0, 2, 4]].tolist()) for name, each in rows.items()}
show(pictures.pulls(places, between, at, spread),
     alt="Left, the logits of five discriminators across the lines: high at the data, low at the fakes, "
         "with a slope between. Right, on a log scale, that slope times D, which is below a millionth "
         "of it, times 1 − D and times 1.")

# %% [markdown]
# Between the lines nothing determines $D^*$, so the theory has no slope to offer. A trained network fills the gap with one, as it did
# at $x = 4$ in section 2, and each loss follows its own $D$'s slope, times its own pull: $D$, $1-D$, or 1. (The picture tries
# all three pulls on the $D$ of one arm.) So minimax has a gradient too, of the right sign and very small. But Adam should
# not mind small ones: it divides the gradient by $\sqrt v + \varepsilon$, where $v$ is a running mean of its squares, in which
# each step back counts $\beta_2 = 0.9$ times as much, and $\varepsilon = 10^{-8}$. **Guess:** with $\varepsilon = 10^{-30}$ and 1,500
# steps, where do the minimax runs end (θ)? And where with the usual $\varepsilon$ and $\beta_2 = 0.1$, a short memory, after 600?

# %% tags=["nbval-ignore-output"]
guess("end_of_minimax", ...)

# %%
run.expect("four times five games on two lines", minutes=1)
arm = (discriminator_loss, minimax_generator_loss)
(usual, sure, _), (tiny, _, _) = (play_lines(*arm, 1500, eps=eps) for eps in (1e-8, 1e-30))
short, still_sure, _ = play_lines(*arm, beta2=0.1)
slower, unsure, _ = play_lines(*arm, 1500, d_rate=1e-3)
claim("up to step 200 ε plays no part, and θ is above 1.7 in ten runs of ten",
      (tiny[:200] - usual[:200]).abs().max() < 0.02 and min(tiny[199].min(), usual[199].min()) > 1.7)
claim("after that it does: with 10⁻³⁰ five of five come home, within 0.3, with 10⁻⁸ all stay beyond 1.4",
      arrived(tiny).max() < 0.3 and arrived(usual).min() > 1.4, tiny=arrived(tiny), usual=arrived(usual))
claim("with the usual ε and β₂ = 0.1 five minimax runs of five come home in 600 steps; D(fake) < 1e-5 "
      "at step 200",
      arrived(short).max() < 0.3 and max(still_sure[199].max(), sure[199].max()) < 1e-5,
      guessed="end_of_minimax", end=arrived(short), belief=still_sure[199])
claim("and so they do with a D twenty times slower, which is less sure at step 200",
      arrived(slower).max() < 0.15 and unsure[199].min() > 1e-4,
      end=arrived(slower), belief=unsure[199])

# %% tags=["hide-input"]
first = [("non-saturating —", nonsat, pictures.BERRY, (330, 0.35)),
         ("critic ···", clipped, pictures.INK, (230, 1.0)),
         ("minimax - -", minimax, pictures.MUTE, (330, 2.0))]
second = [("ε = 10⁻³⁰ —", tiny, pictures.BERRY, (900, 0.35)),
          ("usual ε, β₂ = 0.1 ···", short, pictures.INK, (620, -0.4)),
          ("usual ε and β₂ - -", usual, pictures.MUTE, (800, 2.0))]
show(pictures.runs([("600 steps, our usual Adam: two of three arrive", first),
                    ("Minimax: another ε or β₂ brings it home", second)]),
     alt="Distance of the fakes against steps, five runs each. Left, non-saturating and Wasserstein "
         "runs reach the data in 600 steps, minimax stays near 1.9. Right, minimax: all runs with "
         "epsilon 1e-30 arrive late, all with a short memory within 600 steps, none with the "
         "usual Adam.")

# %% [markdown]
# So ‘JS is constant, hence nothing is learned’ is wrong as it stands. Minimax stood still because its gradient kept shrinking while $D$
# grew surer, and so stayed small beside the larger ones that Adam still remembered; $\varepsilon$ then held what had stopped. With
# a tiny $\varepsilon$, a short memory or a slower $D$ it came home. (Why the runs with the tiny $\varepsilon$ set off when they do, we have
# not asked.) That so much hangs on the optimizer is a good reason to train with the non-saturating loss, which Fedus et al.
# (2018) too saw learn where no divergence falls. And what all arms follow is the discriminator's *slope* on the fakes. Chapter 10 is about that slope; which distance a critic measures is asked in the optional 09b.

# %% [markdown]
# ## What stays
#
# - A critic is enough to learn from: [*the divergence of fakes and data falls to less than a third*](#The-game) in five games.
# - The best discriminator knows the density ratio: [*the best value is 2·JSD − ln 4*](#Exercise:-the-best-D,-and-what-it-is-worth).
# - ‘Minimises JS’ is true at an exact D*, [*the minimax gradient is that of 2·JSD*](#3-·-What-the-generator-descends), and a D that cannot see leaves it: [*and yet JSD is above 0.1 nats*](#3-·-What-the-generator-descends).
# - At an exact D* the non-saturating loss descends another divergence: of single bells [*JS covers both bumps, the non-saturating divergence takes one*](#3-·-What-the-generator-descends).
# - Without overlap a trained D's slope led home: [*ten runs of ten end within 0.15 of the data*](#Question:-which-losses-arrive?). Where minimax ended was a matter of ε, [*with 10⁻³⁰ five of five come home*](#Question:-which-losses-arrive?), and of its memory, [*with the usual ε and β₂ = 0.1 five minimax runs of five come home*](#Question:-which-losses-arrive?).

# %% tags=["nbval-ignore-output"]
progress("09_gan_game")

# %% [markdown]
# **Open questions.** What would $D^*$ be if fakes came three times as often as real points? Which slope would a discriminator of
# infinite width have between the lines?
#
# **References.** Goodfellow et al. 2014, *Generative adversarial nets*: sections 3 and 4. Arjovsky and Bottou 2017, *Towards
# principled methods for training generative adversarial networks*: theorem 2.5. Arjovsky, Chintala and Bottou 2017, *Wasserstein GAN*: example 1. Arora et al. 2017, *Generalization
# and equilibrium in generative adversarial nets*: neural-net distance. Fedus et al. 2018, *Many paths to equilibrium*: section 3. Shannon et al. 2020,
# *Non-saturating GAN training as divergence minimization*.
