"""The course's data. Shipped files are read from ``data/`` and checked against their sha256; nothing is fetched."""

import gzip
import hashlib
import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load
from torch import Tensor, nn

from course_lib.transformer import Transformer, TransformerConfig

FOLDER = Path(__file__).parents[1] / "data"
MODEL_SHA256 = "d2ca6563269b2078f827dac5ddd7163e1e44b2b60587782a9a57c06dcfe1afe2"
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
IMAGES_SHA256 = {
    "mnist-first-10000-images": "d257685cabaea5d5afce9a61e7fa76f593f03cf16e0b9392ee1217bb49e70ccb",
    "mnist-first-10000-labels": "6cc30f61977aa0fe430ab0db93f467a62cd541b45486fa1f711cf717a990a6bc",
    "fashion-train-10000-images": "9eee5d19ec5de93cab31aa1686e291c5479c94ce895467535286ba146f064e86",
    "fashion-train-10000-labels": "035e56b3809dcaf31b56d147e9965a1a360793813c2fff8fa023ea0e54c25acd",
    "fashion-t10k-2000-images": "be7c32d0eda713b3a28a30c9d64c52b3f7b98cb448c1282057595c25d1157c76",
    "fashion-t10k-2000-labels": "8b5f9658d58174f61f5c48e0c5a9d9dda1b9a1ac4cf0089f398b64e62ec430f1",
    "mnist-t10k-images": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "mnist-t10k-labels": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
BINARISATION_SEED = 0  # of the test digits

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


def load_weights(model: nn.Module, name: str, sha256: str) -> None:
    """Fill a model, as float32, from a safetensors file in ``data/``; OSError as for ``shipped``.

    The files leave out how many batches a batch norm has seen: the model's own count stays.
    """
    counted = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    model.load_state_dict(counted | {key: tensor.float() for key, tensor in load(shipped(name, sha256)).items()})


@dataclass(frozen=True)
class Images:
    """Grey images with their classes, 0 … 9, in three parts; pixels are bytes, 0 is black.

    The validation part is for choices, the test part for the figures that are reported.
    """

    train: UInt8[Tensor, "n_train 28 28"]
    train_labels: Int[Tensor, "n_train"]
    validation: UInt8[Tensor, "n_validation 28 28"]
    validation_labels: Int[Tensor, "n_validation"]
    test: UInt8[Tensor, "n_test 28 28"]
    test_labels: Int[Tensor, "n_test"]


def idx_array(content: bytes) -> UInt8[Tensor, "..."]:
    """Return the array of bytes in a gzipped IDX file (the format of LeCun's MNIST page).

    ValueError for what is no such file, and for one whose length is not what its header says.
    """
    try:
        raw = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"content: expected a gzipped IDX file, got {content[:12]!r}… ({error})") from None
    if raw[:3] != b"\0\0\x08" or len(raw) < 4 or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"content: expected an IDX header for bytes, 00 00 08, got {raw[:4].hex(' ')}")
    start = 4 + 4 * raw[3]
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4)]
    if len(raw) - start != math.prod(shape):
        raise ValueError(f"content: expected {math.prod(shape)} bytes for the shape {shape}, got {len(raw) - start}")
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8)[start:].view(shape)


def _shipped_array(name: str) -> UInt8[Tensor, "..."]:
    """Return the array in one of the shipped image files; OSError as for ``shipped``."""
    return idx_array(shipped(f"{name}.idx.gz", IMAGES_SHA256[name]))


def _shipped_images(train: str, test: str) -> Images:
    """Return shipped images; the first 9,000 of the file named train are for training, the rest to validate."""
    images, test_images = (_shipped_array(f"{part}-images") for part in (train, test))
    labels, test_labels = (_shipped_array(f"{part}-labels").long() for part in (train, test))
    return Images(images[:9_000], labels[:9_000], images[9_000:], labels[9_000:], test_images, test_labels)


def load_digits() -> Images:
    """Return MNIST: 9,000 and 1,000 of its first 10,000 training images, and the official 10,000 to test."""
    return _shipped_images("mnist-first-10000", "mnist-t10k")


def load_fashion() -> Images:
    """Return Fashion-MNIST: 9,000 and 1,000 of its training images, 2,000 of its test images, classes balanced."""
    return _shipped_images("fashion-train-10000", "fashion-t10k-2000")


def binarise(images: UInt8[Tensor, "n 28 28"], generator: torch.Generator) -> Float[Tensor, "n 28 28"]:
    """Return images of zeros and ones: a pixel is one with probability byte / 255 (Salakhutdinov and Murray 2008)."""
    draws = torch.rand(images.shape, generator=generator).to(images.device)
    return (draws < images.float() / 255).float()


def binary_test_digits() -> Float[Tensor, "10000 28 28"]:
    """Return the one binarisation of the test digits on which log-likelihoods are reported."""
    return binarise(_shipped_array("mnist-t10k-images"), torch.Generator().manual_seed(BINARISATION_SEED))


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
