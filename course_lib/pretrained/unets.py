"""The class-conditional flows that come with the course, trained by ``benchmarks/diffusion/digits.py``."""

from course_lib.diffusion.unet import UNet
from course_lib.pretrained.weights import load_weights

UNETS_SHA256 = {
    "digits": "1764ec79b04d5947d0702391e4352e22dad19c1847779d06bbd0afc497d0920e",
    "fashion": "debad286791327255cd4bbbdf302959b62f27fb628f167c19d134a5b96d20157",
}


def load_unet(name: str) -> UNet:
    """Return the averaged network of "digits" or "fashion", in eval mode: labels 0 … 9, and 10 for any.

    It predicts the velocity on straight paths from noise at t = 0 to images in [−1, 1] at t = 1. Trained on 9,000
    images; weights rounded to bfloat16. ValueError for another name; OSError as for ``shipped``.
    """
    if name not in UNETS_SHA256:
        raise ValueError(f"name: expected one of {', '.join(UNETS_SHA256)}, got {name!r}")
    model = UNet(n_classes=10)
    load_weights(model, f"{name}_unet.safetensors", UNETS_SHA256[name])
    return model.requires_grad_(False).eval()
