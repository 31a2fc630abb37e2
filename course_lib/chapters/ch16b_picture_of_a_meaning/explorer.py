"""The explorer of chapter 16b: a reader's own caption, and how near to it each picture of a wall is."""

import textwrap
from dataclasses import dataclass

import ipywidgets
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.chapters.ch16b_picture_of_a_meaning.figures import picture
from course_lib.classroom import figures
from course_lib.classroom.explorers import Explorer
from course_lib.classroom.figures import INK
from course_lib.datasets.captions import encode, parse
from course_lib.datasets.scene_images import Scenes
from course_lib.diffusion.contrastive import Clip, image_features, text_features

COLUMNS = 8


@dataclass(frozen=True)
class WallState:
    """Everything that the picture depends on: two sentences, each a caption of its own."""

    sentence: str = "a red two"
    other: str = "a two"


class WallPicture:
    """The pictures of a wall with their cosines with two captions; the judge on any device, its vectors kept."""

    def __init__(self, clip: Clip, scenes: Scenes) -> None:
        self._clip, self._images = clip, scenes.images
        self._vectors: Float[Tensor, "n width"] = image_features(clip, scenes.images).cpu()

    def cosines(self, state: WallState) -> Float[Tensor, "n 2"]:
        """Return the cosine of each picture with both sentences; ValueError as for ``parse``."""
        for sentence in (state.sentence, state.other):
            parse(sentence)
        return self._vectors @ text_features(self._clip, encode([state.sentence, state.other])).cpu().T

    def frame(self, state: WallState) -> bytes:
        """Return the picture of a state as PNG; the same state gives the same bytes. ValueError as for ``parse``."""
        return figures.png(self.figure(state))

    def figure(self, state: WallState) -> Figure:
        """Draw the wall, each picture over its two cosines, the five nearest to each sentence marked by its letter."""
        near = self.cosines(state)
        rows = -(-len(near) // COLUMNS)
        figure, axes = figures.new(rows, COLUMNS, height=1.25 * rows + 0.7)
        best = [set(column.topk(5).indices.tolist()) for column in near.T]
        for i, ax in enumerate(axes.flat):
            if i >= len(near):
                ax.set_axis_off()
                continue
            picture(ax, self._images[i])
            marks = [letter if i in chosen else "" for letter, chosen in zip("AB", best, strict=True)]
            label = f"A {near[i, 0]:+.2f}   B {near[i, 1]:+.2f}"
            ax.set_xlabel(label, fontsize=8.5, color=INK, fontweight="bold" if any(marks) else "normal")
            ax.set_title("●" + " ●".join(filter(None, marks)) if any(marks) else " ", fontsize=9, color=INK, pad=2)
        told = f"A: {state.sentence}   ·   B: {state.other}   ·   ●: the five nearest"
        figure.suptitle(textwrap.shorten(told, 110), x=0.01, ha="left", fontsize=11, color=INK)
        return figure


class WallExplorer(Explorer):
    """Type two captions; see how near to each every picture of a wall is."""

    State = WallState

    def __init__(self, clip: Clip, scenes: Scenes, alt: str) -> None:
        self._picture = WallPicture(clip, scenes)
        first = WallState()
        self.sentence, self.other = _typed(first.sentence, "caption A"), _typed(first.other, "caption B")
        rows = -(-len(scenes.images) // COLUMNS)
        super().__init__([[self.sentence, self.other]], alt, (950, round(100 * (1.25 * rows + 0.7))))


def _typed(value: str, name: str) -> ipywidgets.Text:
    """Return a field that is read when the reader has finished it."""
    layout, style = ipywidgets.Layout(width="440px"), {"description_width": "90px"}
    return ipywidgets.Text(value, description=name, continuous_update=False, layout=layout, style=style)
