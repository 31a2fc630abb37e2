"""Questions that a program can check, in ten families, made from a seed.

What is asked about and how it is worded differ between the parts: words by ``part_of`` (kin is kept together), numbers,
dates and tasks by their hash, wordings by ``WORDINGS``. ``checks.check`` judges an answer; of many right ones a
question holds one.
"""

import datetime
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from course_lib.chat.number_words import in_words
from course_lib.chat.overlap import overlap
from course_lib.chat.rhymes import rhymes_with
from course_lib.chat.wordings import BEFORE, BEHIND, PLACES, WORDINGS
from course_lib.datasets.words import PARTS, hashed_part, load_words, words_of

T = TypeVar("T")
FAMILIES = tuple(WORDINGS)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
COMMON, COMMONEST = 20, 10  # commonness of the words that are asked about, and that are sorted


@dataclass(frozen=True)
class Question:
    """A question, one right answer, and what a checker goes by.

    family: one of ``FAMILIES``. about: the word, the words, or what else the answer must be about: see ``checks``.
    """

    family: str
    text: str
    answer: str
    about: tuple[str, ...] = field(default=())


class Dice:
    """Random choices from a seed, the same on every version of Python: each is made of one ``random()``."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        """Return a whole number from 0 to n − 1."""
        return int(self.random() * n)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of the options; each is as likely as any other."""
        return options[self.below(len(options))]

    def some_of(self, options: Sequence[T], n: int) -> list[T]:
        """Return n different options in random order."""
        taken: dict[int, None] = {}
        while len(taken) < n:
            taken.setdefault(self.below(len(options)))
        return [options[i] for i in taken]


def ask(family: str, part: str, n: int, seed: int = 0, worded: str = "") -> list[Question]:
    """Return n questions of a family for a part; the same seed gives the same ones, and a larger n begins with them.

    worded: the part whose wordings are used, where it is another: "train" asks about the same new items in wordings
    that are known, with nothing around them. A question may come twice. ValueError for a family or part that is none,
    and for n below 0.
    """
    if family not in FAMILIES:
        raise ValueError(f"family: expected one of {', '.join(FAMILIES)}, got {family!r}")
    for name, value in (("part", part), ("worded", worded or part)):
        if value not in PARTS:
            raise ValueError(f"{name}: expected one of {', '.join(PARTS)}, got {value!r}")
    if n < 0:
        raise ValueError(f"n: expected at least 0, got {n}")
    dice, others = (Dice(f"{family}/{part}/{seed}{more}") for more in ("", f"/{worded}"))
    return [_question(family, part, worded or part, dice, others) for _ in range(n)]


def questions(part: str, n: int, seed: int = 0, families: Sequence[str] = FAMILIES, worded: str = "") -> list[Question]:
    """Return n questions for a part, the families in turn; worded and ValueError as in ``ask``; and for no families."""
    if not families:
        raise ValueError("families: expected at least one, got none")
    each = [ask(family, part, -(-n // len(families)), seed, worded) for family in families]
    return list(itertools.chain(*zip(*each, strict=True)))[:n]


def _question(family: str, part: str, worded: str, dice: Dice, others: Dice) -> Question:
    """others: throws for another part's wording, so that the items are the part's own."""
    words, answer, about = MAKERS[family](part, dice)
    text = dice.one_of(WORDINGS[family][PLACES[part]]).format(**words)
    text = with_company(text, dice) if part == "train" else text
    if worded != part:
        text = others.one_of(WORDINGS[family][PLACES[worded]]).format(**words)
    return Question(family, text, answer, about)


def with_company(text: str, dice: Dice) -> str:
    """Return a training question with something before it, behind it or both, or as it is, each as often."""
    before = f"{dice.one_of(BEFORE)} " if dice.below(2) else ""
    behind = f" {dice.one_of(BEHIND)}" if dice.below(2) else ""
    return f"{before}{text}{behind}"


@cache
def _pool(part: str, commonness: int, shortest: int) -> list[str]:
    known = load_words().commonness.items()
    return words_of(part, [word for word, number in known if number <= commonness and len(word) >= shortest])


@cache
def _explained(part: str) -> list[str]:
    """Return the words whose gloss says more than the word itself, 'someone who visits' of a visitor."""
    glosses = load_words().glosses
    known = [word for word in _pool(part, COMMON, 2) if word in glosses]
    return [word for word in known if overlap(glosses[word].definition, glosses[word].definition, word)]


def _kept(part: str, tries: Iterator[T], key: Callable[[T], str]) -> T:
    """Return the first of what is tried that is in the part by the hash of its key."""
    return next(found for found in tries if hashed_part(key(found)) == part)


Made = tuple[dict[str, str], str, tuple[str, ...]]


def _define(part: str, dice: Dice) -> Made:
    word = dice.one_of(_explained(part))
    return {"word": word}, load_words().glosses[word].definition, (word,)


@cache
def _rhyming(part: str) -> dict[str, list[str]]:
    """Return the words that have common rhymes, with them; 'context' is right for 'text', but no good example."""
    found = {word: rhymes_with(word, COMMON) for word in _pool(part, COMMON, 3)}
    good = {w: [o for o in others if not (o.endswith(w) or w.endswith(o))] for w, others in found.items()}
    return {word: others for word, others in good.items() if others}


def _rhyme(part: str, dice: Dice) -> Made:
    rhyming = _rhyming(part)
    word = dice.one_of(list(rhyming))
    return {"word": word}, dice.one_of(rhyming[word]), (word,)


def _spell(part: str, dice: Dice) -> Made:
    word = dice.one_of(_pool(part, COMMON, 3))
    return {"word": word}, "-".join(word), (word,)


def _count(part: str, dice: Dice) -> Made:
    word = dice.one_of(_pool(part, COMMON, 4))
    letter = dice.one_of(word if dice.below(4) else "abcdefghijklmnopqrstuvwxyz")
    return {"word": word, "letter": letter}, str(word.count(letter)), (word, letter)


def _sort(part: str, dice: Dice) -> Made:
    words = dice.some_of(_pool(part, COMMONEST, 3), 3 + dice.below(3))
    return {"words": ", ".join(words)}, ", ".join(sorted(words)), tuple(words)


def _arithmetic(part: str, dice: Dice) -> Made:
    def tries() -> Iterator[tuple[int, str, int]]:
        while True:
            sign = dice.one_of("+-*")
            most = 100 if sign == "*" else 1000
            a, b = dice.below(most), dice.below(most)
            yield (max(a, b), sign, min(a, b)) if sign == "-" else (a, sign, b)

    a, sign, b = _kept(part, tries(), lambda s: f"{max(s[0], s[2])} {s[1]} {min(s[0], s[2])}")  # 3 + 5 with 5 + 3
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    return {"sum": f"{a} {sign} {b}"}, str(result), (f"{a} {sign} {b}",)


def spoken_date(date: datetime.date) -> str:
    """Return a date as '3 May 1987'."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def _days_in(part: str, dice: Dice) -> datetime.date:
    """Return a random day that belongs to a part."""
    days = (LAST_DAY - FIRST_DAY).days + 1
    tries = (FIRST_DAY + datetime.timedelta(dice.below(days)) for _ in itertools.count())
    return _kept(part, tries, datetime.date.isoformat)


def _weekday(part: str, dice: Dice) -> Made:
    date = _days_in(part, dice)
    return {"date": spoken_date(date)}, WEEKDAYS[date.weekday()], (date.isoformat(),)


def _days(part: str, dice: Dice) -> Made:
    first, after = _days_in(part, dice), 1 + dice.below(99)
    last = first + datetime.timedelta(after)
    return {"first": spoken_date(first), "last": spoken_date(last)}, str(after), (first.isoformat(), last.isoformat())


def _numbers(part: str, dice: Dice) -> Made:
    tries = (dice.below(10 ** (1 + dice.below(6))) for _ in itertools.count())
    number = _kept(part, tries, lambda n: f"number {n}")
    return {"number": str(number)}, in_words(number), (str(number),)


def _python(part: str, dice: Dice) -> Made:
    """Return a task in words, its expression, and the literals that an expression for it has to hold."""

    def tries() -> Iterator[tuple[str, str, tuple[str, ...]]]:
        while True:
            word = dice.one_of(_pool(part, COMMON, 4))
            words = [repr(w) for w in dice.some_of(_pool(part, COMMONEST, 3), 3)]
            few = [str(n) for n in dice.some_of(range(1, 100), 3)]
            a, b, c, letter, n = *few, dice.one_of(word), 2 + dice.below(2)
            listed, numbers, named = f"[{', '.join(words)}]", f"[{', '.join(few)}]", repr(word)
            yield dice.one_of((
                (f"the sum of {a}, {b} and {c}", f"sum({numbers})", (a, b, c)),
                (f"the largest of {a}, {b} and {c}", f"max({numbers})", (a, b, c)),
                (f"the smallest of {a}, {b} and {c}", f"min({numbers})", (a, b, c)),
                (f"the numbers {a}, {b} and {c} in order", f"sorted({numbers})", (a, b, c)),
                (f"{a} times {b}, plus {c}", f"{a} * {b} + {c}", (a, b, c)),
                (f"{a} plus {b}, times {c}", f"({a} + {b}) * {c}", (a, b, c)),
                (f"the remainder of {a} divided by {b}", f"{a} % {b}", (a, b)),
                (f"whether {a} is less than {b}", f"{a} < {b}", (a, b)),
                (f"the length of the word {word}", f"len({named})", (named,)),
                (f"the word {word} backwards", f"{named}[::-1]", (named,)),
                (f"the word {word} in capital letters", f"{named}.upper()", (named,)),
                (f"the first {n} letters of {word}", f"{named}[:{n}]", (named,)),
                (f"the last letter of {word}", f"{named}[-1]", (named,)),
                (f"how often {letter} is in {word}", f"{named}.count({letter!r})", (named,)),
                (f"the words {', '.join(words)} in order", f"sorted({listed})", tuple(words)),
                (f"how many words are in {listed}", f"len({listed})", tuple(words)),
            ))  # fmt: skip

    task, expression, literals = _kept(part, tries(), lambda made: made[1])
    return {"task": task}, expression, literals


MAKERS: dict[str, Callable[[str, Dice], Made]] = {
    "define": _define, "rhyme": _rhyme, "spell": _spell, "count": _count, "sort": _sort, "arithmetic": _arithmetic,
    "weekday": _weekday, "days": _days, "numbers": _numbers, "python": _python,
}  # fmt: skip
