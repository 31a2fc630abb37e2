"""The learner works out what a critic with a gradient penalty reports between two points."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="gan.penalised_critic",
    right=2.2,
    wrong={
        2.0: "that is W₁, which a critic of slope 1 would earn; with a finite penalty a steeper one gains more.",
        1.1: "that is its slope; asked is what it reports, E_p[f] − E_q[f].",
        2.1: "the slope minimises −2s + 10(s − 1)²: its derivative −2 + 20(s − 1) is 0 at another s than 1.05.",
        4.4: "the two points are 2 apart: a slope of 1.1 earns 2 · 1.1.",
        2.4: "the square's derivative is 20(s − 1), not 10(s − 1).",
        1.8: "the penalty leaves the slope above 1: beyond it, the first bit of slope costs nothing and earns 2.",
        -2.2: "the loss is E_q[f] − E_p[f]; asked is what the critic reports, its negative without the penalty.",
        0.2: "that is the surplus W₁²/2λ alone; the critic reports W₁ with it.",
        2.3: "with the slope 1.1 the critic earns 1.1 · 2, and not more.",
    },
    hints=(
        "Along the way from data to fake let the critic fall with slope s. What is the loss, as a function of s?",
        "−2s + 10(s − 1)²; where is its derivative 0?",
    ),
    why="The loss −s W₁ + λ(s − 1)² is least at s = 1 + W₁/2λ = 1.1, and the critic reports s W₁ = 2.2. Between "
    "two points the surplus W₁²/2λ goes with the square of the distance.",
    rtol=5e-3,
    unit="units of x",
)
