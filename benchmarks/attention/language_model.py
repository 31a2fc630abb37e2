"""Record the course's language model: two minutes of two CPU cores, three seeds, and the weights of the first.

The number of steps is what fits into two minutes at the recipe's median step time. ``--steps`` repeats a run of as
many steps as a record says.
"""

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

import torch
from safetensors.torch import save_file

from benchmarks.attention import language_recipes as recipes
from benchmarks.attention.ladder_step_times import step_seconds
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.paths import DATA

SEEDS = range(3)
SECONDS = 120
EVERY = 50
CONFIG = recipes.COURSE.config(65)


def run(seed: int, steps: int) -> tuple[list[int], list[float], float, dict]:
    """Train one seed; return the evaluated steps, the losses there, the loss on the training split, and the weights."""
    torch.set_num_threads(1)
    text = load_shakespeare()
    model, history = recipes.train(recipes.COURSE, text, seed, steps, evaluate_every=EVERY)
    return *history.evaluation("validation"), cross_entropy(model, text.train), model.state_dict()


def save(weights: dict, steps: int) -> str:
    """Write the weights, rounded to bfloat16, with the configuration in the header; return the file's sha256."""
    path = DATA / "shakespeare_model.safetensors"
    tensors = {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}
    save_file(tensors, path, {"config": json.dumps(asdict(CONFIG)), "steps": str(steps)})
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Measure the step, train the seeds beside each other on one thread each, write record and weights."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, help="steps of each run, instead of two minutes' worth")
    asked = arguments.parse_args().steps
    step_s = step_seconds({"course": recipes.COURSE})["course"]
    steps = asked or round(SECONDS / step_s)
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(run, SEEDS, [steps] * len(SEEDS)))
    values = {
        "steps": steps,
        "step_ms": round(1e3 * step_s, 1),
        "evaluated": results[0][0],
        "nats": [[round(x, 4) for x in curve] for _, curve, _, _ in results],
        "train_nats": [round(train, 4) for _, _, train, _ in results],
        "parameters": sum(tensor.numel() for tensor in results[0][3].values()),
        "tokens": steps * recipes.COURSE.batch * CONFIG.context_length,
        "sha256": save(results[0][3], steps),
    }
    what = f"the course's language model, {steps:,} steps: loss in nats on the whole validation split"
    print(write_record("language_model", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
