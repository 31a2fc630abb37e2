"""Chapter 04b's exercises: every known mistake in two writings is named, other right answers pass."""

START = "T = len(tokens)\nout = torch.zeros(T, n_symbols, dtype=torch.float64)\nfor t in range(T):\n"


def loop(same="s > 0 and tokens[s - 1] == tokens[t]", last="t + 1", found="tokens[s]", weight="math.exp(score * e)",
         total="sum(w)"):  # fmt: skip
    """Position by position, without a matrix."""
    return (
        f"{START}    w = []\n    for s in range({last}):\n        e = float({same})\n        w.append({weight})\n"
        f"    for s in range({last}):\n        if {found} is not None:\n"
        f"            out[t, {found}] += w[s] / {total}\nreturn out"
    )


def matrix(key="before", value="one", later=".masked_fill(later, -torch.inf)", weigh=".softmax(-1)", first="zero",
           query="one", last="arange", score="score"):  # fmt: skip
    """Products of matrices with ones and zeros."""
    return (
        "one = torch.eye(n_symbols, dtype=torch.float64)[tokens]\nzero = torch.zeros(1, n_symbols, dtype=torch.float64)\n"
        f"before = torch.cat([{first}, one[:-1]])\nafter = torch.cat([one[1:], zero])\narange = torch.arange(len(tokens))\n"
        f"later = arange[None] > {last}[:, None]\n"
        f"return (torch.einsum('tv,sv->ts', {query}, {key}) * {score}){later}{weigh} @ {value}"
    )


MATCH = "torch.einsum('tv,sv->ts', one, before)"
BEHIND = "(tokens[s + 1] if s + 1 < T else None)"
BEFORE, _, LAST = matrix().partition("return ")

WRONG = {
    "long_range.look_up": {
        "no_shift": (matrix(key="one"), loop(same="tokens[s] == tokens[t]")),
        "query_shifted": (matrix(query="before", key="one"), loop(same="t > 0 and tokens[s] == tokens[t - 1]")),
        "values_shifted": (matrix(key="one", value="after"), loop(same="tokens[s] == tokens[t]", found=BEHIND)),
        "not_causal": (matrix(later=""), loop(last="T")),
        "no_self": (
            matrix(last="(arange - 1)"),
            matrix(later=".where(arange[None] < arange[:, None], -torch.inf)"),
        ),
        "only_matches": (
            matrix(later=f".masked_fill(later | ({MATCH} < 0.5), -torch.inf)"),
            matrix(later=f".where(~later & ({MATCH} > 0.5), -torch.inf)"),
        ),
        "divided_by_root": (
            matrix(score="score * n_symbols**-0.5"),
            loop(weight="math.exp(score * e / math.sqrt(n_symbols))"),
        ),
        "finds_the_key": (matrix(value="before"), loop(found="(tokens[s - 1] if s else None)")),
        "other_way": (matrix(key="after"), loop(same="s + 1 < T and tokens[s + 1] == tokens[t]")),
        "no_softmax": (matrix(later=".masked_fill(later, 0.0)", weigh=""), loop(weight="score * e", total="1")),
        "not_normalised": (matrix(weigh=".exp()"), loop(total="1")),
        "round_the_corner": (matrix(first="one[-1:]"), loop(same="tokens[s - 1] == tokens[t]")),
        "values": (f"{BEFORE}return ({LAST}).float()", matrix(weigh=".float().softmax(-1).double()")),
    }
}

RIGHT = {"long_range.look_up": (matrix(), loop())}
