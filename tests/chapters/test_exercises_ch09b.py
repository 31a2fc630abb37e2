"""Chapter 09b's exercises: every known mistake in two writings is named, other right answers pass."""

import math

from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check


def bound(t="-torch.exp(-{})", conjugate="-1 - torch.log(-{})", back="-(on_real - on_fake)", end=".mean()"):
    """T first, then its conjugate, then the bound."""
    return (
        f"t_real, t_fake = {t.format('real_outputs')}, {t.format('fake_outputs')}\n"
        f"on_real = (t_real){end}\non_fake = ({conjugate.format('t_fake')}){end}\nreturn {back}"
    )


def short(real="torch.exp(-r)", fake="f", constant="- 1", end=".mean()"):
    return f"r, f = real_outputs, fake_outputs\nreturn ({real}){end} + ({fake}){end} {constant}"


def repeated(gap="(a - b).abs()", end=".mean()", x="x.sort().values", y="y.sort().values"):
    return f"a = ({x}).repeat_interleave(len(y))\nb = ({y}).repeat_interleave(len(x))\nreturn ({gap}){end}"


def walked(cost="abs(gap)", back="total", order="sorted"):
    """Carry mass from one to the next until all has arrived."""
    return (
        f"xs, ys = {order}(x), {order}(y)\ni = j = 0\nn, m = len(xs), len(ys)\nleft, room, total = m, n, 0.0\n"
        "while i < n and j < m:\n    moved = min(left, room)\n    gap = xs[i] - ys[j]\n"
        f"    total = total + moved * {cost} / (n * m)\n    left, room = left - moved, room - moved\n"
        "    if not left:\n        i, left = i + 1, m\n    if not room:\n        j, room = j + 1, n\n"
        f"return {back}"
    )


def area():
    """Between the distribution functions, along the other axis."""
    return (
        "places = torch.cat([x, y]).sort().values\n"
        "below = lambda s: (s[:, None] <= places).double().mean(0)\n"
        "return ((below(x) - below(y))[:-1].abs() * (places[1:] - places[:-1])).sum()"
    )


WRONG = {
    "gan.reverse_kl_loss": {
        "swapped": (short("r", "torch.exp(-f)"), "return (-fake_outputs).exp().mean() - (1 - real_outputs).mean()"),
        "sign": (bound(back="on_real - on_fake"), short("-torch.exp(-r)", "-f", "+ 1")),
        "no_constant": (bound(conjugate="-torch.log(-{})"), short(constant="")),
        "plus_one": (bound(conjugate="1 - torch.log(-{})"), short(constant="+ 1")),
        "forward": (bound("{}", "torch.exp({} - 1)"), short("-r", "torch.exp(f) / math.e", "")),
        "sum": (bound(end=".sum()", conjugate="-1 / len(fake_outputs) - torch.log(-{})"), short(end=".sum()")),
        "raw": (short("-r"), "T = lambda v: -torch.exp(-v)\nreturn (-1 - torch.log(-T(fake_outputs))).mean() - real_outputs.mean()"),
        "bend_sign": (bound("-torch.exp({})"), short("torch.exp(r)", "-f")),
        "conjugate_sign": (bound(back="-(on_real + on_fake)"), short(fake="-f", constant="+ 1")),
    },
    "gan.wasserstein_1d": {
        "unsorted": (repeated(x="x", y="y"), walked(order="list")),
        "tiled": (
            "a, b = x.sort().values.repeat(len(y)), y.sort().values.repeat(len(x))\nreturn (a - b).abs().mean()",
            "a, b = torch.cat([x.sort()[0]] * len(y)), torch.cat([y.sort()[0]] * len(x))\nreturn torch.dist(a, b, 1) / len(a)",
        ),
        "squared": (repeated("(a - b) ** 2"), walked("gap * gap")),
        "root": (repeated("(a - b) ** 2", ".mean().sqrt()"), walked("gap ** 2", "total ** 0.5")),
        "signed": (repeated("a - b"), "return x.mean() - y.mean()"),
        "means": ("return abs(x.mean() - y.mean())", repeated("a - b", ".mean().abs()")),
        "pairs": (
            "return torch.cdist(x[:, None], y[:, None], p=1).mean()",
            "a, b = x.sort().values.repeat_interleave(len(y)), y.sort().values.repeat(len(x))\nreturn (a - b).abs().mean()",
        ),
        "cut": (
            "k = min(len(x), len(y))\nreturn torch.mean(torch.abs(x.sort()[0][:k] - y.sort()[0][:k]))",
            "pairs = list(zip(sorted(x), sorted(y)))\nreturn sum(abs(a - b) for a, b in pairs) / len(pairs)",
        ),
        "sum": (repeated(end=".sum()"), walked("abs(gap) * n * m")),
        "nearest": (
            "return torch.cdist(x[:, None], y[:, None], p=1).min(1).values.mean()",
            "return sum(min(abs(a - b) for b in y) for a in x) / len(x)",
        ),
    },
}  # fmt: skip

RIGHT = {
    "gan.reverse_kl_loss": (
        bound(),
        short(),
        "total = -1.0\nfor v in real_outputs:\n    total = total + (-v).exp() / len(real_outputs)\n"
        "for v in fake_outputs:\n    total = total + v / len(fake_outputs)\nreturn total",
    ),
    "gan.wasserstein_1d": (repeated(), walked(), area()),
}


def test_one_sample_repeated_and_the_other_interleaved_is_told_the_two_apart():
    entry = REGISTRY.find("gan.wasserstein_1d")
    body = (
        "a, b = x.sort().values.repeat_interleave(len(y)), y.sort().values.repeat(len(x))\nreturn (a - b).abs().mean()"
    )
    assert check(written(entry, body), entry).key == "pairs"
    (mistake,) = (m for m in entry.mistakes if m.key == "pairs")
    assert "`repeat`" in mistake.hint
    assert "`repeat_interleave`" in mistake.hint


def test_the_penalised_critic_knows_its_tempting_answers():
    entry, weight, distance = REGISTRY.find("gan.penalised_critic"), 10, 2.0
    slope = 1 + distance / (2 * weight)
    assert math.isclose(entry.right, slope * distance)
    assert entry.wrong.keys() >= {distance, slope, -entry.right}
