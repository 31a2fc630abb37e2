"""Pushes and pops undo each other, lengths are surprises, and a VAE's bits come back: net, the ELBO is paid."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch

from course_lib.datasets.images import binarise, load_digits
from course_lib.information.ans import Message
from course_lib.vae.bits_back import (
    BINS,
    CENTRES,
    compress,
    decompress,
    find_bin,
    gaussian_cdf,
    start_message,
    zero_slots,
)
from course_lib.vae.models import fully_connected_vae


def words(n, seed=0):
    return np.random.default_rng(seed).integers(2**32, size=n, dtype=np.uint32)


def test_pixels_have_the_slots_of_their_probability_and_never_none():
    assert zero_slots(np.array([0.0, 40.0, -40.0, 800.0, -800.0, math.log(3)])).tolist() == [
        *(32_768, 1, 65_535, 1, 65_535, 16_384)
    ]
    logits = np.linspace(-12, 12, 999).reshape(3, 333)
    p = 1 / (1 + np.exp(logits))
    assert np.abs(zero_slots(logits) - 65_536 * p).max() <= 1


POSTERIORS = [
    (0.0, 1.0),
    (0.3, 0.05),
    (-2.7, 1e-4),
    (4.5, 0.3),
    (-60.0, 0.1),
    (0.01, 30.0),
    (1e3, 1e-30),
    (0.0, 1e-300),
]


@pytest.mark.parametrize(("mu", "std"), POSTERIORS)
def test_bins_share_all_slots_by_their_mass_and_none_is_empty(mu, std):
    bins = np.arange(BINS + 1)
    cdf = gaussian_cdf(bins, np.full(BINS + 1, mu), np.full(BINS + 1, std)).astype(np.int64)
    assert (cdf[0], cdf[-1]) == (0, 2**24)
    assert np.diff(cdf).min() >= 1
    prior, q = NormalDist(), NormalDist(mu, std)
    below = np.array([0, *(q.cdf(prior.inv_cdf(i / BINS)) for i in range(1, BINS)), 1])
    assert np.abs(np.diff(cdf) - 1 - np.diff(below) * (2**24 - BINS)).max() < 1.01


def test_z_is_the_median_of_its_bin_under_the_prior():
    shares = [NormalDist().cdf(z) * BINS for z in CENTRES.tolist()]
    assert shares == pytest.approx([i + 0.5 for i in range(BINS)], abs=1e-9)


@pytest.mark.parametrize(("mu", "std"), POSTERIORS)
def test_bisection_finds_the_bin_that_the_whole_table_says(mu, std):
    table = gaussian_cdf(np.arange(BINS + 1), np.full(BINS + 1, mu), np.full(BINS + 1, std))
    slots = np.concatenate([table[:-1], table[1:] - np.uint64(1), words(500) >> np.uint32(8)]).astype(np.uint64)
    found = find_bin(slots, np.full(len(slots), mu), np.full(len(slots), std))
    assert np.array_equal(found, np.searchsorted(table, slots, side="right") - 1)


def random_vae(seed=0, latent=8, scale=1.0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = fully_connected_vae(latent, hidden=32, layers=1)
    for parameter in model.parameters():
        parameter.data *= scale
    return model


def random_images(n, seed=0):
    return torch.rand(n, 784, generator=torch.Generator().manual_seed(seed)).round()


@pytest.mark.parametrize(("n", "lanes", "scale"), [(7, 3, 1.0), (6, 2, 20.0), (1, 4, 0.1), (2, 1, 20.0)])
def test_images_and_seed_words_come_back(n, lanes, scale):
    """Whole groups, a last one that is smaller, fewer images than lanes; a scale of 20 gives logits beyond ±40."""
    model, images, random_words = random_vae(scale=scale), random_images(n), words(lanes * 9)
    message = compress(model, images, random_words, lanes)
    heads, stack = message.heads.tolist(), message.words.tolist()
    for _ in range(2):
        found, rest = decompress(model, message, n)
        assert torch.equal(found, images)
        assert np.array_equal(rest, random_words)
        assert (message.heads.tolist(), message.words.tolist()) == (heads, stack)


def test_extreme_logits_come_back_whatever_the_pixels():
    model = random_vae()
    model.decoder[-1].weight.data.zero_()
    model.decoder[-1].bias.data = 40 * (-1.0) ** torch.arange(784)
    images = torch.cat([random_images(5), (model.decoder[-1].bias > 0).float()[None]])
    message = compress(model, images, words(54), lanes=6)
    assert torch.equal(decompress(model, message, 6)[0], images)
    wrong = (images != images[-1]).sum().item()  # 16 bits for each of these, next to nothing for the others
    assert message.bits - start_message(words(54), 6).bits == pytest.approx(16 * wrong, rel=0.02)


def test_the_networks_see_the_same_inputs_in_the_same_shapes(monkeypatch):
    model, calls = random_vae(), []
    for name in ("encode", "decode"):
        method = getattr(model, name)
        monkeypatch.setattr(model, name, lambda x, name=name, method=method: (calls.append((name, x)), method(x))[1])
    message = compress(model, random_images(7), words(27), lanes=3)
    there, back = list(calls), calls.clear()
    decompress(model, message, 7)
    back = calls[::-1]
    assert [(name, tuple(x.shape)) for name, x in there] == [
        (name, (n, size)) for n in (3, 3, 1) for name, size in (("encode", 784), ("decode", 8))
    ]
    assert all(
        a == b and torch.equal(x, y) and x.stride() == y.stride() for (a, x), (b, y) in zip(there, back, strict=True)
    )


def test_a_model_in_float64_codes_as_well():
    model = random_vae().double()
    message = compress(model, random_images(4), words(18), lanes=2)
    assert torch.equal(decompress(model, message, 4)[0], random_images(4))


@pytest.fixture(scope="module")
def trained():
    """A VAE after 300 quick steps on 2,000 digits, and 300 others."""
    generator = torch.Generator().manual_seed(0)
    digits = load_digits()
    train = binarise(digits.train[:2000], generator).flatten(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = fully_connected_vae(16, hidden=128, layers=1)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(300):
        x = train[torch.randint(len(train), (100,), generator=generator)]
        loss = -model.elbo(x, torch.randn(100, 16, generator=generator))[0].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, binarise(digits.validation[:300], generator).flatten(1)


def test_the_net_length_is_the_negative_elbo(trained):
    model, images = trained
    with torch.no_grad():
        eps = torch.randn(300, 16, generator=torch.Generator().manual_seed(1))
        elbo, recon, _ = (part.mean().item() / math.log(2) for part in model.elbo(images, eps))
    random_words = words(64 * 17)
    message = compress(model, images, random_words, lanes=64)
    net = (message.bits - start_message(random_words, 64).bits) / 300
    assert net == pytest.approx(-elbo, rel=0.02)
    assert net < 0.7 * (-recon + 16 * 12)  # what it would be without the bits that come back
    assert torch.equal(decompress(model, message, 300)[0], images)


def test_damaged_and_foreign_messages_are_refused(trained, unchecked):
    model, images = trained
    images = images[:40]
    message = compress(model, images, words(16 * 17), lanes=16)
    refused = "message: expected"
    with pytest.raises(ValueError, match=refused):
        decompress(random_vae(1, latent=16), message, 40)
    with pytest.raises(ValueError, match=refused):
        decompress(model, message, 41)
    with pytest.raises(ValueError, match=refused):
        decompress(model, message, 39)
    with pytest.raises(ValueError, match="message: expected at least"):
        decompress(model, Message(message.heads, message.words[-20:]), 40)
    for place in (*range(0, len(message.words), 29), -1):
        damaged = message.words.copy()
        damaged[place] ^= 1 << 9
        with pytest.raises(ValueError, match=refused):
            decompress(model, Message(message.heads, damaged), 40)
    heads = message.heads.copy()
    heads[3] ^= np.uint64(1 << 40)
    with pytest.raises(ValueError, match=refused):
        decompress(model, Message(heads, message.words), 40)


def broken(part, value):
    model = random_vae()
    getattr(model, part)[-1].bias.data.fill_(value)
    return model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": torch.full((2, 784), 0.5)}, r"images: expected pixels that are 0 or 1, got 0\.5"),
        ({"images": torch.full((2, 784), math.nan)}, "images: expected pixels that are 0 or 1, got nan"),
        ({"images": torch.zeros(0, 784)}, r"images: expected a batch \(n, 784\) of at least one, got \(0, 784\)"),
        ({"images": torch.zeros(2, 783)}, r"images: expected a batch .* got \(2, 783\)"),
        ({"lanes": 0}, "lanes, seed_words: expected at least 1 lane and a word for each, got 0 and 18"),
        ({"lanes": 19}, "expected at least 1 lane and a word for each, got 19 and 18"),
        (
            {"seed_words": words(2)},
            r"message: expected at least \d words on the stack, got 0; it needs more seed_words",
        ),
        ({"model": broken("encoder", math.nan)}, "model: expected finite mu and logvar from its encoder"),
        ({"model": broken("encoder", 2000.0)}, "model: expected finite mu and logvar from its encoder"),
        ({"model": broken("decoder", math.inf)}, "model: expected finite logits from its decoder"),
    ],
)
def test_what_cannot_be_coded_is_named(arguments, message):
    usual = {"model": random_vae(), "images": random_images(2), "seed_words": words(18), "lanes": 2}
    with pytest.raises(ValueError, match=message):
        compress(**usual | arguments)


def test_a_number_of_images_is_asked_for():
    with pytest.raises(ValueError, match="n: expected at least 1 image, got 0"):
        decompress(random_vae(), start_message(words(2), 2), 0)
