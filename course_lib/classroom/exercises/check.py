"""Tries a learner's function or class on the probes and decides between unfinished, right and wrong."""

import inspect
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.classroom.exercises.compare import Difference, describe, difference
from course_lib.classroom.exercises.guard import undisturbed
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

GRADIENT_RTOL, GRADIENT_ATOL = 1e-8, 1e-11


@dataclass(frozen=True)
class Verdict:
    """state: right, wrong or unfinished; key: which message; lines: the message; printed: what the code printed."""

    state: str
    key: str
    lines: list[str] = field(default_factory=list)
    printed: str = ""


@dataclass
class Outcome:
    """What one call gave: a value with its gradients, or the exception; and the arguments it wrote into."""

    value: Any = None
    error: BaseException | None = None
    gradients: dict[str, Tensor | None] = field(default_factory=dict)
    gradient_error: str = ""
    changed: list[str] = field(default_factory=list)


def check(given: Callable, exercise: Exercise) -> Verdict:
    """Compare given with the reference on every probe, in the order that the design sets."""
    with undisturbed():  # all that is expected is known before the learner's code runs
        probes = exercise.probes()
        expected = [_call(exercise.reference, exercise, probe) for probe in probes]
        mistaken = [(m, [_call(m.function, exercise, probe) for probe in probes]) for m in exercise.mistakes]
    outcomes: list[Outcome] = []
    with undisturbed() as printed:
        for probe in probes:
            outcomes.append(_call(given, exercise, probe))
            if isinstance(outcomes[-1].error, KeyboardInterrupt | MemoryError):
                break
    verdict = _judge(exercise, probes, expected, outcomes, mistaken, given)
    return Verdict(verdict.state, verdict.key, verdict.lines, printed.summary())


def _call(function: Callable, exercise: Exercise, probe: Probe) -> Outcome:
    """Call with fresh copies of the arguments; record value, gradients and arguments changed in place."""
    args = [_copy(a) for a in probe.args]
    names = _parameter_names(exercise)
    inputs = {names[i]: a for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad}
    outcome = Outcome()
    try:
        if isinstance(exercise.reference, type):
            function = _instance(function, exercise, probe)
            inputs |= dict(function.named_parameters())  # type: ignore[attr-defined]
        outcome.value = exercise.trial(function, *args) if exercise.trial else function(*args)
    except BaseException as error:  # KeyboardInterrupt and SystemExit too: whatever comes becomes a message
        outcome.error = error
    try:
        if exercise.gradients and outcome.error is None:
            outcome.gradients = _gradients(outcome.value, inputs)
    except (RuntimeError, NotImplementedError) as error:
        outcome.gradient_error = _one_line(error)
    for i, (before, after) in enumerate(zip(probe.args, args, strict=True)):
        if isinstance(before, Tensor) and (after.shape != before.shape or not torch.equal(after, before)):
            outcome.changed.append(names[i])
    return outcome


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or "no message"


def _copy(argument: Any) -> Any:
    if not isinstance(argument, Tensor):
        return argument
    copy = argument.detach().clone()
    # no leaf of the graph: autograd would refuse a write into one before the check can name it
    return copy.requires_grad_().clone() if copy.is_floating_point() else copy


def _instance(cls: Callable, exercise: Exercise, probe: Probe) -> nn.Module:
    """Build the module in float64 with the reference's parameters."""
    module = cls(**probe.init).double()
    if cls is not exercise.reference:
        torch.manual_seed(0)
        module.load_state_dict(_instance(exercise.reference, exercise, probe).state_dict())
    return module


def _gradients(value: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor | None]:
    """Return d(sum of value · fixed random numbers)/d input for every input; None where nothing flows back."""
    leaves = [v for v in (value if isinstance(value, tuple | list) else [value]) if isinstance(v, Tensor)]
    generator = torch.Generator().manual_seed(7)
    terms = []
    for leaf in leaves:
        numbers = torch.randn(leaf.shape, dtype=torch.float64, generator=generator).to(leaf.device)
        if leaf.requires_grad:
            terms.append((leaf * numbers).sum())
    if not terms or not inputs:
        return dict.fromkeys(inputs)
    total = torch.stack([t.double() for t in terms]).sum()
    return dict(zip(inputs, torch.autograd.grad(total, list(inputs.values()), allow_unused=True), strict=True))


def _parameter_names(exercise: Exercise) -> list[str]:
    function = exercise.reference.forward if isinstance(exercise.reference, type) else exercise.reference  # type: ignore[attr-defined]
    return [name for name in inspect.signature(function).parameters if name != "self"]


def _judge(
    exercise: Exercise,
    probes: list[Probe],
    expected: list[Outcome],
    outcomes: list[Outcome],
    mistaken: list[tuple[Mistake, list[Outcome]]],
    given: Callable,
) -> Verdict:
    for probe, want, got in zip(probes, expected, outcomes, strict=False):
        called = _called(exercise, probe)
        if got.error is not None:
            stopped = _raised(got.error, given, called)
            if stopped.state == "unfinished" or stopped.key in ("interrupted", "memory", "recursion"):
                return stopped
            return _known(exercise, outcomes, mistaken, called, stopped.lines[1:]) or stopped
        if got.value is None and want.value is not None:
            return Verdict("unfinished", "none", ["None came back: a `return` is still missing."])
        found = difference(want.value, got.value, exercise.rtol, exercise.atol, exercise.outputs)
        if found and found.key != "values":
            return _known(exercise, outcomes, mistaken, called, [found.says]) or _wrong(found.key, called, [found.says])
        if got.changed:
            names = ", ".join(got.changed)
            says = f"the argument {names} was changed in place; the caller's tensors should stay as they were"
            return _wrong("changed_arguments", called, [says])
        if found is None:
            continue
        known = _known(exercise, outcomes, mistaken, called, [found.says])
        if known:
            return known
        for rule in exercise.properties:
            if not rule.holds(got.value, *probe.args):
                return _wrong(rule.key, called, [f"it should hold that {rule.says}", found.says])
        return _wrong("values", called, [found.says])
    for probe, want, got in zip(probes, expected, outcomes, strict=True):
        if missing := _gradient_difference(want, got):
            called = _called(exercise, probe)
            known = _known(exercise, outcomes, mistaken, called, [missing.says])
            return known or _wrong(missing.key, called, [missing.says])
    return Verdict("right", "right", [f"checked: {exercise.checked}"])


def _called(exercise: Exercise, probe: Probe) -> str:
    if probe.says:
        return f"called with {probe.says}"
    init = ", ".join(f"{k} = {v}" for k, v in probe.init.items())
    args = ", ".join(f"{n} {describe(a)}" for n, a in zip(_parameter_names(exercise), probe.args, strict=False))
    return f"called with {init + '; ' if init else ''}{args}"


def _wrong(key: str, called: str, says: list[str]) -> Verdict:
    return Verdict("wrong", key, [called, *says])


def _raised(error: BaseException, given: Callable, called: str) -> Verdict:
    """Turn an exception into a message that points at the learner's own line."""
    if isinstance(error, NotImplementedError):
        return Verdict("unfinished", "not_implemented", ["`raise NotImplementedError` is still there."])
    if isinstance(error, KeyboardInterrupt):
        return _wrong(
            "interrupted", called, ["the check was interrupted before your code came back; does a loop ever end?"]
        )
    if isinstance(error, RecursionError):
        return _wrong("recursion", called, ["your code calls itself without end (RecursionError)"])
    text = _one_line(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate" in text:
        return _wrong(
            "memory", called, ["your code asked for more memory than there is; is a shape far too large?", text]
        )
    says = [f"your code raised {type(error).__name__}: {text}"]
    if line := _own_line(error, given):
        says.append(line)
    return _wrong("raised", called, says)


def _own_line(error: BaseException, given: Callable) -> str:
    """Return the innermost line of the traceback that lies in the learner's own source."""
    cells = {function.__code__.co_filename for function in own_functions(given)}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in cells]
    if not frames:
        return ""
    number = frames[-1].lineno or 0
    return f"in line {number} of the cell: {linecache.getline(frames[-1].filename, number).strip()}"


def own_functions(given: Any) -> list[FunctionType]:
    """Return the functions that a cell's definition consists of: itself, or the methods written in a class."""
    members = vars(given).values() if isinstance(given, type) else [inspect.unwrap(given)]
    return [member for member in members if isinstance(member, FunctionType)]


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
            return _wrong(mistake.key, called, [*says, equals, f"Hint: {mistake.hint}"])
    return None


def same(a: Outcome, b: Outcome, exercise: Exercise) -> bool:
    """Return whether two calls gave the same: values and gradients within tolerance, or both an exception."""
    if a.error is not None or b.error is not None:
        return a.error is not None and type(a.error) is type(b.error)
    if difference(a.value, b.value, exercise.rtol, exercise.atol, exercise.outputs) or a.changed != b.changed:
        return False
    return _gradient_difference(a, b) is None


def _gradient_difference(want: Outcome, got: Outcome) -> Difference | None:
    if got.gradient_error:
        return Difference("gradient_raised", f"the values are right, the backward pass raises: {got.gradient_error}")
    for name, expected in want.gradients.items():
        found = got.gradients.get(name)
        if expected is None or not expected.any():
            if found is None or not found.any():
                continue
            expected = torch.zeros_like(found)
        if found is None:
            ask = "is something detached (.item(), .detach(), NumPy)?"
            return Difference("gradient_missing", f"the values are right, but no gradient reaches {name}: {ask}")
        gap = difference(expected, found, GRADIENT_RTOL, GRADIENT_ATOL)
        if gap:
            return Difference(
                "gradient_values", f"the values are right, but the gradient for {name} is not: {gap.says}"
            )
    return None
