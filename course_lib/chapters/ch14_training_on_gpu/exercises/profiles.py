"""The learner names what slows three training steps from their profiles."""

from course_lib.classroom.exercises.spec import one_fault

_causes = {
    "float32_products": "then mm would take most of the time: in float32 its 51 calls alone would take longer than the "
    "whole sound step.",
    "tiny_batch": "then a step would be short, and no operator would stand out: hundreds of calls with a few "
    "microseconds each, for very few tokens.",
    "data": "then a large part of the time would be in no operator: Python prepares what the model waits for.",
    "explicit_attention": "then operators that work on whole tables of weights would stand near the top: softmax, "
    "masked_fill and bmm.",
    "optimizer": "then the step would end in hundreds of mul_, add_ and sqrt, some for each tensor of weights.",
}

ENTRIES = (
    one_fault(
        "together.profile_a", "tiny_batch", _causes,
        "a step of few tokens makes as many calls as one of many, and each call costs some microseconds whatever it "
        "works on. More sequences a step would come nearly for nothing.",
        "Compare the milliseconds of the whole step with those of the sound one, and the tokens.",
        "Divide the milliseconds of the sound step by its tokens, and those of this one by its own.",
    ),
    one_fault(
        "together.profile_b", "data", _causes,
        "more than half of the time is in no operator of PyTorch. This step encodes all of Shakespeare anew before it "
        "takes its windows.",
        "Which bar has no counterpart in the sound profile?",
        "‘in no operator’ is what Python does by itself. What might a training loop do there?",
    ),
    one_fault(
        "together.profile_c", "explicit_attention", _causes,
        "softmax, masked_fill and bmm work on tables of T × T numbers a head; a fused kernel makes none. Beside them "
        "the products are as in the sound step.",
        "Which operators are near the top here and far down in the sound profile?",
        "What has masked_fill to fill?",
    ),
)  # fmt: skip
