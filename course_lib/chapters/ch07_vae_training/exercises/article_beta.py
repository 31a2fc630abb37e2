"""The learner answers which β the article's reductions amount to."""

from course_lib.classroom.exercises.spec import Answer

ENTRY = Answer(
    id="vae.article_beta",
    right=392.0,
    wrong={
        784.0: "recon is divided by 784, but the kl by the 2 latents as well.",
        1568.0: "both divisions work the same way: 784 / 2, not 784 · 2.",
        1 / 392: "the other way round: multiply the loss by 784 and see what stands before the kl.",
        196.0: "the ½ belongs to the kl itself, and is in the article's formula already: it does not count in β.",
        15.68: "that was chapter 06's, with 50 latents.",
        1.0: "the two means divide by different numbers: 784 pixels, 2 latents.",
    },
    hints=(
        "Chapter 06 had the same question with other numbers.",
        "Loss · 784 = recon's sum + (784 / latents) · kl's sum.",
    ),
    why="the cross-entropy is a mean over 784 pixels, the kl a mean over 2 latents (both over the batch, which changes "
    "nothing): recon/784 + kl/2 = (recon + 392 kl)/784.",
    rtol=1e-3,
)
