"""What the author of a chapter writes down for an exercise; the engine does the rest."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Generator


@dataclass(frozen=True)
class Probe:
    """One call that the learner's code is tried with.

    args: positional arguments, float64 and asymmetric; says: how the call is described where shapes say too
    little; init: keyword arguments of the constructor, for exercises that ask for a class. The same probe is tried by
    position, by name, and once more without each argument that has a default.
    """

    args: tuple
    says: str = ""
    init: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer: how it is written, and the message that it deserves.

    written: a function that takes the reference's parameters; or an edit of the reference's source, old text → new,
    each old text occurring exactly once: ``{"fake.detach()": "fake"}``.
    says completes 'your output equals what one gets if …'; hint asks the question that leads out.
    """

    key: str
    written: Callable | Mapping[str, str]
    says: str
    hint: str

    def __post_init__(self) -> None:
        if not (callable(self.written) or (isinstance(self.written, Mapping) and self.written)):
            raise TypeError(f"written of mistake {self.key!r}: expected a function or edits, got {self.written!r}")


@dataclass(frozen=True)
class Property:
    """Something that every right answer fulfils, tried before values are compared.

    holds(output, *args) returns a bool; says completes 'it should hold that …'.
    """

    key: str
    holds: Callable[..., bool]
    says: str


@dataclass(frozen=True)
class Exercise:
    """A function or class for the learner to write.

    probes: makes the calls; checked: completes 'checked: …';
    outputs: names of what comes back, when it is a tuple; why: a paragraph for the solution;
    gradients: whether the backward pass is compared as well; data: names of the arguments that are data, to which no
    gradient is owed; rtol, atol: of the values;
    trial: how a probe is run, trial(function, *args), where the function is judged by what it changes and not by
    what it returns alone; without one it is called with the probe's arguments;
    variations: makes one more valid call out of a generator, for the tests that try mutants of the reference; without
    it they try the probes with other numbers of the same kinds;
    stub: what stands below the decorator in the notebook; the registry fills it in from there.
    """

    id: str
    reference: Callable
    probes: Callable[[], list[Probe]]
    checked: str
    hints: tuple[str, ...]
    why: str
    mistakes: tuple[Mistake, ...] = ()
    properties: tuple[Property, ...] = ()
    outputs: tuple[str, ...] = ()
    gradients: bool = True
    data: tuple[str, ...] = ()
    rtol: float = 1e-10
    atol: float = 1e-12
    trial: Callable | None = None
    variations: Callable[[Generator], Probe] | None = None
    stub: str = ""

    def __post_init__(self) -> None:
        name = getattr(ast.parse(self.stub).body[0], "name", None) if self.stub else self.name
        if name != self.name:
            raise ValueError(f"stub of {self.id}: expected to define {self.name}, the reference's name, got {name}")
        keys = [m.key for m in self.mistakes] + [p.key for p in self.properties]
        if len(set(keys)) != len(keys):
            raise ValueError(f"mistakes and properties of {self.id}: expected different keys, got {keys}")

    @property
    def name(self) -> str:
        """The name that the learner defines and later cells use."""
        return self.reference.__name__


@dataclass(frozen=True)
class Answer:
    """A prediction or a diagnosis: a word out of a list, or a number.

    right: a word or a number; wrong: the message for each answer that is known to be tempting, all other words
    of the list included; rtol: for numbers; unit: what the number counts.
    """

    id: str
    right: str | float
    wrong: Mapping[str, str] | Mapping[float, str]
    hints: tuple[str, ...]
    why: str
    rtol: float = 1e-6
    unit: str = ""

    @property
    def options(self) -> list[str]:
        """The words to choose from, in alphabetical order; empty where a number is asked for."""
        return sorted(map(str, [self.right, *self.wrong])) if isinstance(self.right, str) else []


def one_fault(id: str, right: str, faults: Mapping[str, str], why: str, *hints: str) -> Answer:
    """Return the question for one fault out of several; faults: word → what its picture would show instead."""
    return Answer(id, right, {word: says for word, says in faults.items() if word != right}, hints, why)
