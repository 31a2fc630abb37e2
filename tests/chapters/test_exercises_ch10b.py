"""Chapter 10b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

F = "torch.nn.functional"


def power(
    v="v / v.norm()",
    u="u / u.norm()",
    back="torch.dot(u, torch.mv(weight, v)), u, v",
    rounds="steps",
    graph="no_grad()",
):
    return (
        f"with torch.{graph}:\n    for _ in range({rounds}):\n        v = torch.mv(weight.t(), u)\n        v = {v}\n"
        f"        u = torch.mv(weight, v)\n        u = {u}\nreturn {back}"
    )


def normalised(
    v="F.normalize(u @ W, dim=0)", u="F.normalize(W @ v, dim=0)", back="(weight * u[:, None] * v).sum()", pair="u, v",
    rounds="steps", W="weight.detach()",
):  # fmt: skip
    return (
        f"import torch.nn.functional as F\nW = {W}\nu = u{'' if W == 'weight' else '.detach()'}\nfor _ in range({rounds}):\n"
        f"    v = {v}\n    old, u = u, {u}\nreturn {back}, {pair}"
    )


def penalty(
    x="t * real + (1 - t) * fake", graph="True", norm="g.flatten(1).norm(2, dim=1)", back="((norm - 1) ** 2).mean()",
    logits="discriminator(x).sum()", t="t.reshape([-1] + [1] * (real.dim() - 1))",
):  # fmt: skip
    return (
        f"t = {t}\nx = ({x}).detach()\nx.requires_grad_(True)\n"
        f"g = torch.autograd.grad({logits}, x, create_graph={graph})[0]\nnorm = {norm}\nreturn {back}"
    )


def one_by_one(
    x="t[i] * real[i] + (1 - t[i]) * fake[i]", graph="create_graph=True", term="(g.norm() - 1) ** 2", back="total / len(t)",
    grad="grad(discriminator(x).squeeze(), x, {})",
):  # fmt: skip
    """Example by example."""
    return (
        "from torch.autograd import grad\ntotal = 0\nfor i in range(len(t)):\n"
        f"    x = ({x}).unsqueeze(0).clone().requires_grad_()\n    (g,) = {grad.format(graph)}\n    total = total + {term}\n"
        f"return {back}"
    )


WRONG = {
    "gan.power_iteration": {
        "not_normalised": (power("v", "u"), normalised("u @ W", "W @ v")),
        "u_not_normalised": (power(u="u"), normalised(u="W @ v")),
        "old_u": (
            normalised(back="old @ weight @ v"),
            "with torch.no_grad():\n    for _ in range(steps):\n        before = u.clone()\n        v = weight.t().mv(u)\n"
            "        v = v / v.norm()\n        u = weight.mv(v)\n        u = u / u.norm()\n"
            "return before.dot(weight.mv(v)), u, v",
        ),
        "squared": (
            power(back="torch.dot(u, torch.mv(weight, v)) ** 2, u, v"),
            normalised(back="(u @ weight @ v).square()"),
        ),
        "swapped": (power(back="torch.dot(u, torch.mv(weight, v)), v, u"), normalised(pair="v, u")),
        "through": (power(graph="enable_grad()"), normalised(W="weight")),
        "no_gradient": (power(back="u @ weight.detach() @ v, u.detach(), v.detach()"), normalised(back="u @ W @ v")),
        "one_step": (power(rounds="1"), normalised(rounds="min(steps, 1)")),
        "stale": (
            "for i in range(steps):\n    v = (weight.T @ u).detach()\n    v = v / v.norm()\n    if i < steps - 1:\n"
            "        u = (weight @ v).detach()\n        u = u / u.norm()\nu = u.detach()\nreturn u @ weight @ v, u, v",
            normalised(back="old @ weight @ v", pair="old, v"),
        ),
    },
    "gan.gradient_penalty": {
        "no_graph": (penalty(graph="False"), one_by_one(graph="retain_graph=True")),
        "at_real": (penalty("real"), one_by_one("real[i]")),
        "at_fake": (penalty("fake"), one_by_one("fake[i]")),
        "exchanged": (penalty("torch.lerp(real, fake, t)"), one_by_one("t[i] * fake[i] + (1 - t[i]) * real[i]")),
        "whole_batch": (
            penalty(norm="g.norm()"),
            one_by_one(term="(g ** 2).sum()", back="(total ** 0.5 - 1) ** 2"),
        ),
        "axis": (
            penalty(norm="g.flatten(1).norm(2, dim=0)"),
            one_by_one(term="g.flatten() ** 2", back="((total.sqrt() - 1) ** 2).mean()"),
        ),
        "not_flattened": (
            penalty(norm="g.norm(2, dim=1)"),
            one_by_one(term="((g.square().sum(1).sqrt() - 1) ** 2).mean()"),
        ),
        "squared_norm": (penalty(norm="(g.flatten(1) ** 2).sum(1)"), one_by_one(term="((g * g).sum() - 1) ** 2")),
        "mean_norm": (penalty(back="(norm.mean() - 1) ** 2"), one_by_one(term="g.norm()", back="(total / len(t) - 1) ** 2")),
        "target_0": (penalty(back="(norm ** 2).mean()"), one_by_one(term="g.square().sum()")),
        "not_squared": (penalty(back="(norm - 1).mean()"), one_by_one(term="g.norm() - 1")),
        "sum": (penalty(back="((norm - 1) ** 2).sum()"), one_by_one(back="total")),
        "mean_logits": (penalty(logits="discriminator(x).mean()"), one_by_one(term="(g.norm() / len(t) - 1) ** 2")),
        "one_t": (penalty(t="t[0]"), one_by_one("t[0] * real[i] + (1 - t[0]) * fake[i]")),
    },
}  # fmt: skip

RIGHT = {
    "gan.power_iteration": (
        power(),
        normalised(),
        power(v="F(v, dim=0)", u="F(u, dim=0)").replace("with", "F = torch.nn.functional.normalize\nwith", 1),
    ),
    "gan.gradient_penalty": (penalty(), one_by_one()),
}


def test_the_answer_is_one_of_its_words():
    (answer,) = (e for e in REGISTRY.chapters["10b_steepness"].values() if isinstance(e, Answer))
    assert answer.right == "between_1_and_3"
    assert len(answer.options) == 5
