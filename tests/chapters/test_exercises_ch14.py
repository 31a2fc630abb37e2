"""Chapter 14's exercises: every known mistake in two writings is named, other right answers pass."""


def intensity(flops="2 * n * m * p", numbers="n * m + m * p + n * p", size="itemsize", back="flops / (size * numbers)"):
    return f"flops, numbers, size = {flops}, {numbers}, {size}\nreturn {back}"


def counted(factor=2, matrices="((n, m), (m, p), (n, p))", size="itemsize", back="work / moved"):
    """The same, matrix by matrix."""
    return (
        f"work = sum({factor} * m for row in range(n) for column in range(p))\nmoved = 0\n"
        f"for rows, columns in {matrices}:\n    moved += rows * columns * {size}\nreturn {back}"
    )


def shares(of="sizes / sizes.sum()"):
    return (
        f"shares = ({of}).to(gradients.dtype)\nreturn (gradients * shares.view(-1, *[1] * (gradients.ndim - 1))).sum(0)"
    )


def loop(weight="sizes[i].item()", divide="sizes.sum().item()"):
    return (
        "total = torch.zeros_like(gradients[0])\nfor i in range(len(gradients)):\n"
        f"    total = total + {weight} * gradients[i]\nreturn total / {divide}"
    )


WRONG = {
    "together.product_intensity": {
        "no_output": (intensity(numbers="n * m + m * p"), counted(matrices="((n, m), (m, p))")),
        "no_bytes": (intensity(size="1"), counted(size="1")),
        "half_the_operations": (intensity(flops="n * m * p"), counted(factor=1)),
        "upside_down": (intensity(back="size * numbers / flops"), counted(back="moved / work")),
        "read_anew": (
            intensity(numbers="2 * n * m * p + n * p"),
            counted(matrices="((n * p, m), (n * p, m), (n, p))"),
        ),
        "in_bits": (intensity(size="8 * itemsize"), counted(size="itemsize * 8")),
        "always_float32": (intensity(size="4"), counted(size="4")),
        "weights_only": (intensity(numbers="m * p"), counted(matrices="((m, p),)")),
    },
    "together.accumulated_gradient": {
        "sum": (shares("sizes / sizes"), loop("1.0", "1.0")),
        "mean_of_means": ("return sum(gradients) / len(gradients)", loop("1.0", "len(sizes)")),
        "weighted_sum": (shares("sizes"), loop(divide="1.0")),
        "divided_by_examples": ("return gradients.sum(0) / sizes.sum()", loop("1.0")),
        "divided_by_parts": (shares("sizes / len(sizes)"), loop(divide="len(gradients)")),
        "wrong_way_round": (
            shares("sizes.double().reciprocal() / sizes.double().reciprocal().sum()"),
            loop("1 / sizes[i].item()", "sum(1 / n for n in sizes.tolist())"),
        ),
    },
}

RIGHT = {
    "together.product_intensity": (
        intensity(),
        counted(),
        "return 2 / (itemsize * (1 / p + 1 / n + 1 / m))",
    ),
    "together.accumulated_gradient": (
        shares(),
        loop(),
        "return torch.einsum('k,k...->...', sizes.to(gradients.dtype), gradients) / sizes.sum()",
    ),
}
