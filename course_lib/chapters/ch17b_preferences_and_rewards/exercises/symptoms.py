"""The learner names what is wrong with two trainings by rewards, from their curves."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "hole_in_the_checker": "then reward and right would part: what is logged goes up, what a person would take goes "
    "down.",
    "reference_moved_along": "then the KL as logged would stay near 0 while the answers change: it is measured from "
    "a moment ago, and holds nothing back.",
    "groups_all_equal": "then the gradient would be 0, exactly: where all answers to a question are worth as much, "
    "none is better than the others.",
    "brake_too_strong": "then there would be a gradient and the KL would stay near 0, the reward where it began: every "
    "move away is pulled back.",
    "sign_turned": "then the reward would fall to 0: better answers are made less likely.",
    "never_drawn_again": "then the reward as logged would be one number for ever, that of the first draws, and the "
    "gradient small but not 0.",
}


symptom_1 = one_fault(
    "prefer.symptom_1",
    "reference_moved_along",
    _faults,
    "The answers change more than in the sound training, and the KL that is logged is next to 0: so it is not the KL "
    "to where the training began. A copy of the weights that is renewed does this, or one object under two names. Here "
    "the checker is sound, and no harm is seen but that one answer is left where the sound training keeps two.",
    "Compare what the KL says with how many different answers are left.",
    "From where is this KL measured?",
)


symptom_2 = one_fault(
    "prefer.symptom_2",
    "groups_all_equal",
    _faults,
    "Half of the questions are always answered right, the others never: in each group the advantages are all 0, and "
    "so is the gradient. The wrong answers are different enough. Easier questions, larger groups or part marks make "
    "groups uneven again.",
    "What is the norm of the gradient? Is it small, or 0?",
    "Advantages compare the answers to one question. When do they say nothing?",
)


ENTRIES = (symptom_1, symptom_2)
