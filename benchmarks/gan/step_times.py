"""Time one step of a DCGAN, D and G, loading included, against the loop of PyTorch's DCGAN tutorial, in turns.

The tutorial (docs.pytorch.org, beginner/dcgan_faces_tutorial), written anew here over a TensorDataset: a DataLoader,
D with a sigmoid at its end and binary cross-entropy of probabilities, two backward passes for D, Adam, and the means of
D's outputs read at every step. The networks are the course's, the rate too. Beside the times stands the distance
that each loop has reached after 400 steps, so that nobody is faster by doing less.
"""

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.gan.networks import make_adam, make_networks
from benchmarks.in_turns import in_turns
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.evaluation.classifier import features_and_logits
from course_lib.evaluation.frechet import frechet_distance
from course_lib.gan.dcgan import Discriminator, Generator, sample, to_images
from course_lib.gan.step import adversarial_step, draw_turns
from course_lib.pretrained.classifiers import load_classifier

SEEDS, BATCH, LATENT, RATE, STEPS, ROUNDS, TRAINED = range(3), 64, 64, 2e-3, 10, 15, 400
Loop = tuple[Generator, Callable[[int], None]]


def tutorial(images: torch.Tensor, channels: int, seed: int) -> Loop:
    """Return a generator and the function that trains it for some steps as the tutorial does."""
    torch.manual_seed(seed)
    net_g, net_d = Generator(LATENT, channels), Discriminator(channels)
    criterion, sigmoid = nn.BCELoss(), nn.Sigmoid()
    optimizer_d = torch.optim.Adam(net_d.parameters(), lr=RATE, betas=(0.5, 0.99))
    optimizer_g = torch.optim.Adam(net_g.parameters(), lr=RATE, betas=(0.5, 0.99))
    loader = DataLoader(TensorDataset(images), BATCH, shuffle=True, drop_last=True)

    def batches() -> Iterator[list[torch.Tensor]]:
        while True:
            yield from loader

    stream = batches()

    def steps(count: int) -> None:
        for _ in range(count):
            (real,) = next(stream)
            net_d.zero_grad()
            label = torch.full((BATCH,), 1.0)
            output = sigmoid(net_d(real))
            error_real = criterion(output, label)
            error_real.backward()
            output.mean().item()
            fake = net_g(torch.randn(BATCH, LATENT))
            label.fill_(0.0)
            output = sigmoid(net_d(fake.detach()))
            error_fake = criterion(output, label)
            error_fake.backward()
            output.mean().item()
            (error_real + error_fake).item()
            optimizer_d.step()
            net_g.zero_grad()
            label.fill_(1.0)
            output = sigmoid(net_d(fake))
            error_g = criterion(output, label)
            error_g.backward()
            output.mean().item()
            error_g.item()
            optimizer_g.step()

    return net_g, steps


def ours(images: torch.Tensor, channels: int, seed: int, bfloat16: bool) -> Loop:
    """Return a generator and the function that trains it for some steps as the course does."""
    g, d = make_networks(seed, LATENT, channels)
    step = adversarial_step(g, d, make_adam(g, RATE), make_adam(d, RATE), bfloat16=bfloat16)
    draw, generator = draw_turns(images, None, BATCH, LATENT), torch.Generator().manual_seed(seed)

    def steps(count: int) -> None:
        for _ in range(count):
            step(draw(generator))

    return g, steps


LOOPS = {
    "tutorial": tutorial,
    "ours": lambda *a: ours(*a, bfloat16=False),
    "ours_bfloat16": lambda *a: ours(*a, bfloat16=True),
}


def distances(images: torch.Tensor, real: torch.Tensor, channels: int) -> dict[str, list[float]]:
    """Return each loop's Fréchet distance after TRAINED steps, one a seed."""
    classifier, found = load_classifier("digits"), {}
    z = torch.randn(10_000, LATENT, generator=torch.Generator().manual_seed(100))
    for name, loop in LOOPS.items():
        found[name] = []
        for seed in SEEDS:
            generator, steps = loop(images, channels, seed)
            steps(TRAINED)
            features, _ = features_and_logits(classifier, sample(generator, z))
            found[name].append(round(frechet_distance(features, real), 2))
    return found


def main() -> None:
    """Time the loops for the chapter's networks and for twice the channels, on one thread and two."""
    digits = load_digits()
    images, rows = to_images(digits.train), []
    for channels in (32, 64):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            loops = {name: loop(images, channels, 0)[1] for name, loop in LOOPS.items()}
            ms = in_turns({name: lambda steps=steps: steps(STEPS) for name, steps in loops.items()}, ROUNDS, "cpu")
            each = {f"{name}_ms": round(t / STEPS, 2) for name, t in ms.items()}
            ratios = {f"{name}_ratio": round(ms[name] / ms["tutorial"], 3) for name in ("ours", "ours_bfloat16")}
            rows.append({"channels": channels, "threads": threads, **each, **ratios})
            print(rows[-1], flush=True)
    torch.set_num_threads(1)
    real = features_and_logits(load_classifier("digits"), to_images(digits.test))[0]
    values = {"rows": rows, "trained": TRAINED, "frechet_distance": distances(images, real, 32)}
    print(values["frechet_distance"])
    what = f"milliseconds of a DCGAN's step, D and G, {BATCH} images each, loading included; Fréchet distances"
    write_record("gan_steps", what, SEEDS, values)


if __name__ == "__main__":
    main()
