"""The learner writes ln of the mean of k weights, given by their logarithms, without underflow."""

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import bounds

ENTRY = Exercise(
    id="vae.importance_weighted_bound",
    reference=bounds.importance_weighted_bound,
    probes=lambda: [
        Probe((random(4, 3, seed=1),)),
        Probe((3 * random(7, 2, seed=2) - 1000,)),
        Probe((random(1, 5, seed=3),)),
        Probe((random(5, 1, seed=4) - 2000,)),
    ],
    checked="values and gradients for 1, 4, 5 and 7 draws, weights near e^−2000 among them.",
    mistakes=(
        Mistake(
            "mean_of_logs",
            {"log_w.logsumexp(0) - math.log(len(log_w))": "log_w.mean(0)"},
            "the logarithms are averaged, not the weights",
            "that is the ELBO with k draws: averaging comes before the logarithm here.",
        ),
        Mistake(
            "underflow",
            {"log_w.logsumexp(0) - math.log(len(log_w))": "log_w.exp().mean(0).log()"},
            "the weights themselves are formed and averaged",
            "e^−1000 is 0 in float64, and ln 0 is −∞. Divide all weights by the largest first, or log_w.logsumexp(0).",
        ),
        Mistake(
            "not_added_back",
            {"log_w.logsumexp(0)": "(log_w - log_w.amax(0)).logsumexp(0)"},
            "the largest ln w is taken out and not added back",
            "ln Σ w = m + ln Σ e^(ln w − m), whatever m is.",
        ),
        Mistake(
            "no_k",
            {" - math.log(len(log_w))": ""},
            "the division by k is missing",
            "with k equal weights the bound must be ln w itself.",
        ),
        Mistake(
            "divided",
            {" - math.log(len(log_w))": " / len(log_w)"},
            "the logarithm is divided by k, not the sum",
            "ln(s/k) = ln s − ln k.",
        ),
        Mistake(
            "largest",
            {"log_w.logsumexp(0)": "log_w.amax(0)"},
            "only the largest weight counts",
            "the others add to the sum, too.",
        ),
        Mistake(
            "batch_axis",
            {"log_w.logsumexp(0) - math.log(len(log_w))": "log_w.logsumexp(1) - math.log(log_w.shape[1])"},
            "the sum runs over the batch",
            "the draws are on the first axis.",
        ),
        Mistake(
            "plus_k",
            {" - math.log": " + math.log"},
            "ln k is added",
            "dividing by k lowers a logarithm.",
        ),
    ),
    hints=(
        "With all weights equal to w the result is ln w: try it.",
        "log_w.logsumexp(0) is ln Σ w.",
        "log_w.logsumexp(0) - math.log(len(log_w))",
    ),
    why="exp(−2000) is 0 in float32 and in float64, so the weights themselves cannot be averaged. logsumexp subtracts "
    "the largest logarithm first and adds it back at the end.",
)
