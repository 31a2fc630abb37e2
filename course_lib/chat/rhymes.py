"""Which words rhyme, by CMUdict: those that sound the same from the last stressed vowel on, and not before."""

import functools

from course_lib.datasets.words import Phones, load_words


def rime(phones: Phones) -> Phones:
    """Return a pronunciation from its last stressed vowel on, without stresses; from its last vowel if none has any.

    ('B', 'AE2', 'T') gives ('AE', 'T'). Main and second stress count alike, so that 'butterfly' rhymes with 'sky'.
    """
    stressed = [i for i, phone in enumerate(phones) if phone[-1] in "12"]
    vowels = stressed or [i for i, phone in enumerate(phones) if phone[-1].isdigit()] or [0]
    return unstressed(phones[vowels[-1] :])


def unstressed(phones: Phones) -> Phones:
    """Return the phones without the digits of their stresses."""
    return tuple(phone.rstrip("012") for phone in phones)


@functools.cache
def rimes(word: str) -> frozenset[Phones]:
    """Return the rime of each way to say a word of the dictionary; none for another word."""
    return frozenset(rime(phones) for phones in load_words().pronunciations.get(word, ()))


@functools.cache
def _said(word: str) -> frozenset[Phones]:
    return frozenset(unstressed(phones) for phones in load_words().pronunciations.get(word, ()))


def sounds_alike(one: str, other: str) -> bool:
    """Whether two words of the dictionary can be said in the same way, as 'bear' and 'bare'."""
    return not _said(one).isdisjoint(_said(other))


def rhymes_with(word: str, most_common: int = 35) -> list[str]:
    """Return the words of at most this commonness number that rhyme with one of the dictionary, in alphabetical order.

    Neither the word itself nor one that sounds the same is among them. ValueError for a word that is not there.
    """
    if word not in load_words().pronunciations:
        raise ValueError(f"word: expected one of the dictionary, got {word!r}")
    commonness = load_words().commonness
    found = {other for r in rimes(word) for other in _by_rime().get(r, ()) if commonness[other] <= most_common}
    return sorted(other for other in found if other != word and not sounds_alike(word, other))


@functools.cache
def _by_rime() -> dict[Phones, list[str]]:
    table: dict[Phones, list[str]] = {}
    for word in load_words().pronunciations:
        for r in rimes(word):
            table.setdefault(r, []).append(word)
    return table
