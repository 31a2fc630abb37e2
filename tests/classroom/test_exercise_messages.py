"""Whatever a learner's code gives back or raises, a clear message comes of it."""

import io
import re
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from toys import toy

from course_lib.chapters.exercises import answer
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.compare import difference
from course_lib.classroom.exercises.engine import WrongAnswerError
from course_lib.classroom.exercises.spec import Probe


def double_sum(x):
    """Twice the sum."""
    return 2 * x.sum()


BAD = {
    "return 1.0": "type",
    "return 'text'": "type",
    "return x.detach().numpy()": "type",
    "return [x]": "type",
    "return x[:2]": "shape",
    "return (2 * x)[None]": "shape",
    "return (2 * x).float()": "dtype",
    "return (2 * x).to('meta')": "device",
    "return x * float('nan')": "not_finite",
    "return x / 0": "not_finite",
    "x *= 2\n    return x": "changed_arguments",
    "x[0] = 9.0\n    return x * 2": "changed_arguments",
    "return 2 * x + 1e-6": "values",
    "return (2 * x).detach()": "gradient_missing",
    "return torch.tensor([2 * v.item() for v in x], dtype=x.dtype)": "gradient_missing",
    "return x + x.detach()": "gradient_values",
    "return undefined": "raised",
    "return x.numpy()": "raised",
    "import sys; sys.exit(3)": "raised",
    "raise KeyboardInterrupt": "interrupted",
    "return double(x)": "recursion",
    "return torch.empty(10**15)": "memory",
    "raise MemoryError": "memory",
    "y = x.exp()\n    z = 2 * x + (y - y.detach())\n    y += 1\n    return z": "gradient_raised",
}


@pytest.mark.parametrize(("body", "key"), BAD.items())
def test_anything_may_come_back(cell, body, key):
    with pytest.raises(WrongAnswerError) as wrong:
        cell(f"def double(x):\n    {body}")
    assert wrong.value.key == key, wrong.value
    assert all(len(line) < 300 for line in wrong.value.lines)
    assert len(wrong.value.lines) <= 7


def test_an_exception_points_at_the_learners_line(cell):
    with pytest.raises(WrongAnswerError) as wrong:
        cell("def double(x):\n    y = x + 1\n    return y @ y.nothing")
    assert "in line 5 of the cell: return y @ y.nothing" in str(wrong.value)
    assert "AttributeError" in str(wrong.value)


def test_a_megabyte_of_output_is_cut(cell, capsys):
    cell("def double(x):\n    print('spam ' * 200_000)\n    return 2 * x")
    said = capsys.readouterr().out
    assert len(said) < 1500
    assert "(1,000,001 characters in all)" in said


def test_values_come_before_gradients_and_arguments_before_values(cell):
    with pytest.raises(WrongAnswerError) as wrong:
        cell("def double(x):\n    x += 1\n    return x.detach()")
    assert wrong.value.key == "changed_arguments"
    with pytest.raises(WrongAnswerError) as wrong:
        cell("def double(x):\n    return 3 * x.detach()")
    assert wrong.value.key == "values"


def test_float32_on_the_way_is_named(cell):
    with pytest.raises(WrongAnswerError, match="was something made in float32 on the way"):
        cell("def double(x):\n    return (x.float() * 2.2).double() / 2.2 * 2")


def test_values_are_compared_without_broadcasting(cell):
    """One number that equals all expected ones would pass a comparison that broadcasts."""
    entry = toy(probes=lambda: [Probe((torch.full((3,), 2.0, dtype=torch.float64),))], mistakes=())
    assert check(lambda x: 2 * x[:1], entry).key == "shape"


def test_a_whole_number_beyond_every_float_is_wrong_and_no_crash():
    for huge in (10**400, -(10**400)):
        assert difference(2.0, huge, 1e-10, 1e-12, ()).key == "not_finite"
    assert difference(2.0, 2, 1e-10, 1e-12, ()) is None


def test_the_expected_values_do_not_depend_on_the_learners_code():
    """Code that spoils torch while it runs cannot make itself right."""
    entry = toy(mistakes=())

    def spoiler(x):
        torch.manual_seed(1)
        return 3 * x

    assert check(spoiler, entry).key == "values"


STRANGE = {
    "return x.to_sparse()": ("type", "sparse_coo came back; expected a torch.Tensor (3,)"),
    "return torch.nested.nested_tensor([x.detach()])": ("type", "a nested tensor came back"),
    "return torch.quantize_per_tensor(x.detach().float(), 0.1, 0, torch.qint8)": (
        "type",
        "a quantised tensor came back",
    ),
    "return x + 0j": ("dtype", "complex128 came back; expected torch.float64"),
    "return 10**400": ("type", "a whole number of about 401 digits came back"),
    "return 10**5000": ("type", "a whole number of about 5001 digits came back"),
    "return {'a': x}": ("type", "a dict came back"),
    "raise ValueError": ("raised", "your code raised ValueError, without a message"),
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})": ("raised", "Odd, without a message"),
    "return type('Odd', (), {'__repr__': lambda self: 1 / 0})()": ("type", "an Odd came back"),
    "return type('Odd', (float,), {'__repr__': lambda self: 1 / 0, '__format__': lambda *_: 1 / 0})(2)": (
        "type",
        "an Odd",
    ),
    "return torch.ones(3, dtype=torch.bool).softmax(0)": ("raised", "NotImplementedError: "),
}


@pytest.mark.parametrize(("body", "key", "says"), [(body, *rest) for body, rest in STRANGE.items()])
def test_strange_things_are_named(cell, body, key, says):
    with pytest.raises(WrongAnswerError, match=re.escape(says)) as wrong:
        cell(f"def double(x):\n    {body}")
    assert wrong.value.key == key


NUMBERS = [
    (float("nan"), "NaN came back; expected 2"),
    (float("-inf"), "minus infinity came back; expected 2"),
    (Fraction(10**400), "…, too large for a float, came back; expected 2"),
    (10**400, "a whole number of about 401 digits, too large for a float, came back; expected 2"),
    (10**5000, "a whole number of about 5001 digits, too large"),
]


@pytest.mark.parametrize(("number", "says"), NUMBERS, ids=range(len(NUMBERS)))
def test_a_number_that_is_none_is_named(number, says):
    found = difference(2.0, number, 1e-10, 1e-12)
    assert found.key == "not_finite"
    assert says in found.says
    assert difference(torch.tensor(2.0), number, 1e-10, 1e-12).key == "not_finite"


def test_huge_whole_numbers_are_compared_exactly():
    assert difference(10**5000, 10**5000, 1e-10, 1e-12) is None
    assert "5001 digits" in difference(10**5000, 10**5000 + 1, 1e-10, 1e-12).says


def test_what_refuses_to_be_compared_is_a_wrong_type():
    class Odd(str):
        def __eq__(self, other):
            raise ValueError("no")

        __hash__ = str.__hash__

    assert difference("a", Odd("a"), 1e-10, 1e-12).key == "type"


def test_unfinished_is_what_the_learner_raises_and_not_what_pytorch_does(cell, capsys):
    cell("def double(x):\n    if x.sum() > 0:\n        raise NotImplementedError('later')\n    return x")
    assert "unfinished" in capsys.readouterr().out
    with pytest.raises(WrongAnswerError, match="your code raised NotImplementedError"):
        cell("def double(x):\n    return torch.nn.Module()(x)")


def test_a_backward_pass_may_raise_anything(cell):
    source = """
        class Cut(torch.autograd.Function):
            @staticmethod
            def forward(context, x):
                return 2 * x

            @staticmethod
            def backward(context, gradient):
                raise OSError("cut")


        def double(x):
            return Cut.apply(x)
    """
    with pytest.raises(WrongAnswerError, match="the backward pass raises: cut") as wrong:
        cell(source)
    assert wrong.value.key == "gradient_raised"


ODD_ANSWERS = [10**400, -(10**5000), float("nan"), Fraction(10**400), torch.empty((), device="meta"), 1j]


@pytest.mark.parametrize("value", ODD_ANSWERS, ids=range(len(ODD_ANSWERS)))
def test_any_answer_is_met_with_a_message(toys, value):
    with pytest.raises(WrongAnswerError) as wrong:
        answer("toy.number", value)
    assert wrong.value.key in ("values", "type")
    with pytest.raises(WrongAnswerError) as wrong:
        answer("toy.word", value)
    assert wrong.value.key == "unknown"


def test_one_number_may_come_back_in_any_style(cell):
    entry = toy(
        reference=double_sum,
        probes=lambda: [Probe((torch.tensor([1.5, 0.3], dtype=torch.float64),))],
        mistakes=(),
        stub="",
    )
    targets = torch.ones(2)  # float32, as torch.ones makes them
    losses = {"float64": lambda x: x.sum() * 2, "float32": lambda x: 2 * (x.float() * targets).sum()}
    assert {name: check(f, entry).key for name, f in losses.items()} == dict.fromkeys(losses, "right")
    assert check(lambda x: 2.0 * x.sum().item(), entry).key == "type"  # a gradient is owed
    assert check(lambda x: (2 * x.sum()).half(), entry).key == "dtype"
    without = replace(entry, gradients=False)
    for f in (lambda x: 2 * x.sum().item(), lambda x: 2 * x.numpy().sum(), lambda x: 2 * x.numpy().sum().astype("f4")):
        assert check(f, without).key == "right"
    assert check(lambda x: (2 * x.sum() + 1e-5).float(), without).key == "values"
    assert check(lambda x: 2 * x.sum() + 1e-8, without).key == "values"


def test_a_line_of_a_console_that_knows_few_signs(monkeypatch, toys):
    for encoding in ("cp1252", "cp437", "gbk"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", stream)
        answer("toy.word", "left")
        stream.flush()
        assert b"toy.word: right" in stream.buffer.getvalue()
