"""An autoregressive Transformer over the pixels of an image, row by row: p(x) = Π p(pixel | those before).

Van den Oord, Kalchbrenner and Kavukcuoglu 2016, *Pixel recurrent neural networks*; with a Transformer Chen et al. 2020,
*Generative pretraining from pixels*. A pixel is one of levels symbols; one more symbol stands before the first pixel.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from course_lib.attention.sampling import generate
from course_lib.attention.transformer import KVCache, Transformer, modern


class PixelTransformer(Transformer):
    """A Transformer that reads the start and pixels, and predicts pixels: logits of levels symbols, not of the start.

    Its positions are learned, one for each place of the image; the rest is as in ``modern``.
    """

    def __init__(self, pixels: int, levels: int = 8, n_layers: int = 2, n_heads: int = 2, d_model: int = 64) -> None:
        sizes = {"n_layers": n_layers, "n_heads": n_heads, "d_model": d_model}
        super().__init__(modern(levels + 1, context_length=pixels, positions="learned", **sizes))
        self.levels = levels

    def forward(
        self, tokens: Int[Tensor, "batch time"], cache: KVCache | None = None
    ) -> Float[Tensor, "batch time levels"]:
        """Return the logits of the pixel after each position; else as ``Transformer.forward``."""
        return super().forward(tokens, cache)[..., : self.levels]


def after_start(x: Int[Tensor, "batch pixels"], levels: int) -> Int[Tensor, "batch pixels"]:
    """Return what is read to predict the pixels x: the start, which is symbol number levels, then all but the last."""
    return F.pad(x[:, :-1], (1, 0), value=levels)


@torch.no_grad()
def pixel_log_likelihoods(
    model: PixelTransformer, x: Int[Tensor, "n pixels"], at_once: int = 200
) -> Float[Tensor, "n pixels"]:
    """Return ln p(pixel | those before) of each pixel, in nats; the sum over an image is ln p(x), exactly.

    In float64 on the CPU; at_once images are read together.
    """
    parts = []
    for part in x.split(at_once):
        log_p = model(after_start(part, model.levels)).float().log_softmax(-1)
        parts.append(log_p.gather(-1, part[..., None]).squeeze(-1).cpu().double())
    return torch.cat(parts)


def draw_pixels(
    model: PixelTransformer, n: int, generator: torch.Generator, at_once: int = 500
) -> Int[Tensor, "n pixels"]:
    """Return n images, drawn pixel by pixel; the generator lives on the CPU, at_once images are drawn together."""
    nothing = torch.empty(n, 0, dtype=torch.long, device=model.embedding.weight.device)
    return complete_pixels(model, nothing, generator, at_once)


def complete_pixels(
    model: PixelTransformer, given: Int[Tensor, "n some"], generator: torch.Generator, at_once: int = 500
) -> Int[Tensor, "n pixels"]:
    """Return images whose first pixels are the given ones and the others drawn, each given all before it.

    A draw from p(rest | given), exactly. ValueError for more pixels than the model's images have.
    """
    pixels = model.config.context_length
    if given.shape[1] > pixels:
        raise ValueError(f"given: expected at most {pixels} pixels, got {given.shape[1]}")
    started = F.pad(given, (1, 0), value=model.levels)
    missing = pixels - given.shape[1]
    parts = [generate(model, part, missing, generator)[:, 1:] for part in started.split(at_once)]
    return torch.cat(parts) if parts else given
