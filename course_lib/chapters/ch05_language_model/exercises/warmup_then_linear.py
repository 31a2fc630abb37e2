"""The learner writes warmup_then_linear: the factor on the learning rate, up, level and down."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.training import optimizers

_shares = [0.0, 0.01, 0.1, 0.3, 0.45, 0.7, 0.95, 1.0]


_warmups = ((0.02, 0.6), (0.2, 0.5), (0.1, 0.3), (0.6, 0.25))


def _falls_from_decay(share, warmup=0.02, decay=0.6):
    if share < warmup:
        return share / warmup
    return 1.0 if share < decay else (1 - share) / (1 - decay)


ENTRY = Exercise(
    id="language.warmup_then_linear",
    reference=optimizers.warmup_then_linear,
    probes=lambda: [
        Probe((share, warmup, decay), says=f"share = {share}, warmup = {warmup}, decay = {decay}")
        for warmup, decay in _warmups
        for share in _shares
    ],
    checked="the start, the middle and the end of four schedules.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_warmup",
            {"share / warmup if share < warmup else 1.0": "1.0"},
            "there is no rise at the start",
            "what is the factor at share 0?",
        ),
        Mistake(
            "no_level",
            {"(1 - share) / decay": "(1 - share) / (1 - warmup)"},
            "the fall begins as soon as the rise ends",
            "between warmup and 1 − decay the factor stays at 1.",
        ),
        Mistake(
            "ends_high",
            {"(1 - share) / decay": "(1 - share) / decay + 0.1"},
            "it ends at 0.1",
            "at share 1 the factor is 0.",
        ),
        Mistake(
            "decay_is_a_place",
            {"(1 - share) / decay": "(1 - share) / (1 - decay)"},
            "decay is taken for the place where the fall begins",
            "decay is how much of the training the fall takes: it begins at 1 − decay.",
        ),
        Mistake(
            "decay_begins_there",
            _falls_from_decay,
            "decay is taken for the place where the fall begins",
            "decay is how much of the training the fall takes: it begins at 1 − decay.",
        ),
        Mistake(
            "product",
            {"min(rise, (1 - share) / decay) if decay else rise": "rise * (1 - share)"},
            "the rise is multiplied by a fall over the whole training",
            "between the two lines there is a level part at 1.",
        ),
    ),
    hints=(
        "Draw it: a ramp, a plateau, a longer ramp down.",
        "share / warmup rises; (1 − share) / decay falls and is above 1 until the fall begins.",
        "min(share / warmup, 1, (1 - share) / decay)",
    ),
    why="A minimum of two lines and 1 has no corner to get wrong. The rise keeps the first steps small, when the "
    "optimizer's averages know little; the fall to 0 is meant to average out the noise of the batches.",
)
