"""What several tests make: generators with a seed, a small Transformer with weights large enough to matter."""

import torch

from course_lib.attention.transformer import Transformer, TransformerConfig


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model_of(make=TransformerConfig, **choices):
    torch.manual_seed(0)
    model = Transformer(make(11, context_length=6, n_layers=2, n_heads=2, d_model=12, **choices)).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model
