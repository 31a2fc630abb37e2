"""Random valid inputs for an exercise: its own generator's, or its probes with other numbers of the same kinds."""

import dataclasses
import math

import torch

from course_lib.classroom.exercises.calls import call
from course_lib.classroom.exercises.spec import Probe

TRIES = 20


def variations(exercise, count):
    """Up to count probes that the reference takes, each with the outcome that it gives; the same ones every time."""
    found = []
    for seed in range(count):
        for attempt in range(TRIES):
            probe = _drawn(exercise, torch.Generator().manual_seed(1000 * attempt + seed), seed)
            outcome = call(exercise.reference, exercise, probe)
            if outcome.error is None and not _has_nan(outcome.value):
                found.append((probe, outcome))
                break
    return found


def _drawn(exercise, generator, seed):
    if exercise.variations is not None:
        return exercise.variations(generator)
    probes = exercise.probes()
    return jittered(probes[seed % len(probes)], generator)


def jittered(probe, generator):
    """The probe with other numbers; whole numbers keep their order, so that a low end stays below a high one."""
    args = list(probe.args)
    whole = [i for i, a in enumerate(args) if isinstance(a, int) and not isinstance(a, bool)]
    others = _whole([args[i] for i in whole], generator)
    for i, value in zip(whole, others, strict=True):
        args[i] = value
    args = [_other(a, generator) if i not in whole else a for i, a in enumerate(args)]
    return Probe(tuple(args), init=probe.init)


def _whole(values, generator):
    """Whole numbers of the same signs in the same order; half of the time the same ones."""
    if not values or _uniform(generator) < 0.5:
        return values
    ordered = sorted(set(values))
    factors = {v: max(1, round(v * math.exp(0.7 * _normal(generator)))) if v > 0 else v for v in ordered}
    changed = dict(zip(ordered, sorted(factors[v] for v in ordered), strict=True))
    return [changed[v] for v in values]


def _other(value, generator):
    if isinstance(value, torch.Tensor):
        return _other_tensor(value, generator)
    if isinstance(value, float):
        return _other_tensor(torch.tensor([value], dtype=torch.float64), generator).item()
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        if all(isinstance(v, int) for v in value):
            return type(value)(max(1, round(v * math.exp(0.7 * _normal(generator)))) if v > 0 else v for v in value)
        return type(value)(_other(v, generator) for v in value)
    if dataclasses.is_dataclass(value):
        return _other_config(value, generator)
    return value


def _other_config(config, generator):
    """One field of whole numbers changed at a time, where the configuration accepts it."""
    names = [f.name for f in dataclasses.fields(config) if type(getattr(config, f.name)) is int]
    name = names[int(_uniform(generator) * len(names))]
    try:
        return dataclasses.replace(config, **{name: 1 + int(_uniform(generator) * 3 * getattr(config, name))})
    except (TypeError, ValueError):
        return config


def _other_tensor(x, generator):
    if x.numel() == 0:
        return x
    if not x.is_floating_point():
        order = torch.randperm(x.shape[-1], generator=generator)  # keeps each row's own numbers
        return x[..., order] if x.ndim else x
    noise = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    finite = x[x.isfinite()]
    if finite.unique().tolist() in ([0, 1], [0], [1]):
        return (noise > 0).to(x.dtype) if x.numel() > 1 else x
    if x.numel() > 1 and x.ndim and (x >= 0).all() and torch.allclose(x.sum(-1), torch.ones_like(x.sum(-1))):
        return (x.clamp(min=1e-12).log() + noise).softmax(-1)
    if x.numel() > 1 and x.ndim == 1 and torch.allclose(x.norm(), x.new_ones(())):
        return torch.nn.functional.normalize(x + 0.5 * noise, dim=0)
    if (finite > 0).all() and (finite < 1).all():
        return torch.sigmoid(torch.logit(x) + noise)
    if (finite >= 0).all():
        return x * torch.exp(0.5 * noise)
    return x + 0.5 * noise


def _uniform(generator):
    return torch.rand(1, generator=generator).item()


def _normal(generator):
    return torch.randn(1, generator=generator).item()


def _has_nan(value):
    parts = value if isinstance(value, tuple | list) else [value]
    return any(bool(p.isnan().any()) if isinstance(p, torch.Tensor) else p != p for p in parts)
