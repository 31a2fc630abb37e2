"""Record ``ring.json``: which treatment covers the ring of eight Gaussians, five seeds as one tensor.

``python -m benchmarks.gan.ring`` trains every arm, with names behind it, ``plain R1``, these alone, and keeps the
others.
"""

import json
import sys

import torch

from course_lib.classroom.records import write_record
from course_lib.datasets.ring import centres, draw_ring, modes_and_quality
from course_lib.gan.ring import Game, Treatment, make_players, play
from course_lib.paths import RESULTS
from course_lib.training.moving_average import moving_average

SEEDS, STEPS, EVERY, SAMPLES, FIRST, DECAY = 5, 5000, 250, 2500, 100, 0.995

ARMS = {
    "plain": Treatment(),
    "R1": Treatment(r1_weight=0.1),
    "gradient penalty": Treatment(gp_weight=1.0),
    "optimism": Treatment(optimistic=True),
    "noise": Treatment(noise=0.8),
    "fast D": Treatment(d_rate=2e-3),
    "fast D, noise": Treatment(d_rate=2e-3, noise=0.8),
}


def judge(fakes: torch.Tensor) -> dict[str, list[float]]:
    """Return each seed's modes, quality and median distance to a mode."""
    modes, quality = modes_and_quality(fakes)
    distance = torch.cdist(fakes, centres()).amin(-1).median(1).values
    rounded = {"quality": quality, "distance": distance}
    return {"modes": modes.tolist()} | {k: [round(x, 4) for x in v.tolist()] for k, v in rounded.items()}


def train(treatment: Treatment) -> dict:
    """Return what was found at every look, of generators and of their moving averages, and one seed's last fakes."""
    generator = torch.Generator().manual_seed(0)
    game = Game(make_players(SEEDS, generator), treatment)
    average = moving_average(game.players.generator, DECAY)
    found: dict[str, list] = {"steps": [], "now": [], "average": [], "fakes": []}
    for step in play(game, draw_ring, STEPS, generator):
        average.update_parameters(game.players.generator)
        if step == FIRST or step % EVERY == 0:
            z = torch.randn(SEEDS, SAMPLES, game.players.latent, generator=torch.Generator().manual_seed(step))
            with torch.no_grad():
                now, averaged = game.players.generator(z), average(z)
            found["steps"].append(step)
            found["now"].append(judge(now))
            found["average"].append(judge(averaged))
            found["fakes"] = [
                [[round(x, 2) for x in point] for point in fakes[0, :250].tolist()] for fakes in (now, averaged)
            ]
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
        print(
            write_record("ring", what, range(SEEDS), kept),
            name,
            kept[name]["now"][-1]["modes"],
            kept[name]["average"][-1]["modes"],
            flush=True,
        )


if __name__ == "__main__":
    main()
