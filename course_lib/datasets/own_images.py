"""A reader's own pictures, in any sizes and colours: as grey images of 28×28, or, with captions, in colour.

Captions are the names of the files: 'red_heart.png', and 'red heart 2.png' where a caption comes twice.
"""

import re
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
    paths = _paths(folder, FEWEST)
    images = torch.stack([_square(path, SIDE, "L") for path in paths])
    if (images == images[:, :1, :1]).all():
        raise ValueError(f"folder: expected pictures, got {len(paths)} images that are each all of one grey")
    return 255 - images if invert else images


def load_captioned(folder: str | Path, side: int = 32) -> tuple[UInt8[Tensor, "n 3 side side"], list[str]]:
    """Return the images in a folder and those below it, in colour, and their captions, in the order of their paths.

    Images are turned, laid on white and cropped as by ``load_images``. A caption is the file's name in lower case, with
    spaces for '_' and '-', without its suffix and without a number of its own at the end.

    NotADirectoryError where there is no such folder. ValueError for an image that cannot be read or whose name has no
    letter, with its name, and for a folder without images.
    """
    paths = _paths(folder, 1)
    captions = [caption_of(path) for path in paths]
    return torch.stack([_square(path, side, "RGB").permute(2, 0, 1) for path in paths]).contiguous(), captions


def caption_of(path: str | Path) -> str:
    """Return the caption that a file's name is: 'Red_heart-2.png' is 'red heart'. ValueError for a name without one."""
    words = re.sub(r"[_\-\s]+", " ", Path(path).stem).strip().lower()
    words = re.sub(r"(?<=\S) \d+$", "", words)
    if not re.search(r"[^\W\d_]", words):
        raise ValueError(f"folder: expected names that say what is shown, as 'red_heart.png', got {Path(path).name}")
    return words


def split_images(
    images: UInt8[Tensor, "n 28 28"],
) -> tuple[UInt8[Tensor, "n_train 28 28"], UInt8[Tensor, "rest 28 28"]]:
    """Return nine tenths to train and the rest to validate, shuffled with seed 0: folders come in some order."""
    mixed = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    return mixed[: -(len(mixed) // 10)], mixed[-(len(mixed) // 10) :]


def _paths(folder: str | Path, fewest: int) -> list[Path]:
    """Return the images' paths, sorted; errors as for ``load_images``."""
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise NotADirectoryError(f"folder: expected a folder of images, got {str(folder)!r}")
    paths = sorted(path for path in folder.rglob("*") if _is_image(path.relative_to(folder)) and path.is_file())
    if len(paths) < fewest:
        kinds = ", ".join(SUFFIXES)
        raise ValueError(f"folder: expected at least {fewest} images ({kinds}), got {len(paths)} in {str(folder)!r}")
    return paths


def _is_image(path: Path) -> bool:
    """Return whether a path inside the folder has an image's suffix and no hidden part."""
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _square(path: Path, side: int, mode: str) -> UInt8[Tensor, "side side *colours"]:
    """Return one file as a square, grey ("L") or in colour ("RGB"); ValueError with its name where it is unreadable."""
    try:
        with Image.open(path) as opened:
            flat = _flat(ImageOps.exif_transpose(opened), mode)
            square = ImageOps.fit(flat, (side, side), Image.Resampling.BOX)
    except UNREADABLE as error:
        raise ValueError(f"folder: expected images that can be read, got {path.name}: {error}") from None
    return torch.from_numpy(np.array(square))


def _flat(image: Image.Image, mode: str) -> Image.Image:
    """Return an image of one byte a pixel and colour: transparent places white, sixteen bits brought down to eight."""
    if image.mode.startswith("I"):  # sixteen bits: Pillow's own conversion would cut off all above 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)
