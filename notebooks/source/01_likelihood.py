# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Likelihood
#
# **How good is a model, in one number?**
#
# Ask a model how likely each next character of a text is, then look at what really comes. A character that was given
# probability ½ costs one bit, one that was given ¼ costs two: where the model is surprised, it pays. The sum of these
# costs is one number for the whole text, and the lower it is, the better the model expected this text.
#
# The model below has counted which character follows which in a million characters of Shakespeare. The famous line is
# not among them.

# %%
import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show
from course_lib.datasets.text import load_shakespeare

text, phrase = load_shakespeare(), "To be, or not to be"
pairs = torch.bincount(text.train[:-1] * 65 + text.train[1:], minlength=65 * 65).view(65, 65)
pairs = pairs + 1  # one more than counted: nothing is impossible
model = pairs.double() / pairs.sum(-1, keepdim=True)  # a row: what follows one character
x = text.encode("\n" + phrase)  # the line before ends in \n
surprise = -model[x[:-1], x[1:]].log2()

fig, ((ax,),) = figures.new(height=3.0)
figures.bits(ax, surprise, phrase)
figures.title(ax, f"19 characters, {surprise.sum():.1f} bits: what follows easily costs little")
show(fig, alt="Bars: surprise in bits of each character of ‘To be, or not to be’, given the "
              "one before; the space after the comma costs 0.5, the comma 4.6.")

# %% [markdown]
# Why bits, and why is this the number to train a model with? Afterwards you can
#
# - give an average of draws with its error, and say when that error can be trusted;
# - derive why maximum likelihood minimises a divergence, and what its other direction would do;
# - read a loss in bits, with its floor, and tell learning from memorising.
#
# **Needs** chapter 00. **Time** 45 minutes to read; the cells run in under 20 s on two CPU cores, where everything
# here stays.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | distribution of the data, of the model | |
# | $\theta$ | the model's parameters | |
# | $x, n$ | one observation; how many there are | |
# | $\mathrm{E}_p[f]$ | mean of $f(x)$ over $p$ | |
# | $\mu, \sigma$ | mean and standard deviation | |
# | $s$ | standard deviation of what is averaged | |
# | $H(p)$ | entropy; $H(p, q)$: cross-entropy | |
# | $\mathrm{KL}(p\,\Vert\,q)$ | divergence from $p$ to $q$ | |

# %% tags=["nbval-ignore-output"]
import heapq
import math
from fractions import Fraction
from itertools import pairwise

from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from course_lib.chapters.ch01_likelihood import figures as drawn
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64  # double precision, so that equalities can be checked to the last digits

# %% [markdown]
# ## 1 · Averages, exact and by chance
#
# The losses of this course are averages, so we begin there. An **expectation** is a mean over a distribution:
# $\mathrm{E}_p[f]=\sum_x p(x)f(x)$, or $\int p(x)f(x)\,dx$ for a density. **Quadrature** cuts the integral into strips; in many
# dimensions there are too many of them. **Monte Carlo** draws $x_1,\dots,x_n$ from $p$ and takes the mean of the $f(x_i)$.
#
# As an example take a Gaussian with $\mu=0.5$, $\sigma=1.5$, and $f(x)=x^2$. The truth is $\mu^2+\sigma^2=2.5$.

# %%
mu, sigma = torch.tensor([0.5, 1.5], dtype=f64)
grid = torch.linspace(-15, 16, 4001, dtype=f64)
density = Normal(mu, sigma).log_prob(grid).exp()
by_strips = torch.trapezoid(density * grid**2, grid)
claim("quadrature gives 2.5 to ten digits", abs(by_strips - 2.5) < 1e-10)


def draws(*shape, seed):
    """Return draws from N(0, 1)."""
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


for seed in range(1, 6):
    values = (mu + sigma * draws(10_000, seed=seed)) ** 2
    print(f"seed {seed}: the mean of 10,000 draws is {values.mean():.2f}")

# %% [markdown]
# How wrong is such a mean? The $n$ values are independent, each with variance $s^2$, so the variance of their sum is
# $ns^2$. Dividing the sum by $n$ divides its variance by $n^2$:
#
# $$\operatorname{Var}\Big(\frac1n\sum_i f(x_i)\Big)=\frac{ns^2}{n^2}=\frac{s^2}{n},
# \qquad\text{standard error}=\frac{s}{\sqrt n}. \tag{1.1}$$
#
# The spread of the draws themselves tells $s$, so the error comes for free.
#
# **Guess:** how many times as many draws does one more digit take, that is, an error ten times smaller?

# %% tags=["nbval-ignore-output"]
guess("one_more_digit", ...)

# %%
sizes = torch.tensor([25, 100, 400, 1000, 2500])
s = (density * (grid**2 - 2.5) ** 2 * (grid[1] - grid[0])).sum().sqrt()  # by quadrature
ratios, tenfold = [], []
for seed in range(1, 6):
    many = (mu + sigma * draws(2000, 2500, seed=seed)) ** 2  # 2,000 repeats of up to 2,500 draws
    spreads = torch.stack([many[:, :n].mean(1).std() for n in sizes])
    ratios.append(spreads / (s / sizes.sqrt()))
    tenfold.append((spreads[0] / spreads[-1]).item())
claim("2,000 means spread as equation (1.1) says, within 10 %, from n = 25 to 2,500, for five seeds",
      (torch.stack(ratios) - 1).abs().max() < 0.10)
claim("100 times as many draws, a tenth of the error, within 10 %, for five seeds",
      all(9 < t < 11 for t in tenfold), guessed="one_more_digit",
      spread_of_25_over_spread_of_2500=tenfold)

# %% tags=["hide-input"]
fig, alt = drawn.means_settle((mu + sigma * draws(5, 10_000, seed=0)) ** 2, 2.5, s, sizes, spreads)
show(fig, alt=alt)

# %% [markdown]
# Two digits are cheap, ten are hopeless. How far out may a mean lie? If $s$ is finite, then for $n$ *large enough* the
# mean is nearly Gaussian (the **central limit theorem**): beyond 2 of its standard errors in 5 of 100 cases, beyond 5
# in less than one of a million. Claims in this course allow 5. The small print: how large $n$ must be depends
# on $f$, and without a finite $s$ the theorem says nothing.
#
# Draw $x$ from $\mathrm{N}(0,1)$ and average $x^2$, $e^{x^2/5}$ or $e^{2x^2/5}$. The means are finite, $1$, $1/\sqrt{0.6}$ and
# $\sqrt5$. The third variance is infinite: $e^{4x^2/5}$ grows faster than $e^{-x^2/2}$ falls.
#
# **Guess:** of 100 means of 400 values $e^{2x^2/5}$, how many are more than 5 of their own standard errors from the truth?

# %% tags=["nbval-ignore-output"]
guess("beyond_five", ...)

# %%
functions = {"x²": (lambda z: z**2, 1.0), "e^(x²/5)": (lambda z: (z**2 / 5).exp(), 0.6**-0.5),
             "e^(2x²/5)": (lambda z: (2 * z**2 / 5).exp(), 5**0.5)}
off = {}  # function, n → how many of its own standard errors each of 10,000 means is off
for name, (f, truth) in functions.items():
    for n in (25, 400):
        values = f(draws(10_000, n, seed=n))
        off[name, n] = (values.mean(1) - truth) / (values.std(1) / math.sqrt(n))
beyond = {which: (each.abs() > 5).double().mean().item() for which, each in off.items()}
claim("n = 25 is not large enough for x²: more than 3 of 1,000 means are beyond 5",
      beyond["x²", 25] > 0.003)
claim("nor for e^(x²/5), with more than 15 of 1,000; n = 400 leaves fewer than 4 of 1,000 of either",
      beyond["e^(x²/5)", 25] > 0.015 and max(beyond["x²", 400], beyond["e^(x²/5)", 400]) < 0.004)
claim("without a finite variance more than 6 of 100 means of 400 are beyond 5",
      beyond["e^(2x²/5)", 400] > 0.06, guessed="beyond_five", of_100=100 * beyond["e^(2x²/5)", 400])
claim("and more than 7 of 10 are too low", (off["e^(2x²/5)", 400] < 0).double().mean() > 0.7)

# %% tags=["hide-input"]
fig, alt = drawn.own_errors({name: off[name, 400] for name in functions})
show(fig, alt=alt)

# %% [markdown]
# The large values of $e^{2x^2/5}$ are rare. A sample that has not met one shows it neither in its mean nor in its error:
# it is too low, and sure of it. Averages of ratios of densities, as in chapter 06, can be of this kind.
#
# ## 2 · Maximum likelihood
#
# A **model** $q_\theta$ gives every possible $x$ a probability: not negative, summing to 1. Its **likelihood** is the probability that
# it gives to all the data, for independent observations $\prod_i q_\theta(x_i)$.
#
# The smallest model of our phrase is a coin that says *space* with probability $\theta$, as if characters did not depend on each other.
# With 5 spaces among 19 the log-likelihood is $5\ln\theta+14\ln(1-\theta)$. It is concave, and its derivative is zero where
# $\frac5\theta=\frac{14}{1-\theta}$, at $\theta=\frac5{19}$. **Maximum likelihood** says: as often as seen.

# %% [markdown]
# Now one probability for each of the phrase's 9 different characters. Let $p(x)$ be the share with which $x$ occurs
# in the data. Then the mean log-likelihood is an expectation under these shares,
# $\frac1n\sum_i\ln q(x_i)=\sum_x p(x)\ln q(x)$. Turn its sign, then add and subtract $\mathrm{E}_p[\ln p]$:
#
# $$\underbrace{-\mathrm{E}_p[\ln q]}_{H(p,\,q)}=\underbrace{-\mathrm{E}_p[\ln p]}_{H(p)}
#   +\underbrace{\mathrm{E}_p\!\Big[\ln\frac pq\Big]}_{\mathrm{KL}(p\|q)}. \tag{1.2}$$
#
# **Cross-entropy** is **entropy** plus **Kullback–Leibler divergence**. The entropy does not depend on $q$. So for such data
# *maximising the likelihood, minimising the cross-entropy and minimising* $\mathrm{KL}(\text{shares}\|\text{model})$ *are one thing.*

# %%
symbols, counted = text.encode(phrase).unique(return_counts=True)
p = counted.double() / counted.sum()  # (9,): how often each character of the phrase occurs
models = draws(1000, len(p), seed=3).softmax(-1)  # 1,000 models, each 9 probabilities
print("characters:", "".join(text.vocabulary[i] for i in symbols), "counts:", counted.tolist())

cross_entropy = -(p * models.log()).sum(-1)
kl, H = (p * (p / models).log()).sum(-1), -(p * p.log()).sum()
claim("cross-entropy is entropy plus KL, for each of 1,000 models",
      torch.allclose(cross_entropy, H + kl, rtol=1e-12))

# %% [markdown]
# KL is never negative. The logarithm lies below its tangent at 1: $\ln u\le u-1$, with equality only at $u=1$. Put $u=q/p$
# and sum over the $x$ with $p(x)>0$, where the $q(x)$ sum to at most 1:
#
# $$-\mathrm{KL}(p\|q)=\sum_x p\ln\frac qp\le\sum_x p\Big(\frac qp-1\Big)=\sum_x q-\sum_x p\le 1-1=0, \tag{1.3}$$
#
# and zero only for $q=p$. (Where $q=0<p$, KL is infinite. For densities the same steps hold with integrals.) So the best
# probabilities are the shares, and the best loss is not 0 but the entropy.

# %%
from course_lib.information.divergences import categorical_kl, entropy  # these two, for zeros as well

claim("no model of the 1,000 has a negative KL", kl.min() > 0)
claim("the library computes the same two",
      torch.allclose(categorical_kl(p, models), kl) and torch.allclose(entropy(p), H))
ends = []
for seed in range(5):  # a start is nine scores; softmax makes any probabilities of them
    logits = draws(len(p), seed=seed).requires_grad_()
    optimizer = torch.optim.SGD([logits], lr=2.0)  # chapter 00's update and clearing, in a class
    for _ in range(2000):
        loss = -(p * logits.log_softmax(-1)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ends.append((logits.softmax(-1) - p).abs().max().item() + abs(loss.item() - H.item()))
claim("from five starts training ends at the shares, its loss at their entropy, not at zero",
      max(ends) < 1e-7 and H > 1, entropy=H)

# %% tags=["hide-input"]
fig, alt = drawn.coin_loss(5 / 19)
show(fig, alt=alt)

# %% [markdown]
# **Densities: three limits.** Let a continuous $p$ be what the data is *drawn from*, and $q$ a density.
#
# - The mean $-\frac1n\sum_i\ln q(x_i)$ is an average of draws. It tends to $H(p,q)$ as $n\to\infty$, with the
#   error (1.1), so *in the limit of many draws* maximum likelihood minimises $\mathrm{KL}(p\|q)$, if the means of all
#   models get there together.
# - For finitely many the identity fails: the shares sit on single points, and their KL to any density is infinite.
#   In bins ten times narrower it grows by $\ln 10$, once every point has its own.
# - A maximum need not exist. Let one bell of a mixture sit on a data point and shrink: the likelihood grows without
#   bound.

# %%
q, far = Normal(mu - 1, 2 * sigma), []  # against p = N(mu, sigma²)
H_pq = math.log(2 * sigma * math.sqrt(2 * math.pi)) + (sigma**2 + 1) / (2 * (2 * sigma) ** 2)
for seed in range(5):
    costs = -q.log_prob(mu + sigma * draws(10_000, seed=seed))
    far.append((costs.mean() - H_pq).abs() / (costs.std() / math.sqrt(10_000)))
claim("the mean of −ln q over 10,000 draws is H(p, q) within 5 standard errors, for five seeds",
      max(far) < 5, standard_errors_off=far)

few, in_bins = mu + sigma * draws(50, seed=0), []
for width in (1e-5, 1e-6, 1e-7):
    bins, inside = (few / width).floor().unique(return_counts=True)
    mass = q.cdf((bins + 1) * width) - q.cdf(bins * width)
    in_bins.append((inside / 50 * (inside / 50 / mass).log()).sum())
claim("the KL of 50 points to a density grows by ln 10 with every tenfold narrower bin",
      all(abs(b - a - math.log(10)) < 1e-4 for a, b in pairwise(in_bins)), nats=in_bins)
narrow_bell = [Normal(few[0], 10.0**-k).log_prob(few) for k in (50, 100, 150)]
mean_log = [torch.logaddexp(q.log_prob(few), each).mean() - math.log(2) for each in narrow_bell]
claim("a bell on one of 50 points gains 1/50 · ln 10 a point whenever it shrinks tenfold",
      all(abs(b - a - math.log(10)) < 1e-9 for a, b in pairwise(mean_log)), nats=mean_log)

# %% [markdown]
# ## 3 · Bits
#
# Why logarithms? Because of codes. Give each symbol a word of bits and send the words without commas: the receiver can cut
# them apart if no word begins another, a **prefix code**. Which lengths $\ell(x)$ are possible?
#
# *Not too short.* Toss a coin again and again. The chance that the tosses begin with a given word is $2^{-\ell(x)}$. No two
# words can both be the beginning, so these chances add up to a probability (**Kraft's inequality**):
#
# $$\sum_x 2^{-\ell(x)}\le 1. \tag{1.4}$$

# %% tags=["hide-input"]
fig, alt = drawn.code_tree(("sun", "cloud", "rain", "snow"), ("0", "10", "110", "111"))
show(fig, alt=alt)

# %% [markdown]
# *All that fit exist.* Let lengths satisfy equation (1.4). Hand out parts of $[0,1)$ of sizes $2^{-\ell}$ from the left, the shortest words
# first, and let each word be the first $\ell$ binary digits of the point where its part begins. That point is a sum
# of larger or equal parts, hence a multiple of $2^{-\ell}$: the digits are exact, and the numbers that begin with them are
# exactly this part. The parts do not overlap, so no word begins another; by (1.4) they do not run beyond 1.

# %%
def prefix_code(lengths):
    """Return words of these lengths, the shortest first, none of which begins another."""
    words, begins = [], Fraction(0)
    for length in sorted(lengths):
        words.append(f"{int(begins * 2**length):0{length}b}")
        begins += Fraction(1, 2**length)
    return words


def begins_another(words):
    return any(a != b and b.startswith(a) for a in words for b in words) or len(set(words)) < len(words)


tried = {True: [], False: []}  # does (1.4) hold? → are the words in order?
for lengths in torch.randint(1, 7, (2000, 9), generator=torch.Generator().manual_seed(1)).tolist():
    words = prefix_code(lengths)
    right = sorted(map(len, words)) == sorted(lengths) and not begins_another(words)
    tried[sum(Fraction(1, 2**length) for length in lengths) <= 1].append(right)
print(prefix_code([3, 1, 3, 2]), f"{len(tried[True])} random lists of nine lengths satisfy (1.4)")
claim("whenever lengths satisfy (1.4) the words have them and none begins another, else never",
      all(tried[True]) and not any(tried[False]) and min(map(len, tried.values())) > 100)

# %% [markdown]
# So **every prefix code is a model**: $2^{-\ell(x)}$ is a probability, up to a sum below 1. Its mean length is
# $\mathrm{E}_p[\ell]=-\mathrm{E}_p[\log_2 2^{-\ell}]$, and by (1.3) with $q=2^{-\ell}$ it is at least the entropy. And **every model is a
# code**: $\ell(x)=\lceil-\log_2 q(x)\rceil$ satisfies (1.4), since $2^{-\ell}\le q$, and is less than a bit longer than
# the **surprise** $-\log_2q(x)$. With $q=p$: the best code for one symbol has
#
# $$H(p)\le\mathrm{E}_p[\ell]<H(p)+1\quad\text{bits}. \tag{1.5}$$
#
# Lengths made for $q$ take at least $H(p,q)$ and less than $H(p,q)+1$ when the symbols come from $p$. Up to this rounding, **KL counts the
# bits that the wrong model wastes.** Powers of ½ need no rounding:

# %% [markdown]
# | | sun | cloud | rain | snow |
# | --- | --- | --- | --- | --- |
# | $p$ | ½ | ¼ | ⅛ | ⅛ |
# | code for $p$ | 0 | 10 | 110 | 111 |
# | $q$ | ⅛ | ½ | ¼ | ⅛ |
# | code for $q$ | 110 | 0 | 10 | 111 |
#
# The weather is $p$, the code was made for $q$. How many bits a day are *wasted*?

# %% tags=["nbval-ignore-output"]
answer("likelihood.wasted_bits", ...)

# %%
p4 = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8], dtype=f64)
q4 = torch.tensor([1 / 8, 1 / 2, 1 / 4, 1 / 8], dtype=f64)
code_p = torch.tensor([len(word) for word in ("0", "10", "110", "111")], dtype=f64)
code_q = torch.tensor([len(word) for word in ("110", "0", "10", "111")], dtype=f64)
claim("here each word is as long as its surprise",
      torch.equal(code_p, -p4.log2()) and torch.equal(code_q, -q4.log2()))
waste = p4 @ code_q - p4 @ code_p
claim("the code for q wastes exactly the KL", abs(waste * math.log(2) - categorical_kl(p4, q4)) < 1e-15)
claim("KL is no distance: the other way round the waste is smaller",
      categorical_kl(q4, p4) < categorical_kl(p4, q4))

# %% [markdown]
# A source without powers of ½: $p=(0.9,0.1)$ has an entropy of 0.469 bits, but no word is shorter than 1.
# The cure is to code **blocks**. A block of $n$ independent symbols is one symbol with entropy $nH(p)$.
# By (1.5) its best code takes at least $nH$ and less than $nH+1$ bits: *per symbol* at least $H$ and less than $H+1/n$.
#
# A best code joins the two least likely words below a fork, again and again (Huffman 1952). Each join adds a bit to all
# below it, so the mean length is the sum of the joined probabilities.
#
# **Guess:** how many bits per symbol does the best code for blocks of *three* take?

# %% tags=["nbval-ignore-output"]
guess("three_a_word", ...)

# %%
def best_mean_length(probabilities):
    """Return the mean number of bits of a best prefix code."""
    heap, bits_in_all = [*probabilities], 0.0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        bits_in_all += joined
        heapq.heappush(heap, joined)
    return bits_in_all


H_nine = entropy(torch.tensor([0.9, 0.1], dtype=f64)).item() / math.log(2)
block, per_symbol = torch.ones(1, dtype=f64), []
for n in range(1, 11):
    block = torch.outer(block, torch.tensor([0.9, 0.1], dtype=f64)).flatten()  # (2ⁿ,)
    per_symbol.append(best_mean_length(block.tolist()) / n)
print("bits per symbol, blocks of 1, 2, 3, …:", [round(each, 3) for each in per_symbol])
claim("blocks of n symbols take at least H and less than H + 1/n bits a symbol, n = 1 to 10",
      all(H_nine <= each < H_nine + 1 / n for n, each in enumerate(per_symbol, 1)))
claim("not step by step: blocks of 7 take more a symbol than blocks of 6", per_symbol[6] > per_symbol[5])
claim("blocks of three take little more than half a bit", 0.53 < per_symbol[2] < 0.54,
      guessed="three_a_word", bits=per_symbol[2])

# %% tags=["hide-input"]
fig, alt = drawn.blocks(per_symbol, H_nine)
show(fig, alt=alt)

# %% [markdown]
# The largest block is the whole message. The probability of a text is a product, each character given those before it, so
# its surprise is the sum of the first figure's bars, and a word for the whole text is less than a bit longer. (Nobody
# can list all texts. Chapter 01b, which is optional, finds the word without a list and writes the file.)
#
# ### Exercise: cross-entropy in bits
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# For text the model gives a fresh row of probabilities before every character. What does it pay, on average?

# %% tags=["nbval-ignore-output"]
@exercise("likelihood.cross_entropy_bits")
def cross_entropy_bits(probabilities, targets):
    """Return the mean surprise in bits, a tensor without axes.

    probabilities (n, symbols): row i is what the model expects; targets (n,): what came.
    Worked value: probabilities = [[0.5, 0.5], [0.75, 0.25]], targets = [0, 1] give 1.5.
    """
    # one surprise for each of the n symbols that came; then one number for all
    ...

# %%
bits = float(cross_entropy_bits(model[x[:-1]], x[1:]))
claim("the phrase is not in the text that was counted", phrase not in text.decode(text.train))
claim("your mean is that of the first figure's bars", abs(bits - surprise.mean()) < 1e-5)
scores_of = model[x[:-1]].log()  # scores whose softmax is the model's row again
claim("PyTorch's loss, divided by ln 2, is the same",
      abs(bits - F.cross_entropy(scores_of, x[1:]) / math.log(2)) < 1e-5)
claim("as one word of a prefix code the phrase takes 60 bits", math.ceil(surprise.sum()) == 60)
print(f"{bits:.2f} bits per character; equal probabilities for 65 cost {math.log2(65):.2f}")

# %% [markdown]
# ## 4 · Two directions
#
# Which way round KL is taken matters. For two Gaussians the integral can be done. The logarithm of the ratio is
#
# $$\ln\frac{p(x)}{q(x)}=\ln\frac{\sigma_q}{\sigma_p}-\frac{(x-\mu_p)^2}{2\sigma_p^2}+\frac{(x-\mu_q)^2}{2\sigma_q^2}.$$
#
# Take the mean under $p$. There $\mathrm{E}_p[(x-\mu_p)^2]=\sigma_p^2$, and with $x-\mu_q=(x-\mu_p)+(\mu_p-\mu_q)$ also
# $\mathrm{E}_p[(x-\mu_q)^2]=\sigma_p^2+(\mu_p-\mu_q)^2$, since the mixed term has mean 0. So
#
# $$\mathrm{KL}(p\|q)=\ln\frac{\sigma_q}{\sigma_p}+\frac{\sigma_p^2+(\mu_p-\mu_q)^2}{2\sigma_q^2}-\frac12. \tag{1.6}$$

# %%
from course_lib.information.divergences import gaussian_kl

mu_p, std_p, mu_q, std_q = torch.tensor([0.7, 0.5, -0.4, 1.5], dtype=f64)
closed = gaussian_kl(mu_p, std_p, mu_q, std_q)  # equation (1.6)
back_again = gaussian_kl(mu_q, std_q, mu_p, std_p)
P, Q = Normal(mu_p, std_p), Normal(mu_q, std_q)
claim("PyTorch has the same formula", torch.allclose(closed, kl_divergence(P, Q), rtol=1e-12))
strips = P.log_prob(grid).exp() * (P.log_prob(grid) - Q.log_prob(grid))
claim("quadrature finds the same number",
      torch.allclose(closed, torch.trapezoid(strips, grid), rtol=1e-10))
print(f"KL(p‖q) = {closed:.3f} nats, KL(q‖p) = {back_again:.3f} nats")

# %% [markdown]
# ### Exercise: KL by Monte Carlo, with its error
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# For most pairs there is no formula, but both densities can be evaluated at draws from one of them. The noise is handed in.

# %% tags=["nbval-ignore-output"]
@exercise("likelihood.kl_monte_carlo")
def kl_monte_carlo(eps, mu_p, std_p, mu_q, std_q):
    """Return (estimate, error): KL(p‖q) in nats by Monte Carlo, and its standard error.

    p = N(mu_p, std_p²), q = N(mu_q, std_q²), each number a tensor without axes; eps (n,): draws
    from N(0, 1), the only chance in here.
    Worked value: eps = [-1, 1], p = N(0, 1), q = N(1, 1) give (0.5, 1.0).
    """
    # the KL is a mean over draws from one of the two; which, and of what?
    # the spread of these n values (torch's, with n - 1) says how wrong the mean may be
    ...

# %%
here, there = [], []
for seed in range(5):
    eps = draws(10_000, seed=seed)
    estimate, error = kl_monte_carlo(eps, mu_p, std_p, mu_q, std_q)
    here.append((float(abs(estimate - closed) / error), float(error)))
    other, other_error = kl_monte_carlo(eps, mu_q, std_q, mu_p, std_p)
    there.append((float(abs(other - back_again) / other_error), float(other_error)))
claim("both closed forms are within 5 standard errors of the estimates, for five seeds",
      max(distance for distance, _ in here + there) < 5)
claim("the error of KL(q‖p) is more than ten times that of KL(p‖q)",
      min(e for _, e in there) > 10 * max(e for _, e in here))

# %% [markdown]
# ### When the model is too small
#
# If $q=p$ is within reach, both directions lead there. A model that is too small must choose. Let $p$ be a mixture of
# two Gaussians, 60 % around −2 and 40 % around 2, and $q$ a single one; minimise *forward* $\mathrm{KL}(p\|q)$, then *reverse*
# $\mathrm{KL}(q\|p)$, over $\mu$ and $\ln\sigma$ (by Adam, which divides each step by the recent size of its gradient).
#
# Think of photos of cats and of dogs, two humps, and of a model with one, trained by maximum likelihood on very many
# of them. What does it draw most often: `between`, `cats_only`, `both_apart`, `copies`?

# %% tags=["nbval-ignore-output"]
answer("likelihood.cats_and_dogs", ...)

# %%
shares, middles = torch.tensor([[0.6, 0.4], [-2.0, 2.0]], dtype=f64)
humps = Normal(middles, torch.full((2,), 0.6, dtype=f64))
log_p = (shares.log() + humps.log_prob(grid[:, None])).logsumexp(-1)  # ln p on the grid


def both_kl(mean, log_std):
    """Return KL(mixture‖q) and KL(q‖mixture) in nats, by quadrature."""
    log_q = Normal(mean, log_std.exp()).log_prob(grid)
    return (torch.trapezoid(log_p.exp() * (log_p - log_q), grid),
            torch.trapezoid(log_q.exp() * (log_q - log_p), grid))


def fit(direction, begin):
    """Return μ, σ, forward and reverse KL of the Gaussian that minimises one of the two."""
    mean = torch.tensor(begin, dtype=f64, requires_grad=True)
    log_std = torch.zeros((), dtype=f64, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_std], lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        both_kl(mean, log_std)[direction].backward()
        optimizer.step()
    return [t.item() for t in (mean, log_std.exp(), *both_kl(mean, log_std))]


starts = (-3.0, -1.0, 0.0, 1.0, 3.0)
forward_fits, reverse_fits = ([fit(direction, begin) for begin in starts] for direction in (0, 1))

# %%
wide = math.sqrt(0.6**2 + 0.6 * (2 - 0.4) ** 2 + 0.4 * (2 + 0.4) ** 2)
left, stuck, right = reverse_fits[:2], reverse_fits[2], reverse_fits[3:]
claim("forward, from five starts, takes the mixture's own mean −0.4 and its own spread",
      all(abs(f[0] + 0.4) < 1e-3 and abs(f[1] - wide) < 1e-3 for f in forward_fits))
claim("reverse, from starts on either side, takes that hump's mean and spread",
      all(abs(f[0] - m) < 0.01 and abs(f[1] - 0.6) < 0.01
          for side, m in ((left, -2), (right, 2)) for f in side))
claim("it costs −ln of the share that the hump has",
      all(abs(f[3] + math.log(share)) < 0.01
          for side, share in ((left, 0.6), (right, 0.4)) for f in side))
claim("a start in the middle ends in between, wide, and pays more than on either hump",
      stuck[3] > right[0][3] > left[0][3] and stuck[1] > 1.5, mu=stuck[0], std=stuck[1], kl=stuck[3])
claim("measured forward, a fit to one hump costs more than ten times what the wide one costs",
      left[0][2] > 10 * forward_fits[0][2], one_hump=left[0][2], wide=forward_fits[0][2])

# %% tags=["hide-input"]
fig, alt = drawn.two_directions(grid, log_p.exp(), forward_fits[0], left[0], right[0])
show(fig, alt=alt)

# %% [markdown]
# Forward KL averages $-\ln q$ *where the data is*: a hump on which $q$ has hardly any density costs very much, so $q$ **covers** both.
# Setting the derivatives to zero gives $\mathrm{E}_p[x-\mu]=0$ and $\mathrm{E}_p[(x-\mu)^2]=\sigma^2$: mean and spread of $p$.
#
# Reverse KL is $-\mathrm{E}_q[\ln p]-H(q)$: it averages $-\ln p$ *where the model is*, and rewards a wide $q$. (Without $H(q)$ the model would shrink to
# a point.) Standing in the valley costs; missing a hump costs little: on its own hump $p$ is nearly its share times
# $q$, so the divergence is nearly $-\ln0.6$ or $-\ln0.4$. From most of our starts $q$ **seeks** one hump.
#
# Maximum likelihood is, for many draws, the forward one. Chapter 06 minimises a reverse one, chapter 09 meets a third.

# %% [markdown]
# ## 5 · Overfitting is a gap between two averages
#
# Let $p$ be what the data is drawn from. Fit $\hat\theta$ on $n$ draws, the **training** data, and average the loss twice.
#
# - *There* the best fit, if one exists, does no worse than the true parameters, if the model contains them; and
#   their loss is $H(p)$ on average. So the training loss is **on average at most** $H(p)$.
# - On **held-out** data, fresh draws, the loss of $\hat\theta$ is on average $H(p)+\mathrm{KL}(p\|q_{\hat\theta})$: **at least** $H(p)$.
#
# An example where the gap can be computed: $\hat\theta$ is the mean $m$ of $n$ points with $d$ coordinates of variance 1, the loss
# $\frac12\|x-m\|^2$ and a constant. A fresh coordinate less $m$ has variance $1+\frac1n$. A training one is part of $m$:
# its variance is $(1-\frac1n)^2+\frac{n-1}{n^2}=1-\frac1n$. Hence
#
# $$\text{held-out}-\text{training}=\frac d2\Big[\Big(1+\frac1n\Big)-\Big(1-\frac1n\Big)\Big]=\frac dn.$$

# %%
d, numbers = 20, (10, 20, 50, 100, 200)
above, below, gap_errors = [], [], []  # held-out and training loss less H(p) = d/2 and the constant
for n in numbers:
    train, fresh = draws(2, 2000, n, d, seed=n)  # 2,000 repeats
    m = train.mean(1, keepdim=True)
    on_train, on_fresh = ((each - m).square().sum(-1).mean(-1) / 2 - d / 2 for each in (train, fresh))
    gap = on_fresh - on_train
    gap_errors.append(((gap.mean() - d / n) / (gap.std() / math.sqrt(2000))).item())
    above.append(on_fresh.mean().item())
    below.append(on_train.mean().item())
claim("20 parameters fitted to n points: the gap is 20/n nats, within 5 standard errors, n = 10 to 200",
      max(map(abs, gap_errors)) < 5, gaps=[a - b for a, b in zip(above, below, strict=True)])
claim("on average training is below the entropy, held-out above it", max(below) < 0 < min(above))
lucky = (on_train > 0).double().mean()
claim("not in every repeat: with 200 points more than a third of the training losses are above",
      lucky > 1 / 3, share=lucky)

# %% tags=["hide-input"]
fig, alt = drawn.two_averages(numbers, above, below, d)
show(fig, alt=alt)

# %% [markdown]
# For real data nobody knows $H(p)$. So fit on one part and **judge on an unused one**. What is *chosen* by the held-out loss
# is a little fitted to it, too: keep a third part, used once, for the final word. (Chapter 01b measures how far a model
# that learns by heart falls below a known entropy.)

# %% [markdown]
# ## What stays
#
# - A mean of $n$ draws has the error $s/\sqrt n$ ([*2,000 means spread as equation (1.1) says*](#1-·-Averages,-exact-and-by-chance)), if
#   $s$ is finite
#   ([*without a finite variance more than 6 of 100 means of 400 are beyond 5*](#1-·-Averages,-exact-and-by-chance)).
# - For discrete data likelihood, cross-entropy and KL(shares‖model) are one aim
#   ([*cross-entropy is entropy plus KL*](#2-·-Maximum-likelihood)), its floor the entropy
#   ([*its loss at their entropy, not at zero*](#2-·-Maximum-likelihood)).
# - Bits are lengths of code words: blocks of $n$ take at least $H$ and less than $H+1/n$ a symbol
#   ([*blocks of n symbols*](#3-·-Bits)), and a wrong model wastes the KL, exactly for powers of ½
#   ([*the code for q wastes*](#3-·-Bits)).
# - One Gaussian covers two humps by forward KL ([*forward, from five starts*](#When-the-model-is-too-small)); reverse
#   takes one ([*reverse, from starts on either side*](#When-the-model-is-too-small)).
# - Fitting a mean puts the training loss on average below the entropy, held-out above
#   ([*on average training is below*](#5-·-Overfitting-is-a-gap-between-two-averages)).

# %% tags=["nbval-ignore-output"]
progress("01_likelihood")

# %% [markdown]
# **Open questions.** How many bits a character does English need, when readers guess differently? A density may exceed 1: what does a
# *negative* cross-entropy mean? Is there a divergence that neither covers nor seeks?
#
# **References.** Shannon 1948, *A mathematical theory of communication*: sections 6 to 9, entropy and codes. Cover and Thomas 2006,
# *Elements of information theory*: chapter 5, Kraft both ways and Huffman's proof. Kullback and Leibler 1951, *On information and
# sufficiency*: section 2. MacKay 2003, *Information theory, inference, and learning algorithms*: chapters 2, 5, 29, 33. Akaike 1974, *A new
# look at the statistical model identification*: the price of a parameter.
