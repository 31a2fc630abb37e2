"""The small models that the live explorers of attention and of sampling are tried on."""

from typing import Any

import torch

from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, TransformerConfig, modern
from course_lib.chapters.ch02_attention.explorer import AttentionExplorer
from course_lib.chapters.ch05_language_model.explorer import SamplingExplorer
from course_lib.chapters.ch17_chat.explorer import ChatExplorer
from course_lib.chat.template import SPECIAL, ChatTemplate
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


CHAT = ChatTemplate(BytePairs.train("what is the sum? the answer is seven. " * 4, 290, SPECIAL))


def stage(seed: int) -> Transformer:
    """A small random model of what is said in the template ``CHAT``."""
    torch.manual_seed(seed)
    model = Transformer(modern(CHAT.tokenizer.vocab_size, context_length=40, n_layers=1, n_heads=2, d_model=16))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def chat(alt: str, **others: Any) -> ChatExplorer:
    """Two small random stages that were asked the same; the second is made when it is first asked."""
    models = {"pretrained": stage(0), "tuned": lambda: stage(1)}
    opening = [("pretrained", "what is the sum?"), ("tuned", "what is the sum?")]
    return ChatExplorer(models, CHAT, opening, alt, most=12, **others)
