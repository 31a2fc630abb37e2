"""The learner writes pre_norm_block: what attention and the feed-forward layer add to the stream."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from course_lib.attention import transformer
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _parts(time: int, C: int, seed: int) -> tuple[Callable, Callable, Callable, Callable]:
    """Two norms with different gains, a layer that mixes positions and one that does not."""
    gains, mix = random(2, C, seed=seed), random(time, time, seed=seed + 1) / time
    into, out = random(C, 3 * C, seed=seed + 2) / C, random(3 * C, C, seed=seed + 3) / C
    return (
        lambda x: F.layer_norm(x, (C,)) * gains[0],
        lambda x: torch.tanh(mix @ x),
        lambda x: F.layer_norm(x, (C,)) * gains[1],
        lambda x: F.relu(x @ into) @ out,
    )


def _block(time: int, C: int, *batch: int, seed: int) -> Probe:
    says = f"x {(*batch, time, C)}, two norms, an attention and a feed-forward layer"
    return Probe((random(*batch, time, C, seed=seed), *_parts(time, C, seed + 1)), says=says)


ENTRY = Exercise(
    id="transformer.pre_norm_block",
    reference=transformer.pre_norm_block,
    probes=lambda: [
        _block(3, 5, seed=1),
        _block(4, 6, 1, seed=11),
        _block(2, 7, 3, 5, seed=21),
    ],
    checked="three shapes with up to two leading axes, and the gradient for the stream.",
    mistakes=(
        Mistake(
            "post_norm",
            {
                "x + attention(norm_1(x))": "norm_1(x + attention(x))",
                "x + feed_forward(norm_2(x))": "norm_2(x + feed_forward(x))",
            },
            "the norm comes after each sum",
            "that is the arrangement of 2017. Here the stream itself must never pass through a norm.",
        ),
        Mistake(
            "old_stream",
            {"x = x + attention": "found = x + attention", "norm_2(x)": "norm_2(found)"},
            "the second layer's result is added to the stream as it was before attention",
            "what attention found must stay in the stream: to what is the second result added?",
        ),
        Mistake(
            "beside",
            {"x = x + attention": "found = x + attention", "return x +": "return found +"},
            "the second layer reads the stream as it was before attention",
            "feed_forward shall work on what attention just found: which stream does norm_2 get?",
        ),
        Mistake(
            "no_second_norm",
            {"norm_2(x)": "x"},
            "feed_forward reads the stream without a norm",
            "both layers read a normalised copy.",
        ),
        Mistake(
            "norm_on_the_stream",
            {"x = x + attention(norm_1(x))": "x = norm_1(x)\n    x = norm_2(x + attention(x))", "norm_2(x)": "x"},
            "the normalised copy takes the stream's place",
            "x = norm_1(x) overwrites the stream; the sum needs the x from before.",
        ),
        Mistake(
            "no_second_residual",
            {"return x + feed_forward": "return feed_forward"},
            "what the feed-forward layer returns takes the stream's place",
            "if both layers return zeros, what comes back?",
        ),
        Mistake(
            "norm_on_the_output",
            {
                "x + attention(norm_1(x))": "x + norm_1(attention(x))",
                "x + feed_forward(norm_2(x))": "x + norm_2(feed_forward(x))",
            },
            "the norms stand on what the layers return",
            "then the layers read the stream as long as it is. Who shall see numbers of variance 1?",
        ),
        Mistake(
            "no_residual",
            {"x = x + attention": "x = attention", "return x +": "return"},
            "nothing is added: each layer's result replaces the stream",
            "a layer writes x + something.",
        ),
        Mistake(
            "norms_swapped",
            {"attention(norm_1(x))": "attention(norm_2(x))", "feed_forward(norm_2(x))": "feed_forward(norm_1(x))"},
            "the two norms have changed places",
            "which norm belongs to which layer?",
        ),
        Mistake(
            "norm_1_twice",
            {"norm_2(x)": "norm_1(x)"},
            "feed_forward reads through norm_1",
            "each layer has a norm of its own, with its own gains.",
        ),
        Mistake(
            "feed_forward_first",
            {
                "attention(norm_1(x))": "feed_forward(norm_2(x))",
                "return x + feed_forward(norm_2(x))": "return x + attention(norm_1(x))",
            },
            "the feed-forward layer comes first",
            "it shall work on what attention has just found.",
        ),
        Mistake(
            "no_first_norm",
            {"norm_1(x)": "x"},
            "attention reads the stream without a norm",
            "both layers read a normalised copy.",
        ),
        Mistake(
            "no_first_residual",
            {"x = x + attention": "x = attention"},
            "what attention returns takes the stream's place",
            "if both layers return zeros, what comes back?",
        ),
    ),
    hints=(
        "If both layers return zeros, what must come back?",
        "Each layer gets a normalised copy; its result is added to the stream itself, which meets no norm.",
        "x = x + attention(norm_1(x)); then the same with norm_2 and feed_forward, on the new x.",
    ),
    why="The stream passes through additions alone, so its gradient reaches every block unchanged beside whatever the "
    "layers contribute. The norms stand on the side roads.",
)
