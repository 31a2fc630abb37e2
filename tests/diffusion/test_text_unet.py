"""The U-Net that is told a sentence: what it can see of the words, and what it is shown to look at."""

import pytest
import torch

from course_lib.attention.text_encoder import TextEncoder
from course_lib.diffusion.paths import STRAIGHT, noised_pair
from course_lib.diffusion.text_unet import ByPicture, CrossAttention, TextUNet


def small(**options):
    torch.manual_seed(0)
    net = TextUNet(12, 5, channels=8, side=16, d_text=16, **options)
    for name, parameter in net.named_parameters():  # what starts at zero hides what is behind it
        if "norm" not in name:
            torch.nn.init.normal_(parameter, std=0.2)
    return net


def inputs(batch=3):
    g = torch.Generator().manual_seed(1)
    tokens = torch.tensor([[3, 4, 5, 0, 0], [7, 0, 0, 0, 0], [0, 0, 0, 0, 0]])[:batch]
    return torch.randn(batch, 3, 16, 16, generator=g), torch.rand(batch, generator=g), tokens


def test_shapes_and_that_untrained_it_predicts_nothing():
    x, t, tokens = inputs()
    assert small()(x, t, tokens).shape == x.shape
    assert (TextUNet(12, 5, channels=8, side=16)(x, t, tokens) == 0).all()


def test_each_image_meets_its_own_words_whatever_stands_beside_it():
    net = small()
    x, t, tokens = inputs()
    together = net(x, t, tokens)
    alone = torch.cat([net(x[i : i + 1], t[i : i + 1], tokens[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_word_and_its_place_count_and_what_fills_up_does_not(place):
    net = small()
    x, t, tokens = inputs(1)
    base = net(x, t, tokens)
    other = tokens.clone()
    other[0, place] = 9
    assert not torch.allclose(net(x, t, other), base, atol=1e-4)
    with torch.no_grad():
        net.text.embedding.weight[0] += 100  # the token that fills up
        net.text.positions.table[4:] += 100  # and where it stands
    torch.testing.assert_close(net(x, t, tokens), base, rtol=1e-4, atol=1e-5)
    swapped = tokens[:, [1, 0, 2, 3, 4]]
    assert not torch.allclose(net(x, t, swapped), base, atol=1e-4)


def test_a_place_finds_what_torchs_own_attention_finds():
    """With torch.nn.MultiheadAttention's weights set to the layer's."""
    torch.manual_seed(0)
    layer = CrossAttention(16, 8, n_heads=2)
    torch.nn.init.normal_(layer.attention.output.weight)
    x, words = torch.randn(2, 16, 3, 4), torch.randn(2, 5, 8)
    there = torch.tensor([[True] * 5, [True, True, False, False, False]])
    own = torch.nn.MultiheadAttention(16, 2, bias=False, batch_first=True)
    with torch.no_grad():
        parts = (layer.attention.query.weight, layer.attention.key.weight, layer.attention.value.weight)
        own.in_proj_weight.copy_(torch.cat(parts))
        own.out_proj.weight.copy_(layer.attention.output.weight)
    keys = layer.text(words)
    found, weights = own(layer.places(x), keys, keys, key_padding_mask=~there, average_attn_weights=False)
    torch.testing.assert_close(
        layer(x, words, there) - x, found.transpose(1, 2).unflatten(-1, (3, 4)), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        layer.weights(x, words, there), weights.transpose(-1, -2).unflatten(-1, (3, 4)), rtol=1e-4, atol=1e-6
    )


def test_what_is_looked_at_sums_to_one_over_what_is_there():
    x, t, tokens = inputs()
    looks = small().looked_at(x, t, tokens)
    assert looks.shape == (3, 6, 4, 4)
    torch.testing.assert_close(looks.sum(1), torch.ones(3, 4, 4))
    assert (looks[0, 4:] == 0).all()
    torch.testing.assert_close(looks[2, 0], torch.ones(4, 4))  # nothing is asked: only the whole is there


def test_the_encoder_reads_in_both_directions():
    torch.manual_seed(0)
    encoder = TextEncoder(12, 5, d_model=16, n_heads=2)
    tokens = torch.tensor([[3, 4, 5, 0, 0]])
    other = tokens.clone()
    other[0, 2] = 8
    a, b = encoder(tokens)[0], encoder(other)[0]
    assert (a - b).abs().amax(-1)[0, :3].min() > 1e-3  # the whole and the words before hear of the last


def test_a_guess_of_the_picture_gives_the_velocity_that_leads_there():
    """The true picture gives the true velocity; a wrong one an error that is 1 / (1 − t) times as large."""
    x, t, tokens = inputs()
    eps = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    t = t * 0.9
    x_t, velocity = noised_pair(x, eps, t, STRAIGHT)
    network = small()
    by_picture = ByPicture(network)
    error = network(x_t, t, tokens) - x
    torch.testing.assert_close(
        by_picture(x_t, t, tokens) - velocity, error / (1 - t)[:, None, None, None], rtol=1e-4, atol=1e-4
    )
    assert by_picture.unasked == network.unasked


def test_an_encoder_that_was_trained_before_is_taken_as_it_is():
    torch.manual_seed(3)
    text = TextEncoder(12, 5, 16).requires_grad_(False)
    net = TextUNet(12, 5, channels=8, side=16, d_text=16, text=text)
    assert net.text is text
    assert not any(name.startswith("text.") for name, p in net.named_parameters() if p.requires_grad)
