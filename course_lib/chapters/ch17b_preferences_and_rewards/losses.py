"""DPO's loss on tokens, as the learner writes it; the library's ``dpo_terms`` takes whole answers and says more."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def dpo_loss(
    chosen: Float[Tensor, "pairs time"],
    rejected: Float[Tensor, "pairs longer"],
    reference_chosen: Float[Tensor, "pairs time"],
    reference_rejected: Float[Tensor, "pairs longer"],
    beta: float,
) -> Float[Tensor, ""]:
    """Return −log σ(β [log q/p of the chosen − log q/p of the rejected]), a mean over the pairs (Rafailov et al. 2023).

    Log-probabilities of tokens under the model q that learns and under the reference p; 0 behind an answer's end. An
    answer's is their sum.
    """
    better = (chosen - reference_chosen).sum(-1)
    worse = (rejected - reference_rejected).sum(-1)
    return -F.logsigmoid(beta * (better - worse)).mean()
