"""live_loss.py: the curve is where the history says, and a notebook keeps the last picture with its words."""

import math

import IPython.display
from pictures import pixels, shown

from course_lib.classroom import figures
from course_lib.classroom.live_loss import LossPlot
from course_lib.training import runtime
from course_lib.training.history import History, Interval

HISTORY = History([Interval(10, 1.0, {"loss": 3.0}), Interval(30, 2.0, {"loss": 2.0})])


def test_the_curve_and_the_levels_stand_where_they_should():
    plot = LossPlot({"pairs": 3.58}, 100)
    empty, full = plot.frame(History()), plot.frame(HISTORY)
    assert pixels(empty).shape == pixels(full).shape == (340, 950, 3)
    ax = plot._figure.axes[0]
    for step, nats in ((10, 3.0), (20, 2.5), (30, 2.0)):
        assert shown(full, figures.ORANGE, ax, step, nats / math.log(2)) > 6
        assert not shown(empty, figures.ORANGE, ax, step, nats / math.log(2))
    assert not shown(full, figures.ORANGE, ax, 40, 2 / math.log(2))
    assert sum(shown(full, figures.MUTE, ax, step, 3.58) for step in range(40, 80, 5)) > 20
    assert ax.get_title(loc="left") == "Training, step 30: 2.89 bits"


def test_a_notebook_keeps_the_last_picture_in_the_place_of_the_first(monkeypatch):
    kept, places, plot = [], set(), LossPlot({"pairs": 3.58, "triples": 3.0}, 100)

    def display(bundle, display_id, update, **options):
        places.add(display_id)
        kept[-1 if update else len(kept) :] = [(bundle, options)]

    monkeypatch.setattr(runtime, "in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", display)
    plot(History())
    plot(HISTORY)
    words = "Training loss in bits per character over 100 steps, beside the levels of pairs 3.58, triples 3.00."
    picture = LossPlot({"pairs": 3.58, "triples": 3.0}, 100).frame(HISTORY)
    options = {"raw": True, "metadata": {"image/png": {"alt": words}}}
    assert kept == [({"image/png": picture, "text/plain": words}, options)]
    LossPlot({"pairs": 3.58}, 100)(HISTORY)
    assert len(kept) == len(places) == 2  # another plot has a place of its own


def test_outside_a_notebook_nothing_is_shown(capsys):
    LossPlot({"pairs": 3.58}, 100)(HISTORY)
    assert capsys.readouterr().out == ""
