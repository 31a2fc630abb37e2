"""The learner tells from the stream's variance what is wrong with a stack of layers, twice."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "no_residual": "then the stream would have the variance of one layer's output, 0.4, behind every layer.",
    "no_norm": "then the stream would grow by a factor from layer to layer, not by a sum.",
    "post_norm": "then the stream would have variance 1 behind every layer.",
    "no_fault": "then the stream's variance would grow by about the same amount, 0.4, with every layer.",
}


ENTRIES = (
        one_fault(
            "transformer.fault_a", "post_norm", _faults,
            "the variance is 1 behind every layer, whatever the layers write: a norm stands on the stream itself.",
            "What is the stream's variance behind each layer, as a number?",
            "What has variance 1 whatever goes in?",
        ),
        one_fault(
            "transformer.fault_b", "no_norm", _faults,
            "the stream grows by a factor in each layer: one that reads a large stream writes a larger one.",
            "Is the stream's growth a straight line on this logarithmic axis?",
            "What makes a layer's output independent of the size of what it reads?",
        ),
    )  # fmt: skip
