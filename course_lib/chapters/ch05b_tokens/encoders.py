"""Other ways to turn a text into the tokens of a learned vocabulary; the chapter shows what they do."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from course_lib.attention.tokens import BytePairs, Pair, merge_pair


def longest_match(tokenizer: BytePairs, text: str) -> list[int]:
    """Return the tokens of text, from the left the longest that fits, piece by piece; merges play no part."""
    token_of = {string: token for token, string in reversed(list(enumerate(tokenizer.bytes_of)))}
    longest, code = max(map(len, token_of)), []
    for piece in tokenizer.cut(text):
        left = piece.encode()
        while left:
            size = next(size for size in range(longest, 0, -1) if len(left) >= size and left[:size] in token_of)
            code.append(token_of[left[:size]])
            left = left[size:]
    return code


def newest_first(tokens: Sequence[int], merges: Mapping[Pair, int]) -> list[int]:
    """Return the tokens with, of the pairs that are there, the one that was learned last merged, until none is."""
    tokens = list(tokens)
    while there := [pair for pair in pairwise(tokens) if pair in merges]:
        last = max(there, key=merges.__getitem__)
        tokens = merge_pair(tokens, last, merges[last])
    return tokens


def in_strings(tokens: Sequence[int], tokenizer: BytePairs) -> str:
    """Return the tokens of an ASCII text as what they stand for, a bar between two."""
    return "|".join(tokenizer.bytes_of[token].decode() for token in tokens)


def compared(tokenizer: BytePairs, words: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Return for each word its code, and what encoders A and B make of it instead."""
    rows = []
    for word in words:
        own = tokenizer.encode(word).tolist()
        longest, newest = longest_match(tokenizer, word), newest_first(list(word.encode()), tokenizer.token_of)
        rows.append((word, in_strings(own, tokenizer), in_strings(longest, tokenizer), in_strings(newest, tokenizer)))
    return rows
