"""Cross-entropy of a language model by hand, known words."""

import pytest
import torch
from made import model_of, seeded

from course_lib.evaluation.language import cross_entropy, cross_entropy_by_position, known_words, sliding_cross_entropy


def test_cross_entropy_is_the_mean_over_windows_without_overlap():
    model, tokens = model_of(positions="rotary"), torch.randint(11, (27,), generator=seeded(4))
    by_hand = torch.zeros(6, dtype=torch.float64)
    for start in (0, 6, 12, 18):  # a fifth window would lack its last target
        with torch.no_grad():
            log_p = model(tokens[None, start : start + 6])[0].float().log_softmax(-1)
        by_hand -= log_p[torch.arange(6), tokens[start + 1 : start + 7]].double() / 4
    torch.testing.assert_close(cross_entropy_by_position(model, tokens), by_hand, rtol=1e-6, atol=1e-6)
    assert cross_entropy(model, tokens) == pytest.approx(by_hand.mean().item(), rel=1e-6)
    assert cross_entropy_by_position(model, tokens, at_once=6).tolist() == pytest.approx(by_hand.tolist(), rel=1e-5)
    with pytest.raises(ValueError, match="tokens: expected more than context = 6, got 6"):
        cross_entropy(model, tokens[:6])


@pytest.mark.parametrize("n", [7, 8, 20, 27])
@pytest.mark.parametrize("stride", [1, 2, 4, 6])
def test_a_sliding_window_measures_every_token_once_with_as_much_before_it_as_it_says(n, stride):
    model, tokens = model_of(positions="rotary"), torch.randint(11, (n,), generator=seeded(4))
    total, measured = 0.0, 0
    while measured < n - 1:
        end = min(measured + stride if measured else 6, n - 1)
        with torch.no_grad():
            log_p = model(tokens[None, end - 6 : end])[0].double().log_softmax(-1)
        for at in range(measured, end):  # the token after position at of the text
            total -= log_p[at - (end - 6), tokens[at + 1]].item()
        measured = end
    for at_once in (6, 16_384):
        assert sliding_cross_entropy(model, tokens, stride, at_once) == pytest.approx(total / (n - 1), rel=1e-6)


def test_a_window_that_moves_by_its_length_is_no_sliding_one():
    model, tokens = model_of(positions="rotary"), torch.randint(11, (25,), generator=seeded(4))
    assert sliding_cross_entropy(model, tokens, 6) == pytest.approx(cross_entropy(model, tokens), rel=1e-6)
    for stride in (0, 7):
        with pytest.raises(ValueError, match=f"stride: expected 1 to context_length = 6, got {stride}"):
            sliding_cross_entropy(model, tokens, stride)
    with pytest.raises(ValueError, match="tokens: expected more than context_length = 6, got 6"):
        sliding_cross_entropy(model, tokens[:6], 2)


def test_known_words_counts_whole_words():
    assert known_words("The king's men, KING! qu", {"the", "king's", "king"}) == 0.75  # ‘qu’ may be cut off
    with pytest.raises(ValueError, match="text: expected at least two words, got 'king'"):
        known_words("king", {"king"})
