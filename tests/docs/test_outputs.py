"""Pictures keep their text on the way to the site, captions are heard once, explorers find their module."""

import base64
import io
import json

import pytest
from PIL import Image

from docs import outputs
from docs.outputs import Pictures, site_outputs

ALT = "Two curves: the ‘blue’ one <falls> & the other stays."
ESCAPED = "Two curves: the ‘blue’ one &lt;falls&gt; &amp; the other stays."


def png(width=60, height=40):
    out = io.BytesIO()
    Image.new("RGB", (width, height), (1, 86, 252)).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


def figure(alt=ALT, **metadata):
    data = {"image/png": png(), "text/plain": alt}
    return {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": alt}, **metadata}}


def caption(text):
    return {"output_type": "display_data", "data": {"text/markdown": f"*{text}*", "text/plain": text}, "metadata": {}}


@pytest.fixture
def pictures(tmp_path):
    return Pictures(tmp_path, "figures", "02_attention")


def html_of(output):
    return output["data"]["text/html"]


def test_a_picture_keeps_its_text_and_its_size(pictures):
    (shown,) = site_outputs([figure()], pictures, "02")
    assert f'alt="{ESCAPED}"' in html_of(shown)
    assert 'width="60" height="40"' in html_of(shown)
    assert 'src="figures/02_attention-01.webp"' in html_of(shown)


def test_a_picture_keeps_every_pixel(pictures):
    site_outputs([figure()], pictures, "02")
    with Image.open(pictures.folder / "02_attention-01.webp") as image:
        assert image.convert("RGB").getcolors() == [(2400, (1, 86, 252))]


def test_the_caption_that_repeats_the_text_is_seen_and_not_heard_again(pictures):
    (shown,) = site_outputs([figure(), caption(ALT)], pictures, "02")
    assert f'<figcaption aria-hidden="true">{ESCAPED}</figcaption>' in html_of(shown)


def test_other_words_below_a_picture_stay(pictures):
    other = caption("Something else.")
    assert site_outputs([figure(), other], pictures, "02")[1] == other


def test_only_the_first_picture_of_a_page_is_fetched_at_once(pictures):
    first, second = site_outputs([figure(), figure()], pictures, "02")
    assert "lazy" not in html_of(first)
    assert 'loading="lazy"' in html_of(second)


def test_text_and_boxes_stay_as_they_are(pictures):
    stream = {"output_type": "stream", "name": "stdout", "text": "✓ so it is\n"}
    box = {"output_type": "display_data", "data": {"text/html": "<div>◦</div>"}, "metadata": {}}
    assert site_outputs([stream, box], pictures, "02") == [stream, box]


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_picture_without_a_text_is_refused(pictures, alt):
    with pytest.raises(ValueError, match="alternative text"):
        site_outputs([figure(alt)], pictures, "02")


def test_a_still_says_where_its_picture_moves(pictures):
    (shown,) = site_outputs([figure(course_explorer={"still": True})], pictures, "11b")
    assert "chapter 11b" in html_of(shown)
    assert f'href="{outputs.START}"' in html_of(shown)
    assert "data-module" not in html_of(shown)


def test_a_live_explorer_brings_its_module_its_numbers_and_its_still(pictures):
    told = {"module": "bells.js", "data": {"text": "</script><b>"}, "state": {"mean": 1.5}}
    (shown,) = site_outputs([figure(course_explorer=told)], pictures, "01")
    text = html_of(shown)
    assert outputs.MODULE.findall(text) == ["bells.js"]
    inside = text.split('<script type="application/json">')[1].split("</script>")[0]
    assert json.loads(inside) == {"data": told["data"], "state": told["state"]}
    assert f'alt="{ESCAPED}"' in text
