"""What reads captions and what draws them, shipped with the course, trained by ``benchmarks/diffusion/text.py``.

All were trained on 40,000 scenes with training digits and no combination that is held out; weights are rounded to
bfloat16. Each loader raises OSError where the file is missing or has been changed.
"""

from typing import Any

from course_lib.attention.captioned import CaptionedTransformer
from course_lib.attention.text_encoder import Reader, TextEncoder
from course_lib.datasets.captions import LENGTH, WORDS
from course_lib.datasets.scenes import COLOURS, PLACES, SIZES, STROKES
from course_lib.diffusion.text_unet import ByPicture, TextUNet
from course_lib.pretrained.weights import load_weights
from course_lib.vae.quantised import QuantisedAutoencoder

DRAWERS_SHA256 = {
    "reader": "dbd91531ad92d43ae2c86c1a9ff72cf7ecdbb5ecce8de680e9e78c8c88ce23f8",
    "codes": "1717ec6a4e5b2abf1c239c5c13600e8a655172b7de584b319706b01bd38de41c",
    "symbols": "34d8fd0ca20f41131bebb7d47161b265c71c4a1725a9ac7d4afb8b48e584b578",
    "flow": "0c240c5bac384744f09b7902c3b89574003d4da3346444b64e3a0e7486b6646a",
}
ANSWERS = (10, len(COLOURS), len(SIZES), len(STROKES)) * 2 + (len(PLACES),)  # to the nine questions of a scene
SYMBOLS, PLACES_A_SIDE = 512, 8
CHANNELS = 96  # of the autoencoder


def load_reader() -> Reader:
    """Return the reader, in eval mode: tokens of a caption to the nine numbers of its scene."""
    return _filled("reader", Reader(TextEncoder(len(WORDS), LENGTH), ANSWERS))


def load_symbols() -> tuple[QuantisedAutoencoder, CaptionedTransformer]:
    """Return the autoencoder of 512 symbols and the Transformer that draws 8 × 8 of them, in eval mode."""
    text = TextEncoder(len(WORDS), LENGTH)
    drawer = CaptionedTransformer(len(WORDS), LENGTH, SYMBOLS, PLACES_A_SIDE**2, text=text)
    return _filled("codes", QuantisedAutoencoder(3, CHANNELS, SYMBOLS)), _filled("symbols", drawer)


def load_text_flow() -> ByPicture:
    """Return the flow that is told captions, in eval mode; tokens 0 ask nothing."""
    return _filled("flow", ByPicture(TextUNet(len(WORDS), LENGTH)))


def _filled(name: str, model: Any) -> Any:
    """Return a model with the shipped weights, in eval mode."""
    load_weights(model, f"scenes_{name}.safetensors", DRAWERS_SHA256[name])
    return model.requires_grad_(False).eval()
