"""The chat template: who speaks stands in tokens that no text can contain, and the loss is on answers alone.

``<user> question <end> <assistant> answer <end>``: the model learns to predict the answer's tokens and the ``<end>``
behind it; questions are read, not learned. The names of roles are special tokens of the tokenizer, so that an ‘<end>’
which a user types is text like any other. A turn's text has a space before it, so that its first word has the tokens
that it has within a sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from course_lib.attention.tokens import BytePairs

Role = Literal["system", "user", "assistant"]
END = "<end>"
SPECIAL = ("<system>", "<user>", "<assistant>", END)
IGNORED = -100  # a target that F.cross_entropy leaves out


@dataclass(frozen=True)
class Turn:
    """What one side says: role "system", "user" or "assistant", and a text."""

    role: Role
    text: str

    def __post_init__(self) -> None:
        if f"<{self.role}>" not in SPECIAL:
            raise ValueError(f"role: expected system, user or assistant, got {self.role!r}")


def exchange(question: str, answer: str) -> tuple[Turn, Turn]:
    """Return the two turns of a question and its answer."""
    return Turn("user", question), Turn("assistant", answer)


@dataclass(frozen=True)
class ChatTemplate:
    """Turns as tokens and back. tokenizer: one that has the special tokens ``SPECIAL``; ValueError without them."""

    tokenizer: BytePairs

    def __post_init__(self) -> None:
        missing = [name for name in SPECIAL if name not in self.tokenizer.token]
        if missing:
            raise ValueError(f"tokenizer: expected the special tokens {', '.join(SPECIAL)}, got none for {missing[0]}")

    @cached_property
    def end(self) -> int:
        """The token at which drawing stops."""
        return self.tokenizer.token[END]

    def encode(
        self, turns: Sequence[Turn], learn: Literal["answers", "all"] = "answers"
    ) -> tuple[Int[Tensor, "time"], Bool[Tensor, "time"]]:
        """Return the tokens of a conversation, and which of them are learned.

        learn: "answers" marks what the assistant says and the end of it, not the token that gives it the word; "all"
        marks every token but the first, as pretraining would. ValueError for no turns.
        """
        if not turns:
            raise ValueError("turns: expected at least one, got none")
        tokens: list[int] = []
        learned: list[bool] = []
        for turn in turns:
            said = [*self.tokenizer.encode(f" {turn.text}").tolist(), self.end]
            tokens += [self.tokenizer.token[f"<{turn.role}>"], *said]
            learned += [learn == "all", *[learn == "all" or turn.role == "assistant"] * len(said)]
        learned[0] = False  # nothing stands before it to be read
        return torch.tensor(tokens), torch.tensor(learned)

    def prompt(self, turns: Sequence[Turn] | str) -> Int[Tensor, "time"]:
        """Return the tokens that an answer is drawn behind: the turns, or one question, and ``<assistant>``."""
        turns = [Turn("user", turns)] if isinstance(turns, str) else turns
        return torch.cat([self.encode(turns)[0], torch.tensor([self.tokenizer.token["<assistant>"]])])

    def answer(self, drawn: Int[Tensor, "time"] | Iterable[int]) -> str:
        """Return the text of drawn tokens up to the first ``<end>``, or of all where there is none."""
        tokens = [int(token) for token in drawn]
        text = self.tokenizer.decode(tokens[: tokens.index(self.end)] if self.end in tokens else tokens)
        return text.removeprefix(" ")


def batch_of(
    encoded: Sequence[tuple[Int[Tensor, "_"], Bool[Tensor, "_"]]], length: int, filler: int
) -> tuple[Int[Tensor, "batch length"], Int[Tensor, "batch length"]]:
    """Return what is read and what is to be predicted at each position, for ``next_token_step``.

    A target that is not learned is −100, and so is what stands behind a conversation's end, where filler is read; a
    causal model's other positions do not see it. ValueError for conversations of more than length + 1 tokens, and for
    none, or one in which nothing is learned: its mean loss would be 0/0.
    """
    if not encoded:
        raise ValueError("encoded: expected at least one conversation, got none")
    inputs = torch.full((len(encoded), length), filler)
    targets = torch.full((len(encoded), length), IGNORED)
    for i, (tokens, learned) in enumerate(encoded):
        if len(tokens) > length + 1:
            raise ValueError(
                f"encoded: expected at most length + 1 = {length + 1} tokens, got {len(tokens)} in row {i}"
            )
        if not learned[1:].any():
            raise ValueError(f"encoded: expected a token that is learned, got none in row {i}")
        n = len(tokens) - 1
        inputs[i, :n] = tokens[:-1]
        targets[i, :n] = tokens[1:].masked_fill(~learned[1:], IGNORED)
    return inputs, targets
