"""Sequences of associative recall: what is asked for was told."""

import torch

from course_lib.datasets import recall


def test_every_key_that_is_asked_for_was_told_with_its_answer():
    tokens, answers = recall.associative_recall(50, 9, torch.Generator().manual_seed(0))
    assert tokens.shape == (50, 4 * 4 + 9)
    for row, expected in zip(tokens.tolist(), answers.tolist(), strict=True):
        told = dict(zip(row[:8:2], row[1:8:2], strict=True))
        assert len(told) == 4  # different keys
        assert all(32 <= filler < 48 for filler in row[8:-8])
        assert [told[key] for key in row[-8::2]] == expected == row[-7::2]
    assert any(row[:8:2] != row[-8::2] for row in tokens.tolist())  # asked in another order
