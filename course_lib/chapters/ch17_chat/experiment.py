"""Other ways to put chapter 17's questions: as a line of a book, behind examples, in a second turn; and how sure.

All give texts that ``asking.right`` judges. Nothing here is trained.
"""

import re
from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.attention.transformer import Transformer
from course_lib.chapters.ch17_chat.asking import MOST
from course_lib.chat.corpus import BOOKS, SHEETS, dictionary, spelling_book
from course_lib.chat.likelihood import answer_log_probabilities
from course_lib.chat.questions import COMMON, Question, ask
from course_lib.chat.rhymes import rhymes_with
from course_lib.chat.sampling import draw_answers
from course_lib.chat.sentences import as_sentence
from course_lib.chat.template import ChatTemplate, Turn, batch_of, exchange
from course_lib.chat.wordings import WORDINGS
from course_lib.datasets.words import load_words
from course_lib.training.transfer import to_device

LINES = BOOKS | {family: line for family, (_, line) in SHEETS.items()}
EXAMPLES = 2


def said_of(question: Question) -> dict[str, str]:
    """Return what a question's wording was filled with: {"word": "tree"}; ValueError for a text of no wording.

    'Please spell out tree.' is of two wordings, with the words 'tree' and 'out tree': the one that says more is meant.
    """
    for wording in sorted(WORDINGS[question.family], key=lambda text: -len(re.sub(r"\{\w+\}", "", text))):
        parts = re.split(r"\{(\w+)\}", wording)
        pattern = "".join(f"(?P<{part}>.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
        if found := re.fullmatch(pattern, question.text):
            return found.groupdict()
    raise ValueError(f"question: expected one of the wordings of {question.family!r}, got {question.text!r}")


def book_line(question: Question) -> str:
    """Return how a line of the books begins that says what is asked: 'The word tree means'."""
    beginning = LINES[question.family].partition("{answer}")[0].rstrip()
    return beginning.format(**said_of(question))


def as_heading(question: Question) -> str:
    """Return the question as a heading of the books is put: a line of its own, without a mark at its end."""
    return f"{question.text.rstrip('?.')}\n"


def behind_examples(question: Question, part: str = "train") -> str:
    """Return the question as plain text behind two others of its family with their answers."""
    shown = ask(question.family, part, EXAMPLES, seed=len(question.text))
    lines = [f"Question: {each.text}\nAnswer: {each.answer}\n" for each in shown]
    return "".join(lines) + f"Question: {question.text}\nAnswer:"


@cache
def _lines() -> frozenset[str]:
    return frozenset(dictionary()) | frozenset(spelling_book())


def stands_in_a_book(sentence: str) -> bool:
    """Whether a sentence is a line of the dictionary or of the spelling book, or tells a rhyme of two common words."""
    if found := re.fullmatch(r"The word (\w+) rhymes with (\w+)\.", sentence.strip()):
        word, other = found.groups()
        return word in load_words().pronunciations and other in rhymes_with(word, COMMON)
    return sentence.strip() in _lines()


def completed(model: Transformer, template: ChatTemplate, texts: Sequence[str]) -> list[str]:
    """Return what the model goes on with behind each text, up to the end of the line, at temperature 0."""
    (line_end,) = template.tokenizer.encode("\n").tolist()
    prompts = [template.tokenizer.encode(text) for text in texts]
    drawn = draw_answers(model, prompts, torch.Generator().manual_seed(0), line_end, MOST, 0.0)
    return [template.tokenizer.decode(tokens.tolist()).split("\n")[0].strip() for tokens in drawn]


@torch.no_grad()
def confidence(
    model: Transformer, template: ChatTemplate, asked: Sequence[Question], given: Sequence[str]
) -> Float[Tensor, "n"]:
    """Return p(answer | question), the end included, of what was answered; float64, on the CPU."""
    rows = [template.encode(exchange(question.text, text)) for question, text in zip(asked, given, strict=True)]
    found = []
    for first in range(0, len(rows), 64):
        some = rows[first : first + 64]
        batch = batch_of(some, max(len(tokens) for tokens, _ in some) - 1, template.end)
        found.append(answer_log_probabilities(model, *to_device(model.embedding.weight.device, *batch)).cpu())
    return torch.cat(found).double().exp()


def second_turn(template: ChatTemplate, before: Question, question: Question) -> Int[Tensor, "time"]:
    """Return the prompt of a question that another one, rightly answered, stands before."""
    return template.prompt([*exchange(before.text, as_sentence(before)), Turn("user", question.text)])


def in_one_turn(template: ChatTemplate, before: Question, question: Question) -> Int[Tensor, "time"]:
    """Return the same text as in ``second_turn``, all of it the user's: a control for what stands before."""
    return template.prompt(f"{before.text} {as_sentence(before)} {question.text}")
