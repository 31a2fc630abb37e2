"""The learner writes apply_merges: a new text is given the tokens that were learned."""

from itertools import pairwise

from course_lib.attention import tokens
from course_lib.chapters.ch05b_tokens.encoders import newest_first
from course_lib.chapters.ch05b_tokens.exercises.in_words import listed
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_toy = {(97, 110): 256, (98, 256): 257, (256, 97): 258}
_crossing = {(1, 2): 300, (2, 3): 301, (3, 4): 302, (300, 302): 303, (301, 4): 304}
_repeated = {(7, 7): 270, (270, 270): 271, (270, 7): 272}
_calls = [
    ([98, 97, 110, 97, 110, 97], _toy),
    ([97, 110, 97, 110, 97], _toy),
    ([1, 2, 3, 4, 2, 3, 4, 1, 2], _crossing),
    ([2, 3, 4, 4, 3, 4, 1, 2, 3], _crossing),
    ([7] * 7, _repeated),
    ([7, 8, 7, 7, 7], _repeated),
    ([5, 6], _toy),
    ([4], {}),
]


def _pieces(merges):
    parts = {new: pair for pair, new in merges.items()}

    def spell(token):
        return [t for part in parts[token] for t in spell(part)] if token in parts else [token]

    return {tuple(spell(new)): new for new in parts}


def _longest(tokens, merges):
    known, code, i = _pieces(merges), [], 0
    while i < len(tokens):
        size = next((n for n in range(len(tokens) - i, 1, -1) if tuple(tokens[i : i + n]) in known), 1)
        code.append(known[tuple(tokens[i : i + size])] if size > 1 else tokens[i])
        i += size
    return code


def _leftmost(tokens, merges):
    code, i = list(tokens), 0
    while i < len(code) - 1:
        pair = (code[i], code[i + 1])
        if pair in merges:
            code[i : i + 2] = [merges[pair]]
            i = 0
        else:
            i += 1
    return code


def _one_round(text, merges):
    there = [pair for pair in pairwise(text) if pair in merges]
    order = list(merges)
    first = min(there, key=order.index, default=None)
    return list(text) if first is None else tokens.merge_pair(text, first, merges[first])


def _backwards(text, merges):
    for pair, new in reversed(merges.items()):
        text = tokens.merge_pair(text, pair, new)
    return list(text)


ENTRY = Exercise(
    id="tokens.apply_merges",
    reference=tokens.apply_merges,
    probes=lambda: [Probe(call, says=f"tokens = {call[0]}, merges = {call[1]}") for call in _calls],
    trial=listed,
    checked="eight strings with four lists of merges, where one merge takes away what another needs.",
    gradients=False,
    mistakes=(
        Mistake(
            "longest",
            _longest,
            "from the left the longest known string is taken each time",
            "training never looked for long strings: it joined one pair at a time, in the order of learning.",
        ),
        Mistake(
            "leftmost",
            _leftmost,
            "the leftmost pair that can be merged is merged first",
            "when the second merge was learned, was any occurrence of the first still in the text, further right?",
        ),
        Mistake(
            "newest",
            newest_first,
            "the pair that was learned last is merged first",
            "what stood in the training text when that pair was counted: had the earlier merges been made?",
        ),
        Mistake(
            "backwards",
            _backwards,
            "the merges are gone through once, from the last to the first",
            "a later merge often joins the token of an earlier one: is that token there yet?",
        ),
        Mistake(
            "one_round",
            _one_round,
            "one merge is made and no more",
            "a merge makes a new token, and with it new pairs.",
        ),
    ),
    hints=(
        "Think of the training text: in which order was it changed, and where did it end?",
        "A dict keeps its entries in the order in which they were put in.",
        "for pair, new in merges.items(): tokens = merge_pair(tokens, pair, new)",
    ),
    why="Training changed its text by the first merge everywhere, then by the second, and so on. The same changes in "
    "the same order give the training text exactly the tokens it ended with, and so any other text is cut by the "
    "habits that the counts, and later the model, were made from.",
)
