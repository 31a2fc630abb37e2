# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · The Transformer
#
# **What makes attention stackable, and what does a stack cost?**
#
# Chapter 02 had two attentions, one above the other. A Transformer is attention and one more kind of layer, stacked many
# times. Below, the same four blocks were trained on Shakespeare four times over; from row to row the block gets one part
# more. The first two rows learn hardly more than how often each letter occurs.

# %% tags=["hide-input"]
import math

import torch

from course_lib.chapters.ch04_transformer import figures as drawings
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.datasets.text import load_shakespeare

text = load_shakespeare(test=True)
counts = torch.bincount(text.train, minlength=65).double() / len(text.train)
letters = torch.special.entr(counts).sum().item()  # nats a character, letter frequencies alone
ladder = recorded("block_ladder").values
show(drawings.ladder(ladder["bits"], letters / math.log(2)),
     alt="Bits per character of four rows, five seeds each: attention alone and attention with a "
     "feed-forward layer stay at letter frequencies, 4.8; added to a stream they need far fewer bits.")

# %% [markdown]
# Afterwards you can
#
# - say what a residual stream and a norm are for, with the derivation and the measurement;
# - write the Transformer's block, and show that your model is PyTorch's;
# - count a model's parameters and operations before you build it.
#
# **Needs** chapters 02 and 03. **Time** 45 minutes to read, 40 for the exercises; the cells take about 40 seconds on a CPU.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | the stream: what the positions carry; $x_i$: in front of layer $i$ | (T, C) |
# | $f_i$ | what layer $i$ returns | (T, C) |
# | $\hat x$ | a position normalised | (C,) |
# | $\mu, \sigma$ | its mean and standard deviation over the features | |
# | $J$ | here: the derivative of $f_i$ by what it reads, at one position | (C, C) |
# | $n, N$ | how many layers; parameters of a model | |
# | $L$ | loss | |
# | $B, T, C, V$ | as in chapter 02 | |

# %% tags=["nbval-ignore-output"]
from copy import deepcopy

from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention import transformer
from course_lib.attention.masks import causal_mask, is_causal
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)  # these models are too small to share between cores
f64 = torch.float64

# %% [markdown]
# ## 1 · The stream
#
# Let a layer replace what it reads, $x_{i+1} = f_i(x_i)$, and stack fifty. By the chain rule the gradient that arrives
# at the first has been multiplied by fifty Jacobians $J$ (transposed, which changes nothing below). Suppose that a $J$
# has independent entries of mean 0 and variance $g^2/C$. A gradient $u$ then comes out with
#
# $$\mathrm{E}\,\|Ju\|^2 = \sum_{a}\sum_{b} \frac{g^2}{C}\, u_b^2 = g^2 \|u\|^2, \tag{4.1}$$
#
# and fifty independent layers multiply $\|u\|^2$ by $g^{100}$. For $g = 0.8$ the gradient's length shrinks to about
# $0.8^{50} = 10^{-5}$ of what it was; for $g = 1.25$ it grows by $10^{5}$. Only $g = 1$ would do, and nothing keeps it there.

# %%
def through(n_layers, gain, residual, seed, C=64):
    """Return |gradient|² at the first of some random linear layers, for a unit gradient at the end."""
    generator = torch.Generator().manual_seed(seed)
    u = torch.full((C,), C**-0.5, dtype=f64)
    for _ in range(n_layers):
        J = torch.randn(C, C, dtype=f64, generator=generator) * gain / math.sqrt(C)
        u = J.T @ u + (u if residual else 0)
    return u.square().sum().item()


for gain in (0.8, 1.25):
    draws = torch.tensor([through(20, gain, False, seed) for seed in range(300)], dtype=f64)
    error = draws.std() / math.sqrt(300)
    claim(f"g = {gain}: after 20 layers |gradient|² is g^40 on average, within 5 standard errors",
          abs(draws.mean() - gain**40) < 5 * error and error < 0.2 * gain**40, mean=draws.mean(),
          expected=gain**40, standard_error=error)

# %% [markdown]
# A **residual** layer adds what it finds: $x_{i+1} = x_i + f_i(x_i)$ (He et al. 2016). Its derivative is $I + J$, with the
# unit matrix $I$, and
#
# $$\mathrm{E}\,\|(I + J)u\|^2 = \|u\|^2 + 2\,\mathrm{E}[u^\top J u] + \mathrm{E}\,\|Ju\|^2 = (1 + g^2)\,\|u\|^2, \tag{4.2}$$
#
# since the middle term has mean 0. On average it can only grow, and slowly where every layer says little: with
# $g^2 = 1/n$, all $n$ layers multiply by $(1 + 1/n)^n < e$, at any depth.
#
# What the positions carry is now a **stream**. It begins as the embedding, each layer reads it and adds to it, and what
# comes out is the sum of everything that was written.

# %%
n = 50
draws = torch.tensor([through(n, n**-0.5, True, seed) for seed in range(300)], dtype=f64)
error = draws.std() / math.sqrt(300)
claim("50 residual layers with g² = 1/50 multiply |gradient|² by (1 + 1/50)^50 = 2.69 on average",
      abs(draws.mean() - (1 + 1 / n) ** n) < 5 * error and error < 0.1, mean=draws.mean())

generator = torch.Generator().manual_seed(3)
stream = torch.randn(100_000, dtype=f64, generator=generator)
for _ in range(2 * 24):
    stream = stream + torch.randn(100_000, dtype=f64, generator=generator)
claim("24 blocks, 48 layers that add variance 1 each to a stream of variance 1: 49 at the end",
      abs(stream.var() - 49) < 1, variance=stream.var())

# %% [markdown]
# ## 2 · The norm
#
# The sum grows, here to variance 49, sevenfold in length. A layer far up that read it as it is would read numbers seven times as large,
# and write larger ones. So each layer reads a normalised copy. **Layer norm** (Ba, Kiros and Hinton 2016) takes each
# position by itself:
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad \mu = \frac1C\sum_c x_c, \qquad
#   \sigma^2 = \frac1C \sum_c (x_c - \mu)^2, \tag{4.3}$$
#
# times a trained gain for each feature, 1 at the start and left out below. The small $\varepsilon$ keeps a constant
# position from dividing by 0. Since no position sees another, nothing leaks from the future.

# %%
generator = torch.Generator().manual_seed(1)
x = torch.randn(5, 8, dtype=f64, generator=generator) * 3 + 1  # five positions of eight numbers


def layer_norm(x, eps=1e-5):
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)  # divided by C, not by C − 1
    return (x - mean) / (variance + eps).sqrt()


claim("three lines are PyTorch's layer norm",
      torch.allclose(layer_norm(x), F.layer_norm(x, (8,)), rtol=1e-12))
claim("a stream seven times as large looks the same to the layer",
      torch.allclose(layer_norm(7 * x, eps=0), layer_norm(x, eps=0), rtol=1e-12))

# %% [markdown]
# ## 3 · The block
#
# Attention moves information between positions. To work on what has arrived, each position then gets a **feed-forward
# layer**: up to $4C$ features, an activation $\phi$, and down again,
#
# $$\text{FF}(x) = \phi(x\,W_\text{up})\,W_\text{down}, \qquad W_\text{up}\,(C, 4C),\; W_\text{down}\,(4C, C).$$
#
# Without $\phi$ the two matrices would be one. $\phi$ is the GELU, $x$ times the probability that a standard
# normal lies below $x$: near 0 for very negative $x$, near $x$ for large. The same two matrices serve all positions, one
# at a time.
#
# A **layer** is one attention or one feed-forward layer; a **block** is one of each. (The library's `n_layers` counts
# blocks, a habit of the field.)

# %%
class FeedForward(nn.Module):
    def __init__(self, C):
        super().__init__()
        self.up = nn.Linear(C, 4 * C, bias=False)
        self.down = nn.Linear(4 * C, C, bias=False)

    def forward(self, x):  # (…, C)
        return self.down(F.gelu(self.up(x)))


torch.manual_seed(2)
other = x.clone()
other[2, 0] += 1
for name, layer in (("norm", layer_norm), ("feed-forward", FeedForward(8).double())):
    difference = (layer(other) - layer(x)).abs().amax(-1)
    claim(f"{name}: a change of position 2 moves the result there and nowhere else",
          (difference > 1e-6).tolist() == [False, False, True, False, False])

# %% [markdown]
# ### Exercise: the block
# *difficulty 3/5 · importance 5/5 · 10 minutes*
#
# Two layers, two norms, one stream. Where does each go? Three demands decide:
#
# 1. Both layers read numbers of variance 1, however long the stream is.
# 2. If both layers return zeros, the stream comes back as it was, to the last digit.
# 3. The feed-forward layer works on what attention has just found.

# %% tags=["nbval-ignore-output"]
@exercise("transformer.pre_norm_block")
def pre_norm_block(x, norm_1, attention, norm_2, feed_forward):
    """Return the stream x (..., time, d_model) after one block; the other four are functions.

    Worked value: with norms that change nothing, attention = lambda x: 2 * x and
    feed_forward = lambda x: 10 * x, the input x = [[1.]] gives [[33.]].
    """
    ...

# %%
same = lambda x: x
claim("33 = 1 + 2 + 10 · 3",
      pre_norm_block(torch.ones(1, 1), same, lambda x: 2 * x, same, lambda x: 10 * x).item() == 33)
silent = lambda x: torch.zeros_like(x)
claim("layers that say nothing leave the stream alone",
      torch.equal(pre_norm_block(x, layer_norm, silent, layer_norm, silent), x))
show(drawings.block_diagram(),
     alt="The block twice, as a diagram: on the left each layer stands on a side road behind a norm and "
     "adds to the stream; on the right each layer adds to the stream and the sum is normalised.")

# %% [markdown]
# On the left is your block, GPT-2's. On the right is the first Transformer's (Vaswani et al. 2017); section 6 compares them.
#
# ## 4 · The whole model
#
# A table of symbols and a table of positions give the first stream. Then come the blocks, a last norm, and a readout to
# $V$ logits. The readout uses the first table again (**tying**, Press and Wolf 2017): a symbol's logit is the dot product of
# the stream with that symbol's row. `block` is the function that puts the four parts together; we shall try others.

# %%
class MyBlock(nn.Module):
    def __init__(self, C, n_heads, block):
        super().__init__()
        self.norm_1 = nn.LayerNorm(C, bias=False)
        self.attention = MultiHeadAttention(C, n_heads)
        self.norm_2 = nn.LayerNorm(C, bias=False)
        self.feed_forward = FeedForward(C)
        self.block = block

    def forward(self, x):  # (B, T, C)
        mask = causal_mask(x.shape[1], device=x.device)
        attention = lambda x: self.attention.attend(x, mask=mask)[0]
        return self.block(x, self.norm_1, attention, self.norm_2, self.feed_forward)


class MyTransformer(nn.Module):
    def __init__(self, config, block):
        super().__init__()
        C = config.d_model
        self.symbols = nn.Parameter(torch.randn(config.vocab_size, C))
        self.positions = nn.Parameter(torch.randn(config.context_length, C))
        self.blocks = nn.ModuleList(MyBlock(C, config.n_heads, block) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(C, bias=False)

    def stream(self, tokens):  # (B, T) → (B, T, C)
        x = self.symbols[tokens] + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, tokens):
        return self.norm(self.stream(tokens)) @ self.symbols.T  # (B, T, V)

# %% [markdown]
# Is it right? First against the library's model, with the same weights; the gains of all norms are moved away from 1, each by
# its own amount, since equal ones would hide two norms that had changed places. Then against an independent truth. PyTorch has
# this block as `nn.TransformerEncoderLayer` with `norm_first=True`; the matrices of query, key and value are one there.
# Outputs *and* gradients have to agree.

# %%
config = TransformerConfig(vocab_size=65, context_length=16, n_layers=3, n_heads=2, d_model=8)
torch.manual_seed(3)
mine = MyTransformer(config, pre_norm_block).double()
library = Transformer(config).double()
with torch.no_grad():
    for parameter in mine.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=1, std=0.3)
    for target, source in zip(library.parameters(), mine.parameters(), strict=True):
        target.copy_(source)  # the same order: tables, blocks, last norm
tokens = text.train[:32].view(2, 16)
claim("your block, stacked, is the library's model",
      torch.allclose(mine(tokens), library(tokens), rtol=1e-10, atol=1e-12))
blocks = lambda x: mine.blocks[1](mine.blocks[0](x[None]))[0]
claim("no position of two blocks depends on a later one", is_causal(blocks, x.repeat(3, 1)))

# %%
def pytorchs(model, n_heads):
    """Return PyTorch's stack with the weights of our blocks."""
    C = model.symbols.shape[1]
    layer = nn.TransformerEncoderLayer(C, n_heads, 4 * C, dropout=0.0, activation="gelu",
                                       batch_first=True, norm_first=True, bias=False, dtype=f64)
    stack = nn.TransformerEncoder(layer, len(model.blocks), norm=deepcopy(model.norm),
                                  enable_nested_tensor=False)
    for ours, theirs in zip(model.blocks, stack.layers, strict=True):
        a = ours.attention
        together = torch.cat([a.query.weight, a.key.weight, a.value.weight])
        pairs = ((theirs.self_attn.in_proj_weight, together),
                 (theirs.self_attn.out_proj.weight, a.output.weight),
                 (theirs.linear1.weight, ours.feed_forward.up.weight),
                 (theirs.linear2.weight, ours.feed_forward.down.weight),
                 (theirs.norm1.weight, ours.norm_1.weight), (theirs.norm2.weight, ours.norm_2.weight))
        for target, source in pairs:
            target.data.copy_(source.data)
    return stack

# %%
stack = pytorchs(mine, config.n_heads)
table, places = (p.detach().clone().requires_grad_() for p in (mine.symbols, mine.positions))
forbidden = ~causal_mask(16)  # PyTorch's stack wants True where one may not attend
theirs = stack(table[tokens] + places, mask=forbidden) @ table.T
claim("PyTorch's own stack gives the same logits",
      torch.allclose(theirs, mine(tokens), rtol=1e-9, atol=1e-11))

weights = torch.randn(theirs.shape, dtype=f64, generator=torch.Generator().manual_seed(4))
gradients = torch.autograd.grad((theirs * weights).sum(), (table, stack.layers[0].linear1.weight))
wanted = (mine.symbols, mine.blocks[0].feed_forward.up.weight)
ours = torch.autograd.grad((mine(tokens) * weights).sum(), wanted)
claim("and the same gradients, down to the tied table and the first block",
      all(torch.allclose(a, b, rtol=1e-8, atol=1e-10) for a, b in zip(gradients, ours, strict=True)))

# %% [markdown]
# ## 5 · What is each part for?
#
# The picture at the top, in code: each row is one more way to put the same four parts together. All rows had the same 600
# steps of AdamW on the same windows of 32 characters, four blocks of width 64, five seeds. Each row's rate is the best of
# three for a sixth seed, chosen on the same held-out text. The model around the blocks stays, the last norm included.
#
# **Not** the same is the number of parameters: a feed-forward layer has twice attention's. So the full block has two controls
# without feed-forward layers: four blocks, and twelve, which have as many parameters as four full ones.

# %%
def attention_alone(x, norm_1, attention, norm_2, feed_forward):
    return attention(x)


def and_feed_forward(x, norm_1, attention, norm_2, feed_forward):
    return feed_forward(attention(x))


def and_residual(x, norm_1, attention, norm_2, feed_forward):
    x = x + attention(x)
    return x + feed_forward(x)


def without_feed_forward(x, norm_1, attention, norm_2, feed_forward):  # both controls
    return x + attention(norm_1(x))

# %% tags=["nbval-ignore-output"]
from course_lib.chapters.ch04_transformer.trainings import bits_on, start_level, train_on_text

print("one row live, the full block with seed 5, which is not in the record: about 12 s on one CPU core")
run.expect("one training of 600 steps", minutes=1)
rate = ladder["rates"]["+ norm"]
small = TransformerConfig(vocab_size=65, context_length=32, n_layers=4, n_heads=4, d_model=64)
trained = MyTransformer(small, transformer.pre_norm_block)  # the library's: this trains for seconds
start_level(trained, seed=5, outward=(2 * 4) ** -0.5)  # section 6 says why layers begin small
train_on_text(trained.to(run.device), text.train.to(run.device), seed=5, steps=600, rate=rate)
live_bits = bits_on(trained, text.validation.to(run.device))

# %%
bits = {row: torch.tensor(found, dtype=f64) for row, found in ladder["bits"].items()}


def saved(row, without):
    """Return mean and standard error of the paired differences, seed by seed, in bits."""
    difference = bits[without] - bits[row]
    return difference.mean().item(), (difference.std() / math.sqrt(len(difference))).item()


stuck = torch.cat([bits["attention"], bits["+ feed-forward"]])
claim("nothing added to a stream: both rows end within 0.1 bits of letter frequencies, five seeds each",
      (stuck - letters / math.log(2)).abs().max() < 0.1, bits=stuck)
mean, error = saved("+ residual", "+ feed-forward")
claim("+ residual: more than a bit a character is saved, paired over five seeds",
      mean > 1 and mean > 5 * error, saved=mean, standard_error=error)
mean, error = saved("+ norm", "+ residual")
claim("+ norm: less than the residual saves, but more than three standard errors",
      3 * error < mean < 1, saved=mean, standard_error=error)
for control in ("no feed-forward", "no feed-forward, 12 blocks"):
    mean, error = saved("+ norm", control)
    claim(f"the full block needs fewer bits than the control '{control}'", mean > 5 * error, saved=mean,
          standard_error=error)
sizes = ladder["parameters"]
claim("and the control of twelve blocks has as many parameters, within 1 %",
      abs(sizes["no feed-forward, 12 blocks"] / sizes["+ norm"] - 1) < 0.01)
claim("the live row falls where the recorded seeds do, within 0.1 bits",
      bits["+ norm"].min() - 0.1 < live_bits < bits["+ norm"].max() + 0.1, live=live_bits)

# %% [markdown]
# Read the first two rows with care: they do not say that feed-forward layers are useless. Without a stream nothing else could
# show what it is worth. The controls show it: taken *out* of the full block, the feed-forward layer is missed, and more
# attention layers with as many parameters do not replace it. A ladder tells what each part adds *after the parts before it*;
# in another order the steps would be others. And it tells it of four blocks, 600 steps and this text; the norms save little
# here. What the first two rows have in common, the next section measures.

# %% [markdown]
# ## 6 · Before or after?
#
# Take twelve blocks, 24 layers, and let each return a vector of variance 1. With norms before, the stream ends with
# variance 25. With norms after, each sum has variance 2 and is divided by $\sqrt 2$, so that what was there before loses half
# of its share, every time. In general, where $n$ layers add variance $a$ to a stream that begins with 1, the part of
# the variance that is still the embedding's is
#
# $$\text{before: } \frac{1}{1 + n a}, \qquad\qquad \text{after: } \frac{1}{(1 + a)^n}. \tag{4.4}$$
#
# For 24 layers and $a = 1$ these are 1/25 and one in 17 million.

# %%
def share(n, a, after, C=4096):
    """Return the embedding's part of the stream's variance behind n layers of random results."""
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(C, dtype=f64, generator=generator)
    own = x.clone()  # what of x is still the embedding
    for _ in range(n):
        x = x + a**0.5 * torch.randn(C, dtype=f64, generator=generator)
        size = x.std() if after else 1.0
        x, own = x / size, own / size
    return (own.var() / x.var()).item()


before, after = share(24, 1, False), share(24, 1, True)
claim("24 layers leave the embedding 1/25 with norms before, 2^−24 = 6 · 10^−8 after, within 20 %",
      0.8 < 25 * before < 1.2 and 0.8 < 2**24 * after < 1.25, before=before, after=after)

# %% [markdown]
# What a position has of its own is its embedding. Suppose now that what the layers add is much the same for all positions, as
# attention that weighs everything alike would have it: a mean. Then, with norms after, the positions become *the same
# vector*, and no readout can tell them apart. Whether they do can be measured: by the cosine between two positions of a
# sequence behind the last block, averaged over all pairs.
#
# **Guess** that cosine for twelve new, untrained blocks with norms after.

# %% tags=["nbval-ignore-output"]
guess("cosine_after", ...)

# %%
from course_lib.chapters.ch04_transformer.trainings import constant, cosine_between_positions


def post_norm_block(x, norm_1, attention, norm_2, feed_forward):
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


def deep(block, n_blocks, outward, seed):
    """Return a new stack; outward: a factor of the matrices by which its layers write."""
    config = TransformerConfig(vocab_size=65, context_length=32, n_layers=n_blocks, d_model=64)
    model = MyTransformer(config, block)
    start_level(model, seed, outward)  # each matrix keeps the variance of what it is applied to
    return model.to(run.device)


arms = {"norm before": (transformer.pre_norm_block, 12, 1.0), "norm after": (post_norm_block, 12, 1.0),
        "norm after, four blocks": (post_norm_block, 4, 1.0),
        "norm after, small layers": (post_norm_block, 12, 24**-0.5),
        "attention alone": (attention_alone, 4, 1.0), "with feed-forward": (and_feed_forward, 4, 1.0)}
windows = text.validation[: 64 * 32].view(64, 32).to(run.device)
with torch.no_grad():
    alike = {arm: [cosine_between_positions(deep(*how, seed).stream(windows)) for seed in range(5)]
             for arm, how in arms.items()}

# %%
claim("twelve new blocks with norms after: the cosine of two positions is above 0.93, for five seeds",
      min(alike["norm after"]) > 0.93, guessed="cosine_after", cosines=alike["norm after"])
claim("norms before: it is lower with each of the seeds, between 0.7 and 0.93",
      all(0.7 < b < min(a, 0.93)
          for a, b in zip(alike["norm after"], alike["norm before"], strict=True)),
      cosines=alike["norm before"])
claim("norms after on four blocks, or on twelve with small layers: below 0.88, and below 0.3",
      max(alike["norm after, four blocks"]) < 0.88 and max(alike["norm after, small layers"]) < 0.3,
      four=alike["norm after, four blocks"], small=alike["norm after, small layers"])
claim("the ladder's first two rows begin like the twelve blocks with norms after: above 0.93",
      min(alike["attention alone"] + alike["with feed-forward"]) > 0.93)

# %% [markdown]
# *Small layers* are the test of the reason. There the matrices by which the layers write begin $\sqrt{24}$ times as small, so
# that $a = 1/24$, and by equation (4.4) the embedding keeps $1/(1 + 1/24)^{24} = 0.38$ though the norms stand after. If it is the
# sameness of positions that hinders learning, these twelve blocks should learn; if it is the place of the norms, they should
# not. Each arm was trained for 120 steps with five seeds, among them one with a slow start, the usual remedy: the rate rises
# for 60 steps.

# %% tags=["nbval-ignore-output"]
print("three arms live, with seed 5, which is not in the record: about 20 s on one CPU core")
run.expect("three trainings of 120 steps", minutes=1)
live = {arm: train_on_text(deep(*arms[arm], 5), text.train.to(run.device), 5, 120, 1e-3, constant)
        for arm in ("norm before", "norm after", "norm after, small layers")}

# %%
depth = recorded("depth").values
ends = {arm: torch.tensor([curve[-1] for curve in curves]) for arm, curves in depth["curves"].items()}
alike_at_end = {arm: min(end for _, end in found) for arm, found in depth["cosine"].items()}
stuck = ("norm after", "norm after, slow start")
claim("twelve blocks with norms after, slow start or not: letter frequencies, all positions one vector",
      all((ends[arm] - letters).abs().max() < 0.15 and alike_at_end[arm] > 0.99 for arm in stuck),
      losses=[ends[arm].mean() for arm in stuck], letter_frequencies=letters)
claim("norms before: at least 0.4 nats less than letter frequencies, with each of five seeds",
      ends["norm before"].max() < letters - 0.4, losses=ends["norm before"])
claim("norms after, but small layers or only four blocks: at least 0.4 nats less too",
      all(ends[f"norm after, {arm}"].max() < letters - 0.4 for arm in ("small layers", "four blocks")),
      small=ends["norm after, small layers"], four=ends["norm after, four blocks"])
gap = ends["norm before"] - ends["norm before, small layers"]
claim("small layers help norms before as well: by paired differences, more than three standard errors",
      gap.mean() > 3 * gap.std() / 5**0.5, saved=gap.mean(), standard_error=gap.std() / 5**0.5)
claim("live, seed 5: norms after stay at letter frequencies; before, or begun small, they fall by 0.4",
      abs(live["norm after"][-1] - letters) < 0.2
      and max(live["norm before"][-1], live["norm after, small layers"][-1]) < letters - 0.4,
      **{name.replace(" ", "_").replace(",", ""): losses[-1] for name, losses in live.items()})

# %% tags=["hide-input"]
show(drawings.deep(depth, letters),
     alt="Left: losses of six arms over 120 steps; twelve blocks with norms after, slow start or not, "
     "stay at letter frequencies. Right: those two began with a cosine above 0.93, the others below.")

# %% [markdown]
# So it is not the place of the norms by itself. Norms after, on twelve blocks of full-size layers, make all positions one vector,
# and one vector for all can give letter frequencies at best. With layers that begin small, the same norms leave the positions
# apart, and the stack learns. Norms before do without, though small layers help them too: GPT-2 has both, with the
# factor $1/\sqrt{2\,n_\text{layers}}$, and so has our model of section 5. (Equation (4.4) is a guide, no fit: our tables begin with
# variance 0.02, not 1, and layers do not write quite the same everywhere.)
#
# Xiong et al. (2020) give another reason: with norms after, gradients near the output are large at the start, so the rate
# has to rise slowly. Their stacks train with that, for far more steps; ours, in 120 steps, did not. Both can be true.

# %% [markdown]
# ### Exercise: name the fault
# *difficulty 3/5 · importance 4/5 · 5 minutes*
#
# Two stacks of twelve layers before training, each with one fault at most. A layer of theirs returns variance 0.4 for an
# input of variance 1. For each stack choose one of `no_residual`, `no_norm`, `post_norm`, `norm_on_the_output` and `no_fault`.

# %% tags=["hide-input"]
from course_lib.chapters.ch04_transformer.stacks import symptoms

show(symptoms(),
     alt="The stream's variance behind each of twelve layers, for two stacks on logarithmic axes: one "
     "ends at 13, the other at 61; the numbers on the curves are to be compared.")

# %% tags=["nbval-ignore-output"]
answer("transformer.fault_a", ...)
answer("transformer.fault_b", ...)

# %% [markdown]
# ## 7 · What it costs
#
# **Parameters.** A block has four matrices of $C \times C$ in attention, and in the feed-forward layer two of $C \times 4C$:
# together $12C^2$, and two gains. In front stand the tables, behind the blocks one more gain; the readout is tied. Heads only
# cut $C$ into pieces and do not count.

# %%
def parameters(config):
    C = config.d_model
    block = 4 * C * C + 2 * C * 4 * C + 2 * C
    return config.vocab_size * C + config.context_length * C + config.n_layers * block + C


claim("the count on paper is the model's",
      parameters(small) == sum(parameter.numel() for parameter in trained.parameters()))
gpt2 = TransformerConfig(vocab_size=50257, context_length=1024, n_layers=12, n_heads=12, d_model=768)
claim("GPT-2's smallest model has 124 million; the matrices of its 12 blocks hold 85 million of them",
      round(parameters(gpt2) / 1e6) == 124 and round(12 * 12 * 768**2 / 1e6) == 85)

# %% [markdown]
# ### Exercise: count the operations
# *difficulty 3/5 · importance 4/5 · 15 minutes*
#
# In a large model nearly all operations are those of matrix products, so count these alone. How many a product takes, you
# know from chapter 03: for shapes $(n, m)$ and $(m, p)$ it is $2nmp$, a multiplication and an addition each.

# %% tags=["nbval-ignore-output"]
@exercise("transformer.forward_flops")
def forward_flops(config, time):
    """Return the operations of all matrix products in one forward pass of a sequence, an integer.

    config has vocab_size, context_length, n_layers (blocks), n_heads, d_model; time: positions of
    the sequence. As in the cells above, scores are computed for all pairs and the mask hides some.
    Worked value: vocab_size 2, n_layers 1, n_heads 1, d_model 4 and time 3 give 1344.
    """
    ...

# %% [markdown]
# PyTorch can count too: `FlopCounterMode` listens to every product. And backward: a product $Y = XW$ has two derivatives,
# $\partial L/\partial X = G W^\top$ and $\partial L/\partial W = X^\top G$ with $G = \partial L/\partial Y$, each as
# expensive as the product itself.

# %%
model = MyTransformer(small, transformer.pre_norm_block)
with FlopCounterMode(display=False) as forward:
    logits = model(text.train[None, :32])
with FlopCounterMode(display=False) as backward:
    logits.sum().backward()
tiny = TransformerConfig(vocab_size=2, context_length=3, n_layers=1, n_heads=1, d_model=4)
print(f"forward {forward.get_total_flops():,}, backward {backward.get_total_flops():,}")
claim("the operations on paper are those that were run, and 1,344 for the worked value",
      forward_flops(small, 32) == forward.get_total_flops() and forward_flops(tiny, 3) == 1344)
claim("backward takes exactly twice as many",
      backward.get_total_flops() == 2 * forward.get_total_flops())

# %% [markdown]
# Each of the $N$ numbers in the matrices is used once a position, for two operations, and backward makes it six. Hence the
# rule of thumb for training, **6 N operations a token**. It leaves out the pairs. For one position and one block,
#
# $$\text{forward operations} = 24\,C^2 + 4\,T\,C. \tag{4.5}$$
#
# The second term is the part that makes a sequence ‘quadratic in its length’, since $T$ positions pay it. It counts all pairs;
# where those that the causal mask hides are skipped, it is about half.
#
# From how many positions on do all pairs cost more than *all* matrices of a block, for $C = 128$? (Chapter 03 compared them with
# attention's own four.)

# %% tags=["nbval-ignore-output"]
answer("transformer.crossover", ...)

# %%
at = lambda C, T: TransformerConfig(vocab_size=1, context_length=T, n_layers=1, n_heads=1, d_model=C)
block_at = lambda C, T: transformer.forward_flops(at(C, T), T) - 2 * T * C  # the readout of one symbol
matrices = lambda C, T: 24 * C * C * T
claim("at T = 6C all pairs take half of a block's operations, for C = 128 as for GPT-3's 12,288",
      all(block_at(C, 6 * C) == 2 * matrices(C, 6 * C) for C in (128, 12_288)))
seen = lambda T: T * (T + 1) // 2  # pairs that a causal mask leaves
claim("the causal pairs alone catch up at T = 12C − 1, nearly twice as late",
      all(4 * C * seen(12 * C - 1) == matrices(C, 12 * C - 1) for C in (128, 12_288)))
N = 4 * 12 * 64**2 + 65 * 64  # the matrices that are multiplied by: blocks and readout
training = forward.get_total_flops() + backward.get_total_flops()
claim("training on 32 tokens is 6 N a token, and 12 T C a token and block for the pairs",
      training == 32 * (6 * N + 4 * 12 * 32 * 64))

# %% [markdown]
# For GPT-3, with $C = 12{,}288$, all pairs catch up at 73,728 positions. It was trained on 2,048, where by equation (4.5) they
# take 3 % of a block's operations. ‘Transformers are expensive because attention is quadratic’ is true of long
# texts; at GPT-3's length, nearly all of the cost is $N$.
#
# ## 8 · A first sample
#
# A model that gives the next symbol's probabilities writes: draw a symbol, append it, ask again. Ours from section 5 has seen
# 600 steps; beside it the model that comes with the course, the same kind of block with the changes that
# chapter 05 explains, trained for longer. (Chapter 02's number is of the whole held-out text, the others are
# of its first half.)

# %% tags=["nbval-ignore-output"]
from course_lib.pretrained.language_model import load_language_model

shipped = load_language_model().to(run.device)


@torch.no_grad()
def write(model, n, context, seed=1, begin="\n"):
    """Return begin and n drawn characters; the model sees the last context ones."""
    generator, tokens = torch.Generator().manual_seed(seed), text.encode(begin)
    for _ in range(n):
        logits = model(tokens[None, -context:].to(run.device))[0, -1].float().cpu()
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = torch.cat([tokens, drawn])
    return text.decode(tokens)


print("--- 600 steps:", write(trained, 160, context=32))
print("--- the course's model:", write(shipped, 320, context=shipped.config.context_length))

# %%
from course_lib.evaluation.language import cross_entropy

shipped_bits = cross_entropy(shipped, text.validation.to(run.device)) / math.log(2)
of_chapter_02 = recorded("attention_only").mean("bits")
claim("the course's model needs at least 0.4 bits a character less than chapter 02's attention alone",
      shipped_bits < of_chapter_02 - 0.4, model=shipped_bits, chapter_02=of_chapter_02, ours=live_bits)

# %% [markdown]
# ## What stays
#
# - Through random residual layers $|$gradient$|^2$ changes by $1 + g^2$ each instead of $g^2$: [*50 residual layers with g² = 1/50*](#1-·-The-stream).
# - Two norms, two layers and two sums, stacked, are PyTorch's model: [*and the same gradients, down to the tied table and the first block*](#4-·-The-whole-model).
# - Here, four blocks stayed at letter frequencies until results were added to a stream
#   ([*nothing added to a stream*](#5-·-What-is-each-part-for?)); out of the full block, the feed-forward layer was missed, also
#   at equal parameters ([*the full block needs fewer bits than the control*](#5-·-What-is-each-part-for?)).
# - Twelve blocks with norms after made all positions one vector and did not learn in 120 steps
#   ([*letter frequencies, all positions one vector*](#6-·-Before-or-after?)); begun small, they did
#   ([*but small layers or only four blocks*](#6-·-Before-or-after?)).
# - Scores for all pairs, and the sums that they weigh, take half of a block's operations at $T = 6C$:
#   [*all pairs take half of a block's operations*](#Exercise:-count-the-operations).

# %% tags=["nbval-ignore-output"]
progress("04_transformer")

# %% [markdown]
# **Open questions.** Twelve blocks with norms after learned once their layers began small: what would a hundred need? What do
# the feed-forward layers of a trained model store?
#
# **References.** Vaswani et al. 2017, *Attention is all you need*: section 3. He et al. 2016, *Deep residual learning for image
# recognition*. Ba, Kiros and Hinton 2016, *Layer normalization*. Xiong et al. 2020, *On layer normalization in the
# transformer architecture*: section 3.3. Dong et al. 2021, *Attention is not all you need: pure attention loses rank doubly
# exponentially with depth*. Wang et al. 2022, *DeepNet*: small layers for norms after. Radford et al. 2019, *Language
# models are unsupervised multitask learners*: section 2.3, the scaled start. Press and Wolf 2017, *Using the output
# embedding to improve language models*. Kaplan et al. 2020, *Scaling laws for neural language models*: table 1 counts operations.
