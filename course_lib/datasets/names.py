"""Names in words, for a model that is told them: the words that training has, and one token for all others."""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

LENGTH = 10  # words that are read of a name; the longest of Fluent Emoji has 9
NONE, UNKNOWN = "", "?"  # tokens 0, which fills up, and 1


def words_in(name: str) -> list[str]:
    """Return the words of a name, lower-case, without punctuation: 'keycap', '10' of 'Keycap: 10'."""
    return re.findall(r"[^\W_]+", name.lower())


def vocabulary(names: Sequence[str]) -> tuple[str, ...]:
    """Return the words of names in alphabetical order, behind what fills up and what is unknown."""
    return (NONE, UNKNOWN, *sorted({word for name in names for word in words_in(name)}))


def encode_names(names: Sequence[str], known: Sequence[str], length: int = LENGTH) -> Int[Tensor, "n length"]:
    """Return the tokens of names, a word each, filled up with 0; a word that is not known is token 1.

    ValueError for a name of more than length words.
    """
    index = {word: i for i, word in enumerate(known)}
    tokens = torch.zeros(len(names), length, dtype=torch.long)
    for i, name in enumerate(names):
        found = words_in(name)
        if len(found) > length:
            raise ValueError(f"names: expected at most {length} words, got {len(found)} in {name!r}")
        tokens[i, : len(found)] = torch.tensor([index.get(word, 1) for word in found], dtype=torch.long)
    return tokens
