"""Answers without a network: looking up the nearest question, and counting which character follows."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from course_lib.chat.questions import Question
from course_lib.information.ngram import KneserNey


class Lookup:
    """Answers as the question did that is nearest to what is asked; of equally near ones the first.

    Near is the cosine of tf–idf: a question is a vector of how often it has each word, times 1 + ln((1 + n) / (1 + the
    questions of n that have it)), so that a rare word counts for more (Spärck Jones 1972; smoothed as in scikit-learn).
    A word is a run of letters and digits, in lower case, or any other sign. ValueError for no questions.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        if not questions:
            raise ValueError("questions: expected at least one, got none")
        self.questions = list(questions)
        counts = [Counter(_words(question.text)) for question in questions]
        having, n = Counter(word for count in counts for word in count), len(counts)
        self._rarity = {word: 1 + math.log((1 + n) / (1 + some)) for word, some in having.items()}
        rows: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for i, count in enumerate(counts):
            weights = {word: times * self._rarity[word] for word, times in count.items()}
            length = math.sqrt(math.fsum(weight**2 for weight in weights.values()))
            for word, weight in weights.items():
                rows[word].append((i, weight / length))
        self._places = {word: np.array([i for i, _ in row]) for word, row in rows.items()}
        self._weights = {word: np.array([weight for _, weight in row]) for word, row in rows.items()}

    def nearest(self, text: str) -> Question:
        """Return the question that is nearest to a text; the first of all where they have no word in common."""
        scores = np.zeros(len(self.questions))
        for word, times in Counter(_words(text)).items():
            if word in self._places:
                scores[self._places[word]] += times * self._rarity[word] * self._weights[word]
        return self.questions[int(scores.round(12).argmax())]  # rounded, so that what is equally near ties

    def answer(self, text: str) -> str:
        """Return the answer of the nearest question."""
        return self.nearest(text).answer


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


class CountedAnswers:
    """Writes what most often followed: the likeliest next character, over and over, by Kneser–Ney counts of exchanges.

    It was shown questions and answers as one text. order: characters that are counted together, so that order − 1 are
    looked back at. longest: characters of an answer, for it may run in circles. ValueError for no questions, longest
    below 1, and an order of which ``KneserNey`` says how large it may be.
    """

    END, BORDER, UNKNOWN = range(3)  # behind an answer; between question and answer; a character that was not there

    def __init__(self, questions: Sequence[Question], order: int = 9, longest: int = 120) -> None:
        if not questions:
            raise ValueError("questions: expected at least one, got none")
        if longest < 1:
            raise ValueError(f"longest: expected at least 1, got {longest}")
        self.order, self.longest = order, longest
        self.characters = sorted({c for question in questions for c in question.text + question.answer})
        self._number = {c: i for i, c in enumerate(self.characters, start=3)}
        tokens = [self.END] * order  # before the first stands what stands before any other
        for question in questions:
            tokens += [*self._encoded(question.text), self.BORDER, *self._encoded(question.answer), self.END]
        self._counts = KneserNey(torch.tensor(tokens), order, 3 + len(self.characters))
        self._followers: dict[tuple[int, ...], int] = {}

    def _encoded(self, text: str) -> list[int]:
        return [self._number.get(c, self.UNKNOWN) for c in text]

    def _next(self, context: tuple[int, ...]) -> int:
        if context not in self._followers:
            probabilities = self._counts.next_probabilities(torch.tensor(context, dtype=torch.long))
            probabilities[[self.BORDER, self.UNKNOWN]] = 0  # no part of an answer
            self._followers[context] = int(probabilities.argmax())
        return self._followers[context]

    def answer(self, text: str) -> str:
        """Return what is written behind a question, up to its end or ``longest`` characters."""
        tokens, written = [self.END] * self.order + self._encoded(text) + [self.BORDER], ""
        while len(written) < self.longest:
            token = self._next(tuple(tokens[len(tokens) - self.order + 1 :]))
            if token == self.END:
                break
            tokens.append(token)
            written += self.characters[token - 3]
        return written
