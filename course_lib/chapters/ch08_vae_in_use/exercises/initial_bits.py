"""The learner says how many bits the first image of a stack takes off the message before any go on."""

import math

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="vae.initial_bits",
    right=600 - 25 / math.log(2),
    wrong={
        600.0: "that is what z costs when it is pushed with the prior, 50 times 12 bits; popping it goes by q.",
        25 / math.log(2): "that is the rate: what z costs net, when the bits taken have come back.",
        25.0: "that is the rate in nats: what z costs net.",
        575.0: "the rate is in nats; a nat is 1 / ln 2 = 1.44 bits.",
        600 + 25 / math.log(2): "the rate is what the prior's price is *above* what popping with q takes.",
        625.0: "that adds the rate, in nats, to the prior's price; popping with q takes less than the price, not more.",
        600 - 25 * math.log(2): "nats become bits when they are divided by ln 2, not multiplied.",
        12.0: "that is one latent's price under the prior; there are 50, and popping goes by q.",
    },
    hints=(
        "Popping takes −log₂ q(z|x) bits, pushing puts −log₂ p(z) on. Whose mean difference is the rate?",
        "Under the prior every bin of every latent costs log₂ 4,096 = 12 bits, so −log₂ p(z) = 600, whatever z is.",
        "600 − 25 / ln 2.",
    ),
    why="R is the mean of ln q(z|x) − ln p(z). So −log₂ q(z|x) is −log₂ p(z) less the rate in bits: 600 − 36. The "
    "better q knows its z, the fewer bits choose it, and the more of its price is real.",
    rtol=2e-3,
    unit="bits",
)
