# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16b · The picture of a meaning
#
# **How does a machine tell whether a picture and a sentence belong together, and can a picture be made from that alone?**
#
# CLIP (Radford et al. 2021) never draws and never describes. It turns pictures and sentences into vectors of one space and is asked one thing: whose is whose? We train a small one, find out what its cosine measures, where it is blind, and how to fool it. Then, as in DALL·E 2, we draw pictures from nothing but its vectors.
#
# Below, six captions and six pictures. The last two captions share all their words.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch16b_picture_of_a_meaning import figures as pictures
from course_lib.classroom.figures import show
from course_lib.datasets.captions import encode, parse
from course_lib.datasets.scene_images import draw, load_scenes
from course_lib.diffusion.contrastive import image_features, text_features
from course_lib.pretrained.clip import load_clip
from course_lib.training.runtime import runtime

device = runtime().device
clip = load_clip().to(device)
seed = lambda number: torch.Generator().manual_seed(number)  # on the CPU: the same draws on every device
wishes = ("a big yellow 3", "a small cyan zero in the top left corner", "a large magenta five",
          "a small green four left of a large red six", "a large red two above a large blue six",
          "a large blue two above a large red six")
six = torch.stack([draw(parse(wish), seed(number), "test") for number, wish in enumerate(wishes)])
near = (image_features(clip, six) @ text_features(clip, encode(wishes)).T).cpu()  # (pictures, captions)
show(pictures.wall(six, wishes, near.T, "Each caption is nearest to its own picture, same words or not"),
     alt="Six pictures of coloured digits above a table of their cosines with six captions; the largest "
         "cosine of each row is framed.")

# %% [markdown]
# Afterwards you can
#
# - write the contrastive loss, and say what its best score is;
# - say what a loss shows about mutual information, and what no batch can show;
# - tell what a cosine of vectors sees from what it does not, and fool it;
# - draw from a sentence in two steps, and measure which of them loses what.
#
# **Needs** chapters 01, 15 and 16; no later chapter needs it. **Time** 45 minutes to read, 30 for the exercises; the cells run in about 50 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x$ | a picture, pixels in −1 … 1 | (n, 3, 32, 32) |
# | $y$ | its caption, as numbers of words | (n, 20) |
# | $n$ | pairs in a batch | |
# | $u, v$ | unit vectors of pictures, of captions | (n, 64) |
# | $s$ | scores of pictures and captions | (n, n) |
# | $\tau$ | the temperature | |
# | $p$ | a probability | |

# %% tags=["nbval-ignore-output"]
import math
from functools import partial

from torch.nn import functional as F

from course_lib.chapters.ch16b_picture_of_a_meaning.explorer import WallExplorer
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.captions import DIGITS, WORDS
from course_lib.datasets.exchanged import WAYS, wrong_captions
from course_lib.datasets.scenes import COLOURS
from course_lib.diffusion import contrastive as library
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.latent import Scale
from course_lib.diffusion.unclip import drawn_vectors
from course_lib.evaluation.scenes import describe, right
from course_lib.pretrained.clip import load_unclip
from course_lib.pretrained.judges import load_judge
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.runtime import start
from course_lib.training.trained import Trained

run = start(seed=0, threads=1)
device, f64 = run.device, torch.float64
record, drawing = recorded("clip"), recorded("unclip")
number = lambda value: torch.tensor(value, dtype=f64)
of = lambda of_record, *names: number(of_record.arm(*names[:-1]).each(names[-1]))  # (5,), one a seed
error_of = lambda differences: (differences.std() / math.sqrt(len(differences))).item()  # of their mean

# %% [markdown]
# ## 1 · Whose caption is this?
#
# Chapter 16's data: a picture shows one digit or two, each with a colour, a size and a place; a caption tells some of that in words. Some combinations, as a red seven, are never shown in training: *unseen*. A program finds the things in a picture and measures them.

# %%
scenes = load_scenes(200, seed(5), "test")
described, counts = describe(scenes.images, load_judge())
claim("in the figure above the nearest picture is each caption's own, for six of six",
      near.argmax(0).tolist() == list(range(6)), own=near.diagonal())
claim("of 200 test scenes the program finds all that the caption says in over 180",
      right(described, counts, scenes.asked)["all"].sum() > 180)

# %% [markdown]
# A picture's network is five convolutions and a matrix; a sentence's is chapter 16's reader, which has learned what captions say. (CLIP learns both from nothing, from 400 million pairs; ours would need longer than we have.) Both vectors are divided by their lengths, so that only directions count.

# %% tags=["hide-input"]
show(pictures.two_encoders(),
     alt="Diagram: n pictures go through convolutions, n sentences through a Transformer; both become "
         "unit vectors, whose products over the temperature fill a table whose diagonal is right.")

# %% [markdown]
# The score of picture $i$ and caption $j$ is the cosine over a temperature, $s_{ij} = u_i\cdot v_j/\tau$. In a batch of $n$ pairs each picture is asked which of the $n$ captions is its own: chapter 01's cross-entropy with $n$ classes. Each caption is asked for its picture as well:
#
# $$\text{loss} = \frac1{2n}\sum_{i=1}^n\Big[-\log\frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}}-\log\frac{e^{s_{ii}}}{\sum_j e^{s_{ji}}}\Big].\tag{16b.1}$$
#
# Nobody labelled anything: of each batch the $n$ pairs that were found together are right, the $n^2-n$ others are wrong.
#
# ### Exercise: whose is whose
# *difficulty 2/5 · importance 5/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("clip.contrastive_loss")
def contrastive_loss(images, texts, temperature):
    """Return (16b.1), in nats: the mean surprise of both questions.

    images, texts (n, width): vectors of any length, row i of both belongs together.
    Worked value: cosines 1 on the diagonal and 0 beside it, n = 2, temperature ½: ln(1 + e⁻²).
    """
    # directions alone count; a table of scores; two classifications
    ...

# %%
u, v = (torch.randn(5, 3, dtype=f64, generator=seed(s)) for s in (0, 1))
unit = lambda vector: vector / vector.dot(vector).sqrt()
total = 0
for i in range(5):
    scores = [torch.stack([unit(u[i]) @ unit(v[j]) / 0.5 for j in range(5)]),  # captions for picture i
              torch.stack([unit(u[j]) @ unit(v[i]) / 0.5 for j in range(5)])]  # pictures for caption i
    for candidates in scores:
        total = total - torch.log(candidates[i].exp() / candidates.exp().sum())
found = [of_pairs(u, v, 0.5) for of_pairs in (contrastive_loss, library.contrastive_loss)]
claim("the loop over both questions, your function and the library agree, to 1e-12",
      all(abs(each - total / 10) < 1e-12 for each in found))

# %% [markdown]
# What does the temperature do? Cosines lie between −1 and 1, so at $\tau=1$ even a perfect table among 100 captions is unsure. The derivative says when $\tau$ stops: with $s=\cos/\tau$,
#
# $$\frac{\partial\,\text{loss}}{\partial\log(1/\tau)}=\mathrm E\big[\textstyle\sum_j p_{ij}s_{ij}-s_{ii}\big],\tag{16b.2}$$
#
# $p$ being the softmax, the mean going over all questions: $\tau$ falls while the right scores are above what the softmax expects.

# %%
log_scale = number(math.log(2)).requires_grad_()
(slope,) = torch.autograd.grad(contrastive_loss(u, v, (-log_scale).exp()), log_scale)
s = F.normalize(u, dim=1) @ F.normalize(v, dim=1).T * 2
expected = ((s.softmax(1) * s).sum(1) + (s.softmax(0) * s).sum(0)).mean() / 2 - s.diagonal().mean()
perfect = math.e / (math.e + 99)
claim("autograd gives (16b.2), to 1e-12; at τ = 1 a right cosine 1 beside 99 of 0 gets a share below "
      "0.03", abs(slope - expected) < 1e-12 and perfect < 0.03, share=perfect)

# %% [markdown]
# ## 2 · What the best score is
#
# A score that knows everything: is it a probability that the caption is true? Take a world of three pictures and three captions with known probabilities $p(x,y)$, and a table of nine free scores. Which table loses least, on average over all batches?
#
# In a batch one caption $y$ was drawn with $x$, the others without it. By Bayes' rule the odds that candidate $j$ is $x$'s own are $p(y_j|x)/p(y_j)$. So the best score is (van den Oord, Li and Vinyals 2018)
#
# $$s^*(x,y)=\log\frac{p(x,y)}{p(x)\,p(y)}+\text{constant},\tag{16b.3}$$
#
# the **pointwise mutual information** (PMI): how much more often they come together than by chance. A caption that fits everything scores 0, a rare one that fits scores high. One direction alone would leave a constant for each picture free, the other one for each caption; asked both ways, one constant is left.

# %%
joint = number([[0.20, 0.05, 0.05], [0.02, 0.18, 0.10], [0.08, 0.07, 0.25]])  # p(x, y)
pmi = (joint / (joint.sum(1, keepdim=True) * joint.sum(0))).log()
pairs_ = torch.cartesian_prod(torch.arange(3), torch.arange(3))  # (9, 2)
batches = pairs_[torch.cartesian_prod(*[torch.arange(9)] * 3)]  # (729, 3, 2): all batches of three pairs
rows, columns = batches.unbind(2)
chances = joint[rows, columns].prod(1)
of_batches = lambda table: table[rows[:, :, None], columns[:, None, :]]  # (729, 3, 3) scores
own = torch.arange(3).expand(729, 3)
table = torch.zeros(3, 3, dtype=f64, requires_grad=True)
for _ in range(200):
    each = of_batches(table)
    loss = sum(chances @ F.cross_entropy(t, own, reduction="none").mean(1) for t in (each, each.mT)) / 2
    table = (table - 8 * torch.autograd.grad(loss, table)[0]).detach().requires_grad_()
apart = (table - pmi).detach()
claim("gradient descent on nine scores, over all 729 batches of three, ends at the PMI plus a constant, "
      "within 0.01", apart.max() - apart.min() < 0.01, spread=apart.max() - apart.min())

# %% [markdown]
# What does a loss say about the two variables, then? Whatever the score is, on average over batches of independent pairs (Poole et al. 2019),
#
# $$\log n-\text{loss}\;\le\;\mathrm E\,\log\frac{p(x,y)}{p(x)\,p(y)} .\tag{16b.4}$$
#
# The right side is the **mutual information** of picture and caption: chapter 01's KL between the pairs as they come and pairs put together by chance. A score that knows nothing gives 0; and as no loss is below 0, none gives more than $\log n$.
#
# ### Exercise: the bound
# *difficulty 2/5 · importance 4/5 · 5 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("clip.information_bound")
def information_bound(scores):
    """Return the left side of (16b.4), in nats, of one batch: rows ask for their own columns.

    scores (n, n): row i and column i of the same pair.
    Worked value: all scores equal, any n: 0.
    """
    # what is left of what knowing nothing would lose
    ...

# %% [markdown]
# **Guess:** 64 pictures, each with one caption that is its alone and as likely as any: they share $\log 64=4.16$ nats. The score is right and as sure as can be. What does the bound say in batches of 8: 4.16 nats, about 2, or about 0.5? (A pair may come twice in a batch.)

# %% tags=["nbval-ignore-output"]
guess("cap", ...)

# %%
sizes = (2, 8, 32, 128, 512)
sure = torch.where(torch.eye(64, dtype=torch.bool), 50.0, 0.0).double()

def mean_bound(n, batches=200):
    """Return (16b.4) over batches of n pairs from 64 equally likely ones, with its standard error."""
    drawn = torch.randint(64, (batches, n), generator=seed(n))
    each = torch.stack([information_bound(sure[which][:, which]) for which in drawn])
    return each.mean().item(), error_of(each)

by_size = {n: mean_bound(n, 200 if n < 512 else 20) for n in sizes}
each = torch.stack([information_bound(batch) for batch in of_batches(pmi)])
shown, information = (chances @ each).item(), (joint * pmi).sum().item()
missing = math.log(64) - by_size[512][0]
claim("in batches of 8 the bound is about 2 nats; in batches of 512 it is within 0.2 of the 4.16 that "
      "there are, and not above, by five standard errors", by_size[8][0] > 1.8 and missing < 0.2
      and missing > -5 * by_size[512][1], guessed="cap", **{f"n_{n}": by_size[n][0] for n in sizes})
claim("the world of three: over all batches of three the PMI's bound is below the information",
      0 < shown < information, bound=shown, information=information)

# %% tags=["hide-input"]
show(pictures.capped(sizes, {"64 sure pairs": number([by_size[n][0] for n in sizes])}, math.log(64),
                     "A batch of n pairs shows at most ln n nats, and few pairs show little"),
     alt="Bound on the information against the number of pairs, 2 to 512, for 64 equally likely pairs "
         "and a score that is sure: it rises below the dashed line ln n and comes near to 4.16 nats.")

# %% [markdown]
# So a loss near 0 in a small batch is no proof of understanding: with two candidates 0.69 nats suffice, and the colour alone may do. CLIP's batches of 32,768 can show 10.4 nats.
#
# ## 3 · A judge of scenes
#
# Of the scenes we know the truth, nearly: a true caption has a PMI of about $-\log$ of the share of all scenes that it is true of, a false one $-\infty$. (What a caption leaves out tells a little about strokes, which this neglects.) An *oracle* who sees all scores with this number.
#
# A batch has 64 pictures. Besides their own captions it is offered 64 more (section 4 says why): a picture is asked among 128 captions, a caption among 64 pictures. Here are 150 steps with a seed that the record does not have. The shipped judge had 700.

# %% tags=["nbval-ignore-output"]
run.expect("contrastive training, 3,000 steps", minutes=3)
steps = run.pick(quick=record.arm("hard").values["steps"], full=3_000)
data = load_scenes(record.values["scenes"], seed(17))
wrong = encode(wrong_captions(data.asked, seed(67)))
torch.manual_seed(17)
ours = library.Clip(len(WORDS), text=load_clip().text).to(device)  # the reader, which stays as it is
optimizers = library.contrastive_optimizers(ours)
trained = Trained({"clip": ours}, optimizers, seed(17))
history = fit(library.contrastive_step(ours, optimizers.values()),
              library.draw_matched(data.images.to(device), data.tokens, 64, wrong), steps, trained,
              schedule=partial(warmup_then_linear, warmup=0.05), every=50, progress=False)

def own_among_100(judge, scenes):
    """Return how often the caption nearest to a picture, of a hundred, is its own."""
    near = (image_features(judge, scenes.images) @ text_features(judge, scenes.tokens).T).cpu()
    blocks = [near[i : i + 100, i : i + 100] for i in range(0, len(near), 100)]
    return torch.stack([block.argmax(1) == torch.arange(100) for block in blocks]).double().mean().item()

# %%
fresh = load_scenes(1_000, seed(6), "test")
live = {"ours": own_among_100(ours, fresh), "shipped": own_among_100(clip, fresh)}
own = {part: of(record, "hard", "retrieval", part, "caption") for part in ("seen", "unseen")}
oracle = {part: record.values["oracle"][part]["caption"] for part in own}
claim("the run of 150 steps picks a picture's own caption out of 100 about as often as five others did, "
      "give or take 10 of 100 in the quick budget", own["seen"].min() - 0.1 < live["ours"]
      < own["seen"].max() + run.pick(quick=0.1, full=1.0), own=record.beside(live["ours"], own["seen"]))
claim("the shipped judge does it in over 75 of 100; chance has 1, and the oracle over 90, for some "
      "captions say the same", live["shipped"] > 0.75 and oracle["seen"] > 0.9, shipped=live["shipped"],
      oracle=oracle["seen"])
claim("unseen combinations are behind seen ones in each of five trainings",
      (own["seen"] > own["unseen"]).all(), **own, oracle_unseen=oracle["unseen"])

# %%
truth = record.values["oracle"]["information"]
judged = torch.stack([of(record, "hard", "bound", str(n)) for n in sizes], 1)  # (5, sizes)
known = number([record.values["oracle"]["bound"][str(n)] for n in sizes])
claim("of over 8 nats the oracle shows over 3.4 in batches of 32, which is near the limit of 3.47, and "
      "over 6 in one batch of 512; each of five judges less than 3.6 in that", truth > 8
      and known[2] > 3.4 and known[4] > 6 and judged[:, 4].max() < 3.6, information=truth, oracle=known,
      judges=judged[:, 4])

# %% tags=["hide-input"]
show(pictures.capped(sizes, {"the oracle": known, "150 steps,\nfive seeds": judged}, truth,
                     "In small batches even the oracle can show only ln n"),
     alt="Bounds against the number of pairs in a batch: the oracle follows the line ln n and bends "
         "below it in the one batch of 512, five judges stay below; a dotted line is the information.")

# %% [markdown]
# ## 4 · The same words
#
# 'A red seven and a blue two' and 'a blue seven and a red two' have the same words. In a batch there is hardly ever a caption with the same words, so little asks for what belongs to what: many judges are close to bags of words (Yuksekgonul et al. 2023). *Hard negatives* ask: of the 64 further captions about half are the pictures' own, with colours, sizes, digits or places exchanged (else another scene's). The control is offered 64 captions of other scenes. A third arm has hard negatives, but its text encoder begins from nothing. Pictures and steps are the same, and one reader serves all.
#
# **Guess** for the three, after 150 steps: how often is the right caption nearer than the exchanged one, on average over the four ways? Chance has a half.

# %% tags=["nbval-ignore-output"]
guess("exchanged", ...)

# %%
mean_of = lambda arm: torch.stack([of(record, arm, "exchanged", what) for what in WAYS]).mean(0)  # (5,)
hard, random, no_reader = (mean_of(arm) for arm in ("hard", "random", "no reader"))
by_way = {what: of(record, "hard", "exchanged", what) for what in WAYS}
three = torch.stack([by_way[what] for what in ("colour", "size", "place")])
claim("with a reader and hard negatives the right caption is nearer in over 90 of 100 where colours, "
      "sizes or places are exchanged, where digits are in 60 to 70, in each of five trainings",
      three.min() > 0.9 and by_way["digit"].min() > 0.6 and by_way["digit"].max() < 0.7,
      guessed="exchanged",
      hard=hard, random=random, no_reader=no_reader)
claim("five paired differences of hard and random negatives are below 1 of 100 each",
      (hard - random).abs().max() < 0.01, gain=(hard - random).mean(), error=error_of(hard - random))
weak = of(record, "no reader", "retrieval", "seen", "caption")
claim("without a reader the choice is at chance, within 5 of 100; but this judge finds a picture's own "
      "caption out of 100 in fewer than 35, too",
      (no_reader - 0.5).abs().max() < 0.05 and weak.max() < 0.35, own=weak)

# %% tags=["hide-input"]
arms = {"hard": "reader, hard negatives", "random": "reader, random ones",
        "no reader": "no reader, hard ones"}
show(pictures.exchanged_words(record, arms, "With a reader, hard negatives add little in 150 steps"),
     alt="Share of pictures nearer to their caption than to the same words exchanged, for colours, "
         "sizes, digits and places: five trainings each with a reader, and at chance without.")

# %% [markdown]
# The reader's vectors say already what belongs to what, and a matrix can use that from the first step; so hard negatives have little left to teach. What they would do for an encoder that cannot read, 150 steps do not tell: it has learned too little of anything.
#
# ## 5 · Classes from sentences
#
# Nobody told the judge which classes there are. To classify, write a sentence for each class and take the nearest: *zero-shot*. Ten sentences, 'a zero' … 'a nine', against pictures of one digit:

# %%
digit_vectors = text_features(clip, encode([f"a {digit}" for digit in DIGITS]))  # (10, 64)

def named(part):
    """Return how often the nearest of ten sentences names the digit of a test picture that has one."""
    scenes = load_scenes(900, seed(8), "test", part)
    one = scenes.shown[:, 4] < 0
    said = (image_features(clip, scenes.images[one]) @ digit_vectors.T).argmax(1).cpu()
    return (said == scenes.shown[one, 0]).double().mean().item()

zero = {part: named(part) for part in ("seen", "unseen")}
soon = of(record, "hard", "zero-shot", "seen", "digit")
both = {part: record.arm("shipped", "zero-shot", part).each("both")[0] for part in zero}
claim("after 700 steps the nearest of ten sentences names the digit of over half the test pictures, "
      "after 150 of fewer than 3 in 10, in each of five trainings; chance has a tenth",
      zero["seen"] > 0.5 and soon.max() < 0.3, shipped=zero["seen"], after_150=soon)
claim("in colours that training never showed them in, fewer than 2 in 10 digits are named by these ten; "
      "but of sixty that tell the colour, 'a red seven', the right one is nearest in over 4 in 10",
      zero["unseen"] < 0.2 and both["unseen"] > 0.4, unseen=zero["unseen"], of_sixty=both)

# %% [markdown]
# Digits come late: colours, sizes and places alone tell many of 64 pictures apart, and the training is short. And an unseen digit is in the picture's vector, or the sixty sentences would not find it. It is 'a seven' that does not fit: what the judge measures is what comes *together*, and in training red never came with seven.
#
# ## 6 · Fooling it
#
# The judge is a differentiable function of the pixels. So go up: change each pixel a little in the direction that raises the cosine with a caption (Goodfellow, Shlens and Szegedy 2015).
#
# ### Exercise: one step up
# *difficulty 3/5 · importance 4/5 · 10 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("clip.climb")
def climb(score, pixels, start, step, limit):
    """Return pixels after one step up the score, all in −1 … 1, none further than limit from start.

    score(pixels) gives one number for each picture (n,); pixels, start (n, …). Each pixel moves by step,
    whatever its slope.
    Worked value: score the sum of the pixels, pixels = start = 0.5, step 0.4, limit 0.2 give 0.7.
    """
    # the slope by autograd, then what may be changed, then what a picture may hold; without a graph
    ...

# %% [markdown]
# Begin with black pictures and let no pixel leave black by more than a tenth of the range. **Guess** the mean cosine with their captions after twenty steps; real pictures have 0.74. Such dark pictures the program cannot see at all, so make them ten times brighter afterwards. In how many of 60 does it then find what the caption says?

# %% tags=["nbval-ignore-output"]
guess("fooled", ...)

# %%
told = load_scenes(60, seed(9), "test", say=1.0)
words = text_features(clip, told.tokens)
score = lambda pixels: (clip.embed_images(pixels) * words).sum(1)
real = library.as_pixels(told.images).to(device)
black = -torch.ones_like(real)
made = black
for _ in range(20):
    made = climb(score, made, black, step=0.025, limit=0.2)
brighter = (10 * (made + 1) - 1).clamp(-1, 1)
cosines = {"real": score(real), "climbed": score(made), "real, dimmed": score((real + 1) / 10 - 1)}
finds = {name: right(*describe(x, load_judge()), told.asked)["all"].sum().item()
         for name, x in (("real", real), ("brighter", brighter))}

# %%
means = {name: each.mean().item() for name, each in cosines.items()}
claim("60 climbed pictures are on average at least as near to their captions as real ones, and real "
      "ones as dark are far: below 0.3", means["climbed"] >= means["real"]
      and means["real, dimmed"] < 0.3,
      guessed="fooled", **means)
claim("ten times brighter, none of the 60 shows the program what its caption says; over 50 real ones do",
      finds["brighter"] == 0 and finds["real"] > 50, **finds)
fooled = {key: of(record, "hard", "fooling", "black", key) for key in ("after", "noise")}
own_cosine = of(record, "hard", "fooling", "own")
claim("in each of five trainings of 150 steps climbed black pictures have a higher mean cosine than "
      "real ones; with signs drawn by chance it stays within 0.1 of 0",
      (fooled["after"] > own_cosine).all()
      and (fooled["noise"].abs() < 0.1).all(), own=own_cosine, **fooled)
climbed = {key: of(record, "hard", "fooling", "scene", key)
           for key in ("before", "after", "other before", "other after")}
share = (climbed["other after"] - climbed["other before"]) / (climbed["after"] - climbed["before"])
claim("where other scenes' pictures climbed for one judge, the next seed's cosine rises by a tenth to "
      "three tenths as much, in five pairs", ((share > 0.1) & (share < 0.3)).all(), share=share)

# %% tags=["hide-input"]
tell = {name: [f"cosine {value:.2f}" for value in cosines[name][:8].tolist()]
        for name in ("real", "climbed")}
rows = {"real": told.images[:8], "climbed": made[:8].cpu(), "10 × brighter": brighter[:8].cpu()}
show(pictures.strip(rows, "Nearly black pictures, as near to their captions as real ones", tell),
     alt="Three rows of eight pictures: real scenes with their cosines, black pictures that climbed to "
         "cosines as high, and the same ten times as bright: coloured noise with hardly a stroke.")

# %% [markdown]
# The cosine says what usually comes together. Moves by chance leave it near 0, but nothing holds it against a search. So the course reports what a program measures (its digits are named by a network, too, but no picture was chosen by it), and uses a judge of this kind to choose at most.
#
# ### Question: which rate
# *difficulty 2/5 · importance 5/5 · 5 minutes*
#
# A drawer is improved: it now draws eight pictures and keeps the one whose cosine with the caption is largest. Old and new are compared by the mean cosine, by the share that the program finds all right, and by the cosine of a second judge, trained with another seed. Which says best whether the new one draws better: `cosine`, `program`, `both` (the mean of these two), or `other judge`?

# %% tags=["nbval-ignore-output"]
answer("clip.which_rate", ...)

# %% [markdown]
# ## 7 · DALL·E 2: a picture from a meaning
#
# Ramesh et al. (2022) turned the judge round. A **prior** draws a picture's vector, given the sentence's; a **decoder** draws the picture, given its vector. Both are flows (chapter 15), trained apart, with a tenth of what they are told left out. The decoder is chapter 15's U-Net, told the vector where it was told a class, and once more as a small map, place by place; it is guided with weight 3. The prior is a small network for 64 numbers, scaled to the width of noise. To stay within our budget both know pictures of *one* digit only; one judge, the shipped one, serves all five trainings.
#
# Why a prior that *draws*? 'A seven' can be green or blue, here or there. A regression would learn the mean vector of all sevens:

# %%
sevens = [draw(parse(f"a {colour} seven"), seed(i), "test") for i, colour in enumerate(COLOURS[1:] * 12)]
vectors = image_features(clip, torch.stack(sevens))  # of 60 sevens, none red
prior, spread, decoder = load_unclip()
prior, decoder = prior.to(device), decoder.to(device)
spread = Scale(*(each.to(device) for each in spread))
noise_of = lambda *shape, s: torch.randn(*shape, generator=seed(s)).to(device)
a_seven = text_features(clip, encode(["a seven"])).expand(60, -1)
drawn = drawn_vectors(prior, spread, noise_of(60, 64, s=1), a_seven)
one = F.normalize(vectors.mean(0), dim=0).expand(60, -1)
by_flow = lambda told, noise: sample(decoder, noise, told, weight=3.0, steps=8).clamp(-1, 1).cpu()
colours = {name: describe(by_flow(told, noise_of(60, 3, 32, 32, s=2)), load_judge())[0][:, 1]
           for name, told in (("drawn", drawn), ("mean", one))}
coloured = {name: (each >= 0).sum().item() for name, each in colours.items()}
claim("the mean vector of 60 sevens is shorter than 0.8; of 60 pictures drawn from it fewer than 10 are "
      "of one colour, of 60 from vectors of the prior over 45", vectors.mean(0).norm() < 0.8
      and coloured["mean"] < 10 and coloured["drawn"] > 45, length=vectors.mean(0).norm(), **coloured)

# %% [markdown]
# The decoder can be told five things: the true picture's vector; one that the prior drew; the mean of a regression with the prior's network (not averaged over its steps), made as long as a vector is; that mean as short as it comes; or the sentence's own vector. **Guess** first for captions that tell all: which are most often drawn all right, and what is wrong in the others? Each is asked 100 captions of seen and of unseen scenes.

# %% tags=["nbval-ignore-output"]
guess("arms", ...)

# %%
arms = {"own": "the picture's own vector", "prior": "drawn by the prior",
        "mean": "the mean, at full length", "short mean": "the mean, as it comes",
        "sentence": "the sentence's vector"}
shown = lambda arm, key="all", part="seen": of(drawing, part, arm, key)
for arm, name in arms.items():
    print(f"{name:>26}:", *(f"{part} {shown(arm, part=part).mean():.2f}" for part in ("seen", "unseen")))
both = lambda key: torch.cat([shown("own", key), shown("prior", key)])  # (10,)
right_in = {key: both(key) for key in ("digit", "colour", "place")}
claim("told the picture's own vector or a drawn one, colour and place are right in over 90 of 100, the "
      "digit in fewer than 65", right_in["colour"].min() > 0.9 and right_in["place"].min() > 0.9
      and right_in["digit"].max() < 0.65, guessed="arms", **right_in)
helped, ahead = shown("prior") - shown("sentence"), shown("mean") - shown("prior")
claim("full captions: more pictures of the prior's vectors are all right than of the sentences' own, in "
      "each of five pairs, and of the mean more than of the prior's, by over three standard errors",
      (helped > 0).all() and ahead.mean() > 3 * error_of(ahead), helped=helped, ahead=ahead)

# %%
left_open = {arm: of(drawing, "open pictures", arm, "all") for arm in ("prior", "mean")}
claim("'a seven' and its like, ten of each digit: the prior's pictures are right more often than the "
      "mean's, in each of five pairs", (left_open["prior"] > left_open["mean"]).all(), **left_open)

# %% tags=["hide-input"]
show(pictures.all_right(drawing, arms, "For captions that tell all, the mean does well"),
     alt="Share of drawn pictures that show all that was asked, five trainings, for five things that "
         "the decoder is told, on seen and on unseen combinations.")

# %% [markdown]
# So where a caption tells all, the mean serves; where it leaves things open, the mean mixes what should be chosen among: a seven of no colour. Why it even beats the picture's own vector was not looked into. The digit is what is lost, already from the picture's own vector; whether by judge or decoder this does not tell apart.
#
# What a vector does not keep, the decoder draws anew each time: *variations* of a picture (DALL·E 2 keeps the picture's noise as well). And between two vectors there are others, on the arc from one to the other.

# %%
singles = ("a big yellow 3", "a small cyan four in the top left corner", "a large magenta six",
           "a large green five", "a small red zero in the bottom right corner", "a seven", "a blue 0")
asked = text_features(clip, encode(singles))
real = torch.stack([draw(parse(wish), seed(number), "test") for number, wish in enumerate(singles)])
vectors = image_features(clip, real)
rows = {"scenes": real, "own vector": by_flow(vectors, noise_of(7, 3, 32, 32, s=3))}
for name, s in (("prior, once", 4), ("and again", 5)):
    told = drawn_vectors(prior, spread, noise_of(7, 64, s=s), asked)
    rows[name] = by_flow(told, noise_of(7, 3, 32, 32, s=s + 10))
along = torch.linspace(0, 1, 7, device=device)[:, None]
arc = F.normalize((1 - along) * vectors[0] + along * vectors[2], dim=1)
rows["variations"] = by_flow(vectors[1:2].expand(7, -1), noise_of(7, 3, 32, 32, s=20))
rows["on the arc"] = by_flow(arc, noise_of(1, 3, 32, 32, s=21).expand(7, -1, -1, -1))

# %% tags=["hide-input"]
show(pictures.strip(rows, "Colours and places come through the vector, digits often do not"),
     alt="Six rows of seven pictures: scenes of one digit; drawn from their own vectors; from two "
         "vectors each that the prior drew for their captions; one vector seven times; seven on an arc.")

# %% [markdown]
# ## 8 · Your own caption
#
# A wall of 32 test pictures and two captions, A and B. First decide: is 'a two' nearer to a red two or to a two beside another digit? Then type your own, from chapter 16's words; what cannot be read is said. Exchange two colours, ask for what is not there, leave out the digit's colour.

# %% tags=["nbval-ignore-output"]
WallExplorer(clip, load_scenes(32, seed(12), "test"),
             alt="Thirty-two pictures of coloured digits, each over its cosines with the captions "
                 "'a red two' and 'a two'; the five nearest to each are marked.")

# %% [markdown]
# ## What stays
#
# - The best score is the pointwise mutual information: nine free scores end [*at the PMI plus a constant*](#2-·-What-the-best-score-is).
# - A batch of $n$ pairs shows at most $\log n$: [*of over 8 nats the oracle shows over 3.4 in batches of 32*](#3-·-A-judge-of-scenes).
# - Words have to be bound: [*with a reader and hard negatives the right caption is nearer*](#4-·-The-same-words) than the same words exchanged, digits least; hard and random negatives [*are below 1 of 100*](#4-·-The-same-words) apart.
# - A judge can be fooled: [*60 climbed pictures are on average at least as near to their captions as real ones*](#Exercise:-one-step-up), and made visible [*none of the 60 shows the program what its caption says*](#Exercise:-one-step-up).
# - A prior chooses among what is open: for 'a seven' [*the prior's pictures are right more often than the mean's*](#7-·-DALL·E-2:-a-picture-from-a-meaning); where all is told, [*of the mean more than of the prior's*](#7-·-DALL·E-2:-a-picture-from-a-meaning).

# %% tags=["nbval-ignore-output"]
progress("16b_picture_of_a_meaning")

# %% [markdown]
# **Open questions.** Would hard negatives teach an encoder to read, given time? Could a judge learn from pictures that climbed? Why does the mean vector draw better digits than a picture's own?
#
# **References.** Radford et al. 2021, *Learning transferable visual models from natural language supervision*: figure 3, the loss; section 3.1, zero-shot. van den Oord, Li and Vinyals 2018, *Representation learning with contrastive predictive coding*: section 2.3, (16b.3); the loss. Poole et al. 2019, *On variational bounds of mutual information*: section 2.3, (16b.4). Yuksekgonul et al. 2023, *When and why vision-language models behave like bags-of-words*: section 4, hard negatives. Zhai et al. 2022, *LiT*: a fixed encoder. Goodfellow, Shlens and Szegedy 2015, *Explaining and harnessing adversarial examples*: section 4; Madry et al. 2018: many steps within a limit. Ramesh et al. 2022, *Hierarchical text-conditional image generation with CLIP latents*: section 2, both steps; section 3, variations.
