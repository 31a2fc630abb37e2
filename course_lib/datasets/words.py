"""Common English words: how they are pronounced and what they mean; nothing is fetched.

Words and their commonness are of SCOWL, pronunciations of CMUdict, meanings of WordNet 3.0, one shortened sense a word;
``data/build.py`` chose them and ``data/README.md`` has origins and licences.
"""

import functools
import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from course_lib.datasets.shipped import shipped

WORDS_SHA256 = {
    "words.tsv.gz": "72c7b8beb4f3450e2605718df8bcd39df944e1a87c312c0b046d56854751c204",
    "glosses.tsv.gz": "29693130ac58221ffce2d1bc96d7d8afdf361ce7fab1424a566672dd2408b28f",
}
PARTS = ("train", "validation", "test")
ENDINGS: tuple[str, ...] = ("ness", "ment", "less", "able", "ings", "ions", "ing", "est", "ful", "ion", "ers", "ors")
ENDINGS += ("ed", "er", "or", "ly", "al", "es", "s", "e", "y", "i")
Phones = tuple[str, ...]


@dataclass(frozen=True)
class Gloss:
    """What a word means: its kind ("noun", "verb", "adj"), a definition of one line, and an example or ""."""

    kind: str
    definition: str
    example: str


@dataclass(frozen=True)
class Words:
    """The words, lower-case, in alphabetical order.

    commonness: 10 for the some 3,900 commonest, 20 for the next 6,600, 35 for the rest (SCOWL's own numbers).
    pronunciations: each a row of CMUdict's phones, as ("W", "ER1", "D"); the digit is the stress of a vowel.
    glosses: of two in five of the words; no two words have the same.
    """

    commonness: Mapping[str, int]
    pronunciations: Mapping[str, tuple[Phones, ...]]
    glosses: Mapping[str, Gloss]


@functools.cache
def load_words() -> Words:
    """Return the 31,421 shipped words, read once; OSError as for ``shipped``."""
    words, glosses = (_rows(name, sha256) for name, sha256 in WORDS_SHA256.items())
    return Words(
        MappingProxyType({word: int(number) for word, number, _ in words}),
        MappingProxyType({word: tuple(tuple(p.split()) for p in said.split("|")) for word, _, said in words}),
        MappingProxyType({word: Gloss(*rest) for word, *rest in glosses}),
    )


def root(word: str) -> str:
    """Return what a word shares with its kin, roughly: 'mak' of 'make', 'maker' and 'making'.

    Endings go while two letters remain, then one of a doubled letter, then all behind the fifth. Words that are no kin
    may share a root; that costs nothing where it decides what is kept apart.
    """
    while ending := next((e for e in ENDINGS if word.endswith(e) and len(word) >= len(e) + 2), ""):
        word = word.removesuffix(ending)
    if word[-1:] == word[-2:-1]:
        word = word[:-1]
    return word[:5]


def hashed_part(text: str) -> str:
    """Return the part that a text's hash puts it into: eight tenths train, one tenth each for the other two."""
    first = hashlib.sha256(text.encode()).digest()[0]
    return "test" if first % 10 == 0 else "validation" if first % 10 == 1 else "train"


@functools.cache
def part_of(word: str) -> str:
    """Return the part that a word belongs to, told by the hash of its root."""
    return hashed_part(root(word))


def words_of(part: str, words: Iterable[str]) -> list[str]:
    """Return those of the words that belong to a part, in their order; ValueError for a part that is none."""
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    return [word for word in words if part_of(word) == part]


def dictionary_text(part: str = "train") -> str:
    """Return the glosses of a part as text to learn from, a line for each word, its example behind it.

    As in 'abundant, adj: present in great quantity. an abundant supply of water'. A definition of one part may use
    words of another. ValueError for a part that is none.
    """
    glosses = load_words().glosses
    lines = []
    for word in words_of(part, glosses):
        gloss = glosses[word]
        lines.append(f"{word}, {gloss.kind}: {gloss.definition}.{' ' * bool(gloss.example)}{gloss.example}\n")
    return "".join(lines)


def _rows(name: str, sha256: str) -> list[list[str]]:
    return [line.split("\t") for line in gzip.decompress(shipped(name, sha256)).decode().splitlines()]
