"""Captions: every sentence says its scene and no more, and a reader's own is understood or refused by name."""

import pytest
import torch

from course_lib.datasets.captions import DICE, LENGTH, WORDS, caption, encode, parse, phrase, told, words
from course_lib.datasets.scene_images import load_scenes
from course_lib.datasets.scenes import COLOURS, RELATIONS, SIZES, SPOTS, STROKES, Scene, Thing

SEVEN, TWO = Thing(7, "red", "small"), Thing(2, "blue", "large")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def some_scenes():
    """Each attribute said and not, one thing and two, each place and none."""
    for i, colour in enumerate((*COLOURS, None)):
        for size, stroke in [(a, b) for a in (*SIZES, None) for b in (*STROKES, None)]:
            for place in (*SPOTS, None):
                yield Scene((Thing(i, colour, size, stroke),), place)
            for place in (*RELATIONS, None):
                yield Scene((Thing(i + 1, colour, size, stroke), Thing(9 - i, None, stroke and size, stroke)), place)


def test_every_sentence_says_its_scene():
    for i, scene in enumerate(some_scenes()):
        for seed in range(4):
            said = caption(scene, generator(31 * i + seed))
            assert parse(said) == scene, said


def test_all_ways_are_used_and_no_sentence_is_too_long():
    longest, used = 0, set()
    for i, scene in enumerate(some_scenes()):
        said = words(caption(scene, generator(i)))
        longest, used = max(longest, len(said)), used | set(said)
    assert used == set(WORDS) - {""}
    assert longest <= LENGTH
    ways = {caption(Scene((SEVEN, TWO), "above"), generator(seed)) for seed in range(2_000)}
    assert len(ways) >= 60
    assert "a small red seven above a large blue two" in ways
    assert "below a small red 7, a large blue 2" in ways


def test_what_is_left_out_is_open():
    scene = Scene((Thing(7, "red", "small", "thin"), Thing(2, "blue", "large", "thick")), "above")
    assert told(scene, 1.0, iter([0.999] * 7)) == scene
    assert told(scene, 0.0, iter([0.0] * 7)) == Scene((Thing(2), Thing(7)))
    assert parse(caption(scene, generator(), say=0.0)) == Scene((Thing(2), Thing(7)))


def test_no_sentence_takes_more_dice_than_a_row_has():
    for scene in some_scenes():
        for value in (0.0, 0.49, 0.999):
            dice = iter([value] * DICE)
            phrase(told(scene, 1.0, dice), dice)


@pytest.mark.parametrize(
    ("said", "scene"),
    [
        ("a small red seven above a large blue two", Scene((SEVEN, TWO), "above")),
        ("Below a little red 7, a big blue 2.", Scene((SEVEN, TWO), "above")),
        ("A big blue 2 under the little red 7!", Scene((SEVEN, TWO), "above")),
        ("a small red 7 on the left and a large blue 2", Scene((SEVEN, TWO), "left")),
        ("large blue two right of small red seven", Scene((SEVEN, TWO), "left")),
        ("a large blue 2 at the bottom and a small red 7 at the top", Scene((SEVEN, TWO), "above")),
        ("red small 7 and blue large 2", Scene((SEVEN, TWO))),
        ("in the bottom left corner, an eight", Scene((Thing(8),), "bottom left")),
        ("an eight at the bottom left", Scene((Thing(8),), "bottom left")),
        ("a bold 0 in the centre", Scene((Thing(0, stroke="thick"),), "middle")),
        ("one one", "thing thing"),
    ],
)
def test_a_readers_own_words(said, scene):
    if isinstance(scene, str):
        with pytest.raises(ValueError, match="expected one digit and its spot, or two and how they lie"):
            parse(said)
    else:
        assert parse(said) == scene


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("a purple seven", "expected words of the vocabulary, got 'purple'; say it as in 'a small red"),
        ("a smal red seven", "got 'smal'; did you mean 'small'"),
        ("a red 72", "got '72'"),
        ("a small large 7", "expected one size of a digit, got 'small' and 'large'"),
        ("a red", "expected a digit after 'red', got the end"),
        ("a red above a blue 2", "expected a digit after 'red', got 'above'"),
        ("", "expected one digit and its spot, or two and how they lie, as .*, got ''"),
        ("a red 7 above", "expected one digit and its spot"),
        ("a 1 above a 2 above a 3", "expected one digit and its spot"),
        ("a 1 on the left and a 2 on the left", "expected one digit and its spot"),
        ("a 1 and a 2 in the middle", "expected one digit and its spot"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(said, says):
    with pytest.raises(ValueError, match=f"caption: .*{says}"):
        parse(said)


def test_a_word_said_twice_is_said_once():
    assert parse("a small little red 7") == Scene((SEVEN,))


def test_an_article_fits_its_noun():
    for seed in range(20):
        assert caption(Scene((Thing(8),)), generator(seed)) in ("an eight", "an 8")
        assert caption(Scene((Thing(8, "red"),)), generator(seed)) in ("a red eight", "a red 8")


def test_tokens_are_words_and_zero_is_none():
    tokens = encode(["a red 7", "", "An eight, at the bottom left"])
    assert tokens.shape == (3, LENGTH)
    assert [[WORDS[t] for t in row if t] for row in tokens.tolist()] == [
        ["a", "red", "7"],
        [],
        ["an", "eight", "at", "the", "bottom", "left"],
    ]
    assert (tokens[1] == 0).all()
    assert encode([]).shape == (0, LENGTH)
    with pytest.raises(ValueError, match="captions: expected at most 2 words, got 3"):
        encode(["a red 7"], length=2)
    with pytest.raises(ValueError, match="got 'cat'"):
        encode(["a cat"])


def test_a_loaded_caption_says_what_is_asked():
    scenes = load_scenes(400, generator())
    assert [parse(said).numbers for said in scenes.captions] == scenes.asked.tolist()
    assert torch.equal(encode(scenes.captions), scenes.tokens)
