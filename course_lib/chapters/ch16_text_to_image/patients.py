"""Drawers of symbols with a fault each, that the learner names from their drawings and what a program finds in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.attention.captioned import CaptionedTransformer, draw_images
from course_lib.datasets.captions import encode
from course_lib.datasets.scene_images import load_scenes
from course_lib.evaluation.classifier import Classifier
from course_lib.evaluation.scenes import describe, exchanged, right
from course_lib.vae.quantised import QuantisedAutoencoder

FAULTS = (
    "caption_of_another",
    "words_sorted",
    "too_much_guidance",
    "codebook_collapsed",
    "column_by_column",
    "temperature_zero",
)
SHEETS = {"sound": "", "A": "words_sorted", "B": "column_by_column"}
CAPTIONS = (
    "a small blue two above a large red six",
    "a large green four left of a small yellow three",
    "a small cyan eight above a large magenta six",
    "a large yellow zero left of a small blue six",
)
ENTRIES_LEFT, WEIGHT, TEMPERATURE, MEASURED = 6, 2.0, 0.7, 60


@dataclass(frozen=True)
class Drawer:
    """An autoencoder of symbols, the Transformer that draws them, and the judge of what is drawn."""

    autoencoder: QuantisedAutoencoder
    model: CaptionedTransformer
    judge: Classifier

    def drawn(self, tokens: Tensor, fault: str, seed: int) -> Tensor:
        """Return one picture for each caption (n, 3, 32, 32) in −1 … 1, drawn with a fault, "" for none."""
        tokens = tokens.to(self.model.embedding.weight.device)
        if fault == "caption_of_another":
            tokens = tokens.roll(-(len(tokens) // 2), 0)
        if fault == "words_sorted":
            tokens = torch.where(tokens > 0, tokens, 10_000).sort(1).values % 10_000
        generator = torch.Generator().manual_seed(seed)
        temperature = 0.0 if fault == "temperature_zero" else TEMPERATURE
        weight = 20.0 if fault == "too_much_guidance" else WEIGHT
        symbols = draw_images(self.model, tokens, generator, temperature, weight).view(-1, 8, 8)
        if fault == "column_by_column":
            symbols = symbols.transpose(1, 2)
        if fault == "codebook_collapsed":
            symbols = self._left(symbols)
        return self.autoencoder.images(symbols).clamp(-1, 1)

    def _left(self, symbols: Tensor) -> Tensor:
        """Return symbols of the few entries that are used most here, the nearest in place of each."""
        entries = self.autoencoder.codebook.entries
        kept = symbols.flatten().bincount(minlength=len(entries)).topk(ENTRIES_LEFT).indices
        return kept[torch.cdist(entries, entries[kept]).argmin(1)][symbols]


@torch.no_grad()
def shown(drawer: Drawer, faults: dict[str, str]) -> dict[str, Tensor]:
    """Return four drawings of each of four captions for each patient; faults: name on the sheet → fault."""
    tokens = encode([caption for caption in CAPTIONS for _ in range(4)])
    return {name: drawer.drawn(tokens, fault, seed=3) for name, fault in faults.items()}


@torch.no_grad()
def measured(drawer: Drawer, faults: Sequence[str] = ("", *FAULTS), n: int = MEASURED) -> dict[str, dict[str, float]]:
    """Return, for sound drawing and each fault, what the program finds right in drawings of n test captions of two.

    Shares of all, count, digit, colour, size, place; of two different colours asked for the share exchanged.
    """
    scenes = load_scenes(3 * n, torch.Generator().manual_seed(9), "test", say=1.0)
    pairs = (scenes.asked[:, 4] >= 0).nonzero().flatten()[:n]
    asked, tokens = scenes.asked[pairs], scenes.tokens[pairs]
    two = asked[:, 1] != asked[:, 5]
    found: dict[str, dict[str, float]] = {}
    for fault in faults:
        described, counts = describe(drawer.drawn(tokens, fault, seed=1), drawer.judge)
        answers = right(described, counts, asked)
        shares = {key: answer.double().mean().item() for key, answer in answers.items()}
        shares["exchanged"] = exchanged(described, asked)[two].double().mean().item()
        found[fault or "sound"] = shares
    return found
