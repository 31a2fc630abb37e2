"""The learner tells from the stream's variance what is wrong with a stack of layers, twice."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "no_residual": "then the stream would have the variance of one layer's result, 0.4, behind every layer.",
    "no_norm": "then a layer that reads a longer stream would write more: a factor from layer to layer, no sum.",
    "post_norm": "then the stream would have variance 1 behind every layer.",
    "norm_on_the_output": "then every layer would add exactly 1, whatever it reads.",
    "no_fault": "then every layer would add about 0.4, and behind twelve the variance would be near 5.8.",
}


ENTRIES = (
        one_fault(
            "transformer.fault_a", "norm_on_the_output", _faults,
            "every layer adds 1, not 0.4: what it returns has been given variance 1 before it is added. The stream "
            "stays intact, but no layer can say little.",
            "Take the differences of the numbers on the curve: what does a layer add?",
            "A sound layer adds 0.4. Which one adds 1, whatever it reads?",
        ),
        one_fault(
            "transformer.fault_b", "no_norm", _faults,
            "the variance is multiplied by 1.4 in each layer: one that reads a long stream writes much.",
            "Take the quotients of the numbers on the curve, and compare them with the differences.",
            "What makes a layer's result independent of how long the stream is that it reads?",
        ),
    )  # fmt: skip
