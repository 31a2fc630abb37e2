"""Record what each part of the Transformer's block is worth on text: four rows, and the block without one part.

Every row has the same 600 steps on the same windows in the same order, and its own rate, the best of three for one
more seed after 400 steps. The number of parameters is not the same in all rows; one row, attention alone in three times
as many blocks, has the full block's. Where results are added to a stream, layers begin small, by GPT-2's factor; two
more rows begin with full-size layers, at the rates of the rows whose names they share.
"""

from concurrent.futures import ProcessPoolExecutor

import torch
from torch import Tensor

from course_lib.attention.transformer import TransformerConfig, pre_norm_block
from course_lib.chapters.ch04_transformer.trainings import arranged, bits_on, start_level, train_on_text
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare

SEEDS, CHOOSING = range(5), 100
RATES, STEPS, CHOOSING_STEPS = (1e-3, 3e-3, 1e-2), 600, 400


def attention_alone(x: Tensor, norm_1, attention, norm_2, feed_forward) -> Tensor:
    """Attention's result takes the stream's place."""
    return attention(x)


def and_feed_forward(x: Tensor, norm_1, attention, norm_2, feed_forward) -> Tensor:
    """Then the feed-forward layer's result does."""
    return feed_forward(attention(x))


def and_residual(x: Tensor, norm_1, attention, norm_2, feed_forward) -> Tensor:
    """Both are added to the stream."""
    x = x + attention(x)
    return x + feed_forward(x)


def without_feed_forward(x: Tensor, norm_1, attention, norm_2, feed_forward) -> Tensor:
    """The full block, its second half left out."""
    return x + attention(norm_1(x))


ROWS = {  # name → arrangement, blocks, whether results are added to the stream
    "attention": (attention_alone, 4, False),
    "+ feed-forward": (and_feed_forward, 4, False),
    "+ residual": (and_residual, 4, True),
    "+ norm": (pre_norm_block, 4, True),
    "no feed-forward": (without_feed_forward, 4, True),
    "no feed-forward, 12 blocks": (without_feed_forward, 12, True),
}


FULL_SIZE = ("+ residual", "+ norm")


def bits(row: str, rate: float, seed: int, steps: int, full_size: bool = False) -> float:
    """Train one row and return its bits per character on the validation split."""
    torch.set_num_threads(1)
    arrangement, n_layers, adds = ROWS[row]
    text = load_shakespeare(test=True)
    model = arranged(TransformerConfig(65, context_length=32, n_layers=n_layers, d_model=64), arrangement)
    start_level(model, seed, outward=(2 * n_layers) ** -0.5 if adds and not full_size else 1.0)
    train_on_text(model, text.train, seed, steps, rate)
    found = round(bits_on(model, text.validation), 4)
    print(row, rate, seed, steps, found, flush=True)
    return found


def trained_numbers(row: str) -> int:
    """Return how many numbers of a row's model get a gradient."""
    arrangement, n_layers, _ = ROWS[row]
    model = arranged(TransformerConfig(65, context_length=32, n_layers=n_layers, d_model=64), arrangement)
    model(torch.zeros(1, 32, dtype=torch.long)).sum().backward()
    return sum(parameter.numel() for parameter in model.parameters() if parameter.grad is not None)


def main() -> None:
    """Choose each row's rate, train every row on every seed, two at a time, and write the record."""
    with ProcessPoolExecutor(2) as pool:
        tried = {(row, rate): pool.submit(bits, row, rate, CHOOSING, CHOOSING_STEPS) for row in ROWS for rate in RATES}
        rates = {row: min(RATES, key=lambda rate: tried[row, rate].result()) for row in ROWS}
        jobs = {row: [pool.submit(bits, row, rates[row], seed, STEPS) for seed in SEEDS] for row in ROWS}
        full = {row: [pool.submit(bits, row, rates[row], seed, STEPS, True) for seed in SEEDS] for row in FULL_SIZE}
        found = {row: [job.result() for job in waiting] for row, waiting in jobs.items()}
        full = {row: [job.result() for job in waiting] for row, waiting in full.items()}
    values = {
        "steps": STEPS,
        "rates": rates,
        "tried": {row: {str(rate): tried[row, rate].result() for rate in RATES} for row in ROWS},
        "parameters": {row: trained_numbers(row) for row in ROWS},
        "bits": found,
        "bits, full-size layers": full,
    }
    what = f"bits per character on the validation split after {STEPS} steps, by what a block is made of"
    print(write_record("block_ladder", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
