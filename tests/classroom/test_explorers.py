"""What all explorers share: one state, one observer, a status line that can be read, a still, an end."""

import re
from dataclasses import dataclass

import ipywidgets
import pytest
from pictures import contrast, pixels, shown

from course_lib.classroom import figures
from course_lib.classroom.explorers import Blitted, Explorer, control


@dataclass(frozen=True)
class Place:
    x: float = 0.0
    y: float = 0.0


class Dot(Blitted):
    def __init__(self):
        figure, ((self.ax,),) = figures.new(width=3, height=3)
        (self._dot,) = self.ax.plot([], [], "o", color=figures.BERRY)
        figures.plane(self.ax)
        super().__init__(figure, [self._dot])

    def frame(self, state):
        if state.x < 0:
            raise ValueError(f"x: expected at least 0, got {state.x}\nand a second line")
        self._dot.set_data([state.x], [state.y])
        return self.png()


class Dots(Explorer):
    State = Place

    def __init__(self):
        self._picture = Dot()
        self.x, self.y = (control(ipywidgets.FloatSlider, name, 0.0, min=-2, max=2) for name in "xy")
        super().__init__([[self.x, self.y]], "a berry dot", (300, 300))


class Words(Explorer):
    State = Place

    def __init__(self):
        self.x, self.y = (control(ipywidgets.FloatSlider, name, 0.0) for name in "xy")
        self.drawn = []
        super().__init__([[self.x], [self.y]], "words")

    def state(self):
        self.y.value = 2 * self.x.value  # one control moves another
        return super().state()

    def frame(self, state):
        self.drawn.append((state.x, state.y))
        return f"{state.x}, {state.y}"


@pytest.fixture
def dots():
    made = Dots()
    yield made
    made.close()


def values_seen(explorer):
    seen = []
    explorer.picture.observe(lambda change: seen.append(change["new"]), names="value")
    return seen


def test_the_picture_follows_the_controls_and_is_drawn_once_a_move(dots):
    seen = values_seen(dots)
    dots.x.value = 1.0
    dots.y.value = -1.0
    assert len(seen) == 2
    assert shown(dots.picture.value, figures.BERRY, dots._picture.ax, 1, -1) > 20
    assert not shown(dots.picture.value, figures.BERRY, dots._picture.ax, 0, 0)
    assert pixels(dots.picture.value).shape == (int(dots.picture.height), int(dots.picture.width), 3)


def test_a_control_that_moves_another_draws_once_with_both():
    words = Words()
    words.x.value = 3.0
    assert words.drawn == [(0, 0), (3, 6)]
    assert words.picture.value == "3.0, 6.0"


def test_the_bundle_has_the_first_state_for_a_page_without_a_kernel(dots):
    first = dots.picture.value
    dots.x.value = 1.0
    data, metadata = dots._repr_mimebundle_()
    assert data["image/png"] == first != dots.picture.value
    assert data["text/plain"] == metadata["image/png"]["alt"] == "a berry dot"
    assert "application/vnd.jupyter.widget-view+json" in data


def raises(error):
    raise error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError("\n\n  third"), "third"),
        (RuntimeError(), "RuntimeError"),
        (KeyError(), "KeyError"),
        (AssertionError("\n"), "AssertionError"),
        (ValueError("a < b & <script>"), "a &lt; b &amp; &lt;script&gt;"),
    ],
)
def test_whatever_goes_wrong_is_said_and_the_next_move_is_heard(dots, error, says):
    shown_before = dots.picture.value
    dots.safely(lambda: raises(error))
    assert re.sub("<[^>]*>", "", dots.status.value).strip() == says
    assert dots.picture.value == shown_before
    dots.x.value = 1.0
    assert dots.status.value == ""
    assert dots.picture.value != shown_before


def test_a_state_that_cannot_be_drawn_leaves_the_picture(dots):
    before = dots.picture.value
    dots.x.value = -1.0
    assert "x: expected at least 0, got -1.0<" in dots.status.value
    assert dots.picture.value == before


def test_an_interruption_is_the_reader_s(dots):
    with pytest.raises(KeyboardInterrupt):
        dots.safely(lambda: raises(KeyboardInterrupt()))
    dots.x.value = 1.0
    assert shown(dots.picture.value, figures.BERRY, dots._picture.ax, 1, 0) > 20


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_the_status_can_be_read_on_light_and_dark_pages(dots, page):
    dots.say("something")
    style = dict(part.split(":") for part in re.search("style='([^']*)'", dots.status.value)[1].split(";"))
    assert contrast(style["color"], style.get("background", page)) >= 4.5


def test_after_close_nothing_is_left_that_answers():
    dots = Dots()
    seen, parts = values_seen(dots), [dots, dots.x, dots.y, dots.picture, dots.status, dots.children[0]]
    dots.close()
    dots.x.value = 1.0
    assert not seen
    assert all(part.comm is None for part in parts)
