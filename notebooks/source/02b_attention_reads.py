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
# predict the next character of Shakespeare, or of a text of yours. Say the sobering part first: after 1,500 steps this
# model is beaten by a table that counts which character followed the last three, if little enough is
# added to its counts. It is worth our time all the same,
# because it is small enough to be opened. This chapter is optional, and no later one relies on it.

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
from course_lib.chapters.ch02b_attention_reads.faults import no_mask, wrong_axis
from course_lib.chapters.ch02b_attention_reads.heads import other_weights
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
# The classical choice is $a = 1$. For long contexts, most of which are rare, that is much for what was never seen,
# and our two longest rivals add 0.01. A rival that counts ‘four in a row’ looks at three characters and predicts the
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
# In the figure below the curve is the loss on training windows; the diamond and the levels are of held-out text.

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
def experiment(steps, seed, mix=fast_attention, n_heads=4, rate=1e-2):
    """Return a model trained with this seed, and its losses."""
    torch.manual_seed(seed)
    model = AttentionOnly(n_symbols, mix, n_heads=n_heads).to(run.device)
    return model, train(model, steps, seed, rate=rate)


@torch.no_grad()
def bits_by_position(model, context=32):
    """Return the cross-entropy at each position of windows of the validation text, without overlap."""
    n = (len(text.validation) - 1) // context * context
    inputs, targets = (text.validation[i : i + n].view(-1, context) for i in (0, 1))
    nats = torch.zeros(context, dtype=torch.float64)
    for i, t in zip(inputs.split(256), targets.split(256), strict=True):
        logits = model(i.to(run.device)).mT  # (B, V, T)
        nats += F.cross_entropy(logits, t.to(run.device), reduction="none").sum(0).cpu()
    return nats / len(inputs) / math.log(2)


def held_out_bits(model):
    return bits_by_position(model).mean().item()

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
    live = record.beside(live_bits, "bits")
    claim("a seed that is not among the five recorded lies where they do, give or take their range",
          not set(live_seeds) & set(record.seeds) and live.outside <= len(live_seeds) // 3, bits=live)

# %% tags=["nbval-ignore-output", "hide-input"]
fig = pictures.training(losses, bits, rivals)
show(fig, alt=f"Training loss in bits per character against the step; held-out it ends at {bits:.2f}; "
              "dashed levels show the counts, from uniform to five in a row.")

# %% [markdown]
# ### Exercise: do two arms differ?
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# Two models were trained with the same $n$ seeds. A seed that starts badly may be bad for both; where it is, comparing seed
# by seed helps. With the differences $\Delta_i$ and their mean $\bar\Delta$,
#
# $$\bar\Delta \pm \frac{1}{\sqrt n}\sqrt{\frac{1}{n-1}\sum_{i=1}^n (\Delta_i - \bar\Delta)^2} \tag{2b.3}$$
#
# gives the difference and its **standard error**. How many standard errors are enough? Below the comparison we draw five
# differences of pure chance, a hundred thousand times, and count how often they look like 2, 3 or 10.

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

# %%
differences = torch.randn(100_000, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
errors = differences.std(1) / math.sqrt(5)
two, three, ten = ((differences.mean(1).abs() > n * errors).double().mean().item() for n in (2, 3, 10))
claim("if the differences are normal with mean 0, five seeds give more than 2 standard errors once in "
      "nine times, more than 3 once in 25, more than 10 less than once in 1,000",
      abs(two - 1 / 9) < 0.01 and abs(three - 1 / 25) < 0.01 and ten < 0.001, shares=[two, three, ten])

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
# after training? With PyTorch's default start the weights are nearly equal shares at first, and each head gives 0.06
# (mean over the queries that have eight keys or more).

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
looking = torch.tensor(record.each("on_previous"))  # (seeds, layers, H)
strongest = looking[:, 0].max(1).values.tolist()
claim("in each of five recorded trainings a head of the first layer gives the character before 0.5 "
      "or more", min(strongest) > 0.5, guessed="on_previous", five_seeds=strongest)
claim("and each of the 40 heads more than 0.15", looking.min() > 0.15, smallest=looking.min())
if shakespeare:
    claim("so it is in the training that just ran, with 0.4 or more",
          by_distance[0, :, 1].max() > 0.4, weight=by_distance[0, :, 1].max())

# %% tags=["nbval-ignore-output", "hide-input"]
fig = pictures.looks_back(by_distance)
show(fig, alt="Mean attention weight against distance for four heads in each of two layers; the first "
              f"layer's strongest gives {by_distance[0, :, 1].max():.2f} to the character before.")

# %% [markdown]
# ### Look yourself
#
# Open the eight heads on eight characters, and then on characters of your own.

# %% tags=["nbval-ignore-output", "hide-input"]
def attend(own):
    q, k, _, _ = look_inside(model, text.encode(own)[None].to(run.device))
    return q[:, 0].cpu(), k[:, 0].cpu()  # (layers, H, T, d)


alt = ("Explorer of the trained model's attention on eight characters: scores, scaling and mask, "
       "weights, one cell written out, all heads side by side.")
try:
    from course_lib.chapters.ch02_attention.explorer import AttentionExplorer

    first_head = int(by_distance[0, :, 1].argmax())
    quarter = len(text.validation) // 4
    others = [text.decode(text.validation[i * quarter :][:8]) for i in range(4)]
    own = "to be or" if shakespeare else others[0]
    explorer = AttentionExplorer(attend, own, layer=0, head=first_head, alt=alt, texts=others)
except ImportError:  # run as a script where there are no widgets
    explorer = alt
explorer

# %% [markdown]
# ## 4 · Is it worth anything?
#
# That a head *looks* somewhere does not say that it *matters*. So take heads out, one at a time, and count the bits that are
# lost. We set the head's output to **zero**, by the part of $W_o$ that reads it. But a zero is something that the rest of
# the model never met in training, and part of the price might be the shock. So the record holds a control that puts the
# **mean** output over held-out text in its place, at every position.
#
# **Guess:** how many bits are lost without the head that looks most at the character before? (The whole model, of eight
# heads, needs 2.79.)

# %% tags=["nbval-ignore-output"]
guess("price", ...)

# %%
@torch.no_grad()
def without_head(model, layer, h):
    """Return a copy of the model in which the output of head h is 0."""
    changed = deepcopy(model)
    output = changed.layers[layer].output  # nn.Linear holds W_o transposed
    d = output.in_features // changed.layers[layer].n_heads
    output.weight[:, h * d : (h + 1) * d] = 0
    return changed

# %% tags=["nbval-ignore-output"]
live_prices = [held_out_bits(without_head(model, 0, h)) - bits for h in range(4)]
print("bits lost without each head of the first layer:", [f"{price:.2f}" for price in live_prices])

# %%
zero, average = (torch.tensor(record.each(key)) for key in ("zero", "mean"))  # both (seeds, layers, H)
best = looking[:, 0].argmax(1)  # each seed's first-layer head that looks most at the character before
price = zero[torch.arange(5), 0, best]
claim("in each of five seeds no other head of the first layer costs as much as that one",
      torch.equal(zero[:, 0].argmax(1), best), guessed="price", lost=price, first_layer=zero[:, 0])
claim("but each of the 40 heads costs something: 0.07 bits or more",
      zero.min() > 0.07, smallest=zero.min(), largest=zero.max())
claim("zero or mean makes little difference: never more than 0.05 bits",
      (zero - average).abs().max() < 0.05, largest=(zero - average).abs().max())

# %%
together = []
for layer in range(2):  # without the head that looks there most: 3 heads of each of 5 seeds
    rest = torch.arange(4) != looking[:, layer].argmax(1, keepdim=True)
    pairs = torch.stack([looking[:, layer][rest], zero[:, layer][rest]])  # (2, 15)
    together.append(torch.corrcoef(pairs)[0, 1].item())
claim("without the top heads weight and price still go together in the first layer; in the second "
      "chance could do it",
      # P = 0.01 and 0.05, if the 15 were independent
      together[0] > 0.64 and together[1] < 0.51,
      correlations=together)
# %% tags=["hide-input"]
fig = pictures.looking_and_price(looking, zero)
show(fig, alt="Forty heads of five trainings: bits lost without the head against its weight on the "
              "character before; in the first layer both rise together.")

# %% [markdown]
# So the answer is mixed. Four heads of one training are too few for a correlation, so we pooled the 15 that are not their
# layer's top head: 0.80 in the first layer; the 0.37 of the second may be
# chance. (Heads of one model are not independent: the first is less sure than 15 pairs would make it.) Had we measured the strongest head
# alone, its price would have looked like a proof; yet *every* head has a price.

# %% [markdown]
# ## 5 · A weight is not an explanation
#
# A bright cell invites the sentence ‘the model decided because of this word’. Two counter-examples, with the words of
# chapter 02. First, the value that a weight multiplies may be nothing. Second, if weights could be chosen
# freely, with at least $d_v + 2$ keys *others* would give exactly the same output: move $p$ along any direction $r$ with
# $\sum_j r_j v_j = 0$, which are $d_v$ equations, and $\sum_j r_j = 0$, which is one more, and stop before a weight reaches 0.
# (Our layer, $d_k = 2$, is not so free: its softmax makes only the weights that some query of two numbers gives.)

# %%
v = torch.tensor([[0.1, 0.0], [1.5, 1.2], [0.2, 0.1], [0.9, 0.1], [0.1, 1.0]], dtype=torch.float64)
nothing = v.clone()
nothing[0] = 0.0  # 'the' has nothing to give
row = torch.tensor([0.9, 0.1, 0.0, 0.0, 0.0], dtype=torch.float64)
print("0.9 of the weight is on ‘the’; output {:.2f}, {:.2f} = 0.1 × ‘king’".format(*row @ nothing))

wore = torch.tensor([0.15, 0.28, 0.17, 0.22, 0.18], dtype=torch.float64)  # weights of the query 'wore'
other = other_weights(wore, v)  # 5 keys, 3 equations
claim("another set of weights, all positive, with one moved by more than 0.13, gives the same output",
      (other - wore).abs().max() > 0.13 and other.min() > 0 and abs(other.sum() - 1) < 1e-12
      and torch.allclose(other @ v, wore @ v, rtol=1e-10), before=wore, after=other)

# %% [markdown]
# To learn what a position or a head *does*, change it and measure, beside the same change elsewhere. A weight says where
# a head looked. What it took from there, and whether that mattered, are other questions.
#
# ## 6 · What breaks
#
# Here are the losses of honest models and of three with one fault each, means of five seeds over 350 steps. Fault b
# was built into a model with one head of 64 numbers, so hold it against the honest one of that kind. Choose for each among `no_mask`, `wrong_axis` (the mask is
# kept, but the softmax runs over the queries), `no_scale` ($1/\sqrt d$ is left out) and `no_step` (the optimizer never
# steps).

# %% tags=["hide-input"]
breaks, lower_rate = recorded("attention_breaks"), recorded("attention_rate")
fig = pictures.three_curves(breaks.values["loss, means of ten steps"], breaks.values["after 350"])
show(fig, alt="Loss in bits against the step for two honest models and three faulty ones: a ends "
              "near 0.8 bits, b a little above both honest ones, c near 0.1.")

# %% tags=["nbval-ignore-output"]
answer("attention.curve_a", ...)
answer("attention.curve_b", ...)
answer("attention.curve_c", ...)

# %%
short, long = breaks.arm("after 350"), breaks.arm("after 1500")
interval = {}
for arm, rate in ((long, "0.01"), (lower_rate, "0.003")):
    for plain, unscaled, heads in (("honest", "no scale", 4), ("one head", "one head, no scale", 1)):
        pair = torch.tensor([arm.each(unscaled), arm.each(plain)], dtype=torch.float64)
        mean, error = compare(*pair.tolist())
        interval[heads, rate] = mean - 2.78 * error, mean + 2.78 * error  # 95%, if they are normal
        print(f"rate {rate:>5}, heads: {heads}, without the scale {mean:+.3f} ± {error:.3f} bits, "
              f"correlation of the arms {torch.corrcoef(pair)[0, 1]:+.2f}")

# %%
claim("a forgotten mask or a softmax over the wrong axis: under half of the honest bits in each seed",
      all(2 * leak < good for name in ("no mask", "wrong axis")
          for leak, good in zip(short.each(name), short.each("honest"), strict=True)))
claim("at rate 0.01 both lose without the scale, one head of 64 more than 0.1 bits, four of 16 less: "
      "so the 95% intervals",
      interval[1, "0.01"][0] > 0.1 > interval[4, "0.01"][1] and interval[4, "0.01"][0] > 0)
better = compare(lower_rate.each("one head, no scale"), long.each("one head"))
claim("at rate 0.003 one head loses under 0.03 and four do better without; one head's arms, each at the "
      "better of the two rates, are 0.09 to 0.12 apart",
      interval[1, "0.003"][1] < 0.03 and interval[4, "0.003"][1] < 0
      and better[0] - 2.78 * better[1] > 0.09 and better[0] + 2.78 * better[1] < 0.12, better=better)

# %% [markdown]
# At rate 0.01, after 1,500 steps, the scale is worth 0.30 bits to one head of 64 numbers and 0.06 to four of 16. Largely
# that is a price of the rate: at 0.003 five seeds show none for one head, and four do better without. But one head's best
# without the scale, at 0.003, is still 0.10 behind its best with it, at 0.01. (Other rates were not tried.)
#
# The wrong axis is the subtler of the two leaks. No weight stands above the diagonal. But the softmax over the queries
# divides the weight of key $j$ by a sum over *every* query that may see $j$, and later queries are among them: through
# this denominator the past hears of the future. Chapter 02's test of causality catches both leaks below.
#
# What are 0.12 bits good for? **Train the model without a mask, and let it write.**

# %% tags=["nbval-ignore-output"]
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


control, leaky = (experiment(350, live_seeds[0], mix)[0] for mix in (fast_attention, no_mask))
leaky_bits = bits_by_position(leaky)
print(f"--- honest, {held_out_bits(control):.2f} bits:\n{write(control)}")
print(f"--- no mask, {leaky_bits.mean():.2f} bits:\n{write(leaky)}")

# %%
def layer(mix):
    return lambda x: mix(x[None, None], x[None, None], x[None, None], causal_mask(6))[0, 0]


six = torch.randn(6, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
claim("chapter 02's is_causal passes the honest attention function and turns both leaky ones down",
      is_causal(layer(fast_attention), six) and not is_causal(layer(no_mask), six)
      and not is_causal(layer(wrong_axis), six))
if shakespeare:
    claim("without a mask, where the next character can be seen it costs under 0.05 bits; at the last "
          "position of a window, where it cannot, more than 3",
          leaky_bits[:-1].max() < 0.05 and leaky_bits[-1] > 3, by_position=leaky_bits)

# %% [markdown]
# When it writes there is no future to copy, and the splendid loss is worth nothing: hold its lines against those of the
# honest model of as many steps. **A loss that is too good is the first sign of a leak**, and a sample is the second.

# %% [markdown]
# ## What stays
#
# - On Shakespeare, after 1,500 steps, two layers of attention lie between counts of three in a row and of four, with 0.01 added to the latter:
#   [*the model needs fewer bits than counts of three in a row*](#Exercise:-do-two-arms-differ?),
#   [*counts of four in a row need fewer bits than the model*](#Exercise:-do-two-arms-differ?).
# - In five trainings a first-layer head came to look at the character before:
#   [*a head of the first layer gives the character before 0.5 or more*](#Exercise:-weight-by-distance).
# - That head is the dearest of its layer, but each head has a price:
#   [*no other head of the first layer costs as much*](#4-·-Is-it-worth-anything?),
#   [*each of the 40 heads costs something*](#4-·-Is-it-worth-anything?).
# - If weights could be chosen freely, others would give the same output:
#   [*another set of weights*](#5-·-A-weight-is-not-an-explanation).
# - Our two leaks gave less than half of the honest bits:
#   [*a forgotten mask or a softmax over the wrong axis*](#6-·-What-breaks).

# %% tags=["nbval-ignore-output"]
progress("02b_attention_reads")

# %% [markdown]
# **Open questions.** Why does a model that sees up to 32 characters lose, after 1,500 steps, to a table that sees three (0.01 added), and
# would more steps do? What would a second layer
# have to do with the first one's ‘character before’, so that both together find what followed the same letter earlier?
# Which replacement for a head would be fairer than its mean?
#
# **References.** Jain and Wallace 2019, *Attention is not explanation*, and Wiegreffe and Pinter 2019, *Attention is not not
# explanation*: read them as a pair. Brunner et al. 2020, *On identifiability in transformers*: section 3, other weights with the
# same output. Michel, Levy and Neubig 2019, *Are sixteen heads really better than one?*: heads removed one by one. Elhage et
# al. 2021, *A mathematical framework for transformer circuits*: two-layer attention-only models taken apart.
