"""Cross-entropy of a language model by hand, known words."""

import pytest
import torch
from made import model_of, seeded

from course_lib.evaluation.language import cross_entropy, cross_entropy_by_position, known_words


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


def test_known_words_counts_whole_words():
    assert known_words("The king's men, KING! qu", {"the", "king's", "king"}) == 0.75  # ‘qu’ may be cut off
    with pytest.raises(ValueError, match="text: expected at least two words, got 'king'"):
        known_words("king", {"king"})
