"""The explorer of chapter 16: a reader's own sentence, four pictures of it, what a program finds, and what was read."""

import textwrap
from dataclasses import dataclass
from typing import Any, NamedTuple

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.attention.captioned import CaptionedTransformer, draw_images
from course_lib.chapters.ch16_text_to_image.figures import colours_of, said
from course_lib.chapters.ch16_text_to_image.looking import looks_of_symbols
from course_lib.classroom import figures
from course_lib.classroom.explorers import Blitted, Explorer, control
from course_lib.classroom.figures import BERRY, INK, ORANGE, TEXT
from course_lib.datasets.captions import MEANING, encode, parse, words
from course_lib.evaluation.classifier import Classifier
from course_lib.evaluation.scenes import describe, right
from course_lib.vae.quantised import QuantisedAutoencoder

PICTURES, MOST_WORDS, TEMPERATURE = 4, 9, 0.7


@dataclass(frozen=True)
class SentenceState:
    """Everything that the picture depends on: the sentence, the weight of the guidance, the seed, whose places look."""

    sentence: str = "a small blue two above a large red six"
    weight: float = 2.0
    seed: int = 0
    which: int = 1


class Drawn(NamedTuple):
    """What is drawn of a sentence: pictures, whether each is all right, what was found; words and where they are."""

    images: Float[Tensor, "4 3 32 32"]
    good: list[bool]
    found: list[str]
    words: list[str]
    maps: Float[Tensor, "4 words 8 8"]


class SentencePicture(Blitted):
    """Four pictures drawn for a sentence, and for one of them what its places looked at; the networks on one device.

    What was drawn last is kept, by the networks and on the canvas: to look at another picture draws the looks alone.
    """

    def __init__(self, autoencoder: QuantisedAutoencoder, model: CaptionedTransformer, judge: Classifier) -> None:
        self._autoencoder, self._model, self._judge = autoencoder, model, judge
        self._last: tuple[tuple[str, float, int], Drawn] | None = None
        self._above: Drawn | None = None  # whose pictures and words are on the canvas
        figure, (top, below) = figures.new(2, 36, height=4.2, height_ratios=(1.7, 1))
        for ax in (*top, *below):
            ax.remove()
        grid = top[0].get_gridspec()
        above = [figure.add_subplot(grid[0, 9 * i : 9 * i + 9]) for i in range(PICTURES)]
        under = [figure.add_subplot(grid[1, 4 * i : 4 * i + 4]) for i in range(MOST_WORDS)]
        black, blank = torch.zeros(32, 32, 3).numpy(), torch.zeros(8, 8).numpy()
        self._shown = [ax.imshow(black, interpolation="nearest") for ax in above]
        self._looks = [ax.imshow(blank, cmap=figures.WEIGHTS, vmin=0, vmax=1, interpolation="nearest") for ax in under]
        for ax in (*above, *under):
            ax.set(xticks=(), yticks=())
            ax.spines[:].set_visible(False)
        self._marks = [ax.set_title("1: ✓ all right", fontsize=9.5, color=INK, loc="left") for ax in above]
        says: dict[str, Any] = {"fontsize": 8.5, "color": TEXT[ORANGE], "ha": "center", "va": "top"}
        self._found = [ax.text(16, 32.5, "two\nlines", **says) for ax in above]
        self._words = [ax.set_title("word", fontsize=9, color=TEXT[BERRY]) for ax in under]
        self._whose = under[0].text(-1, 3.5, "picture 1\nlooks at", fontsize=8.5, rotation=90, ha="right", va="center")
        self._settled = [*self._shown, *self._marks, *self._found, *self._words]
        super().__init__(figure, [*self._settled, *self._looks, self._whose])
        self._empty, self._moving = self._background, [*self._looks, self._whose]

    def frame(self, state: SentenceState) -> bytes:
        """Return the picture of a state as PNG; the same state gives the same bytes. ValueError as for ``parse``."""
        drawn = self.drawn(state)
        if drawn is not self._above:
            self._settle(drawn)
        self._whose.set_text(f"picture {state.which}\nlooks at")
        nothing = torch.zeros(8, 8)
        for i, look in enumerate(self._looks):
            there = i < len(drawn.words)
            look.set_data(figures.values(0.5 + 4 * (drawn.maps[state.which - 1, i] - 0.5) if there else nothing))
        return self.png()

    def _settle(self, drawn: Drawn) -> None:
        """Put under what moves the pictures, what is found, and the words: the same for whatever looks."""
        for i, picture in enumerate(colours_of(drawn.images)):
            self._shown[i].set_data(picture)
            self._marks[i].set_text(f"{i + 1}: {'✓ all right' if drawn.good[i] else '✗ not all right'}")
            self._found[i].set_text("\n".join(textwrap.wrap(drawn.found[i], 30)[:2]))
        for i, word in enumerate(self._words):
            word.set_text(drawn.words[i] if i < len(drawn.words) else "")
        self._canvas.restore_region(self._empty)
        for artist in self._settled:
            self.figure.draw_artist(artist)
        self._background, self._above = self._canvas.copy_from_bbox(self.figure.bbox), drawn

    def drawn(self, state: SentenceState) -> Drawn:
        """Return the pictures, judged, and where each word with a meaning is looked at. ValueError as for ``parse``."""
        key = (state.sentence, state.weight, state.seed)
        if self._last is None or self._last[0] != key:
            self._last = key, self._draw(*key)
        return self._last[1]

    def _draw(self, sentence: str, weight: float, seed: int) -> Drawn:
        asked = torch.tensor(parse(sentence).numbers)
        tokens = encode([sentence]).expand(PICTURES, -1).to(self._model.embedding.weight.device)
        symbols = draw_images(self._model, tokens, torch.Generator().manual_seed(seed), TEMPERATURE, weight)
        images = self._autoencoder.images(symbols.view(-1, 8, 8)).clamp(-1, 1).cpu()
        described, counts = describe(images, self._judge)
        good = right(described, counts, asked.expand(PICTURES, -1))["all"].tolist()
        found = [said(numbers, asked.tolist()) for numbers in described.tolist()]
        spoken = words(sentence)
        told = [i for i, word in enumerate(spoken) if MEANING[word][0]][:MOST_WORDS]
        looks = looks_of_symbols(self._model, tokens, symbols)[:, told].cpu()
        shares = looks / looks.sum(1, keepdim=True)  # of what a place gives to these words, each one's share
        maps = shares.view(PICTURES, len(told), 8, 8) * len(told) / 2  # even shares: a half
        return Drawn(images, good, found, [spoken[i] for i in told], maps)


class SentenceExplorer(Explorer):
    """Type a sentence, choose weight and seed; see four pictures, what a program finds, and what the places look at."""

    State = SentenceState

    def __init__(
        self, autoencoder: QuantisedAutoencoder, model: CaptionedTransformer, judge: Classifier, alt: str
    ) -> None:
        self._picture = SentencePicture(autoencoder, model, judge)
        first, later = SentenceState(), {"continuous_update": False}
        wide, style = ipywidgets.Layout(width="630px"), {"description_width": "105px"}
        self.sentence = ipywidgets.Text(first.sentence, description="sentence", layout=wide, style=style, **later)
        self.weight = control(ipywidgets.FloatSlider, "weight", first.weight, min=0.0, max=8.0, step=0.5, **later)
        self.seed = control(ipywidgets.IntSlider, "seed", first.seed, min=0, max=99, **later)
        self.which = control(ipywidgets.IntSlider, "look at", first.which, min=1, max=PICTURES, **later)
        super().__init__([[self.sentence], [self.weight, self.seed, self.which]], alt, (950, 420))
