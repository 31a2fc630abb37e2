"""The learner lets several answers to one question vote."""

from collections import Counter

import torch

from course_lib.chat import sampling
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe


def _number(answer: str) -> str | None:
    """The digits of an answer, None where it has none."""
    return "".join(c for c in answer if c.isdigit()) or None


def _letter(answer: str) -> str | None:
    """The first letter of an answer, None for '?'."""
    return None if answer == "?" else answer[0].lower()


def _probe(answers: list[str], key=_number) -> Probe:
    says = "the first letter, None for '?'" if key is _letter else "the digits, None where there are none"
    return Probe((answers, key), f"answers = {answers}, key: {says}")


def _variation(generator: torch.Generator) -> Probe:
    some = ("4", "4.", "it is 4", "5", "5!", "12", "none", "who knows")
    n = int(torch.randint(1, 9, (), generator=generator))
    return _probe([some[i] for i in torch.randint(len(some), (n,), generator=generator)])


def _elected(function, answers: list[str], key) -> object:
    """Call a vote; where all abstain its None is an answer, and is said in words."""
    value = function(answers, key)
    return "None: all abstain" if value is None and all(key(answer) is None for answer in answers) else value


def _winner(keys: list, counts: Counter):
    return counts.most_common(1)[0][0] if counts else None


def _by(choose):
    """With the keys, those that abstain among them, and the counts of the others."""

    def elected(answers, key):
        keys = [key(answer) for answer in answers]
        return choose(answers, keys, Counter(k for k in keys if k is not None))

    return elected


def _reversed(keys) -> Counter:
    return Counter(k for k in reversed(keys) if k is not None)


def _last_of_equals(answers, keys, counts):
    best = max(counts, key=lambda k: (counts[k], keys.index(k)), default=None)
    return answers[keys.index(best)] if counts else None


def _smallest(answers, keys, counts):
    best = min((k for k in counts if counts[k] == max(counts.values())), default=None)
    return answers[keys.index(best)] if counts else None


ENTRY = Exercise(
    id="chat.vote",
    reference=sampling.vote,
    probes=lambda: [
        _probe(["it is 4", "4.", "5", "4"]),
        _probe(["who knows", "9", "none", "who cares", "3", "9!"]),
        _probe(["7", "6", "6.", "7."]),
        _probe(["31", "8 days", "8 days", "30", "30!", "30"]),
        _probe(["Yes", "no", "?", "No", "yes", "nothing"], _letter),
        _probe(["3 days", "40", "3", "40!"]),
        _probe(["2"]),
        _probe(["none", "no idea"]),
    ],
    checked="eight elections, with ties, with answers that agree in other words, and with some or all abstaining.",
    gradients=False,
    trial=_elected,
    variations=_variation,
    mistakes=(
        Mistake(
            "none_votes",
            _by(lambda answers, keys, counts: answers[keys.index(Counter(keys).most_common(1)[0][0])]),
            "those that abstain are counted, as if they agreed with each other",
            "two answers without a number: do they agree on one?",
        ),
        Mistake(
            "by_text",
            lambda answers, key: Counter(answers).most_common(1)[0][0],
            "answers agree only where they are the same letter by letter",
            "'it is 4' and '4.' say the same. What is key for?",
        ),
        Mistake(
            "key_returned",
            _by(lambda answers, keys, counts: _winner(keys, counts)),
            "the key comes back and not an answer that has it",
            "the reader is to see an answer, as it was written.",
        ),
        Mistake(
            "commonest_key",
            _by(lambda answers, keys, counts: Counter(keys).most_common(1)[0][0]),
            "the key comes back and not an answer that has it, and those that abstain are counted",
            "the reader is to see an answer, as it was written; and do two answers without a number agree on one?",
        ),
        Mistake(
            "last_of_equals",
            _by(_last_of_equals),
            "of equally frequent keys the one that came last wins",
            "the one that came first: then the vote of two is the first of them.",
        ),
        Mistake(
            "last_heard",
            _by(lambda answers, keys, counts: answers[keys.index(_winner(keys, _reversed(keys)))] if counts else None),
            "of equally frequent keys the one that was heard last wins",
            "the one that came first: in which order do you count?",
        ),
        Mistake(
            "last_answer",
            _by(
                lambda answers, keys, counts: (
                    answers[len(keys) - 1 - keys[::-1].index(_winner(keys, counts))] if counts else None
                )
            ),
            "of the answers with the winning key the last comes back",
            "which of them was asked for?",
        ),
        Mistake(
            "smallest_key",
            _by(_smallest),
            "of equally frequent keys the smallest wins",
            "that would favour small numbers. Which of them came first?",
        ),
        Mistake(
            "no_vote",
            _by(
                lambda answers, keys, counts: next(
                    (a for a, k in zip(answers, keys, strict=True) if k is not None), None
                )
            ),
            "the first answer with a key wins, whatever the others say",
            "how many others agree with it?",
        ),
        Mistake(
            "abstention_counts_as_first",
            _by(lambda answers, keys, counts: answers[keys.index(_winner(keys, counts))] if counts else answers[0]),
            "where all abstain the first of them is elected",
            "nobody has said anything that could be right: None.",
        ),
    ),
    hints=(
        "Make the keys first, one an answer. Which of them may vote?",
        "collections.Counter counts; of equally frequent ones its most_common gives the one that was counted first.",
        "best = Counter(k for k in keys if k is not None).most_common(1); then answers[keys.index(best[0][0])].",
    ),
    why="A vote needs no judge, only a way to tell that two answers say the same: for numbers the number, for a "
    "definition nothing simple. What it elects is the most probable *key*, which may be more probable than any single "
    "way to write it; it helps where right answers agree and wrong ones differ, and it cannot help where the commonest "
    "answer is wrong.",
)
