"""Mutants of every exercise's reference through the engine: what is accepted must do what the reference does.

``python tests/fuzz_exercises.py`` tries 200 mutants an exercise, evenly chosen, and prints a line for each exercise;
``--count`` another number, ``--all`` all of them; ids of exercises choose these alone. Under pytest: marker ``fuzz``.
"""

import argparse
import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field

import pytest
import torch
from mutants import change, made, mutants
from variations import variations

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.calls import call
from course_lib.classroom.exercises.check import check, expect
from course_lib.classroom.exercises.compare import difference
from course_lib.classroom.exercises.guard import undisturbed
from course_lib.classroom.exercises.spec import Exercise

COUNT, INPUTS, TOLERANCE = 200, 200, 1e-6
IN_TESTS = 25  # mutants an exercise in `make test-all`; `make checks` tries COUNT, `make fuzz` all
PATIENCE = 2.0  # seconds for a mutant, beside twenty times what the reference takes
EXERCISES = [e for entries in REGISTRY.chapters.values() for e in entries.values() if isinstance(e, Exercise)]


@dataclass
class Report:
    """What became of an exercise's mutants; holes: (what was changed, how it differs) of those wrongly accepted."""

    id: str
    tried: int = 0
    killed: int = 0
    equivalent: list[str] = field(default_factory=list)
    holes: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self):
        counts = f"tried {self.tried:4d}  killed {self.killed:4d}  equivalent {len(self.equivalent):3d}"
        lines = [f"{self.id:36} {counts}  accepted {len(self.holes):3d}  {self.seconds:5.1f} s"]
        return "\n".join(lines + [f"    {what}\n        {how}" for what, how in self.holes])


@contextlib.contextmanager
def limited(seconds):
    """Interrupt the block after some seconds, as a learner would."""

    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fuzz(exercise, count=COUNT):
    """Check mutants of one exercise's reference, all for count None."""
    start = time.perf_counter()
    report, expected = Report(exercise.id), expect(exercise)
    check(exercise.reference, exercise, expected)
    limit = PATIENCE + 20 * (time.perf_counter() - start)
    with undisturbed():
        inputs = variations(exercise, INPUTS)
    gradients_matter = exercise.gradients or exercise.trial is not None
    for source in chosen(list(mutants(exercise.reference, gradients_matter)), count):
        report.tried += 1
        if not accepted(exercise, expected, source, limit):
            report.killed += 1
        elif how := differs(exercise, source, inputs, limit):
            report.holes.append((change(exercise.reference, source), how))
        else:
            report.equivalent.append(change(exercise.reference, source))
    report.seconds = time.perf_counter() - start
    return report


def chosen(all_of_them, count):
    """Count of them, evenly spread."""
    if count is None or count >= len(all_of_them):
        return all_of_them
    return [all_of_them[i * len(all_of_them) // count] for i in range(count)]


def accepted(exercise, expected, source, limit):
    """Whether the engine takes a mutant for right."""
    try:
        with limited(limit):
            return check(made(exercise.reference, source), exercise, expected).state == "right"
    except KeyboardInterrupt:
        return False


def differs(exercise, source, inputs, limit):
    """How a mutant differs from the reference on some valid input, '' if it does on none."""
    function = made(exercise.reference, source)
    with undisturbed():
        for probe, want in inputs:
            try:
                with limited(limit):
                    got = call(function, exercise, probe)
            except KeyboardInterrupt:
                return f"does not come back for {probe.args}"
            if how := gap(exercise, want, got):
                return f"{how}; called with {' '.join(repr(probe.args).split())[:300]}"
    return ""


def gap(exercise, want, got):
    """How one call's outcome differs by more than the tolerance, in the values or in a gradient; '' if it does not."""
    if got.error is not None:
        return f"raises {type(got.error).__name__}: {str(got.error)[:80]}"
    found = difference(want.value, got.value, TOLERANCE, TOLERANCE, exercise.outputs)
    if found:
        return found.says
    for name, there in want.gradients.items():
        here = got.gradients.get(name)
        if there is None and here is None:
            continue
        pair = [torch.zeros_like(there if here is None else here) if g is None else g for g in (there, here)]
        if found := difference(*pair, TOLERANCE, TOLERANCE):
            return f"gradient for {name}: {found.says}"
    return ""


@pytest.mark.fuzz
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_no_mutant_that_differs_is_accepted(exercise):
    report = fuzz(exercise, IN_TESTS)
    print(report)
    assert not report.holes, str(report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ids", nargs="*", help="exercises; all of them if none is named")
    parser.add_argument("--count", type=int, default=COUNT, help="mutants an exercise")
    parser.add_argument("--all", action="store_true", help="all mutants")
    parser.add_argument("--show", action="store_true", help="what the equivalent ones change, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    reports = []
    for exercise in [REGISTRY.find(id) for id in arguments.ids] or EXERCISES:
        reports.append(fuzz(exercise, None if arguments.all else arguments.count))
        print(reports[-1], flush=True)
        if arguments.show:
            print("\n".join(f"    = {what}" for what in reports[-1].equivalent), flush=True)
    tried, killed, holes = (
        sum(r.tried for r in reports),
        sum(r.killed for r in reports),
        sum(len(r.holes) for r in reports),
    )
    print(f"{tried} mutants: {killed} killed, {tried - killed - holes} equivalent, {holes} accepted though they differ")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
