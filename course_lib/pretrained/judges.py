"""The judge of scenes: the classifier that names the digits which ``course_lib.evaluation.scenes`` finds."""

from course_lib.evaluation.classifier import Classifier
from course_lib.pretrained.weights import load_weights

JUDGE_SHA256 = "0ee4d4530290d508cfed467a2e5be4b30d29bf75cd786b1cb35e6572b94e5f14"
CHANNELS = 20


def load_judge() -> Classifier:
    """Return the judge in eval mode, its parameters fixed; trained by ``benchmarks/evaluation/scenes.py``.

    OSError where the file is missing or has been changed.
    """
    judge = Classifier(CHANNELS)
    load_weights(judge, "scenes_classifier.safetensors", JUDGE_SHA256)
    return judge.requires_grad_(False).eval()
