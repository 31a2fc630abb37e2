# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15b · Flows in use
#
# **What else does the flow know?**
#
# Chapter 15 drew pictures. The same velocity also gives a bound on the probability of an image and an exact density, it fills in half a picture, and it can run in another space than that of pixels. Here a flow gets chapter 12's small digits and that chapter's clock, 40 seconds of one core, so that it may be put beside the three families.
#
# Below, a digit with less and less noise, and what it costs to say it on the way. The area between the two lines is the bits: most of them are paid where the signal already outweighs the noise.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch15b_flows_in_use import figures as pictures
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded

record = recorded("flows_in_use")
show(pictures.where_the_bits_are(record),
     alt="Above, a digit at nine noise levels, from noise to clean. Below, nats a pixel and unit of log "
         "signal-to-noise ratio: the curve of five flows lies above that of bare rounding noise, and "
         "most of the area between them is at the right, where the digit is easy to read.")

# %% [markdown]
# Afterwards you can
#
# - derive chapter 15's loss as the bound of a VAE with many levels, but for a weight;
# - compute the bits of an image from a density, and say what they bound;
# - tell a draw of the missing half from a replaced one, and a new picture from a copy.
#
# **Needs** chapters 12 and 15. Optional: no later chapter needs it. **Time** 45 minutes to read, 35 for the exercises; the cells take about 45 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | data: a point, an image made continuous | (1,), (196,) |
# | $p, q$ | the model's distribution; the noising's | |
# | $\epsilon$ | standard normal noise | as $x$ |
# | $\mu, \sigma$ | a mean; noise's share $\sigma(t)$ | |
# | $k$ | levels of the pixels, 0 to 7 | (196,) |
# | $t$ | time, 0 noise, 1 data | |
#
# As in chapter 15, $x_t = \alpha(t)\,x + \sigma(t)\,\epsilon$; hats mark guesses, $\hat x$ and $\hat v$.

# %% tags=["nbval-ignore-output"]
import itertools
import math

from torch.utils.flop_counter import FlopCounterMode

from course_lib.chapters.ch15b_flows_in_use.small_flow import cell_curve, small_flow
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.diffusion.guidance import network_velocity
from course_lib.diffusion.inpainting import inpaint
from course_lib.diffusion.latent import Autoencoder, autoencoder_step, draw_images, encode_all, scale_of
from course_lib.diffusion.levels import dequantise, requantise
from course_lib.diffusion.likelihood import divergence, flow_log_likelihood
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import COSINE, STRAIGHT
from course_lib.diffusion.samplers import euler, even_times, fresh_noise
from course_lib.diffusion.unet import UNet
from course_lib.evaluation.neighbours import nearest
from course_lib.gan.dcgan import to_images
from course_lib.training.fit import fit
from course_lib.training.runtime import start
from course_lib.training.trained import Trained

run = start(seed=0, threads=1)
device, f64 = run.device, torch.float64
families = recorded("three_families")
seed = lambda number: torch.Generator().manual_seed(number)  # on the CPU: the same draws on every device
number = lambda value: torch.tensor(value, dtype=f64)
of = lambda arm, key: number(record.arm(*arm.split(" / ")).each(key))  # (5,), one a seed
error_of = lambda differences: differences.std() / math.sqrt(len(differences))  # of their mean

# %% [markdown]
# ## 1 · Many levels, one regression
#
# Take chapter 06's VAE, and let it have many latents in a row: $x_{t_0}, x_{t_1}, \dots, x_{t_T}$, noise first, each less noisy than the one before. The encoder $q$ is nothing but the noising. The decoder $p$ goes from level to level and at last to $x$. The bound of such a chain is (Sohl-Dickstein et al. 2015)
#
# $$-\log p(x) \le \mathrm{KL}\big(q(x_{t_0}|x)\,\|\,\mathcal N(0,1)\big) + \sum_{i=1}^T \mathrm{E}\,\mathrm{KL}\big(q(x_{t_i}|x_{t_{i-1}},x)\,\|\,p(x_{t_i}|x_{t_{i-1}})\big) - \mathrm{E}\log p(x|x_{t_T}) . \tag{15b.1}$$
#
# The first term is 0 where $\alpha(t_0) = 0$; the last is the price of $x$ when next to no noise is left. The middle is a sum of KLs between Gaussians.
#
# In one level write $\alpha, \sigma$ for its noisy end and $\alpha', \sigma'$ for the other, and $\kappa = (\alpha/\sigma)^2/(\alpha'/\sigma')^2$. Chapter 15's Bayes' rule says that $x_{t_i}$ given $x_{t_{i-1}}$ and $x$ has
#
# $$\text{variance } \sigma'^2(1-\kappa), \qquad \text{mean } \alpha'(1-\kappa)\,x + \text{something times } x_{t_{i-1}} . \tag{15b.2}$$

# %%
now, then = number(0.4), number(0.55)
eps, fresh = torch.randn(2, 400_000, dtype=f64, generator=seed(0))
(alpha, sigma), (alpha2, sigma2) = STRAIGHT.at(now)[:2], STRAIGHT.at(then)[:2]
kappa = (alpha / sigma) ** 2 / (alpha2 / sigma2) ** 2
noise_then = sigma2 * eps  # of x_then; x_now = (α/α') x_then + new noise
noise_now = alpha / alpha2 * noise_then + (sigma**2 - (alpha / alpha2 * sigma2) ** 2).sqrt() * fresh
slope = (noise_then * noise_now).mean() / (noise_now**2).mean()
left = (noise_then - slope * noise_now).var()
claim("the variance of (15b.2) is that of 400,000 drawn pairs, within five standard errors, and chapter "
      "15's fresh noise", abs(left / (sigma2**2 * (1 - kappa)) - 1) < 5 * math.sqrt(2 / 400_000)
      and abs(fresh_noise(now, then, STRAIGHT) ** 2 - sigma2**2 * (1 - kappa)) < 1e-12)
claim("and in its mean x counts α'(1 − κ) times, within 0.005, when x_now counts as a regression says",
      abs(alpha2 - slope * alpha - alpha2 * (1 - kappa)) < 0.005)

# %% [markdown]
# The decoder is given the same Gaussian with a guess $\hat x(x_{t_{i-1}})$ in the place of $x$, which it cannot know. Then both have one variance, and for two such Gaussians
#
# $$\mathrm{KL}\big(\mathcal N(\mu_1, \sigma^2)\,\|\,\mathcal N(\mu_2, \sigma^2)\big) = \frac{\|\mu_1-\mu_2\|^2}{2\sigma^2} . \tag{15b.3}$$
#
# ### Exercise: what a level costs
# *difficulty 3/5 · importance 5/5 · 10 minutes*
#
# So a level costs a squared error times a number that depends on $\alpha,\sigma,\alpha',\sigma'$. Which?

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.level_term")
def level_term(squares, now, then):
    """Return the KL of one level, in nats, from the squared error of its guess.

    squares: ‖x − x̂‖² of any shape; now, then: (α, σ) at the noisy end and at the other one.
    Worked value: squares 2, now (0, 1), then (1, 1) give 1.
    """
    # a factor on squares that needs nothing but α/σ at both ends
    ...

# %%
bells = Mixture(number([0.3, 0.7]), number([[-1.0], [0.8]]), number([0.2, 0.3]))
grid = torch.linspace(-8, 8, 4001, dtype=f64)[:, None]
step = (grid[1] - grid[0]).item()

def squared_error(t, path):
    """Return E‖x − x̂‖² of the best guess, Var x less that of x̂, by a sum over all x_t."""
    at = t.expand(len(grid))
    p_t = log_density(bells, grid, at, path).exp() * step
    x_hat = exact(bells, grid, at, path)["data"][:, 0]
    second = (bells.weights * (bells.centres[:, 0] ** 2 + bells.widths**2)).sum()
    return second - (p_t * x_hat**2).sum()

def bound(times, path):
    """Return (15b.1), in nats, with the best guess at every level; times[0] = 0."""
    ends = [path.at(t)[:2] for t in times]
    total = (math.log(2 * math.pi * math.e) / 2 + torch.log(ends[-1][1] / ends[-1][0]))  # the last term
    for t, (here, there) in zip(times[:-1], itertools.pairwise(ends), strict=True):
        total = total + level_term(squared_error(t, path), here, there)
    return total.item()

# %% [markdown]
# A level costs half of what the **signal-to-noise ratio** $\mathrm{SNR} = \alpha^2/\sigma^2$ gains in it, times the squared error. With ever more levels the sum becomes an integral:
#
# $$-\log p(x) \le \tfrac12 \int \mathrm{E}\|x - \hat x\|^2\, d\,\mathrm{SNR} \;+\; \text{the last term}. \tag{15b.4}$$
#
# How loose is that? Take two bells, where the best guess is known, and levels whose log SNR is evenly spaced from −8 to 10. On average over $x$ the bound cannot go below the entropy. **Guess:** by how many nats is the bound above it with 10 levels, and what becomes of this gap when there are ten times as many?

# %% tags=["nbval-ignore-output"]
guess("gap", ...)

# %%
def spaced(levels, path):
    """Return t = 0 and then levels times with evenly spaced log SNR."""
    ratio = (torch.linspace(-8, 10, levels, dtype=f64) / 2).exp()  # α/σ
    t = ratio / (1 + ratio) if path is STRAIGHT else 2 / math.pi * torch.atan(ratio)
    return torch.cat([number([0.0]), t])

log_p = log_density(bells, grid, torch.ones(len(grid), dtype=f64), STRAIGHT)
entropy = -(log_p.exp() * log_p).sum().item() * step
gaps = [bound(spaced(levels, STRAIGHT), STRAIGHT) - entropy for levels in (10, 100, 1000)]
claim("two bells: 10 levels are 3 to 12 nats above the entropy, 1,000 less than 0.05, and from 100 to "
      "1,000 the gap falls by a factor of 9 to 11", 3 < gaps[0] < 12 and 0 < gaps[2] < 0.05
      and 9 < gaps[1] / gaps[2] < 11, guessed="gap", gaps=gaps)
claim("with the same ratios another path has the same bound, to 1e-6 nats: only SNR counts",
      abs(bound(spaced(100, COSINE), COSINE) - bound(spaced(100, STRAIGHT), STRAIGHT)) < 1e-6)

# %% [markdown]
# Nothing is lost in the limit, and the path does not matter, only its signal-to-noise ratio. So diffusion and flow matching are **two theories with one loss**: both guess the data from $x_t$, and they differ in the weight. Which weight has ours? On straight paths $\mathrm{SNR} = t^2/(1-t)^2$, and $x - \hat x = (1-t)(v - \hat v)$ (chapter 15), so
#
# $$\tfrac12\,\|x-\hat x\|^2\,\frac{d\,\mathrm{SNR}}{dt} = \frac{t}{1-t}\,\|v-\hat v\|^2 . \tag{15b.5}$$
#
# The velocity's loss with evenly drawn $t$ has weight 1 in its place; drawing times unevenly is a weight, too.

# %%
t = torch.tensor([0.1, 0.5, 0.9, 0.99], dtype=f64, requires_grad=True)
(slope_of_snr,) = torch.autograd.grad(((t / (1 - t)) ** 2).sum(), t)
weight = slope_of_snr / 2 * (1 - t.detach()) ** 2
claim("autograd, too: beside our loss the bound weighs times 0.1, 0.5, 0.9, 0.99 by 1/9, 1, 9 and 99",
      torch.allclose(weight, number([1 / 9, 1, 9, 99]), rtol=1e-12))

# %% [markdown]
# ## 2 · The density, in bits
#
# A chain of levels has a bound; the flow itself has an exact density. In a short time $h$ the flow stretches a small volume by the factor $1 + h\,\nabla\cdot v$, the divergence of the velocity. The same probability then fills more room, so along the flow $\log p_t(x_t)$ falls by $h\,\nabla\cdot v$. At $t = 0$ it is a Gaussian's. So follow $x$ back and add up:
#
# $$\log p(x) = \log \mathcal N(x_0; 0, 1) - \int_0^1 \nabla\cdot v(x_t, t)\,dt . \tag{15b.6}$$

# %%
def density_by_flow(velocity, x, steps):
    """Return log p of (15b.6), x followed back by Euler's steps."""
    gained = torch.zeros(len(x), dtype=x.dtype)
    for t in torch.linspace(1, 0, steps + 1, dtype=x.dtype)[:-1]:
        v, spread = divergence(velocity, x, t.expand(len(x)))
        x, gained = x - v / steps, gained - spread / steps
    return -x.square().sum(1) / 2 - x.shape[1] / 2 * math.log(2 * math.pi) + gained


flat = Mixture(number([0.5, 0.5]), number([[1.0, 1.5], [-1.0, -1.5]]), number([0.5, 0.5]))
exact_velocity = lambda x, t: exact(flat, x, t, STRAIGHT)["velocity"]
points = flat.sample(100, seed(1))
true = log_density(flat, points, torch.ones(100, dtype=f64), STRAIGHT)
errors = [(density_by_flow(exact_velocity, points, n) - true).abs().max().item() for n in (100, 200)]
by_heun = (flow_log_likelihood(exact_velocity, points, 100, 0)[0] - true).abs().max().item()
claim("two bells in the plane: from 100 of Euler's steps to 200 the error of (15b.6) halves, within a "
      "fifth; 100 of Heun's come within 0.02 nats of the true density",
      0.4 < errors[1] / errors[0] < 0.6 and by_heun < 0.02, errors=errors, by_heun=by_heun)

# %% [markdown]
# An image has 196 derivatives to add. One random probe $\epsilon$ of signs ±1 does instead: $\epsilon\cdot J\epsilon = \sum_{ij} J_{ij}\epsilon_i\epsilon_j$, and as $\epsilon_i\epsilon_j$ is 1 for $i = j$ and 0 on average else, its mean is the trace of the Jacobian $J$ (Hutchinson 1990).

# %%
signs = number([[1, 1], [1, -1], [-1, 1], [-1, -1]])
middle = torch.full((100,), 0.6, dtype=f64)
probed = torch.stack([divergence(exact_velocity, points, middle, e.expand(100, 2))[1] for e in signs])
trace = divergence(exact_velocity, points, middle)[1]
claim("over all four signs the probes' mean is the divergence, to 1e-10, though single ones miss it",
      (probed.mean(0) - trace).abs().max() < 1e-10 and (probed - trace).abs().max() > 0.1)

# %% [markdown]
# ### Exercise: bits from a density
# *difficulty 3/5 · importance 5/5 · 10 minutes*
#
# An image of levels $k$ has no density but a probability. So spread each level over a cell: $x = 2(k+u)/8 - 1$ with uniform $u$ in 0 to 1 for each pixel. The cell's share of a density is a probability, and by Jensen's inequality
#
# $$\log p(k) = \log \mathrm{E}_u\big[p(x)\cdot\text{volume}\big] \ge \mathrm{E}_u \log p(x) + \log \text{volume} . \tag{15b.7}$$

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.bits_per_dimension")
def bits_per_dimension(log_density, dimensions, levels):
    """Return bits a pixel, an upper bound on average, of images with whole levels.

    log_density: ln p of the images made continuous, in nats, any shape; dimensions: pixels;
    levels: how many, in cells of one width that fill −1 … 1.
    Worked value: one pixel, 8 levels, the density ½ of the whole range: 3 bits.
    """
    # bits, for each pixel: so many for every unit
    ...

# %% [markdown]
# Now train: chapter 15's U-Net and step, on chapter 12's digits of 14 × 14 pixels and 8 levels, with new $u$ each time. A short run, with a seed that the record does not have.

# %% tags=["nbval-ignore-output"]
digits = load_digits()
train, test = (to_levels(x, levels=8, shrink=2).to(device) for x in (digits.train, digits.test))
short = record.values["live_steps"]
run.expect("a larger U-Net, 20,000 steps", minutes=6)
flow = small_flow(train, seed=7, channels=run.pick(quick=32, full=96), depth=run.pick(quick=1, full=2))
net = flow.train(run.pick(quick=short, full=20_000))
size = sum(p.numel() for p in net.parameters())
print(f"{size:,} parameters; {short} steps, the record's trained {record.values['steps']:,}")

# %% [markdown]
# **Guess:** the same network, the same digits. With 10 steps back in place of 40, are the bits more, fewer, or the same? And where do they lie between independent pixels, 1.07, and chapter 12's Transformer, 0.57?

# %% tags=["nbval-ignore-output"]
guess("bits", ...)

# %%
chosen = torch.randperm(10_000, generator=seed(0))[:500]  # chapter 12's
some = dequantise(test[chosen[:100].to(device)].float(), 8, seed(7))

def bits(steps):
    """Return the live flow's bits a pixel of 100 test digits, one probe an image, and their error."""
    log_p = flow_log_likelihood(net, some, steps, 1, seed(7))[0].cpu()
    each = bits_per_dimension(log_p, 196, 8)
    return each.mean().item(), each.std().item() / 10

live = {steps: bits(steps) for steps in (10, 20)}
room = run.pick(quick=0.05, full=0.5)
runs = torch.tensor(record.arm("live").each("bits"))
claim("the short run's bits lie where five others' do, give or take 0.05 in the quick budget",
      runs.min() - room < live[20][0] < runs.max() + room, bits=record.beside(live[20][0], runs),
      error=live[20][1])
by_steps = torch.stack([of("middle times", f"bits {steps}") for steps in (10, 20, 40)])
claim("in each of five trainings 10 steps say fewer bits than 20, and 20 fewer than 40",
      (by_steps.diff(dim=0) > 0).all(), guessed="bits", bits=by_steps.mean(1),
      live=[live[10][0], live[20][0]])

# %% [markdown]
# What too few steps compute is no density, for it does not integrate to one, and so its bits are no length of a code. A reported figure needs its number of steps, and one with twice as many. Beside chapter 12, in its unit and on its digits; the record took the same processor time on the same kind of machine, but its recipe had no ten trials:

# %%
ar, vae = number(families.arm("ar").each("bits")), number(families.arm("vae").each("bits_1000"))
density, chain = of("middle times", "bits 40"), of("middle times", "bits_chain")
claim("by the density each flow is below independent pixels, 1.07 bits, over 0.2 above every VAE's "
      "bound and over 0.3 above every Transformer", density.max() < 1.07 and density.min() > vae.max() + 0.2
      and density.min() > ar.max() + 0.3, density=density, vae=vae.mean(), transformer=ar.mean())
claim("by the chain of 500 levels the same networks need more bits than by their density",
      (chain > density).all(), chain=chain)
paired = of("middle times", "bits_chain") - of("even times", "bits_chain")
pictures_apart = of("middle times", "frechet_distance") - of("even times", "frechet_distance")
claim("evenly drawn times instead of middle ones: fewer bits by the chain, a larger Fréchet distance, "
      "both by over three standard errors of five pairs", paired.mean() > 3 * error_of(paired)
      and pictures_apart.mean() < -3 * error_of(pictures_apart), bits=paired, distance=pictures_apart)

# %% tags=["hide-input"]
show(pictures.bits_beside(record, families),
     alt="Bits a pixel of the same test digits: independent pixels 1.07, the flow's two bounds about "
         "there, then the VAE's bound, and least the Transformer's exact value.")

# %% [markdown]
# Why so many bits, if the pictures are fair? One regression, two weights: of five pairs, those that spent more of their training near the ends need fewer bits, and those that spent it in the middle make better pictures. The opening shows why. A uniform $u$ in its cell costs, by (15b.4), the dashed curve, and its area is that of the cell's volume in (15b.7). So the bits are the area *between* the curves.

# %%
places = torch.linspace(-8, 8, 33, dtype=f64)  # log SNR
curve = torch.tensor(record.arm("middle times").each("curve"), dtype=f64)  # (5, 33), nats a pixel
between = curve - cell_curve(places)
area = torch.trapezoid(between, places) / math.log(2)
beyond = lambda edge: torch.trapezoid(between[:, places >= edge], places[places >= edge])
late = {edge: beyond(edge) / math.log(2) / area for edge in (0, 3)}  # shares of the area
claim("the area between the curves is the chain's bits, within 0.1, in each training; over two thirds of "
      "it lie where the log SNR is above 0, over a third where it is above 3",
      (area - chain).abs().max() < 0.1 and late[0].min() > 2 / 3 and late[3].min() > 1 / 3,
      area=area, above_0=late[0], above_3=late[3])

# %% [markdown]
# ## 3 · The other half
#
# Given the upper half of a digit, draw the lower. A popular recipe uses the flow as it is: at each time put the known half back, made noisy as it would be then, and let the rest take its step. Is that a draw from $p(\text{missing}\mid\text{known})$?
#
# Ask where the truth is known: the two bells in the plane of section 2, with the first coordinate given, 0.6. Bayes' rule says that the second then belongs to the upper bell with probability 0.992. **Guess** how often replacement goes there.

# %% tags=["nbval-ignore-output"]
guess("upper", ...)

# %% [markdown]
# ### Exercise: a step back
# *difficulty 3/5 · importance 4/5 · 10 minutes*
#
# When the known part is put back, the rest was made without it. Lugmayr et al. (2022) let them agree: take the step, make everything noisier again *by one step*, put the known part back, and repeat.

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.noise_again")
def noise_again(x, eps, now, then):
    """Return x, noisy as at then, made as noisy as at now, further from the data.

    x, eps (batch, …): eps is new standard normal noise; now, then: (α, σ) there.
    Worked value: x = 1, eps = 1, now (0, 1), then (0.5, 0.5) give 1.
    """
    # the data in x must end with share α, the noise in all with variance σ²
    ...

# %%
def filled(jumps, n=2000, steps=50):
    """Return n draws of the second coordinate, the first being 0.6."""
    generator = seed(2)
    draw = lambda: torch.randn(n, 2, dtype=f64, generator=generator)
    known, mask, x = number([0.6, 0.0]).expand(n, 2), torch.tensor([True, False]), draw()
    times = even_times(steps, dtype=f64)
    for now, then in itertools.pairwise(times):
        here, there, at = STRAIGHT.at(now)[:2], STRAIGHT.at(then)[:2], now.expand(n)
        for again in range(jumps):
            x = noise_again(x, draw(), here, there) if again else x
            x = torch.where(mask, here[0] * known + here[1] * draw(), x)  # noisy as it would be now
            best, fresh = exact(flat, x, at, STRAIGHT), fresh_noise(now, then, STRAIGHT)
            kept = (there[1] ** 2 - fresh**2).clamp(0).sqrt()
            x = there[0] * best["data"] + kept * best["noise"] + fresh * draw()
    return x[:, 1]


upper = {jumps: (filled(jumps) > 0).double().mean().item() for jumps in (1, 5, 20)}
claim("replacement goes to the upper bell in 60 to 75 of 100; each step taken 5 times in 78 to 90, 20 "
      "times in 90 to 98; the truth is 99",
      0.6 < upper[1] < 0.75 and 0.78 < upper[5] < 0.9 and 0.9 < upper[20] < 0.98,
      guessed="upper", **{f"times_{jumps}": share for jumps, share in upper.items()})

# %% [markdown]
# Replacement is no conditional draw. Call the known part $y$ and the rest $u$. A step moves $u_t$ as $p(u_t\mid y_t)$ asks, for the network sees $y_t$ alone, the known part with its noise; wanted is $p(u_t\mid y)$. Early on $y_t$ tells next to nothing, and $u_t$ chooses its bell before it could hear of $y$. Later steps hear it, but hardly lead from one bell to the other. Going back gives $u_t$ further chances, at the price of more evaluations; in the limit of many it would be right. (The Transformer of chapter 12 has no such trouble: its conditional is exact, for one order of pixels.)
#
# The same on chapter 12's 500 halves, with 25 steps:

# %%
same = {jumps: of("middle times", f"same_class {jumps}") for jumps in (1, 5, 10)}
others = {name: number(families.arm(name).each("same_class")) for name in ("ar", "vae", "gan")}
any_half = families.arm("any half").values["same_class"]
gain = same[10] - same[1]
claim("ten takings of each step keep the class more often than replacement, by over three standard "
      "errors of five pairs; replacement is above any digit's half, 37 of 100",
      gain.mean() > 3 * error_of(gain) and same[1].min() > any_half, replacement=same[1], ten=same[10])
claim("with ten the flow keeps the class at least as often as the GAN's search",
      same[10].mean() > others["gan"].mean(), flow=same[10].mean(),
      **{name: each.mean() for name, each in others.items()})

# %% tags=["hide-input"]
known = dequantise(test[chosen[:10].to(device)].float(), 8, seed(0))
mask = (torch.arange(196) < 98).view(1, 14, 14).to(device)
rows = {f"taken {jumps} ×": inpaint(network_velocity(net), known, mask, 25, jumps, STRAIGHT, seed(3))
        for jumps in (1, 10)}
show(pictures.halves(known, rows),
     alt="Three rows of ten digits: real ones; their upper halves with a lower half by replacement; and "
         "with every step taken ten times.")

# %% [markdown]
# ## 4 · Copies
#
# ### Question: a perfect network
# *difficulty 3/5 · importance 5/5 · 5 minutes*
#
# A network is trained on 100 digits and reaches the very minimum of its loss. What does its flow draw: `copies` of training digits, `blends` of several, `new digits`, or `noise`?

# %% tags=["nbval-ignore-output"]
answer("diffusion.perfect_network", ...)

# %%
hundred = from_levels(train[:100].cpu(), levels=8).flatten(1).double()  # (100, 196), spread 0.01 each
remembered = Mixture(torch.full((100,), 0.01, dtype=f64), hundred, torch.full((100,), 0.01, dtype=f64))
best = lambda x, t: exact(remembered, x, t, STRAIGHT)["velocity"]
drawn = euler(best, torch.randn(40, 196, dtype=f64, generator=seed(4)), even_times(50, dtype=f64))
away, which = nearest(drawn, hundred)
apart = min(nearest(hundred[i : i + 1], hundred[torch.arange(100) != i])[0].item() for i in range(100))
claim("the best velocity for 100 digits leads each of 40 noises to one of them, to less than a tenth of "
      "the least distance between two, and to more than 20 different ones",
      away.max() < apart / 10 and len(which.unique()) > 20, farthest=away.max(), apart=apart,
      different=len(which.unique()))

# %% [markdown]
# The best guess of the data is a mean over the 100, and as the noise goes, one of them gets all the weight. So the loss does not ask for new pictures; they come from what the network cannot fit, or had no time to. How far does that reach? The record trained the recipe as long on 100 and on 1,000 digits. *Nearer* is chapter 12's: how often a sample is closer to a training digit than a test digit is. **Guess** it for each, where ½ means no nearer than new digits are.

# %% tags=["nbval-ignore-output"]
guess("nearer", ...)

# %%
arms = {100: "few / 100", 1000: "few / 1000", 9000: "middle times"}
near = {n: of(arm, "nearer") for n, arm in arms.items()}
claim("with 9,000 digits nearer is below a half in each of five trainings, with 100 above 0.9, with "
      "1,000 in between", near[9000].max() < 0.5 and near[100].min() > 0.9
      and near[9000].max() < near[1000].mean() < near[100].min(), guessed="nearer",
      **{f"n_{n}": each for n, each in near.items()})
gap = {n: of(arm, "bits_test") - of(arm, "bits_train") for n, arm in arms.items()}
over = {n: each - gap[9000] for n, each in gap.items() if n < 9000}
claim("bits tell it without a neighbour: beside the networks of 9,000, for those of 100 test digits cost "
      "over 0.1 bits a pixel more than the first 100 training digits, for those of 1,000 less",
      over[100].min() > 0.1 and (over[1000] < over[100]).all(), **{f"n_{n}": e for n, e in over.items()})

# %% [markdown]
# ## 5 · In latents
#
# Section 2 found most bits near the data, in detail that hardly anyone sees, and every step of the flow pays for all pixels. Rombach et al. (2022) first train an autoencoder, and let the flow run between noise and its *latents*: here 4 × 7 × 7 numbers for 28 × 28 pixels. It is a VAE with a KL so lightly weighted (0.02) that it only keeps the latents smooth. What is saved is operations, in training and again in each step of sampling. What is lost is what the autoencoder loses: a flow that drew real digits' latents would still show their reconstructions.

# %% tags=["hide-input"]
show(pictures.latent_diagram(),
     alt="Diagram: an image of 28 by 28 goes through the encoder to four latent images of 7 by 7, scaled "
         "to unit variance; the flow runs between noise and these; the decoder makes the image.")

# %% tags=["nbval-ignore-output"]
images = to_images(digits.train).to(device)
torch.manual_seed(7)
autoencoder = Autoencoder(channels=4).to(device)
adam = torch.optim.Adam(autoencoder.parameters(), lr=2e-3, betas=(0.9, 0.99))
trained = Trained({"autoencoder": autoencoder}, {"adam": adam}, seed(7))
fit(autoencoder_step(autoencoder, adam, kl_weight=0.02), draw_images(images, 64, 4),
    run.pick(quick=200, full=5000), trained, every=50)

# %%
latents = encode_all(autoencoder, images)  # (9000, 4, 7, 7)
scale = scale_of(latents)
held_out = to_images(digits.test[:500]).to(device)
with torch.no_grad():
    again = autoencoder.decode(encode_all(autoencoder, held_out))
left = (again - held_out).square().sum() / (held_out - images.mean(0)).square().sum()
claim("from a quarter of the numbers the short run's decoder leaves less than a quarter of the squares "
      "that the mean image leaves", latents[0].numel() * 4 == images[0].numel() and left < 0.25, left=left)
unit = scale.to_unit(latents)
claim("scaled, each channel has mean 0 and standard deviation 1, within 0.001, as the noise has",
      unit.mean((0, 2, 3)).abs().max() < 1e-3 and (unit.std((0, 2, 3)) - 1).abs().max() < 1e-3,
      before=scale.std.flatten())

# %% [markdown]
# Why to scale? What a time $t$ hides depends on $\mathrm{SNR}$ times the data's variance. Latents five times as large are at $t = ½$ as plain as unit ones at $t = 5/6$: the times would be drawn in the wrong place. **Guess** the next: how many times as many operations does a step of the same U-Net take in pixels, folded as in chapter 15, as in latents?

# %% tags=["nbval-ignore-output"]
guess("operations", ...)

# %%
def operations(shape, fold):
    """Return the operations of the U-Net's products for one image."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        UNet(shape[0], fold=fold)(torch.zeros(1, *shape), torch.zeros(1))
    return counter.get_total_flops()


cost = {"pixels": operations((1, 28, 28), fold=2), "latents": operations((4, 7, 7), fold=1)}
claim("in latents the same U-Net needs less than a third of the operations",
      cost["latents"] < cost["pixels"] / 3, guessed="operations",
      times=cost["pixels"] / cost["latents"], **cost)

# %%
in_latents = recorded("flows_in_latents")
names = ("reconstructions", "unit", "as they come", "a fifth", "five times", "pixels")
distance = {name: number(in_latents.arm(name).each("frechet_distance")) for name in names}
for name, each in distance.items():
    print(f"{name:>16}: {each.mean():6.2f} ± {error_of(each):.2f}")
lead = distance["pixels"] - distance["unit"]
claim("for as many operations in training, autoencoder included, the flow in unit latents is nearer to "
      "the test digits than the one in pixels, by over three standard errors of five pairs",
      lead.mean() > 3 * error_of(lead), lead=lead)
worse = {name: distance[name] - distance["unit"] for name in ("a fifth", "five times")}
claim("latents of a fifth and of five times the scale are further off, by over three standard errors of "
      "five pairs", all(each.mean() > 3 * error_of(each) for each in worse.values()), **worse)
claim("no flow in latents can count on less than the reconstructions' own distance, which is above 0.3",
      distance["reconstructions"].min() > 0.3 and (distance["unit"] > distance["reconstructions"]).all())

# %% [markdown]
# ## What stays
#
# - Diffusion is a VAE with many levels and a squared error at each: [*1,000 less than 0.05*](#Exercise:-what-a-level-costs) nats above the entropy. Our loss is the same regression with another weight: [*the bound weighs times 0.1, 0.5, 0.9, 0.99 by 1/9, 1, 9 and 99*](#Exercise:-what-a-level-costs).
# - The flow's density is exact, the bits of an image an upper bound, and few steps flatter: [*10 steps say fewer bits than 20, and 20 fewer than 40*](#Exercise:-bits-from-a-density).
# - Putting the known half back is no draw from the conditional: [*replacement goes to the upper bell in 60 to 75 of 100*](#Exercise:-a-step-back).
# - The minimum of the loss copies: [*the best velocity for 100 digits leads each of 40 noises to one of them*](#Question:-a-perfect-network). Whether a network does is measured, by its number of digits.
# - Latents save operations and have a floor: [*in latents the same U-Net needs less than a third of the operations*](#5-·-In-latents).

# %% tags=["nbval-ignore-output"]
progress("15b_flows_in_use")

# %% [markdown]
# **Open questions.** Which weight makes the best pictures, and why not the bound's? How could the known half be heard from the first step on, without training anew? How many digits must a network of this size see before its nearest neighbours tell nothing?
#
# **References.** Sohl-Dickstein et al. 2015, *Deep unsupervised learning using nonequilibrium thermodynamics*: section 2, the chain. Ho, Jain and Abbeel 2020: the weight left out. Kingma et al. 2021, *Variational diffusion models*: section 3 and 4, (15b.4), and that only SNR counts. Theis, van den Oord and Bethge 2016: (15b.7). Song et al. 2021: section 4.3, (15b.6). Lugmayr et al. 2022, *RePaint*: algorithm 1. Carlini et al. 2023, *Extracting training data from diffusion models*. Rombach et al. 2022, *High-resolution image synthesis with latent diffusion models*: sections 3.1 and 4.1.
