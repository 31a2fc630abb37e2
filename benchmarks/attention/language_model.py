"""Record the course's language model: two minutes of two CPU cores, five seeds, and the weights of the first.

The number of steps is what fits into two minutes at the recipe's median step time. ``--steps`` repeats a run of as
many steps as a record says. The last 5 % of the text, the test split, is measured once, at the end: by windows without
overlap, by a window that slides, and by a model that goes on learning (dynamic evaluation). What slides and learns how
fast was chosen on the validation split, with the first seed.
"""

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial

import torch
from safetensors.torch import save_file

from benchmarks.attention import language_recipes as recipes
from benchmarks.attention.ladder_step_times import step_seconds
from course_lib.attention.transformer import Transformer
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.dynamic import dynamic_evaluation
from course_lib.evaluation.language import cross_entropy, sliding_cross_entropy
from course_lib.paths import DATA

SEEDS = range(5)
SECONDS = 120
EVERY = 50
SLIDING = 32
CONFIG = recipes.COURSE.config(65)
# optimizer, rate, pull, stride: the first where Krause et al. would begin, the others tried after it
CANDIDATES = [
    ("SGD", 0.1, 0.0, 128),
    ("Adam", 2e-4, 0.002, 128),
    ("Adam", 4e-4, 0.004, 128),
    ("Adam", 2e-4, 0.002, 64),
    ("Adam", 4e-4, 0.004, 64),
    ("Adam", 1e-4, 0.001, 32),
    ("Adam", 2e-4, 0.002, 32),
    ("Adam", 1e-4, 0.001, 16),
]
OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": partial(torch.optim.Adam, betas=(0.0, 0.99))}


def adaptive(model: Transformer, tokens: torch.Tensor, candidate: tuple[str, float, float, int]) -> float:
    """Return the mean nats of dynamic evaluation by one candidate."""
    name, rate, pull, stride = candidate
    return dynamic_evaluation(model, tokens, stride, partial(OPTIMIZERS[name], lr=rate), pull).double().mean().item()


def run(seed: int, steps: int) -> tuple[list[int], list[float], float, Transformer]:
    """Train one seed; return the evaluated steps, the losses there, the loss on the training split, and the model."""
    torch.set_num_threads(1)
    text = load_shakespeare(test=True)
    model, history = recipes.train(recipes.COURSE, text, seed, steps, evaluate_every=EVERY)
    return *history.evaluation("validation"), cross_entropy(model, text.train), model


def choose(model: Transformer, candidate: tuple[str, float, float, int]) -> float:
    """Return what a candidate gives on the validation split."""
    torch.set_num_threads(1)
    return adaptive(model, load_shakespeare(test=True).validation, candidate)


def measure(model: Transformer, candidate: tuple[str, float, float, int]) -> dict[str, dict[str, float]]:
    """Return the nats of one model on the validation and on the test split, measured in three ways."""
    torch.set_num_threads(1)
    text = load_shakespeare(test=True)
    return {
        name: {
            "windows": cross_entropy(model, tokens),
            "sliding": sliding_cross_entropy(model, tokens, SLIDING),
            "adaptive": adaptive(model, tokens, candidate),
        }
        for name, tokens in (("validation", text.validation), ("test", text.test))
    }


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
        models = [model for *_, model in results]
        tried = list(pool.map(choose, [models[0]] * len(CANDIDATES), CANDIDATES))
        chosen = CANDIDATES[tried.index(min(tried))]
        measured = list(pool.map(measure, models, [chosen] * len(SEEDS)))
    by_split = {
        split: {way: [round(each[split][way], 4) for each in measured] for way in measured[0][split]}
        for split in measured[0]
    }
    values = {
        "steps": steps,
        "step_ms": round(1e3 * step_s, 1),
        "evaluated": results[0][0],
        "nats": [[round(x, 4) for x in curve] for _, curve, _, _ in results],
        "train_nats": [round(train, 4) for _, _, train, _ in results],
        "parameters": sum(p.numel() for p in models[0].parameters()),
        "tokens": steps * recipes.COURSE.batch * CONFIG.context_length,
        "sha256": save(models[0].state_dict(), steps),
        "sliding_stride": SLIDING,
        "tried": [[*candidate, round(nats, 4)] for candidate, nats in zip(CANDIDATES, tried, strict=True)],
        "chosen": list(chosen),
        **by_split,
    }
    what = (
        f"the course's language model, {steps:,} steps: nats on the validation split and, at the end, on the test split"
    )
    print(write_record("language_model", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
