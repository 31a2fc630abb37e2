"""Fills a model from a file in ``data/``."""

from safetensors.torch import load
from torch import nn

from course_lib.datasets.shipped import shipped


def load_weights(model: nn.Module, name: str, sha256: str) -> None:
    """Fill a model, as float32, from a safetensors file in ``data/``; OSError as for ``shipped``.

    The files leave out how many batches a batch norm has seen: the model's own count stays.
    """
    counted = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    model.load_state_dict(counted | {key: tensor.float() for key, tensor in load(shipped(name, sha256)).items()})
