"""A reader's own pictures: whatever their size, colour and file, and what is said where they cannot be used."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.datasets.own_images import FEWEST, load_images, split_images


def ramp(width, height):
    """Return an RGB image that grows lighter from left to right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with enough images of several sizes, one in a folder below, and files of other kinds."""
    (tmp_path / "more").mkdir()
    for i in range(FEWEST - 1):
        ramp(40 + 7 * i, 30 + 11 * (i % 5)).save(tmp_path / f"{i:02}.png")
    ramp(300, 200).save(tmp_path / "more" / "last.JPG")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_text("no image either")
    return tmp_path


def test_any_size_becomes_28_by_28_bytes_and_other_files_are_passed_over(folder):
    images = load_images(folder)
    assert images.shape == (FEWEST, 28, 28)
    assert images.dtype == torch.uint8
    assert (images[:, :, -1].int() > images[:, :, 0].int() + 40).all()  # still lighter to the right
    assert torch.equal(load_images(str(folder), invert=True), 255 - images)


def test_the_square_in_the_middle_is_what_is_left(folder):
    wide = Image.new("L", (84, 28), 0)
    wide.paste(200, (28, 0, 56, 28))
    wide.save(folder / "00.png")
    assert (load_images(folder)[0] == 200).all()


def test_scaling_down_is_a_mean_over_the_pixels(folder):
    checks = (np.indices((56, 56)).sum(0) % 2 * 200).astype(np.uint8)
    Image.fromarray(checks).save(folder / "00.png")
    assert (load_images(folder)[0] == 100).all()  # every other pixel taken would be 0 or 200


def test_transparent_places_are_white(folder):
    drawn = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (0, 0, 14, 28))
    drawn.save(folder / "00.png")
    image = load_images(folder)[0]
    assert (image[:, :14] == 0).all()
    assert (image[:, 14:] == 255).all()


def test_sixteen_bits_are_brought_down_to_eight(folder):
    Image.fromarray(np.full((28, 28), 0x80FF, dtype=np.uint16)).save(folder / "00.png")
    assert (load_images(folder)[0] == 0x80).all()


def test_a_photograph_is_turned_as_its_camera_says(folder):
    lying = ramp(28, 28)
    exif = lying.getexif()
    exif[0x0112] = 6  # a quarter turn to the right: what was the left is up
    lying.save(folder / "00.jpg", exif=exif, quality=95)
    turned = load_images(folder)[0].int()  # 00.jpg comes before 00.png
    assert (turned[-1] > turned[0] + 90).all()


def test_what_cannot_be_used_is_named(folder, tmp_path):
    with pytest.raises(NotADirectoryError, match=r"folder: expected a folder of images, got '.*nowhere'"):
        load_images(tmp_path / "nowhere")
    (folder / "05.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"can be read, got 05\.png"):
        load_images(folder)
    (folder / "05.png").unlink()
    with pytest.raises(ValueError, match=f"at least {FEWEST} images .* got {FEWEST - 1} in"):
        load_images(folder)


def test_pictures_of_nothing_are_refused(tmp_path):
    for i in range(FEWEST):
        Image.new("L", (30, 30), 10 * i).save(tmp_path / f"{i}.png")
    with pytest.raises(ValueError, match="each all of one grey"):
        load_images(tmp_path)


def test_every_image_is_in_one_part_and_the_order_is_mixed():
    images = torch.arange(45, dtype=torch.uint8)[:, None, None].expand(-1, 28, 28)
    train, validation = split_images(images)
    assert (len(train), len(validation)) == (41, 4)
    assert sorted(torch.cat([train, validation])[:, 0, 0].tolist()) == list(range(45))
    assert (validation[:, 0, 0] < 41).any()
