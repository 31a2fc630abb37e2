"""Record and ship the classifiers whose features the image metrics stand on: digits, Fashion, and small digits.

The last are chapter 12's: 14 × 14 pixels of 8 grey levels, each shown as 2 × 2.

Each sees the 9,000 training images alone, shifted by a pixel or two and, for Fashion, mirrored in half of the cases.
The weights are those of the first seed, rounded to bfloat16; ``course_lib.classifier`` checks their sums.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from course_lib.classroom.records import write_record
from course_lib.datasets.images import Images, load_digits, load_fashion
from course_lib.datasets.levels import from_levels, to_levels
from course_lib.evaluation.classifier import Classifier, accuracy, features_and_logits
from course_lib.gan.dcgan import to_images
from course_lib.paths import DATA
from course_lib.training.fit import fit
from course_lib.training.optimizers import adamw, warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(3)
BATCH, RATE, DROPOUT = 100, 3e-3, 0.2


@dataclass(frozen=True)
class Recipe:
    """What differs between the data sets.

    shift: pixels up, down and sideways by which a training image may move; small: whether pixels are averaged in
    squares of 2 × 2, rounded to 8 levels and shown as such squares.
    """

    load: Callable[[], Images]
    epochs: int
    shift: int
    mirror: bool
    small: bool = False


RECIPES = {
    "digits": Recipe(load_digits, epochs=10, shift=2, mirror=False),
    "fashion": Recipe(load_fashion, epochs=20, shift=1, mirror=True),  # a mirrored shirt is a shirt, a 3 no longer a 3
    "small_digits": Recipe(load_digits, epochs=10, shift=1, mirror=False, small=True),
}


def prepared(images: Tensor, recipe: Recipe) -> Tensor:
    """Return bytes as images in [−1, 1] that may be moved; ``enlarged`` shows them to the classifier."""
    return from_levels(to_levels(images, shrink=2)) if recipe.small else to_images(images)


def enlarged(images: Tensor) -> Tensor:
    """Return images of 28 × 28, each pixel of small ones as 2 × 2."""
    return F.interpolate(images, size=(28, 28), mode="nearest")


def varied(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return each image at a random place, black where nothing was, and mirrored in half of the cases if it may be."""
    n, side, shift = len(images), images.shape[-1], recipe.shift
    padded = F.pad(images[:, 0], [shift] * 4, value=-1.0)
    rows, columns = (torch.randint(2 * shift + 1, (n, 1), generator=generator) + torch.arange(side) for _ in range(2))
    if recipe.mirror:
        flipped = torch.rand(n, 1, generator=generator) < 0.5
        columns = torch.where(flipped, columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def trained_classifier(
    model: Classifier, rate: float, batch: Callable[[torch.Generator], tuple[Tensor, Tensor]], steps: int, seed: int
) -> Classifier:
    """Train a classifier on batches of images and labels; return it in eval mode, its weights rounded to bfloat16."""
    optimizer = adamw(model, rate)

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        loss = F.cross_entropy(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": loss.detach()}

    trained = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    fit(step, batch, steps, trained, schedule=warmup_then_linear, progress=False)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.copy_(tensor.to(torch.bfloat16))
    return model.eval()


def train(data: Images, recipe: Recipe, seed: int) -> Classifier:
    """Train one classifier and return it in eval mode, its weights rounded to bfloat16."""
    torch.manual_seed(seed)
    model = Classifier(dropout=DROPOUT)
    images, labels = prepared(data.train, recipe), data.train_labels

    def batch(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (BATCH,), generator=generator)
        return enlarged(varied(images[chosen], recipe, generator)), labels[chosen]

    return trained_classifier(model, RATE, batch, recipe.epochs * len(images) // BATCH, seed)


def shares(model: Classifier, data: Images, recipe: Recipe) -> dict[str, float]:
    """Return the share of images that are classified as what they are, part by part."""
    parts = {
        "train": (data.train, data.train_labels),
        "validation": (data.validation, data.validation_labels),
        "test": (data.test, data.test_labels),
    }
    return {
        name: round(accuracy(features_and_logits(model, enlarged(prepared(images, recipe)))[1], labels), 4)
        for name, (images, labels) in parts.items()
    }


def save(name: str, model: Classifier) -> str:
    """Write the weights and return the file's sha256."""
    path = DATA / f"{name}_classifier.safetensors"
    # batches counted in training play no part in eval mode
    kept = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    save_file({key: value.to(torch.bfloat16).contiguous() for key, value in kept.items()}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Train the seeds of all, write the weights of the first and the record."""
    torch.set_num_threads(1)
    values: dict[str, object] = {"parameters": sum(p.numel() for p in Classifier().parameters())}
    for name, recipe in RECIPES.items():
        data, started = recipe.load(), time.process_time()
        models = [train(data, recipe, seed) for seed in SEEDS]
        seconds = (time.process_time() - started) / len(SEEDS)
        found = [shares(model, data, recipe) for model in models]
        values[name] = {part: [each[part] for each in found] for part in found[0]} | {
            "epochs": recipe.epochs,
            "processor_s": round(seconds, 1),
            "sha256": save(name, models[0]),
        }
        print(name, values[name], flush=True)
    what = "classifiers of digits, Fashion and small digits, trained on 9,000 images each: accuracy by part and seed"
    print(write_record("classifiers", what, SEEDS, values))


if __name__ == "__main__":
    main()
