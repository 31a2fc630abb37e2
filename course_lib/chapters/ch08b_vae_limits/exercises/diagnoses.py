"""The learner names what went wrong with two VAEs, from their numbers."""

from course_lib.classroom.exercises.spec import one_fault

_faults = {
    "beta_too_large": "the KL would be near 0, every reconstruction the same blurred picture, and the bound far worse.",
    "beta_too_small": "the KL would be larger than usual, reconstructions sharp, and draws of the prior broken.",
    "strong_decoder": "the KL would be near 0 although the bound is as good as ever, and better than the plain VAE's.",
    "mode_collapse": "samples would show a few classes alone; the bound of a VAE punishes every image that it misses.",
    "posterior_collapse": "that names a KL near 0, which is a symptom; the cause was asked for.",
    "overfitting": "the bound on training images would rise while that on validation images falls.",
    "sampling_means": "only pictures would change, not one number of the bound.",
}


which_failure_1 = one_fault(
    "vae.which_failure_1",
    "strong_decoder",
    _faults,
    "The likelihood is good and z holds nothing: the decoder explains the image without it, and every nat in z would "
    "cost a nat of KL. Latents for a map, for search or for editing cannot come out of such a model.",
    "The bound is better than the plain VAE's. Does a run whose β is wrong do that?",
    "Who explains the pixels, if not z?",
)


which_failure_2 = one_fault(
    "vae.which_failure_2",
    "beta_too_small",
    _faults,
    "The distortion is smaller and the ELBO is worse, so the rate must be much larger: z was cheap. All that "
    "the encoder fills need not be N(0, 1) any more, and draws of the prior may fall where the decoder never was.",
    "The distortion is smaller and the sum is worse. Which of the two terms is unusually large?",
    "Reconstructions start from q(z|x), samples from p(z). Where do the two meet?",
)


ENTRIES = (which_failure_1, which_failure_2)
