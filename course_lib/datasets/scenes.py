"""What a small picture shows: one digit or two, each in a colour, a size and a stroke, and how they lie.

A scene may leave things open: what is None has not been said and is free. Some combinations are never shown in
training, so that a model which draws them puts together what it knows (``held_out``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

COLOURS = ("red", "green", "blue", "yellow", "magenta", "cyan")
LIT = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))  # of the three channels, colour by colour
SIZES = ("small", "large")
STROKES = ("thin", "thick")  # the lightest and the boldest three in ten digits; those between have no word
RELATIONS = ("left", "above")  # of the first of two things to the second
SPOTS = ("middle", "top left", "top right", "bottom left", "bottom right")  # of a thing that is alone
PLACES = RELATIONS + SPOTS
OPPOSITE = {"right": "left", "below": "above"}
HELD_OUT = ("digit in colour", "two digits", "two colours")  # kinds of combination that training never shows
COLUMNS = ("digit", "colour", "size", "stroke") * 2 + ("place",)


@dataclass(frozen=True)
class Thing:
    """A digit, 0 … 9, and what is said of it: a colour, a size and a stroke, each None where nothing is said.

    ValueError for what is none.
    """

    digit: int
    colour: str | None = None
    size: str | None = None
    stroke: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.digit, int) and 0 <= self.digit <= 9):
            raise ValueError(f"digit: expected 0 to 9, got {self.digit!r}")
        for name, known in (("colour", COLOURS), ("size", SIZES), ("stroke", STROKES)):
            _check(name, getattr(self, name), known)

    @property
    def numbers(self) -> list[int]:
        """The digit, and the places of colour, size and stroke in their lists; −1 for what is not said."""
        return [self.digit, *map(_place, (self.colour, self.size, self.stroke), (COLOURS, SIZES, STROKES))]


@dataclass(frozen=True)
class Scene:
    """One thing and its spot, or two and how the first lies to the second; place is None where nothing is said.

    ``right`` and ``below`` are allowed and turned round: 'a two below a seven' is the scene 'a seven above a two'. Two
    things without a place are put in the order of their numbers. So scenes that say the same are equal.

    ValueError for no thing or more than two, and for a place that does not go with their number.
    """

    things: tuple[Thing, ...]
    place: str | None = None

    def __post_init__(self) -> None:
        if len(self.things) not in (1, 2):
            raise ValueError(f"things: expected 1 or 2, got {len(self.things)}")
        if self.place in OPPOSITE and len(self.things) == 2:
            object.__setattr__(self, "things", self.things[::-1])
            object.__setattr__(self, "place", OPPOSITE[self.place])
        _check("place", self.place, SPOTS if len(self.things) == 1 else RELATIONS + tuple(OPPOSITE))
        if self.place is None:
            object.__setattr__(self, "things", tuple(sorted(self.things, key=lambda thing: thing.numbers)))

    @property
    def numbers(self) -> list[int]:
        """Nine numbers, as in COLUMNS: four for each thing, all −1 for a second that is not there, and the place."""
        second = self.things[1].numbers if len(self.things) == 2 else [-1] * 4
        return [*self.things[0].numbers, *second, _place(self.place, PLACES)]

    @classmethod
    def of(cls, numbers: Sequence[int]) -> "Scene":
        """Return the scene that nine numbers stand for."""
        things = tuple(_thing(numbers[i : i + 4]) for i in (0, 4) if numbers[i] >= 0)
        return cls(things, _word(PLACES, numbers[8]))


def held_out(numbers: Int[Tensor, "n 9"]) -> Bool[Tensor, "n 3"]:
    """Return whether each scene has a combination of each kind in HELD_OUT, which training never shows.

    digit in colour: each digit in one of the six colours, d in the colour (d − 1) mod 6: no red 1 or 7, no green 2 or
    8, no blue 3 or 9, no yellow 4, no magenta 5, no cyan 0 or 6. two digits: those with the sum 9, as 7 and 2, however
    they lie. two colours: of the colours in a circle, each to the left of the next, and each above the next but one:
    no red left of green, no red above blue.

    What is not said (−1) is in no combination.
    """
    digits, colours, place = numbers[:, [0, 4]], numbers[:, [1, 5]], numbers[:, 8]
    alone = ((colours >= 0) & (digits >= 0) & (colours == (digits - 1) % len(COLOURS))).any(1)
    together = (digits >= 0).all(1) & (digits.sum(1) == 9)
    step = (colours[:, 1] - colours[:, 0]) % len(COLOURS)
    lying = (colours >= 0).all(1) & (((place == 0) & (step == 1)) | ((place == 1) & (step == 2)))
    return torch.stack([alone, together, lying], dim=1)


def random_scenes(n: int, generator: torch.Generator, two: float = 2 / 3) -> Int[Tensor, "n 9"]:
    """Return the numbers of n scenes, a share ``two`` of them with two things; all evenly drawn, strokes left open."""
    drawn = [torch.randint(k, (n,), generator=generator) for k in (10, len(COLOURS), len(SIZES)) * 2]
    pair = torch.rand(n, generator=generator) < two
    relation = torch.randint(len(RELATIONS), (n,), generator=generator)
    spot = torch.randint(len(SPOTS), (n,), generator=generator) + len(RELATIONS)
    open_ = torch.full((n,), -1)
    columns = [*drawn[:3], open_, *(torch.where(pair, column, -1) for column in drawn[3:]), open_]
    return torch.stack([*columns, torch.where(pair, relation, spot)], dim=1)


def scenes_of(combinations: str, n: int, generator: torch.Generator, two: float = 2 / 3) -> Int[Tensor, "n 9"]:
    """Return the numbers of n scenes with no combination that is held out ("seen"), or each with at least one.

    ValueError for other combinations than "seen" and "unseen".
    """
    if combinations not in ("seen", "unseen"):
        raise ValueError(f'combinations: expected "seen" or "unseen", got {combinations!r}')
    found = torch.zeros(0, 9, dtype=torch.long)
    while len(found) < n:
        more = random_scenes(2 * n + 64, generator, two)
        found = torch.cat([found, more[held_out(more).any(1) == (combinations == "unseen")]])
    return found[:n]


def _check(name: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")


def _place(value: str | None, known: tuple[str, ...]) -> int:
    return -1 if value is None else known.index(value)


def _word(known: tuple[str, ...], number: int) -> str | None:
    return None if number < 0 else known[number]


def _thing(numbers: Sequence[int]) -> Thing:
    digit, colour, size, stroke = numbers
    return Thing(digit, _word(COLOURS, colour), _word(SIZES, size), _word(STROKES, stroke))
