"""The learner writes pair_counts: neighbours in the pieces of a text, each piece as often as it occurs."""

from itertools import pairwise

from course_lib.attention import tokens
from course_lib.chapters.ch05b_tokens.exercises.in_words import counted
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_texts = [
    {(97, 110, 100): 3, (97, 110): 2, (110,): 5},
    {(98, 97, 110, 97, 110, 97): 2, (97, 110, 97): 7},
    {(97, 97, 97): 4, (97, 97): 1, (98, 97, 97, 98): 2},
    {(256, 110, 256): 3, (110, 256): 6},
    {(5,): 9},
    {},
]


def _once_a_piece(pieces):
    counts = {}
    for piece, times in pieces.items():
        for pair in set(pairwise(piece)):
            counts[pair] = counts.get(pair, 0) + times
    return counts


def _across(pieces):
    row = [token for piece, times in pieces.items() for token in piece * times]
    return tokens.pair_counts({tuple(row): 1})


def _unordered(pieces):
    counts = {}
    for (a, b), times in tokens.pair_counts(pieces).items():
        pair = (min(a, b), max(a, b))
        counts[pair] = counts.get(pair, 0) + times
    return counts


def _without_overlap(pieces):
    counts = {}
    for piece, times in pieces.items():
        last = None
        for i, pair in enumerate(pairwise(piece)):
            if last == (i - 1, pair):
                continue
            counts[pair] = counts.get(pair, 0) + times
            last = (i, pair)
    return counts


ENTRY = Exercise(
    id="tokens.pair_counts",
    reference=tokens.pair_counts,
    probes=lambda: [Probe((text,), says=f"pieces = {text}") for text in _texts],
    trial=counted,
    checked="six texts: pieces of one token, equal tokens in a row, a pair twice in a piece, and no piece at all.",
    gradients=False,
    mistakes=(
        Mistake(
            "times_forgotten",
            {"+ times": "+ 1"},
            "each different piece is counted once",
            "‘ the’ stands in the text thousands of times: how much do its pairs weigh?",
        ),
        Mistake(
            "last_place",
            {"counts.get(pair, 0) + times": "times"},
            "a pair's count is put down anew at each place, so the last piece's stays",
            "‘an’ stands in ‘and’ and in ‘man’: what becomes of the first count at the second?",
        ),
        Mistake(
            "once_a_piece",
            _once_a_piece,
            "a pair that a piece has twice is counted once",
            "‘banana’ has ‘an’ at two places.",
        ),
        Mistake(
            "across",
            _across,
            "pairs across the borders of pieces are counted",
            "no token may reach from one word into the next: which pairs must not be there?",
        ),
        Mistake(
            "unordered",
            _unordered,
            "(b, a) counts as (a, b)",
            "‘na’ is not ‘an’: a pair has an order.",
        ),
        Mistake(
            "without_overlap",
            _without_overlap,
            "in a row of equal tokens only pairs that do not overlap are counted",
            "what counts here are neighbours: in (a, a, a) the middle one has two.",
        ),
    ),
    hints=(
        "Two loops: over the pieces with their counts, and over the neighbours within each.",
        "zip(piece, piece[1:]) walks over neighbours; a piece of one token has none.",
        "counts[pair] = counts.get(pair, 0) + times",
    ),
    why="A text of a million characters has only some ten thousand different words. Counting each once and weighing it "
    "by how often it comes gives the same numbers in a fraction of the time, and the borders between pieces keep every "
    "token within a word.",
)
