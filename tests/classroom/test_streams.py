"""What the classroom prints can be printed everywhere: on consoles that know fewer signs, too."""

import io
import sys

import pytest

from course_lib.classroom import records
from course_lib.classroom.claims import ClaimError, claim
from course_lib.classroom.records import recorded, write_record
from course_lib.classroom.streams import say

TEXT = "✓ 2 · ½ = 1 — σ ≥ 0"


def printed(encoding, monkeypatch, call):
    """What a call prints on a stream of this encoding, read back."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    call()
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "gbk", "ascii"])
def test_signs_that_a_stream_cannot_encode_are_replaced_and_the_others_stay(encoding, monkeypatch):
    expected = TEXT.encode(encoding, "replace").decode(encoding)
    assert "?" in expected
    assert printed(encoding, monkeypatch, lambda: say(TEXT)) == f"{expected}\n"
    assert printed("utf-8", monkeypatch, lambda: say(TEXT)) == f"{TEXT}\n"


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "gbk"])
def test_claims_and_records_go_on_where_a_script_runs_in_such_a_console(encoding, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    write_record("loss", "loss ≤ 1 ✓", [0], {"σ": [1.0]})
    assert "it holds: σ"[:8] in printed(encoding, monkeypatch, lambda: claim("it holds: σ ✓", True, ψ=0.5))
    assert "recorded: loss " in printed(encoding, monkeypatch, lambda: recorded("loss"))
    with pytest.raises(ClaimError, match="✗ does not hold here"):
        claim("it holds: σ ✓", False)


def test_a_stream_without_an_encoding_gets_the_text_as_it_is(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    say(TEXT)
    assert stream.getvalue() == f"{TEXT}\n"
