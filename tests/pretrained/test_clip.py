"""The shipped judge of pictures and sentences, and what draws from its vectors: the recorded ones, doing their work."""

import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.datasets.captions import encode
from course_lib.datasets.exchanged import both_ways
from course_lib.datasets.scene_images import load_scenes
from course_lib.diffusion.contrastive import image_features, text_features
from course_lib.pretrained.clip import CLIP_SHA256, load_clip


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_file_is_small_named_in_the_readme_and_rounded_to_bfloat16():
    content = (paths.DATA / "scenes_clip.safetensors").read_bytes()
    assert len(content) < 1_000_000
    assert {tensor.dtype for tensor in load(content).values()} == {torch.bfloat16}
    assert CLIP_SHA256 in (paths.DATA / "README.md").read_text()


def test_it_finds_the_caption_of_a_picture_among_a_hundred():
    scenes, clip = load_scenes(100, rng(1), "test"), load_clip()
    assert not clip.training
    assert not any(p.requires_grad for p in clip.parameters())
    nearest = (image_features(clip, scenes.images) @ text_features(clip, scenes.tokens).T).argmax(1)
    assert (nearest == torch.arange(100)).sum() > 65


def test_it_tells_two_sentences_with_the_same_words_apart():
    scenes, clip = load_scenes(300, rng(2), "test", say=1.0), load_clip()
    good, bad, changed = both_ways(scenes.asked, "colour", rng(3))
    pictures = image_features(clip, scenes.images[changed])
    right, wrong = ((pictures * text_features(clip, encode(each))).sum(1) for each in (good, bad))
    assert (right > wrong).float().mean() > 0.9
