"""For the author of an exercise: every message that it can give, without a kernel; a file to start a new one from.

``python course.py say ID`` and ``python course.py new exercise CHAPTER ID`` run this module.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.answers import judge_answer
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.engine import message, solution_source, untouched
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.registry import Entry
from course_lib.classroom.exercises.spec import Answer, Exercise
from course_lib.classroom.exercises.verdict import Verdict
from course_lib.classroom.streams import say

USAGE = "expected: say ID, or new exercise CHAPTER ID, as in: new exercise 02 attention.name"
TEMPLATE = '''\
"""The learner writes {name}: say in one sentence what it computes."""

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def {name}(x):  # the library's own takes this one's place
    """Return twice x."""
    return 2 * x


ENTRY = Exercise(
    id="{id}",
    reference={name},
    probes=lambda: [Probe((random(3, seed=1),)), Probe((random(1, 4, seed=2),)), Probe((random(2, 3, 5, seed=3),))],
    checked="three shapes, a batch of one among them, and the gradients.",
    mistakes=(
        Mistake(
            "squared",
            {{"2 * x": "x**2"}},
            "x is squared",
            "what is twice −3?",
        ),
    ),
    hints=(
        "The symptom: what would a wrong answer show?",
        "The idea.",
    ),
    why="A paragraph for who has solved it: why it is so, and what it is good for.",
)
'''
STEPS = """\
{path} is there. Next:
1. In notebooks/source/{chapter}.py, a cell with the tag nbval-ignore-output holds the stub:
       @exercise("{id}")
       def {name}(x):
           \"\"\"Return twice x.\"\"\"
           ...
2. In the new file: the library's own function as reference, probes, known mistakes, hints, why.
3. In tests/chapters/test_exercises_ch{number}.py: two writings of each known mistake, two right answers.
4. `python course.py say {id}` shows every message; `make check` runs the tests."""


def main(arguments: list[str]) -> int:
    """Carry out ``say ID`` or ``new exercise CHAPTER ID``; return the exit status, 1 where it cannot be done."""
    try:
        match arguments:
            case ["say", id]:
                return say_all(id)
            case ["new", "exercise", chapter, id]:
                say(new_exercise(chapter, id))
                return 0
        raise ValueError(USAGE)
    except (LookupError, ValueError, OSError) as error:
        print(error.args[0] if isinstance(error, LookupError) else error, file=sys.stderr)
        return 1


def say_all(id: str) -> int:
    """Print every message of an exercise; return 1 if a known mistake is met with another message than its own."""
    entry, misnamed = REGISTRY.find(id), []
    for title, key, verdict in verdicts(entry):
        say(f"--- {title}\n" + "\n".join(message(entry, verdict)) + "\n")
        if key != verdict.key:
            misnamed.append(f"{title}: expected the message {key}, got {verdict.key}")
    for number, text in enumerate(entry.hints, 1):
        say(f"--- hint {number} of {len(entry.hints)}\n{text}\n")
    answer = f"{entry.right} {entry.unit}".strip() if isinstance(entry, Answer) else solution_source(entry)
    say(f"--- solution\n{answer}\n\n{textwrap.fill(entry.why, 100)}")
    for line in misnamed:
        say(f"! {line}")
    return 1 if misnamed else 0


def verdicts(entry: Entry) -> Iterator[tuple[str, str, Verdict]]:
    """Yield title, key that is due, and verdict: untouched, right, and each mistake, really checked."""
    if isinstance(entry, Exercise):
        yield "untouched", "untouched", untouched()
        yield "right", "right", check(entry.reference, entry)
        for mistake in entry.mistakes:
            yield f"known mistake {mistake.key}", mistake.key, check(function_of(mistake, entry), entry)
        return
    yield "untouched", "untouched", judge_answer(entry, ...)
    yield "right", "right", judge_answer(entry, entry.right)
    for value in entry.wrong:
        yield f"answer {value}", str(value), judge_answer(entry, value)


def new_exercise(chapter: str, id: str) -> str:
    """Write the file of a new exercise and return the next steps; chapter: '02' or '02_attention'.

    LookupError for a chapter that there is not; ValueError for an id that is taken or of another form than the
    chapter's others; FileExistsError where the file is there already.
    """
    name = _chapter(chapter)
    known = [each for entries in REGISTRY.chapters.values() for each in entries]
    subject = next((each.split(".")[0] for each in REGISTRY.chapters[name]), "[a-z][a-z_0-9]*")
    if not re.fullmatch(rf"{subject}\.[a-z][a-z_0-9]*", id):
        shape = "subject" if "[" in subject else subject
        raise ValueError(f"ID: expected {shape}.name in small letters, as {known[0]!r}, got {id!r}")
    path = Path(__file__).parent / f"ch{name}" / "exercises" / f"{id.split('.')[1]}.py"
    if id in known or path.exists():
        raise FileExistsError(f"ID: expected a new one, got {id!r}, which is there already")
    words = {"name": path.stem, "id": id, "chapter": name, "number": name.split("_")[0]}
    with open(path, "x", encoding="utf-8") as file:
        file.write(TEMPLATE.format(**words))
    return STEPS.format(**words, path=path)


def _chapter(named: str) -> str:
    found = [name for name in REGISTRY.chapters if named in (name, name.split("_")[0])]
    if not found:
        raise LookupError(f"CHAPTER: expected one of {', '.join(REGISTRY.chapters)}, got {named!r}")
    return found[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
