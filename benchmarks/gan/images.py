"""Record ``gan_images.json``: DCGANs of digits and Fashion-MNIST, three seeds each, beside the VAE of chapter 07.

Chapter 11's own run is "quick": 600 steps with classes. "no classes" differs in that alone; the long arms take 3,000
steps, their rate falling to 0 over the second half. The weights of the first long run of each data set are shipped.
All figures are of the averaged generator but the one called raw, against the whole test part: as many fakes, of the
same classes.
"""

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import torch
from safetensors.torch import save_file

from benchmarks.gan.networks import make_adam, make_networks
from course_lib.classroom.records import write_record
from course_lib.datasets.images import binarise, load_digits, load_fashion
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance, kernel_distance
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, precision_and_recall
from course_lib.gan.dcgan import sample, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.paths import DATA
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

SEEDS = range(3)
BATCH, RATE, LATENT, CHANNELS, EVERY = 64, 2e-3, 64, 32, 100
LOADERS = {"digits": load_digits, "fashion": load_fashion}
ARMS = {  # what differs: steps, decay of the average, classes
    "quick": (600, 0.98, 10),
    "no classes": (600, 0.98, 0),
    "long": (3_000, 0.99, 10),
    "no classes, long": (3_000, 0.99, 0),
}
RUNS = [("digits", arm) for arm in ARMS] + [("fashion", "long")]


def train(data: str, arm: str, seed: int) -> dict:
    """Train one pair of networks on one thread; return what was measured, and the averaged generator's weights."""
    torch.set_num_threads(1)
    steps, decay, n_classes = ARMS[arm]
    images, classifier = LOADERS[data](), load_classifier(data)
    real = features_and_logits(classifier, to_images(images.test))[0]
    g, d = make_networks(seed, LATENT, CHANNELS, n_classes)
    optimizers = {"g": make_adam(g, RATE), "d": make_adam(d, RATE)}
    average = moving_average(g, decay)
    trained = Trained({"g": g, "d": d, "average": average}, optimizers, torch.Generator().manual_seed(seed))
    z = torch.randn(len(real), LATENT, generator=torch.Generator().manual_seed(100 + seed))
    labels = images.test_labels if n_classes else None

    def fakes(generator: torch.nn.Module, n: int) -> tuple[torch.Tensor, ...]:
        made = sample(generator, z[:n], None if labels is None else labels[:n])
        return made, *features_and_logits(classifier, made)

    def look() -> dict[str, float]:
        return {
            "averaged": frechet_distance(fakes(average, 2_000)[1], real),
            "raw": frechet_distance(fakes(g, 2_000)[1], real),
        }

    history = fit(
        adversarial_step(g, d, optimizers["g"], optimizers["d"], average=average, bfloat16=bfloat16_pays()),
        draw_turns(to_images(images.train), images.train_labels if n_classes else None, BATCH, LATENT),
        steps,
        trained,
        schedule=partial(warmup_then_linear, warmup=0.0, decay=0.5) if "long" in arm else None,
        every=EVERY,
        evaluate=look,
        evaluate_every=EVERY,
        progress=False,
    )
    made, features, logits = fakes(average, len(real))
    found = measure(features, real)
    found["raw frechet_distance"] = frechet_distance(fakes(g, len(real))[1], real)
    if labels is not None:
        found["accuracy"] = accuracy(logits, labels)
    near = memorisation(made[:2_000].flatten(1), to_images(images.train).flatten(1), to_images(images.test).flatten(1))
    found |= {"nearer": near.nearer, "copies": near.copies, "seconds": history.seconds}
    evaluated = {name: history.evaluation(name).values for name in history.looks[0].values}
    curves = {"d_loss": history.curve("d_loss").values, "g_loss": history.curve("g_loss").values, **evaluated}
    weights = {key: tensor for key, tensor in average.module.state_dict().items() if not key.endswith("tracked")}
    return {"found": found, "curves": curves, "evaluated": [look.step for look in history.looks], "weights": weights}


def measure(fake: torch.Tensor, real: torch.Tensor) -> dict[str, float]:
    """Return every distance between features, by name."""
    precision, recall = precision_and_recall(real, fake)
    density, coverage = density_and_coverage(real, fake)
    return {
        "frechet_distance": frechet_distance(fake, real),
        "kernel_distance": kernel_distance(fake, real),
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
    }


def vaes(seed: int) -> dict[str, dict[str, float]]:
    """Train the VAE of chapter 07 and measure its draws and its means, against grey digits and binary ones."""
    from benchmarks.vae.digits import train as train_vae

    vae, classifier = train_vae("course", seed)["model"], load_classifier("digits")
    generator = torch.Generator().manual_seed(seed)
    digits = load_digits()
    with torch.no_grad():
        means = vae.means(torch.randn(10_000, vae.latent_dim, generator=generator)).view(-1, 1, 28, 28)
    draws = torch.bernoulli(means, generator=generator)
    binary = binarise(digits.test, generator)[:, None]
    real, real_binary, of_draws, of_means = (
        features_and_logits(classifier, x)[0]
        for x in (to_images(digits.test), 2 * binary - 1, 2 * draws - 1, 2 * means - 1)
    )
    return {
        "draws": measure(of_draws, real),
        "draws against binary digits": measure(of_draws, real_binary),
        "means": measure(of_means, real),
        "binary digits": measure(real_binary, real),
    }


def save(weights: dict[str, torch.Tensor], data: str) -> str:
    """Write a generator's weights, rounded to bfloat16; return the file's sha256."""
    path = DATA / f"{data}_generator.safetensors"
    save_file({key: tensor.to(torch.bfloat16).contiguous() for key, tensor in weights.items()}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Train everything, two at a time, and write the record and the weights."""
    runs = [(data, arm, seed) for data, arm in RUNS for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        of_vaes = [pool.submit(vaes, seed) for seed in SEEDS]
        results = dict(zip(runs, pool.map(train, *zip(*runs, strict=True)), strict=True))
        measured = [future.result() for future in of_vaes]
    values: dict = {"rate": RATE, "batch": BATCH}
    for data, arm in RUNS:
        each = [results[data, arm, seed] for seed in SEEDS]
        values.setdefault(data, {})[arm] = {
            "steps": ARMS[arm][0],
            "evaluated": each[0]["evaluated"],
            **{key: [round(e["found"][key], 4) for e in each] for key in each[0]["found"]},
            "curves": {key: [[round(x, 3) for x in e["curves"][key]] for e in each] for key in each[0]["curves"]},
        }
    values["vae"] = {
        kind: {key: [round(m[kind][key], 4) for m in measured] for key in measured[0][kind]} for kind in measured[0]
    }
    values["sha256"] = {data: save(results[data, "long", 0]["weights"], data) for data in LOADERS}
    print(write_record("gan_images", "DCGANs of 9,000 images, batches of 64, beside the VAE", SEEDS, values))
    for data, arm in RUNS:
        print(data, arm, {k: v for k, v in values[data][arm].items() if k not in ("curves", "evaluated")})
    print(values["vae"])


if __name__ == "__main__":
    main()
