"""From the vector of a sentence to that of a picture, and from there to pixels (Ramesh et al. 2022, DALL·E 2).

Two flows, trained apart. The prior draws a picture's vector, given a sentence's; the decoder draws a picture, given its
vector. Vectors are those of ``course_lib.diffusion.contrastive.Clip``, of length 1.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.diffusion.guidance import sample
from course_lib.diffusion.latent import Scale
from course_lib.diffusion.step import Pairs, as_floats, drawn, logit_normal_times
from course_lib.diffusion.unet import TimeEmbedding, UNet
from course_lib.training.fit import Draw, Step


class Decoder(nn.Module):
    """Noisy pictures (n, 3, side, side), times, and the vectors of what they are to be of, to a velocity.

    The vector is told as a class is, added to the time's; and a matrix makes of it a small map, which the blocks of the
    valley read place by place. The vector 0, which no picture has, asks nothing.
    """

    unasked = 0  # every number of a vector that asks nothing

    def __init__(
        self, width: int = 64, channels: int = 32, side: int = 32, fold: int = 2, depth: int = 1, maps: int = 16
    ) -> None:
        super().__init__()
        self.valley = side // fold // 2
        self.unet = UNet(3, channels, fold=fold, depth=depth)
        self.told = nn.Sequential(nn.Linear(width, 4 * channels), nn.SiLU(), nn.Linear(4 * channels, 4 * channels))
        self.map = nn.Linear(width, maps * self.valley**2)
        self.reads = nn.ModuleList(nn.Conv2d(maps, 2 * channels, 1) for _ in self.unet.below)
        self.scale = width**0.5  # a unit vector's numbers become as large as noise

    def forward(
        self,
        x_t: Float[Tensor, "n 3 side side"],
        t: Float[Tensor, "n"],
        vectors: Float[Tensor, "n width"],
    ) -> Float[Tensor, "n 3 side side"]:
        """Return the prediction; ValueError for sides and numbers of times that do not fit."""
        self.unet.check(x_t, t)
        says = self.scale * vectors
        where = F.silu(self.map(says)).unflatten(1, (-1, self.valley, self.valley))
        return self.unet.predict(x_t, self.unet.time(t) + self.told(says), lambda i, x: x + self.reads[i](where))


class Prior(nn.Module):
    """Noisy vectors z_t (n, width), times, and vectors of sentences to a velocity: three layers beside a way across.

    The vector 0, which no sentence has, asks nothing.
    """

    unasked = 0

    def __init__(self, width: int = 64, hidden: int = 192, layers: int = 3) -> None:
        super().__init__()
        self.time = TimeEmbedding(hidden)
        self.enter = nn.Linear(2 * width, hidden)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
            for _ in range(layers)
        )
        self.leave = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, width))
        self.scale = width**0.5

    def forward(
        self, z_t: Float[Tensor, "n width"], t: Float[Tensor, "n"], texts: Float[Tensor, "n width"]
    ) -> Float[Tensor, "n width"]:
        """Return the prediction, on the scale of the noise."""
        h = self.enter(torch.cat([z_t, self.scale * texts], dim=1)) + self.time(t)
        for layer in self.layers:
            h = h + layer(h)
        return self.leave(h)


def spread_of(vectors: Float[Tensor, "n width"]) -> Scale:
    """Return mean and spread of each number of vectors, to be measured on training pictures.

    A flow wants data as wide as noise. ValueError for a number that never changes.
    """
    std, mean = torch.std_mean(vectors, dim=0)
    if not (std > 0).all():
        raise ValueError(f"vectors: expected numbers that change, got a standard deviation of {std.min().item():g}")
    return Scale(mean, std)


def draw_told(
    data: UInt8[Tensor, "n *shape"] | Float[Tensor, "n *shape"],
    vectors: Float[Tensor, "m width"],
    batch: int,
    unasked: float = 0.1,
) -> Draw[Pairs]:
    """Return the function that ``fit`` draws batches for a flow with, told vectors; the generator is a CPU's.

    data: pictures as bytes, which are brought to [−1, 1], or any numbers. A share ``unasked`` of the vectors is
    replaced by 0. ValueError for another number of vectors than data, and a share outside [0, 1].
    """
    if len(vectors) != len(data):
        raise ValueError(f"vectors: expected one for each of {len(data)} examples, got {len(vectors)}")
    if not 0 <= unasked <= 1:
        raise ValueError(f"unasked: expected a share from 0 to 1, got {unasked}")
    told = vectors.to(data.device)

    def draw(generator: torch.Generator) -> Pairs:
        chosen, eps, t, silent = drawn(data, batch, unasked, logit_normal_times, generator)
        return Pairs(as_floats(data[chosen]), eps, t, told[chosen].masked_fill(silent[:, None], 0.0))

    return draw


def mean_step(model: Prior, optimizer: Optimizer) -> Step[Pairs]:
    """Return the step for ``fit`` that fits a prior's network to the mean: a regression on x, told the sentence alone.

    Noise and times of the pairs are not used: the network gets zeros. Scalar: loss.
    """

    def step(pairs: Pairs) -> dict[str, Tensor]:
        x, _, t, texts = pairs
        loss = (model(torch.zeros_like(x), torch.zeros_like(t), texts) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss}

    return step


@torch.no_grad()
def mean_vectors(model: Prior, spread: Scale, texts: Float[Tensor, "n width"]) -> Tensor:
    """Return what a network of ``mean_step`` expects of pictures' vectors: (n, width), shorter than 1."""
    zeros = texts.new_zeros(len(texts))
    return spread.back(model(torch.zeros_like(texts), zeros, texts))


@torch.no_grad()
def drawn_vectors(
    prior: nn.Module,
    spread: Scale,
    noise: Float[Tensor, "n width"],
    texts: Float[Tensor, "n width"],
    weight: float = 1.0,
    steps: int = 10,
) -> Float[Tensor, "n width"]:
    """Return vectors of pictures, of length 1, that the prior draws for sentences; weight: of the guidance."""
    return F.normalize(spread.back(sample(prior, noise, texts, weight, steps, at_once=len(noise))), dim=-1)
