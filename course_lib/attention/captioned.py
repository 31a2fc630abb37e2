"""A Transformer that reads a caption and writes an image, symbol by symbol.

Ramesh et al. 2021, *Zero-shot text-to-image generation* (the first DALL·E), in small: one sequence, first the words,
then the symbols of an autoencoder's grid row by row (``course_lib.vae.quantised``), p(image | caption) = Π p(symbol |
caption, those before). Here the words are given and cost nothing.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention.sampling import next_distribution
from course_lib.attention.text_encoder import TextEncoder
from course_lib.attention.transformer import KVCache, Transformer, modern
from course_lib.training.eval_mode import evaluating

IGNORED = -100  # a target that F.cross_entropy leaves out


class CaptionedTransformer(Transformer):
    """A Transformer over captions of ``length`` tokens and images of ``places`` symbols; it predicts symbols alone.

    Symbols are the numbers 0 … symbols − 1, word w is the number symbols + w. Positions are learned, one for each word
    and one for each place of the image; the rest is as in ``modern``. text: an encoder that has learned to read; its
    vectors then stand in the place of the words' embeddings (Yu et al. 2022, *Parti*, have one in front, too).
    """

    def __init__(
        self, vocabulary: int, length: int, symbols: int, places: int,
        n_layers: int = 4, n_heads: int = 4, d_model: int = 128, text: TextEncoder | None = None,
    ) -> None:  # fmt: skip
        sizes = {"n_layers": n_layers, "n_heads": n_heads, "d_model": d_model}
        config = modern(symbols + vocabulary, context_length=length + places, positions="learned", **sizes)
        super().__init__(config)
        self.symbols, self.length, self.places = symbols, length, places
        self.text = text
        if text is not None:
            self.told = nn.Linear(text.whole.numel(), d_model)

    def forward(
        self, tokens: Int[Tensor, "batch time"], cache: KVCache | None = None
    ) -> Float[Tensor, "batch time symbols"]:
        """Return the logits of the symbol after each position; else as ``Transformer.forward``."""
        return super().forward(tokens, cache)[..., : self.symbols]

    def embed(self, tokens: Int[Tensor, "batch time"], seen: int = 0) -> tuple[Tensor, Tensor | None]:
        """Return the stream before the first block; what the encoder read stands at the words' places."""
        if self.text is None or seen:
            return super().embed(tokens, seen)
        vectors, _ = self.text(tokens[:, : self.length] - self.symbols)
        words = self.told(vectors[:, 1:] + vectors[:, :1])  # each word, and the whole
        assert self.positions is not None  # they are learned
        return self.positions(torch.cat([words, self._look_up(tokens[:, self.length :])], dim=1)), None

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


def guided_logits(
    any_caption: Float[Tensor, "*batch symbols"], asked: Float[Tensor, "*batch symbols"], weight: float
) -> Float[Tensor, "*batch symbols"]:
    """Return any + weight · (asked − any), the logits of p(s | caption)^weight · p(s)^(1 − weight).

    0 asks nothing, 1 for the caption, more goes beyond (Gafni et al. 2022, *Make-A-Scene*, equation 5; for flows,
    ``course_lib.diffusion.guidance.guided``).
    """
    return any_caption + weight * (asked - any_caption)


@torch.no_grad()
def draw_images(
    model: CaptionedTransformer,
    captions: Int[Tensor, "n length"],
    generator: torch.Generator,
    temperature: float = 1.0,
    weight: float = 1.0,
    begun: Int[Tensor, "n first"] | None = None,
    at_once: int = 250,
) -> Int[Tensor, "n places"]:
    """Return the symbols of one image for each caption, drawn one after the other; the generator lives on the CPU.

    weight: of ``guided_logits``; other than 1 the model also reads the empty caption, which it has to know from
    training. begun: the first symbols of each image, which are kept. ValueError for begun of other lengths.
    """
    if begun is None:
        begun = captions.new_zeros(len(captions), 0)
    if len(begun) != len(captions) or begun.shape[1] > model.places:
        expected = f"at most {model.places} symbols for each of {len(captions)} captions"
        raise ValueError(f"begun: expected {expected}, got {tuple(begun.shape)}")
    with evaluating(model):
        parts = [
            _drawn(model, some, first, generator, temperature, weight)
            for some, first in zip(captions.split(at_once), begun.split(at_once), strict=True)
            if len(some)
        ]
    return torch.cat(parts) if parts else begun.new_zeros(0, model.places)


def _drawn(
    model: CaptionedTransformer, captions: Tensor, begun: Tensor, generator: torch.Generator,
    temperature: float, weight: float,
) -> Tensor:  # fmt: skip
    """Return the symbols of images drawn together; with guidance each is read twice, above without its caption."""
    rows = captions if weight == 1 else torch.cat([torch.zeros_like(captions), captions])
    twice = len(rows) // len(captions)
    cache = KVCache(model.config, len(rows), captions.device, model.embedding.weight.dtype)
    symbols, unread = begun, torch.cat([model.read(rows), begun.repeat(twice, 1)], dim=1)
    while symbols.shape[1] < model.places:
        logits = model(unread, cache)[:, -1].float()
        if twice == 2:
            any_caption, asked = logits.chunk(2)
            logits = guided_logits(any_caption, asked, weight)
        probabilities = next_distribution(logits, temperature).cpu()
        drawn = torch.multinomial(probabilities, 1, generator=generator).to(captions.device)
        symbols, unread = torch.cat([symbols, drawn], dim=1), drawn.repeat(twice, 1)
    return symbols
