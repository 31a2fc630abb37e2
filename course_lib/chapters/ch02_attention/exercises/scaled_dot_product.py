"""The learner writes scaled_dot_product_attention: output and weights, for any leading axes and any mask."""

import torch
from torch import Tensor

from course_lib.attention import dot_product
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _some(*shape: int, seed: int) -> Tensor:
    """A mask with both answers in every row and in every column, so that each way to misread it shows."""
    query, key = torch.arange(shape[-2])[:, None], torch.arange(shape[-1])
    return ((query * 2 + key * 3 + seed) % 5 < 3).expand(shape).clone()


def _attention_probes() -> list[Probe]:
    return [
        Probe((random(3, 5, seed=1), random(7, 5, seed=2), random(7, 2, seed=3))),
        Probe((random(2, 3, 5, seed=4), random(2, 7, 5, seed=5), random(2, 7, 11, seed=6), _some(3, 7, seed=0))),
        Probe((random(1, 4, 6, seed=7), random(1, 5, 6, seed=8), random(1, 5, 3, seed=9), _some(1, 4, 5, seed=1))),
        Probe(
            (
                *(random(2, 3, n, 8, seed=10 + n) for n in (4, 5)),
                random(2, 3, 5, 6, seed=20),
                _some(2, 1, 4, 5, seed=2),
            )
        ),
    ]


ENTRY = Exercise(
    id="attention.scaled_dot_product",
    reference=dot_product.scaled_dot_product_attention,
    probes=_attention_probes,
    checked="output and weights for four shapes, with and without a mask, float64 to 1e-10, and the gradients.",
    outputs=("output", "weights"),
    mistakes=(
        Mistake(
            "unscaled",
            {" / math.sqrt(q.shape[-1])": ""},
            "the scores are not divided by √d_head",
            "how far do the scores spread when d_head is 64?",
        ),
        Mistake(
            "scaled_by_d",
            {"math.sqrt(q.shape[-1])": "q.shape[-1]"},
            "the scores are divided by d_head, not by its square root",
            "d_head is the variance of a score; what brings the spread back to 1?",
        ),
        Mistake(
            "scaled_by_keys",
            {"math.sqrt(q.shape[-1])": "math.sqrt(k.shape[-2])"},
            "the scores are divided by the square root of the number of keys",
            "which axis does the dot product sum over?",
        ),
        Mistake(
            "scaled_by_d_value",
            {"math.sqrt(q.shape[-1])": "math.sqrt(v.shape[-1])"},
            "the scores are divided by √d_value",
            "a score is a sum over the numbers of a query and a key; the values come later.",
        ),
        Mistake(
            "swapped",
            {"weights @ v, weights": "weights, weights @ v"},
            "the weights come first and the output second",
            "return the output, then the weights.",
        ),
        Mistake(
            "scaled_late",
            {
                " / math.sqrt(q.shape[-1])": "",
                "scores.softmax(dim=-1)": "scores.softmax(dim=-1) / math.sqrt(q.shape[-1])",
            },
            "the weights are divided by √d_head, after the softmax",
            "do your weights sum to 1? The scale belongs to the scores.",
        ),
        Mistake(
            "wrong_axis",
            {"softmax(dim=-1)": "softmax(dim=-2)"},
            "the softmax runs over the queries",
            "each query shares out one unit of attention: along which axis must the weights sum to 1?",
        ),
        Mistake(
            "mask_ignored",
            {
                "scores.masked_fill(~mask, torch.finfo(scores.dtype).min)": "scores",
                "weights.masked_fill(~mask, 0.0)": "weights",
            },
            "the mask is not used",
            "what should the weight of a forbidden key be?",
        ),
        Mistake(
            "mask_inverted",
            {
                "scores.masked_fill(~mask": "scores.masked_fill(mask",
                "weights.masked_fill(~mask": "weights.masked_fill(mask",
            },
            "True is read as 'forbidden'",
            "True = may attend: which scores are to be filled?",
        ),
        Mistake(
            "mask_after_softmax",
            {"scores.masked_fill(~mask, torch.finfo(scores.dtype).min)": "scores"},
            "the mask is applied after the softmax",
            "the weights that are left no longer sum to 1, and their size still tells of the forbidden keys.",
        ),
        Mistake(
            "mask_with_zero",
            {"torch.finfo(scores.dtype).min": "0.0", "weights.masked_fill(~mask, 0.0)": "weights"},
            "a forbidden score is set to 0",
            "exp(0) = 1 is not nothing. Which score does the softmax turn into 0?",
        ),
    ),
    properties=(
        Property(
            "rows_sum_to_one",
            lambda output, q, k, v, mask=None: bool(torch.allclose(output[1].sum(-1), output[1].new_ones(()))),
            "each query's weights sum to 1",
        ),
        Property(
            "forbidden_is_zero",
            lambda output, q, k, v, mask=None: mask is None or not output[1].masked_fill(mask, 0.0).any(),
            "a key where the mask is False has weight 0",
        ),
    ),
    hints=(
        "Look at the weights first: does every row sum to 1, and is a forbidden key's weight exactly 0?",
        "k.transpose(-2, -1) turns (…, key, d_head) into (…, d_head, key), whatever stands in front.",
        "scores.masked_fill(~mask, -torch.inf), then .softmax(dim=-1); return weights @ v, weights.",
    ),
    why="The course's own fills with the smallest finite number and clears the forbidden weights afterwards: a query "
    "that may attend to no key then gets 0 and passes no gradient, where −∞ would give NaN. Yours is tried only on "
    "masks that leave every query something.",
)
