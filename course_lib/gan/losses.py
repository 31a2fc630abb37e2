"""The losses of the two players, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def discriminator_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return −E[ln D(real)] − E[ln(1 − D(fake))], the negative of the game's value (Goodfellow 2014, equation 1).

    −ln σ(l) = softplus(−l) and −ln(1 − σ(l)) = softplus(l): finite for any finite logit, ±10,000 among them.
    """
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def minimax_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return E[ln(1 − D(fake))], what the generator minimises in the two-player game: it saturates.

    Its derivative by a logit is −D(fake): where the discriminator is sure, next to nothing.
    """
    return -F.softplus(fake_logits).mean()


def nonsaturating_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return −E[ln D(fake)] (Goodfellow 2014, section 3); its derivative by a logit is D(fake) − 1."""
    return F.softplus(-fake_logits).mean()


def hinge_discriminator_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return E[max(0, 1 − real)] + E[max(0, 1 + fake)] (Lim and Ye 2017; Miyato et al. 2018, equation 16)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def least_squares_discriminator_loss(
    real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    """Return ½ E[(real − 1)²] + ½ E[fake²] (Mao et al. 2017, equation 9): targets 1 and 0, no sigmoid."""
    return 0.5 * ((real_logits - 1) ** 2).mean() + 0.5 * (fake_logits**2).mean()


def least_squares_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return ½ E[(fake − 1)²] (Mao et al. 2017, equation 9)."""
    return 0.5 * ((fake_logits - 1) ** 2).mean()


def wasserstein_critic_loss(real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """Return E[fake] − E[real]: its negative is a lower bound on W₁ for a critic of Lipschitz constant 1.

    Arjovsky, Chintala and Bottou 2017, equation 2 (Kantorovich and Rubinstein).
    """
    return fake_logits.mean() - real_logits.mean()


def wasserstein_generator_loss(fake_logits: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Return −E[fake]; the generator's loss with the hinge, too."""
    return -fake_logits.mean()


@dataclass(frozen=True)
class Objective:
    """Two losses that belong together: one of (real_logits, fake_logits), one of fake_logits."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


OBJECTIVES = {
    "minimax": Objective(discriminator_loss, minimax_generator_loss),
    "nonsaturating": Objective(discriminator_loss, nonsaturating_generator_loss),
    "least squares": Objective(least_squares_discriminator_loss, least_squares_generator_loss),
    "hinge": Objective(hinge_discriminator_loss, wasserstein_generator_loss),
    "wasserstein": Objective(wasserstein_critic_loss, wasserstein_generator_loss),
}
