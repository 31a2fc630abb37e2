"""What a training takes: bytes on a device, days, card-hours; and what has been published of the famous ones."""

from dataclasses import dataclass

DAY = 24 * 3600


def bytes_a_device(parameters: float, devices: int, stage: int) -> float:
    """Return the bytes of weights, gradients and Adam's state on one device, in mixed precision.

    2 for a bfloat16 weight, 2 for its gradient, 12 for a float32 copy and two moments. stage: 0 nothing is divided
    among the devices, 1 the 12, 2 the gradients too, 3 the weights too (Rajbhandari et al. 2020, *ZeRO*, figure 1).
    """
    weights = 2 / devices if stage >= 3 else 2
    gradients = 2 / devices if stage >= 2 else 2
    optimizer = 12 / devices if stage >= 1 else 12
    return parameters * (weights + gradients + optimizer)


def training_days(parameters: float, tokens: float, devices: int, peak: float, utilisation: float = 0.4) -> float:
    """Return the days that a training takes, by 6 operations for each parameter and token, equation (14b.5).

    peak: operations a second of one device, as its maker states them; utilisation: the share of it that is reached.
    """
    operations = 6 * parameters * tokens
    seconds = operations / (devices * peak * utilisation)
    return seconds / DAY


def two_digits(number: float) -> float:
    """Return the number to two digits: an estimate has no more."""
    return float(f"{number:.2g}")


@dataclass(frozen=True)
class Published:
    """A training as published: parameters, tokens, card, its peak in operations a second, and card-hours in all.

    derived: nobody counted the hours; the source divided the operations by a rate.
    """

    name: str
    parameters: float
    tokens: float
    card: str
    peak: float
    hours: float
    source: str
    derived: bool = False


# peaks: NVIDIA's data sheets, dense 16-bit matrix products; parameters of Llama: about, as in the models' names
TRAININGS = (
    Published("GPT-2, made again", 1.558e9, 32_000 * 2**20, "H100", 989e12, 8 * 24, "Karpathy 2024, llm.c"),
    Published("Llama 2, 70 B", 70e9, 2.0e12, "A100", 312e12, 1_720_320, "Touvron et al. 2023, table 2"),
    Published("GPT-3", 174.6e9, 300e9, "V100", 125e12, 10_000 * 14.8 * 24, "Patterson et al. 2021, A", derived=True),
    Published("Llama 3.1, 405 B", 405e9, 15.6e12, "H100", 989e12, 30.84e6, "Llama team 2024; model card"),
)
