"""Record ``live_values.json``: what chapters train while one reads, and no other record holds, from five more starts.

A chapter's own cells run here, in the quick budget, with other seeds put in: the record is made by the code that it is
compared with. Games that play side by side share one generator, and the first seed is its. Their claims must hold here,
too.
"""

import contextlib
import io
import re
from collections.abc import Mapping
from unittest import mock

import torch

from course_lib.chapters.ch10_gan_dynamics.scene import Scene, judge, preset
from course_lib.classroom import records
from course_lib.gan.ring import Treatment
from course_lib.paths import SOURCES

SEEDS = range(10, 15)  # none of them is a chapter's own


class NotYet(records.Record):
    """What the cells find in place of this record while it is being made: nothing stands beside their values."""

    def arm(self, *names: str) -> "NotYet":
        """Return itself."""
        return self

    def beside(self, live, there):
        """Return the live values alone."""
        return live


def variables(chapter: str, last: str, other_seeds: Mapping[str, str]) -> dict:
    """Run a chapter's code cells up to the first that contains last; return what they define.

    other_seeds: text of the source → what takes its place; LookupError for a text that is not there.
    """
    source = (SOURCES / f"{chapter}.py").read_text(encoding="utf-8")
    for old, new in other_seeds.items():
        if old not in source:
            raise LookupError(f"{chapter}: expected the source to contain {old!r}")
        source = source.replace(old, new)
    cells = [cell for cell in re.split(r"(?m)^# %%", source)[1:] if not cell.startswith(" [markdown]")]
    end = next((i for i, cell in enumerate(cells) if last in cell), None)
    if end is None:
        raise LookupError(f"{chapter}: expected a code cell with {last!r}")
    found: dict = {"__name__": "__main__"}
    not_yet = mock.patch.object(records, "recorded", lambda name: NotYet(name, (), {}))
    with not_yet, contextlib.redirect_stdout(io.StringIO()):
        for cell in cells[: end + 1]:
            exec("#" + cell, found)
    return found


def rounded(values: torch.Tensor) -> list[float]:
    """Return numbers with five digits, one a seed."""
    return [float(f"{value:.5g}") for value in values.tolist()]


def mixtures() -> dict[str, list[float]]:
    """Chapter 00: nats above the truth on held-out points, of mixtures of 16 and of 64."""
    there = variables("00_start_here", "grid = torch.tensor", {"for seed in range(5)": f"for seed in {SEEDS}"})
    return {"16 bells": rounded(there["sixteen"][:, 1]), "64 bells": rounded(there["grid"][4, :, 1])}


def bumps() -> dict[str, list[float]]:
    """Chapter 09: nats between fakes and data after training."""
    seed = "manual_seed(1)  # of random numbers"
    there = variables("09_gan_game", "ends, dips =", {seed: seed.replace("1", str(SEEDS[0]), 1)})
    return {"divergence": rounded(there["off_after"])}


def critics() -> dict[str, list[float]]:
    """Chapter 09b: the share of W₁ that critics with penalty report: fresh after 400 updates, fast WGAN at turn 40."""
    weight = "gp_weight=10.0, device"
    there = variables("09b_divergences", "fast_marks = ", {weight: f"gp_weight=10.0, seed={SEEDS[0]}, device"})
    return {"fresh": rounded(there["fresh"][3]), "fast generator": rounded(there["fast"][4])}


def rings() -> dict[str, list[float]]:
    """Chapter 10: nats between fakes and the ring after 800 steps at equal rates."""
    found = []
    for seed in SEEDS:
        scene = Scene(preset("ring of eight"), Treatment(d_rate=1e-3), seed=seed)
        for _ in range(16):
            scene.train(50)
        found.append(judge(scene)[1])
    return {"divergence": rounded(torch.tensor(found))}


def main() -> None:
    """Train all of them and write the record: about three minutes on one core."""
    torch.set_num_threads(1)
    values = {
        "00_start_here": mixtures(),
        "09_gan_game": bumps(),
        "09b_divergences": critics(),
        "10_gan_dynamics": rings(),
    }
    records.write_record(
        "live_values", "what chapters 00, 09, 09b and 10 train live, from five other starts", SEEDS, values
    )


if __name__ == "__main__":
    main()
