"""Chapter 04b's exercises: every known mistake in two writings is named, other right answers pass."""

START = "T = len(tokens)\nout = torch.zeros(T, n_symbols, dtype=torch.float64)\nfor t in range(T):\n"


def loop(same="s > 0 and tokens[s - 1] == tokens[t]", last="t + 1", found="tokens[s]", weight="math.exp(score * e)"):
    """Position by position, without a matrix."""
    return (
        f"{START}    w = []\n    for s in range({last}):\n        e = float({same})\n        w.append({weight})\n"
        f"    for s in range({last}):\n        if {found} is not None:\n"
        f"            out[t, {found}] += w[s] / TOTAL\nreturn out"
    ).replace("TOTAL", "1" if weight == "score * e" else "sum(w)")


def matrix(key="before", value="one", later=".masked_fill(later, -torch.inf)", weigh=".softmax(-1)", first="zero"):
    """Products of matrices with ones and zeros."""
    return (
        "one = torch.eye(n_symbols, dtype=torch.float64)[tokens]\nzero = torch.zeros(1, n_symbols, dtype=torch.float64)\n"
        f"before = torch.cat([{first}, one[:-1]])\nafter = torch.cat([one[1:], zero])\n"
        "later = torch.arange(len(tokens))[None] > torch.arange(len(tokens))[:, None]\n"
        f"return (torch.einsum('tv,sv->ts', one, {key}) * score){later}{weigh} @ {value}"
    )


WRONG = {
    "long_range.look_up": {
        "no_shift": (matrix(key="one"), loop(same="tokens[s] == tokens[t]")),
        "not_causal": (matrix(later=""), loop(last="T")),
        "finds_the_key": (matrix(value="before"), loop(found="(tokens[s - 1] if s else None)")),
        "other_way": (matrix(key="after"), loop(same="s + 1 < T and tokens[s + 1] == tokens[t]")),
        "no_softmax": (matrix(later=".masked_fill(later, 0.0)", weigh=""), loop(weight="score * e")),
        "round_the_corner": (matrix(first="one[-1:]"), loop(same="tokens[s - 1] == tokens[t]")),
    },
}

RIGHT = {"long_range.look_up": (matrix(), loop())}
