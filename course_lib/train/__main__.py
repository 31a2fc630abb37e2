"""Train as the chapters do, from a shell.

    python -m course_lib.train attention            chapter 02b: two layers of attention on Tiny Shakespeare
    python -m course_lib.train vae --budget full    chapter 07: a VAE of the digits, all of its steps
    python -m course_lib.train gan --out run        chapter 11: a GAN of the digits; checkpoint and figures go to run/
    python -m course_lib.train lm --out run --resume   chapter 05: a language model, from where it was stopped
    python -m course_lib.train lm --text mine.txt   the same on a UTF-8 text of your own
    python -m course_lib.train vae --images mine    on the pictures in a folder of your own

Ctrl-C stops after the current step; with --out, --resume goes on to the very weights of a run that was not stopped.

    torchrun --nproc_per_node=2 -m course_lib.train lm --out run

shares each batch between two processes, a GPU each where there are GPUs. Where one of them dies, --resume goes on, with
any number of processes that divides the batch.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_lib.datasets.own_images import load_images
from course_lib.datasets.text import load_text
from course_lib.train.images import gan_plan, vae_plan
from course_lib.train.language import attention_plan, lm_plan
from course_lib.train.plan import Plan
from course_lib.training.checkpoints import load_checkpoint
from course_lib.training.distributed import LostProcessError, Processes, launched, own_device, process_group
from course_lib.training.fit import fit
from course_lib.training.history import History
from course_lib.training.runtime import runtime, start
from course_lib.training.trained import CheckpointError

PLANS: dict[str, Callable[..., Plan]] = {"attention": attention_plan, "vae": vae_plan, "gan": gan_plan, "lm": lm_plan}
OWN = {"text": ("attention", "lm"), "images": ("vae", "gan")}  # what a reader may bring, and who trains on it


def main(arguments: list[str]) -> int:
    """Follow the command line; return the exit status."""
    chosen = _parse(arguments)
    for name in ("device", "budget"):
        if value := getattr(chosen, name):
            os.environ[f"COURSE_{name.upper()}"] = value
    processes = Processes()
    try:
        processes = launched()
        if os.environ.get("COURSE_DEVICE", "cuda") == "cuda" and (own := own_device(processes)):
            os.environ["COURSE_DEVICE"] = own
        with process_group(runtime().device) as processes:
            _train(chosen, processes)
    except LostProcessError as error:
        print(error, file=sys.stderr)
        return 3
    except (ValueError, CheckpointError, OSError) as error:
        if processes.first:
            print(error, file=sys.stderr)
        return 2
    return 0


def _train(chosen: argparse.Namespace, processes: Processes) -> None:
    """Train in this process, its rows of every batch; the first process reports."""
    if processes.size > 1:
        print(f"{processes.size} processes share every batch", flush=True)
    run = start(seed=chosen.seed)
    checkpoint = _checkpoint(chosen.out, chosen.resume)
    plan = PLANS[chosen.what](run.device, chosen.seed, processes=processes, **_own_data(chosen))
    draw = processes.draw(plan.draw, plan.batch, plan.take)
    until = chosen.steps or plan.until(run.budget)
    print(f"{plan.what}: {until:,} of {plan.steps:,} steps", flush=True)
    if processes.size > 1 and plan.differs:
        print(f"not as one process does it: {plan.differs}", flush=True)
    if not processes.first and checkpoint is not None and checkpoint.exists():
        load_checkpoint(checkpoint, plan.trained)  # it goes on from there too, and writes nothing
    history = fit(
        processes.step(plan.step), draw, max(until, plan.steps), plan.trained, schedule=plan.schedule, until=until,
        every=plan.every, checkpoint=checkpoint if processes.first else None, unit=plan.unit, progress=processes.first,
    )  # fmt: skip
    if processes.first:
        _report(plan, history, chosen.out)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m course_lib.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=PLANS)
    parser.add_argument("--device", help="cpu, cuda, cuda:1, mps … (COURSE_DEVICE; a GPU where there is one)")
    parser.add_argument("--budget", choices=("quick", "full"), help="COURSE_BUDGET")
    parser.add_argument("--steps", type=int, help="stop there, whatever the budget")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text", type=Path, help="a UTF-8 file of your own in place of Tiny Shakespeare")
    parser.add_argument("--images", type=Path, help="a folder of pictures of your own in place of the digits")
    parser.add_argument("--invert", action="store_true", help="with --images: dark on light becomes light on dark")
    parser.add_argument("--out", type=Path, help="folder for the checkpoint and the figures")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    return parser.parse_args(arguments)


def _own_data(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what a plan needs to train on the reader's own data; ValueError for one that does not take it."""
    for name, takers in OWN.items():
        if getattr(chosen, name) is not None and chosen.what not in takers:
            raise ValueError(f"--{name}: expected with {' or '.join(takers)}, got it with {chosen.what}")
    if chosen.invert and chosen.images is None:
        raise ValueError("--invert: expected with --images, got it alone")
    if chosen.text is not None:
        return {"text": load_text(chosen.text)}
    return {} if chosen.images is None else {"images": load_images(chosen.images, chosen.invert)}


def _checkpoint(out: Path | None, resume: bool) -> Path | None:
    """Return the checkpoint's place; an error where going on was asked for and nothing is there, or the reverse."""
    if out is None:
        if resume:
            raise ValueError("--resume: expected --out, the folder of the run that is to go on")
        return None
    path = out / "checkpoint.safetensors"
    if resume and not path.exists():
        raise FileNotFoundError(f"--resume: expected a checkpoint in {out}, found none")
    if path.exists() and not resume:
        raise FileExistsError(f"--out: {out} holds a run already; --resume goes on with it")
    return path


def _report(plan: Plan, history: History, out: Path | None) -> None:
    """Print the figures, and write them with the history beside the checkpoint."""
    for module in plan.trained.modules.values():
        module.eval()
    figures = {name: round(value, 4) for name, value in plan.measure().items()}
    for name, value in {"seconds of training": round(history.seconds, 1), **figures}.items():
        print(f"{name}: {value:g}")
    if out is not None:
        report = {"what": plan.what, "step": history.step, "figures": figures, "history": history.to_json()}
        (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
