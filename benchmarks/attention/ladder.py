"""Record the ladder from nanoGPT's recipe to the course's: every rung, and the last recipe without each of them.

All get a minute of two CPU cores: as many steps as fit into 60 s at the rung's own median step time, measured first
with all recipes taking turns. The trainings themselves then run beside each other, one thread each, so that what
else the machine does cannot change their result.
"""

import json
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from benchmarks.attention import language_recipes as recipes
from benchmarks.attention.ladder_step_times import step_seconds
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.paths import home

SEEDS = range(3)
SECONDS = 60


def run(kind: str, name: str, seed: int, steps: int) -> tuple[str, str, int, float]:
    """Train one recipe with one seed and return its loss on the validation split."""
    torch.set_num_threads(1)
    recipe = {"up": recipes.ladder, "without": recipes.without}[kind]()[name]
    _, history = recipes.train(recipe, load_shakespeare(), seed, steps)
    return kind, name, seed, history.evaluation("validation").values[-1]


def main() -> None:
    """Measure, train what is not done yet, and write the record; what is done is kept in COURSE_HOME."""
    kept = home() / "ladder.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    up, without = recipes.ladder(), recipes.without()
    state = json.loads(kept.read_text()) if kept.exists() else {"seconds": {}, "done": []}
    if not state["seconds"]:
        times = step_seconds({f"up/{n}": r for n, r in up.items()} | {f"without/{n}": r for n, r in without.items()})
        state["seconds"] = times
        kept.write_text(json.dumps(state))
    steps = {key: round(SECONDS / s) for key, s in state["seconds"].items()}
    finished = {(kind, name, seed) for kind, name, seed, _ in state["done"]}
    tasks = sorted([(*key.split("/"), seed) for seed in SEEDS for key in steps], key=lambda t: (t[0] != "up", t[2]))
    with ProcessPoolExecutor(2) as pool:
        waiting = [pool.submit(run, *t, steps[f"{t[0]}/{t[1]}"]) for t in tasks if t not in finished]
        for future in as_completed(waiting):
            state["done"].append(future.result())
            print(*state["done"][-1], flush=True)
            kept.write_text(json.dumps(state))
    record(state, steps)


def record(state: dict, steps: dict[str, int]) -> None:
    """Write the record of all runs that are done; a row has as many losses as seeds."""
    losses: dict[str, list[float]] = {key: [] for key in steps}
    for kind, name, _, loss in sorted(state["done"], key=lambda d: d[2]):
        losses[f"{kind}/{name}"].append(round(loss, 4))
    papers = {name: paper for name, paper, _, _ in recipes.RUNGS}
    values: dict[str, list[dict]] = {"up": [], "without": []}
    for key, nats in losses.items():
        kind, name = key.split("/")
        paper, step_ms = papers.get(name, "Karpathy 2022, nanoGPT"), round(1e3 * state["seconds"][key], 1)
        values[kind].append({"name": name, "paper": paper, "steps": steps[key], "step_ms": step_ms, "nats": nats})
    what = f"validation loss in nats after {SECONDS} s of two CPU cores, one change at a time"
    print(write_record("ladder", what, SEEDS, values))


if __name__ == "__main__":
    main()
