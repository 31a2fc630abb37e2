"""Training recipes for Tiny Shakespeare: from nanoGPT's to the course's, one change at a time.

Each recipe is nanoGPT's CPU setting with the changes of all rungs up to one; a rung can also be taken out of the
last recipe alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch.optim import Optimizer

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer, TransformerConfig
from course_lib.datasets.text import Text, random_windows
from course_lib.evaluation.language import cross_entropy
from course_lib.training.fit import fit
from course_lib.training.history import History
from course_lib.training.optimizers import adamw, muon_and_adamw, warmup_then_cosine, warmup_then_linear
from course_lib.training.trained import Trained


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but its seed and its number of steps.

    model: what differs from ``TransformerConfig``'s defaults; rate: of AdamW alone, Muon brings its own two.
    """

    model: Mapping[str, object] = field(default_factory=dict)
    batch: int = 12
    optimizer: str = "adamw"
    rate: float = 1e-3
    schedule: Callable[[float], float] = warmup_then_cosine
    bfloat16: bool = False

    def with_(self, changes: Mapping[str, object]) -> "Recipe":
        """Return the recipe with other values; those of the model are added to the model's."""
        own = {name: value for name, value in changes.items() if name != "model"}
        return replace(self, model={**self.model, **changes.get("model", {})}, **own)

    def config(self, vocab_size: int) -> TransformerConfig:
        """Return the model's configuration."""
        return TransformerConfig(vocab_size, **self.model)

    def build(self, vocab_size: int, device: str = "cpu") -> tuple[Transformer, dict[str, Optimizer]]:
        """Return a new model, from torch's global seed, and its optimizers."""
        model = Transformer(self.config(vocab_size)).to(device)
        if self.optimizer == "muon":
            return model, muon_and_adamw(model.blocks, model)
        return model, {"adamw": adamw(model, self.rate)}


NANOGPT = Recipe()

# name, where it comes from, what changes, and what undoes it in the last recipe
RUNGS: list[tuple[str, str, dict, dict]] = [
    ("rate × 4", "nanoGPT's rate suits 5,000 steps", {"rate": 4e-3}, {}),
    ("down to zero", "Bergsma et al. 2025", {"schedule": warmup_then_linear}, {"schedule": warmup_then_cosine}),
    ("Muon", "Jordan et al. 2024", {"optimizer": "muon"}, {"optimizer": "adamw", "rate": 4e-3}),
    ("bfloat16", "Kalamkar et al. 2019", {"bfloat16": True}, {"bfloat16": False}),
    ("batch 32", "McCandlish et al. 2018", {"batch": 32}, {"batch": 6}),
    ("rotary", "Su et al. 2021", {"model": {"positions": "rotary"}}, {"model": {"positions": "learned"}}),
    ("norm of q and k", "Henry et al. 2020", {"model": {"qk_norm": True}}, {"model": {"qk_norm": False}}),
    ("squared ReLU", "So et al. 2021", {"model": {"activation": "relu2"}}, {"model": {"activation": "gelu"}}),
    ("zero start", "Zhang et al. 2019", {"model": {"zero_init": True}}, {"model": {"zero_init": False}}),
    ("token shift", "Peng et al. 2023", {"model": {"token_shift": True}}, {"model": {"token_shift": False}}),
    ("context 128", "03_positions_and_cost", {"model": {"context_length": 128}, "batch": 16},
     {"model": {"context_length": 64}, "batch": 32}),
    ("two heads", "02_attention", {"model": {"n_heads": 2}}, {"model": {"n_heads": 4}}),
]  # fmt: skip


def ladder() -> dict[str, Recipe]:
    """Return name → recipe, from nanoGPT's upwards."""
    recipes = {"nanoGPT": NANOGPT}
    for name, _, changes, _ in RUNGS:
        recipes[name] = list(recipes.values())[-1].with_(changes)
    return recipes


def without() -> dict[str, Recipe]:
    """Return name → the last recipe with this one change undone, where it can be undone alone."""
    last = list(ladder().values())[-1]
    return {name: last.with_(undo) for name, _, _, undo in RUNGS if undo}


COURSE = list(ladder().values())[-1]


def start(
    recipe: Recipe, text: Text, seed: int, device: str = "cpu"
) -> tuple[Transformer, Trained, Callable, Callable]:
    """Return a model, what trains, the step and the function that draws batches."""
    torch.manual_seed(seed)
    model, optimizers = recipe.build(len(text.vocabulary), device)
    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))
    tokens = text.train.to(device)
    step = next_token_step(model, optimizers.values(), bfloat16=recipe.bfloat16)
    return model, trained, step, lambda g: random_windows(tokens, recipe.batch, model.config.context_length, g)


def train(
    recipe: Recipe, text: Text, seed: int, steps: int, device: str = "cpu", evaluate_every: int | None = None
) -> tuple[Transformer, History]:
    """Train for a number of steps and return the model and the history, evaluated on the whole validation split."""
    model, trained, step, batch = start(recipe, text, seed, device)
    validation = text.validation.to(device)
    history = fit(
        step,
        batch,
        steps,
        trained,
        schedule=recipe.schedule,
        evaluate=lambda: {"validation": cross_entropy(model, validation)},
        evaluate_every=evaluate_every,
        progress=False,
    )
    return model, history
