"""The exercises of chapter 10: the dynamics of the game and what keeps a discriminator smooth."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import games, gan
from course_lib.exercises.spec import Exercise, Mistake, Probe, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _between(n: int, seed: int) -> Tensor:
    """One number in (0, 1) an example, none of them ½."""
    return torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.05


# --- eigenvalues ---------------------------------------------------------------------------------------------------


def _roots(middle: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Return real and imaginary parts of middle ± √inside, the + first."""
    root = inside.to(torch.complex128).sqrt()
    values = torch.stack([middle + root, middle - root], -1)
    return values.real, values.imag


dirac_eigenvalues = Exercise(
    id="gan.dirac_eigenvalues",
    reference=games.dirac_eigenvalues,
    stub='''
def dirac_eigenvalues(slope, gamma):
    """Return (real, imaginary) of the eigenvalues of [[0, s], [-s, -γ]], each (..., 2), + root first.

    slope s and gamma γ (...), float64. Where the root is real, the imaginary parts are 0.
    Worked values: s = ½, γ = 0 give real [0, 0], imaginary [½, -½];
    s = 1, γ = 2.5 give real [-½, -2], imaginary [0, 0].
    """
    # 1. the characteristic polynomial λ² + γλ + s²: two roots
    # 2. under the root may stand a negative number: .to(torch.complex128) before .sqrt()
    # 3. stack + and - along a new last axis; .real and .imag are the parts
    ...
''',
    probes=lambda: [
        Probe((torch.tensor([0.5, 0.5, 1.3]).double(), torch.tensor([0.3, 1.7, 0.9]).double())),
        Probe((_random(2, 3, seed=1).abs() + 0.2, 3 * _random(2, 3, seed=2).abs() + 0.1)),
        Probe((torch.tensor([0.7]).double(), torch.tensor([0.05]).double())),
    ],
    checked="both parts for turning, for overdamped and for hardly damped pairs.",
    outputs=("real", "imaginary"),
    gradients=False,
    mistakes=(
        Mistake(
            "plus_gamma",
            lambda slope, gamma: _roots(gamma / 2, gamma**2 / 4 - slope**2),
            "the real part is +γ/2",
            "the trace of the matrix is −γ, and the eigenvalues add up to the trace.",
        ),
        Mistake(
            "gamma_not_halved",
            lambda slope, gamma: _roots(-gamma, gamma**2 - slope**2),
            "γ stands where γ/2 belongs",
            "the roots of λ² + pλ + q are −p/2 ± √(p²/4 − q).",
        ),
        Mistake(
            "missing_quarter",
            lambda slope, gamma: _roots(-gamma / 2, gamma**2 - slope**2),
            "under the root stands γ² in place of γ²/4",
            "square the whole of γ/2.",
        ),
        Mistake(
            "slope_not_squared",
            lambda slope, gamma: _roots(-gamma / 2, gamma**2 / 4 - slope),
            "the slope is not squared",
            "the determinant is 0·(−γ) − s·(−s).",
        ),
        Mistake(
            "plus_slope",
            lambda slope, gamma: _roots(-gamma / 2, gamma**2 / 4 + slope**2),
            "the determinant has the wrong sign, as if both players wanted the same",
            "the off-diagonal entries are +s and −s: what one gains the other loses.",
        ),
        Mistake(
            "minus_first",
            lambda slope, gamma: tuple(p.flip(-1) for p in _roots(-gamma / 2, gamma**2 / 4 - slope**2)),
            "the root with − comes first",
            "stack the + first.",
        ),
        Mistake(
            "clamped",
            lambda slope, gamma: _roots(-gamma / 2, (gamma**2 / 4 - slope**2).clamp(min=0)),
            "a negative number under the root is replaced by 0",
            "that is where the game turns: √−4 is 2i.",
        ),
    ),
    hints=(
        "Sum of the eigenvalues: the trace. Their product: the determinant.",
        "λ = −γ/2 ± √(γ²/4 − s²); with γ = 0 it is ± i s.",
        "root = (gamma**2 / 4 - slope**2).to(torch.complex128).sqrt()\n"
        "values = torch.stack([root - gamma / 2, -root - gamma / 2], -1)\nreturn values.real, values.imag",
    ),
    why="R1 puts −γ on one place of the diagonal, and both eigenvalues get half of it: the generator is damped though "
    "no penalty touches it. Beyond γ = 2s the pair no longer turns, and the slower root comes back towards 0.",
)

# --- alternating steps -----------------------------------------------------------------------------------------------


def _turns(theta, psi, rate_g, rate_d, gamma, d_sign=1.0, penalty=1.0, saturating=False, fresh=True):
    """Discriminator, then generator, with one thing wrong."""
    new_psi = psi - d_sign * rate_d * theta * (psi * theta).sigmoid() - rate_d * penalty * gamma * psi
    seen = new_psi if fresh else psi
    belief = (seen * theta).sigmoid()
    return theta + rate_g * seen * (belief if saturating else 1 - belief), new_psi


def _unrolled(theta, psi, rate_g, rate_d, gamma):
    """The generator's gradient goes through the discriminator's step."""
    belief = (psi * theta).sigmoid()
    new_psi = psi - rate_d * (theta * belief + gamma * psi)
    moved = -rate_d * (belief + theta * psi * belief * (1 - belief))  # ∂ new_psi/∂ theta
    return theta + rate_g * torch.sigmoid(-new_psi * theta) * (new_psi + theta * moved), new_psi


def _generator_first(theta, psi, rate_g, rate_d, gamma):
    theta = theta + rate_g * psi * torch.sigmoid(-psi * theta)
    return theta, psi - rate_d * (theta * torch.sigmoid(psi * theta) + gamma * psi)


alternating_step = Exercise(
    id="gan.alternating_step",
    reference=games.alternating_step,
    stub='''
def alternating_step(theta, psi, rate_g, rate_d, gamma):
    """Return (theta, psi) after one step of the discriminator, then one of the generator.

    theta, psi (...); rates and gamma are numbers. Losses: softplus(ψθ) + ½γψ² for the
    discriminator, softplus(-ψθ) for the generator; d softplus(x)/dx = σ(x).
    Worked value: θ = 1, ψ = 0, both rates ½, γ = 0: first ψ = -¼, then θ = 0.9297.
    """
    # 1. psi: one step down the discriminator's loss
    # 2. theta: one step down the generator's loss, where psi stands now
    ...
''',
    probes=lambda: [
        Probe((_random(3, seed=1), _random(3, seed=2), 0.3, 0.7, 0.45)),
        Probe((_random(2, 5, seed=3), _random(2, 5, seed=4), 0.9, 0.2, 0.0)),
        Probe((_random(1, seed=5), _random(1, seed=6), 0.15, 0.5, 1.2)),
    ],
    checked="both players for three shapes, rates that differ, with the penalty and without.",
    outputs=("theta", "psi"),
    mistakes=(
        Mistake(
            "simultaneous",
            partial(_turns, fresh=False),
            "the generator answers the old ψ: a simultaneous step",
            "which ψ does the generator meet when its turn comes?",
        ),
        Mistake(
            "generator_first",
            _generator_first,
            "the generator moves first",
            "the discriminator's turn comes first, at the old θ.",
        ),
        Mistake(
            "no_penalty",
            partial(_turns, penalty=0.0),
            "the penalty is left out",
            "½γψ² has a derivative too.",
        ),
        Mistake(
            "half_penalty",
            partial(_turns, penalty=0.5),
            "the penalty's derivative is taken as ½γψ",
            "the ½ cancels against the exponent.",
        ),
        Mistake(
            "penalty_feeds",
            partial(_turns, penalty=-1.0),
            "the penalty drives ψ away from 0",
            "downhill on ½γψ² leads to ψ = 0.",
        ),
        Mistake(
            "ascends",
            partial(_turns, d_sign=-1.0),
            "the discriminator climbs its loss",
            "both losses are minimised, each by its own player.",
        ),
        Mistake(
            "saturating",
            partial(_turns, saturating=True),
            "the generator descends −softplus(ψθ), the saturating loss",
            "the derivative of softplus(−ψθ) by θ is −ψ σ(−ψθ).",
        ),
        Mistake(
            "unrolled",
            _unrolled,
            "the generator's gradient goes through the discriminator's step as well: the unrolled game",
            "for the generator the new ψ is a number that it cannot change: .detach() it.",
        ),
    ),
    gradients=False,
    hints=(
        "Two lines, and the second uses what the first has made.",
        "∂/∂ψ of the discriminator's loss: θ σ(ψθ) + γψ. ∂/∂θ of the generator's: −ψ σ(−ψθ).",
        "psi = psi - rate_d * (theta * torch.sigmoid(psi * theta) + gamma * psi)\n"
        "theta = theta + rate_g * psi * torch.sigmoid(-psi * theta)\nreturn theta, psi",
    ),
    why="Near 0 the two turns are two shears, [[1, 0], [−hs, 1]] and [[1, hs], [0, 1]]; each keeps areas, so their "
    "product has determinant 1. A simultaneous step has determinant 1 + h²s². One line's order decides.",
)

# --- power iteration -------------------------------------------------------------------------------------------------


def _iterate(weight, u, steps, forget=False, swap=False, square=False, graph=False):
    """Power iteration with one thing wrong."""
    with torch.set_grad_enabled(graph):
        for _ in range(steps):
            v = weight.T @ u
            v = v if forget else F.normalize(v, dim=0)
            u = weight @ v
            u = u if forget else F.normalize(u, dim=0)
    sigma = u @ weight @ v
    return sigma**2 if square else sigma, v if swap else u, u if swap else v


def _stale(weight, u, steps):
    """One u too few: the one that is returned belongs to the v before."""
    _, _, v = gan.power_iteration(weight, u, steps)
    old = u.detach() if steps == 1 else gan.power_iteration(weight, u, steps - 1)[1]
    return old @ weight @ v, old, v


power_iteration = Exercise(
    id="gan.power_iteration",
    reference=gan.power_iteration,
    stub='''
def power_iteration(weight, u, steps=1):
    """Return (sigma, u, v): the largest singular value of weight, nearly, and its two unit vectors.

    weight (rows, columns), u (rows,) where to start. sigma = uᵀ W v has a gradient to weight,
    in which u and v count as constants.
    Worked value: weight = diag(2, 1), u = [1, 0], one step give sigma = 2, u = v = [1, 0].
    """
    # 1. with torch.no_grad(): steps times v = Wᵀu at length 1, then u = W v at length 1
    # 2. outside: u @ weight @ v
    ...
''',
    probes=lambda: [
        Probe((_random(5, 3, seed=1), _random(5, seed=2), 3), says="weight (5, 3), u (5), steps = 3"),
        Probe((_random(2, 7, seed=3), _random(2, seed=4), 1), says="weight (2, 7), u (2), steps = 1"),
        Probe((_random(4, 6, seed=5), 3 * _random(4, seed=6), 8), says="weight (4, 6), u (4), steps = 8"),
    ],
    checked="values and gradients for three shapes, 1, 3 and 8 steps.",
    outputs=("sigma", "u", "v"),
    mistakes=(
        Mistake(
            "not_normalised",
            lambda weight, u, steps: _iterate(weight, u, steps, forget=True),
            "the vectors are not brought to length 1",
            "uᵀWv is a singular value only for unit vectors: F.normalize(…, dim=0).",
        ),
        Mistake(
            "squared",
            lambda weight, u, steps: _iterate(weight, u, steps, square=True),
            "σ² comes back, an eigenvalue of WᵀW",
            "uᵀWv is σ itself; ‖WᵀWv‖ would be σ².",
        ),
        Mistake(
            "swapped",
            lambda weight, u, steps: _iterate(weight, u, steps, swap=True),
            "u and v are exchanged on the way back",
            "u has one number a row, v one a column.",
        ),
        Mistake(
            "through",
            lambda weight, u, steps: _iterate(weight, u, steps, graph=True),
            "the gradient goes through the iteration (the values are right)",
            "the loop belongs under torch.no_grad(): at the answer its gradient is 0, on the way it is noise.",
        ),
        Mistake(
            "no_gradient",
            lambda weight, u, steps: tuple(x.detach() for x in gan.power_iteration(weight, u, steps)),
            "σ has no gradient either",
            "only the loop stands under torch.no_grad(); u @ weight @ v outside.",
        ),
        Mistake(
            "one_step",
            lambda weight, u, steps: gan.power_iteration(weight, u, 1),
            "one step is taken, whatever steps says",
            "what goes on from one step to the next?",
        ),
        Mistake(
            "stale",
            _stale,
            "the last u is not made any more: it belongs to the v before",
            "each step makes v, then u from this v.",
        ),
    ),
    hints=(
        "For W = diag(2, 1), what do Wᵀ and W do to a vector, over and over?",
        "v = F.normalize(weight.T @ u, dim=0), then u = F.normalize(weight @ v, dim=0).",
        "with torch.no_grad():\n    for _ in range(steps):\n        v = F.normalize(weight.T @ u, dim=0)\n"
        "        u = F.normalize(weight @ v, dim=0)\nreturn u @ weight @ v, u, v",
    ),
    why="Every round multiplies the part along the k-th singular vector by σ_k², so the largest wins. The gradient of "
    "σ is u vᵀ: at the top a small turn of u or v changes nothing. Training keeps u and takes one step a time.",
)

# --- gradient penalty ------------------------------------------------------------------------------------------------


def _critic(weight: Tensor):
    """Return D(x) = Σ tanh(W x) of flattened examples, for a weight (hidden, features): its gradient is in no way 1."""
    return lambda x: torch.tanh(x.flatten(1) @ weight.T).sum(1)


def _on_critic(function, weight, real, fake, t):
    """Call with a discriminator made from the weight, the only thing that a gradient is wanted for."""
    return function(_critic(weight), real.detach(), fake.detach(), t.detach())


def _penalty(at=None, graph=True, per="example", power=2, target=1.0, end="mean", logits="sum", t_of=None):
    """A gradient penalty with one thing wrong."""

    def mistaken(discriminator, real, fake, t):
        t = (t_of(t) if t_of else t).view(-1, *[1] * (real.ndim - 1))
        x = (at or (lambda real, fake, t: t * real + (1 - t) * fake))(real, fake, t).detach().requires_grad_()
        out = getattr(discriminator(x), logits)()
        (gradient,) = torch.autograd.grad(out, x, create_graph=graph)
        norm = gradient.flatten(1).norm(dim=1) if per == "example" else gradient.norm()
        return getattr((norm - target) ** power, end)()

    return mistaken


gradient_penalty = Exercise(
    id="gan.gradient_penalty",
    reference=gan.gradient_penalty,
    trial=_on_critic,
    stub='''
def gradient_penalty(discriminator, real, fake, t):
    """Return the mean of (‖∇D(x̂)‖ - 1)² over the batch, at x̂ = t · real + (1 - t) · fake.

    real, fake (batch, ...), t (batch,); discriminator(x) gives (batch,). The result trains the
    discriminator, so it must have a gradient to its weights.
    Worked value: D(x) = 3 x₁ + 4 x₂ gives (5 - 1)² = 16 everywhere.
    """
    # 1. t with one axis for each of real's: .view(-1, 1, …)
    # 2. x̂, cut off from what made it, with requires_grad_()
    # 3. torch.autograd.grad of the summed logits by x̂: which argument keeps the graph?
    # 4. the norm of each example, then the mean
    ...
''',
    probes=lambda: [
        Probe(
            (0.6 * _random(3, 5, seed=1), _random(4, 5, seed=2), _random(4, 5, seed=3), _between(4, 4)),
            says="D(x) = Σ tanh(W x), real and fake (4, 5), t (4)",
        ),
        Probe(
            (
                0.4 * _random(2, 6, seed=5),
                _random(5, 1, 2, 3, seed=6),
                _random(5, 1, 2, 3, seed=7),
                _between(5, seed=8),
            ),
            says="D(x) = Σ tanh(W x), real and fake (5, 1, 2, 3), t (5)",
        ),
        Probe(
            (0.5 * _random(4, 3, seed=9), _random(1, 3, seed=10), _random(1, 3, seed=11), _between(1, 12)),
            says="D(x) = Σ tanh(W x), real and fake (1, 3), t (1)",
        ),
    ],
    checked="the value, and its gradient by the discriminator's weights, for vectors, images and a batch of one.",
    mistakes=(
        Mistake(
            "no_graph",
            _penalty(graph=False),
            "create_graph=True is missing: the value is right and trains nothing",
            "the penalty is a function of the weights through this gradient; torch.autograd.grad must keep the graph.",
        ),
        Mistake(
            "at_real",
            _penalty(at=lambda real, fake, t: real),
            "the gradient is taken at the real points",
            "that is where R1 looks; here the points lie between real and fake.",
        ),
        Mistake(
            "at_fake",
            _penalty(at=lambda real, fake, t: fake),
            "the gradient is taken at the fakes",
            "the points lie between real and fake, at t · real + (1 − t) · fake.",
        ),
        Mistake(
            "exchanged",
            _penalty(at=lambda real, fake, t: t * fake + (1 - t) * real),
            "t weighs the fake and 1 − t the real",
            "as good for a uniform t; but the formula asked for has t · real.",
        ),
        Mistake(
            "whole_batch",
            _penalty(per="batch"),
            "one norm is taken over the whole batch",
            "every example has its own gradient and its own norm: .flatten(1).norm(dim=1).",
        ),
        Mistake(
            "target_0",
            _penalty(target=0.0),
            "the norm is drawn to 0: the − 1 is missing",
            "a critic that measures W₁ has slope 1 along the way from fake to real.",
        ),
        Mistake(
            "not_squared",
            _penalty(power=1),
            "the square is missing",
            "then a slope of 0 would be the best of all: the distance to 1 counts on both sides.",
        ),
        Mistake(
            "sum",
            _penalty(end="sum"),
            "the sum over the batch comes back",
            "with a sum the weight of the penalty would depend on the batch's size.",
        ),
        Mistake(
            "mean_logits",
            _penalty(logits="mean"),
            "the logits are averaged before their gradient is taken, which divides it by the batch's size",
            "the gradient of Σ D(xᵢ) by xᵢ is ∇D(xᵢ); that of the mean is ∇D(xᵢ)/n.",
        ),
        Mistake(
            "one_t",
            _penalty(t_of=lambda t: t[:1].expand(t.shape)),
            "all examples share the first one's t",
            "t has one number an example: .view(-1, 1, …), not t[0].",
        ),
    ),
    hints=(
        "Try D(x) = 3x₁ + 4x₂: what is its gradient, and which number must come out?",
        "torch.autograd.grad(discriminator(x).sum(), x, create_graph=True) returns a tuple of one gradient like x.",
        "t = t.view(-1, *[1] * (real.ndim - 1))\nx = (t * real + (1 - t) * fake).detach().requires_grad_()\n"
        "(g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)\n"
        "return ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()",
    ),
    why="A gradient is minimised here, so it must stay a function of the weights: create_graph builds the graph of the "
    "backward pass itself. Forgotten, nothing fails: the loss shows the penalty's value, and training ignores it.",
)

# --- which change was it? --------------------------------------------------------------------------------------------

_faults = {
    "simultaneous": "simultaneous steps of the minimax game would end further out than they began.",
    "alternating": "alternating steps alone keep their distance: they come round, and do not come nearer.",
    "r1": "R1 does not let the pair stand still on the way: with γ below 2s it turns inwards evenly, step by step.",
    "too_much_r1": "right.",
    "two_rates": "two rates squeeze the circle to an ellipse, and the path would still go round.",
    "averaging": "a mean of a circle shrinks by wobbling about the centre: it would cross the axes.",
}

path_diagnosis = one_fault(
    "gan.path_diagnosis",
    "too_much_r1",
    _faults,
    "Beyond γ = 2s both eigenvalues are real. The fast one, near −γ, takes ψ to its place at once; the slow one, near "
    "−s²/γ, is left to bring θ home, and gets slower with every further bit of γ.",
    "Does the path turn at all? What does that say about the imaginary parts?",
    "Two real eigenvalues: one fast move, then one slow one. Which knob makes them real?",
)

EXERCISES = (dirac_eigenvalues, alternating_step, power_iteration, gradient_penalty, path_diagnosis)
