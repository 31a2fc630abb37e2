"""The learner writes cross-attention: places of a picture ask, words answer."""

import math

import torch
from torch import Tensor

from course_lib.chapters.ch16_text_to_image import looking
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe, Property


def _there(n: int, words: int, seed: int) -> Tensor:
    """Return rows of different lengths, the first word always there."""
    lengths = 1 + (torch.arange(n) * 2 + seed) % (words - 1)
    return torch.arange(words) < lengths[:, None]


def _probe(n: int, places: int, words: int, sizes: tuple[int, int, int, int], seed: int) -> Probe:
    channels, d_text, d, e = sizes
    x = random(n, places, channels, seed=seed), random(n, words, d_text, seed=seed + 1), _there(n, words, seed)
    shapes = ((channels, d), (d_text, d), (d_text, e))
    return Probe((*x, *(random(*shape, seed=seed + 2 + i) for i, shape in enumerate(shapes))))


EXP = "softmax(dim=-1)"
FILL = "scores.masked_fill(~there[:, None], -torch.inf)"
ROOT = "math.sqrt(q.shape[-1])"


def _after_the_softmax(places, words, there, w_q, w_k, w_v):
    q, k, v = places @ w_q, words @ w_k, words @ w_v
    weights = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(dim=-1) * there[:, None]
    return weights @ v, weights


ENTRY = Exercise(
    id="text.look_at_words",
    reference=looking.look_at_words,
    probes=lambda: [
        _probe(3, 4, 6, (5, 7, 2, 8), seed=1),
        _probe(1, 6, 5, (3, 4, 9, 2), seed=11),
        _probe(2, 5, 3, (4, 2, 3, 6), seed=21),
    ],
    checked="three sizes, captions of several lengths: what is found, the weights, and the gradients.",
    outputs=("found", "weights"),
    mistakes=(
        Mistake(
            "each_word_chooses",
            {EXP: "softmax(dim=1)"},
            "each word shares itself out among the places",
            "it is the place that asks: along which axis must its weights sum to 1?",
        ),
        Mistake(
            "mask_ignored",
            {FILL: "scores"},
            "the places that fill a caption up are looked at like words",
            "what should a place find where there is no word?",
        ),
        Mistake(
            "mask_inverted",
            {"~there[:, None]": "there[:, None]"},
            "True is read as 'not there'",
            "True stands for a word. Which scores are to be filled?",
        ),
        Mistake(
            "mask_with_zero",
            {"-torch.inf": "0.0"},
            "the score of what is not there is set to 0",
            "exp(0) = 1 is not nothing.",
        ),
        Mistake(
            "mask_after_softmax",
            _after_the_softmax,
            "the mask comes after the softmax",
            "the weights no longer sum to 1.",
        ),
        Mistake(
            "unscaled",
            {f" / {ROOT}": ""},
            "the scores are not divided by √d",
            "a score is a sum of d products: how far does it spread?",
        ),
        Mistake(
            "scaled_by_text",
            {ROOT: "math.sqrt(words.shape[-1])"},
            "the scores are divided by the square root of the words' size",
            "the dot product is between a query and a key, of d numbers each.",
        ),
        Mistake(
            "scaled_by_picture",
            {ROOT: "math.sqrt(places.shape[-1])"},
            "the scores are divided by the square root of the picture's channels",
            "the dot product is between a query and a key, of d numbers each.",
        ),
        Mistake(
            "swapped",
            {"weights @ v, weights": "weights, weights @ v"},
            "the weights come first",
            "what was found first, then the weights.",
        ),
    ),
    properties=(
        Property(
            "rows_sum_to_one",
            lambda output, *args: bool(torch.allclose(output[1].sum(-1), output[1].new_ones(()))),
            "each place's weights sum to 1",
        ),
        Property(
            "nothing_from_nowhere",
            lambda output, places, words, there, *args: not output[1].masked_fill(there[:, None], 0.0).any(),
            "no place looks at what is not there",
        ),
    ),
    hints=(
        "Chapter 02's attention, with two sources: who asks, who is asked, and who gives?",
        "q is made from places; k and v are made from words. there (batch, words) needs an axis for the places.",
        "scores.masked_fill(~there[:, None], -torch.inf).softmax(-1); return what it finds in v, and the weights.",
    ),
    why="The picture asks and the text answers, so that the result has the picture's shape and can be added to it, "
    "whatever the caption's length. The words never see the picture: their vectors are computed once and used in every "
    "step of the sampler.",
)
