"""The learner writes bytes_a_device: what a device holds when more and more is divided among all."""

from course_lib.chapters.ch14b_many_devices import costs
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

_calls = [(1000, 4, stage) for stage in range(4)] + [(7.5e9, 64, 1), (70, 5, 2), (3e6, 1, 3)]

ENTRY = Exercise(
    id="together.bytes_a_device",
    reference=costs.bytes_a_device,
    probes=lambda: [Probe(c, says="parameters = {:g}, devices = {}, stage = {}".format(*c)) for c in _calls],
    checked="all four stages, on one to 64 devices.",
    gradients=False,
    mistakes=(
        Mistake(
            "weights_first",
            {"2 / devices if stage >= 3 else 2": "2 / devices if stage >= 1 else 2",
             "12 / devices if stage >= 1 else 12": "12 / devices if stage >= 3 else 12"},
            "the optimizer's state is divided last",
            "which of the three kinds is the largest, and which is needed in every product of the forward pass?",
        ),
        Mistake(
            "optimizer_second",
            {"2 / devices if stage >= 2 else 2": "2 / devices if stage >= 1 else 2",
             "12 / devices if stage >= 1 else 12": "12 / devices if stage >= 2 else 12"},
            "the optimizer's state is divided second",
            "which of the three kinds is the largest?",
        ),
        Mistake(
            "all_in_float32",
            {"2 / devices if stage >= 3 else 2": "4 / devices if stage >= 3 else 4",
             "2 / devices if stage >= 2 else 2": "4 / devices if stage >= 2 else 4",
             "12 / devices if stage >= 1 else 12": "8 / devices if stage >= 1 else 8"},
            "weights and gradients take 4 bytes each and the optimizer 8, as without mixed precision",
            "in bfloat16 a number takes 2 bytes; where does the float32 copy belong?",
        ),
        Mistake(
            "no_copy",
            {"12 / devices if stage >= 1 else 12": "8 / devices if stage >= 1 else 8"},
            "the optimizer holds two moments and no float32 copy of the weights",
            "a step of 0.001 on a bfloat16 weight of 1: what is left of it?",
        ),
        Mistake(
            "stage_alone",
            {"stage >= 3": "stage == 3", "stage >= 2": "stage == 2", "stage >= 1": "stage == 1"},
            "a stage divides its own kind and gives the others back",
            "each stage divides one kind more than the stage before.",
        ),
        Mistake(
            "all_at_once",
            {"stage >= 3": "stage >= 1", "stage >= 2": "stage >= 1"},
            "stage 1 already divides everything",
            "in stage 1 every device still computes with all weights and all gradients.",
        ),
        Mistake(
            "whole_run",
            {"return parameters": "return devices * parameters"},
            "the bytes of all devices are added",
            "one device is asked for.",
        ),
    ),
    hints=(
        "Three kinds: weights 2 bytes, gradients 2, optimizer 12. Which is divided at which stage?",
        "The largest first: stage 1 divides the 12, stage 2 the gradients as well, stage 3 the weights as well.",
        "A kind that is divided counts 2 / devices (or 12 / devices), else whole.",
    ),
    why="Stage 1 divides what is used once a step, by the optimizer: 12 of 16 bytes. Gradients are needed only where "
    "their moments are, so stage 2 costs no further traffic. Stage 3 divides the weights, which then have to be "
    "fetched for the forward and again for the backward pass.",
)  # fmt: skip
