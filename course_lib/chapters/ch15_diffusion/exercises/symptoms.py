"""The learner names what is wrong with two samplings, from their samples and the spread of the pixels."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "times_not_stretched": "then grey digits would show through noise: the network, told that it is always t ≈ 0, "
    "keeps giving the velocity of the beginning, and a part of the noise stays.",
    "time_reversed": "then the sheet would show torn strokes under noise: at the beginning noise is taken for a nearly "
    "finished digit, and at the end a digit as noise.",
    "noise_as_velocity": "then the spread would grow all the way: who follows the noise adds noise.",
    "one_step": "then the spread would have two points only, and each sample would be blurred like a mean.",
    "line_run_twice": "then there would be clean digits, thinner ones and some broken: each step goes twice as far as "
    "its time says.",
    "too_much_guidance": "then there would be bold, clean digits, those of a class much alike, and the spread would "
    "end higher than the data's.",
}


symptom_1 = one_fault(
    "diffusion.symptom_1",
    "times_not_stretched",
    _faults,
    "told t/1000, the network believes that all is still noise. There v = x̂ − ε̂ with ε̂ = x_t: each step "
    "takes off a share of what is there, and if it kept to that, about e⁻¹ = 0.37 of the noise would be left; here it "
    "is a quarter.",
    "Noise is left over, and yet a digit was found. What does the network seem to believe of the time?",
    "Follow dx/dt = m − x from 0 to 1 for a fixed m: what is left of the start?",
)


symptom_2 = one_fault(
    "diffusion.symptom_2",
    "noise_as_velocity",
    _faults,
    "x̂ − ε̂ leads from noise to data. ε̂ by itself leads to more noise: at the start it is x_t, so that the "
    "sampler first multiplies what is there. A sampler has to be given the prediction that it was written for.",
    "The samples are louder than the noise that they began with.",
    "Which of the four predictions at x_t is x_t itself when t = 0?",
)


ENTRIES = (symptom_1, symptom_2)
