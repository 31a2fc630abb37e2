"""Chapter 02b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

WRONG = {
    "attention.paired_difference": {
        "unpaired": (
            "n = len(first)\nreturn first.mean() - second.mean(), torch.sqrt(first.var() / n + second.var() / n)",
            "both = torch.stack([first, second])\nreturn (first - second).mean(), (both.var(1).sum() / len(first)) ** 0.5",
        ),
        "spread": (
            "return first.mean() - second.mean(), torch.std(first - second)",
            "d = first - second\nreturn d.mean(), ((d - d.mean()) ** 2).sum().div(len(d) - 1).sqrt()",
        ),
        "divided_by_n": (
            "d = first - second\nreturn d.mean(), d.std() / len(d)",
            "n = len(first)\nreturn first.mean() - second.mean(), (first - second).var().sqrt() / n",
        ),
        "divisor_n": (
            "d = first - second\nreturn d.mean(), ((d - d.mean()) ** 2).mean().sqrt() / len(d) ** 0.5",
            "d = first - second\nreturn d.mean(), d.var(correction=0).div(len(d)).sqrt()",
        ),
        "one_too_few": (
            "d = first - second\nreturn d.mean(), d.std() / (len(d) - 1) ** 0.5",
            "d = first - second\nreturn d.mean(), (d.var() / (len(d) - 1)).sqrt()",
        ),
        "reversed": (
            "d = second - first\nreturn d.mean(), d.std() / len(d) ** 0.5",
            "return second.mean() - first.mean(), (first - second).std() / len(first) ** 0.5",
        ),
        "absolute": (
            "d = abs(first - second)\nreturn d.mean(), d.std() / len(d) ** 0.5",
            "d = torch.maximum(first, second) - torch.minimum(first, second)\nreturn d.mean(), (d.var() / len(d)).sqrt()",
        ),
    },
    "attention.weight_by_distance": {
        "transposed": (
            "T = weights.shape[-1]\nreturn torch.stack([torch.stack([weights[..., i - b, i] for i in range(n - 1, T)]).mean(0)\n"
            "                    for b in range(n)], -1)",
            "return torch.stack([weights.diagonal(b, -2, -1)[..., n - 1 - b:].mean(-1) for b in range(n)], -1)",
        ),
        "every_query": (
            "return torch.stack([weights.diagonal(-b, -2, -1).mean(-1) for b in range(n)], -1)",
            "T = weights.shape[-1]\nreturn torch.stack([sum(weights[..., i, i - b] for i in range(b, T)) / (T - b)\n"
            "                    for b in range(n)], -1)",
        ),
        "over_all_positions": (
            "T = weights.shape[-1]\nreturn torch.stack([weights.diagonal(-b, -2, -1).sum(-1) / T for b in range(n)], -1)",
            "T = weights.shape[-1]\nreturn torch.stack([sum(weights[..., i, i - b] for i in range(b, T)) / T\n"
            "                    for b in range(n)], -1)",
        ),
        "sum_for_mean": (
            "return torch.stack([weights.diagonal(-b, -2, -1)[..., n - 1 - b:].sum(-1) for b in range(n)], -1)",
            "T = weights.shape[-1]\nreturn torch.stack([sum(weights[..., i, i - b] for i in range(n - 1, T))\n"
            "                    for b in range(n)], -1)",
        ),
        "from_one": (
            "return torch.stack([weights.diagonal(-b, -2, -1)[..., n - b:].mean(-1) for b in range(1, n + 1)], -1)",
            "T = weights.shape[-1]\nreturn torch.stack([sum(weights[..., i, i - b - 1] for i in range(n, T)) / (T - n)\n"
            "                    for b in range(n)], -1)",
        ),
        "farthest_first": (
            "return torch.stack([weights.diagonal(-b, -2, -1)[..., n - 1 - b:].mean(-1) for b in range(n)], -1).flip(-1)",
            "T = weights.shape[-1]\n"
            "return torch.stack([weights[..., i, i - n + 1 : i + 1] for i in range(n - 1, T)]).mean(0)",
        ),
    },
}  # fmt: skip

RIGHT = {
    "attention.paired_difference": (
        "n = len(first)\nd = [float(a) - float(b) for a, b in zip(first, second)]\nm = sum(d) / n\n"
        "return m, (sum((x - m) ** 2 for x in d) / (n - 1) / n) ** 0.5",
        "d = first - second\nreturn [d.mean(), (d.var() / d.numel()).sqrt()]",
    ),
    "attention.weight_by_distance": (
        "T = weights.shape[-1]\n"
        "return torch.stack([torch.stack([weights[..., i, i - b] for i in range(n - 1, T)]).mean(0) for b in range(n)], -1)",
        "T = weights.shape[-1]\nrows = [weights[..., i, i - n + 1 : i + 1] for i in range(n - 1, T)]\n"
        "return torch.stack(rows).mean(0).flip(-1)",
        "i = torch.arange(n - 1, weights.shape[-1])[:, None]\nreturn weights[..., i, i - torch.arange(n)].mean(-2)",
    ),
}  # fmt: skip


def test_the_right_answers():
    assert [e.right for e in REGISTRY.chapters["02b_attention_reads"].values() if isinstance(e, Answer)] == [
        "wrong_axis",
        "no_scale",
        "no_mask",
    ]
