"""The lookup against scikit-learn's tf–idf, and counted answers against counting in a loop."""

import time
from collections import Counter

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from course_lib.chat.questions import Question, ask, questions
from course_lib.chat.rivals import CountedAnswers, Lookup

FAMILIES = ("define", "spell", "count", "sort", "arithmetic", "weekday", "days", "numbers")
TRAINED = questions("train", 1_200, families=FAMILIES)
ASKED = questions("test", 96, families=FAMILIES)


def exchanges(*pairs):
    return [Question("spell", text, answer) for text, answer in pairs]


def test_the_nearest_question_is_scikit_learns():
    vectors = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]")
    known = vectors.fit_transform([q.text for q in TRAINED])
    lookup = Lookup(TRAINED)
    for question in ASKED:
        near = (known @ vectors.transform([question.text]).T).toarray()[:, 0]
        assert lookup.nearest(question.text) is TRAINED[int(near.round(12).argmax())]
        assert lookup.answer(question.text) == lookup.nearest(question.text).answer


def test_a_rare_word_counts_for_more_than_common_ones_and_length_is_no_merit():
    known = exchanges(("how is a cat", "1"), ("how is a dog", "2"), ("is a how", "3"), ("cat dog cow owl fox ape", "4"))
    lookup = Lookup(known)
    assert lookup.answer("what, a CAT?") == "1"
    assert lookup.answer("is a dog") == "2"
    assert lookup.answer("how is a") == "3"
    assert lookup.answer("the fox") == "4"
    assert Lookup(exchanges(("a a b", "1"), ("a b b", "2"))).answer("b b a") == "2"


def test_signs_are_words_and_of_equally_near_questions_the_first_answers():
    known = exchanges(("5 + 3", "8"), ("5 - 3", "2"), ("3 - 5", "-2"), ("5 * 3", "15"))
    lookup = Lookup(known)
    assert [lookup.answer(text) for text in ("3 + 5", "3 - 5", "5 * 3", "", "?", "x y")] == [
        "8",
        "2",
        "15",
        "8",
        "8",
        "8",
    ]
    assert Lookup(known[::-1]).answer("5 - 3") == "-2"
    shifted = [
        dict(zip("abcd", times, strict=True)) for times in ((4, 1, 3, 5), (1, 3, 5, 4), (3, 5, 4, 1), (5, 4, 1, 3))
    ]
    texts = [" ".join(letter for letter, n in times.items() for _ in range(n)) for times in shifted]
    assert Lookup(exchanges(*zip(texts, "1234", strict=True))).answer("a b c d") == "1"  # in float64 they differ


def test_what_was_asked_before_is_answered_as_before():
    lookup, counted = Lookup(TRAINED), CountedAnswers(exchanges(("spell ab", "a-b"), ("spell cd", "c-d")))
    first = {}
    for question in TRAINED:
        first.setdefault(" ".join(sorted(question.text.lower().split())), question.answer)
    asked = [q for q in TRAINED[:200] if q.family in ("define", "spell", "numbers")]
    assert all(lookup.answer(q.text) == first[" ".join(sorted(q.text.lower().split()))] for q in asked)
    assert [counted.answer(text) for text in ("spell ab", "spell cd")] == ["a-b", "c-d"]


def test_counted_by_hand():
    """Of order 2 only the border counts, behind which a stands four times; of order 3 what stands before it does, too."""
    known = exchanges(("x", "a"), ("y", "a"), ("x", "a"), ("y", "a"), ("z", "b"), ("z", "b"), ("w", "c"))
    counted, further = CountedAnswers(known, order=2), CountedAnswers(known, order=3)
    assert [counted.answer(text) for text in "xyz"] == ["a", "a", "a"]
    assert [further.answer(text) for text in "xyz"] == ["a", "a", "b"]
    assert counted.answer("Ω, never seen") == further.answer("Ω") == "a"
    border = CountedAnswers(
        exchanges(*[("ca", "a")] * 4, *[("da", "e")] * 3), order=2
    )  # behind most a's ends a question
    assert border.answer("ca") == "a"
    circle = CountedAnswers(exchanges(*[("x", "abababab")] * 3), order=2, longest=7)
    assert circle.answer("x") == "abababa"
    assert CountedAnswers(exchanges(("x", "")), order=2).answer("x") == ""


def test_where_the_context_was_seen_often_it_writes_what_a_loop_counts():
    """Behind a context with ten times as many of one follower as of all others, discounts change nothing."""
    order, counted = 6, CountedAnswers(TRAINED, order=6)
    followers = {}
    for question in TRAINED:
        text = f"{question.text}\n{question.answer}\0"
        for i in range(order - 1, len(text)):
            followers.setdefault(text[i - order + 1 : i], Counter())[text[i]] += 1
    compared = 0
    for question in ASKED:
        written = counted.answer(question.text)
        whole = f"{question.text}\n{written}" + "\0" * (len(written) < 120)
        for i in range(len(question.text) + 1, len(whole)):
            seen = followers.get(whole[i - order + 1 : i], Counter())
            likeliest, times = max(seen.items(), key=lambda item: item[1], default=("\n", 0))
            if likeliest != "\n" and times > 10 * (seen.total() - times) + 10:
                assert whole[i] == likeliest
                compared += 1
    assert compared > 100


def test_only_what_was_in_exchanges_is_written_and_no_border():
    counted = CountedAnswers(TRAINED[:300], order=7)
    for text in [q.text for q in ASKED[:40]] + ["", "\n\0é", "zzzz " * 40]:
        written = counted.answer(text)
        assert set(written) <= set(counted.characters)
        assert "\n" not in written
        assert len(written) <= 120


def test_fifty_answers_of_a_thousand_questions_are_quick():
    known, asked = ask("arithmetic", "train", 1_000), ask("arithmetic", "test", 50)
    start = time.process_time()
    rivals = Lookup(known), CountedAnswers(known)
    assert all(isinstance(rival.answer(q.text), str) for rival in rivals for q in asked)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Lookup([]), "questions: expected at least one, got none"),
        (lambda: CountedAnswers([]), "questions: expected at least one, got none"),
        (lambda: CountedAnswers(exchanges(("a", "b")), longest=0), "longest: expected at least 1, got 0"),
        (lambda: CountedAnswers(exchanges(("a", "b")), order=0), "order: expected 1 to 27, got 0"),
        (lambda: CountedAnswers(TRAINED, order=20), "order: expected 1 to 10, got 20"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
