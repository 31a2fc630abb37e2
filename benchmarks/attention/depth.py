"""Record chapter 04's trainings of twelve blocks over five seeds, with the chapter's own code."""

import runpy
from pathlib import Path

from course_lib.classroom.records import write_record

CHAPTER = Path(__file__).parents[2] / "notebooks" / "source" / "04_transformer.py"
SEEDS = range(5)
ARMS = {"norm before": ("norm before", 1), "norm after": ("norm after", 1), "norm after, warm-up": ("norm after", 60)}


def main() -> None:
    """Run the chapter for its functions, then its trainings on every seed."""
    chapter = runpy.run_path(str(CHAPTER))
    training = chapter["deep_training"]
    curves = {
        arm: [[round(x, 4) for x in training(kind, seed, warmup)] for seed in SEEDS]
        for arm, (kind, warmup) in ARMS.items()
    }
    values = {"steps": list(range(10, 121, 10)), "curves": curves, "unigram": round(chapter["unigram"], 4)}
    what = "training loss in nats of twelve blocks, 120 steps, norms before or after the layers"
    print(write_record("depth", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
