"""Chapter 00b's exercises: every known mistake in two writings is named, other right answers pass."""

import math

import torch
from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer


def spreads(**readings):
    """A chain of ifs with these readings in place of the right ones."""
    right = {
        "std": "torch.log(value) + torch.log(value)",
        "variance": "torch.log(value)",
        "log_std": "value + value",
        "logvar": "value * 1",
        "precision": "torch.log(1 / value)",
    }
    lines = [f"if meaning == {name!r}:\n    return {body}" for name, body in (right | readings).items()]
    return "\n".join(lines)


def table(**readings):
    """A dictionary of functions with these readings in place of the right ones."""
    right = {
        "std": "2 * v.log()",
        "variance": "v.log()",
        "log_std": "2 * v",
        "logvar": "v",
        "precision": "-(v.log())",
    }
    entries = ", ".join(f"{name!r}: lambda v: {body}" for name, body in (right | readings).items())
    return f"return {{{entries}}}[meaning](value)"


def masks(allowed="mask", masked="~mask", additive="mask == 0"):
    """A chain of ifs for the three writings."""
    return (
        f"if writes == 'allowed':\n    return {allowed}\nif writes == 'masked':\n    return {masked}\nreturn {additive}"
    )


WRONG = {
    "notation.logvar_from": {
        "std_unsquared": (spreads(std="torch.log(value)"), table(std="v.log()")),
        "log_std_kept": (spreads(log_std="value * 1"), table(log_std="v")),
        "variance_squared": (spreads(variance="torch.log(value ** 2)"), table(variance="2 * v.log()")),
        "precision_upright": (spreads(precision="torch.log(value)"), table(precision="v.log()")),
        "never_zero": (
            spreads(
                std="2 * torch.log(value + 1e-8)",
                variance="torch.log(value + 1e-8)",
                precision="-torch.log(value + 1e-8)",
            ),
            table(std="2 * (v + 1e-8).log()", variance="(v + 1e-8).log()", precision="-(1e-8 + v).log()"),
        ),
        "std_never_zero": (spreads(std="2 * torch.log(value + 1e-8)"), table(std="(v + 1e-8).log() * 2")),
        "square_underflows": (spreads(std="torch.log(value ** 2)"), table(std="(v * v).log()")),
    },
    "notation.bits_per_character": {
        "nats": ("return nats_per_token * tokens / characters", "return tokens * nats_per_token.div(characters)"),
        "times_ln2": (
            "return nats_per_token * math.log(2) * tokens / characters",
            "return nats_per_token * (tokens / characters) / math.log2(math.e)",
        ),
        "per_token": ("return nats_per_token / math.log(2)", "return nats_per_token * math.log2(math.e)"),
        "whole_text": (
            "return nats_per_token * tokens / math.log(2)",
            "return tokens * nats_per_token * math.log2(math.e)",
        ),
        "tokens_forgotten": (
            "return nats_per_token / characters / math.log(2)",
            "return nats_per_token.div(characters) * math.log2(math.e)",
        ),
        "perplexity": (
            "return nats_per_token.exp() * tokens / characters",
            "return torch.exp(nats_per_token) * (tokens / characters)",
        ),
        "upside_down": (
            "return nats_per_token / math.log(2) * characters / tokens",
            "per = tokens / characters\nreturn nats_per_token * math.log2(math.e) / per",
        ),
        "base_ten": (
            "return nats_per_token * tokens / characters / math.log(10)",
            "return nats_per_token * math.log10(math.e) * tokens / characters",
        ),
    },
    "notation.may_attend": {
        "not_turned": (masks(masked="mask"), "return mask if mask.dtype == torch.bool else mask == 0"),
        "both_turned": (masks(allowed="~mask"), "return mask == 0 if writes == 'additive' else torch.logical_not(mask)"),
        "swapped": (
            masks(allowed="~mask", masked="mask"),
            "if writes == 'additive':\n    return mask == 0\nreturn mask if writes == 'masked' else torch.logical_not(mask)",
        ),
        "truth_of_zero": (masks(additive="mask.bool()"), masks(additive="torch.isinf(mask)")),
        "weights_of_zero": (masks(additive="mask > 0"), masks(additive="torch.sign(mask) == 1")),
        "dtype": (masks(additive="mask.exp()"), masks(allowed="mask.double()")),
    },
}  # fmt: skip

RIGHT = {
    "notation.logvar_from": (spreads(), table(), table(precision="(1 / v).log()")),
    "notation.bits_per_character": (
        "return tokens * nats_per_token * math.log2(math.e) / characters",
        "whole = nats_per_token * tokens\nreturn whole / (characters * torch.log(torch.tensor(2.0, dtype=whole.dtype)))",
    ),
    "notation.may_attend": (
        masks(masked="torch.logical_not(mask)", additive="mask > -math.inf"),
        masks(masked="mask == False", additive="torch.isfinite(mask)"),
        "return {'allowed': lambda m: m, 'masked': lambda m: m ^ True, 'additive': lambda m: m.exp() == 1}[writes](mask)",
    ),
}  # fmt: skip


def test_a_common_finite_number_for_minus_infinity_is_met_by_the_reference():
    from course_lib.chapters.ch00b_notation.conventions import may_attend

    assert may_attend(torch.tensor([[0.0, -1e9]]), "additive").tolist() == [[True, False]]


def test_an_unknown_word_is_refused():
    import pytest

    from course_lib.chapters.ch00b_notation.conventions import logvar_from, may_attend

    with pytest.raises(ValueError, match="expected 'allowed', 'masked' or 'additive', got 'hidden'"):
        may_attend(torch.ones(1, 1).bool(), "hidden")
    with pytest.raises(KeyError, match="scale"):
        logvar_from(torch.ones(1), "scale")


def test_a_spread_that_is_squared_first_is_told_by_its_underflow():
    exercise = REGISTRY.find("notation.logvar_from")
    verdict = check(written(exercise, spreads(std="torch.log(value ** 2)")), exercise)
    assert "1e-200" in " ".join(verdict.lines)


def test_the_right_answers():
    found = [e.right for e in REGISTRY.chapters["00b_notation"].values() if isinstance(e, Answer)]
    assert found == [784 / 200, "softmaxed_twice"]
    assert math.isclose(found[0], 3.92)
