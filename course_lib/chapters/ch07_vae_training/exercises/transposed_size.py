"""The learner writes how many pixels a side a transposed convolution makes."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import models

ENTRY = Exercise(
    id="vae.transposed_size",
    reference=models.transposed_size,
    probes=lambda: [
        Probe((7, 3), "size 7, kernel 3"),
        Probe((6, 2, 5), "size 6, kernel 2, stride 5"),
        Probe((5, 4, 3, 1), "size 5, kernel 4, stride 3, padding 1"),
        Probe((9, 6, 2, 2), "size 9, kernel 6, stride 2, padding 2"),
        Probe((1, 5, 4, 1), "size 1, kernel 5, stride 4, padding 1"),
        Probe((8, 1), "size 8, kernel 1"),
    ],
    checked="six sizes, a single pixel, a kernel of one and a stride beyond the kernel among them.",
    gradients=False,
    mistakes=(
        Mistake(
            "convolution",
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 1,
            "the size after an ordinary convolution is computed",
            "a transposed convolution goes the other way: from one pixel to kernel pixels.",
        ),
        Mistake(
            "no_minus_one",
            {"stride * (size - 1)": "stride * size"},
            "the last pixel begins at stride · size",
            "with one pixel only, where does it begin?",
        ),
        Mistake(
            "one_border",
            {"- 2 * padding": "- padding"},
            "padding is cut off at one border alone",
            "a picture has a left and a right border.",
        ),
        Mistake(
            "padding_added",
            {"- 2 * padding": "+ 2 * padding"},
            "padding is added",
            "in a transposed convolution padding is cut off: the result becomes smaller.",
        ),
        Mistake(
            "no_stride",
            {"stride * (size - 1)": "size - 1"},
            "the stride is left out",
            "neighbours begin to paint stride pixels apart.",
        ),
        Mistake(
            "dilation",
            {"stride * (size - 1) + kernel": "size - 1 + stride * (kernel - 1) + 1"},
            "the stride stretches the kernel",
            "that is dilation; here the painted pixels of one kernel touch, and neighbours begin stride pixels apart.",
        ),
    ),
    hints=(
        "Paint size = 2, kernel = 3, stride = 2 on paper: pixels 0, 1, 2 and then 2, 3, 4.",
        "The last pixel begins at stride · (size − 1).",
        "stride * (size - 1) + kernel - 2 * padding",
    ),
    why="The layer is a convolution's transpose: its output is the input of the convolution that it undoes in shape. "
    "Solving the convolution's formula for its input gives this one where the stride divides evenly.",
)
