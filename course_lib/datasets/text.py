"""Text as tokens, one a character."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.datasets.shipped import shipped

SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


@dataclass(frozen=True)
class Text:
    """A text as tokens, one a character, cut into the part to learn from and the part to be measured on.

    vocabulary: the distinct characters in sorted order; token i stands for vocabulary[i].
    """

    vocabulary: str
    train: Int[Tensor, "n_train"]
    validation: Int[Tensor, "n_validation"]

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


def load_shakespeare() -> Text:
    """Return Tiny Shakespeare: 1,115,394 characters, 65 symbols, first 90 % to train, the rest to validate.

    The split is nanoGPT's, so that losses can be compared with those published for it.
    """
    text = shipped("tinyshakespeare.txt", SHAKESPEARE_SHA256).decode("ascii")
    vocabulary = "".join(sorted(set(text)))
    table = torch.zeros(128, dtype=torch.long)
    table[torch.tensor([ord(c) for c in vocabulary])] = torch.arange(len(vocabulary))
    tokens = table[torch.frombuffer(bytearray(text, "ascii"), dtype=torch.uint8).long()]
    cut = int(0.9 * len(tokens))
    return Text(vocabulary, tokens[:cut], tokens[cut:])


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
