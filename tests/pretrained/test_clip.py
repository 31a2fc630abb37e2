"""The shipped judge of pictures and sentences, and what draws from its vectors: the recorded ones, doing their work."""

import torch
from safetensors.torch import load

from course_lib import paths
from course_lib.datasets.captions import encode, parse
from course_lib.datasets.exchanged import both_ways
from course_lib.datasets.scene_images import load_scenes
from course_lib.diffusion.contrastive import image_features, text_features
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.unclip import drawn_vectors
from course_lib.evaluation.scenes import describe, right
from course_lib.pretrained.clip import CLIP_SHA256, UNCLIP_SHA256, load_clip, load_unclip
from course_lib.pretrained.judges import load_judge


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


def test_prior_and_decoder_draw_what_a_caption_says():
    captions = [f"a large {colour} {digit} in the middle" for colour in ("yellow", "cyan") for digit in (2, 3, 4, 5, 8)]
    asked = torch.tensor([parse(caption).numbers for caption in captions])
    texts = text_features(load_clip(), encode(captions))
    prior, spread, decoder = load_unclip()
    vectors = drawn_vectors(prior, spread, torch.randn(10, 64, generator=rng(4)), texts)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(10))
    made = sample(decoder, torch.randn(10, 3, 32, 32, generator=rng(5)), vectors, 3.0, 8)
    assert right(*describe(made, load_judge()), asked)["colour"].sum() >= 7


def test_prior_and_decoder_are_a_small_file_named_in_the_readme():
    content = (paths.DATA / "scenes_unclip.safetensors").read_bytes()
    assert len(content) < 2_200_000
    assert {tensor.dtype for tensor in load(content).values()} == {torch.bfloat16}
    assert UNCLIP_SHA256 in (paths.DATA / "README.md").read_text()
