"""Reading both ways: what a sentence's vectors depend on, and that its meaning can be learned."""

import pytest
import torch

from course_lib.attention.captioned import CaptionedTransformer, draw_images, inputs_and_targets
from course_lib.attention.step import next_token_step
from course_lib.attention.text_encoder import Reader, TextEncoder, draw_read, reading_step


def encoder(length=3, d_model=16):
    torch.manual_seed(0)
    return TextEncoder(6, length, d_model, n_layers=2, n_heads=2)


def test_a_word_sees_those_behind_it_and_none_that_fill_up():
    text = encoder()
    (short, there), (longer, _) = text(torch.tensor([[1, 2, 0]])), text(torch.tensor([[1, 2, 3]]))
    assert there.tolist() == [[True, True, True, False]]
    assert not torch.allclose(short[0, 1], longer[0, 1], atol=1e-4)
    with torch.no_grad():
        text.embedding.weight[0] += 100
    torch.testing.assert_close(text(torch.tensor([[1, 2, 0]]))[0][0, :3], short[0, :3])


def test_the_loss_adds_up_the_surprise_of_all_answers():
    torch.manual_seed(1)
    reader = Reader(encoder(), (2, 3))
    tokens, meanings = torch.tensor([[1, 2, 0], [4, 0, 0]]), torch.tensor([[1, -1], [-1, 0]])
    first, second = (logits.log_softmax(1) for logits in reader(tokens))
    expected = -(first[0, 1] + second[0, 3] + first[1, 2] + second[1, 0]) / 2
    step = reading_step(reader, [torch.optim.SGD(reader.parameters(), 0.0)])
    torch.testing.assert_close(step((tokens, meanings))["loss"], expected)


def test_it_learns_which_word_came_first_and_what_was_not_said():
    """Words 1 to 3; the meaning: the first word, and the second one or that there is none."""
    words = torch.cartesian_prod(torch.arange(1, 4), torch.arange(4))
    tokens = torch.cat([words, torch.zeros(12, 1, dtype=torch.long)], 1)
    reader = Reader(encoder(), (3, 3))
    draw = draw_read(tokens, words - 1, 16)
    step, g = reading_step(reader, [torch.optim.AdamW(reader.parameters(), 1e-2)]), torch.Generator().manual_seed(0)
    for _ in range(100):
        step(draw(g))
    assert (reader.read(tokens) == words - 1).all()


def test_a_drawer_reads_through_the_encoder():
    """A caption is obeyed whose encoder is fixed, with or without the cache; embeddings of words are not looked at."""
    torch.manual_seed(0)
    text = encoder(length=2).requires_grad_(False)
    model = CaptionedTransformer(6, 2, symbols=4, places=6, n_layers=1, n_heads=2, d_model=16, text=text)
    captions = torch.tensor([[1, 0], [2, 0]]).repeat(8, 1)
    symbols = torch.tensor([[0] * 6, [3] * 6]).repeat(8, 1)
    step = next_token_step(model, [torch.optim.AdamW(model.parameters(), 1e-2)])
    for _ in range(60):
        step(inputs_and_targets(model, captions, symbols))
    assert (draw_images(model, captions, torch.Generator().manual_seed(0), weight=2.0) == symbols).double().mean() > 0.9
    before = model(inputs_and_targets(model, captions, symbols)[0])
    with torch.no_grad():
        model.embedding.weight[4:] += 1
    torch.testing.assert_close(model(inputs_and_targets(model, captions, symbols)[0]), before)


def test_sentences_and_meanings_pair(unchecked):
    with pytest.raises(ValueError, match="meanings: expected one for each of 2 sentences, got 3"):
        draw_read(torch.zeros(2, 3, dtype=torch.long), torch.zeros(3, 2, dtype=torch.long), 4)
