"""Record ``chat_pretraining.json``: chapter 17's model reads, five seeds on a GPU, then the first on a processor.

The first text is Shakespeare, books of words and worksheets; each seed has its own order of lines, its own worksheets
and its own weights. ``--seed`` trains one and leaves weights and curve in a folder: five run beside each other and
agree on how many steps fit before ``--end``. The second text has the same lines below headings: ``--second`` lets seed
0 go on with it, which is what the course ships; ``--record`` writes the record and copies weights and tokenizer to
``data/``. Rates are those of chapter 05; that of the second text was not searched for.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from course_lib.attention import transformer
from course_lib.attention.step import next_token_step
from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer
from course_lib.chat.corpus import books_and_worksheets, headed_text
from course_lib.chat.template import SPECIAL
from course_lib.classroom.records import write_record
from course_lib.datasets.text import Text, load_shakespeare, random_windows
from course_lib.evaluation.language import cross_entropy
from course_lib.paths import DATA
from course_lib.pretrained.chat import CONFIG
from course_lib.training.fit import fit
from course_lib.training.muon import COEFFICIENTS, ROUNDS
from course_lib.training.optimizers import muon_and_adamw, warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

# letters with the one space before them, one digit, or one other sign: sums are read digit by digit
PIECES = r" ?[^\W\d_]+| ?\d| ?(?:[^\w\s]|_)|\s+(?!\S)|\s+"
SEEDS, STEPS, SECOND = range(5), 10_450, 900  # as recorded
KEPT = Path(tempfile.gettempdir()) / "course-chat"
BATCH, RATES = 256, (0.02, 0.01)


class StackedMuon(torch.optim.Muon):
    """torch's Muon, all matrices of one shape at once: a GPU is asked for a tenth of the operations."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all parameters."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, some in by_shape.items():
                gradients = torch.stack([p.grad for p in some if p.grad is not None])
                state = self.state[some[0]]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(gradients)
                buffer = state["momentum_buffer"].lerp_(gradients, 1 - group["momentum"])
                moves = orthogonalised(gradients.lerp(buffer, group["momentum"]))
                scale = max(1.0, shape[0] / shape[1]) ** 0.5
                torch._foreach_add_(some, list(moves.to(some[0].dtype).unbind()), alpha=-group["lr"] * scale)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return what ``training.muon.orthogonalised`` does, of many matrices."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def turn_by_real_numbers(x: Tensor, phases: Tensor) -> Tensor:
    """Return what ``attention.positions.turn`` does, without complex numbers, which the compiler does not fuse."""
    cos, sin = torch.view_as_real(phases).unbind(-1)
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2).to(x.dtype)


def shakespeare(split: str) -> str:
    """Return the text of a split, 'train' or 'validation'."""
    text: Text = load_shakespeare()
    return text.decode(getattr(text, split))


def tokenizer() -> BytePairs:
    """Return the tokenizer that all seeds share, of Shakespeare and a tenth of the worksheets."""
    return BytePairs.train(shakespeare("train") + books_and_worksheets(share=0.1), CONFIG.vocab_size, SPECIAL, PIECES)


@cache
def encoded_text(seed: int, tokens: BytePairs) -> Tensor:
    """Return what a seed reads, as tokens."""
    return tokens.encode(shakespeare("train") + books_and_worksheets(seed))


def pretrained(seed: int, steps: int, tokens: BytePairs, folder: Path | None = None) -> tuple[Transformer, dict]:
    """Train one seed on the GPU; return the model and what was seen on the way. folder: weights are left there, too."""
    torch.manual_seed(seed)
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda")
    stream = encoded_text(seed, tokens).to(device)
    held = tokens.encode(shakespeare("validation")).to(device)
    model = Transformer(CONFIG).to(device)
    transformer.turn = turn_by_real_numbers
    optimizers = muon_and_adamw(model.blocks, model, *RATES)
    matrices = [p for group in optimizers["muon"].param_groups for p in group["params"]]
    optimizers["muon"] = StackedMuon(matrices, lr=RATES[0], weight_decay=0.0)
    trained = Trained({"model": model}, optimizers, torch.Generator().manual_seed(seed))

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return random_windows(stream, BATCH, CONFIG.context_length, generator)

    def look() -> dict[str, float]:
        if folder:
            save(model, folder / f"pretrained-{seed}.safetensors")
        return {"shakespeare": cross_entropy(model, held)}

    started = time.perf_counter()
    compiled = cast(Transformer, torch.compile(model))
    step = next_token_step(compiled, optimizers.values(), bfloat16=True)
    history = fit(step, draw, steps, trained, schedule=warmup_then_linear, every=100, evaluate=look,
                  evaluate_every=1_000, progress=False)  # fmt: skip
    curve = [(each.step, each.values["loss"]) for each in history.intervals]
    looks = [(each.step, each.values["shakespeare"]) for each in history.looks]
    last = history.intervals[-2:]
    step_seconds = (last[-1].seconds - last[0].seconds) / max(1, last[-1].step - last[0].step)
    found = {
        "step_seconds": step_seconds,
        "seconds": time.perf_counter() - started,
        "tokens_read": steps * BATCH * CONFIG.context_length,
        "text": len(stream),
    }
    return model, found | {"steps": steps, "curve": curve, "shakespeare": looks}


def save(model: Transformer, path: Path) -> None:
    """Write weights, rounded to bfloat16."""
    save_file({name: t.to(torch.bfloat16).cpu().contiguous() for name, t in model.state_dict().items()}, path)


def load(path: Path) -> Transformer:
    """Return a model of weights that were saved, in float32."""
    model = Transformer(CONFIG)
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return model


def steps_until(end: float, seed: int, n: int, tokens: BytePairs, folder: Path) -> int:
    """Return how many steps the slowest of n runs beside each other has time for; each has measured itself first."""
    each = pretrained(seed, 200, tokens)[1]["step_seconds"]
    (folder / f"step-{seed}.txt").write_text(str(each))
    patience = time.time() + 60
    while len(found := list(folder.glob("step-*.txt"))) < n and time.time() < patience:
        time.sleep(0.2)
    time.sleep(0.5)
    return int(0.95 * (end - time.time() - 15) / max(float(path.read_text()) for path in found)) // 50 * 50


def second_reading(model: Transformer, seed: int, seconds: float, tokens: BytePairs, batch: int = 24,
                   rate: float = 3e-3, steps: int | None = None, threads: int = 2) -> dict:  # fmt: skip
    """Go on with the headed text on a processor, for so many seconds or steps; return what was seen on the way."""
    torch.set_num_threads(threads)
    stream = torch.cat([tokens.encode(headed_text(seed + 10 * i)) for i in range(3)])
    held = tokens.encode(shakespeare("validation"))
    optimizer = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    step = next_token_step(model, [optimizer], bfloat16=bfloat16_pays())
    generator = torch.Generator().manual_seed(seed)
    begun, losses, i, share = time.perf_counter(), [], 0, 0.0
    while share < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * warmup_then_linear(share, 0.03, 0.7)
        losses.append(step(random_windows(stream, batch, CONFIG.context_length, generator))["loss"].item())
        i += 1
        share = i / steps if steps else (time.perf_counter() - begun) / seconds
        if i % 100 == 0:
            print(i, round(share, 3), sum(losses[-100:]) / 100, flush=True)
    return {
        "steps": i,
        "seconds": time.perf_counter() - begun,
        "shakespeare": cross_entropy(model, held),
        "curve": [sum(losses[k : k + 100]) / len(losses[k : k + 100]) for k in range(0, i, 100)],
    }


def record(folder: Path) -> None:
    """Write the record of both readings, and put weights and tokenizer beside the other data."""
    first = [json.loads((folder / f"pretrained-{seed}.json").read_text()) for seed in SEEDS]
    second = json.loads((folder / "second-0.json").read_text())
    values = {
        "parameters": sum(p.numel() for p in Transformer(CONFIG).parameters()),
        "text": [each["text"] for each in first],
        "tokens_read": first[0]["tokens_read"],
        "steps": first[0]["steps"],
        "evaluated": [step for step, _ in first[0]["curve"]],
        "nats": [[round(loss, 4) for _, loss in each["curve"]] for each in first],
        "shakespeare_evaluated": [step for step, _ in first[0]["shakespeare"]],
        "shakespeare": [[round(loss, 4) for _, loss in each["shakespeare"]] for each in first],
        "seconds": [round(each["seconds"]) for each in first],
        "second": second | {"curve": [round(loss, 4) for loss in second["curve"]]},
    }
    what = "pretraining of the chat model on one GPU, five seeds beside each other; seed 0 then on two processor cores"
    print(write_record("chat_pretraining", what, SEEDS, values))
    shutil.copy(folder / "second-0.safetensors", DATA / "chat_pretrained.safetensors")
    tokenizer().save(DATA / "chat_tokens.json")
    for name in ("chat_pretrained.safetensors", "chat_tokens.json"):
        print(name, hashlib.sha256((DATA / name).read_bytes()).hexdigest())


def main() -> None:
    """Train one seed, or let seed 0 read on, or write the record."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, nargs="?", default=KEPT)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--of", type=int, default=len(SEEDS), help="how many run beside each other")
    arguments.add_argument("--end", type=float, help="seconds since 1970 at which the training is to be over")
    arguments.add_argument("--second", type=float, metavar="SECONDS", help="let seed 0 read the second text so long")
    arguments.add_argument("--record", action="store_true")
    asked = arguments.parse_args()
    asked.folder.mkdir(exist_ok=True)
    if asked.record:
        record(asked.folder)
        return
    tokens = tokenizer()
    whole = asked.seed is None and asked.second is None
    if not torch.cuda.is_available() and not asked.second:
        print("no CUDA GPU here: nothing was pretrained and no record was written")
        return
    for seed in SEEDS if whole else [asked.seed] if asked.second is None else []:
        steps = steps_until(asked.end, seed, asked.of, tokens, asked.folder) if asked.end else STEPS
        model, found = pretrained(seed, steps, tokens, folder=asked.folder)
        save(model, asked.folder / f"pretrained-{seed}.safetensors")
        found |= {"machine": torch.cuda.get_device_name()}
        (asked.folder / f"pretrained-{seed}.json").write_text(json.dumps(found))
    if whole or asked.second:
        model = load(asked.folder / "pretrained-0.safetensors")
        found = second_reading(model, 0, asked.second or SECOND, tokens)
        save(model, asked.folder / "second-0.safetensors")
        (asked.folder / "second-0.json").write_text(json.dumps(found))
    if whole:
        record(asked.folder)


if __name__ == "__main__":
    main()
