# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · A VAE in use
#
# **What is a trained VAE good for, and where does it fail?**
#
# A model that gives images a probability can do more than make new ones: take noise away, fill gaps, compress, notice what
# does not belong. Below, two of these at once, by the model of chapter 07. By the end each of them has met a rival, and two
# famous sayings about VAEs have met a measurement.

# %%
import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show
from course_lib.datasets.images import binary_test_digits, load_digits
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import runtime
from course_lib.vae.denoising import psnr, residual_variance, vae_denoise
from course_lib.vae.inpainting import gibbs_inpaint

torch.set_num_threads(1)
device = runtime().device  # computes; the CPU draws, so that a seed means the same everywhere
vae = load_digit_vae().to(device).requires_grad_(False)
seed = lambda number: torch.Generator().manual_seed(number)
digits = load_digits()
order = torch.randperm(10_000, generator=seed(0))  # the file goes by writers
test, labels = binary_test_digits().flatten(1)[order].to(device), digits.test_labels[order]
greys, grey_test = ((x.flatten(1) / 255).to(device) for x in (digits.train, digits.test[order]))
some = [(labels == c).nonzero()[0].item() for c in range(10)]  # test digits that show a 0, 1, … 9
normal = lambda *shape, of: torch.randn(*shape, generator=seed(of)).to(device)

# %%
noisy = grey_test[some] + 0.5 * normal(10, 784, of=0)
clean = vae_denoise(vae, noisy, 0.5, residual_variance(vae, greys))
observed = (torch.arange(784, device=device) < 28 * 18).expand(10, -1)  # the lowest ten rows are hidden
filled = gibbs_inpaint(vae, test[some], observed, 1000, seed(1))[2]
hidden = torch.where(observed, test[some], 0.3)
fig, axes = figures.new(2, 2, height=4.5)
panels = ((noisy, "● noise"), (clean, "▲ … taken away"), (hidden, "● rows hidden"),
          (filled, "▲ … and filled in"))
for ax, (pictures, text) in zip(axes.flat, panels, strict=True):
    figures.tiles(ax, pictures, columns=5)
    figures.title(ax, text)
show(fig, alt="Ten digits under heavy noise and the same ten cleaned; ten digits whose lowest ten rows "
              "are hidden and the same ten with these rows drawn by the model.")

# %% [markdown]
# Afterwards you can
#
# - read a VAE as a compressor, and write files with it whose net bits match its ELBO within 2 %;
# - clean and complete images by Bayes' rule, and tell when importance weights have failed;
# - score odd images, show how plain likelihood goes wrong, and correct it;
# - tell four failures of a VAE apart by their numbers.
#
# **Needs** chapters 06 and 07; 01 for codes. **Time** 55 minutes to read, 45 for the exercises; the cells run in about 30 s.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $R$ | rate: the mean KL, nats that $z$ carries | |
# | $D$ | distortion: the mean $-\ln p(x\mid z)$ | |
# | $y$ | a noisy or incomplete image | (n, 784) |
# | $s$ | standard deviation of noise | |
# | $m(z)$ | the decoder's mean image | (784,) |
# | $w, \bar w$ | importance weights; the same, summing to 1 | (k, n) |
# | $u_j, \lambda_j$ | a direction of the data's covariance; the variance along it | (784,), |
# | $r_i$ | mean square of what $m(z)$ misses at pixel $i$ | |
# | ESS | effective sample size, $1/\sum \bar w^2$ | (n,) |
# | AUROC | chance that an odd image scores above a normal one | |

# %% tags=["nbval-ignore-output"]
import math
from functools import partial

import numpy as np
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.records import recorded
from course_lib.datasets.images import binarise, load_fashion
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.runtime import start
from course_lib.training.trained import Trained
from course_lib.vae.models import fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

run = start(seed=0, threads=1)
device = run.device

# %% [markdown]
# ## 1 · Rate and distortion
#
# Minus the ELBO is a sum of two costs. **Distortion** $D = \mathrm E[-\ln p(x\mid z)]$: nats to say the image when $z$ is known. **Rate**
# $R = \mathrm E[\mathrm{KL}(q\,\|\,p)]$: nats that $z$ itself carries. Training on $D + \beta R$ buys the one with the other; at an optimum
# a nat less of distortion costs $1/\beta$ nats of rate (Alemi et al. 2018). A small model was trained with five values of $\beta$, three seeds each.
#
# **Predict:** which $\beta$ gives the best ELBO, and what does the smallest do to samples from the prior?

# %%
record = recorded("vae_in_use")
betas = [0.1, 0.3, 1.0, 3.0, 10.0]
mean = lambda group, name, key: record.arm(group, str(name)).mean(key)
R = [mean("beta", b, "kl") for b in betas]
D = [-mean("beta", b, "recon") for b in betas]
claim("each larger β has less rate and more distortion",
      sorted(R, reverse=True) == R and sorted(D) == D, rate=R, distortion=D)
claim("the best sum R + D is that of β = 1", min(range(5), key=lambda i: R[i] + D[i]) == 2,
      nats=[r + d for r, d in zip(R, D, strict=True)])

# %%
def train(model, greys, steps, seed, beta=1.0):
    """Train on images drawn from greys, 100 a step; return the model in eval mode."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.05,
                                  fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    step = vae_step(model, optimizer, beta=beta, clip=50, bfloat16=bfloat16_pays(device))
    schedule = partial(warmup_then_linear, warmup=0.05, decay=0.95)
    draw = draw_binary(greys, 100, model.latent_dim)
    fit(step, draw, steps, trained, schedule=schedule, progress=False)
    return model.eval().requires_grad_(False)


live_betas = run.pick(quick=[1.0], full=betas)  # one point of the grid or all; a seed of its own
run.expect("a VAE for each of the five β", minutes=2)
validation = binarise(digits.validation, seed(1)).flatten(1).to(device)
live = {}
for beta in live_betas:
    torch.manual_seed(7)
    small = fully_connected_vae(20, 200, mean=greys.mean(0)).to(device)
    train(small, greys, record.values["steps"], seed=7, beta=beta)
    _, recon, kl = small.elbo(validation, normal(1000, 20, of=6))
    live[beta] = kl.mean().item(), -recon.mean().item()

# %%
def near_the_record(beta):
    """Whether the live run of this β lies within the recorded ones, give or take a little."""
    rate, distortion = live[beta]
    rates, recons = (record.arm("beta", str(beta)).each(key) for key in ("kl", "recon"))
    return (min(rates) - 1.5 < rate < max(rates) + 1.5
            and min(recons) - 4 < -distortion < max(recons) + 4)


claim("the live run lies within the recorded ones, give or take 1.5 nats of rate, 4 of distortion",
      all(map(near_the_record, live_betas)), live=list(live.values()))

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
figures.line(left, R, D, figures.BERRY, marker="o")
for b, r, d in zip(betas, R, D, strict=True):
    left.annotate(f"β = {b:g}", (r, d), xytext=(7, 3), textcoords="offset points", fontsize=9.5)
left.plot(*zip(*live.values(), strict=True), "D", color=figures.INK)
left.annotate("this run", live[1.0], xytext=(-30, -18), textcoords="offset points")
left.set(xlabel="rate R (nats)", ylabel="distortion D (nats)", xlim=(-2, 62), ylim=(75, 180))
figures.title(left, "Distortion is bought with rate")
figures.line(right, betas, [r + d for r, d in zip(R, D, strict=True)], figures.BERRY, marker="o")
right.set(xscale="log", xlabel="β", ylabel="R + D = −ELBO (nats)")
figures.title(right, "and only β = 1 minimises the sum")
show(fig, alt="Left, distortion falls as rate rises along five values of β, from 10 to 0.1; the live "
              "run lies on the curve at β = 1. Right, the sum of both has its lowest point at β = 1.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# $\beta = 1$: the sum is the ELBO. With $\beta = 0.1$ images are rebuilt best, but the rate is about three times that of $\beta = 1$: the $q(z\mid x)$ lie far from the
# prior. The decoder has learned from draws of $q$, and a draw from the prior may fall where it has never been. Section 6 measures what becomes of such draws.
# </details>

# %% [markdown]
# ## 2 · The bits are real
#
# Chapter 01 turned probabilities into codes. For a VAE there is a catch: to send $x$ one sends some $z$ first. That costs $-\log_2 p(z) - \log_2 p(x\mid z)$
# bits, more than the ELBO promises, since many $z$ would have done and we paid for choosing one.
#
# **Bits back**: let *other data* choose. Take $-\log_2 q(z\mid x)$ bits from a message that waits to be sent, and decode them to a draw of $z$. The
# receiver, who has $x$ and $z$ in the end, runs that backwards and owns these bits. Net:
#
# $$\mathrm E_q[-\log_2 p(x\mid z) - \log_2 p(z) + \log_2 q(z\mid x)] = -\mathrm{ELBO}/\ln 2 .$$

# %% [markdown]
# It needs a code from which one can take before putting in: a stack. **ANS** (Duda 2009) is one in a single integer. A symbol owns the slots
# `start … start + frequency − 1` of $2^{\text{precision}}$. Pushing it makes the integer larger by the factor $2^{\text{precision}}/\text{frequency}$: longer by the
# symbol's surprise. State modulo $2^{\text{precision}}$ then lies in the symbol's slots, so the decoder can see what it is, and undo the step.
#
# The simplest case is a fair bit, one slot for each value, precision 1: pushing $b$ turns the state into $2\cdot\text{state} + b$. Popping reads $b$ as the state modulo 2,
# and divides by 2. With several slots a symbol may *choose* among its own: it spends the remainder of state / frequency on that, so nothing is lost.
#
# ### Exercise: one ANS step
# *difficulty 3/5 · importance 4/5 · 12 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.ans_step")
def ans_push(state, start, frequency, precision):
    """Return the integer state with one more symbol on it, of probability frequency / 2**precision.

    The symbol owns the slots start … start + frequency - 1 of 2**precision; all are integers.
    Worked value: state = 10, start = 2, frequency = 3, precision = 3 give 27: 3 · 8 + 2 + 1.
    """
    # 1. how many times does frequency go into state, and what is left over?
    # 2. so many whole turns of 2**precision slots
    # 3. then the slot: what was left over, counted from start
    ...

# %% [markdown]
# Bits back by hand: $z$ and $x$ are 0 or 1, $p(z) = \tfrac12$; $p(x{=}1\mid z) = \tfrac18$ or $\tfrac68$, and $q(z\mid x{=}1)$ is $\tfrac18, \tfrac78$. All in eighths,
# precision 3. The message is any large integer. Three moves of the sender:
#
# 1. pop with $q$: the lowest three bits, read as a slot, *are* a draw of $z$. This takes $-\log_2 q$ bits off the message;
# 2. push $x$ with $p(x\mid z)$;
# 3. push $z$ with $p(z)$.
#
# The receiver pops $z$, pops $x$, and pushes $z$ with $q$: the message is whole again. ($q$ is near the posterior, not equal to it: $\tfrac17, \tfrac67$ does not go into eighths.)

# %%
from course_lib.information import ans
from course_lib.vae import bits_back

q = {0: (0, 1), 1: (1, 7)}  # z → slots given x = 1: (start, frequency)
one = {0: (7, 1), 1: (2, 6)}  # slots of x = 1 given z
state = int.from_bytes(b"we meet at noon")  # the message that was waiting, as one integer
z = int(state % 8 >= 1)  # its lowest three bits draw z: here q(1) owns slots 1 … 7
taken = ans.ans_pop(state, *q[z], 3)
sent = ans_push(ans_push(taken, *one[z], 3), 4 * z, 4, 3)  # x given z, then z by the prior
z_back = int(sent % 8 >= 4)
back = ans.ans_pop(ans.ans_pop(sent, 4 * z_back, 4, 3), *one[z_back], 3)
back = ans_push(back, *q[z_back], 3)  # x is known now: the bits go back
claim("the receiver has z and the very message back", z_back == z and back == state)
promised = -math.log2(one[z][1] / 8) - math.log2(4 / 8) + math.log2(q[z][1] / 8)
claim("it grew by −log₂ p(x|z) − log₂ p(z) + log₂ q(z|x) bits, within 10⁻⁶",
      abs(math.log2(sent) - math.log2(state) - promised) < 1e-6)

# %% [markdown]
# For images `ans.compress` does that with 50 latents, each cut into 4,096 bins of equal prior mass, and 784 pixels. 256 stacks run side by side.
# Seed words play the message that waits, 20 of 32 bits a stack. Now 2,000 test digits, there and back:

# %%
n = 2000
words = np.random.default_rng(0).integers(0, 2**32, 256 * 20, dtype=np.uint32)
message = bits_back.compress(vae, test[:n], words)
images, returned = bits_back.decompress(vae, message, n)
claim("all 2,000 images come back exactly, and so do the seed words",
      torch.equal(images.cpu(), test[:n].cpu()) and np.array_equal(returned, words))
ours = (message.bits - bits_back.start_message(words, 256).bits) / n
bounds = [vae.elbo(test[:n], normal(n, 50, of=i))[0].mean().item() for i in range(5)]
promised = -sum(bounds) / 5 / math.log(2)
claim("net bits an image are within 2 % of −ELBO / ln 2", abs(ours / promised - 1) < 0.02,
      bits=ours, promised=promised)

# %% [markdown]
# **Predict:** a one-bit PNG, zlib or lzma for the same pixels: how many bits an image, each file alone and all 2,000 in one?

# %%
from course_lib.information.image_files import file_bits, pack, png_bits

square = test[:n].view(n, 28, 28).cpu()
mosaic = square.view(40, 50, 28, 28).transpose(1, 2).reshape(40 * 28, 50 * 28)  # one picture of all
alone = {"PNG": sum(map(png_bits, square[:200])) / 200}
whole = {"PNG": png_bits(mosaic) / n}
for name in ("zlib", "lzma"):
    alone[name] = sum(file_bits(pack(image), name) for image in square[:200].flatten(1)) / 200
    whole[name] = file_bits(pack(square.flatten(1)), name) / n
claim("net, the VAE needs less than 0.7 of the bits of the best of them, lzma on the whole set",
      ours < 0.7 * min(whole.values()) and min(whole, key=whole.get) == "lzma", **whole, vae=ours)
with_words = message.bits / n  # more than lzma's with 60 words a stack
claim("with the seed words on its bill it needs 0.9 to 1 of lzma's",
      0.9 < with_words / whole["lzma"] < 1, with_words=with_words)
single = bits_back.compress(vae, test[:1], words[:20], lanes=1)
claim("a single stack begins with 20 words, 640 bits in all",
      torch.equal(bits_back.decompress(vae, single, 1)[0], test[:1].cpu()))
claim("one file for each image costs at least twice as much as one file for all",
      all(alone[name] > 2 * whole[name] for name in whole), **alone)

# %%
from course_lib.paths import DATA

weights = 8 * (DATA / "digits_vae.safetensors").stat().st_size
saved = min(whole.values()) - ours
claim("the weights are 2.7 megabytes: for 10,000 images more than 2,000 bits each",
      round(weights / 8e6, 1) == 2.7 and weights / 10_000 > 2000, bits=weights / 10_000)
claim("shipped along, they pay only beyond 150,000 images", weights / saved > 150_000,
      images=weights / saved)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.0)
lengths = {"VAE, net": ours, "VAE, seed words too": with_words}
lengths |= {f"{name}, one file": bits for name, bits in whole.items()}
lengths |= {f"{name}, each alone": bits for name, bits in alone.items()}
bars = ax.barh(list(lengths)[::-1], list(lengths.values())[::-1], color=figures.MUTE, height=0.65)
for bar in bars[-2:]:
    bar.set_color(figures.ORANGE)
ax.bar_label(bars, fmt="%.0f", padding=3, fontsize=9)
ax.axvline(784, color=figures.INK, linewidth=0.8)
ax.text(776, 4.5, "784 raw", ha="right", fontsize=9)
ax.set(xlabel="bits an image, without the decoder's own size", xlim=(0, 1200))
figures.title(ax, "Net, the VAE is far below lzma; with its seed words, just below")
show(fig, alt="Bars of bits an image: the VAE's net bits are fewest, with its seed words it is just "
              "below lzma; then zlib and PNG over all images in one file, then each alone, where PNG "
              "is longer than the raw 784 bits.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A PNG of one digit is *longer* than its raw pixels: headers. In one file lzma learns what it sees; the VAE has learned before: lzma brings no weights.
# Nor does it need a second message. Where none waits, the seed words lengthen the file by 82 bits an image, the price of 256 stacks. The net figure is fair for a codec that is
# installed once and has more to send, not for a single archive.
# </details>

# %% [markdown]
# ## 3 · Noise
#
# Now grey digits and $y = x + s\,n$, $n\sim\mathcal N(0, 1)$ for each pixel. Bayes: $p(x\mid y)\propto p(y\mid x)\,p(x)$, so a better $p(x)$ cleans better. Take a
# Gaussian with the mean and covariance of the training images. Along each direction $u_j$ of the covariance, with variance $\lambda_j$, the posterior is a product of
# two Gaussians, and its mean is
#
# $$\hat x = \bar x + \sum_j \frac{\lambda_j}{\lambda_j + s^2}\, u_j u_j^\top (y - \bar x),$$
#
# the **Wiener filter**. No linear filter has a smaller mean squared error.

# %%
grey = greys.cpu().double()  # in float64, which not every device has
average = grey.mean(0)
variances, directions = torch.linalg.eigh(torch.cov(grey.T, correction=0))
y = grey_test[0].cpu() + 0.4 * torch.randn(784, generator=seed(2))
by_hand = average.clone()
for variance, u in zip(variances, directions.T, strict=True):  # direction by direction
    by_hand += variance / (variance + 0.4**2) * (u @ (y - average)) * u

from course_lib.vae.denoising import fit_wiener

wiener = fit_wiener(greys)
claim("the library's two matrix products give the same",
      torch.allclose(wiener.denoise(y[None].to(device), 0.4)[0].cpu().double(), by_hand, atol=1e-4))

# %% [markdown]
# And the VAE as $p(x)$? Its likelihood is Bernoulli, and a grey image with Gaussian noise is no draw of that. We keep the network and change the likelihood, and say
# so: a grey pixel is $\mathcal N(m_i(z), r_i)$, with $r_i$ the mean square of what the decoder's mean misses at pixel $i$ in training. Then $y_i\mid z\sim\mathcal N(m_i(z), r_i + s^2)$. We climb
# $\ln p(y\mid z) + \ln p(z)$ from $z = 0$, then mix:
#
# $$\hat x_i = m_i(z) + \frac{r_i}{r_i + s^2}\,(y_i - m_i(z)).$$
#
# Quality is given as PSNR, $-10\log_{10}$ of the mean squared error, in decibels: 10 dB more is a tenth of the error, 1 dB about a fifth less.
#
# **Predict:** where does the VAE win against Wiener and a 3×3 median: weak, middle or strong noise?

# %%
from scipy.ndimage import median_filter

x, r = grey_test[:100], residual_variance(vae, greys)
noise, db = [0.05, 0.1, 0.2, 0.4, 0.7, 1.5], {"VAE": [], "Wiener": [], "median": [], "noisy": []}
for s in noise:
    y = x + s * normal(*x.shape, of=3)
    middle = median_filter(y.view(-1, 28, 28).cpu().numpy(), size=(1, 3, 3))
    middle = torch.from_numpy(middle).flatten(1).to(device)
    estimates = {"VAE": vae_denoise(vae, y, s, r), "Wiener": wiener.denoise(y, s), "median": middle,
                 "noisy": y}
    for name, estimate in estimates.items():
        db[name].append(psnr(x, estimate.clamp(0, 1)).mean().item())
    if s == 0.4:
        three = torch.cat([estimates[name][:6] for name in ("noisy", "Wiener", "VAE")])

# %%
ahead = [v - w for v, w in zip(db["VAE"], db["Wiener"], strict=True)]
claim("at s = 0.2 and 0.4 the VAE is more than 1 dB ahead of Wiener", min(ahead[2:4]) > 1, db=ahead)
claim("at 0.05 and at 1.5 they are within 1 dB", max(abs(ahead[0]), abs(ahead[-1])) < 1)
last = [m < min(v, w) for v, w, m, _ in zip(*db.values(), strict=True)]
claim("the median is last of the three everywhere", all(last), **db)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.5, width_ratios=(1, 1.1))
styles = ("^-", figures.ORANGE), ("o-", figures.TEAL), ("D-", figures.BERRY), ("s--", figures.MUTE)
for (name, values), (mark, colour) in zip(db.items(), styles, strict=True):
    axes[0].plot(noise, values, mark, color=colour, label=name)
axes[0].legend(frameon=False, fontsize=9.5)
axes[0].set(xscale="log", xlabel="noise s (full ink is 1)", ylabel="PSNR (dB)")
axes[0].set_xticks(noise, [f"{s:g}" for s in noise])
axes[0].minorticks_off()
figures.title(axes[0], "The VAE wins in the middle")
figures.tiles(axes[1], three, columns=6)
axes[1].set_yticks([15, 45, 75], ["y, s = 0.4", "Wiener", "VAE"], fontsize=9)
axes[1].tick_params(length=0)
show(fig, alt="Left, PSNR against noise for VAE, Wiener, median and the noisy image: the VAE leads in "
              "the middle, the median is below both. Right, six noisy digits, Wiener's grey haloes, and "
              "the VAE's clean strokes.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# In the middle. Weak noise: $y$ is nearly right, and both keep it. Overwhelming noise: the lead is gone. A likely reason, not tested here: little is known of $z$, and one best $z$ is overconfident where an average over many
# would be due. The Wiener filter *is* an average.
# </details>
#
# ## 4 · Gaps
#
# Binary digits again; the lowest rows are hidden. Wanted: $p(x_{\text{hidden}}\mid x_{\text{seen}}) = \int p(x_{\text{hidden}}\mid z)\,p(z\mid x_{\text{seen}})\,dz$. The encoder knows only whole
# images. So let it *propose*, from the image with the mean filled in, and correct by weights $w = p(x_{\text{seen}}\mid z)\,p(z)/q(z)$. $p(x_{\text{seen}})$ is unknown, but cancels if weights are made to sum to 1:
# **self-normalised** importance sampling. How many draws count? With weights $\bar w$ a mean scatters like one of $\mathrm{ESS} = 1/\sum\bar w^2$ equal draws.

# %% [markdown]
# ### Exercise: weights that sum to one
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.self_normalized_weights")
def self_normalized_weights(log_w):
    """Return (weights, ess): w / Σ w over the draws, and the effective sample size 1 / Σ weights².

    log_w (k, n) holds ln w of k draws for each of n images, −2,000 or +2,000 among them;
    returns (k, n) and (n,). Worked value: log_w = [[0.], [ln 3]] gives weights ¼ and ¾, ess 1.6.
    """
    # 1. divide by the sum over the draws without overflow: which function of PyTorch does that?
    # 2. one over the sum of squares, image by image
    ...

# %%
from course_lib.vae.bounds import log_standard_normal, reparameterize


def by_weights(x, observed, k, generator):
    """Return E[pixel | observed] and the effective sample size."""
    mu, logvar = vae.encode(torch.where(observed, x, vae.mean))
    eps = torch.randn(k, *mu.shape, generator=generator).to(device)
    z = reparameterize(mu, logvar, eps)
    logits = vae.decode(z)
    log_seen = (observed * (x * logits - F.softplus(logits))).sum(-1)  # observed pixels alone
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
    weights, ess = self_normalized_weights(log_seen + log_standard_normal(z) - log_q)
    return torch.where(observed, x, (weights[..., None] * logits.sigmoid()).sum(0)), ess


# %%
from course_lib.vae.inpainting import importance_inpaint

theirs, _ = importance_inpaint(vae, test[:5], observed[:5], 20, seed(5))
claim("it is the library's",
      torch.allclose(by_weights(test[:5], observed[:5], 20, seed(5))[0], theirs, atol=1e-4))
rows = [0, 4, 8, 14, 20]
seen = lambda hidden, n: (torch.arange(784, device=device) < 28 * (28 - hidden)).expand(n, -1)
ess = [by_weights(test[:50], seen(hidden, 50), 400, seed(6))[1].median().item() for hidden in rows]
claim("of 400 draws fewer than 30 count if all is seen, fewer than 8 with eight rows hidden or more",
      ess[0] < 30 and max(ess[2:]) < 8, ess=ess)

# %% [markdown]
# Weights have failed: a handful of draws decide. **Metropolis within Gibbs** (Mattei and Frellsen 2018) walks instead. It keeps a whole image and a $z$. In turn: propose $z'$ and
# take it with probability $\min\big(1, \frac{p(x, z')\,q(z\mid x)}{p(x, z)\,q(z'\mid x)}\big)$, else stay; then draw the hidden pixels from $p(x\mid z)$. The fraction is a ratio of two importance
# weights, $w(z')/w(z)$ with $w = p(x, z)/q(z\mid x)$: a better weight is always taken, a worse one sometimes. If the state was a draw from $p(z, x_{\text{hidden}}\mid x_{\text{seen}})$ before a move, it is one after
# it. To *get* there, every state must be in reach, and not in a fixed cycle: true here, as all densities are positive and it may stay. In the long run states are such draws, however poor the encoder is.

# %% [markdown]
# It can still be slow. Ours takes the encoder's proposal at every tenth step, at the others a small random step of $z$: as likely there as back, so $q$ drops out, and $p(x_{\text{seen}}, z)$ alone decides. *Taking every proposal* (Rezende et
# al. 2014) is simpler, and wrong unless $q$ is the posterior.
#
# The *mean image* fills gaps with the training average. **Predict:** which of the three has the smallest squared error, with 4 and with 14 of 28 rows hidden?

# %%
hidden_rows = ["4", "8", "14", "20"]
ways = {"chain": "Metropolis", "all_taken": "all taken", "weights": "weights",
        "mean_image": "mean image"}
error = {way: [mean("rows", name, way) for name in hidden_rows] for way in ways}
claim("with 8, 14 and 20 rows hidden the Metropolis chain beats the weights in all three recorded seeds",
      all(c < w for name in hidden_rows[1:] for c, w in zip(
          record.arm("rows", name).each("chain"), record.arm("rows", name).each("weights"),
          strict=True)), **error)
four = [error[way][0] for way in ("chain", "all_taken", "weights")]
claim("with four rows hidden the three differ by less than 10 %", max(four) < 1.1 * min(four))
claim("taking every proposal lies between the two, on average over seeds",
      all(c < a < w for c, a, w, _ in list(zip(*error.values(), strict=True))[1:]))
of_20 = [record.arm("rows", "20").each(key) for key in ("chain", "mean_image", "weights")]
claim("with 20 rows hidden the weights lose to the mean image, the chain does not, in all three seeds",
      all(c < m < w for c, m, w in zip(*of_20, strict=True)))

# %%
x = test[:20]
by_chain, taken, _ = gibbs_inpaint(vae, x, seen(14, 20), 1500, seed(7))
squared = lambda means: ((means - x) ** 2).sum(1).mean().item()
live = squared(by_chain), squared(by_weights(x, seen(14, 20), 400, seed(8))[0])
claim("live with 14 rows hidden the chain beats the weights on 20 digits", live[0] < live[1],
      chain=live[0], weights=live[1])
several = torch.stack([gibbs_inpaint(vae, test[some], seen(14, 10), 300, seed(20 + i))[2]
                       for i in range(3)])

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.6, width_ratios=(1, 1.15))
for (way, values), (mark, colour) in zip(error.items(), styles, strict=True):
    axes[0].plot(list(map(int, hidden_rows)), values, mark, color=colour, label=ways[way])
axes[0].legend(frameon=False, fontsize=9.5)
axes[0].set(xlabel="hidden rows of 28", ylabel="squared error an image (pixels)")
figures.title(axes[0], "At 20 rows weights lose even to the mean image")
shown = torch.cat([torch.where(seen(14, 10), test[some], 0.3), several.flatten(0, 1), test[some]])
figures.tiles(axes[1], shown, columns=10)
axes[1].set_yticks([15, 75, 135], ["seen", "drawn\nby chain", "truth"], fontsize=9)
axes[1].tick_params(length=0)
figures.title(axes[1], "Three completions of each half")
show(fig, alt="Left, squared error against hidden rows for the Metropolis chain, all proposals taken, "
              "weights and the mean image: weights fall behind the chain as more is hidden. Right, ten "
              "half digits, three completions of each, and the truth.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The chain, from eight rows on. With four hidden all three are about equal. With twenty hidden the weights, a handful of effective draws, are *worse than the mean image*, which knows
# nothing of the digit.
# </details>
#
# ## 5 · What does not belong
#
# A model of digits should find a shoe improbable. Score every image by a bound on $-\ln p(x)$ (chapter 06's, with ten draws of $z$) and ask: how often does an odd image score above a normal one? That is the
# **AUROC**, the area under the curve of hits against false alarms: 1 is perfect, ½ chance.
#
# ### Exercise: AUROC
# *difficulty 2/5 · importance 4/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.auroc")
def auroc(normal, anomalous):
    """Return the probability that a random anomalous score is above a random normal one.

    normal (n,), anomalous (m,): scores, higher is stranger; a tie counts half. Returns a number.
    Worked value: normal = [1., 3.], anomalous = [2., 3., 4.] give 4.5/6 = 0.75.
    """
    # 1. compare every anomalous score with every normal one: (n, m)
    # 2. above counts 1, equal counts ½
    # 3. the mean over all pairs
    ...

# %% [markdown]
# Both directions: the digits' model judges Fashion-MNIST, and a VAE of Fashion-MNIST, trained here for 400 steps, judges digits. All binary. **Predict** both AUROCs.

# %%
fashion = load_fashion()
clothes = binarise(fashion.test[:1000], seed(0)).flatten(1).to(device)
torch.manual_seed(0)
fashion_greys = (fashion.train.flatten(1) / 255).to(device)
of_fashion = fully_connected_vae(20, 200, mean=fashion_greys.mean(0)).to(device)
of_fashion = train(of_fashion, fashion_greys, 400, seed=0)
score = lambda model, x: -log_likelihood(model, x, 10, seed(9)).cpu()
digit_model = score(vae, test[:1000]), score(vae, clothes)
fashion_model = score(of_fashion, clothes), score(of_fashion, test[:1000])
claim("the digits' model tells clothes from digits: AUROC above 0.99", auroc(*digit_model) > 0.99,
      auroc=auroc(*digit_model))
claim("the clothes' model finds digits MORE probable than clothes: AUROC below 0.45",
      auroc(*fashion_model) < 0.45, auroc=auroc(*fashion_model))
logits = vae.decode(normal(200, 50, of=10))  # z from the prior: a bound, too
terms = clothes @ logits.T - F.softplus(logits).sum(1)
by_prior = math.log(200) - terms.logsumexp(1)
claim("as −ln p(x) a score can be absurd: beyond a million nats for some clothes, where z from the "
      "prior shows that 5,000 are enough", digit_model[1].max() > 1e6 and by_prior.max() < 5000)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.2)
named = (("The digits' model: clothes stand out", digit_model, ("digits", "clothes"), 1200),
         ("The clothes' model: digits look MORE normal", fashion_model, ("clothes", "digits"), 500))
for ax, (text, (own, odd), words_, top) in zip(axes, named, strict=True):
    edges = np.linspace(0, top, 60)
    ax.hist(figures.values(own.clamp(max=top)), edges, color=figures.BLUE, alpha=0.6,
            label=f"{words_[0]} (its own)")
    ax.hist(figures.values(odd.clamp(max=top)), edges, color=figures.ORANGE, histtype="step",
            linewidth=1.8, label=f"{words_[1]} (odd)")
    ax.legend(frameon=False, fontsize=9.5)
    ax.set(xlabel="score (nats; the last bar holds all above)", ylabel="images")
    figures.title(ax, text)
show(fig, alt="Left, scores of the digits' model: clothes lie far above digits. Right, scores of the "
              "clothes' model: digits, which it has never seen, lie mostly below clothes.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Almost 1, and *worse than chance*. Nothing is broken: Nalisnick et al. (2019) found it in flows, VAEs and PixelCNNs alike. $-\ln p(x)$ measures how many nats an image needs, and simple
# images need few under any good model. A digit is mostly paper: 13 % ones against 28 %.
# </details>
#
# So subtract what an image needs under a code that knows nothing of clothes. Serrà et al. (2020) take a PNG's length: score $- L_{\text{PNG}}(x)\ln 2$. Nalisnick et al. (2019b) propose **typicality** instead: how far is
# the score from its usual value, up *or* down?

# %%
def png_nats(x):
    """Return the length of each image as a PNG, in nats."""
    bits = [float(png_bits(image)) for image in x.cpu().view(-1, 28, 28)]
    return math.log(2) * torch.tensor(bits)


complexity = [s - png_nats(x) for s, x in zip(fashion_model, (clothes, test[:1000]), strict=True)]
usual = score(of_fashion, binarise(fashion.validation, seed(3)).flatten(1).to(device)).mean()
typicality = [(s - usual).abs() for s in fashion_model]
ones = clothes.sum(1), test[:1000].sum(1)
claim("digits have 13 % ones, clothes 28 %, and counting them does no better: AUROC below 0.2",
      [round(100 * x.mean().item() / 784) for x in ones] == [28, 13] and auroc(*ones) < 0.2)
claim("less a PNG's length the AUROC is above 0.85", auroc(*complexity) > 0.85, auroc=auroc(*complexity))
claim("typicality, one image at a time, stays below 0.6", auroc(*typicality) < 0.6,
      auroc=auroc(*typicality))
five = record.arm("odd", "fashion").values
claim("and so it is for five recorded training seeds", max(five["likelihood"]) < 0.45
      and min(five["complexity"]) > 0.85 and max(five["typicality"]) < 0.6, **five)

# %% [markdown]
# Typicality was proposed for *sets* of images, whose mean score scatters less; for single images it is no better than chance here.
#
# An AUROC below ½, with the score's sign turned, is above ½: counting ones would then reach more than 0.8. Why not turn it? Because one must know the odd images first: the digits' model needs the other
# sign, and turned round would fall from above 0.99 to below 0.01.
#
# ## 6 · What breaks
#
# **The KL too early.** At the first step $z$ says nothing, so every nat of KL is a price without a return, and training pushes $q$ to the prior. Some latents may never come back. The usual
# cure: **warm-up**, the KL's weight rising from 0 to 1 (Bowman et al. 2016; Sønderby et al. 2016).
#
# ### Exercise: warm-up
# *difficulty 1/5 · importance 4/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.kl_warmup")
def kl_warmup(step, steps):
    """Return the weight of the KL at a step, 0, 1, 2 …: a straight line from 0 to 1 in steps steps.

    From then on it is 1; steps = 0 is no warm-up, weight 1 from the beginning. Integers; a number back.
    Worked value: step = 100, steps = 400 give 0.25.
    """
    # 1. the share of the warm-up that is done
    # 2. never above 1
    # 3. and where there is no warm-up?
    ...

# %% [markdown]
# Does it help *here*? Five seeds each, 600 steps, 50 latents, warm-up over the first 300. **Predict:** how many more active latents, how many nats?

# %%
line = [kl_warmup(step, 300) for step in (0, 150, 300, 900)]
claim("the line: 0, then a half, then 1 and no more",
      all(abs(weight - due) < 1e-6 for weight, due in zip(line, (0, 0.5, 1, 1), strict=True)))
without, warmed = (record.arm("warmup", steps).values for steps in ("0", "300"))
claim("with and without warm-up at least 49 of 50 latents are active, in every seed",
      min(without["active"] + warmed["active"]) >= 49, before=without["active"], after=warmed["active"])


def paired(before, after, key):
    """Return what each seed gains, and t, the mean gain in standard errors."""
    gain = torch.tensor(after[key]) - torch.tensor(before[key])
    return gain, (gain.mean() * len(gain)**0.5 / gain.std()).item()


gained = {key: paired(without, warmed, key) for key in ("kl", "recon", "elbo")}
claim("seed by seed, in five of five, warm-up raises the KL and lowers the distortion",
      all((gained[key][0] > 0).all() for key in ("kl", "recon")), **gained)
claim("what the ELBO gains cannot be told from 0: |t| < 2.78, the 95 % mark for five seeds",
      abs(gained["elbo"][1]) < 2.78 < gained["kl"][1])

# %% [markdown]
# <details><summary>Answer</summary>
#
# No latent: hardly one was dead, for this decoder can say little without $z$. But $z$ carries more in each seed; what that costs the distortion saves, as far as five seeds can tell.
#
# Chapter 07 counted 19 active of 50 in another model, trained for longer; not measured here.
# </details>

# %% [markdown]
# **A decoder so strong that it ignores $z$.** Let each pixel also see the pixels before it in reading order: its logit is the decoder's plus what a small network makes of the rows above and the pixels to the left (`course_lib/vae/autoregressive.py`).
# Such a decoder is a model of images by itself. Write the ELBO as $\mathrm E[\ln p(x)] - \mathrm E[\mathrm{KL}(q\,\|\,p(z\mid x))]$: if the pixels before explain everything, $p(x\mid z) = p(x)$ and
# the posterior *is* the prior. Then the best $q$ is the prior, too, and the KL 0: every nat in $z$ is paid for and buys nothing. A large PixelCNN brings the KL
# to 0 (Chen et al. 2017); how near does this small one come in 400 steps?

# %%
kinds = {"plain": ("beta", "1.0"), "sees 1 row": ("decoder", "near"),
         "sees 5 rows": ("decoder", "strong"), "… with warm-up": ("decoder", "strong, warm-up")}
kl_of = {name: mean(*place, "kl") for name, place in kinds.items()}
elbo_of = {name: mean(*place, "elbo") for name, place in kinds.items()}
claim("the strong decoder's ELBO is more than 20 nats better than the plain one's",
      elbo_of["sees 5 rows"] - elbo_of["plain"] > 20, **elbo_of)
claim("and z carries less than a quarter of the nats: 3 of them, with warm-up 4",
      kl_of["sees 5 rows"] < kl_of["plain"] / 4
      and [round(kl_of[name]) for name in ("sees 5 rows", "… with warm-up")] == [3, 4], **kl_of)
strong, cured = (record.arm("decoder", kind).values for kind in ("strong", "strong, warm-up"))
gained = {key: paired(strong, cured, key) for key in ("kl", "recon", "elbo")}
claim("warm-up once more: in each of five seeds more KL, less distortion; the ELBO's gain: |t| < 2.78",
      all((gained[key][0] > 0).all() for key in ("kl", "recon"))
      and abs(gained["elbo"][1]) < 2.78 < gained["kl"][1], **gained)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.0)
for ax, values, colour in ((left, kl_of, figures.BERRY), (right, elbo_of, figures.ORANGE)):
    bars = ax.barh(list(values)[::-1], list(values.values())[::-1], color=colour, height=0.6)
    ax.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
left.set(xlabel="rate: KL (nats)", xlim=(0, 21))
right.set(xlabel="ELBO (nats)", xlim=(-150, 0), yticks=())
figures.title(left, "The more a pixel sees, the less z says")
figures.title(right, "while the bound gets better")
show(fig, alt="Bars for four decoders. Left, the KL falls from the plain one to the one that sees five "
              "rows, and rises a little with warm-up. Right, the ELBO improves by more than 20 nats.")

# %% [markdown]
# Three nats: $z$ is starved, not dead, and warm-up buys one back, at its price. Now somebody trains a VAE. Its ELBO is better than your plain VAE's, its KL is 0.02 nats, its samples look fine. What happened?
#
# - `beta_too_large`, `beta_too_small`: section 1;
# - `strong_decoder`: just seen;
# - `mode_collapse`: samples show a few kinds of image alone;
# - `overfitting`: chapter 01's, better in training than in validation;
# - `sampling_means`: means are shown where draws were due (chapter 07).

# %% tags=["nbval-ignore-output"]
answer("vae.which_failure_1", ...)

# %% [markdown]
# **Blur.** "VAEs blur because of the squared error", says the usual tutorial. Ours has no squared error, and its means are grey at the edges. Three places where it could come from, each measured as the share of pixels with
# a mean between 0.1 and 0.9: one $z$ drawn for each image, the average over the whole posterior, and $z$ from the prior. The training images' own greys are the floor.

# %%
grey = lambda p: ((p > 0.1) & (p < 0.9)).float().mean().item()
x = test[:500]
mu, logvar = vae.encode(x)
z = reparameterize(mu, logvar, normal(40, 500, 50, of=10))
means = vae.means(z)
greyness = {"data": grey(grey_test[:500]), "one z": grey(means[0]), "mean over q": grey(means.mean(0)),
            "prior": grey(vae.means(normal(500, 50, of=11))), "no z": grey(vae.mean)}
claim("data, one z, posterior mean, prior, no z: greyer from each to the next",
      sorted(greyness.values()) == list(greyness.values()), **greyness)
uncertainty = F.softplus(vae.decode(z[:5])) - means[:5] * vae.decode(z[:5])  # entropy of a pixel, nats
distortion = -vae.elbo(x, normal(500, 50, of=12))[1].mean()
claim("the entropy of the decoder's pixels is the distortion, within 5 %",
      abs(uncertainty.sum(-1).mean() / distortion - 1) < 0.05, entropy=uncertainty.sum(-1).mean(),
      distortion=distortion)

# %% [markdown]
# So blur is the distortion, made visible: nats that $z$ does not carry, stated honestly as "I do not know". The entropy matches what the pixels really cost.
# Then more rate must sharpen, with the same likelihood. **Predict:** does it sharpen samples from the prior, too?

# %%
sharp, at_prior = ([mean("beta", b, key) for b in betas] for key in ("grey", "grey_prior"))
claim("the smaller β, the sharper are reconstructions, with one and the same likelihood",
      sorted(sharp) == sharp, grey=sharp)
claim("but not samples: at β = 0.1 the prior's means are greyer than at β = 1",
      at_prior[0] > at_prior[2], grey=at_prior)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1, 1.1))
figures.line(left, betas, sharp, figures.TEAL, marker="o", label="rebuilt", end=False)
figures.line(left, betas, at_prior, figures.ORANGE, marker="^", label="from the prior", end=False)
left.set(xscale="log", xlim=(0.012, 12), ylim=(0.1, 0.36), xlabel="β", ylabel="grey share of the means")
figures.title(left, "More rate sharpens what is rebuilt")
drawn = torch.bernoulli(means[0, :10].cpu(), generator=seed(13)).to(device)
figures.tiles(right, torch.cat([x[:10], means[0, :10], means.mean(0)[:10], drawn]), columns=10)
right.set_yticks([15, 45, 75, 105], ["data", "one z: mean", "mean over q", "one z: draw"], fontsize=9)
right.tick_params(length=0)
show(fig, alt="Left, the share of grey pixels against β: rising for reconstructions, while samples from "
              "the prior are greyest at both ends. Right, ten digits, their means at one z, averaged "
              "over z, and draws without any grey.")

# %% [markdown]
# It does not: at $\beta = 0.1$ the prior's means are greyer again, as section 1 expected of $z$ that the decoder never met. A Gaussian likelihood fits in:
# $\tfrac{1}{2\sigma^2}\lVert x - m\rVert^2 + \mathrm{KL}$ is squared error with $\beta = 2\sigma^2$ (chapter 06). A large $\sigma$, fixed in advance, is a large $\beta$: it buys little rate and so must blur. The $\sigma$ is to blame, not the square.
#
# Second case: reconstructions are sharp, the KL is 90 nats, samples are broken strokes. The same six answers:

# %% tags=["nbval-ignore-output"]
answer("vae.which_failure_2", ...)

# %% [markdown]
# ## 7 · "High-quality samples, but mode collapse"
#
# So an article sums up VAEs. Both can be measured. Samples: draws, beside real binary digits, in the features of a digit classifier, by *density* (are samples where data are?) and *coverage* (is
# there a sample near every real image?) (Naeem et al. 2020). Near means: in the ball round a real image that reaches to its fifth nearest real neighbour. Modes: the coverage of each
# class alone.
#
# **Predict:** how many of the ten classes are missing in 2,000 samples?

# %%
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.neighbours import density_and_coverage
from course_lib.pretrained.classifiers import load_classifier

classifier = load_classifier("digits").to(device)
look = lambda x: features_and_logits(classifier, 2 * x.reshape(-1, 1, 28, 28) - 1)
sample_means = vae.means(normal(2000, 50, of=14))
draws = torch.bernoulli(sample_means.cpu(), generator=seed(15)).to(device)
training_draws = binarise(digits.train[:2000], seed(16)).flatten(1).to(device)
(real, _), (fake, fake_logits), (other, other_logits) = map(look, (test[:2000], draws, training_draws))
quality, ceiling = density_and_coverage(real, fake), density_and_coverage(real, other)
claim("real digits have density and coverage above 0.85, samples below 0.65",
      min(ceiling) > 0.85 and max(quality) < 0.65, real=list(ceiling), samples=list(quality))

# %%
unsure = [(logits.softmax(1).amax(1) < 0.9).float().mean() for logits in (fake_logits, other_logits)]
claim("the classifier is unsure of more than twice as many samples as real digits",
      unsure[0] > 2 * unsure[1], samples=unsure[0], real=unsure[1])
in_class = lambda f: [density_and_coverage(real[labels[:2000] == c], f).coverage for c in range(10)]
blends = binarise(digits.train[:2000] // 2 + digits.train[2000:4000] // 2, seed(17)).flatten(1)
covered, of_blends = in_class(fake), in_class(look(blends.to(device))[0])
without_ones = in_class(other[digits.train_labels[:2000] != 1])
claim("no class is missing: more than 5 % of each are covered, where real digits without ones cover "
      "fewer than 3 % of the ones", min(covered) > 0.05 and without_ones[1] < 0.03, covered=covered)
claim("the ones are nearest to missing: fewer than 40 % are covered, by real digits more than 95 %",
      min(covered) == covered[1] < 0.4 and in_class(other)[1] > 0.95)
claim("averages of two random digits pass as well: every class above 5 %", min(of_blends) > 0.05,
      blends=of_blends)
odd_ones = look(sample_means)[1].softmax(1).amax(1).argsort()[:40]

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.2, width_ratios=(1, 1.2))
axes[0].bar(range(10), covered, color=figures.ORANGE, width=0.7)
figures.level(axes[0], ceiling.coverage, "")
axes[0].text(9, 0.98, "real digits", ha="right", color=figures.MUTE, fontsize=9)
axes[0].set(xticks=range(10), xlabel="class of the real digits", ylabel="share covered", ylim=(0, 1.1))
figures.title(axes[0], "No class is missing, ones nearly")
figures.tiles(axes[1], sample_means[odd_ones], columns=10)
figures.title(axes[1], "but much lies between them: the 40 least certain")
show(fig, alt="Left, the share of each class's real digits that 2,000 samples cover: a third to two "
              "thirds, of the ones less. Right, the forty sample means of which the classifier is least "
              "sure, shapes between digits.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# None, though the ones nearly are. The saying is wrong here: middling quality, no mode collapse. $-\ln p(x)$ punishes every training image that the model misses, so a VAE
# puts mass between the modes. (Averages pass, too: "no class is missing" says little.) Mode
# collapse is the trouble of GANs (chapter 10). What collapses in a VAE is the *posterior*, as above.
# </details>

# %% [markdown]
# ## What stays
#
# - The ELBO is a *net* file length (*net bits an image are within 2 % of −ELBO / ln 2*): weights and seed words come on top.
# - An encoder proposes, the likelihood decides; count the draws that count (*fewer than 8 with eight rows hidden or more*).
# - Likelihood need not measure belonging (*the clothes' model finds digits MORE probable than clothes*).
# - A decoder that explains the pixels without $z$ leaves it little to say (*and z carries less than a quarter of the nats*).
# - Blur is distortion (*the entropy of the decoder's pixels is the distortion*). No class was missing, the ones nearly.

# %% tags=["nbval-ignore-output"]
progress("08_vae_in_use")

# %% [markdown]
# **Open questions.** What would averaging over $z$ gain in denoising? Which prior makes $\beta = 0.1$ sample well? How few bits can the weights be stored in before the ELBO notices?
#
# **References.** Alemi et al. 2018, *Fixing a broken ELBO*: figure 1. Duda 2009, *Asymmetric numeral systems*. Townsend, Bird and Barber 2019, *Practical lossless compression with latent variables using bits back coding*. Mattei and Frellsen 2018,
# *Leveraging the exact likelihood of deep latent variable models*: section 4. Rezende, Mohamed and Wierstra 2014, *Stochastic backpropagation*. Nalisnick et al. 2019, *Do deep generative models know what they don't know?*; 2019b, *Detecting out-of-distribution inputs … using typicality*. Serrà et al. 2020, *Input complexity and out-of-distribution detection*. Chen et
# al. 2017, *Variational lossy autoencoder*: section 2. Bowman et al. 2016; Sønderby et al. 2016: warm-up. Naeem et al. 2020, *Reliable fidelity and diversity metrics*.
