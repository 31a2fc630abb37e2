"""What is read before anybody asks: right lines, no item that is asked in validation or test, and no question."""

import datetime
import hashlib
import re
from collections import Counter
from functools import cache

import pytest

from course_lib.chat import corpus
from course_lib.chat.corpus import (
    HEADINGS,
    RHYMES,
    SHEETS,
    books_and_worksheets,
    dictionary,
    headed_text,
    rhyming_dictionary,
    spelling_book,
    worksheet,
)
from course_lib.chat.evaluator import evaluate
from course_lib.chat.number_words import in_words
from course_lib.chat.questions import COMMON, Dice, ask
from course_lib.chat.rhymes import rimes, sounds_alike
from course_lib.chat.template import SPECIAL
from course_lib.chat.wordings import WORDINGS
from course_lib.datasets.words import PARTS, Words, hashed_part, load_words, part_of

FEW = 50  # lines of each worksheet in a headed text
MONTHS = {f"{datetime.date(2000, m, 1):%B}": m for m in range(1, 13)}
# what a worksheet's line is about, and what it says, read back from it
LINES = {
    "count": r"The word (\w+) has the letter (\w) (\d+) times\.",
    "sort": r"The words (.+) from a to z: (.+)\.",
    "arithmetic": r"The result of (.+) is (\d+)\.",
    "weekday": r"The day (.+) is a (\w+)\.",
    "days": r"From (.+) to (.+) it is (\d+) days\.",
    "numbers": r"The number (\d+) is ([a-z -]+)\.",
    "python": r"In Python (.+) is (.+)",
}


def day_of(spoken):
    day, month, year = spoken.split()
    return datetime.date(int(year), MONTHS[month], int(day))


def read(family, line):
    """What a line is about, and what it says of it."""
    found = re.fullmatch(LINES[family], line)
    assert found is not None, line
    return found.groups()[:-1], found.groups()[-1]


def parts_of(family, about, answer):
    """The parts that an item belongs to, computed here from its line."""
    if family in ("count", "sort"):
        return {part_of(word) for word in about[0].split(", ")}
    if family == "arithmetic":
        a, sign, b = about[0].split()
        low, high = sorted((int(a), int(b)))
        return {hashed_part(f"{high} {sign} {low}")}
    if family in ("weekday", "days"):
        return {hashed_part(day_of(about[0]).isoformat())}
    return {hashed_part(f"number {about[0]}" if family == "numbers" else answer)}


def truth(family, about):
    """What a line has to say, by other means than the library's where there are any."""
    if family == "count":
        return str(len(re.findall(about[1], about[0])))
    if family == "sort":
        return ", ".join(sorted(about[0].split(", ")))
    if family == "arithmetic":
        return str(evaluate(about[0]))
    if family == "weekday":
        return f"{day_of(about[0]):%A}"
    if family == "days":
        return str(day_of(about[1]).toordinal() - day_of(about[0]).toordinal())
    return in_words(int(about[0]))


WORDS = load_words()
SOME = Words(
    {word: WORDS.commonness[word] for word in [*list(WORDS.commonness)[::12], *["tree", "free", "bee", "sea", "text"]]},
    WORDS.pronunciations,
    WORDS.glosses,
)


@pytest.fixture(autouse=True)
def few_words(monkeypatch):
    """A twelfth of the words: finding all rhymes would take seconds."""
    glosses = {word: gloss for word, gloss in WORDS.glosses.items() if word in SOME.commonness}
    monkeypatch.setattr(corpus, "load_words", lambda: Words(SOME.commonness, SOME.pronunciations, glosses))


@cache
def books():
    return books_and_worksheets(share=0.01)


@cache
def headed():
    return headed_text(lines=FEW)


def common(words=SOME):
    return {word for word, number in words.commonness.items() if number <= COMMON}


@pytest.mark.parametrize("family", SHEETS)
def test_a_worksheet_has_training_items_alone_and_they_are_right(family):
    seen = set()
    for line in worksheet(family, 200):
        about, answer = read(family, line)
        assert parts_of(family, about, answer) == {"train"}
        if family != "python":
            assert answer == truth(family, about)
        seen.add(about)
    assert len(seen) > 150
    for part in ("validation", "test"):
        asked = {tuple(q.about[:1]) if family in ("numbers", "arithmetic") else q.answer for q in ask(family, part, 40)}
        if family == "python":  # the items are the expressions
            assert asked.isdisjoint(read(family, line)[1] for line in worksheet(family, 200))
        elif family in ("numbers", "arithmetic"):
            assert asked.isdisjoint(seen)


def test_what_a_python_line_says_is_what_its_task_asks():
    """By the numbers and words of the task, for the tasks that a test can compute from its words."""
    by_hand = {
        r"the sum of (\d+), (\d+) and (\d+)": lambda a, b, c: int(a) + int(b) + int(c),
        r"the largest of (\d+), (\d+) and (\d+)": lambda a, b, c: max(int(a), int(b), int(c)),
        r"(\d+) plus (\d+), times (\d+)": lambda a, b, c: (int(a) + int(b)) * int(c),
        r"the remainder of (\d+) divided by (\d+)": lambda a, b: int(a) % int(b),
        r"whether (\d+) is less than (\d+)": lambda a, b: int(a) < int(b),
        r"the length of the word (\w+)": len,
        r"the word (\w+) backwards": lambda word: "".join(reversed(word)),
        r"the last letter of (\w+)": lambda word: word[-1],
        r"how often (\w) is in (\w+)": lambda letter, word: word.count(letter),
    }
    done = Counter()
    for line in worksheet("python", 400):
        (task,), expression = read("python", line)
        for form, compute in by_hand.items():
            if found := re.fullmatch(form, task):
                assert evaluate(expression) == compute(*found.groups()), line
                done[form] += 1
    assert len(done) == len(by_hand)


def test_the_dictionary_has_the_meaning_of_every_common_word_three_times(monkeypatch):
    monkeypatch.setattr(corpus, "load_words", load_words)
    lines, glosses = list(dictionary()), load_words().glosses
    known = common(WORDS) & set(glosses)
    assert len(lines) == 3 * len(known)
    means = dict(re.fullmatch(r"The word (\w+) means (.+)\.", line).groups() for line in lines[1::3])
    assert means == {word: glosses[word].definition for word in known}
    assert {part_of(word) for word in list(means)[:99]} == set(PARTS)
    asking = [line for line in lines if "?" in line]
    assert len(asking) == 34
    assert all(re.match(r"The (noun|verb|adj|adv) \w+: [^?]+\. ", line) for line in asking)
    for kind, (word, definition), meaning in zip(lines[::3], means.items(), lines[2::3], strict=True):
        example = glosses[word].example
        assert kind == f"The {glosses[word].kind} {word}: {definition}." + (f" {example}" if example else "")
        assert meaning == f"The meaning {definition} is that of {word}."


def test_the_spelling_book_spells_every_common_word_once():
    spelled = [re.fullmatch(r"The word (\w+) is written ([a-z-]+)\.", line).groups() for line in spelling_book()]
    assert all("".join(letters.split("-")) == word for word, letters in spelled)
    assert all(len(letters) == 2 * len(word) - 1 for word, letters in spelled)
    assert sorted(word for word, _ in spelled) == sorted(word for word in common() if len(word) > 2)


def test_rhyming_words_rhyme_are_few_and_differ_by_the_dice():
    one, same, other = (list(rhyming_dictionary(Dice(seed))) for seed in "aab")
    assert one == same != other
    pairs = [re.fullmatch(r"The word (\w+) rhymes with (\w+)\.", line).groups() for line in one]
    assert len(set(pairs)) == len(pairs)
    assert max(Counter(word for word, _ in pairs).values()) == RHYMES
    assert {word for pair in pairs for word in pair} <= common(WORDS)
    assert {word for word, _ in pairs} <= common()
    for word, with_it in pairs[::7]:
        assert not rimes(word).isdisjoint(rimes(with_it))
        assert not sounds_alike(word, with_it)
    again = {line for line in other if line not in set(one)}
    assert len(again) > len(other) / 3


def test_all_lines_of_the_books_and_of_the_worksheets_are_there():
    assert books().endswith("\n")
    lines = Counter(books()[:-1].split("\n"))
    once = Counter(dictionary()) + Counter(spelling_book())
    dice = Dice("rhymes/0")
    expected = Counter(once)
    for _ in range(2):
        expected += once
    for _ in range(3):
        expected += Counter(rhyming_dictionary(dice))
    for family, (n, _) in SHEETS.items():
        expected += Counter(worksheet(family, n // 100))
    assert lines == expected


def test_the_order_is_random_and_the_seed_decides_it(monkeypatch):
    few = {family: (40, form) for family, (_, form) in SHEETS.items()}
    monkeypatch.setattr(corpus, "SHEETS", few)
    monkeypatch.setattr(corpus, "COPIES", 1)
    monkeypatch.setattr(corpus, "RHYMES", 0)
    one, same, other = (books_and_worksheets(seed) for seed in (0, 0, 1))
    assert one == same != other
    words = [i for i, line in enumerate(one.splitlines()) if " is written " in line]
    spelled = [[line for line in text.splitlines() if " is written " in line] for text in (one, other)]
    assert spelled[0] != spelled[1]
    assert sorted(spelled[0]) == sorted(spelled[1])
    n = one.count("\n")
    assert 0.4 < sum(words) / len(words) / n < 0.6
    assert headed_text(0, 5) == headed_text(0, 5) != headed_text(1, 5)
    assert len(list(worksheet("days", 9))) == 9
    assert list(worksheet("days", 5)) == list(worksheet("days", 9))[:5] != list(worksheet("days", 5, seed=1))


def test_the_texts_are_the_same_on_every_machine():
    """The shipped models have read what these functions give; whoever changes a line has to train them anew."""
    found = [hashlib.sha256(text.encode("ascii")).hexdigest()[:16] for text in (books(), headed())]
    assert found == ["8c9a99cd3cf37754", "cbac9a0093ce3228"]


def test_what_stands_below_a_heading_is_about_it_and_of_training_items():
    lines = headed().splitlines()
    forms = {family: [re.sub(r"\\{\w+\\}", "(.+)", re.escape(h)) for h in HEADINGS[family]] for family in HEADINGS}
    counted, used = Counter(), Counter()
    for heading, line in zip(lines[::2], lines[1::2], strict=True):
        fitting = [
            (family, i) for family in forms for i, form in enumerate(forms[family]) if re.fullmatch(form, heading)
        ]
        family, i = next((each for each in fitting if says(each[0], line)), ("", 0))
        assert family, (heading, line)
        names = re.fullmatch(forms[family][i], heading).groups()
        if family == "sort":
            assert line == ", ".join(sorted(names[0].split(", ")))
            assert {part_of(word) for word in names[0].split(", ")} == {"train"}
        elif family == "copy":
            assert line == f"{names[0]}."
        elif family == "python":
            assert hashed_part(line) == "train"
        else:
            assert all(re.search(rf"\b{re.escape(name)}\b", line) for name in names)
            if family in SHEETS:
                assert parts_of(family, *read(family, line)) == {"train"}
        counted[family] += 1
        used[family, i] += 1
    assert {family: counted[family] for family in (*SHEETS, "copy")} == dict.fromkeys((*SHEETS, "copy"), FEW)
    n = sum(len(word) > 2 for word in common())
    assert counted["spell"] == n
    assert counted["define"] == 3 * sum(len(word) > 2 for word in common() & set(load_words().glosses))
    assert n < counted["rhyme"] <= RHYMES * n
    assert len(used) == sum(map(len, HEADINGS.values()))


def says(family, line):
    """Whether a line below a heading can be one of a family's."""
    books = {
        "define": r"The word \w+ means .+",
        "spell": r"The word \w+ is written .+",
        "rhyme": r"The word \w+ rhymes .+",
    }
    plain = {
        "sort": r"[a-z]+(, [a-z]+)+",
        "copy": r"[a-z]+(, [a-z]+)+\.",
        "python": r"(?!The|From)[^.]*(\.(upper|count).*)?",
    }
    return re.fullmatch({**LINES, **books, **plain}[family], line) is not None


def test_no_line_is_a_question_and_none_has_the_name_of_a_special_token():
    for text in (books(), headed()):
        assert not [name for name in SPECIAL if name in text]
        assert "\n\n" not in text
        assert "\r" not in text
    assert {line for line in books().splitlines() if "?" in line} <= set(dictionary())
    assert "?" not in headed()
    lines = books().splitlines()[::7] + headed().splitlines()[::3]
    wordings = [wording for of_family in WORDINGS.values() for wording in of_family]
    found = {w for w in wordings if any(map(worded(w).fullmatch, lines))}
    # none is; but for its mark, these two training wordings are headings
    assert found == {"Days from {first} to {last}?", "Python for {task}?"}
    assert all(
        WORDINGS[w].index(f) < 22
        for w, f in (("days", "Days from {first} to {last}?"), ("python", "Python for {task}?"))
    )
    assert worded("{word}: its meaning?").fullmatch("tree: its meaning")


def worded(wording):
    """The form of a wording, with or without what it ends in."""
    form = re.escape(wording.rstrip("?.: "))
    return re.compile(
        re.sub(r"\\{(word|letter|number)\\}", r"\\w+", form).replace("\\{", "(?P<").replace("\\}", ">.+)") + r"\W*"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: list(worksheet("define", 1)), "family: expected one of count, sort, .*, python, got 'define'"),
        (lambda: books_and_worksheets(share=0.0), "share: expected above 0 and at most 1, got 0.0"),
        (lambda: books_and_worksheets(share=1.1), "share: expected above 0 and at most 1, got 1.1"),
        (lambda: books_and_worksheets(share=float("nan")), "share: expected above 0 and at most 1, got nan"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
