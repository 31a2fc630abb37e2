"""Record ``clip.json``: a judge of pictures and sentences trained by contrast, five seeds.

Each arm has the same pictures and as many captions: every batch of 64 pictures is offered 64 captions more than its
own. "random": those of other scenes; "hard" and the others: each picture's own words said of the wrong things;
"shipped": as "hard", for more steps, one seed. The encoder of sentences has learned to read before, from captions alone
(seed 0 of ``text.py``), and stays as it is; with "no reader" it begins from nothing and is trained along. Steps, batch
and rates were chosen by trials of one seed on validation scenes; all figures are of scenes with test digits, the
oracle's of a quarter of them. What finished runs found, and their weights,
are kept in a folder, so that an interrupted record goes on.
"""

import argparse
import hashlib
import math
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from benchmarks.diffusion.digits import rng, rounded
from benchmarks.diffusion.text import reader
from benchmarks.kept import by_seed, kept
from course_lib.classroom.records import write_record
from course_lib.datasets.captions import DIGITS, WORDS, encode
from course_lib.datasets.exchanged import WAYS, both_ways, wrong_captions
from course_lib.datasets.scene_images import Scenes, cut_outs, load_scenes, render
from course_lib.datasets.scenes import COLOURS, held_out, scenes_of
from course_lib.diffusion.contrastive import (
    Clip,
    climb,
    contrastive_optimizers,
    contrastive_step,
    draw_matched,
    image_features,
    information_bound,
    text_features,
)
from course_lib.diffusion.step import as_floats
from course_lib.evaluation.scenes import describe, right
from course_lib.paths import DATA
from course_lib.pretrained.judges import load_judge
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained

SEEDS = range(5)
SCENES, STEPS, LONG, BATCH, EVERY = 30_000, 150, 700, 64, 50
ARMS = {  # steps and seeds
    "hard": (STEPS, SEEDS),
    "random": (STEPS, SEEDS),
    "no reader": (STEPS, SEEDS),
    "shipped": (LONG, range(1)),
}
READERS = Path(tempfile.gettempdir()) / "text_to_image"  # where text.py keeps its
AMONG = 100  # captions from which a picture's own is picked
BATCHES = (2, 8, 32, 128, 512)  # of the bound
CLIMBS, LIMIT = 20, 0.2  # steps up the similarity; pixels from −1 to 1
FOOLED = 60


def train(arm: str, seed: int) -> tuple[Clip, dict[str, Any]]:
    """Train one judge; return it in eval mode, its parameters fixed, and how its training went."""
    data = load_scenes(SCENES, rng(seed))
    order = torch.randperm(SCENES, generator=rng(50 + seed))
    offered = encode(wrong_captions(data.asked, rng(50 + seed))) if "random" not in arm else data.tokens[order]
    text = None if arm == "no reader" else reader(READERS, 0)[0].encoder
    torch.manual_seed(seed)
    clip = Clip(len(WORDS), text=text)
    optimizers = contrastive_optimizers(clip)
    trained = Trained({"clip": clip}, optimizers, rng(seed))
    started = time.process_time()
    history = fit(
        contrastive_step(clip, optimizers.values()),
        draw_matched(data.images, data.tokens, BATCH, offered),
        ARMS[arm][0],
        trained,
        schedule=partial(warmup_then_linear, warmup=0.05, decay=0.6),
        every=EVERY,
        progress=False,
    )
    found = {"seconds": time.process_time() - started, "loss": history.curve("loss").values}
    return clip.eval().requires_grad_(False), found | {"temperature": clip.temperature.item()}


def scores_of(clip: Clip, scenes: Scenes) -> Tensor:
    """Return the cosines of all pictures with all captions."""
    return image_features(clip, scenes.images) @ text_features(clip, scenes.tokens).T


def retrieval(scores: Tensor) -> dict[str, float]:
    """Return how often, among AMONG at a time, a picture's best caption is its own, and a caption's best picture."""
    blocks = [scores[i : i + AMONG, i : i + AMONG] for i in range(0, len(scores), AMONG)]
    own = torch.arange(AMONG)
    return {
        "caption": sum((block.argmax(1) == own).double().mean().item() for block in blocks) / len(blocks),
        "picture": sum((block.argmax(0) == own).double().mean().item() for block in blocks) / len(blocks),
    }


def exchanged(clip: Clip, part: str, seed: int = 7) -> dict[str, float]:
    """Return how often a picture is nearer to its caption than to that with the same words exchanged, by what is."""
    generator, found = rng(seed), {}
    images, shown, _ = render(scenes_of("seen", 2_000, generator, two=1.0), generator, part)
    pictures = image_features(clip, images)
    shown[:, [3, 7]] = -1  # strokes are not said
    for what in WAYS:
        good, bad, changed = both_ways(shown, what, generator)
        of = [(pictures[changed] * text_features(clip, encode(captions))).sum(1) for captions in (good, bad)]
        found[what] = (of[0] > of[1]).double().mean().item()
    return found


def class_vectors(clip: Clip) -> dict[str, Tensor]:
    """Return a vector for each digit, from 'a seven'; for each colour, the mean over 'a red zero' … 'a red nine'."""
    digits = text_features(clip, encode([f"a {digit}" for digit in DIGITS]))
    both = text_features(clip, encode([f"a {colour} {digit}" for colour in COLOURS for digit in DIGITS]))
    return {"digit": digits, "colour": F.normalize(both.view(len(COLOURS), 10, -1).mean(1), dim=1), "both": both}


def zero_shot(clip: Clip, part: str, combinations: str) -> dict[str, float]:
    """Return how often the nearest of ten, of six, of sixty sentences names what a picture of one digit shows."""
    generator = rng(8)
    images, shown, _ = render(scenes_of(combinations, 2_000, generator, two=0.0), generator, part)
    pictures = image_features(clip, images)
    truth = {"digit": shown[:, 0], "colour": shown[:, 1], "both": 10 * shown[:, 1] + shown[:, 0]}
    return {
        name: ((pictures @ vectors.T).argmax(1) == truth[name]).double().mean().item()
        for name, vectors in class_vectors(clip).items()
    }


def bounds(scores: Tensor) -> dict[str, float]:
    """Return what the score bounds the information by, in nats, in batches of each size of the same pairs."""
    return {
        str(n): sum(information_bound(scores[i : i + n, i : i + n]).item() for i in range(0, len(scores), n))
        / (len(scores) // n)
        for n in BATCHES
    }


def fooling(clip: Clip, other: Clip, part: str) -> dict[str, Any]:
    """Return cosines, and what a program finds, of pictures that climbed to a caption: other scenes, and black ones.

    own: of real pictures with their own captions; noise: of pixels moved as far by chance; other: the second judge's.
    """
    scenes = load_scenes(FOOLED, rng(9), part, say=1.0)
    words, asked, judge = scenes.tokens.roll(1, 0), scenes.asked.roll(1, 0), load_judge()

    def cosine(model: Clip, pixels: Tensor) -> float:
        return (image_features(model, pixels) * text_features(model, words)).sum(1).mean().item()

    honest = (image_features(clip, scenes.images) * text_features(clip, scenes.tokens)).sum(1)
    found: dict[str, Any] = {"own": honest.mean().item()}
    noise = torch.empty(FOOLED, 3, 32, 32).uniform_(-1, 1, generator=rng(10)).sign()
    texts = text_features(clip, words)
    for name, start in (("scene", as_floats(scenes.images)), ("black", -torch.ones(FOOLED, 3, 32, 32))):
        pixels = start
        for _ in range(CLIMBS):
            pixels = climb(lambda x: (clip.embed_images(x) * texts).sum(1), pixels, start, LIMIT / 8, LIMIT)
        described, counts = describe(pixels, judge)
        shares = {
            "above own": (image_features(clip, pixels) * texts).sum(1) > honest,
            "asked": right(described, counts, asked)["all"],
            "as before": right(described, counts, scenes.asked)["all"],
            "nothing": counts == 0,
        }
        at_random = (start + LIMIT * noise).clamp(-1, 1)
        found[name] = {key: share.double().mean().item() for key, share in shares.items()}
        found[name] |= {"before": cosine(clip, start), "after": cosine(clip, pixels), "noise": cosine(clip, at_random)}
        found[name] |= {"other before": cosine(other, start), "other after": cosine(other, pixels)}
    return found


def consistent(shown: Tensor, asked: Tensor) -> Tensor:
    """Return (scenes, sentences), whether each sentence is true of each scene, all of which shows in ``shown``."""
    turned = shown[:, [4, 5, 6, 7, 0, 1, 2, 3, 8]].clone()
    turned[:, 8] = -2
    return _fits(shown, asked) | _fits(turned, asked)


def _fits(shown: Tensor, asked: Tensor) -> Tensor:
    fits = (shown[:, None, 4] >= 0) == (asked[:, 4] >= 0)
    for column in range(9):
        fits &= (asked[:, column] < 0) | (shown[:, None, column] == asked[:, column])
    return fits


def every_scene(part: str, combinations: str) -> tuple[Tensor, Tensor]:
    """Return all scenes that ``load_scenes`` draws, strokes shown, and with which probability each."""
    atlas = cut_outs(part)
    strokes = torch.stack([((atlas.labels == d) & (atlas.stroke == s)).sum() / (atlas.labels == d).sum()
                           for d in range(10) for s in (-1, 0, 1)]).view(10, 3)  # fmt: skip
    thing = torch.cartesian_prod(torch.arange(10), torch.arange(6), torch.arange(2), torch.arange(-1, 2))
    chance = strokes[thing[:, 0], thing[:, 3] + 1] / 120
    n = len(thing)
    first, second, place = torch.cartesian_prod(torch.arange(n), torch.arange(n), torch.arange(2)).T
    pairs = torch.cat([thing[first], thing[second], place[:, None]], 1)
    which, spot = torch.cartesian_prod(torch.arange(n), torch.arange(2, 7)).T
    alone = torch.cat([thing[which], torch.full((len(which), 4), -1), spot[:, None]], 1)
    scenes = torch.cat([pairs, alone])
    shares = torch.cat([chance[first] * chance[second] / 2 * 2 / 3, chance[which] / 5 / 3])
    kept_in = held_out(scenes).any(1) == (combinations == "unseen")
    return scenes[kept_in].to(torch.int8), shares[kept_in] / shares[kept_in].sum()


def surprise(asked: Tensor, part: str = "test", combinations: str = "seen") -> Tensor:
    """Return −ln of the probability that a sentence is true of a scene drawn by chance, for each sentence.

    Where the sentence is true, this is the pointwise mutual information of it and the picture, in nats.
    """
    scenes, shares = every_scene(part, combinations)
    asked = asked.to(torch.int8)
    return torch.cat([-(shares.double() @ consistent(scenes, some).double()).log() for some in asked.split(20)])


def run(arm: str, seed: int, keep: Path) -> dict[str, Any]:
    """Train and measure one judge on one thread; its weights stay in the folder."""
    clip, found = train(arm, seed)
    save_file({k: v.to(torch.bfloat16).contiguous() for k, v in clip.state_dict().items()},
              keep / f"{arm} {seed}.safetensors")  # fmt: skip
    return found | measured(clip)


def measured(clip: Clip, part: str = "test") -> dict[str, Any]:
    """Return every figure of one judge but those that need another one."""
    of = {name: load_scenes(2_048, rng(6), part, name) for name in ("seen", "unseen")}
    scores = {name: scores_of(clip, scenes) for name, scenes in of.items()}
    return {
        "retrieval": {name: retrieval(each[:2_000, :2_000]) for name, each in scores.items()},
        "exchanged": exchanged(clip, part),
        "zero-shot": {name: zero_shot(clip, part, name) for name in of},
        "bound": bounds(scores["seen"] / clip.temperature),
    }


def read(keep: Path, arm: str, seed: int) -> Clip:
    """Return a judge from the folder."""
    clip = Clip(len(WORDS))
    clip.load_state_dict({k: v.float() for k, v in load_file(keep / f"{arm} {seed}.safetensors").items()})
    return clip.eval().requires_grad_(False)


def oracle(part: str = "test") -> dict[str, Any]:
    """Return what who knows all that a picture shows would reach on the same scenes, and the mutual information."""
    found: dict[str, Any] = {}
    for name in ("seen", "unseen"):
        scenes = load_scenes(2_048, rng(6), part, name)
        shown, asked = scenes.shown[:512], scenes.asked[:512]
        information = surprise(asked, part, name)
        known = consistent(shown, asked).double().log() + information  # −∞ where it is not true
        found[name] = retrieval(known[:500, :500])
        if name == "seen":
            spread = information.std() / math.sqrt(len(information))
            found |= {"bound": bounds(known), "information": information.mean().item(), "its error": spread.item()}
    images, shown, _ = render(scenes_of("seen", 2_000, rng(8), two=0.0), rng(8), part)
    described = describe(images, load_judge())[0]
    found["program"] = {"digit": (described[:, 0] == shown[:, 0]).double().mean().item(),
                        "colour": (described[:, 1] == shown[:, 1]).double().mean().item()}  # fmt: skip
    return found


def ship(keep: Path) -> str:
    """Copy the weights of the shipped judge to the data; return their sha256."""
    content = (keep / "shipped 0.safetensors").read_bytes()
    (DATA / "scenes_clip.safetensors").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def arm_of(arm: str, keep: Path) -> dict[str, Any]:
    """Return what all trainings of an arm found; pictures that climbed are shown to the next seed's judge as well."""
    steps, seeds = ARMS[arm]
    found = [kept(keep, f"{arm} {seed}", partial(run, arm, seed, keep)) for seed in seeds]
    for seed, each in zip(seeds, found, strict=True):
        second = (arm, (seed + 1) % len(seeds)) if len(seeds) > 1 else ("hard", 0)
        pair = read(keep, arm, seed), read(keep, *second)
        each["fooling"] = kept(keep, f"{arm} {seed} fooling", partial(fooling, *pair, "test"))
    return {"steps": steps} | rounded(by_seed(found))


def main() -> None:
    """Run everything, one at a time, and write the record and the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "clip")
    keep = parser.parse_args().keep
    keep.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    values: dict[str, Any] = {"batch": BATCH, "scenes": SCENES, "among": AMONG, "batches": list(BATCHES)}
    values |= {"climbs": CLIMBS, "limit": LIMIT} | {arm: arm_of(arm, keep) for arm in ARMS}
    values["oracle"] = rounded(kept(keep, "oracle", oracle))
    values["sha256"] = ship(keep)
    told = f"judges of coloured digits and captions, {STEPS} steps with {BATCH} pictures and {2 * BATCH} captions"
    print(write_record("clip", told, SEEDS, values))


if __name__ == "__main__":
    main()
