"""The learner writes softmax_jvp: the softmax's Jacobian times a vector, without the matrix."""

from course_lib.attention import dot_product
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="attention.softmax_jvp",
    reference=dot_product.softmax_jvp,
    probes=lambda: [
        Probe((random(5, seed=1).softmax(-1), random(5, seed=2))),
        Probe((random(1, 4, seed=3).softmax(-1), random(1, 4, seed=4))),
        Probe((random(2, 3, 7, seed=5).softmax(-1), random(2, 3, 7, seed=6))),
    ],
    checked="the product for one vector, a batch of one and a batch of (2, 3) vectors, and its gradient for u.",
    data=("weights",),  # a softmax's output: off the simplex the answers that are right on it differ
    mistakes=(
        Mistake(
            "no_outer_product",
            {"(direction - (weights * direction).sum(dim=-1, keepdim=True))": "direction"},
            "the term p pᵀ u is left out",
            "raise one score: what happens to the other weights?",
        ),
        Mistake(
            "diagonal_only",
            {"(weights * direction).sum(dim=-1, keepdim=True)": "weights * direction"},
            "the Jacobian has only its diagonal p (1 − p), as a sigmoid's has",
            "p pᵀ u is p times the number p·u, in which every key appears.",
        ),
        Mistake(
            "sum_over_batch",
            {"dim=-1, keepdim=True": ""},
            "the sum p·u runs over the whole batch",
            "every vector of the batch has its own p·u: which axis belongs to one vector?",
        ),
        Mistake(
            "mean_for_sum",
            {".sum(": ".mean("},
            "the mean of p u is taken in place of its sum",
            "the weights already sum to 1: p·u is a mean as it stands.",
        ),
        Mistake(
            "sign",
            {"return weights": "return -weights"},
            "the sign is turned round",
            "raising a score raises its own weight: is your diagonal positive?",
        ),
        Mistake(
            "outer_product_added",
            {"direction - (": "direction + ("},
            "the term p pᵀ u is added",
            "raising all scores alike changes no weight: what must come out for u = (1, 1, …, 1)?",
        ),
    ),
    hints=(
        "Do the rows of what you return sum to zero? The weights sum to 1 before and after a small step.",
        "diag(p) u is p * u, entry by entry. p pᵀ u is the vector p times the number pᵀu.",
        "p * (u - sum(p * u)), with the sum over the last axis and keepdim=True.",
    ),
    why="diag(p) u is an entrywise product and p (pᵀu) a vector times a number, so the product costs as much as "
    "the softmax itself; the matrix would cost the square. Because it is symmetric, the same line is the "
    "backward pass.",
)
