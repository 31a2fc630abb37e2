"""Set-up and commands of the course; standard library only. `python course.py help` lists them.

Every command sets up what it needs first: a virtual environment in .venv, with the PyTorch that suits this
machine. An active environment in which the course is installed (conda, Binder) is used as it is.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".course-setup"
LOG = ROOT / ".setup.log"
WORK = ROOT / "work"
WINDOWS = os.name == "nt"
OLDEST, NEWEST = (3, 11), (3, 14)
TORCH = "torch>=2.11,<3"
SET_UP = ".[lab,check]"  # the library, JupyterLab, and what checks the course
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
EXTRAS = {  # what a command needs beside the course: a module that shows it is there, and its size
    "site": ("myst_nb", "about 30 MB to download"),
    "browser": ("playwright", "about 50 MB to download"),
}
PACKAGES = (  # what the cells of the chapters import, directly or not
    *("course_lib", "torch", "numpy", "scipy", "matplotlib", "PIL", "IPython", "ipywidgets", "anywidget"),
    *("jaxtyping", "safetensors", "pooch", "requests", "tqdm"),
)
HELP = """\
make lab          open the course in JupyterLab        (PORT=8889 chooses the port)
make check        lint, types, pairing, unit tests: the maintainer's fast loop
make test         what check does, and every notebook under nbval   (NB=02 for one chapter's notebook alone)
make test-all     what test does, and the slow rest: exercises done, a stand-in accelerator, mutants, processes
                  (NB=02 for one chapter's runs; AFTER=test leaves out what `make test` has just done)
make fuzz         all mutants of the exercises, not only 50 of each
make test-browser every chapter in JupyterLab, on AVX2, explorers and the site, in Chromium   (after `make site`)
make notebooks    re-execute the sources that changed, store the outputs   (NB=02 for one)
make site         the executed course as pages, in build/site
make solved       the notebooks with every exercise done, in solved/       (NB=02 for one)
make mark FILES=  run a class's notebooks and write a table: who, exercise, state, which mistake
make checks       the table of what each exercise's check was tried with, in docs/checks.md
make reset NB=02  a fresh copy of a chapter; yours is kept as a backup beside it
make clean        remove the environment and caches; never work/ nor your progress

python course.py say ID                   every message that an exercise can give
python course.py new exercise CHAPTER ID  a file to start a new exercise from, and the next steps
python course.py mark class/*.ipynb       what `make mark FILES="class/*.ipynb"` does

Without make, on Windows for one: `py course.py lab`, `py course.py test NB=02`, and so on."""


class Problem(Exception):
    """Something the reader can mend; its text says how."""


def main(arguments: list[str]) -> int:
    """Run the command that arguments name; return the exit status."""
    author = arguments[:1] in (["say"], ["new"])
    if arguments[:1] == ["mark"]:
        arguments = ["mark", "FILES=" + shlex.join(files_named(arguments[1:]))]
    command, settings = ("author", {}) if author else parse(arguments)
    try:
        if author:
            return subprocess.call([set_up(), "-m", "course_lib.chapters.author", *arguments], cwd=ROOT)
        if command == "help":
            print(HELP)
            return 0
        if command == "clean":
            return clean()
        if command == "reset":
            return reset(settings.get("NB", ""))
        require_sense(command, settings)
        return COMMANDS[command](set_up(), settings)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


def parse(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """Split ['test', 'NB=02'] into the command and its settings; exit with the help for anything else."""
    commands = (*COMMANDS, "reset", "clean", "help")
    words = ["help" if a in ("-h", "--help") else a for a in arguments if "=" not in a] or ["help"]
    settings = dict(a.split("=", 1) for a in arguments if "=" in a)
    wrong = [w for w in words if w not in commands]
    wrong += [s for s in settings if s not in ("NB", "PORT", "AFTER", "FILES")]
    if wrong or len(words) > 1:
        sys.exit(f"course.py: cannot follow {' '.join(wrong or words)!r}\n\n{HELP}")
    return words[0], settings


def files_named(words: list[str]) -> list[str]:
    """Return the files, folders and patterns that `mark` is given, from where the reader stands.

    Each a word, or all in one FILES=, as make passes them on.
    """
    found: list[str] = []
    for word in words:
        if word.startswith("FILES="):
            lexer = shlex.shlex(word.removeprefix("FILES="), posix=True)
            lexer.whitespace_split, lexer.commenters = True, ""
            lexer.escape = "" if WINDOWS else "\\"  # a path there is full of them
            found += lexer
        else:
            found.append(word)
    return [os.path.abspath(name) for name in found]


def require_sense(command: str, settings: dict[str, str]) -> None:
    """Raise Problem for a setting that cannot be followed, before a set-up of minutes."""
    if "PORT" in settings:
        port_number(settings["PORT"])
    if "NB" in settings and command != "notebooks":  # which makes the notebook of a new source
        chapters(settings["NB"])
    if command == "mark" and not settings["FILES"]:
        raise Problem('FILES: say which notebooks, as in `make mark FILES="class/*.ipynb"`')
    if settings.get("AFTER", "test") != "test":
        raise Problem(f"AFTER: expected test, got {settings['AFTER']!r}")


# --- set-up ----------------------------------------------------------------------------------------------------


def set_up() -> str:
    """Return the Python of an environment that has everything, made or completed on the way if need be."""
    if active_environment_has_the_course():
        return sys.executable
    if is_current():
        return str(venv_python())
    with one_at_a_time():
        if not is_current():
            build()
    return str(venv_python())


def active_environment_has_the_course() -> bool:
    """Whether the Python that runs this file has the course and a suitable PyTorch, outside our own .venv."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return False
    for found in importlib.metadata.distributions(name="course-lib"):
        if is_editable_copy(found.read_text("direct_url.json") or ""):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                for requirement in filter(part_of_set_up, found.requires or []):
                    importlib.metadata.version(re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0])
                return active_torch_suits()
    return False


def part_of_set_up(requirement: str) -> bool:
    """Whether a line of the package's metadata names what every set-up has, not what one command brings later."""
    extra = re.search(r"""extra == ['"](\w+)""", requirement)
    return extra is None or extra[1] not in EXTRAS


def is_editable_copy(direct_url: str) -> bool:
    """Whether pip's note of where a package comes from says that it reads this very folder, as ``-e .`` makes it."""
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError):
        noted = json.loads(direct_url)
        place = urllib.parse.urlsplit(noted["url"])
        same = Path(urllib.request.url2pathname(place.path)).resolve() == ROOT
        return same and place.scheme == "file" and noted["dir_info"]["editable"] is True
    return False


def active_torch_suits() -> bool:
    """Whether the Python that runs this file has a PyTorch in the range that the course is tested with."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):
        major, minor = importlib.metadata.version("torch").split(".")[:2]
        return (2, 11) <= (int(major), int(minor)) < (3, 0)
    return False


def wanted() -> str:
    """Return what a current set-up was made from, as a hash."""
    content = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(content + str(ROOT).encode()).hexdigest()


def is_current() -> bool:
    """Whether .venv was completed from the present files; reads two files and starts nothing."""
    try:
        return venv_python().exists() and STAMP.read_text() == wanted()
    except OSError:
        return False


def venv_python() -> Path:
    """Return the path of the environment's Python."""
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


@contextlib.contextmanager
def one_at_a_time():
    """Hold a lock that the system releases when this process ends, however it ends."""
    with writing():
        (ROOT / ".setup.lock").touch()
    with open(ROOT / ".setup.lock", "a+") as lock:
        waited = False
        while not try_lock(lock):
            if not waited:
                print("Another set-up of this course is running; waiting for it …", flush=True)
            waited = True
            time.sleep(0.5)
        yield


def try_lock(lock) -> bool:
    """Take the lock if nobody holds it."""
    try:
        if WINDOWS:
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def build() -> None:
    """Make .venv and install everything into it; what an interrupted set-up left is completed."""
    require_suitable_python()
    borrow = active_torch_suits()
    nvidia = has_nvidia()
    gigabytes = 1.0 if borrow else 8.0 if nvidia else 2.0
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < gigabytes and not VENV.exists():
        raise Problem(f"The set-up needs about {gigabytes:.0f} GB of disk; {ROOT} has {free:.1f} GB free.")
    print(f"Setting up the course in {VENV} (once; details in {LOG.name})")
    LOG.write_text("")
    make_venv()
    if borrow:
        borrow_packages()
        print(f"  PyTorch {importlib.metadata.version('torch')} of the active environment is used and left alone")
    elif not has_torch():
        install_torch(nvidia)
    pip("JupyterLab and the rest (about 150 MB to download)", "-c", "constraints.txt", "-e", SET_UP)
    STAMP.write_text(wanted())


def require_suitable_python() -> None:
    """Raise Problem for a Python outside the supported range, naming a suitable one if the machine has it."""
    here = sys.version_info[:2]
    if OLDEST <= here <= NEWEST:
        return
    span = f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    is_too = "too old" if here < OLDEST else "too new"
    text = f"This is Python {here[0]}.{here[1]} ({sys.executable}), which is {is_too}: the course needs {span}."
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = f"python3.{minor}"
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            raise Problem(f"{text}\n{name} is on this machine: `make lab PYTHON={name}` or `{name} course.py lab`.")
    raise Problem(f"{text}\nInstall one from https://www.python.org/downloads/ or by your system's package manager.")


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA GPU with its driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def make_venv() -> None:
    """Make .venv, or make it anew where its Python does not start."""
    python = venv_python()
    if python.exists() and run_quietly([str(python), "-m", "pip", "--version"]) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if run_quietly([sys.executable, "-m", "venv", str(VENV)]) != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        explain_failure("the virtual environment")


def borrow_packages() -> None:
    """Let .venv see the packages of the active environment, which stays as it is."""
    import sysconfig

    paths = dict.fromkeys(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
    folder = VENV / "Lib" if WINDOWS else VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "site-packages" / "zz_active_environment.pth").write_text("\n".join(paths) + "\n")


def has_torch() -> bool:
    """Whether an interrupted set-up already brought a suitable PyTorch."""
    code = "import course, sys; sys.exit(not course.active_torch_suits())"
    return subprocess.run([str(venv_python()), "-c", code], capture_output=True, cwd=ROOT).returncode == 0


def install_torch(nvidia: bool) -> None:
    """Install the PyTorch that suits this machine: pip's own links, else the CPU build where Linux has no GPU."""
    offered = torch_of_own_links()
    if offered:
        pip(f"PyTorch {offered} (from the links that pip is configured with)", f"torch=={offered}")
    elif sys.platform == "linux" and not nvidia:
        pip("PyTorch for the CPU (about 200 MB to download)", TORCH, "--index-url", CPU_INDEX)
    elif sys.platform == "linux":
        pip("PyTorch for the NVIDIA GPU (about 3 GB to download)", TORCH)
    else:
        pip("PyTorch (about 150 MB to download)", TORCH)


def torch_of_own_links() -> str:
    """Return the version of a suitable PyTorch among the links of pip's configuration (find-links), or ''."""
    command = [str(venv_python()), "-m", "pip", "install", "--no-index", "--no-deps", "--dry-run", "--quiet"]
    found = subprocess.run([*command, "--report", "-", TORCH], capture_output=True, text=True, cwd=ROOT)
    try:
        return json.loads(found.stdout)["install"][0]["metadata"]["version"]
    except (ValueError, LookupError):
        return ""


def pip(what: str, *arguments: str) -> None:
    """Install something with pip, saying what and for how long."""
    status, started = 1, time.time()
    print(f"  installing {what} …", end="", flush=True)
    try:
        status = run_quietly([str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", *arguments])
    finally:
        print(f" {'done' if status == 0 else 'not finished'} ({time.time() - started:.0f} s)", flush=True)
    if status:
        explain_failure(what)


def run_quietly(command: list[str]) -> int:
    """Run a command with its output in the log; return its status."""
    with LOG.open("a") as log:
        return subprocess.call(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT)


def explain_failure(what: str) -> None:
    """Raise Problem with the likely reason, read from the log, and what to do about it."""
    log = LOG.read_text(errors="replace")
    again = "Then run the same command again: it goes on where it stopped."
    if re.search(r"No space left|Errno 28|Disk quota", log):
        raise Problem(f"The disk is full: {what} did not fit. Free some space on {ROOT}. {again}")
    if re.search(r"ensurepip|No module named venv", log):
        need = "This Python cannot make virtual environments. On Debian and Ubuntu: `sudo apt install python3-venv`."
        raise Problem(f"{need} {again}")
    offline = (
        r"name resolution|NewConnectionError|ConnectTimeout|Network is unreachable|getaddrinfo|from versions: none"
    )
    if re.search(offline, log):
        raise Problem(
            f"{what} could not be downloaded: the package index did not answer. "
            "The network is needed by a set-up alone: the first, and the one after the course was moved or updated. "
            f"{again}"
        )
    tail = "\n".join(f"    {line}" for line in log.splitlines()[-12:])
    raise Problem(f"Setting up {what} failed. The end of {LOG.name}:\n{tail}\n{again}")


def with_extra(python: str, extra: str) -> None:
    """Install what one command needs beside the course, the first time that it is called."""
    module, size = EXTRAS[extra]
    found = subprocess.run([python, "-c", f"import {module}"], capture_output=True, cwd=ROOT)
    if found.returncode == 0:
        return
    if Path(python) != venv_python():
        raise Problem(f"This environment lacks {module}: `python -m pip install -c constraints.txt -e '.[{extra}]'`")
    with one_at_a_time():
        LOG.touch()
        pip(f"what {extra} needs ({size})", "-c", "constraints.txt", "-e", f".[{extra}]")


# --- lab -------------------------------------------------------------------------------------------------------


def lab(python: str, settings: dict[str, str]) -> int:
    """Bring the learner's copy up to date and open JupyterLab on its first page."""
    for line in [*copy_for_learner(), *hiding()]:
        print(line)
    port = free_port(settings.get("PORT", ""))
    token = secrets.token_hex(16)
    page = f"lab/tree/work/{next(iter(chapters())).name}"
    address = f"http://127.0.0.1:{port}/{page}?token={token}"
    environment = {**os.environ, **a_home(), "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter")}
    # not `-m jupyter lab`, which starts a script that knows the folder in which the course was set up
    server = [python, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    server += ["--ServerApp.log_level=WARN"]  # the address below is all that a learner needs to read
    # the values that hold anyway, said so that nothing is warned of
    server += [f"--ServerApp.websocket_ping_{name}=30" for name in ("interval", "timeout")]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        server.append("--allow-root")
    process = subprocess.Popen(
        [*server, "--ServerApp.port_retries=0", f"--ServerApp.root_dir={ROOT}"], cwd=ROOT, env=environment
    )
    threading.Thread(target=open_when_ready, args=(address, port, process), daemon=True).start()
    while True:  # Ctrl-C reaches JupyterLab too, which asks whether to stop; it decides
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def a_home() -> dict[str, str]:
    """Return what gives Jupyter a home in the course's folder where the user has none that can be written."""
    if os.access(os.path.expanduser("~"), os.W_OK):
        return {}
    place = ROOT / ".course" / "home"
    with writing():
        place.mkdir(parents=True, exist_ok=True)
    return {"USERPROFILE" if WINDOWS else "HOME": str(place)}


def hiding() -> list[str]:
    """Name what lies in work/ under a package's name: a notebook beside it would import that in its place."""
    found = [path for path in sorted(WORK.iterdir()) if path.suffix == ".py" or (path / "__init__.py").exists()]
    return [
        f"work/{path.name} hides the package {path.stem} from the notebooks beside it; give it another name."
        for path in found
        if path.stem in PACKAGES
    ]


def open_when_ready(address: str, port: int, process: subprocess.Popen) -> None:
    """Wait until the server listens, then open the browser, or print the address where there is none."""
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.2)
    else:
        return
    print(f"\n    The course is open at {address}\n    Ctrl-C here ends it.\n", flush=True)
    with contextlib.suppress(webbrowser.Error):
        webbrowser.get()
        webbrowser.open(address)


def free_port(asked: str) -> int:
    """Return the port asked for, or the first free one from 8888 on."""
    for port in [port_number(asked)] if asked else range(8888, 8988):
        with socket.socket() as probe:
            if not WINDOWS:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that just ended is no obstacle
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise Problem(f"Port {asked or '8888 to 8987'} is taken; `make lab PORT=…` chooses another.")


def port_number(asked: str) -> int:
    """Return the port that a text asks for; Problem if it is none."""
    if asked.isdecimal() and 0 < int(asked) < 65536:
        return int(asked)
    raise Problem(f"PORT: expected a number from 1 to 65535, got {asked!r}")


def chapters(number: str = "") -> list[Path]:
    """Return the notebooks in order, or those of one chapter; Problem if it has none."""
    every = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
    found = [path for path in every if number in ("", path.name.split("_")[0])]
    if not found:
        known = ", ".join(path.name.split("_")[0] for path in every)
        raise Problem(f"NB: expected the number of a chapter ({known}), got {number!r}")
    return found


@contextlib.contextmanager
def writing():
    """Turn what goes wrong in writing to the course's folder into a Problem."""
    try:
        yield
    except OSError as error:
        name = Path(error.filename or ROOT).name
        reason = f"{name}: {error.strerror or error}"
        text = f"Nothing can be written to {ROOT} ({reason}); copy the course to a folder of your own."
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text = f"The disk is full ({error.strerror}). Free some space on {ROOT}; what was there is as it was."
        elif isinstance(error, (FileExistsError, NotADirectoryError)):
            text = f"{ROOT / name} is a file where the course needs a folder ({reason}); give it another name."
        raise Problem(text) from None


def lesson(path: Path) -> str:
    """Return a hash of what a notebook teaches: its cells without their outputs."""
    cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def copy_for_learner() -> list[str]:
    """Copy chapters that work/ does not have; put changed ones beside the learner's. Overwrites nothing."""
    with writing():
        return _copy_for_learner()


def _copy_for_learner() -> list[str]:
    WORK.mkdir(exist_ok=True)
    manifest = WORK / ".copied.json"
    copied = {}
    with contextlib.suppress(OSError, ValueError):
        copied = dict(json.loads(manifest.read_text()))
    said = []
    for chapter in chapters():
        target, now = WORK / chapter.name, lesson(chapter)
        if not target.exists():
            place(chapter, target)
        elif copied.get(chapter.name) != now and not same_lesson(target, now):
            beside = unused(WORK, f"{chapter.stem}.new")
            place(chapter, beside)
            said.append(f"{chapter.name} has changed: the new one is work/{beside.name}, yours stays as it is.")
        copied[chapter.name] = now
    beside = manifest.with_suffix(".part")
    beside.write_text(json.dumps(copied, indent=1))
    beside.replace(manifest)
    return said


def same_lesson(path: Path, now: str) -> bool:
    """Whether the learner's notebook teaches the present lesson; one that cannot be read does not."""
    try:
        return lesson(path) == now
    except (OSError, ValueError, LookupError, TypeError):
        return False


def unused(folder: Path, stem: str) -> Path:
    """Return the first of stem.ipynb, stem-2.ipynb, … that does not exist."""
    names = [f"{stem}.ipynb", *(f"{stem}-{i}.ipynb" for i in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


def place(chapter: Path, target: Path) -> None:
    """Copy a notebook in one step, so that an interrupted copy leaves no half of one.

    The first picture stays; what later cells print is cleared, or it would answer the text's questions.
    """
    notebook = json.loads(chapter.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    opening = next((cell for cell in code if cell["outputs"]), None)
    for cell in code:
        if cell is not opening:
            cell["outputs"], cell["execution_count"] = [], None
    beside = target.with_suffix(".part")
    beside.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    beside.replace(target)


def reset(number: str) -> int:
    """Put a fresh copy of a chapter into work/ and keep the learner's beside it."""
    if not number:
        raise Problem("NB: say which chapter, as in `make reset NB=02`")
    for chapter in chapters(number):
        target = WORK / chapter.name
        if target.exists():
            backup = unused(WORK, f"{chapter.stem}.backup")
            with writing():
                target.replace(backup)
            print(f"yours is kept as work/{backup.name}")
    copy_for_learner()
    for chapter in chapters(number):
        print(f"work/{chapter.name} is fresh")
    return 0


# --- the maintainer's commands ---------------------------------------------------------------------------------


# Read by each kernel of a test before its first cell; warnings of Jupyter itself stay what they are.
WARNINGS_ARE_ERRORS = """\
import warnings
warnings.filterwarnings("error", module=r"(__main__|course_lib|matplotlib|numpy|torch)(\\.|$)")
"""


def a_temporary_folder():
    """Make a folder that is removed with its context; Problem where there is no place for one."""
    try:
        return tempfile.TemporaryDirectory(prefix="course-")
    except OSError as error:
        text = f"A folder for temporary files is needed ({error.strerror or error}); TMPDIR can name another place."
        raise Problem(text) from None


@contextlib.contextmanager
def test_environment():
    """Yield an environment in which tests touch nothing of a learner's: quick, on the CPU, homes of their own.

    Everything runs two at a time, so each process gets one thread: two that wait for each other's cores take twice
    as long as one. In a notebook's kernel a warning of a cell or of what it calls is an error.
    """
    with a_temporary_folder() as folder:
        startup = Path(folder, "ipython", "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "warnings_are_errors.py").write_text(WARNINGS_ARE_ERRORS)
        ours = {
            "COURSE_BUDGET": "quick",
            "COURSE_DEVICE": "cpu",
            "COURSE_HOME": folder,
            "IPYTHONDIR": f"{folder}/ipython",
            "OMP_NUM_THREADS": "1",
        }
        yield {**os.environ, **ours, "PYTHONHASHSEED": "0"}


def in_turn(python: str, *steps: tuple[str, list[str]]) -> int:
    """Run python with each step's arguments until one fails; say how long each took."""
    with test_environment() as environment:
        for name, arguments in steps:
            print(f"--- {name}", flush=True)
            started = time.time()
            status = subprocess.call([python, *arguments], cwd=ROOT, env=environment)
            print(f"--- {name}: {'failed' if status else 'ok'}, {time.time() - started:.0f} s", flush=True)
            if status:
                return status
    return 0


UNIT = "not accelerator and not fuzz and not processes and not browser"
TWO = ("-m", "pytest", "-n", "2", "--dist", "worksteal")  # at a time; who is done takes over from the other
QUICK = (  # what `make check` does
    ("lint", ["-m", "ruff", "check", "."]),
    ("layout of the code", ["-m", "ruff", "format", "--check", "."]),
    ("types", ["-m", "mypy"]),
    ("notebooks are their sources", ["notebooks/build.py", "--check"]),
    ("unit tests", [*TWO, "-m", UNIT, "tests"]),
)
VALIDATE = "notebooks/validate.py"
AVX2 = ("notebooks on AVX2", [VALIDATE, "--avx2"])
SLOW = (  # what `make test-all` adds to `make test`; `make test-browser` runs all chapters on AVX2
    ("notebooks with all exercises done", [VALIDATE, "--solved"]),  # on PyTorch's oldest kernels, too
    ("stand-in accelerator", [*TWO, "-m", "accelerator", "tests/accelerator"]),
    ("mutants of the exercises", [*TWO, "-m", "fuzz", "tests/fuzz_exercises.py"]),
    ("several processes", ["-m", "pytest", "-m", "processes", "tests"]),
)


def check(python: str, settings: dict[str, str]) -> int:
    """Lint, types, pairing and the unit tests."""
    return in_turn(python, *QUICK)


def test(python: str, settings: dict[str, str]) -> int:
    """What a newcomer runs: what check does, and nbval over every notebook, or over one chapter's alone."""
    number = settings.get("NB")
    return in_turn(python, *(() if number else QUICK), ("notebooks", [VALIDATE, *([number] if number else [])]))


def test_all(python: str, settings: dict[str, str]) -> int:
    """Everything; after `make test` only what that leaves out. Of one chapter: its notebook in all three ways."""
    if number := settings.get("NB"):
        ways = [("notebooks", [VALIDATE]), SLOW[0], AVX2]
        return in_turn(python, *((name, [*arguments, number]) for name, arguments in ways))
    before = () if settings.get("AFTER") else (*QUICK, ("notebooks", [VALIDATE]))
    return in_turn(python, *before, *SLOW)


def fuzz(python: str, settings: dict[str, str]) -> int:
    """All mutants of the exercises' references."""
    return in_turn(python, ("all mutants of the exercises", ["tests/fuzz_exercises.py", "--all"]))


def notebooks(python: str, settings: dict[str, str]) -> int:
    """Re-execute what changed and store the outputs."""
    return in_turn(python, ("notebooks", ["notebooks/build.py", *([settings["NB"]] if settings.get("NB") else [])]))


def test_browser(python: str, settings: dict[str, str]) -> int:
    """JupyterLab, the live explorers and the site in Chromium."""
    with_extra(python, "browser")
    return in_turn(python, ("in the browser", ["-m", "pytest", "-m", "browser", "--durations=10", "tests/browser"]))


def site(python: str, settings: dict[str, str]) -> int:
    """The executed course as static pages."""
    with_extra(python, "site")
    return in_turn(python, ("site", ["docs/build.py"]))


def solved(python: str, settings: dict[str, str]) -> int:
    """The notebooks with the course's own solutions."""
    return in_turn(python, ("solved", ["notebooks/solved.py", *([settings["NB"]] if settings.get("NB") else [])]))


def mark(python: str, settings: dict[str, str]) -> int:
    """Run a class's notebooks, each by itself, and write one table."""
    with test_environment() as environment:
        return subprocess.call(
            [python, "notebooks/mark.py", *shlex.split(settings["FILES"])], cwd=ROOT, env=environment
        )


def checks(python: str, settings: dict[str, str]) -> int:
    """What each exercise's check was tried with, as a table."""
    return in_turn(python, ("table of the checks", ["tests/exercise_table.py"]))


COMMANDS = {
    "lab": lab,
    "check": check,
    "test": test,
    "test-all": test_all,
    "test-browser": test_browser,
    "fuzz": fuzz,
    "notebooks": notebooks,
    "site": site,
    "solved": solved,
    "mark": mark,
    "checks": checks,
}


def clean() -> int:
    """Remove what set-up and tests made; leave work/ and the learner's progress."""
    made = [
        VENV,
        LOG,
        *(
            ROOT / name
            for name in (".setup.lock", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "build")
        ),
    ]
    made += [*ROOT.glob("*.egg-info"), *(p for p in ROOT.rglob("__pycache__") if VENV not in p.parents)]
    for path in made:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    print("Removed the environment and caches. Your notebooks (work/) and your progress (.course/) are untouched.")
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console may lack a sign
    sys.exit(main(sys.argv[1:]))
