"""Chapter 07b's exercises: every known mistake in two writings is named, other right answers pass."""

import math

from course_lib.chapters.exercises import REGISTRY


def variance(by="mu.var(0)", back="v > threshold"):
    return f"v = {by}\nreturn {back}"


def by_hand(mean="mu.mean(dim=0)", n="(len(mu) - 1)", back="v > threshold", dim="0"):
    return f"d = mu - {mean}\nv = (d * d).sum(dim={dim}) / {n}\nreturn {back}"


def path(a="start / start.norm()", b="end / end.norm()", mixed="(torch.sin((1 - s) * w) * a + torch.sin(s * w) * b) / torch.sin(w)",
         length="(1 - s) * start.norm() + s * end.norm()", t="t",
         cosine="torch.cosine_similarity(start, end, dim=0)"):  # fmt: skip
    return f"a, b, s = {a}, {b}, ({t})[:, None]\nw = torch.acos({cosine})\nreturn ({mixed}) * ({length})"


def looped(
    first="start / start.norm()", second="end / end.norm()", x="(math.e ** 0) * u", length="torch.lerp(start.norm(), end.norm(), s)",
    order="t", divide="torch.sin(w)", mix=None, cosine="(start @ end) / (start.norm() * end.norm())",
):  # fmt: skip
    mix = mix or f"(torch.sin((1 - s) * w) * p + torch.sin(s * w) * q) / {divide}"
    return (
        f"p, q = {first}, {second}\nw = torch.acos({cosine})\nrows = []\n"
        f"for s in {order}:\n    u = {mix}\n    rows.append(({x}) * ({length}))\nreturn torch.stack(rows)"
    )


WRONG = {
    "vae.active_units": {
        "std": (variance("mu.std(dim=0)"), by_hand(back="v ** 0.5 > threshold")),
        "biased": (variance("torch.var(mu, 0, correction=0)"), by_hand(n="len(mu)")),
        "square": (variance("mu.square().mean(0)"), by_hand(mean="0", n="len(mu)")),
        "rim": (variance(back="v >= threshold"), by_hand(back="~(v < threshold)")),
        "values": (variance(back="v > (0.005 if threshold == 0.01 else threshold)"), by_hand(back="v > threshold * 0.98")),
        "dead": (variance(back="~(v > threshold)"), by_hand(back="v <= threshold")),
        "count": (variance(back="(v > threshold).sum()"), by_hand(back="torch.count_nonzero(v > threshold)")),
        "fixed": (variance(back="v > 0.01"), by_hand(back="v > 1e-2")),
        "examples": (variance("mu.var(1)"), by_hand("mu.mean(1, keepdim=True)", "(mu.shape[1] - 1)", dim="1")),
    },
    "vae.spherical_path": {
        "straight": ("return torch.stack([torch.lerp(start, end, s) for s in t])", "return start + t[:, None] * (end - start)"),
        "values": (  # straight where the angle is below 1, or above 2.2
            path(mixed="torch.where(w < 1, (1 - s) * a + s * b, torch.sin((1 - s) * w) * a / torch.sin(w) + torch.sin(s * w) * b / torch.sin(w))"),
            looped(mix="(1 - s) * p + s * q if w > 2.2 else (torch.sin((1 - s) * w) * p + torch.sin(s * w) * q) / torch.sin(w)"),
        ),
        "unit": (path(length="1.0"), looped(length="1.0")),
        "backwards": (path(t="1 - t"), looped(order="1 - t")),
        "raw": (path("start", "end", length="1.0"), looped("start", "end", length="1.0")),
        "raw_angle": (
            path(cosine="torch.dot(start, end).clip(-1.0, 1.0)"), looped(cosine="(start * end).sum().clamp(-1, 1)"),
        ),
        "no_division": (path(mixed="torch.sin((1 - s) * w) * a + torch.sin(s * w) * b"), looped(divide="1.0")),
        "projected": (
            path(mixed="torch.nn.functional.normalize((1 - s) * a + s * b, dim=1)"),
            looped(mix="(1 - s) * p + s * q", x="u / u.norm()"),
        ),
    },
}  # fmt: skip

RIGHT = {
    "vae.active_units": (variance(), by_hand()),
    "vae.spherical_path": (path(), looped()),
}


def test_the_number_is_that_of_the_text():
    assert REGISTRY.find("vae.information_limit").right == math.log(9000)
