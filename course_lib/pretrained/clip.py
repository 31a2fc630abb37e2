"""What tells whether a picture and a sentence belong together, and what draws a picture from that alone.

Trained by ``benchmarks/diffusion/clip.py`` and ``unclip.py`` on 30,000 scenes with training digits and no combination
that is held out; weights are rounded to bfloat16. Each loader raises OSError where its file is missing or has been
changed.
"""

from course_lib.datasets.captions import WORDS
from course_lib.diffusion.contrastive import Clip
from course_lib.pretrained.weights import load_weights

CLIP_SHA256 = "5cada2b19a18610bcdda74c82a315d7a393aeaf6270f30cfa9360b8d7aa7962b"


def load_clip() -> Clip:
    """Return the judge of pictures (n, 3, 32, 32) and captions (n, 20), in eval mode, its parameters fixed."""
    clip = Clip(len(WORDS))
    load_weights(clip, "scenes_clip.safetensors", CLIP_SHA256)
    return clip.requires_grad_(False).eval()
