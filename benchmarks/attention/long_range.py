"""Record how far back a Transformer and an LSTM of equal size look: associative recall, and text by context.

Recall: four pairs of a key and its value, then a stretch of random symbols, then the four keys again in another
order; after each the model has to name the value. The distance is the length of the stretch.
"""

from concurrent.futures import ProcessPoolExecutor
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
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(3)
DISTANCES = (8, 32, 128, 512)
RATES = {"transformer": (1e-3, 3e-3), "lstm": (3e-3, 1e-2)}
STEPS, BATCH = 400, 32
LONGER = 3000  # steps that the LSTM is given too, at the short distances


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
    """Return a new model of a kind, transformer or lstm."""
    if kind == "lstm":
        return LSTM()
    length = distance + 4 * RECALL_PAIRS
    return Transformer(modern(3 * RECALL_SYMBOLS, context_length=length, n_layers=2, n_heads=2, d_model=64))


def recall(kind: str, distance: int, rate: float, seed: int, steps: int = STEPS) -> float:
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
    fit(step, lambda g: associative_recall(BATCH, distance, g), steps, trained, schedule=schedule, progress=False)
    tokens, answers = associative_recall(2000, distance, torch.Generator().manual_seed(1000 + seed))
    with torch.no_grad():
        guesses = torch.cat([model(t)[:, -2 * RECALL_PAIRS :: 2].argmax(-1) for t in tokens.split(100)])
    return (guesses == answers).double().mean().item()


def by_context(seed: int, steps: int = 500) -> list[float]:
    """Train the course's recipe with context 256 and return the loss at every position, in nats."""
    torch.set_num_threads(1)
    text = load_shakespeare()
    recipe = recipes.COURSE.with_({"model": {"context_length": 256}, "batch": 8})
    model, _ = recipes.train(recipe, text, seed, steps)
    return cross_entropy_by_position(model, text.validation).tolist()


def main() -> None:
    """Choose each kind's rate at the shortest distance, train everything, two at a time, and write the two records."""
    with ProcessPoolExecutor(2) as pool:
        tried = {
            (kind, rate): pool.submit(recall, kind, 8, rate, 100) for kind, rates in RATES.items() for rate in rates
        }
        best = {kind: max(rates, key=lambda rate: tried[kind, rate].result()) for kind, rates in RATES.items()}
        rows = [(kind, distance, STEPS) for distance in DISTANCES for kind in RATES]
        rows += [("lstm", distance, LONGER) for distance in DISTANCES[:2]]
        jobs = {
            row: [pool.submit(recall, row[0], row[1], best[row[0]], seed, row[2]) for seed in SEEDS] for row in rows
        }
        curves = [pool.submit(by_context, seed) for seed in SEEDS]
        accuracy = {row: [round(job.result(), 4) for job in waiting] for row, waiting in jobs.items()}
        nats = [[round(x, 4) for x in curve.result()] for curve in curves]
    values = {
        "rates": best,
        "parameters": {kind: sum(p.numel() for p in build(kind, 8).parameters()) for kind in RATES},
        "rows": [{"kind": k, "distance": d, "steps": n, "accuracy": accuracy[k, d, n]} for k, d, n in rows],
    }
    what = "accuracy of associative recall against distance, with each kind's better rate of two"
    print(write_record("associative_recall", what, SEEDS, values), values)
    what = "validation loss in nats by the number of visible characters, context 256, 500 steps"
    print(write_record("loss_by_context", what, SEEDS, {"nats": nats}))


if __name__ == "__main__":
    main()
