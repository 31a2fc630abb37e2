"""Every live explorer, with the states in which its module is compared with its reference in Python."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.ch01_likelihood.explorer import DIRECTIONS, TARGETS, KLExplorer
from course_lib.chapters.ch02_attention.explorer import AttentionExplorer
from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer
from course_lib.chapters.ch06_vae_math.explorer import BoundExplorer
from course_lib.classroom.live import LiveExplorer
from course_lib.datasets.text import load_shakespeare

ALT = "An explorer that is made for a test, with a picture of its first state."


@dataclass(frozen=True)
class Case:
    """An explorer, and what its states may be: each field with its corners and something between."""

    make: Callable[[], LiveExplorer]
    choices: dict[str, list[Any]]

    def states(self) -> list[dict[str, Any]]:
        """Every combination of the choices."""
        return [dict(zip(self.choices, each, strict=True)) for each in itertools.product(*self.choices.values())]


WORDS = ["the", "king", "wore", "his", "crown"]


def attention() -> AttentionExplorer:
    """Two layers of random heads on words; the second text's q and k come from all its words, so they are given."""
    torch.manual_seed(0)
    layers, table = [MultiHeadAttention(24, 3) for _ in range(2)], torch.randn(len(WORDS) + 2, 24)

    def attend(text):
        words = text.split()
        x = table[[WORDS.index(word) if word in WORDS else len(WORDS) + i for i, word in enumerate(words)]]
        x = x + x.sum(0) if "queen" in words else x
        pairs = [layer.project(x[None])[:2] for layer in layers]
        return [torch.stack([pair[i][0] for pair in pairs]) for i in (0, 1)]

    return AttentionExplorer(attend, " ".join(WORDS), 1, 2, ALT, "words", ["her queen"], WORDS)


def sampling() -> SamplingExplorer:
    """A small random model of Shakespeare's characters."""
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(65, context_length=8, n_layers=1, n_heads=2, d_model=16))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return SamplingExplorer(model, load_shakespeare(), "To be\n", 8, ALT, ["the q"])


CASES = {
    "attention_stages": Case(
        attention,
        {
            "text": [" ".join(WORDS), "her queen", "crown king", "the the king wore his his crown king"],
            "layer": [0, 1],
            "head": [0, 2],
            "query": [0, 3, 7],
            "key": [0, 2, 7],
            "stage": [0, 2],
        },
    ),
    "sampling": Case(
        sampling,
        {
            "prompt": ["To be\\n", "the q"],
            "temperature": [0.0, 0.05, 0.7, 1.0, 2.0],
            "top_k": [1, 3, 65],
            "top_p": [0.05, 0.5, 0.95, 1.0],
            "seed": [0, 20],
        },
    ),
    "known_posterior": Case(
        lambda: BoundExplorer(ALT),
        {
            "mean": [-2.0, 0.0, 0.37, 2.0],
            "width": [0.1, 0.514, 1.0, 1.5],
            "x": [-2.0, 0.0, 1.6],
            "noise": [0.5, 0.6, 1.5],
        },
    ),
    "kl_bells": Case(
        lambda: KLExplorer(ALT),
        {
            "target": list(TARGETS),
            "direction": list(DIRECTIONS),
            "mean": [-4.0, -0.4, 0.0, 1.35, 4.0],
            "std": [0.3, 0.6, 2.05, 4.0],
        },
    ),
}
