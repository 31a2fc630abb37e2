"""The learner writes the kernel distance, an estimate whose mean is 0 for two heaps from one distribution."""

from collections.abc import Callable

from torch import Tensor

from course_lib.chapters.ch11_gan_images.exercises.common import plain
from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.evaluation import frechet


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _within(kernel: Tensor) -> Tensor:
    """Return the mean over pairs of different rows."""
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))


def _with(kernel: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the estimate with another kernel."""
    return lambda a, b: _within(kernel(a, a)) + _within(kernel(b, b)) - 2 * kernel(a, b).mean()


ENTRY = Exercise(
    id="gan.kernel_distance",
    reference=frechet.kernel_distance,
    trial=plain,
    probes=lambda: [
        Probe((random(6, 3, seed=1), 1.4 * random(4, 3, seed=2))),
        Probe((1.2 * random(3, 5, seed=3), random(7, 5, seed=4))),
        Probe((random(2, 1, seed=5), 2 * random(3, 1, seed=6))),
        Probe((numbers(1, -1).view(2, 1), numbers(1, -1).view(2, 1)), says="a = b = [[1], [-1]]: 0 + 0 − 2 · 4"),
        Probe(
            (numbers(0, 1).view(2, 1), numbers(1, 2).view(2, 1)), says="a = [[0], [1]], b = [[1], [2]]: 1 + 27 − 18.5"
        ),
    ],
    checked="rows of 1, 3 and 5 numbers, other numbers of rows in a than in b.",
    gradients=False,
    rtol=1e-9,
    mistakes=(
        Mistake(
            "itself_counted",
            lambda a, b: _kernel(a, a).mean() + _kernel(b, b).mean() - 2 * _kernel(a, b).mean(),
            "pairs of a row with itself are counted",
            "such pairs are the largest of all, and only within a heap: the mean would not be 0 for one distribution.",
        ),
        Mistake(
            "over_all_pairs",
            lambda a, b: (
                sum((_kernel(x, x).sum() - _kernel(x, x).diagonal().sum()) / len(x) ** 2 for x in (a, b))
                - 2 * _kernel(a, b).mean()
            ),
            "pairs of a row with itself are left out of the sum, but not out of the number that divides it",
            "how many ordered pairs of different rows are there among n?",
        ),
        Mistake(
            "mixed_once",
            lambda a, b: _within(_kernel(a, a)) + _within(_kernel(b, b)) - _kernel(a, b).mean(),
            "the mixed pairs are taken off once, not twice",
            "for two equal heaps it would be 1 + 1 − 1 times the kernel's mean, not 0.",
        ),
        Mistake(
            "not_over_d",
            _with(lambda x, y: (x @ y.T + 1) ** 3),
            "the product a·b is not divided by the number of features",
            "the kernel is (a·b / d + 1)³.",
        ),
        Mistake(
            "no_one",
            _with(lambda x, y: (x @ y.T / x.shape[1]) ** 3),
            "the 1 in the kernel is missing",
            "(a·b / d)³ alone compares third moments and nothing else.",
        ),
        Mistake(
            "squared_kernel",
            _with(lambda x, y: (x @ y.T / x.shape[1] + 1) ** 2),
            "the kernel has the power 2",
            "with the third power it compares moments up to the third.",
        ),
        Mistake(
            "never_negative",
            lambda a, b: max(frechet.kernel_distance(a, b), 0.0),
            "negative values are set to 0",
            "it is an estimate, of either sign: without the negative ones its mean for one distribution is not 0.",
        ),
        Mistake(
            "sign",
            lambda a, b: 2 * _kernel(a, b).mean() - _within(_kernel(a, a)) - _within(_kernel(b, b)),
            "the whole has the other sign",
            "rows of one heap are more alike than rows of two: what is within comes with a plus.",
        ),
    ),
    hints=(
        "Write the three matrices of kernel values first: (n, n), (m, m), (n, m).",
        "The mean over different rows: (K.sum() - K.diagonal().sum()) / (n * (n - 1)).",
        "kernel = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3\n"
        "within = lambda K: (K.sum() - K.diagonal().sum()) / (len(K) * (len(K) - 1))\n"
        "return within(kernel(a, a)) + within(kernel(b, b)) - 2 * kernel(a, b).mean()",
    ),
    why="A pair of a row with itself says nothing of the distribution, and its kernel is large: left in, it adds about "
    "1/n of itself to each heap's mean, and the distance would have a floor as the Fréchet distance has. Without it "
    "each of the three means has its own expectation at every n, and the sum is 0 on average for one distribution. The "
    "library adds it up in squares that fit into the processor's cache.",
)
