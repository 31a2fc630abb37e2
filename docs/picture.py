"""Make the README's picture, docs/_static/course.png, from shipped models, exact rules and records.

python docs/picture.py
"""

import math
import sys
from pathlib import Path

import torch
from matplotlib.axes import Axes

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from course_lib.attention.dot_product import scaled_dot_product_attention  # noqa: E402
from course_lib.classroom import figures  # noqa: E402
from course_lib.classroom.figures import BERRY, BLUE, MUTE, ORANGE, TEAL  # noqa: E402
from course_lib.classroom.records import recorded  # noqa: E402
from course_lib.gan.dcgan import sample  # noqa: E402
from course_lib.gan.dirac import dirac_path  # noqa: E402
from course_lib.pretrained.generators import load_generator  # noqa: E402
from course_lib.pretrained.vaes import load_digit_vae  # noqa: E402

TARGET = ROOT / "docs" / "_static" / "course.png"
WORDS = ["the", "king", "wore", "his", "crown"]
QUERIES = [[0.2, 0.1], [0.2, 1.5], [0.6, 0.2], [0.2, 0.9], [2.8, 0.1]]  # chapter 02's, of its five words
KEYS = [[0.1, 0.1], [1.5, 0.1], [0.2, 0.3], [0.9, 0.1], [0.1, 1.4]]


def attention(ax: Axes) -> None:
    """Chapter 02: five words, each of which asks the others."""
    q, k = torch.tensor(QUERIES), torch.tensor(KEYS)
    _, weights = scaled_dot_product_attention(q, k, k)
    figures.matrix(ax, weights, WORDS, WORDS)
    figures.title(ax, f"Attention: ‘crown’ asks, ‘king’ answers ({weights[4, 1]:.2f})")


def bits_a_character(ax: Axes) -> None:
    """Chapter 05: the test part of Shakespeare by counts, by a compressor, and by the chapter's model."""
    counts, model = recorded("rivals").values["test"], recorded("language_model").values["test"]["sliding"]
    mean = sum(model) / len(model) / math.log(2)
    rows = [
        ("counted triples", counts["order 3, 3 discounts"], MUTE),
        ("lzma", counts["lzma"], MUTE),
        ("counted sevens", counts["order 7, 3 discounts"], MUTE),
        ("a small Transformer", mean, BLUE),
    ]
    for y, (_, value, colour) in enumerate(reversed(rows)):
        ax.barh(y, value, color=colour, height=0.6, hatch="" if colour == BLUE else "//", edgecolor="white")
        ax.text(value + 0.03, y, f"{value:.2f}", va="center", fontsize=9.5)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)], fontsize=9.5)
    ax.set_xlim(0, 3.6)
    ax.set_xlabel("bits a character, test text")
    figures.title(ax, "Language: fewer bits than by counting")


def digits(ax: Axes) -> None:
    """Chapters 07 and 11: digits that a VAE drew, over digits that a GAN was asked for."""
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        drawn = torch.bernoulli(load_digit_vae().means(torch.randn(20, 50, generator=noise)), generator=noise)
    z = torch.randn(2, 64, generator=noise).repeat_interleave(10, 0)
    asked = sample(load_generator("digits"), z, torch.arange(10).repeat(2))
    images = torch.cat([drawn.reshape(-1, 28, 28), (asked.reshape(-1, 28, 28) + 1) / 2])
    figures.tiles(ax, images, columns=10)
    ax.axhline(images.shape[-1] * 2 + 1, color=BERRY, linewidth=2)
    ax.set_xlabel("above a VAE's, below a GAN's by class")
    figures.title(ax, "VAE and GAN: digits that nobody wrote")


def game(ax: Axes) -> None:
    """Chapter 10: three ways to play the smallest GAN, from one start."""
    start = torch.tensor(0.8), torch.tensor(0.0)
    ways = [("both at once", "simultaneous", 0.0, BERRY, 110), ("in turn", "alternating", 0.0, ORANGE, 40),
            ("in turn, the\nslope charged", "alternating", 0.4, TEAL, 110)]  # fmt: skip
    for (name, method, gamma, colour, steps), style in zip(ways, (":", "--", "-"), strict=True):
        path = dirac_path(*start, steps, 0.35, 0.35, gamma=gamma, method=method, loss="minimax")
        ax.plot(*path.T.numpy(), color=colour, linestyle=style, linewidth=1.8, label=name)
    ax.plot(0, 0, "k+", markersize=10)
    ax.set_aspect("equal")
    ax.set_xlabel("generator")
    ax.set_ylabel("discriminator")
    ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figures.title(ax, "A GAN's game: away, round, or home")


def main() -> None:
    """Draw the four parts and store the picture."""
    figure, axes = figures.new(2, 2, width=9.5, height=5.6, height_ratios=[1, 1.05])
    for part, ax in zip((attention, bits_a_character, digits, game), axes.flat, strict=True):
        part(ax)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(figures.png(figure))
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
