# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06b · A VAE that can be solved
#
# **What does a VAE learn where the answer is known, and what do more draws buy?**
#
# Where does the training of a VAE end? For networks that cannot be written down. For a VAE whose encoder and decoder are matrices, it can: the best encoder, the best decoder, and which latents die. The same model then tells us what
# happens to a gradient when the bound is made tighter. Both ends of the chapter are in this picture.

# %% tags=["hide-input"]
from course_lib.chapters.ch06b_linear_vae import figures as pictures
from course_lib.classroom.figures import show

promise = {"plain": [0.39, 0.21, 0.10, 0.05], "doubly\nreparam.": [1.27, 1.28, 1.96, 3.77]}
fig = pictures.opening([0.057, 0.039, 0.029, 0.018, 0.015], [1, 4, 16, 64], promise)
show(fig, alt="Left, the squared length of five decoder columns against the noise: each is its "
              "eigenvalue minus the noise, or zero. Right, the signal of an encoder's gradient against "
              "the draws: the plain one falls, the doubly reparameterised one rises.")

# %% [markdown]
# Afterwards you can
#
# - write down the optimum of a linear VAE, and say what it has and has not in common with PCA;
# - predict which latents collapse;
# - say when the importance-weighted bound reaches $\ln p(x)$, and repair the encoder's gradient.
#
# **Needs** chapter 06; eigenvalues and traces. Optional: no later chapter relies on it. **Time** 60 minutes to read and run, 25 for the
# exercises; the cells run in about 15 s.
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $W, V$ | linear decoder, linear encoder | (d, latent), (latent, d) |
# | $D$ | the encoder's variances | (latent,) |
# | $\sigma$ | standard deviation of the decoder's noise | |
# | $S$ | the data's covariance | (d, d) |
# | $\lambda_j, u_j$ | its eigenvalues, largest first, and directions | ; (d,) |
# | $w, \bar w$ | importance weights; the same, to sum 1 | (k, batch) |
# | $k$ | draws of $z$ for one example | |

# %% tags=["nbval-ignore-output"]
import math

import torch
from torch.distributions import Normal
from torch.nn import functional as F

from course_lib.chapters.ch06b_linear_vae.solved import maximise
from course_lib.chapters.exercises import answer, exercise, hint, progress, solution
from course_lib.classroom.claims import claim
from course_lib.classroom.guesses import guess
from course_lib.datasets.images import load_digits
from course_lib.information.divergences import kl_to_standard_normal, monte_carlo
from course_lib.training.runtime import start
from course_lib.vae.bounds import importance_weighted_bound, log_standard_normal
from course_lib.vae.likelihoods import gaussian_log_likelihood

run = start(seed=0, threads=1)
f64 = torch.float64
generator = torch.Generator().manual_seed(0)
draw = lambda *shape: torch.randn(*shape, dtype=f64, generator=generator)

# %% [markdown]
# ## 1 · A VAE without draws
#
# The decoder is a matrix, $p(x\mid z) = \mathcal N(Wz + m,\, \sigma^2 I)$, and so is the encoder,
# $q(z\mid x) = \mathcal N(V(x-m),\, \operatorname{diag} D)$. Here $x$ and $z$ are columns, and $m$ is the data's mean. The noise
# $\sigma^2$ is one number for all pixels, and $D$ holds one variance for each latent, whatever $x$ is. Our data are 9,000 digits, averaged over
# blocks of $7\times7$ pixels, so that an image is 16 numbers. There are five latents.

# %%
digits = F.avg_pool2d(load_digits().train.double()[:, None] / 255, 7).flatten(1)  # (9000, 16)
centred = digits - digits.mean(0)  # rows x − m
d, latents = 16, 5
S = centred.T @ centred / len(centred)  # (16, 16)
eigenvalues, directions = (t.flip(-1) for t in torch.linalg.eigh(S))  # largest first; columns u_j
claim("the five largest eigenvalues are 0.057, 0.039, 0.029, 0.018 and 0.015",
      [round(v, 3) for v in eigenvalues[:5].tolist()] == [0.057, 0.039, 0.029, 0.018, 0.015])

# %% tags=["hide-input"]
fig = pictures.linear_vae()
show(fig, alt="The linear VAE as a diagram: x minus the mean, times V, plus noise of variance D, is z; "
              "times W, plus noise of variance σ², it is the reconstruction.")

# %% [markdown]
# The ELBO of equation (6.4) needs no draws here. Write $z = V(x - m) + \eta$, with noise $\eta$ of mean 0 and variances $D$, and $R = I - WV$.
# Then $x - m - Wz = R(x - m) - W\eta$. The two parts are independent and have mean 0 over the data, so with $w_j$ for the columns of $W$
#
# $$\mathrm{E}\|x - m - Wz\|^2 = \operatorname{tr}(R S R^\top) + \sum_j D_j \|w_j\|^2 . \tag{6b.1}$$
#
# In the KL of equation (6.5), the mean of $\mu_j^2$ over the data is $(V S V^\top)_{jj}$. So the examples enter through $S$ alone.

# %%
def linear_elbo(W, V, log_D, log_s2):
    """Return the mean ELBO of all examples, exactly."""
    D, s2 = log_D.exp(), log_s2.exp()
    R = torch.eye(d, dtype=f64) - W @ V
    square = torch.trace(R @ S @ R.T) + (W**2 @ D).sum()  # equation (6b.1)
    recon = -d / 2 * (math.log(2 * math.pi) + log_s2) - square / (2 * s2)
    kl = 0.5 * ((V @ S * V).sum() + (D - 1 - log_D).sum())
    return (recon - kl).squeeze()


W, V, log_D = 0.3 * draw(d, latents), 0.3 * draw(latents, d), draw(latents)
log_s2 = torch.tensor(-3.0, dtype=f64)
mu = centred @ V.T  # (9000, 5)
z = mu + (log_D / 2).exp() * draw(20, 9000, latents)
recon = gaussian_log_likelihood(centred, z @ W.T, log_s2.expand(d))  # (20, 9000)
drawn = recon.mean(1) - kl_to_standard_normal(mu, log_D.expand(9000, latents)).mean()  # (20,)
estimate, error = monte_carlo(drawn)
claim("for a random W, V, D it is the mean over 20 rounds of draws, within 5 standard errors",
      abs(estimate - linear_elbo(W, V, log_D, log_s2)) < 5 * error, drawn=estimate, error=error)

# %% [markdown]
# ## 2 · The best encoder for a decoder
#
# Fix $W$. As a function of $z$, $\ln p(x, z)$ is $-\tfrac12 z^\top\Lambda z + z^\top W^\top(x - m)/\sigma^2$ plus a constant, where
# $\Lambda = I + W^\top W/\sigma^2$; the $I$ comes from the prior. So the posterior is a Gaussian with covariance $\Lambda^{-1}$ and mean
# $\Lambda^{-1}W^\top(x - m)/\sigma^2$. Let $\delta$ be the difference between this mean and that of $q$. Taking the mean of
# $\ln q - \ln p(z\mid x)$ under $q$, where $\mathrm{E}[(z-\mu)(z-\mu)^\top] = \operatorname{diag} D$, gives
#
# $$\mathrm{KL}\big(q\,\|\,p(z\mid x)\big) = \tfrac12\Big(\delta^\top\Lambda\,\delta
#   + \sum_j\big(\Lambda_{jj} D_j - 1 - \ln D_j\big) - \ln\det\Lambda\Big). \tag{6b.2}$$
#
# ### Exercise: the best linear encoder
# *difficulty 3/5 · importance 4/5 · 12 minutes*
#
# Which $V$ and $D$ make this least, whatever $x$ is?

# %% tags=["nbval-ignore-output"]
@exercise("vae.best_linear_encoder")
def best_linear_encoder(W, s2):
    """Return (V, D) of the q(z|x) = N(V (x − m), diag D) that is best for p(x|z) = N(W z + m, s2 I).

    W (d, latent), s2 = σ², a number above 0; returns (latent, d) and (latent,).
    Worked value: W = [[1.], [0.]], s2 = 1.0 give V = [[0.5, 0.]], D = [0.5].
    """
    # the columns of W may overlap: Λ is any positive matrix
    ...

# %%
s2 = log_s2.exp().item()
V, D = best_linear_encoder(W, s2)
by_V, by_D = torch.func.grad(linear_elbo, argnums=(1, 2))(W, V, D.log(), log_s2)
claim("there the ELBO's derivatives by V and ln D vanish",
      max(by_V.abs().max(), by_D.abs().max()) < 1e-8)


def log_likelihood(W, s2):
    """Return the mean ln p(x): without z, x is a Gaussian with covariance C = W Wᵀ + σ² I."""
    C = W @ W.T + s2 * torch.eye(d, dtype=f64)
    return -0.5 * (d * math.log(2 * math.pi) + torch.logdet(C) + torch.trace(torch.linalg.solve(C, S)))


def gap(W, s2):
    precision = torch.eye(latents, dtype=f64) + W.T @ W / s2  # Λ
    return 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))


missing = log_likelihood(W, s2) - linear_elbo(W, V, D.log(), log_s2)
claim("the best ELBO misses ln p(x) by half of (Σ ln Λ_jj − ln det Λ), to 1e-10",
      missing > 0.02 and abs(missing - gap(W, s2)) < 1e-10, nats=missing)

# %% [markdown]
# (The ELBO is concave in $V$ and in $\ln D$, a sum of negative squares and of terms $\ln D_j - cD_j$; so where these derivatives vanish is its maximum.)
#
# The mean can be the posterior's own, $V = \Lambda^{-1}W^\top/\sigma^2$, so that $\delta = 0$. The bracket of $D_j$ in equation (6b.2) is
# least at $D_j = 1/\Lambda_{jj}$, where it is $\ln\Lambda_{jj}$. What remains is
#
# $$\text{gap} = \tfrac12\Big(\sum_j \ln\Lambda_{jj} - \ln\det\Lambda\Big). \tag{6b.3}$$
#
# It is a KL, so it is never negative, and it is 0 exactly where $\Lambda$ is diagonal, that is, where the columns of $W$ are orthogonal. A $q$ with
# a full covariance would have no gap at all.

# %% [markdown]
# ## 3 · The best decoder
#
# The likelihood depends on $W$ only through $C = WW^\top + \sigma^2 I$. Turn the latents by a rotation $Q$: $WQ$ has the same $C$. So we may choose
# the rotation for which the columns are orthogonal, and lose nothing. Setting the derivative of the likelihood by $W$ to zero gives
#
# $$S\,C^{-1} W = W .$$

# %% [markdown]
# For orthogonal columns $C\,w_j = (\|w_j\|^2 + \sigma^2)\,w_j$, so this says $S w_j = (\|w_j\|^2 + \sigma^2)\,w_j$. Every column is
# zero or an eigenvector of $S$, with the squared length $\lambda - \sigma^2$. Which eigenvectors? Along $u_j$ the model has the variance $c_j$,
# which is $\lambda_j$ with a column and $\sigma^2$ without, and the direction costs $\tfrac12(\ln c_j + \lambda_j/c_j)$. A column saves
# $\tfrac12(\lambda_j/\sigma^2 - 1 - \ln(\lambda_j/\sigma^2))$, the more the larger $\lambda_j > \sigma^2$ is; so the largest are taken. If $\sigma^2$ is
# free too, its derivative is zero at the mean of the eigenvalues left over (Tipping and Bishop 1999). With section 2,
#
# $$\|w_j\|^2 = \max(\lambda_j - \sigma^2, 0), \qquad D_j = \frac{\sigma^2}{\lambda_j}, \qquad
#   WV = \sum_j \Big(1 - \frac{\sigma^2}{\lambda_j}\Big) u_j u_j^\top , \tag{6b.4}$$
#
# the last two over the columns that are not zero; for a zero column $D_j = 1$.

# %%
rest = eigenvalues[latents:].mean()  # the best σ²
top = eigenvalues[:latents]
W_best = directions[:, :latents] * (top - rest).sqrt()
V_best, D_best = best_linear_encoder(W_best, rest.item())
optimum = (W_best, V_best, D_best.log(), rest.log())
slopes = torch.func.grad(linear_elbo, argnums=(0, 1, 2, 3))(*optimum)
claim("at this decoder and its best encoder all derivatives of the ELBO vanish, that by σ² too",
      max(slope.abs().max() for slope in slopes) < 1e-8)
best = linear_elbo(*optimum)
claim("there is no gap: the ELBO is ln p(x), to 1e-10", abs(best - log_likelihood(W_best, rest)) < 1e-10)
kept = (directions.T @ W_best @ V_best @ directions).diag()[:latents]
claim("D is σ²/λ, and W V keeps 1 − σ²/λ of each direction, as equation (6b.4) has it",
      torch.allclose(D_best, rest / top, rtol=1e-10)
      and torch.allclose(kept, 1 - rest / top, rtol=1e-10))

# %% [markdown]
# So the best linear VAE is *probabilistic* PCA. Principal component analysis, PCA, keeps the same five directions, but the whole of each: its $WV$ would be
# $\sum_j u_j u_j^\top$. The VAE shrinks what it reconstructs, the more the less the data vary along a direction, because the prior pulls $z$ towards 0.
#
# That is a calculation. Does training get there? Five random starts, and a maximiser that knows nothing of eigenvectors.

# %%
def train(seed, s2=None):
    """Train W, V and D from a random start, σ² too if s2 is None; return W, V, ln D, σ² and the ELBO."""
    own = torch.Generator().manual_seed(seed)
    W, V = 0.1 * torch.randn(2, d * latents, dtype=f64, generator=own)
    start = [W.view(d, latents), V.view(latents, d), torch.zeros(latents, dtype=f64)]
    if s2 is None:
        (*found, log_s2), reached = maximise(linear_elbo, *start, torch.tensor([-2.0], dtype=f64))
        return *found, log_s2.exp(), reached
    fixed = torch.tensor([s2], dtype=f64).log()
    found, reached = maximise(lambda *weights: linear_elbo(*weights, fixed), *start)
    return *found, fixed.exp(), reached


trained = [train(seed) for seed in range(5)]

# %%
order = [W.square().sum(0).argsort(descending=True) for W, *_ in trained]  # longest column first
columns = [W[:, by_length] for (W, *_), by_length in zip(trained, order, strict=True)]
aligned = torch.stack([F.cosine_similarity(W, directions[:, :latents], dim=0).abs() for W in columns])
squares = torch.stack([W.square().sum(0) for W in columns])  # (5 seeds, 5 columns)
claim("five trainings end within 1e-6 nats of the calculated optimum",
      all(abs(reached - best) < 1e-6 for *_, reached in trained))
claim("their columns are the principal directions (cosine above 0.999), of squared length λ − σ² to 1 %",
      aligned.min() > 0.999 and torch.allclose(squares, (top - rest).expand(5, 5), rtol=1e-2))
claim("and their W V is that of equation (6b.4), to 1e-4",
      all((W @ V - W_best @ V_best).abs().max() < 1e-4 for W, V, *_ in trained))

# %% tags=["hide-input"]
fig = pictures.columns(directions[:, :latents], columns[:2])
show(fig, alt="Five principal directions of the pooled digits as four by four pictures, and under them "
              "the columns of two trained decoders, longest first: the same pictures.")

# %% [markdown]
# The likelihood does not care about a rotation: $W$ and $WQ$ have the same $C$. Turn the best decoder by a random $Q$ and give it the best
# diagonal encoder that it can have. **Guess:** how many nats does the ELBO lose? (All five latents together have a KL of about 5 nats.)

# %% tags=["nbval-ignore-output"]
guess("lost_by_turning", ...)

# %%
turned = W_best @ torch.linalg.qr(draw(latents, latents))[0]
V_turned, D_turned = best_linear_encoder(turned, rest.item())
lost = best - linear_elbo(turned, V_turned, D_turned.log(), rest.log())
carried = kl_to_standard_normal(centred @ V_best.T, D_best.log().expand(9000, latents)).mean()
claim("the same likelihood, to 1e-10", abs(log_likelihood(turned, rest) - best) < 1e-10)
claim("but the ELBO loses the gap of equation (6b.3), more than 0.02 nats",
      lost > 0.02 and abs(lost - gap(turned, rest)) < 1e-9,
      guessed="lost_by_turning", nats=lost, kl_of_all=carried)

# %% [markdown]
# This VAE finds the principal directions because its $q$ is *diagonal*, not because its likelihood asks for them (Rolinek et al. 2019; Lucas et
# al. 2019).
#
# ## 4 · Collapse is the optimum
#
# A latent **collapses** when the decoder ignores it and $q$ is the prior. Fix $\sigma^2$ by hand, as a loss of squared errors does.
#
# ### Question: who is left?
# *difficulty 2/5 · importance 4/5 · 4 minutes*
#
# The five largest eigenvalues are 0.057, 0.039, 0.029, 0.018 and 0.015. How many of the five latents are used at $\sigma^2 = 0.025$?

# %% tags=["nbval-ignore-output"]
answer("vae.latents_in_use", ...)

# %%
noise = [0.005, 0.01, 0.016, 0.025, 0.045, 0.06]
used = torch.stack([train(0, s)[0].square().sum(0).sort(descending=True)[0] for s in noise])  # (6, 5)
exact = torch.stack([(top - s).clamp(min=0) for s in noise])
claim("at each of six σ² the trained squared lengths are λ − σ² or zero, to 1e-6",
      (used - exact).abs().max() < 1e-6)
active = (used > 1e-4).sum(1).tolist()
print("latents in use:", dict(zip(noise, active, strict=True)))
claim("a latent has collapsed exactly where σ² exceeds its eigenvalue",
      active == (eigenvalues[:latents] > torch.tensor(noise)[:, None]).sum(1).tolist())

# %% tags=["hide-input"]
fig = pictures.collapse(top.tolist(), noise, used)
fig.axes[0].set_title("A latent dies where the noise exceeds its eigenvalue", loc="left")
show(fig, alt="Squared lengths of the five trained columns against the noise variance lie on the lines "
              "eigenvalue minus noise, and are zero beyond.")

# %% [markdown]
# Here no training failed: the dead latents are the *best* that this noise allows. To have one back, lower $\sigma^2$ below its eigenvalue, or learn it: the best one lies below all five. A $\beta$
# above 1 does the opposite: it acts on the KL like a larger $\sigma^2$.

# %% [markdown]
# ## 5 · When more draws reach the truth
#
# Chapter 06 showed $\mathcal L_k \le \ln p(x)$, growing with $k$. Does it reach $\ln p(x)$? Where $q > 0$ wherever $p(x, z) > 0$, **it does exactly if
# $\mathcal L_m$ is finite for some $m$**; a finite ELBO is enough, and the weights need not be bounded. Let $u_i = w_i/p(x)$, with $\mathrm{E}[u] = 1$, and let $\bar u_k$ be the mean of $k$ of them. By the law of large
# numbers $\ln\bar u_k \to 0$. For its *expectation*, nothing may escape to infinity. From above $\ln\bar u_k \le \bar u_k - 1$, and from below, by concavity,
# $\ln\bar u_k \ge \tfrac1k\sum_i\ln u_i$. Both are means of independent draws with a finite expectation, and these
# converge in the mean; so does what lies between them. (If only $\mathcal L_m$ is finite, take the lower bound over groups of $m$ draws.)

# %% [markdown]
# **Where the ELBO is $-\infty$ and two draws are enough.** Let $q$ be uniform on $(0, 1)$ and $w = e^{-1/z}$. Then
# $\mathrm{E}[\ln w] = -\int_0^1 dz/z = -\infty$. But $\mathcal L_2$ is finite: the larger of two draws has the density $2t$, so
# $\mathrm{E}[1/\max] = 2$, and $\mathcal L_2$ lies between $-2 - \ln 2$ and $-2$.
#
# **Where nothing helps.** If $w = 0$ with a probability of one half, all $k$ weights are 0 with the probability $2^{-k}$, and every $\mathcal L_k$ is
# $-\infty$.

# %%
middle = (torch.arange(2000, dtype=f64) + 0.5) / 2000  # midpoints of (0, 1)
t, v = middle[:, None], middle  # the larger draw, and the smaller as a share of it
second = -2 + (2 * t * torch.log1p((1 / t * (1 - 1 / v)).exp().sub(1) / 2)).mean()  # L_2 on a grid
cut = [(-1 / middle[middle > a]).mean().item() * (1 - a) for a in (0.1, 0.01)]
log_p = (-1 / middle).exp().mean().log()
claim("cut off below a = 0.1 or 0.01, the ELBO's integral is ln a, within 0.01",
      abs(cut[0] - math.log(0.1)) < 0.01 and abs(cut[1] - math.log(0.01)) < 0.01)
claim("but L₂ is between −2 − ln 2 and −2, and below ln p(x)",
      -2 - math.log(2) < second < -2 < log_p, second=second, log_p=log_p)

# %% [markdown]
# Reaching the truth may take long. Let the posterior be $\mathcal N(0, 1)$ and $q = \mathcal N(0, s^2)$. The weights have a finite variance only if
# $s^2 > \tfrac12$. A $q$ that is too wide, $s^2 = 2$, has a gap of 0.15 nats, and 8 draws bring that below a tenth. **Guess:** how many draws does a $q$
# that is too narrow, $s^2 = 0.2$, need to bring its 0.40 nats below a tenth?

# %% tags=["nbval-ignore-output"]
guess("draws_for_narrow", ...)

# %%
ks, n = [1, 4, 8, 64, 256], 20_000
eps = draw(256, n)
curves = {}
for s2 in (2.0, 0.2):
    log_u = 0.5 * (math.log(s2) + (1 - s2) * eps**2)  # ln of N(z; 0, 1)/N(z; 0, s²) at z = s ε
    means = [-importance_weighted_bound(log_u.view(256 // k, k, n).transpose(0, 1).flatten(1))
             .view(-1, n).mean(0) for k in ks]  # the gap, k draws at a time
    curves[s2] = [monte_carlo(each) for each in means]
(wide, wide_error), (narrow, narrow_error) = curves[2.0][2], curves[0.2][4]
first = [0.5 * (s2 - 1 - math.log(s2)) for s2 in (2.0, 0.2)]  # the exact gaps at k = 1
claim("too wide: with 8 draws the gap is less than a tenth of the first",
      wide + 5 * wide_error < first[0] / 10, gap=wide)
claim("too narrow: with 256 draws it is still more than a tenth of the first",
      narrow - 5 * narrow_error > first[1] / 10, guessed="draws_for_narrow", gap=narrow, of=first[1])

# %% tags=["hide-input"]
mean = lambda s2: torch.tensor([each for each, _ in curves[s2]])
fig = pictures.gaps(ks, wide=mean(2.0), narrow=mean(0.2))
fig.axes[0].set_title("Draws from a far too narrow q close its gap slowly", loc="left")
show(fig, alt="The gap of the importance-weighted bound against the draws, log scales: for a q that is "
              "too wide it falls a hundredfold and more, for one that is too narrow less than tenfold.")

# %% [markdown]
# ## 6 · What more draws do to the encoder
#
# A tighter bound ought to train better. Judge a gradient by its **signal-to-noise ratio**, the length of its mean over many runs, divided by its
# standard deviation. We take the calculated optimum as decoder, and a $q$ that is displaced by one standard deviation in a random direction and a fifth too wide. Five seeds
# have each another digit, another direction and other draws.
#
# With more draws, the ratio of the *decoder's* gradient should grow, as for an average. **Guess** by what factor that of the encoder's $\mu$
# changes from $k = 1$ to 64. (Think of $k\to\infty$, where the bound is $\ln p(x)$ whatever $q$ is.)

# %% tags=["nbval-ignore-output"]
guess("encoder_signal", ...)

# %%
device = run.float64_device
W_dev, std = W_best.to(device), 1.2 * D_best.sqrt().to(device)


def runs(k, n, seed):
    """Return, for n runs, log_w as a function of the mean in ln q; q's mean; a shift of the decoder."""
    own = torch.Generator().manual_seed(seed)
    x = centred[torch.randint(9000, (1,), generator=own)]  # (1, 16)
    away = torch.randn(latents, dtype=f64, generator=own)
    mean = x @ V_best.T + away / away.norm() * D_best.sqrt()  # one standard deviation off
    mu = mean.expand(n, latents).to(device).requires_grad_()
    eps = torch.randn(k, n, latents, dtype=f64, generator=own).to(device)
    z = mu + std * eps
    shift = torch.zeros(n, d, dtype=f64, device=device, requires_grad=True)
    recon = gaussian_log_likelihood(x.to(device), z @ W_dev.T + shift, rest.log().expand(d).to(device))
    joint = recon + log_standard_normal(z)  # (k, n)
    return lambda mean: joint - Normal(mean, std).log_prob(z).sum(-1), mu, shift


def ratio(gradient):
    """Return |mean| / standard deviation of n gradients, (n, parameters)."""
    middle = gradient.mean(0)
    return (middle.norm() / (gradient - middle).square().sum(1).mean().sqrt()).cpu()

# %%
draws, n = [1, 4, 16, 64], run.pick(quick=8_000, full=40_000)
ratios = {"plain": torch.zeros(5, 4), "decoder": torch.zeros(5, 4)}
for seed in range(5):
    for i, k in enumerate(draws):
        log_w, mu, shift = runs(k, n, seed)
        by_mu, by_shift = torch.autograd.grad(importance_weighted_bound(log_w(mu)).sum(), (mu, shift))
        ratios["plain"][seed, i], ratios["decoder"][seed, i] = ratio(by_mu), ratio(by_shift)
change = {name: each[:, -1] / each[:, 0] for name, each in ratios.items()}  # from k = 1 to 64, by seed
claim("from k = 1 to 64 the encoder's ratio falls to less than a quarter, the decoder's grows more than "
      "threefold, in each of five seeds", change["plain"].max() < 0.25 and change["decoder"].min() > 3,
      guessed="encoder_signal", encoder=change["plain"], decoder=change["decoder"])

# %% [markdown]
# For large $k$ the tighter bound hardly depends on $q$: the mean of its gradient vanishes, and faster than its spread. How large $k$ must be depends on how far off $q$ is. Rainforth et al. (2018) derive for large $k$, where the weights' moments are finite, that
# the decoder's ratio grows like $\sqrt k$ and the encoder's falls like $1/\sqrt k$.
#
# What makes the spread? Let $\phi$ be a parameter of $q$, and $\bar w_i = w_i/\sum_j w_j$. In $\ln w_i = \ln p(x, z_i) - \ln q(z_i)$ it acts in two ways, through the draw and directly:
#
# $$\partial_\phi \mathcal L_k = \mathrm{E}\Big[\sum_i \bar w_i\Big(\frac{\partial\ln w_i}{\partial z_i}\,\partial_\phi z_i
#   - \partial_\phi\ln q(z_i)\Big)\Big]. \tag{6b.5}$$

# %% [markdown]
# The second part is a score function with $f = \bar w_i$, and chapter 06 had two gradients with the same mean. So reparameterise it *again* (Tucker et al. 2019): in the mean it equals
# $\frac{\partial\bar w_i}{\partial z_i}\,\partial_\phi z_i$ with $\phi$ held fixed in $\bar w_i$. The $\bar w$ are a softmax of the $\ln w$, and by equation (2.2)
# $\partial\bar w_i/\partial\ln w_i = \bar w_i - \bar w_i^2$. Subtracting this from the first part's $\bar w_i$ leaves the square:
#
# $$\partial_\phi \mathcal L_k = \mathrm{E}\Big[\sum_i \bar w_i^2\,\frac{\partial\ln w_i}{\partial z_i}\,\partial_\phi z_i\Big]. \tag{6b.6}$$
#
# ### Exercise: the surrogate
# *difficulty 3/5 · importance 3/5 · 10 minutes*
#
# Write a number whose gradient this is. In the $\ln w$ that you get, the parameters of $q$ act through $z$ alone; in $\ln q$ they are detached.

# %% tags=["nbval-ignore-output"]
@exercise("vae.doubly_reparameterized_surrogate")
def doubly_reparameterized_surrogate(log_w):
    """Return a number an example whose gradient is equation (6b.6); log_w (k, batch) → (batch,).

    Its value is Σ w̄² ln w. Worked value: log_w = [[ln 2], [ln 2]] gives [½ ln 2].
    """
    # autograd will differentiate whatever you write: which factors are constants?
    ...

# %%
ratios["doubly\nreparam."], off = torch.zeros(5, 4), []
for seed in range(5):
    for i, k in enumerate(draws):
        log_w, mu, _ = runs(k, n, seed)  # the draws of before
        (plain,) = torch.autograd.grad(importance_weighted_bound(log_w(mu)).sum(), mu, retain_graph=True)
        surrogate = doubly_reparameterized_surrogate(log_w(mu.detach()))
        (double,) = torch.autograd.grad(surrogate.sum(), mu)
        ratios["doubly\nreparam."][seed, i] = ratio(double)
        off.append(((double - plain).mean(0) / ((double - plain).std(0) / n**0.5)).abs().max().item())
claim("it has the plain gradient's mean, within 5 standard errors of the paired difference, in all 20",
      max(off) < 5, largest=max(off))
better = (ratios["doubly\nreparam."] / ratios["plain"]).log()  # paired: same digit, same draws
means, errors = zip(*(monte_carlo(column) for column in better.T), strict=True)
rise = ratios["doubly\nreparam."][:, -1] / ratios["doubly\nreparam."][:, 0]
claim("from k = 1 to 64 its ratio rises in each of five seeds; at 64 it is over ten times the plain",
      rise.min() > 1 and better[:, -1].min() > math.log(10), rise=rise,
      log_of_the_quotient=means, standard_errors=errors)
claim("the ratios of the first picture are the means over these five seeds, within 15 %",
      all(torch.allclose(ratios[name].mean(0), torch.tensor(promise[name]), rtol=0.15)
          for name in promise))

# %% tags=["hide-input"]
fig = pictures.signal(draws, ratios)
fig.axes[0].set_title("Reparameterised twice, this encoder keeps its signal", loc="left")
show(fig, alt="Signal-to-noise ratios against the draws, five seeds each: the decoder's and the doubly "
              "reparameterised encoder's rise from 1 to 64 draws, the plain encoder's falls.")

# %% [markdown]
# With one draw $\bar w = 1$, and equation (6b.6) just leaves the score out: the *path derivative* of Roeder et al. (2017). Where $q$ is the
# posterior, all weights are equal, $\partial\ln w/\partial z$ is zero, and so is this gradient, draw by draw.

# %% [markdown]
# ## What stays
#
# - A diagonal $q$ misses what its latents cannot say together:
#   [*half of (Σ ln Λ_jj − ln det Λ)*](#Exercise:-the-best-linear-encoder).
# - The optimum of a linear VAE is *probabilistic* PCA. [*W V keeps 1 − σ²/λ of each direction*](#3-·-The-best-decoder), and from five
#   starts [*their columns are the principal directions*](#3-·-The-best-decoder).
# - With a noise that is fixed by hand dead latents can be the optimum:
#   [*a latent has collapsed exactly where σ² exceeds its eigenvalue*](#Question:-who-is-left?).
# - From a $q$ with a fifth of the posterior's variance draws close the gap slowly:
#   [*with 256 draws it is still more than a tenth*](#5-·-When-more-draws-reach-the-truth) of the first gap.
# - At a $q$ one standard deviation off and a fifth too wide, more draws cost the gradient by $\mu$ its signal ([*falls to less than a quarter*](#6-·-What-more-draws-do-to-the-encoder));
#   reparameterised twice, there [*its ratio rises in each of five seeds*](#Exercise:-the-surrogate).

# %% tags=["nbval-ignore-output"]
progress("06b_linear_vae")

# %% [markdown]
# **Open questions.** With one latent for each of two overlapping columns, would you rather pay the gap of equation (6b.3) or move the columns? What would a
# $\beta$ of 2 do to equation (6b.4)?
#
# **References.** Tipping and Bishop 1999, *Probabilistic principal component analysis*: section 3 and appendix A. Lucas et al. 2019, *Don’t blame
# the ELBO!*: sections 3 and 4. Rolinek et al. 2019, *Variational autoencoders pursue PCA directions (by accident)*. Rainforth et al. 2018, *Tighter
# variational bounds are not necessarily better*: section 3. Tucker et al. 2019, *Doubly reparameterized gradient estimators*: section 3. Roeder et al.
# 2017, *Sticking the landing*.
