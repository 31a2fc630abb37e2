"""One space for pictures and sentences: both become unit vectors, and those that belong together lie near each other.

Radford et al. 2021, *Learning transferable visual models from natural language supervision* (CLIP), figure 3, in small.
The loss asks of every picture of a batch which sentence is its own, and the other way round; its best score is the
pointwise mutual information of picture and sentence, up to a constant (van den Oord, Li and Vinyals 2018, section 2.3).
"""

import math
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.attention.text_encoder import TextEncoder
from course_lib.diffusion.step import as_floats
from course_lib.diffusion.unet import GROUPS, GroupNorm
from course_lib.training.eval_mode import evaluating
from course_lib.training.fit import Draw, Step
from course_lib.training.memory_format import as_convolved
from course_lib.training.muon import muon_for_filters
from course_lib.training.transfer import to_device

COLDEST = 0.01  # the temperature stays above it (Radford et al. 2021, section 2.5)
Matched = tuple[Tensor, Tensor]  # images in [−1, 1] and the tokens of their captions


def similarities(images: Float[Tensor, "n width"], texts: Float[Tensor, "m width"]) -> Float[Tensor, "n m"]:
    """Return the cosine of each picture's vector with each sentence's, whatever their lengths."""
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


def contrastive_loss(
    images: Float[Tensor, "n width"], texts: Float[Tensor, "m width"], temperature: float | Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Return the mean surprise, in nats, of which sentence is a picture's own and which picture is a sentence's own.

    Row i of both belong together; a score is the cosine over the temperature. Half of the loss is each direction's.
    Sentences beyond the n-th, where there are any, belong to no picture: they are offered, and ask nothing.
    """
    scores = similarities(images, texts) / temperature  # (n, m): a row asks for a picture's sentence
    own = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T[: len(scores)], own)) / 2


def information_bound(scores: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    """Return ln n − the mean surprise of each row's own column, in nats: on average at most the mutual information.

    scores: of n independent pairs, row i and column i of the same one; any function of a row's and a column's part.
    Poole et al. 2019, section 2.3; it is never more than ln n. ValueError where rows and columns do not pair.
    """
    if scores.dim() != 2 or scores.shape[0] != scores.shape[1]:
        raise ValueError(f"scores: expected as many columns as rows, got {tuple(scores.shape)}")
    own = torch.arange(len(scores), device=scores.device)
    return math.log(len(scores)) - F.cross_entropy(scores, own)


def _convolved(inputs: int, outputs: int, side: int, stride: int) -> nn.Sequential:
    """Return a convolution of side × side with its norm and SiLU."""
    convolution = nn.Conv2d(inputs, outputs, side, stride=stride, padding=1)
    return nn.Sequential(convolution, GroupNorm(GROUPS, outputs), nn.SiLU())


class ImageEncoder(nn.Module):
    """Pictures (n, 3, 32, 32) to vectors: five convolutions, three of which halve the sides, and one matrix.

    The matrix sees every place by itself: where a thing lies is not averaged away.
    """

    def __init__(self, width: int = 64, channels: int = 24) -> None:
        super().__init__()
        wide, widest = 2 * channels, 4 * channels
        self.layers = nn.Sequential(
            _convolved(3, channels, 4, 2),  # (n, channels, 16, 16)
            _convolved(channels, wide, 4, 2),
            _convolved(wide, wide, 3, 1),  # (n, 2 channels, 8, 8)
            _convolved(wide, widest, 4, 2),
            _convolved(widest, widest, 3, 1),  # (n, 4 channels, 4, 4)
            nn.Flatten(),
            nn.Linear(16 * widest, width),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n width"]:
        """Return a vector for each picture; pixels are −1 black to 1."""
        return self.layers(as_convolved(self, images))


class Clip(nn.Module):
    """A picture's encoder and a sentence's, both into unit vectors of one space, and the temperature of the scores.

    text: an encoder with vectors of ``width`` numbers that has learned to read; one of its own is trained along where
    there is none.
    """

    def __init__(
        self, vocabulary: int, length: int = 20, width: int = 64, channels: int = 24, text: TextEncoder | None = None
    ) -> None:
        super().__init__()
        self.width = width
        self.image = ImageEncoder(width, channels)
        self.text = TextEncoder(vocabulary, length, width) if text is None else text
        self.whole = nn.Linear(width, width, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))  # minus the temperature's logarithm

    @property
    def temperature(self) -> Float[Tensor, ""]:
        """What the cosines are divided by; trained, and never below 0.01."""
        return (-self.log_scale).exp().clamp(min=COLDEST)

    def embed_images(self, images: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n width"]:
        """Return the unit vectors of pictures, −1 black to 1."""
        return F.normalize(self.image(images).float(), dim=-1)

    def embed_texts(self, tokens: Int[Tensor, "n length"]) -> Float[Tensor, "n width"]:
        """Return the unit vectors of sentences."""
        return F.normalize(self.whole(self.text(tokens)[0][:, 0]).float(), dim=-1)


def draw_matched(
    images: UInt8[Tensor, "n 3 32 32"],
    tokens: Int[Tensor, "m length"],
    batch: int,
    wrong: Int[Tensor, "m length"] | None = None,
) -> Draw[Matched]:
    """Return the function that ``fit`` draws pictures with their captions, on their device; the generator is a CPU's.

    No pair comes twice in a batch. wrong: a caption for each picture that is not true of it, to be offered as well: the
    batch then has twice as many captions, the right ones first (Yuksekgonul et al. 2023, section 4). ValueError for
    another number of captions than images, and for a batch that is larger than there are pairs.
    """
    if len(images) != len(tokens):
        raise ValueError(f"tokens: expected one caption for each of {len(images)} images, got {len(tokens)}")
    if not 2 <= batch <= len(images):
        raise ValueError(f"batch: expected 2 to {len(images)} pairs, got {batch}")
    offered = [words.to(images.device) for words in (tokens, wrong) if words is not None]

    def draw(generator: torch.Generator) -> Matched:
        (chosen,) = to_device(images.device, torch.randperm(len(images), generator=generator)[:batch])
        return as_pixels(images[chosen]), torch.cat([words[chosen] for words in offered])

    return draw


def contrastive_optimizers(model: Clip, rate: float = 0.02, adamw_rate: float = 3e-3) -> dict[str, Optimizer]:
    """Return Muon for the matrices and filters of both encoders, and AdamW for what else is trained."""
    return muon_for_filters(model, rate, adamw_rate, but=("text.embedding", "text.positions"))


def contrastive_step(model: Clip, optimizers: Iterable[Optimizer], bfloat16: bool = False) -> Step[Matched]:
    """Return the step for ``fit``: the loss on a batch of pairs, its gradient, one update. Scalars: loss, temperature.

    bfloat16: both encoders under autocast; the vectors are made unit vectors, and compared, in float32.
    """
    optimizers = list(optimizers)

    def step(batch: Matched) -> dict[str, Tensor]:
        images, tokens = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16):
            pictures, sentences = model.embed_images(images), model.embed_texts(tokens)
        temperature = model.temperature
        loss = contrastive_loss(pictures, sentences, temperature)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return {"loss": loss, "temperature": temperature}

    return step


@torch.no_grad()
def image_features(
    model: Clip, images: UInt8[Tensor, "n 3 32 32"] | Float[Tensor, "n 3 32 32"], at_once: int = 500
) -> Float[Tensor, "n width"]:
    """Return the unit vectors of many pictures, bytes or −1 black to 1, with the model in eval mode meanwhile."""
    device = model.log_scale.device
    with evaluating(model):
        parts = [model.embed_images(as_pixels(part.to(device))) for part in images.split(at_once)]
    return torch.cat(parts)


@torch.no_grad()
def text_features(model: Clip, tokens: Int[Tensor, "n length"], at_once: int = 500) -> Float[Tensor, "n width"]:
    """Return the unit vectors of many sentences, with the model in eval mode meanwhile."""
    with evaluating(model):
        return torch.cat([model.embed_texts(part.to(model.log_scale.device)) for part in tokens.split(at_once)])


def climb(
    score: Callable[[Tensor], Tensor],
    pixels: Float[Tensor, "n *shape"],
    start: Float[Tensor, "n *shape"],
    step: float,
    limit: float,
) -> Float[Tensor, "n *shape"]:
    """Return pixels after one step up the score, none further than ``limit`` from where it started, all in [−1, 1].

    score(pixels) gives a number for each picture. Each pixel moves by ``step`` in the direction that raises its own
    picture's score (Goodfellow, Shlens and Szegedy 2015; with the way back, Madry et al. 2018, section 2.1).
    """
    at = pixels.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(at).sum(), at)
    moved = pixels.detach() + step * gradient.sign()
    return torch.minimum(torch.maximum(moved, start - limit), start + limit).clamp(-1, 1)


def as_pixels(images: Tensor) -> Float[Tensor, "n 3 32 32"]:
    """Return pictures as numbers from −1 black to 1, whether they come as bytes or so already; cut off beyond."""
    return as_floats(images).clamp(-1, 1)
