"""The chat models that come with the course, stage by stage, and the template that they speak in.

Trained by ``benchmarks/chat/``: a Transformer of 1.3 million parameters. Weights are rounded to bfloat16.
"""

import json
from typing import Literal, get_args

from course_lib.attention.tokens import BytePairs
from course_lib.attention.transformer import Transformer, modern
from course_lib.chat.template import SPECIAL, ChatTemplate
from course_lib.datasets.shipped import shipped
from course_lib.pretrained.weights import load_weights

Stage = Literal["pretrained", "tuned", "preferred", "rewarded", "tools"]
TOKENS_SHA256 = "8255ca1334cb8609cbb0e364024846478aed1329325fea6b6c8cde1ef336b89c"
CHAT_SHA256 = {
    "pretrained": "ae58a824dfd7cd0a6490c038a5703db987742496d9b342bcf726fde18614dbfb",
    "tuned": "3ffcdcbb6d5cb8e31b6a3d4cddbcdc055808f22c4bcc5db4d6d2fcb76ecf772b",
    "preferred": "7d52f0f57cdb3a0e42b8f04404f82f0e517a2d42d08fc83a70155a7a5701a3ae",
    "rewarded": "b81997fa942716b621749195fcc83875e91db87c56996a29a739670098bf10ec",
    "tools": "7dc0e79f318b9cd27355faf369e04c6aacbbedb696c0349c0a81e90c95565c70",
}
CONFIG = modern(1024, context_length=128, n_layers=6, n_heads=4, d_model=128)


def load_chat_template() -> ChatTemplate:
    """Return the template with its tokenizer: 1,024 tokens, single digits. OSError as for ``shipped``."""
    content = json.loads(shipped("chat_tokens.json", TOKENS_SHA256))
    merges = tuple((a, b) for a, b in content["merges"])
    return ChatTemplate(BytePairs(merges, SPECIAL, content["pattern"]))


def load_chat_model(stage: Stage = "pretrained") -> Transformer:
    """Return the model as a stage left it, of its first seed, in eval mode. OSError as for ``shipped``.

    stage: "pretrained", "tuned" from it, and from that "preferred" (DPO), "rewarded" (GRPO) and "tools" (does sums by
    ``calc``, says that it does not know). ValueError for another name.
    """
    if stage not in get_args(Stage):
        raise ValueError(f"stage: expected one of {', '.join(get_args(Stage))}, got {stage!r}")
    model = Transformer(CONFIG)
    load_weights(model, f"chat_{stage}.safetensors", CHAT_SHA256[stage])
    return model.requires_grad_(False).eval()
