"""Chapter 03's exercises: every known mistake in two writings is named, other right answers pass."""

# ruff: noqa: E741 (m, l, o are the papers' letters)


def filled(block):
    """A shift matrix written entry by entry; block is the code of the four entries."""
    return (
        "d = 2 * len(angles)\nM = torch.zeros(d, d, dtype=angles.dtype)\n"
        "for i, a in enumerate(angles):\n    c, s = torch.cos(a), torch.sin(a)\n    j = 2 * i\n"
        f"    M[j, j], M[j, j + 1], M[j + 1, j], M[j + 1, j + 1] = {block}\nreturn M"
    )


def diagonals(on, above, below):
    """The same by three diagonals."""
    return (
        "c, s = angles.cos(), angles.sin()\nz = torch.zeros_like(c)\n"
        f"on = torch.stack([{on}], -1).flatten()\nup = torch.stack([{above}, z], -1).flatten()[:-1]\n"
        f"down = torch.stack([{below}, z], -1).flatten()[:-1]\n"
        "return torch.diag(on) + torch.diag(up, 1) + torch.diag(down, -1)"
    )


def turned(first, second):
    """A rotation whose two rows are the code given, with a, b, c, s."""
    return (
        "a, b = x[..., 0::2], x[..., 1::2]\nc, s = torch.cos(angles), torch.sin(angles)\nout = torch.empty_like(x)\n"
        f"out[..., 0::2] = {first}\nout[..., 1::2] = {second}\nreturn out"
    )


def by_complex(multiplier):
    return (
        "z = torch.complex(x[..., 0::2].contiguous(), x[..., 1::2].contiguous())\n"
        f"return torch.view_as_real(z * {multiplier}).flatten(-2)"
    )


def update(l, o, new="torch.maximum(m, scores.max(-1).values)", shrink="torch.exp(m - M)"):
    return f"M = {new}\nc = {shrink}\ne = torch.exp(scores - M.unsqueeze(-1))\nL = {l}\nO = {o}\nreturn M, L, O"


def looped(l="l * c + e.sum(-1)", o="o * c[..., None]", add="O = O + e[..., j, None] * values[..., j, :].unsqueeze(-2)",
           new="torch.stack([m, *scores.unbind(-1)]).amax(0)", shrink="(m - M).exp()"):  # fmt: skip
    return (
        f"M = {new}\nc = {shrink}\ne = (scores - M[..., None]).exp()\nL = {l}\nO = {o}\n"
        f"for j in range(scores.shape[-1]):\n    {add}\nreturn [M, L, O]"
    )


def guarded(body):
    """The same, where nothing but 0 is subtracted for a query that has been allowed nothing."""
    lines = body.replace("- M", "- N").splitlines()
    return "\n".join([lines[0], "N = torch.where(M == -math.inf, torch.zeros_like(M), M)", *lines[1:]])


SUM, PLUS = "l * c + e.sum(-1)", "o * c.unsqueeze(-1) + e @ values"


WRONG = {
    "positions.shift_matrix": {
        "backwards": (filled("c, -s, s, c"), diagonals("c, c", "-s", "s")),
        "mirrored": (filled("c, s, s, -c"), diagonals("c, -c", "s", "s")),
        "cosine_first": (filled("s, c, c, -s"), diagonals("s, -s", "c", "c")),
        "one_angle": (
            filled("c, s, -s, c").replace("torch.cos(a), torch.sin(a)", "torch.cos(angles[0]), torch.sin(angles[0])"),
            "angles = angles[:1].repeat(len(angles))\n" + diagonals("c, c", "s", "-s"),
        ),
        "halves": (
            "n = len(angles)\nM = torch.zeros(2 * n, 2 * n, dtype=angles.dtype)\nfor i in range(n):\n"
            "    M[i, i] = M[i + n, i + n] = angles[i].cos()\n    M[i, i + n] = angles[i].sin()\n"
            "    M[i + n, i] = -angles[i].sin()\nreturn M",
            "c, s = torch.diag(angles.cos()), torch.diag(angles.sin())\n"
            "return torch.vstack([torch.hstack([c, s]), torch.hstack([-s, c])])",
        ),
        "dtype": (
            filled("c, s, -s, c").replace(", dtype=angles.dtype", ""),
            diagonals("c, c", "s", "-s").replace("angles.cos(), angles.sin()", "angles.float().cos(), angles.float().sin()"),
        ),
    },
    "positions.rotate": {
        "clockwise": (turned("a * c + b * s", "b * c - a * s"), by_complex("torch.exp(-1j * angles)")),
        "halves": (
            "h = x.shape[-1] // 2\na, b = x[..., :h], x[..., h:]\nc, s = angles.cos(), angles.sin()\n"
            "return torch.cat([a * c - b * s, b * c + a * s], -1)",
            "a, b = x.chunk(2, -1)\nother = torch.cat([-b, a], -1)\nc, s = (torch.cat([f, f], -1) for f in (angles.cos(), angles.sin()))\n"
            "return x * c + other * s",
        ),
        "not_put_back": (
            "a, b = x[..., 0::2], x[..., 1::2]\nc, s = angles.cos(), angles.sin()\n"
            "return torch.cat([a * c - b * s, a * s + b * c], -1)",
            by_complex("torch.exp(1j * angles)").replace(".flatten(-2)", ".transpose(-1, -2).flatten(-2)"),
        ),
        "cosine_only": (turned("a * c", "b * c"), "c = torch.cos(angles)\nreturn (x.unflatten(-1, (-1, 2)) * c[..., None]).flatten(-2)"),
        "no_minus": (
            turned("a * c + b * s", "a * s + b * c"),
            "p = x.unflatten(-1, (-1, 2))\nc, s = angles.cos()[..., None], angles.sin()[..., None]\n"
            "return (p * c + p.flip(-1) * s).flatten(-2)",
        ),
        "overwritten": (
            "a, b = x[..., 0::2], x[..., 1::2]\nc, s = angles.cos(), angles.sin()\na = a * c - b * s\nb = a * s + b * c\n"
            "return torch.stack([a, b], -1).flatten(-2)",
            "out = x.clone()\nout[..., 0::2] = x[..., 0::2] * angles.cos() - x[..., 1::2] * angles.sin()\n"
            "out[..., 1::2] = out[..., 0::2].clone() * angles.sin() + x[..., 1::2] * angles.cos()\nreturn out",
        ),
        "one_angle": (
            "angles = angles[:, :1]\n" + turned("a * c - b * s", "a * s + b * c"),
            by_complex("torch.exp(1j * angles[..., [0]])"),
        ),
        "gradient_missing": (turned("a.detach() * c - b * s", "a.detach() * s + b * c").replace("x[..., 1::2]", "x[..., 1::2].detach()"), by_complex("torch.exp(1j * angles.detach())")),
    },
    "positions.online_softmax_update": {
        "l_not_rescaled": (update("l + e.sum(-1)", PLUS), looped(l="l + e.sum(-1)")),
        "o_not_rescaled": (update(SUM, "o + e @ values"), looped(o="o")),
        "not_rescaled": (update("l + e.sum(-1)", "o + e @ values"), looped(l="e.sum(-1) + l", o="1.0 * o")),
        "grows": (update(SUM, PLUS, shrink="torch.exp(M - m)"), looped(shrink="(m - M).neg().exp()")),
        "tile_maximum": (update(SUM, PLUS, new="scores.max(-1).values"), looped(new="torch.stack(scores.unbind(-1)).amax(0)")),
        "old_maximum": (
            "e = torch.exp(scores - m[..., None])\nreturn torch.maximum(m, scores.amax(-1)), l + e.sum(-1), o + e @ values",
            "M = torch.stack([m, scores.max(-1).values]).amax(0)\nL, O = l, o\nfor j in range(scores.shape[-1]):\n"
            "    e = (scores[..., j] - m).exp()\n    L, O = L + e, O + e[..., None] * values[..., j, :].unsqueeze(-2)\nreturn M, L, O",
        ),
        "normalised": (update(SUM, f"({PLUS}) / L[..., None]"), looped().replace("return [M, L, O]", "O = O / L.unsqueeze(-1)\nreturn M, L, O")),
        "softmax_of_tile": (
            update(SUM, "o * c[..., None] + scores.softmax(-1) @ values"),
            looped(add="O = O + scores.softmax(-1)[..., j, None] * values[..., j, :].unsqueeze(-2)"),
        ),
        "two_exponents": (
            update(SUM, PLUS).replace("torch.exp(scores - M.unsqueeze(-1))", "torch.exp(scores - m.unsqueeze(-1)) * c.unsqueeze(-1)"),
            looped().replace("(scores - M[..., None]).exp()", "scores.sub(m[..., None]).exp() * (m - M)[..., None].exp()"),
        ),
        "no_maximum": (
            "M = torch.maximum(m, scores.amax(-1))\nL = l * m.exp() + scores.exp().sum(-1)\n"
            "O = o * m.exp()[..., None] + scores.exp() @ values\nreturn M, L * torch.exp(-M), O * torch.exp(-M)[..., None]",
            "M = torch.stack([m, *scores.unbind(-1)]).amax(0)\ne = torch.exp(scores)\nc = torch.exp(m)\n"
            "L = (l * c + e.sum(-1)) / torch.exp(M)\nO = (o * c[..., None] + e @ values) / torch.exp(M[..., None])\nreturn M, L, O",
        ),
        "m_not_returned": (
            update(SUM, PLUS).replace("return M, L, O", "return m, L, O"),
            looped().replace("return [M, L, O]", "return m, L, O"),
        ),
        "own_maximum": (
            update(SUM, PLUS).replace("scores - M.unsqueeze(-1)", "scores - scores.amax(-1, keepdim=True)"),
            looped().replace("scores - M[..., None]", "scores - scores.max(-1).values[..., None]"),
        ),
        "nothing_seen": (update(SUM, PLUS), looped()),
    },
}  # fmt: skip

RIGHT = {
    "positions.shift_matrix": (
        filled("c, s, -s, c"),
        diagonals("c, c", "s", "-s"),
        "turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=angles.dtype)\n"
        "return torch.linalg.matrix_exp(torch.kron(torch.diag(angles), turn))",
    ),
    "positions.rotate": (
        by_complex("torch.polar(torch.ones_like(angles), angles)"),
        turned("a * c - b * s", "a * s + b * c"),
        "c, s = angles.cos(), angles.sin()\nR = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)\n"
        "return torch.einsum('tpij,...tpj->...tpi', R, x.unflatten(-1, (-1, 2))).flatten(-2)",
    ),
    "positions.online_softmax_update": (
        guarded(looped()),
        guarded(update(SUM, "o * c[..., None] + torch.einsum('...qk,...kv->...qv', e, values)")),
    ),
}
