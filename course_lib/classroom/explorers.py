"""What the explorers of all chapters share: controls above a picture that answers them in milliseconds."""

import dataclasses
import html
import io
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import ipywidgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_lib.classroom import figures


class Blitted:
    """A figure that is laid out and drawn once; later only its moving artists are, over what was kept."""

    def __init__(self, figure: Figure, moving: list[Artist]) -> None:
        self.figure, self._moving = figure, moving
        self._canvas = FigureCanvasAgg(figure)
        for artist in moving:
            artist.set_animated(True)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(figure.bbox)

    def png(self) -> bytes:
        """Return what the moving artists show now as PNG."""
        self._canvas.restore_region(self._background)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        out = io.BytesIO()
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3]).save(out, "png", compress_level=1)
        return out.getvalue()


class Explorer(ipywidgets.VBox):
    """Controls, a status line and a picture of one state; a still of the first state for a page without a kernel.

    A subclass names its State, a dataclass with a field for each control, and makes before this constructor the
    controls, attributes of the fields' names, and the _picture that draws a state, or has a ``frame`` of its own.
    rows: what stands above the picture; alt: its alternative text; size: width and height of PNG frames in pixels,
    None where frames are HTML.
    """

    State: ClassVar[Any] = None
    _picture: Any = None

    def __init__(self, rows: list[list[ipywidgets.Widget]], alt: str, size: tuple[int, int] | None = None) -> None:
        self._alt, self._acting = alt, False
        self.status = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        if size:  # fixed, so that the page cannot jump
            self.picture = ipywidgets.Image(format="png", width=size[0], height=size[1])
        fields = dataclasses.fields(self.State) if self.State else ()
        self._controls = {field.name: getattr(self, field.name) for field in fields}
        self._first = self.state()
        self.picture.value = self.frame(self._first)
        for control in self._controls.values():
            self.on_change(control, self.redraw)
        super().__init__([*map(ipywidgets.HBox, rows), self.status, self.picture])

    def state(self) -> Any:
        """Return what is to be drawn now: the controls' values."""
        return self.State(**{name: control.value for name, control in self._controls.items()})

    def frame(self, state: Any) -> Any:
        """Return the picture of a state, PNG as bytes or HTML as text: a function of the state alone."""
        return self._picture.frame(state)

    def still(self) -> bytes:
        """Return the picture of the first state as PNG."""
        return self.frame(self._first)

    def redraw(self) -> None:
        """Put the picture of the present state in place of the one that is there."""
        self.picture.value = self.frame(self.state())

    def on_change(self, control: ipywidgets.Widget, action: Callable[[], Any]) -> None:
        """Have an action done, safely, whenever a control's value changes."""
        control.observe(partial(self.safely, action), names="value")

    def safely(self, action: Callable[[], Any], *_: Any) -> None:
        """Do what a control asks for; whatever goes wrong is said in the status line.

        Where the action moves other controls, they ask for nothing: what it draws has their new values.
        """
        if self._acting:
            return
        self._acting, self.status.value = True, ""
        try:
            action()
        except Exception as error:  # nothing else would show it
            lines = [line for line in str(error).splitlines() if line.strip()]
            self.say(lines[0] if lines else type(error).__name__)
        finally:
            self._acting = False

    def say(self, text: str) -> None:
        """Show a text in the status line, on a ground of its own: the page may be dark."""
        box = f"color:{figures.INK};background:#FAE6D6;border-left:4px solid {figures.ORANGE};padding:1px 8px"
        self.status.value = f"<span style='{box}'>{html.escape(text)}</span>"

    def close(self) -> None:
        """Take the explorer off the page; its controls do nothing more."""
        for row in self.children:
            for widget in (*getattr(row, "children", ()), row):
                widget.unobserve_all()
                widget.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data |= {"text/plain": self._alt, "image/png": self.still()}
        return data, {**metadata, "image/png": {"alt": self._alt}, "course_explorer": {"still": True}}


def control(kind: type, description: str, value: Any, **options: Any) -> ipywidgets.Widget:
    """Return a control of the kind, with room for its description."""
    style, layout = {"description_width": "105px"}, ipywidgets.Layout(width="310px")
    return kind(value=value, description=description, style=style, layout=layout, **options)
