"""The learner writes forward_flops: the operations of a Transformer's forward pass."""

from course_lib.attention import transformer
from course_lib.chapters.ch04_transformer.exercises.common import CONFIGS, sizes_in_words
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="transformer.forward_flops",
    reference=transformer.forward_flops,
    probes=lambda: [
        Probe((c, t), says=f"{sizes_in_words(c)}; time {t}") for c, t in zip(CONFIGS, (9, 64, 5), strict=True)
    ],
    checked="three models and lengths.",
    gradients=False,
    mistakes=(
        Mistake(
            "half",
            {"2 * time * (": "time * ("},
            "a multiplication and an addition count as one operation",
            "count both: 2 T m p for shapes (T, m) and (m, p).",
        ),
        Mistake(
            "no_pairs",
            {" + pairs)": ")"},
            "the comparing itself, q kᵀ and weights times v, is left out",
            "two products in each block have no trained matrix in them.",
        ),
        Mistake(
            "scores_only",
            {"config.n_layers * 2 * time * C": "config.n_layers * time * C"},
            "of the pairs only half are counted: the scores alone, or half of the positions",
            "after the softmax the weights are multiplied by v, as many operations again; and all pairs are computed.",
        ),
        Mistake(
            "causal_half",
            {"config.n_layers * 2 * time * C": "config.n_layers * (time + 1) * C"},
            "only the pairs that the causal mask allows are counted",
            "the task says what is done with the others: are they computed before the mask hides them?",
        ),
        Mistake(
            "from_parameters",
            {"return 2 * time * (matrices + pairs)": "return 2 * time * parameter_count(config)"},
            "every trained number is used once a position, and nothing else is done",
            "is a row of a table looked up or multiplied? And which products have no trained matrix in them?",
        ),
        Mistake(
            "no_readout",
            {" + config.vocab_size * C": ""},
            "the readout is left out",
            "the last stream is multiplied by the embedding's matrix, for every position.",
        ),
        Mistake(
            "embedding_too",
            {"config.vocab_size * C": "2 * config.vocab_size * C"},
            "the embedding is counted as a product",
            "looking a row up multiplies nothing.",
        ),
        Mistake(
            "no_output",
            {"12 * C": "11 * C"},
            "attention has three matrices",
            "what mixes the heads' results afterwards?",
        ),
        Mistake(
            "pairs_per_head",
            {"config.n_layers * 2 * time * C": "config.n_layers * 2 * time * C * config.n_heads"},
            "every head compares all d_model features",
            "a head has d_model / n_heads features, so all heads together cost as much as one of full width.",
        ),
        Mistake(
            "one_block",
            {"config.n_layers * 12 * C * C": "12 * C * C", "config.n_layers * 2 * time * C": "2 * time * C"},
            "there is one block",
            "config.n_layers blocks stand above each other.",
        ),
        Mistake(
            "layers_for_blocks",
            {
                "config.n_layers * 12 * C * C": "config.n_layers // 2 * 12 * C * C",
                "config.n_layers * 2 * time * C": "config.n_layers // 2 * 2 * time * C",
            },
            "n_layers counts two for a block",
            "config.n_layers counts blocks: each has an attention and a feed-forward layer.",
        ),
        Mistake(
            "readout_of_the_last",
            {
                "return 2 * time * (matrices + pairs)": "return 2 * time * (matrices + pairs) - 2 * (time - 1) * "
                "config.vocab_size * C"
            },
            "the readout is of the last position only",
            "each position has its logits: in training each predicts the symbol behind it.",
        ),
        Mistake(
            "context_for_time",
            {
                "return 2 * time *": "time = config.context_length\n    return 2 * time *",
                "config.n_layers * 2 * time * C": "config.n_layers * 2 * config.context_length * C",
            },
            "the sequence is as long as the context",
            "time may be shorter than config.context_length: what is computed then?",
        ),
        Mistake(
            "one_feed_forward_matrix",
            {"12 * C": "8 * C"},
            "the feed-forward layer has one matrix",
            "up to 4 C features, and down again.",
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
