"""The step of a language model."""

import torch
from made import seeded
from runs import draw, language
from torch.nn import functional as F

from course_lib.attention.step import next_token_step


def test_a_step_is_cross_entropy_clipped_gradients_and_the_optimizers_update():
    model, _, _ = language(dropout=0.0)
    tokens, targets = draw(seeded(3))
    loss = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    before = [p.detach().clone() for p in model.parameters()]
    plain = torch.optim.SGD(model.parameters(), 1.0)
    scalars = next_token_step(model, [plain], clip=norm.item() / 2)((tokens, targets))
    torch.testing.assert_close(scalars["loss"], loss)
    torch.testing.assert_close(scalars["norm"], norm)
    for p, old, g in zip(model.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(p, old - g / 2, rtol=1e-4, atol=1e-6)
        assert p.grad is None
    assert set(next_token_step(model, [plain], clip=None)((tokens, targets))) == {"loss"}
