"""Record what chapter 08 cannot train in its own time: β, warm-up, a strong decoder, inpainting, and odd images."""

import math
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import torch

from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, binary_test_digits, load_digits, load_fashion
from course_lib.evaluation.auroc import auroc
from course_lib.information.image_files import png_bits
from course_lib.pretrained.vaes import load_digit_vae
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.vae.autoregressive import AutoregressiveVAE
from course_lib.vae.inpainting import gibbs_inpaint, importance_inpaint
from course_lib.vae.latents import active_units
from course_lib.vae.models import VAE, fully_connected_vae, log_likelihood
from course_lib.vae.step import draw_binary, vae_step

STEPS = 600
BETAS = (0.1, 0.3, 1.0, 3.0, 10.0)
STRONG_STEPS = 400
ROWS = (8, 14, 20)  # hidden at the bottom of 28
DRAWS = 500  # of the weights, and steps of a chain
SEEDS = range(5)


def shuffled(images: torch.Tensor) -> torch.Tensor:
    """Return images in an order of their own: the digits' file goes by writers, and a part of it is one group's."""
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]


def train(model: VAE, greys: torch.Tensor, steps: int, seed: int, beta: float = 1.0, warmup: int = 0) -> VAE:
    """Train on binary draws of grey images, 100 a step, as the notebook does; return the model in eval mode."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.05, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    bfloat16 = bfloat16_pays() and not isinstance(model, AutoregressiveVAE)
    step = vae_step(model, optimizer, beta=beta, warmup=warmup, clip=50, bfloat16=bfloat16)
    schedule = partial(warmup_then_linear, warmup=0.05, decay=0.95)
    fit(step, draw_binary(greys, 100, model.latent_dim), steps, trained, schedule=schedule, progress=False)
    return model.eval()


@torch.no_grad()
def measure(model: VAE, x: torch.Tensor) -> dict[str, float]:
    """Return the terms of the bound in nats an image, active latents, and the share of grey pixels in the means."""
    generator = torch.Generator().manual_seed(6)
    elbo, recon, kl = (
        t.mean().item() for t in model.elbo(x, torch.randn(len(x), model.latent_dim, generator=generator))
    )
    mu, _ = model.encode(x)
    prior = model.means(torch.randn(1000, model.latent_dim, generator=generator))

    def grey(p: torch.Tensor) -> float:
        return ((p > 0.1) & (p < 0.9)).float().mean().item()

    return {
        "elbo": elbo,
        "recon": recon,
        "kl": kl,
        "active": int(active_units(mu).sum()),
        "grey": grey(model.means(mu)),
        "grey_prior": grey(prior),
    }


def bound(kind: str, seed: int, beta: float = 1.0, warmup: int = 0) -> dict[str, float]:
    """Train one VAE of the digits and measure it on the validation images: plain, wide (50 latents), near or strong."""
    torch.set_num_threads(1)
    digits = load_digits()
    greys, x = digits.train.flatten(1) / 255, binarise(digits.validation, torch.Generator().manual_seed(1)).flatten(1)
    torch.manual_seed(seed)
    mean = greys.mean(0)
    if kind in ("near", "strong"):
        model: VAE = AutoregressiveVAE(20, 200, mean, reach=1 if kind == "near" else 5)
    else:
        model = fully_connected_vae(50 if kind == "wide" else 20, 200, mean=mean)
    steps = STRONG_STEPS if kind in ("near", "strong") else STEPS
    return measure(train(model, greys, steps, seed, beta, warmup), x)


def odd(seed: int) -> dict[str, float]:
    """Train a VAE of Fashion-MNIST and return AUROCs of its scores for digits against unseen Fashion.

    Scores are made of the bound with ten draws, likelihood_100 of that with a hundred.
    """
    torch.set_num_threads(1)
    fashion = load_fashion()
    greys = fashion.train.flatten(1) / 255
    torch.manual_seed(seed)
    model = train(fully_connected_vae(20, 200, mean=greys.mean(0)), greys, 400, seed)
    own = binarise(shuffled(fashion.test)[:1000], torch.Generator().manual_seed(0)).flatten(1)
    digits = shuffled(binary_test_digits())[:1000]
    held = binarise(fashion.validation, torch.Generator().manual_seed(3)).flatten(1)
    scores = {}
    generator = torch.Generator().manual_seed(6)
    typical = log_likelihood(model, held, 10, generator).mean()
    for name, x in (("own", own), ("odd", digits.flatten(1))):
        ll = log_likelihood(model, x, 10, generator)
        png = math.log(2) * torch.tensor([float(png_bits(image)) for image in x.view(-1, 28, 28)])
        scores[name] = {
            "likelihood": -ll,
            "likelihood_100": -log_likelihood(model, x, 100, generator),
            "typicality": (ll - typical).abs(),
            "complexity": -ll - png,
            "ones": x.sum(1),
        }
    return {key: auroc(scores["own"][key], scores["odd"][key]) for key in scores["own"]}


def fill(rows: int, seed: int) -> dict[str, float]:
    """Hide the lowest rows of 50 test digits; return squared errors an image, effective sizes and the share taken."""
    torch.set_num_threads(1)
    model = load_digit_vae()
    x = shuffled(binary_test_digits()).flatten(1)[50 * seed : 50 * seed + 50]
    observed = torch.arange(784).expand(50, -1) < 28 * (28 - rows)
    generator = torch.Generator().manual_seed(seed)

    def error(means: torch.Tensor) -> float:
        return ((means - x) ** 2).sum(1).mean().item()

    by_weights, ess = importance_inpaint(model, x, observed, DRAWS, generator)
    taken_all, _, _ = gibbs_inpaint(model, x, observed, DRAWS, generator, correct=False)
    by_chain, taken, _ = gibbs_inpaint(model, x, observed, DRAWS, generator)
    return {
        "weights": error(by_weights),
        "all_taken": error(taken_all),
        "chain": error(by_chain),
        "mean_image": error(torch.where(observed, x, model.mean)),
        "ess": ess.median().item(),
        "taken": taken.mean().item(),
    }


def main() -> None:
    """Run everything on two processes of one thread each."""
    jobs = {("beta", str(beta)): [partial(bound, "plain", seed, beta) for seed in SEEDS] for beta in BETAS}
    jobs["warmup", "0"] = [partial(bound, "wide", seed) for seed in SEEDS]
    jobs["warmup", "300"] = [partial(bound, "wide", seed, warmup=300) for seed in SEEDS]
    jobs["decoder", "near"] = [partial(bound, "near", seed) for seed in SEEDS]
    jobs["decoder", "strong"] = [partial(bound, "strong", seed) for seed in SEEDS]
    jobs["decoder", "strong, warm-up"] = [partial(bound, "strong", seed, warmup=200) for seed in SEEDS]
    jobs["odd", "fashion"] = [partial(odd, seed) for seed in SEEDS]
    for rows in ROWS:
        jobs["rows", str(rows)] = [partial(fill, rows, seed) for seed in SEEDS]
    values: dict = {"steps": STEPS, "strong_steps": STRONG_STEPS, "draws": DRAWS}
    with ProcessPoolExecutor(2) as pool:
        waiting = {key: [pool.submit(job) for job in each] for key, each in jobs.items()}
        for (group, name), futures in waiting.items():
            found = [future.result() for future in futures]
            values.setdefault(group, {})[name] = {key: [round(f[key], 4) for f in found] for key in found[0]}
            print(group, name, values[group][name], flush=True)
    what = "VAEs of binary images after some hundred steps: β, warm-up, decoders, scores for odd images, inpainting"
    print(write_record("vae_in_use", what, SEEDS, values))


if __name__ == "__main__":
    main()
