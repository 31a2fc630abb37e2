"""Which tokens of a conversation are learned: written for one row of tokens, as the chapter's exercise asks for it."""

from jaxtyping import Int
from torch import Tensor, tensor

from course_lib.chat.template import IGNORED


def answers_alone(tokens: Int[Tensor, "time"], assistant: int, end: int) -> tuple[Int[Tensor, "_"], Int[Tensor, "_"]]:
    """Return what is read and what is to be predicted at each position, time − 1 of both, −100 for nothing.

    Learned is what stands behind an assistant token, up to the next end token and with it.
    """
    learned, speaks = [], False
    for token in tokens.tolist():
        learned.append(speaks)
        speaks = token == assistant or (speaks and token != end)
    asked = tensor(learned, device=tokens.device)[1:]
    return tokens[:-1], tokens[1:].masked_fill(~asked, IGNORED)
