"""claims, records, runtime and data."""

import json

import pytest
import torch

from course_lib import paths
from course_lib.classroom import records
from course_lib.classroom.records import recorded, write_record


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_record_comes_back_with_machine_versions_and_seeds(results, capsys):
    path = write_record("loss", "loss of a toy", range(3), {"bits": [1.5, 2.0]})
    assert recorded("loss") == {"bits": [1.5, 2.0]}
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


def test_every_committed_record_can_be_shown(capsys):
    names = [path.stem for path in paths.RESULTS.glob("*.json")]
    assert names
    for name in names:
        assert recorded(name)
        record = json.loads((paths.RESULTS / f"{name}.json").read_text())
        timing = record["what"].startswith("milliseconds")  # a median over many calls, from one start
        assert len(record["seeds"]) >= (1 if timing else 3)
