"""Record the rivals of chapter 05's model: counts and compressors, in bits per character on both held-out splits.

Fixed rivals have counted the part to train and no more; what order, and how many discounts, is chosen on the validation
split. Adaptive ones go on: a compressor learns as it reads, and the counter is counted anew after every 128 characters
(4,096, 512) and each time includes all that it has been measured on. bz2, whose blocks of 900,000 bytes know nothing of
each other, has read as much of the end of the part to train as fits into one block with the split.
"""

import itertools
import math
from concurrent.futures import ProcessPoolExecutor

import torch

from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare
from course_lib.information.ngram import KneserNey, compressor_bits

SPLITS = ("validation", "test")
ORDERS = range(1, 9)
PIECES = (4096, 512, 128)  # characters after which the counter is counted anew
READ = {"bz2": 840_000, "lzma": 1_003_854}  # bytes of the end of the part to train


def held_out(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what stands before a split, which gives the first characters their context, and the split."""
    text = load_shakespeare(test=True)
    before = {"validation": text.train, "test": text.validation}[split]
    return before, getattr(text, split)


def counted(split: str, order: int, discounts: int, piece: int | None = None) -> float:
    """Return the bits of a counter of the part to train; piece: counted anew whenever as many were measured."""
    torch.set_num_threads(1)
    text = load_shakespeare(test=True)
    before, tokens = held_out(split)
    with_context = torch.cat([before[len(before) - order + 1 :], tokens])
    cuts = [*range(0, len(tokens), piece or len(tokens)), len(tokens)]
    nats = 0.0
    for first, end in itertools.pairwise(cuts):
        counter = KneserNey(torch.cat([text.train, tokens[:first]]), order, len(text.vocabulary), discounts)
        nats -= counter.log_probability(with_context[first : end + order - 1]).sum().item()
    return nats / len(tokens) / math.log(2)


def main() -> None:
    """Measure and write the record."""
    text = load_shakespeare(test=True)
    train = text.decode(text.train).encode()
    fixed = [(split, order, discounts) for split in SPLITS for discounts in (1, 3) for order in ORDERS]
    values: dict = {split: {"uniform": math.log2(len(text.vocabulary))} for split in SPLITS}
    with ProcessPoolExecutor(2) as pool:
        for (split, order, discounts), bits in zip(fixed, pool.map(counted, *zip(*fixed, strict=True)), strict=True):
            values[split][f"order {order}, {discounts} discount{'s' if discounts > 1 else ''}"] = round(bits, 4)
        name = min((n for n in values["validation"] if n.startswith("order")), key=values["validation"].get)
        order, discounts = int(name.split()[1].rstrip(",")), int(name.split()[2])
        goes_on = [(split, order, discounts, piece) for split in SPLITS for piece in PIECES]
        for (split, *_, piece), bits in zip(goes_on, pool.map(counted, *zip(*goes_on, strict=True)), strict=True):
            values[split][f"counts on, {piece}"] = round(bits, 4)
    for split in SPLITS:
        for name, read in READ.items():
            packed = compressor_bits(name, train[-read:], text.decode(held_out(split)[1]).encode())
            values[split][name] = round(packed, 4)
    values["chosen"] = [order, discounts]
    what = "bits per character of counts and compressors, nothing drawn, on the last two twentieths of Tiny Shakespeare"
    print(write_record("rivals", what, [], values), values)


if __name__ == "__main__":
    main()
