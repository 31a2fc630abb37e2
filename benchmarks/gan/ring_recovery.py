"""Record ``recovery.json``: does a collapsed game on the wide ring recover, and is it the state or the rates?

The game collapses in 300 steps of a generator thirty times as fast as its discriminator. Then 800 steps with the
discriminator at 1e-3, from the collapsed state and from untrained networks of the same seed, with the generator at
3e-3 and at 1e-3 each: two states by two rates, six seeds, one after the other.
"""

import torch

from course_lib.chapters.ch10_gan_dynamics.scene import COLLAPSING, Scene, judge, preset
from course_lib.classroom.records import write_record

SEEDS = range(6)
ARMS = {
    "collapsed, 3e-3": (True, 3e-3),
    "fresh, 3e-3": (False, 3e-3),
    "collapsed, 1e-3": (True, 1e-3),
    "fresh, 1e-3": (False, 1e-3),
}


def main() -> None:
    """Play every game and write the record: modes covered and divergence, a list over the seeds."""
    torch.set_num_threads(1)
    points = preset("ring of eight")
    values: dict = {arm: {"modes": [], "js": []} for arm in ("before", *ARMS)}
    for seed in SEEDS:
        scene = Scene(points, COLLAPSING, seed=seed)
        scene.train(300)
        collapsed = scene.snapshot()
        games = {"before": scene}
        for arm, (is_collapsed, g_rate) in ARMS.items():
            games[arm] = Scene(points, seed=seed)
            if is_collapsed:
                games[arm].restore(collapsed)
            games[arm].set(g_rate=g_rate, d_rate=1e-3)
            games[arm].train(800)
        for arm, game in games.items():
            modes, js = judge(game)
            values[arm]["modes"].append(modes)
            values[arm]["js"].append(round(js, 4))
        what = "modes and divergence (nats) of collapsed and fresh games on the wide ring, 800 steps on"
        print(write_record("recovery", what, SEEDS[: seed + 1], values), flush=True)


if __name__ == "__main__":
    main()
