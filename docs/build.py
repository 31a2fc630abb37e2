"""Build the site: the stored, executed course as static pages in build/site/, which need no other host.

    python docs/build.py

Sphinx and its extensions come with the extra 'site'. The pages are made beside and put in place when all is well.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from course_lib.classroom.live import source  # noqa: E402
from docs import outputs, stage, theme  # noqa: E402

SITE = ROOT / "build" / "site"


def build(site: Path = SITE) -> int:
    """Stage the course, run Sphinx with warnings as errors, and put the pages in place; return Sphinx's status."""
    site.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="site-", dir=site.parent) as folder:
        work, made = Path(folder, "work"), Path(folder, "made")
        stage.stage(work, os.environ.get("COURSE_REPOSITORY", ""))
        options = ["-W", "--keep-going", "-q", "-j", "auto", "-c", str(ROOT / "docs"), "-d", str(Path(folder, "read"))]
        options += ["-D", f"html_extra_path={work / 'extra'}"]
        status = subprocess.call([sys.executable, "-m", "sphinx", *options, str(work), str(made)])
        if not status:
            finish(made)
            shutil.rmtree(site, ignore_errors=True)
            made.replace(site)
    return status


def finish(made: Path) -> None:
    """Mend the theme's pages, and put beside them the modules of the explorers that they show."""
    modules = set()
    for path in made.glob("*.html"):
        page = path.read_text(encoding="utf-8")
        path.write_text(theme.mended(page), encoding="utf-8")
        modules |= set(outputs.MODULE.findall(page))
    folder = made / "_static" / "explorers"
    folder.mkdir()
    for module in modules:
        (folder / module).write_text(source(module), encoding="utf-8")


if __name__ == "__main__":
    started = time.time()
    status = build()
    if not status:
        print(f"{SITE.relative_to(ROOT)}/index.html is the site, built in {time.time() - started:.0f} s")
    sys.exit(status)
