"""A reader's own pictures in colour, with the captions that their files are named by."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.datasets.own_images import caption_of, load_captioned


def test_colours_and_captions_come_in_the_order_of_the_names(tmp_path):
    (tmp_path / "more").mkdir()
    for name, colour in (
        ("red_heart.png", (255, 0, 0)),
        ("Blue-sea 2.png", (0, 0, 255)),
        ("more/a green tree.webp", (0, 255, 0)),
    ):
        Image.new("RGB", (50, 40), colour).save(tmp_path / name, lossless=True)
    (tmp_path / "notes.txt").write_text("no image")
    images, captions = load_captioned(tmp_path)
    assert captions == ["blue sea", "a green tree", "red heart"]
    assert images.shape == (3, 3, 32, 32)
    assert images.dtype == torch.uint8
    assert images[:, :, 5, 5].tolist() == [[0, 0, 255], [0, 255, 0], [255, 0, 0]]
    assert load_captioned(str(tmp_path), side=8)[0].shape == (3, 3, 8, 8)


def test_transparent_places_are_white_and_the_middle_is_kept(tmp_path):
    pixels = np.zeros((20, 60, 4), np.uint8)
    pixels[:, 20:40] = (200, 100, 50, 255)
    Image.fromarray(pixels).save(tmp_path / "box.png")
    assert load_captioned(tmp_path, side=4)[0][0, :, 1, 1].tolist() == [200, 100, 50]
    Image.fromarray(0 * pixels).save(tmp_path / "box.png")
    assert (load_captioned(tmp_path, side=4)[0] == 255).all()


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("red_heart.png", "red heart"),
        ("Red--heart_12.jpeg", "red heart"),
        ("a 7 above a 2.png", "a 7 above a"),
        ("7th wave.png", "7th wave"),
        ("été.png", "été"),
        ("sword2.png", "sword2"),
    ],
)
def test_a_name_becomes_a_caption(name, caption):
    assert caption_of(name) == caption


@pytest.mark.parametrize("name", ["0001.png", "__.png", "12 - 3.png"])
def test_a_name_that_says_nothing_is_refused(tmp_path, name):
    Image.new("RGB", (5, 5)).save(tmp_path / name)
    with pytest.raises(ValueError, match=f"folder: expected names that say what is shown, .* got {name}"):
        load_captioned(tmp_path)


def test_no_folder_no_images_and_a_broken_one(tmp_path):
    with pytest.raises(NotADirectoryError, match="folder: expected a folder of images"):
        load_captioned(tmp_path / "none")
    with pytest.raises(ValueError, match=r"folder: expected at least 1 images .* got 0"):
        load_captioned(tmp_path)
    (tmp_path / "red heart.png").write_text("no image")
    with pytest.raises(ValueError, match=r"folder: expected images that can be read, got red heart\.png"):
        load_captioned(tmp_path)
