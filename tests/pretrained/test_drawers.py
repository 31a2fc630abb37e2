"""The shipped models of chapter 16: a reader that reads, symbols and a flow that draw better than by chance."""

import pytest
import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.attention.captioned import draw_images
from course_lib.datasets.scene_images import load_scenes
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.step import as_floats
from course_lib.evaluation.scenes import describe, right
from course_lib.pretrained.drawers import DRAWERS_SHA256, load_reader, load_symbols, load_text_flow
from course_lib.pretrained.judges import load_judge

SCENES = load_scenes(60, torch.Generator().manual_seed(3), "test", say=1.0)


def shares(images, asked):
    described, counts = describe(images, load_judge())
    return {key: found.double().mean().item() for key, found in right(described, counts, asked).items()}


def test_the_reader_knows_what_a_caption_says():
    assert (load_reader().read(SCENES.tokens) == SCENES.asked).all(1).double().mean() > 0.95


def test_symbols_keep_what_is_seen_and_are_drawn_as_asked():
    autoencoder, model = load_symbols()
    kept = shares(autoencoder.images(autoencoder.symbols(as_floats(SCENES.images))), SCENES.asked)
    assert kept["all"] > 0.75
    symbols = draw_images(model, SCENES.tokens, torch.Generator().manual_seed(0), 0.7, 2.0)
    drawn = shares(autoencoder.images(symbols.view(-1, 8, 8)), SCENES.asked)
    other = shares(autoencoder.images(symbols.view(-1, 8, 8)), SCENES.asked.roll(1, 0))
    assert drawn["colour"] > 0.7 > 0.4 > other["colour"]
    assert drawn["all"] > 0.25


def test_the_flow_draws_colours_that_are_asked_for_more_often_than_others():
    noise = torch.randn(60, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = sample(load_text_flow(), noise, SCENES.tokens, 3.0, 10).clamp(-1, 1)
    drawn, other = (shares(images, asked) for asked in (SCENES.asked, SCENES.asked.roll(1, 0)))
    assert drawn["colour"] > other["colour"] + 0.2
    assert drawn["count"] > 0.7


@pytest.mark.parametrize("name", DRAWERS_SHA256)
def test_the_file_is_small_named_in_the_readme_and_rounded_to_bfloat16(name):
    content = (paths.DATA / f"scenes_{name}.safetensors").read_bytes()
    assert len(content) < 2_200_000
    assert {tensor.dtype for tensor in load(content).values() if tensor.is_floating_point()} == {torch.bfloat16}
    assert DRAWERS_SHA256[name] in (paths.DATA / "README.md").read_text()
