"""The exercises of chapter 07: a VAE repaired, trained and looked into."""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_lib import latents, vae
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


def _angle(start: Tensor, end: Tensor) -> Tensor:
    return torch.acos((start / start.norm()) @ (end / end.norm()))


def _great_circle(start: Tensor, end: Tensor, t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Mix a and b by the sines of the angle between start and end."""
    omega, t = _angle(start, end), t[:, None]
    return (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)


def _projected(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Mix the directions on a straight line and stretch the result to the length between."""
    straight = (1 - t) * start / start.norm() + t * end / end.norm()
    return normalize(straight, dim=1) * ((1 - t) * start.norm() + t * end.norm())


# --- sizes ---------------------------------------------------------------------------------------------------------

transposed_size = Exercise(
    id="vae.transposed_size",
    reference=vae.transposed_size,
    stub='''
def transposed_size(size, kernel, stride=1, padding=0):
    """Return how many pixels a side a transposed convolution makes of size pixels a side.

    All whole numbers. Worked value: size 3, kernel 2, stride 2, padding 0 gives 6.
    """
    # 1. where does the last of the size pixels begin to paint, if the first one begins at 0?
    # 2. it paints kernel pixels; padding of all painted ones are cut off at each border
    ...
''',
    probes=lambda: [
        Probe((7, 3), "called with size 7, kernel 3"),
        Probe((5, 4, 3, 1), "called with size 5, kernel 4, stride 3, padding 1"),
        Probe((9, 6, 2, 2), "called with size 9, kernel 6, stride 2, padding 2"),
        Probe((1, 5, 4, 1), "called with size 1, kernel 5, stride 4, padding 1"),
    ],
    checked="four sizes, a single pixel among them.",
    gradients=False,
    mistakes=(
        Mistake(
            "convolution",
            lambda size, kernel, stride=1, padding=0: (size + 2 * padding - kernel) // stride + 1,
            "the size after an ordinary convolution is computed",
            "a transposed convolution goes the other way: from one pixel to kernel pixels.",
        ),
        Mistake(
            "no_minus_one",
            lambda size, kernel, stride=1, padding=0: stride * size + kernel - 2 * padding,
            "the last pixel begins at stride · size",
            "with one pixel only, where does it begin?",
        ),
        Mistake(
            "one_border",
            lambda size, kernel, stride=1, padding=0: stride * (size - 1) + kernel - padding,
            "padding is cut off at one border alone",
            "a picture has a left and a right border.",
        ),
        Mistake(
            "padding_added",
            lambda size, kernel, stride=1, padding=0: stride * (size - 1) + kernel + 2 * padding,
            "padding is added",
            "in a transposed convolution padding is cut off: the result becomes smaller.",
        ),
        Mistake(
            "no_stride",
            lambda size, kernel, stride=1, padding=0: size - 1 + kernel - 2 * padding,
            "the stride is left out",
            "neighbours begin to paint stride pixels apart.",
        ),
    ),
    hints=(
        "Paint size = 2, kernel = 3, stride = 2 on paper: pixels 0, 1, 2 and then 2, 3, 4.",
        "The last pixel begins at stride · (size − 1).",
        "stride * (size - 1) + kernel - 2 * padding",
    ),
    why="The layer is a convolution's transpose: its output is the input of the convolution that it undoes in shape. "
    "Solving the convolution's formula for its input gives this one where the stride divides evenly.",
)

# --- what the latents hold -----------------------------------------------------------------------------------------

active_units = Exercise(
    id="vae.active_units",
    reference=latents.active_units,
    stub='''
def active_units(mu, threshold=0.01):
    """Return for each latent whether the variance of its mean over the examples exceeds threshold.

    mu (n, latent): the means of q(z|x) of n examples; returns (latent,) of bool.
    Worked value: mu = [[0., 5.], [1., 5.]] gives [True, False].
    """
    # 1. the variance of every column, with n − 1, as .var() has it
    # 2. compare
    ...
''',
    probes=lambda: [
        Probe((_random(6, 4, seed=1) * torch.tensor([1.0, 0.05, 0.2, 0.15]).double(),)),
        Probe((_random(5, 3, seed=2) * 0.1 + torch.tensor([4.0, 0.5, -3.0]).double(), 0.008)),
        Probe((torch.tensor([[0.3, 0.1, 0.7], [0.45, 0.9, 0.7]]).double(),)),
        Probe((_random(4, 5, seed=4), 0.9)),
        Probe((_random(4, 2, seed=5) * torch.tensor([1.0, 0.1]).double() + 2.0, 0.05)),
    ],
    checked="five sets of means, one of two examples and one with another threshold among them.",
    gradients=False,
    mistakes=(
        Mistake(
            "std",
            lambda mu, threshold=0.01: mu.std(dim=0) > threshold,
            "the standard deviation is compared",
            "the threshold is one for the variance.",
        ),
        Mistake(
            "biased",
            lambda mu, threshold=0.01: mu.var(dim=0, correction=0) > threshold,
            "the variance is taken with n, not n − 1",
            ".var() has n − 1 of itself; with two examples that is a factor of two.",
        ),
        Mistake(
            "square",
            lambda mu, threshold=0.01: (mu**2).mean(dim=0) > threshold,
            "the mean square is compared, the mean not taken off",
            "a latent that says 5 for every image says nothing.",
        ),
        Mistake(
            "dead",
            lambda mu, threshold=0.01: mu.var(dim=0) <= threshold,
            "the dead latents are marked, not the active ones",
            "an active latent's mean changes with the image: its variance is above the threshold.",
        ),
        Mistake(
            "count",
            lambda mu, threshold=0.01: (mu.var(dim=0) > threshold).sum(),
            "they are counted already",
            "one truth value a latent is asked for; .sum() comes later.",
        ),
        Mistake(
            "examples",
            lambda mu, threshold=0.01: mu.var(dim=1) > threshold,
            "the variance runs over the latents",
            "one number a latent: the variance runs over the examples, the first axis.",
        ),
    ),
    hints=(
        "What does a latent do that tells you nothing about the image?",
        "mu.var(dim=0) has one number a latent.",
        "mu.var(dim=0) > threshold",
    ),
    why="A latent that the decoder ignores costs KL for nothing, so training sets its q to the prior: mean 0, "
    "variance 1, whatever the image. Its mean does not move. The threshold of 0.01 is Burda's.",
)

spherical_path = Exercise(
    id="vae.spherical_path",
    reference=latents.spherical_path,
    stub='''
def spherical_path(start, end, t):
    """Return points between two latents: direction and length both change evenly with t.

    start, end (latent,), neither of length 0 nor opposite; t (n,) from 0 to 1; returns (n, latent).
    Worked value: start = [1., 0.], end = [0., 1.], t = [0.5] give [[0.707, 0.707]].
    """
    # 1. lengths of both, their directions a and b of length 1, the angle ω with cos ω = a · b
    # 2. directions: (sin((1 − t)ω) a + sin(tω) b) / sin ω
    # 3. times the length between: (1 − t)‖start‖ + t‖end‖
    ...
''',
    probes=lambda: [
        Probe((_random(5, seed=1), 2 * _random(5, seed=2), torch.tensor([0.1, 0.35, 0.8]).double())),
        Probe((_random(3, seed=3), _random(3, seed=4), torch.tensor([0.25]).double())),
        Probe((3 * _random(7, seed=5), _random(7, seed=6), torch.tensor([0.15, 0.4, 0.6, 0.9]).double())),
    ],
    checked="points and gradients for three pairs of latents of different lengths.",
    rtol=1e-9,
    mistakes=(
        Mistake(
            "straight",
            lambda start, end, t: (1 - t)[:, None] * start + t[:, None] * end,
            "the path is straight",
            "in many dimensions its middle is shorter than either end.",
        ),
        Mistake(
            "unit",
            lambda start, end, t: latents.spherical_path(start / start.norm(), end / end.norm(), t),
            "all points have length 1",
            "the lengths of the ends are to be kept, and changed evenly in between.",
        ),
        Mistake(
            "backwards",
            lambda start, end, t: latents.spherical_path(end, start, t),
            "it goes from end to start",
            "t = 0 is the start.",
        ),
        Mistake(
            "raw",
            lambda start, end, t: _great_circle(start, end, t, start, end),
            "the vectors are mixed with their own lengths",
            "mix the directions of length 1, then multiply by the length between, or it does not change evenly.",
        ),
        Mistake(
            "no_division",
            lambda start, end, t: latents.spherical_path(start, end, t) * torch.sin(_angle(start, end)),
            "the division by sin ω is missing",
            "at t = 0 the start must come out: sin((1 − 0)ω) is not 1.",
        ),
        Mistake(
            "projected",
            lambda start, end, t: _projected(start, end, t[:, None]),
            "the straight path between the directions is stretched to its length",
            "its direction turns fastest in the middle; the sines turn it evenly.",
        ),
    ),
    hints=(
        "What is the length of ½(start + end) for two perpendicular latents of length 7?",
        "omega = torch.acos(a @ b); t[:, None] makes t a column.",
        "(torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega) * length, t and length columns",
    ),
    why="In 50 dimensions nearly all draws of the prior lie near length 7, and the straight path's middle near 5, "
    "where hardly any are. The library takes the angle from ‖a − b‖ and ‖a + b‖, accurate where acos is not.",
)


# --- numbers to find -------------------------------------------------------------------------------------------------

article_beta = Answer(
    id="vae.article_beta",
    right=392.0,
    wrong={
        784.0: "recon is divided by 784, but the kl by the 2 latents as well.",
        1568.0: "both divisions work the same way: 784 / 2, not 784 · 2.",
        1 / 392: "the other way round: multiply the loss by 784 and see what stands before the kl.",
        196.0: "the ½ belongs to the kl itself, and is in the article's formula already: it does not count in β.",
        15.68: "that was chapter 06's, with 50 latents.",
        1.0: "the two means divide by different numbers: 784 pixels, 2 latents.",
    },
    hints=(
        "Chapter 06 had the same question with other numbers.",
        "Loss · 784 = recon's sum + (784 / latents) · kl's sum.",
    ),
    why="the cross-entropy is a mean over 784 pixels, the kl a mean over 2 latents (both over the batch, which changes "
    "nothing): recon/784 + kl/2 = (recon + 392 kl)/784.",
    rtol=1e-3,
)

information_limit = Answer(
    id="vae.information_limit",
    right=math.log(9000),
    wrong={
        9000.0: "that is how many images there are; how many nats name one of them?",
        math.log2(9000): "that is in bits; the course counts in nats here.",
        math.log(10): "that names a class; z can tell images of a class apart.",
        50.0: "the number of latents limits nothing: a latent may hold many nats.",
        math.log(784): "the pixels do not count, the images do.",
    },
    hints=(
        "The information is the mean of ln(p(n|z) / (1/N)): how large can the probability p(n|z) be?",
        "At best z names its image with certainty: p(n|z) = 1.",
    ),
    why="the information of z about the index is at most the index's entropy: ln 9,000 = 9.10 nats, however many "
    "latents there are.",
    unit="nats",
    rtol=2e-3,
)

EXERCISES = (transposed_size, article_beta, spherical_path, active_units, information_limit)
