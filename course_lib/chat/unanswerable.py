"""Questions that nobody can answer, worded as those that one can: only who knows words and the calendar tells.

Asked are what a made-up word means, on what weekday a day fell that does not exist, and how many days lie between two
of which one does not exist. Parts are as in ``questions``: a word's by the hash of its root, a day's by its own; which
days there never are, as 31 June, is the same in all parts.

A made-up word is in no list and no text that the course ships. Of 6,000, 181 were in SCOWL's largest lists or WordNet
all the same, nearly all very rare: 18 were in SCOWL's lists up to 60. It has six letters or more, for most shorter ones
are words of large dictionaries.
"""

import calendar
import datetime
import re
from collections.abc import Callable
from functools import cache

from course_lib.chat.questions import COMMON, FIRST_DAY, LAST_DAY, MONTHS, Dice, Question, spoken_date, with_company
from course_lib.chat.wordings import PLACES, WORDINGS
from course_lib.datasets.shipped import shipped
from course_lib.datasets.text import SHAKESPEARE_SHA256
from course_lib.datasets.words import PARTS, hashed_part, load_words, part_of, root

I_DO_NOT_KNOW = "I do not know."
VOWELS = re.compile("(?:(?<=qu)[aeioy]|(?<!q)[aeiouy])[aeiouy]*")  # the u of "queen" belongs to its q
COARSE = re.compile("arse|bitch|cock|crap|cunt|dick|fag|fuck|nigg|piss|rap[ei]|shit|slut|tit[st]|twat|wank|whore")
SHORTEST = 6  # letters of a made-up word
UNKNOWN = re.compile(
    r"(?:(?:i am |i'm )?(?:sorry|afraid)[,.]? |but |that )*"
    r"(?:(?:i |we )?(?:really )?(?:do not|don't|dont|cannot|can't) (?:know|say|tell)|nobody knows|(?:i have )?no idea"
    r"|(?:(?:it|that|this|the \w+) is )?(?:unknown|not known)|(?:there is|there's) no such \w+)"
    r"(?: (?:a|about|any|how|it|on|that|the|this|what|which)\b[^,;:.!?]*)?[.!]?"
)
HEDGE = re.compile(r"\b(?:but|guess|maybe|perhaps|probably|think)\b")


def says_unknown(text: str) -> bool:
    """Whether an answer says that it does not know, and no more: 'I do not know.', "Sorry, I don't know that word".

    'There is no such day' and 'Unknown' count, too; who goes on to an answer, 'I do not know, but it was a Sunday', has
    given one. An empty answer says nothing.
    """
    plain = " ".join(text.lower().replace("’", "'").split())
    return UNKNOWN.fullmatch(plain) is not None and HEDGE.search(plain.removeprefix("sorry, but ")) is None


def unanswerable(part: str, n: int, seed: int = 0) -> list[Question]:
    """Return n questions of family "unknown" for a part, about words, weekdays and days between in turn.

    about: the family whose wording it has, then the word or the days, as ISO would write them: ("weekday",
    "1987-06-31"). The same seed gives the same questions, and a larger n begins with them; one may come twice.
    ValueError for a part that is none and for n below 0.
    """
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    if n < 0:
        raise ValueError(f"n: expected at least 0, got {n}")
    dice, kinds = Dice(f"unknown/{part}/{seed}"), list(MAKERS)
    return [_question(kinds[i % len(kinds)], part, dice) for i in range(n)]


def _question(kind: str, part: str, dice: Dice) -> Question:
    words, about = MAKERS[kind](part, dice)
    text = dice.one_of(WORDINGS[kind][PLACES[part]]).format(**words)
    return Question("unknown", with_company(text, dice) if part == "train" else text, I_DO_NOT_KNOW, (kind, *about))


Made = tuple[dict[str, str], tuple[str, ...]]
Day = tuple[int, int, int]  # year, month, day


@cache
def _known_words() -> frozenset[str]:
    """Return the words of the shipped lists and texts: SCOWL's, the glosses' and Shakespeare's."""
    texts = [f"{gloss.definition} {gloss.example}" for gloss in load_words().glosses.values()]
    texts.append(shipped("tinyshakespeare.txt", SHAKESPEARE_SHA256).decode("ascii"))
    return frozenset(load_words().commonness) | frozenset(re.findall("[a-z]+", " ".join(texts).lower()))


@cache
def _known_roots() -> frozenset[str]:
    return frozenset(map(root, _known_words()))


@cache
def _known_triples() -> frozenset[str]:
    return frozenset().union(*map(_triples, load_words().commonness))


def _triples(word: str) -> set[str]:
    """Return the threes of letters in a row, the word's borders among them."""
    bordered = f"^{word}$"
    return {bordered[i : i + 3] for i in range(len(bordered) - 2)}


@cache
def _cuts() -> list[tuple[str, list[int]]]:
    """Return the words that are asked about, each with where its groups of vowels begin: there it can be cut."""
    words = [word for word in load_words().glosses if load_words().commonness[word] <= COMMON]
    return [(word, [found.start() for found in VOWELS.finditer(word)]) for word in words if VOWELS.search(word)]


@cache
def _ends() -> dict[int, list[str]]:
    """Return the ends of these words by how many groups of vowels they have."""
    ends: dict[int, list[str]] = {}
    for word, cuts in _cuts():
        for i, cut in enumerate(cuts):
            ends.setdefault(len(cuts) - i, []).append(word[cut:])
    return ends


def _is_made_up(word: str) -> bool:
    """Whether a word can be said, is not known, and has no known word of four letters for its beginning or end."""
    parts = {word[:n] for n in range(4, len(word) + 1)} | {word[n:] for n in range(len(word) - 3)}
    known = _known_words().isdisjoint(parts) and root(word) not in _known_roots()
    return known and _triples(word) <= _known_triples() and len(word) >= SHORTEST and COARSE.search(word) is None


def _define(part: str, dice: Dice) -> Made:
    """Return a word that is made up: one's beginning and another's end, with as many groups of vowels as the first."""
    while True:
        begins, cuts = dice.one_of(_cuts())
        place = dice.below(len(cuts))
        word = begins[: cuts[place]] + dice.one_of(_ends()[len(cuts) - place])
        if cuts[place] and part_of(word) == part and _is_made_up(word):
            return {"word": word}, (word,)


@cache
def _never(part: str) -> list[Day]:
    """Return the days of a part, up to a 31st, that months between the first and the last day do not have."""
    months = [(year, month) for year in range(FIRST_DAY.year, LAST_DAY.year + 1) for month in range(1, 13)]
    days = [(y, m, day) for y, m in months for day in range(calendar.monthrange(y, m)[1] + 1, 32)]
    return [day for day in days if hashed_part(_iso(day)) == part]


def _iso(day: Day) -> str:
    return "{}-{:02}-{:02}".format(*day)


def _spoken(day: Day) -> str:
    return f"{day[2]} {MONTHS[day[1] - 1]} {day[0]}"


def _weekday(part: str, dice: Dice) -> Made:
    day = dice.one_of(_never(part))
    return {"date": _spoken(day)}, (_iso(day),)


def _days(part: str, dice: Dice) -> Made:
    """Return a day that does not exist and one up to 99 days before or behind it; of two the first is of the part."""
    never_first = dice.below(2)
    while True:
        never, after = dice.one_of(_never(part)), dice.below(98)
        next_month = datetime.date(never[0] + never[1] // 12, never[1] % 12 + 1, 1)
        if never_first:
            last = next_month + datetime.timedelta(after)
            return {"first": _spoken(never), "last": spoken_date(last)}, (_iso(never), last.isoformat())
        first = next_month - datetime.timedelta(1 + after)
        if first >= FIRST_DAY and hashed_part(first.isoformat()) == part:
            return {"first": spoken_date(first), "last": _spoken(never)}, (first.isoformat(), _iso(never))


MAKERS: dict[str, Callable[[str, Dice], Made]] = {"define": _define, "weekday": _weekday, "days": _days}
