"""Record the VAE's rivals on its own footing: mixtures of Bernoulli images fitted to the same 9,000 digits, moved too.

Every number of components is fitted to the digits as they are and to five copies of each, the digit and it moved by one
pixel up, down, left and right, every copy with its own draw of the pixels. Which one is reported is chosen on the
validation digits; the test digits are looked at once, here.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.vae.bernoulli_mixture import bernoulli_mixture_log_likelihood, fit_bernoulli_mixture

COMPONENTS = (1, 20, 100, 400, 1_000)
ROUNDS = 20
PLACES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # rows and columns that a copy is moved by


def copies(moved: bool) -> Tensor:
    """Return the binary training images, (9000, 784), or five of each, (45000, 784)."""
    padded = F.pad(load_digits().train, (1, 1, 1, 1))
    places = PLACES if moved else PLACES[:1]
    images = torch.cat([padded[:, 1 + row : 29 + row, 1 + column : 29 + column] for row, column in places])
    return binarise(images, torch.Generator().manual_seed(0)).flatten(1)


def main() -> None:
    """Fit all of them on one thread, the smallest first, and write the record after each."""
    torch.set_num_threads(1)
    validation = binarise(load_digits().validation, torch.Generator().manual_seed(1)).flatten(1)  # as the VAE's
    parts = {"validation": validation, "test": binary_test_digits().flatten(1)}
    what = f"mixtures of Bernoulli images of the 9,000 digits, {ROUNDS} rounds of EM: ln p(x) in nats, exact"
    values: dict = {"rounds": ROUNDS, "places": [list(place) for place in PLACES]}
    for components in COMPONENTS:
        for name, moved in (("as they are", False), ("moved", True)):
            generator = torch.Generator().manual_seed(0)
            found = fit_bernoulli_mixture(copies(moved), components, ROUNDS, generator, pseudo=1.0)
            arm = values.setdefault(name, {"components": [], "validation": [], "test": []})
            arm["components"].append(components)
            for part, x in parts.items():
                arm[part].append(round(bernoulli_mixture_log_likelihood(x, *found).mean().item(), 2))
            arms = [n for n in ("as they are", "moved") if n in values]
            best = max((values[n]["validation"][i], n, i) for n in arms for i in range(len(values[n]["validation"])))
            values["chosen"] = [best[1], values[best[1]]["components"][best[2]], values[best[1]]["test"][best[2]]]
            print(write_record("mixtures", what, [0], values), components, name, arm, flush=True)


if __name__ == "__main__":
    main()
