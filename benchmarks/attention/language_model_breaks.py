"""Record what breaks in training a language model: a mask that is missing, and too little text.

The first two train nanoGPT's architecture with AdamW for 400 steps; the last trains the course's recipe on the first
50,000 characters alone. Held-out losses are those of the validation split, the first half of the last tenth.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import torch

from benchmarks.attention import language_recipes as recipes
from course_lib.attention.dot_product import fast_attention
from course_lib.attention.transformer import Transformer
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear

SEEDS = range(5)
STEPS = 400
FEW = 50_000

HONEST = recipes.NANOGPT.with_({"rate": 4e-3, "schedule": warmup_then_linear})


def unmask(model: Transformer) -> None:
    """Let every position attend to all others, later ones included."""
    for block in model.blocks:
        block.attend = lambda q, k, v, memory: fast_attention(q, k, v)


def short(name: str, seed: int) -> dict[str, list[float]]:
    """Train with or without a mask; return the losses in training, at the end, and with the mask put (back) on."""
    torch.set_num_threads(1)
    text = load_shakespeare(test=True)
    model, trained, step, batch = recipes.start(HONEST, text, seed)
    if name == "no mask":
        unmask(model)
    history = fit(step, batch, STEPS, trained, schedule=HONEST.schedule, every=20, progress=False)
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


def few(seed: int) -> dict[str, list[float]]:
    """Train the course's recipe on little text; return both losses along the way."""
    torch.set_num_threads(1)
    whole = load_shakespeare(test=True)
    text = replace(whole, train=whole.train[:FEW])
    model, trained, step, batch = recipes.start(recipes.COURSE, text, seed)
    history = fit(
        step,
        batch,
        600,
        trained,
        schedule=recipes.COURSE.schedule,
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
        waiting = {name: [pool.submit(short, name, seed) for seed in SEEDS] for name in ("honest", "no mask")}
        waiting["overfitting"] = [pool.submit(few, seed) for seed in SEEDS]
        values: dict[str, object] = {"steps": STEPS, "few": FEW}
        for name, futures in waiting.items():
            values[name] = {key: [rounded(f.result()[key]) for f in futures] for key in futures[0].result()}
    print(write_record("language_model_breaks", "what breaks in training a language model, in nats", SEEDS, values))


if __name__ == "__main__":
    main()
