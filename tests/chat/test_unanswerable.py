"""Made-up words stand nowhere, days that do not exist are refused by Python's calendar, and their wordings are the same."""

import datetime
import hashlib
import re
from collections import Counter

import pytest
from company import alone

from course_lib.chat.checks import check
from course_lib.chat.questions import FAMILIES, ask, questions
from course_lib.chat.unanswerable import says_unknown, unanswerable
from course_lib.chat.wordings import PLACES, WORDINGS
from course_lib.datasets.words import PARTS, dictionary_text, hashed_part, load_words, part_of
from course_lib.paths import DATA

KINDS = ("define", "weekday", "days")
ASKED = {part: unanswerable(part, 720) for part in PARTS}
MONTHS = {f"{datetime.date(2000, m, 1):%B}": m for m in range(1, 13)}


def of(kind, parts=PARTS):
    return [question for part in parts for question in ASKED[part] if question.about[0] == kind]


def exists(day):
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        return False
    return True


def days_in(text):
    found = re.findall(r"(\d+) ([A-Z][a-z]+) (\d{4})", text)
    return [f"{year}-{MONTHS[month]:02}-{int(day):02}" for day, month, year in found]


def test_a_made_up_word_stands_in_nothing_that_is_shipped():
    """Not as a word, and its root is no word's; read from the files themselves."""
    text = (DATA / "tinyshakespeare.txt").read_text() + "".join(map(dictionary_text, PARTS))
    known = {*load_words().commonness, *re.findall("[a-z]+", text.lower())}
    for question in of("define"):
        word = question.about[1]
        assert re.fullmatch("[a-z]{6,22}", word)
        assert word in question.text
        assert known.isdisjoint({word, word.removesuffix("s"), word.removesuffix("ed"), word.removesuffix("ing")})
        assert known.isdisjoint({word[:4], word[:5], word[-4:], word[-5:]})


def test_a_made_up_word_can_be_said():
    triples = {f"^{w}$"[i : i + 3] for w in load_words().commonness for i in range(len(w))}
    for question in of("define"):
        word = f"^{question.about[1]}$"
        assert all(word[i : i + 3] in triples for i in range(len(word) - 2))
        assert re.search("[aeiouy]", word)
        assert not re.search("fuck|shit|cunt|crap|rapist", word)
    syllables = Counter(len(re.findall("[aeiouy]+", q.about[1])) for q in of("define"))
    assert {2, 3, 4} <= set(syllables)


def test_days_that_do_not_exist_are_refused_by_python_and_no_others():
    for question in of("weekday"):
        assert days_in(question.text) == [question.about[1]]
        assert not exists(question.about[1])
        assert 1900 <= int(question.about[1][:4]) <= 2099
    never = {f"2001-{month:02}-{day}"[5:] for month in range(1, 13) for day in range(29, 32)}
    assert {q.about[1][5:] for q in of("weekday")} == {day for day in never if not exists(f"2001-{day}")}
    assert len({q.about[1] for q in of("weekday")}) > 200


def test_of_two_days_one_exists_and_they_are_as_far_apart_as_those_that_are_asked_about():
    which = Counter()
    for question in of("days"):
        first, last = question.about[1:]
        assert sorted(days_in(question.text)) == [first, last]
        assert exists(first) + exists(last) == 1
        gone = first if not exists(first) else last
        year, month = map(int, gone.split("-")[:2])
        stand_in = datetime.date(year + month // 12, month % 12 + 1, 1)  # the day that it would be, or nearly
        there = datetime.date.fromisoformat(last if gone == first else first)
        assert 0 <= abs((there - stand_in).days) <= 98
        assert (there < stand_in) == (gone == last)
        assert int(first[:4]) >= 1900
        which[gone == first] += 1
    assert min(which.values()) > 140


def test_wordings_are_those_of_questions_that_can_be_answered_and_all_come_up():
    for kind in KINDS:
        for part in PARTS:
            asked = of(kind, [part])
            wordings = WORDINGS[kind][PLACES[part]]
            patterns = [re.sub(r"\\{\w+\\}", "(.+)", re.escape(wording)) for wording in wordings]
            used = Counter(i for q in asked for i, p in enumerate(patterns) if re.fullmatch(p, alone(q.text)))
            assert len(used) == len(wordings)
            assert used.total() == len(asked) == 240


def test_training_questions_have_the_company_that_those_with_an_answer_have():
    """What stands around a question must not tell whether it has an answer."""
    for part in PARTS:
        for asked in (ASKED[part], questions(part, 1000)):
            share = sum(alone(q.text) != q.text for q in asked) / len(asked)
            assert (0.68 < share < 0.82) if part == "train" else share == 0


def test_parts_share_nothing_that_is_asked_about():
    for part in PARTS:
        assert {part_of(q.about[1]) for q in of("define", [part])} == {part}
        assert {hashed_part(q.about[1]) for q in of("weekday", [part])} == {part}
        assert {hashed_part(q.about[1]) for q in of("days", [part])} == {part}
    for kind in KINDS:
        seen = [{q.about for q in of(kind, [part])} for part in PARTS]
        assert len(set.union(*seen)) == sum(map(len, seen)) > 250


def test_kinds_take_turns_and_the_same_seed_gives_the_same_questions_on_every_machine():
    assert [q.about[0] for q in ASKED["test"][:7]] == [*KINDS, *KINDS, "define"]
    assert {q.family for q in ASKED["test"]} == {"unknown"}
    assert "unknown" not in FAMILIES
    assert unanswerable("test", 9) == ASKED["test"][:9] != unanswerable("test", 9, seed=1)
    assert unanswerable("train", 0) == []
    text = "\n".join(q.text for q in ASKED["test"][:360])
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "55dbdc2c2c9b70210dac85ac67a1470f9204672cbe800a183019a687cd63313d"
    )


@pytest.mark.parametrize(
    "text",
    [
        "I do not know.", "i don't know", "I don’t know!", "I dont know", "Unknown", "unknown.", "It is unknown.",
        "Sorry, I do not know that word.", "Sorry, but I don't know.", "I'm sorry, I cannot say.", "No idea",
        "I have no idea what that means.", "Nobody knows.", "I do not know what blorket means.", "Do not know",
        "There is no such day.", "I'm afraid I do not know how many days there are.", "  I  do\nnot know. ",
        "The word is not known.", "I can't tell",
    ],
)  # fmt: skip
def test_who_does_not_know_says_so_in_many_ways(text):
    assert says_unknown(text)
    for kind in KINDS:
        assert check(of(kind)[0], text).right


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "Monday", "12", "I know.", "not", "I do not know, but it was a Sunday.", "I do not know. 12",
        "I do not know but I think Sunday", "I do not know: 12", "Sorry.", "an unknown animal", "not known before",
        "It is unknown to me, 12", "I do not", "do you know?", "I do not know that word, 12", "I don't know the day: it was a Sunday", "I do not know it. A fruit", "I do not know 12", "I don't know Sunday",
        "Perhaps I do not know", "I do not know that it is perhaps 12", "unknown quantity", "There is no day",
    ],
)  # fmt: skip
def test_another_answer_is_wrong(text):
    assert not says_unknown(text)
    for kind in KINDS:
        verdict = check(of(kind)[0], text)
        assert not verdict.right
        assert verdict.why == ("answers what nobody can answer" if text.strip() else "empty")


def test_no_right_answer_says_unknown_and_saying_so_is_no_right_answer():
    answerable = questions("train", 180, families=[f for f in FAMILIES if f != "rhyme"])
    assert not any(says_unknown(question.answer) for question in answerable)
    assert not any(check(question, "I do not know.").right for question in answerable)
    assert [w for w, gloss in load_words().glosses.items() if says_unknown(gloss.definition)] == ["unknown"]
    assert all(check(question, question.answer).right for part in PARTS for question in ASKED[part])
    for part in PARTS:
        for kind in KINDS:
            real = {q.text for q in ask(kind, part, 100)}
            assert real.isdisjoint(q.text for q in of(kind, [part]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unanswerable("dev", 1), "part: expected one of train, validation, test, got 'dev'"),
        (lambda: unanswerable("test", -1), "n: expected at least 0, got -1"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
