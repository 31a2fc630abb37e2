"""The language model that comes with the course."""

import json

from safetensors import safe_open

from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.datasets.shipped import shipped_path
from course_lib.pretrained.weights import load_weights

MODEL, MODEL_SHA256 = (
    "shakespeare_model.safetensors",
    "d2ca6563269b2078f827dac5ddd7163e1e44b2b60587782a9a57c06dcfe1afe2",
)


def load_language_model() -> Transformer:
    """Return the language model, two CPU-minutes of Tiny Shakespeare, in eval mode.

    Trained by ``benchmarks/attention/language_model.py``, which stores the configuration beside the weights; these are
    rounded to bfloat16. OSError as for ``shipped``.
    """
    with safe_open(shipped_path(MODEL, MODEL_SHA256), framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    model = Transformer(TransformerConfig(**config))
    load_weights(model, MODEL, MODEL_SHA256)
    return model.eval()
