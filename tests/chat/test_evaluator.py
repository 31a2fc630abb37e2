"""The evaluator against Python itself, on thousands of expressions, and against whoever means it ill."""

import random
import warnings

import pytest

from course_lib.chat.evaluator import ExpressionError, Limits, evaluate, parse, tokenize

NAMES = {name: getattr(__import__("builtins"), name) for name in ("abs", "len", "max", "min", "sorted", "sum")}


def python(text):
    """What Python itself makes of a text; it is given only what the tests wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # '(105)[105]'
        return eval(text, {"__builtins__": {}}, dict(NAMES))


def tried(text):
    """The value of a text and no message, or no value and our error's message; any other error is the test's."""
    try:
        return evaluate(text), ""
    except ExpressionError as error:
        return None, str(error)


def written(dice, depth=3):
    """A random expression that has a good chance to be computable."""
    if depth == 0 or dice.random() < 0.2:
        atoms = ["7", "12", "0", "105", "'cab'", '"tree"', "[3, 1, 2]", "['b', 'a']", "[]", "''", "True"]
        return dice.choice(atoms)
    a, b = written(dice, depth - 1), written(dice, depth - 1)
    many = [
        f"{a} + {b}", f"{a} - {b}", f"{a} * {b}", f"{a} // {b}", f"({a}) % ({b})", f"-{a}", f"({a})", f"len({a})",
        f"sorted({a})", f"sum({a})", f"max({a})", f"min({a}, {b})", f"({a}).upper()", f"({a})[{b}]", f"({a})[::-1]",
        f"({a})[1:]", f"({a})[:2]", f"{a} < {b}", f"{a} == {b} != {a}", f"[{a}, {b}]", f"abs({a})", f"({a}).count('a')",
        f"({a})[0:{b}:2]", f"({a}).lower()",
    ]  # fmt: skip
    return dice.choice(many)


def test_what_can_be_computed_is_what_python_computes():
    dice, computed, refused = random.Random(5), 0, 0
    while computed < 600:
        text = written(dice)
        try:
            expected = python(text)
        except (TypeError, IndexError, AttributeError, ValueError, ZeroDivisionError):
            with pytest.raises(ExpressionError):
                evaluate(text)
            refused += 1
            continue
        found, message = tried(text)
        if message:
            assert "% is for numbers" in message or "more than" in message, (text, message)
            continue
        assert (type(found), found) == (type(expected), expected), text
        computed += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4", 14),
        ("10 - 3 - 2", 5),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("2 * -3", -6),
        ("--3", 3),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("1 > 2 < 'a'", False),
        ("'python'[::-1].upper()", "NOHTYP"),
        ("'python'[1:4]", "yth"),
        ("'python'[-1]", "n"),
        ("sorted(['pear', 'apple'])[0]", "apple"),
        ("sum([1, 2, 3]) == max(6, 2)", True),
        ("[1, [2, 3],]", [1, [2, 3]]),
        ("'a)b' + \"it's\"", "a)bit's"),
        ("  7\t", 7),
        ("'banana'.count('an')", 2),
        ("'é' * 2", "éé"),
    ],
)
def test_by_hand(text, expected):
    assert evaluate(text) == expected == python(text.strip())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a value, the text is at its end"),
        ("   ", "expected a value, the text is at its end"),
        ("2 +", "expected a value, the text is at its end"),
        ("2 3", "'3' is one too many behind the expression"),
        ("(2", "expected ')' at the end"),
        ("[1, 2", "expected ',' at the end"),
        ("[,]", "expected a value, got ','"),
        ("'a'[]", "expected a value, got ']'"),
        ("'a'[1:2:1:1]", "expected ']', got ':'"),
        ("2)", "')' is one too many"),
        ("().__class__", "expected a value, got ')'"),
        ("'a'.__class__", "'.__class__' is not allowed"),
        ("'a'.upper", "'.upper' is not allowed"),
        ("'a'.format(1)", "'.format' is not allowed"),
        ("'a'.upper(1)", ".upper cannot be computed"),
        ("[1].upper()", ".upper() is for a string"),
        ("5 .count(1)", ".count() is for a string or a list"),
        ("'a'.count('a', 0)", "cannot be computed"),
        ("__import__('os')", "'__import__' is not known"),
        ("open('x')", "'open' is not known; there are abs(), len()"),
        ("len", "'len' is not known"),
        ("x + 1", "'x' is not known"),
        ("lambda: 1", "'lambda' is not known"),
        ("2 ** 9", "expected a value, got '*'"),
        ("9 ** 9 ** 9", "expected a value, got '*'"),
        ("2 / 3", "'/ 3' is no part of an expression, at character 3"),
        ("1.5", "'1.5' is no part"),
        ("1e9", "'1e9' is no part"),
        ("0x10", "'0x10' is no part"),
        ("1_000", "'1_000' is no part"),
        ("08", "'08': a number does not begin with 0"),
        ("a := 2", "'= 2' is no part"),
        ("1; 2", "'; 2' is no part"),
        ("'abc", "'abc\" is no part"),
        ("'a\\x41'", "is no part of an expression"),
        ("'a\n'", "is no part of an expression"),
        ("'''a'''", "one too many"),
        ("1\u00a0+ 1 \u2212 2", "is no part of an expression"),
        ("\uff4c\uff45\uff4e('a')", "is no part"),
        ("\uff11 + 1", "is no part of an expression, at character 1"),
        ("١", "'١' is no part"),
        ("'%9999999d' % 5", "% is for numbers"),
        ("5 % 0", "% cannot be computed: "),
        ("1 // 0", "// cannot be computed: "),
        ("'a' + 1", "+ cannot be computed: "),
        ("'a' < 1", "< cannot be computed: "),
        ("[1][1]", "[…] cannot be computed: list index out of range"),
        ("[1][::0]", "[…] cannot be computed: slice step cannot be zero"),
        ("5[0]", "[…] cannot be computed: "),
        ("max([])", "max cannot be computed: "),
        ("len(1, 2)", "len cannot be computed: "),
        ("sorted([1, 'a'])", "sorted cannot be computed: "),
        ("-'a'", "- cannot be computed: "),
        ("'a' * 'b'", "* cannot be computed: "),
        ("sorted([1], key=len)", "'=len)' is no part"),
        ("{1: 2}", "'{1: 2}' is no part"),
        ("f'{1}'", "'f' is not known"),
        ("\0", "is no part of an expression"),
    ],
)
def test_a_hostile_or_mistaken_text_is_met_with_a_clear_message(text, message):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a' * 1001", "more than 1,000 characters"),
        ("10000000000 * 'a'", "more than 1,000 characters"),
        ("[0] * 999999999999", "more than 1,000 characters"),
        ("[[0] * 30] * 31 * 31", "more than 1,000 characters"),
        ("['a' * 600, 'b' * 600]", "more than 1,000 characters"),
        ("[['a' * 300] * 3] * 2", "more than 1,000 characters"),
        ("9" * 31, "a number has 31 digits, 30 are allowed"),
        ("99999999999999999999 * 99999999999999999999", "a number has more than 30 digits"),
        ("(" * 21 + "1" + ")" * 21, "more than 20 deep"),
        ("[" * 140 + "]" * 140, "more than 20 deep"),
        ("-" * 140 + "1", "more than 20 deep"),
        ("1" + "+1" * 150, "characters, 300 are allowed"),
    ],
)
def test_what_would_be_too_large_is_refused_before_it_is_made(text, message):
    with pytest.raises(ExpressionError, match="(?s).*" + message):
        evaluate(text)


def test_limits_can_be_chosen_and_are_met_exactly():
    assert evaluate("'a' * 5", Limits(size=5)) == "aaaaa"
    with pytest.raises(ExpressionError, match="more than 4 characters"):
        evaluate("'a' * 5", Limits(size=4))
    assert evaluate("1 + 2", Limits(steps=3)) == 3
    with pytest.raises(ExpressionError, match="more than 2 steps"):
        evaluate("1 + 2", Limits(steps=2))
    assert evaluate("((1))", Limits(depth=3)) == 1
    with pytest.raises(ExpressionError, match="more than 2 deep"):
        evaluate("((1))", Limits(depth=2))
    assert evaluate("99", Limits(digits=2)) == 99
    with pytest.raises(ExpressionError, match="more than 2 digits"):
        evaluate("99 + 1", Limits(digits=2))
    deep = Limits(depth=30, characters=10_000, steps=10_000)
    assert evaluate("sorted(" * 28 + "[1]" + ")" * 28, deep) == [1]
    assert evaluate("1" + "+1" * 200, deep) == 201


@pytest.mark.parametrize(
    ("name", "value"), [("size", 0), ("depth", 31), ("steps", -1), ("digits", 0), ("characters", 0)]
)
def test_limits_that_make_no_sense_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}: expected 1 .*, got {value}"):
        Limits(**{name: value})


def test_random_bytes_never_do_anything_but_raise_our_error():
    dice = random.Random(11)
    pieces = [
        "(",
        ")",
        "[",
        "]",
        "'",
        '"',
        "len",
        "sum",
        "1",
        "23",
        "+",
        "-",
        "*",
        "//",
        "%",
        ",",
        ":",
        ".",
        "upper",
        " ",
        "é",
        "<",
        "==",
    ]
    for _ in range(2_000):
        text = "".join(dice.choice(pieces) for _ in range(dice.randrange(1, 14)))
        value, message = tried(text)
        assert message or isinstance(value, int | str | list)


def test_a_text_is_cut_into_signs_names_numbers_and_strings():
    assert tokenize("len('a b')//12") == [
        ("name", "len"), ("sign", "("), ("string", "'a b'"), ("sign", ")"), ("sign", "//"), ("number", "12"),
    ]  # fmt: skip
    assert parse("1 + 2 * 3").word == "+"
