"""Grey images of digits and clothes."""

import gzip
import math
import zlib
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from course_lib.datasets.shipped import shipped

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
    """Return images of zeros and ones: a pixel is one with probability byte / 255 (Salakhutdinov and Murray 2008).

    The generator lives on the CPU; the result is on the device of the images. TypeError for pixels that are no bytes:
    grey values in [0, 1] would be divided by 255 once more.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images: expected bytes, torch.uint8, got {images.dtype}")
    draws = torch.rand(images.shape, generator=generator).to(images.device)
    return (draws < images.float() / 255).float()


def binary_test_digits() -> Float[Tensor, "10000 28 28"]:
    """Return the course's own binarisation of the test digits, on which it reports log-likelihoods."""
    return binarise(_shipped_array("mnist-t10k-images"), torch.Generator().manual_seed(BINARISATION_SEED))
