"""What the explorers of chapters 10 and 11 share: a picture redrawn in milliseconds, and controls above it."""

import html
import io
from collections.abc import Callable
from typing import Any

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
        self._figure, self._moving = figure, moving
        self._canvas = FigureCanvasAgg(figure)
        for artist in moving:
            artist.set_animated(True)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(figure.bbox)

    def png(self) -> bytes:
        """Return what the moving artists show now as PNG."""
        self._canvas.restore_region(self._background)
        for artist in self._moving:
            self._figure.draw_artist(artist)
        out = io.BytesIO()
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3]).save(out, "png", compress_level=1)
        return out.getvalue()


class Explorer(ipywidgets.VBox):
    """A picture with controls above it, a status line, and a still for a page without a kernel."""

    def __init__(self, rows: list[list[ipywidgets.Widget]], first: bytes, size: tuple[int, int], alt: str) -> None:
        self._alt, self._still = alt, first
        self.status = ipywidgets.HTML()
        self.picture = ipywidgets.Image(value=first, format="png", width=size[0], height=size[1])
        super().__init__([*map(ipywidgets.HBox, rows), self.status, self.picture])

    def safely(self, action: Callable[[], Any], *_: Any) -> None:
        """Do what a control asks for; whatever goes wrong is said in the status line."""
        try:
            self.status.value = ""
            action()
        except Exception as error:
            says = html.escape((str(error) or type(error).__name__).splitlines()[0])
            self.status.value = f"<span style='color:{figures.TEXT[figures.ORANGE]}'>{says}</span>"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data |= {"text/plain": self._alt, "image/png": self._still}
        return data, {**metadata, "image/png": {"alt": self._alt}}


def slider(kind: type, description: str, value: float, **options: Any) -> ipywidgets.Widget:
    """Return a slider of the kind, with room for its description."""
    style, layout = {"description_width": "105px"}, ipywidgets.Layout(width="310px")
    return kind(value=value, description=description, style=style, layout=layout, **options)


def _complaint(error: Exception) -> str:
    """Return the first line of an error for a status line; in a callback nothing else would show it."""
    return f"<span style='color:{figures.TEXT[figures.ORANGE]}'>{html.escape(str(error).splitlines()[0])}</span>"


def _visible(character: str) -> str:
    return {" ": "␣", "\n": "⏎"}.get(character, character)
