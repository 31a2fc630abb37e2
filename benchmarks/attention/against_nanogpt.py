"""Train nanoGPT's CPU recipe and the course's for the same wall-clock minute, in turns, and compare the loss.

nanoGPT's model file is not part of the course; give its path. Its loop is written here as its train.py has it:
random batches by slicing, gradients clipped at 1, its optimizer with a cosine over the whole minute, so that its
rate has come down when the time is up (its own 2,000 steps would end later).
"""

import argparse
import contextlib
import importlib.util
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch

from benchmarks.attention import language_recipes as recipes
from course_lib.classroom.records import write_record
from course_lib.datasets.text import Text, load_shakespeare
from course_lib.evaluation.language import cross_entropy
from course_lib.training.optimizers import warmup_then_cosine

SEEDS = range(3)
PLACE = Path("nanogpt") / "model.py"


def nanogpt(path: Path) -> ModuleType | None:
    """Return nanoGPT's module, or None where the file is not there."""
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("nanogpt_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nanogpt_model"] = module
    spec.loader.exec_module(module)
    return module


class Peer:
    """nanoGPT's model with its loop's parts; sizes as in its README's example for a CPU unless given."""

    def __init__(
        self, module: ModuleType, text: Text, batch: int = 12, context: int = 64, bfloat16: bool = False
    ) -> None:
        sizes = {"block_size": context, "vocab_size": 65, "n_layer": 4, "n_head": 4, "n_embd": 128, "dropout": 0.0}
        with contextlib.redirect_stdout(io.StringIO()):
            self.model = module.GPT(module.GPTConfig(bias=False, **sizes))
            self.optimizer = self.model.configure_optimizers(0.1, 1e-3, (0.9, 0.99), "cpu")
        self.data, self.batch, self.context, self.bfloat16 = text.train, batch, context, bfloat16

    def step(self, factor: float = 1.0) -> None:
        """Draw a batch and update, as train.py does."""
        for group in self.optimizer.param_groups:
            group["lr"] = 1e-3 * factor
        starts = torch.randint(len(self.data) - self.context, (self.batch,))
        x = torch.stack([self.data[i : i + self.context] for i in starts])
        y = torch.stack([self.data[i + 1 : i + 1 + self.context] for i in starts])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            _, loss = self.model(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def loss(self, tokens: torch.Tensor) -> float:
        """Return the loss over windows of its context without overlap, in nats."""
        n = (len(tokens) - 1) // self.context
        x, y = (tokens[i : i + n * self.context].view(n, self.context) for i in (0, 1))
        parts = zip(x.split(256), y.split(256), strict=True)
        return sum(self.model(a, b)[1].item() * len(a) for a, b in parts) / n


def for_seconds(seconds: float, step: Callable[[float], None]) -> int:
    """Call step(share of the time gone) until the time is up; return how often."""
    started, steps = time.perf_counter(), 0
    while (share := (time.perf_counter() - started) / seconds) < 1:
        step(share)
        steps += 1
    return steps


def theirs(module: ModuleType, text: Text, seed: int, seconds: float) -> tuple[float, int]:
    """Return nanoGPT's validation loss after some seconds of training, and its steps."""
    torch.manual_seed(seed)
    peer = Peer(module, text)
    warmup = 100 / 2000  # of its 2,000 steps
    steps = for_seconds(seconds, lambda share: peer.step(warmup_then_cosine(share, warmup)))
    return peer.loss(text.validation), steps


def ours(text: Text, seed: int, seconds: float) -> tuple[float, int]:
    """Return the course's validation loss after some seconds of training, and its steps."""
    model, trained, step, batch = recipes.start(recipes.COURSE, text, seed)

    def scheduled(share: float) -> None:
        with trained.scaled_rates(recipes.COURSE.schedule(share)):
            step(batch(trained.generator))

    steps = for_seconds(seconds, scheduled)
    return cross_entropy(model, text.validation), steps


def main() -> None:
    """Run both in turns over the seeds and write the record."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--nanogpt", type=Path, default=PLACE, help="path of nanoGPT's model.py")
    arguments.add_argument("--seconds", type=float, default=60.0)
    chosen = arguments.parse_args()
    module, text = nanogpt(chosen.nanogpt), load_shakespeare()
    if module is None:
        print(
            f"nanoGPT's model.py was not found at {chosen.nanogpt}: nothing to compare with; --nanogpt gives its path"
        )
        return
    results: dict[str, list] = {"nanogpt": [], "ours": []}
    for seed in SEEDS:
        results["nanogpt"].append(theirs(module, text, seed, chosen.seconds))
        results["ours"].append(ours(text, seed, chosen.seconds))
        print(seed, {name: rows[-1] for name, rows in results.items()}, flush=True)
    values = {
        "seconds": chosen.seconds,
        **{name: [round(loss, 4) for loss, _ in rows] for name, rows in results.items()},
        "steps": {name: [steps for _, steps in rows] for name, rows in results.items()},
    }
    what = f"validation loss in nats after {chosen.seconds:.0f} s of wall-clock time, in turns with nanoGPT's recipe"
    print(write_record("against_nanogpt", what, SEEDS, values), values)


if __name__ == "__main__":
    main()
