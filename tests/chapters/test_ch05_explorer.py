"""figures.py and widgets.py: what they draw, what they refuse, how fast they answer."""

import time

import torch

from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer, SamplingState, sampling_frame
from course_lib.datasets.text import load_shakespeare
from course_lib.pretrained.language_model import load_language_model

torch.manual_seed(0)


def test_the_knobs_picture_answers_at_once_and_shows_what_is_cut():
    logits, vocabulary = torch.linspace(-2, 2, 12), "abcdefghijkl"
    plain = sampling_frame(logits, vocabulary, SamplingState("a", top_k=12))
    times = []
    for _ in range(5):
        started = time.process_time()  # of this process alone, whatever else the machine does
        cut = sampling_frame(logits, vocabulary, SamplingState("a", temperature=0.5, top_k=3))
        times.append(time.process_time() - started)
    assert min(times) < 0.1
    assert "12 of 12 characters can be drawn" in plain
    assert "3 of 12 characters can be drawn" in cut
    assert "<script" not in cut


def test_the_sampling_explorer_writes_with_its_knobs_and_says_what_is_wrong():
    text = load_shakespeare()
    explorer = SamplingExplorer(load_language_model(), text, "KING", length=30)
    first = explorer.written.value
    assert "KING" in first
    explorer.temperature.value = 2.0
    assert explorer.written.value != first
    assert explorer.status.value == ""
    hot = explorer.written.value
    explorer.prompt.value = "€"
    assert "text: expected characters of the vocabulary" in explorer.status.value
    assert explorer.written.value == hot
    explorer.prompt.value = ""
    assert "prompt: expected at least one character" in explorer.status.value
    explorer.prompt.value = "Q" * 200  # longer than the context
    assert explorer.status.value == ""
    assert "text/plain" in explorer._repr_mimebundle_()[0]
