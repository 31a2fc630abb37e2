"""Small exercises for the tests of the engine: double a vector, shift by a parameter, a word, a number."""

import torch
from torch import nn

from course_lib.classroom.exercises.spec import Answer, Exercise, Mistake, Probe


def double(x):
    """Twice x."""
    return 2 * x


class Shift(nn.Module):
    """x + bias, for exercises that ask for a class."""

    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(size))

    def forward(self, x):
        return x + self.bias


def toy(**changes):
    settings = {
        "id": "toy.double",
        "reference": double,
        "stub": 'def double(x):\n    """Twice x."""\n    # multiply\n    ...\n',
        "probes": lambda: [Probe((torch.tensor([1.5, -2.0, 3.0], dtype=torch.float64),))],
        "checked": "three numbers.",
        "hints": ("think", "2 * x"),
        "why": "because.",
        "mistakes": (Mistake("squared", lambda x: x**2, "x is squared", "try -2"),),
    }
    return Exercise(**{**settings, **changes})


MODULE = toy(
    id="toy.shift",
    reference=Shift,
    stub="class Shift(nn.Module):\n    def __init__(self, size):\n        ...\n\n    def forward(self, x):\n        ...\n",
    probes=lambda: [Probe((torch.ones(2, 3, dtype=torch.float64),), init={"size": 3})],
    mistakes=(),
)
WORD = Answer("toy.word", "left", {"right": "the other one", "up": "not that"}, ("a hint",), "left it is.")
NUMBER = Answer("toy.number", 8.0, {64.0: "that is the square"}, ("a hint",), "the root.", unit="steps")
