"""Record ``gan_failures.json``: one mistake each in the training of a DCGAN of the digits, 400 steps, five seeds.

Every arm starts from the same networks as the sound one and differs from it in one field. Kept: both losses, the
Fréchet distance, density and coverage, and 24 samples of the first seed as a picture.
"""

import base64
import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from benchmarks.gan.networks import make_adam, make_networks
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.evaluation.neighbours import density_and_coverage
from course_lib.gan.dcgan import sample, to_images
from course_lib.gan.losses import discriminator_loss, nonsaturating_generator_loss
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.precision import bfloat16_pays

SEEDS, STEPS, EVERY, BATCH, RATE, LATENT, CHANNELS = range(5), 400, 10, 64, 2e-3, 64, 32


@dataclass(frozen=True)
class Arm:
    """One way to train; the defaults are sound."""

    d_rate: float = RATE
    g_rate: float = RATE
    clear: bool = True  # the gradients before each turn
    sigmoid: bool = False  # D ends in a sigmoid, and the loss takes another
    low: float = -1.0  # what black is
    joined: bool = False  # real and fake in one batch, so that D's batch norm mixes their statistics


ARMS = {
    "sound": Arm(),
    "strong_discriminator": Arm(g_rate=RATE / 20),
    "not_cleared": Arm(clear=False),
    "sigmoid_twice": Arm(sigmoid=True),
    "wrong_range": Arm(low=0.0),
    "mixed_statistics": Arm(joined=True),
    "collapse": Arm(d_rate=RATE / 100),
}
PATIENTS = {"A": "sigmoid_twice", "B": "wrong_range", "C": "collapse"}  # whom chapter 11 shows without a name


def train(name: str, seed: int) -> dict:
    """Train one arm; return its curves, its measures and a picture of its samples."""
    torch.set_num_threads(1)
    arm = ARMS[name]
    digits, classifier = load_digits(), load_classifier("digits")
    train_images = arm.low + (1 - arm.low) * digits.train[:, None] / 255
    g, d = make_networks(seed, LATENT, CHANNELS)
    g_optimizer, d_optimizer = make_adam(g, arm.g_rate), make_adam(d, arm.d_rate)
    generator, bfloat16 = torch.Generator().manual_seed(seed), bfloat16_pays()

    def logits(*images: Tensor) -> list[Tensor]:
        """Return D's outputs for each batch, alone or joined."""
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            found = d(torch.cat(images)).split(BATCH) if arm.joined else [d(x) for x in images]
        return [x.float().sigmoid() if arm.sigmoid else x.float() for x in found]

    def fakes() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return g(torch.randn(BATCH, LATENT, generator=generator)).float()

    def reals() -> Tensor:
        chosen = torch.randint(len(train_images), (BATCH,), generator=generator)
        return train_images[chosen].contiguous(memory_format=torch.channels_last)

    curves: dict[str, list[float]] = {"d_loss": [], "g_loss": []}
    sums = torch.zeros(2, dtype=torch.float64)
    for step in range(1, STEPS + 1):
        real = reals()
        d_loss = discriminator_loss(*logits(real, fakes().detach()))
        if arm.clear:
            d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        fake = fakes()
        g_loss = nonsaturating_generator_loss(logits(real, fake)[1] if arm.joined else logits(fake)[0])
        if arm.clear:
            g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        sums += torch.tensor([d_loss.item(), g_loss.item()], dtype=torch.float64)
        if step % EVERY == 0:
            for key, total in zip(curves, sums.tolist(), strict=True):
                curves[key].append(round(total / EVERY, 3))
            sums.zero_()

    real_features = features_and_logits(classifier, to_images(digits.test))[0]
    z = torch.randn(10_000, LATENT, generator=torch.Generator().manual_seed(100))
    made = sample(g, z)
    features = features_and_logits(classifier, made)[0]
    density, coverage = density_and_coverage(real_features, features)
    found = {
        "frechet_distance": frechet_distance(features, real_features),
        "density": density,
        "coverage": coverage,
        "spread": made.flatten(1).var(0).sum().item(),
    }
    return {"found": found, "curves": curves, "png": picture(made[:24])}


def picture(images: Tensor) -> str:
    """Return 24 images in (−1, 1) as one grey PNG of 3 rows, white paper and dark ink, in base64."""
    grid = images.view(3, 8, 28, 28).transpose(1, 2).reshape(84, 224)
    file = io.BytesIO()
    Image.fromarray(((1 - grid) * 127.5).round().to(torch.uint8).numpy()).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main() -> None:
    """Train all arms, two at a time, and write the record."""
    runs = [(name, seed) for name in ARMS for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        write(dict(zip(runs, pool.map(train, *zip(*runs, strict=True)), strict=True)))


def write(results: dict[tuple[str, int], dict]) -> None:
    """Write the record of what each arm and seed found."""
    values: dict = {"steps": STEPS, "every": EVERY, "patients": PATIENTS}
    for name in ARMS:
        each = [results[name, seed] for seed in SEEDS]
        values[name] = {
            **{key: [round(e["found"][key], 4) for e in each] for key in each[0]["found"]},
            "curves": {key: [e["curves"][key] for e in each] for key in each[0]["curves"]},
            "png": each[0]["png"],
        }
    print(write_record("gan_failures", f"one mistake each, {STEPS} steps of a DCGAN of the digits", SEEDS, values))


if __name__ == "__main__":
    main()
