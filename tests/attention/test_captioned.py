"""Captions and images in one sequence: what is asked where, and that a caption is obeyed."""

import pytest
import torch
from torch.nn import functional as F

from course_lib.attention.captioned import IGNORED, CaptionedTransformer, draw_images, guided_logits, inputs_and_targets
from course_lib.attention.step import next_token_step


def small():
    torch.manual_seed(0)
    model = CaptionedTransformer(vocabulary=5, length=3, symbols=4, places=6, n_layers=1, n_heads=2, d_model=16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


CAPTIONS, SYMBOLS = torch.tensor([[1, 2, 0], [4, 0, 0]]), torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 2, 1, 0, 0]])


def test_the_last_word_is_asked_for_the_first_symbol_and_words_for_nothing():
    read, targets = inputs_and_targets(small(), CAPTIONS, SYMBOLS)
    assert read[0].tolist() == [5, 6, 4, 0, 1, 2, 3, 0]
    assert targets[0].tolist() == [IGNORED, IGNORED, 0, 1, 2, 3, 0, 1]


def test_the_loss_is_the_mean_over_symbols_of_what_the_chain_rule_says():
    model = small()
    total = torch.zeros(())
    for caption, symbols in zip(CAPTIONS, SYMBOLS, strict=True):
        for i in range(6):
            before = torch.cat([caption + 4, symbols[:i]])[None]
            total = total - model(before)[0, -1].log_softmax(-1)[symbols[i]]
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    loss = next_token_step(model, [optimizer], clip=None)(inputs_and_targets(model, CAPTIONS, SYMBOLS))["loss"]
    torch.testing.assert_close(loss, total / 12, rtol=1e-5, atol=1e-6)


def test_probabilities_of_all_images_sum_to_one_given_each_caption():
    torch.manual_seed(0)
    model = CaptionedTransformer(vocabulary=5, length=3, symbols=3, places=4, n_layers=1, n_heads=2, d_model=16)
    every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    for caption in CAPTIONS:
        read, targets = inputs_and_targets(model, caption.expand(81, 3), every)
        nats = F.cross_entropy(model(read).flatten(0, 1), targets.flatten(), reduction="none").view(81, -1).sum(1)
        assert (-nats).exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_it_learns_to_draw_what_the_caption_says():
    """Word 1 means all 0, word 2 all 3."""
    torch.manual_seed(0)
    model = CaptionedTransformer(vocabulary=3, length=2, symbols=4, places=6, n_layers=1, n_heads=2, d_model=16)
    captions = torch.tensor([[1, 0], [2, 0]]).repeat(8, 1)
    symbols = torch.tensor([[0] * 6, [3] * 6]).repeat(8, 1)
    step = next_token_step(model, [torch.optim.AdamW(model.parameters(), 1e-2)])
    for _ in range(60):
        step(inputs_and_targets(model, captions, symbols))
    drawn = draw_images(model, captions, torch.Generator().manual_seed(0), at_once=5)
    assert (drawn == symbols).double().mean() > 0.95
    assert drawn.shape == (16, 6)


def test_guidance_sharpens_what_the_caption_changes():
    """With weight w the odds of two symbols are those without a caption, times the caption's factor to the power w."""
    g = torch.Generator().manual_seed(0)
    free, asked = torch.randn(3, 7, generator=g).double(), torch.randn(3, 7, generator=g).double()
    p, q = asked.softmax(-1), free.softmax(-1)
    expected = q * (p / q) ** 2.5
    torch.testing.assert_close(guided_logits(free, asked, 2.5).softmax(-1), expected / expected.sum(-1, keepdim=True))
    torch.testing.assert_close(guided_logits(free, asked, 1.0), asked)
    torch.testing.assert_close(guided_logits(free, asked, 0.0), free)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
def test_symbols_are_drawn_with_the_odds_of_guided_logits_at_each_place(weight):
    """The cold limit, place by place, without a cache; rows that are begun are kept."""
    model = small()
    begun = torch.tensor([[2, 0], [1, 3]])
    drawn = draw_images(model, CAPTIONS, torch.Generator().manual_seed(0), 0.0, weight, begun)
    symbols = begun
    for _ in range(4):
        free, asked = (
            model(torch.cat([model.read(words), symbols], 1))[:, -1] for words in (torch.zeros_like(CAPTIONS), CAPTIONS)
        )
        symbols = torch.cat([symbols, guided_logits(free, asked, weight).argmax(1, keepdim=True)], 1)
    assert drawn.tolist() == symbols.tolist()


def test_what_does_not_fit_is_named(unchecked):
    model = small()
    with pytest.raises(ValueError, match="captions: expected 3 tokens each, got 2"):
        inputs_and_targets(model, CAPTIONS[:, :2], SYMBOLS)
    with pytest.raises(ValueError, match="symbols: expected 6 an image, got 5"):
        inputs_and_targets(model, CAPTIONS, SYMBOLS[:, :5])
    assert draw_images(model, CAPTIONS[:0], torch.Generator()).shape == (0, 6)
    with pytest.raises(ValueError, match=r"begun: expected at most 6 symbols for each of 2 captions, got \(2, 7\)"):
        draw_images(model, CAPTIONS, torch.Generator(), begun=torch.zeros(2, 7, dtype=torch.long))
