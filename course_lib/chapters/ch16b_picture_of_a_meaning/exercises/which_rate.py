"""The learner says which figure of two drawers may be reported."""

from course_lib.classroom.exercises.spec import one_fault

ENTRY = one_fault(
    "clip.which_rate",
    "program",
    {
        "program": "a measurement that neither drawer was chosen by",
        "cosine": "the second drawer was chosen by this very cosine: it would be ahead even if its pictures showed "
        "nothing of what was asked.",
        "both": "one of the two is what the pictures were chosen by: averaged in, it still rewards being chosen.",
        "other judge": "better than the first one's, which chose. But both judges have the same reader, pictures and "
        "captions, and so, likely, faults in common; and neither says what a picture shows.",
    },
    "What something was chosen by cannot say whether it is good: chapter 11 had it with features, chapter 13 with the "
    "validation split. The new drawer took of eight pictures the one that the judge liked best, so its cosine is "
    "the largest of eight. The program measures what a picture shows, and nobody chose by it.",
    "By what were the second drawer's pictures chosen?",
    "Which of the figures would still rise if the drawer had learned to fool the judge?",
)
