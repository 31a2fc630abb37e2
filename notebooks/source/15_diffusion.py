# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 · Diffusion
#
# **How does noise become a digit?**
#
# Each column below began as noise, was asked for one class, and went from top to bottom in fifty small steps. One network made them all. It was trained by a mean square alone, without an opponent as in chapter 11 and without a bound as in chapter 07. This chapter derives what such a network learns, checks it where the truth is known, and then breaks it.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch15_diffusion import figures as pictures
from course_lib.classroom.figures import show
from course_lib.pretrained.unets import load_unet
from course_lib.training.runtime import runtime

device = runtime().device
shipped = load_unet("digits").to(device)
ten = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(1)).to(device)
show(pictures.opening(shipped, ten, torch.arange(10, device=device)),
     alt="Ten noises, one a column, at six times: at 0 noise, at 0.2 and 0.4 grey shadows in noise, from "
         "0.6 on the digits 0 to 9, at 1 without noise.")

# %% [markdown]
# Afterwards you can
#
# - write the training step of a diffusion model, and say what its best answer is;
# - turn a prediction of data, noise, score or velocity into the other three, and follow it by several samplers;
# - name a fault from its samples, and say what guidance trades.
#
# **Needs** chapters 03, 07 and 11. **Time** 45 minutes to read and run, 45 for the exercises; the cells take about 45 s on two CPU cores. The optional chapter 15b goes on from here.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | data: a number, a point, an image | (batch, …) |
# | $\epsilon$ | noise, a draw from the standard normal | as $x$ |
# | $t$ | time: noise at 0, data at 1 | (batch,) |
# | $\sigma$ | share of the noise at time $t$; $\alpha$ is that of the data | |
# | $\hat x, v, s$ | best guess of the data; velocity; score | as $x$ |
# | $w_k, \mu_k, \sigma_k$ | share, centre, width of a bell | (K,) |
# | $p$ | a density; $p_t$ is that of $x_t$ | |

# %% tags=["nbval-ignore-output"]
import copy
import itertools
from functools import partial

from torch import nn
from torch.nn import functional as F

from course_lib.attention.positions import sinusoidal
from course_lib.chapters.ch15_diffusion import patients
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.images import load_digits
from course_lib.diffusion import paths
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import COSINE, PREDICTIONS, STRAIGHT, convert
from course_lib.diffusion.samplers import even_times, fresh_noise, heun
from course_lib.evaluation.comparisons import paired_difference
from course_lib.training.fit import fit
from course_lib.training.trained import Trained
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
device, f64 = run.device, torch.float64

# %% [markdown]
# ## 1 · A path from noise to data
#
# Mix data with noise, in shares that depend on a time $t$:
#
# $$x_t = \alpha(t)\,x + \sigma(t)\,\epsilon, \qquad \alpha(0) = \sigma(1) = 0, \quad \sigma(0) = \alpha(1) = 1 . \tag{15.1}$$
#
# On the **straight** path $\alpha = t$ and $\sigma = 1 - t$; on the **cosine** path $\alpha = \sin\tfrac{\pi}{2}t$ and $\sigma = \cos\tfrac{\pi}{2}t$, so that $\alpha^2 + \sigma^2 = 1$. **In this course $t$ runs from noise to data**, as in papers on flow matching. Papers on diffusion count from data at 0 to noise at 1, or at step 1,000.
#
# Those papers begin with a thousand small noisings: shrink a little, add a little noise. Nobody has to walk them. Shares multiply and the variances of independent noises add, so the whole walk is one step (15.1).
#
# Until section 5 our data are *numbers* from two bells. Then $x_t$ has two bells as well, with centres $\alpha\mu_k$ and variances $\alpha^2\sigma_k^2 + \sigma^2$, and we know how often it lies below any number.

# %%
numbers = lambda *values: torch.tensor(values, dtype=f64)
bells = Mixture(numbers(0.35, 0.65), numbers(-1.5, 1.0)[:, None], numbers(0.3, 0.45))


def share_below(x, t, path=STRAIGHT):
    """Return how often x_t is below x, for the two bells; x and t (n,)."""
    c = path.at(t[:, None])
    width = (c.alpha**2 * bells.widths**2 + c.sigma**2).sqrt()  # (n, 2)
    return torch.special.ndtr((x[:, None] - c.alpha * bells.centres[:, 0]) / width) @ bells.weights


def farthest(x, t, path=STRAIGHT):
    """Return the largest gap between the shares below x, counted in a sample (n,), and those due at t."""
    counted = (torch.arange(len(x), dtype=f64) + 0.5) / len(x)
    return (share_below(x.sort().values, torch.full_like(x, t), path) - counted).abs().max()

# %%
generator = torch.Generator().manual_seed(0)
draw_noise = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)
levels = COSINE.at(torch.linspace(1, 0.2, 101, dtype=f64))  # from data to t = 0.2 in 100 steps
walked = bells.sample(20_000, generator)[:, 0]
share, variance = 1.0, 0.0
for i in range(100):
    kept = levels.alpha[i + 1] / levels.alpha[i]
    added = levels.sigma[i + 1] ** 2 - (kept * levels.sigma[i]) ** 2  # a variance
    walked = kept * walked + added.sqrt() * draw_noise(20_000)
    share, variance = kept * share, kept**2 * variance + added
claim("after a hundred noisings the data's share is α and the noise's variance σ²",
      abs(share - levels.alpha[-1]) < 1e-12 and abs(variance - levels.sigma[-1] ** 2) < 1e-12)
by_chance = 1.95 / 20_000**0.5  # a gap that chance exceeds once in a thousand samples
claim("20,000 numbers that walked are spread like those of one step, as far as chance lets one see",
      farthest(walked, 0.2, COSINE) < by_chance, gap=farthest(walked, 0.2, COSINE), chance=by_chance)

# %% [markdown]
# ### Exercise: place and velocity
# *difficulty 2/5 · importance 5/5 · 8 minutes*
#
# A network will see $x_t$, and is to say with which velocity $x_t$ moves on the path of this $x$ and this $\epsilon$.

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.noised_pair")
def noised_pair(x, eps, t, path):
    """Return (x_t, target): the place at time t, and its derivative by t; shapes as x.

    x, eps (batch, ...); t (batch,): each row has its own time. path.at(times) returns α, σ and their
    derivatives α', σ', in the shape of times.
    Worked value: the straight path, x = 3, eps = 1, t = 0.25 give x_t = 1.5, target = 2.
    """
    # two tensors like x, for numbers, points and images, on any path
    ...

# %%
x, eps = bells.sample(1000, generator), draw_noise(1000, 1)
t = torch.rand(1000, dtype=f64, generator=generator) * 0.9 + 0.05
by_differences = []
for path in (STRAIGHT, COSINE):
    ahead, behind = (noised_pair(x, eps, t + step, path)[0] for step in (1e-6, -1e-6))
    by_differences.append((ahead - behind) / 2e-6 - noised_pair(x, eps, t, path)[1])
claim("the target is how fast x_t moves, found by differences, on two paths",
      max(gap.abs().max() for gap in by_differences) < 1e-6)

# %% [markdown]
# ## 2 · One prediction in four coordinates
#
# Many pairs of data and noise lead through the same $x_t$. What is the best guess of $x$ there? In the mean square it is the mean of all $x$ that could be meant, $\hat x = \mathrm{E}[x \mid x_t]$. Take such a mean of equation (15.1): $x_t$ is known, so that $x_t = \alpha\hat x + \sigma\hat\epsilon$. The mean of the velocities follows:
#
# $$v(x_t, t) = \alpha'\hat x + \sigma'\hat\epsilon . \tag{15.2}$$
#
# The fourth is the **score** $s = \nabla \ln p_t(x_t)$: where does the density rise? For one known $x$, $x_t$ is a bell around $\alpha x$, and $\nabla\ln p(x_t \mid x) = -(x_t - \alpha x)/\sigma^2 = -\epsilon/\sigma$. Now $p_t$ is the mean of these bells over all $x$, so its relative slope is the mean of theirs, weighted by how likely each $x$ is at $x_t$:
#
# $$s(x_t, t) = -\,\hat\epsilon/\sigma . \tag{15.3}$$
#
# We try both, by adding up over all $x$, and by autograd.

# %%
places = torch.linspace(-3, 3, 61, dtype=f64)[:, None].requires_grad_()
half = torch.full((61,), 0.5, dtype=f64)
candidates = torch.linspace(-5, 5, 2001, dtype=f64)
likely = log_density(bells, candidates[:, None], torch.ones(2001, dtype=f64), STRAIGHT).exp()
explains = (-((places - 0.5 * candidates) ** 2) / (2 * 0.5**2)).exp()  # (61, 2001), up to a factor
weights = likely * explains
added_up = (weights @ candidates) / weights.sum(1)
known = exact(bells, places, half, STRAIGHT)
claim("the best guess of x at 61 places is the mean of all x, weighted by how well each explains x_t",
      (known["data"][:, 0] - added_up).abs().max() < 1e-9)
slope, = torch.autograd.grad(log_density(bells, places, half, STRAIGHT).sum(), places)
claim("the slope of ln p_t is minus the guess of the noise over σ",
      (slope + known["noise"] / 0.5).abs().max() < 1e-10)

# %% tags=["hide-input"]
show(pictures.coordinates(bells),
     alt="Best guesses of data, noise, score and velocity against x_t at t = 0.5, above the density of "
         "two bells that have half run together: the guess of the data goes from one bell to the other.")

# %% [markdown]
# ### Exercise: what a velocity implies
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# A network predicts the velocity. Which data and which noise does it believe in?

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.data_and_noise")
def data_and_noise(velocity, x_t, t, path):
    """Return (data, noise), the guesses that a velocity at x_t implies; shapes as x_t.

    velocity, x_t (batch, ...); t (batch,), 0 and 1 included. path.at(times) returns α, σ, α', σ'.
    Worked value: the straight path, x_t = 1.5, velocity = 2, t = 0.25 give data 3, noise 1.
    """
    # two tensors like x_t, on any path, finite at both of its ends
    ...

# %%
both_paths, off = (STRAIGHT, COSINE), []
for path, given, wanted in itertools.product(both_paths, PREDICTIONS, PREDICTIONS):
    due = exact(bells, places, half, path)
    off.append((convert(due[given], places, half, path, given, wanted) - due[wanted]).abs().max())
claim("each of the four gives the other three, on two paths: 32 conversions", max(off) < 1e-9)
found = [data_and_noise(exact(bells, places, half, path)["velocity"], places, half, path)
         for path in both_paths]
claim("your guesses from the velocity are the exact ones, on both",
      all(torch.allclose(guesses[i], exact(bells, places, half, path)[name], atol=1e-9)
          for path, guesses in zip(both_paths, found, strict=True) for i, name in enumerate(("data", "noise"))))

# %% [markdown]
# **Two theories, one loss.** Diffusion models were first trained to guess the noise (Ho et al. 2020), flow matching guesses the velocity. With $x_t$ known both say the same, and only the ruler differs. On straight paths $x_t + (1-t)\,v = \hat x$, so that an error in the data is $1 - t$ times the error in the velocity; $x_t - t\,v = \hat\epsilon$, so that an error in the noise is $-t$ times it.
#
# **Guess:** two networks make the same guess at $t = 0.9$. One is charged for the square of its error in the data, the other for that in the velocity. How many times as much does the other pay?

# %% tags=["nbval-ignore-output"]
guess("loss_ratio", ...)

# %%
late = torch.full((61,), 0.9, dtype=f64)
due = exact(bells, places, late, STRAIGHT)
wrong = due["data"] + draw_noise(61, 1)  # any guess that is not the best
in_words = {name: convert(wrong, places, late, STRAIGHT, "data", name) - due[name]
            for name in ("data", "noise", "velocity")}
ratio = (in_words["velocity"] / in_words["data"]) ** 2
claim("at t = 0.9 the squared error in velocity is 1/(1 − t)² = 100 times that in data",
      (ratio - 100).abs().max() < 1e-6, guessed="loss_ratio", ratio=ratio.mean())
claim("and 1/t² = 1.23 times that in noise",
      ((in_words["velocity"] / in_words["noise"]) ** 2 - 1 / 0.81).abs().max() < 1e-6)

# %% [markdown]
# So each of these losses is each other one with weights on the times. Which weights are wise is another question; section 7 tries some.
#
# ## 3 · Why a regression learns it
#
# Training cannot use $v$: nobody knows it for digits. It uses the velocity $u = \alpha' x + \sigma'\epsilon$ of *one* pair, of which many pass through the same place. Why is that enough? Let the network say $f$ there, and write $f - u = (f - v) + (v - u)$.
#
# 1. Squared, this has three terms: $\lVert f - v\rVert^2$, $\lVert v - u\rVert^2$ and $2\,(f - v)\cdot(v - u)$.
# 2. At a given $x_t$ the first factor of the last one is fixed, and the mean of the second is $0$, for $v$ is the mean of $u$.
# 3. What is left of it nothing in the network can change:
#
# $$\mathrm{E}\,\lVert f - u\rVert^2 = \mathrm{E}\,\lVert f - v\rVert^2 + \mathrm{E}\,\lVert v - u\rVert^2 . \tag{15.4}$$
#
# The left side is the **conditional** loss, which we can compute, and the first term on the right the **marginal** one, which we want. They differ by a constant, and so have the same gradient (Lipman et al. 2023, theorem 2). Five numbers as data make every mean a sum:

# %%
five = numbers(-2.0, -1.2, 0.3, 0.9, 1.6)
grid = torch.linspace(-8, 8, 801, dtype=f64)  # noise
chance = (-(grid**2) / 2).exp() / (2 * torch.pi) ** 0.5 * 0.02 / 5 / 9  # of a noise, a number, a time
at = torch.linspace(0.1, 0.9, 9, dtype=f64)[:, None, None]
place = at * five[:, None] + (1 - at) * grid  # (9 times, 5 numbers, 801 noises)
u = five[:, None] - grid
to_each = (five - place[..., None]) / (1 - at[..., None])  # velocity if that number is meant
whose = (-((place[..., None] - at[..., None] * five) / (1 - at[..., None])) ** 2 / 2).softmax(-1)
v = (whose * to_each).sum(-1)


def two_losses(network):
    """Return the conditional and the marginal loss, exactly."""
    f = network(torch.stack([place, at.expand_as(place)], dim=-1))[..., 0]
    return (chance * (f - u) ** 2).sum(), (chance * (f - v) ** 2).sum()

# %%
def gradient(network, which):
    """Return the gradient of the conditional (0) or the marginal loss (1) by all weights."""
    parts = torch.autograd.grad(two_losses(network)[which], network.parameters())
    return torch.cat([part.flatten() for part in parts])


networks = []
for seed in (1, 2):
    torch.manual_seed(seed)
    networks.append(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).to(f64))
gaps = [(conditional - marginal).item() for conditional, marginal in map(two_losses, networks)]
claim("both losses have the same gradient, for two networks",
      all((gradient(network, 0) - gradient(network, 1)).abs().max() < 1e-10 for network in networks))
claim("both networks' losses differ by the same constant, which is above 1",
      abs(gaps[0] - gaps[1]) < 1e-10 and gaps[0] > 1, constant=gaps[0])

# %% [markdown]
# ## 4 · The flow
#
# With $v$ one can go. Let a particle start at noise and follow $dx/dt = v(x, t)$. Where does a crowd of them end?
#
# Through a place $x$ pass the paths of many pairs, and each moves with its own $u$. What they carry through $x$ in a unit of time is the density times their *mean* velocity, $p_t v$. Nothing is made and nothing lost, so the density changes by what flows in and does not flow out:
#
# $$\frac{\partial p_t}{\partial t} = -\frac{\partial}{\partial x}\,(p_t\, v) . \tag{15.5}$$
#
# A crowd that follows $v$ obeys the same equation. If it starts as noise, it is spread like $p_t$ at every $t$, and like the data at the end. On a line no particle overtakes another, so each ends with as many below it as it began with.

# %%
velocity = lambda x, t: exact(bells, x, t, STRAIGHT)["velocity"]
x_, t_ = torch.cartesian_prod(torch.linspace(-3, 3, 25, dtype=f64), torch.linspace(0.05, 0.95, 10, dtype=f64)).T
x_.requires_grad_(), t_.requires_grad_()
density = log_density(bells, x_[:, None], t_, STRAIGHT).exp()
by_time, = torch.autograd.grad(density.sum(), t_, retain_graph=True)
by_place, = torch.autograd.grad((density * velocity(x_[:, None], t_)[:, 0]).sum(), x_)
claim("equation (15.5) holds at 250 places and times", (by_time + by_place).abs().max() < 1e-10)
below = torch.linspace(0.005, 0.995, 199, dtype=f64)
starts = torch.special.ndtri(below)[:, None]  # as many of the noise lie below each
ends = heun(velocity, starts, even_times(400, dtype=f64))
claim("199 particles that follow the flow end with as many below them as at the start",
      (share_below(ends[:, 0], torch.ones(199, dtype=f64)) - below).abs().max() < 1e-4)

# %% [markdown]
# **Are the paths straight?** Each pair's is: $u = x - \epsilon$ does not depend on $t$. If the flow's were straight too, one step would do. **Guess:** a particle starts at noise 1.3, and takes a single step of Euler's method, $x + 1\cdot v(x, 0)$. Where does it land? The explorer asks the same in the plane, for three clusters.

# %% tags=["nbval-ignore-output"]
guess("one_step", ...)

# %% tags=["hide-input"]
alt = ("Explorer of the flow: forty particles at t = 0.6 on their way from noise to three clusters, with the "
       "field as arrows, and all their paths in eight steps of Euler's method, one of them followed.")
try:
    from course_lib.chapters.ch15_diffusion.explorer import FlowExplorer

    flowing = FlowExplorer(alt=alt)
except ImportError:  # run as a script where there are no widgets
    flowing = alt
flowing

# %%
landed = starts + velocity(starts, torch.zeros(199, dtype=f64))
mean = (bells.weights @ bells.centres).item()
claim("one step lands at the mean of the data, 0.125, from every start", (landed - mean).abs().max() < 1e-12,
      guessed="one_step", landed=landed[0])
one = numbers(1.3)[:, None]
way = [one]
for now, then in itertools.pairwise(even_times(400, dtype=f64)):
    way.append(way[-1] + (then - now) * velocity(way[-1], now.expand(1)))
way = torch.cat(way)[:, 0]
claim("the particle that starts at 1.3 first goes left, to below 1.1, and ends to the right of its start",
      way.min() < 1.1 and way[-1] > 1.3, leftmost=way.min(), end=way[-1])

# %% tags=["hide-input"]
show(pictures.ways(bells),
     alt="Density of x_t from noise at 0 to two bells at 1, twice. Left, straight lines of forty pairs, which "
         "cross. Right, the flow's paths from twenty starts, which bend, part into two bundles, never cross.")

# %% [markdown]
# At $t = 0$ the place says nothing of the data, so $\hat x$ is their mean, and the mean points between the bells, where hardly any data are. Flow matching makes straight *conditional* paths; the flow bends wherever they cross.
#
# ### Exercise: a step that looks ahead
# *difficulty 2/5 · importance 4/5 · 8 minutes*
#
# So one takes many steps. **Euler** follows the velocity at the step's start. **Heun** looks where that leads, asks for the velocity there, and then follows the mean of both from the start.

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.heun_step")
def heun_step(velocity, x, now, then):
    """Return where x is at the time then, by the mean of the velocities at both ends of the step.

    velocity(x, times) with x (batch, ...) and times (batch,); now, then: tensors of a single number.
    Worked value: velocity x + t, x = 1, from 0 to 1: velocities 1 and 3, so 3.
    """
    # a tensor like x; two evaluations of the velocity; then may lie before now
    ...

# %%
def euler_step(velocity, x, now, then):
    return x + (then - now) * velocity(x, now.expand(len(x)))


def error(step, n):
    """Follow the flow in n steps; return how far the particles are from their ends, on average."""
    x = starts
    for now, then in itertools.pairwise(even_times(n, dtype=f64)):
        x = step(velocity, x, now, then)
    return (x - ends).abs().mean().item()


euler_errors, heun_errors = ([error(step, n) for n in (20, 40, 80)] for step in (euler_step, heun_step))
claim("twice as many steps halve Euler's error, and quarter Heun's",
      all(1.7 < a / b < 2.3 for a, b in itertools.pairwise(euler_errors))
      and all(3.4 < a / b < 4.6 for a, b in itertools.pairwise(heun_errors)), heun=heun_errors)
claim("Euler's 40 evaluations leave more than five times the error of Heun's 40, in 20 steps",
      euler_errors[1] > 5 * heun_errors[0], euler=euler_errors[1], heun=heun_errors[0])

# %% [markdown]
# **With fresh noise.** There is another way to go, the first that was found. Guess data and noise at $x_t$, and mix them again with the shares of the *next* time; this is **DDIM** (Song, Meng and Ermon 2021). In place of a part of the guessed noise one may take new noise. With as much as Bayes' rule gives for a noising undone, it is the **reverse process** of Ho et al. 2020: paths jitter, yet at each time the crowd is spread like $p_t$.

# %%
def remixed(x, now, then, eta):
    """Take one step; eta: share of the reverse process's fresh noise."""
    told = exact(bells, x, now.expand(len(x)), STRAIGHT)
    to, fresh = STRAIGHT.at(then), eta * fresh_noise(now, then, STRAIGHT)
    kept = (to.sigma**2 - fresh**2).clamp(min=0).sqrt()  # variances add up to σ²
    return to.alpha * told["data"] + kept * told["noise"] + fresh * draw_noise(*x.shape)


crowd, gap = {eta: draw_noise(20_000, 1) for eta in (0, 1)}, {}
for now, then in itertools.pairwise(even_times(200, dtype=f64)):
    for eta in crowd:
        crowd[eta] = remixed(crowd[eta], now, then, eta)
        gap[eta, round(then.item(), 3)] = farthest(crowd[eta][:, 0], then.item())
claim("with and without fresh noise the crowd is spread like p_t at 0.25, 0.5, 0.75 and 1, as far as "
      "chance lets one see, give or take 0.005 for 200 steps",
      all(gap[eta, t] < by_chance + 0.005 for eta in crowd for t in (0.25, 0.5, 0.75, 1.0)), at_the_end=gap[1, 1.0])
now, then = numbers(0.3), numbers(0.35)
claim("on straight paths DDIM without fresh noise is Euler's step",
      torch.allclose(remixed(starts, now[0], then[0], 0), euler_step(velocity, starts, now[0], then[0]), atol=1e-12))

# %% [markdown]
# ## 5 · A field that is learnt
#
# Now a network instead of the truth: the three clusters of the explorer, points in the plane, and a perceptron that sees $x_t$ and $t$. The training step is four lines: draw, mix, predict, square. By equation (15.4) the loss it reports cannot fall below $\mathrm{E}\,\lVert v - u\rVert^2$. A network that always answers 0 has the loss 2.9. **Guess** that of the perfect one.

# %% tags=["nbval-ignore-output"]
guess("perfect_loss", ...)

# %%
class Field(nn.Module):
    """A velocity in the plane: x_t (batch, 2) and t (batch,) to (batch, 2)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x_t, t):
        return self.layers(torch.cat([x_t, t[:, None]], dim=1))


clusters = Mixture(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([[0.4, 1.8], [-1.8, -0.6], [1.7, -1.2]]),
                   torch.full((3,), 0.3))


def draw(generator, n=512):
    """Draw data, noise and times, on the device."""
    drawn = clusters.sample(n, generator), torch.randn(n, 2, generator=generator), torch.rand(n, generator=generator)
    return tuple(each.to(device) for each in drawn)


def training_step(model, optimizer):
    def step(drawn):
        x, eps, t = drawn
        x_t, target = paths.noised_pair(x, eps, t, STRAIGHT)  # the library's: this is done 2,000 times
        loss = (model(x_t, t) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss}

    return step

# %% tags=["nbval-ignore-output"]
field = Field().to(device)
adam = torch.optim.Adam(field.parameters(), 3e-3, fused=True)
plane = Trained({"field": field}, {"adam": adam}, torch.Generator().manual_seed(0))
fit(training_step(field, adam), draw, 2000, plane, every=100, schedule=lambda share: 1 - share, unit=("pair", 512))

# %%
x, eps, t = (each.cpu().double() for each in draw(torch.Generator().manual_seed(1), 50_000))
x_t, target = noised_pair(x, eps, t, STRAIGHT)
in_double = Mixture(*(each.double() for each in (clusters.weights, clusters.centres, clusters.widths)))
truth = exact(in_double, x_t, t, STRAIGHT)["velocity"]
with torch.no_grad():
    learnt = field(x_t.float().to(device), t.float().to(device)).cpu().double()
square = lambda a, b: (a - b).square().mean(1)  # (50000,)
loss, best, away = square(learnt, target), square(truth, target), square(learnt, truth)
of_zero = square(0, target).mean()
claim("the perfect network's loss is more than half of the 2.9 of the one that answers 0",
      2.8 < of_zero < 3 and 0.5 < best.mean() / of_zero < 0.65, guessed="perfect_loss", loss=best.mean())
surplus = loss - best - away
claim("what the trained loss has above it is the field's distance from the truth, within 5 standard errors",
      abs(surplus.mean()) < 5 * surplus.std() / 50_000**0.5, above=(loss - best).mean(), away=away.mean())
claim("which is less than a tenth of the truth's mean square", away.mean() < square(truth, 0).mean() / 10,
      truth=square(truth, 0).mean())

# %% tags=["hide-input"]
show(pictures.learnt_field(field, clusters, device),
     alt="Arrows of the learnt velocity over those of the exact one at t = 0.3 and 0.7: where the particles "
         "are they lie on each other. Right, the ends of 400 particles that followed the learnt field.")

# %% [markdown]
# A loss of 1.6 is nearly perfect here. So the loss of a diffusion model is read against others of its kind, and its samples are judged by other means.
#
# ## 6 · Digits
#
# For images only the network changes. Ours is a small **U-Net** (Ronneberger et al. 2015). Pixels are folded first: each square of 2 × 2 becomes four channels, which leaves 14 × 14 places. From there it goes down into a valley of 7 × 7 places, where one convolution sees much of the digit, and up again. What stood at the rim is carried across, so that no detail is lost.

# %% tags=["hide-input"]
show(pictures.valley(),
     alt="The U-Net drawn: 28 by 28 pixels fold to 14 by 14 places with 32 channels, go down to 7 by 7 with 64 "
         "and up again, while the rim is carried across; time and class reach every block.")

# %% [markdown]
# **It is told the time** by the sines and cosines of chapter 03. Those were made for positions 0, 1, 2, …, and our times lie between 0 and 1, so they are stretched to 0 … 1,000. And **each block is told** time and class: a gain and a shift for each channel, behind a *group norm*, which gives each eighth of the channels mean 0 and variance 1 in every image. A block adds to what comes in, and what it adds starts at 0.

# %%
clock = torch.linspace(0, 1, 101)
moving = {scale: int((sinusoidal(scale * clock, 64).std(0) > 0.1).sum()) for scale in (1, 1000)}
claim("fed 0 … 1, fewer than 15 of 64 features move with the time; fed 0 … 1,000, more than 45",
      moving[1] < 15 and moving[1000] > 45)


class Block(nn.Module):
    """x + f(x, what): twice group norm, SiLU and convolution; what scales and shifts between."""

    def __init__(self, channels, width):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1))
        self.norm, self.told = nn.GroupNorm(8, channels), nn.Linear(width, 2 * channels)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x, what):
        gain, shift = self.told(what)[:, :, None, None].chunk(2, dim=1)  # (batch, channels, 1, 1) each
        h = self.norm(self.first(x)) * (1 + gain) + shift
        return x + self.last(F.silu(h))

# %%
def through_the_valley(net, x_t, what):
    """Return the prediction of the library's UNet, written out."""
    x = net.enter(F.pixel_unshuffle(x_t, 2))  # (batch, 1, 28, 28) to (batch, 4, 14, 14) to (batch, 32, 14, 14)
    for block in net.before:
        x = block(x, what)
    rim = x
    x = net.down(rim)  # (batch, 64, 7, 7)
    for block in net.below:
        x = block(x, what)
    x = torch.cat([net.up(F.interpolate(x, scale_factor=2)), rim], dim=1)  # (batch, 64, 14, 14)
    for block in net.after:
        x = block(x, what)
    return F.pixel_shuffle(net.leave(x), 2)

# %%
net = copy.deepcopy(shipped).to(run.float64_device, f64)
images = torch.randn(5, 1, 28, 28, dtype=f64).to(run.float64_device)
clock, classes = (torch.arange(5, **kind).to(run.float64_device) for kind in ({"dtype": f64}, {}))
what = F.silu(net.time(clock / 5) + net.classes(classes))
with torch.no_grad():
    by_hand, theirs = through_the_valley(net, images, what), net(images, clock / 5, classes)
    rim = torch.randn(5, 64, 7, 7, dtype=f64).to(run.float64_device)
    own = Block(64, 128).to(run.float64_device, f64)
    untrained = (own(rim, what) - rim).abs().max()
    own.load_state_dict(net.below[0].state_dict())
    as_theirs = (own(rim, what) - net.below[0](rim, what)).abs().max()
claim("written out it is the library's UNet, in float64", (by_hand - theirs).abs().max() < 1e-9)
claim("a new block changes nothing; with the library's weights it is the library's block",
      untrained == 0 and as_theirs < 1e-9)

# %% [markdown]
# **The training** is section 5's, with three additions. Times are drawn as $\sigma(u)$ with normal $u$, most of them in the middle. One image in ten has its class replaced by an eleventh, which means ‘any’. And beside the network runs its moving average, as in chapter 11; the average makes the samples. The record holds five runs of 90 s on two cores; we take the first steps of a sixth.

# %%
from course_lib.diffusion.step import Pairs, draw_pairs, flow_step
from course_lib.diffusion.unet import UNet
from course_lib.gan.dcgan import to_images
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays

pair = Pairs(*draw(torch.Generator().manual_seed(2), 64))
twins = [copy.deepcopy(field) for _ in range(2)]
of_each = [make(twin, torch.optim.SGD(twin.parameters(), 0.1))
           for make, twin in zip((training_step, flow_step), twins, strict=True)]
losses = [of_each[0](pair[:3])["loss"].item(), of_each[1](pair)["loss"].item()]
claim("the library's flow_step is section 5's: the same loss, and the same weights after it",
      abs(losses[0] - losses[1]) < 1e-5
      and all((a - b).abs().max() < 1e-5 for a, b in zip(*(twin.parameters() for twin in twins), strict=True)))

# %% tags=["nbval-ignore-output"]
record = recorded("diffusion_digits")
digits, low = load_digits(), bfloat16_pays(device)
torch.manual_seed(5)  # the record has 0 to 4
unet = UNet(n_classes=10, **run.pick(quick={}, full={"channels": 96, "depth": 2})).to(device)
average = moving_average(unet, run.pick(quick=0.98, full=0.999))
adam = torch.optim.AdamW(unet.parameters(), 2e-3, (0.9, 0.99), weight_decay=0.01, fused=True)
trained = Trained({"unet": unet, "average": average}, {"adam": adam}, torch.Generator().manual_seed(5))
steps = run.pick(quick=record.values["steps"], full=20_000)
run.expect("a U-Net of ten times as many weights, 20,000 steps of 64 digits", minutes=10)
history = fit(flow_step(unet, adam, average=average, bfloat16=low),
              draw_pairs(to_images(digits.train).to(device), 64, digits.train_labels), steps, trained,
              until=run.pick(quick=300, full=None), every=50, unit=("image", 64),
              schedule=partial(warmup_then_linear, warmup=0.03, decay=0.6))

# %%
curve = history.curve("loss")
first, latest = curve.values[0], curve.values[run.pick(quick=5, full=-1)]
claim("the loss of steps 251 to 300 is less than a third of that of steps 1 to 50", latest < first / 3,
      loss=latest, first=first)

# %% tags=["hide-input"]
show(pictures.first_steps(curve, record, average, ten),
     alt="Left, the loss against steps, of this run over the first three hundred and of five recorded runs to "
         "the end: a steep fall, then ever slower. Right, digits of this run, crooked but readable.")

# %% [markdown]
# ## 7 · Sampling, and what it trades
#
# From here on we use the shipped network, the first of the recorded ones. The distance is chapter 11's, with the same classifier and the same test digits. How many **evaluations** of the network does a sample need? In the record each sampler made 2,000 digits with each of five networks.

# %%
of = lambda *arm, key="frechet_distance": torch.tensor(record.arm(*arm).each(key), dtype=f64)
by = {name: torch.stack([of("samplers", f"{name} {n}") for n in (4, 8, 16, 32, 64)])
      for name in ("euler", "heun", "ddim", "fresh noise")}  # (5 evaluations, 5 seeds)
claim("Euler's and Heun's samples are nearer with 16 evaluations than with 4, in each of five seeds",
      all((by[name][2] < by[name][0]).all() for name in ("euler", "heun")), **by)
claim("with 4 evaluations fresh noise is farther than going without it, in each of five seeds",
      (by["fresh noise"][0] > by["ddim"][0]).all())

# %% tags=["hide-input"]
show(pictures.samplers(by),
     alt="Distance from real digits against evaluations of the network, 4 to 64, for Euler, Heun, DDIM and fresh "
         "noise, five seeds each: all fall, the flow's samplers sooner than fresh noise.")

# %% [markdown]
# ### Exercise: more than asked
# *difficulty 2/5 · importance 4/5 · 6 minutes*
#
# The network knows the velocity of the class asked for and that of any. Their difference is what the class changes: on the way it points to where, by Bayes' rule, $p(y \mid x_t)$ rises. **Guidance** (Ho and Salimans 2022) takes more of it, with a weight $w$: 0 asks nothing, 1 asks for the class, 2 asks for it twice over.

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.guided")
def guided(model, x_t, t, labels, any_class, weight):
    """Return the guided velocity; shape as x_t.

    model(x_t, t, labels) gives a velocity; x_t (batch, ...); t and labels (batch,).
    any_class: the number that, as a label, means any class. weight: 0 asks nothing, 1 for the class.
    Worked value: where the model says 2 for any and 5 for the class, weight 2 gives 8.
    """
    # a tensor like x_t, for any weight; the labels stay as they are
    ...

# %%
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.frechet import frechet_distance, real_floor
from course_lib.pretrained.classifiers import load_classifier

classifier = load_classifier("digits").to(device)
real = features_and_logits(classifier, to_images(digits.test).to(device))[0].cpu()
noises = torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(3)).to(device)
asked = digits.test_labels[:500].to(device)


@torch.no_grad()
def made(weight, steps):
    """Return features of 500 digits by Heun's method, and the share that show the class asked for."""
    velocity = lambda x, t: guided(shipped, x, t, asked, 10, weight)
    digits = heun(velocity, noises, even_times(steps, device)).clamp(-1, 1)
    features, logits = features_and_logits(classifier, digits)
    return features.cpu(), (logits.argmax(1) == asked).double().mean().item()


(plain, shown), (strong, shown_strong) = made(1.0, 4), made(4.0, 4)
floor = sum(real_floor(frechet_distance, real, 500, torch.Generator().manual_seed(4))) / 5
claim("500 digits by 8 evaluations are less than ten times as far from the test digits as 500 real from 500",
      frechet_distance(plain, real) < 10 * floor, distance=frechet_distance(plain, real), floor=floor)
claim("with weight 4 at least as many show their class, and they are farther away",
      shown_strong >= shown and frechet_distance(strong, real) > frechet_distance(plain, real),
      shown=(shown, shown_strong), distance=frechet_distance(strong, real))

# %% [markdown]
# What does it cost? By weight 4 a digit is what the classifier likes best, and the rare ways of writing it are gone. **Guess** the share of real digits that recorded samples of weight 4 cover; at weight 1 it is about that of the training digits (chapter 11: 0.93).

# %% tags=["nbval-ignore-output"]
guess("coverage", ...)

# %%
ladder = ("weight 0", "weight 1", "weight 1.5", "weight 2", "weight 4")
table = {key: torch.stack([of("classes", name, key=key) for name in ladder])
         for key in ("frechet_distance", "precision", "recall", "coverage", "accuracy")}  # (5 weights, 5 seeds)
for key, rows in table.items():
    print(f"{key}:", ", ".join(f"{name} {row.mean():.3f}" for name, row in zip(ladder, rows, strict=True)))
claim("weight 4 covers fewer real digits than weight 1, and recalls fewer, in each of five seeds",
      all((table[key][4] < table[key][1]).all() for key in ("coverage", "recall")),
      guessed="coverage", coverage=table["coverage"][4].mean())
claim("its share as asked is higher, and so is its precision, in each of five seeds",
      all((table[key][4] > table[key][1]).all() for key in ("accuracy", "precision")))
claim("its distance is more than twice that of weight 1", (table["frechet_distance"][4] > 2 * table["frechet_distance"][1]).all())

# %% tags=["hide-input"]
show(pictures.guidance(shipped, ten, table),
     alt="Left, one noise a column at weights 0, 1, 2 and 4: other digits at 0, then the ones asked for, ever "
         "bolder. Right, precision, recall and coverage against the weight: recall and coverage fall.")

# %% [markdown]
# ### Beside the GAN, and four faults
#
# Chapter 11's GAN learnt from the same 9,000 digits, and the same classifier measures it, at $n = 10{,}000$ too. The sizes of the networks and the time to train them differ. So does the price of a sample: one pass of a generator, against twenty here. And each fault below is one change in the diffusion model's training.

# %%
gan = recorded("gan_images")
of_gan = lambda *arm: torch.tensor(gan.arm("digits", *arm).each("frechet_distance"), dtype=f64)
verdict = {"GAN, no classes": of_gan("no classes, long"), "GAN, no classes, best": of_gan("both"),
           "diffusion, no classes": of("no classes"), "GAN, classes": of_gan("long"),
           "diffusion, weight 1": of("classes", "weight 1"), "diffusion, weight 1.5": of("classes", "weight 1.5")}
faults = {name: of("breaks", name) for name in ("no average", "times not stretched", "uniform times", "data loss")}
sound = of("classes", "weight 1")
cost = {name: paired_difference(found, sound) for name, found in faults.items()}
for name, found in verdict.items():
    print(f"{name}: {found.mean():.2f} ± {found.std() / 5**0.5:.2f}")
for name, (mean, error) in cost.items():
    print(f"{name}: farther by {mean:.2f} ± {error:.2f}")
claim("without classes the diffusion model is nearer than the GAN with the same steps, worst seed against best",
      verdict["diffusion, no classes"].max() < verdict["GAN, no classes"].min())
claim("times not stretched and no average cost more than three standard errors",
      all(cost[name][0] > 3 * cost[name][1] for name in ("times not stretched", "no average")))

# %% tags=["hide-input"]
show(pictures.verdict(verdict, sound, faults, of("floor")),
     alt="Distances from real digits, five seeds each, on a logarithmic axis. Left, GAN and diffusion model, "
         "without and with classes. Right, the sound training and four faults.")

# %% [markdown]
# ### Exercise: three patients
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# The shipped network is sound, and somebody's *sampling* is not. Each patient has one of six faults: `times_not_stretched` (the network's own factor 1,000 is missing), `time_reversed` (it is told $1 - t$), `noise_as_velocity` (its prediction is turned into noise, and a sampler takes that for the velocity), `one_step`, `line_run_twice` (the line that updates $x$ stands twice in the loop), `too_much_guidance`. Above each stands how far the pixels of the columns spread on the way.

# %% tags=["hide-input"]
show(pictures.sheets(patients.three(shipped, device)),
     alt="Three sheets of twenty samples and the spread of their pixels on the way. A: readable grey digits under "
         "noise, the spread falls to 0.4. B: blurred digits, of each class alike. C: noise alone, the spread grows.")

# %% tags=["nbval-ignore-output"]
answer("diffusion.symptom_1", ...)

# %% tags=["nbval-ignore-output"]
answer("diffusion.symptom_2", ...)

# %% tags=["nbval-ignore-output"]
answer("diffusion.symptom_3", ...)

# %%
found = patients.measured(shipped, device, to_images(digits.train).to(device), digits.train_labels)
claim("of six faults, one leaves between a quarter and a half of the noise in the image; sound samples keep less "
      "than a tenth", 0.25 < found["noise left"]["A"] < 0.5 and abs(found["noise left"]["sound"]) < 0.1, **found)

# %% tags=["hide-input"]
show(pictures.sheets(patients.others(shipped, device)),
     alt="Samples of the other three faults and the spread of their pixels on the way.")

# %% [markdown]
# ## What stays
#
# - One prediction has four coordinates: [*each of the four gives the other three*](#2-·-One-prediction-in-four-coordinates), and the losses differ by weights.
# - A regression on single pairs learns the mean: [*both losses have the same gradient*](#3-·-Why-a-regression-learns-it).

# %% tags=["nbval-ignore-output"]
progress("15_diffusion")

# %% [markdown]
# **Open questions.** TODO
#
# **References.** TODO
