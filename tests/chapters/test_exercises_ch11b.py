"""Chapter 11b's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest
import torch

from course_lib.chapters.exercises import REGISTRY


def balls(
    centres="real", k="k + 1", radius="radii[:, None]", rule="torch.cdist(real, fake) <= radius",
    density="inside.sum() / (k * len(fake))", coverage="inside.any(dim=1).double().mean()",
):  # fmt: skip
    return (
        f"radii = torch.cdist({centres}, {centres}).topk({k}, largest=False).values[:, -1]\nradius = {radius}\n"
        f"inside = {rule}\nreturn {density}, {coverage}"
    )


def loops(
    others="r for j, r in enumerate(real) if j != i", centres="real", kth="k - 1", rule="d <= radius", d="((x - c) ** 2).sum()",
    density="hits / k / len(fake)", coverage="met / len(real)", points="fake", own="((r - c) ** 2).sum()",
):  # fmt: skip
    """Squared distances, one ball after the other."""
    return (
        f"hits, met = 0, 0\nfor i, c in enumerate({centres}):\n"
        f"    radius = sorted(({own}).item() for r in [{others}])[{kth}]\n"
        f"    held = sum({rule} for d in [({d}).item() for x in {points}])\n    hits += held\n    met += held > 0\n"
        f"return ({density}, {coverage})"
    )


def fake_loops(density="hits / k / len(fake)", coverage="len(met) / len(real)", inner="real", swap=False):
    """One point after the other, over the balls around the fakes."""
    return (
        "hits, met, some = 0, set(), set()\nfor j, c in enumerate(fake):\n"
        "    radius = sorted((r - c).norm().item() for r in fake)[k]\n    for i, r in enumerate(real):\n"
        "        if (r - c).norm() <= radius:\n            hits += 1\n            met.add(i)\n            some.add(j)\n"
        f"return {density}, {coverage}"
    )


def kernels(
    kernel="(x @ y.T / x.shape[1] + 1) ** 3", within="(K.sum() - K.diagonal().sum()) / (len(K) * (len(K) - 1))",
    back="within(k(a, a)) + within(k(b, b)) - 2 * k(a, b).mean()",
):  # fmt: skip
    return f"k = lambda x, y: {kernel}\nwithin = lambda K: {within}\nreturn {back}"


def pairs(
    value="(sum(p * q for p, q in zip(x.tolist(), y.tolist())) / len(x) + 1) ** 3", which="i != j", count="n * (n - 1)",
    back="of(a) + of(b) - 2 * mixed",
):  # fmt: skip
    """One pair after the other."""
    return (
        f"value = lambda x, y: {value}\n"
        "def of(rows):\n    n, total = len(rows), 0.0\n    for i, x in enumerate(rows):\n"
        f"        for j, y in enumerate(rows):\n            total += value(x, y) if {which} else 0.0\n"
        f"    return total / ({count})\n"
        f"mixed = sum(value(x, y) for x in a for y in b) / (len(a) * len(b))\nreturn {back}"
    )


WRONG = {
    "gan.density_and_coverage": {
        "itself_counted": (balls(k="k"), loops(others="r for r in real")),
        "one_further": (balls(k="k + 2"), loops(kth="k")),
        "balls_around_fakes": (balls("fake", radius="radii"), fake_loops()),
        "exchanged": (
            balls("fake", radius="radii", density="inside.sum() / (k * len(real))", coverage="inside.any(0).sum() / len(fake)"),
            fake_loops("hits / k / len(real)", "len(some) / len(fake)"),
        ),
        "density_not_over_k": (balls(density="inside.sum(0).double().mean()"), loops(density="hits / len(fake)")),
        "density_over_reals": (balls(density="inside.double().mean(1).sum() * len(fake) / (k * len(real))"),
                               loops(density="hits / k / len(real)")),
        "coverage_over_fakes": (
            balls(coverage="inside.any(dim=0).double().mean()"),
            balls(coverage="sum(bool(column.any()) for column in inside.T) / len(fake)", k="k + 1", radius="radii.view(-1, 1)"),
        ),
        "squared_against_plain": (
            balls(rule="torch.cdist(real, fake) ** 2 <= radius"),
            loops(own="((r - c) ** 2).sum().sqrt()"),
        ),
        "rim_excluded": (balls(rule="torch.cdist(real, fake) < radius"), loops(rule="d < radius")),
    },
    "gan.kernel_distance": {
        "itself_counted": (kernels(within="K.mean()"), pairs(which="True", count="n * n")),
        "over_all_pairs": (
            kernels(within="K.mean() - K.trace() / K.numel()"),
            pairs(count="n ** 2"),
        ),
        "mixed_once": (
            kernels(back="within(k(a, a)) + within(k(b, b)) - k(a, b).mean()"),
            pairs(back="of(a) - mixed + of(b)"),
        ),
        "not_over_d": (kernels("(1 + torch.einsum('id,jd->ij', x, y)) ** 3"), pairs("(x @ y + 1) ** 3")),
        "no_one": (kernels("(x @ y.T / x.shape[1]) ** 3"), pairs("((x * y).mean()) ** 3")),
        "squared_kernel": (kernels("(x @ y.T / x.shape[-1] + 1).square()"), pairs("((x * y).mean() + 1) ** 2")),
        "never_negative": (
            kernels(back="torch.relu(within(k(a, a)) + within(k(b, b)) - 2 * k(a, b).mean())"),
            pairs(back="max(0.0, of(a) + of(b) - 2 * mixed)"),
        ),
        "sign": (
            kernels(back="2 * k(a, b).mean() - within(k(a, a)) - within(k(b, b))"),
            pairs(back="mixed + mixed - of(a) - of(b)"),
        ),
    },
}  # fmt: skip

RIGHT = {
    "gan.density_and_coverage": (
        balls(),
        loops(),
        "d = torch.linalg.vector_norm(real[:, None] - real, dim=-1)\nd.fill_diagonal_(torch.inf)\n"
        "radius = d.kthvalue(k, dim=0).values\n"
        "near = torch.linalg.vector_norm(fake[:, None] - real, dim=-1) <= radius\n"
        "from collections import namedtuple\nBoth = namedtuple('Both', 'density coverage')\n"
        "return Both(near.double().sum(1).mean() / k, near.any(0).double().mean())",
    ),
    "gan.kernel_distance": (
        kernels(),
        pairs(),
        "rows, n = torch.cat([a, b]), len(a)\nK = (rows @ rows.T / rows.shape[1] + 1) ** 3\nK.fill_diagonal_(0)\nm = len(b)\n"
        "return (K[:n, :n].sum() / n / (n - 1) + K[n:, n:].sum() / m / (m - 1) - 2 * K[:n, n:].sum() / n / m).item()",
    ),
}


def test_the_worked_values_of_the_stubs():
    """Density 1 and coverage ⅔; 1 + 27 − 2 · 9.25."""
    by_id = REGISTRY.chapters["11b_metrics"]
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [5.5]])
    assert by_id["gan.density_and_coverage"].reference(real, fake, 1) == pytest.approx((1, 2 / 3))
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    assert by_id["gan.kernel_distance"].reference(a, b) == pytest.approx(9.5)


def test_the_blind_number_is_one_of_four():
    answer = REGISTRY.find("gan.blind_number")
    assert answer.right == "density"
    assert answer.options == ["coverage", "density", "frechet", "kernel"]
