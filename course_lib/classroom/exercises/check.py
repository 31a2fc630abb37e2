"""Tries a learner's function or class on the probes and decides between unfinished, right and wrong."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, zeros_like

from course_lib.classroom.exercises.calls import Outcome, Style, call, styles
from course_lib.classroom.exercises.compare import Difference, difference, slack
from course_lib.classroom.exercises.guard import undisturbed
from course_lib.classroom.exercises.mistakes import function_of
from course_lib.classroom.exercises.raised import FINAL, raised
from course_lib.classroom.exercises.shown import describe
from course_lib.classroom.exercises.signature import argument_names, misfit, parameters
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.classroom.exercises.verdict import Verdict, wrong

GRADIENT_RTOL, GRADIENT_ATOL = 1e-8, 1e-11
POSITION = Style()


@dataclass(frozen=True)
class Expected:
    """What an exercise's calls should give, and what its known mistakes give; known before a learner's code runs.

    calls: the probes by position in their order, then each in its other styles.
    """

    exercise: Exercise
    calls: list[tuple[int, Style, Outcome]]
    mistaken: list[tuple[Mistake, list[Outcome]]] = field(default_factory=list)


def expect(exercise: Exercise) -> Expected:
    """Call the reference in every style on every probe, and each known mistake by position.

    ValueError where the exercise's data are none of its arguments.
    """
    if not set(exercise.data) <= set(names := argument_names(exercise)):
        raise ValueError(f"data of {exercise.id}: expected names out of {names}, got {exercise.data}")
    with undisturbed():
        calls = [(i, POSITION, outcome) for i, outcome in enumerate(outcomes(exercise.reference, exercise))]
        anew = defaultdict[Style, list[Probe]](exercise.probes)
        for i, probe in enumerate(exercise.probes()):
            for style in styles(exercise, probe):
                outcome = call(exercise.reference, exercise, anew[style][i], style)
                if outcome.error is None:  # a default may not fit this probe
                    calls.append((i, style, outcome))
        mistaken = [(m, outcomes(function_of(m, exercise), exercise)) for m in exercise.mistakes]
    return Expected(exercise, calls, mistaken)


def outcomes(function: Callable, exercise: Exercise) -> list[Outcome]:
    """Call function by position on every probe, made anew."""
    return [call(function, exercise, probe) for probe in exercise.probes()]


def check(given: Callable, exercise: Exercise, expected: Expected | None = None) -> Verdict:
    """Compare given with the reference on every probe, in the order that the design sets.

    expected: of ``expect(exercise)``, for a caller who checks many answers to one exercise.
    """
    if says := misfit(given, exercise):
        return Verdict("wrong", "parameters", [says])
    expected = expected or expect(exercise)
    with undisturbed() as printed:
        first = [want for _, style, want in expected.calls if style == POSITION]
        got = list(_until_stopped(given, exercise))
        verdict = _judge(exercise, first, got, expected.mistaken, given)
        said = printed.summary()  # once, though more calls follow
        if verdict.state == "right":
            verdict = next(_other_styles(given, expected), verdict)
    return Verdict(verdict.state, verdict.key, verdict.lines, said)


def _until_stopped(given: Callable, exercise: Exercise) -> Iterator[Outcome]:
    """Call given by position on every probe, made anew; no more after an interruption."""
    for probe in exercise.probes():
        outcome = call(given, exercise, probe)
        yield outcome
        if isinstance(outcome.error, KeyboardInterrupt | MemoryError):
            return


def _other_styles(given: Callable, expected: Expected) -> Iterator[Verdict]:
    """Judge the calls by name and without defaults; one wrong verdict for each that differs."""
    exercise = expected.exercise
    anew = defaultdict[Style, list[Probe]](exercise.probes)
    for i, style, want in expected.calls:
        if style == POSITION:
            continue
        probe = anew[style][i]
        got = call(given, exercise, probe, style)
        called = f"{_called(exercise, probe)}, {_in_words(exercise, style)}"
        if got.error is not None:
            stopped = raised(got.error, given, called)
            key = stopped.key if stopped.key in FINAL or stopped.state == "unfinished" else "by_name"
            yield Verdict(stopped.state, key, stopped.lines)
        elif found := difference(want.value, got.value, exercise.rtol, exercise.atol, exercise.outputs):
            yield wrong("default" if style.without else "by_name", called, [found.says])
        elif got.changed:
            yield _changed(got, called)
        elif missing := _gradient_difference(want, got):
            yield wrong("default" if style.without else "by_name", called, [missing.says])


def _in_words(exercise: Exercise, style: Style) -> str:
    if not style.without:
        return "every argument by its name"
    known = parameters(exercise.reference)
    if isinstance(exercise.reference, type):
        known += parameters(exercise.reference.__init__)  # type: ignore[misc]
    default = next(p.default for p in known if p.name == style.without)
    return f"but without {style.without}, whose default is {describe(default)}"


def _judge(
    exercise: Exercise,
    expected: list[Outcome],
    outcomes: list[Outcome],
    mistaken: list[tuple[Mistake, list[Outcome]]],
    given: Callable,
) -> Verdict:
    for probe, want, got in zip(exercise.probes(), expected, outcomes, strict=False):
        called = _called(exercise, probe)
        if got.error is not None:
            stopped = raised(got.error, given, called)
            if stopped.state == "unfinished" or stopped.key in FINAL:
                return stopped
            return _known(exercise, outcomes, mistaken, called, stopped.lines[1:]) or stopped
        if got.value is None and want.value is not None:
            return Verdict("unfinished", "none", ["None came back: a `return` is still missing."])
        found = difference(want.value, got.value, exercise.rtol, exercise.atol, exercise.outputs)
        if found and found.key != "values":
            return _known(exercise, outcomes, mistaken, called, [found.says]) or wrong(found.key, called, [found.says])
        if got.changed:
            return _changed(got, called)
        if found is None:
            continue
        known = _known(exercise, outcomes, mistaken, called, [found.says])
        return known or _broken_rule(exercise, probe, got, called, found)
    for probe, want, got in zip(exercise.probes(), expected, outcomes, strict=True):
        if missing := _gradient_difference(want, got):
            called = _called(exercise, probe)
            known = _known(exercise, outcomes, mistaken, called, [missing.says])
            return known or wrong(missing.key, called, [missing.says])
    return Verdict("right", "right", [f"checked: {exercise.checked}"])


def _broken_rule(exercise: Exercise, probe: Probe, got: Outcome, called: str, found: Difference) -> Verdict:
    for rule in exercise.properties:
        if not rule.holds(got.value, *probe.args):
            return wrong(rule.key, called, [f"it should hold that {rule.says}", found.says])
    return wrong("values", called, [found.says])


def _changed(got: Outcome, called: str) -> Verdict:
    names = ", ".join(got.changed)
    says = f"the argument {names} was changed in place; what the caller hands over should stay as it was"
    return wrong("changed_arguments", called, [says])


def _called(exercise: Exercise, probe: Probe) -> str:
    if probe.says:
        return f"called with {probe.says}"
    init = ", ".join(f"{k} = {v}" for k, v in probe.init.items())
    args = ", ".join(f"{n} {describe(a)}" for n, a in zip(argument_names(exercise), probe.args, strict=False))
    return f"called with {init + '; ' if init else ''}{args}"


def _known(
    exercise: Exercise,
    outcomes: list[Outcome],
    mistaken: list[tuple[Mistake, list[Outcome]]],
    called: str,
    says: list[str],
) -> Verdict | None:
    """Return the message of the known mistake whose outcomes are the learner's on every probe, if there is one."""
    for mistake, results in mistaken:
        if len(outcomes) == len(results) and all(same(a, b, exercise) for a, b in zip(results, outcomes, strict=True)):
            equals = f"Your output equals what one gets if {mistake.says}."
            return wrong(mistake.key, called, [*says, equals, f"Hint: {mistake.hint}"])
    return None


def same(a: Outcome, b: Outcome, exercise: Exercise) -> bool:
    """Return whether two calls gave the same: values and gradients within tolerance, or both an exception."""
    if a.error is not None or b.error is not None:
        return a.error is not None and type(a.error) is type(b.error)
    if difference(a.value, b.value, exercise.rtol, exercise.atol, exercise.outputs) or a.changed != b.changed:
        return False
    return _holds_nan(a.value) or _gradient_difference(a, b) is None  # the gradient of a NaN depends on the writing


def _holds_nan(value: Any) -> bool:
    parts = value if isinstance(value, tuple | list) else [value]
    return any(isinstance(part, Tensor) and bool(part.isnan().any()) for part in parts)


def _gradient_difference(want: Outcome, got: Outcome) -> Difference | None:
    if got.gradient_error:
        return Difference("gradient_raised", f"the values are right, the backward pass raises: {got.gradient_error}")
    for name, expected in want.gradients.items():
        found = got.gradients.get(name)
        if expected is None or not expected.any():
            if found is None or not found.any():
                continue
            expected = zeros_like(found)
        if found is None:
            ask = "is something detached (.item(), .detach(), NumPy)?"
            return Difference("gradient_missing", f"the values are right, but no gradient reaches {name}: {ask}")
        if gap := difference(expected, found, max(GRADIENT_RTOL, slack(got.value)), GRADIENT_ATOL):
            says = f"the values are right, but the gradient for {name} is not: {gap.says}"
            return Difference("gradient_values", says)
    return None
