# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Positions and cost
#
# **How does attention learn where a word stands, and what does a long text cost?**
#
# Attention sees a bag of words, and it keeps a table of all pairs. This chapter mends the first with rotations and the
# second with running sums; the comparing itself stays. Below, the two results: a score that knows only the distance, and
# the same attention with two very different bills.

# %%
import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show

steps, T = torch.arange(5), 2.0 ** torch.arange(8, 17)
turns = 0.5 * (steps[:, None] - steps)  # half a radian for each step between query and key
promise = (4.21 * turns.cos() + 0.13 * turns.sin()) / 2**0.5
fig, ((left, right),) = figures.new(1, 2, height=3.5, width_ratios=[1, 1.25])
# for d = 64 explicit attention keeps T² + 3dT numbers of four bytes, tiles 4dT + T: section 8
figures.matrix(left, promise, range(5), range(5), "query (down) × key", kind="signed")
figures.title(left, "Equal t − s, equal score")
figures.line(right, T, (T * T + 192 * T) / 2**18, figures.ORANGE, "explicit\n16 GiB")
figures.line(right, T, 257 * T / 2**18, figures.TEAL, "tiles\n64 MiB", marker="o")
right.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="kept for backward (MiB)")
figures.title(right, "One head, the same result: 16 GiB or 64 MiB")
show(fig, alt="Left, scores equal along every diagonal. Right, memory kept for the backward "
              "pass against length: 16 GiB at 65,536 positions, or 64 MiB with tiles.")

# %% [markdown]
# Afterwards you can
#
# - write sinusoidal and rotary positions, and prove what a score depends on;
# - say what each does past the length it was trained on, having measured it;
# - count the operations and the bytes of attention for any $T$;
# - derive the online softmax, and write a backward pass that trades arithmetic for memory.

# %% [markdown]
# **Needs** chapter 02. **Time** 60 minutes to read, 50 for the exercises; the cells run in under a minute on two
# CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $t, n$ | a position; a shift | |
# | $\omega_i$ | turn of pair $i$ for one step, in radians | (d/2,) |
# | $p(t)$ | position vector of $t$ | (C,) |
# | $M_n$ | matrix that shifts by $n$ | (C, C) |
# | $R(\varphi)$ | rotation of the plane by $\varphi$ | (2, 2) |
# | $m, l, o$ | running maximum, sum, weighted sum | (T,), (T,), (T, d) |
# | $z$ | $m + \log l$ after the last key | (T,) |
# | $q, k, v, p, J, G, O, W, T, C, d, H$ | as in chapter 02; $p_{ij}$ is a weight | |
# | $s$ | in sections 2 and 3 the key's position, from 7 on the scores | |

# %% tags=["nbval-ignore-output"]
import math
import time
from copy import deepcopy
from functools import partial

from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention import dot_product, multi_head, online
from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · Order is lost
#
# Chapter 02 proved it: shuffle the words, and attention without a mask gives every word the output it had before.
# So ‘the king wore his crown’ and ‘his crown wore the king’ are one set of words. Here is the tiny sentence again.

# %%
tokens = ["the", "king", "wore", "his", "crown"]
k = torch.tensor([[0.1, 0.1], [1.5, 0.1], [0.2, 0.3], [0.9, 0.1], [0.1, 1.4]], dtype=f64)
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=f64)
crown = torch.tensor([[2.8, 0.1]], dtype=f64)  # the query of 'crown'
order = torch.tensor([3, 4, 2, 0, 1])  # his crown wore the king

before, _ = scaled_dot_product_attention(crown, k, v)
after, _ = scaled_dot_product_attention(crown, k[order], v[order])
claim("‘crown’ finds the same, whatever the order of the words",
      torch.allclose(before, after, rtol=1e-12))

# %% [markdown]
# ## 2 · Sinusoidal positions
#
# The number $t$ itself grows without end, and would drown the word. A clock tells time with hands that only turn.
# Give each position $C/2$ hands, each slower than the one before. Of each hand write down sine and cosine:
#
# $$p(t)_{2i} = \sin \omega_i t, \qquad p(t)_{2i+1} = \cos \omega_i t, \qquad \omega_i = 10{,}000^{-2i/C}.$$
#
# The first hand turns by one radian a step, the last of eight needs 19,869 steps for a round. Two positions share a vector
# only if all hands agree. The vector $p(t)$ is added to the word's.

# %%
C, T = 16, 40
rows = []
for t in range(T):  # the loop
    row = []
    for i in range(C // 2):
        omega = 10_000 ** (-2 * i / C)
        row += [math.sin(omega * t), math.cos(omega * t)]
    rows.append(row)

omega = 10_000 ** (-torch.arange(0, C, 2, dtype=f64) / C)  # (C/2,), the matrix
hands = torch.arange(T, dtype=f64)[:, None] * omega  # (T, C/2) angles
p = torch.stack([hands.sin(), hands.cos()], dim=-1).flatten(1)  # (T, C)
claim("loop and matrix agree", torch.allclose(torch.tensor(rows, dtype=f64), p, rtol=1e-12))
claim("the last hand needs 19,869 steps for a round",
      round(2 * math.pi / omega[-1].item()) == 19_869)

# %% [markdown]
# How alike are two positions? Since $\sin a \sin b + \cos a \cos b = \cos(a - b)$,
#
# $$p(t)\cdot p(s) = \sum_i \cos\big(\omega_i (t - s)\big),$$
#
# which depends on the distance alone, and is largest, $C/2$, at distance 0. (It is the same for $t-s$ and $s-t$: this
# product cannot tell before from after.)

# %%
alike = p @ p.T  # (T, T)
steps = torch.arange(T, dtype=f64)
by_distance = (steps[:, None] * omega).cos().sum(-1)
claim("p(t)·p(s) is the sum of cosines of the distance, for every pair of positions",
      all(torch.allclose(alike.diagonal(n), by_distance[n], rtol=1e-10) for n in range(T)))

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4, width_ratios=[1.3, 1])
name = "feature (down) × position (across)"
figures.matrix(left, p.T, [], [], name, kind="signed", digits=False)
left.set_xticks([0, 10, 20, 30], [0, 10, 20, 30])
left.set_yticks([0, 5, 10, 15], [0, 5, 10, 15])
figures.title(left, "Each pair turns slower than the one above")
figures.line(right, steps, by_distance, figures.BLUE)
right.set(xlabel="distance t − s (positions)", ylabel="p(t)·p(s)", ylim=(0, 8.5))
figures.title(right, "Most alike at distance 0, then in waves")
show(fig, alt="Left, the table of sinusoidal positions, fast waves in the first features "
              "and slow ones in the last. Right, their dot product falls from 8.0 at "
              "distance 0.")

# %% [markdown]
# ### A shift is a rotation
#
# Write $a = \omega_i t$ and $b = \omega_i n$. The addition theorems
#
# $$\sin(a+b) = \sin a\cos b + \cos a \sin b, \qquad \cos(a+b) = \cos a\cos b - \sin a\sin b$$
#
# say that the hand at $t+n$ is a matrix times the hand at $t$:
#
# $$\begin{pmatrix}\sin(a+b)\\ \cos(a+b)\end{pmatrix} =
#   \begin{pmatrix}\cos b & \sin b\\ -\sin b & \cos b\end{pmatrix}
#   \begin{pmatrix}\sin a\\ \cos a\end{pmatrix}.$$
#
# The matrix holds $n$ and not $t$. All pairs together: $p(t+n) = M_n\, p(t)$, with one $M_n$ for *every* position. Its
# blocks are rotations, so $M_n M_n^\top = 1$ and $\det M_n = 1$. Let a query carry
# $M_n^\top p(t)$: its score with position $s$ is $p(t)\cdot M_n\,p(s) = p(t)\cdot p(s+n)$, largest at $s = t-n$. $M_n$ has
# rank $C$, a head's form at most $d < C$; but a head can hold the first $d/2$ pairs, whose cosines are largest there
# too. So a head can ask for ‘$n$ places back’.

# %% [markdown]
# ### Exercise: the matrix of a shift
# *difficulty 2/5 · importance 3/5 · 10 minutes*
#
# Build $M_n$ from the angles $n\,\omega_i$. `hint("positions.shift_matrix")` helps, in steps.

# %% tags=["nbval-ignore-output"]
@exercise("positions.shift_matrix")
def shift_matrix(angles):
    """Return the (d, d) matrix M for which p(t + n) = M p(t) for every t.

    angles (d/2,): n ω_i of each pair; p(t) = (sin ω_0 t, cos ω_0 t, sin ω_1 t, cos ω_1 t, …).
    Worked value: angles = [π/2] gives [[0, 1], [-1, 0]], up to rounding.
    """
    # 1. write sin(a + b) and cos(a + b) with the sines and cosines of a = ω t and b = ω n
    # 2. read off the 2 × 2 block of one pair: its rows make the new sine and the new cosine
    # 3. put the blocks on the diagonal of a (d, d) matrix of zeros, in float64
    ...

# %%
M = shift_matrix(7 * omega)
claim("one matrix moves every position by 7",
      torch.allclose(p[:-7] @ M.T, p[7:], rtol=0, atol=1e-8))
claim("it is a rotation: M Mᵀ = 1 and det M = 1",
      torch.allclose(M @ M.T, torch.eye(C, dtype=f64), atol=1e-8)
      and abs(torch.linalg.det(M) - 1) < 1e-8)
of_head = p[7:, :4] @ M[:4, :4] @ p[:, :4].T  # query t = 7 …, key s; Mᵀ in place of M looks ahead
claim("with two of the eight pairs, as a head of d = 4 can hold, the largest score is 7 places back",
      torch.equal(of_head.argmax(-1), torch.arange(len(p) - 7)))

# %% [markdown]
# ### Learned positions
#
# Or give every position a free vector and let training choose: a table with $T_{\max}$ rows, added like the sines. No
# structure to trust, none to obey. And no row for position $T_{\max}$.

# %%
from course_lib.attention.positions import LearnedPositions, position_angles, rotary, sinusoidal

claim("the library's sinusoidal positions are ours",
      torch.allclose(sinusoidal(torch.arange(T, dtype=f64), C), p, rtol=1e-12))
table = LearnedPositions(context_length=32, d_model=C)
try:
    table(torch.zeros(1, 33, C))
    refused = False
except ValueError as error:
    refused = True
    print(error)
claim("a table of 32 has nothing for a text of 33", refused)

# %% [markdown]
# ## 3 · Rotary positions
#
# Added vectors leave the score mixed. With queries $(x_t + p_t)W_q$ and keys $(x_s + p_s)W_k$ the score has four
# parts: word–word, word–position, position–word, position–position. Move the whole sentence ten places on, and the score of
# ‘crown’ with ‘king’ changes, though nothing about the two has.
#
# Rotary positions (Su et al. 2021) add nothing. They **turn**: cut query and key into pairs, turn pair $i$ at position $t$ by
# $\omega_i t$, counter-clockwise by
#
# $$R(\varphi) = \begin{pmatrix}\cos\varphi & -\sin\varphi\\ \sin\varphi & \cos\varphi\end{pmatrix}.$$
#
# (The blocks of $M_n$ put the sine first and are $R(-n\omega_i)$.) For one pair, with $R(\varphi)^\top = R(-\varphi)$ and $R(a)R(b) = R(a+b)$:
#
# $$\big(R(\omega t)\, q\big)\cdot\big(R(\omega s)\, k\big) = q^\top R(\omega t)^\top R(\omega s)\, k
#   = q^\top R\big(\omega (s - t)\big)\, k .$$
#
# Only $t - s$ is left, *exactly*, for any $q$ and $k$, and with its sign: three before is not three after.

# %%
def R(angle):
    return torch.tensor([[math.cos(angle), -math.sin(angle)],
                         [math.sin(angle), math.cos(angle)]], dtype=f64)


def score(t, s, turn=0.5):
    """‘crown’ asks at position t, ‘king’ is asked at position s."""
    return (R(turn * t) @ crown[0]) @ (R(turn * s) @ k[1]) / math.sqrt(2)


claim("‘crown’ at 4 and ‘king’ at 1 score as at 24 and 21",
      abs(score(4, 1) - score(24, 21)) < 1e-12)
looped = torch.tensor([[score(t, s) for s in range(5)] for t in range(5)])
claim("this is the left table of the first figure", (looped - promise).abs().max() < 1e-6)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.9)
for ax, pair in zip(axes, ((4, 1), (8, 5)), strict=True):
    arrows = ("crown", crown[0], figures.BLUE), ("king", k[1], figures.ORANGE)
    for at, (word, vector, colour) in zip(pair, arrows, strict=True):
        x, y = (R(0.5 * at) @ vector).tolist()
        style = {"arrowstyle": "-|>", "color": colour, "lw": 2}
        ax.annotate("", (x, y), (0, 0), arrowprops=style)
        side, ha = (0.25, "left") if x > 0 else (-0.25, "right")
        ax.text(x + side, y, f"{word} at {at}", color=figures.TEXT[colour], ha=ha, va="center")
    ax.set(xlim=(-4.6, 4.6), ylim=(-3, 3), xlabel="feature 0", ylabel="feature 1")
    ax.set_aspect("equal")
    figures.title(ax, f"positions {pair[0]} and {pair[1]}: score {score(*pair):.2f}")
show(fig, alt="The query of crown and the key of king as arrows, at positions 4 and 1 and "
              "at 8 and 5: both have turned, the angle between them and the score 0.30 have"
              " not.")

# %% [markdown]
# ### Exercise: the rotary rotation
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# Many pairs and many positions at once, and no matrices: two lines of arithmetic a pair.

# %% tags=["nbval-ignore-output"]
@exercise("positions.rotate")
def rotate(x, angles):
    """Turn the pair (x[..., t, 2i], x[..., t, 2i + 1]) by angles[t, i], counter-clockwise.

    x (..., time, d), angles (time, d/2), in radians; returns (..., time, d).
    Worked value: x = [[1., 0.]], angles = [[π/2]] give [[0., 1.]], up to rounding.
    """
    # 1. the first and the second feature of every pair: x[..., 0::2] and x[..., 1::2]
    # 2. turn (a, b) by φ: (a cos φ − b sin φ, a sin φ + b cos φ)
    # 3. put the two back beside each other: stack on a new last axis, flatten the last two
    ...

# %%
generator = torch.Generator().manual_seed(1)
q6, k6 = torch.randn(2, 3, 6, 8, dtype=f64, generator=generator)  # (heads, T, d) each
here = torch.arange(6, dtype=f64)
scores = {}
for n in (0, 1, 1000):  # where the six positions begin
    angles = position_angles(here + n, 8)
    scores[n] = rotate(q6, angles) @ rotate(k6, angles).mT
gap = max((scores[n] - scores[0]).abs().max().item() for n in (1, 1000))
claim("moved by 1 or by 1,000 places, all scores stay, to 1e-10",
      gap < 1e-10, largest_change=gap)

added = [(q6 + sinusoidal(here + n, 8)) @ (k6 + sinusoidal(here + n, 8)).mT for n in (0, 10)]
change = (added[1] - added[0]).abs().max().item()
claim("with sines added instead, ten places change a score by more than 1", change > 1)

# %% [markdown]
# ## 4 · Beyond the trained length
#
# Does a score that knows only distances work at any length? A small task decides. Sequences of random symbols, 16
# kinds; at every position, name the symbol **three back**. One layer with two heads and nothing else is trained on 32
# positions and then read at 256. A guess is right one time in 16.

# %%
def add_sines(x):
    at = torch.arange(x.shape[1], device=x.device)
    return x + sinusoidal(at, x.shape[2]).to(x.dtype)


keep = lambda x, at=None: x
schemes = {  # what is added to the symbols' vectors, what is done to queries and keys
    "none": lambda: (keep, keep),
    "learned": lambda: (LearnedPositions(256, 32), keep),
    "sinusoidal": lambda: (add_sines, keep),
    "rotary": lambda: (keep, rotary),  # the library's: we train for more than a second
}

# %%
class ThreeBack(nn.Module):
    def __init__(self, add, turn):
        super().__init__()
        self.add, self.turn = add, turn
        self.symbol, self.readout = nn.Embedding(16, 32), nn.Linear(32, 16)
        self.layer = MultiHeadAttention(32, n_heads=2)

    def forward(self, symbols, window=256):
        x = self.add(self.symbol(symbols))  # (B, T, C)
        at = torch.arange(x.shape[1], device=x.device)
        mask = causal_mask(x.shape[1], device=x.device) & (at[:, None] - at < window)
        q, k, v = self.layer.project(x)  # (B, H, T, d)
        found = dot_product.fast_attention(self.turn(q, at), self.turn(k, at), v, mask)
        return self.readout(x + self.layer.output(multi_head.join_heads(found)))


# %%
def train(scheme, seed=0, steps=400):
    torch.manual_seed(seed)
    model = ThreeBack(*schemes[scheme]()).to(run.device)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    rise_and_fall = lambda i: min(1, (i + 1) / 20) * (1 - i / steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rise_and_fall)
    for _ in range(steps):
        symbols = torch.randint(16, (32, 32), generator=generator).to(run.device)
        loss = F.cross_entropy(model(symbols)[:, 3:].flatten(0, 1), symbols[:, :-3].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model

# %%
@torch.no_grad()
def accuracy(model, window=256):
    """Return the share of right answers at positions 3 … 255, over 200 new sequences."""
    symbols = torch.randint(16, (200, 256), generator=torch.Generator().manual_seed(99))
    named = model(symbols.to(run.device), window).argmax(-1).cpu()
    return (named[:, 3:] == symbols[:, :-3]).double().mean(0)

# %% [markdown]
# **Predict:** which of the four, none, learned, sinusoidal, rotary, still names the symbol at position 40? At 240?

# %% tags=["nbval-ignore-output"]
print("four short trainings: about 6 s on two CPU cores")
models = {scheme: train(scheme) for scheme in schemes}
right = {scheme: accuracy(model) for scheme, model in models.items()}
inside, just_beyond, far = ({s: right[s][a - 3 : b - 3].mean().item() for s in schemes}
                            for a, b in ((3, 32), (32, 64), (192, 256)))
print({s: [round(part[s], 2) for part in (inside, just_beyond, far)] for s in schemes})

# %%
without, *three = inside.values()
claim("within 32 positions all three schemes are right in 97 of 100; without any, under 35",
      min(three) > 0.97 and without < 0.35, right=list(inside.values()))
claim("just beyond, rotary is right more often than the learned table, by 0.15 or more",
      just_beyond["rotary"] > just_beyond["learned"] + 0.15, right=list(just_beyond.values()))
near_40 = [right[s][35:40].mean().item() for s in schemes]
*others, of_rotary = near_40
claim("around position 40 rotary is right more than half of the time, and it alone",
      of_rotary > 0.5 > max(others), right=near_40)
claim("at eight times the trained length not one of them is right one time in four",
      max(far.values()) < 0.25, right=list(far.values()))

# %% [markdown]
# <details><summary>Answer</summary>
#
# At 240 none of them. At 40 rotary alone mostly does. (Even *none* beats 1 in 16: at position 3 the right symbol is one
# of four that it sees.) The learned table has rows past 32 that no gradient ever touched. The sines are known functions,
# yet their *values* at position 200 are new to the trained matrices. Rotary scores do depend on the distance alone, but
# distances above 31 were never trained, and nothing keeps their scores low. A law of the formula is not a law of what was
# learned. How far rotary gets before it falls depends on the seed: train it with `seed=1` and look again.
# </details>
#
# The diagnosis suggests a cure: never show a distance that was not trained. Let each position see only the last 32
# (a **window**), and change nothing else.

# %%
cured = {scheme: accuracy(models[scheme], window=32) for scheme in schemes}
claim("with a window of 32, rotary is right in 97 of 100 at every position up to 255",
      cured["rotary"].min() > 0.97, least=cured["rotary"].min())
claim("the same window does not save the sines: past 32 they are right less than half of the time",
      cured["sinusoidal"][29:].mean() < 0.5, mean=cured["sinusoidal"][29:].mean())

# %% tags=["nbval-ignore-output", "hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.6)
looks = {"none": (figures.MUTE, "", 0), "learned": (figures.BERRY, "s", 6),
         "sinusoidal": (figures.BLUE, "^", 14), "rotary": (figures.TEAL, "o", 22)}
for ax, results, seen in zip(axes, (right, cured), ("all before", "the last 32"), strict=True):
    for scheme, (colour, mark, first) in looks.items():
        ax.plot(range(3, 256), figures.values(results[scheme]), color=colour, marker=mark, label=scheme,
                markevery=(first, 30), linestyle="-" if mark else "--")
    ax.axvline(31.5, color=figures.INK, linewidth=0.8)
    ax.set(xlabel="position", ylim=(0, 1.08), xlim=(0, 260))
    figures.title(ax, f"sees {seen}: rotary {results['rotary'][-64:].mean():.2f} at the end")
axes[0].set_ylabel("share of right answers")
axes[0].legend(frameon=False, fontsize=9, loc="upper right", title="| trained up to here")
show(fig, alt="Share of right answers against position for four schemes trained on 32 "
              "positions. All fall beyond 32; with a window of 32, rotary alone stays at 1.")

# %% [markdown]
# That it holds at every position is a theorem; that it is right there was learned. With rotary positions and a window, the
# output of one layer depends on the last 32 symbols and their distances, so from position 31 on it is the *same
# function* everywhere. In float64, with one ending at two places:

# %%
exact = deepcopy(models["rotary"]).cpu().double()
symbols = torch.randint(16, (2, 256), generator=torch.Generator().manual_seed(3))
ending = symbols[:, -32:]
with torch.no_grad():
    gap = (exact(ending)[:, -1] - exact(symbols, window=32)[:, -1]).abs().max().item()
claim("rotary with a window gives the same logits at position 31 and at 255, to 1e-10",
      gap < 1e-10, difference=gap)

# %% [markdown]
# ## 5 · What it costs: operations
#
# Count a multiplication and an addition as 2 FLOPs. A product of $(T, C)$ and $(C, C)$ costs $2TC^2$. A layer has four
# such projections, and over all heads two products with $T\times T$ tables:
#
# $$\underbrace{8\,T C^2}_{\text{projections}} + \underbrace{2T^2C}_{QK^\top} + \underbrace{2T^2C}_{pV}.$$
#
# **Predict:** at which $T$ does the attention proper cost as much as its projections?

# %%
def flops(function, *inputs):
    """Count the FLOPs of all matrix products that PyTorch really carries out."""
    with FlopCounterMode(display=False) as counter:
        function(*inputs)
    return counter.get_total_flops()


layer = MultiHeadAttention(64, n_heads=4)
counted = {T: flops(layer.attend, torch.zeros(1, T, 64)) for T in (32, 128, 512)}
claim("the formula is what PyTorch counts, at 32, 128 and 512 positions",
      all(n == 8 * T * 64**2 + 4 * T**2 * 64 for T, n in counted.items()))
claim("at T = 2C attention proper is half of what was counted", counted[128] == 2 * 8 * 128 * 64**2)

# %% [markdown]
# <details><summary>Answer</summary>
#
# $4T^2C = 8TC^2$ at $T = 2C$. For $C = 768$ that is 1,536 positions. Below it, attention is the cheap part of its own
# layer; far above it, all that counts is $T^2$.
# </details>

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.5)
T = 2.0 ** torch.arange(7, 16)
figures.line(ax, T, 8 * T * 768**2, figures.BLUE, "projections", marker="s")
figures.line(ax, T, 4 * T**2 * 768, figures.BERRY, "scores, mix", marker="o")
ax.axvline(1536, color=figures.INK, linewidth=0.8)
ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="FLOPs of a layer")
figures.title(ax, "C = 768: the two are equal at T = 1,536")
show(fig, alt="FLOPs of the projections and of attention proper against length, log scales: "
              "straight lines of slope 1 and 2 that cross at 1,536 for C = 768.")

# %% [markdown]
# And in seconds? Four times the positions are sixteen times the work. The clock may say still more: a table of $4{,}096^2$ takes
# 64 MiB, too large for most caches, and goes out to memory and back at every step. Counting operations is not the
# whole bill.

# %%
def explicit(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v


def seconds(T, repeats=5):
    q, k, v = torch.randn(3, 1, T, 64)
    explicit(q, k, v)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        explicit(q, k, v)
        times.append(time.perf_counter() - began)
    return sorted(times)[repeats // 2]

# %% tags=["nbval-ignore-output", "hide-input"]
lengths = [256, 512, 1024, 2048, 4096]
ms = [1000 * seconds(T) for T in lengths]
fig, ((ax,),) = figures.new(width=6, height=3.5)
squares = [ms[-1] * (T / 4096) ** 2 for T in lengths]
figures.line(ax, lengths, squares, figures.MUTE, "T²", end=False)
figures.line(ax, lengths, ms, figures.BERRY, f"{ms[-1]:.0f} ms", marker="o")
ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="time, one head (ms)")
ax.set_xticks(lengths, lengths)
ax.minorticks_off()
figures.title(ax, f"1,024 positions: {ms[2]:.0f} ms, 4,096: {ms[4]:.0f} ms")
show(fig, alt="Measured time of one attention head against length, log scales, beside a line "
              f"that grows with the square: {ms[4]:.0f} ms at 4,096 positions.")

# %%
growth = ms[4] / ms[2]
claim("four times the positions take more than eight times as long", growth > 8, factor=growth)

# %% [markdown]
# ## 6 · What it costs: bytes
#
# Time can be waited for; memory ends the run. Training keeps, for the backward pass, whatever the derivative formulas need.
# PyTorch lets us watch: every tensor that is kept passes through a hook.

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


def inputs(T, H=1, d=64):
    return [torch.randn(H, T, d, requires_grad=True) for _ in range(3)]

# %% [markdown]
# ### Exercise: predict the bytes
# *difficulty 2/5 · importance 4/5 · 10 minutes*
#
# Chapter 02's backward pass used $p$, $Q$, $K$ and $V$. So the explicit form keeps these. Section 8 will need
# $q$, $k$, $v$, the output and one number a query instead. How many bytes is each?

# %% tags=["nbval-ignore-output"]
@exercise("positions.attention_bytes")
def attention_bytes(n_heads, T, d_head, itemsize=4):
    """Return (explicit, online): the bytes that attention keeps for its backward pass, no mask.

    itemsize: bytes of one number. Explicit keeps q, k, v and the weights, of every head;
    online keeps q, k, v, the output and one number a query.
    Worked value: one head, T = 2, d_head = 1, itemsize 1 give (10, 10).
    """
    # 1. how many numbers has q in one head? the weights?
    # 2. times heads, times bytes
    ...

# %%
sizes = [(1, 256, 64), (4, 512, 32), (1, 1024, 64)]  # heads, T, d_head
claim("explicit attention keeps what you predicted, to the byte",
      all(kept(explicit, *inputs(T, H, d)) == attention_bytes(H, T, d)[0] for H, T, d in sizes))
claim("at T = 1,024 the weights are 84 percent of it",
      round(100 * 4 * 1024**2 / float(attention_bytes(1, 1024, 64)[0])) == 84)

# %% [markdown]
# ## 7 · The online softmax
#
# The $T \times T$ table is there because a softmax seems to need its whole row: first the maximum (so that no
# exponential overflows), then the sum. Must it? Keep, for the keys seen so far,
#
# $$m = \max_j s_j, \qquad l = \sum_j e^{s_j - m}, \qquad o = \sum_j e^{s_j - m}\, v_j ,$$
#
# so that $o/l$ is the attention over these keys.

# %% [markdown]
# A new tile of keys arrives, with maximum $m'$. Set $m^* = \max(m, m')$. Because
# $e^{s_j - m^*} = e^{s_j - m}\, e^{m - m^*}$, every old term shrinks by the *same* factor:
#
# $$l \leftarrow e^{m - m^*}\, l + \sum_{\text{new } j} e^{s_j - m^*}, \qquad
#   o \leftarrow e^{m - m^*}\, o + \sum_{\text{new } j} e^{s_j - m^*} v_j, \qquad m \leftarrow m^* .$$
#
# Start from $m = -\infty$, $l = 0$, $o = 0$. Nothing is approximated, and $m$ never falls. (While nothing has been
# allowed, $m - m^*$ is $-\infty - (-\infty)$, which is NaN: the library puts 0 in place of that $m^*$.)

# %%
s = (crown @ k.T)[0] / math.sqrt(2)  # five scores of 'crown'
m, l, o = -math.inf, 0.0, torch.zeros(2, dtype=f64)
shares = torch.zeros(5, 5, dtype=f64)  # row j: the weights after j + 1 keys
for j in range(5):
    new = max(m, s[j].item())
    shrink, e = math.exp(m - new), math.exp(s[j] - new)
    m, l, o = new, l * shrink + e, o * shrink + e * v[j]
    shares[j, : j + 1] = (s[: j + 1] - m).exp() / l
    print(f"after {tokens[j]:>5}: m = {m:.2f}, l = {l:.2f}, o/l =", [f"{x:.2f}" for x in o / l])
claim("one key at a time, the result is the softmax's",
      torch.allclose(o / l, before[0], rtol=1e-12))

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.2)
figures.matrix(ax, shares, [f"+ {word}" for word in tokens], tokens, "weights so far",
               mask=causal_mask(5), row_sums=True)
figures.title(ax, "Shares shrink as keys arrive; ‘king’ ends at 0.66")
show(fig, alt="Weights of crown over the keys seen so far, one more key a row: the share of"
              " king goes from 0.94 to 0.66, and the last row is the one of chapter 02.")

# %% [markdown]
# ### Exercise: the update
# *difficulty 3/5 · importance 5/5 · 20 minutes*
#
# For all queries at once, and a tile of several keys.

# %% tags=["nbval-ignore-output"]
@exercise("positions.online_softmax_update")
def online_softmax_update(m, l, o, scores, values):
    """Return m, l, o after one more tile of keys; o / l is the attention over all keys seen.

    m (..., query): largest score so far; l (..., query): sum of exp(score − m);
    o (..., query, d_value): sum of exp(score − m) · value.
    scores (..., query, tile), −∞ where forbidden; values (..., tile, d_value).
    Worked value: m = [0.], l = [1.], o = [[1.]], a score ln 2 with value 4: ln 2, 1.5, 4.5.
    """
    # 1. the new maximum: of the old one and of this tile's scores, for every query
    # 2. what was summed against the old maximum shrinks by exp(old − new)
    # 3. this tile's exp(score − new) is added: to l itself, to o times the values
    ...

# %%
def through_tiles(q, k, v, tile=64, update=online_softmax_update):
    """Return the output and z = m + log l, tile by tile; q, k, v (heads, T, d)."""
    m, l = q.new_full(q.shape[:-1], -math.inf), q.new_zeros(q.shape[:-1])
    o = torch.zeros_like(q)
    for a in range(0, k.shape[-2], tile):
        scores = q @ k[..., a : a + tile, :].mT / math.sqrt(q.shape[-1])  # (H, T, tile)
        m, l, o = update(m, l, o, scores, v[..., a : a + tile, :])
    return o / l[..., None], m + l.log()


q9, k9, v9 = torch.randn(3, 2, 9, 4, dtype=f64, generator=generator)
wanted = scaled_dot_product_attention(q9, k9, v9)[0]
claim("with tiles of 1, 2, 4 and 9 keys, always the same output, to 1e-10",
      all((through_tiles(q9, k9, v9, n)[0] - wanted).abs().max() < 1e-10 for n in (1, 2, 4, 9)))

# %% [markdown]
# Now no $T\times T$ table is ever made: the largest is $T \times 64$.
#
# **Predict:** does autograd keep fewer bytes for this loop than for the explicit form?

# %%
def tiles_by_autograd(q, k, v):
    return through_tiles(q, k, v, update=online.online_softmax_update)[0]  # the library's


of_explicit, of_tiles = (kept(f, *inputs(1024)) for f in (explicit, tiles_by_autograd))
claim("autograd through the tiles keeps more than twice as much as the explicit form",
      of_tiles > 2 * of_explicit, factor=of_tiles / of_explicit)

# %% [markdown]
# <details><summary>Answer</summary>
#
# It keeps more. The maximum's derivative needs each tile's scores, the exponential's its result: the table twice. Each
# intermediate $o$ comes on top, and with $d$ as large as the tile that is as many numbers again. Tiles alone save
# nothing in training.
# </details>

# %% [markdown]
# ## 8 · A backward pass that computes again
#
# So write the backward pass ourselves and keep almost nothing. With $z_i = m_i + \log l_i$ kept, any weight comes back from one
# score: $p_{ij} = e^{s_{ij} - z_i}$. Chapter 02 had, with $G = \partial L/\partial O$ and $u = GV^\top$,
#
# $$\frac{\partial L}{\partial s_i} = J_i u_i = p_i \circ \big(u_i - p_i\cdot u_i\big).$$
#
# Here $p_i \cdot u_i$ seems to need the whole row again. It does not:
#
# $$p_i\cdot u_i = \sum_j p_{ij}\, (G_i\cdot v_j) = G_i \cdot \sum_j p_{ij} v_j = G_i\cdot O_i , \qquad O_i = o_i / l_i ,$$
#
# a product of two rows of length $d$. So every tile of $\partial L/\partial s$ can be made by itself, used, and thrown away.

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
        GO = (G * output).sum(-1, keepdim=True)  # (H, T, 1)
        scale = 1 / math.sqrt(q.shape[-1])
        for a in range(0, k.shape[-2], ctx.tile):
            part = (..., slice(a, a + ctx.tile), slice(None))
            p = (q @ k[part].mT * scale - z[..., None]).exp()  # (H, T, tile), computed again
            dv[part] = p.mT @ G
            ds = p * (G @ v[part].mT - GO) * scale
            dq += ds @ k[part]
            dk[part] = ds.mT @ q
        return dq, dk, dv, None


# %%
leaves = [x.clone().requires_grad_() for x in (q9, k9, v9)]
claim("gradcheck: every derivative agrees with small differences",
      torch.autograd.gradcheck(lambda *x: InTiles.apply(*x, 4), leaves))
G = torch.randn(2, 9, 4, dtype=f64, generator=generator)
by_tiles, by_autograd = (torch.autograd.grad((f(*leaves) * G).sum(), leaves)
                         for f in (lambda *x: InTiles.apply(*x, 4), explicit))
gap = max((a - b).abs().max().item() for a, b in zip(by_tiles, by_autograd, strict=True))
claim("and with autograd of the explicit form, to 1e-10", gap < 1e-10, largest_difference=gap)

# %% [markdown]
# The library's `online_attention` is this with masks and any leading axes.

# %%
from course_lib.attention.online import online_attention

holed = causal_mask(9)
holed[4] = False  # one query may look nowhere
masks = [causal_mask(9), holed, torch.rand(9, 9, generator=torch.Generator().manual_seed(0)) < 0.5]
tiled, whole = ([f(q9, k9, v9, mask) for mask in masks]
                for f in (partial(online_attention, tile=4),
                          lambda *a: scaled_dot_product_attention(*a)[0]))
claim("under three masks it is the attention of chapter 02; a query that may look nowhere gets 0",
      all((a - b).abs().max() < 1e-10 for a, b in zip(tiled, whole, strict=True))
      and not tiled[1][:, 4].any())

sizes = [(1, 256, 64), (4, 512, 32), (1, 1024, 64)]  # heads, T, d_head
claim("it keeps q, k, v, the output and z: what you predicted, to the byte",
      all(kept(online_attention, *inputs(T, H, d)) == attention_bytes(H, T, d)[1]
          for H, T, d in sizes))
claim("and the first figure's bill at 65,536 positions: 16 GiB or 64 MiB",
      [round(float(b) / 2**20) for b in attention_bytes(1, 65_536, 64)] == [16_432, 64])
batch = [x.detach()[None].requires_grad_() for x in inputs(1024)]  # (B, H, T, d)
claim("PyTorch's fused kernel keeps exactly as much",
      kept(F.scaled_dot_product_attention, *batch) == kept(online_attention, *batch))

# %% tags=["hide-input"]
lengths = (128, 256, 512, 1024, 2048)
forms = {"explicit": explicit, "tiles, autograd": tiles_by_autograd, "online": online_attention}
curves = {name: [kept(f, *inputs(T)) / 2**20 for T in lengths] for name, f in forms.items()}
fig, ((ax,),) = figures.new(width=9.5, height=3.8)
looks = ((figures.ORANGE, "^"), (figures.BERRY, "s"), (figures.TEAL, "o"))
for (name, curve), (colour, mark) in zip(curves.items(), looks, strict=True):
    figures.line(ax, lengths, curve, colour, f"{name}\n{curve[-1]:.1f} MiB", marker=mark)
ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="kept for backward (MiB)")
ax.set_xticks(lengths, lengths)
ax.minorticks_off()
ratio = curves["explicit"][-1] / curves["online"][-1]
figures.title(ax, f"At 2,048 positions our own backward keeps {ratio:.0f} times less")
show(fig, alt="Bytes kept for the backward pass against length: explicit and autograd "
              f"through tiles grow with the square, online with the length, {ratio:.0f} "
              "times less at 2,048.")

# %% [markdown]
# What is the price? Each backward tile makes its scores once more: five products of $2T^2d$ in place of four.

# %%
def both_ways(function):
    x = inputs(512)
    forward = flops(function, *x)
    output = function(*x)
    return forward, flops(lambda: output.sum().backward())


(there, back), (there_again, back_again) = both_ways(explicit), both_ways(online_attention)
claim("forward, the same FLOPs; backward, a quarter more",
      there == there_again == 4 * 512**2 * 64 and 4 * back_again == 5 * back)
claim("there and back together, a sixth more",
      6 * (there_again + back_again) == 7 * (there + back))

# %% [markdown]
# Rabe and Staats (2021) already made tiles' weights again on the way back. FlashAttention (Dao et al. 2022) is our pass and
# one thing more: its tiles are so small that they stay in the fast memory beside a GPU's arithmetic, and the large table
# never travels. It saves traffic and memory, not operations.
#
# ## 9 · What breaks
#
# Three faults that are met in real code. **Predict** which of them raises an error.
#
# - *no maximum*: exponentials are summed as they come;
# - *only the query turns*: rotary is forgotten for the keys;
# - *positions in bfloat16*: the model runs in 16 bits, and the angles too.

# %%
large = 300 * q9 @ k9.mT
claim("no maximum: the sums overflow, and the outputs hold NaN",
      (large.exp() @ v9 / large.exp().sum(-1, keepdim=True)).isnan().any())
turned = [rotate(q6, position_angles(here + n, 8)) @ k6.mT for n in (0, 10)]
claim("only the query turns: ten places move a score by more than 1 again",
      (turned[1] - turned[0]).abs().max() > 1)
names = torch.arange(2048).bfloat16().unique()
claim("bfloat16 has 641 different numbers for 2,048 positions: 256 and 257 are one",
      len(names) == 641 and torch.tensor(256.0).bfloat16() == torch.tensor(257.0).bfloat16())

# %%
positions = torch.arange(2048, dtype=f64)
rounded = positions.bfloat16().double()
equal = torch.ones(2048, 64, dtype=f64)  # the same vector stands everywhere


def five_apart(positions):
    """Return the score of each position with the one five before it."""
    turned = rotate(equal, position_angles(positions, 64))
    return (turned[5:] * turned[:-5]).sum(-1)


true, broken = five_apart(positions), five_apart(rounded)
claim("in float64 the score of five steps is the same everywhere",
      (true - true[0]).abs().max() < 1e-10)
claim("with rounded positions so up to 256, and past 1,024 five steps become 0 or 8",
      (broken - true)[:251].abs().max() < 1e-10
      and set((rounded[1029:] - rounded[1024:-5]).tolist()) == {0.0, 8.0})

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=9.5, height=3.2)
ax.scatter(*figures.values([positions[5:], broken]), s=5, marker="^", color=figures.ORANGE)
figures.line(ax, positions[5:], true, figures.INK, f"float64\n{true[0]:.1f}")
ax.set(xlabel="position of the query, the key five before", ylabel="score", xlim=(0, 2048))
ax.text(60, 58, "▲ rounded to bfloat16", color=figures.TEXT[figures.ORANGE])
figures.title(ax, "Past 1,024, five steps are taken for none or for eight")
show(fig, alt="Score of two equal vectors five apart, against position: constant in "
              "float64; with positions rounded to bfloat16, constant up to 256 and further "
              "and further off beyond.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# None raises anything. The first at least shows NaN. The other two go on without a word, though equal distances now look
# different. This is why the library computes angles in float32 or better, whatever the dtype of the model.
# </details>

# %% [markdown]
# ## 10 · A long context
#
# When a model writes, each new position attends to all before it. Their keys and values are kept (the **KV cache**) so that
# they need not be made again. Take a model of eight billion parameters as they are built: 32 layers, $C = 4{,}096$, 32 query heads
# that share 8 heads of keys and values (four in a row use the same), $d = 128$, two bytes a number. One more position
# costs, in every layer, $2TC$ for its scores and $2TC$ for the mix, and two for each weight: multiply and add.
#
# **Predict** the gibibytes ($2^{30}$ bytes) of its cache at 131,072 positions:

# %% tags=["nbval-ignore-output"]
answer("positions.long_context", ...)

# %%
layers, kv_heads, d, width, parameters, T = 32, 8, 128, 4096, 8.0e9, 131_072
cache = 2 * layers * kv_heads * d * 2 * T  # k and v, in bytes: the one line of arithmetic
attend, weigh = 4 * T * width * layers, 2 * parameters  # FLOPs for one more position
claim("the cache of one text of 131,072 positions is 16 GiB, more than the weights' own 15",
      cache == 16 * 2**30 and 14 < 2 * parameters / 2**30 < 15)
claim("each further position costs four times as many FLOPs in attention as in all the weights",
      4 < attend / weigh < 4.5, attention=attend, weights=weigh)
claim("the two are equal at 30,500 positions, to 1 percent",
      abs(weigh / (4 * width * layers) / 30_500 - 1) < 0.01)

# %% tags=["hide-input"]
T = 2.0 ** torch.arange(10, 18)
fig, ((ax,),) = figures.new(width=9.5, height=3.6)
for heads, colour, mark in ((32, figures.ORANGE, "^"), (8, figures.TEAL, "o")):
    size = 2 * layers * heads * d * 2 * T / 2**30
    figures.line(ax, T, size, colour, f"{heads} heads {size[-1]:.0f} GiB", marker=mark)
figures.level(ax, 2 * parameters / 2**30, "")
ax.text(1100, 17.5, "the weights, 15 GiB", color=figures.MUTE, fontsize=9.5)
ax.set(xscale="log", yscale="log", xlabel="T (positions)", ylabel="KV cache (GiB)",
       xlim=(900, 1.35e5), ylim=(0.08, 120))
figures.title(ax, "At 131,072 positions one text's cache outweighs the model")
show(fig, alt="KV cache in GiB against length for 32 and for 8 heads of keys and values: 64"
              " and 16 GiB at 131,072 positions, the weights being 15 GiB.")

# %% [markdown]
# Shared heads made it four times smaller. Online attention does not shrink this cache: it shortens what training
# keeps, not what writing must remember.
#
# ## What stays
#
# - Sinusoidal positions are clock hands; a shift turns them all (*one matrix moves every position by 7*).
# - Rotary turns queries and keys; of positions, scores know only the distance (*all scores stay, to 1e-10*).
# - A relative formula need not carry a model past its trained length (*not one of them is right one time in four*); here a
#   window does, for rotary.
# - Attention costs $4T^2C$ operations, beside $8TC^2$ for its projections (*at T = 2C attention proper is half of what was counted*).
# - A running $m, l, o$ and weights computed twice keep memory linear in $T$ (*what you predicted, to the byte*).

# %% tags=["nbval-ignore-output"]
progress("03_positions_and_cost")

# %% [markdown]
# **Open questions.** How would you train so that distances above 31 are safe without a window? Could a model find the order from a
# causal mask alone, with two layers? A causal mask as a table takes $T^2$ bytes: how would a tile know its mask without one?
#
# **References.** Vaswani et al. 2017: section 3.5. Su et al. 2021, *RoFormer*: sections 3.2 and 3.4.2. Milakov and
# Gimelshein 2018, *Online normalizer calculation for softmax*: algorithm 3, for $m$ and $l$. Rabe and Staats 2021,
# *Self-attention does not need O(n²) memory*. Dao et al. 2022, *FlashAttention*: section 3.1 and appendix B. Press et al.
# 2022, *Train short, test long*: figure 1, our section 4 on language, and ALiBi, a penalty that grows with the distance
# and does reach further.
