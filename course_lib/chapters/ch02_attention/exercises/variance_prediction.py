"""The learner predicts the variance of a dot product of 64 standard normal numbers each."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="attention.variance_prediction",
    right=64.0,
    wrong={
        8.0: "that is the standard deviation; the variance is its square.",
        1.0: "that is the variance of one product q_i k_i; how many of them are added?",
        0.0: "that is the mean of q·k; the question is how far it spreads.",
        4096.0: "d_k enters once: variances of independent terms add, standard deviations do not.",
    },
    hints=(
        "What is the variance of one product of two independent standard normals?",
        "Variances of independent terms add up.",
    ),
    why="each of the 64 products has mean 0 and variance E[q²]E[k²] = 1; they are independent, so these add to 64.",
)
