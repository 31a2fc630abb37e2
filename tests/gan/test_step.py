"""DCGAN and its training step: shapes, whose parameters move in whose turn, checkpoints, moving average."""

import pytest
import torch
from gan_parts import images, parts

from course_lib.gan.losses import OBJECTIVES
from course_lib.gan.step import Turns, draw_turns, training_step
from course_lib.training.fit import fit


def weights(trained):
    return {f"{m}.{n}": t.clone() for m, module in trained.modules.items() for n, t in module.state_dict().items()}


def parameters(module):
    return [p.detach().clone() for p in module.parameters()]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_turn_moves_one_player_alone_and_leaves_no_gradient(name):
    """Frozen by a rate of 0, the other's weights stay, and no gradient waits for the next turn."""
    for frozen, moves in (("g", "d"), ("d", "g")):
        trained, step = parts(objective=OBJECTIVES[name])
        trained.optimizers[frozen].param_groups[0]["lr"] = 0.0
        before = {key: parameters(trained.modules[key]) for key in ("g", "d")}
        step(draw_turns(images()[0], None, 8, 5)(trained.generator))
        after = {key: parameters(trained.modules[key]) for key in ("g", "d")}
        assert all(torch.equal(a, b) for a, b in zip(before[frozen], after[frozen], strict=True))
        assert any(not torch.equal(a, b) for a, b in zip(before[moves], after[moves], strict=True))
        for key in ("g", "d"):
            assert all(p.grad is None and p.requires_grad for p in trained.modules[key].parameters())


def test_in_the_discriminators_turn_the_generator_gets_no_gradient_and_the_other_way_round(monkeypatch):
    trained, step = parts(n_classes=0)
    g, d = trained.modules["g"], trained.modules["d"]
    seen = []
    for name, own, other in (("d", d, g), ("g", g, d)):
        optimizer = trained.optimizers[name]
        plain = optimizer.step

        def spy(plain=plain, own=own, other=other, name=name):
            seen.append(name)
            assert all(p.grad is not None for p in own.parameters())
            assert all(p.grad is None for p in other.parameters())
            plain()

        monkeypatch.setattr(optimizer, "step", spy)
    step(draw_turns(images()[0], None, 8, 5, n_critic=3)(trained.generator))
    assert seen == ["d", "d", "d", "g"]


@pytest.mark.parametrize("plain", [False, True])
def test_one_step_is_the_textbooks(plain):
    """Against the loop written out: D on real and detached fake, then G through the new D."""
    trained, step = parts()
    turns = draw_turns(images()[0], None, 8, 5)(torch.Generator().manual_seed(3))
    if plain:
        training_step(
            *(trained.modules[n] for n in ("g", "d")), *trained.optimizers.values(), turns.real[0], turns.z[0]
        )
        assert all(p.grad is None for p in trained.modules["d"].parameters())
    else:
        step(turns)
    other, _ = parts()
    g, d = other.modules["g"], other.modules["d"]
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    fake = g(turns.z[0])
    real_logits, fake_logits = d(turns.real[0]), d(fake.detach())
    (bce(real_logits, torch.ones(8)) + bce(fake_logits, torch.zeros(8))).backward()
    other.optimizers["d"].step()
    other.optimizers["g"].zero_grad()
    bce(d(fake), torch.ones(8)).backward()
    other.optimizers["g"].step()
    for name in ("g", "d"):
        for a, b in zip(trained.modules[name].parameters(), other.modules[name].parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_run_in_two_parts_is_the_whole_run_bit_for_bit(tmp_path):
    x, labels = images()

    def run(untils, name):
        for until in untils:
            trained, step = parts(n_classes=3, r1_weight=0.1)
            draw = draw_turns(x, labels, 6, 5, n_critic=2)
            fit(step, draw, 6, trained, until=until, every=1, checkpoint=tmp_path / name, progress=False)
        return weights(trained)

    whole, resumed = run((6,), "whole"), run((3, 6), "parts")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_turns_hold_their_sizes_and_the_labels_of_their_images():
    x, labels = images()
    turns = draw_turns(x, labels, 6, 5, n_critic=2)(torch.Generator().manual_seed(0))
    assert isinstance(turns, Turns)
    assert (turns.real.shape, turns.z.shape) == ((2, 6, 1, 28, 28), (2, 6, 5))
    for image, label in zip(turns.real.flatten(0, 1), turns.labels.flatten(), strict=True):
        (at,) = (x == image).flatten(1).all(1).nonzero()[0]
        assert labels[at] == label


def test_batches_that_cannot_be_are_named(unchecked):
    x, labels = images()
    with pytest.raises(ValueError, match="n_critic: expected at least 1, got 0"):
        draw_turns(x, None, 6, 5, n_critic=0)
    with pytest.raises(ValueError, match="labels: expected one for each of 40 images, got 39"):
        draw_turns(x, labels[1:], 6, 5)


def test_earlier_turns_train_the_discriminator_as_turns_of_their_own_would():
    """Three turns in one step, with classes and R1, against three steps whose generator stands still."""
    x, labels = images()
    turns = draw_turns(x, labels, 6, 5, n_critic=3)(torch.Generator().manual_seed(4))
    trained, step = parts(n_classes=3, r1_weight=0.2)
    step(turns)
    other, single = parts(n_classes=3, r1_weight=0.2)
    rate = other.optimizers["g"].param_groups[0]["lr"]
    for i, (real, z, kinds) in enumerate(turns):
        other.optimizers["g"].param_groups[0]["lr"] = rate if i == 2 else 0.0
        single(Turns(real[None], z[None], kinds[None]))
    for ours, theirs in zip(parameters(trained.modules["d"]), parameters(other.modules["d"]), strict=True):
        torch.testing.assert_close(ours, theirs)
