# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · The dynamics of a GAN
#
# **Why does a game with a perfect end not reach it?**
#
# Chapter 09 found where the game ends: fakes like data, a discriminator that knows nothing. Here two players with one number each
# start off towards that end, with the minimax loss. The learning rates are the same in all three pictures; the third adds R1, a penalty on D's slope (section 2).

# %%
import math

import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show

sigma = lambda x: 1 / (1 + math.exp(-x))


def walk(kind, steps=140, h=0.35, gamma=0.4):
    """Return the places (θ, ψ) of 140 steps."""
    theta, psi, places = 1.2, 0.0, []
    for _ in range(steps):
        places.append((theta, psi))
        new = psi - h * (theta * sigma(psi * theta) + gamma * psi * (kind == "R1"))
        theta, psi = theta + h * (psi if kind == "at once" else new) * sigma(psi * theta), new
    return torch.tensor(places)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.4)
fates = {"at once": "Both at once: outwards", "in turn": "In turn: round and round",
         "R1": "In turn, with R1: home"}
for ax, (kind, fate) in zip(axes, fates.items(), strict=True):
    ax.plot(*figures.values(walk(kind)).T, ".-", color=figures.INK, linewidth=0.7, markersize=3)
    ax.plot(1.2, 0, "o", color=figures.BLUE)
    ax.plot(0, 0, "+", color=figures.BERRY, markersize=12)
    ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="generator θ (● start, + goal)")
    figures.title(ax, fate)
axes[0].set_ylabel("discriminator ψ")
show(fig, alt="Three paths of the same game from one start: simultaneous steps spiral outwards, "
              "alternating steps go round in a circle, a penalty on the discriminator's slope leads to "
              "the centre.")

# %% [markdown]
# Afterwards you can
#
# - predict from two eigenvalues whether a game turns, returns or escapes;
# - say what alternating steps, R1, two rates, averaging and optimism change, and what they do not;
# - measure and limit how steep a discriminator is, in three ways;
# - run a GAN's training step as a recipe, and say which of its lines matter.

# %% [markdown]
# **Needs** chapter 09. **Time** 50 minutes to read, 60 for the exercises; the cells run in about 40 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $\theta$ | the generator's number: where the fakes are | () |
# | $\psi$ | the discriminator's: the slope of its logit | () |
# | $s$ | slope of the field at the end of the game | () |
# | $\gamma$ | weight of the penalty R1 | |
# | $l$, $D$ | logit; $D = \sigma(l)$, but in section 6 the output without $\sigma$ | (batch,) |
# | $h$ | learning rate, $h_G$ and $h_D$ where they differ | |
# | $\lambda$ | eigenvalue, of the field or of a step; the step's is $\mu$ where both meet | |
# | $u, v$ | singular vectors of a weight $W$ | (rows,), (columns,) |
# | $\hat x$ | a point between a real and a fake one | (features,) |
# | $k$ | turns of D for one of G | |

# %% tags=["nbval-ignore-output"]
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.records import recorded
from course_lib.gan import losses, penalties
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · The smallest GAN
#
# All data lie at 0. The generator has one number and puts every fake at $\theta$. The discriminator has one number too, its logit is $\psi x$. This is the
# **Dirac-GAN** (Mescheder et al. 2018). Real data give the logit $\psi\cdot 0 = 0$, fakes $\psi\theta$, so the losses of chapter 09 are
#
# $$L_D = \ln 2 + \ln(1 + e^{\psi\theta}), \qquad L_G = \ln(1 + e^{-\psi\theta})\ \text{ or }\ -\ln(1 + e^{\psi\theta})\ \text{(minimax)}.$$
#
# Each player walks downhill on its own loss; a dot is a derivative by time. With $\frac{d}{dx}\ln(1+e^x) = \sigma(x)$:
#
# $$\dot\psi = -\theta\,\sigma(\psi\theta), \qquad \dot\theta = \psi\,\sigma(-\psi\theta)\ \text{ or }\ \psi\,\sigma(\psi\theta).$$
#
# The pair of these velocities is the **field**. Both stand still at $\theta = \psi = 0$ only: the perfect end.

# %%
def field(theta, psi, loss):
    """Return (θ̇, ψ̇), one number each."""
    belief = sigma(psi * theta)  # D of the fake
    return psi * (1 - belief if loss == "nonsaturating" else belief), -theta * belief


def by_autograd(theta, psi, loss):
    theta, psi = (torch.tensor(x, dtype=f64, requires_grad=True) for x in (theta, psi))
    fake_logits, objective = (psi * theta)[None], losses.OBJECTIVES[loss]
    d_loss = objective.discriminator(0 * fake_logits, fake_logits)
    return (-torch.autograd.grad(objective.generator(fake_logits), theta, retain_graph=True)[0],
            -torch.autograd.grad(d_loss, psi)[0])


places = [(0.7, -1.3, loss) for loss in ("minimax", "nonsaturating")] + [(-2.0, 0.4, "nonsaturating")]
claim("the field is what the losses of chapter 09 give",
      all(abs(a - b) < 1e-12 for place in places
          for a, b in zip(field(*place), by_autograd(*place), strict=True)))

# %% [markdown]
# Look at the squared distance $\theta^2 + \psi^2$ along the flow. Its derivative is $2(\theta\dot\theta + \psi\dot\psi)$.
#
# **Predict**, from the two formulas: does the minimax pair come nearer? Does the non-saturating one?

# %%
def radial(theta, psi, loss):
    """Return θθ̇ + ψψ̇: below 0 where the flow leads inwards."""
    d_theta, d_psi = field(theta, psi, loss)
    return theta * d_theta + psi * d_psi


ticks = [-2.0, -1.1, -0.4, 0.3, 0.9, 1.7]
grid = [(a, b) for a in ticks for b in ticks]
claim("minimax: the flow keeps its distance, everywhere",
      all(abs(radial(a, b, "minimax")) < 1e-15 for a, b in grid))
claim("non-saturating: θθ̇ + ψψ̇ is −θψ tanh(θψ/2), inwards off the axes",
      all(abs(radial(a, b, "nonsaturating") + a * b * math.tanh(a * b / 2)) < 1e-12 for a, b in grid))

# %%
from course_lib.gan.dirac import alternating_step as library_step
from course_lib.gan.dirac import dirac_field, dirac_path

fig, (axes,) = figures.new(1, 2, width=8.4, height=4.4)
at = torch.meshgrid(*[torch.linspace(-2.4, 2.4, 15, dtype=f64)] * 2, indexing="xy")
starts = torch.tensor([0.6, 1.2, 2.0], dtype=f64), torch.zeros(3, dtype=f64)
for ax, loss in zip(axes, ("minimax", "nonsaturating"), strict=True):
    flow = dirac_path(*starts, 8000, 0.005, 0.005, method="alternating", loss=loss)  # tiny steps
    ax.quiver(*figures.values([*at, *dirac_field(*at, loss=loss)]), color="#9A9A9A", scale=22,
              width=0.004)
    ax.plot(*figures.values(flow.permute(2, 0, 1)), color=figures.INK, linewidth=1.2)
    ax.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", xlabel="generator θ")
axes[0].set_ylabel("discriminator ψ")
figures.title(axes[0], "Minimax: circles")
figures.title(axes[1], "Non-saturating: slowly inwards")
show(fig, alt="The field of the Dirac-GAN with three flow lines each: closed circles for the minimax "
              "loss, lines that wind slowly inwards for the non-saturating loss.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Minimax: never. What one player gains, the other loses, and the pair circles for ever. Non-saturating: yes, but the nearer, the
# slower; at distance $r$ the mean of $\theta\psi\tanh(\theta\psi/2)$ over a turn is about $r^4/16$. Section 3 measures it.
# </details>
#
# ## 2 · Two eigenvalues
#
# Near the end, a field is its Jacobian times the distance. Ours, with $\sigma(0) = \tfrac12$ and a slope $s = \tfrac12$:
#
# $$\frac{d}{dt}\begin{pmatrix}\theta\\ \psi\end{pmatrix} = \begin{pmatrix}0 & s\\ -s & 0\end{pmatrix}\begin{pmatrix}\theta\\ \psi\end{pmatrix}, \qquad \lambda^2 + s^2 = 0, \qquad \lambda = \pm\, i s .$$
#
# A direction with eigenvalue $\lambda = a + ib$ changes like $e^{\lambda t}$: $a < 0$ brings it home, $b$ turns it by $b$ radians a unit of time. Here $a = 0$. Descending *one* loss
# never looks like this: its Jacobian is minus a matrix of second derivatives, so symmetric, and its eigenvalues are real.

# %% [markdown]
# **R1** adds $\tfrac\gamma2\mathrm{E}\|\nabla l(\text{real})\|^2$ to the discriminator's loss: the squared slope of its *logit* where the data are. Here that slope is $\psi$, so $\dot\psi$
# gets $-\gamma\psi$, and the Jacobian a $-\gamma$ on its diagonal: friction for one of the two players.
#
# ### Exercise: the eigenvalues with R1
# *difficulty 2/5 · importance 5/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.dirac_eigenvalues")
def dirac_eigenvalues(slope, gamma):
    """Return (real, imaginary) of the eigenvalues of [[0, s], [-s, -γ]], each (..., 2), + root first.

    slope s and gamma γ (...), float64. Where the root is real, the imaginary parts are 0.
    Worked values: s = ½, γ = 0 give real [0, 0], imaginary [½, -½];
    s = 1, γ = 2.5 give real [-½, -2], imaginary [0, 0].
    """
    # 1. the characteristic polynomial λ² + γλ + s²: two roots
    # 2. under the root may stand a negative number: .to(torch.complex128) before .sqrt()
    # 3. stack + and - along a new last axis; .real and .imag are the parts
    ...

# %%
def jacobian(gamma, loss="nonsaturating"):
    at_end = torch.zeros(2, dtype=f64)
    flow = lambda x: torch.stack(dirac_field(x[0], x[1], gamma, loss))
    return torch.autograd.functional.jacobian(flow, at_end)


gammas = torch.linspace(0, 2.5, 101, dtype=f64)
real, imaginary = dirac_eigenvalues(torch.full_like(gammas, 0.5), gammas)
theirs = torch.stack([torch.linalg.eigvals(jacobian(g.item())) for g in gammas])
match = lambda a, b: torch.minimum((a - b).abs().amax(1), (a - b.flip(1)).abs().amax(1)).max()
claim("the closed form is what autograd and linear algebra find, for every γ",
      match(torch.complex(real, imaginary), theirs) < 1e-7)
claim("without R1 the eigenvalues are ±i/2: the pair turns and does not come nearer",
      real[0].abs().max() < 1e-12 and (imaginary[0] - torch.tensor([0.5, -0.5])).abs().max() < 1e-12)
best = gammas[real[:, 0].argmin()].item()
claim("the pair comes home fastest at γ = 2s = 1; more penalty is slower again",
      abs(best - 1) < 1e-12 and bool((real[40:, 0].diff() > 0).all()))

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
left.plot(*figures.values([real, imaginary]), color=figures.INK, linewidth=1.6)
for g in (0, 40, 100):
    left.plot(*figures.values([real[g], imaginary[g]]), "s", color=figures.BERRY, markersize=6)
    left.text(real[g, 0] + 0.05, imaginary[g, 0] + 0.06, f"γ = {gammas[g]:g}" if g < 100 else "")
for place in (-2.4, 0.06), (0.05, -0.02):  # one of the pair at each
    left.text(*place, "γ = 2.5")
left.axvline(0, color=figures.MUTE, linestyle="--", linewidth=1)
left.set(xlim=(-2.6, 0.5), ylim=(-0.65, 0.75), xlabel="real part", ylabel="imaginary part")
figures.title(left, "R1 moves both eigenvalues left, up to γ = 2s")
figures.line(right, gammas, -real[:, 0], figures.BERRY)
right.plot(1, 0.5, "o", color=figures.INK)
right.text(1.08, 0.5, "γ = 2s")
right.set(xlabel="penalty γ", ylabel="decay of the slower part", ylim=(0, 0.6))
figures.title(right, "From γ = 2s on the slower one comes back")
show(fig, alt="Left, the two eigenvalues in the plane move from plus and minus i/2 to the left, meet "
              "on the real axis and part. Right, the decay of the slower part is largest at gamma = 1.")

# %% [markdown]
# ## 3 · A step is not a flow
#
# An optimiser takes steps. **Both at once** with rate $h$ multiplies a direction by $1 + h\lambda$, its **multiplier**. For $\lambda = \pm is$ its size is $\sqrt{1 + h^2s^2} > 1$: every step on a circle goes along the
# tangent, and leaves it. **Predict:** with $s = \tfrac12$ and $h = 0.2$, after how many steps is the pair twice as far out? Ten, a hundred, a thousand? And with half the rate?

# %%
def doubling(h):
    """Count simultaneous minimax steps until the distance has doubled."""
    theta, psi, count = 0.01, 0.0, 0
    while math.hypot(theta, psi) < 0.02:
        d_theta, d_psi = field(theta, psi, "minimax")
        theta, psi, count = theta + h * d_theta, psi + h * d_psi, count + 1
    return count


for h in (0.2, 0.1):
    print(f"h = {h}: doubled after {doubling(h)} steps")
predicted = [math.ceil(math.log(2) / (0.5 * math.log1p(h**2 / 4))) for h in (0.2, 0.1)]
claim("ln 2 / ln √(1 + h²s²) steps: 140, and about four times as many for half the rate",
      [doubling(0.2), doubling(0.1)] == predicted and predicted == [140, 556])

# %% [markdown]
# <details><summary>Answer</summary>
#
# 140, and 556. A step's factor exceeds 1 by about $h^2s^2/2$: for half the rate a quarter as much, so about four times the steps. A smaller rate delays the escape. It does not prevent it.
# </details>
#
# **In turn.** Let D move first, and G answer the *new* $\psi$. Near the end that is two shears after each other:
#
# $$\begin{pmatrix}1 & hs\\ 0 & 1\end{pmatrix}\begin{pmatrix}1 & 0\\ -hs & 1\end{pmatrix} = \begin{pmatrix}1 - h^2s^2 & hs\\ -hs & 1\end{pmatrix}.$$
#
# Each has determinant 1. So has the product: $|\lambda_1\lambda_2| = 1$. As long as they are a complex pair, $hs < 2$, both lie on the unit circle. One line's order, and the escape is over.
#
# ### Exercise: the alternating step
# *difficulty 2/5 · importance 5/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.alternating_step")
def alternating_step(theta, psi, rate_g, rate_d, gamma=0.0):
    """Return (theta, psi) after one step of the discriminator, then one of the generator.

    theta, psi (...); rates and gamma are numbers. Losses: softplus(ψθ) + ½γψ² for the
    discriminator, softplus(-ψθ) for the generator; d softplus(x)/dx = σ(x).
    Worked value: θ = 1, ψ = 0, both rates ½, γ = 0: first ψ = -¼, then θ = 0.9297.
    """
    # 1. psi: one step down the discriminator's loss
    # 2. theta: one step down the generator's loss, where psi stands now
    ...

# %%
from course_lib.gan.dirac import multipliers, running_mean, update_matrix

at_end = torch.zeros(2, dtype=f64)
knobs = 0.3, 0.7, 0.4  # rates of G and D, γ
theirs = lambda x: torch.stack(library_step(x[0], x[1], *knobs))
by_hand = torch.autograd.functional.jacobian(theirs, at_end)
claim("the product of two shears is the Jacobian of the alternating step, R1 and two rates included",
      torch.allclose(update_matrix("alternating", *knobs), by_hand, rtol=1e-12))
one = torch.tensor(1.0, dtype=f64)
step = torch.stack(alternating_step(one, 2 * one, *knobs))
claim("and your step is the library's", torch.allclose(step, theirs([one, 2 * one]), rtol=1e-12))
claim("in turn: both multipliers on the unit circle, for any rate below 4",
      all((multipliers("alternating", h, h).abs() - 1).abs().max() < 1e-7
          for h in torch.linspace(0.1, 3.9, 39).tolist()))
claim("at once: outside it, for any rate", all(multipliers("simultaneous", h, h).abs().min() > 1
                                               for h in (0.001, 0.1, 1.0)))

# %% [markdown]
# What about the non-saturating loss, which pulls inwards a little? A step lasts $h$: after $n$ steps $t = nh$. Per unit of time $r^2$ loses $r^4/8$ (section 1, twice its $r^4/16$). In turn, nothing opposes it: $\frac{d}{dt}r^2 = -r^4/8$, so
#
# $$r^2 = \frac{8}{t + 8/r_0^2},$$
#
# home, but as $1/\sqrt t$: a hundred times nearer takes ten thousand times as long. At once, the escape adds $h\,r^2/4$; the two balance at $r^2 = 2h$. The pair is caught on a **ring** of radius $\sqrt{2h}$, and stays.
# With R1 the discriminator's shear has $1 - h\gamma$ on its diagonal: determinant $1 - h\gamma$, and two multipliers of size $\sqrt{1 - h\gamma}$, while they are a complex pair, $\gamma < 2s - hs^2$; then both are real, and the larger grows.

# %%
n, h = 20_000, 0.2
zero = torch.zeros((), dtype=f64)
paths = {method: dirac_path(one, zero, n, h, h, method=method).norm(dim=-1)
         for method in ("simultaneous", "alternating")}
damped = dirac_path(one, zero, n, h, h, gamma=0.2, method="alternating").norm(dim=-1)
ring = paths["simultaneous"][-2000:]
claim("at once: caught within 3 % of the radius √(2h)", (ring / math.sqrt(2 * h) - 1).abs().max() < 0.03)
claim("in turn: 1/√t, within 4 % of the closed form after 20,000 steps",
      abs(paths["alternating"][-200:].max() / math.sqrt(8 / (n * h + 8)) - 1) < 0.04)
below, above = (multipliers("alternating", h, h, g).abs() for g in (0.94, 0.96))
claim("R1's two multipliers are √(1 − hγ) in size up to γ = 2s − hs² = 0.95, and part beyond",
      (below - math.sqrt(1 - h * 0.94)).abs().max() < 1e-7 and above[0] > above[1] + 0.02)
a_step = (damped[1000] / damped[500]) ** (1 / 500)
claim("R1 with γ = 0.2: the distance shrinks by √(1 − hγ) = 0.98 a step, to 0.0005",
      abs(a_step - math.sqrt(1 - h * 0.2)) < 5e-4)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=8, height=3.6)
time = torch.arange(1, n + 1)
for name, colour in (("simultaneous", figures.ORANGE), ("alternating", figures.INK)):
    ax.plot(*figures.values([time, paths[name][1:]]), color=colour, linewidth=1)
ax.plot(*figures.values([time[:1500], damped[1:1501]]), color=figures.BERRY, linewidth=1)
ax.axhline(math.sqrt(2 * h), color=figures.MUTE, linestyle="--", linewidth=1.2)
told = (8 / (time * h + 8)) ** 0.5
ax.plot(*figures.values([time, told]), color=figures.MUTE, linestyle="--", linewidth=1.2)
ax.set(xscale="log", yscale="log", ylim=(1e-3, 3), xlabel="step", ylabel="distance from the end")
ax.text(2e3, 0.85, "at once: the ring √(2h)")
ax.text(1.2e3, 0.022, "in turn: 1/√t")
ax.text(14, 0.006, "R1, γ = 0.2: exponential")
figures.title(ax, "Caught, slow, home: non-saturating loss, rate 0.2 (– – predicted)")
show(fig, alt="Distance from the end against steps, both axes logarithmic: simultaneous steps stay at "
              "the ring's radius, alternating steps fall like one over the root of time, R1 falls "
              "exponentially.")

# %% [markdown]
# ## 4 · Three more cures
#
# **Two time scales.** Let D learn faster, $h_D > h_G$ (Heusel et al. 2017). The determinant argument does not care: still 1.
#
# **Averaging.** Who goes round has the centre as a mean: whole turns cancel, and half a turn at distance 1, in steps of $hs = 0.1$, adds up to $2/hs = 20$. So after $n$ steps the mean is off by about $20/n$ at most.
#
# **Optimism** (Daskalakis et al. 2018). Step along $2v_t - v_{t-1}$, the field extrapolated by one step. For $\lambda = is$ the multipliers $\mu$ solve $\mu^2 - (1 + 2ihs)\mu + ihs = 0$. Both lie inside the unit circle if $hs < 1/\sqrt3$.

# %%
ratios = [1, 2, 5, 10]
two_rates = [multipliers("alternating", 0.1, 0.1 * r).abs()[0].item() for r in ratios]
with_r1 = [multipliers("alternating", 0.1, 0.1 * r, gamma=0.2).abs()[0].item() for r in ratios]
claim("two rates alone bring nothing home: |λ| = 1 for every ratio",
      max(abs(x - 1) for x in two_rates) < 1e-7)
claim("with a little R1 they do, the faster the larger h_D", with_r1 == sorted(with_r1, reverse=True))
edge = 2 / math.sqrt(3)  # h s = 1/√3 with s = ½
below, above = (multipliers("optimistic", x * edge, x * edge).abs()[0] for x in (0.999, 1.001))
claim("optimism converges below h s = 1/√3 and not above", below < 1 < above)
circle = dirac_path(one, zero, 4000, h, h, method="alternating", loss="minimax")
mean = running_mean(circle).norm(dim=-1)
farthest = (torch.arange(1, 4002) * mean).max()  # not of a spiral, nor of the non-saturating path
claim("averaging: n times the mean's distance peaks within 10 % of 2/hs = 20; the pair keeps its own",
      abs(farthest / 20 - 1) < 0.1 and circle.norm(dim=-1).min() > 0.9)

# %% tags=["hide-input"]
rates = torch.logspace(-1.5, 0.3, 60).tolist()
fig, ((left, right),) = figures.new(1, 2, height=3.5)
for method, gamma, name, colour in (("simultaneous", 0.0, "at once", figures.ORANGE),
                                    ("alternating", 0.0, "in turn", figures.INK),
                                    ("alternating", 0.5, "", figures.BERRY),
                                    ("optimistic", 0.0, "", figures.TEAL)):
    largest = [multipliers(method, x, x, gamma).abs()[0].item() for x in rates]
    figures.line(left, rates, largest, colour, name)
left.text(0.8, 0.66, "in turn, R1 (γ = ½)", color=figures.BERRY, ha="right")
left.text(1.5, 1.07, "optimism", color=figures.TEXT[figures.TEAL])
left.set(xscale="log", xlim=(0.03, 7), ylim=(0.6, 1.5), xlabel="rate h", ylabel="largest |λ| of a step")
figures.title(left, "Below 1 the pair comes home")
right.plot(*figures.values(circle[:400]).T, color="#C4C4C4", linewidth=0.8)
middle = figures.values(running_mean(circle)[:400])
right.plot(*middle.T, ".-", color=figures.TEAL, markersize=3, linewidth=0.8)
right.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", xlabel="θ", ylabel="ψ")
figures.title(right, "The mean of a circle is its centre")
show(fig, alt="Left, the largest multiplier against the rate: above 1 for simultaneous steps, 1 for "
              "alternating, below 1 with R1 and, for small rates, with optimism. Right, the running "
              "mean of a circling path winds to the centre.")

# %% [markdown]
# ### Name the change
#
# Somebody changed one thing in the game in turn, and got the path below. Which of: `simultaneous`, `alternating`, `r1`, `too_much_r1`, `two_rates`, `averaging`?

# %% tags=["hide-input"]
strange = dirac_path(1.5 * one, -0.5 * one, 300, h, h, gamma=3.5, method="alternating")
fig, ((left, right),) = figures.new(1, 2, width=8, height=3.1, width_ratios=(1, 1.6))
left.plot(*figures.values(strange).T, ".-", color=figures.INK, linewidth=0.8, markersize=4)
left.plot(0, 0, "+", color=figures.BERRY, markersize=12)
left.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xlabel="θ", ylabel="ψ")
figures.line(right, range(301), strange[:, 0], figures.ORANGE)
figures.line(right, range(301), strange[:, 1], figures.BERRY)
right.text(150, 1.05, "θ", color=figures.TEXT[figures.ORANGE])
right.text(150, -0.3, "ψ", color=figures.BERRY)
right.set(xlabel="step", ylabel="value", ylim=(-0.7, 1.7))
figures.title(right, "Which change was it?")
show(fig, alt="A path of the Dirac-GAN: the discriminator's number jumps almost to zero, then the "
              "generator's creeps towards zero on one side, without ever turning.")

# %% tags=["nbval-ignore-output"]
answer("gan.path_diagnosis", ...)

# %% [markdown]
# ## 5 · The portrait in your hands
#
# **Before you touch it, commit:** with non-saturating loss, both at once, rates 0.2: which $\gamma$ must be exceeded for the pair to come home? ($|1 + h\lambda| < 1$ in section 3's terms.) Then set
# γ until $|\lambda|$ falls below 1. Try two rates in turn, 0.05 and 1, with and without $\gamma$; try optimism with a rate of 1.3. (The third loss, `wasserstein`, has no $\sigma$: its $s$ is 1.)

# %%
alt = ("Explorer of the Dirac-GAN: field, path, distance and multipliers, for your start, penalty, "
       "rates, update and loss.")
try:
    from course_lib.chapters.ch10_gan_dynamics.explorers import PhaseExplorer

    portrait = PhaseExplorer(alt=alt)
except ImportError:  # run as a script where there are no widgets
    portrait = alt
portrait

# %%
largest = {g: multipliers("simultaneous", 0.2, 0.2, g).abs()[0].item() for g in (0.049, 0.051)}
claim("|1 + hλ|² = det(1 + hJ) = 1 − hγ + h²s², so γ must exceed h s² = 0.05",
      largest[0.049] > 1 > largest[0.051]
      and all(abs(size**2 - (1 - 0.2 * g + 0.01)) < 1e-12 for g, size in largest.items()))
two = [multipliers("alternating", 0.05, 1.0, g).abs()[0].item() for g in (0.0, 0.2)]
claim("rates 0.05 and 1 in turn: |λ| = 1 without γ, 0.89 with γ = 0.2",
      abs(two[0] - 1) < 1e-7 and abs(two[1] - math.sqrt(0.8)) < 1e-7)
claim("optimism at 1.3: |λ| above 1, as h s = 0.65 is above 1/√3",
      multipliers("optimistic", 1.3, 1.3).abs()[0] > 1)

# %% [markdown]
# ## 6 · How steep is a discriminator?
#
# All cures so far act on the players' steps. Others limit how steep $D$ may be. If real and fake lie apart, $D$ can be an edge, with no slope where the fakes are (chapter 09). Three ways to forbid that:
#
# ($D$ in this section: the output, without $\sigma$.)
#
# - **clip** each weight to $[-c, c]$ after each step (Arjovsky et al. 2017);
# - **penalise** $(\|\nabla D(\hat x)\| - 1)^2$ at points $\hat x$ between real and fake (Gulrajani et al. 2017);
# - **normalise**: divide each weight matrix by its largest singular value $\sigma_1$ (Miyato et al. 2018). Then no layer stretches, and with ReLUs between them $D$ has slope at most 1.

# %% [markdown]
# The last needs $\sigma_1$ in every step, and an SVD is slow. **Power iteration**: $v \leftarrow W^\top u$, $u \leftarrow W v$, each brought back to length 1. A round multiplies
# the part along singular vector $k$ by $\sigma_k^2$, so the largest wins. Training keeps $u$ and does one round a step: the weights move little in between.
#
# ### Exercise: power iteration
# *difficulty 2/5 · importance 4/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.power_iteration")
def power_iteration(weight, u, steps=1):
    """Return (sigma, u, v): the largest singular value of weight, nearly, and its two unit vectors.

    weight (rows, columns), u (rows,) where to start. sigma = uᵀ W v has a gradient to weight,
    in which u and v count as constants.
    Worked value: weight = diag(2, 1), u = [1, 0], one step give sigma = 2, u = v = [1, 0].
    """
    # 1. with torch.no_grad(): steps times v = Wᵀu at length 1, then u = W v at length 1
    # 2. outside: u @ weight @ v
    ...

# %%
generator = torch.Generator().manual_seed(0)
random = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)
W, u = random(20, 30), random(20)
singular = torch.linalg.svdvals(W)
errors = [1 - (power_iteration(W, u, n)[0] / singular[0]).item() for n in (1, 10, 100, 300)]
rounded = [round(error, 12) for error in errors]
claim("it comes from below, and after 300 rounds it is the SVD's number to 1e-9",
      rounded == sorted(rounded, reverse=True) and abs(errors[-1]) < 1e-9)
print("relative error after 1 and 10 rounds:", [f"{e:.1g}" for e in errors[:2]])

# %% [markdown]
# **A trap.** A convolution is a linear map of images. Its kernel is no matrix, so spectral normalisation reshapes it to (out, in · height · width) and takes the norm of *that*. **Predict:** is it the norm of the convolution? Larger, smaller?

# %%
def as_matrix(kernel, side, stride, padding):
    """Write a convolution as the matrix that it is: what it makes of each single pixel."""
    pixels = torch.eye(kernel.shape[1] * side**2, dtype=f64).view(-1, kernel.shape[1], side, side)
    return F.conv2d(pixels, kernel, stride=stride, padding=padding).flatten(1).T


norms = {}
for name, size, stride in (("1 × 1", 1, 1), ("3 × 3", 3, 1), ("4 × 4, stride 2", 4, 2)):
    kernel, padding = random(4, 3, size, size), (size - 1) // 2
    svd = torch.linalg.svdvals(as_matrix(kernel, 8, stride, padding))[0].item()
    power = penalties.convolution_norm(kernel, 8, stride, padding, steps=2000).item()
    norms[name] = torch.linalg.matrix_norm(kernel.flatten(1), 2).item(), svd, abs(power / svd - 1)
claim("power iteration with the convolution and its transpose finds the matrix's norm to 1e-5",
      max(error for _, _, error in norms.values()) < 1e-5)
print({name: f"reshaped {a:.2f}, true {b:.2f}" for name, (a, b, _) in norms.items()})
(a, b, _), *larger = norms.values()
claim("for 1 × 1 kernels the two agree", abs(b / a - 1) < 1e-12)
claim("the larger kernels stretch more than the reshaped norm says, at most √(windows that hold a "
      "pixel) times",
      all(1.05 * a < b <= a * most for (a, b, _), most in zip(larger, (3, 2), strict=True)))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Another number, and never smaller: an input that fills one window alone is stretched as much. Here it is larger: a pixel lies in nine windows of a 3 × 3 kernel, and what they make of it adds up. A ‘spectrally normalised’ convolution may still stretch up to √9-fold, and a deep stack more.
# (Sedghi, Gupta and Long 2019 give all singular values, for periodic borders.)
# </details>
#
# ### Exercise: the gradient penalty
# *difficulty 3/5 · importance 5/5 · 15 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.gradient_penalty")
def gradient_penalty(discriminator, real, fake, t):
    """Return the mean of (‖∇D(x̂)‖ - 1)² over the batch, at x̂ = t · real + (1 - t) · fake.

    real, fake (batch, ...), t (batch,); discriminator(x) gives (batch,). The result trains the
    discriminator, so it must have a gradient to its weights.
    Worked value: D(x) = 3 x₁ + 4 x₂ gives (5 - 1)² = 16 everywhere.
    """
    # 1. t with one axis for each of real's: .view(-1, 1, …)
    # 2. x̂, cut off from what made it, with requires_grad_()
    # 3. torch.autograd.grad of the summed logits by x̂: which argument keeps the graph?
    # 4. the norm of each example, then the mean
    ...

# %% [markdown]
# Which of the three measures best? A critic that maximises $\mathrm{E}[D(\text{real})] - \mathrm{E}[D(\text{fake})]$ under slope 1 finds the Wasserstein distance (chapter 09). Take fakes around $(0, 0)$ and data of the same shape around $(2, 0)$:
# $W_1 = 2$, exactly, and the best critic is $D(x) = x_1$.

# %%
f64_device = run.float64_device


class Critic:
    """Two hidden layers of 64; kind: clip, penalty or spectral."""

    def __init__(self, kind, generator):
        self.kind, sizes = kind, ((64, 2), (64, 64), (1, 64))
        draw = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator).to(f64_device)
        self.weights = [(draw(*s) * (2 / s[1]) ** 0.5).requires_grad_() for s in sizes]
        self.biases = [torch.zeros(s[0], dtype=f64, device=f64_device).requires_grad_() for s in sizes]
        self.u = [draw(s[0]) for s in sizes]

    def __call__(self, x):
        for i, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if self.kind == "spectral":
                sigma_1, self.u[i], _ = penalties.power_iteration(W, self.u[i])
                W = W / sigma_1
            x = (F.leaky_relu(x, 0.2) if i else x) @ W.T + b
        return x[:, 0]


def clouds(n, generator):
    """Return real and fake points, (n, 2) each."""
    real, fake = (0.5 * torch.randn(2, n, 2, dtype=f64, generator=generator)).to(f64_device)
    return real + torch.tensor([2.0, 0.0], dtype=f64, device=f64_device), fake

# %%
def train_critic(kind, seed=0, steps=300, clip=0.05):
    """Train with the library's penalty and power iteration; the penalty's weight is 10."""
    generator = torch.Generator().manual_seed(seed)
    D = Critic(kind, generator)
    optimizer = torch.optim.Adam(D.weights + D.biases, lr=2e-3, betas=(0.0, 0.9))
    for _ in range(steps):
        real, fake = clouds(128, generator)
        loss = losses.wasserstein_critic_loss(D(real), D(fake))
        if kind == "penalty":
            t = torch.rand(128, generator=generator).double().to(f64_device)
            loss = loss + 10 * penalties.gradient_penalty(D, real, fake, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for p in D.weights + D.biases if kind == "clip" else ():
            p.data.clamp_(-clip, clip)
    return D

# %%
kinds = "clip", "penalty", "spectral"
critics = {kind: [train_critic(kind, seed) for seed in range(5)] for kind in kinds}
real, fake = clouds(4000, torch.Generator().manual_seed(99))
t = torch.linspace(0, 1, 4000, dtype=f64, device=f64_device)[:, None]
between = torch.lerp(fake, real, t).requires_grad_()
slope = lambda D: torch.autograd.grad(D(between).sum(), between)[0].norm(dim=1)
with torch.no_grad():
    found = {kind: torch.stack([D(real).mean() - D(fake).mean() for D in critics[kind]]).cpu()
             for kind in kinds}
slopes = {kind: torch.stack([slope(D) for D in critics[kind]]).cpu() for kind in kinds}  # (5, 4000)
clipped = torch.stack([torch.cat([W.flatten() for W in D.weights]) for D in critics["clip"]]).abs()
at_limit = (clipped > 0.0499).double().mean(1)

# %%
claim("W₁ is 2: the clipped critic finds less than half, the normalised one 2 within 3 %, five of five",
      found["clip"].max() < 1 and (found["spectral"] - 2).abs().max() < 0.06, **found)
claim("the penalised one is off by more than 3 % in three seeds or more",
      ((found["penalty"] - 2).abs() > 0.06).sum() >= 3)
a = torch.tensor(1.1, dtype=f64, device=f64_device, requires_grad=True)  # the critic a·x₁
worth = 2 * a - 10 * penalties.gradient_penalty(lambda x: a * x[:, 0], real, fake, t[:, 0])
claim("nor is 2 its goal: of the critics a·x₁ it favours a = 1 + W₁/20 = 1.1, which tells 2.2",
      abs(torch.autograd.grad(worth, a)[0]) < 1e-6)
claim("the normalised critic is nowhere steeper than 1, and within 2 % of 1 at 95 % of the points",
      slopes["spectral"].max() < 1.01 and slopes["spectral"].quantile(0.05, dim=1).min() > 0.98)
claim("the penalised one is steeper somewhere, in each seed: a penalty is no bound",
      slopes["penalty"].amax(1).min() > 1.05, steepest=slopes["penalty"].amax(1))
claim("clipping drives most weights to their limits: c, not the data, decides the slope",
      at_limit.min() > 0.6, share=at_limit)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
along = torch.stack([torch.linspace(-1, 3, 100, dtype=f64), torch.zeros(100, dtype=f64)], 1)
colours = {"clip": figures.ORANGE, "penalty": figures.BERRY, "spectral": figures.TEAL}
figures.line(left, along[:, 0], along[:, 0], figures.MUTE)
places = {"clip": (0.85, 0.3, 1300), "penalty": (2.98, 1.12, 1200), "spectral": (2.6, 0.6, 3700)}
for kind, (D, *_) in critics.items():  # the first seed
    with torch.no_grad():
        values = (D(along.to(f64_device)) - D(torch.zeros(1, 2, dtype=f64, device=f64_device))).cpu()
    figures.line(left, along[:, 0], values, colours[kind])
    right.hist(slopes[kind][0].numpy(), 40, range=(0, 2), histtype="step", color=colours[kind])
    height, *beside = places[kind]
    for ax, place in ((left, (3.05, height)), (right, beside)):
        ax.text(*place, kind, color=figures.TEXT[colours[kind]])
left.set(xlim=(-1, 4), xlabel="$x_1$, at $x_2 = 0$ (– – the best critic)", ylabel="D(x) − D(0)")
figures.title(left, "Fakes at 0, data at 2: clipping is too flat")
right.axvline(1, color=figures.MUTE, linestyle="--", linewidth=1.2)
right.set(xlabel="slope ‖∇D‖ between fake and real", ylabel="points")
figures.title(right, "Normalised: 1 almost everywhere, never more")
show(fig, alt="Left, three critics along a line: the clipped one is far flatter than the best critic "
              "of slope 1, the other two follow it. Right, their slopes: clipped far below 1, "
              "normalised at 1, penalised on both sides of 1.")

# %% [markdown]
# The normalised critic measures best here. The penalty, of weight $\lambda$, lets the slope pass 1 or stay below; its best linear critic has slope $1 + W_1/2\lambda$. The clipped critic reports $c$. These data favour normalising: the best critic is linear.

# %% [markdown]
# ## 7 · The recipe, line by line
#
# A GAN's training is often told in six steps; beside them the original algorithm 1 (Goodfellow et al. 2014):
#
# | | the recipe | algorithm 1 |
# | --- | --- | --- |
# | 1 | define both architectures | the same |
# | 2 | sample noise | for $k$ turns: sample noise |
# | 3 | generate fakes | and real data |
# | 4 | train D on real and fake | update D |
# | 5 | train G to fool the frozen D | sample *new* noise; one update of G, of $\ln(1 - D)$ |
# | 6 | repeat until it converges | a number of iterations |
#
# They differ in $k$, the noise of G's turn, G's loss, and the end. (‘Until it converges’ has no test: no loss falls.) Neither says `detach`. Which of it matters?

# %% [markdown]
# First the `detach`. In step 4 the fakes come from $G$; unless cut off, `backward` writes a gradient into $G$'s weights too, one that makes fakes *easier* to detect. If `zero_grad` wipes it before step 5, nothing is lost but time. If not, the two add up.
# **Predict**, for one fake with logit $l$: what is the sum for the minimax loss? For the non-saturating one?

# %%
def generators_gradient(loss, detach, clear, d_rate=0.0):
    """Return the gradient in the generator's weights when its update comes; float64, one batch."""
    torch.manual_seed(1)
    G, D = torch.nn.Linear(3, 2, dtype=f64), torch.nn.Linear(2, 1, dtype=f64)
    real, fake = torch.randn(8, 2, dtype=f64), G(torch.randn(8, 3, dtype=f64))
    logits = lambda x: D(x)[:, 0]
    seen = fake.detach() if detach else fake
    losses.discriminator_loss(logits(real), logits(seen)).backward(retain_graph=True)
    torch.optim.SGD(D.parameters(), d_rate).step()  # with rate 0 D stands still
    if clear:
        G.zero_grad()
    losses.OBJECTIVES[loss].generator(logits(fake)).backward()
    return G.weight.grad


right = generators_gradient("nonsaturating", detach=True, clear=True)
claim("without detach, but cleared: the same gradient to the last bit",
      torch.equal(right, generators_gradient("nonsaturating", False, True)))
still, stepped = (generators_gradient("minimax", False, False, rate) for rate in (0.0, 0.1))
claim("neither, minimax: the sum is 0 if D stands still; if D steps in between, it is not",
      still.abs().max() < 1e-15 and stepped.norm() > 1e-3, left=stepped.norm())
mixed = generators_gradient("nonsaturating", False, False)
claim("neither, non-saturating: some of the gradient is left, less than half here",
      0 < mixed.norm() < 0.5 * right.norm(), share=mixed.norm() / right.norm())

# %% [markdown]
# <details><summary>Answer</summary>
#
# D's loss gives $\sigma(l)$; minimax gives $-\sigma(l)$: together 0, but in the recipe D steps in between. The non-saturating loss gives $-\sigma(-l)$: together $2D - 1$ in place of $D - 1$, weaker for $0 < D < \tfrac23$, and the wrong way for $D > \tfrac12$.
# </details>
#
# Now the training itself: eight Gaussians on a ring, standard deviation 0.1, and the small networks of section 9; both rates $10^{-3}$, 1,000 turns of G, five seeds. The number is the Jensen–Shannon divergence between data and fakes, counted on 16 × 16 squares, a mean over the second half.

# %%
recipe = {arm: torch.tensor(js) for arm, js in recorded("recipe").values.items()}
base, floor = recipe["six steps"], recipe.pop("real against real").item()
spread = base.std()
claim("new noise, the saturating loss: the mean moves by less than a quarter of the seeds' spread",
      all(abs(recipe[arm].mean() - base.mean()) < spread / 4 for arm in ("fresh noise", "saturating")))
claim("no detach, but cleared: the same numbers", torch.equal(recipe["no detach, cleared"], base))
claim("no detach, not cleared: worse for four seeds of five",
      int((recipe["no detach, not cleared"] > base).sum()) == 4)
claim("five turns of D: better for four of five", int((recipe["k = 5"] < base).sum()) == 4)
claim("G first, on the same fakes, is both at once: the same numbers, worse for four of five",
      torch.equal(recipe["G first"], recipe["at once"]) and int((recipe["G first"] > base).sum()) == 4)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=8, height=3.5)
for row, js in enumerate(recipe.values()):
    ax.plot(figures.values(js), [row] * len(js), "^", color=figures.ORANGE, markersize=6, alpha=0.8)
    ax.plot(figures.values(js.mean()), row, "|", color=figures.INK, markersize=16, markeredgewidth=2)
ax.axvline(floor, color=figures.MUTE, linestyle="--", linewidth=1.2)
ax.axvline(figures.values(base.mean()), color=figures.MUTE, linestyle=":", linewidth=1.2)
for place, text in ((floor, "real against real"), (base.mean(), "mean of the six steps")):
    ax.text(place + 0.006, -0.6, text, color=figures.MUTE, fontsize=9)
ax.set_yticks(range(len(recipe)), recipe)
ax.set(xlim=(0, 0.55), ylim=(7.5, -1.1), xlabel="divergence from the data (nats): ▲ seeds, | mean")
figures.title(ax, "Order, clearing and k move four seeds of five; noise and loss move no mean")
show(fig, alt="Divergence of eight variants of the recipe, five seeds each: new noise and the "
              "saturating loss lie where the recipe lies, both at once and a gradient that is not "
              "cleared lie further out, five turns of D nearer.")

# %% [markdown]
# With five seeds, new noise for G changes nothing measurable; nor does the saturating loss, on data this easy. Four seeds of five are weak evidence: a coin gives four or more in 6 cases of 32. And ‘G first’ is no alternating game at all if D then learns from the fakes that G made *before* its update: it is both at once.

# %% [markdown]
# ## 8 · Eight modes, and five seeds
#
# The famous test: eight Gaussians on a ring of radius 2, each with a standard deviation of 0.02, and the networks and rates of Metz et al. (2017): noise of 256 numbers, two hidden layers of 128, Adam
# with $10^{-3}$ for G and $10^{-4}$ for D. (ReLU as in their appendix; their published example has tanh.) A mode counts if 1 % of 2,500 samples lie within three standard deviations of its centre; of the data $1 - e^{-9/2} = 98.9$ % do.
#
# Five seeds train as *one* tensor: weights (5, in, out), a batched product a layer. The losses are summed over seeds, so none hears of another.

# %%
from course_lib.datasets.ring import centres, draw_ring, modes_and_quality
from course_lib.gan.ring import Game, SeedMLP, Treatment, make_players, play

generator = torch.Generator().manual_seed(1)
networks = SeedMLP((4, 7, 2), 5, generator).double().to(run.float64_device)
z = torch.randn(5, 6, 4, generator=generator).double().to(run.float64_device)
agree = []
for seed in range(5):  # the loop
    first, second = (W[seed] for W in networks.weights)
    alone = F.relu(z[seed] @ first + networks.biases[0][seed]) @ second + networks.biases[1][seed]
    agree.append(torch.allclose(networks(z)[seed], alone, atol=1e-12))
claim("five networks as one tensor give what each gives alone", all(agree))
points = draw_ring(1, 20_000, generator)
modes, quality = modes_and_quality(points)
claim("the data cover 8 of 8, and 98.9 % of them count",
      modes.item() == 8 and abs(quality.item() - 0.989) < 0.005)

# %% [markdown]
# Each arm differs from the plain game in one cure, the last in two, each at one strength: R1 with γ = 0.1, the gradient penalty with weight 1, noise of 0.8 that falls to 0 at step 4,000. All take 5,000 steps. Of each, the generator is judged as it is, and as the moving average of its weights (decay 0.995): section 4's averaging with a short memory.
#
# **Predict** from the Dirac-GAN which helps most, and whether it is enough: R1, the gradient penalty, optimism, noise on all that D sees, a D with twenty times its rate?

# %%
record = recorded("ring").values
last = lambda found, of: torch.tensor(found[of][-1]["modes"])
modes = {arm: (last(found, "now"), last(found, "average")) for arm, found in record.items()}
for arm, (now, average) in modes.items():
    print(f"{arm:>16}: modes of five seeds {now.tolist()}, of the averages {average.tolist()}")
cured = record["fast D, noise"]
later = [look["modes"] for look in cured["average"][cured["steps"].index(3750):]]
claim("a fast D and noise cover 8 of 8 in five seeds of five",
      modes["fast D, noise"][0].tolist() == [8] * 5)
raw, averaged = (cured[of][-1]["quality"] for of in ("now", "average"))
claim("its averages do from step 3,750 on, with more samples in a mode, in every seed",
      later == [[8] * 5] * len(later) and all(a > b for a, b in zip(averaged, raw, strict=True)),
      now=raw, average=averaged)
claim("the plain game covers two at most, in any seed", int(modes["plain"][0].max()) <= 2)

# %%
alone = {arm: now for arm, (now, _) in modes.items() if arm not in ("plain", "fast D, noise")}
claim("no cure alone covers more than four modes, in any seed",
      max(now.max() for now in alone.values()) <= 4)
claim("of the single cures a fast D covers the most, and more than the plain game",
      all(now.sum() < alone["fast D"].sum() for arm, now in alone.items() if arm != "fast D")
      and modes["plain"][0].sum() < alone["fast D"].sum())
late = record["plain"]["steps"].index(2000)
counts = {arm: torch.tensor([look["modes"] for look in record[arm]["now"][late:]])
          for arm in ("plain", "fast D")}
lost = (counts["plain"][:-1] > 0) & (counts["plain"][1:] == 0)
claim("from step 2,000 on every plain seed finds modes and has none again", bool(lost.any(0).all()))
claim("and with a fast D alone every seed stays within one mode of its last count",
      (counts["fast D"] - counts["fast D"][-1]).abs().max() <= 1)
claim("where D is slow, the averages cover no mode",
      all(average.max() == 0 for arm, (_, average) in modes.items() if "fast D" not in arm))

# %% tags=["hide-input"]
fig, ((dots, plain, best),) = figures.new(1, 3, height=3.6, width_ratios=(1.25, 1, 1))
for row, (now, average) in enumerate(modes.values()):
    shift = torch.linspace(-0.2, 0.2, 5)
    dots.plot(*figures.values([now, row + shift]), "^", color=figures.ORANGE, markersize=5)
    dots.plot(*figures.values([average + 0.15, row + shift]), "s", color=figures.TEAL, markersize=3)
dots.set_yticks(range(len(modes)), modes)
dots.invert_yaxis()
dots.set(xlim=(-0.5, 8.6), xticks=range(0, 9, 2), xlabel="modes: ▲ as it is, ■ averaged weights")
figures.title(dots, "Fast D and noise: 8 in each seed")
for ax, arm, of in ((plain, "plain", "as it is"), (best, "fast D, noise", "averaged weights")):
    ax.plot(*figures.values(centres()).T, "o", color=figures.BLUE, markersize=11, fillstyle="none")
    fakes = torch.tensor(record[arm]["fakes"][of != "as it is"])
    ax.plot(*figures.values(fakes).T, "^", color=figures.ORANGE, markersize=3, alpha=0.6)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xlabel=f"first seed, {of}")
figures.title(plain, "Plain: found and lost")
figures.title(best, "Fast D, noise: all eight")
show(fig, alt="Modes that five seeds of each arm cover: eight in every seed for a fast discriminator "
              "with noise only. Fakes of the plain arm lie along a band between the modes, those of "
              "the best arm on all eight modes.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A fast D, and alone it is not enough. The Dirac-GAN misses why: its D has one number and answers at once. Here D must *learn* its answer, and at a tenth of G's rate it is late: modes are found and lost. A fast D alone stops at the few modes that it has found. Our reading of the last arm: noise blurs the modes until all are in reach, then lets go.
# Averaging does what the small model says only for an arm that has arrived: the mean of what jitters about a place is the place.
# </details>
#
# A piece of the last arm runs here, from the record's seeds: with the quick budget the first 100 of its 5,000 steps, with the full one all. What is compared is each seed's median distance from a fake to its nearest mode.

# %%
generator = torch.Generator().manual_seed(0)
game = Game(make_players(5, generator, device=run.device), Treatment(d_rate=2e-3, noise=0.8))
z = torch.randn(5, 2500, 256, generator=torch.Generator().manual_seed(100)).to(run.device)
then = torch.tensor(record["fast D, noise"]["now"][0]["distance"])


@torch.no_grad()
def away():
    """Return how far the five median distances are from the record's, in the mean."""
    fakes = game.players.generator(z).cpu()
    distance = torch.cdist(fakes, centres()).amin(-1).median(1).values
    return (distance - then).abs().mean()


before, live_steps = away(), run.pick(quick=100, full=5000)
run.expect("the whole game of five seeds", minutes=2)
for step in play(game, draw_ring, 5000, generator):
    if step == 100:
        claim("after 100 steps the five distances are the record's within 0.065 in the mean; "
              "untrained they are not", away() < 0.065 < before, before=before, after=away())
    if step == live_steps:
        break
if live_steps == 5000:
    with torch.no_grad():
        covered, _ = modes_and_quality(game.players.generator(z).cpu())
    claim("after all steps each seed covers 7 or 8 of 8, and most 8",
          min(covered) >= 7 and sum(covered) > 37, modes=covered)

# %% [markdown]
# ## 9 · Watch it
#
# A ring with wider modes, noise of two numbers, 64 hidden units: small enough to train while you look. First two states, from the same networks and data: both rates $10^{-3}$ for 800 steps, and a G thirty times as fast as D for 300.

# %%
from course_lib.chapters.ch10_gan_dynamics.scene import Scene, histogram_js, preset


def judge(scene):
    """Return how many modes have 1 % of 2,000 fakes within 0.3, and the divergence."""
    fakes = scene.game.players.sample(2000, torch.Generator().manual_seed(1))[0].cpu()
    share = (torch.cdist(fakes, centres()) < 0.3).double().mean(0)
    return int((share >= 0.01).sum()), histogram_js(scene.points, fakes)


treatments = {"good": Treatment(d_rate=1e-3), "collapsed": Treatment(g_rate=3e-3)}  # D: 1e-4 unless said
states = {name: Scene(preset("ring of eight"), chosen, device=run.device)
          for name, chosen in treatments.items()}
for name, scene in states.items():
    for _ in range(16 if name == "good" else 6):
        scene.train(50)
snapshots = {name: scene.snapshot() for name, scene in states.items()}

# %%
wide, js = ({name: judge(scene)[i] for name, scene in states.items()} for i in (0, 1))
claim("equal rates find all eight modes, a G thirty times as fast as D two at most",
      wide["good"] == 8 and wide["collapsed"] <= 2, **wide)
claim("the divergence tells them apart: below 0.3 nats, above 0.5",
      js["good"] < 0.3 < 0.5 < js["collapsed"], **js)

# %% tags=["hide-input"]
square = (-3, 3, -3, 3)
fig, (axes,) = figures.new(1, 2, width=8.4, height=4.9)
for ax, scene in zip(axes, states.values(), strict=True):
    view = scene.look()
    belief = figures.values(view.belief)
    ax.imshow(belief, figures.SIGNED.reversed(), vmin=-0.3, vmax=1.3, origin="lower", extent=square)
    ax.contour(belief, levels=[0.5], colors=figures.INK, extent=square, linewidths=1.2)
    ax.plot(*figures.values(view.grid.permute(2, 1, 0)), color=figures.ORANGE, linewidth=0.7)
    ax.scatter(*figures.values(view.real).T, s=14, color=figures.BLUE, marker="o",
               edgecolors="white", linewidths=0.4)
    ax.scatter(*figures.values(view.fake).T, s=18, color=figures.ORANGE, marker="^",
               edgecolors="white", linewidths=0.4)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal",
           xlabel="● real  ▲ fake  — lines of noise\nD says: blue real, orange fake, line ½")
figures.title(axes[0], "Good: the grid is wound around the ring")
figures.title(axes[1], "Collapsed: two modes at most")
show(fig, alt="Two GANs on a ring of eight clouds, with the discriminator's belief and the generator's "
              "warped grid: on the left the grid is wound around the ring and fakes lie at all clouds, "
              "on the right the fakes cover two at most.")

# %% [markdown]
# Now yourself. **Commit first:** restore `collapsed`, set D's rate to $10^{-3}$ and press play: does it recover within 800 steps, as many as `good` had? Then restore `good` and press *G turn* fifty times without D: where do the fakes go? `mine` is your own data: any points between −3 and 3, at
# least 16; or `scene.use(points)` from another cell.

# %%
angle = torch.linspace(0, 2 * math.pi, 400)
heart = 13 * angle.cos() - 5 * (2 * angle).cos() - 2 * (3 * angle).cos()
mine = torch.stack([16 * angle.sin() ** 3, heart], dim=1) / 8
alt = ("A GAN of the plane that trains here: the discriminator as a map, real and fake points, the "
       "pull on each fake, the generator's grid, and the divergence beside it.")
try:
    from course_lib.chapters.ch10_gan_dynamics.explorers import GanExplorer

    scene = GanExplorer("ring of eight", own=mine, snapshots=snapshots, shown="good", alt=alt,
                        device=run.device)
except ImportError:
    scene = alt
scene

# %%
states["collapsed"].set(d_rate=1e-3)
states["collapsed"].train(800)
for _ in range(50):
    states["good"].generator_turn()
for name, g_rate in (("fresh", 3e-3), ("slower G", 1e-3)):  # two controls
    states[name] = Scene(preset("ring of eight"), device=run.device)
    if name == "slower G":
        states[name].restore(snapshots["collapsed"])
    states[name].set(g_rate=g_rate, d_rate=1e-3)
    states[name].train(800)
wide, js = ({name: judge(scene)[i] for name, scene in states.items()} for i in (0, 1))
claim("800 steps on, the collapsed game is nearer the data with both rates at 10⁻³ than with D's",
      js["slower G"] < js["collapsed"], modes=wide["collapsed"], **js)
claim("and nearer than a fresh game with G at 3·10⁻³", js["slower G"] < js["fresh"], **wide)
claim("after fifty turns of G alone the fakes still cover all eight", wide["good"] == 8)

# %% [markdown]
# <details><summary>Answer</summary>
#
# In the stored run, no. But the rates are to blame before the state: with both at $10^{-3}$ the collapsed game ends nearer to the data than a fresh one with G at $3\cdot10^{-3}$. (One seed; another machine may end elsewhere.) And the fakes stay: fifty turns against a D that stands still do not undo the good state.
# </details>

# %% [markdown]
# ## What stays
#
# - A game turns where a loss falls: eigenvalues are imaginary (*without R1 the eigenvalues are ±i/2*).
# - The order of two lines decides between escape and circle (*in turn: both multipliers on the unit circle*).
# - R1 damps both players, up to a point (*the pair comes home fastest at γ = 2s = 1*).
# - A ‘normalised’ convolution is not (*the larger kernels stretch more than the reshaped norm says*).
# - Read a recipe line by line, and measure: (*no detach, not cleared: worse for four seeds of five*).

# %% tags=["nbval-ignore-output"]
progress("10_gan_dynamics")

# %% [markdown]
# **Open questions.** What do momentum and Adam do to the two multipliers? Is there a GAN whose field has no rotation? Why does a fast D without noise find only some of the modes?
#
# **References.** Mescheder, Geiger and Nowozin 2018, *Which training methods for GANs do actually converge?*: sections 2 to 4. Goodfellow et al. 2014: algorithm 1. Metz et al. 2017, *Unrolled generative adversarial networks*: appendix A. Heusel et al. 2017 (two time scales).
# Daskalakis et al. 2018, *Training GANs with optimism*. Gulrajani et al. 2017. Miyato et al. 2018, *Spectral normalization*: section 2. Sedghi, Gupta and Long 2019, *The singular values of convolutional layers*. Yazıcı et al. 2019 (averaging).
