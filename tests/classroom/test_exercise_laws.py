"""What every chapter's exercises must fulfil."""

import inspect

import pytest
import torch
from torch import nn

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import outcomes, same
from course_lib.classroom.exercises.engine import solution_source
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.signature import misfit
from course_lib.classroom.exercises.spec import Exercise

ALL = [(id, entry) for exercises in REGISTRY.chapters.values() for id, entry in exercises.items()]
FUNCTIONS = [(id, entry) for id, entry in ALL if isinstance(entry, Exercise)]


@pytest.mark.parametrize(("id", "entry"), FUNCTIONS)
def test_the_solution_as_shown_passes_in_the_stubs_place(id, entry, cell, capsys):
    namespace = cell(solution_source(entry), id)
    assert f"✓ {id}: right" in capsys.readouterr().out
    assert inspect.unwrap(namespace[entry.name]).__globals__ is namespace


@pytest.mark.parametrize(("id", "entry"), FUNCTIONS)
def test_stubs_are_untouched_and_have_the_references_parameters(id, entry, cell, capsys):
    cell(entry.stub, id)
    assert capsys.readouterr().out.startswith(f"◦ {id}: yours to write")
    scope = {"nn": nn}
    exec(entry.stub, scope)
    assert misfit(scope[entry.name], entry) == ""


@pytest.mark.parametrize(("id", "entry"), FUNCTIONS)
def test_known_mistakes_differ_by_ten_tolerances(id, entry):
    """From the reference and from each other, on the probes."""
    wide = Exercise(**{**vars(entry), "rtol": 10 * entry.rtol, "atol": 10 * entry.atol})
    functions = [("reference", entry.reference), *((m.key, function_of(m, entry)) for m in entry.mistakes)]
    found = {key: outcomes(function, entry) for key, function in functions}
    for a in found:
        for b in found:
            if a < b:
                assert not all(same(x, y, wide) for x, y in zip(found[a], found[b], strict=True)), (a, b)


@pytest.mark.parametrize(("id", "entry"), ALL)
def test_every_exercise_has_hints_and_a_reason(id, entry):
    assert len(entry.hints) >= 2
    assert len(entry.why) > 40
    prefix = id.split(".")[0]
    assert all(other.split(".")[0] == prefix for other in next(c for c in REGISTRY.chapters.values() if id in c))


@pytest.mark.parametrize(("id", "entry"), FUNCTIONS)
def test_probes_are_float64_of_several_shapes_with_a_batch_of_one(id, entry):
    probes = entry.probes()
    assert len(probes) >= 3
    assert [outcome.error for outcome in outcomes(entry.reference, entry)] == [None] * len(probes)
    tensors = [a for p in probes for a in p.args if isinstance(a, torch.Tensor) and a.is_floating_point()]
    assert all(t.dtype == torch.float64 for t in tensors)
    # only bits may be zero, masks that are added, all of a state in which nothing has been summed yet, and what stands
    # behind an answer's end among log-probabilities
    zeros = [t for t in tensors if (t.eq(0).any() and t.max() > 0) or t.unique().tolist() == [0]]
    assert all(t.unique().tolist() in ([0], [0, 1]) for t in zeros)
    assert len({t.shape for t in tensors}) >= min(2, len(tensors))
