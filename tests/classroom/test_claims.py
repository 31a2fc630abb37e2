"""Claims: a statement that holds prints its ✓, one that does not stops the run with every value."""

import numpy as np
import pytest
import torch

from course_lib.classroom.claims import ClaimError, claim


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
