"""The explorer of chapter 11b: one noise, ten classes, and what its length and a direction do."""

from dataclasses import dataclass
from functools import partial

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.classroom import figures
from course_lib.classroom.explorers import Blitted, Explorer, control
from course_lib.evaluation.classifier import Classifier, features_and_logits
from course_lib.gan.dcgan import Generator, sample


@dataclass(frozen=True)
class NoiseState:
    """Everything that the picture depends on: which noise, its length as a multiple, steps along the direction."""

    which: int = 0
    length: float = 1.0
    along: float = 0.0


class NoisePicture(Blitted):
    """One image of each class from the same noise, and what the classifier reads; the networks on any device."""

    def __init__(self, generator: Generator, classifier: Classifier, direction: Float[Tensor, "latent"]) -> None:
        self._generator, self._classifier, self._direction = generator, classifier, direction.detach().cpu()
        figure, ((ax,),) = figures.new(height=1.7)
        self._row = ax.imshow(torch.zeros(30, 300).numpy(), cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
        ax.set(yticks=(), xticks=[30 * c + 15 for c in range(10)])
        ax.tick_params(length=0)
        ax.set_xticklabels([f"asked: {c}" for c in range(10)])
        ax.spines[:].set_visible(False)
        self._title = ax.set_title("one", loc="left", fontsize=11, color=figures.INK)
        super().__init__(figure, [self._row, self._title])

    def frame(self, state: NoiseState) -> bytes:
        """Return the picture of a state as PNG; the same state gives the same bytes."""
        z = torch.randn(len(self._direction), generator=torch.Generator().manual_seed(state.which))
        z = state.length * z + state.along * self._direction
        makes, reads = (next(network.parameters()).device for network in (self._generator, self._classifier))
        images = sample(self._generator, z.expand(10, -1).to(makes), torch.arange(10).to(makes)).detach().cpu()
        read = features_and_logits(self._classifier, images.to(reads))[1].argmax(1).cpu()
        ink = ((images + 1) / 2).mean()
        self._row.set_data(figures.tiled(images, columns=10, low=-1.0))
        says = " ".join(map(str, read.tolist()))
        self._title.set_text(f"z has length {z.norm():.1f}; ink {100 * ink:.0f} %; the classifier reads {says}")
        return self.png()


class NoiseExplorer(Explorer):
    """Choose a noise, stretch it, move it along a direction; see the ten classes that it makes."""

    State = NoiseState

    def __init__(
        self, generator: Generator, classifier: Classifier, direction: Float[Tensor, "latent"], alt: str = ""
    ) -> None:
        self._picture = NoisePicture(generator, classifier, direction)
        number = partial(control, ipywidgets.FloatSlider, step=0.05)
        self.which = control(ipywidgets.IntSlider, "noise", 0, min=0, max=99)
        self.length = number("length ×", 1.0, min=0.0, max=2.0)
        self.along = number("direction ×", 0.0, min=-3.0, max=3.0)
        alt = alt or "Ten generated digits of one noise, one of each class, with what the classifier reads."
        super().__init__([[self.which, self.length, self.along]], alt, (950, 170))
