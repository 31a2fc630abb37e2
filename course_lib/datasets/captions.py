"""Scenes in words: many sentences for one scene, and one scene for each sentence, a reader's own included."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.datasets.scenes import COLOURS, Scene, Thing

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = {"small": ("small", "little"), "large": ("large", "big")}
STROKES = {"thin": ("thin", "slender"), "thick": ("thick", "bold")}
PHRASES = {  # between two things
    "left": ("left of", "to the left of"),
    "right": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
SIDES = {"left": ("on the left", "on the right"), "above": ("at the top", "at the bottom")}  # of the first, the second
OTHER = {"left": "right", "above": "below"}
MEANING: dict[str, tuple[str, Any]] = (
    {word: ("digit", i) for i, name in enumerate(DIGITS) for word in (name, str(i))}
    | {colour: ("colour", colour) for colour in COLOURS}
    | {word: ("size", size) for size, words in SIZES.items() for word in words}
    | {word: ("stroke", stroke) for stroke, words in STROKES.items() for word in words}
    | {word: ("side", word) for word in ("left", "right", "above", "below")}
    | {"over": ("side", "above"), "top": ("side", "above"), "under": ("side", "below"), "bottom": ("side", "below")}
    | {"middle": ("spot", "middle"), "centre": ("spot", "middle"), "and": ("and", "and")}
    | dict.fromkeys(("a", "an", "the", "to", "of", "in", "at", "on", "corner"), ("", ""))
)
WORDS = ("", *sorted(MEANING))  # the vocabulary; token 0 fills a short caption up
LENGTH = 20  # tokens; the longest caption has 19
DICE = 16  # random numbers that one caption takes
EXAMPLE = "'a small red seven above a large blue two'"


def caption(scene: Scene, generator: torch.Generator, say: float = 1.0) -> str:
    """Return a sentence for a scene; say: the probability with which each thing that is known is told.

    The digits are always told. Word order, synonyms, figures or number words are drawn.
    """
    dice = iter(torch.rand(DICE, generator=generator).tolist())
    return phrase(told(scene, say, dice), dice)


def told(scene: Scene, say: float, dice: Iterator[float]) -> Scene:
    """Return what remains of a scene when each known thing but the digits is told with probability say."""

    def keep(value: str | None) -> str | None:
        return value if next(dice) < say else None

    things = tuple(Thing(t.digit, keep(t.colour), keep(t.size), keep(t.stroke)) for t in scene.things)
    return Scene(things, keep(scene.place))


def phrase(scene: Scene, dice: Iterator[float]) -> str:
    """Return a sentence that says all of a scene and no more; dice: numbers in 0 … 1 that choose among the ways."""
    things = [_noun(thing, dice) for thing in scene.things]
    if len(things) == 1:
        return _alone(things[0], scene.place, dice)
    if scene.place is None:
        first, second = things if next(dice) < 0.5 else things[::-1]
        return f"{first} and {second}"
    said = list(zip(things, (scene.place, OTHER[scene.place]), SIDES[scene.place], strict=True))
    (first, lies, side), (second, _, other_side) = said if next(dice) < 0.5 else said[::-1]
    between = _of(PHRASES[lies], dice)
    ways = (f"{first} {between} {second}", f"{between} {second}, {first}", f"{first} {side} and {second} {other_side}")
    return _of(ways, dice)


def parse(text: str) -> Scene:
    """Return what a sentence asks for; what it does not mention is open.

    ValueError names the first word that the vocabulary lacks, what is said twice of one thing, or a sentence that does
    not say one thing and its spot, or two and how they lie.
    """
    parts = _parts(text)
    kinds = " ".join(kind for kind, _ in parts)
    values = [value for _, value in parts]
    match kinds:
        case "thing":
            return Scene((values[0],))
        case "thing spot":
            return Scene((values[0],), values[1])
        case "spot thing":
            return Scene((values[1],), values[0])
        case "thing and thing":
            return Scene((values[0], values[2]))
        case "thing side thing":
            return Scene((values[0], values[2]), values[1])
        case "side thing thing":
            return Scene((values[2], values[1]), values[0])
        case "thing side and thing":
            return Scene((values[0], values[3]), values[1])
        case "thing side and thing side" if {values[1], values[4]} in ({"left", "right"}, {"above", "below"}):
            return Scene((values[0], values[3]), values[1])
    raise ValueError(f"caption: expected one digit and its spot, or two and how they lie, as {EXAMPLE}, got {text!r}")


def words(text: str) -> list[str]:
    """Return the words of a sentence, lower-case, without punctuation; ValueError for one outside the vocabulary."""
    found = re.findall(r"[^\W_]+", text.lower())
    for word in found:
        if word not in MEANING:
            near = difflib.get_close_matches(word, WORDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"say it as in {EXAMPLE}"
            raise ValueError(f"caption: expected words of the vocabulary, got {word!r}; {hint}")
    return found


def encode(captions: Sequence[str], length: int = LENGTH) -> Int[Tensor, "n length"]:
    """Return the tokens of captions, a word each, filled up with 0; the empty caption, which asks nothing, is all 0.

    ValueError for a word outside the vocabulary, and for a caption of more than length words.
    """
    rows = [[INDEX[word] for word in words(text)] for text in captions]
    longest = max(map(len, rows), default=0)
    if longest > length:
        raise ValueError(f"captions: expected at most {length} words, got {longest}")
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row, dtype=torch.long)
    return tokens


INDEX = {word: i for i, word in enumerate(WORDS)}


def _of(options: Sequence[str], dice: Iterator[float]) -> str:
    return options[int(next(dice) * len(options))]


def _noun(thing: Thing, dice: Iterator[float]) -> str:
    """Return a thing with its article: 'a small thin red seven'."""
    said = [_of(SIZES[thing.size], dice)] if thing.size else []
    said += [_of(STROKES[thing.stroke], dice)] if thing.stroke else []
    said += [thing.colour] if thing.colour else []
    said += [_of((DIGITS[thing.digit], str(thing.digit)), dice)]
    return f"{'an' if said[0] in ('eight', '8') else 'a'} {' '.join(said)}"


def _alone(thing: str, spot: str | None, dice: Iterator[float]) -> str:
    if spot is None:
        return thing
    ways = ("in the middle", "in the centre") if spot == "middle" else (f"in the {spot} corner", f"at the {spot}")
    where = _of(ways, dice)
    return f"{thing} {where}" if next(dice) < 0.5 else f"{where}, {thing}"


def _parts(text: str) -> list[tuple[str, Any]]:
    """Return a sentence as things, sides, spots and 'and', each with its kind."""
    parts: list[tuple[str, Any]] = []
    said: dict[str, Any] = {}
    for word in words(text):
        kind, meaning = MEANING[word]
        if kind in ("colour", "size", "stroke", "digit"):
            if said.get(kind, meaning) != meaning:
                raise ValueError(f"caption: expected one {kind} of a digit, got {said[kind]!r} and {word!r}")
            said[kind] = meaning
            if kind == "digit":
                parts.append(("thing", Thing(**said)))
                said = {}
        elif kind and said:
            raise ValueError(f"caption: expected a digit after {list(said.values())[-1]!r}, got {word!r}")
        elif kind == "side" and parts and parts[-1] in CORNERS and word in ("left", "right"):
            parts[-1] = ("spot", f"{'top' if parts[-1][1] == 'above' else 'bottom'} {word}")
        elif kind:
            parts.append((kind, meaning))
    if said:
        raise ValueError(f"caption: expected a digit after {list(said.values())[-1]!r}, got the end of the caption")
    return parts


CORNERS = (("side", "above"), ("side", "below"))
