"""Record ``ring.json``: which cure covers the ring of eight Gaussians, five seeds as one tensor.

``python benchmarks/ring.py`` trains every arm, ``python benchmarks/ring.py plain R1`` these alone and keeps the others.
"""

import json
import sys

import torch

from course_lib.records import RESULTS, write_record
from course_lib.ring import Cure, Game, centres, draw_ring, modes_and_quality, play, players

SEEDS, STEPS, EVERY, SAMPLES, FIRST = 5, 4000, 250, 2500, 100

ARMS = {
    "plain": Cure(),
    "fast D": Cure(d_rate=1e-3),
    "fast D, noise": Cure(d_rate=1e-3, noise=0.5),
    "R1": Cure(r1_weight=0.1),
    "gradient penalty": Cure(gp_weight=1.0),
    "optimism": Cure(optimistic=True),
    "noise": Cure(noise=0.5),
}


def train(cure: Cure) -> dict:
    """Return at every look each seed's modes, quality, median distance to a mode; and the first seed's last fakes."""
    generator = torch.Generator().manual_seed(0)
    game = Game(players(SEEDS, generator), cure)
    found: dict[str, list] = {"steps": [], "modes": [], "quality": [], "distance": []}
    fakes = torch.empty(0)
    for step in play(game, draw_ring, STEPS, generator):
        if step == FIRST or step % EVERY == 0:
            fakes = game.players.sample(SAMPLES, torch.Generator().manual_seed(step))
            modes, quality = modes_and_quality(fakes)
            distance = torch.cdist(fakes, centres()).amin(-1).median(1).values
            found["steps"].append(step)
            found["modes"].append(modes.tolist())
            found["quality"].append([round(q, 4) for q in quality.tolist()])
            found["distance"].append([round(d, 4) for d in distance.tolist()])
    found["fakes"] = [[round(x, 2) for x in point] for point in fakes[0, :250].tolist()]
    return found


def main() -> None:
    """Train the arms that are named, or all, and write the record."""
    torch.set_num_threads(1)
    path = RESULTS / "ring.json"
    values = json.loads(path.read_text(encoding="utf-8"))["values"] if sys.argv[1:] and path.is_file() else {}
    for name in sys.argv[1:] or ARMS:
        values[name] = train(ARMS[name])
        kept = {arm: values[arm] for arm in ARMS if arm in values}
        what = f"modes of the ring of eight Gaussians that each arm covers, {STEPS} steps"
        print(write_record("ring", what, range(SEEDS), kept), name, kept[name]["modes"][-1], flush=True)


if __name__ == "__main__":
    main()
