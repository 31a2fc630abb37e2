"""The learner finds an estimate of a KL that is never negative."""

from course_lib.chat import rewards
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _probe(*shape: int, seed: int) -> Probe:
    return Probe((-random(*shape, seed=seed).abs(), -random(*shape, seed=seed + 1).abs()))


def _of(estimate):
    return lambda new, reference: estimate(reference - new)


ENTRY = Exercise(
    id="prefer.kl_estimate",
    reference=rewards.kl_estimate,
    probes=lambda: [_probe(5, seed=1), _probe(1, 3, seed=3), _probe(4, 2, seed=5)],
    checked="values and gradients of tokens that became likelier and of others.",
    data=("reference",),
    mistakes=(
        Mistake(
            "minus_log_u",
            _of(lambda d: -d),
            "it is −log u alone",
            "its mean is right; but where the reference finds the token likelier it is below 0.",
        ),
        Mistake(
            "taken_off",
            _of(lambda d: -d - d.expm1()),
            "u − 1 is taken off −log u",
            "its mean is right, too; but −log u is below 0 where u is above 1, and u − 1 is above 0 there.",
        ),
        Mistake(
            "turned",
            _of(lambda d: (-d).exp() - 1 + d),
            "u is q/p",
            "under draws from q, E[q/p] is not 1, E[p/q] is.",
        ),
        Mistake(
            "square",
            _of(lambda d: d**2 / 2),
            "it is half the square of log u",
            "never negative, and near to the KL where u is near 1; but its mean is another.",
        ),
        Mistake(
            "size",
            _of(lambda d: d.abs()),
            "the sign of log u is dropped",
            "never negative, but its mean is too large.",
        ),
        Mistake(
            "one_missing",
            _of(lambda d: d.exp() - d),
            "1 is not taken off",
            "where both models agree there is no KL.",
        ),
        Mistake(
            "log_added",
            _of(lambda d: d.expm1() + d),
            "log u is added",
            "E log u = −KL(q‖p): which sign does the KL want?",
        ),
        Mistake(
            "u_log_u",
            _of(lambda d: d.exp() * d - d.exp() + 1),
            "it is u log u − u + 1",
            "never negative, but its mean under q is the *other* KL, of p from q.",
        ),
        Mistake(
            "negative",
            _of(lambda d: d - d.expm1()),
            "the sign is turned",
            "a KL is at least 0.",
        ),
        Mistake(
            "cut_off",
            _of(lambda d: (-d).clamp(min=0)),
            "what is below 0 is cut off",
            "then nothing makes up for what is too large, and the mean is too high.",
        ),
    ),
    hints=(
        "Under q, E[−log u] = KL and E[u − 1] = Σ p − 1 = 0. Which multiple of the second keeps the sum from going "
        "below 0?",
        "The tangent to log u at 1 is u − 1, and log u lies below it.",
        "(reference - new).exp() - 1 - (reference - new)",
    ),
    why="log is concave, so log u ≤ u − 1: the sum u − 1 − log u is at least 0, and 0 at u = 1 alone. u − 1 has mean "
    "0 and goes against −log u, so that the sum is less noisy as well. (Where p puts much on what q never "
    "draws it is noisier: u is then huge, and rare.)",
)
