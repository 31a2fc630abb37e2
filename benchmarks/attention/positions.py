"""Record chapter 03's task over five seeds: the symbol three back, trained on 32 positions and read at 256."""

import math

import torch

from course_lib.chapters.ch03_positions_and_cost.three_back import (
    BACK,
    READ,
    SCHEMES,
    TRAINED,
    accuracy,
    shares,
    train,
)
from course_lib.classroom.records import write_record

SEEDS = range(5)
STEP = 8  # positions that share a point of the curves


def curve(right: torch.Tensor) -> list[float]:
    """Return the means over blocks of 8 positions; the first block lacks positions 0, 1 and 2."""
    blocks = [right[:5], *right[5:].split(STEP)]
    return [round(block.mean().item(), 3) for block in blocks]


def controls() -> dict[str, tuple[int, torch.Tensor]]:
    """Return what could explain the window's success: arm → window, and what is added to the scores by distance.

    untrained: 32 keys as in the window, but 16 of them at distances of 32 to 182; crowded: the window's keys, where
    each but the right one counts eight times, so that it competes with as many as there are without a window.
    """
    untrained = torch.full((READ,), -torch.inf)
    untrained[: TRAINED // 2] = 0.0
    untrained[TRAINED : TRAINED + 10 * TRAINED // 2 : 10] = 0.0
    crowded = torch.full((READ,), math.log(READ / TRAINED))
    crowded[BACK] = 0.0
    return {"untrained": (READ, untrained), "crowded": (TRAINED, crowded)}


def main() -> None:
    """Train every scheme with two heads and with eight; read it with everything before in sight, then the last 32.

    Rotary with two heads is read with the controls as well.
    """
    torch.set_num_threads(1)
    values: dict = {}
    for heads, name in ((2, "two heads"), (8, "eight heads")):
        values[name] = {}
        for scheme in SCHEMES:
            models = [train(scheme, seed, heads) for seed in SEEDS]
            ways: dict = {"all": (READ, None), "window": (TRAINED, None)}
            for seen, (window, extra) in (ways | (controls() if (scheme, heads) == ("rotary", 2) else {})).items():
                found = [accuracy(model, window, extra) for model in models]
                parts = [shares(right) for right in found]
                arm = {part: [round(p[part], 4) for p in parts] for part in parts[0]}
                if heads == 2:
                    arm["curves"] = [curve(right) for right in found]
                values[name].setdefault(scheme, {})[seen] = arm
    what = "share of right answers, symbol three back, one layer, trained on 32 positions for 400 steps, read at 256"
    print(write_record("positions", what, SEEDS, values))


if __name__ == "__main__":
    main()
