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
# **How good are its images, in numbers that can be trusted?**
#
# Two networks play the game of chapter 09. After half a minute on one core there are digits, sorted by class. Their losses will
# not tell you so. This chapter builds the measures that do, and then breaks the training in six ways. Below is where five times as long leads. (Two data sets, two rulers: their numbers cannot be compared.)

# %%
import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.gan.dcgan import sample
from course_lib.pretrained.generators import load_generator
from course_lib.training.runtime import runtime

device = runtime().device
record = recorded("gan_images")
one_row = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
z, classes = one_row.repeat_interleave(10, 0).to(device), torch.arange(10, device=device).repeat(5)
made = {data: sample(load_generator(data).to(device), z, classes) for data in ("digits", "fashion")}

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=2.9)
for ax, (data, images) in zip(axes, made.items(), strict=True):
    figures.tiles(ax, images, columns=10, low=-1)
    distance = record.arm(data, "long").mean("frechet_distance")
    figures.title(ax, f"▲ {data}: {distance:.1f} from real ones")
    ax.set_xlabel("one class a column, one noise a row")
show(fig, alt="Fifty generated digits and fifty generated pieces of clothing, each column one class, "
              "each row one noise: the digits of a row share their weight, and nearly all can be "
              "read.")

# %% [markdown]
# Afterwards you can
#
# - write a GAN's training step in which each turn moves one player alone;
# - measure a generator: distance with its floor and its bias, density, coverage, copies, classes;
# - name a failure from its losses and its samples.

# %% [markdown]
# **Needs** chapters 07, 09 and 10. **Time** 50 minutes to read, 60 for the exercises; the cells run in about 40 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, y$ | an image, pixels from −1 to 1; its class | (1, 28, 28), () |
# | $z$ | noise | (64,) |
# | $D, G$ | discriminator (its output is the logit) and generator | |
# | $\phi(x)$ | a classifier's features of an image | (64,) |
# | $h(x), e_y$ | $D$'s own features; its trained vector of a class | (3136,) |
# | $m, \Sigma$ | mean and covariance of features | (64,), (64, 64) |
# | $A, B$ | factors: $AA^\top$ and $BB^\top$ are covariances | (64, 64) |
# | $C, K$ | covariance of $x$ with $y$; what it is made of | (64, 64) |
# | $n, k$ | images; neighbours | |

# %% tags=["nbval-ignore-output"]
import base64
import io
import math

from PIL import Image
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.datasets.images import load_digits
from course_lib.evaluation.classifier import features_and_logits
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
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
# **DCGAN** (Radford et al. 2016) is chapter 07's decoder and its mirror image. $G$ makes 7 × 7 places of 64 numbers, two transposed convolutions with kernel 4, stride 2, padding 1 double the side each. At the end stands tanh: pixels between −1 and 1.
# *So the data must lie there too*: black is −1, not 0. Section 8 shows what happens else.
#
# $D$ goes back with strided convolutions, 28 → 14 → 7, and ends in one logit. Its non-linearity is the **leaky ReLU**, $\max(x, 0.2x)$: all that $G$ learns comes through $D$, and a ReLU that is off passes nothing on.

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

# %% [markdown]
# New here is **batch norm** (Ioffe and Szegedy 2015), chapter 04's layer norm along another axis: each *channel* is brought to mean 0 and variance 1 over all images of the batch and all places, then scaled and shifted by two trained numbers. While training, an image's output so
# depends on the others in its batch. For use, `.eval()` takes running averages of the means and variances instead: after each batch, 0.9 of the old average plus 0.1 of the batch's value.

# %%
x = images.detach().cpu().double().requires_grad_()
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
# **Classes.** $G$ gets a trained vector for the class $y$ beside $z$. What should $D$ do with $y$? By chapter 09 its best logit is a log-ratio, and that splits:
#
# $$\ln\frac{p(x, y)}{q(x, y)} = \ln\frac{p(x)}{q(x)} + \ln\frac{p(y \mid x)}{q(y \mid x)} .$$
#
# ($p$: data, $q$: fakes.) Suppose both class probabilities are softmaxes of features, $p(y \mid x) \propto \exp(v_y\cdot h(x))$ and $q$ the same with $v'_y$. Then the second term is $(v_y - v'_y)\cdot h(x)$ plus something without $y$. Take the rest linear in $h$, too: $D(x, y) = w\cdot h(x) + b + e_y\cdot h(x)$, one trained $e_y$ a class.
# This is the **projection discriminator** (Miyato and Koyama 2018).

# %%
features = torch.randn(5, 3, dtype=f64)  # h of five images
v, v_other = torch.randn(2, 10, 3, dtype=f64)
second_term = (features @ v.T).log_softmax(1) - (features @ v_other.T).log_softmax(1)  # (5, 10 classes)
left_over = second_term - features @ (v - v_other).T
claim("without (v_y − v'_y)·h(x) the second term is the same for all ten classes",
      (left_over - left_over[:, :1]).abs().max() < 1e-12)

# %% [markdown]
# ## 2 · One step, two turns
#
# $D$'s turn: real images should get a high logit, fakes a low one. $G$'s turn: through the $D$ of *now*, fakes should get a high one (chapter 09, non-saturating). Both losses run through $D$, and $G$'s fakes are in both. **Predict:** after $D$'s `backward` without `detach`, does $G$ hold gradients? After $G$'s `backward`, does $D$?

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
claim("G's turn leaves a gradient in D, whatever you detach", gradient_of(down) > 0.01,
      length=gradient_of(down))

# %% [markdown]
# So each turn first clears its own player's gradients, and $G$'s turn ends by clearing $D$'s: what it left there points the wrong way, towards *believing* the fakes.
#
# ### Exercise: the training step
# *difficulty 3/5 · importance 5/5 · 15 minutes*

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
    # 1. the fakes, once. D's turn: clear its gradients; its loss on the real images and on the fakes,
    #    cut off from the generator; backward, step
    # 2. G's turn: clear its gradients; its loss through the discriminator as it is now; backward, step
    # 3. G's backward went through the discriminator: leave no gradient there
    ...

# %% [markdown]
# Did $D$ stand still in $G$'s turn? Take the step apart: note $D$'s weights when $G$'s optimizer begins, and after the step. (Weights, that is: batch norm's running averages move whenever $D$ looks.)

# %%
class Watched(torch.optim.SGD):
    """G's optimizer, which writes down D's weights when its turn comes."""

    def step(self, closure=None):
        self.seen = [p.detach().clone() for p in down.parameters()]
        return super().step(closure)


g_optimizer = Watched(up.parameters(), lr=0.1)
d_optimizer = torch.optim.SGD(down.parameters(), lr=0.1)
before = [p.detach().clone() for p in down.parameters()]
training_step(up, down, g_optimizer, d_optimizer, real_batch, torch.randn(64, 64).to(device))
same = lambda one, other: all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
claim("D moved in its own turn and stood still in G's",
      same(g_optimizer.seen, down.parameters()) and not same(g_optimizer.seen, before))
kept, before = ([p.detach().clone() for p in network.parameters()] for network in (up, down))
up.zero_grad()
F.softplus(down(up(torch.randn(64, 64).to(device)).detach())).mean().backward()
d_optimizer.step()
claim("a turn of D alone moves D and not G", gradient_of(up) == 0
      and same(kept, up.parameters()) and not same(before, down.parameters()))

# %% [markdown]
# The library's `adversarial_step` is this step, with classes, several turns of $D$, chapter 10's penalties, and bfloat16 where it pays. At the same rate it takes less time than the loop of PyTorch's own DCGAN tutorial, for the same networks and the same distance: each place's channels lie side by side in memory, Adam is one call, and no number is read in between.

# %%
speed = recorded("gan_steps").values
one_thread = next(row for row in speed["rows"] if (row["channels"], row["threads"]) == (32, 1))
claim("in float32 a step takes at most 0.9 of the tutorial's time, in bfloat16 at most 0.65",
      one_thread["ours_ratio"] <= 0.9 and one_thread["ours_bfloat16_ratio"] <= 0.65, **one_thread)
reached = {name: torch.tensor(d) for name, d in speed["frechet_distance"].items()}
claim("and is as far after 400 of them (a distance, section 4): the mean within 15 %",
      all(abs(d.mean() / reached["tutorial"].mean() - 1) < 0.15 for d in reached.values()), **reached)

# %% [markdown]
# ## 3 · Half a minute
#
# 600 steps of 64 digits, Adam with the rate 0.002 and $\beta_1 = 0.5$ in place of 0.9, an average over two gradients, not ten. Beside $G$ runs its moving average, also chapter 10's: $0.98$ of itself, $0.02$ of $G$ a step. Every 100 steps we keep 2,000 of its images. **Predict:** how will $D$'s loss and $G$'s loss move while noise becomes digits?

# %% tags=["nbval-ignore-output"]
from course_lib.gan.dcgan import Discriminator, Generator, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.training.moving_average import moving_average


def new_game(decay):
    """Return the averaged generator, all that trains, and the step that trains it."""
    G, D = Generator(64, channels=32, n_classes=10), Discriminator(channels=32, n_classes=10)
    for network in (G, D):
        network.to(device, memory_format=torch.channels_last)  # each place's channels side by side
    optimizers = {name: torch.optim.Adam(network.parameters(), 2e-3, (0.5, 0.99), fused=True)
                  for name, network in (("G", G), ("D", D))}
    average = moving_average(G, decay)
    step = adversarial_step(G, D, optimizers["G"], optimizers["D"], average=average,
                            bfloat16=bfloat16_pays(device))
    networks = {"G": G, "D": D, "average": average}
    return average, Trained(networks, optimizers, torch.Generator().manual_seed(0)), step


average, trained, step = new_game(decay=0.98)

# %% tags=["nbval-ignore-output"]
noise = torch.randn(10_000, 64, generator=torch.Generator().manual_seed(1)).to(device)
asked, real_digits = digits.test_labels.to(device), to_images(digits.train).to(device)
at = {0: sample(average, noise[:2000], asked[:2000])}  # step → 2,000 images


def keep(history):
    """Keep samples of the average every 100 steps."""
    if history.step % 100 == 0:
        at[history.step] = sample(average, noise[:2000], asked[:2000])


draw = draw_turns(real_digits, digits.train_labels, 64, 64)
history = fit(step, draw, 600, trained,
              every=20, on_interval=keep, unit=("image", 64))

# %%
per_interval = {name: torch.tensor(history.curve(name).values)  # 30 means
                for name in ("d_loss", "g_loss")}
mean = lambda name, first, last: per_interval[name][first // 20:last // 20].mean().item()
early, middle, late = (mean("d_loss", *span) for span in ((0, 100), (200, 300), (500, 600)))
claim("D's loss in steps 201 to 300 is that of steps 1 to 100, within 0.15", abs(middle - early) < 0.15,
      early=early, middle=middle)
claim("then it rises, to within 0.2 of ln 4, the loss of a D that knows nothing",
      middle < late and abs(late - math.log(4)) < 0.2, late=late)
long = record.arm("digits", "long")
claim("in the recorded runs of 3,000 steps it falls again, below 0.7, and the images are better than "
      "after 600",
      all(losses[-1] < 0.7 for losses in long.arm("curves").each("d_loss"))
      and max(long.each("frechet_distance"))
      < min(record.arm("digits", "quick").each("frechet_distance")))

# %% tags=["hide-input"]
fig, (top, below) = figures.new(2, 5, height=4.4, height_ratios=(1, 1.15))
for ax in below:
    ax.remove()
curves = fig.add_subplot(2, 1, 2)
curves.spines[["top", "right"]].set_visible(False)
for ax, (moment, images) in zip(top, [(m, at[m]) for m in (0, 100, 200, 400, 600)], strict=True):
    figures.tiles(ax, images[:20], columns=5, low=-1)
    figures.title(ax, f"▲ step {moment}")
figures.line(curves, *history.curve("d_loss"), figures.BERRY)
figures.line(curves, *history.curve("g_loss"), figures.INK, dashed=True)
curves.axhline(math.log(4), color=figures.MUTE, linestyle=":")
for *place, text in (8, 1.5, "··· ln 4: D knows nothing"), (8, 0.2, "— D's"), (110, 5, "- - G's"):
    curves.text(*place, text)
curves.set(xlabel="step", ylabel="loss (nats)", xlim=(0, 600), ylim=(0, 8))
figures.title(curves, "D's loss is 1 beside noise and beside digits")
show(fig, alt="Above, generated images at steps 0, 100, 200, 400 and 600: grey, blots, and then "
              "digits. Below, both losses: D's stays near 1 and rises towards ln 4, G's falls; "
              "neither marks the moment at which digits appear.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# $G$'s loss falls, most of all before there are digits. $D$'s dips, then *rises*: better fakes are harder to tell. The same 1.0 stands beside noise and beside digits. With 3,000 steps it falls again, while the images get better (by section 4's measure). No direction means progress: the loss says how well $D$ plays against *this* $G$ (chapter 09).
# </details>

# %% [markdown]
# ## 4 · A distance between two heaps of images
#
# Pixels are a bad ruler: move a digit by two pixels, and it is further from itself than from another digit. A classifier is trained not to mind. Ours has learnt the ten classes of the training digits (99 % right on the test digits); the 64 numbers $\phi(x)$ before its last layer are what we measure in.

# %%
classifier = load_classifier("digits").to(device)
test = to_images(digits.test).to(device)
real, real_logits = features_and_logits(classifier, test)  # (10000, 64), (10000, 10)
some, moved = test[:500], test[:500].roll(2, dims=-1)  # two pixels to the right
of_some, of_moved = (features_and_logits(classifier, x)[0] for x in (some, moved))
other = asked[:500, None] != asked[None, :500]  # test digits of two classes


def nearer_than_another_class(x, x_moved):
    """Return how often the moved image is nearer than the nearest of another class among 500."""
    x, x_moved = x.flatten(1), x_moved.flatten(1)
    rival = torch.cdist(x, x).where(other, torch.inf).min(1).values
    return ((x - x_moved).norm(dim=1) < rival).double().mean().item()


by = {"pixels": nearer_than_another_class(some, moved),
      "features": nearer_than_another_class(of_some, of_moved)}
claim("moved by two pixels a digit stays nearer to itself than any of another class: in features in "
      "95 cases of 100, in pixels in fewer than 25", by["features"] > 0.95 and by["pixels"] < 0.25, **by)
right = (real_logits.argmax(1) == asked).float().mean()
claim("the classifier is right for more than 98.5 % of the test digits", right > 0.985, share=right)

# %% [markdown]
# Now two heaps of features. Describe each by its mean $m$ and covariance $\Sigma$, that is, by a Gaussian, and ask what it costs to carry one to the other, with *squared* distance as the cost (chapter 09 had the distance itself). On a line, quantile goes to quantile. The quantiles of a Gaussian are $m + s\,t$, where $t$ is the standard normal's. So
#
# $$\mathrm{E}\,(m_1 + s_1t - m_2 - s_2t)^2 = (m_1 - m_2)^2 + (s_1 - s_2)^2 .$$
#
# In $d$ dimensions every plan pairs $x$ and $y$ with some covariance $C = \operatorname{Cov}(x, y)$, and costs
#
# $$\mathrm{E}\lVert x - y\rVert^2 = \lVert m_1 - m_2\rVert^2 + \operatorname{tr}\Sigma_1 + \operatorname{tr}\Sigma_2 - 2\operatorname{tr}C .$$
#
# How large can $\operatorname{tr} C$ be? Write $\Sigma_1 = AA^\top$, $\Sigma_2 = BB^\top$: $x = m_1 + A\epsilon_1$ and $y = m_2 + B\epsilon_2$ with standard normal $\epsilon_1, \epsilon_2$. All that is left to choose is $K = \mathrm{E}[\epsilon_1\epsilon_2^\top]$, and $C = AKB^\top$.

# %% [markdown]
# No correlation exceeds 1, in any direction: $K$ has singular values up to 1. And $\operatorname{tr}(AKB^\top) = \operatorname{tr}(K B^\top A)$. With $B^\top A = U S V^\top$ this is $\operatorname{tr}(S\,V^\top K U) = \sum_i s_i (V^\top K U)_{ii}$. Turned or not, $K$ has singular values up to 1, so no entry of $V^\top KU$ exceeds 1, and for $K = VU^\top$ all on the diagonal are 1: **the sum of the singular values of $B^\top A$**. Their squares are the eigenvalues of $B^\top A A^\top B$, hence of $AA^\top BB^\top = \Sigma_1\Sigma_2$, so papers write
#
# $$d^2 = \lVert m_1 - m_2\rVert^2 + \operatorname{tr}\big(\Sigma_1 + \Sigma_2 - 2\,(\Sigma_1\Sigma_2)^{1/2}\big),$$
#
# the **Fréchet distance**, though it is a square (Dowson and Landau 1982; for GANs Heusel et al. 2017, ‘FID’ with the features of Inception). $\Sigma_1\Sigma_2$ is not symmetric, and singular when a feature never varies: general matrix roots can fail, or turn complex. The singular values of $B^\top A$ do not mind.

# %% [markdown]
# ### Exercise: the Fréchet distance of two Gaussians
# *difficulty 3/5 · importance 5/5 · 15 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.gaussian_frechet_distance")
def gaussian_frechet_distance(mu, sigma, other_mu, other_sigma):
    """Return ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½), a number.

    mu, other_mu (d,); sigma, other_sigma (d, d): covariances, symmetric, with eigenvalues ≥ 0,
    some of which may be 0.
    Worked value: d = 1, means 0 and 3, variances 1 and 4 give 3² + (1 - 2)² = 10.
    """
    # 1. a root of Σ₁, by its eigenvalues and eigenvectors: torch.linalg.eigh. Rounding can make
    #    -1e-17 of a 0: .clamp(min=0) before every root
    # 2. Σ₁^½ Σ₂ Σ₁^½ is symmetric and has the eigenvalues of Σ₁Σ₂
    # 3. the trace of a root is the sum of the roots of the eigenvalues
    ...

# %%
moments = lambda x: (x.cpu().double().mean(0), x.cpu().double().T.cov())
on_a_line = gaussian_frechet_distance(torch.tensor([1.0]).double(), torch.tensor([[4.0]]).double(),
                                      torch.tensor([3.0]).double(), torch.tensor([[9.0]]).double())
claim("on a line: (1 − 3)² + (2 − 3)² = 5", abs(on_a_line - 5) < 1e-6)
flat = real[:40]  # fewer images than features
claim("fewer images than features: the covariance is singular, and the distance to itself is 0 all the "
      "same",
      abs(gaussian_frechet_distance(*moments(flat), *moments(flat))) < 1e-4
      and torch.linalg.matrix_rank(moments(flat)[1]) < 40)

# %%
(m1, s1), (m2, s2) = moments(real), moments(real[asked < 5])
A, B = (torch.linalg.cholesky(s + 1e-9 * torch.eye(64, dtype=f64)) for s in (s1, s2))
U, S, Vt = torch.linalg.svd(B.T @ A)
cost = lambda K: ((m1 - m2) ** 2).sum() + s1.trace() + s2.trace() - 2 * (A @ K @ B.T).trace()
distance = gaussian_frechet_distance(m1, s1, m2, s2)
claim("the plan K = V Uᵀ costs exactly the distance", abs(cost((U @ Vt).T) - distance) < 1e-3,
      distance=distance)
generator = torch.Generator().manual_seed(0)
nearby = []
for _ in range(10):  # slight rotations of the best plan
    turn = 0.1 * torch.linalg.qr(torch.randn(64, 64, dtype=f64, generator=generator)).Q
    nearby.append(cost(torch.linalg.matrix_exp(turn - turn.T) @ (U @ Vt).T).item())
independent = cost(torch.zeros(64, 64, dtype=f64))
claim("ten slightly different ones all cost more, the independent plan, K = 0, more than twice as much",
      distance < min(nearby) and independent > 2 * max(nearby), nearby=nearby, independent=independent)

# %% [markdown]
# ### What does 0 look like?
#
# The distance of *two halves of real images* is not 0: moments of a sample are off, and the distance counts that as difference. **Predict:** with half as many images, how much larger is it?

# %%
from course_lib.evaluation.frechet import extrapolate, frechet_distance, real_floor

generator = torch.Generator().manual_seed(2)
sizes = [5000, 2500, 1250, 625]
floor = {n: sum(real_floor(frechet_distance, real, n, generator)) / 5 for n in sizes}
in_order = {n: frechet_distance(real[:n], real[-n:]) for n in sizes}  # the first against the last
halves = lambda: real[torch.randperm(10_000, generator=generator)].chunk(2)
lines = [extrapolate(*halves(), generator) for _ in range(5)]
limit, unshuffled = sum(x.limit for x in lines) / 5, extrapolate(*real.chunk(2), generator).limit
claim("an eighth of the images: 5 to 13 times the distance, about 8",
      5 < floor[625] / floor[5000] < 13, floor=list(floor.values()))
claim("lines through 1/n end within 0.05 of 0 if the halves are shuffled, else above 1.4",
      abs(limit) < 0.05 and unshuffled > 1.4, limit=limit, unshuffled=unshuffled)
claim("the first half of the official test set against the last: more than 8 times the shuffled floor",
      in_order[5000] > 8 * floor[5000], in_order=in_order[5000])
mistaken = (real_logits.argmax(1) != asked).cpu()
claim("and the classifier mistakes fewer than half as many of the last 5,000 as of the first",
      mistaken[5000:].sum() < mistaken[:5000].sum() / 2,
      mistaken=[x.sum() for x in mistaken.chunk(2)])

# %% [markdown]
# With half as many it is twice as large: it falls as $1/n$, as each moment's squared error does. So a distance says nothing without its $n$, and two are comparable only at the same one. Chong and Forsyth (2020) draw a line over $1/n$ and read it at 0.
#
# And *shuffle*. The first 5,000 test digits of MNIST were written by school pupils, the last 5,000 by clerks (Yadav and Bottou 2019). Who halves the set unshuffled to get a floor finds one more than eight times too high, and flatters every model beside it.

# %%
over_time = {m: frechet_distance(features_and_logits(classifier, x)[0], real) for m, x in at.items()}
gaussian = recorded("metric_floors").arm("digits", "gaussian").mean("frechet_distance")
claim("from step 100 on the distance falls at every look, more than twenty-fold in all",
      all(over_time[m] > over_time[m + 100] for m in range(100, 600, 100))
      and over_time[100] > 20 * over_time[600], distances=list(over_time.values()))
claim("in steps 401 to 600, where D's loss moves by less than 0.15, it falls by a third at least",
      abs(late - mean("d_loss", 400, 500)) < 0.15 and over_time[600] < over_time[400] * 2 / 3)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4)
inverse = [1 / n for n in sizes]
left.plot(inverse, list(floor.values()), "o-", color=figures.BLUE)
left.plot(inverse, list(in_order.values()), "s--", color=figures.MUTE)
left.set(xlabel="1/n", ylabel="distance of real images", ylim=(0, 3.4), xlim=(0, None))
left.set_xticks(inverse, [f"1/{n}" for n in sizes], rotation=30)
left.text(inverse[3], floor[625] - 0.4, "● shuffled", ha="right", color=figures.BLUE)
left.text(inverse[3], 2.6, "■ first against last", ha="right", color=figures.MUTE)
figures.title(left, "Two halves of real digits: down to 0 if shuffled")
right.semilogy(list(over_time), list(over_time.values()), "^-", color=figures.ORANGE)
figures.level(right, gaussian, "Gaussian of the pixels")
figures.level(right, floor[2500], "real against real, n = 2,500")
right.set(xlabel="step", ylabel="distance from real digits", ylim=(0.08, 200))
figures.title(right, "▲ The generator comes down to 1")
show(fig, alt="Left, distance of two halves of real digits against 1/n: shuffled it falls along a "
              "line to 0, unshuffled it stays above 1.5. Right, the generator's distance over 600 "
              "steps falls from 100 to about 1, far below a Gaussian of the pixels, and above the "
              "floor of real images.")

# %% [markdown]
# Here is what the losses hid. The fakes come down to 1, far below the reference, a Gaussian with the mean and full covariance of the *pixels* (31), and far above the floor.
#
# **Why not Inception?** InceptionV3, whose features the usual FID takes, was trained on colour photographs of 299 × 299 pixels in a thousand classes; a grey digit, enlarged tenfold, lies in a corner of its world where it was never asked to tell things apart. Its 2,048 features make a singular covariance of anything under 2,049 images, and a bias that hides what small sets could say. And its numbers depend on the way of resizing: two papers' numbers can be compared only if they resize alike.

# %% [markdown]
# ## 5 · What one number hides
#
# The distance knows means and covariances, nothing else. **Predict:** draw 5,000 points from the Gaussian with the moments of the real features. What is their distance, and are they digits?

# %%
generator = torch.Generator().manual_seed(3)
order = torch.randperm(10_000, generator=generator)
half, rest = real[order[:5000]], real[order[5000:]]
m, sigma = moments(half)
root = torch.linalg.cholesky(sigma + 1e-9 * torch.eye(64, dtype=f64))
impostors = (m + torch.randn(5000, 64, dtype=f64, generator=generator) @ root.T).float()
away = {"impostors": frechet_distance(impostors, rest), "real": frechet_distance(half, rest)}
claim("the impostors' distance is below 0.3, where other real digits have less than 0.2",
      away["impostors"] < 0.3 and away["real"] < 0.2, **away)

# %% [markdown]
# So ask neighbours (Naeem et al. 2020). Around each real image lies a ball that reaches to its $k$-th nearest *other* real image. **Coverage** is the share of balls with a fake in them: is each kind of image made? **Density** is the mean number of balls that a fake lies in, over $k$: are the fakes where real images crowd? For fakes from the data's own distribution density is 1 on average, and coverage $1 - 2^{-k}$ nearly, if there are as many fakes as reals: a ball stays empty if its $k$ nearest reals all come before the nearest fake, and each time it is real or fake with equal chance.
#
# ### Exercise: density and coverage
# *difficulty 3/5 · importance 4/5 · 15 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.density_and_coverage")
def density_and_coverage(real, fake, k=5):
    """Return (density, coverage): how many real balls a fake lies in, over k; the share with a fake.

    real (n, d), fake (m, d). Around each real row is a ball out to its k-th nearest other real row,
    rim included. Density is a mean over the m fakes, coverage one over the n balls.
    Worked value: real = [[0.], [1.], [3.]], fake = [[0.5], [5.5]], k = 1: the radii are 1, 1, 2,
    the first fake lies in two balls, the second in none: density 2 / (1 · 2) = 1, coverage 2/3.
    """
    # 1. distances of all real rows to all: each one's nearest is itself, and does not count
    # 2. the k-th smallest of a row is the ball's radius
    # 3. inside (n, m): is the fake in the ball? both numbers come from it
    ...

# %% [markdown]
# A third kind of number is the **kernel distance** (KID, Bińkowski et al. 2018): with $\kappa(a, b) = (a\cdot b/64 + 1)^3$, the mean of $\kappa$ over pairs of real images, plus that over pairs of fakes, less twice that over mixed pairs. It compares moments up to the third. Pairs of an image with itself are left out, which makes its mean 0 at any $n$ if both come from one distribution: no floor, but noise of either sign.

# %%
from course_lib.evaluation.frechet import kernel_distance

not_ones = digits.test_labels[order[:5000]] != 1
cases = {"real": half[:2000], "no ones": half[not_ones][:2000], "again": half[:100].repeat(20, 1),
         "impostors": impostors[:2000]}  # again: 100 images, 20 times each
density, coverage = ({name: float(density_and_coverage(rest[:2000], x)[i]) for name, x in cases.items()}
                     for i in (0, 1))
apart = {name: frechet_distance(x, rest) for name, x in cases.items()}
kernel = {name: kernel_distance(x, rest[:2000]) for name, x in cases.items()}

# %%
near_1 = lambda name: abs(density[name] - 1) < 0.1
claim("other real images: density within 0.1 of 1, coverage within 0.02 of 1 − 2⁻⁵",
      near_1("real") and abs(coverage["real"] - 31 / 32) < 0.02, density=density, coverage=coverage)
claim("impostors: density and coverage below 0.05",
      density["impostors"] < 0.05 and coverage["impostors"] < 0.05)
claim("no ones: density within 0.1 of 1, coverage 0.07 to 0.13 lower than of real images",
      near_1("no ones") and 0.07 < coverage["real"] - coverage["no ones"] < 0.13)
claim("100 images, 20 times each: density within 0.1 of 1, coverage below 0.3",
      near_1("again") and coverage["again"] < 0.3)
claim("real features are never negative, more than a fifth of the impostors' numbers are",
      real.min() >= 0 and (impostors < 0).double().mean() > 0.2)
claim("the distance puts those without ones, above 2, far behind the impostors, below 0.5",
      apart["no ones"] > 2 and apart["impostors"] < 0.5, **apart)
claim("the kernel distance sees the impostors: above 0.04; of real images it is within 0.01 of 0",
      kernel["impostors"] > 0.04 and abs(kernel["real"]) < 0.01, **kernel)

# %% [markdown]
# The impostors have the right means and covariances, and are no digits: real features are never negative, theirs often are. The distance is blind to that, neighbours are not. So read both kinds of number.

# %% [markdown]
# ## 6 · The verdict
#
# Now 10,000 images of the averaged generator, of the same classes as the test digits. Two more questions. Does it make what it was asked for? The classifier says. Did it *learn the training digits by heart*? Then its images would lie nearer to training images than fresh real ones do (Meehan et al. 2020). **Predict** all five numbers.

# %%
from course_lib.evaluation.classifier import accuracy
from course_lib.evaluation.neighbours import density_and_coverage as in_pieces
from course_lib.evaluation.neighbours import memorisation, nearest

images = sample(average, noise, asked)
features, logits = features_and_logits(classifier, images)
train_pixels = real_digits.flatten(1)
held_out = test[order[:2000]].flatten(1)  # of all writers
near = memorisation(images[:2000].flatten(1), train_pixels, held_out)
verdict = {"distance": frechet_distance(features, real),
           # 10,000 × 10,000 distances: the library's, which never holds them all
           **dict(zip(("density", "coverage"), in_pieces(real, features), strict=True))}
claim("the distance is below 2: less than a tenth of the Gaussian's",
      verdict["distance"] < 2 < 0.1 * gaussian, **verdict)
claim("it covers between 55 % and 80 % of the real digits; other real ones cover 97 %",
      0.55 < verdict["coverage"] < 0.8)
claim("more than 95 of 100 images are of the class that was asked for", accuracy(logits, asked) > 0.95,
      share=accuracy(logits, asked))
claim("an image lies nearer to a training digit than a fresh real one in fewer than 50 cases of 100, "
      "and fewer than 1 in 100 are nearer than all but 1 in 100 of the real ones",
      near.nearer < 0.5 and near.copies < 0.01, **near._asdict())

# %% [markdown]
# <details><summary>Answer</summary>
#
# About 1; half the density and two thirds of the coverage of real digits; 98 of 100 show their class; and they are nearer to a training image than fresh digits in fewer than 40 cases of 100. This last test knows exact copies only:
# </details>

# %%
share = lambda x: memorisation(x, train_pixels, held_out).copies - near.copies
planted, shifted = images[:2000].flatten(1).clone(), images[:2000].flatten(1).clone()
planted[:40] = train_pixels[:40]
shifted[:40] = train_pixels[:40].view(-1, 28, 28).roll(2, dims=-1).flatten(1)
claim("40 training digits planted among the 2,000 are found (2 %), moved by two pixels they are not",
      share(planted) > 0.018 and share(shifted) < 0.002, planted=share(planted), shifted=share(shifted))

# %%
distances, which = nearest(images[:2000].flatten(1), train_pixels)
closest = distances.argsort()[:10]
claim("the ten that lie nearest to a training digit are ones", bool((asked[closest] == 1).all()))
pairs = torch.cat([images[closest], real_digits[which[closest]]])
fig, ((ax,),) = figures.new(1, 1, height=2.4)
figures.tiles(ax, pairs, columns=10, low=-1)
ax.set_yticks((15, 45), ["▲ made", "● trained on"])
ax.tick_params(length=0)
figures.title(ax, "The ten of 2,000 that lie nearest to a training digit: all are ones")
show(fig, alt="The ten of 2,000 generated digits that lie nearest to a training digit, above those "
              "digits: ones of the same slant, not the same pixel for pixel.")

# %% [markdown]
# How does that compare? The record has three seeds of each arm, all judged as here; the long arms take 3,000 steps, their rate falling to 0 over the second half, the average's decay 0.99. The VAE of chapter 07 (75 s, without classes) knows binary digits alone: its draws are measured against binary digits and against grey ones, its means against grey ones. Binary real digits are 5.1 from grey ones themselves.

# %%
record = recorded("gan_images")
ARMS = {"GAN": ("digits", "quick"), "GAN, 5 times as long": ("digits", "long"),
        "no classes": ("digits", "no classes"), "no classes, 5 times": ("digits", "no classes, long"),
        "VAE, draws": ("vae", "draws against binary digits"),
        "draws, grey digits": ("vae", "draws"), "VAE, means": ("vae", "means")}
of = lambda arm, key="frechet_distance": torch.tensor(record.arm(*ARMS[arm]).each(key))
quick = of("GAN")
claim("this run lies where the recorded ones do, give or take 0.3",
      quick.min() - 0.3 < verdict["distance"] < quick.max() + 0.3, recorded=quick)
claim("without classes the distance is more than eight times as large, in each of three seeds",
      of("no classes").min() > 8 * quick.max(), without=of("no classes"))
longer = of("GAN, 5 times as long")
claim("five times the steps: coverage better by 0.05 and more, the distance by less than a third",
      of("GAN, 5 times as long", "coverage").min() > of("GAN", "coverage").max() + 0.05
      and ((longer < quick) & (longer > 2 / 3 * quick)).all(), longer=longer)

# %%
from functools import partial

from course_lib.training.optimizers import warmup_then_linear

long_steps = run.pick(quick=0, full=3000)  # the longer arm itself, where there is a GPU
run.expect("a second GAN, five times as long", minutes=3)
if long_steps:
    long_average, long_trained, long_step = new_game(decay=0.99)
    fit(long_step, draw, long_steps, long_trained, every=100, progress=False,
        schedule=partial(warmup_then_linear, warmup=0.0, decay=0.5))
    of_long, _ = features_and_logits(classifier, sample(long_average, noise, asked))
    there = frechet_distance(of_long, real)
    claim("3,000 steps here end where the recorded ones do, give or take 0.2",
          longer.min() - 0.2 < there < longer.max() + 0.2, distance=there, recorded=longer)

# %%
from course_lib.datasets.images import binary_test_digits

as_bits = torch.bernoulli((images[:, 0].cpu() + 1) / 2, generator=torch.Generator().manual_seed(4))
look = lambda bits: features_and_logits(classifier, (2 * bits[:, None] - 1).to(device))[0]
in_bits = frechet_distance(look(as_bits), look(binary_test_digits()))
claim("the GAN with classes, its greys drawn as bits, is nearer to binary digits than the VAE's draws "
      "are", in_bits < of("VAE, draws").min(), GAN=in_bits, VAE=of("VAE, draws"))
by_vae = torch.cat([of("draws, grey digits"), of("VAE, means")])
claim("without classes, 600 steps and more are nearer to grey digits than the VAE's draws and means",
      torch.cat([of("no classes"), of("no classes, 5 times")]).max() < by_vae.min(), VAE=by_vae)
claim("against grey digits its draws and its means are at 15 to 18, binary real digits at 5 to 5.2",
      all(15 < d < 18 for arm in ("draws, grey digits", "VAE, means") for d in of(arm))
      and all(5 < d < 5.2 for d in record.arm("vae", "binary digits").each("frechet_distance")))

# %%
fashion = record.arm("fashion", "long").values
floors = recorded("metric_floors").arm("fashion", "real against real", "2000")
own = floors.values["train"]  # n = 2,000 of each
claim("Fashion, 3,000 steps: 4 to 5 times the distance of its own training images",
      all(4 < d / own < 5 for d in fashion["frechet_distance"]),
      made=fashion["frechet_distance"], real=own)
real_share = recorded("classifiers").arm("fashion").each("test")
claim("and no fewer images are taken for what was asked than of real test images, 90 of 100",
      min(fashion["accuracy"]) >= max(real_share) > 0.9, made=fashion["accuracy"], real=real_share)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.2, width_ratios=(1.3, 1, 1))
ends = {"frechet_distance": floor[5000], "coverage": 0.969, "density": 1.0}
for ax, (key, end) in zip(axes, ends.items(), strict=True):
    for row, arm in enumerate(ARMS):
        mark = "D" if "VAE" in arm or "draws" in arm else "^"
        ax.plot(figures.values(of(arm, key)), [row] * len(of(arm, key)), mark, color=figures.ORANGE,
                fillstyle="full" if "GAN" in arm else "none")
    ax.axvline(end, color=figures.BLUE, linestyle=":", linewidth=1.4)
    ax.text(end, 2.5, " real ", color=figures.BLUE, ha="left" if ax is axes[0] else "right")
    ax.set_yticks(range(len(ARMS)), ARMS if ax is axes[0] else [""] * len(ARMS))
    ax.invert_yaxis()
axes[0].set(xscale="log", xlabel="distance, n = 10,000; real: 5,000", xlim=(0.1, 40))
axes[1].set(xlabel="coverage", xlim=(0, 1.05))
axes[2].set(xlabel="density", xlim=(0, 1.05))
figures.title(axes[0], "Classes: a factor of ten")
figures.title(axes[1], "All leave gaps")
figures.title(axes[2], "Near real only with classes")
show(fig, alt="Distance, coverage and density of seven arms, three seeds each, beside real digits: the "
              "GAN with classes lies near 1 and covers two thirds, without classes near 10 and a "
              "fifth; of binary digits the VAE's draws lie near 7 and cover two fifths, its means lie "
              "near 16 from grey ones.")

# %% [markdown]
# ‘GANs are the most realistic’, says the article. Here the *class* makes the difference: told ten kinds apart, $G$ need not find them. (It also gets their shares for nothing, and the ruler itself was trained on classes.) Without classes there is no verdict: the GAN is nearer to grey digits, of which the VAE never saw one, and was not measured against binary ones. The VAE's means, which papers like to show, are as far as its draws. With classes the GAN is nearer on both rulers.
#
# **Averaging** costs one copy of the weights. Is it worth it?

# %%
raw = of("GAN", "raw frechet_distance")
claim("the averaged weights are nearer than the last ones by a quarter and more, in three seeds of "
      "three",
      (quick < 0.75 * raw).all(), raw=raw, averaged=quick)
curves = record.arm("digits", "quick", "curves").values
claim("at step 100 they are further: they still remember the start",
      all(a[1] > b[1] for a, b in zip(curves["averaged"], curves["raw"], strict=True)))
claim("without classes, in this recipe, they are no nearer in two seeds of three",
      (of("no classes") > of("no classes", "raw frechet_distance")).sum() == 2)
claim("after 3,000 steps with a falling rate they gain less than 5 %",
      (longer > 0.95 * of("GAN, 5 times as long", "raw frechet_distance")).all())

# %% [markdown]
# It is, where the rate is still high: our reading is chapter 10's, that the last weights jitter about a place. Its memory of $1/0.02 = 50$ steps is short because the run is. Without classes it gains nothing here: a null result that we cannot explain.
#
# ## 7 · Inside z
#
# In the first picture each row shares a noise, and the digits in it seem to share their weight. Is that so, and can one *steer* it? Radford et al. (2016) added and subtracted noises: a mean over some images, less a mean over others. Take the heaviest tenth and the lightest tenth of the digits **0 to 4**, class by class; the difference of their mean noises is a direction. Add it to noises of digits **5 to 9**, which had no part in it. **Predict:** does it work?

# %%
ink = lambda x: ((x + 1) / 2).flatten(1).mean(1)
tens = torch.arange(10, device=device)
shared = sample(average, noise[:500].repeat_interleave(10, 0), tens.repeat(500))
together = torch.corrcoef(ink(shared).view(500, 10).T)
claim("the ink of two classes' images with the same noise is correlated: above 0.5 in the mean of all "
      "pairs",
      (together.sum() - 10) / 90 > 0.5, mean=(together.sum() - 10) / 90)
direction = torch.zeros(64, device=device)
for c in range(5):
    of_class = noise[asked == c]
    by_ink = ink(images[asked == c]).argsort()
    tenth = len(by_ink) // 10
    direction += (of_class[by_ink[-tenth:]].mean(0) - of_class[by_ink[:tenth]].mean(0)) / 5

# %%
fresh = torch.randn(1000, 64, generator=generator).to(device)
kinds = 5 + torch.arange(1000, device=device) % 5
steered = {f: sample(average, fresh + f * direction, kinds) for f in (-1, 0, 1, 3)}
still = {f: accuracy(features_and_logits(classifier, x)[1], kinds) for f, x in steered.items()}
claim("at least 990 of 1,000 digits it had no part in grow heavier with it, and lighter against it",
      min((ink(steered[1]) > ink(steered[0])).sum(), (ink(steered[0]) > ink(steered[-1])).sum()) >= 990)
claim("more than 80 of 100 keep their class; with three times the direction fewer than half do",
      min(still[-1], still[1]) > 0.8 and still[3] < 0.5, plus=still[1], minus=still[-1], triple=still[3])
longer_z = fresh * (fresh + 3 * direction).norm(dim=1, keepdim=True) / fresh.norm(dim=1, keepdim=True)
stretched = accuracy(features_and_logits(classifier, sample(average, longer_z, kinds))[1], kinds)
claim("noises stretched to the same length keep theirs in more than 75 cases of 100", stretched > 0.75,
      share=stretched)

# %% [markdown]
# A direction, learnt from five classes, serves the other five, for a while. What ends it is not the length of $z$ alone: stretched noises still show their class.
#
# By chapter 07's typical set (noises have a length near $\sqrt{64} = 8$) a **straight path** between two noises, whose middle has length 5.7, should be worse than a **spherical** one. Its middle is $(z_0 + z_1)/(2\cos\frac\alpha2)$. In 64 dimensions the angle $\alpha$ is near 90°, and $(z_0 + z_1)/\sqrt2$ is a fresh noise exactly. **Predict** precision and recall of the middles. (*Precision*: the share of fakes within a ball of a real image. *Recall*: the share of reals within a ball of a fake; $k = 3$, Kynkäänniemi et al. 2019.)

# %%
from course_lib.evaluation.neighbours import precision_and_recall

z0, z1 = noise[:5000], noise[5000:]
half_angle = torch.acos(F.cosine_similarity(z0, z1))[:, None] / 2
middles = {"ends": z0, "straight": (z0 + z1) / 2, "spherical": (z0 + z1) / (2 * half_angle.cos())}
judged = {}
for name, z in middles.items():
    f, found_logits = features_and_logits(classifier, sample(average, z, asked[:5000]))
    judged[name] = {"right": accuracy(found_logits, asked[:5000]), "distance": frechet_distance(f, real),
                    **precision_and_recall(half[:2000], f[:2000])._asdict()}
gain = lambda key: judged["straight"][key] - judged["ends"][key]
claim("straight middles: precision up by more than 0.05, recall down by more than 0.1",
      gain("precision") > 0.05 and gain("recall") < -0.1, **{k: gain(k) for k in judged["ends"]})
claim("more of them show their class, and together they are further from real ones by more than 0.2",
      gain("right") > 0.01 and gain("distance") > 0.2)
claim("spherical middles, nearly fresh noises, differ from the ends by less than 0.1 in all four",
      all(abs(judged["spherical"][k] - judged["ends"][k]) < 0.1 for k in judged["ends"]))

# %%
t = torch.linspace(0, 1, 20, device=device)[:, None]
light, heavy = fresh[ink(steered[0]).argsort()[[100, -100]]][:, None]  # a tenth from either end
angle = torch.acos(F.cosine_similarity(light, heavy))
on_arc = (torch.sin((1 - t) * angle) * light + torch.sin(t * angle) * heavy) / torch.sin(angle)
ways = {"straight": torch.lerp(light, heavy, t), "spherical": on_arc}
paths = torch.cat([sample(average, way, torch.full((20,), 3, device=device)) for way in ways.values()])
read = features_and_logits(classifier, paths)[1].argmax(1)
claim("on both paths at least 36 of 40 images are read as threes", (read == 3).sum() >= 36)
fig, ((above,), (below,)) = figures.new(2, 1, height=3.6, height_ratios=(3, 2))
figures.tiles(above, torch.cat([steered[f][:20] for f in (-1, 0, 1)]), columns=20, low=-1)
above.set_yticks((15, 45, 75), ["− direction", "as drawn", "+ direction"])
figures.title(above, "▲ One direction, learnt from 0 to 4, makes all of 5 to 9 heavier")
figures.tiles(below, paths, columns=20, low=-1)
below.set_yticks((15, 45), list(ways))
figures.title(below, "▲ Two paths from one three to another: no break on either")
for ax in (above, below):
    ax.tick_params(length=0)
show(fig, alt="Above, twenty generated digits of the classes 5 to 9, lighter, as drawn and heavier "
              "along one direction of the noise. Below, two paths from a light three to a heavy one, "
              "straight and spherical: threes all the way.")

# %% [markdown]
# The straight path is not worse image by image, it is *better*: short noise gives the ordinary, readable digit. What it loses is variety. The **truncation trick** (Brock et al. 2019) redraws numbers of $z$ that are too large: smaller $z$, less recall, more precision, too. Sample sheets made with it flatter a model, and a distance shows it.
#
# Now steer yourself. **Commit first:** length × 0: what do ten classes look like without noise? Direction × 3: of how many noises can ten classes still be read?

# %%
alt = ("Ten generated digits of one noise, one of each class, with what the classifier reads; knobs "
       "choose the noise, stretch it and move it along the direction of more ink.")
try:
    from course_lib.chapters.ch11_gan_images.explorer import NoiseExplorer

    explorer = NoiseExplorer(average.module, classifier, direction, alt=alt)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %%
without = sample(average, torch.zeros(10, 64, device=device), tens)
claim("without noise the ten classes are still ten digits, each read as asked",
      features_and_logits(classifier, without)[1].argmax(1).tolist() == list(range(10)))

# %% [markdown]
# ## 8 · Six ways to fail
#
# One mistake each (the first and the last change two things), 400 steps, no classes, three seeds, recorded:
#
# - `strong_discriminator`: five turns of $D$ for one of $G$, whose rate is a twentieth;
# - `not_cleared`: `zero_grad` is never called;
# - `sigmoid_twice`: $D$ ends in a sigmoid, and its output goes into the loss for *logits*;
# - `wrong_range`: data in 0 … 1, tanh in −1 … 1;
# - `mixed_statistics`: real and fake images go through $D$, and its batch norm, as one batch;
# - `collapse`: $D$'s rate is a fiftieth, $G$ has three turns for one.
#
# Here are three of them.
#
# ### Exercise: three patients
# *difficulty 2/5 · importance 4/5 · 10 minutes*

# %%
failed = recorded("gan_failures").values
patients = failed["patients"]  # letter → word


def chart(ax, name, top=8):
    """Draw both losses of the first seed; what is above top is cut off."""
    curves = failed[name]["curves"]
    moments = range(failed["every"], failed["steps"] + 1, failed["every"])
    ax.plot(moments, curves["d_loss"][0], color=figures.BERRY, linewidth=1.4)
    ax.plot(moments, curves["g_loss"][0], color=figures.INK, linewidth=1.2, linestyle="--")
    ax.set(ylim=(-0.04 * top, top), xlim=(0, failed["steps"]), xlabel="step", ylabel="loss (nats)")


def specimen(ax, name):
    """Show 24 samples of the first seed, white −1, black 1."""
    png = io.BytesIO(base64.b64decode(failed[name]["png"]))
    ax.imshow(Image.open(png), cmap="gray", vmin=0, vmax=255)
    ax.set(xticks=(), yticks=())
    ax.spines[:].set_visible(False)

# %% tags=["hide-input"]
fig, (above, below) = figures.new(2, 3, height=4.2, height_ratios=(1, 1.2))
for over, under, (letter, name) in zip(above, below, patients.items(), strict=True):
    specimen(over, name)
    figures.title(over, f"Patient {letter}")
    chart(under, name)
below[0].text(120, 6.8, "— D's   - - G's", color=figures.INK)
show(fig, alt="Samples and losses of three failed trainings. A: grey blots, D's loss level at 1.4, "
              "G's at 0.7. B: digits on a grey ground, ordinary losses. C: 24 times the same speckled "
              "image, D's loss far above ln 4 and G's at 0.")

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_1", ...)

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_2", ...)

# %% tags=["nbval-ignore-output"]
answer("gan.symptom_3", ...)

# %% [markdown]
# One reason can be computed. A sigmoid gives numbers between 0 and 1; as *logits* these are a $D$ that never believes anything firmly, whatever the images are. Its loss cannot fall below $\ln(1 + e^{-1}) + \ln(1 + e^{0})$. And where the inner sigmoid is stuck at 0, as for patient A, the losses are $\ln 4$ and $\ln 2$, and no gradient comes through.

# %%
lowest = F.softplus(torch.tensor(-1.0, dtype=f64)) + math.log(2)
print(f"sigmoid twice: D's loss is at least {lowest:.3f}")
scores = torch.linspace(-60, 60, 1201, dtype=f64).sigmoid()  # all that a sigmoid can put out
claim("no logits bring the twice squashed loss lower",
      abs(F.softplus(-scores).min() + F.softplus(scores).min() - lowest) < 1e-12)
d_losses = torch.tensor(failed["sigmoid_twice"]["curves"]["d_loss"])  # (seeds, intervals)
claim("and in the record it never is", d_losses.min() > lowest - 1e-3, least=d_losses.min())

# %%
of_arm = lambda name, key="frechet_distance": torch.tensor(failed[name][key])
sound, last = of_arm("sound"), lambda name, loss: [c[-1] for c in failed[name]["curves"][loss]]
ruined = ("strong_discriminator", "not_cleared", "sigmoid_twice", "wrong_range", "collapse")
claim("five of the six are more than three times as far from real digits as sound runs, in every seed",
      all(of_arm(name).min() > 3 * sound.max() for name in ruined), sound=sound)
claim("a strong D ends with a loss below 0.02, and G with one above 8",
      max(last("strong_discriminator", "d_loss")) < 0.02
      and min(last("strong_discriminator", "g_loss")) > 8)
spread = lambda name: of_arm(name, "spread")  # variance over the samples, summed over the pixels
claim("collapse: less than a tenth of the sound runs' variance, and D's loss ends above 1.5 · ln 4",
      spread("collapse").max() < 0.1 * spread("sound").min()
      and min(last("collapse", "d_loss")) > 1.5 * math.log(4) > max(last("sigmoid_twice", "d_loss")))
third = {key: of_arm("collapse", key)[2].item() for key in ("density", "coverage")}
claim("the third collapsed seed passes as dense, above 1, with a coverage below 0.01: read both",
      third["density"] > 1 and third["coverage"] < 0.01, **third)
claim("wrong range: stretched to −1 … 1 the samples have 75 to 100 % of the sound runs' variance",
      all(0.75 < 4 * v / spread("sound").mean() < 1 for v in spread("wrong_range")))
alike = lambda name: abs(of_arm(name).mean() / sound.mean() - 1).item() < 0.3
claim("mixed statistics: the mean distance is within 30 % of the sound runs'", alike("mixed_statistics"),
      mixed=of_arm("mixed_statistics"))
claim("but the density is lower than any sound run's, in three seeds of three",
      of_arm("mixed_statistics", "density").max() < of_arm("sound", "density").min())
claim("five turns of G for one of D: the mean distance is within 30 %, and no collapse",
      alike("many_turns") and spread("many_turns").min() > 0.7 * spread("sound").max(),
      many_turns=of_arm("many_turns"))
claim("three sound runs lie within 15 % of their mean, so do the three with classes of section 6",
      all(((x - x.mean()).abs() < 0.15 * x.mean()).all() for x in (sound, quick)))

# %% tags=["hide-input"]
fig, grid = figures.new(3, 4, height=6.2, width_ratios=(1.5, 1, 1.5, 1))
others = ("mixed_statistics", "strong_discriminator", "sigmoid_twice", "not_cleared", "wrong_range")
for place, name in enumerate(("sound", *others)):
    over, under = grid[place // 2][2 * (place % 2):2 * (place % 2) + 2]
    specimen(over, name)
    chart(under, name, top=16)
    under.set(xlabel="step" if place > 3 else "")
    figures.title(over, f"{name.replace('_', ' ')}: {of_arm(name).mean():.0f} away")
grid[0, 1].text(80, 12, "— D's  - - G's", fontsize=9)
show(fig, alt="Samples and losses of six trainings. Sound and mixed statistics: digits. Strong "
              "discriminator: blots, its loss 0. Sigmoid twice: blots, losses level. Not cleared: "
              "patterns of black and white, losses that leap. Wrong range: digits on grey.")

# %% [markdown]
# Not all is what the usual advice says. **Wrong range** ruins the ruler, not the game: $D$ and $G$ agree on black = 0, and 78 is the distance of a grey ground; whoever forgets the stretch gets wrong numbers. **Mixed statistics** cost 10 % in distance, within the seeds' scatter, and some density: ‘never mix real and fake in a batch’ is right here, and a small matter. And **mode collapse**, *the* failure of GANs, took a $D$ that hardly learns and three turns of $G$, and came before there were digits. Five turns of $G$ alone do not bring it (16 % further in the mean, by one seed of three). Chapter 10's ring of thin, far clouds collapses at once.
#
# The article calls GANs unstable. In numbers: three seeds lie within 15 %; five mistakes of six cost a factor of three, and none raises an error.

# %% [markdown]
# ## What stays
#
# - The loss says how $D$ plays, not how good $G$ is (*D's loss in steps 201 to 300 is that of steps 1 to 100, within 0.15*).
# - A distance needs its floor, its $n$ and a shuffle (*the first half of the official test set against the last: more than 8 times the shuffled floor*).
# - Moments are not everything (*impostors: density and coverage below 0.05*).
# - Tell $G$ the class (*without classes the distance is more than eight times as large, in each of three seeds*).
# - Diagnose by symptoms: losses *and* samples (*collapse: less than a tenth of the sound runs' variance*).

# %% tags=["nbval-ignore-output"]
progress("11_gan_images")

# %% [markdown]
# **Open questions.** What would density and coverage say in pixels? Why does five times the training close so little of the gap to the floor? Which measure would find a generator that shows each training image once, moved by a pixel?
#
# **References.** Radford, Metz and Chintala 2016, *Unsupervised representation learning with DCGANs*: section 3. Ioffe and Szegedy 2015 (batch norm). Miyato and Koyama 2018, *cGANs with projection discriminator*: section 3. Heusel et al. 2017 (FID). Dowson and Landau 1982. Chong and Forsyth 2020, *Effectively unbiased FID*. Yadav and Bottou 2019, *Cold case: the lost MNIST digits*. Naeem et al. 2020, *Reliable fidelity and diversity metrics*: section 3. Bińkowski et al. 2018, *Demystifying MMD GANs*. Kynkäänniemi et al. 2019. Meehan, Chaudhuri and Dasgupta 2020, *A non-parametric test to detect data-copying*. Brock, Donahue and Simonyan 2019 (truncation). Yazıcı et al. 2019 (averaging).
