"""What a picture of coloured digits shows, measured, and which of the things that were asked for it shows.

A program finds the things and measures colour, size, stroke and place; a small classifier names the digits. Things are
pieces of ink with more than two black pixels between them, whatever their colours.

Nine numbers describe a picture: digit, colour, size and stroke of one thing, the same of another, and the place; −1 for
what is not there, and, where they ask, for what is not asked. Colours: red, green, blue, yellow, magenta, cyan. Sizes:
small, large. Strokes: thin, thick. Places: of two, the first left of or above the second; of one, the middle, top left,
top right, bottom left, bottom right (``course_lib.datasets.scenes`` has these lists).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from course_lib.evaluation.classifier import Classifier, features_and_logits

INK = 0.19  # of the brightest channel, from which on a pixel is ink
LEAST = 4.0  # full pixels of ink in a thing; less is a speck
LIT = 0.6  # of a pixel's brightest channel, from which on another one is lit as well
PURE = 0.75  # of a thing's ink that has to be of one colour
CUT_SIZE = 11.5  # pixels, the longer side: below it small
CUT_BOLDNESS = (0.397, 0.523)  # below it thin: of small things, of large ones
FROM_MIDDLE = 4.5  # pixels, in both directions: nearer is the middle, further a corner
COLOUR_OF_CODE = (-1, 0, 1, 3, 2, 4, 5, -1)  # red + 2 green + 4 blue to the colour's number; black and white are none
COLOUR, SIZE, STROKE, PLACE = [1, 5], [2, 6], [3, 7], 8
TURNED = [4, 5, 6, 7, 0, 1, 2, 3, 8]
WEIGHTS = (10, 1, 1, 1, 10, 1, 1, 1, 4)  # of what is right, when two things are matched with the two asked for


@dataclass(frozen=True)
class Found:
    """What a program finds in pictures: their two largest things, in order, and how many there are.

    ink: of each thing alone, 0 … 1; box: first row, first column, height, width; there: whether there is such a thing;
    colour, large, thick: numbers; place and count: of each picture.
    """

    ink: Float[Tensor, "n 2 32 32"]
    box: Int[Tensor, "n 2 4"]
    there: Bool[Tensor, "n 2"]
    colour: Int[Tensor, "n 2"]
    large: Int[Tensor, "n 2"]
    thick: Int[Tensor, "n 2"]
    place: Int[Tensor, "n"]
    count: Int[Tensor, "n"]


def find(images: Float[Tensor, "n 3 32 32"] | UInt8[Tensor, "n 3 32 32"]) -> Found:
    """Return what is in pictures: bytes, or −1 black to 1 full, what is beyond cut off. All is on the processor.

    A colour is −1 for white, and for a thing of several colours. ValueError for no images, and for images of fractions
    none of which is below 0: in [0, 1] black would be half lit.
    """
    ink, colour = _ink(images)
    things, count = _things(ink)  # (n, 2, 32, 32): which pixels
    box = _boxes(things)
    order, place = _order(box, count)
    rows = torch.arange(len(ink))[:, None]
    things, box = things[rows, order], box[rows, order]
    alone = ink[:, None] * things
    large = (box[..., 2:].amax(2) > CUT_SIZE).long()
    thick = (_boldness(alone) > torch.tensor(CUT_BOLDNESS)[large]).long()
    return Found(alone, box, things.any(3).any(2), _colours(alone, colour), large, thick, place, count)


def describe(
    images: Float[Tensor, "n 3 32 32"] | UInt8[Tensor, "n 3 32 32"], judge: Classifier
) -> tuple[Int[Tensor, "n 9"], Int[Tensor, "n"]]:
    """Return the numbers of each picture, of its two largest things, and how many things it has.

    ``course_lib.pretrained.judges.load_judge()`` is the judge. ValueError as for ``find``.
    """
    found = find(images)
    return numbers(found, judge), found.count


def numbers(found: Found, judge: Classifier) -> Int[Tensor, "n 9"]:
    """Return nine numbers for each picture; the judge names the digits."""
    columns = [named_digits(found, judge), found.colour, found.large, found.thick]
    described = torch.stack([torch.where(found.there, column, -1) for column in columns], dim=2).flatten(1)
    return torch.cat([described, found.place[:, None]], dim=1)


def right(
    described: Int[Tensor, "n 9"], counts: Int[Tensor, "n"], asked: Int[Tensor, "n 9"]
) -> dict[str, Bool[Tensor, "n"]]:
    """Return for each picture which of the things asked for are right, and under "all" whether all are.

    Keys: count, digit, colour, size, stroke, place, all; each of digit to stroke is right where it is for both things.
    What is not asked is right. Things are matched with those asked for so that most is right, the digits first: of a
    red two above a blue seven, asked for a red seven above a blue two, digits are right, place and colours wrong.

    ValueError where pictures and questions do not pair.
    """
    found, asked = matched(described, asked)
    same = (asked < 0) | (found == asked)
    answers = {"count": (asked[:, [0, 4]] >= 0).sum(1) == counts.to(asked.device), "digit": same[:, [0, 4]].all(1)}
    answers |= {name: same[:, at].all(1) for name, at in (("colour", COLOUR), ("size", SIZE), ("stroke", STROKE))}
    answers["place"] = same[:, PLACE]
    return answers | {"all": torch.stack(list(answers.values())).all(0)}


def matched(described: Int[Tensor, "n 9"], asked: Int[Tensor, "n 9"]) -> tuple[Int[Tensor, "n 9"], Int[Tensor, "n 9"]]:
    """Return what is described with its things in the order of those asked for, beside what is asked.

    Where they had to be turned round, the place is −2: it is not as asked, and says so where two things are asked for
    without a place. ValueError where pictures and questions do not pair.
    """
    if len(described) != len(asked):
        raise ValueError(f"asked: expected {len(described)} scenes, one a picture, got {len(asked)}")
    asked = asked.cpu()
    turned = described[:, TURNED].clone()
    turned[:, PLACE] = -2
    weights = torch.tensor(WEIGHTS)
    scores = [(((asked < 0) | (asked == found)) * weights).sum(1) for found in (described, turned)]
    return torch.where((scores[1] > scores[0])[:, None], turned, described), asked


def exchanged(
    described: Int[Tensor, "n 9"], asked: Int[Tensor, "n 9"], columns: tuple[int, int] = (1, 5)
) -> Bool[Tensor, "n"]:
    """Return where two different colours were asked for, and each is at the other thing: bound to the wrong word.

    columns: (2, 6) for sizes, (3, 7) for strokes. Other things may be right or wrong.
    """
    found, asked = matched(described, asked)
    wanted, got = asked[:, list(columns)], found[:, list(columns)]
    return (wanted >= 0).all(1) & (wanted[:, 0] != wanted[:, 1]) & (got == wanted.flip(1)).all(1)


def named_digits(found: Found, judge: Classifier) -> Int[Tensor, "n 2"]:
    """Return the judge's digit for each thing. It has no word for 'none': any ink is some digit to it."""
    crops = cropped(found.ink.flatten(0, 1), found.box.flatten(0, 1)).to(judge.last.weight.device)
    return features_and_logits(judge, crops)[1].argmax(1).view(-1, 2).cpu()


def cropped(ink: Float[Tensor, "n 32 32"], box: Int[Tensor, "n 4"]) -> Float[Tensor, "n 1 28 28"]:
    """Return what is in each box (first row, first column, height, width), −1 black to 1, as a 28 × 28 image.

    The longer side becomes 20 pixels, in the middle, as in MNIST.
    """
    start, extent = box[:, :2].float(), box[:, 2:].float().clamp(min=1)
    scale = extent.amax(1) * 28 / 20 / ink.shape[-1]
    centre = (2 * start + extent) / ink.shape[-1] - 1  # −1 … 1 from edge to edge, row and column
    theta = torch.zeros(len(ink), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = centre.flip(1)  # columns come first
    grid = F.affine_grid(theta, [len(ink), 1, 28, 28], align_corners=False)
    return 2 * F.grid_sample(ink[:, None], grid, align_corners=False) - 1


def _ink(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the ink of each pixel, 0 … 1, and its colour's number, on the processor."""
    if not len(images):
        raise ValueError("images: expected at least one, got none")
    pixels = images.detach().float().cpu()
    if images.dtype == torch.uint8:
        pixels = pixels / 255
    elif pixels.amin() < 0:
        pixels = (pixels.clamp(-1, 1) + 1) / 2
    else:
        raise ValueError(f"images: expected bytes or pixels from −1, black, to 1, got {pixels.amin():g} or more")
    ink = pixels.amax(1)
    lit = pixels >= LIT * ink[:, None].clamp(min=1e-6)
    code = (lit * torch.tensor([1, 2, 4])[:, None, None]).sum(1)
    return ink, torch.tensor(COLOUR_OF_CODE)[code]


def _things(ink: Tensor) -> tuple[Tensor, Tensor]:
    """Return (n, 2, height, width), which pixels the two things with most ink have, and how many things there are."""
    n = len(ink)
    mask = ink >= INK
    near = F.max_pool2d(mask.float(), 3, stride=1, padding=1) > 0  # joins what up to two black pixels part
    in_plane = [[[0] * 3] * 3, [[1] * 3] * 3, [[0] * 3] * 3]
    labels = torch.from_numpy(ndimage.label(near.numpy(), in_plane)[0]).long()
    last = labels.flatten(1).amax(1).cummax(0).values  # labels grow from image to image
    first = F.pad(last[:-1], (1, 0))
    own = torch.where(labels > 0, labels - first[:, None, None], 0)  # 1, 2, … in each image
    amounts = torch.zeros(n, int(own.max()) + 2)
    amounts.scatter_add_(1, own.flatten(1), (ink * mask).flatten(1))
    most = amounts[:, 1:].sort(1, descending=True)
    pieces = F.pad(most.indices, (0, 1))[:, :2] + 1
    kept = (F.pad(most.values, (0, 1))[:, :2] >= LEAST)[..., None, None]
    return (own[:, None] == pieces[..., None, None]) & mask[:, None] & kept, (most.values >= LEAST).sum(1)


def _boxes(things: Tensor) -> Tensor:
    """Return (n, 2, 4): first row, first column, height, width of each thing; no things have zeros."""
    lines = things.any(3).int(), things.any(2).int()
    first = torch.stack([line.argmax(2) for line in lines], 2)
    last = torch.stack([line.shape[2] - line.flip(2).argmax(2) for line in lines], 2)
    return torch.cat([first, last - first], 2) * things.any(3).any(2)[..., None]


def _order(box: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return (n, 2), which thing comes first, the left or upper one, and the number of the place."""
    centre = box[..., :2] + box[..., 2:] / 2  # row and column
    step = centre[:, 1] - centre[:, 0]
    beside = step[:, 1].abs() > step[:, 0].abs()
    behind = torch.where(beside, step[:, 1], step[:, 0]) < 0
    order = torch.stack([behind, ~behind], 1).long()
    order[counts < 2] = torch.tensor([0, 1])
    off = centre[:, 0] - 16
    corner = 3 + 2 * (off[:, 0] > 0).long() + (off[:, 1] > 0).long()
    clear = (off.abs() >= FROM_MIDDLE).all(1)
    spot = torch.where((off.abs() < FROM_MIDDLE).all(1), 2, torch.where(clear, corner, -1))
    place = torch.where(counts >= 2, torch.where(beside, 0, 1), spot)
    return order, torch.where(counts > 0, place, -1)


def _colours(ink: Tensor, colour: Tensor) -> Tensor:
    """Return (n, 2), the colour that most of the ink of each thing has, −1 where that is less than PURE of it."""
    shares = torch.stack([(ink * (colour == i)[:, None]).sum((2, 3)) for i in range(6)], 2)
    share, number = (shares / ink.sum((2, 3)).clamp(min=1e-6)[..., None]).max(2)
    return torch.where(share >= PURE, number, -1)


def _boldness(ink: Tensor) -> Tensor:
    """Return (n, 2), how much ink lies around ink: the mean over 3 × 3 pixels, averaged over the ink."""
    around = F.avg_pool2d(ink, 3, stride=1, padding=1)
    return (ink * around).sum((2, 3)) / ink.sum((2, 3)).clamp(min=1e-6)
