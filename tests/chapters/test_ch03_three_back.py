"""Chapter 03's task: each scheme does what its name says, and no answer comes from the future."""

import pytest
import torch

from course_lib.attention.positions import alibi, rotary, sinusoidal
from course_lib.chapters.ch03_positions_and_cost.memory import memory
from course_lib.chapters.ch03_positions_and_cost.three_back import KINDS, SCHEMES, ThreeBack, accuracy, shares, train


def symbols(T, seed=0):
    return torch.randint(KINDS, (2, T), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_attention_with_its_formula(scheme):
    """The same logits query by query, with explicit sums."""
    torch.manual_seed(1)
    model, given = ThreeBack(scheme, n_heads=4).double(), symbols(7)
    at = torch.arange(7)
    x = model.symbol(given)
    x = x + model.table.table[:7] if scheme == "learned" else x
    x = x + sinusoidal(at, 32).double() if scheme == "sinusoidal" else x
    q, k, v = model.layer.project(x)
    if scheme == "rotary":
        q, k = rotary(q, at), rotary(k, at)
    rows = []
    for t in range(7):
        scores = (q[:, :, t, None] * k[:, :, : t + 1]).sum(-1) / 8**0.5  # (B, H, t + 1)
        if scheme == "alibi":
            scores = scores + alibi(4, at)[:, t, : t + 1]
        rows.append((scores.softmax(-1)[..., None] * v[:, :, : t + 1]).sum(-2).flatten(1))
    expected = model.readout(x + model.layer.output(torch.stack(rows, dim=1)))
    torch.testing.assert_close(model(given), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_neither_the_future_nor_what_lies_before_the_window_is_seen(scheme):
    torch.manual_seed(2)
    model, given = ThreeBack(scheme).double(), symbols(9)
    other = given.clone()
    other[:, :3], other[:, 7:] = (given[:, :3] + 1) % KINDS, (given[:, 7:] + 1) % KINDS
    torch.testing.assert_close(model(given, window=4)[:, 6], model(other, window=4)[:, 6])
    assert (model(given)[:, 6] - model(other)[:, 6]).abs().max() > 1e-3


def test_training_is_the_same_twice_and_learns():
    first, second = train("rotary", 3, steps=60), train("rotary", 3, steps=60)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert shares(accuracy(first))["inside"] > 2 * shares(accuracy(train("rotary", 3, steps=1)))["inside"]


def test_shares_are_means_over_their_positions():
    right = torch.zeros(253, dtype=torch.float64)
    right[32 - 3 : 64 - 3] = 1.0
    assert shares(right) == {"inside": 0.0, "beyond": 1.0, "far": 0.0}
    with pytest.raises(ValueError, match="scheme: expected one of none, learned"):
        ThreeBack("spiral")


def test_what_is_added_to_the_scores_is_told_by_distance():
    torch.manual_seed(4)
    model, given = ThreeBack("rotary").double(), symbols(9)
    extra = torch.zeros(256)
    extra[4:] = -torch.inf
    torch.testing.assert_close(model(given, extra=extra), model(given, window=4))
    extra[:4] = torch.tensor([0.0, 2.0, 0.0, 0.0])
    assert (model(given, extra=extra) - model(given, window=4)).abs().max() > 1e-3


def test_the_largest_tensor_counts_memory_and_not_views():
    a = torch.ones(10, 3)
    assert memory(lambda x: (x @ x.T).sum(), a)[0] == 10 * 10 * 4
    assert memory(lambda x: x.expand(1000, 10, 3)[0] + 1, a)[0] == 10 * 3 * 4
    assert memory(lambda x: x.double(), a)[0] == 10 * 3 * 8


def test_what_is_held_at_one_time_forgets_what_is_gone_and_keeps_what_is_not():
    a = torch.ones(10, 3)

    def one_by_one(x):
        for _ in range(5):
            x = x + 1
        return x

    assert memory(one_by_one, a) == (120, 240)  # a result beside the one that it is made of
    assert memory(lambda x: [x + i for i in range(5)], a) == (120, 600)
    assert memory(lambda x: (x + 1).T[1:], a) == (120, 120)
