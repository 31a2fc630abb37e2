"""The exercise engine: every state, the order of checks, bad answers of every kind, and no trace left."""

import inspect
import random
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.chapters.exercises import REGISTRY, answer, exercise, hint, progress, reset, solution
from course_lib.classroom.exercises.check import check, outcomes, same
from course_lib.classroom.exercises.compare import difference
from course_lib.classroom.exercises.engine import WrongAnswerError, solution_source
from course_lib.classroom.exercises.guard import undisturbed
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.progress import read
from course_lib.classroom.exercises.spec import Answer, Exercise, Mistake, Probe

ALL = [(id, entry) for exercises in REGISTRY.chapters.values() for id, entry in exercises.items()]
FUNCTIONS = [(id, entry) for id, entry in ALL if isinstance(entry, Exercise)]


def double(x):
    """Twice x."""
    return 2 * x


class Shift(nn.Module):
    """x + bias, for exercises that ask for a class."""

    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(size))

    def forward(self, x):
        return x + self.bias


def toy(**changes):
    settings = {
        "id": "toy.double",
        "reference": double,
        "stub": 'def double(x):\n    """Twice x."""\n    # multiply\n    ...\n',
        "probes": lambda: [Probe((torch.tensor([1.5, -2.0, 3.0], dtype=torch.float64),))],
        "checked": "three numbers.",
        "hints": ("think", "2 * x"),
        "why": "because.",
        "mistakes": (Mistake("squared", lambda x: x**2, "x is squared", "try -2"),),
    }
    return Exercise(**{**settings, **changes})


MODULE = toy(
    id="toy.shift",
    reference=Shift,
    stub="class Shift(nn.Module):\n    def __init__(self, size):\n        ...\n\n    def forward(self, x):\n        ...\n",
    probes=lambda: [Probe((torch.ones(2, 3, dtype=torch.float64),), init={"size": 3})],
    mistakes=(),
)
WORD = Answer("toy.word", "left", {"right": "the other one", "up": "not that"}, ("a hint",), "left it is.")
NUMBER = Answer("toy.number", 8.0, {64.0: "that is the square"}, ("a hint",), "the root.", unit="steps")


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    """Add the toys to what the engine finds."""
    extra = {e.id: e for e in (toy(), MODULE, WORD, NUMBER)}
    find = REGISTRY.find
    monkeypatch.setattr(REGISTRY, "find", lambda id: extra[id] if id in extra else find(id))
    monkeypatch.setattr(hint.__self__, "_hints_given", {})


@pytest.fixture
def cell(tmp_path):
    """Run source as a notebook's cell would: with a file to read it from and a namespace of its own."""
    namespace = {"torch": torch, "nn": nn, "np": np, "exercise": exercise}

    def run(source, id="toy.double"):
        path = tmp_path / f"cell{len(list(tmp_path.iterdir()))}.py"
        imports, _, definition = textwrap.dedent(source).strip().rpartition("\n\n\n")
        path.write_text(f"{imports}\n@exercise({id!r})\n{definition}\n")
        exec(compile(path.read_text(), str(path), "exec"), namespace)
        return namespace

    run.namespace = namespace
    return run


# --- states ----------------------------------------------------------------------------------------------------


def test_untouched_is_found_by_syntax_not_by_bytes(cell, capsys):
    cell("def double(x):\n    '''Another docstring, another comment.'''\n\n    # mine\n    ...")
    assert cell.namespace["double"] is double
    said = capsys.readouterr().out
    assert said.startswith("◦ toy.double: yours to write")
    assert len(said.splitlines()) == 1
    assert read() == {}


@pytest.mark.parametrize(
    "body",
    ["y = ...\n    return y", "raise NotImplementedError", "2 * x", "pass", "return None", "return torch.add(x, ...)"],
)
def test_unfinished_says_what_is_missing_and_goes_on(cell, capsys, body):
    cell(f"def double(x):\n    {body}")
    assert cell.namespace["double"] is double
    said = capsys.readouterr().out
    assert said.startswith("◐ toy.double: unfinished")
    assert any(word in said for word in ("`...`", "NotImplementedError", "return"))


def test_dots_of_an_index_are_not_unfinished(cell, capsys):
    cell("def double(x):\n    return x[..., :] * 2")
    assert capsys.readouterr().out.startswith("✓ toy.double: right")


def test_return_42_is_an_answer_and_wrong(cell):
    with pytest.raises(WrongAnswerError) as wrong:
        cell("def double(x):\n    return 42")
    assert wrong.value.key == "type"


def test_wrong_stops_with_the_message_alone_and_binds_the_reference(cell):
    with pytest.raises(WrongAnswerError) as wrong:
        cell("def double(x):\n    return x * x")
    assert wrong.value.key == "squared"
    assert cell.namespace["double"] is double
    message = "\n".join(wrong.value._render_traceback_())
    assert "Your output equals what one gets if x is squared." in message
    assert "called with x (3,)" in message
    assert "Until it is right, double is the course's own." in message
    assert "Traceback" not in message
    assert read()["toy.double"]["state"] == "wrong"


def test_another_name_is_named(cell):
    with pytest.raises(WrongAnswerError, match="the cell defines twice; the cells that follow call double"):
        cell("def twice(x):\n    return x + x")
    assert cell.namespace["double"] is double


def test_classes_are_checked_with_the_references_parameters(cell, capsys):
    right = """
        class Shift(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.bias = nn.Parameter(torch.zeros(size))

            def forward(self, x):
                return self.bias + x
    """
    cell(right, "toy.shift")
    assert cell.namespace["Shift"] is not Shift
    assert "✓ toy.shift: right" in capsys.readouterr().out
    with pytest.raises(WrongAnswerError) as wrong:
        cell(right.replace("+ x", "- x"), "toy.shift")
    assert wrong.value.key == "values"
    with pytest.raises(WrongAnswerError) as wrong:
        cell(right.replace("self.bias + x", "self.bias.detach() + x"), "toy.shift")
    assert wrong.value.key == "gradient_missing"
    assert "bias" in str(wrong.value)
    with pytest.raises(WrongAnswerError, match="Missing key"):
        cell(right.replace("self.bias", "self.b"), "toy.shift")
    cell(MODULE.stub, "toy.shift")
    assert cell.namespace["Shift"] is Shift


def test_a_right_answer_is_what_later_cells_call(cell, capsys):
    cell.namespace["recorder"] = recorder = []
    cell("def double(x):\n    recorder.append(1)\n    return x + x")
    during_check = len(recorder)
    exec("double(3)", cell.namespace)
    assert len(recorder) == during_check + 1
    assert "checked: three numbers." in capsys.readouterr().out
    assert read()["toy.double"] == {"state": "done", "seen": False}


# --- whatever may come back ------------------------------------------------------------------------------------

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


# --- no trace --------------------------------------------------------------------------------------------------


def test_a_check_leaves_no_trace(cell, capsys):
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    threads, limit = torch.get_num_threads(), sys.getrecursionlimit()
    cell("""
        def double(x):
            import random, sys
            torch.manual_seed(9); random.seed(9); np.random.seed(9); torch.rand(3); random.random()
            torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); torch.set_num_threads(1)
            sys.setrecursionlimit(5000)
            torch.set_grad_enabled(True)
            return 2 * x
    """)
    assert "✓" in capsys.readouterr().out
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert (torch.get_num_threads(), sys.getrecursionlimit()) == (threads, limit)


def test_pythons_generator_stays():
    """Apart from the test above, because the run-time check of signatures draws from this generator itself."""
    random.seed(5)
    before = random.getstate()
    with undisturbed():
        random.seed(9)
    assert random.getstate() == before


def test_the_callers_own_defaults_stay(cell, capsys):
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            cell("def double(x):\n    return x * 2")
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert "✓" in capsys.readouterr().out


# --- answers, hints, solutions, progress -----------------------------------------------------------------------


def test_answers_right_open_and_tempting(capsys):
    answer("toy.word", ...)
    assert "put one of 'left', 'right', 'up' in place of the dots" in capsys.readouterr().out
    answer("toy.word", " LEFT ")
    assert "✓ toy.word: right" in capsys.readouterr().out
    for value, key in (("right", "right"), ("lefft", "unknown"), (3, "unknown")):
        with pytest.raises(WrongAnswerError) as wrong:
            answer("toy.word", value)
        assert wrong.value.key == key
    with pytest.raises(WrongAnswerError, match="did you mean 'left'"):
        answer("toy.word", "lefft")
    answer("toy.number", torch.tensor(8))
    with pytest.raises(WrongAnswerError, match="64: that is the square"):
        answer("toy.number", 64)
    for value, key in ((9, "values"), ("8", "type"), (True, "type"), (torch.ones(2), "type")):
        with pytest.raises(WrongAnswerError) as wrong:
            answer("toy.number", value)
        assert wrong.value.key == key


def test_exercise_and_answer_name_each_other():
    with pytest.raises(TypeError, match="asks for answer"):
        exercise("toy.word")
    with pytest.raises(TypeError, match="asks for a function"):
        answer("toy.double", 3)


def test_a_mistyped_id_is_met_with_did_you_mean():
    with pytest.raises(LookupError, match=r"did you mean 'attention\.softmax_jvp'\?"):
        hint("attention.sofmax_jvp")
    with pytest.raises(LookupError, match="there are:"):
        REGISTRY.find("zzz")


def test_hints_come_in_layers(capsys):
    for expected in ("Hint 1 of 2: think", "Hint 2 of 2: 2 * x", "There are no more hints", "There are no more hints"):
        hint("toy.double")
        assert expected in capsys.readouterr().out


def test_solution_shows_source_and_reason_and_is_remembered(cell, capsys):
    solution("toy.double")
    said = capsys.readouterr().out
    assert "return 2 * x" in said
    assert "because." in said
    cell("def double(x):\n    return 2 * x")
    assert read()["toy.double"] == {"state": "done", "seen": True}
    solution("toy.number")
    assert "8.0 steps" in capsys.readouterr().out


def test_done_before_the_solution_stays_done_without_it(cell, capsys):
    cell("def double(x):\n    return 2 * x")
    solution("toy.double")
    with pytest.raises(WrongAnswerError):
        cell("def double(x):\n    return 3 * x")
    assert read()["toy.double"] == {"state": "done", "seen": False}


def test_progress_lists_every_state_and_reset_forgets(cell, capsys, home):
    source = solution_source(REGISTRY.find("attention.softmax_jvp"))
    cell(source, "attention.softmax_jvp")
    answer("attention.fault_b", "unscaled")
    solution("attention.fault_c")
    answer("attention.fault_c", "unmasked")
    with pytest.raises(WrongAnswerError):
        answer("attention.fault_a", "unscaled")
    capsys.readouterr()
    progress()
    said = capsys.readouterr().out
    assert "02_attention: 3 of 10 done" in said
    for line in ("✓ done                            attention.softmax_jvp", "✗ wrong                           attention.fault_a",
                 "✓ done after seeing the solution  attention.fault_c", "◦ open                            attention.is_causal"):  # fmt: skip
        assert line in said
    reset("attention.fault_a")
    assert "attention.fault_a" not in read()
    reset("02_attention")
    assert read() == {}
    with pytest.raises(LookupError):
        reset("03_nothing")


def test_a_damaged_progress_file_is_moved_aside(home, capsys):
    home.mkdir()
    (home / "progress.json").write_text("{half a fi")
    answer("toy.word", "left")
    assert read() == {"toy.word": {"state": "done", "seen": False}}
    assert (home / "progress.damaged.json").read_text() == "{half a fi"
    assert not list(home.glob("*.part"))


def test_a_home_that_cannot_be_written_does_not_stop_the_lesson(home, capsys):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file stands here")
    answer("toy.word", "left")
    said = capsys.readouterr().out
    assert "progress is not remembered" in said
    assert "✓ toy.word" in said


# --- what every chapter's exercises must fulfil ----------------------------------------------------------------


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
    assert list(inspect.signature(scope[entry.name]).parameters) == list(inspect.signature(entry.reference).parameters)


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
    tensors = [a for p in probes for a in p.args if isinstance(a, torch.Tensor) and a.is_floating_point()]
    assert all(t.dtype == torch.float64 for t in tensors)
    assert all(not t.eq(0).any() or t.unique().tolist() == [0, 1] for t in tensors)  # bits alone may be zero
    assert len({t.shape for t in tensors}) >= min(2, len(tensors))
