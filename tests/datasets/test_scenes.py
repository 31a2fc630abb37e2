"""Scenes: what they say, what is held out, and pictures that show it with digits of their own part."""

import itertools

import pytest
import torch

from course_lib.datasets import scene_images
from course_lib.datasets.images import load_digits
from course_lib.datasets.scene_images import FAINT, PARTS, UNLIT, boldness, draw, load_scenes, render
from course_lib.datasets.scenes import (
    COLOURS,
    COLUMNS,
    HELD_OUT,
    LIT,
    PLACES,
    SIZES,
    STROKES,
    Scene,
    Thing,
    held_out,
    random_scenes,
    scenes_of,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbers(scene):
    return torch.tensor([scene.numbers])


# ── what a scene says


def test_nine_numbers_say_a_scene():
    scene = Scene((Thing(7, "red", "small"), Thing(2, "blue", "large", "thick")), "above")
    assert len(COLUMNS) == 9
    assert scene.numbers == [7, 0, 0, -1, 2, 2, 1, 1, 1]
    assert Scene((Thing(4),)).numbers == [4, -1, -1, -1, -1, -1, -1, -1, -1]
    assert Scene((Thing(0, stroke="thin"),), "bottom right").numbers[8] == 6


def test_scenes_come_back_from_their_numbers():
    drawn = random_scenes(300, generator())
    drawn[:, 3] = torch.arange(300) % 3 - 1
    drawn[::5, 8] = -1
    for row in drawn.tolist():
        scene = Scene.of(row)
        assert Scene.of(scene.numbers) == scene
        assert scene.numbers == row or row[8] == -1  # whose things are put in order


def test_the_same_said_the_other_way_round_is_the_same_scene():
    seven, two = Thing(7, "red"), Thing(2, "blue")
    assert Scene((seven, two), "above") == Scene((two, seven), "below")
    assert Scene((seven, two), "left") == Scene((two, seven), "right")
    assert Scene((seven, two), "left") != Scene((two, seven), "left")
    assert Scene((seven, two)) == Scene((two, seven))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Thing(10), "digit: expected 0 to 9, got 10"),
        (lambda: Thing("7"), "digit: expected 0 to 9, got '7'"),
        (lambda: Thing(7, "purple"), "colour: expected one of red, green, .*, got 'purple'"),
        (lambda: Thing(7, size="tiny"), "size: expected one of small, large, got 'tiny'"),
        (lambda: Thing(7, stroke="bold"), "stroke: expected one of thin, thick, got 'bold'"),
        (lambda: Scene(()), "things: expected 1 or 2, got 0"),
        (lambda: Scene((Thing(1),) * 3), "things: expected 1 or 2, got 3"),
        (lambda: Scene((Thing(1),), "left"), "place: expected one of middle, .*, got 'left'"),
        (lambda: Scene((Thing(1),) * 2, "middle"), "place: expected one of left, above, right, below, got 'middle'"),
    ],
)
def test_what_cannot_be_a_scene_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# ── what is held out


def test_what_is_held_out_is_as_the_text_says():
    """Against sentences of the docstring, put into a table by hand."""
    never = {1: "red", 7: "red", 2: "green", 8: "green", 3: "blue", 9: "blue"} | {
        4: "yellow", 5: "magenta", 0: "cyan", 6: "cyan",
    }  # fmt: skip
    for digit, colour in itertools.product(range(10), COLOURS):
        found = held_out(numbers(Scene((Thing(digit, colour),))))[0].tolist()
        assert found == [never[digit] == colour, False, False]
    for a, b in itertools.product(range(10), repeat=2):
        found = held_out(numbers(Scene((Thing(a), Thing(b)), "left")))[0].tolist()
        assert found == [False, {a, b} in ({0, 9}, {1, 8}, {2, 7}, {3, 6}, {4, 5}), False]
    ring = (*COLOURS, *COLOURS)
    for (i, first), second, place in itertools.product(enumerate(COLOURS), COLOURS, ("left", "above")):
        pair = (
            (Thing(0, first), Thing(0, second))
            if "cyan" not in (first, second)
            else (Thing(1, first), Thing(1, second))
        )
        found = held_out(numbers(Scene(pair, place)))[0, 2].item()
        assert found == (second == ring[i + 1 if place == "left" else i + 2])


def test_the_issues_own_example_was_never_shown_in_any_way():
    """A red seven, seven with two, red above blue."""
    scene = Scene((Thing(7, "red", "small"), Thing(2, "blue", "large")), "above")
    assert held_out(numbers(scene)).all()
    assert len(HELD_OUT) == 3


def test_what_is_not_said_is_in_no_combination():
    assert not held_out(numbers(Scene((Thing(7), Thing(7, "red")), "left")))[0, 1:].any()
    assert not held_out(numbers(Scene((Thing(7),)))).any()
    assert not held_out(numbers(Scene((Thing(1, "blue"), Thing(1, "green")))))[0, 2]


def test_each_part_of_what_is_held_out_is_seen_with_others():
    seen = scenes_of("seen", 20_000, generator())
    assert not held_out(seen).any()
    digits, colours = seen[:, :2].unbind(1)
    table = torch.zeros(10, 6).index_put((digits, colours), torch.ones(()), accumulate=True)
    assert ((table > 100).sum(1) == 5).all()  # each digit in five of the six colours
    pairs = seen[seen[:, 4] >= 0]
    together = torch.zeros(10, 10).index_put((pairs[:, 0], pairs[:, 4]), torch.ones(()), accumulate=True)
    assert ((together > 20).sum(1) == 9).all()  # and beside nine of the ten
    lying = torch.zeros(2, 6, 6).index_put((pairs[:, 8], pairs[:, 1], pairs[:, 5]), torch.ones(()), accumulate=True)
    assert ((lying > 20).sum((1, 2)) == 30).all()
    assert (lying.sum(0) > 20).all()  # any two colours somehow


def test_unseen_scenes_have_each_kind():
    unseen = held_out(scenes_of("unseen", 3_000, generator()))
    assert unseen.any(1).all()
    assert (unseen.float().mean(0) > 0.1).all()


# ── pictures


SCENES = {part: load_scenes(600, generator(i), part) for i, part in enumerate(PARTS)}


@pytest.mark.parametrize("part", PARTS)
def test_a_picture_shows_the_digits_that_it_says_it_shows(part):
    """The labels are those of the part's own images, the strokes are measured on these, the ink is theirs."""
    scenes, digits = SCENES[part], load_digits()
    images, labels = getattr(digits, part), getattr(digits, f"{part}_labels")
    assert scenes.images.shape == (600, 3, 32, 32)
    assert scenes.images.dtype == torch.uint8
    for i, at in ((0, 0), (1, 4)):
        there = scenes.digits[:, i] >= 0
        assert torch.equal(there, scenes.shown[:, at] >= 0)
        chosen = scenes.digits[there, i]
        assert torch.equal(labels[chosen], scenes.shown[there, at])
        bold = boldness(images[chosen].double() / 255)
        assert torch.equal(bold > scene_images.THICK_ABOVE, scenes.shown[there, at + 3] == 1)
        assert torch.equal(bold < scene_images.THIN_BELOW, scenes.shown[there, at + 3] == 0)


def test_three_in_ten_training_digits_are_thin_and_three_in_ten_thick():
    bold = boldness(load_digits().train.double() / 255)
    for share in (bold < scene_images.THIN_BELOW, bold > scene_images.THICK_ABOVE):
        assert share.double().mean().item() == pytest.approx(0.3, abs=0.005)


def test_boldness_of_a_full_square_and_of_a_line():
    square, line = torch.zeros(2, 12, 12)
    square[3:9, 3:9], line[6, 2:10] = 1, 1
    found = boldness(torch.stack([square, line]))
    inside, edge, corner = 16 * 9, 16 * 6, 4 * 4
    assert found.tolist() == pytest.approx([(inside + edge + corner) / 9 / 36, (6 * 3 + 2 * 2) / 9 / 8])


def test_a_large_digit_is_the_mean_over_areas_of_the_published_one():
    """Against the definition, pixel by pixel, at 12 × 12: 28 / 12 pixels a side."""
    images = load_digits().test[:3].double()
    fine = images.repeat_interleave(3, 1).repeat_interleave(3, 2)  # 84 × 84: 7 × 7 of them are one pixel of 12
    expected = fine.view(3, 12, 7, 12, 7).mean((2, 4)).round()
    expected[expected < FAINT] = 0
    crops = scene_images.cut_outs("test").crops[:3, 0]
    for found, full in zip(crops, expected, strict=True):
        rows, columns = (full > 0).any(1).nonzero(), (full > 0).any(0).nonzero()
        inked = full[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert torch.equal(found[: len(inked), : inked.shape[1]].double(), inked)
        assert found.sum() == inked.sum()


def test_a_thing_has_its_colour_alone_its_size_and_its_place():
    wide = {"small": (7, 10), "large": (11, 14)}
    middles = {
        "middle": (16, 16),
        "top left": (8, 8),
        "top right": (8, 24),
        "bottom left": (24, 8),
        "bottom right": (24, 24),
    }
    for (spot, middle), size, colour in itertools.product(middles.items(), SIZES, COLOURS):
        image = draw(Scene((Thing(8, colour, size),), spot), generator()).int()
        lit = torch.tensor(LIT[COLOURS.index(colour)])
        ink = image.amax(0)
        assert torch.equal(image[lit == 1], ink.expand(int(lit.sum()), 32, 32))
        assert (image[lit == 0] - ink * UNLIT / 255).abs().max() <= 0.5
        rows, columns = (ink > 0).any(1).nonzero().flatten(), (ink > 0).any(0).nonzero().flatten()
        longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
        assert wide[size][0] <= longer <= wide[size][1]
        assert abs((rows[0] + rows[-1] + 1) / 2 - middle[0]) <= 4
        assert abs((columns[0] + columns[-1] + 1) / 2 - middle[1]) <= 4


def test_two_things_are_three_black_lines_apart_and_lie_as_told():
    asked = torch.tensor([[8, 0, 1, -1, 0, 2, 1, -1, place] for place in (0, 1)]).repeat(200, 1)
    images, shown, _ = render(asked, generator())
    assert torch.equal(shown[:, [0, 1, 2, 4, 5, 6, 8]], asked[:, [0, 1, 2, 4, 5, 6, 8]])
    red, blue = images[:, 0] > UNLIT, images[:, 2] > UNLIT
    for place, axis in ((0, 1), (1, 2)):
        first, second = red[place::2].any(axis), blue[place::2].any(axis)
        end = 31 - first.int().flip(1).argmax(1)
        begin = second.int().argmax(1)
        assert 4 <= (begin - end).min() <= 5  # three lines between, or a faint one beside them


def test_a_stroke_that_is_asked_is_drawn():
    asked = torch.tensor([[digit, -1, -1, stroke, -1, -1, -1, -1, -1] for digit in range(10) for stroke in (0, 1)])
    _, shown, _ = render(asked, generator())
    assert torch.equal(shown[:, 3], asked[:, 3])
    assert (shown[:, [1, 2, 8]] >= 0).all()
    assert (shown[:, 4:8] == -1).all()


def test_what_is_open_is_drawn_evenly():
    _, shown, _ = render(torch.tensor([[5, -1, -1, -1, 3, -1, -1, -1, -1]]).repeat(3_000, 1), generator())
    for column, k in ((1, 6), (2, 2), (5, 6), (6, 2), (8, 2)):
        counts = shown[:, column].bincount(minlength=k).double()
        assert ((counts - 3_000 / k).abs() < 5 * (3_000 / k) ** 0.5).all()


def test_scenes_are_the_generators_own_and_leave_the_global_one_alone():
    state = torch.get_rng_state()
    one, again, other = (load_scenes(40, generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(one.images, again.images)
    assert one.captions == again.captions
    assert one.captions != other.captions


def test_chunks_change_nothing():
    asked = random_scenes(50, generator())
    assert torch.equal(render(asked, generator(1), at_once=7)[0], render(asked, generator(1))[0])


@pytest.mark.parametrize("combinations", ["seen", "unseen"])
def test_all_is_asked_where_all_is_to_be_told(combinations):
    scenes = load_scenes(200, generator(), "test", combinations, say=1.0)
    assert torch.equal(scenes.asked, scenes.shown)
    assert (held_out(scenes.asked).any(1) == (combinations == "unseen")).all()


def test_captions_ask_for_what_is_shown_and_leave_some_of_it_open():
    scenes = SCENES["train"]
    ordered = scenes.asked[:, 8] >= 0
    told = (scenes.asked >= 0) & ordered[:, None]
    assert torch.equal(scenes.asked[told], scenes.shown[told])
    colours = scenes.asked[:, 1] >= 0
    assert colours.double().mean().item() == pytest.approx(0.75, abs=0.08)
    assert not held_out(scenes.shown).any()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: load_scenes(0, generator()), "n: expected at least 1 scene, got 0"),
        (lambda: load_scenes(5, generator(), say=1.5), "say: expected a probability, got 1.5"),
        (lambda: load_scenes(5, generator(), "all"), "part: expected one of train, validation, test, got 'all'"),
        (
            lambda: load_scenes(5, generator(), combinations="new"),
            'combinations: expected "seen" or "unseen", got \'new\'',
        ),
    ],
)
def test_other_parts_and_combinations_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_lists_of_names_agree():
    assert len(COLOURS) == len(LIT) == len(set(LIT)) == 6
    assert PLACES[:2] == ("left", "above")
    assert (len(PLACES), len(SIZES), len(STROKES)) == (7, 2, 2)
