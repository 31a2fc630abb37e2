"""The explorer of chapter 11b: the picture is a function of the state, controls draw once, errors are said."""

import io
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from elsewhere import GPU, SecondDevice, moved
from made import seeded
from pictures import pixels, place
from PIL import Image

from course_lib.chapters.ch11b_metrics.explorer import NoiseExplorer, NoisePicture, NoiseState
from course_lib.evaluation.classifier import features_and_logits
from course_lib.gan.dcgan import sample
from course_lib.pretrained.classifiers import load_classifier
from course_lib.pretrained.generators import load_generator

DIRECTION = torch.ones(64) / 3


def parts():
    return load_generator("digits"), load_classifier("digits"), DIRECTION


def test_the_picture_is_a_function_of_its_state():
    picture = NoisePicture(*parts())
    state = NoiseState()
    first = picture.frame(state)
    assert np.asarray(Image.open(io.BytesIO(first))).shape == (170, 950, 3)
    for name, value in vars(NoiseState(3, 0.5, 1.0)).items():
        assert picture.frame(replace(state, **{name: value})) != first, name
    assert picture.frame(state) == first


@pytest.mark.parametrize("state", [NoiseState(), NoiseState(3, 0.5, 1.0)])
def test_the_ten_images_stand_in_the_row_in_their_shades(state):
    generator, classifier, direction = parts()
    picture = NoisePicture(generator, classifier, direction)
    png = pixels(picture.frame(state)).astype(int)
    z = state.length * torch.randn(64, generator=seeded(state.which)) + state.along * direction
    with torch.no_grad():
        images = sample(generator, z.expand(10, -1), torch.arange(10))
    shades = (255 * (1 - images[:, 0]) / 2).round()  # white paper, dark ink
    for c in range(10):
        for i, j in ((14, 14), (8, 17), (20, 12), (11, 11), (0, 0)):
            column, row = place(picture.figure.axes[0], 30 * c + 1 + j, 1 + i)
            assert abs(png[int(row), int(column)] - float(shades[c, i, j])).max() <= 2, (c, i, j)
    assert (shades[:, 8:21, 8:21] < 50).any(-1).any(-1).all()  # there is ink to be seen in each
    reads = " ".join(map(str, features_and_logits(classifier, images)[1].argmax(1).tolist()))
    assert picture._title.get_text().endswith(f"the classifier reads {reads}")


def test_it_comes_within_100_ms():
    picture, times = NoisePicture(*parts()), []
    for which in range(5):
        started = time.process_time()  # of this process alone, whatever else the machine does
        picture.frame(NoiseState(which))
        times.append(time.process_time() - started)
    assert min(times) < 0.1


def test_a_moved_control_draws_once_and_the_still_stays():
    explorer = NoiseExplorer(*parts(), alt="ten digits of one noise")
    drawn = []
    explorer.picture.observe(drawn.append, names="value")
    for control, value in ((explorer.length, 0.5), (explorer.which, 7), (explorer.along, 1.0)):
        control.value = value
    assert len(drawn) == 3
    assert explorer.picture.value == NoisePicture(*parts()).frame(NoiseState(7, 0.5, 1.0))
    data, metadata = explorer._repr_mimebundle_()
    assert data["image/png"] == NoisePicture(*parts()).frame(NoiseState())
    assert data["text/plain"] == metadata["image/png"]["alt"] == "ten digits of one noise"
    explorer.close()


def test_what_goes_wrong_is_said_in_the_status_line(monkeypatch):
    explorer = NoiseExplorer(*parts(), alt="ten digits of one noise")
    shown = explorer.picture.value

    def broken(state):
        raise RuntimeError("no memory < left")

    monkeypatch.setattr(explorer._picture, "frame", broken)
    explorer.which.value = 5
    assert "no memory &lt; left" in explorer.status.value
    assert explorer.picture.value == shown
    explorer.close()


def test_networks_on_another_device_give_the_same_picture():
    expected = NoisePicture(*parts()).frame(NoiseState(3, 0.5, 1.0))
    generator, classifier, direction = parts()
    with SecondDevice():
        picture = NoisePicture(moved(generator), moved(classifier), direction.to(GPU))
        assert picture.frame(NoiseState(3, 0.5, 1.0)) == expected
        assert NoisePicture(generator, load_classifier("digits"), direction).frame(NoiseState(3, 0.5, 1.0)) == expected
