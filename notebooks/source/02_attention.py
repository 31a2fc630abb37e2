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
# *The king wore his crown.* To know whose crown it is, the last word has to find the second one. No distance between
# them is fixed in advance: in the next sentence the word that is needed stands elsewhere. This chapter builds the
# operation that finds it. It begins with a look-up in a dictionary, it ends with several look-ups at once and their
# gradients, and these five words go with us all the way. The table below is where we are going.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch02_attention import figures as pictures
from course_lib.classroom import figures
from course_lib.classroom.figures import show

tokens = ["the", "king", "wore", "his", "crown"]
promise = torch.tensor([[0.18, 0.22, 0.19, 0.20, 0.20], [0.12, 0.14, 0.15, 0.13, 0.46],
                        [0.15, 0.28, 0.17, 0.22, 0.19], [0.15, 0.18, 0.17, 0.17, 0.34],
                        [0.04, 0.66, 0.05, 0.20, 0.05]])
fig, ((ax,),) = figures.new(width=6, height=3.2)
figures.matrix(ax, promise, tokens, tokens, "attention weights: rows ask, columns are asked")
figures.title(ax, "‘crown’ gives 0.66 of its attention to ‘king’")
show(fig, alt="Five words ask (rows) and are asked (columns): the row of ‘crown’ gives 0.66 "
              "of its weight to ‘king’.")

# %% [markdown]
# Afterwards you can
#
# - write attention for any shape and any mask, and follow its gradient back to the last factor;
# - say why scores are divided by $\sqrt{d_k}$, and what happens to the gradient otherwise;
# - test whether a layer can see the future.
#
# **Needs** Python, derivatives, matrices and expectations; PyTorch's tensors and broadcasting (chapter 00).
# **Time** 45 minutes to read and run, and as long again to write the exercises; the cells themselves take a few
# seconds.
#
# A line `✓ …` is a claim that was just computed. Below `@exercise` you write; until you do, the course's own function
# serves. Where a cell says `guess`, put your guess in place of the dots before you run on. Nobody judges it.

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
# | $O, G$ | the output, the loss's gradient by it | (T, d_v) |

# %% tags=["nbval-ignore-output"]
import math

from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64  # double precision, so that equalities can be checked to the last digits

# %% [markdown]
# ## 1 · From a dictionary to a soft look-up
#
# A dictionary in Python compares a query with its keys and hands back the value of the one that is equal. Words are
# never quite equal, so we describe them by numbers. Every word gets a **key**, which says what it is, and a **value**,
# which is what it has to give. The word that looks for something gets a **query**.
#
# In our sentence the two numbers of a key say *how much of a person* and *how much of a thing* the word is. The two
# numbers of a value say *person* and *royal*. The word ‘crown’, being a thing, asks for a person: its query is
# (2.8, 0.1). Query and key are compared by their **dot product**, the **score**, which is large where both are large in
# the same place.

# %%
k = torch.tensor([[0.1, 0.1], [1.5, 0.1], [0.2, 0.3], [0.9, 0.1], [0.1, 1.4]], dtype=f64)
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=f64)
crown = torch.tensor([2.8, 0.1], dtype=f64)  # the query of 'crown': a person, please

scores = [sum(crown[i].item() * key[i].item() for i in range(2)) for key in k]
best = max(range(5), key=lambda j: scores[j])
for word, score in zip(tokens, scores, strict=True):
    print(f"{word:<6} score {score:.2f}")
print("the hard look-up returns the value of", tokens[best], v[best].tolist())

# %% [markdown]
# Taking only the best value has a flaw for learning. Nudge the query a little, and the answer does not move at all;
# so no derivative can tell the query in which direction to improve.
#
# A **soft** look-up returns a bit of every value. Exponentials make the shares positive, and dividing by their sum makes
# them add up to 1:
#
# $$p_j = \frac{e^{s_j}}{\sum_i e^{s_i}}, \qquad \text{output} = \sum_j p_j\, v_j . \tag{2.1}$$
#
# The numbers $p = \operatorname{softmax}(s)$ are the **attention weights**: here five, one for each key. We divide the
# scores by $\sqrt 2$ first; section 3 says why.

# %%
shares = [math.exp(score / math.sqrt(2)) for score in scores]
weights = [share / sum(shares) for share in shares]
output = [sum(weights[j] * v[j, i].item() for j in range(5)) for i in range(2)]
print(f"'crown' now carries: person {output[0]:.2f}, royal {output[1]:.2f}")
claim("the row of ‘crown’ in the first figure is this soft look-up",
      all(abs(weights[j] - promise[4, j].item()) < 0.006 for j in range(5)))

nudged = crown + torch.tensor([0.0, 0.1], dtype=f64)
soft, soft_nudged = ((k @ query / math.sqrt(2)).softmax(dim=-1) @ v for query in (crown, nudged))
moved = (soft_nudged - soft).abs().max().item()
claim("nudge the query by 0.1: the hard look-up finds the same word, the soft answer changes",
      (k @ nudged).argmax() == best and moved > 0.001, soft_answer_moved=moved)

# %% tags=["hide-input"]
fig = pictures.look_up(tokens, "crown", crown, k, weights, v, output)
show(fig, alt="The look-up as a diagram: the query of ‘crown’ is compared with five keys; bars show the "
              "weights, 0.66 for ‘king’; the values, so weighted, add up to the output.")

# %% [markdown]
# ## 2 · The softmax and its derivative
#
# Adding one number $c$ to every score changes no weight, because $e^c$ cancels in equation (2.1). (So a library subtracts the
# largest score before it takes exponentials, and none overflows.) A factor does not cancel:
# a query ten times as long has scores ten times as large, and the softmax chooses harder.
#
# For learning we need $\partial p_j / \partial s_i$. Write $p_j = e^{s_j}/Z$ with $Z = \sum_i e^{s_i}$, so that
# $\partial Z/\partial s_i = e^{s_i}$. The rule for quotients gives
#
# $$\frac{\partial p_j}{\partial s_i} = \frac{\delta_{ij}\, e^{s_j}}{Z} - \frac{e^{s_j}\, e^{s_i}}{Z^2}
#   = \delta_{ij}\, p_j - p_j\, p_i, \qquad J = \operatorname{diag}(p) - p\,p^\top, \tag{2.2}$$
#
# where $\delta_{ij}$ is 1 if $i = j$ and 0 otherwise. On the diagonal stands $p_i(1 - p_i) > 0$, elsewhere
# $-p_j p_i < 0$: raising one score raises its own weight and lowers all the others.

# %%
s = k @ crown / math.sqrt(2)  # the five scaled scores of 'crown'
p = s.softmax(dim=-1)
claim("adding 100 to every score changes no weight",
      torch.allclose((s + 100).softmax(-1), p, rtol=1e-12))
claim("ten times the scores: ‘king’ gets more than 0.9999, nearly the hard look-up",
      (10 * s).softmax(-1)[1] > 0.9999)
print("all scores 0:", (0 * s).softmax(-1).tolist())
J = torch.diag(p) - torch.outer(p, p)
by_autograd = torch.autograd.functional.jacobian(lambda s: s.softmax(dim=-1), s)
claim("equation (2.2) is what autograd finds", torch.allclose(J, by_autograd, rtol=1e-12, atol=1e-15))
claim("each row of J sums to zero, for a shift changes no weight", J.sum(1).abs().max() < 1e-15)

# %% [markdown]
# ### Exercise: the Jacobian times a vector
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# A backward pass needs only the product $Ju$ with a vector $u$, and nobody builds $J$ for it: with 1,000 keys it has a
# million entries for each query. Multiply it out on paper, and write down what is left. `hint("attention.softmax_jvp")`
# helps, in steps.

# %% tags=["nbval-ignore-output"]
@exercise("attention.softmax_jvp")
def softmax_jvp(weights, direction):
    """Return (diag(p) - p pᵀ) u for p = weights, u = direction, both (..., key).

    Worked value: p = [0.5, 0.5], u = [1, 0] gives [0.25, -0.25].
    """
    # no matrix of shape (..., key, key); any number of leading axes
    ...

# %%
u = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0], dtype=f64)
claim("without the matrix, the same product",
      torch.allclose(softmax_jvp(p, u), J @ u, rtol=1e-10, atol=1e-12))

# %% [markdown]
# ## 3 · Why divide by √d
#
# Before training, queries and keys are random. Take their $d_k$ entries as independent, with mean 0 and variance 1.
#
# **Predict** the variance of the score $q\cdot k$ for $d_k = 64$: put your number in place of the dots.

# %% tags=["nbval-ignore-output"]
answer("attention.variance_prediction", ...)

# %% [markdown]
# Take one product $q_i k_i$ first. Its mean is $\mathrm{E}[q_i k_i] = \mathrm{E}[q_i]\,\mathrm{E}[k_i] = 0$, because the two are
# independent. Its variance is $\mathrm{E}[q_i^2 k_i^2] - 0^2 = \mathrm{E}[q_i^2]\,\mathrm{E}[k_i^2] = 1$. The $d_k$ products
# are independent of each other, so their variances add up:
#
# $$\operatorname{Var}(q\cdot k) = d_k, \qquad \operatorname{Var}\big(q\cdot k/\sqrt{d_k}\big) = 1. \tag{2.3}$$
#
# A typical score is therefore $\sqrt{d_k}$ away from 0, which for $d_k = 64$ is 8 and for $d_k = 1{,}024$ is 32. Section 2
# has shown what a large factor on the scores does to the weights.

# %%
n_pairs = 20_000
generator = torch.Generator().manual_seed(4)
normal = torch.randn(2, n_pairs, 64, dtype=f64, generator=generator)
signs = 2.0 * torch.randint(2, (2, n_pairs, 64), generator=generator) - 1
for entries, (q_random, k_random) in (("normal entries", normal), ("entries ±1", signs)):
    squares = (q_random * k_random).sum(-1).square()  # the mean of q·k is 0
    variance, error = squares.mean().item(), squares.std().item() / math.sqrt(n_pairs)
    claim(f"{entries}: the variance of q·k at d_k = 64 is 64, within 5 standard errors (under 4)",
          abs(variance - 64) < 5 * error < 4, variance=variance, standard_error=error)

# %% [markdown]
# ### What a large spread does to the gradient
#
# The gradient reaches the scores through $J$. When one weight is near 1 and the others are near 0, all entries of
# equation (2.2) are near 0, and little gets through. As the size of $J$ we take the root of the sum of its squared
# entries, and measure it for 2,000 random queries with 16 random keys each.
#
# **Guess:** leave the scale out and go from $d_k = 4$ to $d_k = 1{,}024$. By what factor does the *median* size fall?

# %% tags=["nbval-ignore-output"]
guess("unscaled_factor", ...)

# %%
sizes, with_scale, without = [4, 16, 64, 256, 1024], [], []
generator = torch.Generator().manual_seed(5)
for d_k in sizes:
    one = torch.randn(2000, 1, d_k, dtype=f64, generator=generator)
    many = torch.randn(2000, 16, d_k, dtype=f64, generator=generator)
    raw = (one * many).sum(-1)  # (2000, 16)
    for kept, numbers in ((with_scale, raw / math.sqrt(d_k)), (without, raw)):
        shares = numbers.softmax(-1)
        jacobians = torch.diag_embed(shares) - shares[:, :, None] * shares[:, None, :]  # (2000, 16, 16)
        kept.append(jacobians.square().sum((1, 2)).sqrt())

# %%
scaled_medians = [sample.median().item() for sample in with_scale]
medians = [sample.median().item() for sample in without]
means = [sample.mean().item() for sample in without]
alive = (without[2] > 0.1).double().mean().item()
apart = -raw.topk(2).values.diff()[:, 0]  # at d_k = 1,024, the best score minus the second
close, far = (without[-1][chosen].mean().item() for chosen in (apart < 1, apart > 5))
claim("scaled, with these 16 keys, the median size of J is within a tenth of 0.3 at the five d_k",
      all(abs(median - 0.3) < 0.03 for median in scaled_medians), medians=scaled_medians)
claim("unscaled, the median falls by more than ten thousand from d_k = 4 to 1,024",
      medians[0] / medians[-1] > 1e4, guessed="unscaled_factor", factor=medians[0] / medians[-1])
claim("but the mean falls by less than ten, and at d_k = 64 more than two fifths are still above 0.1",
      means[0] / means[-1] < 10 and alive > 0.4, means=means, above_a_tenth_at_64=alive)
claim("at d_k = 1,024 the mean is above 0.4 where the two best scores lie less than 1 apart, under "
      "0.002 where they lie more than 5 apart", close > 0.4 and far < 0.002, close=close, far=far)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.8)
figures.line(ax, sizes, scaled_medians, figures.TEAL, "scaled, median", marker="o")
figures.line(ax, sizes, means, figures.ORANGE, "unscaled, mean", dashed=True, marker="^")
figures.line(ax, sizes, medians, figures.BERRY, "unscaled, median", marker="s")
ax.set(xscale="log", yscale="log", xlim=(3, 9000), ylim=(1e-6, 3),
       xlabel="d_k (numbers in a query)", ylabel="size of the softmax's Jacobian")
figures.title(ax, "At d_k = 1,024, unscaled, most queries pass almost no gradient")
show(fig, alt="Size of the softmax's Jacobian against d_k, log scales: level near 0.3 when scaled; "
              "unscaled, the median falls below a ten-thousandth while the mean stays above 0.03.")

# %% [markdown]
# The median softmax goes nearly dead, while the mean falls by a factor of six: queries whose two best scores lie close
# together keep their gradient. Vaswani et al. suspect that large scores push the softmax ‘into regions where it has
# extremely small gradients’. At large $d_k$ that is true of *most* of these random queries, not of all. Chapter 02b
# trains models without the scale, but does not test this start: their scores begin with a standard deviation near 1 and
# grow in training.

# %% [markdown]
# ## 4 · All positions ask at once
#
# Put the queries as rows into one matrix $Q$, the keys into $K$, the values into $V$. Then one product gives all scores,
# a softmax along each row gives all weights, and a second product gives all outputs (Vaswani et al. 2017):
#
# $$\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\Big(\frac{Q K^\top}{\sqrt{d_k}}\Big) V,
#   \qquad Q\,(T, d_k),\; K\,(S, d_k),\; V\,(S, d_v). \tag{2.4}$$
#
# In **self-attention** all three are made from the same positions $x$ by three matrices, which training finds.
# Ours are made by hand. A row of $x$ says *person, thing, royal, act*; $W_q$ lets things ask for persons and persons for
# things; $W_k$ and $W_v$ pick out columns.

# %%
x = torch.tensor([[0.1, 0.1, 0.0, 0.0], [1.5, 0.1, 1.2, 0.1], [0.2, 0.3, 0.1, 1.3],
                  [0.9, 0.1, 0.1, 0.0], [0.1, 1.4, 1.0, 0.1]], dtype=f64)  # (T, C)
W_q = torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0], [0.0, 0.0]], dtype=f64)  # (C, d_k)
W_k = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], dtype=f64)
W_v = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]], dtype=f64)

q = x @ W_q  # (5, 2)
claim("these are the keys, the values and the query of section 1",
      torch.equal(x @ W_k, k) and torch.equal(x @ W_v, v) and torch.equal(q[4], crown))

rows = []
for i in range(5):  # the loop: one position after the other asks
    row = torch.tensor([math.exp(q[i] @ k[j] / math.sqrt(2)) for j in range(5)], dtype=f64)
    rows.append(row / row.sum())
at_once = (q @ k.T / math.sqrt(2)).softmax(dim=-1)  # the matrix: all ask at once
claim("loop and matrix agree", torch.allclose(torch.stack(rows), at_once, rtol=1e-12))
claim("this is the table of the first figure", (at_once - promise).abs().max() < 0.006)

# %% [markdown]
# ### Masks
#
# Some keys must not be seen: padding, or the future when the task is to predict it. A **mask** is a table of booleans in
# which True means *may attend*. A forbidden score becomes $-\infty$ **before** the softmax; then its weight is
# $e^{-\infty} = 0$, and the remaining weights still sum to 1. The **causal** mask allows $j \le i$: every position sees
# itself and what came before. (A query that may attend to nothing would give 0/0; the course's library returns 0 for it.)

# %%
mask = torch.ones(5, 5, dtype=torch.bool).tril()
scaled = q @ k.T / math.sqrt(2)
causal = scaled.masked_fill(~mask, -torch.inf).softmax(dim=-1)
titles = ("Every pair is scored,", "the future is struck out,", "the rest shares 1")
fig = pictures.attention_stages(q @ k.T, scaled, causal, mask, tokens, titles)
show(fig, alt="Three stages of causal attention on five words: scores of every pair, scaled with the "
              "future struck out, weights in rows that sum to 1.")

# %% [markdown]
# ### Exercise: attention
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# Write equation (2.4) for any number of leading axes and any mask that broadcasts. PyTorch's
# `F.scaled_dot_product_attention` does this without storing the weights where a fused kernel fits; ours returns them, so
# that we can look at them.

# %% tags=["nbval-ignore-output"]
@exercise("attention.scaled_dot_product")
def scaled_dot_product_attention(q, k, v, mask=None):
    """Return (output, weights): output (..., query, d_value), weights (..., query, key).

    q (..., query, d_head), k (..., key, d_head), v (..., key, d_value);
    mask broadcasts to (..., query, key), boolean, True = may attend.
    Worked value: q = [[1.]], k = [[1.], [0.]] give weights [[e/(1+e), 1/(1+e)]].
    """
    # each query's weights sum to 1; a key where the mask is False has weight 0
    ...

# %%
out, p_masked = scaled_dot_product_attention(q, k, v, mask)
claim("with the mask it leaves no weight above the diagonal, rows sum to 1, and it is the table above",
      not p_masked.triu(1).any() and torch.allclose(p_masked.sum(-1), torch.ones(5, dtype=f64))
      and torch.allclose(p_masked, causal, rtol=1e-12))
claim("and PyTorch's own function gives its output",
      torch.allclose(out, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), rtol=1e-10))
outside = torch.tensor([[2.0, 0.0], [0.0, 2.0]], dtype=f64)
replies, _ = scaled_dot_product_attention(outside, k, v)
print("two questions from outside the sentence give", tuple(replies.shape), "replies")

# %% [markdown]
# The last two lines are **cross-attention**: the queries come from one sequence, keys and values from another, and
# nothing else changes.
#
# ### Exercise: can it see the future?
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# A model that peeks at what it should predict gets a splendid loss and is worthless. The weights alone do not prove
# innocence, as the cell below your answer shows. So test the *output*. Such a test can convict but never prove; yours
# must pass honest layers and catch the leaks that we planted.

# %% tags=["nbval-ignore-output"]
@exercise("attention.is_causal")
def is_causal(attend, x):
    """Return True if row t of attend(x) depends on x[: t + 1] alone, for every t; else False.

    attend maps (time, d_in) to (time, d_out); x (time, d_in) is an input to try it on.
    Worked value: attend = lambda x: x.flip(0) gives False.
    """
    # decide what of x to change, which rows of the output to compare, and how closely;
    # keep x as long as it is: a layer may need all positions
    ...

# %%
def causal_layer(x):
    return scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v, mask)[0]


def masked_too_late(x):
    _, p = scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v)
    return (p * mask) @ (x @ W_v)  # weights above the diagonal are 0 here as well


claim("with the causal mask, no dependence on a later position is found", is_causal(causal_layer, x))
claim("masking after the softmax leaks: its denominator has seen the future",
      not is_causal(masked_too_late, x))

# %% [markdown]
# ### Shuffle the words
#
# **Guess:** shuffle the five words, and let them attend to each other without a mask. By how much does the output of
# ‘crown’ change, in its largest number? (It was 1.19.)

# %% tags=["nbval-ignore-output"]
guess("shuffled", ...)

# %%
def free_layer(x):
    return scaled_dot_product_attention(x @ W_q, x @ W_k, x @ W_v)[0]


order = torch.tensor([3, 0, 4, 1, 2])  # his the crown king wore
free = (free_layer(x[order]) - free_layer(x)[order]).abs().max().item()
claim("without a mask every word gets the output that it had before", free < 1e-12,
      guessed="shuffled", largest_change=free)
under_mask = (causal_layer(x[order]) - causal_layer(x)[order]).abs().max().item()
before = (causal_layer(x[[3, 0, 2, 1, 4]]) - causal_layer(x))[4].abs().max().item()  # ‘crown’ still last
claim("under the causal mask an output changes by more than 0.1, but that of the last word does not if "
      "only those before it are shuffled", under_mask > 0.1 and before < 1e-12, change=under_mask)

# %% [markdown]
# Let the matrix $\Pi$ shuffle the rows of $x$. Queries, keys and values are shuffled with them, so the scores become
# $\Pi\,QK^\top \Pi^\top$. The softmax works within a row, so the weights become $\Pi\,p\,\Pi^\top$. As $\Pi^\top\Pi = 1$, the
# output $\Pi\,p\,\Pi^\top\,\Pi V = \Pi\,(pV)$ is the old one in new places. A causal mask tells
# this layer *which* words there are up to its own place and in what shares, not in what order.
#
# ## 5 · Several heads
#
# One softmax shares out one 1. But ‘crown’ may want two things: *whose* it is, and *what was done* with it. So cut
# the width $C$ into $H$ **heads** of $d = C/H$ numbers, each with queries, keys, values and a softmax of its own. Their
# results stand side by side, and a matrix $W_o$ mixes them. Our second head asks for acts; its other
# number lets what is royal ask for what is royal.

# %%
asks = torch.tensor([[1.0, 0], [1.5, 0], [0, 1.0], [0, 0]], dtype=f64)  # head 1: for an act; for royal
shows = torch.tensor([[0, 0], [0, 0], [0, 0.5], [1.5, 0]], dtype=f64)
gives = torch.tensor([[0, 0], [0, 1.0], [0, 0], [1.0, 0]], dtype=f64)
both = ((W_q, asks), (W_k, shows), (W_v, gives))
M_q, M_k, M_v = (torch.cat(pair, dim=1) for pair in both)  # (C, H·d)
M_o = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]], dtype=f64)

found, p_heads = [], []
for h in range(2):  # the loop over heads: each has its own two columns
    own = slice(2 * h, 2 * h + 2)
    result = scaled_dot_product_attention(x @ M_q[:, own], x @ M_k[:, own], x @ M_v[:, own])
    found.append(result[0])
    p_heads.append(result[1])
looped = torch.cat(found, dim=-1) @ M_o  # W_o puts each number back into the column of its meaning
print("'crown' found: person {:.2f}, thing {:.2f}, royal {:.2f}, act {:.2f}".format(*looped[4]))

# %%
_, p_one = scaled_dot_product_attention(x @ M_q, x @ M_k, x @ M_v)  # one head of all four numbers
claim("one head that asks for both gives neither ‘king’ nor ‘wore’ half; "
      "each of two heads gives its word 0.6 or more",
      max(p_one[4, 1], p_one[4, 2]) < 0.5 and p_heads[0][4, 1] > 0.6 and p_heads[1][4, 2] > 0.6,
      one_head=p_one[4, 1:3], two_heads=[p_heads[0][4, 1], p_heads[1][4, 2]])

# %% [markdown]
# ### Exercise: all heads at once
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# The loop over heads can go: multiply by the whole matrices once, then make the heads an axis of their own, in front of
# the time. Your attention function will take it from there.

# %% tags=["nbval-ignore-output"]
@exercise("attention.split_heads")
def split_heads(x, n_heads):
    """Return (batch, heads, time, d_head) for x (batch, time, d_model = heads · d_head).

    Head h gets the features h · d_head … (h + 1) · d_head - 1 of every position.
    Worked value: x = [[[1, 2, 3, 4]]], 2 heads give [[[[1, 2]], [[3, 4]]]].
    """
    # the right shape is easy; the right numbers in it are the point
    ...

# %%
batch = torch.stack([x, x[order]])  # (B, T, C): the sentence, and the same words shuffled
q_heads, k_heads, v_heads = (split_heads(batch @ W, 2) for W in (M_q, M_k, M_v))  # (B, H, T, d)
per_head, _ = scaled_dot_product_attention(q_heads, k_heads, v_heads)
joined = per_head.transpose(1, 2).reshape(2, 5, 4)  # split_heads backwards: (B, T, H·d)
claim("one product, a reshape and a transpose do what the loop did",
      torch.allclose((joined @ M_o)[0], looped, rtol=1e-10, atol=1e-12))

from course_lib.attention.multi_head import MultiHeadAttention  # what you built, its matrices as layers

layer = MultiHeadAttention(d_model=4, n_heads=2).double()
linears = (layer.query, layer.key, layer.value, layer.output)
for linear, W in zip(linears, (M_q, M_k, M_v, M_o), strict=True):
    linear.weight.data = W.T.clone()  # nn.Linear multiplies by the transpose
claim("the library's class is the same function, with its weights returned or not",
      torch.allclose(layer(batch)[0], looped, rtol=1e-10, atol=1e-12)
      and torch.allclose(layer.attend(batch)[0], layer(batch), rtol=1e-10, atol=1e-12))

# %% [markdown]
# ### Look yourself
#
# From here on the course imports `MultiHeadAttention`, which is what you have just built. Below, our two heads stand under a
# causal mask and are opened stage by stage. Choose a cell to see its number written out. Then put the king behind the
# crown, ‘his crown the king wore’, open all three stages, and ask from its row, 1: what is left for ‘crown’ to find? The words that the explorer knows are printed.

# %% tags=["hide-input"]
lexicon = dict(zip(tokens, x.tolist(), strict=True))
same = {"queen": "king", "her": "his", "lost": "wore", "ring": "crown"}
lexicon |= {word: lexicon[like] for word, like in same.items()}
print("words:", *lexicon)


def attend(own):
    unknown = [word for word in own.split() if word not in lexicon]
    if unknown:
        raise ValueError(f"text: no word {unknown[0]!r} here")
    rows = torch.tensor([[lexicon[word] for word in own.split()]], dtype=f64)  # (1, T, C)
    return [split_heads(rows @ W, 2) for W in (M_q, M_k)]  # q and k, (1 layer, H, T, d)
alt = ("Explorer of attention on your own words: scores, scaling and mask, weights, one cell written "
       "out, both heads side by side.")
try:
    from course_lib.chapters.ch02_attention.explorer import AttentionExplorer

    explorer = AttentionExplorer(attend, "the king wore his crown", head=0, alt=alt, unit="words",
                                 texts=["his crown the king wore"], words=lexicon)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %% [markdown]
# ## 6 · The backward pass by hand
#
# Training needs the gradients of a loss $L$. Let $G = \partial L/\partial O$, of shape $(T, d_v)$, be given, and go back
# through $O = pV$, $p = \operatorname{softmax}(s)$ and $s = QK^\top/\sqrt{d_k}$. Write the first with indices. From
# $O_{ic} = \sum_j p_{ij} V_{jc}$ follow $\partial L/\partial V_{jc} = \sum_i p_{ij} G_{ic}$ and
# $\partial L/\partial p_{ij} = \sum_c G_{ic} V_{jc}$. The scores go the same way:
#
# $$\frac{\partial L}{\partial V} = p^\top G, \quad
#   \frac{\partial L}{\partial p} = G V^\top, \quad
#   \frac{\partial L}{\partial s_i} = J_i \frac{\partial L}{\partial p_i}, \quad
#   \frac{\partial L}{\partial Q} = \frac{\partial L}{\partial s}\frac{K}{\sqrt{d_k}}, \quad
#   \frac{\partial L}{\partial K} = \Big(\frac{\partial L}{\partial s}\Big)^{\!\top}\!\frac{Q}{\sqrt{d_k}}. \tag{2.5}$$
#
# $J_i$ is equation (2.2) for row $i$. It is symmetric and needs no transpose, so your `softmax_jvp` is the step. Where
# the mask forbids, $p_{ij} = 0$, and the score's gradient is 0 as well.

# %% tags=["hide-input"]
fig = pictures.backward_pass()
show(fig, alt="Attention as a chain of boxes, Q and K to scores to weights to the output, V joining at "
              "the end; dashed arrows lead the gradient back through every box.")

# %%
Q, K, V = (t.clone().requires_grad_() for t in (q, k, v))
G = torch.tensor([[1.0, -1.0], [0.5, 2.0], [-1.5, 0.3], [2.0, 1.0], [0.7, -0.4]], dtype=f64)
O, p_causal = scaled_dot_product_attention(Q, K, V, mask)
wanted = torch.autograd.grad((O * G).sum(), (Q, K, V))
with torch.no_grad():
    dV = p_causal.T @ G
    ds = softmax_jvp(p_causal, G @ V.T)
    dQ = ds @ K / math.sqrt(2)
    dK = ds.T @ Q / math.sqrt(2)
gap = max((a - b).abs().max().item() for a, b in zip((dQ, dK, dV), wanted, strict=True))
claim("four lines by hand are autograd's gradients, to 1e-12", gap < 1e-12, largest_difference=gap)

# %% [markdown]
# ## 7 · Name the fault
# *exercise · difficulty 2/5 · importance 4/5 · 5 minutes*
#
# Three layers that should be causal were given the same queries and keys, and each has one fault. Their weights are shown with the sum
# of every row. Choose for each among `unscaled`, `wrong_axis` (the softmax runs over the queries), `unmasked` and
# `mask_inverted`.

# %% tags=["hide-input"]
fig = pictures.faulty_weights()
show(fig, alt="Three tables of attention weights, each with one fault to name: row sums at the "
              "right, six queries by six keys.")

# %% tags=["nbval-ignore-output"]
answer("attention.fault_a", ...)
answer("attention.fault_b", ...)
answer("attention.fault_c", ...)

# %% [markdown]
# ## What stays
#
# - Attention is a soft look-up:
#   [*the row of ‘crown’ in the first figure is this soft look-up*](#1-·-From-a-dictionary-to-a-soft-look-up).
# - $J = \operatorname{diag}(p) - p\,p^\top$, and $Ju$ needs no matrix:
#   [*equation (2.2) is what autograd finds*](#2-·-The-softmax-and-its-derivative),
#   [*without the matrix, the same product*](#Exercise:-the-Jacobian-times-a-vector).
# - For independent entries of mean 0 and variance 1 scores have variance $d_k$; unscaled, the median Jacobian of normal
#   queries with 16 keys is nearly 0 at $d_k = 1{,}024$:
#   [*unscaled, the median falls by more than ten thousand*](#What-a-large-spread-does-to-the-gradient).
# - A mask acts before the softmax, and one tests the output:
#   [*masking after the softmax leaks*](#Exercise:-can-it-see-the-future?). Without a mask order is lost:
#   [*every word gets the output that it had before*](#Shuffle-the-words); a causal one tells which came before.
# - Heads ask side by side:
#   [*each of two heads gives its word 0.6 or more*](#5-·-Several-heads),
#   [*one product, a reshape and a transpose do what the loop did*](#Exercise:-all-heads-at-once).

# %% tags=["nbval-ignore-output"]
progress("02_attention")

# %% [markdown]
# **Open questions.** How would you let a head ask for ‘two positions before’? What does $T^2$ cost when $T$ is a book?
# (Both: chapter 03.) And what do heads look at that were trained on real text? (Chapter 02b, optional.)
#
# **References.** Vaswani et al. 2017, *Attention is all you need*: section 3.2 is equation (2.4) and the heads, its
# footnote 4 the variance. Bahdanau, Cho and Bengio 2015, *Neural machine translation by jointly learning to align and
# translate*: section 3.1, where soft look-ups entered. Nadaraya 1964, *On estimating regression*, and Watson 1964, *Smooth
# regression analysis*: a weighted mean with weights by nearness, half a century earlier.
