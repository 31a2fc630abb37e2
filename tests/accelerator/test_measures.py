"""Attention, information, data and measures on a stand-in for an accelerator without float64: the numbers are the CPU's."""

import math

import pytest
import torch
from made import seeded
from standin import DEVICE, accelerator

from course_lib.attention.dot_product import cached_attention, fast_attention, scaled_dot_product_attention, softmax_jvp
from course_lib.attention.masks import causal_mask, is_causal, padding_mask
from course_lib.attention.multi_head import MultiHeadAttention
from course_lib.attention.online import online_attention
from course_lib.attention.positions import position_angles, rotary, rotate, shift_matrix, sinusoidal
from course_lib.attention.sampling import generate, next_distribution
from course_lib.attention.transformer import KVCache, Transformer, TransformerConfig, modern
from course_lib.datasets.images import binarise
from course_lib.datasets.plane import off_track, standardise, track, true_log_density
from course_lib.datasets.ring import draw_ring, modes_and_quality
from course_lib.datasets.text import Text, random_windows
from course_lib.evaluation.auroc import auroc
from course_lib.evaluation.classifier import Classifier, accuracy, features_and_logits
from course_lib.evaluation.frechet import (
    extrapolate,
    frechet_distance,
    gaussian_frechet_distance,
    kernel_distance,
    real_floor,
)
from course_lib.evaluation.language import cross_entropy_by_position
from course_lib.evaluation.neighbours import density_and_coverage, memorisation, nearest, precision_and_recall
from course_lib.information import divergences as of
from course_lib.information.image_files import pack, png_bits
from course_lib.information.ngram import KneserNey
from course_lib.information.transport import match, optimal_transport, wasserstein_1d, wasserstein_on_grid


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def model(make, device):
    torch.manual_seed(0)
    return Transformer(make(11, context_length=6, n_layers=2, n_heads=2, d_model=12)).to(device)


def text(move):
    return move(torch.randint(11, (40,), generator=seeded(3)))


def bits(*shape):
    return (draws(*shape) > 0).float()


q, k, v = draws(2, 3, 5, 4, seed=1), draws(2, 3, 7, 4, seed=2), draws(2, 3, 7, 6, seed=3)
a, b, c = draws(30, 4, seed=4), draws(25, 4, seed=5), draws(30, 4, seed=6)
p = draws(3, 5, seed=7).softmax(-1)


def attending(attend):
    """Attend with a mask under which one query sees nothing; the output and the gradients."""

    def use(move):
        inputs = [move(x.clone()).requires_grad_() for x in (q, k, v)]
        mask = causal_mask(5, 7, device=inputs[0].device) & (torch.arange(5, device=inputs[0].device) != 1)[:, None]
        out = attend(*inputs, mask)
        out.square().sum().backward()
        return [out, *(x.grad for x in inputs)]

    return use


def multi_head(move):
    torch.manual_seed(0)
    layer = MultiHeadAttention(12, 6, 2).to(move(q).device)
    return layer(move(draws(2, 5, 12)), mask=padding_mask(move(torch.tensor([3, 5])), 5))


def cached(move):
    there = model(modern, move(q).device)
    tokens, cache = text(move)[None, :10], KVCache(there.config, 1, move(q).device)
    return [there(tokens[:, :4], cache), *(there(tokens[:, t : t + 1], cache) for t in range(4, 10))]


def moments(move):
    covariance = lambda x: (x - x.mean(0)).T @ (x - x.mean(0)) / (len(x) - 1)
    return gaussian_frechet_distance(*(move(m) for x in (a, b) for m in (x.mean(0), covariance(x))))


def classified(move):
    torch.manual_seed(0)
    classifier = Classifier().to(move(q).device)
    return features_and_logits(classifier, move(draws(7, 1, 28, 28).clamp(-1, 1)), at_once=3)


def counted(move):
    counter = KneserNey(text(move), 3, 11)
    return counter.next_probabilities(move(torch.tensor([4, 1]))), counter.log_probability(text(move)[:9])


def transported(move):
    solved = optimal_transport(move(torch.cdist(a[:5], b[:6])), move(p[0]), move(torch.full((6,), 1 / 6)))
    return solved.distance, solved.plan, solved.f, solved.g


def by_position(move):
    return cross_entropy_by_position(model(modern, move(q).device), text(move), at_once=12)


def tokens_of(make):
    return lambda move: generate(model(make, move(q).device), text(move)[None, :3], 12, seeded(0), 0.7, 9, 0.95)


USES = {
    "explicit": attending(lambda *x: scaled_dot_product_attention(*x)[0]),
    "fast": attending(fast_attention),
    "online": attending(lambda *x: online_attention(*x, tile=3)),
    "causal": lambda move: fast_attention(move(k), move(k), move(v), causal=True),
    "a cache of one layer": lambda move: cached_attention(*(move(x[:, :, :1]) for x in (q, k, v)), move(k), move(v)),
    "is_causal": lambda move: is_causal(lambda x: x.cumsum(0), move(draws(4, 3))),
    "softmax_jvp": lambda move: softmax_jvp(move(p), move(draws(3, 5))),
    "multi head": multi_head,
    "sinusoidal": lambda move: sinusoidal(move(torch.arange(4)), 6),
    "rotary": lambda move: rotary(move(q), move(torch.arange(5))),
    "rotate": lambda move: rotate(move(q), position_angles(move(torch.arange(5)), 4)),
    "shift_matrix": lambda move: shift_matrix(move(draws(3))),
    "next_distribution": lambda move: next_distribution(move(p), 1e-39),
    "generate, learned": tokens_of(TransformerConfig),
    "generate, modern": tokens_of(modern),
    "queries_and_keys": lambda move: model(modern, move(q).device).queries_and_keys(text(move)[None, :9]),
    "a cache": cached,
    "cross_entropy_by_position": by_position,
    "classifier": classified,
    "accuracy": lambda move: accuracy(move(p), torch.tensor([0, 3, 1])),  # labels on the CPU
    "auroc": lambda move: auroc(move(a[:, 0]), b[:, 0]),
    "frechet_distance": lambda move: frechet_distance(move(a), b),
    "gaussian_frechet_distance": moments,
    "kernel_distance": lambda move: kernel_distance(move(a), b),
    "extrapolate": lambda move: extrapolate(move(a), c, seeded(0), parts=(1, 2)),
    "real_floor": lambda move: real_floor(frechet_distance, move(a), 9, seeded(0)),
    "precision_and_recall": lambda move: precision_and_recall(move(a), b),
    "density_and_coverage": lambda move: density_and_coverage(a, move(b)),
    "memorisation": lambda move: memorisation(move(a), b, move(c)),
    "nearest": lambda move: nearest(move(a), b),
    "entropy": lambda move: of.entropy(move(p)),
    "divergences": lambda move: [
        f(move(p), move(p.flip(1))) for f in (of.categorical_kl, of.jensen_shannon, of.total_variation)
    ],
    "optimal_discriminator": lambda move: of.optimal_discriminator(move(p), move(p.flip(1)), 0.1),
    "cross_entropy_bits": lambda move: of.cross_entropy_bits(move(p), torch.tensor([0, 3, 1])),
    "gaussian_kl": lambda move: of.gaussian_kl(*(move(x) for x in (a[0], a[1].exp(), a[2], a[3].exp()))),
    "kl_to_standard_normal": lambda move: of.kl_to_standard_normal(move(a), move(c)),
    "kl_monte_carlo": lambda move: of.kl_monte_carlo(
        move(a[:, 0]), *(move(torch.tensor(x)) for x in (0.1, 1.0, 0.4, 2.0))
    ),
    "pack": lambda move: list(pack(move(bits(3, 13)))),
    "png_bits": lambda move: png_bits(move(bits(9, 7))),
    "Kneser-Ney": counted,
    "wasserstein_1d": lambda move: wasserstein_1d(move(a[:, 0]), move(b[:, 0])),
    "wasserstein_on_grid": lambda move: wasserstein_on_grid(
        move(p[0]), move(p[1]), move(torch.arange(5, dtype=torch.float32))
    ),
    "optimal_transport": transported,
    "match": lambda move: match(move(a), c),
    "binarise": lambda move: binarise(move(torch.arange(48, dtype=torch.uint8).view(3, 4, 4) * 5), seeded(0)),
    "track": lambda move: track(move(torch.rand(7, generator=seeded(0)))),
    "true_log_density": lambda move: true_log_density(move(a[:, :2] * 40 + 100)),
    "off_track": lambda move: off_track(move(a[:, :2] * 40 + 100)),
    "standardise": lambda move: standardise(move(a)),
    "modes_and_quality": lambda move: modes_and_quality(move(draw_ring(2, 50, seeded(0)))),
    "random_windows": lambda move: random_windows(text(move), 4, 5, seeded(0)),
    "decode": lambda move: [ord(c) for c in Text("abcdefghijk", text(move), text(move)).decode(text(move))],
}


def numbers(found):
    """All numbers of a result, on the CPU in float64."""
    if isinstance(found, torch.Tensor):
        return found.detach().cpu().double().flatten().tolist()
    return [x for part in found for x in numbers(part)] if isinstance(found, list | tuple) else [float(found)]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", USES)
def test_it_is_the_same_there(name):
    with accelerator(float64=False):  # first: autograd counts the devices when it is first used
        there = numbers(USES[name](lambda x: x.to(DEVICE)))
    here = numbers(USES[name](lambda x: x))
    assert len(here) == len(there) > 0
    assert all(math.isfinite(x) for x in here)
    assert there == pytest.approx(here, rel=1e-5, abs=1e-6)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("use", "says"),
    [
        (
            lambda: model(modern, DEVICE)(torch.zeros(1, 3).long()),
            "tokens: expected the device of the model, sim:0, got",
        ),
        (lambda: generate(model(modern, DEVICE), text(lambda x: x)[None], 2, seeded(0)), "tokens: expected the device"),
        (lambda: scaled_dot_product_attention(q.to(DEVICE), k, v), "k: expected the device of q, sim:0, got cpu"),
        (lambda: of.categorical_kl(p.to(DEVICE), p), "q: expected the device of p, sim:0, got cpu"),
        (lambda: of.total_variation(p, p.to(DEVICE)), "q: expected the device of p, cpu, got sim:0"),
        (lambda: wasserstein_1d(a[:, 0], b[:, 0].to(DEVICE)), "y: expected the device of x, cpu, got sim:0"),
        (lambda: wasserstein_on_grid(p[0], p[1], torch.arange(5.0).to(DEVICE)), "places: expected the device of p"),
        (
            lambda: features_and_logits(Classifier().to(DEVICE), draws(3, 1, 28, 28).clamp(-1, 1)),
            "images: expected the de",
        ),
    ],
)
def test_two_devices_in_one_call_are_named(use, says):
    with accelerator(), pytest.raises(ValueError, match=says):
        use()
