"""The learner turns the density of images made continuous into bits a pixel of the images."""

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import levels

ENTRY = Exercise(
    id="diffusion.bits_per_dimension",
    reference=levels.bits_per_dimension,
    probes=lambda: [
        Probe((100 * random(5, seed=1), 196, 8), says="196 pixels of 8 levels"),
        Probe((2000 + 30 * random(1, seed=2), 784, 256), says="784 pixels of 256 levels"),
        Probe((random(2, 3, seed=3), 3, 5), says="3 pixels of 5 levels"),
        Probe((numbers(0.3, -1.5, 0.5), 1, 2), says="1 pixel of 2 levels"),
    ],
    checked="values and gradients for pictures of 1 to 784 pixels and 2 to 256 levels.",
    mistakes=(
        Mistake(
            "cell_sign",
            {"-log_density - dimensions": "-log_density + dimensions"},
            "the cell's volume is taken with the wrong sign",
            "p(k) is a mean density *times* the volume of the cell: narrow cells have little of it, and cost more.",
        ),
        Mistake(
            "no_cell",
            {" - dimensions * math.log(2 / levels)": ""},
            "the width of the cells is left out",
            "a density is no probability: the worked value has a density of ½ everywhere, and needs 3 bits.",
        ),
        Mistake(
            "unit_range",
            {"math.log(2 / levels)": "math.log(1 / levels)"},
            "the pixels are taken to fill 0 … 1",
            "they fill −1 … 1: how wide is one of the cells?",
        ),
        Mistake(
            "steps_between",
            {"math.log(2 / levels)": "math.log(2 / (levels - 1))"},
            "the cells are as wide as grey values k/(levels − 1) are apart",
            "here levels many cells fill the range, none is cut in half at an end.",
        ),
        Mistake(
            "nats",
            {"(dimensions * math.log(2))": "dimensions"},
            "the unit is nats",
            "one bit is ln 2 nats.",
        ),
        Mistake(
            "whole_image",
            {"(dimensions * math.log(2))": "math.log(2)"},
            "the bits are those of the whole image",
            "bits a *pixel* are asked for.",
        ),
        Mistake(
            "negative",
            {"return nats /": "return -nats /"},
            "the sign is that of a log-probability",
            "a length in bits is −log₂ of a probability.",
        ),
        Mistake(
            "cell_once",
            {"dimensions * math.log(2 / levels)": "math.log(2 / levels)"},
            "the cell is taken to be wide in one pixel alone",
            "its volume is a product over all pixels.",
        ),
        Mistake(
            "never_negative",
            {"return nats / (dimensions * math.log(2))": "return (nats / (dimensions * math.log(2))).clamp(min=0)"},
            "bits below 0 are cut off",
            "one point's density may be so high that its bits are below 0; the bound is their mean, so cut none.",
        ),
    ),
    hints=(
        "What are the bits of eight equally likely levels of one pixel? Which density has their continuous form?",
        "ln p(image) ≥ ln p(point) + ln volume; the volume of a cell is (2/levels) to the power of the pixels.",
        "−ln p(point) − dimensions · ln(2/levels) are nats; divide by dimensions · ln 2.",
    ),
    why="A density is per unit of volume, so it means nothing without the unit: halve all pixels, and it grows by "
    "ln 2 nats a pixel. Bits do not change, for the cells shrink as well.",
)
