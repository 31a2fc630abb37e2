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
# Attention as chapter 02 left it sees a bag of words, and it makes a table of all pairs of positions. This chapter gives
# it an order and then takes the table away. These are the two results: scores that know only the distance between two
# positions, and a softmax that never needs a whole row. At 65,536 positions its largest table is a thousandth of the other
# one's, and the answer is the same.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch03_positions_and_cost import figures as pictures
from course_lib.classroom import figures
from course_lib.classroom.figures import show

turns = 0.5 * (torch.arange(5)[:, None] - torch.arange(5))  # half a radian for each step
# q = (2.8, 0.1), k = (1.5, 0.1): q·k = 4.21, and 2.8 · 0.1 − 0.1 · 1.5 = 0.13
promise = (4.21 * turns.cos() + 0.13 * turns.sin()) / 2**0.5
show(pictures.opening(promise),
     alt="Left, a table of scores that are equal along every diagonal. Right, bytes of the largest "
         "table of scores against length: at 65,536 positions 16 GiB when it is made whole, 16 MiB in "
         "tiles.")

# %% [markdown]
# Afterwards you can
#
# - write sinusoidal, rotary and ALiBi positions, and prove what a score depends on;
# - test whether a scheme works past the length that it was trained on;
# - count what attention costs for any length, and write a softmax that never holds its table.
#
# **Needs** chapter 02. **Time** 45 minutes to read and run, 40 more for the three exercises; the cells take about 20
# seconds on two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $t, n$ | a position; a shift | |
# | $s$ | in sections 2 to 5 the key's position, in 7 the scores | |
# | $\omega_i$ | turn of pair $i$ for one step, in radians | (d/2,) |
# | $p(t)$ | position vector of $t$ | (C,) |
# | $M_n$ | matrix that shifts by $n$ | (C, C) |
# | $R(\varphi)$ | rotation of the plane by $\varphi$ | (2, 2) |
# | $m, l, o$ | running maximum, sum, weighted sum | (T,), (T,), (T, d) |
# | $q, k, v, p, W, T, C, d, H$ | as in chapter 02; $p$ are weights | |

# %% tags=["nbval-ignore-output"]
import math
from copy import deepcopy
from functools import partial

from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention import online
from course_lib.attention.dot_product import scaled_dot_product_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.positions import alibi, position_angles, sinusoidal
from course_lib.chapters.ch03_positions_and_cost.memory import memory
from course_lib.chapters.ch03_positions_and_cost.three_back import accuracy, shares, train
from course_lib.chapters.exercises import exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.evaluation.comparisons import paired_difference
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · Order is lost
#
# Chapter 02 proved that attention without a mask does not care about order. To such a layer ‘the king wore his crown’ and
# ‘his crown wore the king’ are the same sentence. Here it is again, with the numbers of chapter 02.

# %%
tokens = ["the", "king", "wore", "his", "crown"]
k = torch.tensor([[0.1, 0.1], [1.5, 0.1], [0.2, 0.3], [0.9, 0.1], [0.1, 1.4]], dtype=f64)
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=f64)
crown = torch.tensor([[2.8, 0.1]], dtype=f64)  # the query of 'crown'
order = torch.tensor([3, 4, 2, 0, 1])  # his crown wore the king

before, _ = scaled_dot_product_attention(crown, k, v)
after, _ = scaled_dot_product_attention(crown, k[order], v[order])
claim("‘crown’ finds the same in both orders",
      torch.allclose(before, after, rtol=1e-12))

# %% [markdown]
# ## 2 · Sinusoidal positions
#
# We could add the number $t$ itself to the word at position $t$, but it grows without end and would drown the word. A
# clock tells the time with hands that only turn, and none of them ever becomes large. So give the positions a clock
# with $C/2$ hands, each slower than the one before, and write down the sine and the cosine of every hand:
#
# $$p(t)_{2i} = \sin \omega_i t, \qquad p(t)_{2i+1} = \cos \omega_i t, \qquad \omega_i = 10{,}000^{-2i/C}. \tag{3.1}$$
#
# With $C = 16$ the first hand turns by one radian a step, and the last of the eight needs 19,869 steps for one round.
# The vector $p(t)$ is added to the vector of the word at position $t$ (Vaswani et al. 2017).

# %%
C, T = 16, 40
omega = 10_000 ** (-torch.arange(0, C, 2, dtype=f64) / C)  # (C/2,)
hands = torch.arange(T, dtype=f64)[:, None] * omega  # (T, C/2), angles
p = torch.stack([hands.sin(), hands.cos()], dim=-1).flatten(1)  # (T, C)
claim("equation (3.1), written out, is what the library computes",
      torch.allclose(sinusoidal(torch.arange(T, dtype=f64), C), p, rtol=1e-12))
claim("the last hand needs 19,869 steps for a round",
      round(2 * math.pi / omega[-1].item()) == 19_869)

# %% [markdown]
# How alike are two positions? Since $\sin a \sin b + \cos a \cos b = \cos(a - b)$,
#
# $$p(t)\cdot p(s) = \sum_i \cos\big(\omega_i (t - s)\big).$$
#
# This depends on the distance alone, and it is largest, $C/2$, at distance 0. It is the same for $t - s$ and for
# $s - t$, so this product cannot tell before from after.

# %%
alike = p @ p.T  # (T, T)
distances = torch.arange(T, dtype=f64)
by_distance = (distances[:, None] * omega).cos().sum(-1)
claim("p(t)·p(s) is the sum of cosines of the distance, for every pair of positions",
      all(torch.allclose(alike.diagonal(n), by_distance[n], rtol=1e-10) for n in range(T)))

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.4, width_ratios=[1.3, 1])
figures.matrix(left, p.T, [], [], kind="signed", digits=False)
left.set_xlabel("feature (down), position (across); hatched: below zero")
left.set_xticks([0, 10, 20, 30], [0, 10, 20, 30])
left.set_yticks([0, 5, 10, 15], [0, 5, 10, 15])
figures.title(left, "Each pair turns slower than the one above")
figures.line(right, distances, by_distance, figures.BLUE)
right.set(xlabel="distance t − s (positions)", ylabel="p(t)·p(s)", ylim=(0, 8.5))
figures.title(right, "Most alike at distance 0, then in waves")
show(fig, alt="Left, the table of sinusoidal positions, fast waves in the first features and slow "
              "ones in the last. Right, their dot product falls from 8.0 at distance 0.")

# %% [markdown]
# ### A shift is a matrix
#
# Why sines and cosines, and not some other wave? Write $a = \omega_i t$ and $b = \omega_i n$. The addition theorems
#
# $$\sin(a+b) = \sin a\cos b + \cos a \sin b, \qquad \cos(a+b) = \cos a\cos b - \sin a\sin b$$
#
# are linear in $\sin a$ and $\cos a$, and their coefficients hold $n$ but not $t$. So the hand at $t + n$ is a
# 2 × 2 matrix times the hand at $t$. For all hands together,
#
# $$p(t+n) = M_n\, p(t) \quad\text{with one matrix } M_n \text{ for every position } t. \tag{3.2}$$

# %% [markdown]
# ### Exercise: the matrix of a shift
# *difficulty 2/5 · importance 3/5 · 10 minutes*
#
# Build $M_n$ from the angles $n\,\omega_i$. `hint("positions.shift_matrix")` helps, in steps.

# %% tags=["nbval-ignore-output"]
@exercise("positions.shift_matrix")
def shift_matrix(angles):
    """Return the (d, d) matrix M for which p(t + n) = M p(t) for every t, in the dtype of angles.

    angles (d/2,): n ω_i of each pair; p(t) = (sin ω_0 t, cos ω_0 t, sin ω_1 t, cos ω_1 t, …).
    Worked value: angles = [π/2] gives [[0, 1], [-1, 0]], up to rounding.
    """
    # for one pair: the (2, 2) block that makes the new sine and cosine of the old
    # for all pairs: one (d, d) matrix
    ...

# %%
M = shift_matrix(7 * omega)
claim("one matrix moves every position by 7",
      torch.allclose(p[:-7] @ M.T, p[7:], rtol=0, atol=1e-8))
claim("it is a rotation: M Mᵀ = 1 and det M = 1",
      torch.allclose(M @ M.T, torch.eye(C, dtype=f64), atol=1e-8)
      and abs(torch.linalg.det(M) - 1) < 1e-8)

# %% [markdown]
# What is equation (3.2) good for? Let $W_q$ be the fixed matrix $M_n$. In rows, as in chapter 02, the query of
# position $t$ is $p(t)^\top M_n$, as a column $M_n^\top p(t)$. Its score with position $s$ is $p(t)\cdot M_n\, p(s) = p(t) \cdot p(s + n)$, which is largest at
# $s = t - n$: a head can ask for ‘$n$ places back’. A head of four numbers has room for two of the eight pairs. They are
# enough here.

# %%
of_head = p[7:, :4] @ M[:4, :4] @ p[:, :4].T  # query t = 7 …, key s
claim("with the first two of the eight pairs the largest score is 7 places back, from every position",
      torch.equal(of_head.argmax(-1), torch.arange(len(p) - 7)))

# %% [markdown]
# ## 3 · Rotary positions
#
# When vectors are *added*, move the whole sentence ten places on, and the score of ‘crown’ with ‘king’ changes, though
# nothing about the two words has.
#
# **Rotary** positions (Su et al. 2021) add nothing. They cut query and key into pairs of numbers, and at position $t$
# they *turn* pair $i$ by $\omega_i t$, counter-clockwise:
#
# $$R(\varphi) = \begin{pmatrix}\cos\varphi & -\sin\varphi\\ \sin\varphi & \cos\varphi\end{pmatrix}, \qquad
# R(\varphi)^\top = R(-\varphi), \qquad R(a)R(b) = R(a+b).$$
#
# Query and key are now themselves hands of clocks. For one pair,
#
# $$\big(R(\omega t)\, q\big)\cdot\big(R(\omega s)\, k\big) = q^\top R(\omega t)^\top R(\omega s)\, k
#   = q^\top R\big(\omega (s - t)\big)\, k . \tag{3.3}$$
#
# Only $t - s$ is left, exactly. Written out, the score is
# $q\cdot k\,\cos\omega(t-s) + (q_1k_2 - q_2k_1)\sin\omega(t-s)$, with 4.21 and 0.13 for ‘crown’ and ‘king’. The second
# part tells three before from three after, unless $q$ and $k$ are parallel.

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
starts = (torch.tensor([[1.0, 0.0], [0.3, 1.0], [-0.7, 0.6]]),
          torch.tensor([[0.9, -0.8], [1.0, 0.4], [-0.2, -1.0]]))
fig = pictures.clocks(*starts, omega=(0.5, 0.2, 0.08), places=((4, 1), (9, 6)))
show(fig, alt="Three clocks, one for each pair of features, with a hand for the query and one for the "
              "key. Five places further on every hand has turned, the first pair's by 2.5 radians; "
              "the angle between the two hands of a clock is what it was.")

# %% [markdown]
# ### Exercise: the rotary rotation
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# Now for many pairs and many positions at once, and without building a single matrix.

# %% tags=["nbval-ignore-output"]
@exercise("positions.rotate")
def rotate(x, angles):
    """Turn the pair (x[..., t, 2i], x[..., t, 2i + 1]) by angles[t, i], counter-clockwise.

    x (..., time, d), angles (time, d/2), in radians; returns (..., time, d).
    Worked value: x = [[1., 0.]], angles = [[π/2]] give [[0., 1.]], up to rounding.
    """
    # every pair of neighbours is a point of the plane, and has an angle of its own
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
claim("rotary: moved by 1 or by 1,000 places, all scores stay, to 1e-10",
      gap < 1e-10, largest_change=gap)
one_on = rotate(q6, position_angles(here, 8)) @ rotate(k6, position_angles(here + 1, 8)).mT
moved, turned = ((scores[0] - other).abs().max().item() for other in (one_on, q6 @ k6.mT))
claim("moving the keys alone by one place changes a score by more than 1, as does not turning",
      moved > 1 and turned > 1, keys_alone=moved, unturned=turned)
added = [(q6 + sinusoidal(here + n, 8)) @ (k6 + sinusoidal(here + n, 8)).mT for n in (0, 10)]
change = (added[1] - added[0]).abs().max().item()
claim("with sines added instead, ten places change a score by more than 1",
      change > 1, largest_change=change)

# %% [markdown]
# ## 4 · ALiBi
#
# One can leave queries and keys alone and put the distance straight into the score. ALiBi (Press, Smith and Lewis 2022)
# takes off a little for each step between them. Head number $h$ of $H$ uses
#
# $$\frac{q\cdot k}{\sqrt d} \;-\; 2^{-8h/H}\,(t - s) \qquad\text{for keys } s \le t. \tag{3.4}$$
#
# There is no parameter to train. With eight heads, the first are short-sighted, and the last reaches a few hundred places.
# Here it is in three lines.

# %%
at = torch.arange(2048)
slopes = 2.0 ** (-8 * torch.arange(1, 9) / 8)  # (H,): 1/2, 1/4, …, 1/256 for eight heads
biases = -slopes[:, None, None] * (at[:64, None] - at[:64])  # (H, T, T), added to the scores

allowed = causal_mask(64)
claim("these are the library's biases for every pair that a causal mask allows",
      torch.equal(biases[:, allowed], alibi(8, at[:64])[:, allowed]))
equal = (-slopes[:, None] * at).double().softmax(-1)  # 2,048 keys that fit equally: (H, distance)
claim("among keys that fit equally well the nearer one always gets more weight, in every head",
      (equal[:, :1000].diff(dim=-1) < 0).all())
claim("the ten nearest get 0.99 of the first head's weight, and 0.04 of the last one's",
      [round(x, 2) for x in equal[[0, -1], :10].sum(-1).tolist()] == [0.99, 0.04])
same, place = torch.ones(64, 4, dtype=f64), at[:64].double()  # 64 equal keys, for rotary
# a query turned to t − 3 is one that was turned back by a fixed angle first, which W_q can do
asks = rotate(same, position_angles(place - 3, 4)) @ rotate(same, position_angles(place, 4)).mT
claim("rotary can ask equal keys for three places back, as ALiBi cannot: there its score is largest",
      torch.equal(asks[3:].argmax(-1), at[:61]))

# %% tags=["hide-input"]
show(pictures.alibi_weights(equal[[0, 1, 4, 7]], heads=(1, 2, 5, 8)),
     alt="Weight against distance among keys that fit equally well, for four of eight ALiBi heads, "
         "log scale: straight lines that fall, steep for head 1 and nearly flat for head 8.")

# %% [markdown]
# ## 5 · Beyond the trained length
#
# Rotary and ALiBi scores know only distances. Do they therefore work at any length? In a sequence of random symbols of 16
# kinds, a model has to name, at every position, the symbol **three back**. One layer with two heads (`three_back.py`) is
# trained on sequences of 32 and then read at 256. A blind guess is right one time in 16.
#
# | scheme | what it changes |
# | --- | --- |
# | none | nothing, the control |
# | learned | adds a free vector for each position: a table of 256 rows, of which 32 are trained |
# | sinusoidal | adds $p(t)$ |
# | rotary | turns queries and keys |
# | ALiBi | adds its biases to the scores |
#
# Which are still right more than half of the time at positions 192 to 255? Write down their names.

# %% tags=["nbval-ignore-output"]
guess("far_off", ...)

# %% tags=["nbval-ignore-output"]
print("one training a scheme, about 8 s on two CPU cores; on a GPU with the full budget five")
seeds = range(5, run.pick(quick=6, full=10))  # none of them is a recorded one
models = {scheme: [train(scheme, seed, device=run.device) for seed in seeds]
          for scheme in ("none", "learned", "sinusoidal", "rotary", "alibi")}
right = {}
for scheme, trained in models.items():
    parts = [shares(accuracy(model)) for model in trained]
    right[scheme] = {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
for scheme, part in right.items():
    print(f"{scheme:>10}:", ", ".join(f"{name} {share:.2f}" for name, share in part.items()))

# %%
three = ("learned", "sinusoidal", "rotary")
far = {scheme: part["far"] for scheme, part in right.items()}
claim("at six to eight times the trained length none of the five is right one time in three",
      max(far.values()) < 1 / 3, guessed="far_off", **far)
inside = {scheme: part["inside"] for scheme, part in right.items()}
claim("within 32 positions learned, sinusoidal and rotary are right in 97 of 100, "
      "the others in under 35",
      min(inside[s] for s in three) > 0.97 and max(inside["alibi"], inside["none"]) < 0.35, **inside)

# %% [markdown]
# One training a scheme may be bad luck. The record has five other seeds, and the same with eight narrow heads, of four
# numbers each.

# %%
record = recorded("positions")
two, eight = record.arm("two heads"), record.arm("eight heads")
claim("two heads: far off, none of the five schemes is right one time in three, in any of five seeds",
      max(max(two.arm(s, "all").each("far")) for s in models) < 1 / 3,
      **{s: two.arm(s, "all").beside(right[s]["far"], "far") for s in ("rotary", "alibi")})
claim("eight heads: far off, rotary is right in 97 of 100 in every seed, ALiBi in under 35",
      min(eight.arm("rotary", "all").each("far")) > 0.97
      and max(eight.arm("alibi", "all").each("far")) < 0.35)

# %% tags=["hide-input"]
show(pictures.past_the_length(two),
     alt="Share of right answers against position for five schemes with two heads, means of five "
         "seeds. With all positions in sight the three that were right up to 32 fall beyond it, "
         "rotary differently in each seed (band), and ALiBi stays near 0.24. With the last 32 in "
         "sight rotary alone stays at 1.")

# %% [markdown]
# So the answer depends on what was *learned*. The sines are known functions, but their values at position 200 are new to
# the trained matrices. Rotary scores depend on distances alone, but distances above 31 were never trained, and nothing in
# equation (3.3) keeps their scores low. With eight narrow heads (not drawn) they did no harm, and we have not shown why.
# ALiBi is good nowhere on this task. A law of the formula is not a law of what is learned.
#
# If the new distances do the harm, never show one: let every position see the last 32 alone (a **window**, right panel).
# That also leaves fewer keys, so the record has two controls: 32 keys, of which 16 are more than 31 back; and the window
# with each wrong key counted eight times, which competes as 249 keys would.

# %%
cured = {s: two.arm(s, "window").each("far") for s in models}
ahead, error = paired_difference(torch.tensor(cured["rotary"]), torch.tensor(cured["sinusoidal"]))
claim("with a window of 32, rotary is right in 97 of 100 far off, in every seed",
      min(cured["rotary"]) > 0.97)
claim("the same window leaves learned and sinusoidal positions under 60 in 100, in every seed",
      max(cured["learned"] + cured["sinusoidal"]) < 0.6,
      rotary_ahead_by=ahead, standard_error=error)
untrained, crowded = (two.arm("rotary", arm).each("far") for arm in ("untrained", "crowded"))
claim("few keys are not the cure: 32 of which 16 are at new distances leave rotary under 60 in 100; "
      "trained distances alone, each wrong key counted eightfold, over 90; in every seed",
      max(untrained) < 0.6 and min(crowded) > 0.9, new_distances=untrained, crowded=crowded)

# %%
exact = deepcopy(models["rotary"][0]).cpu().double()
symbols = torch.randint(16, (2, 256), generator=torch.Generator().manual_seed(3))
with torch.no_grad():
    gap = (exact(symbols[:, -32:])[:, -1] - exact(symbols, window=32)[:, -1]).abs().max().item()
claim("rotary with a window gives the same logits at position 31 and at 255, to 1e-10",
      gap < 1e-10, difference=gap)

# %% [markdown]
# The last claim is equation (3.3) at work: with a window this one layer is the *same function* of the last 32 symbols
# everywhere from position 31 on. That it is right there was learned.
#
# ## 6 · What it costs
#
# Count a multiplication and an addition as two operations (FLOPs). A product of a $(T, C)$ and a $(C, C)$ matrix then costs
# $2TC^2$. An attention layer has four such projections, $W_q, W_k, W_v, W_o$, and over all its heads two products with a
# $T\times T$ table:
#
# $$\underbrace{8\,T C^2}_{\text{projections}} + \underbrace{2T^2C}_{\text{scores}} +
# \underbrace{2T^2C}_{\text{mixing values}}. \tag{3.5}$$
#
# At which $T$ do the two products with the table cost as much as the projections? Answer as a multiple of $C$.

# %% tags=["nbval-ignore-output"]
guess("equal_cost", ...)

# %%
def flops(function, *inputs):
    """Count the FLOPs of all matrix products that PyTorch really carries out."""
    with FlopCounterMode(display=False) as counter:
        function(*inputs)
    return counter.get_total_flops()


def explicit(q, k, v):
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v


def inputs(T, H=1, d=64):
    return [torch.randn(H, T, d) for _ in range(3)]


layer = MultiHeadAttention(64, n_heads=4)
counted = {T: flops(layer.attend, torch.zeros(1, T, 64)) for T in (32, 64, 128, 256, 512)}
claim("equation (3.5) is what PyTorch counts, at five lengths from 32 to 512",
      all(n == 8 * T * 64**2 + 4 * T**2 * 64 for T, n in counted.items()))
halves = [T / 64 for T, n in counted.items() if n == 2 * flops(explicit, *inputs(T, H=4, d=16))]
claim("at T = 2C, and at no other of them, q kᵀ and p v, counted alone, are half of the layer",
      halves == [2], guessed="equal_cost", multiple_of_C=halves)

# %% [markdown]
# Well below $T = 2C$ the table is the cheap part of its layer; well above it, twice the text costs nearly four times as much.
#
# The other bill is memory. A program can be waited for, but a table that does not fit ends the run. The function `memory`
# watches every operation of PyTorch. It returns the bytes of the largest tensor that is made, and the most that is held at
# one time, which is more: other tensors stand beside the largest.

# %%
lengths = (512, 1024, 2048)
largest, at_once = zip(*(memory(explicit, *inputs(T)) for T in lengths), strict=True)
claim("explicit attention makes a table of 4T² bytes a head, and holds about two of them at one time",
      largest == tuple(4 * T**2 for T in lengths)
      and all(1.9 < held / table < 2.2 for held, table in zip(at_once, largest, strict=True)))

# %% [markdown]
# ## 7 · The online softmax
#
# At 65,536 positions $4T^2$ is 16 GiB. Taking 64 queries at a time would remove this table too. But each query would still
# need its whole row of scores, twice: for the largest, so that no exponential overflows, and for the sum of all
# exponentials. Must it? Take the keys a few at a time, a **tile**, and keep three things for each query, over the keys seen
# so far:
#
# $$m = \max_j s_j, \qquad l = \sum_j e^{s_j - m}, \qquad o = \sum_j e^{s_j - m}\, v_j .$$
#
# Then $o/l$ is the attention over these keys.

# %% tags=["hide-input"]
show(pictures.in_tiles(),
     alt="The grid of all pairs of eight queries and eight keys, cut into tiles of two keys: two "
         "tiles are added up and forgotten, the third is held now, the fourth is to come. Beside it "
         "m, l and o, which are kept.")

# %% [markdown]
# A new tile of keys arrives, and the largest score is now $m^* = \max(m, \max_{\text{new } j} s_j)$. Because
# $e^{s_j - m^*} = e^{s_j - m}\, e^{m - m^*}$, every old term shrinks by the *same* factor, so the sum of them does too:
#
# $$l \leftarrow e^{m - m^*}\, l + \sum_{\text{new } j} e^{s_j - m^*}, \qquad
#   o \leftarrow e^{m - m^*}\, o + \sum_{\text{new } j} e^{s_j - m^*} v_j, \qquad m \leftarrow m^* . \tag{3.6}$$
#
# Start from $m = -\infty$, $l = 0$, $o = 0$. Nothing is approximated, and since $m$ never falls, no exponent is ever
# positive. Here are the five scores of ‘crown’, one key at a time.

# %%
s = (crown @ k.T)[0] / math.sqrt(2)  # five scores
m, l, o = -math.inf, 0.0, torch.zeros(2, dtype=f64)
for j in range(5):
    new = max(m, s[j].item())
    shrink, e = math.exp(m - new), math.exp(s[j] - new)
    m, l, o = new, l * shrink + e, o * shrink + e * v[j]
    print(f"after {tokens[j]:>5}: m = {m:.2f}, l = {l:.2f}, o/l =", [f"{x:.2f}" for x in o / l])
claim("one key at a time, the result is the softmax's",
      torch.allclose(o / l, before[0], rtol=1e-12))

# %% [markdown]
# ### Exercise: the update
# *difficulty 3/5 · importance 5/5 · 20 minutes*
#
# Write equation (3.6) for all queries at once, and for a tile of several keys. A causal mask may forbid a query a whole
# tile, even its first one. Decide what $m$, $l$ and $o$ should then be.

# %% tags=["nbval-ignore-output"]
@exercise("positions.online_softmax_update")
def online_softmax_update(m, l, o, scores, values):
    """Return m, l, o after one more tile of keys; o / l is the attention over all keys seen.

    m (..., query): largest score so far; l (..., query): sum of exp(score − m);
    o (..., query, d_value): sum of exp(score − m) · value.
    scores (..., query, tile), −∞ where forbidden, which may be all; values (..., tile, d_value).
    Worked value: m = [0.], l = [1.], o = [[1.]], a score ln 2 with value 4: ln 2, 1.5, 4.5.
    """
    # all three, against one maximum for each query, of the same shapes as they came
    ...

# %%
def through_tiles(q, k, v, tile=64, update=online_softmax_update):
    """Return attention's output, the keys taken tile at a time; q, k, v (heads, T, d)."""
    m, l = q.new_full(q.shape[:-1], -math.inf), q.new_zeros(q.shape[:-1])  # (H, T) each
    o = torch.zeros_like(q)
    for a in range(0, k.shape[-2], tile):
        scores = q @ k[..., a : a + tile, :].mT / math.sqrt(q.shape[-1])  # (H, T, tile)
        m, l, o = update(m, l, o, scores, v[..., a : a + tile, :])
    return o / l[..., None]


# %%
q9, k9, v9 = torch.randn(3, 2, 9, 4, dtype=f64, generator=generator)
wanted, _ = scaled_dot_product_attention(q9, k9, v9)
claim("with tiles of 1, 2, 4 and 9 keys, always the same output, to 1e-10",
      all((through_tiles(q9, k9, v9, n) - wanted).abs().max() < 1e-10 for n in (1, 2, 4, 9)))
large, _ = scaled_dot_product_attention(1000 * q9, k9, v9)  # e^1000 is too large for the computer
claim("and with scores a thousand times as large",
      all((through_tiles(1000 * q9, k9, v9, n) - large).abs().max() < 1e-8 for n in (1, 2, 4, 9)))

# %%
by_library = partial(through_tiles, update=online.online_softmax_update)
claim("the matrix products are those of the explicit form",
      flops(by_library, *inputs(512)) == flops(explicit, *inputs(512)) == 4 * 512**2 * 64)
largest, at_once = zip(*(memory(by_library, *inputs(T, d=8)) for T in lengths), strict=True)
claim("with d = 8 the largest tensor is one tile, of T × 64 numbers",
      largest == tuple(4 * 64 * T for T in lengths))
claim("all that is held at one time is twice as much for twice the text",
      1.9 < at_once[1] / at_once[0] < 2.1 and 1.9 < at_once[2] / at_once[1] < 2.1,
      in_tiles=[held / tile for held, tile in zip(at_once, largest, strict=True)])

# %% [markdown]
# At 65,536 positions one tile of scores is $4\cdot 64\,T$ bytes, 16 MiB, as in the first figure; a few such are held at one
# time. The matrix products are as many as before; rescaling $l$ and $o$ comes on top, and is little beside them. And this is the forward pass alone: what training has to keep for the way
# back, and what a model has to remember while it writes, is the subject of the optional chapter `03b_long_context`.

# %% [markdown]
# ## What stays
#
# - Sinusoidal positions are the hands of clocks, and one matrix shifts all of them:
#   [*one matrix moves every position by 7*](#Exercise:-the-matrix-of-a-shift).
# - Rotary turns queries and keys, and of the positions its scores know only the distance:
#   [*moved by 1 or by 1,000 places, all scores stay*](#Exercise:-the-rotary-rotation).
# - ALiBi adds a bias that falls with the distance: among equal keys,
#   [*the nearer one always gets more weight*](#4-·-ALiBi).
# - Scores that know only distances need not work past the trained length: with two heads
#   [*none of the five schemes is right one time in three*](#5-·-Beyond-the-trained-length). A window cured rotary
#   ([*rotary is right in 97 of 100 far off*](#5-·-Beyond-the-trained-length)).
# - Part of attention's operations grows with the square of the length
#   ([*is what PyTorch counts*](#6-·-What-it-costs)). In tiles the output is the same, and memory grows in proportion
#   ([*twice as much for twice the text*](#Exercise:-the-update)).

# %% tags=["nbval-ignore-output"]
progress("03_positions_and_cost")

# %% [markdown]
# **Open questions.** How would you train so that distances above 31 are safe without a window? Why might heads of four
# numbers have carried rotary further than heads of sixteen, and which experiment would tell? Could a model find the order
# from a causal mask alone, with two layers?
#
# **References.** Vaswani et al. 2017, *Attention is all you need*: section 3.5. Su et al. 2021, *RoFormer*: sections 3.2 and
# 3.4.2. Press, Smith and Lewis 2022, *Train short, test long*: section 3 for ALiBi, figure 1 for our section 5 on language,
# where ALiBi does reach further. Milakov and Gimelshein 2018, *Online normalizer calculation for softmax*: algorithm 3, for
# $m$ and $l$.
