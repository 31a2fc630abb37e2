"""Chapter 08b's exercises: right answers and known mistakes, each in two writings."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer


def pairs(won="a > n", tie="0.5", end=".mean()"):
    return (
        "a, n = torch.meshgrid(anomalous, normal, indexing='ij')\n"
        f"return (({won}).double() + {tie} * (a == n).double()){end}"
    )


def loop(update="won += 1.0 if a > n else 0.5 if a == n else 0.0", back="won / (len(normal) * len(anomalous))"):
    return f"won = 0.0\nfor a in anomalous.tolist():\n    for n in normal.tolist():\n        {update}\nreturn {back}"


WRONG = {
    "vae.auroc": {
        "reversed": (pairs("a < n"), loop("won += 1.0 if a < n else 0.5 if a == n else 0.0")),
        "ties_lost": (pairs(tie="0"), loop("won += a > n")),
        "ties_won": (pairs(tie="1"), loop("won += a >= n")),
        "count": (pairs(end=".sum()"), loop(back="won")),
        "divided_by_one": (pairs(end=".sum() / len(normal)"), loop(back="won / len(normal)")),
        "gini": (
            pairs(tie="0", end=".mean()").replace("return ", "above = ") + "\nreturn above - (a < n).double().mean()",
            loop(back="2 * won / (len(normal) * len(anomalous)) - 1"),
        ),
        "against_mean": (
            "return (anomalous > normal.mean()).double().mean()",
            "middle = sum(normal.tolist()) / len(normal)\nreturn sum(a > middle for a in anomalous.tolist()) / len(anomalous)",
        ),
        "against_maximum": (
            "return (anomalous > normal.max()).double().mean()",
            "top = max(normal.tolist())\nreturn sum(a > top for a in anomalous.tolist()) / len(anomalous)",
        ),
        "values": (  # scores may be negative, and large
            "n, a = normal.clamp(min=-10)[:, None], anomalous.clamp(min=-10)\nreturn ((a > n).double() + 0.5 * (a == n)).mean()",
            pairs().replace("(anomalous, normal", "(anomalous.clamp(-10, 10), normal.clamp(-10, 10)"),
        ),
        "in_order": (
            "won = [1.0 if a > n else 0.5 if a == n else 0.0 for n, a in zip(normal.tolist(), anomalous.tolist())]\n"
            "return sum(won) / len(won)",
            "m = min(len(normal), len(anomalous))\na, n = anomalous[:m], normal[:m]\n"
            "return ((a > n).double() + 0.5 * (a == n).double()).mean()",
        ),
    },
}  # fmt: skip

RIGHT = {
    "vae.auroc": (
        pairs(),
        loop(),
        "return ((anomalous[None] - normal[:, None]).sign().mean() + 1) / 2",
        "a, n = anomalous.float(), normal.float()[:, None]\nreturn ((a > n).float() + 0.5 * (a == n).float()).mean()",
    ),
}


def test_the_two_diagnoses_differ_and_share_their_list():
    first, second = (e for e in REGISTRY.chapters["08b_vae_limits"].values() if isinstance(e, Answer))
    assert first.right != second.right
    assert first.options == second.options
