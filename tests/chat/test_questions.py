"""Questions against Python's own calendar, arithmetic and counting; parts that share nothing; words for numbers."""

import ast
import datetime
import hashlib
import re
from collections import Counter

import pytest
from company import alone

from course_lib.chat.checks import check
from course_lib.chat.number_words import in_words, plain_words
from course_lib.chat.questions import FAMILIES, MONTHS, WEEKDAYS, Dice, ask, questions
from course_lib.chat.rhymes import rhymes_with, rime, rimes, sounds_alike
from course_lib.chat.wordings import PLACES, WORDINGS
from course_lib.datasets.words import PARTS, load_words, part_of

ASKED = {(family, part): ask(family, part, 200) for family in FAMILIES for part in PARTS}


def of(family):
    return [question for part in PARTS for question in ASKED[family, part]]


def date_in(text):
    day, month, year = re.search(r"(\d+) ([A-Z]\w+) (\d{4})", text).groups()
    return datetime.date(int(year), MONTHS.index(month) + 1, int(day))


SMALL = re.findall(
    "[a-z]+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
ROUND = re.findall("[a-z]+", "twenty thirty forty fifty sixty seventy eighty ninety")


def number_of(words):
    """The number that words mean, read from left to right: the inverse of in_words, by other means."""
    total = group = 0
    for word in words:
        if word == "thousand":
            total, group = total + 1000 * group, 0
        elif word == "hundred":
            group *= 100
        else:
            group += SMALL.index(word) if word in SMALL else 10 * (2 + ROUND.index(word))
    return total + group


@pytest.mark.parametrize("family", FAMILIES)
def test_every_question_takes_its_own_answer(family):
    assert [q for q in of(family) if not check(q, q.answer).right] == []
    assert {q.family for q in of(family)} == {family}
    assert all(
        q.text.isascii() and q.answer.isascii() and 3 < len(q.text) < 150 and len(q.answer) < 90 for q in of(family)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_share_no_wording_and_nothing_that_is_asked_about(family):
    assert len(set(WORDINGS[family])) == 25
    assert [WORDINGS[family][PLACES[part]] for part in PARTS] == [
        WORDINGS[family][:22], WORDINGS[family][22:23], WORDINGS[family][23:],
    ]  # fmt: skip
    seen = [{q.about if family != "python" else q.answer for q in ASKED[family, part]} for part in PARTS]
    assert len(set.union(*seen)) == sum(map(len, seen))
    for part in PARTS:
        patterns = [re.escape(w).replace(r"\{", "{").replace(r"\}", "}") for w in WORDINGS[family][PLACES[part]]]
        patterns = [re.compile(re.sub(r"\{\w+\}", "(.+)", pattern)) for pattern in patterns]
        texts = [alone(q.text) if part == "train" else q.text for q in ASKED[family, part]]
        used = Counter(i for text in texts for i, p in enumerate(patterns) if p.fullmatch(text))
        assert len(used) == len(patterns)
        assert all(any(p.fullmatch(text) for p in patterns) for text in texts)


def test_three_in_four_training_questions_have_company_and_no_other_has_any():
    for part in PARTS:
        texts = [q.text for family in FAMILIES for q in ASKED[family, part]]
        share = sum(alone(text) != text for text in texts) / len(texts)
        assert (0.7 < share < 0.8) if part == "train" else share == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_items_can_be_asked_in_another_parts_wordings(family):
    known = [re.compile(re.sub(r"\\{\w+\\}", "(.+)", re.escape(w))) for w in WORDINGS[family][PLACES["train"]]]
    new, reworded = ask(family, "test", 100), ask(family, "test", 100, worded="train")
    assert [(q.about, q.answer) for q in new] == [(q.about, q.answer) for q in reworded]
    assert {q.text for q in new}.isdisjoint(q.text for q in reworded)
    assert all(any(form.fullmatch(q.text) for form in known) for q in reworded)
    tuned_on = ask(family, "train", 100)
    assert [q.about for q in tuned_on] == [q.about for q in ask(family, "train", 100, worded="test")]
    assert ask(family, "test", 9, worded="test") == new[:9]
    with pytest.raises(ValueError, match="worded: expected one of train, validation, test, got 'tests'"):
        ask("spell", "test", 1, worded="tests")


@pytest.mark.parametrize("family", ["define", "rhyme", "spell", "count", "sort"])
def test_words_are_common_and_of_their_part(family):
    for part in PARTS:
        for question in ASKED[family, part]:
            words = question.about if family == "sort" else question.about[:1]
            assert {part_of(word) for word in words} == {part}
            assert all(load_words().commonness[word] <= 20 and word in question.text for word in words)


def test_answers_are_what_python_itself_finds():
    for q in of("weekday"):
        assert q.answer == f"{date_in(q.text):%A}"
        assert q.about == (date_in(q.text).isoformat(),)
    for q in of("days"):
        first, last = (datetime.date.fromisoformat(text) for text in q.about)
        assert last == first + datetime.timedelta(int(q.answer))
        assert 1 <= int(q.answer) <= 99
        assert date_in(q.text) in (first, last)
    for q in of("count"):
        assert int(q.answer) == sum(letter == q.about[1] for letter in q.about[0])
    for q in of("spell"):
        assert "".join(q.answer[::2]) == q.about[0]
        assert set(q.answer[1::2]) <= {"-"}
    for q in of("arithmetic"):
        assert q.about[0] in q.text
        assert int(q.answer) == eval(q.about[0], {"__builtins__": {}})
        assert int(q.answer) >= 0
    for q in of("numbers"):
        assert number_of(plain_words(q.answer)) == int(q.about[0])
        assert q.about[0] in q.text
    for q in of("define"):
        assert q.answer == load_words().glosses[q.about[0]].definition
    assert {q.answer for q in of("weekday")} == set(WEEKDAYS)


def test_a_python_task_says_what_its_expression_does():
    """Each kind of task, read back from its words by other means than those that wrote it."""
    kinds = Counter()
    for q in of("python"):
        expression = ast.parse(q.answer, mode="eval")
        written = {ast.unparse(node) for node in ast.walk(expression) if isinstance(node, ast.Constant)}
        assert set(q.about) <= written
        value = eval(q.answer, {"__builtins__": {}}, {"len": len, "max": max, "min": min, "sorted": sorted, "sum": sum})
        numbers = [int(n) for n in re.findall(r"\d+", q.text)]
        word = ast.literal_eval(q.about[0])
        for sign, expected in {
            "the sum of": lambda n: sum(n), "the largest": max, "the smallest": min, "plus": None, "remainder": lambda n: n[0] % n[1],
            "less than": lambda n: n[0] < n[1], "backwards": lambda n: "".join(reversed(word)), "capital": lambda n: word.upper(),
            "the length": lambda n: len(word), "the first": lambda n: word[: n[0]], "last letter": lambda n: word[len(word) - 1],
        }.items():  # fmt: skip
            if sign in q.text and expected is not None:
                assert value == expected(numbers), q
                kinds[sign] += 1
        if "times" in q.text and "plus" in q.text:
            a, b, c = numbers
            assert value == (a * b + c if q.text.index("times") < q.text.index("plus") else (a + b) * c), q
            kinds["times and plus"] += 1
    assert len(kinds) == 11


def test_the_same_seed_gives_the_same_questions_on_every_machine():
    assert ask("sort", "test", 5, seed=3) == ask("sort", "test", 9, seed=3)[:5]
    assert ask("sort", "test", 5, seed=3) != ask("sort", "test", 5, seed=4)
    text = "\n".join(f"{q.text} {q.answer}" for q in questions("test", 200))
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "73e63f2d696b2d029aaf25d737a545e1e4586dd2ee0c7ef3d886042590a97036"
    )


def test_families_take_turns():
    mixed = questions("train", 23)
    assert [q.family for q in mixed] == [FAMILIES[i % 10] for i in range(23)]
    assert [q.family for q in questions("train", 3, families=("spell", "sort"))] == ["spell", "sort", "spell"]
    assert questions("train", 0) == []


def test_dice_are_fair():
    dice = Dice("x")
    counts = Counter(dice.below(6) for _ in range(6_000))
    assert set(counts) == set(range(6))
    assert all(abs(count - 1_000) < 5 * (6_000 * 5 / 36) ** 0.5 for count in counts.values())
    assert sorted(dice.some_of("abcdef", 6)) == list("abcdef")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ask("riddle", "train", 1), "family: expected one of define, .*, got 'riddle'"),
        (lambda: ask("spell", "dev", 1), "part: expected one of train, validation, test, got 'dev'"),
        (lambda: ask("spell", "train", -1), "n: expected at least 0, got -1"),
        (lambda: questions("train", 1, families=()), "families: expected at least one, got none"),
        (lambda: in_words(1_000_000), "number: expected 0 to 999,999, got 1000000"),
        (lambda: in_words(-1), "number: expected 0 to 999,999, got -1"),
        (lambda: rhymes_with("qwx"), "word: expected one of the dictionary, got 'qwx'"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety-nine"), (100, "one hundred"),
        (342, "three hundred and forty-two"), (1_000, "one thousand"), (1_005, "one thousand and five"),
        (12_340, "twelve thousand three hundred and forty"), (999_999, "nine hundred and ninety-nine thousand nine hundred and ninety-nine"),
    ],
)  # fmt: skip
def test_numbers_in_words_by_hand(number, words):
    assert in_words(number) == words


def test_words_lead_back_to_every_number():
    assert [number_of(plain_words(in_words(n))) for n in range(2_000)] == list(range(2_000))
    assert all(number_of(plain_words(in_words(n))) == n for n in range(2_000, 1_000_000, 4_999))


def test_rhymes_by_hand():
    assert rime(("B", "AH1", "T", "ER0", "F", "L", "AY2")) == ("AY",)
    assert rime(("DH", "AH0")) == ("AH",)
    assert rime(("HH", "M")) == ("HH", "M")
    assert {"great", "weight", "relate"} <= set(rhymes_with("late"))
    assert not {"late", "let", "lately"} & set(rhymes_with("late"))
    assert "bare" not in rhymes_with("bear")
    assert sounds_alike("bear", "bare")
    assert {"deed", "head"} <= set(rhymes_with("read"))  # said in two ways
    assert set(rhymes_with("late", 10)) < set(rhymes_with("late"))
    assert rimes("qwx") == set()


def test_rhyming_goes_both_ways():
    for q in ASKED["rhyme", "test"][:40]:
        assert q.about[0] in rhymes_with(q.answer)
