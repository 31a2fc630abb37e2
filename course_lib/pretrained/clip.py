"""What tells whether a picture and a sentence belong together, and what draws a picture from that alone.

Trained by ``benchmarks/diffusion/clip.py`` and ``unclip.py`` on 30,000 scenes with training digits and no combination
that is held out; weights are rounded to bfloat16. Each loader raises OSError where its file is missing or has been
changed.
"""

from safetensors.torch import load

from course_lib.datasets.captions import WORDS
from course_lib.datasets.shipped import shipped
from course_lib.diffusion.contrastive import Clip
from course_lib.diffusion.latent import Scale
from course_lib.diffusion.text_unet import ByPicture
from course_lib.diffusion.unclip import Decoder, Prior
from course_lib.pretrained.weights import load_weights

CLIP_SHA256 = "5cada2b19a18610bcdda74c82a315d7a393aeaf6270f30cfa9360b8d7aa7962b"
UNCLIP_SHA256 = "6ccb398136aa8bea8e165da4cd72f075c0dabaff87e310b56f96957e99569818"
CHANNELS = 24  # of the decoder


def load_clip() -> Clip:
    """Return the judge of pictures (n, 3, 32, 32) and captions (n, 20), in eval mode, its parameters fixed."""
    clip = Clip(len(WORDS))
    load_weights(clip, "scenes_clip.safetensors", CLIP_SHA256)
    return clip.requires_grad_(False).eval()


def load_unclip() -> tuple[Prior, Scale, ByPicture]:
    """Return the prior, the spread of the vectors that it draws, and the decoder, both in eval mode, parameters fixed.

    The prior is told unit vectors of sentences, the decoder those of pictures, both of ``load_clip()``; each predicts
    the velocity of a flow from noise at t = 0.
    """
    tensors = {key: tensor.float() for key, tensor in load(shipped("scenes_unclip.safetensors", UNCLIP_SHA256)).items()}
    prior, decoder = Prior(), Decoder(channels=CHANNELS)
    for name, network in (("prior.", prior), ("decoder.", decoder)):
        network.load_state_dict({k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)})
        network.requires_grad_(False).eval()
    return prior, Scale(tensors["mean"], tensors["std"]), ByPicture(decoder).eval()
