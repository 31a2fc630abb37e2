# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · A VAE in use
#
# **What can be done with a $p(x)$ that one cannot even compute?**
#
# Chapter 07 trained a VAE and drew digits from it. Making new ones is not all that a probability is good for. This chapter puts
# the same model to two uses: it writes images into a file, in fewer net bits than any program for files that we try, and it
# fills the rows that are missing in an image. Neither needs an encoder that is right, and both show what
# one that is only nearly right costs. The picture is where we are going.

# %% tags=["hide-input"]
from course_lib.chapters.ch08_vae_in_use import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="Ten binary digits; the bits of a file that holds all of them; the ten digits with ten rows "
         "hidden; and the same with these rows drawn by the model.")

# %% [markdown]
# Afterwards you can
#
# - read a VAE as a compressor: say what each of its two terms costs in bits, and what must be there before the first;
# - complete an image by importance weights, and tell from the weights when they have failed;
# - write a Markov chain that is right whatever the encoder proposes, and say what its theorem does not promise.
#
# **Needs** chapters 06 and 07; 01b for codes, if you like. **Time** 50 minutes to read and run, 33 more for the four
# exercises; the cells take about 30 seconds on two CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $x, z$ | a binary image; its latent | (784,), (50,) |
# | $q$ | $q(z\mid x)$: what the encoder takes for the posterior | |
# | $R$ | rate: the mean KL, what $z$ carries | |
# | $D$ | distortion: the mean of $-\log p(x\mid z)$ | |
# | $\beta$ | weight of the KL in training | |
# | $w, \bar w$ | importance weights; the same, summing to 1 | (k, n) |

# %% tags=["nbval-ignore-output"]
import math
from operator import itemgetter

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.evaluation.comparisons import paired_difference
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.runtime import start
from course_lib.vae.bounds import log_standard_normal, reparameterize

run = start(seed=0, threads=1)
device = run.device

# %%
def seed(number):
    """Return a generator on the CPU: one seed means the same numbers on every device."""
    return torch.Generator().manual_seed(number)


def normal(*shape, of):
    return torch.randn(*shape, generator=seed(of)).to(device)


vae = load_digit_vae().to(device).requires_grad_(False)
digits = load_digits()
order = torch.randperm(10_000, generator=seed(0))  # the file goes by writers: shuffle first
test, labels = binary_test_digits().flatten(1)[order].to(device), digits.test_labels[order]

# %% [markdown]
# ## 1 · Rate and distortion
#
# Minus the ELBO is a sum of two costs:
#
# $$-\mathrm{ELBO} = \underbrace{\mathrm E\,[-\log p(x\mid z)]}_{D} + \underbrace{\mathrm E\,[\mathrm{KL}(q(z\mid x)\,\Vert\,p(z))]}_{R}. \tag{8.1}$$
#
# The **distortion** $D$ is what it takes to say the image once $z$ is known, the **rate** $R$ what $z$ itself carries. A
# model that is trained on $D + \beta R$ is told what a nat of rate may cost. Suppose that training finds the
# best model for each $\beta$, and take $\beta_1 < \beta_2$. At the price $\beta_2$ the second model is at least as cheap:
# $D_2 + \beta_2 R_2 \le D_1 + \beta_2 R_1$. At the price $\beta_1$ the first is: $D_1 + \beta_1 R_1 \le D_2 + \beta_1 R_2$. Together they say
#
# $$\beta_1 \le \frac{D_2 - D_1}{R_1 - R_2} \le \beta_2 : \tag{8.2}$$
#
# between two neighbours the exchange rate lies between their prices (Alemi et al. 2018).

# %% [markdown]
# A small model was trained with $\beta$ = 0.1, 0.3, 1, 3 and 10, five seeds each, 600 steps. Nobody says that these are the best, so whether equation (8.2)
# holds is to be seen. At $\beta = 1$ the rate is about 16
# nats. **What is the rate at $\beta = 0.1$?** Write down nats.

# %% tags=["nbval-ignore-output"]
guess("rate_at_a_tenth", ...)

# %%
record = recorded("vae_in_use")
betas = [0.1, 0.3, 1.0, 3.0, 10.0]
mean = lambda group, name, key: record.arm(group, str(name)).mean(key)
R = [mean("beta", b, "kl") for b in betas]
D = [-mean("beta", b, "recon") for b in betas]
claim("at β = 0.1 the rate is about three times that at β = 1: 2.8 to 3.4 times",
      2.8 < R[0] / R[2] < 3.4, guessed="rate_at_a_tenth", rate=R)
prices = [(D[i + 1] - D[i]) / (R[i] - R[i + 1]) for i in range(4)]
claim("between neighbours the exchange rate lies between their β, four times of four",
      all(betas[i] < prices[i] < betas[i + 1] for i in range(4)), prices=prices)
sums = [[-value for value in record.arm("beta", str(b)).each("elbo")] for b in betas]
claim("in each of five seeds β = 1 has the least sum R + D", all(
    min(range(5), key=lambda i: sums[i][s]) == 2 for s in range(5)), nats=[sum(s) / 5 for s in sums])

# %% tags=["hide-input"]
show(pictures.rate_and_distortion(betas, R, D),
     alt="Left, distortion falls as rate rises along five values of β, from 10 to 0.1. Right, of the "
         "five the sum of both is lowest at β = 1.")

# %% [markdown]
# ## 2 · The bits are real
#
# A probability is a code: whoever knows $p$ can write $x$ in $-\log_2 p(x)$ bits (chapter 01). With a VAE one first sends a
# $z$, rounded to a small bin, and then $x$ given $z$. That is more than the ELBO promises, because many $z$ would have done, and we paid
# for choosing one of them.
#
# **Bits back** lets *other data* choose. Say that some other message waits to be sent. Take $-\log_2 q(z\mid x)$ of its bits and
# decode them to a draw of $z$. The receiver, who has $x$ and $z$ in the end, runs that step backwards and owns these bits
# again. The net cost follows; the bin's size stands in $p(z)$ and in $q(z\mid x)$, and cancels.
#
# $$\mathrm E_q[-\log_2 p(x\mid z) - \log_2 p(z) + \log_2 q(z\mid x)] = (D + R)/\ln 2 . \tag{8.3}$$

# %% [markdown]
# It needs a code from which one can take before one has put in: a stack. **ANS** (Duda 2009) is a stack in a single integer.
# A symbol owns the slots `start … start + frequency − 1` of $2^{\text{precision}}$, and its probability is its share of the
# slots. Pushing it must do two things:
#
# - the new state *modulo* $2^{\text{precision}}$ lies in the symbol's slots, so that the decoder can see what it is;
# - different states stay different, and the state grows by the factor $2^{\text{precision}}/\text{frequency}$, which makes it
#   longer by the symbol's surprise.
#
# A fair bit has one slot for each value and precision 1: pushing $b$ turns the state into $2\cdot\text{state} + b$. A symbol with several slots may *choose* among them, and spends a part of the
# state on that choice.

# %% [markdown]
# ### Exercise: one ANS step
# *difficulty 3/5 · importance 4/5 · 12 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.ans_step")
def ans_push(state, start, frequency, precision):
    """Return the integer state with one more symbol on it, of probability frequency / 2**precision.

    The symbol owns the slots start … start + frequency - 1 of 2**precision; all are integers.
    Worked values, start = 2, frequency = 3, precision = 3: state 9 gives 26, 10 gives 27, 11 gives 28
    and 12 gives 34.
    """
    ...

# %% [markdown]
# Bits back by hand. Let $z$ and $x$ be 0 or 1, $p(z) = \tfrac12$, $p(x{=}1\mid z{=}0) = \tfrac18$ and $p(x{=}1\mid z{=}1) = \tfrac68$. Then
# the posterior given $x = 1$ is $\tfrac17, \tfrac67$. Our encoder is a little off and says $q = \tfrac18, \tfrac78$. We count in
# eighths, precision 3, and send $x = 1$ in three moves:
#
# 1. pop with $q$: the lowest three bits of the message, read as a slot, *are* the draw of $z$;
# 2. push $x$ with $p(x\mid z)$;
# 3. push $z$ with $p(z)$.
#
# The receiver pops $z$, pops $x$, and pushes $z$ with $q$. What the encoder's error costs can be counted here.

# %%
from course_lib.information import ans

q = {0: (0, 1), 1: (1, 7)}  # z → slots given x = 1: (start, frequency)
one = {0: (7, 1), 1: (2, 6)}  # z → slots of x = 1
state = int.from_bytes(b"we meet at noon")  # the message that was waiting, as one integer
z = int(state % 8 >= 1)  # q(1) owns the slots 1 … 7
popped = ans.ans_pop(state, *q[z], 3)
sent = ans_push(ans_push(popped, *one[z], 3), 4 * z, 4, 3)  # x given z, then z by the prior
z_back = int(sent % 8 >= 4)
back = ans.ans_pop(ans.ans_pop(sent, 4 * z_back, 4, 3), *one[z_back], 3)
back = ans_push(back, *q[z_back], 3)  # x is known now, so the bits go back
claim("the receiver has z and the very message back", z_back == z and back == state)
net = {z: -math.log2(one[z][1] / 8) - math.log2(4 / 8) + math.log2(q[z][1] / 8) for z in q}
claim("it grew by −log₂ p(x|z) − log₂ p(z) + log₂ q(z|x) bits, within 10⁻⁶",
      abs(math.log2(sent) - math.log2(state) - net[z]) < 1e-6)

# %%
posterior = {0: 1 / 7, 1: 6 / 7}
average = sum(q[z][1] / 8 * net[z] for z in q)
kl = sum(q[z][1] / 8 * math.log2(q[z][1] / 8 / posterior[z]) for z in q)
claim("on average x costs −log₂ p(x) and KL(q ‖ posterior) bits, of which the KL is 0.002",
      abs(average + math.log2(7 / 16) - kl) < 1e-12 and round(kl, 3) == 0.002, average=average)

# %% [markdown]
# ### Question: what must wait?
# *difficulty 3/5 · importance 4/5 · 6 minutes*
#
# For images, $z$ has 50 numbers. Each is cut into 4,096 bins of equal mass under the prior, so that pushing one with the
# prior costs 12 bits wherever it lies. Say that the model has a rate of 25 nats. How many bits does the *first* image take off the
# waiting message, on average, before any bit goes on?

# %% tags=["nbval-ignore-output"]
answer("vae.initial_bits", ...)

# %% [markdown]
# `bits_back.compress` does the three moves for images. Many stacks run side by side, since a network is fast on many
# images at once; stack $i$ codes the images $i$, $i$ + stacks and so on. Where no second message waits, random words take its
# place. We send 2,000 test digits and read them again.
#
# **What will the best of a one-bit PNG, zlib and lzma need for all 2,000 in one file?** Write down bits an image; raw, it is
# 784.

# %% tags=["nbval-ignore-output"]
guess("best_file", ...)

# %%
from course_lib.vae import bits_back

n, bits, first = 2000, {}, {}
for stacks in (256, 16):
    words = np.random.default_rng(0).integers(0, 2**32, stacks * 20, dtype=np.uint32)
    message = bits_back.compress(vae, test[:n], words, lanes=stacks)
    images, returned = bits_back.decompress(vae, message, n)
    claim(f"{stacks} stacks: all 2,000 images come back exactly, and so do the words",
          torch.equal(images.cpu(), test[:n].cpu()) and np.array_equal(returned, words))
    first[stacks] = bits_back.start_message(words, stacks).bits / n
    bits[stacks] = message.bits / n - first[stacks]
elbo, recon, kl = (term.mean().item() / math.log(2) for term in vae.elbo(test[:n], normal(n, 50, of=1)))
claim("net bits an image are within 2 % of −ELBO / ln 2",
      all(abs(net / -elbo - 1) < 0.02 for net in bits.values()), promised=-elbo, net=list(bits.values()))

# %%
def enough(words_a_stack):
    """Return whether so many words let every stack draw its first z."""
    words = np.random.default_rng(1).integers(0, 2**32, 256 * words_a_stack, dtype=np.uint32)
    try:
        return bits_back.compress(vae, test[:256], words).bits > 0
    except ValueError:
        return False


claim("20 words of 32 bits a stack are enough, 19 are not", enough(20) and not enough(19))
claim("they are 82 bits an image with 256 stacks, and 5 with 16",
      [round(each) for each in first.values()] == [82, 5])

# %% tags=["hide-input"]
show(pictures.moves(640, 600 - kl, -recon, 600),
     alt="Expected length of one stack's message: 640 bits wait, popping z takes more than 500 of "
         "them, pushing x and z puts about 100 and 600 on, so that it ends about 140 bits longer.")

# %% [markdown]
# Popping one $z$ takes $600 - R/\ln 2$ bits, 564 for a rate of 25 nats, and 31 to 63 bits must stay in a stack's head: so 20 words, for 19 are too
# few for some stacks. Later images take what earlier ones have put on.
#
# That is a real cost unless a second message exists. For 2,000 images on 256 stacks it is more than half of the net
# cost; on 16 it is small, and the networks run 125 times where they ran 8 times. The files of the next cell have no such bill.

# %%
from course_lib.information.image_files import file_bits, pack, png_bits

square = test[:n].view(n, 28, 28).cpu()
mosaic = square.view(40, 50, 28, 28).transpose(1, 2).reshape(40 * 28, 50 * 28)  # one picture of all
one_file, alone = {"PNG": png_bits(mosaic) / n}, {"PNG": sum(map(png_bits, square[:200])) / 200}
packed = lambda images: pack(F.pad(images, (0, 4)).flatten(1))  # a row on four whole bytes
for name in ("zlib", "lzma"):
    one_file[name] = file_bits(packed(square), name) / n
    alone[name] = sum(file_bits(packed(image[None]), name) for image in square[:200]) / 200
learned = packed(binarise(digits.train, seed(2)))
primed = (file_bits(learned + packed(square), "lzma") - file_bits(learned, "lzma")) / n
claim("net, the VAE needs less than 0.7 of the bits of the best of them, lzma on the whole set",
      bits[256] < 0.7 * min(one_file.values()) and min(one_file, key=one_file.get) == "lzma",
      guessed="best_file", **one_file, vae=bits[256])
totals = {stacks: bits[stacks] + first[stacks] for stacks in bits}
claim("lzma that has read the 9,000 training digits still needs over 1.3 times the net bits; with what "
      "must wait, 16 stacks stay below it and 256 lie even above plain lzma", primed > 1.3 * bits[256]
      and totals[16] < primed < one_file["lzma"] < totals[256], primed=primed,
      totals=list(totals.values()))

# %% tags=["hide-input"]
lengths = {"VAE, 16 stacks": (bits[16], first[16]), "VAE, 256 stacks": (bits[256], first[256])}
lengths |= {"lzma, one file, primed": (primed, 0)}
for name, length in sorted(one_file.items(), key=itemgetter(1)):
    lengths[f"{name}, one file"] = length, 0
for name, length in sorted(alone.items(), key=itemgetter(1)):
    lengths[f"{name}, each alone"] = length, 0
fig = pictures.bill(lengths)
fig.axes[0].set_title("Net, the VAE is far below lzma; what must wait depends on the stacks", loc="left")
show(fig, alt="Bars of bits an image. The VAE's net bits are fewest; with the words that must wait it "
              "is a little longer on 16 stacks, longer than lzma on 256; then zlib, PNG, each file "
              "alone, where PNG is longer than the raw 784 bits.")

# %% [markdown]
# A PNG of one digit is *longer* than its raw pixels, because of its headers. One more item stands on no bar: the weights of both networks, for the receiver needs the encoder, too.

# %%
from course_lib.paths import DATA

weights = 8 * (DATA / "digits_vae.safetensors").stat().st_size
claim("the weights are 2.7 megabytes: for 10,000 images more than 2,000 bits each",
      round(weights / 8e6, 1) == 2.7 and weights / 10_000 > 2000, bits=weights / 10_000)

# %% [markdown]
# ## 3 · Gaps, by weights
#
# Now the lowest rows of an image are missing. We want
#
# $$p(x_{\text{hidden}}\mid x_{\text{seen}}) = \int p(x_{\text{hidden}}\mid z)\, p(z\mid x_{\text{seen}})\, dz .$$
#
# The encoder was trained on whole images and does not know $p(z\mid x_{\text{seen}})$. Let it *propose*, from the image with the
# training mean in the gap, and let the likelihood decide. Each of $k$ draws from this $q(z)$ gets a weight, and the weights are
# made to sum to 1, for $p(x_{\text{seen}})$ is unknown and cancels:
#
# $$w = \frac{p(x_{\text{seen}}\mid z)\, p(z)}{q(z)}, \qquad \bar w_i = \frac{w_i}{\sum_j w_j} . \tag{8.4}$$
#
# Three draws with weights ½, ¼, ¼ are worth fewer than three equal ones. If the values had one variance, their weighted mean would have
# $\sum\bar w^2 = \tfrac38$ of it, as the plain mean of $8/3$ draws has. So $1/\sum\bar w^2$ is called the **effective sample size**.
#
# ### Exercise: weights that sum to one
# *difficulty 2/5 · importance 5/5 · 6 minutes*

# %% tags=["nbval-ignore-output"]
@exercise("vae.self_normalized_weights")
def self_normalized_weights(log_w):
    """Return (weights, ess): w / Σ w over the draws, and the effective sample size.

    log_w (k, n) holds ln w of k draws for each of n images, −2,000 or +2,000 among them;
    returns (k, n) and (n,). Worked value: log_w = [[0.], [ln 3]] gives weights ¼ and ¾, ess 1.6.
    """
    ...

# %%
def log_bernoulli(x, logits, counted):
    """Return Σ ln p(pixel) over the counted pixels."""
    return (counted * (x * logits - F.softplus(logits))).sum(-1)


def by_weights(x, seen, k, generator):
    """Return E[pixel | seen] and the effective sample size; seen (n, 784) is boolean."""
    mu, logvar = vae.encode(torch.where(seen, x, vae.mean))
    eps = torch.randn(k, *mu.shape, generator=generator).to(device)
    z = reparameterize(mu, logvar, eps)  # (k, n, 50)
    logits = vae.decode(z)
    log_q = log_standard_normal(eps) - 0.5 * logvar.sum(-1)
    log_w = log_bernoulli(x, logits, seen) + log_standard_normal(z) - log_q  # (k, n), equation (8.4)
    weights, ess = self_normalized_weights(log_w)
    return torch.where(seen, x, (weights[..., None] * logits.sigmoid()).sum(0)), ess

# %% [markdown]
# First nothing is hidden at all, and the encoder does what it was trained for. **Of 400 draws, how many count?**

# %% tags=["nbval-ignore-output"]
guess("draws_that_count", ...)

# %%
def upper(hidden, n):
    """Return which pixels are seen when the lowest rows are hidden: (n, 784)."""
    return (torch.arange(784, device=device) < 28 * (28 - hidden)).expand(n, -1)


hidden = [0, 4, 8, 14, 20]
ess = [by_weights(test[:50], upper(rows, 50), 400, seed(6))[1].median().item() for rows in hidden]
claim("with nothing hidden fewer than 30 of 400 draws count, for half of the images", ess[0] < 30,
      guessed="draws_that_count", ess=ess[0])
claim("with eight rows hidden or more fewer than 8 do", max(ess[2:]) < 8, ess=ess)

# %% [markdown]
# A density that is off by a factor of 1.1 in each of 50 numbers can be off by 117 in all. A handful of draws decide.
#
# ## 4 · Gaps, by a walk
#
# Instead of weighing draws we can *walk*. Keep one whole image and one $z$, and change them in turn:
#
# - propose $z'$, and either take it or stay at $z$;
# - draw the hidden pixels anew from $p(x\mid z)$.

# %% tags=["hide-input"]
show(pictures.one_step(),
     alt="One step: from the image the encoder proposes a new z, or a small step from z does; it is "
         "taken or not; the decoder gives the hidden pixels, which are drawn; both go to the next step.")

# %% [markdown]
# When is $z'$ taken? Write $\pi(z)$ for the density we want, known up to a constant, and $r(z'\mid z)$ for that of proposing $z'$ at $z$.
# If as much probability flows from $z$ to $z'$ as back, then $\pi$ stays what it is. With $a(z\to z')$ the probability of
# taking a proposal, that is
#
# $$\pi(z)\, r(z'\mid z)\, a(z\to z') = \pi(z')\, r(z\mid z')\, a(z'\to z). \tag{8.5}$$
#
# ### Exercise: when to move
# *difficulty 3/5 · importance 5/5 · 9 minutes*
#
# Of all $a \le 1$ that fulfil equation (8.5), take the largest.

# %% tags=["nbval-ignore-output"]
@exercise("vae.log_acceptance")
def log_acceptance(log_joint_new, log_q_new, log_joint, log_q):
    """Return ln of the probability with which a proposed z is taken, (n,), one for each image.

    log_joint_new, log_joint: ln π of the new z and of the present one, up to the same constant;
    log_q_new, log_q: ln r of proposing each of the two from the other. All (n,).
    Worked value: ln of 6/16, 7/8, 1/16 and 1/8 give ln 6/7.
    """
    ...

# %% [markdown]
# Back to the small example, $x = 1$: the posterior is $\tfrac17, \tfrac67$, the encoder proposes with $\tfrac18, \tfrac78$. Row $z$ of the matrix below has the
# probabilities of where one step leads from $z$.

# %%
target, q2, joint = (torch.tensor(row, dtype=torch.float64)  # the last is p(x = 1, z)
                     for row in ([1 / 7, 6 / 7], [1 / 8, 7 / 8], [1 / 16, 6 / 16]))


def matrix(accept):
    P = torch.zeros(2, 2).double()
    for here in range(2):
        a = accept(joint.log(), q2.log(), joint[here].log().expand(2), q2[here].log().expand(2)).exp()
        P[here] += q2 * a  # to either z
        P[here, here] += (q2 * (1 - a)).sum()  # and what is turned down stays
    return P


P, every = matrix(log_acceptance), matrix(lambda new, *_: 0 * new)  # every: each proposal is taken
far = torch.linalg.matrix_power
claim("the posterior stays what it is, and from either start 50 steps arrive at it, to 1e-12",
      (target @ P - target).abs().max() < 1e-12 and (far(P, 50) - target).abs().max() < 1e-12)
claim("taking every proposal arrives at the encoder's 1/8 and 7/8 instead",
      (far(every, 50) - q2).abs().max() < 1e-12 and (target @ every - target).abs().max() > 0.01)

# %% [markdown]
# Keeping $\pi$ is not arriving at it: ‘never move’ and ‘always swap’ keep $\tfrac12, \tfrac12$, and from one state neither gets there. A chain that keeps
# $\pi$ arrives, from almost every start, if it is **irreducible** (every set of positive probability can be reached from everywhere; ‘never move’ lacks
# that) and **aperiodic** (it does not go round in a fixed order, as ‘always swap’ does). For time averages, the first is enough.

# %% [markdown]
# **Our walk.** The state is $z$ *and* the hidden pixels, and each step keeps $p(z, x_{\text{hidden}}\mid x_{\text{seen}})$.
#
# - An *encoder step* holds the pixels: $x$ is the image as it is filled now, $r(z'\mid z) = q(z'\mid x)$ and
#   $\pi(z)\propto p(x, z)$. The proposal depends on the filling, so $\pi$ must, too.
# - A *small step* proposes $z' = z + 0.2\,\epsilon$, as likely there as back, and does not need the filling:
#   $\pi(z)\propto p(x_{\text{seen}}, z)$. That is right as the hidden pixels are drawn anew just after it.
#
# One step can reach any $z$ and any filling, and it may also stay. *Taking every proposal* (Rezende et al. 2014) walks as well, and arrives at the right
# place if $q(z\mid x)$ is the posterior; in general it is not.
#
# The theorem does not say how soon. A walk of encoder steps alone, 14 of 28 rows hidden: **what share of its proposals is taken?**

# %% tags=["nbval-ignore-output"]
guess("share_taken", ...)

# %%
def walk(x, seen, steps, generator, ask_every):
    """Return the hidden pixels' mean over the steps, and the share of proposals that were taken.

    One encoder step (the first sees grey), then ask_every − 1 small ones: together one step of a chain.
    """
    whole, image = torch.ones_like(seen), torch.where(seen, x, vae.mean)
    z, total, share = vae.encode(image)[0], 0, 0
    log_joint = lambda x, z, part: log_bernoulli(x, vae.decode(z), part) + log_standard_normal(z)
    for step in range(steps):
        noise = torch.randn(z.shape, generator=generator).to(device)
        if step % ask_every == 0:  # the encoder, shown the image as it stands
            mu, logvar = vae.encode(image)
            new, part = reparameterize(mu, logvar, noise), whole
            log_q_new, log_q = (log_standard_normal((at - mu) * (-logvar / 2).exp()) - logvar.sum(-1) / 2
                                for at in (new, z))
        else:  # a small step
            new, part, log_q_new, log_q = z + 0.2 * noise, seen, z.new_zeros(len(z)), z.new_zeros(len(z))
        a = log_acceptance(log_joint(image, new, part), log_q_new, log_joint(image, z, part), log_q)
        take = torch.rand(len(x), generator=generator).log().to(device) < a
        z = torch.where(take[:, None], new, z)
        p = vae.means(z)
        image = torch.where(seen, x, (torch.rand(p.shape, generator=generator).to(device) < p).float())
        total, share = total + p / steps, share + take.float().mean() / steps
    return torch.where(seen, x, total), share.item()

# %%
x, seen = test[:60], upper(14, 60)
steps = run.pick(quick=600, full=3000)
run.expect("three walks of 3,000 steps", minutes=2)
error = lambda means: ((means - x) ** 2).sum(1)  # (60,), one for each image
stuck, share = walk(x, seen, steps, seed(7), ask_every=1)
mixed, _ = walk(x, seen, steps, seed(7), ask_every=10)
small, _ = walk(x, seen, steps, seed(7), ask_every=steps)  # after the first step small ones alone
weighed, _ = by_weights(x, seen, steps, seed(8))
claim("of the encoder's proposals less than 5 % are taken", share < 0.05, guessed="share_taken",
      share=share)
gain, spread = paired_difference(error(stuck), error(mixed))
claim("nine small steps after each of the encoder's lower the error by over 2 standard errors",
      gain > 2 * spread, gain=gain, standard_error=spread)
gain, spread = paired_difference(error(stuck), error(small))
claim("small steps alone do so as well", gain > 2 * spread, gain=gain, standard_error=spread)
gain, spread = paired_difference(error(weighed), error(mixed))
claim("the mixed walk's error is below that of as many weighted draws, by over 2 standard errors",
      gain > 2 * spread, gain=gain, standard_error=spread)

# %% [markdown]
# All three walks, of 60 images, have the same limit, and the first seldom moves. The small steps do the walking; that the encoder's
# add anything cannot be seen after 600 steps. ‘As many’ is not ‘as dear’: a step decodes three times, a draw once.
#
# The record has 500 draws or steps, for 50 test images of each of five seeds; its walks first take 30 encoder proposals unasked, which do not count. The
# *mean image* fills every gap with the training mean.

# %%
rows = ["8", "14", "20"]
ways = {"chain": "walk", "all_taken": "all taken", "weights": "weights", "mean_image": "mean image"}
errors = {ways[way]: [mean("rows", name, way) for name in rows] for way in ways}
each = lambda name, way: torch.tensor(record.arm("rows", name).each(way))
lead = [paired_difference(each(name, "weights"), each(name, "chain")) for name in rows]
claim("with 8, 14 and 20 rows hidden the walk beats the weights in all five seeds", all(
    (each(name, "chain") < each(name, "weights")).all() for name in rows), lead=lead)
wrong = [paired_difference(each(name, "weights"), each(name, "all_taken")) for name in rows[1:]]
claim("taking every proposal also beats the weights, with 14 and 20 rows, by over 2.78 standard errors",
      all(gain > 2.78 * spread for gain, spread in wrong), **errors)
gain, spread = paired_difference(each("20", "mean_image"), each("20", "chain"))
claim("with 20 rows hidden the weights lose to the mean image in all five seeds, and 500 steps of the "
      "walk cannot be told from it", (each("20", "mean_image") < each("20", "weights")).all()
      and abs(gain) < 2.78 * spread, gain=gain, standard_error=spread)

# %% tags=["hide-input"]
from course_lib.vae.inpainting import gibbs_inpaint

some = [(labels == c).nonzero()[0].item() for c in range(10)]  # test digits that show a 0, 1, … 9
half = upper(14, 10)
several = torch.stack([gibbs_inpaint(vae, test[some], half, 200, seed(20 + i))[2] for i in range(3)])
hidden_half = torch.where(half, test[some], 0.3)
fig = pictures.filled(list(map(int, rows)), errors, hidden_half, several, test[some])
fig.axes[0].set_title("At 20 rows weights lose to the mean image", loc="left")
show(fig, alt="Left, squared error less the mean image's against hidden rows, for the walk, all "
              "proposals taken and weights: weights fall behind as more is hidden. Right, ten half "
              "digits, three completions of each, and the truth.")

# %% [markdown]
# With 14 and 20 rows *all taken* has the wrong target and beats the weights, whose limit is right: wrong and fast can win. The
# true posterior mean has the least expected squared error of all. If with 20 rows the walk is no better than the mean image, 500
# steps are too few, or the model is not the truth; this figure cannot tell which.

# %% [markdown]
# ## What stays
#
# - $D$ and $R$ are bought with each other at a price between those that training was told:
#   [*the exchange rate lies between their β*](#1-·-Rate-and-distortion).
# - The ELBO is a net file length, [*within 2 % of −ELBO / ln 2*](#Question:-what-must-wait?). Before the first image bits must
#   wait, for these 2,000 [*82 bits an image with 256 stacks, and 5 with 16*](#Question:-what-must-wait?), and the networks' weights come on top.
# - An encoder proposes, weights decide:
#   [*fewer than 30 of 400 draws count*](#Exercise:-weights-that-sum-to-one).
# - A walk that keeps the balance of equation (8.5), can get everywhere and does not go round in a fixed order has the posterior as its limit:
#   [*from either start 50 steps arrive at it*](#Exercise:-when-to-move).
# - The limit does not say how soon. This encoder hardly moves the walk
#   ([*less than 5 % are taken*](#Exercise:-when-to-move)); small steps help it: [*nine small steps after each of the encoder's lower the error*](#Exercise:-when-to-move).

# %% tags=["nbval-ignore-output"]
progress("08_vae_in_use")

# %% [markdown]
# **Open questions.** How few bits can the weights be stored in before the ELBO notices? Which small step would you take, if 0.2 were not given,
# and what would you measure to choose it? Where does a likelihood mislead? The last one has an optional chapter of its own, `08b_vae_limits`.
#
# **References.** Alemi et al. 2018, *Fixing a broken ELBO*: figure 1. Duda 2009, *Asymmetric numeral systems*; 2013 for the variant used here. Townsend, Bird and Barber 2019, *Practical lossless compression with latent variables using bits back coding*: section
# 2. Rezende, Mohamed and Wierstra 2014, *Stochastic backpropagation*: how gaps are filled there. Mattei and Frellsen 2018, *Leveraging the exact
# likelihood of deep latent variable models*: section 4. Hastings 1970, *Monte Carlo sampling methods using Markov chains*: the rule. Roberts and Rosenthal 2004, *General state space Markov
# chains*: section 3, for the theorem.
