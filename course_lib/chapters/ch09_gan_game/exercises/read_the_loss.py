"""The learner reads a Jensen–Shannon divergence off a discriminator's loss."""

import math

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="gan.read_the_loss",
    right=(math.log(4) - 1.1) / 2,
    wrong={
        math.log(4) - 1.1: "that is twice the divergence: value = 2 JSD − ln 4.",
        0.14: "the first two digits are right; one more is asked for, to 1 %.",
        (math.log(4) - 1.1) / 4: "that is half of it: value = 2 JSD − ln 4, so one division by 2.",
        0.55: "that is half the loss; the loss is ln 4 − 2 JSD.",
        1.1: "that is the loss; value = −loss = 2 JSD − ln 4.",
        (math.log(4) + 1.1) / 2: "the loss is the negative of the value: mind the sign. JSD is at most ln 2 = 0.69.",
        (math.log(4) - 1.1) / 2 / math.log(2): "that is in bits; nats are asked for.",
        (1.1 - math.log(4)) / 2: "a divergence is not negative: mind the sign of the loss.",
        math.log(2) - 1.1: "the game has two terms: ln 4, not ln 2, is the loss of a D that cannot tell.",
    },
    hints=("The loss is −value, the value is 2 JSD − ln 4.", "Solve −1.1 = 2 JSD − 1.386."),
    why="JSD = (ln 4 − loss)/2 = 0.143 nats, if D is as good as it gets. A worse D has a higher loss, so on fresh "
    "points the number is a lower bound: a training log tells how well D plays, not how well G does.",
    rtol=1e-2,
    unit="nats",
)
