"""figures.py and widgets.py: what they draw, what they refuse, how fast they answer."""

import io

import matplotlib.image
import pytest
import torch

from course_lib.attention.masks import causal_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.classroom import figures


def test_a_figure_is_the_same_bytes_twice_and_says_nothing_of_the_moment():
    pictures = []
    for _ in range(2):
        fig, ((ax,),) = figures.new(width=6, height=3)
        figures.matrix(ax, torch.eye(3), "abc", "abc", "weights", mask=causal_mask(3), row_sums=True)
        figures.title(ax, "A finding")
        pictures.append(figures.png(fig))
    assert pictures[0] == pictures[1]
    assert b"Software" not in pictures[0]
    assert matplotlib.image.imread(io.BytesIO(pictures[0])).shape[:2] == (300, 600)


def test_weights_have_a_fixed_range_and_forbidden_cells_no_digit():
    _, ((ax,),) = figures.new()
    figures.matrix(ax, torch.tensor([[0.2, 0.4], [0.1, 0.3]]), "ab", "cd", mask=causal_mask(2), row_sums=True)
    assert ax.images[0].get_clim() == (0, 1)
    written = [t.get_text() for t in ax.texts]
    assert written == ["0.20", "0.10", "0.30", "Σ 0.20", "Σ 0.40"]
    assert [p.get_hatch() for p in ax.patches] == ["////"]
    figures.matrix(ax, torch.tensor([[-3.0, 1.0]]), "a", "cd", kind="signed")
    assert ax.images[1].get_clim() == (-3, 3)


def test_mute_lines_are_always_dashed():
    _, ((ax,),) = figures.new()
    figures.line(ax, [0, 1], [0, 1], figures.MUTE)
    figures.line(ax, [0, 1], [0, 1], figures.BLUE, "label")
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-"]


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_alternative_text_is_refused(alt):
    fig, _ = figures.new()
    with pytest.raises(ValueError, match="alt: expected"):
        figures.show(fig, alt=alt)


torch.manual_seed(0)


LAYERS = torch.nn.ModuleList(MultiHeadAttention(64, 4) for _ in range(2))
