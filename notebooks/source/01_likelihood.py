# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Likelihood
#
# **How good is a model, in one number?**
#
# Ask a model how likely each next character of a text is. Where it is surprised it pays, in bits. The sum is, but for
# a few bits, the size of the file that it can squeeze the text into, for a reader who has the same model. This chapter
# shows it: the loss that trains this course's language models is a file's length, and you will write that file.

# %%
import torch

from course_lib.classroom import figures
from course_lib.classroom.figures import show
from course_lib.datasets.text import load_shakespeare

text, phrase = load_shakespeare(), "To be, or not to be"
pairs = torch.bincount(text.train[:-1] * 65 + text.train[1:], minlength=65 * 65).view(65, 65)
pairs = pairs + 1  # one more than counted: nothing is impossible
model = pairs.double() / pairs.sum(-1, keepdim=True)  # a row: what follows one character
x = text.encode("\n" + phrase)  # the line before ends in \n
surprise = -model[x[:-1], x[1:]].log2()
fig, ((ax,),) = figures.new(height=3.0)
figures.bits(ax, surprise, phrase)
figures.title(ax, f"19 characters, {surprise.sum():.1f} bits: what follows easily costs little")
show(fig, alt="Bars: surprise in bits of each character of ‘To be, or not to be’, given the "
              "one before; the space after the comma costs 0.5, the comma 4.6.")

# %% [markdown]
# The model counted which character follows which in a million characters of Shakespeare, this line not among them.
# You will turn these 19 characters into 61 bits, and back. Afterwards you can
#
# - give an average of draws with its error, and say when that error lies;
# - derive why maximum likelihood minimises a divergence from the data, which one, and what the other would do;
# - read a loss in bits, with its floor, and turn it into a file;
# - tell learning from memorising by two averages.

# %% [markdown]
# **Needs** chapter 00: tensors, autograd, a training loop. **Time** 75 minutes to read, 45 for the exercises; the
# cells run in under 30 s on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | distribution of the data (2 to 5: its shares; 6 on: its source), of the model | |
# | $\theta$ | the model's parameters | |
# | $x, n$ | one observation; how many there are | |
# | $\mathrm{E}_p[f]$ | mean of $f(x)$ over $p$ | |
# | $\mu, \sigma$ | mean and standard deviation | |
# | $H(p)$ | entropy; $H(p, q)$: cross-entropy | |
# | $\mathrm{KL}(p\,\Vert\,q)$ | divergence of $q$ from $p$ | |
# | $k$ | characters of context | |
# | $s$ | standard deviation of what is averaged | |

# %% tags=["nbval-ignore-output"]
import math
from fractions import Fraction

from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64  # double precision, so that equalities can be checked to the last digits

# %% [markdown]
# ## 1 · Averages, exact and by chance
#
# An **expectation** is a mean over a distribution: $\mathrm{E}_p[f] = \sum_x p(x) f(x)$, or $\int p(x) f(x)\,dx$ for a
# density. **Quadrature** cuts the integral into strips: too many of them in many dimensions. **Monte Carlo** draws
# $x_1 \dots x_n$ from $p$ and averages $f(x_i)$.
#
# Take a Gaussian with $\mu = 0.5$, $\sigma = 1.5$, and $f(x) = x^2$. The truth is $\mu^2 + \sigma^2 = 2.5$.

# %%
mu, sigma = torch.tensor([0.5, 1.5], dtype=f64)
grid = torch.linspace(-15, 16, 4001, dtype=f64)
density = Normal(mu, sigma).log_prob(grid).exp()
by_strips = torch.trapezoid(density * grid**2, grid)
claim("quadrature gives 2.5 to ten digits", abs(by_strips - 2.5) < 1e-10)

generator = torch.Generator().manual_seed(1)
values = (mu + sigma * torch.randn(10_000, dtype=f64, generator=generator)) ** 2
estimate = values.mean()
claim("10,000 draws give one or two digits",
      0.001 < abs(estimate - 2.5) < 0.1, estimate=estimate)

# %% [markdown]
# How wrong may it be? The $n$ values are independent, each of variance $s^2$. Their variances add up to $n s^2$;
# dividing the sum by $n$ divides its variance by $n^2$:
#
# $$\operatorname{Var}\Big(\frac1n\sum_i f(x_i)\Big) = \frac{n s^2}{n^2} = \frac{s^2}{n},
# \qquad \text{standard error} = \frac{s}{\sqrt n}.$$
#
# The draws themselves tell $s$, so the error comes for free. And if $s$ is finite, the mean of enough draws is nearly
# Gaussian (the **central limit theorem**): within 1 standard error of the truth in 68 of 100 cases, within 2 in 95,
# beyond 5 less than once in a million. How many are enough depends on $f$: for $x^2$, 25 are not. Our claims allow 5.
#
# **Predict:** how many draws for one more digit, an error ten times smaller?

# %%
error = values.std() / math.sqrt(len(values))  # torch divides by n − 1
claim("the truth is within 5 standard errors", abs(estimate - 2.5) < 5 * error, error=error)

s = (density * (grid**2 - 2.5) ** 2 * (grid[1] - grid[0])).sum().sqrt()  # by quadrature
sizes = torch.tensor([25, 100, 400, 1600, 6400])
many = (mu + sigma * torch.randn(2000, 6400, dtype=f64, generator=generator)) ** 2
spreads = torch.stack([many[:, :n].mean(1).std() for n in sizes])  # of 2,000 estimates each
ratios = spreads / (s / sizes.sqrt())
off = [((m.mean(1) - 2.5).abs() > 5 * m.std(1) / math.sqrt(m.shape[1])).double().mean()
       for m in (many.view(-1, 25), many.view(-1, 400))]  # of x itself, 1 in 20,000 for n = 25
claim("beyond 5 of their own errors lie more than 1 in 200 means of 25, fewer than 1 in 2,000 of 400",
      off[0] > 1 / 200 and off[1] < 1 / 2000, shares=off)
claim("the draws' own s is that of quadrature, within 10 %",
      abs(values.std() / s - 1) < 0.1, ratio=values.std() / s)
claim("2,000 estimates spread as s/√n says, within 8 %, from n = 25 to 6,400",
      (ratios - 1).abs().max() < 0.08, ratios=ratios)

# %% tags=["hide-input"]
fig, ((left, right),) = figures.new(1, 2, height=3.2)
n = torch.arange(1, 10_001, dtype=f64)
left.plot(*figures.values([n, values.cumsum(0) / n]), color=figures.BLUE, linewidth=1.2)
band = n, 2.5 - 2 * s / n.sqrt(), 2.5 + 2 * s / n.sqrt()
left.fill_between(*figures.values(band), color=figures.PALE)
figures.level(left, 2.5, "truth 2.5")
left.set(xscale="log", xlim=(10, 1e4), ylim=(0, 5), xlabel="draws n", ylabel="mean of x²")
figures.title(left, "The band of ±2 s/√n closes on 2.5")
figures.line(right, sizes, s / sizes.sqrt(), figures.MUTE, "  s/√n")
right.scatter(*figures.values([sizes, spreads]), color=figures.BLUE, zorder=3)
right.loglog()
right.set(xlim=(18, 20_000), xlabel="draws n", ylabel="spread of 2,000 estimates")
right.set_yticks([0.05, 0.1, 0.2, 0.4, 0.8], ["0.05", "0.1", "0.2", "0.4", "0.8"], minor=False)
right.minorticks_off()
figures.title(right, "16 times the draws, a quarter of the error")
show(fig, alt="A running mean of x² settles on 2.5; the spread of estimates falls as 1/√n.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A hundred times as many: $\sqrt{100} = 10$. Two digits are cheap, ten are hopeless. In this course an average over
# draws comes with its error. (The curves over text below do not: neighbours are not independent.)
# </details>

# %% [markdown]
# ## 2 · A model is a distribution
#
# A **model** $q_\theta$ gives every possible $x$ a probability: not negative, summing to 1. That is all. Its
# **likelihood** is the probability that it gives to all the data, of independent observations the product $\prod_i q_\theta(x_i)$.
# (Here we pretend that characters do not depend on each other.)
#
# The smallest model of our phrase: a coin that says *space* with probability $\theta$. With 5 spaces among 19
# characters the likelihood is $\theta^5 (1-\theta)^{14}$: tiny, so take the logarithm, $5 \ln\theta +
# 14\ln(1-\theta)$. Its derivative is zero where
#
# $$\frac5\theta - \frac{14}{1-\theta} = 0 \iff 5 - 5\theta = 14\,\theta \iff \theta = \frac{5}{19}.$$
#
# It is the maximum, since both terms are concave. **Maximum likelihood** says: as often as seen.

# %%
spaces = torch.tensor([float(c == " ") for c in phrase], dtype=f64)  # 19 zeros and ones
theta = torch.tensor(0.5, dtype=f64, requires_grad=True)
for _ in range(200):
    log_likelihood = (spaces * theta.log() + (1 - spaces) * (1 - theta).log()).mean()
    log_likelihood.backward()
    with torch.no_grad():
        theta += 0.1 * theta.grad  # uphill
        theta.grad.zero_()
print(f"{int(spaces.sum())} spaces in {len(phrase)} characters, theta = {theta.item():.6f}")
claim("gradient ascent finds 5/19", abs(theta.item() - 5 / 19) < 1e-10)

# %% [markdown]
# ## 3 · Maximum likelihood is minimum KL
#
# Now one probability for each character. Let $p$ be the shares with which each $x$ occurs in the data at hand.
# Then the mean log-likelihood is an expectation: $\frac1n\sum_i \ln q(x_i) = \sum_x p(x)\ln q(x) = \mathrm{E}_p[\ln q]$.
# Turn its sign and add and subtract $\ln p$:
#
# $$\underbrace{-\mathrm{E}_p[\ln q]}_{H(p,\,q)} = \underbrace{-\mathrm{E}_p[\ln p]}_{H(p)}
#   + \underbrace{\mathrm{E}_p\!\Big[\ln\frac{p}{q}\Big]}_{\mathrm{KL}(p\|q)} .$$
#
# Cross-entropy is entropy plus **Kullback–Leibler divergence**. The entropy has no $\theta$ in it. So *maximising likelihood,
# minimising cross-entropy and minimising* $\mathrm{KL}(\text{data}\|\text{model})$ *are one thing* (densities: section 6).

# %%
symbols, shares = text.encode(phrase).unique(return_counts=True)
p = shares.double() / shares.sum()  # (9,): how often each character of the phrase occurs
generator = torch.Generator().manual_seed(3)
models = torch.randn(1000, len(p), dtype=f64, generator=generator).softmax(-1)  # 1,000 models
print("characters:", "".join(text.vocabulary[i] for i in symbols), "counts:", shares.tolist())

cross_entropy = -(p * models.log()).sum(-1)
kl, H = (p * (p / models).log()).sum(-1), -(p * p.log()).sum()
claim("cross-entropy is entropy plus KL, for each of 1,000 models",
      torch.allclose(cross_entropy, H + kl, rtol=1e-12))

# %% [markdown]
# KL is never negative. The sums run over the $x$ with $p > 0$; over these $q$ sums to at most 1. (Where $q = 0 < p$, KL is
# infinite.) The logarithm lies below its tangent at 1: $\ln u \le u - 1$, equal only at $u = 1$. Put
# $u = q/p$:
#
# $$-\mathrm{KL}(p\|q) = \sum_x p \ln\frac{q}{p} \le \sum_x p\Big(\frac qp - 1\Big) = \sum_x q - \sum_x p \le 1 - 1 = 0,$$
#
# and zero only for $q = p$. So *the best probabilities are the shares*, and the best loss is not 0 but the entropy.
# Do not wait for a loss to reach zero.

# %%
from course_lib.information.divergences import categorical_kl, entropy  # these two, for zeros as well

claim("no model of the 1,000 has a negative KL", kl.min() > 0)
claim("the library computes the same two", torch.allclose(categorical_kl(p, models), kl)
      and torch.allclose(entropy(p), H))
logits = torch.zeros(len(p), dtype=f64, requires_grad=True)  # eᶿ / Σ eᶿ: any probabilities
optimizer = torch.optim.SGD([logits], lr=2.0)  # chapter 00's update and clearing, in a class
for _ in range(2000):
    loss = -(p * logits.log_softmax(-1)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
claim("training ends at the shares", torch.allclose(logits.softmax(-1), p, atol=1e-8))
claim("its loss ends at the entropy of the phrase, not at zero",
      abs(loss - H) < 1e-8, nats=loss)

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(width=6, height=3.4)
thetas = torch.linspace(0.02, 0.9, 200, dtype=f64)
coin = torch.tensor([5 / 19, 14 / 19], dtype=f64)
loss_of = -(coin * torch.stack([thetas, 1 - thetas], -1).log2()).sum(-1)
floor = entropy(coin) / math.log(2)
figures.line(ax, thetas, loss_of, figures.ORANGE, "loss")
ax.fill_between(figures.values(thetas), figures.values(floor), figures.values(loss_of), color="#F3DCEE")
figures.level(ax, floor, "entropy")
ax.text(0.66, 1.05, "KL", color=figures.BERRY)
ax.text(5 / 19, floor - 0.08, "5/19", ha="center", va="top")
ax.set(xlabel="θ, the model's probability of a space", ylabel="bits per character",
       xlim=(0, 1.08), ylim=(0, 3))
figures.title(ax, f"The loss stands on the entropy, {floor:.2f} bits")
show(fig, alt="Loss of the coin against theta: a valley that touches the entropy, 0.83 bits, "
              "at 5/19; the distance between curve and floor is the KL.")

# %% [markdown]
# ## 4 · Bits
#
# Why logarithms? Because of codes. Words are sent without commas, so none may begin another. Of all strings of bits a
# share of $2^{-\ell}$ begins with a given word of $\ell$ bits, and these shares add up to at most 1, like probabilities. So a
# probability $q$ deserves a word of $-\log_2 q$ bits, its **surprise**. Take four kinds of weather, two climates:
#
# | | sun | cloud | rain | snow |
# | --- | --- | --- | --- | --- |
# | $p$ | ½ | ¼ | ⅛ | ⅛ |
# | code for $p$ | 0 | 10 | 110 | 111 |
# | $q$ | ⅛ | ½ | ¼ | ⅛ |
# | code for $q$ | 110 | 0 | 10 | 111 |
#
# **Predict:** the weather is $p$, the code was made for $q$. How many bits a day are *wasted*?

# %% tags=["nbval-ignore-output"]
answer("likelihood.wasted_bits", ...)

# %%
p4 = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8], dtype=f64)
q4 = torch.tensor([1 / 8, 1 / 2, 1 / 4, 1 / 8], dtype=f64)
code_p = torch.tensor([len(word) for word in ("0", "10", "110", "111")], dtype=f64)
code_q = torch.tensor([len(word) for word in ("110", "0", "10", "111")], dtype=f64)
claim("each word is as long as its surprise",
      torch.equal(code_p, -p4.log2()) and torch.equal(code_q, -q4.log2()))
claim("the code for p takes p's entropy: all four are powers of ½",
      abs((p4 @ code_p) * math.log(2) - entropy(p4)) < 1e-15)
waste = p4 @ code_q - p4 @ code_p
claim("the code for q wastes the KL",
      abs(waste * math.log(2) - categorical_kl(p4, q4)) < 1e-15)
claim("KL is no distance: the other way round the waste is smaller",
      categorical_kl(q4, p4) < categorical_kl(p4, q4))

# %% [markdown]
# **Entropy** is a floor: words of lengths $\ell_x$ take shares $2^{-\ell_x}$, in all at most 1, so every code is a model,
# and no KL is negative. A word a symbol reaches it for powers of ½ only: (0.9, 0.1) has 0.47 bits, and no word is
# shorter than 1. Whole messages come near (section 5): **cross-entropy** is then the model's cost, **KL** the waste.
# Natural logarithms give nats; divide by $\ln 2$ for bits.
#
# ### Exercise: cross-entropy in bits
# *difficulty 2/5 · importance 5/5 · 10 minutes*
#
# For text the model gives a fresh row of probabilities before every character. Average the surprise.

# %% tags=["nbval-ignore-output"]
@exercise("likelihood.cross_entropy_bits")
def cross_entropy_bits(probabilities, targets):
    """Return the mean surprise in bits, a tensor without axes.

    probabilities (n, symbols): row i is what the model expects; targets (n,): what came.
    Worked value: probabilities = [[0.5, 0.5], [0.75, 0.25]], targets = [0, 1] give 1.5.
    """
    # 1. from row i the probability of targets[i]: two index tensors of length n
    # 2. the surprise of each, in bits
    # 3. their mean
    ...

# %%
bits = float(cross_entropy_bits(model[x[:-1]], x[1:]))
claim("the mean of the first figure's bars", abs(bits - surprise.mean()) < 1e-5)
logits_q = model[x[:-1]].log()  # scores whose softmax is q again
by_torch = F.cross_entropy(logits_q, x[1:]) / math.log(2)
claim("the phrase is not in the text", phrase not in text.decode(text.train))
claim("PyTorch's loss, divided by ln 2, is the same",
      abs(bits - by_torch) < 1e-5)
print(f"{bits:.2f} bits per character; a uniform guess of 65 costs {math.log2(65):.2f}")

# %% [markdown]
# ## 5 · The code
#
# Our weather had powers of ½. A probability of 0.3 deserves 1.74 bits, and no word is that long. **Arithmetic coding**
# gives the *whole message* one word. Cut the interval $[0, 1)$ in proportion to the probabilities; keep the part of
# the first symbol; cut that; and so on. What is left has the width $\prod_i q(x_i)$. Numbers of $m$ bits stand $2^{-m}$ apart,
# so one lies inside once $m \ge -\log_2$ width: the surprises, summed. With one bit more, *everything* that begins with
# these bits lies inside: the file may be followed by another.

# %%
weather, cuts = ["sun", "cloud", "rain", "snow"], [Fraction(0)]
for part in (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 8)):
    cuts.append(cuts[-1] + part)
low, width, steps = Fraction(0), Fraction(1), []
for day in ("cloud", "sun", "rain"):
    i = weather.index(day)
    steps.append((low, width, i))
    low, width = low + width * cuts[i], width * (cuts[i + 1] - cuts[i])
print(f"cloud, sun, rain: the numbers from {low} up to {low + width}, width {width}")
claim("the width is the product of the probabilities: 2 + 1 + 3 bits", width == Fraction(1, 64))
claim("the code words in a row, 10 0 110, name its lower end", low == Fraction(0b100110, 64))

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 3, height=3.0)
for ax, (bottom, size, chosen), kept in zip(axes, steps, ("¼", "½", "⅛"), strict=True):
    for i, name in enumerate(weather):
        base, part = float(cuts[i]), float(cuts[i + 1] - cuts[i])
        shade = "#F3DCEE" if i == chosen else "white"
        ax.bar(0, part, 1, base, color=shade, edgecolor=figures.INK)
        ax.text(0, base + part / 2, name, ha="center", va="center",
                color=figures.BERRY if i == chosen else figures.INK)
    ax.set_yticks([0, 1], [str(bottom), str(bottom + size)])
    ax.set(xticks=[], xlim=(-0.5, 0.5), ylim=(0, 1))
    figures.title(ax, f"{weather[chosen]} keeps {kept}")
show(fig, alt="Three bars, each cut into sun, cloud, rain, snow: the part kept in one bar is "
              "the whole of the next, from 0…1 down to a width of 1/64.")

# %% [markdown]
# ### Exercise: one step of the coder
# *difficulty 3/5 · importance 4/5 · 15 minutes*
#
# Fractions grow without end, floats round differently on two machines. Integers do neither: an interval `low … high`
# of integers, cut by counts.

# %% tags=["nbval-ignore-output"]
@exercise("likelihood.narrow")
def narrow(low, high, frequencies, symbol):
    """Return (low, high) of symbol's part of the integers low … high, both ends included.

    The parts lie in the order of the symbols, as wide as their frequencies (a list) are large.
    Worked value: low = 0, high = 99, frequencies = [1, 2, 1], symbol = 1 give (25, 74), integers.
    """
    # 1. how many integers are there from low to high, both included?
    # 2. the sum of the frequencies before this symbol, and the same with this symbol's own
    # 3. low + width * (each of them) // total; the upper end is one less
    ...

# %%
after = pairs.tolist()  # after[c]: how often each character follows c
low, high = 0, 2**400 - 1  # Python's integers have no limit
for before, symbol in zip(x[:-1].tolist(), x[1:].tolist(), strict=True):
    low, high = narrow(low, high, after[before], symbol)
size = math.ceil(400 - math.log2(high - low + 1)) + 1
step = 2 ** (400 - size)
number = -(-low // step) * step  # the first multiple of step that is not below low
print(f"{number // step:0{size}b}")
claim("61 bits, and whatever bits follow them, stay in the interval",
      size == 61 and low <= number and number + step - 1 <= high)
claim("which is the sum of the surprises, rounded up, and one",
      size == math.ceil(surprise.sum()) + 1)

# %% [markdown]
# To decode, ask at every step in whose part the number lies. Model and message length must be known.

# %%
low, high, decoded = 0, 2**400 - 1, text.encode("\n").tolist()
for _ in range(19):
    for symbol in range(65):
        ends = narrow(low, high, after[decoded[-1]], symbol)
        if ends[0] <= number <= ends[1]:
            break
    low, high = ends
    decoded.append(symbol)
claim("61 bits give the phrase back", text.decode(torch.tensor(decoded[1:])) == phrase)

# %% [markdown]
# For a page the interval would need thousands of digits. But once both ends begin with the same bit, it can
# never change: write it out, drop it, double the rest. An interval that closes in on the middle, 0111… to 1000…, is
# doubled about the middle, its bit written once it is known. So 32 bits are enough for tables of sum $N \le 2^{30}$;
# rounding costs $n$ symbols at most $nN/2^{29}$ bits more. `course_lib.information.coding` does this around the same
# step. A model is any function from the past to a table of counts.
#
# Now a page that was held back: 3,000 characters.

# %%
from course_lib.information.coding import decode, encode, ideal_bits

page = text.validation[:3000]
singles = (torch.bincount(text.train, minlength=65) + 1).tolist()
start_of_line = text.encode("\n").item()
contenders = {"uniform": lambda past: [1] * 65,
              "single counts": lambda past: singles,
              "pair counts": lambda past: after[past[-1] if past else start_of_line]}
ideal = {name: ideal_bits(page.tolist(), m) for name, m in contenders.items()}
files = {name: encode(page.tolist(), m) for name, m in contenders.items()}
for name in contenders:
    print(f"{name:>13}: ideal {ideal[name]:,.0f} bits, file {len(files[name]):,} bits")

# %%
back = decode(files["pair counts"], 3000, contenders["pair counts"])
claim("the page comes back, letter for letter", back == page.tolist())
excess = [len(files[name]) - ideal[name] for name in files]
claim("each file is at most 2 bits longer than the surprises of its model, summed",
      min(excess) > -0.1 and max(excess) <= 2, excess=excess)
# a coder that gave each symbol a word of its own would need 1,000
tenths = encode([0] * 900 + [1] * 100, lambda past: [9, 1])
nine_to_one = entropy(torch.tensor([0.9, 0.1], dtype=f64)) / math.log(2)
claim("1,000 symbols with shares (0.9, 0.1) take 470 bits, at most 2 above their entropy",
      len(tenths) == 470 and 0 < len(tenths) - 1000 * nine_to_one < 2)
with_start = torch.cat([text.encode("\n"), page])
bits = float(cross_entropy_bits(model[with_start[:-1]], page))
claim("file length is cross-entropy times characters",
      abs(len(files["pair counts"]) - 3000 * bits) < 3, bits_per_character=bits)
print(text.decode(torch.tensor(back[:117])))

# %% tags=["hide-input"]
fig, ((ax,),) = figures.new(height=3.4)
once = torch.tensor(singles).double() / sum(singles)
tables = (torch.full((65, 65), 1 / 65), once.expand(65, 65), model)
colours = (figures.MUTE, figures.TEAL, figures.ORANGE)
for name, table, colour in zip(files, tables, colours, strict=True):
    costs = -table[with_start[:-1], page].log2().cumsum(0)
    label = f"{name}: {costs[-1] / 3000:.2f} a character"
    figures.line(ax, torch.arange(1, 3001), costs, colour, label)
    ax.scatter([3000], [len(files[name])], color=colour, s=30, zorder=3)
ax.set(xlabel="characters of the page", ylabel="bits so far", xlim=(0, 4000), ylim=(0, 20_000),
       xticks=range(0, 3001, 500))
figures.title(ax, "A better model is a smaller file: each dot is a real one")
show(fig, alt="Summed surprise along a page for three models, almost straight lines; the "
              "slopes are the cross-entropies, and the files end on the lines.")

# %% [markdown]
# ## 6 · Two directions
#
# Sums become integrals. KL is never negative by the same tangent; the cross-entropy of a density is no file length any
# more, and may be negative. And $p$ is now the source, for shares on single points have infinite KL to any density:
# $-\frac1n\sum_i\ln q(x_i)$ only tends to $H(p, q)$, and maximum likelihood is minimum KL as $n\to\infty$.
#
# For two Gaussians the integral can be done. The logarithm of the ratio is
#
# $$\ln\frac{p(x)}{q(x)} = \ln\frac{\sigma_q}{\sigma_p} - \frac{(x-\mu_p)^2}{2\sigma_p^2} + \frac{(x-\mu_q)^2}{2\sigma_q^2}.$$
#
# Take the mean under $p$. There $\mathrm{E}_p[(x-\mu_p)^2] = \sigma_p^2$, and with $x - \mu_q = (x-\mu_p) + (\mu_p-\mu_q)$ also
# $\mathrm{E}_p[(x-\mu_q)^2] = \sigma_p^2 + (\mu_p-\mu_q)^2$, since the mixed term has mean 0. So
#
# $$\mathrm{KL}(p\|q) = \ln\frac{\sigma_q}{\sigma_p} + \frac{\sigma_p^2 + (\mu_p-\mu_q)^2}{2\sigma_q^2} - \frac12 .$$

# %%
from course_lib.information.divergences import gaussian_kl

mu_p, std_p, mu_q, std_q = torch.tensor([0.7, 0.5, -0.4, 1.5], dtype=f64)
closed = gaussian_kl(mu_p, std_p, mu_q, std_q)  # the line above
P, Q = Normal(mu_p, std_p), Normal(mu_q, std_q)
claim("PyTorch has the same formula", torch.allclose(closed, kl_divergence(P, Q), rtol=1e-12))
strips = P.log_prob(grid).exp() * (P.log_prob(grid) - Q.log_prob(grid))
claim("quadrature finds the same number",
      torch.allclose(closed, torch.trapezoid(strips, grid), rtol=1e-10))
back_again = gaussian_kl(mu_q, std_q, mu_p, std_p)
print(f"KL(p‖q) = {closed:.3f} nats, KL(q‖p) = {back_again:.3f} nats")

# %% [markdown]
# ### Exercise: KL by Monte Carlo, with its error
# *difficulty 3/5 · importance 5/5 · 15 minutes*
#
# For most pairs no formula exists, but both densities can be evaluated at draws from one. The noise is handed in.

# %% tags=["nbval-ignore-output"]
@exercise("likelihood.kl_monte_carlo")
def kl_monte_carlo(eps, mu_p, std_p, mu_q, std_q):
    """Return (estimate, error): KL(p‖q) in nats by Monte Carlo, and its standard error.

    p = N(mu_p, std_p²), q = N(mu_q, std_q²), each number a tensor without axes; eps (n,): draws
    from N(0, 1), the only chance in here.
    Worked value: eps = [-1, 1], p = N(0, 1), q = N(1, 1) give (0.5, 1.0).
    """
    # 1. turn eps into draws x from p
    # 2. log p(x) - log q(x) for each; log N(x) = -½((x - mu)/std)² - log std - ½ log 2π
    # 3. mean, and standard deviation (torch's, with n - 1) over the root of n
    ...

# %%
eps = torch.randn(10_000, dtype=f64, generator=torch.Generator().manual_seed(4))
estimate, error = kl_monte_carlo(eps, mu_p, std_p, mu_q, std_q)
claim("the closed form is within 5 standard errors of the estimate",
      abs(estimate - closed) < 5 * error, estimate=estimate, error=error, closed=closed)
other, other_error = kl_monte_carlo(eps, mu_q, std_q, mu_p, std_p)
claim("so it is for the other direction, whose error is more than ten times larger",
      abs(other - back_again) < 5 * other_error and other_error > 10 * error, error=other_error)

# %% [markdown]
# ### When the model is too small
#
# With $q = p$ within reach, both directions lead there. Now let $p$ be a mixture of two Gaussians, 60 % around −2 and 40 %
# around 2, and $q$ only one. Minimise *forward* $\mathrm{KL}(p\|q)$, then *reverse* $\mathrm{KL}(q\|p)$, over $\mu$ and $\ln\sigma$, the
# integral by quadrature, by gradient descent (Adam: each step is divided by the recent size of its gradient).
#
# **Predict:** where will the top of $q$ be, in each direction?

# %%
shares, middles = torch.tensor([[0.6, 0.4], [-2.0, 2.0]], dtype=f64)
humps = Normal(middles, torch.full((2,), 0.6, dtype=f64))
log_p = (shares.log() + humps.log_prob(grid[:, None])).logsumexp(-1)  # ln p on the grid


def both_kl(mu, log_std):
    """Return KL(mixture‖q) and KL(q‖mixture) in nats, by quadrature."""
    log_q = Normal(mu, log_std.exp()).log_prob(grid)
    forward = torch.trapezoid(log_p.exp() * (log_p - log_q), grid)
    reverse = torch.trapezoid(log_q.exp() * (log_q - log_p), grid)
    return forward, reverse

# %%
def fit(direction, start, steps=600):
    """Return μ, σ, forward and reverse KL of the Gaussian that minimises one of the two."""
    mu = torch.tensor(start, dtype=f64, requires_grad=True)
    log_std = torch.zeros((), dtype=f64, requires_grad=True)
    optimizer = torch.optim.Adam([mu, log_std], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        both_kl(mu, log_std)[direction].backward()
        optimizer.step()
    with torch.no_grad():
        return [t.item() for t in (mu, log_std.exp(), *both_kl(mu, log_std))]


cover, seek_left, seek_right, stuck = fit(0, 1.0), fit(1, -1.0), fit(1, 1.0), fit(1, 0.0)

# %%
spread = math.sqrt(0.6**2 + 0.6 * (2 - 0.4) ** 2 + 0.4 * (2 + 0.4) ** 2)
claim("forward takes the mixture's own mean −0.4 and its own spread",
      abs(cover[0] + 0.4) < 1e-3 and abs(cover[1] - spread) < 1e-3, mu=cover[0], std=cover[1])
claim("reverse, from a start on either side, takes that hump, its mean and its spread",
      all(abs(s[0] - m) < 0.01 and abs(s[1] - 0.6) < 0.01
          for s, m in ((seek_left, -2), (seek_right, 2))))
claim("its cost is −ln of the share that the hump has",
      abs(seek_left[3] + math.log(0.6)) < 0.01 and abs(seek_right[3] + math.log(0.4)) < 0.01)
claim("a start in the middle ends in a third valley of reverse KL, wide and worse than either hump",
      stuck[3] > seek_right[3] > seek_left[3] and stuck[1] > 1.5, mu=stuck[0], std=stuck[1], kl=stuck[3])
claim("measured forward, a seeking fit is more than ten times worse than the covering one",
      seek_left[2] > 10 * cover[2], seeking=seek_left[2], covering=cover[2])

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.4)
fits = ((cover, "-", "q", (1.9, 0.12)), (seek_left, "-", "q", (-1.5, 0.52)),
        (seek_right, "-.", "q from another start", (0.4, 0.7)))
for i, ((m, s, *_), dash, name, place) in enumerate(fits):
    ax = axes[min(i, 1)]
    ax.fill_between(*figures.values([grid, log_p.exp()]), color="#DCE7FF")
    q_curve = (-((grid - m) ** 2) / (2 * s**2)).exp() / (s * math.sqrt(2 * math.pi))
    ax.plot(*figures.values([grid, q_curve]), dash, color=figures.ORANGE, linewidth=2)
    ax.text(*place, name, color=figures.TEXT[figures.ORANGE])
    ax.set(xlim=(-6, 6), ylim=(0, 0.78), xlabel="x", ylabel="density")
axes[0].text(-3.9, 0.3, "data p", color=figures.BLUE)
figures.title(axes[0], "KL(p‖q) covers both humps")
figures.title(axes[1], "KL(q‖p) seeks, from ±1")
show(fig, alt="One Gaussian fitted to a mixture of two: by forward KL it covers both humps, "
              "its top in the valley at −0.4; by reverse KL it sits on one hump.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Forward averages $-\ln q$ *where the data is*: a hump without density costs without bound, so $q$ covers. With
# derivatives zero, $\mathrm{E}_p[(x-\mu)/\sigma^2] = 0$ and $\mathrm{E}_p[(x-\mu)^2]/\sigma^3 = 1/\sigma$, hence $\mu$ and $\sigma$
# are those of $p$. Reverse averages $-\ln p$ *where the model is*, less $H(q)$, without which $q$ would shrink to a point. Standing in the valley
# costs; missing a hump costs little: on its hump $p$ is nearly its share times $q$, so the divergence is $-\ln 0.6$ or
# $-\ln 0.4$. From the middle the descent gets stuck in between, and pays more.
# </details>
#
# Maximum likelihood is, for many draws, the forward one; chapter 06 minimises a reverse one, chapter 09 meets a third. Now a
# model with one hump is trained by maximum likelihood on photos of cats and of dogs. What does it draw most
# often: `between`, `cats_only`, `both_apart`, `copies`?

# %% tags=["nbval-ignore-output"]
answer("likelihood.cats_and_dogs", ...)

# %% [markdown]
# ## 7 · Overfitting is a gap between two averages
#
# Now let $p$ be what the data is **drawn from**. We never have it, only draws. Fit $\hat\theta$ on some, the **training**
# data, and average the loss twice:
#
# - there, no parameters do better (if a best exists: 00's bells have none), not even the true ones (if the model
#   contains them), whose loss is $H(p)$ on average. So the training loss is on average *at most* $H(p)$;
# - on **held-out** data, fresh draws: $H(p) + \mathrm{KL}(p\|q_{\hat\theta})$, *at least* $H(p)$.
#
# The gap can be computed for the mean $m$ of $n$ points with $d$ coordinates of variance 1. The loss is $\frac12\|x-m\|^2$ and a
# constant. A fresh coordinate less $m$ has variance $1 + \frac1n$; of a training one $m$ holds $\frac1n$, so that it has
# $(1-\frac1n)^2 + (n-1)\frac1{n^2} = 1-\frac1n$. Half the difference, $d$ times:
#
# $$\text{gap} = \frac d2\Big[\Big(1+\frac1n\Big) - \Big(1-\frac1n\Big)\Big] = \frac dn .$$

# %%
d, n = 20, 50
generator = torch.Generator().manual_seed(5)
train, fresh = torch.randn(2, 2000, n, d, dtype=f64, generator=generator)  # 2,000 repeats
m = train.mean(1, keepdim=True)
gaps = ((fresh - m).square() - (train - m).square()).sum(-1).mean(-1) / 2
gap, error = gaps.mean(), gaps.std() / math.sqrt(len(gaps))
claim("20 parameters fitted to 50 points: the gap is 20/50 nats, within 5 standard errors",
      abs(gap - d / n) < 5 * error, gap=gap, error=error)

# %% [markdown]
# Here each parameter costs $1/n$ nats. A table of what follows $k$ characters has $64 \cdot 65^k$ of them. For a table $1/n$
# is a guide only (rare cells cost less), but what do so many do to text? To see the floor too, draw a text whose entropy
# is known, from the pair counts. What follows character $c$ costs the entropy of row $c$; weigh by how often $c$ comes.

# %%
from bisect import bisect

share = torch.full((65,), 1 / 65, dtype=f64)
for _ in range(500):
    share = share @ model  # until it no longer changes: how often each character comes
floor = (share @ entropy(model)).item() / math.log(2)
print(f"entropy of the source: {floor:.3f} bits per character")


def draw_text(length, seed):
    chance = torch.rand(length, dtype=f64, generator=torch.Generator().manual_seed(seed))
    limits, drawn = model.cumsum(-1).tolist(), [0]
    for u in chance.tolist():
        drawn.append(min(bisect(limits[drawn[-1]], u), 64))
    return torch.tensor(drawn)

# %% [markdown]
# Now count runs of $k + 1$ characters on little text. Each count gets 0.01 more, so that nothing is impossible; after a
# context never seen, all 65 are equally likely.
#
# **Predict** for $k = 0 \dots 6$: which loss falls, which rises, and how do they lie to the entropy?

# %%
def runs_of(tokens, k):
    """Return every run of k + 1 characters as one number, its digits in base 65."""
    return (tokens.unfold(0, k + 1, 1) * 65 ** torch.arange(k, -1, -1)).sum(-1)


def times_seen(known, asked):
    keys, counts = known.unique(return_counts=True)
    place = torch.searchsorted(keys, asked).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == asked, counts[place], 0).double()


def context_bits(train, test, k, extra=0.01):
    known, asked = runs_of(train, k), runs_of(test, k)
    runs, contexts = times_seen(known, asked), times_seen(known // 65, asked // 65)
    return -((runs + extra) / (contexts + 65 * extra)).log2().mean().item()

# %%
little, real, ks = draw_text(20_000, seed=6), text.train[:20_000], range(7)
fresh, held_out = draw_text(50_000, seed=7), text.validation[:50_000]
source_train, source_fresh = ([context_bits(little, t, k) for k in ks] for t in (little, fresh))
real_train, real_fresh = ([context_bits(real, t, k) for k in ks] for t in (real, held_out))
more_fresh = [context_bits(text.train, held_out, k) for k in ks]
lost = (times_seen(runs_of(little[:-1], 5), runs_of(fresh[:-1], 5)) == 0).double().mean()

# %%
claim("k = 1 is best on fresh text of the source, within 0.15 bits of its entropy",
      min(ks, key=source_fresh.__getitem__) == 1 and 0 < source_fresh[1] - floor < 0.15)
true_bits = -model[little[:-1], little[1:]].log2().mean()  # a little above or below, by chance
claim("from k = 2 on the training loss is below the entropy by more than 0.3 bits: memory",
      all(b < floor - 0.3 for b in source_train[2:]), bits=source_train)
claim("the source's own probabilities stay within 0.1 bits of it on the same text",
      abs(true_bits - floor) < 0.1, bits=true_bits)
claim("Shakespeare's own held-out loss stays below the uniform one", max(real_fresh) < 6.0,
      bits=real_fresh)
claim("each training loss only falls",
      all(a[k] > a[k + 1] for a in (source_train, real_train) for k in range(6)))
claim("at k = 6 more than 95 % of the source's contexts are new", lost > 0.95, share=lost)
claim("at k = 4 memory is worse than knowing nothing", source_fresh[4] > math.log2(65) + 0.05)
best = [min(ks, key=losses.__getitem__) for losses in (real_fresh, more_fresh)]
claim("with 0.01 added, 20,000 characters of Shakespeare pay for k = 2, a million for k = 4",
      best == [2, 4])
less = [context_bits(text.train, held_out, k, extra=0.001) for k in (2, 3, 4)]
claim("with 0.001 added, a million pay for k = 3", min(less) == less[1], bits=less)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.9)
both = (source_train, source_fresh, 5.1), (real_train, real_fresh, 4.3)
for ax, (a, b, y) in zip(axes, both, strict=True):
    figures.line(ax, ks, a, figures.ORANGE, "training", marker="o")
    figures.line(ax, ks, b, figures.BLUE, dashed=True, marker="^")
    ax.text(2.1, y, "held-out", ha="right", color=figures.BLUE)
    figures.level(ax, math.log2(65), "uniform 6.02")
    ax.set(xlabel="context k", ylabel="bits per character", xlim=(-0.3, 7.9), ylim=(0, 6.9))
figures.level(axes[0], floor, f"entropy {floor:.2f}")
figures.line(axes[1], ks, more_fresh, figures.TEAL, "50 × the text", dashed=True, marker="s")
figures.title(axes[0], "Far below the entropy is memory")
figures.title(axes[1], "Shakespeare: more text, more context")
show(fig, alt="Bits against context. Training falls far below the entropy; held-out is lowest at "
              "k = 1 for the source, at 2 for Shakespeare, then rises, on the source to 6.02.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Training only falls. Held-out falls while contexts come often enough, then rises. On the source nearly every context is
# new at $k = 6$ and knows nothing, 6.02 bits; at $k = 4$ it is worse still: sure of the wrong thing. Shakespeare repeats
# himself more, and stays below.
# </details>
#
# For real text nobody knows the floor; held-out losses lie above it on average. So fit on one part and **judge on an unused one**.
# If you choose $k$ or the added count by it, keep a third, used for nothing at all, for the final word.
#
# ## 8 · What breaks
#
# **A zero.** Leave out the extra count. The table of shares is the best on its own text; on a new one the first pair
# never seen has probability 0.

# %%
bare = pairs - 1  # pair counts as they are
unseen = (bare[text.validation[:-1], text.validation[1:]] == 0).sum().item()
claim("187 of 111,539 held-out pairs were never seen in training",
      unseen == 187 and len(text.validation) - 1 == 111_539)
never = (bare.double() / bare.sum(-1, keepdim=True)).nan_to_num()
surprises = -never[text.validation[:-1], text.validation[1:]].log2()
claim("one zero and the mean is infinite", math.isinf(surprises.mean()))
odd, refused = text.encode("qx").tolist(), False
try:
    encode(odd[1:], lambda past: bare[odd[0]].tolist())
except ValueError as message:
    print("the coder refuses:", message)
    refused = True
claim("what has probability 0 has no code", refused)

# %% [markdown]
# **An error bar that lies.** Draw from $q$, average under $p$, by weights: $\mathrm{E}_q[p/q] = \int p = 1$. Take $p = \mathrm{N}(0, 1)$ and $q$
# once wider, $\sigma = 2$, once narrower, $\sigma = \frac14$. 2,000 times: 1,000 draws, their mean weight, its standard
# error.
#
# **Predict:** how often is the truth, 1, more than 5 standard errors away?

# %%
def misses(std, seed, repeats=2000, n=1000):
    """Return how many standard errors each estimate of E_q[p/q] = 1 is off."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(repeats, n, dtype=f64, generator=generator)  # x = std · z
    weights = std * (0.5 * z**2 * (1 - std**2)).exp()  # p(x)/q(x)
    return (weights.mean(1) - 1) / (weights.std(1) / math.sqrt(n))


wide, narrower = misses(2.0, seed=8), misses(0.25, seed=9)
lies = (narrower.abs() > 5).double().mean()
claim("drawn from the wider one, no estimate is 5 errors off", wide.abs().max() < 5)
claim("drawn from the narrower one, more than a third are", lies > 1 / 3, share=lies)
claim("more than 85 % of its estimates are too low", (narrower < 0).double().mean() > 0.85)

# %% tags=["hide-input"]
fig, (axes,) = figures.new(1, 2, height=3.0)
for ax, off, colour in zip(axes, (wide, narrower), (figures.TEAL, figures.BERRY), strict=True):
    ax.hist(figures.values(off), bins=45, range=(-40, 5), color=colour)
    ax.axvspan(-5, 5, color=figures.PALE, zorder=0)
    ax.set(xlabel="estimate minus truth, in standard errors", ylim=(0, None))
axes[0].set_ylabel("estimates of 2,000")
figures.title(axes[0], "Wider: all within ±5")
figures.title(axes[1], "Narrower: too low, and sure of it")
show(fig, alt="Histograms of 2,000 estimates, in their own standard errors: from the wider "
              "Gaussian all lie within 5, from the narrower more than a third are further off.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# More than a third. Far out, $p/q$ is enormous, and $q$ hardly goes there: what was never drawn shows neither in
# the mean nor in its error. $\mathrm{E}_q[(p/q)^2]$ is infinite, for $e^{z^2(1-\sigma^2)}$ grows at least as fast as
# $e^{-z^2/2}$ falls, once $\sigma^2 \le \frac12$: the error formula does not hold.
# </details>
#
# ## What stays
#
# - An average over independent draws has the error $s/\sqrt n$ (*the truth is within 5 standard errors*), if they go where it matters.
# - For symbols likelihood, cross-entropy, KL(data‖model) are one aim, its floor the entropy (*cross-entropy is entropy plus KL*).
# - A text's loss in bits is nearly its file's length (*each file is at most 2 bits longer*).
# - Forward KL covers (*forward takes the mixture's own mean*); reverse KL seeks, from some starts.
# - Far below the entropy is memory (*the training loss is below the entropy by more than 0.3 bits*); held-out data tells.

# %% tags=["nbval-ignore-output"]
progress("01_likelihood")

# %% [markdown]
# **Open questions.** How many bits a character does English need, when readers guess differently? A density can exceed
# 1: what does a *negative* cross-entropy mean? Is there a divergence that neither covers nor seeks?
#
# **References.** Shannon 1948, *A mathematical theory of communication*: sections 6 to 9, entropy and codes; Shannon 1951, *Prediction and
# entropy of printed English*: people guess. Kullback and Leibler 1951, *On information and sufficiency*: section 2. Witten, Neal and Cleary 1987,
# *Arithmetic coding for data compression*: its program is our coder. MacKay 2003, *Information theory, inference, and learning
# algorithms*: chapters 2, 5, 6, 29 and 33. Akaike 1974, *A new look at the statistical model identification*: the price of a
# parameter.
