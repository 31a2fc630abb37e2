"""Checkers take every right answer, however it is written, and say of a wrong one what is wrong."""

import itertools
import random

import pytest

from course_lib.chat.checks import CHECKERS, check, final, said
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
    hostile += [f"{begin} is" + 99 * " is" for begin in ("The", "From it", "In Python")]
    hostile += [
        "The word late rhymes with",
        "From it is",
        "The word  means  ",
        "The words a to z: ",
        "The " + "a to z: " * 40,
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
    assert check(QUESTIONS["rhyme"], "The word dog rhymes with gate.").right


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


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        ("define", "The word use means the means to an end.", "the means to an end."),
        ("define", "The word means means that it is used.", "that it is used."),
        ("define", "the financial means whereby one lives", "the financial means whereby one lives"),
        ("define", "The financial means whereby one lives", "The financial means whereby one lives"),
        ("define", "The word tree", "The word tree"),
        ("rhyme", "The word tree rhymes with free.", "free."),
        ("rhyme", "THE WORD TREE RHYMES WITH FREE", "FREE"),
        ("rhyme", "free rhymes with tree", "free rhymes with tree"),
        ("spell", "The word ball is written b-a-l-l.", "b-a-l-l."),
        ("count", "The word hundred has the letter r 1 times.", "1 times."),
        ("count", "The word ball has 2", "The word ball has 2"),
        ("sort", "The words cat, ant from a to z: ant, cat.", "ant, cat."),
        ("sort", "ant, cat", "ant, cat"),
        ("arithmetic", "The result of 2 + 2 is 4.", "4."),
        ("arithmetic", "the result of 2 is 3 is 4", "4"),
        ("arithmetic", "The result of 2 + 2 is", "The result of 2 + 2 is"),
        ("arithmetic", "Theres 2 is 4", "Theres 2 is 4"),
        ("weekday", "The day 3 May 1987 is a Sunday.", "The day 3 May 1987 is a Sunday."),
        ("days", "From 3 May 2021 to 9 June 2021 it is 37 days.", "37 days."),
        ("days", "From 3 May 2021 to\n9 June 2021 it is 37 days.", "37 days."),
        ("numbers", "The number 12 is twelve.", "twelve."),
        ("python", "In Python how often s is in misses is 'misses'.count('s')", "'misses'.count('s')"),
        ("python", "'The ' + 'x is y'", "'The ' + 'x is y'"),
        ("unknown", "The word is not known.", "The word is not known."),
    ],
)
def test_what_a_sentence_says(family, text, expected):
    assert said(family, text) == expected


def test_of_a_sentence_the_end_counts_and_the_rest_decides_nothing():
    sentences = {
        "define": ("The word distillery means {}.", "The word lamp means {}."),
        "rhyme": ("The word late rhymes with {}.", "The word late rhymes with let rhymes with {}."),
        "spell": ("The word ball is written {}.", "the word ball is written b-a-l is written {}"),
        "count": ("The word ball has the letter l {} times.", "The word seven has the letter a {} times"),
        "arithmetic": ("The result of 12 + 1072 is {}.", "THE RESULT OF 12 + 1072 is 5 is {}"),
        "days": ("From 3 May 2021 to 9 June 2021 it is {} days.", "From 1 to 2 it is 3 it is {}"),
        "numbers": ("The number 1342 is {}.", "The number 1342 is one is {}."),
        "sort": ("The words cat, ant, bee from a to z: {}.", "the words ant, bee a to z: {}"),
        "python": ("In Python the sum of 3, 8 and 12 is {}", "In python it is 4 and is {}"),
    }
    wrong = {"define": "a lamp", "rhyme": "let", "spell": "b-a-l", "count": "3", "arithmetic": "1085", "days": "7"}
    wrong |= {"numbers": "one", "sort": "cat, ant, bee", "python": "23"}
    assert sentences.keys() == wrong.keys() == CHECKERS.keys() - {"weekday", "unknown"}
    for family, forms in sentences.items():
        for form in forms:
            assert check(QUESTIONS[family], form.format(QUESTIONS[family].answer)).right, form
            assert not check(QUESTIONS[family], form.format(wrong[family])).right, form
    assert check(QUESTIONS["weekday"], "the day 3 May 1987 is a sunday").right
    assert not check(QUESTIONS["arithmetic"], "The result of 12 + 1072 is 1084 is 5").right


def test_what_is_said_is_the_texts_end_whatever_it_is():
    dice = random.Random(3)
    words = [
        "The ",
        "From ",
        "In Python ",
        " is ",
        " it is ",
        " means ",
        "word",
        " a to z: ",
        " rhymes with ",
        "\n",
        "é",
    ]
    for family in (*FAMILIES, "unknown", "no family"):
        for _ in range(100):
            text = "".join(dice.choice(words) for _ in range(dice.randrange(9)))
            assert text.endswith(said(family, text))


def test_what_counts_of_an_answer_with_a_tool():
    assert final("calc(1 + 1) = 2") == "2"
    assert final("calc(1) = 1 and calc(2) = 2, so") == "2, so"
    assert final("1 = 1") == "1 = 1"
