"""An explorer of chapter 10: a GAN of the plane that trains while one watches.

Its picture is a persistent figure whose moving artists are drawn over a stored background; ``frame`` is a pure
function of the view.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import torch
from contourpy import contour_generator
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

from course_lib.chapters.ch10_gan_dynamics.scene import CELLS, EXTENT, PRESETS, Scene, View, preset
from course_lib.classroom import figures
from course_lib.classroom.explorers import Blitted, Explorer, control

# D's belief: its two ends differ in lightness, too, or a page without colour would not tell them apart
BELIEF = LinearSegmentedColormap.from_list("belief", ["#FAE6D6", "#F2F2F2", figures.BLUE])


class ScenePicture(Blitted):
    """Discriminator, data, fakes with the pull on each, the generator's grid (left); the divergence (right)."""

    def __init__(self, steps: int = 3000) -> None:
        figure, ((scene, curve),) = figures.new(1, 2, height=4.4, width_ratios=(1.05, 1))
        self._belief = scene.imshow(
            np.zeros((CELLS, CELLS)), cmap=BELIEF, vmin=0, vmax=1.3, origin="lower",
            extent=(-EXTENT, EXTENT) * 2, interpolation="nearest",
        )  # fmt: skip
        self._half = LineCollection([], colors=figures.INK, linewidths=1.6)
        self._grid = LineCollection([], colors=figures.ORANGE, linewidths=0.7, alpha=0.8)
        for lines in (self._half, self._grid):
            scene.add_collection(lines, autolim=False)
        self._real = scene.scatter([], [], s=16, color=figures.BLUE, marker="o", linewidths=0.4, edgecolors="white")
        nothing = np.zeros(1)
        self._pull = scene.quiver(
            nothing, nothing, nothing, nothing, color=figures.INK, width=0.004, angles="uv", scale_units="xy", scale=1
        )
        self._fake = scene.scatter([], [], s=20, color=figures.ORANGE, marker="^", linewidths=0.4, edgecolors="white")
        scene.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT), aspect="equal")
        scene.set_xlabel("● real  ▲ fake  → its pull\nD says: dark blue real, pale orange fake, line ½", fontsize=9.5)
        (self._js,) = curve.plot([], [], color=figures.BERRY, linewidth=1.8)
        (self._found,) = curve.plot([], [], color=figures.INK, linewidth=1, linestyle=":")
        (self._floor,) = curve.plot([0, steps], [0, 0], color=figures.MUTE, linewidth=1.2, linestyle="--")
        figures.level(curve, float(np.log(2)), "ln 2: nothing in common")
        curve.set(xlim=(0, steps), ylim=(-0.17, 0.78), xlabel="step", ylabel="Jensen–Shannon divergence (nats)")
        curve.text(0.02, 0.02, "— counted on squares   ··· ln 2 − half of D’s loss   – – real against real",
                   transform=curve.transAxes, fontsize=8.5, color=figures.INK)  # fmt: skip
        self._titles = [ax.set_title("one", loc="left", fontsize=11, color=figures.INK) for ax in (scene, curve)]
        below = [self._belief, self._half, self._grid, self._real, self._pull, self._fake]
        super().__init__(figure, [*below, self._js, self._found, self._floor, *self._titles])

    def frame(self, view: View) -> bytes:
        """Return the picture of a view as PNG."""
        belief = figures.values(view.belief)
        self._belief.set_data(belief)
        ticks = np.linspace(-EXTENT, EXTENT, CELLS)
        half: Any = contour_generator(ticks, ticks, belief).lines(0.5)
        self._half.set_segments(half)
        self._grid.set_segments(list(figures.values(view.grid)))
        for dots, places in ((self._real, view.real), (self._fake, view.fake), (self._pull, view.fake)):
            dots.set_offsets(figures.values(places))
        length = view.arrows.norm(dim=1, keepdim=True)
        arrows = view.arrows / length.clamp(min=1e-9) * torch.tanh(2 * length) * 0.5  # at most half a unit long
        self._pull.N = len(view.fake)
        self._pull.set_UVC(*figures.values(arrows).T)
        self._js.set_data(view.steps, view.js)
        self._found.set_data(view.steps, view.found)
        self._floor.set_ydata([view.floor, view.floor])
        self._titles[0].set_text(
            f"Step {view.steps[-1]:,}: D believes {view.belief.min():.2f} to {view.belief.max():.2f}"
        )
        self._titles[1].set_text(f"Divergence {view.js[-1]:.2f} nats, real against real {view.floor:.2f}")
        return self.png()


class GanExplorer(Explorer):
    """Train a GAN of the plane and watch: ten steps a tick, one when slow, or one turn of either player.

    own: points (n, 2) of yours, a choice beside the presets; snapshots: name → what ``Scene.snapshot`` gave;
    device: where the networks play.
    """

    def __init__(
        self,
        data: str = "two islands",
        own: Tensor | None = None,
        snapshots: Mapping[str, dict] | None = None,
        steps: int = 3000,
        shown: str = "",
        alt: str = "",
        device: torch.device | str = "cpu",
    ) -> None:
        self._own, self._steps, self._snapshots, self._device = own, steps, dict(snapshots or {}), device
        self._picture = ScenePicture(steps)
        choices = [*PRESETS, *([] if own is None else ["your points"])]
        self.data = ipywidgets.Dropdown(options=choices, value=data, description="data")
        self.play = ipywidgets.Play(min=0, max=steps, step=1, interval=150, description="train")
        self.slow = ipywidgets.ToggleButton(value=False, description="slow", tooltip="one step a tick")
        rate = partial(control, ipywidgets.FloatLogSlider, base=10, min=-4.5, max=-2, step=0.1)
        self.gamma = control(ipywidgets.FloatSlider, "R1 penalty γ", 0.0, min=0, max=2, step=0.05)
        self.g_rate, self.d_rate = rate("rate of G", 1e-3), rate("rate of D", 1e-3)
        self.snapshot = ipywidgets.Dropdown(options=["", *self._snapshots], value="", description="snapshot")
        actions = {"D turn": self._d_turn, "G turn": self._g_turn, "reset": self.reset, "keep": self.keep}
        self.buttons = {name: ipywidgets.Button(description=name) for name in actions}
        for name, button in self.buttons.items():
            button.on_click(partial(self.safely, actions[name]))
        self.scene = Scene(self._points(), device=self._device)
        if shown:
            self._go_back(shown)
        rows = [[self.data, self.play, self.slow], [*self.buttons.values()], [self.gamma, self.g_rate, self.d_rate]]
        alt = alt or "A GAN of the plane: discriminator, real and fake points, the pull on each fake, the divergence."
        super().__init__([*rows, [self.snapshot]], alt, (950, 440))
        for widget, action in ((self.play, self._tick), (self.data, self.reset), (self.snapshot, self._restore)):
            self.on_change(widget, action)

    def _points(self) -> Tensor:
        if self.data.value == "your points" and self._own is not None:
            return self._own
        return preset(self.data.value)

    def state(self) -> View:
        """Return what there is to see of the scene now."""
        return self.scene.look()

    def _set(self) -> None:
        self.scene.set(r1_weight=self.gamma.value, g_rate=self.g_rate.value, d_rate=self.d_rate.value)

    def _tick(self) -> None:
        """Train a slice; a tick that arrives behind the last step says so."""
        left = self._steps - self.scene.step
        if left <= 0:
            raise ValueError(f"{self._steps:,} steps are done: reset, or choose a snapshot, and go on from there")
        self._set()
        self.scene.train(min(left, 1 if self.slow.value else 10))
        self.redraw()

    def _d_turn(self) -> None:
        self._set()
        self.scene.discriminator_turn()
        self.redraw()

    def _g_turn(self) -> None:
        self._set()
        self.scene.generator_turn()
        self.scene.train(0)  # measures
        self.redraw()

    def reset(self) -> None:
        """Start again with untrained networks on the chosen data."""
        self.scene = Scene(self._points(), device=self._device)
        self.redraw()

    def keep(self) -> None:
        """Keep the present state among the snapshots, under its data and step."""
        name = f"{self.data.value}, step {self.scene.step:,}"
        self._snapshots[name] = self.scene.snapshot()
        self.snapshot.options = ["", *self._snapshots]
        self.say(f"kept as ‘{name}’")

    def _go_back(self, name: str) -> None:
        self.scene.restore(self._snapshots[name])
        now = self.scene.game.treatment
        self.gamma.value, self.g_rate.value, self.d_rate.value = now.r1_weight, now.g_rate, now.d_rate

    def _restore(self) -> None:
        if self.snapshot.value:
            self._go_back(self.snapshot.value)
            self.redraw()

    def use(self, points: Tensor) -> None:
        """Train on points (n, 2) of yours from here on; what is wrong with them is said in the status line."""
        self.safely(partial(self._use, points))

    def _use(self, points: Tensor) -> None:
        self._own = torch.as_tensor(points)
        self.data.options = [*PRESETS, "your points"]
        self.data.value = "your points"
        self.reset()
