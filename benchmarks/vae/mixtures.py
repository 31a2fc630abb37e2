"""Record the VAE's rivals on its own footing: mixtures of Bernoulli images fitted to the same 9,000 digits, moved too.

Every number of components is fitted to the digits as they are and to five copies of each, the digit and it moved by one
pixel up, down, left and right, every copy with its own draw of the pixels. Which one is reported is chosen on the
validation digits by the first seed; it is fitted from two other starts, too. The test digits are looked at once, here.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.vae.bernoulli_mixture import bernoulli_mixture_log_likelihood, fit_bernoulli_mixture

SEEDS = (0, 1, 2)
COMPONENTS = (1, 20, 100, 400, 1_000)
ROUNDS = 20
PLACES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # rows and columns that a copy is moved by


def copies(moved: bool) -> Tensor:
    """Return the binary training images, (9000, 784), or five of each, (45000, 784)."""
    padded = F.pad(load_digits().train, (1, 1, 1, 1))
    places = PLACES if moved else PLACES[:1]
    images = torch.cat([padded[:, 1 + row : 29 + row, 1 + column : 29 + column] for row, column in places])
    return binarise(images, torch.Generator().manual_seed(0)).flatten(1)


def fit(moved: bool, components: int, seed: int) -> dict[str, float]:
    """Return ln p of a validation and a test digit under a mixture fitted from this start, in nats."""
    validation = binarise(load_digits().validation, torch.Generator().manual_seed(1)).flatten(1)  # as the VAE's
    parts = {"validation": validation, "test": binary_test_digits().flatten(1)}
    found = fit_bernoulli_mixture(copies(moved), components, ROUNDS, torch.Generator().manual_seed(seed), pseudo=1.0)
    return {part: round(bernoulli_mixture_log_likelihood(x, *found).mean().item(), 2) for part, x in parts.items()}


def main() -> None:
    """Fit all of them on one thread, then the chosen one from the other starts, and write the record."""
    torch.set_num_threads(1)
    values: dict = {"rounds": ROUNDS, "places": [list(place) for place in PLACES]}
    best = (-torch.inf, "", 0, 0.0)
    for name, moved in (("as they are", False), ("moved", True)):
        each = [fit(moved, components, SEEDS[0]) for components in COMPONENTS]
        of_part = {part: [nats[part] for nats in each] for part in ("validation", "test")}
        values[name] = {"components": list(COMPONENTS), **of_part}
        best = max(best, *((e["validation"], name, k, e["test"]) for e, k in zip(each, COMPONENTS, strict=True)))
    _, name, components, test = best
    others = [fit(name == "moved", components, seed)["test"] for seed in SEEDS[1:]]
    values |= {"chosen": [name, components, test], "chosen from each start": [test, *others]}
    what = f"mixtures of Bernoulli images of the 9,000 digits, {ROUNDS} rounds of EM: ln p(x) in nats, exact"
    print(write_record("mixtures", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
