"""Assistants with a fault each, that the learner names from their answers and their losses."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_lib.attention.step import next_token_step
from course_lib.attention.transformer import Transformer
from course_lib.chapters.ch17_chat.asking import MOST, right
from course_lib.chat.questions import Question, questions
from course_lib.chat.sampling import draw_answers
from course_lib.chat.sentences import as_sentence
from course_lib.chat.template import ChatTemplate, batch_of
from course_lib.chat.tuning import Encoded, draw_exchanges, encoded_exchanges, introduce
from course_lib.training.eval_mode import evaluating
from course_lib.training.fit import fit
from course_lib.training.optimizers import warmup_then_linear
from course_lib.training.trained import Trained
from course_lib.training.transfer import to_device

FAULTS = ("end_not_learned", "no_mask", "roles_as_text", "overfitted", "temperature_3", "question_cut")
IN_TRAINING = ("end_not_learned", "no_mask", "overfitted")  # the others are faults in use, of a sound model
SHEETS = {"sound": "sound", "A": "end_not_learned", "B": "overfitted"}  # name on the sheet → fault
SHOWN, KEPT = 5, 40  # questions on the sheet, and of the record
FEW, MANY, BATCH, LOOK, RATE = 100, 8_000, 32, 10, 1.5e-3  # the last three as in the record of the stages


class Losses(NamedTuple):
    """Nats a learned token, as this training counts them, after so many steps."""

    steps: list[int]
    training: list[float]
    held_out: list[float]


def encoded(template: ChatTemplate, asked: Sequence[Question], fault: str) -> list[Encoded]:
    """Return exchanges in tokens and what is learned of them, with a fault of the mask or none."""
    rows = encoded_exchanges(template, asked, "all" if fault == "no_mask" else "answers")
    if fault == "end_not_learned":
        rows = [(tokens, learned & (tokens != template.end)) for tokens, learned in rows]
    return rows


def tuned(model: Transformer, template: ChatTemplate, fault: str, steps: int) -> tuple[Transformer, Losses]:
    """Return a tuned copy of a pretrained model, and its losses; fault: one of ``IN_TRAINING``, or "" for none."""
    model = copy.deepcopy(model).requires_grad_(True).train()
    introduce(model, template, seed=8)
    device = model.embedding.weight.device
    rows = encoded(template, questions("train", FEW if fault == "overfitted" else MANY, seed=8), fault)
    others = encoded(template, questions("validation", 100, seed=8), fault)
    longest = max(len(tokens) for tokens, _ in others) - 1
    inputs, targets = to_device(device, *batch_of(others, longest, template.end))
    adamw = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True)

    def look() -> dict[str, float]:
        with torch.no_grad(), evaluating(model):
            return {"held_out": F.cross_entropy(model(inputs).flatten(0, 1).float(), targets.flatten()).item()}

    state = Trained({"model": model}, {"adamw": adamw}, torch.Generator().manual_seed(8))
    draw = draw_exchanges(rows, BATCH, template.end, device)
    history = fit(next_token_step(model, [adamw]), draw, steps, state, schedule=warmup_then_linear, every=LOOK,
                  evaluate=look, evaluate_every=LOOK, progress=False)  # fmt: skip
    training = [interval.values["loss"] for interval in history.intervals]
    looks = [look.values["held_out"] for look in history.looks][-len(training) :]
    return model.eval(), Losses([interval.step for interval in history.intervals], training, looks)


def drawn(model: Transformer, template: ChatTemplate, asked: Sequence[Question], fault: str) -> list[Tensor]:
    """Return the tokens drawn behind each question, with a fault of use or none."""
    prompts = [_prompt(template, question.text, fault) for question in asked]
    temperature = 3.0 if fault == "temperature_3" else 0.0
    return draw_answers(model, prompts, torch.Generator().manual_seed(8), template.end, MOST, temperature)


def _prompt(template: ChatTemplate, text: str, fault: str) -> Tensor:
    if fault == "roles_as_text":
        return template.tokenizer.encode(f"<user> {text}<end><assistant>")
    prompt = template.prompt(text)
    if fault == "question_cut":  # <user>, then the second half of what was asked
        return torch.cat([prompt[:1], prompt[1 + (len(prompt) - 3) // 2 :]])
    return prompt


def measured(template: ChatTemplate, asked: Sequence[Question], answers: Sequence[Tensor]) -> dict[str, float]:
    """Return the shares of answers that are right, that end, and that begin with the right answer, word for word."""
    texts = [template.answer(tokens) for tokens in answers]
    begins = [text.strip().startswith(as_sentence(question)) for question, text in zip(asked, texts, strict=True)]
    return {
        "right": right(asked, texts).double().mean().item(),
        "ended": sum(template.end in tokens.tolist() for tokens in answers) / len(answers),
        "begun": sum(begins) / len(begins),
    }


def sheet(values: Mapping[str, Any]) -> tuple[list[Question], dict[str, list[str]], dict[str, dict], list[int]]:
    """Return what ``figures.patients`` draws, out of the record: the first questions that the sound one gets right."""
    asked = questions("test", KEPT, seed=8)
    found = {name: {**values["patients"][fault], "asked": values["asked"]} for name, fault in SHEETS.items()}
    places = [i for i, is_right in enumerate(right(asked, found["sound"]["said"]).tolist()) if is_right][:SHOWN]
    said = {name: [each["said"][i] for i in places] for name, each in found.items()}
    return [asked[i] for i in places], said, found, values["steps"]
