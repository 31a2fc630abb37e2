"""Record ``flows_in_latents.json``: a flow of digits in the latents of a smooth autoencoder, beside one in pixels.

An autoencoder trains for 700 steps, a flow in its latents for 1,000. "unit": each channel has mean 0 and standard
deviation 1, as noise has; "as they come": not changed; "a fifth", "five times": unit latents of that scale. The
control, "pixels", is the same U-Net for as many operations as autoencoder and flow together. Distances are of 10,000
images from the 10,000 test digits, sampled by ten of Heun's steps; nothing was chosen on the test images.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.diffusion.in_use import by_key, each_seed, samples
from benchmarks.gan.images import measure
from benchmarks.kept import kept
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.diffusion.latent import Autoencoder, Scale, autoencoder_step, draw_images, encode_all, scale_of
from course_lib.diffusion.step import draw_pairs, flow_step
from course_lib.diffusion.unet import UNet
from course_lib.evaluation.classifier import features_and_logits
from course_lib.gan.dcgan import to_images
from course_lib.pretrained.classifiers import load_classifier
from course_lib.training.fit import fit
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS, CHANNELS, BATCH, KL_WEIGHT = range(5), 4, 64, 0.02
AUTOENCODER_STEPS, FLOW_STEPS = 700, 1000
SCALES = {"unit": 1.0, "as they come": None, "a fifth": 0.2, "five times": 5.0}
SCHEDULE = partial(warmup_then_linear, warmup=0.03, decay=0.5)

digits, classifier = load_digits(), load_classifier("digits")
train_images, test_images = to_images(digits.train), to_images(digits.test)


def features(images: Tensor) -> Tensor:
    """Return the classifier's features of images, cut to [−1, 1]."""
    return torch.cat([features_and_logits(classifier, part.clamp(-1, 1))[0] for part in images.split(1000)])


def autoencoder(seed: int) -> tuple[Autoencoder, float]:
    """Train the autoencoder on one thread; return it, and the processor seconds."""
    torch.manual_seed(seed)
    model = Autoencoder(CHANNELS)
    adam = torch.optim.Adam(model.parameters(), 2e-3, (0.9, 0.99), fused=True)
    trained = Trained({"model": model}, {"adam": adam}, torch.Generator().manual_seed(seed))
    started = time.process_time()
    step = autoencoder_step(model, adam, KL_WEIGHT)
    fit(step, draw_images(train_images, BATCH, CHANNELS), AUTOENCODER_STEPS, trained, schedule=SCHEDULE, progress=False)
    return model.eval().requires_grad_(False), time.process_time() - started


def flow(x: Tensor, seed: int, steps: int, fold: int) -> tuple[nn.Module, float]:
    """Train a flow of images or latents on one thread; return its average, and the processor seconds."""
    torch.manual_seed(seed)
    net = UNet(x.shape[1], fold=fold)
    adam = torch.optim.Adam(net.parameters(), 3e-3, (0.9, 0.99), fused=True)
    average = moving_average(net, 0.99)
    trained = Trained({"net": net, "average": average}, {"adam": adam}, torch.Generator().manual_seed(seed))
    started = time.process_time()
    fit(flow_step(net, adam, average=average), draw_pairs(x, BATCH), steps, trained, schedule=SCHEDULE, progress=False)
    return average.module.eval(), time.process_time() - started


def operations() -> dict[str, int]:
    """Return the floating-point operations of the products of one training step of each."""
    torch.manual_seed(0)
    model, found = Autoencoder(CHANNELS), {}
    adam = torch.optim.Adam(model.parameters())
    with FlopCounterMode(display=False) as counter:
        batch = draw_images(train_images, BATCH, CHANNELS)(torch.Generator().manual_seed(0))
        autoencoder_step(model, adam)(batch)
    found["autoencoder"] = counter.get_total_flops()
    for name, shape, fold in (("latents", (CHANNELS, 7, 7), 1), ("pixels", (1, 28, 28), 2)):
        net = UNet(shape[0], fold=fold)
        step = flow_step(net, torch.optim.Adam(net.parameters()))
        with FlopCounterMode(display=False) as counter:
            step(draw_pairs(torch.randn(BATCH, *shape), BATCH)(torch.Generator().manual_seed(0)))
        found[name] = counter.get_total_flops()
    return found


def in_latents(seed: int, n: int) -> dict[str, dict[str, float]]:
    """Train an autoencoder and its flows; return what was measured of each."""
    model, seconds = autoencoder(seed)
    latents = encode_all(model, train_images)
    scale = scale_of(latents)
    with torch.no_grad():
        again = model.decode(encode_all(model, test_images)).clamp(-1, 1)
    squares = (again - test_images).square().flatten(1).sum(1).mean().item()
    real = features(test_images)
    found = {"reconstructions": {"squares": squares, "train_seconds": seconds, **measure(features(again), real)}}
    found["reconstructions"]["std"] = [round(value, 3) for value in scale.std.flatten().tolist()]
    for name, factor in SCALES.items():
        own = Scale(torch.zeros(()), torch.ones(())) if factor is None else Scale(scale.mean, scale.std / factor)
        net, seconds = flow(own.to_unit(latents), seed, FLOW_STEPS, fold=1)
        started = time.process_time()
        with torch.no_grad():
            made = torch.cat([model.decode(own.back(z)) for z in samples(net, (CHANNELS, 7, 7), n, seed).split(500)])
        per_image = (time.process_time() - started) / n
        found[name] = {"train_seconds": seconds, "seconds_per_image": per_image, **measure(features(made), real)}
    return found


def in_pixels(seed: int, steps: int, n: int) -> dict[str, float]:
    """Train the control and measure it."""
    net, seconds = flow(train_images, seed, steps, fold=2)
    started = time.process_time()
    made = samples(net, (1, 28, 28), n, seed)
    per_image = (time.process_time() - started) / n
    return {"train_seconds": seconds, "seconds_per_image": per_image, **measure(features(made), features(test_images))}


def main() -> None:
    """Count, train, measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "flows_in_latents")
    parser.add_argument("--images", type=int, default=10_000)
    chosen = parser.parse_args()
    chosen.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    counts = operations()
    spent = AUTOENCODER_STEPS * counts["autoencoder"] + FLOW_STEPS * counts["latents"]
    steps = round(spent / counts["pixels"])
    runs = [kept(chosen.kept, f"latents {s}", lambda s=s: in_latents(s, chosen.images)) for s in SEEDS]
    values: dict = {"operations": counts, "steps": {"autoencoder": AUTOENCODER_STEPS, "latents": FLOW_STEPS}}
    values["steps"]["pixels"] = steps
    for name in runs[0]:
        values[name] = by_key([run[name] for run in runs])
    values["pixels"] = each_seed(chosen.kept, "pixels", lambda seed: in_pixels(seed, steps, chosen.images))
    what = "a flow of 9,000 digits in the latents of an autoencoder, beside one in pixels for as many operations"
    print(write_record("flows_in_latents", what, SEEDS, values))


if __name__ == "__main__":
    main()
