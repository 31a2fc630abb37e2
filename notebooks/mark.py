"""Marks a class's notebooks: runs each anew and writes one table, who, exercise, state and which mistake.

``python notebooks/mark.py class``                     every notebook in a folder and the folders in it
``python notebooks/mark.py maria.ipynb "hw2/*.ipynb"``  files and patterns

Writes ``marks.csv``, a row for each exercise of each notebook, and ``marks.md`` to read; those of an earlier call are
kept beside, under other names. What is judged is a fresh run of the code cells, two notebooks at a time, each with a
home of its own: stored outputs are not looked at, a cell that fails does not keep the next from being run, one that
takes too long is interrupted. ``docs/teaching.md`` says what follows from that, and what a cheat could do.
"""

import glob
import json
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import comparison
import nbformat
from asked import apart, asks, beside, only_guesses, statements
from marks import Judged, Marked, write
from validate import AT_ONCE

HERE = Path(__file__).parent
CELL_SECONDS, NOTEBOOK_SECONDS = 60, 300  # or twice and eight times what the chapter once took, if that is more
MOST = 4  # notes of one kind that are told
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp"}


@dataclass(frozen=True)
class Lesson:
    """A notebook's code cells in their order, and what it was made from: of a chapter, or of a learner's copy."""

    name: str
    code: list[str]
    metadata: dict = field(default_factory=dict)

    @cached_property
    def exercises(self) -> dict[str, int]:
        """Exercise → the number of the first cell that asks it, as JupyterLab counts."""
        found: dict[str, int] = {}
        for number, source in enumerate(self.code, 1):
            for id in asks(source):
                found.setdefault(id, number)
        return found

    @property
    def seconds(self) -> float:
        """How long the stored chapter took."""
        return self.metadata.get("course", {}).get("seconds", 0)


def read(path: Path) -> Lesson:
    """Read a notebook of any format; ValueError where it is none."""
    try:
        with warnings.catch_warnings():  # cells without ids
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return Lesson(path.stem, code, dict(notebook.get("metadata", {})))
    except Exception as error:  # whatever nbformat makes of what somebody sent
        raise ValueError(f"no notebook that can be read ({type(error).__name__})") from None


# --- which notebooks, whose, of which chapter ------------------------------------------------------------------


def notebooks_named(words: list[str]) -> list[Path]:
    """Return the notebooks that files, folders and patterns name, each once; ValueError for a word that names none."""
    found: dict[Path, None] = {}
    for word in words:
        path = Path(word)
        if word and path.is_dir():
            named = sorted(path.rglob("*.ipynb"))
        else:
            named = [path] if path.is_file() else sorted(map(Path, glob.glob(word, recursive=True)))
        named = [each for each in named if each.is_file() and ".ipynb_checkpoints" not in each.parts]
        if not named:
            if word and path.is_dir() and others(path):
                continue  # a folder that is told in a row
            raise ValueError(f"FILES: expected notebooks, folders or patterns, found no notebook at {word!r}")
        found |= dict.fromkeys(each.resolve() for each in named)
    return list(found)


def others(folder: Path) -> dict[Path, list[str]]:
    """Return the folders below a folder → the names of their files that are no notebooks, pictures or hidden."""
    found: dict[Path, list[str]] = {}
    for path in sorted(folder.resolve().rglob("*")):
        below = path.relative_to(folder.resolve()).parts
        hidden = any(part.startswith((".", "__pycache__")) for part in below)
        if path.is_file() and not hidden and path.suffix.lower() not in {".ipynb", *PICTURES}:
            found.setdefault(path.parent, []).append(path.name)
    return found


def common_folder(paths: list[Path]) -> Path:
    """Return the innermost folder that holds all; of files on several drives, no folder at all."""
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:
        return Path()


def who(path: Path, common: Path, chapters: list[str]) -> str:
    """Say whose notebook it is: its path below the folder that all share, without the chapter's name and ``.ipynb``.

    maria/02_attention.ipynb, 02_attention_maria.ipynb and maria_02_attention.ipynb are maria's; where nothing is left
    it is the name of the folder.
    """
    below = (path.relative_to(common) if path.is_relative_to(common) else Path(path.name)).with_suffix("").as_posix()
    for chapter in chapters:
        below = re.sub(rf"(?<![^/_. -]){re.escape(chapter)}(?![^/_. -])", "", below)
    parts = (part.strip("_. -") for part in below.split("/"))
    return "/".join(part for part in parts if part) or path.parent.name


def chapter_of(lesson: Lesson, chapters: list[Lesson]) -> Lesson | None:
    """Return the chapter that a notebook is a copy of, whatever its name; None where it shares under two cells."""
    own = {source.strip() for source in lesson.code} - {""}

    def shared(chapter: Lesson) -> int:
        return len(own & {source.strip() for source in chapter.code[1:]})  # the first cell is the same in all

    best = max(chapters, key=shared)
    return best if shared(best) >= 2 else None


# --- one notebook ----------------------------------------------------------------------------------------------


def mark(path: Path, name: str, chapters: list[Lesson]) -> Marked:
    """Run one notebook and judge its exercises; one that cannot be judged says why in its notes."""
    try:
        lesson = read(path)
        if (chapter := chapter_of(lesson, chapters)) is None:
            return Marked(name, str(path), "", notes=["not a chapter of this course"])
        return run(lesson, chapter, name, path)
    except Exception as error:  # a full disk, a fault of ours: the others are marked all the same
        return Marked(name, str(path), "", notes=[f"not judged: {error or type(error).__name__}"])


def run(lesson: Lesson, chapter: Lesson, name: str, path: Path) -> Marked:
    """Run a lesson's cells in a folder of their own and judge each exercise of its chapter."""
    parts = [(number, part) for number, source in enumerate(lesson.code, 1) for part in apart(source)]
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
        copy, home = Path(folder, "notebook.ipynb"), Path(folder, "home")
        cells = [nbformat.v4.new_code_cell(part) for _, part in parts]  # no tags, no outputs
        nbformat.write(nbformat.v4.new_notebook(cells=cells), copy)
        result = comparison.run(
            copy,
            compare=False,
            environment=environment(Path(folder), home),
            cell_limit=max(CELL_SECONDS, 2 * chapter.seconds),
            limit=max(NOTEBOOK_SECONDS, 8 * chapter.seconds),
        )
        noted = progress(home)
    failures = [replace(failure, cell=parts[failure.cell - 1][0]) for failure in result.failures if failure.cell]
    failed = {failure.cell: failure for failure in reversed(failures)}
    tried = parts[result.tried - 1][0] if result.tried else 0
    judged = [judge(id, noted.get(id, {}), lesson.exercises.get(id, 0), failed, tried) for id in chapter.exercises]
    return Marked(name, str(path), chapter.name, judged, notes(lesson, chapter, failures), result.seconds)


def environment(folder: Path, home: Path) -> dict[str, str]:
    """Return the variables of a kernel to which exit() is an exception like any other."""
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "exit.py").write_text("from sys import exit, exit as quit", encoding="utf-8")
    own = {"COURSE_HOME": str(home), "IPYTHONDIR": str(folder / "ipython"), "OMP_NUM_THREADS": "1"}
    return {**os.environ, "COURSE_BUDGET": "quick", "COURSE_DEVICE": "cpu", **own}


def progress(home: Path) -> dict[str, dict]:
    """Return what the exercise engine noted in a home; of a file that the notebook spoiled nothing."""
    try:
        noted = json.loads((home / "progress.json").read_text(encoding="utf-8"))
        return {id: entry for id, entry in noted.items() if isinstance(entry, dict)}
    except (OSError, ValueError, AttributeError):
        return {}


def judge(id: str, entry: dict, cell: int, failed: dict[int, comparison.Failure], tried: int) -> Judged:
    """Say in which state an exercise is. entry: what the engine noted; cell: the one that asks it, 0 for none."""
    if not cell:
        why = "the notebook notes it as done, but no cell asks for it" if entry.get("state") == "done" else ""
        return Judged(id, "no cell", text=why)
    if entry.get("state") == "done":
        return Judged(id, "right, solution shown" if entry.get("seen") else "right")
    if said := entry.get("said"):
        if said["state"] != "wrong":
            return Judged(id, said["state"])
        lines = (line for line in said["lines"] if not line.startswith("Hint:"))
        return Judged(id, "wrong", said["key"], " · ".join(lines))
    if cell in failed or cell > tried:
        why = failed[cell].why if cell in failed else "the run had ended before"
        return Judged(id, "stopped", text=why)
    return Judged(id, "not judged", text="its cell ran, but the check of the course did not")


def notes(lesson: Lesson, chapter: Lesson, failures: list[comparison.Failure]) -> list[str]:
    """Return what a teacher may want to look at: another edition, cells beside the exercises that failed or differ."""
    found = []
    if (made_from(lesson, chapter) or made_from(chapter, chapter)) != made_from(chapter, chapter):
        found.append("another edition of the chapter")
    asking = {number for number, source in enumerate(lesson.code, 1) if asks(source)}
    failed = [each for each in failures if each.cell not in asking and each.what != comparison.NOT_RUN]
    found += few([f"failed at {failure}" for failure in failed])
    found += few(asked_again(lesson, chapter))
    known = {source.strip() for source in chapter.code} | {""}
    written = set().union(*(statements(source) for source in chapter.code))
    extra = [number for number in sorted(asking) if beside(lesson.code[number - 1], written)]
    own = [
        number
        for number, source in enumerate(lesson.code, 1)
        if number not in asking and source.strip() not in known and not only_guesses(source)
    ]
    found += [f"code beside the exercise: {cells(extra)}"] if extra else []
    found += [f"cells that are not the chapter's: {cells(own)}"] if own else []
    return found


def asked_again(lesson: Lesson, chapter: Lesson) -> list[str]:
    """Return a line for each exercise that is asked more often than the chapter asks it, as by one who tries all."""
    given, once = (Counter(id for source in each.code for id in asks(source)) for each in (lesson, chapter))
    often = {id: times for id, times in given.items() if times > once[id] > 0}
    where = {id: [number for number, source in enumerate(lesson.code, 1) if id in asks(source)] for id in often}
    return [f"{id} is asked {times} times: {cells(where[id])}" for id, times in often.items()]


def cells(numbers: list[int]) -> str:
    """Name cells as JupyterLab shows them."""
    return ", ".join(f"In [{number}]" for number in numbers)


def made_from(lesson: Lesson, chapter: Lesson) -> str | None:
    """Return the hash of a chapter's source that a notebook was made from, if it is noted."""
    noted = lesson.metadata.get("course", {}).get("made_from", {})
    return noted.get(f"notebooks/source/{chapter.name}.py") if isinstance(noted, dict) else None


def told(files: list[str]) -> str:
    """Return a note on files that nobody marks."""
    return f"no notebooks: {', '.join(few(files))}"


def few(lines: list[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    return lines[:MOST] + ([f"and {len(lines) - MOST} more"] if len(lines) > MOST else [])


# --- a class ---------------------------------------------------------------------------------------------------


def main(words: list[str]) -> int:
    """Mark what the words name: a line for each notebook, then the table.

    Return 2 for words that name nothing, 130 where Ctrl-C stopped it.
    """
    try:
        paths = notebooks_named(words or [""])
        folders = [Path(word) for word in words if word and Path(word).is_dir()]
        strays = {place: files for folder in folders for place, files in others(folder).items()}
        if not paths:
            found = [file for files in strays.values() for file in files]
            raise ValueError(f"FILES: expected notebooks, found in {' '.join(words)} {told(found)}")
    except ValueError as error:
        print(error)
        return 2
    chapters = [read(path) for path in sorted(HERE.glob("[0-9][0-9]*_*.ipynb"))]
    names, common = [chapter.name for chapter in chapters], common_folder([*paths, *(f / "any" for f in strays)])
    # strip("_") leaves nothing of that name: it is the folder's
    marked = [Marked(who(f / "_", common, names), str(f), "", notes=[told(files)]) for f, files in strays.items()]
    for each in marked:
        print(f"  {each.line}")
    print(f"{len(paths)} notebooks, two at a time; each takes about as long as its chapter", flush=True)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for future in as_completed([pool.submit(mark, path, who(path, common, names), chapters) for path in paths]):
            marked.append(future.result())
            print(f"  {marked[-1].line}", flush=True)
    except KeyboardInterrupt:
        print(f"stopped: {len(marked) - len(strays)} of {len(paths)} notebooks are in the table")
        return 130
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if marked:
            for kept in write(marked, Path()):
                print(f"the earlier one is kept as {kept}")
            print(f"marks.csv and marks.md: {len(marked) - len(strays)} notebooks")
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
