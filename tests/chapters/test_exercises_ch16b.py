"""Chapter 16b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY

NORMAL = "torch.nn.functional.normalize"
SURPRISE = "torch.nn.functional.cross_entropy"


def loss(a="images", scores="@ b.T / temperature", rows="s", columns="s.T", total="({r} + {c}) / 2"):
    """By torch's cross-entropy."""
    lines = [f"a, b = ({NORMAL}(x, dim=1) for x in (images, texts))"]
    if a == "long":
        lines = ["a, b = images, texts"]
    own = "torch.arange(len(images))"
    r, c = f"{SURPRISE}({rows}, {own})", f"{SURPRISE}({columns}, {own})"
    return "\n".join([*lines, f"s = a {scores}", "return " + total.format(r=r, c=c)])


def loop(length=" / images[i].norm() / texts[j].norm()", by="/ temperature", each="row(i) + row(i, True)", over="2 * n",
         skip="", table=""):  # fmt: skip
    """By loops over pictures and captions."""
    return "\n".join(
        [
            "n = len(images)",
            f"s = [[(images[i] * texts[j]).sum(){length} {by} for j in range(n)] for i in range(n)]",
            *([table] if table else []),
            "def row(i, turned=False):",
            f"    line = [s[j][i] if turned else s[i][j] for j in range(n){skip}]",
            "    return sum(x.exp() for x in line).log() - s[i][i]",
            f"return sum({each} for i in range(n)) / ({over})",
        ]
    )


def bound(n="len(scores)", log="math.log", sign="-", table="scores", mean="mean()"):
    return f"s = {table}\nleft = (s.logsumexp(1) - s.diagonal()).{mean}\nreturn {log}({n}) {sign} left"


def by_shares(start="math.log(n)", plus="+", axis="1", over=" / n", keep="row"):
    return "\n".join(
        [
            "n = len(scores)",
            "total = 0",
            "for i in range(n):",
            "    row = scores[i]" if axis == "1" else "    row = scores[:, i]",
            f"    row = {keep}",
            "    total = total + scores[i, i] - row.exp().sum().log()",
            f"return {start} {plus} total{over}",
        ]
    )


OTHERS = "torch.cat([row[:i], row[i + 1 :]])"
MASKED = "scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -1e9)"
NO_OWN = f"left = ({MASKED}.logsumexp(1) - scores.diagonal()).mean()\nreturn math.log(len(scores)) - left"


def up(at="pixels", slope="torch.autograd.grad(score(at).sum(), at)[0]", sign="g.sign()", plus="+", base="pixels",
       low="start - limit", high="start + limit", ends=".clamp(-1, 1)"):  # fmt: skip
    return (
        f"at = {at}.detach().clone().requires_grad_()\ng = {slope}\nmoved = {base}.detach() {plus} step * {sign}\n"
        f"return torch.minimum(torch.maximum(moved, {low}), {high}){ends}"
    )


def by_change(base="pixels", at="pixels", change="step * torch.where(g > 0, 1.0, -1.0)", total="here + change - start",
              bound=".clamp(-limit, limit)", back="(start + away).clamp(-1, 1)"):  # fmt: skip
    return "\n".join(
        [
            f"x = {at}.detach().clone()",
            "x.requires_grad = True",
            "with torch.enable_grad():",
            "    score(x).sum().backward()",
            "g = x.grad",
            f"here, change = {base}.detach(), {change}",
            f"away = ({total}){bound}",
            f"return {back}",
        ]
    )


WRONG = {
    "clip.contrastive_loss": {
        "captions_only": (loss(total="{r}"), loop(each="row(i)", over="n")),
        "pictures_only": (loss(total="{c}"), loop(each="row(i, True)", over="n")),
        "sum": (loss(total="{r} + {c}"), loop(over="n")),
        "times_temperature": (loss(scores="@ b.T * temperature"), loop(by="* temperature")),
        "no_temperature": (loss(scores="@ b.T"), loop(by="")),
        "lengths_count": (loss("long"), loop(length="")),
        "own_left_out": (loop(skip=" if j != i"), loss(total="(({0}).logsumexp(1) + ({0}).logsumexp(0) - 2 * s.diagonal()).mean() / 2".format(MASKED.replace("scores", "s")))),
        "means_before": (loss(rows="(s + s.T) / 2", columns="(s.T + s) / 2"), loop(table="s = [[(s[i][j] + s[j][i]) / 2 for j in range(n)] for i in range(n)]")),
    },
    "clip.information_bound": {
        "no_logarithm": (bound(n="1"), by_shares(start="0")),
        "loss_added": (bound(sign="+"), by_shares(plus="-")),
        "other_way": (bound(table="scores.T"), by_shares(axis="0")),
        "bits": (bound(log="math.log2"), by_shares(start="math.log(n) / math.log(2)")),
        "one_less": (bound(n="len(scores) - 1"), by_shares(start="math.log(n - 1)")),
        "summed": (bound(mean="sum()"), by_shares(over="")),
        "own_left_out": (NO_OWN, by_shares(keep=OTHERS)),
    },
    "clip.climb": {
        "down": (up(plus="-"), by_change(change="-step * torch.where(g > 0, 1.0, -1.0)")),
        "not_signs": (up(sign="g"), by_change(change="step * g")),
        "unit_length": (up(sign="g / g.flatten(1).norm(dim=1).view(-1, *[1] * (g.dim() - 1))"), by_change(change="step * torch.stack([row / row.norm() for row in g])")),
        "no_limit": (up(low="moved", high="moved"), by_change(bound="")),
        "limit_of_a_step": (up(low="pixels - limit", high="pixels + limit"), by_change(total="change", back="(here + away).clamp(-1, 1)")),
        "beyond_white": (up(ends=""), by_change(back="start + away")),
        "from_the_start": (up(base="start"), by_change(base="start")),
        "slope_at_the_start": (up(at="start"), by_change(at="start")),
    },
}  # fmt: skip

RIGHT = {
    "clip.contrastive_loss": (loss(), loop()),
    "clip.information_bound": (bound(), by_shares()),
    "clip.climb": (up(), by_change()),
}


def test_a_program_that_nobody_chose_by_may_be_reported():
    assert REGISTRY.find("clip.which_rate").right == "program"
