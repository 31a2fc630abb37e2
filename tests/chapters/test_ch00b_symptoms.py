"""Chapter 00b's training with a fault, and its pictures."""

import math

import torch

from course_lib.chapters.ch00b_notation.figures import stuck, three_masks
from course_lib.chapters.ch00b_notation.symptom import training


def test_a_second_softmax_has_a_floor_and_one_has_none():
    floor = math.log(math.e + 9) - 1
    faulty, sound = training(7, twice=True), training(7, twice=False)
    assert faulty[0, 0] == sound[0, 0]  # all logits 0: both are log 10
    assert abs(sound[0, 0] - math.log(10)) < 1e-12
    assert faulty[:, 0].min() > floor
    assert faulty[-1, 0] < floor + 0.02
    assert sound[-1, 0] < 0.02
    assert faulty[-1, 1] == sound[-1, 1] == 1


def test_the_same_seed_trains_the_same_and_another_does_not():
    assert torch.equal(training(1, True, steps=3), training(1, True, steps=3))
    assert not torch.equal(training(1, True, steps=3), training(2, True, steps=3))


def test_the_masks_say_the_same_thing_three_times():
    figure, alt = three_masks()
    says = lambda ax: [text.get_text() for text in ax.texts]
    allowed, masked, added = (says(ax) for ax in figure.axes[:3])
    assert [a == "T" for a in allowed] == [m == "F" for m in masked] == [n == "0" for n in added]
    assert sum(a == "T" for a in allowed) == 10
    assert "4 × 4" in alt


def test_the_titles_of_the_symptom_are_its_numbers():
    curves = torch.tensor([[[2.3, 0.1], [1.5, 0.9]], [[2.3, 0.1], [1.4, 1.0]]])
    figure, alt = stuck(curves)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "The loss stays at 1.45 nats …",
        "… with 95 of 100 right",
    ]
    assert "1.45" in alt
