"""The address of a heading within its page."""

import re


def as_jupyterlab(heading: str) -> str:
    """Return a heading's anchor in JupyterLab's form, so that one link serves the notebook and the site.

    >>> as_jupyterlab("4 · Train it")
    '4-·-Train-it'
    """
    return heading.replace(" ", "-")


def as_github(heading: str) -> str:
    """Return a heading's anchor in GitHub's form.

    >>> as_github("A server, over SSH")
    'a-server-over-ssh'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def from_github(markdown: str) -> str:
    """Return a page whose links to its own headings, as GitHub resolves them, have the form of the site."""
    headings = re.findall(r"^#+ (.+?)\s*$", markdown, re.M)
    meant = {as_github(heading): as_jupyterlab(heading) for heading in headings}
    return re.sub(r"\]\(#([^()\s]+)\)", lambda found: f"](#{meant.get(found[1], found[1])})", markdown)
