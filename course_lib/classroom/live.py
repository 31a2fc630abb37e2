"""Explorers that compute in the page: one ES module each, alike in a notebook and on a page without a kernel.

A module is a file ``<name>.js`` beside the Python of its chapter. It exports ``compute(data, state)``, the same numbers
as the explorer's ``compute`` here, and a default with ``render({model, el})``, which anywidget calls. It imports
nothing: what modules share is ``live.js``, which ``source`` puts before a module's own text.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from matplotlib.figure import Figure

from course_lib.classroom import figures

HERE = Path(__file__).parent


@cache
def source(module: str) -> str:
    """Return the whole text of a module, ``name.js``: what modules share, then its own.

    FileNotFoundError for a name that no chapter has, ValueError for one that two have.
    """
    found = sorted((HERE.parent / "chapters").glob(f"*/{module}"))
    if not found:
        raise FileNotFoundError(f"module: no chapter of the library has {module!r}")
    if len(found) > 1:
        raise ValueError(f"module: expected one file {module!r}, got {', '.join(path.parent.name for path in found)}")
    return "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "live.js", found[0]))


def rounded(value: Any, digits: int = 9) -> Any:
    """Return numbers, texts, lists and dicts of them with each float rounded to so many significant digits.

    What is stored in a notebook is then the same text on machines that differ in the last bits. Tuples become lists.
    """
    if isinstance(value, Mapping):
        return {key: rounded(x, digits) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(x, digits) for x in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


class LiveExplorer(anywidget.AnyWidget):
    """Controls, a picture and a sentence that says the finding, all made by a module in the page.

    A subclass names its module and has ``compute``, the reference for the module's function of that name, and
    ``figure``, its still. What the page cannot know, the reader's own text for one, its ``answer`` works out.

    data: what the module needs, as JSON has it, the floats rounded to nine digits; state: the controls' first values;
    alt: the alternative text of the still.
    """

    module: ClassVar[str]
    data = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)  # what went wrong, shown above the picture
    kernel = traitlets.Bool(True, read_only=True).tag(sync=True)  # a page without one has nothing under this name

    def __init__(self, data: dict[str, Any], state: dict[str, Any], alt: str) -> None:
        if not alt.strip():
            raise ValueError("alt: expected one or two sentences that say what the explorer shows, got none")
        self._esm, self._alt = source(self.module), alt
        self.first = rounded(data), rounded(state)
        super().__init__(data=self.first[0], state=self.first[1])
        self.observe(self._answer, names="state")

    @staticmethod
    def compute(data: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Return the numbers of a state: what the module's ``compute`` returns, from the library's own functions."""
        raise NotImplementedError

    @staticmethod
    def figure(data: dict[str, Any], state: dict[str, Any]) -> Figure:
        """Return the picture of a state for a page on which nothing moves."""
        raise NotImplementedError

    def still(self) -> bytes:
        """Return the picture of the first state as PNG."""
        return figures.png(self.figure(*self.first))

    def answer(self, state: dict[str, Any]) -> None:
        """Do what the page alone cannot when the state has changed: a subclass may set ``data``. Nothing here."""

    @traitlets.validate("state")
    def _complete(self, proposal: Any) -> dict[str, Any]:
        state, fields = proposal["value"], self.first[1]
        if state.keys() != fields.keys():
            raise ValueError(f"state: expected the fields {', '.join(fields)}, got {', '.join(state) or 'none'}")
        return state

    def _answer(self, change: Any) -> None:
        try:
            self.answer(change["new"])
            self.said = ""
        except Exception as error:  # nothing else would show it
            lines = [line for line in str(error).splitlines() if line.strip()]
            self.said = lines[0] if lines else type(error).__name__

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if bundle is not None else ({}, {})
        live = {"module": self.module, "data": self.first[0], "state": self.first[1]}
        data |= {"text/plain": self._alt, "image/png": self.still()}
        return data, {**metadata, "image/png": {"alt": self._alt}, "course_explorer": live}
