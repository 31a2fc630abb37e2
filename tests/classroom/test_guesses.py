"""A guess is kept as typed, shown beside the claim that answers it, and never compared."""

import configparser
import re
from pathlib import Path

import pytest

from course_lib.classroom.claims import ClaimError, claim
from course_lib.classroom.guesses import guess, typed

CONFIG = Path(__file__).parents[1] / "nbval.cfg"


def test_what_was_typed_stands_beside_the_result(capsys):
    guess("share", "about a third")
    claim("a half", True, guessed="share", share=0.5)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "✓ a half",
        "    measured: share = 0.5 · you guessed: about a third",
    ]


@pytest.mark.parametrize("nothing", [..., None, "", " … ", "..."])
def test_dots_are_no_guess_and_take_an_earlier_one_back(nothing, capsys):
    guess("share", 0.3)
    guess("share", nothing)
    claim("a half", True, guessed="share", share=0.5)
    assert "you guessed" not in capsys.readouterr().out


def test_anything_may_be_typed(capsys):
    for value, shown in [(0, "0"), ([1, 2], "[1, 2]"), ("two\nlines", "two lines"), ("x" * 999, "x" * 200)]:
        guess("any", value)
        assert typed("any") == shown
    with pytest.raises(TypeError, match="guessed: expected a measured value"):
        claim("x", True, guessed="any")


def test_a_claim_that_answers_no_guess_says_so():
    guess("known.name", 1)
    with pytest.raises(LookupError, match=r"did you mean 'known\.name'"):
        claim("x", True, guessed="known.nam", x=1)
    with pytest.raises(LookupError, match="its cell was not run"):
        claim("x", True, guessed="zzz", x=1)


def test_a_claim_that_fails_fails_whatever_was_guessed():
    guess("share", 1)
    with pytest.raises(ClaimError):
        claim("x", False, guessed="share", x=1)


def test_nbval_compares_the_same_text_with_a_guess_and_without(capsys):
    config = configparser.ConfigParser()
    config.read(CONFIG)

    def compared():
        text = capsys.readouterr().out
        for section in config.sections():
            text = re.sub(config.get(section, "regex"), config.get(section, "replace"), text)
        return text

    guess("share", ...)
    capsys.readouterr()
    claim("a half", True, guessed="share", share=0.5)
    without = compared()
    guess("share", 0.25)
    capsys.readouterr()
    claim("a half", True, guessed="share", share=0.4)
    assert compared() == without
