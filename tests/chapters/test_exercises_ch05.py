"""Chapter 05's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check


def line(rise="share / warmup", fall="(1 - share) / decay", top="1.0"):
    return f"return min({rise}, {fall}, {top})"


def branches(before="share / warmup", level="1.0", after="(1 - share) / decay", begin="1 - decay"):
    return f"if share < warmup:\n    return {before}\nif share < {begin}:\n    return {level}\nreturn {after}"


def nucleus(
    outside="total - q >= p", back="torch.full_like(logits, -torch.inf).scatter(-1, order, kept)", fill="-torch.inf"
):
    return (
        "order = logits.argsort(dim=-1, descending=True)\nordered = logits.gather(-1, order)\n"
        f"q = ordered.softmax(-1)\ntotal = q.cumsum(-1)\nkept = torch.where({outside}, {fill}, ordered)\nreturn {back}"
    )


def looped(stop="total >= p", before="", start="total = 0.0", out="-torch.inf", value="row[i]"):
    """Row by row, symbol by symbol."""
    return (
        f"flat = logits.reshape(-1, logits.shape[-1])\nresult = torch.full_like(flat, {out})\n"
        f"for r, row in enumerate(flat):\n    q = row.softmax(-1)\n    {start}\n    extra = 0\n"
        f"    for n, i in enumerate(row.argsort(descending=True).tolist()):\n{before}"
        f"        if {stop}:\n            break\n        result[r, i] = {value}\n        total += q[i].item()\n"
        "return result.view(logits.shape)"
    )


def step(
    first="",
    keys="torch.cat([keys, k], -2)",
    values="torch.cat([values, v], -2)",
    seen="K, W",
    scale="q.shape[-1] ** 0.5",
    back="K, W",
):
    return (
        f"K, W = {keys}, {values}\na, b = {seen}\nscores = torch.einsum('...qd,...kd->...qk', q, a) / ({scale})\n"
        f"{first}return torch.einsum('...qk,...kv->...qv', scores.softmax(-1), b), {back}"
    )


FUSED = "torch.nn.functional.scaled_dot_product_attention"


def fused(
    keys="torch.concat((keys, k), dim=-2)", values="torch.concat((values, v), dim=-2)", call="(q, K, W)", back="K, W"
):
    return f"K = {keys}\nW = {values}\nout = {FUSED}{call}\nreturn out, {back}"


WRONG = {
    "language.warmup_then_linear": {
        "no_warmup": (line(rise="1.0"), branches(before="min(1.0, (1 - share) / decay)")),
        "no_level": (line(fall="(1 - share) / (1 - warmup)"), branches(begin="warmup", after="(1 - share) / (1 - warmup)")),
        "ends_high": (line(fall="(1 - share) / decay + 0.1"), "low = (1 - share) / decay + 0.1\nup = share / warmup\nreturn sorted([low, up, 1.0])[0]"),
        "decay_is_a_place": (line(fall="(1 - share) / (1 - decay)"), "up, down = share / warmup, (1 - share) / (1 - decay)\nreturn sorted([up, down, 1.0])[0]"),
        "decay_begins_there": (branches(begin="decay", after="(1 - share) / (1 - decay)"), "return share / warmup if share < warmup else min(1.0, (1 - share) / (1 - decay))"),
        "product": ("return min(share / warmup, 1.0) * (1 - share)", "rise = share / warmup if share < warmup else 1.0\nreturn rise - rise * share"),
    },
    "language.top_p_filter": {
        "crossing_dropped": (
            nucleus("(total > p) & (torch.arange(q.shape[-1]) > 0)"),
            looped(stop="n and total + q[i].item() > p"),
        ),
        "nothing_left": (nucleus("total > p"), looped(stop="total + q[i].item() > p")),
        "equals_kept": (
            looped(stop="total >= p", value="row[i]").replace("            break", "            result[r, row == last] = last\n            break").replace("        total +=", "        last = row[i]\n        total +="),
            "q, order = logits.softmax(-1).sort(-1, descending=True)\nn = ((q.cumsum(-1) - q) < p).sum(-1, keepdim=True)\n"
            "return torch.where(logits.softmax(-1) >= q.gather(-1, n - 1), logits, -torch.inf)",
        ),
        "last_of_equals": (
            nucleus().replace("logits.argsort(dim=-1, descending=True)", "logits.argsort(dim=-1, stable=True).flip(-1)"),
            looped().replace("row.argsort(descending=True).tolist()", "sorted(range(len(row)), key=lambda j: (-row[j].item(), -j))"),
        ),
        "one_too_many": (
            nucleus("torch.cat([torch.zeros_like(q[..., :1]), (total - q)[..., :-1]], -1) >= p"),
            looped(stop="extra > 1", before="        extra += total >= p\n"),
        ),
        "not_put_back": (nucleus(back="kept"), nucleus(back="kept.sort(-1, descending=True).values")),
        "gathered_back": (nucleus(back="kept.gather(-1, order)"), nucleus(back="torch.take_along_dim(kept, order, -1)")),
        "probabilities": (
            nucleus(back="torch.full_like(logits, -torch.inf).scatter(-1, order, kept).softmax(-1)"),
            looped(out="0.0", value="row[i].exp()").replace("return result", "result = result / result.sum(-1, keepdim=True)\nreturn result"),
        ),
        "zeros": (nucleus(back="torch.zeros_like(logits).scatter(-1, order, kept)", fill="0.0"), looped(out="0.0")),
        "more_than_p": (
            nucleus("total - q > p"),
            looped(stop="total > p"),
        ),
        "first_place": (
            nucleus("torch.arange(q.shape[-1]) > (total >= p).long().argmax(-1, keepdim=True)"),
            "q, order = logits.softmax(-1).sort(-1, descending=True)\n"
            "n = torch.max(q.cumsum(-1) >= p, -1, keepdim=True).indices\n"
            "return torch.where(order.argsort(-1) <= n, logits, -torch.inf)",
        ),
        "threshold": (
            "q = logits.softmax(-1)\nreturn torch.where(q < (1 - p) * q.max(-1, keepdim=True).values, -torch.inf, logits)",
            "gap = logits - logits.amax(-1, keepdim=True)\nreturn logits.masked_fill(gap.exp() < 1 - p, -math.inf)",
        ),
    },
    "language.cached_attention": {
        "itself_unseen": (step(seen="keys, values"), fused(call="(q, keys, values)")),
        "in_front": (
            step(keys="torch.cat([k, keys], -2)", values="torch.cat([v, values], -2)"),
            fused(keys="torch.concat((k, keys), dim=-2)", values="torch.concat((v, values), dim=-2)"),
        ),
        "no_scale": (step(scale="1"), fused(call="(q, K, W, scale=1.0)")),
        "first_row_mask": (
            step(first="scores = scores.masked_fill(~torch.ones(1, K.shape[-2], dtype=torch.bool).tril(), -torch.inf)\n"),
            fused(call="(q, K, W, attn_mask=torch.arange(K.shape[-2])[None] < 1)"),
        ),
        "not_kept": (step(back="keys, values"), fused(back="keys, values")),
        "values": (  # where nothing is kept yet, the position finds itself
            "if not keys.numel():\n    return torch.zeros_like(v), k, v\n" + step(),
            "if keys.shape[-2] == 0:\n    return v / q.shape[-1] ** 0.5, k, v\n" + fused(),
        ),
    },
}  # fmt: skip

RIGHT = {
    "language.warmup_then_linear": (
        line(),
        branches(),
        "import numpy as np\nreturn np.interp(share, [0.0, warmup, 1 - decay, 1.0], [0.0, 1.0, 1.0, 0.0])",
    ),
    "language.top_p_filter": (
        nucleus(),
        looped(),
        "q, order = logits.softmax(-1).sort(-1, descending=True)\nn = (q.cumsum(-1) < p).sum(-1, keepdim=True)\n"
        "return logits.masked_fill(order.argsort(-1) > n, -torch.inf)",
    ),
    "language.cached_attention": (step(), fused()),
}


@pytest.mark.parametrize(
    "head", ["share, warmup, decay", "share, warmup=0.02, decay=0.5", "share, decay=0.6, warmup=0.02"]
)
def test_the_schedule_is_called_with_its_defaults(head):
    """The cell that follows hands over the share alone."""
    scope = {}
    exec(f"def warmup_then_linear({head}):\n    {line()}", scope)
    assert check(scope["warmup_then_linear"], REGISTRY.find("language.warmup_then_linear")).key == "parameters"
