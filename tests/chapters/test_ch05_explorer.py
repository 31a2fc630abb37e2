"""The explorer of chapter 05: odds that are drawn from, draws that a seed fixes, text written with the knobs, a still."""

import math

import pytest
import torch
from elsewhere import SecondDevice, moved
from pictures import pixels, shown

from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer, compute, draw, running_sums, uniform
from course_lib.classroom import figures
from course_lib.datasets.text import load_shakespeare
from course_lib.pretrained.language_model import load_language_model

LOGITS = torch.linspace(-2, 2, 12)
DATA = {"vocabulary": list("abcdefghijkl"), "prompts": {"a": LOGITS.tolist()}, "refused": {}}
TEXT = load_shakespeare()


def state(prompt="a", temperature=1.0, top_k=65, top_p=1.0, seed=0):
    return {"prompt": prompt, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}


def test_the_odds_are_the_distribution_before_and_after_the_knobs():
    found = compute(DATA, state(temperature=0.5, top_k=3))
    assert found["order"] == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    powers = [math.exp(logit) for logit in LOGITS.tolist()]
    assert found["before"] == pytest.approx([power / sum(powers) for power in powers])
    squares = [power**2 for power in powers[-3:]]
    kept = [square / sum(squares) for square in squares]
    assert found["after"] == pytest.approx([0] * 9 + kept)
    assert found["bits"][1] == pytest.approx(-sum(p * math.log2(p) for p in kept))
    assert found["left"] == 3
    assert compute(DATA, state(temperature=0.0))["bits"][1] == 0
    assert compute(DATA, state(temperature=0.0))["left"] == 1
    assert compute(DATA, state(top_k=12))["left"] == 12
    with pytest.raises(ValueError, match="prompt: no odds after 'b' here"):
        compute(DATA, state("b"))


def reference_uniform(seed):
    """mulberry32 once more, with signed words as C and JavaScript have them."""
    wrap = lambda x: (x + 2**31) % 2**32 - 2**31
    word = wrap(seed + 0x6D2B79F5)
    t = wrap((word ^ ((word % 2**32) >> 15)) * (word | 1))
    t = t ^ wrap(t + wrap((t ^ ((t % 2**32) >> 7)) * (t | 61)))
    return ((t ^ ((t % 2**32) >> 14)) % 2**32 + 0.5) / 2**32


def test_a_seed_s_number_is_mulberry32_and_the_numbers_fill_the_line():
    # the first words for the seeds 0 and 1, as published with the generator
    assert [int(uniform(seed) * 2**32) for seed in (0, 1)] == [1144304738, 2693262067]
    assert all(uniform(seed) == reference_uniform(seed) for seed in range(2000))
    numbers = torch.tensor([uniform(seed) for seed in range(20_000)], dtype=torch.float64)
    counts = torch.histc(numbers, 20, 0, 1)
    assert ((counts - 1000).abs() < 5 * math.sqrt(1000 * 0.95)).all()


def test_a_symbol_is_drawn_as_often_as_its_share_says_and_never_without_one():
    probabilities = [0.0, 0.5, 0.0, 0.3, 0.2, 0.0]
    ends = running_sums(probabilities)
    counts = [0] * 6
    for seed in range(10_000):
        counts[draw(ends, uniform(seed))] += 1
    for count, p in zip(counts, probabilities, strict=True):
        assert abs(count - 10_000 * p) <= 5 * math.sqrt(10_000 * p * (1 - p))
    assert [draw(ends, at) for at in (0.0, 0.49, 0.5, 0.79, 0.81, 1 - 2**-33)] == [1, 1, 3, 3, 4, 4]
    assert [draw([0.3, 0.6], at) for at in (0.49, 0.51, 0.99)] == [0, 1, 1]  # the last end serves as 1


def test_no_draw_hangs_on_the_last_bits():
    for temperature in (0.05, 0.7, 1.0, 2.0):
        for top_p in (0.5, 0.95, 1.0):
            found = compute(DATA, state(temperature=temperature, top_p=top_p))
            nearest = min(abs(at - end) for at in found["at"] for end in [0.0, *found["shares"]])
            assert nearest > 1e-10  # a million times what another order of rounding can do
    thirds = [1 / 3, 0.5, 0.25, 2 / 3, 1.0]
    assert min(abs(uniform(seed) - end) for seed in range(10_000) for end in thirds) > 1e-11


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
def test_the_odds_are_what_generate_draws_the_next_character_from(positions, prompt, monkeypatch):
    drawn_from, multinomial = [], torch.multinomial

    def spy(probabilities, *args, **kwargs):
        drawn_from.append(probabilities[0])
        return multinomial(probabilities, *args, **kwargs)

    monkeypatch.setattr(torch, "multinomial", spy)
    model = model_of(positions)
    explorer = SamplingExplorer(model, TEXT, prompt, length=2)
    first = compute(*explorer.first)["draws"][0]
    written = explorer.first[0]["written"]["text"]
    assert written[: len(prompt) + 1] == prompt + TEXT.vocabulary[first]
    assert len(written) == len(prompt) + 2
    after = compute(*SamplingExplorer(model, TEXT, written[:-1], length=1).first)["after"]
    torch.testing.assert_close(drawn_from[0].double(), torch.tensor(after, dtype=torch.float64), atol=1e-5, rtol=1e-4)
    assert model.training  # as it came, though what is shown has no dropout


def test_the_kernel_writes_with_the_knobs_and_reads_the_reader_s_prompt():
    explorer = SamplingExplorer(load_language_model(), TEXT, "KING", length=30, prompts=["the q", "€"])
    assert list(explorer.data["prompts"]) == ["KING", "the q"]
    texts = [explorer.data["written"]["text"]]
    for changes in ({"temperature": 2.0}, {"top_p": 0.5}, {"top_k": 3}, {"seed": 4}):
        explorer.state = {**explorer.state, "temperature": 1.5, "top_p": 1.0} | changes
        assert explorer.data["written"]["state"] == explorer.state
        texts.append(explorer.data["written"]["text"])
    assert len(set(texts)) == 5
    assert all(len(text) == 34 and text.startswith("KING") for text in texts)
    explorer.state = state("KING\\nHEN")
    assert explorer.data["written"]["text"].startswith("KING\nHEN")
    assert list(explorer.data["prompts"]) == ["KING", "the q", "KING\\nHEN"]
    explorer.state = state("Q" * 200)  # longer than the context
    assert list(explorer.data["prompts"]) == ["KING", "the q", "Q" * 200]
    assert explorer.said == ""


@pytest.mark.parametrize(
    ("prompt", "says"), [("5€", "text: expected characters of the vocabulary"), ("", "at least one")]
)
def test_a_prompt_that_cannot_be_read_is_said_and_the_next_is_heard(prompt, says):
    explorer = SamplingExplorer(load_language_model(), TEXT, "KING", length=5)
    written = explorer.data["written"]
    explorer.state = state(prompt)
    with pytest.raises(ValueError, match=says):
        compute(explorer.data, explorer.state)
    assert (explorer.data["written"], explorer.said) == (written, "")
    explorer.state = state("QUEEN")
    assert compute(explorer.data, explorer.state)["left"] == 65
    with pytest.raises(ValueError, match="prompt: expected at least one character"):
        SamplingExplorer(load_language_model(), TEXT, "", length=30)


def test_the_still_has_bars_as_long_as_the_odds_and_the_text():
    written = {"text": "written $ text\n\n" * 9}
    figure = SamplingExplorer.figure({**DATA, "written": written}, state(temperature=0.5, top_k=3))
    found = compute(DATA, state(temperature=0.5, top_k=3))
    png, ax = figures.png(figure), figure.axes[0]
    for row, i in enumerate(found["order"]):
        before, after = found["before"][i], found["after"][i]
        assert bool(shown(png, figures.ORANGE, ax, after - 0.02, row)) == (after > 0)
        assert not shown(png, figures.ORANGE, ax, after + 0.05, row, radius=3)
        assert shown(png, figures.MUTE, ax, before, row, radius=9)
    half = pixels(png)[:, 500:]
    assert (half < 100).all(-1).sum() > 200  # the text
    before, after = found["bits"]
    says = f"entropy {before:.2f} → {after:.2f} bits; 3 of 12 characters can be drawn"
    assert ax.get_title(loc="left") == f"temperature 0.5, top-k 3, top-p 1\n{says}"


def test_the_bundle_carries_the_first_state_and_the_alternative_text():
    explorer = SamplingExplorer(load_language_model(), TEXT, "KING\n", length=30, alt="odds and text")
    still = explorer.still()
    explorer.state = {**explorer.state, "seed": 3}
    data, metadata = explorer._repr_mimebundle_()
    assert data["image/png"] == still
    assert data["text/plain"] == metadata["image/png"]["alt"] == "odds and text"
    live = metadata["course_explorer"]
    assert live["state"] == live["data"]["written"]["state"] == {**explorer.state, "seed": 0}
    assert live["state"]["prompt"] == "KING\\n"
    assert "kernel" not in live["data"]


def test_a_model_on_another_device_writes_the_same():
    expected = SamplingExplorer(load_language_model(), TEXT, "KING", length=10)
    model = moved(load_language_model())
    with SecondDevice():
        explorer = SamplingExplorer(model, TEXT, "KING", length=10)
        assert explorer.data == expected.data
        assert explorer.still() == expected.still()
