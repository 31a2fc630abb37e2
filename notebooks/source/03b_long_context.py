# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03b · Long context
#
# **What does a long text cost to train on, and to write with?**
#
# Chapter 03 ran the softmax over tiles and never held the table of all pairs. That was the forward pass. Training goes
# back as well, and for the way back it keeps what the derivatives need. This optional chapter counts what that is,
# replaces it, and then looks at what a model must remember while it writes. No later chapter relies on it.

# %% tags=["hide-input"]
from course_lib.chapters.ch03b_long_context import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Bytes that one attention head keeps for its backward pass, against length: at 65,536 "
         "positions 16 GiB when the weights are kept, 64 MiB when they are computed again.")

# %% [markdown]
# Afterwards you can
#
# - predict, to the byte, what attention keeps for its backward pass;
# - derive and write a backward pass that keeps no weights, and say what it costs;
# - work out the cache of a large model, and when attention costs more than its weights.
#
# **Needs** chapters 02 and 03. **Time** 35 minutes to read and run, 25 more for the three exercises; the cells take
# about 5 seconds on two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $q, k, v$ | queries, keys, values of one head | (T, d) |
# | $s, p$ | scores, and the weights that the softmax makes of them | (T, T) |
# | $O, G$ | the output, and $\partial L/\partial O$ | (T, d) |
# | $m, l, o$ | running maximum, sum, weighted sum | (T,), (T,), (T, d) |
# | $z$ | $m + \log l$ after the last key | (T,) |
# | $T, C, d, H$ | positions, numbers of a position, of a head, heads | |

# %% tags=["nbval-ignore-output"]
import math
from functools import partial

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.online import online_attention, online_softmax_update
from course_lib.attention.positions import position_angles, rotate
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · What training keeps
#
# In the forward pass autograd stores whatever the formulas of the derivatives will need. PyTorch lets us watch: every tensor
# that is stored passes through a hook, and the hook can note its size.

# %%
def kept(function, *inputs):
    """Return how many bytes autograd keeps for the backward pass of function(*inputs)."""
    storages = {}

    def look(tensor):
        memory = tensor.untyped_storage()
        storages[memory.data_ptr()] = memory.nbytes()  # two views of one memory count once
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor):
        output = function(*inputs)
    assert output.requires_grad
    return sum(storages.values())


def explicit(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v


def inputs(T, H=1, d=64):
    return [torch.randn(H, T, d, requires_grad=True) for _ in range(3)]


# %% [markdown]
# ### Exercise: predict the bytes
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# Chapter 02 derived the backward pass: it uses $p$, $q$, $k$ and $v$, so the explicit form keeps these four. What we build
# in section 3 will keep $q$, $k$, $v$, the output and one number for each query instead. How many bytes is each?

# %% tags=["nbval-ignore-output"]
@exercise("positions.attention_bytes")
def attention_bytes(n_heads, T, d_head, itemsize=4):
    """Return (explicit, online): the bytes that attention keeps for its backward pass, no mask.

    itemsize: bytes of one number. Explicit keeps q, k, v and the weights, of every head;
    online keeps q, k, v, the output and one number a query.
    Worked value: one head, T = 2, d_head = 1, itemsize 1 give (10, 10).
    """
    # two whole numbers, in bytes
    ...

# %%
sizes = [(1, 256, 64), (4, 512, 32), (1, 1024, 64)]  # heads, T, d_head
claim("explicit attention keeps what you predicted, to the byte",
      all(kept(explicit, *inputs(T, H, d)) == attention_bytes(H, T, d)[0] for H, T, d in sizes))
claim("at T = 1,024 and d = 64 the weights are 84 percent of it",
      round(100 * 4 * 1024**2 / float(attention_bytes(1, 1024, 64)[0])) == 84)

# %% [markdown]
# ## 2 · Tiles alone
#
# Here is chapter 03's loop over tiles of keys. It makes no table of $T\times T$; the largest is $T\times 64$.
# How many times as many bytes as for the explicit form does autograd keep for it, at 1,024 positions? Write down a factor,
# below 1 for fewer.

# %%
def through_tiles(q, k, v, tile=64):
    """Return the output and z = m + log l, tile by tile; q, k, v (heads, T, d)."""
    m, l = q.new_full(q.shape[:-1], -math.inf), q.new_zeros(q.shape[:-1])  # (H, T) each
    o = torch.zeros_like(q)
    for a in range(0, k.shape[-2], tile):
        scores = q @ k[..., a : a + tile, :].mT / math.sqrt(q.shape[-1])  # (H, T, tile)
        m, l, o = online_softmax_update(m, l, o, scores, v[..., a : a + tile, :])
    return o / l[..., None], m + l.log()


def tiles_by_autograd(q, k, v):
    return through_tiles(q, k, v)[0]

# %% tags=["nbval-ignore-output"]
guess("by_tiles", ...)

# %%
of_explicit, of_tiles = (kept(f, *inputs(1024)) for f in (explicit, tiles_by_autograd))
claim("autograd through the tiles keeps more than twice as much as the explicit form",
      of_tiles > 2 * of_explicit, guessed="by_tiles", factor=of_tiles / of_explicit)

# %% [markdown]
# It keeps *more*. The derivative of the maximum needs each tile's scores and that of the exponential needs its result,
# which is the whole table twice over. Every intermediate $o$ comes on top, and with $d$ as large as the tile that is as many
# numbers again. Tiles alone save nothing in training.

# %% [markdown]
# ## 3 · A backward pass that computes again
#
# So we write the backward pass ourselves and keep almost nothing. With the one number $z_i = m_i + \log l_i$ for each
# query, any weight comes back from its score, since $e^{s_{ij} - m_i}/l_i = e^{s_{ij} - z_i}$:
#
# $$p_{ij} = e^{s_{ij} - z_i}. \tag{3b.1}$$
#
# Chapter 02 derived, with $u = G v^\top$, that $\partial L/\partial s_i = p_i \circ (u_i - p_i\cdot u_i)$. The number
# $p_i\cdot u_i$ seems to need the whole row of weights again. It does not:
#
# $$p_i\cdot u_i = \sum_j p_{ij}\, (G_i\cdot v_j) = G_i \cdot \sum_j p_{ij} v_j = G_i\cdot O_i . \tag{3b.2}$$
#
# This is a product of two rows of length $d$. So every tile of $\partial L/\partial s$ can be made by itself, used, and
# thrown away.

# %% tags=["hide-input"]
show(pictures.made_again(),
     alt="What is kept (q, k, v, z and the output) on the left; from it one tile's scores, weights "
         "and derivatives are made, used for the derivatives by q, k and v on the right, and "
         "forgotten.")

# %% [markdown]
# ### Question: what does it cost?
# *difficulty 2/5 · importance 4/5 · 5 minutes*
#
# A product of a $(T, d)$ matrix with a $(d, T)$ one, or of a $T\times T$ table with a $(T, d)$ matrix, costs $2T^2d$
# operations. The forward pass takes two of them for each head, and the explicit form's backward pass takes four. How many
# does the backward pass of equations (3b.1) and (3b.2) take, all tiles together?

# %% tags=["nbval-ignore-output"]
answer("positions.backward_products", ...)

# %%
class InTiles(torch.autograd.Function):
    """Attention tile by tile, both ways; keeps q, k, v, the output and z."""

    @staticmethod
    def forward(ctx, q, k, v, tile):
        output, z = through_tiles(q, k, v, tile)
        ctx.save_for_backward(q, k, v, output, z)
        ctx.tile = tile
        return output

    @staticmethod
    def backward(ctx, G):
        q, k, v, output, z = ctx.saved_tensors
        dq, dk, dv = (torch.zeros_like(x) for x in (q, k, v))
        GO = (G * output).sum(-1, keepdim=True)  # (H, T, 1), equation (3b.2)
        scale = 1 / math.sqrt(q.shape[-1])
        for a in range(0, k.shape[-2], ctx.tile):
            part = (..., slice(a, a + ctx.tile), slice(None))
            p = (q @ k[part].mT * scale - z[..., None]).exp()  # (H, T, tile), equation (3b.1)
            dv[part] = p.mT @ G
            ds = p * (G @ v[part].mT - GO) * scale
            dq += ds @ k[part]
            dk[part] = ds.mT @ q
        return dq, dk, dv, None


# %%
generator = torch.Generator().manual_seed(1)
q9, k9, v9 = torch.randn(3, 2, 9, 4, dtype=f64, generator=generator)  # (H, T, d) each
G = torch.randn(2, 9, 4, dtype=f64, generator=generator)
leaves = [x.clone().requires_grad_() for x in (q9, k9, v9)]
in_fours = lambda *x: InTiles.apply(*x, 4)
claim("gradcheck: every derivative agrees with small differences",
      torch.autograd.gradcheck(in_fours, leaves, raise_exception=False))
by_tiles, by_autograd = (torch.autograd.grad((f(*leaves) * G).sum(), leaves)
                         for f in (in_fours, explicit))
gap = max((a - b).abs().max().item() for a, b in zip(by_tiles, by_autograd, strict=True))
claim("and with autograd of the explicit form, to 1e-10", gap < 1e-10, largest_difference=gap)

# %% [markdown]
# The library's `online_attention` is this with masks and any leading axes.

# %%
holed = causal_mask(9)
holed[4] = False  # one query may look nowhere
masks = [causal_mask(9), holed, torch.rand(9, 9, generator=generator) < 0.5]
tiled, whole = ([f(q9, k9, v9, mask) for mask in masks]
                for f in (partial(online_attention, tile=4),
                          lambda *a: scaled_dot_product_attention(*a)[0]))
claim("under three masks it is the attention of chapter 02; a query that may look nowhere gets 0",
      all((a - b).abs().max() < 1e-10 for a, b in zip(tiled, whole, strict=True))
      and not tiled[1][:, 4].any())
claim("it keeps q, k, v, the output and z: what you predicted, to the byte",
      all(kept(online_attention, *inputs(T, H, d)) == attention_bytes(H, T, d)[1] for H, T, d in sizes))
claim("and the first figure's bill at 65,536 positions: 16 GiB or 64 MiB",
      [round(float(b) / 2**20) for b in attention_bytes(1, 65_536, 64)] == [16_432, 64])
batch = [x.detach()[None].requires_grad_() for x in inputs(1024)]  # (B, H, T, d)
claim("PyTorch's fused kernel keeps exactly as much",
      kept(F.scaled_dot_product_attention, *batch) == kept(online_attention, *batch))

# %% tags=["hide-input"]
lengths = (128, 256, 512, 1024, 2048)
forms = {"explicit": explicit, "tiles, autograd": tiles_by_autograd, "online": online_attention}
curves = {name: [kept(f, *inputs(T)) / 2**20 for T in lengths] for name, f in forms.items()}
ratio = curves["explicit"][-1] / curves["online"][-1]
fig = pictures.kept_by_length(lengths, curves)
fig.axes[0].set_title(f"At 2,048 positions our own backward keeps {ratio:.0f} times less", loc="left")
show(fig, alt="Bytes kept for the backward pass against length: explicit and autograd "
              f"through tiles grow with the square, online with the length, {ratio:.0f} "
              "times less at 2,048.")

# %% [markdown]
# And the price? We let PyTorch count.

# %%
def flops(function, *inputs):
    """Count the FLOPs of all matrix products that PyTorch really carries out."""
    with FlopCounterMode(display=False) as counter:
        function(*inputs)
    return counter.get_total_flops()


def both_ways(function):
    x = inputs(512)
    forward = flops(function, *x)
    output = function(*x)
    return forward, flops(lambda: output.sum().backward())


product = 2 * 512**2 * 64
claim("forward, two products of 2T²d, with the weights kept or not",
      [both_ways(f)[0] / product for f in (explicit, online_attention)] == [2, 2])
claim("backward, four where the weights were kept, five where they are computed again",
      [both_ways(f)[1] / product for f in (explicit, online_attention)] == [4, 5])

# %% [markdown]
# Seven products in place of six: a sixth more in matrix products buys memory that grows with the length and no longer with its
# square. Rabe and Staats (2021) already threw the weights away and made each tile's again on the way back. FlashAttention
# (Dao et al. 2022) has equations (3b.1) and (3b.2), and one thing more: its tiles are small enough to stay in the fast
# memory beside a GPU's arithmetic, so the large table never travels. It saves traffic and memory, not operations.

# %% [markdown]
# ## 4 · Far positions in few bits
#
# A long text brings large positions, and large models calculate in bfloat16, which has 8 significant bits. Suppose that somebody
# keeps the positions in it and computes rotary angles from them. Nothing raises an error. (The angles themselves stay in
# float64 here; rounded too, they fail sooner.) We put the same vector at all of 2,048 places, so that the
# score of two places five apart ought to be the same everywhere.

# %%
positions = torch.arange(2048, dtype=f64)
rounded = positions.bfloat16().double()
same = torch.ones(2048, 64, dtype=f64)  # the same vector stands everywhere


def five_apart(positions):
    """Return the score of each position with the one five before it."""
    turned = rotate(same, position_angles(positions, 64))
    return (turned[5:] * turned[:-5]).sum(-1)


true, broken = five_apart(positions), five_apart(rounded)
claim("in float64 the score of five steps is the same everywhere",
      (true - true[0]).abs().max() < 1e-10)
claim("2,048 positions have 641 different names in bfloat16: 256 and 257 are one",
      len(rounded.unique()) == 641 and rounded[256] == rounded[257])
claim("with rounded positions five steps are right up to 256, and past 1,024 they become 0 or 8",
      (broken - true)[:251].abs().max() < 1e-10
      and set((rounded[1029:] - rounded[1024:-5]).tolist()) == {0.0, 8.0})

# %% tags=["hide-input"]
fig = pictures.five_apart(positions[5:], true, broken)
fig.axes[0].set_title("Past 1,024, five steps are taken for none or for eight", loc="left")
show(fig, alt="Score of two equal vectors five apart, against position: constant in float64; with "
              "positions rounded to bfloat16, constant up to 256 and further and further off beyond.")

# %% [markdown]
# This is why the library computes angles in float32 or better, whatever the dtype of the model.

# %% [markdown]
# ## 5 · Writing with a long context
#
# When a model writes, each new position attends to all before it. Their keys and values are kept, so that they need not be
# made again; this is the **KV cache**. Take a model of eight billion parameters: 32 layers, $C = 4{,}096$, 32
# query heads that share 8 heads of keys and values (four query heads in a row use the same), $d = 128$, two bytes a number.
#
# ### Question: a large cache
# *difficulty 2/5 · importance 4/5 · 5 minutes*
#
# How many gibibytes ($2^{30}$ bytes) does its cache take at 131,072 positions?

# %% tags=["nbval-ignore-output"]
answer("positions.long_context", ...)

# %% [markdown]
# One more position costs, in every layer, $2TC$ operations for its scores and $2TC$ for the mix. In the weights it costs two
# operations for each parameter: multiply and add. From how many positions on does attention cost more than all the weights?

# %% tags=["nbval-ignore-output"]
guess("equal_context", ...)

# %%
layers, kv_heads, d, width, parameters, T = 32, 8, 128, 4096, 8.0e9, 131_072
cache = 2 * layers * kv_heads * d * 2 * T  # k and v, in bytes
attend, weigh = 4 * T * width * layers, 2 * parameters  # FLOPs for one more position
claim("the cache of one text of 131,072 positions is 16 GiB, more than the weights' own 15",
      cache == 16 * 2**30 and 14.5 < 2 * parameters / 2**30 < 15)
claim("there each further position costs four times as many FLOPs in attention as in all the weights",
      4 < attend / weigh < 4.5, attention=attend, weights=weigh)
equal = weigh / (4 * width * layers)
claim("the two are equal at 30,500 positions, to 1 percent",
      abs(equal / 30_500 - 1) < 0.01, guessed="equal_context", positions=equal)

# %% tags=["hide-input"]
T = 2.0 ** torch.arange(10, 18)
by_heads = {heads: 2 * layers * heads * d * 2 * T / 2**30 for heads in (32, 8)}
fig = pictures.cache(T, by_heads, 2 * parameters / 2**30)
fig.axes[0].set_title("At 131,072 positions one text's cache outweighs the model", loc="left")
show(fig, alt="KV cache in GiB against length for 32 and for 8 heads of keys and values: 64 and 16 "
              "GiB at 131,072 positions, the weights being 15 GiB.")

# %% [markdown]
# Sharing heads made the cache four times smaller. Attention in tiles does not shrink it: tiles shorten what training keeps for
# the way back, not what writing has to remember.

# %% [markdown]
# ## What stays
#
# - Training keeps what the derivatives need; tiles under autograd
#   [*keeps more than twice as much as the explicit form*](#2-·-Tiles-alone).
# - With one number a query, $z$, every weight can be computed again, and the derivatives are exact:
#   [*with autograd of the explicit form, to 1e-10*](#Question:-what-does-it-cost?).
# - What is kept then grows in proportion to the length, [*what you predicted, to the byte*](#Question:-what-does-it-cost?), for
#   [*five where they are computed again*](#Question:-what-does-it-cost?) in place of four products on the way back.
# - Positions need more bits than bfloat16 has: rounded to it,
#   [*past 1,024 they become 0 or 8*](#4-·-Far-positions-in-few-bits).
# - Writing has a bill of its own: for the model of section 5,
#   [*the cache of one text of 131,072 positions is 16 GiB*](#Question:-a-large-cache).

# %% tags=["nbval-ignore-output"]
progress("03b_long_context")

# %% [markdown]
# **Open questions.** A causal mask as a table takes $T^2$ bytes: how could a tile know its mask without one? Which of the two,
# a window or fewer key heads, would you rather have when the cache is too large, and what would you measure to decide?
#
# **References.** Rabe and Staats 2021, *Self-attention does not need O(n²) memory*: section 2, and what it
# says of differentiation. Dao et al. 2022, *FlashAttention*: section 3.1, and appendix B for the backward pass. Ainslie et al. 2023, *GQA*:
# section 2, on shared heads of keys and values.
