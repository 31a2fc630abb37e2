"""The calculator: which calls are found, what is written behind them, and a writer that makes results up."""

import pytest

from course_lib.chat.tools import Call, find_call, result_of, write_with_calculator


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("It is calc(12 * 7)", "12 * 7"),
        ("calc((1 + 2) * 3) and more", "(1 + 2) * 3"),
        ("calc(len(')'))", "len(')')"),
        ("calc(1) = 1, then calc(2)", "2"),
        ("calc()", ""),
        ("calc(calc(1))", "calc(1)"),
    ],
)
def test_a_call_is_found(text, expression):
    call = find_call(text)
    assert call.expression == expression
    assert text[call.start : call.end] == f"calc({expression})"


@pytest.mark.parametrize("text", ["", "calc", "calc(1 + 2", "calc(')'", "recalc(1)", "calc(1) = 1", "calc (1)"])
def test_no_call_is_found(text):
    assert find_call(text) is None


def test_a_call_before_the_place_is_not_looked_at():
    text = "calc(1) calc(2)"
    assert find_call(text, 1).expression == "2"
    assert find_call(text, len(text)) is None


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("12 * 7", " = 84"),
        ("'ab'[::-1]", " = 'ba'"),
        ("1 // 0", " = error"),
        ("__import__('os')", " = error"),
        ("", " = error"),
    ],
)
def test_the_result_of_a_call(expression, result):
    assert result_of(Call(0, 0, expression)) == result


def test_the_loop_writes_true_results_over_made_up_ones():
    said = iter(["12 times 7 is calc(12 * 7) = 99, I think. calc(1)", ", so with 16 it is calc(84 + 16)", ". Done."])
    seen = []

    def write(text):
        seen.append(text)
        return next(said)

    # the first call has a result behind it that the writer made up
    written = write_with_calculator(write, "Q: calc(5)? ", most_calls=5)
    assert written == "12 times 7 is calc(12 * 7) = 84, so with 16 it is calc(84 + 16) = 100. Done."
    assert seen[0] == "Q: calc(5)? "
    assert seen[1].endswith("calc(12 * 7) = 84")


def test_the_loop_ends_after_most_calls():
    calls = []

    def write(text):
        calls.append(text)
        return " calc(1)"

    assert write_with_calculator(write, "", most_calls=2) == " calc(1) = 1 calc(1) = 1 calc(1)"
    assert len(calls) == 3
    assert write_with_calculator(write, "", most_calls=0) == " calc(1)"
    with pytest.raises(ValueError, match="most_calls: expected at least 0, got -1"):
        write_with_calculator(write, "", most_calls=-1)
