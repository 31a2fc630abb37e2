"""The learner names what slows three training steps from their profiles."""

from course_lib.classroom.exercises.spec import one_fault

_causes = {
    "float32_products": "then copy_ would not be among the first operators: most of its 148 calls in the sound step "
    "come with bfloat16, which turns numbers into it and back. And mm would take four times as long "
    "for as many tokens.",
    "tiny_batch": "then the step would have far fewer tokens than the sound one.",
    "data": "then there would be more *milliseconds* in no operator than in the sound step: Python prepares what the "
    "model waits for.",
    "explicit_attention": "then masked_fill_ would be among the first operators: the sound step fills in no mask.",
    "optimizer": "then mul_, sqrt and others would take part in the update, a call for each tensor of weights. No such "
    "bar has grown here.",
}

ENTRIES = (
    one_fault(
        "together.profile_a", "tiny_batch", _causes,
        "a step of 64 tokens makes about as many calls as one of 1,024 (2,341 and 2,246), and reads and updates the "
        "same weights. So a sixteenth of the tokens takes about a third of the time.",
        "Compare the milliseconds of the whole step with those of the sound one, and the tokens.",
        "Divide the milliseconds of the sound step by its tokens, and those of this one by its own.",
    ),
    one_fault(
        "together.profile_b", "data", _causes,
        "34 ms are in no operator of PyTorch, 12 in the sound step, and all other bars are as long as there. This step "
        "encodes all of Shakespeare anew before it takes its windows.",
        "Which bar has grown? Compare milliseconds.",
        "‘in no operator’ is what Python does by itself. What might a training loop do there?",
    ),
    one_fault(
        "together.profile_c", "explicit_attention", _causes,
        "masked_fill_ is new, with 3.4 ms; bmm and copy_ take a little longer; the others are as in the sound step. "
        "Here attention is written out, and the mask is filled into a table of T × T numbers a head.",
        "Which operator is near the top here and not among those of the sound profile?",
        "What has masked_fill_ to fill?",
    ),
)  # fmt: skip
