"""The learner makes one probability out of the conditionals of many orderings."""

import torch
from torch import Tensor

from course_lib.chapters.ch12_three_families import orderings
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _logs(*shape: int, seed: int, scale: float = 1.0) -> Tensor:
    """Return logarithms of probabilities, all below 0."""
    return -scale * (random(*shape, seed=seed).abs() + 0.1)


def _logits(log_p: Tensor) -> Tensor:
    """Return ln p − ln(1 − p) of probabilities given by their logarithms."""
    return log_p - torch.log(-torch.expm1(log_p))


ENTRY = Exercise(
    id="together.mixture_of_orderings",
    reference=orderings.mixture_of_orderings,
    probes=lambda: [
        Probe((_logs(4, 2, 3, seed=1),)),
        Probe((_logs(2, 5, 7, seed=2),)),
        Probe((_logs(3, 1, 2, seed=3),)),
        Probe((_logs(1, 3, 4, seed=4),)),
        Probe((_logs(3, 2, 500, seed=5, scale=4.0),), says="500 pixels, whose probabilities multiply to below 1e-500"),
    ],
    checked="1 to 4 orderings of up to 500 pixels, and the gradients.",
    mistakes=(
        Mistake(
            "mean_of_logs",
            lambda log_conditionals: log_conditionals.sum(-1).mean(0),
            "the logarithms are averaged over the orderings",
            "exp of a mean of logarithms is a geometric mean. Over all images, do such means sum to 1?",
        ),
        Mistake(
            "probabilities_per_pixel",
            lambda log_conditionals: log_conditionals.exp().mean(0).log().sum(-1),
            "each pixel's probabilities are averaged over the orderings, and then multiplied over the pixels",
            "in one ordering a pixel has seen its left neighbour, in another its right one. What has it seen in all?",
        ),
        Mistake(
            "logits_per_pixel",
            lambda log_conditionals: torch.nn.functional.logsigmoid(_logits(log_conditionals).mean(0)).sum(-1),
            "each pixel's logits are averaged over the orderings",
            "in one ordering a pixel has seen its left neighbour, in another its right one. What has it seen in all?",
        ),
        Mistake(
            "sum_of_orderings",
            {" - math.log(len(log_p))": ""},
            "the probabilities of the orderings are added, not averaged",
            "the probabilities of all images would sum to the number of orderings.",
        ),
        Mistake(
            "over_pixels",
            {"math.log(len(log_p))": "math.log(log_conditionals.shape[-1])"},
            "the sum over the orderings is divided by the number of pixels",
            "over what is the mean taken?",
        ),
        Mistake(
            "best_ordering",
            lambda log_conditionals: log_conditionals.sum(-1).amax(0),
            "each image is given its best ordering",
            "every ordering's probabilities sum to 1. What do the largest of them sum to?",
        ),
        Mistake(
            "underflow",
            {"log_p.logsumexp(0)": "log_p.exp().sum(0).log()"},
            "the probabilities themselves are formed",
            "exp(−1,500) is 0 in float64. Take the largest one out of the sum, as logsumexp does.",
        ),
        Mistake(
            "no_logarithm",
            lambda log_conditionals: log_conditionals.sum(-1).exp().mean(0),
            "p(x) itself comes back, and not its logarithm",
            "the task asks for ln p(x). With 500 pixels p(x) is 0 in float64.",
        ),
        Mistake(
            "first_ordering",
            lambda log_conditionals: log_conditionals[0].sum(-1),
            "the first ordering alone is used",
            "a probability it is, but one of equal use of all orderings is asked for.",
        ),
        Mistake(
            "six",
            {"math.log(len(log_p))": "math.log(6)"},
            "the sum over the orderings is always divided by 6",
            "M is the number of orderings that come in: here it is another one.",
        ),
        Mistake(
            "nats",
            lambda log_conditionals: -orderings.mixture_of_orderings(log_conditionals),
            "the sign is turned round: a cost comes back",
            "the logarithm of a probability is not positive.",
        ),
    ),
    hints=(
        "Which numbers here are probabilities of a whole image? What must they sum to over all images?",
        "One ordering: Σ over the pixels of ln p(pixel | before). The mixture: the mean of its exp over them.",
        "Form no exp of −1,500: torch.logsumexp over the orderings, less the logarithm of their number.",
        "log_p = log_conditionals.sum(-1)\nreturn log_p.logsumexp(0) - math.log(len(log_p))",
    ),
    why="Each ordering's product of conditionals is a probability distribution over images, by the chain rule, and a "
    "mean of distributions is one. A mean *inside* the product is not: there each pixel is predicted by a mixture of "
    "what came before it in one ordering and what came before it in another, together all its neighbours.",
)
