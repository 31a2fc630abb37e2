"""The learner says how the norm of a convolution compares with the norm of its reshaped kernel."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="gan.reshaped_norm",
    right="between_1_and_3",
    wrong={
        "equal": "that holds for 1 × 1 kernels. Here a pixel lies in nine windows, and what they make of it adds up.",
        "smaller": "an image in one window alone is stretched by the reshaped norm there; other windows only add.",
        "between_1_and_9": "nine windows hold a pixel, so *squares* of lengths grow at most nine-fold. And lengths?",
        "unbounded": "each pixel is counted at most as often as there are windows that hold it.",
    },
    hints=(
        "Below: which image is stretched at least as much as the reshaped norm says?",
        "Above: the squared length of the output is a sum over windows. How often is each pixel's square in it?",
    ),
    why="Σ over windows of ‖K x_w‖² is at most ‖K‖² Σ ‖x_w‖², and no pixel stands in more than nine windows: at most "
    "9 ‖K‖² ‖x‖², so the norm is at most 3 ‖K‖. An image that fills one window alone reaches ‖K‖ there already.",
)
