"""Chapter 11's exercises: every known mistake in two writings is named, other right answers pass."""

import math

import pytest
import torch
from torch import nn
from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer


def step(
    start="fake = generator(z)", d_clear="d_optimizer.zero_grad()", d_fake="fake.detach()", of="{}", d_real="-a", d_sum="b",
    between="", g_clear="g_optimizer.zero_grad()", g_fake="fake", g_loss="F.softplus(-c).mean()", after="",
    back="d_loss, g_loss",
):  # fmt: skip
    """With softplus, the fakes made once."""
    return (
        f"import torch.nn.functional as F\n{start}\n{d_clear}\n"
        f"a, b = {of.format('discriminator(real)')}, {of.format(f'discriminator({d_fake})')}\n"
        f"d_loss = F.softplus({d_real}).mean() + F.softplus({d_sum}).mean()\nd_loss.backward(retain_graph=True)\n"
        f"d_optimizer.step()\n{between}\n{g_clear}\nc = {of.format(f'discriminator({g_fake})')}\ng_loss = {g_loss}\n"
        f"g_loss.backward()\ng_optimizer.step()\n{after}\nreturn {back}"
    )


def bce(
    d="bce(discriminator(real), ones) + bce(discriminator(generator(z).detach()), 0 * ones)",
    g="bce(discriminator(generator(z)), ones)",
    end="d_optimizer.zero_grad()\ng_optimizer.zero_grad()",
    d_turn="d_optimizer.zero_grad()\nd_loss.backward()\nd_optimizer.step()",
    g_turn="g_optimizer.zero_grad()\ng_loss.backward()\ng_optimizer.step()",
    back="return [d_loss.item(), g_loss.item()]",
    order="d_loss = {d}\n{d_turn}\ng_loss = {g}\n{g_turn}",
):
    """With cross-entropy and targets, the fakes made twice."""
    return (
        "from torch.nn.functional import binary_cross_entropy_with_logits as bce\nones = torch.ones(len(real))\n"
        f"{order.format(d=d, d_turn=d_turn, g=g, g_turn=g_turn)}\n{end}\n{back}"
    )


BY_HAND = (  # no .grad is left by anything, so that nothing needs to be cleared
    "import torch.nn.functional as F\ndef turn(loss, network, optimizer):\n"
    "    own = list(network.parameters())\n    for p, g in zip(own, torch.autograd.grad(loss, own)):\n        p.grad = g\n"
    "    optimizer.step()\n    return loss.detach()\n"
    "with torch.no_grad():\n    fixed = generator(z)\n"
    "d = turn(-F.logsigmoid(discriminator(real)).mean() - F.logsigmoid(-discriminator(fixed)).mean(), discriminator, "
    "d_optimizer)\n"
    "return d, turn(-F.logsigmoid(discriminator(generator(z))).mean(), generator, g_optimizer)"
)

FROZEN = step(
    d_clear="discriminator.zero_grad()",
    g_clear="generator.zero_grad()\ndiscriminator.requires_grad_(False)",
    after="discriminator.requires_grad_(True)",
)

BOTH = "d_optimizer.zero_grad()\ng_optimizer.zero_grad()"


def distance(
    root="vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T",
    shared="torch.linalg.eigvalsh(root @ other_sigma @ root).clamp(min=0).sqrt().sum()",
    means="((mu - other_mu) ** 2).sum()",
    back="means + torch.trace(sigma + other_sigma) - 2 * shared",
):
    return (
        f"values, vectors = torch.linalg.eigh(sigma)\nroot = {root}\nshared = {shared}\nmeans = {means}\nreturn {back}"
    )


def by_product(
    shared="torch.linalg.eigvals(sigma @ other_sigma).real.clamp(min=0).sqrt().sum().item()",
    means="sum((a - b) ** 2 for a, b in zip(mu.tolist(), other_mu.tolist()))",
    back="means + sum((sigma + other_sigma).diagonal().tolist()) - 2 * shared",
):
    """In Python's numbers, from the eigenvalues of the product."""
    return f"shared = {shared}\nmeans = {means}\nreturn {back}"


BY_SINGULAR_VALUES = (
    "u, s, _ = torch.linalg.svd(sigma)\nv, t, _ = torch.linalg.svd(other_sigma)\n"
    "shared = torch.linalg.matrix_norm((u * s.sqrt()).T @ (v * t.sqrt()), ord='nuc')\n"
    "return float((mu - other_mu).dot(mu - other_mu) + s.sum() + t.sum() - 2 * shared)"
)

ROOTS = "values, vectors = torch.linalg.eigh({})\n{} = (vectors * values.clamp(min=0).sqrt()) @ vectors.T\n"
BOTH_ROOTS = ROOTS.format("sigma", "one") + ROOTS.format("other_sigma", "two")


training_step = REGISTRY.find("gan.training_step")

WRONG = {
    "gan.training_step": {
        "no_detach": (
            step(start="fake = generator(z)\n" + BOTH, d_clear="", d_fake="fake", g_clear=""),
            bce("bce(discriminator(real), ones) + bce(discriminator(generator(z)), 0 * ones)",
                d_turn=BOTH + "\nd_loss.backward()\nd_optimizer.step()", g_turn="g_loss.backward()\ng_optimizer.step()"),
        ),
        "not_cleared": (
            step(d_clear="", g_clear=""),
            bce(d_turn="d_loss.backward()\nd_optimizer.step()", g_turn="g_loss.backward()\ng_optimizer.step()", end=""),
        ),
        "d_never_cleared": (step(d_clear=""), bce(d_turn="d_loss.backward()\nd_optimizer.step()", end="g_optimizer.zero_grad()")),
        "g_never_cleared": (step(g_clear=""), bce(g_turn="g_loss.backward()\ng_optimizer.step()", end="d_optimizer.zero_grad()")),
        "d_not_cleared": (
            step(d_clear="", between="d_optimizer.zero_grad()"),
            bce(d_turn="d_loss.backward()\nd_optimizer.step()\ndiscriminator.zero_grad()", end="generator.zero_grad()"),
        ),
        "simultaneous": (
            "import torch.nn.functional as F\nfake, own = generator(z), list(generator.parameters())\n"
            "g_loss = F.softplus(-discriminator(fake)).mean()\ngrads = torch.autograd.grad(g_loss, own, retain_graph=True)\n"
            "d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()\n"
            "d_optimizer.zero_grad()\nd_loss.backward()\nd_optimizer.step()\n"
            "for p, g in zip(own, grads):\n    p.grad = g\ng_optimizer.step()\nreturn d_loss, g_loss",
            bce(order="d_loss = {d}\ng_loss = {g}\ng_optimizer.zero_grad()\ng_loss.backward()\nd_optimizer.zero_grad()\n"
                "d_loss.backward()\nd_optimizer.step()\ng_optimizer.step()"),
        ),
        "generator_first": (
            bce(order="g_loss = {g}\n{g_turn}\nd_loss = {d}\n{d_turn}"),
            "from torch.nn.functional import softplus\ng_optimizer.zero_grad()\n"
            "g_loss = softplus(-discriminator(generator(z))).mean()\ng_loss.backward()\ng_optimizer.step()\n"
            "d_optimizer.zero_grad()\nwith torch.no_grad():\n    fake = generator(z)\n"
            "d_loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()\nd_loss.backward()\n"
            "d_optimizer.step()\nreturn d_loss, g_loss",
        ),
        "both_move": (
            step(g_clear=BOTH, after="d_optimizer.step()"),
            bce(g_turn=BOTH + "\ng_loss.backward()\nd_optimizer.step()\ng_optimizer.step()"),
        ),
        "generator_stands_still": (
            step(start="fake = generator(z).detach()"),
            bce(g_turn="g_optimizer.zero_grad()\ng_loss.backward()"),
        ),
        "saturating": (step(g_loss="-F.softplus(c).mean()"), bce(g="-bce(discriminator(generator(z)), 0 * ones)")),
        "swapped": (
            step(d_real="a", d_sum="-b"),
            bce("bce(discriminator(real), 0 * ones) + bce(discriminator(generator(z).detach()), ones)"),
        ),
        "sigmoid_twice": (
            step(of="{}.sigmoid()"),
            bce("bce(torch.sigmoid(discriminator(real)), ones) + bce(torch.sigmoid(discriminator(generator(z).detach())), 0 * ones)",
                "bce(torch.sigmoid(discriminator(generator(z))), ones)"),
        ),
        "halved": (
            bce("bce(discriminator(torch.cat([real, generator(z).detach()])), torch.cat([ones, 0 * ones]))"),
            step(d_clear="d_optimizer.zero_grad()\nD = discriminator", d_sum="b").replace("softplus(b).mean()",
                "softplus(b).mean()\nd_loss = 0.5 * d_loss"),
        ),
        "summed": (
            step(g_loss="F.softplus(-c).sum()").replace("(-a).mean()", "(-a).sum()").replace("(b).mean()", "(b).sum()"),
            "bce = lambda x, y: torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction='sum')\n"
            + bce().split("\n", 1)[1],
        ),
        "exchanged_losses": (step(back="g_loss, d_loss"), bce(back="return g_loss, d_loss.detach()")),
        "left_in_d": (
            step(),  # leaves a gradient in D, though it clears it before D's next turn
            bce(end="g_optimizer.zero_grad()"),
        ),
        "d_cleared_afterwards": (
            step(d_clear="", g_clear="", between=BOTH, after=BOTH),
            bce(d_turn="d_loss.backward()\nd_optimizer.step()"),
        ),
        "both_cleared_afterwards": (
            step(d_clear="", g_clear="", after=BOTH),
            bce(d_turn="d_loss.backward()\nd_optimizer.step()", g_turn="g_loss.backward()\ng_optimizer.step()"),
        ),
        "d_steps_last": (
            step(after="d_optimizer.step()\nd_optimizer.zero_grad()").replace("d_optimizer.step()\n", "", 1),
            bce(d_turn="d_optimizer.zero_grad()\nd_loss.backward()",
                g_turn="g_optimizer.zero_grad()\ng_loss.backward()\ng_optimizer.step()\nd_optimizer.step()"),
        ),
        "discriminator_moves_once": (
            step(g_clear=BOTH, g_loss="-F.softplus(c).mean()", after="d_optimizer.step()"),
            bce(d_turn="d_optimizer.zero_grad()\nd_loss.backward()\nd_optimizer.step()\nd_optimizer.step()"),
        ),
        "values": (step(back="d_loss"), bce(back="return d_loss, g_loss, generator(z)")),
        "changed_arguments": (step(start="real *= 0.5\nfake = generator(z)"), bce(back="z.zero_()\nreturn d_loss, g_loss")),
        "raised": (
            step(d_fake="fake").replace("retain_graph=True", ""),  # a second time through the same graph
            bce(g_turn="discriminator.requires_grad_(False)\ng_loss.backward()\ng_optimizer.step()"),  # and never back
        ),
    },
    "gan.gaussian_frechet_distance": {
        "root_of_product_elementwise": (
            distance(shared="torch.trace((sigma @ other_sigma) ** 0.5)"),
            by_product("(sigma @ other_sigma).diagonal().sqrt().sum().item()"),
        ),
        "not_squared_mean": (distance(means="(mu - other_mu).norm()"), by_product(means="math.dist(mu, other_mu)")),
        "one_root": (
            distance(back="means + torch.trace(sigma + other_sigma) - shared"),
            by_product(back="means + (sigma + other_sigma).trace().item() - shared"),
        ),
        "no_root": (
            distance(shared="(sigma * other_sigma).sum()"),
            by_product("torch.linalg.eigvals(sigma @ other_sigma).real.sum().item()"),
        ),
        "frobenius": (
            BOTH_ROOTS + "return ((mu - other_mu) ** 2).sum() + ((one - two) ** 2).sum()",
            BOTH_ROOTS + "shared = torch.einsum('ij,ji->', one, two)\n"
            "return (mu - other_mu).norm() ** 2 + sigma.trace() + other_sigma.trace() - 2 * shared",
        ),
        "one_triangle": (
            distance(shared="torch.linalg.eigvalsh(sigma @ other_sigma).clamp(min=0).sqrt().sum()"),
            by_product("torch.linalg.eigh(sigma @ other_sigma)[0].relu().sqrt().sum().item()"),
        ),
        "not_finite": (  # rounding makes a little less than 0 of an eigenvalue that is 0
            distance(shared="torch.linalg.eigvalsh(root @ other_sigma @ root).sqrt().sum()"),
            distance(root="(vectors * values.relu().sqrt()) @ vectors.T", shared="torch.linalg.eigh(root @ other_sigma @ root)[0].pow(0.5).sum()"),
        ),
        "traces_of_roots": (
            BOTH_ROOTS + "return ((mu - other_mu) ** 2).sum() + (sigma + other_sigma).trace() - 2 * one.trace() * two.trace()",
            by_product("torch.linalg.eigvalsh(sigma).clamp(min=0).sqrt().sum().item() * "
                       "torch.linalg.eigvalsh(other_sigma).clamp(min=0).sqrt().sum().item()"),
        ),
        "root_of_trace": (
            distance(shared="torch.trace(root @ other_sigma @ root).clamp(min=0).sqrt()"),
            by_product("math.sqrt((sigma * other_sigma).sum())"),
        ),
        "values": (  # in float32: right where nothing cancels
            distance("torch.linalg.cholesky(sigma.float() + 1e-7 * torch.eye(len(mu)))",
                     "torch.linalg.svdvals(root.T @ torch.linalg.cholesky(other_sigma.float() + 1e-7 * torch.eye(len(mu)))).sum().double()"),
            BY_SINGULAR_VALUES.replace("(sigma)", "(sigma.float())").replace("(other_sigma)", "(other_sigma.float())"),
        ),
        "root_at_the_end": (
            distance(back="(means + torch.trace(sigma + other_sigma) - 2 * shared) ** 0.5"),
            by_product(back="math.sqrt(means + (sigma + other_sigma).trace() - 2 * shared)"),
        ),
        "mean_only": (distance(back="means"), by_product(back="means")),
        "raised": (  # a covariance without an inverse has no Cholesky factor
            distance("torch.linalg.cholesky(sigma)", "torch.linalg.svdvals(root.T @ torch.linalg.cholesky(other_sigma)).sum()"),
            by_product("torch.linalg.svdvals(torch.linalg.cholesky(sigma).T @ torch.linalg.cholesky(other_sigma)).sum()"),
        ),
    },
}  # fmt: skip

RIGHT = {
    "gan.training_step": (
        step(after="d_optimizer.zero_grad()"),
        step(
            d_clear="d_optimizer.zero_grad(set_to_none=False)",
            d_fake="fake",
            between="generator.zero_grad()",
            after="discriminator.zero_grad(set_to_none=False)",
        ),
        step(d_clear=BOTH, g_clear="", after="for p in discriminator.parameters():\n    p.grad = None"),
        bce(),
        BY_HAND,
        FROZEN,
    ),
    "gan.gaussian_frechet_distance": (
        distance(),
        by_product(),
        BY_SINGULAR_VALUES,
        "import numpy as np\nfrom scipy.linalg import sqrtm\n"
        "a, b = sqrtm(sigma.numpy()).real, sqrtm(other_sigma.numpy()).real\n"
        "shared = np.linalg.svd(a @ b, compute_uv=False).sum()\n"
        "return ((mu - other_mu).numpy() ** 2).sum() + np.trace(sigma + other_sigma) - 2 * shared",
    ),
}


def test_what_comes_back_is_named_where_it_is_no_pair():
    says = check(written(training_step, step(back="d_loss")), training_step).lines
    assert "what comes back: 'one thing, ()' came back; expected 'a pair of numbers'" in says[-1]
    says = check(written(training_step, step(back="d_loss, g_loss, fake")), training_step).lines
    assert "'a tuple of 3' came back" in says[-1]
    assert check(written(training_step, step(back="None")), training_step).state == "unfinished"


def test_a_loss_that_is_not_finite_is_named():
    body = step(back="d_loss, g_loss * torch.nan")
    assert check(written(training_step, body), training_step).key == "not_finite"


def test_a_leak_shows_in_the_second_step():
    """The first step begins without gradients, and is right."""
    says = check(written(training_step, step(d_clear="")), training_step).lines
    assert "d_loss of the two steps: 1 of 2 numbers differ, most at [1]" not in says[1]  # D moves after its loss
    assert "at [1" in says[1]


def test_the_check_leaves_the_default_dtype_even_if_the_step_raises():
    probe = training_step.probes()[0]

    def fails(*_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        training_step.trial(fails, *probe.args)
    assert torch.get_default_dtype() == torch.float32


def test_the_worked_values_of_the_stubs():
    """G(z) = g z with g = −1, D(x) = d x with d = 0: −1 + σ(1) is where G ends; distance 10."""
    by_id = REGISTRY.chapters["11_gan_images"]
    networks = [nn.Sequential(nn.Linear(1, 1, bias=False)) for _ in range(2)]
    networks[1].append(nn.Flatten(0))
    for network, start in zip(networks, (-1.0, 0.0), strict=True):
        nn.init.constant_(network[0].weight, start)
    optimizers = [torch.optim.SGD(network.parameters(), 1.0) for network in networks]
    one = torch.ones(1, 1)
    losses = training_step.reference(*networks, *optimizers, one, one)
    found = [*losses, *(network[0].weight for network in networks)]
    expected = [2 * math.log(2), math.log(1 + math.e), -1 + 1 / (1 + math.exp(-1)), 1.0]
    assert [x.item() for x in found] == pytest.approx(expected, abs=1e-6)
    mu, sigma = torch.zeros(1), torch.ones(1, 1)
    assert by_id["gan.gaussian_frechet_distance"].reference(mu, sigma, mu + 3, 4 * sigma) == pytest.approx(10)


def test_the_answers():
    answers = {id: e for id, e in REGISTRY.chapters["11_gan_images"].items() if isinstance(e, Answer)}
    assert {id: e.right for id, e in answers.items()} == {
        "gan.symptom_1": "sigmoid_twice",
        "gan.symptom_2": "wrong_range",
        "gan.symptom_3": "collapse",
    }
    assert all(e.options == answers["gan.symptom_1"].options and len(e.options) == 6 for e in answers.values())


def test_the_bounds_of_a_sigmoid_put_on_twice():
    """softplus(−1) and softplus(0) bound the generator's loss, softplus(−1) + softplus(0) the discriminator's below."""
    beliefs = torch.linspace(0, 1, 101, dtype=torch.float64)
    softplus = nn.functional.softplus
    g_losses = softplus(-beliefs)
    d_losses = softplus(-beliefs)[:, None] + softplus(beliefs)
    assert (g_losses.min().item(), g_losses.max().item()) == pytest.approx((0.313, 0.693), abs=5e-4)
    assert d_losses.min().item() == pytest.approx(1.006, abs=5e-4)
    says = REGISTRY.find("gan.symptom_2").wrong["sigmoid_twice"]
    assert all(number in says for number in ("1.006", "0.313", "0.693"))
