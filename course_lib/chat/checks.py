"""Judging answers: any right one is taken, however it is written, and of a wrong one it is said what is wrong.

What a checker cannot see is its hole: ``python`` asks that an expression has the right value and holds the numbers or
words of the task, and takes one that has both by chance; ``define`` counts words and does not understand them. Of a
sentence only the end is judged: 'The word dog rhymes with gate' is right for 'late', too.
"""

import functools
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from course_lib.chat.evaluator import ExpressionError, Node, evaluate, parse
from course_lib.chat.number_words import in_words, plain_words
from course_lib.chat.overlap import overlap
from course_lib.chat.questions import WEEKDAYS, Question
from course_lib.chat.rhymes import rimes, sounds_alike
from course_lib.chat.unanswerable import says_unknown
from course_lib.datasets.words import load_words

ENOUGH = 0.5  # overlap with the gloss from which on a definition is taken for right
LONGEST = 400  # characters of an answer


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, why, in a few words, and a score from 0 to 1, which is between them for "define"."""

    right: bool
    why: str
    score: float


def check(question: Question, given: str) -> Verdict:
    """Judge an answer; nothing that is given raises an error.

    White space, capital letters (but in Python) and a full stop at the end count for nothing. Of an answer with a
    calculator's result, 'calc(12 * 7) = 84', what stands behind the last result counts.
    """
    if len(given) > LONGEST:
        return _wrong(f"longer than {LONGEST} characters")
    text = " ".join(given.split())
    if not text:
        return _wrong("empty")
    return CHECKERS[question.family](question, said(question.family, text))


def final(text: str) -> str:
    """Return what stands behind the last ' = ' of a calculator's result, or all where nothing was calculated."""
    return text.rsplit(" = ", 1)[-1].strip() if "calc(" in text else text


SENTENCE = r"(?:the|from|in python)(?= ).*"
BEFORE = {
    "define": r"the word \S+ means ", "count": r"the word \S+ has the letter \S+ ", "rhyme": f"{SENTENCE} rhymes with ",
    "spell": f"{SENTENCE} is written ", "sort": f"{SENTENCE} a to z: ", "arithmetic": f"{SENTENCE} is ",
    "days": f"{SENTENCE} it is ", "numbers": f"{SENTENCE} is ", "python": f"{SENTENCE} is ",
}  # fmt: skip


def said(family: str, text: str) -> str:
    """Return what a sentence says: what is behind 'means' in 'The word tree means …'; all of it without such words."""
    found = re.match(BEFORE.get(family, "(?!)"), text, re.IGNORECASE | re.DOTALL)
    return text[found.end() :] if found else text


def _wrong(why: str, score: float = 0.0) -> Verdict:
    return Verdict(False, why, score)


def _judged(right: bool, why: str) -> Verdict:
    return Verdict(True, "right", 1.0) if right else _wrong(why)


def _bare(text: str) -> str:
    return text.lower().rstrip(" .!").strip("'\"")


def _check_define(question: Question, text: str) -> Verdict:
    (word,) = question.about
    score = overlap(text, question.answer, word)
    if score >= ENOUGH:
        return Verdict(True, "right", score)
    return _wrong(f"shares {score:.0%} with {question.answer!r}, {ENOUGH:.0%} are enough", score)


def _check_rhyme(question: Question, text: str) -> Verdict:
    (word,), given = question.about, _bare(text)
    if given == word:
        return _wrong("the word itself")
    if given not in load_words().pronunciations:
        return _wrong(f"{given[:30]!r} is no word of the dictionary")
    if sounds_alike(word, given):
        return _wrong(f"{given!r} sounds the same as {word!r}")
    return _judged(not rimes(word).isdisjoint(rimes(given)), f"{given!r} and {word!r} end in different sounds")


def _check_spell(question: Question, text: str) -> Verdict:
    letters = [part for part in re.split(r"[\s,.-]+", _bare(text)) if part]
    if any(len(letter) > 1 for letter in letters):
        return _wrong("not letter by letter")
    return _judged("".join(letters) == question.about[0], f"spells {''.join(letters)!r}")


@functools.cache
def _numbers_by_words() -> dict[tuple[str, ...], int]:
    return {tuple(plain_words(in_words(n))): n for n in range(1000)}


@functools.cache
def _number_words() -> frozenset[str]:
    return frozenset(itertools.chain(*_numbers_by_words()))


def _check_number(question: Question, text: str) -> Verdict:
    """A number in digits or, below a thousand, in words; with more than one number in it an answer says nothing."""
    said = re.sub(r"(?<=[0-9]),(?=[0-9]{3}\b)", "", final(text).lower())
    found: list[int | None] = [int(n) for n in re.findall(r"(?<![\w.])-?[0-9]{1,30}(?![\w]|\.[0-9])", said)]
    runs = itertools.groupby(plain_words(re.sub("[^a-z]+", " ", said)), _number_words().__contains__)
    found += [_numbers_by_words().get(tuple(run)) for is_number, run in runs if is_number]
    if len(found) != 1 or found[0] is None:
        return _wrong(f"expected one number, found {len(found)}")
    return _judged(found[0] == int(question.answer), f"{found[0]} is not {question.answer}")


def _check_sort(question: Question, text: str) -> Verdict:
    given, wanted = re.findall("[a-z]+", text.lower()), sorted(question.about)
    if sorted(given) != wanted:
        return _wrong("not the words that were to be sorted")
    return _judged(given == wanted, "not in alphabetical order")


def _check_weekday(question: Question, text: str) -> Verdict:
    found = [day for day in WEEKDAYS if re.search(rf"\b{day}s?\b", text, re.IGNORECASE)]
    if len(found) != 1:
        return _wrong(f"expected one weekday, found {len(found)}")
    return _judged(found[0] == question.answer, f"it is not a {found[0]}")


def _check_numbers(question: Question, text: str) -> Verdict:
    return _judged(plain_words(_bare(text)) == plain_words(question.answer), f"it is {question.answer}")


def _check_python(question: Question, text: str) -> Verdict:
    try:
        given, expected = evaluate(text), evaluate(question.answer)
        literals = _literals(parse(text))
    except ExpressionError as error:
        return _wrong(str(error))
    if type(given) is not type(expected) or given != expected:
        return _wrong(f"its value is {given!r}"[:80])
    missing = [literal for literal in question.about if literal not in literals]
    return _judged(not missing, f"the value without its computation: {', '.join(missing)} is not in it")


def _check_unknown(question: Question, text: str) -> Verdict:
    return _judged(says_unknown(text), "answers what nobody can answer")


def _literals(node: Node | None) -> set[str]:
    """Return the numbers and strings that an expression is written with, as Python writes them."""
    if node is None:
        return set()
    own = {repr(node.word)} if node.kind == "value" else set()
    return own.union(*map(_literals, node.parts))


CHECKERS: dict[str, Callable[[Question, str], Verdict]] = {
    "define": _check_define, "rhyme": _check_rhyme, "spell": _check_spell, "count": _check_number,
    "sort": _check_sort, "arithmetic": _check_number, "weekday": _check_weekday, "days": _check_number,
    "numbers": _check_numbers, "python": _check_python, "unknown": _check_unknown,
}  # fmt: skip
