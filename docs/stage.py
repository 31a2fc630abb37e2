"""The course's notebooks and pages as Sphinx is to read them: a folder of copies, made from what is stored.

Nothing is executed. A notebook keeps its text, code and outputs; its pictures become files beside the pages.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs import anchors, outputs

ROOT = Path(__file__).parents[1]
PARTS = {  # the first chapter of each part
    "Foundations": 0,
    "Attention": 2,
    "VAE": 6,
    "GAN": 9,
    "Together": 12,
    "Miniatures": 15,
}
EXTRA = {  # pages beside the chapters: the name on the site, and the file that it is made from
    "ways_in": "docs/ways_in.md",
    "coverage": "notebooks/COVERAGE.md",
    "teaching": "docs/teaching.md",
    "checks": "docs/checks.md",
    "reliability": "docs/reliability.md",
}
QUESTION = re.compile(r"^\*\*([^*]+\?)\*\*", re.M)
ASKS = re.compile(r"^(@exercise|answer)\(", re.M)
ASKED = (
    '<p class="course-asked">Yours to write in the course, which answers at once: '
    f'<a href="{outputs.START}">how to start</a>.</p>'
)

GUARD = 'find_spec("course_lib")'  # of a cell that says what a lone notebook misses; on the site nothing runs

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Chapter:
    """A chapter as the contents list it: its name, number ('02b'), title and question."""

    name: str
    number: str
    title: str
    question: str

    @property
    def optional(self) -> bool:
        """Whether it goes deeper than the main path."""
        return not self.number.isdigit()

    @property
    def part(self) -> str:
        """The part of the course that it belongs to."""
        number = int(self.number[:2])
        return [name for name, first in PARTS.items() if first <= number][-1]


def chapters(folder: Path) -> list[Chapter]:
    """Return the chapters whose notebooks a folder holds, in order."""
    return [chapter(path) for path in sorted(folder.glob("[0-9][0-9]*_*.ipynb"))]


def chapter(path: Path) -> Chapter:
    """Read a chapter's title and question from its first cell. ValueError where that has none."""
    opening = "".join(read(path)["cells"][0]["source"])
    title = re.search(r"^# (.+)", opening, re.M)
    question = QUESTION.search(opening)
    if not title or not question:
        raise ValueError(f"{path.name}: expected a title ('# …') and a question ('**…?**') in its first cell")
    words = " ".join(re.sub(r"[$\\]", "", question[1]).split())  # the contents need no MathJax for 'p(x)'
    return Chapter(path.stem, path.stem.split("_")[0], title[1], words)


def read(path: Path) -> Notebook:
    """Return a notebook as JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def stage(work: Path, repository: str = "", notebooks: Path = ROOT / "notebooks") -> list[Chapter]:
    """Write everything that Sphinx reads to a new folder, and what it copies as it is to ``extra`` in there.

    repository: the address under which a reader finds the course's files, if there is one. Returns the chapters.
    """
    figures = work / "extra" / "figures"
    figures.mkdir(parents=True)
    found = chapters(notebooks)
    for each in found:
        pictures = outputs.Pictures(figures, "figures", each.name)
        page = site_notebook(read(notebooks / f"{each.name}.ipynb"), pictures, each.number, repository)
        (work / f"{each.name}.ipynb").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    extra = {name: ROOT / file for name, file in EXTRA.items() if (ROOT / file).is_file()}
    for name, file in extra.items():
        text = anchors.from_github(file.read_text(encoding="utf-8"))
        (work / f"{name}.md").write_text(site_links(text, repository), encoding="utf-8")
    (work / "index.md").write_text(start_page(work, found, list(extra), repository), encoding="utf-8")
    return found


def start_page(work: Path, found: list[Chapter], extra: list[str], repository: str) -> str:
    """Return the text of the first page: docs/index.md, the course's first picture, and the contents."""
    text = site_links((ROOT / "docs" / "index.md").read_text(encoding="utf-8"), repository)
    outputs_of_first = [o for cell in read(work / f"{found[0].name}.ipynb")["cells"] for o in cell.get("outputs", [])]
    pictures = [o["data"]["text/html"] for o in outputs_of_first if "<img" in o.get("data", {}).get("text/html", "")]
    return text.replace("<!-- the first picture -->", pictures[0]) + contents(found, extra)


def site_notebook(notebook: Notebook, pictures: outputs.Pictures, number: str, repository: str = "") -> Notebook:
    """Return the notebook as the site shows it; the given one is left as it is."""
    return {**notebook, "cells": list(site_cells(notebook["cells"], pictures, number, repository))}


def site_cells(cells: list[Any], pictures: outputs.Pictures, number: str, repository: str) -> Iterator[Any]:
    """Yield the cells with links and outputs for the site; below each exercise stands how to write it."""
    for cell in cells:
        source = "".join(cell["source"])
        if GUARD in source and not cell.get("outputs"):
            continue
        if cell["cell_type"] != "code":
            yield {**cell, "source": site_links(source, repository)}
            continue
        shown = outputs.site_outputs(cell["outputs"], pictures, number)
        if ASKS.search(source):
            shown.append(outputs.as_html(ASKED))
        yield {**cell, "outputs": shown}


LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^()\s#]*[./][^()\s#]*)(#[^()\s]*)?\)")  # a target without . or / is code


def site_links(markdown: str, repository: str = "") -> str:
    """Return a text whose links lead to pages of the site; a file that is no page is looked up in the repository.

    Where no repository is known, such a file is named without a link. Links to headings stay: conf.py resolves them.
    """
    return LINK.sub(lambda found: site_link(*found.groups(default=""), repository), markdown)


def site_link(words: str, target: str, heading: str, repository: str) -> str:
    """Return one link for the site."""
    name = Path(target).name
    pages = {Path(file).name: f"{page}.md" for page, file in EXTRA.items() if (ROOT / file).is_file()}
    if re.match(r"[a-z]+:", target):  # another site, or mail
        return f"[{words}]({target}{heading})"
    if name in pages or re.fullmatch(r"\d\d\w*_\w+\.ipynb", name) or target == "index.md":
        return f"[{words}]({pages.get(name, name)}{heading})"
    if repository:
        file = target.replace("../", "")
        return f"[{words}]({repository}/blob/main/{file}{heading})"
    return words


def contents(found: list[Chapter], extra: list[str]) -> str:
    """Return the contents: for each part a list for the eye and, hidden, the one that Sphinx orders pages by."""
    lines = []
    for part in PARTS:
        of_part = [each for each in found if each.part == part]
        if of_part:
            lines += [f"\n### {part}\n", *(entry(each) for each in of_part), toctree(part, [c.name for c in of_part])]
    return "\n".join([*lines, toctree("About the course", extra)]) + "\n"


def entry(chapter: Chapter) -> str:
    """Return a chapter's line of the contents."""
    optional = " *(optional)*" if chapter.optional else ""
    return f"- [{chapter.title}]({chapter.name}.ipynb){optional}: {chapter.question}"


def toctree(caption: str, names: list[str]) -> str:
    """Return a hidden list of pages under a caption."""
    return "\n".join(["\n```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"])
