"""The learner names the fault of two trainings on two devices from two numbers each."""

from course_lib.classroom.exercises.spec import one_fault

FAULTS = {
    "no_averaging": "each would apply its own gradient, and the two would drift apart.",
    "same_rows": "both would work on the same rows: never apart, and a first step that is not that of all rows.",
    "sum_for_mean": "the first step would be exactly twice that of one device with all rows.",
    "no_fault": "the two would agree, and the first step would be that of one device with all rows, 1.000.",
}

ENTRIES = (
    one_fault(
        "together.run_a",
        "same_rows",
        FAULTS,
        "The devices agree, so their gradients were averaged. The step is neither 1 nor 2 times that of all rows: the "
        "gradients were of other rows than they should have been, the same for both.",
        "Do the two devices agree at the end? What does that say of the averaging?",
        "The first step is not that of the whole batch, and no simple multiple of it. Of which rows is it?",
    ),
    one_fault(
        "together.run_b",
        "no_averaging",
        FAULTS,
        "Devices that begin alike and apply the same update stay alike. These do not: each applied its own gradient.",
        "Two devices that begin with the same weights and apply the same update: can they part?",
        "They have parted, so their updates differed.",
    ),
)
