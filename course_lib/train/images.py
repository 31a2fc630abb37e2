"""The models of images: chapter 07's VAE, chapter 11's GAN with classes, both of 9,000 digits; or of own images."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.optim import Optimizer

from course_lib.datasets.images import binarise, load_digits
from course_lib.datasets.own_images import split_images
from course_lib.evaluation.classifier import accuracy, features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.gan.dcgan import Discriminator, Generator, sample, to_images
from course_lib.gan.step import Turns, adversarial_step, draw_turns
from course_lib.pretrained.classifiers import load_classifier
from course_lib.train.plan import Plan
from course_lib.training.distributed import Processes
from course_lib.training.moving_average import moving_average
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.vae.models import fully_connected_vae, log_likelihood
from course_lib.vae.step import Batch, draw_binary, vae_step

ALONE = Processes()
Images = UInt8[Tensor, "n 28 28"]


def vae_plan(device: torch.device, seed: int = 0, images: Images | None = None, processes: Processes = ALONE) -> Plan:
    """Return chapter 07's training: 50 latents, 6,000 steps of 100 digits, drawn anew and moved by up to a pixel.

    images: the digits when left out.
    """
    digits = load_digits()
    train, held_out = (digits.train, digits.validation) if images is None else split_images(images)
    greys = (train.flatten(1) / 255).to(device)
    validation = binarise(held_out, torch.Generator().manual_seed(1)).flatten(1).to(device)
    torch.manual_seed(seed)
    model = fully_connected_vae(50, 500, mean=greys.mean(0)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.05, fused=True)
    processes.average_gradients(model)
    bfloat16 = processes.agree(bfloat16_pays(device), device)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))

    def measure() -> Mapping[str, float]:
        bound = log_likelihood(model, validation, 10, torch.Generator().manual_seed(5)).mean()
        return {"validation bound, k = 10, nats": bound.item()}

    return Plan(
        what=f"a VAE of 50 latents on {'the binary digits' if images is None else f'{len(train):,} own images'}",
        trained=trained,
        step=vae_step(model, optimizer, clip=50, bfloat16=bfloat16),
        draw=draw_binary(greys, 100, latent_dim=50, shift=1),
        steps=6000,
        quick=300,
        measure=measure,
        schedule=partial(warmup_then_linear, warmup=0.05, decay=0.95),
        unit=("image", 100),
        batch=100,
        take=lambda batch, rows: Batch(batch.x[rows], batch.eps[:, rows]),
    )


def gan_plan(device: torch.device, seed: int = 0, images: Images | None = None, processes: Processes = ALONE) -> Plan:
    """Return chapter 11's training: a DCGAN with classes, 600 steps of 64 digits, both rates 2e-3, weights averaged.

    images: the digits when left out. Others have no classes, and the discriminator is then the deeper one; nor is there
    a classifier that could measure them.
    """
    digits, own = load_digits(), images is not None
    real = to_images(digits.train if images is None else images).to(device)
    n_classes = 0 if own else 10
    torch.manual_seed(seed)
    g = Generator(64, channels=32, n_classes=n_classes)
    d = Discriminator(channels=32, n_classes=n_classes, hidden=128 if own else 0, depth=3 if own else 2)
    for network in (g, d):
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        processes.average_gradients(network)
    bfloat16 = processes.agree(bfloat16_pays(device), device)
    optimizers: dict[str, Optimizer] = {
        name: torch.optim.Adam(network.parameters(), 2e-3, (0.5, 0.99), fused=True)
        for name, network in (("G", g), ("D", d))
    }
    average = moving_average(g, decay=0.98)
    trained = Trained({"G": g, "D": d, "average": average}, optimizers, torch.Generator().manual_seed(seed))

    def measure() -> Mapping[str, float]:
        if own:
            return {"images": len(real)}
        noise = torch.randn(len(digits.test), 64, generator=torch.Generator().manual_seed(1)).to(device)
        classifier, asked = load_classifier("digits").to(device), digits.test_labels.to(device)
        features, _ = features_and_logits(classifier, to_images(digits.test).to(device))
        made, logits = features_and_logits(classifier, sample(average, noise, asked))
        return {"Fréchet distance, n = 10,000": frechet_distance(made, features), "as asked": accuracy(logits, asked)}

    return Plan(
        what=f"a GAN of {len(real):,} own images" if own else "a GAN of the digits, with classes",
        trained=trained,
        step=adversarial_step(g, d, optimizers["G"], optimizers["D"], average=average, bfloat16=bfloat16),
        draw=draw_turns(real, None if own else digits.train_labels, 64, 64),
        steps=600,
        quick=600,
        measure=measure,
        every=20,
        unit=("image", 64),
        batch=64,
        take=_take_turns,
        differs="batch norm takes its statistics over each process's own rows",
    )


def _take_turns(turns: Turns, rows: slice) -> Turns:
    """Return some of the images, of the noise and of the labels of every turn."""
    labels = None if turns.labels is None else turns.labels[:, rows]
    return Turns(turns.real[:, rows], turns.z[:, rows], labels)
