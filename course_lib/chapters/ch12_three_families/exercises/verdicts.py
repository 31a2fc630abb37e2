"""The learner judges nine phrases of a survey by the chapter's figures alone, each by the rule that stands with it."""

from course_lib.classroom.exercises.spec import Answer

_FIRST = "The rule in brackets names the figures that bear on the phrase. Write them down: do all of them agree?"


def _verdict(id: str, right: str, why: str, hint: str, **wrong: str) -> Answer:
    """Return the question for one phrase; wrong: what to say to each other word."""
    return Answer(f"together.{id}", right, wrong, (_FIRST, hint), why)


ENTRIES = (
    _verdict(
        "vae_good_samples",
        "depends",
        "its draws are behind both others by distance, precision, recall, density and coverage; its rounded middles, "
        "which are often shown, are ahead of the GAN by precision. Here, in 40 seconds, with a decoder whose "
        "pixels are independent given z; that VAEs cannot do better is not shown.",
        "Which picture is judged: a draw, or the middle that is often shown?",
        true="its draws are behind both others by all five rulers.",
        false="its draws are behind both others; what of its rounded middles, by precision?",
        not_shown="five rulers judge its draws: read its row of the table.",
    ),
    _verdict(
        "vae_hard_to_train",
        "false",
        "all of ten trials and five seeds end near the best one, none near independent pixels. That is not to say that "
        "the choice is free: the worst trial costs 0.036 bits, over a third of the gap to the Transformer.",
        "Its trials end between 0.66 and 0.70 bits. Where do independent pixels end?",
        true="the worst trial has 0.70 bits, the best 0.66, independent pixels 1.07: to which is it nearer?",
        depends="a bad choice costs 0.036 bits, over a third of the gap to the Transformer: a price, but by the rule "
        "here no failure.",
        not_shown="ten trials and five seeds were trained: where did they end?",
    ),
    _verdict(
        "vae_collapses",
        "depends",
        "its coverage is a third of that of real digits, and its draws are read as ones less than half as often; but "
        "every class is there, and its recall is nine tenths of theirs. Coverage falls with bad images, too, and noise "
        "in a drawn 1 may have it read as something else.",
        "Recall and coverage do not say the same.",
        true="its recall is 0.79, of 0.87: four real digits of five lie near one of its images.",
        false="a third of the test digits have one of its images nearby: look at coverage.",
        not_shown="recall, coverage and the rarest class bear on it.",
    ),
    _verdict(
        "gan_most_realistic",
        "false",
        "the Transformer is ahead of it by every ruler, precision among them, which asks the images one by one. It is "
        "ahead of the VAE, but second is not most.",
        "Which column asks for realistic images, one by one?",
        true="by which ruler would it be ahead of the Transformer?",
        depends="it is ahead of the VAE; but by which ruler would it be first?",
        not_shown="five rulers judge its draws: read its row of the table.",
    ),
    _verdict(
        "gan_unstable",
        "false",
        "no trial and no seed failed. Its seeds spread up to 1.4 times as much as the Transformer's, which five "
        "against five do not tell from chance. Finished runs are judged, of an averaged generator and one recipe; "
        "how the training went on its way is not shown here, and chapter 10 has games that do not arrive.",
        "Did a training fail?",
        true="not one of ten trials and five seeds failed: even the worst trial is nearer than a VAE.",
        depends="its seeds spread a little more than the Transformer's; but the rule asks whether a training fails.",
        not_shown="ten trials and five seeds bear on it.",
    ),
    _verdict(
        "gan_collapses",
        "depends",
        "its coverage is 0.55, below two thirds of the 0.97 of real digits; but its recall is over nine tenths of "
        "theirs, and no class is below half its share. Coverage falls with bad images as with missing kinds.",
        "Recall and coverage do not say the same.",
        true="recall is 0.81, of 0.87, and the rarest class has three quarters of its share.",
        false="nearly half of the test digits have none of its images nearby: look at coverage.",
        not_shown="recall, coverage and the rarest class bear on it.",
    ),
    _verdict(
        "gan_needs_tuning",
        "depends",
        "four rates from a half to four times the usual one differ by less than five seeds do; a quarter of it, and "
        "moved images, bring the GAN up to twice as far. Whether that is more than another family needs cannot be "
        "told: those were judged by bits.",
        "Look at the ten trials: unmoved from a half upwards, and the worst of all.",
        true="four rates, from a half to four times the usual one, differ by less than the seeds do.",
        false="a quarter of the rate and moved images bring it up to twice as far: more than the seeds differ.",
        not_shown="ten trials bear on it, and five seeds to compare them with.",
    ),
    _verdict(
        "transformer_far_back",
        "true",
        "another digit's first rows make the last four dearer, and those of a digit of the same class do, too, if "
        "less: it is not the class alone. One live model, and 43 to 195 pixels; nothing here speaks against it.",
        "What happened to the last four rows under another digit's first seven?",
        false="another digit's first rows cost it bits in the last four, 43 pixels and more behind.",
        depends="in which figure here did the pixels far back make no difference?",
        not_shown="the last four rows under another digit's first seven: that bears on it.",
    ),
    _verdict(
        "transformer_expensive",
        "depends",
        "for the same 40 seconds it gives more than the others, by bits and by every ruler; but each image that it "
        "makes takes more than 20 times as long. What it would cost to train further was not asked.",
        "Expensive to train, or to draw from?",
        true="in the same time of training it is ahead by every ruler: is that expensive?",
        false="look at the time of an image.",
        not_shown="time was measured twice: in training and for an image.",
    ),
)
