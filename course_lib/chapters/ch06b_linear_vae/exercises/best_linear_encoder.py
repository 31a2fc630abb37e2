"""The learner finds mean and variances of the best diagonal Gaussian for a linear decoder."""

from course_lib.chapters.ch06b_linear_vae import solved
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_SAYS = "W of shape {} and s2 = {}"

ENTRY = Exercise(
    id="vae.best_linear_encoder",
    reference=solved.best_linear_encoder,
    probes=lambda: [
        Probe((random(d, latents, seed=seed), s2), says=_SAYS.format((d, latents), s2))
        for d, latents, s2, seed in ((5, 3, 0.3, 1), (7, 2, 1.7, 2), (4, 1, 0.5, 3), (6, 4, 2.5, 4))
    ],
    checked="both outputs and their gradients to W for four shapes, one latent among them.",
    outputs=("V", "D"),
    mistakes=(
        Mistake(
            "no_prior",
            {"torch.eye(W.shape[1], dtype=W.dtype, device=W.device) + ": ""},
            "the prior has no part in it: W is simply inverted, as in PCA",
            "ln p(x, z) has a −½ zᵀz from the prior beside the term of the decoder.",
        ),
        Mistake(
            "marginal",
            {"1 / precision.diagonal()": "precision.inverse().diagonal()"},
            "D is the diagonal of the posterior's covariance",
            "with that D every latent has its true spread; but which D makes Λ_jj D_j − 1 − ln D_j least?",
        ),
        Mistake(
            "precision",
            {"1 / precision.diagonal()": "precision.diagonal()"},
            "D is a precision, not a variance",
            "the more a pixel tells of z, the smaller is q's variance.",
        ),
        Mistake(
            "std",
            {"1 / precision.diagonal()": "precision.diagonal().rsqrt()"},
            "D is a standard deviation",
            "q is N(V (x − m), diag D): D holds variances.",
        ),
        Mistake(
            "one_by_one",
            {"torch.linalg.solve(precision, W.mT / s2)": "W.mT / s2 / precision.diagonal()[:, None]"},
            "each latent is inferred as if the others were 0",
            "columns that overlap explain the same pixels: the mean needs the whole of Λ, δᵀΛδ is least at δ = 0.",
        ),
        Mistake(
            "no_noise",
            {"torch.linalg.solve(precision, W.mT / s2)": "torch.linalg.solve(precision, W.mT)"},
            "V lacks the division by the noise",
            "the term of ln p(x, z) that is linear in z is zᵀWᵀ(x − m)/σ².",
        ),
        Mistake(
            "noise_squared",
            {"W.mT @ W / s2": "W.mT @ W / s2**2", "W.mT / s2)": "W.mT / s2**2)"},
            "s2 is squared once more",
            "s2 is σ² already.",
        ),
    ),
    hints=(
        "V first: in the KL the difference of the means stands in δᵀΛδ. Which mean of q makes that vanish?",
        "D: differentiate Λ_jj D_j − ln D_j by D_j.",
        "Λ = I + WᵀW/σ², V = Λ⁻¹Wᵀ/σ² (torch.linalg.solve), D_j = 1/Λ_jj",
    ),
    why="The mean may be as good as the posterior's own, and is. The variances are those of z_j with the other latents "
    "held fixed, which are smaller than the posterior's spread wherever columns overlap: a diagonal q that leaves mass "
    "where the posterior has none pays more than one that is too narrow.",
)
