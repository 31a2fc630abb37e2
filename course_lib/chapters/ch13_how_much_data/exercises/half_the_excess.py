"""The learner says how much data halves what lies above the floor."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="together.half_the_excess",
    right=16.0,
    wrong={
        2.0: "with exponent 1 it would be twice. Here twice the data leaves 2^(−1/4) = 0.84 of the excess.",
        4.0: "four times the data leaves 4^(−1/4) = 0.71 of the excess: half would be exponent 1/2.",
        8.0: "eight times the data leaves 8^(−1/4) = 0.59 of the excess.",
        0.0625: "that many times the data, less than it had, doubles the excess. The other way round?",
        0.840896415: "2^(−1/4) = 0.84 is what twice the data leaves. Asked is the k for which k^(−1/4) is 1/2.",
        1.189207115: "2^(1/4): raised to the power 1/4 where 4 is due. What must k be for k^(−1/4) = 1/2?",
    },
    hints=(
        "k times the data multiplies the excess by k^(−exponent), wherever the curve began.",
        "k^(−1/4) = 1/2 where k^(1/4) = 2.",
    ),
    why="k^(−b) = 1/2 where k = 2^(1/b), here 2⁴ = 16; the next half takes another 16, 256 times in all.",
    rtol=5e-3,
    unit="times the data",
)
