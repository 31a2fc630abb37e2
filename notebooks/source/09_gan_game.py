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
# No likelihood, no bound: one network makes points up, a second says how real they look, and each trains against the other. Below
# is the whole game on a line, with a critic that is always perfect. The chapter asks how much of this picture
# survives when the critic is a network, and when data and fakes do not overlap.

# %%
import math

import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show

f64 = torch.float64
x, dx = torch.linspace(-8, 8, 801, dtype=f64), 0.02


def bell(mu, sigma):
    return torch.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


p = 0.6 * bell(-1.0, 0.4) + 0.4 * bell(1.2, 0.4)  # the data's density: two bumps
start_at = (0.0, [-0.3, 0.8], [0.0, 0.0])  # the generator's two bumps: share, means, ln σ
share, mu, log_std = (torch.tensor(v, dtype=f64, requires_grad=True) for v in start_at)

# %%
def play_perfectly(steps=300, rate=0.03):
    """Yield (q, D, value) for a generator that trains against the best critic at every step."""
    optimizer = torch.optim.Adam([share, mu, log_std], lr=rate)
    for _ in range(steps):
        w, (left, right) = share.sigmoid(), bell(mu[:, None], log_std.exp()[:, None])
        q = w * left + (1 - w) * right  # the generator's density
        d, not_d = (p / (p + q)).detach(), (q / (p + q)).detach()  # perfect; 1 − d loses digits
        loss = (q * not_d.log()).sum() * dx  # what the generator lowers
        yield q.detach(), d, ((p * d.log()).sum() * dx + loss).item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


qs, ds, values = zip(*play_perfectly(), strict=True)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.3)
for ax, step, text in zip(axes, (0, 299), ("Before", "After: p = q, and D = ½"), strict=False):
    figures.line(ax, x, p, figures.BLUE)
    figures.line(ax, x, qs[step], figures.ORANGE, dashed=True)
    ax.plot(*figures.values([x, ds[step]]), color=figures.BERRY, linewidth=1)
    ax.set(xlim=(-3.5, 3.5), ylim=(0, 1.05), xlabel="x", ylabel="density, D(x)")
    figures.title(ax, text)
axes[0].text(-3.4, 0.5, "data p", color=figures.BLUE)
axes[0].text(2.25, 0.25, "fake q", color=figures.TEXT[figures.ORANGE])
axes[0].text(1.9, 0.6, "D", color=figures.BERRY)
figures.line(axes[2], range(300), values, figures.BERRY)
figures.level(axes[2], -math.log(4), "−ln 4")
axes[2].set(xlabel="step of the generator", ylabel="value of the game (nats)", ylim=(-1.41, -1.13))
figures.title(axes[2], "D cannot win any more")
show(fig, alt="Data and fake density with the discriminator's curve, before and after 300 steps: the "
              "fake lies on the data and D is one half. The game's value falls to −ln 4 = −1.386.")

# %% [markdown]
# Afterwards you can
#
# - derive the best discriminator, and read a divergence off its loss;
# - say which divergence a generator descends, when, and when none;
# - find the divergence in a discriminator's loss: hinge, squares, logarithms;
# - compute Wasserstein distances, and judge the story ‘JS is constant, hence Wasserstein’ by what is measured.
#
# **Needs** chapters 01 and 06. **Time** 55 minutes to read, 45 for the exercises; the cells run in about 30 s.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | density of the data, of the generator | |
# | $m$ | the middle, $(p+q)/2$ | |
# | $l$ | logit of the discriminator | (batch,) |
# | $D = \sigma(l)$ | its belief that $x$ is real | (batch,) |
# | $V$ | value of the game, in nats | |
# | $u$ | density ratio, $p/q$ unless said | |
# | $\mathrm{JSD}, \mathrm{TV}$ | Jensen–Shannon divergence, total variation | |
# | $f, f^*$ | a convex function, its conjugate; in 5 $f$ is a critic | |
# | $W_1$ | Wasserstein distance, in units of $x$ | |
# | $\theta$ | the generator's parameters | |

# %% tags=["nbval-ignore-output"]
from torch.nn import functional as F

from course_lib.chapters.ch09_gan_game.critics import (
    critic_estimates,
    draw_bumps,
    parallel_lines,
    scaled_gaussians_distance,
)
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.gan.losses import OBJECTIVES
from course_lib.gan.ring import SeedMLP
from course_lib.information.divergences import jensen_shannon, total_variation
from course_lib.training.runtime import start

run = start(seed=0, threads=1)

# %% [markdown]
# ## 1 · Two players, one number
#
# The **generator** turns noise $z$ into points: $x = G(z)$. Nobody can say how probable one of them is; only draws come out.
# The **discriminator** sees a point and says how likely it is real. It is paid by the logarithm, as in chapter 01 (Goodfellow et al. 2014):
#
# $$V(D, q) = \mathrm{E}_{x\sim p}[\ln D(x)] + \mathrm{E}_{x\sim q}[\ln(1 - D(x))].$$
#
# $D$ raises $V$, $G$ lowers it. **Predict:** what is $V$ for a $D$ that says ½ to everything, and what for one that is always right ($p$ and $q$ lie apart)?

# %%
def value_of(d, p, q):
    return (p * d.log() + q * (1 - d).log()).sum() * dx


q = bell(0.3, 1.0)  # a generator that we keep for this section
d = torch.sigmoid(-2 * x)  # someone's idea of a discriminator: real is on the left
total = 0.0
for i in range(801):  # the loop
    total += (p[i] * math.log(d[i]) + q[i] * math.log(1 - d[i])).item() * dx
claim("loop and sum agree", abs(total - value_of(d, p, q)) < 1e-12)
half, sure = torch.full_like(x, 0.5), (x < 0).double().clamp(1e-12, 1 - 1e-12)
claim("½ to everything is worth −ln 4", abs(value_of(half, p, q) + math.log(4)) < 1e-9)
claim("where p and q lie apart, always right is worth 0",
      abs(value_of(sure, bell(-4.0, 0.4), bell(4.0, 0.4))) < 1e-10)
claim("this idea is worth less than saying ½", value_of(d, p, q) < -math.log(4), value=value_of(d, p, q))

# %% [markdown]
# <details><summary>Answer</summary>
#
# $-\ln 4 = -1.386$, and 0, the most there is: no logarithm of a probability is positive. The best discriminator's value lies between; a bad one's may
# lie below, as in the last claim.
# </details>

# %% [markdown]
# ## 2 · The best discriminator
#
# $V$ is an integral over $x$, and $D$ may choose a number at each $x$ by itself. So take one $x$: with $a = p(x)$ and $b = q(x)$,
#
# $$\frac{\partial}{\partial d}\big(a\ln d + b\ln(1-d)\big) = \frac ad - \frac b{1-d} = 0 \quad\Longrightarrow\quad D^*(x) = \frac{p(x)}{p(x)+q(x)} .$$
#
# The second derivative is negative: a maximum. Its logit is $\ln p - \ln q$: a discriminator *is* an estimate of the density ratio. Put it in, with $m = (p+q)/2$, so that $D^* = p/2m$:
#
# $$V(D^*, q) = \mathrm{E}_p\Big[\ln\frac{p}{2m}\Big] + \mathrm{E}_q\Big[\ln\frac{q}{2m}\Big] = \mathrm{KL}(p\,\|\,m) + \mathrm{KL}(q\,\|\,m) - \ln 4 = 2\,\mathrm{JSD}(p, q) - \ln 4$$
#
# with the **Jensen–Shannon divergence** JSD, or JS: the mean of the two KLs to the middle. Since $m \ge p/2$ each is at most $\ln 2$: $0 \le \mathrm{JSD} \le \ln 2$.
#
# ### Exercise: D* and its value
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.optimal_discriminator")
def optimal_discriminator(p, q, dx):
    """Return (d, value): the best D(x) at every x, and the game's value with it, in nats.

    p, q (..., n): positive densities of data and generator at n places, dx apart;
    d (..., n); value (...), an integral: a sum times dx.
    Worked value: p = [1., 3.], q = [3., 1.], dx = 0.25 give d = [0.25, 0.75], value = −1.125.
    """
    # 1. d, as derived above
    # 2. the value: p ln d + q ln(1 − d) at every place
    # 3. summed over the last axis, times dx
    ...

# %%
d_star, best = optimal_discriminator(p, q, dx)
ladder = torch.linspace(0, 1, 2001, dtype=f64)[1:-1, None]  # all answers, 0.0005 apart
tried = ladder[(p * ladder.log() + q * (1 - ladder).log()).argmax(0), 0]
claim("trying 1,999 answers at each place finds no better one", (tried - d_star).abs().max() < 6e-4)
js = jensen_shannon(p * dx, q * dx)
claim("the first picture's game ended at −ln 4, to 1e-7", abs(values[-1] + math.log(4)) < 1e-7)
claim("the best value is 2·JSD − ln 4, with JSD = 0.129 nats",
      abs(best - (2 * js - math.log(4))) < 1e-7 and round(js.item(), 3) == 0.129)

# %% [markdown]
# Is $D^*$ where a *network* arrives? It has draws only, not $p$ and $q$. Its loss is $-V$, and it needs care: $\ln(\sigma(l))$ in two steps is
# $\ln 0$ for a logit of −800, in float64 too. Softplus, $\ln(1+e^l)$ without overflow, takes the logit itself.
#
# ### Exercise: the discriminator's loss
# *difficulty 2/5 · importance 5/5 · 6 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.discriminator_loss")
def discriminator_loss(real_logits, fake_logits):
    """Return −E[ln D(real)] − E[ln(1 − D(fake))] with D = σ(logit): each mean over its own batch.

    real_logits (n,), fake_logits (m,); returns a number, finite for every finite logit, also ±10,000.
    Worked value: real_logits = [0.], fake_logits = [0., 0.] give ln 4.
    """
    # 1. −ln σ(l) = softplus(−l) and −ln(1 − σ(l)) = softplus(l), from chapter 06
    # 2. the mean of each, then their sum
    ...

# %%
generator = torch.Generator().manual_seed(1)
critics = SeedMLP([1, 64, 64, 1], 5, generator).to(run.device)  # five side by side, none sees another
optimizer = torch.optim.Adam(critics.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=800)
for _ in range(800):  # the library's loss here, and wherever many steps are trained
    points = torch.stack([draw_bumps(5, 256, generator), 0.3 + torch.randn(5, 256, generator=generator)])
    real_logits, fake_logits = (critics(side[..., None]).flatten() for side in points.to(run.device))
    loss = OBJECTIVES["nonsaturating"].discriminator(real_logits, fake_logits)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()

# %%
with torch.no_grad():
    learned = critics(x.float()[None, :, None].expand(5, -1, -1).to(run.device))
    learned = learned[..., 0].sigmoid().cpu().double()
seen = (p + q) / 2 > 0.02  # where points are
gaps = (learned - d_star)[:, seen].abs().amax(1)
claim("five networks of five reach D* within 0.15 wherever the mean density is above 0.02",
      gaps.max() < 0.15, largest=gaps)
reached = torch.stack([value_of(d.clamp(1e-9, 1 - 1e-9), p, q) for d in learned])
claim("their values are at most 0.01 nats below 2·JSD − ln 4, and none above",
      bool((reached < best).all() and (reached > best - 0.01).all()), lost=best - reached)
with torch.no_grad():
    beyond = critics(torch.full((5, 1, 1), 4.0, device=run.device)).flatten().cpu()
claim("at x = 4, where next to nothing is seen, their logits are off by more than 5 nats",
      (beyond - torch.logit(p / (p + q))[600]).min() > 5, logits=beyond, exact=(p.log() - q.log())[600])

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.3)
ax.fill_between(*figures.values([x, p]), color="#DCE7FF", linewidth=0)
ax.fill_between(*figures.values([x, q]), facecolor="none", edgecolor=figures.ORANGE, hatch="///",
                linewidth=0)
for d in learned:
    ax.plot(*figures.values([x, d]), color=figures.BERRY, linewidth=0.9)
figures.line(ax, x, d_star, figures.INK, dashed=True)
figures.level(ax, 0.5, "½")
ax.text(-5.8, 0.93, "D* (dashed)", color=figures.INK)
ax.text(-5.8, 0.84, "five networks", color=figures.BERRY)
ax.text(-1.2, 0.25, "p", color=figures.BLUE)
ax.text(0.1, 0.42, "q", color=figures.TEXT[figures.ORANGE])
ax.set(xlim=(-6, 6), ylim=(0, 1.1), xlabel="x", ylabel="D(x), density")
figures.title(ax, "Networks find D* where there are points")
show(fig, alt="Five trained discriminators lie on the dashed optimal one where data or fakes are, "
              "with a peak over each of the data's two bumps.")

# %% [markdown]
# So a log can be read. Somebody's GAN shows a discriminator loss of 1.10, both terms added. If $D$ is as good as $D^*$: what is the Jensen–Shannon divergence, in nats? (A
# number; 1 % off is fine.)

# %% tags=["nbval-ignore-output"]
answer("gan.read_the_loss", ...)

# %% [markdown]
# ## 3 · What the generator descends
#
# The generator lowers $\mathrm{E}_q[\ln(1-D)]$ with $D$ held still. At $D^*$ that is a gradient of the divergence: $D^*$ is a maximum, so to first order
# it does not matter that it would move (*envelope theorem*):
#
# $$\nabla_\theta\, \mathrm{E}_{q_\theta}[\ln(1-D^*)] = \nabla_\theta V(D^*, q_\theta) = \nabla_\theta\, 2\,\mathrm{JSD}(p, q_\theta).$$
#
# (On the left $D^*$ stands still, and $\mathrm{E}_p[\ln D^*]$ has no $\theta$ in it.) Hence ‘a GAN minimises JS’. It holds *at* $D^*$, with this loss. Let $q_\theta$ be a bell with mean and $\ln\sigma$ as parameters, and look.

# %%
theta = torch.tensor([0.3, 0.0], dtype=f64, requires_grad=True)  # mean and ln σ
model, middle = lambda: bell(theta[0], theta[1].exp()), lambda: (p + model()) / 2
kl = lambda a, b: (torch.xlogy(a, a) - torch.xlogy(a, b)).sum() * dx
two_js = lambda: kl(p, middle()) + kl(model(), middle())
slope = lambda value: torch.autograd.grad(value, theta)[0]
saturating = slope((model() * (1 - d_star).log()).sum() * dx)  # d_star is a constant here
claim("at D* the saturating gradient is that of 2·JSD, to 1e-10",
      torch.allclose(saturating, slope(two_js()), rtol=1e-10))

# %%
theta.data = torch.tensor([-0.12, 0.0], dtype=f64)  # now with the data's own mean
a_b = torch.zeros(2, dtype=f64, requires_grad=True)
straight = (a_b[0] * x + a_b[1]).sigmoid()
(uphill,) = torch.autograd.grad(value_of(straight, p, model().detach()), a_b)
steps = [(a, b) for a in (-0.1, 0, 0.1) for b in (-0.1, 0, 0.1) if a or b]
tilted = [value_of((a * x + b).sigmoid(), p, model().detach()) for a, b in steps]
claim("among all D = σ(ax + b), ½ everywhere is best here: V is flat there, and lower all around",
      uphill.abs().max() < 1e-9 and max(tilted) < -math.log(4))  # V is concave in a and b: no other top
claim("and yet JSD is above 0.1 nats", two_js() / 2 > 0.1, js=two_js() / 2)

# %% [markdown]
# A discriminator that can only draw a line compares means, and is content; where it says ½ everywhere, the generator gets no gradient. **What a generator minimises is decided by what its discriminator can
# see.** (Arora et al. 2017 call this a neural-net distance.)
#
# **The loss saturates.** For one fake with logit $l$ and $D = \sigma(l)$,
#
# $$\frac{\partial}{\partial l}\ln(1-D) = -D, \qquad\qquad \frac{\partial}{\partial l}(-\ln D) = D - 1 .$$
#
# A fake that is caught, $D \approx 0$, gets no gradient from the first, the saturating loss of the **minimax** game, and the full one from the second: the **non-saturating** loss,
# which Goodfellow et al. already trained with.
#
# ### Exercise: the generator's loss
# *difficulty 1/5 · importance 5/5 · 4 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.nonsaturating_generator_loss")
def nonsaturating_generator_loss(fake_logits):
    """Return −E[ln D(fake)] with D = σ(logit), the mean over the batch.

    fake_logits (n,); returns a number, finite for every finite logit.
    Worked value: fake_logits = [0., 0.] gives ln 2.
    """
    # 1. −ln σ(l) by softplus
    # 2. the mean
    ...

# %%
logits = torch.linspace(-8, 8, 161, dtype=f64, requires_grad=True)
(push,) = torch.autograd.grad(161 * nonsaturating_generator_loss(logits), logits)
(pull,) = torch.autograd.grad(161 * OBJECTIVES["minimax"].generator(logits), logits)
d = logits.detach().sigmoid()
claim("by autograd: D − 1 and −D", torch.allclose(push, d - 1) and torch.allclose(pull, -d))

away = torch.linspace(0, 4, 41, dtype=f64)  # data N(0, 0.4²), fakes N(away, 0.4²), with the exact D*
about = torch.linspace(-2, 2, 4001, dtype=f64)[:, None]  # (4001, 1): places about the fakes' mean
weight = torch.softmax(-((about / 0.4) ** 2) / 2, dim=0)
logit = (about**2 - (about + away) ** 2) / (2 * 0.4**2)  # ln p − ln q there
steep = away / 0.4**2  # how much a logit gains when its point moves towards the data
gone, grows = ((weight * g).sum(0) * steep for g in (logit.sigmoid(), 1 - logit.sigmoid()))
claim("ten σ apart one pull is below 1e-3, the other above 20", gone[40] < 1e-3 and grows[40] > 20)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.3)
figures.line(left, d, -pull, figures.MUTE, "saturating")
figures.line(left, d.flip(0), -push.flip(0), figures.BERRY, "non-sat.")
left.set(xlabel="D(fake)", ylabel="pull on the logit", xlim=(0, 1.4), ylim=(0, 1.1), xticks=(0, 0.5, 1))
figures.title(left, "A caught fake (D ≈ 0) gets all or nothing")
figures.line(right, away / 0.4, gone, figures.MUTE, "saturating")
figures.line(right, away / 0.4, grows, figures.BERRY, "non-sat.")
right.set(xlabel="distance from the data (σ)", ylabel="pull on the mean (nats per unit)", xlim=(0, 13.5))
figures.title(right, "Far away, one is gone, one grows")
show(fig, alt="Left, the pull on a fake's logit against D: D for the saturating loss, 1 − D for the "
              "other. Right, the pull on the fakes' mean: one vanishes with the distance, the other "
              "grows to 25 at ten σ.")

# %% [markdown]
# Both want $D$ high on fakes and both stand still at $p = q$; so is the second only a better scaled version of the first? No. At $D^*$,
#
# $$\nabla_\theta\,\mathrm{E}_{q_\theta}[-\ln D^*] = \nabla_\theta\big(\mathrm{KL}(q_\theta\|\,p) - 2\,\mathrm{JSD}(p, q_\theta)\big)$$
#
# (Arjovsky and Bottou 2017, theorem 2.5): write $-\ln D^* = \ln\frac{1-D^*}{D^*} - \ln(1-D^*)$; the first part is $\ln(q/p)$, whose gradient is the KL's (what is missing, $\mathrm{E}_q[\nabla\ln q] = \nabla\int q$, is 0), the second is above. A
# *reverse* KL, which seeks one bump in chapter 01. And minus JSD: does it push apart? Look again, with $u = q/p$:
#
# $$\mathrm{KL}(q\|p) - 2\,\mathrm{JSD} = \mathrm{E}_p\Big[(1+u)\ln\tfrac{1+u}{2}\Big] = 2\,\mathrm{KL}(m\,\|\,p) \ge 0 .$$
#
# A divergence of its own, zero only at $p = q$ (Shannon et al. 2020).

# %%
theta.data = torch.tensor([0.3, 0.0], dtype=f64)
d_star = optimal_discriminator(p, model().detach(), dx)[0]
taken = slope((model() * -d_star.log()).sum() * dx)
claim("at D* the non-saturating gradient is that of KL(q‖p) − 2·JSD, to 1e-10",
      torch.allclose(taken, slope(kl(model(), p) - two_js()), rtol=1e-10))
claim("which is 2·KL(m‖p), in value and gradient",
      torch.allclose(kl(model(), p) - two_js(), 2 * kl(middle(), p), rtol=1e-7)
      and torch.allclose(taken, slope(2 * kl(middle(), p)), rtol=1e-6))

moving = lambda: (model() * -(p / (p + model())).log()).sum() * dx  # D* that moves with q
off = (slope(moving()) - taken).norm() / taken.norm()
claim("the loss's value with D* put in is another function: its gradient differs by more than 10 %",
      off > 0.1, relative=off)

# %% [markdown]
# What this does *not* say: that a network's training minimises it. The identity is about one gradient, and needs an exact $D^*$ anew at every step. And the *value* of
# the loss is a different function again (last claim).
#
# **Predict:** both divergences have the same zero, even the same curvature there. The best *single* bell for our two bumps: is it the same for both?

# %%
near = p[:, None] * (1 + 0.001 * torch.stack([torch.sin(x), torch.cos(2 * x)], 1))  # two directions
near = (near / (near.sum(0) * dx)).T
ratio = [((kl(p, (p + n) / 2) + kl(n, (p + n) / 2)) / (2 * kl((p + n) / 2, p))).item() for n in near]
claim("a thousandth away from p the two are equal within 0.1 %", all(abs(r - 1) < 1e-3 for r in ratio))

js_cost = lambda u: torch.xlogy(u, 2 * u / (1 + u)) + (2 / (1 + u)).log()  # at one place, u = q/p
ns_cost = lambda u: (1 + u) * ((1 + u) / 2).log() - (u - 1)  # u − 1 has mean 0 under p
for cost, whole, text in ((js_cost, two_js(), "2·JSD"), (ns_cost, 2 * kl(middle(), p), "2·KL(m‖p)")):
    with torch.no_grad():
        mean, none = (p * cost(model() / p)).sum() * dx, cost(torch.zeros(1, dtype=f64)).item()
    claim(f"{text} is the mean under p of a cost that is {none:.2f} where nothing is drawn, 0 at u = 1",
          torch.allclose(mean, whole, rtol=1e-7) and cost(torch.ones(1, dtype=f64)).item() == 0)

# %%
means, widths = torch.linspace(-2, 2, 41, dtype=f64), torch.linspace(0.2, 2, 37, dtype=f64)
bells = torch.stack([torch.stack([bell(a, s) for s in widths]) for a in means])  # (41, 37, 801)
m = (p + bells) / 2
to_p, to_q, back = (torch.xlogy(a, a / b).sum(-1) * dx for a, b in ((p, m), (bells, m), (m, p)))
found = {}
for name, table in (("2 JSD", to_p + to_q), ("2 KL(m‖p)", 2 * back)):
    i, j = divmod(table.argmin().item(), 37)
    found[name] = bells[i, j]
    print(f"{name}: mean {means[i]:.1f}, σ {widths[j]:.2f}, {table[i, j]:.3f} nats")
js_best, ns_best = found.values()
claim("JS covers both bumps, the non-saturating divergence takes one",
      min(js_best[350], js_best[460]) > 0.15 and ns_best[350] > 0.9 and ns_best[460] < 1e-3)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.2, width_ratios=[1.3, 1])
left.fill_between(*figures.values([x, p]), color="#DCE7FF", linewidth=0)
figures.line(left, x, js_best, figures.MUTE)
figures.line(left, x, ns_best, figures.BERRY)
left.text(1.75, 0.32, "best for 2 JSD", color=figures.MUTE)
left.text(-0.6, 0.85, "best for 2 KL(m‖p)", color=figures.BERRY)
left.set(xlim=(-3.5, 3.5), xlabel="x", ylabel="density")
figures.title(left, "One bell for two bumps")
u = torch.linspace(1e-6, 4, 200, dtype=f64)
figures.line(right, u, js_cost(u), figures.MUTE, "2 JSD")
figures.line(right, u, ns_cost(u), figures.BERRY, "2 KL(m‖p)")
right.set(xlabel="u = q/p", ylabel="cost (nats)", ylim=(-0.03, 1.75), xlim=(0, 5.8))
figures.title(right, "Missing data (u = 0) is cheap")
show(fig, alt="Left, the best single bell is broad over both bumps for JS and sits on the larger one "
              "for the other. Right, both costs touch zero at u = 1; at u = 0 one costs 0.69, the "
              "other 0.31.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No. Near $p$ they agree; far away, JS asks ln 2 = 0.69 nats for data without fakes, the other only $1 - \ln 2 = 0.31$, and more for fakes without data.
# (From its cost $u - 1$ is subtracted, which has mean 0 under $p$: no cost is negative then.)
# One root of *mode collapse*, bumps that are never drawn, seen with a perfect $D$.
# </details>

# %% [markdown]
# ## 4 · What a discriminator's loss leaves over
#
# Take two losses, $\ell_1(d)$ on real and $\ell_0(d)$ on fake. If $D$ is free at each $x$ and has a best answer there, what is left depends on $u = p/q$:
#
# $$-\min_D\big(\mathrm{E}_p[\ell_1] + \mathrm{E}_q[\ell_0]\big) = \mathrm{E}_q[f(u)], \qquad f(u) = -\min_d\big(u\,\ell_1(d) + \ell_0(d)\big).$$
#
# $f$ is a maximum of straight lines in $u$: **convex**. With $f(1) = 0$ the mean $\mathrm{E}_q[f(p/q)]$ is an **$f$-divergence**, 0 for $p = q$ alone if $f$ bends at 1; this is one up to a constant, since a line $a + bu$ in $f$ adds $a + b$ (Nguyen et al. 2009).
# By hand: the hinge, $\max(0, 1-d)$ on real and $\max(0, 1+d)$ on fake, is best at $d = \pm1$ and leaves $2\min(p, q)$: in all $2 - 2\,\mathrm{TV}$, with the **total variation** $\mathrm{TV} = \frac12\int|p - q|$.
# Half squares to the targets 1 and 0 are best at $d = p/(p+q)$ and leave $\frac12\,pq/(p+q)$: **Pearson's** $\chi^2 = \int (q-m)^2/m$, rewritten.

# %%
q = model().detach()
outputs = torch.linspace(-12, 12, 4801, dtype=f64)[:, None]  # every output 0.005 apart, tried at every x
per_point = {  # the loss on a real and on a fake point
    "logarithm": (F.softplus(-outputs), F.softplus(outputs)),
    "hinge": (F.relu(1 - outputs), F.relu(1 + outputs)),
    "squares": (0.5 * (outputs - 1) ** 2, 0.5 * outputs**2),
}
lowest = {name: (real * p + fake * q).min(0) for name, (real, fake) in per_point.items()}
least = {name: (found.values.sum() * dx).item() for name, found in lowest.items()}
chosen = {name: outputs[found.indices, 0] for name, found in lowest.items()}

# %%
js, tv = (f(p * dx, q * dx).item() for f in (jensen_shannon, total_variation))
middle_of = (p + q) / 2
pearson = ((q - middle_of) ** 2 / middle_of).sum().item() * dx
claim("logarithm: ln 4 − 2·JSD", abs(least["logarithm"] - (math.log(4) - 2 * js)) < 1e-5)
claim("hinge: 2 − 2·TV, the total variation", abs(least["hinge"] - (2 - 2 * tv)) < 1e-6)
claim("squares: ¼ − χ²/4, Pearson's χ² of q from the middle",
      abs(least["squares"] - (1 - pearson) / 4) < 1e-5)

# %% [markdown]
# ‘Least squares minimises Pearson's χ²’ (Mao et al. 2017) is such a sentence: about $m$, not about $p$ against $q$, and with targets −1 and 1 for $D$ and 0 for $G$. It puts $D^*$ into the
# loss. The *gradient* that the generator takes is with $D^*$ held still, and the envelope theorem needs both players to share one number. **Predict:** do they, with the hinge, and with squares?

# %%
square = lambda: ((p - model()) ** 2 / (p + model())).sum() * dx  # 2 χ² of q from the middle
variation = lambda: (p - model()).abs().sum() * dx  # 2 TV
d_square, d_hinge = (p - q) / (p + q), torch.sign(p - q)  # best for targets ±1, and for the hinge
theirs = slope(0.5 * (model() * d_square**2).sum() * dx)  # as published: D should be 0 on fakes
shared = slope(-0.5 * (model() * (d_square + 1) ** 2).sum() * dx)  # minus the loss of D instead
hinge = slope(-(model() * d_hinge).sum() * dx)  # minus D on fakes
claim("if both share one number, the squares' gradient is that of χ²",
      torch.allclose(shared, slope(square() / 2), rtol=1e-9))
usual = slope(0.5 * (model() * (q / (p + q)) ** 2).sum() * dx)  # our library's: 1, 0, and 1 for G
cosine, near = (F.cosine_similarity(gradient, slope(square()), dim=0) for gradient in (theirs, usual))
claim("the published generator's points away from it here: the cosine is negative", cosine < -0.1,
      cosine=cosine)
claim("with the targets 1, 0 and 1 it is nearly parallel", near > 0.95, cosine=near)
claim("the hinge's is that of 2·TV", torch.allclose(hinge, slope(variation()), rtol=1e-9))

# %% [markdown]
# With the hinge they do, with squares not: what that generator follows depends on the targets.
#
# The other direction: choose a divergence, get its loss. For convex $f$ the **conjugate** is $f^*(t) = \max_u\,(ut - f(u))$, so that $f(u) \ge ut - f^*(t)$ for every $t$. With one $t = T(x)$ for each $x$
#
# $$\mathrm{E}_q\Big[f\Big(\frac pq\Big)\Big] \;\ge\; \mathrm{E}_p[T] - \mathrm{E}_q[f^*(T)], \qquad \text{equal at } T^* = f'(p/q),$$
#
# again a lower bound with draws only, raised by a network: **f-GAN** (Nowozin et al. 2016). The original game is $T = \ln 2D$.

# %%
family = {  # f(u) and its conjugate, for u = p/q
    "KL(p‖q)": (lambda u: torch.xlogy(u, u), lambda t: (t - 1).exp()),
    "KL(q‖p)": (lambda u: -u.log(), lambda t: -1 - (-t).log()),
    "χ²": (lambda u: (u - 1) ** 2, lambda t: t**2 / 4 + t),
    "2 JSD": (lambda u: torch.xlogy(u, 2 * u / (1 + u)) - ((1 + u) / 2).log(),
              lambda t: -(2 - t.exp()).log()),
}
u = (p / q).requires_grad_()
for name, (f, conjugate) in family.items():
    bound = lambda t: ((p * t - q * conjugate(t)).sum() * dx).item()
    critic = lambda u: torch.autograd.grad(f(u).sum(), u)[0]  # T = f′(u)
    exact = ((q * f(u)).sum() * dx).item()
    tight = math.isclose(bound(critic(u)), exact, rel_tol=1e-8)
    lower = max(bound(critic(u * 0.99)), bound(critic(u * 1.01))) < bound(critic(u))  # a top
    claim(f"{name}: the bound is tight at f′(p/q), and lower for ratios 1 % off either way",
          tight and lower)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.3)
u = torch.linspace(1e-6, 4, 400, dtype=f64)
left_over = (family["2 JSD"][0](u), (u - 1).abs(), (u - 1) ** 2 / (u + 1))
kinds = zip(("-", "--", ":"), chosen.values(), left_over, ("2 JSD", "2 TV", "2 χ²(q‖m)"), strict=True)
order = (p.log() - q.log()).argsort()
for style, best_output, f, name in kinds:
    curve = (p.log() - q.log())[order], best_output[order]
    left.plot(*figures.values(curve), style, color=figures.BERRY)
    right.plot(*figures.values([u, f]), style, color=figures.BERRY)
    right.text(4.1, f[-1] - 0.03, name, color=figures.BERRY)
left.set(xlim=(-3, 2), ylim=(-3, 2), xlabel="ln p/q at x", ylabel="best output of D")
figures.title(left, "D says the log ratio (—), its sign (- -), p/(p+q) (···)")
right.set(xlabel="u = p/q", ylabel="f(u) (a line added, scaled)", ylim=(0, 3.1), xlim=(0, 5.6))
figures.title(right, "What is left over: a divergence")
show(fig, alt="Left, the best output of D against the log density ratio: the ratio itself, a step for"
              " the hinge, a sigmoid for squares. Right, the convex f of each: 2 JSD, 2 TV and the χ²"
              " to the middle.")

# %% [markdown]
# ## 5 · When nothing overlaps
#
# Where $p$ and $q$ share nothing, $u$ is 0 or infinite, whatever the distance: every $f$-divergence is at its maximum (for some infinite) and flat. If images lie on thin sheets in pixel space, as Arjovsky and Bottou argue, this is the
# usual case. The **Wasserstein** distance asks another question: how far must mass be carried, on average, to turn $p$ into $q$?
#
# On a line nothing is gained by crossing ways, so the smallest goes to the smallest. For two samples of one size: sort both, average the gaps. **Predict:** two narrow bells,
# $\sigma = 0.1$, move from 0 to 2 apart. Which of JS, TV and $W_1$ still tells 1 from 2?

# %%
shifts = torch.linspace(-2, 2, 81, dtype=f64)
fine = torch.linspace(-3, 3, 6001, dtype=f64)
narrow = lambda mean: torch.exp(-(((fine - mean) / 0.1) ** 2) / 2)
mass = narrow(shifts[:, None])
mass = mass / mass.sum(1, keepdim=True)  # (81, 6001): one distribution a row
fixed = mass[40]  # at 0
apart = {"JSD": jensen_shannon(fixed, mass), "TV": total_variation(fixed, mass)}
apart["W₁"] = ((fixed - mass).cumsum(1).abs() * 0.001).sum(1)  # the area between distribution functions
claim("from 1 on JSD is ln 2 and TV is 1, to 1e-6",
      (apart["JSD"][60:] - math.log(2)).abs().max() < 1e-6 and (apart["TV"][60:] - 1).abs().max() < 1e-6)
claim("W₁ is the shift, at every shift", torch.allclose(apart["W₁"], shifts.abs(), atol=1e-9))

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.1)
figures.line(ax, shifts, apart["JSD"], figures.BERRY, "JSD (nats)")
figures.line(ax, shifts, apart["TV"], figures.BERRY, "TV", dashed=True)
figures.line(ax, shifts, apart["W₁"], figures.INK, "W₁ (units of x)")
ax.set(xlabel="shift (the bells have σ = 0.1)", ylabel="divergence", ylim=(0, 2.1), xlim=(-2, 3.4))
figures.title(ax, "JS and TV go flat; W₁ is the shift")
show(fig, alt="JS and total variation of two narrow bells against their shift rise to ln 2 and 1 and "
              "are flat from 1 on; the Wasserstein distance is the absolute shift.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# $W_1$ alone. The same number comes from both axes. A *distribution function* tells, at each place, the share of mass to its left. Sorting compares the places where the two functions reach a level, the line with `cumsum` compares their levels at a place:
# both are the area between the two.
# </details>
#
# ### Exercise: Wasserstein on a line
# *difficulty 3/5 · importance 4/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.wasserstein_1d")
def wasserstein_1d(x, y):
    """Return the mean distance over which x must be carried to lie as y does.

    x (n,), y (m,): two samples on a line, n and m may differ; each point of x weighs 1/n, of y 1/m.
    Worked values: x = [3., 1.], y = [2., 5.] give 1.5; x = [0., 4.], y = [1.] give 2.
    """
    # 1. put both in order: the i-th of x covers the levels (i − 1)/n … i/n
    # 2. bring them to one length: repeat each x m times and each y n times
    # 3. the mean of |x − y|, pair by pair
    ...

# %%
from course_lib.information.transport import match, optimal_transport

one, other = (draw_bumps(1, n, torch.Generator().manual_seed(n))[0].double() for n in (7, 5))
cost = (one[:, None] - other).abs()
even = lambda n: torch.full((n,), 1 / n, dtype=f64)
by_program = optimal_transport(cost, even(7), even(5)).distance
claim("a linear program that may cross ways finds nothing cheaper",
      abs(wasserstein_1d(one, other) - by_program) < 1e-9)
claim("a sample is 0 from itself in another order", abs(wasserstein_1d(one, one.flip(0))) < 1e-12)

# %% [markdown]
# In the plane there is no order, and a **linear program** finds the plan: $\min_{P\ge0}\sum_{ij}P_{ij}c_{ij}$, where $P_{ij}$ goes from $i$ to $j$ at the cost $c_{ij}$ a unit, with rows that sum to $p$ and columns that sum to $q$. Every linear program has
# a **dual**, which here is a critic: prices $f_i$ at the sources and $g_j$ at the goals,
#
# $$W_1 = \max_{f,\,g}\ \sum_i p_i f_i + \sum_j q_j g_j \quad\text{with } f_i + g_j \le c_{ij} .$$
#
# For distances as cost $g = -f$ will do, on all places, and the condition says that $f$ has slope at most 1: $W_1 = \max_{\mathrm{Lip}(f)\le1} \mathrm{E}_p[f] - \mathrm{E}_q[f]$ (Kantorovich and Rubinstein). No logarithm, no
# sigmoid: such an $f$ is a **critic**.

# %%
generator = torch.Generator().manual_seed(3)
z = torch.randn(40, 2, dtype=f64, generator=generator)
sources = 0.35 * z[:24] + torch.tensor([-1.2, 0.3], dtype=f64)
goals = z[24:] * torch.tensor([0.3, 0.6], dtype=f64) + torch.tensor([1.3, 0.0], dtype=f64)
cost = torch.cdist(sources, goals)
solved = optimal_transport(cost, even(24), even(16))
earned = (even(24) * solved.f).sum() + (even(16) * solved.g).sum()
claim("the dual earns what the plan costs", abs(earned - solved.distance) < 1e-9)
critic = lambda z, g=solved.g: (torch.cdist(z, goals) - g).min(1).values  # whatever g: slope 1
gain = lambda *g: critic(sources, *g).mean() - critic(goals, *g).mean()
grid = torch.cartesian_prod(*[torch.linspace(-2.3, 2.3, 47, dtype=f64)] * 2)
prices = critic(grid)
steepest = ((prices[:, None] - prices).abs() / torch.cdist(grid, grid).clamp(min=1e-9)).max()
claim("as one function of slope 1 it earns as much; with the prices of other goals, less",
      abs(steepest - 1) < 1e-9 and abs(gain() - solved.distance) < 1e-9
      and gain(solved.g.roll(1)) < 0.99 * solved.distance)

# %%
used = solved.plan > 1e-9
falls = critic(sources)[:, None] - critic(goals)
claim("along every way that is used it falls by exactly the distance",
      (falls - cost)[used].abs().max() < 1e-9)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.9)
height = *grid.T.reshape(2, 47, 47), prices.view(47, 47)
right.contour(*figures.values(height), 14, colors=figures.BERRY, linewidths=0.7)
for ax in (left, right):
    for i, j in used.nonzero().tolist():
        way = torch.stack([sources[i], goals[j]]).T
        ax.plot(*figures.values(way), color=figures.INK, linewidth=30 * solved.plan[i, j].item())
    figures.points(ax, sources, figures.BLUE, s=30, alpha=1)
    figures.points(ax, goals, figures.ORANGE, s=34, alpha=1)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
figures.title(left, f"● data to ▲ fakes: {solved.distance:.2f} a point")
figures.title(right, "Its dual: a critic of slope 1")
show(fig, alt=f"Left, lines carry 24 data points to 16 fakes over {solved.distance:.2f} on average. "
              "Right, contours of the dual's potential: it falls along every line with slope one.")

# %% [markdown]
# A **WGAN** trains a network as $f$, with the loss $\mathrm{E}_q[f] - \mathrm{E}_p[f]$; the generator's is $-\mathrm{E}_q[f]$. Something must hold the slope down. Either the weights are **clipped** to a box, say ±0.1, after each step (Arjovsky et al. 2017),
# or a **penalty** is added to the loss, ten times the mean of $(\|\nabla f\| - 1)^2$ at points between real and fake (Gulrajani et al. 2017). Neither makes the slope exactly 1.

# %% [markdown]
# ## 6 · ‘JS is constant, hence Wasserstein’, measured
#
# Arjovsky et al. (2017) put the data on a line in the plane, $x_1 = 0$, and the fakes on a parallel one, $x_1 = \theta$; heights are our two bumps. JS is $\ln 2$ for every $\theta \ne 0$, $W_1 = |\theta|$. So, the
# story goes, a GAN cannot learn here and a WGAN can. Fedus et al. (2018) tried.
#
# One parameter, $\theta = 2$ at the start; discriminators with two layers of 32, at twice the generator's rate, one step for each of its own. Three losses: minimax, non-saturating, Wasserstein with weights clipped to ±0.1. **Predict:** which arrive
# at the data? (One of ‘none’, ‘wasserstein alone’, ‘nonsaturating and wasserstein’, ‘all three’.)

# %% tags=["nbval-ignore-output"]
answer("gan.parallel_lines", ...)

# %%
played = parallel_lines(1e-2, steps=500, device=run.device)  # θ (500, 3, 5), logits (…, 64)
fast, real_logits, fake_logits = (part.cpu() for part in played)
slow = parallel_lines(1e-3, steps=500, device=run.device)[0].cpu()  # both: rates of D
tiny = parallel_lines(1e-2, steps=500, device=run.device, g_eps=1e-30)[0].cpu()  # the generator's Adam
end, sure = fast[-50:].abs().mean(0), fake_logits[300, 0].sigmoid().mean(-1)
loss = F.softplus(-real_logits).mean(-1) + F.softplus(fake_logits).mean(-1)
turned = (fast[1:] * fast[:-1] < 0)[:, 1].sum(0)

# %%
claim("non-saturating and Wasserstein: ten runs of ten come within 0.15 of the data",
      end[1:].max() < 0.15, nonsaturating=end[1], wasserstein=end[2])
claim("minimax: five of five are further than 1.5 away, with D(fake) below 1e-8",
      end[0].min() > 1.5 and sure.max() < 1e-8, end=end[0], sure=sure)
claim("with 10⁻³⁰ in place of Adam's 10⁻⁸ each minimax run comes at least 0.3 nearer, and still moves",
      (end[0] - tiny[-50:, 0].abs().mean(0)).min() > 0.3 and (tiny[-51] - tiny[-1])[0].min() > 0.05,
      end=tiny[-1, 0])
claim("on the way the non-saturating runs' D was sure, its loss below 0.001, and of use",
      loss[300, 1].max() < 1e-3, loss=loss[300, 1])
claim("of these none came to rest in 500 steps: they crossed 0 twice and more",
      turned.min() >= 2, times=turned)
nearest = slow[:, 0].abs().amin(0)
claim("with a D ten times slower minimax moves too: each run meets the data within 0.1, and crosses",
      nearest.max() < 0.1 and slow[-1, 0].max() < 0, nearest=nearest)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.3)
looks = ((figures.MUTE, "--"), (figures.BERRY, "-"), (figures.INK, ":"))
for ax, places in zip(axes, (fast, slow), strict=True):
    for arm, (colour, style) in enumerate(looks):
        ax.plot(figures.values(places[:, arm]), color=colour, linestyle=style, linewidth=1.2)
    ax.axhline(0, color=figures.MUTE, linestyle="--", linewidth=1)
    ax.text(5, -0.15, "data", color=figures.MUTE)
    ax.set(xlabel="step", ylabel="θ, distance of the fakes", ylim=(-0.7, 2.1))
axes[0].text(250, 1.9, "minimax (dashed)", color=figures.MUTE)
axes[0].text(15, 0.45, "non-saturating\n(solid), Wasser-\nstein (dotted)", color=figures.BERRY)
figures.title(axes[0], "A sure D: two of three losses arrive")
figures.title(axes[1], "D ten times slower: all three cross")
show(fig, alt="Distance of the fakes against steps, five runs each. With a fast discriminator the "
              "non-saturating and Wasserstein losses reach the data, minimax stays away; with a slow "
              "one all three meet the data, and run past it.")

# %% [markdown]
# So ‘JS constant → no learning’ is wrong as it stands. The *exact* $D^*$ is 1 on one line and 0 on the other; beside them nothing determines it, nor a slope. A trained network fills the gap with one, and the generator follows that, times $D$, $1-D$
# or 1. Adam divides by the gradient's size plus $10^{-8}$, and where $D$ is sure minimax's is smaller: so it stands still, and not because of the divergence. With $10^{-30}$ it moves, with a slower $D$ too, past the data. Why do the non-saturating runs swing about the data? Chapter 10.

# %% [markdown]
# ## 7 · Does a critic measure $W_1$?
#
# The other half of the story: a WGAN works *because* its critic estimates $W_1$. Stanczuk et al. (2021) measured. We take a case with a known answer: $p = \mathcal N(0, I)$ and $q = \mathcal N(0, 1.5^2 I)$ in 32 dimensions. Carrying $x$ to $1.5\,x$ costs $0.5\,\mathrm{E}\|x\|$, and the critic $-\|x\|$, of slope 1, earns it: so that is $W_1$. Fresh critics get 5 to 400 updates; a WGAN's own critic gets five for each of the generator's, and goes on from where it was.

# %%
exact = scaled_gaussians_distance(32, 1.5)
print(f"W₁ = {exact:.3f}")
marks = [5, 20, 100, 400]
arms = {"penalty": {"gp_weight": 10.0}, "box ±0.1": {"box": 0.1}, "box ±0.01": {"box": 0.01}}
share = {name: critic_estimates(marks, 32, 1.5, **arm, device=run.device).cpu() / exact
         for name, arm in arms.items()}  # (4, 5)
claim("five steps from scratch, with the penalty: under 50 % of W₁ in five of five",
      share["penalty"][0].max() < 0.5, share=share["penalty"][0])
claim("400 steps with the penalty: between 80 % and 105 %",
      share["penalty"][3].min() > 0.8 and share["penalty"][3].max() < 1.05, share=share["penalty"][3])
claim("clipped weights measure the box: below 1 % of W₁ for ±0.01",
      share["box ±0.01"].max() < 0.01, hundredth=share["box ±0.01"][3], tenth=share["box ±0.1"][3])
claim("a box ten times as wide (three layers): more than 500 times the number",
      share["box ±0.1"][3].min() > 500 * share["box ±0.01"][3].max())

# %%
nearer = lambda update: 1.5 - 0.001 * update  # the fakes move 0.005 for five updates
times = [100, 200, 400]
warm = critic_estimates(times, 32, nearer, gp_weight=10.0, device=run.device).cpu()
warm = warm / torch.tensor([[scaled_gaussians_distance(32, nearer(mark))] for mark in times])
claim("a critic that goes on while the fakes come nearer says 75 % to 105 % from update 100 on",
      warm.min() > 0.75 and warm.max() < 1.05, share=warm)

# %%
line = critic_estimates([400], dim=1, scale=2.0, gp_weight=10.0, device=run.device)[0].cpu()
line = line / scaled_gaussians_distance(1, 2.0)
claim("on a line, N(0, 1) against N(0, 2²): two or more of five end below 20 % of W₁, one below −80 %",
      (line < 0.2).sum() >= 2 and line.min() < -0.8, share=line)
kinks = torch.linspace(0, 7, 15, dtype=f64)[:, None]
earned = ((bell(0, 1) - bell(0, 2)) * (x - kinks).abs()).sum(1) * dx / scaled_gaussians_distance(1, 2.0)
claim("+|x − c| earns −W₁ at c = 0, more with every step of c outwards, and 0 at c = 7, to 1 %",
      abs(earned[0] + 1) < 0.01 and abs(earned[-1]) < 0.01 and bool((earned.diff() > 0).all()))

# %%
generator = torch.Generator().manual_seed(4)
cloud = lambda scale: scale * torch.randn(64, 32, dtype=f64, generator=generator)
batches = torch.stack([match(cloud(1.0), cloud(1.5))[0] for _ in range(5)]) / exact
same = torch.stack([match(cloud(1.0), cloud(1.0))[0] for _ in range(5)]) / exact
claim("W₁ between two batches of 64, solved exactly, is more than 2.5 times that of the distributions",
      batches.min() > 2.5, ratio=batches)
claim("two batches of the same distribution are more than twice as far apart as p and q", same.min() > 2)

# the clipped critics of section 6
told = (real_logits[:, 2].mean(-1) - fake_logits[:, 2].mean(-1)).abs()  # (steps, 5)
least, most = (told / fast[:, 2].abs())[60:250].aminmax(dim=0)  # past the start, on the way
claim("on the way home they said less than W₁ = |θ|, by a factor that changed 1.3-fold and more",
      most.max() < 1 and (most / least).min() > 1.3, least=least, most=most)

# %% [markdown]
# A fresh critic says too little, a warm one with the penalty comes close in 32 dimensions: ‘critics never measure it’ would be too strong. A clipped one reports its box (±0.1 comes near $W_1$ here by luck), and the exact distance of two *batches* is mostly about the batches.
# On a line the same recipe fails in some runs. No wall stands in the way from $+|x|$ to $-|x|$: as $+|x - c|$ its kink can leave, and come back as $-|x + c|$, at slope 1 throughout. But the start, $c = 0$, is flat by symmetry, and so is the far end, a line that earns 0. Our reading: there they wait.
#
# And the clipped critics of section 6, which brought the fakes home? They never said how far it was.

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.3)
for shares, style in zip(share.values(), ("o-", "s--", "^:"), strict=True):
    left.plot(marks, figures.values(shares), style, color=figures.BERRY, markersize=3, linewidth=1)
for height, text in ((1, "W₁"), (batches.mean(), "two batches"), (same.mean(), "both batches from p")):
    left.axhline(figures.values(height), color=figures.MUTE, linestyle="--", linewidth=1)
    left.text(4.5, height + 0.05, text, color=figures.MUTE)
left.set(xscale="log", xlabel="updates of the critic", ylabel="share of the true W₁", ylim=(-0.3, 3.4))
figures.title(left, "Critics: ● penalty, ■ box ±0.1, ▲ ±0.01")
right.plot(*figures.values([fast[:250, 2], told[:250]]), color=figures.BERRY, linewidth=1)
figures.line(right, [0, 1.75], [0, 1.75], figures.MUTE, "W₁")
right.set(xlabel="θ: training runs from right to left", ylabel="the critic's number", ylim=(0, 2))
figures.title(right, "The clipped critic arrives without measuring")
show(fig, alt="Left, shares of the true distance: a critic with penalty climbs to 1 over 400 updates,"
              " clipped ones give other numbers, exact distances of batches lie two to three times "
              "too high. Right, the clipped critic of the parallel lines stays below the true "
              "distance while the fakes move home.")

# %% [markdown]
# So a WGAN can arrive without measuring $W_1$ (Stanczuk et al.'s title says more), as a GAN can without a JS that falls. What both follow is the discriminator's *slope* on the fakes. Chapter 10 is about that slope.
#
# ## What stays
#
# - The best discriminator knows the density ratio, and its loss the divergence JSD (*the best value is 2·JSD − ln 4*).
# - ‘Minimises JS’ holds at an exact D*, with the saturating loss; what D cannot see is not minimised (*and yet JSD is above 0.1 nats*).
# - At an exact D* the non-saturating loss descends another divergence, which takes one bump (*JS covers both bumps, the non-saturating divergence takes one*).
# - Free at each $x$, and with a minimum, a discriminator's loss leaves an $f$-divergence (*hinge: 2 − 2·TV, the total variation*).
# - Learning needs no $f$-divergence that falls (*ten runs of ten come within 0.15 of the data*).

# %% tags=["nbval-ignore-output"]
progress("09_gan_game")

# %% [markdown]
# **Open questions.** What would $D^*$ be if fakes came three times as often as real points? Which slope would a discriminator of infinite width have between the lines? Is $W_1$ between *batches* a useful loss?
#
# **References.** Goodfellow et al. 2014, *Generative adversarial nets*: sections 3 and 4. Nguyen, Wainwright and Jordan 2009, *On surrogate loss functions and f-divergences*. Nowozin et al. 2016, *f-GAN*: table 2. Arjovsky and Bottou 2017, *Towards principled
# methods*: theorem 2.5. Arjovsky, Chintala and Bottou 2017, *Wasserstein GAN*: example 1. Mao et al. 2017, *Least squares GAN*: section 3.2. Arora et al. 2017, *Generalization and equilibrium*. Gulrajani et al. 2017, *Improved training of Wasserstein GANs*. Fedus et al. 2018, *Many paths to equilibrium*:
# section 3. Shannon et al. 2020, *Non-saturating GAN training as divergence minimization*. Stanczuk et al. 2021, *Wasserstein GANs work because they fail*. Peyré and Cuturi 2019, *Computational optimal transport*: chapters 2 and 3.
