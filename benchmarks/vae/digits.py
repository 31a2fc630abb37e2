"""Record the course's VAEs of the binary digits: five seeds of a minute on two cores, and the weights of the first.

Beside it: what the mean taken out of the images is worth, what moved images are worth, and a model of two latents to
draw maps of. All choices were made on the validation images; the test images are looked at once, here.
"""

import hashlib
import math
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import torch
from safetensors.torch import save_file

from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, binary_test_digits, load_digits
from course_lib.paths import DATA
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.vae.latents import active_units
from course_lib.vae.models import VAE, fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

SEEDS = range(5)
STEPS = 6_000
EVERY = 300
VARIANTS = {  # what differs from the recipe
    "course": {},
    "no mean": {"mean": False},
    "not moved": {"shift": 0},
    "5 draws": {"k": 5},
    "2 latents": {"latent_dim": 2, "hidden": 300},
    "classes": {"classes": 10},
}
TESTED = ("course", "2 latents", "5 draws")
RECORDED = [variant for variant in VARIANTS if variant != "classes"]  # chapter 11 measures that one


def binary_validation() -> torch.Tensor:
    """Return one binarisation of the 1,000 validation digits, (1000, 784)."""
    return binarise(load_digits().validation, torch.Generator().manual_seed(1)).flatten(1)


def train(variant: str, seed: int, steps: int = STEPS, threads: int = 1) -> dict:
    """Train one model; return it with what was measured, and its history."""
    torch.set_num_threads(threads)
    recipe = {"mean": True, "shift": 1, "k": 1, "latent_dim": 50, "hidden": 500, "classes": 0} | VARIANTS[variant]
    digits, validation = load_digits(), binary_validation()
    greys, labels = digits.train.flatten(1) / 255, digits.train_labels if recipe["classes"] else None
    torch.manual_seed(seed)
    mean = greys.mean(0) if recipe["mean"] else None
    model = fully_connected_vae(recipe["latent_dim"], recipe["hidden"], mean=mean, n_classes=recipe["classes"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.05, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))

    def bound() -> dict[str, float]:
        return {"nats": log_likelihood(model, validation, 10, torch.Generator().manual_seed(5)).mean().item()}

    history = fit(
        vae_step(model, optimizer, clip=50, bfloat16=bfloat16_pays()),
        draw_binary(greys, 100, model.latent_dim, recipe["k"], recipe["shift"], labels),
        steps,
        trained,
        schedule=partial(warmup_then_linear, warmup=0.05, decay=0.95),
        every=EVERY,
        evaluate=None if recipe["classes"] else bound,
        evaluate_every=EVERY,
        progress=False,
    )
    if recipe["classes"]:
        return {"model": model.eval()}
    tested = measure_test(model, many=recipe["k"] > 1) if variant in TESTED else {}
    return {"model": model.eval(), "history": history, **measure(model, greys, validation), **tested}


@torch.no_grad()
def measure(model: VAE, greys: torch.Tensor, validation: torch.Tensor) -> dict[str, float]:
    """Return the figures of a trained model by which recipes are compared: bounds in nats an image, active latents."""
    generator = torch.Generator().manual_seed(6)
    elbo, recon, kl = (part.mean().item() for part in model.elbo(validation, torch.randn(1000, model.latent_dim)))
    of_validation = log_likelihood(model, validation, 100, generator)
    of_train = log_likelihood(model, draw_binary(greys, 1_000, latent_dim=0)(generator).x, 100, generator)
    return {
        "validation": of_validation.mean().item(),
        "train": of_train.mean().item(),
        "elbo": elbo,
        "recon": recon,
        "kl": kl,
        "active": int(active_units(model.encode(validation)[0]).sum()),
    }


def measure_test(model: VAE, many: bool) -> dict[str, float]:
    """Return the reported figure, k = 100 on the official test digits, with its standard error; many: k = 5,000 too."""
    each = log_likelihood(model, binary_test_digits().flatten(1), 100, torch.Generator().manual_seed(6))
    found = {"test": each.mean().item(), "test_error": each.std().item() / math.sqrt(len(each))}
    return found | measure_many_draws(model, each) if many else found


def measure_many_draws(model: VAE, each: torch.Tensor) -> dict[str, float]:
    """Return what 5,000 draws add to the bound with k = 100, on 1,000 of the official test digits, of all writers.

    each: that bound of every test digit. test_5000 is the mean of each and the gain: an estimate of the bound with
    k = 5,000 on all of them.
    """
    test, generator = binary_test_digits().flatten(1), torch.Generator().manual_seed(7)
    some = torch.randperm(len(test), generator=generator)[:1_000]
    gain = log_likelihood(model, test[some], 5_000, generator) - each[some]
    return {
        "gain_5000": gain.mean().item(),
        "gain_5000_error": gain.std().item() / math.sqrt(len(gain)),
        "test_5000": (each.mean() + gain.mean()).item(),
    }


def save(model: VAE, name: str) -> str:
    """Write the weights, rounded to bfloat16, the mean in float32; return the file's sha256."""
    path = DATA / f"{name}.safetensors"
    tensors = {key: t if key == "mean" else t.to(torch.bfloat16) for key, t in model.state_dict().items()}
    save_file(tensors, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Train all variants, two at a time on one thread each, then one alone on two threads for its time."""
    runs = [(variant, seed) for variant in RECORDED for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        results = dict(zip(runs, pool.map(train, *zip(*runs, strict=True)), strict=True))
    started = time.perf_counter()
    train("course", 0, 300, threads=2)
    step_ms = round(1e3 * (time.perf_counter() - started) / 300, 2)
    names = (("digits_vae", "course"), ("digits_vae_2d", "2 latents"))
    write(
        {
            "steps": STEPS,
            "step_ms_two_threads": step_ms,
            "evaluated": [look.step for look in results["course", 0]["history"].looks],
            "sha256": {name: save(results[variant, 0]["model"], name) for name, variant in names},
            **{variant: summary([results[variant, seed] for seed in SEEDS]) for variant in RECORDED},
        }
    )


def summary(found: list[dict]) -> dict[str, list]:
    """Return what the record keeps of the runs of one variant: every figure, seed by seed, curves and times."""
    figures = [key for key in found[0] if key not in ("model", "history")]
    return {
        **{key: [round(r[key], 3) for r in found] for key in figures},
        "curve": [[round(x, 2) for x in r["history"].evaluation("nats").values] for r in found],
        "seconds": [round(r["history"].seconds, 1) for r in found],
    }


def write(values: dict) -> None:
    """Write the record, and print each variant's figure."""
    what = f"VAEs of the binary digits, {STEPS:,} steps of 100 images: nats on the official test digits, k = 100"
    print(write_record("vae_digits", what, SEEDS, values))
    print({v: values[v].get("test", values[v]["validation"]) for v in RECORDED})


if __name__ == "__main__":
    main()
