"""The learner writes may_attend: a mask in any of three writings as this course writes it, True = may attend."""

import torch

from course_lib.chapters.ch00b_notation import conventions
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_ALLOWED = torch.tensor(
    [[True, False, True, False, False], [True, True, False, False, False], [False, True, True, True, False]]
)


def _additive(allowed: torch.Tensor) -> torch.Tensor:
    return torch.zeros(allowed.shape, dtype=torch.float64).masked_fill(~allowed, -torch.inf)


def _variation(generator: torch.Generator) -> Probe:
    allowed = torch.rand(3, 5, generator=generator) < 0.6
    writes = ("allowed", "masked", "additive")[int(torch.randint(3, (), generator=generator))]
    return Probe((_additive(allowed) if writes == "additive" else allowed, writes))


ENTRY = Exercise(
    id="notation.may_attend",
    reference=conventions.may_attend,
    probes=lambda: [
        Probe((_ALLOWED.clone(), "allowed")),
        Probe((_ALLOWED[:, 1:].clone(), "masked")),
        Probe((_additive(_ALLOWED), "additive")),
        Probe((_additive(_ALLOWED[:1]), "additive")),
    ],
    checked="the three writings, of 3 × 5, 3 × 4 and 1 × 5 pairs.",
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "not_turned",
            {"return ~mask": "return mask"},
            "a mask in which True means 'masked' is taken as it is",
            "may a pair be attended to whose entry says 'masked'?",
        ),
        Mistake(
            "both_turned",
            {"        return mask\n": "        return ~mask\n"},
            "the mask that is already in this course's writing is turned round",
            "which of the three needs no change?",
        ),
        Mistake(
            "swapped",
            {
                "        return mask\n": "        return ~mask\n",
                '    if writes == "masked":\n        return ~mask': '    if writes == "masked":\n        return mask',
            },
            "'allowed' and 'masked' have changed places",
            "True should come out where a pair may be attended to: which of the two says so already?",
        ),
        Mistake(
            "truth_of_zero",
            {"mask == 0": "mask != 0"},
            "an additive mask is read as true where it is not 0",
            "0 is added to the scores of allowed pairs. What is bool(0.0)?",
        ),
        Mistake(
            "weights_of_zero",
            {"mask == 0": "mask > 0"},
            "a pair is allowed only where something positive is added",
            "which number is added to the score of a pair that may be attended to?",
        ),
    ),
    hints=(
        "Write the three masks of two tokens, where the first may see only itself.",
        "~ turns a boolean tensor round; a comparison of a float tensor with a number gives a boolean one.",
        "'allowed': mask; 'masked': ~mask; 'additive': mask == 0.",
    ),
    why="PyTorch itself uses all three: its function scaled_dot_product_attention reads True as 'may take part', its "
    "module nn.MultiheadAttention reads True as 'may not', and both add a mask of floats to the scores. A mask turned "
    "round has the same shape and dtype, and the model trains on what it should not see.",
)
