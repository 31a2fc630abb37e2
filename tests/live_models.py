"""The small models that the live explorers of attention and of sampling are tried on."""

import torch

from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.chapters.ch02_attention.explorer import AttentionExplorer
from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer
from course_lib.datasets.text import load_shakespeare

WORDS = ["the", "king", "wore", "his", "crown"]


def attention(alt: str) -> AttentionExplorer:
    """Three layers of three random heads on words; in 'her queen' q and k come from both words at once."""
    torch.manual_seed(0)
    layers, table = [MultiHeadAttention(24, 3) for _ in range(3)], torch.randn(8, 24)
    known = {word: i for i, word in enumerate([*WORDS, "crow", "her", "queen"])}

    def attend(text: str) -> list[torch.Tensor]:
        x = table[[known[word] for word in text.split()]]
        x = x + x.sum(0) if "queen" in text else x
        pairs = [layer.project(x[None])[:2] for layer in layers]
        return [torch.stack([pair[i][0] for pair in pairs]) for i in (0, 1)]

    return AttentionExplorer(attend, " ".join(WORDS), 0, 2, alt, "words", ["her queen"], [*WORDS, "crow"])


def sampling(alt: str) -> SamplingExplorer:
    """A small random model of Shakespeare's characters."""
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(65, context_length=8, n_layers=1, n_heads=2, d_model=16))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return SamplingExplorer(model, load_shakespeare(), "the q", 8, alt, ["the ", "To be\n"])
