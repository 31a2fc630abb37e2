"""Write the pictures of chapter 12: what the families of ``three_families`` draw, and half digits that they complete.

The models are those of the first seed of that record, trained again by its recipes. An image is a word of 196 digits,
the levels of its pixels. Completed is the first digit of each class among those that the record counts; ten draws are
shown as they come. Each model's pictures are kept in a folder, so that an interrupted run goes on; those of families
that are not named are taken from the file as it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.together import three_families as compared
from course_lib.attention.pixels import complete_pixels
from course_lib.chapters.ch12_three_families import figures
from course_lib.classroom.records import recorded
from course_lib.datasets.levels import from_levels, quantise
from course_lib.gan.inpainting import search_noise
from course_lib.vae.grey import complete_annealed

SEED, DRAWN = 0, 10


def words(images: Tensor) -> list[str]:
    """Return each image as a word of digits."""
    return ["".join(map(str, row)) for row in images.tolist()]


def one_of_each_class() -> Tensor:
    """Return the first of the chosen test digits that shows a 0, a 1, … a 9."""
    chosen = compared.shuffled[: compared.COMPLETED]
    labels = compared.digits.test_labels[chosen]
    return compared.test[chosen[torch.stack([(labels == c).nonzero()[0, 0] for c in range(10)])]]


def completed(family: str, model: Any, x: Tensor, seed: int) -> Tensor:
    """Return the digits with their upper halves as they are and their lower halves by the model."""
    observed = torch.arange(compared.PIXELS) < compared.UPPER
    if family == "ar":
        return complete_pixels(model, x[:, : compared.UPPER], compared.rng(seed))
    if family == "vae":
        return complete_annealed(model, x, observed, compared.rng(seed))
    seen = observed.view(14, 14)
    asked = from_levels(x, compared.LEVELS), seen, compared.LATENT, compared.rng(seed)
    made, _ = search_noise(model, *asked, starts=3, steps=60)
    return torch.where(observed, x, quantise(made, compared.LEVELS))


def pictures(family: str, seed: int, steps: int, factor: float, shift: int) -> dict[str, Any]:
    """Train one model; return its draws, its completions and what the classifier reads in these."""
    model = compared.train(family, seed, steps, factor, shift)[0].model
    whole = completed(family, model, one_of_each_class(), seed)
    return {
        "drawn": words(compared.draws(family, model, DRAWN, seed)),
        "completed": words(whole),
        "read": compared.look(whole)[1].argmax(1).tolist(),
    }


def main() -> None:
    """Train one of each family, draw, complete and write the file beside the chapter's figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=Path("/tmp/three_pictures"), help="folder of finished models")
    parser.add_argument("--families", nargs="*", default=list(compared.FAMILIES), help="train only these")
    chosen = parser.parse_args()
    chosen.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    path = Path(figures.__file__).with_name("seed_0.json")
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    record, parts = recorded("three_families"), {key: before.get(key, {}) for key in ("drawn", "completed", "read")}
    for family in chosen.families:
        choice = [record.arm(family).values[key] for key in ("steps", "factor", "shift")]
        found = compared.kept(chosen.kept, f"{family} {SEED}", lambda f=family, c=choice: pictures(f, SEED, *c))
        for key, of in parts.items():
            of[family] = found[key]
    parts |= {"digits": words(one_of_each_class()), "real": words(compared.test[:DRAWN])}
    path.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
