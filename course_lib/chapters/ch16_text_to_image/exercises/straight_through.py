"""The learner lets a gradient pass a choice that has none."""

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.vae import quantised


def _probe(*shape: int, seed: int) -> Probe:
    return Probe((random(*shape, seed=seed), random(*shape, seed=seed + 1, shift=-0.4)))


ENTRY = Exercise(
    id="text.straight_through",
    reference=quantised.straight_through,
    probes=lambda: [_probe(3, 2, seed=1), _probe(1, 5, seed=3), _probe(2, 3, 4, 5, seed=5)],
    checked="three shapes, a batch of one among them: the values, and where the gradient goes.",
    mistakes=(
        Mistake(
            "not_detached",
            lambda z, entries: z + (entries - z),
            "nothing is detached: z cancels out, and the gradient goes to the entries alone",
            "what reaches the encoder? The difference of the two has to count as a constant.",
        ),
        Mistake(
            "all_detached",
            lambda z, entries: (z + (entries - z)).detach(),
            "all is detached: no gradient goes anywhere",
            "the encoder learns from what reaches z. Which part has to stay attached?",
        ),
        Mistake(
            "other_side",
            lambda z, entries: entries + (z - entries).detach(),
            "z and the entries have exchanged their roles: the value is z",
            "the decoder is to see the entries, for a symbol is all that is kept; the gradient is to see z.",
        ),
        Mistake(
            "entries_too",
            lambda z, entries: z - z.detach() + entries,
            "the gradient goes to the entries as well",
            "the entries have a term of their own that moves them. Which tensors does the backward pass meet?",
        ),
        Mistake(
            "z_alone",
            lambda z, entries: z.clone(),
            "z comes back as it is: nothing is quantised",
            "the value has to be that of the entries.",
        ),
    ),
    hints=(
        "Look at both passes: forward the entries' values, backward as if nothing stood between z and what follows.",
        "x.detach() has the value of x and counts as a constant in the backward pass.",
        "z plus something that has the value of entries − z and passes no gradient.",
    ),
    why="The choice is constant nearly everywhere, so that its own gradient is 0 and the encoder would learn nothing. "
    "The estimate is biased for any codebook whose cells are not all alike, and it is used because it works. The "
    "entries get their gradient from a term of their own, so none has to come this way.",
)
