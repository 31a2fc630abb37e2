"""The learner turns a loss on batches of pairs into what it says of the mutual information."""

import math

import torch
from torch.nn import functional as F

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import contrastive


def _probe(n: int, seed: int) -> Probe:
    return Probe((2 * random(n, n, seed=seed),), says=f"scores of {n} pairs")


def _without_own(scores):
    others = scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -1e9)
    return math.log(len(scores)) - (others.logsumexp(1) - scores.diagonal()).mean()


ENTRY = Exercise(
    id="clip.information_bound",
    reference=contrastive.information_bound,
    probes=lambda: [_probe(4, 1), _probe(7, 2), _probe(2, 3)],
    checked="values and gradients for 2, 4 and 7 pairs, whose table is not symmetric.",
    mistakes=(
        Mistake(
            "no_logarithm",
            {"math.log(len(scores)) - F": "-F"},
            "the logarithm of the number of pairs is left out",
            "who knows nothing loses ln n: what should the bound be then?",
        ),
        Mistake(
            "loss_added",
            {"math.log(len(scores)) - F": "math.log(len(scores)) + F"},
            "the loss is added",
            "a smaller loss shows that more is known.",
        ),
        Mistake(
            "other_way",
            {"F.cross_entropy(scores, own)": "F.cross_entropy(scores.T, own)"},
            "each column picks its row",
            "here a *row* picks its own column; the other way is a bound as well, but not the one asked for.",
        ),
        Mistake(
            "bits",
            lambda scores: math.log2(len(scores)) - F.cross_entropy(scores, torch.arange(len(scores))),
            "ln n is taken in bits and the loss in nats",
            "both are to be nats.",
        ),
        Mistake(
            "one_less",
            {"math.log(len(scores))": "math.log(len(scores) - 1)"},
            "n − 1 candidates are counted",
            "the own one is among the candidates, so n are.",
        ),
        Mistake(
            "summed",
            {"F.cross_entropy(scores, own)": 'F.cross_entropy(scores, own, reduction="sum")'},
            "the surprises of all rows are added up",
            "the bound is of *one* pair's information: a mean over the rows.",
        ),
        Mistake(
            "own_left_out",
            _without_own,
            "the own column is left out of the softmax",
            "then the loss has no floor, and what comes out is no bound.",
        ),
    ),
    hints=(
        "What does a score lose on average that is the same for all candidates? Which bound should it give?",
        "Chapter 01's cross-entropy of each row with its own number; the bound is 0 where it is ln n.",
        "math.log(n) − F.cross_entropy(scores, torch.arange(n)).",
    ),
    why="The loss is at least ln n − I, and at least 0. So the bound is never more than ln n: a batch of 64 can "
    "show 4.2 nats at most, however much a picture tells of its caption.",
)
