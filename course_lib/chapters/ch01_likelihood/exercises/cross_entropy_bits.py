"""The exercise cross_entropy_bits."""

import math

import torch
from torch import Tensor

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences


def _rows(n: int, symbols: int, seed: int) -> Tensor:
    """One distribution a row, none of them flat."""
    logits = torch.randn(n, symbols, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return logits.softmax(-1)


def _given(probabilities: Tensor, targets: Tensor) -> Tensor:
    return probabilities.gather(-1, targets[:, None])[:, 0]


ENTRY = Exercise(
    id="likelihood.cross_entropy_bits",
    reference=divergences.cross_entropy_bits,
    probes=lambda: [
        Probe((_rows(6, 5, seed=1), torch.tensor([4, 0, 2, 2, 1, 3]))),
        Probe((_rows(1, 3, seed=2), torch.tensor([1]))),
        Probe((_rows(4, 9, seed=3), torch.tensor([8, 1, 5, 0]))),
    ],
    checked="three tables of probabilities, one of a single row.",
    gradients=False,  # PyTorch's cross_entropy normalises the rows: right values, another gradient off the simplex
    mistakes=(
        Mistake(
            "nats",
            lambda probabilities, targets: -_given(probabilities, targets).log().mean(),
            "the logarithm is the natural one",
            "a bit is one halving: which logarithm counts halvings?",
        ),
        Mistake(
            "wrong_way",
            lambda probabilities, targets: -_given(probabilities, targets).log().mean() * math.log(2),
            "nats are multiplied by ln 2",
            "a bit is smaller than a nat, so there must be more of them.",
        ),
        Mistake(
            "sum",
            lambda probabilities, targets: -_given(probabilities, targets).log2().sum(),
            "the surprises are added, not averaged",
            "that is the length of the whole code; the question is for bits a symbol.",
        ),
        Mistake(
            "sign",
            lambda probabilities, targets: _given(probabilities, targets).log2().mean(),
            "the minus sign is missing",
            "a logarithm of a probability is negative; a length is not.",
        ),
        Mistake(
            "log_of_mean",
            lambda probabilities, targets: -_given(probabilities, targets).mean().log2(),
            "the probabilities are averaged before the logarithm",
            "lengths of code words add up, probabilities do not: which comes first?",
        ),
        Mistake(
            "whole_table",
            lambda probabilities, targets: -probabilities.log2().mean(),
            "every number of the table is averaged, whatever came",
            "probabilities[:, targets] is not one number a row: you need a row index beside it.",
        ),
        Mistake(
            "own_entropy",
            lambda probabilities, targets: -(probabilities * probabilities.log2()).sum(-1).mean(),
            "the model's own probabilities are the weights, which gives its entropy",
            "what does the model pay for what really came? targets must matter.",
        ),
    ),
    hints=(
        "For probabilities of one half everywhere the answer is 1, whatever came. Is yours?",
        "probabilities[torch.arange(len(targets)), targets] picks one number a row.",
        "-(that).log2().mean()",
    ),
    why="Each symbol costs −log2 of the probability that was given to it, and only that one counts. PyTorch's "
    "cross_entropy is the same mean in nats, from logarithms of probabilities; divide it by ln 2.",
)
