"""A reader's own pictures, in any sizes and colours, as the grey images of 28×28 that the chapters train on."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

SIDE = 28
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FEWEST = 20  # images: less leaves nothing to learn from
UNREADABLE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError)


def load_images(folder: str | Path, invert: bool = False) -> UInt8[Tensor, "n 28 28"]:
    """Return the images in a folder and the folders below it as bytes, 0 black, in the order of their paths.

    Each is turned as its camera says, laid on white where it is transparent, made grey, cropped to the square in its
    middle and scaled to 28×28. invert: dark on light becomes light on dark, as the digits of the course are. Files of
    other kinds, and hidden ones, are passed over.

    NotADirectoryError where there is no such folder. ValueError for an image that cannot be read, with its name, for
    fewer than 20, and where each image is all of one grey.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise NotADirectoryError(f"folder: expected a folder of images, got {str(folder)!r}")
    paths = sorted(path for path in folder.rglob("*") if _is_image(path.relative_to(folder)) and path.is_file())
    if len(paths) < FEWEST:
        kinds = ", ".join(SUFFIXES)
        raise ValueError(f"folder: expected at least {FEWEST} images ({kinds}), got {len(paths)} in {str(folder)!r}")
    images = torch.stack([_grey_square(path) for path in paths])
    if (images == images[:, :1, :1]).all():
        raise ValueError(f"folder: expected pictures, got {len(paths)} images that are each all of one grey")
    return 255 - images if invert else images


def split_images(
    images: UInt8[Tensor, "n 28 28"],
) -> tuple[UInt8[Tensor, "n_train 28 28"], UInt8[Tensor, "rest 28 28"]]:
    """Return nine tenths to train and the rest to validate, shuffled with seed 0: folders come in some order."""
    mixed = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    return mixed[: -(len(mixed) // 10)], mixed[-(len(mixed) // 10) :]


def _is_image(path: Path) -> bool:
    """Return whether a path inside the folder has an image's suffix and no hidden part."""
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _grey_square(path: Path) -> UInt8[Tensor, "28 28"]:
    """Return one file as an image of the course; ValueError with its name where it cannot be read."""
    try:
        with Image.open(path) as opened:
            grey = _grey(ImageOps.exif_transpose(opened))
            square = ImageOps.fit(grey, (SIDE, SIDE), Image.Resampling.BOX)
    except UNREADABLE as error:
        raise ValueError(f"folder: expected images that can be read, got {path.name}: {error}") from None
    return torch.from_numpy(np.array(square))


def _grey(image: Image.Image) -> Image.Image:
    """Return an image of one byte a pixel: transparent places white, sixteen bits brought down to eight."""
    if image.mode.startswith("I"):  # sixteen bits: Pillow's own conversion would cut off all above 255
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L")
