"""Chapter 08's exercises: right answers and known mistakes, each in two writings."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

TURNS = "turns, rest = divmod(state, frequency)\n"
SLOTS = "slots = 1 << precision\n"


def pushed(turns="state // frequency", slots="2 ** precision", slot="start + state % frequency"):
    return f"return {turns} * {slots} + {slot}"


def weighted(weights="log_w.softmax(0)", ess="1 / (w * w).sum(0)", back="w, ess"):
    return f"w = {weights}\ness = {ess}\nreturn {back}"


def by_hand(axis="0", ess="s ** 2 / (u ** 2).sum(0)", back="[u / s, ess]", s="u.sum({}, keepdim=True)"):
    """Shifted by the largest logarithm, of which no gradient is wanted."""
    lines = f"u = (log_w - log_w.amax({axis}, keepdim=True).detach()).exp()\ns = {s.format(axis)}\ness = {ess}"
    return f"{lines}\ness = ess.squeeze(0)\nreturn {back}"


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
    "vae.ans_step": {
        "no_remainder": (pushed(slot="start"), TURNS + "return (turns << precision) | start"),
        "no_start": (pushed(slot="state % frequency"), TURNS + "return (turns << precision) | rest"),
        "remainder_of_slots": (
            pushed(slot="start + state % 2 ** precision"),
            SLOTS + "return state // frequency * slots + (state & (slots - 1)) + start",
        ),
        "multiplied_first": (
            "return state * 2 ** precision // frequency + start + state % frequency",
            SLOTS + "grown = (state * slots - state * slots % frequency) // frequency\nreturn grown + start + state % frequency",
        ),
        "pop": (
            "return frequency * (state // 2 ** precision) + state % 2 ** precision - start",
            SLOTS + "turns, slot = divmod(state, slots)\nreturn turns * frequency + (slot - start)",
        ),
        "precision_is_total": (pushed(slots="precision"), TURNS + "return sum([turns * precision, start, rest])"),
        "caret": (pushed(slots="(2 ^ precision)"), "slots = 2 ^ precision\n" + TURNS + "return slots * turns + start + rest"),
        "shift_last": (
            "return state // frequency << precision + start + state % frequency",
            TURNS + "return turns * 2 ** (precision + start + rest)",
        ),
        "not_whole": (pushed("state / frequency"), SLOTS + "return start + state % frequency + slots * (state / frequency)"),
        "floats": (
            pushed("int(state / frequency)"),
            SLOTS + "return slots * math.floor(state / frequency) + start + state % frequency",
        ),
        "slot": (pushed(slot="start + frequency"), TURNS + "return turns * 2 ** precision + start - 1 - rest"),
    },
    "vae.self_normalized_weights": {
        "images_axis": (
            weighted("log_w.softmax(1)"),
            "u = (log_w - log_w.amax(1, keepdim=True)).exp()\nw = u / u.sum(1, keepdim=True)\nreturn w, w.square().sum(0).reciprocal()",
        ),
        "all_together": (
            weighted("torch.softmax(log_w.reshape(-1), 0).reshape(log_w.shape)"),
            weighted("(log_w - log_w.logsumexp((0, 1))).exp()"),
        ),
        "not_inverted": (weighted(ess="(w * w).sum(0)"), by_hand(ess="(u ** 2).sum(0) / s ** 2")),
        "plain_sum": (weighted(ess="1 / w.sum(0)"), by_hand(ess="s / u.sum(0)")),
        "as_a_share": (weighted(ess="1 / (w * w).mean(0) / len(w) ** 2"), by_hand(ess="s ** 2 / (u ** 2).sum(0) / len(u)")),
        "entropy": (weighted(ess="(-(w * w.log()).sum(0)).exp()"), by_hand(ess="torch.exp(s.log() - (u * u.log()).sum(0) / s)")),
        "largest": (weighted(ess="1 / w.max(0).values"), by_hand(ess="s / u.amax(0)")),
        "log_weights": (weighted(back="w.log(), ess"), by_hand(back="(u / s).log(), ess")),
        "not_finite": (  # a spread with n − 1, of one draw alone
            weighted(ess="len(w) / (1 + w.var(0, correction=1) * len(w) ** 2 * (len(w) - 1) / len(w))"),
            weighted(ess="1 / (len(w) * w.mean(0) ** 2 + (len(w) - 1) * w.std(0) ** 2)"),
        ),
        "mean_one": (weighted("len(log_w) * log_w.softmax(0)"), by_hand(s="u.mean({}, keepdim=True)")),
    },
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
    "vae.ans_step": (
        TURNS + "return turns * 2 ** precision + start + rest",
        SLOTS + "rest = state % frequency\nreturn ((state - rest) // frequency * slots) | (start + rest)",
        "place = start + state % frequency\nwhole = state // frequency\nfor _ in range(precision):\n    whole += whole\n"
        "return whole + place",
    ),
    "vae.self_normalized_weights": (weighted(), by_hand(), weighted("(log_w - log_w.logsumexp(0)).exp()")),
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
    first, second = (e for e in REGISTRY.chapters["08_vae_in_use"].values() if isinstance(e, Answer))
    assert first.right != second.right
    assert first.options == second.options
