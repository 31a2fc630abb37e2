"""Runs stored notebooks again, two at a time, and tells chapter by chapter whether what they show still comes out.

``python notebooks/validate.py``           nbval: every compared text is what is stored
``python notebooks/validate.py 02``        the same for one chapter
``python notebooks/validate.py --avx2``    nbval on PyTorch's AVX2 kernels, and two threads where a cell sets none
``python notebooks/validate.py --solved``  with every exercise done, on PyTorch's oldest kernels

The chapters that took longest when they were executed begin, so that two workers end together.
"""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2  # a chapter trains on one thread
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
SOLVED = "tests/notebooks/test_runs.py::test_with_all_exercises_done_the_rest_prints_the_same"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
WAYS = {  # how → its variables; the test of solved notebooks chooses the oldest kernels itself
    "": ONE_THREAD,
    "--avx2": {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2"},
    "--solved": ONE_THREAD,
}


def longest_first(notebooks: list[Path]) -> list[Path]:
    """Sort by the seconds that executing took, as ``build.py`` noted them; what has none comes first."""

    def seconds(path: Path) -> float:
        if not path.exists():
            return float("inf")
        return json.loads(path.read_text(encoding="utf-8"))["metadata"].get("course", {}).get("seconds", float("inf"))

    return sorted(notebooks, key=lambda path: (-seconds(path), path.name))


def command(notebook: Path, how: str) -> list[str]:
    """Return the call of pytest that validates a notebook."""
    what = [f"{SOLVED}[{notebook.stem}]"] if how == "--solved" else [*NBVAL, f"notebooks/{notebook.name}"]
    return [sys.executable, "-m", "pytest", "-rfE", "-p", "no:cacheprovider", *what]


def run(notebook: Path, how: str) -> tuple[int, str, float]:
    """Validate one notebook; return pytest's status, what it printed and the seconds."""
    started = time.monotonic()
    done = subprocess.run(
        command(notebook, how),
        cwd=ROOT,
        env={**os.environ, **WAYS[how], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - started


def first_failure(output: str, notebook: Path) -> str:
    """Return the first cell that nbval turns down, else what a test says, else the last line of the output."""
    cells = [int(n) for n in re.findall(r"^(?:FAILED|ERROR) \S+\.ipynb::Cell (\d+)", output, re.M)]
    if cells:
        every = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in every if cell["cell_type"] == "code"]
        return f"In [{min(cells) + 1}]: {code[min(cells)].splitlines()[0]}"  # as JupyterLab counts
    tests = re.findall(r"^(?:FAILED|ERROR) \S+ - (.+)", output, re.M)
    return tests[0] if tests else (output.strip().splitlines() or ["no output"])[-1]


def main(arguments: list[str]) -> int:
    """Follow the command line; return 1 where a chapter failed."""
    how = next((word for word in arguments if word.startswith("--")), "")
    numbers = [word for word in arguments if not word.startswith("--")]
    known = {path.name.split("_")[0]: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))}
    if how not in WAYS or len(arguments) > len(numbers) + bool(how) or not known.keys() >= set(numbers):
        chapters = ", ".join(known)
        print(f"expected --avx2, --solved or neither, and numbers of chapters ({chapters}), got {' '.join(arguments)}")
        return 2
    chosen = [known[number] for number in numbers or known]
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(run, path, how): path for path in longest_first(chosen)}
        try:
            for future in as_completed(running):
                path, (status, output, seconds) = running[future], future.result()
                said = f"failed at {first_failure(output, path)}" if status else "ok"
                print(f"  {path.stem:<24} {seconds:4.0f} s  {said}", flush=True)
                if status:
                    failed.append((path.stem, output))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for name, output in failed:
        print(f"\n--- {name}\n{output[-6000:]}")
    return bool(failed)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a failed cell may show signs that the console lacks
    sys.exit(main(sys.argv[1:]))
