"""Chapter 04's exercises: every known mistake in two writings is named, other right answers pass."""

FLOPS = "V, C, n, h = config.vocab_size, config.d_model, config.n_layers, config.n_heads\n"


def flops(block="12 * C * C", pairs="2 * time * C", readout="V * C", factor="2 * time"):
    return f"{FLOPS}return {factor} * (n * ({block} + {pairs}) + {readout})"


def products(attention=4, scores=1, mixing=1, readout=1, factor=2, width="C"):
    """The same, product by product."""
    return (
        f"{FLOPS}mul = lambda a, b, c: {factor} * a * b * c\n"
        f"block = sum(mul(time, C, C) for _ in range({attention})) + mul(time, C, 4 * C) + mul(time, 4 * C, C)\n"
        f"block += {scores} * mul(time, {width}, time) + {mixing} * mul(time, time, {width})\n"
        f"return n * block + {readout} * mul(time, C, V)"
    )


WRONG = {
    "transformer.pre_norm_block": {
        "post_norm": (
            "x = norm_1(x + attention(x))\nreturn norm_2(x + feed_forward(x))",
            "h = attention(x)\nh = norm_1(torch.add(x, h))\nreturn norm_2(torch.add(h, feed_forward(h)))",
        ),
        "old_stream": (
            "h = x + attention(norm_1(x))\nreturn x + feed_forward(norm_2(h))",
            "return feed_forward(norm_2(attention(norm_1(x)) + x)) + x",
        ),
        "beside": (
            "return x + attention(norm_1(x)) + feed_forward(norm_2(x))",
            "a, f = attention(norm_1(x)), feed_forward(norm_2(x))\nreturn torch.stack([x, a, f]).sum(0)",
        ),
        "no_second_norm": (
            "x = x + attention(norm_1(x))\nreturn x + feed_forward(x)",
            "h = attention(norm_1(x)) + x\nreturn torch.add(feed_forward(h), h)",
        ),
        "norm_on_the_stream": (
            "x = norm_1(x)\nx = norm_2(x + attention(x))\nreturn x + feed_forward(x)",
            "n = norm_1(x)\nm = norm_2(attention(n) + n)\nreturn feed_forward(m) + m",
        ),
        "no_second_residual": (
            "x = x + attention(norm_1(x))\nreturn feed_forward(norm_2(x))",
            "return feed_forward(norm_2(torch.add(attention(norm_1(x)), x)))",
        ),
        "norm_on_the_output": (
            "x = x + norm_1(attention(x))\nreturn x + norm_2(feed_forward(x))",
            "for norm, layer in ((norm_1, attention), (norm_2, feed_forward)):\n    x = torch.add(norm(layer(x)), x)\nreturn x",
        ),
        "no_residual": (
            "return feed_forward(norm_2(attention(norm_1(x))))",
            "x = attention(norm_1(x))\nx = feed_forward(norm_2(x))\nreturn x",
        ),
        "norms_swapped": (
            "x = x + attention(norm_2(x))\nreturn x + feed_forward(norm_1(x))",
            "for norm, layer in ((norm_2, attention), (norm_1, feed_forward)):\n    x = torch.add(layer(norm(x)), x)\nreturn x",
        ),
        "norm_1_twice": (
            "x = x + attention(norm_1(x))\nreturn x + feed_forward(norm_1(x))",
            "for layer in (attention, feed_forward):\n    x = torch.add(layer(norm_1(x)), x)\nreturn x",
        ),
        "feed_forward_first": (
            "x = x + feed_forward(norm_2(x))\nreturn x + attention(norm_1(x))",
            "for norm, layer in ((norm_2, feed_forward), (norm_1, attention)):\n    x = torch.add(layer(norm(x)), x)\nreturn x",
        ),
        "no_first_norm": (
            "x = x + attention(x)\nreturn x + feed_forward(norm_2(x))",
            "h = attention(x) + x\nreturn torch.add(feed_forward(norm_2(h)), h)",
        ),
        "no_first_residual": (
            "x = attention(norm_1(x))\nreturn x + feed_forward(norm_2(x))",
            "h = attention(norm_1(x))\nreturn torch.add(feed_forward(norm_2(h)), h)",
        ),
        "changed_arguments": (
            "x += attention(norm_1(x))\nreturn x + feed_forward(norm_2(x))",
            "for norm, layer in ((norm_1, attention), (norm_2, feed_forward)):\n    x.add_(layer(norm(x)))\nreturn x",
        ),
    },
    "transformer.forward_flops": {
        "half": (flops(factor="time"), products(factor=1)),
        "no_pairs": (flops(pairs="0"), products(scores=0, mixing=0)),
        "scores_only": (flops(pairs="time * C"), products(mixing=0)),
        "no_readout": (flops(readout="0"), products(readout=0)),
        "embedding_too": (flops(readout="2 * V * C"), products(readout=2)),
        "no_output": (flops(block="11 * C * C"), products(attention=3)),
        "causal_half": (
            flops(pairs="(time + 1) * C"),
            f"{FLOPS}seen = sum(t + 1 for t in range(time))\nreturn n * (24 * time * C * C + 4 * seen * C) + 2 * time * V * C",
        ),
        "from_parameters": (
            "from course_lib.attention.transformer import parameter_count\nreturn 2 * time * parameter_count(config)",
            f"{FLOPS}N = (V + config.context_length) * C + n * (12 * C * C + 2 * C) + C\nreturn time * N * 2",
        ),
        "one_block": (flops().replace("n * (", "1 * ("), products().replace("n * block", "block")),
        "layers_for_blocks": (
            flops().replace("n * (", "(n // 2) * ("),
            products().replace("n * block", "n // 2 * block"),
        ),
        "readout_of_the_last": (
            f"{FLOPS}return 2 * time * n * (12 * C * C + 2 * time * C) + 2 * V * C",
            products().replace("mul(time, C, V)", "mul(1, C, V)"),
        ),
        "context_for_time": (
            "time = config.context_length\n" + flops(),
            "time = config.context_length\n" + products(),
        ),
        "one_feed_forward_matrix": (
            flops(block="8 * C * C"),
            products().replace(" + mul(time, 4 * C, C)", ""),
        ),
        "pairs_per_head": (flops(pairs="2 * time * C * h"), products(width="C * h")),
    },
}  # fmt: skip

RIGHT = {
    "transformer.pre_norm_block": (
        "h = x + attention(norm_1(x))\nreturn h + feed_forward(norm_2(h))",
        "for norm, layer in ((norm_1, attention), (norm_2, feed_forward)):\n    x = torch.add(layer(norm(x)), x)\nreturn x",
    ),
    "transformer.forward_flops": (flops(), products(), flops(factor="2.0 * time")),
}
