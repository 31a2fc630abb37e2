"""Time what the course's text states about speed, everything in turns, medians: steps, attention, generation."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.attention import language_recipes as recipes
from benchmarks.attention.against_nanogpt import PLACE, Peer, nanogpt
from benchmarks.in_turns import in_turns
from course_lib.attention.dot_product import fast_attention
from course_lib.attention.dot_product import scaled_dot_product_attention as explicit_attention
from course_lib.attention.masks import causal_mask
from course_lib.attention.online import attention_bytes, online_attention
from course_lib.attention.sampling import generate
from course_lib.attention.transformer import KVCache, Transformer, TransformerConfig
from course_lib.classroom.records import write_record
from course_lib.datasets.text import load_shakespeare


def steps(path: Path, device: str) -> list[dict]:
    """Time a training step of the same sizes, precision and optimizer, ours and nanoGPT's."""
    text, module, rows = load_shakespeare(), nanogpt(path), []
    for bfloat16, batch, context in ((False, 12, 64), (False, 16, 128), (True, 12, 64), (True, 16, 128)):
        changes = {"bfloat16": bfloat16, "batch": batch, "model": {"context_length": context}}
        _, trained, step, draw = recipes.start(recipes.NANOGPT.with_(changes), text, 0, device)
        candidates: dict[str, Callable] = {"ours": lambda s=step, d=draw, g=trained.generator: s(d(g))}
        if module is not None and device == "cpu":
            candidates["nanogpt"] = Peer(module, text, batch, context, bfloat16).step
        ms = in_turns(candidates, 40, device)
        rows.append({"bfloat16": bfloat16, "batch": batch, "context": context, **ms})
        if "nanogpt" in ms:
            rows[-1]["ratio"] = round(ms["ours"] / ms["nanogpt"], 3)
        else:
            rows[-1]["nanogpt"] = "model.py not found"
        print(rows[-1], flush=True)
    return rows


def attention(device: str) -> list[dict]:
    """Time forward and backward of causal attention, 4 heads of 32, about 2,048 positions in all."""
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for T in (64, 128, 256, 512, 1024, 2048):
            q, k, v = (
                torch.randn(2048 // T, 4, T, 32, dtype=dtype, device=device, requires_grad=True) for _ in range(3)
            )
            mask = causal_mask(T, device=device)
            candidates = {
                "explicit": lambda: explicit_attention(q, k, v, mask)[0].sum().backward(),
                "online": lambda: online_attention(q, k, v, mask).sum().backward(),
                "fast": lambda: fast_attention(q, k, v, causal=True).sum().backward(),
                "fused": lambda: (
                    torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
                ),
            }
            stored = dict(zip(("explicit_kib", "online_kib"), attention_bytes(4, T, 32, dtype.itemsize), strict=True))
            kib = {name: round(2048 // T * size / 1024) for name, size in stored.items()}
            rows.append({"dtype": str(dtype).removeprefix("torch."), "T": T, **in_turns(candidates, 9, device), **kib})
            print(rows[-1], flush=True)
    return rows


@torch.no_grad()
def generation(device: str, threads: int, batches: tuple[int, ...]) -> list[dict]:
    """Time writing up to 256 characters, and one more character with 16 and with 256 characters behind it."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(65, **{**recipes.COURSE.model, "context_length": 256})).to(device).eval()
    rows = []
    for batch in batches:
        prompt = torch.zeros(batch, 1, dtype=torch.long, device=device)
        candidates: dict[str, Callable] = {
            f"{name}_ms": lambda c=cached: generate(model, prompt, 255, torch.Generator().manual_seed(0), cached=c)
            for name, cached in (("cached", True), ("uncached", False))
        }
        whole = in_turns(candidates, 3, device)
        caches = {}
        for seen in (16, 255):
            caches[seen] = KVCache(model.config, batch, device)
            model(torch.zeros(batch, seen, dtype=torch.long, device=device), caches[seen])

        def one_more(seen: int) -> None:
            model(prompt, caches[seen])
            caches[seen].length = seen  # the same place again

        full = torch.zeros(batch, 256, dtype=torch.long, device=device)
        single = in_turns(
            {"ms_at_16": lambda: one_more(16), "ms_at_256": lambda: one_more(255), "whole_256": lambda: model(full)},
            60,
            device,
        )
        rows.append(
            {
                "threads": threads,
                "batch": batch,
                **whole,
                "speedup": round(whole["uncached_ms"] / whole["cached_ms"], 2),
                **single,
            }
        )
        rows[-1]["speedup_at_256"] = round(single["whole_256"] / single["ms_at_256"], 2)
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Time everything on one device and write the records."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nanogpt", type=Path, default=PLACE, help="path of nanoGPT's model.py")
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    chosen = arguments.parse_args()
    suffix = "" if chosen.device == "cpu" else "_gpu"
    device, seeds = chosen.device, [0]
    rows = generation(device, 2, (1, 16)) + generation(device, 1, (1,))
    torch.set_num_threads(2)
    what = "milliseconds of writing 256 characters, and of one more"
    write_record(f"generation{suffix}", what, seeds, {"rows": rows}, device)
    what = "milliseconds of a training step"
    write_record(f"step_times{suffix}", what, seeds, {"rows": steps(chosen.nanogpt, device)}, device)
    what = "milliseconds of causal attention, forward and backward"
    write_record(f"attention_times{suffix}", what, seeds, {"rows": attention(device)}, device)


if __name__ == "__main__":
    main()
