"""The explorer of chapter 05: bars of what is drawn from, text written with the knobs, a still, errors said."""

import math
import time

import pytest
import torch
from elsewhere import SecondDevice, moved
from pictures import pixels, shown

from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.ch05_language_model.explorer import (
    SamplingExplorer,
    SamplingState,
    odds,
    sampling_frame,
    sampling_still,
)
from course_lib.classroom import figures
from course_lib.datasets.text import load_shakespeare
from course_lib.pretrained.language_model import load_language_model

LOGITS, VOCABULARY = torch.linspace(-2, 2, 12), "abcdefghijkl"
TEXT = load_shakespeare()


def test_the_odds_are_the_distribution_before_and_after_the_knobs():
    state = SamplingState("a", temperature=0.5, top_k=3)
    found = odds(LOGITS, VOCABULARY, state)
    names, before, after = zip(*found.rows, strict=True)
    assert "".join(names) == "lkjihgfedc"
    assert before == pytest.approx(LOGITS.softmax(0).flip(0)[:10].tolist())
    assert after == pytest.approx([*(LOGITS[-3:] / 0.5).softmax(0).flip(0).tolist(), *[0] * 7])
    entropy = -sum(p * math.log2(p) for p in after if p)
    assert f"→ {entropy:.2f} bits; 3 of 12 characters can be drawn" in found.says
    assert "→ 0.00 bits; 1 of 12" in odds(LOGITS, VOCABULARY, SamplingState("a", temperature=0)).says
    assert "12 of 12" in odds(LOGITS, VOCABULARY, SamplingState("a", top_k=12)).says


def test_the_knobs_picture_answers_at_once_and_has_no_script():
    times = []
    for _ in range(5):
        started = time.process_time()  # of this process alone, whatever else the machine does
        picture = sampling_frame(odds(LOGITS, VOCABULARY, SamplingState("a", 0.5, 3)), "<script>")
        times.append(time.process_time() - started)
    assert min(times) < 0.1
    assert "<script" not in picture
    assert "&lt;script" in picture


def test_the_still_has_bars_as_long_as_the_odds():
    found = odds(LOGITS, VOCABULARY, SamplingState("a", temperature=0.5, top_k=3))
    figure = sampling_still(found, "written $ text\n\n" * 9)
    png, ax = figures.png(figure), figure.axes[0]
    for row, (_, before, after) in enumerate(found.rows):
        assert bool(shown(png, figures.ORANGE, ax, after - 0.02, row)) == (after > 0)
        assert not shown(png, figures.ORANGE, ax, after + 0.05, row, radius=3)
        assert shown(png, figures.MUTE, ax, before, row, radius=9)
    half = pixels(png)[:, 500:]
    assert (half < 100).all(-1).sum() > 200  # the text


def model_of(positions):
    torch.manual_seed(0)
    config = TransformerConfig(
        65, context_length=8, n_layers=2, n_heads=2, d_model=16, positions=positions, dropout=0.5
    )
    model = Transformer(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("prompt", ["To be", "To be or not to be, that is"])
def test_the_bars_are_what_the_first_character_is_drawn_from(positions, prompt, monkeypatch):
    drawn_from, draw = [], torch.multinomial

    def spy(probabilities, *args, **kwargs):
        drawn_from.append(probabilities[0])
        return draw(probabilities, *args, **kwargs)

    monkeypatch.setattr(torch, "multinomial", spy)
    explorer = SamplingExplorer(model_of(positions), TEXT, prompt, length=1)
    found, written = explorer._continue(explorer.state())
    best = drawn_from[0].sort(descending=True).values[:4]
    torch.testing.assert_close(
        torch.tensor(sorted((after for _, _, after in found.rows), reverse=True)[:4]), best, atol=1e-5, rtol=1e-4
    )
    assert written.startswith(prompt)
    assert explorer._model.training  # as it came, though what is shown has no dropout


def test_it_writes_with_its_knobs_and_says_what_is_wrong():
    explorer = SamplingExplorer(load_language_model(), TEXT, "KING", length=30)
    first = explorer.picture.value
    assert "KING" in first
    for control, value in ((explorer.temperature, 2.0), (explorer.top_p, 0.5), (explorer.top_k, 3), (explorer.seed, 4)):
        before, control.value = explorer.picture.value, value
        assert explorer.picture.value != before
    assert explorer.status.value == ""
    last = explorer.picture.value
    explorer.prompt.value = "€"
    assert "text: expected characters of the vocabulary" in explorer.status.value
    explorer.prompt.value = ""
    assert "prompt: expected at least one character" in explorer.status.value
    assert explorer.picture.value == last
    explorer.prompt.value = "Q" * 200  # longer than the context
    assert explorer.status.value == ""
    with pytest.raises(ValueError, match="prompt: expected at least one character"):
        SamplingExplorer(load_language_model(), TEXT, "", length=30)


def test_the_bundle_carries_a_still_of_the_first_state_and_the_alternative_text():
    explorer = SamplingExplorer(load_language_model(), TEXT, "KING", length=30, alt="odds and text")
    found = explorer._continue(explorer.state())
    explorer.seed.value = 3
    data, metadata = explorer._repr_mimebundle_()
    assert data["image/png"] == figures.png(sampling_still(*found))
    assert data["text/plain"] == metadata["image/png"]["alt"] == "odds and text"


def test_a_model_on_another_device_writes_the_same():
    expected = SamplingExplorer(load_language_model(), TEXT, "KING", length=10)
    model = moved(load_language_model())
    with SecondDevice():
        explorer = SamplingExplorer(model, TEXT, "KING", length=10)
        assert explorer.picture.value == expected.picture.value
        assert explorer.still() == expected.still()
