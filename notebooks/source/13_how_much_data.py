# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 · How much data, how long, how large
#
# **How much data, how long, how large: and can one know before?**
#
# ‘The more data the better’, people say, and ‘how long it takes depends’. Below are three models of this course, trained on more and more data with a fixed number of steps, each on five seeds. At the right end one point is kept back. This chapter predicts it, says how sure it is, looks, and asks why. Then it predicts how many seconds a run takes, and measures that.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch13_how_much_data import figures as pictures
from course_lib.classroom.figures import BLUE, ORANGE, TEAL, show
from course_lib.classroom.records import recorded

record = recorded("data_grid")
amounts, steps_of = record.values["sizes"], record.values["steps"]


def losses(*arms, key="test"):
    """Return what the record says of these arms, (seeds, arms)."""
    return torch.tensor([record.arm(arm).each(key) for arm in arms], dtype=torch.float64).T


def grid(family):
    """Return all amounts of a family and its test figures, (sizes,) and (seeds, sizes)."""
    n = amounts[family]
    return torch.tensor(n, dtype=torch.float64), losses(*(f"{family}, {each}" for each in n))


looks = {"characters": ("Text", "bits per character", (2.5, 3.0, 3.5, 4.0), BLUE),
         "vae": ("VAE of digits", "nats per digit (bound, k = 10)", (90, 100, 120, 140, 160), TEAL),
         "gan": ("GAN of digits", "squared Fréchet distance", (1.5, 2, 3, 5, 7), ORANGE)}
curves = {}
for family, (name, axis, ticks, colour) in looks.items():
    n, loss = grid(family)
    curves[name] = pictures.DataCurve(n[:-1].tolist(), loss[:, :-1], n[-1].item(), axis, ticks, colour)
show(pictures.data_curves(curves),
     alt="Three panels, loss against amount of data on logarithmic axes, five seeds a size: text, VAE "
         "and GAN fall with more data, the GAN hardly at the end; a band marks the largest amount.")

# %% [markdown]
# Afterwards you can
#
# - fit a power law with its floor, and say between which values it predicts, and what that leaves out;
# - tell from curves whether data, parameters or steps are short;
# - predict a run's seconds from its operations.
#
# **Needs** chapters 01, 04, 05, 07 and 11. **Time** 55 minutes to read, 25 for the exercises; the cells take about 20 seconds on two CPU cores.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $L$ | loss on the test part, for the GAN a distance | |
# | $n, N$ | how many examples or characters; how many parameters | |
# | $B, T$ | sequences a step; tokens a sequence | |
#
# $c, a, b$ are floor, scale and exponent of a law, $k$ a factor, $D$ the tokens that a training reads.

# %% tags=["nbval-ignore-output"]
import copy
import math
import time

from torch.utils.flop_counter import FlopCounterMode

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, forward_flops, modern
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.text import load_shakespeare, random_windows
from course_lib.evaluation.comparisons import paired_difference
from course_lib.evaluation.language import cross_entropy
from course_lib.evaluation.power_laws import PowerLaw, fit_with_floor, law_intervals, predict
from course_lib.training.fit import fit
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.runtime import start
from course_lib.training.trained import Trained

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · More data
#
# The record has a Transformer of characters (two blocks of width 64), a small VAE of binary digits, and chapter 11's GAN. Whatever the amount, a model trains for the **same number of steps**: the text 1,000 of 16 sequences of 64 characters, the VAE 2,000 of 100 digits, the GAN 500 of 64. At set steps, called *looks*, it is measured on the *validation* part; the weights of the best look are kept and give the number on the *test* part, unless something else is said.
#
# Each of the five seeds has its own data: a stretch of Shakespeare from one of five places, or random digits. At the largest amount there is only one data set, and the seeds differ in weights and order alone.
#
# From 10,000 to 100,000 characters the bits fall from 3.8 to 3.1. **Guess**: what will the whole 1,003,854 leave?

# %% tags=["nbval-ignore-output"]
guess("all_the_text", ...)

# %%
tables = {family: grid(family) for family in amounts if family != "widths"}
means = {family: loss.mean(0) for family, (_, loss) in tables.items()}  # (sizes,)
shown = {family: mean[:-1].tolist() for family, mean in means.items()}  # the last is kept back
for family, values in shown.items():
    print(family, dict(zip(amounts[family], [round(value, 2) for value in values], strict=False)))
falls = {family: loss[:, :-2] - loss[:, 1:-1] for family, (_, loss) in tables.items()}
claim("up to 300,000 characters, and for the VAE up to 3,000 digits, more data was better at every size "
      "and for every seed", (falls["characters"] > 0).all() and (falls["vae"] > 0).all())
claim("each larger amount of the VAE's digits saved fewer nats than the one before, on average",
      (falls["vae"].mean(0).diff() < 0).all(), saved=falls["vae"].mean(0))
tenfold, threefold = means["gan"][0] / means["gan"][2], means["gan"][2] / means["gan"][3]
claim("ten times 100 digits cut the GAN's distance to a third or less, three times 1,000 by less than "
      "a tenth", tenfold > 3 and threefold < 1 / 0.9, distances=shown["gan"])

# %% [markdown]
# Little data is soon known by heart. What then? The folded cell draws the loss on text trained on and on validation text, step by step. A model that gives each of the 65 symbols equal odds costs $\log_2 65 = 6.02$ bits.

# %% tags=["hide-input"]
panels = {}
for n, name in ((3_000, "3,000 characters"), (30_000, "30,000"), (300_000, "300,000")):
    arm = record.arm(f"characters, {n}")
    of = lambda part, arm=arm: torch.tensor(arm.arm("curves").each(part)).mean(0)
    panels[name] = (arm.values["evaluated"], of("train"), of("validation"))
show(pictures.overfitting(panels, math.log2(65)),
     alt="Bits against steps on trained-on and on validation text: with 3,000 characters validation "
         "turns up after 20 steps and ends near 11 bits, with 300,000 it falls to the end.")

# %%
last = losses("characters, 3000", "characters, 10000", key="test at the end")
best = losses("characters, 3000", "characters, 10000")
claim("after all 1,000 steps on 3,000 or 10,000 characters every seed is worse on the test text than "
      "equal odds", last.min() > math.log2(65), bits=last.mean(0))
soon = losses("characters, 3000", "characters, 10000", key="step")
claim("at their best looks, after at most 100 steps, these runs needed 3.7 to 4.3 bits",
      best.min() > 3.7 and best.max() < 4.3 and soon.max() <= 100, bits=best.mean(0))
gap = {n: losses(f"vae, {n}") - losses(f"vae, {n}", key="train") for n in (100, 3_000)}
claim("the VAE's test digits cost at least 40 nats more than trained-on ones with 100 digits, with "
      "3,000 at most 12", gap[100].min() > 40 and gap[3_000].max() < 12, of_100=gap[100].mean(),
      of_3000=gap[3_000].mean())

# %% [markdown]
# So longer is better as long as validation says so. From here on a run means its best look.
#
# ## 2 · A law with a floor
#
# On logarithmic axes such curves are often nearly straight (Hestness et al. 2017). The simplest law with a floor is
#
# $$L(n) = c + a\, n^{-b}. \tag{13.1}$$
#
# $c$ is what no amount of data removes: for a likelihood at least the entropy of the data (chapter 01), and more where the model or its steps are too few. Above it stands the **excess** $L - c$; $k$ times the data multiply it by $k^{-b}$, wherever one began. With $c = 2$, $a = 30$, $b = 0.3$, for example, a thousand characters leave $2 + 3.78$, and ten thousand $2 + 1.89$: half of the excess, since $10^{-0.3} = 0.50$.
#
# ### Question: half of it
# *difficulty 1/5 · importance 4/5 · 2 minutes*
#
# Let $b = 0.25$. How many times the data leaves half of the excess?

# %% tags=["nbval-ignore-output"]
answer("together.half_the_excess", ...)

# %% [markdown]
# ### Exercise: scale and exponent
# *difficulty 3/5 · importance 5/5 · 10 minutes*
#
# If the floor is known, logarithms make equation (13.1) a straight line,
#
# $$\ln(L - c) = \ln a - b \ln n . \tag{13.2}$$

# %% tags=["nbval-ignore-output"]
@exercise("together.fit_power_law")
def fit_power_law(n, loss, floor):
    """Return (scale, exponent) of loss = floor + scale · n^(−exponent).

    n, loss (sizes,), float64; floor: a number below every loss. The line is fitted by least squares
    to the logarithms of all points.
    Worked value: n = (1, 4), loss = (7, 4), floor 1: scale 6, exponent 0.5.
    """
    # the line's fall and its height, then back from logarithms
    ...

# %%
n_made = torch.tensor([1e3, 3e3, 1e4, 3e4, 1e5], dtype=f64)
truth = PowerLaw(*torch.tensor([2.0, 30.0, 0.3], dtype=f64))  # floor, scale, exponent
made = truth(n_made)
scale, exponent = (float(part) for part in fit_power_law(n_made, made, 2.0))
claim("with the right floor an exact law comes back", abs(scale - 30) + abs(exponent - 0.3) < 1e-8)
forgotten = float(fit_power_law(n_made, made, 0.0)[1])
claim("with the floor forgotten the exponent is less than half of the true one", forgotten < 0.3 / 2,
      exponent=forgotten)
beyond = 1e7
unfloored = float(fit_power_law(n_made, made, 0.0)[0]) * beyond**-forgotten
claim("and at a hundred times the data that line lies a fifth below the true floor",
      unfloored < 0.8 * 2.0, predicted=unfloored, truth=truth(torch.tensor([beyond]))[0])

# %% [markdown]
# ### The floor and the interval
#
# But nobody knows the floor. For a *given exponent*, though, equation (13.1) is linear in $c$ and $a$, and least squares solve it at once. So only the exponent has to be searched, on a grid. The errors are relative ones, $L(n)/\text{loss} - 1$, so that small losses count as much as large ones; the wish is $c \cdot \frac{1}{\text{loss}} + a \cdot \frac{n^{-b}}{\text{loss}} = 1$ at every size.

# %%
def least_error(b, n, loss):
    """Return (error, floor, scale) of the best law with this exponent and no floor below 0."""
    columns = torch.stack([1 / loss, n**-b / loss], 1)  # (sizes, 2)
    c, a = torch.linalg.lstsq(columns, torch.ones(len(n), 1, dtype=f64)).solution[:, 0]
    if c < 0:  # then the best floor that is allowed is 0
        c, a = torch.zeros((), dtype=f64), columns[:, 1].sum() / columns[:, 1].square().sum()
    return ((c * columns[:, 0] + a * columns[:, 1] - 1) ** 2).sum().item(), c.item(), a.item()


noisy = made * torch.tensor([1.01, 1.0, 0.99, 1.0, 1.01], dtype=f64)
trials = {b / 1000: least_error(b / 1000, n_made, noisy) for b in range(20, 1500)}
by_hand = min(trials, key=lambda b: trials[b][0])
library = fit_with_floor(n_made, noisy)
claim("the search finds the library's law: exponents within 0.001, floors within 0.02",
      abs(by_hand - library.exponent) < 1e-3 and abs(trials[by_hand][1] - library.floor) < 0.02)
claim("such one percent of error in the losses moves the exponent from 0.3 by more than 0.02",
      abs(by_hand - 0.3) > 0.02, exponent=by_hand, floor=trials[by_hand][1])

# %% [markdown]
# How sure is a prediction? Other seeds would have given other points. The **bootstrap** asks the seeds that are there: at each size draw five of the five with replacement, fit the law to their means, predict; do that a thousand times, and keep the middle 90 %. Five seeds scatter too little about their own mean, so the library stretches their deviations as Student's distribution says. And where the mean of five *new runs* is predicted (`new_seeds=5`), it adds their own scatter. Does it keep its word? We make 100 experiments of five seeds by a law that we know, and ask at ten times the largest size; beside it stands the plain bootstrap, not stretched. (Here sizes scatter independently. In our record a seed's larger text holds its smaller ones.)

# %%
def held_of(repeats, generator):
    """Return how many intervals hold at a million: law, five new runs, law without the stretch."""
    far, ends = torch.tensor([1e6], dtype=f64), torch.tensor([0.05, 0.95], dtype=f64)
    true, held = truth(far).item(), torch.zeros(3)
    for _ in range(repeats):
        seeds = made * (1 + 0.02 * torch.randn(5, 5, generator=generator, dtype=f64))  # (seeds, sizes)
        new = true * (1 + 0.02 * torch.randn(5, generator=generator, dtype=f64)).mean().item()
        law = predict(n_made, seeds, 1e6, generator, draws=100)
        five = predict(n_made, seeds, 1e6, generator, draws=100, new_seeds=5)
        chosen = torch.randint(5, (500, 5), generator=generator)
        resampled = seeds.gather(0, chosen).view(100, 5, 5).mean(1)  # (draws, sizes)
        plain = fit_with_floor(n_made, resampled)(far)[:, 0].quantile(ends)
        held += torch.tensor([law.holds(true), five.holds(new), plain[0] <= true <= plain[1]])
    return held.int().tolist()


held, held_runs, held_plain = held_of(100, torch.Generator().manual_seed(0))
claim("of 100, 84 to 98 hold the truth, and as many the mean of new runs",
      84 <= held <= 98 and 84 <= held_runs <= 98, law=held, new_runs=held_runs)
claim("of the plain bootstrap's intervals fewer hold the truth", held_plain < held, plain=held_plain)

# %% [markdown]
# ## 3 · Kept back
#
# Now the three curves of the top. The law is fitted to all sizes but the largest, and it predicts the mean of five runs there. You have not looked yet, and neither has the fit.

# %%
predicted, laws, floors = {}, {}, {}
bootstrap = lambda: torch.Generator().manual_seed(1)
for family, (n, loss) in tables.items():
    laws[family] = fit_with_floor(n[:-1], loss[:, :-1].mean(0))
    floors[family] = law_intervals(n[:-1], loss[:, :-1], bootstrap())["floor"]
    predicted[family] = predict(n[:-1], loss[:, :-1], n[-1].item(), bootstrap(), new_seeds=5)
    print(f"{family:<10} at {int(n[-1]):,}: {predicted[family].middle:.3g}, 90 % between "
          f"{predicted[family].low:.3g} and {predicted[family].high:.3g}; "
          f"floor {laws[family].floor:.3g}, exponent {laws[family].exponent:.2g}")
claim("the best floor for the text is 0 bits; the VAE's lies between 50 and 90 nats",
      floors["characters"].middle < 0.01 and floors["vae"].low > 50 and floors["vae"].high < 90,
      text=floors["characters"], vae=floors["vae"])

# %% [markdown]
# Zero bits cannot be the floor: then no surprise would be left in Shakespeare. Five sizes simply do not show where that curve will bend. Now look. A prediction also needs a rival: ‘nothing changes’, the mean at the largest size that was fitted.

# %%
came = {family: mean[-1].item() for family, mean in means.items()}
for family in came:
    hit = predicted[family].holds(came[family])
    print(f"{family:<10} came {came[family]:.3g}: a {'hit' if hit else 'miss'}")
off = {family: came[family] / predicted[family].middle - 1 for family in came}
claim("the whole text comes within 5 percent of what its law predicted", abs(off["characters"]) < 0.05,
      guessed="all_the_text", came=came["characters"], predicted=predicted["characters"])
better = {family: loss[:, -1] < loss[:, -2] for family, (_, loss) in tables.items()}
claim("more data was better for the text and the VAE at every size, the kept-back one too, every seed",
      better["characters"].all() and better["vae"].all())
claim("the VAE with 9,000 digits is worse than predicted, above its interval",
      came["vae"] > predicted["vae"].high, came=came["vae"], predicted=predicted["vae"])
gan = tables["gan"][1]  # (seeds, sizes)
claim("the GAN with 9,000 digits is no better than with 3,000, for any seed",
      (gan[:, -1] >= gan[:, -2]).all(), of_9000=gan[:, -1], of_3000=gan[:, -2])
same = {family: abs(mean[-2] / mean[-1] - 1).item() for family, mean in means.items()}
claim("the text's law is off by less than a third of what ‘nothing changes’ is; for the digits "
      "‘nothing changes’ is nearer than the law",
      abs(off["characters"]) < same["characters"] / 3
      and all(same[family] < abs(off[family]) for family in ("vae", "gan")), law=off, no_change=same)

# %% tags=["hide-input"]
verdict = {family: "hit" if predicted[family].holds(came[family]) else "miss" for family in came}
titles = {family: f"{name.split()[0]}: law {predicted[family].middle:.3g}, came {came[family]:.3g}: "
          + verdict[family]
          for family, (name, *_) in looks.items()}
titled = lambda values: {titles[family]: values(family) for family in looks}
fig = pictures.data_curves(titled(lambda family: curves[looks[family][0]]), titled(laws.get),
                           titled(predicted.get), titled(lambda family: tables[family][1][:, -1]))
show(fig, alt="The three data curves with their laws. At the largest amount a bar shows the predicted "
     "90 percent interval and stars the five runs: near it for text, above it for the VAE.")

# %% [markdown]
# An interval says what *other seeds* would give *if the law holds*; it cannot know that a curve bends. And the GAN's is wide enough to hold a curve that no longer falls. What bent the digits' curves, and what is worth most to the text? Each suspicion can be refuted.
#
# - Digits: the **steps** are short. Then twice the steps help every seed with 9,000 digits, and more than with 3,000.
# - Text: it matters **which** text. Then 300,000 characters from all over it, in pieces of 1,000, are worth more than a stretch of 300,000.
#
# If pieces win, there are two readings: other plays, or the right one. The training text ends within *The Taming of the Shrew*; all validation and 38 % of the test text go on with it, and no seed's stretch reached it. So the record also has the last 300,000 characters, and pieces *without* that play.

# %%
def gains(before, after):
    """Return what each seed saves by going from one arm to the other, (seeds,)."""
    return losses(before)[:, 0] - losses(after)[:, 0]


def mean_and_error(saved):
    return tuple(part.item() for part in paired_difference(saved, torch.zeros_like(saved)))


for family in ("vae", "gan"):
    longer = gains(f"{family}, 9000", f"{family}, twice the steps")
    on_3000 = gains(f"{family}, 3000", f"{family}, twice the steps on 3000")
    more, error = mean_and_error(longer)
    claim(f"{family}, 9,000 digits: twice the steps save for every seed, by more than 5 standard errors",
          longer.min() > 0 and more > 5 * error, saved=(more, error),
          three_times_the_digits=mean_and_error(gains(f"{family}, 3000", f"{family}, 9000")))
    lead, error = mean_and_error(longer - on_3000)
    claim(f"{family}: with 3,000 digits twice the steps save less, by more than 2 standard errors",
          lead > 2 * error, on_3000=mean_and_error(on_3000), lead=(lead, error))
claim("with twice the steps the VAE still does not reach its law's interval",
      losses("vae, twice the steps").mean() > predicted["vae"].high,
      came=losses("vae, twice the steps").mean(), interval=predicted["vae"])

# %%
stretch_300, all_text = "characters, 300000", f"characters, {amounts['characters'][-1]}"
all_over, to_all = gains(stretch_300, "pieces, 300000"), gains(stretch_300, all_text)
claim("for every seed 300,000 characters from all over the text save more than half of what the whole "
      "text saves over a stretch of 300,000", (all_over > to_all / 2).all() and to_all.min() > 0,
      pieces=mean_and_error(all_over), whole=mean_and_error(to_all))
last_300 = gains(stretch_300, "last, 300000")
lead, error = mean_and_error(last_300 - all_over)
claim("but the last 300,000, one stretch, save more than the pieces on average, by more than 2 standard "
      "errors", lead > 2 * error, last=mean_and_error(last_300), lead=(lead, error))
without = gains(stretch_300, "pieces without the Shrew")
without_all = gains(stretch_300, "all without the Shrew")
claim("without the test text's own play pieces save less, for every seed, but still more than half of "
      "what all the text without it saves",
      (without < all_over).all() and (without > without_all / 2).all() and without_all.min() > 0,
      pieces=mean_and_error(without), whole=mean_and_error(without_all))
shrewless = losses("all without the Shrew").mean().item()
claim("the whole text came below its law's prediction, without that play it comes above",
      came["characters"] < predicted["characters"].middle < shrewless, without=shrewless)

# %% [markdown]
# ## 4 · Data, parameters or steps?
#
# Suppose that you may double one of three things: the data, the parameters (width 92 in place of 64), or the steps. Learning rates stay, and so does the rule of the best look. You begin with 1,000 steps on **10,000 characters**. Which doubling saves most on the test text? And which from **300,000 characters**, where the last look was the best?

# %% tags=["nbval-ignore-output"]
answer("together.from_little", ...)

# %% tags=["nbval-ignore-output"]
answer("together.from_much", ...)

# %%
doubled = {n: {what: gains(f"characters, {n}", f"from {n}, twice the {what}")
               for what in ("data", "parameters", "steps")} for n in (10_000, 300_000)}
little, much = doubled.values()
claim("from 10,000 characters: for every seed twice the data saves more than the other two together",
      (little["data"] > little["parameters"].clamp(min=0) + little["steps"].clamp(min=0)).all(),
      **{what: mean_and_error(saved) for what, saved in little.items()})
claim("and twice the parameters save nothing on average", little["parameters"].mean() <= 0)
saved = {what: mean_and_error(each) for what, each in much.items()}
rest = torch.maximum(much["parameters"], much["steps"])
claim("from 300,000: twice the data saves most, for every seed", (much["data"] > rest).all(), **saved,
      lead=mean_and_error(much["data"] - rest))
claim("twice the parameters or steps save too, by more than 3 standard errors each",
      all(saved[what][0] > 3 * saved[what][1] for what in ("parameters", "steps")))
between, error = mean_and_error(much["parameters"] - much["steps"])
claim("which of these two saves more, five seeds do not say", abs(between) < 2 * error,
      difference=(between, error))

# %% tags=["hide-input"]
saves = {f"From {n:,} characters": {what: mean_and_error(saved) for what, saved in each.items()}
         for n, each in doubled.items()}
show(pictures.doublings(saves),
     alt="What each doubling saves in bits, with standard errors. From 10,000 characters twice the data "
         "saves most and the others little or nothing; from 300,000 all three save, data most.")

# %% [markdown]
# Little text is read so often (fifty steps read 10,000 characters five times) that it runs out before the steps do. (These runs were stopped after 300 steps, long past their best looks; with ‘twice the steps’ the learning rate alone was another.) With the whole text there is no more data to have. What do parameters and steps buy there? Several widths, same steps; the law of equation (13.1) with $N$ in place of $n$ is fitted to all but the widest, and predicts that one.
#
# And a trap. One is tempted to read ‘what would 1,000 steps give?’ off the curve of a run of 2,000, at step 1,000. But there its learning rate is still high, while a run planned for 1,000 has let it fall by then. The right panel below compares the two.

# %%
widths = amounts["widths"]
whole = amounts["characters"][-1]
arms = [f"characters, {whole}" if width == 64 else f"width, {width}" for width in widths]
N = torch.tensor([record.arm(arm).values["parameters"] for arm in arms], dtype=f64)
by_width = losses(*arms)
law_of_width = fit_with_floor(N[:-1], by_width[:, :-1].mean(0))
guessed_width = predict(N[:-1], by_width[:, :-1], N[-1].item(), bootstrap(), new_seeds=5)
claim("at every width more parameters save bits, for every seed", (by_width.diff(dim=1) < 0).all())
widest, next_to = by_width[:, -1].mean().item(), by_width[:, -2].mean().item()
claim("the widest comes within the interval of the narrower ones, and nearer to their law than to "
      "‘nothing changes’", guessed_width.holds(widest)
      and abs(widest - guessed_width.middle) < abs(widest - next_to) / 2,
      predicted=guessed_width, came=widest, no_change=next_to)

# %%
def validation(arm):
    """Return the steps of the looks, and the bits on validation text there, (seeds, looks)."""
    part = record.arm(arm)
    return part.values["evaluated"], torch.tensor(part.arm("curves").each("validation"), dtype=f64)


at, planned_1000 = validation("characters, 300000")
at_long, planned_2000 = validation("from 300000, twice the steps")
behind = planned_2000[:, at_long.index(1000)] - planned_1000[:, -1]
claim("at step 1,000 a run planned for 2,000 is behind one planned for 1,000, for every seed",
      (behind > 0).all(), behind=mean_and_error(behind))
at_all, on_all = validation("all without the Shrew")
goal = planned_1000[:, -1].mean()
reached = [step for step, bits in zip(at_all, on_all.mean(0), strict=True) if bits < goal]
claim("with all the text but that play, 600 of the 1,000 steps or fewer reach what a stretch of 300,000 "
      "ends with", reached and reached[0] <= 600, steps=reached[:1])

# %% tags=["hide-input"]
runs = {"300,000 characters, planned 1,000": (at[8:], planned_1000.mean(0)[8:]),
        "300,000 characters, planned 2,000": (at_long[8:], planned_2000.mean(0)[8:]),
        "all but the Shrew, planned 1,000": (at_all[8:], on_all.mean(0)[8:])}
show(pictures.parameters_and_steps(N.tolist(), by_width, law_of_width, guessed_width, runs),
     alt="Left: test bits fall with the parameters, the widest near the narrower ones' law. "
         "Right: at step 1,000 a run planned for 2,000 lies above one planned for 1,000.")

# %% [markdown]
# **At scale.** Kaplan et al. (2020) fitted laws to models of up to 1.5 billion parameters, Hoffmann et al. (2022) to more than 400:
#
# $$L(N, D) = 1.69 + 406.4\, N^{-0.34} + 410.7\, D^{-0.28} \quad\text{nats a token.} \tag{13.3}$$
#
# The two disagree. With ten times the operations to spend, the first would have 5.5 times the parameters, the second 3.2 times. One reason, says the second paper, is the trap above: the first let the learning rate fall by one plan for runs of every length. Training takes about $6ND$ operations. What does equation (13.3) say of GPT-3?

# %%
def hoffmann(parameters, tokens):
    """Return the three parts of their law: floor, what parameters and what tokens leave over."""
    return 1.69, 406.4 * parameters**-0.34, 410.7 * tokens**-0.28


gpt3 = (175e9, 300e9)
_, of_parameters, of_tokens = hoffmann(*gpt3)
claim("by their law GPT-3's tokens leave about four times the excess that its parameters leave",
      3.5 < of_tokens / of_parameters < 4.5, parameters=of_parameters, tokens=of_tokens)
other = (70e9, 175e9 * 300e9 / 70e9)  # the same 6 N D
claim("with the same operations 70 billion parameters on 750 billion tokens would be better",
      sum(hoffmann(*other)) < sum(hoffmann(*gpt3)), other=sum(hoffmann(*other)))

# %% [markdown]
# ## 5 · How long?
#
# The seconds can be known before, without any law of losses: they depend on the model, the plan, the machine and what else it does, not on what the data are.

# %% tags=["hide-input"]
show(pictures.plan(),
     alt="Diagram: data and plan say how often a character is read; model and plan give the operations, "
         "about six a parameter and token; with the machine's rate they give the seconds; the test "
         "loss is only measured or predicted by a law.")

# %% [markdown]
# A step that goes through $B$ sequences of $T$ tokens costs chapter 04's operations, forward once and backward twice as many: about 6 for each number of the matrices and each token. The width 64 has 98,304 such numbers in the blocks and 4,160 at the output, and $6 \cdot 102{,}464 \cdot 1{,}024 = 0.63$ billion; attention's pairs come on top. And it costs something that does not depend on the size: Python, launching, small things beside the products. So
#
# $$\text{seconds} = \text{steps} \cdot \Big(\text{overhead} + \frac{\text{operations of a step}}{\text{rate}}\Big). \tag{13.4}$$
#
# ### Exercise: the bill before
# *difficulty 2/5 · importance 4/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("together.training_seconds")
def training_seconds(config, steps, batch, time, rate, overhead):
    """Return the seconds of a training run, equation (13.4).

    A step: batch sequences of time tokens, forward and backward. forward_flops(config, time) counts
    one sequence, forward. rate: operations a second; overhead: seconds a step.
    Worked value: where one sequence takes 1e6 operations forward, 10 steps of 8 sequences with
    rate 1e9 and overhead 0.001 take 0.25.
    """
    # all operations of a step, then the seconds of all steps
    ...

# %% [markdown]
# Rate and overhead come from two tiny runs of *other* widths, 32 and 96: two equations, two unknowns. Then comes the live point: this chapter's model on a stretch of 10,000 characters with a seed that is not in the record, 150 steps of the 1,000 (the recorded five had their best look by then). **Guess** before anything is measured: how many seconds will 150 such steps of width 64 take here?

# %% tags=["nbval-ignore-output"]
guess("seconds", ...)

# %%
text = load_shakespeare(test=True)
config_of = lambda width: modern(65, context_length=64, n_layers=2, n_heads=2, d_model=width)
start_at = int(torch.rand((), generator=torch.Generator().manual_seed(5)) * (len(text.train) - 10_000))
stretch = text.train[start_at : start_at + 10_000].to(run.device)
draw = lambda generator: random_windows(stretch, 16, 64, generator)


def new_run(width, seed):
    """Return model, what trains it, and its step."""
    torch.manual_seed(seed)
    model = Transformer(config_of(width)).to(run.device)
    optimizers = muon_and_adamw(model.blocks, model)
    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))
    return model, trained, next_token_step(model, optimizers.values())

# %%
def seconds_a_step(width, steps=20):
    """Return the median of three times of so many steps, over steps."""
    _, trained, step = new_run(width, seed=0)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        for _ in range(steps):
            found = step(draw(trained.generator))
        found["loss"].item()  # waits for the device
        times.append((time.perf_counter() - began) / steps)
    return sorted(times[1:])[1]  # the first round warms up

# %% tags=["nbval-ignore-output"]
flops = {width: 3 * 16 * forward_flops(config_of(width), 64) for width in (32, 64, 96)}
seconds = {width: seconds_a_step(width) for width in (32, 96)}
rate = (flops[96] - flops[32]) / max(seconds[96] - seconds[32], 1e-9)
overhead = max(seconds[32] - flops[32] / rate, 0.0)
live_steps = run.pick(quick=150, full=1_000)
print(f"{rate / 1e9:.1f} billion operations a second, {1e3 * overhead:.2f} ms overhead a step")
share = overhead / (overhead + flops[64] / rate)
print(f"width 64: {flops[64]:,} operations a step, {share:.0%} of its time overhead; {live_steps} steps")

# %% tags=["nbval-ignore-output"]
model, trained, step = new_run(64, seed=5)
best_look = {"bits": math.inf}
looks_at = record.arm("characters, 10000").values["evaluated"]
validation_part, test_part = (part.to(run.device) for part in (text.validation[:14_000], text.test))


def look():
    if trained.history.step not in looks_at:
        return {}
    bits = cross_entropy(model, validation_part) / math.log(2)
    if bits < best_look["bits"]:
        best_look.update(bits=bits, step=trained.history.step, weights=copy.deepcopy(model.state_dict()))
    return {"validation": bits}


history = fit(step, draw, 1_000, trained, schedule=warmup_then_linear, until=live_steps, every=5,
              evaluate=look, evaluate_every=5, unit=("token", 16 * 64))
model.load_state_dict(best_look["weights"])
live_bits = cross_entropy(model, test_part) / math.log(2)

# %%
bill = float(training_seconds(config_of(64), live_steps, 16, 64, rate, overhead))
claim("The seconds predicted before are those measured, within a factor of 2",
      0.5 < bill / history.seconds < 2, guessed="seconds", predicted=bill, measured=history.seconds)
fresh, *_ = new_run(64, seed=0)
with FlopCounterMode(display=False) as counter:
    fresh(draw(torch.Generator().manual_seed(0))[0]).sum().backward()
counted = counter.get_flop_counts()["Global"][torch.ops.aten.mm]
one_step = float(training_seconds(config_of(64), 1, 16, 64, 1.0, 0.0))
claim("a step's bill is the products with matrices that PyTorch counts while it runs; attention's pairs "
      "are the other 14 percent", round(100 * (1 - counted / one_step)) == 14, counted=counted,
      bill=one_step)
recorded_bits = losses("characters, 10000")[:, 0]
claim("the live point lies where 99 of 100 new seeds do: within 4.60 · √(1 + 1/5) = 5.04 standard "
      "deviations (Student)", abs(live_bits - recorded_bits.mean()) < 5.04 * recorded_bits.std(),
      live=record.beside(live_bits, recorded_bits), best_step=best_look["step"])

# %% [markdown]
# ### How much, how long, for what
#
# If much of your step is overhead, $6ND$ operations over the rate promise too little; with larger matrices its share shrinks. And the live point came out at 3.66 where this page was made, below all five of the record: five places do not show how much places differ.
#
# The answers, for these small models, from the record. Seconds are about those of one core up to the best look: the looks themselves are left out, and the machine had other work too.

# %%
def row(name, arm, n):
    """Print what an arm of the record reaches, at which step, after how many seconds."""
    part, steps = record.arm(arm), record.arm(arm).values["evaluated"][-1]
    seconds = losses(arm, key="seconds") * losses(arm, key="step") / steps
    reached = f"{part.mean('test'):>9.2f}{part.mean('step'):>11,.0f}"
    print(f"{name:<18}{n:>10,}{reached}{seconds.mean():>9.1f}")


print(f"{'for what':<18}{'data':>10}{'reaches':>9}{'best step':>11}{'seconds':>9}")
for family, name in (("characters", "text, bits"), ("vae", "VAE, nats"), ("gan", "GAN, distance")):
    for n in amounts[family]:
        row(name, f"{family}, {n}", n)
for family, name in (("vae", "VAE, twice"), ("gan", "GAN, twice")):
    row(name + " the steps", f"{family}, twice the steps", 9_000)
floor_of_real = record.values["real digits at distance"]
claim("5,000 other real digits stand at a distance below 0.8, and every GAN here above 1",
      floor_of_real < 0.8 and losses("gan, twice the steps").min() > 1, real=floor_of_real,
      best=losses("gan, twice the steps").mean())

# %% [markdown]
# ## What stays
#
# - ‘The more data the better’ held [*for the text and the VAE at every size*](#3-·-Kept-back), for the VAE by less and less. It failed for the GAN, which [*with 9,000 digits is no better than with 3,000*](#3-·-Kept-back) in the same steps.
# - It matters **which** data: [*300,000 characters from all over the text save more than half*](#3-·-Kept-back) of what all of it saves; [*without the test text's own play pieces save less*](#3-·-Kept-back).
# - ‘The longer the better’ fails on little data: [*every seed is worse on the test text than equal odds*](#1-·-More-data). There [*twice the data saves more*](#4-·-Data,-parameters-or-steps?).
# - Where a law made the data, intervals kept their word: [*of 100, 84 to 98 hold*](#The-floor-and-the-interval). Whether a law goes on they do not know: [*the VAE with 9,000 digits is worse than predicted*](#3-·-Kept-back).
# - [*The seconds predicted before are those measured, within a factor of 2*](#Exercise:-the-bill-before).

# %% tags=["nbval-ignore-output"]
progress("13_how_much_data")

# %% [markdown]
# **Open questions.** Where is the floor of Shakespeare? What makes text near the test's worth more than other text: words, names or speakers? Which exponent would a better model have: Hestness et al. find that architectures move the line, not its slope.
#
# **References.** Hestness et al. 2017, *Deep learning scaling is predictable, empirically*: sections 2 to 4. Kaplan et al. 2020, *Scaling laws for neural language models*: sections 1 and 6. Hoffmann et al. 2022, *Training compute-optimal large language models*: section 3 and appendix D. Efron and Tibshirani 1993, *An introduction to the bootstrap*: chapters 6 and 13. Brown et al. 2020, *Language models are few-shot learners*.
