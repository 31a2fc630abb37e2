"""The exercises of chapter 04: the Transformer."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib import transformer
from course_lib.exercises.spec import Answer, Exercise, Mistake, Probe, one_fault
from course_lib.transformer import TransformerConfig


def _random(*shape: int, seed: int) -> Tensor:
    """Numbers away from zero and without symmetry, which would hide faults."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) + 0.3


# --- the residual block ----------------------------------------------------------------------------------------


def _parts(time: int, C: int, seed: int) -> tuple[Callable, Callable, Callable, Callable]:
    """Two norms with different gains, a layer that mixes positions and one that does not."""
    gains, mix = _random(2, C, seed=seed), _random(time, time, seed=seed + 1) / time
    into, out = _random(C, 3 * C, seed=seed + 2) / C, _random(3 * C, C, seed=seed + 3) / C
    return (
        lambda x: F.layer_norm(x, (C,)) * gains[0],
        lambda x: torch.tanh(mix @ x),
        lambda x: F.layer_norm(x, (C,)) * gains[1],
        lambda x: F.relu(x @ into) @ out,
    )


def _block(time: int, C: int, *batch: int, seed: int) -> Probe:
    says = f"x {(*batch, time, C)}, two norms, an attention and a feed-forward layer"
    return Probe((_random(*batch, time, C, seed=seed), *_parts(time, C, seed + 1)), says=says)


def _post_norm(x, norm_1, attention, norm_2, feed_forward):
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


def _old_stream(x, norm_1, attention, norm_2, feed_forward):
    return x + feed_forward(norm_2(x + attention(norm_1(x))))


def _beside(x, norm_1, attention, norm_2, feed_forward):
    return x + attention(norm_1(x)) + feed_forward(norm_2(x))


def _no_norm_2(x, norm_1, attention, norm_2, feed_forward):
    x = x + attention(norm_1(x))
    return x + feed_forward(x)


def _norm_on_the_stream(x, norm_1, attention, norm_2, feed_forward):
    x = norm_1(x)
    x = norm_2(x + attention(x))
    return x + feed_forward(x)


def _no_residual(x, norm_1, attention, norm_2, feed_forward):
    return feed_forward(norm_2(attention(norm_1(x))))


pre_norm_block = Exercise(
    id="transformer.pre_norm_block",
    reference=transformer.pre_norm_block,
    stub='''
def pre_norm_block(x, norm_1, attention, norm_2, feed_forward):
    """Return the stream x (..., time, d_model) after one block; the other four are functions.

    Worked value: with norms that change nothing, attention = lambda x: 2 * x and
    feed_forward = lambda x: 10 * x, the input x = [[1.]] gives [[33.]].
    """
    # 1. attention reads the normalised stream; what it finds is added to the stream itself
    # 2. feed_forward reads the new stream, normalised; what it finds is added to the new stream
    ...
''',
    probes=lambda: [
        _block(3, 5, seed=1),
        _block(4, 6, 1, seed=11),
        _block(2, 7, 3, 5, seed=21),
    ],
    checked="three shapes with up to two leading axes, and the gradient for the stream.",
    mistakes=(
        Mistake(
            "post_norm",
            _post_norm,
            "the norm comes after each sum",
            "that is the arrangement of 2017. Here the stream itself must never pass through a norm.",
        ),
        Mistake(
            "old_stream",
            _old_stream,
            "the second layer's result is added to the stream as it was before attention",
            "what attention found must stay in the stream: to what is the second result added?",
        ),
        Mistake(
            "beside",
            _beside,
            "the second layer reads the stream as it was before attention",
            "feed_forward shall work on what attention just found: which stream does norm_2 get?",
        ),
        Mistake(
            "no_second_norm",
            _no_norm_2,
            "feed_forward reads the stream without a norm",
            "both layers read a normalised copy.",
        ),
        Mistake(
            "norm_on_the_stream",
            _norm_on_the_stream,
            "the normalised copy takes the stream's place",
            "x = norm_1(x) overwrites the stream; the sum needs the x from before.",
        ),
        Mistake(
            "no_residual",
            _no_residual,
            "nothing is added: each layer's result replaces the stream",
            "a layer writes x + something.",
        ),
    ),
    hints=(
        "If both layers return zeros, what must come back?",
        "Two lines of the form x = x + layer(norm(x)).",
        "x = x + attention(norm_1(x)); then the same with norm_2 and feed_forward, on the new x.",
    ),
    why="The stream passes through additions alone, so its gradient reaches every block unchanged beside whatever the "
    "layers contribute. The norms stand on the side roads.",
)

# --- counting --------------------------------------------------------------------------------------------------

_configs = [
    TransformerConfig(13, context_length=11, n_layers=3, n_heads=2, d_model=20),
    TransformerConfig(65, context_length=64, n_layers=4, n_heads=4, d_model=128),
    TransformerConfig(101, context_length=7, n_layers=1, n_heads=1, d_model=6),
]


def _sizes(config: TransformerConfig) -> str:
    return (
        f"vocab_size {config.vocab_size}, context_length {config.context_length}, n_layers {config.n_layers}, "
        f"n_heads {config.n_heads}, d_model {config.d_model}"
    )


def _counted(block: Callable[[int], int], tables: Callable[[TransformerConfig], int] | None = None, last: int = 1):
    """Return a count with another block, with other tables, or without the last norm."""

    def parameter_count(config):
        C = config.d_model
        outside = (config.vocab_size + config.context_length) * C if tables is None else tables(config)
        return outside + config.n_layers * block(C) + last * C

    return parameter_count


def _full(C: int) -> int:
    return 12 * C * C + 2 * C


parameter_count = Exercise(
    id="transformer.parameter_count",
    reference=transformer.parameter_count,
    stub='''
def parameter_count(config):
    """Return how many numbers a Transformer with learned positions trains, as an integer.

    config has vocab_size, context_length, n_layers, n_heads, d_model. No biases anywhere; a norm
    has one number a feature; the readout uses the embedding's matrix.
    Worked value: vocab_size 2, context_length 3, n_layers 1, n_heads 1, d_model 4 give 224.
    """
    # 1. the two tables in front: one vector for each symbol, one for each position
    # 2. one block: W_q, W_k, W_v, W_o; up to 4 d_model and down again; two norms
    # 3. all blocks, and one more norm behind the last
    ...
''',
    probes=lambda: [Probe((config,), says=_sizes(config)) for config in _configs],
    checked="three models, against what they hold.",
    gradients=False,
    mistakes=(
        Mistake(
            "readout_twice",
            _counted(_full, lambda c: (2 * c.vocab_size + c.context_length) * c.d_model),
            "the readout has a matrix of its own",
            "embedding and readout share one matrix: it is counted once.",
        ),
        Mistake(
            "no_output",
            _counted(lambda C: 11 * C * C + 2 * C),
            "attention has three matrices",
            "what mixes the heads' results afterwards?",
        ),
        Mistake(
            "with_biases",
            _counted(lambda C: 12 * C * C + 9 * C + 4 * C, lambda c: (c.vocab_size + c.context_length) * c.d_model, 2),
            "linear layers and norms have biases",
            "this model has none: only matrices, and one number a feature in each norm.",
        ),
        Mistake(
            "no_positions",
            _counted(_full, lambda c: c.vocab_size * c.d_model),
            "the positions' vectors are left out",
            "learned positions are a table too: context_length rows.",
        ),
        Mistake(
            "no_norms",
            _counted(lambda C: 12 * C * C, last=0),
            "the norms are left out",
            "each norm trains one number a feature; there are two in a block and one at the end.",
        ),
        Mistake(
            "no_last_norm",
            _counted(_full, last=0),
            "the norm behind the last block is left out",
            "the stream is normalised once more before it is read out.",
        ),
        Mistake(
            "one_up",
            _counted(lambda C: 8 * C * C + 2 * C),
            "the feed-forward layer has one matrix of 4 d_model by d_model",
            "it goes up and comes down again: two matrices.",
        ),
    ),
    hints=(
        "By which block does your number grow when n_layers grows by one?",
        "A matrix from n to m features holds n · m numbers. Attention: four of C · C. Feed-forward: two of C · 4C.",
        "With C = d_model: (vocab_size + context_length) · C + n_layers · (4 C² + 8 C² + 2 C) + C",
    ),
    why="A block is 12 C² and a little: four matrices for attention, eight squares for the feed-forward layer, which "
    "thus holds two thirds. The number of heads does not occur, since heads only cut C into pieces.",
)


def _flops(factor: int = 2, block: int = 12, readout: int = 1, pairs: int = 2, heads: bool = False):
    """Return a count with other factors."""

    def forward_flops(config, time):
        C = config.d_model
        matrices = config.n_layers * block * C * C + readout * config.vocab_size * C
        attention = config.n_layers * pairs * time * C * (config.n_heads if heads else 1)
        return factor * time * (matrices + attention)

    return forward_flops


forward_flops = Exercise(
    id="transformer.forward_flops",
    reference=transformer.forward_flops,
    stub='''
def forward_flops(config, time):
    """Return the operations of all matrix products in one forward pass of a sequence, an integer.

    config as above; time: positions of the sequence. (n, m) times (m, p) takes 2 n m p operations:
    a multiplication and an addition each. Attention computes all time × time pairs, masked or not.
    Worked value: vocab_size 2, n_layers 1, n_heads 1, d_model 4 and time 3 give 1344.
    """
    # 1. each position goes through every matrix once: those of the blocks, and the readout
    # 2. in each block, scores q kᵀ and then weights times v, over all heads
    # 3. looking a row up in a table is no product
    ...
''',
    probes=lambda: [Probe((c, t), says=f"{_sizes(c)}; time {t}") for c, t in zip(_configs, (9, 64, 5), strict=True)],
    checked="three models and lengths.",
    gradients=False,
    mistakes=(
        Mistake(
            "half",
            _flops(factor=1),
            "a multiplication and an addition count as one operation",
            "count both: 2 n m p.",
        ),
        Mistake(
            "no_pairs",
            _flops(pairs=0),
            "the comparing itself, q kᵀ and weights times v, is left out",
            "two products in each block have no trained matrix in them.",
        ),
        Mistake(
            "scores_only",
            _flops(pairs=1),
            "of the pairs only the scores are counted",
            "after the softmax the weights are multiplied by v: as many operations again.",
        ),
        Mistake(
            "no_readout",
            _flops(readout=0),
            "the readout is left out",
            "the last stream is multiplied by the embedding's matrix, for every position.",
        ),
        Mistake(
            "embedding_too",
            _flops(readout=2),
            "the embedding is counted as a product",
            "looking a row up multiplies nothing.",
        ),
        Mistake(
            "no_output",
            _flops(block=11),
            "attention has three matrices",
            "what mixes the heads' results afterwards?",
        ),
        Mistake(
            "pairs_per_head",
            _flops(heads=True),
            "every head compares all d_model features",
            "a head has d_model / n_heads features, so all heads together cost as much as one of full width.",
        ),
    ),
    hints=(
        "How does your number change when time doubles? Part of it doubles, part of it becomes four times as large.",
        "Matrices: 2 · time · (their numbers). Pairs: scores 2 · time² · d_model a block, weighted sum the same.",
        "With C = d_model: 2 · time · (n_layers · (12 C² + 2 · time · C) + vocab_size · C)",
    ),
    why="Every number of a matrix is used once a position: two operations. The pairs come on top, 4 · time · C a "
    "position and block. Backward takes twice as much, for every product has two derivatives.",
)

# --- predictions and diagnoses ---------------------------------------------------------------------------------

stream_prediction = Answer(
    id="transformer.stream_prediction",
    right=49.0,
    wrong={
        25.0: "a block adds twice: attention, and the feed-forward layer.",
        48.0: "the stream did not begin with 0; it has the embedding's variance too.",
        24.0: "a block adds twice, and the stream begins with variance 1.",
        7.0: "that is the standard deviation; the question is the variance.",
        2.0**48: "variances of independent terms add; they would multiply if every layer multiplied the stream.",
    },
    hints=("How many vectors are added to the first?", "Variances of independent terms add up."),
    why="1 at the start, and 24 blocks add 2 independent vectors of variance 1 each: 1 + 48.",
)

crossover = Answer(
    id="transformer.crossover",
    right=768.0,
    wrong={
        128.0: "attention's 4 T C a position against 24 C² of the block's matrices: solve for T.",
        1536.0: "the pairs are two products, q kᵀ and weights times v: 4 T C a position, not 2 T C.",
        384.0: "a block's matrices hold 12 C² numbers, and each takes a multiplication and an addition: 24 C².",
        256.0: "there the pairs cost as much as attention's own four matrices; the feed-forward layer has two more.",
        512.0: "there the pairs cost as much as the feed-forward layer. Attention's own four matrices count too.",
        64.0: "that is where attention's pairs are a twelfth of the matrices.",
    },
    hints=(
        "For one position and one block: the matrices take 2 · 12 C², the pairs 2 · 2 T C.",
        "2 · 12 C² = 4 T C gives T = 6 C.",
    ),
    why="24 C² = 4 T C where T = 6 C = 768. Below that length the ‘quadratic’ cost of attention is the smaller part.",
    unit="positions",
)

_faults = {
    "no_residual": "then the stream would have the variance of one layer's output, 0.4, behind every layer.",
    "no_norm": "then the stream would grow by a factor from layer to layer, not by a sum.",
    "post_norm": "then the stream would have variance 1 behind every layer.",
    "no_fault": "then the stream's variance would grow by about the same amount, 0.4, with every layer.",
}

EXERCISES = (
    stream_prediction,
    pre_norm_block,
    parameter_count,
    forward_flops,
    crossover,
    *(
        one_fault(
            "transformer.fault_a", "post_norm", _faults,
            "the variance is 1 behind every layer, whatever the layers write: a norm stands on the stream itself.",
            "What is the stream's variance behind each layer, as a number?",
            "What has variance 1 whatever goes in?",
        ),
        one_fault(
            "transformer.fault_b", "no_norm", _faults,
            "the stream grows by a factor in each layer: one that reads a large stream writes a larger one.",
            "Is the stream's growth a straight line on this logarithmic axis?",
            "What makes a layer's output independent of the size of what it reads?",
        ),
    ),
)  # fmt: skip
