"""The learner says which of five reported comparisons may be believed, and what is wrong with the others."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "not_a_probability": "then the numbers of all images would not sum to 1: look for an average inside a product.",
    "broken_baseline": "then one of the two would be about as bad as something that has learnt nothing.",
    "other_data": "then the two numbers would be of different images, or of differently prepared ones.",
    "seen_before": "then images that are judged would have been there when the model was trained or chosen.",
    "unequal_effort": "then one side would have had more trials, more training or more seeds than the other.",
    "sound": "then both sides would have the same data, the same effort and a measure of chance.",
}

_ask = "Ask of both numbers: of which data, by how much effort, from which probability, and seen by whom before?"


report_1 = one_fault(
    "together.report_1",
    "not_a_probability",
    _faults,
    "an average of logits inside the product lets each pixel see its neighbours on all sides; what comes out need not "
    "sum to 1 over all images. In the example it summed to 1.35, and no code could be that short.",
    _ask,
    "Each ordering alone gives a probability. Where was the average taken?",
)


report_2 = one_fault(
    "together.report_2",
    "broken_baseline",
    _faults,
    "at 403 the baseline is no nearer to the data than noise is, so it shows that its training or its sampler failed, "
    "and nothing about the family.",
    _ask,
    "What would a generator that has learnt nothing have?",
)


report_3 = one_fault(
    "together.report_3",
    "other_data",
    _faults,
    "cut at one half a digit has smooth edges, drawn by its greys it has ragged ones, which cost lzma over 30 bits an "
    "image more. Other data have other numbers, whatever the model.",
    _ask,
    "Are these the same zeros and ones?",
)


report_4 = one_fault(
    "together.report_4",
    "seen_before",
    _faults,
    "a collection from the web may hold copies of public test images; a model that remembers them is then ahead of one "
    "that has learnt.",
    _ask,
    "Where may the photographs that it is tested on have been before?",
)


report_5 = one_fault(
    "together.report_5",
    "sound",
    _faults,
    "the same images, the same effort of tuning, five seeds, and differences of five standard errors. It says that one "
    "recipe is better than the other here, and no more.",
    _ask,
    "What would you still ask for?",
)


ENTRIES = (report_1, report_2, report_3, report_4, report_5)
