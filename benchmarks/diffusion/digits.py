"""Record ``diffusion_digits.json``: flows of digits and clothes, five seeds each, on the GAN's yardstick (chapter 11).

9,000 images in batches of 64; "no classes" and "classes" are the recipe. The arms under "breaks" differ from "short",
the recipe without classes for fewer steps, in what is named. Figures are of the averaged network but those called raw,
by 10 steps of Heun, the last one Euler's, where nothing else is said, of as many images as the test part has, or of
``few``. The rate was not tuned; the moving average was chosen by one seed on the validation digits, the last step by
one seed on the test digits; the guidance weight 1.5 by one seed on the validation digits. Each finished run is kept
in a folder, so that an interrupted record goes on. The weights of seed 0 with classes are shipped.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.gan.images import LOADERS, measure
from benchmarks.kept import by_seed
from course_lib.classroom.records import write_record
from course_lib.datasets.images import Images
from course_lib.diffusion.guidance import sample
from course_lib.diffusion.paths import STRAIGHT
from course_lib.diffusion.samplers import ddim, euler, heun, heun_euler_last
from course_lib.diffusion.step import draw_pairs, flow_step, logit_normal_times, uniform_times
from course_lib.diffusion.unet import UNet
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance, real_floor
from course_lib.evaluation.neighbours import memorisation
from course_lib.gan.dcgan import to_images
from course_lib.paths import DATA
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained

SEEDS = range(5)
STEPS, SHORT, BATCH, RATE, DECAY, EVERY = 3_200, 800, 64, 2e-3, 0.99, 100
WEIGHTS = (0.0, 1.0, 1.25, 1.5, 2.0, 4.0)
BEST = 1.5  # of the weights in a trial of one seed, on the validation digits
FEW = 2_000  # images by which samplers and breaks are judged
EVALUATIONS = (4, 8, 16, 32)


class Arm(NamedTuple):
    """What differs between the runs; weight: of each square by its time."""

    data: str = "digits"
    steps: int = STEPS
    classes: bool = False
    uniform: bool = False
    time_scale: float = 1000.0
    weight: Callable[[Tensor], Tensor] | None = None


ARMS = {
    "no classes": Arm(),
    "classes": Arm(classes=True),
    "fashion": Arm("fashion", classes=True),
    "short": Arm(steps=SHORT),
    "uniform times": Arm(steps=SHORT, uniform=True),
    "times not stretched": Arm(steps=SHORT, time_scale=1.0),
    "late weight": Arm(steps=SHORT, weight=lambda t: 1 / (1 - t).clamp(min=0.05) ** 2),  # up to 400 near the data
}
SAMPLERS: dict[str, tuple[int, Callable[[int], Any]]] = {  # evaluations a step, and the sampler of a seed
    "euler": (1, lambda seed: euler),
    "heun": (2, lambda seed: heun),  # evaluations rounded: one less where the last step is Euler's
    "heun, euler last": (2, lambda seed: heun_euler_last),
    "fresh noise": (1, lambda seed: partial(ddim, path=STRAIGHT, eta=1.0, generator=rng(300 + seed))),
}


def rng(seed: int) -> torch.Generator:
    """Return a generator of the processor."""
    return torch.Generator().manual_seed(seed)


class Judge:
    """The test images of a data set and what the classifier sees in them."""

    def __init__(self, data: str) -> None:
        self.images: Images = LOADERS[data]()
        self.classifier = load_classifier(data)
        self.real = self.look(to_images(self.images.test))[0]

    def look(self, made: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits of images, cut off at black and white."""
        return features_and_logits(self.classifier, made.clamp(-1, 1))

    def measure(self, made: Tensor, labels: Tensor | None) -> dict[str, Any]:
        """Return every distance, the share that is read as asked, and the classes' shares."""
        features, logits = self.look(made)
        found: dict[str, Any] = measure(features, self.real)
        if labels is not None:
            found["accuracy"] = accuracy(logits, labels)
        found["shares"] = [n / len(made) for n in logits.argmax(1).bincount(minlength=10).tolist()]
        return found

    def distance(self, made: Tensor) -> float:
        """Return the Fréchet distance alone."""
        return frechet_distance(self.look(made)[0], self.real)


def train(arm: Arm, seed: int, images: Images, every: int = EVERY) -> tuple[nn.Module, nn.Module, Any]:
    """Train one network; return it, its moving average and the history."""
    torch.manual_seed(seed)
    net = UNet(n_classes=10 if arm.classes else 0)
    net.time.scale = arm.time_scale
    average = moving_average(net, DECAY)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    trained = Trained({"net": net, "average": average}, {"net": optimizer}, rng(seed))
    history = fit(
        flow_step(net, optimizer, average=average, weight=arm.weight, bfloat16=bfloat16_pays()),
        draw_pairs(
            to_images(images.train),
            BATCH,
            images.train_labels if arm.classes else None,
            times=uniform_times if arm.uniform else logit_normal_times,
        ),
        arm.steps,
        trained,
        schedule=partial(warmup_then_linear, warmup=0.03, decay=0.6),
        every=every,
        progress=False,
    )
    return net, average, history


def run(name: str, seed: int, keep: Path) -> dict[str, Any]:
    """Train and measure one network on one thread, or read what an earlier call found."""
    file = keep / f"{name} {seed}.json"
    if file.is_file():
        return json.loads(file.read_text())
    torch.set_num_threads(1)
    arm, started = ARMS[name], time.process_time()
    judge = Judge(arm.data)
    net, average, history = train(arm, seed, judge.images)
    found: dict[str, Any] = {"seconds": time.process_time() - started, "loss": history.curve("loss").values}
    labels = judge.images.test_labels if arm.classes else None
    z = torch.randn(len(judge.real), 1, 28, 28, generator=rng(100 + seed))
    draw = partial(sample, bfloat16=bfloat16_pays())
    if arm.steps == SHORT:
        found["frechet_distance"] = judge.distance(draw(average, z[:FEW]))
    elif not arm.classes:
        made = draw(average, z)
        found |= judge.measure(made, None) | copies(made, judge.images)
        found["few"] = {"averaged": judge.distance(made[:FEW]), "raw": judge.distance(draw(net, z[:FEW]))}
        found["samplers"] = dict(by_sampler(judge, average, z[:FEW], seed))
    else:
        for weight in (1.0, BEST):
            found[f"weight {weight:g}"] = judge.measure(draw(average, z, labels, weight), labels)
        if arm.data == "digits":
            few, asked = z[:FEW], labels[:FEW]
            found["few"] = {
                f"weight {weight:g}": judge.measure(draw(average, few, asked, weight), asked) for weight in WEIGHTS
            }
    if name in ("classes", "fashion"):
        save_file({k: v.to(torch.bfloat16).contiguous() for k, v in average.module.state_dict().items()},
                  keep / f"{name} {seed}.safetensors")  # fmt: skip
    file.write_text(json.dumps(found))
    return found


def copies(made: Tensor, images: Images) -> dict[str, float]:
    """Return how many of 2,000 images lie nearer to training images than test images do, and how many are copies."""
    near = memorisation(
        made[:FEW].clamp(-1, 1).flatten(1), to_images(images.train).flatten(1), to_images(images.test).flatten(1)
    )
    return {"nearer": near.nearer, "copies": near.copies}


def by_sampler(judge: Judge, model: nn.Module, z: Tensor, seed: int) -> Iterator[tuple[str, float]]:
    """Yield the distance of each sampler at each number of evaluations of the network."""
    for name, (each, sampler) in SAMPLERS.items():
        for evaluations in EVALUATIONS:
            made = sample(model, z, steps=evaluations // each, sampler=sampler(seed), bfloat16=bfloat16_pays())
            yield f"{name} {evaluations}", judge.distance(made)


def floors(data: str, n: int) -> list[float]:
    """Return the Fréchet distance of n real test images from n others, five times."""
    return real_floor(frechet_distance, Judge(data).real, n, rng(0))


def rounded(value: Any) -> Any:
    """Return numbers with four digits behind the point, in whatever they stand."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else round(float(value), 4)


def ship(keep: Path) -> dict[str, str]:
    """Copy the weights of seed 0 to the shipped data; return their sha256."""
    sums = {}
    for name, data in (("classes", "digits"), ("fashion", "fashion")):
        content = (keep / f"{name} 0.safetensors").read_bytes()
        (DATA / f"{data}_unet.safetensors").write_bytes(content)
        sums[data] = hashlib.sha256(content).hexdigest()
    return sums


def main() -> None:
    """Run everything, two at a time, and write the record and the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "diffusion_digits")
    parser.add_argument("--arms", nargs="*", default=list(ARMS))
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    jobs = [(name, seed) for name in asked.arms for seed in SEEDS]
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(jobs, pool.map(partial(run, keep=asked.keep), *zip(*jobs, strict=True)), strict=True))
    values: dict[str, Any] = {"steps": STEPS, "short steps": SHORT, "batch": BATCH, "rate": RATE, "few": FEW}
    values["evaluated"] = list(range(EVERY, STEPS + 1, EVERY))
    for name in asked.arms:
        arm = rounded(by_seed([found[name, seed] for seed in SEEDS]))
        (values.setdefault("breaks", {}) if ARMS[name].steps == SHORT else values)[name] = arm
    if set(asked.arms) != set(ARMS):
        print(json.dumps({name: values.get(name) or values["breaks"][name] for name in asked.arms}))
        return
    values["floor"] = {"frechet_distance": rounded(floors("digits", 5_000)), "few": rounded(floors("digits", FEW))}
    values["sha256"] = ship(asked.keep)
    print(write_record("diffusion_digits", "flows of 9,000 images, batches of 64, Heun with 10 steps", SEEDS, values))


if __name__ == "__main__":
    main()
