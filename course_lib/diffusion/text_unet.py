"""A U-Net that is told a sentence: a text encoder, and cross-attention from places of the image to its words.

Rombach et al. 2022, section 3.3, in small: queries come from the image, keys and values from the text. The whole
sentence is told a second way, as a class is: its first vector is added to the time's.
"""

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.text_encoder import TextEncoder
from course_lib.diffusion.unet import GROUPS, GroupNorm, UNet


class CrossAttention(nn.Module):
    """x + what each place of x finds among the words; it starts at zero."""

    def __init__(self, channels: int, d_text: int, n_heads: int = 4) -> None:
        super().__init__()
        self.norm = GroupNorm(GROUPS, channels)
        self.text = nn.Linear(d_text, channels, bias=False)
        self.attention = MultiHeadAttention(channels, n_heads)
        nn.init.zeros_(self.attention.output.weight)

    def forward(
        self,
        x: Float[Tensor, "batch channels height wide"],
        words: Float[Tensor, "batch words d_text"],
        there: Bool[Tensor, "batch words"],
    ) -> Float[Tensor, "batch channels height wide"]:
        """Return x with what it found added."""
        found = self.attention(self.places(x), self.text(words), there[:, None, None])
        return x + found.transpose(1, 2).unflatten(-1, x.shape[-2:])

    def weights(
        self,
        x: Float[Tensor, "batch channels height wide"],
        words: Float[Tensor, "batch words d_text"],
        there: Bool[Tensor, "batch words"],
    ) -> Float[Tensor, "batch heads words height wide"]:
        """Return how much each place looks at each word, head by head; over the words they sum to 1."""
        _, weights = self.attention.attend(self.places(x), self.text(words), there[:, None, None])
        return weights.transpose(-1, -2).unflatten(-1, x.shape[-2:])

    def places(self, x: Float[Tensor, "batch channels height wide"]) -> Float[Tensor, "batch places channels"]:
        """Return the normalised places of x, row by row."""
        return self.norm(x).flatten(2).transpose(1, 2)


class TextUNet(nn.Module):
    """Images (batch, channels, side, side), times and tokens (batch, length) to a prediction; tokens 0 ask nothing.

    A ``UNet`` with a text encoder, and with a ``CrossAttention`` behind each block of the valley, whose places have a
    trained vector each: what is above and what is below has to be told apart while all is noise. text: an encoder with
    vectors of d_text numbers that has learned to read; one of its own is trained along where there is none.
    """

    unasked = 0  # the token; a caption of nothing else asks nothing

    def __init__(
        self,
        vocabulary: int,
        length: int = 20,
        image_channels: int = 3,
        side: int = 32,
        channels: int = 32,
        d_text: int = 64,
        fold: int = 2,
        depth: int = 1,
        text: TextEncoder | None = None,
    ) -> None:
        super().__init__()
        wide, width, valley = 2 * channels, 4 * channels, side // fold // 2
        self.unet = UNet(image_channels, channels, fold=fold, depth=depth)
        self.text = TextEncoder(vocabulary, length, d_text) if text is None else text
        self.whole = nn.Linear(d_text, width)
        self.place = nn.Parameter(torch.zeros(1, wide, valley, valley))
        self.looks = nn.ModuleList(CrossAttention(wide, d_text) for _ in self.unet.below)

    def forward(
        self,
        x_t: Float[Tensor, "batch image_channels side side"],
        t: Float[Tensor, "batch"],
        tokens: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch image_channels side side"]:
        """Return the prediction; ValueError for sides and numbers of times that do not fit."""
        return self._predict(x_t, t, tokens, None)

    @torch.no_grad()
    def looked_at(
        self,
        x_t: Float[Tensor, "batch image_channels side side"],
        t: Float[Tensor, "batch"],
        tokens: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch words height wide"]:
        """Return how much each place of the valley looks at the whole and at each word, mean over heads and blocks."""
        weights: list[Tensor] = []
        self._predict(x_t, t, tokens, weights)
        return torch.stack(weights).mean(dim=(0, 2))  # (blocks, B, heads, words, …)

    def _predict(self, x_t: Tensor, t: Tensor, tokens: Tensor, weights: list[Tensor] | None) -> Tensor:
        """Return the prediction; weights: takes what each block looked at, where it is wanted."""
        self.unet.check(x_t, t)
        words, there = self.text(tokens)

        def look(i: int, x: Tensor) -> Tensor:
            attention = self.looks[i]
            assert isinstance(attention, CrossAttention)  # what a ModuleList holds, the type checker cannot know
            if weights is not None:
                weights.append(attention.weights(x + self.place, words, there))
            return attention(x + self.place, words, there)

        return self.unet.predict(x_t, self.unet.time(t) + self.whole(words[:, 0]), look)


class ByPicture(nn.Module):
    """A network that guesses the picture x, asked for a velocity: (x̂ − x_t) / (1 − t) on straight paths.

    1 − t is no less than ``nearest``. The square of the velocity's error weighs the guess's by 1 / (1 − t)² (Li and He
    2025, *Back to basics: let denoising generative models denoise*).
    """

    def __init__(self, network: nn.Module, nearest: float = 0.05) -> None:
        super().__init__()
        self.network, self.nearest = network, nearest
        self.unasked = network.unasked  # of a network that can be asked for something

    def forward(
        self,
        x_t: Float[Tensor, "batch image_channels side side"],
        t: Float[Tensor, "batch"],
        told: Shaped[Tensor, "batch *told"],
    ) -> Float[Tensor, "batch image_channels side side"]:
        """Return the velocity; told: tokens, labels or vectors, as the network takes them. ValueError as for it."""
        left = (1 - t).clamp(min=self.nearest)[:, None, None, None]
        return (self.network(x_t, t, told).float() - x_t) / left
