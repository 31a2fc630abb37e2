"""What the tests of pictures share: contrast, and the pixels of a colour near a place."""

import io

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image


def luminance(colour):
    """Of the Web Content Accessibility Guidelines 2.2."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Between 1 and 21; text asks for 4.5."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pixels(png):
    """(height, width, 3) of 0 … 255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def place(ax, x, y):
    """The column and the row of a point in the picture of a figure that has been drawn."""
    column, row = ax.transData.transform((float(x), float(y)))
    return column, ax.figure.bbox.height - row


def shown(png, colour, ax, x, y, radius=4, tolerance=24):
    """How many pixels within a radius of a point of the axes have the colour, of 255 within the tolerance."""
    picture, (column, row) = pixels(png).astype(int), place(ax, x, y)
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    near = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    same = np.abs(picture - np.round(255 * np.array(to_rgb(colour)))).max(-1) <= tolerance
    return int((near & same).sum())
