"""Answers as sentences: lines of the books and worksheets, and judged as the answers in them are."""

import dataclasses

import pytest

from course_lib.chat.checks import check, said
from course_lib.chat.corpus import SHEETS, dictionary, spelling_book, worksheet
from course_lib.chat.questions import FAMILIES, MAKERS, Dice, Question, ask
from course_lib.chat.sentences import PLAIN, as_sentence
from course_lib.chat.unanswerable import unanswerable
from course_lib.datasets.words import PARTS

ASKED = {family: [q for part in PARTS for q in ask(family, part, 30)] for family in FAMILIES}


def saying(question, answer):
    return as_sentence(dataclasses.replace(question, answer=answer))


@pytest.mark.parametrize(
    ("family", "answer", "about", "sentence"),
    [
        ("define", "a tall plant", ("tree",), "The word tree means a tall plant."),
        ("rhyme", "free", ("tree",), "The word tree rhymes with free."),
        ("spell", "t-r-e-e", ("tree",), "The word tree is written t-r-e-e."),
        ("count", "2", ("tree", "e"), "The word tree has the letter e 2 times."),
        ("sort", "ant, bee", ("bee", "ant"), "ant, bee"),
        ("arithmetic", "-1", ("2 - 3",), "The result of 2 - 3 is -1."),
        ("weekday", "Sunday", ("1987-05-03",), "The day 3 May 1987 is a Sunday."),
        ("days", "37", ("2021-05-03", "2021-06-09"), "From 3 May 2021 to 9 June 2021 it is 37 days."),
        ("numbers", "twelve", ("12",), "The number 12 is twelve."),
        ("python", "sum([3, 8])", ("3", "8"), "sum([3, 8])"),
        ("unknown", "I do not know.", ("weekday", "1987-06-31"), "I do not know."),
    ],
)
def test_by_hand(family, answer, about, sentence):
    question = Question(family, "", answer, about)
    assert as_sentence(question) == sentence
    assert said(family, sentence).startswith(answer) or family == "weekday"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_right_answer_is_right_as_a_sentence(family):
    for question in ASKED[family]:
        sentence = as_sentence(question)
        assert check(question, sentence) == check(question, question.answer)
        assert check(question, sentence).right
        assert check(question, sentence.rstrip(".")).right
        if family != "python":
            assert check(question, sentence.lower()).right, sentence
            assert check(question, sentence.upper()).right, sentence


@pytest.mark.parametrize("family", FAMILIES)
def test_any_answer_is_judged_in_a_sentence_as_it_is_alone(family):
    wrong = 0
    others = ["", "nothing", "it is it", "The word", "7", "minus one"]
    for i, question in enumerate(ASKED[family]):
        for answer in [ASKED[family][i - 1].answer, ASKED[family][i - 7].answer, others[i % len(others)]]:
            alone, told = check(question, answer), check(question, saying(question, answer))
            assert told.right == alone.right, (question, answer)
            assert told.score == alone.score
            wrong += not told.right
    assert wrong > 100


def test_words_that_are_numbers_can_be_counted_in():
    for word in ("seven", "hundred", "fourteen", "zero", "thousand"):
        question = Question("count", "", "2", (word, "e"))
        assert check(question, as_sentence(question)).right
        assert not check(question, saying(question, "3")).right


def test_nobody_knows_in_the_same_words():
    for question in unanswerable("train", 30):
        assert as_sentence(question) == question.answer
        assert check(question, as_sentence(question)).right


def test_a_sentence_is_the_line_of_a_book_or_of_a_worksheet():
    lines = {"define": set(dictionary()), "spell": set(spelling_book())}
    for family, book in lines.items():
        assert {as_sentence(question) for question in ASKED[family]} <= book
    for family in SHEETS:
        dice = Dice(f"worksheet/{family}/0")
        made = [MAKERS[family]("train", dice) for _ in range(20)]
        sentences = [as_sentence(Question(family, "", answer, about)) for _, answer, about in made]
        if family in PLAIN:
            sheet = [said(family, line).rstrip(".") for line in worksheet(family, 20)]
            assert sentences == [s.rstrip(".") for s in sheet]
        else:
            assert sentences == list(worksheet(family, 20))
