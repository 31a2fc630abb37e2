"""Byte-pair encoding: text as numbers that stand for strings of bytes, learned by merging the commonest pair.

A code by Gage (1994), brought to language models by Sennrich, Haddow and Birch (2016, algorithm 1); on bytes, so that
any text has a code, as in GPT-2 (Radford et al. 2019, section 2.2). The functions on lists say what is meant; the class
``BytePairs`` computes the same in the time that a whole book needs.
"""

import heapq
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

Pair = tuple[int, int]
BYTES = 256
# letters, or digits, or other signs, each with the one space before them; or white space up to the last before a word
WORDS = r" ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+"


def pair_counts(pieces: Mapping[tuple[int, ...], int]) -> dict[tuple[int, int], int]:
    """Return how often each pair of neighbours occurs: pieces maps a string of tokens to how often the text has it.

    No pair reaches across the border of a piece. In (a, a, a) the pair (a, a) occurs twice.
    """
    counts: dict[tuple[int, int], int] = {}
    for piece, times in pieces.items():
        for pair in pairwise(piece):
            counts[pair] = counts.get(pair, 0) + times
    return counts


def merge_pair(tokens: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """Return the tokens with each occurrence of pair replaced by new, from left to right: (a, a, a) is (new, a)."""
    merged: list[int] = []
    i = 0
    while i < len(tokens):
        found = tuple(tokens[i : i + 2]) == tuple(pair)
        merged.append(new if found else tokens[i])
        i += 2 if found else 1
    return merged


def apply_merges(tokens: Sequence[int], merges: Mapping[tuple[int, int], int]) -> list[int]:
    """Return the code of tokens: of the pairs that are there, the one that was learned first is merged, until none is.

    merges: pair → its token, in the order in which they were learned (Sennrich et al. 2016, section 3.2).
    """
    tokens = list(tokens)
    order = {pair: i for i, pair in enumerate(merges)}
    while True:
        there = [pair for pair in pairwise(tokens) if pair in order]
        if not there:
            return tokens
        first = min(there, key=order.__getitem__)
        tokens = merge_pair(tokens, first, merges[first])


def bits_per_character(nats_per_token: float, n_tokens: int, n_characters: int) -> float:
    """Return what a text of n_characters costs, in bits a character, where its n_tokens cost nats_per_token each.

    ValueError for a text without characters.
    """
    if n_characters < 1:
        raise ValueError(f"n_characters: expected at least 1, got {n_characters}")
    return nats_per_token * n_tokens / n_characters / math.log(2)


@dataclass(frozen=True)
class BytePairs:
    """A tokenizer. Tokens 0 to 255 are bytes, then come the merges in the order of learning, then special ones.

    merges: the pair of earlier tokens that each merge joins. special: names of tokens that no text is encoded to, as
    ``<end>``; ``token["<end>"]`` is the number. pattern: a regular expression that cuts a text into pieces, which no
    token reaches across; it has to cover every text. None: the whole text is one piece.

    ValueError names a merge of tokens that come later, or twice, or a special name that is empty or not the only one.
    """

    merges: tuple[Pair, ...] = ()
    special: tuple[str, ...] = ()
    pattern: str | None = WORDS

    def __post_init__(self) -> None:
        for i, pair in enumerate(self.merges):
            if len(pair) != 2 or not all(isinstance(t, int) and 0 <= t < BYTES + i for t in pair):
                raise ValueError(f"merges: expected two tokens below {BYTES + i} in merge {i}, got {pair!r}")
        if len(self.token_of) < len(self.merges):
            twice = next(pair for pair, times in Counter(self.merges).items() if times > 1)
            raise ValueError(f"merges: expected each pair once, got {twice} twice")
        if len(set(self.special)) < len(self.special) or not all(self.special):
            raise ValueError(f"special: expected different names, none empty, got {self.special}")

    @classmethod
    def train(
        cls,
        text: str,
        vocab_size: int,
        special: Sequence[str] = (),
        pattern: str | None = WORDS,
    ) -> "BytePairs":
        """Return the tokenizer whose merges each join the pair that is commonest in text when it is learned.

        Of equally common pairs the one with the smallest numbers is taken. Where no pair comes twice any more, training
        ends with fewer than vocab_size tokens. ValueError for a vocab_size below 256 and the special tokens, and for
        text that is not in UTF-8's range (half of a surrogate pair).
        """
        n_merges = vocab_size - BYTES - len(special)
        if n_merges < 0:
            raise ValueError(f"vocab_size: expected at least {BYTES + len(special)}, got {vocab_size}")
        pieces = Counter(_cut(text, pattern))
        strings = {tuple(_utf8(piece)): times for piece, times in pieces.items()}
        return cls(tuple(_Learner(strings).learn(n_merges)), tuple(special), pattern)

    @property
    def vocab_size(self) -> int:
        """How many tokens there are: bytes, merges and special ones."""
        return BYTES + len(self.merges) + len(self.special)

    @cached_property
    def token(self) -> dict[str, int]:
        """The number of each special token by its name."""
        return {name: BYTES + len(self.merges) + i for i, name in enumerate(self.special)}

    @cached_property
    def bytes_of(self) -> tuple[bytes, ...]:
        """The bytes that each token stands for; a special token's are its name's."""
        known = [bytes([byte]) for byte in range(BYTES)]
        for a, b in self.merges:
            known.append(known[a] + known[b])
        return tuple(known + [name.encode() for name in self.special])

    @cached_property
    def token_of(self) -> dict[Pair, int]:
        """The token of each merge by its pair, in the order of learning."""
        return {pair: BYTES + i for i, pair in enumerate(self.merges)}

    def first(self, vocab_size: int) -> "BytePairs":
        """Return the tokenizer of this size that the same training gives: the first merges, the same special tokens."""
        n_merges = vocab_size - BYTES - len(self.special)
        if not 0 <= n_merges <= len(self.merges):
            raise ValueError(f"vocab_size: expected {BYTES + len(self.special)} to {self.vocab_size}, got {vocab_size}")
        return BytePairs(self.merges[:n_merges], self.special, self.pattern)

    def cut(self, text: str) -> list[str]:
        """Return the pieces of text that no token reaches across."""
        return _cut(text, self.pattern)

    def encode(self, text: str) -> Int[Tensor, "time"]:
        """Return the tokens of text: in each piece, the pair that was learned first is merged until there is none.

        A special token's name in the text is text like any other. ValueError for half of a surrogate pair.
        """
        code: list[int] = []
        known: dict[str, list[int]] = {}
        for piece in self.cut(text):
            if piece not in known:
                known[piece] = _merged(list(_utf8(piece)), self.token_of)
            code += known[piece]
        return torch.tensor(code, dtype=torch.long)

    def decode(
        self, tokens: Int[Tensor, "time"] | Iterable[int], errors: Literal["replace", "strict"] = "replace"
    ) -> str:
        """Return the text of tokens, a special one as its name. Any text comes back from its code unchanged.

        Tokens that are no whole characters together are no UTF-8: ``replace`` puts � there, ``strict`` raises
        ValueError with the bytes. ValueError for a token outside the vocabulary.
        """
        numbers = tokens.tolist() if isinstance(tokens, Tensor) else [int(token) for token in tokens]
        outside = next((t for t in numbers if not 0 <= t < self.vocab_size), None)
        if outside is not None:
            raise ValueError(f"tokens: expected 0 to {self.vocab_size - 1}, got {outside}")
        joined = b"".join(self.bytes_of[t] for t in numbers)
        try:
            return joined.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            odd = joined[error.start : error.end].hex(" ")
            raise ValueError(f"tokens: expected UTF-8, got bytes {odd} at {error.start}, no character") from None

    def save(self, path: str | Path) -> None:
        """Write the tokenizer as JSON, beside and renamed."""
        path = Path(path)
        content = {"kind": "byte pairs", "pattern": self.pattern, "special": self.special, "merges": self.merges}
        beside = path.with_name(path.name + ".part")
        beside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        beside.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "BytePairs":
        """Return a tokenizer that was saved. OSError where the file cannot be read, ValueError where it holds none."""
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            merges = tuple((a, b) for a, b in content["merges"])
            special, pattern = tuple(content["special"]), content["pattern"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"path: expected a tokenizer of byte pairs in {path.name}, got {error!r}") from None
        return cls(merges, special, pattern)


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        odd = f"{ord(text[error.start]):#06x}"
        raise ValueError(f"text: expected characters, got half of a surrogate pair, {odd}") from None


def _cut(text: str, pattern: str | None) -> list[str]:
    """Return the pieces of text; ValueError where the pattern leaves something out."""
    if pattern is None:
        return [text] if text else []
    pieces = [match[0] for match in re.finditer(pattern, text) if match[0]]
    if sum(map(len, pieces)) < len(text):
        raise ValueError(f"pattern: expected one that covers every text, got {pattern!r}")
    return pieces


class _Chain:
    """Tokens in a row that are merged in place: what stands before and behind each, −1 for nothing."""

    def __init__(self, tokens: list[int], borders: Iterable[int] = ()) -> None:
        self.tokens = tokens
        self.before, self.behind = list(range(-1, len(tokens) - 1)), [*range(1, len(tokens)), -1][: len(tokens)]
        for end in borders:  # of each piece, the place after its last token
            self.behind[end - 1] = -1
            if end < len(tokens):
                self.before[end] = -1

    def pair(self, i: int) -> Pair | None:
        """Return the token at i and the one behind it; None where there is none behind it."""
        j = self.behind[i]
        return None if j < 0 else (self.tokens[i], self.tokens[j])

    def join(self, i: int, new: int) -> None:
        """Put new in the place of the token at i and of the one behind it."""
        j = self.behind[i]
        k = self.behind[j]
        self.tokens[i], self.tokens[j] = new, -1
        self.behind[i] = k
        if k >= 0:
            self.before[k] = i


def _merged(tokens: list[int], token_of: Mapping[Pair, int]) -> list[int]:
    """Return what ``apply_merges`` does, in n log n steps for n tokens: a heap holds the pairs by age and place."""
    chain = _Chain(tokens)
    pairs = [(chain.pair(i), i) for i in range(len(tokens))]
    todo = [(token_of[pair], i) for pair, i in pairs if pair is not None and pair in token_of]
    heapq.heapify(todo)
    while todo:
        new, i = heapq.heappop(todo)
        pair = chain.pair(i)
        if pair is None or token_of.get(pair) != new:  # one of the two has been merged with another since
            continue
        chain.join(i, new)
        for place in (chain.before[i], i):
            pair = chain.pair(place) if place >= 0 else None
            if pair is not None and pair in token_of:
                heapq.heappush(todo, (token_of[pair], place))
    return [token for token in tokens if token >= 0]


class _Learner:
    """Counts of all pairs, kept up to date merge by merge: only the neighbours of what is merged change.

    strings: bytes of a piece → how often the text has it; all of them stand in one chain with borders.
    """

    def __init__(self, strings: Mapping[tuple[int, ...], int]) -> None:
        tokens = [token for string in strings for token in string]
        ends = torch.tensor([len(string) for string in strings]).cumsum(0).tolist()
        self.chain = _Chain(tokens, ends)
        self.times = [times for string, times in strings.items() for _ in string]
        self.counts: dict[Pair, int] = pair_counts(strings)
        self.places: dict[Pair, set[int]] = defaultdict(set)  # where a pair begins, or once began
        for i in range(len(tokens)):
            if (pair := self.chain.pair(i)) is not None:
                self.places[pair].add(i)
        self.best = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.best)

    def learn(self, n_merges: int) -> list[Pair]:
        """Return the first n_merges pairs to merge; fewer where none comes twice any more."""
        merges: list[Pair] = []
        while len(merges) < n_merges and self.best:
            negative, pair = heapq.heappop(self.best)
            count = self.counts.get(pair, 0)
            if count != -negative:  # it has become rarer since
                heapq.heappush(self.best, (-count, pair))
            elif count < 2:
                break
            else:
                self._merge(pair, BYTES + len(merges))
                merges.append(pair)
        return merges

    def _merge(self, pair: Pair, new: int) -> None:
        chain, changed = self.chain, set()
        for i in sorted(self.places.pop(pair)):
            if chain.pair(i) != pair:  # 'aaa' is merged once
                continue
            left, right = chain.before[i], chain.behind[chain.behind[i]]
            around = [(left, pair[0], True), (right, pair[1], False)]
            for place, old, is_left in around:
                if place < 0:
                    continue
                other = chain.tokens[place]
                gone, come = ((other, old), (other, new)) if is_left else ((old, other), (new, other))
                self.counts[gone] -= self.times[i]
                self.counts[come] = self.counts.get(come, 0) + self.times[i]
                self.places[come].add(place if is_left else i)
                changed.add(come)
            chain.join(i, new)
        self.counts.pop(pair)
        for come in changed:
            if self.counts.get(come, 0) > 0:
                heapq.heappush(self.best, (-self.counts[come], come))
