"""Runs stored notebooks again, two at a time, and tells chapter by chapter whether what they show still comes out.

A line names the first cell that failed, and the claim that does not hold.

``python notebooks/validate.py``           nbval: every compared text is what is stored
``python notebooks/validate.py 02``        the same for one chapter
``python notebooks/validate.py --avx2``    nbval on PyTorch's AVX2 kernels, and two threads where a cell sets none
``python notebooks/validate.py --solved``  with every exercise done, on PyTorch's oldest kernels

The chapters that took longest when they were executed begin, so that two workers end together.
"""

import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import comparison
import nbformat

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2  # a chapter trains on one thread
WAYS = {  # how → its variables
    "": {"OMP_NUM_THREADS": "1"},
    "--avx2": {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2"},
    "--solved": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default"},
}


def longest_first(notebooks: list[Path]) -> list[Path]:
    """Sort by the seconds that executing took, as ``build.py`` noted them; what has none comes first."""

    def seconds(path: Path) -> float:
        if not path.exists():
            return float("inf")
        return json.loads(path.read_text(encoding="utf-8"))["metadata"].get("course", {}).get("seconds", float("inf"))

    return sorted(notebooks, key=lambda path: (-seconds(path), path.name))


def run(notebook: Path, how: str) -> comparison.Result:
    """Validate one notebook in one of the ways."""
    environment = {**os.environ, **WAYS[how]}
    return run_solved(notebook, environment) if how == "--solved" else comparison.run(notebook, environment=environment)


def run_solved(notebook: Path, environment: dict[str, str]) -> comparison.Result:
    """Validate a chapter with every exercise done: the rest shows what it stores, and each exercise is noted as done.

    After the last cell the exercises come once more: a learner who comes back to one finds its check as it was.
    """
    from solved import solved  # which imports the library

    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        done, home = solved(ROOT / "notebooks" / "source" / f"{notebook.stem}.py"), Path(folder, "home")
        done.cells += again(done)
        nbformat.write(done, Path(folder, notebook.name))
        result = comparison.run(Path(folder, notebook.name), environment={**environment, "COURSE_HOME": str(home)})
        missing = not_done(notebook.stem, home / "progress.json")
    failures = [comparison.Failure(notebook.stem, 0, "", f"{id}: not noted as done") for id in missing]
    return replace(result, notebook=notebook, failures=[*result.failures, *failures])


def again(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return copies of every exercise's cell and of the code cell that follows it, to be run and not compared."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    wanted = [i for i, cell in enumerate(code) if "\n@exercise(" in f"\n{cell.source}"]
    return [nbformat.v4.new_code_cell(code[i].source) for i in sorted({*wanted, *(i + 1 for i in wanted)})]


def not_done(chapter: str, progress: Path) -> list[str]:
    """Return the exercises of a chapter that a file of progress does not have as done."""
    from course_lib.chapters.exercises import REGISTRY

    noted = json.loads(progress.read_text(encoding="utf-8")) if progress.exists() else {}
    return [id for id in REGISTRY.chapters.get(chapter, {}) if noted.get(id, {}).get("state") != "done"]


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
                path, result = running[future], future.result()
                said = f"failed at {result.failures[0]}" if result.failures else "ok"
                print(f"  {path.stem:<24} {result.seconds:4.0f} s  {said}", flush=True)
                if result.failures:
                    failed.append(result)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for result in failed:
        print(f"\n--- {result.notebook.stem}\n" + "\n".join(map(str, result.failures)) + f"\n{result.log[-6000:]}")
    return bool(failed)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a failed cell may show signs that the console lacks
    sys.exit(main(sys.argv[1:]))
