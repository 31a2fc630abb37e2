"""The language models: chapter 02b's two layers of attention, chapter 05's Transformer."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from course_lib.attention.attention_only import AttentionOnly
from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, modern
from course_lib.datasets.text import Text, load_shakespeare, random_windows
from course_lib.evaluation.language import cross_entropy
from course_lib.train.plan import Plan
from course_lib.training.distributed import Processes
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

ALONE = Processes()


def attention_plan(device: torch.device, seed: int = 0, text: Text | None = None, processes: Processes = ALONE) -> Plan:
    """Return chapter 02b's training: 1,500 steps of 32 windows of 32 characters, Adam at 1e-2 that rises and falls.

    text: Tiny Shakespeare when left out.
    """
    steps, context, batch = 1500, 32, 32
    on, text = _on(text), text or load_shakespeare()
    torch.manual_seed(seed)
    model = AttentionOnly(len(text.vocabulary), context).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    trained = Trained({"model": model}, {"adam": optimizer}, torch.Generator().manual_seed(seed))
    train, validation = text.train.to(device), text.validation.to(device)

    def schedule(share: float) -> float:
        done = round(share * steps)
        return min(1, (done + 1) / 20) * (1 - done / steps)

    return Plan(
        what=f"two layers of attention on {on}",
        trained=trained,
        step=next_token_step(processes.parallel(model), [optimizer], clip=None),
        draw=lambda generator: random_windows(train, batch, context, generator),
        steps=steps,
        quick=steps,
        measure=lambda: {"validation bits per character": cross_entropy(model, validation) / math.log(2)},
        schedule=schedule,
        unit=("tokens", batch * context),
        batch=batch,
        take=_take,
    )


def lm_plan(device: torch.device, seed: int = 0, text: Text | None = None, processes: Processes = ALONE) -> Plan:
    """Return chapter 05's training: two minutes of one core, 1,441 steps of 16 windows of 128 characters, Muon.

    text: Tiny Shakespeare when left out.
    """
    steps, context, batch = 1441, 128, 16
    on, text = _on(text), text or load_shakespeare()
    torch.manual_seed(seed)
    model = Transformer(modern(len(text.vocabulary), context_length=context, n_layers=4, n_heads=2, d_model=128))
    model.to(device)
    optimizers = muon_and_adamw(model.blocks, model)
    bfloat16 = processes.agree(bfloat16_pays(device), device)
    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))
    train, validation = text.train.to(device), text.validation.to(device)

    def measure() -> Mapping[str, float]:
        return {"validation bits per character": cross_entropy(model, validation) / math.log(2)}

    return Plan(
        what=f"a Transformer of {sum(p.numel() for p in model.parameters()):,} parameters on {on}",
        trained=trained,
        step=next_token_step(processes.parallel(model), optimizers.values(), clip=1.0, bfloat16=bfloat16),
        draw=lambda generator: random_windows(train, batch, context, generator),
        steps=steps,
        quick=100,
        measure=measure,
        schedule=warmup_then_linear,
        every=10,
        unit=("tokens", batch * context),
        batch=batch,
        take=_take,
    )


def _take(batch: tuple[Tensor, Tensor], rows: slice) -> tuple[Tensor, Tensor]:
    """Return some windows of a batch, and their targets."""
    return batch[0][rows], batch[1][rows]


def _on(text: Text | None) -> str:
    """Name a text: the course's, or a reader's by its size and its split."""
    return "Tiny Shakespeare" if text is None else f"a text of your own, {text.summary()}"
