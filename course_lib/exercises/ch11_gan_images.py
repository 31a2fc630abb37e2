"""The exercises of chapter 11: the step of a GAN, the measures of its images, and what its failures look like."""

import math
import numbers
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib import gan, image_metrics
from course_lib.exercises.compare import describe
from course_lib.exercises.spec import Exercise, Mistake, Probe, Property, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- the training step -----------------------------------------------------------------------------------------------

PAIR = "a pair of numbers"


class _Generator(nn.Module):
    """G(z) = tanh(W z), in the shape of one image; a weight (features, latent)."""

    def __init__(self, weight: Tensor, shape: torch.Size) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.shape = shape

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(z @ self.weight.T).view(-1, *self.shape)


class _Discriminator(nn.Module):
    """The logit Σ tanh(W x), for a weight (hidden, features)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x.flatten(1) @ self.weight.T).sum(1)


def _two_losses(result: Any) -> tuple[str, float, float]:
    """Return what came back, in words, and the two losses; 0 where it is no pair of numbers."""
    parts = result if isinstance(result, tuple | list) else [result]
    single = [p.numel() == 1 if isinstance(p, Tensor) else isinstance(p, numbers.Real) for p in parts]
    if len(parts) != 2 or not all(single):
        return describe(result) if isinstance(result, tuple | list) else f"one thing, {describe(result)}", 0.0, 0.0
    return PAIR, float(parts[0]), float(parts[1])


def _two_steps(
    step: Callable, g_weight: Tensor, d_weight: Tensor, g_rate: float, d_rate: float, real: Tensor, z: Tensor
) -> Any:
    """Take two steps on small networks, real (2, batch, ...) and z (2, batch, latent); return what they changed.

    The second step shows gradients that the first one left behind. The optimizer of the discriminator counts its
    moves. New tensors are float64 meanwhile: a target made by torch.ones(n) is as right here as in the notebook.
    """
    generator, discriminator = _Generator(g_weight, real.shape[2:]), _Discriminator(d_weight)
    g_optimizer = torch.optim.SGD(generator.parameters(), g_rate)
    d_optimizer = torch.optim.SGD(discriminator.parameters(), d_rate, momentum=0.6)
    moves = []
    d_optimizer.register_step_post_hook(lambda *_: moves.append(1))
    says, d_losses, g_losses, d_weights, g_weights, counts = PAIR, [], [], [], [], []
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for images, noise in zip(real.detach(), z.detach(), strict=True):
            moves.clear()
            result = step(generator, discriminator, g_optimizer, d_optimizer, images, noise)
            if result is None:
                return None
            said, d_loss, g_loss = _two_losses(result)
            says = said if says == PAIR else says
            d_losses.append(d_loss)
            g_losses.append(g_loss)
            d_weights.append(discriminator.weight.detach().clone())
            g_weights.append(generator.weight.detach().clone())
            counts.append(len(moves))
    finally:
        torch.set_default_dtype(usual)
    return says, _numbers(*d_losses), _numbers(*g_losses), *map(torch.stack, (d_weights, g_weights)), _numbers(*counts)


def _step(
    d_loss_of: Callable = gan.discriminator_loss,
    g_loss_of: Callable = gan.nonsaturating_generator_loss,
    clear_d: str = "before",
    clear_g: str = "before",
    cut_off: str = "in D's turn",
    both_move: bool = False,
    gives: Callable = lambda d_loss, g_loss: (d_loss, g_loss),
) -> Callable:
    """Make a step with one thing wrong; a network is cleared before its turn, early, after D's turn or never."""

    def mistaken(generator, discriminator, g_optimizer, d_optimizer, real, z):
        def clear(now: str) -> None:
            for optimizer, when in ((d_optimizer, clear_d), (g_optimizer, clear_g)):
                if when == now:
                    optimizer.zero_grad()

        fake = generator(z)
        clear("early")
        if clear_d == "before":
            d_optimizer.zero_grad()
        d_loss = d_loss_of(discriminator(real), discriminator(fake if cut_off == "never" else fake.detach()))
        d_loss.backward(retain_graph=True)
        d_optimizer.step()
        clear("after D's turn")
        if clear_g == "before":
            g_optimizer.zero_grad()
        if both_move:
            d_optimizer.zero_grad()
        g_loss = g_loss_of(discriminator(fake.detach() if cut_off == "always" else fake))
        g_loss.backward()
        g_optimizer.step()
        if both_move:
            d_optimizer.step()
        return gives(d_loss, g_loss)

    return mistaken


def _simultaneous(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """Both losses first, then both updates."""
    fake = generator(z)
    d_loss = gan.discriminator_loss(discriminator(real), discriminator(fake.detach()))
    g_loss = gan.nonsaturating_generator_loss(discriminator(fake))
    for optimizer, loss in ((g_optimizer, g_loss), (d_optimizer, d_loss)):
        optimizer.zero_grad()
        d_optimizer.zero_grad()  # the generator's loss has left something there
        loss.backward()
    g_optimizer.step()
    d_optimizer.step()
    return d_loss, g_loss


def _generator_first(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """The generator's turn, then the discriminator's on the fakes of the new generator."""
    g_optimizer.zero_grad()
    g_loss = gan.nonsaturating_generator_loss(discriminator(generator(z)))
    g_loss.backward()
    g_optimizer.step()
    d_optimizer.zero_grad()
    d_loss = gan.discriminator_loss(discriminator(real), discriminator(generator(z).detach()))
    d_loss.backward()
    d_optimizer.step()
    return d_loss, g_loss


def _with_sigmoid(loss: Callable) -> Callable:
    """Return the loss of probabilities in place of logits."""
    return lambda *logits: loss(*(each.sigmoid() for each in logits))


training_step = Exercise(
    id="gan.training_step",
    reference=gan.training_step,
    trial=_two_steps,
    stub='''
def training_step(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """Take one step of the discriminator, then one of the generator; return (d_loss, g_loss).

    real (batch, ...), z (batch, latent); generator(z) has real's shape, discriminator(x) gives one
    logit an image, (batch,). Each optimizer holds its own network's parameters. The losses are those
    of chapter 09, means over the batch, as they were before each update.
    Worked value: G(z) = g z, D(x) = d x with g = -1, d = 0, real = z = 1, plain SGD of rate 1:
    d_loss = 2 ln 2 and d becomes 1; g_loss = softplus(1) and g becomes -1 + σ(1).
    """
    # 1. the fakes, once. D's turn: clear its gradients; its loss on the real images and on the fakes,
    #    cut off from the generator; backward, step
    # 2. G's turn: clear its gradients; its loss through the discriminator as it is now; backward, step
    # 3. G's backward went through the discriminator: leave no gradient there
    ...
''',
    probes=lambda: [
        Probe(
            (
                _random(5, 3, seed=1),
                0.5 * _random(2, 5, seed=2),
                0.7,
                0.4,
                _random(2, 4, 5, seed=3),
                _random(2, 4, 3, seed=4),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (4, 5), z (4, 3), two steps in a row",
        ),
        Probe(
            (
                _random(6, 4, seed=5),
                0.4 * _random(3, 6, seed=6),
                0.3,
                0.9,
                _random(2, 5, 1, 2, 3, seed=7),
                _random(2, 5, 4, seed=8),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (5, 1, 2, 3), z (5, 4), two steps in a row",
        ),
        Probe(
            (
                _random(3, 2, seed=9),
                0.6 * _random(4, 3, seed=10),
                1.1,
                0.5,
                _random(2, 1, 3, seed=11),
                _random(2, 1, 2, seed=12),
            ),
            says="G(z) = tanh(W z), D(x) = Σ tanh(V x), real (1, 3), z (1, 2), two steps in a row",
        ),
    ],
    checked="both losses and both networks after each of two steps in a row, on vectors, images and a batch of one.",
    outputs=(
        "what comes back",
        "d_loss of the two steps",
        "g_loss of the two steps",
        "the discriminator's weights after each step",
        "the generator's weights after each step",
        "how often the discriminator moved in each step",
    ),
    gradients=False,
    mistakes=(
        Mistake(
            "no_detach",
            _step(cut_off="never", clear_g="early"),
            "the generator moves by the gradients of both losses, D's among them",
            "D's loss ran through the fakes into the generator, whose gradients were not cleared after that: "
            "fake.detach() in D's turn, and clear G's gradients right before its own.",
        ),
        Mistake(
            "not_cleared",
            _step(clear_d="never", clear_g="never"),
            "no gradient is ever cleared: each step carries those of all before",
            "backward() adds to the .grad that it finds: zero_grad() before each turn.",
        ),
        Mistake(
            "d_never_cleared",
            _step(clear_d="never"),
            "the discriminator's gradients are never cleared",
            "the first step is right, the second is not: what is in the discriminator's .grad when its turn begins?",
        ),
        Mistake(
            "g_never_cleared",
            _step(clear_g="never"),
            "the generator's gradients are never cleared",
            "the first step is right, the second is not: what is in the generator's .grad when its turn begins?",
        ),
        Mistake(
            "d_not_cleared",
            _step(clear_d="after D's turn"),
            "what G's turn left in the discriminator is part of its next step",
            "G's backward went through the discriminator and left a gradient towards believing the fakes: clear it "
            "before D's next turn.",
        ),
        Mistake(
            "simultaneous",
            _simultaneous,
            "the generator answers the discriminator of before its update",
            "take the generator's logits, and its loss, after d_optimizer.step().",
        ),
        Mistake(
            "generator_first",
            _generator_first,
            "the generator moves first",
            "the discriminator's turn comes first, on the fakes of the generator as it came in.",
        ),
        Mistake(
            "both_move",
            _step(both_move=True),
            "the discriminator moves in the generator's turn too, down the generator's loss",
            "one turn, one optimizer: d_optimizer.step() belongs to D's turn alone.",
        ),
        Mistake(
            "generator_stands_still",
            _step(cut_off="always"),
            "the generator does not move at all",
            "its gradient comes by way of the fakes: detach them in D's turn alone. Or is g_optimizer.step() missing?",
        ),
        Mistake(
            "saturating",
            _step(g_loss_of=gan.minimax_generator_loss),
            "the generator minimises −softplus(fake logits), the loss of the minimax game",
            "it saturates where the discriminator is sure: softplus(−fake logits) does not.",
        ),
        Mistake(
            "swapped",
            _step(d_loss_of=lambda real, fake: gan.discriminator_loss(fake, real)),
            "real and fake are exchanged in D's loss",
            "softplus(−logit) is small where the logit is high: for which of the two should it be?",
        ),
        Mistake(
            "sigmoid_twice",
            _step(_with_sigmoid(gan.discriminator_loss), _with_sigmoid(gan.nonsaturating_generator_loss)),
            "the losses are taken of σ(logit), and put a sigmoid on top of it",
            "softplus and binary_cross_entropy_with_logits hold the sigmoid: hand them the logits.",
        ),
        Mistake(
            "halved",
            _step(d_loss_of=lambda real, fake: gan.discriminator_loss(real, fake) / 2),
            "D's loss is one mean over real and fake together, half of what it should be",
            "it is a sum of two means, one over the real images and one over the fakes.",
        ),
        Mistake(
            "summed",
            _step(
                d_loss_of=lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(),
                g_loss_of=lambda fake: F.softplus(-fake).sum(),
            ),
            "the losses are sums over the batch",
            "take means: with sums the step would grow with the batch.",
        ),
        Mistake(
            "exchanged_losses",
            _step(gives=lambda d_loss, g_loss: (g_loss, d_loss)),
            "the losses come back in the other order",
            "return d_loss, g_loss.",
        ),
    ),
    properties=(
        Property(
            "discriminator_moves_once",
            lambda output, *_: bool((output[5] == 1).all()),
            "the discriminator moves once a step, and stands still in the generator's turn",
        ),
    ),
    hints=(
        "Which network's gradients does each backward() fill, and which of them does the next step() use?",
        "D's turn sees discriminator(real) and discriminator(fake.detach()); G's turn discriminator(fake), computed "
        "after d_optimizer.step().",
        "fake = generator(z)\nd_optimizer.zero_grad()\n"
        "d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()\n"
        "d_loss.backward()\nd_optimizer.step()\ng_optimizer.zero_grad()\n"
        "g_loss = F.softplus(-discriminator(fake)).mean()\n…",
    ),
    why="D's gradients end at the pixels: detach saves the way through the generator, and keeps from it what would "
    "lower D's loss. G's gradients must run through D, so they leave something in D as well: a push towards believing "
    "the fakes, which nobody may apply. Fakes made once serve both turns, as the generator moves only at the end.",
)

# --- the distance of two Gaussians -----------------------------------------------------------------------------------


def _plain(function: Callable, *args: Any) -> Any:
    """Call with tensors that need no gradient: SciPy's functions are welcome."""
    return function(*(a.detach() if isinstance(a, Tensor) else a for a in args))


def _covariance(d: int, rank: int, seed: int) -> Tensor:
    factor = _random(d, rank, seed=seed)
    return factor @ factor.T + (0.2 * torch.eye(d, dtype=torch.float64) if rank == d else 0)


def _root(sigma: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(sigma)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _trace_of_root(sigma: Tensor, other: Tensor) -> Tensor:
    return torch.linalg.svdvals(_root(sigma) @ _root(other)).sum()


def _distance(
    roots: float = 2.0,
    trace: Callable = _trace_of_root,
    means: Callable = lambda difference: difference @ difference,
    covariances: float = 1.0,
    end: Callable = float,
) -> Callable:
    """Make a Fréchet distance with one thing wrong."""

    def mistaken(mu, sigma, other_mu, other_sigma):
        of_sigma = (sigma + other_sigma).trace() - roots * trace(sigma, other_sigma)
        return end(means(mu - other_mu) + covariances * of_sigma)

    return mistaken


gaussian_frechet_distance = Exercise(
    id="gan.gaussian_frechet_distance",
    reference=image_metrics.gaussian_frechet_distance,
    trial=_plain,
    stub='''
def gaussian_frechet_distance(mu, sigma, other_mu, other_sigma):
    """Return ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½), a number.

    mu, other_mu (d,); sigma, other_sigma (d, d): covariances, symmetric, with eigenvalues ≥ 0,
    some of which may be 0.
    Worked value: d = 1, means 0 and 3, variances 1 and 4 give 3² + (1 - 2)² = 10.
    """
    # 1. a root of Σ₁, by its eigenvalues and eigenvectors: torch.linalg.eigh. Rounding can make
    #    -1e-17 of a 0: .clamp(min=0) before every root
    # 2. Σ₁^½ Σ₂ Σ₁^½ is symmetric and has the eigenvalues of Σ₁Σ₂
    # 3. the trace of a root is the sum of the roots of the eigenvalues
    ...
''',
    probes=lambda: [
        Probe((_random(3, seed=1), _covariance(3, 3, seed=2), 2 * _random(3, seed=3), _covariance(3, 3, seed=4))),
        Probe((_random(1, seed=5), _covariance(1, 1, seed=6), _random(1, seed=7), 3 * _covariance(1, 1, seed=8))),
        Probe(
            (_random(4, seed=9), _covariance(4, 2, seed=10), _random(4, seed=11), _covariance(4, 2, seed=12)),
            says="mu (4,), sigma (4, 4), other_mu (4,), other_sigma (4, 4), both covariances of rank 2",
        ),
        Probe((_random(4, seed=13), _covariance(4, 4, seed=14), _random(4, seed=15), _covariance(4, 4, seed=16))),
        Probe(
            (_numbers(1, 3), _numbers(1, 2, 2, 4).view(2, 2), _numbers(2, -1), _numbers(9, -3, -3, 1).view(2, 2)),
            says="sigma = [[1, 2], [2, 4]] and other_sigma = [[9, -3], [-3, 1]], both of rank 1",
        ),
    ],
    checked="d = 1, 2, 3 and 4, covariances without an inverse among them, to six digits.",
    gradients=False,
    rtol=1e-6,  # an eigenvalue 0 comes out as ±1e-16, and its root as 1e-8
    atol=1e-6,
    mistakes=(
        Mistake(
            "root_of_product_elementwise",
            _distance(trace=lambda sigma, other: (sigma @ other).sqrt().trace()),
            "the root of the product is taken number by number",
            "the root of a matrix M is a matrix R with R @ R = M: .sqrt() is not that, save for diagonal matrices.",
        ),
        Mistake(
            "not_squared_mean",
            _distance(means=lambda difference: difference.norm()),
            "the distance of the means is not squared",
            "all terms have the unit of a feature, squared.",
        ),
        Mistake(
            "one_root",
            _distance(roots=1.0),
            "the trace of the root is taken off once, not twice",
            "for d = 1 it is σ₁² + σ₂² − 2σ₁σ₂ = (σ₁ − σ₂)².",
        ),
        Mistake(
            "no_root",
            _distance(trace=lambda sigma, other: (sigma @ other).trace()),
            "the trace of Σ₁Σ₂ is taken off, not of its root",
            "for d = 1 it is σ₁² + σ₂² − 2σ₁σ₂: the root of σ₁²σ₂² in the last term.",
        ),
        Mistake(
            "frobenius",
            _distance(trace=lambda sigma, other: (_root(sigma) @ _root(other)).trace()),
            "‖Σ₁^½ − Σ₂^½‖² is computed: the trace of Σ₁^½ Σ₂^½ in place of the trace of (Σ₁Σ₂)^½",
            "the two agree only where the matrices commute: the root of a product is not the product of the roots.",
        ),
        Mistake(
            "root_at_the_end",
            _distance(end=lambda distance: math.sqrt(distance)),
            "the root of the whole comes back",
            "what is reported as the Fréchet distance is the square of W₂.",
        ),
        Mistake(
            "mean_only",
            _distance(covariances=0.0),
            "the covariances are left out",
            "a generator that makes the mean image alone, over and over, would have distance 0.",
        ),
    ),
    hints=(
        "Try d = 1: which three terms make (σ₁ − σ₂)²?",
        "values, vectors = torch.linalg.eigh(sigma); the root is vectors * values.clamp(min=0).sqrt() @ vectors.T.",
        "values = torch.linalg.eigvalsh(root @ other_sigma @ root)\n"
        "shared = values.clamp(min=0).sqrt().sum()\n"
        "return ((mu - other_mu) ** 2).sum() + sigma.trace() + other_sigma.trace() - 2 * shared",
    ),
    why="Σ₁Σ₂ is not symmetric, and a root of such a matrix is a delicate thing; its trace is not. Any factors with "
    "A Aᵀ = Σ₁ and B Bᵀ = Σ₂ do: the eigenvalues of Σ₁Σ₂ are the squared singular values of AᵀB. With images in "
    "place of factors the library needs no covariance at all.",
)

# --- density and coverage --------------------------------------------------------------------------------------------


def _balls(
    skip: int = 1,
    around: str = "real",
    inside: Callable = lambda distance, radius: distance <= radius,
    density: Callable = lambda inside, k: inside.sum() / (k * inside.shape[1]),
    coverage: Callable = lambda inside: inside.any(1),
) -> Callable:
    """Make density and coverage with one thing wrong; skip: how many nearest do not count, itself first."""

    def mistaken(real, fake, k=5):
        centres = real if around == "real" else fake
        radii = torch.cdist(centres, centres).sort(1).values[:, k - 1 + skip]
        radii = radii[:, None] if around == "real" else radii
        holds = inside(torch.cdist(real, fake), radii)
        return density(holds, k).item(), coverage(holds).double().mean().item()

    return mistaken


density_and_coverage = Exercise(
    id="gan.density_and_coverage",
    reference=image_metrics.density_and_coverage,
    trial=_plain,
    stub='''
def density_and_coverage(real, fake, k=5):
    """Return (density, coverage): how many real balls a fake lies in, over k; the share with a fake.

    real (n, d), fake (m, d). Around each real row is a ball out to its k-th nearest other real row,
    rim included. Density is a mean over the m fakes, coverage one over the n balls.
    Worked value: real = [[0.], [1.], [3.]], fake = [[0.5], [5.5]], k = 1: the radii are 1, 1, 2,
    the first fake lies in two balls, the second in none: density 2 / (1 · 2) = 1, coverage 2/3.
    """
    # 1. distances of all real rows to all: each one's nearest is itself, and does not count
    # 2. the k-th smallest of a row is the ball's radius
    # 3. inside (n, m): is the fake in the ball? both numbers come from it
    ...
''',
    probes=lambda: [  # the last: sizes are powers of two, so that centring does not round: fakes lie on the rim
        Probe((_random(9, 3, seed=1), 0.8 * _random(7, 3, seed=2), 2)),
        Probe((1.5 * _random(6, 2, seed=3), _random(11, 2, seed=4), 3)),
        Probe((_random(5, 4, seed=5), 0.4 * _random(8, 4, seed=6), 1)),
        Probe(
            (
                _numbers(1, 2, 4, 8, 3, 7, 10, 13).view(8, 1),
                _numbers(5, 12, 20, 2, 9, 30, 6, 15, 16, 22, 4, 11, 40, 1, 18, 33).view(16, 1),
                2,
            ),
            says="whole numbers as rows: real (8, 1), fake (16, 1), k = 2",
        ),
    ],
    checked="both numbers for k = 1, 2 and 3, with other numbers of reals than of fakes, and fakes on the rim.",
    outputs=("density", "coverage"),
    gradients=False,
    rtol=1e-6,  # whole numbers over whole numbers, which PyTorch divides in float32
    mistakes=(
        Mistake(
            "itself_counted",
            _balls(skip=0),
            "a real row counts as its own nearest neighbour, at distance 0",
            "for k = 1 all radii are then 0: set the diagonal of the distances to infinity, or take one more.",
        ),
        Mistake(
            "one_further",
            _balls(skip=2),
            "the radius goes to the (k + 1)-th nearest other",
            "take the k-th with the row itself left out, or the (k + 1)-th with it, not both.",
        ),
        Mistake(
            "balls_around_fakes",
            _balls(around="fake"),
            "the radii are those of the fakes",
            "the balls are around the reals: a stray fake would have a ball that holds much.",
        ),
        Mistake(
            "exchanged",
            lambda real, fake, k=5: image_metrics.density_and_coverage(fake, real, k),
            "real and fake are exchanged throughout",
            "around which of the two are the balls?",
        ),
        Mistake(
            "density_not_over_k",
            _balls(density=lambda inside, k: inside.sum() / inside.shape[1]),
            "the density is not divided by k",
            "fakes like the reals lie in k balls on average, and their density is to be 1.",
        ),
        Mistake(
            "density_over_reals",
            _balls(density=lambda inside, k: inside.sum() / (k * inside.shape[0])),
            "the sum over all pairs is divided by the number of reals",
            "density is a mean over the fakes: twice as many of them must not double it.",
        ),
        Mistake(
            "coverage_over_fakes",
            _balls(coverage=lambda inside: inside.any(0)),
            "coverage is the share of fakes that lie in a ball, which is precision",
            "one good image, repeated, would have 1: which axis of inside runs over the balls?",
        ),
        Mistake(
            "squared_against_plain",
            _balls(inside=lambda distance, radius: distance**2 <= radius),
            "squared distances are compared with plain radii",
            "square both or none.",
        ),
        Mistake(
            "rim_excluded",
            _balls(inside=lambda distance, radius: distance < radius),
            "fakes on the rim are left out",
            "distance <= radius: a fake that copies the k-th neighbour lies in the ball.",
        ),
    ),
    hints=(
        "Draw the worked value: three intervals around 0, 1 and 3.",
        "torch.cdist(real, real).kthvalue(k + 1, dim=1).values is the radius: the first is the row itself.",
        "inside = torch.cdist(real, fake) <= radius[:, None]\n"
        "density = inside.sum() / (k * len(fake)); coverage = the share of rows of inside with a True",
    ),
    why="Both count the same table of balls and fakes: density along the fakes, coverage along the balls. A generator "
    "that repeats one good image has a high density and next to no coverage. Balls around the reals alone, because an "
    "odd fake would otherwise have a ball that holds half of the reals.",
)

# --- which fault was it? ---------------------------------------------------------------------------------------------

_faults = {
    "strong_discriminator": "then D's loss would lie at 0, G's would be high, and the samples would be blots.",
    "not_cleared": "then each update would carry the gradients of all before: losses that leap by whole nats, samples "
    "of nothing but black and white.",
    "sigmoid_twice": "then D's loss could not fall below softplus(−1) + ln 2 = 1.006, nor G's leave 0.313 … 0.693, "
    "however sure D is.",
    "wrong_range": "then the background of every sample would be mid-grey, where it should be at the end of the scale.",
    "mixed_statistics": "then next to nothing would catch the eye: the samples look sound, and only a measurement "
    "against separate batches could tell.",
    "collapse": "then samples of different z would be nearly the same image.",
}

symptom_1 = one_fault(
    "gan.symptom_1",
    "sigmoid_twice",
    _faults,
    "a D that ends in a sigmoid gives 0 … 1, and the loss puts a second one on top: a belief between 0.5 and 0.731. "
    "So D's loss stays above softplus(−1) + ln 2 = 1.006 and G's between 0.313 and 0.693, even where D is perfect.",
    "Between which two values does G's loss stay, whatever happens?",
    "What are softplus(−x) and softplus(x) for x between 0 and 1?",
)

symptom_2 = one_fault(
    "gan.symptom_2",
    "wrong_range",
    _faults,
    "the data lie in 0 … 1, and G's tanh, which could reach −1, learns to stop at 0. Shown on −1 … 1, as everything "
    "else takes it, 0 is mid-grey. The losses cannot tell: for D both sides look alike.",
    "Look at the paper, not at the digits.",
    "Which number is the background, and which would it be in the data of chapter 11?",
)

symptom_3 = one_fault(
    "gan.symptom_3",
    "collapse",
    _faults,
    "G makes nearly the same image of every z. One image fools a D that is too slow: G's loss is near 0, and "
    "D's lies far above ln 4, worse than a coin's. Coverage counts the reals that are met: hardly any.",
    "Compare the samples with each other, not with digits.",
    "Which measure falls if a generator repeats one good image?",
)

EXERCISES = (
    training_step,
    gaussian_frechet_distance,
    density_and_coverage,
    symptom_1,
    symptom_2,
    symptom_3,
)
