"""What the exercises of this chapter share."""

from course_lib.attention.transformer import TransformerConfig

CONFIGS = [
    TransformerConfig(13, context_length=11, n_layers=3, n_heads=2, d_model=20),
    TransformerConfig(65, context_length=64, n_layers=4, n_heads=4, d_model=128),
    TransformerConfig(101, context_length=7, n_layers=1, n_heads=1, d_model=6),
]


def sizes_in_words(config: TransformerConfig) -> str:
    """Say a configuration in words, for a message."""
    return (
        f"vocab_size {config.vocab_size}, context_length {config.context_length}, n_layers {config.n_layers}, "
        f"n_heads {config.n_heads}, d_model {config.d_model}"
    )
