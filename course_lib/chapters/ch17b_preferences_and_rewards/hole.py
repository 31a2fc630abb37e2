"""A reward with a hole: how much of a word's meaning an answer holds, whatever else it says."""

import re

from course_lib.chat.checks import said
from course_lib.chat.overlap import FILLERS, overlap
from course_lib.chat.questions import Question
from course_lib.datasets.words import root


def contained(given: str, definition: str, word: str) -> float:
    """Return the share of a definition's words that are in what is given, 0 to 1, fillers and the word left out.

    Words are compared by their roots, as in ``overlap``. What else is given costs nothing: that is the hole.
    """
    told, known = _roots(given) - {root(word)}, _roots(definition) - {root(word)}
    return len(told & known) / len(known) if known else 0.0


def holed(question: Question, text: str) -> float:
    """Return ``contained`` of an answer to a question of the family "define"."""
    return contained(said("define", text), question.answer, question.about[0])


def agreement(question: Question, text: str) -> float:
    """Return F1 of an answer to such a question with the definition, to which words too many count, too."""
    return overlap(said("define", text), question.answer, question.about[0])


def _roots(text: str) -> set[str]:
    return {root(word) for word in re.findall("[a-z]+", text.lower()) if word not in FILLERS}
