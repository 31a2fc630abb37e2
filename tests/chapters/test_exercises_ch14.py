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


def seconds(term="launch + max(flops / peak, moved / bandwidth)", begin="0.0"):
    return f"total = {begin}\nfor flops, moved in operations:\n    total += {term}\nreturn total"


def listed(term="a if a > b else b", begin="launch * len(operations)"):
    return (
        "pairs = [(flops / peak, moved / bandwidth) for flops, moved in operations]\n"
        f"return {begin} + sum({term} for a, b in pairs)"
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
    "together.step_seconds": {
        "both_added": (seconds("launch + flops / peak + moved / bandwidth"), listed("a + b")),
        "the_shorter": (seconds("launch + min(flops / peak, moved / bandwidth)"), listed("b if a > b else a")),
        "whole_at_once": (
            "work = sum(flops for flops, _ in operations)\nmoved = sum(b for _, b in operations)\n"
            "return max(work / peak, moved / bandwidth) + launch * len(operations)",
            "work, moved = map(sum, zip(*operations))\na, b = work / peak, moved / bandwidth\n"
            "return (a if a > b else b) + sum(launch for _ in operations)",
        ),
        "products_only": (seconds("launch + flops / peak"), listed("a")),
        "bytes_only": (seconds("launch + moved / bandwidth"), listed("b")),
        "one_launch": (seconds("max(flops / peak, moved / bandwidth)", "launch"), listed(begin="launch")),
        "no_launch": (seconds("max(flops / peak, moved / bandwidth)"), listed(begin="0")),
        "launch_within": (seconds("max(launch, flops / peak, moved / bandwidth)"), listed("max(a, b, launch)", "0")),
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
    "together.step_seconds": (seconds(), listed()),
}
