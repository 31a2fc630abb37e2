"""Text as tokens, one a character: the shipped one, or a reader's own file."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.datasets.shipped import shipped

SHORTEST = 2_000  # characters: less leaves nothing to measure on
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


@dataclass(frozen=True)
class Text:
    """A text as tokens, one a character, cut into parts: to learn from, to choose by, and to report on at the end.

    vocabulary: the distinct characters of all parts in sorted order; token i stands for vocabulary[i].
    test: empty where no part is kept apart.
    """

    vocabulary: str
    train: Int[Tensor, "n_train"]
    validation: Int[Tensor, "n_validation"]
    test: Int[Tensor, "n_test"] = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def summary(self) -> str:
        """Return one line: how many characters there are, how many different ones, and how they are split."""
        parts = [len(self.train), len(self.validation), len(self.test)]
        return (
            f"{sum(parts):,} characters, {len(self.vocabulary):,} different ones: "
            f"{parts[0]:,} to train, {parts[1]:,} to validate, {parts[2]:,} to test"
        )

    def encode(self, text: str) -> Int[Tensor, "time"]:
        """Return the tokens of text; ValueError names the first character that the vocabulary lacks."""
        index = {character: i for i, character in enumerate(self.vocabulary)}
        unknown = next((c for c in text if c not in index), None)
        if unknown is not None:
            raise ValueError(f"text: expected characters of the vocabulary {self.vocabulary!r}, got {unknown!r}")
        return torch.tensor([index[c] for c in text], dtype=torch.long)

    def decode(self, tokens: Int[Tensor, "time"]) -> str:
        """Return the characters of a sequence of tokens; ValueError for one that stands for none."""
        outside = tokens[(tokens < 0) | (tokens >= len(self.vocabulary))]
        if len(outside):
            raise ValueError(f"tokens: expected 0 to {len(self.vocabulary) - 1}, got {outside[0].item()}")
        return "".join(self.vocabulary[i] for i in tokens.tolist())


def load_shakespeare(test: bool = False) -> Text:
    """Return Tiny Shakespeare: 1,115,394 characters, 65 symbols, first 90 % to train, the rest to validate.

    The split is nanoGPT's, so that losses can be compared with those published for it. test: keep the last 5 % of the
    text apart; then the 5 % before them validate, and the part to train is the same.
    """
    return split_text(shipped("tinyshakespeare.txt", SHAKESPEARE_SHA256).decode("ascii"), 0.95 if test else 1.0)


def load_text(path: str | Path) -> Text:
    """Return a reader's own file: 90 % of its characters to train, then 5 % to validate and 5 % to test.

    The file is UTF-8 in any language, with or without a byte order mark; line ends of Windows become those of Unix.
    OSError where it cannot be read; ValueError where it is not UTF-8, with the place of the first byte that is none,
    or shorter than 2,000 characters.
    """
    path = Path(path).expanduser()
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        at = f"byte {content[error.start]:#04x} at offset {error.start:,}"
        raise ValueError(f"path: expected a file in UTF-8, got {at} of {path.name}; save it as UTF-8") from None
    if len(text) < SHORTEST:
        raise ValueError(f"path: expected at least {SHORTEST:,} characters, got {len(text):,} in {path.name}")
    return split_text(text, 0.95)


def split_text(text: str, until: float = 0.95) -> Text:
    """Return a text as tokens: 90 % to train, then up to the share ``until`` to validate, the rest to test."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    known, places = np.unique(points, return_inverse=True)
    tokens = torch.from_numpy(places.astype(np.int64))
    first, second = int(0.9 * len(tokens)), int(until * len(tokens))
    return Text("".join(map(chr, known)), tokens[:first], tokens[first:second], tokens[second:])


def random_windows(
    tokens: Int[Tensor, "n"], batch: int, length: int, generator: torch.Generator
) -> tuple[Int[Tensor, "batch length"], Int[Tensor, "batch length"]]:
    """Return windows at random places and the same windows one position on: inputs and targets.

    The generator lives on the CPU; the windows are on the device of the tokens.
    ValueError if the text is shorter than one window and its last target.
    """
    if len(tokens) < length + 1:
        raise ValueError(f"tokens: expected more than length = {length}, got {len(tokens)}")
    starts = torch.randint(len(tokens) - length, (batch,), generator=generator)
    windows = tokens[(starts[:, None] + torch.arange(length + 1)).to(tokens.device)]  # (B, length + 1)
    return windows[:, :-1], windows[:, 1:]
