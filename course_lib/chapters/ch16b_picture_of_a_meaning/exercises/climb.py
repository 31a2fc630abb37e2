"""The learner changes pixels, a little, so that a score rises."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import contrastive


def _score(pixels: torch.Tensor) -> torch.Tensor:
    """Return a number for each picture, with slopes of either sign and of different sizes."""
    weights = torch.arange(1, pixels[0].numel() + 1, dtype=pixels.dtype).cos() * 3
    flat = pixels.flatten(1)
    return (flat * weights).sum(1) + torch.sin(3 * flat).sum(1)


def _probe(shape: tuple[int, ...], seed: int, step: float, limit: float, moved: float) -> Probe:
    start = (random(*shape, seed=seed, shift=0.0) / 1.2).clamp(-0.99, 0.99)
    pixels = (start + moved * (2 * torch.rand(shape, dtype=start.dtype, generator=_rng(seed)) - 1)).clamp(-1, 1)
    says = f"a score, pixels and start {shape}, step {step}, limit {limit}"
    return Probe((_score, pixels, start, step, limit), says)


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _variation(generator: torch.Generator) -> Probe:
    start = torch.rand(3, 4, dtype=torch.float64, generator=generator) * 2 - 1
    step, limit = (torch.rand(2, generator=generator) * 0.3 + 0.05).tolist()
    pixels = (start + limit * (torch.rand(3, 4, dtype=torch.float64, generator=generator) - 0.5)).clamp(-1, 1)
    return Probe((_score, pixels, start, step, limit))


ENTRY = Exercise(
    id="clip.climb",
    reference=contrastive.climb,
    probes=lambda: [
        _probe((3, 5), 1, 0.05, 0.2, 0.2),
        _probe((2, 3, 2), 2, 0.3, 0.25, 0.1),
        _probe((1, 6), 3, 0.2, 0.9, 0.6),
    ],
    checked="steps smaller and larger than the limit, pixels near black and near full, one picture and several.",
    gradients=False,
    rtol=1e-6,
    atol=1e-7,  # signs may come as float32
    variations=_variation,
    mistakes=(
        Mistake(
            "down",
            {"+ step * gradient.sign()": "- step * gradient.sign()"},
            "the score is made smaller",
            "training goes down a loss; here a score is to rise.",
        ),
        Mistake(
            "not_signs",
            {"gradient.sign()": "gradient"},
            "pixels move by step times the gradient",
            "each pixel is to move by step, whatever its slope: only the direction counts.",
        ),
        Mistake(
            "unit_length",
            {"gradient.sign()": "gradient / gradient.flatten(1).norm(dim=1).view(-1, *[1] * (pixels.dim() - 1))"},
            "a picture moves by step in all",
            "each *pixel* is to move by step.",
        ),
        Mistake(
            "no_limit",
            {"torch.minimum(torch.maximum(moved, start - limit), start + limit).clamp(-1, 1)": "moved.clamp(-1, 1)"},
            "nothing keeps the pixels near their start",
            "after many steps it would be another picture: which pixels may a small change reach?",
        ),
        Mistake(
            "limit_of_a_step",
            {"torch.maximum(moved, start - limit), start + limit":
             "torch.maximum(moved, pixels - limit), pixels + limit"},
            "the limit is counted from where this step began",
            "then each step may go on by as much again: the limit is counted from start.",
        ),
        Mistake(
            "beyond_white",
            {".clamp(-1, 1)": ""},
            "pixels may become darker than black and brighter than full",
            "what comes back is to be a picture: between −1 and 1.",
        ),
        Mistake(
            "from_the_start",
            {"moved = pixels.detach()": "moved = start"},
            "the step begins at start again",
            "then twenty steps are one: the step begins at pixels.",
        ),
        Mistake(
            "slope_at_the_start",
            {"at = pixels.detach().requires_grad_()": "at = start.detach().clone().requires_grad_()"},
            "the slope is taken at start",
            "the score's slope changes on the way: take it where the pixels are.",
        ),
    ),
    hints=(
        "Which direction raises a score? torch.autograd.grad gives the slope of one number: what may be summed here?",
        "Each picture's score depends on its own pixels alone, so the gradient of the sum is each one's own. Move by "
        "step · sign, then see to the two limits.",
        "at = pixels.detach().requires_grad_(); (g,) = torch.autograd.grad(score(at).sum(), at); moved = pixels + "
        "step · g.sign(); not below start − limit, not above start + limit; clamp(−1, 1).",
    ),
    why="The same gradient that trains the network, taken by the pixels and not by the weights. A change of a "
    "twentieth of the range in each pixel is hard to see, and 3,072 of them all push the same way.",
)  # fmt: skip
