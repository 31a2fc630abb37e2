"""Chapter 08's exercises: right answers and known mistakes, each in two writings."""

import math

from course_lib.chapters.exercises import REGISTRY

TURNS = "turns, rest = divmod(state, frequency)\n"
SLOTS = "slots = 1 << precision\n"


def pushed(turns="state // frequency", slots="2 ** precision", slot="start + state % frequency"):
    return f"return {turns} * {slots} + {slot}"


def weighted(weights="log_w.softmax(0)", ess="1 / (w * w).sum(0)", back="w, ess"):
    return f"w = {weights}\ness = {ess}\nreturn {back}"


def by_hand(axis="0", ess="s ** 2 / (u ** 2).sum(0)", back="[u / s, ess]", s="u.sum({}, keepdim=True)"):
    """Shifted by the largest logarithm, of which no gradient is wanted."""
    lines = f"u = (log_w - log_w.amax({axis}, keepdim=True).detach()).exp()\ns = {s.format(axis)}\ness = {ess}"
    return f"{lines}\ness = ess.squeeze(0)\nreturn {back}"


def taken(new="log_joint_new - log_q_new", old="log_joint - log_q", back="torch.minimum(gain, torch.zeros_like(gain))"):
    return f"gain = ({new}) - ({old})\nreturn {back}"


def by_ratio(ratio="log_joint_new + log_q - log_joint - log_q_new", back="torch.where(ratio < 0, ratio, 0.0)"):
    return f"ratio = {ratio}\nreturn {back}"


WRONG = {
    "vae.ans_step": {
        "no_remainder": (pushed(slot="start"), TURNS + "return (turns << precision) | start"),
        "no_start": (pushed(slot="state % frequency"), TURNS + "return (turns << precision) | rest"),
        "remainder_of_slots": (
            pushed(slot="start + state % 2 ** precision"),
            SLOTS + "return state // frequency * slots + (state & (slots - 1)) + start",
        ),
        "multiplied_first": (
            "return state * 2 ** precision // frequency + start + state % frequency",
            SLOTS + "grown = (state * slots - state * slots % frequency) // frequency\nreturn grown + start + state % frequency",
        ),
        "not_divided": ("return (state << precision) + start", SLOTS + "return state * slots | start"),
        "pop": (
            "return frequency * (state // 2 ** precision) + state % 2 ** precision - start",
            SLOTS + "turns, slot = divmod(state, slots)\nreturn turns * frequency + (slot - start)",
        ),
        "precision_is_total": (pushed(slots="precision"), TURNS + "return sum([turns * precision, start, rest])"),
        "caret": (pushed(slots="(2 ^ precision)"), "slots = 2 ^ precision\n" + TURNS + "return slots * turns + start + rest"),
        "shift_last": (
            "return state // frequency << precision + start + state % frequency",
            TURNS + "return turns * 2 ** (precision + start + rest)",
        ),
        "not_whole": (pushed("state / frequency"), SLOTS + "return start + state % frequency + slots * (state / frequency)"),
        "floats": (
            pushed("int(state / frequency)"),
            SLOTS + "return slots * math.floor(state / frequency) + start + state % frequency",
        ),
        "slot": (pushed(slot="start + frequency"), TURNS + "return turns * 2 ** precision + start - 1 - rest"),
    },
    "vae.self_normalized_weights": {
        "images_axis": (
            weighted("log_w.softmax(1)"),
            "u = (log_w - log_w.amax(1, keepdim=True)).exp()\nw = u / u.sum(1, keepdim=True)\nreturn w, w.square().sum(0).reciprocal()",
        ),
        "all_together": (
            weighted("torch.softmax(log_w.reshape(-1), 0).reshape(log_w.shape)"),
            weighted("(log_w - log_w.logsumexp((0, 1))).exp()"),
        ),
        "one_maximum": (
            weighted("(log_w - log_w.max()).exp() / (log_w - log_w.max()).exp().sum(0)"),
            by_hand().replace("log_w.amax(0, keepdim=True).detach()", "log_w.flatten().amax()"),
        ),
        "not_divided": (weighted("(log_w - log_w.max(0).values).exp()"), "w = log_w.sub(log_w.amax(0)).exp()\nreturn w, w.square().sum(0).reciprocal()"),
        "not_inverted": (weighted(ess="(w * w).sum(0)"), by_hand(ess="(u ** 2).sum(0) / s ** 2")),
        "plain_sum": (weighted(ess="1 / w.sum(0)"), by_hand(ess="s / u.sum(0)")),
        "as_a_share": (weighted(ess="1 / (w * w).mean(0) / len(w) ** 2"), by_hand(ess="s ** 2 / (u ** 2).sum(0) / len(u)")),
        "entropy": (weighted(ess="(-(w * w.log()).sum(0)).exp()"), by_hand(ess="torch.exp(s.log() - (u * u.log()).sum(0) / s)")),
        "largest": (weighted(ess="1 / w.max(0).values"), by_hand(ess="s / u.amax(0)")),
        "log_weights": (weighted(back="w.log(), ess"), by_hand(back="(u / s).log(), ess")),
        "not_finite": (  # a spread with n − 1, of one draw alone
            weighted(ess="len(w) / (1 + w.var(0, correction=1) * len(w) ** 2 * (len(w) - 1) / len(w))"),
            weighted(ess="1 / (len(w) * w.mean(0) ** 2 + (len(w) - 1) * w.std(0) ** 2)"),
        ),
        "mean_one": (weighted("len(log_w) * log_w.softmax(0)"), by_hand(s="u.mean({}, keepdim=True)")),
    },
    "vae.log_acceptance": {
        "no_proposal": (taken("log_joint_new", "log_joint"), by_ratio("log_joint_new - log_joint")),
        "upside_down": (
            taken("log_joint_new + log_q_new", "log_joint + log_q"),
            by_ratio("log_joint_new + log_q_new - log_joint - log_q"),
        ),
        "one_sided": (taken(old="log_joint"), by_ratio("log_joint_new - log_joint - log_q_new")),
        "no_cap": (taken(back="gain"), by_ratio(back="ratio")),
        "probability": (taken(back="gain.exp().clamp(max=1)"), by_ratio(back="torch.where(ratio < 0, ratio.exp(), 1.0)")),
        "reversed": (
            taken(back="(-gain).clamp(max=0)"),
            by_ratio("log_joint + log_q_new - log_joint_new - log_q"),
        ),
        "always": (
            "return torch.zeros_like(log_joint)",
            taken(back="gain - gain"),
        ),
        "barker": (
            taken(back="torch.nn.functional.logsigmoid(gain)"),
            by_ratio(back="ratio - torch.logaddexp(ratio, torch.zeros_like(ratio))"),
        ),
        "floor": (taken(back="gain.clamp(min=0)"), by_ratio(back="torch.relu(ratio)")),
    },
}  # fmt: skip

RIGHT = {
    "vae.ans_step": (
        TURNS + "return turns * 2 ** precision + start + rest",
        SLOTS + "rest = state % frequency\nreturn ((state - rest) // frequency * slots) | (start + rest)",
        "place = start + state % frequency\nwhole = state // frequency\nfor _ in range(precision):\n    whole += whole\n"
        "return whole + place",
    ),
    "vae.self_normalized_weights": (weighted(), by_hand(), weighted("(log_w - log_w.logsumexp(0)).exp()")),
    "vae.log_acceptance": (
        taken(),
        by_ratio(),
        "w, v = log_joint_new - log_q_new, log_joint - log_q\nreturn torch.minimum(w, v) - v",
        "return torch.stack([min(a - b - c + d, 0 * a) for a, b, c, d in zip(log_joint_new, log_q_new, log_joint, log_q)])",
    ),
}


def test_the_answer_knows_its_tempting_ones():
    bits = REGISTRY.find("vae.initial_bits")
    rate = 25 / math.log(2)
    assert bits.right == 50 * 12 - rate
    assert bits.wrong.keys() >= {600.0, rate, 25.0, 575.0, 600 + rate, 625.0}
    assert all(abs(wrong / bits.right - 1) > 5 * bits.rtol for wrong in bits.wrong)
