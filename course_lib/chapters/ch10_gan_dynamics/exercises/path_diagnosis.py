"""The learner names the change in a game from the path that it takes."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "simultaneous": "simultaneous steps of the minimax game go round as well, and end further out than they began.",
    "nonsaturating": "the non-saturating pair comes nearer too, but goes round the end meanwhile: θ changes its sign.",
    "r1": "with γ below 2s − hs² the multipliers are a complex pair: the path would turn inwards, evenly.",
    "too_much_r1": "right.",
    "two_rates": "two rates squeeze the circle to an ellipse, and the path would still go round.",
    "averaging": "a mean of a circle shrinks by wobbling about the centre: it would cross the axes.",
}


ENTRY = one_fault(
    "gan.path_diagnosis",
    "too_much_r1",
    _faults,
    "Beyond γ = 2s − hs² both multipliers are real. The smaller one takes ψ to its place at once; the larger one, "
    "near 1, is left to bring θ home, and comes nearer to 1 with every further bit of γ.",
    "Does the path turn at all? What does that say about the imaginary parts of the multipliers?",
    "Two real multipliers: one fast move, then one slow one. Which knob makes them real?",
)
