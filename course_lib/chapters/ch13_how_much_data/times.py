"""How long a training takes, from its operations and from what a machine was seen to do."""

from course_lib.attention.transformer import TransformerConfig, forward_flops


def training_seconds(
    config: TransformerConfig, steps: int, batch: int, time: int, rate: float, overhead: float
) -> float:
    """Return the seconds that training takes: of each step a constant overhead, and its operations over the rate.

    A step goes through batch sequences of time tokens, forward, and backward for twice the forward's operations. rate:
    operations a second; overhead: seconds a step.
    """
    operations = 3 * batch * forward_flops(config, time)
    return steps * (overhead + operations / rate)
