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


def ramp(share="step / steps", without="1.0", back="share if share < 1 else 1.0"):
    return f"if steps == 0:\n    return {without}\nshare = {share}\nreturn {back}"


def clamped(
    share="step / max(steps, 1)", back="torch.tensor(share, dtype=torch.float64).clamp(max=1).item() if steps else 1.0"
):
    return f"share = {share}\nreturn {back}"


WRONG = {
    "vae.auroc": {
        "reversed": (pairs("a < n"), loop("won += 1.0 if a < n else 0.5 if a == n else 0.0")),
        "ties_lost": (pairs(tie="0"), loop("won += a > n")),
        "ties_won": (pairs(tie="1"), loop("won += a >= n")),
        "count": (pairs(end=".sum()"), loop(back="won")),
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
    "vae.kl_warmup": {
        "no_cap": (ramp(back="share"), clamped(back="share if steps else 1.0")),
        "zero_division": ("return min(step / steps, 1.0)", "share = step / steps\nreturn share if share < 1 else 1.0"),
        "off_without": (ramp(without="0.0"), clamped(back="min(share, 1.0) if steps else 0.0")),
        "one_early": (ramp("(step + 1) / steps"), clamped("(1 + step) / max(steps, 1)")),
        "one_short": (ramp("step / max(steps - 1, 1)"), clamped("step / max(1, steps - 1)")),
        "falling": (ramp("(steps - step) / steps", back="share if share > 0 else 0.0"), "return max(0.0, 1 - step / steps) if steps else 1.0"),
        "switch": ("return 0.0 if step < steps else 1.0", "return 1 - (step < steps)"),
        "smooth": (
            ramp("min(step, steps) / steps", back="share * share * (3 - 2 * share)"),
            clamped("min(step / max(steps, 1), 1.0)", "3 * share ** 2 - 2 * share ** 3 if steps else 1.0"),
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
    "vae.kl_warmup": (
        ramp(),
        clamped(),
        "return min(1.0, step / steps) if steps > 0 else 1",
        "import numpy as np\nreturn np.interp(step, [0, steps], [0, 1]) if steps else 1.0",
        "return torch.tensor(step / steps).clamp(max=1) if steps else torch.ones(())",
    ),
}


def test_the_two_diagnoses_differ_and_share_their_list():
    first, second = (e for e in REGISTRY.chapters["08b_vae_limits"].values() if isinstance(e, Answer))
    assert first.right != second.right
    assert first.options == second.options
