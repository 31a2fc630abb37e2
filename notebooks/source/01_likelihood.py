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
# probability ½ costs one bit, one that was given ¼ costs two. The sum is one number for the whole text: the lower, the
# better the model expected it.
#
# The model below has counted, in a million characters of Shakespeare, which of 65 characters follows which. The famous
# line is not among them.

# %%
import math
from itertools import pairwise

import torch

from course_lib.chapters.ch01_likelihood import figures as drawn
from course_lib.classroom.figures import show
from course_lib.datasets.text import load_shakespeare

text, phrase = load_shakespeare(), "To be, or not to be"
pairs = torch.bincount(text.train[:-1] * 65 + text.train[1:], minlength=65 * 65).view(65, 65)
pairs = pairs + 1  # one more than counted: nothing is impossible
model = pairs.double() / pairs.sum(-1, keepdim=True)  # a row: what follows one character
x = text.encode("\n" + phrase)  # the line before ends in \n
surprise = [-math.log2(model[before, came]) for before, came in pairwise(x.tolist())]

fig, alt = drawn.opening(surprise, phrase)
show(fig, alt=alt)

# %% [markdown]
# Afterwards you can
#
# - give an average of draws with its error, and say when to trust that error;
# - derive which divergence maximum likelihood minimises;
# - read a loss in bits, with its floor, and tell learning from memorising.
#
# **Needs** chapter 00. **Time** 45 minutes to read; the cells run in under 20 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | distribution of the data, of the model | |
# | $\theta$ | the model's parameters; $\hat\theta$: fitted ones | |
# | $x, n$ | one observation; how many there are | |
# | $m, d$ | mean of $n$ points; their coordinates | (d,); |
# | $\mathrm{E}_p[f]$ | mean of $f(x)$ over $p$ | |
# | $\mu, \sigma$ | mean and standard deviation | |
# | $s$ | standard deviation of what is averaged | |
# | $H(p)$ | entropy; $H(p, q)$: cross-entropy | |
# | $\ell(x)$ | length of the code word for $x$ | |
# | $\mathrm{KL}(p\,\Vert\,q)$ | divergence from $p$ to $q$ | |

# %% tags=["nbval-ignore-output"]
from fractions import Fraction
from itertools import combinations_with_replacement

from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64  # double precision, so that equalities can be checked to the last digits

# %% [markdown]
# ## 1 · Averages, exact and by chance
#
# An **expectation** is a mean over a distribution:
# $\mathrm{E}_p[f]=\sum_x p(x)f(x)$, or $\int p(x)f(x)\,dx$ for a density. **Quadrature** cuts the integral into strips; in many
# dimensions there are too many of them. **Monte Carlo** draws $x_1,\dots,x_n$ from $p$ and takes the mean of the $f(x_i)$.
#
# Take a Gaussian with $\mu=0.5$, $\sigma=1.5$, and $f(x)=x^2$. The truth is $\mu^2+\sigma^2=2.5$.

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
# How wrong is such a mean? The $n$ values are independent, each with variance $s^2$, so their sum has the variance
# $ns^2$. Dividing the sum by $n$ divides its variance by $n^2$:
#
# $$\operatorname{Var}\Big(\frac1n\sum_i f(x_i)\Big)=\frac{ns^2}{n^2}=\frac{s^2}{n},
# \qquad\text{standard error}=\frac{s}{\sqrt n}. \tag{1.1}$$
#
# The spread of the draws tells $s$. One more digit takes 100 times as many.

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
      all(9 < t < 11 for t in tenfold), draws_times_100_divide_the_error_by=tenfold)

# %% tags=["hide-input"]
fig, alt = drawn.means_settle((mu + sigma * draws(5, 10_000, seed=0)) ** 2, 2.5, s, sizes, spreads)
show(fig, alt=alt)

# %% [markdown]
# How far out may a mean lie? If $s$ is finite, then for $n$ *large enough* the mean is nearly Gaussian (the **central
# limit theorem**): beyond 2 of its standard errors in 5 of 100 cases, beyond 5 in less than one of a million. Where a
# claim compares a mean with a truth it usually allows 5.
#
# How large $n$ must be depends on $f$, and without a finite $s$ the theorem says nothing. Draw $x$ from
# $\mathrm{N}(0,1)$ and average $x^2$, $e^{5x/2}$ or $e^{2x^2/5}$, whose means are $1$, $e^{25/8}$, $\sqrt5$. Only the third
# has an infinite variance: $e^{4x^2/5}$ grows faster than $e^{-x^2/2}$ falls.
#
# **Guess:** of 100 means of 400 values $e^{2x^2/5}$, how many are more than 5 of their own standard errors from the truth?

# %% tags=["nbval-ignore-output"]
guess("beyond_five", ...)

# %%
functions = {"x²": (lambda z: z**2, 1.0), "e^(5x/2)": (lambda z: (5 * z / 2).exp(), math.exp(25 / 8)),
             "e^(2x²/5)": (lambda z: (2 * z**2 / 5).exp(), 5**0.5)}
off = {}  # function, n → how many of its own standard errors each of 10,000 means is off
for name, (f, truth) in functions.items():
    for n in (25, 400):
        values = f(draws(10_000, n, seed=n))
        off[name, n] = (values.mean(1) - truth) / (values.std(1) / math.sqrt(n))
beyond = {which: (each.abs() > 5).double().mean().item() for which, each in off.items()}
claim("for x², of 1,000 means of 25 values more than 3 are beyond 5, of 400 values fewer than 3",
      beyond["x²", 25] > 0.003 > beyond["x²", 400])
claim("for e^(2x²/5), of infinite variance, more than 6 of 100 means of 400 are beyond 5",
      beyond["e^(2x²/5)", 400] > 0.06, guessed="beyond_five", of_100=100 * beyond["e^(2x²/5)", 400])
claim("for e^(5x/2) more than 6 of 100, too, with a finite variance: 400 are not enough for it",
      beyond["e^(5x/2)", 400] > 0.06, of_100=100 * beyond["e^(5x/2)", 400])
claim("more than 19 of 20 of those that are beyond 5 are too low",
      all((off[name, 400][off[name, 400].abs() > 5] < 0).double().mean() > 0.95
          for name in ("e^(5x/2)", "e^(2x²/5)")))

# %% tags=["hide-input"]
fig, alt = drawn.own_errors({name: off[name, 400] for name in functions})
show(fig, alt=alt)

# %% [markdown]
# The large values are rare. A sample that has not met one shows it neither in its mean nor in its error: it is too low,
# and sure of it. At $n=400$ an infinite $s$ looks like one that is only very large.
# Averages in chapter 06 can be of this kind.
#
# ## 2 · Maximum likelihood
#
# A **model** $q_\theta$ gives every possible $x$ a probability: not negative, summing to 1. Its **likelihood** is the probability that
# it gives to all the data, for independent observations $\prod_i q_\theta(x_i)$; **maximum likelihood** takes the $\theta$ that makes
# it largest.

# %% [markdown]
# Take one probability for each of the phrase's 9 characters. Let $p(x)$ be the share of $x$ in the data. The
# mean log-likelihood is an expectation under these shares,
# $\frac1n\sum_i\ln q(x_i)=\sum_x p(x)\ln q(x)$. Turn its sign, then add and subtract $\mathrm{E}_p[\ln p]$:
#
# $$\underbrace{-\mathrm{E}_p[\ln q]}_{H(p,\,q)}=\underbrace{-\mathrm{E}_p[\ln p]}_{H(p)}
#   +\underbrace{\mathrm{E}_p\!\Big[\ln\frac pq\Big]}_{\mathrm{KL}(p\|q)}. \tag{1.2}$$
#
# **Cross-entropy** is **entropy** plus **Kullback–Leibler divergence**. The entropy does not depend on $q$, so for such data
# *maximum likelihood, minimum cross-entropy and minimum* KL(shares‖model) *are one thing.*

# %% [markdown]
# KL is never negative. We have $\ln u\le u-1$, with equality only at $u=1$. Put $u=q/p$
# and sum over the $x$ with $p(x)>0$, where the $q(x)$ sum to at most 1:
#
# $$-\mathrm{KL}(p\|q)=\sum_x p\ln\frac qp\le\sum_x p\Big(\frac qp-1\Big)=\sum_x q-\sum_x p\le 1-1=0, \tag{1.3}$$
#
# and zero only for $q=p$. (Where $q=0<p$, KL is infinite; densities have integrals for sums.) So the best
# probabilities are the shares, and the best loss is not 0 but the entropy.

# %%
from course_lib.information.divergences import categorical_kl, entropy  # for zeros as well

symbols, place, counted = text.encode(phrase).unique(return_inverse=True, return_counts=True)
p = counted.double() / counted.sum()  # (9,): how often each character of the phrase occurs
models = draws(1000, len(p), seed=3).softmax(-1)  # 1,000 models, each 9 probabilities
print("characters:", "".join(text.vocabulary[i] for i in symbols), "counts:", counted.tolist())

in_order = models[:, place]  # (1000, 19): what each model gives to T, o, space, b, …
kl, H = categorical_kl(p, models), entropy(p)
claim("the mean of −ln q over the 19 characters in order is entropy plus KL, for each of 1,000 models",
      torch.allclose(-in_order.log().mean(-1), H + kl, rtol=1e-12))
claim("the model with the highest product of 19 probabilities is the one with the lowest KL",
      in_order.prod(-1).argmax() == kl.argmin())
claim("the shares themselves cost the entropy, not zero, and each of the 1,000 models costs more",
      H > 1 and kl.min() > 0, entropy=H, least_kl=kl.min())

# %% tags=["hide-input"]
fig, alt = drawn.coin_loss(5 / 19)
show(fig, alt=alt)

# %% [markdown]
# **Densities: three limits.** Let a continuous $p$ be what the data is *drawn from*, and $q$ a density.
#
# - For one fixed model $-\frac1n\sum_i\ln q(x_i)$ tends to $H(p,q)$, with the error (1.1) if
#   $-\ln q$ has a finite spread. But we choose among all models, so their errors must become small *at the same* $n$.
#   If they do, maximum likelihood minimises $\mathrm{KL}(p\|q)$ in the limit.
# - For finitely many draws the identity fails: the KL from single points to any density is infinite.
# - A maximum need not exist. Let one bell of a mixture sit on a data point and shrink: the likelihood grows without
#   bound.

# %% [markdown]
# ## 3 · Bits
#
# Why logarithms? Because of codes. Give each symbol a word of bits and send the words without commas: the receiver can cut
# them apart if no word begins another, a **prefix code**. Which lengths $\ell(x)$ are possible?
#
# *Not too short.* Toss a coin again and again. The tosses begin with a given word with probability $2^{-\ell(x)}$, and with
# no two words at once. So these probabilities sum to at most 1 (**Kraft's inequality**):
#
# $$\sum_x 2^{-\ell(x)}\le 1. \tag{1.4}$$

# %% tags=["hide-input"]
fig, alt = drawn.code_tree(("sun", "cloud", "rain", "snow"), ("0", "10", "110", "111"))
show(fig, alt=alt)

# %% [markdown]
# *All that fit exist.* Let lengths satisfy equation (1.4). Hand out parts of $[0,1)$ of sizes $2^{-\ell}$ from the left, the shortest words
# first; each word is the first $\ell$ binary digits of the point where its part begins. That point is a sum
# of larger or equal parts, a multiple of $2^{-\ell}$: so the numbers that begin with these digits are
# exactly the part. Parts do not overlap, so no word begins another; by (1.4) they do not run beyond 1.

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
claim("whenever lengths satisfy (1.4) the words have them, none begins another; else never these words",
      all(tried[True]) and not any(tried[False]) and min(map(len, tried.values())) > 100)

# %% [markdown]
# So **every prefix code is a model**, $q(x)=2^{-\ell(x)}$, up to a sum below 1. Equation (1.2) divided by $\ln 2$
# says its mean length: $\mathrm{E}_p[\ell]=H(p)+\mathrm{KL}(p\|q)$ *in bits*, by (1.3) at least the
# entropy. And **every model is a code**: $\ell(x)=\lceil-\log_2 q(x)\rceil$ satisfies (1.4), since $2^{-\ell}\le q$, and is less
# than a bit longer than the **surprise** $-\log_2q(x)$. With $q=p$: the best code for one symbol has
#
# $$H(p)\le\mathrm{E}_p[\ell]<H(p)+1\quad\text{bits}. \tag{1.5}$$
#
# Up to such rounding, **KL counts the bits that a wrong model wastes.** Powers of ½ need none:
#
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
claim("the other way round the waste is smaller: KL is no distance",
      categorical_kl(q4, p4) < categorical_kl(p4, q4))

# %% [markdown]
# $p=(0.9,0.1)$ has an entropy of 0.469 bits, but no word is shorter than 1. The cure is to code **blocks**. A block of
# $n$ independent symbols is one symbol with entropy $nH(p)$, so by (1.5) its best code (Huffman 1952) takes
# *per symbol* at least $H$ and less than $H+1/n$.
#
# **Guess:** how many bits per symbol does the best code for blocks of *three* take?

# %% tags=["nbval-ignore-output"]
guess("three_a_word", ...)

# %%
from course_lib.chapters.ch01_likelihood.huffman import best_mean_length

H_nine = entropy(torch.tensor([0.9, 0.1], dtype=f64)).item() / math.log(2)
block, per_symbol = torch.ones(1, dtype=f64), []
for n in range(1, 11):
    block = torch.outer(block, torch.tensor([0.9, 0.1], dtype=f64)).flatten()  # (2ⁿ,)
    per_symbol.append(best_mean_length(block.tolist()) / n)
    if n == 3:  # all lists of eight lengths up to 7 that satisfy (1.4), the shortest for the likeliest
        likely = sorted(block.tolist(), reverse=True)
        by_trying = min(sum(share * length for share, length in zip(likely, lengths, strict=True)) / 3
                        for lengths in combinations_with_replacement(range(1, 8), 8)
                        if sum(2.0**-length for length in lengths) <= 1)
print("bits per symbol, blocks of 1, 2, 3, …:", [round(each, 3) for each in per_symbol])
claim("blocks of n symbols take at least H and less than H + 1/n bits a symbol, n = 1 to 10",
      all(H_nine <= each < H_nine + 1 / n for n, each in enumerate(per_symbol, 1)))
claim("blocks of three take little more than half a bit, the least of all lengths that (1.4) allows",
      0.53 < per_symbol[2] < 0.54 and abs(per_symbol[2] - by_trying) < 1e-12,
      guessed="three_a_word", bits=per_symbol[2])

# %% tags=["hide-input"]
fig, alt = drawn.blocks(per_symbol, H_nine)
show(fig, alt=alt)

# %% [markdown]
# The largest block is the whole message: a text's surprise is the sum of the first figure's bars, and its word is less
# than a bit longer. (Chapter 01b finds it without a list of all texts.)
#
# ### Exercise: cross-entropy in bits
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# The first cell looked up pair after pair. Here the rows come as one tensor: what does the model pay, on average?

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
claim("your mean is that of the first figure's bars", abs(bits - sum(surprise) / 19) < 1e-5)
scores_of = model[x[:-1]].log()  # scores whose softmax is the model's row again
claim("PyTorch's loss, divided by ln 2, is the same",
      abs(bits - F.cross_entropy(scores_of, x[1:]) / math.log(2)) < 1e-5)
print(f"{bits:.2f} bits per character; equal probabilities for 65 cost {math.log2(65):.2f}")
print(f"the construction above would give the phrase a word of {math.ceil(sum(surprise))} bits")

# %% [markdown]
# ## 4 · Two directions
#
# For two Gaussians the integral can be done. The logarithm of the ratio is
#
# $$\ln\frac{p(x)}{q(x)}=\ln\frac{\sigma_q}{\sigma_p}-\frac{(x-\mu_p)^2}{2\sigma_p^2}+\frac{(x-\mu_q)^2}{2\sigma_q^2}.$$
#
# Under $p$ the squares have the means $\sigma_p^2$ and, with $x-\mu_q=(x-\mu_p)+(\mu_p-\mu_q)$, $\sigma_p^2+(\mu_p-\mu_q)^2$. So
#
# $$\mathrm{KL}(p\|q)=\ln\frac{\sigma_q}{\sigma_p}+\frac{\sigma_p^2+(\mu_p-\mu_q)^2}{2\sigma_q^2}-\frac12. \tag{1.6}$$
#
# ### Exercise: KL by Monte Carlo, with its error
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# Most pairs have no formula, but densities can be evaluated at draws. The noise is handed in.

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
from course_lib.information.divergences import gaussian_kl

mu_p, std_p, mu_q, std_q = torch.tensor([0.7, 0.5, -0.4, 1.5], dtype=f64)
closed = gaussian_kl(mu_p, std_p, mu_q, std_q)  # equation (1.6)
back_again = gaussian_kl(mu_q, std_q, mu_p, std_p)
print(f"KL(p‖q) = {closed:.3f} nats, KL(q‖p) = {back_again:.3f} nats")
claim("PyTorch gives the same number",
      torch.allclose(closed, kl_divergence(Normal(mu_p, std_p), Normal(mu_q, std_q)), rtol=1e-12))
distances = []
for seed in range(5):
    eps = draws(10_000, seed=seed)
    for truth, pair in ((closed, (mu_p, std_p, mu_q, std_q)), (back_again, (mu_q, std_q, mu_p, std_p))):
        estimate, error = kl_monte_carlo(eps, *pair)
        distances.append(float(abs(estimate - truth) / error))
claim("both closed forms are within 5 standard errors of the estimates, for five seeds",
      max(distances) < 5, standard_errors_off=distances)

# %% [markdown]
# ### When the model is too small
#
# If $q=p$ is within reach, both directions have their minimum there. A model that is too small must choose. Let $p$ be a
# mixture of two Gaussians of width 0.6, 60 % around −2 and 40 % around 2, and $q$ a single one; minimise *forward*
# $\mathrm{KL}(p\|q)$, then *reverse* $\mathrm{KL}(q\|p)$, over $\mu$ and $\ln\sigma$.
#
# Think of very many photos of cats and of dogs, two humps, and of one Gaussian, trained on them by maximum
# likelihood. What does it draw most often: `between`, `cats_only`, `both_apart`, `copies`?

# %% tags=["nbval-ignore-output"]
answer("likelihood.cats_and_dogs", ...)

# %% [markdown]
# Look by hand first. The shaded area is the chosen divergence, the map beside it has it for every $\mu$ and $\sigma$: press or
# drag there, or use the sliders. With *one* bell for $p$ the status line sets equation (1.6) beside the sum over a grid.

# %%
alt = ("Explorer of both KL: one bell q lies between the two of p; shaded, what KL(p‖q) sums to 0.86 "
       "nats; a map of it over mean and width of q has its least at mean −0.4, width 2.05.")
try:
    from course_lib.chapters.ch01_likelihood.explorer import KLExplorer

    explorer = KLExplorer(alt)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

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
    optimizer = torch.optim.Adam([mean, log_std], lr=0.05)  # divides a step by the gradient's size
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

# %% tags=["hide-input"]
fig, alt = drawn.two_directions(grid, log_p.exp(), forward_fits[0], left[0], right[0])
show(fig, alt=alt)

# %% [markdown]
# Forward KL averages $-\ln q$ *where the data is*: a hump on which $q$ has hardly any density costs very much, so $q$
# **covers** both. Setting the derivatives to zero gives mean and spread of $p$.
#
# Reverse KL averages $\ln\frac qp$ *where the model is*.
# Missing a hump costs little: on its own hump $p$ is nearly its share times
# $q$, so the divergence is nearly $-\ln0.6$ or $-\ln0.4$. From most of our starts $q$ **seeks** one hump. Chapter 06
# minimises such a reverse one.

# %% [markdown]
# ## 5 · Overfitting is a gap between two averages
#
# Fit $\hat\theta$ on $n$ draws from $p$, the **training** data, and average the loss twice.
#
# - On the training data no parameters do better than $\hat\theta$, the true ones included (suppose that the model
#   contains them and that a best fit exists). The true parameters cost $H(p)$ on average. So the training loss of
#   $\hat\theta$ is **on average at most** $H(p)$.
# - On **held-out** data, fresh draws, it is on average $H(p)+\mathrm{KL}(p\|q_{\hat\theta})$: **at least** $H(p)$.
#
# For real data nobody knows $H(p)$: fit on one part, **judge on an unused one**.
#
# An example: $\hat\theta$ is the mean $m$ of $n$ points with $d$ coordinates of variance 1, the loss $\frac12\|x-m\|^2$ and a
# constant. A fresh coordinate less $m$ has variance $1+\frac1n$. A training point is part of $m$: in
# $x_i-m=(1-\frac1n)x_i-\frac1n\sum_{j\ne i}x_j$ each coordinate has variance $(1-\frac1n)^2+\frac{n-1}{n^2}=1-\frac1n$. Hence
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
# ## What stays
#
# - A mean of $n$ draws has the error $s/\sqrt n$ ([*2,000 means spread as equation (1.1) says*](#1-·-Averages,-exact-and-by-chance)).
#   Rare large values make its own estimate of it too small ([*for e^(2x²/5), of infinite variance*](#1-·-Averages,-exact-and-by-chance)).
# - For discrete data likelihood, cross-entropy and KL(shares‖model) are one aim
#   ([*is entropy plus KL*](#2-·-Maximum-likelihood)), its floor the entropy
#   ([*the shares themselves cost the entropy*](#2-·-Maximum-likelihood)).
# - Bits are lengths of code words: the best code for blocks of $n$ takes at least $H$ and less than $H+1/n$ a symbol
#   ([*blocks of n symbols*](#3-·-Bits)), and a wrong model wastes the KL, exactly for powers of ½
#   ([*the code for q wastes*](#3-·-Bits)).
# - One Gaussian covers two humps by forward KL ([*forward, from five starts*](#When-the-model-is-too-small)), by
#   reverse, from starts on either side, it takes one ([*reverse, from starts on either side*](#When-the-model-is-too-small)).
# - Fitting a mean puts the training loss on average below the entropy, held-out above
#   ([*on average training is below*](#5-·-Overfitting-is-a-gap-between-two-averages)).

# %% tags=["nbval-ignore-output"]
progress("01_likelihood")

# %% [markdown]
# **Open questions.** How many bits a character does English need? A density may exceed 1: what does a
# *negative* cross-entropy mean?
#
# **References.** Shannon 1948, *A mathematical theory of communication*: sections 6 to 9. Huffman 1952, *A method for
# the construction of minimum-redundancy codes*. Cover and Thomas 2006, *Elements of information theory*: chapter 5.
# Kullback and Leibler 1951, *On information and sufficiency*: section 2. MacKay 2003, *Information
# theory, inference, and learning algorithms*: chapters 2, 5, 29, 33.
