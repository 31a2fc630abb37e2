# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09b · Divergences and distances
#
# **Which distance does a critic measure?**
#
# In chapter 09 the best discriminator's loss was $\ln 4 - 2\,\mathrm{JSD}$. Other losses leave other divergences over, and a
# critic without a logarithm has to do with $W_1$. This optional chapter asks which one belongs to which loss, when there is
# any, and whether a trained critic really reports it. Below are three distances of two narrow bells that part. No later
# chapter relies on this one.

# %% tags=["hide-input"]
from course_lib.chapters.ch09b_divergences import figures as pictures
from course_lib.classroom.figures import show

show(pictures.opening(),
     alt="JS and total variation of two narrow bells against their shift rise to ln 2 and 1 and are "
         "flat from 1 on; the Wasserstein distance is the absolute shift.")

# %% [markdown]
# Afterwards you can
#
# - find the divergence in a discriminator's loss, and say when there is none;
# - make a loss from a divergence by its conjugate;
# - compute $W_1$, and judge what a critic's number is worth.
#
# **Needs** chapter 09. **Time** 45 minutes to read and run, 30 more for the three exercises; the cells take about 25 s on two
# CPU cores.

# %% [markdown]
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $p, q$ | density of the data, of the fakes | |
# | $u$ | density ratio, $p/q$ | |
# | $D$ | a discriminator; here any output, not only $\sigma(l)$ | (batch,) |
# | $f, f^*$ | a convex function, its conjugate; from section 3 on $f$ is a critic | |
# | $m$ | the middle, $(p+q)/2$ | |
# | $\mathrm{KL}, \mathrm{JSD}, \mathrm{TV}$ | divergences; TV is the total variation | |
# | $W_1$ | Wasserstein distance, in units of $x$ | |
# | $\lambda$ | weight of the gradient penalty | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from torch.nn import functional as F

from course_lib.chapters.ch09_gan_game.bumps import bell, draw_bumps, two_bumps
from course_lib.chapters.ch09b_divergences.critics import scaled_gaussians_distance, share_of_distance
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.classroom.records import recorded
from course_lib.gan.ring import SeedMLP
from course_lib.information.divergences import jensen_shannon, total_variation
from course_lib.information.transport import match, optimal_transport
from course_lib.training.runtime import start

run = start(seed=0, threads=1)
f64 = torch.float64

# %% [markdown]
# ## 1 · From a loss to a divergence
#
# Take two losses, $\ell_1(d)$ on real and $\ell_0(d)$ on fake, where $d$ is $D$'s output. If $D$ may choose its output at each
# $x$ by itself, and has a best one there, then the least loss depends on the ratio $u = p/q$ alone. With a minus sign:
#
# $$-\min_D\big(\mathrm{E}_p[\ell_1(D)] + \mathrm{E}_q[\ell_0(D)]\big) = \mathrm{E}_q\Big[f\Big(\frac pq\Big)\Big], \quad f(u) = -\min_d\big(u\,\ell_1(d) + \ell_0(d)\big). \tag{9b.1}$$
#
# For each fixed $d$ the bracket is a straight line in $u$. So $f$ is a maximum of straight lines: **convex**. Adding a line
# $a + bu$ to $f$ only adds $a + b$, because $\mathrm{E}_q[p/q] = 1$; so we may take $f(1) = 0$. Then, by Jensen,
# $\mathrm{E}_q[f(p/q)] \ge f(1) = 0$: an **$f$-divergence**.

# %% [markdown]
# By hand: the hinge, $\max(0, 1-d)$ on real and $\max(0, 1+d)$ on fake, is best at $d = \pm1$. Its least loss is $2\min(p, q)$, in all
# $2 - 2\,\mathrm{TV}$, with $\mathrm{TV} = \frac12\int|p - q|$. Half squares to the targets 1 and 0 are best at $p/(p+q)$, with
# the least loss $\frac12\,pq/(p+q)$, in all $\frac14 - \frac14\chi^2$ with Pearson's $\chi^2 = \int (q-m)^2/m$.
#
# **Guess:** what is the least of a much older loss, the perceptron's $\max(0, -d)$ on real and $\max(0, d)$ on fake?

# %% tags=["nbval-ignore-output"]
guess("perceptron_leaves", ...)

# %%
x, dx = torch.linspace(-8, 8, 801, dtype=f64), 0.02
p, q = two_bumps(x), bell(x, 0.3, 1.0)
outputs = torch.linspace(-12, 12, 4801, dtype=f64)[:, None]  # every output 0.005 apart, tried at every x
per_point = {  # the loss on a real and on a fake point
    "logarithm": (F.softplus(-outputs), F.softplus(outputs)),
    "hinge": (F.relu(1 - outputs), F.relu(1 + outputs)),
    "squares": (0.5 * (outputs - 1) ** 2, 0.5 * outputs**2),
    "perceptron": (F.relu(-outputs), F.relu(outputs)),
}
lowest = {name: (real * p + fake * q).min(0) for name, (real, fake) in per_point.items()}
least = {name: (found.values.sum() * dx).item() for name, found in lowest.items()}
chosen = [outputs[found.indices, 0] for found in lowest.values()]

# %%
js, tv = (f(p * dx, q * dx).item() for f in (jensen_shannon, total_variation))
middle = (p + q) / 2
pearson = ((q - middle) ** 2 / middle).sum().item() * dx
claim("logarithm: ln 4 − 2·JSD", abs(least["logarithm"] - (math.log(4) - 2 * js)) < 1e-5)
claim("hinge: 2 − 2·TV, the total variation", abs(least["hinge"] - (2 - 2 * tv)) < 1e-6)
claim("squares: ¼ − χ²/4, Pearson's χ² of q from the middle",
      abs(least["squares"] - (1 - pearson) / 4) < 1e-5)
claim("perceptron: 0, though p and q differ: no divergence is left over",
      abs(least["perceptron"]) < 1e-12 and tv > 0.3, guessed="perceptron_leaves",
      left=least["perceptron"], tv=tv)

# %% tags=["hide-input"]
u = torch.linspace(1e-6, 4, 400, dtype=f64)
curves = {"2 JSD": torch.xlogy(u, 2 * u / (1 + u)) - ((1 + u) / 2).log(), "2 TV": (u - 1).abs(),
          "2 χ²(q‖m)": (u - 1) ** 2 / (u + 1)}
show(pictures.left_over(p.log() - q.log(), chosen[:3], u, curves),
     alt="Left, the best output of D against the log density ratio: the ratio itself, a step for the "
         "hinge, a sigmoid for squares. Right, the convex f of each: 2 JSD, 2 TV, the χ² to the middle.")

# %% [markdown]
# The perceptron's best output is 0 everywhere, and such a $D$ says nothing. So ‘every discriminator's loss is a
# divergence’ has conditions:
#
# - $D$ is free at each $x$ (a network is not: its least loss is higher, and the divergence read off it smaller);
# - there is a least loss: $-u\,d + d$, the critic's loss, has none without a bound on $d$ or its slope;
# - $f$ bends at $u = 1$: only then does $\mathrm{E}_q[f] = 0$ imply $p = q$.
#
# ### Does the generator descend it?
#
# Equation (9.5) held because both players shared *one* number. The hinge's generator lowers $-\mathrm{E}_q[D]$. Least squares (Mao et
# al. 2017) is said to minimise Pearson's $\chi^2$: with targets −1 and 1 for $D$ and 0 for $G$. **Guess** the cosine between
# that generator's gradient, $D$ held still, and the gradient of that $\chi^2$: 1, nearly 1, or what?

# %% tags=["nbval-ignore-output"]
guess("cosine_of_squares", ...)

# %%
theta = torch.tensor([0.3, 0.0], dtype=f64, requires_grad=True)  # mean and ln σ of the fakes
model = lambda: bell(x, theta[0], theta[1].exp())
slope = lambda value: torch.autograd.grad(value, theta)[0]
square = lambda: ((p - model()) ** 2 / (p + model())).sum() * dx  # 2 χ² of q from the middle
variation = lambda: (p - model()).abs().sum() * dx  # 2 TV
d_square, d_hinge = (p - q) / (p + q), torch.sign(p - q)  # best for targets ±1, and for the hinge
hinge = slope(-(model() * d_hinge).sum() * dx)
published = slope(0.5 * (model() * d_square**2).sum() * dx)  # D should be 0 on fakes
shared = slope(-0.5 * (model() * (d_square + 1) ** 2).sum() * dx)  # minus the loss of D instead
usual = slope(0.5 * (model() * (q / (p + q)) ** 2).sum() * dx)  # targets 1 and 0, and 1 for G
far, near = (F.cosine_similarity(each, slope(square()), dim=0) for each in (published, usual))
claim("the hinge's gradient is that of 2·TV",
      torch.allclose(hinge, slope(variation()), rtol=1e-9, atol=0))
claim("the published squares' points away from χ²'s here: the cosine is negative",
      far < -0.1, guessed="cosine_of_squares", cosine=far)
claim("with one shared number it is χ²'s, with targets 1, 0 and 1 nearly parallel here",
      torch.allclose(shared, slope(square() / 2), rtol=1e-9, atol=0) and near > 0.95, cosine=near)

# %%
elsewhere = []
for mean in torch.linspace(-2, 2, 9).tolist():
    for width in (0.3, 0.5, 0.7, 1.0, 1.4, 2.0):
        theta.data = torch.tensor([mean, math.log(width)], dtype=f64)
        held = ((p - model()) / (p + model())).detach()
        vector = slope(0.5 * (model() * held**2).sum() * dx)
        elsewhere.append(F.cosine_similarity(vector, slope(square()), dim=0).item())
elsewhere = torch.tensor(elsewhere)
claim("a matter of place: of 54 bells fewer than 10 have a negative cosine, more than 27 one above 0.7",
      (elsewhere < 0).sum() < 10 and (elsewhere > 0.7).sum() > 27 and elsewhere.min() < -0.1,
      negative=(elsewhere < 0).sum(), above=(elsewhere > 0.7).sum())

# %% [markdown]
# The published sentence puts the best $D$ into the generator's loss and reads off a $\chi^2$, correctly. But the *gradient* that the
# generator takes holds $D$ still, and that is another vector: mostly a similar one, and at our $q$ one that points away.
#
# ## 2 · From a divergence to a loss
#
# The other way round: choose a divergence, get its loss. For convex $f$ the **conjugate** is
# $f^*(t) = \max_{u\ge0}\,(ut - f(u))$. Hence $f(u) \ge ut - f^*(t)$ for every $t$, and with one $t = T(x)$ for each $x$
#
# $$\mathrm{E}_q\Big[f\Big(\frac pq\Big)\Big] \;\ge\; \mathrm{E}_p[T] - \mathrm{E}_q[f^*(T)], \qquad \text{equal at } T^* = f'(p/q). \tag{9b.2}$$
#
# A lower bound from draws only, which a network $T$ can raise: **f-GAN** (Nowozin et al. 2016).

# %% tags=["hide-input"]
show(pictures.conjugate(),
     alt="The parabola f(u) = (u − 1)² with two straight lines that touch it from below; each cuts the "
         "vertical axis at minus the conjugate of its slope.")

# %% [markdown]
# Take $f(u) = (u-1)^2$. The derivative of $ut - (u-1)^2$ is 0 at $u = 1 + t/2$, and $f^*(t) = t^2/4 + t$, as in the picture (for
# $t < -2$ the best $u$ is 0, and $f^* = -1$).
#
# The conjugate may be infinite. For $2\,\mathrm{JSD}$ it is $-\ln(2 - e^t)$, finite for $t < \ln 2$ only. So the network's free output $v$ has to be
# bent into the **domain** first: $T = \ln 2\sigma(v)$ does it, and the bound is chapter 09's game.

# %%
family = {  # f(u) and its conjugate, for u = p/q
    "KL(p‖q)": (lambda u: torch.xlogy(u, u), lambda t: (t - 1).exp()),
    "χ²": (lambda u: (u - 1) ** 2, lambda t: t**2 / 4 + t),
    "2 JSD": (lambda u: torch.xlogy(u, 2 * u / (1 + u)) - ((1 + u) / 2).log(),
              lambda t: -(2 - t.exp()).log()),
}
u = (p / q).requires_grad_()
for name, (f, conjugate) in family.items():
    bound = lambda t: ((p * t - q * conjugate(t)).sum() * dx).item()
    best_t = lambda u: torch.autograd.grad(f(u).sum(), u)[0]  # T = f′(u)
    exact = ((q * f(u)).sum() * dx).item()
    tight = math.isclose(bound(best_t(u)), exact, rel_tol=1e-8)
    lower = max(bound(best_t(u * 0.99)), bound(best_t(u * 1.01))) < bound(best_t(u))
    claim(f"{name}: the bound is tight at f′(p/q), and lower for ratios 1 % off either way",
          tight and lower)

# %% [markdown]
# ### Exercise: a loss for the reverse KL
# *difficulty 3/5 · importance 4/5 · 12 minutes*
#
# Now you: $\mathrm{KL}(q\,\|\,p) = \mathrm{E}_q[f(p/q)]$ with $f(u) = -\ln u$. Find its conjugate and where it is finite. The network's
# output $v$ is bent there by $T = -e^{-v}$. What is the loss?

# %% tags=["nbval-ignore-output"]
@exercise("gan.reverse_kl_loss")
def reverse_kl_loss(real_outputs, fake_outputs):
    """Return the negative of the bound (9b.2) for f(u) = −ln u and T = −exp(−v).

    real_outputs (n,), fake_outputs (m,): the network's outputs v; each expectation is a batch's mean.
    Worked value: real_outputs = [0.], fake_outputs = [0., 0.] give 0.
    """
    # a number: at best −KL(q‖p)
    ...

# %%
real, fake = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 1, 1, 1])  # two symbols: 3:2 and 1:4
v = torch.tensor([0.6 / 0.2, 0.4 / 0.8], dtype=f64).log().requires_grad_()  # ln p/q of each symbol
loss = reverse_kl_loss(v[real], fake_outputs=v[fake])
(uphill,) = torch.autograd.grad(loss, v)
reverse_kl = 0.2 * math.log(0.2 / 0.6) + 0.8 * math.log(0.8 / 0.4)
claim("at v = ln p/q your loss is −KL(q‖p) and stands still",
      abs(loss.item() + reverse_kl) < 1e-9 and uphill.abs().max() < 1e-9)
shifted = [reverse_kl_loss((v + s)[real], (v + s)[fake]).item() for s in (-0.1, 0.1)]
claim("a tenth off either way it is higher", min(shifted) > loss.item() + 1e-3)

# %% [markdown]
# ## 3 · Carrying
#
# Where $p$ and $q$ share nothing, $u$ is 0 or infinite at any distance: the first picture's flat ends. $W_1$ asks how far mass must be
# carried, on average, to turn $p$ into $q$. On a line nothing is gained by crossing ways, so the smallest goes to the smallest.
#
# ### Exercise: Wasserstein on a line
# *difficulty 3/5 · importance 4/5 · 12 minutes*
#
# Two samples, which may differ in size: then a point of one may have to be shared out among several of the other.

# %% tags=["nbval-ignore-output"]
@exercise("gan.wasserstein_1d")
def wasserstein_1d(x, y):
    """Return the mean distance over which x must be carried to lie as y does.

    x (n,), y (m,): two samples on a line, n and m may differ; each point of x weighs 1/n, of y 1/m.
    Worked values: x = [3., 1.], y = [2., 5.] give 1.5; x = [0., 4.], y = [1.] give 2.
    """
    # which part of x belongs to which part of y?
    ...

# %% [markdown]
# In the plane there is no order. A **linear program** finds the plan:
#
# $$W_1 = \min_{P\ge0}\ \sum_{ij}P_{ij}\,c_{ij}, \quad \text{rows sum to } p, \text{ columns to } q, \tag{9b.3}$$
#
# where $P_{ij}$ goes from $i$ to $j$ over the distance $c_{ij}$. Every linear program has a **dual**. Here it sets prices, $f_i$ at the sources and
# $g_j$ at the goals, and no pair may be paid more than its way costs:
#
# $$W_1 = \max_{f,\,g}\ \sum_i p_i f_i + \sum_j q_j g_j \quad\text{with } f_i + g_j \le c_{ij}. \tag{9b.4}$$

# %% [markdown]
# Given the $g_j$, the best $f$ at a place is $\min_j(c_j - g_j)$, the **c-transform**, where $c_j$ is the distance from that place to $j$. It is
# a minimum of cones, so its slope is at most 1, it is defined everywhere, and at the goals $-f$ serves as $g$: at $j$ itself the
# distance is 0, so $f \le -g_j$ there, and $-f$ pays no less. That is a **critic**, and the
# maximum of $\mathrm{E}_p[f] - \mathrm{E}_q[f]$ over such functions is $W_1$ (Kantorovich and Rubinstein).

# %%
one, other = (draw_bumps(1, n, torch.Generator().manual_seed(n))[0].double() for n in (7, 5))
even = lambda n: torch.full((n,), 1 / n, dtype=f64)
by_program = optimal_transport((one[:, None] - other).abs(), even(7), even(5)).distance
claim("on a line a program that may cross ways finds nothing cheaper than your order",
      abs(wasserstein_1d(one, other) - by_program) < 1e-9)

z = torch.randn(40, 2, dtype=f64, generator=torch.Generator().manual_seed(3))
sources = 0.35 * z[:24] + torch.tensor([-1.2, 0.3], dtype=f64)
goals = z[24:] * torch.tensor([0.3, 0.6], dtype=f64) + torch.tensor([1.3, 0.0], dtype=f64)
cost = torch.cdist(sources, goals)
solved = optimal_transport(cost, even(24), even(16))
earned = (even(24) * solved.f).sum() + (even(16) * solved.g).sum()
claim("the dual earns what the plan costs", abs(earned - solved.distance) < 1e-9)

# %%
critic = lambda place, g=solved.g: (torch.cdist(place, goals) - g).min(1).values  # the c-transform
gain = lambda g: (critic(sources, g).mean() - critic(goals, g).mean()).item()
claim("its c-transform, one function of the place, earns as much",
      abs(gain(solved.g) - solved.distance) < 1e-9)
rng = torch.Generator().manual_seed(4)
by_chance = [gain(solved.g.std() * torch.randn(16, dtype=f64, generator=rng)) for _ in range(100)]
claim("the c-transforms of 100 random price lists, of slope 1 as well, earn at most 97 % of it",
      max(by_chance) < 0.97 * solved.distance, best=max(by_chance) / solved.distance)
used = solved.plan > 1e-9
falls = critic(sources)[:, None] - critic(goals)
claim("along every way that is used it falls by exactly the distance",
      (falls - cost)[used].abs().max() < 1e-9)

# %% tags=["hide-input"]
grid = torch.cartesian_prod(*[torch.linspace(-2.3, 2.3, 47, dtype=f64)] * 2)
show(pictures.transport(sources, goals, solved, grid, critic(grid)),
     alt=f"Left, lines carry 24 data points to 16 fakes over {solved.distance:.2f} on average. Right, "
         "contours of the dual's potential: it falls along every line with slope one.")

# %% [markdown]
# ## 4 · What does a trained critic report?
#
# A WGAN's critic is a network, and something must hold its slope down: the weights are **clipped** to a box (Arjovsky et al. 2017), or a
# **penalty** is added to its loss, $\lambda = 10$ times the mean of $(\|\nabla f\| - 1)^2$ at points between real and fake (Gulrajani et al.
# 2017). Neither makes the slope exactly 1.
#
# ### Question: the price of a penalty
# *difficulty 3/5 · importance 4/5 · 6 minutes*
#
# All data lie in one point, all fakes in another, 2 away. A critic with the penalty is trained to the end of its loss. What does it
# report as $\mathrm{E}_p[f] - \mathrm{E}_q[f]$?

# %% tags=["nbval-ignore-output"]
answer("gan.penalised_critic", ...)

# %%
def two_points(weight, steps=600):
    """Return what five penalised critics report, data in one point of four numbers and fakes 2 away."""
    rng = torch.Generator().manual_seed(5)
    f = SeedMLP([4, 32, 32, 1], 5, rng).to(run.device)
    optimizer = torch.optim.Adam(f.parameters(), 1e-3, betas=(0.5, 0.9))
    away = torch.tensor([2.0, 0.0, 0.0, 0.0], device=run.device)
    real, fake = torch.zeros(5, 1, 4, device=run.device), away.expand(5, 1, 4)
    between = away * torch.linspace(0, 1, 64, device=run.device)[:, None]  # (64, 4)
    between = between.repeat(5, 1, 1).requires_grad_()
    for _ in range(steps):
        (steep,) = torch.autograd.grad(f(between).sum(), between, create_graph=True)
        penalty = ((steep.norm(dim=-1) - 1) ** 2).mean()
        loss = 5 * (f(fake).mean() - f(real).mean() + weight * penalty)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (f(real) - f(fake)).detach().flatten().cpu()


says = {weight: two_points(weight) for weight in (10, 1)}
claim("it reports W₁ + W₁²/2λ: 2.2 with λ = 10 and 4 with λ = 1, five of five within 3 %",
      all((says[w] / (2 + 4 / (2 * w)) - 1).abs().max() < 0.03 for w in says), ten=says[10], one=says[1])

# %% [markdown]
# Between two points with slope $s$ all along, the loss is
#
# $$-s\,W_1 + \lambda\,(s - 1)^2, \qquad\text{least at } s = 1 + \frac{W_1}{2\lambda}: \tag{9b.5}$$
#
# here, between two points, the penalised critic is biased *upwards*. (For clouds the formula does not apply: most interpolated points lie on no way of
# the plan.) In practice another error weighs more: a critic has had only so many updates. Stanczuk et al. (2021) found the critics of
# common recipes far off. We take a case with a known answer, $p = \mathcal N(0, I)$ and $q = \mathcal N(0, 1.5^2 I)$ in 32 dimensions. Carrying
# $x$ to $1.5\,x$ costs $0.5\,\mathrm{E}\|x\|$, and the critic $-\|x\|$, of slope 1, earns it: so that is $W_1$.

# %% [markdown]
# But a WGAN's critic is not fresh. It gets five updates for each turn of the generator and goes on from where it was. Here the generator is one
# number, the scale of its noise, 1.5 at the start; Adam moves it by about $10^{-3}$ a turn, and the critic learns at rate $10^{-3}$. **Guess:** what share of
# $W_1$ does the critic report after 40 such turns? And what after the scale has passed 1, where the data are?

# %% tags=["nbval-ignore-output"]
guess("warm_share", ...)

# %%
print(f"W₁ at the start = {scaled_gaussians_distance(32, 1.5):.3f}")
run.expect("critics with penalty", minutes=0.5)
fresh_marks, fast_marks = [5, 20, 100, 400], [5, 25, 50, 100, 200, 300]
slow_marks = [5, 25, 50, 100, 200, 300, 400, 500, 750, 1000, 2000, 2750]
fresh = share_of_distance(fresh_marks, 32, 1.5, gp_weight=10.0, device=run.device).cpu()  # (4, 5)
slow, fast = (share_of_distance(marks, 32, 1.5, g_rate=rate, gp_weight=10.0, device=run.device).cpu()
              for marks, rate in ((slow_marks, 1e-3), (fast_marks, 1e-2)))
others = recorded("live_values").arm("09b_divergences")  # five other critics
claim("a fresh critic: under 50 % of W₁ after five updates, above 90 % after 400, in five of five",
      fresh[0].max() < 0.5 and fresh[3].min() > 0.9, share=fresh[0],
      later=others.beside(fresh[3], "fresh"))
claim("a WGAN's own critic, from turn 40 to 200: between 90 % and 105 %, in five of five",
      slow[4:-2].min() > 0.9 and slow[4:-2].max() < 1.05, least=slow[4:-2].min(), most=slow[4:-2].max())
claim("with a generator ten times as fast, at turn 40: between 70 % and 100 %",
      fast[4].min() > 0.7 and fast[4].max() < 1, turn_40=others.beside(fast[4], "fast generator"))
claim("past the data both critics point the wrong way, ten of ten: fast at turn 60, slow at turn 550",
      max(fast[5].max(), slow[-1].max()) < 0, guessed="warm_share", fast=fast[5], slow=slow[-1])

# %%
boxes = [share_of_distance([400], 32, 1.5, box=box, device=run.device)[0].cpu()
         for box in (0.01, 0.03, 0.1, 0.3)]
boxed = torch.stack(boxes)  # (4, 5)
claim("clipped weights report their box: below 1 % of W₁ for ±0.01, above 10 times it for ±0.3",
      boxed[0].max() < 0.01 and boxed[3].min() > 10, means=boxed.mean(1))

rng = torch.Generator().manual_seed(4)
cloud = lambda scale: scale * torch.randn(64, 32, dtype=f64, generator=rng)
exact = scaled_gaussians_distance(32, 1.5)
batches = torch.stack([match(cloud(1.0), cloud(1.5))[0] for _ in range(5)]) / exact
same = torch.stack([match(cloud(1.0), cloud(1.0))[0] for _ in range(5)]) / exact
claim("W₁ between two batches of 64, solved exactly, is more than 2.5 times that of the distributions",
      batches.min() > 2.5, ratio=batches)
claim("two batches of the same distribution are more than twice as far apart as p and q", same.min() > 2,
      ratio=same)

# %% tags=["hide-input"]
arms = {"fakes stand still": (fresh_marks, fresh), "slow generator": (slow_marks, slow),
        "fast generator": (fast_marks, fast)}
exactly = {"two batches of 64": batches.mean().item(), "both from p": same.mean().item()}
show(pictures.said(arms, exactly, boxed),
     alt="Left, the share of the true distance that critics with penalty report against their updates: "
         "with still and moving fakes it comes near 1, and below 0 once the generator has passed the "
         "data. Exact distances of batches lie at two to three times the W₁ of p and q. Right, clipped "
         "critics: from under a hundredth to more than ten times, by the box.")

# %% [markdown]
# So with the penalty, and while the fakes are still on their way, a WGAN's critic reports $W_1$ well here, and with the fast generator some ten points less of it. A fresh
# critic with as many updates does as well, so it is the number of updates that counts. ‘Critics never measure it’ would be too strong, and so would ‘they
# measure it’: with the generator past the data, both critics point the other way. A clipped critic reports its box, and the exact
# distance of two *batches* is mostly about the batches. The clipped critics of chapter 09 brought the fakes home all the same.
#
# ### Where the same recipe fails
#
# On a line, take $\mathcal N(0, 1)$ against $\mathcal N(0, 2^2)$. The best critic is $-|x|$, and $+|x|$ is exactly wrong: a share of −1.

# %%
line = share_of_distance([400], 1, 2.0, gp_weight=10.0, device=run.device)[0].cpu()
claim("on a line one or more of five critics is below 50 % of W₁ after 400 updates", line.min() < 0.5,
      share=line)

# %% [markdown]
# Same penalty, same rate, one dimension for 32. Why some critics are late or wrong here, we have not asked.

# %% [markdown]
# ## What stays
#
# - A loss that is free at each $x$, has a minimum and bends at $u = 1$ leaves an $f$-divergence: [*hinge: 2 − 2·TV, the total variation*](#1-·-From-a-loss-to-a-divergence). The perceptron's leaves none: [*no divergence is left over*](#1-·-From-a-loss-to-a-divergence).
# - The generator descends it where both share one number, [*with one shared number it is χ²'s*](#Does-the-generator-descend-it?); for the squares as published, at our $q$, [*the cosine is negative*](#Does-the-generator-descend-it?).
# - A convex $f$ and its conjugate give a loss: [*the bound is tight at f′(p/q)*](#2-·-From-a-divergence-to-a-loss).
# - $W_1$ is a plan and, seen from its dual, a critic: [*its c-transform, one function of the place, earns as much*](#Exercise:-Wasserstein-on-a-line).
# - Whether a critic's number is $W_1$ depends on how it is trained: [*from turn 40 to 200: between 90 % and 105 %*](#Question:-the-price-of-a-penalty) with penalty, while the fakes are still on their way; [*past the data both critics point the wrong way*](#Question:-the-price-of-a-penalty); [*clipped weights report their box*](#Question:-the-price-of-a-penalty).

# %% tags=["nbval-ignore-output"]
progress("09b_divergences")

# %% [markdown]
# **Open questions.** Is $W_1$ between *batches* a useful loss for a generator? What would a penalty on slopes above 1 alone report between the two
# points?
#
# **References.** Nguyen, Wainwright and Jordan 2009, *On surrogate loss functions and f-divergences*: theorem 1. Nowozin et al. 2016, *f-GAN*: table 2, with the domains.
# Mao et al. 2017, *Least squares GANs*: section 3.2. Villani 2009, *Optimal transport*: chapter 5, on the c-transform. Peyré and Cuturi 2019, *Computational optimal
# transport*: chapters 2 and 3. Gulrajani et al. 2017, *Improved training of Wasserstein GANs*: section 4. Stanczuk et al. 2021, *Wasserstein GANs work because they
# fail*: section 5.
