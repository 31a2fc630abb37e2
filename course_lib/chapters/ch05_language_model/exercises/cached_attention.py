"""The learner writes cached_attention: the newest position's output from keys and values that were kept."""

from course_lib.attention import dot_product
from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _cache_probe(*batch: int, seen: int, d: int, d_value: int, seed: int) -> Probe:
    new = (random(*batch, 1, size, seed=seed + i) for i, size in enumerate((d, d, d_value)))
    return Probe((*new, random(*batch, seen, d, seed=seed + 3), random(*batch, seen, d_value, seed=seed + 4)))


ENTRY = Exercise(
    id="language.cached_attention",
    reference=dot_product.cached_attention,
    probes=lambda: [
        _cache_probe(seen=4, d=3, d_value=5, seed=1),
        _cache_probe(1, 2, seen=3, d=4, d_value=2, seed=11),
        _cache_probe(2, 3, seen=6, d=5, d_value=4, seed=21),
        _cache_probe(3, seen=0, d=2, d_value=6, seed=31),
    ],
    outputs=("output", "keys", "values"),
    checked="four shapes, one with nothing kept yet, and the gradients for everything that went in.",
    mistakes=(
        Mistake(
            "itself_unseen",
            {"keys, values = torch.cat": "longer, more = torch.cat", "output, keys, values": "output, longer, more"},
            "the new position attends to the others only",
            "a position may attend to itself: first append, then attend.",
        ),
        Mistake(
            "in_front",
            {"[keys, k]": "[k, keys]", "[values, v]": "[v, values]"},
            "the new keys and values are put in front",
            "the next step, and every position's place, count on the order of time.",
        ),
        Mistake(
            "no_scale",
            {"(q, keys": "(q * q.shape[-1] ** 0.5, keys"},
            "the scores are not divided by √d",
            "it is the attention of chapter 02, for one query.",
        ),
        Mistake(
            "first_row_mask",
            {"(q, keys, values)": "(q, keys, values, torch.arange(keys.shape[-2])[None] < 1)"},
            "the query is masked as if it were the first position",
            "a causal mask made for one query allows key 0 alone; the new position is the last one.",
        ),
        Mistake(
            "not_kept",
            {"return output, keys, values": "return output, keys[..., :-1, :], values[..., :-1, :]"},
            "the keys and values come back without the new position",
            "what is not kept now is missing in the next step.",
        ),
    ),
    hints=(
        "How many keys does the new query see? How many come back?",
        "torch.cat([keys, k], dim=-2), the same for the values, then attention without a mask.",
        "scaled_dot_product_attention(q, keys, values) of chapter 02 returns (output, weights).",
    ),
    why="Under a causal mask nothing that is known about the past depends on the future, so its keys and values "
    "never change; and the newest query may see all that is kept, so no mask is left to apply.",
)
