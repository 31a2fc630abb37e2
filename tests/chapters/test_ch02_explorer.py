"""The explorer of chapter 02: the true numbers in every cell, the cell in focus written out, errors said."""

import re
import time

import pytest
import torch
from elsewhere import GPU, SecondDevice
from matplotlib.colors import to_hex
from pictures import shown

from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.chapters.ch02_attention.explorer import LONGEST, AttentionExplorer, AttentionState, frame, stages
from course_lib.chapters.ch02_attention.figures import attention_stages
from course_lib.classroom import figures

torch.manual_seed(0)


LAYERS = torch.nn.ModuleList(MultiHeadAttention(64, 4) for _ in range(2))


TABLE = torch.randn(128, 64)


@torch.no_grad()
def attend(text):
    if "€" in text:
        raise ValueError("text: no '€' here")
    x = TABLE[[ord(c) for c in text]][None]
    pairs = [layer.project(x)[:2] for layer in LAYERS]
    return tuple(torch.stack([p[i][0] for p in pairs]) for i in (0, 1))


def test_the_three_stages_are_the_true_numbers():
    q, k = attend("the king")
    found = stages(q, k, layer=1, head=2)
    _, weights = LAYERS[1].attend(TABLE[[ord(c) for c in "the king"]][None], mask=causal_mask(8))
    torch.testing.assert_close(found.weights, weights[0, 2])
    torch.testing.assert_close(found.heads, weights[0])
    torch.testing.assert_close(found.scores[5, 3], q[1, 2, 5] @ k[1, 2, 3])
    torch.testing.assert_close(found.scaled * 4, found.scores)


def test_frames_differ_with_every_part_of_the_state():
    q, k = attend("the king")
    base = AttentionState("the king", 0, 0, 5, 3, 2)
    others = [
        AttentionState("the king", *v)
        for v in ((1, 0, 5, 3, 2), (0, 1, 5, 3, 2), (0, 0, 4, 3, 2), (0, 0, 5, 2, 2), (0, 0, 5, 3, 1))
    ]
    assert len({frame(q, k, s) for s in [base, *others]}) == 6


def test_the_cell_in_focus_is_written_out_with_its_own_numbers():
    q, k = attend("the king")
    found, html = stages(q, k, 0, 0), frame(q, k, AttentionState("the king", 0, 0, 5, 3, 2))
    assert html.count(f"<b>{found.scores[5, 3]:.2f}</b>") == 1
    assert f"= <b>{found.weights[5, 3]:.2f}</b>" in html
    assert html.count("·") >= q.shape[-1]
    assert "masked, weight 0" in frame(q, k, AttentionState("the king", 0, 0, 3, 5, 2))


def test_every_cell_has_its_number_and_its_shade():
    q, k = attend("the king")
    found, html = stages(q, k, 0, 1), frame(q, k, AttentionState("the king", 0, 1))
    tables = [
        re.findall(r"<td style='[^']*?(?:background:(#\w+);)?(?:color:[^']*)?'>([^<]*)</td>", t)
        for t in html.split("<table")[1:]
    ]
    for cells, values, mask in zip(
        tables, (found.scores, found.scaled, found.weights), (False, True, True), strict=True
    ):
        assert len(cells) == 64
        for n, (shade, written) in enumerate(cells):
            value, future = values[n // 8, n % 8].item(), n % 8 > n // 8
            if mask and future:
                assert written == ""
                continue
            assert float(written) == pytest.approx(value, abs=0.0051)
            weights = values is found.weights
            assert shade == to_hex(
                figures.WEIGHTS(value) if weights else figures.SIGNED(0.5 + value / values.abs().max().item() / 2)
            )


def test_stages_open_one_after_the_other_and_text_is_escaped():
    q, k = attend("<b>&")
    tables = [frame(q, k, AttentionState("<b>&", stage=s)).count("<table") for s in (0, 1, 2)]
    assert tables == [1, 2, 3]
    assert "&lt;" in frame(q, k, AttentionState("<b>&"))
    assert "<th style" in frame(q, k, AttentionState("<b>&"))


def test_a_move_answers_within_100_ms():
    explorer = AttentionExplorer(attend, "the king", alt="eight words that say what is to be seen")
    times = []
    for i in range(40):
        started = time.process_time()  # of this process alone, whatever else the machine does
        explorer.query.value = i % 8
        times.append(time.process_time() - started)
    assert min(times) < 0.05  # 100 ms with a factor of two to spare, the browser's part apart


def test_sliders_and_text_reach_the_picture_and_shorter_texts_clip_the_cell():
    explorer = AttentionExplorer(attend, "the king", alt="words")
    seen = {explorer.picture.value}
    for control, value in (
        (explorer.head, 3),
        (explorer.layer, 1),
        (explorer.query, 2),
        (explorer.key, 1),
        (explorer.stage, 0),
    ):
        control.value = value
        assert explorer.picture.value not in seen
        seen.add(explorer.picture.value)
    explorer.query.value = 7
    explorer.text.value = "ab"
    assert (explorer.query.max, explorer.query.value, explorer.status.value) == (1, 1, "")
    explorer.text.value = "abcdef"
    assert explorer.query.max == 5


@pytest.mark.parametrize(
    ("text", "says"), [("x", "2 to 8 characters, got 1"), ("nine chars", "got 10"), ("5€", "no '€'")]
)
def test_a_text_that_cannot_be_shown_is_said_in_the_status_line(text, says):
    explorer = AttentionExplorer(attend, "the king", alt="words")
    before = explorer.picture.value
    explorer.text.value = text
    assert says.replace("'", "&#x27;") in explorer.status.value
    assert explorer.picture.value == before
    explorer.text.value = "fine"
    assert explorer.status.value == ""


def test_the_bundle_carries_a_still_of_the_first_state_and_the_alternative_text():
    explorer = AttentionExplorer(attend, "the king", alt="eight words that say what is to be seen")
    first = explorer.still()
    explorer.head.value = 2
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == "eight words that say what is to be seen"
    assert data["image/png"] == first
    assert "application/vnd.jupyter.widget-view+json" in data
    other = AttentionExplorer(attend, "the king", layer=1, alt="words")
    assert other.still() != first
    assert LONGEST == 8


def test_the_still_has_the_shade_of_every_cell():
    found, allowed = stages(*attend("the king"), 0, 0), causal_mask(8)
    figure = attention_stages(found.scores, found.scaled, found.weights, allowed, list("the king"))
    png = figures.png(figure)
    for ax, values in zip(figure.axes, (found.scores, found.scaled, found.weights), strict=True):
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
        explorer.head.value = expected.head.value = 2
        assert explorer.picture.value == expected.picture.value
        assert explorer.still() == expected.still()


def test_a_long_product_is_written_by_its_largest_terms():
    q, k = torch.randn(1, 1, 3, 64), torch.randn(1, 1, 3, 64)
    html = frame(q, k, AttentionState("abc", query=2, key=1))
    assert "58 smaller terms" in html


def test_a_text_may_be_cut_into_words():
    def of_words(text):
        x = TABLE[[sum(map(ord, word)) % 128 for word in text.split()]][None]
        pairs = [layer.project(x)[:2] for layer in LAYERS]
        return tuple(torch.stack([p[i][0] for p in pairs]).detach() for i in (0, 1))

    explorer = AttentionExplorer(of_words, "the king <wore> his crown", cut=str.split, unit="words")
    assert (explorer.query.max, explorer.query.value, explorer.key.value) == (4, 4, 3)
    shown = explorer.picture.value
    assert shown.count("<tr>") == 3 * 6
    assert shown.count("&lt;wore&gt;</th>") == 2 * 3
    assert "query 4 <b>crown</b> · key 3 <b>his</b>" in shown
    explorer.text.value = "his crown"
    assert (explorer.query.max, explorer.status.value) == (1, "")
    explorer.text.value = "crown"
    assert "expected 2 to 8 words, got 1" in explorer.status.value
