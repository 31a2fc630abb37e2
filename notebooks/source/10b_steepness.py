# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10b · Steepness
#
# **How steep does a discriminator want to be, and who can hold it back?**
#
# Chapter 10 charged a discriminator for its slope, with R1. This optional chapter asks where the steepness comes from, and looks at three other
# ways to forbid it. Each is tried on a task whose answer is known exactly: the best critic of slope 1 between two clouds
# rises evenly from one to the other. Below is what the best discriminator *without* a limit does as the clouds get thin. No later chapter relies
# on this one.

# %% tags=["hide-input"]
from course_lib.chapters.ch10b_steepness import figures as pictures
from course_lib.classroom.figures import show

show(pictures.thin_clouds(),
     alt="Belief of the best discriminator between fakes around 0 and data around 2, for clouds of "
         "standard "
         "deviation 1, 0.5 and 0.25: the thinner the clouds, the steeper the edge half-way.")

# %% [markdown]
# Afterwards you can
#
# - compute how steep the best discriminator between two clouds is;
# - find a matrix's largest singular value by power iteration, and say why a convolution needs more care;
# - write a gradient penalty that trains, and say which slope it really asks for.
#
# **Needs** chapters 09 and 10. **Time** 40 minutes to read and run, 30 for the exercises; the cells take about 20 seconds on two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $l$ | logit | (batch,) |
# | $D$ | in section 1 $\sigma(l)$; from section 2 on a critic's output, without $\sigma$ | (batch,) |
# | $\mu, \sigma$ | distance of two clouds (no multiplier here), their standard deviation; $\sigma(l)$ is the function | |
# | $W$ | a layer's weight | (rows, columns) |
# | $u, v$ | its singular vectors | (rows,), (columns,) |
# | $\hat x$ | a point between a real and a fake one | (features,) |
# | $\lambda$ | weight of a penalty (no eigenvalue here) | |
# | $W_1$ | Wasserstein distance (chapter 09) | |

# %% tags=["nbval-ignore-output"]
import torch
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.gan import losses, penalties
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · How steep it wants to be
#
# Take fakes from a Gaussian around 0 and data from the same Gaussian around $\mu$, both with standard deviation $\sigma$. The best discriminator's logit
# is $\log p(x) - \log q(x)$ (chapter 09). The squares of $x$ cancel:
#
# $$l^\star(x) = \frac{x^2 - (x - \mu)^2}{2\sigma^2} = \frac{\mu}{\sigma^2}\Big(x - \frac\mu2\Big). \tag{10b.1}$$
#
# It is a straight line of slope $\mu/\sigma^2$. **Guess:** for $\mu = 2$ and $\sigma = \tfrac14$, what is the slope, and what belief
# $D = \sigma(l)$ does a fake at 0 get?

# %% tags=["nbval-ignore-output"]
guess("slope_of_the_best", ...)

# %%
def best_logit(x, mu, sigma):
    """Return log p − log q of two Gaussians, by PyTorch's densities."""
    q, p = torch.distributions.Normal(0.0, sigma), torch.distributions.Normal(mu, sigma)
    return p.log_prob(x) - q.log_prob(x)


x = torch.linspace(-1, 3, 41, dtype=f64, requires_grad=True)
logits = {sigma: best_logit(x, 2.0, sigma) for sigma in (1.0, 0.5, 0.25)}
slope = {sigma: torch.autograd.grad(l.sum(), x, retain_graph=True)[0] for sigma, l in logits.items()}
claim("the best logit has slope μ/σ² everywhere: 2, 8 and 32",
      all((slope[sigma] - 2 / sigma**2).abs().max() < 1e-9 for sigma in slope),
      guessed="slope_of_the_best", slope=slope[0.25][0],
      belief=best_logit(torch.zeros((), dtype=f64), 2.0, 0.25).sigmoid())
fake = torch.zeros((), dtype=f64, requires_grad=True)
thin = best_logit(fake, 2.0, 0.25)[None]
middle = torch.tensor([0.0, 0.5], dtype=f64, requires_grad=True)
both = losses.OBJECTIVES["nonsaturating"].generator(best_logit(middle, 2.0, 0.25)) * 2
pulls = {name: -torch.autograd.grad(losses.OBJECTIVES[name].generator(thin), fake, retain_graph=True)[0]
         for name in ("minimax", "nonsaturating")}
claim("on a fake at 0 minimax then pulls with less than 10⁻¹¹, the non-saturating loss with nearly 32",
      0 < pulls["minimax"] < 1e-11 and abs(pulls["nonsaturating"] - 32) < 1e-9)
claim("and with nearly 32 on one at 0.5 too",
      (-torch.autograd.grad(both, middle)[0] - 32).abs().max() < 1e-4)

# %% [markdown]
# Halve the clouds, and the best discriminator is four times as steep. So the generator gets a push that is nearly nothing or very large, by its loss; and the large one
# is the same for a fake half-way as for one behind.
#
# ## 2 · Three ways to forbid it
#
# A **critic** $D$ says a number without $\sigma$. Chapter 09 has shown that the best critic of slope at most 1 finds the Wasserstein distance $W_1$. How does one hold a network to
# slope 1?
#
# - **Clip** each weight to $[-c, c]$ after each step (Arjovsky et al. 2017).
# - **Penalise** $(\|\nabla D(\hat x)\| - 1)^2$ at points $\hat x$ between real and fake (Gulrajani et al. 2017).
# - **Normalise**: divide each weight matrix by the most it can stretch, its largest singular value (Miyato et al. 2018).

# %% [markdown]
# The third rests on a chain. By the chain rule the gradient of a network is a product of its weights and of the slopes of its activations, and a product
# stretches no more than its factors do, one after the other:
#
# $$\|\nabla D(x)\| \le \prod_{\text{layers}} \|W\|, \qquad \|W\| = \max_{v \ne 0} \frac{\|W v\|}{\|v\|}, \tag{10b.2}$$
#
# where activations such as ReLU have slope at most 1. With every $\|W\| = 1$ the network is nowhere steeper than 1. The bound
# need not be reached: one layer may stretch a direction that the next one drops.
#
# **Guess:** a random network with three layers of 64, each divided by its norm. How steep is it, typically?

# %% tags=["nbval-ignore-output"]
guess("typical_slope", ...)

# %%
generator = torch.Generator().manual_seed(0)
random = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)


def network(x, weights):
    for i, W in enumerate(weights):
        x = (F.leaky_relu(x, 0.2) if i else x) @ W.T
    return x[:, 0]


x = random(1000, 64).requires_grad_()
one = torch.eye(64, dtype=f64)
stacks = [random(64, 64), random(64, 64), random(1, 64)], [2 * one, 3 * one, 4 * one[:1]]
unit = [[W / torch.linalg.matrix_norm(W, 2) for W in stack] for stack in stacks]
steep, straight = (torch.autograd.grad(network(x, W).sum(), x)[0].norm(dim=1) for W in unit)
claim("with three layers of norm 1 no slope passes 1, and multiples of the identity reach it",
      steep.max() <= 1 and abs(straight.max() - 1) < 1e-12)
claim("a random normalised network is far flatter: its median slope is below a third",
      steep.median() < 1 / 3, guessed="typical_slope", median=steep.median())

# %% [markdown]
# ## 3 · The largest singular value
#
# Normalising needs $\|W\|$ in every step, and a full decomposition is slow. Take any vector $u$ and go to and fro: $v \leftarrow W^\top u$, then $u \leftarrow W v$, each brought back
# to length 1. A round multiplies the part of $u$ along the $i$-th singular vector by its singular value squared, so the largest wins; in the end $u^\top W v = \|W\|$.
# This is **power iteration**. Training keeps $u$ and takes one round a step, because the weights move little in between.
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
    # decide what stands inside torch.no_grad() and what outside
    ...

# %%
W, u = random(20, 30), random(20)
singular = torch.linalg.svdvals(W)
errors = [1 - (power_iteration(W, u, n)[0] / singular[0]).item() for n in (1, 10, 100, 300)]
rounded = [round(error, 12) for error in errors]
claim("it comes from below, and after 300 rounds it is the SVD's number to 1e-9",
      rounded == sorted(rounded, reverse=True) and errors[0] > 0.01 and abs(errors[-1]) < 1e-9)
leaf = W.clone().requires_grad_()
by_weight = lambda sigma: torch.autograd.grad(sigma, leaf)[0]
true = by_weight(torch.linalg.matrix_norm(leaf, 2))
off = {n: (by_weight(power_iteration(leaf, u, n)[0]) - true).abs().max() for n in (1, 300)}
claim("its gradient by the weight is that of the true norm to 1e-10 then, and not after one round",
      off[300] < 1e-10 and off[1] > 0.05, after_1=off[1])
_, u_one, v_one = power_iteration(leaf, u, 1)
claim("after one round it is u vᵀ: it does not go through the iteration",
      torch.allclose(by_weight(power_iteration(leaf, u, 1)[0]), torch.outer(u_one, v_one), atol=1e-12))

# %% [markdown]
# ### Exercise: a convolution is not its kernel
# *difficulty 3/5 · importance 4/5 · 8 minutes*
#
# A convolution is a linear map of images, so it has a norm. Its kernel is no matrix; spectral normalisation reshapes it to (out, in · height · width) and takes the norm of
# *that*: the stretch of one window. For a 3 × 3 kernel with stride 1, the convolution's own norm, in units of the reshaped one, is: `smaller`, `equal`, `between_1_and_3`,
# `between_1_and_9` or `unbounded`?

# %% tags=["nbval-ignore-output"]
answer("gan.reshaped_norm", ...)

# %%
def as_matrix(kernel, side, stride, padding):
    """Write a convolution as the matrix that it is: what it makes of each single pixel."""
    pixels = torch.eye(kernel.shape[1] * side**2, dtype=f64).view(-1, kernel.shape[1], side, side)
    return F.conv2d(pixels, kernel, stride=stride, padding=padding).flatten(1).T


norms = {}
for name, size, stride in (("1 × 1", 1, 1), ("3 × 3", 3, 1), ("4 × 4, stride 2", 4, 2)):
    kernel, padding = random(4, 3, size, size), (size - 1) // 2
    true = torch.linalg.svdvals(as_matrix(kernel, 8, stride, padding))[0].item()
    power = penalties.convolution_norm(kernel, 8, stride, padding, steps=2000).item()
    norms[name] = torch.linalg.matrix_norm(kernel.flatten(1), 2).item(), true, abs(power / true - 1)
nine = torch.ones(1, 1, 3, 3, dtype=f64)  # all ones: a blur that adds up nine pixels
blur = torch.linalg.svdvals(as_matrix(nine, 24, 1, 1))[0] / nine.norm()

# %%
claim("power iteration with the convolution and its transpose finds the matrix's norm to 1e-5",
      max(error for _, _, error in norms.values()) < 1e-5)
(a, b, _), *larger = norms.values()
claim("for 1 × 1 kernels the two norms agree", abs(b / a - 1) < 1e-12)
claim("the larger kernels stretch more than the reshaped norm says, at most √(windows that hold a "
      "pixel) times",
      all(1.05 * a < b <= a * most for (a, b, _), most in zip(larger, (3, 2), strict=True)), norms=norms)
claim("a blur of nine ones on 24 × 24 pixels comes close to the bound 3", 2.9 < blur < 3, factor=blur)

# %% [markdown]
# Why these bounds? Let $K$ be the reshaped kernel and $x_w$ the pixels of window $w$. The output's squared length is a sum over windows:
#
# $$\sum_w \|K x_w\|^2 \le \|K\|^2 \sum_w \|x_w\|^2 \le 9\,\|K\|^2\,\|x\|^2, \tag{10b.3}$$
#
# because no pixel stands in more than nine windows of a 3 × 3 kernel. And it is never smaller: fill one window alone with what $K$ stretches most. A ‘spectrally normalised’ convolution may therefore
# still stretch threefold. (Sedghi, Gupta and Long 2019 give all its singular values, for periodic borders.)

# %% [markdown]
# ## 4 · The penalty, and what it asks for
#
# The penalty looks at points $\hat x = t\,x_\text{real} + (1 - t)\,x_\text{fake}$, with $t$ drawn evenly from $[0, 1]$. On the line from a fake to the data point that the cheapest
# transport carries it to, the best critic has slope exactly 1 (Gulrajani et al. 2017, proposition 1). The penalty takes random pairs in their place; for the shifted clouds below every line will do.
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
    # one gradient and one norm for each example; the weights must feel it
    ...

# %% [markdown]
# But a penalty is no wall. Take the critics $D(x) = a\,x_1$ for data that are the fakes moved by $W_1$ along $x_1$. With the penalty's weight $\lambda$, what such a critic maximises is
#
# $$a\,W_1 - \lambda\,(a - 1)^2, \qquad \text{best at } a = 1 + \frac{W_1}{2\lambda}. \tag{10b.4}$$
#
# **Guess:** with $W_1 = 2$ and the usual $\lambda = 10$, which distance does the best of these critics report?

# %% tags=["nbval-ignore-output"]
guess("reported_distance", ...)

# %%
f64_device = run.float64_device


def clouds(n, generator):
    """Return real and fake points, (n, 2) each: the same shape, two units apart."""
    real, fake = (0.5 * torch.randn(2, n, 2, dtype=f64, generator=generator)).to(f64_device)
    return real + torch.tensor([2.0, 0.0], dtype=f64, device=f64_device), fake


real, fake = clouds(4000, torch.Generator().manual_seed(99))
t = torch.linspace(0, 1, 4000, dtype=f64, device=f64_device)


def drawn_to(a, weight):
    """Return the derivative by a of what the critic a·x₁ maximises, W₁ = 2 taken as known."""
    a = torch.tensor(a, dtype=f64, device=f64_device, requires_grad=True)
    worth = 2 * a - weight * gradient_penalty(lambda x: a * x[:, 0], real, fake, t)
    return torch.autograd.grad(worth, a)[0].item()


def favoured(weight):
    """Return where the derivative is 0; it is linear in a."""
    low, high = drawn_to(1.0, weight), drawn_to(1.2, weight)
    return 1 + 0.2 * low / (low - high)


claim("of the critics a·x₁ the penalty favours a = 1 + W₁/2λ: 1.1, which reports 2.2, and with ten "
      "times "
      "the weight 1.01", abs(favoured(10.0) - 1.1) < 1e-6 and abs(favoured(100.0) - 1.01) < 1e-6,
      guessed="reported_distance", distance=2 * favoured(10.0))

# %% [markdown]
# ## 5 · Three critics on one task
#
# Now networks. Fakes lie around $(0, 0)$ and data of the same shape around $(2, 0)$: $W_1 = 2$ exactly, and $D(x) = x_1$ is a best critic. A critic has two hidden layers of 64 and maximises
# $\mathrm{E}[D(\text{real})] - \mathrm{E}[D(\text{fake})]$. Five seeds for each way, which start from the same networks.

# %%
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
                norm, self.u[i], _ = penalties.power_iteration(W, self.u[i])
                W = W / norm
            x = (F.leaky_relu(x, 0.2) if i else x) @ W.T + b
        return x[:, 0]

# %%
def train_critic(kind, seed, steps, clip=0.05):
    """Train with the library's penalty and power iteration; the penalty's weight is 10."""
    generator = torch.Generator().manual_seed(seed)
    D = Critic(kind, generator)
    optimizer = torch.optim.Adam(D.weights + D.biases, lr=2e-3, betas=(0.0, 0.9))
    for _ in range(steps):
        real, fake = clouds(128, generator)
        loss = losses.wasserstein_critic_loss(D(real), D(fake))
        if kind == "penalty":
            mix = torch.rand(128, generator=generator).double().to(f64_device)
            loss = loss + 10 * penalties.gradient_penalty(D, real, fake, mix)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for p in D.weights + D.biases if kind == "clip" else ():
            p.data.clamp_(-clip, clip)
    return D

# %% [markdown]
# **Guess:** which of the three comes nearest to 2?

# %% tags=["nbval-ignore-output"]
guess("nearest_critic", ...)

# %%
run.expect("fifteen critics of 1,000 steps", minutes=1)
steps = run.pick(quick=300, full=1000)
critics = {kind: [train_critic(kind, seed, steps) for seed in range(5)]
           for kind in ("clip", "penalty", "spectral")}
between = torch.lerp(fake, real, t[:, None]).requires_grad_()
steepness = lambda D: torch.autograd.grad(D(between).sum(), between)[0].norm(dim=1)
with torch.no_grad():
    found = {kind: torch.stack([D(real).mean() - D(fake).mean() for D in critics[kind]]).cpu()
             for kind in critics}
slopes = {kind: torch.stack([steepness(D) for D in critics[kind]]).cpu() for kind in critics}
clipped = torch.stack([torch.cat([W.flatten() for W in D.weights]) for D in critics["clip"]]).abs()
at_limit = (clipped > 0.0499).double().mean(1).cpu()

# %%
off = {kind: (distance - 2).abs() for kind, distance in found.items()}
claim("W₁ is 2: in five seeds of five the critic clipped at 0.05 finds less than half of it, the "
      "normalised one all of it within 3 %", found["clip"].max() < 1 and off["spectral"].max() < 0.06,
      guessed="nearest_critic", **found)
claim("at 4,000 points the normalised critic is nowhere steeper than 1 by more than 1 %, and within "
      "2 % of 1 at 95 % of them",
      slopes["spectral"].max() < 1.01 and slopes["spectral"].quantile(0.05, dim=1).min() > 0.98)
claim("the penalised one passes 1.05 somewhere, in each seed: a penalty is no bound",
      slopes["penalty"].amax(1).min() > 1.05, steepest=slopes["penalty"].amax(1))
claim("training drives over 80 % of the clipped critic's weights to their limits, in every seed",
      at_limit.min() > 0.8, share=at_limit)

# %% tags=["hide-input"]
first = {kind: D for kind, (D, *_) in critics.items()}
show(pictures.three_critics(first, {kind: values[0] for kind, values in slopes.items()}, f64_device),
     alt="Left, three critics along a line: the one clipped at 0.05 is far flatter than the best critic "
         "of slope 1, the other two follow it. Right, their slopes: clipped below 1, "
         "normalised at 1, penalised on both sides of 1.")

# %% [markdown]
# The penalised critics scatter about the 2.2 of (10b.4). The task probably favours normalising: a best critic need only be linear where the points are, with every unit on one side of its kink, and then no norm is lost.
# Section 2's random network shows what a chain can lose. The clipped critic's scale is
# the limit's: another $c$ gives another number.

# %%
wider = [train_critic("clip", seed, steps, clip=0.1) for seed in range(5)]
with torch.no_grad():
    times = torch.stack([D(real).mean() - D(fake).mean() for D in wider]).cpu() / found["clip"]
claim("with limits twice as wide the clipped critic reports more than four times the distance, in "
      "every seed",
      times.min() > 4, times=times)

# %% [markdown]
# ## What stays
#
# - The thinner the clouds, the steeper the best discriminator: [*the best logit has slope μ/σ² everywhere*](#1-·-How-steep-it-wants-to-be).
# - Norms of 1 in every layer bound the slope, and may leave much less: [*with three layers of norm 1 no slope passes 1*](#2-·-Three-ways-to-forbid-it), [*a random normalised network is far flatter*](#2-·-Three-ways-to-forbid-it).
# - The norm of a reshaped kernel is not the convolution's: [*the larger kernels stretch more than the reshaped norm says*](#Exercise:-a-convolution-is-not-its-kernel).
# - A penalty is no bound, and with it the best slope is not 1: [*the penalty favours a = 1 + W₁/2λ*](#Exercise:-the-gradient-penalty), [*the penalised one passes 1.05 somewhere, in each seed*](#5-·-Three-critics-on-one-task).
# - A clipped critic measures its limit too: [*with limits twice as wide the clipped critic reports more than four times the distance*](#5-·-Three-critics-on-one-task).

# %% tags=["nbval-ignore-output"]
progress("10b_steepness")

# %% [markdown]
# **Open questions.** What bound has a network with residual connections, where each layer adds to its input? With which penalty would the best critic have slope 1? How flat is a normalised discriminator
# of images, layer by layer?
#
# **References.** Arjovsky, Chintala and Bottou 2017, *Wasserstein GAN*: section 3 for clipping. Gulrajani et al. 2017, *Improved training of Wasserstein GANs*: algorithm 1, and proposition 1 for
# slope 1. Miyato et al. 2018, *Spectral normalization for generative adversarial networks*: section 2. Sedghi, Gupta and Long 2019, *The singular values of convolutional layers*. Mescheder et al.
# 2018: section 3 compares the penalties on the Dirac-GAN.
