"""Chapter 16's own functions: what places look at, guided distributions, edits of captions, what a picture is said to show."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.attention.captioned import CaptionedTransformer, guided_logits
from course_lib.chapters.ch16_text_to_image.editing import first_half, moved, recoloured
from course_lib.chapters.ch16_text_to_image.figures import colours_of, said
from course_lib.chapters.ch16_text_to_image.guiding import guided_distribution
from course_lib.chapters.ch16_text_to_image.looking import look_at_words, looks_of_symbols, share_of_map
from course_lib.datasets.captions import parse
from course_lib.datasets.scene_images import load_scenes
from course_lib.datasets.scenes import Scene, Thing, held_out


def seeded(number):
    return torch.Generator().manual_seed(number)


def draws(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=seeded(seed))


def test_what_places_find_is_torchs_attention_over_the_words_that_are_there():
    places, words = draws(3, 4, 5, seed=1), draws(3, 6, 7, seed=2)
    w_q, w_k, w_v = draws(5, 2, seed=3), draws(7, 2, seed=4), draws(7, 8, seed=5)
    there = torch.arange(6) < torch.tensor([[6], [1], [4]])
    found, weights = look_at_words(places, words, there, w_q, w_k, w_v)
    expected = F.scaled_dot_product_attention(places @ w_q, words @ w_k, words @ w_v, there[:, None])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(weights @ (words @ w_v), expected)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4, dtype=torch.float64))
    for i, n in enumerate((6, 1, 4)):  # a caption by itself, without what fills it up
        alone, _ = look_at_words(places[i : i + 1], words[i : i + 1, :n], there[i : i + 1, :n], w_q, w_k, w_v)
        torch.testing.assert_close(alone[0], found[i])


def test_guidance_is_bayes_rule_with_a_power_on_the_captions_probability():
    """From a table of joint probabilities of 4 symbols and 3 captions."""
    joint = torch.rand(4, 3, dtype=torch.float64, generator=seeded(1))
    joint = joint / joint.sum()
    symbols, suits = joint.sum(1), joint / joint.sum(1, keepdim=True)  # p(k), p(y | k)
    for caption in range(3):
        given = joint[:, caption] / joint[:, caption].sum()  # p(k | y)
        for weight in (0.0, 0.5, 1.0, 3.0):
            expected = symbols * suits[:, caption] ** weight
            found = guided_distribution(given.log() + 1.7, symbols.log() - 0.4, weight)
            torch.testing.assert_close(found, expected / expected.sum())
    torch.testing.assert_close(guided_distribution(given.log(), symbols.log(), 1.0), given)
    torch.testing.assert_close(guided_distribution(given.log(), symbols.log(), 0.0), symbols)


def test_the_library_draws_with_the_same_guidance():
    asked, anything = draws(3, 5, seed=1), draws(3, 5, seed=2)
    expected = guided_logits(anything, asked, 2.5).softmax(-1)
    torch.testing.assert_close(guided_distribution(asked, anything, 2.5), expected)


def test_symbols_look_at_words_as_the_model_does_position_by_position():
    torch.manual_seed(0)
    model = CaptionedTransformer(5, 3, symbols=4, places=6, n_layers=2, n_heads=2, d_model=16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    captions, symbols = torch.tensor([[1, 2, 0], [4, 0, 0]]), torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 2, 1, 0, 0]])
    looks = looks_of_symbols(model, captions, symbols)
    assert looks.shape == (2, 3, 6)
    for i in range(6):  # what is drawn from the words and the symbols before alone
        q, k = model.queries_and_keys(torch.cat([model.read(captions), symbols[:, :i]], dim=1))
        last = (q[..., -1:, :] @ k.transpose(-1, -2) / math.sqrt(8)).softmax(-1).mean((0, 2))[:, 0]
        torch.testing.assert_close(looks[:, :, i], last[:, :3])
    assert (looks[:, :, 0].sum(1) - 1).abs().max() < 1e-5  # the first symbol has words alone to look at
    assert share_of_map(torch.tensor([[0.1, 0.2], [0.4, 0.0]])).max() == 1


def test_an_edit_changes_the_second_colour_and_no_other_word():
    scenes = load_scenes(80, seeded(3), "test", say=1.0)
    edit = recoloured(scenes, 20, seeded(4))
    assert len(edit.before) == len(edit.after) == len(edit.rows) == 20
    assert torch.equal(edit.asked_before, scenes.asked[edit.rows])
    assert not held_out(edit.asked).any()
    for before, after, was, now in zip(
        edit.before, edit.after, edit.asked_before.tolist(), edit.asked.tolist(), strict=True
    ):
        assert (parse(before).numbers, parse(after).numbers) == (was, now)
        pairs = zip(before.replace(",", "").split(), after.replace(",", "").split(), strict=True)
        assert sum(a != b for a, b in pairs) == 1
        assert [i for i in range(9) if was[i] != now[i]] == [5]


def test_the_half_of_the_first_thing_holds_it_and_not_the_second():
    scenes = load_scenes(200, seeded(5), "test", say=1.0)
    edit = recoloured(scenes, 40, seeded(6))
    from course_lib.evaluation.scenes import find

    ink = find(scenes.images[edit.rows]).ink
    inside = (ink * edit.half).sum((2, 3)) / ink.sum((2, 3))
    assert inside[:, 0].median() > 0.95
    assert inside[:, 1].median() < 0.05
    asked = torch.tensor([[1, 0, 0, -1, 2, 1, 0, -1, 0], [1, 0, 0, -1, 2, 1, 0, -1, 1]])
    left, above = first_half(asked)[:, 0]
    assert left[:, :16].all()
    assert not left[:, 16:].any()
    assert above[:16].all()
    assert not above[16:].any()


def test_how_far_a_half_moved_by_hand():
    one, other = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
    other[0, :, :, :16] = 1.0  # half of the range, in the half alone
    other[1, :, :, 16:] = 1.0  # in the other half alone
    half = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    half[..., :16] = True
    assert moved(one, other, half).tolist() == [0.5, 0.0]


def test_what_a_picture_shows_is_said_in_words_that_the_grammar_reads():
    scene = Scene((Thing(7, "red", "small", "thin"), Thing(2, "blue", "large", "thick")), "above")
    assert said(scene.numbers) == "small thin red seven above a large thick blue two"
    assert parse(said(scene.numbers)) == scene
    assert said(scene.numbers, [7, 0, 0, -1, 2, 1, 1, -1, 1]) == "small red seven above a large blue two"
    assert said([-1] * 9) == "nothing"
    assert said([3, -1, 0, 1, -1, -1, -1, -1, -1]) == "small thick three"


def test_pictures_are_shown_in_their_own_colours():
    pixels = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    pixels[0, 0] = 255
    assert colours_of(pixels)[0, 0, 0].tolist() == [1, 0, 0]
    assert colours_of(pixels.float() / 127.5 - 1)[0, 1, 1].tolist() == pytest.approx([1, 0, 0])
    assert colours_of(torch.full((1, 3, 2, 2), 3.0)).max() == 1
