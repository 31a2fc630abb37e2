"""Chapter 01's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer
from course_lib.information import coding

PICK = "p = probabilities[torch.arange(len(targets)), targets]\n"
CHOSEN = "p = torch.stack([row[t] for row, t in zip(probabilities, targets)])\n"
CUT = "width, total = high - low + 1, sum(frequencies)\nbefore = sum(frequencies[:symbol])\nafter = before + frequencies[symbol]\n"
WALK = "width, total, before = high - low + 1, 0, 0\nfor s, f in enumerate(frequencies):\n    total += f\n    before += f if s < symbol else 0\nafter = before + frequencies[symbol]\n"
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
        "own_entropy": (
            "return torch.special.entr(probabilities).sum(-1).mean() / math.log(2)",
            "return sum(-(row * row.log2()).sum() for row in probabilities) / len(probabilities)",
        ),
        "shape": (PICK + "return -p.log2()", "return -probabilities.log2()[:, targets].mean(-1)"),
    },
    "likelihood.narrow": {
        "width_short": (
            CUT + "width = high - low\nreturn low + width * before // total, low + width * after // total - 1",
            WALK + "width -= 1\nreturn low + before * width // total, low + after * width // total - 1",
        ),
        "overlap": (
            CUT + "return low + width * before // total, low + width * after // total",
            WALK + "a, b = (width * c // total for c in (before, after))\nreturn [low + a, low + b]",
        ),
        "low_moved_first": (
            CUT + "low = low + width * before // total\nhigh = low + width * after // total - 1\nreturn low, high",
            WALK + "low += width * before // total\nreturn low, low - 1 + width * after // total",
        ),
        "from_zero": (
            CUT + "return width * before // total, width * after // total - 1",
            WALK + "return before * width // total, -1 + after * width // total",
        ),
        "at_the_bottom": (
            "return low, low + (high - low + 1) * frequencies[symbol] // sum(frequencies) - 1",
            WALK + "return low, low - 1 + width * (after - before) // total",
        ),
        "floats": (
            CUT + "return int(low + width * before / total), int(low + width * after / total - 1)",
            WALK + "return int(low + width * before / total), int(low + width * after / total - 1.0)",
        ),
        "divided_first": (
            CUT + "return low + width // total * before, low + width // total * after - 1",
            WALK + "one = (high + 1 - low) // total\nreturn low + one * before, low + one * after - 1",
        ),
        "next_symbol": (
            "c = [sum(frequencies[:i]) for i in range(len(frequencies) + 2)]\nw = high - low + 1\n"
            "return low + w * c[symbol + 1] // c[-1], low + w * c[symbol + 2] // c[-1] - 1",
            CUT + "before = sum(frequencies[:symbol + 1])\nafter = sum(frequencies[:symbol + 2])\n"
            "return low + width * before // total, low + width * after // total - 1",
        ),
        "not_whole": (
            CUT + "return low + width * before / total, low + width * after / total - 1",
            WALK + "return low + before / total * width, low - 1 + after / total * width",
        ),
        "type": (CUT + "return low + width * before // total", "return low, high, symbol"),
        "changed_arguments": (
            "width, total, before = high - low + 1, sum(frequencies), 0\nwhile symbol:\n    before += frequencies.pop(0)\n"
            "    symbol -= 1\nafter = before + frequencies[0]\n"
            "return low + width * before // total, low + width * after // total - 1",
            "width = high - low + 1\nfor i in range(1, len(frequencies)):\n    frequencies[i] += frequencies[i - 1]\n"
            "before = frequencies[symbol - 1] if symbol else 0\ntotal = frequencies[-1]\n"
            "return low + width * before // total, low + width * frequencies[symbol] // total - 1",
        ),
    },
    "likelihood.kl_monte_carlo": {
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
    "likelihood.narrow": (
        WALK + "return low + width * before // total, low + width * after // total - 1",
        "from itertools import accumulate\nc = [0, *accumulate(frequencies)]\n"
        "ends = [low + (high - low + 1) * c[symbol + i] // c[-1] for i in (0, 1)]\nreturn [ends[0], ends[1] - 1]",
    ),
    "likelihood.kl_monte_carlo": (
        RATIO + SUMS,
        NORMAL + MEAN,
        RATIO + "return r.mean().item(), r.std().item() / math.sqrt(len(r))",
        "r = [torch.log(std_q / std_p) + ((mu_p + std_p * e - mu_q) / std_q) ** 2 / 2 - e ** 2 / 2 for e in eps]\n"
        "r = torch.stack(r)\n" + MEAN,
    ),
}  # fmt: skip


def test_later_cells_find_the_parameters_in_their_places():
    def narrow(low, high, symbol, frequencies):
        return coding.narrow(low, high, frequencies, symbol)

    assert check(narrow, REGISTRY.find("likelihood.narrow")).key == "parameters"


def test_the_right_answers():
    assert [e.right for e in REGISTRY.chapters["01_likelihood"].values() if isinstance(e, Answer)] == [0.625, "between"]
