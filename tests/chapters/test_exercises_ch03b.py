"""Chapter 03b's exercises: every known mistake in two writings is named, other right answers pass."""

import pytest

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check

EXPLICIT, ONLINE = "T * T + 3 * T * d_head", "4 * T * d_head + T"


def counted(explicit=EXPLICIT, online=ONLINE, times="n_heads * itemsize"):
    return f"return ({explicit}) * {times}, ({online}) * {times}"


def added(parts, times="n_heads * itemsize"):
    return (
        f"explicit = online = 0\nfor n in {parts[0]}:\n    explicit += n * {times}\n"
        f"for n in {parts[1]}:\n    online += n * {times}\nreturn [explicit, online]"
    )


WRONG = {
    "positions.attention_bytes": {
        "scores_too": (counted(f"{EXPLICIT} + T * T"), added(("[T * d_head] * 3 + [T ** 2] * 2", "[T * d_head] * 4 + [T]"))),
        "weights_only": (counted("T * T"), added(("[T ** 2]", "[T * d_head] * 4 + [T]"))),
        "no_output": (counted(online="3 * T * d_head + T"), added(("[T * d_head] * 3 + [T ** 2]", "[T * d_head] * 3 + [T]"))),
        "no_statistic": (counted(online="4 * T * d_head"), added(("[T * d_head] * 3 + [T ** 2]", "[T * d_head] * 4"))),
        "one_head": (counted(times="itemsize"), added(("[T * d_head] * 3 + [T ** 2]", "[T * d_head] * 4 + [T]"), "itemsize")),
        "numbers": (counted(times="n_heads"), added(("[T * d_head] * 3 + [T ** 2]", "[T * d_head] * 4 + [T]"), "n_heads")),
    },
}  # fmt: skip

RIGHT = {
    "positions.attention_bytes": (
        counted(),
        added(("[T * d_head] * 3 + [T ** 2]", "[T * d_head] * 4 + [T]")),
        "both = torch.tensor([3 * T * d_head + T * T, 4 * T * d_head + T])\nreturn tuple(both * n_heads * itemsize)",
    ),
}


@pytest.mark.parametrize("default", ["", "=1", "=8", "=4.5"])
def test_a_default_that_later_cells_rely_on_is_asked_for(default):
    scope = {}
    body = f"def attention_bytes(n_heads, T, d_head, itemsize{default}):\n    {counted()}"
    exec(body, scope)
    assert check(scope["attention_bytes"], REGISTRY.find("positions.attention_bytes")).key == "parameters"


def test_the_answers_know_their_tempting_ones():
    cache, products = (REGISTRY.find(f"positions.{name}") for name in ("long_context", "backward_products"))
    assert cache.right == 2 * 32 * 8 * 128 * 2 * 131_072 / 2**30
    assert cache.wrong.keys() >= {cache.right / 2, cache.right * 2, cache.right * 4, cache.right / 32}
    assert products.right == 5
    assert products.wrong.keys() >= {2, 3, 4, 6, 7}
