"""Record the full budget on a GPU: nanoGPT's setting of 6 layers, 384 wide, context 256, three seeds, with the time.

nanoGPT publishes 1.4697 nats for it (its README: 5,000 steps, about three minutes of an A100), the best of its
evaluations on 200 random batches; here the loss after the last step on the whole validation split is recorded.
"""

import argparse
import time

import torch

from benchmarks.attention import language_recipes as recipes
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare

SEEDS = range(3)
FULL = recipes.COURSE.with_(
    {"batch": 64, "model": {"n_layers": 6, "n_heads": 6, "d_model": 384, "context_length": 256, "dropout": 0.2}}
)


def main() -> None:
    """Train every seed on the GPU and write the record; without a GPU say so."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=2000)
    arguments.add_argument("--device", default="cuda")
    chosen = arguments.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA GPU here: the full budget was not run and no record was written")
        return
    text, nats, curves, seconds = load_shakespeare(), [], [], []
    for seed in SEEDS:
        started = time.perf_counter()
        _, history = recipes.train(FULL, text, seed, chosen.steps, chosen.device, evaluate_every=100)
        seconds.append(round(time.perf_counter() - started, 1))
        curves.append([round(x, 4) for x in history.evaluation("validation").values])
        nats.append(curves[-1][-1])
        print(seed, nats[-1], seconds[-1], flush=True)
    values = {"steps": chosen.steps, "nats": nats, "seconds": seconds, "curves": curves}
    values["evaluated"] = history.evaluation("validation").steps
    what = "6 layers, 384 wide, context 256: validation loss in nats after the last step, seconds of training"
    print(write_record("language_model_full", what, SEEDS, values, chosen.device))


if __name__ == "__main__":
    main()
