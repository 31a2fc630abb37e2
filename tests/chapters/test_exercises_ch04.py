"""Chapter 04's exercises: every known mistake in two writings is named, other right answers pass."""

BLOCK = "V, T, C, n = config.vocab_size, config.context_length, config.d_model, config.n_layers\n"


def count(block="12 * C * C + 2 * C", outside="(V + T) * C + C"):
    return f"{BLOCK}return {outside} + n * ({block})"


def summed(block=("4 * C * C", "2 * C * 4 * C", "C", "C"), outside=("V * C", "T * C", "C")):
    return (
        f"{BLOCK}total = 0\nfor _ in range(n):\n    for part in ({', '.join(block)},):\n        total += part\n"
        f"return total + sum([{', '.join(outside)}])"
    )


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
        "no_residual": (
            "return feed_forward(norm_2(attention(norm_1(x))))",
            "x = attention(norm_1(x))\nx = feed_forward(norm_2(x))\nreturn x",
        ),
        "changed_arguments": (
            "x += attention(norm_1(x))\nreturn x + feed_forward(norm_2(x))",
            "for norm, layer in ((norm_1, attention), (norm_2, feed_forward)):\n    x.add_(layer(norm(x)))\nreturn x",
        ),
    },
    "transformer.parameter_count": {
        "readout_twice": (count(outside="(2 * V + T) * C + C"), summed(outside=("V * C", "V * C", "T * C", "C"))),
        "no_output": (count(block="11 * C * C + 2 * C"), summed(block=("3 * C * C", "2 * C * 4 * C", "C", "C"))),
        "with_biases": (
            count(block="12 * C * C + 13 * C", outside="(V + T) * C + 2 * C"),
            summed(block=("4 * (C * C + C)", "4 * C * C + 4 * C", "4 * C * C + C", "4 * C"), outside=("V * C", "T * C", "2 * C")),
        ),
        "no_positions": (count(outside="V * C + C"), summed(outside=("V * C", "C"))),
        "no_norms": (count("12 * C * C", "(V + T) * C"), summed(("4 * C * C", "8 * C * C"), ("V * C", "T * C"))),
        "no_last_norm": (count(outside="(V + T) * C"), summed(outside=("V * C", "T * C"))),
        "one_up": (count(block="8 * C * C + 2 * C"), summed(block=("4 * C * C", "C * 4 * C", "C", "C"))),
    },
    "transformer.forward_flops": {
        "half": (flops(factor="time"), products(factor=1)),
        "no_pairs": (flops(pairs="0"), products(scores=0, mixing=0)),
        "scores_only": (flops(pairs="time * C"), products(mixing=0)),
        "no_readout": (flops(readout="0"), products(readout=0)),
        "embedding_too": (flops(readout="2 * V * C"), products(readout=2)),
        "no_output": (flops(block="11 * C * C"), products(attention=3)),
        "pairs_per_head": (flops(pairs="2 * time * C * h"), products(width="C * h")),
    },
}  # fmt: skip

RIGHT = {
    "transformer.pre_norm_block": (
        "h = x + attention(norm_1(x))\nreturn h + feed_forward(norm_2(h))",
        "for norm, layer in ((norm_1, attention), (norm_2, feed_forward)):\n    x = torch.add(layer(norm(x)), x)\nreturn x",
    ),
    "transformer.parameter_count": (count(), summed(), summed().replace("total = 0", "total = torch.tensor(0)")),
    "transformer.forward_flops": (flops(), products(), flops(factor="2.0 * time")),
}
