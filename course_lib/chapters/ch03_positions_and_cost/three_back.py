"""Name the symbol three back: one layer of attention, five ways to tell it where things stand.

Random symbols of 16 kinds; the model is trained on 32 positions and then read at 256. What a symbol is says nothing of
where it stands, so all that helps comes from the positions.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.attention.multi_head import MultiHeadAttention, join_heads
from course_lib.attention.positions import LearnedPositions, alibi, rotary, sinusoidal

SCHEMES = ("none", "learned", "sinusoidal", "rotary", "alibi")


TRAINED, READ, BACK, KINDS, WIDTH = 32, 256, 3, 16, 32


class ThreeBack(nn.Module):
    """Symbols' vectors, one layer of causal attention beside a residual path, and a readout.

    scheme: one of SCHEMES; n_heads divides WIDTH. ValueError for another scheme.
    """

    def __init__(self, scheme: str, n_heads: int = 2) -> None:
        super().__init__()
        if scheme not in SCHEMES:
            raise ValueError(f"scheme: expected one of {', '.join(SCHEMES)}, got {scheme!r}")
        self.scheme = scheme
        self.symbol, self.readout = nn.Embedding(KINDS, WIDTH), nn.Linear(WIDTH, KINDS)
        self.layer = MultiHeadAttention(WIDTH, n_heads)
        if scheme == "learned":
            self.table = LearnedPositions(READ, WIDTH)

    def forward(
        self, symbols: Int[Tensor, "batch time"], window: int = READ, extra: Float[Tensor, "distance"] | None = None
    ) -> Float[Tensor, "batch time kinds"]:
        """Return the logits of the symbol three back; window: how many of the last positions are seen.

        extra: what is added to the scores at each distance 0, 1, … from the query, of at least as many as symbols.
        """
        at = torch.arange(symbols.shape[1], device=symbols.device)
        x = self.symbol(symbols)  # (B, T, C)
        if self.scheme == "learned":
            x = self.table(x)
        if self.scheme == "sinusoidal":
            x = x + sinusoidal(at, WIDTH).to(x.dtype)
        q, k, v = self.layer.project(x)  # (B, H, T, d)
        if self.scheme == "rotary":
            q, k = rotary(q, at), rotary(k, at)
        bias = q.new_zeros(len(at), len(at))
        if self.scheme == "alibi":
            bias = alibi(self.layer.n_heads, at).to(q.dtype)  # (H, T, T)
        distance = at[:, None] - at
        if extra is not None:
            bias = bias + extra.to(bias)[distance.clamp(min=0)]
        bias = bias.masked_fill((distance < 0) | (distance >= window), -torch.inf)
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.readout(x + self.layer.output(join_heads(found)))


def train(scheme: str, seed: int, n_heads: int = 2, steps: int = 400, device: str | torch.device = "cpu") -> ThreeBack:
    """Return a model trained with Adam on 32 new sequences of 32 symbols a step; the rate rises and falls to 0."""
    torch.manual_seed(seed)
    model = ThreeBack(scheme, n_heads).to(device)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1, (i + 1) / 20) * (1 - i / steps))
    for _ in range(steps):
        symbols = torch.randint(KINDS, (32, TRAINED), generator=generator).to(device)
        loss = F.cross_entropy(model(symbols)[:, BACK:].flatten(0, 1), symbols[:, :-BACK].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


@torch.no_grad()
def accuracy(
    model: ThreeBack, window: int = READ, extra: Float[Tensor, "distance"] | None = None
) -> Float[Tensor, "time"]:
    """Return the share of right answers at positions 3 … 255, over 200 sequences that no training saw.

    window and extra are the model's: what it sees, and what is added to its scores.
    """
    symbols = torch.randint(KINDS, (200, READ), generator=torch.Generator().manual_seed(99))
    named = model(symbols.to(model.readout.weight.device), window, extra).argmax(-1).cpu()
    return (named[:, BACK:] == symbols[:, :-BACK]).double().mean(0)


def shares(right: Float[Tensor, "time"]) -> dict[str, float]:
    """Return the mean accuracy within the trained length (3–31), just beyond it (32–63) and far off (192–255)."""
    spans = {"inside": (BACK, 32), "beyond": (32, 64), "far": (192, 256)}
    return {name: right[first - BACK : last - BACK].mean().item() for name, (first, last) in spans.items()}
