"""Chapter 14b's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest

from course_lib.chapters.ch14b_many_devices import costs, ring
from course_lib.chapters.exercises import REGISTRY

STEP = """\
N = len(held)
after = held.clone()
for n in range(N):
    chunk, other = ({chunk}) % N, ({other}) % N
    {act}
return after"""
ADD = "after[other, chunk] += held[n, chunk]"


def step(chunk="n - t", other="n + 1", act=ADD):
    return STEP.format(chunk=chunk, other=other, act=act)


ROLLED = """\
N = len(held)
chosen = torch.zeros_like(held)
n = torch.arange(N)
chosen[n, {chunk}] = held[n, {chunk}]
arrived = chosen.roll({by}, 0)
return {result}"""


def rolled(chunk="(n - t) % N", by=1, result="held + arrived"):
    return ROLLED.format(chunk=chunk, by=by, result=result)


def stages(weights="stage > 2", gradients="stage > 1", optimizer="stage > 0", twelve=12, times="parameters"):
    """Bytes by a loop over the kinds."""
    return (
        f"total = 0.0\nfor size, divided in ((2, {weights}), (2, {gradients}), ({twelve}, {optimizer})):\n"
        f"    total += size / devices if divided else size\nreturn total * {times}"
    )


def table(*numbers, times="parameters"):
    """Bytes by a table: what stays whole, and what is divided, stage by stage."""
    return f"whole, divided = ({', '.join(map(str, numbers))})[stage]\nreturn {times} * (whole + divided / devices)"


RIGHT_TABLE = ((16, 0), (4, 12), (2, 14), (0, 16))


def days(work="6 * parameters * tokens", rate="devices * peak * utilisation", unit="86400"):
    return f"return {work} / ({rate}) / {unit}"


def daily(work="6 * parameters * tokens", rate="peak * devices * utilisation", unit="24 * 60 * 60"):
    return f"a_day = ({rate}) * ({unit})\nreturn ({work}) / a_day"


def looped(weight="counts[i]", whole="counts.sum()"):
    return f"total = 0\nfor i in range(len(gradients)):\n    total = total + {weight} * gradients[i]\nreturn total / ({whole})"


WRONG = {
    "together.whole_gradient": {
        "equal_weights": ("return gradients.mean(dim=0)", looped("1", "len(gradients)")),
        "not_divided": ("return counts @ gradients", looped(whole="1")),
        "divided_by_devices": ("return counts @ gradients / len(counts)", "return (counts[:, None] * gradients).mean(0)"),
        "divided_twice": (
            "w = counts / counts.sum()\nreturn (w[:, None] * gradients).mean(0)",
            looped(whole="counts.sum() * len(counts)"),
        ),
        "sum": ("return gradients.sum(dim=0)", looped("1", "1")),
        "inverse_weights": (
            "w = 1 / counts\nreturn w @ gradients / w.sum()",
            looped("1 / counts[i]", "counts.reciprocal().sum()"),
        ),
    },
    "together.ring_all_reduce": {
        "always_the_same": (step(chunk="n"), rolled(chunk="n")),
        "other_way": (step(chunk="n + t"), rolled(chunk="(n + t) % N")),
        "second_round": (step(chunk="n + 1 - t"), rolled(chunk="(n + 1 - t) % N")),
        "one_for_all": (step(chunk="t"), rolled(chunk="t")),
        "to_the_left": (step(other="n - 1"), rolled(by=-1)),
        "replaced": (
            step(act="after[other, chunk] = held[n, chunk]"),
            "N = len(held)\nafter = list(map(list, held))\nfor n in range(N):\n"
            "    after[(n + 1) % N][(n - t) % N] = held[n, (n - t) % N]\nreturn torch.stack([torch.stack(row) for row in after])",
        ),
        "all_chunks": (step(act="after[other] += held[n]"), "return held + held.roll(1, 0)"),
    },
    "together.bytes_a_device": {
        "weights_first": (
            stages("stage > 0", "stage > 1", "stage > 2"),
            table((16, 0), (14, 2), (12, 4), (0, 16)),
        ),
        "optimizer_second": (
            stages("stage > 2", "stage > 0", "stage > 1"),
            table((16, 0), (14, 2), (2, 14), (0, 16)),
        ),
        "all_in_float32": (
            "total = 0.0\nfor k, size in enumerate((8, 4, 4)):\n    total += size / devices if stage > k else size\nreturn total * parameters",
            table((16, 0), (8, 8), (4, 12), (0, 16)),
        ),
        "no_copy": (stages(twelve=8), table((12, 0), (4, 8), (2, 10), (0, 12))),
        "stage_alone": (
            stages("stage == 3", "stage == 2", "stage == 1"),
            table((16, 0), (4, 12), (14, 2), (14, 2)),
        ),
        "all_at_once": (stages("stage > 0", "stage > 0"), table((16, 0), (0, 16), (0, 16), (0, 16))),
        "whole_run": (stages(times="parameters * devices"), table(*RIGHT_TABLE, times="devices * parameters")),
    },
    "together.training_days": {
        "forward_only": (days("2 * parameters * tokens"), daily("(parameters + parameters) * tokens")),
        "no_utilisation": (days(rate="devices * peak"), daily(rate="peak * devices")),
        "utilisation_above": (days("6 * parameters * tokens * utilisation", "devices * peak"), daily(rate="peak * devices / utilisation")),
        "no_brackets": (
            "return 6 * parameters * tokens / devices * peak * utilisation / 86400",
            "seconds = 6 * parameters * tokens / devices * (peak * utilisation)\nreturn seconds / (24 * 60 * 60)",
        ),
        "always_forty": (days(rate="devices * peak * 0.4"), daily(rate="peak * devices * 2 / 5")),
        "one_device": (days(rate="peak * utilisation"), daily(rate="utilisation * peak")),
        "hours": (days(unit="3600"), daily(unit="60 * 60")),
        "seconds": (days(unit="1"), daily(unit="1.0")),
    },
}  # fmt: skip

RIGHT = {
    "together.whole_gradient": (
        "return counts @ gradients / counts.sum()",
        looped(),
        "return torch.einsum('d,dn->n', counts / counts.sum(), gradients)",
    ),
    "together.ring_all_reduce": (step(), rolled(), rolled(result="arrived.add(held)")),
    "together.bytes_a_device": (stages(), table(*RIGHT_TABLE)),
    "together.training_days": (days(), daily()),
}


@pytest.mark.parametrize("devices", [2, 3, 5, 8])
def test_after_all_steps_each_device_holds_one_whole_chunk(devices):
    import torch

    held = start = torch.randn(devices, devices, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for t in range(devices - 1):
        held = ring.ring_step(held, t)
    for n in range(devices):
        chunk = (n + 1) % devices
        torch.testing.assert_close(held[n, chunk], start[:, chunk].sum(0), rtol=1e-12, atol=1e-12)


def test_the_stages_are_those_of_the_papers_figure():
    """Rajbhandari et al. 2020, figure 1: 7.5 billion parameters, 64 devices, in GB."""
    found = [round(costs.bytes_a_device(7.5e9, 64, stage) / 1e9, 1) for stage in range(4)]
    assert found == [120.0, 31.4, 16.6, 1.9]


def test_gpt_3s_hours_are_a_sum_and_marked_as_one():
    """Operations of table D.1 of Brown et al. 2020, divided by the rate of Patterson et al. 2021, table 4; energy too."""
    assert [each.name for each in costs.TRAININGS if each.derived] == ["GPT-3"]
    gpt3 = next(each for each in costs.TRAININGS if each.name == "GPT-3")
    assert abs(6 * gpt3.parameters * gpt3.tokens / 3.14e23 - 1) < 0.01
    assert abs(gpt3.hours * 3600 * 24.6e12 / 3.14e23 - 1) < 0.01
    assert abs(gpt3.hours * 330 * 1.10 / 1e6 / 1287 - 1) < 0.01


def test_the_answers_know_their_tempting_ones():
    for name in ("run_a", "run_b"):
        entry = REGISTRY.find(f"together.{name}")
        assert {entry.right, *entry.wrong} == {"no_averaging", "same_rows", "sum_for_mean", "no_fault"}
