"""The learner predicts the variance of the residual stream behind 24 blocks."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="transformer.stream_prediction",
    right=49.0,
    wrong={
        25.0: "a block adds twice: attention, and the feed-forward layer.",
        48.0: "the stream did not begin with 0; it has the embedding's variance too.",
        24.0: "a block adds twice, and the stream begins with variance 1.",
        7.0: "that is the standard deviation; the question is the variance.",
        2.0**48: "variances of independent terms add; they would multiply if every layer multiplied the stream.",
    },
    hints=("How many vectors are added to the first?", "Variances of independent terms add up."),
    why="1 at the start, and 24 blocks add 2 independent vectors of variance 1 each: 1 + 48.",
)
