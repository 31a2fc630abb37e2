"""Every symbol of every chapter's card stands on the notation page, chapter 00b."""

import re
from pathlib import Path

import jupytext
import pytest

SOURCES = sorted((Path(__file__).parents[2] / "notebooks" / "source").glob("[0-9][0-9]*_*.py"))
START = next(path for path in SOURCES if path.name.startswith("00b_"))
CARD, PAGE = ("symbol", "meaning", "shape"), ("symbol", "meaning", "shape", "chapters")


def cells_of(line):
    """The cells of a line of a markdown table; a | within $…$ or after a backslash divides nothing."""
    inner = re.sub(r"\$[^$]*\$", lambda formula: formula[0].replace("|", "\0"), line.strip().replace(r"\|", "\0"))
    return [cell.strip().replace("\0", "|") for cell in inner.strip("|").split("|")]


def plain(symbol):
    """A symbol without what does not change how it reads: spaces, braces, fonts."""
    symbol = re.sub(r"\\(Vert|mid|parallel|lVert|rVert)\b|\\\||\|+", "|", symbol)
    symbol = re.sub(r"\\(mathrm|operatorname|text|mathit|mathbf|boldsymbol|left|right)\b|\\[,;:!> ]", "", symbol)
    return re.sub(r"[\s{}]", "", symbol)


def symbols(cell):
    """The symbols in a cell: what stands between dollars, cut at the commas outside brackets."""
    found = set()
    for formula in re.findall(r"\$([^$]+)\$", cell):
        depth, parts = 0, [""]
        for character in formula:
            depth += (character in "([{") - (character in ")]}")
            if character == "," and depth == 0 and not parts[-1].endswith("\\"):
                parts.append("")
            else:
                parts[-1] += character
        found |= {plain(part) for part in parts} - {""}
    return found


def table(source, header):
    """The symbols of all tables in a source's text that have this header."""
    found = set()
    for cell in jupytext.read(source, fmt="py:percent").cells:
        inside = False
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else []:
            row = cells_of(line) if line.startswith("|") else []
            inside = bool(row) and (inside or tuple(row) == header)
            if inside and tuple(row) != header:
                assert len(row) == len(header), (source.name, line)
                found |= symbols(row[0])
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_symbol_of_a_card_is_on_the_notation_page(source):
    card = table(source, CARD)
    assert len(card) >= 5, f"{source.name}: expected a table | symbol | meaning | shape | in its card"
    missing = sorted(card - table(START, PAGE))
    assert not missing, f"add a row to section Notation of {START.name} for: {', '.join(missing)}"


def test_symbols_are_read_as_a_reader_reads_them():
    assert symbols(r"$q, k, v$ and $d_{k}$") == {"q", "k", "v", "d_k"}
    assert symbols(r"$H(p, q)$, $ \mathrm{KL}(p\,\|\,q) $") == {"H(p,q)", "KL(p|q)"}
    assert symbols(r"$\operatorname{KL}(p \Vert q)$") == symbols(r"$\mathrm{KL}(p \| q)$") == {"KL(p|q)"}
    assert symbols("no symbol") == set()
    assert cells_of(r"| $a | b$ | one \| two | (T, d) |") == ["$a | b$", "one | two", "(T, d)"]
    assert plain(r"\mu_k") != plain(r"\mu")


def test_a_symbol_that_is_missing_is_found(tmp_path):
    source = tmp_path / "04_new.py"
    source.write_text(
        "# %% [markdown]\n# | symbol | meaning | shape |\n# | --- | --- | --- |\n# | $\\beta_9, q$ | new | |\n"
    )
    assert table(source, CARD) - table(START, PAGE) == {r"\beta_9"}
