"""The learner says what to double, once from little data and once from much."""

from course_lib.classroom.exercises.spec import Answer

ENTRIES = (
    Answer(
        id="together.from_little",
        right="data",
        wrong={
            "parameters": "the best look came after some fifty steps, when validation turned up: the model already "
            "knew its text better than the language. Would more parameters know less of it?",
            "steps": "the best look came after some fifty of a thousand steps. What would the second thousand add?",
            "nothing": "one of the three does help. Which is short, when validation turns up after fifty steps?",
        },
        hints=(
            "When did the best look come, and how many steps were left?",
            "10,000 characters in steps of 1,024: fifty steps read all of them five times.",
        ),
        why="Where validation turns up after fifty steps, steps are not short and parameters neither: new text is.",
    ),
    Answer(
        id="together.from_much",
        right="data",
        wrong={
            "parameters": "they help, and yet a stretch of 300,000 characters holds some plays of the many that the "
            "test text differs from: the record says that another doubling saves more.",
            "steps": "the last look was the best, so they ought to help; over five seeds they save nothing that stands "
            "out from the scatter. What did other plays do in section 3?",
            "nothing": "one of the three saves a tenth of a bit, by more than five standard errors.",
        },
        hints=(
            "Section 3: what did 300,000 characters from all over the text save?",
            "A stretch twice as long brings other plays.",
        ),
        why="A stretch of 600,000 characters saves a tenth of a bit, more than twice what the parameters do: it brings "
        "other plays. Between data of one kind, steps and parameters the order could be another one.",
    ),
)
