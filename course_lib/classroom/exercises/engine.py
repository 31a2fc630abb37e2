"""What a notebook calls: exercise, answer, hint, solution, progress, reset."""

import ast
import html
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from course_lib.classroom.exercises import progress as memory
from course_lib.classroom.exercises.answers import judge_answer
from course_lib.classroom.exercises.cell import body, definition, dots_left, own_functions
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.registry import Registry
from course_lib.classroom.exercises.spec import Answer, Exercise
from course_lib.classroom.exercises.verdict import Verdict
from course_lib.classroom.streams import say
from course_lib.training import runtime

COLOURS = {"right": "#077A60", "untouched": "#0156FC", "unfinished": "#A8550F", "note": "#6E6E6E"}


class WrongAnswerError(Exception):
    """Stops the run with the message alone: no traceback of ours, in the notebook or in nbval's report."""

    def __init__(self, key: str, lines: list[str]) -> None:
        self.key, self.lines = key, lines
        super().__init__("\n".join(lines))

    def _render_traceback_(self) -> list[str]:
        return self.lines


class Exercises:
    """What notebooks call, over the exercises of a registry; remembers in this kernel which hints were given."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self._hints_given = registry, dict[str, int]()

    def exercise(self, id: str) -> Callable[[Any], Any]:
        """Check the function or class below it, and bind its name to it if right, to the course's own if not.

        Untouched or unfinished: says so and goes on. Wrong: raises WrongAnswerError with a message that explains.
        """
        entry = self.registry.find(id)
        if not isinstance(entry, Exercise):
            raise TypeError(f"{id!r} asks for answer({id!r}, …), not for a function")

        def decorate(given: Any) -> Any:
            namespace: dict = next((f.__globals__ for f in own_functions(given)), {})  # of the cell
            if getattr(given, "__name__", None) != entry.name:
                name = getattr(given, "__name__", type(given).__name__)
                lines = [f"the cell defines {name}; the cells that follow call {entry.name}"]
                verdict = Verdict("wrong", "name", lines)
                namespace[entry.name] = entry.reference
            else:
                namespace[entry.name] = given  # what calls itself by name is to find itself
                try:
                    verdict = _unfilled(given, entry) or check(given, entry)
                finally:
                    namespace[entry.name] = entry.reference  # stands if the message below ends the cell
            _tell(entry, verdict)
            return given if verdict.state == "right" else entry.reference

        return decorate

    def answer(self, id: str, value: Any) -> None:
        """Check a prediction or a diagnosis: one of the words the question lists, or a number; ``...`` is open."""
        entry = self.registry.find(id)
        if not isinstance(entry, Answer):
            raise TypeError(f"{id!r} asks for a function: @exercise({id!r}) above it")
        _tell(entry, judge_answer(entry, value))

    def hint(self, id: str) -> None:
        """Show the next hint; the last one points to the solution."""
        entry = self.registry.find(id)
        given = min(self._hints_given.get(id, 0), len(entry.hints))
        self._hints_given[id] = given + 1
        if given == len(entry.hints):
            _show("note", [f"There are no more hints. solution({id!r}) shows the course's own, and why it is so."])
            return
        more = (
            f" hint({id!r}) again says more." if given + 1 < len(entry.hints) else f" Next would be solution({id!r})."
        )
        _show("note", [f"Hint {given + 1} of {len(entry.hints)}: {entry.hints[given]}" + more])

    def solution(self, id: str) -> None:
        """Show the course's own source, or the right answer, with the reason; progress() remembers that it was seen."""
        entry = self.registry.find(id)
        memory.note_seen(id)
        if isinstance(entry, Answer):
            _show("note", [f"{id}: {entry.right}{' ' + entry.unit if entry.unit else ''}", entry.why])
            return
        source = solution_source(entry)
        plain = f"{source}\n\n{textwrap.fill(entry.why, 100)}"
        _display(plain, markdown=f"```python\n{source}\n```\n\n{entry.why}")

    def progress(self, chapter: str = "") -> None:
        """List the exercises of every chapter, or of one: done, done after seeing the solution, wrong, open.

        chapter: its name or number, '02_attention' or '02'; LookupError for one that there is not.
        """
        chosen = {
            name: entries
            for name, entries in self.registry.chapters.items()
            if chapter in ("", name, name.split("_")[0])
        }
        if not chosen:
            raise LookupError(f"chapter: expected one of {', '.join(self.registry.chapters)}, got {chapter!r}")
        remembered = memory.read()
        lines = []
        for name, exercises in chosen.items():
            states = {id: _state(remembered.get(id, {})) for id in exercises}
            done = sum(state.startswith("✓") for state in states.values())
            lines.append(f"{name}: {done} of {len(states)} done")
            lines += [f"  {state:<34}{id}" for id, state in states.items()]
        _show("note", lines, monospace=True)

    def reset(self, id: str) -> None:
        """Set one exercise, or all of a chapter ('02_attention'), back to open. What was written stays in the cells."""
        ids = list(self.registry.chapters[id]) if id in self.registry.chapters else [self.registry.find(id).id]
        memory.forget(ids)
        for each in ids:
            self._hints_given.pop(each, None)
        _show("note", [f"{each} is open again." for each in ids])


def solution_source(entry: Exercise) -> str:
    """Return the reference's source, after the imports that it needs to stand in a notebook."""
    reference = inspect.unwrap(entry.reference)
    source = textwrap.dedent(inspect.getsource(reference)).rstrip()
    scope = vars(sys.modules[reference.__module__])
    names = sorted({node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)} & set(scope))
    imports = [_import_line(name, scope[name], reference.__module__) for name in names if name != reference.__name__]
    return "\n".join(imports) + ("\n\n\n" if imports else "") + source


def _import_line(name: str, value: Any, module: str) -> str:
    if inspect.ismodule(value):
        parent, _, last = value.__name__.rpartition(".")
        if value.__name__ == name:
            return f"import {name}"
        return f"from {parent} import {last}" + (f" as {name}" if last != name else "")
    origin = getattr(value, "__module__", None)
    # what jaxtyping makes says that it lives in a private module; constants say nothing
    home = "jaxtyping" if "jaxtyping" in repr(value) else origin or module
    return f"from {home} import {name}"


def _state(entry: dict) -> str:
    if entry.get("state") == "done":
        return "✓ done after seeing the solution" if entry.get("seen") else "✓ done"
    return "✗ wrong" if entry.get("state") == "wrong" else "◦ open"


def untouched() -> Verdict:
    """Return the verdict on a stub as it was found."""
    return Verdict("untouched", "untouched", ["yours to write, when you like; until then the course's own serves."])


def _unfilled(given: Any, entry: Exercise) -> Verdict | None:
    """Compare syntax trees with the stub: equal is untouched, a ``...`` left to fill in is unfinished."""
    tree = definition(given)
    if tree is None:
        return None  # no source to look at; what it does is checked all the same
    if entry.stub and body(tree) == body(ast.parse(entry.stub).body[0]):
        return untouched()
    if lines := dots_left(tree):
        return Verdict("unfinished", "ellipsis", [f"a `...` is still to be filled in, in line {lines[0]} of the cell."])
    return None


def message(entry: Exercise | Answer, verdict: Verdict) -> list[str]:
    """Return the lines that tell a learner of a verdict."""
    printed = [f"it printed: {verdict.printed}"] if verdict.printed else []
    helps, name = f"hint({entry.id!r}) helps.", entry.name if isinstance(entry, Exercise) else ""
    if verdict.state == "wrong":
        bound = f"Until it is right, {name} is the course's own. {helps}" if name else helps
        return [f"✗ {entry.id}: not yet right", *(f"  {line}" for line in [*verdict.lines, *printed, bound])]
    if verdict.state == "right":
        own = f"The cells that follow use yours. solution({entry.id!r}) shows the course's own, to compare."
        rest = [*verdict.lines, *printed, *([own] if name else [])]
        return [f"✓ {entry.id}: right", *(f"  {line}" for line in rest)]
    mark, word = ("◦", "") if verdict.state == "untouched" else ("◐", "unfinished: ")
    goes_on = " The course's own serves until then." if verdict.state == "unfinished" else ""
    return [f"{mark} {entry.id}: {word}{' '.join(verdict.lines)}{goes_on} {helps}", *printed]


def _tell(entry: Exercise | Answer, verdict: Verdict) -> None:
    """Show the message of a verdict and remember it; wrong ends the cell."""
    lines = message(entry, verdict)
    if verdict.state == "right":
        memory.note(entry.id, "done")
    else:
        said = {"state": verdict.state, "key": verdict.key, "lines": verdict.lines}
        memory.note(entry.id, "wrong" if verdict.state == "wrong" else "", said)
    if verdict.state == "wrong":
        raise WrongAnswerError(verdict.key, lines) from None
    _show(verdict.state, lines)


def _show(kind: str, lines: list[str], monospace: bool = False) -> None:
    """Show lines as a quiet box with a coloured edge; as plain text they read the same."""
    font = "font-family:var(--jp-code-font-family,monospace);white-space:pre-wrap;" if monospace else ""
    rows = "".join(
        f'<div style="margin-left:{1.2 if line.startswith("  ") and not monospace else 0}em">{html.escape(line)}</div>'
        for line in lines
    )
    style = f"border-left:4px solid {COLOURS[kind]};padding:2px 10px;line-height:1.5;{font}"
    _display("\n".join(lines), html=f'<div style="{style}">{rows}</div>')


def _display(plain: str, **rich: str) -> None:
    """Show a rich form where there is a notebook, plain text elsewhere."""
    if runtime.in_notebook():
        from IPython.display import display

        display({"text/plain": plain, **{f"text/{kind}": text for kind, text in rich.items()}}, raw=True)
    else:
        say(plain)
