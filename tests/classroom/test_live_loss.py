"""figures.py and widgets.py: what they draw, what they refuse, how fast they answer."""

import io

import matplotlib.image
import torch

from course_lib.classroom.live_loss import LossPlot
from course_lib.training.checkpoints import History

torch.manual_seed(0)


def test_the_loss_plot_grows_with_the_history():
    plot = LossPlot({"pairs": 3.58}, 100)
    empty = plot.frame(History())
    full = plot.frame(History(steps=[10, 20], seconds=[1, 2], values={"loss": [2.5, 2.0]}))
    sizes = [matplotlib.image.imread(io.BytesIO(picture)).shape for picture in (empty, full)]
    assert empty != full
    assert sizes[0] == sizes[1]
    assert len(plot._line.get_xdata()) == 2
    plot(History())  # outside a notebook nothing happens
