"""The learner writes dot_product_variance: Var(q·k) from the means and variances of independent entries."""

from course_lib.attention import dot_product
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_moments = [(64, 0.0, 1.0, 0.0, 1.0), (16, 0.5, 2.0, -1.0, 3.0), (7, 1.5, 0.25, 2.0, 0.5), (1, -2.0, 3.0, 0.5, 1.25)]


ENTRY = Exercise(
    id="attention.dot_product_variance",
    reference=dot_product.dot_product_variance,
    probes=lambda: [
        Probe(m, says="d = {}, mean_q = {}, var_q = {}, mean_k = {}, var_k = {}".format(*m)) for m in _moments
    ],
    checked="four combinations of d, means and variances.",
    gradients=False,
    mistakes=(
        Mistake(
            "means_ignored",
            {" + mean_q**2 * var_k + mean_k**2 * var_q": ""},
            "the means are taken to be 0",
            "with mean 2, q² is on average var + 4, not var.",
        ),
        Mistake(
            "square_of_mean",
            {" * var_q)": " * var_q + mean_q**2 * mean_k**2)"},
            "(E[ab])² is not subtracted",
            "that is the mean of the square; a variance subtracts the square of the mean.",
        ),
        Mistake(
            "mean_unsquared",
            {"mean_q**2": "mean_q", "mean_k**2": "mean_k"},
            "the means are not squared",
            "a variance has the unit of a square; does every term?",
        ),
        Mistake(
            "d_squared",
            {"return d *": "return d**2 *"},
            "d enters squared, as if all d products were one and the same number",
            "the products are independent of each other: what adds up, variances or standard deviations?",
        ),
        Mistake(
            "standard_deviation",
            {"return d * (": "return (d * (", " * var_q)": " * var_q)) ** 0.5"},
            "the square root is taken at the end",
            "the question is for the variance, not for the standard deviation.",
        ),
    ),
    hints=(
        "Try one entry, d = 1, first. What is E[a²b²] when a and b are independent?",
        "E[a²b²] = (var_a + mean_a²)(var_b + mean_b²), and (E[ab])² = mean_a² mean_b².",
        "Var(ab) = var_a var_b + mean_a² var_b + mean_b² var_a; multiply by d.",
    ),
    why="Expectations of independent factors multiply, so Var(ab) = (v_a + m_a²)(v_b + m_b²) − m_a² m_b². The 1/√d_k "
    "of attention assumes means of 0: with other means the spread is larger than √d_k.",
)
