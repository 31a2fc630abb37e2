"""Chapter 12's exercises: every known mistake in two writings is named, other right answers pass."""

import itertools
import math
from fractions import Fraction

import pytest
import torch

from course_lib.chapters.ch12_three_families.orderings import mixture_of_orderings
from course_lib.chapters.exercises import REGISTRY
from course_lib.evaluation.frechet import kernel_distance


def stable(
    joint="log_conditionals.sum(-1)", count="len(joint)", back="top + mean.log()", mean="(joint - top).exp().sum(0)"
):
    """The largest ordering taken out by hand."""
    return f"joint = {joint}\ntop = joint.max(0).values.detach()\nmean = {mean} / {count}\nreturn {back}"


def loop(add="torch.logaddexp(total, each)", count="M", back="total - math.log({count})", first="0"):
    """One ordering after the other."""
    return (
        "M, n, pixels = log_conditionals.shape\n"
        f"total = log_conditionals[{first}].sum(1)\nfor each in log_conditionals[1:].sum(2):\n    total = {add}\n"
        f"return {back.format(count=count)}"
    )


def per_pixel(inside, back="total"):
    """Pixel by pixel, with an average inside the product."""
    return (
        "total = 0\nfor i in range(log_conditionals.shape[2]):\n    lp = log_conditionals[:, :, i]\n"
        f"    total = total + {inside}\nreturn {back}"
    )


WRONG = {
    "together.mixture_of_orderings": {
        "mean_of_logs": (
            "return log_conditionals.mean(0).sum(-1)",
            loop(add="total + each", back="total / M"),
        ),
        "probabilities_per_pixel": (
            "return log_conditionals.exp().mean(0).log().sum(1)",
            per_pixel("lp.logsumexp(0) - math.log(len(lp))"),
        ),
        "logits_per_pixel": (
            "p = log_conditionals.exp()\nlogits = (p / (1 - p)).log().mean(0)\nreturn logits.sigmoid().log().sum(-1)",
            per_pixel("torch.nn.functional.logsigmoid((lp - (-torch.expm1(lp)).log()).mean(0))"),
        ),
        "sum_of_orderings": ("return log_conditionals.sum(-1).logsumexp(0)", loop(back="total")),
        "over_pixels": (
            "return log_conditionals.sum(-1).logsumexp(0) - math.log(log_conditionals.shape[2])",
            loop(count="pixels"),
        ),
        "best_ordering": (
            "return log_conditionals.sum(-1).max(0).values",
            loop(add="torch.maximum(total, each)", back="total"),
        ),
        "underflow": (
            "return log_conditionals.sum(-1).exp().mean(0).log()",
            "return log_conditionals.exp().prod(-1).mean(0).log()",
        ),
        "no_logarithm": (
            "return log_conditionals.sum(-1).exp().mean(0)",
            loop(back="(total - math.log({count})).exp()"),
        ),
        "first_ordering": ("return log_conditionals[0].sum(-1)", loop(add="total", back="total")),
        "six": ("return log_conditionals.sum(-1).logsumexp(0) - math.log(6)", stable(count="6")),
        "nats": (
            "return math.log(len(log_conditionals)) - log_conditionals.sum(-1).logsumexp(0)",
            stable(back="-(top + mean.log())"),
        ),
    }
}

RIGHT = {
    "together.mixture_of_orderings": (
        stable(),
        loop(),
        "M = len(log_conditionals)\nreturn (torch.einsum('onp->on', log_conditionals) - math.log(M)).T.logsumexp(1)",
    )
}


def images_of(pixels=3):
    return torch.tensor(list(itertools.product((0, 1), repeat=pixels)))


def test_the_mixture_of_any_orderings_sums_to_one_and_what_averages_inside_does_not():
    images = images_of()
    tables = torch.randn(4, 3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    log_conditionals = torch.zeros(4, 8, 3, dtype=torch.float64)
    for o, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)]):
        for place, i in enumerate(order):
            seen = (images[:, list(order[:place])] * torch.tensor([1, 2, 4])[:place]).sum(1)
            logit = tables[o, i, seen]
            log_conditionals[o, :, i] = torch.nn.functional.logsigmoid(torch.where(images[:, i] == 1, logit, -logit))
    assert mixture_of_orderings(log_conditionals).exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert log_conditionals.sum(-1).mean(0).exp().sum() < 0.99
    assert log_conditionals.exp().mean(0).log().sum(-1).exp().sum() != pytest.approx(1, abs=1e-3)


def test_the_kernel_by_hand_is_the_librarys_and_the_tempting_numbers_are_what_they_say():
    entry = REGISTRY.find("together.kernel_by_hand")
    real, fake = torch.tensor([[0.0], [0.0], [2.0]]), torch.ones(3, 1)
    assert entry.right == pytest.approx(kernel_distance(real, fake))

    def kappa(x, y, power=3, one=1):
        return Fraction((x * y + one) ** power)

    def distance(power=3, one=1, mixed=2, itself=False, pairs=None):
        total = -mixed * sum(kappa(x, y, power, one) for x in (0, 0, 2) for y in (1, 1, 1)) / 9
        for heap in ((0, 0, 2), (1, 1, 1)):
            terms = [kappa(heap[i], heap[j], power, one) for i in range(3) for j in range(3) if itself or i != j]
            total += sum(terms) / (pairs or len(terms))
        return float(total)

    asked = [
        distance(itself=True),
        distance(mixed=1),
        -distance(),
        distance(power=2),
        distance(one=0),
        distance(pairs=9),
        3 * distance(),
        sum(float(kappa(x, y)) for x in (0, 2) for y in (0, 2)) / 4 + 8 - 2 * (1 + 27) / 2,
    ]
    for number in asked:
        assert min(abs(number - wrong) for wrong in entry.wrong) < 1e-9
    assert math.isclose(distance(), entry.right)


def test_each_report_has_a_fault_of_its_own_and_one_word_fits_none():
    reports = [REGISTRY.find(f"together.report_{i}") for i in range(1, 6)]
    assert sorted([*(report.right for report in reports), "unequal_effort"]) == reports[0].options


def test_each_verdict_says_something_of_its_own_to_every_other_word():
    ids = ("vae_good_samples", "vae_hard_to_train", "vae_collapses", "gan_most_realistic", "gan_unstable",
           "gan_collapses", "gan_needs_tuning", "transformer_far_back", "transformer_expensive")  # fmt: skip
    for entry in (REGISTRY.find(f"together.{id}") for id in ids):
        assert entry.options == ["depends", "false", "not_shown", "true"]
        assert len({entry.why, *entry.wrong.values()}) == 4
