"""The learner writes the KL's weight at a step: a straight line from 0 to 1, then 1."""

from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import bounds

_STEPS = [(0, 400), (100, 400), (399, 400), (400, 400), (1000, 400), (3, 7), (1, 1), (0, 0), (5, 0), (2, 3)]


def _smooth(step: int, steps: int) -> float:
    t = min(1.0, step / steps) if steps else 1.0
    return t**2 * (3 - 2 * t)


ENTRY = Exercise(
    id="vae.kl_warmup",
    reference=bounds.kl_warmup,
    probes=lambda: [Probe(s, says="step = {}, steps = {}".format(*s)) for s in _STEPS],
    checked="ten pairs: before, at and after the end of the warm-up, and without one.",
    gradients=False,
    mistakes=(
        Mistake(
            "no_cap",
            {"min(1.0, step / steps)": "step / steps"},
            "it goes on rising beyond 1",
            "after the warm-up the objective is the ELBO, with the KL's weight 1.",
        ),
        Mistake(
            "zero_division",
            {" if steps else 1.0": ""},
            "steps = 0 is divided by",
            "without a warm-up the weight is 1 at once.",
        ),
        Mistake(
            "off_without",
            {"else 1.0": "else 0.0"},
            "no warm-up means no KL",
            "the warm-up of length 0 is over at step 0.",
        ),
        Mistake(
            "one_early",
            {"step / steps": "(step + 1) / steps"},
            "steps are counted from 1",
            "the first step has number 0, and weight 0.",
        ),
        Mistake(
            "one_short",
            {"step / steps": "step / max(steps - 1, 1)"},
            "1 is reached one step early",
            "after steps steps, at step number steps.",
        ),
        Mistake(
            "falling",
            {"min(1.0, step / steps)": "max(0.0, 1 - step / steps)"},
            "it falls from 1 to 0",
            "the reconstruction comes first, the KL is let in slowly.",
        ),
        Mistake(
            "switch",
            {"min(1.0, step / steps) if steps else 1.0": "float(step >= steps)"},
            "it jumps from 0 to 1 at the end of the warm-up",
            "a straight line: a quarter of the way, a quarter of the weight.",
        ),
        Mistake(
            "smooth",
            _smooth,
            "the line is a smooth step",
            "a plain straight line is asked for.",
        ),
    ),
    hints=(
        "Which three cases are there?",
        "min(1.0, step / steps) is the line and the cap.",
        "return min(1.0, step / steps) if steps else 1.0",
    ),
    why="At the start the decoder knows nothing to do with z, and the KL is a price without a return. The weight lets "
    "z become useful first. What is optimised meanwhile is no bound: curves are compared after the warm-up alone.",
)
