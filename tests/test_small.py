"""claims, records, runtime and data."""

import hashlib
import json

import numpy as np
import pytest
import torch

from course_lib import data, records, runtime
from course_lib.claims import ClaimError, claim
from course_lib.data import load_shakespeare, random_windows
from course_lib.records import recorded, write_record

# --- claims ----------------------------------------------------------------------------------------------------


def test_a_claim_prints_its_statement_and_what_was_measured(capsys):
    claim("it holds", True, loss=0.123456, n=12345, parts=torch.tensor([1.0, 2.5]), name="x", one=np.float64(2))
    assert capsys.readouterr().out == (
        "✓ it holds\n    measured: loss = 0.1235, n = 12,345, parts = [1, 2.5], name = x, one = 2\n"
    )
    claim("alone", torch.tensor(True))
    claim("alone", np.bool_(True))
    claim("alone", torch.tensor([[True]]))
    assert capsys.readouterr().out == "✓ alone\n" * 3


def test_a_claim_that_fails_stops_with_every_value():
    with pytest.raises(ClaimError) as failed:
        claim("it holds", torch.tensor(1.0) > 2, loss=0.5, limit=0.25)
    assert failed.value._render_traceback_() == [
        "✗ does not hold here: it holds",
        "    measured: loss = 0.5, limit = 0.25",
    ]


@pytest.mark.parametrize("condition", [1, 0.3, "yes", [True], torch.tensor([True, True]), torch.tensor(1.0), None])
def test_only_one_truth_value_can_be_claimed(condition):
    with pytest.raises(TypeError, match="condition: expected one truth value"):
        claim("it holds", condition)


# --- records ---------------------------------------------------------------------------------------------------


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
    names = [path.stem for path in records.RESULTS.glob("*.json")]
    assert names
    for name in names:
        assert recorded(name)
        record = json.loads((records.RESULTS / f"{name}.json").read_text())
        timing = record["what"].startswith("milliseconds")  # a median over many calls, from one start
        assert len(record["seeds"]) >= (1 if timing else 3)


# --- runtime ---------------------------------------------------------------------------------------------------


def test_variables_decide(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    monkeypatch.setenv("COURSE_HOME", "~/somewhere")
    assert runtime.runtime() == runtime.Runtime(torch.device("cpu"), "full")
    assert runtime.runtime().pick(quick=1, full=2) == 2
    assert runtime.home().is_absolute()
    assert not runtime.home().exists()
    threads = torch.get_num_threads()
    runtime.start(seed=3, threads=1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)
    runtime.start(seed=3)
    assert torch.get_num_threads() == threads
    first = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(first, torch.rand(1))
    assert "device: cpu · budget: full · seed: 3" in capsys.readouterr().out


def test_without_variables_the_machine_decides(monkeypatch):
    for name in ("COURSE_BUDGET", "COURSE_DEVICE", "COURSE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert runtime.runtime() == runtime.Runtime(torch.device("cpu"), "quick")
    assert runtime.home().name == ".course"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("COURSE_BUDGET", "fast", "COURSE_BUDGET: expected quick or full, got 'fast'"),
        ("COURSE_DEVICE", "gpu", "COURSE_DEVICE: expected a device that torch can use here, got 'gpu'"),
    ],
)
def test_variables_that_cannot_be_followed_are_named(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        runtime.runtime()


# --- data ------------------------------------------------------------------------------------------------------


def test_shakespeare_is_the_text_that_it_should_be():
    text = load_shakespeare()
    assert (len(text.train), len(text.validation), len(text.vocabulary)) == (1_003_854, 111_540, 65)
    tokens = torch.cat([text.train, text.validation])
    digest = hashlib.sha256(tokens.numpy().astype("<i8").tobytes()).hexdigest()
    readme = (data.FOLDER / "README.md").read_text()
    assert digest in readme
    assert data.SHAKESPEARE_SHA256 in readme
    assert text.decode(text.train[:14]) == "First Citizen:"
    assert text.decode(text.encode("To be, or\n")) == "To be, or\n"


def test_a_character_that_is_not_in_the_vocabulary_is_named():
    with pytest.raises(ValueError, match=r"text: expected characters of the vocabulary .*, got '€'"):
        load_shakespeare().encode("To € or 5")  # the 5 is not in it either: the first one is named


def test_missing_and_changed_files_say_how_to_get_them_back(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    with pytest.raises(
        OSError, match=r"data/tinyshakespeare.txt is missing; `git checkout -- data/tinyshakespeare.txt`"
    ):
        load_shakespeare()
    (tmp_path / "tinyshakespeare.txt").write_text("First Citizen:\r\n")
    with pytest.raises(OSError, match="has been changed: expected sha256 86c4e6aa"):
        load_shakespeare()


def test_windows_are_pieces_of_the_text_and_their_targets_one_on():
    tokens = torch.arange(50)
    inputs, targets = random_windows(tokens, 200, 7, torch.Generator().manual_seed(0))
    assert inputs.shape == targets.shape == (200, 7)
    assert torch.equal(targets, inputs + 1)
    assert (inputs[:, 1:] - inputs[:, :-1] == 1).all()
    assert inputs.min() == 0  # the first and the last window can be drawn
    assert targets.max() == 49
    again, _ = random_windows(tokens, 200, 7, torch.Generator().manual_seed(0))
    assert torch.equal(inputs, again)
    with pytest.raises(ValueError, match="tokens: expected more than length = 50, got 50"):
        random_windows(tokens, 1, 50, torch.Generator())


def test_every_key_that_is_asked_for_was_told_with_its_answer():
    tokens, answers = data.associative_recall(50, 9, torch.Generator().manual_seed(0))
    assert tokens.shape == (50, 4 * 4 + 9)
    for row, expected in zip(tokens.tolist(), answers.tolist(), strict=True):
        told = dict(zip(row[:8:2], row[1:8:2], strict=True))
        assert len(told) == 4  # different keys
        assert all(32 <= filler < 48 for filler in row[8:-8])
        assert [told[key] for key in row[-8::2]] == expected == row[-7::2]
    assert any(row[:8:2] != row[-8::2] for row in tokens.tolist())  # asked in another order
