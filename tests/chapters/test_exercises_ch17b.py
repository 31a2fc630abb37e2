"""Chapter 17b's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest

from course_lib.chapters.ch17b_preferences_and_rewards.patients import FAULTS, measured, shown
from course_lib.chapters.exercises import REGISTRY


def chance(count, start="1 - "):
    """By numbers of choices: c right, w wrong."""
    return f"c, w = int(right), n - int(right)\ncount = {count}\nreturn torch.tensor({start}count / math.comb(n, k))"


def subsets(judge="any", result="found / total"):
    """By a loop over all choices of k."""
    return (
        "from itertools import combinations\nanswers = [True] * int(right) + [False] * (n - int(right))\n"
        f"judged = [{judge}(some) for some in combinations(answers, k)]\nfound, total = sum(judged), len(judged)\n"
        f"return torch.tensor({result})"
    )


def plain(margin="better - worse", inside="beta * ({m})", head="return -", mean=".mean()", fold="sum", ref=" - reference_{x}"):  # fmt: skip
    """By logsigmoid of a margin."""
    sides = [
        f"{name} = (({x}){ref.format(x=x)}).{fold}(dim=1)" for name, x in (("better", "chosen"), ("worse", "rejected"))
    ]
    return "\n".join([*sides, f"{head}torch.nn.functional.logsigmoid({inside.format(m=margin)}){mean}"])


def by_pair(margin="(good - bad)", scale="beta * ", term="torch.log1p(torch.exp(-m))", over="len(chosen)", length="1",
            reference=True):  # fmt: skip
    """By a loop over the pairs."""
    old = " - {0}[i][t]" if reference else ""
    log_ratio = lambda x: (
        f"sum({x}[i][t]{old.format('reference_' + x)} for t in range({x}.shape[1])) / {length.format(x)}"
    )
    return (
        "total = 0\nfor i in range(len(chosen)):\n"
        f"    good = {log_ratio('chosen')}\n    bad = {log_ratio('rejected')}\n"
        f"    m = {scale}{margin}\n    total = total + {term}\nreturn total / {over}"
    )


def others(mean="(total - rewards) / (n - 1)", total="rewards.sum(-1, keepdim=True)", sign="rewards - {m}"):
    return f"n = rewards.shape[-1]\ntotal = {total}\nmean = {mean}\nreturn {sign.format(m='mean')}"


def by_loop(
    rest="[x for j, x in enumerate(row) if j != i]", baseline="sum(rest) / len(rest)", result="row[i] - b", rows="flat"
):
    return (
        "n = rewards.shape[-1]\nflat = rewards.reshape(-1, n).tolist()\nevery = [x for row in flat for x in row]\n"
        "made = []\nfor q, row in enumerate(flat):\n    for i in range(n):\n"
        f"        rest = {rest}\n        b = {baseline}\n        made.append({result})\n"
        "return torch.tensor(made, dtype=rewards.dtype).view(rewards.shape)"
    )


def k3(u="(reference - new).exp()", made="u - 1 - u.log()"):
    return f"u = {u}\nreturn {made}"


def by_odds(made="u - 1 + (new - reference)"):
    return f"u = torch.exp(reference) / torch.exp(new)\nreturn {made}"


WRONG = {
    "prefer.pass_at_k": {
        "plug_in": ("return torch.tensor(1 - (1 - int(right) / n) ** k)", "miss = 1.0\nfor _ in range(k):\n    miss = miss * (n - right) / n\nreturn 1 - miss"),
        "none_right": (chance("math.comb(w, k)", start=""), subsets("not any")),
        "all_right": (chance("math.comb(c, k)", start=""), subsets("all")),
        "one_wrong": (chance("math.comb(c, k)"), subsets("not all")),
        "exactly_one": (chance("c * math.comb(w, k - 1)", start=""), subsets("1 == sum")),
        "of_one": ("return right / n", "return torch.tensor(int(right) / n)"),
        "times_k": ("return torch.tensor(min(1.0, k * int(right) / n))", "return (right * k / n).clamp(max=1)"),
    },
    "prefer.dpo_loss": {
        "exchanged": (plain("worse - better"), by_pair("(bad - good)")),
        "no_reference": (plain(ref=""), by_pair(reference=False)),
        "beta_outside": (plain(inside="{m}", head="return -beta * "), by_pair(scale="", term="beta * torch.log1p(torch.exp(-m))")),
        "beta_divides": (plain(inside="({m}) / beta"), by_pair(scale="1 / beta * ")),
        "mean_over_tokens": (plain(fold="mean"), by_pair(length="{0}.shape[1]")),
        "sign": (plain(head="return "), by_pair(term="-torch.log1p(torch.exp(-m))")),
        "no_logarithm": (by_pair(term="-torch.sigmoid(m)"), by_pair(term="-1 / (1 + torch.exp(-m))")),
        "each_alone": (
            by_pair("good", term="torch.log1p(torch.exp(-m)) + torch.log1p(torch.exp(beta * bad))"),
            plain("better", mean=".mean()", head="return -torch.nn.functional.logsigmoid(-beta * worse).mean() - "),
        ),
        "summed": (plain(mean=".sum()"), by_pair(over="1")),
        "one_margin": (
            "better, worse = (chosen - reference_chosen).sum(), (rejected - reference_rejected).sum()\n"
            "return -torch.nn.functional.logsigmoid(beta * (better - worse))",
            plain("(better - worse).sum()"),
        ),
    },
    "prefer.leave_one_out_advantages": {
        "own_in_the_mean": (others("total / n"), by_loop("row")),
        "scale_upside_down": (others("total / n", sign="(rewards - {m}) * (n - 1) / n"), by_loop("row", result="(row[i] - b) * (n - 1) / n")),
        "whole_batch": (others("(total - rewards) / (rewards.numel() - 1)", total="rewards.sum()"), by_loop("every", "(sum(every) - row[i]) / (len(every) - 1)")),
        "batch_mean": (others("rewards.mean()"), by_loop("every")),
        "no_baseline": ("return 1 * rewards", by_loop(result="row[i]")),
        "turned": (others(sign="{m} - rewards"), by_loop(result="b - row[i]")),
        "standardised": (others("total / n", sign="(rewards - {m}) / rewards.std(-1, keepdim=True)"), by_loop("row", result="(row[i] - b) / (sum((x - b) ** 2 for x in row) / (n - 1)) ** 0.5")),
        "over_n": (others("(total - rewards) / n"), by_loop(baseline="sum(rest) / n")),
        "sum_of_others": (others("total - rewards"), by_loop(baseline="sum(rest)")),
    },
    "prefer.kl_estimate": {
        "minus_log_u": ("return new - reference", k3(made="-u.log()")),
        "taken_off": (k3(made="-u.log() - (u - 1)"), by_odds("new - reference + 1 - u")),
        "turned": (k3("(new - reference).exp()"), by_odds("1 / u - 1 + u.log()")),
        "square": ("return (new - reference).square() / 2", k3(made="0.5 * u.log() ** 2")),
        "size": ("return (new - reference).abs()", k3(made="u.log().abs()")),
        "one_missing": (k3(made="u - u.log()"), by_odds("u + new - reference")),
        "log_added": (k3(made="u - 1 + u.log()"), by_odds("u - 1 - (new - reference)")),
        "u_log_u": (k3(made="u * u.log() - u + 1"), by_odds("1 - u - u * (new - reference)")),
        "negative": (k3(made="u.log() + 1 - u"), by_odds("1 - u - new + reference")),
        "cut_off": ("return (new - reference).clamp(min=0)", k3(made="torch.relu(-u.log())")),
    },
}  # fmt: skip

RIGHT = {
    "prefer.pass_at_k": (chance("math.comb(w, k)"), subsets()),
    "prefer.dpo_loss": (plain(), by_pair()),
    "prefer.leave_one_out_advantages": (others(), by_loop()),
    "prefer.kl_estimate": (k3(), by_odds()),
}


@pytest.fixture(scope="module")
def found():
    return measured()


def test_the_options_of_the_diagnosis_are_the_faults_that_were_trained():
    assert (
        set(REGISTRY.find("prefer.symptom_1").options) == set(FAULTS) == set(REGISTRY.find("prefer.symptom_2").options)
    )
    assert [patient.name for patient in shown()] == ["sound", "A", "B"]


def test_each_fault_has_the_curves_that_its_message_describes(found):
    sound = found["sound"]
    assert sound["reward"] == sound["right"] > 0.8
    assert sound["kl"] > 1
    assert found["hole_in_the_checker"]["reward"] > 0.8 > 4 * found["hole_in_the_checker"]["right"]
    moved = found["reference_moved_along"]
    assert moved["kl"] < 0.01 * sound["kl"]
    assert moved["different"] < sound["different"] - 0.5
    even = found["groups_all_equal"]
    assert (even["norm"], even["reward"]) == (0, 0.5)
    assert even["different"] > 2
    braked = found["brake_too_strong"]
    assert braked["kl"] < 0.01
    assert braked["reward"] < 0.2
    assert braked["norm"] > 0.01
    assert found["sign_turned"]["reward"] < 0.05
    stale = found["never_drawn_again"]
    assert stale["reward"] != stale["right"]
    assert 0 < stale["norm"] < sound["norm"]
