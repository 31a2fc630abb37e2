"""Chapter 01's exercises: every known mistake in two writings is named, other right answers pass."""

import itertools

import pytest

from course_lib.chapters.ch01_likelihood.huffman import best_mean_length
from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.answers import judge_answer
from course_lib.classroom.exercises.spec import Answer

PICK = "p = probabilities[torch.arange(len(targets)), targets]\n"
CHOSEN = "p = torch.stack([row[t] for row, t in zip(probabilities, targets)])\n"
RATIO = (
    "x = mu_p + std_p * eps\n"
    "log = lambda mu, std: -((x - mu) / std) ** 2 / 2 - torch.log(std) - math.log(2 * math.pi) / 2\n"
    "r = log(mu_p, std_p) - log(mu_q, std_q)\nn = len(eps)\n"
)
NORMAL = (
    "Normal = torch.distributions.Normal\nP, Q = Normal(mu_p, std_p), Normal(mu_q, std_q)\n"
    "x = eps * std_p + mu_p\nr = P.log_prob(x) - Q.log_prob(x)\nn = eps.shape[0]\n"
)
MEAN = "return r.mean(), r.std() / math.sqrt(len(r))"
SUMS = "m = r.sum() / len(r)\nreturn m, (((r - m) ** 2).sum() / (len(r) - 1) / len(r)) ** 0.5"

WRONG = {
    "likelihood.cross_entropy_bits": {
        "nats": (PICK + "return -torch.log(p).mean()", "return torch.nn.functional.cross_entropy(probabilities.log(), targets)"),
        "wrong_way": (
            PICK + "return -p.log().mean() * math.log(2)",
            "return torch.nn.functional.cross_entropy(probabilities.log(), targets) / math.log2(math.e)",
        ),
        "sum": (PICK + "return -p.log2().sum()", CHOSEN + "return -torch.log(p.prod()) / math.log(2)"),
        "sign": (PICK + "return p.log2().mean()", CHOSEN + "return sum(p.log()) / math.log(2) / len(p)"),
        "log_of_mean": (PICK + "return -p.mean().log2()", CHOSEN + "return torch.log2(len(p) / p.sum())"),
        "whole_table": (
            "return -probabilities[:, :].log2().mean()",
            "n, symbols = probabilities.shape\nreturn (1 / probabilities).log2().sum() / (n * symbols)",
        ),
        "all_pairs": (
            "return -probabilities[:, targets].log2().mean()",
            "rows = torch.stack([row[targets] for row in probabilities])\nreturn -torch.log(rows).mean() / math.log(2)",
        ),
        "softmaxed": (
            "return torch.nn.functional.cross_entropy(probabilities, targets) / math.log(2)",
            "return -probabilities.log_softmax(-1)[torch.arange(len(targets)), targets].mean() / math.log(2)",
        ),
        "own_entropy": (
            "return torch.special.entr(probabilities).sum(-1).mean() / math.log(2)",
            "return sum(-(row * row.log2()).sum() for row in probabilities) / len(probabilities)",
        ),
        "shape": (PICK + "return -p.log2()", "return -probabilities.log2()[:, targets].mean(-1)"),
    },
    "likelihood.kl_monte_carlo": {
        "own_noise": (
            RATIO.replace("std_p * eps", "std_p * torch.randn(len(eps))") + MEAN,
            NORMAL.replace("eps * std_p + mu_p", "P.sample(eps.shape)") + SUMS,
        ),
        "bits": (RATIO + "r = r / math.log(2)\n" + MEAN, NORMAL + "r = r * math.log2(math.e)\n" + SUMS),
        "swapped": (
            RATIO + "return r.std() / math.sqrt(n), r.mean()",
            NORMAL + "m = r.mean()\nreturn ((r - m).square().sum() / (n - 1) / n).sqrt(), m",
        ),
        "closed_form": (
            NORMAL + "return torch.distributions.kl_divergence(P, Q), r.std() / math.sqrt(n)",
            RATIO + "kl = torch.log(std_q / std_p) + (std_p**2 + (mu_p - mu_q) ** 2) / (2 * std_q**2) - 0.5\n"
            "return kl, (r.var() / n) ** 0.5",
        ),
        "sign": (RATIO + "r = -r\n" + MEAN, NORMAL + "r = Q.log_prob(x) - P.log_prob(x)\n" + SUMS),
        "from_q": (
            "Normal = torch.distributions.Normal\nx = mu_q + std_q * eps\n"
            "r = Normal(mu_p, std_p).log_prob(x) - Normal(mu_q, std_q).log_prob(x)\n" + MEAN,
            "x = mu_q + std_q * eps\nr = eps ** 2 / 2 + std_q.log() - ((x - mu_p) / std_p) ** 2 / 2 - std_p.log()\n" + SUMS,
        ),
        "other_direction": (
            "mu_p, std_p, mu_q, std_q = mu_q, std_q, mu_p, std_p\n" + RATIO + MEAN,
            NORMAL + "x = mu_q + std_q * eps\nr = Q.log_prob(x) - P.log_prob(x)\n" + SUMS,
        ),
        "variance_as_spread": (
            RATIO + "x = mu_p + std_p ** 2 * eps\nr = log(mu_p, std_p) - log(mu_q, std_q)\n" + SUMS,
            NORMAL + "x = eps * std_p * std_p + mu_p\nr = P.log_prob(x) - Q.log_prob(x)\n" + MEAN,
        ),
        "raw_draws": (
            NORMAL + "r = P.log_prob(eps) - Q.log_prob(eps)\n" + MEAN,
            RATIO + "x = eps\nr = log(mu_p, std_p) - log(mu_q, std_q)\n" + SUMS,
        ),
        "no_normaliser": (
            "x = mu_p + std_p * eps\nr = ((x - mu_q) / std_q) ** 2 / 2 - ((x - mu_p) / std_p) ** 2 / 2\n" + MEAN,
            NORMAL + "r = r - torch.log(std_q / std_p)\n" + SUMS,
        ),
        "weighted": (RATIO + "r = r * log(mu_p, std_p).exp()\n" + MEAN, NORMAL + "r = torch.exp(P.log_prob(x)) * r\n" + SUMS),
        "spread": (RATIO + "return r.mean(), r.std()", NORMAL + "return r.sum() / n, r.var().sqrt()"),
        "over_n": (RATIO + "return r.mean(), r.std() / n", NORMAL + "return r.sum() / n, r.var() ** 0.5 / n"),
        "variance": (RATIO + "return r.mean(), r.var() / n", NORMAL + "return r.mean(), (r.std() / n ** 0.5) ** 2"),
        "biased": (
            RATIO + "return r.mean(), r.std(correction=0) / n ** 0.5",
            NORMAL + "return r.mean(), ((r ** 2).mean() - r.mean() ** 2).sqrt() / math.sqrt(n)",
        ),
        "changed_arguments": (
            "x = eps.mul_(std_p).add_(mu_p)\nNormal = torch.distributions.Normal\n"
            "r = Normal(mu_p, std_p).log_prob(x) - Normal(mu_q, std_q).log_prob(x)\n" + MEAN,
            NORMAL + "eps -= eps.mean()\n" + SUMS,
        ),
    },
}  # fmt: skip

RIGHT = {
    "likelihood.cross_entropy_bits": (
        "return torch.nn.functional.cross_entropy(probabilities.log(), targets) / math.log(2)",
        "total = 0\nfor row, t in zip(probabilities, targets):\n    total = total - torch.log2(row[t])\nreturn total / len(targets)",
        "return sum(-math.log2(row[t]) for row, t in zip(probabilities.tolist(), targets.tolist())) / len(targets)",
        "return -(torch.nn.functional.one_hot(targets, probabilities.shape[-1]) * probabilities.log2()).sum(-1).mean()",
    ),
    "likelihood.kl_monte_carlo": (
        RATIO + SUMS,
        NORMAL + MEAN,
        RATIO + "return r.mean().item(), r.std().item() / math.sqrt(len(r))",
        "r = [torch.log(std_q / std_p) + ((mu_p + std_p * e - mu_q) / std_q) ** 2 / 2 - e ** 2 / 2 for e in eps]\n"
        "r = torch.stack(r)\n" + MEAN,
    ),
}  # fmt: skip


def test_the_right_answers():
    wasted = REGISTRY.find("likelihood.wasted_bits")
    assert all(judge_answer(wasted, near).state == "right" for near in (0.625, 0.63, 0.62))
    assert judge_answer(wasted, 0.4332).key == "0.433"
    assert [e.right for e in REGISTRY.chapters["01_likelihood"].values() if isinstance(e, Answer)] == [0.625, "between"]


@pytest.mark.parametrize("p", [(0.5, 0.5), (0.7, 0.2, 0.1), (0.3, 0.3, 0.2, 0.2), (0.4, 0.25, 0.2, 0.1, 0.05)])
def test_no_lengths_that_satisfy_krafts_inequality_beat_the_best_code(p):
    tried = itertools.product(range(1, len(p) + 1), repeat=len(p))
    means = [
        sum(a * b for a, b in zip(p, lengths, strict=True)) for lengths in tried if sum(2.0**-n for n in lengths) <= 1
    ]
    assert best_mean_length(p) == pytest.approx(min(means), rel=1e-12)
    assert best_mean_length([1.0]) == 0
