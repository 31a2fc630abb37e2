"""Sphinx's settings for the site. Nothing is executed, and no page asks another host for anything."""

import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "Generative AI from the mathematics up"
author = "the course's authors"
copyright = "text and figures CC BY 4.0, code MIT"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
nb_execution_mode = "off"
nb_code_prompt_show = "Show the code of this cell"
nb_code_prompt_hide = "Fold the code of this cell"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "docs.anchors.as_jupyterlab"
copybutton_selector = ":not(.output) > div.highlight pre"  # what was put out is not for copying

html_theme = "furo"
html_title = project
html_use_index = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"
html_static_path = [str(HERE / "_static")]
html_favicon = str(HERE / "_static" / "favicon.svg")
templates_path = [str(HERE / "_templates")]
html_css_files = ["course.css"]
html_js_files = [(name, {"type": "module"}) for name in ("site.js", "explorers.js")]
html_show_sourcelink = False
html_copy_source = False
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {
    "options": {"enableMenu": False},  # each formula would be a stop of the tab key
    "chtml": {"displayAlign": "center"},
}


def keep_equations(app: Sphinx, document: nodes.document) -> None:
    """Hand displayed equations to MathJax as they stand; Sphinx would wrap them so that \\tag cannot work."""
    for equation in document.findall(nodes.math_block):
        text = "\\[" + equation.astext() + "\\]"
        equation.children = [nodes.Text(text)]
        equation["no-wrap"] = equation["nowrap"] = True


def setup(app: Sphinx) -> None:
    """Register what the settings above cannot say."""
    app.connect("doctree-read", keep_equations)
