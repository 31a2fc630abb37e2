"""How an answer is called: by position and by name, with and without defaults, with arguments that are watched."""

import numpy as np
import pytest
import torch
from torch import nn
from toys import MODULE, double, toy

from course_lib.classroom.exercises.check import check, expect
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.spec import Mistake, Probe
from course_lib.classroom.exercises.watch import fresh, unchanged


def scaled(x, factor=3.0):
    """Return factor times x; not x / factor."""
    return factor * x


def first_sum(numbers, table):
    """The sum of the numbers and of the table's first list."""
    return sum(numbers) + sum(table["a"])


def vector(*values):
    return torch.tensor(values, dtype=torch.float64)


SCALED = toy(
    reference=scaled, stub="", mistakes=(), probes=lambda: [Probe((vector(1.5, -2.0),)), Probe((vector(0.3), 7.0))]
)
_table = {"a": [4, 5], "b": [6]}  # handed out by every probe: the same lists
SUM = toy(
    reference=first_sum,
    stub="",
    mistakes=(),
    gradients=False,
    probes=lambda: [Probe(([1, 2], _table)), Probe(([3, 1, 8], _table))],
)


# --- known mistakes as edits ---


def test_a_mistake_may_be_an_edit_of_the_references_source():
    entry = toy(reference=scaled, stub="", mistakes=(), probes=SCALED.probes)
    edit = Mistake("divided", {"factor * x": "x / factor"}, "x is divided", "multiply")
    function = function_of(edit, entry)
    assert function(torch.tensor(6.0)) == 2.0
    assert scaled(torch.tensor(6.0)) == 18.0
    named = toy(reference=scaled, stub="", mistakes=(edit,), probes=SCALED.probes)
    assert check(lambda x, factor=3.0: x * (1 / factor), named).key == "divided"


def test_an_edit_may_change_a_class_and_several_places_at_once():
    edit = Mistake("minus", {"x + self.bias": "x - 2 * self.bias", "torch.randn(size)": "torch.ones(size)"}, "…", "…")
    module = function_of(edit, MODULE)(3)
    assert module(torch.zeros(3)).tolist() == [-2.0] * 3
    swap = Mistake("swapped", {"factor * x": "x / factor", "x / factor": "factor * x"}, "…", "…")
    assert function_of(swap, SCALED).__doc__ == "Return factor times x; not factor * x."


@pytest.mark.parametrize(
    ("edits", "count"), [({"nowhere": "x"}, "found 0"), ({"factor": "x"}, "found 4"), ({"": "x"}, "no text")]
)
def test_an_edit_that_does_not_fit_once_is_named(edits, count):
    with pytest.raises(ValueError, match=rf"mistake 'bad' of toy.double: written: expected .* exactly once .*{count}"):
        function_of(Mistake("bad", edits, "…", "…"), SCALED)


@pytest.mark.parametrize("written", [{}, "x ** 2", None])
def test_a_mistake_is_a_function_or_edits(written, unchecked):
    with pytest.raises(TypeError, match="written of mistake 'bad': expected a function or edits"):
        Mistake("bad", written, "…", "…")


def test_a_mistake_with_parameters_of_its_own_is_called_by_the_references_names():
    entry = toy(mistakes=(Mistake("squared", lambda other: other**2, "x is squared", "…"),))
    assert check(function_of(entry.mistakes[0], entry), entry).key == "squared"


# --- parameters ---


@pytest.mark.parametrize(
    "given",
    [
        lambda y: 2 * y,
        lambda *x: 2 * x[0],
        lambda *, x: 2 * x,
        lambda x, more: 2 * x,
        lambda x, *, more: 2 * x,
        lambda: None,
        eval("lambda x, /: 2 * x"),
    ],
)
def test_parameters_that_later_cells_cannot_fill_are_refused(given):
    verdict = check(given, toy())
    assert verdict.key == "parameters"
    assert verdict.lines[0].startswith("the cells that follow call it with (x); yours has (")


@pytest.mark.parametrize("given", [lambda x, more=1: 2 * x, lambda x, *, more=1: 2 * x, lambda x=None: 2 * x])
def test_more_parameters_with_defaults_are_accepted(given):
    assert check(given, toy()).state == "right"


def test_defaults_are_part_of_the_parameters():
    assert check(lambda x, factor=3: x * factor, SCALED).state == "right"
    for given in (lambda x, factor=4.0: x * factor, lambda x, factor: x * factor, lambda factor, x: x * factor):
        verdict = check(given, SCALED)
        assert verdict.key == "parameters"
        assert "(x, factor=3.0); yours has" in verdict.lines[0]


def test_a_default_that_is_left_out_is_called():
    def hides(x, factor=3.0):
        return x * (2.0 if factor == 3.0 and len(x) == 1 else factor)

    verdict = check(hides, SCALED)
    assert verdict.key == "default"
    assert "but without factor, whose default is 3" in verdict.lines[0]


def test_an_answer_is_called_by_name():
    class OnlyPositions:  # whose signature promises more than it keeps
        __name__ = "double"
        __signature__ = __import__("inspect").signature(double)

        def __call__(self, *args):
            return 2 * args[0]

    verdict = check(OnlyPositions(), toy())
    assert verdict.key == "by_name"
    assert "every argument by its name" in verdict.lines[0]


def test_classes_are_called_by_name_too():
    class Shift(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(size))

        def forward(self, x):
            return x + self.bias

    assert check(Shift, MODULE).state == "right"
    other = type("Shift", (Shift,), {"forward": lambda self, y: y + self.bias})
    assert "call its forward with (x); yours has (y)" in check(other, MODULE).lines[0]
    other = type("Shift", (Shift,), {"__init__": lambda self, n: Shift.__init__(self, n)})
    assert "call its constructor with (size); yours has (n)" in check(other, MODULE).lines[0]
    assert check(double, MODULE).lines == ["Shift is a function; the cells that follow expect a class"]


# --- arguments ---


def test_lists_are_watched_and_handed_out_fresh():
    def takes(numbers, table):
        total = 0
        while numbers:
            total += numbers.pop()
        return total + sum(table["a"])

    def nested(numbers, table):
        return sum(numbers) + table["a"].pop() + sum(table["a"])

    for given, name in ((takes, "numbers"), (nested, "table")):
        verdict = check(given, SUM)
        assert verdict.key == "changed_arguments"
        assert f"the argument {name} was changed in place" in verdict.lines[1]
    assert check(lambda numbers, table: sum(numbers + table["a"]), SUM).state == "right"
    assert _table == {"a": [4, 5], "b": [6]}


CHANGES = {
    "list": ([1, [2, 3]], lambda v: v[1].append(4)),
    "dict": ({"a": 1}, lambda v: v.update(a=2)),
    "array": (np.zeros(3), lambda v: v.fill(1)),
    "tensor in a tuple": ((torch.zeros(3), 1), lambda v: v[0].add_(1)),
    "whole numbers": (torch.arange(3), lambda v: v.mul_(2)),
    "module": (nn.Linear(2, 2), lambda v: nn.init.zeros_(v.weight)),
    "mode of a module": (nn.Dropout(), lambda v: v.eval()),
    "set": ({1}, lambda v: v.add(2)),
    "object": (type("Box", (), {})(), lambda v: setattr(v, "a", 1)),
    "generator": (torch.Generator(), lambda v: torch.rand(1, generator=v)),
}


@pytest.mark.parametrize(("value", "change"), CHANGES.values(), ids=CHANGES)
def test_any_mutable_argument_is_watched(value, change):
    before, after = fresh(value), fresh(value)
    assert unchanged(before, after)
    change(after)
    assert not unchanged(before, after)
    assert unchanged(before, fresh(value)), "the change reached what is handed out next"


def test_nan_stays_nan():
    for value in (torch.tensor([torch.nan]), np.array([np.nan]), [float("nan")]):
        assert unchanged(fresh(value), fresh(value))


def test_no_gradient_is_owed_to_data():
    def weighed(x, w):
        return (x * w).sum()

    probes = lambda: [Probe((vector(1.0, 2.0), vector(0.5, 0.7)))]
    through = lambda x, w: torch.where(x > 1.5, 2 * w, w).sum()
    strict = toy(reference=weighed, stub="", mistakes=(), probes=probes)
    assert check(through, strict).key == "gradient_missing"
    data = toy(reference=weighed, stub="", mistakes=(), probes=probes, data=("x",))
    assert check(through, data).state == "right"
    assert check(lambda x, w: (x.numpy() * w.detach().numpy()).sum(), data).key == "type"
    with pytest.raises(ValueError, match=r"data of toy.double: expected names out of \['x', 'w'\], got \('y',\)"):
        expect(toy(reference=weighed, stub="", mistakes=(), probes=probes, data=("y",)))


def test_without_gradients_arguments_hold_no_graph():
    entry = toy(gradients=False, mistakes=())
    assert check(lambda x: torch.from_numpy(x.numpy() * 2), entry).state == "right"
