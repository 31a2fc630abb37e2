"""The learner says how many latents of a linear VAE are used at a given noise."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="vae.latents_in_use",
    right=3,
    wrong={
        5.0: "what squared length would the fourth column have, λ₄ − σ²?",
        2.0: "that counts the latents that die.",
        4.0: "0.018 is less than the noise, 0.025: what would that column gain?",
        1.0: "is only the largest eigenvalue above 0.025?",
        0.0: "a column is worth having where its eigenvalue exceeds σ².",
    },
    hints=(
        "Equation (6b.4): which eigenvalues leave a squared length above 0?",
        "Compare each of the five with 0.025.",
    ),
    why="A column lives where λ_j > σ²: 0.057, 0.039 and 0.029 do, 0.018 and 0.015 do not. Nothing went wrong in "
    "training; the best model of these data with this noise has three latents.",
)
