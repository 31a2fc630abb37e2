"""Record how far back a Transformer and an LSTM of equal size look: associative recall, and text by context.

Recall: four pairs of a key and its value, then a stretch of random symbols, then the four keys again in another
order; after each the model has to name the value. The distance is the length of the stretch. The LSTM's rate is the
best of three at each distance, for one more seed and all of its steps; the Transformer's is the better of two at
distance 8, and so is that of the Transformer without its token shift. What is done is kept in COURSE_HOME.
"""

import json
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.attention import language_recipes as recipes
from course_lib.attention.transformer import Transformer, modern
from course_lib.classroom.records import write_record
from course_lib.datasets.recall import RECALL_PAIRS, RECALL_SYMBOLS, associative_recall
from course_lib.datasets.text import load_shakespeare
from course_lib.evaluation.language import cross_entropy_by_position
from course_lib.paths import home
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS, CHOOSING, BATCH = range(5), 100, 32
UNSHIFTED = "transformer without token shift"
DISTANCES = {"transformer": (8, 32, 128), UNSHIFTED: (8,), "lstm": (0, 8)}
RATES = {"transformer": (1e-3, 3e-3), UNSHIFTED: (1e-3, 3e-3), "lstm": (3e-3, 1e-2, 3e-2)}
STEPS = {"transformer": 400, UNSHIFTED: 1600, "lstm": 3000}


class LSTM(nn.Module):
    """Embedding, one layer of LSTM (Hochreiter and Schmidhuber 1997), readout: about as many weights as the other."""

    def __init__(self, hidden: int = 123) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3 * RECALL_SYMBOLS, 64)
        self.lstm = nn.LSTM(64, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 3 * RECALL_SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits (batch, time, symbols)."""
        return self.readout(self.lstm(self.embedding(tokens))[0])


def build(kind: str, distance: int) -> nn.Module:
    """Return a new model of a kind, one of those in DISTANCES."""
    if kind == "lstm":
        return LSTM()
    length = distance + 4 * RECALL_PAIRS
    sizes = {"context_length": length, "n_layers": 2, "n_heads": 2, "d_model": 64}
    return Transformer(modern(3 * RECALL_SYMBOLS, **sizes, token_shift=kind != UNSHIFTED))


def recall(kind: str, distance: int, rate: float, seed: int) -> float:
    """Train one model and return its accuracy on 2,000 fresh sequences; chance is 1/16, or 1/4 for one that
    names any value it was told."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = build(kind, distance)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    trained = Trained({"model": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))

    def step(batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        tokens, answers = batch
        loss = F.cross_entropy(model(tokens)[:, -2 * RECALL_PAIRS :: 2].flatten(0, 1), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss}

    schedule = partial(warmup_then_linear, warmup=0.05)
    fit(step, lambda g: associative_recall(BATCH, distance, g), STEPS[kind], trained, schedule=schedule, progress=False)
    tokens, answers = associative_recall(2000, distance, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        guesses = torch.cat([model(t)[:, -2 * RECALL_PAIRS :: 2].argmax(-1) for t in tokens.split(100)])
    return round((guesses == answers).double().mean().item(), 4)


def by_context(seed: int, steps: int = 500) -> list[float]:
    """Train the course's recipe with context 256 and return the loss at every position, in nats."""
    torch.set_num_threads(1)
    text = load_shakespeare()
    recipe = recipes.COURSE.with_({"model": {"context_length": 256}, "batch": 8})
    model, _ = recipes.train(recipe, text, seed, steps)
    return [round(x, 4) for x in cross_entropy_by_position(model, text.validation).tolist()]


def name(kind: str, distance: int, rate: float, seed: int) -> str:
    """Return what one training is kept under."""
    return f"{kind} {distance} {rate} {seed}"


class Kept:
    """What is done, by name, in a file of COURSE_HOME."""

    def __init__(self) -> None:
        self.path = home() / "long_range.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.done = json.loads(self.path.read_text()) if self.path.exists() else {}

    def run(self, pool: ProcessPoolExecutor, jobs: dict[str, tuple]) -> None:
        """Run those of the jobs, name → function and arguments, that are not done."""
        waiting: dict[Future, str] = {pool.submit(*job): n for n, job in jobs.items() if n not in self.done}
        for future in as_completed(waiting):
            self.done[waiting[future]] = future.result()
            self.path.write_text(json.dumps(self.done))
            print(waiting[future], future.result() if "text" not in waiting[future] else "", flush=True)


def main() -> None:
    """Choose the rates, train everything, two at a time, and write the two records."""
    kept = Kept()
    tried = {"transformer": (8,), UNSHIFTED: (8,), "lstm": DISTANCES["lstm"]}
    with ProcessPoolExecutor(2) as pool:
        jobs: dict[str, tuple] = {}
        for kind, where in tried.items():
            for distance in where:
                for rate in RATES[kind]:
                    jobs[name(kind, distance, rate, CHOOSING)] = (recall, kind, distance, rate, CHOOSING)
        kept.run(pool, jobs | {f"text {seed}": (by_context, seed) for seed in SEEDS})
        best = {}
        for kind, distances in DISTANCES.items():
            for distance in distances:
                chosen_at = distance if distance in tried[kind] else 8
                scores = {rate: kept.done[name(kind, chosen_at, rate, CHOOSING)] for rate in RATES[kind]}
                best[kind, distance] = max(RATES[kind], key=scores.__getitem__)
        rows = [(kind, distance, best[kind, distance]) for kind in DISTANCES for distance in DISTANCES[kind]]
        kept.run(pool, {name(*row, seed): (recall, *row, seed) for row in rows for seed in SEEDS})
    values = {
        "tried": {key: value for key, value in kept.done.items() if key.endswith(f" {CHOOSING}")},
        "parameters": {kind: sum(p.numel() for p in build(kind, 8).parameters()) for kind in DISTANCES},
        "rows": [
            {"kind": k, "distance": d, "rate": r, "steps": STEPS[k],
             "accuracy": [kept.done[name(k, d, r, seed)] for seed in SEEDS]}
            for k, d, r in rows
        ],
    }  # fmt: skip
    what = "accuracy of associative recall against distance, the LSTM's rate chosen at each distance"
    print(write_record("associative_recall", what, SEEDS, values), values)
    what = "validation loss in nats by the number of visible characters, context 256, 500 steps"
    print(write_record("loss_by_context", what, SEEDS, {"nats": [kept.done[f"text {seed}"] for seed in SEEDS]}))


if __name__ == "__main__":
    main()
