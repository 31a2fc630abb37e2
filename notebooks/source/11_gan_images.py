# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · A GAN of images
#
# **How good are a GAN's images, in numbers that can be trusted?**
#
# Two networks play the game of chapter 09. After half a minute on one core there are digits, sorted by class; the losses have not told you so. This chapter builds a measure that does, asks what its numbers mean, and then breaks the training in six ways. Below are images after five times as long. The number above each sheet says how far such images are from real ones, the mean of five seeds (section 4); two classifiers measure them, so the two do not compare.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch11_gan_images import figures as pictures
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.gan.dcgan import sample
from course_lib.pretrained.generators import load_generator
from course_lib.training.runtime import runtime

device = runtime().device
record = recorded("gan_images")
one_row = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
z, classes = one_row.repeat_interleave(10, 0).to(device), torch.arange(10, device=device).repeat(5)
shipped = ("digits", "fashion")
made = {data: sample(load_generator(data).to(device), z, classes) for data in shipped}
away = {data: record.arm(data, "long").mean("frechet_distance") for data in shipped}
show(pictures.opening(made, away),
     alt="Fifty generated digits and fifty generated pieces of clothing, each column one class, "
         "each row one noise: the digits of a row share their weight, and nearly all can be read.")

# %% [markdown]
# Afterwards you can
#
# - write a GAN's training step in which each turn moves one player alone;
# - measure a generator by a distance, and say what its size, its order and its classes do to the number;
# - name a failure from its losses and its samples.
#
# **Needs** chapters 07, 09 and 10. **Time** 50 minutes to read and run, 40 for the exercises; the cells take about 45 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, y$ | an image, pixels from −1 to 1; its class | (1, 28, 28), () |
# | $z$ | noise | (64,) |
# | $D, G$ | discriminator (its output is the logit), generator | |
# | $p, q$ | distribution of the data, of the fakes | |
# | $\phi(x)$ | a classifier's features of an image | (64,) |
# | $h(x), e_y$ | $D$'s own features; its trained vector of a class | (3136,) |
# | $m, \Sigma$ | mean and covariance of features | (64,), (64, 64) |
# | $n$ | images in a heap | |

# %% tags=["nbval-ignore-output"]
import copy
import math
from functools import partial

from torch import nn
from torch.nn import functional as F

from course_lib.chapters.ch11_gan_images.controls import beyond_sum, distance_by_shares
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.comparisons import paired_difference
from course_lib.evaluation.frechet import frechet_distance, real_floor
from course_lib.evaluation.neighbours import density_and_coverage
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.runtime import start
from course_lib.training.trained import Trained

run = start(seed=0, threads=1)
device = run.device
f64 = torch.float64
digits = load_digits()

# %% [markdown]
# ## 1 · Two networks for images
#
# A **DCGAN** (Radford et al. 2016) is chapter 07's decoder and its mirror image. In $G$ two transposed convolutions double the side; at the end stands tanh, so the pixels lie between −1 and 1, and the data must lie there too: black is −1. $D$ goes back with strided convolutions to one logit. Its non-linearity is the **leaky ReLU**, $\max(x, 0.2x)$, because all that $G$ learns comes back through $D$, and a ReLU that is off passes nothing on.
#
# New is **batch norm** (Ioffe and Szegedy 2015), chapter 04's layer norm along another axis: each *channel* gets mean 0 and variance 1 over all images of the batch and all places, and is then scaled and shifted by two trained numbers. For use, `.eval()` takes running averages of both instead.

# %% tags=["hide-input"]
show(pictures.networks(),
     alt="Boxes in a row: noise of 64 numbers, 7 by 7, 14 by 14, an image of 28 by 28, then 14 by 14, "
         "7 by 7, one logit. The first half is the generator, the second the discriminator; the "
         "generator's gradient comes back through both.")

# %%
up = nn.Sequential(
    nn.Linear(64, 64 * 7 * 7, bias=False), nn.Unflatten(1, (64, 7, 7)), nn.BatchNorm2d(64), nn.ReLU(),
    nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
    nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Tanh()).to(device)
down = nn.Sequential(
    nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
    nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
    nn.Flatten(), nn.Linear(64 * 7 * 7, 1), nn.Flatten(0)).to(device)
noise = torch.randn(8, 64).to(device)
images = up(noise)
claim("8 noises become 8 images of 28 × 28 in (−1, 1), and 8 logits",
      images.shape == (8, 1, 28, 28) and images.abs().max() < 1 and down(images).shape == (8,))

# %%
x = images.detach().cpu().double()
over = {"dim": (0, 2, 3), "keepdim": True}  # the batch and all places
by_hand = (x - x.mean(**over)) / (x.var(correction=0, **over) + 1e-5).sqrt()
claim("batch norm by hand is PyTorch's, in float64",
      (by_hand - nn.BatchNorm2d(1, dtype=f64)(x)).abs().max() < 1e-12)
with torch.no_grad():
    alone = {mode: (up.train(mode)(noise[:4]) - up.train(mode)(noise)[:4]).abs().max().item()
             for mode in (True, False)}
claim("in training mode an image changes with its neighbours in the batch, in eval mode it does not",
      alone[True] > 1e-3 and alone[False] < 1e-6, training=alone[True], eval=alone[False])

# %% [markdown]
# **Classes.** $G$ gets a trained vector for the class $y$ beside $z$. What should $D$ do with $y$? By chapter 09 its best logit is a log-ratio of data and fakes, and that splits:
#
# $$\ln\frac{p(x, y)}{q(x, y)} = \ln\frac{p(x)}{q(x)} + \ln\frac{p(y \mid x)}{q(y \mid x)} . \tag{11.1}$$
#
# Suppose both class probabilities are softmaxes of features, $p(y \mid x) \propto \exp(v_y\cdot h(x))$, and $q$ the same with $v'_y$. Then the last term is $(v_y - v'_y)\cdot h(x)$ plus something without $y$. Make all that has no $y$ linear in $h$, too, and train one vector $e_y$ for each class:
#
# $$D(x, y) = w\cdot h(x) + b + e_y\cdot h(x) . \tag{11.2}$$
#
# This is the **projection discriminator** (Miyato and Koyama 2018). Without classes the last term is absent.

# %%
h = torch.randn(5, 3, dtype=f64)  # features of five images
v, v_other = torch.randn(2, 10, 3, dtype=f64)
last_term = (h @ v.T).log_softmax(1) - (h @ v_other.T).log_softmax(1)  # (5, 10 classes), (11.1)
left_over = last_term - h @ (v - v_other).T
claim("without (v_y − v'_y)·h(x) the last term is the same for all ten classes",
      (left_over - left_over[:, :1]).abs().max() < 1e-12)

# %% [markdown]
# ## 2 · One step, two turns
#
# In $D$'s turn real images should get a high logit and fakes a low one. In $G$'s turn, through the $D$ of *now*, fakes should get a high one (chapter 09, non-saturating). Both losses run through $D$, and $G$'s fakes are in both. So a `backward` can write gradients into the other player, too. The cell tries three: $D$'s loss with detached fakes, $D$'s loss without `detach`, and $G$'s loss. After each, which network holds a gradient that is not its own?

# %%
def gradient_of(network):
    """Return the length of all gradients that a network holds, 0 where it holds none."""
    return sum((p.grad**2).sum().item() for p in network.parameters() if p.grad is not None) ** 0.5


real_batch = (digits.train[:64, None] / 127.5 - 1).to(device)
fake = up.train()(torch.randn(64, 64).to(device))
d_loss = lambda fake: F.softplus(-down(real_batch)).mean() + F.softplus(down(fake)).mean()
d_loss(fake.detach()).backward()
with_detach = gradient_of(up)
d_loss(fake).backward(retain_graph=True)
without_detach = gradient_of(up)
down.zero_grad()
F.softplus(-down(fake)).mean().backward()
claim("with detach D's turn leaves nothing in G, without it G holds a gradient of D's loss",
      with_detach == 0 and without_detach > 0.01, without=without_detach)
claim("G's turn leaves a gradient in D", gradient_of(down) > 0.01, length=gradient_of(down))

# %% [markdown]
# What $G$'s turn left in $D$ points the wrong way: towards *believing* the fakes. Nobody may ever apply it.
#
# ### Exercise: the training step
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# Write both turns, and leave nothing of $G$'s loss in $D$ at the end. The cell after it takes the step apart: each optimizer notes $D$'s weights and gradients when it begins. (Batch norm's running averages move whenever $D$ looks, and are not asked for.)

# %% tags=["nbval-ignore-output"]
@exercise("gan.training_step")
def training_step(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """Take one step of the discriminator, then one of the generator; return (d_loss, g_loss).

    real (batch, ...), z (batch, latent); generator(z) has real's shape, discriminator(x) gives one
    logit an image, (batch,). Each optimizer holds its own network's parameters. The losses are those
    of chapter 09, means over the batch, as they were before each update.
    Worked value: G(z) = g z, D(x) = d x with g = -1, d = 0, real = z = 1, plain SGD of rate 1:
    d_loss = 2 ln 2 and d becomes 1; g_loss = softplus(1) and g becomes -1 + σ(1).
    """
    # two turns, each of which moves one player by the gradient of its own loss alone;
    # whatever gradients lay there before, and none of G's loss left in the discriminator afterwards
    ...

# %%
class Watched(torch.optim.SGD):
    """An optimizer that writes down D's weights and gradients when its step begins."""

    def step(self, closure=None):
        self.weights = [p.detach().clone() for p in down.parameters()]
        self.gradients = [p.grad.clone() if p.grad is not None else None for p in down.parameters()]
        return super().step(closure)


g_optimizer, d_optimizer = (Watched(network.parameters(), lr=0.1) for network in (up, down))
training_step(up, down, g_optimizer, d_optimizer, real_batch, torch.randn(64, 64).to(device))
same = lambda one, two: all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
claim("D moved in its own turn and stood still in G's",
      same(g_optimizer.weights, down.parameters())
      and not same(g_optimizer.weights, d_optimizer.weights))
claim("at the end D holds no gradient, or that of its own turn", gradient_of(down) == 0
      or same([p.grad for p in down.parameters()], d_optimizer.gradients))

# %% [markdown]
# ## 3 · Half a minute
#
# The library's `adversarial_step` is this step with classes. We take 600 steps of 64 digits, by Adam with the rate 0.002 and $\beta_1 = 0.5$ in place of 0.9: an average over two gradients, not ten. Beside $G$ runs its moving average, as in chapter 10: $0.98$ of itself and $0.02$ of $G$ a step. Every 100 steps we keep 2,000 of its images.
#
# At first $D$ faces noise. In the first 100 steps its loss is about 1 in the mean. **Guess** its mean in steps 201 to 300, when digits appear. (A $D$ that knows nothing has $\ln 4 = 1.39$.)

# %% tags=["nbval-ignore-output"]
guess("d_loss", ...)

# %% tags=["nbval-ignore-output"]
from course_lib.gan.dcgan import Discriminator, Generator, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.training.moving_average import moving_average


def new_game(decay, n_classes=10):
    """Return the averaged generator, all that trains, and the step that trains it."""
    G = Generator(64, channels=32, n_classes=n_classes)
    D = Discriminator(channels=32, n_classes=n_classes)
    for network in (G, D):
        network.to(device, memory_format=torch.channels_last)  # a faster order in memory
    optimizers = {name: torch.optim.Adam(network.parameters(), 2e-3, (0.5, 0.99), fused=True)
                  for name, network in (("G", G), ("D", D))}
    average = moving_average(G, decay)
    step = adversarial_step(G, D, optimizers["G"], optimizers["D"], average=average,
                            bfloat16=bfloat16_pays(device))
    networks = {"G": G, "D": D, "average": average}
    return average, Trained(networks, optimizers, torch.Generator().manual_seed(0)), step


average, trained, step = new_game(decay=0.98)

# %% tags=["nbval-ignore-output"]
ten_thousand = torch.randn(10_000, 64, generator=torch.Generator().manual_seed(1)).to(device)
asked, real_digits = digits.test_labels.to(device), to_images(digits.train).to(device)
at = {0: sample(average, ten_thousand[:2000], asked[:2000])}  # step → 2,000 images


def keep(history):
    """Keep samples of the average every 100 steps."""
    if history.step % 100 == 0:
        at[history.step] = sample(average, ten_thousand[:2000], asked[:2000])


draw = draw_turns(real_digits, digits.train_labels, 64, 64)
history = fit(step, draw, 600, trained, every=20, on_interval=keep, unit=("image", 64))

# %%
losses = torch.tensor(history.curve("d_loss").values)  # 30 means of 20 steps
mean_of = lambda first, last: losses[first // 20:last // 20].mean().item()
early, middle, late = (mean_of(*span) for span in ((0, 100), (200, 300), (500, 600)))
claim("D's loss in steps 201 to 300 is that of steps 1 to 100, within 0.2", abs(middle - early) < 0.2,
      guessed="d_loss", early=early, middle=middle)
claim("then it rises, to within 0.2 of ln 4, the loss of a D that knows nothing",
      middle < late and abs(late - math.log(4)) < 0.2, late=late)
loss_of, away_at = (torch.tensor(record.arm("digits", "long", "curves").each(key), dtype=f64)
                    for key in ("d_loss", "averaged"))  # five runs of 3,000 steps, every 100
claim("in the recorded long runs the distance of section 4 falls by a fifth at least from step 600 to "
      "1,500", (away_at[:, 15] < 0.8 * away_at[:, 6]).all(), at_600=away_at[:, 6], later=away_at[:, 15])
at_the_end = away_at[:, 26:].mean(1)  # five looks
claim("from there D's loss falls by a third at least, the averaged generator's distance by less than "
      "a tenth",
      (loss_of[:, 29] < loss_of[:, 14] * 2 / 3).all() and (at_the_end > 0.9 * away_at[:, 15]).all(),
      loss=(loss_of[:, 14].mean(), loss_of[:, 29].mean()), distance=at_the_end)

# %% tags=["hide-input"]
show(pictures.half_a_minute(at, history.curve("d_loss"), history.curve("g_loss")),
     alt="Above, generated images at steps 0, 100, 200, 400 and 600: grey, blots, and then digits. "
         "Below, both losses: D's stays near 1 and rises towards ln 4, G's falls; neither marks the "
         "moment at which digits appear.")

# %% [markdown]
# The same loss stands beside blots and beside digits. Then it rises, and $G$ gets better. In the long runs it falls to about 0.6, and the averaged $G$ gets no nearer. No direction of it means progress: it says how well $D$ plays against *this* $G$.
#
# ## 4 · A distance between two heaps of images
#
# Pixels are a bad ruler: move a digit by two pixels, and it may be further from itself than from another digit. A classifier can be trained not to mind. Ours has learnt the ten classes of the training digits, each moved by up to two pixels; the 64 numbers $\phi(x)$ before its last layer are what we measure in.

# %%
classifier = load_classifier("digits").to(device)
test = to_images(digits.test).to(device)
real, real_logits = features_and_logits(classifier, test)  # (10000, 64), (10000, 10)
mixed = torch.randperm(10_000, generator=torch.Generator().manual_seed(5))[:500].to(device)
rivals = asked[mixed][:, None] != asked[mixed][None]  # pairs of two classes


def nearer_than_another_class(x, x_moved):
    """Return how often the moved image is nearer than the nearest of another class among 500."""
    x, x_moved = x.flatten(1), x_moved.flatten(1)
    nearest = torch.cdist(x, x).where(rivals, torch.inf).min(1).values
    return ((x - x_moved).norm(dim=1) < nearest).double().mean().item()


moved = test[mixed].roll(2, dims=-1)  # two pixels to the right
by = {"pixels": nearer_than_another_class(test[mixed], moved),
      "features": nearer_than_another_class(real[mixed], features_and_logits(classifier, moved)[0])}
claim("moved by two pixels a digit stays nearer to itself than any of another class: in features in "
      "95 cases of 100, in pixels in fewer than 25", by["features"] > 0.95 and by["pixels"] < 0.25, **by)

# %% [markdown]
# Now there are two heaps of features. Describe each by its mean $m$ and its covariance $\Sigma$. On a line, the cheapest way to carry one Gaussian to another, when a way costs its *squared* length, is quantile to quantile, at $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$ on average. In more dimensions this becomes
#
# $$\lVert m_1 - m_2\rVert^2 + \operatorname{tr}\big(\Sigma_1 + \Sigma_2 - 2\,(\Sigma_1\Sigma_2)^{1/2}\big), \tag{11.3}$$
#
# the **Fréchet distance**, though it is a *squared* distance (Dowson and Landau 1982; for GANs Heusel et al. 2017, ‘FID’ with the features of another network, Inception). The optional chapter 11b derives equation (11.3).
#
# ### Exercise: the Fréchet distance of two Gaussians
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# $\Sigma_1\Sigma_2$ is not symmetric, and singular where a feature never varies: general matrix roots can fail there. Find a symmetric matrix that has the same eigenvalues.

# %% tags=["nbval-ignore-output"]
@exercise("gan.gaussian_frechet_distance")
def gaussian_frechet_distance(mu, sigma, other_mu, other_sigma):
    """Return ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½), a number.

    mu, other_mu (d,); sigma, other_sigma (d, d): covariances, symmetric, with eigenvalues ≥ 0,
    some of which may be 0.
    Worked value: d = 1, means 0 and 3, variances 1 and 4 give 3² + (1 - 2)² = 10.
    """
    # equation (11.3), in float64, for singular covariances too; the trace of a root is the sum of
    # the roots of the eigenvalues, and rounding can make -1e-17 of an eigenvalue that is 0
    ...

# %%
moments = lambda x: (x.cpu().double().mean(0), x.cpu().double().T.cov())
one = lambda *numbers: [torch.tensor(number, dtype=f64) for number in numbers]
on_a_line = gaussian_frechet_distance(*one([1.0], [[4.0]], [3.0], [[9.0]]))
claim("on a line: (1 − 3)² + (2 − 3)² = 5", abs(on_a_line - 5) < 1e-6)
ours = gaussian_frechet_distance(*moments(real[:5000]), *moments(real[5000:]))
claim("of two heaps of features it is the library's frechet_distance",
      abs(ours - frechet_distance(real[:5000], real[5000:])) < 1e-4)
flat = real[:40]  # fewer images than features
claim("fewer images than features: a singular covariance, at distance 0 from itself all the same",
      abs(gaussian_frechet_distance(*moments(flat), *moments(flat))) < 1e-4
      and torch.linalg.matrix_rank(moments(flat)[1]) < 40)

# %% [markdown]
# ### What does 0 look like?
#
# The distance of *two halves of real images* is not 0. The moments of a sample are a little off, and equation (11.3) counts that as a difference. So every distance needs beside it the **floor**: what real images have, as many against as many. We take 5,000 against 5,000, both drawn from the shuffled test digits, then 2,500 against 2,500, and so on.

# %%
generator = torch.Generator().manual_seed(2)
sizes = [5000, 2500, 1250, 625]
floor = {n: sum(real_floor(frechet_distance, real, n, generator)) / 5 for n in sizes}  # five shuffles
in_order = {n: frechet_distance(real[:n], real[-n:]) for n in sizes}  # the first against the last
factors = [floor[n // 2] / floor[n] for n in sizes[:-1]]
claim("with half as many it is 1.5 to 2.9 times as large, three times in a row",
      all(1.5 < factor < 2.9 for factor in factors), factors=factors)
claim("the first 5,000 test digits against the last: more than 8 times the shuffled floor",
      in_order[5000] > 8 * floor[5000], in_order=in_order[5000], floor=floor[5000])
mistaken = (real_logits.argmax(1) != asked).cpu()
of_half = [half.double().mean().item() for half in mistaken.chunk(2)]
claim("the classifier is right for 98.5 to 99.1 of 100 of the first 5,000 and for 99.3 to 99.7 of the "
      "last", 0.009 < of_half[0] < 0.015 and 0.003 < of_half[1] < 0.007, mistaken=of_half)

# %% [markdown]
# It falls about as $1/n$, as the squared error of each moment does. So a distance says nothing without its $n$, and two are comparable only at the same one. Our verdicts take $n = 10{,}000$. There are no two such heaps of real digits; by $1/n$ they would be about 0.07 apart.
#
# And **shuffle**. The first 5,000 test digits of MNIST were written by school pupils, the last 5,000 by employees of the Census Bureau (Yadav and Bottou 2019 give the writers; one image lies across the border). The pupils' digits are the harder ones for our classifier. Who halves the set in its order finds a floor more than eight times too high, and flatters every model beside it.

# %%
over_time = {m: frechet_distance(features_and_logits(classifier, x)[0], real) for m, x in at.items()}
gaussian = recorded("metric_floors").arm("digits", "gaussian").mean("frechet_distance")
claim("from step 100 on the averaged generator's distance falls at every look, more than "
      "twenty-fold in all",
      all(over_time[m] > over_time[m + 100] for m in range(100, 600, 100))
      and over_time[100] > 20 * over_time[600], distances=list(over_time.values()))
claim("in steps 401 to 600, where D's loss moves by less than 0.2, it falls by a third at least",
      abs(late - mean_of(400, 500)) < 0.2 and over_time[600] < over_time[400] * 2 / 3)

# %% tags=["hide-input"]
show(pictures.distances(floor, in_order, over_time, gaussian),
     alt="Left, distance of two halves of real digits against 1/n: shuffled it falls along a line "
         "towards 0, in order it stays above 1.5. Right, the generator's distance over 600 steps falls "
         "from 100 to about 1, far below a Gaussian of the pixels and above the floor of real images.")

# %% [markdown]
# ## 5 · The verdict
#
# Now take 10,000 images of the averaged generator, of the classes of the test digits, and ask three things. How far are they? Do they show the class that was asked for? And is every *kind* of digit made? For the last question lay a ball around each real image's features, out to its fifth nearest other real image. **Coverage** (Naeem et al. 2020) is the share of balls that hold a fake. As many other real images would cover 0.97 of them (chapter 11b); the 9,000 training digits, which $G$ imitates, cover 0.93. **Guess** the generator's coverage.

# %% tags=["nbval-ignore-output"]
guess("coverage", ...)

# %%
images = sample(average, ten_thousand, asked)
features, logits = features_and_logits(classifier, images)
distance, shown = frechet_distance(features, real), accuracy(logits, asked)
density, coverage = density_and_coverage(real, features)
claim("the fakes cover between 55 and 80 of 100 real digits", 0.55 < coverage < 0.8,
      guessed="coverage", coverage=coverage)
imitated = density_and_coverage(real, features_and_logits(classifier, real_digits)[0]).coverage
claim("the training digits cover between 90 and 96", 0.9 < imitated < 0.96, coverage=imitated)
claim("the distance is below 2: less than a tenth of that of a Gaussian of the pixels",
      distance < 2 < 0.1 * gaussian, distance=distance)
claim("more than 95 of 100 show the class that was asked for, as the classifier reads them",
      shown > 0.95, share=shown)
of = lambda arm, key="frechet_distance": torch.tensor(record.arm(*arm).each(key), dtype=f64)
in_record = of(("digits", "quick"))
claim("the distance lies where those of the five recorded runs do, give or take 0.3",
      in_record.min() - 0.3 < distance < in_record.max() + 0.3,
      distance=record.beside(distance, in_record))

# %% [markdown]
# The record has five seeds of each arm, judged as here; this run began from other weights than any of them. The long arms take 3,000 steps, their rate falling to 0 over the second half, with 0.99 for the average's decay. On a GPU the next cell trains such a long one here.

# %%
if long_steps := run.pick(quick=0, full=3000):
    run.expect("a second GAN, five times as long", minutes=3)
    long_average, long_trained, long_step = new_game(decay=0.99)
    fit(long_step, draw, long_steps, long_trained, every=100, progress=False,
        schedule=partial(warmup_then_linear, warmup=0.0, decay=0.5))
    of_long, _ = features_and_logits(classifier, sample(long_average, ten_thousand, asked))
    there, longest = frechet_distance(of_long, real), of(("digits", "long"))
    claim("3,000 steps here end where the recorded ones do, give or take 0.2",
          longest.min() - 0.2 < there < longest.max() + 0.2, distance=record.beside(there, longest))
gains = {key: paired_difference(of(("digits", "long"), key), of(("digits", "quick"), key))
         for key in ("frechet_distance", "coverage")}
print("3,000 steps − 600:", {key: f"{mean:+.2f} ± {error:.2f}" for key, (mean, error) in gains.items()})
claim("long arm against quick: a smaller distance and a larger coverage, by over three standard errors",
      -gains["frechet_distance"][0] > 3 * gains["frechet_distance"][1]
      and gains["coverage"][0] > 3 * gains["coverage"][1])

# %% [markdown]
# ### What do the classes do?
#
# Without classes the same game, at the same number of steps, ends about ten times as far. One thought: the labelled $G$ is told how *often* each digit occurs, and the other has to find out.
#
# Another thought looks at $D$. Each of its 7 × 7 places sees a window of 10 × 10 pixels, and its end is linear. So in eval mode its logit is a **sum** of what the windows say. Two pieces that never meet in one window are judged apart, whether or not they belong to one digit. A third convolution has windows of 18 × 18, in which neighbouring strokes meet. With classes $D$ has a sum for each digit, by equation (11.2), so each window may know which digit it is to be a part of. That stays a thought: no arm below tests it.

# %%
exact = {"device": run.float64_device, "dtype": f64}
plain_d = copy.deepcopy(down).to(**exact).eval()  # section 1's network
deep, wide = (Discriminator(channels=32, **more).to(**exact).eval()
              for more in ({"depth": 3}, {"hidden": 128}))
pairs = (digits.test[mixed.cpu(), None].to(**exact) / 127.5 - 1).chunk(2)  # 250 each
beyond = lambda judge, rows: beyond_sum(judge, *pairs, rows).abs().max().item()  # rows: the lower part's
claim("nine top rows of one digit, six empty rows, thirteen bottom rows of another: D's logit is the "
      "sum of the parts' logits, less that of an empty image, in 250 pairs", beyond(plain_d, 13) < 1e-9)
claim("with a third convolution it is not, but is again with nine bottom rows below ten empty ones",
      beyond(deep, 13) > 1e-6 and beyond(deep, 9) < 1e-9, six=beyond(deep, 13), ten=beyond(deep, 9))
claim("with a hidden layer between the features and the logit it is neither",
      min(beyond(wide, 13), beyond(wide, 9)) > 1e-6)

# %% [markdown]
# Which thought holds? For the first there is a control: real digits, drawn with the shares of the classes that the classifier reads in the fakes. For the second the record has arms without classes, at 3,000 steps and with the same five seeds, so that their differences from ‘no classes, long’ are *paired*. Each changes $D$ alone; one seed, judged on the same test digits, chose them. ‘Third convolution’ sees windows of 18 × 18, and has more weights and fewer places as well. ‘Hidden layer’ combines all places, in 128 numbers. ‘1 × 1 layer’ is the control: one layer more, with windows as before. ‘Both’ has the third convolution and the hidden layer.

# %%
base, with_classes = "no classes, long", of(("digits", "long"))
arms = (base, "hidden layer", "third convolution", "both", "1 × 1 layer")
plain = {name: of(("digits", name)) for name in arms}
gain = {name: paired_difference(plain[base], plain[name]) for name in arms[1:]}
for name, (mean, error) in gain.items():
    print(f"{name}: {plain[name].mean():.2f}, nearer by {mean:.2f} ± {error:.2f}")
shares = torch.tensor(record.arm("digits", base).each("shares"), dtype=f64)  # (5, 10)
by_shares = torch.tensor([distance_by_shares(real, asked, each, generator) for each in shares])
claim("without classes the distance is more than five times as large, in each of five seeds",
      (plain[base] > 5 * with_classes).all(), without=plain[base], classes=with_classes)
claim("real digits with the fakes' shares of classes are between a tenth and a half as far",
      ((by_shares > plain[base] / 10) & (by_shares < plain[base] / 2)).all(), by_shares=by_shares)
claim("a third convolution, alone and with a hidden layer, brings it nearer by more than five standard "
      "errors of the paired difference",
      all(gain[name][0] > 5 * gain[name][1] for name in ("third convolution", "both")))
claim("the hidden layer alone gains less than half of that; the 1 × 1 layer loses, by over two errors",
      gain["hidden layer"][0] < gain["third convolution"][0] / 2
      and -gain["1 × 1 layer"][0] > 2 * gain["1 × 1 layer"][1])
covers = {name: of(("digits", name), "coverage") for name in arms[:3]}
claim("coverage grows with the hidden layer as with the third convolution, by over 0.1 in each seed",
      min((covers[name] - covers[base]).min() for name in arms[1:3]) > 0.1, **covers)
claim("even with both the distance is more than three times that with classes, in each of five seeds",
      (plain["both"] > 3 * with_classes).all(), both=plain["both"])

# %% [markdown]
# Wrong shares by themselves would make about 2 of the 7.1. A third convolution takes 3.2 away, one more layer in its place adds 1.5: wider windows are the likeliest reason, though weights and stride differ, too. Ending the sum is not enough: with a hidden layer no gain in distance can be told from 0, though coverage rises from 0.35 to 0.54. Most of what is left, 4.5 times the distance with classes, is unexplained.
#
# ### One ruler for two families
#
# How does the VAE of chapter 07 compare? Its draws are binary, the GAN's images grey. One ruler for both: draw each grey pixel as a bit, with the pixel as its probability, and measure against *binary* test digits. The record has VAEs without classes and with them, of their own recipe and number of steps. This compares what these trainings reached, not what the families can.

# %%
from course_lib.datasets.images import binary_test_digits

binary = features_and_logits(classifier, (2 * binary_test_digits()[:, None] - 1).to(device))[0]
binary_floor = sum(real_floor(frechet_distance, binary, 5000, generator)) / 5
on_bits = {"GAN, classes": of(("digits", "long"), "as bits"),
           "VAE, classes": of(("vae", "with classes")),
           **{f"GAN, {name}": of(("digits", name), "as bits") for name in plain},
           "VAE, no classes": of(("vae", "draws against binary digits"))}
for name, found in on_bits.items():
    print(f"{name}: {found.mean():.2f} ± {found.std() / math.sqrt(len(found)):.2f}")
claim("drawn as bits, the GAN with classes is nearer to binary digits than the VAE with classes, the "
      "worst of five seeds nearer than the best",
      on_bits["GAN, classes"].max() < on_bits["VAE, classes"].min())
claim("the VAE, too, is nearer with classes than without, the worst of five nearer than the best",
      on_bits["VAE, classes"].max() < on_bits["VAE, no classes"].min())

# %% tags=["hide-input"]
grey = {"GAN, classes": with_classes, **{f"GAN, {name}": found for name, found in plain.items()}}
show(pictures.verdict({"Grey digits": (grey, floor[5000]), "Drawn as bits": (on_bits, binary_floor)}),
     alt="Squared distances of each arm, five seeds each, on a logarithmic axis beside real digits: "
         "left among grey digits, right drawn as bits, with the VAE. With classes the GAN is nearest.")

# %% [markdown]
# ## 6 · Six ways to fail
#
# Each arm below differs from a sound training in one thing. It takes 400 steps without classes, five seeds, recorded. (So short, and without classes, sound runs end 14 away, too.)
#
# - `strong_discriminator`: $G$'s rate is a twentieth;
# - `not_cleared`: `zero_grad` is never called;
# - `sigmoid_twice`: $D$ ends in a sigmoid, and its output goes into the loss for *logits*;
# - `wrong_range`: data in 0 … 1, tanh in −1 … 1;
# - `mixed_statistics`: real and fake images go through $D$, and its batch norm, as one batch;
# - `collapse`: $D$'s rate is a hundredth.
#
# Here are three of them, the losses of all five seeds and the samples of the first.
#
# ### Exercise: three patients
# *difficulty 2/5 · importance 4/5 · 10 minutes*

# %% tags=["hide-input"]
failed = recorded("gan_failures").values
show(pictures.patients(failed),
     alt="Samples and losses of three failed trainings. A: grey blots, D's loss level at 1.0, 1.4 or "
         "1.6, G's at 0.7 or 0.3. B: digits on a grey ground, ordinary losses. C: 24 speckled images, "
         "D's loss far above ln 4 and G's near 0.")

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_1", ...)

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_2", ...)

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_3", ...)

# %%
lowest = math.log(1 + math.exp(-1)) + math.log(2)
scores = torch.linspace(-60, 60, 1201, dtype=f64).sigmoid()  # all that a sigmoid can put out
claim("no logits bring the twice squashed loss below ln(1 + e⁻¹) + ln 2 = 1.006",
      abs(F.softplus(-scores).min() + F.softplus(scores).min() - lowest) < 1e-12)
of_arm = lambda name, key="frechet_distance": torch.tensor(failed[name][key], dtype=f64)
ends = lambda name, loss: torch.tensor([curve[-1] for curve in failed[name]["curves"][loss]])
ruined = ("strong_discriminator", "not_cleared", "sigmoid_twice", "wrong_range", "collapse")
claim("five of the six are more than three times as far from real digits as sound runs, in every seed",
      all(of_arm(name).min() > 3 * of_arm("sound").max() for name in ruined), sound=of_arm("sound"))
claim("a strong D ends with a loss below 0.2, and G with one above 5",
      ends("strong_discriminator", "d_loss").max() < 0.2
      and ends("strong_discriminator", "g_loss").min() > 5)
spread = lambda name: of_arm(name, "spread")  # variance over the samples, summed over the pixels
claim("collapse: less than a fifth of the sound runs' variance, and D's loss ends above 1.5 · ln 4",
      spread("collapse").max() < spread("sound").min() / 5
      and ends("collapse", "d_loss").min() > 1.5 * math.log(4))
claim("so little variance comes in one seed at least of three other arms, too",
      all(spread(name).min() < spread("sound").min() / 5 for name in ruined[:3]))
mean, error = paired_difference(of_arm("mixed_statistics", "density"), of_arm("sound", "density"))
claim("mixed statistics: the density is lower by less than a fifth; the mean distance is within 30 % of "
      "the sound runs'", 0 < -mean < of_arm("sound", "density").mean() / 5
      and abs(of_arm("mixed_statistics").mean() / of_arm("sound").mean() - 1) < 0.3,
      density=(mean, error))
second = lambda name: torch.tensor([curve[1] for curve in failed[name]["curves"]["d_loss"]])
claim("but D's loss in steps 11 to 20 is below 0.1 in each seed, and above 0.5 in the sound runs",
      second("mixed_statistics").max() < 0.1 and second("sound").min() > 0.5)

# %% tags=["hide-input"]
others = ("sound", "mixed_statistics", "strong_discriminator", "sigmoid_twice", "not_cleared",
          "wrong_range")
show(pictures.others(failed, others),
     alt="Samples and losses of six trainings. Sound and mixed statistics: digits. Strong "
         "discriminator: stripes, its loss 0. Sigmoid twice: blots, losses level. Not cleared: patterns "
         "of black and white, losses that leap. Wrong range: digits on grey.")

# %% [markdown]
# As *logits* the numbers of a sigmoid are a $D$ that never believes anything firmly. Where the inner sigmoid is stuck at 0, as in most seeds of patient A, the losses are $\ln 4$ and $\ln 2$, and no gradient comes through.
#
# **Wrong range** leaves digits, on grey: $D$ and $G$ agree that black is 0, and most likely it is the measure, which expects −1, that finds them far. **Mixed statistics** cost little, if anything; $D$'s first steps show them, most likely because batch norm tells the halves of a batch apart. And **collapse** is more than one fault: two of five seeds of `not_cleared` ended in one image for every $z$, too, and a stuck or a winning $D$ left little variance in some seeds. None of the six raises an error.
#
# The next cell takes a folder of your own pictures, without classes.

# %% tags=["nbval-ignore-output"]
MY_IMAGES = None  # a folder's path: images of any size, at least 20, as light things on dark
if MY_IMAGES:
    from course_lib.datasets.own_images import load_images

    mine = to_images(load_images(MY_IMAGES)).to(device)  # (n, 1, 28, 28); invert=True for dark on light
    own_average, own_trained, own_step = new_game(decay=0.98, n_classes=0)
    fit(own_step, draw_turns(mine, None, 64, 64), run.pick(quick=600, full=3000), own_trained, every=20)
    show(pictures.own(sample(own_average, ten_thousand[:60])),
         alt="Sixty images that a generator without classes makes after training on your pictures.")

# %% [markdown]
# ## What stays
#
# - The loss says how $D$ plays, not how good $G$ is: [*D's loss in steps 201 to 300 is that of steps 1 to 100*](#3-·-Half-a-minute), while [*the averaged generator's distance falls at every look*](#What-does-0-look-like?).
# - A distance needs its $n$ and a shuffled floor: [*more than 8 times the shuffled floor*](#What-does-0-look-like?).
# - Without classes the distance is [*more than five times as large, in each of five seeds*](#What-do-the-classes-do?). There [*a third convolution, alone and with a hidden layer, brings it nearer*](#What-do-the-classes-do?), yet [*even with both the distance is more than three times that with classes*](#What-do-the-classes-do?).
# - Two families need one ruler: [*drawn as bits, the GAN with classes is nearer to binary digits*](#One-ruler-for-two-families).
# - Five mistakes of six show: [*more than three times as far from real digits*](#Exercise:-three-patients); one only at first: [*D's loss in steps 11 to 20 is below 0.1 in each seed*](#Exercise:-three-patients).

# %% tags=["nbval-ignore-output"]
progress("11_gan_images")

# %% [markdown]
# **Open questions.** Why does the averaged $G$ get no nearer after step 1,500? What would the distance say if the classifier had been trained on the test digits?
#
# **References.** Radford, Metz and Chintala 2016, *Unsupervised representation learning with DCGANs*: section 3, the networks. Ioffe and Szegedy 2015: batch norm. Miyato and Koyama 2018, *cGANs with projection discriminator*: section 3, equation (11.2). Heusel et al. 2017: section 4, FID. Dowson and Landau 1982: equation (11.3). Yadav and Bottou 2019, *Cold case: the lost MNIST digits*: who wrote what. Naeem et al. 2020, *Reliable fidelity and diversity metrics*: coverage. Chapter 11b, *Metrics*, asks what each of these numbers hides.
