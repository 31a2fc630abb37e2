"""Writes the solved edition: each chapter with the course's own solution in every exercise, into ``solved/``.

``python notebooks/solved.py``        all chapters
``python notebooks/solved.py 02``     one
``python notebooks/solved.py --run``  executed anew, two at a time; one that stops is told and not written

Without ``--run`` the other cells show what the stored notebook shows, since nothing else in a chapter depends on who
solved its exercises, and the exercises' own cells have yet to be run.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nbformat
from build import execute, from_source
from nbclient.exceptions import CellExecutionError
from validate import AT_ONCE, longest_first

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from course_lib.chapters.exercises import REGISTRY  # noqa: E402
from course_lib.classroom.exercises.engine import solution_source  # noqa: E402
from course_lib.classroom.exercises.spec import Exercise  # noqa: E402

HERE = Path(__file__).parent
FOLDER = ROOT / "solved"


def asks(cell: nbformat.NotebookNode, id: str) -> bool:
    """Return whether a cell asks this exercise, at the start of a line: chapter 00 provokes a wrong answer in a try."""
    calls = (f'@exercise("{id}")', f'answer("{id}"')
    return cell.cell_type == "code" and any(f"\n{call}" in f"\n{cell.source}" for call in calls)


def solved(source: Path) -> nbformat.NotebookNode:
    """Return the notebook of a source with every exercise done: the solution as shown, the right answers."""
    notebook = from_source(source)
    show_what_is_stored(notebook, HERE / f"{source.stem}.ipynb")
    for id, entry in REGISTRY.chapters.get(source.stem, {}).items():
        cell = next(cell for cell in notebook.cells if asks(cell, id))
        if isinstance(entry, Exercise):
            imports, _, definition = solution_source(entry).rpartition("\n\n\n")
            cell.source = f'{imports}\n\n\n@exercise("{id}")\n{definition}'.lstrip()
        else:
            cell.source = cell.source.replace(f'answer("{id}", ...)', f'answer("{id}", {entry.right!r})')
        cell.outputs, cell.execution_count = [], None
    return notebook


def show_what_is_stored(notebook: nbformat.NotebookNode, stored: Path) -> None:
    """Give each cell the outputs of the same cell of the stored notebook, where there is one."""
    if not stored.exists():
        return
    before = {cell.id: cell for cell in nbformat.read(stored, as_version=4).cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id in before:
            cell.outputs, cell.execution_count = before[cell.id].outputs, before[cell.id].execution_count


def write(source: Path, run: bool) -> tuple[bool, str]:
    """Write one chapter's solved notebook, beside and renamed; return whether it was, and a line that says so."""
    notebook, target = solved(source), FOLDER / f"{source.stem}.ipynb"
    if run:
        try:
            execute(notebook)
        except CellExecutionError as error:
            return False, f"{source.stem}: stopped, not written\n{error}"
    FOLDER.mkdir(exist_ok=True)
    beside = target.with_suffix(".part")
    nbformat.write(notebook, beside)
    os.replace(beside, target)
    return True, f"solved/{target.name}: {len(REGISTRY.chapters.get(source.stem, {}))} exercises"


def main(arguments: list[str]) -> int:
    """Follow the command line; return 1 where a chapter stopped."""
    run, numbers = "--run" in arguments, [word for word in arguments if word != "--run"]
    sources = {path.stem.split("_")[0]: path for path in sorted((HERE / "source").glob("[0-9][0-9]*_*.py"))}
    if not sources.keys() >= set(numbers):
        print(f"expected --run or not, and numbers of chapters ({', '.join(sources)}), got {' '.join(arguments)}")
        return 2
    by_target = {HERE / f"{sources[number].stem}.ipynb": sources[number] for number in numbers or sources}
    stopped = 0
    with ProcessPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(write, by_target[target], run) for target in longest_first([*by_target])]
        for future in as_completed(waiting):
            written, said = future.result()
            stopped += not written
            print(said, flush=True)
    return bool(stopped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
