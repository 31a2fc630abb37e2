"""What is handed to Sphinx: every chapter, its links, the contents; and what becomes of the theme's pages."""

import json

import pytest

from docs import anchors, stage, theme
from docs.outputs import Pictures
from docs.stage import Chapter, contents, site_links, site_notebook

HOME = "https://example.org/course"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("[look](02_attention.ipynb#5-·-Several-heads)", "[look](02_attention.ipynb#5-·-Several-heads)"),
        ("[look](../notebooks/02b_attention_reads.ipynb)", "[look](02b_attention_reads.ipynb)"),
        ("[here](#4-·-Train-it)", "[here](#4-·-Train-it)"),
        ("[paper](https://arxiv.org/abs/1706.03762)", "[paper](https://arxiv.org/abs/1706.03762)"),
        ("[what holds](../notebooks/COVERAGE.md)", "[what holds](coverage.md)"),
        ("a picture ![no](x.png) and `f[i](x)`", "a picture ![no](x.png) and `f[i](x)`"),
        ("[README](../README.md)", "README"),
    ],
)
def test_links_lead_to_pages_of_the_site(given, meant):
    assert site_links(given) == meant


def test_a_file_that_is_no_page_is_looked_up_in_the_repository():
    assert site_links("[README](../README.md#x)", HOME) == f"[README]({HOME}/blob/main/README.md#x)"


def test_anchors_have_the_form_that_jupyterlab_gives_them():
    assert anchors.as_jupyterlab("Exercise: which β") == "Exercise:-which-β"


def test_a_page_written_for_github_finds_its_headings():
    page = "# A page\n\n[there](#a-server-over-ssh), [lost](#nothing)\n\n## A server, over SSH\n"
    assert "[there](#A-server,-over-SSH), [lost](#nothing)" in anchors.from_github(page)


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def code(source, outputs=(), **metadata):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": metadata}


@pytest.fixture
def pictures(tmp_path):
    return Pictures(tmp_path, "figures", "02")


@pytest.mark.parametrize("source", ['@exercise("a.b")\ndef f(x):\n    ...', 'answer("a.b", ...)'])
def test_below_what_is_asked_stands_how_to_get_the_course(source, pictures):
    given = notebook(code(source), code("f(1)"))
    asked, other = site_notebook(given, pictures, "02")["cells"]
    assert asked["outputs"][-1]["data"]["text/html"] == stage.ASKED
    assert other["outputs"] == []
    assert given["cells"][0]["outputs"] == []


def test_the_cell_for_a_lone_notebook_is_left_out_and_folds_stay(pictures):
    fold = code("draw()", tags=["hide-input"])
    given = notebook(code(f"if importlib.util.{stage.GUARD} is None:\n    stop()"), fold)
    assert site_notebook(given, pictures, "02")["cells"] == [fold]


def test_every_chapter_has_a_cell_for_a_lone_notebook_that_is_found():
    for path in sorted((stage.ROOT / "notebooks").glob("[0-9]*_*.ipynb")):
        cells = [cell for cell in stage.read(path)["cells"] if stage.GUARD in "".join(cell["source"])]
        assert [cell["outputs"] for cell in cells] == [[]], path.stem


def test_contents_name_parts_questions_and_what_is_optional():
    found = [Chapter("02_attention", "02", "02 · Attention", "Why?"), Chapter("02b_more", "02b", "02b · More", "What?")]
    text = contents(found, ["coverage"])
    assert "### Attention" in text
    assert "### VAE" not in text
    assert "- [02 · Attention](02_attention.ipynb): Why?" in text
    assert "- [02b · More](02b_more.ipynb) *(optional)*: What?" in text
    assert "02_attention\n02b_more\n```" in text


def test_every_chapter_has_a_part_a_title_and_a_question_without_formulas():
    found = stage.chapters(stage.ROOT / "notebooks")
    assert len(found) >= 28
    assert [each.part for each in found] == sorted((each.part for each in found), key=list(stage.PARTS).index)
    assert not [each for each in found if "$" in each.question or "\\" in each.question]


def test_a_chapter_without_a_question_is_refused(tmp_path):
    path = tmp_path / "02_attention.ipynb"
    path.write_text(json.dumps(notebook({"cell_type": "markdown", "source": "# 02 · Attention", "metadata": {}})))
    with pytest.raises(ValueError, match=r"02_attention.ipynb: expected a title"):
        stage.chapter(path)


def test_a_theme_that_writes_other_pages_is_noticed():
    page = "".join([*theme.MENDED, *theme.ALSO])
    assert 'aria-level="2"' in theme.mended(page)
    assert theme.mended(page).endswith('<summary><td class="head"></td>')
    with pytest.raises(ValueError, match="sidebar-drawer"):
        theme.mended(page.replace("sidebar-drawer", "drawer"))
