"""The learner chooses which tokens of a conversation are learned."""

import torch
from torch import Tensor

from course_lib.chapters.ch17_chat import masking
from course_lib.chat.template import IGNORED
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe

USER, ASSISTANT, END, SYSTEM = range(4)


def _conversation(says: list[tuple[int, list[int]]], special: tuple[int, int, int, int]) -> Tensor:
    """Return the tokens of turns (role, what is said); special: the tokens of user, assistant, end and system."""
    return torch.tensor([token for role, said in says for token in (special[role], *said, special[END])])


def _probe(says: list[tuple[int, list[int]]], special: tuple[int, int, int, int]) -> Probe:
    tokens = _conversation(says, special)
    shown = f"tokens = {tokens.tolist()}, assistant = {special[ASSISTANT]}, end = {special[END]}"
    return Probe((tokens, special[ASSISTANT], special[END]), shown)


def _variation(generator: torch.Generator) -> Probe:
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    special = tuple((20 + torch.randperm(9, generator=generator)[:4]).tolist())
    says = [(SYSTEM, [draw(0, 20)])] * draw(0, 2)
    for _ in range(draw(1, 4)):
        question, answer = ([draw(0, 20) for _ in range(draw(1, 5))] for _ in range(2))
        says += [(USER, question), (ASSISTANT, answer)]
    return _probe(says, special)


def _spoken(tokens: Tensor, assistant: int, end: int) -> Tensor:
    """Which tokens are an answer's, its end among them."""
    return masking.answers_alone(torch.cat([tokens[:1], tokens]), assistant, end)[1] != IGNORED


def _with(mask):
    """The right targets under another mask, which is made of (tokens, answers, assistant, end)."""

    def answers(tokens, assistant, end):
        kept = mask(tokens, _spoken(tokens, assistant, end), assistant, end)
        return tokens[:-1], tokens[1:].masked_fill(~kept[1:], IGNORED)

    return answers


def _behind(mask: Tensor) -> Tensor:
    """The mask, moved by one place towards the end."""
    return torch.cat([mask[:1] & False, mask[:-1]])


def _last(tokens, spoken, assistant, end):
    first = (tokens == assistant).nonzero()[-1]
    return spoken & (torch.arange(len(tokens)) > first)


def _not_shifted(tokens, assistant, end):
    return tokens[:-1], tokens[:-1].masked_fill(~_spoken(tokens, assistant, end)[:-1], IGNORED)


ENTRY = Exercise(
    id="chat.answers_alone",
    reference=masking.answers_alone,
    probes=lambda: [
        _probe([(USER, [5, 6]), (ASSISTANT, [7, 8, 9])], (90, 91, 92, 93)),
        _probe(
            [(SYSTEM, [3, 3]), (USER, [5]), (ASSISTANT, [5]), (USER, [6, 7, 8]), (ASSISTANT, [9, 4])], (33, 30, 31, 32)
        ),
        _probe([(USER, [4, 4, 4]), (ASSISTANT, [2]), (USER, [1]), (ASSISTANT, [6, 6, 3, 5])], (11, 12, 10, 13)),
        _probe([(USER, [1, 0, 2]), (ASSISTANT, [])], (70, 80, 60, 50)),
    ],
    checked="conversations of one and two exchanges, with a system's turn and with an empty answer.",
    outputs=("inputs", "targets"),
    gradients=False,
    variations=_variation,
    mistakes=(
        Mistake(
            "all_learned",
            _with(lambda tokens, spoken, assistant, end: spoken | True),
            "every token is learned, the questions' too",
            "the question is given. At which positions is the model to say something of its own?",
        ),
        Mistake(
            "end_not_learned",
            _with(lambda tokens, spoken, assistant, end: spoken & (tokens != end)),
            "the end of an answer is not learned",
            "who tells the model when to stop?",
        ),
        Mistake(
            "role_learned",
            _with(lambda tokens, spoken, assistant, end: spoken | (tokens == assistant)),
            "the token that gives the assistant the word is learned, too",
            "who writes that token when an answer is asked for: the model, or the program around it?",
        ),
        Mistake(
            "never_off",
            _with(lambda tokens, spoken, assistant, end: _behind((tokens == assistant).cumsum(0) > 0)),
            "from the first answer on everything is learned, the user's next turn too",
            "whose turn is it behind an answer's end?",
        ),
        Mistake(
            "last_alone",
            _with(_last),
            "the last answer alone is learned",
            "a conversation may hold several answers, and each of them is one to learn from.",
        ),
        Mistake(
            "questions_learned",
            _with(lambda tokens, spoken, assistant, end: ~spoken),
            "the questions are learned and the answers are not",
            "−100 asks nothing. Where should nothing be asked?",
        ),
        Mistake(
            "all_ends",
            _with(lambda tokens, spoken, assistant, end: spoken | (tokens == end)),
            "the end of every turn is learned, the user's too",
            "the user ends their own turn. Which ends are the model's to say?",
        ),
        Mistake(
            "not_shifted",
            _not_shifted,
            "each token is asked for where it is read",
            "then copying is all that there is to learn. Which token comes after the one that is read?",
        ),
        Mistake(
            "mask_late",
            _with(lambda tokens, spoken, assistant, end: _behind(spoken)),
            "the mask is one place late: the answer's first token is not learned, and what follows its end is",
            "does your mask speak of the token that is read, or of the one that is asked for?",
        ),
        Mistake(
            "zero_asked",
            lambda tokens, assistant, end: (
                tokens[:-1],
                tokens[1:].masked_fill(~_spoken(tokens, assistant, end)[1:], 0),
            ),
            "token 0 is asked for where nothing should be",
            "0 is a token like the others; −100 is what cross-entropy leaves out.",
        ),
    ),
    hints=(
        "Write one conversation down by hand. Under each token write the one that comes next, and cross out those that "
        "the model need never say.",
        "Go through the tokens with a flag: when does the assistant begin to speak, and which token is its last?",
        "learned[i] says whether token i is an answer's: the flag as it stands before token i. Then targets are "
        "tokens[1:], with −100 where learned[1:] is False.",
    ),
    why="The end of an answer is the model's to say: without it no drawing would stop. The roles are the program's: it "
    "writes <assistant> when it wants an answer, so that no probability need be spent on it. All answers of a longer "
    "conversation are learned at once, each given all that stood before it, because a position sees only its past.",
)
