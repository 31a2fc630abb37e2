"""What files say of an image's complexity: bits a pixel as bytes, PNG, zlib and lzma."""

import io
import lzma
import zlib

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor


def _is_one(name: str, images: Tensor) -> np.ndarray:
    """Return where the pixels are one; ValueError for pixels that are neither zero nor one."""
    pixels = images.detach().cpu().numpy()
    other = pixels[(pixels != 0) & (pixels != 1)]
    if len(other):
        raise ValueError(f"{name}: expected pixels of zero and one, got {other[0]:g}; grey images need binarise first")
    return pixels == 1


def pack(images: Float[Tensor, "n pixels"]) -> bytes:
    """Return images of zeros and ones as bytes, eight pixels each, the last one filled up with zeros.

    ValueError for other pixels.
    """
    return np.packbits(_is_one("images", images)).tobytes()


def png_bits(image: Float[Tensor, "height width"]) -> int:
    """Return how many bits an image of zeros and ones takes as a PNG of one bit a pixel; ValueError as for ``pack``."""
    file = io.BytesIO()
    Image.fromarray(_is_one("image", image)).save(file, "PNG", optimize=True)
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
