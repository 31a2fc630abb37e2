"""The loss of a VAE for one batch, as the chapter's loop has it."""

from jaxtyping import Float
from torch import Tensor

from course_lib.vae.bounds import elbo


def batch_loss(
    x: Float[Tensor, "batch pixels"],
    logits: Float[Tensor, "batch pixels"],
    mu: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
    beta: float = 1.0,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Return (loss, recon, kl) of a batch in nats an image: sums over pixels and latents, means over the batch.

    loss = beta · kl − recon is what backward() starts at; recon and kl are for the log, the kl unweighted.
    """
    _, recon, kl = elbo(x, logits, mu, logvar)
    return (beta * kl - recon).mean(), recon.mean(), kl.mean()
