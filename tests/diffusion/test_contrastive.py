"""One space for pictures and sentences: the loss and what it bounds, the encoders, and pixels that climb a score."""

import itertools
import math

import pytest
import torch
from torch import tensor
from torch.nn import functional as F

from course_lib.attention.text_encoder import TextEncoder
from course_lib.diffusion.contrastive import (
    Clip,
    climb,
    contrastive_loss,
    contrastive_optimizers,
    contrastive_step,
    draw_matched,
    image_features,
    information_bound,
    similarities,
    text_features,
)
from course_lib.training.fit import fit
from course_lib.training.trained import Trained

f64 = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=f64, generator=torch.Generator().manual_seed(seed))


def pairs(n=6):
    g = torch.Generator().manual_seed(3)
    return torch.randint(256, (n, 3, 32, 32), generator=g).byte(), torch.randint(1, 12, (n, 5), generator=g)


def test_similarities_are_torchs_cosines_whatever_the_lengths():
    images, texts = normal(4, 3), normal(5, 3, seed=1)
    found = similarities(images, texts)
    torch.testing.assert_close(found, F.cosine_similarity(images[:, None], texts[None], dim=-1))
    torch.testing.assert_close(similarities(7 * images, texts / 9), found)


def test_the_loss_is_the_mean_surprise_of_both_questions_written_out():
    images, texts, temperature = normal(5, 3), normal(5, 3, seed=1), 0.3
    surprises = []
    for i in range(5):
        score = lambda a, b: (images[a] @ texts[b] / images[a].norm() / texts[b].norm() / temperature).item()
        which_text = math.exp(score(i, i)) / sum(math.exp(score(i, j)) for j in range(5))
        which_image = math.exp(score(i, i)) / sum(math.exp(score(j, i)) for j in range(5))
        surprises += [-math.log(which_text), -math.log(which_image)]
    assert contrastive_loss(images, texts, temperature).item() == pytest.approx(sum(surprises) / 10, rel=1e-12)


def test_sentences_that_belong_to_no_picture_are_offered_and_ask_nothing():
    images, texts = normal(4, 3), normal(6, 3, seed=1)
    scores = similarities(images, texts) / 0.5
    which_text = (scores.logsumexp(1) - scores.diagonal()).mean()
    which_image = (scores[:, :4].logsumexp(0) - scores.diagonal()).mean()
    torch.testing.assert_close(contrastive_loss(images, texts, 0.5), (which_text + which_image) / 2)


def test_two_pairs_by_hand():
    """Cosines 1 on the diagonal and 0 beside it, temperature 1/2: scores 2 and 0."""
    both = tensor([[3.0, 0.0], [0.0, 5.0]], dtype=f64)
    assert contrastive_loss(both, both, 0.5).item() == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-12)
    assert contrastive_loss(both, both.flip(0), 0.5).item() == pytest.approx(2 + math.log(1 + math.exp(-2)), rel=1e-12)


def test_the_losss_gradients_are_those_of_finite_differences():
    images, texts = normal(4, 3).requires_grad_(), normal(4, 3, seed=1).requires_grad_()
    temperature = tensor(0.4, dtype=f64, requires_grad=True)
    assert torch.autograd.gradcheck(contrastive_loss, (images, texts, temperature))


JOINT = tensor([[0.20, 0.05, 0.05], [0.02, 0.18, 0.10], [0.08, 0.07, 0.25]], dtype=f64)
PMI = (JOINT / (JOINT.sum(1, keepdim=True) * JOINT.sum(0))).log()
INFORMATION = (JOINT * PMI).sum().item()


def expected_loss(scores, n):
    """The mean surprise of a row's own column over all batches of n pairs of JOINT, each with its probability."""
    total = 0
    each = list(itertools.product(range(3), range(3)))
    for batch in itertools.product(each, repeat=n):
        rows, columns = (tensor(part) for part in zip(*batch, strict=True))
        chance = JOINT[rows, columns].prod()
        total = total + chance * F.cross_entropy(scores[rows][:, columns], torch.arange(n))
    return total


@pytest.mark.parametrize("n", [2, 3])
def test_no_score_loses_less_than_the_pointwise_mutual_information_and_a_term_of_the_row_changes_nothing(n):
    best = PMI.clone().requires_grad_()
    loss = expected_loss(best, n)
    (slope,) = torch.autograd.grad(loss, best)
    assert slope.abs().max() < 1e-12
    for seed in range(3):
        assert expected_loss(PMI + 0.3 * normal(3, 3, seed=seed), n) > loss
    torch.testing.assert_close(expected_loss(PMI + normal(3, 1, seed=5), n), loss.detach())


def test_the_bound_is_below_the_information_and_grows_with_the_batch():
    bounds = [math.log(n) - expected_loss(PMI, n).item() for n in (2, 3, 4)]
    assert 0 < bounds[0] < bounds[1] < bounds[2] < INFORMATION
    each = list(itertools.product(range(3), range(3)))
    by_batch = 0.0
    for batch in itertools.product(each, repeat=3):
        rows, columns = (tensor(part) for part in zip(*batch, strict=True))
        by_batch += (JOINT[rows, columns].prod() * information_bound(PMI[rows][:, columns])).item()
    assert by_batch == pytest.approx(bounds[1], rel=1e-12)


def test_the_bound_of_a_batch_is_what_is_left_of_its_logarithm():
    scores = normal(7, 7)
    surprise = -(scores - scores.logsumexp(1, keepdim=True)).diagonal().mean()
    assert information_bound(scores).item() == pytest.approx(math.log(7) - surprise.item(), rel=1e-12)
    assert information_bound(100 * torch.eye(7, dtype=f64)).item() == pytest.approx(math.log(7), rel=1e-9)
    with pytest.raises(ValueError, match=r"scores: expected as many columns as rows, got \(3, 4\)"):
        information_bound(normal(3, 4))


def small(**options):
    torch.manual_seed(0)
    return Clip(12, 5, width=16, channels=8, **options)


def test_both_encoders_give_unit_vectors_each_of_its_own_example():
    clip, (images, tokens) = small(), pairs()
    pictures, sentences = image_features(clip, images), text_features(clip, tokens)
    assert pictures.shape == sentences.shape == (6, 16)
    for vectors in (pictures, sentences):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(6))
    torch.testing.assert_close(image_features(clip, images[4:5]), pictures[4:5], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(text_features(clip, tokens[4:5]), sentences[4:5], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(text_features(clip, tokens, at_once=4), sentences, rtol=1e-4, atol=1e-5)


def test_bytes_and_numbers_of_a_picture_are_the_same_to_it_and_its_mode_comes_back():
    clip, (images, _) = small(), pairs()
    clip.train()
    torch.testing.assert_close(image_features(clip, images), image_features(clip, images.float() / 127.5 - 1))
    assert clip.training
    assert clip.image.training


def test_the_order_of_words_and_the_place_of_pixels_count():
    clip, (images, tokens) = small(), pairs()
    assert not torch.allclose(text_features(clip, tokens), text_features(clip, tokens[:, [1, 0, 2, 3, 4]]), atol=1e-4)
    assert not torch.allclose(image_features(clip, images), image_features(clip, images.flip(3)), atol=1e-4)


def test_the_temperature_begins_where_clips_does_and_stays_above_its_floor():
    clip = small()
    assert clip.temperature.item() == pytest.approx(0.07, rel=1e-6)
    torch.nn.init.constant_(clip.log_scale, 9.0)
    assert clip.temperature.item() == pytest.approx(0.01)


def test_a_batch_holds_pictures_with_their_own_captions_none_twice():
    images, tokens = pairs(9)
    pictures, captions = draw_matched(images, tokens, 7)(torch.Generator().manual_seed(0))
    assert pictures.min() >= -1
    assert pictures.max() <= 1
    found = [[i for i in range(9) if torch.equal(images[i].float() / 127.5 - 1, picture)] for picture in pictures]
    assert len({tuple(each) for each in found}) == 7
    assert all(torch.equal(tokens[each[0]], caption) for each, caption in zip(found, captions, strict=True))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tokens": pairs(5)[1]}, "tokens: expected one caption for each of 6 images, got 5"),
        ({"batch": 7}, "batch: expected 2 to 6 pairs, got 7"),
        ({"batch": 1}, "batch: expected 2 to 6 pairs, got 1"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(change, says):
    images, tokens = pairs(6)
    with pytest.raises(ValueError, match=says):
        draw_matched(**{"images": images, "tokens": tokens, "batch": 4} | change)


def test_each_weight_has_one_optimizer():
    clip = small()
    found = [
        id(p)
        for optimizer in contrastive_optimizers(clip).values()
        for group in optimizer.param_groups
        for p in group["params"]
    ]
    assert sorted(found) == sorted(id(p) for p in clip.parameters())


def test_a_reader_that_stays_as_it_is_is_in_front_and_no_optimizer_moves_it():
    reader = TextEncoder(12, 5, 16).requires_grad_(False)
    clip, tokens = small(text=reader), pairs()[1]
    expected = F.normalize(clip.whole(reader(tokens)[0][:, 0]), dim=1)
    torch.testing.assert_close(text_features(clip, tokens), expected)
    held = {id(p) for optimizer in contrastive_optimizers(clip).values() for p in optimizer.param_groups[0]["params"]}
    assert held == {id(p) for p in [*clip.image.parameters(), clip.whole.weight, clip.log_scale]}


def test_wrong_captions_follow_the_right_ones():
    images, tokens = pairs(9)
    pictures, captions = draw_matched(images, tokens, 4, tokens + 20)(torch.Generator().manual_seed(0))
    assert len(pictures) == 4
    assert torch.equal(captions[4:], captions[:4] + 20)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_training_learns_which_caption_is_whose(bfloat16):
    images, tokens = pairs(8)
    clip = small()
    optimizers = contrastive_optimizers(clip)
    trained = Trained({"clip": clip}, optimizers, torch.Generator().manual_seed(0))
    step = contrastive_step(clip, optimizers.values(), bfloat16)
    history = fit(step, draw_matched(images, tokens, 8), 40, trained, every=10, progress=False)
    loss = history.curve("loss").values
    assert loss[0] > 1
    assert loss[-1] < 0.2
    assert (image_features(clip, images) @ text_features(clip, tokens).T).argmax(1).tolist() == list(range(8))


def test_a_step_up_a_linear_score_goes_by_signs_and_stays_within_its_limits():
    slopes = normal(2, 3)
    score = lambda pixels: (pixels * slopes).sum(1)
    start = tensor([[0.0, 0.5, -0.98], [0.1, -0.2, 0.3]], dtype=f64)
    once = climb(score, start, start, 0.05, 0.07)
    torch.testing.assert_close(once, (start + 0.05 * slopes.sign()).clamp(-1, 1))
    twice = climb(score, once, start, 0.05, 0.07)
    torch.testing.assert_close(twice, (start + 0.07 * slopes.sign()).clamp(-1, 1))
    assert not twice.requires_grad
    assert (score(twice) > score(once)).all()
