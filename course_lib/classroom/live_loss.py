"""A loss curve that is drawn while a model trains."""

import math
import uuid

from course_lib.classroom import figures
from course_lib.training import runtime
from course_lib.training.history import History


class LossPlot:
    """A loss curve that grows while a model trains: ``fit(on_interval=LossPlot(…))``; silent outside a notebook.

    A picture in place of the one before, with words beside it, so that a notebook without a kernel shows the last one.
    baselines: name → bits, drawn as levels, at least one; steps: right end of the axis. The ‘loss’ is in nats.
    """

    def __init__(self, baselines: dict[str, float], steps: int) -> None:
        self._figure, ((self._ax,),) = figures.new(width=9.5, height=3.4)
        (self._line,) = self._ax.plot([], [], color=figures.ORANGE, linewidth=1.8)
        for name, bits in baselines.items():
            figures.level(self._ax, bits, f"{name} {bits:.2f}")
        low, high = min(baselines.values()), max(baselines.values())
        self._ax.set(
            xlim=(0, steps), ylim=(0.75 * low, max(5, 1.05 * high)), xlabel="training step", ylabel="bits per character"
        )
        levels = ", ".join(f"{name} {bits:.2f}" for name, bits in baselines.items())
        self._alt = f"Training loss in bits per character over {steps:,} steps, beside the levels of {levels}."
        self._place, self._is_there = uuid.uuid4().hex, False

    def frame(self, history: History) -> bytes:
        """Return the picture of a history as PNG."""
        seen = [row for row in history.intervals if "loss" in row.values]
        bits = [row.values["loss"] / math.log(2) for row in seen]
        self._line.set_data([row.step for row in seen], bits)
        now = f": {bits[-1]:.2f} bits" if bits else ""
        figures.title(self._ax, f"Training, step {history.step:,}{now}")
        return figures.png(self._figure)

    def __call__(self, history: History) -> None:
        """Show the history, or put it in place of the picture that is there."""
        if not runtime.in_notebook():
            return
        from IPython.display import display

        bundle = {"image/png": self.frame(history), "text/plain": self._alt}
        metadata = {"image/png": {"alt": self._alt}}
        display(bundle, raw=True, metadata=metadata, display_id=self._place, update=self._is_there)
        self._is_there = True
