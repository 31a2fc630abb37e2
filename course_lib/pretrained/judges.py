"""The judge of scenes: the classifier that names the digits which ``course_lib.evaluation.scenes`` finds."""

from course_lib.evaluation.classifier import Classifier
from course_lib.pretrained.weights import load_weights

JUDGE_SHA256 = "9e215b147157c779f62fb450e3e8ec9a25b5f823ae3a4fcb19fc1e1a03bd8239"
CHANNELS = 20


def load_judge() -> Classifier:
    """Return the judge in eval mode, its parameters fixed; trained by ``benchmarks/evaluation/scenes.py``.

    OSError where the file is missing or has been changed.
    """
    judge = Classifier(CHANNELS)
    load_weights(judge, "scenes_classifier.safetensors", JUDGE_SHA256)
    return judge.requires_grad_(False).eval()
