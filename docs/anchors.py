"""The address of a heading within its page."""


def as_jupyterlab(heading: str) -> str:
    """Return a heading's anchor in JupyterLab's form, so that one link serves the notebook and the site.

    >>> as_jupyterlab("4 · Train it")
    '4-·-Train-it'
    """
    return heading.replace(" ", "-")
