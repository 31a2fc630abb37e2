"""The exercise power_iteration."""

import torch
from torch.nn import functional as F

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import penalties


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
    _, _, v = penalties.power_iteration(weight, u, steps)
    old = u.detach() if steps == 1 else penalties.power_iteration(weight, u, steps - 1)[1]
    return old @ weight @ v, old, v


ENTRY = Exercise(
    id="gan.power_iteration",
    reference=penalties.power_iteration,
    probes=lambda: [
        Probe((random(5, 3, seed=1), random(5, seed=2), 3), says="weight (5, 3), u (5), steps = 3"),
        Probe((random(2, 7, seed=3), random(2, seed=4), 1), says="weight (2, 7), u (2), steps = 1"),
        Probe((random(4, 6, seed=5), 3 * random(4, seed=6), 8), says="weight (4, 6), u (4), steps = 8"),
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
            lambda weight, u, steps: tuple(x.detach() for x in penalties.power_iteration(weight, u, steps)),
            "σ has no gradient either",
            "only the loop stands under torch.no_grad(); u @ weight @ v outside.",
        ),
        Mistake(
            "one_step",
            lambda weight, u, steps: penalties.power_iteration(weight, u, 1),
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
