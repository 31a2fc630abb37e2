"""The wings of the library: which may import which, read from the syntax trees, dynamic imports included."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "course_lib"
# wing → the wings that it may import beside itself; `paths` and jaxtyping's letters are everybody's
TABLE = {
    "paths": (),
    "training": ("paths",),
    "information": (),
    "datasets": ("paths",),
    "attention": ("training",),
    "vae": ("information", "training"),
    "gan": ("information", "training"),
    "diffusion": ("attention", "information", "vae", "training"),
    "evaluation": ("information", "attention", "training"),
    "chat": ("attention", "datasets", "information", "training"),
    "pretrained": (
        "attention",
        "vae",
        "gan",
        "diffusion",
        "evaluation",
        "chat",
        "datasets",
        "information",
        "training",
        "paths",
    ),
    "classroom": ("training", "paths"),
}
TABLE["train"] = tuple(name for name in TABLE if name != "classroom")
TABLE["chapters"] = tuple(TABLE)
REFERENCE = (
    "attention",
    "vae",
    "gan",
    "diffusion",
    "chat",
    "information",
    "evaluation",
    "datasets",
    "training",
    "pretrained",
    "paths",
)


def wing(module):
    """'vae' of 'course_lib.vae.bounds'; '' of the package itself."""
    return module.split(".")[1] if "." in module else ""


def imported(source, package):
    """The modules of the library that a source names: in import statements, relative ones, and in calls with a name.

    A call of ``import_module`` or ``__import__`` whose argument cannot be read counts as '?'.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from course_lib import vae` names a wing, `from course_lib.vae import bounds` a module or a name in it
            found += [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__", "run_module"):
                first = node.args[0] if node.args else None
                found.append(first.value if isinstance(first, ast.Constant) else "?")
    return [m for m in found if m == "?" or m.split(".")[0] == "course_lib"]


def forbidden(path, source):
    """The imports of a file that the table does not allow."""
    relative = path.relative_to(LIBRARY)
    own = relative.parts[0].removesuffix(".py")
    package = ".".join(["course_lib", *relative.parts[:-1]])
    bad = []
    for module in imported(source, package):
        if module == "?":
            if relative.as_posix() != "chapters/exercises.py":  # which finds the chapters' files
                bad.append(module)
        elif wing(module) not in (own, *TABLE[own]):
            bad.append(module)
    return bad


FILES = [path for path in sorted(LIBRARY.rglob("*.py")) if path.parent != LIBRARY or path.stem != "__init__"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_a_file_imports_what_its_wing_may(path):
    assert forbidden(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from course_lib import chapters",
        "import course_lib.chapters.exercises",
        "from course_lib.chapters.ch02_attention import figures",
        "from course_lib.classroom.figures import show",
        "from .. import classroom",
        "from ..chapters import exercises",
        "import importlib; importlib.import_module('course_lib.chapters.exercises')",
        "import importlib\nname = 'x'\nimportlib.import_module(name)",
        "__import__('course_lib.classroom')",
    ],
)
def test_an_arrow_that_the_table_does_not_allow_is_found(line):
    assert forbidden(LIBRARY / "vae" / "models.py", line)


def test_the_table_has_no_circle():
    seen = []
    for name, below in TABLE.items():
        assert set(below) <= set(seen), name
        seen.append(name)


def test_every_wing_stands_in_the_table_and_nothing_else_at_the_root():
    assert {p.name for p in LIBRARY.iterdir() if p.is_dir() and p.name != "__pycache__"} <= set(TABLE)
    assert {p.name for p in LIBRARY.glob("*.py")} <= {"__init__.py", "paths.py"}


def test_only_notebooks_benchmarks_and_tests_import_chapters():
    others = [ROOT / "course.py", *ROOT.glob("data/*.py"), ROOT / "notebooks" / "build.py"]
    for path in others:
        assert not [m for m in imported(path.read_text(encoding="utf-8"), "") if wing(m) == "chapters"], path


def lines(path):
    """Lines that are neither blank nor a comment."""
    return [x for x in path.read_text(encoding="utf-8").splitlines() if x.strip() and not x.strip().startswith("#")]


def test_the_reference_library_can_be_read_in_a_day():
    total = sum(
        len(lines(path)) for path in FILES if path.relative_to(LIBRARY).parts[0].removesuffix(".py") in REFERENCE
    )
    assert total <= 10_690


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_files_and_functions_keep_their_sizes(path):
    assert len(lines(path)) <= 350
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            first = node.body[1 if documented else 0].lineno
            assert node.end_lineno - first + 1 <= 45, node.name
