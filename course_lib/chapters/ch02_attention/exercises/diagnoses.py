"""The learner tells from a table of weights what is wrong with an attention layer, three times."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "unscaled": "then nearly every row would be all or nothing: one weight near 1, the rest near 0.",
    "wrong_axis": "then the columns would sum to 1 and the rows would not.",
    "unmasked": "then the triangle above the diagonal would be filled.",
    "mask_inverted": "then weights would stand only above the diagonal, and the last query would find nothing.",
}


ENTRIES = (
    one_fault(
        "attention.fault_a", "wrong_axis", _faults,
        "the columns sum to 1, the rows do not: the softmax ran over the queries.",
        "Add up a row, then a column.", "Row sums are written at the right.",
    ),
    one_fault(
        "attention.fault_b", "unscaled", _faults,
        "every row is nearly all or nothing: the scores were not divided by √d_head.",
        "How many keys does a query listen to?", "What makes a softmax hard?",
    ),
    one_fault(
        "attention.fault_c", "unmasked", _faults,
        "there are weights above the diagonal: the future is seen.",
        "Which cells of a causal layer must be empty?", "Look above the diagonal.",
    ),
)  # fmt: skip
