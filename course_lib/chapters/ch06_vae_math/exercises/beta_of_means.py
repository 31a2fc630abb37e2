"""The learner answers which β two means in a VAE's loss amount to."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="vae.beta_of_means",
    right=15.68,
    wrong={
        784.0: "that is the factor of recon alone; the kl was divided, too.",
        50.0: "that is the factor of the kl alone; recon was divided, too.",
        1 / 15.68: "the other way round: multiply the loss by 784 and see what stands before the kl.",
        -15.68: "β stands before +kl, and the loss has +kl/50: nothing turns the sign.",
        1 / 784: "784 divides recon; freeing recon of it *multiplies* the kl.",
        1 / 50: "that is what stands before the kl in the loss as written; recon must be freed of its 784 first.",
        1.0: "the two means divide by different numbers: 784 and 50.",
        39_200.0: "one factor divides, the other multiplies: 784 / 50.",
    },
    hints=(
        "Multiply the loss by 784: recon is whole again. What stands before the summed kl?",
        "mean kl = kl / 50; so 784 · kl / 50.",
    ),
    why="−recon/784 + kl/50 = (−recon + (784/50) kl)/784. The common factor only scales the gradient, that before the "
    "kl changes what is learned: β = 784/50 = 15.68.",
    rtol=1e-2,
)
