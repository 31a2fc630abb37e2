"""The moving average of a model's weights."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def moving_average(generator: nn.Module, decay: float = 0.99) -> AveragedModel:
    """Return a copy of the generator whose weights and statistics follow it: decay · own + (1 − decay) · its.

    Yazıcı et al. 2019, *The unusual effectiveness of averaging in GAN training*.
    """
    return AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
