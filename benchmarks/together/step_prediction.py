"""Record the time of a training step, told from rates measured by themselves, and the step's time measured after.

Two blocks, contexts of 128, seven widths, one thread; and small steps, of 16 positions a sequence. No step is timed for
the prediction: its rates
come from linear layers of other widths, from adding, from attention and the GELU alone. Each prediction is there
before its step is built. Beside it the rule of thumb, 6 N operations a token at the peak of a square product.
"""

from functools import partial

import torch

from course_lib.attention.dot_product import fast_attention
from course_lib.chapters.ch14_training_on_gpu.steps import VOCABULARY, language_step
from course_lib.classroom.records import write_record
from course_lib.training.roofline import fastest, matrix_rate
from course_lib.training.step_time import Sizes, counted, measure_machine, predict_step, training_flops

BATCHES = {128: 16, 256: 16, 384: 8, 512: 8, 768: 4, 1024: 4, 1536: 4}
BLOCKS, TIME = 2, 128
SMALL_WIDTH, SMALL_BATCHES, SMALL_TIME = 128, (1, 4, 16), 16


def row(width: int, batch: int, device: str, bfloat16: bool, machine, peak: float, time: int = TIME) -> dict:
    """Predict one width's step, then measure it."""
    sizes = Sizes(width, BLOCKS, VOCABULARY, batch, time)
    calls = counted(language_step(64, BLOCKS, 1, time, device, bfloat16)).total()
    told = predict_step(sizes, machine, calls)
    rule = 6 * sizes.tokens * sizes.matrices / peak
    seconds = fastest(language_step(width, BLOCKS, batch, time, device, bfloat16), device, 3)
    found = {"width": width, "batch": batch, "calls": calls, "ms": round(1e3 * seconds, 2)}
    found |= {"predicted_ms": round(1e3 * told["total"], 2), "rule_ms": round(1e3 * rule, 2)}
    found["parts_ms"] = {name: round(1e3 * part, 3) for name, part in told.items() if name != "total"}
    found["share_of_peak"] = round(training_flops(sizes) / seconds / peak, 4)
    print(found, flush=True)
    return found


def main() -> None:
    """Measure the machine, predict, measure the steps, in float32 and in bfloat16; one thread on a processor."""
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    values: dict = {"blocks": BLOCKS, "context": TIME}
    side = 4096 if device == "cuda" else 1024
    for name, bfloat16 in (("float32", False), ("bfloat16", True)):
        machine = measure_machine(device, bfloat16, TIME, partial(fast_attention, causal=True))
        peak = matrix_rate(side, side, side, torch.bfloat16 if bfloat16 else torch.float32, device)
        rates = {str(width): rate for width, rate in machine.products.items()}
        print(name, machine, f"{peak:.4g}", flush=True)
        rows = [row(width, batch, device, bfloat16, machine, peak) for width, batch in BATCHES.items()]
        small = [row(SMALL_WIDTH, n, device, bfloat16, machine, peak, SMALL_TIME) for n in SMALL_BATCHES]
        values[name] = {"peak": peak, "linear_rates": rates, "rows": rows, "small": small}
    what = "milliseconds of a training step, told from counts and from rates measured by themselves, then measured"
    suffix = "" if device == "cpu" else "_gpu"
    print(write_record(f"step_prediction{suffix}", what, [0], values, device))


if __name__ == "__main__":
    main()
