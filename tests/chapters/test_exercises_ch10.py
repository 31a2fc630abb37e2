"""Chapter 10's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

F = "torch.nn.functional"


def roots(half="-gamma / 2", inside="gamma ** 2 / 4 - slope ** 2", order="[half + root, half - root]"):
    return (
        f"half = {half}\nroot = torch.sqrt(({inside}).to(torch.complex128))\n"
        f"values = torch.stack({order}, dim=-1)\nreturn values.real, values.imag"
    )


def by_algebra(trace="-gamma", determinant="slope ** 2", order="(-1,)", flip=True):
    """Eigenvalues of the companion matrix, sorted by hand."""
    return (
        f"rows = [[torch.zeros_like(slope), torch.ones_like(slope)], [-({determinant}) + 0 * slope, {trace} + 0 * slope]]\n"
        "matrix = torch.stack([torch.stack(r, -1) for r in rows], -2)\n"
        "values = torch.linalg.eigvals(matrix)\n"
        "key = values.real.round(decimals=9) * 1000 + values.imag\n"
        f"order = key.argsort(-1, descending={flip})\n"
        "values = values.gather(-1, order)\nreturn [values.real, values.imag]"
    )


def split(
    inside="gamma * gamma / 4 - slope * slope", half="gamma / 2", sign="-", negative="torch.sqrt(-inside.clamp(max=0))"
):
    """Without complex numbers."""
    return (
        f"inside = {inside}\nhalf = {half}\nreal = torch.sqrt(inside.clamp(min=0))\nimag = {negative}\n"
        f"return torch.stack([{sign}half + real, {sign}half - real], -1), torch.stack([imag, -imag], -1)"
    )


def turns(
    d="theta * torch.sigmoid(psi * theta)", penalty="+ gamma * psi", new="psi - rate_d * g", sees="new",
    pull="torch.sigmoid(-sees * theta)",
):  # fmt: skip
    return f"g = {d} {penalty}\nnew = {new}\nsees = {sees}\ntheta = theta + rate_g * sees * {pull}\nreturn theta, new"


def autograd(
    d="F.softplus(b * a).sum() + gamma / 2 * (b ** 2).sum()",
    g="F.softplus(-b * a).sum()",
    sign="-",
    order="dg",
    stale=False,
    cut=True,
):
    """Both gradients by autograd."""
    d_turn = (
        f"(grad,) = torch.autograd.grad({d}, b, create_graph=True)\n{'c' if stale else 'b'} = b {sign} rate_d * grad"
    )
    g_turn = f"{'b = b.detach()' if cut else ''}\n(grad,) = torch.autograd.grad({g}, a)\na = a - rate_g * grad"
    parts = [d_turn, g_turn] if order == "dg" else [g_turn + "\nb = b.requires_grad_()", d_turn]
    start = "import torch.nn.functional as F\na, b = theta.detach().requires_grad_(), psi.detach().requires_grad_()"
    return f"{start}\n{parts[0]}\n{parts[1]}\nreturn [a, {'c' if stale else 'b'}]"


WRONG = {
    "gan.dirac_eigenvalues": {
        "plus_gamma": (roots("gamma / 2"), split(sign="+")),
        "gamma_not_halved": (roots("-gamma", "gamma ** 2 - slope ** 2"), split("gamma ** 2 - slope ** 2", "gamma")),
        "missing_quarter": (roots(inside="gamma ** 2 - slope ** 2"), split("gamma * gamma - slope * slope")),
        "root_not_halved": (
            roots(inside="gamma ** 2 - 4 * slope ** 2"),
            split("gamma * gamma - 4 * slope * slope"),
        ),
        "whole_gamma": (roots("-gamma"), split(half="gamma")),
        "slope_not_squared": (roots(inside="gamma ** 2 / 4 - slope"), by_algebra(determinant="slope")),
        "plus_slope": (roots(inside="gamma ** 2 / 4 + slope ** 2"), by_algebra(determinant="-slope ** 2")),
        "minus_first": (roots(order="[half - root, half + root]"), by_algebra(flip=False)),
        "clamped": (roots(inside="(gamma ** 2 / 4 - slope ** 2).relu()"), split(negative="torch.zeros_like(real)")),
    },
    "gan.alternating_step": {
        "simultaneous": (turns(sees="psi"), autograd(stale=True)),
        "generator_first": (
            autograd(order="gd"),
            "theta = theta + rate_g * psi / (1 + torch.exp(psi * theta))\n"
            "psi = psi - rate_d * (theta / (1 + torch.exp(-psi * theta)) + gamma * psi)\nreturn theta, psi",
        ),
        "linearised": (
            turns(d="theta / 2", pull="0.5"),
            "psi = (1 - rate_d * gamma) * psi - 0.5 * rate_d * theta\nreturn theta + 0.5 * rate_g * psi, psi",
        ),
        "rates_exchanged": (
            "rate_g, rate_d = rate_d, rate_g\n" + turns(),
            "rate_g, rate_d = rate_d, rate_g\n" + autograd(),
        ),
        "penalty_without_rate": (
            turns(penalty="", new="psi - rate_d * g - gamma * psi"),
            "old = psi\n" + turns(penalty="", new="psi - rate_d * g").replace("sees = new", "new = new - gamma * old\nsees = new"),
        ),
        "no_penalty": (turns(penalty=""), autograd("F.softplus(b * a).sum()")),
        "half_penalty": (turns(penalty="+ gamma * psi / 2"), autograd("F.softplus(b * a).sum() + gamma / 4 * (b ** 2).sum()")),
        "penalty_feeds": (turns(penalty="- gamma * psi"), autograd("F.softplus(b * a).sum() - gamma / 2 * (b ** 2).sum()")),
        "ascends": (
            turns(d="-theta * torch.sigmoid(psi * theta)"),
            autograd("-F.softplus(b * a).sum() + gamma / 2 * (b ** 2).sum()"),
        ),
        "raised": (  # of single numbers: the shapes are (...), and a later cell hands over two numbers
            "pairs = [(a, b - rate_d * (a * torch.sigmoid(a * b) + gamma * b)) for a, b in zip(theta, psi)]\n"
            "psi = torch.stack([b for _, b in pairs])\nreturn theta + rate_g * psi * torch.sigmoid(-psi * theta), psi",
            turns(new="torch.stack([psi[i] - rate_d * g[i] for i in range(len(psi))])"),
        ),
        "values": (  # cut off, as some do with probabilities
            turns(pull="torch.sigmoid(-sees * theta).clamp(0.01, 0.99)"),
            turns(d="theta * torch.sigmoid((psi * theta).clamp(-5, 5))"),
        ),
        "saturating": (turns(pull="torch.sigmoid(sees * theta)"), autograd(g="-F.softplus(b * a).sum()")),
        "unrolled": (
            autograd(cut=False),
            "s = torch.sigmoid(psi * theta)\nnew = (1 - rate_d * gamma) * psi - rate_d * theta * s\n"
            "slope = new - rate_d * theta * s * (1 + psi * theta * (1 - s))\n"
            "return theta + rate_g * slope / (1 + torch.exp(new * theta)), new",
        ),
    },
}  # fmt: skip

RIGHT = {
    "gan.dirac_eigenvalues": (roots(), split(), by_algebra()),
    "gan.alternating_step": (
        turns(),
        autograd(),
        "psi = psi - rate_d * theta / (1 + torch.exp(-psi * theta)) - rate_d * gamma * psi\n"
        + "return theta + rate_g * psi / (1 + torch.exp(psi * theta)), psi",
    ),
}


def test_the_answer_is_one_of_its_words():
    (answer,) = (e for e in REGISTRY.chapters["10_gan_dynamics"].values() if isinstance(e, Answer))
    assert answer.right == "too_much_r1"
    assert len(answer.options) == 6
