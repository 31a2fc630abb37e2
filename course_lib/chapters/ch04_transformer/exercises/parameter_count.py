"""The learner writes parameter_count: how many numbers a Transformer trains."""

from course_lib.attention import transformer
from course_lib.chapters.ch04_transformer.exercises.common import CONFIGS, sizes_in_words
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

ENTRY = Exercise(
    id="transformer.parameter_count",
    reference=transformer.parameter_count,
    probes=lambda: [Probe((config,), says=sizes_in_words(config)) for config in CONFIGS],
    checked="three models, against what they hold.",
    gradients=False,
    mistakes=(
        Mistake(
            "readout_twice",
            {"return config.vocab_size": "return 2 * config.vocab_size"},
            "the readout has a matrix of its own",
            "embedding and readout share one matrix: it is counted once.",
        ),
        Mistake(
            "no_output",
            {"4 * C * C +": "3 * C * C +"},
            "attention has three matrices",
            "what mixes the heads' results afterwards?",
        ),
        Mistake(
            "with_biases",
            {"+ 2 * C  #": "+ 13 * C  #", "block + C": "block + 2 * C"},
            "linear layers and norms have biases",
            "this model has none: only matrices, and one number a feature in each norm.",
        ),
        Mistake(
            "no_positions",
            {" + positions +": " +"},
            "the positions' vectors are left out",
            "learned positions are a table too: context_length rows.",
        ),
        Mistake(
            "no_norms",
            {" + 2 * C  #": "  #", "block + C": "block"},
            "the norms are left out",
            "each norm trains one number a feature; there are two in a block and one at the end.",
        ),
        Mistake(
            "no_last_norm",
            {"block + C": "block"},
            "the norm behind the last block is left out",
            "the stream is normalised once more before it is read out.",
        ),
        Mistake(
            "one_up",
            {"8 * C * C": "4 * C * C"},
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
