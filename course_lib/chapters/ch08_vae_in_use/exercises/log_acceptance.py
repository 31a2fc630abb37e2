"""The learner writes when a Metropolis step is taken: the logarithm of its probability."""

from torch.nn import functional as F

from course_lib.chapters.ch08_vae_in_use import chain
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="vae.log_acceptance",
    reference=chain.log_acceptance,
    probes=lambda: [
        Probe(tuple(3 * random(6, seed=i) for i in range(4))),
        Probe(tuple(1000 * random(5, seed=i) - 800 for i in range(4, 8))),
        Probe(tuple(random(1, seed=i) for i in range(8, 12))),
        Probe((numbers(-2, -5, -1), numbers(-1, -3, -4), numbers(-4, -3, -2), numbers(-2, -2, -1))),
    ],
    checked="four sets of steps, one of a single step and one with logarithms beyond ±800.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_proposal",
            {"log_joint_new - log_q_new, log_joint - log_q": "log_joint_new, log_joint"},
            "the proposal's density is left out",
            "a z that is proposed often must be taken less often: what does equation (8.5) hold in balance?",
        ),
        Mistake(
            "upside_down",
            {"log_joint_new - log_q_new, log_joint - log_q": "log_joint_new + log_q_new, log_joint + log_q"},
            "the proposal's densities stand on the wrong sides of the fraction",
            "solve equation (8.5) for the quotient of the two probabilities, and look where r went.",
        ),
        Mistake(
            "one_sided",
            {"log_joint - log_q\n": "log_joint\n"},
            "the new z alone is divided by its proposal's density",
            "the way back has a density, too.",
        ),
        Mistake(
            "no_cap",
            {".clamp(max=0.0)": ""},
            "the probability may be above 1",
            "the logarithm of a probability is at most 0.",
        ),
        Mistake(
            "probability",
            {".clamp(max=0.0)": ".clamp(max=0.0).exp()"},
            "the probability comes back in place of its logarithm",
            "the cell below compares it with the logarithm of a uniform number.",
        ),
        Mistake(
            "reversed",
            {"(log_weight_new - log_weight)": "(log_weight - log_weight_new)"},
            "it is the probability of the way back",
            "should a z with a larger weight not always be taken?",
        ),
        Mistake(
            "always",
            lambda new, q_new, old, q_old: 0 * (new - q_new - old + q_old),
            "every proposal is taken",
            "then equation (8.5) would ask that π(z) r(z′|z) = π(z′) r(z|z′): does the worked value fulfil that?",
        ),
        Mistake(
            "barker",
            lambda new, q_new, old, q_old: F.logsigmoid(new - q_new - old + q_old),
            "it is w(new) / (w(new) + w(present))",
            "that keeps the balance of equation (8.5), but a larger a does, too: when may one of the two be 1?",
        ),
        Mistake(
            "floor",
            {"max=0.0": "min=0.0"},
            "the logarithm is cut off from below and not from above",
            "a probability is at most 1, so its logarithm is at most 0.",
        ),
    ),
    hints=(
        "One of the two probabilities in equation (8.5) may be 1. Which, and what is then the other?",
        "With weights w = p / r the fraction is w(new) / w(present); above 1 it means: always.",
        "return ((log_joint_new - log_q_new) - (log_joint - log_q)).clamp(max=0)",
    ),
    why="Divide equation (8.5): a(z → z') / a(z' → z) = w(z') / w(z), with w the importance weight, target over "
    "proposal. Both must be at most 1, and to stay where one is wastes steps, so the larger of the two is 1.",
)
