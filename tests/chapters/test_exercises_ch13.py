"""Chapter 13's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.records import recorded


def line(x="n.log()", y="(loss - floor).log()", scale="(y.mean() - slope * x.mean()).exp()", exponent="-slope"):
    return (
        f"x, y = {x}, {y}\nslope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()\n"
        f"return {scale}, {exponent}"
    )


def solved(x="n.log()", y="(loss - floor).log()", scale="w[0].exp()", exponent="-w[1]"):
    """The same by a solver of least squares."""
    return (
        f"x, y = {x}, {y}\nA = torch.stack([torch.ones_like(x), x], 1)\nw = torch.linalg.lstsq(A, y[:, None]).solution[:, 0]\n"
        f"return {scale}, {exponent}"
    )


def summed(before="", each="overhead + 3 * batch * f / rate", after="", times="steps", time="time"):
    """A loop over the steps."""
    return (
        "from course_lib.attention.transformer import forward_flops\n"
        f"f = forward_flops(config, {time})\ntotal = 0.0{before}\nfor _ in range({times}):\n    total += {each}\nreturn total{after}"
    )


def closed(result="steps * overhead + steps * batch * 3 * f / rate", time="time"):
    return f"from course_lib.attention.transformer import forward_flops\nf = forward_flops(config, {time})\nreturn {result}"


WRONG = {
    "together.fit_power_law": {
        "no_floor": (line(y="loss.log()"), solved(y="loss.log()")),
        "floor_added": (line(y="(loss + floor).log()"), solved(y="(loss + floor).log()")),
        "slope_for_exponent": (line(exponent="slope"), solved(exponent="w[1]")),
        "logarithm_of_scale": (line(scale="y.mean() - slope * x.mean()"), solved(scale="w[0]")),
        "bases_mixed": (
            line("n.log10()", "(loss - floor).log10()"),
            solved("torch.log10(n)", "torch.log10(loss - floor)"),
        ),
        "axes_swapped": (line("(loss - floor).log()", "n.log()"), solved("(loss - floor).log()", "n.log()")),
        "plain_n": (line("n"), solved("n")),
        "plain_loss": (line(y="loss - floor"), solved(y="loss - floor")),
        "ends_alone": (
            "x, y = n.log(), (loss - floor).log()\ni, j = x.argmin(), x.argmax()\n"
            "slope = (y[j] - y[i]) / (x[j] - x[i])\nreturn (y.mean() - slope * x.mean()).exp(), -slope",
            "order = n.argsort()\nn, loss = n[order], loss[order] - floor\n"
            "b = torch.log(loss[0] / loss[-1]) / torch.log(n[-1] / n[0])\n"
            "return torch.exp((loss.log() + b * n.log()).mean()), b",
        ),
        "exchanged": (
            line(scale="-slope", exponent="(y.mean() - slope * x.mean()).exp()"),
            solved(scale="-w[1]", exponent="w[0].exp()"),
        ),
        "height_at_the_middle": (line(scale="y.mean().exp()"), solved(scale="y.mean().exp()")),
    },
    "together.training_seconds": {
        "forward_only": (summed(each="overhead + batch * f / rate"), closed("steps * (overhead + batch * f / rate)")),
        "backward_only": (summed(each="overhead + 2 * batch * f / rate"), closed("steps * (overhead + 2 * batch * f / rate)")),
        "six_times_forward": (
            summed(each="overhead + 6 * batch * f / rate"),
            closed("steps * (overhead + 2 * batch * 3 * f / rate)"),
        ),
        "tokens_twice": (
            summed(each="overhead + 3 * batch * time * f / rate"),
            closed("steps * (overhead + 3 * batch * (time * f) / rate)"),
        ),
        "one_sequence": (summed(each="overhead + 3 * f / rate"), closed("steps * (overhead + 3 * f / rate)")),
        "overhead_once": (
            summed(before=" + overhead", each="3 * batch * f / rate"),
            closed("overhead + steps * batch * 3 * f / rate"),
        ),
        "no_overhead": (summed(each="3 * batch * f / rate"), closed("steps * batch * 3 * f / rate")),
        "times_the_rate": (summed(each="overhead + 3 * batch * f * rate"), closed("steps * (overhead + 3 * batch * f * rate)")),
        "one_step": (summed(times="1"), closed("overhead + 3 * batch * f / rate")),
        "overhead_a_sequence": (
            summed(each="batch * (overhead + 3 * f / rate)"),
            closed("steps * batch * (overhead + 3 * f / rate)"),
        ),
        "one_token": (summed(time="1"), closed(time="1")),
    },
}  # fmt: skip

RIGHT = {
    "together.fit_power_law": (
        line(),
        solved(),
        "x, y = n.log10(), (loss - floor).log10()\nx0, y0 = x.mean(), y.mean()\n"
        "b = -sum((a - x0) * (c - y0) for a, c in zip(x, y)) / sum((a - x0) ** 2 for a in x)\nreturn 10 ** (y0 + b * x0), b",
    ),
    "together.training_seconds": (
        summed(),
        closed(),
        closed("steps * (overhead + (batch * f + 2 * batch * f) / rate)"),
    ),
}


def test_half_of_the_excess_takes_sixteen_times_the_data():
    entry = REGISTRY.find("together.half_the_excess")
    assert entry.right ** (-1 / 4) == 1 / 2
    assert entry.wrong.keys() >= {2, 4, 8, 1 / 16}
    assert min(abs(wrong - 2 ** (-1 / 4)) for wrong in entry.wrong) < 1e-6


@pytest.mark.parametrize(("id", "n"), [("together.from_little", 10_000), ("together.from_much", 300_000)])
def test_what_buys_most_is_what_the_record_says(id, n):
    record = recorded("data_grid")
    means = {what: record.arm(f"from {n}, twice the {what}").mean("test") for what in ("data", "parameters", "steps")}
    entry = REGISTRY.find(id)
    assert entry.right == min(means, key=means.get)
    assert {*entry.options} >= {"data", "parameters", "steps"}
