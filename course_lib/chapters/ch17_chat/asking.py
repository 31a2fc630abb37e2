"""Asking a model: questions in, texts out, judged by the program."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.chat.checks import check
from course_lib.chat.questions import FAMILIES, Question
from course_lib.chat.sampling import draw_answers
from course_lib.chat.template import ChatTemplate

MOST = 48  # tokens of an answer


def answered(
    model: Transformer, template: ChatTemplate, asked: Sequence[Question], temperature: float = 0.0, seed: int = 0
) -> list[str]:
    """Return what a model says behind each question, in the template."""
    prompts = [template.prompt(question.text) for question in asked]
    generator = torch.Generator().manual_seed(seed)
    drawn = draw_answers(model, prompts, generator, template.end, MOST, temperature)
    return [template.answer(tokens) for tokens in drawn]


def right(asked: Sequence[Question], given: Sequence[str]) -> Bool[Tensor, "n"]:
    """Return for each answer whether the program takes it for right."""
    return torch.tensor([check(question, answer).right for question, answer in zip(asked, given, strict=True)])


def by_family(asked: Sequence[Question], found: Bool[Tensor, "n"]) -> Mapping[str, tuple[int, int]]:
    """Return family → (right answers, questions)."""
    counts = dict.fromkeys(FAMILIES, (0, 0))
    for question, is_right in zip(asked, found.tolist(), strict=True):
        before, n = counts[question.family]
        counts[question.family] = before + is_right, n + 1
    return counts
