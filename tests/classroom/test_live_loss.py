"""figures.py and widgets.py: what they draw, what they refuse, how fast they answer."""

import io

import matplotlib.image
import torch

from course_lib.classroom.live_loss import LossPlot
from course_lib.training.history import History, Interval

torch.manual_seed(0)


def test_the_loss_plot_grows_with_the_history():
    plot = LossPlot({"pairs": 3.58}, 100)
    empty = plot.frame(History())
    full = plot.frame(History([Interval(10, 1.0, {"loss": 2.5}), Interval(20, 2.0, {"loss": 2.0})]))
    sizes = [matplotlib.image.imread(io.BytesIO(picture)).shape for picture in (empty, full)]
    assert empty != full
    assert sizes[0] == sizes[1]
    assert len(plot._line.get_xdata()) == 2
    plot(History())  # outside a notebook nothing happens
