"""A Transformer that reads a caption and writes an image, symbol by symbol.

Ramesh et al. 2021, *Zero-shot text-to-image generation* (the first DALL·E), in small: one sequence, first the words,
then the symbols of an autoencoder's grid row by row (``course_lib.vae.quantised``), p(image | caption) = Π p(symbol |
caption, those before). Here the words are given and cost nothing.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from course_lib.attention.sampling import generate
from course_lib.attention.transformer import KVCache, Transformer, modern

IGNORED = -100  # a target that F.cross_entropy leaves out


class CaptionedTransformer(Transformer):
    """A Transformer over captions of ``length`` tokens and images of ``places`` symbols; it predicts symbols alone.

    Symbols are the numbers 0 … symbols − 1, word w is the number symbols + w. Positions are learned, one for each word
    and one for each place of the image; the rest is as in ``modern``.
    """

    def __init__(
        self, vocabulary: int, length: int, symbols: int, places: int,
        n_layers: int = 4, n_heads: int = 4, d_model: int = 128,
    ) -> None:  # fmt: skip
        sizes = {"n_layers": n_layers, "n_heads": n_heads, "d_model": d_model}
        config = modern(symbols + vocabulary, context_length=length + places, positions="learned", **sizes)
        super().__init__(config)
        self.symbols, self.length, self.places = symbols, length, places

    def forward(
        self, tokens: Int[Tensor, "batch time"], cache: KVCache | None = None
    ) -> Float[Tensor, "batch time symbols"]:
        """Return the logits of the symbol after each position; else as ``Transformer.forward``."""
        return super().forward(tokens, cache)[..., : self.symbols]

    def read(self, captions: Int[Tensor, "batch length"]) -> Int[Tensor, "batch length"]:
        """Return the numbers of a caption's words. ValueError for captions of another length."""
        if captions.shape[1] != self.length:
            raise ValueError(f"captions: expected {self.length} tokens each, got {captions.shape[1]}")
        return captions + self.symbols


def inputs_and_targets(
    model: CaptionedTransformer, captions: Int[Tensor, "batch length"], symbols: Int[Tensor, "batch places"]
) -> tuple[Int[Tensor, "batch time"], Int[Tensor, "batch time"]]:
    """Return what is read and what is to be predicted at each position, for ``next_token_step``.

    The last word predicts the first symbol; at the words before it nothing is asked. ValueError for other numbers of
    words or symbols than the model has places for.
    """
    if symbols.shape[1] != model.places:
        raise ValueError(f"symbols: expected {model.places} an image, got {symbols.shape[1]}")
    read = torch.cat([model.read(captions), symbols[:, :-1]], dim=1)
    return read, F.pad(symbols, (model.length - 1, 0), value=IGNORED)


def draw_images(
    model: CaptionedTransformer,
    captions: Int[Tensor, "n length"],
    generator: torch.Generator,
    temperature: float = 1.0,
    top_p: float | None = None,
    at_once: int = 250,
) -> Int[Tensor, "n places"]:
    """Return the symbols of one image for each caption, drawn one after the other; the generator lives on the CPU."""
    parts = [
        generate(model, model.read(part), model.places, generator, temperature, top_p=top_p)[:, model.length :]
        for part in captions.split(at_once)
        if len(part)
    ]
    return torch.cat(parts) if parts else captions.new_zeros(0, model.places)
