"""The learner writes training_days: from parameters, tokens and cards to days."""

from course_lib.chapters.ch14b_many_devices import costs
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_calls = [(1.5e9, 3e10, 8, 1e15, 0.35), (175e9, 3e11, 1024, 312e12, 0.45), (1e6, 2e7, 1, 1e11, 0.9)]

ENTRY = Exercise(
    id="together.training_days",
    reference=costs.training_days,
    probes=lambda: [
        Probe(c, says="parameters = {:g}, tokens = {:g}, devices = {}, peak = {:g}, utilisation = {:g}".format(*c))
        for c in _calls
    ],
    checked="three trainings, from a million parameters to 175 billion, and the default utilisation.",
    gradients=False,
    mistakes=(
        Mistake(
            "forward_only",
            {"6 * parameters": "2 * parameters"},
            "only the forward pass is counted, two operations for each parameter and token",
            "chapter 04 measured backward: how many times forward was it?",
        ),
        Mistake(
            "no_utilisation",
            {" * utilisation": ""},
            "every device reaches its peak",
            "a share of the peak is reached: does that make the training longer or shorter?",
        ),
        Mistake(
            "utilisation_above",
            {"operations / (devices * peak * utilisation)": "operations * utilisation / (devices * peak)"},
            "a lower utilisation makes the training shorter",
            "utilisation belongs to the rate, and the rate is what operations are divided by.",
        ),
        Mistake(
            "no_brackets",
            {"operations / (devices * peak * utilisation)": "operations / devices * peak * utilisation"},
            "only the number of devices stands under the fraction, and the rest multiplies",
            "how does Python read a / b * c?",
        ),
        Mistake(
            "always_forty",
            {"utilisation)": "0.4)"},
            "40 % of the peak are reached, whatever the argument says",
            "the utilisation comes as an argument; 0.4 is only what it is when it is left out.",
        ),
        Mistake(
            "one_device",
            {"devices * peak": "peak"},
            "there is one device",
            "all devices compute at once.",
        ),
        Mistake(
            "hours",
            {"/ DAY": "/ 3600"},
            "the time is in hours",
            "days are asked for.",
        ),
        Mistake(
            "seconds",
            {"/ DAY": ""},
            "the time is in seconds",
            "days are asked for: 24 · 3600 seconds each.",
        ),
    ),
    hints=(
        "Operations first: chapter 04's rule for training, times the tokens.",
        "Then the rate: devices, times what one reaches.",
        "6 · parameters · tokens / (devices · peak · utilisation) / 86,400",
    ),
    why="Work divided by rate. Of the five numbers the utilisation is the one nobody knows beforehand, and it moves "
    "the result by a factor of two.",
)
