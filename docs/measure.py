"""How heavy the site's pages are and how soon they show something, as a browser on this machine sees them.

    python docs/measure.py [index 02_attention …]

Five loads of each page with an empty cache from a local server that compresses text as public ones do; the medians are
printed. Needs the extra 'browser'. Bytes are those that travel: of MathJax and the theme, too.
"""

import contextlib
import functools
import gzip
import http.server
import os
import shutil
import statistics
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"
PAGES = ("index", "02_attention", "05_language_model", "10_gan_dynamics", "14_training_on_gpu", "coverage")
LOADS = 5
TIMES = """() => new Promise(done => {
  let largest = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) largest = e.startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  const all = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
  requestAnimationFrame(() => setTimeout(() => done({
    kilobytes: all.reduce((sum, e) => sum + e.transferSize, 0) / 1e3,
    requests: all.length,
    first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    largest,
  })));
})"""


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves files as a public host does: text compressed."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        """Send a file, gzipped where it is text."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        text = path.suffix in {".html", ".css", ".js", ".svg"}
        body = gzip.compress(path.read_bytes()) if text else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        if text:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(folder: Path):
    """Serve a folder on this machine; yield its address."""
    handler = functools.partial(Compressing, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def load(browser, url: str) -> dict[str, float]:
    """Load a page once with nothing in the cache; return what the browser measured."""
    with browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        return page.evaluate(TIMES)


def main(names: list[str]) -> None:
    """Print a row for each page."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("COURSE_CHROMIUM") or shutil.which("chromium")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print("| page | kB | requests | first paint, ms | largest paint, ms |\n| --- | --- | --- | --- | --- |")
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        for name in names:
            loads = [load(browser, f"{address}/{name}.html") for _ in range(LOADS)]
            medians = [statistics.median(each[key] for each in loads) for key in loads[0]]
            print(f"| {name} | " + " | ".join(f"{value:.0f}" for value in medians) + " |")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or list(PAGES))
