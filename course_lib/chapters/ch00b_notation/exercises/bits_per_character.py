"""The learner writes bits_per_character: a loss in nats per token in the unit that texts can be compared in."""

from course_lib.chapters.ch00b_notation import conventions
from course_lib.classroom.exercises.probes import numbers
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="notation.bits_per_character",
    reference=conventions.bits_per_character,
    probes=lambda: [
        Probe((numbers(3.1, 2.4), 250, 1000)),
        Probe((numbers(1.3, 0.7, 2.2), 700, 700)),
        Probe((numbers(5.5), 3, 14)),
    ],
    checked="three texts, one of them with a token a character, and the gradients.",
    mistakes=(
        Mistake(
            "nats",
            {" / math.log(2)": ""},
            "the result is left in nats",
            "how many nats is one bit?",
        ),
        Mistake(
            "times_ln2",
            {"/ math.log(2)": "* math.log(2)"},
            "it is multiplied by ln 2 instead of divided",
            "a bit is the smaller unit, 0.69 nats: do you need more of them or fewer?",
        ),
        Mistake(
            "per_token",
            {" * tokens / characters": ""},
            "it is still per token",
            "how many nats does the whole text need, and how many characters share them?",
        ),
        Mistake(
            "whole_text",
            {" / characters": ""},
            "the bits of the whole text come back",
            "how many characters share them?",
        ),
        Mistake(
            "tokens_forgotten",
            {" * tokens": ""},
            "one token's bits are shared among all characters",
            "how many tokens does the text have?",
        ),
        Mistake(
            "perplexity",
            {"nats_per_token / math.log(2)": "nats_per_token.exp()"},
            "a perplexity is taken for bits",
            "e^nats = 2^bits: what are the bits themselves?",
        ),
        Mistake(
            "upside_down",
            {"* tokens / characters": "* characters / tokens"},
            "tokens and characters have changed places",
            "longer tokens, fewer of them: should a character then cost more than a token?",
        ),
        Mistake(
            "base_ten",
            {"math.log(2)": "math.log(10)"},
            "the logarithm's base is 10",
            "a bit is a choice between two.",
        ),
    ),
    hints=(
        "A token of one character and ln 2 nats must come out as 1.",
        "The text as a whole: nats_per_token * tokens nats, and characters to share them.",
        "nats_per_token * tokens / characters / math.log(2)",
    ),
    why="Models with different vocabularies cut a text into different tokens, so their losses per token cannot be "
    "compared; per character of the same text they can. One bit is ln 2 = 0.693 nats.",
)
