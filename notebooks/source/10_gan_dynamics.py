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
# The game of chapter 09 ends where the fakes are like the data. Here is the
# smallest such game, with one number for each player. All three paths have the same start, minimax loss and
# learning rate. When both players step at once, they walk away from the end. When they take turns, they go round it, nearly on a closed curve. When
# the discriminator is charged for its slope as well, they arrive. Near the end two numbers predict this; then we
# ask what is left of it in networks.

# %% tags=["hide-input"]
from course_lib.chapters.ch10_gan_dynamics import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Three paths of the same minimax game from one start: simultaneous steps spiral outwards, "
         "alternating steps go round on nearly a closed curve, a charge on D's slope leads to "
         "the centre.")

# %% [markdown]
# Afterwards you can
#
# - predict from two eigenvalues whether a game near its end turns, comes home or escapes;
# - say what a penalty on the discriminator's slope does, and when it is too much;
# - test advice about training a GAN: one change, paired seeds, a control.
#
# **Needs** chapters 00 and 09. **Time** 50 minutes to read and run, 20 for the exercises; the cells take about
# 10 seconds on two CPU cores. The optional chapter 10b asks how steep a discriminator may be.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $\theta$ | the generator's number: where the fakes are; in section 3 a shift in the plane | (), (2,) |
# | $\psi$ | the discriminator's number, the slope of its logit; in section 3 all its parameters | (), (3,) |
# | $l$, $D$ | logit; $D = \sigma(l)$, the belief that $x$ is real | (batch,) |
# | $s$ | how strongly each player answers the other near the end | () |
# | $\gamma$ | weight of the penalty R1 | |
# | $h$ | learning rate; $h_G$ and $h_D$ where they differ | |
# | $\lambda$ | eigenvalue of the field's Jacobian | |
# | $\mu$ | multiplier: eigenvalue of one step | |

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
# game. Does the pair come nearer to it? The squared distance $\theta^2 + \psi^2$ has the derivative $2(\theta\dot\theta + \psi\dot\psi)$. With minimax
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
# Here $a = 0$: to first order the pair only turns. What brought the non-saturating pair nearer is of higher order, and fades as it comes
# near. Descending *one* loss never turns: its Jacobian is minus a matrix of second derivatives, and a symmetric matrix has real eigenvalues.

# %% [markdown]
# **R1** adds $\tfrac\gamma2\,\mathrm{E}\|\nabla_x l\|^2$ to the discriminator's loss: the squared slope of its logit, *at the data*. In the
# Dirac-GAN that slope is $\psi$, so $\dot\psi$ gets $-\gamma\psi$, and the Jacobian gets $-\gamma$ in its lower right corner: friction for one of
# the two players.
#
# ### Exercise: the eigenvalues with R1
# *difficulty 2/5 · importance 5/5 · 8 minutes*
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
claim("without R1 the eigenvalues are ±i/2: to first order the pair turns and does not come nearer",
      real[0].abs().max() < 1e-12 and (imaginary[0].abs() - 0.5).abs().max() < 1e-12)
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

# %% [markdown]
# ## 3 · Games with more numbers
#
# Let $\psi$ be all parameters of a discriminator, at an end of the game: fakes distributed like the data, and on the data $l = 0$ and $\nabla_x l = 0$.
# If a loss is curved at $l = 0$, as ours is, it brings friction of its own along, but only in directions of $\psi$ that change the logit *at* the data. (The Dirac-GAN has none.)
# R1 brakes those that change its *slope* there.
#
# Take four points on a line in the plane, the same points shifted by $\theta$ as fakes, and
# $l(x) = \psi_1 x_1 + \psi_2 x_2 + \psi_3 x_1 x_2$. On the line $x_2 = 0$ the last two change nothing, but they have a slope across it.

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
decay = {gamma: torch.linalg.eigvals(block).real for gamma, block in game.items()}
claim("without R1 three of the five eigenvalues have real part 0; with γ = ½ the largest is −0.25",
      (decay[0.0].abs() < 1e-7).sum() == 3 and abs(decay[0.5].max() + 0.25) < 1e-6,
      without=decay[0.0], with_R1=decay[0.5])

# %% [markdown]
# **What is proved** (Mescheder, Geiger and Nowozin 2018, theorem 4.1): with R1, small steps at once or in turn come home from near the end, the distance
# shrinking at least geometrically, if gradients are exact, the generator can produce the data against
# a discriminator that is 0 around them, the loss is sloped and curved at logit 0, and the solutions form smooth surfaces that one cannot leave unnoticed. Nothing is said of batches, of Adam, or of how near is near enough.

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
starts = torch.tensor([0.01, 1.2], dtype=f64), torch.zeros(2, dtype=f64)
away = {loss: dirac_path(*starts, 2000, 0.2, 0.2, loss=loss).norm(dim=-1) for loss in inwards}
claim("at once, farther out: from 1.2 minimax is beyond 3 after 400 steps; non-saturating, from 0.01 "
      "and from 1.2, the pair stays between 0.6 and 0.67 from step 1,500 on",
      away["minimax"][400, 1] > 3
      and 0.6 < away["nonsaturating"][1500:].min() < away["nonsaturating"][1500:].max() < 0.67)

# %% [markdown]
# A smaller rate delays the escape. It does not prevent it. All this is said near the end. Farther out, with $h = 0.2$, the minimax pair goes on outwards, while the non-saturating one settles on a cycle.
#
# **In turn.** Let D move first, and let G answer the *new* $\psi$. Near the end the two moves are, D's on the right,
#
# $$\begin{pmatrix}1 & hs\\ 0 & 1\end{pmatrix}\begin{pmatrix}1 & 0\\ -hs & 1 - h\gamma\end{pmatrix} = \begin{pmatrix}1 - h^2s^2 & hs(1 - h\gamma)\\ -hs & 1 - h\gamma\end{pmatrix}. \tag{10.3}$$
#
# For $\gamma = 0$ both factors have determinant 1, so the product of the multipliers is 1. Their sum, the trace $2 - h^2s^2$, lies between
# $\pm2$ while $hs < 2$: they are a complex pair of size 1. Taking turns ends the escape, to first order.
#
# ### Exercise: the alternating step
# *difficulty 2/5 · importance 5/5 · 8 minutes*
#
# Here with the non-saturating loss, which near the end has the same step (10.3).

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
claim("your step is (10.3) near the end, with R1 and two rates",
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
# $$\mu^2 - (2 - h\gamma - h^2s^2)\,\mu + (1 - h\gamma) = 0, \qquad \text{discriminant } (h\gamma + h^2s^2)^2 - 4h^2s^2. \tag{10.4}$$
#
# - $\gamma < 2s - hs^2$: the discriminant is negative; a complex pair with product $1 - h\gamma$, so both have size $\sqrt{1 - h\gamma}$.
# - $\gamma > 2s - hs^2$: two real numbers with the same product. They part, and the upper one goes back towards 1.
#
# The lower one passes $-1$ at $\gamma = 2/h - hs^2/2$, and the pair escapes again. For $h = 1$, as drawn below, the bounds are 0.75 and 1.875; for
# $h = 0.2$ 0.95 and 9.975.

# %%
size = lambda gamma, h=0.2: multipliers("alternating", h, h, gamma).abs()  # the larger first
claim("R1 in turn: both multipliers have size √(1 − hγ) up to γ = 2s − hs², and part beyond",
      all((size(share * (1 - h / 4), h) - math.sqrt(1 - h * share * (1 - h / 4))).abs().max() < 1e-7
          and size(1.05 * (1 - h / 4), h).diff() < -0.02
          for h in (0.2, 1.0) for share in (0.1, 0.5, 0.98)))
claim("beyond γ = 2/h − hs²/2 the pair escapes again",
      size(9.97)[0] < 1 < size(9.98)[0] and size(1.87, 1.0)[0] < 1 < size(1.88, 1.0)[0])
damped = dirac_path(*start_at, 100, 0.2, 0.2, 0.2, "alternating").norm(dim=-1)
a_step = (damped[100] / damped[50]) ** (1 / 50)
claim("the whole game does it too, from 0.32 away to 0.12: γ = 0.2 shrinks the distance by "
      "√(1 − hγ) = 0.98 a step", damped[50] > 0.3 and abs(a_step - 0.98) < 5e-4, a_step=a_step)

# %% tags=["hide-input"]
show(pictures.step_multipliers(),
     alt="Left, the two multipliers in the plane for growing penalty: a complex pair inside the "
         "unit circle until gamma is 0.75, then two real ones, of which one passes minus 1. Right, "
         "their sizes: equal and falling, then the upper one rises and the lower one passes 1 at "
         "gamma 1.875.")

# %% [markdown]
# ## 5 · What else is tried
#
# **Two rates** (Heusel et al. 2017): D learns faster, $h_D > h_G$. The determinant does not care: without R1 it stays 1.
#
# **Averaging.** Who goes round has the centre as a mean. So judge, not the last weights, but their mean: of all so far, or a moving one.
#
# The explorer has both (its ‘optimistic’ step extrapolates the field: Daskalakis et al. 2018). **Guess**, with it or by a determinant: above which $\gamma$ do steps *at once* with both rates 0.2 come home?

# %% tags=["nbval-ignore-output"]
guess("gamma_at_once", ...)

# %% tags=["hide-input"]
alt = ("Explorer of the Dirac-GAN: the field with 200 simultaneous steps that spiral outwards from 1.5 "
       "to 2.47, their distance, and two multipliers just outside the unit circle.")
try:
    from course_lib.chapters.ch10_gan_dynamics.phase import PhaseExplorer

    portrait = PhaseExplorer(alt=alt)
except ImportError:  # run as a script where there are no widgets
    portrait = alt
portrait

# %%
largest = lambda method, g, d, gamma=0.0: multipliers(method, g, d, gamma)[0].abs().item()
claim("at once, h = 0.2: the determinant 1 − hγ + h²s² passes 1 at γ = hs² = 0.05; just above it the "
      "pair comes home, just below it does not",
      largest("simultaneous", 0.2, 0.2, 0.051) < 1 < largest("simultaneous", 0.2, 0.2, 0.049),
      guessed="gamma_at_once", gamma=0.2 * 0.5**2)
two_rates, with_r1 = ([largest("alternating", 0.1, 0.1 * r, gamma) for r in (1, 2, 5, 10, 100)]
                      for gamma in (0.0, 0.2))
claim("two rates alone leave |μ| at 1: so it is for h_D = 1, 2, 5, 10, 100 times h_G",
      max(abs(x - 1) for x in two_rates) < 1e-7)
claim("with γ = 0.2 the pair comes home, the faster the larger h_D, up to 10 times; at 100 it escapes",
      bool((torch.tensor(with_r1[:4]).diff() < -0.005).all()) and with_r1[0] < 1 < with_r1[4],
      largest=with_r1)
circle = dirac_path(*start_at, 4000, 0.2, 0.2, method="alternating", loss="minimax")
claim("averaging, minimax: after 4,000 steps the mean is nearer than 0.01, the pair never below 1.1",
      running_mean(circle)[-1].norm() < 0.01 and circle.norm(dim=-1).min() > 1.1)

# %% [markdown]
# ### Exercise: name the change
# *difficulty 2/5 · importance 4/5 · 4 minutes*
#
# A minimax game in turn was changed in one thing, and took this path. Which is it: `simultaneous`, `nonsaturating`, `r1`, `too_much_r1`, `two_rates`,
# `averaging`?

# %% tags=["nbval-ignore-output"]
show(pictures.strange(),
     alt="Both numbers of a Dirac-GAN against steps: the discriminator's jumps to a small fraction of "
         "the generator's, then both creep towards zero on one side, without ever turning.")
answer("gan.path_diagnosis", ...)

# %% [markdown]
# ## 6 · The recipe, line by line
#
# Networks take turns: D descends its loss on data and fakes, then G descends its own through the new D (Goodfellow et al. 2014, algorithm 1).
# Two lines are often forgotten, so they are switches here; the loss is the non-saturating one.
# Without `detach`, D's backward pass writes a gradient into G's weights too, one that makes fakes *easier* to detect. `zero_grad` before G's turn wipes it away, unless that is forgotten as well. Then, by the logit of a fake with belief $D$, the gradients add up: $D$ from D's turn and $D - 1$ from
# G's, if D stands still in between. The sum $2D - 1$ has the wrong sign for every fake with $D > \tfrac12$. (D needs
# its own `zero_grad` too: G's backward pass writes into D's weights.)

# %%
def turn(detach=True, clear=True):
    """Play one turn up to G's update; return the gradient in G's weights then."""
    torch.manual_seed(1)
    G, D = torch.nn.Linear(3, 2, dtype=f64), torch.nn.Linear(2, 1, dtype=f64)
    real, z = torch.randn(8, 2, dtype=f64), torch.randn(8, 3, dtype=f64)
    fake = G(z)
    seen = fake.detach() if detach else fake
    losses.discriminator_loss(D(real)[:, 0], D(seen)[:, 0]).backward(retain_graph=True)
    torch.optim.SGD(D.parameters(), 0.1).step()
    if clear:
        G.zero_grad()
    losses.nonsaturating_generator_loss(D(fake)[:, 0]).backward()  # G answers the new D
    return G.weight.grad


claim("cleared but not detached: the same gradient, to the last bit",
      torch.equal(turn(), turn(detach=False)))
fake_logits = torch.linspace(-4, 4, 9, dtype=f64, requires_grad=True)
both_losses = losses.discriminator_loss(0 * fake_logits, fake_logits)
both_losses = both_losses + losses.nonsaturating_generator_loss(fake_logits)
summed, = torch.autograd.grad(9 * both_losses, fake_logits)
belief = fake_logits.detach().sigmoid()
claim("neither, D standing still: by a fake's logit the sum is 2D − 1 in place of D − 1",
      (summed - (2 * belief - 1)).abs().max() < 1e-12)

# %% [markdown]
# Now eight Gaussians on a ring, standard deviation 0.1; two hidden layers of 64, Adam at $10^{-3}$ for both, 1,000 turns of G.
# Twenty seeds start every arm from the same networks. The number is the Jensen–Shannon divergence (chapter 09) between data and
# 1,000 fakes, counted on 16 × 16 squares, as a mean of ten looks in the second half. Five turns of D also draw new noise for G's turn, so their control does too.

# %%
written = recorded("recipe").values
names = {"the recipe": "six steps", "both at once": "at once",
         "no detach, not cleared": "no detach, not cleared",
         "new noise for G": "fresh noise", "five turns of D": "k = 5"}
recipe = {arm: torch.tensor(written[name], dtype=f64) for arm, name in names.items()}
control = {"five turns of D": "new noise for G"}
sure = {}  # the paired difference in standard errors
for arm in list(recipe)[1:]:
    against = control.get(arm, "the recipe")
    mean, error = paired_difference(recipe[arm], recipe[against])
    sure[arm] = mean / error
    print(f"{arm:>23}: {mean:+.3f} ± {error:.3f} nats against ‘{against}’")
claim("both players at once: worse by over three standard errors", sure["both at once"] > 3)
claim("neither detached nor cleared: worse by over three standard errors",
      sure["no detach, not cleared"] > 3)
claim("five turns of D: better by over three standard errors; new noise: under two, no difference seen",
      sure["five turns of D"] < -3 and abs(sure["new noise for G"]) < 2)

# %% tags=["hide-input"]
show(pictures.recipe_arms(recipe, written["real against real"][0]),
     alt="Divergence of the recipe and four variants, twenty seeds each: both at once and a gradient "
         "that is neither cut nor cleared lie further out, five turns of D nearer, new noise where the "
         "recipe lies.")

# %% [markdown]
# ## 7 · Eight modes
#
# The famous test has thin, far modes: a standard deviation of 0.02. Widths and rates follow the published example of Metz et al. (2017), with ReLU for its tanh: two hidden layers of 128, Adam with $10^{-3}$ for G and $10^{-4}$ for D. We play 5,000 steps in turn, with the non-saturating loss. A mode counts if it holds 1 % of 2,500 fakes
# within three standard deviations.
#
# Each arm adds one cure, at one strength: R1 with γ = 0.1; noise of 0.8 on all that D sees, falling to 0 at step
# 4,000; a fast D, at $2\cdot10^{-3}$. The last arm joins the latter two. **Guess:** in its best seed of five, how
# many of the eight modes does the best *single* cure cover at the end?

# %% tags=["nbval-ignore-output"]
guess("best_single_cure", ...)

# %%
ring, single = recorded("ring").values, ["R1", "noise", "fast D"]
last = {arm: ring[arm]["now"][-1] for arm in ["plain", *single, "fast D, noise"]}
for arm, now in last.items():
    print(f"{arm:>16}: modes of five seeds {now['modes']}")
most = max(max(last[arm]["modes"]) for arm in single)
claim("none of the three cures alone, at its one strength, covers more than four modes at the end in "
      "any of five seeds", most <= 4, guessed="best_single_cure", modes=most)
modes = {arm: torch.tensor(now["modes"], dtype=f64) for arm, now in last.items()}
claim("R1 alone, with the slow D, covers no more modes than the plain game, in each of five seeds",
      (modes["R1"] <= modes["plain"]).all(), R1=modes["R1"], plain=modes["plain"])
gains = [paired_difference(modes["fast D, noise"], modes[arm]) for arm in ("noise", "fast D")]
claim("a fast D and noise together cover all eight in five seeds of five, more than five more than "
      "either alone in the mean", modes["fast D, noise"].tolist() == [8] * 5
      and all(gain > 5 > 5 * error for gain, error in gains), more_than_noise_and_fast_D=gains)
share = {arm: torch.tensor(last[arm]["quality"]) for arm in ("fast D", "fast D, noise")}
claim("at a price: with the noise fewer fakes lie in a mode, in every seed, than with the fast D alone",
      (share["fast D"] > share["fast D, noise"]).all(), **share)

# %% tags=["hide-input"]
fakes = {"Plain: one mode found": torch.tensor(ring["plain"]["fakes"][0]),
         "Fast D and noise: all eight": torch.tensor(ring["fast D, noise"]["fakes"][0])}
show(pictures.ring_modes(fakes),
     alt="Fakes of the first seed at the last look: those of the plain arm lie along a band between the "
         "modes, those of a fast discriminator with noise on all eight modes and some between them.")

# %% [markdown]
# Near its end the Dirac-GAN needed R1, and two rates brought nothing home. Here, far from any end, R1 at this strength and with the slow D covers no more than the plain game; a fast D alone
# covers up to four modes, with noise all eight. R1 with a fast D was not tried. Our reading, not tested: a D that must *learn* its answer is late at a tenth of G's rate, and noise blurs the modes until all are within reach.
#
# ## 8 · Watch it, and judge a failure
#
# The wide ring of section 6 trains here. `good` has had 800 steps with both rates at $10^{-3}$, `collapsed` 300 with a G thirty times as fast as its D.

# %%
from course_lib.chapters.ch10_gan_dynamics.scene import COLLAPSING, Scene, judge, preset
from course_lib.gan.ring import Treatment

states = {"good": Scene(preset("ring of eight"), Treatment(d_rate=1e-3), seed=6, device=run.device),
          "collapsed": Scene(preset("ring of eight"), COLLAPSING, seed=6, device=run.device)}
for name, slices in (("good", 16), ("collapsed", 6)):
    for _ in range(slices):
        states[name].train(50)
found = {name: judge(scene) for name, scene in states.items()}  # modes, divergence
others = recorded("live_values").arm("10_gan_dynamics")  # of five other seeds
snapshots = {name: scene.snapshot() for name, scene in states.items()}
claim("equal rates cover seven modes or eight, a G thirty times as fast as D three at most",
      found["good"][0] >= 7 and found["collapsed"][0] <= 3, **found,
      good_divergence=others.beside(found["good"][1], "divergence"))

# %% [markdown]
# Restore `collapsed`, set D's rate to $10^{-3}$, leave G at $3\cdot10^{-3}$, and press play for 800 steps. **Guess** before you do: of six seeds, how
# many cover seven modes or more then?

# %% tags=["nbval-ignore-output"]
guess("recovers", ...)

# %%
mine = None  # or data of your own: points (n, 2) between −3 and 3, at least 16
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
claim("with G at 3·10⁻³ no collapsed game of six covers seven modes",
      many["collapsed, 3e-3"] == 0, guessed="recovers", of_six=many["collapsed, 3e-3"])
claim("the control: a fresh game fails at these rates too, in five seeds of six, while of the collapsed "
      "ones four recover with both rates at 10⁻³",
      many["fresh, 3e-3"] == 1 and many["collapsed, 1e-3"] == 4)

# %% [markdown]
# ## What stays
#
# - Each goes downhill, and together they turn: [*without R1 the eigenvalues are ±i/2*](#Exercise:-the-eigenvalues-with-R1).
# - Near the end and without R1, steps at once escape and, for rates under $2/s$ and to first order, steps in turn go round: [*at once: outside it*](#Exercise:-the-alternating-step), [*in turn: both multipliers on the unit circle*](#Exercise:-the-alternating-step).
# - R1 damps both players, up to a point: [*size √(1 − hγ) up to γ = 2s − hs², and part beyond*](#Steps-with-R1).
# - On the wide ring turns count, and so does keeping D's gradient out of G, by `detach` or by clearing: [*both players at once: worse*](#6-·-The-recipe,-line-by-line), [*neither detached nor cleared: worse*](#6-·-The-recipe,-line-by-line).
# - What is proved near the end need not help far from it: [*R1 alone, with the slow D, covers no more modes than the plain game*](#7-·-Eight-modes). And a failure needs its control: [*a fresh game fails at these rates too*](#8-·-Watch-it,-and-judge-a-failure).

# %% tags=["nbval-ignore-output"]
progress("10_gan_dynamics")

# %% [markdown]
# **Open questions.** What do momentum and Adam do to the two multipliers? What would R1 add to a fast D?
#
# **References.** Mescheder et al. 2018, *Which training methods for GANs do actually converge?*: sections 2 to 4. Goodfellow et al. 2014: algorithm 1. Metz et al. 2017, *Unrolled generative adversarial networks*: the ring.
# Heusel et al. 2017 (two rates). Daskalakis et al. 2018 (optimism).
