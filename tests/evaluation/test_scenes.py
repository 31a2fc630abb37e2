"""The judge of scenes: pictures made by hand, real test scenes against the record, and what fools it."""

import hashlib

import pytest
import torch
from torch.nn import functional as F

from course_lib import paths
from course_lib.classroom.records import recorded
from course_lib.datasets.scene_images import UNLIT, cut_outs, load_scenes
from course_lib.datasets.scenes import COLOURS, COLUMNS, LIT, PLACES, SIZES, STROKES
from course_lib.evaluation import scenes as judged
from course_lib.evaluation.scenes import cropped, describe, exchanged, find, matched, right
from course_lib.pretrained.judges import JUDGE_SHA256, load_judge

BLACK = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)


def with_block(rows, columns, colour=(255, UNLIT, UNLIT), on=BLACK):
    image = on.clone()
    image[:, :, slice(*rows), slice(*columns)] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    return image


RED, BLUE, WHITE = (255, UNLIT, UNLIT), (UNLIT, UNLIT, 255), (255, 255, 255)


# ── what a program measures, on blocks


@pytest.mark.parametrize(
    ("rows", "columns", "place"),
    [
        ((10, 22), (10, 22), 2),
        ((1, 11), (2, 12), 3),
        ((1, 11), (20, 30), 4),
        ((20, 30), (2, 12), 5),
        ((20, 30), (20, 30), 6),
        ((1, 11), (11, 21), -1),
    ],
)
def test_a_thing_alone_is_in_its_spot(rows, columns, place):
    found = find(with_block(rows, columns))
    assert found.count.tolist() == [1]
    assert found.place.tolist() == [place]
    assert found.there.tolist() == [[True, False]]
    assert found.box[0, 0].tolist() == [rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0]]
    assert found.large[0, 0] == int(rows[1] - rows[0] > 11)
    if place >= 0:
        assert PLACES[place].split()[0] in ("middle", "top" if rows[0] < 10 else "bottom")


@pytest.mark.parametrize(("colour", "lit"), [*zip(COLOURS, LIT, strict=True), ("none", (1, 1, 1))])
@pytest.mark.parametrize("light", [1.0, 0.4])
def test_a_colour_is_which_channels_are_lit_bright_or_dim(colour, lit, light):
    shade = [light * (255 if on else UNLIT) for on in lit]
    found = find(with_block((10, 20), (10, 20), shade))
    assert found.colour[0, 0].item() == (COLOURS.index(colour) if colour in COLOURS else -1)


def test_a_thing_of_two_colours_has_none():
    two = with_block((10, 15), (10, 20), BLUE, on=with_block((10, 20), (10, 20), RED))
    nearly = with_block((10, 12), (10, 20), BLUE, on=with_block((10, 20), (10, 20), RED))
    assert find(two).count.tolist() == [1]
    assert find(two).colour[0, 0] == -1
    assert find(nearly).colour[0, 0] == COLOURS.index("red")


def test_two_things_are_in_order_and_three_are_counted():
    left = with_block((12, 20), (18, 28), BLUE, on=with_block((10, 22), (2, 14), RED))
    above = with_block((18, 28), (12, 20), RED, on=with_block((2, 14), (10, 22), BLUE))
    found = find(torch.cat([left, above]))
    assert found.place.tolist() == [0, 1]
    assert found.colour.tolist() == [[0, 2], [2, 0]]
    assert found.large.tolist() == [[1, 0], [1, 0]]
    assert find(with_block((2, 6), (26, 30), WHITE, on=left)).count.tolist() == [3]
    assert find(with_block((2, 4), (28, 29), WHITE, on=left)).count.tolist() == [2]  # a speck
    assert find(BLACK).count.tolist() == [0]


def test_pieces_with_two_black_pixels_between_are_one_thing_with_three_two():
    for gap, count in ((1, 1), (2, 1), (3, 2)):
        image = with_block((10, 20), (10 + gap, 16), on=with_block((10, 20), (4, 10)))
        assert find(image).count.tolist() == [count]


def test_a_line_is_thin_and_a_block_is_thick():
    found = find(torch.cat([with_block((10, 20), (15, 16)), with_block((10, 20), (10, 20))]))
    assert found.thick[:, 0].tolist() == [0, 1]


def test_bytes_and_floats_are_the_same_and_what_is_beyond_is_cut_off():
    scenes = load_scenes(20, torch.Generator().manual_seed(0), "validation")
    floats = scenes.images.float() / 127.5 - 1
    stretched = torch.where(floats < -0.99, -1.4, floats)
    for images in (floats, stretched):
        one, other = find(scenes.images), find(images)
        assert torch.equal(one.box, other.box)
        torch.testing.assert_close(one.ink, other.ink, atol=0.006, rtol=0)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.full((2, 3, 32, 32), 0.5), "expected bytes or pixels from −1, black, to 1, got 0.5"),
        (BLACK[:0], "at least one, got none"),
    ],
)
def test_images_in_another_range_are_refused(images, says):
    with pytest.raises(ValueError, match=f"images: .*{says}"):
        find(images)


def test_a_crop_is_20_pixels_long_and_in_the_middle():
    found = find(torch.cat([with_block((3, 13), (20, 25)), with_block((18, 25), (4, 18))]))
    crops = cropped(found.ink[:, 0], found.box[:, 0])
    assert crops.shape == (2, 1, 28, 28)
    assert crops.min() == -1
    for crop, (height, width) in zip(crops[:, 0], ((20, 10), (10, 20)), strict=True):
        inked = crop > 0
        assert inked.any(1).sum().item() == pytest.approx(height, abs=1)
        assert inked.any(0).sum().item() == pytest.approx(width, abs=1)
        rows, columns = (line.nonzero().double().mean() for line in (inked.any(1), inked.any(0)))
        assert (rows.item(), columns.item()) == pytest.approx((13.5, 13.5), abs=0.6)


# ── what is right of what was asked


ASKED = torch.tensor([[7, 0, 0, -1, 2, 2, 1, -1, 1]])  # a small red seven above a large blue two


@pytest.mark.parametrize(
    ("shown", "count", "wrong"),
    [
        ([7, 0, 0, 1, 2, 2, 1, 0, 1], 2, set()),
        ([2, 2, 1, 0, 7, 0, 0, 1, 1], 2, {"place"}),
        ([7, 0, 0, 1, 2, 2, 1, 0, 0], 2, {"place"}),
        ([7, 2, 0, 1, 2, 0, 1, 0, 1], 2, {"colour"}),
        ([7, 0, 1, 1, 2, 2, 1, 0, 1], 2, {"size"}),
        ([1, 0, 0, 1, 2, 2, 1, 0, 1], 2, {"digit"}),
        ([2, 0, 1, 0, 7, 2, 0, 1, 1], 2, {"place", "colour"}),
        ([7, 0, 0, 1, 2, 2, 1, 0, 1], 3, {"count"}),
        ([7, 0, 0, 1, -1, -1, -1, -1, 4], 1, {"count", "digit", "colour", "size", "place"}),
        ([-1] * 9, 0, {"count", "digit", "colour", "size", "place"}),
    ],
)
def test_what_is_wrong_is_named(shown, count, wrong):
    answers = right(torch.tensor([shown]), torch.tensor([count]), ASKED)
    assert list(answers) == ["count", "digit", "colour", "size", "stroke", "place", "all"]
    assert {name for name, answer in answers.items() if not answer} == wrong | ({"all"} if wrong else set())


def test_what_is_not_asked_is_free_and_order_too_where_no_place_is_asked():
    shown, two = torch.tensor([[2, 2, 1, 0, 7, 0, 0, 1, 1]]), torch.tensor([2])
    assert right(shown, two, torch.tensor([[7, 0, -1, 1, 2, -1, -1, -1, -1]]))["all"]
    assert not right(shown, two, torch.tensor([[7, 0, -1, 0, 2, -1, -1, -1, -1]]))["all"]
    assert not right(shown, two, torch.tensor([[7, 0, -1, 1, -1, -1, -1, -1, -1]]))["all"]  # one was asked for
    assert right(torch.tensor([[5, -1, 0, 1, -1, -1, -1, -1, -1]]), two - 1, torch.tensor([[5] + [-1] * 8]))["all"]


def test_strokes_are_judged_where_they_are_asked():
    shown = torch.tensor([[7, 0, 0, 1, 2, 2, 1, 0, 1]])
    for stroke in (0, 1):
        asked = ASKED.clone()
        asked[0, 3] = stroke
        assert right(shown, torch.tensor([2]), asked)["stroke"].item() == (stroke == 1)


def test_exchanged_is_each_at_the_other_thing():
    shown = torch.tensor([[7, 2, 1, 1, 2, 0, 0, 0, 1], [7, 2, 0, 1, 2, 2, 1, 0, 1], [7, 0, 0, 1, 2, 2, 1, 0, 1]])
    asked = ASKED.expand(3, 9)
    assert exchanged(shown, asked).tolist() == [True, False, False]
    assert exchanged(shown, asked, (2, 6)).tolist() == [True, False, False]
    same = ASKED.clone()
    same[0, 5] = 0
    assert not exchanged(shown[:1], same).any()


@pytest.mark.usefixtures("unchecked")
def test_pictures_and_questions_have_to_pair():
    with pytest.raises(ValueError, match="asked: expected 2 scenes, one a picture, got 1"):
        matched(ASKED.expand(2, 9), ASKED)


def test_the_lists_are_those_of_the_scenes():
    """The judge knows numbers alone: it must not import what it judges."""
    codes = [red + 2 * green + 4 * blue for red, green, blue in LIT]
    assert [judged.COLOUR_OF_CODE[code] for code in codes] == list(range(len(COLOURS)))
    assert (SIZES[0], STROKES[0], PLACES[:2]) == ("small", "thin", ("left", "above"))
    assert [COLUMNS[i] for i in (*judged.COLOUR, *judged.SIZE, *judged.STROKE, judged.PLACE)] == [
        "colour", "colour", "size", "size", "stroke", "stroke", "place",
    ]  # fmt: skip


# ── on real scenes


SCENES = load_scenes(1_000, torch.Generator().manual_seed(3), "test", say=1.0)
DESCRIBED = describe(SCENES.images, load_judge())


def test_of_real_test_scenes_it_says_what_they_show():
    answers = {name: answer.double().mean().item() for name, answer in right(*DESCRIBED, SCENES.asked).items()}
    assert answers["all"] >= 0.96
    assert answers["digit"] >= 0.97
    assert min(answers[name] for name in ("count", "colour", "size", "place")) >= 0.999
    assert answers["stroke"] >= 0.985


@pytest.mark.skipif(
    not (paths.RESULTS / "scene_judge.json").is_file(), reason="benchmarks/evaluation/scenes.py makes it"
)
def test_the_record_says_the_same_of_all_five_judges():
    record = recorded("scene_judge")
    assert len(record.seeds) == 5
    assert record.values["sha256"] == JUDGE_SHA256
    for combinations in ("seen", "unseen"):
        arm = record.arm(combinations)
        assert min(arm.each("all")) >= 0.965
        for name in ("count", "colour", "size", "place"):
            assert min(arm.each(name)) >= 0.999
    here = right(*DESCRIBED, SCENES.asked)["all"].double().mean().item()
    assert here == pytest.approx(record.arm("seen").each("all")[0], abs=0.02)


def test_what_answers_another_caption_is_not_called_right():
    answers = right(*DESCRIBED, SCENES.asked.roll(1, 0))
    assert answers["all"].double().mean() < 0.01
    pairs = (SCENES.asked[:, 4] >= 0) & (SCENES.asked[:, 1] != SCENES.asked[:, 5])
    other_way = SCENES.asked[:, [0, 5, 2, 3, 4, 1, 6, 7, 8]]
    assert not right(*DESCRIBED, other_way)["all"][pairs].any()
    assert exchanged(DESCRIBED[0], other_way)[pairs].double().mean() > 0.97


def test_each_picture_is_judged_by_itself():
    found, counts = describe(SCENES.images[5:12], load_judge())
    assert torch.equal(found, DESCRIBED[0][5:12])
    assert torch.equal(counts, DESCRIBED[1][5:12])


def test_it_can_be_fooled():
    """Any ink is a digit to it; a picture repeated is as right as many; digits that touch are one thing."""
    judge = load_judge()
    described, counts = describe(with_block((10, 22), (10, 22)), judge)
    assert described[0, 0] >= 0
    assert counts.tolist() == [1]
    repeated = SCENES.images[:1].expand(50, 3, 32, 32)
    assert right(*describe(repeated, judge), SCENES.asked[:1].expand(50, 9))["all"].all()
    crops = cut_outs("test").crops[:2, 0]
    touching = F.pad(torch.cat([crops[0, :10, :9], crops[1, :10, :9]], dim=1), (7, 7, 11, 11))
    assert find(touching.expand(1, 3, 32, 32).contiguous()).count.tolist() == [1]


def test_the_shipped_weights_are_small():
    content = (paths.DATA / "scenes_classifier.safetensors").read_bytes()
    assert len(content) <= 300_000
    assert hashlib.sha256(content).hexdigest() == JUDGE_SHA256
    assert JUDGE_SHA256 in (paths.DATA / "README.md").read_text(encoding="utf-8")


def test_the_judge_leaves_no_gradient_and_takes_pictures_with_one():
    judge = load_judge()
    assert not judge.training
    assert not any(p.requires_grad for p in judge.parameters())
    images = (SCENES.images[:3].float() / 127.5 - 1).requires_grad_()
    assert torch.equal(describe(images, judge)[0], DESCRIBED[0][:3])
