"""The learner writes the power iteration: the largest singular value, with a gradient to the weight alone."""

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.gan import penalties

ENTRY = Exercise(
    id="gan.power_iteration",
    reference=penalties.power_iteration,
    probes=lambda: [
        Probe((random(5, 3, seed=1), random(5, seed=2), 3), says="weight (5, 3), u (5), steps = 3"),
        Probe((random(2, 7, seed=3), random(2, seed=4), 1), says="weight (2, 7), u (2), steps = 1"),
        Probe((random(4, 6, seed=5), 3 * random(4, seed=6), 8), says="weight (4, 6), u (4), steps = 8"),
        Probe((random(3, 4, seed=7), random(3, seed=8)), says="weight (3, 4), u (3), steps not given"),
    ],
    checked="values and gradients for four shapes, 1, 3 and 8 steps, and one where nothing is said of them.",
    outputs=("sigma", "u", "v"),
    mistakes=(
        Mistake(
            "not_normalised",
            {"F.normalize(weight.T @ u, dim=0)": "weight.T @ u", "F.normalize(weight @ v, dim=0)": "weight @ v"},
            "the vectors are not brought to length 1",
            "uᵀWv is a singular value only for unit vectors: F.normalize(…, dim=0).",
        ),
        Mistake(
            "u_not_normalised",
            {"F.normalize(weight @ v, dim=0)": "weight @ v"},
            "u is not brought to length 1",
            "both vectors are: uᵀWv is a singular value only for unit vectors.",
        ),
        Mistake(
            "old_u",
            {"u = F": "old, u = u.detach(), F", "return u @ weight @ v": "return old @ weight @ v"},
            "σ is taken with the u before the last step",
            "the last round makes v and then u from it: σ = uᵀWv with both.",
        ),
        Mistake(
            "squared",
            {"u @ weight @ v,": "(u @ weight @ v) ** 2,"},
            "σ² comes back, an eigenvalue of WᵀW",
            "uᵀWv is σ itself; ‖WᵀWv‖ would be σ².",
        ),
        Mistake(
            "swapped",
            {"v, u, v": "v, v, u"},
            "u and v are exchanged on the way back",
            "u has one number a row, v one a column.",
        ),
        Mistake(
            "through",
            {"no_grad()": "enable_grad()"},
            "the gradient goes through the iteration (the values are right)",
            "the loop belongs under torch.no_grad(): at the answer its gradient is 0, on the way it is noise.",
        ),
        Mistake(
            "no_gradient",
            {"return u @ weight @ v, u, v": "return (u @ weight @ v).detach(), u, v"},
            "σ has no gradient either",
            "only the loop stands under torch.no_grad(); u @ weight @ v outside.",
        ),
        Mistake(
            "one_step",
            {"range(steps)": "range(1)"},
            "one step is taken, whatever steps says",
            "what goes on from one step to the next?",
        ),
        Mistake(
            "stale",
            {"u = F": "old, u = u.detach(), F", "u @ weight @ v, u, v": "old @ weight @ v, old, v"},
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
