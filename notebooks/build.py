"""Turns ``source/NN_slug.py`` (jupytext py:percent) into executed ``NN_slug.ipynb``.

``python notebooks/build.py``          re-executes the chapters whose source or library code changed, two at a time
``python notebooks/build.py 02``       re-executes one, changed or not
``python notebooks/build.py --check``  executes nothing; fails where a notebook is not its source, executed

The same source gives the same file: cell ids come from the text, no timestamps are kept, and an unchanged
output whose durations alone differ stays as it was. A notebook's metadata hold a hash of each file that it was made
from, by which a line a chapter names what has changed, and the seconds that it took.
"""

import ast
import functools
import hashlib
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import jupytext
import nbformat
from alone import first_cell, repository
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from validate import AT_ONCE, longest_first

HERE = Path(__file__).parent
LIBRARY = HERE.parent / "course_lib"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}  # no version: any of ours
DURATION = re.compile(r"\d+(\.\d+)? ?(s|ms|min)\b")


def from_source(source: Path) -> nbformat.NotebookNode:
    """Return the notebook of a source: cells with stable ids, minimal metadata, no outputs."""
    notebook = jupytext.read(source, fmt="py:percent")
    alone = first_cell(repository())
    notebook.cells.insert(1, nbformat.v4.new_code_cell(alone, metadata={"tags": ["hide-input"]}))
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        tags = cell.metadata.get("tags")
        collapsed = {"jupyter": {"source_hidden": True}} if "hide-input" in (tags or []) else {}
        cell["metadata"] = nbformat.from_dict({**collapsed, "tags": tags} if tags else {})
    notebook["metadata"] = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": LANGUAGE, "course": {"made_from": fingerprint(source)}}
    )
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    return notebook


def fingerprint(source: Path) -> dict[str, str]:
    """Return file → hash: of the source and of the code that it runs, which it imports or which are its exercises.

    What an imported file draws in the page by JavaScript counts too. Comments, docstrings and layout of the library's
    Python do not.
    """
    own = LIBRARY / "chapters" / f"ch{source.stem}" / "exercises"
    files, todo = {source}, [source, *own.glob("*.py")]
    while todo:
        path = todo.pop()
        files.add(path)
        todo += imports(path) - files
    files |= {script for path in files for script in scripts(path)}
    content = {path: code(path) for path in files - {source}} | {source: source.read_text(encoding="utf-8")}
    named = {path.relative_to(HERE.parent).as_posix(): text for path, text in content.items()}
    return {name: hashlib.sha256(named[name].encode()).hexdigest()[:8] for name in sorted(named)}


@functools.cache
def scripts(path: Path) -> set[Path]:
    """Return the JavaScript beside a file of the library that the file names."""
    text = path.read_text(encoding="utf-8")
    return {script for script in path.parent.glob("*.js") if script.name in text}


@functools.cache
def code(path: Path) -> str:
    """Return a file's syntax tree as text, without docstrings; all of a file that is not Python."""
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


@functools.cache
def imports(path: Path) -> set[Path]:
    """Return the files of course_lib that a file names in its import statements."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("course_lib"):
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names if alias.name.startswith("course_lib")}
    found = set()
    for module in modules:
        base = LIBRARY.joinpath(*module.split(".")[1:])
        found |= {p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()}
    return found


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run all cells in a fresh kernel and keep what they show, without anything of the moment."""
    NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # or the text is cut wherever the kernel happened to flush
        resources={"metadata": {"path": HERE}},
    ).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = nbformat.from_dict(LANGUAGE)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def keep_unchanged(new: nbformat.NotebookNode, old: nbformat.NotebookNode) -> None:
    """Take over the old outputs of a cell where only durations differ."""
    before = {cell.id: cell.outputs for cell in old.cells if cell.cell_type == "code"}
    for cell in new.cells:
        if cell.cell_type == "code" and timeless(before.get(cell.id)) == timeless(cell.outputs):
            cell["outputs"] = before[cell.id]


def timeless(outputs) -> str:
    """Write outputs as text with durations blotted out."""
    return DURATION.sub("…", repr(outputs))


def build(source: Path) -> tuple[bool, str]:
    """Execute one source and store its notebook, beside and renamed; return whether it ran and a line that says so."""
    target = HERE / f"{source.stem}.ipynb"
    notebook, started = from_source(source), time.monotonic()
    try:
        execute(notebook)
    except CellExecutionError as error:
        return False, f"{target.name}: stopped, the stored one stays as it was\n{error}"
    seconds = time.monotonic() - started
    notebook.metadata["course"]["seconds"] = round(seconds)
    if target.exists():
        old = nbformat.read(target, as_version=4)
        keep_unchanged(notebook, old)
        noted = old.metadata.get("course", {}).get("seconds", 0)
        if seconds / 2 < noted < 2 * seconds:  # another machine, a busier moment: no reason to change the file
            notebook.metadata["course"]["seconds"] = noted
    beside = target.with_suffix(".part")
    nbformat.write(notebook, beside)
    os.replace(beside, target)
    return True, f"{target.name}: executed in {seconds:.0f} s, {target.stat().st_size / 2**20:.2f} MiB"


def build_all(sources: list[Path]) -> int:
    """Execute sources, two at a time, the longest first; say why and how it went; return how many stopped."""
    for source in sources:
        print(f"{source.stem}: {changed(source) or 'asked for'}", flush=True)
    by_target = {HERE / f"{source.stem}.ipynb": source for source in sources}
    stopped = 0
    with ProcessPoolExecutor(AT_ONCE) as pool:
        for future in as_completed([pool.submit(build, by_target[target]) for target in longest_first([*by_target])]):
            ran, said = future.result()
            stopped += not ran
            print(said, flush=True)
    return stopped


def changed(source: Path) -> str:
    """Name the files that a stored notebook was not executed from as they are now; '' if there are none."""
    target = HERE / f"{source.stem}.ipynb"
    if not target.exists():
        return "new"
    made_from = nbformat.read(target, as_version=4).metadata.get("course", {}).get("made_from")
    if not isinstance(made_from, dict):
        return "what it was made from is not noted"
    now = fingerprint(source)
    names = sorted(name for name in now.keys() | made_from.keys() if now.get(name) != made_from.get(name))
    return f"changed since it was executed: {', '.join(names)}" if names else ""


def faults(source: Path) -> list[str]:
    """Return what is wrong with a stored notebook: not its source, not executed in order, an error, widget state."""
    target = HERE / f"{source.stem}.ipynb"
    if not target.exists():
        return [f"{target.name} is missing"]
    stored, expected = nbformat.read(target, as_version=4), from_source(source)
    found = []
    if [(c.cell_type, c.source, c.metadata) for c in stored.cells] != [
        (c.cell_type, c.source, c.metadata) for c in expected.cells
    ]:
        found.append("its cells are not those of the source")
    elif differs := changed(source):
        found.append(differs)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("its cells were not executed in order")
    if any(output.output_type == "error" for cell in code for output in cell.outputs):
        found.append("it stores an error")
    if "widgets" in stored.metadata:
        found.append("it stores widget state")
    if target.stat().st_size > 1.5 * 2**20:
        found.append("it is larger than 1.5 MiB")
    return [f"{target.name}: {fault}; `make notebooks` makes it anew" for fault in found]


def main(arguments: list[str]) -> int:
    """Follow the command line; return the exit status."""
    sources = sorted((HERE / "source").glob("[0-9][0-9]*_*.py"))
    if arguments == ["--check"]:
        names = {source.stem for source in sources}
        found = [f"{p.name} has no source" for p in HERE.glob("*.ipynb") if p.stem not in names]
        found += [fault for source in sources for fault in faults(source)]
        print("\n".join(found) or f"{len(sources)} notebooks are their sources, executed in order")
        return bool(found)
    numbers = {source.name.split("_")[0]: source for source in sources}
    if unknown := [word for word in arguments if word not in numbers]:
        print(f"expected numbers of chapters ({', '.join(numbers)}), got {' '.join(unknown)}")
        return 2
    chosen = [numbers[word] for word in arguments] or [source for source in sources if changed(source)]
    os.environ["OMP_NUM_THREADS"] = "1"  # of each kernel
    stopped = build_all(chosen)
    print(f"{len(chosen) - stopped} of {len(sources)} notebooks executed")
    return bool(stopped)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # a cell that stopped may show signs that the console lacks
    sys.exit(main(sys.argv[1:]))
