"""Record ``gan_images.json``: DCGANs of digits and Fashion-MNIST, five seeds each, beside the VAE of chapter 07.

Chapter 11's own run is "quick": 600 steps with classes. "no classes" differs in that alone; the long arms take 3,000
steps, their rate falling to 0 over the second half. Those that follow differ from "no classes, long" in what is named:
in the discriminator. The weights of the first long run of each data set are shipped.
All figures are of the averaged generator but the one called raw, against the whole test part: as many fakes, of the
same classes where there are classes. The arms' order was chosen by one seed on the same test digits.
"""

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import Optimizer

from benchmarks.gan.networks import make_adam, make_networks
from course_lib.classroom.records import write_record
from course_lib.datasets.images import binary_test_digits, load_digits, load_fashion
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance, kernel_distance
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, precision_and_recall
from course_lib.gan.dcgan import Discriminator, Generator, sample, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.paths import DATA
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

SEEDS = range(5)
BATCH, RATE, LATENT, CHANNELS, EVERY = 64, 2e-3, 64, 32, 100
LOADERS = {"digits": load_digits, "fashion": load_fashion}


class Arm(NamedTuple):
    """What differs between the arms; per_place: channels of a 1 × 1 convolution behind the discriminator's last."""

    steps: int = 3_000
    decay: float = 0.99
    n_classes: int = 0
    hidden: int = 0
    depth: int = 2
    per_place: int = 0


ARMS = {
    "quick": Arm(steps=600, decay=0.98, n_classes=10),
    "no classes": Arm(steps=600, decay=0.98),
    "long": Arm(n_classes=10),
    "no classes, long": Arm(),
    "hidden layer": Arm(hidden=128),
    "third convolution": Arm(depth=3),
    "both": Arm(hidden=128, depth=3),
    "1 × 1 layer": Arm(per_place=128),
}
RUNS = [("digits", arm) for arm in ARMS] + [("fashion", "long")]


def make_players(arm: Arm, seed: int) -> tuple[Generator, Discriminator, dict[str, Optimizer]]:
    """Return the networks of an arm and their optimizers."""
    g, d = make_networks(seed, LATENT, CHANNELS, arm.n_classes, arm.hidden, arm.depth)
    if arm.per_place:
        d.body.extend(
            [
                nn.Conv2d(2 * CHANNELS, arm.per_place, 1, bias=False),
                nn.BatchNorm2d(arm.per_place),
                nn.LeakyReLU(0.2),
            ]
        )
        d.last = nn.Linear(49 * arm.per_place, 1)
        nn.init.normal_(d.body[5].weight, std=0.02)
        nn.init.normal_(d.last.weight, std=0.02)
        nn.init.zeros_(d.last.bias)
        d.to(memory_format=torch.channels_last)
    return g, d, {"g": make_adam(g, RATE), "d": make_adam(d, RATE)}


def train(data: str, arm: str, seed: int) -> dict:
    """Train one pair of networks on one thread; return what was measured, and the averaged generator's weights."""
    torch.set_num_threads(1)
    chosen = ARMS[arm]
    images, classifier = LOADERS[data](), load_classifier(data)
    real = features_and_logits(classifier, to_images(images.test))[0]
    g, d, optimizers = make_players(chosen, seed)
    average = moving_average(g, chosen.decay)
    trained = Trained({"g": g, "d": d, "average": average}, optimizers, torch.Generator().manual_seed(seed))
    z = torch.randn(len(real), LATENT, generator=torch.Generator().manual_seed(100 + seed))
    labels = images.test_labels if chosen.n_classes else None

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
        draw_turns(to_images(images.train), images.train_labels if chosen.n_classes else None, BATCH, LATENT),
        chosen.steps,
        trained,
        schedule=partial(warmup_then_linear, warmup=0.0, decay=0.5) if chosen.steps > 600 else None,
        every=EVERY,
        evaluate=look,
        evaluate_every=EVERY if chosen.hidden + chosen.per_place == 0 and chosen.depth == 2 else chosen.steps,
        progress=False,
    )
    made, features, logits = fakes(average, len(real))
    found = measure(features, real)
    found["raw frechet_distance"] = frechet_distance(fakes(g, len(real))[1], real)
    found["shares"] = [round(n / len(made), 4) for n in logits.argmax(1).bincount(minlength=10).tolist()]
    if labels is not None:
        found["accuracy"] = accuracy(logits, labels)
    if data == "digits":
        bits = torch.bernoulli((made + 1) / 2, generator=torch.Generator().manual_seed(200 + seed))
        found["as bits"] = frechet_distance(features_and_logits(classifier, 2 * bits - 1)[0], binary_features())
    near = memorisation(made[:2_000].flatten(1), to_images(images.train).flatten(1), to_images(images.test).flatten(1))
    found |= {"nearer": near.nearer, "copies": near.copies}
    evaluated = {name: history.evaluation(name).values for name in history.looks[0].values}
    curves = {"d_loss": history.curve("d_loss").values, "g_loss": history.curve("g_loss").values, **evaluated}
    weights = {key: tensor for key, tensor in average.module.state_dict().items() if not key.endswith("tracked")}
    return {"found": found, "curves": curves, "evaluated": [look.step for look in history.looks], "weights": weights}


def binary_features() -> torch.Tensor:
    """Return the features of the binary test digits."""
    bits = binary_test_digits()[:, None]
    return features_and_logits(load_classifier("digits"), 2 * bits - 1)[0]


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
    """Train chapter 07's VAE, and one with classes, and measure draws and means against grey digits and binary ones."""
    from benchmarks.vae.digits import train as train_vae

    classifier, digits = load_classifier("digits"), load_digits()
    look = lambda x: features_and_logits(classifier, x.view(-1, 1, 28, 28))[0]  # noqa: E731
    vae, generator = train_vae("course", seed)["model"], torch.Generator().manual_seed(seed)
    with torch.no_grad():
        means = vae.means(torch.randn(10_000, vae.latent_dim, generator=generator))
    draws = torch.bernoulli(means, generator=generator)
    conditional = train_vae("classes", seed)["model"]
    with torch.no_grad():
        z = torch.randn(10_000, conditional.latent_dim, generator=generator)
        asked = torch.bernoulli(conditional.means(z, digits.test_labels), generator=generator)
    real, real_binary = look(to_images(digits.test)), binary_features()
    return {
        "draws": measure(look(2 * draws - 1), real),
        "draws against binary digits": measure(look(2 * draws - 1), real_binary),
        "with classes": measure(look(2 * asked - 1), real_binary),
        "means": measure(look(2 * means - 1), real),
        "binary digits": measure(real_binary, real),
    }


def save(weights: dict[str, torch.Tensor], data: str) -> str:
    """Write a generator's weights, rounded to bfloat16; return the file's sha256."""
    path = DATA / f"{data}_generator.safetensors"
    save_file({key: tensor.to(torch.bfloat16).contiguous() for key, tensor in weights.items()}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rounded(value: float | list[float]) -> float | list[float]:
    return value if isinstance(value, list) else round(value, 4)


def main() -> None:
    """Train everything, two at a time, and write the record and the weights."""
    runs = [(data, arm, seed) for data, arm in RUNS for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        of_vaes = [pool.submit(vaes, seed) for seed in SEEDS]
        results = dict(zip(runs, pool.map(train, *zip(*runs, strict=True)), strict=True))
        measured = [future.result() for future in of_vaes]
    write(results, measured)


def write(results: dict[tuple[str, str, int], dict], measured: list[dict[str, dict[str, float]]]) -> None:
    """Write the record of all runs and of the VAEs, seed by seed, and the weights that are shipped."""
    values: dict = {"rate": RATE, "batch": BATCH}
    for data, arm in RUNS:
        each = [results[data, arm, seed] for seed in SEEDS]
        values.setdefault(data, {})[arm] = {
            "steps": ARMS[arm].steps,
            "evaluated": each[0]["evaluated"],
            **{key: [_rounded(e["found"][key]) for e in each] for key in each[0]["found"]},
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
