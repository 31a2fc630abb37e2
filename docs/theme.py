"""What the theme's pages lack for readers who listen or use the keyboard, put in once they are made."""

MENDED = {  # as the theme writes it: as it should be
    'class="caption" role="heading"': 'class="caption" role="heading" aria-level="2"',
    '<aside class="sidebar-drawer"': '<aside class="sidebar-drawer" aria-label="Contents of the course"',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
}
ALSO = {  # where a page has them
    '<summary aria-label="Toggle hidden content">': "<summary>",  # what the fold says itself would not be read
    '<th class="head"><p></p></th>': '<td class="head"></td>',  # a corner of a table heads nothing
}


def mended(page: str) -> str:
    """Return a page with each fault mended. ValueError where the theme no longer writes what is looked for."""
    for written, meant in MENDED.items():
        if written not in page:
            raise ValueError(f"page: expected {written!r} from the theme, which does not write it; see docs/theme.py")
        page = page.replace(written, meant)
    for written, meant in ALSO.items():
        page = page.replace(written, meant)
    return page
