"""Chapter 00's exercises: every known mistake in two writings is named, other right answers pass."""

from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer

EACH = (
    "squares = ((points[:, None] - mu) ** 2).sum(-1)\n"
    "each = -squares / (2 * log_std.exp() ** 2) - 2 * log_std - math.log(2 * math.pi)\n"
)
LOOP = (
    "columns = []\nfor k in range(len(mu)):\n"
    "    d = points - mu[k]\n    s2 = torch.exp(2 * log_std[k])\n"
    "    columns.append(-(d * d).sum(1) / 2 / s2 - torch.log(2 * math.pi * s2))\n"
    "each = torch.stack(columns, dim=1)\n"
)
STEP = "loss = loss_of(*parameters)\nloss.backward()\n"

WRONG = {
    "start.standardise": {
        "all_at_once": (
            "return (points - points.mean()) / points.std()",
            "flat = points.flatten()\nm = sum(flat) / len(flat)\n"
            "s = (((flat - m) ** 2).sum() / (len(flat) - 1)).sqrt()\nreturn (points - m) / s",
        ),
        "one_mean": (
            "return (points - points.mean()) / points.std(0)",
            "m = points.sum() / points.numel()\nreturn torch.stack([(c - m) / c.std() for c in points.T], dim=1)",
        ),
        "one_std": (
            "return (points - points.mean(0)) / points.std()",
            "s = points.flatten().std()\nreturn torch.stack([(c - c.mean()) / s for c in points.T], dim=1)",
        ),
        "rows": (
            "return (points - points.mean(1, keepdim=True)) / points.std(1, keepdim=True)",
            "return torch.stack([(p - p.mean()) / p.std() for p in points])",
        ),
        "along_rows": (
            "return (points - points.mean(1, keepdim=True)) / points.std(0)",
            "return torch.stack([p - p.mean() for p in points]) / torch.std(points, dim=0)",
        ),
        "not_centred": ("return points / points.std(0)", "return torch.stack([c / c.std() for c in points.T], dim=1)"),
        "not_scaled": ("return points - points.mean(0)", "return torch.stack([c - c.mean() for c in points.T], dim=1)"),
        "variance": (
            "return (points - points.mean(0)) / points.var(0)",
            "return (points - points.mean(0)) / points.std(0) ** 2",
        ),
        "divided_by_n": (
            "return (points - points.mean(0)) / points.std(0, unbiased=False)",
            "z = points - points.mean(0)\nreturn z / (z ** 2).mean(0).sqrt()",
        ),
        "changed_arguments": (
            "points -= points.mean(0)\nreturn points / points.std(0)",
            "points.sub_(points.mean(0))\npoints.div_(points.std(0))\nreturn points",
        ),
        "gradient_values": (
            "return (points - points.mean(0)) / points.std(0).detach()",
            "return (points - points.mean(0).detach()) / points.std(0)",
        ),
    },
    "start.mixture_log_density": {
        "log_of_each": (
            EACH + "return each @ logits.softmax(-1)",
            LOOP + "return torch.stack([(row * torch.softmax(logits, 0)).sum() for row in each])",
        ),
        "one_dimension": (
            "squares = ((points[:, None] - mu) ** 2).sum(-1)\n"
            "each = -squares / (2 * log_std.exp() ** 2) - log_std - math.log(2 * math.pi) / 2\n"
            "return torch.logsumexp(each + logits.log_softmax(-1), -1)",
            "std = log_std.exp()\nd = torch.linalg.vector_norm(points[:, None] - mu, dim=-1)\n"
            "each = -0.5 * (d / std) ** 2 - torch.log(std * math.sqrt(2 * math.pi))\n"
            "return (each + torch.log_softmax(logits, 0)).logsumexp(1)",
        ),
        "half_constant": (
            EACH.replace("math.log(2 * math.pi)", "math.log(2 * math.pi) / 2") + "return torch.logsumexp(each + logits.log_softmax(-1), -1)",
            LOOP + "each = each + math.log(2 * math.pi) / 2\nreturn torch.logsumexp(each + logits - logits.logsumexp(0), 1)",
        ),
        "width_once": (
            EACH.replace("- 2 * log_std", "- log_std") + "return torch.logsumexp(each + logits.log_softmax(-1), -1)",
            LOOP + "return torch.logsumexp(each + log_std + torch.log_softmax(logits, 0), 1)",
        ),
        "softmax_for_log_softmax": (
            EACH + "return torch.logsumexp(each + logits.softmax(-1), -1)",
            LOOP + "return (each + logits.exp() / logits.exp().sum()).logsumexp(1)",
        ),
        "shares_forgotten": (EACH + "return torch.logsumexp(each, -1)", LOOP + "return each.logsumexp(dim=1)"),
        "sum_of_logs": (
            EACH + "return (each + logits.log_softmax(-1)).sum(-1)",
            LOOP + "return each.sum(1) + torch.log_softmax(logits, 0).sum()",
        ),
        "never_zero": (
            EACH + "return ((each.exp() * logits.softmax(-1)).sum(-1) + 1e-12).log()",
            LOOP + "return torch.log(1e-12 + each.exp() @ torch.softmax(logits, 0))",
        ),
        "variance_for_std": (
            "squares = ((points[:, None] - mu) ** 2).sum(-1)\n"
            "each = -squares / (2 * log_std.exp()) - 2 * log_std - math.log(2 * math.pi)\n"
            "return torch.logsumexp(each + logits.log_softmax(-1), -1)",
            "d = points[:, None] - mu\neach = -(d * d).sum(-1) * torch.exp(-log_std) / 2\n"
            "return torch.logsumexp(each - log_std - log_std - math.log(2 * math.pi) + logits - logits.logsumexp(0), 1)",
        ),
        "equal_shares": (
            EACH + "return torch.logsumexp(each, -1) - math.log(len(mu))",
            LOOP + "m = each.max(1, keepdim=True).values\nreturn (each - m).exp().mean(1).log() + m[:, 0]",
        ),
        "logits_not_normalised": (
            EACH + "return torch.logsumexp(each + logits, -1)",
            LOOP + "m = (each + logits).max(1).values\nreturn (each + logits - m[:, None]).exp().sum(1).log() + m",
        ),
        "underflow": (
            EACH + "return (each.exp() * logits.softmax(-1)).sum(-1).log()",
            LOOP + "return torch.log(each.exp() @ torch.softmax(logits, 0))",
        ),
        "shape": (
            EACH + "return (each + logits.log_softmax(-1)).logsumexp(-1, keepdim=True)",
            EACH + "return (each + logits.log_softmax(-1)).logsumexp(0)",
        ),
    },
    "start.gradient_step": {
        "ascent": (
            STEP + "for p in parameters:\n    p.data += rate * p.grad\n    p.grad = None\nreturn loss.item()",
            "loss = loss_of(*parameters)\ngrads = torch.autograd.grad(loss, parameters)\n"
            "with torch.no_grad():\n    for p, g in zip(parameters, grads):\n        p.add_(g, alpha=rate)\nreturn loss.item()",
        ),
        "not_zeroed": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= rate * p.grad\nreturn loss.item()",
            STEP + "torch.optim.SGD(parameters, lr=rate).step()\nreturn float(loss)",
        ),
        "not_moved": (
            STEP + "for p in parameters:\n    p = p - rate * p.grad\n    p.grad = None\n"
            "for p in parameters:\n    p.grad = None\nreturn loss.item()",
            STEP + "for p in parameters:\n    p.grad.zero_()\n    p.data -= rate * p.grad\nreturn loss.item()",
        ),
        "rate_ignored": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= p.grad\n        p.grad = None\nreturn loss.item()",
            "optimizer = torch.optim.SGD(parameters, lr=1)\n" + STEP + "optimizer.step()\noptimizer.zero_grad()\nreturn loss.item()",
        ),
        "normalised": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= rate * p.grad / p.grad.norm()\n"
            "        p.grad = None\nreturn loss.item()",
            "loss = loss_of(*parameters)\nfor p, g in zip(parameters, torch.autograd.grad(loss, parameters)):\n"
            "    p.data.sub_(rate * g / g.square().sum().sqrt())\nreturn loss.item()",
        ),
        "first_only": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= rate * p.grad\n"
            "        for q in parameters:\n            q.grad = None\n        return loss.item()",
            "loss = loss_of(*parameters)\n(g,) = torch.autograd.grad(loss, parameters[0])\nparameters[0].data -= rate * g\nreturn loss.item()",
        ),
        "loss_after": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= rate * p.grad\n        p.grad = None\n"
            "return loss_of(*parameters).item()",
            "optimizer = torch.optim.SGD(parameters, lr=rate)\n" + STEP + "optimizer.step()\noptimizer.zero_grad()\n"
            "with torch.no_grad():\n    return loss_of(*parameters)",
        ),
        "graph_kept": (
            STEP + "with torch.no_grad():\n    for p in parameters:\n        p -= rate * p.grad\n        p.grad = None\nreturn loss",
            "optimizer = torch.optim.SGD(parameters, lr=rate)\noptimizer.zero_grad()\n" + STEP + "optimizer.step()\nreturn loss",
        ),
        "raised": (
            STEP + "for p in parameters:\n    p -= rate * p.grad\n    p.grad = None\nreturn loss.item()",
            "loss = loss_of(*parameters)\nfor p in parameters:\n    p.data -= rate * p.grad\nreturn loss.item()",
        ),
        "type": (
            STEP + "for p in parameters:\n    p.data -= rate * p.grad\n    p.grad = None\nreturn parameters",
            STEP + "for p in parameters:\n    p.data -= rate * p.grad\n    p.grad = None\nreturn str(loss)",
        ),
    },
}  # fmt: skip

RIGHT = {
    "start.standardise": (
        "return torch.stack([(c - c.mean()) / c.std() for c in points.T], dim=1)",
        "z = points - torch.einsum('nd->d', points) / len(points)\nreturn z / (z.square().sum(0) / (len(z) - 1)).sqrt()",
    ),
    "start.mixture_log_density": (
        LOOP + "return torch.logsumexp(each + logits - torch.logsumexp(logits, 0), 1)",
        EACH + "joint = each + torch.log(logits.softmax(0))\nm = joint.amax(1, keepdim=True)\n"
        "return (joint - m).exp().sum(1).log() + m.squeeze(1)",
    ),
    "start.gradient_step": (
        "loss = loss_of(*parameters)\nfor p, g in zip(parameters, torch.autograd.grad(loss, parameters)):\n"
        "    p.data.sub_(rate * g)\nreturn loss.detach()",
        "optimizer = torch.optim.SGD(parameters, lr=rate)\noptimizer.zero_grad()\n" + STEP + "optimizer.step()\nreturn float(loss)",
    ),
}  # fmt: skip


def test_a_step_that_returns_nothing_is_unfinished():
    body = STEP + "for p in parameters:\n    p.data -= rate * p.grad\n    p.grad = None"
    verdict = check(written(REGISTRY.find("start.gradient_step"), body), REGISTRY.find("start.gradient_step"))
    assert (verdict.state, verdict.key) == ("unfinished", "none")


def test_new_tensors_in_the_list_are_no_parameters_moved_in_place():
    """The caller's tensors stay where they were, so that the cells that follow would train nothing."""
    body = STEP + (
        "for i, p in enumerate(parameters):\n"
        "    parameters[i] = (p - rate * p.grad).detach().requires_grad_()\n    p.grad = None\nreturn loss.item()"
    )
    verdict = check(written(REGISTRY.find("start.gradient_step"), body), REGISTRY.find("start.gradient_step"))
    assert (verdict.state, verdict.key) == ("wrong", "not_moved")


def test_a_parameter_may_be_a_number_without_axes():
    """As in the cell that follows; one that is written into by p[:] stops there with an IndexError."""
    body = STEP + "for p in parameters:\n    p.data[:] = p.data - rate * p.grad\n    p.grad = None\nreturn loss.item()"
    verdict = check(written(REGISTRY.find("start.gradient_step"), body), REGISTRY.find("start.gradient_step"))
    assert (verdict.state, verdict.key) == ("wrong", "raised")
    right = body.replace("[:]", "[...]")
    assert (
        check(written(REGISTRY.find("start.gradient_step"), right), REGISTRY.find("start.gradient_step")).state
        == "right"
    )


def test_an_update_without_no_grad_is_met_with_pytorchs_own_words():
    body = STEP + "for p in parameters:\n    p -= rate * p.grad\nreturn loss.item()"
    verdict = check(written(REGISTRY.find("start.gradient_step"), body), REGISTRY.find("start.gradient_step"))
    assert "in-place operation" in " ".join(verdict.lines)
    assert verdict.lines[0].startswith("called with a loss of one number and rate = 0.02")


def test_the_right_answers():
    assert [e.right for e in REGISTRY.chapters["00_start_here"].values() if isinstance(e, Answer)] == [
        "rate_too_small",
        "not_zeroed",
        "too_few_points",
    ]
