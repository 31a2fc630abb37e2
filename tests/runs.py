"""A tiny training run that several tests look at."""

import torch
from made import seeded

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, modern
from course_lib.training.optimizers import adamw, muon_and_adamw
from course_lib.training.trained import Trained


def language(optimizer="adamw", **choices):
    """A tiny language model with dropout, so that torch's own generator matters, and what trains it."""
    torch.manual_seed(0)
    config = {"context_length": 6, "n_layers": 1, "n_heads": 2, "d_model": 8, "dropout": 0.1, **choices}
    model = Transformer(modern(9, **config))
    optimizers = muon_and_adamw(model.blocks, model) if optimizer == "muon" else {"adamw": adamw(model, 1e-2)}
    trained = Trained({"model": model}, optimizers, seeded(1))
    return model, trained, next_token_step(model, optimizers.values())


def draw(generator):
    tokens = torch.randint(9, (3, 7), generator=generator)
    return tokens[:, :-1], tokens[:, 1:]


def weights(trained):
    return {f"{m}.{n}": x.clone() for m, module in trained.modules.items() for n, x in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
