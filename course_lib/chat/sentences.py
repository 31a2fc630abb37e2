"""Answers as sentences: the line of a book or a worksheet that holds them, a form that pretraining has read.

``checks.check`` judges what such a sentence says, so that both forms of an answer count alike.
"""

import datetime

from course_lib.chat.corpus import BOOKS, SHEETS
from course_lib.chat.questions import Question, spoken_date

PLAIN = ("sort", "python", "unknown")  # what is asked for is the list or the expression, and nothing around it


def as_sentence(question: Question) -> str:
    """Return a question's answer as the line that tells it, 'The word tree rhymes with free.', or as it is for PLAIN.

    The line is that of the books or worksheets, word for word, and says nothing that the question does not ask.
    """
    family, about, answer = question.family, question.about, question.answer
    if family in BOOKS:
        return BOOKS[family].format(word=about[0], answer=answer)
    if family in PLAIN:
        return answer
    if family == "count":
        words = {"word": about[0], "letter": about[1]}
    elif family == "weekday":
        words = {"date": _spoken(about[0])}
    elif family == "days":
        words = {"first": _spoken(about[0]), "last": _spoken(about[1])}
    else:
        words = {"sum" if family == "arithmetic" else "number": about[0]}
    return SHEETS[family][1].format(answer=answer, **words)


def _spoken(day: str) -> str:
    return spoken_date(datetime.date.fromisoformat(day))
