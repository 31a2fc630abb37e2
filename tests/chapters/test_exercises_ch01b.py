"""Chapter 01b's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.answers import judge_answer
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer
from course_lib.information import coding

CUT = "width, total = high - low + 1, sum(frequencies)\nbefore = sum(frequencies[:symbol])\nafter = before + frequencies[symbol]\n"
WALK = "width, total, before = high - low + 1, 0, 0\nfor s, f in enumerate(frequencies):\n    total += f\n    before += f if s < symbol else 0\nafter = before + frequencies[symbol]\n"
LOOP = (
    "n, table = len(past), [1] * symbols\ns = past.tolist()\ncontext = s[n - k:] if n >= k else None\n"
    "for i in range(k, n):\n    {body}\nreturn torch.tensor(table)"
)
SAME = "if s[i - k:i] == context:\n        "

WRONG = {
    "codes.narrow": {
        "width_short": (
            CUT + "width = high - low\nreturn low + width * before // total, low + width * after // total - 1",
            WALK + "width -= 1\nreturn low + before * width // total, low + after * width // total - 1",
        ),
        "overlap": (
            CUT + "return low + width * before // total, low + width * after // total",
            WALK + "a, b = (width * c // total for c in (before, after))\nreturn [low + a, low + b]",
        ),
        "low_moved_first": (
            CUT + "low = low + width * before // total\nhigh = low + width * after // total - 1\nreturn low, high",
            WALK + "low += width * before // total\nreturn low, low - 1 + width * after // total",
        ),
        "from_zero": (
            CUT + "return width * before // total, width * after // total - 1",
            WALK + "return before * width // total, -1 + after * width // total",
        ),
        "at_the_bottom": (
            "return low, low + (high - low + 1) * frequencies[symbol] // sum(frequencies) - 1",
            WALK + "return low, low - 1 + width * (after - before) // total",
        ),
        "floats": (
            CUT + "return int(low + width * before / total), int(low + width * after / total - 1)",
            WALK + "return int(low + width * before / total), int(low + width * after / total - 1.0)",
        ),
        "divided_first": (
            CUT + "return low + width // total * before, low + width // total * after - 1",
            WALK + "one = (high + 1 - low) // total\nreturn low + one * before, low + one * after - 1",
        ),
        "next_symbol": (
            "c = [sum(frequencies[:i]) for i in range(len(frequencies) + 2)]\nw = high - low + 1\n"
            "return low + w * c[symbol + 1] // c[-1], low + w * c[symbol + 2] // c[-1] - 1",
            CUT + "before = sum(frequencies[:symbol + 1])\nafter = sum(frequencies[:symbol + 2])\n"
            "return low + width * before // total, low + width * after // total - 1",
        ),
        "not_whole": (
            CUT + "return low + width * before / total, low + width * after / total - 1",
            WALK + "return float(low + before * width // total), float(low - 1 + after * width // total)",
        ),
        "float_division": (
            CUT + "return low + int(width * before / total), low + int(width * after / total) - 1",
            WALK + "a, b = (math.floor(c * width / total) for c in (before, after))\nreturn low + a, low - 1 + b",
        ),
        "rounded_up": (
            CUT + "return low - (-width * before) // total, low - (-width * after) // total - 1",
            WALK + "a, b = ((width * c + total - 1) // total for c in (before, after))\nreturn low + a, low + b - 1",
        ),
        "nearest": (
            CUT + "return low + round(width * before / total), low + round(width * after / total) - 1",
            WALK + "a, b = (round(c * width / total) for c in (before, after))\nreturn low + a, low - 1 + b",
        ),
        "rounded_width": (
            CUT + "low = low + width * before // total\nreturn low, low + width * frequencies[symbol] // total - 1",
            WALK + "begins, part = width * before // total, width * (after - before) // total\n"
            "return low + begins, low + begins + part - 1",
        ),
        "type": (CUT + "return low + width * before // total", "return low, high, symbol"),
        "changed_arguments": (
            "width, total, before = high - low + 1, sum(frequencies), 0\nwhile symbol:\n    before += frequencies.pop(0)\n"
            "    symbol -= 1\nafter = before + frequencies[0]\n"
            "return low + width * before // total, low + width * after // total - 1",
            "width = high - low + 1\nfor i in range(1, len(frequencies)):\n    frequencies[i] += frequencies[i - 1]\n"
            "before = frequencies[symbol - 1] if symbol else 0\ntotal = frequencies[-1]\n"
            "return low + width * before // total, low + width * frequencies[symbol] // total - 1",
        ),
    },
    "codes.context_counts": {
        "no_ones": (
            LOOP.replace("[1]", "[0]").format(body=SAME + "table[s[i]] += 1"),
            "t = torch.zeros(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
            "    if torch.equal(past[i - k:i], past[len(past) - k:]):\n        t[past[i]] = t[past[i]] + 1\nreturn t",
        ),
        "all_symbols": (
            LOOP.format(body="table[s[i]] += 1"),
            "return 1 + torch.bincount(past[k:], minlength=symbols)",
        ),
        "zero_slice": (
            LOOP.replace("s[n - k:] if n >= k else None", "s[-k:]").format(body=SAME + "table[s[i]] += 1"),
            "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
            "    if torch.equal(past[i - k:i], past[-k:]):\n        t[past[i]] += 1\nreturn t",
        ),
        "first_only": (
            LOOP.format(body=SAME + "table[s[i]] += 1\n        break"),
            "w = [past[i - k:i + 1].tolist() for i in range(k, len(past))]\nt = torch.ones(symbols, dtype=torch.long)\n"
            "found = [x[-1] for x in w if x[:-1] == past[len(past) - k:].tolist()]\n"
            "if found:\n    t[found[0]] = 2\nreturn t",
        ),
        "own_last": (
            LOOP.format(body=SAME + "table[s[i - 1] if k else s[i]] += 1"),
            "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
            "    if torch.equal(past[i - k:i], past[len(past) - k:]):\n"
            "        t[past[i - k:i + 1][max(k - 1, 0)]] += 1\nreturn t",
        ),
        "any_of_them": (
            LOOP.format(body="if any(a == b for a, b in zip(s[i - k:i], context)):\n        table[s[i]] += 1"),
            "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
            "    if (past[i - k:i] == past[len(past) - k:]).sum() > 0:\n        t[past[i]] += 1\nreturn t",
        ),
        "last_only": (
            LOOP.format(body="if k == 0 or s[i - 1] == s[-1]:\n        table[s[i]] += 1"),
            "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
            "    if torch.equal(past[i - min(k, 1):i], past[len(past) - min(k, 1):]):\n        t[past[i]] += 1\nreturn t",
        ),
        "no_overlap": (
            "s, t = past.tolist(), [1] * symbols\nc, i = s[len(s) - k:], k\nwhile i < len(s):\n"
            "    if s[i - k:i] == c:\n        t[s[i]] += 1\n        i += max(k, 1)\n    else:\n        i += 1\n"
            "return torch.tensor(t)",
            "t, free = torch.ones(symbols, dtype=torch.long), 0\nfor i in range(k, len(past)):\n"
            "    if i - k >= free and torch.equal(past[i - k:i], past[len(past) - k:]):\n"
            "        t[past[i]] += 1\n        free = i\nreturn t",
        ),
        "misses_last": (
            LOOP.replace("range(k, n)", "range(k, n - 1)").format(body=SAME + "table[s[i]] += 1"),
            "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past) - 1):\n"
            "    if torch.equal(past[i - k:i], past[len(past) - k:]):\n        t[past[i]] += 1\nreturn t",
        ),
        "shares": (
            LOOP.replace("torch.tensor(table)", "torch.tensor(table) / sum(table)").format(body=SAME + "table[s[i]] += 1"),
            "t = torch.ones(symbols)\nfor i in range(k, len(past)):\n"
            "    if torch.equal(past[i - k:i], past[len(past) - k:]):\n        t[past[i]] += 1\nreturn t / t.sum()",
        ),
        "raised": (
            "w = past.unfold(0, k + 1, 1)\nsame = (w[:, :k] == past[len(past) - k:]).all(1)\n"
            "return 1 + torch.bincount(w[same, k], minlength=symbols)",
            "w = torch.stack([past[i - k:i + 1] for i in range(k, len(past))])\nc = past[len(past) - k:].tolist()\n"
            "t = [1] * symbols\nfor *before, s in w.tolist():\n    t[s] += before == c\nreturn torch.tensor(t)",
        ),
    },
}  # fmt: skip

RIGHT = {
    "codes.narrow": (
        WALK + "return low + width * before // total, low + width * after // total - 1",
        "from itertools import accumulate\nc = [0, *accumulate(frequencies)]\n"
        "ends = [low + (high - low + 1) * c[symbol + i] // c[-1] for i in (0, 1)]\nreturn [ends[0], ends[1] - 1]",
    ),
    "codes.context_counts": (
        LOOP.format(body=SAME + "table[s[i]] += 1"),
        "t = torch.ones(symbols, dtype=torch.long)\nfor i in range(k, len(past)):\n"
        "    if torch.equal(past[i - k:i], past[len(past) - k:]):\n        t[past[i]] += 1\nreturn t",
        "if len(past) <= k:\n    return torch.ones(symbols, dtype=torch.long)\nw = past.unfold(0, k + 1, 1)\n"
        "same = (w[:, :k] == past[len(past) - k:]).all(1)\n"
        "return 1 + torch.nn.functional.one_hot(w[same, k], symbols).sum(0)",
    ),
}  # fmt: skip


def test_later_cells_find_the_parameters_in_their_places():
    def narrow(low, high, symbol, frequencies):
        return coding.narrow(low, high, frequencies, symbol)

    assert check(narrow, REGISTRY.find("codes.narrow")).key == "parameters"


def test_the_right_answers():
    most_likely = REGISTRY.find("codes.most_likely")
    assert all(judge_answer(most_likely, near).state == "right" for near in (152, 152.003, 152.0))
    assert [judge_answer(most_likely, nats).key for nats in (105, 105.4)] == ["105.36"] * 2
    answers = {e.id: e.right for e in REGISTRY.chapters["01b_codes"].values() if isinstance(e, Answer)}
    assert answers == {"codes.most_likely": 152, "codes.strange_file": "flipped_bit"}
