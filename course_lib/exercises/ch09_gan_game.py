"""The exercises of chapter 09: the game of generator and discriminator, and distances between distributions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import divergences, gan, transport
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, one_fault


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _densities(*shape: int, seed: int, dx: float) -> Tensor:
    """Positive numbers that sum to 1/dx over the last axis."""
    return _random(*shape, seed=seed).softmax(-1) / dx


# --- the best discriminator ------------------------------------------------------------------------------------------


def _value(p, q, dx, d, not_d):
    return d, (p * d.log() + q * not_d.log()).sum(-1) * dx


optimal_discriminator = Exercise(
    id="gan.optimal_discriminator",
    reference=divergences.optimal_discriminator,
    stub='''
def optimal_discriminator(p, q, dx):
    """Return (d, value): the best D(x) at every x, and the game's value with it, in nats.

    p, q (..., n): positive densities of data and generator at n places, dx apart;
    d (..., n); value (...), an integral: a sum times dx.
    Worked value: p = [1., 3.], q = [3., 1.], dx = 0.25 give d = [0.25, 0.75], value = −1.125.
    """
    # 1. d, as derived above
    # 2. the value: p ln d + q ln(1 − d) at every place
    # 3. summed over the last axis, times dx
    ...
''',
    probes=lambda: [
        Probe((_densities(7, seed=1, dx=0.5), _densities(7, seed=2, dx=0.5), 0.5)),
        Probe((_densities(3, 5, seed=3, dx=0.25), _densities(3, 5, seed=4, dx=0.25), 0.25)),
        Probe((_densities(1, 4, seed=5, dx=0.2), _densities(1, 4, seed=6, dx=0.2), 0.2)),
    ],
    checked="both results and their gradients, for three shapes and three spacings.",
    outputs=("d", "value"),
    mistakes=(
        Mistake(
            "ratio",
            lambda p, q, dx: _value(p, q, dx, p / q, 1 - p / q),
            "d is p/q",
            "a probability lies between 0 and 1; where p = q the discriminator should say ½.",
        ),
        Mistake(
            "swapped",
            lambda p, q, dx: _value(p, q, dx, q / (p + q), p / (p + q)),
            "data and generator are exchanged in d",
            "D is the belief that x is *real*: large where p is.",
        ),
        Mistake(
            "sign",
            lambda p, q, dx: (p / (p + q), -_value(p, q, dx, p / (p + q), q / (p + q))[1]),
            "the value has the other sign: the discriminator's loss",
            "logarithms of probabilities are negative, and so is the value that D maximises.",
        ),
        Mistake(
            "no_dx",
            lambda p, q, dx: _value(p, q, 1.0, p / (p + q), q / (p + q)),
            "the sum is not multiplied by dx",
            "p is a density: p · dx is the probability of a cell.",
        ),
        Mistake(
            "mean",
            lambda p, q, dx: (p / (p + q), _value(p, q, 1.0, p / (p + q), q / (p + q))[1] / p.shape[-1]),
            "the mean over the places is taken",
            "an expectation weighs each place by its probability, p · dx, and adds up.",
        ),
        Mistake(
            "real_only",
            lambda p, q, dx: (p / (p + q), (p * (p / (p + q)).log()).sum(-1) * dx),
            "the fakes' term is left out",
            "D is paid for both: ln D on real, ln(1 − D) on fake.",
        ),
        Mistake(
            "same_term",
            lambda p, q, dx: _value(p, q, dx, p / (p + q), p / (p + q)),
            "the fakes' term has ln d in place of ln(1 − d)",
            "on a fake the discriminator is right with probability 1 − d.",
        ),
        Mistake(
            "bits",
            lambda p, q, dx: (p / (p + q), _value(p, q, dx, p / (p + q), q / (p + q))[1] / math.log(2)),
            "the logarithm has base 2",
            "nats are asked for: .log().",
        ),
        Mistake(
            "value_of",
            lambda p, q, dx: (p / (p + q), (p * (p / (p + q)).log() + q * (q / (p + q)).log()).sum() * 0.02),
            "the chapter's value_of computes the value: it sums over everything, with the grid's dx = 0.02",
            "sum over the last axis alone, and take the dx that is handed in.",
        ),
    ),
    hints=(
        "For p = q everywhere d must be ½ and the value −ln 4. What do you get?",
        "Set the derivative p/d − q/(1 − d) to zero.",
        "d = p / (p + q); value = (p * d.log() + q * (1 - d).log()).sum(-1) * dx",
    ),
    why="Each place has its own d, so the integral is largest when every summand is. The library writes q/(p + q) for "
    "1 − d, which keeps its digits where q is tiny.",
)

# --- losses from logits ----------------------------------------------------------------------------------------------


def _extreme(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


_sp = F.softplus

discriminator_loss = Exercise(
    id="gan.discriminator_loss",
    reference=gan.discriminator_loss,
    stub='''
def discriminator_loss(real_logits, fake_logits):
    """Return −E[ln D(real)] − E[ln(1 − D(fake))] with D = σ(logit): each mean over its own batch.

    real_logits (n,), fake_logits (m,); returns a number, finite for every finite logit, also ±10,000.
    Worked value: real_logits = [0.], fake_logits = [0., 0.] give ln 4.
    """
    # 1. −ln σ(l) = softplus(−l) and −ln(1 − σ(l)) = softplus(l), from chapter 06
    # 2. the mean of each, then their sum
    ...
''',
    probes=lambda: [
        Probe((2 * _random(5, seed=1), 2 * _random(3, seed=2))),
        Probe((_random(1, seed=3), _random(4, seed=4))),
        Probe((_extreme(1e4, -1e4, 0.7), _extreme(-300, 1e4, 0.4, -0.9, 1.6))),
    ],
    checked="values and gradients for three pairs of batches, logits of ±10,000 among them.",
    mistakes=(
        Mistake(
            "sigmoid_then_log",
            lambda real, fake: -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean(),
            "the logarithm is taken of a finished sigmoid",
            "σ(−800) is 0 in the computer, and ln 0 is −∞: stay with the logits.",
        ),
        Mistake(
            "epsilon",
            lambda real, fake: -(real.sigmoid() + 1e-8).log().mean() - (1 - fake.sigmoid() + 1e-8).log().mean(),
            "1e-8 is added inside the logarithm of a finished sigmoid",
            "finite, but cut off at ln 1e-8 = −18, and without a gradient beyond: stay with the logits.",
        ),
        Mistake(
            "swapped",
            lambda real, fake: _sp(real).mean() + _sp(-fake).mean(),
            "the labels are exchanged: real is called fake",
            "which sign should the gradient have on a real logit? The loss must fall when it rises.",
        ),
        Mistake(
            "sign",
            lambda real, fake: -_sp(-real).mean() - _sp(fake).mean(),
            "the sign is turned round: the game's value",
            "the discriminator *minimises* what comes back; a cross-entropy is positive.",
        ),
        Mistake(
            "sum",
            lambda real, fake: _sp(-real).sum() + _sp(fake).sum(),
            "sums are taken for the means",
            "with sums the batch size becomes a factor of the learning rate.",
        ),
        Mistake(
            "half",
            lambda real, fake: 0.5 * (_sp(-real).mean() + _sp(fake).mean()),
            "the two terms are averaged",
            "the game adds them: at D = ½ the loss is ln 4, not ln 2.",
        ),
        Mistake(
            "pooled",
            lambda real, fake: (_sp(-real).sum() + _sp(fake).sum()) / (len(real) + len(fake)),
            "one mean is taken over real and fake together",
            "each expectation has its own batch, and batches may differ in size.",
        ),
        Mistake(
            "pooled_twice",
            lambda real, fake: 2 * (_sp(-real).sum() + _sp(fake).sum()) / (len(real) + len(fake)),
            "one mean is taken over real and fake together, and doubled",
            "that is the same only for batches of one size: take two means.",
        ),
        Mistake(
            "real_only",
            lambda real, fake: _sp(-real).mean(),
            "the fakes are left out",
            "then D = 1 everywhere is perfect.",
        ),
        Mistake(
            "sigmoid_twice",
            lambda real, fake: _sp(-real.sigmoid()).mean() + _sp(fake.sigmoid()).mean(),
            "a sigmoid is applied twice",
            "softplus and the _with_logits functions take the logit itself.",
        ),
    ),
    hints=(
        "What must it be for logits of 0? And what happens to yours at 10,000?",
        "F.softplus(l) = ln(1 + eˡ), without overflow; −ln σ(l) = softplus(−l).",
        "F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()",
    ),
    why="It is a cross-entropy with label 1 for real and 0 for fake. From logits it is exact at any size, and its "
    "gradient is D − 1 on real and D on fake: never infinite.",
)

nonsaturating_generator_loss = Exercise(
    id="gan.nonsaturating_generator_loss",
    reference=gan.nonsaturating_generator_loss,
    stub='''
def nonsaturating_generator_loss(fake_logits):
    """Return −E[ln D(fake)] with D = σ(logit), the mean over the batch.

    fake_logits (n,); returns a number, finite for every finite logit.
    Worked value: fake_logits = [0., 0.] gives ln 2.
    """
    # 1. −ln σ(l) by softplus
    # 2. the mean
    ...
''',
    probes=lambda: [
        Probe((2 * _random(5, seed=5),)),
        Probe((_random(1, seed=6),)),
        Probe((_extreme(1e4, -1e4, 0.7, -0.4),)),
    ],
    checked="values and gradients for three batches, logits of ±10,000 among them.",
    mistakes=(
        Mistake(
            "saturating",
            lambda fake: -_sp(fake).mean(),
            "ln(1 − D) is minimised, the saturating loss",
            "its gradient is −D: gone where the discriminator is sure. −ln D is asked for.",
        ),
        Mistake(
            "sign",
            lambda fake: -_sp(-fake).mean(),
            "the sign is turned round",
            "the generator minimises: the loss must fall when a fake's logit rises.",
        ),
        Mistake(
            "label",
            lambda fake: _sp(fake).mean(),
            "the fakes get the label 0, as in the discriminator's loss",
            "the generator would like them to be called real: label 1.",
        ),
        Mistake(
            "sigmoid_then_log",
            lambda fake: -fake.sigmoid().log().mean(),
            "the logarithm is taken of a finished sigmoid",
            "σ(−800) is 0 in the computer: infinite just where the generator is bad and needs a gradient.",
        ),
        Mistake(
            "sum",
            lambda fake: _sp(-fake).sum(),
            "the sum is taken for the mean",
            "with sums the batch size becomes a factor of the learning rate.",
        ),
        Mistake(
            "no_logarithm",
            lambda fake: -fake.mean(),
            "the logits are averaged without a logarithm",
            "that is a critic's loss (section 5); here each logit counts through ln D.",
        ),
        Mistake(
            "probability",
            lambda fake: -fake.sigmoid().mean(),
            "D itself is averaged, without its logarithm",
            "−ln D has the gradient D − 1; −D has −D(1 − D), which saturates at both ends.",
        ),
        Mistake(
            "sigmoid_twice",
            lambda fake: _sp(-fake.sigmoid()).mean(),
            "a sigmoid is applied twice",
            "softplus takes the logit itself.",
        ),
    ),
    hints=(
        "For a fake with logit −5 the gradient should be close to −1. Is it?",
        "−ln σ(l) = softplus(−l).",
        "F.softplus(-fake_logits).mean()",
    ),
    why="It is the cross-entropy of the fakes with the label ‘real’. Its gradient by a logit is D − 1: largest where "
    "the discriminator has caught the fake.",
)

# --- Wasserstein on a line -------------------------------------------------------------------------------------------


def _quantiles(x, y, cost=torch.abs, order=True):
    """The integral over the merged levels of cost(F⁻¹ − G⁻¹)."""
    n, m = len(x), len(y)
    levels = torch.cat([m * torch.arange(1, n + 1), n * torch.arange(1, m + 1)]).unique()
    widths = levels.diff(prepend=torch.zeros(1, dtype=levels.dtype)).double() / (n * m)
    if order:
        x, y = x.sort().values, y.sort().values
    return (widths * cost(x[(levels - 1) // m] - y[(levels - 1) // n])).sum()


def _first(x, y):
    k = min(len(x), len(y))
    return (x.sort().values[:k] - y.sort().values[:k]).abs().mean()


wasserstein_1d = Exercise(
    id="gan.wasserstein_1d",
    reference=transport.wasserstein_1d,
    stub='''
def wasserstein_1d(x, y):
    """Return the mean distance over which x must be carried to lie as y does.

    x (n,), y (m,): two samples on a line, n and m may differ; each point of x weighs 1/n, of y 1/m.
    Worked values: x = [3., 1.], y = [2., 5.] give 1.5; x = [0., 4.], y = [1.] give 2.
    """
    # 1. put both in order: the i-th of x covers the levels (i − 1)/n … i/n
    # 2. bring them to one length: repeat each x m times and each y n times
    # 3. the mean of |x − y|, pair by pair
    ...
''',
    probes=lambda: [
        Probe((_random(5, seed=1), 2 * _random(3, seed=2))),
        Probe((_random(4, seed=3), _random(4, seed=4) + 1)),
        Probe((_random(1, seed=5), _random(6, seed=6))),
        Probe((3 * _random(6, seed=7), _random(4, seed=8))),
    ],
    checked="values and gradients for four pairs of sizes, equal and not.",
    mistakes=(
        Mistake(
            "unsorted",
            lambda x, y: _quantiles(x, y, order=False),
            "the points are paired as they came, not in order",
            "on a line nothing is gained by crossing: smallest to smallest.",
        ),
        Mistake(
            "tiled",
            lambda x, y: (x.sort().values.repeat(len(y)) - y.sort().values.repeat(len(x))).abs().mean(),
            "whole samples are repeated, one copy behind the other",
            "the m copies of one point stand side by side, in order: .repeat_interleave(m).",
        ),
        Mistake(
            "squared",
            lambda x, y: _quantiles(x, y, torch.square),
            "the distances are squared",
            "that is W₂²; W₁ adds distances as they are.",
        ),
        Mistake(
            "root",
            lambda x, y: _quantiles(x, y, torch.square).sqrt(),
            "the root of the mean square is taken: W₂",
            "W₁ is the mean of |x − y|.",
        ),
        Mistake(
            "signed",
            lambda x, y: _quantiles(x, y, lambda gap: gap),
            "the sign is kept, so that ways to the left cancel ways to the right",
            "a distance is never negative: .abs() before the mean.",
        ),
        Mistake(
            "means",
            lambda x, y: (x.mean() - y.mean()).abs(),
            "only the means are compared",
            "[−1, 1] and [0, 0] have one mean, and are 1 apart.",
        ),
        Mistake(
            "pairs",
            lambda x, y: (x[:, None] - y).abs().mean(),
            "all pairs are averaged",
            "each point goes to its own partner, not to everyone; the distance of a sample to itself is 0.",
        ),
        Mistake(
            "cut",
            _first,
            "the longer sample is cut off at the length of the shorter",
            "that leaves out its largest points: bring both to one length by repeating.",
        ),
        Mistake(
            "sum",
            lambda x, y: len(x) * len(y) * _quantiles(x, y),
            "the sum over the repeated pairs is taken, not the mean",
            "each of the n · m pairs carries 1/(n m) of the mass.",
        ),
    ),
    hints=(
        "Try x against itself in another order: 0 must come out.",
        "x.sort().values.repeat_interleave(len(y)) has n · m numbers, and so has the other one.",
        "(x.sort().values.repeat_interleave(len(y)) - y.sort().values.repeat_interleave(len(x))).abs().mean()",
    ),
    why="Repeating costs n · m numbers; the library cuts at the levels of both, n + m of them, and weighs each "
    "piece by its width: the same integral of |F⁻¹(u) − G⁻¹(u)| over u from 0 to 1.",
)

# --- questions -------------------------------------------------------------------------------------------------------

read_the_loss = Answer(
    id="gan.read_the_loss",
    right=(math.log(4) - 1.1) / 2,
    wrong={
        math.log(4) - 1.1: "that is twice the divergence: value = 2 JSD − ln 4.",
        0.14: "the first two digits are right; one more is asked for, to 1 %.",
        1.1: "that is the loss; value = −loss = 2 JSD − ln 4.",
        (math.log(4) + 1.1) / 2: "the loss is the negative of the value: mind the sign. JSD is at most ln 2 = 0.69.",
        (math.log(4) - 1.1) / 2 / math.log(2): "that is in bits; nats are asked for.",
        (1.1 - math.log(4)) / 2: "a divergence is not negative: mind the sign of the loss.",
        math.log(2) - 1.1: "the game has two terms: ln 4, not ln 2, is the loss of a D that cannot tell.",
    },
    hints=("The loss is −value, the value is 2 JSD − ln 4.", "Solve −1.1 = 2 JSD − 1.386."),
    why="JSD = (ln 4 − loss)/2 = 0.143 nats, if D is as good as it gets. A worse D has a higher loss, so the number is "
    "a lower bound: a training log tells how well D plays, not how well G does.",
    rtol=1e-2,
    unit="nats",
)

parallel_lines = one_fault(
    "gan.parallel_lines",
    "nonsaturating and wasserstein",
    {
        "wasserstein alone": "the usual story; but a trained network is no exact D*: it has a slope outside the data.",
        "nonsaturating and wasserstein": "",
        "all three": "the slope is there for all; minimax multiplies it by D(fake). How large is that where D is sure?",
        "none": "none does with the exact D*, which is flat; a network is trained here, and is not.",
    },
    "The network's logit slopes down from the data to the fakes. The non-saturating loss multiplies that slope by "
    "1 − D, near 1; the critic's by 1; the minimax loss by D, near 0: so near that Adam, which divides a gradient by "
    "its size plus 1e-8, takes hardly a step. The divergence has no part in it.",
    "What is the gradient on a fake? The loss's derivative by the logit, times the logit's slope at the fake.",
    "Which of the three derivatives is nearly zero where D is sure?",
)

EXERCISES = (
    optimal_discriminator,
    discriminator_loss,
    nonsaturating_generator_loss,
    wasserstein_1d,
    read_the_loss,
    parallel_lines,
)
