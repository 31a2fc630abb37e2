"""Time one step of the flow of digits, loading included, against a plain PyTorch loop, in turns.

The plain loop is what tutorials of flow matching do: a DataLoader over a TensorDataset, noise and times drawn, the mean
square of predicted and true velocity, Adam, and the loss read at every step. Network, rate and batch are the course's;
a moving average follows in both. Beside the times stands the loss that each loop has reached after 300 steps, so that
nobody is faster by doing less.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.in_turns import in_turns
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.diffusion.paths import STRAIGHT, noised_pair
from course_lib.diffusion.step import draw_pairs, flow_step, logit_normal_times
from course_lib.diffusion.unet import UNet
from course_lib.gan.dcgan import to_images
from course_lib.training.moving_average import moving_average

SEEDS, BATCH, RATE, STEPS, ROUNDS, TRAINED = range(3), 64, 2e-3, 10, 12, 300
Loop = tuple[nn.Module, Callable[[int], None]]


def plain(images: Tensor, seed: int) -> Loop:
    """Return a network and the function that trains it for some steps in a plain loop."""
    torch.manual_seed(seed)
    net = UNet().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    average = moving_average(net, 0.99)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.99))
    loader = DataLoader(TensorDataset(images), BATCH, shuffle=True, drop_last=True)

    def batches() -> Iterator[list[Tensor]]:
        while True:
            yield from loader

    stream = batches()

    def steps(count: int) -> None:
        for _ in range(count):
            (x,) = next(stream)
            noise, t = torch.randn_like(x), torch.randn(len(x)).sigmoid()
            at = t[:, None, None, None]
            loss = (net(at * x + (1 - at) * noise, t) - (x - noise)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            average.update_parameters(net)
            loss.item()

    return net, steps


def ours(images: Tensor, seed: int, bfloat16: bool) -> Loop:
    """Return a network and the function that trains it for some steps as the course does."""
    torch.manual_seed(seed)
    net = UNet()
    average = moving_average(net, 0.99)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    step = flow_step(net, optimizer, average=average, bfloat16=bfloat16)
    draw, generator = draw_pairs(images, BATCH), torch.Generator().manual_seed(seed)

    def steps(count: int) -> None:
        for _ in range(count):
            step(draw(generator))

    return net, steps


LOOPS = {
    "plain": plain,
    "ours": lambda *a: ours(*a, bfloat16=False),
    "ours_bfloat16": lambda *a: ours(*a, bfloat16=True),
}


def test_loss(net: nn.Module, images: Tensor) -> float:
    """Return the mean square on 2,000 images, noise and times the same for all."""
    generator = torch.Generator().manual_seed(100)
    eps, t = torch.randn(images.shape, generator=generator), logit_normal_times(len(images), generator)
    x_t, target = noised_pair(images, eps, t, STRAIGHT)
    with torch.no_grad():
        return (net(x_t, t) - target).square().mean().item()


def main() -> None:
    """Time the loops on one thread and two, and train them."""
    digits = load_digits()
    images, test, rows = to_images(digits.train), to_images(digits.test)[:2_000], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        loops = {name: loop(images, 0)[1] for name, loop in LOOPS.items()}
        ms = in_turns({name: lambda steps=steps: steps(STEPS) for name, steps in loops.items()}, ROUNDS, "cpu")
        each = {f"{name}_ms": round(t / STEPS, 2) for name, t in ms.items()}
        ratios = {f"{name}_ratio": round(ms[name] / ms["plain"], 3) for name in ("ours", "ours_bfloat16")}
        rows.append({"threads": threads, **each, **ratios})
        print(rows[-1], flush=True)
    torch.set_num_threads(1)
    reached: dict[str, list[float]] = {name: [] for name in LOOPS}
    for name, loop in LOOPS.items():
        for seed in SEEDS:
            net, steps = loop(images, seed)
            steps(TRAINED)
            reached[name].append(round(test_loss(net, test), 4))
    values = {"rows": rows, "trained": TRAINED, "test_loss": reached}
    print(reached)
    what = f"milliseconds of a step of the flow of digits, {BATCH} images, loading included; losses on test digits"
    write_record("flow_steps", what, SEEDS, values)


if __name__ == "__main__":
    main()
