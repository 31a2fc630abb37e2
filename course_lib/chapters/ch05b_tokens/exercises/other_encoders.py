"""The learner tells from three words by which rule another encoder cuts them."""

from course_lib.classroom.exercises.spec import one_fault

_rules = {
    "longest_match": "then ‘anana’ would begin with the longest string that fits, ‘ana’, and ‘bana’ with ‘ban’.",
    "newest_first": "then in ‘bana’, once ‘an’ is made, ‘ana’ would come before ‘ban’, as it was learned later.",
    "one_round": "then a text would stop after one merge: ‘bana’ at b|an|a.",
    "right_to_left": "‘an’ cannot overlap itself, and ‘ban’ is still made before ‘ana’: nothing would change here.",
}


ENTRIES = (
    one_fault(
        "tokens.encoder_a", "longest_match", _rules,
        "‘anana’ becomes ana|n|a: the longest string that fits is taken from the left, and what is left over has to "
        "do with single letters. The order of the merges plays no part.",
        "In ‘anana’, which token was decided first?", "Two of the three words look right: by which rules could they?",
    ),
    one_fault(
        "tokens.encoder_b", "newest_first", _rules,
        "‘bana’ becomes b|ana: once ‘an’ is made, both ‘ban’ and ‘ana’ are possible, and the one learned last was "
        "made. In training ‘ban’ was made first, everywhere.",
        "In ‘bana’, ‘ban’ and ‘ana’ are both possible once ‘an’ is made. Which was taken?",
        "Which of the two had been learned first, and which last?",
    ),
)  # fmt: skip
