"""Short trainings of an autoencoder of symbols, with its unused entries moved or left alone."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from course_lib.diffusion.step import as_floats
from course_lib.training.fit import fit
from course_lib.training.muon import muon_for_filters
from course_lib.training.trained import Trained
from course_lib.training.transfer import to_device
from course_lib.vae.quantised import QuantisedAutoencoder, quantised_step

BATCH, CHANNELS, ENTRIES, COUNTED = 64, 96, 512, 500


def shares_of_use(
    images: UInt8[Tensor, "n 3 32 32"], steps: int, patience: float | None, seed: int
) -> Float[Tensor, "entries"]:
    """Train an autoencoder on pictures; return how often each entry is then the nearest one.

    patience: of ``Codebook.revive``; None leaves unused entries alone. As in ``benchmarks/diffusion/text.py`` else.
    """
    torch.manual_seed(seed)
    model = QuantisedAutoencoder(channels=CHANNELS, k=ENTRIES).to(images.device)
    optimizers = muon_for_filters(model, but=("codebook",))

    def draw(generator: torch.Generator) -> Tensor:
        (chosen,) = to_device(images.device, torch.randint(len(images), (BATCH,), generator=generator))
        return as_floats(images[chosen])

    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))
    fit(quantised_step(model, optimizers.values(), patience=patience), draw, steps, trained, progress=False)
    symbols = model.symbols(as_floats(images[:COUNTED])).flatten()
    return symbols.bincount(minlength=ENTRIES).float().cpu() / len(symbols)
