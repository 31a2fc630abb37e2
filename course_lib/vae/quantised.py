"""Images as a grid of symbols: an autoencoder whose latents are entries of a learned codebook.

Van den Oord, Vinyals and Kavukcuoglu 2017, *Neural discrete representation learning*. What comes out of the encoder is
replaced by the nearest of K vectors; its number is the symbol. Choosing has no derivative: the gradient at the vector
is handed to the encoder as it is (*straight through*).
"""

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

    def __init__(self, k: int, d: int, decay: float = 0.99) -> None:
        super().__init__()
        self.entries = nn.Parameter(torch.randn(k, d) / k)  # near each other: the first batches spread them
        self.decay = decay
        self.register_buffer("uses", torch.full((k,), 1.0 / k))  # shares of the places of a batch

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
        """Set entries that are hardly used to places of z, taken one after the other; return how many there were.

        Hardly: less than 1 / patience of a fair share, 1/K (Dhariwal et al. 2020, *Jukebox*, section 3).
        """
        k = len(self.entries)
        unused = self.uses < 1 / (k * patience)
        places = z.permute(0, 2, 3, 1).flatten(0, 2).to(self.entries.dtype)
        picked = places[torch.arange(k, device=z.device) * (len(places) // k) % len(places)]
        self.entries.copy_(torch.where(unused[:, None], picked, self.entries))
        self.uses.copy_(torch.where(unused, 1 / k, self.uses))
        return unused.sum()


def perplexity(shares: Float[Tensor, "k"]) -> float:
    """Return exp of the entropy of the shares of use: K where all entries are used alike, 1 where one is."""
    used = shares[shares > 0]
    return torch.exp(-(used * used.log()).sum()).item()


class QuantisedAutoencoder(nn.Module):
    """Images (batch, image_channels, side, side) to symbols (batch, side/4, side/4) and back.

    Two strided convolutions down, two transposed ones up, a residual block at a quarter of the side each way.
    """

    def __init__(self, image_channels: int = 3, channels: int = 48, k: int = 256, d: int = 16) -> None:
        super().__init__()
        wide = 2 * channels
        self.encoder = nn.Sequential(
            nn.Conv2d(image_channels, channels, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, wide, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(wide, wide, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(wide, d, 1),
        )
        self.codebook = Codebook(k, d)
        self.decoder = nn.Sequential(
            nn.Conv2d(d, wide, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(wide, wide, 3, padding=1),
            nn.SiLU(),
            nn.ConvTranspose2d(wide, channels, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.ConvTranspose2d(channels, image_channels, 4, stride=2, padding=1),
        )
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
    optimizer: Optimizer,
    commitment: float = 0.25,
    patience: float | None = 10.0,
    bfloat16: bool = False,
) -> Step[Tensor]:
    """Return the step for ``fit`` on images: reconstruction + codebook + commitment (equation 3), and one update.

    Each term is a mean square. patience: of ``Codebook.revive`` after each update; None leaves unused entries alone.
    Scalars: loss, recon, revived.
    """

    def step(x: Tensor) -> dict[str, Tensor]:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
            made, found = model(x)
        recon = (made.float() - x).square().mean()
        loss = recon + found.codebook + commitment * found.commitment
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if patience is None:
            return {"loss": loss, "recon": recon}
        return {"loss": loss, "recon": recon, "revived": model.codebook.revive(found.z, patience).float()}

    return step
