# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# **What is a generative model, and how does one come about?**
#
# Somebody shows you 400 points and asks for more of the same kind. By the end of this chapter you have built the small
# machine below with your own hands: it makes points up, and says of every place how likely it is. The later chapters
# do the same for text and pictures.
#
# **Do this now:** click into the next cell and press **Shift+Enter**. It runs, and you stand in the one after it.

# %%
from course_lib.chapters.ch00_start_here.figures import opening, three_views
from course_lib.classroom import figures

fig, alt = opening()
figures.show(fig, alt=alt)

# %% [markdown]
# Afterwards you can
#
# - say what a generative model is, and judge one by what it draws and by what it finds likely;
# - train one with a loop written by hand, from tensors and gradients;
# - tell learning from learning by heart, by points that the model has never seen;
# - work with this course: exercises, hints, claims, predictions.

# %% [markdown]
# **Needs** Python, derivatives, matrices, expectations. **Time** 60 minutes to read, 45 for the exercises;
# the cells run in under half a minute on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | a point | (2,) |
# | $n$ | how many points | |
# | $p_\theta$ | the model's density | |
# | $\theta$ | its parameters, all together | |
# | $K$ | components of a mixture | |
# | $w_k$ | share of component $k$ | (K,) |
# | $\mu_k, \sigma_k$ | its centre and its width | (K, 2), (K,) |
# | $L$ | loss, the number to make small | |
# | $\eta$ | rate: a step is $\eta$ times the gradient | |

# %% tags=["nbval-ignore-output"]
import math

import torch

from course_lib.chapters.ch00_start_here.descent import fit_mixture
from course_lib.chapters.ch00_start_here.mixture import mixture_sample, mixture_start
from course_lib.chapters.exercises import answer, exercise, hint, progress, reset, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.exercises.engine import WrongAnswerError
from course_lib.classroom.figures import show
from course_lib.datasets.plane import NOISE, fireflies, off_track, true_log_density
from course_lib.training.runtime import describe, start

run = start(seed=0, threads=1)
f64 = torch.float64  # double precision: 16 digits, so that equalities can be checked

# %% [markdown]
# ## 1 · A distribution that was fitted to examples
#
# A **generative model** is a probability distribution $p_\theta$ over things that one might see, fitted to examples of them.
# One asks two things of it. **Draw:** give me a new one, $x \sim p_\theta$. **Score:** how likely is this one, $p_\theta(x)$?
#
# Our things are places on a plane, because there you can see a whole distribution at once. A firefly circles outwards
# from a lamp; each flash is a point, in centimetres. Nobody filmed one: a fixed generator makes the points, so the
# truth is known, and every model can be held against it.

# %%
points = fireflies(400)
print("shape of the data:", tuple(points.shape), "- 400 points, 2 coordinates each")
print("the first two, in cm:", [[round(v, 1) for v in point] for point in points[:2].tolist()])

# %% [markdown]
# The simplest model takes from each coordinate $x_j$ of the data its mean $\mu_j$ and standard deviation $a_j$, and draws
# it from the bell curve, the **Gaussian**, that has them:
#
# $$\mathcal N(x_j; \mu_j, a_j^2) = \frac{1}{a_j\sqrt{2\pi}}\, e^{-(x_j-\mu_j)^2/2a_j^2}.$$
#
# Flashes scatter around the track with a standard deviation of 5 cm (`NOISE`) each way, so nearly all lie within 15 cm
# of it. **Predict:** how many in a hundred of this model's points lie further off? (Section 2 explains the code; here
# read the comments and results.)

# %%
mean, std = points.mean(dim=0), points.std(dim=0)
generator = torch.Generator().manual_seed(0)
bell = mean + std * torch.randn(4000, 2, dtype=f64, generator=generator)

claim("of the data, fewer than 1 in 100 lie off the track", off_track(points) < 0.01)
claim("of one Gaussian's points, about half do", 0.45 < off_track(bell) < 0.55,
      share=off_track(bell))

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, width=7.5, height=3.5)
figures.points(axes[0], (points - mean) / std)
figures.points(axes[1], (bell[:400] - mean) / std, figures.ORANGE)
figures.title(axes[0], "● The data keep to a track")
figures.title(axes[1], f"▲ {100 * off_track(bell):.0f} in 100 of a bell's do not")
show(fig, alt="Two scatter plots: the data follow a spiral; points drawn from one "
              "Gaussian with the same mean and spread fill a round cloud, about half "
              "of them off the spiral.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# About half. The model has exactly the data's means and spreads, and yet its points are wrong:
# two averages say little about a shape. A better model needs parameters that can describe one, and a way to
# find them. For both we need tensors and gradients.
# </details>
#
# ## 2 · Tensors and gradients in ten cells
#
# PyTorch's **tensor** is an array of numbers with a **shape**, one length per axis, and a **dtype**, the kind of number.
# Read each cell, guess what it prints, run it.

# %%
# 1 of 10: made from nested lists; axis 0 counts the rows, axis 1 the columns
a = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]], dtype=f64)
print(tuple(a.shape), a.dtype)
print("row 2:", a[2].tolist(), " column 1:", a[:, 1].tolist(), " one number:", a[2, 1].item())

# %%
# 2 of 10: * works entry by entry, @ is the product of matrices, .T swaps the axes
print((a * a).tolist())
print((a.T @ a).tolist(), "- (2, 3) @ (3, 2) is (2, 2)")

# %%
# 3 of 10: dim= names the axis that a sum or a mean makes disappear
print("all:", a.mean().item(), " over the rows:", a.mean(dim=0).tolist())
by_hand = [sum(row[j] for row in a.tolist()) / 3 for j in range(2)]
claim("a.mean(dim=0) is the mean of every column", a.mean(dim=0).tolist() == by_hand)

# %%
# 4 of 10: broadcasting. Shapes are compared from the right; a 1, or a missing axis, is repeated
print((a - a.mean(dim=0)).tolist(), "- (3, 2) less (2,)")
print(tuple((a[:, None, :] - a).shape), "- (3, 1, 2) less (3, 2): every row less every row")

# %%
# 5 of 10: random numbers come from a generator; the same seed gives the same numbers
first, again = (torch.randn(4, generator=torch.Generator().manual_seed(7)) for _ in range(2))
claim("the same seed, the same numbers", torch.equal(first, again))
print(first.dtype, "is what you get without dtype=: 7 digits, and what networks are trained in")

# %% [markdown]
# What makes a tensor more than an array: it can remember how it was computed. Mark an input with `requires_grad`,
# compute, and call `backward()` on the result: every marked input has its derivative in `.grad`. This is **autograd**.
#
# Take $f(w) = (3w - 6)^2$. By the chain rule $f'(w) = 2\,(3w - 6)\cdot 3 = 18\,(w - 2)$, so $f'(3) = 18$.

# %%
# 6 of 10: a derivative
w = torch.tensor(3.0, dtype=f64, requires_grad=True)
f = (3 * w - 6) ** 2
f.backward()
claim("backward() finds f′(3) = 18", w.grad == 18)

# %%
# 7 of 10: derivatives by many numbers at once, the gradient, beside what small steps measure
u = torch.tensor([1.0, -2.0, 0.5], dtype=f64, requires_grad=True)
g = lambda u: (u**3).sum() + u[0] * u[1]
g(u).backward()
steps = 1e-5 * torch.eye(3, dtype=f64)  # each row is a step along one axis
measured = [((g(u + h) - g(u - h)) / 2e-5).item() for h in steps]
claim("the gradient is what three small steps measure",
      torch.allclose(u.grad, torch.tensor(measured, dtype=f64), rtol=1e-8))

# %%
# 8 of 10: backward() adds to what is in .grad
w.grad = None
for _ in range(2):
    ((3 * w - 6) ** 2).backward()
claim("a second backward() without clearing gives the sum, 18 + 18", w.grad == 36)
w.grad = None  # cleared: the next backward() starts from nothing

# %%
# 9 of 10: what is not to be differentiated stands under no_grad; .item() makes a plain number
w = torch.tensor(3.0, dtype=f64, requires_grad=True)
with torch.no_grad():
    w -= 0.1 * 18  # in place, a change of w and not a part of any f
print("w is now", round(w.item(), 2), "and still wants gradients:", w.requires_grad)

# %%
# 10 of 10: numbers so small that they are 0, and the sum that avoids them: the logarithm of
# e^-800 + e^-801 = e^-800 (1 + 1/e) is -800 + log(1 + 1/e)
s = torch.tensor([-800.0, -801.0], dtype=f64)
print("e^-800 in the computer:", s.exp()[0].item())
claim("log(e^-800 + e^-801) = -800 + log(1 + 1/e)",
      abs(torch.logsumexp(s, dim=0) - (-800 + math.log(1 + 1 / math.e))) < 1e-12)

# %% [markdown]
# ## 3 · How this course works
#
# - **Exercises** are cells with `@exercise("…")` above a function to fill in. Running one checks it. Leave it alone,
#   and the course's own function serves; get it right, and the cells after it use *yours*.
# - `hint("…")` helps in steps, `solution("…")` shows ours and why, `progress()` lists what is done, `reset("…")` opens
#   one again.
# - **Claims:** a line `✓ …` is a sentence of the text that was just computed on your machine. If one fails, the run
#   stops and shows the numbers.
# - **Predict** asks you to commit yourself before the next cell tells. It works only if you do.
#
# Before you write one, see what a wrong answer gets. This cell makes a famous mistake on purpose. It catches
# the message, so that the run goes on, and opens the exercise again.

# %%
try:
    @exercise("start.standardise")
    def standardise(points):
        return (points - points.mean()) / points.std()
except WrongAnswerError as wrong:
    print(wrong)
reset("start.standardise")

# %% [markdown]
# ### Exercise: standardise
# *difficulty 1/5 · importance 4/5 · 5 minutes*
#
# Now you. Replace the dots, run the cell. Then **provoke** the message for real: write `points.mean()` without `dim`
# into *this* cell and run it. The run stops below it, as it does for every wrong answer; mend it and go on.

# %% tags=["nbval-ignore-output"]
@exercise("start.standardise")
def standardise(points):
    """Return the points (n, d) with mean 0 and standard deviation 1 in every column.

    The standard deviation is torch's own, .std(), which divides by n - 1.
    Worked value: the column 1, 2, 3 becomes -1, 0, 1.
    """
    # 1. subtract from every column its own mean
    # 2. divide every column by its own standard deviation
    ...

# %% [markdown]
# ### Exercise: a shape
# *difficulty 1/5 · importance 3/5 · 2 minutes*
#
# Some exercises ask for a word or a number in place of the dots. 400 points have shape (400, 2), 16 centres (16, 2). Which
# shape has `points[:, None, :] - centres`? Running the cell shows the choices.

# %% tags=["nbval-ignore-output"]
answer("start.broadcast_shape", ...)

# %% [markdown]
# ## 4 · Once around
#
# Every model in this course comes about in five moves: *collect, preprocess, train, evaluate, optimise*. Here they are
# in five minutes.
#
# ### Collect
#
# Two sets: 400 points to learn from, and 2,000 **held-out** points that training never sees. With them we find out later
# whether the model learned the firefly or these 400 flashes.
#
# ### Preprocess
#
# Centimetres are awkward: all steps and widths would have to fit them. Standardise. The held-out points are shifted and
# scaled by the *same* numbers, those of the training points.

# %%
held_out = fireflies(2000, seed=1)
z = standardise(points)
z_held_out = (held_out - mean) / std
claim("every column now has mean 0 and standard deviation 1",
      z.mean(dim=0).abs().max() < 1e-12 and (z.std(dim=0) - 1).abs().max() < 1e-12)

# %% [markdown]
# ### A model: many bells
#
# One Gaussian is too simple; so take $K$. To draw a point, first choose a component $k$, with probability $w_k$; then draw
# around its centre $\mu_k$ with width $\sigma_k$ in both directions. The density sums over what might have been chosen:
#
# $$p_\theta(x) = \sum_{k=1}^{K} w_k\,\mathcal N(x; \mu_k, \sigma_k^2), \qquad
#   \mathcal N(x; \mu_k, \sigma_k^2) = \frac{1}{2\pi\sigma_k^2}\, e^{-\|x-\mu_k\|^2/2\sigma_k^2}.$$
#
# On the plane a round Gaussian is the product of two bells, hence $(\sigma\sqrt{2\pi})^2$. Shares must be positive with sum 1,
# widths positive. We store any real numbers and make them so: $w = e^{\text{logits}}/\sum e^{\text{logits}}$, which is
# called softmax, and $\sigma = e^{\text{log\_std}}$. PyTorch has `logits.softmax(-1)` for the shares and `log_softmax(-1)` for
# their logarithms; −1 means the last axis.

# %% [markdown]
# ### Exercise: how likely is a point?
# *difficulty 3/5 · importance 4/5 · 20 minutes*
#
# We need $\log p_\theta$, and never $p_\theta$ itself: far from all centres it is 0 in the computer, as in cell 10 above.
# The logarithm of a product is a sum, so $\log(w_k \mathcal N_k) = \log w_k + \log \mathcal N_k$.

# %% tags=["nbval-ignore-output"]
@exercise("start.mixture_log_density")
def mixture_log_density(points, logits, mu, log_std):
    """Return log p(x) = log Σ_k w_k N(x; μ_k, σ_k²) for every point, shape (n,).

    points (n, 2), logits (K,), mu (K, 2), log_std (K,); w = softmax(logits), σ = exp(log_std).
    Worked value: one component with μ = 0, σ = 1 gives -log(2π) = -1.8379 at x = 0.
    """
    # 1. squared distance of every point to every centre, (n, K)
    # 2. log N(x; μ_k, σ_k²) = -squares / (2σ²) - 2 log σ - log(2π)
    # 3. add log w_k, then torch.logsumexp over the components
    ...

# %%
theta = mixture_start(z, 16, torch.Generator().manual_seed(0))  # 16 centres on points, σ = 0.3
numbers = sum(p.numel() for p in theta)
print("parameters:", [tuple(p.shape) for p in theta], "=", numbers, "numbers")
ticks = torch.arange(-6, 6, 0.05, dtype=f64)
plane = torch.cartesian_prod(ticks, ticks)
centres = torch.tensor([[-3.0, 0.0], [3.0, 0.0]], dtype=f64)
logits, log_std = torch.tensor([[1.0, 3.0], [0.5, 0.5]], dtype=f64).log()
mass = mixture_log_density(plane, logits, centres, log_std).exp() * 0.05**2  # not by logits: ½
claim("two bells with shares ¼ and ¾: the density sums to 1, and to ¾ on the second one's side",
      abs(mass.sum() - 1) < 1e-6 and abs(mass[plane[:, 0] > 0].sum() - 0.75) < 1e-6)

# %% [markdown]
# ### Train
#
# Good parameters make the data likely. The points are independent, so their joint density is the product
# $\prod_i p_\theta(x_i)$; its logarithm is a sum, easier to handle and largest at the same place. Divided by $n$ and
# with a minus sign it is the **loss**:
#
# $$L(\theta) = -\frac1n \sum_{i=1}^n \log p_\theta(x_i).$$
#
# Its gradient $\nabla L$ says how $L$ grows when each parameter does. So take a small step the other way, and
# again: $\theta \leftarrow \theta - \eta\, \nabla L(\theta)$. This is **gradient descent**.

# %% [markdown]
# ### Exercise: the first training step by hand
# *difficulty 2/5 · importance 5/5 · 15 minutes*
#
# Cells 6 to 9 have all the parts; `hint("start.gradient_step")` helps.

# %% tags=["nbval-ignore-output"]
@exercise("start.gradient_step")
def gradient_step(loss_of, parameters, rate):
    """Move every parameter, in place, by -rate times its gradient; return the loss before.

    loss_of(*parameters) returns a tensor with one number; parameters is a list of tensors
    that require gradients; the loss comes back as a plain number.
    Worked value: loss w², w = 3, rate = 0.1 returns 9.0 and leaves w = 2.4.
    """
    # 1. the loss, then backward(): every parameter has its .grad
    # 2. under torch.no_grad(): parameter -= rate * parameter.grad, for every parameter
    # 3. set .grad to None, or the next backward() adds to it; return loss.item()
    ...

# %% [markdown]
# Try it where you know the answer: $f(w) = (3w-6)^2$, smallest at $w = 2$. A step makes
# $w - 2$ into $w - 2 - \eta\cdot 18\,(w-2) = (1 - 18\eta)\,(w - 2)$: the distance is multiplied by the same
# number every time.
#
# **Predict:** what happens for $\eta = 0.02$, for $0.1$, for $0.12$? From which $\eta$ on does it never arrive?

# %%
paths = {}
for rate in (0.02, 0.1, 0.12):
    w = torch.tensor(0.5, dtype=f64, requires_grad=True)
    path = [w.item()]
    for _ in range(8):
        gradient_step(lambda w: (3 * w - 6) ** 2, [w], rate)
        path.append(w.item())
    paths[rate] = torch.tensor(path, dtype=f64)
    claim(f"rate {rate}: eight steps multiply the distance by (1 − 18 · {rate})⁸",
          abs((path[-1] - 2) - (0.5 - 2) * (1 - 18 * rate) ** 8) < 1e-12)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.0)
bowl = torch.linspace(-4, 8, 200, dtype=f64)
findings = ("creeps", "swings in", "flies off")
for ax, (rate, path), found in zip(axes, paths.items(), findings, strict=True):
    figures.line(ax, bowl, (3 * bowl - 6) ** 2, figures.INK)
    ax.plot(*figures.values([path, (3 * path - 6) ** 2]), color=figures.BERRY, marker="o", markersize=4)
    figures.title(ax, f"η = {rate}: {found}")
    ax.set(xlabel="w", xlim=(-4, 8), ylim=(-15, 260))
axes[0].set_ylabel("loss (3w − 6)²")
show(fig, alt="Eight steps of gradient descent on a parabola: rate 0.02 creeps towards "
              "the minimum from one side, 0.1 swings from side to side into it, 0.12 "
              "climbs out.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The factors are 0.64, −0.8 and −1.16. A negative factor jumps over the minimum; below −1 each jump lands further
# out. So from $18\eta = 2$, that is $\eta = 1/9$, it never arrives. The 18 is the second derivative: the more curved the
# valley, the smaller the rate.
# </details>
#
# Now the model. The whole training is your step, six hundred times; the lines on snapshots are for the picture:

# %%
theta = mixture_start(z, 16, torch.Generator().manual_seed(0))  # anew, should you run this twice
loss_of = lambda *theta: -mixture_log_density(z, *theta).mean()
losses, snapshots = [], {}
for step in range(600):
    if step in (0, 10, 100):
        snapshots[step] = [p.detach().clone() for p in theta]
    losses.append(gradient_step(loss_of, theta, rate=0.3))
snapshots[600] = [p.detach() for p in theta]
claim("the loss falls by more than half a nat", losses[-1] < losses[0] - 0.5,
      first=losses[0], last=losses[-1])

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 4, height=2.9)
for ax, (step, then) in zip(axes, snapshots.items(), strict=True):
    figures.points(ax, z, s=3, alpha=0.5)
    rings = {"facecolors": "none", "edgecolors": figures.ORANGE}
    ax.scatter(*figures.values(then[1]).T, s=figures.values(3000 * then[0].softmax(0)), **rings)
    ax.scatter(*figures.values(then[1]).T, s=12, marker="^", color=figures.ORANGE)
    figures.title(ax, f"{step} steps: {-mixture_log_density(z, *then).mean():.2f}")
for ax in axes[1:]:
    ax.set_ylabel("")
show(fig, alt="Data (dots) and the 16 centres (triangles, rings as large as their "
              "shares) after 0, 10, 100 and 600 steps: from chance places they spread "
              "out along the spiral.")

# %% [markdown]
# Above each picture stands the loss, in **nats** (natural logarithms; chapter 01 makes bits of them).
#
# ### Evaluate
#
# Is it a good loss? Compare it with the best there is: the truth's own. Its density is known per cm²; in
# standardised units a unit of area holds $a_1a_2$ cm², so the density is that many times larger, and its logarithm
# larger by $\log a_1 + \log a_2$. And measure on held-out points too.

# %%
per_area = std.log().sum()
truth = {"training": -(true_log_density(points) + per_area).mean().item(),
         "held-out": -(true_log_density(held_out) + per_area).mean().item()}
model = {"training": -mixture_log_density(z, *theta).mean().item(),
         "held-out": -mixture_log_density(z_held_out, *theta).mean().item()}
for name in truth:
    print(f"{name:>9}: model {model[name]:.2f}, truth {truth[name]:.2f} nats")
drawn = mixture_sample(4000, *theta, generator=torch.Generator().manual_seed(1)) * std + mean
claim("on held-out points it is worse than the truth by 0.1 to 0.4 nats",
      0.1 < model["held-out"] - truth["held-out"] < 0.4)
claim("fewer than 5 in 100 of its own points lie off the track",
      off_track(drawn) < 0.05, share=off_track(drawn))

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.4)
figures.line(ax, range(1, 601), losses, figures.ORANGE)
ax.text(45, 1.72, "training", fontsize=9.5, color=figures.TEXT[figures.ORANGE])
ax.scatter([600], [model["held-out"]], color=figures.INK, marker="D", s=28, zorder=3)
ax.text(612, model["held-out"], "held-out", fontsize=9.5, va="center")
figures.level(ax, truth["training"], "")
ax.text(675, 1.44, "- - the truth, on the training points", fontsize=9, ha="right",
        color=figures.MUTE)
ax.set(xlabel="step", ylabel="loss (nats)", xlim=(0, 680), ylim=(1.35, 2.6))
learned, worth = f"{model['training']:.2f}", f"{model['held-out']:.2f}"
figures.title(ax, f"Trained to {learned} nats, worth {worth} on new points")
show(fig, alt=f"Loss against step, falling from {losses[0]:.2f} to the level of the "
              f"truth itself; on held-out points the same model needs {worth} nats, "
              "clearly more.")

# %% [markdown]
# ### Optimise
#
# More components can follow the track more closely. How many are best? **Predict:** with 64 of them, can the training loss
# fall below the truth's own? And the held-out one?
#
# These trainings use the library's `fit_mixture`, your loop with your step in a function; they take seconds.

# %%
sizes = [1, 2, 4, 8, 16, 32, 64]
curves = {"training": [], "held-out": []}
for K in sizes:
    fitted, history = fit_mixture(z, K)
    if K == 16:
        claim("the library's loop is yours", abs(history[-1] - losses[-1]) < 1e-6)
    curves["training"].append(-mixture_log_density(z, *fitted).mean().item())
    curves["held-out"].append(-mixture_log_density(z_held_out, *fitted).mean().item())
claim("32 and 64 components bring the training loss below the truth's by more than 0.15 nats",
      max(curves["training"][-2:]) < truth["training"] - 0.15, loss=curves["training"][-2:])
narrow = fitted[2].exp() < (NOISE / std).min()  # of the 64 bells; of 16 only two are
held = 400 * fitted[0].softmax(0)[narrow]
claim("more than half of the 64 bells are narrower than the noise, with 3 to 20 of 400 points each",
      len(held) > 32 and held.min() > 3 and held.max() < 20,
      bells=len(held), least=held.min(), most=held.max())
claim("after 600 steps none of the seven comes within 0.1 nats of it on held-out points",
      min(curves["held-out"]) > truth["held-out"] + 0.1, best=min(curves["held-out"]))
claim("from 16 to 64 components the held-out loss changes by less than 0.1 nats",
      abs(curves["held-out"][-1] - curves["held-out"][4]) < 0.1)
early, _ = fit_mixture(z, 64, steps=300)
early_loss = -mixture_log_density(z_held_out, *early).mean().item()
claim("stopped at 300 steps, 64 components are better on held-out points by more than 0.05 nats",
      early_loss < curves["held-out"][-1] - 0.05, stopped=early_loss, at_600=curves["held-out"][-1])

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.6)
figures.line(ax, sizes, curves["training"], figures.ORANGE, "training", marker="o")
figures.line(ax, sizes, curves["held-out"], figures.BERRY, "held-out", dashed=True, marker="D")
figures.level(ax, truth["held-out"], "the truth itself")
ax.set(xscale="log", xlabel="components K", ylabel="loss (nats)", xlim=(0.9, 95), ylim=(1.2, 3))
ax.set_xticks(sizes, map(str, sizes))
ax.minorticks_off()
figures.title(ax, "After 600 steps, beyond 16 components, it learns the points by heart")
show(fig, alt="Loss against the number of components, log scale: training keeps "
              "falling, below the truth's own; held-out levels out from 16 components "
              "on, clearly above it.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The training loss can: bells narrower than the noise sit on handfuls of points, and make the 400 more likely than the
# truth does. A little below is normal for a fitted model; this far below is learning by heart, **overfitting**. On
# average over *new* points nothing beats the truth; chapter 01 proves it. Stopping early is part of a cure.
# </details>
#
# No parameters are even best: a bell that shrinks onto one point lowers the training loss without end. So it matters
# where training starts and stops.

# %%
def onto_first_point(width):
    """Return the training loss of one wide bell and one of this width, with its centre on a point."""
    centres, widths = torch.stack([z.mean(dim=0), z[0]]), torch.tensor([1.0, width], dtype=f64)
    return -mixture_log_density(z, torch.zeros(2, dtype=f64), centres, widths.log()).mean()

# without the plane's second σ each fall would be half as large
shrinking = torch.stack([onto_first_point(10.0**-k) for k in (3, 4, 5)])
claim("each time that the bell on one of 400 points shrinks tenfold, the loss falls by ln(100)/400",
      (shrinking.diff() + math.log(100) / 400).abs().max() < 1e-6, loss=shrinking)

# %%
# more examples help more: the same 32 components, the same 600 steps, 2,000 points
many = (fireflies(2000, seed=2) - mean) / std
better, _ = fit_mixture(many, 32)
better_loss = -mixture_log_density(z_held_out, *better).mean().item()
claim("five times the data: within 0.1 nats of the truth on held-out points",
      better_loss < truth["held-out"] + 0.1, loss=better_loss, truth=truth["held-out"])
claim("the same 32 components on 400 points are worse by more than 0.1 nats",
      curves["held-out"][5] > better_loss + 0.1, on_400=curves["held-out"][5])

# %%
drawn = mixture_sample(400, *better, generator=torch.Generator().manual_seed(2))
density = lambda x: mixture_log_density(x, *better)
scores = f"{better_loss:.2f} nats; truth {truth['held-out']:.2f}"
titles = ("● 400 held-out points", "▲ 400 that you made up", scores)
fig = three_views(z_held_out[:400], drawn, density, titles)
show(fig, alt="Held-out points, points drawn from your model and its log density: all "
              f"three show the same spiral; its loss on them is {scores}.")

# %% [markdown]
# That was once around. A language model or an image generator differs in what $x$ is and in how $p_\theta$ is built;
# the five moves stay.
#
# ## 5 · What breaks
#
# First, training in centimetres, as if preprocessing were for the tidy. Centres and widths are as before, 40 times as
# large; the rate stays. To compare, the loss is taken back to standardised units, by the $\log a_1 + \log a_2$ of above.

# %%
in_cm = mixture_start(points, 16, torch.Generator().manual_seed(0))
with torch.no_grad():
    in_cm[2] += math.log(40)  # σ = 12 cm, the width of before
started = in_cm[1].detach().clone()
loss_of_cm = lambda *theta: -mixture_log_density(points, *theta).mean()
for _ in range(600):
    last = gradient_step(loss_of_cm, in_cm, rate=0.3)
loss_cm = last - per_area.item()
moved = (in_cm[1].detach() - started).norm(dim=-1)
claim("in centimetres the same 600 steps end at least 0.25 nats higher",
      loss_cm > losses[-1] + 0.25, in_cm=loss_cm, standardised=losses[-1])
claim("no centre has moved by as much as the noise of 5 cm", moved.max() < NOISE, most_cm=moved.max())

# %% [markdown]
# The gradient by a centre is made of $(x-\mu_k)/\sigma_k^2$. In centimetres lengths and widths are forty times as large, so
# it is forty times as small, while the way to go is forty times as long: the centres want a rate 1,600 times as
# large. Shares and log-widths have no unit; their gradients stay as they were. No one rate suits both.
#
# ### Exercise: name the fault from its curves
# *difficulty 3/5 · importance 4/5 · 5 minutes*
#
# Three trainings, one fault each. Choose among `not_zeroed`, `too_few_points`, `rate_too_small`, `ascent`.

# %%
def train(points, rate=0.05, zero=True, steps=300):
    """Return training and held-out losses, one column each."""
    theta, losses = mixture_start(points, 16, torch.Generator().manual_seed(1)), []
    loss_on = lambda points: -mixture_log_density(points, *theta).mean()
    for _ in range(steps):
        loss = loss_on(points)
        loss.backward()
        with torch.no_grad():
            for p in theta:
                p -= rate * p.grad
                p.grad = None if zero else p.grad
            losses.append([loss.item(), loss_on(z_held_out[:500]).item()])
    return torch.tensor(losses, dtype=f64)

# %%
honest = train(z)
faults = [{"points": z[:40]}, {"points": z, "rate": 0.003}, {"points": z, "zero": False}]
shuffled = torch.randperm(3, generator=torch.Generator().manual_seed(1)).tolist()
faulty = {letter: train(**faults[i]) for letter, i in zip("abc", shuffled, strict=True)}

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.0)
for ax, (letter, curve) in zip(axes, faulty.items(), strict=True):
    figures.line(ax, range(300), honest[:, 1], figures.MUTE)
    figures.line(ax, range(300), curve[:, 0], figures.ORANGE)
    figures.line(ax, range(300), curve[:, 1], figures.BERRY, dashed=True)
    ax.set(xlabel="step", ylim=(0.5, 4))
    figures.title(ax, f"fault {letter}")
axes[0].set_ylabel("loss (nats)")
axes[0].text(0, 0.6, "— training   – – held-out   grey: held-out, no fault", fontsize=8)
show(fig, alt="Three pairs of loss curves, a, b and c, training solid and held-out dashed, "
              "each with one fault to name, beside an honest held-out curve.")

# %% tags=["nbval-ignore-output"]
answer("start.fault_a", ...)
answer("start.fault_b", ...)
answer("start.fault_c", ...)

# %%
last = {letter: curve[-50:].mean(dim=0) for letter, curve in faulty.items()}
own_truth = {letter: -(true_log_density(faults[i]["points"] * std + mean) + per_area).mean()
             for letter, i in zip("abc", shuffled, strict=True)}
without_fault = honest[-50:, 1].mean()
claim("each fault costs at least 0.15 nats on held-out points",
      all(end[1] > without_fault + 0.15 for end in last.values()), without=without_fault,
      **{letter: end[1] for letter, end in last.items()})
by_heart = [faulty[letter] for letter, end in last.items() if end[0] < own_truth[letter] - 0.15]
claim("one of the three is better than the truth on its own training points", len(by_heart) == 1)
# with 40 points and a rate of 0.3 the training loss would rise too: two faults in one
claim("its training loss never rises, its held-out loss does, by more than one nat",
      by_heart[0][:, 0].diff().max() < 0 and by_heart[0][-1, 1] > by_heart[0][:, 1].min() + 1)

# %% [markdown]
# ## 6 · Your machine
#
# A tensor lives on a device, `cpu` or `cuda`; `.to(run.device)` copies it to this machine's best. This chapter's are small
# and stay on the CPU.

# %% tags=["nbval-ignore-output"]
describe()

# %% [markdown]
# **Budgets.** `quick` suits two CPU cores; every chapter runs in under 90 seconds, and everything that you read here was
# computed with it. With an NVIDIA GPU `make lab` chooses `full`: larger models, minutes; each long cell says so
# first. `COURSE_BUDGET` and `COURSE_DEVICE` set them by hand. What the quick run cannot compute comes from stored
# records, shown with their machine.
#
# **Your copy.** You work in `work/`. It is made once and never overwritten; a chapter that changed arrives beside yours as
# `NN_slug.new.ipynb`. Break what you like: `make reset NB=00` gives a fresh copy and keeps yours.
#
# **If a run hangs,** press the square in the toolbar.

# %% [markdown]
# ## 7 · The map
#
# | chapter | asks | reading+exercises |
# | --- | --- | --- |
# | `00_start_here` | what is a generative model? | 60+45 min |
# | `01_likelihood` | how good is a model, in one number? | 75+45 min |
# | `02_attention` | how does a position find what it needs? | 60+75 min |
# | `03_positions_and_cost` | how does attention know order, at what cost? | 60+50 min |
# | `04_transformer` | what makes attention stackable, at what cost? | 50+45 min |
# | `05_language_model` | what does it take to beat counters and compressors? | 60+50 min |
# | `06_vae_math` | how to learn from an unknown likelihood? | 60+50 min |
# | `07_vae_training` | what mends a broken VAE? | 50+40 min |
# | `08_vae_in_use` | what is a VAE good for? | 55+45 min |
# | `09_gan_game` | what does a game of networks learn? | 55+45 min |
# | `10_gan_dynamics` | does the game settle? | 50+60 min |
# | `11_gan_images` | which numbers can be trusted? | 50+60 min |
# | 12 to 14 | which one, how much data, on a GPU | planned |
#
# Read them in order. A chapter's cells run in about a minute.

# %% [markdown]
# ## 8 · Notation
#
# A letter with two meanings lists both.
#
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $x$ | an example; what positions carry | (2,); (T, C) | 00, 01; 02 |
# | $n, N$ | how many; in 03 a shift | | all |
# | $p$ | the data's distribution; weights | ; (T, S) | 01; 02 |
# | $q$ | a model's distribution; queries | ; (T, d_k) | 01; 02 |
# | $\theta, p_\theta$ | a model's parameters, its distribution | | 00, 01 |
# | $L, \nabla L$ | loss; its derivatives by every parameter | | all |
# | $\eta$ | rate: a step is $\eta$ times the gradient | | 00 |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $K$ | components of a mixture | | 00 |
# | $w_k, \mu_k, \sigma_k$ | its share, centre, width | (K,), (K, 2), (K,) | 00 |
# | $\mu, \sigma, a_j$ | mean, standard deviation | | 00, 01 |
# | $\mathcal N, \sim, \log$ | Gaussian density; is drawn from; natural logarithm | | all |
# | $\mathrm{E}, \mathrm{E}_p[f], \operatorname{Var}$ | expectation, under $p$, variance | | 01, 02 |
# | $H(p), H(p, q)$ | entropy, cross-entropy | | 01 |
# | $\mathrm{KL}, \mathrm{KL}(p \Vert q)$ | $H(p,q)-H(p)$: what $q$ for $p$ costs | | 01 |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $k, v$ | keys, values; in 01 $k$ characters of context | (S, d_k), (S, d_v) | 02, 03 |
# | $V$ | symbols of the vocabulary | | 01, 02 |
# | $s$ | scores; in 01 a standard deviation | (T, S) | 02, 03 |
# | $J, G, O$ | softmax's Jacobian; loss by output; output | | 02, 03 |
# | $W, W_q, W_k, W_v, W_o$ | make q, k, v; mix heads | (C, d) | 02 |
# | $T, S$ | positions that ask, are asked | | 02, 03 |
# | $d, d_k, d_v$ | numbers in a head; a query, a key; a value | | 02, 03 |
# | $H$ | heads | | 02, 03 |
# | $B, C$ | sequences, numbers per position | | 02, 03 |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $m, l, o$ | running maximum, sum, output | (T,), (T,), (T, d) | 03 |
# | $z$ | $m + \log l$ | (T,) | 03 |
# | $\theta_i, \omega_i$ | angles; turn per step | (d/2,) | 03 |
# | $p(t)$ | position vector | (C,) | 03 |
# | $M_n$ | matrix that shifts by $n$ | (C, C) | 03 |
# | $R, R(\varphi)$ | rotation, by $\varphi$ | (2, 2) | 03 |
# | $f_i, \hat x$ | what layer $i$ adds; normalised | (T, C) | 04 |
# | $h, w$ | characters before, next; in 10 $h$ a rate | | 05, 10 |
# | $D, n_r, n_1, n_2, c(h), c(hw)$ | discount; seen $r$ times, once, twice; counts | | 05 |
# | $g, \beta_1, \beta_2, \lambda, \epsilon$ | gradient and constants of AdamW; $\lambda$ in 06, 10 an eigenvalue | | 05 |
# | $\tau$ | temperature | | 05 |
# | $t, i, j$ | position, indices | | all |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $\epsilon$ | a draw from the standard normal | (latent,) | 06, 07 |
# | $\beta$ | weight of the KL | | 06 to 08 |
# | $y, m(z)$ | a noisy image; the decoder's mean image | (n, 784) | 08 |
# | $\bar w$ | importance weights that sum to 1 | (k, n) | 08 |
# | $u_j, r_i$ | direction of a covariance; mean square left at a pixel | (784,) | 08 |
# | $\lambda_j$ | eigenvalue of a covariance | | 06 |
# | $q(z)$ | aggregate posterior | | 07 |
# | $\omega$ | angle between two latents | | 07 |
# | $D = \sigma(l)$ | belief that $x$ is real | (batch,) | 09 |
# | $u$ | density ratio; in 10 a singular vector | | 09, 10 |
# | $f, f^*$ | convex function, conjugate | | 09 |
# | $W_1, \mathrm{JSD}, \mathrm{TV}$ | distances: Wasserstein, Jensen–Shannon, total variation | | 09 |
# | $\psi, \gamma$ | the discriminator's slope; weight of R1 | | 10 |
# | $G, D$ | generator, discriminator | | 11 |
# | $\phi(x), h(x), e_y$ | a classifier's features, D's own; vector of class $y$ | | 11 |
# | $m, \Sigma, A, B$ | mean and covariance of features; $\Sigma_1 = AA^\top$, $\Sigma_2 = BB^\top$ | | 11 |

# %% [markdown]
# ## 9 · Glossary
#
# | term | 中文 | in one line |
# | --- | --- | --- |
# | attention | 注意力 | a weighted mean, weights by similarity |
# | autograd | 自动微分 | derivatives by recorded computation |
# | bit, nat | 比特，奈特 | units of information, base 2 and e |
# | broadcasting | 广播 | axes of length 1 repeated |
# | cross-entropy | 交叉熵 | mean surprise under a model |
# | density | 概率密度 | probability per unit of area |
# | divergence | 散度 | how far apart two distributions are |
# | entropy | 熵 | floor of every code's mean length |
# | expectation | 期望 | mean under a distribution |
# | Gaussian | 高斯分布 | the bell curve |
# | generative model | 生成模型 | distribution fitted to examples |

# %% [markdown]
# | term | 中文 | in one line |
# | --- | --- | --- |
# | generative adversarial network, GAN | 生成对抗网络 | learns by a game of two |
# | gradient descent | 梯度下降 | steps against the gradient |
# | held-out data | 留出数据 | examples that training never sees |
# | rate, learning rate | 学习率 | what multiplies the gradient in a step |
# | likelihood | 似然 | the data's probability or density, seen from the parameters |
# | loss | 损失 | what training makes small |
# | mask | 掩码 | which positions may be seen |
# | mixture | 混合分布 | one of several distributions, by chance |
# | Monte Carlo, standard error | 蒙特卡洛，标准误 | means from samples; how far off |
# | overfitting | 过拟合 | learning examples by heart |

# %% [markdown]
# | term | 中文 | in one line |
# | --- | --- | --- |
# | position encoding | 位置编码 | tells attention the order |
# | query, key, value | 查询，键，值 | asks, is asked, is given |
# | sample | 样本，采样 | one draw; to draw |
# | softmax | softmax 函数 | real numbers into shares |
# | standard deviation, variance | 标准差，方差 | typical distance from the mean; its square |
# | tensor | 张量 | array with shape and dtype |
# | token | 词元 | one symbol of a text |
# | Transformer | Transformer 模型 | network built on attention |
# | variational autoencoder, VAE | 变分自编码器 | learns what is never seen |

# %% [markdown]
# ## What stays
#
# - A generative model is a distribution fitted to examples; right averages do not make right points (*of one Gaussian's points, about half do*).
# - Autograd finds gradients, and adds them up until you clear them (*a second backward() without clearing gives the sum*).
# - Training is loss, backward, update, clear, again (*the loss falls by more than half a nat*).
# - A training loss far below the truth's own is learning by heart; ask held-out points (*64 components bring the training loss below the truth's*).
# - After the same steps more data helped where a larger model did not, and units matter (*five times the data: within 0.1 nats of the truth*).

# %% tags=["nbval-ignore-output"]
progress("00_start_here")

# %% [markdown]
# **Open questions.** How would you draw from a density that you can only score? How sure is a mean over 2,000 points? In a
# picture of a million numbers, how many bells would it take?
#
# **References.** Bishop 2006, *Pattern Recognition and Machine Learning*: section 9.2 on mixtures of Gaussians. Baydin et al.
# 2018, *Automatic differentiation in machine learning: a survey*: section 3 for what `backward()` does. Theis, van den
# Oord and Bethge 2016, *A note on the evaluation of generative models*: section 3, likelihood against looks.
