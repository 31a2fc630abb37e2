"""The exercises of chapter 00: start here."""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib import descent, mixture, plane
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, one_fault


def _random(*shape: int, seed: int, shift: float = 0.3) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + shift


# --- the practice exercise: standardise ------------------------------------------------------------------------

standardise = Exercise(
    id="start.standardise",
    reference=plane.standardise,
    stub='''
def standardise(points):
    """Return the points (n, d) with mean 0 and standard deviation 1 in every column.

    The standard deviation is torch's own, .std(), which divides by n - 1.
    Worked value: the column 1, 2, 3 becomes -1, 0, 1.
    """
    # 1. subtract from every column its own mean
    # 2. divide every column by its own standard deviation
    ...
''',
    probes=lambda: [
        Probe((_random(7, 2, seed=1) * torch.tensor([3.0, 0.5], dtype=torch.float64) + 5,)),
        Probe((_random(4, 3, seed=2),)),
        Probe((_random(5, 1, seed=3) * 2,)),
    ],
    checked="two, three and one columns, of 7, 4 and 5 points, and the gradients.",
    mistakes=(
        Mistake(
            "all_at_once",
            lambda points: (points - points.mean()) / points.std(),
            "one mean and one standard deviation are taken over all numbers together",
            "a column in metres and one in seconds have nothing in common: which axis should the mean run over?",
        ),
        Mistake(
            "along_rows",
            lambda points: (points - points.mean(dim=1, keepdim=True)) / points.std(dim=0),
            "the mean is taken within each point, over its coordinates",
            "dim names the axis that disappears: the points are on axis 0, the coordinates on axis 1.",
        ),
        Mistake(
            "not_centred",
            lambda points: points / points.std(dim=0),
            "the mean is not subtracted",
            "what is the mean of every column of your result?",
        ),
        Mistake(
            "not_scaled",
            lambda points: points - points.mean(dim=0),
            "nothing is divided",
            "what is the standard deviation of every column of your result?",
        ),
        Mistake(
            "variance",
            lambda points: (points - points.mean(dim=0)) / points.var(dim=0),
            "each column is divided by its variance",
            "in which unit is a variance, if the points are in cm?",
        ),
        Mistake(
            "divided_by_n",
            lambda points: (points - points.mean(dim=0)) / points.std(dim=0, correction=0),
            "the standard deviation divides by n",
            "both are in use; here it is torch's own, points.std(dim=0).",
        ),
    ),
    hints=(
        "What are the mean and the standard deviation of each column of your result? points.mean(dim=0) tells.",
        "points.mean(dim=0) has shape (d,). Subtracted from (n, d), it is used for every row.",
        "(points - points.mean(dim=0)) / points.std(dim=0)",
    ),
    why="Each column has its own unit and so its own mean and spread. A step of gradient descent has one length for "
    "all parameters; it suits them all only if the columns are of one size.",
)

# --- a shape, predicted ----------------------------------------------------------------------------------------

broadcast_shape = Answer(
    id="start.broadcast_shape",
    right="(400, 16, 2)",
    wrong={
        "(400, 16)": "that is how many pairs there are; what does each pair hold?",
        "(400, 2)": "then all centres would have to be subtracted from the same point at once.",
        "(6400, 2)": "as many numbers, but axes are kept apart, not run together.",
        "(16, 2)": "the points are still there: an axis of 400 does not disappear without a sum.",
    },
    hints=(
        "Write both shapes below each other, right-aligned: (400, 1, 2) and (16, 2).",
        "An axis of length 1, or one that is not there, is repeated as often as the other side needs.",
    ),
    why="right-aligned, 2 meets 2, 1 meets 16, and 400 meets nothing: (400, 16, 2), every point less every centre.",
)

# --- the log density of a mixture ------------------------------------------------------------------------------


def _each(points: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    squares = (points[:, None, :] - mu).square().sum(-1)
    return -squares / (2 * torch.exp(2 * log_std)) - 2 * log_std - math.log(2 * math.pi)


def _log_of_each(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    return (logits.softmax(-1) * _each(points, mu, log_std)).sum(-1)


def _one_dimension(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    each = _each(points, mu, log_std) + log_std + math.log(2 * math.pi) / 2
    return torch.logsumexp(each + logits.log_softmax(-1), -1)


def _variance_for_std(points: Tensor, logits: Tensor, mu: Tensor, log_std: Tensor) -> Tensor:
    squares = (points[:, None, :] - mu).square().sum(-1)
    each = -squares / (2 * torch.exp(log_std)) - 2 * log_std - math.log(2 * math.pi)
    return torch.logsumexp(each + logits.log_softmax(-1), -1)


def _mixture_probes() -> list[Probe]:
    def probe(n: int, k: int, seed: int) -> Probe:
        points, mu = _random(n, 2, seed=seed), _random(k, 2, seed=seed + 1)
        if n > 1:
            points[0] = torch.tensor([60.0, -45.0], dtype=torch.float64)  # so far out that e^(−squares) is 0
        return Probe((points, _random(k, seed=seed + 2), mu, _random(k, seed=seed + 3, shift=-0.5) * 0.5))

    return [probe(5, 3, 1), probe(1, 4, 11), probe(7, 2, 21)]


mixture_log_density = Exercise(
    id="start.mixture_log_density",
    reference=mixture.mixture_log_density,
    stub='''
def mixture_log_density(points, logits, mu, log_std):
    """Return log p(x) = log Σ_k w_k N(x; μ_k, σ_k²) for every point, shape (n,).

    points (n, 2), logits (K,), mu (K, 2), log_std (K,); w = softmax(logits), σ = exp(log_std).
    Worked value: one component with μ = 0, σ = 1 gives -log(2π) = -1.8379 at x = 0.
    """
    # 1. squared distance of every point to every centre, (n, K)
    # 2. log N(x; μ_k, σ_k²) = -squares / (2σ²) - 2 log σ - log(2π)
    # 3. add log w_k, then torch.logsumexp over the components
    ...
''',
    probes=_mixture_probes,
    checked="three sizes, points far out included, float64 to 1e-10, and the gradients of all four arguments.",
    mistakes=(
        Mistake(
            "log_of_each",
            _log_of_each,
            "the logarithms of the components are averaged, where their densities should be",
            "a point that one component explains well is likely, however badly the others do: which comes first, "
            "the sum or the logarithm?",
        ),
        Mistake(
            "one_dimension",
            _one_dimension,
            "the components are normalised as on a line, by σ√(2π)",
            "on the plane a Gaussian is a product of two bells: how often does σ√(2π) appear?",
        ),
        Mistake(
            "variance_for_std",
            _variance_for_std,
            "the squares are divided by 2σ instead of 2σ²",
            "exp(log_std) is σ; what is σ² in terms of log_std?",
        ),
        Mistake(
            "equal_shares",
            lambda points, logits, mu, log_std: torch.logsumexp(_each(points, mu, log_std), -1) - math.log(len(logits)),
            "all components have the same share",
            "where do the logits enter?",
        ),
        Mistake(
            "logits_not_normalised",
            lambda points, logits, mu, log_std: torch.logsumexp(_each(points, mu, log_std) + logits, -1),
            "the logits are added as they are",
            "the shares must add up to 1: what does logits.log_softmax(-1) do that logits does not?",
        ),
        Mistake(
            "underflow",
            lambda points, logits, mu, log_std: torch.log(
                (logits.softmax(-1) * _each(points, mu, log_std).exp()).sum(-1)
            ),
            "the densities themselves are added up: far out, each of them is 0 in the computer",
            "log(e^-800 + e^-801) is a harmless number, e^-800 is not: torch.logsumexp knows how.",
        ),
    ),
    hints=(
        "Try one component and one point first: does -log(2π) come out at the centre for σ = 1?",
        "points[:, None, :] - mu has shape (n, K, 2); square and sum over the last axis.",
        "torch.logsumexp(each + logits.log_softmax(-1), dim=-1), with each of shape (n, K).",
    ),
    why="Everything stays a logarithm until the one sum over the components, and logsumexp takes its largest term "
    "out first, so that nothing underflows. log_softmax makes shares that add up to 1 from any real numbers, which is "
    "why plain gradient descent may move them freely.",
)

# --- one step of gradient descent ------------------------------------------------------------------------------


def _three_steps(step: Callable, loss_of: Callable[..., Tensor], start: tuple[Tensor, ...], rate: float) -> Any:
    """Take three steps; return the losses, the parameters after them, and whether the losses hold no graph."""
    parameters = [value.clone().requires_grad_() for value in start]
    losses, plain = [], True
    for _ in range(3):
        loss = step(loss_of, parameters, rate)
        if not isinstance(loss, Tensor | numbers.Real):
            return loss
        plain = plain and not getattr(loss, "requires_grad", False)
        losses.append(float(loss))
    return torch.tensor(losses, dtype=torch.float64), torch.cat([p.detach().flatten() for p in parameters]), plain


def _stepping(
    loss_of: Callable[..., Tensor],
    parameters: Sequence,
    rate: float,
    keep: bool = False,
) -> Tensor:
    loss = loss_of(*parameters)
    loss.backward()
    with torch.no_grad():
        for parameter in parameters:
            parameter -= rate * parameter.grad
            parameter.grad = parameter.grad if keep else None
    return loss


def _first_only(loss_of: Callable[..., Tensor], parameters: Sequence[Tensor], rate: float) -> float:
    fixed = [p.detach() for p in parameters[1:]]
    return _stepping(lambda first: loss_of(first, *fixed), parameters[:1], rate).item()


def _loss_after(loss_of: Callable[..., Tensor], parameters: Sequence[Tensor], rate: float) -> float:
    _stepping(loss_of, parameters, rate)
    return loss_of(*parameters).item()


def _parabola(w: Tensor) -> Tensor:
    return (3 * w - 6).square().sum()


def _bowl(a: Tensor, b: Tensor) -> Tensor:
    return (a - 2).square().sum() + (b.square().sum() + 1) * a.square().mean()


def _three(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return _bowl(a, b) + (c * a.sum() - 1).square().sum()


def _step_probes() -> list[Probe]:
    says = "a loss of {} parameters and rate = {}, three times in a row"
    return [
        Probe(
            (lambda w: (3 * w - 6).square().sum(), (_random(1, seed=1),), 0.02), says=says.format("one tensor of", 0.02)
        ),
        Probe((_bowl, (_random(3, seed=2), _random(2, 2, seed=3)), 0.1), says=says.format("two tensors of", 0.1)),
        Probe(
            (_three, (_random(2, seed=4), _random(5, seed=5), _random(1, 3, seed=6)), 0.03),
            says=says.format("three tensors of", 0.03),
        ),
    ]


gradient_step = Exercise(
    id="start.gradient_step",
    reference=descent.gradient_step,
    stub='''
def gradient_step(loss_of, parameters, rate):
    """Move every parameter, in place, by -rate times its gradient; return the loss before.

    loss_of(*parameters) returns a tensor with one number; parameters is a list of tensors
    that require gradients; the loss comes back as a plain number.
    Worked value: loss w², w = 3, rate = 0.1 returns 9.0 and leaves w = 2.4.
    """
    # 1. the loss, then backward(): every parameter has its .grad
    # 2. under torch.no_grad(): parameter -= rate * parameter.grad, for every parameter
    # 3. set .grad to None, or the next backward() adds to it; return loss.item()
    ...
''',
    probes=_step_probes,
    checked="the losses and the parameters of three steps in a row, with one, two and three parameters.",
    outputs=("the losses of the three steps", "the parameters after them", "that the loss is a plain number"),
    gradients=False,
    trial=_three_steps,
    mistakes=(
        Mistake(
            "ascent",
            lambda loss_of, parameters, rate: _stepping(loss_of, parameters, -rate).item(),
            "the step goes along the gradient, uphill",
            "the gradient points to where the loss grows: with which sign do you follow it?",
        ),
        Mistake(
            "not_zeroed",
            lambda loss_of, parameters, rate: _stepping(loss_of, parameters, rate, keep=True).item(),
            "the gradients of earlier steps are still there and are added to",
            "the first step is right, the second is not: what does backward() do with a .grad that it finds?",
        ),
        Mistake(
            "not_moved",
            lambda loss_of, parameters, rate: _stepping(loss_of, parameters, 0.0).item(),
            "the parameters stay where they are",
            "p = p - … makes a new tensor and leaves the parameter alone; p -= … changes it. And a gradient that is "
            "set to zero before the update moves nothing.",
        ),
        Mistake(
            "rate_ignored",
            lambda loss_of, parameters, rate: _stepping(loss_of, parameters, 1.0).item(),
            "the rate is not used",
            "how far does one step go?",
        ),
        Mistake(
            "first_only",
            _first_only,
            "the first parameter alone is moved",
            "is the return inside the loop?",
        ),
        Mistake(
            "loss_after",
            _loss_after,
            "the loss is computed again after the update",
            "the loss before is already there; a second evaluation doubles the work.",
        ),
        Mistake(
            "graph_kept",
            lambda loss_of, parameters, rate: _stepping(loss_of, parameters, rate),
            "the loss comes back as a tensor that still holds its graph",
            "a list of a thousand such losses keeps a thousand graphs in memory: what does .item() return?",
        ),
    ),
    hints=(
        "Take the worked value: is w 2.4 after the call? And after a second call 1.92?",
        "backward() fills parameter.grad. The update happens under torch.no_grad(), since it is no part of the loss.",
        "loss = loss_of(*parameters); loss.backward(); with torch.no_grad(): for p in parameters: p -= rate * p.grad; "
        "p.grad = None; then return loss.item().",
    ),
    why="Four lines that every training in this course consists of: loss, backward, update, no gradients left. The "
    "update stands under no_grad because it is no part of the function that is differentiated, and the loss leaves "
    "as a plain number, because a tensor would hold the whole computation behind it in memory.",
)

# --- name the fault --------------------------------------------------------------------------------------------

_faults = {
    "not_zeroed": "then the loss would fall quickly at first and then swing without ever settling.",
    "too_few_points": "then the training loss would fall and fall while the held-out one turns upwards.",
    "rate_too_small": "then both losses would creep down together, still falling at the end.",
    "ascent": "then the loss would rise from the first step.",
}


faults = (
    one_fault(
        "start.fault_a", "rate_too_small", _faults,
        "both curves go down together and are not level at the end: more steps, or larger ones.",
        "Has the loss stopped falling?", "Is it falling on both kinds of points?",
    ),
    one_fault(
        "start.fault_b", "not_zeroed", _faults,
        "every step adds all earlier gradients to its own, so it overshoots like a swing.",
        "How do the first ten steps compare with those of an honest run?", "Does it ever come to rest?",
    ),
    one_fault(
        "start.fault_c", "too_few_points", _faults,
        "the model learns its few points by heart, and finds all others less and less likely.",
        "Which of the two curves would you show a friend?", "What differs between the two kinds of points?",
    ),
)  # fmt: skip

EXERCISES = (standardise, broadcast_shape, mixture_log_density, gradient_step, *faults)
