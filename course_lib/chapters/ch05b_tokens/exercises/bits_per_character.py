"""The learner writes bits_per_character: what makes losses behind different tokenizers comparable."""

import math

from course_lib.attention import tokens
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_calls = [(math.log(2), 100, 100), (3.4, 1200, 2270), (1.9, 5000, 5000), (4.5, 350, 1003), (0.7, 3, 1)]


ENTRY = Exercise(
    id="tokens.bits_per_character",
    reference=tokens.bits_per_character,
    probes=lambda: [
        Probe(call, says=f"nats_per_token = {call[0]:.4g}, n_tokens = {call[1]}, n_characters = {call[2]}")
        for call in _calls
    ],
    checked="five texts, one with more tokens than characters.",
    gradients=False,
    mistakes=(
        Mistake(
            "bits_per_token",
            {" * n_tokens / n_characters": ""},
            "the loss is turned into bits, but stays one of a token",
            "tokens of different length are different amounts of text. What is the same in all arms?",
        ),
        Mistake(
            "tokens_forgotten",
            {" * n_tokens": ""},
            "the cost of one token is shared out among all characters",
            "nats_per_token is what one of the n_tokens costs: what do they cost together?",
        ),
        Mistake(
            "upside_down",
            {"n_tokens / n_characters": "n_characters / n_tokens"},
            "it is multiplied by the characters a token",
            "what does the whole text cost? Then share it out among the characters.",
        ),
        Mistake(
            "nats",
            {" / math.log(2)": ""},
            "it is in nats",
            "a bit is log 2 = 0.693 nats.",
        ),
        Mistake(
            "times_log_2",
            {"/ math.log(2)": "* math.log(2)"},
            "nats are turned into bits by multiplying with log 2",
            "a nat is the larger unit, so there are more bits than nats.",
        ),
        Mistake(
            "whole_text",
            {" / n_characters": ""},
            "the whole text's bits come back",
            "that grows with the length of the text; share it out.",
        ),
    ),
    hints=(
        "What does the whole text cost in nats?",
        "Total nats, then bits, then divided among the characters.",
        "In the worked value the whole text costs 100 · 1.3863 = 138.63 nats. At 0.6931 nats a bit that is 200 bits.",
    ),
    why="A text has one number of characters, whatever cuts it. Its total cost, minus the logarithm of its "
    "probability, is what models can be compared by; a loss a token compares amounts of text of different size.",
)
