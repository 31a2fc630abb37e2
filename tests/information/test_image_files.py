"""Files that decompress to what went in."""

import io
import lzma
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.information.image_files import file_bits, pack, png_bits


def bitmap(seed, *shape):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).float()


def test_packed_images_can_be_unpacked():
    images = bitmap(1, 3, 13)
    content = pack(images)
    assert len(content) == 5
    assert np.unpackbits(np.frombuffer(content, np.uint8))[:39].tolist() == images.flatten().int().tolist()


def test_a_png_of_one_bit_holds_the_image():
    image = bitmap(2, 28, 20)
    file = io.BytesIO()
    Image.fromarray(image.numpy() == 1).save(file, "PNG", optimize=True)
    opened = Image.open(io.BytesIO(file.getvalue()))
    assert (opened.mode, opened.size) == ("1", (20, 28))
    assert np.array_equal(np.asarray(opened), image.numpy() == 1)
    assert png_bits(image) == 8 * len(file.getvalue())
    assert png_bits(torch.zeros(28, 20)) < png_bits(image)


@pytest.mark.parametrize("pixel", [0.5, 255.0, -1.0, torch.nan])
def test_grey_images_are_not_taken_for_black_ones(pixel):
    images = bitmap(1, 3, 13)
    images[1, 4] = pixel
    with pytest.raises(
        ValueError, match=f"images: expected pixels of zero and one, got {pixel:g}; grey images need bin"
    ):
        pack(images)
    with pytest.raises(ValueError, match=f"image: expected pixels of zero and one, got {pixel:g}"):
        png_bits(images)


def test_images_that_a_gradient_goes_through_are_read_like_others():
    images = bitmap(1, 3, 16)
    assert pack(images.clone().requires_grad_()) == pack(images)
    assert png_bits(images.clone().requires_grad_()) == png_bits(images)


def test_files_of_zlib_and_lzma():
    content = bytes(range(200)) * 30
    assert file_bits(content, "zlib") == 8 * len(zlib.compress(content, 9))
    packed = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    assert 0 < 8 * len(packed) - file_bits(content, "lzma") < 8 * 100  # all but the container
    with pytest.raises(ValueError, match="zlib or lzma, got 'gzip'"):
        file_bits(content, "gzip")
