"""The learner writes merge_pair: one merge, from left to right."""

from course_lib.attention import tokens
from course_lib.chapters.ch05b_tokens.exercises.in_words import listed
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _overlapping(tokens, pair, new):
    merged, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == tuple(pair):
            merged.append(new)
            i += 1 if tuple(tokens[i + 1 : i + 3]) == tuple(pair) else 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def _first_only(tokens, pair, new):
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == tuple(pair):
            return [*tokens[:i], new, *tokens[i + 2 :]]
    return list(tokens)


def _from_the_right(tokens, pair, new):
    merged = list(tokens)
    i = len(merged) - 2
    while i >= 0:
        if (merged[i], merged[i + 1]) == tuple(pair):
            merged[i : i + 2] = [new]
            i -= 1
        i -= 1
    return merged


def _unordered(tokens, pair, new):
    merged, i = [], 0
    while i < len(tokens):
        found = sorted(tokens[i : i + 2]) == sorted(pair)
        merged.append(new if found else tokens[i])
        i += 2 if found else 1
    return merged


def _last_lost(tokens, pair, new):
    merged, i = [], 0
    while i < len(tokens) - 1:
        found = (tokens[i], tokens[i + 1]) == tuple(pair)
        merged.append(new if found else tokens[i])
        i += 2 if found else 1
    return merged


_calls = [
    ([98, 97, 110, 97, 110, 97], (97, 110), 256),
    ([97, 97, 97, 98, 97, 97], (97, 97), 257),
    ([97, 97, 97, 97, 97], (97, 97), 261),
    ([110, 97, 110, 256, 97, 110], (97, 110), 300),
    ([256, 98, 256, 98], (256, 98), 258),
    ([5, 6, 7], (6, 8), 259),
    ([9], (9, 9), 256),
    ([], (1, 2), 256),
]


ENTRY = Exercise(
    id="tokens.merge_pair",
    reference=tokens.merge_pair,
    probes=lambda: [Probe(call, says=f"tokens = {call[0]}, pair = {call[1]}, new = {call[2]}") for call in _calls],
    trial=listed,
    checked="eight strings: with the pair at both ends, three and five equal tokens in a row, one token, and none.",
    gradients=False,
    mistakes=(
        Mistake(
            "overlapping",
            _overlapping,
            "a token is used for two pairs",
            "in (a, a, a) the middle token goes into the first pair. Is it still there for the second?",
        ),
        Mistake(
            "first_only",
            _first_only,
            "only the first occurrence is replaced",
            "a merge changes the whole text: what follows the first pair?",
        ),
        Mistake(
            "from_the_right",
            _from_the_right,
            "the pairs are taken from the right",
            "of (a, a, a) either two may be joined. Which two does reading from left to right meet first?",
        ),
        Mistake(
            "unordered",
            _unordered,
            "(b, a) counts as (a, b)",
            "‘na’ is not ‘an’: a pair has an order.",
        ),
        Mistake(
            "last_lost",
            _last_lost,
            "a last token that belongs to no pair is dropped",
            "how many tokens come back from a list of one?",
        ),
    ),
    hints=(
        "Walk along with an index. After a pair, where do you go on, and where after any other token?",
        "A while loop: two steps on after a pair, one after anything else. The last token has no right neighbour.",
        "if tokens[i:i+2] is the pair: append new, i += 2; otherwise append tokens[i], i += 1",
    ),
    why="From left to right and without overlap is a convention, but it has to be one: encoding a text later must make "
    "the same choice in ‘aaa’ as training did, or the model meets tokens in places where it never saw them.",
)
