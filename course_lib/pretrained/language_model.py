"""The language model that comes with the course."""

import json

from safetensors.torch import load

from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.datasets.shipped import shipped

MODEL_SHA256 = "d2ca6563269b2078f827dac5ddd7163e1e44b2b60587782a9a57c06dcfe1afe2"


def load_language_model() -> Transformer:
    """Return the language model, two CPU-minutes of Tiny Shakespeare, in eval mode.

    Trained by ``benchmarks/attention/language_model.py``; OSError as for ``shipped``.
    """
    content = shipped("shakespeare_model.safetensors", MODEL_SHA256)
    size = int.from_bytes(content[:8], "little")  # the file begins with its header's length, then the header
    config = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["config"])
    model = Transformer(TransformerConfig(**config))
    model.load_state_dict({name: tensor.float() for name, tensor in load(content).items()})
    return model.eval()
