"""Run a chapter's source to its end on the stand-in device: ``python tests/accelerator/run_chapter.py 07_vae_training``.

A path of another source will do as well.

Prints what was counted, and where the transfers and waits happened, as JSON in the last line.
"""

import json
import os
import runpy
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def main(name: str) -> None:
    """Run one chapter in this process."""
    os.environ |= {"COURSE_DEVICE": "sim", "COURSE_BUDGET": "quick", "MPLBACKEND": "agg"}
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as home:
        os.environ["COURSE_HOME"] = home
        from standin import accelerator

        with accelerator() as ledger:
            source = name if name.endswith(".py") else str(ROOT / "notebooks" / "source" / f"{name}.py")
            runpy.run_path(source, run_name="__main__")
    print(json.dumps({"counts": ledger.counts, "places": ledger.places.most_common(30)}))


if __name__ == "__main__":
    main(sys.argv[1])
