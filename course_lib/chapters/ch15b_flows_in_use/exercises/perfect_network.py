"""The learner says what a flow draws whose network solves the regression perfectly."""

from course_lib.classroom.exercises.spec import one_fault

ENTRY = one_fault(
    "diffusion.perfect_network",
    "copies",
    {
        "copies": "each sample would be one of the 100",
        "blends": "the best guess of the data is a mean of the 100 while it is noisy, but what does that mean become "
        "as the noise goes? The weights of all but one digit vanish.",
        "new digits": "digits in general are not known to the regression, only these 100 are: its best guess is a "
        "mean over them alone, at every t.",
        "noise": "the best guess is a mean of the 100 digits at every noise level; nothing in it is noise.",
    },
    "Training minimises a mean over the 100 digits, which are then the whole distribution: a mixture of 100 points. "
    "Chapter 15's exact flow leads every noise to a draw from that, so to one of the 100. A network that draws "
    "something new has not reached the minimum of its loss.",
    "For which distribution of data is the mean over 100 digits an exact expectation?",
    "For 100 points with weight 1/100 each. Where does the exact flow of a mixture lead?",
)
