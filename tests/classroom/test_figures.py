"""figures.py: what it draws, what it takes as numbers, what it refuses."""

import io

import matplotlib.image
import numpy as np
import pytest
import torch
from elsewhere import Away
from pictures import contrast
from PIL import Image

from course_lib.attention.masks import causal_mask
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


KINDS = {
    "array": lambda x: x.numpy(),
    "list": lambda x: x.tolist(),
    "list of tensors": list,
    "with a graph": lambda x: x.requires_grad_() if x.is_floating_point() else x,
    "elsewhere": lambda x: x.as_subclass(Away),
    "elsewhere, with a graph": lambda x: (x.requires_grad_() * 1).as_subclass(Away) if x.is_floating_point() else x,
    "list of tensors elsewhere": lambda x: [each.as_subclass(Away) for each in x],
}
DRAW = {
    "line": lambda ax, of: figures.line(ax, of(torch.arange(4.0)), of(torch.rand(4)), figures.TEAL, "label"),
    "level": lambda ax, of: figures.level(ax, of(torch.tensor([0.5]))[0], "level"),
    "weights": lambda ax, of: figures.matrix(
        ax, of(torch.rand(2, 2)), "ab", "cd", mask=of(causal_mask(2)), row_sums=True
    ),
    "signed": lambda ax, of: figures.matrix(ax, of(torch.randn(2, 3)), "ab", "cde", kind="signed"),
    "bits": lambda ax, of: figures.bits(ax, of(torch.rand(3)), "a b"),
    "tiles": lambda ax, of: figures.tiles(ax, of(torch.rand(3, 1, 4, 4)), columns=2),
    "points": lambda ax, of: figures.points(ax, of(torch.randn(5, 2))),
    "own": lambda ax, of: ax.bar(range(3), figures.values(of(torch.rand(3)))),
}


def drawn(name, of):
    torch.manual_seed(0)
    figure, ((ax,),) = figures.new(width=3, height=2)
    DRAW[name](ax, of)
    return figures.png(figure)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DRAW)
def test_numbers_of_every_kind_give_the_picture_of_a_plain_tensor(name, kind):
    assert drawn(name, KINDS[kind]) == drawn(name, lambda x: x)


def test_the_stand_in_is_refused_by_matplotlib_itself():
    _, ((ax,),) = figures.new()
    with pytest.raises(TypeError, match="to numpy"):
        ax.bar(range(3), torch.rand(3).as_subclass(Away))


def test_values_keep_their_type_where_numpy_has_it():
    assert figures.values(torch.arange(3)).dtype == np.int64
    assert figures.values(causal_mask(2)).dtype == bool
    assert figures.values(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert figures.values(range(3)).tolist() == [0, 1, 2]


def test_the_ink_can_be_read_on_every_cell():
    for value in np.linspace(0, 1, 101):
        assert contrast(figures.ink_on(value), figures.WEIGHTS(value)) > 3.7, value
    for value in np.linspace(-2, 2, 101):
        assert contrast(figures.ink_on(value, limit=2), figures.SIGNED(0.5 + value / 4)) > 3.7, value


def test_a_matrix_is_written_in_the_ink_of_its_cells():
    _, ((left, right),) = figures.new(1, 2)
    figures.matrix(left, [[0.46, 0.47]], "a", "bc")
    figures.matrix(right, [[-1.0, 1.0]], "a", "bc", kind="signed")
    assert [text.get_color() for ax in (left, right) for text in ax.texts] == [
        figures.INK,
        "white",
        "white",
        figures.INK,
    ]


def test_without_colour_a_signed_picture_still_tells_its_sign():
    grey = []
    for sign in (1.0, -1.0):
        figure, ((ax,),) = figures.new()
        figures.matrix(ax, [[sign, 0.0], [0.0, 0.0]], [], [], kind="signed", digits=False, limit=1.0)
        grey.append(np.asarray(Image.open(io.BytesIO(figures.png(figure))).convert("L"), float))
    above, below = (picture[60:160, 60:400].std() for picture in grey)  # inside the cell
    assert above < 1 < 10 < below
