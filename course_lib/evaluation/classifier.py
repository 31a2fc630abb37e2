"""A small classifier of 28×28 images, whose 64 features the image metrics stand on: one per data set, shipped trained.

Trained by ``benchmarks/evaluation/classifiers.py`` on the 9,000 training images alone;
``benchmarks/results/classifiers.json`` has the test accuracy over the seeds.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.training.eval_mode import evaluating

FEATURES, CLASSES = 64, 10


class Classifier(nn.Module):
    """Images (n, 1, 28, 28), −1 black to 1 white, to the logits of 10 classes, by way of 64 features.

    28 × 28 → 14 × 14 → 7 × 7 by convolution, the largest of 2 × 2, batch norm and ReLU; then 64 features, batch norm
    and ReLU applied, and one linear map. In eval mode an image's features depend on that image alone.
    """

    def __init__(self, channels: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, channels, 5, padding=2, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(2 * channels * 49, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
        )
        self.last = nn.Linear(FEATURES, CLASSES)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # three times as fast on a processor

    def features(self, images: Float[Tensor, "n 1 28 28"]) -> Float[Tensor, "n 64"]:
        """Return what the last layer sees of each image: 64 numbers, none below 0.

        ValueError for pixels outside [−1, 1], and where no pixel of any image is below 0: those are images in [0, 1];
        for images on another device than the classifier.
        """
        _check_images(images, self.last.weight.device)
        return self.body(images)

    def forward(self, images: Float[Tensor, "n 1 28 28"]) -> Float[Tensor, "n 10"]:
        """Return the logits; ValueError as for ``features``."""
        return self.last(self.features(images))


def _check_images(images: Tensor, device: torch.device) -> None:
    """Raise ValueError unless there are pixels on this device, between −1 and 1 and some of them below 0."""
    if not len(images):
        raise ValueError("images: expected at least one, got none")
    if images.device != device:
        raise ValueError(f"images: expected the device of the classifier, {device}, got {images.device}")
    low, high = (limit.item() for limit in images.detach().aminmax())
    if -1 <= low < 0 and high <= 1:  # false, too, where a pixel is nan
        return
    remedy = ""
    if low >= 0 and high <= 1:
        remedy = "; images in [0, 1] become 2 · images − 1"
    elif low >= 0 and high <= 255:
        remedy = "; bytes become images by course_lib.gan.dcgan.to_images"
    raise ValueError(f"images: expected pixels from −1, black, to 1, white, got {low:g} … {high:g}{remedy}")


@torch.no_grad()
def features_and_logits(
    classifier: Classifier, images: Float[Tensor, "n 1 28 28"], at_once: int = 500
) -> tuple[Float[Tensor, "n 64"], Float[Tensor, "n 10"]]:
    """Return features and logits of many images, computed at_once together, in eval mode and without a graph.

    The classifier is back in its own mode afterwards. ValueError as for ``Classifier.features``, of all images at once.
    """
    _check_images(images, classifier.last.weight.device)
    with evaluating(classifier):
        features = torch.cat([classifier.body(part) for part in images.split(at_once)])
        return features, classifier.last(features)


def accuracy(logits: Float[Tensor, "n classes"], labels: Int[Tensor, "n"]) -> float:
    """Return the share of rows whose largest logit is the label's: of conditional samples, those that show their class.

    It says nothing of variety: one good image of each class, repeated, reaches 1. labels may be on another device.
    ValueError for no rows, and where rows and labels do not pair.
    """
    if not len(logits):
        raise ValueError("logits: expected at least 1 row, got 0")
    if len(labels) != len(logits):
        raise ValueError(f"labels: expected {len(logits)}, one a row of logits, got {len(labels)}")
    return int((logits.argmax(1) == labels.to(logits.device)).sum()) / len(labels)
