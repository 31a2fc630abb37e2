"""Positions for attention: sinusoidal, learned, rotary, and ALiBi's biases.

Vaswani et al. 2017, section 3.5; Su et al. 2021; Press, Smith and Lewis 2022. The first and the third count pairs of
features as neighbours, (0, 1), (2, 3), …; pair i turns by the angle t · base^(−2i/d) at position t. Angles are
computed in float32 at least: in bfloat16 the positions 256 and 257 are one number.
"""

import torch
from jaxtyping import Complex, Float, Int, Shaped
from torch import Tensor, nn


def position_angles(positions: Shaped[Tensor, "*time"], d: int, base: float = 10_000.0) -> Float[Tensor, "*time pairs"]:
    """Return the angle t · base^(−2i/d), in radians, of every position t and pair i of d features.

    positions: integers or floats; float64 gives float64, everything else float32.
    ValueError for a d that is odd or less than 2, and for a base of at most 0.
    """
    if d < 2 or d % 2:
        raise ValueError(f"d: expected an even number of features, at least 2, got {d}")
    if base <= 0:
        raise ValueError(f"base: expected a positive number, got {base}")
    dtype = torch.float64 if positions.dtype == torch.float64 else torch.float32
    exponents = -torch.arange(0, d, 2, dtype=dtype, device=positions.device) / d
    return positions.to(dtype)[..., None] * base**exponents


def sinusoidal(positions: Shaped[Tensor, "*time"], d_model: int) -> Float[Tensor, "*time d_model"]:
    """Return sines (even features) and cosines (odd) of ``position_angles`` (Vaswani et al. 2017, section 3.5)."""
    a = position_angles(positions, d_model)
    return torch.stack([a.sin(), a.cos()], dim=-1).flatten(-2)  # (…, d/2, 2) becomes (…, d)


def shift_matrix(angles: Float[Tensor, "pairs"]) -> Float[Tensor, "d_model d_model"]:
    """Return the M for which sinusoidal(t + n) = M sinusoidal(t), for every t, with angles = n · frequencies.

    M has a block [[cos, sin], [−sin, cos]] for each pair on its diagonal, so it is a rotation: M Mᵀ = 1, det M = 1.
    """
    cos, sin = angles.cos(), angles.sin()
    blocks = torch.stack([torch.stack([cos, sin], dim=-1), torch.stack([-sin, cos], dim=-1)], dim=-2)  # (pairs, 2, 2)
    return torch.block_diag(*blocks)


class LearnedPositions(nn.Module):
    """One trained vector for each of the first context_length positions, added to what comes in.

    There is none for a later position: a longer input raises ValueError.
    """

    def __init__(self, context_length: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(context_length, d_model) / 2)

    def forward(self, x: Float[Tensor, "*batch time d_model"], first: int = 0) -> Float[Tensor, "*batch time d_model"]:
        """Return x plus the vector of each position, x[…, 0, :] standing at position first."""
        end = first + x.shape[-2]
        if len(self.table) < end:
            raise ValueError(f"x: expected at most context_length = {len(self.table)} positions, got {end}")
        return x + self.table[first:end]


def rotate(
    x: Float[Tensor, "*batch time d_head"], angles: Float[Tensor, "time pairs"]
) -> Float[Tensor, "*batch time d_head"]:
    """Turn pair i of row t, (x[t, 2i], x[t, 2i + 1]), by angles[t, i] (Su et al. 2021, equations 15 and 34).

    Counter-clockwise: (a, b) becomes (a cos − b sin, a sin + b cos). Lengths stay. Some libraries pair feature i with
    i + d/2 instead: the same after a permutation of the features, but weights do not fit from one to the other.
    ValueError where the angles are not (time, d_head / 2).
    """
    if angles.shape != (x.shape[-2], x.shape[-1] / 2):
        raise ValueError(f"angles: expected (time, d_head / 2) for x {tuple(x.shape)}, got {tuple(angles.shape)}")
    return turn(x, on_circle(angles))


def on_circle(angles: Float[Tensor, "time pairs"]) -> Complex[Tensor, "time pairs"]:
    """Return e^{iφ} for every angle φ, computed once for all layers of a model."""
    return torch.polar(torch.ones_like(angles), angles)


def turn(
    x: Float[Tensor, "*batch time d_head"], phases: Complex[Tensor, "time pairs"]
) -> Float[Tensor, "*batch time d_head"]:
    """Return what ``rotate`` does, from ``on_circle(angles)``: each pair (a, b) as a + ib, times e^{iφ}."""
    pairs = x.to(phases.real.dtype).reshape(*x.shape[:-1], -1, 2)
    return torch.view_as_real(torch.view_as_complex(pairs) * phases).flatten(-2).to(x.dtype)


def rotary(
    x: Float[Tensor, "*batch time d_head"], positions: Int[Tensor, "time"]
) -> Float[Tensor, "*batch time d_head"]:
    """Return the queries or keys x, row t turned by the angles of positions[t] (Su et al. 2021).

    The dot product of a query at position t and a key at position s then depends on t − s, not on t and s.
    Values are not turned.
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    return rotate(x, position_angles(positions.to(dtype), x.shape[-1]))


def alibi(n_heads: int, positions: Int[Tensor, "time"]) -> Float[Tensor, "heads time time"]:
    """Return what ALiBi adds to the scores of causal attention (Press, Smith and Lewis 2022, section 3), in float32.

    Head h = 1 … H adds −2^(−8h/H) · |t − s| to the score of the query at t with the key at s, after the division by
    √d_head. Nothing is learned, and nothing is added to queries, keys or values. (The authors' code takes other slopes
    where H is not a power of two.)
    ValueError for fewer than one head.
    """
    if n_heads < 1:
        raise ValueError(f"n_heads: expected at least 1, got {n_heads}")
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1, device=positions.device) / n_heads)  # (H,)
    return -slopes[:, None, None] * (positions[:, None] - positions).abs()
