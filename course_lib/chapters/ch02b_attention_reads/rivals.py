"""What the attention-only model has to beat: counts of so many characters in a row."""

import torch
from jaxtyping import Int
from torch import Tensor


def counting_bits(
    train: Int[Tensor, "n_train"], held_out: Int[Tensor, "n_held_out"], n_symbols: int, order: int, extra: float
) -> float:
    """Return the held-out bits per character of counting ``order`` characters in a row in the training text.

    A character follows its order − 1 predecessors with probability (c(run) + extra) / (c(context) + n_symbols · extra).
    The runs are numbered anew at each length, so that no vocabulary is too large for 63 bits.
    """
    windows = torch.cat([train, held_out]).unfold(0, order, 1)  # the first n_train − order + 1 end in train
    known = len(train) - order + 1
    context = torch.zeros(len(windows), dtype=torch.long)
    for column in windows[:, :-1].T:
        context = (context * n_symbols + column).unique(return_inverse=True)[1]
    run = (context * n_symbols + windows[:, -1]).unique(return_inverse=True)[1]
    seen = [
        torch.bincount(number[:known], minlength=int(number.max()) + 1)[number[known:]].double()
        for number in (run, context)
    ]
    return -((seen[0] + extra) / (seen[1] + n_symbols * extra)).log2().mean().item()
