"""The learner writes cross_entropy_bits: the mean surprise, in bits, of a model at what came."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.information import divergences

ENTRY = Exercise(
    id="likelihood.cross_entropy_bits",
    reference=divergences.cross_entropy_bits,
    probes=lambda: [
        Probe((random(6, 5, seed=1).softmax(-1), torch.tensor([4, 0, 2, 2, 1, 3]))),
        Probe((random(1, 3, seed=2).softmax(-1), torch.tensor([1]))),
        Probe((random(4, 9, seed=3).softmax(-1), torch.tensor([8, 1, 5, 0]))),
    ],
    checked="three tables of probabilities, one of a single row.",
    gradients=False,  # PyTorch's cross_entropy normalises the rows: right values, another gradient off the simplex
    mistakes=(
        Mistake(
            "nats",
            {".log2()": ".log()"},
            "the logarithm is the natural one",
            "a bit is one halving: which logarithm counts halvings?",
        ),
        Mistake(
            "wrong_way",
            {".log2().mean()": ".log().mean() * math.log(2)"},
            "nats are multiplied by ln 2",
            "a bit is smaller than a nat, so there must be more of them.",
        ),
        Mistake(
            "sum",
            {".mean()": ".sum()"},
            "the surprises are added, not averaged",
            "that is the length of the whole code; the question is for bits a symbol.",
        ),
        Mistake(
            "sign",
            {"return -": "return "},
            "the minus sign is missing",
            "a logarithm of a probability is negative; a length is not.",
        ),
        Mistake(
            "log_of_mean",
            {".log2().mean()": ".mean().log2()"},
            "the probabilities are averaged before the logarithm",
            "lengths of code words add up, probabilities do not: which comes first?",
        ),
        Mistake(
            "whole_table",
            {"[torch.arange(len(targets), device=targets.device), targets]": ""},
            "every number of the table is averaged, whatever came",
            "only the number of what came counts: you need a row index and, beside it, targets.",
        ),
        Mistake(
            "all_pairs",
            {"[torch.arange(len(targets), device=targets.device), targets]": "[:, targets]"},
            "every row is asked for all n symbols, which gives n² numbers",
            "probabilities[:, targets] has the shape (n, n): row i should be asked for targets[i] alone.",
        ),
        Mistake(
            "softmaxed",
            {"return -probabilities[": "return -probabilities.softmax(-1)["},
            "the probabilities go through a softmax once more",
            "F.cross_entropy expects scores whose softmax is the row; of which numbers is that true?",
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
