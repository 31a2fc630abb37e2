"""Checkers take every right answer, however it is written, and say of a wrong one what is wrong."""

import itertools
import random

import pytest

from course_lib.chat.checks import check, final
from course_lib.chat.overlap import overlap
from course_lib.chat.questions import FAMILIES, Question, ask

QUESTIONS = {
    "define": Question(
        "define", "", "a plant and works where alcoholic drinks are made by distillation", ("distillery",)
    ),
    "rhyme": Question("rhyme", "", "great", ("late",)),
    "spell": Question("spell", "", "b-a-l-l", ("ball",)),
    "count": Question("count", "", "2", ("ball", "l")),
    "sort": Question("sort", "", "ant, bee, cat", ("cat", "ant", "bee")),
    "arithmetic": Question("arithmetic", "", "1084", ("12 + 1072",)),
    "weekday": Question("weekday", "", "Sunday", ("1987-05-03",)),
    "days": Question("days", "", "37", ("2021-05-03", "2021-06-09")),
    "numbers": Question("numbers", "", "one thousand three hundred and forty-two", ("1342",)),
    "python": Question("python", "", "sum([3, 8, 12])", ("3", "8", "12")),
}
RIGHT = [
    ("define", "A factory where alcoholic drinks are made by distillation."),
    ("define", "plant in which one makes alcoholic drinks; works; by distillation"),
    ("rhyme", "Weight."),
    ("rhyme", " gate"),
    ("rhyme", "relate"),
    ("spell", "b a l l"),
    ("spell", "B-A-L-L."),
    ("spell", "b, a, l, l"),
    ("count", "two"),
    ("count", "There are 2."),
    ("count", "2"),
    ("sort", "ant bee cat"),
    ("sort", "Ant,bee,\n cat."),
    ("arithmetic", "It is 1,084."),
    ("arithmetic", "calc(12 + 1072) = 1084"),
    ("arithmetic", "12 and 1072 make calc(12 + 1072) = 1084."),
    ("weekday", "It was a sunday."),
    ("days", "37 days"),
    ("days", "thirty-seven"),
    ("numbers", "One thousand three hundred forty two"),
    ("numbers", "one thousand, three hundred and forty-two."),
    ("python", "3 + 8 + 12"),
    ("python", "sum([12, 8, 3])"),
    ("python", "  sum( [3,8,12] ) "),
]
WRONG = [
    ("define", "a place for wine", "shares 0% with"),
    ("define", "distillery", "shares 0%"),
    ("define", "works", "50% are enough"),
    ("rhyme", "late", "the word itself"),
    ("rhyme", "let", "'let' and 'late' end in different sounds"),
    ("rhyme", "blate", "'blate' is no word of the dictionary"),
    ("rhyme", "gate or fate", "is no word of the dictionary"),
    ("spell", "ball", "not letter by letter"),
    ("spell", "b-a-l", "spells 'bal'"),
    ("spell", "b-a-ll", "not letter by letter"),
    ("count", "3", "3 is not 2"),
    ("count", "2 or 3", "expected one number, found 2"),
    ("count", "some", "expected one number, found 0"),
    ("count", "twenty-two", "22 is not 2"),
    ("count", "2.5", "expected one number, found 0"),
    ("count", "-2", "-2 is not 2"),
    ("count", "2nd", "found 0"),
    ("count", "two hundred hundred", "expected one number"),
    ("count", "٢", "found 0"),
    ("sort", "ant, cat, bee", "not in alphabetical order"),
    ("sort", "ant, bee", "not the words that were to be sorted"),
    ("sort", "ant, bee, bee, cat", "not the words"),
    ("arithmetic", "12 + 1072 = 1084", "found 3"),
    ("arithmetic", "10,84", "found 2"),
    ("arithmetic", "calc(12 + 1072) = error", "found 0"),
    ("arithmetic", "9" * 200, "found 0"),
    ("weekday", "Monday", "it is not a Monday"),
    ("weekday", "Saturday or Sunday", "expected one weekday, found 2"),
    ("weekday", "Sun", "found 0"),
    ("days", "38", "38 is not 37"),
    ("numbers", "1342", "it is one thousand"),
    ("numbers", "one thousand three hundred and forty", "it is one thousand"),
    ("python", "23", "the value without its computation: 3, 8, 12 is not in it"),
    ("python", "3 + 20", "8, 12 is not in it"),
    ("python", "sum([3, 8, 13])", "its value is 24"),
    ("python", "'23'", "its value is '23'"),
    ("python", "__import__('os').system('ls')", "'__import__' is not known"),
    ("python", "sum([3, 8, 12)", "expected ','"),
    ("python", "Sum([3, 8, 12])", "'Sum' is not known"),
]


@pytest.mark.parametrize(("family", "given"), RIGHT)
def test_a_right_answer_in_another_writing_is_taken(family, given):
    verdict = check(QUESTIONS[family], given)
    assert (verdict.right, verdict.why) == (True, "right")
    assert verdict.score >= 0.5


@pytest.mark.parametrize(("family", "given", "why"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(family, given, why):
    verdict = check(QUESTIONS[family], given)
    assert not verdict.right
    assert why in verdict.why
    assert verdict.score < 0.5


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_that_is_given_raises_or_passes_by_accident(family):
    dice = random.Random(1)
    hostile = [
        "",
        " \n",
        "\0",
        "e" * 401,
        "(" * 399,
        "[" * 399,
        "-" * 399,
        "é" * 50,
        "\ud800",
        "1e999",
        "𝟙𝟚",
        "calc(",
        " = ",
        "a-" * 199,
    ]
    hostile += ["".join(dice.choice("abc019 ,.-'()[]+=é") for _ in range(dice.randrange(1, 40))) for _ in range(60)]
    for given in hostile:
        verdict = check(QUESTIONS[family], given)
        assert not verdict.right, given
        assert verdict.why


def test_the_answer_to_one_question_is_not_the_answer_to_the_next():
    for family in FAMILIES:
        asked = ask(family, "test", 40, seed=8)
        mixed_up = sum(check(q, other.answer).right for q, other in itertools.pairwise(asked) if q.about != other.about)
        assert mixed_up <= {"count": 25, "weekday": 12, "define": 1, "rhyme": 2}.get(family, 3)


def test_a_bool_is_no_number_and_a_homophone_no_rhyme():
    question = Question("python", "", "3 < 8", ("3", "8"))
    assert check(question, "8 > 3").right
    assert "its value is 1" in check(question, "8 // 3 - 1").why
    assert "sounds the same as" in check(Question("rhyme", "", "care", ("bear",)), "bare").why


def test_the_holes_that_are_known_are_holes():
    """Not wanted, but true: a chapter shows what a model makes of them."""
    assert check(QUESTIONS["python"], "sum([3, 8, 12]) * 1").right
    assert check(QUESTIONS["python"], "[3, 8, 12, 23][-1]").right
    assert check(QUESTIONS["define"], "distillation drinks made works alcoholic plant not").right


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a large animal", 1.0),
        ("large animals", 1.0),
        ("a large stone", 0.5),
        ("animal", 2 / 3),
        ("an elephant", 0.0),
        ("the of a", 0.0),
        ("", 0.0),
    ],
)
def test_overlap_by_hand(given, expected):
    assert overlap(given, "a large animal", "elephant") == pytest.approx(expected)


def test_what_counts_of_an_answer_with_a_tool():
    assert final("calc(1 + 1) = 2") == "2"
    assert final("calc(1) = 1 and calc(2) = 2, so") == "2, so"
    assert final("1 = 1") == "1 = 1"
