"""The explorer of chapter 16: the picture is a function of the state, a sentence that cannot be read is answered calmly."""

import io
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.attention.captioned import CaptionedTransformer
from course_lib.chapters.ch16_text_to_image.explorer import SentenceExplorer, SentencePicture, SentenceState
from course_lib.datasets.captions import LENGTH, WORDS
from course_lib.pretrained.judges import load_judge
from course_lib.vae.quantised import QuantisedAutoencoder


def parts():
    """Small ones with random weights, which draw something."""
    torch.manual_seed(0)
    autoencoder = QuantisedAutoencoder(channels=8, k=16, d=4)
    with torch.no_grad():
        autoencoder.codebook.entries.normal_()
    model = CaptionedTransformer(len(WORDS), LENGTH, 16, 64, n_layers=1, n_heads=2, d_model=16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return autoencoder.eval(), model.eval(), load_judge()


def test_the_picture_is_a_function_of_its_state():
    picture = SentencePicture(*parts())
    first = picture.frame(SentenceState())
    assert np.asarray(Image.open(io.BytesIO(first))).shape[:2] == (420, 950)
    others = {"sentence": "a big yellow 3", "weight": 5.0, "seed": 7, "which": 4}
    for name, value in others.items():
        assert picture.frame(replace(SentenceState(), **{name: value})) != first, name
    assert picture.frame(SentenceState()) == first


def test_every_word_with_a_meaning_has_a_map_and_every_picture_what_was_found():
    picture = SentencePicture(*parts())
    state = SentenceState("a thin red 7 to the left of an eight")
    drawn = picture.drawn(state)
    assert drawn.words == ["thin", "red", "7", "left", "eight"]
    assert drawn.maps.shape == (4, 5, 8, 8)
    torch.testing.assert_close(drawn.maps.mean(1), torch.full((4, 8, 8), 0.5))  # shares of the words; even ones a half
    picture.frame(state)
    titles = [text for ax in picture.figure.axes if (text := ax.get_title())]
    assert titles == drawn.words
    marks = [text for ax in picture.figure.axes if (text := ax.get_title(loc="left"))]
    assert [text[0] for text in marks] == ["1", "2", "3", "4"]
    assert ["✓" in mark for mark in marks] == drawn.good


def test_to_look_at_another_picture_draws_nothing_new(monkeypatch):
    picture = SentencePicture(*parts())
    picture.frame(SentenceState())
    monkeypatch.setattr("course_lib.chapters.ch16_text_to_image.explorer.draw_images", None)
    taken = []
    for which in (2, 3, 4, 1, 2):
        started = time.process_time()  # of this process alone, whatever else the machine does
        picture.frame(SentenceState(which=which))
        taken.append(time.process_time() - started)
    assert min(taken) < 0.1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a purple seven", "expected words of the vocabulary, got &#x27;purple&#x27;"),
        ("a red", "expected a digit after &#x27;red&#x27;"),
        ("one two three", "expected one digit and its spot, or two and how they lie"),
        ("", "expected one digit and its spot"),
        ("a red green two", "expected one colour of a digit"),
        ("the " * 25 + "two", "expected at most 20 words"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_picture_stays(typed, said):
    explorer = SentenceExplorer(*parts(), alt="four pictures of a sentence and what is found in them")
    shown = explorer.picture.value
    explorer.sentence.value = "a cyan 0"
    drawn = explorer.picture.value
    assert drawn != shown
    assert explorer.status.value == ""
    explorer.sentence.value = typed
    assert said in explorer.status.value
    assert explorer.picture.value == drawn
    explorer.close()


def test_the_still_is_the_first_state_and_controls_are_named():
    explorer = SentenceExplorer(*parts(), alt="four pictures of a sentence and what is found in them")
    data, metadata = explorer._repr_mimebundle_()
    assert data["image/png"] == SentencePicture(*parts()).frame(SentenceState())
    assert data["text/plain"] == metadata["image/png"]["alt"] == "four pictures of a sentence and what is found in them"
    explorer.weight.value = 4.0
    assert explorer.picture.value == SentencePicture(*parts()).frame(SentenceState(weight=4.0))
    controls = (explorer.sentence, explorer.weight, explorer.seed, explorer.which)
    assert all(control.description for control in controls)
    explorer.close()
