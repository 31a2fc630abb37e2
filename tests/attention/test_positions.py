"""positions.py against complex numbers, matrix exponentials and the laws that it promises."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.attention.positions import (
    LearnedPositions,
    alibi,
    position_angles,
    rotary,
    rotate,
    shift_matrix,
    sinusoidal,
)

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
f64 = torch.float64


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def times(*values):
    return torch.tensor(values, dtype=f64)


def test_angles_by_hand():
    found = position_angles(times(0, 3), 4)
    torch.testing.assert_close(found, times(0, 0, 3, 0.03).view(2, 2), **CLOSE)
    torch.testing.assert_close(position_angles(times(5.0), 6, base=8.0), times(5, 2.5, 1.25).view(1, 3), **CLOSE)


def test_sinusoidal_is_the_papers_formula_entry_by_entry():
    """PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i + 1) = cos of the same."""
    table = sinusoidal(torch.arange(7, dtype=f64), 6)
    for pos in range(7):
        for i in range(3):
            assert table[pos, 2 * i].item() == pytest.approx(math.sin(pos / 10000 ** (2 * i / 6)), abs=1e-14)
            assert table[pos, 2 * i + 1].item() == pytest.approx(math.cos(pos / 10000 ** (2 * i / 6)), abs=1e-14)


def test_integers_give_float32_and_float64_stays():
    assert sinusoidal(torch.arange(3), 4).dtype == torch.float32
    assert sinusoidal(torch.arange(3, dtype=f64), 4).dtype == f64
    assert sinusoidal(torch.arange(6).view(2, 3), 4).shape == (2, 3, 4)


@settings(max_examples=25, deadline=None)
@given(offset=st.floats(-500, 500), pairs=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_a_shift_is_a_rotation_and_the_same_for_all_positions(offset, pairs, seed):
    d, t = 2 * pairs, 100 * randn(5, seed=seed)
    M = shift_matrix(position_angles(times(offset), d)[0])
    torch.testing.assert_close(sinusoidal(t, d) @ M.T, sinusoidal(t + offset, d), **CLOSE)
    torch.testing.assert_close(M @ M.T, torch.eye(d, dtype=f64), **CLOSE)
    assert torch.linalg.det(M).item() == pytest.approx(1.0)


def test_shift_matrix_is_an_exponential_and_shifts_add_up():
    a, b = times(0.3, -1.2), times(2.0, 0.7)
    generator = torch.block_diag(*(x * times(0, 1, -1, 0).view(2, 2) for x in a))
    torch.testing.assert_close(shift_matrix(a), torch.matrix_exp(generator), **CLOSE)
    torch.testing.assert_close(shift_matrix(a) @ shift_matrix(b), shift_matrix(a + b), **CLOSE)


def test_rotate_is_multiplication_by_a_complex_number():
    x, angles = randn(2, 3, 5, 8), randn(5, 4, seed=1)
    expected = torch.view_as_complex(x.view(2, 3, 5, 4, 2)) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(rotate(x, angles), torch.view_as_real(expected).flatten(-2), **CLOSE)


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(0, 5000), seed=st.integers(0, 10**6), T=st.integers(1, 6))
def test_the_score_depends_on_the_difference_only(shift, seed, T):
    q, k = randn(2, T, 8, seed=seed), randn(2, T, 8, seed=seed + 1)
    here = torch.arange(T)
    scores = [rotary(q, at) @ rotary(k, at).mT for at in (here, here + shift)]
    torch.testing.assert_close(*scores, **CLOSE)


def test_rotary_moves_scores_and_keeps_lengths_and_position_zero():
    x = randn(4, 6)
    turned = rotary(x, torch.arange(4))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1), **CLOSE)
    assert torch.equal(turned[0], x[0])
    assert not torch.isclose(turned[1:], x[1:], rtol=1e-3).any()
    scores = turned @ turned.mT
    assert (scores - x @ x.mT).abs().max() > 0.1


def test_rotary_keeps_dtype_and_counts_in_float32_when_x_is_bfloat16():
    far = torch.tensor([256, 257])
    x = torch.ones(2, 4, dtype=torch.bfloat16)
    turned = rotary(x, far)
    assert turned.dtype == torch.bfloat16
    assert not torch.equal(turned[0], turned[1])
    torch.testing.assert_close(turned.double(), rotary(x.double(), far), rtol=0, atol=0.02)


def test_gradients_of_rotate_are_right():
    x, angles = randn(2, 3, 4).requires_grad_(), randn(3, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(rotate, (x, angles))


def test_learned_positions_add_their_table_and_end_with_it():
    layer = LearnedPositions(5, 4)
    x = torch.zeros(2, 3, 4)
    assert torch.equal(layer(x)[1], layer.table[:3])
    layer(x).sum().backward()
    assert torch.equal(layer.table.grad[:, 0], torch.tensor([2.0, 2.0, 2.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match=r"x: expected at most context_length = 5 positions, got 6"):
        layer(torch.zeros(1, 6, 4))


def test_alibi_has_the_papers_slopes_and_counts_distances():
    """The paper, section 3: with 8 heads the slopes are 1/2, 1/4, …, 1/256; with 16, 1/√2, 1/2, 1/(2√2), …."""
    at = torch.tensor([3, 4, 9])
    bias = alibi(8, at)
    assert bias.shape == (8, 3, 3)
    assert (-bias[:, 1, 0]).tolist() == [2.0**-h for h in range(1, 9)]
    assert bias[2].tolist() == [[0, -0.125, -0.75], [-0.125, 0, -0.625], [-0.75, -0.625, 0]]
    assert torch.equal(bias, alibi(8, at + 1000))
    torch.testing.assert_close(-alibi(16, torch.arange(2))[:, 1, 0], 2.0 ** (-torch.arange(1, 17) / 2))


def test_alibi_is_the_same_for_every_order_of_asking(unchecked):
    at = torch.arange(6)
    order = torch.tensor([4, 0, 5, 1, 3, 2])
    assert torch.equal(alibi(3, at[order]), alibi(3, at)[:, order][:, :, order])
    with pytest.raises(ValueError, match=r"n_heads: expected at least 1, got 0"):
        alibi(0, at)


def test_wrong_inputs_are_named(unchecked):
    for d in (3, 0):
        with pytest.raises(ValueError, match=f"d: expected an even number of features, at least 2, got {d}"):
            position_angles(torch.arange(3), d)
    with pytest.raises(ValueError, match=r"base: expected a positive number, got 0"):
        position_angles(torch.arange(3), 4, base=0)
    with pytest.raises(ValueError, match=r"angles: expected \(time, d_head / 2\) for x \(3, 4\), got \(3, 4\)"):
        rotate(torch.ones(3, 4), torch.ones(3, 4))
    with pytest.raises(ValueError, match=r"angles: .* x \(3, 5\)"):
        rotate(torch.ones(3, 5), torch.ones(3, 2))
