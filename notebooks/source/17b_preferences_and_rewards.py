# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 17b · Preferences and rewards
#
# **What do preferences and rewards add to a model that answers, and what do they break?**
#
# Chapter 17's tuned model is right in some of its draws and wrong in others. Here we try to make its right answers likelier: from pairs of answers of which one is preferred, and from a number that a program gives each answer. Both start from one objective, whose optimum we derive. Then we look at what was bought, what the cheap rivals buy, and what a training finds that is paid by the wrong thing.
#
# Below, four picked questions, each put eight times to the tuned model and to one that rewards have trained. They are too few to compare by; section 8 asks more.

# %% tags=["hide-input"]
import torch

from course_lib.chapters.ch17b_preferences_and_rewards import figures as pictures
from course_lib.chapters.ch17b_preferences_and_rewards.experiment import draw_groups
from course_lib.chat.questions import questions
from course_lib.classroom.figures import show
from course_lib.pretrained.chat import load_chat_model, load_chat_template
from course_lib.training.runtime import runtime

device, template = runtime().device, load_chat_template()
tuned, rewarded = (load_chat_model(stage).to(device) for stage in ("tuned", "rewarded"))
seed = lambda number: torch.Generator().manual_seed(number)  # on the CPU: the same draws on every device
four = questions("test", 4, seed=4, families=("define", "spell", "arithmetic", "python"))
show(pictures.eight_draws({name: draw_groups(model, template, four, 8, seed(0))
                           for name, model in (("tuned", tuned), ("trained by rewards", rewarded))}),
     alt="Two tables of four questions and eight drawn answers each, by the tuned model and by the one "
         "that rewards trained; a tick marks each answer that the program takes, a cross each other.")

# %% [markdown]
# Afterwards you can
#
# - say what choosing among drawn answers can give at most, and estimate it without bias;
# - derive DPO from a price on moving away, and say what it leaves open;
# - derive a policy gradient, and choose a baseline for it;
# - tell from curves what a training by rewards has found.
#
# **Needs** chapters 01, 06 and 17; no later chapter needs it. **Time** 45 minutes to read, 40 for the exercises; the cells run in about 45 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, y$ | a question; an answer, all its tokens | |
# | $p, q$ | the model before; the one that learns | |
# | $r_i$ | reward of an answer, or $r(x, y)$ | |
# | $\beta$ | price of moving: weight of a KL | |
# | $n, k$ | answers drawn, chosen from | |
# | $A$ | advantage: reward less baseline | (questions, n) |
#
# Papers call $q$ the policy, $\pi_\theta$, and $p$ the reference, $\pi_{\text{ref}}$.

# %% tags=["nbval-ignore-output"]
import copy
import itertools
import math
from functools import partial

from torch.nn import functional as F

from course_lib.chapters.ch17b_preferences_and_rewards import experiment, patients
from course_lib.chapters.ch17b_preferences_and_rewards.explorer import TiltExplorer
from course_lib.chapters.ch17b_preferences_and_rewards.hole import in_order
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.chat import preferences, rewards
from course_lib.chat.likelihood import token_log_probabilities
from course_lib.chat.questions import FAMILIES, ask
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.runtime import start
from course_lib.training.trained import Trained

run = start(seed=0, threads=1)
device, f64 = run.device, torch.float64
record = recorded("chat_preferences")
number = lambda value: torch.tensor(value, dtype=f64)
of = lambda *names: number(record.arm(*names[:-1]).each(names[-1]))  # (5,), one a seed; or (5, steps)
error_of = lambda differences: differences.std() / math.sqrt(len(differences))  # of their mean
clear = lambda gain: bool(gain.mean() > 3 * error_of(gain))  # of paired differences
within = lambda gain, most: bool(abs(gain.mean()) + 3 * error_of(gain) < most)  # on both sides

# %% [markdown]
# ## 1 · Right in some draws
#
# A draw at temperature 1 is judged by chapter 17's program. **pass@k** is the chance that at least one of $k$ draws is right: who chooses among $k$ answers cannot do better, whatever they choose by. Draw $n\ge k$ answers. Any $k$ of these are as good as $k$ new draws, so
#
# $$\text{pass@}k=\mathrm E\big[\text{share of all choices of }k\text{ of the }n\text{ answers that hold a right one}\big].\tag{17b.1}$$
#
# ### Exercise: one of k
# *difficulty 2/5 · importance 4/5 · 8 minutes*
#
# Write that share. Why is $1-(1-c/n)^k$, with $c$ right ones, another number?

# %% tags=["nbval-ignore-output"]
@exercise("prefer.pass_at_k")
def pass_at_k(right, n, k):
    """Return the estimate of pass@k from n drawn answers of which right are right.

    right: a whole number as a tensor (), 0 to n; n, k: whole numbers, 1 ≤ k ≤ n.
    Worked value: 1 of 2 right and k = 2 give 1.
    """
    # one number, as a tensor
    ...

# %%
chances = [math.comb(8, c) * 0.3**c * 0.7 ** (8 - c) for c in range(9)]  # of c right in 8, each by 0.3
mean_of = lambda estimate: sum(chances[c] * float(estimate(torch.tensor(c))) for c in range(9))
truth, plug_in = 1 - 0.7**4, mean_of(lambda c: 1 - (1 - c / 8) ** 4)
claim("over all counts of eight draws the mean share is pass@4, to 1e-6; 1 − (1 − c/8)⁴, which draws "
      "with putting back, is more than 0.04 too low",
      abs(mean_of(lambda c: pass_at_k(c, 8, 4)) - truth) < 1e-6 and truth - plug_in > 0.04)

# %% [markdown]
# By what can one choose? By the **checker**, if it is there when the question is asked: then any right draw will do, and best of $n$ *is* pass@n. By the model: the **likeliest** of the $n$. By a **vote**: the answer that most draws give. Or not at all: *greedy*, temperature 0.
#
# Some draws are right by luck. A null tells how many: judge, as answers to a question, the draws for *another* of its family.
#
# The record has five tunings of *one* pretrained model, on the same 140 test questions: neither another pretraining nor other questions are in its errors. *Clearly* means: the mean of five paired differences is over three of its standard errors, as chance alone has it about twice in a hundred.

# %%
asked = questions("test", run.pick(quick=60, full=1000), seed=5)
groups = draw_groups(tuned, template, asked, 8, seed(1))
right = torch.stack([group.rewards for group in groups])  # (questions, 8)
luck = experiment.right_by_luck(groups)  # (questions,): one of eight draws for others of its family
few = torch.tensor([each.family in ("count", "weekday") for each in asked])  # these have few answers
own = torch.tensor([float(pass_at_k(count.long(), 8, 8)) for count in right.sum(1)])
claim("60 questions: one of eight draws is right over 0.15 more often than one draw; in count and "
      "weekday over half of that is luck, elsewhere under a fifth", own.mean() > right.mean() + 0.15 and
      luck[few].mean() > own[few].mean() / 2 and luck[~few].mean() < own[~few].mean() / 5,
      one=right.mean(), one_of_8=own.mean(), count_and_weekday=own[few].mean(), luck=luck[few].mean())
one, voted, greedy, likeliest, any_of_8 = (
    of("ladder", "tuned", way) for way in ("right", "vote", "greedy", "likeliest 8", "pass@8"))
claim("five tunings: a vote of eight is right more often than one draw, clearly, greedy than a vote, "
      "clearly, and one of eight than greedy and than the likeliest of eight, clearly",
      all(map(clear, (voted - one, greedy - voted, any_of_8 - greedy, any_of_8 - likeliest))), **{
      way: of("ladder", "tuned", way).mean() for way in ("vote", "greedy", "likeliest 8", "pass@8")})

# %% tags=["hide-input"]
by_luck = {name: luck[[each.family == name for each in asked]].mean().item() for name in FAMILIES}
show(pictures.choosers(record.arm("ladder", "tuned"), (1, 2, 4, 8), by_luck),
     alt="Left, share of questions with a right answer among n draws, 1 to 8, above a vote, the "
         "likeliest of n and the level of greedy decoding. Right, by family, one draw, one of eight, "
         "and one of eight by luck: in count and weekday most of it is luck.")

# %% [markdown]
# So a right answer is often among the draws and not the one that is given. (Not so with weekdays: of eight guesses one is right in $1-(6/7)^8=0.71$.) Can training make a single draw as good as the best of eight?
#
# ## 2 · A reward from choices
#
# For most questions no program can judge: which of two letters is kinder? But people can say which answer they prefer. Bradley and Terry (1952) give each answer a reward, and
#
# $$P(a\succ b)=\frac{e^{r_a}}{e^{r_a}+e^{r_b}}=\sigma(r_a-r_b).\tag{17b.2}$$
#
# ($a\succ b$: $a$ is preferred.) Let $w_{ab}$ count how often that was. The log-likelihood $\sum_{ab}w_{ab}\log\sigma(r_a-r_b)$ has the derivative $\sum_b\big[w_{ab}-(w_{ab}+w_{ba})\,\sigma(r_a-r_b)\big]$ by $r_a$: at its maximum each answer wins as often as the model expects.

# %%
choices = lambda r: torch.sigmoid(r[:, None] - r)  # (n, n): row preferred to column
wins = number([[0, 7, 2, 9], [3, 0, 5, 1], [4, 6, 0, 8], [2, 3, 1, 0]])
expected = lambda r: ((wins + wins.T) * choices(r)).sum(1)
r = torch.zeros(4, dtype=f64)
for _ in range(2000):
    r += 0.05 * (wins.sum(1) - expected(r))  # uphill
claim("fitted to 51 choices among four answers, each answer wins as often as expected, to 1e-8, and the "
      "rewards are the library's", (wins.sum(1) - expected(r)).abs().max() < 1e-8
      and torch.allclose(r - r.mean(), preferences.bradley_terry_rewards(wins), atol=1e-8))
claim("five more for each answer changes no probability", torch.allclose(choices(r + 5), choices(r)))

# %% [markdown]
# So a fit says nothing of where zero is, for only differences count. (And one number for each answer cannot hold tastes that go in a circle.)
#
# InstructGPT (Ouyang et al. 2022) trained a network $r(x,y)$ on people's choices so, then the model on that network's rewards. The next section leaves the network out.
#
# ## 3 · A price of moving
#
# Reward alone asks for one answer, the best, for ever, and for whatever the reward did not think of. So moving away from $p$ gets a price (the question is left out):
#
# $$\max_q\;\mathrm E_q\,r(y)-\beta\,\mathrm{KL}(q\,\|\,p).\tag{17b.3}$$
#
# Let $q^*(y)=p(y)\,e^{r(y)/\beta}/Z$, where $Z$ makes it sum to 1. Then $r=\beta\log(q^*/p)+\beta\log Z$, and
#
# $$\mathrm E_q\,r-\beta\,\mathrm{KL}(q\|p)=\beta\log Z+\beta\,\mathrm E_q\Big[\log\frac{q^*}{p}-\log\frac qp\Big]=\beta\log Z-\beta\,\mathrm{KL}(q\|q^*).\tag{17b.4}$$
#
# The last KL is 0 for $q=q^*$ alone: the **tilted** $q^*$ is the best, and worth $\beta\log Z$.

# %%
p, r, beta = number([0.40, 0.30, 0.15, 0.11, 0.04]), number([0.0, -1.0, 0.5, 1.0, 2.0]), 0.5  # A to E
kl = lambda a, b: (a * (a / b).log()).sum(-1)
worth = lambda q: (q * r).sum(-1) - beta * kl(q, p)  # (17b.3)
Z = (p * (r / beta).exp()).sum()
best = p * (r / beta).exp() / Z
drawn = F.normalize(-torch.rand(1000, 5, dtype=f64, generator=seed(2)).log(), p=1)  # of sum 1
claim("each of 1,000 random q is worth β log Z less β KL(q ‖ q*), to 1e-12",
      (worth(drawn) - beta * Z.log() + beta * kl(drawn, best)).abs().max() < 1e-12)
logits = torch.zeros(5, dtype=f64)
for _ in range(3000):
    logits = logits + torch.func.grad(lambda logits: worth(logits.softmax(0)))(logits)
claim("and uphill on five logits, from equal ones, the end is q*, to 1e-6",
      (logits.softmax(0) - best).abs().max() < 1e-6)
only_e = preferences.tilted(p, number([0, 0, 0, 0, 1]), 0.1)[4]
claim("if r is 1 for E alone, and β = 0.1, q* gives E in over 99 of 100 draws, p in 4", only_e > 0.99)

# %% [markdown]
# Now read it backwards. *Every* model $q$ (above 0 where $p$ is, and only there) is the best one for some reward:
#
# $$r(x,y)=\beta\log\frac{q(y|x)}{p(y|x)}+\beta\log Z(x).\tag{17b.5}$$
#
# $Z$ sums over all answers, which nobody can do. But it is the same for two answers to one question, and (17b.2) sees their difference alone. So
#
# $$P(y^+\succ y^-)=\sigma(m),\qquad m=\beta\Big[\log\frac{q(y^+|x)}{p(y^+|x)}-\log\frac{q(y^-|x)}{p(y^-|x)}\Big].\tag{17b.6}$$
#
# **DPO** (Rafailov et al. 2023) makes these choices likely by training $q$ itself: without a model of rewards, and without a draw while it learns. The derivative of $-\log\sigma(m)$ by $\log q(y^+)$ is $-\beta(1-\sigma(m))$: a settled pair hardly pulls.
#
# ### Exercise: no model of rewards
# *difficulty 3/5 · importance 5/5 · 10 minutes*
#
# Answers are given by the log-probabilities of their tokens. Write the loss.

# %% tags=["nbval-ignore-output"]
@exercise("prefer.dpo_loss")
def dpo_loss(chosen, rejected, reference_chosen, reference_rejected, beta):
    """Return −log σ(m) of (17b.6), a mean over the pairs.

    chosen (pairs, time): log-probability under q of each token of y⁺, 0 behind its end;
    reference_chosen: the same under p. rejected, reference_rejected (pairs, other time): of y⁻.
    Worked value: one pair of one token each, log q/p = 1 for y⁺ and −1 for y⁻, β = ½: 0.3133.
    """
    # an answer's log-probability from its tokens'; then one logistic regression
    ...

# %%
tokens = [-torch.rand(3, 4, dtype=f64, generator=seed(s)).requires_grad_() for s in range(4)]
loss = dpo_loss(*tokens, 0.3)
by_chosen, by_rejected = torch.autograd.grad(loss, tokens[:2])
log_q, log_other, log_p, log_p_other = (each.detach().sum(1) for each in tokens)
margin = 0.3 * (log_q - log_p - (log_other - log_p_other))
pull = 0.3 * (1 - torch.sigmoid(margin)) / 3  # of each of three pairs
claim("autograd gives −β(1 − σ(m)) over the number of pairs for each token of y⁺, and its opposite for "
      "y⁻, to 1e-12", torch.allclose(by_chosen, -pull[:, None].expand(3, 4), rtol=1e-12)
      and torch.allclose(by_rejected, pull[:, None].expand(3, 4), rtol=1e-12))
claim("your loss is that of the library, to 1e-12",
      abs(loss - preferences.dpo_terms(log_q, log_other, log_p, log_p_other, 0.3)["loss"]) < 1e-12)

# %% [markdown]
# ## 4 · Where the optimum is known
#
# The five answers again. If every pair is judged, as often as (17b.2) says, the loss is a sum over 20 ordered pairs; it knows no reward but through choices.
#
# And if one pair alone is judged: D preferred to A, always? Once five free logits learn. Once a single number $\theta$ does: the logits are $\log p+\phi\,\theta$ with $\phi=-1$ for A, 0 for B and D, 1 for C, 2 for E. **Guess** what becomes of $q(\mathrm D)$ in both.

# %% tags=["nbval-ignore-output"]
guess("free", ...)
guess("one_number", ...)

# %%
a, b = torch.tensor(list(itertools.permutations(range(5), 2))).T
how_often = torch.sigmoid(r[a] - r[b])


def expected_loss(theta):
    """Return DPO's loss over all pairs, for logits log p + θ."""
    margins = beta * ((p.log() + theta).log_softmax(0) - p.log())  # β log q/p of each answer
    return -(how_often * F.logsigmoid(margins[a] - margins[b])).sum()


theta = torch.zeros(5, dtype=f64)
for _ in range(4000):
    theta = theta - 0.2 * torch.func.grad(expected_loss)(theta)
found, elsewhere = (p.log() + theta).softmax(0), (p.log() + r / (2 * beta)).softmax(0)
claim("all pairs: downhill on DPO's expected loss free logits end at the q* of section 3, to 1e-6, and "
      "not at that of twice the price, over 0.1 away: the loss sees β",
      (found - best).abs().max() < 1e-6 and (found - elsewhere).abs().max() > 0.1)

# %%
def one_pair(features, steps=4000, rate=0.3):
    """Return log q of all five (steps, 5); logits are log p + features θ, and D is preferred to A."""
    theta, path, of_p = torch.zeros(features.shape[1], dtype=f64, requires_grad=True), [], p.log()
    for _ in range(steps):
        log_q = (of_p + features @ theta).log_softmax(0)
        path.append(log_q.detach())
        loss = dpo_loss(log_q[3:4, None], log_q[:1, None], of_p[3:4, None], of_p[:1, None], beta)
        theta = (theta - rate * torch.autograd.grad(loss, theta)[0]).detach().requires_grad_()
    return torch.stack(path)

one_number = lambda *features: one_pair(number(features)[:, None])
free, tied = one_pair(torch.eye(5, dtype=f64)), one_number(-1, 0, 1, 0, 2)
alone = one_number(-1, 0, 0, 0, 0)  # nobody lies further along than D

# %%
ends = {name: path[-1].exp() for name, path in (("free", free), ("tied", tied), ("alone", alone))}
margins = [path[:, 3] - path[:, 0] for path in (free, tied)]
claim("one pair: the margin grows to the end, past that of q*; free logits end with D above 0.98",
      all((each.diff() > 0).all() and each[-1] > (best[3] / best[0]).log() for each in margins)
      and ends["free"][3] > 0.98, guessed="free", free=ends["free"][3])
claim("with one number D ends below a tenth of where it began, and E, of which nobody said a word, "
      "above 0.99; with E's and C's φ at 0 D rises", ends["tied"][3] < p[3] / 10
      and ends["tied"][4] > 0.99 and ends["alone"][3] > p[3], guessed="one_number",
      one_number=ends["tied"][3])

# %% tags=["hide-input"]
show(pictures.toy(p, best, found, {"One pair, free logits: D rises": free,
                                      "One pair, one number: D falls": tied}),
     alt="Left, five answers before, after DPO on all pairs, and the known optimum, which it meets. "
         "Middle and right, one pair alone: with free logits the chosen answer rises, with one number "
         "chosen and rejected both fall and a third answer takes all.")

# %% [markdown]
# β is no brake here: it scales a margin that goes to infinity, as the other choice was never seen. And the loss sees a difference only; it does not say where the probability goes that leaves A. Here it goes to the answer that lies furthest along $\phi_{\mathrm D}-\phi_{\mathrm A}$. (φ was made to show it; section 5 looks at what a Transformer does.)
#
# The explorer: what reward does a price buy, and what does best of $n$, not trained at all, for as many nats?

# %% tags=["nbval-ignore-output"]
TiltExplorer(alt="Left, five answers before, tilted by their rewards, and as best of four. Right, mean "
                 "reward against KL: a line for every price, with best of four close below it.")

# %% [markdown]
# ## 5 · DPO on the model
#
# Now for the model. 2,000 questions of the training part, eight draws each, judged by the program: a right and a wrong draw of one question are a pair, up to two a question, some 2,300 in all. β = 0.1, and 140 steps of 16 pairs at Adam's rate $10^{-4}$. (Some chat models are made so, with people in the program's place.) Rates and numbers of steps, here and below, were tried on validation questions with the first of the five seeds (but not how many batches section 6 takes).
#
# Here are the first 8 of 32 steps on pairs from 60 questions.

# %% tags=["nbval-ignore-output"]
run.expect("DPO on 4,000 questions", minutes=3)
pool = questions("train", run.pick(quick=60, full=4000), seed=11)
pairs = experiment.preference_pairs(draw_groups(tuned, template, pool, 8, seed(11)), seed(12))
learner, settings = copy.deepcopy(tuned).requires_grad_(), record.arm("preferences").values
adam = torch.optim.Adam(learner.parameters(), settings["rate"])
trained = Trained({"model": learner}, {"adam": adam}, seed(11))
step = preferences.dpo_step(learner, tuned, [adam], settings["beta"])
schedule = partial(warmup_then_linear, warmup=0.2, decay=0.3)
history = fit(step, experiment.draw_pairs(pairs, settings["pairs"], template.end, device),
              run.pick(quick=32, full=200), trained, schedule=schedule,
              until=run.pick(quick=8, full=None), every=4, progress=False)

# %%
claim("after 8 steps of this run the mean margin of the last four batches is above 0",
      history.curve("margin").values[-1] > 0, margins=history.curve("margin").values)
good, bad = (of("preferences", f"{side}_reward")[:, -2:].mean(1) for side in ("chosen", "rejected"))
claim("five runs: at their end the chosen answers have lost log-probability, the rejected over five "
      "times as much", (good < 0).all() and (bad < 5 * good).all(), chosen=good, rejected=bad)
before, after = (lambda key: of("ladder", "tuned", key)), (lambda key: of("ladder", "preferred", key))
moved = {part: of("preferences", "moved", part) for part in ("right", "wrong", "not drawn")}
claim("in probability, over training questions with right and wrong draws, the wrong draws lose, "
      "clearly; the right ones win in some of the runs and lose in others", clear(-moved["wrong"])
      and moved["right"].min() < 0 < moved["right"].max(), **moved)
gain = {way: after(way) - before(way) for way in ("right", "greedy", "pass@8")}
earned = [family for family in FAMILIES if family not in ("count", "weekday")]
without = lambda stage: torch.stack([of("ladder", stage, each, "pass@8") for each in earned]).mean(0)
claim("on test questions after DPO one draw is right less often, clearly, and so are greedy decoding "
      "and one of eight; without count and weekday one of eight, too", all(clear(-each) for each in
      (*gain.values(), without("preferred") - without("tuned"))), **gain)

# %% tags=["hide-input"]
show(pictures.trainings(record.arm("preferences"), history,
                        {"The margins grow": ["margin"],
                         "In logs it is the rejected that move": ["chosen_reward", "rejected_reward"]},
                        ["mean margin m", "β log q/p: chosen —, rejected – –"]),
     alt="Margins, and β log q/p of chosen and rejected answers, against steps, for five recorded runs "
         "and the first steps of this one: the margins rise, as the rejected answers fall.")

# %% [markdown]
# In logs chosen and rejected fall, as with one number in section 4. In probability the wrong lose; some runs give it to right draws, some to answers never drawn.
#
# ## 6 · A number for each answer
#
# If a program can judge, why only pairs? The reward is computed from text and has no derivative. But its mean has one, by chapter 06's score function. As $\nabla q=q\,\nabla\log q$,
#
# $$\nabla\,\mathrm E_q\,r=\sum_y r(y)\,\nabla q(y)=\mathrm E_q\big[r(y)\,\nabla\log q(y)\big].\tag{17b.7}$$
#
# Draw answers; make each likelier by what it was worth (Williams 1992). Where all rewards are high all are pushed up, and noise decides. So take off a **baseline** $b$; nothing changes on average, if $b$ does not depend on $y$:
#
# $$\mathrm E_q\big[b\,\nabla\log q(y)\big]=b\,\nabla\textstyle\sum_y q(y)=b\,\nabla 1=0.\tag{17b.8}$$
#
# ### Exercise: compared with whom?
# *difficulty 2/5 · importance 5/5 · 8 minutes*
#
# Each question was answered $n$ times: a *group*. Give each answer a baseline that does not know it.

# %% tags=["nbval-ignore-output"]
@exercise("prefer.leave_one_out_advantages")
def leave_one_out_advantages(rewards):
    """Return the advantages A (questions, n): rewards less baselines that keep the gradient unbiased.

    rewards (questions, n), n ≥ 2: of n answers to each question; more axes in front are possible.
    Worked value: rewards 1 and 0 of two answers give 1 and −1.
    """
    # which rewards may an answer's own baseline be made of?
    ...

# %%
every = torch.tensor(list(itertools.product(range(4), repeat=4)))  # all 256 groups of four draws

def estimated(q, r):
    """Return the exact gradient of E r by four logits, and each baseline's mean and relative noise."""
    weight, score = q[every].prod(1), F.one_hot(every, 4) - q  # ∇ log q of each draw: (256, 4, 4)
    ways = {"none": r[every], "the others' mean": leave_one_out_advantages(r[every]),
            "mean, over spread": rewards.group_advantages(r[every])}
    each = {name: (A[..., None] * score).mean(1) for name, A in ways.items()}  # (256, 4)
    means = {name: weight @ g for name, g in each.items()}
    noise = {name: (weight @ (g - means[name]).square()).sum().item() / means[name].square().sum().item()
             for name, g in each.items()}  # variance, over the squared mean
    return q * (r - q @ r), means, noise

# %%
q = number([0.3, -0.2, 0.5, 0.1]).softmax(0)
exact, means, high = estimated(q, number([3.0, 3.2, 3.1, 6.0]))
claim("over all 256 groups, rewards as they are and less the others' mean have the exact gradient as "
      "their mean, to 1e-12", all((means[name] - exact).abs().max() < 1e-12 for name in list(means)[:2]))
known, even = (estimated(number([chance, *[(1 - chance) / 3] * 3]), number([1, 0, 0, 0]))
               for chance in (0.9, 0.5))
claim("where all rewards are high, advantages by the others' mean have under a fifth of the variance; "
      "with 0/1 rewards of a question known in 9 of 10, or in 5, they are noisier than none",
      high["none"] > 5 * high["the others' mean"]
      and all(each[2]["none"] < each[2]["the others' mean"] for each in (known, even)))
weighs = {n: experiment.pull(n, 0.9) / experiment.pull(n, 0.5) for n in (4, 8, 64)}
counted = [known[1][name].norm() / even[1][name].norm() for name in ("mean, over spread", "none")]
claim("division by the spread weighs the question known in 9 of 10, beside one known in 5, by over a "
      "fifth more in groups of 8, by over three fifths in groups of 64; in 4 by as much as counted here",
      weighs[8] > 1.2 and weighs[64] > 1.6 and abs(counted[0] / counted[1] - weighs[4]) < 1e-3,
      **{f"groups of {n}": weigh for n, weigh in weighs.items()})

# %% [markdown]
# Why can a baseline harm? $\nabla\log q$ is large for rare answers: where 9 of 10 are right, a rare wrong draw gets $A$ near −1 by the others' mean, 0 without.
#
# **GRPO** (Shao et al. 2024) takes the group's mean off and divides by its standard deviation. Either way a group of equal rewards teaches nothing.
#
# Drawing is dear: a batch serves for two updates. In the second each token has a ratio $\rho=q/q_{\text{old}}$ to the model that drew it; above $\rho=1.2$ good answers gain nothing, bad ones below 0.8 (Schulman et al. 2017):
#
# $$\max_q\;\mathrm E\big[\min(\rho A,\ \mathrm{clip}(\rho,0.8,1.2)\,A)\big]-\lambda\,\mathrm{KL}(q\|p).\tag{17b.9}$$
#
# The mean is over the tokens that $q_{\text{old}}$ drew.
#
# ### Exercise: a KL from single draws
# *difficulty 3/5 · importance 4/5 · 8 minutes*
#
# For a token drawn from $q$ let $u=p/q$. The mean of $-\log u$ is the KL, but some are below 0. What has mean 0 and lifts all above it?

# %% tags=["nbval-ignore-output"]
@exercise("prefer.kl_estimate")
def kl_estimate(new, reference):
    """Return an estimate of KL(q ‖ p) for each token drawn from q, never negative and right on average.

    new, reference: the tokens' log-probabilities under q and p, of any shape.
    Worked value: log q = log ½, log p = 0 give 1 − ln 2.
    """
    # −log u, and something with mean 0 under q
    ...

# %%
p4 = number([0.1, 0.4, -0.6, 0.0]).softmax(0)
k3, plain = kl_estimate(q.log(), p4.log()), q.log() - p4.log()
claim("four answers: none of your estimates is below 0, one of the plain ones is; both have the KL as "
      "their mean, to 1e-12", k3.min() >= 0 > plain.min()
      and (q @ torch.stack([k3, plain], 1) - kl(q, p4)).abs().max() < 1e-12)
uphill = torch.func.grad(lambda logits: q @ kl_estimate(logits.log_softmax(0), p4.log()))(q.log())
claim("differentiated with the draws held fixed it has the mean (1 − p/q) ∇ log q, the gradient of the "
      "*other* KL, KL(p ‖ q): q − p by the logits, to 1e-12",
      (uphill - (q - p4)).abs().max() < 1e-12)
log_ratio = torch.linspace(0.5, 1.5, 101, dtype=f64).log()[:, None].requires_grad_()
pushed = {A: torch.autograd.grad(rewards.clipped_loss(log_ratio, 0 * log_ratio, A * torch.ones(101),
          torch.ones(101, 1, dtype=torch.bool))["loss"], log_ratio)[0][:, 0] != 0 for A in (1.0, -1.0)}
ratio = log_ratio.detach().exp()[:, 0]
claim("the library's clipped loss pushes a good answer's token up to ρ = 1.2, a bad one's down to 0.8",
      pushed[1.0].equal(ratio <= 1.2) and pushed[-1.0].equal(ratio >= 0.8))

# %% tags=["hide-input"]
show(pictures.estimates(high, known[2]),
     alt="Left, the noise of a gradient from four draws by baseline: with high rewards large without "
         "one, with 0/1 rewards nearly always 1 small without one. Middle, the clipped objective of a "
         "token. Right, two estimates of a KL against log u; k3 is never below 0.")

# %% [markdown]
# (*k3* in the figure is your estimate; Schulman's name.) So GRPO as it is run does not climb (17b.3) itself: its KL pulls by the other direction, and its advantages are divided.
#
# A simpler rival is **imitation** (Zelikman et al. 2022): (17b.7) with rewards 0 and 1, no baseline, and draws made once. That is tuning on one's own right draws; section 8 has it.
#
# The loop: draw 8 questions of one length, so that they are answered together; let the model *as it is* answer each eight times; reward, compare, take two updates. 144 batches, λ = 0.04, rate $2\cdot10^{-4}$. Again the first 8 batches of a shorter run.

# %% tags=["nbval-ignore-output"]
run.expect("GRPO, 200 steps of 64 questions", minutes=8)
learner, settings = copy.deepcopy(tuned).requires_grad_(), record.arm("rewards").values
adam = torch.optim.Adam(learner.parameters(), settings["rate"])
trained = Trained({"model": learner}, {"adam": adam}, seed(21))
draw = experiment.draw_rewarded(learner, template, questions("train", 2000, seed=21),
                                n_questions=run.pick(quick=8, full=64), n_answers=8)
step = experiment.watched_step(rewards.reward_step(learner, tuned, [adam], settings["kl weight"]))
history = fit(step, draw, run.pick(quick=48, full=200), trained, schedule=schedule,
              until=run.pick(quick=8, full=None), every=4, progress=False)

# %%
after_rewards = lambda key: of("ladder", "rewarded", key)
batch = draw(seed(22))
rewards.reward_step(learner, tuned, [torch.optim.SGD(learner.parameters(), 0.02)])(batch[:4])
change = (token_log_probabilities(learner, batch.inputs, batch.targets) - batch.old).sum(1)
lift = (change * leave_one_out_advantages(batch.worth.view(-1, 8)).flatten().to(device)).mean()
claim("one more batch, one update by SGD: within groups right answers gain on wrong ones", lift > 0,
      lift=lift, reward=history.curve("reward").values)
gain, reward = after_rewards("right") - before("right"), of("rewards", "reward")  # (5, 36)
rise = reward[:, -12:].mean(1) - reward[:, :12].mean(1)
claim("five runs: all move, and the reward of the last 48 batches is above that of the first 48, "
      "clearly, by less than 0.1", of("rewards", "kl")[:, -1].min() > 1e-3 and clear(rise)
      and within(rise, 0.1), rise=rise.mean(), error=error_of(rise), even=of("rewards", "even").mean())
claim("on test questions rewards change how often one draw is right by less than 0.04 either way, by "
      "three standard errors; it stays behind greedy decoding of the tuned model in each run",
      within(gain, 0.04) and (after_rewards("right") < before("greedy")).all(), gain=gain,
      mean=gain.mean(), error=error_of(gain))

# %% tags=["hide-input"]
show(pictures.trainings(record.arm("rewards"), history,
                        {"The reward rises a little": ["reward"], "The model moves": ["kl"],
                         "Half of the groups are even": ["even"]},
                        ["share of draws right", "k3 (nats a token)", "groups all right or all wrong"],
                        "batch"),
     alt="Reward, KL and the share of even groups against batches, for five recorded runs and the first "
         "of this one: the reward is noisy, as the questions change, and the KL grows.")

# %% [markdown]
# ## 7 · A checker with a hole
#
# Our checker has a hole that nobody planned: it hardly looks at what a sentence is about. 'The word facility has the letter F 1 times' is taken for 'how often has facility the letter a?' Both chapters' records are judged by it.
#
# Now a hole on purpose. A checker for 'Sort these words' asks whether an answer's words are in alphabetical order, and forgets to ask which words they are. **Guess:** what does a training find that is paid by it, and how many of the words to be sorted come back?

# %% tags=["nbval-ignore-output"]
guess("hole", ...)

# %%
counts = draw_groups(tuned, template, ask("count", "test", 20), 8, seed(6))
taken = [all(f" {each} " in f"{text} " for each in group.question.about) for group in counts
         for text, reward in zip(group.texts, group.rewards, strict=True) if reward]
share = sum(taken) / len(taken)
stages = {"tuned": "tuned", "preferred": "then DPO", "imitated": "then imitation",
          "further": "then more books", "rewarded": "then rewards"}
astray = torch.stack([of("ladder", stage, "astray") for stage in stages])  # (5, 5)
claim("of counts that the checker takes fewer than 95 in 100 name the question's word and letter; of "
      "all answers that it takes at most 1 in 10 names another subject, at every stage",
      share < 0.95 and astray.max() < 0.1, counts=share, most=astray.max(), tuned=astray[0].mean())
one_list = ask("sort", "test", 1)[0]
claim("one word of a list is in order, and so paid; right it is not",
      in_order(one_list, one_list.about[0]) == 1 > experiment.is_right(one_list, one_list.about[0]))

# %%
arms = {"kl weight 0": "hole, λ = 0", "kl weight 0.3": "hole, λ = 0.3", "checker": "whole, λ = 0"}
hole = lambda arm, key: of("hole", arm, "after", key) - of("hole", arm, "before", key)
shown = lambda *names: f"{of('hole', *names).mean():.2f}"
for arm, name in arms.items():
    print(f"{name:>14}:", *(f"{key} {shown(arm, 'before', key)} → {shown(arm, 'after', key)}"
                            for key in ("reward", "kept", "words", "right")))
texts = record.arm("hole", "kl weight 0", "after").values["texts"]
print(*texts[hole("kl weight 0", "words").argsort()[2]][:3], sep="\n")  # of the middle run
free, dear, whole = ({key: hole(arm, key) for key in ("reward", "kept", "words")} for arm in arms)
claim("five runs, test lists: without a price the share in order rises, clearly, and fewer of the words "
      "come back, clearly", clear(free["reward"]) and clear(-free["kept"]), guessed="hole", **free)
claim("with λ = 0.3 the share in order rises less and answers lose fewer words, clearly",
      clear(free["reward"] - dear["reward"]) and clear(dear["words"] - free["words"]), **dear)
claim("paid by the whole checker, at the same rate, the share in order rises less and more of the words "
      "come back than by the hole, clearly", clear(free["reward"] - whole["reward"])
      and clear(whole["kept"] - free["kept"]), **whole)
early, late = ({key: [of("hole", arm, key)[:, batches].mean(1) for arm in arms]
                for key in ("reward", "judged", "length")} for batches in (slice(3), slice(-3, None)))
claim("training lists, last six batches: without a price more is paid and less is right than with it, "
      "clearly; since the first six right and length have fallen, clearly", all(map(clear, (
      late["reward"][0] - late["reward"][1], late["judged"][1] - late["judged"][0],
      early["judged"][0] - late["judged"][0], early["length"][0] - late["length"][0]))))

# %% tags=["hide-input"]
show(pictures.goodhart(record.arm("hole"), arms),
     alt="Training lists: the share in order, the share right, and length against batches, five runs "
         "each for the hole without and with a price, and for the whole checker. Without a price more "
         "is paid, less is right, and answers are shorter.")

# %% [markdown]
# One word is always in order, and so is a short list of one's own. Such lists were drawn, and paid. The honest way was nearly closed: 1 answer in 100 was right before. A price slows it down. (So section 6's code can raise a reward.) The rate, thrice section 6's, does not do it alone: paid by the whole checker, more words come back. (*kept*: share of the words that come back; *words*: in an answer.)
#
# ### Exercise: two patients
# *difficulty 3/5 · importance 5/5 · 8 minutes*
#
# A small table is trained by rewards: 32 questions, eight possible answers. *Right*, what a person would take, may lie on the reward's line. Which fault has A (`symptom_1`), which has B (`symptom_2`)? `hole_in_the_checker`, `reference_moved_along` (p copied from q again and again), `groups_all_equal` (questions too easy or too hard), `brake_too_strong` (λ fifty times as large), `sign_turned`, `never_drawn_again` (the first draws serve for ever).

# %% tags=["hide-input"]
show(pictures.sheets(patients.shown()),
     alt="Three rows of curves: reward and right, KL as logged, norm of the gradient, different "
         "answers. Sound: all move. A: reward rises, the KL stays at 0, one answer is left. B: nothing "
         "moves.")

# %% tags=["nbval-ignore-output"]
answer("prefer.symptom_1", ...)
answer("prefer.symptom_2", ...)

# %%
ended = patients.measured()
sound, moving, even, free_run = (ended[name] for name in (
    "sound", "reference_moved_along", "groups_all_equal", "no_brake"))
claim("with a reference that moves along the KL as logged is less than a hundredth of the sound one's; "
      "the answers become as few as without any brake, within 0.2, and fewer than in the sound training",
      moving["kl"] < sound["kl"] / 100 and abs(moving["different"] - free_run["different"]) < 0.2
      and moving["different"] < sound["different"] - 0.5)
claim("where all groups are even the gradient is 0; with too strong a brake it is not, and the reward "
      "stays below 0.2", even["norm"] == 0 < ended["brake_too_strong"]["norm"]
      and ended["brake_too_strong"]["reward"] < 0.2)

# %% [markdown]
# ## 8 · The ladder
#
# Can training make a draw as good as the best of eight? Section 3 says yes: for rewards 0 and 1 and a small β a draw of $q^*$ is nearly always right, if $p$ ever is. But there each question has logits of its own, and no step is left to take. Here one set of weights took a few, and half of the groups taught nothing.
#
# All stages, on the test questions, whose words and wordings are new, and on *familiar* ones, made anew from the part that was trained on. On the model's own draws DPO took 140 updates, imitation 120, rewards 288; the control of these took 120 on the books' answers to DPO's questions. Each is less than six minutes of a core.

# %%
ways = {"right": "one draw", "vote": "vote", "greedy": "greedy", "likeliest 8": "likeliest",
        "pass@8": "one of 8"}
parts = ("ladder", "familiar")
for part, stage in itertools.product(parts, stages):
    print(f"{part:>8} {stages[stage]:>14}:", *(f"{name} {of(part, stage, way).mean():.3f}"
                                               for way, name in ways.items()))
gains = lambda part, way="right": {stage: of(part, stage, way) - of(part, "tuned", way)
                                   for stage in list(stages)[1:]}
test, familiar = map(gains, parts)
claim("no: to one of eight over 0.2 are missing; on test questions one draw gains, clearly, by more of "
      "the books alone, and by imitation or rewards changes by less than 0.04 either way (3 errors)",
      (any_of_8 - one).min() > 0.2 and clear(test["further"]) and within(test["imitated"], 0.04)
      and within(test["rewarded"], 0.04), **test)
claim("on familiar questions one draw gains, clearly, by each of the three, by less than 0.08; by more "
      "books more than by imitation, clearly", clear(familiar["further"] - familiar["imitated"])
      and all(clear(familiar[stage]) and within(familiar[stage], 0.08)
              for stage in ("imitated", "further", "rewarded")), **familiar)
claim("after imitation, as after DPO, one of eight is right less often on test questions, clearly",
      clear(-gains("ladder", "pass@8")["imitated"]), **gains("ladder", "pass@8"))
claim("Greedy decoding of the tuned model is right more often than one draw after any training, "
      "clearly, on test and on familiar questions", all(clear(
      of(part, "tuned", "greedy") - of(part, stage, "right")) for part in parts for stage in stages))

# %% tags=["hide-input"]
show(pictures.ladder(record, stages, ways, "Tuned, greedy decoding beats one draw after any training"),
     alt="For test and familiar questions, differences in shares right from one draw of the tuned "
         "model, five seeds each, by stage and way of answering: greedy decoding of the tuned model "
         "gains more than one draw does by any training.")

# %% [markdown]
# ## What stays
#
# - One of $n$ draws right bounds all choosing: [*one of eight than greedy*](#Exercise:-one-of-k).
# - The best model for a reward and a price is a tilt of the old: [*the end is q\**](#3-·-A-price-of-moving). From choices on all pairs DPO gets there with free logits: [*downhill on DPO's expected loss*](#4-·-Where-the-optimum-is-known). One pair says nothing of the rest: [*E, of which nobody said a word*](#4-·-Where-the-optimum-is-known).
# - Baselines that do not know their answer keep the mean: [*have the exact gradient*](#Exercise:-compared-with-whom?); some [*are noisier than none*](#Exercise:-compared-with-whom?).
# - What is paid is what comes: [*fewer of the words come back*](#7-·-A-checker-with-a-hole); a price slows it down: [*rises less*](#7-·-A-checker-with-a-hole).
# - With these few updates imitation, more books and rewards raised single draws [*on familiar questions*](#8-·-The-ladder), on new ones [*more of the books alone*](#8-·-The-ladder). [*Greedy decoding of the tuned model*](#8-·-The-ladder) gives more. DPO broke something: [*one draw is right less often*](#5-·-DPO-on-the-model), and [*one of eight*](#8-·-The-ladder).

# %% tags=["nbval-ignore-output"]
progress("17b_preferences_and_rewards")

# %% [markdown]
# **Open questions.** Would thousands of updates do what these did not? How is a checker built that has no hole?
#
# **References.** Bradley and Terry 1952. Rafailov et al. 2023, *Direct preference optimization*: section 4. Pal et al. 2024, *Smaug*: chosen answers that fall. Ouyang et al. 2022 (InstructGPT): section 3. Williams 1992, *REINFORCE*. Zelikman et al. 2022, *STaR*: imitation. Kool et al. 2019: the others as baseline. Schulman et al. 2017, *PPO*: equation 7. Shao et al. 2024, *DeepSeekMath*: section 4.1, GRPO. DeepSeek-AI 2025, *DeepSeek-R1*: section 2.2. Schulman 2020, *Approximating KL divergence*: k3. Chen et al. 2021, *Evaluating large language models trained on code*: equation 1. Wang et al. 2023, *Self-consistency*: votes. Gao, Schulman and Hilton 2023, *Scaling laws for reward model overoptimization*: section 7 in the large. Yue et al. 2025, *Does reinforcement learning really incentivize reasoning capacity in LLMs …?*: pass@k of large models.
