"""The learner judges nine phrases of a survey by the chapter's figures alone."""

from course_lib.classroom.exercises.spec import Answer

_OTHER = {
    "true": "then a figure here would have to bear it out, with nothing against it.",
    "false": "then a figure here would have to speak against it, with nothing for it.",
    "depends": "then one figure here would have to speak for it and another against it.",
    "not_shown": "something here does bear on it: look at the table and the trials again.",
}


def _verdict(id: str, right: str, why: str, hint: str, **instead: str) -> Answer:
    """Return the question for one phrase; instead: what to say to a wrong word, where there is more to say."""
    wrong = {word: instead.get(word, says) for word, says in _OTHER.items() if word != right}
    return Answer(f"together.{id}", right, wrong, (hint,), why)


ENTRIES = (
    _verdict(
        "vae_good_samples",
        "false",
        "it is behind both others by distance, precision, recall, density and coverage. Here, in 40 seconds, with a "
        "decoder whose pixels are independent given z; that VAEs cannot do better is not shown.",
        "Read its row of the table, beside the two others.",
        depends="by which ruler here would its samples be the better ones?",
    ),
    _verdict(
        "vae_hard_to_train",
        "false",
        "ten trials lie within 6 % and five seeds within 1 % of each other; none failed, and the loss is one number.",
        "How far apart are its best and its worst trial, and its five seeds?",
    ),
    _verdict(
        "vae_collapses",
        "depends",
        "it makes ones less than half as often as they occur, and covers a third of the test digits; but every "
        "class is there, and its recall is 0.79.",
        "Recall and coverage do not say the same.",
        true="its recall is 0.79: four real digits of five lie near one of its images.",
        false="a third of the test digits have one of its images nearby: look at coverage.",
    ),
    _verdict(
        "gan_most_realistic",
        "false",
        "the Transformer is ahead of it by every ruler, precision among them, which asks the images one by one.",
        "Which column asks for realistic images, one by one?",
    ),
    _verdict(
        "gan_unstable",
        "false",
        "ten trials and five seeds ended with digits, and its distances spread no more than the Transformer's.",
        "Compare the spread of its five seeds with the Transformer's.",
    ),
    _verdict(
        "gan_collapses",
        "false",
        "every class is there, and its recall and coverage are above the VAE's.",
        "Which columns fall if kinds of images are missing?",
    ),
    _verdict(
        "gan_needs_tuning",
        "depends",
        "four rates from a half to four times the usual differ little; a quarter of it on moved images brings it "
        "about twice as far.",
        "Look at the ten trials: the rates from a half upwards, and the worst of all.",
    ),
    _verdict(
        "transformer_far_back",
        "true",
        "another digit's upper half makes the last four rows dearer, and nothing here speaks against it.",
        "Did its completed halves fit their upper halves?",
        not_shown="the lower halves that it draws keep the class of the upper ones: something from far back counts.",
    ),
    _verdict(
        "transformer_expensive",
        "depends",
        "all had the same time to train in, and it did fewer operations than the GAN; but each image that it "
        "makes takes more than 20 times as long.",
        "Expensive to train, or to draw from?",
    ),
)
