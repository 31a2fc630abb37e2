"""The built site for its tests: served on a free port, read as files, and visited page by page in a browser."""

import contextlib
import functools
import http.server
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
READY = "document.documentElement.dataset.ready === 'yes'"  # docs/_static/site.js: equations are set
FACTS = """() => ({
  merrors: [...document.querySelectorAll('mjx-merror, merror, [data-mjx-error]')].map(e => e.textContent),
  raw: [...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container')).map(e => e.textContent),
  formulas: document.querySelectorAll('.math').length,
  silent: [...document.querySelectorAll('article img')].filter(i => !(i.alt || '').trim()).map(i => i.src),
  images: document.querySelectorAll('article img').length,
})"""
WIDTH = "document.documentElement.scrollWidth - innerWidth"


def built() -> Path:
    """Return the folder of the site, made anew where a source of it is newer."""
    sources = [ROOT / "notebooks", ROOT / "docs", ROOT / "course_lib" / "classroom" / "live.js"]
    files = [path for source in sources for path in (source.rglob("*") if source.is_dir() else [source])]
    made = SITE / "index.html"
    newest = max(path.stat().st_mtime for path in files if path.suffix in {".ipynb", ".py", ".md", ".js", ".css"})
    if not made.is_file() or made.stat().st_mtime < newest:
        subprocess.run([sys.executable, "docs/build.py"], cwd=ROOT, check=True)
    return SITE


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(folder: Path):
    """Serve a folder on this machine; yield its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Page(HTMLParser):
    """A page as a file: where its links lead, the names in it that a link can lead to, and its images."""

    links: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    alts: list[str | None] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag in {"a", "link"} and given.get("href"):
            self.links.append(given["href"])
        if tag in {"img", "script"} and given.get("src"):
            self.links.append(given["src"])
        if tag == "img":
            self.alts.append(given.get("alt"))


def pages_of(folder: Path) -> dict[str, Page]:
    """Return each page of a folder by its name, read."""
    pages = {}
    for path in sorted(folder.glob("*.html")):
        pages[path.name] = Page()
        pages[path.name].feed(path.read_text(encoding="utf-8"))
    return pages


def leads_nowhere(link: str, page: str, pages: dict[str, Page], folder: Path) -> bool:
    """Whether a link of a page, within the site, has no file or no place to lead to."""
    address, _, place = link.partition("#")
    address = unquote(address.partition("?")[0]) or page
    if not (folder / address).is_file():
        return True
    return bool(place) and place != "_" and address in pages and unquote(place) not in pages[address].names


@dataclass(frozen=True)
class Visit:
    """What was seen on one page: facts of its content, what it asked for, what went wrong, what axe-core found."""

    facts: dict
    elsewhere: list[str]
    errors: list[str]
    light: list[str]
    dark: list[str]
    too_wide: int


def visit(context, address: str, name: str) -> Visit:
    """Open a page at desk width in light and in dark, then at phone width."""
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{address}/{name}")
    page.wait_for_function(READY)
    facts = page.evaluate(FACTS)
    light = violations(page)
    page.emulate_media(color_scheme="dark")
    dark = violations(page, runOnly=["color-contrast"])
    page.set_viewport_size(PHONE)
    too_wide = page.evaluate(WIDTH)
    page.close()
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    return Visit(facts, elsewhere, errors, light, dark, too_wide)


def violations(page, **options) -> list[str]:
    """Return what axe-core finds on a page, a line for each rule with its first place."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{rule['id']} ×{len(rule['nodes'])}: {rule['nodes'][0]['html'][:200]}" for rule in found]
