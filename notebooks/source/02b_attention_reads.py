# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02b · What attention reads
#
# **What does a model of attention alone learn from a text, and what do its weights tell us?**
#
# Chapter 02 made queries and keys by hand. Here a model finds its own: two layers of attention, nothing else, learn to
# predict the next character of Shakespeare, or of a text of yours. Say the sobering part first: this model is beaten
# by a table that counts which character followed the last three. It is worth our time all the same, because it is small
# enough to be opened. This chapter is optional, and no later one relies on it.

# %% tags=["hide-input"]
from course_lib.chapters.ch02b_attention_reads import figures as pictures
from course_lib.classroom.figures import show
from course_lib.classroom.records import recorded

record = recorded("attention_only")
fig = pictures.ladder(record.values["rivals"], record.each("bits"))
show(fig, alt="Held-out bits per character: uniform 6.02, letters 4.83, pairs 3.58, triples 2.98, two "
              "layers of attention 2.79 in five trainings, counts of four in a row 2.59, of five 2.55.")

# %% [markdown]
# Afterwards you can
#
# - train a model of attention on any text, and hold it against rivals that only count;
# - say whether two arms differ, from the same seeds, with a standard error;
# - measure what a head looks at and, separately, what it is worth.
#
# **Needs** chapter 02; the entropy in bits of chapter 01. **Time** 45 minutes to read and run, 30 more to write the
# exercises; the cells take about 40 seconds on a CPU.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | what the positions carry | (T, C) |
# | $q, k, v$ | queries, keys, values of one head | (T, d) |
# | $p$ | attention weights; in section 1 a model's probability | (T, T) |
# | $W_o$ | matrix that mixes the heads | (C, C) |
# | $T, V$ | characters in a window; different ones in the text | |
# | $B, H, d$ | windows in a batch, heads, numbers of one head | |
# | $n$ | how many: characters, seeds | |

# %% tags=["nbval-ignore-output"]
import math
from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.attention.dot_product import fast_attention, scaled_dot_product_attention
from course_lib.attention.masks import causal_mask, is_causal
from course_lib.attention.multi_head import MultiHeadAttention, join_heads
from course_lib.chapters.ch02b_attention_reads.rivals import counting_bits
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.text import load_shakespeare, load_text, random_windows
from course_lib.training.runtime import start

# %% [markdown]
# ## 1 · A text, and those who only count
#
# The text is Tiny Shakespeare, a million characters of his plays. **To use a text of your own**, any language in UTF-8,
# put its path into the second line in place of the first: everything below runs with it. The recorded figures, and
# the claims that quote them, stay Shakespeare's.
#
# A model gives the next character $w_t$ a probability, given those before it. We measure the **cross-entropy** on text
# that it was not trained on, the mean surprise in bits:
#
# $$\text{bits} = -\frac1n \sum_{t=1}^{n} \log_2 p(w_t \mid w_1 \dots w_{t-1}). \tag{2b.1}$$
#
# Whoever knows nothing needs $\log_2 V$ bits, which is 6.02 for Shakespeare's 65 characters.

# %%
text = load_shakespeare()
# text = load_text("path/to/your.txt")
n_symbols = len(text.vocabulary)
shakespeare = text.summary() == record.values["text"]
print(text.summary())
print("the records are of", "this text" if shakespeare else "Shakespeare, not of your text")

# %% [markdown]
# The honest rivals count. One that looks at $m$ characters of context counts how often each context $h$ occurs in the
# training text and how often the character $w$ follows it. It adds a little, $a$, to every count, so that what was never
# seen is not impossible:
#
# $$p(w \mid h) = \frac{c(hw) + a}{c(h) + aV}. \tag{2b.2}$$
#
# The classical choice is $a = 1$. For long contexts, most of which are rare, it gives far too much to what was never seen,
# so our two longest rivals add 0.01. A rival that counts ‘four in a row’ looks at three characters and predicts the
# fourth.

# %%
ways = {"letters": (1, 1), "pairs": (2, 1), "triples": (3, 1), "four in a row": (4, 0.01),
        "five in a row": (5, 0.01)}  # characters in a row, what is added
rivals = {"uniform": math.log2(n_symbols)}
for name, (order, added) in ways.items():
    rivals[name] = counting_bits(text.train, text.validation, n_symbols, order, added)
for name, rival in rivals.items():
    print(f"{name:<14} {rival:.2f} bits" if shakespeare else f"{name}: {rival:.3f} bits")
if shakespeare:
    claim("the rivals are those of the record",
          all(abs(rivals[name] - value) < 1e-4 for name, value in record.values["rivals"].items()))
    add_one = counting_bits(text.train, text.validation, n_symbols, 4, 1)
    claim("with 1 added, counts of four in a row need 0.2 bits more than with 0.01, and more than the "
          "model", add_one > max(rivals["four in a row"] + 0.2, record.mean("bits")), bits=add_one)

# %% [markdown]
# ## 2 · Two layers of attention, and nothing else
#
# A vector says which character stands at a position, and a second one, added to it, says which position it is. Then each of two
# layers *adds* to every position what its four heads have found, under a causal mask. A last matrix turns the result into $V$
# scores, the **logits**; their softmax is the distribution of the next character. In the code `layer.project` gives $q$, $k$ and
# $v$ with the heads split, and `mix` is the attention function, which section 6 will exchange for faulty ones.

# %% tags=["hide-input"]
fig = pictures.model_diagram()
show(fig, alt="The model as a diagram: character and position vectors add up to x; two layers of four "
              "causal heads each read x and add to it; a last matrix makes V logits.")

# %%
class AttentionOnly(nn.Module):
    def __init__(self, vocab, mix=fast_attention, context=32, d_model=64, n_heads=4):
        super().__init__()
        self.token = nn.Embedding(vocab, d_model)
        self.position = nn.Parameter(torch.randn(context, d_model) / 2)
        self.layers = nn.ModuleList(MultiHeadAttention(d_model, n_heads) for _ in range(2))
        self.readout = nn.Linear(d_model, vocab)
        self.mix = mix
        nn.init.normal_(self.token.weight, std=0.5)

    def forward(self, tokens):
        x = self.token(tokens) + self.position[: tokens.shape[1]]  # (B, T, C)
        mask = causal_mask(tokens.shape[1], device=x.device)
        for layer in self.layers:
            found = self.mix(*layer.project(x), mask)  # (B, H, T, d)
            x = x + layer.output(join_heads(found))
        return self.readout(x)  # logits (B, T, V)

# %% [markdown]
# Training repeats five steps: draw windows of 32 characters, predict, measure, differentiate, step. The optimizer Adam
# divides each gradient, averaged over recent steps, by its recent size. The rate rises for 20 steps and then falls to 0.

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
def experiment(steps, seed, mix=fast_attention, n_heads=4):
    """Return a model trained with this seed, and its losses."""
    torch.manual_seed(seed)
    model = AttentionOnly(n_symbols, mix, n_heads=n_heads).to(run.device)
    return model, train(model, steps, seed)


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

# %% tags=["nbval-ignore-output"]
run = start(seed=0, threads=1)  # these models are too small to share between cores
steps = 1500
print("a training takes about 20 s on one CPU core")
live_seeds = run.pick(quick=[5], full=list(range(5, 10)))  # the record holds the seeds 0 … 4
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
claim("change the second half of a window: no logit of the first half moves, every later one does",
      gap[:16].max() < 1e-4 and gap[16:].min() > 1e-3)
if shakespeare:
    spread = record.each("bits")
    room = max(spread) - min(spread)
    claim("a seed that is not among the five recorded lies where they do, give or take their range",
          not set(live_seeds) & set(record.seeds)
          and all(min(spread) - room < each < max(spread) + room for each in live_bits),
          bits=live_bits, five_seeds=spread)

# %% tags=["nbval-ignore-output", "hide-input"]
fig = pictures.training(losses, bits, rivals)
show(fig, alt=f"Training loss in bits per character against the step; held-out it ends at {bits:.2f}; "
              "dashed levels show the counts, from uniform to five in a row.")

# %% [markdown]
# ### Exercise: do two arms differ?
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# Two models were trained with the same $n$ seeds. A seed that starts badly is bad for both; so compare seed by seed.
# With the differences $\Delta_i$ and their mean $\bar\Delta$,
#
# $$\bar\Delta \pm \frac{1}{\sqrt n}\sqrt{\frac{1}{n-1}\sum_{i=1}^n (\Delta_i - \bar\Delta)^2} \tag{2b.3}$$
#
# gives the difference and its **standard error**. How many standard errors are enough? With five seeds it takes more than
# one is used to; the second cell below shows why.

# %% tags=["nbval-ignore-output"]
@exercise("attention.paired_difference")
def paired_difference(first, second):
    """Return (mean, standard_error) of first - second over the seeds; both (n,), seed i at place i.

    Worked value: first = [3., 5., 7.], second = [2., 3., 4.] give (2., 0.577…).
    """
    # one seed's two numbers belong together
    ...

# %%
def compare(first, second):
    """Return mean difference and standard error of two recorded arms, as numbers."""
    pair = (torch.tensor(arm, dtype=torch.float64) for arm in (first, second))
    return tuple(float(value) for value in paired_difference(*pair))


counted = record.values["rivals"]
against = {name: compare(record.each("bits"), [value] * 5) for name, value in counted.items()}
for name, (mean, error) in against.items():
    print(f"attention minus {name:<14} {mean:+.3f} ± {error:.3f} bits")
claim("the model needs fewer bits than counts of three in a row, by more than 10 standard errors",
      against["triples"][0] < -10 * against["triples"][1])
claim("counts of four in a row need fewer bits than the model, by more than 10 standard errors",
      against["four in a row"][0] > 10 * against["four in a row"][1])

# %% [markdown]
# %%
differences = torch.randn(100_000, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
errors = differences.std(1) / math.sqrt(5)
share = {n: (differences.mean(1).abs() > n * errors).double().mean().item() for n in (2, 3, 10)}
claim("where two arms do not differ, five seeds give more than 2 standard errors once in nine times, "
      "more than 3 once in 25, more than 10 less than once in 1,000",
      abs(share[2] - 1 / 9) < 0.01 and abs(share[3] - 1 / 25) < 0.01 and share[10] < 0.001,
      shares=list(share.values()))

# %% [markdown]
# Three remarks on the table above. The counts have no seed, so the same number stands in all five pairs. The model reads
# windows of 32 that do not overlap, so that it sees about 16 characters on average, while the counts always have their whole
# context. And rate, steps and added counts were chosen by hand with this held-out text in view, so a difference of a
# hundredth of a bit would mean nothing here.
#
# ## 3 · What do the heads look at?
#
# To look inside we repeat the forward pass and keep what it passes by. The attention function of chapter 02, which
# returns its weights, takes the place of the fast one.

# %%
@torch.no_grad()
def look_inside(model, tokens):
    """Return q, k (layers, B, H, T, d), weights (layers, B, H, T, T) and what was found, as q."""
    x = model.token(tokens) + model.position[: tokens.shape[1]]
    mask = causal_mask(tokens.shape[1], device=x.device)
    kept = []
    for layer in model.layers:
        q, k, v = layer.project(x)
        found, p = scaled_dot_product_attention(q, k, v, mask)
        kept.append((q, k, p, found))
        x = x + layer.output(join_heads(found))
    return [torch.stack(each) for each in zip(*kept, strict=True)]

# %% [markdown]
# ### Exercise: weight by distance
# *difficulty 3/5 · importance 3/5 · 10 minutes*
#
# A table of weights for each window is too much to read. Summarise it by *distance*: how much does a head give, on average, to
# the query's own position, to the one before it, to the one before that? Decide over which queries to average; the first
# ones have few keys to choose from.

# %% tags=["nbval-ignore-output"]
@exercise("attention.weight_by_distance")
def weight_by_distance(weights, n):
    """Return (..., n): the mean weight on the key 0, 1, … n - 1 places before the query.

    weights (..., time, time), rows are queries; only queries that have all n of these keys count.
    Worked value: weights = [[1., 0.], [0.25, 0.75]], n = 2 give [0.75, 0.25].
    """
    # the n means are of the same queries
    ...

# %% [markdown]
# **Guess:** in the first layer, take the head that gives most to the character just before. How large is that mean weight
# after training? If every query gave equal shares to all the keys that it may see, it would be 0.06.

# %% tags=["nbval-ignore-output"]
guess("on_previous", ...)

# %%
def some_windows():
    """Return up to 200 windows of 32 held-out characters."""
    n = min(200, len(text.validation) // 32)
    return text.validation[: 32 * n].view(n, 32).to(run.device)


def on_previous(model):
    """Return each head's mean weight on the character before, (layers, H)."""
    p = look_inside(model, some_windows())[2]
    return weight_by_distance(p, 8)[..., 1].mean(1).cpu()

# %%
p = look_inside(model, some_windows())[2]
by_distance = weight_by_distance(p, 8).mean(1).cpu()  # (layers, H, 8)
looking, untrained = (torch.tensor(record.each(key)) for key in ("on_previous", "untrained_on_previous"))
strongest = looking[:, 0].max(1).values.tolist()  # one a seed
before_training = untrained[:, 0].max(1).values.tolist()
gain, error = compare(strongest, before_training)
claim("in each of five recorded trainings a head of the first layer gives the character before 0.5 "
      "or more", min(strongest) > 0.5, guessed="on_previous", five_seeds=strongest)
equal = causal_mask(32) / torch.arange(1, 33)[:, None]  # the same share for every key that may be seen
claim("chosen in the same way before training, the strongest gives it 0.07 at most, equal shares 0.06; "
      "the gain is more than 10 standard errors",
      max(before_training) < 0.07 and abs(weight_by_distance(equal, 8)[1] - 0.06) < 0.005
      and gain > 10 * error, gain=gain, standard_error=error)
if shakespeare:
    claim("so it is in the training that just ran, with 0.4 or more",
          by_distance[0, :, 1].max() > 0.4, weight=by_distance[0, :, 1].max())

# %% tags=["nbval-ignore-output", "hide-input"]
fig = pictures.looks_back(by_distance)
show(fig, alt="Mean attention weight against distance for four heads in each of two layers; the first "
              f"layer's strongest gives {by_distance[0, :, 1].max():.2f} to the character before.")

# %% [markdown]
# A head was chosen *because* it is the strongest, and the strongest of four is above the average of four even by chance. The
# fair comparison is therefore the strongest head of the same layer before training, and not an average head.
#
# ### Look yourself
#
# Open the eight heads on eight characters of the text, and then on characters of your own.

# %% tags=["nbval-ignore-output", "hide-input"]
def attend(own):
    q, k, _, _ = look_inside(model, text.encode(own)[None].to(run.device))
    return q[:, 0].cpu(), k[:, 0].cpu()  # (layers, H, T, d)


alt = ("Explorer of the trained model's attention on eight characters: scores, scaling and mask, "
       "weights, one cell written out, all heads side by side.")
try:
    from course_lib.chapters.ch02_attention.explorer import AttentionExplorer

    first_head = int(by_distance[0, :, 1].argmax())
    own = "to be or" if shakespeare else text.decode(text.validation[:8])
    explorer = AttentionExplorer(attend, own, layer=0, head=first_head, alt=alt)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %% [markdown]
# ## 4 · Is it worth anything?
#
# That a head *looks* somewhere does not say that it *matters*. So take heads out, one at a time, and count the bits that are
# lost. There are two ways. We can set the head's output to **zero**: set to 0 the columns of $W_o$ that read it. But a zero is
# something that the rest of the model never met in training, and part of the price might be the shock. So the control
# replaces the output at every position by its **mean** over held-out text: what the head says on average stays, and what
# it says about *this* text goes.
#
# **Guess:** how many bits are lost without the head that looks most at the character before? (The whole model has 2.79, and
# eight heads.)

# %% tags=["nbval-ignore-output"]
guess("price", ...)

# %%
@torch.no_grad()
def without_head(model, layer, h, instead="zero"):
    """Return a copy in which head h's output is 0, or at every position its mean over held-out text."""
    changed = deepcopy(model)
    output = changed.layers[layer].output
    d = output.in_features // changed.layers[layer].n_heads
    part = slice(h * d, (h + 1) * d)
    if instead == "mean":
        mean = look_inside(model, some_windows())[3][layer, :, h].mean((0, 1))  # (d,)
        output.bias = nn.Parameter(output.weight[:, part] @ mean)
    output.weight[:, part] = 0
    return changed

# %% tags=["nbval-ignore-output"]
live_prices = [held_out_bits(without_head(model, 0, h)) - bits for h in range(4)]
print("bits lost without each head of the first layer:", [f"{price:.2f}" for price in live_prices])

# %%
zero, average = (torch.tensor(record.each(key)) for key in ("zero", "mean"))  # (seeds, layers, H)
best = looking[:, 0].argmax(1)  # each seed's first-layer head that looks most at the character before
price = zero[torch.arange(5), 0, best]
others = (zero[:, 0].sum(1) - price) / 3
more, error = compare(price.tolist(), others.tolist())
claim("in each of five seeds no other head of the first layer costs as much as that one; the mean of "
      "the other three is lower by more than 2 standard errors",
      torch.equal(zero[:, 0].argmax(1), best) and more > 2 * error, guessed="price",
      lost=price, others=others, mean_difference=more, standard_error=error)
claim("but each of the 40 heads costs something: 0.07 bits or more",
      zero.min() > 0.07, smallest=zero.min(), largest=zero.max())
dearer = (zero[:, 1] > price[:, None]) & (looking[:, 1] < looking[:, 0].amax(1, keepdim=True))
claim("and in three of five seeds a head of the second layer looks there less and costs more",
      dearer.any(1).sum() == 3)
claim("zero or mean makes little difference: never more than 0.05 bits",
      (zero - average).abs().max() < 0.05, largest=(zero - average).abs().max())

# %%
def correlations(layer):
    """Return, for each seed, how a layer's weights on the character before go with its prices."""
    pairs = zip(looking[:, layer], zero[:, layer], strict=True)
    return [torch.corrcoef(torch.stack(pair))[0, 1].item() for pair in pairs]


claim("in the first layer weight on the character before and price go together: correlation 0.9 or more",
      min(correlations(0)) > 0.9, five_seeds=correlations(0))
claim("in the second layer less so: under 0.9 in each seed", max(correlations(1)) < 0.9,
      five_seeds=correlations(1))
if shakespeare:
    chosen = int(by_distance[0, :, 1].argmax())
    rest = (sum(live_prices) - live_prices[chosen]) / 3
    claim("in the training that just ran, too, that head costs more than the other three on average",
          live_prices[chosen] > rest, lost=live_prices[chosen], others=rest)

# %% tags=["hide-input"]
fig = pictures.looking_and_price(looking, zero)
show(fig, alt="Forty heads of five trainings: bits lost without the head against its weight on the "
              "character before; in the first layer both rise together, in the second less so.")

# %% [markdown]
# So the answer is mixed, and it took the other heads to see that. In the first layer the weight on the character before
# goes with the price. In the second it does so less closely, and some of its heads look there less and cost more. Had we
# measured the strongest head alone, its price would have looked like a proof; yet *every* head has a price.
#
# ## 5 · A weight is not an explanation
#
# A bright cell invites the sentence ‘the model decided because of this word’. Two counter-examples, with the words of
# chapter 02. First, a weight multiplies a value, and the value may be nothing. Second, with at least $d_v + 2$ keys, *other*
# weights give exactly the same output: move $p$ along any direction $r$ with $\sum_j r_j v_j = 0$, which are $d_v$ equations, and
# $\sum_j r_j = 0$, which is one more.

# %%
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=torch.float64)
nothing = v.clone()
nothing[0] = 0.0  # 'the' has nothing to give
row = torch.tensor([0.9, 0.1, 0.0, 0.0, 0.0], dtype=torch.float64)
claim("0.9 of the weight is on ‘the’, and all of the output comes from ‘king’",
      torch.equal(row @ nothing, 0.1 * nothing[1]))

wore = torch.tensor([0.15, 0.28, 0.17, 0.22, 0.18], dtype=torch.float64)  # weights of the query 'wore'
directions = torch.linalg.svd(torch.cat([v, torch.ones(5, 1)], dim=1).T).Vh[3:]  # 5 keys, 3 equations
both_ways = torch.cat([directions, -directions])
reach = torch.stack([(-wore / r)[r < 0].min() for r in both_ways])  # how far until a weight is 0
moved, i = max((reach[i] * both_ways[i].abs().max(), i) for i in range(len(both_ways)))
other = wore + reach[i] * both_ways[i]
claim("another set of weights, with one moved by more than 0.15, gives the same output",
      moved > 0.15 and other.min() > -1e-12 and abs(other.sum() - 1) < 1e-12
      and torch.allclose(other @ v, wore @ v, rtol=1e-10), before=wore, after=other)

# %% [markdown]
# To learn what a position or a head *does*, change it and measure, beside the same change elsewhere. A weight says where
# a head looked. What it took from there, and whether that mattered, are other questions.
#
# ## 6 · What breaks
#
# Here are the losses of the honest model and of three with one fault each, means of five seeds over 350 steps. (Fault b
# was built into a model with one head of 64 numbers.) Choose for each among `no_mask`, `wrong_axis` (the mask is
# kept, but the softmax runs over the queries), `no_scale` ($1/\sqrt d$ is left out) and `no_step` (the optimizer never
# steps).

# %% tags=["hide-input"]
breaks = recorded("attention_breaks")
fig = pictures.three_curves(breaks.values["loss, means of ten steps"], breaks.values["after 350"])
show(fig, alt="Loss in bits against the step for the honest model and three faulty ones: a ends near "
              "0.8 bits, b a little above the honest model, c near 0.1.")

# %% tags=["nbval-ignore-output"]
answer("attention.curve_a", ...)
answer("attention.curve_b", ...)
answer("attention.curve_c", ...)

# %%
short, long = breaks.arm("after 350"), breaks.arm("after 1500")
lost = {}
for arm, steps_done in ((short, 350), (long, 1500)):
    for plain, unscaled in (("honest", "no scale"), ("one head", "one head, no scale")):
        lost[plain, steps_done] = mean, error = compare(arm.each(unscaled), arm.each(plain))
        heads = "four heads of 16" if plain == "honest" else "one head of 64  "
        print(f"{steps_done:>5} steps, {heads}: without the scale {mean:+.3f} ± {error:.3f} bits")

# %%
claim("a forgotten mask or a softmax over the wrong axis: under half of the honest bits in each seed",
      all(2 * leak < good for name in ("no mask", "wrong axis")
          for leak, good in zip(short.each(name), short.each("honest"), strict=True)))
claim("without the scale one head of 64 loses after 350 steps and after 1,500, by more than 3 standard "
      "errors",
      all(lost["one head", n][0] > 3 * lost["one head", n][1] for n in (350, 1500)))
one, one_unscaled, four, four_unscaled = (
    torch.tensor(long.each(name)) for name in ("one head", "one head, no scale", "honest", "no scale"))
claim("after 1,500 steps it loses more than four heads of 16 do, in each of five seeds",
      (one_unscaled - one > four_unscaled - four).all())
claim("with four heads of 16 the loss after 350 steps is under 3 standard errors",
      abs(lost["honest", 350][0]) < 3 * lost["honest", 350][1])
claim("after 1,500 steps they lose as well, by more than 3 standard errors",
      lost["honest", 1500][0] > 3 * lost["honest", 1500][1])
wider, error = compare(long.each("one head"), long.each("honest"))
claim("with the scale, one head of 64 needs more bits than four of 16 after 1,500 steps, by more than "
      "10 standard errors", wider > 10 * error, difference=wider, standard_error=error)

# %% [markdown]
# The scale is worth more to one head of 64 numbers than to four of 16, whose loss after 350 steps five seeds cannot tell from
# chance. (All were trained at the honest model's rate.) And with the scale in place, four
# narrow heads do better than a wide one with just as many parameters. Of the two leaks the second is the subtle one. With the softmax over the queries, the weight of key $j$ for query $i$ is
# divided by a sum over *all* queries that may see $j$, the later ones included; so the past is told about the future
# through a denominator. Chapter 02's test of causality catches both, as the next claims show.
#
# What is a loss of 0.12 bits good for? **Train the model without a mask, and let it write.**

# %% tags=["nbval-ignore-output"]
from course_lib.chapters.ch02b_attention_reads.faults import no_mask, wrong_axis


@torch.no_grad()
def write(model, length=150, seed=0):
    """Continue eight held-out characters, one drawn character at a time."""
    generator = torch.Generator().manual_seed(seed)
    tokens = text.validation[:8]
    for _ in range(length):
        logits = model(tokens[None, -32:].to(run.device))[0, -1].cpu()
        drawn = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = torch.cat([tokens, drawn])
    return text.decode(tokens)


leaky, _ = experiment(350, live_seeds[0], no_mask)
leaky_bits = held_out_bits(leaky)
print(f"--- honest, {bits:.2f} bits:\n{write(model)}")
print(f"--- no mask, {leaky_bits:.2f} bits:\n{write(leaky)}")

# %%
def layer(mix):
    return lambda x: mix(x[None, None], x[None, None], x[None, None], causal_mask(6))[0, 0]


six = torch.randn(6, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
claim("chapter 02's is_causal passes the honest layer and turns both leaks down",
      is_causal(layer(fast_attention), six) and not is_causal(layer(no_mask), six)
      and not is_causal(layer(wrong_axis), six))
if shakespeare:
    claim("without a mask, this seed too ends under 0.2 bits: it copies what it should predict",
          leaky_bits < 0.2, bits=leaky_bits, five_seeds=short.each("no mask"))

# %% [markdown]
# When it writes there is no future to copy, and the splendid loss is worth nothing. **A loss that is too good is the first sign of
# a leak**, and a sample is the second.

# %% [markdown]
# ## What stays
#
# - On Shakespeare two layers of attention lie between counts of three and of four in a row:
#   [*the model needs fewer bits than counts of three in a row*](#Exercise:-do-two-arms-differ?),
#   [*counts of four in a row need fewer bits than the model*](#Exercise:-do-two-arms-differ?).
# - In five trainings a first-layer head came to look at the character before; the strongest before training did not:
#   [*a head of the first layer gives the character before 0.5 or more*](#Exercise:-weight-by-distance),
#   [*chosen in the same way before training*](#Exercise:-weight-by-distance).
# - That head is the dearest of its layer, but each head has a price:
#   [*no other head of the first layer costs as much*](#4-·-Is-it-worth-anything?),
#   [*each of the 40 heads costs something*](#4-·-Is-it-worth-anything?).
# - The same output can come from other weights:
#   [*another set of weights*](#5-·-A-weight-is-not-an-explanation).
# - Our two leaks gave less than half of the honest bits:
#   [*a forgotten mask or a softmax over the wrong axis*](#6-·-What-breaks).

# %% tags=["nbval-ignore-output"]
progress("02b_attention_reads")

# %% [markdown]
# **Open questions.** Why does a model that sees up to 32 characters lose to a table that sees three? What would a second layer
# have to do with the first one's ‘character before’, so that both together find what followed the same letter earlier?
# Which replacement for a head would be fairer than its mean?
#
# **References.** Jain and Wallace 2019, *Attention is not explanation*, and Wiegreffe and Pinter 2019, *Attention is not not
# explanation*: read them as a pair. Brunner et al. 2020, *On identifiability in transformers*: section 3, other weights with the
# same output. Michel, Levy and Neubig 2019, *Are sixteen heads really better than one?*: heads removed one by one. Elhage et
# al. 2021, *A mathematical framework for transformer circuits*: two-layer attention-only models taken apart.
