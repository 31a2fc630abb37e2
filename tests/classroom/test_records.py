"""Records: where they come from is said, their readers name what is there, their machine is the one that was used."""

import json

import pytest
import torch

from course_lib import paths
from course_lib.classroom import records
from course_lib.classroom.records import Record, machine, recorded, write_record

VALUES = {
    "steps": 600,
    "digits": {"long": {"distance": [1.0, 2.0, 6.0], "curves": [[1.0], [2.0], [3.0]], "none": []}},
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_record_comes_back_with_machine_versions_and_seeds(results, capsys):
    path = write_record("loss", "loss of a toy", range(3), {"bits": [1.5, 2.0]})
    assert recorded("loss") == Record("loss", (0, 1, 2), {"bits": [1.5, 2.0]}, machine())
    said = capsys.readouterr().out
    assert said.startswith("recorded: loss of a toy\n    on ")
    assert f"torch {torch.__version__}" in said
    assert "seeds [0, 1, 2]" in said
    assert [p.name for p in results.iterdir()] == [path.name]


def test_unknown_and_incomplete_records_are_refused(results):
    with pytest.raises(FileNotFoundError, match="no record 'loss'; recorded are: none"):
        recorded("loss")
    path = write_record("loss", "x", [0], {})
    with pytest.raises(FileNotFoundError, match="did you mean 'loss'"):
        recorded("los")
    content = json.loads(path.read_text())
    del content["seeds"], content["machine"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="missing: machine, seeds"):
        recorded("loss")


def test_an_arm_is_a_record_with_the_same_seeds_and_its_own_values():
    whole = Record("gan", (4, 5, 6), VALUES, "abacus")
    arm = whole.arm("digits", "long")
    assert arm == whole.arm("digits").arm("long")
    assert (arm.seeds, arm.values, arm.machine) == ((4, 5, 6), VALUES["digits"]["long"], "abacus")
    assert arm.each("distance") == [1.0, 2.0, 6.0]
    assert arm.each("curves") == [[1.0], [2.0], [3.0]]
    assert arm.mean("distance") == 3.0
    assert whole.arm() == whole
    assert (
        Record("gan", (0, 1), VALUES).arm("digits", "long").mean("distance") == 3.0
    )  # an arm may have seeds of its own


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda r: r.arm("digit"), r"record 'gan' has no 'digit'; it has: 'steps', 'digits'"),
        (lambda r: r.arm("digits", "short"), r"record 'gan, digits' has no 'short'; it has: 'long'"),
        (lambda r: r.arm("steps", "long"), r"record 'gan, steps' has no 'long'; it has: no names"),
        (lambda r: r.arm("digits", "long").each("x"), r"it has: 'distance', 'curves', 'none'"),
        (lambda r: r.each("steps"), r"key: expected a list in record 'gan', got 'steps', a int"),
        (lambda r: r.arm("digits", "long").mean("curves"), r"expected numbers in record 'gan, digits, long'"),
        (lambda r: r.arm("digits", "long").mean("none"), r"got 'none', which holds none"),
    ],
)
def test_what_a_record_does_not_hold_is_met_with_what_it_holds(read, message):
    with pytest.raises(LookupError, match=message):
        read(Record("gan", (0, 1, 2), VALUES))


def test_a_live_value_stands_beside_those_of_a_record():
    loss = Record("loss", (0, 1, 2, 3, 4), {"arm": {"nats": [3.0, 1.0, 2.0, 2.5, 1.5]}}, "abacus")
    said = "4.5 (recorded 1 … 3, give or take their range: yours is inside; 5 seeds, abacus)"
    assert str(loss.arm("arm").beside(4.5, "nats")) == said
    assert str(loss.beside(4.5, loss.arm("arm").each("nats"))) == said
    with pytest.raises(LookupError, match="has no 'bits'"):
        loss.beside(1.0, "bits")


def test_a_record_names_the_device_that_was_used(results, monkeypatch):
    """A machine with a GPU on which the run took the processor is named by its processor."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: f"GPU {torch.device(device).index or 0}")
    of = lambda path: json.loads(path.read_text())["machine"]
    assert " cores, " in of(write_record("a", "x", [0], {}))
    assert "GPU" not in of(write_record("a", "x", [0], {}, device=torch.device("cpu")))
    assert of(write_record("b", "x", [0], {}, device="cuda:1")) == "GPU 1"
    assert machine("cpu").endswith(" threads")
    assert machine("mps").startswith("mps of ")


def test_every_committed_record_can_be_shown():
    names = [path.stem for path in paths.RESULTS.glob("*.json")]
    assert names
    for name in names:
        record = recorded(name)
        assert record.values
        what = json.loads((paths.RESULTS / f"{name}.json").read_text())["what"]
        # of calls or runs from one start; of one model, with errors over images; or one tuning a fault, to be told apart
        timing = what.startswith(("milliseconds", "seconds and memory", "the shipped VAE's", "tuned on one core"))
        counted = ", nothing drawn, " in what  # counts have no seed
        assert len(record.seeds) >= (1 if timing else 0 if counted else 3)
