"""Time a VAE's training step, loading included, against PyTorch's own VAE example, the same network, in turns.

The example (github.com/pytorch/examples, vae/main.py): 784 → 400 → 20 latents and back, ReLU, Adam, batches of 128 from
a DataLoader, binary cross-entropy of probabilities summed. It is written anew here, over a TensorDataset. Ours has the
same layers, of the course's ``Linear``; it draws each pixel anew as zero or one, which the example does not, and clips
nothing.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.in_turns import in_turns
from course_lib.classroom.records import write_record
from course_lib.datasets.images import load_digits
from course_lib.training.linear import Linear
from course_lib.vae.models import VAE
from course_lib.vae.step import draw_binary, vae_step

BATCH, STEPS, ROUNDS = 128, 20, 15


class Example(nn.Module):
    """The example's network."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.mu, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.down, self.pixels = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return probabilities, mu and logvar."""
        hidden = F.relu(self.up(x))
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return torch.sigmoid(self.pixels(F.relu(self.down(z)))), mu, logvar


def example(greys: torch.Tensor):
    """Return a function that trains the example for some steps."""
    model = Example()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(greys), BATCH, shuffle=True)

    def batches():
        while True:
            yield from loader

    stream = batches()

    def steps() -> None:
        for _ in range(STEPS):
            (x,) = next(stream)
            optimizer.zero_grad()
            p, mu, logvar = model(x)
            loss = F.binary_cross_entropy(p, x, reduction="sum")
            loss = loss - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss.backward()
            loss.item()  # the example adds it up
            optimizer.step()

    return steps


def ours(greys: torch.Tensor, bfloat16: bool):
    """Return a function that trains the course's VAE of the same layers for as many steps."""
    encoder = nn.Sequential(Linear(784, 400), nn.ReLU(), Linear(400, 40))
    decoder = nn.Sequential(Linear(20, 400), nn.ReLU(), Linear(400, 784))
    model, generator = VAE(encoder, decoder, 20), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    step, draw = vae_step(model, optimizer, bfloat16=bfloat16), draw_binary(greys, BATCH, model.latent_dim)

    def steps() -> None:
        for _ in range(STEPS):
            step(draw(generator))

    return steps


def main() -> None:
    """Time all three on two threads and on one, and write the record."""
    torch.manual_seed(0)
    greys, rows = load_digits().train.flatten(1) / 255, []
    for threads in (2, 1):
        torch.set_num_threads(threads)
        candidates = {"example": example(greys), "ours": ours(greys, False), "ours_bfloat16": ours(greys, True)}
        ms = in_turns(candidates, ROUNDS, "cpu")
        each = {f"{name}_ms": round(t / STEPS, 3) for name, t in ms.items()}
        speed = {f"{name}_images_per_s": round(1e3 * BATCH * STEPS / t) for name, t in ms.items()}
        ratios = {f"{name}_ratio": round(ms["example"] / ms[name], 2) for name in ("ours", "ours_bfloat16")}
        rows.append({"threads": threads, **each, **speed, **ratios})
        print(rows[-1], flush=True)
    torch.set_num_threads(2)
    what = f"milliseconds of a VAE's training step of {BATCH} images, loading included, and images a second"
    write_record("vae_steps", what, [0], {"rows": rows})


if __name__ == "__main__":
    main()
