"""Record and ship the judge of scenes: how well it tells what real pictures of coloured digits show, and what fools it.

The classifier sees the 9,000 training digits, cut out of pictures at both sizes as the program finds them, each time
turned, sheared, stretched and dimmed a little. The weights are those of the first seed, rounded to bfloat16.
"""

import hashlib
import time

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from benchmarks.evaluation.classifiers import trained_classifier
from course_lib.classroom.records import write_record
from course_lib.datasets.scene_images import SIDE, Scenes, cut_outs, load_scenes
from course_lib.evaluation.classifier import Classifier
from course_lib.evaluation.scenes import Found, cropped, exchanged, find, numbers, right
from course_lib.paths import DATA
from course_lib.pretrained.judges import CHANNELS

SEEDS = range(5)
BATCH, RATE, DROPOUT, STEPS = 100, 3e-3, 0.2, 2_000
N = 10_000  # test scenes of each kind
SPOILED = 2_000  # others, to be spoiled


def training_crops() -> tuple[Tensor, Tensor]:
    """Return each training digit at both sizes as the judge gets to see it, 18,000 images, and the labels."""
    atlas = cut_outs("train")
    edge = atlas.crops.shape[-1]
    before = (SIDE - edge) // 2
    after = SIDE - edge - before
    crops = []
    for size in (0, 1):
        alone = F.pad(atlas.crops[:, size], (before, after, before, after))
        found = find(alone[:, None].expand(-1, 3, -1, -1).contiguous())
        crops.append(cropped(found.ink[:, 0], found.box[:, 0]))
    return torch.cat(crops), atlas.labels.repeat(2)


def varied(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Return crops turned by up to 10°, sheared, stretched, moved by up to 1.4 pixels, and dimmed."""

    def between(limit: float) -> Tensor:
        return (2 * torch.rand(len(crops), generator=generator) - 1) * limit

    angle = between(0.17)
    rows = [(1 + between(0.1)) * angle.cos(), between(0.2) - angle.sin(), between(0.1)]
    rows += [angle.sin(), (1 + between(0.1)) * angle.cos(), between(0.1)]
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(crops.shape), align_corners=False)
    moved = F.grid_sample(crops + 1, grid, align_corners=False) * (1 + between(0.15))[:, None, None, None]
    return (moved - 1).clamp(max=1)


def train(crops: Tensor, labels: Tensor, seed: int, steps: int = STEPS) -> Classifier:
    """Train one judge and return it in eval mode, its weights rounded to bfloat16."""
    torch.manual_seed(seed)
    model = Classifier(CHANNELS, DROPOUT)

    def batch(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(crops), (BATCH,), generator=generator)
        return varied(crops[chosen], generator), labels[chosen]

    return trained_classifier(model, RATE, batch, steps, seed)


def shares(judge: Classifier, found: Found, scenes: Scenes) -> dict[str, float]:
    """Return the share of pictures of which the judge says each thing as it is; of all asked: with one digit, two."""
    answers = right(numbers(found, judge), found.count, scenes.asked)
    values = {name: _share(answer) for name, answer in answers.items()}
    pairs = scenes.asked[:, 4] >= 0
    return values | {"all of one": _share(answers["all"][~pairs]), "all of two": _share(answers["all"][pairs])}


def spoiled(judge: Classifier, scenes: Scenes) -> dict[str, float]:
    """Return the share that the judge calls wholly right of pictures that were spoiled, or show something else."""
    clean, generator = scenes.images.float() / 127.5 - 1, torch.Generator().manual_seed(0)
    noise = torch.randn(clean.shape, generator=generator)
    weights = torch.tensor([0.25, 0.5, 0.25])
    kernel = (weights[:, None] * weights).expand(3, 1, 3, 3)
    pictures = {
        "clean": clean,
        "noise 0.1": clean + 0.1 * noise,
        "noise 0.2": clean + 0.2 * noise,
        "blurred": F.conv2d(F.pad(clean, (1, 1, 1, 1), value=-1.0), kernel, groups=3),
        "three quarters of the light": 0.75 * (clean + 1) - 1,
        "one picture for all": clean[:1].expand_as(clean),
        "of another caption": clean.roll(1, 0),
    }
    values = {}
    for name, images in pictures.items():
        found = find(images)
        values[name] = _share(right(numbers(found, judge), found.count, scenes.asked)["all"])
    return values


def bound_wrongly(judge: Classifier, found: Found, scenes: Scenes) -> dict[str, float]:
    """Return what the judge says of pictures of two colours when each digit is asked for in the other one's colour."""
    two = (scenes.asked[:, 4] >= 0) & (scenes.asked[:, 1] != scenes.asked[:, 5])
    other_way = scenes.asked[:, [0, 5, 2, 3, 4, 1, 6, 7, 8]]
    described = numbers(found, judge)
    answers = right(described, found.count, other_way)
    return {
        "called right": _share(answers["all"][two]),
        "called exchanged": _share(exchanged(described, other_way)[two]),
    }


def _share(answer: Tensor) -> float:
    return round(answer.double().mean().item(), 4)


def save(model: Classifier) -> str:
    """Write the weights and return the file's sha256."""
    path = DATA / "scenes_classifier.safetensors"
    # batches counted in training play no part in eval mode
    kept = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    save_file({key: value.to(torch.bfloat16).contiguous() for key, value in kept.items()}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Train the seeds, write the weights of the first and the record."""
    torch.set_num_threads(1)
    crops, labels = training_crops()
    started = time.process_time()
    judges = []
    for seed in SEEDS:
        judges.append(train(crops, labels, seed))
        print("trained", seed, round(time.process_time() - started, 1), flush=True)
    seconds = (time.process_time() - started) / len(SEEDS)
    values: dict[str, object] = {
        "parameters": sum(p.numel() for p in judges[0].parameters()),
        "steps": STEPS,
        "processor_s": round(seconds, 1),
        "scenes": N,
        "sha256": save(judges[0]),
    }
    for combinations in ("seen", "unseen"):
        scenes = load_scenes(N, torch.Generator().manual_seed(0), "test", combinations, say=1.0)
        found = find(scenes.images)
        rows = [shares(judge, found, scenes) for judge in judges]
        values[combinations] = {name: [row[name] for row in rows] for name in rows[0]}
        print(combinations, values[combinations], flush=True)
        if combinations == "seen":
            values["other colours asked"] = bound_wrongly(judges[0], found, scenes)
    few = load_scenes(SPOILED, torch.Generator().manual_seed(1), "test", say=1.0)
    values["spoiled"] = spoiled(judges[0], few)
    what = "the judge of scenes on real test scenes: share of pictures of which it says each thing as it is, by seed"
    print(values, write_record("scene_judge", what, SEEDS, values))


if __name__ == "__main__":
    main()
