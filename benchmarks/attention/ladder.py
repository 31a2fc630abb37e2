"""Record the ladder from nanoGPT's recipe to the course's: every rung, and the last recipe without each of them.

All get a minute of two CPU cores: as many steps as fit into 60 s at the rung's own median step time, measured first
with all recipes taking turns. The trainings themselves then run beside each other, one thread each, so that what
else the machine does cannot change their result; ``--as-recorded --device cuda`` repeats them on a GPU with the steps
that the record has. The loss on the test split is written down beside that on the validation split.
"""

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from benchmarks.attention import language_recipes as recipes
from benchmarks.attention.ladder_step_times import step_seconds
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.paths import RESULTS, home

SEEDS = range(5)
SECONDS = 60


def run(kind: str, name: str, seed: int, steps: int, device: str) -> tuple[str, str, int, float, float]:
    """Train one recipe with one seed and return its loss on the validation and on the test split."""
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    text, recipe = load_shakespeare(test=True), {"up": recipes.ladder, "without": recipes.without}[kind]()[name]
    model, history = recipes.train(recipe, text, seed, steps, device)
    return kind, name, seed, history.evaluation("validation").values[-1], cross_entropy(model, text.test.to(device))


def recorded_seconds() -> dict[str, float]:
    """Return the seconds of a step that give the steps of the record as it is."""
    values = json.loads((RESULTS / "ladder.json").read_text(encoding="utf-8"))["values"]
    return {f"{kind}/{row['name']}": SECONDS / row["steps"] for kind in ("up", "without") for row in values[kind]}


def measured_seconds() -> dict[str, float]:
    """Return the median seconds of a step of every recipe here."""
    up, without = recipes.ladder(), recipes.without()
    return step_seconds({f"up/{n}": r for n, r in up.items()} | {f"without/{n}": r for n, r in without.items()})


def main() -> None:
    """Measure, train what is not done yet, and write the record; what is done is kept in COURSE_HOME."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--at-once", type=int, default=2)
    arguments.add_argument("--as-recorded", action="store_true", help="the steps of the record, no times measured")
    chosen = arguments.parse_args()
    kept = home() / "ladder.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = json.loads(kept.read_text()) if kept.exists() else {"seconds": {}, "done": []}
    if not state["seconds"]:
        state["seconds"] = recorded_seconds() if chosen.as_recorded else measured_seconds()
        kept.write_text(json.dumps(state))
    steps = {key: round(SECONDS / s) for key, s in state["seconds"].items()}
    finished = {(kind, name, seed) for kind, name, seed, *_ in state["done"]}
    tasks = sorted([(*key.split("/"), seed) for seed in SEEDS for key in steps], key=lambda task: task[2])
    with ProcessPoolExecutor(chosen.at_once, multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(run, *t, steps[f"{t[0]}/{t[1]}"], chosen.device) for t in tasks if t not in finished]
        for future in as_completed(waiting):
            state["done"].append(future.result())
            print(*state["done"][-1], flush=True)
            kept.write_text(json.dumps(state))
    record(state, steps, chosen.device)


def record(state: dict, steps: dict[str, int], device: str) -> None:
    """Write the record of all runs that are done; a row has as many losses as seeds."""
    papers = {name: paper for name, paper, _, _ in recipes.RUNGS}
    values: dict[str, list[dict]] = {"up": [], "without": []}
    for key, seconds in state["seconds"].items():
        kind, name = key.split("/")
        rows = sorted(row[2:] for row in state["done"] if list(row[:2]) == [kind, name])
        values[kind].append(
            {
                "name": name,
                "paper": papers.get(name, "Karpathy 2022, nanoGPT"),
                "steps": steps[key],
                "step_ms": round(1e3 * seconds, 1),
                "nats": [round(validation, 4) for _, validation, _ in rows],
                "test_nats": [round(test, 4) for _, _, test in rows],
            }
        )
    what = f"losses in nats after the steps of {SECONDS} s of two CPU cores, one change at a time"
    print(write_record("ladder", what, SEEDS, values, device))


if __name__ == "__main__":
    main()
