"""Measure the steps of all rungs of the ladder, interleaved, and print how many of them fit into a minute."""

import time

import torch

from benchmarks.attention import language_recipes as recipes
from course_lib.datasets.text import load_shakespeare


def step_seconds(candidates: dict[str, recipes.Recipe], rounds: int = 7, steps: int = 6) -> dict[str, float]:
    """Return the median seconds of a step, drawing the batch included, by name; the candidates take turns."""
    text, runs, seconds = load_shakespeare(), {}, {name: [] for name in candidates}
    for name, recipe in candidates.items():
        _, trained, step, batch = recipes.start(recipe, text, 0)
        runs[name] = lambda trained=trained, step=step, batch=batch: step(batch(trained.generator))
        runs[name]()
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            for _ in range(steps):
                run()
            seconds[name].append((time.perf_counter() - started) / steps)
    return {name: torch.tensor(times).median().item() for name, times in seconds.items()}


if __name__ == "__main__":
    for name, s in step_seconds(recipes.ladder()).items():
        print(f"{name:18} {s * 1e3:6.1f} ms, {60 / s:6.0f} steps a minute")
