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
  numbers: [...document.querySelectorAll('mjx-container [id^="mjx-eqn:"]')].map(e => e.id.slice(8)),
  formulas: document.querySelectorAll('.math').length,
  silent: [...document.querySelectorAll('article img')].filter(i => !(i.alt || '').trim()).map(i => i.src),
  images: document.querySelectorAll('article img').length,
})"""
AXE = """options => {
  const seen = new Set();  // code has thousands of words in few colours: one of each kind is enough, and much faster
  for (const word of document.querySelectorAll('.highlight span')) {
    const kind = word.className + ' in ' + word.closest('.highlight').parentElement.className;
    if (seen.has(kind)) word.dataset.again = '';
    seen.add(kind);
  }
  window.violations = null;
  const all = { exclude: [['[data-again]']] };
  axe.run(all, { resultTypes: ['violations'], ...options }).then(r => { window.violations = r.violations; });
}"""
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


@dataclass
class Visit:
    """What was seen on one page: its content, what it asked for, what went wrong, what axe-core found, its overflow."""

    facts: dict = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    light: list[str] = field(default_factory=list)
    dark: list[str] = field(default_factory=list)
    too_wide: int = 0


def visit_all(browser, address: str, names: list[str]) -> dict[str, Visit]:
    """Open every page at desk width in light and in dark, then at phone width; two at a time, for two cores."""
    visits = {name: Visit() for name in names}
    with contextlib.ExitStack() as stack:
        two = [stack.enter_context(browser.new_context(viewport=DESK, color_scheme="light")) for _ in range(2)]
        for at in range(0, len(names), 2):
            group = names[at : at + 2]
            pages = [context.new_page() for context, _ in zip(two, group, strict=False)]
            look([visits[name] for name in group], pages, [f"{address}/{name}" for name in group])
            for page in pages:
                page.close()
    for each in visits.values():
        each.elsewhere = [url for url in each.elsewhere if not url.startswith((address, "data:", "blob:"))]
    return visits


def look(visits: list[Visit], pages: list, urls: list[str]) -> None:
    """Fill in visits of pages that are open side by side."""
    for each, page, url in zip(visits, pages, urls, strict=True):
        page.on("request", lambda request, each=each: each.elsewhere.append(request.url))
        page.on("pageerror", lambda error, each=each: each.errors.append(str(error)))
        page.on("console", lambda said, each=each: said.type == "error" and each.errors.append(said.text))
        page.goto(url)
    for each, page, found in zip(visits, pages, violations(pages), strict=True):
        each.facts, each.light, each.too_wide = page.evaluate(FACTS), found, page.evaluate(WIDTH)
        page.emulate_media(color_scheme="dark")
    for each, page, found in zip(visits, pages, violations(pages, runOnly=["color-contrast"]), strict=True):
        each.dark = found
        page.set_viewport_size(PHONE)
        each.too_wide = max(each.too_wide, page.evaluate(WIDTH))


def violations(pages: list, **options) -> list[list[str]]:
    """Return what axe-core finds on pages, all at once: for each page a line for each rule with its first place."""
    from axe_playwright_python.sync_playwright import Axe

    for page in pages:
        page.wait_for_function(READY)
        page.evaluate(Axe().axe_script)
        page.evaluate(AXE, options)
    found = [page.wait_for_function("window.violations", timeout=300_000).json_value() for page in pages]
    return [[f"{rule['id']} ×{len(rule['nodes'])}: {rule['nodes'][0]['html'][:200]}" for rule in of] for of in found]
