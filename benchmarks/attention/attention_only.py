"""Record chapter 02's trainings over five seeds, with the chapter's own code: what it reaches, what breaks."""

import runpy
from pathlib import Path

from course_lib.classroom.records import write_record

CHAPTER = Path(__file__).parents[2] / "notebooks" / "source" / "02_attention.py"
SEEDS = range(5)


def main() -> None:
    """Run the chapter once for its functions, then its trainings on every seed."""
    chapter = runpy.run_path(str(CHAPTER))
    steps, held_out_bits = chapter["steps"], chapter["held_out_bits"]
    models = [chapter["experiment"](steps, seed)[0] for seed in SEEDS]
    bits = [held_out_bits(model) for model in models]
    on_previous = [chapter["look_back"](model)[1, 0] for model in models]
    without = [chapter["without_head"](m, int(weight.argmax())) for m, weight in zip(models, on_previous, strict=True)]
    values = {
        "steps": steps,
        "bits": [round(b, 4) for b in bits],
        "strongest_on_previous": [round(weight.max().item(), 3) for weight in on_previous],
        "cost_of_strongest": [round(held_out_bits(m) - b, 3) for m, b in zip(without, bits, strict=True)],
    }
    what = f"held-out bits per character of the attention-only model after {steps:,} steps"
    print(write_record("attention_only", what, SEEDS, values), values)

    broken = {
        name: [round(held_out_bits(chapter["experiment"](350, seed, mix, heads)[0]), 4) for seed in SEEDS]
        for name, (mix, heads) in chapter["variants"].items()
    }
    what = "held-out bits per character of the broken variants after 350 steps"
    print(write_record("attention_breaks", what, SEEDS, broken), broken)


if __name__ == "__main__":
    main()
