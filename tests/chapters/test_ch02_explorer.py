"""The explorer of chapter 02: the true numbers in every cell, the cell in focus, the kernel's answers, the still."""

import math

import pytest
import torch
from elsewhere import GPU, SecondDevice
from pictures import shown

from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.chapters.ch02_attention.explorer import LONGEST, AttentionExplorer, UnknownTextError, compute
from course_lib.chapters.ch02_attention.figures import attention_stages
from course_lib.classroom import figures

torch.manual_seed(0)


LAYERS = torch.nn.ModuleList(MultiHeadAttention(64, 4) for _ in range(2))


TABLE = torch.randn(128, 64)


def through(x):
    pairs = [layer.project(x[None])[:2] for layer in LAYERS]
    return tuple(torch.stack([p[i][0] for p in pairs]) for i in (0, 1))


@torch.no_grad()
def attend(text):
    if "€" in text:
        raise ValueError("text: no '€' here")
    return through(TABLE[[ord(c) for c in text]])


@torch.no_grad()
def of_words(text):
    return through(TABLE[[sum(map(ord, word)) % 128 for word in text.split()]])


def state(text="the king", layer=0, head=0, query=5, key=3, stage=2):
    return {"text": text, "layer": layer, "head": head, "query": query, "key": key, "stage": stage}


@pytest.fixture(scope="module")
def explorer():
    return AttentionExplorer(
        attend, "the king", alt="eight words that say what is to be seen", texts=["<b>&", "my lord"]
    )


def found(explorer, **changes):
    return compute(explorer.data, state(**changes))


def test_the_three_stages_are_the_true_numbers(explorer):
    seen = found(explorer, layer=1, head=2)
    q, k = (x.double()[1, 2] for x in attend("the king"))
    for r in range(8):
        scores = [sum(a * b for a, b in zip(q[r].tolist(), k[c].tolist(), strict=True)) for c in range(8)]
        powers = [math.exp(score / 4) for score in scores[: r + 1]]  # d_head is 16
        assert seen["scores"][r] == pytest.approx(scores, abs=1e-4)
        assert seen["scaled"][r] == pytest.approx([score / 4 for score in scores], abs=1e-4)
        weights = [power / sum(powers) for power in powers]
        assert seen["weights"][r] == pytest.approx(weights + [0.0] * (7 - r), abs=1e-4)
    assert seen["heads"][2] == seen["weights"]
    with torch.no_grad():
        _, all_heads = LAYERS[1].attend(TABLE[[ord(c) for c in "the king"]][None], mask=causal_mask(8))
    torch.testing.assert_close(torch.tensor(seen["heads"]), all_heads[0], atol=1e-4, rtol=1e-4)


def test_what_is_computed_changes_with_every_part_of_the_state_but_the_stage(explorer):
    others = ({"text": "my lord"}, {"layer": 1}, {"head": 1}, {"query": 4}, {"key": 2})
    seen = [str(found(explorer, **changes)) for changes in ({}, *others)]
    assert len(set(seen)) == 6
    assert found(explorer, stage=0) == found(explorer)


def test_the_cell_in_focus_leads_from_its_products_to_its_weight(explorer):
    seen = found(explorer)
    assert sum(a * b for a, b in seen["pairs"]) == pytest.approx(seen["scores"][5][3])
    assert len(seen["pairs"]) == 16
    assert seen["power"] / seen["total"] == pytest.approx(seen["weights"][5][3])
    assert math.log(seen["power"]) == pytest.approx(seen["scaled"][5][3])


def test_a_shorter_text_moves_the_cell_to_its_last_row_and_column(explorer):
    seen = found(explorer, text="<b>&", query=7, key=6)
    assert (seen["query"], seen["key"], seen["tokens"]) == (3, 3, list("<b>&"))


@pytest.mark.parametrize(("text", "got"), [("x", 1), ("nine chars", 10), ("", 0)])
def test_a_text_of_another_length_is_refused_and_the_model_is_not_asked(text, got):
    asked = []
    explorer = AttentionExplorer(lambda own: asked.append(own) or attend(own), "the king")
    with pytest.raises(ValueError, match=f"text: expected 2 to {LONGEST} characters, got {got}"):
        found(explorer, text=text)
    before = explorer.data
    explorer.state = state(text=text)
    assert (explorer.data, explorer.said, asked) == (before, "", ["the king"])


def test_the_kernel_answers_for_a_text_of_the_reader_s_and_keeps_the_last(explorer):
    explorer = AttentionExplorer(attend, "the king", texts=["my lord"])
    with pytest.raises(UnknownTextError, match="text: no q and k of 'to be' here"):
        found(explorer, text="to be")
    explorer.state = state(text="to be")
    q, k = attend("to be")
    assert found(explorer, text="to be", query=4)["scores"][4][3] == pytest.approx(
        (q[0, 0, 4] @ k[0, 0, 3]).item(), abs=1e-4
    )
    explorer.state = state(text="or not")
    assert list(explorer.data["texts"]) == ["the king", "my lord", "or not"]
    explorer.state = state(text="5€")
    with pytest.raises(UnknownTextError, match="text: no '€' here"):
        found(explorer, text="5€")
    assert explorer.said == ""  # the page says it, from the data
    explorer.state = state(text="the king")
    assert found(explorer, text="the king")["tokens"] == list("the king")
    assert explorer.data["kernel"]
    assert "kernel" not in explorer.first[0]


def test_of_known_words_any_text_can_be_opened_without_the_kernel():
    words = ["the", "king", "wore", "his", "<crown>"]
    explorer = AttentionExplorer(of_words, "the king wore his <crown>", unit="words", words=words)
    data = explorer.first[0]
    assert compute(data, explorer.first[1])["tokens"] == words
    assert (explorer.state["query"], explorer.state["key"]) == (4, 3)
    mixed = compute(data, state(text="his  <crown> the king", layer=1, query=3))
    q, k = (x.double() for x in of_words("his <crown> the king"))
    torch.testing.assert_close(torch.tensor(mixed["scores"]), (q[1, 0] @ k[1, 0].T).float(), atol=1e-4, rtol=1e-4)
    with pytest.raises(UnknownTextError, match="no q and k of 'his ring'"):
        compute(data, state(text="his ring"))
    with pytest.raises(ValueError, match="expected 2 to 8 words, got 1"):
        compute(data, state(text="crown"))


def test_words_whose_q_and_k_hang_on_their_neighbours_are_refused():
    def mixing(text):
        q, k = of_words(text)
        return q, k.cumsum(2)

    with pytest.raises(ValueError, match="words: expected k that come from a token alone, got others in 'the king'"):
        AttentionExplorer(mixing, "the king", unit="words", words=["the", "king"])


def test_the_bundle_carries_the_first_state_and_the_alternative_text(explorer):
    first = explorer.still()
    explorer.state = state(head=2)
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == "eight words that say what is to be seen"
    assert data["image/png"] == first
    assert metadata["course_explorer"]["state"]["head"] == 0
    assert metadata["course_explorer"]["state"]["stage"] == 0  # the prediction comes before the weights
    assert list(metadata["course_explorer"]["data"]["texts"]) == ["the king", "<b>&", "my lord"]
    other = AttentionExplorer(attend, "the king", layer=1, head=3)
    assert other.still() != first
    assert other._alt == "Attention of head 3 in layer 1 on the text 'the king'."


def test_the_still_has_the_shade_of_every_cell(explorer):
    seen, allowed = found(explorer), causal_mask(8)
    stages = [torch.tensor(seen[name]) for name in ("scores", "scaled", "weights")]
    figure = attention_stages(*stages, allowed, list("the␣king"))
    png = figures.png(figure)
    assert png == explorer.still()
    for ax, values in zip(figure.axes, stages, strict=True):
        for r in range(8):
            for c in range(8 if ax is figure.axes[0] else r + 1):
                allowed_ones = values if ax is figure.axes[0] else values[allowed]
                signed = figures.SIGNED(0.5 + values[r, c].item() / allowed_ones.abs().max().item() / 2)
                shade = figures.WEIGHTS(values[r, c].item()) if ax is figure.axes[2] else signed
                assert shown(png, shade[:3], ax, c - 0.38, r - 0.38, radius=1, tolerance=4), (r, c)


def test_what_attend_gives_may_be_elsewhere_and_in_half_precision():
    expected = AttentionExplorer(lambda text: [x.bfloat16().float() for x in attend(text)], "the king")
    with SecondDevice():
        explorer = AttentionExplorer(lambda text: [x.bfloat16().to(GPU) for x in attend(text)], "the king")
        explorer.state = expected.state = state(text="my lord", head=2)
        assert explorer.data == expected.data
        assert explorer.still() == expected.still()
