"""Record profiles of training steps with one thing wrong each, for the diagnoses of chapter 14.

Each of a, b and c differs from the sound step in one thing. 'in float32' is the sound step in the other precision.
"""

import torch

from course_lib.attention.step import next_token_step
from course_lib.chapters.ch14_training_on_gpu.profiles import profiled
from course_lib.chapters.ch14_training_on_gpu.steps import ExplicitBlock, language_step, model_of
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.training.optimizers import adamw


def reads_all_each_time():
    """Return a step that encodes all of the text anew before it takes its windows."""
    text = load_shakespeare()
    whole = text.decode(text.train)
    number = {character: i for i, character in enumerate(sorted(set(whole)))}
    model = model_of(128, 4, 64)
    step = next_token_step(model, [adamw(model, 1e-3)], bfloat16=True)

    def call() -> None:
        tokens = [number[character] for character in whole]
        windows = torch.tensor([tokens[64 * i : 64 * i + 65] for i in range(16)])
        step((windows[:, :-1], windows[:, 1:]))

    return call


def main() -> None:
    """Profile every step, one thread, and write the record."""
    torch.set_num_threads(1)
    steps = {
        "sound": (language_step(bfloat16=True), 16 * 64),
        "a": (language_step(batch=1, bfloat16=True), 64),
        "b": (reads_all_each_time(), 16 * 64),
        "c": (language_step(kind=ExplicitBlock, bfloat16=True), 16 * 64),
        "in float32": (language_step(), 16 * 64),
    }
    values = {}
    for name, (step, tokens) in steps.items():
        found = profiled(step, times=30)
        first = {name: [round(ms, 3), calls] for name, (ms, calls) in list(found.operators.items())[:12]}
        calls = sum(n for _, n in found.operators.values())
        values[name] = {"ms": round(found.ms, 3), "outside_ms": round(found.outside, 3), "tokens": tokens}
        values[name] |= {"operators": first, "calls": calls}
        print(name, values[name], flush=True)
    print(
        write_record(
            "step_profiles", "milliseconds of a training step by operator, each call's fastest of 30 steps", [0], values
        )
    )


if __name__ == "__main__":
    main()
