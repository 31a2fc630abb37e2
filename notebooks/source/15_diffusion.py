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
# Each column below began as noise, was asked for one class, and went from top to bottom in fifty small steps. One network took them all. It was trained by a mean square alone: without an opponent as in chapter 11, without a bound as in chapter 07. We derive what such a network learns, check it where the truth is known, and then break it.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch15_diffusion import figures as pictures
from course_lib.chapters.ch15_diffusion import patients
from course_lib.chapters.ch15_diffusion.bells import BELLS, by_chance, farthest, share_below
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.pretrained.unets import load_unet
from course_lib.training.runtime import runtime

device = runtime().device
shipped = load_unet("digits").to(device)
ten = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(1)).to(device)
show(pictures.opening(shipped, ten, torch.arange(10, device=device)),
     alt="Ten noises, one a column, at six times: at 0 noise, at 0.2 and 0.4 grey shadows in noise, "
         "from 0.6 on the digits 0 to 9, at 1 without noise.")

# %% [markdown]
# Afterwards you can
#
# - write the training of a diffusion model, and say what its best answer is;
# - turn a prediction of data, noise, score or velocity into the other three, and sample with it;
# - name a fault from its samples, and say what guidance trades.
#
# **Needs** chapters 03, 07 and 11. **Time** 45 minutes to read and run, 40 for the exercises; the cells take about 40 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | data: a number, a point, an image | (batch, …) |
# | $\epsilon$ | noise, a draw from the standard normal | as $x$ |
# | $t$ | time: noise at 0, data at 1 | (batch,) |
# | $\sigma$ | share of the noise at $t$; $\alpha$ is the data's | |
# | $\hat x, v, s$ | best guess of the data; velocity; score | as $x$ |
# | $p$ | a density; $p_t$ is that of $x_t$ | |

# %% tags=["nbval-ignore-output"]
import itertools

from torch import nn
from torch.nn import functional as F

from course_lib.attention.positions import sinusoidal
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.diffusion import paths
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import COSINE, PREDICTIONS, STRAIGHT, convert
from course_lib.diffusion.samplers import even_times, fresh_noise, heun, heun_euler_last
from course_lib.evaluation.comparisons import paired_difference
from course_lib.gan.dcgan import to_images
from course_lib.training.runtime import start

run, f64 = start(seed=0, threads=1), torch.float64

# %% [markdown]
# ## 1 · A path from noise to data
#
# Mix data and noise, in shares that depend on a time $t$:
#
# $$x_t = \alpha(t)\,x + \sigma(t)\,\epsilon, \qquad \alpha(0) = \sigma(1) = 0, \quad \sigma(0) = \alpha(1) = 1 . \tag{15.1}$$
#
# On the **straight** path $\alpha = t$ and $\sigma = 1 - t$; on the **cosine** path $\alpha = \sin\tfrac{\pi}{2}t$ and $\sigma = \cos\tfrac{\pi}{2}t$. **Here $t$ runs from noise to data**, as in papers on flow matching. Papers on diffusion run from data at 0 to noise at 1, or at step 1,000.
#
# Those papers begin with a thousand small noisings: shrink a little, add a little noise. Nobody has to walk them. Shares multiply and variances of independent noises add, so that the walk is one step (15.1).
#
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
generator = torch.Generator().manual_seed(0)
draw_noise = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)
levels = COSINE.at(torch.linspace(1, 0.2, 101, dtype=f64))  # from data to t = 0.2 in 100 steps
share, variance = 1.0, 0.0
for i in range(100):
    kept = levels.alpha[i + 1] / levels.alpha[i]  # what a step leaves of what was there
    share, variance = kept * share, kept**2 * variance + 1 - kept**2  # the noise has the rest
claim("after a hundred noisings the data's share is α and the noise's variance σ²",
      abs(share - levels.alpha[-1]) < 1e-12 and abs(variance - levels.sigma[-1] ** 2) < 1e-12)
x, eps = BELLS.sample(200, generator), draw_noise(200, 1)  # x: numbers from two bells
t = torch.linspace(0.05, 0.95, 200, dtype=f64)
for path in (STRAIGHT, COSINE):
    ahead, behind = (noised_pair(x, eps, t + step, path)[0] for step in (1e-6, -1e-6))
    claim(f"the target is how fast x_t moves, by differences; path: {path.name}",
          ((ahead - behind) / 2e-6 - noised_pair(x, eps, t, path)[1]).abs().max() < 1e-6)

# %% [markdown]
# ## 2 · One prediction in four coordinates
#
# Many pairs of data and noise lead through one $x_t$. The best guess of $x$ there, in the mean square, is the mean of all $x$ that could be meant: $\hat x = \mathrm{E}[x \mid x_t]$. The same mean of equation (15.1) gives $x_t = \alpha\hat x + \sigma\hat\epsilon$, and that of the pairs' velocities
#
# $$v(x_t, t) = \alpha'\hat x + \sigma'\hat\epsilon . \tag{15.2}$$
#
# The fourth is the **score** $s = \nabla\ln p_t(x_t)$: where does the density rise? For one known $x$, $x_t$ is a bell around $\alpha x$, and $\nabla\ln p(x_t \mid x) = -(x_t - \alpha x)/\sigma^2 = -\epsilon/\sigma$. As $p_t$ is the mean of these bells over all $x$, its relative slope is the mean of theirs, each weighted by how likely its $x$ is at $x_t$:
#
# $$s(x_t, t) = -\hat\epsilon/\sigma . \tag{15.3}$$

# %%
places = torch.linspace(-3, 3, 61, dtype=f64)[:, None].requires_grad_()
early = torch.full((61,), 0.3, dtype=f64)
candidates = torch.linspace(-5, 5, 2001, dtype=f64)
likely = log_density(BELLS, candidates[:, None], torch.ones(2001, dtype=f64), STRAIGHT).exp()
explains = (-((places - 0.3 * candidates) ** 2) / (2 * 0.7**2)).exp()  # (61, 2001), up to a factor
added_up = (explains * likely) @ candidates / (explains * likely).sum(1)
known = exact(BELLS, places, early, STRAIGHT)  # in closed form
claim("the best guess of x, at 61 places, is the mean of all x weighted by how well each explains x_t",
      (known["data"][:, 0] - added_up).abs().max() < 1e-9)
slope, = torch.autograd.grad(log_density(BELLS, places, early, STRAIGHT).sum(), places)
claim("the slope of ln p_t is minus the guess of the noise over σ",
      (slope + known["noise"] / 0.7).abs().max() < 1e-10)

# %% [markdown]
# **Two theories, one loss.** Diffusion models became known by guessing the noise (Ho et al. 2020); flow matching guesses the velocity. With $x_t$ known both say the same, and only the ruler differs. On straight paths $\hat x = x_t + (1-t)\,v$, so an error in the data is $1 - t$ times the error in the velocity; and $\hat\epsilon = x_t - t\,v$, so an error in the noise is $-t$ times it. So the loss in data is that in velocity, weighted by $(1-t)^2$ at each time, and the loss in noise the same with $t^2$.
#
# ### Exercise: what a velocity implies
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# A network predicts the velocity on a path of either kind. Which data and which noise does it believe in?

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.data_and_noise")
def data_and_noise(velocity, x_t, t, path):
    """Return (data, noise), the guesses that a velocity at x_t implies; shapes as x_t.

    velocity, x_t (batch, ...); t (batch,), 0 and 1 included. path.at(times) returns α, σ, α', σ'.
    Worked value: the straight path, x_t = 1.5, velocity = 2, t = 0.25 give data 3, noise 1.
    """
    # two tensors like x_t, on the straight path and on the cosine's, finite at their ends
    ...

# %%
off = []
turns = itertools.permutations(PREDICTIONS, 2)
for path, (given, wanted) in itertools.product((STRAIGHT, COSINE), turns):
    due = exact(BELLS, places, early, path)
    off.append((convert(due[given], places, early, path, given, wanted) - due[wanted]).abs().max())
claim(f"each of the four gives the other three, on two paths: {len(off)} conversions", max(off) < 1e-9)
for path in (STRAIGHT, COSINE):
    due = exact(BELLS, places, early, path)
    data, noise = data_and_noise(due["velocity"], places, early, path)
    claim(f"so do data and noise from the velocity; path: {path.name}",
          max((data - due["data"]).abs().max(), (noise - due["noise"]).abs().max()) < 1e-8)
late = torch.full((61,), 0.9, dtype=f64)
right = exact(BELLS, places, late, STRAIGHT)
wrong = right["data"] + 1 + places**2  # any guess that is not the best
squared = {name: (convert(wrong, places, late, STRAIGHT, "data", name) - right[name]) ** 2
           for name in ("data", "noise", "velocity")}
claim("at t = 0.9 one guess costs 1/(1 − t)² = 100 times as much in velocity as in data, and 1/t² = "
      "1.23 times as much as in noise", (squared["velocity"] / squared["data"] - 100).abs().max() < 1e-6
      and (squared["velocity"] / squared["noise"] - 1 / 0.81).abs().max() < 1e-6)

# %% [markdown]
# ## 3 · Why a regression learns it
#
# Training cannot use $v$: nobody knows it for all digits. It uses the velocity $u = \alpha' x + \sigma'\epsilon$ of *one* pair, of which many pass through one place. Let the network say $f$, and write $f - u = (f - v) + (v - u)$.
#
# 1. Its square has three terms: $\lVert f - v\rVert^2$, $\lVert v - u\rVert^2$, $2\,(f - v)\cdot(v - u)$.
# 2. At a given $x_t$ and $t$, $f - v$ is fixed and $v - u$ has the mean 0, so the last term vanishes on average.
# 3. $\lVert v - u\rVert^2$ has no network in it.
#
# $$\mathrm{E}\,\lVert f - u\rVert^2 = \mathrm{E}\,\lVert f - v\rVert^2 + \mathrm{E}\,\lVert v - u\rVert^2 . \tag{15.4}$$
#
# The left side is the **conditional** loss, which we can compute, the first term on the right the **marginal** one, which we want. They have the same gradient (Lipman et al. 2023, theorem 2). With five numbers as data all means are sums:

# %%
five = torch.tensor([-2.0, -1.2, 0.3, 0.9, 1.6], dtype=f64)[:, None]  # (5 numbers, 1)
grid = torch.linspace(-8, 8, 801, dtype=f64)  # noise
chance = (-(grid**2) / 2).exp() / (2 * torch.pi) ** 0.5 * 0.02 / 5 / 9  # of a noise, a number, a time
at = torch.linspace(0.1, 0.9, 9, dtype=f64)[:, None, None]
place = at * five + (1 - at) * grid  # (9 times, 5 numbers, 801 noises)
u = five - grid
points = Mixture(torch.full((5,), 0.2, dtype=f64), five, torch.full((5,), 1e-9, dtype=f64))
every_t = at.expand_as(place).reshape(-1)
v = exact(points, place.reshape(-1, 1), every_t, STRAIGHT)["velocity"].view_as(place)


def two_losses(network):
    """Return the conditional and the marginal loss, exactly."""
    f = network(torch.stack([place, at.expand_as(place)], dim=-1))[..., 0]
    return (chance * (f - u) ** 2).sum(), (chance * (f - v) ** 2).sum()

# %%
def gradient(network, which):
    """Return the gradient of the conditional (0) or the marginal loss (1) by all weights."""
    parts = torch.autograd.grad(two_losses(network)[which], network.parameters())
    return torch.cat([part.flatten() for part in parts])


two = []
for seed in (1, 2):
    torch.manual_seed(seed)
    two.append(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).to(f64))
gaps = [(conditional - marginal).item() for conditional, marginal in map(two_losses, two)]
claim("both losses have the same gradient, for two networks",
      all((gradient(each, 0) - gradient(each, 1)).abs().max() < 1e-9 for each in two))
claim("both networks' losses differ by the same constant, which is above 1",
      abs(gaps[0] - gaps[1]) < 1e-9 and gaps[0] > 1, constant=gaps[0])

# %% [markdown]
# ## 4 · The flow
#
# With $v$ one can go. Let a particle start at noise and follow $dx/dt = v(x, t)$. Where does a crowd of them end?
#
# Through a place pass the paths of many pairs, each with its own $u$. What they carry through it in a unit of time is the density times their *mean* velocity, $p_t v$. Nothing is made and nothing lost, so the density changes by what flows in and does not flow out:
#
# $$\frac{\partial p_t}{\partial t} = -\frac{\partial}{\partial x}\,(p_t\, v) . \tag{15.5}$$
#
# A crowd that follows $v$ obeys the same equation. If it starts as noise, it is spread like $p_t$ at every $t$, and like the data at the end. On a line no particle overtakes another: each ends with as many below it as it began with.

# %%
velocity = lambda x, t: exact(BELLS, x, t, STRAIGHT)["velocity"]
spots, moments = torch.cartesian_prod(*(torch.linspace(*ends, 20, dtype=f64).requires_grad_()
                                        for ends in ((-3, 3), (0.05, 0.95)))).T
density = log_density(BELLS, spots[:, None], moments, STRAIGHT).exp()
by_time, = torch.autograd.grad(density.sum(), moments, retain_graph=True)
by_place, = torch.autograd.grad((density * velocity(spots[:, None], moments)[:, 0]).sum(), spots)
claim("equation (15.5) holds at 400 places and times", (by_time + by_place).abs().max() < 1e-10)
below = torch.linspace(0.005, 0.995, 199, dtype=f64)
starts = torch.special.ndtri(below)[:, None]  # so many of the noise lie below each
ends = heun(velocity, starts, even_times(400, dtype=f64))
claim("199 particles that follow the flow end with as many below them as at the start",
      (share_below(ends[:, 0], 1.0) - below).abs().max() < 1e-4)

# %% [markdown]
# **Are the paths straight?** Each pair's is: $u = x - \epsilon$ does not depend on $t$. If the flow's were, too, one step would do. **Guess:** of our data 35 in 100 lie in a bell around −1.5, the others in one around 1. A particle starts at noise 1.3 and takes a single step of Euler's method, $x + 1\cdot v(x, 0)$. Where does it land? The explorer asks the same in the plane, of three clusters.

# %% tags=["nbval-ignore-output"]
guess("one_step", ...)

# %% tags=["hide-input"]
alt = ("Explorer of the flow: forty particles at t = 0.6 on their way from noise to three clusters, the "
       "field as arrows, and all their paths in eight steps of Euler's method, one of them followed.")
try:
    from course_lib.chapters.ch15_diffusion.explorer import FlowExplorer

    flowing = FlowExplorer(alt=alt)
except ImportError:  # run as a script where there are no widgets
    flowing = alt
flowing

# %%
landed = starts + velocity(starts, torch.zeros(199, dtype=f64))
claim("one step lands at the mean of the data, 0.125, from every start",
      (landed - 0.125).abs().max() < 1e-12, guessed="one_step", landed=landed[0])
way = [torch.tensor([[1.3]], dtype=f64)]
for now, then in itertools.pairwise(even_times(400, dtype=f64)):
    way.append(way[-1] + (then - now) * velocity(way[-1], now.expand(1)))
claim("the flow first carries the particle at 1.3 left to below 1.1, and then right to above 1.4",
      min(way) < 1.1 and way[-1] > 1.4, leftmost=min(way), end=way[-1])

# %% tags=["hide-input"]
show(pictures.ways(BELLS),
     alt="Density of x_t from noise at 0 to two bells at 1, twice. Left, straight lines of forty pairs, "
         "which cross. Right, the flow's paths from twenty starts: they bend, and never cross.")

# %% [markdown]
# At $t = 0$ the place says nothing of the data, so $\hat x$ is their mean, which lies between the bells, where few data are. Flow matching makes straight *conditional* paths; where these cross, the flow bends.
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
euler_step = lambda velocity, x, now, then: x + (then - now) * velocity(x, now.expand(len(x)))


def mean_error(step, n):
    """Follow the flow in n steps; return how far the particles are from their ends, on average."""
    x = starts
    for now, then in itertools.pairwise(even_times(n, dtype=f64)):
        x = step(velocity, x, now, then)
    return (x - ends).abs().mean().item()


of_euler, of_heun = ([mean_error(step, n) for n in (20, 40, 80)] for step in (euler_step, heun_step))
claim("twice as many steps halve Euler's error and quarter Heun's",
      all(1.7 < a / b < 2.3 for a, b in itertools.pairwise(of_euler))
      and all(3.4 < a / b < 4.6 for a, b in itertools.pairwise(of_heun)), euler=of_euler, heun=of_heun)

# %% [markdown]
# **With fresh noise.** There is another way, the first that was found. Guess data and noise at $x_t$, and mix them again with the shares of the *next* time. This is **DDIM** (Song, Meng and Ermon 2021). In place of a part of the guessed noise one may take new noise. Given $x_t$ and $x$, Bayes' rule says that the next place is a bell; with its width as new noise this is the **reverse process** of Ho et al. (2020): paths jitter, and yet in small steps the crowd is spread like $p_t$ at each time, as it is with any smaller share.

# %%
def remixed(x, now, then, eta):
    """Take one step; eta: share of the reverse process's fresh noise."""
    told = exact(BELLS, x, now.expand(len(x)), STRAIGHT)
    to, fresh = STRAIGHT.at(then), eta * fresh_noise(now, then, STRAIGHT)
    kept = (to.sigma**2 - fresh**2).clamp(min=0).sqrt()  # variances add up to σ²
    return to.alpha * told["data"] + kept * told["noise"] + fresh * draw_noise(*x.shape)


crowd, gaps = draw_noise(10_000, 1), {}
for now, then in itertools.pairwise(even_times(200, dtype=f64)):
    crowd = remixed(crowd, now, then, eta=1)
    gaps[round(then.item(), 3)] = farthest(crowd[:, 0], then.item())
claim("with fresh noise 10,000 particles are spread like p_t at 0.25, 0.5, 0.75 and 1: within chance, "
      "and 0.005 for the length of the steps",
      all(gaps[t] < by_chance(10_000) + 0.005 for t in (0.25, 0.5, 0.75, 1)), at_the_end=gaps[1.0])
now, then = torch.tensor([0.3, 0.35], dtype=f64)
claim("on straight paths DDIM without fresh noise is Euler's step",
      (remixed(starts, now, then, eta=0) - euler_step(velocity, starts, now, then)).abs().max() < 1e-12)

# %% [markdown]
# ## 5 · A field that is learnt
#
# Now a network in place of the truth, for the three clusters of the explorer. It sees $x_t$ and $t$. The loop is: draw, mix, predict, square. By equation (15.4) its loss cannot fall below $\mathrm{E}\,\lVert v - u\rVert^2$. A network that always answers 0 has the loss 2.9, as a mean over both coordinates. **Guess** that of the perfect one.

# %% tags=["nbval-ignore-output"]
guess("perfect_loss", ...)

# %% tags=["nbval-ignore-output"]
clusters = Mixture(torch.tensor([0.5, 0.3, 0.2]),
                   torch.tensor([[0.4, 1.8], [-1.8, -0.6], [1.7, -1.2]]), torch.full((3,), 0.3))
layers = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
layers.to(device)
field = lambda x_t, t: layers(torch.cat([x_t, t[:, None]], dim=1))  # (batch, 2), (batch,) to (batch, 2)
generator = torch.Generator().manual_seed(0)
adam = torch.optim.Adam(layers.parameters(), 3e-3, fused=True)
for i in range(2000):
    x, eps = clusters.sample(512, generator), torch.randn(512, 2, generator=generator)
    x, eps, t = (each.to(device) for each in (x, eps, torch.rand(512, generator=generator)))
    x_t, target = paths.noised_pair(x, eps, t, STRAIGHT)  # the library's: two thousand times
    loss = (field(x_t, t) - target).square().mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
    adam.param_groups[0]["lr"] = 3e-3 * (1 - i / 2000)

# %%
generator, n = torch.Generator().manual_seed(1), 50_000
x, t = clusters.sample(n, generator), torch.rand(n, generator=generator)
x_t, target = paths.noised_pair(x, torch.randn(n, 2, generator=generator), t, STRAIGHT)
truth = exact(clusters, x_t, t, STRAIGHT)["velocity"]
with torch.no_grad():
    learnt = field(x_t.to(device), t.to(device)).cpu()
square = lambda a, b: (a - b).double().square().mean(1)  # (50000,)
of_zero, best, of_learnt = (square(each, target) for each in (0 * target, truth, learnt))
claim("the perfect network's loss is 1.6, more than half of the 2.9 of the one that answers 0",
      abs(of_zero.mean() - 2.9) < 0.1 and abs(best.mean() - 1.6) < 0.1, guessed="perfect_loss",
      loss=best.mean())
away = square(learnt, truth)  # how far the field is from the exact one
surplus = of_learnt - best - away
claim("what the trained loss has above it is the field's distance from the truth, within 5 standard "
      "errors; that is less than a tenth of the truth's mean square",
      abs(surplus.mean()) < 5 * surplus.std() / n**0.5
      and away.mean() < square(truth, 0 * truth).mean() / 10,
      above=(of_learnt - best).mean(), away=away.mean())

# %% [markdown]
# A loss of 1.6 is perfect here. So the loss of a diffusion model is read beside others of its kind, and its samples are judged by other means.
#
# ## 6 · Digits
#
# For images only the network changes. Ours is a small **U-Net** (Ronneberger et al. 2015). Squares of 2 × 2 pixels are folded into channels, which leaves 14 × 14 places. It goes down into a valley of 7 × 7 places, where one convolution sees much of the digit, and up again; what stood at the rim is carried across.
#
# **Each block is told** time and class: by a gain and a shift for each channel, behind a *group norm*, which gives each eighth of the channels mean 0 and variance 1 in every image. A time becomes the sines and cosines of chapter 03. Those were made for positions 0, 1, 2, …, so times are stretched to 0 … 1,000.

# %% tags=["hide-input"]
show(pictures.valley(),
     alt="The U-Net drawn: 28 by 28 pixels fold to 14 by 14 places of 32 channels, go down to 7 by 7 of "
         "64 and up again, while the rim is carried across; time and class reach every block.")

# %%
def block(parts, x, what):
    """Return x + f(x, what), with the parts of the library's Block."""
    h = parts.first(x)  # group norm, SiLU, convolution of 3 × 3
    gain, shift = parts.told(what)[:, :, None, None].chunk(2, dim=1)  # (batch, channels, 1, 1) each
    h = parts.norm(h) * (1 + gain) + shift  # a second group norm, and what is told
    return parts.beside(x) + parts.last(F.silu(h))  # a last convolution, which begins at 0


def through_the_valley(net, x_t, what):
    """Return the prediction, with the parts of the library's UNet."""
    x = net.enter(F.pixel_unshuffle(x_t, 2))  # (batch, 1, 28, 28) to (batch, 32, 14, 14)
    rim = block(net.before[0], x, what)
    x = net.down(rim)  # (batch, 64, 7, 7)
    for parts in net.below:
        x = block(parts, x, what)
    x = torch.cat([net.up(F.interpolate(x, scale_factor=2)), rim], dim=1)  # (batch, 64, 14, 14)
    return F.pixel_shuffle(net.leave(block(net.after[0], x, what)), 2)

# %%
exactly = {"device": run.float64_device, "dtype": f64}
net, images = load_unet("digits").to(**exactly), torch.randn(5, 1, 28, 28).to(**exactly)
fifths, classes = torch.arange(5).to(**exactly) / 5, torch.arange(5, device=run.float64_device)
with torch.no_grad():
    time = net.time.layers(sinusoidal(1000 * fifths, 64))  # (5, 128)
    what = F.silu(time + net.classes(classes))
    by_hand, theirs = through_the_valley(net, images, what), net(images, fifths, classes)
claim("written out it is the library's UNet, in float64", (by_hand - theirs).abs().max() < 1e-9)
told = {top: sinusoidal(torch.linspace(0, top, 101), 64).std(0) for top in (1, 1000)}  # (64,) each
claim("fed times of 0 … 1, fewer than 15 of 64 features move; fed 0 … 1,000, more than 45",
      (told[1] > 0.1).sum() < 15 and (told[1000] > 0.1).sum() > 45)

# %% [markdown]
# **The training** is section 5's loop, with three additions. Most times lie in the middle: $t$ is the logistic function of a normal number. One image in ten has its class replaced by an eleventh, which means ‘any’. And beside the network runs a moving average, as in chapter 11, which makes the samples. The record holds five whole runs; we take the first three hundred steps of a sixth.

# %% tags=["nbval-ignore-output"]
from course_lib.diffusion.step import draw_pairs, flow_step
from course_lib.diffusion.unet import UNet
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

record, digits = recorded("diffusion_digits"), load_digits()
torch.manual_seed(5)  # the record has 0 to 4
unet = UNet(n_classes=10, **run.pick(quick={}, full={"channels": 96, "depth": 2})).to(device)
average = moving_average(unet, run.pick(quick=0.98, full=0.999))
adam = torch.optim.AdamW(unet.parameters(), 2e-3, (0.9, 0.99), weight_decay=0.01, fused=True)
trained = Trained({"unet": unet, "average": average}, {"adam": adam}, torch.Generator().manual_seed(5))
draw = draw_pairs(to_images(digits.train).to(device), 64, digits.train_labels)
run.expect("a U-Net of fifteen times as many weights, 20,000 steps of 64 digits", minutes=10)
step = flow_step(unet, adam, average=average, bfloat16=bfloat16_pays(device))
rate = lambda share: warmup_then_linear(share, warmup=0.03, decay=0.6)
history = fit(step, draw, run.pick(quick=record.values["steps"], full=20_000), trained, schedule=rate,
              every=100, unit=("image", 64), until=run.pick(quick=300, full=None))

# %% tags=["hide-input"]
show(pictures.first_steps(history.curve("loss"), record, average, ten),
     alt="Left, the loss against steps, of this run's first three hundred and of five recorded runs to "
         "the end: a steep fall, then ever slower. Right, digits of this run, crooked but readable.")

# %% [markdown]
# ## 7 · Sampling, and what it trades
#
# From here on the network is the shipped one. The distance is chapter 11's, with its classifier and test digits. The record asks three things.
#
# 1. How many **evaluations** of the network does a sample need? Heun's last step asks at $t = 1$, where there was hardly any training; *Euler last* saves that.
# 2. How far are they beside those of chapter 11's **GAN**, of the same 9,000 digits and at the same $n = 10{,}000$? (Networks and training times differ; a GAN's sample takes one pass; ours nineteen, and twice as many with guidance.)
# 3. What does a **change** in training cost? A short training without classes has three rivals: times fed as 0 … 1; all times equally likely; a loss weighted by $1/(1-t)^2$ up to $t = 0.95$, none of section 2's. The whole runs are also judged without their moving average.

# %%
losses = torch.tensor(record.arm("classes").each("loss"), dtype=f64)  # (5 runs, 32 means of 100 steps)
claim("in each recorded run the loss of steps 201 to 300 is less than a third of that of steps 1 to "
      "100, and the last hundred's more than half of it",
      (losses[:, 2] < losses[:, 0] / 3).all() and (losses[:, -1] > losses[:, 2] / 2).all(),
      steps_201_to_300=record.beside(history.curve("loss").values[2], losses[:, 2]))
of = lambda *arm, key="frechet_distance": torch.tensor(record.arm(*arm).each(key), dtype=f64)
by = {name: torch.stack([of("no classes", "samplers", key=f"{name} {n}") for n in (4, 8, 16, 32)])
      for name in ("euler", "heun", "heun, euler last", "fresh noise")}  # (4, 5 seeds) each
claim("from 4 to 16 evaluations every sampler gets nearer, in each seed",
      all((rows[2] < rows[0]).all() for rows in by.values()))
eulers, heuns, last, fresh = by.values()
claim("by 16 evaluations Heun, Euler last, is nearer than Euler and than Heun all the way, in each seed",
      (last[2] < torch.minimum(eulers[2], heuns[2])).all())
claim("by 4 evaluations Euler is the nearest of all, by 32 fresh noise is, in each seed",
      all((eulers[0] < each[0]).all() and (fresh[3] < each[3]).all() for each in (heuns, last))
      and (eulers[0] < fresh[0]).all() and (fresh[3] < eulers[3]).all())

# %%
gan = recorded("gan_images").arm("digits")
gans = {name: torch.tensor(gan.arm(arm).each("frechet_distance"), dtype=f64)
        for name, arm in pictures.GANS.items()}
plain, deeper, with_classes = gans.values()
ours, weight_1, guided_ours = of("no classes"), of("classes", "weight 1"), of("classes", "weight 1.5")
apart = (ours.mean() - deeper.mean()) / ((ours.var() + deeper.var()) / 5).sqrt()
claim("without classes its worst seed is nearer than the best of the GAN's usual recipe; from the GAN "
      "with a deeper discriminator it cannot be told, by two standard errors",
      ours.max() < plain.min() and abs(apart) < 2, ours=ours, deeper=deeper)
claim("with classes every seed is farther than the GAN's at weight 1, and nearer at weight 1.5",
      weight_1.min() > with_classes.max() and guided_ours.max() < with_classes.min(),
      weight_1=weight_1, weight_1_5=guided_ours)
breaks = {name: of("breaks", name) for name in record.values["breaks"]}  # the first has no change
cost = {name: paired_difference(breaks[name], breaks["short"]) for name in list(breaks)[1:]}
few = [of("no classes", "few", key=key) for key in ("raw", "averaged")]
cost["no average"] = paired_difference(*few)
claim("times that are not stretched cost more than three standard errors, no average fewer",
      cost["times not stretched"][0] > 3 * cost["times not stretched"][1]
      and abs(cost["no average"][0]) < 3 * cost["no average"][1], **cost)

# %% tags=["hide-input"]
diffusion = {"no classes": ours, "weight 1": weight_1, "weight 1.5": guided_ours}
rivals = gans | {f"diffusion, {name}": found for name, found in diffusion.items()}
show(pictures.verdict(by, rivals, breaks, of("floor")),
     alt="Distances from real digits, five seeds each. Left, against evaluations, for Euler, two kinds "
         "of Heun and fresh noise. Middle, GAN and diffusion, without and with classes. Right, a short "
         "training and three with a change.")

# %% [markdown]
# At 4 evaluations Euler leads, at 8 mostly Heun with Euler last, from 16 on fresh noise: perhaps it covers errors that the flow carries along. The average gains nothing that can be told from chance.
#
# ### Exercise: more than asked
# *difficulty 2/5 · importance 4/5 · 6 minutes*
#
# The network knows the velocity of the class asked for and that of any. Their difference is what the class $y$ changes: by Bayes' rule $\nabla\ln p(x_t \mid y) - \nabla\ln p(x_t) = \nabla\ln p(y \mid x_t)$, so it points to where the class becomes more likely. **Guidance** (Ho and Salimans 2022) takes more of it, with a weight: 1 asks for the class, 2 takes the difference twice.
#
# The record says what it trades, by 2,000 samples for each of five weights: **precision**, the share of samples that could be real, against **recall** and **coverage**, two shares of the real digits that samples come near.

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
real, _ = features_and_logits(classifier, to_images(digits.test).to(device))
noises = torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(3)).to(device)
mixed = torch.randperm(10_000, generator=torch.Generator().manual_seed(5))[:500]
asked = digits.test_labels[mixed].to(device)


@torch.no_grad()
def made(weight, steps):
    """Return 500 digits by Heun's steps and Euler's at the end."""
    guides = lambda x, t: guided(shipped, x, t, asked, 10, weight)
    return heun_euler_last(guides, noises, even_times(steps, device)).clamp(-1, 1)


features, logits = features_and_logits(classifier, made(weight=1.5, steps=5))
shown = (logits.argmax(1) == asked).double().mean().item()
distance = frechet_distance(features, real[mixed.to(device)])  # 500 against 500
floor = sum(real_floor(frechet_distance, real, 500, torch.Generator().manual_seed(4))) / 5
claim("of 500 digits in five steps at weight 1.5, more than 95 in 100 show the class asked for; they "
      "are less than 1.5 times as far from 500 test digits as 500 other test digits are",
      shown > 0.95 and distance < 1.5 * floor, shown=shown, distance=distance, floor=floor)

# %%
ladder = ("weight 0", "weight 1", "weight 1.5", "weight 2", "weight 4")  # by 2,000 digits each
keys = ("frechet_distance", "precision", "recall", "coverage", "accuracy")
table = {key: torch.stack([of("classes", "few", name, key=key) for name in ladder]) for key in keys}
claim("weight 4 covers fewer real digits than weight 1, recalls fewer, and is twice as far, in each of "
      "five seeds", all((table[key][4] < table[key][1]).all() for key in ("coverage", "recall"))
      and (table["frechet_distance"][4] > 2 * table["frechet_distance"][1]).all(),
      **{key: rows.mean(1) for key, rows in table.items()})
claim("more of its samples are as asked, and its precision is higher, in each of five seeds",
      all((table[key][4] > table[key][1]).all() for key in ("accuracy", "precision")))

# %% tags=["hide-input"]
show(pictures.guidance(shipped, ten, table),
     alt="Left, one noise a column at weights 0, 1, 2 and 4: any digits at 0, then the ones asked for, "
         "ever bolder. Right, shares as asked, precision, recall and coverage by weight: recall falls.")

# %% [markdown]
# ### Exercise: two patients
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# The network is sound, and somebody's *sampling* is not. Which of six faults has each? `times_not_stretched` (the factor 1,000 is missing), `time_reversed` (the network is told $1 - t$), `noise_as_velocity` (its prediction is turned into noise, and Euler's method takes that for the velocity), `one_step`, `line_run_twice` (the line that updates $x$ stands twice in the loop), `too_much_guidance`. Below the samples stands how far their pixels spread on the way.

# %% tags=["hide-input"]
show(pictures.sheets(patients.shown(shipped, device)),
     alt="Three sheets of twenty samples above the spread of their pixels on the way. Sound: digits, "
         "the spread falls from 1, then rises to 0.6. A: grey digits under noise. B: noise that grows.")

# %% tags=["nbval-ignore-output"]
answer("diffusion.symptom_1", ...)

# %% tags=["nbval-ignore-output"]
answer("diffusion.symptom_2", ...)

# %%
found = patients.measured(shipped, device)
noise_left = {fault: each["noise"] for fault, each in found.items()}
claim("at the image's rim, times that are not stretched leave a fifth to a half of the noise; sound "
      "sampling leaves less than a twentieth", 0.2 < noise_left["times_not_stretched"] < 0.5
      and abs(noise_left["sound"]) < 0.05, **noise_left)
claim("noise as velocity spreads the pixels more than five times as far as sound sampling",
      found["noise_as_velocity"]["spread"] > 5 * found["sound"]["spread"])

# %% [markdown]
# ## What stays
#
# - Data, noise, score and velocity are one prediction: [*each of the four gives the other three*](#Exercise:-what-a-velocity-implies). Its losses differ by a weight: [*at t = 0.9 one guess costs 1/(1 − t)² = 100 times as much in velocity as in data*](#Exercise:-what-a-velocity-implies).
# - A regression on single pairs learns their mean: [*both losses have the same gradient*](#3-·-Why-a-regression-learns-it), and [*the perfect network's loss*](#5-·-A-field-that-is-learnt) is not 0.
# - Whoever follows it arrives: [*199 particles that follow the flow end with as many below them as at the start*](#4-·-The-flow), but not in one step, which [*lands at the mean of the data*](#4-·-The-flow).
# - Guidance trades: at weight 4 [*more of its samples are as asked*](#Exercise:-more-than-asked) than at 1, and it [*covers fewer real digits*](#Exercise:-more-than-asked).
# - A sampler takes the prediction and the times it was made for: [*noise as velocity spreads the pixels*](#Exercise:-two-patients), [*times that are not stretched leave a fifth to a half of the noise*](#Exercise:-two-patients).

# %% tags=["nbval-ignore-output"]
progress("15_diffusion")

# %% [markdown]
# **Open questions.** Which weight of the times is best, and for what? Could the flow's paths be made straighter, so that fewer steps do? The best network for 9,000 training digits would only ever draw these: why does ours draw others? The optional chapter 15b goes on from here.
#
# **References.** Ho, Jain and Abbeel 2020, *Denoising diffusion probabilistic models*: sections 2 and 3, noising, its reversal, the loss on noise. Song et al. 2021, *Score-based generative modeling through stochastic differential equations*: section 4.3, the probability flow. Lipman et al. 2023, *Flow matching for generative modeling*: theorem 2. Liu, Gong and Liu 2023, *Flow straight and fast*: straight paths. Song, Meng and Ermon 2021, *Denoising diffusion implicit models*. Karras et al. 2022: section 3, Heun. Esser et al. 2024: which times. Ho and Salimans 2022, *Classifier-free diffusion guidance*.
