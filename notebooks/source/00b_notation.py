# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00b · Notation
#
# **Which letter means what, and what do other books mean by it?**
#
# Two texts mean the same and write it differently, and your program gives nonsense without an error: *True* meant *masked*, a
# $\sigma$ was a $\sigma^2$, a mean was a sum. Here are seven such conventions, each executed, and at the end the letters
# and terms of the course. Below, one mask in three writings.

# %%
from course_lib.chapters.ch00b_notation import figures as drawings
from course_lib.classroom.figures import show

fig, alt = drawings.three_masks()
show(fig, alt=alt)

# %% [markdown]
# Afterwards you can
#
# - look up the letters and terms that chapters share;
# - translate spreads, masks and losses of other sources;
# - tell from a number or a curve which convention was mixed up.
#
# **Needs** chapter 00. Optional: read a section when you come to the chapter that it names. **Time** 30 minutes, 40 more for
# the exercises; the cells run in a few seconds.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, W$ | an example, a row; a matrix that maps it | (n, in), (in, out) |
# | $\mu, \sigma$ | mean, standard deviation | |
# | $L, \eta$ | loss; rate | |
# | $p, q$ | two distributions | |
# | $\mathrm{KL}(p \Vert q)$ | what $q$ costs where $p$ holds | |
# | $\beta$ | weight of the KL in a loss | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.ch00b_notation.symptom import training
from course_lib.chapters.exercises import answer, exercise, hint, progress, reset, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64
generator = torch.Generator().manual_seed(0)
draw = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)

# %% [markdown]
# ## 1 · Rows or columns
#
# *For chapter 02.* Here an example is a row and a matrix stands to its right: $xW$, with $W$ of shape (in, out). Many books
# write columns, $Wx$ with $W$ of shape (out, in). The two matrices are each other's transposes, for
#
# $$(xW)^\top = W^\top x^\top. \tag{0b.1}$$
#
# PyTorch's `nn.Linear(3, 5)` takes rows $x$ of shape (n, 3) and returns (n, 5). **Guess:** what shape does its `weight` have?

# %% tags=["nbval-ignore-output"]
guess("linear_weight", ...)

# %%
layer, x = nn.Linear(3, 5, dtype=f64), draw(4, 3)
claim("nn.Linear takes rows and stores the books' matrix: it computes x weightᵀ + bias",
      torch.allclose(layer(x), x @ layer.weight.T + layer.bias, rtol=1e-12),
      guessed="linear_weight", shape=list(layer.weight.shape))
square = draw(3, 3)
claim("a square matrix hides the mix-up: x W and x Wᵀ have one shape and different numbers",
      (x @ square).shape == (x @ square.T).shape and not torch.allclose(x @ square, x @ square.T))

# %% [markdown]
# ## 2 · A spread has five names
#
# *For chapters 00, 06 and 07.* $\mathcal N(0, 4)$ in a formula has variance 4; `torch.distributions.Normal(0, 4)` has
# standard deviation 4. Networks put out a logarithm, because it may be any number: here `logvar` $= \log\sigma^2$, in other
# code `log_std` $= \log\sigma$. Some books use the precision $1/\sigma^2$. And data have two standard deviations: the mean
# square is taken over $n - 1$ or over $n$.

# %%
density = torch.distributions.Normal(torch.zeros((), dtype=f64), 2.0).log_prob(torch.ones((), dtype=f64))
claim("N(0, 4) of the formulas is Normal(0, 2) of PyTorch: log p(1) = −1/8 − log(2√(2π))",
      abs(density + 1 / 8 + math.log(2 * math.sqrt(2 * math.pi))) < 1e-12)
logvar = torch.tensor(-4.0, dtype=f64)
claim("logvar = −4 is a spread of 0.135, and read as log σ one of 0.018, its square",
      (round((logvar / 2).exp().item(), 3), round(logvar.exp().item(), 3)) == (0.135, 0.018))
column = torch.tensor([1.0, 2.0, 3.0], dtype=f64)
claim("of 1, 2, 3 torch.std is 1, over n − 1, and numpy.std is √(2/3), over n",
      column.std() == 1 and abs(column.numpy().std() - math.sqrt(2 / 3)) < 1e-15)

# %% [markdown]
# ### Exercise: one spread
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# Whatever a source hands you, make $\log\sigma^2$ of it.

# %% tags=["nbval-ignore-output"]
@exercise("notation.logvar_from")
def logvar_from(value, meaning):
    """Return log σ² of a spread, a tensor of any shape.

    meaning: 'std' σ, 'variance' σ², 'log_std' log σ, 'logvar' log σ², 'precision' 1/σ².
    Worked value: 3.0 as 'std' and 9.0 as 'variance' both give log 9 = 2.1972.
    """
    # a std may be as small as 1e-200
    ...

# %%
three = torch.tensor([3.0], dtype=f64)
written = {"std": three, "variance": three**2, "log_std": three.log(), "logvar": 2 * three.log(),
           "precision": 1 / three**2}
claim("five writings of σ = 3 have one log σ²",
      all(abs(logvar_from(value, name) - math.log(9)) < 1e-8 for name, value in written.items()))

# %% [markdown]
# ## 3 · Sum or mean
#
# *For every training.* The loss of a batch of $n$ is a mean here; elsewhere it may be a sum, which is $n$ times as large, and
# so is its gradient. For plain gradient descent both take the same step if
#
# $$\eta_{\text{sum}} = \eta_{\text{mean}} / n. \tag{0b.2}$$
#
# A recipe says $\eta = 0.1$, for a mean over 64 examples; your loss is a sum over the 64. **Guess:** how long would the first
# step be with $\eta = 0.1$, compared with the recipe's? And does it matter if the optimizer is Adam?

# %% tags=["nbval-ignore-output"]
guess("sum_for_mean", ...)

# %%
inputs, targets = draw(64, 3), draw(64)

def first_step(optimizer, reduce, rate):
    """Return the change of a weight of three numbers in the first step."""
    weight = torch.ones(3, dtype=f64, requires_grad=True)
    reduce((inputs @ weight - targets) ** 2).backward()
    optimizer([weight], lr=rate).step()
    return weight.detach() - 1

recipe, summed, mended = (first_step(torch.optim.SGD, reduce, rate) for reduce, rate in
                          ((torch.mean, 0.1), (torch.sum, 0.1), (torch.sum, 0.1 / 64)))
claim("with the sum in place of the mean the step is 64 times as long, and rate 0.1/64 mends it",
      torch.allclose(summed, 64 * recipe, rtol=1e-10) and torch.allclose(mended, recipe, rtol=1e-10),
      guessed="sum_for_mean", times=summed.norm() / recipe.norm())
adam_mean, adam_sum = (first_step(torch.optim.Adam, reduce, 0.1) for reduce in (torch.mean, torch.sum))
claim("Adam's first step is the same for both, to a millionth",
      torch.allclose(adam_mean, adam_sum, rtol=1e-6))

# %% [markdown]
# Adam needs no equation (0b.2), up to its small constant ε: it divides by the size of the gradients that it has seen
# (chapter 05). But a penalty that is
# added to the loss weighs $n$ times less beside a sum.
#
# ## 4 · Which KL, and how much of it
#
# *For chapters 01 and 06 to 08.* In $\mathrm{KL}(p \Vert q) = \sum p \log (p/q)$ the first distribution is the weight: a
# symbol that $p$ never produces costs nothing, whatever $q$ says of it. `F.kl_div(input, target)` has them the other way
# round, and takes `input` as a logarithm. It computes an entry for each symbol. The KL is their sum; the default is so
# far the mean of all entries, and `reduction="batchmean"` mends it.

# %%
p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]], dtype=f64)  # two distributions over three symbols
q = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]], dtype=f64)
kl = lambda p, q: (p * (p / q).log()).sum(dim=-1)
entries = F.kl_div(q.log(), p, reduction="none")  # (2, 3)
claim("F.kl_div(log q, p), summed over symbols, is KL(p ‖ q)",
      torch.allclose(entries.sum(dim=-1), kl(p, q), rtol=1e-12))
claim("the mean of all entries is a third of the mean KL of the two, reduction='batchmean' is that KL",
      abs(entries.mean() - kl(p, q).mean() / 3) < 1e-12
      and abs(F.kl_div(q.log(), p, reduction="batchmean") - kl(p, q).mean()) < 1e-12)
claim("the order matters: KL(q ‖ p) is larger than KL(p ‖ q) by more than 0.03 nats in both",
      (kl(q, p) - kl(p, q)).min() > 0.03, p_first=kl(p, q), q_first=kl(q, p))

# %% [markdown]
# ### Exercise: which β
# *difficulty 3/5 · importance 5/5 · 5 minutes*
#
# Write a VAE's loss as sums, as in this course, here with squared errors: a **sum** over pixels plus $\beta$ times the **sum**
# over latents of the KL; only the batch is averaged. A source with pictures of 784 pixels and 200 latents writes
# `((x_hat - x) ** 2).mean() + kl_of_each_latent.mean()` and says nothing of a weight. A factor in front of the whole loss
# changes no optimum. Which $\beta$ is that, to two decimals?

# %% tags=["nbval-ignore-output"]
answer("notation.kl_factor", ...)

# %%
squares, each_kl = draw(16, 784) ** 2, draw(16, 200) ** 2  # any numbers will do
averages = squares.mean() + each_kl.mean()
sums = (squares.sum(dim=1) + 784 / 200 * each_kl.sum(dim=1)).mean()
claim("784 times the loss of averages is the loss of sums with β = 784/200 = 3.92, for any numbers",
      abs(784 * averages - sums) < 1e-9 * sums)

# %% [markdown]
# Higgins et al. (2017) report a $\beta$ *normalised* in this way, $\beta$ times latents over pixels: there 3.92 would be called 1.
#
# ## 5 · Nats, bits, tokens, characters
#
# *For chapters 01 and 05.* Losses are in nats, because $\log$ is the natural logarithm; files are counted in bits, and papers
# print perplexities, $e^{\text{nats}} = 2^{\text{bits}}$. All three are *per something*: a token of one model is not a token
# of another.
#
# ### Exercise: one unit for all
# *difficulty 2/5 · importance 4/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("notation.bits_per_character")
def bits_per_character(nats_per_token, tokens, characters):
    """Return bits per character; nats_per_token is a tensor, the mean losses of several models.

    The text has this many tokens and this many characters.
    Worked value: log 16 nats a token, 250 tokens, 1000 characters give 1.0.
    """
    # losses of models with different tokens are to be compared
    ...

# %%
losses = torch.tensor([3.2, 1.5], dtype=f64)  # per token of four characters; per character
bits = [bits_per_character(losses[:1], 250, 1000), bits_per_character(losses[1:], 1000, 1000)]
claim("3.2 nats per token of four characters are less than 1.5 nats per character, 1.15 bits to 2.16",
      round(float(bits[0]), 2) == 1.15 and round(float(bits[1]), 2) == 2.16)
claim("perplexity is e to the nats and 2 to the bits",
      torch.allclose(losses.exp(), 2 ** (losses / math.log(2)), rtol=1e-12))

# %% [markdown]
# ## 6 · A loss with a floor
#
# *For chapters 02 and 05.* A linear classifier learns ten classes from 200 examples; five seeds. There is one fault in the
# program, without which the same training ends below 0.02 nats.

# %% tags=["hide-input"]
curves = torch.stack([training(seed, True) for seed in range(5)])
fig, alt = drawings.stuck(curves)
show(fig, alt=alt)

# %% [markdown]
# ### Exercise: name the fault
# *difficulty 3/5 · importance 5/5 · 5 minutes*
#
# Choose among `softmaxed_twice`, `labels_shuffled`, `rate_too_small` and `loss_summed`.

# %% tags=["nbval-ignore-output"]
answer("notation.floor_of_the_loss", ...)

# %%
sure = torch.eye(10, dtype=f64)[:1]  # all of the share on the right class, class 0
floor = F.cross_entropy(sure, torch.tensor([0]))
claim("shares that are entirely sure, softmaxed once more, still cost log(e + 9) − 1 = 1.4612 nats",
      abs(floor - (math.log(math.e + 9) - 1)) < 1e-12 and round(floor.item(), 4) == 1.4612)
others = (2 * draw(1000, 10)).softmax(dim=-1)
cost = F.cross_entropy(others, torch.zeros(1000).long(), reduction="none")
claim("a thousand other shares, sure and unsure, all cost more", cost.min() > floor, least=cost.min())
sound = torch.stack([training(seed, False) for seed in range(5)])
above = curves[:, -1, 0] - floor
claim("five trainings with the fault end within 0.02 nats above the floor, five without it below 0.02",
      above.min() > 0 and above.max() < 0.02 and sound[:, -1, 0].max() < 0.02,
      above_the_floor=above, without=sound[:, -1, 0])

# %% [markdown]
# In this course `logits` are never softmaxed before a cross-entropy: the name means ‘not yet softmaxed’. `F.cross_entropy`
# and its relatives for yes and no take them as they are, and `weights` or `shares` is what a softmax made.
#
# ## 7 · True means allowed, or masked
#
# *For chapter 02.* A mask says which positions may be seen. Here it is boolean and **True = may attend**. PyTorch uses three
# writings: `F.scaled_dot_product_attention` reads True as here, the module `nn.MultiheadAttention` reads True as *masked*, and
# both add a mask of floats to the scores, 0 or −∞, before the softmax.
#
# ### Exercise: three writings
# *difficulty 2/5 · importance 5/5 · 8 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("notation.may_attend")
def may_attend(mask, writes):
    """Return the mask with True = may attend, boolean, of the same shape.

    writes: 'allowed' True = may attend, 'masked' True = may not, 'additive' 0 = may and -inf = may not.
    Worked value: [[0, -inf]] as 'additive' gives [[True, False]].
    """
    # boolean masks and one of floats
    ...

# %%
causal = torch.ones(4, 4).tril().bool()
added = torch.zeros(4, 4, dtype=f64).masked_fill(~causal, -math.inf)
claim("three writings of the causal mask are one",
      all(torch.equal(may_attend(mask, writes), causal) for mask, writes in
          ((causal, "allowed"), (~causal, "masked"), (added, "additive"))))
query, key, value = draw(4, 8), draw(4, 8), draw(4, 8)
attend = F.scaled_dot_product_attention
claim("F.scaled_dot_product_attention gives the same for True = may attend and for 0 and −∞",
      torch.allclose(attend(query, key, value, causal), attend(query, key, value, added), rtol=1e-10))
module = nn.MultiheadAttention(8, 1, dtype=f64)
_, weights = module(query, key, value, attn_mask=~causal)
claim("nn.MultiheadAttention needs it turned round: then no position looks ahead",
      weights.triu(1).abs().max() == 0 and (weights.diagonal() > 0).all())
scores = query[:3] @ key.T  # the first three queries; the last would have nothing to see
ahead = scores.masked_fill(causal[:3], -math.inf).softmax(dim=-1)
claim("with the meaning turned round, the first three positions see only what is yet to come",
      (ahead.triu(1).sum(dim=-1) - 1).abs().max() < 1e-12)

# %% [markdown]
# ## 8 · Notation
#
# Letters that chapters share. Where a chapter's own table differs, that one holds.
#
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $x$ | an example; what positions carry | (2,); (T, C) | 00, 01; 02 |
# | $n, N$ | how many; in 03 a shift | | all |
# | $p$ | the data's distribution; weights | ; (T, S) | 01; 02 |
# | $q$ | a model's distribution; queries | ; (T, d_k) | 01; 02 |
# | $\theta, p_\theta$ | a model's parameters, its distribution | | 00, 01 |
# | $L, \nabla L$ | loss; its derivatives by every parameter | | all |
# | $\eta$ | rate: a step is $\eta$ times the gradient | | 00 |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $K$ | components of a mixture | | 00 |
# | $w_k, \mu_k, \sigma_k$ | its share, centre, width | (K,), (K, 2), (K,) | 00 |
# | $\mu, \sigma, a_j$ | mean, standard deviation | | 00, 01 |
# | $\mathcal N, \sim, \log$ | Gaussian density; is drawn from; natural logarithm | | all |
# | $\mathrm{E}, \mathrm{E}_p[f], \operatorname{Var}$ | expectation, under $p$, variance | | 01, 02 |
# | $H(p), H(p, q)$ | entropy, cross-entropy | | 01 |
# | $\mathrm{KL}, \mathrm{KL}(p \Vert q)$ | $H(p,q)-H(p)$: what $q$ for $p$ costs | | 01 |
# | $\ell(x)$ | length of a code word in bits | | 01 |
# | $w, m$ | width of an interval, length of its word | | 01b |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $k, v$ | keys, values; $k$ in 00 a component, in 01 characters of context | (S, d_k), (S, d_v) | 02, 03 |
# | $V$ | symbols of the vocabulary; in 09 the game's value | | 01, 02 |
# | $s$ | scores; in 03 also the key's position; in 01 a standard deviation | (T, S) | 02, 03 |
# | $J, G, O$ | softmax's Jacobian; loss by output; output | | 02, 03 |
# | $W, W_q, W_k, W_v, W_o$ | make q, k, v; mix heads | (C, d) | 02 |
# | $T, S$ | positions that ask, are asked | | 02, 03 |
# | $d, d_k, d_v$ | numbers in a head; a query, a key; a value | | 02, 03 |
# | $H, h$ | heads; number of one | | 02, 03 |
# | $B, C$ | sequences, numbers per position | | 02, 03 |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $m, l, o$ | running maximum, sum, output | (T,), (T,), (T, d) | 03 |
# | $z$ | $m + \log l$; in 06 to 08 the latent, in 11 noise | (T,); (latent,) | 03b, 06 to 11 |
# | $\varphi, \omega_i$ | an angle; turn of pair $i$ per step | ; (d/2,) | 03 |
# | $p(t)$ | position vector | (C,) | 03 |
# | $M_n$ | matrix that shifts by $n$ | (C, C) | 03 |
# | $R, R(\varphi)$ | rotation, by $\varphi$; in 08 a rate | (2, 2) | 03 |
# | $f_i, \hat x$ | what layer $i$ adds; normalised | (T, C) | 04 |
# | $h, w$ | characters before, next; in 10 $h$ a rate | | 05, 10 |
# | $D, n_r, n_1, n_2, c(h), c(hw)$ | discount, in 08 distortion; seen $r$ times, once, twice; counts | | 05 |
# | $g, \beta_1, \beta_2, \lambda, \epsilon$ | gradient and constants of AdamW; $\lambda$ in 06, 10 an eigenvalue | | 05 |
# | $\tau$ | temperature | | 05 |
# | $t, i, j$ | position, indices | | all |

# %% [markdown]
# | symbol | meaning | shape | chapters |
# | --- | --- | --- | --- |
# | $\epsilon$ | a draw from the standard normal | (latent,) | 06, 07 |
# | $\beta$ | weight of the KL | | 06 to 08 |
# | $y, m(z)$ | a noisy image; the decoder's mean image | (n, 784) | 08 |
# | $\bar w$ | importance weights that sum to 1 | (k, n) | 08 |
# | $u_j, r_i$ | direction of a covariance; mean square left at a pixel | (784,) | 08 |
# | $\lambda_j$ | eigenvalue of a covariance | | 06 |
# | $q(z)$ | aggregate posterior | | 07 |
# | $\omega$ | angle between two latents | | 07 |
# | $D = \sigma(l)$ | belief that $x$ is real | (batch,) | 09 |
# | $u$ | density ratio; in 10 a singular vector | | 09, 10 |
# | $f, f^*$ | convex function, conjugate | | 09 |
# | $W_1, \mathrm{JSD}, \mathrm{TV}$ | distances: Wasserstein, Jensen–Shannon, total variation | | 09 |
# | $\psi, \gamma$ | the discriminator's slope; weight of R1 | | 10 |
# | $G, D$ | generator, discriminator | | 11 |
# | $\phi(x), h(x), e_y$ | a classifier's features, D's own; vector of class $y$ | | 11 |
# | $m, \Sigma, A, B$ | mean and covariance of features; $\Sigma_1 = AA^\top$, $\Sigma_2 = BB^\top$ | | 11 |

# %% [markdown]
# ## 9 · Glossary
#
# Chapter 00 explains: autograd 自动微分, broadcasting 广播, Gaussian 高斯分布, generative model 生成模型, gradient descent 梯度下降,
# held-out data 留出数据, learning rate 学习率, loss 损失, mixture 混合分布, overfitting 过拟合, tensor 张量.
#
# | term | 中文 | in one line |
# | --- | --- | --- |
# | attention | 注意力 | a weighted mean, weights by similarity |
# | bit, nat | 比特，奈特 | units of information, base 2 and e |
# | cross-entropy | 交叉熵 | mean surprise under a model |
# | density | 概率密度 | probability per unit of area |
# | divergence | 散度 | how far apart two distributions are |
# | entropy | 熵 | floor of every code's mean length |
# | expectation | 期望 | mean under a distribution |

# %% [markdown]
# | term | 中文 | in one line |
# | --- | --- | --- |
# | generative adversarial network, GAN | 生成对抗网络 | learns by a game of two |
# | likelihood | 似然 | the data's probability or density, seen from the parameters |
# | mask | 掩码 | which positions may be seen |
# | Monte Carlo, standard error | 蒙特卡洛，标准误 | means from samples; how far off |

# %% [markdown]
# | term | 中文 | in one line |
# | --- | --- | --- |
# | position encoding | 位置编码 | tells attention the order |
# | query, key, value | 查询，键，值 | asks, is asked, is given |
# | sample | 样本，采样 | one draw; to draw |
# | softmax | softmax 函数 | real numbers into shares |
# | standard deviation, variance | 标准差，方差 | typical distance from the mean; its square |
# | token | 词元 | one symbol of a text |
# | Transformer | Transformer 模型 | network built on attention |
# | variational autoencoder, VAE | 变分自编码器 | learns what is never seen |

# %% [markdown]
# ## What stays
#
# - Shapes do not tell: [*a square matrix hides the mix-up*](#1-·-Rows-or-columns), and [*logvar = −4 is a spread of 0.135, and read as log σ one of 0.018*](#2-·-A-spread-has-five-names).
# - A sum in place of a mean is another rate for plain gradient descent: [*the step is 64 times as long, and rate 0.1/64 mends it*](#3-·-Sum-or-mean). For a VAE it is another β: [*784 times the loss of averages is the loss of sums with β = 784/200 = 3.92*](#Exercise:-which-β).
# - Numbers are compared per character of one text: [*3.2 nats per token of four characters are less than 1.5 nats per character*](#Exercise:-one-unit-for-all).
# - A loss that stops at log(e + 9) − 1 with ten classes had inputs between 0 and 1; a second softmax does it: [*five trainings with the fault end within 0.02 nats above the floor*](#Exercise:-name-the-fault).
# - Ask of every mask what True means: [*nn.MultiheadAttention needs it turned round*](#Exercise:-three-writings).

# %% tags=["nbval-ignore-output"]
progress("00b_notation")

# %% [markdown]
# **Open questions.** Which mix-ups would a test on three examples find? What is the floor for 50,000 classes?
#
# **References.** Goodfellow, Bengio and Courville 2016, *Deep Learning*: its page of notation. Higgins et
# al. 2017, *β-VAE*: section 4 for the normalised β. PyTorch's documentation of `nn.MultiheadAttention`, `kl_div` and `CrossEntropyLoss`:
# their arguments.
