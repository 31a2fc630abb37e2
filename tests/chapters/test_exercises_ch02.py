"""Chapter 02's exercises: every known mistake in two writings is named, other right answers pass."""

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.spec import Answer

WRONG = {
    "attention.softmax_jvp": {
        "no_outer_product": ("return weights * direction", "return torch.einsum('...i,...i->...i', direction, weights)"),
        "diagonal_only": (
            "return (weights - weights ** 2) * direction",
            "return direction * weights * (1 - weights)",
        ),
        "sum_over_batch": (
            "return weights * direction - weights * torch.sum(direction * weights)",
            "dot = (weights.flatten() @ direction.flatten())\nreturn weights * (direction - dot)",
        ),
        "mean_for_sum": (
            "return weights * direction - weights * (weights * direction).mean(dim=-1, keepdim=True)",
            "m = torch.einsum('...k,...k->...', weights, direction)[..., None] / weights.shape[-1]\nreturn weights * (direction - m)",
        ),
        "sign": (
            "return weights * (weights * direction).sum(-1, keepdim=True) - weights * direction",
            "J = weights[..., :, None] * weights[..., None, :] - torch.diag_embed(weights)\n"
            "return (J @ direction[..., None])[..., 0]",
        ),
        "outer_product_added": (
            "return weights * direction + weights * (weights * direction).sum(-1, keepdim=True)",
            "J = torch.diag_embed(weights) + weights[..., :, None] * weights[..., None, :]\n"
            "return torch.einsum('...ij,...j->...i', J, direction)",
        ),
    },
    "attention.scaled_dot_product": {
        "unscaled": (
            "s = q @ k.mT\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\nw = s.softmax(-1)\nreturn w @ v, w",
            "s = torch.einsum('...qd,...kd->...qk', q, k)\n"
            "s = s if mask is None else torch.where(mask, s, -1e30)\nw = torch.softmax(s, -1)\nreturn w @ v, w",
        ),
        "scaled_by_d": (
            "s = q @ k.mT / q.shape[-1]\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = (q / k.size(-1)) @ k.mT\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
        "scaled_by_keys": (
            "s = q @ k.mT / math.sqrt(k.shape[-2])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = q @ k.mT\ns = s / s.shape[-1] ** 0.5\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
        "scaled_by_d_value": (
            "s = q @ k.mT / math.sqrt(v.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = (q @ k.mT) * v.size(-1) ** -0.5\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
        "swapped": (
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w, w @ v",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "w = torch.softmax(s, -1)\nreturn [w, torch.einsum('...qk,...kv->...qv', w, v)]",
        ),
        "scaled_late": (
            "s = q @ k.mT\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1) / math.sqrt(q.shape[-1])\nreturn w @ v, w",
            "s = q @ k.mT\ns = s if mask is None else torch.where(mask, s, -1e30)\ne = (s - s.amax(-1, keepdim=True)).exp()\n"
            "w = e / e.sum(-1, keepdim=True) * k.shape[-1] ** -0.5\nreturn w @ v, w",
        ),
        "wrong_axis": (
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-2)\nreturn w @ v, w",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "e = s.exp()\nw = e / e.sum(-2, keepdim=True)\nreturn w @ v, w",
        ),
        "mask_ignored": (
            "w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)\nreturn w @ v, w",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
        "mask_inverted": (
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\ns = s if mask is None else torch.where(mask, -1e30, s)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
        "mask_after_softmax": (
            "w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)\nif mask is not None:\n    w = w.masked_fill(~mask, 0)\n"
            "return w @ v, w",
            "w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)\nw = w if mask is None else w * mask.double()\n"
            "return w @ v, w",
        ),
        "mask_with_zero": (
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, 0)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\ns = s if mask is None else s * mask\nw = s.softmax(-1)\nreturn w @ v, w",
        ),
        "shape": ("w = (q @ k.mT).softmax(-1)\nreturn w, w @ v", "w = (q @ k.mT).softmax(-1)\nreturn (w @ v).mT, w"),
        "type": ("w = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)\nreturn w @ v", "return q @ k.mT, q, k"),
        "gradient_missing": (
            "s = q.detach() @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "s = q @ k.mT / math.sqrt(q.shape[-1])\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v.data, w",
        ),
        "changed_arguments": (
            "q /= math.sqrt(q.shape[-1])\ns = q @ k.mT\nif mask is not None:\n    s = s.masked_fill(~mask, -torch.inf)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
            "k.div_(math.sqrt(q.shape[-1]))\ns = q @ k.mT\ns = s if mask is None else torch.where(mask, s, -1e30)\n"
            "w = s.softmax(-1)\nreturn w @ v, w",
        ),
    },
    "attention.is_causal": {
        "last_row_only": (
            "y = x.clone()\ny[-1] += 7\nreturn bool(torch.allclose(attend(y)[:-1], attend(x)[:-1]))",
            "y = torch.cat([x[:-1], x[-1:] * 5 + 1])\nreturn all(((attend(y) - attend(x)).abs() < 1e-9)[:-1].flatten().tolist())",
        ),
        "first_row_only": (
            "y = x.clone()\ny[1:] = 9 - x[1:]\nreturn torch.allclose(attend(x)[0], attend(y)[0])",
            "for t in range(1, len(x)):\n    y = x.clone()\n    y[t:] = 4 - 3 * x[t:]\n"
            "    if (attend(y)[0] - attend(x)[0]).abs().max() > 1e-9:\n        return False\nreturn True",
        ),
        "whole_output": (
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:] += 5\n"
            "    if not torch.allclose(attend(y), attend(x)):\n        return False\nreturn True",
            "y = x.clone()\nif len(x) > 1:\n    y[1:] = -x[1:] * 4\nreturn torch.equal(attend(y), attend(x))",
        ),
        "past_changed": (
            "for t in range(1, len(x)):\n    y = x.clone()\n    y[:t] = 5 - 3 * x[:t]\n"
            "    if not torch.allclose(attend(y)[t:], attend(x)[t:]):\n        return False\nreturn True",
            "a = attend(x)\nreturn all(torch.allclose(attend(torch.cat([x[:t] * 9, x[t:]]))[t:], a[t:]) for t in range(1, len(x)))",
        ),
        "loose_tolerance": (
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:] = 2 - x[t + 1:]\n"
            "    if (attend(y)[:t + 1] - attend(x)[:t + 1]).abs().max() > 0.01:\n        return False\nreturn True",
            "a = attend(x)\nfor t in range(len(x) - 1):\n    y = torch.cat([x[:t + 1], 4 - x[t + 1:]])\n"
            "    if not torch.allclose(attend(y)[:t + 1], a[:t + 1], rtol=0, atol=5e-3):\n        return False\nreturn True",
        ),
        "last_row_unseen": (
            "for t in range(len(x) - 2):\n    y = x.clone()\n    y[t + 1:] += 5\n"
            "    if not torch.allclose(attend(y)[:t + 1], attend(x)[:t + 1], atol=1e-9):\n        return False\nreturn True",
            "a = attend(x)\nfor t in range(1, len(x) - 1):\n    y = torch.cat([x[:t], 4 - 3 * x[t:]])\n"
            "    if (attend(y)[:t] - a[:t]).abs().max() > 1e-9:\n        return False\nreturn True",
        ),
        "next_row_only": (
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1] = 7\n"
            "    if not torch.allclose(attend(y)[t], attend(x)[t], atol=1e-9):\n        return False\nreturn True",
            "J = torch.autograd.functional.jacobian(attend, x)\nreturn not any(J[t, :, t + 1].any() for t in range(len(x) - 1))",
        ),
        "one_feature_changed": (
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:, 0] = 7\n"
            "    if not torch.allclose(attend(y)[:t + 1], attend(x)[:t + 1], atol=1e-9):\n        return False\nreturn True",
            "J = torch.autograd.functional.jacobian(attend, x)[..., 0]\n"
            "return all(not J[t, :, s].any() for t in range(len(x)) for s in range(t + 1, len(x)))",
        ),
        "one_feature_compared": (
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:] = 7\n"
            "    if not torch.allclose(attend(y)[:t + 1, 0], attend(x)[:t + 1, 0], atol=1e-9):\n        return False\nreturn True",
            "J = torch.autograd.functional.jacobian(attend, x)[:, 0]\n"
            "return all(not J[t, s].any() for t in range(len(x)) for s in range(t + 1, len(x)))",
        ),
        "values": (  # the sums of the rows; the last numbers alone
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:] = 7\n"
            "    if (attend(y)[:t + 1].sum(-1) - attend(x)[:t + 1].sum(-1)).abs().max() > 1e-9:\n        return False\nreturn True",
            "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1:, -1] = 7\n"
            "    if (attend(y)[:t + 1, -1] - attend(x)[:t + 1, -1]).abs().max() > 1e-9:\n        return False\nreturn True",
        ),
    },
    "attention.split_heads": {
        "no_transpose": (
            "B, T, C = x.shape\nreturn x.view(B, T, n_heads, C // n_heads)",
            "return torch.stack(x.chunk(n_heads, dim=-1), dim=2)",
        ),
        "one_reshape": (
            "B, T, C = x.shape\nreturn x.reshape(B, n_heads, T, C // n_heads)",
            "B, T, C = x.shape\nreturn x.flatten().view(B, n_heads, T, -1)",
        ),
        "interleaved": (
            "B, T, C = x.shape\nreturn x.reshape(B, T, C // n_heads, n_heads).permute(0, 3, 1, 2)",
            "return torch.stack([x[..., h::n_heads] for h in range(n_heads)], dim=1)",
        ),
        "shape": (  # one head alone has its axis too
            "B, T, C = x.shape\nreturn x.reshape(B, T, n_heads, C // n_heads).transpose(1, 2).squeeze(1)",
            "return torch.stack(x.chunk(n_heads, -1), 1) if n_heads > 1 else x",
        ),
    },
}  # fmt: skip

RIGHT = {
    "attention.softmax_jvp": (
        "J = torch.diag_embed(weights) - weights[..., :, None] * weights[..., None, :]\nreturn (J @ direction[..., None])[..., 0]",
        "p, u = weights, direction\nreturn p * u - p * torch.einsum('...k,...k->...', p, u)[..., None]",
        "return torch.func.jvp(lambda s: s.softmax(-1), (weights.log(),), (direction,))[1]",
    ),
    "attention.scaled_dot_product": (
        "q_heads = torch.broadcast_shapes(q.shape[:-2])\nrows = []\n"
        "for i in range(q.shape[-2]):\n"
        "    s = (q[..., i:i + 1, :] * k).sum(-1) / q.shape[-1] ** 0.5\n"
        "    if mask is not None:\n"
        "        s = torch.where(mask.expand(*mask.shape[:-2], q.shape[-2], k.shape[-2])[..., i, :], s, -torch.inf)\n"
        "    rows.append(s.softmax(-1))\n"
        "w = torch.stack(rows, -2)\nreturn w @ v, w",
        "s = torch.einsum('...qd,...kd->...qk', q, k) * q.size(-1) ** -0.5\n"
        "if mask is not None:\n    s = s + torch.zeros_like(mask, dtype=s.dtype).masked_fill(~mask, -torch.inf)\n"
        "e = torch.exp(s - s.amax(-1, keepdim=True))\nw = e / e.sum(-1, keepdim=True)\n"
        "return [torch.einsum('...qk,...kv->...qv', w, v), w]",
    ),
    "attention.is_causal": (
        "J = torch.autograd.functional.jacobian(attend, x)\nT = len(x)\n"
        "return all(not J[t, :, s].any() for t in range(T) for s in range(t + 1, T))",
        "a = attend(x)\nfor t in range(len(x) - 1):\n    b = attend(torch.cat([x[:t + 1], x[t + 1:] * -2 + 1]))\n"
        "    if (a - b)[:t + 1].abs().max() > 1e-10:\n        return False\nreturn True",
        # the next row alone will do where all rows before it are compared: row r sees row s at t = s - 1
        "for t in range(len(x) - 1):\n    y = x.clone()\n    y[t + 1] = 7\n"
        "    if not torch.allclose(attend(y)[:t + 1], attend(x)[:t + 1], rtol=0, atol=1e-9):\n        return False\nreturn True",
    ),
    "attention.split_heads": (
        "return torch.stack(x.chunk(n_heads, dim=-1), dim=1)",
        "return x.unflatten(-1, (n_heads, -1)).permute(0, 2, 1, 3)",
    ),
}  # fmt: skip


def test_the_right_answers():
    assert [e.right for e in REGISTRY.chapters["02_attention"].values() if isinstance(e, Answer)] == [
        64.0,
        "wrong_axis",
        "unscaled",
        "unmasked",
    ]
