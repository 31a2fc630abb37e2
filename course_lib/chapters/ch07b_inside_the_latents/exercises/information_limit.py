"""The learner answers how many nats a latent can hold about which of 9,000 images it came from."""

import math

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="vae.information_limit",
    right=math.log(9000),
    wrong={
        9000.0: "that is how many images there are; how many nats name one of them?",
        math.log2(9000): "that is in bits; the course counts in nats here.",
        math.log(10): "that names a class; z can tell images of a class apart.",
        9.0: "about right, but rounded too far: two decimals are wanted.",
        -math.log(9000): "the ratio p(n|z) / (1/N) is what stands in the logarithm, not 1/N alone.",
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
