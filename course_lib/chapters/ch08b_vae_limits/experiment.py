"""A VAE of clothes, trained as the small ones of chapter 08's record."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.precision import bfloat16_pays
from course_lib.training.trained import Trained
from course_lib.vae.models import VAE, fully_connected_vae
from course_lib.vae.step import draw_binary, vae_step


def small_vae(greys: Float[Tensor, "n 784"], steps: int, seed: int) -> VAE:
    """Return a VAE with 20 latents, trained on binary draws of grey images where these are, 100 a step."""
    torch.manual_seed(seed)
    model = fully_connected_vae(20, 200, mean=greys.mean(0)).to(greys.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.05, fused=True)
    trained = Trained({"vae": model}, {"adamw": optimizer}, torch.Generator().manual_seed(seed))
    step = vae_step(model, optimizer, clip=50, bfloat16=bfloat16_pays(greys.device))
    schedule = partial(warmup_then_linear, warmup=0.05, decay=0.95)
    fit(step, draw_binary(greys, 100, model.latent_dim), steps, trained, schedule=schedule, progress=False)
    return model.eval().requires_grad_(False)
