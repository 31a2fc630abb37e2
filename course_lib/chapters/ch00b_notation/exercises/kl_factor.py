"""The learner finds which β a loss of two averages is in the convention of sums."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="notation.kl_factor",
    right=3.92,
    wrong={
        1.0: "no weight is written down, but the two averages divide by different numbers.",
        784 / 200 / 784: "that is the KL's own factor; β compares it with that of the squares, 1/784.",
        200 / 784: "that is the ratio upside down: which of the two sums was divided by less?",
        784.0: "that would be a KL summed over the latents beside squares averaged over the pixels.",
        784 * 200.0: "the two lengths are to be compared, not multiplied.",
    },
    hints=(
        "Write both averages as sums: squares/784 + KL/200, both sums over features.",
        "A factor in front of the whole loss changes no optimum: take out 1/784.",
    ),
    why="squares/784 + KL/200 = (squares + (784/200)·KL)/784, so β = 3.92. Nothing in the "
    "program says so: two means that look alike divide by different numbers.",
    rtol=1e-3,
    unit="times the KL",
)
