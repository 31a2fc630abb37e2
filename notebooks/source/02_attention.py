# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Attention
#
# **How can a position take what it needs from the others?**
#
# *The king wore his crown.* To know whose crown it is, the last word has to find the second. No distance is
# fixed in advance, and next time the word it needs stands elsewhere. This chapter builds the operation that
# finds it, from a dictionary look-up to a model that learns from Shakespeare where to look.

# %%
import torch

from course_lib.chapters.ch02_attention.figures import attention_stages
from course_lib.classroom import figures
from course_lib.classroom.figures import show

tokens = ["the", "king", "wore", "his", "crown"]
promise = torch.tensor([[0.18, 0.22, 0.19, 0.20, 0.20], [0.12, 0.14, 0.15, 0.13, 0.46],
                        [0.15, 0.28, 0.17, 0.22, 0.19], [0.15, 0.18, 0.17, 0.17, 0.34],
                        [0.04, 0.66, 0.05, 0.20, 0.05]])
fig, ((ax,),) = figures.new(width=6, height=3.2)
figures.matrix(ax, promise, tokens, tokens, "attention weights")
figures.title(ax, "‘crown’ takes 0.66 of what it needs from ‘king’")
show(fig, alt="Five words ask (rows) and are asked (columns): the row of ‘crown’ gives 0.66 "
              "of its weight to ‘king’.")

# %% [markdown]
# You will make every number of this table yourself. Afterwards you can
#
# - write attention for any shape and mask, and follow its backward pass to the last factor;
# - say why scores are divided by $\sqrt{d_k}$, and what goes wrong otherwise;
# - test that a layer cannot see the future;
# - train an attention model and read, with due care, what its heads look at.

# %% [markdown]
# **Needs** Python, derivatives, matrices, expectations; PyTorch's tensors and broadcasting, and that an `nn.Linear`
# multiplies by a matrix it will learn. **Time** 60 minutes to read, 75 for the exercises; the cells take about a
# minute on a CPU.
#
# A line `✓ …` is a claim that was just computed here. Below `@exercise` you write; until you do, the course's own
# function serves.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | what the positions carry | (T, C) |
# | $q$ | queries | (T, d_k) |
# | $k, v$ | keys, values | (S, d_k), (S, d_v) |
# | $s, p$ | scores, and the weights that the softmax makes of them | (T, S) |
# | $J$ | the softmax's Jacobian, for one query | (S, S) |
# | $W_q, W_k, W_v, W_o$ | matrices that make q, k, v, and mix the heads | (C, d_k) … |
# | $T, S$ | positions that ask, that are asked; T = S in self-attention | |
# | $B, H, d$ | sequences in a batch, heads, numbers of one head | |

# %% tags=["nbval-ignore-output"]
import math

from torch import nn
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.records import recorded
from course_lib.datasets.text import load_shakespeare, random_windows
from course_lib.training.runtime import start

run = start(seed=0, threads=1)  # these models are too small to share between cores
f64 = torch.float64  # double precision, so that equalities can be checked to the last digits

# %% [markdown]
# ## 1 · From a dictionary to a soft look-up
#
# A dictionary compares a query with every key and hands back the value of the one that is equal. Words are never
# quite equal. So give each word numbers: a **key** says what it is, a **value** what it gives, and a **query**
# asks. Here the key's two numbers say *how much of a person* and *how much of a thing*; the value's say *person*
# and *royal*. ‘crown’, being a thing, asks for a person.

# %%
k = torch.tensor([[0.1, 0.1], [1.5, 0.1], [0.2, 0.3], [0.9, 0.1], [0.1, 1.4]], dtype=f64)
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=f64)
crown = torch.tensor([2.8, 0.1], dtype=f64)  # the query of 'crown': a person, please

scores = [sum(crown[i].item() * key[i].item() for i in range(2)) for key in k]
best = max(range(5), key=lambda j: scores[j])
print("scores:", [f"{word} {score:.2f}" for word, score in zip(tokens, scores, strict=True)])
print("the hard look-up returns the value of", tokens[best], v[best].tolist())

# %% [markdown]
# The score is a **dot product**: large where query and key are large together. Taking the best alone has a flaw
# for learning: nudge the query a little and the answer does not move, so no derivative tells it where to go.
#
# A **soft** look-up returns a bit of every value. Exponentials make the shares positive, their sum makes them
# add up to 1:
#
# $$p_j = \frac{e^{s_j}}{\sum_i e^{s_i}}, \qquad \text{output} = \sum_j p_j v_j .$$
#
# This $p = \operatorname{softmax}(s)$ is a set of weights: 5 numbers, one a key. We divide the scores by $\sqrt 2$ first;
# section 3 says why.

# %%
shares = [math.exp(score / math.sqrt(2)) for score in scores]
weights = [share / sum(shares) for share in shares]
output = [sum(weights[j] * v[j, i].item() for j in range(5)) for i in range(2)]

print("weights:", [f"{word} {p:.2f}" for word, p in zip(tokens, weights, strict=True)])
print("'crown' now carries: person", f"{output[0]:.2f}, royal {output[1]:.2f}")
claim("the row of 'crown' in the first figure is this soft look-up",
      all(abs(weights[j] - promise[4, j].item()) < 0.006 for j in range(5)))

# %% [markdown]
# ### Where it comes from: smoothing
#
# Statisticians did this in 1964. To estimate a curve at a new place $q$ from noisy pairs $(k_j, v_j)$, Nadaraya
# and Watson average the $v_j$, each weighted by how near $k_j$ is:
#
# $$\hat v(q) = \sum_j \frac{\kappa(q - k_j)}{\sum_i \kappa(q - k_i)}\, v_j, \qquad \kappa(u) = e^{-u^2/2h^2}.$$
#
# With a Gaussian $\kappa$ this *is* a softmax, of the scores $-(q-k_j)^2/2h^2$.
#
# **Predict:** what does the curve become as the width $h$ grows without end? As it shrinks to zero?

# %%
generator = torch.Generator().manual_seed(2)
places = torch.linspace(0, 6, 40, dtype=f64)  # keys
noisy = torch.sin(places) + 0.3 * torch.randn(40, dtype=f64, generator=generator)  # values
asked = torch.linspace(0, 6, 200, dtype=f64)  # queries


def smooth(width):
    return (-((asked[:, None] - places) ** 2) / (2 * width**2)).softmax(dim=-1) @ noisy


truth = torch.sin(asked)
error = {width: (smooth(width) - truth).square().mean().item() for width in (0.02, 0.4, 20.0)}
claim("a width of 0.4 is nearer to the true curve than 0.02 and than 20",
      error[0.4] < min(error[0.02], error[20.0]) / 3, mean_squared_errors=list(error.values()))

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=2.9)
findings = ("follows the noise", "finds the curve", "is a plain average")
for ax, width, found in zip(axes, error, findings, strict=True):
    ax.scatter(*figures.values([places, noisy]), s=14, color=figures.BLUE)
    figures.line(ax, asked, truth, figures.MUTE)
    figures.line(ax, asked, smooth(width), figures.ORANGE)
    figures.title(ax, f"h = {width:g} {found}")
    ax.set(xlabel="key, query", ylim=(-2, 2))
axes[0].set_ylabel("value")
axes[0].text(0, -1.9, "● data   – – truth   — look-up", fontsize=9)
show(fig, alt="Soft look-ups in 40 noisy points: width 0.02 follows the noise, 0.4 finds the sine, "
              "20 is the plain average.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# As $h \to \infty$ all scores become 0 and all weights equal: the average of everything. As $h \to 0$ the nearest
# key takes all: the hard look-up is back. The width decides how hard the softmax chooses; in attention
# $\sqrt{d_k}$ plays the part of $h^2$.
# </details>
#
# For keys of one length, dot products do the same. Multiply out $-\|q-k_j\|^2/2 = q\cdot k_j - \|q\|^2/2 - \|k_j\|^2/2$.
# The middle term is the same for every key. If the keys are equally long, so is the last. What is left is
# $q\cdot k_j$ plus a constant, and the softmax does not notice a constant. (A longer key gets extra weight.)

# %%
generator = torch.Generator().manual_seed(3)
keys = F.normalize(torch.randn(7, 5, dtype=f64, generator=generator), dim=-1)  # length 1
query = torch.randn(5, dtype=f64, generator=generator)
by_distance = (-(query - keys).square().sum(-1) / 2).softmax(-1)
by_dot_product = (keys @ query).softmax(-1)
claim("for keys of one length, smoothing by distance and by dot product give the same weights",
      torch.allclose(by_distance, by_dot_product, rtol=1e-12, atol=0))

# %% [markdown]
# ## 2 · The softmax and its derivative
#
# Two properties. **Shift:** $\operatorname{softmax}(s + c) = \operatorname{softmax}(s)$, because $e^c$ cancels.
# **Scale:** multiplying $s$ by a large factor makes it hard, by a small one flat; it is *not* invariant.

# %%
s = torch.tensor([0.5, 2.0, -1.0, 1.2], dtype=f64)
claim("adding 100 to every score changes no weight",
      torch.allclose((s + 100).softmax(-1), s.softmax(-1), rtol=1e-12))
for factor in (0, 1, 10):
    print(f"softmax({factor:>2} s) =", [f"{p:.3f}" for p in (factor * s).softmax(-1)])

# %% [markdown]
# For learning we need $\partial p_j / \partial s_i$. Write $p_j = e^{s_j}/Z$ with $Z = \sum_i e^{s_i}$, so that
# $\partial Z/\partial s_i = e^{s_i}$. Then
#
# $$\frac{\partial p_j}{\partial s_i} = \frac{\delta_{ij} e^{s_j}}{Z} - \frac{e^{s_j} e^{s_i}}{Z^2}
#   = \delta_{ij}\, p_j - p_j p_i,$$
#
# where $\delta_{ij}$ is 1 if $i = j$ and 0 otherwise. As a matrix: $J = \operatorname{diag}(p) - p\,p^\top$. Raising one
# score raises its weight and lowers all others.

# %%
p_s = s.softmax(-1)
jacobian = torch.diag(p_s) - torch.outer(p_s, p_s)
by_autograd = torch.autograd.functional.jacobian(lambda s: s.softmax(-1), s)
claim("diag(p) − p pᵀ is what autograd finds",
      torch.allclose(jacobian, by_autograd, rtol=1e-12, atol=1e-15))
claim("rows sum to zero: a shift does nothing; columns too: weight is only moved about",
      max(jacobian.sum(0).abs().max(), jacobian.sum(1).abs().max()) < 1e-15)

# %% [markdown]
# ### Exercise: the Jacobian times a vector
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# Nobody builds $J$: for 1,000 keys it has a million entries. Multiply it with a vector $u$ on paper, then write
# what is left. `hint("attention.softmax_jvp")` helps, in steps.

# %% tags=["nbval-ignore-output"]
@exercise("attention.softmax_jvp")
def softmax_jvp(weights, direction):
    """Return (diag(p) - p pᵀ) u for p = weights, u = direction, both (..., key).

    Worked value: p = [0.5, 0.5], u = [1, 0] gives [0.25, -0.25].
    """
    # 1. multiply out (diag(p) - p pᵀ) u on paper: no matrix is needed
    # 2. the sum runs over the last axis alone; keep that axis
    ...

# %%
u = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=f64)
claim("without the matrix, the same product",
      torch.allclose(softmax_jvp(p_s, u), jacobian @ u, rtol=1e-10, atol=1e-12))

# %% [markdown]
# ## 3 · Why divide by √d
#
# Take queries and keys whose $d_k$ entries are independent, with mean 0 and variance 1.
#
# **Predict** the variance of $q\cdot k$ for $d_k = 64$: put your number in place of the dots.

# %% tags=["nbval-ignore-output"]
answer("attention.variance_prediction", ...)

# %% [markdown]
# Step by step. One product: $\mathrm{E}[q_i k_i] = \mathrm{E}[q_i]\,\mathrm{E}[k_i] = 0$, since they are independent.
# Its variance: $\mathrm{E}[q_i^2 k_i^2] - 0^2 = \mathrm{E}[q_i^2]\,\mathrm{E}[k_i^2] = 1$. The $d_k$ products are
# independent of each other, so their variances add: $\operatorname{Var}(q\cdot k) = d_k$. The typical score is
# $\sqrt{d_k}$ away from 0, and $q\cdot k/\sqrt{d_k}$ has variance 1 whatever $d_k$ is.

# %%
n_pairs = 20_000
generator = torch.Generator().manual_seed(4)
q_random, k_random = torch.randn(2, n_pairs, 64, dtype=f64, generator=generator)
dots = (q_random * k_random).sum(-1)
squares = (dots - dots.mean()).square()
variance, standard_error = squares.mean().item(), squares.std().item() / math.sqrt(n_pairs)
claim("the variance of q·k at d_k = 64 is 64, within 5 standard errors of the estimate",
      abs(variance - 64) < 5 * standard_error, variance=variance, standard_error=standard_error)
claim("and that estimate could tell 64 from 60", 5 * standard_error < 4)

# %% [markdown]
# ### Exercise: the same without the comfortable means
# *difficulty 3/5 · importance 3/5 · 15 minutes*
#
# Queries and keys may have means that are not 0. Derive the general variance.

# %% tags=["nbval-ignore-output"]
@exercise("attention.dot_product_variance")
def dot_product_variance(d, mean_q, var_q, mean_k, var_k):
    """Return Var(q·k) for d independent entries of q and of k with these means and variances.

    Worked value: d = 2, means 0, variances 1 and 3 give 6.
    """
    # 1. Var(ab) = E[a²b²] - (E[ab])² for one pair of entries a, b
    # 2. E[a²] = var + mean², and expectations of independent factors multiply
    # 3. d such pairs
    ...

# %%
shifted = ((q_random + 0.5) * (k_random - 1)).sum(-1)  # means 0.5 and −1, variances 1
deviations = (shifted - shifted.mean()).square()
expected = dot_product_variance(64, 0.5, 1.0, -1.0, 1.0)
claim("with means 0.5 and −1 the variance is 2.25 d_k",
      abs(expected - 144) < 1e-3
      and abs(deviations.mean() - expected) < 5 * deviations.std() / math.sqrt(n_pairs))

# %% [markdown]
# Of these $2.25\, d_k$ the softmax feels $1.25\, d_k$. The rest, $d_k\, \mathrm{E}[k]^2 \operatorname{Var}(q)$, is the spread of
# $\sum_i q_i\, \mathrm{E}[k]$, which is the same for every key of one query: a shift.
#
# ### What a large spread does
#
# The gradient reaches the scores through $J = \operatorname{diag}(p) - p\,p^\top$. When one weight is near 1 and the rest
# near 0, every entry of $J$ is near 0. Its size, the root of the sum of its squares: the diagonal gives
# $(p_i - p_i^2)^2$, the rest $p_i^2 p_j^2$, together $\sum p_i^2 - 2\sum p_i^3 + (\sum p_i^2)^2$. We measure it for 2,000 random
# queries with 16 keys each.
#
# **Predict:** from $d_k = 4$ to $1{,}024$, does the typical size without the scale fall by 4, by 16, or by more than 1,000?

# %%
def size_of_jacobian(weights):
    """Return the root of the sum of squares of diag(p) − p pᵀ, without the matrix."""
    squares = weights.square().sum(-1)
    return (squares - 2 * (weights**3).sum(-1) + squares**2).clamp(min=0).sqrt()


sizes, with_scale, without, variances = [4, 16, 64, 256, 1024], [], [], []
generator = torch.Generator().manual_seed(5)
for d_k in sizes:
    one, many = (torch.randn(2000, n, d_k, dtype=f64, generator=generator) for n in (1, 16))
    raw = (one * many).sum(-1)
    with_scale.append(size_of_jacobian((raw / math.sqrt(d_k)).softmax(-1)))
    without.append(size_of_jacobian(raw.softmax(-1)))
    per_query = (raw**2 / d_k).mean(-1)  # an estimate of the scaled score's variance from each query
    variances.append((per_query.mean().item(), per_query.std().item() / math.sqrt(2000)))

# %%
medians = [[sample.median().item() for sample in samples] for samples in (with_scale, without)]
means = [sample.mean().item() for sample in without]
alive = [(sample > 0.1).double().mean().item() for sample in without]
claim("scaled scores have variance 1 at every d_k, within 5 standard errors",
      all(abs(v - 1) < 5 * error for v, error in variances), variances=[v for v, _ in variances])
claim("scaled, the median size of J stays within a tenth of 0.3",
      all(abs(median - 0.3) < 0.03 for median in medians[0]), medians=medians[0])
claim("unscaled, the median falls by more than ten thousand from d_k = 4 to 1,024",
      medians[1][0] / medians[1][-1] > 1e4, factor=medians[1][0] / medians[1][-1])
claim("but the mean falls by less than ten, and at d_k = 64 nearly half are still above 0.1",
      means[0] / means[-1] < 10 and alive[2] > 0.45, means=means, share_above_a_tenth=alive)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.8)
figures.line(ax, sizes, medians[0], figures.TEAL, "scaled, median", marker="o")
figures.line(ax, sizes, means, figures.ORANGE, "unscaled, mean", dashed=True, marker="^")
figures.line(ax, sizes, medians[1], figures.BERRY, "unscaled, median", marker="s")
ax.set(xscale="log", yscale="log", xlim=(3, 9000), ylim=(1e-6, 3),
       xlabel="d_k (numbers in a query)", ylabel="size of the softmax's Jacobian")
figures.title(ax, "At d_k = 1,024, unscaled, most pass almost no gradient")
show(fig, alt="Size of the softmax's Jacobian against d_k, log scales: level near 0.3 when scaled; "
              "unscaled, the median falls below a ten-thousandth while the mean stays above 0.03.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The median falls by more than 1,000, the mean by less than 10. Vaswani et al. write that large scores push the softmax ‘into
# regions where it has extremely small gradients’. At large $d_k$, for *most* queries, yes; those whose two best scores lie
# close together keep theirs, and hold up the mean. And the gradient for $q$ is $J$ times the keys, whose length grows
# as $\sqrt{d_k}$. So models without the scale still learn: worse, with one head of 64 (section 8).
# </details>
#
# ## 4 · Attention
#
# In the formula of Vaswani et al. (2017) all queries ask at once:
#
# $$\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\Big(\frac{Q K^\top}{\sqrt{d_k}}\Big) V,
#   \qquad Q\,(T, d_k),\; K\,(S, d_k),\; V\,(S, d_v).$$
#
# In **self-attention** queries, keys and values come from the same positions $x$, by three matrices. Ours were
# made so: $x$ says *person, thing, royal*; $W_q$ lets things ask for persons and persons for things.

# %%
x = torch.tensor([[0.1, 0.1, 0.0], [1.5, 0.1, 1.2], [0.2, 0.3, 0.1], [0.9, 0.1, 0.1],
                  [0.1, 1.4, 1.0]], dtype=f64)
W_q = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]], dtype=f64)
W_k = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], dtype=f64)
W_v = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], dtype=f64)

q = x @ W_q  # (5, 2)
claim("these are the keys, the values and the query of section 1",
      torch.equal(x @ W_k, k) and torch.equal(x @ W_v, v) and torch.equal(q[4], crown))

# %%
rows = []
for i in range(5):  # the loop: every position asks
    row = torch.tensor([math.exp(q[i] @ k[j] / math.sqrt(2)) for j in range(5)], dtype=f64)
    rows.append(row / row.sum())
at_once = (q @ k.T / math.sqrt(2)).softmax(dim=-1)  # the matrix
claim("loop and matrix agree", torch.allclose(torch.stack(rows), at_once, rtol=1e-12))
claim("this is the table of the first figure", (at_once - promise).abs().max() < 0.006)

# %% [markdown]
# ### Masks
#
# Some keys must not be seen: padding, or the future when the task is to predict it. A **mask** is a table of
# booleans, True = may attend. A forbidden score becomes $-\infty$ *before* the softmax, so that its weight is
# $e^{-\infty} = 0$ and the rest still sum to 1. The **causal** mask allows $j \le i$. (A query that may attend to nothing
# would give 0/0; the library returns 0 for it.)

# %%
mask = torch.ones(5, 5, dtype=torch.bool).tril()
scaled = q @ k.T / math.sqrt(2)
causal = scaled.masked_fill(~mask, -torch.inf).softmax(-1)
titles = ("Every pair is scored,", "the future is struck out,", "the rest shares 1")
fig = attention_stages(q @ k.T, scaled, causal, mask, tokens, titles)
show(fig, alt="Three stages of causal attention on five words: scores of every pair, scaled with the "
              "future struck out, weights in rows that sum to 1.")

# %% [markdown]
# ### Exercise: attention
# *difficulty 3/5 · importance 5/5 · 20 minutes*
#
# Now for any number of leading axes and any mask that broadcasts. PyTorch's `F.scaled_dot_product_attention` does
# this without storing the weights; ours returns them, to look at.

# %% tags=["nbval-ignore-output"]
@exercise("attention.scaled_dot_product")
def scaled_dot_product_attention(q, k, v, mask=None):
    """Return (output, weights): output (..., query, d_value), weights (..., query, key).

    q (..., query, d_head), k (..., key, d_head), v (..., key, d_value);
    mask broadcasts to (..., query, key), boolean, True = may attend.
    Worked value: q = [[1.]], k = [[1.], [0.]] give weights [[e/(1+e), 1/(1+e)]].
    """
    # 1. scores: every query with every key, divided by the square root of d_head
    # 2. where the mask is False, a score that the softmax turns into 0
    # 3. softmax over the keys, then the weighted sum of the values
    ...

# %%
out, weights = scaled_dot_product_attention(q, k, v, mask)
claim("it gives the causal table above", torch.allclose(weights, causal, rtol=1e-12))
claim("and PyTorch's own function gives its output",
      torch.allclose(out, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), rtol=1e-10))
outside = torch.tensor([[2.0, 0.0], [0.0, 2.0]], dtype=f64)
answers, _ = scaled_dot_product_attention(outside, k, v)
print("cross-attention: two questions from outside,", tuple(answers.shape), "answers")

# %% [markdown]
# The last lines are **cross-attention**: queries from one sequence, keys and values from another. Translation and
# text-to-image models use it; nothing else changes.
#
# ### Exercise: can it see the future?
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# A model that peeks at what it should predict gets a splendid loss and is worthless. Weights alone do not prove
# innocence, so test the *output*: change the future, and see whether the past moves. Such a test can convict, not
# prove; yours must pass honest layers and catch the leaks that are planted.

# %% tags=["nbval-ignore-output"]
@exercise("attention.is_causal")
def is_causal(attend, x):
    """Return True if row t of attend(x) depends on x[: t + 1] alone, for every t; else False.

    attend maps (time, d_in) to (time, d_out); x (time, d_in) is an input to try it on.
    Worked value: attend = lambda x: x.flip(0) gives False.
    """
    # 1. for every t but the last: a copy of x with all rows after t changed, by a lot
    #    (change rows, do not cut them off: a layer may need all positions)
    # 2. rows 0 … t of the output must be what they were, up to rounding
    ...

# %%
def causal_layer(x):
    return scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v, mask)[0]


def masked_too_late(x):
    _, weights = scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v)
    return (weights * mask) @ (x @ W_v)  # weights above the diagonal are 0 here as well


claim("with the causal mask, no dependence on a later position is found", is_causal(causal_layer, x))
claim("masking after the softmax leaks: its denominator has seen the future",
      not is_causal(masked_too_late, x))

# %% [markdown]
# ### Order is lost
#
# **Predict:** shuffle the five words. What happens to the output of attention without a mask?
#
# Let $P$ be a permutation matrix, so that $Px$ is the shuffled sentence. Queries, keys and values become $PQ$,
# $PK$, $PV$, and the scores $P Q K^\top P^\top$: rows and columns shuffled alike. The softmax works within rows,
# so the weights become $P\,p\,P^\top$, and the output $P\,p\,P^\top P V = P\,(pV)$, since $P^\top P$ is the identity.

# %%
order = torch.tensor([3, 0, 4, 1, 2])
free_layer = lambda x: scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v)[0]
claim("shuffled in, shuffled out: no word's result changes",
      torch.allclose(free_layer(x[order]), free_layer(x)[order], rtol=1e-12))
moved = (causal_layer(x[order]) - causal_layer(x)[order]).abs().max().item()
claim("under a causal mask results change, by more than 0.1", 0.1 < moved < 10, largest_change=moved)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Every word gets the output it had before, in its new place. ‘The king wore his crown’ and ‘his crown wore the
# king’ are the same set of words to attention. Without a mask a model must be told the order; a causal mask alone
# tells it something (how much came before). We add a vector for each position to $x$. Chapter 03 does it better.
# </details>

# %% [markdown]
# ## 5 · Several heads
#
# One softmax is one set of weights. A word may need several things: whose, when, how. So cut the width $C$ into $H$
# **heads** of $d = C/H$ numbers, let each attend for itself, put the results side by side, and let a last matrix
# $W_o$ mix them.
#
# A head's score of $x_i$ and $x_j$ is $x_i W_q W_k^\top x_j^\top / \sqrt d$: a $C \times C$ matrix between the two, of rank at
# most $d$, stored as two thin factors. Many small questions instead of one large, for as many multiplications.

# %%
T, C, H = 5, 12, 3
generator = torch.Generator().manual_seed(6)
hidden = torch.randn(2, T, C, dtype=f64, generator=generator)  # (B, T, C)
M_q, M_k, M_v, M_o = torch.randn(4, C, C, dtype=f64, generator=generator) / math.sqrt(C)

heads = []
for h in range(H):
    part = slice(h * C // H, (h + 1) * C // H)
    head = [hidden @ W[:, part] for W in (M_q, M_k, M_v)]
    heads.append(scaled_dot_product_attention(*head)[0])
looped = torch.cat(heads, dim=-1) @ M_o
claim("head 0's matrix between two words, 12 × 12, has rank 4",
      torch.linalg.matrix_rank(M_q[:, :4] @ M_k[:, :4].T) == 4)

# %% [markdown]
# ### Exercise: all heads at once
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# The loop can go: multiply by the whole matrices, then make the heads an axis. The right shape is easy; the right
# numbers in it are the point.

# %% tags=["nbval-ignore-output"]
@exercise("attention.split_heads")
def split_heads(x, n_heads):
    """Return (batch, heads, time, d_head) for x (batch, time, d_model = heads · d_head).

    Head h gets the features h · d_head … (h + 1) · d_head - 1 of every position.
    Worked value: x = [[[1, 2, 3, 4]]], 2 heads give [[[[1, 2]], [[3, 4]]]].
    """
    # 1. cut the last axis into (heads, d_head): reshape
    # 2. move the heads in front of the time: transpose
    ...

# %% tags=["nbval-ignore-output"]
@exercise("attention.join_heads")
def join_heads(x):
    """Undo split_heads: (batch, heads, time, d_head) becomes (batch, time, heads · d_head)."""
    # the two steps of split_heads, backwards
    ...

# %%
q4, k4, v4 = (split_heads(hidden @ W, H) for W in (M_q, M_k, M_v))  # (B, H, T, d)
together = join_heads(scaled_dot_product_attention(q4, k4, v4)[0]) @ M_o
claim("one reshape does what the loop did",
      torch.allclose(together, looped, rtol=1e-10, atol=1e-12))

# %% [markdown]
# You have now built what the library holds. From here on we import it: `MultiHeadAttention` is these lines with the
# four matrices as layers. Its `forward` uses PyTorch's fused kernel, its `attend` returns the weights as well.

# %%
from course_lib.attention import multi_head
from course_lib.attention.dot_product import fast_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention

layer = MultiHeadAttention(C, H).double()
linears = (layer.query, layer.key, layer.value, layer.output)
for linear, W in zip(linears, (M_q, M_k, M_v, M_o), strict=True):
    linear.weight.data = W.T.clone()  # nn.Linear multiplies by the transpose
claim("the class is the same function",
      torch.allclose(layer(hidden), looped, rtol=1e-10, atol=1e-12))
claim("with its weights returned or not",
      torch.allclose(layer.attend(hidden)[0], layer(hidden), rtol=1e-10, atol=1e-12))

# %% [markdown]
# ## 6 · The backward pass by hand
#
# Training needs the gradients of a loss $L$. Given $G = \partial L/\partial O$, shape $(T, d_v)$, go back through
# $O = pV$, $p = \operatorname{softmax}(s)$, $s = QK^\top/\sqrt{d_k}$. Write the first with indices: from
# $O_{ic} = \sum_j p_{ij} V_{jc}$ follow $\partial L/\partial V_{jc} = \sum_i p_{ij} G_{ic}$ and $\partial L/\partial p_{ij} = \sum_c G_{ic} V_{jc}$.
# The scores go the same way:
#
# $$\frac{\partial L}{\partial V} = p^\top G, \quad
#   \frac{\partial L}{\partial p} = G V^\top, \quad
#   \frac{\partial L}{\partial s_i} = J_i \frac{\partial L}{\partial p_i}, \quad
#   \frac{\partial L}{\partial Q} = \frac{\partial L}{\partial s}\frac{K}{\sqrt{d_k}}, \quad
#   \frac{\partial L}{\partial K} = \Big(\frac{\partial L}{\partial s}\Big)^{\!\top}\!\frac{Q}{\sqrt{d_k}}.$$
#
# $J_i$ is row $i$'s softmax Jacobian; being symmetric it needs no transpose, so your `softmax_jvp` is the step. Where the
# mask forbids, $p_{ij} = 0$, and so is the score's gradient.

# %%
Q, K, V = (t.clone().requires_grad_() for t in (q, k, v))
G = torch.tensor([[1.0, -1.0], [0.5, 2.0], [-1.5, 0.3], [2.0, 1.0], [0.7, -0.4]], dtype=f64)
O, P = scaled_dot_product_attention(Q, K, V, mask)
wanted = torch.autograd.grad((O * G).sum(), (Q, K, V))
with torch.no_grad():
    dV = P.T @ G
    ds = softmax_jvp(P, G @ V.T)
    dQ, dK = ds @ K / math.sqrt(2), ds.T @ Q / math.sqrt(2)
gap = max((a - b).abs().max().item() for a, b in zip((dQ, dK, dV), wanted, strict=True))
claim("four lines by hand are autograd's gradients, to 1e-12", gap < 1e-12, largest_difference=gap)

# %% [markdown]
# ## 7 · Real text
#
# Now let a model find its own queries and keys. The task: Shakespeare's plays, a million characters, predict each
# next one. The measure is the **cross-entropy**: the mean of $-\log_2$ of the probability that the model gave to
# the character that came, in bits. There are 65 characters, so who knows nothing needs $\log_2 65$. Honest rivals count
# how often each character occurs, follows the one before, the two before, with 1 added to each count; and, with
# 0.01 added, follows the four before.

# %%
text = load_shakespeare()
n_symbols = len(text.vocabulary)


def times_seen(known, asked):
    """Return how often each asked number occurs among the known ones."""
    keys, counts = known.unique(return_counts=True)
    place = torch.searchsorted(keys, asked).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == asked, counts[place], 0).double()


def counting(order, extra=1):
    """Return held-out bits of counting order characters in a row, with extra added to each count."""
    powers = n_symbols ** torch.arange(order - 1, -1, -1)
    known, asked = ((t.unfold(0, order, 1) * powers).sum(-1) for t in (text.train, text.validation))
    runs, contexts = (times_seen(known // n, asked // n) for n in (1, n_symbols))
    return -((runs + extra) / (contexts + n_symbols * extra)).log2().mean().item()


rivals = {"uniform": math.log2(n_symbols), "single counts": counting(1), "pair counts": counting(2),
          "triple counts": counting(3), "counts of five": counting(5, extra=0.01)}
print("bits per character:", ", ".join(f"{name} {bits:.2f}" for name, bits in rivals.items()))

# %% [markdown]
# The model is two layers of attention between two tables: a vector says which character stands at a position, one
# is added that says which position it is, each layer *adds* what its four heads found, and a last matrix turns the
# result into 65 scores (`logits`), whose softmax are the probabilities. `layer.project` gives $q, k, v$, heads split.

# %%
class AttentionOnly(nn.Module):
    def __init__(self, vocab, mix=fast_attention, context=32, d_model=64, n_heads=4):
        super().__init__()
        self.token = nn.Embedding(vocab, d_model)
        self.position = nn.Parameter(torch.randn(context, d_model) / 2)
        self.layers = nn.ModuleList(MultiHeadAttention(d_model, n_heads) for _ in range(2))
        self.readout = nn.Linear(d_model, vocab)
        self.mix = mix  # the library's: we train for more than a second
        nn.init.normal_(self.token.weight, std=0.5)

    def forward(self, tokens):
        x = self.token(tokens) + self.position[: tokens.shape[1]]  # (B, T, C)
        mask = causal_mask(tokens.shape[1], device=x.device)
        for layer in self.layers:
            found = self.mix(*layer.project(x), mask)  # (B, H, T, d)
            x = x + layer.output(multi_head.join_heads(found))
        return self.readout(x)  # logits (B, T, 65)


# %% [markdown]
# Training repeats: draw windows, predict, measure, differentiate, step. The optimizer Adam divides each gradient,
# averaged over recent steps, by its recent size. The rate rises for 20 steps, then falls to 0.

# %%
def train(model, steps, seed, batch=32, rate=1e-2):
    """Return the losses in bits, one a step."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.99))
    rise_and_fall = lambda i: min(1, (i + 1) / 20) * (1 - i / steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rise_and_fall)
    losses, train_tokens = [], text.train.to(run.device)
    for _ in range(steps):
        inputs, targets = random_windows(train_tokens, batch, 32, generator)
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu() / math.log(2)

# %%
@torch.no_grad()
def held_out_bits(model, context=32):
    """Return the cross-entropy on the validation text, cut into windows without overlap."""
    n = (len(text.validation) - 1) // context * context
    inputs, targets = (text.validation[i : i + n].view(-1, context) for i in (0, 1))
    nats = 0.0
    for i, t in zip(inputs.split(256), targets.split(256), strict=True):
        logits = model(i.to(run.device)).flatten(0, 1)
        nats += F.cross_entropy(logits, t.flatten().to(run.device), reduction="sum").item()
    return nats / n / math.log(2)


def experiment(steps, seed, mix=fast_attention, n_heads=4):
    torch.manual_seed(seed)
    model = AttentionOnly(n_symbols, mix, n_heads=n_heads).to(run.device)
    return model, train(model, steps, seed)

# %% tags=["nbval-ignore-output"]
steps = 1500
print("a training takes about 20 s on one CPU core")
live_seeds = run.pick(quick=[5], full=list(range(5, 10)))  # the record below holds 0 … 4
run.expect("one training for each of five seeds", minutes=2)
runs = [experiment(steps, seed) for seed in live_seeds]
model, losses = runs[0]
live_bits = [held_out_bits(trained) for trained, _ in runs]
bits = live_bits[0]
print(f"bits per character on held-out text: {bits:.3f}")

# %%
with torch.no_grad():
    early = text.validation[None, :32].to(run.device)
    late = early.clone()
    late[:, 16:] = (late[:, 16:] + 7) % n_symbols  # another future
    gap = (model(early) - model(late)).abs().amax(-1)[0]
claim("the trained model does not see the future: changing it moves no earlier logit, all later ones",
      gap[:16].max() < 1e-4 and gap[16:].min() > 1e-2)
record = recorded("attention_only")
spread = record.each("bits")
room = max(spread) - min(spread)
claim("a seed that is not among the five recorded lies where they do, give or take their range",
      not set(live_seeds) & set(record.seeds)
      and all(min(spread) - room < each < max(spread) + room for each in live_bits),
      bits=live_bits, five_seeds=spread)
claim("it beats pair counts by more than half a bit, and triple counts; counts of five beat it",
      bits < rivals["pair counts"] - 0.5
      and rivals["counts of five"] + 0.1 < bits < rivals["triple counts"] - 0.1, bits=bits)

# %% tags=["nbval-ignore-output", "hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.8)
running = losses.unfold(0, 25, 1).mean(-1)
figures.line(ax, torch.arange(len(running)) + 25, running, figures.ORANGE)
ax.text(45, 5.0, "training", color=figures.TEXT[figures.ORANGE], fontsize=9.5)
ax.scatter([len(losses)], [bits], color=figures.INK, marker="D", zorder=3, s=25)
ax.text(len(losses) * 1.01, bits - 0.02, f"held-out {bits:.2f}", fontsize=9.5)
for name, y in rivals.items():
    figures.level(ax, y, f"{name} {y:.2f}")
ax.set(xlabel="training step", ylabel="bits per character", ylim=(2, 6.4))
ax.set_xlim(0, len(losses) * 1.25)
figures.title(ax, f"Two layers of attention need {bits:.2f} bits: between counts of three and of five")
show(fig, alt="Training loss in bits per character against the step, falling below uniform, single, "
              f"pair and triple counts, to {bits:.2f} on held-out text, above counts of five.")

# %% [markdown]
# ### What do the heads look at?
#
# Average each head's weights over held-out text by *distance*: how much goes to the character itself, to the one
# before, two before? **Predict:** after pair counts, what would be worth knowing first?

# %%
@torch.no_grad()
def look_inside(model, tokens):
    """Return q and k of every layer and head, (layers, B, H, T, d)."""
    x, queries, keys = model.token(tokens) + model.position[: tokens.shape[1]], [], []
    mask = causal_mask(tokens.shape[1], device=x.device)
    for layer in model.layers:
        q, k, v = layer.project(x)
        queries.append(q)
        keys.append(k)
        x = x + layer.output(multi_head.join_heads(fast_attention(q, k, v, mask)))
    return torch.stack(queries), torch.stack(keys)

# %%
@torch.no_grad()
def look_back(model):
    """Return the mean weight by distance 0 … 7, layer and head, over held-out text."""
    windows = text.validation[: 200 * 32].view(200, 32).to(run.device)
    q, k = look_inside(model, windows)
    _, p = scaled_dot_product_attention(q, k, k, causal_mask(32, device=run.device))
    return torch.stack([p.diagonal(-n, -2, -1)[..., 8:].mean((1, 3)) for n in range(8)]).cpu()


by_distance = look_back(model)
strongest, best_head = by_distance[1, 0].max().item(), int(by_distance[1, 0].argmax())
equal = causal_mask(32).double() / torch.arange(1, 33)[:, None]  # every allowed key the same
equal_share = equal.diagonal(-1)[8:].mean().item()
claim("a head of the first layer gives the previous character 0.4 or more; equal shares: under 0.1",
      strongest > 0.4 and equal_share < 0.1, weight=strongest, equal=equal_share,
      five_seeds=record.each("strongest_on_previous"))

# %% tags=["nbval-ignore-output", "hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.3)
marks = ((figures.BLUE, "o"), (figures.ORANGE, "^"), (figures.TEAL, "s"), (figures.BERRY, "D"))
for n, ax in enumerate(axes):
    for h, (colour, mark) in enumerate(marks):
        ax.plot(range(8), figures.values(by_distance[:, n, h]), color=colour, marker=mark,
                label=f"head {h}")
    ax.set(xlabel="distance looked back (characters)", ylim=(0, 1), xticks=range(8))
    ax.legend(frameon=False, fontsize=9)
    figures.title(ax, f"layer {n}: up to {by_distance[1, n].max():.2f} on the previous")
axes[0].set_ylabel("mean weight")
show(fig, alt="Mean attention weight against distance for four heads in each layer: the strongest "
              f"first-layer head gives {strongest:.2f} to the previous character.")

# %% [markdown]
# That a head *looks* there does not yet say that it *matters*. So take out each head in turn: set to 0 the columns of $W_o$
# that read it, and measure again.

# %%
from copy import deepcopy


def without_head(model, h, layer=0, d=16):
    """Return a copy of the model whose layer does not read head h."""
    copy = deepcopy(model)
    copy.layers[layer].output.weight.data[:, h * d : (h + 1) * d] = 0
    return copy


costs = [[held_out_bits(without_head(model, h, layer)) - bits for h in range(4)] for layer in (0, 1)]
cost = costs[0][best_head]
beside = sum(each for h, each in enumerate(costs[0]) if h != best_head) / 3  # fails for head 3
claim("without that head the model needs more bits than without another of its layer, on average; "
      "but 0.1 bits or more are lost without most of the eight", cost > beside > 0 and
      sum(each > 0.1 for layer in costs for each in layer) > 4,
      cost=cost, layers=costs, five_seeds=record.each("cost_of_strongest"))

# %% [markdown]
# So a price alone does not single a head out. Part of it may be the zero itself, which no training met.
#
# ### Look yourself
#
# First that head on eight characters, then an explorer of all of them.

# %% tags=["nbval-ignore-output"]
def attend(own):
    q, k = look_inside(model, text.encode(own)[None].to(run.device))
    return q[:, 0].cpu(), k[:, 0].cpu()  # (layers, H, T, d)


q8, k8 = (t[0, best_head] for t in attend("the king"))
s8, m8 = q8 @ k8.T, causal_mask(8)
_, p8 = scaled_dot_product_attention(q8, k8, k8, m8)
titles = ("Scores,", "scaled and masked,", f"{p8.diagonal(-1).mean():.2f} on the one before")
fig = attention_stages(s8, s8 / math.sqrt(16), p8, m8, list("the␣king"), titles)
show(fig, alt="One trained head on ‘the king’ in three stages: scores, scaled scores with the "
              f"future struck out, and weights, {p8.diagonal(-1).mean():.2f} on the character before.")

# %% [markdown]
# Choose the stage *scores* and **predict** from one row which weight will be largest; then open the stages. Type your own
# text (2 to 8 characters); choose a cell to see its number written out.

# %%
alt = ("Explorer of attention on your own text: scores, scaling and mask, weights, one cell written "
       "out, all heads side by side.")
try:
    from course_lib.chapters.ch02_attention.explorer import AttentionExplorer

    explorer = AttentionExplorer(attend, "to be or", layer=1, head=0, alt=alt)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %% [markdown]
# ## 8 · What breaks
#
# Three famous mistakes, each trained like the model above, for 350 steps. **Predict** for each whether the loss
# gets better, worse, or stays:
#
# - *no mask*: the mask is forgotten;
# - *no scale*: $1/\sqrt{d_k}$ is forgotten, once with four heads of 16 numbers, once with one head of 64;
# - *wrong axis*: softmax over the queries; the causal mask is kept.

# %%
def no_mask(q, k, v, mask):
    return fast_attention(q, k, v)


def no_scale(q, k, v, mask):
    return fast_attention(q * math.sqrt(q.shape[-1]), k, v, mask)


def wrong_axis(q, k, v, mask):
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-2) @ v

# %% tags=["nbval-ignore-output"]
print("six short trainings: about 20 s on one CPU core")
variants = {"honest": (fast_attention, 4), "no scale": (no_scale, 4),
            "one head": (fast_attention, 1), "one head, no scale": (no_scale, 1),
            "no mask": (no_mask, 4), "wrong axis": (wrong_axis, 4)}
broken = {name: experiment(350, live_seeds[0], mix, heads) for name, (mix, heads) in variants.items()}
final = {name: held_out_bits(trained) for name, (trained, _) in broken.items()}
print({name: round(value, 2) for name, value in final.items()})

# %%
def shows(bits):
    """Return whether these six numbers show what the claim below says."""
    leaks = max(bits["no mask"], bits["wrong axis"])
    one_head = bits["one head, no scale"] - bits["one head"]
    four_heads = bits["no scale"] - bits["honest"]
    return leaks < bits["honest"] / 2 and one_head > 0.07 and four_heads < one_head / 2


seeds = recorded("attention_breaks").values
claim("after 350 steps: no mask and wrong axis, under half of the honest model's bits; no scale, "
      "0.07 bits lost or more with one head of 64, less than half of that with four of 16",
      shows(final), **final)
claim("the same on each of five recorded seeds",
      all(shows(dict(zip(seeds, values, strict=True))) for values in zip(*seeds.values(), strict=True)))
leaky = lambda x: wrong_axis(x @ W_q, x @ W_k, x @ W_v, mask)
claim("is_causal catches the wrong axis", not is_causal(leaky, x))

# %% tags=["nbval-ignore-output", "hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.6)
shown = {"one head": figures.INK, "one head, no scale": figures.ORANGE,
         "no mask": figures.BLUE, "wrong axis": figures.BERRY}
for name, colour in shown.items():
    curve = broken[name][1].unfold(0, 25, 1).mean(-1)
    figures.line(ax, torch.arange(len(curve)) + 25, curve, colour)
    higher = 0.25 if name == "one head, no scale" else -0.1  # two of the curves end close together
    ax.text(355, curve[-1] + higher, f"{name} {curve[-1]:.2f}", color=figures.TEXT[colour], fontsize=9.5)
ax.set(xlabel="training step", ylabel="bits per character", xlim=(0, 480), ylim=(0, 6))
figures.title(ax, "Too good to be true: the leaks need under half of the honest bits")
show(fig, alt="Loss against step for four variants: no mask and wrong axis fall far below the others, "
              "one head without the scale stays above one head with it.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# No scale: after 350 steps it costs with $d_k = 64$, with $d_k = 16$ hardly anything yet. The two leaks look like triumphs. With
# the softmax over queries, the weight of key $j$ for query $i$ is divided by a sum over *all* queries that may see $j$, the
# later ones included; so the past is told about the future through a denominator. And none of this helps to write: when
# the model must produce the next character, there is no future to copy.
# </details>

# %%
@torch.no_grad()
def write(model, start, length, seed=0):
    """Continue start, one drawn character at a time."""
    generator = torch.Generator().manual_seed(seed)
    tokens = text.encode(start)
    for _ in range(length):
        logits = model(tokens[None, -32:].to(run.device))[0, -1].cpu()
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = torch.cat([tokens, drawn])
    return text.decode(tokens)

# %% tags=["nbval-ignore-output"]
print(f"honest, held-out {bits:.2f} bits:", write(model, "\nKING", 200))
leaked = write(broken["no mask"][0], "\nKING", 200)
print(f"\nno mask, held-out {final['no mask']:.2f} bits:", leaked)

# %% [markdown]
# ### Exercise: name the fault from its picture
# *difficulty 2/5 · importance 4/5 · 5 minutes*
#
# Three causal layers, one fault each. Choose among `unscaled`, `wrong_axis`, `unmasked`, `mask_inverted`.

# %% tags=["hide-input"]
generator = torch.Generator().manual_seed(8)
a, b = torch.randn(2, 6, 16, dtype=f64, generator=generator)
plain, six = a @ b.T / 4, causal_mask(6)
pictures = {
    "a": plain.masked_fill(~six, -torch.inf).softmax(0),
    "b": (plain * 4).masked_fill(~six, -torch.inf).softmax(-1),
    "c": plain.softmax(-1),
}
fig, (axes,) = figures.new(1, 3, height=3.4)
for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
    figures.matrix(ax, picture, range(6), range(6), "weights", row_sums=True)
    figures.title(ax, f"fault {name}")
show(fig, alt="Three tables of attention weights, each with one fault to name: row sums at the "
              "right, six queries by six keys.")

# %% tags=["nbval-ignore-output"]
answer("attention.fault_a", ...)
answer("attention.fault_b", ...)
answer("attention.fault_c", ...)

# %% [markdown]
# ## 9 · Attention weights are not an explanation
#
# A bright cell invites the sentence ‘the model decided because of this word’. Two counter-examples. First, a
# weight multiplies a value, and the value may be nothing. Second, with at least $d_v + 2$ keys, *other* weights give
# exactly the same output: move $p$ along any $n$ with $\sum_j n_j v_j = 0$ ($d_v$ equations) and $\sum_j n_j = 0$ (one more).

# %%
v_free = v.clone()
v_free[0] = 0.0  # 'the' has nothing to give
row = torch.tensor([0.9, 0.1, 0.0, 0.0, 0.0], dtype=f64)
claim("0.9 of the weight is on 'the', and all of the output comes from 'king'",
      torch.equal(row @ v_free, 0.1 * v_free[1]))

p_wore = at_once[2]  # the row of 'wore', without a mask
null = torch.linalg.svd(torch.cat([v, torch.ones(5, 1, dtype=f64)], dim=1).T).Vh[3:]
candidates = torch.cat([null, -null])
reach = torch.stack([(-p_wore / n)[n < 0].min() for n in candidates])  # until a weight is 0
moved, index = max((reach[i] * candidates[i].abs().max(), i) for i in range(len(candidates)))
other = p_wore + reach[index] * candidates[index]
claim("another set of weights, with one moved by more than 0.15, gives the same output",
      moved > 0.15 and other.min() > -1e-12 and abs(other.sum() - 1) < 1e-12
      and torch.allclose(other @ v, p_wore @ v, rtol=1e-10), p=p_wore, other=other)

# %% [markdown]
# To learn what a position or a head *does* for the result, change it and measure, beside the same change elsewhere.
# Weights say where a head looked; what it took, and whether it mattered, is another question.
#
# ## What stays
#
# - Attention is a soft look-up: softmax of dot products, then a weighted mean (*the first figure is this soft look-up*).
# - $\operatorname{Var}(q\cdot k) = d_k$ for independent entries of mean 0, variance 1; at $d_k = 1{,}024$, unscaled,
#   most softmaxes pass almost no gradient (*the median falls by more than ten thousand*).
# - A mask acts before the softmax; test the output, not the weights (*masking after the softmax leaks*).
# - Heads are low-rank forms, computed by one reshape (*one reshape does what the loop did*).
# - Two layers of attention beat triple counts, not counts of five; a loss that is too good suggests a leak
#   (*and triple counts; counts of five beat it*).

# %% tags=["nbval-ignore-output"]
progress("02_attention")

# %% [markdown]
# **Open questions.** How would you let a head ask for ‘two positions before’ without a vector for every position?
# What does $T^2$ cost when $T$ is a book? Why do some heads give most of their weight to a position they do not use?
#
# **References.** Vaswani et al. 2017, *Attention is all you need*: section 3.2, footnote 4 for the variance. Bahdanau, Cho and
# Bengio 2015, *Neural machine translation by jointly learning to align and translate*: where soft look-ups entered.
# Nadaraya 1964, *On estimating regression*; Watson 1964, *Smooth regression analysis*. Jain and Wallace 2019, *Attention is
# not explanation*, and Wiegreffe and Pinter 2019, *Attention is not not explanation*. Brunner et al. 2020, *On
# identifiability in transformers*: other weights, same output.
