"""Record what the Fréchet distance says of real images against real ones, and of a Gaussian fitted to the pixels.

Shuffled and unshuffled halves of the test sets, training against test images, and the extrapolation to n → ∞. The
Gaussian has the mean and the full covariance of the 9,000 training images, its draws are cut off at black and white.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.classroom.records import write_record
from course_lib.datasets.images import Images, load_digits, load_fashion
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.frechet import extrapolate, frechet_distance, kernel_distance, real_floor
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, precision_and_recall
from course_lib.gan.dcgan import to_images
from course_lib.pretrained.classifiers import load_classifier

SEEDS = range(5)
LOADERS = {"digits": load_digits, "fashion": load_fashion}
METRICS = (frechet_distance, kernel_distance, precision_and_recall, density_and_coverage)


def gaussian_images(train: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return draws from the Gaussian of the training images, (n, 1, 28, 28), cut off at −1 and 1."""
    pixels = to_images(train).flatten(1).double()
    values, vectors = torch.linalg.eigh(pixels.T.cov())
    factor = vectors * values.clamp(min=0).sqrt()
    draws = pixels.mean(0) + torch.randn(n, 784, generator=generator, dtype=torch.float64) @ factor.T
    return draws.clamp(-1, 1).float().view(n, 1, 28, 28)


def rounded(value: object) -> object:
    """Return numbers with five digits behind the point, in whatever they stand."""
    return [rounded(v) for v in value] if isinstance(value, list | tuple) else round(float(value), 5)


def timed(function: Callable, *arguments: Tensor) -> tuple[object, float]:
    """Return what the function returns and the seconds of the processor that it took."""
    started = time.process_time()
    value = function(*arguments)
    return value, round(time.process_time() - started, 2)


def floors(real: Tensor, train: Tensor) -> dict[str, object]:
    """Return the distances between real images; real and train are features, the test images in their order."""
    n, half = len(real), len(real) // 2
    found: dict[str, object] = {}
    mixed = real[torch.randperm(n, generator=seeded(1))]
    for size in [s for s in (500, 1_000, 2_000, 5_000) if s <= n]:
        row = {"train": rounded(frechet_distance(train[:size], mixed[:size]))}
        if size <= half:
            row["shuffled"] = rounded(real_floor(frechet_distance, real, size, seeded(0), len(SEEDS)))
            row["unshuffled"] = rounded(frechet_distance(real[:size], real[half : half + size]))
        found[str(size)] = row
    found["train, all"] = rounded(frechet_distance(train, real))
    line = extrapolate(mixed[:half], mixed[half:], seeded(2))
    found["extrapolated"] = {"sizes": line.sizes, "distances": rounded(line.distances), "limit": rounded(line.limit)}
    return found


def seeded(seed: int) -> torch.Generator:
    """Return a generator on the processor."""
    return torch.Generator().manual_seed(seed)


def measured(name: str, data: Images) -> dict[str, object]:
    """Return the record of one data set."""
    classifier = load_classifier(name)
    real, train = (features_and_logits(classifier, to_images(x))[0] for x in (data.test, data.train))
    n = len(real)
    found: dict[str, object] = {"real against real": floors(real, train)}
    drawn = [gaussian_images(data.train, n, seeded(seed)) for seed in SEEDS]
    fakes, seconds = zip(*(timed(features_and_logits, classifier, images) for images in drawn), strict=True)
    fakes = [features for features, _ in fakes]
    gaussian: dict[str, object] = {"n": n}
    times = {"features": min(seconds)}
    for metric in METRICS:
        values, seconds = zip(*(timed(metric, real, fake) for fake in fakes), strict=True)
        gaussian[metric.__name__] = rounded(values)
        times[metric.__name__] = min(seconds)
    gaussian["frechet_distance at half of n"] = rounded([frechet_distance(real, x[: n // 2]) for x in fakes])
    line = extrapolate(real, fakes[0], seeded(2))
    gaussian["extrapolated"] = {
        "sizes": line.sizes,
        "distances": rounded(line.distances),
        "limit": rounded(line.limit),
    }
    of_pixels = [to_images(x).flatten(1) for x in (data.train, data.test)]
    value, times["memorisation, pixels"] = timed(memorisation, drawn[0].flatten(1), *of_pixels)
    gaussian["memorisation, pixels"] = rounded(value)
    return found | {"gaussian": gaussian, "processor_s": times}


def main() -> None:
    """Measure both data sets and write the record."""
    torch.set_num_threads(1)
    values = {name: measured(name, load()) for name, load in LOADERS.items()}
    what = "real images against real ones and against a Gaussian of the pixels, in the features of the classifiers"
    print(write_record("metric_floors", what, SEEDS, values))


if __name__ == "__main__":
    main()
