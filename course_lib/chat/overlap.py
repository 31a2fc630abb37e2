"""How much two definitions of a word share: a measure that a program can take, and that can be fooled."""

import re

from course_lib.datasets.words import root

FILLERS = frozenset(
    re.findall(
        "[a-z]+",
        "a an and any are as at be being by for from has have in into is it its of on or one something someone that "
        "the their them this to used usually which who with you your",
    )
)


def overlap(given: str, definition: str, word: str) -> float:
    """Return how much two definitions share, F1 of the roots of their words, fillers and the word itself left out.

    1 for the same set of roots, 0 for none in common or where nothing is left of one. Order, negation and grammar
    count for nothing: 'not a large animal' is all of 'a large animal' but for one word.
    """
    told, known = _content(given, word), _content(definition, word)
    common = len(told & known)
    return 2 * common / (len(told) + len(known)) if common else 0.0


def _content(text: str, word: str) -> set[str]:
    found = re.findall("[a-z]+", text.lower())
    return {root(w) for w in found if w not in FILLERS} - {root(word)}
