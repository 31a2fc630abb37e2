"""One small model behind different tokenizers: what is alike in all arms stands here once."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from course_lib.attention.step import next_token_step
from course_lib.attention.tokens import BytePairs, bits_per_character
from course_lib.attention.transformer import Transformer, TransformerConfig, forward_flops, modern, parameter_count
from course_lib.datasets.text import random_windows
from course_lib.evaluation.language import sliding_cross_entropy
from course_lib.training.fit import fit
from course_lib.training.optimizers import adamw, warmup_then_linear
from course_lib.training.trained import Trained

BODY = {"n_layers": 2, "n_heads": 2, "d_model": 64}
SPAN, BATCH, RATE = 128, 32, 4e-3  # characters of a window; windows of a step; AdamW's rate


@dataclass(frozen=True)
class Arm:
    """A tokenizer and how its model is trained: windows of context tokens, which hold about SPAN characters.

    per_token: characters a token in the text to train on.
    """

    tokenizer: BytePairs
    context: int
    per_token: float

    @property
    def step_flops(self) -> int:
        """Operations of one step's matrix products: forward, and twice as many backward; all pairs are counted."""
        return 3 * BATCH * forward_flops(self.config, self.context)

    @property
    def parameters(self) -> int:
        """Numbers that are trained, those of the embedding included."""
        return parameter_count(self.config)

    @property
    def config(self) -> TransformerConfig:
        """The model's configuration: the same body for every tokenizer."""
        return modern(self.tokenizer.vocab_size, context_length=self.context, **BODY)


def arm(tokenizer: BytePairs, text: str, tokens: Int[Tensor, "n"]) -> Arm:
    """Return the arm of a tokenizer; tokens: its code of the text to train on."""
    per_token = len(text) / len(tokens)
    return Arm(tokenizer, round(SPAN / per_token), per_token)


def untrained(arm: Arm, seed: int, device: torch.device | str = "cpu") -> Transformer:
    """Return the model with which ``train`` begins."""
    torch.manual_seed(seed)
    return Transformer(arm.config).to(device)


def train(
    arm: Arm, tokens: Int[Tensor, "n"], seed: int, steps: int, device: torch.device | str = "cpu", rate: float = RATE
) -> Transformer:
    """Return a model that was trained on tokens for a number of steps."""
    model = untrained(arm, seed, device)
    optimizers = {"adamw": adamw(model, rate)}
    tokens = tokens.to(device)
    fit(
        next_token_step(model, optimizers.values()),
        lambda generator: random_windows(tokens, BATCH, arm.context, generator),
        steps,
        Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed)),
        schedule=warmup_then_linear,
        progress=False,
    )
    return model


def held_out(arm: Arm, model: Transformer, text: str) -> dict[str, float]:
    """Return the loss in nats a token and the bits a character of a text that the model has not seen.

    Windows of the model's context, none overlapping another but the last; every token but the first is measured.
    """
    tokens = arm.tokenizer.encode(text)
    nats = sliding_cross_entropy(model, tokens.to(next(model.parameters()).device), arm.context)
    first = len(arm.tokenizer.decode(tokens[:1]))
    bits = bits_per_character(nats, len(tokens) - 1, len(text) - first)
    return {"nats_per_token": nats, "bits_per_character": bits}
