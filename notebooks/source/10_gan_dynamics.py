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
# **Two players each walk downhill on a loss of their own. Why do they not arrive, and what makes them?**
#
# Chapter 09 found where the game ends: the fakes are like the data, and the discriminator cannot tell them apart. Here is the
# smallest game there is, with one number for each player. All three paths start at the same dot, with the same losses and
# learning rate. When both players step at once, they walk away from the end. When they take turns, they go round it. When
# the discriminator is charged for its slope as well, they arrive. Two numbers predict this; then we
# ask what is left of the prediction in networks.

# %% tags=["hide-input"]
from course_lib.chapters.ch10_gan_dynamics import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Three paths of the same game from one start: simultaneous steps spiral outwards, alternating "
         "steps go round in a closed curve, a charge on the discriminator's slope leads to the centre.")

# %% [markdown]
# Afterwards you can
#
# - predict from two eigenvalues whether a game turns, comes home or escapes, for a flow and for steps;
# - say what a penalty on the discriminator's slope does, under which conditions, and when it is too much;
# - test advice about training a GAN: one change, paired seeds, a control.
#
# **Needs** chapters 00 and 09. **Time** 45 minutes to read and run, 25 for the exercises; the cells take about
# 15 seconds on two CPU cores. The optional chapter 10b asks how steep a discriminator may be.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $\theta$ | the generator's number: where the fakes are | () |
# | $\psi$ | the discriminator's number, the slope of its logit; in section 3 all its parameters | (), (3,) |
# | $l$, $D$ | logit; $D = \sigma(l)$, the belief that $x$ is real | (batch,) |
# | $s$ | how strongly each player answers the other near the end | () |
# | $\gamma$ | weight of the penalty R1 | |
# | $h$ | learning rate; $h_G$ and $h_D$ where they differ | |
# | $\lambda$ | eigenvalue of the field's Jacobian | |
# | $\mu$ | multiplier: eigenvalue of one step | |
# | $k$ | turns of the discriminator for one of the generator | |

# %% tags=["nbval-ignore-output"]
import math

import torch

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.evaluation.comparisons import paired_difference
from course_lib.gan import losses, penalties
from course_lib.gan.dirac import dirac_path, multipliers, running_mean, update_matrix
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · The smallest GAN
#
# All data lie at 0. The generator has one number $\theta$ and puts every fake there. The discriminator has one number $\psi$: its logit
# is the straight line $l(x) = \psi x$. This is the **Dirac-GAN** (Mescheder et al. 2018). The data get the logit 0 and the fakes
# $\psi\theta$, so the losses of chapter 09 are
#
# $$L_D = \log 2 + \log(1 + e^{\psi\theta}), \qquad L_G = \log(1 + e^{-\psi\theta})\ \text{ or, minimax, }\ -\log(1 + e^{\psi\theta}).$$
#
# Each player walks down its own loss. Let the steps be infinitely small at first; a dot is a derivative by time. As the derivative
# of $\log(1 + e^x)$ is $\sigma(x)$,
#
# $$\dot\psi = -\theta\,\sigma(\psi\theta), \qquad \dot\theta = \psi\,\sigma(-\psi\theta)\ \text{ or, minimax, }\ \psi\,\sigma(\psi\theta). \tag{10.1}$$

# %% tags=["hide-input"]
show(pictures.the_game(),
     alt="The Dirac-GAN drawn: data at 0 and fakes to the right on the x axis, the logit as a "
         "rising line "
         "through 0; the generator moves the fakes to where the line is higher, the discriminator turns "
         "the line down at the fakes.")

# %%
def field(theta, psi, loss="nonsaturating"):
    """Return the two velocities (θ̇, ψ̇)."""
    belief = torch.sigmoid(psi * theta)  # D of the fake
    pull = belief if loss == "minimax" else 1 - belief
    return psi * pull, -theta * belief


def by_autograd(theta, psi, loss):
    """Return minus the derivative of each player's own loss, as chapter 09's library has them."""
    theta, psi = theta.clone().requires_grad_(), psi.clone().requires_grad_()
    fake_logits, objective = psi * theta, losses.OBJECTIVES[loss]
    d_loss = objective.discriminator(0 * fake_logits, fake_logits) * len(theta)  # a mean over the places
    g_loss = objective.generator(fake_logits) * len(theta)
    by_theta, = torch.autograd.grad(g_loss, theta, retain_graph=True)
    return -by_theta, -torch.autograd.grad(d_loss, psi)[0]


theta, psi = torch.cartesian_prod(*[torch.tensor([-2.0, -1.1, -0.4, 0.3, 0.9, 1.7], dtype=f64)] * 2).T
claim("equation (10.1) is what the losses of chapter 09 give, at 36 places",
      all(torch.allclose(a, b, rtol=1e-12) for loss in ("minimax", "nonsaturating")
          for a, b in zip(field(theta, psi, loss), by_autograd(theta, psi, loss), strict=True)))

# %% [markdown]
# The two velocities together are the **field**. As $\sigma$ is never 0, it vanishes at $\theta = \psi = 0$ alone: the end of the
# game. At $\theta = 1$, $\psi = 0$ it says $\dot\psi = -\tfrac12$ and $\dot\theta = 0$: the line begins to fall at the fakes, and on a flat
# line the generator feels nothing. Does the pair come nearer to the end? The squared distance $\theta^2 + \psi^2$ has the derivative $2(\theta\dot\theta + \psi\dot\psi)$. With minimax
# this is $2(\theta\psi - \psi\theta)\,\sigma(\psi\theta) = 0$: what one player gains the other loses, and the pair circles for ever. The non-saturating pair does come
# nearer, by $2\theta\psi\,(\sigma(-\psi\theta) - \sigma(\psi\theta)) \le 0$.

# %%
inwards = {}
for loss in ("minimax", "nonsaturating"):
    d_theta, d_psi = field(theta, psi, loss)
    inwards[loss] = theta * d_theta + psi * d_psi
start_at = torch.tensor(1.2, dtype=f64), torch.tensor(0.0, dtype=f64)
flows = {loss: dirac_path(*start_at, 8000, 0.005, 0.005, method="alternating", loss=loss).norm(dim=-1)
         for loss in inwards}  # 40 units of time in tiny steps
claim("minimax: θθ̇ + ψψ̇ is 0 everywhere, and for 40 units of time the pair stays 1.2 away, to 1 %",
      inwards["minimax"].abs().max() < 1e-15 and (flows["minimax"] / 1.2 - 1).abs().max() < 0.01)
claim("non-saturating: it is below 0 off the axes, and after 40 units of time 0.4 of the 1.2 are left",
      inwards["nonsaturating"].max() < 0 and abs(flows["nonsaturating"][-1] - 0.4) < 0.05,
      distance=flows["nonsaturating"][-1])

# %% [markdown]
# ## 2 · Two eigenvalues
#
# Near its end a smooth field is its Jacobian times the distance. As $\sigma(0) = \tfrac12$, both losses give the same one, with $s = \tfrac12$:
#
# $$\frac{d}{dt}\begin{pmatrix}\theta\\ \psi\end{pmatrix} = \begin{pmatrix}0 & s\\ -s & 0\end{pmatrix}\begin{pmatrix}\theta\\ \psi\end{pmatrix}, \qquad \lambda^2 + s^2 = 0, \qquad \lambda = \pm\, i s . \tag{10.2}$$
#
# A direction with eigenvalue $\lambda = a + ib$ changes like $e^{\lambda t}$: it shrinks if $a < 0$, and turns by $b$ radians a unit of time.
# Here $a = 0$. Descending *one* loss never looks like this: its Jacobian is minus a matrix of second derivatives, which is symmetric, and
# a symmetric matrix has real eigenvalues.

# %% [markdown]
# **R1** adds $\tfrac\gamma2\,\mathrm{E}\|\nabla_x l\|^2$ to the discriminator's loss: the squared slope of its logit, *at the data*. In the
# Dirac-GAN that slope is $\psi$, so $\dot\psi$ gets $-\gamma\psi$, and the Jacobian gets $-\gamma$ in its lower right corner: friction for one of
# the two players.
#
# ### Exercise: the eigenvalues with R1
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# What does that friction do to the pair, the generator included? Find both eigenvalues of the new matrix, for any $s$ and $\gamma$.

# %% tags=["nbval-ignore-output"]
@exercise("gan.dirac_eigenvalues")
def dirac_eigenvalues(slope, gamma):
    """Return (real, imaginary) of the eigenvalues of [[0, s], [-s, -γ]], each (..., 2), + root first.

    slope s and gamma γ (...), float64. Where the root is real, the imaginary parts are 0.
    Worked values: s = ½, γ = 0 give real [0, 0], imaginary [½, -½];
    s = 1, γ = 2.5 give real [-½, -2], imaginary [0, 0].
    """
    # two real tensors; turning pairs and pairs that do not turn, in one call
    ...

# %%
def jacobian_at_end(gamma):
    damped = lambda x: torch.stack(field(x[0], x[1])) - gamma * torch.stack([0 * x[0], x[1]])
    return torch.autograd.functional.jacobian(damped, torch.zeros(2, dtype=f64))


gammas = torch.linspace(0, 2.5, 101, dtype=f64)
real, imaginary = dirac_eigenvalues(torch.full_like(gammas, 0.5), gammas)
theirs = torch.stack([torch.linalg.eigvals(jacobian_at_end(g.item())) for g in gammas])
match = lambda a, b: torch.minimum((a - b).abs().amax(1), (a - b.flip(1)).abs().amax(1)).max()
claim("the closed form is what autograd and linear algebra find, for 101 values of γ",
      match(torch.complex(real, imaginary), theirs) < 1e-7)
claim("without R1 the eigenvalues are ±i/2: the pair turns and does not come nearer",
      real[0].abs().max() < 1e-12 and (imaginary[0].abs() - 0.5).abs().max() < 1e-12)
shared = lambda x: torch.nn.functional.softplus(x[0] * x[1])  # both descend the discriminator's loss
one_loss = torch.linalg.eigvals(-torch.autograd.functional.hessian(shared, torch.zeros(2, dtype=f64)))
claim("if both players descend the discriminator's loss, they are ½ and −½, real",
      one_loss.imag.abs().max() < 1e-12 and (one_loss.real.abs() - 0.5).abs().max() < 1e-12)
best = gammas[real[:, 0].argmin()].item()
claim("the flow comes home fastest at γ = 2s = 1; more penalty is slower again",
      abs(best - 1) < 1e-12 and bool((real[40:, 0].diff() > 0).all()))

# %% tags=["hide-input"]
show(pictures.eigenvalues(gammas, real, imaginary),
     alt="Left, the two eigenvalues in the plane move from plus and minus i/2 to the left, meet on the "
         "real axis at gamma 1 and part. Right, the decay of the slower part is largest at gamma 1.")

# %% [markdown]
# Up to $\gamma = 2s$ both have the real part $-\gamma/2$: the generator is damped too, though no penalty touches it. Beyond, the pair no longer
# turns. One eigenvalue goes to $-\gamma$ and the other back towards 0, like $-s^2/\gamma$: the discriminator is held so flat that the generator
# hardly learns where to go.
#
# ## 3 · Games with more numbers
#
# Let $\psi$ be all parameters of any discriminator, and stand at an end of the game: fakes distributed like the data, and on the data $l = 0$ and
# $\nabla_x l = 0$. The second derivatives of $L_D$ with R1 by $\psi$ are sums of terms. Those with second derivatives of $l$ by $\psi$ cancel
# between real and fake, or are multiplied by $\nabla_x l = 0$. What is left is
#
# $$\frac{\partial\dot\psi}{\partial\psi} = -\tfrac12\,\mathrm{E}\big[\nabla_\psi l\,\nabla_\psi l^\top\big] - \gamma\,\mathrm{E}\big[(\nabla_\psi\nabla_x l)(\nabla_\psi\nabla_x l)^\top\big], \tag{10.3}$$
#
# both expectations over the data.

# %% [markdown]
# The first block is friction that every discriminator has, but only in directions of $\psi$ that change the logit *at* the data.
# Data often lie on something thin, and then some directions change the logit beside it only. R1's block sees them,
# because the *slope* at the data changes. In the Dirac-GAN, where $\nabla_\psi l = x = 0$ at the data, it is the only one.
#
# Take four points on a line in the plane, the same points shifted by $\theta$ as fakes, and
# $l(x) = \psi_1 x_1 + \psi_2 x_2 + \psi_3 x_1 x_2$. On the line $x_2 = 0$ the last two change nothing.

# %%
data = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], dtype=f64)
features = lambda x: torch.stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1]], dim=1)  # (n, 3)


def velocity(both, gamma):
    """Return minus the gradient of each player's own loss; both: θ (2,) and ψ (3,) in one row."""
    theta, psi = both[:2], both[2:]
    logit = lambda x: features(x) @ psi
    d_loss = losses.discriminator_loss(logit(data), logit(data + theta))
    d_loss = d_loss + gamma / 2 * penalties.r1_penalty(logit, data)
    g_loss = losses.nonsaturating_generator_loss(logit(data + theta))
    g_gradient, = torch.autograd.grad(g_loss, theta, create_graph=True)
    d_gradient, = torch.autograd.grad(d_loss, psi, create_graph=True)
    return -torch.cat([g_gradient, d_gradient])

# %%
end = torch.zeros(5, dtype=f64)
game = {gamma: torch.autograd.functional.jacobian(lambda x: velocity(x, gamma), end)
        for gamma in (0.0, 0.5)}
by_x = torch.stack([torch.autograd.functional.jacobian(lambda x: features(x[None])[0], x) for x in data])
own = features(data).T @ features(data) / 4  # E[∇l ∇lᵀ] by ψ, (3, 3)
slopes = (by_x @ by_x.mT).mean(0)  # E[(∇∇l)(∇∇l)ᵀ], (3, 3)
claim("the discriminator's block is equation (10.3), without R1 and with it",
      all((block[2:, 2:] + own / 2 + gamma * slopes).abs().max() < 1e-12
          for gamma, block in game.items()))
decay = {gamma: torch.linalg.eigvals(block).real for gamma, block in game.items()}
claim("without R1 three of the five eigenvalues have real part 0; with γ = ½ all five lie below −0.05",
      (decay[0.0].abs() < 1e-7).sum() == 3 and decay[0.5].max() < -0.05,
      without=decay[0.0], with_R1=decay[0.5])

# %% [markdown]
# **What is proved.** Mescheder, Geiger and Nowozin (2018, theorem 4.1): with R1, steps at once or in turn come home, and the distance
# shrinks at least geometrically, if they are small enough, start near enough, and
#
# - the generator can produce the data's distribution exactly, and there the discriminator is 0 in a neighbourhood of the data;
# - the loss has a slope at logit 0, and curvature of the right sign, as ours has;
# - near the end, the generators that produce the data form a smooth surface, and so do the discriminators that are 0 with slope 0 on the
#   data; who leaves one is noticed (the generator by $\mathrm{E}\,\nabla_\psi l$ to first order, the discriminator by $\mathrm{E}[l^2 + \|\nabla_x l\|^2]$ to second);
# - gradients are exact expectations.
#
# It says nothing of batches, of Adam, or of how near is near enough.

# %% [markdown]
# ## 4 · A step is not a flow
#
# An optimiser takes steps. A step of both players **at once** with rate $h$ multiplies a direction by $1 + h\lambda$, its **multiplier**
# $\mu$. For $\lambda = \pm is$ that has size $\sqrt{1 + h^2s^2} > 1$: a step on a circle goes along the tangent, and so leaves the circle.
#
# **Guess:** with $s = \tfrac12$ and $h = 0.2$, after how many steps is the pair twice as far out?

# %% tags=["nbval-ignore-output"]
guess("steps_to_double", ...)

# %%
def steps_to_double(h):
    """Count simultaneous minimax steps until the distance has doubled, near the end."""
    start_near = torch.tensor(0.01, dtype=f64), torch.tensor(0.0, dtype=f64)
    path = dirac_path(*start_near, 1000, h, h, loss="minimax")
    return int((path.norm(dim=-1) >= 0.02).int().argmax())


predicted = [math.ceil(math.log(2) / (0.5 * math.log1p(h**2 / 4))) for h in (0.2, 0.1)]
claim("log 2 / log √(1 + h²s²) steps: 140, and about four times as many for half the rate",
      [steps_to_double(0.2), steps_to_double(0.1)] == predicted == [140, 556],
      guessed="steps_to_double", steps=steps_to_double(0.2))

# %% [markdown]
# A smaller rate delays the escape. It does not prevent it.
#
# **In turn.** Let D move first, and let G answer the *new* $\psi$. Near the end these are two shears, one after the other:
#
# $$\begin{pmatrix}1 & hs\\ 0 & 1\end{pmatrix}\begin{pmatrix}1 & 0\\ -hs & 1 - h\gamma\end{pmatrix} = \begin{pmatrix}1 - h^2s^2 & hs(1 - h\gamma)\\ -hs & 1 - h\gamma\end{pmatrix}. \tag{10.4}$$
#
# Take $\gamma = 0$. Each factor has determinant 1, so the product of the multipliers is 1. While they are a complex pair, for
# $hs < 2$, both have size 1. The order of two lines ends the escape.
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
    # each player walks down its own loss, and takes the other's number for given
    ...

# %%
near = torch.zeros(2, dtype=f64)
knobs = 0.3, 0.7, 0.4  # rates of G and D, γ
small = 1e-4 * torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], dtype=f64)
moved = torch.stack(alternating_step(*small.T, *knobs))  # (2, 4): where four places near the end go
by_differences = (moved[:, :2] - moved[:, 2:]) / 2e-4
claim("your step is (10.4) near the end, with R1 and two rates",
      (update_matrix("alternating", *knobs) - by_differences).abs().max() < 1e-7)
rates = torch.linspace(0.1, 3.9, 39).tolist()
claim("in turn: both multipliers on the unit circle, for rates from 0.1 to 3.9",
      all((multipliers("alternating", h, h).abs() - 1).abs().max() < 1e-7 for h in rates))
claim("at once: outside it, for the same rates",
      all(multipliers("simultaneous", h, h).abs().min() > 1.001 for h in rates))

# %% [markdown]
# ### Steps with R1
#
# With R1 the determinant is $1 - h\gamma$ and the trace $2 - h\gamma - h^2s^2$, so
#
# $$\mu^2 - (2 - h\gamma - h^2s^2)\,\mu + (1 - h\gamma) = 0, \qquad \text{discriminant } (h\gamma + h^2s^2)^2 - 4h^2s^2. \tag{10.5}$$
#
# There are two cases.
#
# - $\gamma < 2s - hs^2$: the discriminant is negative; a complex pair with product $1 - h\gamma$, so both have size $\sqrt{1 - h\gamma}$.
# - $\gamma > 2s - hs^2$: two real numbers with the same product. They part; the larger one decides, and it comes back towards 1.
#
# When the smaller one passes $-1$, at $\gamma = 2/h - hs^2/2$, the pair escapes again. For $h = 0.2$ these bounds are 0.95 and 9.975.

# %%
size = lambda gamma, h=0.2: multipliers("alternating", h, h, gamma).abs()  # the larger first
claim("R1 in turn: both multipliers have size √(1 − hγ) up to γ = 2s − hs², and part beyond",
      all((size(share * (1 - h / 4), h) - math.sqrt(1 - h * share * (1 - h / 4))).abs().max() < 1e-7
          and size(1.05 * (1 - h / 4), h).diff() < -0.02
          for h in (0.2, 1.0) for share in (0.1, 0.5, 0.98)))
finer = torch.linspace(0.01, 9.9, 990).tolist()
slowest = torch.tensor([size(gamma)[0] for gamma in finer])
claim("so at h = 0.2 the best γ is 0.95, and at γ = 3.5 a step shrinks the distance by 1.4 % only",
      abs(finer[int(slowest.argmin())] - 0.95) < 0.006 and abs(size(3.5)[0] - 0.9856) < 1e-4)
claim("beyond γ = 2/h − hs²/2 the pair escapes again",
      size(9.97)[0] < 1 < size(9.98)[0] and size(1.87, 1.0)[0] < 1 < size(1.88, 1.0)[0])
damped = dirac_path(*start_at, 1000, 0.2, 0.2, 0.2, "alternating")
a_step = (damped[1000].norm() / damped[500].norm()) ** (1 / 500)
claim("the whole game does it too: γ = 0.2 shrinks the distance by √(1 − hγ) = 0.98 a step",
      abs(a_step - math.sqrt(1 - 0.2 * 0.2)) < 5e-4, a_step=a_step)

# %% tags=["hide-input"]
show(pictures.step_multipliers(),
     alt="Left, the two multipliers in the plane for growing penalty: a complex pair inside the "
         "unit circle "
         "until gamma is 0.75, then two real ones, of which one passes minus 1. Right, their sizes: "
         "equal "
         "and falling, then the slower one rises and the other passes 1 at gamma 1.875.")

# %% [markdown]
# ## 5 · What else is tried
#
# **Two rates.** Let D learn faster, $h_D > h_G$ (Heusel et al. 2017). The argument from the determinant does not care: both shears keep area.
#
# **Averaging.** Who goes round has the centre as a mean. So judge, not the last weights, but the mean of all so far.
#
# **Optimism** (Daskalakis et al. 2018). Step along $2v_t - v_{t-1}$, the field $v$ extrapolated by one step. For $\lambda = is$ the multipliers
# solve $\mu^2 - (1 + 2ihs)\mu + ihs = 0$; both lie inside the unit circle while $hs < 1/\sqrt3$.
#
# The explorer below has them all. In it, find the $\gamma$ above which steps at once with rates 0.2 come home. (Its $\lambda$ is our $\mu$.)

# %%
largest = lambda method, g, d, gamma=0.0: multipliers(method, g, d, gamma)[0].abs().item()
two_rates, with_r1 = ([largest("alternating", 0.1, 0.1 * r, gamma) for r in (1, 2, 5, 10)]
                      for gamma in (0.0, 0.2))
claim("two rates alone bring nothing home: |μ| = 1 for h_D = 1, 2, 5, 10 times h_G",
      max(abs(x - 1) for x in two_rates) < 1e-7)
claim("with γ = 0.2 they do, and faster the larger h_D",
      bool((torch.tensor(with_r1).diff() < -0.005).all()), largest=with_r1)
below, above = 0.999 * 2 / math.sqrt(3), 1.001 * 2 / math.sqrt(3)  # h s = 1/√3 with s = ½
claim("optimism comes home below h s = 1/√3 and not above",
      largest("optimistic", below, below) < 1 < largest("optimistic", above, above))
circle = dirac_path(*start_at, 4000, 0.2, 0.2, method="alternating", loss="minimax")
claim("averaging: after 4,000 steps the mean is nearer than 0.01, the pair itself never below 1.1",
      running_mean(circle)[-1].norm() < 0.01 and circle.norm(dim=-1).min() > 1.1)

# %%
alt = ("Explorer of the Dirac-GAN: field, path, distance and multipliers, for your start, penalty, "
       "rates, update and loss.")
try:
    from course_lib.chapters.ch10_gan_dynamics.explorers import PhaseExplorer

    portrait = PhaseExplorer(alt=alt)
except ImportError:  # run as a script where there are no widgets
    portrait = alt
portrait

# %% [markdown]
# ### Exercise: name the change
# *difficulty 3/5 · importance 4/5 · 5 minutes*
#
# Somebody changed one thing in the game in turn, and got this path. Which of `simultaneous`, `alternating`, `r1`, `too_much_r1`, `two_rates`,
# `averaging`?

# %% tags=["nbval-ignore-output"]
show(pictures.strange(),
     alt="A path of the Dirac-GAN: the discriminator's number jumps almost to zero, then the "
         "generator's creeps towards zero on one side, without ever turning.")
answer("gan.path_diagnosis", ...)

# %% [markdown]
# ## 6 · The recipe, line by line
#
# Networks are trained by the lines below (Goodfellow et al. 2014, algorithm 1). Two of them are often forgotten, so they are switches here.
# Without `detach`, D's backward pass writes a gradient into G's weights too, one that makes fakes *easier* to detect. `zero_grad` wipes it
# away, unless that is forgotten as well. Then, for a fake with belief $D$, the gradients by its logit add up: $D$ from D's turn and $D - 1$ from
# G's, where D has not moved in between. The sum $2D - 1$ has the wrong sign for every fake with $D > \tfrac12$. For minimax it would be $D - D = 0$.

# %%
def turn(loss, detach=True, clear=True, d_rate=0.1):
    """One turn of the recipe; return the gradient in G's weights when its update comes."""
    torch.manual_seed(1)
    G, D = torch.nn.Linear(3, 2, dtype=f64), torch.nn.Linear(2, 1, dtype=f64)
    real, z = torch.randn(8, 2, dtype=f64), torch.randn(8, 3, dtype=f64)
    fake = G(z)
    seen = fake.detach() if detach else fake
    losses.discriminator_loss(D(real)[:, 0], D(seen)[:, 0]).backward(retain_graph=True)
    torch.optim.SGD(D.parameters(), d_rate).step()  # D's step: between the two backward passes
    if clear:
        G.zero_grad()
    losses.OBJECTIVES[loss].generator(D(fake)[:, 0]).backward()  # G answers the new D
    return G.weight.grad

# %%
right = turn("nonsaturating")
claim("cleared but not detached: the same gradient, to the last bit",
      torch.equal(right, turn("nonsaturating", detach=False)))
fake_logits = torch.linspace(-4, 4, 9, dtype=f64, requires_grad=True)
both_losses = losses.discriminator_loss(0 * fake_logits, fake_logits)
both_losses = both_losses + losses.nonsaturating_generator_loss(fake_logits)
summed, = torch.autograd.grad(9 * both_losses, fake_logits)
belief = fake_logits.detach().sigmoid()
claim("neither, D standing still: by a fake's logit the sum is 2D − 1 in place of D − 1",
      (summed - (2 * belief - 1)).abs().max() < 1e-12)
still, stepped = (turn("minimax", False, False, rate).norm() for rate in (0.0, 0.1))
claim("neither, minimax: the two cancel if D stands still; if D steps in between, they do not",
      still < 1e-15 and stepped > 1e-3 * turn("minimax").norm(), left=stepped / turn("minimax").norm())

# %% [markdown]
# Now networks: eight Gaussians on a ring, standard deviation 0.1, two hidden layers of 64, Adam at $10^{-3}$ for both, 1,000 turns of G.
# Twenty seeds start every arm from the same networks. The number is the Jensen–Shannon divergence (chapter 09) between data and fakes, counted on 16 × 16 squares.
# ‘k = 5’ and ‘saturating’ draw new noise for G's turn, so their control is ‘fresh noise’.

# %%
recipe = {arm: torch.tensor(js, dtype=f64) for arm, js in recorded("recipe").values.items()}
floor = recipe.pop("real against real").item()
control = {"k = 5": "fresh noise", "saturating": "fresh noise", "saturating, not cleared": "saturating"}
shift = {arm: paired_difference(js, recipe[control.get(arm, "six steps")]) for arm, js in recipe.items()}
for arm, (mean, error) in shift.items():
    print(f"{arm:>24}: {mean:+.3f} ± {error:.3f} nats")
sure = lambda arm: shift[arm][0] / shift[arm][1]  # the paired difference in standard errors
claim("at once, or G first on the same fakes, which is the same numbers: worse by over three "
      "standard errors",
      torch.equal(recipe["G first"], recipe["at once"]) and sure("at once") > 3)
claim("cleared but not detached: the same numbers; neither: worse by over three standard errors",
      torch.equal(recipe["no detach, cleared"], recipe["six steps"])
      and sure("no detach, not cleared") > 3)
claim("neither, saturating: 0.4 nats worse, in twenty seeds of twenty",
      (recipe["saturating, not cleared"] - recipe["saturating"]).min() > 0
      and shift["saturating, not cleared"][0] > 0.4)
claim("five turns of D: better by over three standard errors; new noise: under two, no difference seen",
      sure("k = 5") < -3 and abs(sure("fresh noise")) < 2)

# %% tags=["hide-input"]
show(pictures.recipe_arms(recipe, floor),
     alt="Divergence of nine variants of the recipe, twenty seeds each: both at once and a gradient "
         "that is "
         "not cleared lie further out, the saturating loss not cleared near the maximum, five turns "
         "of D "
         "nearer, new noise where the recipe lies.")

# %% [markdown]
# ## 7 · Eight modes
#
# The famous test has thin, far modes: the same ring with a standard deviation of 0.02, and the networks and rates of Metz et al. (2017): 256 numbers of
# noise, two hidden layers of 128, Adam with $10^{-3}$ for G and $10^{-4}$ for D, 5,000 steps. A mode counts if it holds 1 % of 2,500 fakes
# within three standard deviations.
#
# Each arm adds one cure, the last two: R1 with γ = 0.1; the gradient penalty of chapter 10b; optimism; noise of 0.8 on all that D sees, which falls to 0 at step
# 4,000; a D of twenty times its rate; each at one strength. Of each generator we also judge the moving average of its weights. **Guess:** in its best seed of five, how
# many of the eight modes does the best *single* cure cover?

# %% tags=["nbval-ignore-output"]
guess("best_single_cure", ...)

# %%
ring = recorded("ring").values
last = {arm: (found["now"][-1], found["average"][-1]) for arm, found in ring.items()}
for arm, (now, average) in last.items():
    print(f"{arm:>16}: modes of five seeds {now['modes']}, of the averages {average['modes']}")
most = {arm: max(now["modes"]) for arm, (now, _) in last.items()}
single = [arm for arm in ring if arm not in ("plain", "fast D, noise")]
claim("no cure alone covers more than four modes in any seed, the plain game two",
      max(most[arm] for arm in single) <= 4 and most["plain"] <= 2,
      guessed="best_single_cure", modes=max(most[arm] for arm in single))
modes = {arm: torch.tensor(now["modes"], dtype=f64) for arm, (now, _) in last.items()}
gains = [paired_difference(modes["fast D, noise"], modes[arm]) for arm in ("noise", "fast D")]
claim("a fast D and noise together cover all eight in five seeds of five, more than five more than "
      "either "
      "alone in the mean", modes["fast D, noise"].tolist() == [8] * 5
      and all(gain > 5 > 5 * error for gain, error in gains), more_than_noise_and_fast_D=gains)
hits = {arm: now["quality"] for arm, (now, _) in last.items()}
claim("with a fast D over a quarter of the fakes lie in a mode in every seed, with a slow one under "
      "a tenth",
      all(min(share) > 0.25 if "fast" in arm else max(share) < 0.1 for arm, share in hits.items()))
claim("averaged weights: with a fast D more fakes lie in a mode, in every seed; with a slow D no "
      "mode is covered",
      all(min(torch.tensor(average["quality"]) - torch.tensor(now["quality"])) > 0 if "fast" in arm
          else max(average["modes"]) == 0 for arm, (now, average) in last.items()))

# %% tags=["hide-input"]
fakes = {text: torch.tensor(ring[arm]["fakes"][which])
         for text, arm, which in (("Plain: one mode found", "plain", 0),
                                  ("Both, averaged: all eight", "fast D, noise", 1))}
show(pictures.ring_modes({arm: now["modes"] for arm, (now, _) in last.items()},
                         {arm: average["modes"] for arm, (_, average) in last.items()}, fakes),
     alt="Modes that five seeds of each arm cover: eight in every seed for a fast discriminator "
         "with noise "
         "only. Fakes of the plain arm lie along a band between the modes, those of the best arm on all "
         "eight modes.")

# %% [markdown]
# Near its end the Dirac-GAN said that two rates alone bring nothing home, and R1 does. Here, far from any end, it is the other way round. Our reading, not tested
# here: this D must *learn* its answer, and at a tenth of G's rate it is late; and noise blurs the modes until all are within reach.
#
# A piece of the last arm runs here, from the record's seeds: its first 100 steps, or all 5,000 with the full budget.

# %%
from course_lib.datasets.ring import centres, draw_ring, modes_and_quality
from course_lib.gan.ring import Game, Treatment, make_players, play

generator = torch.Generator().manual_seed(0)
players = make_players(5, generator, device=run.device)
z = torch.randn(5, 2500, 256, generator=torch.Generator().manual_seed(100)).to(run.device)
then = torch.tensor(ring["fast D, noise"]["now"][0]["distance"])  # each seed's median, after 100 steps


@torch.no_grad()
def away():
    """Return how far the seeds' median distances to a mode are from the record's, in the mean."""
    distance = torch.cdist(players.generator(z).cpu(), centres()).amin(-1)
    return (distance.median(1).values - then).abs().mean()


looks, live_steps = [away()], run.pick(quick=100, full=5000)
run.expect("the whole game of five seeds", minutes=2)
for step in play(Game(players, Treatment(d_rate=2e-3, noise=0.8)), draw_ring, 5000, generator):
    if step == 100:
        looks.append(away())
    if step == live_steps:
        break
claim("after 100 steps the five distances are the record's within 0.065 in the mean; untrained they "
      "are not",
      looks[1] < 0.065 < looks[0], untrained=looks[0], after=looks[1])
if live_steps == 5000:
    with torch.no_grad():
        covered, _ = modes_and_quality(players.generator(z).cpu())
    claim("after all steps each seed covers 7 or 8 of 8, and most 8",
          min(covered) >= 7 and sum(covered) > 37, modes=covered)

# %% [markdown]
# ## 8 · Watch it, and judge a failure
#
# The wide ring of section 6 trains while you look. `good` has had 800 steps with both rates at $10^{-3}$, `collapsed` 300 with a G thirty times as fast as its D.

# %%
from course_lib.chapters.ch10_gan_dynamics.scene import COLLAPSING, Scene, judge, preset

states = {"good": Scene(preset("ring of eight"), Treatment(d_rate=1e-3), seed=6, device=run.device),
          "collapsed": Scene(preset("ring of eight"), COLLAPSING, seed=6, device=run.device)}
for name, slices in (("good", 16), ("collapsed", 6)):
    for _ in range(slices):
        states[name].train(50)
found = {name: judge(scene) for name, scene in states.items()}  # modes, divergence
snapshots = {name: scene.snapshot() for name, scene in states.items()}
claim("equal rates cover seven modes or eight, a G thirty times as fast as D three at most",
      found["good"][0] >= 7 and found["collapsed"][0] <= 3, **found)
claim("the divergence tells them apart: below 0.3 nats, above 0.5",
      found["good"][1] < 0.3 < 0.5 < found["collapsed"][1])

# %% [markdown]
# Restore `collapsed`, set D's rate to $10^{-3}$, leave G at $3\cdot10^{-3}$, and press play for 800 steps. **Guess** before you do: of six seeds, how
# many cover seven modes or more then? (`mine` is your own data: points between −3 and 3, at least 16.)

# %% tags=["nbval-ignore-output"]
guess("recovers", ...)

# %%
angle = torch.linspace(0, 2 * math.pi, 400)
heart = 13 * angle.cos() - 5 * (2 * angle).cos() - 2 * (3 * angle).cos()
mine = torch.stack([16 * angle.sin() ** 3, heart], dim=1) / 8
alt = ("A GAN of the plane that trains here: the discriminator as a map, real and fake points, the "
       "pull on each fake, the generator's grid, and the divergence beside it.")
try:
    from course_lib.chapters.ch10_gan_dynamics.explorers import GanExplorer

    scene = GanExplorer("ring of eight", own=mine, snapshots=snapshots, shown="collapsed", alt=alt,
                        device=run.device)
except ImportError:
    scene = alt
scene

# %%
recovery = recorded("recovery").values
for arm, values in recovery.items():
    print(f"{arm:>16}: modes of six seeds {values['modes']}")
many = {arm: sum(modes >= 7 for modes in values["modes"]) for arm, values in recovery.items()}
js = {arm: torch.tensor(values["js"], dtype=f64) for arm, values in recovery.items()}
claim("with G at 3·10⁻³ no collapsed game of six covers seven modes",
      many["collapsed, 3e-3"] == 0, guessed="recovers", of_six=many["collapsed, 3e-3"])
claim("the control: a fresh game fails at these rates too, in five seeds of six", many["fresh, "
      "3e-3"] == 1)
claim("with both rates at 10⁻³ the collapsed game ends nearer to the data in every seed, and four "
      "of six "
      "cover seven or more",
      (js["collapsed, 3e-3"] - js["collapsed, 1e-3"]).min() > 0 and many["collapsed, 1e-3"] == 4)
cost, error = paired_difference(js["collapsed, 1e-3"], js["fresh, 1e-3"])
claim("but there a fresh game does better, by 0.1 to 0.2 nats, over two standard errors",
      0.1 < cost < 0.2 and cost > 2 * error, cost=cost, standard_error=error)

# %% [markdown]
# ## What stays
#
# - Each goes downhill, and together they turn: [*without R1 the eigenvalues are ±i/2*](#Exercise:-the-eigenvalues-with-R1).
# - The order of two lines decides between escape and circle: [*in turn: both multipliers on the unit circle*](#Exercise:-the-alternating-step), [*at once: outside it*](#Exercise:-the-alternating-step).
# - R1 damps both players, up to a point: [*both multipliers have size √(1 − hγ) up to γ = 2s − hs², and part beyond*](#Steps-with-R1). In larger games it damps what nothing else does: [*with γ = ½ all five lie below −0.05*](#3-·-Games-with-more-numbers).
# - Of the recipe's lines, order and clearing count, and a cleared gradient makes `detach` redundant: [*worse by over three standard errors*](#6-·-The-recipe,-line-by-line), [*cleared but not detached: the same numbers*](#6-·-The-recipe,-line-by-line).
# - What is proved near the end need not help far from it: [*no cure alone covers more than four modes*](#7-·-Eight-modes). And a failure needs its control, before the state is blamed for the rates: [*a fresh game fails at these rates too*](#8-·-Watch-it,-and-judge-a-failure).

# %% tags=["nbval-ignore-output"]
progress("10_gan_dynamics")

# %% [markdown]
# **Open questions.** What do momentum and Adam do to the two multipliers? Why does a fast D without noise find only some of the modes?
#
# **References.** Mescheder, Geiger and Nowozin 2018, *Which training methods for GANs do actually converge?*: sections 2 to 4, assumptions I to III. Goodfellow et al. 2014: algorithm 1. Metz et al. 2017, *Unrolled generative adversarial networks*: appendix A.
# Heusel et al. 2017 (two rates). Daskalakis et al. 2018, *Training GANs with optimism*. Yazıcı et al. 2019 (averaging).
