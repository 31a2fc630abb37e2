"""The classifiers that come with the course."""

from course_lib.evaluation.classifier import Classifier
from course_lib.pretrained.weights import load_weights

CLASSIFIERS_SHA256 = {
    "digits": "6a35c9bff320d005f922c8fa0690bee9abc2349ee2a8b1bf20b569bcc5b0a4e9",
    "fashion": "abffcf5586a0e0bc822583df2f5ab064e5a55e5dc8b053c30033ea4df5d98eb5",
    "small_digits": "ec0352d73f134523bcf2e4f0089dca591bad108e10302eea1d46049461fdc461",
}


def load_classifier(name: str) -> Classifier:
    """Return the shipped classifier of "digits" or "fashion" in eval mode, its parameters fixed.

    "small_digits" is for 14 × 14 pixels of 8 levels, each pixel shown as 2 × 2 (``datasets.levels.from_levels``).
    ValueError for another name, OSError where the file is missing or has been changed.
    """
    if name not in CLASSIFIERS_SHA256:
        raise ValueError(f"name: expected one of {', '.join(CLASSIFIERS_SHA256)}, got {name!r}")
    classifier = Classifier()
    load_weights(classifier, f"{name}_classifier.safetensors", CLASSIFIERS_SHA256[name])
    return classifier.requires_grad_(False).eval()
