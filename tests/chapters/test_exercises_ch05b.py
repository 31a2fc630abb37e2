"""Chapter 05b's exercises: every known mistake in two writings is named, other right answers pass."""


def walk(
    found="tokens[i] == a and tokens[i + 1] == b", step="2", end="len(tokens) - 1", last="", start="merged, i = [], 0"
):
    """With an index; the last token by itself."""
    last = last or "    if i == len(tokens) - 1:\n        merged.append(tokens[i])\n"
    return (
        f"a, b = pair\n{start}\nwhile i < {end}:\n    if {found}:\n        merged.append(new)\n        i += {step}\n"
        f"    else:\n        merged.append(tokens[i])\n        i += 1\n{last}return merged"
    )


LAST = "if i == len(tokens) - 1:\n    merged.append(tokens[i])\n"


def stack(found="merged and merged[-1] == pair[0] and token == pair[1]", row="tokens", more="", back="merged"):
    """Token by token, looking back at what has been written."""
    return (
        f"merged = []\nfor token in {row}:\n    if {found}:\n        merged[-1] = new\n{more}    else:\n"
        f"        merged.append(token)\nreturn {back}"
    )


LOOP = "for (a, b), new in {order}:\n    out, i = [], 0\n    while i < len(tokens):\n        if list(tokens[i:i + 2]) == [a, b]:\n            out.append(new)\n            i += 2\n        else:\n            out.append(tokens[i])\n            i += 1\n    tokens = out\n"
JOIN = (
    "def join(tokens, pair, new):\n    out, i = [], 0\n    while i < len(tokens):\n        hit = tuple(tokens[i:i + 2]) == pair\n"
    "        out.append(new if hit else tokens[i])\n        i += 1 + hit\n    return out\n"
)
SPELL = "spell = {}\nfor (a, b), new in merges.items():\n    spell[new] = spell.get(a, (a,)) + spell.get(b, (b,))\n"


def neighbours(add="times", pair="(piece[i], piece[i + 1])", row="range(len(piece) - 1)", skip=""):
    return (
        f"counts = {{}}\nfor piece, times in pieces.items():\n    last = None\n    for i in {row}:\n        pair = {pair}\n"
        f"{skip}        counts[pair] = counts.get(pair, 0) + {add}\n        last = pair\nreturn counts"
    )


COUNTER = "from collections import Counter\ncounts = Counter()\n"

WRONG = {
    "tokens.merge_pair": {
        "overlapping": (
            "out, i = [], 0\nhits = [tuple(tokens[j:j + 2]) == tuple(pair) for j in range(len(tokens))]\n"
            "for j in range(len(tokens)):\n    if hits[j]:\n        out.append(new)\n    elif not (j and hits[j - 1]):\n"
            "        out.append(tokens[j])\nreturn out",
            "hits = {j for j in range(len(tokens) - 1) if (tokens[j], tokens[j + 1]) == tuple(pair)}\n"
            "return [new if j in hits else t for j, t in enumerate(tokens) if j in hits or j - 1 not in hits]",
        ),
        "first_only": (
            "out, done = [], False\ni = 0\nwhile i < len(tokens):\n    if not done and tuple(tokens[i:i + 2]) == tuple(pair):\n"
            "        out.append(new)\n        done = True\n        i += 2\n    else:\n        out.append(tokens[i])\n        i += 1\nreturn out",
            "places = [j for j in range(len(tokens) - 1) if (tokens[j], tokens[j + 1]) == tuple(pair)]\n"
            "if not places:\n    return list(tokens)\nj = places[0]\nreturn tokens[:j] + [new] + tokens[j + 2:]",
        ),
        "from_the_right": (
            "merged = []\nfor token in reversed(tokens):\n    if merged and merged[-1] == pair[1] and token == pair[0]:\n"
            "        merged[-1] = new\n    else:\n        merged.append(token)\nreturn merged[::-1]",
            "out, i = [], len(tokens) - 1\nwhile i >= 0:\n    hit = i > 0 and (tokens[i - 1], tokens[i]) == tuple(pair)\n"
            "    out.insert(0, new if hit else tokens[i])\n    i -= 1 + hit\nreturn out",
        ),
        "unordered": (
            "out, i = [], 0\nwhile i < len(tokens):\n    hit = tuple(tokens[i:i + 2]) in (tuple(pair), tuple(pair)[::-1])\n"
            "    out.append(new if hit else tokens[i])\n    i += 1 + hit\nreturn out",
            "out, i = [], 0\nwhile i < len(tokens):\n    if len(tokens[i:i + 2]) == 2 and sorted(tokens[i:i + 2]) == sorted(pair):\n"
            "        out += [new]\n        i += 2\n    else:\n        out += [tokens[i]]\n        i += 1\nreturn out",
        ),
        "last_lost": (
            "out, i = [], 0\nwhile i + 1 < len(tokens):\n    if tokens[i] == pair[0] and tokens[i + 1] == pair[1]:\n"
            "        out.append(new)\n        i += 2\n    else:\n        out.append(tokens[i])\n        i += 1\nreturn out",
            "out, skip = [], False\nfor a, b in zip(tokens, tokens[1:]):\n    if skip:\n        skip = False\n"
            "    elif (a, b) == tuple(pair):\n        out.append(new)\n        skip = True\n    else:\n        out.append(a)\nreturn out",
        ),
    },
    "tokens.apply_merges": {
        "longest": (
            SPELL + "out, i = [], 0\nwhile i < len(tokens):\n    best, size = tokens[i], 1\n    for token, string in spell.items():\n"
            "        if len(string) > size and tuple(tokens[i:i + len(string)]) == string:\n            best, size = token, len(string)\n"
            "    out.append(best)\n    i += size\nreturn out",
            SPELL + "back = {string: token for token, string in spell.items()}\nout, rest = [], tuple(tokens)\nwhile rest:\n"
            "    n = len(rest)\n    while n > 1 and rest[:n] not in back:\n        n -= 1\n"
            "    out.append(back.get(rest[:n], rest[0]))\n    rest = rest[n:]\nreturn out",
        ),
        "leftmost": (
            "out = list(tokens)\nagain = True\nwhile again:\n    again = False\n    for i in range(len(out) - 1):\n"
            "        if (out[i], out[i + 1]) in merges:\n            out[i:i + 2] = [merges[out[i], out[i + 1]]]\n"
            "            again = True\n            break\nreturn out",
            "out = []\nfor token in tokens:\n    out.append(token)\n    i = 0\n    while i < len(out) - 1:\n"
            "        if (out[i], out[i + 1]) in merges:\n            out[i:i + 2] = [merges[out[i], out[i + 1]]]\n            i = 0\n"
            "        else:\n            i += 1\nreturn out",
        ),
        "newest": (
            JOIN + "tokens = list(tokens)\nwhile True:\n    for pair, new in reversed(merges.items()):\n"
            "        if pair in zip(tokens, tokens[1:]):\n            tokens = join(tokens, pair, new)\n            break\n"
            "    else:\n        return tokens",
            JOIN + "tokens = list(tokens)\norder = list(merges)\nwhile True:\n    there = set(zip(tokens, tokens[1:])) & set(order)\n"
            "    if not there:\n        return tokens\n    pair = sorted(there, key=order.index)[-1]\n"
            "    tokens = join(tokens, pair, merges[pair])",
        ),
        "backwards": (
            "tokens = list(tokens)\n" + LOOP.format(order="list(merges.items())[::-1]") + "return tokens",
            JOIN + "for pair in reversed(merges):\n    tokens = join(tokens, pair, merges[pair])\nreturn list(tokens)",
        ),
        "one_round": (
            JOIN + "for pair, new in merges.items():\n    if pair in zip(tokens, tokens[1:]):\n"
            "        return join(tokens, pair, new)\nreturn list(tokens)",
            LOOP.format(order="[m for m in merges.items() if m[0] in set(zip(tokens, tokens[1:]))][:1]") + "return list(tokens)",
        ),
    },
    "tokens.pair_counts": {
        "times_forgotten": (
            neighbours(add="1"),
            COUNTER + "for piece in pieces:\n    counts.update(zip(piece, piece[1:]))\nreturn counts",
        ),
        "last_place": (
            "counts = {}\nfor piece, times in pieces.items():\n    for pair in zip(piece, piece[1:]):\n        counts[pair] = times\n"
            "return counts",
            "return {(piece[i], piece[i + 1]): n for piece, n in pieces.items() for i in range(len(piece) - 1)}",
        ),
        "once_a_piece": (
            COUNTER + "for piece, times in pieces.items():\n    for pair in {*zip(piece, piece[1:])}:\n        counts[pair] += times\nreturn counts",
            "counts = {}\nfor piece, times in pieces.items():\n    seen = []\n    for pair in zip(piece, piece[1:]):\n"
            "        if pair not in seen:\n            seen.append(pair)\n            counts[pair] = counts.get(pair, 0) + times\nreturn counts",
        ),
        "across": (
            COUNTER + "row = []\nfor piece, times in pieces.items():\n    row += list(piece) * times\n"
            "counts.update(zip(row, row[1:]))\nreturn counts",
            "counts, last = {}, None\nfor piece, times in pieces.items():\n    for _ in range(times):\n        for token in piece:\n"
            "            if last is not None:\n                counts[last, token] = counts.get((last, token), 0) + 1\n"
            "            last = token\nreturn counts",
        ),
        "unordered": (
            neighbours(pair="tuple(sorted(piece[i:i + 2]))"),
            COUNTER + "for piece, times in pieces.items():\n    for a, b in zip(piece, piece[1:]):\n"
            "        counts[(a, b) if a < b else (b, a)] += times\nreturn counts",
        ),
        "without_overlap": (
            neighbours(skip="        if pair == last:\n            last = None\n            continue\n"),
            COUNTER + "for piece, times in pieces.items():\n    i = 0\n    while i < len(piece) - 1:\n        pair = piece[i:i + 2]\n"
            "        counts[pair] += times\n        i += 2 if piece[i + 1:i + 3] == pair else 1\nreturn counts",
        ),
    },
    "tokens.bits_per_character": {
        "bits_per_token": ("return nats_per_token / math.log(2)", "return nats_per_token * math.log2(math.e)"),
        "tokens_forgotten": (
            "return nats_per_token / n_characters / math.log(2)",
            "return nats_per_token * math.log2(math.e) / n_characters",
        ),
        "upside_down": (
            "return nats_per_token * n_characters / n_tokens / math.log(2)",
            "per_token = n_characters / n_tokens\nreturn per_token * nats_per_token * math.log2(math.e)",
        ),
        "nats": ("return nats_per_token * n_tokens / n_characters", "return nats_per_token / (n_characters / n_tokens)"),
        "times_log_2": (
            "return nats_per_token * n_tokens / n_characters * math.log(2)",
            "total = nats_per_token * n_tokens\nreturn math.log(2) * total / n_characters",
        ),
        "whole_text": ("return nats_per_token * n_tokens / math.log(2)", "return n_tokens * nats_per_token * math.log2(math.e)"),
    },
}  # fmt: skip

RIGHT = {
    "tokens.merge_pair": (
        walk(last=LAST),
        "out, skip = [], False\nfor i, token in enumerate(tokens):\n    if skip:\n        skip = False\n        continue\n"
        "    skip = tuple(tokens[i:i + 2]) == tuple(pair)\n    out.append(new if skip else token)\nreturn out",
        stack(),
    ),
    "tokens.apply_merges": (
        "tokens = list(tokens)\n" + LOOP.format(order="merges.items()") + "return tokens",
        JOIN + "tokens = list(tokens)\nwhile there := set(zip(tokens, tokens[1:])) & set(merges):\n"
        "    pair = min(there, key=list(merges).index)\n    tokens = join(tokens, pair, merges[pair])\nreturn tokens",
        "import torch\ntokens = list(tokens)\n"
        + LOOP.format(order="merges.items()")
        + "return torch.tensor(tokens, dtype=torch.long)",
    ),
    "tokens.pair_counts": (
        neighbours(),
        COUNTER
        + "for piece, times in pieces.items():\n    for pair in zip(piece, piece[1:]):\n        counts[pair] += times\nreturn counts",
        "from collections import defaultdict\ncounts = defaultdict(int)\nfor piece in pieces:\n    for i in range(1, len(piece)):\n"
        "        counts[piece[i - 1:i + 1]] += pieces[piece]\nreturn counts",
    ),
    "tokens.bits_per_character": (
        "return nats_per_token * n_tokens / (n_characters * math.log(2))",
        "return math.log2(math.e) * nats_per_token / (n_characters / n_tokens)",
    ),
}
