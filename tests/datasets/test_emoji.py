"""The shipped drawings: what the parts hold, that none is in two, and how a name finds its part."""

import hashlib
import re

import pytest
import torch

from course_lib import paths
from course_lib.datasets import shipped
from course_lib.datasets.emoji import COLOURS, HELD_OUT_PAIRS, PARTS, SHAPES, load_emoji, part_of, without_skin_tone

EMOJI = {part: load_emoji(part) for part in PARTS}
ROW = re.compile(r"^\| (train|names|pairs) \| ([\d,]+) \| ([\d,]+) \| `(\w{64})` \|$", re.M)


def number(text):
    return int(text.replace(",", ""))


@pytest.mark.parametrize("row", ROW.findall((paths.DATA / "README.md").read_text(encoding="utf-8")), ids=lambda r: r[0])
def test_a_part_is_what_the_readme_says(row):
    part, drawings, names, sha256 = row
    emoji = EMOJI[part]
    assert emoji.images.shape == (number(drawings), 3, 32, 32)
    assert emoji.images.dtype == torch.uint8
    assert len(emoji.names) == len(emoji.categories) == len(emoji.images)
    assert len({without_skin_tone(name) for name in emoji.names}) == number(names)
    assert hashlib.sha256(emoji.images.numpy().tobytes()).hexdigest() == sha256


def test_the_parts_are_all_drawings_once():
    assert sum(len(emoji.names) for emoji in EMOJI.values()) == 3174
    assert len({name for emoji in EMOJI.values() for name in emoji.names}) == 3174
    assert len({kind for emoji in EMOJI.values() for kind in emoji.categories}) == 9


def test_no_drawing_and_no_name_without_its_skin_tone_is_in_two_parts():
    bytes_of = [{image.numpy().tobytes() for image in emoji.images} for emoji in EMOJI.values()]
    names = [{without_skin_tone(name) for name in emoji.names} for emoji in EMOJI.values()]
    for parts in (bytes_of, names):
        assert len(set().union(*parts)) == sum(map(len, parts))


def test_each_colour_and_each_shape_of_a_held_out_pair_is_seen_with_others():
    seen = set(EMOJI["train"].names)
    assert set(EMOJI["pairs"].names) == set(HELD_OUT_PAIRS)
    assert {f"{colour} {shape}" for colour in COLOURS for shape in SHAPES} == set(HELD_OUT_PAIRS) | {
        name for name in seen if name.split()[0] in COLOURS and name.split()[1:] in [[shape] for shape in SHAPES]
    }
    for colour, shape in map(str.split, HELD_OUT_PAIRS):
        assert sum(f"{colour} {other}" in seen for other in SHAPES) >= 1
        assert sum(f"{other} {shape}" in seen for other in COLOURS) >= 4


def test_a_drawing_shows_what_its_name_says():
    """A red heart is red in the middle, on white, and points down; a blue square fills its middle evenly."""
    train = EMOJI["train"]
    heart = train.images[train.names.index("red heart")].int()
    red, green, blue = heart[:, 16, 16]
    assert red > 200 > 4 * max(green, blue) - 30
    assert (heart[:, 0, 0] == 255).all()
    inked = (heart.sum(0) < 600).sum(1)
    assert inked[8:12].sum() > 2 * inked[24:28].sum()
    square = train.images[train.names.index("blue square")].int()[:, 10:22, 10:22]
    assert (square.amax((1, 2)) - square.amin((1, 2)) <= 2).all()
    assert square[2, 6, 6] > square[0, 6, 6] + 100


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("waving hand medium dark", "waving hand"),
        ("waving hand medium", "waving hand"),
        ("waving hand", "waving hand"),
        ("waving-hand-light", "waving-hand"),
        ("people hugging dark medium light", "people hugging"),
        ("police car light", "police car light"),
        ("vertical traffic light", "vertical traffic light"),
        ("light bulb", "light bulb"),
        ("black medium square", "black medium square"),
    ],
)
def test_a_skin_tone_is_no_part_of_what_is_drawn(name, bare):
    assert without_skin_tone(name) == bare
    assert part_of(name) == part_of(bare)


def test_other_parts_and_changed_files_are_refused(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="part: expected one of train, names, pairs, got 'test'"):
        load_emoji("test")
    for path in paths.DATA.glob("fluent-emoji-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    with pytest.raises(OSError, match=r"fluent-emoji-images\.idx\.gz has been changed"):
        load_emoji()


def test_the_licence_is_beside_the_drawings():
    text = (paths.DATA / "fluent-emoji-licence.md").read_text(encoding="utf-8")
    assert "Copyright (c) Microsoft Corporation" in text
    assert "Permission is hereby granted, free of charge" in text
