"""What the chapters claim, section by section, and the links in a text that lead to such claims."""

import ast
import re
from pathlib import Path

import jupytext

SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "source").glob("*.py"))
HEADING = re.compile(r"^#{2,3} (.+)$", re.M)


def cells_of(source):
    return jupytext.read(source, fmt="py:percent").cells


def claims_by_section(cells):
    """Heading, as a link names it → the statements of the claims below it, a line each; implicit strings are one."""
    found, heading = {}, ""
    for cell in cells:
        if cell.cell_type == "markdown":
            heading = HEADING.findall(cell.source)[-1].replace(" ", "-") if HEADING.search(cell.source) else heading
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim" and node.args:
                parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                says = "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)
                found[heading] = found.get(heading, "") + says + "\n"
    return found


def links_to_claims(text):
    """(words, page, section) of every '[*words*](page#section)'; the page is '' for a link within a chapter."""
    return re.findall(r"\[\*([^*]+)\*\]\(([^#()]*)#([^)]+)\)", text)


def sections_with(words, claims):
    """The sections in which these words stand in a claim; claims as `claims_by_section` gives them."""
    return [section for section, says in claims.items() if words in says]
