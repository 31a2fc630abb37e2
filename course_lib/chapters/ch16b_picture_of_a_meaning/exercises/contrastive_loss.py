"""The learner writes the loss that asks which sentence is a picture's own, and which picture a sentence's."""

import torch

from course_lib.classroom.exercises.probes import numbers, random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.diffusion import contrastive


def _probe(n: int, width: int, temperature: float, seed: int) -> Probe:
    args = (random(n, width, seed=seed), random(n, width, seed=seed + 1), numbers(temperature)[0])
    return Probe(args, says=f"{n} pairs of {width} numbers, temperature {temperature}")


def _variation(generator: torch.Generator) -> Probe:
    images, texts = torch.randn(2, 4, 3, dtype=torch.float64, generator=generator)
    return Probe((images, texts, torch.rand((), dtype=torch.float64, generator=generator) + 0.2))


def _left_out(images, texts, temperature):
    scores = contrastive.similarities(images, texts) / temperature
    others = scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), -1e9)
    return ((others.logsumexp(1) + others.logsumexp(0)) / 2 - scores.diagonal()).mean()


ENTRY = Exercise(
    id="clip.contrastive_loss",
    reference=contrastive.contrastive_loss,
    probes=lambda: [_probe(5, 3, 0.5, 1), _probe(3, 7, 0.2, 3), _probe(2, 2, 1.7, 5)],
    checked="values and gradients, that of the temperature too, for 2, 3 and 5 pairs of vectors of any length.",
    variations=_variation,
    mistakes=(
        Mistake(
            "captions_only",
            {"(F.cross_entropy(scores, own) + F.cross_entropy(scores.T[: len(scores)], own)) / 2":
             "F.cross_entropy(scores, own)"},
            "only a picture's caption is asked for",
            "one caption could be the best of all pictures, and this direction alone would not mind. Which question "
            "is missing?",
        ),
        Mistake(
            "pictures_only",
            {"(F.cross_entropy(scores, own) + F.cross_entropy(scores.T[: len(scores)], own)) / 2":
             "F.cross_entropy(scores.T, own)"},
            "only a caption's picture is asked for",
            "one picture could be the best of all captions. Which question is missing?",
        ),
        Mistake(
            "sum",
            {"own)) / 2": "own))"},
            "both directions are added up",
            "the mean surprise of all 2n questions is asked for.",
        ),
        Mistake(
            "times_temperature",
            {"similarities(images, texts) / temperature": "similarities(images, texts) * temperature"},
            "the cosines are multiplied by the temperature",
            "cold means sure: at a temperature near 0 the best score takes all.",
        ),
        Mistake(
            "no_temperature",
            {" / temperature": ""},
            "there is no temperature",
            "cosines lie in −1 … 1: among a hundred captions no softmax of them can be sure.",
        ),
        Mistake(
            "lengths_count",
            {"similarities(images, texts)": "images @ texts.T"},
            "the vectors keep their lengths",
            "a long vector would be near to everything: only the direction is to count.",
        ),
        Mistake(
            "own_left_out",
            _left_out,
            "a picture's own caption is not among those it is picked from",
            "what you have is no probability: it can be below 0. The own one belongs into the softmax.",
        ),
        Mistake(
            "means_before",
            {"(F.cross_entropy(scores, own) + F.cross_entropy(scores.T[: len(scores)], own)) / 2":
             "F.cross_entropy((scores + scores.T) / 2, own)"},
            "the scores of both directions are averaged, and asked once",
            "these are two questions with different candidates: two softmaxes.",
        ),
    ),
    hints=(
        "Make a table of scores: a row for each picture, a column for each caption. Where are the right answers?",
        "Each row is a classification whose right class is its own number; so is each column. Chapter 01's "
        "cross-entropy does both.",
        "F.normalize both, scores = images @ texts.T / temperature, own = torch.arange(n); the mean of "
        "F.cross_entropy(scores, own) and F.cross_entropy(scores.T, own).",
    ),
    why="A batch of n pairs holds n right pairs and n² − n wrong ones for nothing: nobody had to label them. The "
    "library's function also takes more captions than pictures; those are offered to all and ask nothing.",
)  # fmt: skip
