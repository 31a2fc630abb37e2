"""Record how far the shipped VAE's log-likelihood is known: more and more draws on all test digits, and from above.

``importance``: the importance-weighted bound on all 10,000 official test digits with 1 to 5,000 draws, and how many of
the draws count. Products are in bfloat16 where that pays; on the first 500 digits float32 is computed beside it, from
the same draws. ``enclosed``: on images that the model itself draws, for which an exact draw from the posterior is
known, the bound from above by the reverse chain beside the forward chain's from below and the importance-weighted one.
``python benchmarks/vae/likelihoods.py importance`` remakes one part and keeps the other.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from course_lib.chapters.ch07_vae_training.draws import effective_draws
from course_lib.classroom.records import write_record
from course_lib.datasets.images import binary_test_digits
from course_lib.paths import RESULTS, home
from course_lib.pretrained.vaes import SHA256, load_digit_vae
from course_lib.training.precision import bfloat16_pays
from course_lib.vae.annealed import annealed_weights, lower_bound, sigmoid_betas, tuned_sizes, upper_bound
from course_lib.vae.bounds import importance_weighted_bound
from course_lib.vae.models import VAE

KS = (1, 10, 100, 1_000, 5_000)
IN_FLOAT32 = 500
TEMPERATURES = (1, 10, 100)
AT_ONCE = 1_000  # draws decoded together: their pixels stay in the cache


@torch.no_grad()
def log_weights(model: VAE, x: Tensor, generator: torch.Generator, bfloat16: bool) -> Tensor:
    """Return ln p(x, z) − ln q(z|x) of one image x (1, 784) at 5,000 draws, (5000,), in float64."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        eps = torch.randn(KS[-1], 1, model.latent_dim, generator=generator)
        return torch.cat([model.log_weights(x, part)[:, 0] for part in eps.split(AT_ONCE)]).double()


def bounds(log_w: Tensor) -> list[float]:
    """Return the bound with each number of draws in KS, each the mean over all groups of so many of the 5,000."""
    return [importance_weighted_bound(log_w.view(-1, k).T).mean().item() for k in KS]


def mean_and_error(values: Sequence[float] | Tensor) -> list[float]:
    """Return the mean and its standard error, rounded to 0.1 millinats."""
    values = torch.as_tensor(values, dtype=torch.float64)
    return [round(values.mean().item(), 4), round(values.std().item() / math.sqrt(len(values)), 4)]


def summary(digits: dict[int, dict], bfloat16: bool) -> dict:
    """Return the part importance of the record from what was found for each digit so far."""
    each = torch.tensor([found["bounds"] for found in digits.values()], dtype=torch.float64)
    share = torch.tensor([found["effective"] for found in digits.values()], dtype=torch.float64)
    both = [found["bounds"][-1] - found["float32"] for found in digits.values() if "float32" in found]
    return {
        "digits": len(digits),
        "k": list(KS),
        "bound": [mean_and_error(column) for column in each.T],
        "gain": [mean_and_error(column) for column in each.diff(dim=1).T],  # paired, from each k to the next
        "from_100_to_5000": mean_and_error(each[:, -1] - each[:, KS.index(100)]),
        "effective": [round(q, 2) for q in share.quantile(torch.tensor([0.1, 0.5, 0.9]).double()).tolist()],
        "effective_below_50": round((share < 50).double().mean().item(), 4),
        "bfloat16": bfloat16,
        "bfloat16_minus_float32": [len(both), *mean_and_error(both)] if len(both) > 1 else None,
    }


def importance() -> Iterator[dict]:
    """Yield the bounds on the official test digits with 1 to 5,000 draws, every 250 digits in a random order.

    What was found is kept in COURSE_HOME, and a run that was stopped goes on from there.
    """
    model, test = load_digit_vae(), binary_test_digits().flatten(1)
    bfloat16, kept = bfloat16_pays(), home() / f"vae_likelihoods_{SHA256['digits_vae'][:8]}.json"
    digits = {int(i): found for i, found in json.loads(kept.read_text()).items()} if kept.is_file() else {}
    for count, i in enumerate(torch.randperm(len(test), generator=torch.Generator().manual_seed(7)).tolist(), start=1):
        if i not in digits:
            x = test[i : i + 1]
            log_w = log_weights(model, x, torch.Generator().manual_seed(i), bfloat16)
            digits[i] = {"bounds": bounds(log_w), "effective": effective_draws(log_w[:, None]).item()}
            if bfloat16 and count <= IN_FLOAT32:
                digits[i]["float32"] = bounds(log_weights(model, x, torch.Generator().manual_seed(i), False))[-1]
        if count % 250 == 0 and count == len(digits):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(digits))
            yield summary(digits, bfloat16)


def enclosed(images: int = 50, chains: int = 8) -> Iterator[dict]:
    """Yield bounds from below and above on ln p(x) of images that the model drew, with ever more temperatures.

    The chains start at the encoder's q. Step sizes come from a chain on other images. Beside them the
    importance-weighted bound with 5,000 draws on the same images, and the forward chains on as many test digits.
    """
    model = load_digit_vae().requires_grad_(False)
    generator = torch.Generator().manual_seed(8)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, model.latent_dim, generator=generator)

    z, others = normal(images), normal(10)
    x, pilot = (torch.bernoulli(model.means(each), generator=generator) for each in (z, others))
    real = binary_test_digits().flatten(1)[:: 10_000 // images][:images]
    mu, logvar = model.encode(x)
    own = ((z - mu) / logvar.div(2).exp()).expand(chains, images, model.latent_dim)  # the noise that q needs for z
    each = [[bounds(log_weights(model, one, generator, False))[-1] for one in part.split(1)] for part in (x, real)]
    found: dict = {"images": images, "chains": chains, "k_5000": mean_and_error(each[0])}
    found |= {"real_k_5000": mean_and_error(each[1]), "temperatures": {}}
    for steps in TEMPERATURES:
        betas = sigmoid_betas(steps)
        sizes = tuned_sizes(partial(model.log_weights, pilot), normal(4, 10), betas, generator)
        of_x = partial(annealed_weights, partial(model.log_weights, x), betas=betas, sizes=sizes, generator=generator)
        forward, backward = of_x(start=normal(chains, images)), of_x(start=own, backward=True)
        below, above = lower_bound(forward.log_w).double(), upper_bound(backward.log_w).double()
        row = {"below": mean_and_error(below), "above": mean_and_error(above), "gap": mean_and_error(above - below)}
        row["below_minus_k_5000"] = mean_and_error(below - torch.tensor(each[0], dtype=torch.float64))
        row["above_minus_k_5000"] = mean_and_error(above - torch.tensor(each[0], dtype=torch.float64))
        if steps == TEMPERATURES[-1]:
            weight = partial(model.log_weights, real)
            on_real = annealed_weights(weight, normal(chains, images), betas, sizes, generator)
            of_real = lower_bound(on_real.log_w).double()
            found["real_minus_k_5000"] = mean_and_error(of_real - torch.tensor(each[1], dtype=torch.float64))
        row["accepted"] = [round(part.accepted.mean().item(), 3) for part in (forward, backward)]
        found["temperatures"][str(steps)] = row
        yield found


PARTS = {"enclosed": enclosed, "importance": importance}


def main(parts: Sequence[str]) -> None:
    """Measure the parts, all without any named, on one thread; a part that is not named keeps its old values."""
    torch.set_num_threads(1)
    path = RESULTS / "vae_likelihoods.json"
    what = (
        "the shipped VAE's log-likelihood: 1 to 5,000 draws on test digits in a random order; "
        "from above on images that it drew"
    )
    for part in parts or PARTS:
        for found in PARTS[part]():
            values = json.loads(path.read_text())["values"] if path.is_file() else {}
            values |= {part: found, "sha256": SHA256["digits_vae"]}
            print(write_record("vae_likelihoods", what, [7], values), found, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
