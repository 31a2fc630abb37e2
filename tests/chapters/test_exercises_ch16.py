"""Chapter 16's exercises: every known mistake in two writings is named, other right answers pass."""

import torch

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer


def by_sum(kept="z", gone="(entries - z).detach()"):
    return f"return {kept} + {gone}"


def by_function(forward="entries.clone()", back="g, None"):
    """As a function of autograd with a backward pass of its own."""
    return (
        "class Choice(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, z, entries):\n"
        f"        return {forward}\n    @staticmethod\n    def backward(ctx, g):\n        return {back}\n"
        "return Choice.apply(z, entries)"
    )


def laid_out(
    words="model.read(captions)",
    first="words",
    then="symbols[:, :-1]",
    before="model.length - 1",
    row="symbols",
    nothing="-100",
):
    """By concatenation."""
    return (
        f"words = {words}\nread = torch.cat([{first}, {then}], dim=1)\n"
        f"silent = torch.full((len(captions), {before}), {nothing}, dtype=torch.long)\n"
        f"return read, torch.cat([silent, {row}], dim=1)"
    )


def by_shift(whole="[model.read(captions), symbols]", silent="targets[:, : model.length - 1] = -100", by="1"):
    """The whole sequence, cut at both ends."""
    return (
        f"whole = torch.cat({whole}, dim=1)\nread, targets = whole[:, :-1], whole[:, {by}:].clone()\n"
        f"{silent}\nreturn read, targets"
    )


def by_logits(mixed="anything + weight * (asked - anything)", axis="-1"):
    return f"return torch.softmax({mixed}, dim={axis})"


def by_powers(a="weight", u="1 - weight"):
    """As a product of powers of the two distributions."""
    return (
        "p, free = asked.log_softmax(-1), anything.log_softmax(-1)\n"
        f"made = (({a}) * p + ({u}) * free).exp()\nreturn made / made.sum(-1, keepdim=True)"
    )


def plain(scale="/ math.sqrt(w_q.shape[1])", masked="scores.masked_fill(~there.unsqueeze(1), float('-inf'))",
          axis="-1", back="weights @ (words @ w_v), weights"):  # fmt: skip
    return (
        f"scores = (places @ w_q) @ (words @ w_k).mT {scale}\nweights = torch.softmax({masked}, {axis})\nreturn {back}"
    )


def by_einsum(scale="w_q.shape[-1] ** -0.5", masked="torch.where(there[:, None, :], s, -torch.inf)", axis="2",
              after="", back="torch.einsum('bpw,bwe->bpe', a, v), a"):  # fmt: skip
    return (
        "q = torch.einsum('bpc,cd->bpd', places, w_q)\nk = torch.einsum('bwt,td->bwd', words, w_k)\n"
        f"v = torch.einsum('bwt,te->bwe', words, w_v)\ns = torch.einsum('bpd,bwd->bpw', q, k) * {scale}\n"
        f"a = {masked}.softmax({axis})\n{after}\nreturn {back}"
    )


WRONG = {
    "text.straight_through": {
        "not_detached": ("return entries", by_sum(gone="(entries - z)")),
        "all_detached": ("return entries.detach()", "with torch.no_grad():\n    return z + (entries - z)"),
        "other_side": (by_sum("entries", "(z - entries).detach()"), by_function("z.clone()", "None, g")),
        "entries_too": (by_sum("z", "entries - z.detach()"), by_function(back="g, g")),
        "z_alone": ("return z.clone()", by_function("z.clone()")),
    },
    "text.inputs_and_targets": {
        "same_symbol": (
            laid_out(before="model.length", row="symbols[:, :-1]"),
            "read, targets = torch.cat([model.read(captions), symbols], 1)[:, :-1], None\n"
            "targets = read.clone()\ntargets[:, : model.length] = -100\nreturn read, targets",
        ),
        "one_ahead": (
            laid_out(row="torch.cat([symbols[:, 1:], silent[:, :1]], dim=1)"),
            "whole = torch.cat([model.read(captions), symbols], dim=1)\nread, targets = whole[:, :-1], torch.full_like(whole, -100)[:, 1:]\n"
            "targets[:, model.length - 1 : -1] = symbols[:, 1:]\nreturn read, targets",
        ),
        "words_asked": (laid_out(before="0", row="words[:, 1:], symbols"), by_shift(silent="")),
        "words_asked_alone": (
            laid_out(before="0", row="words[:, 1:], symbols * 0 - 100"),
            by_shift(silent="targets[:, model.length - 1 :] = -100"),
        ),
        "zero_asked": (laid_out(nothing="0"), by_shift(silent="targets[:, : model.length - 1] = 0")),
        "words_are_symbols": (laid_out(words="captions"), by_shift(whole="[captions, symbols]")),
        "picture_first": (
            laid_out(first="symbols", then="words[:, :-1]", before="0", row="symbols[:, 1:], torch.full_like(words, -100)"),
            by_shift(whole="[symbols, model.read(captions)]", silent="targets[:, model.places - 1 :] = -100"),
        ),
    },
    "text.guided_distribution": {
        "mixed": (
            "a, u = asked.softmax(-1), anything.softmax(-1)\nreturn (1 - weight) * u + weight * a",
            "return torch.lerp(anything.softmax(-1), asked.softmax(-1), weight)",
        ),
        "mixed_and_cut": (
            "a, u = asked.softmax(-1), anything.softmax(-1)\nm = (u + weight * (a - u)).relu()\nreturn m / m.sum(-1, keepdim=True)",
            "m = torch.lerp(anything.softmax(-1), asked.softmax(-1), weight).clamp_min(0.0)\nreturn m / m.norm(1, dim=-1, keepdim=True)",
        ),
        "from_asked": (by_logits("asked + weight * (asked - anything)"), by_powers("1 + weight", "-weight")),
        "exchanged": (by_logits("asked + weight * (anything - asked)"), by_powers("1 - weight", "weight")),
        "away": (by_logits("anything - weight * (asked - anything)"), by_powers("-weight", "1 + weight")),
        "asked_scaled": (by_logits("weight * asked"), by_powers(u="0")),
        "difference_alone": (by_logits("weight * (asked - anything)"), by_powers(u="-weight")),
        "added": (by_logits("anything + weight * asked"), by_powers(u="1")),
        "across": (by_logits(axis="0"), "m = (anything + weight * (asked - anything)).exp()\nreturn m / m.sum(0)"),
    },
    "text.look_at_words": {
        "each_word_chooses": (plain(axis="1"), by_einsum(axis="-2")),
        "mask_ignored": (plain(masked="scores"), by_einsum(masked="s")),
        "mask_inverted": (
            plain(masked="scores.masked_fill(there[:, None], -torch.inf)"),
            by_einsum(masked="torch.where(there[:, None, :], -torch.inf, s)"),
        ),
        "mask_with_zero": (
            plain(masked="scores * there[:, None]"),
            by_einsum(masked="torch.where(there[:, None, :], s, 0.0)"),
        ),
        "mask_after_softmax": (
            by_einsum(masked="s", after="a = a * there[:, None]"),
            by_einsum(masked="s", after="a = a.masked_fill(~there[:, None], 0.0)"),
        ),
        "unscaled": (plain(scale=""), by_einsum(scale="1.0")),
        "scaled_by_text": (plain(scale="/ math.sqrt(w_k.shape[0])"), by_einsum(scale="words.shape[-1] ** -0.5")),
        "scaled_by_picture": (plain(scale="/ math.sqrt(w_q.shape[0])"), by_einsum(scale="places.shape[-1] ** -0.5")),
        "swapped": (plain(back="weights, weights @ (words @ w_v)"), by_einsum(back="a, torch.einsum('bpw,bwe->bpe', a, v)")),
    },
}  # fmt: skip

RIGHT = {
    "text.straight_through": (by_sum(), by_function(), "return z - z.detach() + entries.detach()"),
    "text.inputs_and_targets": (laid_out(), by_shift()),
    "text.guided_distribution": (by_logits(), by_powers()),
    "text.look_at_words": (plain(), by_einsum()),
}


def test_the_worked_values_of_the_stubs():
    by_id = REGISTRY.chapters["16_text_to_image"]
    log = lambda *numbers: torch.tensor(numbers, dtype=torch.float64).log()
    guided = by_id["text.guided_distribution"].reference(log(0.2, 0.8), log(0.5, 0.5), 2.0)
    torch.testing.assert_close(guided, torch.tensor([0.04, 0.64], dtype=torch.float64) / 0.68)
    places, words = torch.tensor([[[2.0]]]), torch.tensor([[[1.0], [0.0]]])
    one, there = torch.eye(1), torch.tensor([[True, True]])
    found, weights = by_id["text.look_at_words"].reference(places, words, there, one, one, one)
    torch.testing.assert_close(weights, torch.tensor([[[2.0, 0.0]]]).softmax(-1))
    torch.testing.assert_close(found, weights[..., :1])


def test_the_answers():
    answers = {id: e for id, e in REGISTRY.chapters["16_text_to_image"].items() if isinstance(e, Answer)}
    assert {id: e.right for id, e in answers.items()} == {
        "text.symptom_1": "words_sorted",
        "text.symptom_2": "column_by_column",
    }
    assert len(answers["text.symptom_1"].options) == 6
