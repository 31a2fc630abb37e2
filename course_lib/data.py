"""The course's data. Shipped files are read from ``data/`` and checked against their sha256; nothing is fetched."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from safetensors.torch import load
from torch import Tensor

from course_lib.transformer import Transformer, TransformerConfig

FOLDER = Path(__file__).parents[1] / "data"
MODEL_SHA256 = "d2ca6563269b2078f827dac5ddd7163e1e44b2b60587782a9a57c06dcfe1afe2"
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

RECALL_PAIRS, RECALL_SYMBOLS = 4, 16  # of ``associative_recall``: 16 keys, as many values, as many others


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
        """Return the characters of a sequence of tokens."""
        return "".join(self.vocabulary[i] for i in tokens.tolist())


def shipped(name: str, sha256: str) -> bytes:
    """Return the bytes of a file in ``data/``; OSError if it is missing or not the file that it should be."""
    path = FOLDER / name
    remedy = f"`git checkout -- data/{name}` brings it back"
    if not path.is_file():
        raise OSError(f"data/{name} is missing; {remedy}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise OSError(f"data/{name} has been changed: expected sha256 {sha256}, got {found}; {remedy}")
    return content


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


def associative_recall(
    batch: int, distance: int, generator: torch.Generator
) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch asked"]]:
    """Return sequences to recall from and the values that they ask for.

    Four pairs of a key (0 … 15) and its value (16 … 31), distance random symbols (32 … 47), then the four keys in
    another order, each followed by its value: at the positions time − 8, time − 6, … a model has to name the value.
    """
    n, pairs = RECALL_SYMBOLS, RECALL_PAIRS
    keys = torch.rand(batch, n, generator=generator).argsort(-1)[:, :pairs]  # different ones
    values = torch.randint(n, (batch, pairs), generator=generator) + n
    filler = torch.randint(n, (batch, distance), generator=generator) + 2 * n
    order = torch.rand(batch, pairs, generator=generator).argsort(-1)
    told = torch.stack([keys, values], dim=-1).flatten(1)
    asked, answers = keys.gather(1, order), values.gather(1, order)
    return torch.cat([told, filler, torch.stack([asked, answers], dim=-1).flatten(1)], dim=1), answers


def load_language_model() -> Transformer:
    """Return the model of ``benchmarks/language_model.py``, two CPU-minutes of Tiny Shakespeare, in eval mode."""
    content = shipped("shakespeare_model.safetensors", MODEL_SHA256)
    size = int.from_bytes(content[:8], "little")  # the file begins with its header's length, then the header
    config = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["config"])
    model = Transformer(TransformerConfig(**config))
    model.load_state_dict({name: tensor.float() for name, tensor in load(content).items()})
    return model.eval()
