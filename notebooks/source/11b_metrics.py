# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11b · Metrics
#
# **What does each number hide?**
#
# Below are two sheets of digits, and the right one may look better to you. Both come from one generator, that of chapter 11 after 3,000 steps; the right one was given less noise, and by chapter 11's distance it is worse. Which of them is right, the eye or the number? Each number stands for thousands of images, so each must leave something out. This optional chapter derives the distance, and then gives four numbers heaps of images that are wrong in ways that you know. No later chapter relies on it.

# %% tags=["hide-input"]
import torch
from torch.nn.init import trunc_normal_

from course_lib.chapters.ch11b_metrics import figures as pictures
from course_lib.classroom.figures import show
from course_lib.gan.dcgan import sample, to_images
from course_lib.pretrained.generators import load_generator
from course_lib.training.runtime import runtime

device = runtime().device
generator_of_11 = load_generator("digits").to(device)
classes = torch.arange(10, device=device).repeat(4)
draws = torch.Generator().manual_seed(11)
noise = torch.randn(40, 64, generator=draws).to(device)
short = trunc_normal_(torch.empty(40, 64), a=-0.5, b=0.5, generator=draws).to(device)
show(pictures.two_sheets(*(sample(generator_of_11, z, classes) for z in (noise, short))),
     alt="Two sheets of forty generated digits, one class a column. Those on the right are plainer and "
         "more alike than those on the left; both come from the same generator.")

# %% [markdown]
# Afterwards you can
#
# - derive the Fréchet distance as the least cost of carrying one Gaussian to another;
# - write density, coverage and the kernel distance, and say what each is blind to;
# - see through a sheet of samples that was made with less noise.
#
# **Needs** chapter 11. **Time** 45 minutes to read and run, 30 for the exercises; the cells take about 15 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, y$ | features of an image of either heap | (64,) |
# | $m, \Sigma$ | their mean and covariance | (64,), (64, 64) |
# | $A, B$ | factors: $AA^\top = \Sigma_1$, $BB^\top = \Sigma_2$ | (64, 64) |
# | $\epsilon$ | standard normal | (64,) |
# | $C, K$ | covariance of $x$ with $y$; of the two $\epsilon$ | (64, 64) |
# | $n, k, d$ | images, neighbours, features | |
# | $z$ | noise | (64,) |

# %% tags=["nbval-ignore-output"]
import math

from course_lib.chapters.ch11b_metrics.cases import four_cases, measured, sees
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.comparisons import paired_difference
from course_lib.evaluation.frechet import extrapolate, frechet_distance
from course_lib.evaluation.neighbours import memorisation, nearest, precision_and_recall
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
device = run.device
f64 = torch.float64
digits, classifier = load_digits(), load_classifier("digits").to(device)
labels, asked = digits.test_labels, digits.test_labels.to(device)
test = to_images(digits.test).to(device)
real = features_and_logits(classifier, test)[0].cpu()  # (10000, 64); measured on the processor
ten_thousand = torch.randn(10_000, 64, generator=torch.Generator().manual_seed(7)).to(device)
images = sample(generator_of_11, ten_thousand, asked)
made = features_and_logits(classifier, images)[0].cpu()
cases, rest = four_cases(real, labels)  # four heaps by name, and real digits to compare them with
table = measured(cases, rest)  # number → heap → value

# %% [markdown]
# ## 1 · The distance is a cost
#
# Let $x$ be drawn from one Gaussian and $y$ from another. A *plan* says which $x$ goes with which $y$, and costs the mean squared way. Whatever the plan, only one thing about it matters, the covariance $C = \operatorname{Cov}(x, y)$:
#
# $$\mathrm{E}\lVert x - y\rVert^2 = \lVert m_1 - m_2\rVert^2 + \operatorname{tr}\Sigma_1 + \operatorname{tr}\Sigma_2 - 2\operatorname{tr}C . \tag{11b.1}$$
#
# So the best plan has the largest $\operatorname{tr}C$. Pairing at random has $C = 0$. Below are both on the plane, for two clouds with the same centre. Now take another case: in the 64 features, let one heap be all test digits and the other the digits 0 to 4. **Guess**: how many times the best plan's cost does the random one cost?

# %% tags=["hide-input"]
dots = torch.randn(60, 2, dtype=f64, generator=torch.Generator().manual_seed(1))
tall = torch.tensor([[0.6, 0.0], [0.9, 1.3]], dtype=f64)
wide = torch.tensor([[1.6, 0.0], [-0.4, 0.5]], dtype=f64)
left, _, right = torch.linalg.svd(wide.T @ tall)
x = dots @ tall.T
best = dots @ (left @ right).T @ wide.T
apart = best.roll(17, 0)  # the same points, each with another partner
costs = [((x - y) ** 2).sum(1).mean().item() for y in (best, apart)]
show(pictures.carried(x, best, apart, costs),
     alt="Two panels with the same two clouds of sixty points, one tall, one wide, and lines that say "
         "which point goes where. In the best plan the lines are short; paired at random they cross.")

# %% tags=["nbval-ignore-output"]
guess("random_plan", ...)

# %% [markdown]
# How large can $\operatorname{tr}C$ be? Write $x = m_1 + A\epsilon_1$ and $y = m_2 + B\epsilon_2$ with standard normal $\epsilon_1, \epsilon_2$, so that $\Sigma_1 = AA^\top$ and $\Sigma_2 = BB^\top$. All that is left to choose is $K = \mathrm{E}[\epsilon_1\epsilon_2^\top]$, and $C = AKB^\top$. No correlation exceeds 1 in any direction, so the singular values of $K$ are at most 1.
#
# With the singular value decomposition $B^\top A = U S V^\top$,
#
# $$\operatorname{tr}C = \operatorname{tr}(K B^\top A) = \sum_i s_i\, (V^\top K U)_{ii} \le \sum_i s_i , \tag{11b.2}$$
#
# because $V^\top KU$ has the singular values of $K$, and no entry of a matrix exceeds its largest singular value. For $K = VU^\top$ all those on the diagonal are 1, and the bound is reached.

# %%
moments = lambda x: (x.double().mean(0), x.double().T.cov())
(m1, s1), (m2, s2) = moments(real), moments(real[labels < 5])
A, B = (torch.linalg.cholesky(s + 1e-9 * torch.eye(64, dtype=f64)) for s in (s1, s2))
U, S, Vt = torch.linalg.svd(B.T @ A)
cost = lambda K: ((m1 - m2) ** 2).sum() + s1.trace() + s2.trace() - 2 * (A @ K @ B.T).trace()
best_plan, distance = (U @ Vt).T, frechet_distance(real, real[labels < 5])
claim("the plan K = V Uᵀ costs the Fréchet distance of chapter 11, to 1e-3",
      abs(cost(best_plan) - distance) < 1e-3, distance=distance)
random_cost = cost(torch.zeros(64, 64, dtype=f64))
claim("pairing at random costs more than three times as much", random_cost > 3 * distance,
      guessed="random_plan", factor=random_cost / distance)
shuffler = torch.Generator().manual_seed(0)
turns = [0.1 * torch.linalg.qr(torch.randn(64, 64, dtype=f64, generator=shuffler)).Q for _ in range(10)]
nearby = [cost(torch.linalg.matrix_exp(turn - turn.T) @ best_plan).item() for turn in turns]
claim("ten slightly turned plans all cost more", distance < min(nearby), nearby=nearby)

# %% [markdown]
# The squares of these singular values are the eigenvalues of $B^\top AA^\top B$, and hence of $AA^\top BB^\top = \Sigma_1\Sigma_2$. So $\sum_i s_i = \operatorname{tr}(\Sigma_1\Sigma_2)^{1/2}$, which turns equation (11b.1) into equation (11.3). And it shows what the number is: the least squared way between two *Gaussians*. Features are not Gaussian. The distance knows their means and covariances and nothing else.
#
# ## 2 · A line over 1/n
#
# Chapter 11 saw the distance of two halves of real digits fall about as $1/n$. Chong and Forsyth (2020) make use of it: measure at several $n$, draw a line over $1/n$ and read it at 0. Shuffled, two halves should end at 0. The official first half against the last, that is, pupils against employees, should not.

# %%
shuffler = torch.Generator().manual_seed(2)
halves = lambda: real[torch.randperm(10_000, generator=shuffler)].chunk(2)
limits = torch.tensor([extrapolate(*halves(), shuffler).limit for _ in range(5)])
themselves = torch.tensor([frechet_distance(*halves()) for _ in range(5)])  # at n = 5,000
in_order = extrapolate(*real.chunk(2), shuffler)
claim("shuffled halves: over five shuffles the lines end within 0.05 of 0 in the mean, while the halves "
      "themselves are more than 0.08 apart",
      abs(limits.mean()) < 0.05 and themselves.min() > 0.08, limits=limits, themselves=themselves)
claim("pupils against employees: it ends above 1.4", in_order.limit > 1.4, limit=in_order.limit)
of_made = extrapolate(made, real, shuffler)
at_2000 = of_made.distances[-1]  # the mean of five parts, shuffled
claim("the generator's line ends lower than its distance at n = 2,000, by more than 0.2",
      of_made.sizes[-1] == 2000 and at_2000 > of_made.limit + 0.2 > 0.2,
      limit=of_made.limit, at_2000=at_2000)

# %% tags=["hide-input"]
shuffled = extrapolate(*halves(), shuffler)
show(pictures.over_n({"real, shuffled": shuffled, "real, in order": in_order, "generated": of_made}),
     alt="Squared distance against 1/n with straight lines: two shuffled halves of real digits end "
         "near 0, pupils against employees far above 1, generated digits between them.")

# %% [markdown]
# The line's end is itself an estimate, and can come out below 0. It takes away what $n$ adds; the difference between pupils and employees stays.
#
# ## 3 · Impostors
#
# Draw 5,000 points from the Gaussian that has the mean and the covariance of half of the real features. They belong to no images at all. **Guess** their distance from the other half, where real digits have about 0.13.

# %% tags=["nbval-ignore-output"]
guess("impostors", ...)

# %%
impostors, half = cases["impostors"], cases["real"]
away = frechet_distance(impostors, rest)
claim("the impostors' distance is below 0.3, where other real digits have less than 0.2",
      away < 0.3 and frechet_distance(half, rest) < 0.2, guessed="impostors", impostors=away)
negative = (impostors < 0).double().mean().item()
claim("real features are never negative; of the impostors' numbers more than a fifth are",
      real.min() >= 0 and negative > 0.2, share=negative)

# %% [markdown]
# The distance is blind to that: a ReLU's output is never below 0, and no image has such features. So ask the neighbours.
#
# ## 4 · Neighbours
#
# Around each real image lies a ball that reaches to its $k$-th nearest *other* real image (Naeem et al. 2020). **Coverage** is the share of balls with a fake in them: is each kind of image made? **Density** is the mean number of balls that a fake lies in, over $k$: are the fakes where real images crowd?
#
# For $n$ fakes from the data's own distribution among $n$ reals, density is 1 on average. A ball stays empty if its $k$ nearest reals all come before the nearest fake; each next one is real or fake with nearly equal chance, so
#
# $$\mathrm{E}[\text{coverage}] \approx 1 - 2^{-k}, \qquad 31/32 \text{ for } k = 5 . \tag{11b.3}$$
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
    # two numbers out of one table of balls and fakes, (n, m)
    ...

# %%
balls = {name: [float(each) for each in density_and_coverage(rest[:2000], x[:2000])]
         for name, x in cases.items() if name != "again"}
density, coverage = ({name: both[i] for name, both in balls.items()} for i in (0, 1))
claim("other real images: density within 0.1 of 1, coverage within 0.02 of equation (11b.3)",
      abs(density["real"] - 1) < 0.1 and abs(coverage["real"] - 31 / 32) < 0.02, **balls)
claim("impostors: density and coverage below 0.05",
      density["impostors"] < 0.05 and coverage["impostors"] < 0.05)
claim("real digits without ones: density within 0.1 of 1, coverage 0.07 to 0.13 lower",
      abs(density["no ones"] - 1) < 0.1 and 0.07 < coverage["real"] - coverage["no ones"] < 0.13)

# %% [markdown]
# ## 5 · A kernel
#
# A third kind of number compares all pairs. The **kernel distance** (KID, Bińkowski et al. 2018) takes
#
# $$\kappa(x, y) = (x\cdot y/d + 1)^3 \tag{11b.4}$$
#
# and adds its mean over pairs of real images to that over pairs of fakes, less twice that over mixed pairs. The third power makes it compare moments up to the third. The pairs of an image with itself are left out of both means.
#
# ### Exercise: the kernel distance
# *difficulty 2/5 · importance 3/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("gan.kernel_distance")
def kernel_distance(a, b):
    """Return the kernel distance of two heaps of features, a number of either sign.

    a (n, d), b (m, d); the kernel is that of equation (11b.4).
    Worked value: a = [[0.], [1.]], b = [[1.], [2.]]: within a the kernel is 1, within b 27,
    and over the four mixed pairs 9.25 on average: 1 + 27 - 2 · 9.25 = 9.5.
    """
    # three means, of which two leave pairs out
    ...

# %% [markdown]
# What does leaving out the diagonal buy? Split the real digits twenty times into small heaps of 200, and take the mean of what comes back, beside the mean of the Fréchet distance of the same heaps. **Guess** the kernel's mean.

# %% tags=["nbval-ignore-output"]
guess("kernel_mean", ...)

# %%
shuffler = torch.Generator().manual_seed(4)
small = [real[torch.randperm(10_000, generator=shuffler)[:400]].chunk(2) for _ in range(20)]
by_kernel = torch.tensor([float(kernel_distance(a.double(), b.double())) for a, b in small])
mean, error = by_kernel.mean().item(), by_kernel.std().item() / math.sqrt(20)
by_moments = torch.tensor([frechet_distance(a, b) for a, b in small])
claim("twenty pairs of real heaps of 200: the kernel distance is 0 on average, within four standard "
      "errors", abs(mean) < 4 * error, guessed="kernel_mean", mean=mean, error=error)
claim("and negative in 3 cases of 20 at least, where the Fréchet distance is above 1.5 in all",
      (by_kernel < 0).sum() >= 3 and by_moments.min() > 1.5, least=by_moments.min())
claim("of impostors it is above 0.04, of real digits within 0.01 of 0, with n = 2,000",
      table["kernel"]["impostors"] > 0.04 and abs(table["kernel"]["real"]) < 0.01)

# %% [markdown]
# So it has no floor, only noise of either sign. At $n = 200$ the noise is as large as what the impostors have at 2,000, so one pair of small heaps cannot show them; the mean of many can. Where it sees them, it is by their third moments.
#
# ### Question: the blind number
# *difficulty 2/5 · importance 4/5 · 5 minutes*
#
# A generator shows only 100 images, each as good as real, 20 times each. One of `frechet`, `kernel`, `density` and `coverage` takes this for a perfect generator. Which one?

# %% tags=["nbval-ignore-output"]
answer("gan.blind_number", ...)

# %%
again = {name: table[name]["again"] for name in table}
claim("100 real digits, 20 times each: density within 0.15 of 1, coverage below 0.3",
      abs(again["density"] - 1) < 0.15 and again["coverage"] < 0.3, **again)
claim("their distance is more than 5 times that of 2,000 real digits, their kernel distance above 0.02",
      again["frechet"] > 5 * table["frechet"]["real"] and again["kernel"] > 0.02)
claim("the distance puts real digits without ones, above 2, far behind the impostors, below 0.7",
      table["frechet"]["no ones"] > 2 and table["frechet"]["impostors"] < 0.7, **table["frechet"])

# %% tags=["hide-input"]
show(pictures.what_each_sees(table, sees(table)),
     alt="A table of four heaps and four numbers. The squared distance does not see Gaussian impostors, "
         "which the other three see. Density sees neither missing ones nor a hundred images repeated; "
         "coverage and both distances see them.")

# %% [markdown]
# So read two kinds of number together: one that compares heaps, and one that asks each real image. All of them see only what the features show. InceptionV3, whose 2,048 features the usual FID takes, was trained on colour photographs of 299 × 299 pixels; published numbers depend on the way of resizing as well as on $n$ and on the split.
#
# ## 6 · By heart?
#
# None of the four asks whether the images are copies of training images. Compare how near they lie to the nearest training image, in pixels, with how near *fresh real* digits lie (Meehan et al. 2020). Plant 40 training digits among 2,000 generated ones, once as they are and once moved by two pixels. **Guess** how many of the 40 moved ones are found.

# %% tags=["nbval-ignore-output"]
guess("moved_copies", ...)

# %%
train_pixels = to_images(digits.train).flatten(1)
shuffled_test = torch.randperm(10_000, generator=torch.Generator().manual_seed(6))
fresh_real = to_images(digits.test)[shuffled_test[:2000]].flatten(1)
pixels = images[:2000].cpu().flatten(1)
near = memorisation(pixels, train_pixels, fresh_real)
planted, moved = pixels.clone(), pixels.clone()
planted[:40] = train_pixels[:40]
moved[:40] = train_pixels[:40].view(-1, 28, 28).roll(2, dims=-1).flatten(1)
found = {name: 2000 * (memorisation(x, train_pixels, fresh_real).copies - near.copies)
         for name, x in (("planted", planted), ("moved", moved))}
claim("the generator: an image lies nearer to a training digit than a fresh real one does in fewer than "
      "55 cases of 100; fewer than 1 in 100 are nearer than all but 1 in 100 of the real ones",
      near.nearer < 0.55 and near.copies < 0.01, **near._asdict())
claim("40 training digits planted among the 2,000: at least 36 are found; moved by two pixels, at "
      "most 4", found["planted"] >= 36 and found["moved"] <= 4, guessed="moved_copies", **found)

# %% tags=["hide-input"]
distances, which = nearest(pixels, train_pixels)
closest = distances.argsort()[:10]
show(pictures.copies(torch.cat([pixels[closest], train_pixels[which[closest]]])),
     alt="The ten of 2,000 generated digits that lie nearest to a training digit, above those digits: "
         "thin strokes of the same slant, not the same pixel for pixel.")

# %% [markdown]
# All ten are ones: thin strokes lie near each other in pixels. The test finds exact copies, and misses them moved by two pixels; and a generator far from all digits passes, too. ‘Not memorised’ would be too strong a word for what it shows.
#
# ## 7 · Less noise, better pictures
#
# **Precision** is the share of fakes that lie within a ball of a real image, and **recall** the share of reals within a ball of a fake ($k = 3$, Kynkäänniemi et al. 2019). The **truncation trick** (Brock et al. 2019) draws every number of $z$ again that lies beyond a threshold, until none does. **Guess** what a threshold of 0.5 does to recall: by how much does it change?

# %% tags=["nbval-ignore-output"]
guess("recall_change", ...)

# %%
def truncated(n, threshold, generator):
    """Return noise whose numbers beyond the threshold were drawn again until none was, (n, 64)."""
    z = torch.randn(n, 64, generator=generator)
    while (beyond := z.abs() > threshold).any():
        z[beyond] = torch.randn(int(beyond.sum()), generator=generator)
    return z


def judge(threshold, seed):
    """Return precision, recall, distance and the share of images that show their class; n = 2,000."""
    z = truncated(2000, threshold, torch.Generator().manual_seed(seed)).to(device)
    features, logits = features_and_logits(classifier, sample(generator_of_11, z, asked[mixed]))
    both = precision_and_recall(rest[:2000], features.cpu())
    return [*both, frechet_distance(features, rest), accuracy(logits, asked[mixed])]


mixed = shuffled_test[:2000].to(device)
thresholds = (math.inf, 1.0, 0.5)
judged = {t: torch.tensor([judge(t, seed) for seed in range(5)], dtype=f64) for t in thresholds}

# %%
change = [paired_difference(judged[0.5][:, i], judged[math.inf][:, i]) for i in range(4)]
clear = lambda i, sign: sign * change[i][0] > 5 * change[i][1]
claim("truncated at 0.5, over five draws: precision is up and recall down, by more than five standard "
      "errors of the paired difference", clear(0, 1) and clear(1, -1), guessed="recall_change",
      recall=change[1], precision=change[0])
claim("more images show their class, and together they are further from real ones, by as many",
      clear(3, 1) and clear(2, 1), right=change[3], distance=change[2])

# %% tags=["hide-input"]
names = {math.inf: "all", 1.0: "|z| ≤ 1", 0.5: "|z| ≤ 0.5"}
sheets = {t: sample(generator_of_11, truncated(30, t, torch.Generator().manual_seed(0)).to(device),
                    asked[mixed[:30]]) for t in thresholds}
show(pictures.truncated({names[t]: sheets[t] for t in thresholds},
                        {names[t]: judged[t][:, :2].mean(0).tolist() for t in thresholds}),
     alt="Left, thirty generated digits for each threshold: with less noise they are cleaner and more "
         "alike. Right, precision rises and recall falls as the threshold falls.")

# %% [markdown]
# Short noise gives the ordinary, readable digit. A sheet of samples made that way flatters this generator, and so does precision alone; recall and the distance show the price. Try it: take one noise for ten classes and change its length, or move it along the mean noise of heavy digits less that of light ones. **First predict**: what do ten classes look like at length × 0?

# %%
ink = ((images + 1) / 2).flatten(1).mean(1)
direction = torch.zeros(64, device=device)
for c in range(10):
    by_ink = ten_thousand[asked == c][ink[asked == c].argsort()]
    tenth = len(by_ink) // 10
    direction += (by_ink[-tenth:].mean(0) - by_ink[:tenth].mean(0)) / 10
tens = torch.arange(10, device=device)
without = sample(generator_of_11, torch.zeros(10, 64, device=device), tens)
claim("without noise the ten classes are still ten digits, each read as asked",
      features_and_logits(classifier, without)[1].argmax(1).tolist() == list(range(10)))
z = torch.randn(1000, 64, generator=torch.Generator().manual_seed(9)).to(device)
weigh = lambda f: ((sample(generator_of_11, z + f * direction, asked[:1000]) + 1) / 2).flatten(1).mean(1)
claim("at least 950 of 1,000 fresh digits grow heavier along the direction",
      (weigh(1) > weigh(0)).sum() >= 950)

# %%
alt = ("Ten generated digits of one noise, one of each class, with what the classifier reads; knobs "
       "choose the noise, stretch it and move it along the direction of more ink.")
try:
    from course_lib.chapters.ch11b_metrics.explorer import NoiseExplorer

    explorer = NoiseExplorer(generator_of_11, classifier, direction, alt=alt)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %% [markdown]
# ## What stays
#
# - The Fréchet distance is the least cost of carrying one Gaussian to another: [*the plan K = V Uᵀ costs the Fréchet distance of chapter 11*](#1-·-The-distance-is-a-cost), and so it takes impostors for digits: [*the impostors' distance is below 0.3*](#3-·-Impostors).
# - What $n$ adds can be taken away by a line over $1/n$, what an order adds cannot: [*pupils against employees: it ends above 1.4*](#2-·-A-line-over-1/n).
# - Neighbours see the impostors: [*impostors: density and coverage below 0.05*](#Exercise:-density-and-coverage), but density does not see what is missing: [*100 real digits, 20 times each: density within 0.15 of 1, coverage below 0.3*](#Question:-the-blind-number).
# - A test for copies in pixels finds exact ones and misses moved ones: [*moved by two pixels, at most 4*](#6-·-By-heart?).
# - For this one generator, less noise bought precision with recall: [*precision is up and recall down*](#7-·-Less-noise,-better-pictures).

# %% tags=["nbval-ignore-output"]
progress("11b_metrics")

# %% [markdown]
# **Open questions.** What would density and coverage say in pixels? Which features would find copies that were moved? Could a classifier be trained so that the distance sees the impostors?
#
# **References.** Dowson and Landau 1982, and Heusel et al. 2017: the distance. Chong and Forsyth 2020, *Effectively unbiased FID and Inception Score*: the line over $1/n$. Naeem et al. 2020, *Reliable fidelity and diversity metrics*: section 3. Bińkowski et al. 2018, *Demystifying MMD GANs*: section 4. Kynkäänniemi et al. 2019, *Improved precision and recall*: section 3. Meehan, Chaudhuri and Dasgupta 2020, *A non-parametric test to detect data-copying*. Brock, Donahue and Simonyan 2019, *Large scale GAN training*: section 3.1, truncation.
