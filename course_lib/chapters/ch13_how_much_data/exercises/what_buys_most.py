"""The learner says what to double, once from little data and once from much."""

from course_lib.classroom.exercises.spec import Answer

ENTRIES = (
    Answer(
        id="together.from_little",
        right="data",
        wrong={
            "parameters": "the best look came after 40 to 75 steps, when validation turned up: the model already "
            "knew its text better than the language. Would more parameters know less of it?",
            "steps": "the best look came after 40 to 75 of a thousand steps. What would the second thousand add?",
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
            "parameters": "they help, by about four hundredths of a bit. Section 3 changed the text alone: by how much "
            "did that help?",
            "steps": "they help, by about four hundredths of a bit. Section 3 changed the text alone, at the same "
            "steps: by how much did that help?",
            "nothing": "all three save, one of them a tenth of a bit.",
        },
        hints=(
            "Section 3: what did 300,000 characters from all over the text save?",
            "A stretch twice as long brings other text, with the same steps.",
        ),
        why="A stretch of 600,000 characters saves a tenth of a bit, more than twice what parameters or steps do. It "
        "is other text too, and section 3 says that it matters which.",
    ),
)
