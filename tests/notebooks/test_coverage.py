"""The page that sets the survey article beside the course: verdicts, and links that lead to claims."""

import re
from pathlib import Path

import pytest
from chapter_claims import SOURCES, cells_of, claims_by_section, links_to_claims, sections_with

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "notebooks" / "COVERAGE.md").read_text(encoding="utf-8")
VERDICTS = {"holds", "it depends", "corrected", "wrong", "not tested here", "not yet"}
UNSHOWN = "not yet"  # the verdict that has no claim
WAITING: set[str] = set()
CHAPTERS = {source.stem: claims_by_section(cells_of(source)) for source in SOURCES}


def tables(page, header):
    """The rows, cell by cell, of all tables of a page that have this header."""
    found, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if inside and cells and not set(line) <= set("|- "):
            found.append(cells)
        inside = bool(cells) and (inside or tuple(cells) == header)
    return found


def fault_of_link(words, page, section):
    """What is wrong with one link, or ''."""
    chapter = page.removesuffix(".ipynb")
    if chapter not in CHAPTERS or chapter == page:
        return f"no chapter {page!r}"
    if section not in sections_with(words, CHAPTERS[chapter]):
        return f"{words!r} is claimed in {sections_with(words, CHAPTERS[chapter])} of {chapter}, not in {section!r}"
    lines = [line for line in CHAPTERS[chapter][section].splitlines() if words in line]
    return "" if len(lines) == 1 else f"{words!r} fits {len(lines)} claims of {section!r}"


def faults(page, waiting=WAITING):
    """All that is wrong with the page, a line each."""
    legend = {cells[0] for cells in tables(page, ("verdict", "means"))}
    found = [] if legend == VERDICTS else [f"the legend explains {sorted(legend)}"]
    for row in tables(page, ("the article says", "verdict", "shown by")):
        if len(row) != 3 or not row[0]:
            found.append(f"not three cells: {row}")
            continue
        said, judged, shown = row
        verdict = re.match(r"\*\*([^*]+)\*\*", judged)
        if not verdict or verdict[1] not in VERDICTS:
            found.append(f"no verdict: {said}")
        elif verdict[1] == UNSHOWN and (shown or judged != f"**{UNSHOWN}**"):
            found.append(f"more than is shown: {said}")
        elif verdict[1] != UNSHOWN and not (links_to_claims(shown) and len(judged) > len(verdict[0])):
            found.append(f"no claim, or no reason: {said}")
        if re.sub(r", ", "", re.sub(r"\[\*[^*]+\*\]\([^)]+\)", "", shown)):
            found.append(f"something beside links to claims: {shown}")
    links = links_to_claims(page)
    found += [fault for link in links if (fault := fault_of_link(*link))]
    main = {chapter for chapter in CHAPTERS if re.match(r"\d\d_", chapter)}
    linked = {page.removesuffix(".ipynb") for _, page, _ in links}
    found += [f"no link to {chapter}" for chapter in sorted(main - linked - waiting)]
    found += [f"{chapter} is linked and need not wait" for chapter in sorted(waiting & linked)]
    planned = set(re.findall(r"\(planned: chapter (\w+)\)", page))
    if planned != {chapter.split("_")[0] for chapter in waiting}:
        found.append(f"planned on the page: {sorted(planned)}")
    return found


def test_every_sentence_has_a_verdict_and_every_link_leads_to_the_claim_that_it_quotes():
    assert faults(PAGE) == []


def test_the_readme_leads_to_the_page():
    assert "(notebooks/COVERAGE.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("**holds**:", "**true**:", "no verdict"),
        ("| **not yet** | |", "| **not yet**: soon | |", "more than is shown"),
        ("| **wrong**: the decoder", "| **not yet**: the decoder", "more than is shown"),
        ("| wrong | said", "| false | said", "the legend"),
        ("| It is good at text. | **it", "| It is good at text. **it", "not three cells"),
        ("shown by |\n| --- | --- | --- |\n", "shown by |\n| --- | --- | --- |\n| Said. | **holds**: so. | |\n", "no claim"),
        ("shown by |\n| --- | --- | --- |\n", "shown by |\n| --- | --- | --- |\n| Said. | **holds** | [*q*](x#y) |\n", "no claim"),
        ("[*and PyTorch's own", "shown: [*and PyTorch's own", "beside links"),
        ("](02_attention.ipynb#", "](02_attention#", "no chapter '02_attention'"),
        ("](02_attention.ipynb#", "](02_attend.ipynb#", "no chapter '02_attend.ipynb'"),
        ("#Exercise:-attention)", "#Exercise:-attending)", "not in 'Exercise:-attending'"),
        ("*and PyTorch's own function", "*and our own function", "is claimed in []"),
        ("*both players at once: worse by over three", "*worse by over three", "fits 2 claims"),
        ("04_transformer.ipynb#Exercise:-count-the-operations", "03_positions_and_cost.ipynb#x", "no link to 04_transformer"),
        ("# What the survey", "# (planned: chapter 99) What the survey", "planned on the page"),
    ],
)  # fmt: skip
def test_a_faulty_page_is_found(old, new, fault):
    assert old in PAGE
    assert any(fault in each for each in faults(PAGE.replace(old, new))), faults(PAGE.replace(old, new))


def test_a_chapter_does_not_wait_once_it_is_linked():
    assert "05_language_model is linked and need not wait" in faults(PAGE, {"05_language_model"})
