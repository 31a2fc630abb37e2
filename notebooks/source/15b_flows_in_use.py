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
# Chapter 15 drew pictures. The same velocity also gives a bound on the probability of an image and an exact density, it fills in half a picture, and it can run in another space than that of pixels. Here a flow gets chapter 12's small digits and that chapter's clock, a planned 40 seconds of one core, so that it may be put beside the three families.
#
# Below, a digit with less and less noise, and what each stretch of the way costs whoever sends it. The area between the two lines is bits that the flow needs: most of it lies where the signal already outweighs the noise.

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
# **Needs** chapters 12 and 15; no later chapter needs it. **Time** 45 minutes to read, 35 for the exercises; the cells run in about 30 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | data: a point, an image made continuous | (1,), (196,) |
# | $p, q$ | the model's distribution; the noising's | |
# | $\epsilon$ | standard normal noise | as $x$ |
# | $\mu, \sigma$ | a mean; noise's share $\sigma(t)$ | |
# | $k$ | grey levels of the pixels, 0 to 7 | (196,) |
# | $t$ | time, 0 noise, 1 data | |
#
# Each $x_t$ by itself is chapter 15's $\alpha(t)\,x + \sigma(t)\,\epsilon$; hats mark guesses. *Level* alone means one of noise; pixels have *grey levels*.

# %% tags=["nbval-ignore-output"]
import itertools
import math

from course_lib.chapters.ch15b_flows_in_use import small_flow as own
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.diffusion.guidance import network_velocity
from course_lib.diffusion.inpainting import inpaint
from course_lib.diffusion.latent import Autoencoder, autoencoder_step, draw_images, encode_all, scale_of
from course_lib.diffusion.levels import dequantise
from course_lib.diffusion.likelihood import divergence, flow_log_likelihood
from course_lib.diffusion.mixtures import Mixture, exact, log_density
from course_lib.diffusion.paths import COSINE, STRAIGHT
from course_lib.diffusion.samplers import ddim_step, euler, even_times, fresh_noise
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
# Give chapter 06's VAE many latents in a row: $x_{t_0}$, which is noise, and $T$ more, $x_{t_1},\dots,x_{t_T}$, each less noisy than the last. The encoder $q$ is nothing but the noising. The decoder $p$ goes from level to level and at last to $x$. The chain's bound is (Sohl-Dickstein et al. 2015)
#
# $$-\log p(x)\le\mathrm{KL}\big(q(x_{t_0}|x)\,\|\,\mathcal N(0,1)\big)+\sum_{i=1}^T\mathrm{E}\,\mathrm{KL}\big(q(x_{t_i}|x_{t_{i-1}},x)\,\|\,p(x_{t_i}|x_{t_{i-1}})\big)-\mathrm{E}\log p(x|x_{t_T}).\tag{15b.1}$$
#
# The first term is 0 where $\alpha(t_0)=0$ and $\sigma(t_0)=1$. In the last, $p(x|x_{t_T})$ is $\mathcal N(x_{t_T}/\alpha,\sigma^2/\alpha^2)$: the price of $x$ when next to no noise is left. The middle sums KLs between Gaussians.
#
# In one level write $\alpha,\sigma$ for its noisy end, $\alpha',\sigma'$ for the other, and $\kappa=(\alpha/\sigma)^2/(\alpha'/\sigma')^2<1$. The noisy end is the cleaner one times $\alpha/\alpha'$, plus new noise. By Bayes' rule, as for chapter 15's fresh noise, $x_{t_i}$ given $x_{t_{i-1}}$ and $x$ has
#
# $$\text{variance }\sigma'^2(1-\kappa),\qquad\text{mean }\alpha'(1-\kappa)\,x+\text{something times }x_{t_{i-1}}.\tag{15b.2}$$

# %% tags=["hide-input"]
show(pictures.chain(),
     alt="Diagram: boxes in a row, from noise at time 0 over ever less noisy levels to the data. Arrows "
         "of the decoder p lead from each to the next; arrows of the noising q lead back from the data.")

# %%
now, then = number(0.4), number(0.55)
(alpha, sigma), (alpha2, sigma2) = STRAIGHT.at(now)[:2], STRAIGHT.at(then)[:2]
kappa = (alpha / sigma) ** 2 / (alpha2 / sigma2) ** 2
# the noise in x_now = (α/α') x_then + new noise, and that in x_then, 400,000 times
noise_now, noise_then = own.noises_of_a_level((alpha, sigma), (alpha2, sigma2), 400_000, seed(0))
slope = (noise_then * noise_now).mean() / (noise_now**2).mean()
left = (noise_then - slope * noise_now).var()
claim("the variance of (15b.2) is that of 400,000 drawn pairs, within five standard errors, and chapter "
      "15's fresh noise", abs(left / (sigma2**2 * (1 - kappa)) - 1) < 5 * math.sqrt(2 / 400_000)
      and abs(fresh_noise(now, then, STRAIGHT) ** 2 - sigma2**2 * (1 - kappa)) < 1e-12)
claim("and in its mean x counts α'(1 − κ) times, within 0.005",
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
# How loose is the bound (15b.1)? Take two bells, where the best guess is known, and levels whose $\log(\alpha/\sigma)$ is evenly spaced from −4 to 5. On average over $x$ the bound cannot go below the entropy. **Guess:** by how many nats is it above it with 10 levels? And by which factor does this gap shrink from 100 levels to 1,000?

# %% tags=["nbval-ignore-output"]
guess("gap", ...)

# %%
def spaced(levels, path):
    """Return t = 0 and then levels times with evenly spaced log(α/σ)."""
    ratio = torch.linspace(-4, 5, levels, dtype=f64).exp()  # α/σ
    t = ratio / (1 + ratio) if path is STRAIGHT else 2 / math.pi * torch.atan(ratio)
    return torch.cat([number([0.0]), t])

log_p = log_density(bells, grid, torch.ones(len(grid), dtype=f64), STRAIGHT)
entropy = -(log_p.exp() * log_p).sum().item() * step
gaps = [bound(spaced(levels, STRAIGHT), STRAIGHT) - entropy for levels in (10, 100, 1000)]
claim("two bells: 10 levels are 3 to 12 nats above the entropy, 1,000 less than 0.05, and from 100 to "
      "1,000 the gap falls by a factor of 9 to 11", 3 < gaps[0] < 12 and 0 < gaps[2] < 0.05
      and 9 < gaps[1] / gaps[2] < 11, guessed="gap", gaps=gaps)
claim("with the same ratios α/σ another path has the same bound, to 1e-6 nats",
      abs(bound(spaced(100, COSINE), COSINE) - bound(spaced(100, STRAIGHT), STRAIGHT)) < 1e-6)

# %% [markdown]
# A level costs half of what the **signal-to-noise ratio** $\mathrm{SNR} = \alpha^2/\sigma^2$ gains in it, times the squared error. With ever more levels the sum becomes an integral:
#
# $$-\log p(x) \le \tfrac12 \int \mathrm{E}\|x - \hat x\|^2\, d\,\mathrm{SNR} \;+\; \text{the last term}. \tag{15b.4}$$
#
# With the best guess nothing is lost in the limit (Kingma et al. 2021), and the path does not matter, only its SNR. So diffusion and flow matching are **two theories with one loss**: both guess the data from $x_t$, and they differ in the weight. Which weight has ours? On straight paths $\mathrm{SNR} = t^2/(1-t)^2$, and $x - \hat x = (1-t)(v - \hat v)$ (chapter 15), so
#
# $$\tfrac12\,\|x-\hat x\|^2\,\frac{d\,\mathrm{SNR}}{dt} = \frac{t}{1-t}\,\|v-\hat v\|^2 . \tag{15b.5}$$
#
# Our loss with evenly drawn $t$ has the weight 1 there; to draw times unevenly is a weight, too.

# %%
t = torch.tensor([0.1, 0.5, 0.9, 0.99], dtype=f64, requires_grad=True)
(slope_of_snr,) = torch.autograd.grad(((t / (1 - t)) ** 2).sum(), t)
weight = slope_of_snr / 2 * (1 - t.detach()) ** 2
claim("autograd, too: beside our loss, with even times, the bound weighs times 0.1, 0.5, 0.9, 0.99 by "
      "1/9, 1, 9 and 99",
      torch.allclose(weight, number([1 / 9, 1, 9, 99]), rtol=1e-12))

# %% [markdown]
# ## 2 · The density, in bits
#
# A chain of levels has a bound; the flow itself has an exact density. In a short time $h$ the flow stretches a small volume by the factor $1 + h\,\nabla\cdot v$, the divergence of the velocity. The same probability then fills more room, so along the flow $\log p_t(x_t)$ falls by $h\,\nabla\cdot v$. At $t = 0$ it is a Gaussian's. So follow $x$ back and add up:
#
# $$\log p(x) = \log \mathcal N(x_0; 0, 1) - \int_0^1 \nabla\cdot v(x_t, t)\,dt . \tag{15b.6}$$
#
# An image has 196 derivatives to add. One random probe $\epsilon$ of signs ±1 does instead: $\epsilon\cdot J\epsilon = \sum_{ij} J_{ij}\epsilon_i\epsilon_j$, and as $\epsilon_i\epsilon_j$ is 1 for $i = j$ and 0 on average else, its mean is the trace of the Jacobian $J$ (Hutchinson 1990).

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
# An image of grey levels $k$ has no density but a probability. So spread each over a cell: $x = 2(k+u)/8 - 1$ with uniform $u$ in 0 to 1 for each pixel. The cell's share of a density is a probability, and by Jensen's inequality
#
# $$\log p(k) = \log \mathrm{E}_u\big[p(x)\cdot\text{volume}\big] \ge \mathrm{E}_u \log p(x) + \log \text{volume} . \tag{15b.7}$$

# %% tags=["nbval-ignore-output"]
@exercise("diffusion.bits_per_dimension")
def bits_per_dimension(log_density, dimensions, levels):
    """Return bits a pixel, an upper bound on average, of images with whole grey levels.

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
flow = own.small_flow(train, seed=7, channels=run.pick(quick=32, full=96),
                      depth=run.pick(quick=1, full=2))
net = flow.train(run.pick(quick=short, full=20_000))
size = sum(p.numel() for p in net.parameters())
print(f"{size:,} parameters; {short} steps, the record's trained {record.values['steps']:,}")

# %% [markdown]
# **Guess** about the record's five networks, which trained longer: with 10 steps back in place of 40, are the bits more, fewer, or the same? And where do they lie between independent pixels, 1.07, and chapter 12's Transformer, 0.57?

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

# %%
by_steps = torch.stack([of("middle times", f"bits {steps}") for steps in (10, 20, 40)])
more = by_steps.diff(dim=0)
claim("in each of five trainings 10 steps say fewer bits than 20, and 20 fewer than 40, by 0.01 to 0.02",
      more.min() > 0.01 and more[1].max() < 0.02, guessed="bits", bits=by_steps.mean(1))
on_line = lambda x, t: exact(bells, x, t, STRAIGHT)["velocity"]  # where the truth is known
drawn = bells.sample(4000, seed(3))
knows = log_density(bells, drawn, torch.ones(4000, dtype=f64), STRAIGHT).mean().item()
by_flow = {n: (flow_log_likelihood(on_line, grid, n, 0).exp().sum().item() * step,
               flow_log_likelihood(on_line, drawn, n, 0).mean().item() - knows) for n in (2, 5, 20)}
claim("what 5 steps compute for two bells on a line sums to over 1.05, and says 0.03 to 0.08 nats more "
      "than the true density; with 20 it sums to 1, within 0.001, and says the same, within 0.002",
      by_flow[5][0] > 1.05 and 0.03 < by_flow[5][1] < 0.08 and abs(by_flow[20][0] - 1) < 1e-3
      and abs(by_flow[20][1]) < 2e-3, sums_to=[by_flow[n][0] for n in by_flow],
      too_much=[by_flow[n][1] for n in by_flow])
claim("what 2 steps compute sums to over 1.1, too, but says over 0.2 nats less",
      by_flow[2][0] > 1.1 and by_flow[2][1] < -0.2)

# %% [markdown]
# So few steps may flatter, and did here: what sums to more than 1 is no density, and such bits are no length of a code. (Two steps on the line sum to too much as well, and yet say less than the truth.) A reported figure needs its number of steps, and one with twice as many; ours has 40, and the last doubling still added 0.015.
#
# Now beside chapter 12, in its unit. The record planned the same processor time, but in float32, the families in bfloat16; and chapter 12 chose each recipe by ten trials, the flow had none. All but the Transformer's are bounds: how much Jensen's inequality gives away here is not known. The families' bits are means over 10,000 test digits, the density's over 500, those of a chain of 500 levels, (15b.1), over 200. Pictures take ten of Heun's steps.

# %%
ar, vae = number(families.arm("ar").each("bits")), number(families.arm("vae").each("bits_1000"))
density, chain = of("middle times", "bits 40"), of("middle times", "bits_chain")
claim("by the density each flow's bound is below independent pixels, 1.07 bits, but over 0.2 above "
      "every VAE's bound and over 0.3 above every Transformer", density.max() < 1.065
      and density.min() > vae.max() + 0.2 and density.min() > ar.max() + 0.3,
      density=density, vae=vae.mean(), transformer=ar.mean())
independent = own.independent_bits(train, test[chosen[:200].to(device)])  # the chain's 200 test digits
claim("by the chain it is a tie: its 200 digits cost independent pixels 1.04 bits, and the flows as "
      "much, within 0.02", abs(independent - 1.042) < 1e-3 and (chain - independent).abs().max() < 0.02,
      independent=independent, chain=chain)
frechet = {name: number(families.arm(name).each("frechet_distance")) for name in ("ar", "vae", "gan")}
flows = of("middle times", "frechet_distance")
claim("by the distance every flow's pictures are nearer to real digits than every VAE's, and further "
      "than every GAN's and Transformer's", flows.max() < frechet["vae"].min()
      and flows.min() > max(frechet["gan"].max(), frechet["ar"].max()), flow=flows,
      **{name: each.mean() for name, each in frechet.items()})

# %% tags=["hide-input"]
show(pictures.bits_beside(record, families, independent),
     alt="Bits a pixel of test digits: the flow's bounds by its chain, beside independent pixels on the "
         "same 200, and by its density, below them on 500; further down the VAE and the Transformer.")

# %% [markdown]
# Bits and pictures disagree: more bits than a VAE, nearer pictures. One suspect can be tried, one regression, two weights. The flows so far drew *middle* times, as chapter 15's do (logit-normal); a second arm of the record drew them *evenly*, so spent more of its training near the ends. That moves the chain's bits and the pictures, in opposite directions. It hardly moves the density's, so it does not explain what lies between flow and VAE there; what does, we do not know.
#
# Where are bits paid? As $d\,\mathrm{SNR} = \mathrm{SNR}\,d\log\mathrm{SNR}$, a digit costs by (15b.4) the area under the opening's upper curve, and the last term. Dashed is the cost of the rounding noise $u$ alone. With ever more levels its area and the last term are what the volume in (15b.7) gives back. So what the digit itself costs is the area between.

# %%
spend = of("even times", "bits_chain") - chain
pictures_apart = of("even times", "frechet_distance") - flows
by_density = of("even times", "bits 40") - density
claim("evenly drawn times, not middle ones: fewer bits by the chain and a larger Fréchet distance, both "
      "by over three standard errors of five pairs; by the density less than 0.01 bits apart in each",
      spend.mean() < -3 * error_of(spend) and pictures_apart.mean() > 3 * error_of(pictures_apart)
      and by_density.abs().max() < 0.01, chain=spend, distance=pictures_apart, density=by_density)
places = torch.linspace(-8, 8, 33, dtype=f64)  # log SNR
curves = number(record.arm("middle times").each("curve"))  # (5, 33), nats a pixel
between = curves - own.cell_curve(places)
area = lambda edge: torch.trapezoid(between[:, places >= edge], places[places >= edge])
late = {edge: area(edge) / area(-8) for edge in (0, 3)}
claim("over four fifths of the area between the curves lie where the log SNR is above 0, over half "
      "where it is above 3", late[0].min() > 0.8 and late[3].min() > 0.5,
      above_0=late[0], above_3=late[3])

# %% [markdown]
# ## 3 · The other half
#
# Given the upper half of a digit, draw the lower. A popular recipe uses the flow as it is: at each time put the known half back, made noisy as it would be then, and let the rest take its step. Is that a draw from $p(\text{missing}\mid\text{known})$?
#
# Ask where the truth is known: the two bells in the plane of section 2, with the first coordinate given, 0.6. By Bayes' rule the second then belongs to the upper bell, and lies above 0, in 99 of 100 cases. **Guess:** in how many does replacement put it above 0?

# %% tags=["nbval-ignore-output"]
guess("upper", ...)

# %%
height = lambda centre: math.exp(-((0.6 - centre) ** 2) / (2 * 0.5**2))  # of a bell's density at 0.6
upper_bell = height(1.0) / (height(1.0) + height(-1.0))
above = torch.special.ndtr(number([3.0, -3.0]))  # shares of both bells with a second coordinate above 0
truth = upper_bell * above[0] + (1 - upper_bell) * above[1]
claim("given 0.6, the second coordinate belongs to the upper bell in 99 of 100 cases, and lies above "
      "0 in as many",
      abs(upper_bell - 0.99) < 0.005 and abs(truth - 0.99) < 0.005, upper_bell=upper_bell, above_0=truth)

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
        here, there = STRAIGHT.at(now)[:2], STRAIGHT.at(then)[:2]
        for again in range(jumps):
            x = noise_again(x, draw(), here, there) if again else x
            x = torch.where(mask, here[0] * known + here[1] * draw(), x)  # noisy as it would be now
            x = ddim_step(exact_velocity, x, now, then, STRAIGHT, 1.0, draw())  # with fresh noise
    return x[:, 1]


upper = {jumps: (filled(jumps) > 0).double().mean().item() for jumps in (1, 5, 20)}
claim("replacement goes to the upper bell in 60 to 75 of 100; each step taken 5 times in 78 to 90, 20 "
      "times in 90 to 98", 0.6 < upper[1] < 0.75 and 0.78 < upper[5] < 0.9 and 0.9 < upper[20] < 0.98,
      guessed="upper", replacement=upper[1], five=upper[5], twenty=upper[20])

# %% [markdown]
# Replacement is no conditional draw. Call the known part $y$ and the rest $r$. A step moves $r_t$ as $p(r_t\mid y_t)$ asks, for the network sees $y_t$ alone, the known part with its noise; wanted is $p(r_t\mid y)$. Early on $y_t$ tells next to nothing, and $r_t$ chooses its bell before it could hear of $y$. Later steps hear it, but seldom lead from one bell to the other. Going back gives $r_t$ further chances, at the price of more evaluations. (The Transformer of chapter 12 has no such trouble: given the first pixels, it draws the others from its own conditional.)
#
# The same on chapter 12's 500 halves, with 25 steps. Which class a filled digit has, chapter 12's classifier says; the *seam* is the mean difference, in grey levels, between the rows on both sides of the cut:

# %%
same = {jumps: of("middle times", f"same_class {jumps}") for jumps in (1, 5, 10)}
others = {name: number(families.arm(name).each("same_class")) for name in ("ar", "vae", "gan")}
any_half = families.arm("any half").values["same_class"]
gain = same[10] - same[1]
claim("ten takings of each step keep the class more often than replacement, by over three standard "
      "errors of five pairs; replacement keeps it more often than any digit's half does, 37 of 100",
      gain.mean() > 3 * error_of(gain) and same[1].min() > any_half, replacement=same[1], ten=same[10])
seam = {jumps: of("middle times", f"seam {jumps}") for jumps in (1, 10)}
claim("and their seam is smaller, by over 0.1 grey levels in each training; that of real digits is 0.93",
      (seam[1] - seam[10]).min() > 0.1, replacement=seam[1], ten=seam[10],
      real=families.arm("any half").values["seam_real"])
claim("even ten keep it less often than every Transformer, whose halves are draws from its conditional, "
      "and on average less often than the VAE and the GAN's search", same[10].max() < others["ar"].min()
      and same[10].mean() < min(each.mean() for each in others.values()),
      **{name: each.mean() for name, each in others.items()})

# %% tags=["hide-input"]
known = dequantise(test[chosen[:10].to(device)].float(), 8, seed(0))
mask = (torch.arange(196) < 98).view(1, 14, 14).to(device)
rows = {f"taken {jumps} ×": inpaint(network_velocity(net), known, mask, 25, jumps, STRAIGHT, seed(3))
        for jumps in (1, 10)}
show(pictures.halves(known, rows),
     alt="Three rows of ten digits: real ones; their upper halves with a lower half by replacement, "
         "and with one for which every step was taken ten times.")

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
# The best guess of the data is a mean over the 100, and as the noise goes, one of them gets all the weight. So the loss does not ask for new pictures; they come from what the network cannot fit, or had no time to. How far does that reach? The record trained the recipe as long on 100 and on 1,000 digits. *Nearer* is chapter 12's: how often a sample is closer to a training digit than a test digit is. **Guess** it for each, where ½ means no nearer than new digits are. (Below ½ only says that the samples are unlike the data; the bits of training and test digits tell more.)

# %% tags=["nbval-ignore-output"]
guess("nearer", ...)

# %%
arms = {100: "few / 100", 1000: "few / 1000", 9000: "middle times"}
near = {n: of(arm, "nearer") for n, arm in arms.items()}
claim("with 9,000 digits nearer is below a half in each of five trainings, with 100 above 0.9, with "
      "1,000 in between", near[9000].max() < 0.5 and near[100].min() > 0.9
      and near[9000].max() < near[1000].mean() < near[100].min(), guessed="nearer",
      **{f"n_{n}": each for n, each in near.items()})
copies = {n: of(arm, "copies") for n, arm in arms.items()}
claim("after 100 digits over 20 of 100 samples are nearer to one of them than 99 of 100 test digits "
      "are, after 9,000 fewer than 1 of 100", copies[100].min() > 0.2 and copies[9000].max() < 0.01,
      **{f"n_{n}": each for n, each in copies.items()})
gap = {n: of(arm, "bits_test") - of(arm, "bits_train") for n, arm in arms.items()}
sooner = gap[1000] - gap[9000]
claim("bits tell it, too: after 100 digits test digits cost over 1 bit a pixel more than these 100, "
      "after 9,000 less than 0.03; after 1,000, where nearer says about a half, they cost more than "
      "after 9,000, by over three standard errors of five pairs", gap[100].min() > 1 and gap[9000].max()
      < 0.03 and (near[1000] - 0.5).abs().max() < 0.1 and sooner.mean() > 3 * error_of(sooner),
      **{f"n_{n}": each for n, each in gap.items()})

# %% [markdown]
# ## 5 · In latents
#
# Most bits are paid where the digit can be read already (section 2), and every step of the flow works on all pixels. Rombach et al. (2022) first train an autoencoder, and let the flow run between noise and its *latents*: here 4 × 7 × 7 numbers for 28 × 28 pixels. The autoencoder is a VAE whose KL counts little, 0.02 beside the squares. What is saved is operations, in training and again in each step of sampling. What is lost is what the autoencoder loses: a flow that drew real digits' latents would still show their reconstructions.

# %% tags=["nbval-ignore-output"]
images = to_images(digits.train).to(device)
torch.manual_seed(7)
autoencoder = Autoencoder(channels=4).to(device)
adam = torch.optim.Adam(autoencoder.parameters(), lr=2e-3, betas=(0.9, 0.99))
trained = Trained({"autoencoder": autoencoder}, {"adam": adam}, seed(7))
history = fit(autoencoder_step(autoencoder, adam, kl_weight=0.02), draw_images(images, 64, 4),
              run.pick(quick=200, full=5000), trained, every=50)

# %%
latents = encode_all(autoencoder, images)  # (9000, 4, 7, 7)
scale = scale_of(latents)
held_out = to_images(digits.test[:500]).to(device)
with torch.no_grad():
    again = autoencoder.decode(encode_all(autoencoder, held_out))
left = (again - held_out).square().sum() / (held_out - images.mean(0)).square().sum()
claim("from a quarter of the numbers the short run's decoder leaves less than a quarter of the squares "
      "that the mean image leaves", latents[0].numel() * 4 == images[0].numel() and left < 0.25,
      left=left)
unit = scale.to_unit(latents)
claim("scaled, each channel has mean 0 and standard deviation 1, within 0.001, as the noise has",
      unit.mean((0, 2, 3)).abs().max() < 1e-3 and (unit.std((0, 2, 3)) - 1).abs().max() < 1e-3,
      before=scale.std.flatten())

# %% [markdown]
# Should latents be scaled? What a time $t$ hides depends on $\mathrm{SNR}$ times the data's variance. Latents five times as large are at $t = ½$ as plain as unit ones at $t = 5/6$: times would be drawn in the wrong place. Rombach et al. divide all channels by one number, often each is divided by its own. The record tried latents as they come, each channel at unit variance, and these times a fifth and times five. The control is the same U-Net in pixels, folded as in chapter 15 (whose recipe draws clothes, too: last claim), with as many operations in training, the autoencoder's included; not as many seconds. **Guess** the order of the five.

# %% tags=["nbval-ignore-output"]
guess("scale", ...)

# %%
in_latents = recorded("flows_in_latents")
spreads = number(in_latents.arm("reconstructions").each("std"))  # (5, 4): seeds, channels
names = ("reconstructions", "unit", "as they come", "a fifth", "five times", "pixels")
distance = {name: number(in_latents.arm(name).each("frechet_distance")) for name in names}
above = {name: each - distance["unit"] for name, each in distance.items()}  # in pairs
for name, each in distance.items():
    print(f"{name:>16}: {each.mean():6.2f} ± {error_of(each):.2f}")
claim("to scale channel by channel to unit variance costs distance, in each of five pairs; they came "
      "with a spread of 0.8 to 0.9, the channels' root mean square", above["as they come"].max() < 0
      and all(0.8 < each.square().mean().sqrt() < 0.9 for each in spreads), guessed="scale",
      **{name: each.mean() for name, each in distance.items()})
claim("a fifth of unit scale, and five times unit scale, cost more: over 3 in each of five pairs",
      above["a fifth"].min() > 3 and above["five times"].min() > 3)

# %%
operations = in_latents.values["operations"]
took = lambda name: in_latents.arm(name).each("seconds_per_image")
claim("a training step of the same U-Net takes over three times as many operations in pixels as in "
      "latents, an image over three times as long", operations["pixels"] > 3 * operations["latents"]
      and all(a > 3 * b for a, b in zip(took("pixels"), took("unit"), strict=True)))
claim("for as many operations in training the flow in unit latents is nearer to the test digits than "
      "the one in pixels, by over 3 in each of five pairs", above["pixels"].min() > 3)
claim("the reconstructions of test digits are themselves 0.9 to 1.7 away, and every flow in latents is "
      "further", distance["reconstructions"].min() > 0.9 and distance["reconstructions"].max() < 1.7
      and all((distance[name] > distance["reconstructions"]).all() for name in names[1:-1]))
clothes = recorded("diffusion_digits").arm("fashion", "weight 1.5").each("accuracy")
claim("chapter 15's recipe draws clothes, too: with guidance 1.5 a classifier sees the garment asked "
      "for in over 90 of 100, in each of five trainings", min(clothes) > 0.9, accuracy=clothes)

# %% [markdown]
# ## What stays
#
# - Diffusion is a VAE with many levels: [*1,000 less than 0.05*](#Exercise:-what-a-level-costs) nats above two bells' entropy, with the exact best guess. Our loss is that, weighed otherwise: [*by 1/9, 1, 9 and 99*](#Exercise:-what-a-level-costs).
# - The flow's density is exact, an image's bits an upper bound, and few steps may flatter: [*10 steps say fewer bits than 20*](#Exercise:-bits-from-a-density).
# - Putting the known half back is no conditional draw: [*replacement goes to the upper bell in 60 to 75 of 100*](#Exercise:-a-step-back), the truth in 99.
# - The loss's minimum copies: [*the best velocity for 100 digits leads each of 40 noises to one of them*](#Question:-a-perfect-network). Whether a network does is measured: [*with 9,000 digits nearer is below a half*](#Question:-a-perfect-network).
# - Latents save operations: [*over three times as many operations in pixels*](#5-·-In-latents). Unit variance is no law: here [*to scale channel by channel to unit variance costs distance*](#5-·-In-latents); a fifth or five times [*cost more*](#5-·-In-latents).

# %% tags=["nbval-ignore-output"]
progress("15b_flows_in_use")

# %% [markdown]
# **Open questions.** Why does the flow need more bits than the VAE? Which weight makes the best pictures, and why not the bound's? How could the known half be heard from the first step on, without training anew? Why did unit variance cost distance?
#
# **References.** Sohl-Dickstein et al. 2015, *Deep unsupervised learning using nonequilibrium thermodynamics*: section 2, the chain. Ho, Jain and Abbeel 2020: no weight. Hutchinson 1990: the probe. Kingma et al. 2021, *Variational diffusion models*: sections 4 and 5, (15b.4), and that only SNR counts. Theis, van den Oord and Bethge 2016: (15b.7). Song et al. 2021, *Score-based generative modeling through stochastic differential equations*: section 4.3, (15b.6); appendix I.2, replacement. Lugmayr et al. 2022, *RePaint*: algorithm 1. Rombach et al. 2022, *High-resolution image synthesis with latent diffusion models*: sections 3.1 and 4.1; appendix D.1, what the scale does.
