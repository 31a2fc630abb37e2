"""The explorer of chapter 16b: the picture is a function of two captions, and what cannot be read is said."""

import torch

from course_lib.chapters.ch16b_picture_of_a_meaning.explorer import WallExplorer, WallPicture, WallState
from course_lib.datasets.captions import encode
from course_lib.datasets.scene_images import load_scenes
from course_lib.diffusion.contrastive import image_features, text_features
from course_lib.pretrained.clip import load_clip


def scenes(n=6):
    return load_scenes(n, torch.Generator().manual_seed(0), "test")


def test_the_picture_is_a_function_of_its_captions():
    picture = WallPicture(load_clip(), scenes())
    first = picture.frame(WallState())
    assert picture.frame(WallState("a red two", "a green 2")) != first
    assert picture.frame(WallState("a blue six", "a two")) != first
    assert picture.frame(WallState()) == first


def test_the_numbers_are_the_judges_cosines_and_the_nearest_are_marked():
    wall, clip = scenes(), load_clip()
    picture, state = WallPicture(clip, wall), WallState("a small red 2", "a seven above a blue one")
    expected = image_features(clip, wall.images) @ text_features(clip, encode([state.sentence, state.other])).T
    torch.testing.assert_close(picture.cosines(state), expected)
    labels = [ax.get_xlabel() for ax in picture.figure(state).axes[:6]]
    assert labels == [f"A {a:+.2f}   B {b:+.2f}" for a, b in expected.tolist()]
    marked = [ax.get_title() for ax in picture.figure(state).axes[:6]]
    assert [i for i, mark in enumerate(marked) if "A" not in mark] == [expected[:, 0].argmin().item()]


def test_a_typed_caption_draws_once_and_one_that_cannot_be_read_is_said():
    explorer = WallExplorer(load_clip(), scenes(), alt="six pictures and two captions")
    drawn = []
    explorer.picture.observe(drawn.append, names="value")
    explorer.sentence.value = "a big blue six"
    assert len(drawn) == 1
    explorer.other.value = "a purple six"
    assert "purple" in explorer.status.value
    assert len(drawn) == 1
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == "six pictures and two captions"
    explorer.close()
