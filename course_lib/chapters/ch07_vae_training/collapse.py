"""Small VAEs trained with any weight of the KL: what the article's reductions leave of the latents."""

import torch
from torch import Tensor

from course_lib.training.fit import fit
from course_lib.training.trained import Trained
from course_lib.vae.models import VAE, fully_connected_vae
from course_lib.vae.step import draw_binary, vae_step


def small_vae(greys: Tensor, latents: int, beta: float, seed: int, steps: int) -> tuple[VAE, float]:
    """Train a VAE of 200 hidden units on binary draws of grey images; return it and its last kl, nats an image."""
    torch.manual_seed(seed)
    model = fully_connected_vae(latents, hidden=200, mean=greys.mean(0)).to(greys.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    step = vae_step(model, optimizer, beta=beta)
    history = fit(step, draw_binary(greys, 100, latents), steps, trained, progress=False)
    return model.eval(), history.curve("kl").values[-1]


def article_vae(greys: Tensor, latents: int, seed: int, steps: int) -> tuple[VAE, float]:
    """Train with the article's loss, a mean over pixels plus a mean over latents, times 784."""
    return small_vae(greys, latents, 784 / latents, seed, steps)
