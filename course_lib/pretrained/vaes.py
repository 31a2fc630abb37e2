"""The VAEs that come with the course: trained on the digits by ``benchmarks/vae/digits.py``."""

from course_lib.pretrained.weights import load_weights
from course_lib.vae.models import VAE, fully_connected_vae

SHA256 = {
    "digits_vae": "69299914e94c6fd819fff1ebfa525081c9d0d9a91b9f0845715cdf5d594bc575",
    "digits_vae_2d": "fed067bf3a4fee5f1defd3fa71d58972c10656c84515a33370a7d995f7470f41",
}


def load_digit_vae(latent_dim: int = 50) -> VAE:
    """Return the VAE of the binary digits with 50 latents, or with 2 to draw maps of, in eval mode.

    Trained on 9,000 digits; weights rounded to bfloat16. ValueError for other latent_dim; OSError as for ``shipped``.
    """
    names = {50: ("digits_vae", 500), 2: ("digits_vae_2d", 300)}
    if latent_dim not in names:
        raise ValueError(f"latent_dim: expected 50 or 2, got {latent_dim}")
    name, hidden = names[latent_dim]
    model = fully_connected_vae(latent_dim, hidden)
    load_weights(model, f"{name}.safetensors", SHA256[name])
    return model.eval()
