"""The learner says which number does not see a generator that repeats a few good images."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="gan.blind_number",
    right="density",
    wrong={
        "coverage": "it counts the balls that hold a fake: 100 different images can meet only few of 2,000 balls.",
        "frechet": "100 images have other means and covariances than 2,000; repeating them does not mend that.",
        "kernel": "equal images are pairs within the fakes with the largest kernel of all, and 19 of each "
        "image's 1,999 partners are equal to it.",
    },
    hints=(
        "Which of the four is a mean over the fakes alone, each judged by itself?",
        "If every image is as good as a real one, in how many balls does it lie on average, over k?",
    ),
    why="Density asks each fake in how many balls of real images it lies, and takes the mean. A real image, repeated, "
    "is as good each time. That nothing else is made shows only in a number that asks the real images, as coverage "
    "does, or one that compares the heaps.",
)
