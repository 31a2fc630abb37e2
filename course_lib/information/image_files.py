"""Telling what does not belong from its scores: the area under the ROC curve, and what files say of complexity."""

import io
import lzma
import zlib

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor


def pack(images: Float[Tensor, "n pixels"]) -> bytes:
    """Return images of zeros and ones as bytes, eight pixels each, the last one filled up with zeros."""
    return np.packbits(images.numpy() == 1).tobytes()


def png_bits(image: Float[Tensor, "height width"]) -> int:
    """Return the length in bits of an image of zeros and ones as a PNG of one bit a pixel."""
    file = io.BytesIO()
    Image.fromarray(image.numpy() == 1).save(file, "PNG", optimize=True)
    return 8 * len(file.getvalue())


def file_bits(content: bytes, name: str) -> int:
    """Return the length in bits of what zlib or lzma at their strongest make of content; ValueError for other names.

    lzma without a container, as little as it can write.
    """
    if name == "zlib":
        return 8 * len(zlib.compress(content, 9))
    if name == "lzma":
        window = max(4096, len(content))  # of the preset 64 MiB would be set up for every image
        strongest = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window}]
        return 8 * len(lzma.compress(content, lzma.FORMAT_RAW, filters=strongest))
    raise ValueError(f"name: expected zlib or lzma, got {name!r}")
