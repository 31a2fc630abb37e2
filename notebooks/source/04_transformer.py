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
# A Transformer is attention and one more kind of layer, stacked many times. Below, four blocks were trained on Shakespeare
# four times over; from row to row the block gets one part more. The first two rows learn how often each letter occurs, and
# hardly anything else.

# %% tags=["hide-input"]
import math

import torch

from course_lib.chapters.ch04_transformer import figures as drawings
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded
from course_lib.datasets.text import load_shakespeare

text = load_shakespeare(test=True)
frequencies, held_out = (torch.bincount(part, minlength=65).double() / len(part)
                         for part in (text.train, text.validation))
letters = torch.special.entr(frequencies).sum().item()  # nats a character of the text trained on
letters_held_out = -(held_out * frequencies.log2()).sum().item()  # bits a character of the other half
record = recorded("block_ladder")
ladder = record.values
show(drawings.ladder(ladder["bits"], letters_held_out),
     alt="Bits per character of four rows, five seeds each: attention alone and attention with a "
     "feed-forward layer stay at letter frequencies, 4.8; added to a stream they need far fewer bits.")

# %% [markdown]
# Afterwards you can
#
# - say what a residual stream and a norm are for, by derivation and measurement;
# - write the Transformer's block, and show that your model is PyTorch's;
# - count a model's parameters and operations before you build it.
#
# **Needs** chapters 02 and 03. **Time** 45 minutes to read, 35 for the exercises; the cells take about 40 seconds on a CPU.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | the stream; $x_i$: in front of layer $i$, which returns $f_i$ | (T, C) |
# | $\hat x, \mu, \sigma$ | a position normalised; its mean, standard deviation | (C,) |
# | $J, g, u$ | derivative of $f_i$ at one position; its size; a gradient | (C, C); ; (C,) |
# | $n, N$ | how many layers; numbers in a model's matrices | |
# | $L, G$ | loss; its derivative by a product | |
# | $B, T, C, V$ | as in chapter 02 | |
#
# $\phi$ is an activation, $\varepsilon$ a small number, $a$ the variance that a layer adds.

# %% tags=["nbval-ignore-output"]
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
from course_lib.evaluation.comparisons import paired_difference
from course_lib.training.runtime import start

run = start(seed=0, threads=1)  # these models are too small to share between cores
f64 = torch.float64

# %% [markdown]
# ## 1 · The stream
#
# Let a layer replace what it reads, $x_{i+1} = f_i(x_i)$, and stack twenty. By the chain rule the gradient that arrives
# at the first has been multiplied by twenty Jacobians $J$ (transposed, which changes nothing here). Suppose that a $J$
# has independent entries of mean 0 and variance $g^2/C$. A gradient $u$ then comes out with
#
# $$\mathrm{E}\,\|Ju\|^2 = \sum_{a}\sum_{b} \frac{g^2}{C}\, u_b^2 = g^2 \|u\|^2, \tag{4.1}$$
#
# and twenty independent layers multiply $\|u\|^2$ by $g^{40}$. For $g = 0.8$ the gradient's length shrinks to about
# $0.8^{20}$, an 87th of what it was; for $g = 1.25$ it grows 87-fold. Only $g = 1$ would do, and nothing keeps it there.

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
# since the middle term has mean 0. It grows slowly where every layer says little: with $g^2 = 1/n$, all $n$ layers
# multiply by $(1 + 1/n)^n < e$, at any depth.
#
# What the positions carry is now a **stream**. It begins as the embedding; each layer reads it and adds to it.

# %%
draws = torch.tensor([through(20, 20**-0.5, True, seed) for seed in range(300)], dtype=f64)
claim("20 residual layers with g² = 1/20 multiply |gradient|² by 2.65 on average, within 0.25",
      abs(draws.mean() - (1 + 1 / 20) ** 20) < 0.25, mean=draws.mean())

# %% [markdown]
# ## 2 · The norm
#
# The sum grows. If 48 layers each add variance 1 to a stream of variance 1, it ends with 49, sevenfold in length; a layer far
# up would read numbers seven times as large, and write larger ones. So each layer reads a normalised copy. **Layer norm**
# (Ba, Kiros and Hinton 2016) takes each
# position by itself:
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad \mu = \frac1C\sum_c x_c, \qquad
#   \sigma^2 = \frac1C \sum_c (x_c - \mu)^2, \tag{4.3}$$
#
# times a trained gain for each feature, 1 at the start and left out of `layer_norm` in the next cell. The small $\varepsilon$ keeps a constant
# position from dividing by 0.

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
# normal lies below $x$. The same two matrices serve all positions, one at a time.
#
# A **layer** is one attention or one feed-forward layer; a **block** is one of each. (The library's `n_layers` counts
# blocks.)

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
silent = lambda x: 0 * x
claim("layers that say nothing leave the stream alone",
      torch.equal(pre_norm_block(x, layer_norm, silent, layer_norm, silent), x))
show(drawings.block_diagram(),
     alt="The block twice, as a diagram: on the left each layer stands on a side road behind a norm and "
     "adds to the stream; on the right each layer adds to the stream and the sum is normalised.")

# %% [markdown]
# On the left is your block. GPT-2's is the same with biases and an approximate GELU. On the right is the first Transformer's (Vaswani et al. 2017); section 6 compares them.
#
# ## 4 · The whole model
#
# A table of symbols and a table of positions give the first stream. Then come the blocks, a last norm, and a readout to
# $V$ logits. The readout uses the first table again (**tying**, Press and Wolf 2017): a symbol's logit is the dot product of
# the normalised stream with that symbol's row. `block` is the function that puts the four parts together; we shall try others.

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
# its own amount, since equal ones would hide two norms that changed places. Then against PyTorch's
# `nn.TransformerEncoderLayer` with `norm_first=True` (the folded cell copies the weights). Outputs *and* gradients have to agree.

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

# %% tags=["hide-input"]
from copy import deepcopy


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
# The picture at the top, in code: each row puts the same four parts together in one more way. All had the same 600
# steps of AdamW on the same windows of 32 characters, four blocks of width 64, and five seeds. Each row's rate is
# the best of three for a sixth seed after 400 steps, on the same held-out text.
#
# Two things are **not** the same. Where results are added to a stream, layers *begin small*: the matrices by which they write
# are divided by $\sqrt{2 \cdot \text{blocks}}$ at the start (section 6 tests that). And a feed-forward layer has twice
# attention's parameters. So the full block has two controls without: four blocks, and twelve, with as many parameters as
# four full ones.

# %%
def attention_alone(x, norm_1, attention, norm_2, feed_forward):
    return attention(x)


def and_feed_forward(x, norm_1, attention, norm_2, feed_forward):
    return feed_forward(attention(x))


def and_residual(x, norm_1, attention, norm_2, feed_forward):
    x = x + attention(x)
    return x + feed_forward(x)


# "+ norm" is pre_norm_block; both controls: x + attention(norm_1(x))

# %% tags=["nbval-ignore-output"]
from course_lib.chapters.ch04_transformer.trainings import bits_on, start_level, train_on_text

# One row live, the full block with seed 5, which is not in the record: about 12 s on one CPU core.
run.expect("one training of 600 steps", minutes=1)
rate = ladder["rates"]["+ norm"]
small = TransformerConfig(vocab_size=65, context_length=32, n_layers=4, n_heads=4, d_model=64)
trained = MyTransformer(small, transformer.pre_norm_block)  # the library's: this trains for seconds
start_level(trained, seed=5, outward=(2 * 4) ** -0.5)  # draws weights; outward: of those that write
train_on_text(trained.to(run.device), text.train.to(run.device), seed=5, steps=600, rate=rate)
live_bits = bits_on(trained, text.validation.to(run.device))

# %%
bits = {row: torch.tensor(found, dtype=f64) for row, found in ladder["bits"].items()}
stuck = torch.cat([bits["attention"], bits["+ feed-forward"]])
claim("nothing added to a stream: both rows end within 0.1 bits of letter frequencies, five seeds each",
      (stuck - letters_held_out).abs().max() < 0.1, bits=stuck)
mean, error = paired_difference(bits["+ feed-forward"], bits["+ residual"])  # seed by seed, in bits
claim("+ residual: more than a bit a character is saved, paired over five seeds",
      mean > 1 and mean > 5 * error, saved=mean, standard_error=error)
mean, error = paired_difference(bits["+ residual"], bits["+ norm"])
claim("+ norm, layers begun small: under 0.2 bits are saved, but more than three standard errors",
      3 * error < mean < 0.2, saved=mean, standard_error=error)
full_size = {row: torch.tensor(found) for row, found in ladder["bits, full-size layers"].items()}
cost = full_size["+ norm"] - full_size["+ residual"]
claim("+ norm, layers begun full size, at the same rate: bits are lost, with each of five seeds",
      cost.min() > 0, lost=cost)
for control in ("no feed-forward", "no feed-forward, 12 blocks"):
    mean, error = paired_difference(bits[control], bits["+ norm"])
    claim(f"the full block needs fewer bits than the control '{control}'", mean > 5 * error, saved=mean,
          standard_error=error)
sizes = ladder["parameters"]
claim("and the control of twelve blocks has as many parameters, within 1 %",
      abs(sizes["no feed-forward, 12 blocks"] / sizes["+ norm"] - 1) < 0.01)
claim("the live row falls where the recorded seeds do, within 0.1 bits",
      bits["+ norm"].min() - 0.1 < live_bits < bits["+ norm"].max() + 0.1,
      live=record.beside(live_bits, bits["+ norm"]))

# %% [markdown]
# The first two rows do not say that feed-forward layers are useless: taken *out* of the full block, one is missed, and more
# attention with as many parameters does not replace it. A ladder tells what each part adds *after the parts before it*.
# With layers begun small, the norms save little here; with full-size layers, at the rate chosen for small ones, they cost.

# %% [markdown]
# ## 6 · Before or after?
#
# Let each of 24 layers return a vector of variance 1. With norms before, the stream ends with
# variance 25. With norms after, each sum has variance 2 and is divided by $\sqrt 2$; what was there before loses half
# of its share. Where $n$ layers add variance $a$ to a stream that begins with 1, the embedding's share of the
# variance is
#
# $$\text{before: } \frac{1}{1 + n a}, \qquad\qquad \text{after: } \frac{1}{(1 + a)^n}. \tag{4.4}$$
#
# For 24 layers, $a = 1$ and an embedding of variance 1: 1/25 and one in 17 million.
#
# What a position has of its own at first is its embedding. If what the layers add is much the same for all
# positions, norms after make them nearly *the same vector*. The cosine between two positions of a
# sequence at the end, averaged, can tell.
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
    """Return a new stack; outward: factor of the matrices by which its layers write, 1 for full size."""
    config = TransformerConfig(vocab_size=65, context_length=32, n_layers=n_blocks, d_model=64)
    model = MyTransformer(config, block)
    start_level(model, seed, outward)  # each matrix keeps the variance of what it is applied to
    return model.to(run.device)


arms = {"norm before": (transformer.pre_norm_block, 12, 1.0), "norm after": (post_norm_block, 12, 1.0),
        "norm after, four blocks": (post_norm_block, 4, 1.0),
        "norm after, small layers": (post_norm_block, 12, 24**-0.5)}
windows = text.validation[: 64 * 32].view(64, 32).to(run.device)
with torch.no_grad():
    alike = {arm: [cosine_between_positions(deep(*how, seed).stream(windows)) for seed in range(5)]
             for arm, how in arms.items()}

# %%
claim("twelve new blocks with norms after: the cosine of two positions is above 0.93, for five seeds",
      min(alike["norm after"]) > 0.93, guessed="cosine_after", cosines=alike["norm after"])
claim("norms before: it is lower with each of the seeds, between 0.7 and 0.93",
      min(alike["norm before"]) > 0.7 and max(alike["norm before"]) < 0.93, cosines=alike["norm before"])
claim("norms after on four blocks, or on twelve with small layers: below 0.88, and below 0.3",
      max(alike["norm after, four blocks"]) < 0.88 and max(alike["norm after, small layers"]) < 0.3,
      four=alike["norm after, four blocks"], small=alike["norm after, small layers"])
# %% [markdown]
# With $a = 1$, equation (4.4) orders twelve blocks before against twelve after, no more. Our streams do not begin with variance 1:
# two tables of standard deviation 0.1 add up to 0.02, and the layers add other amounts than 1. By 1/256 and 1/25 four blocks
# after should be more alike than twelve before, and they are less.
#
# Does sameness hinder learning? *Small layers* are one test: were $a = 1/24$, the embedding would keep
# $1/(1 + 1/24)^{24} = 0.38$ though the norms stand after. They change more than the sameness, so two more
# stacks begin small *and* with one common vector added to all positions, which makes them alike again.
#
# Eight kinds of stack were trained, each for 120 steps at the rate $10^{-3}$ with five seeds. One has norms after and the usual
# remedy, a slow start: its rate rises over the first 60 steps.

# %% tags=["nbval-ignore-output"]
# Three arms live, with seed 5, which is not in the record: about 20 s on one CPU core.
run.expect("three trainings of 120 steps", minutes=1)
live = {arm: train_on_text(deep(*arms[arm], 5), text.train.to(run.device), 5, 120, 1e-3, constant)
        for arm in ("norm before", "norm after", "norm after, small layers")}

# %%
of_depth = recorded("depth")
depth = of_depth.values
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
after, before = (ends[f"norm {place}, small layers, alike"] for place in ("after", "before"))
claim("begun small but alike: norms after save nothing on letter frequencies, norms before 0.25 nats",
      after.min() > letters - 0.15 and before.max() < letters - 0.25, after=after, before=before)
slow = torch.tensor(depth["slow"]["loss"])
claim("twelve full-size blocks with norms after, at 3e-4 for 600 steps: three times 0.4 nats less",
      slow.max() < letters - 0.4, losses=slow)
claim("live, seed 5: norms after stay at letter frequencies; before, or begun small, they fall by 0.4",
      abs(live["norm after"][-1] - letters) < 0.2
      and max(live["norm before"][-1], live["norm after, small layers"][-1]) < letters - 0.4,
      **{name.replace(" ", "_").replace(",", ""): of_depth.beside(losses[-1], ends[name])
         for name, losses in live.items()})

# %% tags=["hide-input"]
show(drawings.deep(depth, letters),
     alt="Losses of eight kinds over 120 steps; three with norms after stay at letter frequencies. "
     "Right: those began with a cosine above 0.93; so did one with norms before, which fell later.")

# %% [markdown]
# Twelve full-size blocks with norms after began with positions nearly alike, and at this rate training made them one vector,
# which can give letter frequencies at best. At $3 \cdot 10^{-4}$ for 600 steps the same blocks do learn (three seeds). Begun
# small they learn in 120, unless positions are made alike; then norms before still do. So sameness hinders, and norms before
# escape it sooner. GPT-2 has norms before *and* small layers, and so has our model of section 5.
#
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
# Count the matrix products alone; in a large model they are nearly everything. From chapter 03: for shapes $(T, m)$ and
# $(m, p)$ a product takes $2Tmp$ operations, a multiplication and an addition each.

# %% tags=["nbval-ignore-output"]
@exercise("transformer.forward_flops")
def forward_flops(config, time):
    """Return the operations of all matrix products in one forward pass of a sequence.

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
claim("the operations on paper are those that were run",
      forward_flops(small, 32) == forward.get_total_flops())
claim("backward takes exactly twice as many",
      backward.get_total_flops() == 2 * forward.get_total_flops())

# %% [markdown]
# Each of the $N$ numbers in the matrices is used once a position, for two operations, and backward makes it six. Hence the
# rule of thumb for training, **6 N operations a token**. It leaves out the pairs.
#
# At how many positions do all pairs cost as much as *all* matrices of a block, for $C = 128$?

# %% tags=["nbval-ignore-output"]
answer("transformer.crossover", ...)

# %%
at = lambda C, T: TransformerConfig(vocab_size=1, context_length=T, n_layers=1, n_heads=1, d_model=C)
block_at = lambda C, T: transformer.forward_flops(at(C, T), T) - 2 * T * C  # the readout of one symbol
matrices = lambda C, T: 24 * C * C * T
claim("at T = 6C all pairs take half of a block's operations, for C = 128 as for GPT-3's 12,288",
      all(block_at(C, 6 * C) == 2 * matrices(C, 6 * C) for C in (128, 12_288)))
N = 4 * 12 * 64**2 + 65 * 64  # the matrices that are multiplied by: blocks and readout
training = forward.get_total_flops() + backward.get_total_flops()
claim("training on 32 tokens is 6 N a token, and 12 T C a token and block for the pairs",
      training == 32 * (6 * N + 4 * 12 * 32 * 64))

# %% [markdown]
# In a forward pass one position and one block take
#
# $$24\,C^2 + 4\,T\,C \text{ operations}. \tag{4.5}$$
#
# $T$ positions pay the second term, so it is ‘quadratic’. (It counts all pairs; where those that the mask hides are skipped,
# it catches up nearly twice as late.) For GPT-3, with $C = 12{,}288$, all pairs catch up at 73,728 positions. It was
# trained on 2,048, where by equation (4.5) they take 3 % of a block's operations.
#
# ## 8 · A first sample
#
# A model that gives the next symbol's probabilities writes: draw a symbol, append it, ask again. Ours from section 5 has seen
# 600 steps; beside it the course's own model, with the changes that chapter 05 explains, trained for longer. (Chapter 02b's number
# is of all held-out text, the model's of its first half.)

# %% tags=["nbval-ignore-output"]
from course_lib.pretrained.language_model import load_language_model

shipped = load_language_model().to(run.device)


@torch.no_grad()
def write(model, length, context, seed=1, begin="\n"):
    """Return begin and length drawn characters; the model sees the last context ones."""
    generator, tokens = torch.Generator().manual_seed(seed), text.encode(begin)
    for _ in range(length):
        logits = model(tokens[None, -context:].to(run.device))[0, -1].float().cpu()
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = torch.cat([tokens, drawn])
    return text.decode(tokens)


print("--- 600 steps:", write(trained, 160, context=32))
print("--- the course's model:", write(shipped, 320, context=shipped.config.context_length))

# %%
from course_lib.evaluation.language import cross_entropy

shipped_bits = cross_entropy(shipped, text.validation.to(run.device)) / math.log(2)
of_chapter_02b = recorded("attention_only").mean("bits")
claim("the course's model needs at least 0.4 bits a character less than chapter 02b's attention alone",
      shipped_bits < of_chapter_02b - 0.4, model=shipped_bits, chapter_02b=of_chapter_02b)

# %% [markdown]
# ## What stays
#
# - Each random residual layer multiplies $|$gradient$|^2$ by $1 + g^2$ on average: [*20 residual layers with g² = 1/20*](#1-·-The-stream).
# - The block, stacked, is PyTorch's model: [*and the same gradients, down to the tied table and the first block*](#4-·-The-whole-model).
# - In 600 steps, at the best of three rates, four blocks stayed at letter frequencies until results joined a stream
#   ([*nothing added to a stream*](#5-·-What-is-each-part-for?)); out of the full block, the feed-forward layer was missed
#   ([*the full block needs fewer bits than the control*](#5-·-What-is-each-part-for?)).
# - Twelve full-size blocks with norms after did not learn in 120 steps at one rate
#   ([*letter frequencies, all positions one vector*](#6-·-Before-or-after?)). Begun small, or at a lower rate for
#   600, they did ([*but small layers or only four blocks*](#6-·-Before-or-after?);
#   [*at 3e-4 for 600 steps*](#6-·-Before-or-after?)).
# - At $T = 6C$ [*all pairs take half of a block's operations*](#Exercise:-count-the-operations); [*the operations on paper are those that were run*](#Exercise:-count-the-operations).

# %% tags=["nbval-ignore-output"]
progress("04_transformer")

# %% [markdown]
# **Open questions.** What would a hundred blocks with norms after need? What do the feed-forward layers of a trained model
# store?
#
# **References.** Vaswani et al. 2017, *Attention is all you need*: section 3. He et al. 2016, *Deep residual learning for image
# recognition*. Ba, Kiros and Hinton 2016, *Layer normalization*. Xiong et al. 2020, *On layer normalization in the
# transformer architecture*: another reason for slow starts. Dong et al. 2021, *Attention is not all you need: pure attention loses rank doubly
# exponentially with depth*. Wang et al. 2022, *DeepNet*: small layers for norms after. Radford et al. 2019, *Language
# models are unsupervised multitask learners*: section 2.3, the scaled start. Press and Wolf 2017, *Using the output
# embedding to improve language models*. Kaplan et al. 2020, *Scaling laws for neural language models*: table 1 counts operations.
