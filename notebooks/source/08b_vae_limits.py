# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08b · Where a likelihood misleads
#
# **What does a good bound on $\log p(x)$ not tell?**
#
# Chapter 08 used a VAE where its likelihood is what counts: for files and for gaps. This optional chapter takes it where
# people go next. The same model cleans noisy images well, although its likelihood does not fit them. It is asked what does not belong, what its latents hold,
# how sharp it is and what its draws show; and each time a better bound is not the answer. No later chapter relies on it.

# %% tags=["hide-input"]
from course_lib.chapters.ch08b_vae_limits import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Ten digits under heavy noise, the same ten cleaned by the model, and ten images that the "
         "model draws by itself, several of which are no digits.")

# %% [markdown]
# Afterwards you can
#
# - put a VAE in the place of a prior, and say where it beats the Wiener filter;
# - score odd images by a bound, show how that goes wrong, and check what a mend owes to the model;
# - tell failures of a VAE apart by rate, distortion and draws.
#
# **Needs** chapters 07 and 08. **Time** 45 minutes to read and run, 14 more for the three exercises; the cells take about 25
# seconds on two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $R, D$ | rate and distortion: the two terms of −ELBO | |
# | $\beta$ | weight of the rate in training | |
# | $y, s$ | a noisy image; the noise's standard deviation | (n, 784) |
# | $m(z)$ | the decoder's mean image | (784,) |
# | $u_j, \lambda_j$ | a direction of the data's covariance; the variance along it | (784,), |
# | $r_i$ | mean square of what $m(z)$ misses at pixel $i$ | (784,) |
# | $k$ | draws of $z$ behind a bound | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from scipy.ndimage import median_filter
from torch.nn import functional as F

from course_lib.chapters.ch08b_vae_limits.experiment import small_vae
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.images import binarise, binary_test_digits, load_digits, load_fashion
from course_lib.evaluation.comparisons import paired_difference
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import start
from course_lib.vae.bounds import reparameterize
from course_lib.vae.denoising import fit_wiener, psnr, residual_variance, vae_denoise
from course_lib.vae.models import log_likelihood

run = start(seed=0, threads=1)
device = run.device

# %%
def seed(number):
    return torch.Generator().manual_seed(number)  # on the CPU: the same numbers on every device


def normal(*shape, of):
    return torch.randn(*shape, generator=seed(of)).to(device)


vae = load_digit_vae().to(device).requires_grad_(False)
digits = load_digits()
order = torch.randperm(10_000, generator=seed(0))  # the file goes by writers: shuffle first
test, labels = binary_test_digits().flatten(1)[order].to(device), digits.test_labels[order]
greys, grey_test = ((x.flatten(1) / 255).to(device) for x in (digits.train, digits.test[order]))

# %% [markdown]
# ## 1 · Noise
#
# Take grey digits and add noise, $y = x + s\,n$ with $n$ standard normal at each pixel. By Bayes $p(x\mid y)\propto p(y\mid x)\,p(x)$, so a better
# $p(x)$ should clean better. Suppose first that images are Gaussian, with the mean $\bar x$ and the covariance of the training images. Along
# each direction $u_j$ of the covariance the posterior is a product of two Gaussians, and its mean is
#
# $$\hat x = \bar x + \sum_j \frac{\lambda_j}{\lambda_j + s^2}\, u_j u_j^\top (y - \bar x) . \tag{8b.1}$$
#
# This is the **Wiener filter**. For data with this mean and covariance no linear filter has a smaller mean squared error.

# %%
grey = greys.cpu().double()  # float64, which not every device has
average = grey.mean(0)
variances, directions = torch.linalg.eigh(torch.cov(grey.T, correction=0))
y = grey_test[0].cpu() + 0.4 * torch.randn(784, generator=seed(2))
by_hand = average.clone()
for variance, u in zip(variances, directions.T, strict=True):  # equation (8b.1), direction by direction
    by_hand += variance / (variance + 0.4**2) * (u @ (y - average)) * u
wiener = fit_wiener(greys)
claim("the library's two matrix products give the same",
      (wiener.denoise(y[None].to(device), 0.4)[0].cpu().double() - by_hand).abs().max() < 5e-3)

# %% [markdown]
# And the VAE as $p(x)$? Its likelihood is Bernoulli, and a grey image with Gaussian noise is no draw of that: the number $p(y\mid z)$ that it
# would give has no meaning. We keep the network, *change the likelihood*, and say so. A grey pixel is taken to be
# $\mathcal N(m_i(z), r_i)$, with $r_i$ the mean square of what the decoder's mean misses in training. Then $y_i$ given $z$ is
# $\mathcal N(m_i(z), r_i + s^2)$. We climb $\log p(y\mid z) + \log p(z)$ from $z = 0$ to one best $z$, and mix:
#
# $$\hat x_i = m_i(z) + \frac{r_i}{r_i + s^2}\,(y_i - m_i(z)) . \tag{8b.2}$$

# %% [markdown]
# Quality is the PSNR, $-10\log_{10}$ of the mean squared error: 10 decibels more is a tenth of the error. All estimates are cut to 0 … 1 first.
#
# We try $s$ = 0.05, 0.1, 0.2, 0.4, 0.7 and 1.5, against Wiener and the median of 3×3 pixels. **At which $s$ is the VAE furthest ahead of Wiener?**

# %% tags=["nbval-ignore-output"]
guess("furthest_ahead", ...)

# %%
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
claim("the VAE is furthest ahead of Wiener at s = 0.4, by more than 2 dB",
      ahead[3] == max(ahead) and ahead[3] > 2, guessed="furthest_ahead", ahead=ahead)
claim("at 0.05 its lead is below 1 dB, and at 1.5 it is behind", 0 < ahead[0] < 1 and ahead[-1] < 0)
claim("the median is last of the three everywhere",
      all(m < min(v, w) for v, w, m, _ in zip(*db.values(), strict=True)), **db)

# %% tags=["hide-input"]
show(pictures.cleaned(noise, db, three),
     alt="Left, PSNR against noise for VAE, Wiener, median and the noisy image: the VAE leads in the "
         "middle, the median is below both. Right, six noisy digits, Wiener's haloes, the VAE's.")

# %% [markdown]
# Under weak noise $y$ is nearly right, and little can be gained; there the median is worse than leaving $y$ alone. Under overwhelming noise Wiener leads. A likely reason, not tested
# here: little is known of $z$ then, and one best $z$ is overconfident where an average is due. The Wiener filter *is* an average.
#
# ## 2 · What does not belong
#
# A model of digits should find a shoe improbable. The score of an image is *minus a bound* on $\log p(x)$, chapter 06's with
# $k = 10$ draws of $z$; nobody computes $\log p(x)$ itself. How often does an odd image score above a normal
# one? That is the **AUROC**, the area under the curve of hits against false alarms: 1 is perfect, ½ is chance.
#
# ### Exercise: AUROC
# *difficulty 2/5 · importance 4/5 · 7 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.auroc")
def auroc(normal, anomalous):
    """Return the probability that a random anomalous score is above a random normal one.

    normal (n,), anomalous (m,): scores, higher is stranger; a tie counts half. Returns a number.
    Worked value: normal = [1., 3.], anomalous = [2., 3., 4.] give 4.5/6 = 0.75.
    """
    ...

# %% [markdown]
# Both directions: the digits' model judges clothes (Fashion-MNIST), and a model of clothes, trained here for 400 steps, judges digits. All images
# are binary. **What are the two AUROCs?** Write down both.

# %% tags=["nbval-ignore-output"]
guess("two_aurocs", ...)

# %%
fashion = load_fashion()
mixed = torch.randperm(len(fashion.test), generator=seed(0))[:1000]
clothes = binarise(fashion.test[mixed], seed(0)).flatten(1).to(device)
run.expect("a VAE of clothes", minutes=1)
fashion_greys = (fashion.train.flatten(1) / 255).to(device)
of_fashion = small_vae(fashion_greys, run.pick(quick=400, full=400), seed=17)  # a seed not in the record
score = lambda model, x, k=10: -log_likelihood(model, x, k, seed(9)).cpu()
digit_model = score(vae, test[:1000]), score(vae, clothes)
fashion_model = score(of_fashion, clothes), score(of_fashion, test[:1000])
both = float(auroc(*digit_model)), float(auroc(*fashion_model))
claim("the digits' model tells clothes from digits, AUROC above 0.99; the clothes' model finds digits "
      "LESS odd than clothes, below 0.45", both[0] > 0.99 and both[1] < 0.45,
      guessed="two_aurocs", aurocs=both)

# %%
record = recorded("vae_in_use")
five = record.arm("odd", "fashion").values
claim("five recorded clothes' models agree, with k = 10 and with k = 100: AUROC below 0.45",
      max(five["likelihood"] + five["likelihood_100"]) < 0.45,
      k_10=five["likelihood"], k_100=five["likelihood_100"])

# %% tags=["hide-input"]
show(pictures.scores([("The digits' model: clothes stand out", digit_model, ("digits", "clothes")),
                      ("The clothes' model: digits look LESS odd", fashion_model,
                       ("clothes", "digits"))]),
     alt="Left, scores of the digits' model on a logarithmic axis: clothes lie far above digits, "
         "some by many orders of magnitude. Right, scores of the clothes' model on a linear axis: "
         "digits lie mostly below clothes.")

# %% [markdown]
# On the left a few scores have more than 20 digits. A bound from ten draws of an encoder that never saw such an image may be as loose as that.
#
# On the right nothing is broken: Nalisnick et al. (2019) found it in flows, VAEs and PixelCNNs alike. A likely reason: the score says how many nats an
# image needs, and simple images need few under any good model. A digit is mostly paper.
#
# So subtract what the image needs under a code that knows nothing of clothes. Serrà et al. (2020) take the length of a PNG: score
# $-\,\ell_{\text{PNG}}(x)\ln 2$. What would minus that length score *alone*, without any model?

# %%
from course_lib.information.image_files import png_bits


def png_nats(x):
    """Return the length of each image as a PNG, in nats."""
    return math.log(2) * torch.tensor([float(png_bits(image)) for image in x.cpu().view(-1, 28, 28)])


png = [png_nats(x) for x in (clothes, test[:1000])]
less_png = lambda scores, png: float(auroc(*(s - nats for s, nats in zip(scores, png, strict=True))))
alone = float(auroc(-png[0], -png[1])), float(auroc(-png[1], -png[0]))  # digits odd, clothes odd
mended = less_png(fashion_model, png), less_png(digit_model, png[::-1])
ones = clothes.sum(1).cpu(), test[:1000].sum(1).cpu()
claim("digits have 13 % ones, clothes 28 %; as a score, their number has an AUROC below 0.2",
      [round(100 * x.mean().item() / 784) for x in ones] == [28, 13] and auroc(*ones) < 0.2)
claim("less a PNG's length the clothes' model has more than 0.9, here and for five recorded seeds, but "
      "minus the length alone has 0.89: the model adds less than 0.05", 0.88 < alone[0] < 0.9
      and all(0.9 < score < alone[0] + 0.05 for score in [mended[0], *five["complexity"]]),
      mended=mended[0], alone=alone[0])
claim("the digits' model keeps more than 0.99, where the length alone has less than 0.15",
      mended[1] > 0.99 and alone[1] < 0.15, mended=mended[1], alone=alone[1])

# %% [markdown]
# In one direction the PNG does nearly all of it, and a model that says nothing would pass. The other direction shows that the difference is more than a
# turned sign: there the length alone is wrong, and the model holds its own.

# %% [markdown]
# ## 3 · Latents that say little
#
# At the first step of training $z$ says nothing, so each nat of KL is a price without a return, and training pushes $q$ to the prior. Some
# latents may never come back. The usual cure is **warm-up**: the KL's weight rises from 0 to 1 (Bowman et al. 2016; Sønderby et al.
# 2016).
#
# Does it help *here*? Fully connected, 50 latents, 600 steps, five seeds without and with a warm-up of 300. **How many nats
# of ELBO does it gain on validation images, on average?** (With five seeds, a mean difference is told from 0 at 95 % if it is over 2.78
# standard errors.)

# %% tags=["nbval-ignore-output"]
guess("gained_by_warmup", ...)

# %%
def gains(with_it, without):
    """Return for kl, recon and elbo the mean gain, seed by seed, and its standard error."""
    arms = [{key: torch.tensor(record.arm(*where).each(key)) for key in ("kl", "recon", "elbo")}
            for where in (with_it, without)]
    return {key: [each.item() for each in paired_difference(arms[0][key], arms[1][key])]
            for key in arms[0]}


gain = gains(("warmup", "300"), ("warmup", "0"))
claim("warm-up raises the rate and lowers the distortion, by over 2.78 standard errors each",
      all(gain[key][0] > 2.78 * gain[key][1] for key in ("kl", "recon")), **gain)
claim("what it gains in ELBO cannot be told from 0: less than 2.78 standard errors",
      abs(gain["elbo"][0]) < 2.78 * gain["elbo"][1], guessed="gained_by_warmup", gain=gain["elbo"])
active = [record.arm("warmup", steps).each("active") for steps in ("0", "300")]
claim("with and without it at least 49 of 50 latents are active, in every seed",
      min(map(min, active)) >= 49)

# %% [markdown]
# No latent was dead, so none had to be saved. The rate rises in return for as much distortion, as far as five seeds can tell.

# %% [markdown]
# **A decoder that can do without $z$.** Let each pixel's logit also depend on the pixels before it in reading order:

# %% tags=["hide-input"]
show(pictures.view(),
     alt="A grid of pixels: the logit of one pixel is made of five rows above and the pixels to its "
         "left through a small network, of all earlier pixels through a weighted sum, and of z.")

# %% [markdown]
# Such a decoder is a model of images by itself. Averaged over the data, the ELBO is
#
# $$\mathrm E\,[\mathrm{ELBO}] = \mathrm E\,[\log p(x)] - \mathrm E\,[\mathrm{KL}(q(z\mid x)\,\Vert\,p(z\mid x))] . \tag{8b.3}$$
#
# If the pixels before explain everything, $p(x\mid z) = p(x)$ and the posterior *is* the prior. Then the best $q$ is the prior, too, and the rate is 0. A large PixelCNN brings it there
# (Chen et al. 2017). Here is a small one after 400 steps, beside the plain decoder after 600. Its network sees one row or five; both kinds have the weighted
# sum over all earlier pixels, so how much each part does cannot be told apart here.

# %%
kinds = {"plain, 600 steps": ("beta", "1.0"), "sum, 1 row, 400": ("decoder", "near"),
         "sum, 5 rows, 400": ("decoder", "strong"), "… with warm-up": ("decoder", "strong, warm-up")}
kl_of = {name: record.arm(*where).mean("kl") for name, where in kinds.items()}
elbo_of = {name: record.arm(*where).mean("elbo") for name, where in kinds.items()}
strong = gains(kinds["sum, 5 rows, 400"], kinds["plain, 600 steps"])
claim("the strong decoder's ELBO is more than 20 nats better than the plain one's, and z carries less "
      "than a quarter of the nats", strong["elbo"][0] > 20
      and kl_of["sum, 5 rows, 400"] < kl_of["plain, 600 steps"] / 4, **strong)
cured = gains(kinds["… with warm-up"], kinds["sum, 5 rows, 400"])
claim("warm-up once more: rate up and distortion down by over 2.78 standard errors, the ELBO by less",
      all(cured[key][0] > 2.78 * cured[key][1] for key in ("kl", "recon"))
      and abs(cured["elbo"][0]) < 2.78 * cured["elbo"][1], **cured)

# %% tags=["hide-input"]
show(pictures.bars(kl_of, elbo_of),
     alt="Bars for four decoders. Left, the KL falls from 16 nats for the plain one to about 3 for "
         "those that see earlier pixels, a little more with warm-up. Right, the ELBO is more than 20 "
         "nats better.")

# %% [markdown]
# ### Question: what happened?
# *difficulty 2/5 · importance 4/5 · 4 minutes*
#
# Somebody trains a VAE. Its ELBO is better than your plain VAE's, its KL is 0.02 nats, its samples look fine. Name the cause.
#
# - `beta_too_large`, `beta_too_small`: chapter 08, section 1;
# - `strong_decoder`: it explains the pixels without $z$;
# - `posterior_collapse`: $q$ is the prior;
# - `mode_collapse`: samples show a few kinds of image alone;
# - `overfitting`: better in training than in validation;
# - `sampling_means`: means are shown where draws were due (chapter 07).

# %% tags=["nbval-ignore-output"]
answer("vae.which_failure_1", ...)

# %% [markdown]
# ## 4 · Blur
#
# ‘VAEs blur because of the squared error’, it is often said. Ours has no squared error, and its means are grey at the edges. Call a
# pixel grey if its mean lies between 0.1 and 0.9. We measure the share of grey pixels for one $z$ drawn for each image, for the average over the
# posterior, and for $z$ from the prior; the data's own greys are the floor.

# %%
grey_share = lambda p: ((p > 0.1) & (p < 0.9)).float().mean().item()
x = test[:500]
mu, logvar = vae.encode(x)
means = vae.means(reparameterize(mu, logvar, normal(40, 500, 50, of=10)))
greyness = {"data": grey_share(grey_test[:500]), "one z": grey_share(means[0]),
            "mean over q": grey_share(means.mean(0)),
            "prior": grey_share(vae.means(normal(500, 50, of=11))), "no z": grey_share(vae.mean)}
claim("data, one z, mean over q, prior, no z: greyer from each to the next",
      sorted(greyness.values()) == list(greyness.values()), **greyness)
entropy = lambda p: -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(-1).mean().item()
claim("of the pixels' entropy at one z about two thirds are the data's own dice: 0.6 to 0.72",
      0.6 < entropy(grey_test[:500]) / entropy(means[0]) < 0.72,
      data=entropy(grey_test[:500]), one_z=entropy(means[0]))

# %% [markdown]
# Our pixels are *drawn* from the data's greys, each with its own coin. Whoever knew every coin would still have 45.7 nats of
# doubt in an image; the decoder at one $z$ has 70. So most of the grey is dice, and only the rest is what the model does not know. All of it is
# what $z$ does not say, so more rate should sharpen, with the same likelihood. **Will $\beta = 0.1$ also make draws of
# the prior less grey than $\beta = 1$?**

# %% tags=["nbval-ignore-output"]
guess("prior_sharper", ...)

# %%
betas = [0.1, 0.3, 1.0, 3.0, 10.0]
sharp, at_prior = ([record.arm("beta", str(b)).mean(key) for b in betas]
                   for key in ("grey", "grey_prior"))
claim("the smaller β, the fewer grey pixels in reconstructions", sorted(sharp) == sharp, grey=sharp)
low, one = (torch.tensor(record.arm("beta", b).each("grey_prior")) for b in ("0.1", "1.0"))
gain, spread = paired_difference(low, one)
claim("but at β = 0.1 the prior's means are greyer than at β = 1, by over 3 standard errors",
      gain > 3 * spread, guessed="prior_sharper", gain=gain, standard_error=spread)

# %% tags=["hide-input"]
drawn = torch.bernoulli(means[0, :10].cpu(), generator=seed(13)).to(device)
rows = torch.cat([x[:10], means[0, :10], means.mean(0)[:10], drawn])
show(pictures.grey_by_beta(betas, sharp, at_prior, rows),
     alt="Left, the share of grey pixels against β: rising for reconstructions, while images from the "
         "prior are greyest at both ends. Right, ten digits, their means at one z, over all z, a draw.")

# %% [markdown]
# A likely reason: at $\beta = 0.1$ the $q(z\mid x)$ together need not fill the prior, and a draw may fall where the decoder has never been. A Gaussian likelihood fits in:
# $\tfrac{1}{2\sigma^2}\lVert x - m\rVert^2 + \mathrm{KL}$ is squared error with $\beta = 2\sigma^2$. A large $\sigma$, fixed in advance, is a large $\beta$. So the square alone
# does not make the blur.
#
# ### Question: what happened this time?
# *difficulty 2/5 · importance 4/5 · 3 minutes*
#
# The same seven answers. On training and on validation images alike, reconstructions are sharper than your plain VAE's and the ELBO is worse. Draws of the prior
# are broken strokes.

# %% tags=["nbval-ignore-output"]
answer("vae.which_failure_2", ...)

# %% [markdown]
# ## 5 · What the draws show
#
# A likelihood punishes each image that the model misses. It hardly punishes what the model adds. So look at the draws: 2,000 of the shipped model, beside as many real binary digits, as a digit
# classifier sees them. As a null model we take *averages of two random digits*, made binary.
#
# Of 2,000 real test digits the classifier takes about 190 for a 1. **Of 2,000 draws?**

# %% tags=["nbval-ignore-output"]
guess("ones_drawn", ...)

# %%
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.neighbours import density_and_coverage
from course_lib.pretrained.classifiers import load_classifier

classifier = load_classifier("digits").to(device)
look = lambda x: features_and_logits(classifier, 2 * x.reshape(-1, 1, 28, 28) - 1)
two = digits.train[torch.randperm(9000, generator=seed(16))].view(2, 4500, 28, 28)[:, :2000]
drawn_means = vae.means(normal(2000, 50, of=14))
sets = {"real": test[:2000], "draws": torch.bernoulli(drawn_means.cpu(), generator=seed(15)).to(device),
        "averages": binarise(two[0] // 2 + two[1] // 2, seed(17)).flatten(1).to(device),
        "training": binarise(two[0], seed(18)).flatten(1).to(device)}
seen = {name: look(images) for name, images in sets.items()}
named = {name: logits.softmax(1).cpu().max(1) for name, (_, logits) in seen.items()}
counts = {name: top.indices.bincount(minlength=10).tolist() for name, top in named.items()}
doubt = {name: (top.values < 0.9).float().mean().item() for name, top in named.items()}
rare = (0, 1, 6, 9)
claim("the classifier names fewer than 60 of 2,000 draws a 1 and fewer than 130 a 0, a 6 or a 9, of "
      "real digits more than 150 each", counts["draws"][1] < 60
      and max(counts["draws"][c] for c in rare) < 130
      and min(counts["real"][c] for c in rare) > 150, guessed="ones_drawn", draws=counts["draws"])
claim("but of averages of two digits fewer still, each of the four; and it doubts both over four times "
      "as often as real digits", all(counts["averages"][c] < counts["draws"][c] for c in rare)
      and min(doubt["draws"], doubt["averages"]) > 4 * doubt["real"],
      named=counts["averages"], **doubt)

# %% [markdown]
# So the missing ones are no proof that the model has lost a class: of half of its draws the classifier doubts, with less than 0.9 for its answer, and of averages it
# doubts as often and calls them a 1 as seldom. Is there anything that tells draws from averages? In the classifier's features, *density* asks whether draws are where the data are, *coverage* whether
# there is a draw near every real image: nearer than its fifth real neighbour (Naeem et al. 2020).

# %%
real = seen["real"][0]
both = [density_and_coverage(real, seen[name][0]) for name in ("draws", "averages", "training")]
density, coverage = zip(*both, strict=True)
claim("coverage does: draws have about half of what other real digits have, 0.4 to 0.6 of it, and "
      "averages less than 0.37 of it", coverage[2] > 0.9 and coverage[1] < 0.37 * coverage[2]
      and 0.4 < coverage[0] / coverage[2] < 0.6, coverage=coverage)
claim("density hardly: draws and averages have less than 0.65, real digits more than 0.85",
      max(density[:2]) < 0.65 and density[2] > 0.85, density=density)
doubtful = look(drawn_means)[1].softmax(1).amax(1).argsort()[:40]

# %% tags=["hide-input"]
fig = pictures.classes({"● real digits": counts["real"], "▲ draws": counts["draws"],
                        "averages of two": counts["averages"]}, drawn_means[doubtful])
fig.axes[0].set_title("0, 1, 6, 9 are rare in draws and in averages", loc="left")
show(fig, alt="Left, how many of 2,000 real digits, draws and averages of two digits the classifier "
              "puts in each class: real ones are even, the other two have few 0, 1, 6, 9. "
              "Right, forty doubtful means.")

# %% [markdown]
# What can be said is that the draws cover more than
# averages do, and about half of what real digits cover. Mode *collapse* is the trouble of GANs (chapter 10). In a VAE it is the posterior that may collapse, as in section 3.

# %% [markdown]
# ## What stays
#
# - A likelihood has to fit what it judges; with another one, the same network is
#   [*furthest ahead of Wiener at s = 0.4*](#1-·-Noise), and behind under overwhelming noise.
# - A bound on $\log p(x)$ need not measure belonging: [*the clothes' model finds digits LESS odd*](#Exercise:-AUROC).
#   Ask of a mend what it does without the model: [*minus the length alone has 0.89*](#Exercise:-AUROC).
# - A better bound may come with emptier latents:
#   [*z carries less than a quarter of the nats*](#3-·-Latents-that-say-little). Warm-up moved rate and distortion,
#   [*rate up and distortion down*](#3-·-Latents-that-say-little), and no more could be told.
# - Grey means are what $z$ does not say, and mostly [*the data's own dice*](#4-·-Blur). A smaller $\beta$ sharpens what is rebuilt, and here
#   [*the prior's means are greyer*](#4-·-Blur).
# - Judge draws beside a null model: [*of averages of two digits fewer still*](#5-·-What-the-draws-show);
#   [*coverage does*](#5-·-What-the-draws-show) tell them apart.

# %% tags=["nbval-ignore-output"]
progress("08b_vae_limits")

# %% [markdown]
# **Open questions.** What would averaging over $z$ gain in denoising? Which prior makes $\beta = 0.1$ sample well? Which score for odd images needs no
# PNG?
#
# **References.** Nalisnick et al. 2019, *Do deep generative models know what they don't know?*: figure 1. Serrà et al. 2020, *Input complexity and out-of-distribution
# detection with likelihood-based generative models*. Chen et al. 2017, *Variational lossy autoencoder*: section 2. Bowman et al. 2016, *Generating sentences from a continuous space*; Sønderby et al. 2016, *Ladder variational autoencoders*: warm-up.
# Naeem et al. 2020, *Reliable fidelity and diversity metrics for generative models*: section 3.
