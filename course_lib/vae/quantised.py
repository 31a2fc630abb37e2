"""Images as a grid of symbols: an autoencoder whose latents are entries of a learned codebook.

Van den Oord, Vinyals and Kavukcuoglu 2017, *Neural discrete representation learning*. What comes out of the encoder is
replaced by the nearest of K vectors; its number is the symbol. Choosing has no derivative: the gradient at the vector
is handed to the encoder as it is (*straight through*).
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from course_lib.training.fit import Step
from course_lib.training.memory_format import as_convolved


class Quantised(NamedTuple):
    """What the encoder gave, z (batch, d, height, wide), the entries in its place, their numbers, and the two terms.

    symbols: (batch, height, wide). commitment: mean square of z − entry, whose gradient goes to z alone; codebook: the
    same, its gradient to the entries.
    """

    z: Tensor
    entries: Tensor
    symbols: Tensor
    commitment: Tensor
    codebook: Tensor


def nearest_entry(
    z: Float[Tensor, "batch d height wide"], codebook: Float[Tensor, "k d"]
) -> Int[Tensor, "batch height wide"]:
    """Return the number of the entry that is nearest to each place's vector."""
    flat = z.permute(0, 2, 3, 1).flatten(0, 2).float()  # (places, d)
    book = codebook.float()
    distance = book.square().sum(1) - 2 * flat @ book.T  # less |z|², which is the same for all entries
    return distance.argmin(1).view(z.shape[0], *z.shape[2:])


def straight_through(z: Float[Tensor, "*shape"], entries: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return the entries, as if they had been z: in the backward pass the gradient goes to z unchanged."""
    return z + (entries - z).detach()


class Codebook(nn.Module):
    """K entries of d numbers, and how often each was used of late.

    decay: of the running count of uses. An entry that is hardly used can be set to a place of the latest batch
    (``revive``), from which it starts anew.
    """

    uses: Tensor

    def __init__(self, k: int, d: int, decay: float = 0.9) -> None:
        super().__init__()
        self.entries = nn.Parameter(torch.randn(k, d) / k)  # near each other: the first batches spread them
        self.decay = decay
        self.register_buffer("uses", torch.zeros(k))  # shares of the places of a batch

    def forward(self, z: Float[Tensor, "batch d height wide"]) -> Quantised:
        """Return what stands in the place of z; in training the uses are counted."""
        symbols = nearest_entry(z, self.entries)
        if self.training:
            shares = F.one_hot(symbols.flatten(), len(self.entries)).float().mean(0)
            self.uses.lerp_(shares, 1 - self.decay)
        entries = self.look_up(symbols)
        return Quantised(
            z,
            straight_through(z, entries),
            symbols,
            (z - entries.detach()).square().mean(),
            (z.detach() - entries).square().mean(),
        )

    def look_up(self, symbols: Int[Tensor, "batch height wide"]) -> Float[Tensor, "batch d height wide"]:
        """Return the entries of symbols."""
        return F.embedding(symbols, self.entries).permute(0, 3, 1, 2)

    @torch.no_grad()
    def revive(self, z: Float[Tensor, "batch d height wide"], patience: float = 10.0) -> Int[Tensor, ""]:
        """Set entries that are hardly used to places of z that have no entry near them; return how many there were.

        Hardly: less than 1 / patience of a fair share, 1/K (Dhariwal et al. 2020, *Jukebox*, section 3). A place is
        taken in proportion to its squared distance from its entry (Arthur and Vassilvitskii 2007, *k-means++*): most
        places of a dark picture are alike, and have theirs.
        """
        k = len(self.entries)
        unused = self.uses < 1 / (k * patience)
        places = z.permute(0, 2, 3, 1).flatten(0, 2).to(self.entries.dtype)
        error = (places - self.entries[nearest_entry(z, self.entries).flatten()]).square().sum(1).double()
        share = error.cumsum(0) / error.sum().clamp(min=1e-12)
        rolls = (torch.arange(k, device=z.device, dtype=torch.float64) + 0.5) / k  # even, so that nothing is drawn
        picked = places[torch.searchsorted(share, rolls).clamp(max=len(places) - 1)]
        self.entries.copy_(torch.where(unused[:, None], picked, self.entries))
        self.uses.copy_(torch.where(unused, 1 / k, self.uses))
        return unused.sum()


def perplexity(shares: Float[Tensor, "k"]) -> float:
    """Return exp of the entropy of the shares of use: K where all entries are used alike, 1 where one is."""
    used = shares[shares > 0]
    return torch.exp(-(used * used.log()).sum()).item()


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.SiLU())


class _Mapped(nn.Module):
    """A linear map of each place by itself, and what three convolutions add, which starts at zero."""

    def __init__(self, inputs: int, outputs: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(inputs, outputs, 1)
        last = nn.Conv2d(channels, outputs, 1, bias=False)
        nn.init.zeros_(last.weight)
        self.added = nn.Sequential(_layer(inputs, channels), _layer(channels, channels), last)

    def forward(self, x: Float[Tensor, "batch inputs height wide"]) -> Float[Tensor, "batch outputs height wide"]:
        """Return what stands at each place, seen with its neighbours."""
        return self.linear(x) + self.added(x)


class QuantisedAutoencoder(nn.Module):
    """Images (batch, image_channels, side, side) to symbols (batch, side/4, side/4) and back.

    Squares of 4 × 4 pixels are folded into channels, so that all layers work at a quarter of the side.
    """

    def __init__(self, image_channels: int = 3, channels: int = 128, k: int = 256, d: int = 16) -> None:
        super().__init__()
        folded = 16 * image_channels
        self.encoder = nn.Sequential(nn.PixelUnshuffle(4), _Mapped(folded, d, channels))
        self.codebook = Codebook(k, d)
        self.decoder = nn.Sequential(_Mapped(d, folded, channels), nn.PixelShuffle(4))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, x: Float[Tensor, "batch channels side side"]) -> Float[Tensor, "batch d height wide"]:
        """Return what is to be replaced by entries, in float32."""
        return self.encoder(as_convolved(self, x)).float()

    @torch.no_grad()
    def symbols(self, x: Float[Tensor, "batch channels side side"]) -> Int[Tensor, "batch height wide"]:
        """Return the symbols of images."""
        return nearest_entry(self.encode(x), self.codebook.entries)

    @torch.no_grad()
    def images(self, symbols: Int[Tensor, "batch height wide"]) -> Float[Tensor, "batch channels side side"]:
        """Return the images of symbols; not cut off at black and white."""
        return self.decoder(self.codebook.look_up(symbols)).float()

    def forward(self, x: Float[Tensor, "batch channels side side"]) -> tuple[Tensor, Quantised]:
        """Return the reconstruction of x, and what it was made from."""
        found = self.codebook(self.encode(x))
        return self.decoder(found.entries), found


def quantised_step(
    model: QuantisedAutoencoder,
    optimizers: Optimizer | Iterable[Optimizer],
    commitment: float = 0.25,
    patience: float | None = 10.0,
    bfloat16: bool = False,
) -> Step[Tensor]:
    """Return the step for ``fit`` on images: reconstruction + codebook + commitment (equation 3), and one update.

    Each term is a mean square. patience: of ``Codebook.revive`` after each update; None leaves unused entries alone.
    Scalars: loss, recon, revived.
    """

    together = [optimizers] if isinstance(optimizers, Optimizer) else list(optimizers)

    def step(x: Tensor) -> dict[str, Tensor]:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            made, found = model(x)
        recon = (made.float() - x).square().mean()
        loss = recon + found.codebook + commitment * found.commitment
        for optimizer in together:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in together:
            optimizer.step()
        if patience is None:
            return {"loss": loss, "recon": recon}
        return {"loss": loss, "recon": recon, "revived": model.codebook.revive(found.z, patience).float()}

    return step
