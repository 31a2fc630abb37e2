"""Record what the attention-only model of chapter 02 reaches over five seeds, with the chapter's own code."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from course_lib.records import write_record

CHAPTER = Path(__file__).parents[1] / "notebooks" / "source" / "02_attention.py"


def main() -> None:
    """Run the chapter once for its functions, then train its model on every seed."""
    chapter = runpy.run_path(str(CHAPTER))
    steps, seeds = chapter["steps"], range(5)
    bits = [round(chapter["held_out_bits"](chapter["experiment"](steps, seed)[0]), 4) for seed in seeds]
    what = f"held-out bits per character of the attention-only model after {steps:,} steps"
    print(write_record("attention_only", what, seeds, {"steps": steps, "bits": bits}), bits)


if __name__ == "__main__":
    main()
