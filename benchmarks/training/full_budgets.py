"""Record that every chapter runs to its end on a GPU, with both budgets: seconds, peak memory, and what stopped.

A chapter's source runs as a script, so that each of its claims stops it. Several run at a time; a full budget's seconds
are therefore an upper bound of what one alone takes. The record makes the full budget the default on a GPU; it says of
each chapter whether it came to its end.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from course_lib.classroom.records import write_record
from course_lib.paths import SOURCES

ROOT = Path(__file__).parents[2]
RUN = """
import json, runpy, sys, torch
runpy.run_path(sys.argv[1], run_name="__main__")
print(json.dumps(round(torch.cuda.max_memory_allocated() / 2**20) if torch.cuda.is_available() else 0))
"""


def run(source: Path, budget: str, logs: Path | None) -> dict:
    """Run one chapter in a process and a home of its own; return its seconds, its peak memory and how it ended."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"COURSE_BUDGET": budget, "COURSE_HOME": home, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
        started = time.perf_counter()
        command = [sys.executable, "-c", RUN, str(source)]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)
        seconds = round(time.perf_counter() - started, 1)
    if logs:
        (logs / f"{source.stem}-{budget}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    ended = done.returncode == 0
    said = "" if ended else "\n".join(done.stderr.splitlines()[-12:])
    print(f"{source.stem} {budget}: {seconds} s, {'to its end' if ended else 'stopped'}\n{said}".rstrip(), flush=True)
    return {
        "chapter": source.stem,
        "budget": budget,
        "seconds": seconds,
        "peak_mib": json.loads(done.stdout.splitlines()[-1]) if ended else None,
        "ended": ended,
    }


def main() -> None:
    """Run the chapters, the full budgets first, and write the record; without a GPU say so."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("chapters", nargs="*", help="numbers of chapters; all when none is given, and the record")
    arguments.add_argument("--at-once", type=int, default=4)
    arguments.add_argument("--logs", type=Path, help="a folder for what each chapter printed")
    chosen = arguments.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA GPU here: the full budgets were not run and no record was written")
        return
    every = sorted(SOURCES.glob("[0-9][0-9]*_*.py"))
    sources = [s for s in every if not chosen.chapters or s.stem.split("_")[0] in chosen.chapters]
    jobs = [(source, budget) for budget in ("full", "quick") for source in sources]
    with ThreadPoolExecutor(chosen.at_once) as pool:
        rows = list(pool.map(lambda job: run(*job, chosen.logs), jobs))
    if not chosen.chapters:
        what = f"seconds and memory (peak, MiB) of every chapter on a GPU with both budgets, {chosen.at_once} at a time"
        print(write_record("full_budgets", what, [0], {"at_once": chosen.at_once, "rows": rows}, "cuda"))
    if stopped := [f"{row['chapter']} {row['budget']}" for row in rows if not row["ended"]]:
        sys.exit(f"stopped: {', '.join(stopped)}")


if __name__ == "__main__":
    main()
