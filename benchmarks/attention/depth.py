"""Record how twelve blocks train with norms before or after the layers, and whether they keep positions apart.

After 120 steps at one rate: the loss, and the mean cosine between two positions of a sequence behind the last block, at
the start and at the end. Controls: norms after with a rate that rises slowly, with four blocks, and with twelve whose
layers begin small (GPT-2's factor, 1/√24), which keeps the positions apart at the start; norms before with the same;
both with small layers and one vector added to all positions, which makes them alike again; and, under "slow", norms
after at a lower rate for 600 steps, with the first three seeds.
"""

from concurrent.futures import ProcessPoolExecutor

import torch
from torch import Tensor

from course_lib.attention.transformer import TransformerConfig, pre_norm_block
from course_lib.chapters.ch04_transformer import trainings
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare

SEEDS, STEPS, RATE = range(5), 120, 1e-3
SLOW_SEEDS, SLOW_STEPS, SLOW_RATE = range(3), 600, 3e-4
COMMON = 0.8  # standard deviation of the vector that makes positions alike; the tables have 0.1


def post_norm_block(x: Tensor, norm_1, attention, norm_2, feed_forward) -> Tensor:
    """The arrangement of Vaswani et al. 2017."""
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


ARMS = {  # name → arrangement, blocks, factor of what leaves a layer, schedule; "alike": with the common vector
    "norm before": (pre_norm_block, 12, 1.0, trainings.constant),
    "norm after": (post_norm_block, 12, 1.0, trainings.constant),
    "norm after, slow start": (post_norm_block, 12, 1.0, trainings.slow_start),
    "norm after, small layers": (post_norm_block, 12, 24**-0.5, trainings.constant),
    "norm before, small layers": (pre_norm_block, 12, 24**-0.5, trainings.constant),
    "norm after, four blocks": (post_norm_block, 4, 1.0, trainings.constant),
    "norm after, small layers, alike": (post_norm_block, 12, 24**-0.5, trainings.constant),
    "norm before, small layers, alike": (pre_norm_block, 12, 24**-0.5, trainings.constant),
}


def train(arm: str, seed: int, steps: int = STEPS, rate: float = RATE) -> tuple[list[float], list[float]]:
    """Return the loss, means over ten steps each, and the cosine between positions before and after."""
    torch.set_num_threads(1)
    arrangement, n_layers, outward, schedule = ARMS[arm]
    text = load_shakespeare(test=True)
    model = trainings.arranged(TransformerConfig(65, context_length=32, n_layers=n_layers, d_model=64), arrangement)
    trainings.start_level(model, seed, outward)
    if arm.endswith("alike"):
        common = COMMON * torch.randn(64, generator=torch.Generator().manual_seed(1000 + seed))
        with torch.no_grad():
            model.positions.table.add_(common)  # every position carries it
    windows = text.validation[: 64 * 32].view(64, 32)

    def cosine() -> float:
        return round(trainings.cosine_between_positions(trainings.stream_of(model, windows)), 4)

    before = cosine()
    losses = trainings.train_on_text(model, text.train, seed, steps, rate, schedule)
    print(arm, seed, losses[-1], before, cosine(), flush=True)
    return [round(loss, 4) for loss in losses], [before, cosine()]


def main() -> None:
    """Train every arm on every seed, two at a time, and write the record."""
    with ProcessPoolExecutor(2) as pool:
        jobs = {arm: [pool.submit(train, arm, seed) for seed in SEEDS] for arm in ARMS}
        slow = [pool.submit(train, "norm after", seed, SLOW_STEPS, SLOW_RATE) for seed in SLOW_SEEDS]
        found = {arm: [job.result() for job in waiting] for arm, waiting in jobs.items()}
        slow = [job.result() for job in slow]
    values = {
        "steps": list(range(10, STEPS + 1, 10)),
        "curves": {arm: [losses for losses, _ in runs] for arm, runs in found.items()},
        "cosine": {arm: [cosines for _, cosines in runs] for arm, runs in found.items()},
        "slow": {"loss": [losses[-1] for losses, _ in slow], "cosine": [cosines for _, cosines in slow]},
    }
    what = f"training loss in nats and cosine between positions of deep stacks, {STEPS} steps, norms before or after"
    print(write_record("depth", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
