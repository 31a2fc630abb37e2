"""The learner writes product_intensity: operations for each byte that a matrix product moves."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.training import roofline

RETURN = "return 2 * n * m * p / (itemsize * (n * m + m * p + n * p))"

ENTRY = Exercise(
    id="together.product_intensity",
    reference=roofline.product_intensity,
    probes=lambda: [
        Probe((3, 7, 11, 2)),
        Probe((64, 512, 96, 4)),
        Probe((1, 30, 50, 4)),
        Probe((9, 5, 2, 8)),
        Probe((6, 1, 1, 1)),
    ],
    checked="five products, one with a single row and one of two vectors, in numbers of 1, 2, 4 and 8 bytes.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_output",
            {" + n * p)": ")"},
            "the result is never written",
            "two matrices are read. What does the machine do with the third?",
        ),
        Mistake(
            "no_bytes",
            {"(itemsize * (": "(1 * ("},
            "numbers are counted in place of bytes",
            "how many bytes has a number of this dtype?",
        ),
        Mistake(
            "half_the_operations",
            {"2 * n * m * p": "n * m * p"},
            "a multiplication and an addition count as one operation",
            "chapter 03 counts both: 2 n m p.",
        ),
        Mistake(
            "upside_down",
            {RETURN: "return itemsize * (n * m + m * p + n * p) / (2 * n * m * p)"},
            "bytes are divided by operations",
            "operations *for each byte*: which of the two stands below?",
        ),
        Mistake(
            "read_anew",
            {"(n * m + m * p + n * p)": "(2 * n * m * p + n * p)"},
            "both numbers of every multiplication are fetched anew",
            "the best that a machine can do is to fetch each number of a factor once and use it often.",
        ),
        Mistake(
            "in_bits",
            {"(itemsize * (": "(8 * itemsize * ("},
            "bits are counted in place of bytes",
            "itemsize is in bytes already.",
        ),
        Mistake(
            "always_float32",
            {"(itemsize * (": "(4 * ("},
            "every number has four bytes",
            "itemsize says how many it has: in bfloat16 two.",
        ),
        Mistake(
            "weights_only",
            {"(n * m + m * p + n * p)": "(m * p)"},
            "the second factor alone is moved",
            "the first factor is read, too, and the result is written.",
        ),
    ),
    hints=(
        "Two counts and a division. What is read, and what is written?",
        "Operations: 2 n m p. Numbers: n m and m p are read, n p are written; each has itemsize bytes.",
        "2 * n * m * p / (itemsize * (n * m + m * p + n * p))",
    ),
    why="Operations grow with the product of three lengths, bytes with products of two: large products use what they "
    "have fetched many times. With n = 1 each weight is used once, and the intensity is 2 / itemsize at most.",
)
