"""Chapter 17's exercises: every known mistake in two writings is named, other right answers pass."""

import torch

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer


def by_flag(before="on = False", learned="on", after="on = t == assistant or (on and t != end)",
            back="tokens[:-1], targets", nothing="-100", asked="t"):  # fmt: skip
    """A loop with a flag that says who speaks."""
    return (
        f"kept = []\n{before}\nrow = tokens.tolist()\nfor i, t in enumerate(row):\n"
        f"    kept.append({asked} if {learned} else {nothing})\n    {after}\n"
        f"targets = torch.tensor(kept)[1:]\nreturn {back}"
    )


def by_counts(mask="spoken", made="tokens[1:]", nothing="-100", extra=""):
    """Who has opened their mouth and not yet closed it, by counting the ends behind each opening."""
    return (
        "opened = (tokens == assistant).int()\nclosed = (tokens == end).int()\n"
        "last_open = torch.where(opened.bool(), torch.arange(len(tokens)), -1).cummax(0).values\n"
        "last_close = torch.where(closed.bool(), torch.arange(len(tokens)), -1).cummax(0).values\n"
        "before = torch.cat([last_open[:1] * 0 - 1, last_open[:-1]])\n"
        "ended = torch.cat([last_close[:1] * 0 - 1, last_close[:-1]])\n"
        f"spoken = before > ended\n{extra}\n"
        f"return tokens[:-1], torch.where(({mask})[1:], {made}, torch.full_like({made}, {nothing}))"
    )


def by_product(scale="alpha / up.shape[1]", product="up @ down", with_it="weight + "):
    return f"return {with_it}({scale}) * ({product})"


def by_columns(scale="alpha / len(down)", start="weight", sign="+", pair="torch.outer(column, row)"):
    """A sum of products of a column and a row."""
    return f"total = {start}\nfor column, row in zip(up.T, down):\n    total = total {sign} ({scale}) * {pair}\nreturn total"


def by_counter(keys="[key(a) for a in answers]", kept="[k for k in keys if k is not None]",
               none="return None", best="max(set(said), key=lambda k: (said.count(k), -said.index(k)))",
               back="next(a for a, k in zip(answers, keys) if k == best)"):  # fmt: skip
    """By counting each key in the list."""
    return f"keys = {keys}\nsaid = {kept}\nif not said:\n    {none}\nbest = {best}\nreturn {back}"


def by_heaps(skip="if k is None:\n        continue", wins=">", back="heaps[best][0]", order="heaps", none="return None",
             k="key(a)"):  # fmt: skip
    """By heaps of answers with the same key."""
    return (
        f"heaps = {{}}\nfor a in answers:\n    k = {k}\n    {skip}\n    heaps.setdefault(k, []).append(a)\n"
        f"if not heaps:\n    {none}\nbest = None\nfor k in {order}:\n"
        f"    if best is None or len(heaps[k]) {wins} len(heaps[best]):\n        best = k\nreturn {back}"
    )


TOOLS = "from course_lib.chat.tools import find_call, result_of\n"


def by_while(find="find_call(said, mark, answered=True)", given="prompt + said", cut="said[: call.end] + result",
             then="continue", limit="calls == most_calls", last="return said + write(prompt + said)",
             back="said", result="result_of(call, limits)"):  # fmt: skip
    """What is said alone is kept; the prompt is put in front where the model is asked."""
    return (
        f"{TOOLS}said, calls = '', 0\nwhile True:\n    if {limit}:\n        {last}\n    mark = len(said)\n"
        f"    said = said + write({given})\n    call = {find}\n    if call is None:\n        return {back}\n"
        f"    result = {result}\n    said = {cut}\n    calls += 1\n    {then}"
    )


def by_recursion(find="find_call(said, 0, True)", call_again="said + write_with_calculator(write, prompt + said, most_calls - 1, limits)",
                 cut="said[: call.end] + result_of(call, limits)", none="return said", first="write(prompt)",
                 limit="most_calls == 0"):  # fmt: skip
    """The same question, asked again with what has been said."""
    return (
        f"{TOOLS}said = {first}\nif {limit}:\n    return said\ncall = {find}\nif call is None:\n    {none}\n"
        f"said = {cut}\nreturn {call_again}"
    )


def by_loop(find="find_call(text, mark, True)"):
    """The text with the prompt in front, as far as it is."""
    return (
        f"{TOOLS}text = prompt\nfor _ in range(most_calls):\n    mark = len(text)\n    text += write(text)\n"
        f"    call = {find}\n    if call is None:\n        return text[len(prompt):]\n"
        "    text = text[: call.end] + result_of(call, limits)\nreturn (text + write(text))[len(prompt):]"
    )


WRONG = {
    "chat.answers_alone": {
        "all_learned": (by_flag(learned="True"), "return tokens[:-1], tokens[1:].clone()"),
        "end_not_learned": (by_flag(learned="on and t != end"), by_counts("spoken & (tokens != end)")),
        "role_learned": (by_flag(learned="on or t == assistant"), by_counts("spoken | (tokens == assistant)")),
        "never_off": (by_flag(after="on = on or t == assistant"), by_counts("before >= 0")),
        "last_alone": (
            by_flag(learned="on and assistant not in row[i:]"),
            by_counts("spoken & (torch.arange(len(tokens)) > last_open[-1])"),
        ),
        "questions_learned": (by_flag(learned="not on"), by_counts("~spoken")),
        "all_ends": (by_flag(learned="on or t == end"), by_counts("spoken | (tokens == end)")),
        "not_shifted": (
            by_flag(back="tokens[:-1], torch.tensor(kept)[:-1]"),
            "whole = torch.full_like(tokens, -100)\non = False\nfor i, t in enumerate(tokens.tolist()):\n"
            "    if on:\n        whole[i] = t\n    on = (on or t == assistant) and t != end\n"
            "return tokens[:-1], whole[:-1]",
        ),
        "mask_late": (
            by_flag(before="on, was = False, False", learned="was", after="on, was = t == assistant or (on and t != end), on"),
            by_counts("torch.cat([spoken[:1], spoken[:-1]])"),
        ),
        "zero_asked": (by_flag(nothing="0"), by_counts(nothing="0")),
    },
    "chat.merged_weight": {
        "scale_forgotten": (by_product("1"), by_columns("1")),
        "not_divided": (by_product("alpha"), by_columns("alpha")),
        "twice": (by_product("(alpha / up.shape[1]) ** 2"), by_columns("alpha * alpha / len(down) ** 2")),
        "other_axis": (by_product("alpha / weight.shape[1]"), by_columns("alpha / len(row)")),
        "outputs": (by_product("alpha / weight.shape[0]"), by_columns("alpha / len(column)")),
        "root": (by_product("alpha / math.sqrt(up.shape[1])"), by_columns("alpha * len(down) ** -0.5")),
        "taken_off": (by_product(with_it="weight - "), by_columns(sign="-")),
        "product_alone": (by_product(with_it=""), by_columns(start="torch.zeros_like(weight)")),
        "transposed": (by_product(product="down.T @ up.T"), by_product(product="(up @ down).mT")),
    },
    "chat.vote": {
        "none_votes": (by_counter(kept="keys"), by_heaps(skip="pass", k="str(key(a))")),
        "by_text": (by_counter(keys="answers"), by_heaps(skip="", k="a")),
        "key_returned": (by_counter(back="best"), by_heaps(back="best")),
        "commonest_key": (
            "from collections import Counter\nreturn Counter(map(key, answers)).most_common(1)[0][0]",
            by_counter(kept="keys", back="best"),
        ),
        "last_of_equals": (
            by_counter(best="max(said, key=lambda k: (said.count(k), said.index(k)))"), by_heaps(wins=">="),
        ),
        "last_heard": (
            by_counter(best="max(reversed(said), key=said.count)"),
            by_heaps(order="dict.fromkeys(k for k in map(key, reversed(answers)) if k is not None)"),
        ),
        "last_answer": (by_counter(back="[a for a, k in zip(answers, keys) if k == best][-1]"), by_heaps(back="heaps[best][-1]")),
        "smallest_key": (by_counter(best="min(said, key=lambda k: (-said.count(k), k))"), by_heaps(order="sorted(heaps)")),
        "no_vote": (by_counter(best="said[0]"), by_heaps(wins="< 0 *")),
        "abstention_counts_as_first": (by_counter(none="return answers[0]"), by_heaps(none="return answers[0]")),
    },
    "chat.write_with_calculator": {
        "made_up_believed": (by_while(find="find_call(said, mark)"), by_recursion(find="find_call(said)")),
        "rest_kept": (
            by_while(cut="said[: call.end] + result + said[call.end :]"),
            by_recursion(cut="said[: call.end] + result_of(call, limits) + said[call.end :]"),
        ),
        "ended_by_result": (by_while(then="return said"), by_recursion(call_again="said")),
        "prompt_computed": (
            f"{TOOLS}text = prompt\nfor _ in range(most_calls):\n    text = text + write(text)\n    call = find_call(text)\n"
            "    if call is None:\n        return text[len(prompt):]\n    text = text[: call.end] + result_of(call, limits)\n"
            "return (text + write(text))[len(prompt):]",
            f"{TOOLS}text, left = prompt, most_calls\nwhile left > 0:\n    text += write(text)\n    call = find_call(text, 0)\n"
            "    if not call:\n        break\n    text, left = text[: call.end] + result_of(call, limits), left - 1\n"
            "else:\n    text += write(text)\nreturn text[len(prompt):]",
        ),
        "found_again": (by_while(find="find_call(said, 0, True)"), by_loop(find="find_call(text, len(prompt), True)")),
        "all_searched": (
            by_loop(find="find_call(text, answered=True)"),
            f"{TOOLS}text, calls = prompt, 0\nwhile calls < most_calls:\n    text = text + write(text)\n"
            "    call = find_call(text, 0, True)\n    if not call:\n        return text[len(prompt) :]\n"
            "    text, calls = text[: call.end] + result_of(call, limits), calls + 1\n"
            "return (text + write(text))[len(prompt) :]",
        ),
        "prompt_unseen": (
            by_while(given="said", last="return said + write(said)"),
            by_recursion(call_again="said + write_with_calculator(lambda t: write(said + t), '', most_calls - 1, limits)",
                         first="write('')"),
        ),
        "prompt_returned": (
            by_while(back="prompt + said", last="return prompt + said + write(prompt + said)"),
            f"{TOOLS}text = prompt\nfor _ in range(most_calls):\n    mark = len(text)\n    text += write(text)\n"
            "    call = find_call(text, mark, True)\n    if call is None:\n        return text\n"
            "    text = text[: call.end] + result_of(call, limits)\nreturn text + write(text)",
        ),
        "asked_afresh": (
            by_while(given="prompt", last="return said + write(prompt)"),
            f"{TOOLS}said = []\nfor _ in range(most_calls):\n    part = write(prompt)\n    call = find_call(part, 0, True)\n"
            "    if call is None:\n        return ''.join(said) + part\n"
            "    said.append(part[: call.end] + result_of(call, limits))\nreturn ''.join(said) + write(prompt)",
        ),
        "call_removed": (
            by_while(cut="said[: call.start] + result[3:]"),
            by_recursion(cut="said[: call.start] + result_of(call, limits).replace(' = ', '')"),
        ),
        "no_last_word": (
            by_while(last="return said"),
            "if most_calls == 0:\n    return ''\n" + by_recursion(),
        ),
        "limit_ignored": (by_while(limit="False"), by_recursion(limit="False")),
    },
}  # fmt: skip

RIGHT = {
    "chat.answers_alone": (by_flag(), by_counts()),
    "chat.merged_weight": (by_product(), by_columns(), "return torch.addmm(weight, up, down, alpha=alpha / len(down))"),
    "chat.vote": (by_counter(), by_heaps()),
    "chat.write_with_calculator": (by_while(), by_recursion(), by_loop()),
}


def test_the_worked_values_of_the_stubs():
    by_id = REGISTRY.chapters["17_chat"]
    inputs, targets = by_id["chat.answers_alone"].reference(torch.tensor([8, 5, 9, 7, 6, 9]), 7, 9)
    assert inputs.tolist() == [8, 5, 9, 7, 6]
    assert targets.tolist() == [-100, -100, -100, 6, 9]
    two = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    merged = by_id["chat.merged_weight"].reference(torch.eye(2), torch.eye(2), two, 3.0)
    assert merged.tolist() == [[4.0, 0.0], [3.0, 1.0]]
    number = lambda text: "".join(c for c in text if c.isdigit()) or None
    assert by_id["chat.vote"].reference(["12", "it is 15", "15.", "none"], number) == "it is 15"
    said = iter(["It is calc(2 + 3) = 6", "."])
    assert by_id["chat.write_with_calculator"].reference(lambda text: next(said), "2 + 3?") == "It is calc(2 + 3) = 5."


def test_the_answers():
    answers = {id: e for id, e in REGISTRY.chapters["17_chat"].items() if isinstance(e, Answer)}
    assert set(answers) <= {"chat.symptom_1", "chat.symptom_2"}
