"""One call of a function or class on one probe: fresh arguments in, and everything that came of it out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.classroom.exercises.guard import settings_kept
from course_lib.classroom.exercises.shown import said
from course_lib.classroom.exercises.signature import argument_names, parameters
from course_lib.classroom.exercises.spec import Exercise, Probe
from course_lib.classroom.exercises.watch import fresh, unchanged

LARGEST = 10**7  # numbers in one output


@dataclass(frozen=True)
class Style:
    """How a probe is handed over: by position or by name, and whether one argument is left to its default."""

    by_name: bool = False
    without: str = ""


@dataclass
class Outcome:
    """What one call gave: a value with its gradients, or the exception; and the arguments it wrote into."""

    value: Any = None
    error: BaseException | None = None
    gradients: dict[str, Tensor | None] = field(default_factory=dict)
    gradient_error: str = ""
    changed: list[str] = field(default_factory=list)


def call(function: Callable, exercise: Exercise, probe: Probe, style: Style = Style()) -> Outcome:
    """Call with fresh copies of the arguments; record value, gradients and arguments changed in place."""
    names = argument_names(exercise)
    args = [_handed(a, exercise, name) for name, a in zip(names, probe.args, strict=False)]
    before = fresh(args)
    inputs = {n: a for n, a in zip(names, args, strict=False) if isinstance(a, Tensor) and a.requires_grad}
    outcome = Outcome()
    with settings_kept():  # what one call sets must not reach the next
        try:
            if isinstance(exercise.reference, type):
                function = _instance(function, exercise, probe, style)
                inputs |= dict(function.named_parameters())  # type: ignore[attr-defined]
            styled = _styled(function, exercise, style)
            outcome.value = exercise.trial(styled, *args) if exercise.trial else styled(*args)
        except BaseException as error:  # KeyboardInterrupt and SystemExit too: whatever comes becomes a message
            outcome.error = error
    try:
        if exercise.gradients and outcome.error is None:
            outcome.gradients = _gradients(outcome.value, inputs)
    except Exception as error:  # a backward pass of the learner's own may raise anything
        outcome.gradient_error = said(error) or type(error).__name__
    except KeyboardInterrupt as error:
        outcome.error = error
    outcome.changed = [n for n, old, new in zip(names, before, args, strict=False) if not unchanged(old, new)]
    return outcome


def styles(exercise: Exercise, probe: Probe) -> list[Style]:
    """Return the other ways in which a probe is handed over: by name, and without each default that it fills."""
    if isinstance(exercise.reference, type) and exercise.trial:
        return []  # such a trial may look into the module, and gets it as it is
    filled = [p for p, _ in zip(parameters(exercise.reference), probe.args, strict=False)]
    if exercise.trial:  # which of the parameters a trial fills is its own affair: each is tried
        filled = parameters(exercise.reference)
    if isinstance(exercise.reference, type):
        filled += [p for p in parameters(exercise.reference.__init__) if p.name in probe.init]  # type: ignore[misc]
    defaults = [p.name for p in filled if p.default is not p.empty]
    return [Style(by_name=True), *(Style(by_name=True, without=name) for name in dict.fromkeys(defaults))]


def _styled(function: Callable, exercise: Exercise, style: Style) -> Callable:
    """Return function as a probe or a trial calls it, by position, which hands the arguments on in this style."""
    if not style.by_name:
        return function
    names = [p.name for p in parameters(exercise.reference)]

    def handed_on(*args: Any, **kwargs: Any) -> Any:
        named = {**dict(zip(names, args, strict=False)), **kwargs}
        named.pop(style.without, None)
        return function(**named)

    return handed_on


def _handed(argument: Any, exercise: Exercise, name: str) -> Any:
    copied = fresh(argument)
    wanted = exercise.gradients and name not in exercise.data
    if not isinstance(copied, Tensor) or not copied.is_floating_point() or not wanted:
        return copied.detach() if isinstance(copied, Tensor) else copied
    # no leaf of the graph: autograd would refuse a write into one before the check can name it
    return copied.requires_grad_().clone()


def _instance(cls: Callable, exercise: Exercise, probe: Probe, style: Style) -> nn.Module:
    """Build the module in float64 with the reference's parameters."""
    init = {name: fresh(value) for name, value in probe.init.items() if name != style.without}
    torch.manual_seed(0)
    module = cls(**init).double()
    if cls is not exercise.reference:
        module.load_state_dict(_instance(exercise.reference, exercise, probe, style).state_dict())
    return module


def _gradients(value: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor | None]:
    """Return d(sum of value · fixed random numbers)/d input for every input; None where nothing flows back."""
    leaves = [v for v in (value if isinstance(value, tuple | list) else [value]) if isinstance(v, Tensor)]
    generator = torch.Generator().manual_seed(7)
    terms = []
    for leaf in leaves:
        if leaf.numel() > LARGEST:  # an answer so large is of a wrong shape, and the numbers might not fit
            continue
        numbers = torch.randn(leaf.shape, dtype=torch.float64, generator=generator, device="cpu").to(leaf.device)
        if leaf.requires_grad:
            terms.append((leaf * numbers).sum())
    if not terms or not inputs:
        return dict.fromkeys(inputs)
    total = torch.stack([t.double() for t in terms]).sum()
    return dict(zip(inputs, torch.autograd.grad(total, list(inputs.values()), allow_unused=True), strict=True))
