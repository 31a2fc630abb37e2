"""A training of a classifier with a fault, for the reader to name by its curves."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

CLASSES, PER_CLASS, FEATURES = 10, 20, 16


def training(seed: int, twice: bool, steps: int = 200, rate: float = 0.5) -> Float[Tensor, "steps 2"]:
    """Return loss in nats and accuracy before each step of gradient descent, float64.

    A linear classifier on ten clouds of 20 points that lie well apart; twice: whether the logits go through a softmax
    before the cross-entropy, which takes one itself.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    centres = 2 * torch.randn(CLASSES, FEATURES, generator=generator, dtype=torch.float64)
    x = centres[labels] + 0.5 * torch.randn(len(labels), FEATURES, generator=generator, dtype=torch.float64)
    weight = torch.zeros(FEATURES, CLASSES, dtype=torch.float64, requires_grad=True)
    found = []
    for _ in range(steps):
        logits = x @ weight
        loss = F.cross_entropy(logits.softmax(dim=-1) if twice else logits, labels)
        (gradient,) = torch.autograd.grad(loss, weight)
        accuracy = (logits.argmax(dim=-1) == labels).double().mean()
        found.append(torch.stack([loss.detach(), accuracy]))
        with torch.no_grad():
            weight -= rate * gradient
    return torch.stack(found)
