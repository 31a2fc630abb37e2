"""Record ``recipe.json``: the six-step recipe and its variants on a ring of eight wide Gaussians, 20 seeds at once.

The number is the divergence between real points and fakes, counted on squares, as a mean over ten looks in the second
half of training. All arms start from the same networks and take 1,000 steps of the generator. An arm that differs in
two things from the six steps, as k = 5 does, differs in one from the arm ``fresh noise``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.chapters.ch10_gan_dynamics.scene import histogram_js, preset
from course_lib.classroom.records import write_record
from course_lib.gan.losses import discriminator_loss, minimax_generator_loss, nonsaturating_generator_loss
from course_lib.gan.ring import Players, make_players

SEEDS, STEPS, BATCH, RATE = 20, 1000, 256, 1e-3


@dataclass(frozen=True)
class Arm:
    """One way to take turns; the defaults are the recipe's."""

    turns: int = 1  # k: of the discriminator, for one of the generator
    fresh: bool = False  # new noise for the generator's turn
    at_once: bool = False  # both gradients before either update
    detach: bool = True
    clear: bool = True  # G's gradients before its turn: what the discriminator's turn left there
    loss: Callable[[Tensor], Tensor] = nonsaturating_generator_loss


ARMS = {
    "six steps": Arm(),
    "fresh noise": Arm(fresh=True),
    "at once": Arm(at_once=True),
    "k = 5": Arm(turns=5, fresh=True),
    "saturating": Arm(fresh=True, loss=minimax_generator_loss),
    "no detach, cleared": Arm(detach=False),
    "no detach, not cleared": Arm(detach=False, clear=False),
    "saturating, not cleared": Arm(fresh=True, detach=False, clear=False, loss=minimax_generator_loss),
}


def train(arm: Arm, points: Tensor) -> tuple[list[float], Players]:
    """Return each seed's mean divergence in the second half, and the networks."""
    generator = torch.Generator().manual_seed(0)
    both = make_players(SEEDS, generator, latent=2, hidden=64)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.5, 0.999)) for net in (both.generator, both.discriminator)
    )
    z = torch.randn(SEEDS, 1000, 2, generator=generator)

    def real() -> Tensor:
        return points[torch.randint(len(points), (SEEDS * BATCH,), generator=generator)]

    def discriminator_turn(fake: Tensor) -> None:
        d_optimizer.zero_grad()
        loss = discriminator_loss(both.logits(real()), both.logits(fake.detach() if arm.detach else fake))
        (SEEDS * loss).backward(retain_graph=True)

    def generator_turn(fake: Tensor) -> None:
        if arm.clear:
            g_optimizer.zero_grad()
        (SEEDS * arm.loss(both.logits(fake))).backward()

    looks = []
    for step in range(1, STEPS + 1):
        for _ in range(arm.turns):
            fake = both.fake(BATCH, generator).flatten(0, 1)
            discriminator_turn(fake)
            if not arm.at_once:
                d_optimizer.step()
        kept = [p.grad.clone() for p in both.discriminator.parameters()] if arm.at_once else []
        generator_turn(both.fake(BATCH, generator).flatten(0, 1) if arm.fresh else fake)
        for p, gradient in zip(both.discriminator.parameters(), kept, strict=False):
            p.grad = gradient
        if arm.at_once:
            d_optimizer.step()
        g_optimizer.step()
        if not arm.clear:
            g_optimizer.zero_grad()
        if step > STEPS // 2 and step % (STEPS // 20) == 0:
            with torch.no_grad():
                looks.append([histogram_js(points, fakes) for fakes in both.generator(z)])
    return torch.tensor(looks).mean(0).tolist(), both


def main() -> None:
    """Train every arm and write the record."""
    torch.set_num_threads(1)
    points = preset("ring of eight")
    values = {name: [round(js, 4) for js in train(arm, points)[0]] for name, arm in ARMS.items()}
    halves = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(0))].chunk(2)
    values["real against real"] = [round(histogram_js(halves[0], halves[1]), 4)]
    what = "divergence (nats) of the recipe's variants on the wide ring, second half of 1,000 steps"
    print(write_record("recipe", what, range(SEEDS), values))


if __name__ == "__main__":
    main()
