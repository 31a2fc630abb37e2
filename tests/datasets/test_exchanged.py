"""Captions with the words of the wrong things: what is exchanged, where nothing can be, and that only order tells."""

from collections import Counter

import pytest
import torch

from course_lib.datasets.captions import MEANING, parse, words
from course_lib.datasets.exchanged import WAYS, both_ways, exchange, wrong_captions
from course_lib.datasets.scene_images import load_scenes
from course_lib.datasets.scenes import held_out

ROW = [7, 1, 0, -1, 4, 5, 1, -1, 0]  # a small green seven left of a large cyan four


def test_each_way_exchanges_what_it_says():
    made = {what: exchange(torch.tensor([ROW]), what)[0][0].tolist() for what in WAYS}
    assert made == {
        "colour": [7, 5, 0, -1, 4, 1, 1, -1, 0],
        "size": [7, 1, 1, -1, 4, 5, 0, -1, 0],
        "digit": [4, 1, 0, -1, 7, 5, 1, -1, 0],
        "place": [4, 5, 1, -1, 7, 1, 0, -1, 0],
    }


@pytest.mark.parametrize("what", WAYS)
def test_what_changes_has_two_things_that_differ_and_no_combination_that_is_held_out(what):
    numbers = load_scenes(400, torch.Generator().manual_seed(0), say=0.7).asked
    other, changed = exchange(numbers, what)
    assert 40 < changed.sum() < 300
    assert torch.equal(other[~changed], numbers[~changed])
    assert (other[changed] != numbers[changed]).any(1).all()
    assert not held_out(other[changed]).any()
    assert (numbers[changed][:, 4] >= 0).all()
    assert torch.equal(other.sort(1).values, numbers.sort(1).values)  # nothing new is said
    back, again = exchange(other, what)
    assert torch.equal(back, numbers)
    assert torch.equal(again, changed)


@pytest.mark.parametrize("what", WAYS)
def test_both_sentences_mean_the_same_by_their_words_and_say_different_scenes(what):
    numbers = load_scenes(300, torch.Generator().manual_seed(1), say=1.0).asked
    said, exchanged, changed = both_ways(numbers, what, torch.Generator().manual_seed(2))
    assert len(said) == len(exchanged) == changed.sum()
    other = exchange(numbers, what)[0]
    for one, two, scene, turned in zip(said, exchanged, numbers[changed], other[changed], strict=True):
        assert parse(one).numbers == scene.tolist()
        assert parse(two).numbers == turned.tolist()
        assert Counter(MEANING[word] for word in words(one)) == Counter(MEANING[word] for word in words(two))


def test_wrong_captions_are_wrong_and_no_longer_than_right_ones():
    scenes = load_scenes(500, torch.Generator().manual_seed(3))
    wrong = wrong_captions(scenes.asked, torch.Generator().manual_seed(4))
    same = sum(parse(text).numbers == asked for text, asked in zip(wrong, scenes.asked.tolist(), strict=True))
    assert len(wrong) == 500
    assert same < 5  # the next scene may be asked for in the same words
    longest = [sum(len(text.split()) for text in texts) / 500 for texts in (wrong, scenes.captions)]
    assert longest[0] == pytest.approx(longest[1], rel=0.05)


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="what: expected one of colour, size, digit, place, got 'stroke'"):
        exchange(torch.tensor([ROW]), "stroke")
