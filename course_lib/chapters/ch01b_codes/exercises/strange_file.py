"""The learner says what happened to a file that reads well at first and turns to nonsense."""

from course_lib.classroom.exercises.spec import one_fault

ENTRY = one_fault(
    "codes.strange_file",
    "flipped_bit",
    {
        "flipped_bit": "",
        "other_model": "a reader with other counts cuts the first interval differently, and the page is wrong within "
        "its first ten characters; this one is right for more than a thousand.",
        "lost_tail": "what is cut off at the end spoils the characters that those bits stood for, the last ones; here "
        "more than half of the page is wrong.",
        "wrong_length": "a reader who stops too late reads the whole page first, and then too much; here the page "
        "itself is wrong.",
    },
    "one bit was turned over. Until it is used the reader's interval is the writer's; from then on every part is "
    "looked up at the wrong place, and there is nothing in the file that would bring the two together again.",
    "Where is the first wrong character, and what must have been right until there?",
    "What does each of the four do to the first character, and what to the last?",
)
