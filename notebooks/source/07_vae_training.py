# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Training a VAE
#
# **What does it take to turn a broken VAE into one with an honest number?**
#
# A widely read article shows a VAE in thirty lines. None of them is far off, and together they learn nothing. We repair
# it fault by fault, train a better one, and measure it: in nats on digits it has never seen, beside what simpler
# models reach. Below is the end of this chapter.

# %%
import math

import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import runtime

record = recorded("vae_digits")
mixtures, evaluated = record.values["mixtures"], record.values["evaluated"]
nats = {"independent pixels": mixtures["1"], "mixture of 20": mixtures["20"],
        "VAE, 2 latents": record.arm("2 latents").mean("test"),
        "mixture of 400": mixtures["400"],
        "VAE, 50 latents": record.arm("course").mean("test")}
device, generator = runtime().device, torch.Generator().manual_seed(0)  # the CPU draws
vae = load_digit_vae().to(device)
with torch.no_grad():
    means = vae.means(torch.randn(32, 50, generator=generator).to(device)).cpu()
    first = torch.bernoulli(means, generator=generator)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.3, width_ratios=(1.25, 1))
figures.tiles(left, first, columns=8)
figures.title(left, "▲ 32 digits that nobody wrote")
bars = right.barh(list(nats), [-x for x in nats.values()], color=figures.MUTE)
bars[-1].set_color(figures.ORANGE)
bars[2].set_color(figures.ORANGE)
right.bar_label(bars, [f"{-x:.1f}" for x in nats.values()], padding=3, fontsize=9)
right.set(xlabel="−ln p(x) of a test digit (nats; of a VAE a bound)", xlim=(0, 245))
right.invert_yaxis()
ahead = nats["VAE, 50 latents"] - nats["independent pixels"]
figures.title(right, f"{ahead:.0f} nats better than independent pixels")
show(fig, alt="Left, 32 drawn binary digits, many of them readable. Right, −ln p(x) on the test digits: "
              f"independent pixels {-nats['independent pixels']:.0f} nats, mixtures lower, the VAE with "
              f"50 latents lowest, at most {-nats['VAE, 50 latents']:.0f}.")

# %% [markdown]
# Afterwards you can
#
# - repair a VAE from its symptoms: sizes, sampling, reductions;
# - train one on two cores, and say what each choice of the recipe is worth;
# - report a log-likelihood with its error, beside baselines;
# - look inside: draws against means, maps, paths, aggregate posterior, active units.

# %% [markdown]
# **Needs** chapters 00, 01 and 06. **Time** 50 minutes to read, 40 for the exercises; the cells run in about 40 s.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | a binary image, flat | (784,) |
# | $z$ | its latent | (latent,) |
# | $q, p$ | the encoder's $q(z \mid x)$; the prior $p(z)$, the decoder $p(x \mid z)$ | |
# | $\mu, \sigma$ | mean and standard deviation of $q$ | (latent,) |
# | $\beta$ | factor before the KL | |
# | $k$ | draws of $z$ for one image | |
# | $q(z)$ | aggregate posterior, the mean of all $q(z \mid x_n)$ | |
# | $\omega, t$ | angle between two latents; place on the way | |

# %% tags=["nbval-ignore-output"]
from functools import partial
from itertools import pairwise

from torch import nn
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.information.divergences import monte_carlo
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.runtime import start
from course_lib.training.trained import Trained
from course_lib.vae.bernoulli_mixture import bernoulli_mixture_log_likelihood, fit_bernoulli_mixture
from course_lib.vae.bounds import importance_weighted_bound, reparameterize
from course_lib.vae.models import fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

run = start(seed=0, threads=1)
device = run.device
digits = load_digits()
greys = (digits.train.flatten(1) / 255).to(device)  # (9000, 784), a pixel's probability of a one
validation = binarise(digits.validation, torch.Generator().manual_seed(1)).flatten(1).to(device)
test = binary_test_digits().flatten(1).to(device)  # the course's one binarisation of the test digits

# %% [markdown]
# ## 1 · The VAE that everybody copies
#
# Here are the article's layers, in PyTorch. The article never says what `latent_dim` is; we take 2.

# %%
latent_dim = 2
encoder = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(32 * 13 * 13, 128), nn.ReLU(), nn.Linear(128, latent_dim))
decoder = nn.Sequential(
    nn.Linear(latent_dim, 7 * 7 * 128), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
    nn.ConvTranspose2d(128, 32, 3), nn.ReLU(), nn.Upsample(scale_factor=2),
    nn.ConvTranspose2d(32, 1, 3), nn.Sigmoid())
images = digits.train[:8, None] / 255  # (8, 1, 28, 28)
autoencoder = lambda x: decoder(encoder(x))  # ‘Model(encoder.input, decoder(encoder.output))’

# %% [markdown]
# Its loss is mean binary cross-entropy plus `−0.5 · mean(1 + log_variance − mu² − exp(log_variance))`, built once, before
# training; then `fit(x)`. **Predict:** how many faults stop it, and how many let it run and learn the wrong thing?
#
# **Fault 1: names from nowhere.** `mu` and `log_variance` are used and never made. And **fault 2** is why they
# cannot be: the encoder gives *one* vector. There is no distribution, and so nothing to draw.

# %%
try:
    penalty = -0.5 * (1 + log_variance - mu**2 - log_variance.exp()).mean()
except NameError as error:
    print("fault 1:", error)
with torch.no_grad():
    claim("fault 2: the encoder gives 2 numbers an image, not a mean and a variance for each of 2 "
          "latents",
          encoder(images).shape == (8, 2))
    claim("and the same image gives the same latent every time",
          torch.equal(encoder(images), encoder(images)))

# %% [markdown]
# *Repair:* twice as many outputs, the first half $\mu$, the second $\ln\sigma^2$; then `reparameterize` of chapter 06.
#
# **Fault 3: sizes.** The decoder should return 28 × 28. A **convolution** makes each output pixel from a small window of
# input pixels, with the same weights everywhere. A **transposed convolution** goes the other way: along each side, every input pixel paints
# `kernel` pixels, its neighbour begins `stride` pixels further on, overlaps add up, and `padding` is cut off each border.
#
# ### Exercise: the decoder's output size
# *difficulty 2/5 · importance 3/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.transposed_size")
def transposed_size(size, kernel, stride=1, padding=0):
    """Return how many pixels a side a transposed convolution makes of size pixels a side.

    All whole numbers. Worked value: size 3, kernel 2, stride 2, padding 0 gives 6.
    """
    # 1. where does the last of the size pixels begin to paint, if the first one begins at 0?
    # 2. it paints kernel pixels; padding of all painted ones are cut off at each border
    ...

# %%
sizes = [7, transposed_size(7, 3)]
sizes += [2 * sizes[-1], transposed_size(2 * sizes[-1], 3)]
print("fault 3:", " → ".join(f"{size:g}" for size in sizes))
with torch.no_grad():
    claim("the formula gives what the decoder returns: 20 × 20 pixels",
          sizes[-1] == 20 and autoencoder(images).shape == (8, 1, 20, 20))
repaired = transposed_size(transposed_size(7, 4, stride=2, padding=1), 4, stride=2, padding=1)
claim("two layers with kernel 4, stride 2, padding 1 give 28", repaired == 28)

# %% [markdown]
# **Fault 4: a loss built once.** A loss is computed from a batch. Computed before the loop, it is one number of one batch.
# PyTorch notices at the second step; the Keras of the article was given a tensor of things that did not exist.
# And `fit` was called without targets, so a loss that compares had nothing to compare with.

# %%
small = nn.Sequential(nn.Flatten(), nn.Linear(784, 2), nn.Linear(2, 784))
loss = F.binary_cross_entropy_with_logits(small(images), images.flatten(1))  # once, before the loop
try:
    for _ in range(2):
        loss.backward()
except RuntimeError as error:
    print("fault 4:", str(error)[:48])

# %% [markdown]
# *Repair:* a function of the batch. The library's `fit` calls it, as `step`, once for every batch (chapter 05).
#
# **Fault 5: the reductions.** This one raises nothing. The cross-entropy is a *mean* over pixels and batch, the KL a *mean* over
# latents and batch. Chapter 06 derived what that does. With 784 pixels and 2 latents, what $\beta$ is this?

# %% tags=["nbval-ignore-output"]
answer("vae.article_beta", ...)

# %% [markdown]
# **Predict**, before the next cell: all other faults are mended, and only the reductions stay as the article has them. What
# will the two latents learn? (Both runs use a small fully connected VAE on binary pixels; section 2 says what its `mean` is for.)

# %%
def short_run(beta, latents=2, steps=300, seed=0):
    """Train a small VAE for some steps with this weight of the KL; return the model and its last kl."""
    torch.manual_seed(seed)
    model = fully_connected_vae(latents, hidden=200, mean=greys.mean(0)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    step = vae_step(model, optimizer, beta=beta)
    history = fit(step, draw_binary(greys, 100, latents), steps, trained, progress=False)
    return model.eval(), history.curve("kl").values[-1]


right_model, right_kl = short_run(beta=1.0)
wrong_model, wrong_kl = short_run(beta=392.0)
claim("with the article's reductions the KL ends below 0.1 nats, with sums above 3",
      wrong_kl < 0.1 and right_kl > 3, article=wrong_kl, sums=right_kl)
many_kl = short_run(beta=784 / 128, latents=128)[1]
claim("with 128 latents the same reductions leave more than 1 nat of KL", many_kl > 1, kl=many_kl)

# %%
with torch.no_grad():
    shown = test[[3, 2, 1, 32, 4, 8, 11, 0, 61, 7]]  # the digits 0 to 9
    rows = [model.means(model.encode(shown)[0]) for model in (wrong_model, right_model)]
fig, (axes,) = figures.new(1, 3, height=1.9)
figures.tiles(axes[0], shown, columns=5)
figures.title(axes[0], "● ten test digits")
texts = ("article's means: one picture", "sums: ten pictures")
for ax, row, text in zip(axes[1:], rows, texts, strict=True):
    figures.tiles(ax, row, columns=5)
    figures.title(ax, f"▲ {text}")
show(fig, alt="Ten test digits and their reconstructions after 300 steps: with the article's "
              "reductions all ten are the "
              "same grey average, with sums they differ, still blurred.")
spread = [row.var(0).sum().item() for row in rows]
claim("the article's ten reconstructions are all the same: their variance is a hundredth of the other's",
      spread[0] < spread[1] / 100, article=spread[0], sums=spread[1])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nothing. At $\beta = 392$ a nat of KL costs as much as 392 nats of likelihood bring, and no latent is worth that. The encoder
# returns the prior for every image, the decoder the mean of all. No error is raised. This
# is **posterior collapse**, here by a reduction, and by our two latents: for 128 $\beta$ is 6.
#
# So four faults stop the article's code, and one lets it run and learn little or nothing.
# </details>

# %% [markdown]
# ## 2 · A recipe
#
# The model from here on: 784 → 500 → 500 → 50 latents and back, 1.4 million weights, 6,000 steps of 100 images.
#
# - *Pixels drawn anew.* A grey pixel is a probability. Drawing it for every batch gives endless training data.
# - *The mean taken out.* The encoder sees $x - \bar x$; the decoder's logits are added to those of $\bar x$. An untrained
#   model is then about as good as independent pixels.
# - *Images moved by up to a pixel.* A digit moved is a digit.
# - *A rate of 3·10⁻³, falling to 0.* It rises during the first 5 % of the steps, then falls on a straight line (chapter 05).
# - *One draw.* The objective is the ELBO. With five it would be chapter 06's importance-weighted bound.

# %% [markdown]
# **Predict:** which of these matter most: the mean, the moving, or five draws in place of one? Five seeds of the recipe, `course`, were
# trained, and three each with one thing changed.

# %%
variants = ("course", "no mean", "not moved", "5 draws")
mean_of = lambda name, key: record.arm(name).mean(key)
for name in variants:
    values, seen = record.arm(name).each("validation"), mean_of(name, "train")
    print(f"{name:>10}: {mean_of(name, 'validation'):8.2f} validation, {seen:8.2f} training,"
          f" seeds {min(values):.2f} … {max(values):.2f}")
of = {name: mean_of(name, "validation") for name in variants}
claim("the mean is worth 2.0 nats, five draws 1.1, moved images 0.7",
      [round(x, 1) for x in (of["course"] - of["no mean"], of["5 draws"] - of["course"],
                             of["course"] - of["not moved"])] == [2.0, 1.1, 0.7])
claim("the model of five draws has the worse ELBO, by 1.4 nats, and took twice the time",
      round(mean_of("course", "elbo") - mean_of("5 draws", "elbo"), 1) == 1.4
      and 1.7 < mean_of("5 draws", "seconds") / mean_of("course", "seconds") < 2.5)

# %% [markdown]
# The cheapest choice is worth most: without the mean, two nats are never made up for. Five draws
# bring one nat, and their ELBO is *worse*: the encoder was trained for another
# bound. Moving brings the least here, and the seeds with and without it overlap; section 3 shows what else it does.
#
# Now that training, here: with the quick budget the first 300 of its 6,000 steps, with the full one all of them.

# %%
def bound_of(model):
    return log_likelihood(model, validation, 10, torch.Generator().manual_seed(5)).mean().item()


torch.manual_seed(0)
live_steps = run.pick(quick=300, full=record.values["steps"])
run.expect(f"the recipe's {live_steps:,} steps", minutes=1)
model = fully_connected_vae(50, 500, mean=greys.mean(0)).to(device)
untrained = bound_of(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.05,
                              fused=True)
trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(0))
history = fit(vae_step(model, optimizer, clip=50, bfloat16=bfloat16_pays(device)),
              draw_binary(greys, 100, latent_dim=50, shift=1), record.values["steps"], trained,
              until=live_steps,
              schedule=partial(warmup_then_linear, warmup=0.05, decay=0.95), progress=False)
live = bound_of(model.eval())

# %%
curves = torch.tensor(record.arm("course").each("curve"))  # (5, evaluations)
at = evaluated.index(live_steps)
claim("untrained it is within 5 nats of independent pixels",
      abs(untrained - mixtures["1"]) < 5, untrained=untrained)
claim(f"{live_steps:,} live steps end within 3 nats of the five recorded runs at that step",
      curves[:, at].min() - 3 < live < curves[:, at].max() + 3, live=live, recorded=curves[:, at])

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.5)
for curve in curves:
    figures.line(ax, evaluated, curve, figures.ORANGE)
ax.plot(live_steps, live, "D", color=figures.INK, markersize=6)
ax.annotate("this run", (live_steps, live), xytext=(12, -4), textcoords="offset points", fontsize=9.5)
figures.level(ax, mixtures["20"], "mixture of 20, test")
figures.level(ax, mixtures["400"], "mixture of 400, test")
ax.set(xlabel="training step", ylabel="validation bound, k = 10 (nats)", ylim=(-210, -85))
end, seconds = curves[:, -1].mean(), record.arm("course").each("seconds")
figures.title(ax, f"{min(seconds):.0f} to {max(seconds):.0f} s of training: from independent pixels to "
                  f"{end:.0f} nats, five seeds")
show(fig, alt="Validation bound against the step for five seeds that lie on each other: from −206 it "
              "passes both mixtures' levels, which are of the test digits, within 600 steps and "
              f"flattens near {end:.0f}; the live run's point lies on the curves.")

# %% [markdown]
# ## 3 · The number
#
# The ELBO is a bound. For the report we want $\ln p(x)$ itself, and chapter 06 has the tool: the weights $p(x, z)/q(z\mid x)$ of $k$ draws from $q$,
# averaged before the logarithm. How many are enough? On 40 test digits, from one draw to 5,000:

# %%
vae = load_digit_vae().to(device)
with torch.no_grad():
    eps = torch.randn(5000, 40, 50, generator=torch.Generator().manual_seed(2))
    log_w = vae.log_weights(test[:40], eps.to(device)).cpu().double()
ks = [1, 10, 100, 1000, 5000]
grouped = lambda k: log_w.view(-1, k, 40).transpose(0, 1).flatten(1)  # (k, groups · 40)
bounds = torch.stack([importance_weighted_bound(grouped(k)).view(-1, 40).mean(0) for k in ks])
steps = [monte_carlo(more - fewer) for fewer, more in pairwise(bounds)]
claim("each tenfold k raises it, by less every time, all by more than 5 standard errors",
      steps[0][0] > steps[1][0] > steps[2][0] and all(gain > 5 * error for gain, error in steps[:3]),
      gains=[gain for gain, _ in steps])
more = (bounds[4] - bounds[2]).mean()
claim("from 100 to 5,000 draws between 0 and 1 nat is still gained", 0 < more < 1, nats=more)
effective = 1 / log_w.softmax(0).square().sum(0)  # (Σw)²/Σw², 5,000 if q were the posterior
claim("of 5,000 draws fewer than 50 count, (Σw)²/Σw², for more than half of the digits",
      effective.median() < 50, median=effective.median())

# %% [markdown]
# So $k = 100$ still understates: by at least what 5,000 draws gain. How much more, no finite $k$ says. We report $k = 100$, and say so. Every figure also needs its error,
# and there are two of them: *which images* (the standard error over 10,000 test images) and *which training run* (the spread over seeds). And it
# needs rivals. Independent pixels are one. Another is a **mixture of Bernoulli images**: like a VAE whose one latent has $K$ values. Its
# likelihood is a sum, so no bound is needed. Expectation–maximisation fits it, two steps in turn: how probably did each of the $K$ make this image?
# Then each one's pixels become the mean of the images, weighted by that.

# %%
binary = binarise(digits.train, torch.Generator().manual_seed(0)).flatten(1).to(device)
rivals = {}
for K in (1, 20):
    generator = torch.Generator().manual_seed(0)
    found = fit_bernoulli_mixture(binary, K, rounds=30, generator=generator, pseudo=1.0)
    rivals[K] = bernoulli_mixture_log_likelihood(test, *found).mean().item()
claim("independent pixels reach −206 nats", round(rivals[1]) == -206)
claim("a mixture of 20 is 45 to 55 nats better", 45 < rivals[20] - rivals[1] < 55, nats=rivals[20])
course = record.arm("course")
reported, error = course.each("test"), course.each("test_error")[0]
print(f"five seeds: {min(reported):.2f} … {max(reported):.2f}, each ± {error:.2f} (images)")
claim("the worst of five seeds is above −95 nats, and all lie within 1 nat",
      min(reported) > -95 and max(reported) - min(reported) < 1)

# %% [markdown]
# (The mixtures saw one binarisation and no moved images, which may favour the VAE.) Burda, Grosse and Salakhutdinov (2016) report −86.76 for such a VAE, and −84.78
# for one trained with 50 draws, both at $k = 5{,}000$. Theirs saw 60,000
# digits, ours 9,000, and another binarisation of the same test images; so the figures compare only roughly. One sign of
# few data can be measured here: how far does ours stand higher on its training digits than on validation digits?

# %%
gap = mean_of("course", "train") - mean_of("course", "validation")
unmoved = mean_of("not moved", "train") - mean_of("not moved", "validation")
print(f"training above validation: {gap:.1f} nats; without moved images {unmoved:.1f}")
claim("moving images by a pixel narrows the gap between training and validation", gap < unmoved)

# %% [markdown]
# ## 4 · Draws and means
#
# Nearly every picture of VAE samples in the literature shows the decoder's *mean*, the grey image of probabilities. The model's samples are
# *draws*: each pixel 0 or 1. **Predict:** which look better, and which are honest beside the data?

# %%
draws = torch.Generator().manual_seed(4)
with torch.no_grad():
    z = torch.randn(20, 50, generator=draws)
    means = vae.means(z.to(device)).cpu()
    samples = torch.bernoulli(means, generator=draws)
    rebuilt = vae.means(vae.encode(test[:20])[0])
fig, axes = figures.new(2, 2, height=3.6)
panels = ((test[:20], "● test digits"), (rebuilt, "▲ their reconstructions (means)"),
          (samples, "▲ samples: draws"), (means, "the same samples as means: flattering"))
for ax, (pictures, text) in zip(axes.flat, panels, strict=True):
    figures.tiles(ax, pictures, columns=10)
    figures.title(ax, text)
show(fig, alt="Four grids of 20 digits: test digits, their reconstructions as decoder means, sampled "
              "digits as draws "
              "with ragged edges, and the same samples as smooth grey means.")

# %%
with torch.no_grad():
    many = vae.means(torch.randn(2000, 50, generator=draws).to(device))
    grey = lambda p: ((p > 0.1) & (p < 0.9)).float().mean()
flips = lambda p: (2 * p * (1 - p)).sum(1).mean()  # pixels in which two draws differ, on average
real = (digits.test.flatten(1) / 255).to(device)  # perfect means would give the ratio 1 twice
claim("a mean has 1.5 to 2.5 times the share of grey pixels of a real digit before it was binarised",
      1.5 < grey(many) / grey(real) < 2.5, means=grey(many), digits=grey(real))
claim("two draws from the same z differ in 1.5 to 2.5 times as many pixels as two of one real digit",
      1.5 < flips(many) / flips(real) < 2.5, means=flips(many), digits=flips(real))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Means look better, as averages do; whoever compares them with binary digits compares different things. About half of a
# draw's raggedness is the binary data's own, whose pixels were drawn independently, too; the rest is what $z$ leaves open.
# </details>
#
# ## 5 · A map of digits
#
# With two latents all that the model knows fits on a page. We walk over the prior in steps of equal probability.

# %% tags=["hide-input"]
flat = load_digit_vae(latent_dim=2).to(device)
quantiles = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(14) + 0.5) / 14)
with torch.no_grad():
    places = torch.cartesian_prod(-quantiles, quantiles).flip(1).to(device)  # rows from the top
    cells = flat.means(places)
    places = flat.encode(test[:600])[0]
fig, ((left, right),) = figures.new(1, 2, height=4.6)
figures.tiles(left, cells, columns=14)
figures.title(left, "The decoder's means over the prior")
for place, label in zip(places.tolist(), digits.test_labels[:600].tolist(), strict=True):
    right.text(*place, str(label), fontsize=7, color=figures.INK, ha="center", va="center", clip_on=True)
right.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
figures.title(right, "Where the encoder puts 600 test digits")
show(fig, alt="Left, 14 by 14 decoded digits over a two-dimensional latent: neighbours look alike, "
              "classes form regions. "
              "Right, 600 test digits written at their latent means: the same regions.")

# %% [markdown]
# Neighbours look alike, many classes have regions, and nobody gave it a label. In the crowded middle they overlap. The price: this model is
# many nats behind (its layers are narrower as well, 300 units for 500).

# %%
with torch.no_grad():
    classes = torch.cdist(flat.encode(test[:2000])[0], flat.encode(test[2000:4000])[0]).argmin(1).cpu()
agree = (digits.test_labels[2000:4000][classes] == digits.test_labels[:2000]).float().mean()
claim("the nearest of 2,000 others in the two latents has the same class for more than half of the "
      "digits",
      agree > 0.5, share=agree)
claim("this model is more than 30 nats below the one of 50 latents",
      mean_of("course", "test") - mean_of("2 latents", "test") > 30, two=mean_of("2 latents", "test"))

# %% [markdown]
# ## 6 · Paths, and where draws live
#
# To go from one digit to another we mix their latents. The straight way passes through places where hardly a draw
# is: the density is higher there, but the room is small. Each $z_j^2$ has mean 1 and variance $\mathrm{E}[z_j^4] - 1 = 3 - 1 = 2$. So $\|z\|^2$ of 50 has mean 50 and standard deviation $\sqrt{100} = 10$,
# and nearly all draws have a length near $\sqrt{50} = 7.07$: the **typical set**, a thin shell.
#
# Two draws $a, b$ are nearly perpendicular: $a\cdot b$ has mean 0 and standard deviation $\sqrt{50} \approx 7$, small beside $\|a\|\|b\| \approx 50$.
# Their middle then has $\|\tfrac12(a + b)\|^2 \approx \tfrac14(50 + 50)$, length 5.

# %%
from scipy.stats import chi2

inside = chi2(50).cdf(5**2)
claim("fewer than 2 in 1,000 draws of the prior are as short as the middle of a straight path",
      inside < 0.002, probability=inside)
ends = torch.randn(2, 20_000, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
middle = ends.mean(0).norm(dim=1)
claim("middles of 20,000 straight paths have a mean length of 4.97, ends 7.04",
      abs(middle.mean() - 4.97) < 0.02 and abs(ends[0].norm(dim=1).mean() - 7.04) < 0.02)
denser = (ends[0].square().sum(1) - middle**2).mean() / 2  # −½‖z‖² is all of ln p(z) that varies
claim("ln p(z) is 12 to 13 nats higher in the middle, on average", 12 < denser < 13, nats=denser)

# %% [markdown]
# So turn the direction instead, evenly from $a$ to $b$, both now of length 1 with angle $\omega$ between them:
#
# $$\frac{\sin((1 - t)\,\omega)\,a + \sin(t\,\omega)\,b}{\sin\omega} .$$
#
# At $t = 0$ that is $a$, at $t = 1$ it is $b$, and its length is always 1. For perpendicular $a, b$ it is $\cos(t\,\omega)\,a + \sin(t\,\omega)\,b$: a quarter circle.
#
# ### Exercise: the way along the shell
# *difficulty 3/5 · importance 3/5 · 12 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.spherical_path")
def spherical_path(start, end, t):
    """Return points between two latents: direction and length both change evenly with t.

    start, end (latent,), neither of length 0 nor opposite; t (n,) from 0 to 1; returns (n, latent).
    Worked value: start = [1., 0.], end = [0., 1.], t = [0.5] give [[0.707, 0.707]].
    """
    # 1. lengths of both, their directions a and b of length 1, the angle ω with cos ω = a · b
    # 2. directions: (sin((1 − t)ω) a + sin(tω) b) / sin ω
    # 3. times the length between: (1 − t)‖start‖ + t‖end‖
    ...

# %%
t = torch.linspace(0, 1, 9)
pairs = torch.randn(2, 200, 50, generator=torch.Generator().manual_seed(1))
straight = torch.stack([torch.lerp(a, b, t[:, None]) for a, b in pairs.unbind(1)])  # (200, 9, 50)
along = torch.stack([spherical_path(a, b, t) for a, b in pairs.unbind(1)])
with torch.no_grad():
    blurred = [grey(vae.means(path[:, 4].to(device))) for path in (straight, along)]
    ends_grey = grey(vae.means(pairs.to(device)))
claim("in the middle of straight paths the means are greyer than at the ends, by 5 to 20 %; on the "
      "shell by less "
      "than 5 %", 1.05 < blurred[0] / ends_grey < 1.2 and abs(blurred[1] / ends_grey - 1) < 0.05,
      straight=blurred[0], along=blurred[1], ends=ends_grey)

# %% tags=["hide-input"]
with torch.no_grad():
    ends = vae.encode(test[[0, 32]])[0]
    t = t.to(device)
    rows = [vae.means(torch.lerp(ends[0], ends[1], t[:, None])), vae.means(spherical_path(*ends, t))]
fig, (axes,) = figures.new(1, 2, height=1.2)
for ax, row, text in zip(axes, rows, ("straight", "along the shell"), strict=True):
    figures.tiles(ax, row, columns=9)
    figures.title(ax, f"▲ {text}")
show(fig, alt="Two rows of nine decoder means from a seven to a three, one by the straight path and "
              "one along the shell: "
              "both change shape gradually, with hardly a difference to the eye.")

# %% [markdown]
# So the shell matters, but little here: about a tenth more grey. Two things may explain it. The decoder is smooth,
# and, as section 8 shows, most of the 50 latents do nothing: the shell that counts has fewer dimensions.

# %% [markdown]
# ## 7 · Prior against what the encoder fills
#
# Samples start from the prior; the decoder was trained on $z$ from the encoder. Do the two agree? The mixture of all posteriors,
# $q(z) = \frac1N\sum_n q(z\mid x_n)$, is the **aggregate posterior**. Put $-\ln q(z) + \ln q(z)$ between
# $\ln q(z\mid x_n)$ and $-\ln p(z)$. Then average over the images $n$, and over $z$ from $q(z\mid x_n)$:
#
# $$\underbrace{\frac1N\sum_n \mathrm{KL}\big(q(z\mid x_n)\,\|\,p(z)\big)}_{\text{the KL of the ELBO}} = \underbrace{\mathrm{E}\Big[\ln\frac{q(z\mid x_n)}{q(z)}\Big]}_{\text{information of } z \text{ about } n} + \underbrace{\mathrm{KL}\big(q(z)\,\|\,p(z)\big)}_{\text{mismatch}} .$$
#
# The information says how well $z$ tells which image it came from: by Bayes' rule $q(z\mid x_n)/q(z) = p(n\mid z)/\tfrac1N$. Only the
# mismatch is a flaw (Hoffman and Johnson 2016). With $N = 9{,}000$ images, how large can the information become, in nats?

# %% tags=["nbval-ignore-output"]
answer("vae.information_limit", ...)

# %%
from course_lib.vae.latents import aggregate_log_density, elbo_surgery

with torch.no_grad():
    x = binary[:9000]
    parts = {}
    for name, m in (("2 latents", flat), ("50 latents", vae)):
        mu, logvar = m.encode(x)
        eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(5)).to(device)
        parts[name] = elbo_surgery(mu, logvar, eps)
ticks = torch.linspace(-5, 5, 100)
plane = torch.cartesian_prod(ticks, ticks)
with torch.no_grad():
    log_q = aggregate_log_density(plane.to(device), *flat.encode(x)).cpu()  # ln q(z) on a grid
mass = log_q.exp() * (ticks[1] - ticks[0]) ** 2
on_grid = (mass * (log_q + plane.square().sum(1) / 2 + math.log(2 * math.pi))).sum()
kl, information, mismatch = (part.item() for part in parts["2 latents"])
claim("2 latents: q(z) has a mass of 1 within 1 % on the grid", abs(mass.sum() - 1) < 0.01)
claim("2 latents: the mismatch is more than 0 and below 1 nat, on the grid the same within 0.05",
      0 < mismatch < 1 and abs(on_grid - mismatch) < 0.05, draws=mismatch, grid=on_grid)
claim("and the information is more than 80 % of the KL", information > 0.8 * kl, kl=kl, nats=information)
kl, information, mismatch = (part.item() for part in parts["50 latents"])
claim("50 latents: of 25 to 27 nats of KL the information takes its limit, ln 9,000, within 0.1; the "
      "mismatch is 16 to 18", 25 < kl < 27 and abs(information - math.log(9000)) < 0.1
      and 16 < mismatch < 18, kl=kl, information=information, mismatch=mismatch)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=4.2, width_ratios=(1.2, 1))
shades = left.imshow(figures.values(log_q.exp().view(100, 100).T), cmap=figures.WEIGHTS, origin="lower",
                     vmin=0, vmax=0.25, extent=(-5.05, 5.05) * 2)
fig.colorbar(shades, ax=left, shrink=0.8, label="density q(z)")
levels = plane.pow(2).sum(1).sqrt().view(100, 100)
left.contour(*map(figures.values, (ticks, ticks, levels)), levels=[1, 2, 3], colors=figures.MUTE,
             linestyles="--", linewidths=1)
left.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xlabel="$z_1$", ylabel="$z_2$")
figures.title(left, "q(z) fills the prior's circles, with gaps")
for i, (_, information, mismatch) in enumerate(figures.values(list(parts.values()))):
    right.barh(i, information, color=figures.TEAL)
    right.barh(i, mismatch, left=information, color="#F3DCEE", edgecolor=figures.BERRY, hatch="//")
right.set_yticks([0, 1], list(parts))
right.axvline(math.log(9000), color=figures.MUTE, linestyle="--", linewidth=1.2)
right.text(math.log(9000) + 0.4, 0.46, "ln 9,000", color=figures.MUTE, fontsize=9)
right.set(xlabel="nats: ■ information, ▨ mismatch", ylim=(-0.6, 1.6))
figures.title(right, "The KL, in two parts")
show(fig, alt="Left, the aggregate posterior of two latents covers the prior's circles with ridges and "
              "gaps. Right, the "
              "KL in two parts: information 5.9 and mismatch 0.5 nats for 2 latents, 9.1 and 17 for 50.")

# %% [markdown]
# With two latents most of the KL is information, and the mismatch is small. Fifty seem to fit badly: 17 nats of mismatch. But look at the limit. The
# KL is 26 nats, the information at most $\ln 9{,}000 = 9.1$, so 17 *must* be left over, whatever the encoder does with these 26. An
# information of $\ln N$ says only that hardly two images share a place. With more images the limit would be higher.

# %% [markdown]
# ## 8 · Who works in there?
#
# A latent whose $q$ is the same for every image says nothing about any. Burda et al. call a latent **active** if its $\mu$ moves: if the
# variance of $\mu$ over the images exceeds 0.01.
#
# ### Exercise: active units
# *difficulty 1/5 · importance 4/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.active_units")
def active_units(mu, threshold=0.01):
    """Return for each latent whether the variance of its mean over the examples exceeds threshold.

    mu (n, latent): the means of q(z|x) of n examples; returns (latent,) of bool.
    Worked value: mu = [[0., 5.], [1., 5.]] gives [True, False].
    """
    # 1. the variance of every column, with n − 1, as .var() has it
    # 2. compare
    ...

# %%
with torch.no_grad():
    mu, logvar = vae.encode(test)
active = active_units(mu)
kl_each = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(0)
claim("19 of the 50 latents are active; the other 31 hold less than 0.01 nats together",
      active.sum() == 19 and kl_each[~active].sum() < 0.01, dead=kl_each[~active].sum())
runs = sorted(zip(course.each("active"), course.each("test"), strict=True))
print("active latents and nats on the test digits, by seed:", runs)
claim("of these five runs, the one with more active latents has the better test likelihood",
      all(more[0] > fewer[0] and more[1] > fewer[1] for fewer, more in pairwise(runs)))
z = reparameterize(mu, logvar, torch.randn(mu.shape, generator=draws).to(device))
fresh = torch.randn(mu.shape, generator=draws).to(device)
mixed = torch.where(active, z, fresh)  # dead latents from the prior
with torch.no_grad():
    recon = [(test * l - F.softplus(l)).sum(1).mean() for l in (vae.decode(z), vae.decode(mixed))]
claim("drawing the dead ones anew changes the reconstruction by less than 0.1 nats",
      abs(recon[0] - recon[1]) < 0.1, nats=recon)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=2.8)
kl_each, active = kl_each.cpu(), active.cpu()
order = kl_each.argsort(descending=True)
shades = [figures.TEAL if a else figures.MUTE for a in active[order]]
ax.bar(range(50), figures.values(kl_each[order]), color=shades)
ax.text(24, 0.8, "31 latents whose q is the prior,\nwhatever the image", color=figures.MUTE)
ax.set(xlabel="latent, sorted", ylabel="KL (nats)", xlim=(-1, 50))
figures.title(ax, "19 latents share the 26 nats of KL")
show(fig, alt="KL of each of the 50 latents, sorted: 19 hold between 0.4 and 2.3 nats, the remaining "
              "31 hold none.")

# %% [markdown]
# This too is collapse, latent by latent. In chapter 06's linear model it is the *optimum*: a latent lives where it brings
# more likelihood than its KL costs. Of our five runs those with more active latents are better; whether for that, five cannot say.

# %% [markdown]
# ## What stays
#
# - A fault that raises no error can cost everything (*with the article's reductions the KL ends below 0.1 nats*).
# - A log-likelihood comes with its $k$, its error and its rivals (*from 100 to 5,000 draws between 0 and 1 nat is still gained*).
# - Samples are draws, more ragged than the data (*two draws from the same z differ in 1.5 to 2.5 times as many pixels*).
# - In 50 dimensions draws live near a shell (*fewer than 2 in 1,000 draws of the prior are as short*).
# - A VAE can leave latents unused (*19 of the 50 latents are active*).

# %% tags=["nbval-ignore-output"]
progress("07_vae_training")

# %% [markdown]
# **Open questions.** What would a prior that fits $q(z)$ gain? How many nats would the other 51,000 digits bring? Would a decoder whose
# pixels see each other still need $z$ (chapter 08)?
#
# **References.** Kingma and Welling 2014, *Auto-encoding variational Bayes*: section 5. Burda, Grosse and Salakhutdinov 2016, *Importance weighted
# autoencoders*: table 1 and section 5.2. Salakhutdinov and Murray 2008: the binary digits. Hoffman and Johnson 2016, *ELBO surgery*. White 2016,
# *Sampling generative networks*. Dumoulin and Visin 2016, *A guide to convolution arithmetic*. Wu et al. 2017, *On the quantitative analysis of
# decoder-based generative models*: how far importance sampling can be trusted.
