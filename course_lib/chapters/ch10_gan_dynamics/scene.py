"""A GAN of the plane that can be watched: turns one by one, what each player sees, how far apart real and fake are."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.datasets.plane import fireflies, standardise
from course_lib.datasets.ring import RADIUS, centres
from course_lib.gan.ring import Game, Treatment, make_players
from course_lib.information.divergences import entropy
from course_lib.training.transfer import to_device

EXTENT = 3.0  # the scene is the square from −3 to 3
SHOWN = 150  # fakes that are drawn
CELLS = 40  # of the discriminator's picture, along an axis


def _ring(n: int, generator: torch.Generator) -> Tensor:
    return centres()[torch.randint(8, (n,), generator=generator)] + 0.1 * torch.randn(n, 2, generator=generator)


def _islands(n: int, generator: torch.Generator) -> Tensor:
    side = torch.randint(2, (n, 1), generator=generator) * 2 - 1
    return side * torch.tensor([1.5, 0.6]) + 0.25 * torch.randn(n, 2, generator=generator)


def _circle(n: int, generator: torch.Generator) -> Tensor:
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    return RADIUS * torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2, generator=generator)


def _spiral(n: int, generator: torch.Generator) -> Tensor:
    return standardise(fireflies(n)).float()


PRESETS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "two islands": _islands,
    "ring of eight": _ring,
    "circle": _circle,
    "spiral": _spiral,
}


def preset(name: str, n: int = 2000, seed: int = 0) -> Float[Tensor, "n 2"]:
    """Return n points of a data set in PRESETS; ValueError for another name."""
    if name not in PRESETS:
        raise ValueError(f"name: expected one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name](n, torch.Generator().manual_seed(seed))


def histogram_js(a: Float[Tensor, "n 2"], b: Float[Tensor, "m 2"], cells: int = 16) -> float:
    """Return the Jensen–Shannon divergence in nats between two clouds, counted on cells × cells squares of the scene.

    Between 0 and ln 2. Two samples of the same distribution are not at 0: compare with real against real. Points
    outside the scene count in the square nearest to them.
    """

    def share(points: Tensor) -> Tensor:
        at = ((points + EXTENT) / (2 * EXTENT) * cells).long().clamp(0, cells - 1)
        return torch.bincount(at[:, 0] * cells + at[:, 1], minlength=cells**2).double() / len(points)

    p, q = share(a), share(b)
    return (entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2).item()


@dataclass(frozen=True)
class View:
    """All that a picture of the scene shows.

    real, fake (n, 2); arrows (n, 2): minus the gradient of the generator's loss by each fake; belief (cells, cells): D
    on the square, x₂ along the first axis; grid (lines, points, 2): where the generator puts straight lines of noise;
    steps, js, found: the steps at which the scene was measured, the divergence there, and ½(ln 4 − D's loss), what the
    discriminator finds of it; floor: the divergence of real against real.
    """

    real: Tensor
    fake: Tensor
    arrows: Tensor
    belief: Tensor
    grid: Tensor
    floor: float
    steps: list[int] = field(default_factory=list)
    js: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)


class Scene:
    """A game on given points (n, 2): noise of two numbers, 64 hidden units, batches of 256.

    The networks play on the device; points and whatever is looked at stay on the CPU, as do the draws.
    ValueError for points that are not (n, 2), fewer than 16, not finite or out of the square from −3 to 3.
    """

    def __init__(
        self,
        points: Tensor,
        treatment: Treatment | None = None,
        seed: int = 0,
        hidden: int = 64,
        device: torch.device | str = "cpu",
    ) -> None:
        points = torch.as_tensor(points).detach().float().cpu()
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 16:
            raise ValueError(f"points: expected at least 16 rows of two numbers, got {tuple(points.shape)}")
        if not (points.abs() <= EXTENT).all():
            raise ValueError(f"points: expected finite numbers from −{EXTENT:g} to {EXTENT:g}")
        self.points, self._generator = points, torch.Generator().manual_seed(seed)
        treatment = treatment or Treatment(d_rate=1e-3)
        self.game = Game(make_players(1, self._generator, latent=2, hidden=hidden, device=device), treatment)
        self._z = torch.randn(1, 1000, 2, generator=self._generator).to(device)
        one, other = points[torch.randperm(len(points), generator=self._generator)].chunk(2)
        self.floor = histogram_js(one, other)
        self.step = 0
        self._loss = torch.tensor(2 * math.log(2), dtype=torch.float64)  # the discriminator's last
        self._measured: list[tuple[int, float, float]] = []
        self._measure()

    def set(self, **changes: Any) -> None:
        """Change the rates or the weights of penalties from here on: names of ``Treatment``."""
        self.game.treatment = replace(self.game.treatment, **changes)
        for optimizer, rate in ((self.game.g_optimizer, "g_rate"), (self.game.d_optimizer, "d_rate")):
            for group in optimizer.param_groups:
                group["lr"] = getattr(self.game.treatment, rate)

    def discriminator_turn(self) -> None:
        """Draw a batch and let the discriminator take one step."""
        chosen = torch.randint(len(self.points), (256,), generator=self._generator)
        fake = self.game.players.sample(256, self._generator)
        mixing = self.game.draw_mixing(256, self._generator)
        real, *mixing = to_device(self.game.players.device, self.points[chosen][None], *mixing)
        self._loss = self.game.discriminator_turn(real, fake, *mixing)

    def generator_turn(self) -> None:
        """Draw noise and let the generator take one step; counts as the end of a step of training."""
        self.game.generator_turn(self.game.players.fake(256, self._generator))
        self.step += 1

    def train(self, steps: int) -> None:
        """Take steps of training, D then G, and measure at the end."""
        for _ in range(steps):
            self.discriminator_turn()
            self.generator_turn()
        self._measure()

    @torch.no_grad()
    def _measure(self) -> None:
        js = histogram_js(self.points, self.game.players.generator(self._z)[0].cpu())
        self._measured.append((self.step, js, math.log(2) - self._loss.item() / 2))

    def look(self) -> View:
        """Return what there is to see now; changes nothing."""
        networks = self.game.players
        fake = networks.generator(self._z[:, :SHOWN]).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(torch.nn.functional.softplus(-networks.discriminator(fake)).sum(), fake)
        ticks = torch.linspace(-EXTENT, EXTENT, CELLS)
        square = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1).view(1, -1, 2)
        along, across = torch.linspace(-2, 2, 25), torch.linspace(-2, 2, 9)
        lines = torch.stack(torch.meshgrid(across, along, indexing="ij"), -1)  # (9, 25, 2)
        with torch.no_grad():
            belief = networks.discriminator(square.to(fake.device)).sigmoid().view(CELLS, CELLS).cpu()
            lines = torch.cat([lines, lines.flip(-1)]).view(1, -1, 2).to(fake.device)
            grid = networks.generator(lines).view(18, 25, 2).cpu()
        steps, js, found = map(list, zip(*self._measured, strict=True))
        fakes, arrows = fake[0].detach().cpu(), -gradient[0].cpu()
        return View(self.points[:SHOWN], fakes, arrows, belief, grid, self.floor, steps, js, found)

    def snapshot(self) -> dict[str, Any]:
        """Return everything that ``restore`` needs, as copies."""
        return copy.deepcopy(
            {
                "points": self.points,
                "treatment": self.game.treatment,
                "networks": [p.state_dict() for p in (self.game.players.generator, self.game.players.discriminator)],
                "optimizers": [o.state_dict() for o in (self.game.g_optimizer, self.game.d_optimizer)],
                "random": self._generator.get_state(),
                "written": (self.step, self._loss, self.floor, self._measured),
            }
        )

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot: the steps that follow are the same again."""
        kept = copy.deepcopy(snapshot)
        self.points, self.game.treatment = kept["points"], kept["treatment"]
        networks = (self.game.players.generator, self.game.players.discriminator)
        for network, state in zip(networks, kept["networks"], strict=True):
            network.load_state_dict(state)
        for optimizer, state in zip((self.game.g_optimizer, self.game.d_optimizer), kept["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self._generator.set_state(kept["random"])
        self.step, self._loss, self.floor, self._measured = kept["written"]


COLLAPSING = Treatment(g_rate=3e-3)  # a generator thirty times as fast as its discriminator


def judge(scene: Scene) -> tuple[int, float]:
    """Return how many of the ring's modes hold 1 % of 2,000 fakes within 0.3, and the divergence from the points."""
    fakes = scene.game.players.sample(2000, torch.Generator().manual_seed(1))[0].cpu()
    share = (torch.cdist(fakes, centres()) < 0.3).double().mean(0)
    return int((share >= 0.01).sum()), histogram_js(scene.points, fakes)
