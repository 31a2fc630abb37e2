"""The moving average against its formula and PyTorch's own."""

import pytest
import torch
from gan_parts import images, parts
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.gan.step import draw_turns
from course_lib.training.moving_average import moving_average


def test_the_average_follows_by_its_formula_and_starts_at_the_first_weights():
    trained, step = parts()
    g, average = trained.modules["g"], trained.modules["average"]
    draw, expected = draw_turns(images()[0], None, 6, 5), None
    for _ in range(3):
        step(draw(trained.generator))
        now = g.first.weight.detach().clone()
        expected = now if expected is None else 0.9 * expected + 0.1 * now
    torch.testing.assert_close(average.module.first.weight, expected)


def test_it_is_torchs_average_bit_for_bit_and_counts_as_it_does():
    trained, step = parts(seed=3)
    g, draw = trained.modules["g"], draw_turns(images()[0], None, 6, 5)
    ours = moving_average(g, 0.9)
    theirs = AveragedModel(g, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    for _ in range(4):
        step(draw(trained.generator))
        ours.update_parameters(g)
        theirs.update_parameters(g)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, tensor in ours.state_dict().items():
        if "tracked" not in name:  # a counter: PyTorch averages it and rounds, here it is copied
            assert torch.equal(tensor, theirs.state_dict()[name]), name
    counter = ours.module.body[0].num_batches_tracked
    assert torch.equal(counter, g.body[0].num_batches_tracked)


def test_after_its_state_is_back_it_goes_on_from_there():
    trained, step = parts(seed=3)
    g, draw = trained.modules["g"], draw_turns(images()[0], None, 6, 5)
    average = moving_average(g, 0.9)
    step(draw(trained.generator))
    average.update_parameters(g)
    again = moving_average(g, 0.9)
    again.load_state_dict(average.state_dict())
    step(draw(trained.generator))
    for each in (average, again):
        each.update_parameters(g)
    assert torch.equal(average.module.first.weight, again.module.first.weight)
    assert not torch.equal(average.module.first.weight, g.first.weight)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 1.5])
def test_a_decay_that_would_not_follow_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay: expected at least 0 and below 1, got {decay}"):
        moving_average(torch.nn.Linear(2, 2), decay)
