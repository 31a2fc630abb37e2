"""Chapter 09's exercises: every known mistake in two writings is named, other right answers pass."""

import math

import pytest
from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check

F = "torch.nn.functional"


def best(d="p / (p + q)", value="(p * torch.log(d) + q * torch.log(1 - d)).sum(-1) * dx"):
    return f"d = {d}\nvalue = {value}\nreturn d, value"


def masses(d="torch.sigmoid(p.log() - q.log())", real="torch.log(d)", fake="torch.log1p(-d)", back="real + fake"):
    """Cells of probability first, then each expectation by itself."""
    return (
        f"P, Q = p * dx, q * dx\nd = {d}\nreal = (P * {real}).sum(dim=-1)\nfake = (Q * {fake}).sum(dim=-1)\n"
        f"return d, {back}"
    )


def by_softplus(real="-real_logits", fake="fake_logits", end=".mean()", factor=""):
    return f"s = {F}.softplus\nreturn {factor}(s({real}){end} + s({fake}){end})"


def by_bce(real=1, fake=0, reduction="mean", back="a + b", of="{}"):
    """PyTorch's loss with labels."""
    r, f = of.format("real_logits"), of.format("fake_logits")
    return (
        f"bce = {F}.binary_cross_entropy_with_logits\n"
        f"a = bce({r}, torch.full_like(real_logits, {real}), reduction='{reduction}')\n"
        f"b = bce({f}, torch.full_like(fake_logits, {fake}), reduction='{reduction}')\nreturn {back}"
    )


def generator(term, end=".mean()"):
    return f"l = fake_logits\nreturn ({term}){end}"


def generator_bce(label=1, sign="", reduction="mean", of="fake_logits"):
    return (
        f"labels = torch.full_like(fake_logits, {label})\n"
        f"return {sign}{F}.binary_cross_entropy_with_logits({of}, labels, reduction='{reduction}')"
    )


BY_MIDDLE = "(P * torch.log(2 * P / (P + Q)) + Q * torch.log(2 * Q / (P + Q))).sum(-1)"
OFF = "(1 - fake_logits.sigmoid())"
WRONG = {
    "gan.optimal_discriminator": {
        "ratio": (best("p / q"), masses("p * q.reciprocal()", fake="torch.log(1 - d)")),
        "swapped": (best("q / (p + q)"), masses("torch.sigmoid(q.log() - p.log())")),
        "sign": (best(value="-(p * torch.log(d) + q * torch.log(1 - d)).sum(-1) * dx"), masses(back="-(real + fake)")),
        "no_dx": (best(value="(p * torch.log(d) + q * torch.log(1 - d)).sum(-1)"), masses(back="(real + fake) / dx")),
        "mean": (
            best(value="(p * torch.log(d) + q * torch.log(1 - d)).mean(-1)"),
            masses(back="(real + fake) / dx / p.shape[-1]"),
        ),
        "real_only": (best(value="(p * torch.log(d)).sum(-1) * dx"), masses(back="real")),
        "same_term": (best(value="((p + q) * torch.log(d)).sum(-1) * dx"), masses(fake="torch.log(d)")),
        "bits": (
            best(value="(p * torch.log2(d) + q * torch.log2(1 - d)).sum(-1) * dx"),
            masses(back="(real + fake) / math.log(2)"),
        ),
        "value_swapped": (
            best(value="(q * torch.log(d) + p * torch.log(1 - d)).sum(-1) * dx"),
            masses(real="torch.log(d) / P * Q", fake="torch.log1p(-d) / Q * P"),
        ),
        "divergence": (
            best(value="(p * torch.log(d) + q * torch.log(1 - d) + math.log(2) * (p + q)).sum(-1) * dx / 2"),
            masses(back=f"({BY_MIDDLE}) / 2"),
        ),
        "constant": (
            best(value="(p * torch.log(2 * d) + q * torch.log(2 - 2 * d)).sum(-1) * dx - math.log(4)"),
            masses(back=f"{BY_MIDDLE} - 2 * math.log(2)"),
        ),
        "values": (best("(p / (p + q)).clamp(0.01, 0.99)"), masses("torch.sigmoid((p.log() - q.log()).clamp(-5, 5))")),
        "value_of": (
            best(value="(p * torch.log(d) + q * torch.log(1 - d)).sum() * 0.02"),
            masses(back="(real + fake).sum() / dx * 0.02"),
        ),
    },
    "gan.discriminator_loss": {
        "sigmoid_then_log": (
            f"return -(torch.log(torch.sigmoid(real_logits)).mean() + torch.log{OFF}.mean())",
            "D = lambda l: 1 / (1 + torch.exp(-l))\n"
            "return -torch.log(D(real_logits)).mean() - torch.log(1 - D(fake_logits)).mean()",
        ),
        "capped": (
            f"bce = {F}.binary_cross_entropy\na = bce(real_logits.sigmoid(), torch.ones_like(real_logits))\n"
            "return a + bce(fake_logits.sigmoid(), torch.zeros_like(fake_logits))",
            "loss = torch.nn.BCELoss()\nd = torch.sigmoid(torch.cat([real_logits, fake_logits]))\nn = len(real_logits)\n"
            "return loss(d[:n], torch.ones_like(d[:n])) + loss(d[n:], torch.zeros_like(d[n:]))",
        ),
        "both_real": (by_softplus(fake="-fake_logits"), by_bce(1, 1)),
        "epsilon": (
            "return -(real_logits.sigmoid() + 1e-8).log().mean() - (1 - fake_logits.sigmoid() + 1e-8).log().mean()",
            "D = torch.sigmoid\nreal, fake = torch.log(D(real_logits) + 1e-8), torch.log(1 - D(fake_logits) + 1e-8)\n"
            "return -(real.mean() + fake.mean())",
        ),
        "swapped": (by_softplus("real_logits", "-fake_logits"), by_bce(0, 1)),
        "sign": (by_softplus(factor="-"), by_bce(back="-(a + b)")),
        "sum": (by_softplus(end=".sum()"), by_bce(reduction="sum")),
        "half": (by_softplus(factor="0.5 * "), by_bce(back="(a + b) / 2")),
        "pooled": (
            f"return torch.cat([{F}.softplus(-real_logits), {F}.softplus(fake_logits)]).mean()",
            by_bce(reduction="none", back="torch.cat((a, b)).mean()"),
        ),
        "pooled_twice": (
            f"return 2 * torch.cat([{F}.softplus(-real_logits), {F}.softplus(fake_logits)]).mean()",
            by_bce(reduction="sum", back="(a + b) / (len(real_logits) + len(fake_logits)) * 2"),
        ),
        "real_only": (f"return -{F}.logsigmoid(real_logits).mean()", by_bce(back="a")),
        "sigmoid_twice": (by_softplus("-real_logits.sigmoid()", "fake_logits.sigmoid()"), by_bce(of="torch.sigmoid({})")),
    },
    "gan.nonsaturating_generator_loss": {
        "saturating": (generator(f"{F}.logsigmoid(-l)"), generator_bce(0, "-")),
        "sign": (generator(f"{F}.logsigmoid(l)"), generator_bce(sign="-")),
        "label": (generator(f"-{F}.logsigmoid(-l)"), generator_bce(0)),
        "sigmoid_then_log": (generator("-torch.log(torch.sigmoid(l))"), generator("-torch.log(1 / (1 + torch.exp(-l)))")),
        "pull": (generator("1 - torch.sigmoid(l)"), "return 1 - torch.sigmoid(fake_logits).mean()"),
        "sum": (generator(f"-{F}.logsigmoid(l)", ".sum()"), generator_bce(reduction="sum")),
        "no_logarithm": (generator("-l"), "return -fake_logits.sum() / len(fake_logits)"),
        "probability": (generator("-torch.sigmoid(l)"), "return -(0.5 * (1 + torch.tanh(fake_logits / 2))).mean()"),
        "sigmoid_twice": (generator(f"-{F}.logsigmoid(l.sigmoid())"), generator_bce(of="torch.sigmoid(fake_logits)")),
    },
}  # fmt: skip

RIGHT = {
    "gan.optimal_discriminator": (best(), masses()),
    "gan.discriminator_loss": (
        by_softplus(),
        by_bce(),
        f"bce = {F}.binary_cross_entropy_with_logits\n"
        "return bce(real_logits, torch.ones(len(real_logits))) + bce(fake_logits, torch.zeros(len(fake_logits)))",
    ),
    "gan.nonsaturating_generator_loss": (
        generator(f"-{F}.logsigmoid(l)"),
        generator_bce(),
        f"return {F}.binary_cross_entropy_with_logits(fake_logits, torch.ones(len(fake_logits)))",
    ),
}


def test_the_numeric_answer_knows_its_tempting_ones():
    (answer,) = (e for e in REGISTRY.chapters["09_gan_game"].values() if e.id == "gan.read_the_loss")
    assert round(answer.right, 3) == 0.143
    assert answer.wrong.keys() >= {1.1, 2 * answer.right, answer.right / math.log(2), -answer.right}


@pytest.mark.parametrize(
    ("id", "body"),
    [
        (
            "gan.discriminator_loss",
            "return torch.log(1 + torch.exp(-real_logits)).mean() + fake_logits.exp().log1p().mean()",
        ),
        ("gan.discriminator_loss", "return (-real_logits).exp().log1p().mean() + (1 + fake_logits.exp()).log().mean()"),
        ("gan.nonsaturating_generator_loss", "return torch.log(1 + torch.exp(-fake_logits)).mean()"),
        ("gan.nonsaturating_generator_loss", "return (-fake_logits).exp().log1p().mean()"),
    ],
)
def test_the_softplus_by_hand_is_called_by_its_name(id, body):
    entry = REGISTRY.find(id)
    verdict = check(written(entry, body), entry)
    assert verdict.key == "sigmoid_then_log"
    (mistake,) = (m for m in entry.mistakes if m.key == verdict.key)
    assert "1 + eˡ as it stands" in mistake.says
