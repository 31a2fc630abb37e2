"""The learner computes a kernel distance of three points against three, in fractions."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="together.kernel_by_hand",
    right=-31 / 3,
    wrong={
        31 / 9: "the pairs of a point with itself are counted: three real points make three pairs.",
        -2 / 3: "the mixed pairs are taken off once; they come with the factor 2.",
        31 / 3: "the sign is turned round: what is within a heap comes with a plus.",
        0.0: "the estimate may be negative; it is not cut off at 0.",
        12.0: "that is the mean over all heaps of three real images; asked is the one that was drawn.",
        -31.0: "each of the three terms is a mean: over three pairs, three pairs, and nine.",
        -7 / 3: "that is the power 2; the kernel has the power 3.",
        -13 / 3: "the 1 in the kernel is missing.",
        -40 / 3: "the pairs of a point with itself are left out of the sums, but not out of the numbers that "
        "divide them: three points make three pairs.",
    },
    hints=(
        "Among the real ones there are three pairs: 0 with 0, 0 with 2 and 0 with 2. What is κ of each?",
        "Within the real ones κ is 1 each time, within the fakes 8. The mixed pairs have 1, 1 and 27.",
        "1 + 8 − 2 · 29/3.",
    ),
    why="1 + 8 − 58/3 = −31/3: a negative number for a generator that never makes a right value. The estimate is right "
    "on average over heaps, not on each.",
    rtol=1e-3,
)
