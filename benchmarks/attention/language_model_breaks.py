"""Record what breaks in training a language model: rate, warm-up, mask, and too little text.

The first four train nanoGPT's architecture with AdamW for 400 steps; the last trains the course's recipe on the first
50,000 characters alone, without and with dropout.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import torch

from benchmarks.attention import language_recipes as recipes
from course_lib.attention.dot_product import fast_attention
from course_lib.attention.transformer import Transformer
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear

SEEDS = range(3)
STEPS = 400
FEW = 50_000

HONEST = recipes.NANOGPT.with_({"rate": 4e-3, "schedule": warmup_then_linear})
VARIANTS = {
    "honest": HONEST,
    "rate × 10": HONEST.with_({"rate": 4e-2}),
    "no warm-up": HONEST.with_({"schedule": partial(warmup_then_linear, warmup=0.0)}),
    "rate × 3": HONEST.with_({"rate": 1.2e-2}),
    "rate × 3, no warm-up": HONEST.with_({"rate": 1.2e-2, "schedule": partial(warmup_then_linear, warmup=0.0)}),
    "no mask": HONEST,
}


def unmask(model: Transformer) -> None:
    """Let every position attend to all others, later ones included."""
    for block in model.blocks:
        block.attend = lambda q, k, v, memory: fast_attention(q, k, v)


def short(name: str, seed: int) -> dict[str, list[float]]:
    """Train one variant; return its losses in training, at the end, and with the mask put (back) on."""
    torch.set_num_threads(1)
    text, recipe = load_shakespeare(), VARIANTS[name]
    model, trained, step, batch = recipes.start(recipe, text, seed)
    if name == "no mask":
        unmask(model)
    history = fit(step, batch, STEPS, trained, schedule=recipe.schedule, every=20, progress=False)
    found = {
        "train": history.curve("loss").values,
        "norm": history.curve("norm").values,
        "nats": cross_entropy(model, text.validation),
    }
    if name == "no mask":
        for block in model.blocks:
            del block.attend
        found["masked"] = cross_entropy(model, text.validation)
    return found


def few(dropout: float, seed: int) -> dict[str, list[float]]:
    """Train the course's recipe on little text; return both losses along the way."""
    torch.set_num_threads(1)
    whole = load_shakespeare()
    text = replace(whole, train=whole.train[:FEW])
    recipe = recipes.COURSE.with_({"model": {"dropout": dropout}})
    model, trained, step, batch = recipes.start(recipe, text, seed)
    history = fit(
        step,
        batch,
        600,
        trained,
        schedule=recipe.schedule,
        evaluate=lambda: {
            "train": cross_entropy(model, text.train),
            "validation": cross_entropy(model, text.validation),
        },
        evaluate_every=50,
        progress=False,
    )
    curves = {name: history.evaluation(name).values for name in ("train", "validation")}
    return {"evaluated": [look.step for look in history.looks], **curves}


def rounded(values: list[float] | float) -> list[float] | float:
    """Return numbers with four digits behind the point."""
    return [round(v, 4) for v in values] if isinstance(values, list) else round(values, 4)


def main() -> None:
    """Train all variants and seeds, two at a time, and write the record."""
    with ProcessPoolExecutor(2) as pool:
        shorts = {name: [pool.submit(short, name, seed) for seed in SEEDS] for name in VARIANTS}
        fews = {str(dropout): [pool.submit(few, dropout, seed) for seed in SEEDS] for dropout in (0.0, 0.2)}
        values: dict[str, object] = {"steps": STEPS, "few": FEW}
        for group, waiting in (("short", shorts), ("overfitting", fews)):
            values[group] = {
                name: {key: [rounded(f.result()[key]) for f in futures] for key in futures[0].result()}
                for name, futures in waiting.items()
            }
    print(write_record("language_model_breaks", "what breaks in training a language model, in nats", SEEDS, values))


if __name__ == "__main__":
    main()
