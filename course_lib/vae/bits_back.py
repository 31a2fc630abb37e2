"""Asymmetric numeral systems, a stack of symbols in one integer, and bits-back coding with a VAE on top of it.

Duda 2009 and 2013, *Asymmetric numeral systems*: a symbol of probability f / 2^precision makes the integer larger by
the factor 2^precision / f, hence longer by the bits of its surprise, and is taken off again last in, first out.
Because a stack can be read before it is written to, z can be *drawn* by decoding bits that are there already, and the
receiver gets them back: Townsend, Bird and Barber 2019, *Practical lossless compression with latent variables using
bits back coding* (BB-ANS). An interval is (start, frequency): the slots start … start + frequency − 1 of 2^precision.
"""

import zlib

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt32, UInt64
from torch import Tensor

from course_lib.information.ans import WORD, Heads, Message
from course_lib.vae.models import PIXELS, VAE

PIXEL_BITS = 16


BIN_BITS, BINS = 12, 1 << 12  # of a latent: bins of equal mass under the prior, so coding one of them costs 12 bits


POSTERIOR_BITS = 24


EDGES = torch.special.ndtri(torch.arange(BINS + 1, dtype=torch.float64) / BINS).numpy()  # −∞ first, ∞ last


CENTRES = torch.special.ndtri((torch.arange(BINS, dtype=torch.float64) + 0.5) / BINS)


def zero_slots(logits: Float[np.ndarray, "*shape"]) -> UInt64[np.ndarray, "*shape"]:
    """Return how many of 2^16 slots a Bernoulli pixel's zero has, 1 … 2^16 − 1; those above them are the one's."""
    of_zero = torch.from_numpy(-logits).double().sigmoid().numpy() * (1 << PIXEL_BITS)
    return np.rint(of_zero).clip(1, (1 << PIXEL_BITS) - 1).astype(np.uint64)


def _pixel_interval(ones: Bool[np.ndarray, "lanes"], of_zero: Heads) -> tuple[Heads, Heads]:
    return np.where(ones, of_zero, np.uint64(0)), np.where(ones, (1 << PIXEL_BITS) - of_zero, of_zero)


def gaussian_cdf(
    bins: Int[np.ndarray, "*shape"], mu: Float[np.ndarray, "*shape"], std: Float[np.ndarray, "*shape"]
) -> UInt64[np.ndarray, "*shape"]:
    """Return how many of 2^24 slots N(mu, std²) leaves below each bin, 0 … 4096: all of them below bin 4096.

    Every bin keeps a slot, the others go by mass. float64 and the same operations for every element.
    """
    below = torch.special.ndtr(torch.from_numpy((EDGES[bins] - mu) / std)).numpy()
    return (below * ((1 << POSTERIOR_BITS) - BINS)).astype(np.uint64) + bins.astype(np.uint64)


def find_bin(slots: Heads, mu: Float[np.ndarray, "lanes"], std: Float[np.ndarray, "lanes"]) -> Int[np.ndarray, "lanes"]:
    """Return the bin, 0 … 4095, in whose interval each slot lies, by bisection: 12 values of the CDF, no table."""
    low, high = np.zeros(len(slots), np.int64), np.full(len(slots), BINS)
    for _ in range(BIN_BITS):
        middle = (low + high) // 2
        reached = gaussian_cdf(middle, mu, std) <= slots
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    return low


def _posterior_interval(bins: np.ndarray, mu: np.ndarray, std: np.ndarray) -> tuple[Heads, Heads]:
    start = gaussian_cdf(bins, mu, std)
    return start, gaussian_cdf(bins + 1, mu, std) - start


def _prior_interval(bins: np.ndarray) -> tuple[Heads, Heads]:
    return bins.astype(np.uint64), np.ones(len(bins), np.uint64)


def start_message(seed_words: UInt32[np.ndarray, "seed"], lanes: int) -> Message:
    """Return a message of random bits alone: each head is a 1 and one of the words, the others are the stack.

    ValueError for lanes below 1 and for fewer words than lanes.
    """
    if not 1 <= lanes <= len(seed_words):
        says = f"got {lanes} and {len(seed_words)}"
        raise ValueError(f"lanes, seed_words: expected at least 1 lane and a word for each, {says}")
    return Message(seed_words[:lanes] | np.uint64(1 << WORD), seed_words[lanes:])


def compress(
    model: VAE, images: Float[Tensor, "n pixels"], seed_words: UInt32[np.ndarray, "seed"], lanes: int = 256
) -> Message:
    """Return a message that holds images of zeros and ones on top of seed_words, random 32-bit words.

    Lane i codes the images i, i + lanes, …; the model is run on lanes images at a time. For each of them z is popped
    with q(z|x), x pushed with p(x|z), z pushed with the prior. The net length, compress(…).bits −
    start_message(seed_words, lanes).bits, is in expectation the −ELBO in bits, a little for the rounding, and 32 bits
    in all for a checksum, which is put on top.
    lanes · (1 + latent_dim) seed words suffice for the first draws. ValueError for what are no such images, for a
    model whose output is not finite, and where the seed words run out.
    """
    if images.ndim != 2 or images.shape[1] != PIXELS or not len(images):
        raise ValueError(f"images: expected a batch (n, {PIXELS}) of at least one, got {tuple(images.shape)}")
    grey = images[(images != 0) & (images != 1)]
    if len(grey):
        raise ValueError(f"images: expected pixels that are 0 or 1, got {grey[0].item():.4g}; data.binarise makes such")
    message = start_message(seed_words, lanes)
    check = _checksum(images, message)
    for group in images.cpu().split(lanes):
        x = (group.T == 1).contiguous().numpy()  # (pixels, lanes), as all below: the last axis is the lanes'
        mu, std = _posterior(model, x)
        bins = np.empty(mu.shape, np.int64)
        for k in range(len(bins)):
            bins[k] = find_bin(message.peek(len(group), POSTERIOR_BITS), mu[k], std[k])
            message.pop(*_posterior_interval(bins[k], mu[k], std[k]), POSTERIOR_BITS)
        of_zero = _zero_slots(model, bins)
        for j in reversed(range(PIXELS)):
            message.push(*_pixel_interval(x[j], of_zero[j]), PIXEL_BITS)
        for k in range(len(bins)):
            message.push(*_prior_interval(bins[k]), BIN_BITS)
    message._put(np.array([check], np.uint32))
    return message


def decompress(model: VAE, message: Message, n: int) -> tuple[Float[Tensor, "n pixels"], UInt32[np.ndarray, "seed"]]:
    """Return the n images of a message that ``compress`` made with this model, on the CPU, and its seed words.

    Every step of ``compress`` is undone in the opposite order; the message itself stays as it is. That works only if
    the networks give the very same floats as they did there, to the last bit, so they are run on the same inputs in
    batches of the same shape; machine, precision and number of threads have to be the same, too.
    ValueError for n below 1, and for a message that is damaged or not of this model: words are missing, or the checksum
    of images and seed words is another, which chance can hide once in 2^32.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1 image, got {n}")
    message, lanes = Message(message.heads, message.words), len(message.heads)
    check, groups = int(message._take(1)[0]), []
    for first in reversed(range(0, n, lanes)):
        size = min(lanes, n - first)
        bins = np.empty((model.latent_dim, size), np.int64)
        for k in reversed(range(len(bins))):
            bins[k] = message.peek(size, BIN_BITS)
            message.pop(*_prior_interval(bins[k]), BIN_BITS)
        of_zero = _zero_slots(model, bins)
        x = np.empty((PIXELS, size), bool)
        for j in range(PIXELS):
            x[j] = message.peek(size, PIXEL_BITS) >= of_zero[j]
            message.pop(*_pixel_interval(x[j], of_zero[j]), PIXEL_BITS)
        mu, std = _posterior(model, x)
        for k in reversed(range(len(bins))):
            message.push(*_posterior_interval(bins[k], mu[k], std[k]), POSTERIOR_BITS)
        groups.append(torch.from_numpy(x.T).float())
    images = torch.cat(groups[::-1])
    if check != (found := _checksum(images, message)):
        says = f"got the checksum {found:08x} where {check:08x} is written"
        raise ValueError(f"message: expected one of {n} images, undamaged and made with this model; {says}")
    return images, np.concatenate([message.heads.astype(np.uint32), message.words])


def _checksum(images: Float[Tensor, "n pixels"], start: Message) -> int:
    """Return the CRC-32 of the images and of the message of random bits that they are put on."""
    pixels = np.packbits(images.cpu().numpy() == 1)
    return zlib.crc32(b"".join(part.tobytes() for part in (pixels, start.heads, start.words)))


def _as_input(batch: Tensor, model: VAE) -> Tensor:
    """Return batch where and in the precision that the model is, always with the same strides, also for one image."""
    weight = next(model.parameters())
    return batch.to(weight.dtype).to(weight.device).clone(memory_format=torch.contiguous_format)


@torch.no_grad()
def _posterior(model: VAE, x: Bool[np.ndarray, "pixels lanes"]) -> tuple[np.ndarray, np.ndarray]:
    """Return mu and the standard deviation of q(z|x), each (latent, lanes)."""
    images = _as_input(torch.from_numpy(x).T, model)
    mu, logvar = (out.cpu().double().T.contiguous() for out in model.encode(images))
    std = (logvar / 2).exp()
    if not (mu.isfinite() & std.isfinite() & (std > 0)).all():
        raise ValueError("model: expected finite mu and logvar from its encoder, got others")
    return mu.numpy(), std.numpy()


@torch.no_grad()
def _zero_slots(model: VAE, bins: Int[np.ndarray, "latent lanes"]) -> UInt64[np.ndarray, "pixels lanes"]:
    """Return ``zero_slots`` of the pixels, given z at the centres of these bins."""
    z = CENTRES[torch.from_numpy(bins).T]
    logits = model.decode(_as_input(z, model)).cpu().double().T.contiguous().numpy()
    if not np.isfinite(logits).all():
        raise ValueError("model: expected finite logits from its decoder, got others")
    return zero_slots(logits)
