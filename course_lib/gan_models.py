"""The class-conditional generators that come with the course, trained by ``benchmarks/gan_images.py``."""

from safetensors.torch import load

from course_lib.data import shipped
from course_lib.dcgan import Generator

GENERATORS_SHA256 = {
    "digits": "c389dd0edcc4f38909b164eb26da9cc812b13d5ee23b4c55a7b1e06818b7b0e2",
    "fashion": "db032130d3ee5aec88b7d6be031cc102909d54e5a1955c3c15d12e2d61102bc4",
}


def load_generator(name: str) -> Generator:
    """Return the averaged generator of "digits" or "fashion", 64 latents and 10 classes, in eval mode.

    Trained on 9,000 images; weights rounded to bfloat16. ValueError for another name; OSError as for ``shipped``.
    """
    if name not in GENERATORS_SHA256:
        raise ValueError(f"name: expected one of {', '.join(GENERATORS_SHA256)}, got {name!r}")
    weights = load(shipped(f"{name}_generator.safetensors", GENERATORS_SHA256[name]))
    generator = Generator(64, 32, 10)
    counted = {key: value for key, value in generator.state_dict().items() if key.endswith("num_batches_tracked")}
    generator.load_state_dict(counted | {key: tensor.float() for key, tensor in weights.items()})
    return generator.requires_grad_(False).eval()
