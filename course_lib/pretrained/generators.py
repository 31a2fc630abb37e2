"""The class-conditional generators that come with the course, trained by ``benchmarks/gan/images.py``."""

from course_lib.gan.dcgan import Generator
from course_lib.pretrained.weights import load_weights

GENERATORS_SHA256 = {
    "digits": "ebb2045a0957e445594df37dfaffb2ce5b0530a26a82a96629027cead1abf761",
    "fashion": "5fb98056f7ea2fc9b4df9c5f06b4fd3a186c238ce1e22847ac0b800fc74161d3",
}


def load_generator(name: str) -> Generator:
    """Return the averaged generator of "digits" or "fashion", 64 latents and 10 classes, in eval mode.

    Trained on 9,000 images; weights rounded to bfloat16. ValueError for another name; OSError as for ``shipped``.
    """
    if name not in GENERATORS_SHA256:
        raise ValueError(f"name: expected one of {', '.join(GENERATORS_SHA256)}, got {name!r}")
    generator = Generator(64, 32, 10)
    load_weights(generator, f"{name}_generator.safetensors", GENERATORS_SHA256[name])
    return generator.requires_grad_(False).eval()
