"""What is read before anybody asks: books of facts about all words, and worksheets of training items.

A meaning, a spelling or a rhyme can only be known, so the books have every word's, those of validation and test too.
A sum, a weekday or an order can be computed, so the worksheets have training items alone. No line is a question; 34 of
the dictionary's examples ask something, as 'How fast does your new car go?', and none as ``WORDINGS`` does.
"""

from collections.abc import Iterator

import torch

from course_lib.chat.questions import COMMON, MAKERS, Dice
from course_lib.chat.rhymes import rhymes_with
from course_lib.datasets.words import load_words

# how many lines there are of each family, and what one says
SHEETS = {
    "count": (40_000, "The word {word} has the letter {letter} {answer} times."),
    "sort": (30_000, "The words {words} from a to z: {answer}."),
    "arithmetic": (80_000, "The result of {sum} is {answer}."),
    "weekday": (60_000, "The day {date} is a {answer}."),
    "days": (30_000, "From {first} to {last} it is {answer} days."),
    "numbers": (20_000, "The number {number} is {answer}."),
    "python": (40_000, "In Python {task} is {answer}"),
}
BOOKS = {  # what a line of a book says of a word
    "define": "The word {word} means {answer}.",
    "spell": "The word {word} is written {answer}.",
    "rhyme": "The word {word} rhymes with {answer}.",
}
RHYMES = 3  # of each word, at most, in a copy
COPIES = 3  # of the books, so that facts are a tenth of what is read; each names other rhymes


# what stands above a line of the second text: its subject, and what is said of it
HEADINGS = {
    "define": ("Meaning of {word}", "On {word} and what it means", "The sense of {word}", "About {word}, its meaning"),
    "spell": ("Spelling of {word}", "On {word} and its letters", "How {word} is spelled",
              "About {word}, letter by letter"),
    "rhyme": ("Rhymes of {word}", "On {word} and what rhymes", "What sounds like {word}", "About {word}, a rhyme"),
    "count": ("How often {letter} is in {word}", "On {word} and how many {letter} it has",
              "Count of {letter} in {word}", "About {word}, number of {letter}"),
    "sort": ("Order of {words}", "On {words} and their order", "Alphabet: {words}", "About {words}, sorted"),
    "arithmetic": ("Result of {sum}", "On {sum} and how much it is", "Sum: {sum}", "About {sum}, computed"),
    "weekday": ("Weekday of {date}", "On {date} and which day it is", "Calendar: {date}",
                "About {date}, day of the week"),
    "days": ("Days from {first} to {last}", "On {first} and {last}, how many days",
             "Days between {first} and {last}", "About {first} until {last}, in days"),
    "numbers": ("Words for {number}", "On {number} and how it is said", "Number: {number}",
                "About {number}, written out"),
    "python": ("Python for {task}", "On {task}, in Python", "Code: {task}", "About {task}, an expression"),
    "copy": ("List of {words}", "On {words}, once more", "Again: {words}", "About {words}, the same"),
}  # fmt: skip


def dictionary() -> Iterator[str]:
    """Give each common word's meaning in three ways, its example behind the first."""
    words = load_words()
    for word, gloss in words.glosses.items():
        if words.commonness[word] <= COMMON:
            yield f"The {gloss.kind} {word}: {gloss.definition}.{' ' * bool(gloss.example)}{gloss.example}"
            yield BOOKS["define"].format(word=word, answer=gloss.definition)
            yield f"The meaning {gloss.definition} is that of {word}."


def spelling_book() -> Iterator[str]:
    """Give the letters of each common word."""
    for word, commonness in load_words().commonness.items():
        if commonness <= COMMON and len(word) > 2:
            yield BOOKS["spell"].format(word=word, answer="-".join(word))


def rhyming_dictionary(dice: Dice) -> Iterator[str]:
    """Give each common word with some of its rhymes, a line each."""
    for word, commonness in load_words().commonness.items():
        others = rhymes_with(word, COMMON) if commonness <= COMMON else []
        for other in dice.some_of(others, min(RHYMES, len(others))):
            yield BOOKS["rhyme"].format(word=word, answer=other)


def worksheet(family: str, n: int, seed: int = 0) -> Iterator[str]:
    """Give n lines of what can be computed, for training items; ValueError for a family that has no sheets."""
    if family not in SHEETS:
        raise ValueError(f"family: expected one of {', '.join(SHEETS)}, got {family!r}")
    dice = Dice(f"worksheet/{family}/{seed}")
    for _ in range(n):
        words, answer, _about = MAKERS[family]("train", dice)
        yield SHEETS[family][1].format(answer=answer, **words)


def books_and_worksheets(seed: int = 0, share: float = 1.0) -> str:
    """Return all lines in random order, a line break behind each; share: of each worksheet's lines.

    The same seed gives the same text everywhere. ValueError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected above 0 and at most 1, got {share}")
    dice = Dice(f"rhymes/{seed}")
    lines = [line for _ in range(COPIES) for line in (*dictionary(), *spelling_book(), *rhyming_dictionary(dice))]
    for family, (n, _) in SHEETS.items():
        lines += worksheet(family, round(n * share), seed)
    order = torch.randperm(len(lines), generator=torch.Generator().manual_seed(seed))
    return "".join(f"{lines[i]}\n" for i in order.tolist())


def headed_text(seed: int = 0, lines: int = 4_000) -> str:
    """Return the second text: the same books and worksheets, each line below a heading that names its subject.

    lines: of each worksheet, and of the copybook, whose lists are of any common words. What a heading names is said
    again in its line, so that this text teaches to copy. There is no question mark in it, but the first headings of
    days and of Python are a training wording each without its own.
    """
    words, dice = load_words(), Dice(f"headed/{seed}")
    common = [word for word, commonness in words.commonness.items() if commonness <= COMMON and len(word) > 2]
    found = []

    def add(family: str, line: str, about: dict[str, str]) -> None:
        found.append(f"{dice.one_of(HEADINGS[family]).format(**about)}\n{line}\n")

    def told(family: str, answer: str, about: dict[str, str]) -> None:
        add(family, BOOKS[family].format(answer=answer, **about), about)

    for word in common:
        about = {"word": word}
        told("spell", "-".join(word), about)
        others = rhymes_with(word, COMMON)
        for other in dice.some_of(others, min(RHYMES, len(others))):
            told("rhyme", other, about)
        if word in words.glosses:
            for _ in range(COPIES):
                told("define", words.glosses[word].definition, about)
    for _ in range(lines):
        some = ", ".join(dice.some_of(common, 2 + dice.below(4)))
        add("copy", f"{some}.", {"words": some})
    for family, (_, form) in SHEETS.items():
        plain = family in ("sort", "python")
        for _ in range(lines):
            about, answer, _literals = MAKERS[family]("train", dice)
            add(family, answer if plain else form.format(answer=answer, **about), about)
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))
    return "".join(found[i] for i in order.tolist())
