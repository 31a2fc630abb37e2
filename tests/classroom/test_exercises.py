"""The exercise engine as a notebook meets it: every state, answers, hints, solutions, progress."""

import pytest
import torch
from toys import MODULE, Shift, double

from course_lib.chapters.exercises import REGISTRY, answer, exercise, hint, progress, reset, solution
from course_lib.classroom.exercises.engine import WrongAnswerError, solution_source
from course_lib.classroom.exercises.progress import read

pytestmark = pytest.mark.usefixtures("toys")


def test_untouched_is_found_by_syntax_not_by_bytes(cell, capsys):
    cell("def double(x):\n    '''Another docstring, another comment.'''\n\n    # mine\n    ...")
    assert cell.namespace["double"] is double
    said = capsys.readouterr().out
    assert said.startswith("◦ toy.double: yours to write")
    assert len(said.splitlines()) == 1
    assert read()["toy.double"]["state"] == "open"


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
    assert "02_attention: 3 of 8 done" in said
    for line in ("✓ done                            attention.softmax_jvp", "✗ wrong                           attention.fault_a",
                 "✓ done after seeing the solution  attention.fault_c", "◦ open                            attention.is_causal"):  # fmt: skip
        assert line in said
    reset("attention.fault_a")
    assert "attention.fault_a" not in read()
    reset("02_attention")
    assert read() == {}
    with pytest.raises(LookupError):
        reset("03_nothing")
