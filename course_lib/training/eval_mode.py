"""Eval mode for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Put models into eval mode for the ``with`` block, and each submodule back into its own mode afterwards.

    ``model.train(was_training)`` would put all of them into the model's mode, and so thaw a part that is kept in eval
    mode while the rest trains, such as a pretrained encoder with batch norm. Restored after an exception, too.
    """
    modes = [(module, module.training) for model in models for module in model.modules()]
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
